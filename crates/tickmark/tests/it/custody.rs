//! Evidence in a longer life: frozen, backed up and put back, erased, and what others can check of it afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conformance::duckdb::DuckDb;
use model::{Instant, Value};
use serde_json::Value as Json;

use crate::support::{ANN, BOB, CY, Home, JANUARY, Repo, copy, document, files, procedure, ran, same};

/// A home whose workspace says since when reviews, tests and tickets are named: then most absences are deviations.
fn home() -> Home {
    let home = Home::new();
    home.does("init work --organisation Halden");
    let config = home.path().join("work/tickmark.toml");
    let since = ["reviews_since", "tests_since", "tickets_since"]
        .map(|k| format!("{k} = \"2024-01-01T00:00:00Z\"\n"));
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        format!("{text}\n[conventions]\n{}", since.concat()).replacen("[conventions]  ", "# ", 1),
    )
    .unwrap();
    home
}

/// Ann's and Bob's January.
fn repository() -> Repo {
    let repository = Repo::new();
    let on = "Reviewed-on: https://review.example.test/1";
    for (message, day, who) in [
        (
            format!(
                "add a pump\n\nFixes: #7\n{on}\nReviewed-by: {BOB}\nTryBot-Result: CI Robot <r@example.test>"
            ),
            3,
            ANN,
        ),
        (format!("widen the pipe\n\n{on}\nReviewed-by: {ANN}"), 6, ANN),
        ("hotfix".to_owned(), 8, ANN),
        (format!("oil it\n\n{on}\nReviewed-by: {ANN}"), 9, BOB),
        (format!("paint it\n\n{on}\nReviewed-by: {CY}"), 10, BOB),
    ] {
        repository.commit(&message, &format!("2025-01-{day:02}T10:00:00Z"), who);
    }
    repository
}

impl Home {
    /// In the workspace `work`.
    #[track_caller]
    fn at_work(&self, line: &str) -> String {
        self.does(&format!("--workspace work {line}"))
    }

    #[track_caller]
    fn at_work_refused(&self, line: &str, parts: &[&str]) {
        self.refuses(&format!("--workspace work {line}"), parts);
    }

    #[track_caller]
    fn january_at_work(&self, repository: &Repo) -> Json {
        let path = repository.shown();
        document(
            &self.run(["--workspace", "work", "check", &path, "--json"].iter().chain(&JANUARY)).succeeded(),
        )
    }

    #[track_caller]
    fn holds_at(&self, workspace: &str) -> String {
        let said = self.does(&format!("--workspace {workspace} verify"));
        assert_eq!(said.matches("holds: ").count(), 2, "{said}");
        said
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap()
    }
}

fn status(home: &Home, workspace: &str) -> Json {
    serde_json::from_str(&home.does(&format!("--workspace {workspace} ledger status --json"))).unwrap()
}

/// Items by procedure and instant.
fn items(found: &Json) -> BTreeMap<(String, String), Json> {
    let mut all = BTreeMap::new();
    for procedure in found["procedures"].as_array().unwrap() {
        for item in procedure["items"].as_array().unwrap() {
            let key = |v: &Json| v.as_str().unwrap().to_owned();
            let before = all.insert((key(&procedure["id"]), key(&item["occurred_at"])), item.clone());
            assert!(before.is_none(), "two of one instant: {item}");
        }
    }
    all
}

