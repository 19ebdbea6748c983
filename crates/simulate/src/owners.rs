//! Who answers for which control, and from when to when (GOV-04).

use crate::Case;
use crate::clock::{DAY, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// The controls that the company keeps: those that the product comes with.
#[rustfmt::skip]
pub const CONTROLS: &[&str] = &[
    "AI-01", "AI-02", "AI-03", "AI-04", "AI-05", "AVL-01", "AVL-02", "AVL-03", "AVL-04", "AVL-05", "AVL-06",
    "AVL-07", "CHG-01", "CHG-02", "CHG-03", "CHG-04", "CHG-05", "CHG-06", "CHG-07", "CHG-08", "CHG-09",
    "CHG-10", "CHG-11", "CON-01", "CON-02", "CON-03", "CON-04", "CRY-01", "CRY-02", "CRY-03", "CRY-04",
    "CRY-05", "END-01", "END-02", "END-03", "GOV-01", "GOV-02", "GOV-03", "GOV-04", "GOV-05", "GOV-06",
    "GOV-07", "GOV-08", "GOV-09", "GOV-10", "GOV-11", "HR-01", "HR-02", "HR-03", "HR-04", "IAM-01",
    "IAM-02", "IAM-03", "IAM-04", "IAM-05", "IAM-06", "IAM-07", "IAM-08", "IAM-09", "IAM-10", "IAM-11",
    "IAM-12", "IAM-13", "IAM-14", "INC-01", "INC-02", "INC-03", "INC-04", "LOG-01", "LOG-02", "LOG-03",
    "LOG-04", "LOG-05", "LOG-06", "NET-01", "NET-02", "NET-03", "NET-04", "PHY-01", "PHY-02", "PI-01",
    "PI-02", "PI-03", "PI-04", "PI-05", "PI-06", "PRV-01", "PRV-02", "PRV-03", "PRV-04", "PRV-05", "PRV-06",
    "PRV-07", "REL-01", "REL-02", "REL-03", "REL-04", "REL-05", "RSK-01", "RSK-02", "RSK-03", "VEN-01",
    "VEN-02", "VEN-03", "VEN-04", "VEN-05", "VUL-01", "VUL-02", "VUL-03", "VUL-04",
];

/// Those of the people who never leave who answer for controls; the last of them evaluates, and owns none.
pub(crate) const OWNERS: usize = CORE - 1;

/// Somebody answers for a control for a while.
#[derive(Clone, Debug)]
pub(crate) struct Ownership {
    pub(crate) control: &'static str,
    pub(crate) owner: usize,
    pub(crate) from: i64,
    pub(crate) to: End,
}

/// Controls of which no case says otherwise are owned by those who never leave, each by one of them all the time.
pub(crate) fn base(c: &mut Company) {
    for (number, control) in CONTROLS.iter().enumerate() {
        if c.take(taken(control)) {
            owned(c, control, number % OWNERS, long_ago(c), End::Never);
        }
    }
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("control-owner-left", owner_left),
    ("control-never-owned", never_owned),
    ("control-handed-on", handed_on),
    ("control-owner-unknown", owner_unknown),
];

fn taken(control: &str) -> String {
    format!("owner of {control}")
}

/// Before the period, when those who never leave were here.
fn long_ago(c: &Company) -> i64 {
    c.clock.kept_since + 60 * DAY
}

fn owned(c: &mut Company, control: &'static str, owner: usize, from: i64, to: End) {
    c.ownerships.push(Ownership { control, owner, from, to });
}

/// A control of which nothing was said yet.
fn a_control(c: &mut Company, rng: &mut Rng) -> Option<&'static str> {
    let free: Vec<&'static str> =
        CONTROLS.iter().copied().filter(|control| !c.taken.contains(&taken(control))).collect();
    let control = *free.get(rng.below(free.len().max(1)))?;
    c.take(taken(control));
    Some(control)
}

/// Somebody who was here before the period and left in it for good, and when.
fn who_left(c: &Company, rng: &mut Rng) -> Option<(usize, i64)> {
    let left: Vec<(usize, i64)> = c
        .employments
        .iter()
        .filter_map(|e| match e.to {
            End::At(at) => Some((e, at)),
            _ => None,
        })
        .filter(|(e, at)| e.from < c.clock.from && *at > c.clock.from + DAY && *at < c.clock.to - 2 * DAY)
        .filter(|(e, _)| c.employments.iter().filter(|other| other.person == e.person).count() == 1)
        .map(|(e, at)| (e.person, at))
        .collect();
    left.get(rng.below(left.len().max(1))).copied()
}

fn of(case: &'static str, control: &str, letters: &str, last_day: &str, why: &str) -> Seeded {
    seeded(("GOV-04", "control_owned", case), control, letters, why).last_day(last_day)
}

fn owner_left(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, last_day, why) in [
        (None, "d", "d", "its owner left in the period, and nobody was named"),
        (Some(0), "p", "p", "its owner left, and another was named from that instant on"),
        (Some(SECOND), "d", "p", "its owner left, and another was named a second later"),
    ] {
        let (Some((person, at)), Some(control)) = (who_left(c, rng), a_control(c, rng)) else { return all };
        let from = c.people[person].since.max(long_ago(c));
        // Before they came somebody else answered for it.
        owned(c, control, 0, long_ago(c), End::At(from));
        owned(c, control, person, from, End::Never);
        if let Some(after) = after {
            owned(c, control, rng.below(OWNERS), at + after, End::Never);
        }
        all.push(of("control-owner-left", control, letters, last_day, why));
    }
    let (Some((person, at)), Some(control)) = (who_left(c, rng), a_control(c, rng)) else { return all };
    let from = c.people[person].since.max(long_ago(c));
    owned(c, control, 0, long_ago(c), End::At(from));
    owned(c, control, person, from, End::At(at));
    owned(c, control, 1, at - 3 * DAY, End::Never);
    let why = "another was named beside its owner three days before they left";
    all.push(of("control-owner-left", control, "p", "p", why));
    all
}

fn never_owned(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    if let Some(control) = a_control(c, rng) {
        all.push(of("control-never-owned", control, "d", "d", "nobody was ever named"));
    }
    if let Some(control) = a_control(c, rng) {
        owned(c, control, MACHINE, long_ago(c), End::Never);
        all.push(of("control-never-owned", control, "d", "d", "a script is said to answer for it"));
    }
    all
}

fn handed_on(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some(at) = c.clock.some_day(rng, 3, 3) else { return all };
    for (between, letters, why) in [
        (0, "p", "handed on from one to another in the same instant"),
        (DAY, "d", "for a day nobody answered for it, though both work here"),
    ] {
        let Some(control) = a_control(c, rng) else { return all };
        owned(c, control, 1, long_ago(c), End::At(at));
        owned(c, control, 2, at + between, End::Never);
        all.push(of("control-handed-on", control, letters, "p", why));
    }
    all
}

fn owner_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(control) = a_control(c, rng) else { return vec![] };
    owned(c, control, 1, long_ago(c), End::Unknown);
    let why = "somebody answered for it, and nobody says until when";
    vec![of("control-owner-unknown", control, "n", "n", why)]
}
