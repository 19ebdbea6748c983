//! Anchors from their bytes: what fits is reported, what was altered, is another log's or contradicts this one is refused.
//! Cosignatures are checked by openssl too, and Go reads the notes.
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]
#![allow(clippy::print_stdout, reason = "a test says what it skips")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{KEY, Map, MemoryHead, entries, go, load, logcheck, open, put_key};
use ledger::witness::{Cosigned, cosign};
use ledger::{Kind, Ledger, NewEntry};
use model::Instant;
use serde_json::{Value as Json, json};
use tlog::{AddCheckpoint, Algorithm, Checkpoint, Note, NoteSigner, NoteVerifier};
use verify::{Folder, Options, Voucher};

const PLAIN: Options = Options { acknowledged: None, ahead: false };
const AT: u64 = 1_785_000_000;

fn witness(seed: u8) -> NoteSigner {
    NoteSigner::new("witness.example.test/w1", Algorithm::CosignatureV1, &[seed; 32]).unwrap()
}

/// The published checkpoint, cosigned by a witness that signs whatever it is asked to.
fn cosigned(ledger: &Ledger, by: &NoteSigner) -> Cosigned {
    let mut post = |body: &str| {
        let request: AddCheckpoint = body.parse().unwrap();
        let note = Note::parse(request.checkpoint.as_bytes()).unwrap();
        Ok((200, by.sign(&note.text, AT).to_string()))
    };
    cosign(&ledger.reader(), by.verifier(), 0, &mut post).unwrap()
}

fn kept(ledger: &Ledger, by: &NoteSigner, external: bool) -> NewEntry {
    let at = Instant::from_seconds(AT as i64);
    cosigned(ledger, by).to_entry("tickmark", by.verifier(), external, at).unwrap()
}

fn key(ledger: &Ledger) -> NoteVerifier {
    ledger.vkey().parse().unwrap()
}

fn grown(folder: &Path, to: u64) -> Ledger {
    let mut ledger = open(folder, &MemoryHead::default());
    ledger.append(entries(0..to)).unwrap();
    ledger
}

#[test]
fn anchors_of_the_ledger_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = grown(dir.path(), 3);
    let report =
        |ledger: &Ledger| verify::evidence(&Folder::new(dir.path()), &key(ledger), &KEY, PLAIN).unwrap();
    assert!(report(&ledger).to_string().ends_with("; no anchor"));
    let anchor = kept(&ledger, &witness(3), false);
    ledger.append(vec![anchor]).unwrap();
    assert!(report(&ledger).to_string().ends_with("; 1 anchor fits"));
    ledger.append(entries(4..300)).unwrap();
    let anchor = kept(&ledger, &witness(4), true);
    ledger.append(vec![anchor]).unwrap();
    let anchor = kept(&ledger, &witness(3), false);
    ledger.append(vec![anchor]).unwrap();
    let report = report(&ledger);
    assert!(report.to_string().ends_with("; 3 anchors fit"));
    // The newest that is somebody else's says more than a newer one of the keeper's.
    assert_eq!(
        verify::newest(&report.anchors).unwrap().to_string(),
        "the first 300 entries were cosigned by the witness `witness.example.test/w1` at 2026-07-25T17:20:00Z, somebody \
         else by the keeper's word"
    );
    let [one, two, three] = &report.anchors[..] else { panic!("{report}") };
    assert_eq!((one.place.as_str(), one.size, one.external), ("entry 3", 3, Some(false)));
    assert_eq!((two.place.as_str(), two.size, two.external), ("entry 300", 300, Some(true)));
    assert_eq!((three.place.as_str(), three.size), ("entry 301", 301));
    assert!(matches!(&two.by, Voucher::Witness(by) if **by == *witness(4).verifier()));
}

