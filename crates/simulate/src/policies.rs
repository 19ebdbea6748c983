//! Policies: who wrote and approved each version, when it was published, and when somebody went through it again (GOV-06).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, End, Policy, PolicyReview};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Days within which a policy is approved or reviewed again.
const DAYS: i64 = 365;

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for name in ["access", "change", "incident", "vendor", "backup", "conduct"] {
        let policy = in_force(c, rng, name);
        // Some get a new version in the year, which takes over in the instant in which the old one ends.
        if rng.chance(40)
            && let Some(at) = c.clock.some_day(rng, 20, 10)
        {
            c.policies[policy].to = End::At(at);
            let mut next = c.policies[policy].clone();
            (next.version, next.from, next.to) = (next.version + 1, at, End::Never);
            next.approved = Some(at - rng.between(2, 15) * DAY);
            next.published = Some(at - rng.between(0, 40) * HOUR);
            c.policies.push(next);
        }
    }
}

/// A policy that somebody other than its author approved years ago, and that is gone through every eleven months.
fn in_force(c: &mut Company, rng: &mut Rng, name: &str) -> usize {
    let author = rng.below(CORE);
    let approver = (author + 1 + rng.below(CORE - 1)) % CORE;
    let from = c.clock.from - rng.between(800, 1_500) * DAY;
    let number = c.policies.len() + 1;
    c.policies.push(Policy {
        name: format!("{name}-{number}"),
        version: 3,
        author: Some(author),
        approved_by: Some(approver),
        approved: Some(from - rng.between(2, 20) * DAY),
        published: Some(from - rng.between(0, 40) * HOUR),
        from,
        to: End::Never,
    });
    let name = c.policies[number - 1].name.clone();
    let mut at = from + rng.between(200, 320) * DAY;
    while at <= c.clock.cutoff {
        c.policy_reviews.push(PolicyReview { name: name.clone(), at, by: Some(rng.below(CORE)) });
        at += rng.between(250, 350) * DAY;
    }
    number - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("by-its-author", by_its_author),
    ("to-the-second", to_the_second),
    ("never-published", never_published),
    ("review-boundary", review_boundary),
    ("never-reviewed", never_reviewed),
    ("approver-unknown", approver_unknown),
];

fn said(c: &Company, case: &'static str, policy: usize, letters: &str, why: &str) -> Seeded {
    seeded(("GOV-06", "policies_reviewed", case), &key(&c.policies[policy]), letters, why).last_day(letters)
}

/// What a version is called.
pub(crate) fn key(policy: &Policy) -> String {
    format!("{} {}", policy.name, policy.version)
}

fn by_its_author(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (machine, why) in [(false, "who wrote it approved it"), (true, "a script approves what is merged")] {
        let policy = in_force(c, rng, "crypto");
        let them = &mut c.policies[policy];
        them.approved_by = if machine { Some(MACHINE) } else { them.author };
        all.push(said(c, "by-its-author", policy, "dpp", why));
    }
    all
}

fn to_the_second(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp", "approved and published in the second in which it took effect"),
        (SECOND, "ddp", "approved and published a second after it took effect"),
    ] {
        let policy = in_force(c, rng, "laptop");
        let them = &mut c.policies[policy];
        (them.approved, them.published) = (Some(them.from + late), Some(them.from + late));
        all.push(said(c, "to-the-second", policy, letters, why));
    }
    all
}

fn never_published(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let policy = in_force(c, rng, "legal");
    c.policies[policy].published = None;
    let why = "approved, and kept in a drawer: it was never published";
    vec![said(c, "never-published", policy, "pdp", why)]
}

/// A policy whose reviews are these alone.
fn reviewed_at(c: &mut Company, rng: &mut Rng, looks: &[i64]) -> usize {
    let policy = in_force(c, rng, "office");
    let name = c.policies[policy].name.clone();
    c.policy_reviews.retain(|r| r.name != name);
    for at in looks {
        c.policy_reviews.push(PolicyReview { name: name.clone(), at: *at, by: Some(rng.below(CORE)) });
    }
    policy
}

fn review_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp", "gone through again after 365 days, to the second"),
        (SECOND, "ppd", "gone through again after 365 days and a second"),
        (40 * DAY, "ppd", "gone through again after more than thirteen months"),
    ] {
        let Some(at) = c.clock.some_day(rng, 45, 5) else { return all };
        let policy = reviewed_at(c, rng, &[at - DAYS * DAY - late, at]);
        let mut one = said(c, "review-boundary", policy, letters, why);
        one.last_day.clear();
        all.push(one.last_day("ppp"));
    }
    all
}

fn never_reviewed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let policy = reviewed_at(c, rng, &[]);
    all.push(said(c, "never-reviewed", policy, "ppd", "approved years ago, and nobody went through it since"));
    let at = c.clock.to - 200 * DAY;
    let policy = reviewed_at(c, rng, &[at - 300 * DAY, at]);
    let name = c.policies[policy].name.clone();
    for review in c.policy_reviews.iter_mut().filter(|r| r.name == name) {
        review.by = None;
    }
    let why = "gone through in time by nobody knows whom";
    all.push(said(c, "reviewer-unknown", policy, "ppj", why));
    all
}

fn approver_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let policy = in_force(c, rng, "social");
    c.policies[policy].approved_by = None;
    vec![said(c, "approver-unknown", policy, "jpp", "approved in time, and nobody wrote down by whom")]
}
