//! What `check` says of a history: to people, and as a document.

use crate::support::{ANN, BOB, CY, Home, JANUARY, Repo, document, procedure, ran, verdicts};

/// The text of a January, without what differs from run to run and what others decide.
fn january(home: &Home, repository: &Repo) -> String {
    let said = home.run(["check", &repository.shown()].iter().chain(&JANUARY)).succeeded();
    let name = repository.path().file_name().unwrap().to_str().unwrap().to_owned();
    // Which streams feed a table is content, with tests of its own.
    let fed = |line: &str| match line.split_once("would be supplied by ") {
        Some((before, _)) => format!("{before}would be supplied by [streams]"),
        _ if line.starts_with("  CHG-") => {
            let (what, by) = line.rsplit_once("  ").unwrap();
            assert!(by.starts_with("GitHub (") || by == "a file (tickmark import)", "{line}");
            format!("{}  [streams]", what.trim_end())
        }
        _ => line.to_owned(),
    };
    said.replace(&name, "[repository]").lines().map(fed).collect::<Vec<_>>().join("\n")
}

/// A repository under Gerrit: one commit before the convention, then one of each kind.
fn reviewed() -> (Repo, [String; 7]) {
    let repository = Repo::new();
    let commit = |message: &str, day: u32, who: &str| {
        repository.commit(message, &format!("2025-01-{day:02}T10:00:00Z"), who)
    };
    let on = "Reviewed-on: https://review.example.test/1";
    let ids = [
        commit("import the old pump", 2, ANN),
        commit(
            &format!(
                "add a pump\n\nFixes: #7\n{on}\nReviewed-by: {BOB}\nTryBot-Result: CI Robot <r@example.test>"
            ),
            3,
            ANN,
        ),
        commit(&format!("widen the pipe\n\n{on}\nReviewed-by: {ANN}"), 6, ANN),
        commit(&format!("paint it\n\n{on}\nReviewed-by: Lee, Ann <al@home.example.test>"), 7, ANN),
        commit("hotfix", 8, ANN),
        commit(&format!("oil it\n\n{on}\nReviewed-by: Release Robot <release@example.test>"), 9, BOB),
        commit(&format!("drain it\n\n{on}\nAcked-by: {BOB}"), 10, ANN),
    ];
    (repository, ids)
}

#[test]
fn a_bare_history() {
    let repository = Repo::new();
    repository.commit("first light", "2025-01-01T10:00:00Z", ANN);
    repository.commit("turn the valve, fixes #7", "2025-01-05T10:00:00Z", BOB);
    repository.git("tag v1");
    repository.commit("after the period", "2025-02-01T00:00:00Z", BOB);
    insta::assert_snapshot!(january(&Home::new(), &repository));
}

#[test]
fn review_trailers() {
    let (repository, ids) = reviewed();
    let home = Home::new();
    insta::assert_snapshot!(january(&home, &repository));

    let found = home.january(&repository);
    let [before, good, own, alike, none, robot, acked] = &ids;
    for (id, expect) in [
        // Nobody had to name a review yet.
        (before, "a no_evidence, b no_evidence"),
        // A trailer names somebody else; which revision they saw, and when, it cannot say.
        (good, "a pass, b no_evidence"),
        (own, "a deviation, b no_evidence"),
        (alike, "a needs_judgement, b no_evidence"),
        (none, "a deviation, b no_evidence"),
        (robot, "a deviation, b no_evidence"),
        (acked, "a needs_judgement, b no_evidence"),
    ] {
        assert_eq!(verdicts(&found, "change_independent_review", id), expect, "{id}");
    }
    // Nobody said that tests or tickets must be named: what is missing is unknown, and no deviation.
    assert_eq!(verdicts(&found, "change_tests", good), "a pass, b no_evidence");
    assert_eq!(verdicts(&found, "change_tests", none), "a no_evidence, b no_evidence");
    assert!(verdicts(&found, "change_ticket", good).starts_with("a pass, b no_evidence"));
    assert!(verdicts(&found, "change_ticket", none).starts_with("a no_evidence"));
    // A passing verdict that rests on typed text says so.
    let items = procedure(&found, "change_independent_review")["items"].as_array().unwrap();
    assert_eq!(items.iter().find(|i| i["item"] == **good).unwrap()["grade"], "asserted");
    assert_eq!(items.iter().find(|i| i["item"] == **before).unwrap()["grade"], "system");
    // The five to look at: deviations before doubts, newest first.
    let first: Vec<&str> =
        found["look_first"].as_array().unwrap().iter().map(|l| l["item"].as_str().unwrap()).collect();
    assert_eq!(first, [robot, none, own, acked, alike]);
}