#[test]
fn an_entry_that_lies_about_its_anchor_is_refused() {
    let (dir, fork, other) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ledger = grown(dir.path(), 5);
    let document: Json = serde_json::from_slice(&kept(&ledger, &witness(3), true).document).unwrap();
    // The same keys and another history.
    let mut forked = open(fork.path(), &MemoryHead::default());
    forked.append(entries(10..15)).unwrap();
    assert_eq!(forked.vkey(), ledger.vkey());
    // Ten entries: as many as this log will not have when they are claimed.
    let longer = grown(other.path(), 10);
    let stranger = NoteSigner::new("log.example.test/other", Algorithm::Ed25519, &[1; 32]).unwrap();
    let foreign = {
        let text = Checkpoint { origin: "log.example.test/other".into(), size: 0, root: tlog::EMPTY_ROOT }
            .to_string();
        Note { signatures: vec![stranger.sign(&text, 0), witness(3).sign(&text, AT)], text }.to_string()
    };
    let text = |name: &str| document[name].as_str().unwrap().to_owned();
    let with = |name: &str, value: Json| {
        let mut twisted = document.clone();
        twisted[name] = value;
        twisted.to_string()
    };
    let unsigned: String = {
        let note = text("checkpoint");
        let lines: Vec<&str> = note.lines().collect();
        lines.iter().filter(|l| !l.contains("witness.example.test")).map(|l| format!("{l}\n")).collect()
    };
    let cases = [
        (document.to_string(), ""),
        ("{}".to_owned(), "it cannot be read: missing field"),
        (with("type", json!("rfc9999")), "it is of a kind that this verifier doesn't know: `rfc9999`"),
        (with("type", json!("rfc3161")), "it is of a kind that this verifier doesn't know"),
        (
            with("time", json!("2026-07-25T17:20:01Z")),
            "it says 2026-07-25T17:20:01Z, and what it rests on says",
        ),
        (with("witness", json!(witness(4).verifier().to_string())), "no signature by a known key"),
        (with("witness", json!(ledger.vkey())), "is no key of a witness"),
        (
            with("witness", json!("witness.example.test/w1+00000000+AAAA")),
            "neither Ed25519 (1) nor cosignature/v1 (4)",
        ),
        (with("checkpoint", json!(unsigned)), "no signature by a known key"),
        (
            with("checkpoint", json!(text("checkpoint").replace("\n5\n", "\n4\n"))),
            "the text or the signature was altered",
        ),
        (
            with("checkpoint", json!(foreign)),
            "it is of the log `log.example.test/other`, and this one is `tickmark/",
        ),
        (
            with("checkpoint", json!(cosigned(&forked, &witness(3)).note)),
            "the first 5 entries of the log aren't the ones it is for: the history was rewritten",
        ),
        (
            with("checkpoint", json!(cosigned(&longer, &witness(3)).note)),
            "it is for 10 entries, and only 5 stood before it",
        ),
    ];
    for (document, expect) in cases {
        // Every lie in a ledger of its own, well signed as everything in it.
        let own = tempfile::tempdir().unwrap();
        let mut ledger = grown(own.path(), 5);
        let mut entry = kept(&ledger, &witness(3), true);
        entry.document = document.into_bytes();
        assert_eq!(entry.kind, Kind::Anchor);
        ledger.append(vec![entry]).unwrap();
        match verify::evidence(&Folder::new(own.path()), &key(&ledger), &KEY, PLAIN) {
            Ok(report) => assert_eq!(expect, "", "{report}"),
            Err(refusal) => {
                let said = refusal.to_string();
                assert!(said.starts_with("`entry 5` doesn't hold as an anchor: "), "{said}");
                assert!(!expect.is_empty() && said.contains(expect), "`{said}` should say `{expect}`");
            }
        }
    }
}

