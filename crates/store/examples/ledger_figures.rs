//! Measures the ledger on this machine against the figures of its design: `ledger_figures FOLDER ENTRIES [BATCH]`.
//!
//! Real files, the real head in SQLite, every append flushed. Build it optimised, and put the folder on the disk that counts.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch};

use ledger::{Folder, Kind, Ledger, NewEntry, Writer};
use model::Instant;
use store::state::State;
use tlog::NoteVerifier;

fn open(data: &Path) -> Result<Ledger, Box<dyn Error>> {
    let mut state = 1_u64;
    let entropy = Box::new(move |buffer: &mut [u8]| {
        for chunk in buffer.chunks_mut(8) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mixed = (state ^ (state >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            chunk.copy_from_slice(&mixed.to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    });
    let head = State::open(&data.join("state.db"))?;
    Ok(Ledger::open(Arc::new(Folder::open(data)?), Box::new(head), &[42; 32], entropy)?)
}

fn entry(i: u64) -> NewEntry {
    NewEntry {
        kind: Kind::Capture,
        source: "github:acme/app".into(),
        stream: "reviews".into(),
        media_type: "application/json".into(),
        collected_at: Instant::from_seconds(1_780_000_000),
        collector: "github/1".into(),
        document: format!("{{\"id\":{i},\"state\":\"approved\",\"body\":\"{}\"}}", "looks good ".repeat(40))
            .into_bytes(),
    }
}

fn rate(what: &str, count: u64, took: Duration) {
    println!("{what}: {:.0} /s ({count} in {took:.2?})", count as f64 / took.as_secs_f64());
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|e| if e.path().is_dir() { bytes_below(&e.path()) } else { e.metadata().map_or(0, |m| m.len()) })
        .sum()
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let (folder, count, batch) = match arguments.as_slice() {
        [_, folder, count] => (folder, count, 500),
        // Large batches fill a folder sooner, for what is measured of a large one.
        [_, folder, count, batch] => (folder, count, batch.parse::<u64>()?.max(1)),
        _ => return Err("usage: ledger_figures FOLDER ENTRIES [BATCH]".into()),
    };
    let (data, count) = (Path::new(folder).to_owned(), count.parse::<u64>()?);
    std::fs::create_dir_all(&data)?;

    let mut edge = tlog::Edge::new();
    let start = Stopwatch::now();
    for i in 0..1_000_000_u64 {
        edge.push(tlog::leaf_hash(&i.to_be_bytes().repeat(50)), |_, _| ());
    }
    rate("tree in memory, leaves of 400 bytes", edge.size(), start.elapsed());

    // One writer, group commit.
    let start = Stopwatch::now();
    let mut ledger = open(&data)?;
    // A folder in which this program was killed before is opened as the crash left it.
    println!("open as it was left, at {} entries: {:.1?}", ledger.size(), start.elapsed());
    let mut slowest = Vec::new();
    let start = Stopwatch::now();
    while ledger.size() < count {
        let from = ledger.size();
        let took = Stopwatch::now();
        ledger.append((from..(from + batch).min(count)).map(entry).collect())?;
        slowest.push(took.elapsed());
    }
    if !slowest.is_empty() {
        let appended = (slowest.len() as u64).saturating_mul(batch).min(count);
        rate(&format!("durable append, one writer, batches of {batch}"), appended, start.elapsed());
        slowest.sort();
        println!("  p50 {:.1?}, p99 {:.1?}", slowest[slowest.len() / 2], slowest[slowest.len() * 99 / 100]);
    }

    // Many callers of one entry each.
    let (writer, thread) = Writer::spawn(ledger);
    let start = Stopwatch::now();
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let writer = writer.clone();
            std::thread::spawn(move || {
                (0..30).filter(|i| writer.append(vec![entry(*i)]).is_ok()).count() as u64
            })
        })
        .collect();
    let done: u64 = callers.into_iter().map(|caller| caller.join().unwrap_or(0)).sum();
    rate("durable append, 64 callers of one entry each", done, start.elapsed());
    drop(writer);
    let ledger = thread.join().map_err(|_| "the writer panicked")?;
    let (size, vkey) = (ledger.size(), ledger.vkey());
    let leaves: u64 = (0..size)
        .step_by(997)
        .filter_map(|i| ledger.reader().leaf_bytes(i).ok())
        .map(|b| b.len() as u64)
        .sum();
    let leaf = leaves as f64 / size.div_ceil(997) as f64;
    drop(ledger);

    let start = Stopwatch::now();
    let ledger = open(&data)?;
    println!("open at {size} entries: {:.1?}", start.elapsed());
    let start = Stopwatch::now();
    let read = ledger.documents(0..u64::MAX).filter(Result::is_ok).count() as u64;
    rate("documents read in order, each checked", read, start.elapsed());
    let log = bytes_below(&data.join("log")) as f64 / size as f64;
    let keys = bytes_below(&data.join("keys/slots")) as f64 / size as f64;
    let objects = bytes_below(&data.join("objects")) as f64 / size as f64;
    println!(
        "per entry: leaf {leaf:.1}, log {log:.1} (beyond the leaf {:.1}), key {keys:.1}, objects {objects:.1} bytes",
        log - leaf
    );

    let key: NoteVerifier = vkey.parse()?;
    let start = Stopwatch::now();
    println!("{}", verify::log(&verify::Folder::new(&data.join("log")), &key, verify::Options::default())?);
    rate("audit of the log", size, start.elapsed());
    Ok(())
}
