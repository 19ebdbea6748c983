//! A period whose parts are judged by versions of their own.
//!
//! A rule that changed in mid-period makes two populations of one: each is judged by the version that was in force, and each
//! has to be proven. What is said of the whole is never better than what is said of any part.

use std::collections::{BTreeMap, BTreeSet};

use model::{Attribute, Conclusion, Instant, Period, Verdict};

use crate::{
    Assessment, Clean, CoverageMap, Gap, Item, Rules, Tested, UNTESTED, counts, gaps_of, judged, said_of,
    tested,
};

/// A part of a period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Its window.
    pub period: Period,
    /// Whether its population has to be proven. What began before the period is judged by the version of that time, and
    /// proves nothing about it.
    pub proves: bool,
    /// What the procedure yields by each version that may count here: the worst of them does.
    pub readings: Vec<Vec<Tested>>,
    /// Why nobody can say which version counts; then nothing is proven, whatever the readings yield.
    pub unclear: Option<String>,
    /// Items that each version attributes to the time of the other: why none of them can be judged.
    pub unplaced: Vec<Tested>,
}

/// What is said of one part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judged {
    /// What the tests say about operation there.
    pub conclusion: Conclusion,
    /// Why it cannot be concluded; empty otherwise.
    pub held_back_by: Vec<String>,
    /// Number of items.
    pub population: usize,
    /// How many of them have each verdict, per attribute.
    pub counts: BTreeMap<Attribute, BTreeMap<Verdict, usize>>,
}

/// What tells items apart: an item that is judged within several scopes has a row for each, and for each instant.
type Key = (i64, Option<(i64, Instant)>);

/// Joins rows, coverage and the parts of a period: the whole, and each part. `several` says that an item is judged within
/// several scopes; `clean` are items of a period in one part that are in order, and are told by their number alone.
///
/// The whole did not operate where no part did, and nothing can be concluded of it where nothing can of any part.
#[must_use]
pub fn assess_parts(
    rules: &Rules,
    parts: Vec<Part>,
    several: bool,
    coverage: &CoverageMap,
    scopes: &BTreeSet<i64>,
    cutoff: Instant,
    clean: &Clean,
) -> (Assessment, Vec<Judged>) {
    let alone = parts.len() == 1;
    let key = |item: &Item| -> Key {
        // What lasts the period begins anew with each part.
        let at = if rules.over_period { Instant::BEGINNING } else { item.occurred_at };
        (item.item, several.then_some((item.scope, at)))
    };
    let mut all: BTreeMap<Key, Item> = BTreeMap::new();
    let mut items: Vec<Item> = vec![];
    let mut gaps: Vec<Gap> = vec![];
    let mut said: Vec<Judged> = vec![];
    let mut held_back_by: Vec<String> = vec![];
    for (number, part) in parts.into_iter().enumerate() {
        let Part { period, proves, readings, unclear, unplaced } = part;
        let readings: Vec<Vec<Item>> =
            readings.into_iter().map(|rows| judged(rules, rows, coverage, &period, cutoff)).collect();
        // What one of several readings alone has in its population concludes nothing for the others.
        let untested = readings.len() > 1 && readings.iter().any(|items| !items.is_empty() && !tested(items));
        let mut found = joined(readings, &key);
        if let Some(reason) = &unclear {
            found.iter_mut().for_each(|item| unprove(item, reason));
        }
        for mut item in judged(rules, unplaced, coverage, &period, cutoff) {
            unprove(&mut item, UNPLACED);
            found.push(item);
        }
        let found_gaps = if proves { gaps_of(rules, coverage, scopes, &period, cutoff) } else { vec![] };
        let mut part = said_of(found, found_gaps, clean);
        if part.held_back_by.is_empty() {
            // By another version there may be items.
            part.held_back_by.extend(unclear);
            part.held_back_by.extend(untested.then(|| UNTESTED.to_owned()));
        }
        if !part.held_back_by.is_empty() {
            part.conclusion = Conclusion::CannotConclude;
        }
        let counted = rules.attributes.iter().map(|a| (a.letter, counts(&part.items, a.letter))).collect();
        let counted = clean.with(counted);
        if !alone {
            let days = format!("{} to {}", period.first_date(), period.last_date());
            held_back_by.extend(part.held_back_by.iter().map(|reason| format!("{days}: {reason}")));
        }
        said.push(Judged {
            conclusion: part.conclusion,
            held_back_by: part.held_back_by,
            population: part.items.len() + clean.population,
            counts: counted,
        });
        gaps.extend(part.gaps);
        if alone {
            items = part.items;
            continue;
        }
        for mut item in part.items {
            item.parts = vec![(number, item.verdicts.clone())];
            match all.get_mut(&key(&item)) {
                Some(before) => {
                    before.parts.append(&mut item.parts.clone());
                    worse_of(before, item);
                }
                None => {
                    all.insert(key(&item), item);
                }
            }
        }
    }
    if !alone {
        items = all.into_values().collect();
    }
    items.sort_by_key(|i| (i.item, i.scope, i.occurred_at));
    let mut whole = said_of(items, adjoined(gaps), clean);
    if alone {
        // It has said everything, also that nobody knows which version counts.
        if let Some(part) = said.first() {
            whole.conclusion = part.conclusion;
            whole.held_back_by.clone_from(&part.held_back_by);
        }
    } else if !held_back_by.is_empty() {
        whole.conclusion = Conclusion::CannotConclude;
        whole.held_back_by = held_back_by;
    }
    (whole, said)
}

