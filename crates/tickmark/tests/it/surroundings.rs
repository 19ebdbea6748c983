//! What surrounds a run: other processes, a full or read-only disk, a killed process, newer and broken files.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::support::{ANN, Home, JANUARY, Repo, copy, document, files, procedure, ran, same};

fn one() -> Repo {
    let repository = Repo::new();
    repository.commit("one", "2025-01-09T10:00:00Z", ANN);
    repository
}

#[test]
fn a_second_process_is_told_who_holds_the_workspace() {
    let home = Home::new();
    let repository = one();
    home.january(&repository);
    let lock = fs::File::options().read(true).write(true).open(home.data().join("ledger.lock")).unwrap();
    lock.lock().unwrap();
    fs::write(home.data().join("ledger.lock"), "process 4711\n").unwrap();
    for line in [&format!("check {}", repository.shown()), "query SELECT", "ledger status", "rebuild"] {
        home.refuses(line, &["in use by process 4711", "wait until it is done"]);
    }
    // Looking needs no lock.
    home.holds();
    lock.unlock().unwrap();
    home.works();
}

#[test]
fn many_at_once_lose_nothing() {
    let home = Home::new();
    let repository = Repo::with_many(100, 100);
    let path = repository.shown();
    let mut done = 0;
    let mut refused = 0;
    for _ in 0..2 {
        let children: Vec<_> = (0..3)
            .map(|_| {
                let arguments = ["check", &path, "--json"];
                home.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            match output.status.code() {
                Some(0) => done += 1,
                Some(1) => {
                    assert!(said.contains("in use by"), "{said}");
                    refused += 1;
                }
                other => panic!("{other:?}: {said}"),
            }
        }
    }
    assert!(done >= 2 && done + refused == 6, "{done} {refused}");
    let found = home.january(&repository);
    assert_eq!(procedure(&found, "change_tests")["population"], 100);
    let alone = Home::new().january(&repository);
    same(&procedure(&found, "change_tests")["attributes"], &procedure(&alone, "change_tests")["attributes"]);
    home.holds();
}

#[test]
fn processes_that_make_the_key_at_once_agree_on_it() {
    let repository = one();
    let path = repository.shown();
    for _ in 0..3 {
        let home = Home::new();
        let names = ["a", "b", "c", "d"];
        for name in names {
            home.does(&format!("init {name}"));
        }
        let children = names.map(|name| {
            home.command(["--workspace", name, "check", &path]).stdout(Stdio::null()).spawn().unwrap()
        });
        for child in children {
            assert!(child.wait_with_output().unwrap().status.success());
        }
        // Every one of them is opened by the key that stayed.
        for name in names {
            let said = home.does(&format!("--workspace {name} verify"));
            assert_eq!(said.matches("holds: ").count(), 2, "{said}");
        }
        assert_eq!(files(&home.path().join(".config/tickmark")), ["key"], "no draft is left");
    }
}

#[test]
fn a_killed_run_is_finished_by_the_next() {
    let repository = Repo::with_many(300, 60);
    let path = repository.shown();
    let whole = {
        let home = Home::new();
        let begin = Instant::now();
        let found = home.january(&repository);
        (found, begin.elapsed())
    };
    let long = std::env::var_os("TICKMARK_LONG").is_some();
    let home = Home::new();
    // The key and the workspace's file are made before anything else.
    let kills = if long { 60 } else { 4 };
    for kill in 0..kills {
        let fresh = Home::new();
        // Now in a fresh workspace, now in one that holds what the last kill left.
        let home = if kill % 2 == 0 { &fresh } else { &home };
        let mut child =
            home.command(["check", &path]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Spread over the time a whole run takes, never at the same moments.
        std::thread::sleep(whole.1.mul_f64(f64::from(2 * kill + 1) / f64::from(2 * kills)));
        child.kill().unwrap();
        child.wait().unwrap();
        if kill % 2 == 0 {
            let found = home.january(&repository);
            for id in ["change_ticket", "change_independent_review", "change_tests"] {
                let (found, whole) = (procedure(&found, id), procedure(&whole.0, id));
                assert_eq!(found["population"], 300);
                same(&found["attributes"], &whole["attributes"]);
                assert_eq!(found["gaps"], whole["gaps"]);
            }
            home.holds();
        }
    }
    let found = home.january(&repository);
    assert_eq!(procedure(&found, "change_tests")["population"], 300);
    assert_eq!(home.does("rebuild --diff").lines().last(), Some("every row is as it was"));
    home.holds();
}

/// A small disk of its own, mounted for the time of a test.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    /// `None` where this user may not mount.
    fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tickmark"])
            .arg(folder.path())
            .output();
        mounted.is_ok_and(|m| m.status.success()).then_some(Self { folder })
    }

    fn again(&self, options: &str) {
        let done = Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(self.folder.path())
            .status()
            .unwrap();
        assert!(done.success());
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let Some(disk) = Disk::new("6m") else {
        println!("skipped: this user may not mount a small disk");
        return;
    };
    let home = Home::new();
    let workspace = disk.path().join("acme").display().to_string();
    home.does(&format!("init {workspace}"));
    let small = one();
    home.does(&format!("--workspace {workspace} check {}", small.shown()));
    let before = fs::read(disk.path().join("acme/data/log/checkpoint")).unwrap();
    // What is left of 9.6 MB when compressed does not go in any more.
    let large = Repo::with_many(80, 120_000);
    home.refuses(&format!("--workspace {workspace} check {}", large.shown()), &["free some space"]);
    // As soon as there is room, everything goes on.
    disk.again("size=200m");
    home.does(&format!("--workspace {workspace} verify"));
    let found = document(
        &home
            .run(["--workspace", &workspace, "check", &large.shown(), "--json"].iter().chain(&JANUARY))
            .succeeded(),
    );
    assert_eq!(procedure(&found, "change_tests")["population"], 80);
    assert!(home.does(&format!("--workspace {workspace} rebuild --diff")).contains("every row is as it was"));
    let said = home.does(&format!("--workspace {workspace} verify"));
    assert_eq!(said.matches("holds: ").count(), 2, "{said}");
    assert_ne!(fs::read(disk.path().join("acme/data/log/checkpoint")).unwrap(), before);
}

#[test]
fn a_read_only_workspace_is_left_alone() {
    let Some(disk) = Disk::new("20m") else {
        println!("skipped: this user may not mount a small disk");
        return;
    };
    let home = Home::new();
    let repository = one();
    let workspace = disk.path().join("acme").display().to_string();
    home.does(&format!("init {workspace}"));
    home.does(&format!("--workspace {workspace} check {}", repository.shown()));
    disk.again("ro");
    home.refuses(
        &format!("--workspace {workspace} check {}", repository.shown()),
        &["read-only file system", "mount it writable"],
    );
    home.refuses(
        &format!("init {}", disk.path().join("other").display()),
        &["cannot make the folder", "Read-only"],
    );
    // What lies on a medium that nobody can write is verified all the same.
    let said = home.does(&format!("--workspace {workspace} verify"));
    assert_eq!(said.matches("holds: ").count(), 2, "{said}");
    disk.again("rw");
    home.does(&format!("--workspace {workspace} check {}", repository.shown()));
}

#[test]
fn a_folder_without_the_right_to_write() {
    let home = Home::new();
    let repository = one();
    fs::write(home.path().join("file"), "").unwrap();
    home.refuses("init file/acme", &["cannot make the folder", "file/acme"]);
    home.refuses(&format!("--workspace file check {}", repository.shown()), &["is no workspace"]);
    home.works();
}

#[test]
fn a_newer_workspace_is_refused() {
    let home = Home::new();
    let repository = one();
    home.january(&repository);
    let kept = tempfile::tempdir().unwrap();
    copy(&home.data(), kept.path());
    let path = home.data().join("state.db");
    let version = |number: i64| {
        let connection = rusqlite::Connection::open(&path).unwrap();
        let before: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        connection.pragma_update(None, "user_version", number).unwrap();
        before
    };
    let ours = version(99);
    for line in [&format!("check {}", repository.shown()), "verify", "ledger status"] {
        home.refuses(line, &["written by a newer version", "update tickmark"]);
    }
    assert_eq!(version(ours), 99, "nothing was written");
    home.works();

    // A ring of another version, too.
    let ring = home.data().join("keys/ring");
    let text = fs::read_to_string(&ring).unwrap();
    fs::write(&ring, text.replace("\"v\": 1", "\"v\": 2")).unwrap();
    home.refuses(&format!("check {}", repository.shown()), &["newer version (2)", "update tickmark"]);
    fs::write(&ring, text).unwrap();
    home.works();

    // Another program's database.
    let foreign = home.path().join("foreign");
    fs::create_dir_all(foreign.join("data")).unwrap();
    fs::write(foreign.join("tickmark.toml"), "").unwrap();
    let other = rusqlite::Connection::open(foreign.join("data/state.db")).unwrap();
    other.execute_batch("CREATE TABLE notes (text)").unwrap();
    drop(other);
    home.refuses(
        &format!("--workspace foreign check {}", repository.shown()),
        &["a database of another program", "name another workspace"],
    );
}

#[test]
fn a_broken_configuration_is_named_with_its_line() {
    let home = Home::new();
    let repository = one();
    home.january(&repository);
    let path = home.workspace().join("tickmark.toml");
    let good = fs::read_to_string(&path).unwrap();
    for (text, line, part) in [
        ("organisation = \"A\"\n\ncolour = 1\n", 3, "unknown field `colour`"),
        ("organisation = \n", 1, ""),
        ("[database]\nwriter = \"x\"\nreedr = \"y\"\n", 3, "reedr"),
        ("[[source.github]]\nowner = \"a\"\n", 1, "repo"),
        ("organisation = \"A\"\n[conventions]\nreviews_since = \"soon\"\n", 3, "soon"),
        ("[conventions]\n\nreviwed_by = []\n", 3, "reviwed_by"),
    ] {
        fs::write(&path, text).unwrap();
        let named = format!("tickmark.toml:{line}: ");
        let said = home.refuses(&format!("check {}", repository.shown()), &[part, "docs/configuration.md"]);
        assert!(said.contains(&named), "no {named} in {said}");
    }
    fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    home.refuses(&format!("check {}", repository.shown()), &["tickmark.toml"]);
    fs::write(&path, good).unwrap();
    home.works();
}

/// Puts a built-in procedure into the workspace's content.
fn own_copy(home: &Home, id: &str) -> std::path::PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/procedures").join(id);
    let to = home.workspace().join("content/procedures").join(id);
    copy(&from, &to);
    to
}

