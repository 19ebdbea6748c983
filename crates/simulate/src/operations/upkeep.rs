//! What comes to differ from its code (CHG-09), and what can run out (AVL-01).

use crate::Case;
use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Within what time a difference is found, and put right; after what time use is measured again, and after how many days looked at.
const FOUND: i64 = 24 * HOUR;
const RIGHT: i64 = 7 * DAY;
const MEASURED: i64 = 24 * HOUR;
const LOOKED: i64 = 31;

/// A difference between what runs and what its code says.
#[derive(Clone, Debug)]
pub(crate) struct Drift {
    pub(crate) key: String,
    pub(crate) began: Option<i64>,
    pub(crate) found: i64,
    pub(crate) by_code: Option<bool>,
    /// When it was put right; `None` where nobody knows.
    pub(crate) right: Option<End>,
    /// When somebody decided that it may stay, who, and why.
    pub(crate) stays: Option<(i64, usize, &'static str)>,
}

/// Something that can run out.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) key: String,
    pub(crate) from: i64,
    pub(crate) to: End,
    pub(crate) threshold: Option<i64>,
    /// When it was measured, and how many thousandths were in use.
    pub(crate) samples: Vec<(i64, Option<i64>)>,
    /// When somebody looked, who, and whether they said when more is needed.
    pub(crate) looks: Vec<(i64, usize, Option<bool>)>,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..8 {
        if let Some(at) = c.clock.some_day(rng, 5, 10) {
            differs(c, rng, at);
        }
    }
    let from = c.clock.from - 200 * DAY;
    watched(c, rng, from, End::Never);
}

/// A difference that reviewed code made ahead of its description, found within the day and put right within the week.
fn differs(c: &mut Company, rng: &mut Rng, found: i64) -> usize {
    let key = format!("drift-{}", c.operations.drifts.len() + 1);
    let began = Some(found - rng.between(10, 23 * 60) * MINUTE);
    let right = Some(End::At(found + rng.between(1, 160) * HOUR));
    c.operations.drifts.push(Drift { key, began, found, by_code: Some(true), right, stays: None });
    c.operations.drifts.len() - 1
}

/// Measured every day and looked at every month, for as long as it is watched.
fn watched(c: &mut Company, rng: &mut Rng, from: i64, to: End) -> usize {
    let key = format!("disk-{}", c.operations.stores.len() + 1);
    let (mut samples, mut looks) = (vec![], vec![]);
    let mut at = from.max(c.clock.from - 2 * DAY);
    while at <= c.clock.cutoff && to.after(at) {
        samples.push((at, Some(rng.between(100, 700))));
        at += rng.between(20, 24) * HOUR;
    }
    let mut at = from.max(c.clock.from - 60 * DAY);
    while at <= c.clock.cutoff && to.after(at) {
        looks.push((at, rng.below(CORE), Some(true)));
        at += rng.between(25, LOOKED) * DAY;
    }
    c.operations.stores.push(Store { key, from, to, threshold: Some(800), samples, looks });
    c.operations.stores.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("by-hand", by_hand),
    ("found-boundary", found_boundary),
    ("right-boundary", right_boundary),
    ("never-right", never_right),
    ("stays", stays),
    ("right-unknown", right_unknown),
    ("maker-unknown", maker_unknown),
    ("sample-boundary", sample_boundary),
    ("measured-nothing", measured_nothing),
    ("look-forgotten", look_forgotten),
    ("look-by-script", look_by_script),
    ("no-forecast", no_forecast),
    ("no-threshold", no_threshold),
];

fn of_drift(c: &Company, case: &'static str, drift: usize, letters: &str, why: &str) -> Seeded {
    seeded(("CHG-09", "drift_put_right", case), &c.operations.drifts[drift].key, letters, why)
}

fn another(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 5, 10)?;
    Some(differs(c, rng, at))
}

fn by_hand(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(drift) = another(c, rng) else { return vec![] };
    c.operations.drifts[drift].by_code = Some(false);
    vec![of_drift(
        c,
        "by-hand",
        drift,
        "dpp",
        "somebody changed it in the console; it was found and put right",
    )]
}

fn found_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp", "found a day after it came to differ, to the second"),
        (SECOND, "pdp", "found a day and a second after it came to differ"),
    ] {
        let Some(drift) = another(c, rng) else { return all };
        let them = &mut c.operations.drifts[drift];
        them.began = Some(them.found - FOUND - late);
        all.push(of_drift(c, "found-boundary", drift, letters, why));
    }
    all
}

