//! Real repositories, made by the `git` command in a temporary folder, and what comes out of them.

use std::fs;
use std::path::Path;
use std::process::Command;

use model::{Capture, Document, FactValue, Instant};

use super::*;

/// A repository in a temporary folder, with fixed clocks and people.
struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self { folder: tempfile::tempdir().unwrap() };
        fixture.git("init -q -b main");
        fixture
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn git(&self, arguments: &str) -> String {
        self.git_at(arguments, "2025-03-04T10:00:00Z")
    }

    fn git_at(&self, arguments: &str, at: &str) -> String {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        self.run(&arguments, at, "Ann Lee <ann@example.test>")
    }

    fn run(&self, arguments: &[&str], at: &str, who: &str) -> String {
        let (name, email) = who.split_once(" <").unwrap();
        let email = email.trim_end_matches('>');
        let output = Command::new("git")
            .current_dir(self.path())
            .args(["-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always"])
            .args(arguments)
            .envs([("GIT_AUTHOR_NAME", name), ("GIT_COMMITTER_NAME", name)])
            .envs([("GIT_AUTHOR_EMAIL", email), ("GIT_COMMITTER_EMAIL", email)])
            .envs([("GIT_AUTHOR_DATE", at), ("GIT_COMMITTER_DATE", at)])
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")])
            .output()
            .expect("git runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// A commit with this message; its id.
    fn commit(&self, message: &str, at: &str) -> String {
        self.run(&["commit", "-q", "--allow-empty", "-m", message], at, "Ann Lee <ann@example.test>");
        self.git("rev-parse HEAD")
    }

    fn open(&self) -> Result<Repository, String> {
        open(self.path(), None).map_err(|e| e.to_string())
    }
}

fn now() -> Instant {
    "2025-06-01T00:00:00Z".parse().unwrap()
}

/// Everything a run hands over.
fn run(repository: &Repository, before: &[Capture], now: Instant) -> (Collected, Vec<Capture>) {
    let cursor = before.iter().rev().find_map(|c| c.receipt.cursor.clone());
    let known: Vec<(String, i64)> = facts(before, "change")
        .iter()
        .map(|values| {
            (text(values, "label"), integer(values, "merged_at").max(integer(values, "landed_after")))
        })
        .collect();
    let mut captures = vec![];
    let collected = collect(
        repository,
        cursor.as_ref(),
        &|id| known.iter().find(|(k, _)| k == id).map(|(_, at)| Instant::from_ms(*at)),
        now,
        &mut |capture| {
            captures.push(capture);
            Ok(())
        },
    )
    .unwrap();
    (collected, captures)
}

type Values = Vec<(&'static str, FactValue)>;

fn facts(captures: &[Capture], table: &str) -> Vec<Values> {
    facts_with(captures, table, &Conventions::default())
}

fn facts_with(captures: &[Capture], table: &str, conventions: &Conventions) -> Vec<Values> {
    let mut all = vec![];
    for capture in captures {
        let bytes = capture.to_document();
        let derived = derive(&Document::parse(&bytes).unwrap(), conventions);
        assert_eq!(derived.problems, Vec::<String>::new());
        for fact in derived.facts.into_iter().chain(derived.tentative) {
            if fact.table == table {
                all.push(fact.values);
            }
        }
    }
    all
}

fn value<'a>(values: &'a Values, column: &str) -> &'a FactValue {
    &values.iter().find(|(name, _)| *name == column).expect("the column is set").1
}

fn text(values: &Values, column: &str) -> String {
    match value(values, column) {
        FactValue::Text(text) => text.clone(),
        FactValue::Entity(key) => key.key.clone(),
        FactValue::Null => "?".to_owned(),
        FactValue::Integer(number) => number.to_string(),
    }
}

fn integer(values: &Values, column: &str) -> i64 {
    match value(values, column) {
        FactValue::Integer(number) => *number,
        other => panic!("{other:?}"),
    }
}

