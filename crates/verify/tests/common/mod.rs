//! What the verifier's tests share: logs as the product writes them, in memory.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::print_stdout, reason = "a test says what it skips")]
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use ledger::{Entropy, Folder, Head, HeadError, Kind, Ledger, NewEntry};
use model::Instant;
use tlog::{Checkpoint, NoteSigner, NoteVerifier};

pub(crate) const KEY: [u8; 32] = [42; 32];
pub(crate) type Map = BTreeMap<String, Vec<u8>>;

#[derive(Clone, Default)]
pub(crate) struct MemoryHead(Arc<Mutex<Option<String>>>);

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

pub(crate) fn entropy() -> Entropy {
    let mut state = 1_u64;
    Box::new(move |buffer| {
        for byte in buffer {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
        Ok(())
    })
}

pub(crate) fn entries(range: std::ops::Range<u64>) -> Vec<NewEntry> {
    let entry = |i| NewEntry {
        kind: Kind::Capture,
        source: "git:3f2a".into(),
        stream: "commits".into(),
        media_type: "application/json".into(),
        collected_at: Instant::from_seconds(1_780_000_000),
        collector: "git/1".into(),
        document: format!("document {i}").into_bytes(),
    };
    range.map(entry).collect()
}

pub(crate) fn open(folder: &Path, head: &MemoryHead) -> Ledger {
    let disk = Arc::new(Folder::open(folder).unwrap());
    Ledger::open(disk, Box::new(head.clone()), &KEY, entropy()).unwrap()
}

/// A data folder that the product wrote in batches, and the log's key.
pub(crate) fn written(batches: &[u64]) -> (tempfile::TempDir, NoteVerifier) {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path(), &MemoryHead::default());
    let mut size = 0;
    for batch in batches {
        ledger.append(entries(size..size + batch)).unwrap();
        size += batch;
    }
    (dir, ledger.vkey().parse().unwrap())
}

/// Every file below a folder.
pub(crate) fn load(root: &Path) -> Map {
    let mut map = Map::new();
    let mut folders = vec![(root.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
            if path.is_dir() {
                folders.push((path, name + "/"));
            } else {
                map.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    map
}

/// The log folder only.
pub(crate) fn product_log(batches: &[u64]) -> (Map, NoteVerifier) {
    let (dir, key) = written(batches);
    (load(&dir.path().join("log")), key)
}

/// A log made by hand from raw entries, with a signer that tests may abuse.
pub(crate) fn hand_made(entries: &[Vec<u8>], signer: &NoteSigner) -> Map {
    use tlog::{Edge, Level, Note, Tile, bundle, leaf_hash};
    let mut map = Map::new();
    let mut edge = Edge::new();
    let flat = |hashes: &[tlog::Hash]| hashes.iter().flat_map(|h| h.0).collect::<Vec<u8>>();
    for entry in entries {
        edge.push(leaf_hash(entry), |tile, hashes| {
            map.insert(tile.path(), flat(hashes));
        });
    }
    for (tile, hashes) in edge.partial_tiles() {
        map.insert(tile.path(), flat(hashes));
    }
    for (index, chunk) in entries.chunks(256).enumerate() {
        let mut bytes = Vec::new();
        chunk.iter().for_each(|entry| bundle::push(&mut bytes, entry).unwrap());
        let tile = Tile { level: Level::Entries, index: index as u64, width: chunk.len() as u16 };
        map.insert(tile.path(), bytes);
    }
    let origin = signer.verifier().name().to_owned();
    let text = Checkpoint { origin, size: edge.size(), root: edge.root() }.to_string();
    let note = Note { signatures: vec![signer.sign(&text, 0)], text };
    map.insert("checkpoint".into(), note.to_string().into_bytes());
    map
}

/// Builds logcheck once; `None` where its source or the means to build it are absent.
pub(crate) fn logcheck() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let build = root.join("../shared/tools/logcheck/build");
    let skip = |why: &str| {
        assert!(std::env::var_os("TICKMARK_CI").is_none(), "the Go verifier cannot be used: {why}");
        println!("skipped: {why}");
        None
    };
    if !build.exists() {
        return skip("../shared/tools/logcheck is not there");
    }
    let target = root.join("target/logcheck");
    // Two test processes must not build it at once.
    fs::create_dir_all(&target).unwrap();
    let lock = fs::File::create(target.join("lock")).unwrap();
    lock.lock().unwrap();
    let output = Command::new("bash").arg(build).arg(&target).output().unwrap();
    if !output.status.success() {
        return skip(&format!("logcheck cannot be built: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Some(PathBuf::from(String::from_utf8(output.stdout).unwrap().trim()))
}

pub(crate) fn go(logcheck: &Path, arguments: &[&Path], command: &str) -> Result<String, String> {
    let output = Command::new(logcheck).arg(command).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

pub(crate) fn put_key(folder: &Path, key: &NoteVerifier) -> PathBuf {
    let path = folder.join("vkey");
    fs::write(&path, format!("{key}\n")).unwrap();
    path
}
