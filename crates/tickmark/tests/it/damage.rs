//! A workspace that somebody changed: `verify` refuses every byte that evidence rests on, and says of the rest what it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{ANN, BOB, Home, Repo, copy, files, procedure};

/// A home with a workspace of three looks at a growing history.
fn grown() -> (Home, Repo) {
    let home = Home::new();
    let repository = Repo::new();
    for day in [2, 9, 16] {
        repository.commit(&format!("change {day}"), &format!("2025-01-{day:02}T10:00:00Z"), ANN);
        home.january(&repository);
    }
    home.holds();
    (home, repository)
}

/// Does `harm` to the data folder, looks, and puts everything back.
struct Bench {
    home: Home,
    repository: Repo,
    kept: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let (home, repository) = grown();
        let kept = tempfile::tempdir().unwrap();
        copy(&home.data(), kept.path());
        Self { home, repository, kept }
    }

    fn restore(&self) {
        fs::remove_dir_all(self.home.data()).unwrap();
        copy(self.kept.path(), &self.home.data());
    }

    /// `verify` refuses, and says something that holds `part`.
    #[track_caller]
    fn refuses(&self, what: &str, part: &str, harm: impl FnOnce(&Path)) {
        harm(&self.home.data());
        let ran = self.home.run(["verify"]);
        assert_eq!(ran.code, Some(1), "{what}: {}{}", ran.out, ran.err);
        assert!(!ran.err.contains("panicked"), "{what}: {}", ran.err);
        assert!(ran.err.contains(part), "{what}: no `{part}` in {}", ran.err);
        self.restore();
    }

    #[track_caller]
    fn holds(&self) {
        self.home.holds();
        self.home.january(&self.repository);
    }
}

/// The files under `data/` whose bytes a signature or a hash vouches for, and those that something else protects.
fn kind(path: &str) -> &'static str {
    match path.split('/').collect::<Vec<_>>()[..] {
        ["log", "checkpoint"] => "checkpoint",
        ["log", "tile", "entries", ..] => "entries",
        ["log", "tile", ..] => "tiles",
        ["objects", "packs"] => "packs",
        ["objects", ..] => "pack",
        ["keys", "ring"] => "ring",
        ["keys", "slots", _] => "slots",
        ["log.vkey"] => "vkey",
        ["state.db"] => "state",
        ["ledger.lock"] => "lock",
        ["staging", ..] => "staging",
        [name] if name.starts_with("records-") => "records",
        _ => "unknown",
    }
}

/// The signature vouches for these: the key ring is bound to the key beside it and to the wrapping key.
const VOUCHED: [&str; 8] = ["checkpoint", "entries", "tiles", "packs", "pack", "ring", "slots", "vkey"];

fn by_kind(data: &Path) -> BTreeMap<&'static str, Vec<PathBuf>> {
    let mut all: BTreeMap<&str, Vec<PathBuf>> = BTreeMap::new();
    for path in files(data) {
        all.entry(kind(&path)).or_default().push(path.into());
    }
    all
}

#[test]
fn every_kind_of_file_is_vouched_for() {
    let bench = Bench::new();
    let all = by_kind(bench.kept.path());
    let kinds: Vec<&str> = all.keys().copied().collect();
    assert_eq!(
        kinds,
        [
            "checkpoint",
            "entries",
            "lock",
            "pack",
            "packs",
            "records",
            "ring",
            "slots",
            "state",
            "tiles",
            "vkey"
        ]
    );
    for kind in VOUCHED {
        // The newest of its kind, and the oldest.
        let paths = &all[kind];
        for path in
            [paths.first(), paths.last()].into_iter().flatten().collect::<std::collections::BTreeSet<_>>()
        {
            let length = fs::metadata(bench.kept.path().join(path)).unwrap().len() as usize;
            let shown = path.display();
            let places =
                if Some(path) == paths.last() { &[0, length / 2, length - 2][..] } else { &[length / 3] };
            for at in places.iter().copied() {
                bench.refuses(&format!("byte {at} of {shown}"), "", |data| {
                    let mut bytes = fs::read(data.join(path)).unwrap();
                    bytes[at] ^= 1;
                    fs::write(data.join(path), bytes).unwrap();
                });
            }
            bench.refuses(&format!("{shown} cut short"), "", |data| {
                let bytes = fs::read(data.join(path)).unwrap();
                fs::write(data.join(path), &bytes[..length / 2]).unwrap();
            });
            bench.refuses(&format!("{shown} emptied"), "", |data| fs::write(data.join(path), "").unwrap());
            // Slots are written in place: a cut may leave a torn one behind the last, of which nothing is read.
            if kind != "slots" {
                bench.refuses(&format!("{shown} longer"), "", |data| {
                    let mut bytes = fs::read(data.join(path)).unwrap();
                    bytes.push(b'x');
                    fs::write(data.join(path), bytes).unwrap();
                });
            }
            // Older beginnings of a tile may go: whoever mirrors a log needs only the newest.
            if !(matches!(kind, "entries" | "tiles") && Some(path) != paths.last()) {
                bench.refuses(&format!("no {shown}"), "", |data| fs::remove_file(data.join(path)).unwrap());
            }
        }
    }
    bench.holds();
}

