//! A simulated disk. It keeps what was flushed apart from what wasn't, and at a power cut it decides by the dice, for every
//! write, name, renaming and removal that wasn't flushed, whether it survives: whole, torn, or not at all, in any order.
//!
//! It is harsher than real disks: each name of a folder survives by itself, and the bytes of a file that was never flushed
//! may be any mixture of old, new and zeros. One promise of file systems it keeps: a file that is renamed doesn't lose its
//! old name before it has the new one.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use ledger::{Disk, Head, HeadError};

use super::Dice;

/// One change of a folder that hasn't been flushed.
#[derive(Clone, Debug)]
enum NameChange {
    Link(String, u64),
    Unlink(String),
    /// The old name of a file that was renamed: it goes only once the new name is there.
    Leave(String, Renaming),
    /// The new name.
    Arrive(String, u64, Renaming),
}

type Renaming = u64;

#[derive(Clone, Debug, Default)]
struct File {
    flushed: Vec<u8>,
    /// Unflushed writes, oldest first.
    writes: Vec<(usize, Vec<u8>)>,
    /// As a process sees it.
    current: Vec<u8>,
}

fn apply(bytes: &mut Vec<u8>, offset: usize, part: &[u8]) {
    if bytes.len() < offset + part.len() {
        bytes.resize(offset + part.len(), 0);
    }
    bytes[offset..offset + part.len()].copy_from_slice(part);
}

/// What the power cut comes before, or what fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// The power fails in the middle of this operation; nothing works afterwards.
    Cut(u64),
    /// This operation and no other fails with an I/O error, having done part of its work.
    Fail(u64),
    /// From this operation on, and for as many as given, the disk is full.
    Full(u64, u64),
}

/// Ways in which a ledger could be wrong, simulated around the true one: the harness must catch each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wrong {
    /// Nothing: the true ledger.
    Nothing,
    /// Staged files are flushed only after the commit: acknowledging what isn't on the disk.
    CommitBeforeFlush,
    /// Names of staged files are never flushed.
    NoFolderFlush,
    /// The checkpoint is put in its place before the tiles are flushed.
    CheckpointFirst,
    /// The staged batch is removed before what it publishes is flushed: as if publishing didn't flush.
    PublishWithoutFlush,
}

#[derive(Clone, Default)]
struct State {
    files: BTreeMap<u64, File>,
    next_file: u64,
    /// Names as flushed, and changes since, by folder.
    flushed: BTreeMap<String, BTreeMap<String, u64>>,
    /// Names as a process sees them.
    current: BTreeMap<String, BTreeMap<String, u64>>,
    changes: BTreeMap<String, Vec<NameChange>>,
    folders: BTreeSet<String>,
    flushed_folders: BTreeSet<String>,
    operations: u64,
    down: bool,
    /// Flushes that a wrong ledger puts off.
    put_off: Vec<String>,
}

/// The disk and the head on it, sharing one power supply.
#[derive(Clone)]
pub(crate) struct Sim {
    state: Arc<Mutex<State>>,
    head: Arc<Mutex<Option<String>>>,
    dice: Arc<Mutex<Dice>>,
    pub(crate) trouble: Arc<Mutex<Trouble>>,
    wrong: Wrong,
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

impl State {
    fn names(&self, folder: &str) -> BTreeMap<String, u64> {
        self.current.get(folder).cloned().unwrap_or_default()
    }

