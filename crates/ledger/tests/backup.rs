//! Backups are whole, checked and restorable; a restore takes somebody's word and says so in the log.
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use common::{KEY, MemoryHead, entries, entropy, open};
use ledger::{Confirmation, Disk, Erasure, Error, Folder, Kind, Ledger, backup, restore};
use model::Instant;
use tlog::NoteVerifier;
use verify::Options;

const PLAIN: Options = Options { acknowledged: None, ahead: false };

fn disk(path: &Path) -> Arc<dyn Disk> {
    Arc::new(Folder::for_backup(path).unwrap())
}

fn save(ledger: &Ledger, to: &Path) -> Result<String, Error> {
    backup(&ledger.reader(), disk(&to.join("data")), disk(&to.join("secret")))
}

fn word(newest_known: Option<String>) -> Confirmation {
    Confirmation {
        source: "tickmark:5f".into(),
        operator: "person 3".into(),
        reason: "disk failure".into(),
        at: Instant::from_seconds(1_785_000_000),
        newest_known,
    }
}

fn bring_back(from: &Path, to: &Path, head: &MemoryHead, newest: Option<String>) -> Result<Ledger, Error> {
    let into = Arc::new(Folder::open(to)?);
    let (data, keys) = (disk(&from.join("data")), disk(&from.join("secret")));
    restore(&data, &keys, into, Box::new(head.clone()), &KEY, entropy(9), &word(newest))
}

fn evidence(data: &Path, key: &str) -> verify::EvidenceReport {
    let key: NoteVerifier = key.parse().unwrap();
    verify::evidence(&verify::Folder::new(data), &key, &KEY, PLAIN).unwrap()
}

#[test]
fn a_backup_comes_back_and_the_log_says_so() {
    let (dir, safe, new) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut ledger = open(dir.path(), &MemoryHead::default()).unwrap();
    ledger.append(entries(0..300)).unwrap();
    let first = save(&ledger, safe.path()).unwrap();
    assert_eq!(first, ledger.checkpoint().unwrap());
    assert!(!safe.path().join("data/keys").exists(), "keys lie apart");
    ledger.append(entries(300..600)).unwrap();
    ledger
        .erase(&Erasure {
            indexes: vec![7],
            source: "tickmark:5f".into(),
            legal_basis: "contract".into(),
            approver: "person 3".into(),
            key_backup_expires: None,
            at: Instant::from_seconds(1_784_000_000),
        })
        .unwrap();
    // The same places again: the new, and the destroyed key too.
    save(&ledger, safe.path()).unwrap();
    ledger.append(entries(601..605)).unwrap();
    let newest = ledger.checkpoint().unwrap();

    let head = MemoryHead::default();
    let mut restored = bring_back(safe.path(), new.path(), &head, Some(newest)).unwrap();
    assert_eq!((restored.size(), restored.vkey()), (602, ledger.vkey()));
    let leaf = restored.leaf(601).unwrap();
    assert_eq!(leaf.kind, Kind::Restore);
    let said = String::from_utf8(restored.document(601).unwrap()).unwrap();
    assert!(
        said.contains(r#""operator":"person 3""#) && said.contains(r#""newest_known_size":605"#),
        "{said}"
    );
    assert_eq!(restored.document(450).unwrap(), b"document 450");
    assert!(
        matches!(restored.document(7), Err(Error::Erased { .. })),
        "a restore doesn't undo an erasure it knows of"
    );
    restored.append(entries(602..610)).unwrap();
    assert_eq!(evidence(new.path(), &restored.vkey()).opened, 609);
    let grown = verify::grow(
        first.as_bytes(),
        &verify::Folder::new(&new.path().join("log")),
        &ledger.vkey().parse().unwrap(),
        PLAIN,
    );
    assert_eq!(grown.unwrap().published, 610);

    drop(restored);
    let refused = bring_back(safe.path(), new.path(), &head, None).err().unwrap().to_string();
    assert!(refused.contains("already holds a ledger; restore into a new, empty workspace"), "{refused}");
    open(new.path(), &head).unwrap();
}

#[test]
fn a_restore_that_was_cut_short_may_be_run_again_and_a_foreign_folder_is_not_overwritten() {
    let (dir, safe, new) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut ledger = open(dir.path(), &MemoryHead::default()).unwrap();
    ledger.append(entries(0..30)).unwrap();
    save(&ledger, safe.path()).unwrap();
    // Everything copied, the head not yet set.
    drop(bring_back(safe.path(), new.path(), &MemoryHead::default(), None).unwrap());
    fs::remove_dir_all(new.path().join("log")).unwrap();
    let restored = bring_back(safe.path(), new.path(), &MemoryHead::default(), None).unwrap();
    assert_eq!(evidence(new.path(), &restored.vkey()).opened, 31);

    let other = tempfile::tempdir().unwrap();
    drop(common::open_on(Arc::new(Folder::open(other.path()).unwrap()), &MemoryHead::default(), 77).unwrap());
    let refused =
        bring_back(safe.path(), other.path(), &MemoryHead::default(), None).err().unwrap().to_string();
    assert!(refused.contains("the data folder of this workspace already holds a ledger"), "{refused}");
}

#[test]
fn what_is_damaged_is_neither_backed_up_nor_restored() {
    let (dir, safe) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut ledger = open(dir.path(), &MemoryHead::default()).unwrap();
    ledger.append(entries(0..300)).unwrap();
    save(&ledger, safe.path()).unwrap();

    let damage = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(path, bytes).unwrap();
    };
    let bundle = Path::new("log/tile/entries/000");
    damage(&dir.path().join(bundle));
    let elsewhere = tempfile::tempdir().unwrap();
    let refused = save(&ledger, elsewhere.path()).unwrap_err().to_string();
    assert!(refused.contains("the entries don't give the signed root"), "{refused}");
    assert!(!elsewhere.path().join("data/head.json").exists());

    damage(&dir.path().join(bundle));
    let shelves = fs::read_dir(dir.path().join("objects")).unwrap().map(|entry| entry.unwrap().path());
    let shelf = shelves.into_iter().find(|path| path.is_dir()).unwrap();
    damage(&fs::read_dir(shelf).unwrap().next().unwrap().unwrap().path());
    let refused = save(&ledger, elsewhere.path()).unwrap_err().to_string();
    assert!(refused.contains("its hash isn't its name"), "{refused}");
    assert!(!elsewhere.path().join("data/head.json").exists());

    damage(&dir.path().join("keys/slots/000000"));
    let refused = save(&ledger, elsewhere.path()).unwrap_err().to_string();
    assert!(refused.contains("the key of entry 299 doesn't unwrap"), "{refused}");

    damage(&safe.path().join("data").join(bundle));
    let new = tempfile::tempdir().unwrap();
    let head = MemoryHead::default();
    assert!(bring_back(safe.path(), new.path(), &head, None).is_err());
    assert!(head.0.lock().unwrap().is_none(), "a refused restore leaves no head");
    fs::remove_file(safe.path().join("data/head.json")).unwrap();
    assert!(
        bring_back(safe.path(), new.path(), &head, None).is_err(),
        "a backup that wasn't completed is none"
    );
}
