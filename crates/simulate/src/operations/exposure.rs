//! What outsiders can reach: storage that everybody can read (NET-04).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::cloud::stored;
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// A decision that everybody may read something: when, by whom, until when, and why.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub(crate) resource: usize,
    pub(crate) at: i64,
    pub(crate) by: usize,
    pub(crate) to: End,
    pub(crate) reason: &'static str,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    // The pictures of the website.
    let resource = bucket(c, rng);
    let from = c.resources[resource].from;
    c.resources[resource].settings[0].public = Some(true);
    opened(c, rng, resource, from - DAY, End::Never);
}

fn bucket(c: &mut Company, rng: &mut Rng) -> usize {
    let resource = stored(c, rng, c.clock.from - 400 * DAY);
    c.resources[resource].kind = "bucket";
    c.resources[resource].key = format!("files-{resource:03}");
    resource
}

fn opened(c: &mut Company, rng: &mut Rng, resource: usize, at: i64, to: End) -> usize {
    let by = rng.below(CORE);
    c.operations.opened.push(Opened { resource, at, by, to, reason: "for the public website" });
    c.operations.opened.len() - 1
}

/// Public from then on, for so long.
fn public(c: &mut Company, resource: usize, from: i64, length: i64) {
    let settings = &mut c.resources[resource].settings;
    let mut open = settings[0].clone();
    let mut again = settings[0].clone();
    settings[0].to = End::At(from);
    (open.from, open.to, open.public) = (from, End::At(from + length), Some(true));
    again.from = from + length;
    settings.push(open);
    settings.push(again);
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("public-for-hours", public_for_hours),
    ("public-always", public_always),
    ("approval-boundary", approval_boundary),
    ("approved-by-script", approved_by_script),
    ("no-reason", no_reason),
    ("ran-out", ran_out),
    ("public-before", public_before),
    ("public-unknown", public_unknown),
];

fn said(c: &Company, case: &'static str, resource: usize, letters: &str, why: &str) -> Seeded {
    seeded(("NET-04", "storage_not_public", case), &c.resources[resource].key, letters, why)
}

fn public_for_hours(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return vec![] };
    let resource = bucket(c, rng);
    public(c, resource, at, 3 * HOUR);
    vec![said(c, "public-for-hours", resource, "d", "everybody could read it for three hours")]
}

fn public_always(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let resource = bucket(c, rng);
    c.resources[resource].settings[0].public = Some(true);
    vec![
        said(c, "public-always", resource, "d", "everybody can read it, and nobody ever decided that")
            .last_day("d"),
    ]
}

fn approval_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "p", "approved in the second in which it was opened"),
        (SECOND, "d", "approved a second after it was opened"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
        let resource = bucket(c, rng);
        public(c, resource, at, 2 * DAY);
        opened(c, rng, resource, at + late, End::Never);
        all.push(said(c, "approval-boundary", resource, letters, why));
    }
    all
}

fn approved_by_script(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return vec![] };
    let resource = bucket(c, rng);
    public(c, resource, at, 2 * DAY);
    let opened = opened(c, rng, resource, at - DAY, End::Never);
    c.operations.opened[opened].by = MACHINE;
    vec![said(c, "approved-by-script", resource, "d", "the approval was entered by a service account")]
}

fn no_reason(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return vec![] };
    let resource = bucket(c, rng);
    public(c, resource, at, 2 * DAY);
    let opened = opened(c, rng, resource, at - DAY, End::Never);
    c.operations.opened[opened].reason = "";
    vec![said(c, "no-reason", resource, "j", "approved before, and nobody wrote down why")]
}

fn ran_out(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (0, "p", "closed in the second in which the approval ran out"),
        (SECOND, "d", "closed a second after the approval had run out"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 15) else { return all };
        let resource = bucket(c, rng);
        public(c, resource, at, 10 * DAY + after);
        opened(c, rng, resource, at - DAY, End::At(at + 10 * DAY));
        all.push(said(c, "ran-out", resource, letters, why));
    }
    all
}

fn public_before(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let resource = bucket(c, rng);
    let from = c.clock.from;
    public(c, resource, from - 20 * DAY, 20 * DAY);
    vec![said(c, "public-before", resource, "p", "closed in the instant in which the period begins")]
}

fn public_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let resource = bucket(c, rng);
    c.resources[resource].settings[0].public = None;
    vec![said(c, "public-unknown", resource, "n", "nobody could say whether everybody can read it")]
}