#[test]
fn copies_beside_the_ledger_are_held_to_log_and_entries() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = grown(dir.path(), 5);
    let early = load(dir.path());
    ledger.append(entries(5..9)).unwrap();
    let key = key(&ledger);
    let cosigned = cosigned(&ledger, &witness(3));
    ledger.append(vec![kept(&ledger, &witness(3), true)]).unwrap();
    let mut data = load(dir.path());
    data.insert("anchors/9.cosigned".into(), cosigned.note.clone().into_bytes());
    data.insert("anchors/9.vkey".into(), format!("{}\n", witness(3).verifier()).into_bytes());
    data.insert("anchors/notes.txt".into(), b"nobody's claim".to_vec());
    let log = |data: &Map| {
        let log = data.iter().filter_map(|(p, b)| Some((p.strip_prefix("log/")?.to_owned(), b.clone())));
        verify::log(&log.collect::<Map>(), &key, PLAIN).unwrap()
    };
    let anchors = verify::anchors(&data, &key, &log(&data)).unwrap();
    assert_eq!((anchors.len(), anchors[0].size, anchors[0].external), (1, 9, None));
    // Copy and entry are one anchor.
    let report = verify::evidence(&data, &key, &KEY, PLAIN).unwrap();
    assert_eq!((report.anchors.len(), report.anchors[0].external), (1, Some(true)));

    let check = |harm: &dyn Fn(&mut Map), expect: &str| {
        let mut harmed = data.clone();
        harm(&mut harmed);
        let said = verify::anchors(&harmed, &key, &log(&harmed)).unwrap_err().to_string();
        assert!(said.contains(expect), "`{said}` should say `{expect}`");
        assert!(verify::evidence(&harmed, &key, &KEY, PLAIN).is_err());
    };
    // The whole workspace put back, but for what lies here.
    let back = |data: &mut Map| {
        data.retain(|path, _| path.starts_with("anchors/"));
        data.extend(early.clone());
    };
    check(
        &back,
        "`anchors/9.cosigned` doesn't hold as an anchor: it is for 9 entries, and the log has 5: the log was rolled back",
    );
    check(&|data| drop(data.remove("anchors/9.vkey")), "`anchors/9.vkey` cannot be read");
    let mut bare = data.clone();
    bare.retain(|path, _| path != "anchors/9.cosigned" && path != "anchors/9.vkey");
    // A checkpoint that somebody kept binds too, though it vouches for no time.
    bare.insert("anchors/kept.checkpoint".into(), cosigned.note.clone().into_bytes());
    assert_eq!(verify::evidence(&bare, &key, &KEY, PLAIN).unwrap().anchors.len(), 1);
    bare.retain(|path, _| path.starts_with("anchors/"));
    bare.extend(early.clone());
    assert!(verify::anchors(&bare, &key, &log(&bare)).unwrap_err().to_string().contains("rolled back"));

    // Every byte of the note: what no signature covers there isn't.
    for at in 0..cosigned.note.len() {
        for bit in [1, 0x20, 0x80] {
            let mut harmed = data.clone();
            harmed.get_mut("anchors/9.cosigned").unwrap()[at] ^= bit;
            assert!(verify::anchors(&harmed, &key, &log(&data)).is_err(), "byte {at}, bit {bit:#x}");
        }
    }
    // Another cosignature that fits isn't the one that was entered.
    let mut other = data.clone();
    let signed = {
        let note = Note::parse(cosigned.note.as_bytes()).unwrap();
        let signatures = vec![note.signatures[0].clone(), witness(4).sign(&note.text, AT)];
        Note { text: note.text, signatures }.to_string()
    };
    other.insert("anchors/9.cosigned".into(), signed.into_bytes());
    other.insert("anchors/9.vkey".into(), format!("{}\n", witness(4).verifier()).into_bytes());
    verify::anchors(&other, &key, &log(&other)).unwrap();
    let said = verify::evidence(&other, &key, &KEY, PLAIN).unwrap_err().to_string();
    assert!(said.contains("it isn't the one that entry 9 of the ledger keeps"), "{said}");
}

