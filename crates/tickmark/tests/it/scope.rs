//! `tickmark scope`: rules, what they leave out, what they cannot hide, and what one would change.

use std::fs;

use serde_json::Value as Json;

use crate::support::{ANN, Home, Repo, assessment, procedure};

const ACCOUNTS: &str = "System,Key,Email,Kind,From\nhr,E-1,cy@example.test,human,2024-01-01T00:00:00Z\n\
    hub,7,,bot,2024-01-01T00:00:00Z\n";
const ACCOUNTS_MAP: &str = "table = \"account\"\nkey = \"Key\"\nscope = { column = \"System\" }\n[columns]\nsystem = \"System\"\n\
    kind = \"Kind\"\nvalid_from = \"From\"\nvalid_to = { constant = \"forever\" }\n[display]\nemail = \"Email\"\n";
/// The sandbox has two vulnerabilities that nobody fixed in their thirty days, of March and of May.
const VULNS: &str = "Key,Asset,Severity,Seen,Fixed,FixedAt\n\
    v1,acme/app,high,2025-02-01T00:00:00Z,yes,2025-02-10T00:00:00Z\n\
    v2,acme/sandbox,high,2025-03-01T00:00:00Z,no,\n\
    v3,acme/sandbox,high,2025-05-01T00:00:00Z,no,\n";
const VULNS_MAP: &str = "table = \"vuln\"\nkey = \"Key\"\n[columns]\nlabel = \"Key\"\nasset = { column = \"Asset\", kind = \"repository\" }\n\
    severity = \"Severity\"\nfirst_seen = \"Seen\"\nfixed = \"Fixed\"\nfixed_at = \"FixedAt\"\n";
const ACCEPTANCES: &str = "Key,Vuln\n";
const ACCEPTANCES_MAP: &str =
    "table = \"vuln_acceptance\"\nkey = \"Key\"\n[columns]\nvuln = { column = \"Vuln\", kind = \"vuln\" }\n";
const DISMISSALS_MAP: &str =
    "table = \"vuln_dismissal\"\nkey = \"Key\"\n[columns]\nvuln = { column = \"Vuln\", kind = \"vuln\" }\n";
const DEPLOYMENTS: &str = "Key,Repo,Env,Production,At,Status\n\
    d1,acme/app,production,yes,2025-02-02T10:00:00Z,success\n\
    d2,acme/sandbox,production,yes,2025-04-10T10:00:00Z,success\n\
    d3,acme/sandbox,staging,no,2025-04-11T10:00:00Z,success\n\
    d4,acme/tools,production,yes,2025-04-12T10:00:00Z,success\n\
    d5,acme/sandbox,production,yes,2025-04-13T10:00:00Z,failure\n";
const DEPLOYMENTS_MAP: &str = "table = \"deployment\"\nkey = \"Key\"\n[columns]\nlabel = \"Key\"\nrepository = \"Repo\"\n\
    environment = \"Env\"\nproduction = \"Production\"\ndeployed_at = \"At\"\nstatus = \"Status\"\n";

/// Nobody rated anything anew, and nothing came back.
const EVENTS: &str = "Key,Vuln,At\n";
const RATINGS_MAP: &str = "table = \"vuln_severity\"\nkey = \"Key\"\n[columns]\nvuln = { column = \"Vuln\", kind = \"vuln\" }\nrated_at = \"At\"\n";
const REOPENINGS_MAP: &str = "table = \"vuln_reopening\"\nkey = \"Key\"\n[columns]\nvuln = { column = \"Vuln\", kind = \"vuln\" }\nreopened_at = \"At\"\n";

/// The first half of 2025.
const HALF: &str = "assess --from 2025-01-01 --to 2025-06-30 --json";

fn company() -> Home {
    let home = Home::new();
    for (name, rows, map) in [
        ("accounts", ACCOUNTS, ACCOUNTS_MAP),
        ("vulns", VULNS, VULNS_MAP),
        ("acceptances", ACCEPTANCES, ACCEPTANCES_MAP),
        ("dismissals", ACCEPTANCES, DISMISSALS_MAP),
        ("ratings", EVENTS, RATINGS_MAP),
        ("reopenings", EVENTS, REOPENINGS_MAP),
        ("deployments", DEPLOYMENTS, DEPLOYMENTS_MAP),
    ] {
        fs::write(home.path().join(format!("{name}.csv")), rows).unwrap();
        fs::write(home.path().join(format!("{name}.toml")), map).unwrap();
        home.does(&format!("import {name}.csv --map {name}.toml --yes --covers 2025-01-01..2025-12-31"));
    }
    home
}

