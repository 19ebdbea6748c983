//! The crate table of ARCHITECTURE.md, held: who may depend on whom, who does no I/O, and that every dependency is
//! permissively licensed.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

/// Every crate of the product with the crates of ours it may use. Tests may use more.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("tlog", &[]),
    ("ledger", &["model", "tlog"]),
    ("verify", &["model", "tlog"]),
    ("witness", &["tlog"]),
    ("catalog", &["model"]),
    ("collect", &["model"]),
    ("connectors", &["collect", "model"]),
    ("store", &["model", "ledger"]),
    ("records", &["model", "ledger", "store", "tlog"]),
    ("assess", &["model"]),
    ("sampling", &[]),
    ("app", &["model", "tlog", "ledger", "verify", "catalog", "store", "records", "assess", "sampling"]),
    ("web", &["app", "model"]),
    ("simulate", &["model"]),
    (
        "tickmark",
        &[
            "model",
            "tlog",
            "ledger",
            "verify",
            "catalog",
            "collect",
            "connectors",
            "store",
            "records",
            "assess",
            "sampling",
            "app",
            "web",
            // What `tickmark demo` shows.
            "simulate",
        ],
    ),
];

/// Crates that touch no file, clock, environment or network.
const PURE: &[&str] = &["model", "tlog", "assess", "sampling", "simulate"];

/// Licences of which one is enough.
const PERMISSIVE: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unlicense",
    "CC0-1.0",
    "0BSD",
    "Unicode-3.0",
    "CDLA-Permissive-2.0",
];

fn metadata() -> Json {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn ours(metadata: &Json) -> BTreeMap<String, &Json> {
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .filter(|p| p["source"].is_null())
        .map(|p| (p["name"].as_str().unwrap().to_owned(), p))
        .collect()
}

#[test]
fn crates_use_only_what_the_table_allows() {
    let metadata = metadata();
    let ours = ours(&metadata);
    let table: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    for (name, package) in &ours {
        // Tests and benchmarks only: it may see everything.
        if name == "conformance" {
            continue;
        }
        let allowed =
            table.get(name.as_str()).unwrap_or_else(|| panic!("`{name}` is not in the crate table"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let used = dependency["name"].as_str().unwrap();
            if dependency["kind"] == "dev" || !ours.contains_key(used) {
                continue;
            }
            assert!(allowed.contains(&used), "`{name}` may not use `{used}`: see the crate table");
        }
    }
    for name in table.keys() {
        assert!(ours.contains_key(*name), "the crate table names `{name}`, which does not exist");
    }
}

#[test]
fn pure_crates_touch_nothing_outside() {
    for name in PURE {
        for file in rust_files(&root().join("crates").join(name).join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            for word in ["std::fs", "std::net", "std::env", "SystemTime", "Instant::now", "std::process"] {
                assert!(!text.contains(word), "{} names `{word}`, but `{name}` does no I/O", file.display());
            }
        }
    }
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|e| e.path())
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

#[test]
fn every_dependency_is_permissively_licensed() {
    let metadata = metadata();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or("");
        // Every part that is joined by AND needs a permissive alternative.
        let permissive = |part: &str| {
            part.split([' ', '/', '(', ')'])
                .collect::<BTreeSet<_>>()
                .iter()
                .any(|word| PERMISSIVE.contains(word))
        };
        let parts: Vec<&str> = licence.split(" AND ").collect();
        assert!(
            !licence.is_empty() && parts.iter().all(|part| permissive(part)),
            "`{name}` is licensed `{licence}`; only permissive licences may enter"
        );
    }
}
