//! From GitHub's answers to a verdict: what was collected, in a workspace, judged by the product's own procedure.

use std::collections::BTreeMap;

use app::{AssessmentQuestion, CoverageQuestion, Keeping, Kept, Opening, Workspace};
use connectors::git::Conventions;
use connectors::github::{self, Cursors};
use model::{Instant, Period};
use serde_json::json;

use crate::server::Clock;
use crate::support::{Ledger, NOW, instant, run};
use crate::world::{World, ann, bob, commit, issue, pull, sha};

/// A change of 10 February that came from pull request `number`, whose description is `body`.
fn land(world: &World, number: u64, body: &str) {
    let at = format!("2026-02-10T10:{number:02}:00Z");
    let mut proposed = pull(number, &ann(), Some(&at), &at);
    proposed["body"] = json!(body);
    world.add_pull(proposed, &bob());
    let mut commits = world.get("/repos/acme/app/commits").as_array().unwrap().clone();
    let tip = commits[0]["sha"].clone();
    let mut merge = commit(&format!("merge{number}"), &["root"], &at, &bob(), false);
    merge["parents"][0]["sha"] = tip;
    commits.insert(0, merge);
    world.set("/repos/acme/app/commits", json!(commits));
}

/// A workspace of what was collected.
fn opened(ledger: &Ledger) -> (tempfile::TempDir, Workspace) {
    let folder = tempfile::tempdir().unwrap();
    app::init(folder.path(), "Acme").unwrap();
    let mut state = 1_u64;
    let mut workspace = Workspace::open(Opening {
        folder: folder.path().to_owned(),
        wrapping_key: [7; 32],
        entropy: Box::new(move |bytes| {
            for byte in bytes {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                *byte = state.to_be_bytes()[0];
            }
            Ok(())
        }),
        conventions: json!({}),
        now: instant(NOW),
        judging: true,
    })
    .unwrap();
    workspace.append(&ledger.captures).unwrap();
    let derive = |document: &model::Document<'_>| github::derive(document, &Conventions::default());
    workspace.catch_up(&derive).unwrap();
    (folder, workspace)
}

/// What CHG-01 says of each change, by its pull request: a ticket is named, and it exists and precedes.
fn judged(ledger: &Ledger) -> BTreeMap<u64, String> {
    let (_folder, mut workspace) = opened(ledger);
    let question = AssessmentQuestion {
        period: Period {
            from: instant("2026-02-01T00:00:00Z"),
            to: instant("2026-03-01T00:00:00Z"),
            tz: "UTC".to_owned(),
        },
        cutoff: instant(NOW),
        known_at: None,
        repository: None,
        procedures: vec!["change_ticket".to_owned()],
        at_a_date: false,
        keeping: None,
        brief: false,
    };
    let report = workspace.assess(&question).unwrap();
    report.procedures[0]
        .items
        .iter()
        .map(|item| {
            let number = (1..99).find(|n| item.item == sha(&format!("merge{n}"))).unwrap();
            let words: Vec<&str> = item.verdicts.values().map(|v| v.word()).collect();
            (number, words.join(" "))
        })
        .collect()
}

#[test]
fn a_change_answers_to_a_ticket_that_exists_and_precedes_it() {
    let world = World::healthy();
    world.add_issue(issue(20, "2026-02-11T08:00:00Z", "2026-02-11T08:00:00Z"));
    land(&world, 11, "Fixes #3");
    land(&world, 12, "Fixes #7");
    land(&world, 13, "Fixes #99");
    land(&world, 14, "Fixes #20");
    land(&world, 15, "Fixes OPS-4");
    land(&world, 16, "Fixes ACME/App#3 and #99");
    let server = world.serve();
    let ledger = run(&server.url(), &Cursors::new(), &Clock::at(NOW));
    let expected = [
        (7, "deviation deviation"),
        // Years old.
        (11, "pass pass"),
        // The number of a pull request, of nothing, and of what was opened a day later.
        (12, "pass deviation"),
        (13, "pass deviation"),
        (14, "pass deviation"),
        // Of a tracker where nobody has looked.
        (15, "pass no_evidence"),
        (16, "pass pass"),
    ];
    assert_eq!(judged(&ledger), expected.map(|(n, v)| (n, v.to_owned())).into());

    // Without a look at the issues nobody can say that one does not exist.
    world.refuse("/repos/acme/app/issues", 410, "Issues are disabled for this repo");
    let ledger = run(&server.url(), &Cursors::new(), &Clock::at(NOW));
    for (number, verdicts) in judged(&ledger) {
        let named = if number == 7 { "deviation" } else { "pass" };
        assert_eq!(verdicts, format!("{named} no_evidence"), "#{number}");
    }
}

