//! The writer: append, publish, recover.
//!
//! An append goes through these steps. Each says what a crash right after it leaves behind, and who deals with that.
//!
//! | step | a crash afterwards leaves | and then |
//! |---|---|---|
//! | seal the objects in memory | nothing | |
//! | stage pack and batch, named by their hashes, flushed | files that no head names | [`Ledger::open`] sweeps them |
//! | **commit**: swap the head | entries that are in, whether acknowledged or not | [`Ledger::open`] publishes the batch the head names |
//! | acknowledge | the same | the same |
//! | publish pack, keys, tiles; flushed | files beyond the signed checkpoint | the same: publishing again writes the same bytes |
//! | publish the checkpoint | a staged batch that is not needed any more | [`Ledger::open`] sweeps it |
//! | sweep what became superfluous | nothing | |
//!
//! Publishing after a crash and publishing after an append are the same function over the same staged bytes.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use tlog::{Checkpoint, Edge, Hash, Level, Note, NoteSigner, TILE_WIDTH, Tile, leaf_hash};

use crate::batch::{Batch, batch_path, staged_pack_path};
use crate::disk::Disk;
use crate::error::Error;
use crate::head::{Head, Record};
use crate::hex::Hex;
use crate::keys::{Entropy, RING, Ring, SLOT, SLOTS_PER_FILE, random, slot_place};
use crate::leaf::{Leaf, NewEntry};
use crate::object::{self, Sealer};
use crate::reader::{CHECKPOINT, Entries, PACK_RECORD, PACKS, Reader};

/// The action of an [`Error::Disk`] that names could not be flushed.
const FLUSH: &str = "flush";
/// Where a file of keys is written before it gets its name.
const KEY_DRAFT: &str = "keys/draft";
const FOLDERS: [&str; 6] = ["log", "log/tile", "objects", "keys", "keys/slots", "staging"];

/// A ledger open for writing. One exists per workspace at a time.
pub struct Ledger {
    pub(crate) reader: Reader,
    head: Box<dyn Head>,
    /// The committed state, as the head holds it.
    record: Record,
    signer: NoteSigner,
    /// Right edge of the published tree, and the bytes of its last, unfinished entry bundle.
    edge: Edge,
    tail: Vec<u8>,
    /// Committed, not published yet.
    unpublished: Option<(Hex, Batch)>,
    entropy: Entropy,
    sealer: Sealer,
    /// Folders, and files written in place, whose names are known to be on the disk.
    folders: HashSet<String>,
    /// Staged files that are not needed any more and could not be removed yet.
    superfluous: Vec<String>,
    /// Why nothing can be written until the ledger is opened again.
    stopped: Option<String>,
}

