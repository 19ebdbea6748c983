//! What a caller sees: entries go in, come back, survive reopening; contradictions are refused with a way out.

#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod common;

use std::fs;
use std::sync::Arc;

use common::{Dice, KEY, MemoryHead, entries, entropy, entry, open};
use ledger::{Error, Folder, Kind, Ledger, Reader, Writer};
use tlog::{Checkpoint, NoteVerifier, Proof};

fn check_all(ledger: &Ledger, size: u64) {
    assert_eq!((ledger.size(), ledger.committed()), (size, size));
    let vkey: NoteVerifier = ledger.vkey().parse().unwrap();
    let checkpoint = Checkpoint::open(ledger.checkpoint().unwrap().as_bytes(), &vkey).unwrap();
    assert_eq!(checkpoint.size, size);
    let mut next = 0;
    for read in ledger.documents(0..u64::MAX) {
        let read = read.unwrap();
        assert_eq!(read.index, next);
        assert_eq!(read.document.unwrap(), format!("document {next}").as_bytes());
        next += 1;
    }
    assert_eq!(next, size);
}

#[test]
fn entries_come_back_with_proofs_that_hold() {
    let dir = tempfile::tempdir().unwrap();
    let head = MemoryHead::default();
    let mut size = 0;
    // Across the edges of bundles and tiles, reopened every time.
    for batch in [0, 1, 1, 253, 1, 1, 255, 600, 3] {
        let mut ledger = open(dir.path(), &head).unwrap();
        assert_eq!(ledger.append(entries(size..size + batch)).unwrap(), size..size + batch);
        size += batch;
        check_all(&ledger, size);
    }
    let ledger = open(dir.path(), &head).unwrap();
    check_all(&ledger, size);
    let vkey: NoteVerifier = ledger.vkey().parse().unwrap();
    for index in [0, 1, 254, 255, 256, 511, 512, size - 1] {
        let proof: Proof = ledger.proof(index).unwrap().parse().unwrap();
        let leaf = ledger.reader().leaf_bytes(index).unwrap();
        assert_eq!(proof.verify(&leaf, &vkey).unwrap().size, size);
        assert_eq!(ledger.document(index).unwrap(), format!("document {index}").as_bytes());
    }
    assert!(matches!(ledger.leaf(size), Err(Error::Outside { .. })));
    assert!(matches!(ledger.proof(size), Err(Error::Outside { .. })));

    let reader = Reader::open(Arc::new(Folder::for_reading(dir.path())), &KEY).unwrap();
    assert_eq!(reader.documents(300..310).count(), 10, "a reader needs no lock");
}

#[test]
fn a_leaf_is_canonical_and_names_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path(), &MemoryHead::default()).unwrap();
    ledger.append(vec![entry(b"alice@example.test did it")]).unwrap();
    let leaf = String::from_utf8(ledger.reader().leaf_bytes(0).unwrap()).unwrap();
    assert!(
        leaf.starts_with(r#"{"collected_at":"2026-05-28T20:26:40Z","collector":"git/1","commitment":""#)
            && leaf.ends_with(r#","size":25,"source":"git:3f2a","stream":"commits","v":1}"#),
        "{leaf}"
    );
    let mut named = entry(b"");
    named.source = "mail:alice@example.test".into();
    let refused = ledger.append(vec![named]).unwrap_err().to_string();
    assert!(refused.contains("give a pseudonym"), "{refused}");
    assert_eq!(ledger.size(), 1, "a refused entry changes nothing");
}

#[test]
fn a_leaf_that_doesnt_fit_is_refused_and_the_longest_fits() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path(), &MemoryHead::default()).unwrap();
    ledger.append(vec![entry(b"x")]).unwrap();
    let room = 65_535 - ledger.reader().leaf_bytes(0).unwrap().len();
    let with = |extra: usize| {
        let mut entry = entry(b"x");
        entry.stream += &"s".repeat(extra);
        entry
    };
    let refused = ledger.append(vec![with(room + 1)]).unwrap_err().to_string();
    assert!(refused.contains("takes 65536 bytes, and an entry has at most 65535"), "{refused}");
    assert_eq!(ledger.append(vec![with(room)]).unwrap(), 1..2);
    assert_eq!(ledger.reader().leaf_bytes(1).unwrap().len(), 65_535);
}

#[test]
fn equal_documents_look_different_and_are_not_in_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path(), &MemoryHead::default()).unwrap();
    ledger.append(vec![entry(b"the secret phrase"), entry(b"the secret phrase")]).unwrap();
    let (a, b) = (ledger.leaf(0).unwrap(), ledger.leaf(1).unwrap());
    assert_ne!(a.commitment, b.commitment);
    assert_ne!(a.object, b.object);
    assert_eq!(a.kind, Kind::Capture);
    for path in files(dir.path()) {
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(6).any(|w| w == b"secret"), "{}", path.display());
        assert!(!bytes.windows(32).any(|w| w == KEY), "the wrapping key in {}", path.display());
    }
}

fn files(root: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn another_wrapping_key_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let head = MemoryHead::default();
    drop(open(dir.path(), &head).unwrap());
    let disk = Arc::new(Folder::open(dir.path()).unwrap());
    let refused = Ledger::open(disk, Box::new(head), &[7; 32], entropy(1)).err().unwrap();
    assert!(matches!(refused, Error::WrongKey), "{refused}");
}

