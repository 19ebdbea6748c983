//! Reading what is published: leaves, documents, proofs. Many readers may work beside the one writer.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tlog::{Checkpoint, Level, NoteVerifier, Proof, Tile};

use crate::disk::Disk;
use crate::error::Error;
use crate::hex::Hex;
use crate::keys::{RING, Ring, SLOT, Slot, slot_place};
use crate::leaf::Leaf;
use crate::object::{self, Opener};

pub(crate) const CHECKPOINT: &str = "log/checkpoint";
/// Which pack holds which entries: index of the first (64 bits, big-endian) ‖ hash of the pack, one record a batch.
pub(crate) const PACKS: &str = "objects/packs";
pub(crate) const PACK_RECORD: u64 = 40;

/// An entry read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its index.
    pub index: u64,
    /// What the log says of it.
    pub leaf: Leaf,
    /// Its bytes; `None` once they were erased.
    pub document: Option<Vec<u8>>,
}

/// Reads a ledger's published entries. Cheap to clone; the clones share the size as the writer moves it.
#[derive(Clone)]
pub struct Reader {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) ring: Arc<Ring>,
    pub(crate) size: Arc<AtomicU64>,
}

impl Reader {
    /// Opens a ledger for reading only, beside a process that may be writing. Its size stays what the checkpoint says now.
    ///
    /// # Errors
    /// No ledger there, a wrong wrapping key, or files that contradict each other.
    pub fn open(disk: Arc<dyn Disk>, wrapping_key: &[u8; 32]) -> Result<Self, Error> {
        let ring = disk.read(RING).map_err(Error::disk("read", RING))?;
        let ring = Arc::new(Ring::open(&ring, wrapping_key)?);
        let reader = Self { disk, ring, size: Arc::default() };
        let size = reader.checkpoint_read()?.0.size;
        reader.size.store(size, Ordering::Release);
        Ok(reader)
    }

    /// Entries published.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// The log's public key, in the form other tools take.
    #[must_use]
    pub fn vkey(&self) -> String {
        self.ring.verifier.to_string()
    }

    pub(crate) fn verifier(&self) -> &NoteVerifier {
        &self.ring.verifier
    }

    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>, Error> {
        self.disk.read(path).map_err(Error::disk("read", path))
    }

    pub(crate) fn checkpoint_read(&self) -> Result<(Checkpoint, String), Error> {
        let bytes = self.read(CHECKPOINT)?;
        let checkpoint = Checkpoint::open(&bytes, self.verifier())?;
        let text = String::from_utf8(bytes).map_err(|e| Error::damaged(CHECKPOINT, e.to_string()))?;
        Ok((checkpoint, text))
    }

    /// The signed checkpoint as published.
    ///
    /// # Errors
    /// It cannot be read, or isn't signed by the log's key.
    pub fn checkpoint(&self) -> Result<String, Error> {
        Ok(self.checkpoint_read()?.1)
    }

    fn inside(&self, index: u64) -> Result<(), Error> {
        let size = self.size();
        if index < size { Ok(()) } else { Err(Error::Outside { index, size }) }
    }

    /// The bytes of a tile; where the partial one has been replaced by the full one, those of the full one cut.
    pub(crate) fn tile(&self, tile: Tile) -> Result<Vec<u8>, Error> {
        let path = format!("log/{}", tile.path());
        match self.disk.read(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !tile.is_full() => {
                let full = Tile { width: tlog::TILE_WIDTH, ..tile };
                let mut bytes = self.read(&format!("log/{}", full.path()))?;
                if tile.level == Level::Entries {
                    let entries = tlog::bundle::split(&bytes)?;
                    let length =
                        entries.iter().take(usize::from(tile.width)).map(|entry| 2 + entry.len()).sum();
                    bytes.truncate(length);
                } else {
                    bytes.truncate(usize::from(tile.width) * 32);
                }
                Ok(bytes)
            }
            other => other.map_err(Error::disk("read", &path)),
        }
    }

    /// The entries of the bundle that `index` lies in.
    fn bundle(&self, index: u64) -> Result<Vec<Vec<u8>>, Error> {
        let size = self.size();
        let tile = Tile::of(Level::Entries, index / 256, size).ok_or(Error::Outside { index, size })?;
        let bytes = self.tile(tile)?;
        let entries = tlog::bundle::split(&bytes)?;
        if entries.len() != usize::from(tile.width) {
            return Err(Error::damaged(format!("log/{}", tile.path()), "it holds another number of entries"));
        }
        Ok(entries.into_iter().map(<[u8]>::to_vec).collect())
    }

    /// The bytes of an entry as they stand in the log.
    ///
    /// # Errors
    /// An index outside, or a bundle that cannot be read.
    pub fn leaf_bytes(&self, index: u64) -> Result<Vec<u8>, Error> {
        self.inside(index)?;
        Ok(self.bundle(index)?.swap_remove((index % 256) as usize))
    }

