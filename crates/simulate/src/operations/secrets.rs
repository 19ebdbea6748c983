//! Keys and secrets, and when they are changed (CRY-04).

use crate::Case;
use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// For how long a version may be valid; within what time a change revokes the one before, and an exposed secret is changed.
const AGE: i64 = 90 * DAY;
const OVERLAP: i64 = 24 * HOUR;
const EXPOSED: i64 = 24 * HOUR;

#[derive(Clone, Debug)]
pub(crate) struct Secret {
    pub(crate) key: String,
    pub(crate) custodian: usize,
    /// Where it is kept, where anybody knows.
    pub(crate) kept: Option<&'static str>,
    pub(crate) from: Option<i64>,
    pub(crate) to: End,
    pub(crate) changes: Vec<Change>,
    /// What happened after which it has to be changed, and when.
    pub(crate) exposures: Vec<(&'static str, i64)>,
}

/// A new version: from when it is valid, and until when the one before is; `None` where nobody wrote that down.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) at: i64,
    pub(crate) old: Option<End>,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..4 + c.shape.people / 15 {
        let from = c.clock.from - rng.between(200, 900) * DAY;
        changed(c, rng, from);
    }
}

/// A secret that is changed every two or three months since it was made.
pub(crate) fn changed(c: &mut Company, rng: &mut Rng, from: i64) -> usize {
    let number = c.operations.secrets.len() + 1;
    let what = rng.pick(&["mail", "pay", "maps", "sign", "store", "queue", "search"]);
    let mut secret = Secret {
        key: format!("{what}-key-{number}"),
        custodian: rng.below(CORE),
        kept: Some("vault"),
        from: Some(from),
        to: End::Never,
        changes: vec![],
        exposures: vec![],
    };
    let mut at = from;
    loop {
        at += rng.between(55, 88) * DAY;
        if at > c.clock.cutoff {
            break;
        }
        secret.changes.push(Change { at, old: Some(End::At(at + rng.between(0, 20 * 60) * MINUTE)) });
    }
    c.operations.secrets.push(secret);
    number - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("N81", too_old),
    ("N83", still_valid),
    ("age-boundary", age_boundary),
    ("never-changed", never_changed),
    ("revoked-late", revoked_late),
    ("left", left),
    ("leaked", leaked),
    ("machine", machine),
    ("made-unknown", made_unknown),
    ("old-unknown", old_unknown),
    ("old-before", old_before),
];

fn said(c: &Company, case: &'static str, secret: usize, letters: &str, why: &str) -> Seeded {
    seeded(("CRY-04", "secrets_rotated", case), &c.operations.secrets[secret].key, letters, why)
}

/// A secret made in the period, with so many days to its end, and not changed yet.
fn fresh(c: &mut Company, rng: &mut Rng, tail: i64) -> Option<(usize, i64)> {
    let from = c.clock.some_day(rng, 5, tail)?;
    let secret = changed(c, rng, from);
    c.operations.secrets[secret].changes.clear();
    Some((secret, from))
}

/// Changed at these times after it was made, each complete at once, and taken out of use at the last one.
fn change_at(c: &mut Company, secret: usize, from: i64, days: &[i64], to: i64) {
    let them = &mut c.operations.secrets[secret];
    them.changes =
        days.iter().map(|after| Change { at: from + after, old: Some(End::At(from + after)) }).collect();
    them.to = End::At(from + to);
}

fn too_old(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    if let Some((secret, from)) = fresh(c, rng, 95) {
        // Begun long before, so that the 93 days lie in the period.
        change_at(c, secret, from, &[93 * DAY], 94 * DAY);
        let them = &mut c.operations.secrets[secret];
        them.from = Some(from - 88 * DAY);
        them.changes.insert(0, Change { at: from, old: Some(End::At(from)) });
        all.push(said(
            c,
            "N81",
            secret,
            "dp-p",
            "changed on day 0, 88 and 181: 93 days lie between the last two",
        ));
    }
    if let Some((secret, from)) = fresh(c, rng, 100) {
        let why =
            "changed once and never again: more than 90 days lie between that and the end of the period";
        c.operations.secrets[secret].from = Some(from - 60 * DAY);
        c.operations.secrets[secret].changes = vec![Change { at: from, old: Some(End::At(from)) }];
        all.push(said(c, "N81", secret, "dp-p", why).last_day("d"));
    }
    all
}

fn still_valid(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((secret, from)) = fresh(c, rng, 10) else { return vec![] };
    let them = &mut c.operations.secrets[secret];
    them.from = Some(from - 10 * DAY);
    them.changes = vec![Change { at: from, old: Some(End::Never) }];
    let age = c.clock.to.min(c.clock.cutoff + 1) - (from - 10 * DAY);
    // A change leaves the version before valid: that one goes on ageing.
    let (letters, last) = if age > AGE + 1 { ("dd-p", "d") } else { ("pd-p", "p") };
    let letters = if from + OVERLAP > c.clock.cutoff { "py-p" } else { letters };
    let why = "changed, and the version before is valid to this day";
    vec![said(c, "N83", secret, letters, why).last_day(last)]
}

