//! Policies: who wrote and approved each version, when it was published, when somebody went through it again (GOV-06), and who
//! acknowledged it when (GOV-01).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Acknowledgement, Company, End, Policy, PolicyReview};
use crate::monitoring::MACHINE;
use crate::people::{CORE, employment_of, hire, leave};
use crate::rng::Rng;
use crate::training;
use crate::truth::{Seeded, seeded};

/// Days within which a policy is approved or reviewed again.
const DAYS: i64 = 365;
/// Days after joining within which it is acknowledged, and what everybody has to.
const JOINER_DAYS: i64 = 30;
const EVERYBODYS: [&str; 2] = ["conduct", "access"];

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
        everybody: EVERYBODYS.contains(&name),
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
    ("never-acknowledged", never_acknowledged),
    ("joiner-boundary", joiner_boundary),
    ("yearly-boundary", yearly_boundary),
    ("N67", written_down_late),
    ("left-before-due", left_before_due),
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
    all.push(said(
        c,
        "never-reviewed",
        policy,
        "ppd",
        "approved years ago, and nobody went through it since",
    ));
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

// ---- GOV-01

/// Everybody acknowledges what everybody has to, within weeks of joining and again before a year is over.
pub(crate) fn acknowledged(c: &mut Company, rng: &mut Rng) {
    let mut names: Vec<String> = c.policies.iter().filter(|p| p.everybody).map(|p| p.name.clone()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let came = c.policies.iter().filter(|p| p.name == name).map(|p| p.from).min().unwrap_or(0);
        for employment in 0..c.employments.len() {
            let them = c.employments[employment].clone();
            if name.starts_with("conduct") && c.taken.contains(&about(them.person)) {
                continue;
            }
            let end = if let End::At(end) = them.to { end.min(c.clock.cutoff) } else { c.clock.cutoff };
            let mut at = them.from.max(came) + rng.between(1, JOINER_DAYS - 3) * DAY;
            while at < end {
                acknowledge(c, them.person, &name, at, rng.between(0, 5) * DAY);
                at += rng.between(290, 355) * DAY;
            }
        }
    }
}

fn about(person: usize) -> String {
    format!("acknowledges {person}")
}

/// Acknowledges the version that is in force then.
fn acknowledge(c: &mut Company, person: usize, name: &str, at: i64, later: i64) {
    let version = c.policies.iter().position(|p| p.name == name && p.from <= at && p.to.after(at));
    c.acknowledgements.push(Acknowledgement {
        person,
        name: name.to_owned(),
        version,
        at,
        recorded: at + later,
    });
}

/// Somebody of whom it is for the case to say when they acknowledged the code of conduct.
fn somebody(c: &mut Company, rng: &mut Rng, from: i64) -> Option<(usize, String)> {
    let person = hire(c, rng, from, "employee", &[1]);
    training::follow(c, rng, person);
    c.take(about(person));
    let conduct = c.policies.iter().find(|p| p.name.starts_with("conduct"))?.name.clone();
    Some((person, conduct))
}

fn long_here(c: &mut Company, rng: &mut Rng) -> Option<(usize, String)> {
    let from = c.clock.office_hours(rng, c.clock.from - 2_000 * DAY, c.clock.from - 1_600 * DAY)?;
    somebody(c, rng, from)
}

fn told(c: &Company, case: &'static str, person: usize, policy: &str, letters: &str, why: &str) -> Seeded {
    let employment = &c.employments[employment_of(c, person)].key;
    seeded(("GOV-01", "policies_acknowledged", case), employment, letters, why).within(policy)
}

fn never_acknowledged(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some((person, conduct)) = long_here(c, rng) else { return all };
    let why = "has been here for years, and never acknowledged the code of conduct";
    all.push(told(c, "never-acknowledged", person, &conduct, "-d", why).last_day("-d"));
    let Some((person, conduct)) = long_here(c, rng) else { return all };
    let at = c.clock.from - 20 * DAY;
    acknowledge(c, person, &conduct, at, 0);
    if let Some(ack) = c.acknowledgements.last_mut() {
        ack.version = None;
    }
    let why = "acknowledged it, and the list does not say which version";
    all.push(told(c, "version-unknown", person, &conduct, "-n", why).last_day("-n"));
    all
}

fn joiner_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "pp", "acknowledged thirty days after joining, to the second"),
        (SECOND, "dd", "acknowledged thirty days and a second after joining"),
        (20 * DAY, "dd", "acknowledged seven weeks after joining"),
    ] {
        let Some(from) = c.clock.some_day(rng, 5, 60) else { return all };
        let Some((person, conduct)) = somebody(c, rng, from) else { return all };
        acknowledge(c, person, &conduct, from + JOINER_DAYS * DAY + late, 0);
        all.push(told(c, "joiner-boundary", person, &conduct, letters, why).last_day("-p"));
    }
    all
}

fn yearly_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "-p", "acknowledged again after 365 days, to the second"),
        (SECOND, "-d", "acknowledged again after 365 days and a second"),
    ] {
        let Some(at) = c.clock.some_day(rng, 20, 5) else { return all };
        let Some((person, conduct)) = long_here(c, rng) else { return all };
        acknowledge(c, person, &conduct, at - DAYS * DAY - late, 0);
        acknowledge(c, person, &conduct, at, 0);
        all.push(told(c, "yearly-boundary", person, &conduct, letters, why).last_day("-p"));
    }
    all
}

fn written_down_late(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, conduct)) = long_here(c, rng) else { return vec![] };
    let at = c.clock.from - 30 * DAY;
    acknowledge(c, person, &conduct, at, 0);
    if let Some(ack) = c.acknowledgements.last_mut() {
        ack.recorded = (at + 60 * DAY).min(c.clock.cutoff);
        if ack.recorded - at <= 31 * DAY {
            return vec![];
        }
    }
    if at + DAYS * DAY < c.clock.to {
        acknowledge(c, person, &conduct, at + 330 * DAY, 0);
    }
    let why = "on a list that was made two months after they are said to have acknowledged it";
    let later = if at + DAYS * DAY < c.clock.to { "-p" } else { "-j" };
    vec![told(c, "N67", person, &conduct, "-j", why).last_day(later)]
}

fn left_before_due(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(from) = c.clock.some_day(rng, 5, 30) else { return vec![] };
    let Some((person, conduct)) = somebody(c, rng, from) else { return vec![] };
    let employment = employment_of(c, person);
    leave(c, rng, employment, from + 20 * DAY);
    c.trainings.retain(|t| t.person != person || t.done < from + 20 * DAY);
    vec![told(
        c,
        "left-before-due",
        person,
        &conduct,
        "--",
        "left on the twentieth day, with nothing acknowledged yet",
    )]
}
