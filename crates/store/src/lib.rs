//! The databases of a workspace.
//!
//! - [`state`]: `data/state.db`, the only database that cannot be rebuilt: the ledger's head and settings.

pub mod state;
