//! The product's logs before a verifier nobody here wrote: Go's `x/mod/sumdb` packages, as `logcheck` wraps them. It must
//! accept what we write, and whatever it refuses our verifier must refuse.
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]
#![allow(clippy::print_stdout, reason = "a test says what it skips")]

mod common;

use std::fs;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use common::{MemoryHead, entries, go, load, logcheck, open, put_key, written};
use tlog::NoteVerifier;
use verify::{Files as _, Folder, Options};

const PLAIN: Options = Options { acknowledged: None, ahead: false };

#[test]
fn logs_proofs_and_growth_hold_for_go() {
    let Some(logcheck) = logcheck() else { return };
    let mut sizes = vec![0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 1_000];
    if std::env::var_os("TICKMARK_LONG").is_some() || std::env::var_os("TICKMARK_CI").is_some() {
        sizes.extend([65_535, 65_536, 65_537]);
    }
    let dir = tempfile::tempdir().unwrap();
    let head = MemoryHead::default();
    let mut ledger = open(dir.path(), &head);
    let key: NoteVerifier = ledger.vkey().parse().unwrap();
    let side = tempfile::tempdir().unwrap();
    let vkey = put_key(side.path(), &key);
    let log = dir.path().join("log");
    let (old, proof, leaf) =
        (side.path().join("old"), side.path().join("p.tlog-proof"), side.path().join("leaf"));
    fs::write(&old, ledger.checkpoint().unwrap()).unwrap();
    for size in sizes {
        let grown_from = fs::read(&old).unwrap();
        ledger.append(entries(ledger.size()..size)).unwrap();
        let line = go(&logcheck, &[&log, &vkey], "log").unwrap();
        assert!(line.contains(&format!("{size} entries")), "{line}");
        go(&logcheck, &[&old, &log, &vkey], "grow").unwrap();
        verify::log(&Folder::new(&log), &key, PLAIN).unwrap();
        verify::grow(&grown_from, &Folder::new(&log), &key, PLAIN).unwrap();
        for index in [0, size / 3, size / 2, size.saturating_sub(1)] {
            if index < size {
                fs::write(&proof, ledger.proof(index).unwrap()).unwrap();
                fs::write(&leaf, ledger.reader().leaf_bytes(index).unwrap()).unwrap();
                go(&logcheck, &[&proof, &leaf, &vkey], "proof").unwrap();
                fs::write(&leaf, b"another").unwrap();
                go(&logcheck, &[&proof, &leaf, &vkey], "proof").unwrap_err();
            }
        }
        fs::write(&old, ledger.checkpoint().unwrap()).unwrap();
    }
}

#[test]
fn what_go_refuses_we_refuse() {
    let Some(logcheck) = logcheck() else { return };
    let (dir, key) = written(&[3, 250, 10, 300]);
    let log = dir.path().join("log");
    let side = tempfile::tempdir().unwrap();
    let vkey = put_key(side.path(), &key);
    let mut state = 99_u64;
    let mut dice = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let files = load(&log);
    let paths: Vec<&String> = files.keys().collect();
    let mut refused = 0;
    for turn in 0..160 {
        let name = paths[dice(paths.len())];
        let path = log.join(name);
        let mut bytes = files[name].clone();
        let at = dice(bytes.len());
        match turn % 5 {
            0 => bytes[at] ^= 1 << dice(8),
            1 => bytes.truncate(at),
            2 => bytes.insert(at, b'0'),
            3 => bytes.clone_from(&files[paths[dice(paths.len())]]),
            _ => drop(fs::remove_file(&path)),
        }
        if turn % 5 != 4 {
            fs::write(&path, &bytes).unwrap();
        }
        let ours = verify::log(&Folder::new(&log), &key, PLAIN);
        if let Err(theirs) = go(&logcheck, &[&log, &vkey], "log") {
            refused += 1;
            assert!(ours.is_err(), "turn {turn}, {name}: Go says `{theirs}`, we let it pass");
        }
        fs::write(&path, &files[name]).unwrap();
    }
    println!("Go refused {refused} of 160");
    assert!(refused > 60);
    assert_eq!(Folder::new(&log).list().unwrap().len(), files.len());
    go(&logcheck, &[&log, &vkey], "log").unwrap();
}

