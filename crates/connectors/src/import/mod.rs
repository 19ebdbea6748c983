//! Import: rows of a file that somebody exported or typed: CSV, NDJSON or Parquet.
//!
//! The same order as every source: [`file`] cuts the file's bytes, as they came, into captures of whole records, or [`parquet`]
//! makes lines of JSON of a file of columns; [`derive`] reads rows out of each of them. What the file's columns mean says a
//! [`Mapping`], which travels in every receipt: rows are a function of the ledger, whatever becomes of the mapping's file. The
//! same reading checks a file before anything is appended, so that what was accepted can be derived.

mod by_hand;
mod cell;
mod derive;
mod encoding;
mod file;
mod map;
mod parquet;
mod propose;
mod rows;

pub use by_hand::by_hand;
pub use derive::derive;
pub use encoding::Encoding;
pub use file::{Chunk, File};
pub use map::{Mapping, MappingError, columns_of, may_be_imported};
pub use parquet::{Parquet, is_decoding};
pub use propose::propose;
pub use rows::{Fault, Format, Plan, Read, Shape};

/// Name and version of this collector, as receipts give it.
pub const COLLECTOR: &str = "import/1";

/// Name and version of what enters a single row, as receipts give it.
pub const RECORDER: &str = "record/1";

#[cfg(test)]
mod tests;