fn age_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "pp-p", "a version is valid for ninety days, to the second"),
        (SECOND, "dp-p", "a version is valid for ninety days and a second"),
    ] {
        let Some((secret, from)) = fresh(c, rng, 100) else { return all };
        change_at(c, secret, from, &[AGE + late], 95 * DAY);
        all.push(said(c, "age-boundary", secret, letters, why));
    }
    all
}

fn never_changed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let secret = changed(c, rng, c.clock.from - 500 * DAY);
    c.operations.secrets[secret].changes.clear();
    vec![said(c, "never-changed", secret, "d--p", "made long ago, and never changed").last_day("d")]
}

fn revoked_late(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "pp-p", "the version before was revoked a day after the change, to the second"),
        (SECOND, "pd-p", "the version before was revoked a day and a second after the change"),
    ] {
        let Some((secret, from)) = fresh(c, rng, 60) else { return all };
        change_at(c, secret, from, &[40 * DAY], 55 * DAY);
        c.operations.secrets[secret].changes[0].old = Some(End::At(from + 40 * DAY + OVERLAP + late));
        all.push(said(c, "revoked-late", secret, letters, why));
    }
    all
}

fn left(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (
            Some(EXPOSED),
            "pppp",
            "somebody who knew it left, and the change was complete a day later, to the second",
        ),
        (
            Some(EXPOSED + SECOND),
            "ppdp",
            "somebody who knew it left, and the change was complete a day and a second later",
        ),
        (None, "p-dp", "somebody who knew it left, and nobody changed it"),
    ] {
        let Some((secret, from)) = fresh(c, rng, 60) else { return all };
        let at = from + 30 * DAY;
        match after {
            Some(after) => change_at(c, secret, from, &[30 * DAY + after], 55 * DAY),
            None => change_at(c, secret, from, &[], 55 * DAY),
        }
        c.operations.secrets[secret].exposures.push(("leaver", at));
        all.push(said(c, "left", secret, letters, why));
    }
    all
}

fn leaked(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((secret, from)) = fresh(c, rng, 60) else { return vec![] };
    change_at(c, secret, from, &[], 40 * DAY + 3 * HOUR);
    c.operations.secrets[secret].exposures.push(("leak", from + 40 * DAY));
    let why =
        "found in a public place, and taken out of use three hours later: nothing is left to be changed";
    vec![said(c, "leaked", secret, "p-pp", why)]
}

fn machine(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let secret = changed(c, rng, c.clock.from - 300 * DAY);
    c.operations.secrets[secret].custodian = MACHINE;
    vec![
        said(c, "machine", secret, "pp-d", "a service account is entered as who answers for it")
            .last_day("...d"),
    ]
}

fn made_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let secret = changed(c, rng, c.clock.from - 300 * DAY);
    let them = &mut c.operations.secrets[secret];
    (them.from, them.changes) = (None, vec![]);
    let why = "nobody knows when it was made, and no change is known: it may be of yesterday";
    let key = c.operations.secrets[secret].key.clone();
    let whether = "it lies in the vault, and nobody knows whether it was there in the period already";
    vec![
        said(c, "made-unknown", secret, "n--n", why),
        seeded(("CRY-03", "secrets_in_vault", "made-unknown"), &key, "n-", whether),
    ]
}

fn old_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((secret, from)) = fresh(c, rng, 100) else { return vec![] };
    change_at(c, secret, from, &[50 * DAY], 95 * DAY);
    c.operations.secrets[secret].changes[0].old = None;
    let why =
        "changed after fifty days, and nobody wrote down whether the version before still opens anything";
    vec![said(c, "old-unknown", secret, "nn-p", why)]
}

fn old_before(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((secret, from)) = fresh(c, rng, 60) else { return vec![] };
    change_at(c, secret, from, &[20 * DAY], 55 * DAY);
    let them = &mut c.operations.secrets[secret];
    them.from = Some(c.clock.from - 400 * DAY);
    let revoked = c.clock.from - HOUR;
    them.changes.insert(0, Change { at: revoked - HOUR, old: Some(End::At(revoked)) });
    // Between the change an hour before the period and the next one may lie more than ninety days.
    let age = from + 20 * DAY - (revoked - HOUR);
    let why = "far too old before the period, and changed an hour before it began";
    vec![said(c, "old-before", secret, if age > AGE { "dp-p" } else { "pp-p" }, why)]
}