#[test]
fn what_is_frozen_says_the_same_to_another_program() {
    let Some(mut duckdb) = DuckDb::start() else { return };
    let (home, repository) = (home(), repository());
    let found = home.january_at_work(&repository);
    let days = "--from 2025-01-01 --to 2025-01-31";
    let said = home.at_work(&format!("freeze frozen {days}"));
    let manifest: Json = serde_json::from_str(&home.text("frozen/manifest.json")).unwrap();
    let tables: Vec<&str> = manifest["tables"].as_object().unwrap().keys().map(String::as_str).collect();
    assert!(
        tables.contains(&"change") && tables.contains(&"approval") && tables.contains(&"coverage"),
        "{tables:?}"
    );

    // The ledger holds what the manifest says, word for word.
    let entry = said.rsplit_once("; entry ").unwrap().1.split(' ').next().unwrap();
    let shown = home.at_work(&format!("ledger show {entry}"));
    assert_eq!(shown.split_once('\n').unwrap().1, home.text("frozen/manifest.json"));

    // DuckDB runs the frozen queries over the frozen tables, and hashlib gives the roots that the manifest names.
    let folder = home.path().join("frozen");
    let ours = items(&found);
    let mut seen = BTreeMap::new();
    let mut compared = 0;
    for id in manifest["procedures"].as_object().unwrap().keys() {
        let sql = home.text(&format!("frozen/{id}.sql"));
        let answer = duckdb.reperform(&folder, &tables, &sql).unwrap();
        for table in &tables {
            let root = STANDARD.decode(manifest["tables"][table]["root"].as_str().unwrap()).unwrap();
            let root: String = root.iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(answer.roots[*table], root, "{table}");
        }
        // What `check` does not judge has frozen queries all the same.
        if !found["procedures"].as_array().unwrap().iter().any(|p| p["id"] == **id) {
            continue;
        }
        assert_eq!(answer.rows.len(), procedure(&found, id)["items"].as_array().unwrap().len(), "{id}");
        let letters = procedure(&found, id)["attributes"].as_array().unwrap();
        for row in answer.rows {
            let [
                _,
                Value::Text(label),
                Value::Integer(at),
                Value::Integer(entry),
                Value::Text(_),
                words @ ..,
            ] = &row[..]
            else {
                panic!("{id}: {row:?}")
            };
            let item = &ours[&(id.clone(), Instant::from_ms(*at).to_string())];
            assert!(!label.is_empty());
            assert_eq!(item["entry"], *entry);
            assert_eq!(words.len(), letters.len());
            for (word, attribute) in words.iter().zip(letters) {
                let Value::Text(word) = word else { panic!("{id}: {row:?}") };
                let verdict = item["verdicts"][attribute["letter"].as_str().unwrap()].as_str().unwrap();
                // What rests on absence stands only where somebody looked: SQL does not ask that.
                let unseen = verdict == "no_evidence" && word != "needs_judgement";
                assert!(word == verdict || unseen, "{id} {label}: {word} is not {verdict}");
                *seen.entry(word.clone()).or_insert(0) += usize::from(word == verdict);
                compared += 1;
            }
        }
    }
    assert!(compared >= 20 && seen["pass"] > 3 && seen["deviation"] > 3, "{seen:?}");

    // Nobody freezes over what is frozen.
    let before = files(&folder);
    home.at_work_refused(&format!("freeze frozen {days}"), &["frozen` is not empty", "name a new folder"]);
    assert_eq!(files(&folder), before);

    // What is known later changes nothing of what was known then.
    repository.commit("one more", "2025-01-20T10:00:00Z", BOB);
    home.january_at_work(&repository);
    home.at_work(&format!("freeze again {days} --known-at {}", manifest["position"]));
    let again: Json = serde_json::from_str(&home.text("again/manifest.json")).unwrap();
    same(&again["tables"], &manifest["tables"]);
    home.at_work(&format!("freeze later {days}"));
    let later: Json = serde_json::from_str(&home.text("later/manifest.json")).unwrap();
    assert_ne!(later["tables"]["change"], manifest["tables"]["change"]);

    // A value changed in a file gives another root; a file that was damaged is none.
    let path = folder.join("change_row.parquet").display().to_string();
    let alter = format!(
        "COPY (SELECT * REPLACE (parents + 1 AS parents) FROM '{path}') TO '{path}.new' (FORMAT parquet)"
    );
    duckdb.reperform(&folder, &[], &alter).unwrap();
    fs::rename(format!("{path}.new"), &path).unwrap();
    let count = "SELECT count(*) FROM change_row";
    let altered = duckdb.reperform(&folder, &["change", "approval"], count).unwrap();
    let root = |table: &str| {
        let root = STANDARD.decode(manifest["tables"][table]["root"].as_str().unwrap()).unwrap();
        root.iter().map(|b| format!("{b:02x}")).collect::<String>()
    };
    assert_ne!(altered.roots["change"], root("change"));
    assert_eq!(altered.roots["approval"], root("approval"));
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    assert!(duckdb.reperform(&folder, &["change"], count).is_err());
    home.holds_at("work");
}

