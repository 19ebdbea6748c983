//! Erasing and redacting: the bytes are gone from every file, nothing else is, and every proof still holds.
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod common;
#[path = "common/sim.rs"]
mod sim;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{Dice, KEY, MemoryHead, entries, entropy, entry, open};
use ledger::{Erasure, Error, Kind, Ledger};
use model::Instant;
use sim::{Sim, Trouble, Wrong};
use tlog::{NoteVerifier, Proof};
use verify::Options;

const PLAIN: Options = Options { acknowledged: None, ahead: false };

fn order(indexes: Vec<u64>) -> Erasure {
    Erasure {
        indexes,
        source: "tickmark:5f".into(),
        legal_basis: "GDPR Art. 17(1)(a)".into(),
        approver: "person 12".into(),
        key_backup_expires: Some(Instant::from_seconds(1_790_000_000)),
        at: Instant::from_seconds(1_785_000_000),
    }
}

fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Where in the workspace some bytes stand.
fn grep(root: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| fs::read(path).unwrap().windows(bytes.len()).any(|w| w == bytes);
    files(root).into_iter().filter(holds).collect()
}

#[test]
fn a_tenth_of_the_objects_goes_and_every_proof_stays() {
    let dir = tempfile::tempdir().unwrap();
    let head = MemoryHead::default();
    let mut ledger = open(dir.path(), &head).unwrap();
    ledger.append(entries(0..100)).unwrap();
    ledger.append(entries(100..400)).unwrap();
    let key: NoteVerifier = ledger.vkey().parse().unwrap();
    let old_proofs: Vec<String> = (0..400).map(|i| ledger.proof(i).unwrap()).collect();
    let leaves: Vec<Vec<u8>> = (0..400).map(|i| ledger.reader().leaf_bytes(i).unwrap()).collect();
    let mut dice = Dice(5);
    let gone: std::collections::BTreeSet<u64> = (0..40).map(|_| dice.below(400)).collect();
    let slots = fs::read(dir.path().join("keys/slots/000000")).unwrap();

    assert_eq!(ledger.erase(&order(gone.iter().copied().collect())).unwrap(), 400);
    drop(ledger);
    let ledger = open(dir.path(), &head).unwrap();
    for (index, (proof, leaf)) in (0..).zip(old_proofs.iter().zip(&leaves)) {
        proof.parse::<Proof>().unwrap().verify(leaf, &key).unwrap();
        ledger.proof(index).unwrap().parse::<Proof>().unwrap().verify(leaf, &key).unwrap();
        match ledger.document(index) {
            Err(Error::Erased { .. }) => assert!(gone.contains(&index)),
            document => assert_eq!(document.unwrap(), format!("document {index}").as_bytes()),
        }
        // No copy of the wrapped key is left anywhere, or the erasure would be fiction.
        let slot = &slots[index as usize * 48..][..48];
        let expected = usize::from(!gone.contains(&index));
        if index % 8 == 0 || expected == 0 {
            assert_eq!(grep(dir.path(), slot).len(), expected, "the key of entry {index}");
        }
    }
    let report = verify::evidence(&verify::Folder::new(dir.path()), &key, &KEY, PLAIN).unwrap();
    assert_eq!((report.erased, report.opened), (gone.len() as u64, 401 - gone.len() as u64));
    let said = ledger.leaf(400).unwrap();
    assert_eq!((said.kind, said.concerns.len()), (Kind::Erasure, gone.len()));
    let document = String::from_utf8(ledger.document(400).unwrap()).unwrap();
    assert!(
        document.contains(r#""approver":"person 12","key_backup_expires":"2026-09-21T14:13:20Z""#),
        "{document}"
    );
}

#[test]
fn redaction_replaces_the_document() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path(), &MemoryHead::default()).unwrap();
    ledger.append(vec![entry(b"before"), entry(b"Alice Example approved"), entry(b"after")]).unwrap();
    let new = ledger.redact(1, b"person 12 approved".to_vec()).unwrap();
    assert_eq!(new, 3);
    assert!(matches!(ledger.document(1), Err(Error::Erased { index: 1 })));
    assert_eq!(ledger.document(3).unwrap(), b"person 12 approved");
    let leaf = ledger.leaf(3).unwrap();
    assert_eq!((leaf.kind, leaf.concerns, leaf.stream.as_str()), (Kind::Redaction, vec![1], "commits"));
    assert_eq!(grep(dir.path(), b"Alice Example"), Vec::<PathBuf>::new());
    let key: NoteVerifier = ledger.vkey().parse().unwrap();
    assert_eq!(verify::evidence(&verify::Folder::new(dir.path()), &key, &KEY, PLAIN).unwrap().erased, 1);
    let read: Vec<_> = ledger.documents(0..9).map(|e| e.unwrap().document.is_some()).collect();
    assert_eq!(read, [true, false, true, true]);
}

