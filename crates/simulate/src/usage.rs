//! Who used what and when: what is left open unused (IAM-11), and what is kept for emergencies (IAM-13).

use crate::Case;
use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::company::{Company, End, Grant, Login, Ticket, Token, Use, UseReview};
use crate::monitoring::MACHINE;
use crate::people::{CORE, close_at, hire};
use crate::rng::Rng;
use crate::training;
use crate::truth::{Seeded, seeded};

/// Days without a use after which something is disabled; business days within which an emergency is looked at.
const DAYS: i64 = 90;
const REVIEW_BUSINESS_DAYS: u32 = 5;
/// The login for emergencies, at the cloud.
const ROOT: &str = "root";

/// The login for emergencies, and the nights on which it was needed.
pub(crate) fn root(c: &mut Company, rng: &mut Rng) {
    let (login, from) = (c.logins.len(), c.clock.kept_since + 40 * DAY);
    let spells = vec![(from, End::Never)];
    c.logins.push(Login { system: 2, key: ROOT.to_owned(), kind: "break_glass", person: None, spells });
    c.grants.push(Grant { login, role: "root", privileged: true, from, to: End::Never });
    for _ in 0..2 {
        if let Some(at) = c.clock.some_day(rng, 2, 15) {
            needed(c, rng, at + 9 * HOUR);
        }
    }
}

/// Used by somebody, for a ticket, and looked at by somebody else the next business day.
fn needed(c: &mut Company, rng: &mut Rng, at: i64) -> usize {
    let login = c.logins.iter().position(|l| l.key == ROOT).unwrap_or(0);
    let by = rng.below(CORE);
    let key = format!("OPS-{}", 7_000 + c.uses.len());
    let ticket = Some(key.clone());
    c.tickets.push(Ticket {
        key,
        title: "Sign-in as root",
        created: at + 5 * MINUTE,
        closed: Some(at + DAY),
    });
    c.uses.push(Use { login, at });
    let (used, reviewed) = (c.uses.len() - 1, c.clock.business_days_after(at, 1) - 7 * HOUR);
    c.use_reviews.push(UseReview { used, by: Some(by), ticket, reviewed: Some((reviewed, (by + 1) % CORE)) });
    used
}

/// Everybody uses what they have, while they work here, and machines do all the time; but for what a case speaks of.
pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for login in 0..c.logins.len() {
        let kind = c.logins[login].kind;
        if c.taken.contains(&about(login)) || kind == "shared" || kind == "break_glass" {
            continue;
        }
        let mut ways: Vec<(i64, i64)> = c
            .grants
            .iter()
            .filter(|g| g.login == login)
            .flat_map(|g| c.entrances(g))
            .map(|(from, to)| (from, if let End::At(to) = to { to } else { c.clock.cutoff + 1 }))
            .collect();
        ways.sort_unstable();
        let here: Vec<(i64, i64)> = match c.logins[login].person {
            Some(person) => c
                .employments
                .iter()
                .filter(|e| e.person == person)
                .map(|e| (e.from, if let End::At(to) = e.to { to } else { c.clock.cutoff + 1 }))
                .collect(),
            None => vec![(c.clock.kept_since, c.clock.cutoff + 1)],
        };
        for (from, to) in ways {
            for (began, left) in &here {
                let (from, to) = (from.max(*began).max(c.clock.from - 200 * DAY), to.min(*left));
                used_between(c, rng, login, from, to.min(c.clock.cutoff + 1));
            }
        }
        // Tokens are used as long as they are good for anything.
        let cutoff = c.clock.cutoff;
        for token in c.tokens.iter_mut().filter(|t| t.login == login) {
            let at = |end: End| if let End::At(at) = end { at } else { cutoff + 1 };
            let end = at(token.revoked).min(at(token.expires)).min(cutoff + 1);
            if end - token.used > (DAYS - 10) * DAY {
                token.used = token.created.max(end - rng.between(1, 60) * DAY);
            }
        }
    }
}

/// The first time within two days, then at least every month, and once more on the last day.
fn used_between(c: &mut Company, rng: &mut Rng, login: usize, from: i64, to: i64) {
    if to <= from {
        return;
    }
    let mut at = from + rng.between(0, 30) * HOUR;
    while at < to {
        c.uses.push(Use { login, at });
        at += rng.between(2, 28) * DAY;
    }
    let last = to - rng.between(1, 18) * HOUR;
    c.uses.push(Use { login, at: last.max(from) });
}

fn about(login: usize) -> String {
    format!("uses {login}")
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("never-used", never_used),
    ("ninety-days", ninety_days),
    ("closed", closed),
    ("long-leave", long_leave),
    ("by-token-alone", by_token_alone),
    ("unused-key", unused_key),
    ("end-unknown", end_unknown),
    ("N61", at_night),
    ("half-done", half_done),
    ("to-the-second", to_the_second),
    ("by-oneself", by_oneself),
    ("by-whom", by_whom),
    ("at-the-end", at_the_end),
];

