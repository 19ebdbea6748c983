//! A witness (c2sp.org/tlog-witness) for whoever doubts the keeper of a log, an auditor above all: it cosigns a checkpoint
//! only if it continues the last one it cosigned, so a log that was rolled back, forked or made again is found out.
//!
//! It shares no code with the ledger that writes: it knows the specifications ([`tlog`]) and its own folder.
//!
//! - [`Witness`]: the rules, over one [`Register`] a log: the checkpoint cosigned last, on the disk before it is answered.
//! - [`Home`]: a witness's folder: its key, the logs it watches, what it signed.
//! - [`run`]: `tickmark-witness`: `init`, `add-log`, and `serve`, which answers `POST /add-checkpoint`.

mod command;
mod home;
mod register;
mod rules;
mod server;

pub use command::{Machine, run};
pub use home::Home;
pub use register::Register;
pub use rules::{Answer, Outcome, Witness};

use std::io;
use std::path::{Path, PathBuf};

/// Why a witness cannot work. Whatever it is, nothing was signed because of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk said no.
    #[error("cannot {action} `{path}`: {source}", path = .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that holds something else than it should.
    #[error("`{path}` {what}; {next}", path = .path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        what: String,
        /// What to do.
        next: &'static str,
    },
    /// Something that was asked for and isn't done.
    #[error("{0}")]
    Refused(String),
    /// A key or name that isn't one.
    #[error(transparent)]
    Form(#[from] tlog::Error),
}

impl Error {
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { action, path: path.to_owned(), source }
    }
}
