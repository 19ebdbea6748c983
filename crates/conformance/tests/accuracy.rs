//! The product's verdicts on companies of which everything is known.
//!
//! Two small ones every day; twenty seeds of several shapes with `TICKMARK_LONG=1`, which writes `docs/accuracy.md`, and with
//! `TICKMARK_CI=1`, which holds that page to what it measures.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use conformance::accuracy::{Measured, NOT_SEEDED, SHAPES, is_known, judge, measure, page};
use conformance::skipped;
use simulate::{Company, File, Shape, files, simulate, truth};

fn measured(company: &Company, change: impl Fn(&mut Vec<File>)) -> BTreeMap<String, Measured> {
    let mut exported = files(company);
    change(&mut exported);
    let folder = conformance::folder().unwrap();
    let judged = judge(&folder.path().join("w"), company, &exported).unwrap();
    measure(&truth(company), &judged)
}

fn small(seed: u64) -> Company {
    simulate(&Shape { seed, people: 20, ..Shape::default() }).unwrap()
}

#[track_caller]
fn assert_nothing_wrong(tests: &BTreeMap<String, Measured>) {
    let wrong: Vec<&str> =
        tests.values().flat_map(|m| &m.wrong).map(String::as_str).filter(|wrong| !is_known(wrong)).collect();
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_company_keeps_the_controls_of_the_catalogue() {
    let (catalog, _) = catalog::Catalog::built_in();
    let ids: Vec<&str> = catalog.controls.keys().map(String::as_str).collect();
    assert_eq!(ids, simulate::CONTROLS);
}

#[test]
fn two_companies_are_judged_as_they_were() {
    let judged = std::thread::scope(|scope| {
        // The second one's collectors were down for four days, and its code host did not show everything.
        let both = [1, 2].map(|seed| {
            let shape = Shape { seed, people: 20, outages: seed == 2, ..Shape::default() };
            scope.spawn(move || measured(&simulate(&shape).unwrap(), |_| ()))
        });
        both.map(|one| one.join().unwrap())
    });
    for tests in judged {
        assert_nothing_wrong(&tests);
        for (test, measured) in &tests {
            // Something of every kind: what was never seeded is never missed.
            assert!(measured.deviations.0 >= 3, "{test}: {measured:?}");
            assert!(measured.near_misses.0 + measured.open.0 >= 3, "{test}: {measured:?}");
        }
    }
}

#[test]
fn the_story_of_the_demo_is_judged_as_it_is_told() {
    for (people, seed) in [(50, 1), (12, 7), (120, 3)] {
        let company = simulate(&Shape::of_the_story(people, seed)).unwrap();
        let cases = ["story-leaver", "story-vulnerability", "story-hotfix", "story-review", "bare-for-days"];
        let told: Vec<&str> =
            company.seeded().iter().map(|s| s.case).filter(|c| *c != "story-outage").collect();
        let mut sorted = (told.clone(), cases.to_vec());
        sorted.0.sort_unstable();
        sorted.1.sort_unstable();
        assert_eq!(sorted.0, sorted.1, "{people} people, seed {seed}");
        assert!(company.seeded().iter().any(|s| s.case == "story-outage"), "{people} people, seed {seed}");
        let folder = conformance::folder().unwrap();
        let judged = judge(&folder.path().join("w"), &company, &files(&company)).unwrap();
        assert_nothing_wrong(&measure(&truth(&company), &judged));
        // Nor does what one source knows and another does not.
        for report in judged.period.procedures.iter().filter(|p| p.id.ends_with("_reconciled")) {
            assert_eq!(
                report.conclusion,
                Some(model::Conclusion::NoExceptions),
                "{} {people} {seed}",
                report.id
            );
        }
    }
}

/// The lines of a file that name something are left out.
fn leave_out(files: &mut [File], name: &str, what: &str) {
    let file = files.iter_mut().find(|f| f.name == name).unwrap();
    let before = file.csv.lines().count();
    file.csv = file.csv.lines().filter(|line| !line.contains(what)).map(|line| format!("{line}\n")).collect();
    assert!(file.csv.lines().count() < before, "`{what}` stands nowhere in {name}");
}

#[test]
fn what_is_taken_out_is_missed_and_what_is_put_in_is_extra() {
    let company = small(3);
    let alert = company.seeded().iter().find(|s| s.case == "N84").unwrap().item.clone();
    let tests = measured(&company, |files| {
        // The script's answer is gone, and with it the deviation.
        leave_out(files, "alerts", &format!("{alert},"));
        // Somebody who has been here for years, and is on no list of factors any more.
        leave_out(files, "factors", ",i0001,");
    });
    let (alerts, factors) = (&tests["alert_response"], &tests["mfa_enabled"]);
    assert_eq!(alerts.deviations.1 + 1, alerts.deviations.0, "{alerts:?}");
    assert_eq!(alerts.wrong.len(), 1, "{alerts:?}");
    assert!(alerts.wrong[0].contains("N84") && alerts.recall().to_string() != "100 %", "{alerts:?}");
    // At the end, and without a break; and again on the last day.
    assert_eq!((factors.extra, factors.deviations.0), (4, factors.deviations.1), "{factors:?}");
    assert!(factors.wrong.iter().all(|w| w.contains("i0001")) && factors.precision().to_string() != "100 %");
    // The incident that the alert led to stands alone now, and another source shows it.
    let incidents = &tests["incidents_reconciled"];
    assert_eq!((incidents.extra, incidents.wrong.len()), (1, 1), "{incidents:?}");
    let changed = ["alert_response", "mfa_enabled", "incidents_reconciled"];
    let others = tests.iter().filter(|(test, _)| !changed.contains(&test.as_str()));
    assert_nothing_wrong(&others.map(|(test, measured)| (test.clone(), measured.clone())).collect());
}

#[test]
fn every_nasty_case_is_seeded_or_named_with_its_reason() {
    let mut seeded: Vec<&str> = vec![];
    for (_, shape) in SHAPES {
        let company = simulate(&shape(1)).unwrap();
        let truth = truth(&company);
        seeded.extend(truth.seeded.iter().map(|s| s.case));
        seeded.extend(truth.did_not_operate.iter().map(|(_, why)| &why[..3]));
    }
    for (case, why) in NOT_SEEDED {
        assert!(!seeded.contains(case), "{case} is seeded");
        assert!(!why.is_empty());
    }
    for case in conformance::accuracy::CASES.split_whitespace() {
        assert!(
            seeded.contains(&case) || NOT_SEEDED.iter().any(|(c, _)| *c == case),
            "{case} is neither seeded nor named"
        );
    }
}

/// Companies of each shape that a check of every change judges; the page is made of twenty.
const SEEDS: u64 = 4;

#[test]
fn many_seeds_of_every_shape() {
    let long = std::env::var("TICKMARK_LONG").ok();
    if long.is_none() && std::env::var_os("TICKMARK_CI").is_none() {
        return skipped(
            "judges many companies, for minutes; set TICKMARK_LONG to how many of each shape, such as 20",
        );
    }
    let seeds =
        long.as_deref().map_or(SEEDS, |seeds| seeds.parse().expect("TICKMARK_LONG is a number of seeds"));
    let runs: Vec<(usize, u64)> =
        (0..SHAPES.len()).flat_map(|shape| (1..=seeds).map(move |seed| (shape, seed))).collect();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((shape, seed)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let company = simulate(&SHAPES[*shape].1(*seed)).unwrap();
                    let tests = measured(&company, |_| ());
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert((*shape, *seed), (company, tests));
                }
            });
        }
    });
    let text = page(&done.into_inner().unwrap_or_else(PoisonError::into_inner));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/accuracy.md");
    if long.is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert!(
        text.contains("\nNothing is wrong.\n") || text.contains("\nNothing else is wrong.\n"),
        "{}",
        text.split("## What is wrong").nth(1).unwrap_or_default()
    );
    // The page speaks of the same procedures and cases; how often, it says of more companies.
    let said = std::fs::read_to_string(&path).unwrap();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let procedure = line.split('`').nth(1).unwrap_or_default();
        assert!(
            said.contains(&format!("| `{procedure}` |")),
            "`{procedure}` is not on docs/accuracy.md; run again with TICKMARK_LONG=20 to renew the page"
        );
    }
}
