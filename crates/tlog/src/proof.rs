//! Proof files (c2sp.org/tlog-proof@v1): one entry's place in a log, with the signed checkpoint it leads to.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! index 1
//! <base64 hash, the leaf's sibling first>
//!
//! <checkpoint, verbatim>
//! ```

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Checkpoint, decimal};
use crate::note::NoteVerifier;
use crate::{Error, Hash, leaf_hash, verify_inclusion};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A proof file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// Bytes of the `extra` line, if there is one. Nothing vouches for them.
    pub extra: Option<Vec<u8>>,
    /// Index of the entry.
    pub index: u64,
    /// Inclusion proof.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, verbatim.
    pub checkpoint: String,
}

impl Proof {
    /// Checks that `entry` stands in the log of `key` at the proof's index; gives the checkpoint it leads to.
    ///
    /// # Errors
    /// A checkpoint that isn't signed by `key`, or a proof that doesn't lead to it.
    pub fn verify(&self, entry: &[u8], key: &NoteVerifier) -> Result<Checkpoint, Error> {
        let checkpoint = Checkpoint::open(self.checkpoint.as_bytes(), key)?;
        verify_inclusion(self.index, checkpoint.size, leaf_hash(entry), &self.hashes, &checkpoint.root)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for Proof {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |why: &str| Error::form("tlog-proof@v1", why);
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or_else(|| bad("no blank line before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(bad("it begins with another line"));
        }
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            Some(line) => Some(STANDARD.decode(&line[6..]).map_err(|e| bad(&e.to_string()))?),
            None => None,
        };
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(decimal);
        let index = index.ok_or_else(|| bad("it has no line `index <number>`"))?;
        let hashes = lines.map(str::parse).collect::<Result<Vec<_>, _>>()?;
        if hashes.len() > 63 {
            return Err(bad("an inclusion proof has at most 63 hashes"));
        }
        Ok(Self { extra, index, hashes, checkpoint: checkpoint.to_owned() })
    }
}
