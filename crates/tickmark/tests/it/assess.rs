//! `tickmark assess`: a period and a date over what was collected before.

use crate::support::{ANN, BOB, Home, Repo, assessment, procedure};

/// A home that checked a repository of two changes in January.
fn checked() -> Home {
    let home = Home::new();
    let repository = Repo::new();
    repository.commit("first", "2025-01-09T10:00:00Z", ANN);
    repository.commit(
        "second\n\nReviewed-by: Bob Ray <bob@example.test>\nReviewed-on: https://review.example.test/2",
        "2025-01-20T10:00:00Z",
        ANN,
    );
    repository.commit("third", "2025-02-03T10:00:00Z", BOB);
    home.january(&repository);
    home
}

#[test]
fn a_period_is_judged_as_check_judges_it() {
    let home = checked();
    let report = assessment(&home.does("assess --from 2025-01-01 --to 2025-01-31 --json"));
    let review = procedure(&report, "change_independent_review");
    assert_eq!(review["population"], 2);
    assert_eq!(review["conclusion"], "cannot_conclude");
    let verdicts: Vec<&str> =
        review["items"].as_array().unwrap().iter().map(|i| i["verdicts"]["a"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["no_evidence", "pass"]);
    let all = assessment(&home.does("assess --from 2025-01-01 --to 2025-02-28 --json"));
    assert_eq!(procedure(&all, "change_independent_review")["population"], 3);
}

#[test]
fn a_date_shows_states_and_concludes_nothing() {
    let home = checked();
    let report: serde_json::Value =
        serde_json::from_str(&home.does("assess --as-of 2025-02-10 --json")).unwrap();
    assert_eq!(report["at_a_date"], true);
    for tested in report["procedures"].as_array().unwrap() {
        assert_eq!(tested.get("conclusion"), None, "a date concludes nothing about operation: {tested}");
    }
    let protection = procedure(&report, "branch_protection");
    assert_eq!(protection["items"][0]["verdicts"]["b"], "no_evidence");
    let asked: Vec<&str> =
        report["procedures"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap()).collect();
    let left: Vec<&str> =
        report["over_a_period_only"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap()).collect();
    assert!(left.contains(&"change_independent_review") && !asked.contains(&"change_independent_review"));
    let said = home.does("assess --as-of 2025-02-10");
    assert!(said.starts_with("As of 2025-02-10T23:59:59.999Z (UTC)\n"), "{said}");
    for word in ["CANNOT CONCLUDE", "NO EXCEPTIONS", "DID NOT OPERATE"] {
        assert!(!said.contains(word), "{said}");
    }
}

#[test]
fn the_end_of_a_day_is_that_of_the_zone() {
    let home = checked();
    let said = home.does("assess --as-of 2025-07-01 --tz America/New_York");
    assert!(said.starts_with("As of 2025-07-02T03:59:59.999Z (America/New_York)\n"), "{said}");
}

#[test]
fn what_was_known_before_is_judged_as_it_was_known() {
    let home = checked();
    let before = assessment(&home.does("assess --from 2025-01-01 --to 2025-01-31 --known-at 0 --json"));
    let review = procedure(&before, "change_independent_review");
    assert_eq!((&review["population"], &review["conclusion"]), (&0.into(), &"cannot_conclude".into()));
}

#[test]
fn what_comes_after_the_cut_off_is_not_known() {
    let home = checked();
    let report =
        assessment(&home.does("assess --from 2025-01-01 --to 2025-01-31 --cutoff 2025-01-15 --json"));
    let tests = procedure(&report, "change_tests");
    assert_eq!(tests["conclusion"], "cannot_conclude");
    let gap = tests["gaps"].as_array().unwrap().iter().find(|g| g["from"] == "2025-01-16T00:00:00Z");
    assert!(gap.is_some(), "{}", tests["gaps"]);
}

#[test]
fn days_to_come_and_unknown_controls_are_refused() {
    let home = checked();
    home.refuses("assess --as-of 2999-01-01", &["2999-01-01 has not come yet", "today"]);
    home.refuses("assess --cutoff 2999-01-01", &["2999-01-01 has not come yet", "leave --cutoff out"]);
    home.refuses("assess --as-of 2025-02-30", &["`2025-02-30` is no date"]);
    home.refuses("assess --control CHG-99", &["no procedure tests a control `CHG-99`", "CHG-01"]);
    assert_eq!(home.run(["assess", "--as-of", "2025-01-01", "--from", "2025-01-01"]).code, Some(2));
}

#[test]
fn the_exit_status_can_ask_for_proof() {
    let home = checked();
    let unproven = "assess --as-of 2025-02-10 --fail-on unproven";
    assert_eq!(home.run(unproven.split(' ')).code, Some(3));
    assert_eq!(home.run("assess --as-of 2025-02-10 --fail-on deviation".split(' ')).code, Some(0));
}
