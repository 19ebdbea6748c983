//! How accurate the personal data are on which decisions rest, and what becomes of what is wrong (PRV-06).

use crate::Case;
use crate::clock::{DAY, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Days within which each store is looked at, and within which what was wrong is put right.
const LOOK: i64 = 365;
const RIGHT: i64 = 30;

#[derive(Clone, Debug, Default)]
pub(crate) struct Quality {
    /// What the data map holds beside the stores of customers and staff: a store, and whether decisions rest on it.
    pub(crate) stores: Vec<(String, Option<bool>, End)>,
    pub(crate) looks: Vec<Look>,
}

#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) store: String,
    pub(crate) at: i64,
    pub(crate) by: Option<usize>,
    pub(crate) wrong: Option<i64>,
    pub(crate) corrected: Option<i64>,
    pub(crate) right: End,
}

/// Copies, on which no decisions rest.
pub(crate) fn decides(store: &str) -> bool {
    store != "backups"
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    let stores: Vec<&str> = c.privacy.held.iter().map(|h| h.store).filter(|store| decides(store)).collect();
    for store in stores {
        let mut at = c.clock.from - rng.between(100, 300) * DAY;
        while at <= c.clock.cutoff {
            looked(c, rng, store, at);
            at += rng.between(100, 200) * DAY;
        }
    }
}

/// A look after which everything was put right within the month.
fn looked(c: &mut Company, rng: &mut Rng, store: &str, at: i64) -> usize {
    let wrong = rng.between(0, 40);
    let right = if wrong > 0 { End::At(at + rng.between(1, 28) * DAY) } else { End::Unknown };
    let (store, by) = (store.to_owned(), Some(rng.below(CORE)));
    c.quality.looks.push(Look { store, at, by, wrong: Some(wrong), corrected: Some(wrong), right });
    c.quality.looks.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] =
    &[("quality-looked", at_all), ("quality-right", put_right), ("quality-which", which)];

fn said(c: &Company, case: &'static str, store: usize, letters: &str, why: &str) -> Seeded {
    seeded(("PRV-06", "data_quality_kept", case), &c.quality.stores[store].0, letters, why)
}

/// A store of applicants' data on which decisions rest.
fn a_store(c: &mut Company) -> usize {
    let key = format!("applicants-{}", c.quality.stores.len() + 1);
    c.quality.stores.push((key, Some(true), End::Never));
    c.quality.stores.len() - 1
}

fn at_all(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let end = c.clock.to - 1;
    let mut all = vec![];
    for (before, who, letters, why) in [
        (
            Some(LOOK * DAY),
            Some(0),
            "p-",
            "looked at 365 days before the last instant of the period, to the second",
        ),
        (Some(LOOK * DAY + SECOND), Some(0), "d-", "looked at a second more than 365 days before the end"),
        (Some(100 * DAY), Some(MACHINE), "dp", "looked at by a script alone"),
        (Some(100 * DAY), None, "jp", "looked at by nobody knows whom"),
        (None, None, "d-", "nobody ever looked at it"),
    ] {
        let store = a_store(c);
        if let Some(before) = before {
            let key = c.quality.stores[store].0.clone();
            let look = looked(c, rng, &key, end - before);
            c.quality.looks[look].by = who;
        }
        let last = if letters.starts_with('p') {
            "p-"
        } else if letters.starts_with('d') {
            "d-"
        } else {
            "j-"
        };
        all.push(said(c, "quality-looked", store, letters, why).last_day(last));
    }
    all
}

fn put_right(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (corrected, after, letters, why) in [
        (Some(9), End::At(RIGHT * DAY), "pp", "put right thirty days later, to the second"),
        (Some(9), End::At(RIGHT * DAY + SECOND), "pd", "put right thirty days and a second later"),
        (Some(8), End::At(DAY), "pd", "one record was left as it was"),
        (Some(0), End::Never, "pd", "nothing was put right"),
        (None, End::At(DAY), "pn", "nobody says how much was put right"),
        (Some(9), End::Unknown, "pn", "nobody says when it was put right"),
    ] {
        let Some(at) = c.clock.some_day(rng, 2, 35) else { return all };
        let store = a_store(c);
        let key = c.quality.stores[store].0.clone();
        let look = looked(c, rng, &key, at);
        let them = &mut c.quality.looks[look];
        (them.wrong, them.corrected) = (Some(9), corrected);
        them.right = match after {
            End::At(after) => End::At(at + after),
            other => other,
        };
        all.push(said(c, "quality-right", store, letters, why).last_day("p-"));
    }
    all
}

fn which(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let none = a_store(c);
    c.quality.stores[none].1 = Some(false);
    let unsaid = a_store(c);
    c.quality.stores[unsaid].1 = None;
    let vague = a_store(c);
    c.quality.stores[vague].2 = End::Unknown;
    vec![
        said(c, "quality-which", none, "absent", "never looked at, and no decisions rest on it"),
        said(
            c,
            "quality-which",
            unsaid,
            "n-",
            "never looked at, and nobody says whether decisions rest on it",
        )
        .last_day("n-"),
        said(
            c,
            "quality-which",
            vague,
            "n-",
            "never looked at, and nobody knows whether it still holds such data",
        )
        .last_day("n-"),
    ]
}