#[test]
fn what_nobody_vouches_for_may_not_lie_there() {
    let bench = Bench::new();
    for name in ["log/notes.txt", "log/tile/0/001", "log/tile/9/000", "log/.hidden", "objects/aa/extra.pack"]
    {
        bench.refuses(name, name.trim_start_matches("log/"), |data| {
            fs::create_dir_all(data.join(name).parent().unwrap()).unwrap();
            fs::write(data.join(name), "x").unwrap();
        });
    }
    let packs = by_kind(bench.kept.path())["pack"].clone();
    bench.refuses("two packs swapped", "its hash isn't its name", |data| {
        let (one, two) = (data.join(&packs[0]), data.join(&packs[1]));
        let bytes = fs::read(&one).unwrap();
        fs::copy(&two, &one).unwrap();
        fs::write(&two, bytes).unwrap();
    });
    // The list of packs turned round, too: names fit, places do not.
    bench.refuses("two packs and their records swapped", "", |data| {
        let bytes = fs::read(data.join("objects/packs")).unwrap();
        let mut swapped = bytes.clone();
        swapped[8..40].copy_from_slice(&bytes[48..80]);
        swapped[48..80].copy_from_slice(&bytes[8..40]);
        fs::write(data.join("objects/packs"), swapped).unwrap();
    });
    bench.refuses("two key slots swapped", "", |data| {
        let path = data.join("keys/slots/000000");
        let bytes = fs::read(&path).unwrap();
        let swapped = [&bytes[48..96], &bytes[..48], &bytes[96..]].concat();
        fs::write(path, swapped).unwrap();
    });
    for what in ["gone", "emptied"] {
        bench.refuses(&format!("the state database {what}"), "how many entries were acknowledged", |data| {
            fs::remove_file(data.join("state.db")).unwrap();
            if what == "emptied" {
                fs::write(data.join("state.db"), "").unwrap();
            }
        });
    }
    bench.refuses("a key destroyed", "no entry of the log says that it was erased", |data| {
        let path = data.join("keys/slots/000000");
        let mut bytes = fs::read(&path).unwrap();
        bytes[48..96].fill(0);
        fs::write(path, bytes).unwrap();
    });
    bench.holds();
}

#[test]
fn another_log_in_its_place_is_refused() {
    let bench = Bench::new();
    let (other, _) = grown();
    for part in ["log", "keys", "objects", "log.vkey"] {
        bench.refuses(&format!("{part} of another workspace"), "", |data| {
            let (from, to) = (other.data().join(part), data.join(part));
            if from.is_dir() {
                fs::remove_dir_all(&to).unwrap();
                copy(&from, &to);
            } else {
                fs::copy(from, to).unwrap();
            }
        });
    }
    // Everything of another workspace, except the key that only its owner has.
    bench.refuses("all of another workspace", "", |data| {
        fs::remove_dir_all(data).unwrap();
        copy(&other.data(), data);
    });
    bench.holds();
}

