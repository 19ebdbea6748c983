//! The auditor's offline verifier. It shares no code with the ledger that writes: it knows the specifications
//! ([`tlog`]) and `docs/ledger-format.md`, and reads bytes.
//!
//! - [`log`]: a log folder: the signature, every entry, every tile, every file.
//! - [`grow`]: the same, and that the log continues an older checkpoint.
//! - [`proof`]: one entry's `.tlog-proof`.
//! - [`anchor()`]: a log folder, and that it continues a checkpoint that witnesses cosigned or authorities stamped.
//! - [`evidence`]: a data folder with its keys: every object opens and is the one committed to, and every anchor in it fits.
//!
//! The binary `tickmark-verify` is these five as commands.

mod anchor;
mod evidence;
mod files;
mod log;

pub use anchor::{Anchor, Voucher, anchor, anchors, newest};
pub use evidence::{EvidenceReport, evidence};
pub use files::{Files, Folder};
pub use log::{LogReport, Options, grow, log, proof};

/// Why something isn't verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A file that should be there cannot be read.
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable {
        /// Which.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A file nobody vouches for.
    #[error("`{path}` is no file of a log; nothing vouches for it, so it must not lie there")]
    Unknown {
        /// Which.
        path: String,
    },
    /// A tile beyond the signed checkpoint.
    #[error(
        "`{path}` lies beyond the signed checkpoint: either the log is being written or was interrupted \
         (let Tickmark open it once), or somebody added to it"
    )]
    Ahead {
        /// Which.
        path: String,
    },
    /// A file that isn't what the entries make it.
    #[error("`{path}` is not what the entries give: {why}")]
    Differs {
        /// Which.
        path: String,
        /// In what.
        why: String,
    },
    /// Entries that don't give the signed root.
    #[error("the entries don't give the signed root: an entry was altered, removed, added or moved")]
    Root,
    /// A log that isn't a continuation of the older checkpoint.
    #[error("{why}")]
    Growth {
        /// In what.
        why: String,
    },
    /// Fewer entries published than acknowledged.
    #[error(
        "{acknowledged} entries were acknowledged, but only {published} are published; let Tickmark open the workspace once"
    )]
    Unpublished {
        /// By the caller's word.
        acknowledged: u64,
        /// By the checkpoint.
        published: u64,
    },
    /// A key, note, checkpoint or proof that isn't one.
    #[error("`{path}`: {source}")]
    Form {
        /// Which.
        path: String,
        /// What is wrong.
        source: tlog::Error,
    },
    /// An anchor that was altered, is of another log, or contradicts this one.
    #[error("`{place}` doesn't hold as an anchor: {why}")]
    Anchor {
        /// The entry or file that keeps it.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// Evidence that isn't what the log commits to.
    #[error("entry {index}: {why}")]
    Evidence {
        /// Which entry.
        index: u64,
        /// What is wrong.
        why: String,
    },
}

impl Refusal {
    pub(crate) fn form(path: &str) -> impl FnOnce(tlog::Error) -> Self {
        move |source| Self::Form { path: path.to_owned(), source }
    }

    pub(crate) fn differs(path: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Differs { path: path.into(), why: why.into() }
    }
}
