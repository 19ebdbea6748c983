//! Time and witnesses from outside: a time-stamp authority made with openssl judges and is judged, and what a witness answers
//! is checked before it is kept.
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod common;

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use common::{MemoryHead, entries, open};
use ledger::witness::cosign;
use ledger::{Kind, timestamp};
use model::Instant;
use proptest::prelude::*;
use tlog::{AddCheckpoint, Algorithm, Note, NoteSigner, NoteVerifier};

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

/// Status, and the body that is answered to the body that was sent.
type Answer<'a> = (u16, &'a dyn Fn(&str) -> String);

/// A witness that signs whatever it is asked to: what the log's side makes of its answers is in question here. Both sides
/// together: `crates/witness/tests`.
fn signed(signer: &NoteSigner, body: &str, time: u64) -> String {
    let request: AddCheckpoint = body.parse().unwrap();
    let note = Note::parse(request.checkpoint.as_bytes()).unwrap();
    signer.sign(&note.text, time).to_string()
}

#[test]
fn an_answer_is_kept_only_if_it_is_the_witnesss_signature_over_this_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path(), &MemoryHead::default()).unwrap();
    ledger.append(entries(0..5)).unwrap();
    let signer = NoteSigner::new("witness.example.test/w1", Algorithm::CosignatureV1, &[3; 32]).unwrap();
    let stranger = NoteSigner::new("witness.example.test/w1", Algorithm::CosignatureV1, &[4; 32]).unwrap();
    let other = NoteSigner::new("other.example.test/w2", Algorithm::CosignatureV1, &[5; 32]).unwrap();
    let key = signer.verifier();
    let log: NoteVerifier = ledger.vkey().parse().unwrap();
    let ask = |known: u64, answers: &[Answer<'_>]| {
        let mut answers = answers.iter();
        let mut post = |body: &str| {
            let (status, text) = answers.next().expect("no more questions than answers");
            Ok((*status, text(body)))
        };
        cosign(&ledger.reader(), key, known, &mut post).map_err(|e| e.to_string())
    };
    let good = |body: &str| signed(&signer, body, 1_785_000_000);

    // Other keys' lines around it are ignored.
    let crowd =
        |body: &str| format!("{}{}{}", signed(&other, body, 7), good(body), signed(&stranger, body, 7));
    for answer in [&good as &dyn Fn(&str) -> String, &crowd] {
        let cosigned = ask(0, &[(200, answer)]).unwrap();
        assert_eq!((cosigned.size, cosigned.time), (5, Instant::from_seconds(1_785_000_000)));
        let note = Note::parse(cosigned.note.as_bytes()).unwrap();
        assert_eq!((note.signatures.len(), note.verify(&[&log, key]).unwrap().len()), (2, 2));
    }
    let told = ask(0, &[(409, &|_| "2\n".into()), (200, &good)]).unwrap();
    assert_eq!(told.size, 5, "after it said what it knows");

    let check = |known: u64, answers: &[Answer<'_>], expect: &str| {
        let said = ask(known, answers).unwrap_err();
        assert!(said.contains(expect), "`{said}` should say `{expect}`");
        assert!(said.contains("; "), "and what to do: {said}");
        assert!(!said.chars().any(char::is_control), "{said}");
    };
    let none = "holds no signature by the witness `witness.example.test/w1`";
    check(0, &[(200, &|_| "<!DOCTYPE html>\n<html>\u{1b}[2J</html>".into())], none);
    check(0, &[(200, &|_| String::new())], none);
    check(0, &[(200, &|body| good(body)[..60].to_owned())], none);
    check(0, &[(200, &|body| signed(&stranger, body, 1))], none);
    check(0, &[(200, &|body| signed(&signer, body, 0))], "is no time to sign at");
    check(0, &[(200, &|body| signed(&signer, body, u64::MAX))], "is no time to sign at");
    let over_another = |_: &str| signer.sign("log.example.test/a\n5\nx\n", 1).to_string();
    check(0, &[(200, &over_another)], "the text or the signature was altered");

    check(0, &[(409, &|_| "9\n".into())], "with 9 entries, and it has 5: it was rolled back or forked");
    check(5, &[(409, &|_| "5\n".into())], "another log of 5 entries under this name: it was forked");
    let same = |_: &str| "5\n".to_owned();
    check(0, &[(409, &same), (409, &same)], "another log of 5 entries under this name: it was forked");
    check(3, &[(422, &|_| String::new())], "3 entries of this log that aren't its first 3 now");
    check(3, &[(409, &|_| "3\n".into())], "keeps changing its mind");
    check(3, &[(409, &|_| "2\n".into()), (409, &|_| "1\n".into())], "keeps changing its mind");
    check(3, &[(409, &|_| "<html>".into())], "answered 409 without a size: `<html>`");
    check(
        0,
        &[(404, &|_| "not found".into())],
        "doesn't watch this log, or that is not its address (404: `not found`)",
    );
    check(0, &[(403, &|_| String::new())], "knows this log by another key (403: nothing)");
    check(0, &[(503, &|_| "x".repeat(5_000))], "cannot sign now (status 503");
    check(0, &[(302, &|_| String::new())], "refuses with status 302");
}

#[test]
fn a_logs_key_is_no_witness_and_silence_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path(), &MemoryHead::default()).unwrap();
    ledger.append(entries(0..1)).unwrap();
    let own: NoteVerifier = ledger.vkey().parse().unwrap();
    let mut never = |_: &str| -> io::Result<(u16, String)> { panic!("nobody is asked") };
    let said = cosign(&ledger.reader(), &own, 0, &mut never).unwrap_err().to_string();
    assert!(said.contains("is the key of a log, not of a witness"), "{said}");
    let signer = NoteSigner::new("witness.example.test/w1", Algorithm::CosignatureV1, &[3; 32]).unwrap();
    let mut silent = |_: &str| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer"));
    let said = cosign(&ledger.reader(), signer.verifier(), 0, &mut silent).unwrap_err().to_string();
    assert!(said.contains("cannot reach the witness `witness.example.test/w1`: no answer"), "{said}");
}