/// Whether two checkpoints differ in nothing but the bits of a signature's last base64 digit that stand for no byte. Go reads
/// over them; here a signature has one spelling only, as RFC 4648, section 3.5, allows.
fn spare_bits_only(before: &[u8], after: &[u8]) -> bool {
    let lenient = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    let lenient = GeneralPurpose::new(&alphabet::STANDARD, lenient);
    let read = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).ok()?;
        let (rest, signature) = text.strip_suffix('\n')?.rsplit_once(' ')?;
        Some((rest.to_owned(), lenient.decode(signature).ok()?))
    };
    before != after && read(before).is_some() && read(before) == read(after)
}

#[test]
fn a_signature_has_one_spelling() {
    let signer = tlog::NoteSigner::new("log.example.test/a", tlog::Algorithm::Ed25519, &[1; 32]).unwrap();
    let files = common::hand_made(&[vec![1]], &signer);
    let note = &files["checkpoint"];
    let last = note.len() - 3;
    assert_eq!(&note[last + 1..], b"=\n", "sixty-eight bytes end in one sign of padding");
    let other = |change: u8| {
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let digit = digits.iter().position(|d| *d == note[last]).unwrap();
        let mut note = note.clone();
        note[last] = digits[digit ^ usize::from(change)];
        note
    };
    // The two lowest bits stand for no byte; the third does.
    assert!(spare_bits_only(note, &other(1)) && spare_bits_only(note, &other(3)));
    assert!(!spare_bits_only(note, &other(4)) && !spare_bits_only(note, note));
    let side = tempfile::tempdir().unwrap();
    for (name, bytes) in &files {
        fs::create_dir_all(side.path().join(name).parent().unwrap()).unwrap();
        fs::write(side.path().join(name), bytes).unwrap();
    }
    let verdict = || verify::log(&Folder::new(side.path()), signer.verifier(), PLAIN).is_ok();
    assert!(verdict());
    fs::write(side.path().join("checkpoint"), other(1)).unwrap();
    assert!(!verdict());
}

/// Logs of any size with entries of any bytes, half of them damaged somewhere. `TICKMARK_LONG=1`: 10,000 of them.
#[test]
fn random_logs_get_the_same_verdict() {
    let Some(logcheck) = logcheck() else { return };
    let many = if std::env::var_os("TICKMARK_LONG").is_some() { 10_000 } else { 60 };
    let mut state = 7_u64;
    let mut dice = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let signer = tlog::NoteSigner::new("log.example.test/a", tlog::Algorithm::Ed25519, &[1; 32]).unwrap();
    let side = tempfile::tempdir().unwrap();
    let vkey = put_key(side.path(), signer.verifier());
    let log = side.path().join("log");
    for turn in 0..many {
        let size = dice([3, 20, 300, 700][turn % 4]);
        let random: Vec<Vec<u8>> =
            (0..size).map(|_| (0..dice(40)).map(|_| dice(256) as u8).collect()).collect();
        let files = common::hand_made(&random, &signer);
        let _ = fs::remove_dir_all(&log);
        for (name, bytes) in &files {
            fs::create_dir_all(log.join(name).parent().unwrap()).unwrap();
            fs::write(log.join(name), bytes).unwrap();
        }
        if turn % 2 == 1 {
            let name = files.keys().nth(dice(files.len())).unwrap();
            let mut bytes = files[name].clone();
            if !bytes.is_empty() {
                let at = dice(bytes.len());
                bytes[at] ^= 1 << dice(8);
            }
            fs::write(log.join(name), bytes).unwrap();
        }
        let theirs = go(&logcheck, &[&log, &vkey], "log");
        let ours = verify::log(&Folder::new(&log), signer.verifier(), PLAIN);
        let spared = || spare_bits_only(&files["checkpoint"], &fs::read(log.join("checkpoint")).unwrap());
        if ours.is_err() && theirs.is_ok() && spared() {
            continue;
        }
        assert_eq!(ours.is_ok(), theirs.is_ok(), "turn {turn}: ours {ours:?}, Go's {theirs:?}");
    }
}
