//! What a witness signs: only what continues, whatever the log has forgotten, and nothing that isn't on its disk.
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use ledger::witness::cosign;
use ledger::{Folder, Head, HeadError, Kind, Ledger, NewEntry};
use model::Instant;
use tlog::{AddCheckpoint, Algorithm, Checkpoint, Note, NoteSigner, NoteVerifier};
use witness::{Home, Outcome, Register, Witness};

const NAME: &str = "log.example.test/a";

#[derive(Clone, Default)]
struct MemoryHead(Arc<Mutex<Option<String>>>);

impl Head for MemoryHead {
    fn load(&self) -> Result<Option<String>, HeadError> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn compare_and_swap(&mut self, old: Option<&str>, new: &str) -> Result<bool, HeadError> {
        let mut record = self.0.lock().unwrap();
        let fits = record.as_deref() == old;
        if fits {
            *record = Some(new.to_owned());
        }
        Ok(fits)
    }
}

/// A ledger; two opened in different folders have the same keys.
fn open(folder: &Path) -> Ledger {
    let entropy = Box::new(|buffer: &mut [u8]| {
        buffer.fill(9);
        Ok(())
    });
    let disk = Arc::new(Folder::open(folder).unwrap());
    Ledger::open(disk, Box::new(MemoryHead::default()), &[42; 32], entropy).unwrap()
}

fn grow(ledger: &mut Ledger, documents: std::ops::Range<u64>) {
    let entry = |i| NewEntry {
        kind: Kind::Capture,
        source: "git:3f2a".into(),
        stream: "commits".into(),
        media_type: "text/plain".into(),
        collected_at: Instant::from_seconds(1_780_000_000),
        collector: "git/1".into(),
        document: format!("document {i}").into_bytes(),
    };
    ledger.append(documents.map(entry).collect()).unwrap();
}

/// A witness with a fixed key over a folder that holds what it signed.
fn witness(folder: &Path, key: &NoteVerifier) -> Witness {
    let signer = NoteSigner::new("witness.example.test/w1", Algorithm::CosignatureV1, &[3; 32]).unwrap();
    let register = Register::of(folder, key.name());
    register.create().unwrap();
    let mut witness = Witness::new(signer);
    witness.watch(key.clone(), register).unwrap();
    witness
}

fn asked(witness: &mut Witness, body: &str, now: u64) -> io::Result<(u16, String)> {
    let outcome = witness.add_checkpoint(body, now).unwrap().outcome;
    Ok((outcome.status(), outcome.body()))
}