const UNPLACED: &str = "the versions disagree on when it happened, so that none can be said to be in force";

/// Items of several readings, each once.
fn joined(readings: Vec<Vec<Item>>, key: &dyn Fn(&Item) -> Key) -> Vec<Item> {
    let mut readings = readings.into_iter();
    let mut first = readings.next().unwrap_or_default();
    let Some(second) = readings.next() else { return first };
    let mut places: BTreeMap<Key, usize> =
        first.iter().enumerate().map(|(at, item)| (key(item), at)).collect();
    for item in second.into_iter().chain(readings.flatten()) {
        match places.get(&key(&item)) {
            Some(at) => worse_of(&mut first[*at], item),
            None => {
                places.insert(key(&item), first.len());
                first.push(item);
            }
        }
    }
    first
}

/// Takes over what another reading, or another part, says worse, and keeps what was better.
fn worse_of(item: &mut Item, other: Item) {
    let part = !item.parts.is_empty();
    for (letter, verdict) in other.verdicts {
        let before = item.verdicts.entry(letter).or_insert(verdict);
        let better = (*before).max(verdict);
        if verdict < *before {
            *before = verdict;
            item.capped.remove(&letter);
            if let Some(reason) = other.capped.get(&letter) {
                item.capped.insert(letter, reason.clone());
            }
        }
        if better != *before && !part {
            item.otherwise.entry(letter).and_modify(|v| *v = (*v).max(better)).or_insert(better);
        }
    }
    for (letter, better) in other.otherwise {
        // Of another part: what did not count there does not count in the whole.
        item.otherwise.entry(letter).or_insert(better);
    }
    item.grade = item.grade.min(other.grade);
    item.occurred_at = item.occurred_at.min(other.occurred_at);
}

fn unprove(item: &mut Item, reason: &str) {
    for (letter, verdict) in &mut item.verdicts {
        *verdict = Verdict::NoEvidence;
        item.capped.insert(*letter, reason.to_owned());
    }
    item.otherwise.clear();
}

/// Gaps that go on from one part to the next, as one.
fn adjoined(gaps: Vec<Gap>) -> Vec<Gap> {
    let mut all: Vec<Gap> = vec![];
    for gap in gaps {
        let goes_on = |before: &&mut Gap| {
            before.to == gap.from
                && (&before.scope, &before.table, &before.reason) == (&gap.scope, &gap.table, &gap.reason)
        };
        match all.iter_mut().find(goes_on) {
            Some(before) => before.to = gap.to,
            None => all.push(gap),
        }
    }
    all
}

#[cfg(test)]
mod tests;
