//! Power cuts, I/O errors and full disks at every operation of a simulated disk, thousands of times.
//!
//! What must hold each time: no acknowledged entry is lost, no two histories are ever signed, what the verifier reads from
//! the bytes alone is whole, and the next open goes on without anybody's hand. Then the same with ledgers that are wrong on
//! purpose: the harness must catch them, else its silence means nothing.
//!
//! `TICKMARK_SEEDS=20000` runs longer.
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod common;
#[path = "common/sim.rs"]
mod sim;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use common::{Dice, KEY, entropy, entry};
use ledger::{Error, Ledger};
use sim::{Sim, Trouble, Wrong};
use tlog::NoteVerifier;
use verify::Options;

fn open(sim: &Sim, seed: u64) -> Result<Ledger, Error> {
    Ledger::open(Arc::new(sim.clone()), Box::new(sim.clone()), &KEY, entropy(seed))
}

/// What callers were told, and every checkpoint anybody ever saw.
#[derive(Default)]
struct World {
    acknowledged: BTreeMap<u64, Vec<u8>>,
    checkpoints: Vec<Vec<u8>>,
    documents: u64,
    vkey: Option<NoteVerifier>,
}

impl World {
    /// Appends batches until trouble or the end; gives how many were acknowledged.
    fn append(&mut self, ledger: &mut Ledger, dice: &mut Dice, batches: u64) -> Result<(), Error> {
        for _ in 0..batches {
            // Sizes that cross the edges of tiles now and then.
            let count = if dice.below(12) == 0 { 130 } else { 1 + dice.below(4) };
            let documents: Vec<Vec<u8>> =
                (0..count).map(|i| format!("document {}", self.documents + i).into_bytes()).collect();
            self.documents += count;
            let range = ledger.append(documents.iter().map(|d| entry(d)).collect())?;
            for (index, document) in range.zip(documents) {
                let before = self.acknowledged.insert(index, document);
                assert!(before.is_none(), "entry {index} acknowledged twice");
            }
        }
        Ok(())
    }

    fn see_checkpoint(&mut self, sim: &Sim) {
        if let Some(checkpoint) = sim.files().get("log/checkpoint")
            && self.checkpoints.last() != Some(checkpoint)
        {
            self.checkpoints.push(checkpoint.clone());
        }
    }

    /// Everything that must hold once a ledger has been opened again.
    fn check(&mut self, sim: &Sim, ledger: &Ledger) {
        self.see_checkpoint(sim);
        let key: NoteVerifier = ledger.vkey().parse().unwrap();
        assert!(self.vkey.replace(key.clone()).is_none_or(|before| before == key), "the log changed its key");
        let files = sim.files();
        let acknowledged = self.acknowledged.keys().next_back().map_or(0, |last| last + 1);
        let options = Options { acknowledged: Some(acknowledged), ahead: false };
        // From bytes alone, every object too.
        let report = verify::evidence(&files, &key, &KEY, options).unwrap();
        assert_eq!(report.opened, ledger.size());
        assert_eq!(ledger.size(), ledger.committed());
        for read in ledger.documents(0..u64::MAX) {
            let read = read.unwrap();
            if let Some(document) = self.acknowledged.get(&read.index) {
                assert_eq!(read.document.as_ref(), Some(document), "entry {} is another one", read.index);
            }
        }
        assert!(
            !files.keys().any(|path| path.starts_with("staging/")),
            "staged files are left: {:?}",
            files.keys()
        );
        // Every checkpoint ever seen is one history: those before the last one checked are beginnings of that one.
        let log: BTreeMap<_, _> = files
            .iter()
            .filter_map(|(path, b)| Some((path.strip_prefix("log/")?.to_owned(), b.clone())))
            .collect();
        for old in &self.checkpoints {
            verify::grow(old, &log, &key, options).unwrap();
        }
        self.checkpoints.drain(..self.checkpoints.len() - 1);
    }
}

