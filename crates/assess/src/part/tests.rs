use model::{CoverageStatus, Grade};
use proptest::prelude::*;

use super::*;
use crate::{AttributeRule, Statement};

fn at(ms: i64) -> Instant {
    Instant::from_ms(ms)
}

fn rules(over_period: bool) -> Rules {
    Rules {
        population: vec!["change".into()],
        over_period,
        attributes: vec![AttributeRule {
            letter: Attribute('a'),
            absent: vec![],
            adverse: vec![],
            moot_without: vec![],
            absent_grade: Grade::System,
            adverse_grade: Grade::System,
        }],
    }
}

fn seen(from: i64, to: i64) -> CoverageMap {
    let statement = Statement {
        scope: 1,
        table: "change".into(),
        from: at(from),
        to: at(to),
        status: CoverageStatus::Complete,
        reason: String::new(),
        grade: Grade::System,
    };
    [statement].into_iter().collect()
}

/// A reading as `item@instant verdict`.
fn reading(words: &str) -> Vec<Tested> {
    words
        .split(", ")
        .filter(|w| !w.is_empty())
        .map(|word| {
            let (item, rest) = word.split_once('@').unwrap();
            let (instant, verdict) = rest.split_once(' ').unwrap();
            Tested {
                item: item.parse().unwrap(),
                scope: 1,
                label: item.to_owned(),
                occurred_at: at(instant.parse().unwrap()),
                entry: 0,
                grade: Grade::System,
                verdicts: vec![verdict.parse().ok()],
                since: vec![],
                until: vec![],
            }
        })
        .collect()
}

fn part(from: i64, to: i64, readings: &[&str]) -> Part {
    Part {
        period: Period { from: at(from), to: at(to), tz: "UTC".into() },
        proves: true,
        readings: readings.iter().map(|r| reading(r)).collect(),
        unclear: None,
        unplaced: vec![],
    }
}

/// The whole and each part as `conclusion item:verdict(better)`.
#[track_caller]
fn check(over_period: bool, parts: Vec<Part>, coverage: &CoverageMap, expect: &str) -> Assessment {
    let (whole, said) = assess_parts(
        &rules(over_period),
        parts,
        false,
        coverage,
        &BTreeSet::from([1]),
        at(1000),
        &Clean::default(),
    );
    let items: Vec<String> = whole
        .items
        .iter()
        .map(|i| {
            let better = i.otherwise.values().map(|v| format!("({v})")).collect::<String>();
            format!("{}:{}{better}", i.item, i.verdict())
        })
        .collect();
    let parts: Vec<String> = said.iter().map(|j| format!("{} {}", j.conclusion, j.population)).collect();
    assert_eq!(format!("{} {} | {}", whole.conclusion, items.join(" "), parts.join(" | ")), expect);
    // Whatever was judged, it adds up.
    let counted: usize = counts(&whole.items, Attribute('a')).values().sum();
    assert_eq!(counted, whole.items.len());
    assert_eq!(whole.held_back_by.is_empty(), whole.conclusion != Conclusion::CannotConclude);
    whole
}

#[test]
fn one_part_says_what_a_period_says() {
    let coverage = seen(0, 1000);
    check(false, vec![part(100, 200, &["1@150 pass"])], &coverage, "no_exceptions 1:pass | no_exceptions 1");
    check(false, vec![part(100, 200, &[""])], &coverage, "did_not_operate  | did_not_operate 0");
}

#[test]
fn each_part_is_judged_by_its_own_version_and_the_worst_counts() {
    let coverage = seen(0, 1000);
    let parts = || vec![part(100, 150, &["1@120 pass"]), part(150, 200, &["2@160 deviation"])];
    check(
        false,
        parts(),
        &coverage,
        "exceptions_noted 1:pass 2:deviation | no_exceptions 1 | exceptions_noted 1",
    );
    // The first part could not be looked at: the deviation stays, and nothing is concluded of the whole.
    let whole = check(
        false,
        parts(),
        &seen(150, 1000),
        "cannot_conclude 1:pass 2:deviation | cannot_conclude 1 | exceptions_noted 1",
    );
    assert_eq!((whole.gaps[0].from, whole.gaps[0].to), (at(100), at(150)));
}

#[test]
fn an_empty_part_did_not_operate_and_holds_nothing_back() {
    let parts = vec![part(100, 150, &[""]), part(150, 200, &["2@160 pass"])];
    check(false, parts, &seen(0, 1000), "no_exceptions 2:pass | did_not_operate 0 | no_exceptions 1");
    let parts = vec![part(100, 150, &[""]), part(150, 200, &[""])];
    check(false, parts, &seen(0, 1000), "did_not_operate  | did_not_operate 0 | did_not_operate 0");
}

#[test]
fn a_part_in_which_nothing_could_be_tested_holds_the_whole_back() {
    let parts = vec![part(100, 150, &["1@120 pass"]), part(150, 200, &["2@160 not_yet_due"])];
    let whole = check(
        false,
        parts,
        &seen(0, 1000),
        "cannot_conclude 1:pass 2:not_yet_due | no_exceptions 1 | cannot_conclude 1",
    );
    assert_eq!(whole.held_back_by, ["1970-01-01 to 1970-01-01: no item could be tested yet"]);
}