#[test]
fn a_backup_comes_back_and_goes_on() {
    let (home, repository) = (home(), repository());
    home.january_at_work(&repository);
    fs::create_dir_all(home.path().join("work/content/controls")).unwrap();
    fs::write(home.path().join("work/content/controls/note.txt"), "ours").unwrap();
    let said = home.at_work("backup safe --keys secret");
    assert!(said.contains("the wrapping key is in neither folder"), "{said}");
    assert!(files(&home.path().join("safe")).iter().all(|f| !f.contains("keys") && !f.contains("lock")));
    // Again on the same folders, after more: what is new, what is gone, and nothing else.
    repository.commit("one more", "2025-01-20T10:00:00Z", BOB);
    fs::remove_file(home.path().join("work/content/controls/note.txt")).unwrap();
    let first = home.january_at_work(&repository);
    home.at_work("backup safe --keys secret");
    let position = status(&home, "work")["acknowledged"].as_u64().unwrap();
    // And after that, what is lost.
    repository.commit("lost", "2025-01-21T10:00:00Z", BOB);
    home.january_at_work(&repository);
    copy(&home.path().join("work/data/log"), &home.path().join("kept"));

    let restore = "restore safe --keys secret --operator person-3 --reason disk-failure";
    let said = home.does(&format!("{restore} --into new --newest-known kept/checkpoint"));
    assert!(said.contains(&format!("with {} entries", position + 1)), "{said}");
    home.holds_at("new");
    assert_eq!(status(&home, "new")["vkey"], status(&home, "work")["vkey"]);
    assert_eq!(home.text("new/tickmark.toml"), home.text("work/tickmark.toml"));
    assert!(
        !home.path().join("new/content/controls/note.txt").exists(),
        "what was removed does not come back"
    );
    // The log says who and why, and how much is lost.
    let shown = home.does(&format!("--workspace new ledger show {position}"));
    for part in ["person-3", "disk-failure", &format!("\"restored_size\":{position}"), "newest_known_size"] {
        assert!(shown.contains(part), "{shown}");
    }
    // It collects what is new since, and says of the January what was said.
    let path = repository.shown();
    let look = |home: &Home| {
        let arguments = ["--workspace", "new", "check", &path, "--json"];
        document(&home.run(arguments.iter().chain(&JANUARY)).succeeded())
    };
    let again = look(&home);
    let before = items(&first);
    let after = items(&again);
    assert!(after.len() > before.len(), "what was lost is looked for again");
    for (key, item) in &before {
        assert_eq!(after[key]["verdicts"], item["verdicts"], "{key:?}");
    }
    home.holds_at("new");
    assert_eq!(home.does("--workspace new rebuild --diff").lines().last(), Some("every row is as it was"));

    // Over something that is there, nothing is restored.
    home.refuses(&format!("{restore} --into new"), &["is a workspace already"]);
    fs::create_dir(home.path().join("photos")).unwrap();
    fs::write(home.path().join("photos/cat"), "cat").unwrap();
    home.refuses(&format!("{restore} --into photos"), &["photos` is not empty", "name a new folder"]);
    assert_eq!(files(&home.path().join("photos")), ["cat"]);
    fs::create_dir(home.path().join("empty")).unwrap();
    home.does(&format!("{restore} --into empty"));

    // Nor is anything backed up over something else, into the workspace, or keys beside evidence.
    home.does("init other");
    let own = Repo::new();
    own.commit("theirs", "2025-01-09T10:00:00Z", CY);
    home.run(["--workspace", "other", "check", &own.shown(), "--json"]).succeeded();
    let kept = files(&home.path().join("safe"));
    for (folders, why) in [
        ("safe --keys elsewhere", "something else than a backup of this workspace"),
        ("elsewhere --keys secret", "something else than a backup of this workspace"),
        ("photos --keys elsewhere", "something else than a backup of this workspace"),
        ("other/safe --keys elsewhere", "outside the workspace"),
        ("elsewhere --keys elsewhere/keys", "apart"),
        ("photos/../other/data --keys elsewhere", "outside the workspace"),
    ] {
        home.refuses(&format!("--workspace other backup {folders}"), &[why]);
    }
    assert_eq!(files(&home.path().join("safe")), kept);
    assert!(!home.path().join("elsewhere").exists());
}

