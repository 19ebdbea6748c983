//! Scans for vulnerabilities (VUL-01).

use crate::Case;
use crate::clock::{DAY, SECOND};
use crate::company::{Company, End};
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// How far two scans may lie apart.
const APART: i64 = 31 * DAY;

/// Assets that are scanned together.
#[derive(Clone, Debug)]
pub(crate) struct Fleet {
    pub(crate) key: String,
    pub(crate) from: i64,
    pub(crate) to: End,
    pub(crate) scans: Vec<Scan>,
}

#[derive(Clone, Debug)]
pub(crate) struct Scan {
    pub(crate) at: i64,
    pub(crate) succeeded: Option<bool>,
    /// Assets there were, and assets that were reached.
    pub(crate) assets: i64,
    pub(crate) reached: i64,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..3 + c.shape.systems / 3 {
        let from = c.clock.from - rng.between(100, 900) * DAY;
        scanned(c, rng, from, End::Never);
    }
}

/// Scanned every few weeks for as long as it is there.
fn scanned(c: &mut Company, rng: &mut Rng, from: i64, to: End) -> usize {
    let number = c.operations.fleets.len() + 1;
    let what = rng.pick(&["machines", "images", "hosts", "sites"]);
    let mut scans = vec![];
    let mut at = from;
    loop {
        at += rng.between(20, 30) * DAY + rng.between(0, 20 * 3_600) * SECOND;
        if at > c.clock.cutoff || !to.after(at) {
            break;
        }
        let assets = rng.between(5, 200);
        scans.push(Scan { at, succeeded: Some(true), assets, reached: assets });
        if rng.chance(10) {
            // Broke off the day before, or right away.
            let at = at - rng.between(1, 20 * 3_600) * SECOND;
            scans.push(Scan { at, succeeded: Some(false), assets, reached: assets / 3 });
        }
    }
    c.operations.fleets.push(Fleet { key: format!("{what}-{number}"), from, to, scans });
    number - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("scan-boundary", scan_boundary),
    ("month-without", month_without),
    ("not-reached", not_reached),
    ("broke-off", broke_off),
    ("never-scanned", never_scanned),
    ("scan-unknown", scan_unknown),
    ("gone-before-scan", gone_before_scan),
    ("new", new),
];

fn said(c: &Company, case: &'static str, fleet: usize, letters: &str, why: &str) -> Seeded {
    seeded(("VUL-01", "vulnerability_scans", case), &c.operations.fleets[fleet].key, letters, why)
}

/// In service for so long from a day of the period on, and scanned at these times after that.
fn with_scans(c: &mut Company, rng: &mut Rng, at: &[i64], life: i64) -> Option<usize> {
    let from = c.clock.some_day(rng, 5, life / DAY + 2)?;
    let fleet = scanned(c, rng, from, End::At(from + life));
    c.operations.fleets[fleet].scans = at
        .iter()
        .map(|after| Scan { at: from + after, succeeded: Some(true), assets: 40, reached: 40 })
        .collect();
    Some(fleet)
}

fn scan_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "pp", "31 days lie between two scans, to the second"),
        (SECOND, "dd", "31 days and a second lie between two scans"),
    ] {
        let at = [10 * DAY, 10 * DAY + APART + late];
        let Some(fleet) = with_scans(c, rng, &at, 60 * DAY) else { return all };
        all.push(said(c, "scan-boundary", fleet, letters, why));
    }
    all
}

fn month_without(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(fleet) = with_scans(c, rng, &[5 * DAY, 52 * DAY], 60 * DAY) else { return vec![] };
    vec![said(c, "month-without", fleet, "dd", "the scan of one month was forgotten")]
}

fn not_reached(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (again, letters, why) in [
        (false, "pd", "a scan went through, and reached 39 of 40 assets"),
        (true, "pp", "a scan reached 39 of 40 assets, and the next day one reached all"),
    ] {
        let Some(fleet) = with_scans(c, rng, &[5 * DAY, 30 * DAY, 31 * DAY, 55 * DAY], 60 * DAY) else {
            return all;
        };
        let scans = &mut c.operations.fleets[fleet].scans;
        scans[1].reached = 39;
        if !again {
            scans.remove(2);
        }
        all.push(said(c, "not-reached", fleet, letters, why));
    }
    all
}

fn broke_off(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (again, letters, why) in [
        (false, "dd", "a scan broke off, and nobody ran it again until the next month"),
        (true, "pp", "a scan broke off, and was run again two days later"),
    ] {
        let Some(fleet) = with_scans(c, rng, &[5 * DAY, 30 * DAY, 32 * DAY, 55 * DAY], 60 * DAY) else {
            return all;
        };
        let scans = &mut c.operations.fleets[fleet].scans;
        (scans[1].succeeded, scans[1].reached) = (Some(false), 7);
        if !again {
            scans.remove(2);
        }
        all.push(said(c, "broke-off", fleet, letters, why));
    }
    all
}

fn never_scanned(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let fleet = scanned(c, rng, c.clock.from - 200 * DAY, End::Never);
    c.operations.fleets[fleet].scans.clear();
    vec![said(c, "never-scanned", fleet, "dd", "in service for months, and never scanned").last_day("dd")]
}

fn scan_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(fleet) = with_scans(c, rng, &[5 * DAY, 30 * DAY, 55 * DAY], 60 * DAY) else { return vec![] };
    c.operations.fleets[fleet].scans[1].succeeded = None;
    vec![said(c, "scan-unknown", fleet, "nn", "nobody can say whether one of its scans went through")]
}

fn gone_before_scan(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(fleet) = with_scans(c, rng, &[], APART) else { return vec![] };
    vec![said(c, "gone-before-scan", fleet, "--", "never scanned, and gone when the first scan was due")]
}

fn new(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let from = c.clock.to.min(c.clock.cutoff + 1) - 5 * DAY;
    if from < c.clock.from {
        return vec![];
    }
    let fleet = scanned(c, rng, from, End::Never);
    c.operations.fleets[fleet].scans.clear();
    vec![said(c, "new", fleet, "yy", "in service for five days, and the first scan is not due yet")]
}
