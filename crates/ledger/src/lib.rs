//! The evidence ledger. Appending is the commit point of everything Tickmark knows: if it isn't in here, it didn't happen.
//!
//! Documents are committed to, compressed and encrypted under a key of their own; the log over the commitments is a C2SP
//! tlog-tiles log that anybody's tools can verify. `docs/ledger-format.md` says what every byte means.
//!
//! - [`Ledger`] writes: append, publish, recover. [`Writer`] lets many callers share its flushes.
//! - [`Reader`] reads leaves, documents and proofs beside it.
//! - [`Disk`] and [`Head`] are what it needs: files that are flushed, and a register changed by compare-and-swap.
//!   [`Folder`] is the real disk; the working database holds the head.
//! - [`NewEntry`] goes in, [`Leaf`] and [`Entry`] come out.
//!
//! - [`backup()`] and [`restore()`], [`Erasure`], [`timestamp`] and [`witness`] are what happens to a ledger in a longer life.
//!
//! No clock and no randomness of its own, no network.

mod backup;
mod batch;
mod disk;
mod erase;
mod error;
mod head;
mod hex;
mod keys;
mod leaf;
mod ledger;
mod object;
mod reader;
pub mod timestamp;
pub mod witness;
mod writer;

pub use backup::{Confirmation, backup, restore};
pub use disk::{Disk, Folder};
pub use erase::Erasure;
pub use error::Error;
pub use head::{Head, HeadError, committed};
pub use hex::Hex;
pub use keys::Entropy;
pub use leaf::{Kind, Leaf, NewEntry};
pub use ledger::Ledger;
pub use reader::{Entries, Entry, Reader};
pub use writer::Writer;
