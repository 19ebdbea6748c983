//! Leaves: what the log says of an entry, in the open and without a person in it.
//!
//! ```json
//! {"collected_at":"2026-03-31T17:00:00Z","collector":"git/1","commitment":"9f…","kind":"capture","media_type":
//! "application/json","object":"03…","size":5120,"source":"git:3f2a","stream":"commits","v":1}
//! ```

use std::fmt;

use model::Instant;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::hex::Hex;

/// What an entry is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Bytes a source gave.
    Capture,
    /// What a person decided in Tickmark.
    Decision,
    /// A frozen set of records.
    Freeze,
    /// A sample that was drawn.
    Draw,
    /// A result of a procedure.
    Assessment,
    /// A time stamp or cosignature from outside.
    Anchor,
    /// The key of an object was destroyed.
    Erasure,
    /// An object was replaced by one without a person's values, and its key destroyed.
    Redaction,
    /// A key came or went.
    Key,
    /// The workspace was restored from a backup.
    Restore,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// What the caller hands over for one entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewEntry {
    /// What it is.
    pub kind: Kind,
    /// Source instance, such as `git:3f2a`. Stands in the open log: never a person's name or address.
    pub source: String,
    /// Stream of the source, such as `commits`.
    pub stream: String,
    /// Media type of the document's body.
    pub media_type: String,
    /// When the bytes were collected.
    pub collected_at: Instant,
    /// Name and version of the collector, such as `git/1`.
    pub collector: String,
    /// The bytes to keep.
    pub document: Vec<u8>,
}

/// One entry of the log, JCS JSON (RFC 8785).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Leaf {
    /// Version of this form: 1.
    pub v: u64,
    /// What it is.
    pub kind: Kind,
    /// Source instance.
    pub source: String,
    /// Stream of the source.
    pub stream: String,
    /// Media type of the document's body.
    pub media_type: String,
    /// When the bytes were collected.
    pub collected_at: Instant,
    /// Name and version of the collector.
    pub collector: String,
    /// Bytes of the document.
    pub size: u64,
    /// HMAC-SHA256 of the document under the object's salt.
    pub commitment: Hex,
    /// SHA-256 of the object as stored, encrypted.
    pub object: Hex,
    /// Earlier entries this one erases or redacts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub concerns: Vec<u64>,
}

impl Leaf {
    /// The leaf of an entry whose object has been sealed.
    pub(crate) fn new(entry: &NewEntry, concerns: &[u64], commitment: [u8; 32], object: [u8; 32]) -> Self {
        Self {
            v: 1,
            kind: entry.kind,
            source: entry.source.clone(),
            stream: entry.stream.clone(),
            media_type: entry.media_type.clone(),
            collected_at: entry.collected_at,
            collector: entry.collector.clone(),
            size: entry.document.len() as u64,
            commitment: Hex(commitment),
            object: Hex(object),
            concerns: concerns.to_vec(),
        }
    }

    /// The bytes that enter the log.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let unfit = |why: String| Error::Unfit { why };
        let bytes = serde_json_canonicalizer::to_vec(self).map_err(|e| unfit(e.to_string()))?;
        if bytes.len() > tlog::bundle::MAX_ENTRY {
            return Err(unfit(format!(
                "what the log says of it takes {} bytes, and an entry has at most {}; shorten source, stream or collector",
                bytes.len(),
                tlog::bundle::MAX_ENTRY
            )));
        }
        Ok(bytes)
    }

    /// Reads the bytes of an entry.
    pub(crate) fn parse(index: u64, bytes: &[u8]) -> Result<Self, Error> {
        let path = || format!("entry {index}");
        let bad = |e: serde_json::Error| Error::damaged(path(), e.to_string());
        match serde_json::from_slice::<Self>(bytes) {
            Ok(leaf) if leaf.v == 1 => Ok(leaf),
            // A newer leaf may lack members that this version wants: what matters is that it says so.
            outcome => {
                #[derive(Deserialize)]
                struct Version {
                    v: u64,
                }
                let Version { v } = serde_json::from_slice(bytes).map_err(bad)?;
                if v == 1 { outcome.map_err(bad) } else { Err(Error::Newer { path: path(), version: v }) }
            }
        }
    }
}

impl NewEntry {
    /// Whether the entry may stand in the log: names without persons, short enough.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), Error> {
        let unfit = |why: String| Err(Error::Unfit { why });
        let names = [
            ("source", &self.source),
            ("stream", &self.stream),
            ("media type", &self.media_type),
            ("collector", &self.collector),
        ];
        for (what, name) in names {
            if name.is_empty() || name.contains(char::is_control) {
                return unfit(format!("its {what} is empty or holds control characters"));
            }
            if name.contains('@') {
                return unfit(format!(
                    "its {what} `{name}` looks like an address; the log is open and cannot be erased, so give a pseudonym"
                ));
            }
        }
        if u32::try_from(self.document.len()).is_err() {
            return unfit("its document has 4 GiB or more; split it".to_owned());
        }
        Leaf::new(self, &[], [0; 32], [0; 32]).to_bytes().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_leaf_says_so_whatever_else_it_holds() {
        let read = |text: &str| Leaf::parse(7, text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            read(r#"{"v":2,"new":true}"#),
            "`entry 7` was written by a newer version (2); update tickmark"
        );
        assert!(read(r#"{"v":1}"#).contains("`entry 7` is damaged: missing field"));
        assert!(read("not json").contains("`entry 7` is damaged"));
    }
}
