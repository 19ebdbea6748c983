//! Time and witnesses from outside: a time-stamp authority made with openssl judges and is judged, and a witness never signs
//! two histories.
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod common;

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use common::{MemoryHead, entries, open};
use ledger::witness::{Witness, WitnessAnswer, cosign};
use ledger::{Head, HeadError, Kind, Ledger, timestamp};
use model::Instant;
use proptest::prelude::*;
use tlog::{AddCheckpoint, Algorithm, Checkpoint, Note, NoteSigner, NoteVerifier};

fn openssl(folder: &Path, arguments: &str) -> Result<String, String> {
    let output = Command::new("openssl").current_dir(folder).args(arguments.split(' ')).output();
    let output = output.map_err(|e| format!("openssl cannot be run: {e}"))?;
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(said) } else { Err(said) }
}

/// A time-stamp authority in a folder: `ca.pem`, `tsa.pem`, `tsa.key`, `tsa.cnf`.
fn authority(folder: &Path) {
    let config = "[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:true\n\
        [tsa_cert]\nextendedKeyUsage=critical,timeStamping\n\
        [tsa]\ndefault_tsa=own\n[own]\nserial=serial\ncrypto_device=builtin\nsigner_digest=sha256\n\
        default_policy=1.2.3.4.1\ndigests=sha256\naccuracy=secs:1\nordering=yes\ntsa_name=yes\ness_cert_id_chain=no\n";
    fs::write(folder.join("tsa.cnf"), config).unwrap();
    fs::write(folder.join("serial"), "01\n").unwrap();
    for step in [
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Example.test_authority -days 30 -config tsa.cnf -extensions ca",
        "req -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.csr -subj /CN=Example.test_stamps -config tsa.cnf",
        "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out tsa.pem -days 30 -extfile tsa.cnf -extensions tsa_cert",
        "x509 -in tsa.pem -outform DER -out tsa.der",
    ] {
        openssl(folder, step).unwrap();
    }
}

fn stamp(folder: &Path, request: &[u8]) -> Vec<u8> {
    fs::write(folder.join("query.tsq"), request).unwrap();
    openssl(
        folder,
        "ts -reply -config tsa.cnf -queryfile query.tsq -inkey tsa.key -signer tsa.pem -out answer.tsr",
    )
    .unwrap();
    fs::read(folder.join("answer.tsr")).unwrap()
}

#[test]
fn a_stamp_of_an_openssl_authority_is_read_and_holds_for_openssl() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    if let Err(why) = openssl(folder, "version") {
        assert!(std::env::var_os("TICKMARK_CI").is_none(), "{why}");
        println!("skipped: {why}");
        return;
    }
    authority(folder);
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path(), &MemoryHead::default()).unwrap();
    ledger.append(entries(0..3)).unwrap();
    let checkpoint = ledger.checkpoint().unwrap();
    fs::write(folder.join("checkpoint"), &checkpoint).unwrap();

    // Nonces whose first bit is set, and small ones: DER integers have a sign.
    for nonce in [0xfedc_ba98_7654_3210, 0x7f, 0x80, 0, u64::MAX] {
        let request = timestamp::request(&checkpoint, nonce);
        let answer = stamp(folder, &request);
        let shown = openssl(folder, "ts -query -in query.tsq -text").unwrap();
        assert!(
            shown.contains("Hash Algorithm: sha256") && shown.contains("Certificate required: yes"),
            "{shown}"
        );
        let read = timestamp::read(&answer, &checkpoint, nonce).unwrap();
        let shown = openssl(folder, "ts -reply -in answer.tsr -text").unwrap();
        // "Time stamp: Nov 23 01:02:03 2026 GMT"
        let clock = &read.time.to_string()[11..19];
        assert!(
            shown.contains("Status: Granted.") && shown.contains(&format!(" {clock} ")),
            "{shown}\n{clock}"
        );
        let ours = fs::read(folder.join("tsa.der")).unwrap();
        assert!(!read.is_external(std::slice::from_ref(&ours)), "a certificate of ours is no outside");
        assert!(read.is_external(&[vec![1]]));

        assert!(timestamp::read(&answer, &checkpoint, nonce ^ 1).is_err(), "another nonce");
        assert!(timestamp::read(&answer, &format!("{checkpoint} "), nonce).is_err(), "another checkpoint");
        assert!(timestamp::read(&answer[..answer.len() - 1], &checkpoint, nonce).is_err());
        let verified =
            openssl(folder, "ts -verify -data checkpoint -in answer.tsr -CAfile ca.pem -untrusted tsa.pem");
        assert!(verified.unwrap().contains("Verification: OK"));

        let entry =
            read.to_entry("tickmark:5f", &checkpoint, false, Instant::from_seconds(1_785_000_000)).unwrap();
        let index = ledger.append(vec![entry]).unwrap().start;
        assert_eq!(ledger.leaf(index).unwrap().kind, Kind::Anchor);
    }
    fs::write(folder.join("checkpoint"), "altered").unwrap();
    assert!(
        openssl(folder, "ts -verify -data checkpoint -in answer.tsr -CAfile ca.pem -untrusted tsa.pem")
            .is_err()
    );

    // An authority that refuses: no policy of that name.
    let refused = [0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02];
    assert!(
        timestamp::read(&refused, &checkpoint, 1)
            .unwrap_err()
            .to_string()
            .contains("refuses, with status [2]")
    );
}

