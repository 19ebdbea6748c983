//! Backup and restore.
//!
//! A backup is a copy of what one signed checkpoint promises: that checkpoint is read first, then the append-only rest, so the
//! ledger may be written to meanwhile. Every entry, key and pack is checked while it is copied. The keys go to a place of
//! their own, since their backup must be short-lived for an erasure to mean something.
//!
//! ```text
//! head.json        the head as it must stand in the database after a restore; written last: a backup without it is none
//! log/ objects/    as in the data folder
//! keys/            as in the data folder, in the other place
//! ```
//!
//! What was appended after the backup is lost by restoring it, and a log that goes on from there contradicts checkpoints
//! that were handed out later. So restoring takes an operator's word, and the first entry afterwards is a `restore` entry that
//! says who, why and what is known to be missing.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use model::Instant;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tlog::{Checkpoint, Edge, Level, Tile, leaf_hash};

use crate::disk::Disk;
use crate::error::Error;
use crate::head::{Head, Record};
use crate::hex::Hex;
use crate::keys::{Entropy, RING, SLOT, SLOTS_PER_FILE, Slot, slot_place};
use crate::leaf::{Kind, Leaf, NewEntry};
use crate::ledger::{Ledger, flat, log_path, put};
use crate::object;
use crate::reader::{CHECKPOINT, PACK_RECORD, PACKS, Reader};

const HEAD: &str = "head.json";

/// An operator's word for a restore.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Confirmation {
    /// Source instance of the entry that says so: the workspace itself.
    pub source: String,
    /// Pseudonym of the operator.
    pub operator: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Instant,
    /// The newest checkpoint of this log that anybody still has (a witness, an anchor, an auditor, the old folder).
    pub newest_known: Option<String>,
}

/// What the document of a restore entry says.
#[derive(Serialize)]
struct Said<'a> {
    operator: &'a str,
    reason: &'a str,
    restored_size: u64,
    restored_root: String,
    /// Entries from `restored_size` up to this are known to have existed and are lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    newest_known_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest_known_root: Option<String>,
}

/// A data folder in two places: keys in one, everything else in the other.
struct Pair {
    data: Arc<dyn Disk>,
    keys: Arc<dyn Disk>,
}

impl Pair {
    fn of(&self, path: &str) -> &dyn Disk {
        if path == "keys" || path.starts_with("keys/") { &*self.keys } else { &*self.data }
    }
}

impl Disk for Pair {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.of(path).read(path)
    }

    fn read_at(&self, path: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.of(path).read_at(path, offset, length)
    }

    fn length(&self, path: &str) -> io::Result<u64> {
        self.of(path).length(path)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.of(folder).list(folder)
    }

    fn make_folder(&self, folder: &str) -> io::Result<()> {
        self.of(folder).make_folder(folder)
    }

    fn create(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.of(path).create(path, bytes)
    }

    fn overwrite(&self, path: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.of(path).overwrite(path, offset, bytes)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.of(to).rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.of(path).remove(path)
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        // The root belongs to both.
        if folder.is_empty() {
            self.keys.sync_folder(folder)?;
        }
        self.of(folder).sync_folder(folder)
    }
}

/// Copies what the published checkpoint promises to `data`, and the keys to `keys`. Run again on the same places, it adds what
/// is new. Gives the checkpoint that the backup holds.
///
/// # Errors
/// Either disk; or the ledger isn't what its checkpoint says, and the backup isn't completed.
pub fn backup(reader: &Reader, data: Arc<dyn Disk>, keys: Arc<dyn Disk>) -> Result<String, Error> {
    let (text, head) = copy(reader, &Pair { data: Arc::clone(&data), keys })?;
    put(&*data, &mut HashSet::from([String::new()]), &[(HEAD.to_owned(), head.to_text().into_bytes())])?;
    Ok(text)
}

/// Puts a backup into an empty data folder and an empty head, opens the ledger and appends the `restore` entry.
///
/// # Errors
/// A folder or head that isn't empty, a backup that isn't complete or isn't what its checkpoint says, or the disk.
pub fn restore(
    backup: &Arc<dyn Disk>,
    backup_keys: &Arc<dyn Disk>,
    into: Arc<dyn Disk>,
    mut head: Box<dyn Head>,
    wrapping_key: &[u8; 32],
    entropy: Entropy,
    word: &Confirmation,
) -> Result<Ledger, Error> {
    let occupied = |what: &str| Error::Contradiction {
        what: format!("{what} of this workspace already holds a ledger"),
        next: "restore into a new, empty workspace",
    };
    if head.load().map_err(Error::Head)?.is_some() {
        return Err(occupied("the database"));
    }
    // A restore that was cut short left everything but the head: it may be run again, from the same backup.
    if let Ok(ring) = into.read(RING)
        && backup_keys.read(RING).map_err(Error::disk("read", RING))? != ring
    {
        return Err(occupied("the data folder"));
    }
    let complete = backup.read(HEAD).map_err(Error::disk("read", HEAD))?;
    let complete = Record::parse(&String::from_utf8_lossy(&complete))?;
    let source = Reader::open(
        Arc::new(Pair { data: Arc::clone(backup), keys: Arc::clone(backup_keys) }),
        wrapping_key,
    )?;
    let (text, record) = copy(&source, &*into)?;
    if record != complete {
        return Err(Error::damaged(HEAD, "it isn't the head of this backup's checkpoint"));
    }
    let newest = match &word.newest_known {
        Some(newest) => Some(Checkpoint::open(newest.as_bytes(), source.verifier())?),
        None => None,
    };
    // From here on the workspace has a head, and opening it works like after any crash.
    if !head.compare_and_swap(None, &record.to_text()).map_err(Error::Head)? {
        return Err(occupied("the database"));
    }
    let mut ledger = Ledger::open(into, head, wrapping_key, entropy)?;
    let restored = Checkpoint::open(text.as_bytes(), source.verifier())?;
    let said = Said {
        operator: &word.operator,
        reason: &word.reason,
        restored_size: restored.size,
        restored_root: restored.root.to_string(),
        newest_known_size: newest.as_ref().map(|newest| newest.size),
        newest_known_root: newest.as_ref().map(|newest| newest.root.to_string()),
    };
    ledger.append(vec![NewEntry {
        kind: Kind::Restore,
        source: word.source.clone(),
        stream: "restores".into(),
        media_type: "application/json".into(),
        collected_at: word.at,
        collector: "ledger/1".into(),
        document: serde_json::to_vec(&said).map_err(|e| Error::Unfit { why: e.to_string() })?,
    }])?;
    Ok(ledger)
}

