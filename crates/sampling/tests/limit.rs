//! Upper limits and smallest sizes: the values of the field's tables, an independent program, and counting case by case.
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]
#![allow(clippy::print_stdout, reason = "a test says what it skips")]

mod common;

use std::collections::BTreeMap;

use common::python;
use proptest::prelude::*;
use sampling::{
    Confidence, Finding, Invalid, InvalidBecause, Named, NoConfidence, Sample, Seed, Selection, Share,
    SizeBasis, Stratum, binomial_limit, hypergeometric_limit, limit, minimum_size,
};

const NINETY: Confidence = Confidence::NINETY;
const NINETY_FIVE: Confidence = Confidence::NINETY_FIVE;

#[test]
fn the_binomial_table() {
    let table = [
        (10, ["20.6", "33.7", "45.0", "25.9", "39.4", "50.7"]),
        (15, ["14.2", "23.6", "31.7", "18.1", "27.9", "36.3"]),
        (20, ["10.9", "18.1", "24.5", "13.9", "21.6", "28.3"]),
        (25, ["8.8", "14.7", "19.9", "11.3", "17.6", "23.1"]),
        (40, ["5.6", "9.4", "12.8", "7.2", "11.3", "14.9"]),
        (60, ["3.8", "6.3", "8.6", "4.9", "7.7", "10.1"]),
        (100, ["2.3", "3.8", "5.2", "3.0", "4.7", "6.2"]),
    ];
    for (tested, expect) in table {
        let of = |confidence| (0..3).map(move |k| binomial_limit(tested, k, confidence).to_string());
        let found: Vec<String> = of(NINETY).chain(of(NINETY_FIVE)).collect();
        assert_eq!(found, expect.map(|e| format!("{e} %")), "{tested}");
    }
}

#[test]
fn the_smallest_sizes() {
    let table: [(Confidence, u64, &[u64]); 5] = [
        (NINETY, 5, &[45, 77, 105]),
        (NINETY, 9, &[25, 42, 58]),
        (NINETY, 10, &[22, 38, 52]),
        (NINETY_FIVE, 5, &[59, 93, 124]),
        (NINETY_FIVE, 10, &[29, 46, 61]),
    ];
    for (confidence, percent, expect) in table {
        let of = |k| minimum_size(confidence, Share::new(percent, 100), k).unwrap();
        let found: Vec<u64> = (0..3).map(of).collect();
        assert_eq!(found, expect, "{confidence} {percent}");
    }
    // No sample proves that nothing at all deviates.
    assert_eq!(minimum_size(NINETY, Share::new(0, 100), 0), None);
}

#[test]
fn the_finite_table() {
    for (rows, tested, expect) in [
        (4, 2, 2),
        (12, 2, 7),
        (12, 5, 3),
        (52, 5, 18),
        (52, 8, 12),
        (100, 25, 7),
        (250, 25, 20),
        (1_000, 25, 86),
        (5_000, 25, 438),
        (26, 25, 0),
    ] {
        assert_eq!(hypergeometric_limit(tested, 0, rows, NINETY), expect, "{tested} of {rows}");
    }
}

#[test]
fn more_than_a_twentieth_counts_as_finite() {
    let of = |tested, rows| limit(tested, 0, rows, NINETY);
    assert!(!of(25, 500).finite, "exactly a twentieth");
    assert!(of(25, 499).finite);
    assert_eq!(of(25, 250).share, Share::new(20, 250));
    assert_eq!(of(25, 250).share.to_string(), "8.0 %");
    assert_eq!(of(25, 5_000).share.to_string(), "8.8 %");
    // Whoever looked at all of them knows.
    assert_eq!(limit(30, 2, 30, NINETY_FIVE).share, Share::new(2, 30));
}