#[test]
fn an_older_copy_over_a_newer_one() {
    let (home, repository) = grown();
    let old = tempfile::tempdir().unwrap();
    copy(&home.data(), old.path());
    let checkpoint = fs::read_to_string(home.data().join("log/checkpoint")).unwrap();
    repository.commit("one more", "2025-01-20T10:00:00Z", BOB);
    home.january(&repository);
    let newer = fs::read_to_string(home.data().join("log/checkpoint")).unwrap();
    assert_ne!(checkpoint, newer);

    // One part of it put back: the parts contradict each other.
    for part in ["log", "objects", "keys/slots", "state.db"] {
        let kept = tempfile::tempdir().unwrap();
        copy(&home.data(), kept.path());
        let (from, to) = (old.path().join(part), home.data().join(part));
        if from.is_dir() {
            fs::remove_dir_all(&to).unwrap();
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
        // Nothing is signed over it, whatever `verify` could see of it.
        let ran = home.run(["check", &repository.shown()]);
        if part == "objects" || part == "keys/slots" {
            assert_eq!(home.run(["verify"]).code, Some(1), "{part}");
        } else {
            ran.refused(&["restore"]);
        }
        assert_eq!(home.run(["verify"]).code, Some(1), "{part}");
        fs::remove_dir_all(home.data()).unwrap();
        copy(kept.path(), &home.data());
        home.holds();
    }

    // All of it put back together is a true older state, and only a checkpoint kept elsewhere shows that it is older.
    fs::remove_dir_all(home.data()).unwrap();
    copy(old.path(), &home.data());
    let said = home.does("verify");
    assert!(said.contains("keep a copy of data/log/checkpoint elsewhere"), "{said}");
}

#[test]
fn records_are_not_evidence_and_are_built_anew() {
    let (home, repository) = grown();
    let records = files(&home.data()).into_iter().find(|f| f.starts_with("records-")).unwrap();
    let before = home.january(&repository);
    let tamper = |sql: &str| {
        let connection = rusqlite::Connection::open(home.data().join(&records)).unwrap();
        assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
    };
    tamper("UPDATE change_row SET parents = 7");
    // The ledger is what it was; the records are not, and the comparison says where.
    home.holds();
    let said = home.does("rebuild --diff");
    assert!(said.contains("change: 3 rows came, 3 went"), "{said}");
    assert_eq!(home.does("rebuild --diff").lines().last(), Some("every row is as it was"));
    let after = home.january(&repository);
    assert_eq!(procedure(&after, "change_tests"), procedure(&before, "change_tests"));

    // A file that is gone, or no database at all, is built anew or refused: never silently believed.
    let records = files(&home.data()).into_iter().find(|f| f.starts_with("records-")).unwrap();
    fs::remove_file(home.data().join(&records)).unwrap();
    assert_eq!(procedure(&home.january(&repository), "change_tests")["population"], 3);
    let records = files(&home.data()).into_iter().find(|f| f.starts_with("records-")).unwrap();
    fs::write(home.data().join(&records), "no database, but longer than a header of SQLite is").unwrap();
    let ran = home.run(["check", &repository.shown()]);
    if ran.code != Some(0) {
        ran.refused(&["not a database", "remove `records-*.db`"]);
        fs::remove_file(home.data().join(&records)).unwrap();
    }
    home.works();
}

#[test]
fn a_log_folder_alone_is_verified_with_its_key() {
    let (home, _) = grown();
    let handed = tempfile::tempdir().unwrap();
    copy(&home.data().join("log"), &handed.path().join("log"));
    let path = handed.path().join("log").display().to_string();
    home.refuses(&format!("verify {path}"), &["no log.vkey lies beside it", "tickmark-verify"]);
    fs::copy(home.data().join("log.vkey"), handed.path().join("log.vkey")).unwrap();
    assert!(home.does(&format!("verify {path}")).starts_with("holds: "));
    let entry = files(&handed.path().join("log/tile/entries")).pop().unwrap();
    let entry = handed.path().join("log/tile/entries").join(entry);
    let mut bytes = fs::read(&entry).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&entry, bytes).unwrap();
    assert_eq!(home.run(["verify", &path]).code, Some(1));

    // Where the wrapping key is not, the log still holds, and what was not opened is said.
    let elsewhere = Home::new();
    let said = elsewhere.does(&format!("verify {}", home.workspace().display()));
    assert!(said.contains("the evidence itself was not opened"), "{said}");
    assert_eq!(files(elsewhere.path()), Vec::<String>::new(), "looking makes no key");
}

#[test]
fn a_proof_is_checked_without_us() {
    let (home, _) = grown();
    home.does("ledger proof 2 --out proofs");
    let proof = fs::read_to_string(home.path().join("proofs/2.tlog-proof")).unwrap();
    assert!(proof.starts_with("c2sp.org/tlog-proof@v1\nindex 2\n"), "{proof}");
    let leaf = fs::read_to_string(home.path().join("proofs/2.leaf")).unwrap();
    // Nobody's name stands in the open log.
    for name in ["Ann", "ann@example.test", "change 2", "pump"] {
        assert!(!leaf.contains(name), "{leaf}");
    }
    home.refuses("ledger proof 999", &["there is no entry 999"]);
    home.refuses("ledger show 999", &["there is no entry 999"]);
}