fn coverage(captures: &[Capture]) -> Vec<String> {
    facts(captures, "coverage")
        .iter()
        .filter(|v| !["contributor", "change_pull_request"].contains(&text(v, "relation").as_str()))
        .map(|v| {
            format!(
                "{} {} {} .. {} {}",
                text(v, "relation"),
                text(v, "status"),
                Instant::from_ms(integer(v, "covered_from")),
                Instant::from_ms(integer(v, "covered_to")),
                if *value(v, "reason") == FactValue::Null { "" } else { "because" }
            )
            .trim()
            .to_owned()
        })
        .collect()
}

#[test]
fn a_change_is_a_first_parent_commit() {
    let f = Fixture::new();
    let root = f.commit("root", "2025-01-01T00:00:00Z");
    f.git("checkout -q -b side");
    f.run(
        &["commit", "-q", "--allow-empty", "-m", "side work"],
        "2025-01-02T00:00:00Z",
        "Bob Ray <bob@example.test>",
    );
    let side = f.git("rev-parse HEAD");
    f.git("checkout -q main");
    let middle = f.commit("middle", "2025-01-03T00:00:00Z");
    f.run(
        &["merge", "-q", "--no-ff", "side", "-m", "merge side\n\nReviewed-by: Cy Fox <cy@example.test>"],
        "2025-01-04T00:00:00Z",
        "Ann Lee <ann@example.test>",
    );
    let merge = f.git("rev-parse HEAD");
    let (collected, captures) = run(&f.open().unwrap(), &[], now());
    assert_eq!((collected.changes, collected.commits), (3, 4));
    let changes: Vec<String> = facts(&captures, "change").iter().map(|v| text(v, "label")).collect();
    assert_eq!(changes, [root, middle, merge.clone()]);
    // The merge's reviewer is judged against those whose commits landed with it, too.
    let mut who: Vec<String> = facts(&captures, "contributor")
        .iter()
        .map(|v| format!("{} {} {}", text(v, "role"), text(v, "account"), text(v, "revision") == side))
        .collect();
    who.sort();
    assert_eq!(who, ["author bob@example.test true", "lander ann@example.test false"]);
    assert_eq!(
        coverage(&captures),
        [
            "change complete 0001-01-01T00:00:00Z .. 0001-01-01T00:00:00Z",
            "change complete 0001-01-01T00:00:00Z .. 2025-06-01T00:00:00Z"
        ]
    );
}

#[test]
fn the_bytes_are_those_of_git() {
    let f = Fixture::new();
    let id = f.commit("a message\n\nwith a body", "2025-01-01T00:00:00Z");
    let (_, captures) = run(&f.open().unwrap(), &[], now());
    let body = &captures.last().unwrap().body;
    let expect = f.run(&["cat-file", "commit", &id], "2025-01-01T00:00:00Z", "A <a@x>");
    let text = String::from_utf8(body.clone()).unwrap();
    assert!(text.starts_with(&format!("{id} commit ")), "{text}");
    assert!(text.contains(&expect), "{text}");
}

#[test]
fn a_second_run_brings_only_what_is_new() {
    let f = Fixture::new();
    f.commit("one", "2025-01-01T00:00:00Z");
    let (_, first) = run(&f.open().unwrap(), &[], now());
    let two = f.commit("two", "2025-01-02T00:00:00Z");
    let later = "2025-06-02T00:00:00Z".parse().unwrap();
    let (collected, second) = run(&f.open().unwrap(), &first, later);
    assert_eq!(collected, Collected { changes: 1, commits: 1, problems: vec![] });
    let changes = facts(&second, "change");
    assert_eq!(text(&changes[0], "label"), two);
    // What landed before bounds what a later clock may claim.
    assert_eq!(Instant::from_ms(integer(&changes[0], "landed_after")).to_string(), "2025-01-01T00:00:00Z");
    // Nothing new is an observation too.
    let (collected, third) =
        run(&f.open().unwrap(), &[first, second].concat(), "2025-06-03T00:00:00Z".parse().unwrap());
    assert_eq!(collected.commits, 0);
    assert_eq!(coverage(&third)[1], "change complete 0001-01-01T00:00:00Z .. 2025-06-03T00:00:00Z");
}