    fn find(&self, path: &str) -> io::Result<u64> {
        let (folder, name) = split(path);
        self.current
            .get(folder)
            .and_then(|names| names.get(name))
            .copied()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change(&mut self, folder: &str, change: NameChange) -> io::Result<()> {
        if !folder.is_empty() && !self.folders.contains(folder) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let names = self.current.entry(folder.to_owned()).or_default();
        match &change {
            NameChange::Link(name, file) | NameChange::Arrive(name, file, _) => {
                names.insert(name.clone(), *file)
            }
            NameChange::Unlink(name) | NameChange::Leave(name, _) => names.remove(name),
        };
        self.changes.entry(folder.to_owned()).or_default().push(change);
        Ok(())
    }

    fn flush(&mut self, path: &str) {
        if let Ok(file) = self.find(path) {
            let file = self.files.get_mut(&file).expect("a linked file");
            for (offset, part) in file.writes.drain(..) {
                apply(&mut file.flushed, offset, &part);
            }
        }
    }

    /// What a failed flush does: the system forgets that the writes were never on the disk, and no later flush writes them.
    fn lose(&mut self, path: &str) {
        if let Ok(file) = self.find(path) {
            self.files.get_mut(&file).expect("a linked file").writes.clear();
        }
    }

    /// The same for names. A renaming is lost as a whole: the file keeps its old name.
    fn lose_names(&mut self, folder: &str) {
        let lost = self.changes.remove(folder).unwrap_or_default();
        for renaming in
            lost.iter().filter_map(|c| if let NameChange::Arrive(.., r) = c { Some(*r) } else { None })
        {
            for changes in self.changes.values_mut() {
                changes.retain(|c| !matches!(c, NameChange::Leave(_, r) if *r == renaming));
            }
        }
    }

    fn flush_folder(&mut self, folder: &str) {
        let names = self.flushed.entry(folder.to_owned()).or_default();
        for change in self.changes.remove(folder).unwrap_or_default() {
            match change {
                NameChange::Link(name, file) | NameChange::Arrive(name, file, _) => names.insert(name, file),
                NameChange::Unlink(name) | NameChange::Leave(name, _) => names.remove(&name),
            };
        }
        let inside: Vec<_> = self.folders.iter().filter(|f| split(f).0 == folder).cloned().collect();
        self.flushed_folders.extend(inside);
    }

    /// What is left after the power was cut.
    fn after_cut(&self, dice: &mut Dice) -> Self {
        let mut left = Self { next_file: self.next_file, operations: self.operations, ..Self::default() };
        for (id, file) in &self.files {
            let mut bytes = file.flushed.clone();
            for (offset, part) in &file.writes {
                match dice.below(4) {
                    0 => {}
                    1 => apply(&mut bytes, *offset, part),
                    // Torn: some sectors of it, the others as they were, zeros where the file has grown.
                    2 => {
                        for (i, sector) in part.chunks(64).enumerate() {
                            if dice.below(2) == 0 {
                                apply(&mut bytes, offset + i * 64, sector);
                            }
                        }
                    }
                    _ => apply(&mut bytes, *offset, &part[..dice.below(part.len() as u64 + 1) as usize]),
                }
            }
            left.files.insert(*id, File { current: bytes.clone(), flushed: bytes, writes: vec![] });
        }
        for folder in &self.folders {
            if self.flushed_folders.contains(folder) || dice.below(2) == 0 {
                left.folders.insert(folder.clone());
            }
        }
        left.folders =
            left.folders.iter().filter(|f| ancestors(f).all(|a| left.folders.contains(a))).cloned().collect();
        left.flushed_folders = left.folders.clone();
        // Which changes of names survive; an old name goes only with a new one that does, or that was flushed.
        let changes =
            || self.changes.iter().flat_map(|(folder, changes)| changes.iter().map(move |c| (folder, c)));
        let waiting: BTreeSet<Renaming> = changes()
            .filter_map(|(_, c)| if let NameChange::Arrive(.., r) = c { Some(*r) } else { None })
            .collect();
        let arrived: BTreeSet<Renaming> = waiting.iter().filter(|_| dice.below(2) == 0).copied().collect();
        let all: BTreeSet<&String> = self.flushed.keys().chain(self.changes.keys()).collect();
        for folder in all {
            if !folder.is_empty() && !left.folders.contains(folder) {
                continue;
            }
            let mut names = self.flushed.get(folder).cloned().unwrap_or_default();
            for change in self.changes.get(folder).map_or(&[][..], Vec::as_slice) {
                let luck = dice.below(2) == 0;
                match change {
                    NameChange::Link(name, file) if luck => drop(names.insert(name.clone(), *file)),
                    NameChange::Unlink(name) if luck => drop(names.remove(name)),
                    NameChange::Arrive(name, file, renaming) if arrived.contains(renaming) => {
                        names.insert(name.clone(), *file);
                    }
                    NameChange::Leave(name, renaming)
                        if luck && (arrived.contains(renaming) || !waiting.contains(renaming)) =>
                    {
                        names.remove(name);
                    }
                    _ => {}
                }
            }
            left.current.insert(folder.clone(), names.clone());
            left.flushed.insert(folder.clone(), names);
        }
        left
    }
}

fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

impl Sim {
    pub(crate) fn new(seed: u64, wrong: Wrong) -> Self {
        Self {
            state: Arc::default(),
            head: Arc::default(),
            dice: Arc::new(Mutex::new(Dice(seed))),
            trouble: Arc::new(Mutex::new(Trouble::None)),
            wrong,
        }
    }