#[test]
fn a_broken_content_file_stops_nothing_else() {
    let home = Home::new();
    let repository = one();
    home.january(&repository);
    let folder = own_copy(&home, "change_tests");
    let query = fs::read_to_string(folder.join("query.sql")).unwrap();
    fs::write(folder.join("query.sql"), query.replace("FROM change c", "FROM chnage c")).unwrap();
    let ran = home.run(["check", &repository.shown(), "--json"].iter().chain(&JANUARY));
    assert!(ran.err.contains("content/procedures/change_tests/query.sql:"), "{}", ran.err);
    assert!(ran.err.contains("chnage"), "{}", ran.err);
    let found = document(&ran.succeeded());
    assert_eq!(procedure(&found, "change_ticket")["population"], 1);
    // A procedure that is broken says nothing at all, least of all what the built-in one would say.
    assert!(found["procedures"].as_array().unwrap().iter().all(|p| p["id"] != "change_tests"));

    let table = home.workspace().join("content/tables");
    fs::create_dir_all(&table).unwrap();
    fs::write(
        table.join("pump.toml"),
        "kind = \"event\"\ndoc = \"A pump.\"\n\n[[columns]]\nname = \"size\"\ntype = \"huge\"\ndoc = \"?\"\n",
    )
    .unwrap();
    fs::write(home.workspace().join("content/controls.txt"), "notes").unwrap();
    let ran = home.run(["check", &repository.shown()]);
    assert!(ran.err.contains("content/tables/pump.toml:6"), "{}", ran.err);
    ran.succeeded();
    home.does("verify");
    fs::remove_dir_all(home.workspace().join("content")).unwrap();
    home.works();
}