#[test]
fn a_backup_that_is_not_whole_is_refused_and_leaves_nothing() {
    let (home, repository) = (home(), repository());
    home.january_at_work(&repository);
    home.at_work("backup safe --keys secret");
    let restore = "restore safe --keys secret --operator person-3 --reason disk-failure --into new";
    let refused = |what: &str, parts: &[&str]| {
        let before = files(home.path());
        home.refuses(restore, parts);
        assert_eq!(files(home.path()), before, "{what}: something was left");
        assert!(!home.path().join("new").exists(), "{what}");
    };
    let named = |start: &str| {
        let all = files(home.path());
        all.into_iter().filter(|f| f.starts_with(start)).max_by_key(|f| f.len()).unwrap()
    };
    let entries = named("safe/log/tile/entries");
    let pack =
        files(home.path()).into_iter().find(|f| f.starts_with("safe/objects/") && f.len() > 40).unwrap();
    for (path, part) in [
        ("safe/head.json".to_owned(), "head"),
        ("safe/log/checkpoint".to_owned(), "backup"),
        (entries, "signed root"),
        (pack, "its hash isn't its name"),
        ("safe/objects/packs".to_owned(), "backup"),
        ("secret/keys/slots/000000".to_owned(), "doesn't unwrap"),
        ("secret/keys/ring".to_owned(), ""),
    ] {
        let place = home.path().join(&path);
        let bytes = fs::read(&place).unwrap();
        fs::remove_file(&place).unwrap();
        refused(&format!("{path} gone"), &["backup"]);
        fs::write(&place, &bytes[..bytes.len() / 2]).unwrap();
        refused(&format!("{path} cut short"), &[]);
        let mut altered = bytes.clone();
        let middle = altered.len() / 2;
        altered[middle] ^= 1;
        fs::write(&place, &altered).unwrap();
        refused(&format!("{path} altered"), &[part]);
        fs::write(&place, &bytes).unwrap();
    }
    // A key that somebody destroyed, and no entry says so.
    let slots = home.path().join("secret/keys/slots/000000");
    let bytes = fs::read(&slots).unwrap();
    fs::write(&slots, [&bytes[..48], &[0; 48], &bytes[96..]].concat()).unwrap();
    refused("a key destroyed", &["no entry of the log says that it was erased"]);
    fs::write(&slots, &bytes).unwrap();

    // The wrapping key: none, another, and the right one.
    let key = home.path().join(".config/tickmark/key");
    let right = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    refused("no wrapping key", &["is not here", "TICKMARK_KEY_FILE"]);
    fs::write(&key, "00".repeat(32)).unwrap();
    refused("another wrapping key", &["does not open the backup", "TICKMARK_KEY_FILE"]);
    fs::write(&key, right).unwrap();
    for (folders, part) in [
        ("nowhere --keys secret", "nowhere` holds no backup"),
        ("safe --keys nowhere", "nowhere` holds no backup"),
        ("secret --keys safe", "holds no backup"),
    ] {
        home.refuses(&format!("restore {folders} --operator p --reason r --into new"), &[part]);
    }
    assert!(!home.path().join("nowhere").exists());
    home.does(restore);
    home.holds_at("new");
}

/// Files below a folder that hold some bytes, in any letters.
fn grep(folder: &Path, bytes: &str) -> Vec<String> {
    let bytes = bytes.to_lowercase().into_bytes();
    let holds = |path: &String| {
        let found = fs::read(folder.join(path)).unwrap().to_ascii_lowercase();
        found.windows(bytes.len()).any(|w| w == bytes)
    };
    files(folder).into_iter().filter(holds).collect()
}

/// Entries whose document can be read, with it.
fn readable(home: &Home) -> BTreeMap<u64, String> {
    let size = status(home, "work")["acknowledged"].as_u64().unwrap();
    let show =
        |index: u64| ran(&mut home.command(["--workspace", "work", "ledger", "show", &index.to_string()]));
    (0..size).map(|i| (i, show(i))).filter(|(_, r)| r.code == Some(0)).map(|(i, r)| (i, r.out)).collect()
}

const ORDER: &str = "--basis GDPR-17 --approver person-12";