/// Roots at earlier sizes come from the tiles of now; the entries themselves must give the same.
#[test]
fn any_earlier_checkpoint_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path(), &MemoryHead::default());
    let sizes = [0, 1, 2, 255, 256, 257, 300, 511, 512, 513, 700];
    let mut notes = Vec::new();
    for size in sizes {
        ledger.append(entries(ledger.size()..size)).unwrap();
        notes.push(cosigned(&ledger, &witness(3)).note);
    }
    let fork = tempfile::tempdir().unwrap();
    let mut forked = open(fork.path(), &MemoryHead::default());
    let files = load(&dir.path().join("log"));
    let ask = |note: &str| {
        let witnesses = [witness(3).verifier().clone()];
        verify::anchor(note.as_bytes(), &files, &key(&ledger), &witnesses, &[], PLAIN)
    };
    for (size, note) in sizes.into_iter().zip(&notes) {
        let (report, anchors) = ask(note).unwrap();
        assert_eq!((report.published, anchors[0].size), (700, size));
        verify::grow(note.as_bytes(), &files, &key(&ledger), PLAIN).unwrap();
        if size > 0 {
            forked.append(entries(1_000 + forked.size()..1_000 + size)).unwrap();
            let note = cosigned(&forked, &witness(3)).note;
            assert!(ask(&note).unwrap_err().to_string().contains("the history was rewritten"));
            assert!(verify::grow(note.as_bytes(), &files, &key(&ledger), PLAIN).is_err());
        }
    }
}

fn openssl(folder: &Path, arguments: &str) -> Result<(), String> {
    let output = Command::new("openssl").current_dir(folder).args(arguments.split(' ')).output();
    let output = output.map_err(|e| format!("openssl cannot be run: {e}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn has_openssl(folder: &Path) -> bool {
    let version = openssl(folder, "version");
    if let Err(why) = &version {
        assert!(std::env::var_os("TICKMARK_CI").is_none(), "{why}");
        println!("skipped: {why}");
    }
    version.is_ok()
}

#[test]
fn a_cosigned_note_holds_for_openssl_and_go() {
    let (dir, side) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let side = side.path();
    let mut ledger = grown(dir.path(), 300);
    let note = cosigned(&ledger, &witness(3)).note;
    ledger.append(entries(300..700)).unwrap();
    let cosigned = side.join("cosigned");
    fs::write(&cosigned, &note).unwrap();
    if has_openssl(side) {
        // By hand from the specification: the last line is base64(id[4] ‖ time[8] ‖ signature[64]) over two lines and the text.
        let (text, signatures) = note.split_once("\n\n").unwrap();
        let line = signatures.lines().last().unwrap().strip_prefix("— witness.example.test/w1 ").unwrap();
        let bytes = STANDARD.decode(line).unwrap();
        assert_eq!(bytes[4..12], AT.to_be_bytes());
        let vkey = witness(3).verifier().to_string();
        let public = STANDARD.decode(vkey.splitn(3, '+').nth(2).unwrap()).unwrap();
        assert_eq!((public.len(), public[0]), (33, 4));
        // SubjectPublicKeyInfo of Ed25519, RFC 8410.
        let spki = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00], &public[1..]]
            .concat();
        fs::write(side.join("key.der"), spki).unwrap();
        fs::write(side.join("signature"), &bytes[12..]).unwrap();
        let verify =
            "pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in message -sigfile signature";
        fs::write(side.join("message"), format!("cosignature/v1\ntime {AT}\n{text}\n")).unwrap();
        openssl(side, verify).unwrap();
        fs::write(side.join("message"), format!("cosignature/v1\ntime {}\n{text}\n", AT + 1)).unwrap();
        openssl(side, verify).unwrap_err();
    }
    let Some(logcheck) = logcheck() else { return };
    // Go knows no cosignatures: it passes over that line, and the log's own signature and growth still hold.
    let vkey = put_key(side, &key(&ledger));
    let log = dir.path().join("log");
    let said = go(&logcheck, &[&cosigned, &log, &vkey], "grow").unwrap();
    assert!(said.contains("700 entries"), "{said}");
    fs::write(&cosigned, note.replace("\n300\n", "\n299\n")).unwrap();
    go(&logcheck, &[&cosigned, &log, &vkey], "grow").unwrap_err();
}

