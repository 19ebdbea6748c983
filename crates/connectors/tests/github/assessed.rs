//! From GitHub's answers to a verdict: what was collected, in a workspace, judged by the product's own procedure.

use std::collections::BTreeMap;

use app::{AssessmentQuestion, Opening, Workspace};
use connectors::git::Conventions;
use connectors::github::{self, Cursors};
use model::Period;
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

/// What CHG-01 says of each change, by its pull request: a ticket is named, and it exists and precedes.
fn judged(ledger: &Ledger) -> BTreeMap<u64, String> {
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