    /// What the log says of an entry.
    ///
    /// # Errors
    /// As [`Reader::leaf_bytes`].
    pub fn leaf(&self, index: u64) -> Result<Leaf, Error> {
        Leaf::parse(index, &self.leaf_bytes(index)?)
    }

    /// What the log says of the entries of a range in order, each bundle read once. A range beyond the log ends with it.
    pub fn leaves(&self, range: Range<u64>) -> impl Iterator<Item = Result<(u64, Leaf), Error>> + '_ {
        self.leaves_of(range.start..range.end.min(self.size()))
    }

    /// The same of entries that are named in ascending order. One beyond the log is an error.
    pub fn leaves_of<'a>(
        &'a self,
        entries: impl IntoIterator<Item = u64> + 'a,
    ) -> impl Iterator<Item = Result<(u64, Leaf), Error>> + 'a {
        let mut bundle: Option<(u64, Vec<Vec<u8>>)> = None;
        entries.into_iter().map(move |index| {
            self.inside(index)?;
            let number = index / 256;
            if bundle.as_ref().is_none_or(|(at, _)| *at != number) {
                bundle = Some((number, self.bundle(index)?));
            }
            let bytes = bundle.as_ref().and_then(|(_, entries)| entries.get((index % 256) as usize));
            let size = self.size();
            Ok((index, Leaf::parse(index, bytes.ok_or(Error::Outside { index, size })?)?))
        })
    }

    /// The pack an entry's object lies in: first index and hash, and the first index of the next pack.
    fn pack(&self, index: u64) -> Result<(u64, Hex, u64), Error> {
        let read = |at: u64| -> Result<(u64, Hex), Error> {
            let record = self
                .disk
                .read_at(PACKS, at * PACK_RECORD, PACK_RECORD as usize)
                .map_err(Error::disk("read", PACKS))?;
            let record = record
                .split_first_chunk::<8>()
                .and_then(|(first, pack)| Some((first, pack.try_into().ok()?)));
            let (first, pack) = record.ok_or_else(|| Error::damaged(PACKS, "it is cut short"))?;
            Ok((u64::from_be_bytes(*first), Hex(pack)))
        };
        let count = self.disk.length(PACKS).map_err(Error::disk("read", PACKS))? / PACK_RECORD;
        // The last pack that begins at or before the index. Beyond the published ones a crash may have left anything.
        let (mut low, mut high) = (0, count);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let (first, _) = read(middle)?;
            if first == 0 || first > index { high = middle } else { low = middle }
        }
        let (first, pack) = read(low)?;
        let next = if low + 1 < count { read(low + 1)?.0 } else { u64::MAX };
        if first > index {
            return Err(Error::damaged(PACKS, format!("it names no pack for entry {index}")));
        }
        Ok((first, pack, if next == 0 { u64::MAX } else { next }))
    }

    pub(crate) fn slot(&self, index: u64) -> Result<Slot, Error> {
        let (path, offset) = slot_place(index);
        let bytes = self.disk.read_at(&path, offset, SLOT).map_err(Error::disk("read", &path))?;
        bytes.try_into().map_err(|_| Error::damaged(path, "it is cut short"))
    }

    /// The document of an entry, checked against its leaf.
    ///
    /// # Errors
    /// An index outside, an erased document, or bytes that aren't what was committed to.
    pub fn document(&self, index: u64) -> Result<Vec<u8>, Error> {
        let leaf = self.leaf(index)?;
        let key =
            self.ring.unwrap(index, &self.slot(index)?, &leaf.object.0)?.ok_or(Error::Erased { index })?;
        let (first, pack, _) = self.pack(index)?;
        let ciphertext = object::read_object(&*self.disk, &object::pack_path(pack), index - first)?;
        Opener::new()?.open(index, &leaf, &ciphertext, &key)
    }

    /// The entries of a range in order, each bundle and pack read once. A range beyond the log ends with it.
    pub fn documents(&self, range: Range<u64>) -> Entries {
        let end = range.end.min(self.size());
        Entries {
            reader: self.clone(),
            next: range.start,
            end,
            bundle: None,
            pack: None,
            slots: None,
            opener: None,
        }
    }

    /// The `.tlog-proof` of an entry under the published checkpoint.
    ///
    /// # Errors
    /// An index outside, or tiles that cannot be read.
    pub fn proof(&self, index: u64) -> Result<String, Error> {
        let (checkpoint, text) = self.checkpoint_read()?;
        let size = checkpoint.size;
        if index >= size {
            return Err(Error::Outside { index, size });
        }
        let hash = |subtree| tlog::subtree_hash(subtree, size, |tile| self.tile(tile));
        let hashes = tlog::inclusion_proof(index, size, hash)?;
        Ok(Proof { extra: None, index, hashes, checkpoint: text }.to_string())
    }

    /// Checks that the published log continues an older signed checkpoint of it, such as one kept outside the workspace: the
    /// guard against a workspace that was put back as a whole.
    ///
    /// # Errors
    /// It doesn't, or tiles cannot be read.
    pub fn continues(&self, older: &str) -> Result<(), Error> {
        let older = Checkpoint::open(older.as_bytes(), self.verifier())?;
        let now = self.checkpoint_read()?.0;
        let rolled_back = |what: String| Error::Contradiction {
            what,
            next: "find out who put an older copy of this workspace in its place, and go on only as after a restore",
        };
        if older.size > now.size {
            return Err(rolled_back(format!(
                "the log has {} entries and was signed with {} before",
                now.size, older.size
            )));
        }
        let proof = self.consistency_to(older.size, now.size)?;
        tlog::verify_consistency(older.size, now.size, &older.root, &now.root, &proof).map_err(|_| {
            rolled_back(format!(
                "the first {} entries of the log aren't those that were signed before",
                older.size
            ))
        })
    }

    /// What a checkpoint over the first `size` entries says, signed or not.
    ///
    /// # Errors
    /// A size beyond the log, or tiles that cannot be read.
    pub fn checkpoint_of(&self, size: u64) -> Result<Checkpoint, Error> {
        let published = self.checkpoint_read()?.0;
        if size > published.size {
            return Err(Error::Outside { index: size, size: published.size });
        }
        let hash = |subtree| tlog::subtree_hash(subtree, published.size, |tile| self.tile(tile));
        Ok(Checkpoint { origin: published.origin, size, root: tlog::root_of(size, hash)? })
    }

    /// The proof that the published checkpoint continues the log of `old` entries.
    ///
    /// # Errors
    /// An older size beyond the log, or tiles that cannot be read.
    pub fn consistency(&self, old: u64) -> Result<Vec<tlog::Hash>, Error> {
        self.consistency_to(old, self.checkpoint_read()?.0.size)
    }

    pub(crate) fn consistency_to(&self, old: u64, size: u64) -> Result<Vec<tlog::Hash>, Error> {
        tlog::consistency_proof(old, size, |s| tlog::subtree_hash(s, size, |tile| self.tile(tile)))
    }
}