#[test]
fn rewritten_history_opens_a_gap() {
    let f = Fixture::new();
    f.commit("one", "2025-01-01T00:00:00Z");
    f.commit("two", "2025-01-02T00:00:00Z");
    let (_, first) = run(&f.open().unwrap(), &[], now());
    f.git("reset -q --hard HEAD~1");
    f.commit("two, amended", "2025-01-03T00:00:00Z");
    let (collected, second) = run(&f.open().unwrap(), &first, now());
    assert_eq!(collected.changes, 1);
    assert!(collected.problems[0].contains("was rewritten"), "{:?}", collected.problems);
    assert_eq!(coverage(&second)[0], "change partial 2025-01-01T00:00:00Z .. 2025-06-01T00:00:00Z because");
}

#[test]
fn a_tip_that_went_back_opens_a_gap() {
    let f = Fixture::new();
    f.commit("one", "2025-01-01T00:00:00Z");
    f.commit("two", "2025-01-02T00:00:00Z");
    let (_, first) = run(&f.open().unwrap(), &[], now());
    f.git("reset -q --hard HEAD~1");
    let (collected, _) = run(&f.open().unwrap(), &first, now());
    assert_eq!(collected.changes, 0);
    assert!(collected.problems[0].contains("went back"), "{:?}", collected.problems);
}

#[test]
fn a_shallow_clone_is_partial_until_it_is_completed() {
    let origin = Fixture::new();
    for day in 1..=4 {
        origin.commit(&format!("c{day}"), &format!("2025-01-0{day}T00:00:00Z"));
    }
    let clone = Fixture { folder: tempfile::tempdir().unwrap() };
    let url = format!("file://{}", origin.path().display());
    clone.run(&["clone", "-q", "--depth", "2", &url, "."], "2025-01-01T00:00:00Z", "A <a@x>");
    let (collected, first) = run(&clone.open().unwrap(), &[], now());
    assert_eq!(collected.changes, 2);
    assert_eq!(
        coverage(&first),
        [
            "change partial 0001-01-01T00:00:00Z .. 2025-01-03T00:00:00Z because",
            "change complete 2025-01-03T00:00:00Z .. 2025-06-01T00:00:00Z"
        ]
    );
    // A second look at the same clone knows no more than the first.
    let (_, second) = run(&clone.open().unwrap(), &first, now());
    assert_eq!(coverage(&second), coverage(&first));
    clone.run(&["fetch", "-q", "--unshallow"], "2025-01-01T00:00:00Z", "A <a@x>");
    let (collected, third) = run(&clone.open().unwrap(), &[first, second].concat(), now());
    assert_eq!(collected.changes, 2);
    assert_eq!(coverage(&third)[1], "change complete 0001-01-01T00:00:00Z .. 2025-06-01T00:00:00Z");
}

#[test]
fn a_flipped_object_is_not_evidence() {
    let f = Fixture::new();
    let one = f.commit("one", "2025-01-01T00:00:00Z");
    let two = f.commit("two", "2025-01-02T00:00:00Z");
    // The object of `one` under the name of a commit in the middle: git itself would not notice without fsck.
    let object = |id: &str| f.path().join(".git/objects").join(&id[..2]).join(&id[2..]);
    f.commit("three", "2025-01-03T00:00:00Z");
    let copy = fs::read(object(&one)).unwrap();
    fs::remove_file(object(&two)).unwrap();
    fs::write(object(&two), copy).unwrap();
    let (collected, captures) = run(&f.open().unwrap(), &[], now());
    assert_eq!(collected.changes, 1);
    assert!(collected.problems[0].contains("do not have this id"), "{:?}", collected.problems);
    assert!(coverage(&captures)[0].starts_with("change partial 0001-01-01T00:00:00Z .. 2025-01-03"));
}