#[test]
fn python_agrees() {
    let mut asked = String::new();
    let mut ours = vec![];
    for confidence in [NINETY, NINETY_FIVE] {
        let percent = confidence.percent();
        for tested in [1, 2, 7, 19, 20, 25, 33, 59, 93, 160] {
            for deviating in [0, 1, 2, 3, 6, tested] {
                if deviating > tested {
                    continue;
                }
                asked += &format!("binomial {tested} {deviating} {percent}\n");
                ours.push(binomial_limit(tested, deviating, confidence).part());
                for rows in [tested, tested + 1, 3 * tested, 200] {
                    if rows >= tested {
                        asked += &format!("finite {rows} {tested} {deviating} {percent}\n");
                        ours.push(hypergeometric_limit(tested, deviating, rows, confidence));
                    }
                }
            }
        }
        for (tolerable, deviating) in [(3, 0), (7, 1), (12, 4), (20, 2)] {
            asked += &format!("size {tolerable} 100 {deviating} {percent}\n");
            ours.push(minimum_size(confidence, Share::new(tolerable, 100), deviating).unwrap());
        }
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/limits.py");
    let Some(theirs) = python(&[script], &asked) else { return };
    let theirs: Vec<u64> = theirs.lines().map(|l| l.parse().unwrap()).collect();
    assert_eq!(asked.lines().count(), theirs.len());
    for ((line, ours), theirs) in asked.lines().zip(ours).zip(theirs) {
        assert_eq!(ours, theirs, "{line}");
    }
}

/// How many of all samples of `tested` rows hold `most` or fewer of the first `bad` rows: every sample is looked at.
fn counted(rows: u32, tested: u32, bad: u32, most: u32) -> (u64, u64) {
    let samples = (0_u32..1 << rows).filter(|set| set.count_ones() == tested);
    let few = samples.clone().filter(|set| (set & ((1 << bad) - 1)).count_ones() <= most);
    (few.count() as u64, samples.count() as u64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_finite_limit_is_what_counting_every_sample_gives(
        rows in 1_u32..13, tested in 1_u32..13, deviating in 0_u32..5, percent in 50_u64..=99,
    ) {
        let tested = tested.min(rows);
        let deviating = deviating.min(tested);
        let confidence = Confidence::new(percent).unwrap();
        let possible = deviating..=rows - (tested - deviating);
        let likely = |bad: &u32| {
            let (few, all) = counted(rows, tested, *bad, deviating);
            few * 100 > all * (100 - percent)
        };
        let expect = possible.filter(likely).max().unwrap();
        let found = hypergeometric_limit(tested.into(), deviating.into(), rows.into(), confidence);
        prop_assert_eq!(found, u64::from(expect));
    }

    #[test]
    fn a_limit_grows_with_deviations_and_shrinks_with_what_is_tested(
        tested in 20_u64..120, deviating in 0_u64..8, rows in 200_u64..400,
    ) {
        for of in [
            |n, k, _| binomial_limit(n, k, NINETY),
            |n, k, rows| Share::new(hypergeometric_limit(n, k, rows, NINETY), rows),
        ] {
            let here = of(tested, deviating, rows);
            prop_assert!(here.part() >= deviating);
            prop_assert!(of(tested, deviating + 1, rows) > here);
            prop_assert!(of(tested + 1, deviating, rows) <= here);
        }
        prop_assert!(binomial_limit(tested, deviating, NINETY_FIVE) > binomial_limit(tested, deviating, NINETY));
    }
}

#[test]
fn the_largest_samples_are_worked_out() {
    // 1 − 0.1^(1/5000) = 0.00046041…, rounded up to a millionth.
    assert_eq!(binomial_limit(5_000, 0, NINETY), Share::new(461, 1_000_000));
    assert_eq!(hypergeometric_limit(5_000, 0, 5_000, NINETY), 0);
}

fn seed() -> Seed {
    Seed([7; 32])
}

fn found(sample: &Sample, at: impl Fn(usize) -> Finding) -> BTreeMap<u64, Finding> {
    sample.in_force().enumerate().map(|(place, pick)| (pick.row, at(place))).collect()
}

#[test]
fn missing_evidence_stays_and_counts() {
    let sample = Sample::random(seed(), 5_000, 25).unwrap();
    let findings = found(&sample, |place| if place == 3 { Finding::NoEvidence } else { Finding::Pass });
    let said = sample.evaluate(&findings, SizeBasis::Stated, NINETY);
    assert_eq!((said.tested, said.deviating, said.without_evidence), (25, 1, 1));
    assert_eq!(said.rate.unwrap().to_string(), "4.0 %");
    assert_eq!(said.limit.unwrap().share.to_string(), "14.7 %");
}

#[test]
fn no_confidence_where_it_means_nothing() {
    #[track_caller]
    fn check(sample: &Sample, basis: SizeBasis, rate: Option<&str>, expect: NoConfidence) {
        let said = sample.evaluate(&found(sample, |_| Finding::Pass), basis, NINETY);
        assert_eq!(said.limit, Err(expect), "{expect}");
        assert_eq!(said.rate.map(|r| r.to_string()).as_deref(), rate);
    }
    let stated = SizeBasis::Stated;
    let of = |size| Sample::random(seed(), 5_000, size).unwrap();
    check(&of(19), stated, Some("0.0 %"), NoConfidence::TooFew(19));
    assert!(of(20).evaluate(&found(&of(20), |_| Finding::Pass), stated, NINETY).limit.is_ok());
    check(&of(25), SizeBasis::Profile, Some("0.0 %"), NoConfidence::Profile);
    let named = |haphazard| {
        let items = (0..30).map(|row| Named { row, reason: "large".to_owned() }).collect();
        Sample::named(haphazard, 5_000, items).unwrap()
    };
    check(&named(false), stated, None, NoConfidence::Chosen(Selection::Targeted));
    check(&named(true), stated, None, NoConfidence::Chosen(Selection::Haphazard));
    let half = |label: &str, rows| Stratum { label: label.to_owned(), rows };
    let strata = vec![half("a", (0..500).collect()), half("b", (500..900).collect())];
    check(&Sample::stratified(seed(), strata, 60).unwrap(), stated, None, NoConfidence::MixedStrata);
    let late = Sample::late(seed(), half("late", (900..950).collect()), 40).unwrap();
    check(&late, stated, None, NoConfidence::Late);
    // What nobody tested yet is not taken for a pass.
    let said = of(40).evaluate(&BTreeMap::new(), stated, NINETY);
    assert_eq!((said.limit, said.rate), (Err(NoConfidence::Untested(40)), None));
}

#[test]
fn a_replaced_item_counts_no_longer() {
    let mut sample = Sample::random(seed(), 5_000, 25).unwrap();
    let findings = found(&sample, |place| if place == 0 { Finding::Deviation } else { Finding::Pass });
    let first = sample.parts[0].picks[0].row;
    let invalid =
        Invalid { because: InvalidBecause::Void, reason: "reverted before it ran".to_owned(), shown_by: 88 };
    let next = sample.replace(first, invalid).unwrap().unwrap();
    let mut all = findings;
    all.insert(next, Finding::Pass);
    let said = sample.evaluate(&all, SizeBasis::Stated, NINETY);
    assert_eq!((said.tested, said.deviating), (25, 0));
}