fn right_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp", "put right a week after it was found, to the second"),
        (SECOND, "ppd", "put right a week and a second after it was found"),
    ] {
        let Some(drift) = another(c, rng) else { return all };
        let them = &mut c.operations.drifts[drift];
        them.right = Some(End::At(them.found + RIGHT + late));
        all.push(of_drift(c, "right-boundary", drift, letters, why));
    }
    all
}

fn never_right(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(drift) = another(c, rng) else { return vec![] };
    c.operations.drifts[drift].right = Some(End::Never);
    vec![of_drift(c, "never-right", drift, "ppd", "found, and left as it is")]
}

fn stays(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (by, reason, letters, why) in [
        (
            0,
            "the provider asks for it",
            "ppp",
            "a person decided within the week, with a reason, that it may stay",
        ),
        (MACHINE, "the provider asks for it", "ppd", "a script decided that it may stay"),
        (0, "", "ppj", "it may stay, and nobody wrote down why"),
    ] {
        let Some(drift) = another(c, rng) else { return all };
        let them = &mut c.operations.drifts[drift];
        (them.right, them.stays) = (Some(End::Never), Some((them.found + 3 * DAY, by, reason)));
        all.push(of_drift(c, "stays", drift, letters, why));
    }
    all
}

fn right_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(drift) = another(c, rng) else { return vec![] };
    c.operations.drifts[drift].right = None;
    vec![of_drift(c, "right-unknown", drift, "ppn", "nobody wrote down whether it was put right")]
}

fn maker_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(drift) = another(c, rng) else { return vec![] };
    let them = &mut c.operations.drifts[drift];
    (them.by_code, them.began) = (None, None);
    vec![of_drift(c, "maker-unknown", drift, "nnp", "nobody knows since when it differs, or what made it so")]
}

// ---- AVL-01

fn of_store(c: &Company, case: &'static str, store: usize, letters: &str, why: &str) -> Seeded {
    seeded(("AVL-01", "capacity_watched", case), &c.operations.stores[store].key, letters, why)
}

/// Watched for two months.
fn for_two_months(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let from = c.clock.some_day(rng, 5, 65)?;
    Some(watched(c, rng, from, End::At(from + 60 * DAY)))
}

fn sample_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp", "measured again a day later, to the second"),
        (SECOND, "dpp", "measured again a day and a second later"),
    ] {
        let Some(store) = for_two_months(c, rng) else { return all };
        let samples = &mut c.operations.stores[store].samples;
        let later = samples[9].0 + MEASURED + late - samples[10].0;
        for sample in &mut samples[10..] {
            sample.0 += later;
        }
        all.push(of_store(c, "sample-boundary", store, letters, why));
    }
    all
}

fn measured_nothing(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(store) = for_two_months(c, rng) else { return vec![] };
    for sample in &mut c.operations.stores[store].samples[10..13] {
        sample.1 = None;
    }
    let why = "for three days the probe ran, and could not say how much was in use";
    vec![of_store(c, "measured-nothing", store, "npp", why)]
}

fn look_forgotten(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(store) = for_two_months(c, rng) else { return vec![] };
    c.operations.stores[store].looks.remove(1);
    // From the day on which it was first watched it is more than a month to the next look, or to the end.
    vec![of_store(c, "look-forgotten", store, "pdd", "a month went by in which nobody looked at it")]
}

fn look_by_script(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(store) = for_two_months(c, rng) else { return vec![] };
    for look in &mut c.operations.stores[store].looks {
        look.1 = MACHINE;
    }
    vec![of_store(c, "look-by-script", store, "pdd", "a script ticks it off every month")]
}

fn no_forecast(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (forecast, letters, why) in [
        (Some(false), "ppd", "looked at every month, and nobody ever said when more is needed"),
        (None, "ppj", "looked at every month, and nobody knows whether anybody said when more is needed"),
    ] {
        let Some(store) = for_two_months(c, rng) else { return all };
        for look in &mut c.operations.stores[store].looks {
            look.2 = forecast;
        }
        all.push(of_store(c, "no-forecast", store, letters, why));
    }
    all
}

fn no_threshold(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(store) = for_two_months(c, rng) else { return vec![] };
    c.operations.stores[store].threshold = None;
    let why = "measured every day, and nobody says from when on it is too much";
    vec![of_store(c, "no-threshold", store, "npp", why).last_day("n")]
}
