//! Which version of something was in force at an instant: as it was known then, and as it is known now.
//!
//! A version that is entered or approved after it began has two sides: those who acted at the time went by what was known
//! then, and the organisation says now that something else held. Both are asked here; whoever judges by them takes the
//! reading that cannot make a deviation vanish.

use std::collections::BTreeSet;

use model::Instant;

/// One version of a value, as one row of the ledger says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version<T> {
    /// What holds while it is in force.
    pub value: T,
    /// From when; `None` when nobody says.
    pub from: Option<Instant>,
    /// Until when; [`Instant::FOREVER`] until another takes its place, `None` when nobody knows.
    pub to: Option<Instant>,
    /// From when it was both approved and in the ledger.
    pub known_from: Instant,
    /// When a correction took the row's place; [`Instant::FOREVER`] while none has.
    pub known_to: Instant,
}

/// From where a version is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Knowledge {
    /// What was approved and in the ledger at the instant itself.
    Then,
    /// Everything that was not corrected since.
    Now,
}

/// What may be in force at `at`: places in `versions`, `None` for `otherwise`, the value that holds without any version.
/// One answer is clear; several differ in their values, and nobody can say which of them holds.
///
/// A later version takes the place of one with an open end. One that says itself until when it holds contradicts a later one
/// that begins before, and one that begins or ends nobody knows when may hold wherever it could.
#[must_use]
pub fn in_force<T: PartialEq>(
    versions: &[Version<T>],
    at: Instant,
    knowledge: Knowledge,
    otherwise: &T,
) -> Vec<Option<usize>> {
    let seen = |v: &Version<T>| match knowledge {
        Knowledge::Then => v.known_from <= at && at < v.known_to,
        Knowledge::Now => v.known_to == Instant::FOREVER,
    };
    let open: Vec<usize> = (0..versions.len())
        .filter(|i| seen(&versions[*i]) && versions[*i].to.is_none_or(|to| at < to))
        .collect();
    let mut found = begun(versions, &open, at);
    found.extend(open.iter().filter(|i| versions[**i].from.is_none()).map(|i| Some(*i)));
    let value = |i: &Option<usize>| i.map_or(otherwise, |i| &versions[i].value);
    let mut distinct: Vec<Option<usize>> = vec![];
    for one in found {
        if !distinct.iter().any(|d| value(d) == value(&one)) {
            distinct.push(one);
        }
    }
    distinct
}

/// Of versions that have not ended, those that may hold and that are known to have begun.
fn begun<T>(versions: &[Version<T>], open: &[usize], at: Instant) -> Vec<Option<usize>> {
    let started: Vec<usize> =
        open.iter().copied().filter(|i| versions[*i].from.is_some_and(|from| from <= at)).collect();
    let Some(latest) = started.iter().filter_map(|i| versions[*i].from).max() else { return vec![None] };
    let (last, before): (Vec<usize>, Vec<usize>) =
        started.into_iter().partition(|i| versions[*i].from == Some(latest));
    let mut found: Vec<Option<usize>> = last.iter().map(|i| Some(*i)).collect();
    // It says itself that it goes on.
    let insists = |i: &&usize| versions[**i].to.is_some_and(|to| to != Instant::FOREVER);
    found.extend(before.iter().filter(insists).map(|i| Some(*i)));
    if last.iter().any(|i| versions[*i].to.is_none()) {
        // It may be over: then what was there before holds again.
        found.extend(begun(versions, &before, at));
    }
    found
}

