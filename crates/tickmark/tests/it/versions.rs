//! Versions of parameters and controls as they are typed, and what becomes of them in an assessment.

use serde_json::Value as Json;

use crate::support::{ANN, Home, Repo, assessment, procedure};

impl Home {
    fn parameter(&self, rest: &[&str]) -> crate::support::Ran {
        let more = ["--reason", "policy 7", "--approved-by", "boss"];
        self.run(["parameter", "set"].iter().chain(rest).chain(&more))
    }
}

#[test]
fn a_value_that_may_not_be_is_refused_at_once() {
    let home = Home::new();
    let refused = |words: &[&str], parts: &[&str]| {
        home.parameter(words).refused(parts);
    };
    refused(
        &["branch_protecton", "approvals", "2", "--from", "2026-01-01"],
        &["no procedure `branch_protecton`", "did you mean `branch_protection`?"],
    );
    refused(
        &["branch_protection", "aprovals", "2", "--from", "2026-01-01"],
        &["has no parameter `aprovals`", "did you mean `approvals`?"],
    );
    refused(
        &["branch_protection", "approvals", "two", "--from", "2026-01-01"],
        &["`two` is no whole number"],
    );
    refused(
        &["branch_protection", "approvals", "11", "--from", "2026-01-01"],
        &["`approvals` is 11", "the greatest value allowed is 10"],
    );
    refused(&["branch_protection", "approvals", "2", "--from", "2026-02-30"], &["`2026-02-30` is no date"]);
    refused(
        &["branch_protection", "approvals", "2", "--from", "2026-02-01", "--to", "2026-01-01"],
        &["ends before it begins"],
    );
    refused(
        &["access_review_completed", "calendar", "us_federl", "--from", "2026-02-01"],
        &["there is no calendar `us_federl`", "did you mean `us_federal`?"],
    );
    assert_eq!(home.run(["parameter", "set", "branch_protection", "approvals", "2"]).code, Some(2));
    // Nothing but the workspace's own beginnings is in the ledger.
    assert_eq!(home.entries(), 1);
}

#[test]
fn a_version_is_entered_listed_and_corrected() {
    let home = Home::new();
    let said = home.parameter(&["branch_protection", "approvals", "2", "--from", "2026-01-01"]).succeeded();
    assert!(
        said.contains("`approvals` of branch_protection is 2 from 2026-01-01T00:00:00Z: entered"),
        "{said}"
    );
    let said = home.parameter(&["branch_protection", "approvals", "3", "--from", "2026-01-01"]).succeeded();
    assert!(said.contains("corrected"), "{said}");
    let listed = home.does("parameter list branch_protection");
    assert!(listed.contains("approvals 3 (without a version 1)"), "{listed}");
    let json: Json = serde_json::from_str(&home.does("parameter list branch_protection --json")).unwrap();
    let versions = json[0]["versions"].as_array().unwrap();
    assert_eq!(
        (versions.len(), &versions[0]["value"]),
        (1, &"3".into()),
        "a correction takes its row's place"
    );
    assert_eq!(versions[0]["approved_by"], "boss");
    home.refuses("parameter list branch_protecton", &["did you mean `branch_protection`?"]);
    // Both stay in the ledger.
    assert_eq!(home.does("record list parameter_version").lines().count(), 2);
}

#[test]
fn a_version_that_is_entered_today_is_no_excuse_for_january() {
    let home = Home::new();
    let repository = Repo::new();
    repository.commit("first", "2025-01-09T10:00:00Z", ANN);
    home.january(&repository);
    let asked = "assess --from 2025-01-01 --to 2025-01-31 --control CHG-03 --json";
    let before = assessment(&home.does(asked));
    let protection = procedure(&before, "branch_protection");
    assert_eq!(protection["versions"].as_array().unwrap().len(), 1);
    assert_eq!(protection["versions"][0]["parameters"]["approvals"], 1);
    home.parameter(&["branch_protection", "approvals", "2", "--from", "2025-01-15"]).succeeded();
    let after = assessment(&home.does(asked));
    let versions = procedure(&after, "branch_protection")["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2);
    assert_eq!(versions[1]["from"], "2025-01-15T00:00:00Z");
    assert_eq!(
        (&versions[1]["parameters"]["approvals"], &versions[1]["also_judged_by"][0]["approvals"]),
        (&2.into(), &1.into())
    );
    let said = home.does("assess --from 2025-01-01 --to 2025-01-31 --control CHG-03");
    assert!(said.contains("in force 2025-01-15 to 2025-01-31: approvals 2; population 1"), "{said}");
    assert!(said.contains("judged by approvals 1, too: the worse verdict counts"), "{said}");
    // A frozen set says which text judges which part.
    home.does("freeze frozen --from 2025-01-01 --to 2025-01-31");
    let manifest = std::fs::read_to_string(home.path().join("frozen/manifest.json")).unwrap();
    let manifest: Json = serde_json::from_str(&manifest).unwrap();
    let parts = manifest["versions"]["branch_protection"].as_array().unwrap();
    assert_eq!((parts.len(), parts[1]["judged_by"].as_array().unwrap().len()), (2, 2));
    for judged_by in parts.iter().flat_map(|p| p["judged_by"].as_array().unwrap()) {
        let file = home.path().join("frozen").join(judged_by["sql"].as_str().unwrap());
        assert!(file.is_file(), "{}", file.display());
    }
}

#[test]
fn a_retired_control_is_tested_as_long_as_nobody_said_so() {
    let home = Home::new();
    let repository = Repo::new();
    repository.commit("first", "2025-01-09T10:00:00Z", ANN);
    home.january(&repository);
    home.does(
        "record add control_version key=r1 control=CHG-04 change=retired valid_from=2025-01-05T00:00:00Z \
         approved_by=boss approved_by.system=tickmark approved_at=2025-01-01T00:00:00Z --reason moved",
    );
    let report = assessment(&home.does("assess --from 2025-01-01 --to 2025-01-31 --json"));
    let tests = procedure(&report, "change_tests");
    assert_eq!(tests["population"], 1, "it was said only now");
    assert!(
        tests["versions"][1]["note"].as_str().unwrap().contains("CHG-04 was in force by what was known then")
    );
    // Since it was entered it is not.
    let year: Json = serde_json::from_str(&home.does("assess --json")).unwrap();
    let out = procedure(&year, "change_tests")["not_in_force"].as_array().unwrap();
    assert_eq!((out.len(), &out[0]["controls"][0]["change"]), (1, &"retired".into()));
}