impl Ledger {
    /// Opens the ledger of a data folder: makes it where there is none, and finishes what a crash interrupted.
    ///
    /// It takes the time of reading the right edge of the tree, whatever the size of the log.
    ///
    /// # Errors
    /// A wrong wrapping key, a disk that cannot be written, or head and folder that contradict each other: a head older
    /// than what was signed would mean signing another history.
    pub fn open(
        disk: Arc<dyn Disk>,
        head: Box<dyn Head>,
        wrapping_key: &[u8; 32],
        mut entropy: Entropy,
    ) -> Result<Self, Error> {
        let record = head.load().map_err(Error::Head)?.map(|text| Record::parse(&text)).transpose()?;
        let mut folders = HashSet::from([String::new()]);
        for folder in FOLDERS {
            ensure_folder(&*disk, &mut folders, folder)?;
        }
        let absent = |e: &io::Error| e.kind() == io::ErrorKind::NotFound;
        let published = match disk.read(CHECKPOINT) {
            Ok(bytes) => Some(bytes),
            Err(e) if absent(&e) => None,
            Err(e) => return Err(Error::disk("read", CHECKPOINT)(e)),
        };
        let ring = match disk.read(RING) {
            Ok(bytes) => Ring::open(&bytes, wrapping_key)?,
            Err(e) if absent(&e) && record.is_none() && published.is_none() => {
                // A crash before the folder is flushed leaves no ring and no head: the next open makes another one. A crash
                // afterwards leaves a ring without a head, which the next open takes.
                let (ring, bytes) = Ring::create(wrapping_key, &mut entropy)?;
                put(&*disk, &mut folders, &[(RING.to_owned(), bytes)])?;
                ring
            }
            Err(e) => return Err(Error::disk("read", RING)(e)),
        };
        let reader = Reader { disk, ring: Arc::new(ring), size: Arc::new(AtomicU64::new(0)) };
        let signer = reader.ring.signer()?;
        let mut ledger = Self {
            record: record.clone().unwrap_or_else(|| Record::empty(reader.verifier().name())),
            reader,
            head,
            signer,
            edge: Edge::new(),
            tail: Vec::new(),
            unpublished: None,
            entropy,
            sealer: Sealer::new()?,
            folders,
            superfluous: Vec::new(),
            stopped: None,
        };
        if record.is_none() {
            if published.is_some() {
                return Err(Error::Contradiction {
                    what: "the log folder holds a log, but the database has no head for it".into(),
                    next: "put the state database of this workspace back, from a backup if need be",
                });
            }
            // A crash here leaves a head without a checkpoint: the next open publishes the empty one.
            ledger.swap(None)?;
        }
        if ledger.record.origin != ledger.reader.verifier().name() {
            return Err(Error::Contradiction {
                what: format!(
                    "the database is of the log `{}`, the folder of `{}`",
                    ledger.record.origin,
                    ledger.reader.verifier().name()
                ),
                next: "put the state database and the data folder of one workspace together",
            });
        }
        if published.is_none() {
            if ledger.record.size > 0 {
                return Err(Error::Contradiction {
                    what: format!(
                        "the head counts {} entries, but `{CHECKPOINT}` is gone",
                        ledger.record.size
                    ),
                    next: "restore the data folder from a backup",
                });
            }
            ledger.publish_checkpoint(&Edge::new())?;
        }
        ledger.load_edge()?;
        ledger.recover()?;
        ledger.resume_erasure()?;
        Ok(ledger)
    }

    /// Reads the right edge of the published log and checks it against the signed checkpoint.
    fn load_edge(&mut self) -> Result<(), Error> {
        let checkpoint = self.reader.checkpoint_read()?.0;
        let size = checkpoint.size;
        let edge = Edge::load(size, |tile| self.reader.tile(tile))?;
        if edge.root() != checkpoint.root {
            return Err(Error::damaged("log/tile", "the last tiles don't give the signed root"));
        }
        let tail = match Tile::of(Level::Entries, size / 256, size) {
            Some(tile) => self.reader.tile(tile)?,
            None => Vec::new(),
        };
        let leaves: Vec<Hash> = tlog::bundle::split(&tail)?.into_iter().map(leaf_hash).collect();
        let hashes =
            edge.partial_tiles().find(|(tile, _)| tile.level == Level::Hashes(0)).map_or(&[][..], |(_, h)| h);
        if leaves != hashes {
            return Err(Error::damaged("log/tile/entries", "the last entries don't give the last hashes"));
        }
        self.edge = edge;
        self.tail = tail;
        self.reader.size.store(size, Ordering::Release);
        Ok(())
    }