#[test]
fn a_person_who_is_erased_is_gone() {
    let (home, repository) = (home(), repository());
    let before = home.january_at_work(&repository);
    home.at_work("ledger proof 2 --out proofs");
    let was = readable(&home);
    let named: Vec<u64> =
        was.iter().filter(|(_, d)| d.contains("ann@example.test")).map(|(i, _)| *i).collect();
    assert!(!named.is_empty() && !grep(home.path(), "ann@example.test").is_empty(), "the test sees nothing");

    // Without a yes, for nobody, or in words that name her: nothing changes.
    let size = status(&home, "work")["acknowledged"].clone();
    for (line, part) in [
        (format!("ledger erase --person ann@example.test {ORDER}"), "say --yes"),
        (format!("ledger erase --person dee@example.test {ORDER} --yes"), "nobody with the address or login"),
        (
            "ledger erase --person ann@example.test --basis wish-of-ann@example.test --approver p --yes"
                .to_owned(),
            "names the person",
        ),
        (
            "ledger erase --person ann@example.test --basis b --approver ANN@example.test --yes".to_owned(),
            "names the person",
        ),
    ] {
        home.at_work_refused(&line, &[part]);
        assert_eq!(status(&home, "work")["acknowledged"], size, "{line}");
    }
    assert_eq!(readable(&home), was);

    let said = home.at_work(&format!("ledger erase --person ANN@example.test {ORDER} --yes"));
    assert!(
        said.starts_with(&format!("{} documents were replaced by redacted copies", named.len())),
        "{said}"
    );
    // Nowhere in the workspace, nor in any document that can still be read.
    let left = readable(&home);
    for value in ["ann@example.test", "Ann Lee"] {
        assert_eq!(grep(home.path(), value), Vec::<String>::new(), "{value}");
        for (index, document) in &left {
            assert!(!document.to_lowercase().contains(&value.to_lowercase()), "entry {index}: {document}");
        }
    }
    for index in &named {
        home.at_work_refused(&format!("ledger show {index}"), &["was erased"]);
    }
    // Others stand where they stood.
    assert!(!grep(home.path(), "bob@example.test").is_empty());
    assert!(left.values().any(|d| d.contains("Bob Ray <bob@example.test>")));
    let last = left.last_key_value().unwrap().1;
    assert!(last.contains("GDPR-17") && last.contains("person-12"), "{last}");

    // The log holds, with the proof that was made before, and check judges as it did.
    home.holds_at("work");
    let proof = |name: &str| fs::read(home.path().join(name)).unwrap();
    let key = home.text("work/data/log.vkey").trim().parse().unwrap();
    verify::proof(&proof("proofs/2.tlog-proof"), &proof("proofs/2.leaf"), &key).unwrap();
    let after = home.january_at_work(&repository);
    let (before, after) = (items(&before), items(&after));
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (key, item) in &before {
        assert_eq!(after[key]["verdicts"], item["verdicts"], "{key:?}");
    }
    assert_eq!(home.at_work("rebuild --diff").lines().last(), Some("every row is as it was"));
    assert_eq!(grep(home.path(), "ann@example.test"), Vec::<String>::new());

    // Twice is once; and another one after her.
    home.at_work_refused(&format!("ledger erase --person ann@example.test {ORDER} --yes"), &["nobody with"]);
    home.at_work(&format!("ledger erase --person bob@example.test {ORDER} --yes"));
    assert_eq!(grep(home.path(), "bob@example.test"), Vec::<String>::new());
    assert!(readable(&home).values().all(|d| !d.contains("bob@")));
    assert_eq!(items(&home.january_at_work(&repository)).len(), before.len());
    home.holds_at("work");
}