#[test]
fn a_gap_over_several_parts_is_one() {
    let parts = vec![part(100, 150, &["1@120 pass"]), part(150, 200, &["2@160 pass"])];
    let whole = check(
        false,
        parts,
        &seen(0, 140),
        "cannot_conclude 1:pass 2:pass | cannot_conclude 1 | cannot_conclude 1",
    );
    let gaps: Vec<(i64, i64)> = whole.gaps.iter().map(|g| (g.from.ms(), g.to.ms())).collect();
    assert_eq!(gaps, [(140, 200)]);
}

#[test]
fn of_two_readings_the_worse_counts_and_the_better_is_shown() {
    let coverage = seen(0, 1000);
    let now_better = vec![part(100, 200, &["1@150 pass, 2@150 pass", "1@150 deviation, 2@150 pass"])];
    check(false, now_better, &coverage, "exceptions_noted 1:deviation(pass) 2:pass | exceptions_noted 2");
    let now_worse = vec![part(100, 200, &["1@150 deviation", "1@150 pass"])];
    check(false, now_worse, &coverage, "exceptions_noted 1:deviation(pass) | exceptions_noted 1");
    // In the population by one of them only.
    let other = vec![part(100, 200, &["", "1@150 deviation"])];
    check(false, other, &coverage, "exceptions_noted 1:deviation | exceptions_noted 1");
}

#[test]
fn what_lasts_the_period_is_one_item_with_the_worst_of_its_parts() {
    let parts = vec![
        part(100, 150, &["1@100 pass, 2@100 not_applicable"]),
        part(150, 200, &["1@150 deviation, 2@150 pass"]),
    ];
    let whole = check(
        true,
        parts,
        &seen(0, 1000),
        "exceptions_noted 1:deviation 2:pass | no_exceptions 2 | exceptions_noted 2",
    );
    let of_parts: Vec<_> = whole.items[0].parts.iter().map(|(n, v)| (*n, v[&Attribute('a')])).collect();
    assert_eq!(of_parts, [(0, Verdict::Pass), (1, Verdict::Deviation)]);
}

#[test]
fn where_nobody_knows_the_version_nothing_is_proven() {
    let unclear =
        |readings: &[&str]| Part { unclear: Some("two versions".into()), ..part(100, 150, readings) };
    let parts = vec![unclear(&["1@120 pass", "1@120 deviation"]), part(150, 200, &["2@160 pass"])];
    let whole = check(
        false,
        parts,
        &seen(0, 1000),
        "cannot_conclude 1:no_evidence 2:pass | cannot_conclude 1 | no_exceptions 1",
    );
    assert_eq!(whole.items[0].capped[&Attribute('a')], "two versions");
    // An empty population is not proven either: by the other version there may be items.
    check(false, vec![unclear(&[""])], &seen(0, 1000), "cannot_conclude  | cannot_conclude 0");
}

#[test]
fn what_belongs_nowhere_proves_nothing() {
    let parts = vec![
        Part { unplaced: reading("1@170 pass"), ..part(100, 150, &[""]) },
        part(150, 200, &["2@160 pass"]),
    ];
    check(
        false,
        parts,
        &seen(0, 1000),
        "cannot_conclude 1:no_evidence 2:pass | cannot_conclude 1 | no_exceptions 1",
    );
}

#[test]
fn what_began_before_the_period_proves_nothing_about_it() {
    let before = Part { proves: false, ..part(50, 100, &["1@60 pass"]) };
    check(
        false,
        vec![before, part(100, 200, &["2@160 pass"])],
        &seen(100, 1000),
        "no_exceptions 1:pass 2:pass | no_exceptions 1 | no_exceptions 1",
    );
}

proptest! {
    /// Another reading never makes an item better, nor the conclusion.
    #[test]
    fn another_reading_never_helps(
        one in prop::collection::vec((0..6_i64, 0..6_usize), 0..6),
        two in prop::collection::vec((0..6_i64, 0..6_usize), 0..6),
    ) {
        let of = |list: &[(i64, usize)]| {
            let all: BTreeMap<i64, usize> = list.iter().copied().collect();
            all.iter().map(|(i, v)| format!("{i}@120 {}", Verdict::ALL[*v])).collect::<Vec<_>>().join(", ")
        };
        let (one, two) = (of(&one), of(&two));
        let judged = |readings: &[&str]| {
            let parts = vec![part(100, 200, readings)];
            assess_parts(&rules(false), parts, false, &seen(0, 1000), &BTreeSet::from([1]), at(1000), &Clean::default()).0
        };
        let (alone, both) = (judged(&[&one]), judged(&[&one, &two]));
        for item in &alone.items {
            let now = both.items.iter().find(|b| b.item == item.item).unwrap();
            prop_assert!(now.verdict() <= item.verdict());
        }
        let bad = |c: Conclusion| matches!(c, Conclusion::CannotConclude | Conclusion::ExceptionsNoted);
        prop_assert!(!bad(alone.conclusion) || bad(both.conclusion));
    }
}