#[test]
fn an_octopus_brings_every_arm() {
    let f = Fixture::new();
    f.commit("root", "2025-01-01T00:00:00Z");
    for arm in ["a", "b"] {
        f.git(&format!("checkout -q -b {arm} main"));
        f.run(
            &["commit", "-q", "--allow-empty", "-m", arm],
            "2025-01-02T00:00:00Z",
            &format!("{arm} <{arm}@example.test>"),
        );
    }
    f.git("checkout -q main");
    f.run(
        &["merge", "-q", "--no-ff", "a", "b", "-m", "both\n\nReviewed-by: C <c@example.test>"],
        "2025-01-03T00:00:00Z",
        "Ann Lee <ann@example.test>",
    );
    let (collected, captures) = run(&f.open().unwrap(), &[], now());
    assert_eq!((collected.changes, collected.commits), (2, 4));
    assert_eq!(integer(&facts(&captures, "change")[1], "parents"), 3);
    assert_eq!(facts(&captures, "contributor").len(), 3);
}

#[test]
fn tags_are_seen_with_the_commit_they_lead_to() {
    let f = Fixture::new();
    let id = f.commit("one", "2025-01-01T00:00:00Z");
    f.git("tag v1");
    f.git("tag -a v2 -m second");
    let (_, captures) = run(&f.open().unwrap(), &[], now());
    let tags: Vec<String> = facts(&captures, "tag")
        .iter()
        .map(|v| format!("{} {}", text(v, "label"), text(v, "revision") == id))
        .collect();
    assert_eq!(tags, ["refs/tags/v1 true", "refs/tags/v2 true"]);
}

#[test]
fn what_is_no_history_says_what_to_do() {
    let empty = tempfile::tempdir().unwrap();
    let message = open(empty.path(), None).map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("is no git repository"), "{message}");
    let message = open(&empty.path().join("nowhere"), None).map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("does not exist"), "{message}");

    let f = Fixture::new();
    assert!(f.open().map(|_| ()).unwrap_err().contains("no commit yet on `main`"));
    f.commit("one", "2025-01-01T00:00:00Z");
    f.git("branch stable");
    f.git("checkout -q --detach");
    assert!(f.open().map(|_| ()).unwrap_err().ends_with("choose one with --branch: main, stable"));
    assert_eq!(open(f.path(), Some("stable")).unwrap().branch, "stable");
    let message = open(f.path(), Some("nope")).map(|_| ()).unwrap_err().to_string();
    assert!(message.ends_with("has no branch `nope`; it has: main, stable"), "{message}");
}

#[test]
fn a_clone_is_judged_by_what_its_origin_shares() {
    let origin = Fixture::new();
    let shared = origin.commit("shared", "2025-01-01T00:00:00Z");
    let clone = Fixture { folder: tempfile::tempdir().unwrap() };
    let url = origin.path().display().to_string();
    clone.run(&["clone", "-q", &url, "."], "2025-01-01T00:00:00Z", "A <a@x>");
    clone.git("checkout -q -b feature");
    clone.commit("not landed", "2025-01-02T00:00:00Z");
    let repository = clone.open().unwrap();
    assert_eq!((repository.branch.as_str(), repository.tip_hex()), ("main", shared));
    let bare = Fixture { folder: tempfile::tempdir().unwrap() };
    bare.run(&["clone", "-q", "--bare", &url, "."], "2025-01-01T00:00:00Z", "A <a@x>");
    assert_eq!(bare.open().unwrap().branch, "main");
}

#[test]
fn nothing_is_written_to_the_repository() {
    let f = Fixture::new();
    f.commit("one", "2025-01-01T00:00:00Z");
    let list = || {
        let mut all: Vec<_> =
            walk_files(f.path()).into_iter().map(|p| (p.clone(), fs::read(&p).unwrap())).collect();
        all.sort();
        all
    };
    let before = list();
    run(&f.open().unwrap(), &[], now());
    assert_eq!(list(), before);
}

fn walk_files(folder: &Path) -> Vec<std::path::PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .flatten()
        .flat_map(|e| if e.path().is_dir() { walk_files(&e.path()) } else { vec![e.path()] })
        .collect()
}

