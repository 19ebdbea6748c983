//! The head: which state of the log is committed. Swapping it is the one commit point of an append.

use serde::{Deserialize, Serialize};
use tlog::Hash;

use crate::error::Error;
use crate::hex::Hex;

/// What a head store says when it fails.
pub type HeadError = Box<dyn std::error::Error + Send + Sync>;

/// A register that survives power cuts and changes by compare-and-swap only: a row of the working database.
pub trait Head: Send {
    /// The record last swapped in; `None` before the first.
    ///
    /// # Errors
    /// The store cannot be read.
    fn load(&self) -> Result<Option<String>, HeadError>;

    /// Puts `new` in the place of `old`, unless the record is no longer `old`: then `false`. When this returns `true`, the
    /// record is on the disk. After an error nobody knows which of the two is; only [`Head::load`] of a fresh open tells.
    ///
    /// # Errors
    /// The store cannot be written.
    fn compare_and_swap(&mut self, old: Option<&str>, new: &str) -> Result<bool, HeadError>;
}

/// How many entries a head says are committed, without opening the ledger: what a verifier compares with what is published.
///
/// # Errors
/// The store cannot be read, or was written by a newer version.
pub fn committed(head: &dyn Head) -> Result<u64, Error> {
    let record = head.load().map_err(Error::Head)?.map(|text| Record::parse(&text)).transpose()?;
    Ok(record.map_or(0, |record| record.size))
}

/// The committed state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// Version of this form.
    pub(crate) v: u64,
    /// Name of the log, so that the head of another workspace is noticed.
    pub(crate) origin: String,
    /// Entries committed.
    pub(crate) size: u64,
    /// Root over them, base64.
    pub(crate) root: String,
    /// Batches committed.
    pub(crate) batches: u64,
    /// Name of the last staged batch: what recovery publishes if a crash came before that.
    pub(crate) batch: Option<Hex>,
}

impl Record {
    pub(crate) fn empty(origin: &str) -> Self {
        let root = tlog::EMPTY_ROOT.to_string();
        Self { v: 1, origin: origin.to_owned(), size: 0, root, batches: 0, batch: None }
    }

    pub(crate) fn to_text(&self) -> String {
        // Text and numbers only: it always serialises.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Version {
            v: u64,
        }
        let bad = |e: serde_json::Error| Error::damaged("the ledger's head", e.to_string());
        let Version { v } = serde_json::from_str(text).map_err(bad)?;
        if v != 1 {
            return Err(Error::Newer { path: "the ledger's head".into(), version: v });
        }
        serde_json::from_str(text).map_err(bad)
    }

    pub(crate) fn root(&self) -> Result<Hash, Error> {
        Ok(self.root.parse()?)
    }
}
