//! Git: the history of a repository, read natively and never written to.
//!
//! Fetch ([`open`], [`collect`]) gives captures: the commit objects byte for byte in the format of `git cat-file
//! --batch`, so that anyone can hash them again. [`derive`] reads facts out of them: changes, and what review trailers
//! assert about them.

mod collect;
mod conventions;
mod derive;
pub(crate) mod message;
mod repository;

pub use collect::{Collected, collect};
pub use conventions::Conventions;
pub use derive::derive;
pub use repository::{GitError, Repository, open};

/// Name and version of this collector, as receipts give it.
pub const COLLECTOR: &str = "git/1";

/// Stream of commit objects.
pub const COMMITS: &str = "commits";
/// Stream of reference snapshots.
pub const REFS: &str = "refs";

#[cfg(test)]
mod tests;
