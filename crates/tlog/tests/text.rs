//! Notes, checkpoints, proofs and requests as text: known vectors, round trips, and nothing that isn't one gets in.

use proptest::prelude::*;
use tlog::{
    AddCheckpoint, Algorithm, Checkpoint, EMPTY_ROOT, Error, Note, NoteSigner, NoteVerifier, Proof, bundle,
    leaf_hash,
};

/// The example key and note of the documentation of Go's `golang.org/x/mod/sumdb/note`.
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\
    \n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn signer(name: &str, algorithm: Algorithm) -> NoteSigner {
    NoteSigner::new(name, algorithm, &[7; 32]).expect("a valid name")
}

fn signed(signers: &[&NoteSigner], text: &str) -> String {
    let signatures = signers.iter().map(|s| s.sign(text, 1_700_000_000)).collect();
    Note { text: text.to_owned(), signatures }.to_string()
}

#[test]
fn the_note_of_another_implementation_is_verified() {
    let key: NoteVerifier = GO_KEY.parse().unwrap();
    assert_eq!(key.to_string(), GO_KEY);
    let note = Note::parse(GO_NOTE.as_bytes()).unwrap();
    assert_eq!(note.to_string(), GO_NOTE);
    assert_eq!(note.verify(&[&key]).unwrap()[0].name, "PeterNeumann");
}

#[test]
fn every_flipped_bit_of_a_note_is_refused() {
    let key: NoteVerifier = GO_KEY.parse().unwrap();
    for at in 0..GO_NOTE.len() * 8 {
        let mut bytes = GO_NOTE.as_bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        let verdict = Note::parse(&bytes).and_then(|note| note.verify(&[&key]));
        assert!(verdict.is_err(), "bit {at} changed and the note still holds");
    }
}

#[test]
fn unknown_keys_are_passed_over_and_known_ones_must_fit() {
    let (log, witness) = (
        signer("log.example.test/a", Algorithm::Ed25519),
        signer("witness.example.test", Algorithm::CosignatureV1),
    );
    let text = "log.example.test/a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    let note = Note::parse(signed(&[&log, &witness], text).as_bytes()).unwrap();
    assert_eq!(note.verify(&[log.verifier()]).unwrap().len(), 1);
    let both = note.verify(&[log.verifier(), witness.verifier()]).unwrap();
    assert_eq!((both[1].name.as_str(), both[1].time), ("witness.example.test", 1_700_000_000));

    let stranger = signer("stranger.example.test", Algorithm::Ed25519);
    assert!(matches!(note.verify(&[stranger.verifier()]), Err(Error::Unsigned { .. })));

    let mut forged = note;
    forged.signatures[1].bytes[0] ^= 1; // the time a witness states is signed too
    assert_eq!(
        forged.verify(&[log.verifier(), witness.verifier()]),
        Err(Error::Signature { name: "witness.example.test".into() })
    );
}

#[test]
fn a_checkpoint_belongs_to_the_log_of_its_key() {
    let log = signer("log.example.test/a", Algorithm::Ed25519);
    let of = |origin: &str, size: &str| {
        let text = format!("{origin}\n{size}\n{EMPTY_ROOT}\n");
        Checkpoint::open(signed(&[&log], &text).as_bytes(), log.verifier())
    };
    assert_eq!(of("log.example.test/a", "0").unwrap().root, EMPTY_ROOT);
    for (origin, size) in [
        ("log.example.test/b", "0"),
        ("log.example.test/a", "007"),
        ("log.example.test/a", "-1"),
        ("log.example.test/a", "+1"),
        ("log.example.test/a", "9223372036854775808"),
        ("", "1"),
    ] {
        assert!(of(origin, size).is_err(), "{origin} {size}");
    }
}

#[test]
fn proof_files_and_requests_round_trip() {
    let log = signer("log.example.test/a", Algorithm::Ed25519);
    let entry = b"the only entry";
    let text =
        Checkpoint { origin: "log.example.test/a".into(), size: 1, root: leaf_hash(entry) }.to_string();
    let proof = Proof { extra: None, index: 0, hashes: vec![], checkpoint: signed(&[&log], &text) };
    let read: Proof = proof.to_string().parse().unwrap();
    assert_eq!(read, proof);
    assert_eq!(read.verify(entry, log.verifier()).unwrap().size, 1);
    assert!(read.verify(b"another entry", log.verifier()).is_err());
    let with_extra = Proof { extra: Some(b"why".to_vec()), ..proof.clone() };
    assert_eq!(with_extra.to_string().parse(), Ok(with_extra));
    assert!(proof.to_string().replace("index 0", "index 00").parse::<Proof>().is_err());

    let request = AddCheckpoint { old: 0, proof: vec![leaf_hash(b"x")], checkpoint: proof.checkpoint };
    assert_eq!(request.to_string().parse(), Ok(request));
}

#[test]
fn a_bundle_holds_entries_up_to_its_limit() {
    let mut bytes = Vec::new();
    let longest = vec![1; bundle::MAX_ENTRY];
    for entry in [&b""[..], b"a", &longest] {
        bundle::push(&mut bytes, entry).unwrap();
    }
    assert_eq!(bundle::split(&bytes).unwrap(), [&b""[..], b"a", &longest]);
    assert!(bundle::push(&mut bytes, &vec![1; bundle::MAX_ENTRY + 1]).is_err());
    assert!(bundle::split(&bytes[..bytes.len() - 1]).is_err());
}

proptest! {
    #[test]
    fn garbage_is_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "(—|[ -~]|\n|\n\n){0,80}") {
        let key: NoteVerifier = GO_KEY.parse().unwrap();
        let _ = bundle::split(&bytes);
        prop_assert!(Note::parse(&bytes).and_then(|n| n.verify(&[&key])).is_err());
        prop_assert!(Note::parse(text.as_bytes()).and_then(|n| n.verify(&[&key])).is_err());
        prop_assert!(text.parse::<NoteVerifier>().is_err());
        prop_assert!(text.parse::<Proof>().is_err());
        prop_assert!(text.parse::<Checkpoint>().is_err());
        prop_assert!(text.parse::<AddCheckpoint>().is_err());
    }

    /// Cut and spliced versions of true texts get deeper into the parsers than noise does.
    #[test]
    fn spliced_texts_are_refused_without_panic(cut in 0_usize..400, insert in "[\n— 0-9a-z]{0,4}") {
        let mut text = format!("c2sp.org/tlog-proof@v1\nindex 3\n{EMPTY_ROOT}\n\n{GO_NOTE}");
        let mut at = cut.min(text.len());
        while !text.is_char_boundary(at) { at -= 1; }
        text.insert_str(at, &insert);
        if let Ok(proof) = text.parse::<Proof>() {
            prop_assert_eq!(proof.to_string(), text.clone());
        }
        if let Ok(note) = Note::parse(text.as_bytes()) {
            prop_assert_eq!(note.to_string(), text);
        }
    }
}
