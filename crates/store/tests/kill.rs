//! The real ledger on the real disk with the real database, under `strace`, which kills it, fails it or fills its disk at
//! every file system call in turn. Afterwards the workspace is opened again without a hand, verified from its bytes alone,
//! and every entry that was acknowledged must be there.
//!
//! This binary is its own victim: with `TICKMARK_VICTIM` set it appends and prints what is acknowledged.
//! A sample of the calls by default; `TICKMARK_LONG=1` takes every one. `TICKMARK_CI=1` makes a missing strace a failure.
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]
#![allow(clippy::print_stdout, reason = "a test says what it did")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use ledger::{Folder, Kind, Ledger, NewEntry};
use libtest_mimic::{Arguments, Failed, Trial};
use model::Instant;
use store::state::State;
use tlog::NoteVerifier;
use verify::Options;

const KEY: [u8; 32] = [42; 32];
/// Entries that a grown workspace has before its victim comes.
const GROWN: u64 = 253;
/// Sizes of the batches that a victim appends: in a grown workspace the second crosses the edge of a tile.
const BATCHES: [u64; 3] = [1, 4, 2];
/// The calls that change or read what is on the disk.
const CALLS: [&str; 19] = [
    "openat",
    "open",
    "read",
    "pread64",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "rename",
    "unlink",
    "rmdir",
    "mkdir",
    "ftruncate",
    "lseek",
    "fcntl",
    "flock",
    "fstat",
    "getdents64",
    "close",
];

fn main() -> ExitCode {
    if let Some(folder) = std::env::var_os("TICKMARK_VICTIM") {
        return match victim(Path::new(&folder)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "{error}");
                ExitCode::FAILURE
            }
        };
    }
    let trials = vec![
        Trial::test("no_system_call_loses_an_acknowledged_entry", || strike(false)),
        Trial::test("acknowledging_too_early_is_caught", || strike(true)),
        Trial::test("a_second_process_is_told_who_holds_the_ledger", second_process),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn document(index: u64) -> Vec<u8> {
    format!("document {index}").into_bytes()
}

fn entry(index: u64) -> NewEntry {
    NewEntry {
        kind: Kind::Capture,
        source: "git:3f2a".into(),
        stream: "commits".into(),
        media_type: "application/json".into(),
        collected_at: Instant::from_seconds(1_780_000_000),
        collector: "git/1".into(),
        document: document(index),
    }
}

fn open(data: &Path) -> Result<Ledger, Box<dyn std::error::Error>> {
    let disk = Arc::new(Folder::open(data)?);
    let head = State::open(&data.join("state.db"))?;
    let mut state = u64::from(std::process::id());
    let entropy = Box::new(move |buffer: &mut [u8]| {
        for byte in buffer {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
        Ok(())
    });
    Ok(Ledger::open(disk, Box::new(head), &KEY, entropy)?)
}

/// Appends, and prints each index once it is acknowledged; on purpose too early with `TICKMARK_WRONG`.
fn victim(data: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let wrong = std::env::var_os("TICKMARK_WRONG").is_some();
    let say = |range: std::ops::Range<u64>| {
        let lines: String = range.map(|index| format!("{index}\n")).collect();
        std::io::stdout().write_all(lines.as_bytes()).and_then(|()| std::io::stdout().flush())
    };
    let mut ledger = open(data)?;
    for batch in BATCHES {
        let range = ledger.committed()..ledger.committed() + batch;
        if wrong {
            say(range.clone())?;
        }
        let appended = ledger.append(range.map(entry).collect())?;
        if !wrong {
            say(appended)?;
        }
    }
    Ok(())
}

fn second_process() -> Result<(), Failed> {
    let dir = folder();
    let held = open(dir.path()).unwrap();
    let run = || {
        Command::new(std::env::current_exe().unwrap()).env("TICKMARK_VICTIM", dir.path()).output().unwrap()
    };
    let refused = run();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    if refused.status.success() || !said.contains(&format!("is in use by process {}", std::process::id())) {
        return Err(format!("a second process was told: {said}").into());
    }
    drop(held);
    if run().status.success() { Ok(()) } else { Err("the lock outlived its holder".into()) }
}

/// A folder in memory where there is one: what these tests strike at is the calls, not the disk behind them.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (entry, to) = (entry.unwrap(), to);
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)
        } else {
            drop(std::fs::copy(entry.path(), target))
        }
    }
}