#[test]
fn merges_bring_side_commits() {
    let repository = Repo::new();
    let root = repository.commit("root", "2025-01-02T10:00:00Z", ANN);
    let merge = |branch: &str, author: &str, reviewer: &str, day: u32| {
        repository.git(&format!("checkout -q -b {branch}"));
        repository.commit(&format!("work on {branch}"), &format!("2025-01-{day:02}T09:00:00Z"), author);
        repository.git("checkout -q main");
        let message =
            format!("merge {branch}\n\nReviewed-on: https://review.example.test/2\nReviewed-by: {reviewer}");
        let at = format!("2025-01-{day:02}T10:00:00Z");
        repository.git_as(&["merge", "-q", "--no-ff", branch, "-m", &message], &at, ANN);
        repository.git("rev-parse HEAD")
    };
    let by_another = merge("valve", BOB, CY, 3);
    let by_its_author = merge("pipe", BOB, BOB, 4);
    // Whoever made the merge may only have pressed the button: whether that was a review, a person has to say.
    let by_the_lander = merge("tank", BOB, ANN, 5);
    let home = Home::new();
    let found = home.january(&repository);
    let items = procedure(&found, "change_independent_review")["items"].as_array().unwrap();
    // Four changes, not seven commits.
    assert_eq!(items.len(), 4);
    assert_eq!(found["history"]["merges"], 3);
    for (id, expect) in [
        (&root, "a no_evidence, b no_evidence"),
        (&by_another, "a pass, b no_evidence"),
        (&by_its_author, "a deviation, b no_evidence"),
        (&by_the_lander, "a needs_judgement, b no_evidence"),
    ] {
        assert_eq!(verdicts(&found, "change_independent_review", id), expect, "{id}");
    }
    insta::assert_snapshot!(january(&home, &repository));
}

#[test]
fn the_document_leads_to_the_bytes() {
    let (repository, ids) = reviewed();
    let home = Home::new();
    let found = home.january(&repository);
    let items = procedure(&found, "change_tests")["items"].as_array().unwrap();
    assert_eq!(items.len(), ids.len());
    let entry = items.iter().find(|i| i["item"] == *ids[1]).unwrap()["entry"].as_u64().unwrap();
    // The entry holds the commit as git holds it.
    let shown = home.does(&format!("ledger show {entry}"));
    assert!(shown.contains(&repository.git(&format!("cat-file commit {}", ids[1]))), "{shown}");
    assert!(shown.starts_with('{'), "the receipt comes first");
    assert_eq!(found["repository"]["tip"], ids[6].as_str());
    assert_eq!(found["repository"]["branch"], "main");
    assert_eq!(
        (&found["from"], &found["to"]),
        (&"2025-01-01T00:00:00Z".into(), &"2025-02-01T00:00:00Z".into())
    );
}

#[test]
fn fail_on_ends_with_three() {
    let (repository, _) = reviewed();
    let home = Home::new();
    let path = repository.shown();
    let code = |more: &[&str]| home.run(["check", &path].iter().chain(&JANUARY).chain(more)).code;
    assert_eq!(code(&[]), Some(0));
    assert_eq!(code(&["--fail-on", "deviation"]), Some(3));
    assert_eq!(code(&["--fail-on", "unproven"]), Some(3));
    assert_eq!(code(&["--fail-on", "everything"]), Some(2));
    // Before the convention nothing deviates, and nothing is proven either.
    let early = ["--from", "2025-01-01", "--to", "2025-01-02"];
    let code = |more: &[&str]| home.run(["check", &path].iter().chain(&early).chain(more)).code;
    assert_eq!(code(&["--fail-on", "deviation"]), Some(0));
    assert_eq!(code(&["--fail-on", "unproven"]), Some(3));
}