#[test]
fn an_older_head_signs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let head = MemoryHead::default();
    let mut ledger = open(dir.path(), &head).unwrap();
    ledger.append(entries(0..3)).unwrap();
    let old = head.0.lock().unwrap().clone();
    ledger.append(entries(3..5)).unwrap();
    let signed = ledger.checkpoint().unwrap();
    drop(ledger);

    let current = std::mem::replace(&mut *head.0.lock().unwrap(), old);
    let refused = open(dir.path(), &head).err().unwrap().to_string();
    assert!(
        refused.contains("has been signed with 5 entries, but the database's head counts 3"),
        "{refused}"
    );
    assert_eq!(fs::read_to_string(dir.path().join("log/checkpoint")).unwrap(), signed);

    *head.0.lock().unwrap() = Some(r#"{"v":2,"more":1}"#.into());
    let refused = open(dir.path(), &head).err().unwrap().to_string();
    assert_eq!(refused, "`the ledger's head` was written by a newer version (2); update tickmark");

    *head.0.lock().unwrap() = None;
    assert_eq!(ledger::committed(&head).unwrap(), 0);
    let refused = open(dir.path(), &head).err().unwrap().to_string();
    assert!(refused.contains("the database has no head for it"), "{refused}");

    *head.0.lock().unwrap() = current;
    assert_eq!(ledger::committed(&head).unwrap(), 5);
    check_all(&open(dir.path(), &head).unwrap(), 5);
}

#[test]
fn an_older_or_foreign_folder_is_refused() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (head, other) = (MemoryHead::default(), MemoryHead::default());
    let mut ledger = open(one.path(), &head).unwrap();
    ledger.append(entries(0..3)).unwrap();
    let old = fs::read(one.path().join("log/checkpoint")).unwrap();
    ledger.append(entries(3..4)).unwrap();
    drop(ledger);
    let _ = common::open_on(Arc::new(Folder::open(two.path()).unwrap()), &other, 2).unwrap();
    let refused = open(two.path(), &head).err().unwrap().to_string();
    assert!(refused.contains("the database is of the log `tickmark/"), "{refused}");

    fs::write(one.path().join("log/checkpoint"), old).unwrap();
    let refused = open(one.path(), &head).err().unwrap().to_string();
    assert!(refused.contains("the head counts 4 entries, the log folder 3"), "{refused}");
}

#[test]
fn damage_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path(), &MemoryHead::default()).unwrap();
    ledger.append(entries(0..3)).unwrap();
    let pack = files(&dir.path().join("objects")).into_iter().find(|p| p.extension().is_some()).unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&pack, bytes).unwrap();
    assert!(ledger.document(0).is_ok());
    let refused = ledger.document(2).unwrap_err().to_string();
    assert!(
        refused.contains("the object of entry 2") && refused.contains("restore it from a backup"),
        "{refused}"
    );
}

#[test]
fn many_callers_share_commits_and_each_gets_its_own_indexes() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, thread) = Writer::spawn(open(dir.path(), &MemoryHead::default()).unwrap());
    let callers: Vec<_> = (0..8_u64)
        .map(|caller| {
            let writer = writer.clone();
            std::thread::spawn(move || {
                let mut dice = Dice(caller);
                for turn in 0..6 {
                    let count = dice.below(4);
                    let mine = |k: u64| format!("caller {caller} turn {turn} item {k}");
                    let range =
                        writer.append((0..count).map(|k| entry(mine(k).as_bytes())).collect()).unwrap();
                    assert_eq!(range.end - range.start, count);
                    let mut misfit = entry(b"");
                    misfit.stream.clear();
                    assert!(writer.append(vec![misfit]).is_err(), "a misfit spoils nobody else's append");
                    let first = writer.run(move |ledger| ledger.documents(range.clone()).next()).unwrap();
                    assert!(first.is_none_or(|e| e.unwrap().document.unwrap() == mine(0).as_bytes()));
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    drop(writer);
    let ledger = thread.join().unwrap();
    assert_eq!(ledger.documents(0..u64::MAX).filter(|e| e.is_ok()).count() as u64, ledger.size());
}

#[test]
fn a_workspace_put_back_as_a_whole_is_noticed_by_a_checkpoint_kept_outside() {
    let (dir, fork) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut ledger = open(dir.path(), &MemoryHead::default()).unwrap();
    ledger.append(entries(0..300)).unwrap();
    let kept = ledger.checkpoint().unwrap();
    ledger.append(entries(300..700)).unwrap();
    ledger.reader().continues(&kept).unwrap();
    ledger.reader().continues(&ledger.checkpoint().unwrap()).unwrap();

    // The same keys, since the same randomness; another history.
    let mut fork = open(fork.path(), &MemoryHead::default()).unwrap();
    fork.append(entries(0..200)).unwrap();
    let refused = fork.reader().continues(&kept).unwrap_err().to_string();
    assert!(refused.contains("has 200 entries and was signed with 300 before"), "{refused}");
    fork.append(entries(0..200)).unwrap();
    let refused = fork.reader().continues(&kept).unwrap_err().to_string();
    assert!(refused.contains("the first 300 entries of the log aren't those"), "{refused}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("data");
    fs::write(&file, "in the way").unwrap();
    let refused = Folder::open(&file).unwrap_err().to_string();
    assert!(refused.starts_with(&format!("cannot make the folder `{}`: ", file.display())), "{refused}");
    let full = Error::Disk {
        action: "write",
        path: "log/checkpoint".into(),
        source: std::io::ErrorKind::StorageFull.into(),
    };
    let full = full.to_string();
    assert!(full.ends_with("; nothing acknowledged is lost, free some space and try again"), "{full}");
}