/// Copies a ledger as one checkpoint promises it, checking every entry and pack on the way. Gives the checkpoint and the head
/// that belongs to it.
fn copy(from: &Reader, to: &dyn Disk) -> Result<(String, Record), Error> {
    let (checkpoint, text) = from.checkpoint_read()?;
    let size = checkpoint.size;
    let mut known = HashSet::from([String::new()]);
    // What is full or named by its hash never changes: once there, with its length, it needs no second copy.
    let there = |path: &str, bytes: &[u8]| to.length(path).is_ok_and(|length| length == bytes.len() as u64);

    let mut edge = Edge::new();
    let mut files = Vec::new();
    let mut keys = Ok(());
    for index in 0..size.div_ceil(256) {
        let Some(tile) = Tile::of(Level::Entries, index, size) else { break };
        let bytes = from.tile(tile)?;
        let entries = tlog::bundle::split(&bytes)?;
        // 256 divides the slots of a file: the keys of a bundle stand in one.
        let (path, offset) = slot_place(index * 256);
        let slots =
            from.disk.read_at(&path, offset, entries.len() * SLOT).map_err(Error::disk("read", &path))?;
        let (slots, _) = slots.as_chunks::<SLOT>();
        for (entry, place) in entries.into_iter().zip(0_u64..) {
            edge.push(leaf_hash(entry), |tile, hashes| files.push((log_path(tile), flat(hashes))));
            if keys.is_ok() {
                keys = opens(from, index * 256 + place, entry, slots.get(place as usize));
            }
        }
        files.push((log_path(tile), bytes));
        files.retain(|(path, bytes)| !there(path, bytes));
        put_some(to, &mut known, &mut files, 4 << 20)?;
    }
    if edge.size() != size || edge.root() != checkpoint.root {
        return Err(Error::damaged("log/tile/entries", "the entries don't give the signed root"));
    }
    keys?;
    files.extend(edge.partial_tiles().map(|(tile, hashes)| (log_path(tile), flat(hashes))));

    let mut packs = Vec::new();
    let stored = if size == 0 { Vec::new() } else { from.read(PACKS)? };
    for record in stored.as_chunks::<{ PACK_RECORD as usize }>().0 {
        let (first, name) = record.split_at(8);
        let first = u64::from_be_bytes(std::array::from_fn(|i| first[i]));
        if first >= size || (first == 0 && !packs.is_empty()) {
            break;
        }
        packs.push(*record);
        let name: [u8; 32] = std::array::from_fn(|i| name[i]);
        let path = object::pack_path(Hex(name));
        let bytes = from.read(&path)?;
        if Sha256::digest(&bytes).as_slice() != name {
            return Err(Error::damaged(path, "its hash isn't its name"));
        }
        if !there(&path, &bytes) {
            files.push((path, bytes));
        }
        put_some(to, &mut known, &mut files, 4 << 20)?;
    }
    let batches = packs.len() as u64;
    if size > 0 {
        files.push((PACKS.to_owned(), packs.concat()));
    }
    for first in (0..size).step_by(SLOTS_PER_FILE as usize) {
        let (path, _) = slot_place(first);
        let length = (size - first).min(SLOTS_PER_FILE) as usize * SLOT;
        let mut slots = from.read(&path)?;
        if slots.len() < length {
            return Err(Error::damaged(path, "it is cut short"));
        }
        slots.truncate(length);
        // Always copied: a slot may have been destroyed since the last time.
        files.push((path, slots));
    }
    files.push((RING.to_owned(), from.read(RING)?));
    put_some(to, &mut known, &mut files, 0)?;
    // The checkpoint last, as when publishing: a copy that was cut short promises nothing it lacks.
    put(to, &mut known, &[(CHECKPOINT.to_owned(), text.clone().into_bytes())])?;
    let record = Record {
        v: 1,
        origin: checkpoint.origin,
        size,
        root: checkpoint.root.to_string(),
        batches,
        batch: None,
    };
    Ok((text, record))
}

/// Whether the key of an entry is what its leaf says, or was destroyed; that an entry says so, the verifier asks.
fn opens(from: &Reader, index: u64, entry: &[u8], slot: Option<&Slot>) -> Result<(), Error> {
    let slot = slot.ok_or_else(|| Error::damaged(slot_place(index).0, "it is cut short"))?;
    from.ring.unwrap(index, slot, &Leaf::parse(index, entry)?.object.0).map(drop)
}

/// Writes the files gathered so far once they are worth a flush.
fn put_some(
    to: &dyn Disk,
    known: &mut HashSet<String>,
    files: &mut Vec<(String, Vec<u8>)>,
    worth: usize,
) -> Result<(), Error> {
    if files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() >= worth {
        put(to, known, files)?;
        files.clear();
    }
    Ok(())
}