proptest! {
    #[test]
    fn garbage_is_no_stamp(bytes in prop::collection::vec(any::<u8>(), 0..200), start in prop::collection::vec(prop::sample::select(vec![0x30_u8, 0x82, 0x02, 0x01, 0x00, 0xa0, 0x04, 0x06, 0x31, 0xff]), 0..60)) {
        prop_assert!(timestamp::read(&bytes, "x", 1).is_err());
        prop_assert!(timestamp::read(&start, "x", 1).is_err());
    }
}

fn witness(ledger: &Ledger, register: &MemoryHead) -> Witness {
    let key: NoteVerifier = ledger.vkey().parse().unwrap();
    Witness::new("witness.example.test/w1", &[3; 32], vec![(key, Box::new(register.clone()))]).unwrap()
}

#[test]
fn a_witness_signs_what_continues_and_the_note_holds() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path(), &MemoryHead::default()).unwrap();
    let register = MemoryHead::default();
    let mut posts = 0;
    let mut known = 0;
    for (round, batch) in [0, 3, 300, 0, 5].into_iter().enumerate() {
        ledger.append(entries(ledger.size()..ledger.size() + batch)).unwrap();
        // Started anew every time: what it signed is in its register.
        let mut witness = witness(&ledger, &register);
        let key = witness.verifier().clone();
        let now = 1_785_000_000 + round as u64;
        let mut post = |body: &str| {
            posts += 1;
            let answer = witness.add_checkpoint(body, now).unwrap();
            Ok((answer.status(), answer.body()))
        };
        // Every other time the log has forgotten what the witness knows, and is told.
        let cosigned =
            cosign(&ledger.reader(), &key, if round % 2 == 0 { known } else { 0 }, &mut post).unwrap();
        known = cosigned.size;
        assert_eq!((cosigned.size, cosigned.time), (ledger.size(), now));
        let log: NoteVerifier = ledger.vkey().parse().unwrap();
        let note = Note::parse(cosigned.note.as_bytes()).unwrap();
        assert_eq!(note.verify(&[&log, &key]).unwrap().len(), 2);
        assert_eq!(Checkpoint::open(cosigned.note.as_bytes(), &log).unwrap().size, ledger.size());
    }
    assert_eq!(posts, 6, "one question more where it had forgotten something");
}