impl Home {
    /// Enters a rule that Cy approved; what it printed.
    #[track_caller]
    fn rule(&self, line: &str) -> String {
        let line = format!("scope {line} --reason tried --approved-by cy@example.test --yes");
        self.does(&line)
    }

    /// The report over the half-year.
    #[track_caller]
    fn half(&self) -> Json {
        assessment(&self.does(HALF))
    }

    /// Vulnerabilities in the population, with their verdicts.
    #[track_caller]
    fn vulns(&self) -> String {
        vulns(&self.half())
    }
}

fn vulns(report: &Json) -> String {
    let items = procedure(report, "vulnerability_remediation")["items"].as_array().unwrap();
    let text = |i: &Json| format!("{} {}", i["item"].as_str().unwrap(), i["verdicts"]["a"].as_str().unwrap());
    items.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// What is raised, as `repository acme/sandbox: …`.
fn raised(report: &Json) -> Vec<String> {
    let all = report["scope"]["raised"].as_array().cloned().unwrap_or_default();
    let text = |r: &Json, name: &str| r[name].as_str().unwrap().to_owned();
    all.iter()
        .map(|r| format!("{} {}: {}", text(r, "dimension"), text(r, "subject"), text(r, "why")))
        .collect()
}

const ALL: &str = "v1 pass, v2 deviation, v3 deviation";

#[test]
fn without_a_rule_everything_is_in() {
    let home = company();
    assert_eq!(home.vulns(), ALL);
    assert_eq!(home.half().get("scope"), None);
    assert!(home.does("scope list").contains("everything is in scope"));
}

#[test]
fn a_rule_counts_from_its_day() {
    let home = company();
    let said = home.rule("exclude repository acme/sandbox --from 2025-04-01 --approved-at 2025-03-20");
    assert!(said.contains("the rule `repository:acme/sandbox:2025-04-01` is ledger entry"), "{said}");
    // What was found in March was in scope then.
    assert_eq!(home.vulns(), "v1 pass, v2 deviation");
    home.holds();
    home.does("rebuild");
    assert_eq!(home.vulns(), "v1 pass, v2 deviation");
}

#[test]
fn what_is_out_of_scope_and_in_production_is_raised() {
    let home = company();
    home.rule("exclude repository acme/sandbox --from 2025-04-01 --approved-at 2025-03-20");
    let report = home.half();
    assert_eq!(
        raised(&report),
        [
            "repository acme/app: no rule names it, and it reached production",
            "repository acme/sandbox: it is out of scope, and reached production",
            "repository acme/tools: no rule names it, and it reached production",
        ]
    );
    let sandbox = &report["scope"]["raised"][1];
    // Neither staging nor what failed.
    assert_eq!((&sandbox["count"], &sandbox["example"]), (&1.into(), &"d2".into()));
    home.rule("include repository acme/app --from 2025-01-01 --approved-at 2025-01-01");
    home.rule("include repository acme/tools --from 2025-01-01 --approved-at 2025-01-01");
    assert_eq!(raised(&home.half()), ["repository acme/sandbox: it is out of scope, and reached production"]);
    // An environment is not out of sight because somebody leaves it out.
    home.rule("exclude environment production --from 2025-01-01 --approved-at 2025-01-01");
    let report = home.half();
    assert!(
        raised(&report)[0].starts_with("environment production: it is out of scope"),
        "{:?}",
        raised(&report)
    );
    assert_eq!(report["scope"]["raised"][0]["count"], 3);
    assert_eq!(procedure(&report, "deployment_traceable")["population"], 0);
}

#[test]
fn a_rule_approved_late_leaves_out_nothing_before() {
    let home = company();
    home.rule("exclude repository acme/sandbox --from 2025-01-01 --approved-at 2025-04-15");
    assert_eq!(home.vulns(), "v1 pass, v2 deviation");
    let said = home.does("scope list --from 2025-01-01 --to 2025-06-30");
    assert!(said.contains("out from 2025-04-15"), "{said}");
    assert!(
        said.contains("approved after it begins: it leaves out nothing before 2025-04-15T23:59:59.999Z"),
        "{said}"
    );
    // The deployment of the tenth was made while it was in scope.
    assert!(!said.contains("out of scope, and reached"), "{said}");
}

#[test]
fn a_rule_without_reason_or_approval_has_no_effect() {
    let home = company();
    let add = "record add scope_rule dimension=repository subject=acme/sandbox included=no \
               starts_at=2025-01-01T00:00:00Z ends_at=9999-12-31T23:59:59.999Z --reason entered";
    let check = |key: &str, more: &str, why: &str| {
        home.does(&format!("{add} key={key} {more}"));
        assert_eq!(home.vulns(), ALL, "{more}");
        let report = home.half();
        let rules = report["scope"]["rules"].as_array().unwrap();
        let rule = rules.iter().find(|r| r["key"] == key).unwrap();
        assert_eq!(rule["without_effect"], why);
        assert!(home.does("scope list").contains(&format!("no effect: {why}")));
        assert!(home.does("assess --from 2025-01-01 --to 2025-06-30").contains(&format!("no effect: {why}")));
    };
    let cy = "approved_by=E-1 approved_by.system=hr";
    check("r1", &format!("{cy} approved_at=2025-01-01T00:00:00Z"), "it gives no reason");
    check("r2", "reason=tried approved_at=2025-01-01T00:00:00Z", "nobody has approved it");
    check("r3", &format!("reason=tried {cy}"), "nobody says when it was approved");
    check(
        "r4",
        "reason=tried approved_by=7 approved_by.system=hub approved_at=2025-01-01T00:00:00Z",
        "a machine approved it",
    );
    // Approved, it has.
    home.does(&format!("{add} key=r3 reason=tried {cy} approved_at=2025-01-01T00:00:00Z"));
    assert_eq!(home.vulns(), "v1 pass");
}

#[test]
fn who_is_left_out_and_brought_in_again_is_out_only_between() {
    let home = company();
    home.rule("exclude repository acme/sandbox --from 2025-02-15 --to 2025-03-31 --approved-at 2025-02-01");
    assert_eq!(home.vulns(), "v1 pass, v3 deviation");
    let other = company();
    other.rule("exclude repository acme/sandbox --from 2025-02-15 --approved-at 2025-02-01");
    assert_eq!(other.vulns(), "v1 pass");
    other.rule("include repository acme/sandbox --from 2025-04-01 --approved-at 2025-04-01");
    assert_eq!(other.vulns(), "v1 pass, v3 deviation");
    let said = other.does("scope list");
    assert!(
        said.contains("where both hold, `repository:acme/sandbox:2025-04-01` counts, which begins later"),
        "{said}"
    );
}

#[test]
fn the_same_day_in_and_out_is_in() {
    let home = company();
    home.rule("exclude repository acme/sandbox --from 2025-02-15 --approved-at 2025-02-01 --key one");
    home.rule("include repository acme/sandbox --from 2025-02-15 --approved-at 2025-02-01 --key two");
    assert_eq!(home.vulns(), ALL);
    assert!(home.does("scope list").contains("where both hold, `two` counts, which includes"));
}

#[test]
fn a_product_takes_its_parts_along() {
    let home = company();
    let part = "record add product_part dimension=repository starts_at=2025-01-01T00:00:00Z \
                ends_at=9999-12-31T23:59:59.999Z --reason entered";
    home.does(&format!("{part} key=p1 product=playground subject=acme/sandbox"));
    home.rule("exclude product playground --from 2025-01-01 --approved-at 2025-01-01");
    assert_eq!(home.vulns(), ALL, "nobody approved that the sandbox is part of it");
    let cy = "approved_by=E-1 approved_by.system=hr approved_at=2025-01-01T00:00:00Z";
    home.does(&format!("{part} key=p1 product=playground subject=acme/sandbox {cy}"));
    assert_eq!(home.vulns(), "v1 pass");
    // Another product of which it is a part, too, keeps it in, whoever approved that.
    home.does(&format!("{part} key=p2 product=shop subject=acme/sandbox"));
    assert_eq!(home.vulns(), ALL);
    // Its own rule weighs more than those of its products.
    home.rule("exclude repository acme/sandbox --from 2025-04-01 --approved-at 2025-04-01");
    assert_eq!(home.vulns(), "v1 pass, v2 deviation");
}

#[test]
fn what_was_known_before_the_rule_is_judged_without_it() {
    let home = company();
    let before = home.entries();
    home.rule("exclude repository acme/sandbox --from 2025-01-01 --approved-at 2025-01-01");
    assert_eq!(home.vulns(), "v1 pass");
    assert_eq!(vulns(&assessment(&home.does(&format!("{HALF} --known-at {before}")))), ALL);
    assert!(home.does(&format!("scope list --known-at {before}")).contains("everything is in scope"));
}

#[test]
fn what_a_rule_would_change_is_shown_before() {
    let home = company();
    let entries = home.entries();
    let line = "scope impact exclude repository acme/sandbox --from 2025-01-01 --approved-at 2025-01-01 --period 2025-01-01..2025-06-30";
    let impact: Json = serde_json::from_str(&home.does(&format!("{line} --json"))).unwrap();
    // The one that would lose deviations comes first.
    let first = &impact["procedures"][0];
    assert_eq!(first["id"], "vulnerability_remediation");
    assert_eq!((&first["before"], &first["after"]), (&3.into(), &1.into()));
    let leave: Vec<&str> =
        first["leave"].as_array().unwrap().iter().map(|i| i["item"].as_str().unwrap()).collect();
    assert_eq!(leave, ["v2", "v3"]);
    assert_eq!(first["leave"][0]["verdict"], "deviation");
    let raised = impact["raised"].as_array().unwrap();
    assert!(raised.iter().any(|r| r["subject"] == "acme/sandbox"), "{raised:?}");
    let said = home.does(line);
    assert!(said.contains("2 deviations would leave the population"), "{said}");
    assert!(said.contains("population 3 now, 1 then"), "{said}");
    // To decide it shows the same, and asks.
    let said = home.does(
        "scope exclude repository acme/sandbox --from 2025-01-01 --approved-at 2025-01-01 --period 2025-01-01..2025-06-30 \
         --reason tried --approved-by cy@example.test",
    );
    assert!(
        said.contains("2 deviations would leave") && said.contains("nothing was appended; say --yes"),
        "{said}"
    );
    assert_eq!(home.entries(), entries);
    assert_eq!(home.vulns(), ALL);
    // Approved today, it changes nothing of a period that is over.
    let said = home.does(
        "scope impact exclude repository acme/sandbox --from 2025-01-01 --period 2025-01-01..2025-06-30",
    );
    assert!(said.contains("approved after it begins") && said.contains("no population changes"), "{said}");
    // To bring something in again says what comes.
    home.rule("exclude repository acme/sandbox --from 2025-01-01 --approved-at 2025-01-01");
    let said = home.does(
        "scope impact include repository acme/sandbox --from 2025-04-01 --approved-at 2025-04-01 --period 2025-01-01..2025-06-30",
    );
    assert!(said.contains("population 1 now, 2 then") && said.contains("comes  2025-05-01  v3"), "{said}");
}

#[test]
fn a_category_takes_its_procedures_along() {
    let home = company();
    home.rule("exclude category availability --from 2025-01-01 --approved-at 2024-12-31");
    // Its control answers to Security, too.
    procedure(&home.half(), "availability_objective");
    let control = fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/controls/AVL-03.toml"),
    );
    let control = control.unwrap().replace(", \"CC7.2\"", "");
    assert!(control.contains("criteria = [\"A1.1\"]"), "{control}");
    let folder = home.workspace().join("content/controls");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("AVL-03.toml"), control).unwrap();
    let report = home.half();
    let ids: Vec<&str> =
        report["procedures"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap()).collect();
    assert!(!ids.contains(&"availability_objective") && ids.contains(&"change_ticket"), "{ids:?}");
    let out = &report["scope"]["not_tested"][0];
    assert_eq!(
        (&out["id"], &out["categories"][0]),
        (&"availability_objective".into(), &"Availability".into())
    );
    assert!(home.does("assess --from 2025-01-01 --to 2025-06-30").contains("Out of scope, not tested"));
    // Out for a part of the period, it is tested.
    let earlier = assessment(&home.does("assess --from 2024-12-01 --to 2025-06-30 --json"));
    procedure(&earlier, "availability_objective");
    home.refuses(
        "scope exclude category security --from 2025-01-01 --reason r --approved-by cy@example.test",
        &["Security cannot be left out"],
    );
    home.does(
        "record add scope_rule key=s dimension=category subject=security included=no reason=r starts_at=2025-01-01T00:00:00Z \
         ends_at=9999-12-31T23:59:59.999Z approved_by=E-1 approved_by.system=hr approved_at=2025-01-01T00:00:00Z --reason r",
    );
    let report = home.half();
    procedure(&report, "change_ticket");
    let rules = report["scope"]["rules"].as_array().unwrap();
    let security = rules.iter().find(|r| r["key"] == "s").unwrap();
    assert!(security["without_effect"].as_str().unwrap().contains("Security cannot be left out"));
}

