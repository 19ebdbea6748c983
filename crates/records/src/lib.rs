//! From captured bytes to rows: keys become numbers, facts become rows, accounts become people.
//!
//! Rows are a function of the ledger's documents in their order: applying them one by one, many at once or all again
//! into an empty generation gives the same rows.

mod apply;
pub mod freeze;
mod identity;
mod parquet;

pub use crate::parquet::{ParquetColumn, ParquetWriter};
pub use apply::{Applied, Applier, ApplyError, Reading, Source};

/// Version of what this crate and the derivations make of a document. Raise it whenever the rows of an unchanged
/// document change: the next start then builds a new generation beside the old one.
pub const DERIVATION: &str = "4";