/// One life of a ledger: some appends, trouble, the power off and on, until a calm end.
fn live(seed: u64, wrong: Wrong, trouble: &mut dyn FnMut(&mut Dice, u64) -> Trouble) -> u64 {
    let sim = Sim::new(seed, wrong);
    let mut dice = Dice(seed ^ 0xabcd);
    let mut world = World::default();
    let mut struck = 0;
    for round in 0..4 {
        let before = sim.operations();
        *sim.trouble.lock().unwrap() = trouble(&mut dice, before);
        let mut opened = open(&sim, seed * 10 + round);
        if let Ok(ledger) = &mut opened {
            let batches = 1 + dice.below(4);
            let mut outcome = world.append(ledger, &mut dice, batches);
            if let Err(Error::Disk { source, .. }) = &outcome
                && source.kind() == std::io::ErrorKind::StorageFull
            {
                // Somebody freed space: the same open ledger goes on, or says that it must be opened again.
                struck += 1;
                *sim.trouble.lock().unwrap() = Trouble::None;
                outcome = world.append(ledger, &mut dice, 1);
                if outcome.is_ok() {
                    world.append(ledger, &mut dice, 1).unwrap();
                    world.check(&sim, ledger);
                }
            }
            if outcome.is_err() {
                struck += 1;
            }
        }
        drop(opened);
        world.see_checkpoint(&sim);
        sim.power_cycle();
        let ledger =
            open(&sim, seed * 10 + round + 5).unwrap_or_else(|e| panic!("the next open needs a hand: {e}"));
        world.check(&sim, &ledger);
    }
    struck
}

fn seeds() -> u64 {
    std::env::var("TICKMARK_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(100)
}

/// A place within what a round does: opening and a few appends take up to some hundred operations.
fn somewhere(dice: &mut Dice, before: u64) -> u64 {
    let span = [10, 40, 120][dice.below(3) as usize];
    before + dice.below(span)
}

#[test]
fn power_cuts_anywhere_lose_nothing() {
    let struck: u64 = (0..seeds())
        .map(|seed| live(seed, Wrong::Nothing, &mut |d, at| Trouble::Cut(somewhere(d, at))))
        .sum();
    println!("{} lives, {struck} appends cut short", seeds());
    assert!(struck > seeds() / 4, "the cuts hardly ever struck");
}

#[test]
fn a_power_cut_at_each_single_operation_loses_nothing() {
    // The same life again and again, cut one operation later each time, until one runs through uncut.
    let mut at = 0;
    loop {
        let mut reached = false;
        let sim = Sim::new(7 + at, Wrong::Nothing);
        let mut world = World::default();
        let mut dice = Dice(1);
        *sim.trouble.lock().unwrap() = Trouble::Cut(at);
        if let Ok(mut ledger) = open(&sim, 1) {
            reached = world.append(&mut ledger, &mut dice, 6).is_ok();
        }
        let through = reached && sim.operations() <= at;
        world.see_checkpoint(&sim);
        sim.power_cycle();
        let mut ledger = open(&sim, 2).unwrap();
        world.check(&sim, &ledger);
        world.append(&mut ledger, &mut dice, 1).unwrap();
        world.check(&sim, &ledger);
        if through {
            break;
        }
        at += 1;
    }
    println!("cut at each of {at} operations");
    assert!(at > 100);
}

#[test]
fn an_error_anywhere_loses_nothing() {
    let struck: u64 = (0..seeds())
        .map(|seed| live(seed, Wrong::Nothing, &mut |d, at| Trouble::Fail(somewhere(d, at))))
        .sum();
    println!("{} lives, {struck} appends failed", seeds());
    assert!(struck > seeds() / 10, "the errors hardly ever struck");
}

#[test]
fn a_full_disk_anywhere_loses_nothing() {
    let full = &mut |d: &mut Dice, at| Trouble::Full(somewhere(d, at), 1 + d.below(50));
    let struck: u64 = (0..seeds()).map(|seed| live(seed, Wrong::Nothing, full)).sum();
    println!("{} lives, {struck} appends refused", seeds());
    assert!(struck > seeds() / 10, "the disk was hardly ever full");
}

/// The control: a harness that cannot fail proves nothing.
#[test]
fn wrong_ledgers_are_caught() {
    std::panic::set_hook(Box::new(|_| ()));
    let wrongs =
        [Wrong::CommitBeforeFlush, Wrong::NoFolderFlush, Wrong::CheckpointFirst, Wrong::PublishWithoutFlush];
    let caught: Vec<_> = wrongs
        .iter()
        .map(|wrong| {
            (0..200).position(|seed| {
                let cut = &mut |d: &mut Dice, at| Trouble::Cut(somewhere(d, at));
                catch_unwind(AssertUnwindSafe(|| live(seed, *wrong, cut))).is_err()
            })
        })
        .collect();
    let _ = std::panic::take_hook();
    for (wrong, caught) in wrongs.iter().zip(caught) {
        let seed = caught.unwrap_or_else(|| panic!("{wrong:?} went unnoticed for 200 lives"));
        println!("{wrong:?} caught by seed {seed}");
    }
}