#[test]
fn what_is_not_known_is_refused() {
    let home = company();
    let rest = "--from 2025-01-01 --reason r --approved-by cy@example.test";
    for (line, parts) in [
        (
            format!("scope exclude repository acme/sandbx {rest}"),
            &["nothing in the records is the repository `acme/sandbx`", "did you mean `acme/sandbox`?"][..],
        ),
        (
            format!("scope exclude repo acme/sandbox {rest}"),
            &["`repo` can be neither in nor out", "repository"],
        ),
        (format!("scope exclude person-kind interns {rest}"), &["did you mean `intern`?"]),
        (
            format!("scope exclude category safety {rest}"),
            &["nothing in the records is the category `safety`"],
        ),
        (format!("scope exclude environment production {rest} --to 2024-12-31"), &["ends before it begins"]),
        (
            "scope exclude repository acme/sandbox --from 2025-01-01 --reason r --approved-by nobody"
                .to_owned(),
            &["nobody is known as `nobody`", "--approver-system"],
        ),
        (
            format!("scope exclude repository acme/sandbox {rest} --approved-at 2999-01-01"),
            &["has not come yet"],
        ),
        (format!("scope exclude repository acme/sandbox {rest} --period 2025"), &["FROM..TO"]),
    ] {
        home.refuses(&line, parts);
    }
    home.does(&format!("scope exclude repository acme/next {rest} --anyway --yes"));
    assert!(home.does("scope list").contains("nothing in the records is called so"));
}

