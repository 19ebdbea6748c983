//! Staged batches: the entries of one commit, named by their own hash, in `data/staging/` until they are published.
//!
//! ```text
//! "tickmark-batch-1" ‖ index of the first entry (64 bits) ‖ count (32) ‖ hash of the pack (32 bytes)
//!   ‖ for each entry: length (16 bits) ‖ leaf ‖ wrapped data key (48 bytes)
//! ```

use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::hex::Hex;
use crate::keys::{SLOT, Slot};

const MAGIC: &[u8; 16] = b"tickmark-batch-1";

/// Entries of one commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Batch {
    /// Index of the first.
    pub(crate) start: u64,
    /// Pack with their objects.
    pub(crate) pack: Hex,
    /// Leaves and wrapped keys.
    pub(crate) entries: Vec<(Vec<u8>, Slot)>,
}

/// Where a batch lies while staged.
pub(crate) fn batch_path(batch: Hex) -> String {
    format!("staging/{batch}.batch")
}

/// Where a pack lies while staged.
pub(crate) fn staged_pack_path(pack: Hex) -> String {
    format!("staging/{pack}.pack")
}

impl Batch {
    pub(crate) fn end(&self) -> u64 {
        self.start + self.entries.len() as u64
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.start.to_be_bytes());
        bytes.extend((self.entries.len() as u32).to_be_bytes());
        bytes.extend(self.pack.0);
        for (leaf, slot) in &self.entries {
            // A leaf was checked to fit when it was made.
            bytes.extend((leaf.len() as u16).to_be_bytes());
            bytes.extend_from_slice(leaf);
            bytes.extend_from_slice(slot);
        }
        bytes
    }

    /// Reads a batch; its bytes must be the ones it was named by.
    pub(crate) fn parse(name: Hex, bytes: &[u8]) -> Result<Self, Error> {
        if Sha256::digest(bytes).as_slice() != name.0 {
            return Err(Error::damaged(batch_path(name), "its bytes aren't the ones it is named by"));
        }
        Self::read(bytes).ok_or_else(|| Error::damaged(batch_path(name), "it isn't a batch of this version"))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (start, rest) = rest.split_first_chunk::<8>()?;
        let (count, rest) = rest.split_first_chunk::<4>()?;
        let (pack, mut rest) = rest.split_first_chunk::<32>()?;
        let mut entries = Vec::new();
        for _ in 0..u32::from_be_bytes(*count) {
            let (length, after) = rest.split_first_chunk::<2>()?;
            let (leaf, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            let (slot, after) = after.split_first_chunk::<SLOT>()?;
            entries.push((leaf.to_vec(), *slot));
            rest = after;
        }
        rest.is_empty().then_some(Self { start: u64::from_be_bytes(*start), pack: Hex(*pack), entries })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_batch_is_its_bytes(start in any::<u64>(), pack in any::<[u8; 32]>(), leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..90), 0..9)) {
            let entries = leaves.into_iter().map(|leaf| (leaf, [7; SLOT])).collect();
            let batch = Batch { start, pack: Hex(pack), entries };
            let bytes = batch.to_bytes();
            let name = Hex(Sha256::digest(&bytes).into());
            prop_assert_eq!(Batch::parse(name, &bytes).unwrap(), batch);
            prop_assert!(Batch::parse(Hex([0; 32]), &bytes).is_err(), "another name");
        }

        /// Cut and filled up with anything: no panic, and nothing that isn't a batch is one.
        #[test]
        fn what_isnt_a_batch_is_refused(cut in 0_usize..200, noise in prop::collection::vec(any::<u8>(), 0..60)) {
            let batch = Batch { start: 1, pack: Hex([1; 32]), entries: vec![(vec![1; 50], [7; SLOT]); 2] };
            let mut bytes = batch.to_bytes();
            bytes.truncate(cut);
            bytes.extend(noise);
            if let Some(read) = Batch::read(&bytes) {
                prop_assert_eq!(read.to_bytes(), bytes);
            }
        }
    }
}
