//! Erasure and redaction: destroying one object's key, and saying so in the log.
//!
//! The proofs of everything stay valid, since the log holds commitments and no bytes. What cannot be recalled is what was
//! handed over before, and a backup of `keys/` that still holds the key: the entry states when the last such backup expires.
//! A file system that writes elsewhere than where it was told (copy-on-write, a flash disk) may keep the old bytes of a slot
//! until it reuses the place; they are of use only together with the key-encryption key.
//!
//! Both go through a note of intent, so that a crash at any point is finished by the next open:
//!
//! | step | a crash afterwards |
//! |---|---|
//! | write `keys/intent` | erasure: the next open goes on. Redaction: nothing happened, the note is dropped |
//! | redaction: append the new object | the next open destroys the old key |
//! | destroy the slots | erasure: the next open appends the entry |
//! | erasure: append the entry | the next open finds it and drops the note |
//! | remove the note | nothing |

use std::io;

use model::Instant;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::keys::{SLOT, SLOTS_PER_FILE, slot_place};
use crate::leaf::{Kind, Leaf, NewEntry};
use crate::ledger::Ledger;

const INTENT: &str = "keys/intent";

/// An order to erase.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Erasure {
    /// Entries whose documents go.
    pub indexes: Vec<u64>,
    /// Source instance of the entry that says so: the workspace itself.
    pub source: String,
    /// Why it is lawful or required.
    pub legal_basis: String,
    /// Pseudonym of whoever approved it.
    pub approver: String,
    /// When the last backup that still holds the keys expires, if there is one.
    pub key_backup_expires: Option<Instant>,
    /// When it was ordered.
    pub at: Instant,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Intent {
    v: u64,
    /// Size of the log before: the entry that says so comes at or after it.
    size: u64,
    indexes: Vec<u64>,
    /// The entry to append, for an erasure.
    entry: Option<IntentEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IntentEntry {
    source: String,
    at: Instant,
    document: String,
}

/// What the document of an erasure entry says.
#[derive(Serialize)]
struct Said<'a> {
    indexes: &'a [u64],
    legal_basis: &'a str,
    approver: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_backup_expires: Option<Instant>,
}

impl IntentEntry {
    fn to_entry(&self) -> NewEntry {
        NewEntry {
            kind: Kind::Erasure,
            source: self.source.clone(),
            stream: "erasures".into(),
            media_type: "application/json".into(),
            collected_at: self.at,
            collector: "ledger/1".into(),
            document: self.document.clone().into_bytes(),
        }
    }
}

impl Ledger {
    /// Destroys the keys of documents and appends the entry that says so; gives its index. Erasing again is no error.
    ///
    /// # Errors
    /// An index outside, more indexes than an entry can name, or the disk: opening the ledger again then finishes it.
    pub fn erase(&mut self, order: &Erasure) -> Result<u64, Error> {
        let mut indexes = order.indexes.clone();
        indexes.sort_unstable();
        indexes.dedup();
        if indexes.is_empty() {
            return Err(Error::Unfit { why: "an erasure names at least one entry".into() });
        }
        let said = Said {
            indexes: &indexes,
            legal_basis: &order.legal_basis,
            approver: &order.approver,
            key_backup_expires: order.key_backup_expires,
        };
        let document = serde_json::to_string(&said).map_err(|e| Error::Unfit { why: e.to_string() })?;
        let entry = IntentEntry { source: order.source.clone(), at: order.at, document };
        // Whatever could refuse the entry must do so before a key is gone.
        entry.to_entry().check()?;
        Leaf::new(&entry.to_entry(), &indexes, [0; 32], [0; 32]).to_bytes()?;
        let intent = self.intend(indexes, Some(entry))?;
        self.carry_out(&intent)
    }

    /// Replaces the document of an entry by one without a person's values: appends it as a new entry and destroys the old
    /// key; gives the index of the new one.
    ///
    /// # Errors
    /// As [`Ledger::erase`].
    pub fn redact(&mut self, index: u64, document: Vec<u8>) -> Result<u64, Error> {
        let old = self.leaf(index)?;
        let entry = NewEntry {
            kind: Kind::Redaction,
            source: old.source,
            stream: old.stream,
            media_type: old.media_type,
            collected_at: old.collected_at,
            collector: old.collector,
            document,
        };
        let intent = self.intend(vec![index], None)?;
        let new = self.commit_drafts(&[(&entry, vec![index])])?.start;
        self.publish()?;
        self.carry_out(&intent)?;
        Ok(new)
    }

    /// Makes sure that no staged copy of a key is left, and writes the note of intent.
    fn intend(&mut self, indexes: Vec<u64>, entry: Option<IntentEntry>) -> Result<Intent, Error> {
        self.publish()?;
        let size = self.size();
        if let Some(index) = indexes.iter().find(|index| **index >= size) {
            return Err(Error::Outside { index: *index, size });
        }
        self.settle_staging()?;
        let intent = Intent { v: 1, size, indexes, entry };
        let bytes = serde_json::to_vec(&intent).map_err(|e| Error::Unfit { why: e.to_string() })?;
        self.put_file(INTENT, bytes)?;
        Ok(intent)
    }

    /// Finishes what a crash interrupted. Part of opening.
    pub(crate) fn resume_erasure(&mut self) -> Result<(), Error> {
        let bytes = match self.reader.disk.read(INTENT) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(Error::disk("read", INTENT)(e)),
        };
        let intent: Intent =
            serde_json::from_slice(&bytes).map_err(|e| Error::damaged(INTENT, e.to_string()))?;
        if intent.v != 1 {
            return Err(Error::Newer { path: INTENT.into(), version: intent.v });
        }
        self.carry_out(&intent).map(drop)
    }

    /// Destroys the keys and sees that the log says so. However often it runs, it ends in the same state.
    fn carry_out(&mut self, intent: &Intent) -> Result<u64, Error> {
        let said = self.entry_that_concerns(&intent.indexes, intent.size)?;
        let index = match (&intent.entry, said) {
            // A redaction whose new object never got in has not happened.
            (None, None) => intent.size,
            (None, Some(index)) => {
                self.destroy(&intent.indexes)?;
                index
            }
            (Some(_), Some(index)) => index,
            (Some(entry), None) => {
                self.destroy(&intent.indexes)?;
                let entry = entry.to_entry();
                let index = self.commit_drafts(&[(&entry, intent.indexes.clone())])?.start;
                self.publish()?;
                index
            }
        };
        self.remove_file(INTENT)?;
        Ok(index)
    }

    fn entry_that_concerns(&self, indexes: &[u64], from: u64) -> Result<Option<u64>, Error> {
        for index in from..self.size() {
            if self.leaf(index)?.concerns == indexes {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// Overwrites slots with zeros, a stretch of neighbours at a time. A torn slot opens nothing either.
    fn destroy(&mut self, indexes: &[u64]) -> Result<(), Error> {
        let mut rest = indexes;
        while let Some(first) = rest.first() {
            let same = |n: usize| {
                rest.get(n).is_some_and(|index| {
                    *index == first + n as u64 && index / SLOTS_PER_FILE == first / SLOTS_PER_FILE
                })
            };
            let many = (1..).find(|n| !same(*n)).unwrap_or(1);
            let (path, offset) = slot_place(*first);
            self.overwrite_file(&path, offset, &vec![0; many * SLOT])?;
            rest = &rest[many..];
        }
        Ok(())
    }
}
