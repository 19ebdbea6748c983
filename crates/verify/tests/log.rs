//! Valid logs hold; whatever is done to one is refused.
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod common;

use common::{KEY, Map, hand_made, load, product_log, written};
use proptest::prelude::*;
use tlog::{Algorithm, Note, NoteSigner, NoteVerifier, Tile};
use verify::{Options, Refusal};

const PLAIN: Options = Options { acknowledged: None, ahead: false };

fn holds(log: &Map, key: &NoteVerifier) -> Result<u64, Refusal> {
    verify::log(log, key, PLAIN).map(|report| {
        assert_eq!(report.files, log.len() as u64, "every file is accounted for");
        report.published
    })
}

fn check_refused(log: &Map, key: &NoteVerifier, expect: &str) {
    let refusal = holds(log, key).unwrap_err().to_string();
    assert!(refusal.contains(expect), "`{refusal}` should say `{expect}`");
}

fn signer(seed: u8) -> NoteSigner {
    NoteSigner::new("log.example.test/a", Algorithm::Ed25519, &[seed; 32]).unwrap()
}

fn small(range: std::ops::Range<u32>) -> Vec<Vec<u8>> {
    range.map(|i| format!("e{i}").into_bytes()).collect()
}

#[test]
fn logs_of_the_product_hold_at_every_edge() {
    for batches in [&[][..], &[1], &[2], &[255], &[256], &[257], &[100, 155, 1, 1], &[3, 250, 10, 300, 511]] {
        let (log, key) = product_log(batches);
        assert_eq!(holds(&log, &key).unwrap(), batches.iter().sum::<u64>());
    }
}

#[test]
fn every_flipped_bit_of_a_product_log_is_refused() {
    let (log, key) = product_log(&[1, 3, 4]);
    assert!(log.keys().any(|path| path.ends_with(".p/4")), "stale partial tiles are part of the test");
    flip_all(&log, &key, 8, 1);
}

#[test]
fn flipped_bytes_of_a_log_of_several_levels_are_refused() {
    flip_all(&hand_made(&small(0..270), &signer(1)), signer(1).verifier(), 1, 7);
}

/// `TICKMARK_LONG=1`: the figure of the design, 1,000 entries as the product writes them.
#[test]
fn every_flipped_byte_of_a_thousand_entries_is_refused() {
    if std::env::var_os("TICKMARK_LONG").is_none() {
        println!("skipped: takes minutes; set TICKMARK_LONG=1");
        return;
    }
    let (log, key) = product_log(&[1, 299, 700]);
    flip_all(&log, &key, 1, 1);
}

fn flip_all(log: &Map, key: &NoteVerifier, bits: u32, step: usize) {
    holds(log, key).unwrap();
    let mut flipped = log.clone();
    for (path, bytes) in log {
        for at in (0..bytes.len()).step_by(step) {
            for bit in 0..bits {
                flipped.get_mut(path).unwrap()[at] ^= 1 << bit;
                assert!(
                    holds(&flipped, key).is_err(),
                    "bit {bit} of byte {at} of {path} changed and the log holds"
                );
                flipped.get_mut(path).unwrap()[at] ^= 1 << bit;
            }
        }
    }
}

/// What a signature of somebody else says isn't ours to vouch for: the report names it, and every change to it is either
/// refused or leaves that name (or the changed one) among what wasn't checked.
#[test]
fn changes_to_a_strangers_signature_are_refused_or_shown_to_be_unchecked() {
    let mut log = hand_made(&small(0..3), &signer(1));
    let witness = NoteSigner::new("witness.example.test", Algorithm::CosignatureV1, &[9; 32]).unwrap();
    let mut note = Note::parse(&log["checkpoint"]).unwrap();
    note.signatures.push(witness.sign(&note.text, 1_780_000_000));
    let text = note.to_string().into_bytes();
    let start = text.len() - note.signatures[1].to_string().len();
    let (mut refused, mut unchecked) = (0, 0);
    for at in 0..text.len() {
        let mut bytes = text.clone();
        bytes[at] ^= 1;
        log.insert("checkpoint".into(), bytes);
        match verify::log(&log, signer(1).verifier(), PLAIN) {
            Err(_) => refused += 1,
            Ok(report) => {
                assert!(at >= start, "byte {at} is signed");
                assert_eq!(report.unchecked_signatures.len(), 1);
                unchecked += 1;
            }
        }
    }
    assert!(refused > start && unchecked > 0, "{refused} refused, {unchecked} unchecked");
}

