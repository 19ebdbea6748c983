//! What whoever signs in has to do: how long passwords are, how often one may try, when a session ends (IAM-12).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, End};
use crate::operations::logs::heard;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// What the policy asks: characters, tries, minutes of a session, minutes without use.
const POLICY: Demand = Demand { passwords: Some(true), length: 12, tries: 10, session: 1_440, idle: 60 };

/// Days for which another identity provider is tried out.
const TRIAL: i64 = 20;

/// What an identity provider demands for a while; of a number below zero nobody could say.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// The key of the system.
    pub(crate) door: String,
    pub(crate) demand: Demand,
    pub(crate) from: i64,
    pub(crate) to: End,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand {
    pub(crate) passwords: Option<bool>,
    pub(crate) length: i64,
    pub(crate) tries: i64,
    pub(crate) session: i64,
    pub(crate) idle: i64,
}

/// Another identity provider, in use for some days.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    pub(crate) key: String,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    let (door, from) = (c.systems[0].key.to_owned(), c.clock.kept_since);
    // The rules were made stricter some years ago, and in the year again.
    let stricter = c.clock.from + i64::from(c.shape.days) / 2 * DAY;
    let (length, tries) = (rng.between(12, 16), rng.between(3, 10));
    let demand = Demand { length, tries, session: 720, idle: rng.between(10, 60), ..POLICY };
    let again = Demand { length: length + 2, ..demand };
    c.operations.doors.push(Rule { door: door.clone(), demand, from, to: End::At(stricter) });
    c.operations.doors.push(Rule { door, demand: again, from: stricter, to: End::Never });
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("door-boundary", boundary),
    ("door-open", open),
    ("short-for-an-hour", short_for_an_hour),
    ("weaker-for-some", weaker_for_some),
    ("rules-unknown", unknown),
    ("short-before", short_before),
    ("no-passwords", no_passwords),
];

fn said(case: &'static str, door: &str, letters: &str, why: &str) -> Seeded {
    seeded(("IAM-12", "sign_in_rules", case), door, letters, why)
}

/// An identity provider that is tried out for some days within a quarter, so that nobody has to review who gets in by it.
fn tried(c: &mut Company, rng: &mut Rng) -> Option<Trial> {
    for _ in 0..50 {
        let from = c.clock.some_day(rng, 2, TRIAL + 2)?;
        let to = from + TRIAL * DAY;
        if c.clock.quarters().iter().all(|(_, end)| to < *end || from >= *end) {
            let trial = Trial { key: format!("trial-{}", c.operations.trials.len() + 1), from, to };
            c.operations.trials.push(trial.clone());
            // It logs as any other system does.
            let source = heard(c, rng, format!("{}/audit", trial.key), from, End::At(to));
            c.operations.sources[source].system = Some(trial.key.clone());
            return Some(trial);
        }
    }
    None
}

fn rule(c: &mut Company, trial: &Trial, demand: Demand, from: i64, to: i64) {
    c.operations.doors.push(Rule { door: trial.key.clone(), demand, from, to: End::At(to) });
}

fn boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (demand, letters, why) in [
        (POLICY, "pppp", "exactly what the policy asks"),
        (Demand { length: 11, ..POLICY }, "dppp", "passwords of eleven characters"),
        (Demand { tries: 11, ..POLICY }, "pdpp", "eleven tries"),
        (Demand { session: 1_441, ..POLICY }, "ppdp", "a session may last a day and a minute"),
        (Demand { idle: 61, ..POLICY }, "pppd", "a session ends after an hour and a minute without use"),
    ] {
        let Some(trial) = tried(c, rng) else { return all };
        rule(c, &trial, demand, trial.from, trial.to);
        all.push(said("door-boundary", &trial.key, letters, why));
    }
    all
}

fn open(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (demand, letters, why) in [
        (Demand { tries: 0, ..POLICY }, "pdpp", "whoever guesses may go on for ever"),
        (Demand { session: 0, idle: 0, ..POLICY }, "ppdd", "a session never ends"),
        (
            Demand { session: 60, idle: 0, ..POLICY },
            "pppp",
            "a session ends before anybody can be idle for too long",
        ),
    ] {
        let Some(trial) = tried(c, rng) else { return all };
        rule(c, &trial, demand, trial.from, trial.to);
        all.push(said("door-open", &trial.key, letters, why));
    }
    all
}

fn short_for_an_hour(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(trial) = tried(c, rng) else { return vec![] };
    let at = trial.from + rng.between(2, 300) * HOUR;
    rule(c, &trial, POLICY, trial.from, at);
    rule(c, &trial, Demand { length: 8, ..POLICY }, at, at + HOUR);
    rule(c, &trial, POLICY, at + HOUR, trial.to);
    vec![said("short-for-an-hour", &trial.key, "dppp", "passwords of eight characters for an hour")]
}

fn weaker_for_some(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(trial) = tried(c, rng) else { return vec![] };
    rule(c, &trial, POLICY, trial.from, trial.to);
    rule(c, &trial, Demand { idle: 480, ..POLICY }, trial.from + DAY, trial.to);
    vec![said(
        "weaker-for-some",
        &trial.key,
        "pppd",
        "another rule lets the sessions of some be idle for a working day",
    )]
}

fn unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (what, letters, why) in [
        ("length", "nppp", "how short a password may be, the export does not say"),
        ("second", "nnnn", "for a second no rule is known"),
        ("passwords", "nppp", "whether a password of eight characters gets anybody in, nobody could say"),
    ] {
        let Some(trial) = tried(c, rng) else { return all };
        match what {
            "length" => rule(c, &trial, Demand { length: -1, ..POLICY }, trial.from, trial.to),
            "second" => {
                rule(c, &trial, POLICY, trial.from, trial.from + DAY);
                rule(c, &trial, POLICY, trial.from + DAY + SECOND, trial.to);
            }
            _ => rule(c, &trial, Demand { passwords: None, length: 8, ..POLICY }, trial.from, trial.to),
        }
        all.push(said("rules-unknown", &trial.key, letters, why));
    }
    all
}

fn short_before(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(trial) = tried(c, rng) else { return vec![] };
    rule(c, &trial, Demand { length: 6, tries: 0, ..POLICY }, trial.from - 9 * DAY, trial.from);
    rule(c, &trial, POLICY, trial.from, trial.to);
    rule(c, &trial, Demand { length: 6, session: 0, ..POLICY }, trial.to, trial.to + DAY);
    vec![said(
        "short-before",
        &trial.key,
        "pppp",
        "weak before it was used and after: while it was used, strong",
    )]
}

fn no_passwords(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(trial) = tried(c, rng) else { return vec![] };
    rule(c, &trial, Demand { passwords: Some(false), length: -1, tries: -1, ..POLICY }, trial.from, trial.to);
    vec![said(
        "no-passwords",
        &trial.key,
        "pppp",
        "nobody signs in with a password: how short one may be matters to nobody",
    )]
}
