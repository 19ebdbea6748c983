//! The story of the company that people look at first: a year mostly in order, three grave things, two small ones, and a time in
//! which nobody looked. Everything else is as it should be.

use crate::Case;
use crate::changes::{allow, built, deployed, hurried, switched};
use crate::clock::{DAY, HOUR};
use crate::company::{Company, End, Outage};
use crate::monitoring::MACHINE;
use crate::people::{close_at, leaver};
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};
use crate::vulnerabilities::found;

/// What happens in it; the last of these is one of the ordinary cases.
pub(crate) const NAMES: &[&str] = &[
    "story-releases",
    "story-closing",
    "story-outage",
    "story-leaver",
    "story-vulnerability",
    "story-hotfix",
    "story-review",
    "bare-for-days",
];

pub(crate) const CASES: &[(&str, Case)] = &[
    ("story-leaver", left_behind),
    ("story-vulnerability", fixed_late),
    ("story-hotfix", reviewed_late),
    ("story-releases", released),
    ("story-closing", closed_with_its_system),
    ("story-outage", nobody_looked),
];

/// What happens once accesses were reviewed.
pub(crate) const LATER: &[(&str, Case)] = &[("story-review", finished_late)];

/// When the collectors of switches and of the code host were down: from a Wednesday evening in the middle of the year on.
pub(crate) fn base(c: &mut Company) {
    if c.shape.cases.as_ref().is_none_or(|names| !names.contains(&"story-outage")) {
        return;
    }
    let mut date = c.clock.days_later(c.clock.first, i64::from(c.shape.days) / 2);
    while date.weekday() != jiff::civil::Weekday::Wednesday {
        date = c.clock.days_later(date, 1);
    }
    let from = c.clock.at(date, 18, 30);
    let to = from + 3 * DAY + 15 * HOUR;
    if to + DAY >= c.clock.to {
        return;
    }
    c.clock.dark = Some((from, to));
    c.outages.push(Outage { file: "flags", from, to, tests: &["flag_change_approval"] });
}

/// Nothing waits for production for longer than some weeks: what no later release brought is released by itself. Nothing is wrong
/// with any of it.
fn released(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut landings: Vec<_> = c.landings.iter().map(|l| (l.at, l.repository, l.commit.clone())).collect();
    landings.sort_unstable();
    for (at, repository, commit) in landings {
        let brings = |c: &Company, artifact: &str| {
            let build = c.builds.iter().find(|b| b.artifact == artifact)?;
            c.landings.iter().find(|l| l.commit == build.commit).map(|l| l.at)
        };
        let brought = c.deployments.iter().any(|d| {
            d.repository == repository
                && d.environment == "production"
                && d.at >= at
                && d.at <= at + 20 * DAY
                && brings(c, &d.artifact).is_some_and(|landed| landed >= at)
        });
        if brought {
            continue;
        }
        let built_before = c.builds.iter().find(|b| b.commit == commit).map(|b| (b.artifact.clone(), b.at));
        let (artifact, ready) = built_before.unwrap_or_else(|| {
            let ready = at + HOUR;
            (built(c, rng, repository, &commit, ready), ready)
        });
        let mut when = ready + 20 * HOUR;
        if let Some((_, to)) = c.clock.dark.filter(|(from, to)| when >= *from && when < *to) {
            when = to + 3 * HOUR;
        }
        let place = deployed(c, repository, "production", &artifact, when, MACHINE);
        allow(c, place, None, when - HOUR);
    }
    vec![]
}

/// Whoever still had a way into a system loses it when the system is switched off: what ended before stays as it was. Nothing is
/// wrong with that.
fn closed_with_its_system(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    for login in 0..c.logins.len() {
        let End::At(off) = c.systems[c.logins[login].system].to else { continue };
        for (_, to) in c.logins[login].spells.iter_mut().filter(|(from, to)| *from < off && to.after(off)) {
            *to = End::At(off);
        }
        for grant in c.grants.iter_mut().filter(|g| g.login == login && g.from < off && g.to.after(off)) {
            grant.to = End::At(off);
        }
    }
    vec![]
}

/// Somebody whose contract ran out, and whose way into the cloud nobody closed.
fn left_behind(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, at)) = leaver(c, rng, "contractor", 100) else { return vec![] };
    // Nobody told the personnel system; the contract's own day is the end.
    c.employments[employment].told = None;
    let Some(cloud) = c.login_of(person, 2) else { return vec![] };
    close_at(c, cloud, End::At(at + 89 * DAY));
    for grant in c.grants.iter_mut().filter(|g| g.login == cloud) {
        (grant.role, grant.privileged) = ("admin", true);
    }
    let key = c.employments[employment].key.clone();
    let why = "the contract's last day came, nobody told IT, and an administrator's way into the cloud stayed open for 89 days";
    vec![seeded(("IAM-06", "leaver_access_ended", "story-leaver"), &key, "d--", why).within("cloud")]
}

fn fixed_late(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(seen) = c.clock.some_day(rng, 20, 60) else { return vec![] };
    let finding = found(c, Some("critical"), seen);
    c.findings[finding].fixed = Some(seen + 23 * DAY);
    let key = c.findings[finding].key.clone();
    let why = "a critical one, fixed after 23 days; seven are allowed";
    vec![seeded(("VUL-02", "vulnerability_remediation", "story-vulnerability"), &key, "d", why)]
}

fn reviewed_late(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 20, 40) else { return vec![] };
    let at = c.clock.at(c.clock.date(at), 23, 10);
    let hotfix = hurried(c, rng, at);
    let late = c.clock.business_days_after(at, 7) - 8 * HOUR;
    let them = &mut c.emergencies[hotfix];
    them.reviewed = them.reviewed.map(|(_, who)| (late, who));
    let key = them.key.clone();
    let why = "deployed at night for an incident, and looked at on the seventh business day of five";
    vec![seeded(("CHG-07", "emergency_change_review", "story-hotfix"), &key, "pd.", why)]
}

/// A switch in the days in which nobody fetched who had allowed it, and which whoever keeps the switches forgot since.
fn nobody_looked(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((from, _)) = c.clock.dark else { return vec![] };
    let number = c.flags.len() + 1;
    let flag = switched(c, rng, number, 1, from + 17 * HOUR);
    let why = "the collector was down, and who had allowed it is forgotten: not known to be wrong, and not known to be right";
    vec![seeded(("CHG-11", "flag_change_approval", "story-outage"), &c.flags[flag].key, "n", why)]
}

/// The last quarter's review of payments, finished when the quarter was over.
fn finished_late(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let Some(system) = c.systems.iter().position(|s| s.key == "pay" && s.to == End::Never) else {
        return vec![];
    };
    let Some(review) = c.reviews.iter_mut().rev().find(|r| r.system == system) else { return vec![] };
    // The first business days of January.
    let done = review.quarter.1 + 5 * DAY + 15 * HOUR;
    if done > c.clock.cutoff {
        return vec![];
    }
    review.completed = End::At(done);
    let at = review.quarter.0;
    let why = "finished on the sixth day of the next quarter: late is late, also where somebody allowed it beforehand";
    vec![seeded(("IAM-08", "access_review_completed", "story-review"), "pay", "dp.", why).at(at)]
}
