//! What people are told of what is done with their data, and who goes through it (PRV-01).

use crate::Case;
use crate::clock::{DAY, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Days for which a look at a notice is good.
const LOOK: i64 = 365;

#[derive(Clone, Debug, Default)]
pub(crate) struct Notices {
    pub(crate) versions: Vec<Version>,
    /// Which notice, when, by whom.
    pub(crate) looks: Vec<(&'static str, i64, usize)>,
}

/// A version of a notice: published from when until when.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) key: String,
    pub(crate) notice: String,
    /// Whether it changes what people were told before.
    pub(crate) changes: Option<bool>,
    pub(crate) approved: Option<(i64, usize)>,
    pub(crate) told: End,
    pub(crate) counts: i64,
    pub(crate) from: i64,
    pub(crate) to: End,
}

/// What customers are told, in two versions.
pub(crate) const CUSTOMERS: &str = "customers";

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    let changed = c.clock.from + i64::from(c.shape.days) / 3 * DAY;
    for (number, from, to) in [(1, c.clock.kept_since, End::At(changed)), (2, changed, End::Never)] {
        c.notices.versions.push(Version {
            key: format!("notice-{number}"),
            notice: CUSTOMERS.to_owned(),
            changes: Some(number > 1),
            approved: Some((from - rng.between(2, 20) * DAY, rng.below(CORE))),
            told: End::At(from),
            counts: from + 14 * DAY,
            from,
            to,
        });
    }
    let mut at = c.clock.from - rng.between(500, 700) * DAY;
    while at <= c.clock.cutoff {
        c.notices.looks.push((CUSTOMERS, at, rng.below(CORE)));
        at += rng.between(200, 350) * DAY;
    }
}

/// A version of a notice of its own, of which everybody was told ten days before it counts.
pub(crate) fn published(c: &mut Company, key: String, counts: i64) -> usize {
    let from = counts - 20 * DAY;
    let (notice, approved) = (format!("{key}-text"), Some((from - DAY, 0)));
    let told = End::At(counts - 10 * DAY);
    c.notices.versions.push(Version {
        key,
        notice,
        changes: Some(true),
        approved,
        told,
        counts,
        from,
        to: End::Never,
    });
    c.notices.versions.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[("notice-told", told), ("notice-looked", looked)];

pub(crate) fn said(c: &Company, case: &'static str, version: usize, letters: &str, why: &str) -> Seeded {
    seeded(("PRV-01", "notices_current", case), &c.notices.versions[version].key, letters, why)
}

fn told(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, changes, letters, why) in [
        (End::At(0), Some(true), "pp", "people were told in the instant from which it counts"),
        (End::At(SECOND), Some(true), "dp", "people were told a second after it began to count"),
        (End::Never, Some(true), "dp", "nobody told people"),
        (End::Unknown, Some(true), "np", "nobody says whether people were told"),
        (End::Never, Some(false), "-p", "nobody told people of another wording"),
        (End::Never, None, "np", "nobody told people, and nobody says whether more than the wording changed"),
    ] {
        let Some(counts) = c.clock.some_day(rng, 30, 8) else { return all };
        let key = format!("notice-{}", c.notices.versions.len() + 1);
        let version = published(c, key, counts);
        let them = &mut c.notices.versions[version];
        them.changes = changes;
        them.told = match after {
            End::At(after) => End::At(counts + after),
            other => other,
        };
        all.push(said(c, "notice-told", version, letters, why).last_day("-p"));
    }
    all
}

fn looked(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let end = c.clock.to - 1;
    let mut all = vec![];
    for (before, who, letters, why) in [
        (Some(LOOK * DAY), 0, "-p", "approved 365 days before the last instant of the period, to the second"),
        (
            Some(LOOK * DAY + SECOND),
            0,
            "-d",
            "approved a second more than 365 days before the end of the period",
        ),
        (Some(LOOK * DAY), MACHINE, "-d", "approved by a script"),
        (None, 0, "-d", "nobody ever approved or reviewed it"),
    ] {
        let key = format!("notice-{}", c.notices.versions.len() + 1);
        let version = published(c, key, c.clock.from - DAY);
        let them = &mut c.notices.versions[version];
        them.from = end - LOOK * DAY;
        them.approved = before.map(|before| (end - before, who));
        all.push(said(c, "notice-looked", version, letters, why).last_day(letters));
    }
    all
}
