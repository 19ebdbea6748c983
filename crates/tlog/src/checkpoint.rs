//! Checkpoints (c2sp.org/tlog-checkpoint): which log, how many entries, which root; and how a witness is told of one.

use std::fmt;
use std::str::FromStr;

use crate::note::{Note, NoteVerifier};
use crate::{Error, Hash, MAX_SIZE};

const CHECKPOINT: &str = "checkpoint";

/// The state of a log, as its text says it. Extension lines of other logs are kept out: they don't concern the tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads a signed checkpoint and checks the log's signature; the key's name must be the log's.
    ///
    /// # Errors
    /// Anything but a checkpoint signed by `key`.
    pub fn open(bytes: &[u8], key: &NoteVerifier) -> Result<Self, Error> {
        let note = Note::parse(bytes)?;
        note.verify(&[key])?;
        let checkpoint: Self = note.text.parse()?;
        if checkpoint.origin != key.name() {
            return Err(Error::form(
                CHECKPOINT,
                format!("it is of the log `{}`, but the key is of `{}`", checkpoint.origin, key.name()),
            ));
        }
        Ok(checkpoint)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root)
    }
}

/// A decimal number without sign or leading zeros, at most [`MAX_SIZE`].
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number <= MAX_SIZE && number.to_string() == text).then_some(number)
}

impl FromStr for Checkpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |why: &str| Error::form(CHECKPOINT, why);
        let body = text.strip_suffix('\n').ok_or_else(|| bad("it doesn't end in a line feed"))?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(bad("it has fewer than three lines"));
        };
        if origin.is_empty() || lines.any(str::is_empty) {
            return Err(bad("it has an empty line"));
        }
        let size = decimal(size).ok_or_else(|| bad("its size is no decimal number"))?;
        Ok(Self { origin: origin.to_owned(), size, root: root.parse()? })
    }
}

/// What a log sends to a witness (c2sp.org/tlog-witness `add-checkpoint`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddCheckpoint {
    /// The size the witness last cosigned.
    pub old: u64,
    /// Proof that the checkpoint continues that size.
    pub proof: Vec<Hash>,
    /// The signed checkpoint, verbatim.
    pub checkpoint: String,
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for AddCheckpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |why: &str| Error::form("add-checkpoint request", why);
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or_else(|| bad("no blank line before the checkpoint"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(decimal);
        let old = old.ok_or_else(|| bad("the first line reads `old <size>`"))?;
        let proof = lines.map(str::parse).collect::<Result<Vec<_>, _>>()?;
        if proof.len() > 63 {
            return Err(bad("a consistency proof has at most 63 hashes"));
        }
        Ok(Self { old, proof, checkpoint: checkpoint.to_owned() })
    }
}