/// Entries in order; see [`Reader::documents`].
pub struct Entries {
    reader: Reader,
    next: u64,
    end: u64,
    bundle: Option<(u64, Vec<Vec<u8>>)>,
    /// The pack at hand, and the entries it holds.
    pack: Option<(Range<u64>, Pack)>,
    /// First index and bytes of the slots at hand.
    slots: Option<(u64, Vec<u8>)>,
    opener: Option<Opener>,
}

struct Pack {
    path: String,
    bytes: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl Entries {
    fn read(&mut self, index: u64) -> Result<Entry, Error> {
        let reader = &self.reader;
        let number = index / 256;
        if self.bundle.as_ref().is_none_or(|(at, _)| *at != number) {
            self.bundle = Some((number, reader.bundle(index)?));
        }
        let bundle = self.bundle.as_ref().and_then(|(_, entries)| entries.get((index % 256) as usize));
        let leaf = Leaf::parse(index, bundle.ok_or(Error::Outside { index, size: self.end })?)?;

        let place = |first: u64| (index - first) as usize * SLOT;
        let slot = |first: u64, bytes: &[u8]| -> Option<Slot> {
            bytes.get(place(first)..)?.first_chunk::<SLOT>().copied()
        };
        let held = self
            .slots
            .as_ref()
            .filter(|(first, _)| *first <= index)
            .and_then(|(first, bytes)| slot(*first, bytes));
        let slot = match held {
            Some(slot) => slot,
            None => {
                let (path, offset) = slot_place(index);
                // 256 divides the slots of a file, so a stretch up to the next bundle never crosses into another.
                let many = (256 - index % 256) as usize * SLOT;
                let bytes = reader.disk.read_at(&path, offset, many).map_err(Error::disk("read", &path))?;
                let first = slot(index, &bytes).ok_or_else(|| Error::damaged(path, "it is cut short"))?;
                self.slots = Some((index, bytes));
                first
            }
        };
        let Some(key) = reader.ring.unwrap(index, &slot, &leaf.object.0)? else {
            return Ok(Entry { index, leaf, document: None });
        };

        if self.pack.as_ref().is_none_or(|(entries, _)| !entries.contains(&index)) {
            let (first, pack, end) = reader.pack(index)?;
            let path = object::pack_path(pack);
            let bytes = reader.read(&path)?;
            let places = object::places(&path, &bytes)?;
            self.pack = Some((first..end, Pack { path, bytes, places }));
        }
        let (entries, pack) = self.pack.as_ref().ok_or(Error::Outside { index, size: self.end })?;
        let place = pack.places.get((index - entries.start) as usize).cloned();
        let place = place.ok_or_else(|| Error::damaged(&pack.path, "it has fewer objects"))?;
        let opener = match &mut self.opener {
            Some(opener) => opener,
            None => self.opener.insert(Opener::new()?),
        };
        let document = opener.open(index, &leaf, &pack.bytes[place], &key)?;
        Ok(Entry { index, leaf, document: Some(document) })
    }
}

impl Iterator for Entries {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        let index = self.next;
        self.next += 1;
        Some(self.read(index))
    }
}