/// The instants at which the answer can change: between two of them, and up to the first and from the last, it is one.
#[must_use]
pub fn changes<T>(versions: &[Version<T>]) -> BTreeSet<Instant> {
    versions
        .iter()
        .flat_map(|v| [v.from, v.to, Some(v.known_from), Some(v.known_to)])
        .flatten()
        .filter(|at| *at > Instant::BEGINNING && *at < Instant::FOREVER)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPEN: Option<i64> = Some(i64::MAX);

    fn at(ms: i64) -> Instant {
        if ms == i64::MAX { Instant::FOREVER } else { Instant::from_ms(ms) }
    }

    /// Value, from, to; known from, known to.
    type Line = (i64, Option<i64>, Option<i64>, i64, i64);

    fn versions(lines: &[Line]) -> Vec<Version<i64>> {
        let version = |(value, from, to, known_from, known_to): &Line| Version {
            value: *value,
            from: from.map(at),
            to: to.map(at),
            known_from: at(*known_from),
            known_to: at(*known_to),
        };
        lines.iter().map(version).collect()
    }

    /// The values that may be in force, 0 where no version says any: as known then, and as known now.
    #[track_caller]
    fn check(lines: &[Line], ms: i64, then: &[i64], now: &[i64]) {
        let versions = versions(lines);
        for (knowledge, expected) in [(Knowledge::Then, then), (Knowledge::Now, now)] {
            let found = in_force(&versions, at(ms), knowledge, &0);
            let mut values: Vec<i64> = found.iter().map(|i| i.map_or(0, |i| versions[i].value)).collect();
            values.sort_unstable();
            assert_eq!(values, expected, "{knowledge:?} at {ms}");
        }
    }

    #[test]
    fn a_version_holds_from_its_first_instant_on() {
        let lines = [(5, Some(100), OPEN, 50, i64::MAX)];
        check(&lines, 99, &[0], &[0]);
        check(&lines, 100, &[5], &[5]);
        check(&lines, 10_000, &[5], &[5]);
    }

    #[test]
    fn a_later_version_takes_the_place_of_an_open_one_and_gives_it_back_when_it_ends() {
        let lines = [
            (5, Some(100), OPEN, 0, i64::MAX),
            (7, Some(200), Some(300), 0, i64::MAX),
            (9, Some(400), OPEN, 0, i64::MAX),
        ];
        for (ms, value) in [(199, 5), (200, 7), (299, 7), (300, 5), (400, 9)] {
            check(&lines, ms, &[value], &[value]);
        }
    }

    #[test]
    fn what_is_entered_late_was_not_known_then() {
        let lines = [(5, Some(100), OPEN, 150, i64::MAX)];
        check(&lines, 100, &[0], &[5]);
        check(&lines, 149, &[0], &[5]);
        check(&lines, 150, &[5], &[5]);
    }

    #[test]
    fn a_correction_does_not_change_what_was_known_then() {
        // Entered as 3, corrected at 500 into 30.
        let lines = [(3, Some(100), OPEN, 50, 500), (30, Some(100), OPEN, 500, i64::MAX)];
        check(&lines, 100, &[3], &[30]);
        check(&lines, 499, &[3], &[30]);
        check(&lines, 500, &[30], &[30]);
    }

    #[test]
    fn versions_that_contradict_each_other_are_not_clear() {
        check(&[(5, Some(100), OPEN, 0, i64::MAX), (7, Some(100), OPEN, 0, i64::MAX)], 100, &[5, 7], &[5, 7]);
        check(&[(5, Some(100), OPEN, 0, i64::MAX), (5, Some(100), OPEN, 0, i64::MAX)], 100, &[5], &[5]);
        // The first says that it holds up to 300.
        let lines = [(5, Some(100), Some(300), 0, i64::MAX), (7, Some(200), OPEN, 0, i64::MAX)];
        for (ms, values) in [(199, &[5][..]), (200, &[5, 7]), (299, &[5, 7]), (300, &[7])] {
            check(&lines, ms, values, values);
        }
    }

    #[test]
    fn an_unknown_begin_or_end_may_be_anywhere() {
        let begin = [(5, None, Some(300), 0, i64::MAX), (7, Some(100), OPEN, 0, i64::MAX)];
        for (ms, values) in [(50, &[0, 5][..]), (100, &[5, 7]), (299, &[5, 7]), (300, &[7])] {
            check(&begin, ms, values, values);
        }
        let end = [(5, Some(100), None, 0, i64::MAX), (7, Some(200), OPEN, 0, i64::MAX)];
        for (ms, values) in [(99, &[0][..]), (100, &[0, 5]), (199, &[0, 5]), (200, &[7])] {
            check(&end, ms, values, values);
        }
        // What it may have given way to says the same.
        let same = [(5, Some(100), OPEN, 0, i64::MAX), (5, Some(200), None, 0, i64::MAX)];
        check(&same, 250, &[5], &[5]);
    }

    proptest! {
        /// Between two changes the answer is one, and the order of the rows says nothing.
        #[test]
        fn nothing_changes_between_changes(
            lines in prop::collection::vec(
                (1..4_i64, prop::option::of(0..20_i64), prop::option::of(0..25_i64), 0..20_i64, 0..25_i64), 0..5),
            ms in 0..30_i64,
        ) {
            let mut all = versions(&lines);
            let values = |all: &[Version<i64>], ms: i64| {
                [Knowledge::Then, Knowledge::Now].map(|knowledge| {
                    let found = in_force(all, at(ms), knowledge, &0);
                    let mut values: Vec<i64> = found.iter().map(|i| i.map_or(0, |i| all[i].value)).collect();
                    values.sort_unstable();
                    values
                })
            };
            let found = values(&all, ms);
            prop_assert!(found.iter().all(|values| !values.is_empty()));
            if !changes(&all).contains(&at(ms + 1)) {
                prop_assert_eq!(&found, &values(&all, ms + 1));
            }
            all.reverse();
            prop_assert_eq!(found, values(&all, ms));
        }
    }
}
