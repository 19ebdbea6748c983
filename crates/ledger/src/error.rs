//! What can go wrong, in words that say what to do next.

use std::io;

use crate::head::HeadError;

/// Why the ledger refused or failed. Whatever it is, no acknowledged entry is lost by it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk said no.
    #[error("cannot {action} `{path}`: {reason}{advice}", advice = advice(.source), reason = .source)]
    Disk {
        /// What was tried.
        action: &'static str,
        /// Where, in the data folder.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the ledger open.
    #[error("the ledger in `{folder}` is in use by {holder}; stop that one first, or wait until it is done")]
    Locked {
        /// Data folder.
        folder: String,
        /// Who, as the lock file says.
        holder: String,
    },
    /// A folder on another machine.
    #[error(
        "`{folder}` lies on a network file system ({kind}), where a lock and a flush to disk promise nothing; \
         put the workspace on a local disk and copy backups to the network"
    )]
    Network {
        /// Data folder.
        folder: String,
        /// Kind of file system.
        kind: &'static str,
    },
    /// A wrapping key that doesn't fit.
    #[error(
        "the wrapping key doesn't open `keys/ring`: it isn't the key this workspace was made with, or the file was altered"
    )]
    WrongKey,
    /// The head in the database and the log folder contradict each other.
    #[error("{what}; {next}")]
    Contradiction {
        /// What was found.
        what: String,
        /// What to do.
        next: &'static str,
    },
    /// Bytes that aren't what was written.
    #[error("`{path}` is damaged: {why}; restore it from a backup")]
    Damaged {
        /// Which file or entry.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A workspace of a newer version.
    #[error("`{path}` was written by a newer version ({version}); update tickmark")]
    Newer {
        /// Which file or entry.
        path: String,
        /// Its format version.
        version: u64,
    },
    /// An entry that doesn't fit or doesn't belong in a leaf.
    #[error("the entry cannot be appended: {why}")]
    Unfit {
        /// What is wrong with it.
        why: String,
    },
    /// An index beyond the published log.
    #[error("there is no entry {index}: the log has {size} entries")]
    Outside {
        /// Index asked for.
        index: u64,
        /// Published size.
        size: u64,
    },
    /// An object whose key was destroyed.
    #[error("the document of entry {index} was erased; its place in the log and its proof remain")]
    Erased {
        /// Index of the entry.
        index: u64,
    },
    /// A failed flush, after which only a fresh look at the disk tells what is there.
    #[error(
        "the ledger stopped after an error ({reason}); nothing acknowledged is lost, open it again to go on"
    )]
    Stopped {
        /// The first error.
        reason: String,
    },
    /// The database with the head said no.
    #[error("the ledger's head cannot be read or moved: {0}")]
    Head(#[source] HeadError),
    /// No randomness.
    #[error("the system gave no randomness: {0}")]
    Entropy(#[source] io::Error),
    /// A proof, note or tile that isn't one.
    #[error(transparent)]
    Log(#[from] tlog::Error),
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; nothing acknowledged is lost, free some space and try again"
        }
        io::ErrorKind::ReadOnlyFilesystem => "; the folder is on a read-only file system, mount it writable",
        io::ErrorKind::PermissionDenied => "; give this user the right to write there",
        _ => "",
    }
}

impl Error {
    pub(crate) fn disk(action: &'static str, path: &str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { action, path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Damaged { path: path.into(), why: why.into() }
    }
}
