//! The databases of a workspace.
//!
//! - [`records`]: generations of derived rows, and the read-only runs of procedures over them.
//! - [`state`]: `data/state.db`, the only database that cannot be rebuilt: the ledger's head, settings, and
//!   what lets members in.

pub mod records;
pub mod state;