#[test]
fn trailers_assert_and_never_prove() {
    let f = Fixture::new();
    let message = "fix it\n\nFixes: #7\nReviewed-on: https://review.example.test/1\nReviewed-by: Bob Ray <BOB@example.test>\nAcked-by: Cy\nTryBot-Result: Some Robot <robot@example.test>\nCo-authored-by: Di <di@example.test>";
    f.commit(message, "2025-01-01T00:00:00Z");
    let (_, captures) = run(&f.open().unwrap(), &[], now());
    let show = |table: &str, columns: &[&str]| -> Vec<String> {
        facts(&captures, table)
            .iter()
            .map(|v| columns.iter().map(|c| text(v, c)).collect::<Vec<_>>().join(" "))
            .collect()
    };
    // Neither a time nor a revision: trailers have none.
    assert_eq!(show("approval", &["status", "approver"]), ["approved bob@example.test", "acknowledged ?"]);
    assert!(facts(&captures, "approval").iter().all(|v| v.len() == 3));
    assert_eq!(
        show("contributor", &["role", "account"]),
        ["author ann@example.test", "co_author di@example.test"]
    );
    assert_eq!(show("check_run", &["name", "conclusion"]), ["TryBot-Result success"]);
    assert_eq!(show("ticket_reference", &["ticket", "basis"]).len(), 1);
    // The first review address proposes since when a review must be named.
    assert!(
        coverage(&captures)
            .contains(&"approval complete 2025-01-01T00:00:00Z .. 9999-12-31T23:59:59.999Z".to_owned())
    );
}

#[test]
fn a_cherry_picked_message_names_two_reviews() {
    let f = Fixture::new();
    let message = "fix it\n\nReviewed-on: https://review.example.test/1\nReviewed-by: Bob Ray <bob@example.test>\nTryBot-Result: A Robot <robot@example.test>\nReviewed-on: https://review.example.test/2\nReviewed-by: Cy Fox <cy@example.test>";
    f.commit(message, "2025-01-01T00:00:00Z");
    let (_, captures) = run(&f.open().unwrap(), &[], now());
    let approvals: Vec<String> = facts(&captures, "approval")
        .iter()
        .map(|v| format!("{} {}", text(v, "approver"), text(v, "status")))
        .collect();
    // Who stands above the last address may have reviewed only the original.
    assert_eq!(approvals, ["bob@example.test unknown", "cy@example.test approved"]);
    assert_eq!(text(&facts(&captures, "check_run")[0], "conclusion"), "unknown");
    assert_eq!(text(&facts(&captures, "pull_request")[0], "label"), "https://review.example.test/2");
}

#[test]
fn a_co_author_without_a_name_is_nobody_in_particular() {
    let f = Fixture::new();
    f.commit(
        "joint work\n\nReviewed-by: Bob Ray <bob@example.test>\nCo-authored-by: di@example.test.",
        "2025-01-01T00:00:00Z",
    );
    let (_, captures) = run(&f.open().unwrap(), &[], now());
    let who: Vec<String> = facts(&captures, "contributor").iter().map(|v| text(v, "account")).collect();
    assert_eq!(who, ["ann@example.test", "?"]);
}

#[test]
fn prose_that_names_another_author_leaves_open_who_wrote_it() {
    let check = |message: &str, expect: &[&str]| {
        let f = Fixture::new();
        f.commit(&format!("{message}\n\nReviewed-by: Bob Ray <bob@example.test>"), "2025-01-01T00:00:00Z");
        let (_, captures) = run(&f.open().unwrap(), &[], now());
        let who: Vec<String> = facts(&captures, "contributor").iter().map(|v| text(v, "account")).collect();
        assert_eq!(who, expect, "{message}");
    };
    let (alone, joint) = (&["ann@example.test"][..], &["ann@example.test", "?"][..]);
    check("pump: oil it\n\nJoint with Bob Ray (change 12) :)", joint);
    check("pump: oil it\n\nThis was joint\nwith bob@example.test.", joint);
    check("pump: oil it (paired with @Bob)", joint);
    check("pump: oil it\n\nJoint work with Zoë.", joint);
    // No author: a technical word, or one inside another.
    check("pump: make the joint with less oil", alone);
    check("pump: sets that are disjoint with Pump are kept", alone);
    check("pump: what is un-paired with Oil goes", alone);
    check("pump: joint with", alone);
}