#[test]
fn orders_that_cannot_be_said_destroy_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path(), &MemoryHead::default()).unwrap();
    ledger.append(entries(0..3)).unwrap();
    assert!(matches!(ledger.erase(&order(vec![0, 3])), Err(Error::Outside { index: 3, size: 3 })));
    assert!(ledger.erase(&order(vec![])).is_err());
    assert!(ledger.erase(&order((0..20_000).collect())).is_err(), "more than an entry can name");
    assert!(ledger.erase(&Erasure { source: "alice@example.test".into(), ..order(vec![0]) }).is_err());
    assert_eq!(ledger.documents(0..9).filter(|e| e.as_ref().unwrap().document.is_some()).count(), 3);
    assert_eq!(ledger.size(), 3);
}

/// Cut at every operation of an erasure and of a redaction: the next open finishes it or nothing has happened, and what was
/// acknowledged as erased is erased.
#[test]
fn a_crash_during_erasure_is_finished_by_the_next_open() {
    for redact in [false, true] {
        let mut at = 0;
        loop {
            let sim = Sim::new(31 + at, Wrong::Nothing);
            let open = |seed| Ledger::open(Arc::new(sim.clone()), Box::new(sim.clone()), &KEY, entropy(seed));
            let mut ledger = open(1).unwrap();
            ledger.append(entries(0..4)).unwrap();
            ledger.append(entries(4..6)).unwrap();
            let before = sim.operations();
            *sim.trouble.lock().unwrap() = Trouble::Cut(before + at);
            let done = if redact {
                ledger.redact(2, b"redacted".to_vec())
            } else {
                ledger.erase(&order(vec![2, 3, 5]))
            };
            drop(ledger);
            let through = done.is_ok() && sim.operations() <= before + at;
            sim.power_cycle();
            let ledger = open(2).unwrap();
            let key: NoteVerifier = ledger.vkey().parse().unwrap();
            let files = sim.files();
            // Refuses a destroyed key that no entry accounts for.
            let report = verify::evidence(&files, &key, &KEY, PLAIN).unwrap();
            let many = if redact { 1 } else { 3 };
            assert!(report.erased == 0 || report.erased == many, "cut at {at}: {} erased", report.erased);
            assert_eq!(
                ledger.size(),
                6 + u64::from(report.erased > 0),
                "cut at {at}: an entry says so, once"
            );
            assert!(done.is_err() || report.erased == many, "cut at {at}: acknowledged");
            assert!(!files.contains_key("keys/intent"), "cut at {at}");
            if through {
                break;
            }
            at += 1;
        }
        assert!(at > 15, "an erasure takes more operations than {at}");
    }
}

/// After an acknowledged erasure no file holds the wrapped key, not even one that a power cut brings back, nor a staged one
/// that could not be removed at first.
#[test]
fn no_copy_of_a_key_comes_back() {
    let mut stubborn = 0;
    for seed in 0..120 {
        let sim = Sim::new(seed, Wrong::Nothing);
        let open = |seed| Ledger::open(Arc::new(sim.clone()), Box::new(sim.clone()), &KEY, entropy(seed));
        let mut ledger = open(1).unwrap();
        ledger.append(entries(0..2)).unwrap();
        // One operation of the append fails: where it is the sweeping, the append is acknowledged all the same.
        *sim.trouble.lock().unwrap() = Trouble::Fail(sim.operations() + seed % 60);
        let appended = ledger.append(entries(2..4)).is_ok();
        *sim.trouble.lock().unwrap() = Trouble::None;
        if !appended || ledger.size() < 4 {
            continue;
        }
        stubborn += u64::from(sim.files().keys().any(|path| path.ends_with(".batch")));
        let slots: Vec<Vec<u8>> =
            [0, 2, 3].iter().map(|i| sim.files()["keys/slots/000000"][i * 48..][..48].to_vec()).collect();
        if ledger.erase(&order(vec![0, 2, 3])).is_err() {
            continue;
        }
        drop(ledger);
        let check = |when: &str| {
            for (path, bytes) in sim.files() {
                let found = slots.iter().any(|slot| bytes.windows(48).any(|window| window == slot));
                assert!(!found, "seed {seed}, {when}: a destroyed key stands in {path}");
            }
        };
        check("at once");
        sim.power_cycle();
        check("after a power cut");
    }
    assert!(stubborn > 0, "no staged batch ever resisted");
}