#[test]
fn the_zone_moves_the_midnights() {
    let repository = Repo::new();
    // 23:30 in Berlin is 22:30 UTC; 00:30 on 1 February in Berlin is still January in UTC.
    let last = repository.commit("last of January", "2025-01-31T22:30:00Z", ANN);
    let first = repository.commit("first of February in Berlin", "2025-01-31T23:30:00Z", ANN);
    let home = Home::new();
    let in_zone = |zone: &str| -> Vec<String> {
        let more: Vec<&str> = JANUARY.into_iter().chain(["--tz", zone]).collect();
        let found = home.checked(&repository, &more);
        let items = procedure(&found, "change_tests")["items"].as_array().unwrap().clone();
        items.iter().map(|i| i["item"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(in_zone("UTC"), [last.clone(), first]);
    assert_eq!(in_zone("Europe/Berlin"), [last]);
}

#[test]
fn conventions_put_in_force_make_silence_a_deviation() {
    let repository = Repo::new();
    let id = repository.commit("no trailers at all", "2025-01-09T10:00:00Z", ANN);
    let home = Home::new();
    let before = home.january(&repository);
    assert_eq!(verdicts(&before, "change_independent_review", &id), "a no_evidence, b no_evidence");
    let path = home.workspace().join("tickmark.toml");
    let text = "[conventions]\nreviews_since = \"2025-01-01T00:00:00Z\"\ntests_since = \"2025-01-01T00:00:00Z\"\ntickets_since = \"2025-01-01T00:00:00Z\"\n";
    std::fs::write(path, text).unwrap();
    let after = home.january(&repository);
    // What was typed is known now; what a system would have had to say stays unknown.
    assert_eq!(verdicts(&after, "change_independent_review", &id), "a deviation, b no_evidence");
    assert_eq!(verdicts(&after, "change_tests", &id), "a deviation, b no_evidence");
    assert!(verdicts(&after, "change_ticket", &id).starts_with("a deviation"));
    home.holds();
}

#[test]
fn all_lists_what_ten_do_not_hold() {
    let repository = Repo::new();
    for day in 1..=12 {
        let message = format!("alone {day}\n\nReviewed-on: https://review.example.test/{day}");
        repository.commit(&message, &format!("2025-01-{day:02}T10:00:00Z"), ANN);
    }
    let home = Home::new();
    let path = repository.shown();
    let short = home.run(["check", &path].iter().chain(&JANUARY)).succeeded();
    assert!(short.contains("and 2 more: --all lists them"), "{short}");
    let long = home.run(["check", &path, "--all"].iter().chain(&JANUARY)).succeeded();
    assert!(!long.contains("more: --all"), "{long}");
    let under = long.split("CHG-02").last().unwrap();
    assert!((1..=12).all(|day| under.contains(&format!("alone {day}\u{20}"))), "{long}");
}

#[test]
fn nothing_is_written_to_the_repository() {
    let (repository, _) = reviewed();
    let state = || {
        crate::support::files(repository.path())
            .into_iter()
            .map(|path| (std::fs::read(repository.path().join(&path)).unwrap(), path))
            .collect::<Vec<_>>()
    };
    let before = state();
    let home = Home::new();
    home.january(&repository);
    assert!(state() == before, "a file of the repository changed");
    // A workspace in the repository would be one.
    home.refuses(
        &format!("--workspace {0}/audit init", repository.shown()).replace(" init", " check ."),
        &["is no git repository"],
    );
    home.does(&format!("init {}/audit", repository.shown()));
    home.refuses(
        &format!("--workspace {0}/audit check {0}", repository.shown()),
        &["lies inside the repository", "--workspace DIR"],
    );
}

#[test]
fn text_of_others_cannot_steer_the_terminal() {
    let repository = Repo::new();
    let message = "\u{1b}]0;owned\u{7}\u{1b}[2Jred \u{1b}[31malert\u{202e}txt\n\nReviewed-on: https://review.example.test/1";
    repository.commit(message, "2025-01-09T10:00:00Z", ANN);
    let home = Home::new();
    let said = home.run(["check", &repository.shown()].iter().chain(&JANUARY)).succeeded();
    assert!(said.contains("alert"), "{said}");
    assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{said:?}");
    // As on a terminal, where colours of our own pass.
    let mut command = home.command(["check", &repository.shown()].iter().chain(&JANUARY));
    let said = ran(command.env("CLICOLOR_FORCE", "1")).succeeded();
    assert!(said.contains("\u{1b}[1m") && said.contains("alert"), "{said:?}");
    assert!(!["\u{1b}]0;", "\u{1b}[2J", "\u{7}", "\u{202e}"].iter().any(|c| said.contains(c)), "{said:?}");
    document(&home.run(["check", &repository.shown(), "--json"].iter().chain(&JANUARY)).succeeded());
}