#[test]
fn prose_adds_nobody_where_a_trailer_names_the_other_author() {
    let f = Fixture::new();
    f.commit(
        "joint work\n\nJoint with Di.\n\nReviewed-by: Bob Ray <bob@example.test>\nCo-authored-by: Di Oh <di@example.test>",
        "2025-01-01T00:00:00Z",
    );
    let (_, captures) = run(&f.open().unwrap(), &[], now());
    let who: Vec<String> = facts(&captures, "contributor").iter().map(|v| text(v, "account")).collect();
    assert_eq!(who, ["ann@example.test", "di@example.test"]);
}

#[test]
fn a_bare_message_proposes_nothing() {
    let f = Fixture::new();
    f.commit("just do it", "2025-01-01T00:00:00Z");
    let (_, captures) = run(&f.open().unwrap(), &[], now());
    for table in ["pull_request", "approval", "contributor", "check_run", "ticket_reference"] {
        assert_eq!(facts(&captures, table), Vec::<Values>::new(), "{table}");
    }
    let since = Conventions {
        reviews_since: Some("2025-01-01T00:00:00Z".parse().unwrap()),
        ..Conventions::default()
    };
    assert_eq!(
        facts_with(&captures, "coverage", &since)
            .iter()
            .filter(|v| text(v, "relation") == "approval")
            .count(),
        1
    );
}

#[test]
fn a_robot_is_known_by_a_whole_word() {
    let c = Conventions::default();
    for (name, email) in [
        ("Gopher Robot", "gobot@x"),
        ("dependabot[bot]", "1+dependabot[bot]@users.noreply.github.com"),
        ("ci-bot", "ci@x"),
    ] {
        assert!(c.is_bot(name, email), "{name}");
    }
    for (name, email) in [("Ann Abbot", "abbot@x"), ("Talbot", "talbot@x"), ("Bo Thomas", "bothomas@x")] {
        assert!(!c.is_bot(name, email), "{name}");
    }
}

#[test]
fn an_origin_has_one_spelling_and_no_secret() {
    use super::repository::normalised_origin as n;
    for url in [
        "https://github.com/acme/app.git",
        "https://ann:s3cret@GitHub.com/acme/app",
        "git@github.com:acme/app.git",
        "ssh://git@github.com:22/acme/app.git/",
    ] {
        assert_eq!(n(url).as_deref(), Some("github.com/acme/app"), "{url}");
    }
    for url in ["/home/ann/app", "../app", "file:///home/ann/app", "C:\\app"] {
        assert_eq!(n(url), None, "{url}");
    }
}

#[test]
fn odd_bytes_do_not_stop_the_walk() {
    let f = Fixture::new();
    f.commit("one", "2025-01-01T00:00:00Z");
    let tree = f.git("rev-parse HEAD^{tree}");
    let parent = f.git("rev-parse HEAD");
    let mut object = format!(
        "tree {tree}\nparent {parent}\nauthor \u{0} <> 1 +0000\ncommitter X\u{fffd} <> 99999999999 +9999\n\n"
    )
    .into_bytes();
    object.extend_from_slice(b"subject \xff\xfe\n\nReviewed-by: \xe9 <>\n");
    let file = f.path().join("raw");
    fs::write(&file, object).unwrap();
    let id = f.git("hash-object -t commit -w --literally raw");
    f.git(&format!("update-ref refs/heads/main {id}"));
    let (collected, captures) = run(&f.open().unwrap(), &[], now());
    assert_eq!(collected.changes, 2);
    let odd = &facts(&captures, "change")[1];
    assert_eq!(*value(odd, "author"), FactValue::Null);
    // A clock of the year 5138 is kept as it is; it does not bound the changes after it.
    assert_eq!(integer(odd, "merged_at"), 99_999_999_999_000);
    assert_eq!(text(&facts(&captures, "approval")[0], "approver"), "?");
}