    pub(crate) fn operations(&self) -> u64 {
        self.state.lock().expect("no panic while held").operations
    }

    /// Cuts the power, if it isn't off, and switches it on again.
    pub(crate) fn power_cycle(&self) {
        let mut state = self.state.lock().expect("no panic while held");
        let left = state.after_cut(&mut self.dice.lock().expect("no panic while held"));
        *state = left;
        *self.trouble.lock().expect("no panic while held") = Trouble::None;
    }

    /// Every file with its bytes as a process sees them.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state.lock().expect("no panic while held");
        let folders = std::iter::once(String::new()).chain(state.folders.iter().cloned());
        let mut found = BTreeMap::new();
        for folder in folders {
            for (name, file) in state.names(&folder) {
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                found.insert(path, state.files[&file].current.clone());
            }
        }
        found
    }

    /// Counts an operation and runs `whole`; where the power fails or an error strikes in its middle, the dice say how much
    /// of it is still done by `part`.
    fn operate<T>(
        &self,
        whole: impl Fn(&mut State) -> io::Result<T>,
        part: impl Fn(&mut State),
    ) -> io::Result<T> {
        let mut state = self.state.lock().expect("no panic while held");
        if state.down {
            return Err(io::Error::other("the power is off"));
        }
        let now = state.operations;
        state.operations += 1;
        let mut dice = self.dice.lock().expect("no panic while held");
        match *self.trouble.lock().expect("no panic while held") {
            Trouble::Cut(at) if at == now => {
                if dice.below(2) == 0 {
                    part(&mut state);
                }
                state.down = true;
                Err(io::Error::other("the power went off"))
            }
            Trouble::Fail(at) if at == now => {
                if dice.below(2) == 0 {
                    part(&mut state);
                }
                Err(io::Error::other("input/output error"))
            }
            Trouble::Full(from, many) if (from..from + many).contains(&now) => {
                if dice.below(2) == 0 {
                    part(&mut state);
                }
                Err(io::ErrorKind::StorageFull.into())
            }
            _ => whole(&mut state),
        }
    }

    /// A flush: where the power fails it hasn't happened, where it fails what it should have written is lost for good.
    fn operate_flush(
        &self,
        whole: impl Fn(&mut State) -> io::Result<()>,
        lose: impl Fn(&mut State),
    ) -> io::Result<()> {
        let cut = matches!(*self.trouble.lock().expect("no panic while held"), Trouble::Cut(_));
        let done = self.operate(whole, |_| ());
        if done.is_err() && !cut {
            lose(&mut self.state.lock().expect("no panic while held"));
        }
        done
    }

    fn look<T>(&self, read: impl FnOnce(&State) -> io::Result<T>) -> io::Result<T> {
        let state = self.state.lock().expect("no panic while held");
        if state.down { Err(io::Error::other("the power is off")) } else { read(&state) }
    }

    fn write(state: &mut State, path: &str, offset: usize, bytes: &[u8], fresh: bool) -> io::Result<()> {
        let (folder, name) = split(path);
        let file = match state.find(path) {
            Ok(file) if !fresh => file,
            _ => {
                let file = state.next_file;
                state.next_file += 1;
                state.files.insert(file, File::default());
                state.change(folder, NameChange::Link(name.to_owned(), file))?;
                file
            }
        };
        let file = state.files.get_mut(&file).expect("just found");
        apply(&mut file.current, offset, bytes);
        file.writes.push((offset, bytes.to_vec()));
        Ok(())
    }

    /// Whether a wrong ledger leaves this flush for later or never does it.
    fn flushes(&self, state: &mut State, path: &str, folder: bool) -> bool {
        let staged = path.starts_with("staging") && !path.ends_with("draft");
        let log = path.starts_with("log") || path.ends_with("draft");
        match self.wrong {
            Wrong::Nothing => true,
            Wrong::CommitBeforeFlush if staged => {
                state.put_off.push(path.to_owned());
                false
            }
            Wrong::NoFolderFlush => !(folder && path == "staging"),
            Wrong::CheckpointFirst | Wrong::PublishWithoutFlush if log => false,
            _ => true,
        }
    }
}

impl Disk for Sim {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.look(|state| Ok(state.files[&state.find(path)?].current.clone()))
    }