#[test]
fn what_is_frozen_and_asked_says_what_is_out() {
    let home = company();
    home.rule("exclude repository acme/sandbox --from 2025-04-01 --approved-at 2025-03-20");
    home.does("freeze frozen --from 2025-01-01 --to 2025-06-30");
    let manifest: Json =
        serde_json::from_str(&fs::read_to_string(home.path().join("frozen/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["scope"][0]["subject"], "acme/sandbox");
    assert_eq!(manifest["scope"][0]["out"][0]["from"], "2025-04-01T00:00:00Z");
    let sql = fs::read_to_string(home.path().join("frozen/vulnerability_remediation.sql")).unwrap();
    assert!(sql.contains("AND first_seen >= 1743465600000 THEN 0 ELSE in_scope END AS in_scope"), "{sql}");
    let rows = home.run([
        "query",
        "SELECT v.label, v.in_scope FROM vuln v ORDER BY v.label NULLS LAST",
        "--format",
        "csv",
    ]);
    assert_eq!(rows.succeeded(), "label,in_scope\nv1,1\nv2,1\nv3,0\n");
}

#[test]
fn who_names_a_repository_asks_about_that_one() {
    let home = company();
    let repository = Repo::new();
    repository.commit("one", "2025-01-09T10:00:00Z", ANN);
    assert_eq!(procedure(&home.january(&repository), "change_ticket")["population"], 1);
    let january = "assess --from 2025-01-01 --to 2025-01-31 --json";
    assert_eq!(procedure(&assessment(&home.does(january)), "change_ticket")["population"], 1);
    // Its key is among those that a mistyped one is told.
    let line = "scope exclude repository ? --from 2024-01-01 --approved-at 2024-01-01 --reason r --approved-by cy@example.test";
    let said = home.refuses(line, &["there are"]);
    let keys = said.split("there are").nth(1).unwrap().split('`').skip(1).step_by(2);
    let key = keys.into_iter().find(|key| !key.starts_with("acme/")).unwrap();
    home.does(&format!("{} --yes", line.replace('?', key)));
    assert_eq!(procedure(&assessment(&home.does(january)), "change_ticket")["population"], 0);
    assert_eq!(procedure(&home.january(&repository), "change_ticket")["population"], 1);
}