#[test]
fn whatever_is_done_to_files_is_refused() {
    let (log, key) = product_log(&[3, 250, 10, 300, 511]);
    let with = |change: &dyn Fn(&mut Map)| {
        let mut changed = log.clone();
        change(&mut changed);
        changed
    };
    for path in log.keys() {
        let stale =
            Tile::parse(path).is_some_and(|tile| Tile::of(tile.level, tile.index, 1074) != Some(tile));
        let without = holds(&with(&|log| drop(log.remove(path))), &key);
        assert_eq!(without.is_ok(), stale, "only a superseded partial tile may be missing, not {path}");
        for change in [
            |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1),
            |bytes: &mut Vec<u8>| bytes.push(0),
            |bytes: &mut Vec<u8>| bytes.clear(),
            |bytes: &mut Vec<u8>| bytes.extend(bytes.clone()),
        ] {
            let changed = with(&|log| change(log.get_mut(path).unwrap()));
            assert!(holds(&changed, &key).is_err(), "{path} cut, grown, emptied or doubled");
        }
        for other in log.keys().filter(|other| *other != path) {
            let swapped = with(&|log| {
                let (a, b) = (log[path].clone(), log[other].clone());
                log.insert(path.clone(), b);
                log.insert(other.clone(), a);
            });
            assert!(holds(&swapped, &key).is_err(), "{path} and {other} swapped");
        }
    }
    let unknown = "is no file of a log";
    for extra in [
        "notes.txt",
        "checkpoint.bak",
        "tile/0/0",
        "tile/entries/000.p/256",
        "tile/x",
        ".hidden",
        "tile/9/zzz",
    ] {
        check_refused(&with(&|log| drop(log.insert(extra.into(), vec![]))), &key, unknown);
    }
    check_refused(
        &with(&|log| drop(log.insert("tile/0/777".into(), vec![0; 8192]))),
        &key,
        "beyond the signed checkpoint",
    );
    check_refused(
        &with(&|log| drop(log.insert("tile/0/004.p/51".into(), vec![0; 51 * 32]))),
        &key,
        "beyond the signed",
    );
    check_refused(
        &with(&|log| drop(log.insert("tile/0/000.p/9".into(), vec![0; 9 * 32]))),
        &key,
        "not what the entries give",
    );
}

#[test]
fn a_log_of_another_order_length_or_history_is_refused() {
    let signed = hand_made(&small(0..300), &signer(1));
    let key = signer(1);
    let key = key.verifier();
    let with_entries = |entries: &[Vec<u8>]| {
        // Everything rebuilt to fit the other entries, under the checkpoint that was signed.
        let mut other = hand_made(entries, &signer(1));
        other.insert("checkpoint".into(), signed["checkpoint"].clone());
        other
    };
    let mut reordered = small(0..300);
    reordered.swap(10, 290);
    check_refused(&with_entries(&reordered), key, "don't give the signed root");
    let mut replaced = small(0..300);
    replaced[255] = b"another".to_vec();
    check_refused(&with_entries(&replaced), key, "don't give the signed root");
    assert!(holds(&with_entries(&small(0..299)), key).is_err(), "shorter");
    assert!(holds(&with_entries(&small(0..301)), key).is_err(), "longer");
    assert!(holds(&hand_made(&small(0..300), &signer(2)), key).is_err(), "signed by another key");

    let old = hand_made(&small(0..100), &signer(1));
    let grow =
        |old: &Map, new: &Map| verify::grow(&old["checkpoint"], new, key, PLAIN).map_err(|e| e.to_string());
    assert_eq!(grow(&old, &signed).unwrap().published, 300);
    assert_eq!(grow(&signed, &signed).unwrap().published, 300);
    assert_eq!(grow(&hand_made(&[], &signer(1)), &signed).unwrap().published, 300);
    assert!(grow(&signed, &old).unwrap_err().contains("shrank from 300 to 100"));
    let mut fork = small(0..300);
    fork[99] = b"rewritten".to_vec();
    assert!(grow(&old, &hand_made(&fork, &signer(1))).unwrap_err().contains("history was rewritten"));
}