#[test]
fn erasing_makes_nobody_independent() {
    let (home, repository) = (home(), repository());
    // Who looks like the author may be the author.
    let alike = repository.commit(
        "polish it\n\nReviewed-on: https://review.example.test/9\nReviewed-by: Lee, Ann <al@home.example.test>",
        "2025-01-12T10:00:00Z",
        ANN,
    );
    let review = |home: &Home| {
        crate::support::verdicts(&home.january_at_work(&repository), "change_independent_review", &alike)
    };
    let before = review(&home);
    assert!(before.starts_with("a needs_judgement"), "{before}");
    let was = readable(&home);
    home.at_work_refused(
        &format!("ledger erase --person ann@example.test {ORDER} --yes"),
        &["`al@home.example.test` looks like the same person", "another --person", "--apart"],
    );
    assert_eq!(readable(&home).len(), was.len());
    home.at_work(&format!(
        "ledger erase --person ann@example.test --person al@home.example.test {ORDER} --yes"
    ));
    for value in ["ann@example.test", "Ann Lee", "Lee, Ann", "al@home"] {
        assert_eq!(grep(home.path(), value), Vec::<String>::new(), "{value}");
    }
    assert_eq!(review(&home), before);

    // Somebody has said that they are two.
    let home = self::home();
    home.january_at_work(&repository);
    home.at_work(&format!("ledger erase --person ann@example.test --apart {ORDER} --yes"));
    assert!(readable(&home).values().any(|d| d.contains("Lee, Ann <al@home.example.test>")));
    home.holds_at("work");
}

#[test]
fn a_name_that_cannot_be_taken_out_is_said() {
    let home = home();
    let repository = repository();
    // An author whose name is in an encoding of their own.
    let head = b"author J\xf6rg <joerg@example.test> 1736589600 +0000\ncommitter J\xf6rg <joerg@example.test> 1736589600 +0000\n";
    repository.raw(&[&head[..], b"encoding ISO-8859-1\n\nlatin\n"].concat());
    home.january_at_work(&repository);
    let was = readable_bytes(&home);
    let said = home.refuses(
        &format!("--workspace work ledger erase --person joerg@example.test {ORDER} --yes"),
        &["in a way that cannot be taken out alone", "nothing was erased", "tickmark ledger erase "],
    );
    assert_eq!(readable_bytes(&home), was);
    // What it says to do helps.
    let index = said.split("tickmark ledger erase ").nth(1).unwrap().split_whitespace().next().unwrap();
    home.at_work(&format!("ledger erase {index} {ORDER} --yes"));
    home.holds_at("work");
    assert!(!was.is_empty());
}

/// As [`readable`], of documents that are no text.
fn readable_bytes(home: &Home) -> Vec<u64> {
    let size = status(home, "work")["acknowledged"].as_u64().unwrap();
    let show = |index: &u64| {
        let mut command = home.command(["--workspace", "work", "ledger", "show", &index.to_string()]);
        command.output().unwrap().status.success()
    };
    (0..size).filter(show).collect()
}

#[test]
fn documents_are_erased_by_their_entries() {
    let (home, repository) = (home(), repository());
    home.january_at_work(&repository);
    home.at_work("backup safe --keys secret");
    let was = readable(&home);
    let commits = *was.iter().find(|(_, d)| d.contains("widen the pipe")).unwrap().0;
    let size = status(&home, "work")["acknowledged"].as_u64().unwrap();
    let erase = |what: String| format!("ledger erase {what} {ORDER} --yes");
    home.at_work_refused(&format!("ledger erase {commits} {ORDER}"), &["say --yes"]);
    home.at_work_refused(&erase(format!("{commits} 999")), &["there is no entry 999"]);
    assert_eq!(readable(&home), was);

    // A person first: a redacted copy stands in for the document, and goes with it.
    home.at_work(&erase("--person cy@example.test".to_owned()));
    assert!(readable(&home).values().any(|d| d.contains("widen the pipe")));
    let said = home.at_work(&erase(format!("{commits} {commits}")));
    assert!(said.starts_with("1 documents were erased"), "{said}");
    assert!(readable(&home).values().all(|d| !d.contains("widen the pipe")));
    home.at_work_refused(&erase(commits.to_string()), &["erased before", "nothing was changed"]);
    assert!(grep(&home.path().join("work"), "ann@example.test").is_empty(), "rows go with their document");
    home.holds_at("work");
    home.at_work(&format!("ledger proof {commits} --out proofs"));
    let proof = |what: &str| fs::read(home.path().join(format!("proofs/{commits}.{what}"))).unwrap();
    let key = home.text("work/data/log.vkey").trim().parse().unwrap();
    assert!(verify::proof(&proof("tlog-proof"), &proof("leaf"), &key).unwrap().size > size);
    let mut other = proof("leaf");
    other[10] ^= 1;
    assert!(verify::proof(&proof("tlog-proof"), &other, &key).is_err());
    // Nothing is known of what was erased, and nothing is made up.
    let found = home.january_at_work(&repository);
    for procedure in found["procedures"].as_array().unwrap() {
        assert_ne!(procedure["conclusion"], "no_exceptions");
    }

    // The next backup takes the destroyed keys over, and a restore does not bring them back.
    home.at_work("backup safe --keys secret");
    home.does("restore safe --keys secret --operator p --reason r --into new");
    home.holds_at("new");
    home.refuses(&format!("--workspace new ledger show {commits}"), &["was erased"]);
}

