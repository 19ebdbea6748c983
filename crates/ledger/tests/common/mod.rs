//! What the ledger's tests share: a head in memory, seeded randomness, entries of an invented company.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::Path;
use std::sync::{Arc, Mutex};

use ledger::{Disk, Entropy, Error, Folder, Head, HeadError, Kind, Ledger, NewEntry};
use model::Instant;

pub(crate) const KEY: [u8; 32] = [42; 32];

/// A head that outlives the ledgers opened with its clones.
#[derive(Clone, Default)]
pub(crate) struct MemoryHead(pub(crate) Arc<Mutex<Option<String>>>);

impl Head for MemoryHead {
    fn load(&self) -> Result<Option<String>, HeadError> {
        Ok(self.0.lock().expect("no panic while held").clone())
    }

    fn compare_and_swap(&mut self, old: Option<&str>, new: &str) -> Result<bool, HeadError> {
        let mut record = self.0.lock().expect("no panic while held");
        let fits = record.as_deref() == old;
        if fits {
            *record = Some(new.to_owned());
        }
        Ok(fits)
    }
}

/// Numbers that look random and are the same for the same seed (splitmix64).
#[derive(Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
}

pub(crate) fn entropy(seed: u64) -> Entropy {
    let mut dice = Dice(seed);
    Box::new(move |buffer| {
        buffer
            .chunks_mut(8)
            .for_each(|chunk| chunk.copy_from_slice(&dice.next().to_be_bytes()[..chunk.len()]));
        Ok(())
    })
}

pub(crate) fn entry(document: &[u8]) -> NewEntry {
    NewEntry {
        kind: Kind::Capture,
        source: "git:3f2a".into(),
        stream: "commits".into(),
        media_type: "application/json".into(),
        collected_at: Instant::from_seconds(1_780_000_000),
        collector: "git/1".into(),
        document: document.to_vec(),
    }
}

pub(crate) fn entries(range: std::ops::Range<u64>) -> Vec<NewEntry> {
    range.map(|i| entry(format!("document {i}").as_bytes())).collect()
}

pub(crate) fn open_on(disk: Arc<dyn Disk>, head: &MemoryHead, seed: u64) -> Result<Ledger, Error> {
    Ledger::open(disk, Box::new(head.clone()), &KEY, entropy(seed))
}

pub(crate) fn open(folder: &Path, head: &MemoryHead) -> Result<Ledger, Error> {
    open_on(Arc::new(Folder::open(folder)?), head, 1)
}
