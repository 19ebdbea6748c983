//! `tickmark-verify` as an auditor runs it: one line, and a status.
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod common;

use std::fs;
use std::process::Command;

use common::{KEY, MemoryHead, entries, open};

#[test]
fn each_command_says_holds_or_refused() {
    let (dir, side) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut ledger = open(dir.path(), &MemoryHead::default());
    let file = |name: &str, bytes: &[u8]| {
        let path = side.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    ledger.append(entries(0..3)).unwrap();
    let old = file("old", ledger.checkpoint().unwrap().as_bytes());
    ledger.append(entries(3..5)).unwrap();
    let vkey = file("log.vkey", format!("{}\n", ledger.vkey()).as_bytes());
    let proof = file("p.tlog-proof", ledger.proof(2).unwrap().as_bytes());
    let leaf = file("leaf", &ledger.reader().leaf_bytes(2).unwrap());
    let other = file("other", &ledger.reader().leaf_bytes(3).unwrap());
    let (key, hex) = (file("key", &KEY), file("key.hex", format!("{}\n", "2a".repeat(32)).as_bytes()));
    let (data, log) = (dir.path().to_str().unwrap(), dir.path().join("log"));
    let log = log.to_str().unwrap();

    let check = |arguments: &[&str], expect: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_tickmark-verify")).args(arguments).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(said.starts_with(expect), "`{said}` should begin with `{expect}`");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert_eq!(output.status.code(), Some(i32::from(!expect.starts_with("holds:"))));
        said
    };
    let said = check(&["log", log, &vkey], "holds: tickmark/");
    assert!(said.contains(", 5 published, root "), "{said}");
    check(
        &["log", log, &vkey, "--acknowledged", "6"],
        "refused: 6 entries were acknowledged, but only 5 are published",
    );
    check(&["grow", &old, log, &vkey], "holds: tickmark/");
    check(&["proof", &proof, &leaf, &vkey], "holds: tickmark/");
    check(
        &["proof", &proof, &other, &vkey],
        "refused: `the proof`: the inclusion proof doesn't lead to the signed root",
    );
    check(&["evidence", data, &vkey, &key], "holds: tickmark/");
    check(&["evidence", data, &vkey, &hex], "holds: tickmark/");
    check(&["evidence", data, &vkey, &leaf], "refused: ");
    // What a witness signed of the first three entries, and its key.
    let signer = tlog::NoteSigner::new("witness.example.test/w1", tlog::Algorithm::CosignatureV1, &[3; 32]);
    let signer = signer.unwrap();
    let mut note = tlog::Note::parse(&fs::read(&old).unwrap()).unwrap();
    note.signatures.push(signer.sign(&note.text, 1_785_000_000));
    let note = file("cosigned", note.to_string().as_bytes());
    let witness = file("w.vkey", format!("{}\n", signer.verifier()).as_bytes());
    let said = check(&["anchor", &note, log, &vkey, "--witness", &witness], "holds: tickmark/");
    let expect = "; the first 3 entries were cosigned by the witness `witness.example.test/w1` at 2026-07-25T17:20:00Z\n";
    assert!(said.ends_with(expect), "{said}");
    check(
        &["anchor", &old, log, &vkey, "--witness", &witness],
        "refused: `the checkpoint` doesn't hold as an anchor: ",
    );
    check(
        &["anchor", &note, log, &vkey, "--stamp", &leaf],
        "refused: `the checkpoint` doesn't hold as an anchor: ",
    );
    check(&["evidence", data, &vkey, &key, "--witness", &witness], "refused: `");
    check(&["log", log, &leaf], "refused: ");
    check(&["log", data, &vkey], "refused: `checkpoint` cannot be read: ");
    fs::write(dir.path().join("log/notes.txt"), "x").unwrap();
    check(&["log", log, &vkey], "refused: `notes.txt` is no file of a log");
}