#[test]
fn what_a_crash_leaves_of_an_erasure_is_finished() {
    let (home, repository) = (home(), repository());
    home.january_at_work(&repository);
    let line = format!("--workspace work ledger erase --person ann@example.test {ORDER} --yes");
    let undisturbed = tempfile::tempdir().unwrap();
    copy(home.path(), undisturbed.path());
    // Ended at every system call that writes to a place of its own: what is on the disk then is what a crash leaves.
    let (mut ended, mut gone) = (0, 0);
    for at in (1..).step_by(5) {
        fs::remove_dir_all(home.path().join("work")).unwrap();
        copy(&undisturbed.path().join("work"), &home.path().join("work"));
        let strace = std::process::Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync,rename,unlink,ftruncate"])
            .args(["-e", &format!("inject=fsync,fdatasync,rename,unlink,ftruncate:signal=KILL:when={at}")])
            .arg(env!("CARGO_BIN_EXE_tickmark"))
            .args(line.split_whitespace())
            .current_dir(home.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home.path())
            .output();
        let Ok(output) = strace else {
            conformance::skipped("strace is not installed");
            return;
        };
        if output.status.success() {
            break;
        }
        ended += 1;
        // The next start finishes what was begun, and where no document names her any more, no row does.
        status(&home, "work");
        home.holds_at("work");
        let left = readable(&home);
        if left.values().all(|d| !d.contains("ann@example.test")) {
            let elsewhere: Vec<String> =
                grep(home.path(), "Ann Lee").into_iter().filter(|f| !f.contains("state.db")).collect();
            assert_eq!(elsewhere, Vec::<String>::new(), "ended at {at}");
            gone += 1;
        }
        // Said again, it is done; or it was done, and she is unknown.
        let again = home.run(line.split_whitespace());
        if again.code != Some(0) {
            again.refused(&["nobody with the address or login"]);
        }
        let left = readable(&home);
        for value in ["ann@example.test", "Ann Lee"] {
            assert_eq!(grep(home.path(), value), Vec::<String>::new(), "{value}, ended at {at}");
            assert!(left.values().all(|d| !d.contains(value)), "{value}, ended at {at}");
        }
        home.holds_at("work");
    }
    println!("ended {ended} times, {gone} times with every key gone");
    assert!(ended > 12 && gone > 6, "ended {ended} times, {gone} times with every key gone");
}

#[test]
fn a_changed_record_is_shown() {
    let (home, repository) = (home(), repository());
    home.january_at_work(&repository);
    assert_eq!(home.at_work("rebuild --diff").lines().last(), Some("every row is as it was"));
    for (sql, expect) in [
        ("UPDATE approval_row SET status = 'unknown' WHERE status = 'approved'", "approval: "),
        ("DELETE FROM contributor_row WHERE role = 'author'", "contributor: "),
        ("UPDATE entity SET key = replace(key, 'bob', 'rob') WHERE key LIKE '%bob%'", "entity: "),
        ("UPDATE display SET text = 'harmless' WHERE text = 'hotfix'", "display: 1 rows came, 1 went"),
    ] {
        let records =
            files(&home.path().join("work/data")).into_iter().find(|f| f.starts_with("records-")).unwrap();
        let connection = rusqlite::Connection::open(home.path().join("work/data").join(records)).unwrap();
        assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
        drop(connection);
        let said = home.at_work("rebuild --diff");
        assert!(said.contains(expect), "{sql}: {said}");
        assert_eq!(home.at_work("rebuild --diff").lines().last(), Some("every row is as it was"));
    }
    home.holds_at("work");
}