const fn of(case: &'static str) -> (&'static str, &'static str, &'static str) {
    ("IAM-11", "unused_access", case)
}

/// Somebody who has been here for long, with a login at the cloud of whose uses the case speaks.
fn somebody(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let from = c.clock.office_hours(rng, c.clock.from - 900 * DAY, c.clock.from - 300 * DAY)?;
    let person = hire(c, rng, from, "employee", &[2]);
    training::follow(c, rng, person);
    let login = c.login_of(person, 2)?;
    c.take(about(login)).then_some(login)
}

fn steady(c: &mut Company, login: usize, from: i64, to: i64) {
    let mut at = from;
    while at < to {
        c.uses.push(Use { login, at });
        at += 21 * DAY;
    }
}

/// Uses up to that instant, from before the period on.
fn until(c: &mut Company, login: usize, at: i64) {
    let from = c.clock.from - 180 * DAY;
    steady(c, login, from, at);
    c.uses.push(Use { login, at });
}

fn since(c: &mut Company, login: usize, at: i64) {
    let end = c.clock.cutoff;
    steady(c, login, at, end);
}

fn said(c: &Company, case: &'static str, login: usize, letters: &str, why: &str) -> Seeded {
    seeded(of(case), &c.logins[login].key, letters, why)
}

fn never_used(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(login) = somebody(c, rng) else { return vec![] };
    let why = "the log of sign-ins is complete, and this login never stood in it";
    vec![said(c, "never-used", login, "d-", why).last_day("d-")]
}

fn ninety_days(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (more, letters, why) in [
        (0, "p-", "not used for ninety days to the second, and then again"),
        (SECOND, "d-", "not used for ninety days and a second; coming back cures nothing"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, DAYS + 5) else { return all };
        let Some(login) = somebody(c, rng) else { return all };
        until(c, login, at);
        since(c, login, at + DAYS * DAY + more);
        all.push(said(c, "ninety-days", login, letters, why).last_day("p-"));
    }
    all
}

fn closed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (days, letters, why) in [
        (DAYS, "p-", "not used any more, and closed with the ninetieth day"),
        (DAYS + 1, "d-", "not used any more, and closed on the day after"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, DAYS + 5) else { return all };
        let Some(login) = somebody(c, rng) else { return all };
        until(c, login, at);
        close_at(c, login, End::At(at + days * DAY));
        all.push(said(c, "closed", login, letters, why));
    }
    all
}

fn long_leave(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (shut, letters, why) in [
        (false, "d-", "away for four months, and the login stayed open"),
        (true, "p-", "away for four months, and the login was closed meanwhile"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 125) else { return all };
        let Some(login) = somebody(c, rng) else { return all };
        until(c, login, at);
        since(c, login, at + 120 * DAY);
        if shut {
            let spells = &mut c.logins[login].spells;
            spells[0].1 = End::At(at + DAY);
            spells.push((at + 119 * DAY, End::Never));
        }
        all.push(said(c, "long-leave", login, letters, why).last_day("p-"));
    }
    all
}

fn key(c: &mut Company, login: usize, created: i64, used: i64, revoked: End) {
    c.tokens.push(Token { login, kind: "api_key", created, expires: End::Never, revoked, used });
}

fn by_token_alone(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(login) = somebody(c, rng) else { return vec![] };
    let last = c.clock.to - 85 * DAY;
    until(c, login, last - 80 * DAY);
    key(c, login, c.clock.from - 20 * DAY, last, End::Never);
    let why = "signs in no more, and works with a key that was last used within ninety days of both ends";
    vec![said(c, "by-token-alone", login, "pp", why).last_day("pp")]
}

fn unused_key(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let end = c.clock.to;
    for (used, revoked, letters, last_day, why) in [
        (end - 100 * DAY, End::Never, "pd", "pd", "a key that nothing has used for a hundred days"),
        (end - 95 * DAY, End::At(end - 5 * DAY), "pp", "p-", "a key that was revoked with the ninetieth day"),
        (end - 96 * DAY, End::At(end - 5 * DAY), "pd", "p-", "a key that was revoked a day later than that"),
        (end - 89 * DAY, End::Never, "pp", "pp", "a key that nothing has used for eighty-nine days"),
    ] {
        let Some(login) = somebody(c, rng) else { return all };
        until(c, login, c.clock.cutoff - HOUR);
        key(c, login, c.clock.from - 150 * DAY, used, revoked);
        if used < c.clock.from - 140 * DAY {
            continue;
        }
        all.push(said(c, "unused-key", login, letters, why).last_day(last_day));
    }
    all
}