/// GitHub's streams of who bypassed a rule, and how long it keeps them, at `now`.
fn keeping(now: Instant) -> Keeping {
    let streams = github::forgotten().filter(|(table, _)| *table == "bypass").map(|(table, stream)| Kept {
        source: "github".to_owned(),
        stream: stream.name.to_owned(),
        table: table.to_owned(),
        days: stream.retention_days.unwrap(),
    });
    Keeping { streams: streams.collect(), configured: vec![], now }
}

#[test]
fn what_github_forgets_is_warned_of_before_it_is_lost() {
    let server = World::healthy().serve();
    // Collected on 1 March at noon, when GitHub knew of who bypassed a rule since 1 February at noon.
    let ledger = run(&server.url(), &Cursors::new(), &Clock::at(NOW));
    let (_folder, mut workspace) = opened(&ledger);
    let after = |days: i64| Instant::from_ms(instant(NOW).ms() + days * 86_400_000);
    let period =
        |to: &str| Period { from: instant("2026-01-01T00:00:00Z"), to: instant(to), tz: "UTC".to_owned() };
    let mut check = |days: i64, alarms: &str, missing: &[&str]| {
        let question = CoverageQuestion {
            period: period("2026-06-01T00:00:00Z"),
            known_at: None,
            table: Some("bypass".to_owned()),
            cells: 52,
            keeping: keeping(after(days)),
        };
        let report = workspace.looked(&question).unwrap();
        let said: Vec<String> = report.alarms.iter().map(|a| format!("{} {}", a.stream, a.urgency)).collect();
        assert_eq!(said.join(", "), alarms, "after {days} days");
        // To the minute, whatever the reasons are.
        let mut gaps: Vec<(String, String, String)> = vec![];
        for gap in &report.tables[0].gaps {
            let minute = |at: Instant| at.to_string()[..16].to_owned();
            match gaps.last_mut() {
                Some(last) if last.1 == minute(gap.from) && last.2 == gap.status => last.1 = minute(gap.to),
                _ => gaps.push((minute(gap.from), minute(gap.to), gap.status.clone())),
            }
        }
        let gaps: Vec<String> =
            gaps.into_iter().map(|(from, to, status)| format!("{from} {to} {status}")).collect();
        assert_eq!(gaps, missing, "after {days} days");
    };
    let before = "2026-01-01T00:00 2026-02-01T12:00 expired";
    check(0, "", &[before, "2026-03-01T12:00 2026-06-01T00:00 to_come"]);
    let unlooked = |until: &str| format!("2026-03-01T12:00 {until} not_looked");
    check(13, "", &[before, &unlooked("2026-03-14T12:00"), "2026-03-14T12:00 2026-06-01T00:00 to_come"]);
    check(
        14,
        "rule_suites half",
        &[before, &unlooked("2026-03-15T12:00"), "2026-03-15T12:00 2026-06-01T00:00 to_come"],
    );
    check(
        28,
        "rule_suites most",
        &[before, &unlooked("2026-03-29T12:00"), "2026-03-29T12:00 2026-06-01T00:00 to_come"],
    );
    check(
        29,
        "rule_suites lost",
        &[
            before,
            "2026-03-01T12:00 2026-03-02T12:00 expired",
            "2026-03-02T12:00 2026-03-30T12:00 not_looked",
            "2026-03-30T12:00 2026-06-01T00:00 to_come",
        ],
    );
    let all_but_a_month = "2026-03-01T12:00 2026-05-02T12:00 expired";
    let last = "2026-05-02T12:00 2026-05-30T12:00 not_looked";
    let to_come = "2026-05-30T12:00 2026-06-01T00:00 to_come";
    check(90, "rule_suites lost, audit_log half", &[before, all_but_a_month, last, to_come]);

    // The assessment says it, too, and never calls complete what is lost.
    let question = AssessmentQuestion {
        procedures: vec!["bypass_review".to_owned()],
        keeping: Some(keeping(after(29))),
        ..AssessmentQuestion::over(period("2026-03-02T00:00:00Z"), after(29))
    };
    let report = workspace.assess(&question).unwrap();
    assert_eq!(report.alarms.len(), 1);
    assert_eq!((report.alarms[0].stream.as_str(), report.alarms[0].kept_days), ("rule_suites", 28));
    assert_eq!(report.alarms[0].loses_from, after(28));
    let lost = report.procedures[0].gaps.iter().find(|g| g.from == period("2026-03-02T00:00:00Z").from);
    let reason = &lost.unwrap().reason;
    assert!(reason.contains("`bypass` is no longer kept by the source then"), "{reason}");
}