    /// Publishes what is committed and sweeps what isn't.
    fn recover(&mut self) -> Result<(), Error> {
        let published = self.edge.size();
        if self.record.size < published
            || (self.record.size == published && self.record.root()? != self.edge.root())
        {
            return Err(Error::Contradiction {
                what: format!(
                    "this log has been signed with {published} entries, but the database's head counts {}{}",
                    self.record.size,
                    if self.record.size == published { " with another root" } else { "" }
                ),
                next: "the state database is older than the log folder: restore both from the same backup, \
                       or the newer state database; nothing is signed until then",
            });
        }
        let mut keep = Vec::new();
        if self.record.size > published {
            let missing = || Error::Contradiction {
                what: format!(
                    "the head counts {} entries, the log folder {published}, and the batch between them is gone",
                    self.record.size
                ),
                next: "the log folder is older than the database: restore both from the same backup",
            };
            let name = self.record.batch.ok_or_else(missing)?;
            let path = batch_path(name);
            let bytes = self.reader.disk.read(&path).map_err(|e| match e.kind() {
                io::ErrorKind::NotFound => missing(),
                _ => Error::disk("read", &path)(e),
            })?;
            let batch = Batch::parse(name, &bytes)?;
            if batch.start != published || batch.end() != self.record.size {
                return Err(missing());
            }
            keep = vec![path, staged_pack_path(batch.pack)];
            self.unpublished = Some((name, batch));
        }
        // Nobody else writes here while this process holds the folder, so whatever no head names is a crash's leftover.
        for name in self.reader.disk.list("staging").map_err(Error::disk("list", "staging"))? {
            let path = format!("staging/{name}");
            if !keep.contains(&path) {
                self.reader.disk.remove(&path).map_err(Error::disk("remove", &path))?;
            }
        }
        match self.reader.disk.remove(KEY_DRAFT) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::disk("remove", KEY_DRAFT)(e)),
            _ => {}
        }
        self.publish()
    }

    /// Appends entries, all or none, and returns their indexes once they are durable.
    ///
    /// # Errors
    /// Nothing was appended, except where the error is [`Error::Stopped`] or [`Error::Head`]: then only opening the ledger
    /// again tells.
    pub fn append(&mut self, entries: Vec<NewEntry>) -> Result<Range<u64>, Error> {
        let range = self.commit(&entries)?;
        // The entries are in: an error while publishing is the next append's, or the next open's, to deal with.
        let _ = self.publish();
        Ok(range)
    }

    /// Commits entries without publishing them: on return they are durable and may be acknowledged.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub fn commit(&mut self, entries: &[NewEntry]) -> Result<Range<u64>, Error> {
        let drafts: Vec<_> = entries.iter().map(|entry| (entry, Vec::new())).collect();
        self.commit_drafts(&drafts)
    }

    /// Commits entries with the earlier entries each one concerns.
    pub(crate) fn commit_drafts(&mut self, drafts: &[(&NewEntry, Vec<u64>)]) -> Result<Range<u64>, Error> {
        self.publish()?;
        let start = self.record.size;
        if drafts.is_empty() {
            return Ok(start..start);
        }

        // Seal. Nothing has been written: a crash leaves nothing.
        let mut batch = Batch { start, pack: Hex([0; 32]), entries: Vec::with_capacity(drafts.len()) };
        let mut objects = Vec::with_capacity(drafts.len());
        let mut edge = self.edge.clone();
        for (entry, concerns) in drafts {
            entry.check()?;
            let (salt, key) = (random(&mut self.entropy)?, random(&mut self.entropy)?);
            let sealed = self.sealer.seal(&entry.document, &salt, &key)?;
            let leaf = Leaf::new(entry, concerns, sealed.commitment, sealed.hash).to_bytes()?;
            edge.push(leaf_hash(&leaf), |_, _| ());
            batch.entries.push((leaf, self.reader.ring.wrap(&key, &sealed.hash)?));
            objects.push(sealed.ciphertext);
        }
        let pack = object::pack(objects.iter().map(Vec::as_slice));
        batch.pack = Hex(Sha256::digest(&pack).into());
        let bytes = batch.to_bytes();
        let name = Hex(Sha256::digest(&bytes).into());

        // Stage, by names that say nothing of an index. A crash leaves files that no head names.
        self.stage(&[(staged_pack_path(batch.pack), &pack), (batch_path(name), &bytes)])?;

        // Commit. A crash before the swap is on the disk leaves the staged files as above; a crash after it leaves a head
        // whose batch is staged in full, which the next open publishes.
        let next = Record {
            v: 1,
            origin: self.record.origin.clone(),
            size: edge.size(),
            root: edge.root().to_string(),
            batches: self.record.batches + 1,
            batch: Some(name),
        };
        self.swap(Some(next))?;
        let range = start..batch.end();
        self.unpublished = Some((name, batch));
        Ok(range)
    }

    /// Writes staged files and flushes them and their names.
    fn stage(&mut self, files: &[(String, &Vec<u8>)]) -> Result<(), Error> {
        let disk = Arc::clone(&self.reader.disk);
        let written = files
            .iter()
            .try_for_each(|(path, bytes)| disk.create(path, bytes).map_err(Error::disk("write", path)))
            .and_then(|()| disk.sync_folder("staging").map_err(Error::disk(FLUSH, "staging")));
        written.map_err(|error| {
            // Nothing names these files: removing them now only frees space early. Should that fail, the next open does it.
            let removed = files.iter().all(|(path, _)| match disk.remove(path) {
                Err(e) => e.kind() == io::ErrorKind::NotFound,
                Ok(()) => true,
            });
            self.after(error, removed)
        })
    }

    /// Decides whether writing may go on after an error: where the disk was merely full it may, since the next append writes
    /// fresh files, and publishing the same bytes again. After anything else, a failed flush of names above all, what the disk
    /// holds is not known.
    fn after(&mut self, error: Error, clean: bool) -> Error {
        let full = matches!(&error, Error::Disk { source, action, .. } if *action != FLUSH
            && matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded));
        if !(full && clean) {
            self.stopped = Some(error.to_string());
        }
        error
    }

    /// Moves the head on, or makes it.
    fn swap(&mut self, next: Option<Record>) -> Result<(), Error> {
        let old = next.is_some().then(|| self.record.to_text());
        let next = next.unwrap_or_else(|| self.record.clone());
        match self.head.compare_and_swap(old.as_deref(), &next.to_text()) {
            Ok(true) => {
                self.record = next;
                Ok(())
            }
            Ok(false) => {
                // The folder is locked, so this is a database that two folders share, or somebody's hand in it. Whoever moved
                // the head staged a batch that only a fresh open can publish.
                self.stopped = Some("another writer moved the head".into());
                Err(Error::Contradiction {
                    what: "another writer moved the head of this ledger; nothing was appended".into(),
                    next: "see that one workspace has one state database, then try again",
                })
            }
            Err(error) => {
                // The swap may have happened or not.
                self.stopped = Some(error.to_string());
                Err(Error::Head(error))
            }
        }
    }

    /// Publishes the committed batch, if one waits.
    ///
    /// # Errors
    /// The disk; the batch stays committed and staged.
    pub fn publish(&mut self) -> Result<(), Error> {
        if let Some(reason) = &self.stopped {
            return Err(Error::Stopped { reason: reason.clone() });
        }
        let Some((name, batch)) = self.unpublished.take() else { return Ok(()) };
        match self.publish_batch(&batch) {
            Ok(()) => {
                self.sweep(name, &batch);
                Ok(())
            }
            Err(error) => {
                self.unpublished = Some((name, batch));
                // Publishing writes files anew or writes the same bytes at the same place: a full disk may be tried again.
                Err(self.after(error, true))
            }
        }
    }

    /// Everything here writes the same bytes to the same places however often it runs.
    fn publish_batch(&mut self, batch: &Batch) -> Result<(), Error> {
        let disk = Arc::clone(&self.reader.disk);

        // The pack. A crash leaves it under either name.
        let path = object::pack_path(batch.pack);
        let folder = parent(&path).to_owned();
        ensure_folder(&*disk, &mut self.folders, &folder)?;
        match disk.rename(&staged_pack_path(batch.pack), &path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                disk.length(&path).map_err(Error::disk("find", &path))?;
            }
            other => other.map_err(Error::disk("move a staged pack to", &path))?,
        }
        disk.sync_folder(&folder).map_err(Error::disk(FLUSH, &folder))?;
        let mut record = batch.start.to_be_bytes().to_vec();
        record.extend(batch.pack.0);
        overwrite(&*disk, &mut self.folders, PACKS, (self.record.batches - 1) * PACK_RECORD, &record)?;

        // The keys, a stretch per slot file.
        let slots: Vec<_> = batch.entries.iter().map(|(_, slot)| *slot).collect();
        let mut index = batch.start;
        while index < batch.end() {
            let (path, offset) = slot_place(index);
            let rest = &slots[(index - batch.start) as usize..];
            let many = rest.len().min((SLOTS_PER_FILE - index % SLOTS_PER_FILE) as usize);
            overwrite(&*disk, &mut self.folders, &path, offset, rest[..many].as_flattened())?;
            index += many as u64;
        }

        // The tiles. A crash leaves some of them, beyond the signed checkpoint.
        let (mut edge, mut tail) = (self.edge.clone(), self.tail.clone());
        let mut files = Vec::new();
        for (leaf, _) in &batch.entries {
            tlog::bundle::push(&mut tail, leaf)?;
            edge.push(leaf_hash(leaf), |tile, hashes| files.push((log_path(tile), flat(hashes))));
            if edge.size().is_multiple_of(u64::from(TILE_WIDTH)) {
                let tile = Tile { level: Level::Entries, index: edge.size() / 256 - 1, width: TILE_WIDTH };
                files.push((log_path(tile), std::mem::take(&mut tail)));
            }
        }
        if edge.root() != self.record.root()? {
            return Err(Error::damaged("staging", "the staged entries don't give the committed root"));
        }
        if let Some(tile) = Tile::of(Level::Entries, edge.size() / 256, edge.size()) {
            files.push((log_path(tile), tail.clone()));
        }
        // A level whose hashes didn't change has its tile already.
        let old: HashSet<Tile> = self.edge.partial_tiles().map(|(tile, _)| tile).collect();
        let partial = edge.partial_tiles().filter(|(tile, _)| !old.contains(tile));
        files.extend(partial.map(|(tile, hashes)| (log_path(tile), flat(hashes))));
        put(&*disk, &mut self.folders, &files)?;

        // The checkpoint, last: whoever reads it finds everything it promises.
        self.publish_checkpoint(&edge)?;
        self.reader.size.store(edge.size(), Ordering::Release);
        self.edge = edge;
        self.tail = tail;
        Ok(())
    }

    /// Signs the edge and puts the checkpoint in its place; refuses to sign less than what was signed, or something else.
    fn publish_checkpoint(&mut self, edge: &Edge) -> Result<(), Error> {
        let (size, root) = (edge.size(), edge.root());
        let last = match self.reader.disk.read(CHECKPOINT) {
            Ok(bytes) => Some(Checkpoint::open(&bytes, self.reader.verifier())?),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(Error::disk("read", CHECKPOINT)(e)),
        };
        if let Some(last) = last
            && (size < last.size || (size == last.size && root != last.root))
        {
            return Err(Error::Contradiction {
                what: format!("a log of {size} entries was about to be signed after one of {}", last.size),
                next: "restore the data folder and the state database from the same backup",
            });
        }
        let text = Checkpoint { origin: self.record.origin.clone(), size, root }.to_string();
        let signature = self.signer.sign(&text, 0);
        let note = Note { text, signatures: vec![signature] }.to_string();
        put(&*self.reader.disk, &mut self.folders, &[(CHECKPOINT.to_owned(), note.into_bytes())])
    }

    /// Removes what publishing made superfluous: partial tiles that are full now, and the staged batch. Failing costs space
    /// only: stray partial tiles are still true, and a staged batch is tried again, at the latest by the next open.
    fn sweep(&mut self, name: Hex, batch: &Batch) {
        let disk = &*self.reader.disk;
        let end = batch.end();
        let rows =
            std::iter::once((Level::Entries, 0)).chain((0..=7_u8).map(|level| (Level::Hashes(level), level)));
        for (level, height) in rows {
            let (old, new) = (batch.start >> (8 * height), end >> (8 * height));
            if old % 256 > 0 && old / 256 < new / 256 {
                let full = Tile { level, index: old / 256, width: TILE_WIDTH };
                let folder = format!("{}.p", log_path(full));
                for partial in disk.list(&folder).unwrap_or_default() {
                    let _ = disk.remove(&format!("{folder}/{partial}"));
                }
                let _ = disk.remove(&folder);
            }
        }
        self.superfluous.push(batch_path(name));
        self.superfluous.retain(|path| match disk.remove(path) {
            Ok(()) => false,
            Err(e) => e.kind() != io::ErrorKind::NotFound,
        });
    }

    /// Sees to it that no staged file is left, on the disk too: one holds wrapped keys.
    pub(crate) fn settle_staging(&mut self) -> Result<(), Error> {
        let disk = Arc::clone(&self.reader.disk);
        for path in std::mem::take(&mut self.superfluous) {
            match disk.remove(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    self.superfluous.push(path.clone());
                    return Err(Error::disk("remove", &path)(e));
                }
                _ => {}
            }
        }
        disk.sync_folder("staging")
            .map_err(Error::disk(FLUSH, "staging"))
            .map_err(|error| self.after(error, false))
    }

    /// Puts a file in its place, whole and flushed.
    pub(crate) fn put_file(&mut self, path: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let disk = Arc::clone(&self.reader.disk);
        let done = put(&*disk, &mut self.folders, &[(path.to_owned(), bytes)]);
        done.map_err(|error| self.after(error, true))
    }

    /// Writes inside a file, flushed.
    pub(crate) fn overwrite_file(&mut self, path: &str, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let disk = Arc::clone(&self.reader.disk);
        let done = overwrite(&*disk, &mut self.folders, path, offset, bytes);
        done.map_err(|error| self.after(error, false))
    }

    /// Removes a file, and flushes that it is gone.
    pub(crate) fn remove_file(&mut self, path: &str) -> Result<(), Error> {
        let disk = Arc::clone(&self.reader.disk);
        let done = disk.remove(path).map_err(Error::disk("remove", path));
        let done =
            done.and_then(|()| disk.sync_folder(parent(path)).map_err(Error::disk(FLUSH, parent(path))));
        done.map_err(|error| self.after(error, false))
    }

    /// Entries committed: acknowledged, or about to be.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.record.size
    }

    /// Entries published; the same as committed, unless publishing has failed.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.reader.size()
    }

    /// A reader of the published entries, for other threads.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// What the log says of an entry.
    ///
    /// # Errors
    /// As [`Reader::leaf`].
    pub fn leaf(&self, index: u64) -> Result<Leaf, Error> {
        self.reader.leaf(index)
    }

    /// The document of an entry.
    ///
    /// # Errors
    /// As [`Reader::document`].
    pub fn document(&self, index: u64) -> Result<Vec<u8>, Error> {
        self.reader.document(index)
    }

    /// The entries of a range in order.
    #[must_use]
    pub fn documents(&self, range: Range<u64>) -> Entries {
        self.reader.documents(range)
    }

    /// The signed checkpoint.
    ///
    /// # Errors
    /// As [`Reader::checkpoint`].
    pub fn checkpoint(&self) -> Result<String, Error> {
        self.reader.checkpoint()
    }

    /// The log's public key.
    #[must_use]
    pub fn vkey(&self) -> String {
        self.reader.vkey()
    }

    /// The `.tlog-proof` of an entry.
    ///
    /// # Errors
    /// As [`Reader::proof`].
    pub fn proof(&self, index: u64) -> Result<String, Error> {
        self.reader.proof(index)
    }
}