    fn read_at(&self, path: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.look(|state| {
            let bytes = &state.files[&state.find(path)?].current;
            let start = (offset as usize).min(bytes.len());
            Ok(bytes[start..(start + length).min(bytes.len())].to_vec())
        })
    }

    fn length(&self, path: &str) -> io::Result<u64> {
        self.look(|state| Ok(state.files[&state.find(path)?].current.len() as u64))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.look(|state| {
            if !folder.is_empty() && !state.folders.contains(folder) {
                return Err(io::ErrorKind::NotFound.into());
            }
            let inside = state.folders.iter().filter(|f| split(f).0 == folder).map(|f| split(f).1.to_owned());
            Ok(state.names(folder).into_keys().chain(inside).collect())
        })
    }

    fn make_folder(&self, folder: &str) -> io::Result<()> {
        let make = |state: &mut State| {
            if !split(folder).0.is_empty() && !state.folders.contains(split(folder).0) {
                return Err(io::ErrorKind::NotFound.into());
            }
            state.folders.insert(folder.to_owned());
            Ok(())
        };
        self.operate(make, |state| drop(make(state)))
    }

    fn create(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let write = |state: &mut State| Self::write(state, path, 0, bytes, true);
        self.operate(write, |state| drop(write(state)))?;
        // The flush is an operation of its own: the power may fail between the two.
        let flush = |state: &mut State| {
            if self.flushes(state, path, false) {
                state.flush(path);
            }
            Ok(())
        };
        self.operate_flush(flush, |state| state.lose(path))
    }

    fn overwrite(&self, path: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let write = |state: &mut State| Self::write(state, path, offset as usize, bytes, false);
        self.operate(write, |state| drop(write(state)))?;
        let flush = |state: &mut State| {
            state.flush(path);
            Ok(())
        };
        self.operate_flush(flush, |state| state.lose(path))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let rename = |state: &mut State| {
            let file = state.find(from)?;
            let ((from_folder, from_name), (to_folder, to_name)) = (split(from), split(to));
            let renaming = state.operations;
            state.change(to_folder, NameChange::Arrive(to_name.to_owned(), file, renaming))?;
            state.change(from_folder, NameChange::Leave(from_name.to_owned(), renaming))
        };
        self.operate(rename, |state| drop(rename(state)))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let remove = |state: &mut State| {
            if state.folders.contains(path) {
                if state.names(path).is_empty() {
                    state.folders.remove(path);
                    return Ok(());
                }
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
            state.find(path)?;
            state.change(split(path).0, NameChange::Unlink(split(path).1.to_owned()))
        };
        self.operate(remove, |state| drop(remove(state)))
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        let flush = |state: &mut State| {
            if self.flushes(state, folder, true) {
                state.flush_folder(folder);
            }
            Ok(())
        };
        self.operate_flush(flush, |state| state.lose_names(folder))
    }
}

impl Head for Sim {
    fn load(&self) -> Result<Option<String>, HeadError> {
        Ok(self.look(|_| Ok(self.head.lock().expect("no panic while held").clone()))?)
    }

    fn compare_and_swap(&mut self, old: Option<&str>, new: &str) -> Result<bool, HeadError> {
        let swap = || {
            let mut record = self.head.lock().expect("no panic while held");
            let fits = record.as_deref() == old;
            if fits {
                *record = Some(new.to_owned());
            }
            fits
        };
        // An error may come after the database has committed: the outcome is then unknown to the ledger.
        let swapped = self.operate(
            |_| Ok(swap()),
            |_| {
                swap();
            },
        )?;
        let put_off = std::mem::take(&mut self.state.lock().expect("no panic while held").put_off);
        for path in put_off {
            self.operate(
                |state| {
                    if state.folders.contains(&path) {
                        state.flush_folder(&path)
                    } else {
                        state.flush(&path)
                    }
                    Ok(())
                },
                |_| (),
            )?;
        }
        Ok(swapped)
    }
}