/// Runs a victim under strace in a copy of a workspace; gives the copy and how many entries are acknowledged in it.
fn run(start: &Path, options: &[&str], wrong: bool) -> (tempfile::TempDir, u64) {
    let dir = folder();
    let mut command = Command::new("strace");
    command.args(["-f", "--seccomp-bpf", "-o"]).arg(dir.path().join("strace.out")).args(options);
    command.arg(std::env::current_exe().unwrap()).env("TICKMARK_VICTIM", dir.path().join("data"));
    if wrong {
        command.env("TICKMARK_WRONG", "1");
    }
    copy(start, &dir.path().join("data"));
    let output = command.output().unwrap();
    // What was acknowledged before, or the last line that was heard whole.
    let text = String::from_utf8(output.stdout).unwrap();
    let heard = text.rsplit_once('\n').and_then(|(lines, _)| lines.rsplit('\n').next()?.parse::<u64>().ok());
    let before = if start.join("log").exists() { GROWN } else { 0 };
    (dir, heard.map_or(before, |last| last + 1))
}

/// How often the victim makes each call when nothing happens to it.
fn count_calls(start: &Path) -> Result<BTreeMap<&'static str, usize>, String> {
    let (dir, acknowledged) = run(start, &["-e", &format!("trace={}", CALLS.join(","))], false);
    let appended: u64 = BATCHES.iter().sum();
    if acknowledged % GROWN != appended {
        return Err(format!("an undisturbed victim under strace stopped at {acknowledged}"));
    }
    let trace = std::fs::read_to_string(dir.path().join("strace.out")).map_err(|e| e.to_string())?;
    let mut counts = BTreeMap::new();
    for call in CALLS {
        let start = format!(" {call}(");
        let count = trace.lines().filter(|line| line.contains(&start)).count();
        if count > 0 {
            counts.insert(call, count);
        }
    }
    Ok(counts)
}

/// What must hold of a workspace after whatever happened to its process.
fn check(data: &Path, acknowledged: u64) -> Result<(), String> {
    let mut ledger = open(data).map_err(|e| format!("the next open needs a hand: {e}"))?;
    let key: NoteVerifier = ledger.vkey().parse().map_err(|e| format!("{e}"))?;
    let folder = verify::Folder::new(data);
    let options = Options { acknowledged: Some(acknowledged), ahead: false };
    verify::evidence(&folder, &key, &KEY, options).map_err(|e| e.to_string())?;
    for read in ledger.documents(0..acknowledged) {
        let read = read.map_err(|e| e.to_string())?;
        if read.document != Some(document(read.index)) {
            return Err(format!("entry {} was acknowledged and is another one now", read.index));
        }
    }
    let next =
        ledger.append(vec![entry(ledger.size())]).map_err(|e| format!("the next append fails: {e}"))?;
    let options = Options { acknowledged: Some(next.end), ahead: false };
    verify::evidence(&folder, &key, &KEY, options).map_err(|e| e.to_string())?;
    Ok(())
}

fn strike(wrong: bool) -> Result<(), Failed> {
    let skip = |why: String| {
        if std::env::var_os("TICKMARK_CI").is_some() {
            return Err(Failed::from(why));
        }
        println!("skipped: {why}");
        Ok(())
    };
    if !Command::new("strace").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return skip("strace is not installed".to_owned());
    }
    let (new, grown) = (folder(), folder());
    open(grown.path()).unwrap().append((0..GROWN).map(entry).collect()).unwrap();
    let mut caught = false;
    for (name, start) in [("new", &new), ("grown", &grown)] {
        let counts = match count_calls(start.path()) {
            Ok(counts) => counts,
            Err(why) => return skip(why),
        };
        caught |= blows(name, start.path(), &counts, wrong)?;
    }
    if wrong && !caught { Err("a ledger that acknowledges too early went unnoticed".into()) } else { Ok(()) }
}

/// Strikes at each call; says whether a wrong ledger was caught.
fn blows(name: &str, start: &Path, counts: &BTreeMap<&str, usize>, wrong: bool) -> Result<bool, Failed> {
    let every = std::env::var_os("TICKMARK_LONG").is_some();
    let mut struck = 0;
    for (call, count) in counts {
        for (turn, blow) in ["error=EIO", "error=ENOSPC", "signal=SIGKILL"].iter().enumerate() {
            let step = if every { 1 } else { count.div_ceil(3) };
            // Each blow begins elsewhere, so that the samples don't fall on the same calls.
            for when in (1 + turn * step / 3..=*count).step_by(step) {
                let inject = format!("inject={call}:{blow}:when={when}");
                let (dir, acknowledged) = run(start, &["-e", &format!("trace={call}"), "-e", &inject], wrong);
                struck += 1;
                if let Err(why) = check(&dir.path().join("data"), acknowledged) {
                    if wrong {
                        println!("{inject}: caught: {why}");
                        return Ok(true);
                    }
                    let kept: PathBuf = dir.keep();
                    return Err(format!("{inject}: {why} (kept in {})", kept.display()).into());
                }
            }
        }
    }
    println!("a {name} workspace, {struck} blows at {counts:?}");
    Ok(false)
}