#[test]
fn what_is_acknowledged_but_not_published_is_said() {
    let (log, key) = product_log(&[5]);
    let options = |acknowledged| Options { acknowledged: Some(acknowledged), ahead: false };
    let report = verify::log(&log, &key, options(5)).unwrap().to_string();
    assert!(report.contains("5 acknowledged, 5 published"), "{report}");
    let refusal = verify::log(&log, &key, options(6)).unwrap_err();
    assert_eq!(refusal, Refusal::Unpublished { acknowledged: 6, published: 5 });

    // A log caught between its tiles and its checkpoint.
    let mut caught = product_log(&[5, 3]).0;
    caught.insert("checkpoint".into(), log["checkpoint"].clone());
    check_refused(&caught, &key, "beyond the signed checkpoint");
    let report = verify::log(&caught, &key, Options { acknowledged: None, ahead: true }).unwrap();
    assert_eq!((report.published, report.ahead.len()), (5, 2));
}

#[test]
fn evidence_holds_and_every_changed_byte_of_it_is_refused() {
    let (dir, key) = written(&[1, 3]);
    let data = load(dir.path());
    let report = verify::evidence(&data, &key, &KEY, PLAIN).unwrap();
    assert_eq!((report.opened, report.erased, report.packs), (4, 0, 2));
    let wrong = verify::evidence(&data, &key, &[1; 32], PLAIN).unwrap_err().to_string();
    assert!(wrong.contains("the wrapping key doesn't open it"), "{wrong}");

    let ring = String::from_utf8(data["keys/ring"].clone()).unwrap();
    let seed = ring.find("\"seed\"").unwrap();
    let mut changed = data.clone();
    for (path, bytes) in data.iter().filter(|(path, _)| *path != "ledger.lock") {
        for (at, byte) in bytes.iter().enumerate() {
            changed.get_mut(path).unwrap()[at] ^= 1;
            let verdict = verify::evidence(&changed, &key, &KEY, PLAIN);
            // The signing seed and the white space of the ring say nothing of the evidence.
            let outside = path == "keys/ring" && (at >= seed || byte.is_ascii_whitespace());
            assert!(verdict.is_err() || outside, "byte {at} of {path} changed and the evidence holds");
            changed.get_mut(path).unwrap()[at] ^= 1;
        }
    }
    // A crash between the list of packs and the tiles leaves a record beyond the checkpoint.
    let mut caught = data.clone();
    let record = [&4_u64.to_be_bytes()[..], &[7; 32]].concat();
    caught.get_mut("objects/packs").unwrap().extend(record);
    let refusal = verify::evidence(&caught, &key, &KEY, PLAIN).unwrap_err();
    assert_eq!(refusal, Refusal::Ahead { path: "objects/packs".into() });
    assert!(verify::evidence(&caught, &key, &KEY, Options { ahead: true, ..PLAIN }).is_ok());

    let slots = changed.get_mut("keys/slots/000000").unwrap();
    slots[48..96].fill(0);
    let refusal = verify::evidence(&changed, &key, &KEY, PLAIN).unwrap_err().to_string();
    assert!(refusal.contains("entry 1: its key is gone, and no entry"), "{refusal}");
    let mut extra = data;
    extra.insert("objects/ab/more.pack".into(), vec![]);
    assert!(matches!(verify::evidence(&extra, &key, &KEY, PLAIN), Err(Refusal::Unknown { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Random edits of random logs, as bytes and as files.
    #[test]
    fn random_damage_is_refused(size in 1_u32..600, file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), insert in prop::collection::vec(any::<u8>(), 0..5), cut in 0_usize..5) {
        let log = hand_made(&small(0..size), &signer(1));
        prop_assert_eq!(holds(&log, signer(1).verifier()), Ok(u64::from(size)));
        let path = log.keys().nth(file.index(log.len())).unwrap().clone();
        let mut bytes = log[&path].clone();
        let at = at.index(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, insert);
        if bytes != log[&path] {
            let mut damaged = log;
            damaged.insert(path, bytes);
            prop_assert!(holds(&damaged, signer(1).verifier()).is_err());
        }
    }
}

/// A log signed by the true key over leaves that lie about the evidence: only opening it shows that.
#[test]
fn leaves_that_lie_about_their_documents_are_refused() {
    let (dir, key) = written(&[3]);
    let data = load(dir.path());
    // The randomness of the test, in the order in which the keys of a workspace are drawn.
    let mut draw = common::entropy();
    let mut seed = [0; 32];
    draw(&mut seed).unwrap();
    draw(&mut seed).unwrap();
    let signer = NoteSigner::new(key.name(), Algorithm::Ed25519, &seed).unwrap();
    assert_eq!(*signer.verifier(), key);
    let bundle = data["log/tile/entries/000.p/3"].clone();
    let leaves: Vec<String> = tlog::bundle::split(&bundle)
        .unwrap()
        .iter()
        .map(|leaf| String::from_utf8(leaf.to_vec()).unwrap())
        .collect();
    let check = |change: &dyn Fn(&str) -> String, expect: &str| {
        let entries: Vec<Vec<u8>> = leaves
            .iter()
            .enumerate()
            .map(|(i, leaf)| if i == 1 { change(leaf) } else { leaf.clone() }.into_bytes())
            .collect();
        let mut lying: Map = data
            .iter()
            .filter(|(path, _)| !path.starts_with("log/"))
            .map(|(p, b)| (p.clone(), b.clone()))
            .collect();
        lying.extend(
            hand_made(&entries, &signer).into_iter().map(|(path, bytes)| (format!("log/{path}"), bytes)),
        );
        match verify::evidence(&lying, &key, &KEY, PLAIN) {
            Ok(report) => assert_eq!(expect, "holds", "{report}"),
            Err(refusal) => {
                assert!(refusal.to_string().contains(expect), "`{refusal}` should say `{expect}`")
            }
        }
    };
    let other = |name: &str, leaf: &str| {
        let (before, rest) = leaf.split_once(&format!("\"{name}\":\"")).unwrap();
        format!("{before}\"{name}\":\"{}{}", "0".repeat(64), &rest[64..])
    };
    check(&str::to_owned, "holds");
    check(&|leaf| other("commitment", leaf), "entry 1: its document isn't the one committed to");
    check(&|leaf| other("object", leaf), "entry 1: the stored object isn't the one in the log");
    check(&|leaf| leaf.replace("\"size\":10", "\"size\":11"), "entry 1: its document has another size");
    check(
        &|leaf| leaf.replace("\"size\":10", "\"size\":9"),
        "entry 1: its object doesn't decompress to its size",
    );
    check(&|leaf| leaf.replace("\"v\":1", "\"v\":2"), "entry 1: its leaf is of version 2");
    check(&|leaf| leaf.replace("{", "{\"concerns\":[1],"), "entry 1: it concerns an entry after it");
    check(&|_| "not json".into(), "entry 1: its leaf cannot be read");
}
