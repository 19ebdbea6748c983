//! A company of 30 people, 6 systems and 2 repositories, over a year, set up from files that were written by hand
//! (`tests/company`): every verdict of the period and of the date against what its story says, which was written before.
//! `docs/readings/company.md` says why each is right.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::support::Home;

/// In the order in which a company would bring them: systems before who has access to them.
const FILES: [&str; 37] = [
    "systems",
    "personnel",
    "accounts",
    "people",
    "grants",
    "factors",
    "courses",
    "training",
    "leaves",
    "credentials",
    "reviews",
    "review_lines",
    "vulns",
    "severities",
    "reopenings",
    "acceptances",
    "dismissals",
    "incidents",
    "tickets",
    "alerts",
    "vendors",
    "vendor_reviews",
    "vendor_letters",
    "resources",
    "configurations",
    "regions",
    "region_looks",
    "objectives",
    "months",
    "maintenance",
    "rules",
    "deployments",
    "builds",
    "deployment_approvals",
    "emergencies",
    "bypasses",
    "flags",
];

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/company")
}

/// A repository made of its history, with the address it would have been cloned from.
fn repository(home: &Home, name: &str) -> PathBuf {
    let folder = home.path().join(name);
    let git = |arguments: &[&str], input: Stdio| {
        let status =
            Command::new("git").arg("-C").arg(home.path()).args(arguments).stdin(input).status().unwrap();
        assert!(status.success(), "git {arguments:?}");
    };
    let address = format!("https://hub.larkfield.example.test/larkfield/{name}.git");
    git(&["init", "-q", "-b", "main", name], Stdio::null());
    let history = fs::File::open(files().join(format!("{name}.history"))).unwrap();
    git(&["-C", name, "fast-import", "--quiet"], history.into());
    git(&["-C", name, "remote", "add", "origin", &address], Stdio::null());
    folder
}

/// The company's workspace, and what people call its commits.
fn company() -> (Home, BTreeMap<String, String>) {
    let home = Home::new();
    home.does("init");
    let settings = home.path().join("tickmark.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let since = "reviews_since = \"2025-01-01T00:00:00Z\"\ntickets_since = \"2025-01-01T00:00:00Z\"\n";
    fs::write(&settings, format!("{text}\n[conventions]\n{since}")).unwrap();
    let mut commits = BTreeMap::new();
    for name in ["pump-api", "pump-web"] {
        let folder = repository(&home, name);
        home.run(["check", &folder.display().to_string(), "--from", "2025-01-01", "--to", "2025-12-31"])
            .succeeded();
        let line = Command::new("git")
            .arg("-C")
            .arg(&folder)
            .args(["rev-list", "--reverse", "main"])
            .output()
            .unwrap();
        for (number, commit) in (1..).zip(String::from_utf8(line.stdout).unwrap().lines()) {
            commits.insert(commit.to_owned(), format!("{name}-{number}"));
        }
    }
    for name in FILES {
        let file = |end: &str| files().join(format!("{name}.{end}")).display().to_string();
        let covers = ["--covers", "2019-01-01..2026-01-31"];
        home.run(["import", &file("csv"), "--map", &file("toml"), "--yes", covers[0], covers[1]]).succeeded();
    }
    (home, commits)
}

/// A line for every item: `procedure item[/within]: verdict …`.
fn verdicts(report: &Json, commits: &BTreeMap<String, String>) -> Vec<String> {
    let mut lines = vec![];
    for procedure in report["procedures"].as_array().unwrap() {
        let id = procedure["id"].as_str().unwrap();
        for item in procedure["items"].as_array().unwrap() {
            let key = item["item"].as_str().unwrap();
            let key = commits.get(key).map_or(key, String::as_str);
            let within = match id {
                "leaver_access_ended" => format!("/{}", item["scope"].as_str().unwrap()),
                "access_review_completed" => {
                    let month: u32 = item["occurred_at"].as_str().unwrap()[5..7].parse().unwrap();
                    format!("/Q{}", month.div_ceil(3))
                }
                _ => String::new(),
            };
            let of_repository = matches!(id, "branch_protection" | "secrets_in_vault");
            let key = if of_repository { key.rsplit('/').next().unwrap_or(key) } else { key };
            let words: Vec<&str> =
                item["verdicts"].as_object().unwrap().values().map(|v| v.as_str().unwrap()).collect();
            lines.push(format!("{id} {key}{within}: {}", words.join(" ")));
        }
    }
    lines.sort();
    lines
}

#[track_caller]
fn assert_as_told(report: &str, commits: &BTreeMap<String, String>, expected: &str) {
    let report: Json = serde_json::from_str(report).unwrap();
    let text = fs::read_to_string(files().join(expected)).unwrap();
    let mut told: Vec<&str> = text.lines().collect();
    told.sort_unstable();
    // Of what the company keeps no records for, its story says nothing.
    let procedure = |line: &str| line.split(' ').next().unwrap().to_owned();
    let mut found = verdicts(&report, commits);
    found.retain(|line| told.iter().any(|t| procedure(t) == procedure(line)));
    let differences: Vec<String> = told
        .iter()
        .filter(|line| !found.iter().any(|f| f == *line))
        .map(|line| format!("told  {line}"))
        .chain(found.iter().filter(|line| !told.contains(&line.as_str())).map(|line| format!("found {line}")))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(found.len(), told.len());
}

#[test]
fn a_year_and_its_last_day_are_judged_as_the_story_tells() {
    let (home, commits) = company();
    let zone = ["--tz", "America/New_York", "--cutoff", "2026-01-31", "--json"];
    let year = ["assess", "--from", "2025-01-01", "--to", "2025-12-31"];
    assert_as_told(&home.run(year.iter().chain(&zone)).succeeded(), &commits, "expected-period.txt");
    let day = ["assess", "--as-of", "2025-12-31"];
    assert_as_told(&home.run(day.iter().chain(&zone)).succeeded(), &commits, "expected-date.txt");
    let rebuilt = home.does("rebuild --diff");
    assert!(rebuilt.contains("every row is as it was"), "{rebuilt}");
    home.holds();
}