#[test]
fn a_witness_refuses_with_the_status_of_the_specification() {
    let log = NoteSigner::new("log.example.test/a", Algorithm::Ed25519, &[1; 32]).unwrap();
    let signed = |signer: &NoteSigner, origin: &str, leaves: &[&str]| {
        let leaves: Vec<_> = leaves.iter().map(|leaf| tlog::leaf_hash(leaf.as_bytes())).collect();
        let root = tlog::tree_hash(&leaves);
        let text = Checkpoint { origin: origin.into(), size: leaves.len() as u64, root }.to_string();
        Note { signatures: vec![signer.sign(&text, 0)], text }.to_string()
    };
    let request = |old, proof: &[&str], checkpoint: String| {
        let proof = proof.iter().map(|leaf| tlog::leaf_hash(leaf.as_bytes())).collect();
        AddCheckpoint { old, proof, checkpoint }.to_string()
    };
    let register = MemoryHead::default();
    let logs: Vec<(NoteVerifier, Box<dyn Head>)> = vec![(log.verifier().clone(), Box::new(register.clone()))];
    let mut witness = Witness::new("witness.example.test/w1", &[3; 32], logs).unwrap();
    let name = "log.example.test/a";
    let mut ask = |body: String| {
        let answer = witness.add_checkpoint(&body, 1).unwrap();
        (answer.status(), answer.body(), answer.media_type())
    };
    assert_eq!(ask("old x\n\n".into()).0, 400);
    assert_eq!(ask(request(0, &[], signed(&log, "log.example.test/b", &["a"]))).0, 404);
    let stranger = NoteSigner::new(name, Algorithm::Ed25519, &[2; 32]).unwrap();
    assert_eq!(ask(request(0, &[], signed(&stranger, name, &["a"]))).0, 403);
    assert_eq!(ask(request(2, &[], signed(&log, name, &["a"]))).0, 400, "older size beyond the checkpoint");
    assert_eq!(ask(request(1, &[], signed(&log, name, &["a"]))), (409, "0\n".into(), "text/x.tlog.size"));
    assert_eq!(ask(request(0, &["a"], signed(&log, name, &["a"]))).0, 422, "a proof from nothing is empty");
    assert!(register.0.lock().unwrap().is_none(), "nothing signed so far");

    assert_eq!(ask(request(0, &[], signed(&log, name, &["a"]))).0, 200);
    assert_eq!(ask(request(1, &["b"], signed(&log, name, &["a", "b"]))).0, 200);
    assert_eq!(ask(request(2, &[], signed(&log, name, &["a", "b"]))).0, 200, "the same again");
    assert_eq!(ask(request(1, &["b"], signed(&log, name, &["a", "b"]))).1, "2\n", "stale");
    assert_eq!(
        ask(request(2, &[], signed(&log, name, &["a", "x"]))).0,
        409,
        "another root for the same size"
    );
    assert_eq!(ask(request(2, &["c"], signed(&log, name, &["a", "x", "c"]))).0, 422, "a fork");
    assert_eq!(ask(request(2, &["c"], signed(&log, name, &["a", "b", "c"]))).0, 200);
}

/// A register that cannot be written.
struct Broken(MemoryHead);

impl Head for Broken {
    fn load(&self) -> Result<Option<String>, HeadError> {
        self.0.load()
    }

    fn compare_and_swap(&mut self, _: Option<&str>, _: &str) -> Result<bool, HeadError> {
        Err("the disk is full".into())
    }
}

#[test]
fn what_isnt_on_the_disk_isnt_signed_and_a_forked_log_is_told() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut ledger = open(one.path(), &MemoryHead::default()).unwrap();
    let key: NoteVerifier = ledger.vkey().parse().unwrap();
    // The same keys and another history: what an operator could do.
    let mut fork = open(two.path(), &MemoryHead::default()).unwrap();
    assert_eq!(fork.vkey(), ledger.vkey());
    ledger.append(entries(0..5)).unwrap();
    fork.append(entries(10..15)).unwrap();

    let logs: Vec<(NoteVerifier, Box<dyn Head>)> = vec![(key, Box::new(Broken(MemoryHead::default())))];
    let mut broken = Witness::new("witness.example.test/w1", &[3; 32], logs).unwrap();
    let body = AddCheckpoint { old: 0, proof: vec![], checkpoint: ledger.checkpoint().unwrap() }.to_string();
    assert!(broken.add_checkpoint(&body, 1).is_err());

    let register = MemoryHead::default();
    let mut witness = witness(&ledger, &register);
    let name = witness.verifier().clone();
    let mut post = |body: &str| -> io::Result<(u16, String)> {
        let answer = witness.add_checkpoint(body, 1).unwrap();
        assert!(answer.status() != 200 || matches!(answer, WitnessAnswer::Cosigned(_)));
        Ok((answer.status(), answer.body()))
    };
    cosign(&ledger.reader(), &name, 0, &mut post).unwrap();
    let told = cosign(&fork.reader(), &name, 5, &mut post).unwrap_err().to_string();
    assert!(told.contains("another log of 5 entries under this name: it was forked"), "{told}");
    ledger.append(entries(5..9)).unwrap();
    cosign(&ledger.reader(), &name, 5, &mut post).unwrap();
    let told = cosign(&fork.reader(), &name, 5, &mut post).unwrap_err().to_string();
    assert!(told.contains("with 9 entries, and it has 5: it was rolled back or forked"), "{told}");
    // An answer signed by somebody else is no cosignature.
    let mut forged = |_: &str| Ok((200, "— witness.example.test/w1 AAAAAAAAAAAA\n".to_owned()));
    assert!(cosign(&ledger.reader(), &name, 0, &mut forged).is_err());
}
