//! Duties that nobody may have at once (IAM-14): to land code past its protection and to deploy, here.

use crate::Case;
use crate::clock::{DAY, SECOND};
use crate::company::{Allowed, Company, End, Grant};
use crate::monitoring::MACHINE;
use crate::people::{CORE, close_at, hire};
use crate::rng::Rng;
use crate::training;
use crate::truth::{Seeded, seeded};

const HUB: usize = 1;
const CLOUD: usize = 2;
const MAINTAINS: &str = "maintainer";
const DEPLOYS: &str = "deployer";
/// The one pair that is kept apart all the time.
const PAIR: &str = "maintains-deploys";

/// A pair of duties, each a system and a role, that are kept apart from then on.
#[derive(Clone, Debug)]
pub(crate) struct Apart {
    pub(crate) key: &'static str,
    pub(crate) one: (usize, &'static str),
    pub(crate) other: (usize, &'static str),
    pub(crate) from: i64,
}

/// That somebody may have both: whose login, why, by whom, when, from when until when.
#[derive(Clone, Debug)]
pub(crate) struct Both {
    pub(crate) pair: &'static str,
    pub(crate) login: usize,
    pub(crate) why: &'static str,
    pub(crate) by: Option<usize>,
    pub(crate) at: i64,
    pub(crate) from: i64,
    pub(crate) to: End,
}

pub(crate) fn base(c: &mut Company, _: &mut Rng) {
    let from = c.clock.from - 400 * DAY;
    c.operations.apart.push(Apart { key: PAIR, one: (HUB, MAINTAINS), other: (CLOUD, DEPLOYS), from });
    // Half of those who are always here maintain the code, the others deploy it.
    for (system, role, half) in [(HUB, MAINTAINS, 0), (CLOUD, DEPLOYS, 1)] {
        let from_then = c.clock.kept_since;
        let jobs = ["generalist", "developer", "responder"];
        c.matrix.extend(jobs.map(|job| Allowed { job, system, role, from: from_then }));
        for person in (0..CORE).filter(|person| person % 2 == half) {
            gets(c, person, system, role, from, End::Never);
        }
    }
}

/// Somebody who has been here for long, with a login at the code host and at the cloud.
fn somebody(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let began = c.clock.office_hours(rng, c.clock.from - 1_400 * DAY, c.clock.from - 900 * DAY)?;
    let person = hire(c, rng, began, "employee", &[HUB, CLOUD]);
    training::follow(c, rng, person);
    Some(person)
}

fn gets(
    c: &mut Company,
    person: usize,
    system: usize,
    role: &'static str,
    from: i64,
    to: End,
) -> Option<usize> {
    let login = c.login_of(person, system)?;
    c.grants.push(Grant { login, role, privileged: false, from, to });
    Some(c.grants.len() - 1)
}

/// Somebody with both, each from then on.
fn both(
    c: &mut Company,
    rng: &mut Rng,
    maintains: (i64, End),
    deploys: (i64, End),
) -> Option<(usize, usize)> {
    let person = somebody(c, rng)?;
    let one = gets(c, person, HUB, MAINTAINS, maintains.0, maintains.1)?;
    Some((one, gets(c, person, CLOUD, DEPLOYS, deploys.0, deploys.1)?))
}

/// The same is right to say of both.
fn said(case: &'static str, (one, other): (usize, usize), letters: &str, why: &str) -> Vec<Seeded> {
    [one, other]
        .map(|grant| seeded(("IAM-14", "duties_apart", case), &format!("G{:05}", grant + 1), letters, why))
        .into()
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("both-at-once", both_at_once),
    ("one-after-another", one_after_another),
    ("both-before", both_before),
    ("login-closed", login_closed),
    ("allowed-both", allowed_both),
    ("alone", alone),
];

fn both_at_once(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let from = c.clock.from - 200 * DAY;
    let Some(pair) = both(c, rng, (from, End::Never), (from + 9 * DAY, End::Never)) else { return vec![] };
    let all = said("both-at-once", pair, "d", "maintains the code and deploys it, for years");
    all.into_iter().map(|one| one.last_day("d")).collect()
}

fn one_after_another(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "p", "maintained the code until the instant from which on they deploy it"),
        (SECOND, "d", "maintained the code for a second more when they already deployed it"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
        let from = c.clock.from - 200 * DAY;
        let Some(pair) = both(c, rng, (from, End::At(at + late)), (at, End::Never)) else { return all };
        all.extend(said("one-after-another", pair, letters, why));
    }
    all
}

fn both_before(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let (from, begins) = (c.clock.from - 200 * DAY, c.clock.from);
    let Some((one, other)) = both(c, rng, (from, End::At(begins)), (from, End::Never)) else { return vec![] };
    let why = "gave up the one in the instant in which the period began";
    let mut all = said("both-before", (one, other), "absent", why);
    all[1] = said("both-before", (one, other), "p", why).remove(1);
    all
}

fn login_closed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return vec![] };
    let from = c.clock.from - 200 * DAY;
    let Some((one, other)) = both(c, rng, (from, End::Never), (at, End::Never)) else { return vec![] };
    close_at(c, c.grants[one].login, End::At(at));
    let why = "the login at the code host was closed in the instant from which on they deploy; its grant was never taken off the list";
    said("login-closed", (one, other), "p", why)
}

fn allowed_both(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (what, letters, why) in [
        ("before", "p", "somebody else had decided that they may have both, and who looks at it"),
        ("late", "d", "decided a second after they had both"),
        ("lapsed", "d", "decided for ten days, and still both"),
        ("by oneself", "d", "decided by themselves"),
        ("by a script", "d", "a script renews the leave whenever it ends"),
        ("no reason", "n", "decided by somebody else, and nobody knows why"),
        ("by nobody known", "n", "decided, and nobody wrote down by whom"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 14) else { return all };
        let Some(pair) = both(c, rng, (at, End::Never), (at, End::Never)) else { return all };
        let login = c.grants[pair.0].login;
        let by = match what {
            "by oneself" => c.logins[login].person,
            "by a script" => Some(MACHINE),
            "by nobody known" => None,
            _ => Some(rng.below(CORE)),
        };
        c.operations.both.push(Both {
            pair: PAIR,
            login,
            why: if what == "no reason" {
                ""
            } else {
                "alone on call; every deployment is looked at by the lead"
            },
            by,
            at: if what == "late" { at + SECOND } else { at - 3 * DAY },
            from: at,
            to: if what == "lapsed" { End::At(at + 10 * DAY) } else { End::Never },
        });
        let last = if what == "late" { "p" } else { letters };
        all.extend(said("allowed-both", pair, letters, why).into_iter().map(|one| one.last_day(last)));
    }
    all
}

fn alone(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(person) = somebody(c, rng) else { return vec![] };
    let from = c.clock.from - 200 * DAY;
    let Some(grant) = gets(c, person, CLOUD, DEPLOYS, from, End::Never) else { return vec![] };
    let why = "deploys, and does not maintain what is deployed";
    said("alone", (grant, grant), "p", why).into_iter().take(1).collect()
}