#[test]
fn a_time_stamp_is_over_its_checkpoint() {
    let (dir, side) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let side = side.path();
    if !has_openssl(side) {
        return;
    }
    fs::write(
        side.join("tsa.cnf"),
        "[req]\ndistinguished_name=dn\n[dn]\n[ext]\nextendedKeyUsage=critical,timeStamping\n[tsa]\ndefault_tsa=own\n[own]\n\
         serial=serial\ncrypto_device=builtin\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256,sha512\n\
         clock_precision_digits=3\n",
    )
    .unwrap();
    fs::write(side.join("serial"), "01\n").unwrap();
    openssl(side, "req -x509 -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.pem -subj /CN=Example.test -days 30 -config tsa.cnf -extensions ext").unwrap();
    let mut ledger = grown(dir.path(), 5);
    let key = key(&ledger);
    let checkpoint = ledger.checkpoint().unwrap();
    let stamp = |bytes: &str, digest: &str| {
        fs::write(side.join("data"), bytes).unwrap();
        openssl(side, &format!("ts -query -data data -{digest} -cert -out query.tsq")).unwrap();
        openssl(
            side,
            "ts -reply -config tsa.cnf -queryfile query.tsq -inkey tsa.key -signer tsa.pem -out answer.tsr",
        )
        .unwrap();
        fs::read(side.join("answer.tsr")).unwrap()
    };
    let answer = stamp(&checkpoint, "sha256");
    ledger.append(entries(5..9)).unwrap();
    let files = load(&dir.path().join("log"));
    let ask = |answer: &[u8]| {
        let asked = verify::anchor(checkpoint.as_bytes(), &files, &key, &[], &[answer.to_vec()], PLAIN);
        asked.map(|(_, anchors)| anchors[0].clone()).map_err(|e| e.to_string())
    };
    let anchor = ask(&answer).unwrap();
    assert_eq!((anchor.size, &anchor.by), (5, &Voucher::Authority));
    let check = |answer: &[u8], expect: &str| {
        let said = ask(answer).unwrap_err();
        assert!(said.contains(expect), "`{said}` should say `{expect}`");
    };
    check(&stamp(&format!("{checkpoint} "), "sha256"), "is over other bytes than its checkpoint");
    check(&stamp(&checkpoint, "sha512"), "is over other bytes than its checkpoint");
    check(&[0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02], "the time-stamp authority refused");
    for garbage in [&b"<html>"[..], b"", &answer[..answer.len() - 1], &[&answer[..], b"x"].concat()] {
        check(garbage, "it is no answer of a time-stamp authority");
    }
    // In the ledger and as a copy. The copy's signature isn't checked here, so the entry has to hold it.
    let at = Instant::from_seconds(AT as i64);
    let time = {
        let document = json!({ "type": "rfc3161", "checkpoint": checkpoint, "time": anchor.time, "external": true,
            "answer": STANDARD.encode(&answer) });
        let mut entry = kept(&ledger, &witness(3), true);
        entry.document = document.to_string().into_bytes();
        entry.collected_at = at;
        ledger.append(vec![entry]).unwrap();
        anchor.time
    };
    let mut data = load(dir.path());
    data.insert("anchors/5.tsr".into(), answer.clone());
    data.insert("anchors/5.checkpoint".into(), checkpoint.clone().into_bytes());
    let report = verify::evidence(&data, &key, &KEY, PLAIN).unwrap();
    assert_eq!((report.anchors.len(), report.anchors[0].time), (1, time));
    for at in (0..answer.len()).step_by(7) {
        let mut harmed = data.clone();
        harmed.get_mut("anchors/5.tsr").unwrap()[at] ^= 1;
        assert!(verify::evidence(&harmed, &key, &KEY, PLAIN).is_err(), "byte {at}");
    }
}