#[test]
fn a_procedure_of_ones_own_takes_the_place_of_the_built_in_one() {
    let home = Home::new();
    let repository = one();
    let before = home.january(&repository);
    let folder = own_copy(&home, "change_tests");
    let toml = fs::read_to_string(folder.join("procedure.toml")).unwrap();
    fs::write(
        folder.join("procedure.toml"),
        toml.replace("Tests pass before changes land", "Our tests pass"),
    )
    .unwrap();
    let query = fs::read_to_string(folder.join("query.sql")).unwrap();
    fs::write(folder.join("query.sql"), query.replace("c.in_scope = 1", "c.in_scope = 1 AND c.parents > 5"))
        .unwrap();
    let after = home.january(&repository);
    let found = procedure(&after, "change_tests");
    assert_eq!((&found["title"], &found["population"]), (&"Our tests pass".into(), &0.into()));
    assert_ne!(found["content"], procedure(&before, "change_tests")["content"]);
    same(procedure(&after, "change_ticket"), procedure(&before, "change_ticket"));
    fs::remove_dir_all(home.workspace().join("content")).unwrap();
    same(procedure(&home.january(&repository), "change_tests"), procedure(&before, "change_tests"));
    home.holds();
}

#[test]
fn left_overs_of_a_crash_are_swept() {
    let home = Home::new();
    let repository = one();
    home.january(&repository);
    let path = repository.shown();
    fs::write(home.data().join("staging/draft"), "half").unwrap();
    fs::write(home.data().join("preview.db"), "half").unwrap();
    fs::write(home.data().join("keys/draft"), "half").unwrap();
    fs::write(home.workspace().join("tickmark.new"), "half").unwrap();
    ran(&mut home.command(["check", &path])).succeeded();
    assert!(!files(&home.data()).iter().any(|f| f.starts_with("staging/") || f == "keys/draft"));
    home.works();
}
