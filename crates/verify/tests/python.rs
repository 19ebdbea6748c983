//! The product's logs before a third verifier: PyPI's `aics-tlog`, which wants Python 3.12. It is fetched, so this runs with
//! `TICKMARK_LONG=1` only.
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]
#![allow(clippy::print_stdout, reason = "a test says what it skips")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{MemoryHead, entries, open};

/// An environment with aics-tlog in it.
fn aics() -> Result<PathBuf, String> {
    let new_enough = |python: &String| {
        let check = "import sys; sys.exit(sys.version_info < (3, 12))";
        Command::new(python).args(["-c", check]).output().is_ok_and(|output| output.status.success())
    };
    let named = std::env::var("TICKMARK_PYTHON").ok();
    let python =
        named.into_iter().chain(["python3.14", "python3.13", "python3.12", "python3"].map(String::from));
    let python =
        python.into_iter().find(new_enough).ok_or("no Python 3.12; name one with TICKMARK_PYTHON")?;
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/aics-tlog");
    let run = |program: &Path, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().map_err(|e| e.to_string())?;
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    };
    run(Path::new(&python), &["-m", "venv", venv.to_str().ok_or("a path that isn't UTF-8")?])?;
    run(&venv.join("bin/pip"), &["install", "-q", "--disable-pip-version-check", "aics-tlog==0.2.1"])?;
    Ok(venv.join("bin/aics-tlog"))
}

#[test]
fn logs_hold_for_python() {
    if std::env::var_os("TICKMARK_LONG").is_none() {
        println!("skipped: fetches aics-tlog; set TICKMARK_LONG=1");
        return;
    }
    let aics = match aics() {
        Ok(aics) => aics,
        Err(why) => return println!("skipped: {why}"),
    };
    let (dir, side) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut ledger = open(dir.path(), &MemoryHead::default());
    let log = dir.path().join("log");
    let (vkey, leaf, old) = (side.path().join("vkey"), side.path().join("leaf"), side.path().join("old"));
    fs::write(&vkey, ledger.vkey()).unwrap();
    let judge = |command: &str, more: &[&str]| {
        let mut run = Command::new(&aics);
        run.arg(command).arg("--tiles").arg(&log).arg("--vkey-file").arg(&vkey).args(more);
        let output = run.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() { Ok(said) } else { Err(said) }
    };
    for size in [1, 2, 255, 256, 257, 600] {
        fs::write(&old, ledger.checkpoint().unwrap()).unwrap();
        let grown = ledger.size() > 0;
        ledger.append(entries(ledger.size()..size)).unwrap();
        let said = judge("verify-checkpoint", &[]).unwrap();
        assert!(said.contains(&format!("\"size\": {size}")) && said.contains("\"tiles_ok\": true"), "{said}");
        for index in [0, size / 2, size - 1] {
            fs::write(&leaf, ledger.reader().leaf_bytes(index).unwrap()).unwrap();
            let index = index.to_string();
            let arguments = ["--leaf", leaf.to_str().unwrap(), "--index", &index];
            judge("verify-inclusion", &arguments).unwrap();
            fs::write(&leaf, "another").unwrap();
            judge("verify-inclusion", &arguments).unwrap_err();
        }
        if grown {
            judge("verify-consistency", &["--old-checkpoint", old.to_str().unwrap()]).unwrap();
        }
    }
}