fn end_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, DAYS + 10) else { return vec![] };
    let Some(login) = somebody(c, rng) else { return vec![] };
    until(c, login, at);
    close_at(c, login, End::Unknown);
    let why = "not used any more, and closed nobody knows when: perhaps in time";
    vec![said(c, "end-unknown", login, "n-", why)]
}

/// What is unknown of a login whose end nobody wrote down, and who used it last more than ninety days before the period's end.
pub(crate) fn ends_unknown(c: &Company) -> Vec<Seeded> {
    let told: Vec<&str> =
        c.seeded.iter().filter(|s| s.test == "unused_access").map(|s| s.item.as_str()).collect();
    let mut all = vec![];
    for (place, login) in c.logins.iter().enumerate() {
        let unknown = c
            .grants
            .iter()
            .filter(|g| g.login == place)
            .flat_map(|g| c.entrances(g))
            .any(|(_, to)| to == End::Unknown);
        let last = c.uses.iter().filter(|u| u.login == place && u.at < c.clock.to).map(|u| u.at).max();
        if unknown
            && !told.contains(&login.key.as_str())
            && last.is_some_and(|at| c.clock.to - at > DAYS * DAY)
        {
            let why = "gone, and nobody wrote down when: left open unused for long, perhaps";
            all.push(seeded(of("gone-some-day"), &login.key, "n", why));
        }
    }
    all
}

// ---- IAM-13

/// A use of which the case speaks, at night, with its review.
fn night(c: &mut Company, rng: &mut Rng, tail: i64) -> Option<(usize, usize)> {
    let at = c.clock.some_day(rng, 3, tail)?;
    let used = needed(c, rng, at + 10 * HOUR);
    Some((used, c.use_reviews.len() - 1))
}

fn told(used: usize, case: &'static str, letters: &str, why: &str) -> Vec<Seeded> {
    vec![seeded(("IAM-13", "emergency_use_review", case), &use_key(used), letters, why)]
}

/// What a use is called.
pub(crate) fn use_key(used: usize) -> String {
    format!("U{used:06}")
}

fn at_night(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((used, _)) = night(c, rng, 15) else { return vec![] };
    c.use_reviews.pop();
    c.tickets.pop();
    told(used, "N61", "dd-", "used at night; no ticket says what for, and nobody looked at it")
}

fn half_done(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some((used, review)) = night(c, rng, 15) else { return all };
    c.use_reviews[review].reviewed = None;
    all.extend(told(
        used,
        "not-reviewed",
        "pd-",
        "a ticket says what for, and nobody looked at what was done",
    ));
    let Some((used, review)) = night(c, rng, 15) else { return all };
    c.use_reviews[review].ticket = None;
    all.extend(told(
        used,
        "no-ticket",
        "dpp",
        "looked at by somebody else, and nothing says what it was for",
    ));
    let Some((used, review)) = night(c, rng, 15) else { return all };
    c.use_reviews[review].ticket = Some("OPS-0".to_owned());
    all.extend(told(used, "no-such-ticket", "dpp", "the ticket that is named does not exist"));
    all
}

fn to_the_second(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp", "looked at in the last instant of the fifth business day"),
        (SECOND, "pd-", "looked at a second after the fifth business day"),
    ] {
        let Some((used, review)) = night(c, rng, 15) else { return all };
        let due = c.clock.business_days_after(c.uses[used].at, REVIEW_BUSINESS_DAYS);
        c.use_reviews[review].reviewed = c.use_reviews[review].reviewed.map(|(_, by)| (due + late, by));
        all.extend(told(used, "fifth-day", letters, why));
    }
    all
}

fn by_oneself(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (machine, why) in
        [(false, "who used it looked at it themselves"), (true, "a script ticks every use off")]
    {
        let Some((used, review)) = night(c, rng, 15) else { return all };
        let them = &mut c.use_reviews[review];
        let by = if machine { MACHINE } else { them.by.unwrap_or(0) };
        them.reviewed = them.reviewed.map(|(at, _)| (at, by));
        all.extend(told(used, "by-oneself", "ppd", why));
    }
    all
}

fn by_whom(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((used, review)) = night(c, rng, 15) else { return vec![] };
    c.use_reviews[review].by = None;
    let why = "nobody wrote down who used it: whether somebody else looked at it, a person has to find out";
    told(used, "by-whom", "ppj", why)
}

fn at_the_end(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let at = c.clock.to - 2 * HOUR;
    let used = needed(c, rng, at);
    let due = c.clock.business_days_after(at, REVIEW_BUSINESS_DAYS);
    if due <= c.clock.cutoff {
        return told(
            used,
            "at-the-end",
            "ppp",
            "used in the period's last hours, and looked at in the next one, in time",
        );
    }
    let why = "used in the period's last hours; who is to look at it has days to go";
    told(used, "at-the-end", "py-", why)
}
