//! What has to be done before somebody gets in for the first time: a look into their background, and two signatures (HR-01).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Agreement, Company, Screening};
use crate::people::{employment_of, hire};
use crate::rng::Rng;
use crate::training;
use crate::truth::{Seeded, seeded};

/// Days before the first access within which it counts.
const DAYS: i64 = 365;
const PAPERS: [&str; 2] = ["confidentiality", "terms"];

/// Everybody was screened and signed some days or weeks before each of their employments.
pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for employment in 0..c.employments.len() {
        if c.taken.contains(&about(employment)) {
            continue;
        }
        let (person, from) = (c.employments[employment].person, c.employments[employment].from);
        let done = from - rng.between(2, 40) * DAY;
        c.screenings.push(Screening { person, done, result: "clear", assessed: None });
        for kind in PAPERS {
            let signed = from - rng.between(1, 900) * HOUR;
            c.agreements.push(Agreement { person, kind, signed: Some(signed) });
        }
    }
}

fn about(employment: usize) -> String {
    format!("joiner {employment}")
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("to-the-second", to_the_second),
    ("missing", missing),
    ("findings", findings),
    ("old-papers", old_papers),
    ("unknown", unknown),
];

/// Somebody who begins in the period, and of whom nobody has looked at or signed anything yet.
fn newcomer(c: &mut Company, rng: &mut Rng) -> Option<(usize, usize, i64)> {
    let at = c.clock.some_day(rng, 5, 6)?;
    let person = hire(c, rng, at, "employee", &[1]);
    training::follow(c, rng, person);
    let employment = employment_of(c, person);
    c.take(about(employment)).then_some((person, employment, at))
}

fn screened(c: &mut Company, person: usize, done: i64) {
    c.screenings.push(Screening { person, done, result: "clear", assessed: None });
}

fn signed(c: &mut Company, person: usize, at: i64) {
    for kind in PAPERS {
        c.agreements.push(Agreement { person, kind, signed: Some(at) });
    }
}

fn said(c: &Company, case: &'static str, employment: usize, letters: &str, why: &str) -> Seeded {
    seeded(("HR-01", "screened_before_access", case), &c.employments[employment].key, letters, why)
}

fn to_the_second(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp", "all of it in the second of the first sign-in"),
        (SECOND, "ddd", "all of it a second after the first sign-in"),
        (3 * DAY, "ddd", "all of it in the first week, with the sign-in open since the first day"),
    ] {
        let Some((person, employment, at)) = newcomer(c, rng) else { return all };
        screened(c, person, at + late);
        signed(c, person, at + late);
        all.push(said(c, "to-the-second", employment, letters, why));
    }
    all
}

fn missing(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some((_, employment, _)) = newcomer(c, rng) else { return all };
    all.push(said(c, "missing", employment, "ddd", "began on a handshake: no check, and no paper"));
    let Some((person, employment, at)) = newcomer(c, rng) else { return all };
    screened(c, person, at - 9 * DAY);
    c.agreements.push(Agreement { person, kind: "terms", signed: Some(at - DAY) });
    all.push(said(
        c,
        "missing",
        employment,
        "pdp",
        "signed the terms, and nothing about keeping things to themselves",
    ));
    all
}

fn findings(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (result, assessed, letters, why) in [
        ("findings", Some(true), "ppp", "something was found, and weighed in writing"),
        ("findings", Some(false), "dpp", "something was found, and nobody weighed it"),
        ("findings", None, "npp", "something was found, and nobody says whether it was weighed"),
        ("not_allowed", None, "-pp", "the law of their country forbids to look"),
    ] {
        let Some((person, employment, at)) = newcomer(c, rng) else { return all };
        c.screenings.push(Screening { person, done: at - 10 * DAY, result, assessed });
        signed(c, person, at - DAY);
        all.push(said(c, "findings", employment, letters, why));
    }
    all
}

fn old_papers(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (before, letters, why) in [
        (DAYS * DAY, "ppp", "all of it 365 days before, to the second: the start was put off"),
        (DAYS * DAY + SECOND, "ddd", "all of it a second longer ago than that"),
    ] {
        let Some((person, employment, at)) = newcomer(c, rng) else { return all };
        screened(c, person, at - before);
        signed(c, person, at - before);
        all.push(said(c, "old-papers", employment, letters, why));
    }
    all
}

fn unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, at)) = newcomer(c, rng) else { return vec![] };
    screened(c, person, at - 20 * DAY);
    c.agreements.push(Agreement { person, kind: "confidentiality", signed: None });
    c.agreements.push(Agreement { person, kind: "terms", signed: Some(at - 20 * DAY) });
    vec![said(c, "unknown", employment, "pnp", "a signature without a date")]
}