#[test]
fn it_signs_what_continues_and_the_note_holds() {
    let (dir, signed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut ledger = open(dir.path());
    let log: NoteVerifier = ledger.vkey().parse().unwrap();
    let mut posts = 0;
    let mut known = 0;
    for (round, batch) in [0, 3, 300, 0, 5].into_iter().enumerate() {
        let size = ledger.size();
        grow(&mut ledger, size..size + batch);
        // Started anew every time: what it signed is in its register.
        let mut witness = witness(signed.path(), &log);
        let key = witness.verifier().clone();
        let now = 1_785_000_000 + round as u64;
        let mut post = |body: &str| {
            posts += 1;
            asked(&mut witness, body, now)
        };
        // Every other time the log has forgotten what the witness knows, and is told.
        let cosigned =
            cosign(&ledger.reader(), &key, if round % 2 == 0 { known } else { 0 }, &mut post).unwrap();
        known = cosigned.size;
        assert_eq!((cosigned.size, cosigned.time), (ledger.size(), Instant::from_seconds(now as i64)));
        let note = Note::parse(cosigned.note.as_bytes()).unwrap();
        assert_eq!(note.verify(&[&log, &key]).unwrap().len(), 2);
        assert_eq!(Checkpoint::open(cosigned.note.as_bytes(), &log).unwrap().size, ledger.size());
    }
    assert_eq!(posts, 6, "one question more where it had forgotten something");
}

fn checkpoint(signer: &NoteSigner, origin: &str, leaves: &[&str]) -> String {
    let leaves: Vec<_> = leaves.iter().map(|leaf| tlog::leaf_hash(leaf.as_bytes())).collect();
    let root = tlog::tree_hash(&leaves);
    let text = Checkpoint { origin: origin.into(), size: leaves.len() as u64, root }.to_string();
    Note { signatures: vec![signer.sign(&text, 0)], text }.to_string()
}

fn request(old: u64, proof: &[&str], checkpoint: String) -> String {
    let proof = proof.iter().map(|leaf| tlog::leaf_hash(leaf.as_bytes())).collect();
    AddCheckpoint { old, proof, checkpoint }.to_string()
}

#[test]
fn it_refuses_with_the_status_of_the_specification() {
    let log = NoteSigner::new(NAME, Algorithm::Ed25519, &[1; 32]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut witness = witness(folder.path(), log.verifier());
    let register = Register::of(folder.path(), NAME);
    let last = || register.load(NAME, &[log.verifier().clone()]).unwrap().size;
    let mut ask = |body: String| {
        let outcome = witness.add_checkpoint(&body, 1).unwrap().outcome;
        (outcome.status(), outcome.body(), outcome.media_type())
    };
    assert_eq!(ask("old x\n\n".into()).0, 400);
    assert_eq!(ask(request(0, &[], checkpoint(&log, "log.example.test/b", &["a"]))).0, 404);
    let stranger = NoteSigner::new(NAME, Algorithm::Ed25519, &[2; 32]).unwrap();
    assert_eq!(ask(request(0, &[], checkpoint(&stranger, NAME, &["a"]))).0, 403);
    assert_eq!(ask(request(2, &[], checkpoint(&log, NAME, &["a"]))).0, 400, "older size beyond");
    assert_eq!(ask(request(1, &[], checkpoint(&log, NAME, &["a"]))), (409, "0\n".into(), "text/x.tlog.size"));
    assert!(!register.contradiction().exists(), "being stale is no contradiction");
    assert_eq!(
        ask(request(0, &["a"], checkpoint(&log, NAME, &["a"]))).0,
        422,
        "a proof from nothing is empty"
    );
    assert_eq!(last(), 0, "nothing signed so far");
    fs::remove_file(register.contradiction()).unwrap();

    assert_eq!(ask(request(0, &[], checkpoint(&log, NAME, &["a"]))).0, 200);
    assert_eq!(ask(request(1, &["b"], checkpoint(&log, NAME, &["a", "b"]))).0, 200);
    assert_eq!(ask(request(2, &[], checkpoint(&log, NAME, &["a", "b"]))).0, 200, "the same again");
    assert_eq!(ask(request(1, &["b"], checkpoint(&log, NAME, &["a", "b"]))).1, "2\n", "stale");
    assert_eq!(ask(request(1, &[], checkpoint(&log, NAME, &["a", "x"]))).1, "2\n", "stale, and two roots");
    assert!(register.contradiction().exists());
    fs::remove_file(register.contradiction()).unwrap();
    let other = request(2, &[], checkpoint(&log, NAME, &["a", "x"]));
    assert_eq!(ask(other.clone()), (409, "2\n".into(), "text/x.tlog.size"), "another root for the same size");
    assert_eq!(fs::read_to_string(register.contradiction()).unwrap(), other, "kept: it is signed");
    assert_eq!(ask(request(2, &["c"], checkpoint(&log, NAME, &["a", "x", "c"]))).0, 422, "a fork");
    assert_eq!(fs::read_to_string(register.contradiction()).unwrap(), other, "the first one only");
    assert_eq!(ask(request(2, &["c"], checkpoint(&log, NAME, &["a", "b", "c"]))).0, 200);
    assert_eq!(last(), 3);
}

#[test]
fn a_log_with_two_keys_is_one_history() {
    let (old, new) = (
        NoteSigner::new(NAME, Algorithm::Ed25519, &[1; 32]).unwrap(),
        NoteSigner::new(NAME, Algorithm::Ed25519, &[2; 32]).unwrap(),
    );
    let folder = tempfile::tempdir().unwrap();
    let mut witness = witness(folder.path(), old.verifier());
    witness.watch(new.verifier().clone(), Register::of(folder.path(), NAME)).unwrap();
    let mut ask = |body: String| witness.add_checkpoint(&body, 1).unwrap().outcome.status();
    assert_eq!(ask(request(0, &[], checkpoint(&old, NAME, &["a"]))), 200);
    assert_eq!(ask(request(0, &[], checkpoint(&new, NAME, &["x"]))), 409, "not from the beginning again");
    assert_eq!(ask(request(1, &["b"], checkpoint(&new, NAME, &["a", "b"]))), 200);
}

#[test]
fn what_isnt_on_the_disk_isnt_signed() {
    let log = NoteSigner::new(NAME, Algorithm::Ed25519, &[1; 32]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut witness = witness(folder.path(), log.verifier());
    let register = Register::of(folder.path(), NAME);
    let first = request(0, &[], checkpoint(&log, NAME, &["a"]));
    // Where the draft would be written there is a folder: the disk says no.
    let name = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().file_name();
    let draft = folder.path().join(format!("{}.new", name.display()));
    fs::create_dir(&draft).unwrap();
    assert!(witness.add_checkpoint(&first, 1).is_err());
    fs::remove_dir(&draft).unwrap();
    assert!(witness.add_checkpoint(&first, 0).is_err(), "a machine without a clock");
    assert_eq!(register.load(NAME, &[log.verifier().clone()]).unwrap().size, 0);
    assert!(matches!(witness.add_checkpoint(&first, 1).unwrap().outcome, Outcome::Cosigned(_)));

    // A register that was altered, or is gone, is not a register that is empty.
    let path = folder.path().join(&name);
    let text = fs::read_to_string(&path).unwrap();
    for harm in [text.replace("\n1\n", "\n0\n"), text[..text.len() - 9].to_owned(), String::new()] {
        fs::write(&path, harm).unwrap();
        let said = witness.add_checkpoint(&first, 1).unwrap_err().to_string();
        assert!(said.contains("isn't what was signed of `log.example.test/a`"), "{said}");
    }
    fs::remove_file(&path).unwrap();
    let said = witness.add_checkpoint(&first, 1).unwrap_err().to_string();
    assert!(said.contains("is gone: nobody knows what was signed"), "{said}");
}

#[test]
fn a_forked_log_is_told() {
    let (one, two, signed) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut ledger, mut fork) = (open(one.path()), open(two.path()));
    // The same keys and another history: what an operator could do.
    assert_eq!(fork.vkey(), ledger.vkey());
    grow(&mut ledger, 0..5);
    grow(&mut fork, 10..15);
    let mut witness = witness(signed.path(), &ledger.vkey().parse().unwrap());
    let key = witness.verifier().clone();
    let mut ask = |ledger: &Ledger, known: u64| {
        cosign(&ledger.reader(), &key, known, &mut |body| asked(&mut witness, body, 1))
            .map_err(|e| e.to_string())
    };
    ask(&ledger, 0).unwrap();
    assert!(ask(&fork, 5).unwrap_err().contains("another log of 5 entries under this name: it was forked"));
    grow(&mut fork, 15..17);
    assert!(ask(&fork, 5).unwrap_err().contains("5 entries of this log that aren't its first 5 now"));
    grow(&mut ledger, 5..9);
    ask(&ledger, 5).unwrap();
    assert!(
        ask(&fork, 5).unwrap_err().contains("with 9 entries, and it has 7: it was rolled back or forked")
    );
}

#[test]
fn a_folder_holds_one_witness_at_work() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("w");
    let fixed = |seed: &mut [u8]| {
        seed.fill(3);
        Ok(())
    };
    let name = "witness.example.test/w1";
    assert!(Home::init(&folder, "https://witness.example.test", fixed).is_err());
    assert!(Home::init(&folder, "two words", fixed).is_err());
    assert!(Home::open(&folder).is_err(), "nothing was made");
    let (home, vkey) = Home::init(&folder, name, fixed).unwrap();
    assert!(Home::init(&folder, name, fixed).is_err(), "never over another key");
    let refused = |home: &Home| home.work().unwrap_err().to_string();
    assert!(refused(&home).contains("watches no log"));

    let log = NoteSigner::new(NAME, Algorithm::Ed25519, &[1; 32]).unwrap();
    assert!(home.add_log(&vkey).is_err(), "a witness is no log");
    assert!(home.add_log(log.verifier()).unwrap());
    assert!(!home.add_log(log.verifier()).unwrap(), "once is enough");
    let work = home.work().unwrap();
    // The key it was made with, read back from Go's form.
    assert_eq!(work.witness.verifier(), &vkey);
    assert_eq!(&vkey, NoteSigner::new(name, Algorithm::CosignatureV1, &[3; 32]).unwrap().verifier());
    assert!(refused(&home).contains("at work in another process"));
    drop(work);

    let key = folder.join("key");
    let text = fs::read_to_string(&key).unwrap();
    for harm in [text.replace("/w1+", "/w2+"), text.replace("PRIVATE", "private"), String::new()] {
        fs::write(&key, harm).unwrap();
        assert!(refused(&home).contains("holds no key of a witness"));
    }
    fs::write(&key, text).unwrap();
    drop(home.work().unwrap());
    fs::remove_dir_all(folder.join("signed")).unwrap();
    assert!(refused(&home).contains("is gone: nobody knows what was signed"));
    fs::write(folder.join("logs"), "log.example.test/a+00000000+AAAA\n").unwrap();
    assert!(refused(&home).contains("has no key of a log in line 1"));
}