pub(crate) fn log_path(tile: Tile) -> String {
    format!("log/{}", tile.path())
}

pub(crate) fn flat(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Makes a folder and its parents, and flushes their names the first time they are met.
pub(crate) fn ensure_folder(disk: &dyn Disk, known: &mut HashSet<String>, folder: &str) -> Result<(), Error> {
    if known.contains(folder) {
        return Ok(());
    }
    ensure_folder(disk, known, parent(folder))?;
    disk.make_folder(folder).map_err(Error::disk("make the folder", folder))?;
    disk.sync_folder(parent(folder)).map_err(Error::disk(FLUSH, parent(folder)))?;
    known.insert(folder.to_owned());
    Ok(())
}

/// Puts whole files in their places, each complete or not there at all, and flushes bytes and names.
pub(crate) fn put(
    disk: &dyn Disk,
    known: &mut HashSet<String>,
    files: &[(String, Vec<u8>)],
) -> Result<(), Error> {
    for (path, bytes) in files {
        ensure_folder(disk, known, parent(path))?;
        // Under a name of its own first, so that a reader (a mirror, an auditor) never sees half a file. Outside the log
        // folder, where every file must be accounted for; keys may lie on a disk of their own.
        let draft = if path.starts_with("keys/") { KEY_DRAFT } else { "staging/draft" };
        ensure_folder(disk, known, parent(draft))?;
        disk.create(draft, bytes).map_err(Error::disk("write", path))?;
        disk.rename(draft, path).map_err(Error::disk("move into place", path))?;
    }
    let folders: BTreeSet<&str> = files.iter().map(|(path, _)| parent(path)).collect();
    folders.into_iter().try_for_each(|folder| disk.sync_folder(folder).map_err(Error::disk(FLUSH, folder)))
}

/// Writes inside a file, and flushes its name the first time it is met.
fn overwrite(
    disk: &dyn Disk,
    known: &mut HashSet<String>,
    path: &str,
    offset: u64,
    bytes: &[u8],
) -> Result<(), Error> {
    disk.overwrite(path, offset, bytes).map_err(Error::disk("write", path))?;
    if !known.contains(path) {
        disk.sync_folder(parent(path)).map_err(Error::disk(FLUSH, parent(path)))?;
        known.insert(path.to_owned());
    }
    Ok(())
}

const _: () = assert!(SLOT == 48, "the documented width of a slot");
