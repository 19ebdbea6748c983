//! Releases that go out in steps and are taken back where they have to be (REL-01, REL-03, REL-04), and what is signed about
//! whatever goes out (REL-02).

use std::collections::BTreeSet;

use crate::Case;
use crate::changes::{LOGIN, built, lands, namesakes, one, second_login, two};
use crate::clock::{HOUR, MINUTE, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Of a hundred users how many a release may begin with; for how long each step is watched; until when a person has seen that what
/// was taken back is back.
const FIRST: i64 = 10;
const WATCHED: i64 = HOUR;
const SEEN: i64 = 24 * HOUR;

/// A rule of the rollout that widens by itself.
const RULE: &str = "healthy for two hours";

/// What went out over the air, and what is signed about everything that goes out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shipping {
    pub(crate) releases: Vec<Release>,
    pub(crate) checks: Vec<Check>,
    /// Artifacts about which a case says what is signed.
    special: BTreeSet<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Release {
    pub(crate) key: String,
    pub(crate) channel: &'static str,
    pub(crate) repository: usize,
    pub(crate) artifact: String,
    pub(crate) at: i64,
    pub(crate) by: usize,
    /// The version to go back to, and when it was named.
    pub(crate) target: Option<(String, i64)>,
    pub(crate) approvals: Vec<Permission>,
    pub(crate) steps: Vec<Step>,
    pub(crate) backs: Vec<Back>,
}

/// A yes or no, for so many of a hundred users.
#[derive(Clone, Debug)]
pub(crate) struct Permission {
    pub(crate) by: usize,
    pub(crate) yes: bool,
    pub(crate) percent: i64,
    pub(crate) at: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) percent: i64,
    pub(crate) at: i64,
    /// Somebody, or the rule.
    pub(crate) by: Option<usize>,
    pub(crate) health: Option<(&'static str, i64)>,
}

impl Step {
    pub(crate) fn rule(&self) -> Option<&'static str> {
        self.by.is_none().then_some(RULE)
    }
}

/// A release that was taken back.
#[derive(Clone, Debug)]
pub(crate) struct Back {
    pub(crate) at: i64,
    pub(crate) reason: &'static str,
    /// When somebody saw that the version before was there again, and who.
    pub(crate) seen: End,
    pub(crate) by: usize,
}

/// A check of what is signed about an artifact.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) artifact: String,
    pub(crate) kind: &'static str,
    pub(crate) trusted: bool,
    pub(crate) good: bool,
    pub(crate) at: i64,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..c.shape.days / 12 {
        let Some(at) = c.clock.some_day(rng, 2, 8) else { break };
        let release = went_out(c, rng, at);
        let them = &mut c.shipping.releases[release];
        if rng.chance(10) {
            // Not well at its second step: taken back, and never widened again.
            them.steps.truncate(2);
            let Some(last) = them.steps.last_mut() else { continue };
            last.health = Some(("unhealthy", last.at + 40 * MINUTE));
            let at = last.at + HOUR;
            let reason = rng.pick(&["it crashes at the start", "the list stays empty", "sign-in fails"]);
            let seen = End::At(at + rng.between(5, 600) * MINUTE);
            them.backs.push(Back { at, reason, seen, by: rng.below(CORE) });
        }
    }
}

/// A release as it should be: built by the pipeline, approved, in three steps, each found healthy.
fn went_out(c: &mut Company, rng: &mut Rng, at: i64) -> usize {
    let repository = rng.below(c.repositories.len());
    let (by, other) = two(rng);
    let commit = lands(c, rng, repository, by, at - 30 * HOUR);
    let artifact = built(c, rng, repository, &commit, at - 29 * HOUR);
    let number = c.shipping.releases.len() + 1;
    let channel = rng.pick(&["ota-stable", "ota-stable", "store", "ota-beta"]);
    let all = rng.chance(60);
    let mut steps = vec![];
    let mut began = at;
    for percent in [rng.pick(&[1, 5, 10]), rng.pick(&[25, 50]), 100] {
        let looked = began + WATCHED + rng.between(0, 300) * MINUTE;
        let by = if percent < 25 { Some(by) } else { rng.chance(50).then_some(other) };
        steps.push(Step { percent, at: began, by, health: Some(("healthy", looked)) });
        began = looked + rng.between(0, 500) * MINUTE;
    }
    let first = Permission {
        by: other,
        yes: true,
        percent: if all { 100 } else { 50 },
        at: at - rng.between(1, 900) * MINUTE,
    };
    let mut approvals = vec![first];
    if !all {
        let at = steps[2].at - rng.between(0, 50) * MINUTE;
        approvals.push(Permission { by: other, yes: true, percent: 100, at });
    }
    let target = Some((format!("2.{}.0", number - 1), at - rng.between(1, 20) * HOUR));
    let key = format!("REL-2.{number}.0");
    c.shipping.releases.push(Release {
        key,
        channel,
        repository,
        artifact,
        at,
        by,
        target,
        approvals,
        steps,
        backs: vec![],
    });
    c.shipping.releases.len() - 1
}

/// The pipeline signs what it builds and states that it did, as soon as it is there. What went out without that is told apart here:
/// whatever was made to happen to a build happened to this as well.
pub(crate) fn sign(c: &mut Company) {
    let mut checks = vec![];
    for build in c.builds.iter().filter(|b| b.builder == "pipeline" && b.conclusion == "success") {
        if !c.shipping.special.contains(&build.artifact) {
            let (artifact, at) = (&build.artifact, build.at + 20 * SECOND);
            checks.extend(both(artifact, at));
        }
    }
    let shipped = c.deployments.iter().filter(|d| d.environment == "production" && d.at < c.clock.to);
    for d in shipped.filter(|d| !c.shipping.special.contains(&d.artifact)) {
        if checks.iter().any(|check| check.artifact == d.artifact && check.at <= d.at) {
            continue;
        }
        let elsewhere = !c.builds.iter().any(|b| b.artifact == d.artifact && b.builder == "pipeline");
        let case = if elsewhere { "N30" } else { "unsigned-build" };
        let why = "no good build of the pipeline was there before it was deployed: nobody signed it, and nothing states where it was built";
        c.seeded.push(seeded(("REL-02", "artifact_provenance", case), &d.key, "dd", why));
    }
    c.shipping.checks.extend(checks);
}

fn both(artifact: &str, at: i64) -> [Check; 2] {
    ["signature", "provenance"].map(|kind| Check {
        artifact: artifact.to_owned(),
        kind,
        trusted: true,
        good: true,
        at,
    })
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("N32", further_than_approved),
    ("release-approved", approved),
    ("release-N21", approved_from_a_second_login),
    ("release-namesake", approved_by_a_namesake),
    ("release-rejected", rejected),
    ("one-step-too-far", one_step_too_far),
    ("release-watched", watched),
    ("release-begun", begun),
    ("release-widened-by", widened_by),
    ("made-smaller", made_smaller),
    ("taken-back-to", taken_back_to),
    ("taken-back", taken_back),
    ("signed", signed),
];

fn said(
    c: &Company,
    (control, test): (&'static str, &'static str),
    case: &'static str,
    release: usize,
    letters: &str,
    why: &str,
) -> Seeded {
    seeded((control, test, case), &c.shipping.releases[release].key, letters, why)
}

const APPROVED: (&str, &str) = ("REL-01", "release_approval");
const STAGED: (&str, &str) = ("REL-03", "staged_rollout");
const READY: (&str, &str) = ("REL-04", "rollback_ready");

fn a_release(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 2, 8)?;
    let release = went_out(c, rng, at);
    // Approved once, for everybody: so that a case changes one thing.
    let them = &mut c.shipping.releases[release];
    them.approvals.truncate(1);
    them.approvals[0].percent = 100;
    Some(release)
}

fn further_than_approved(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(release) = a_release(c, rng) else { return vec![] };
    let them = &mut c.shipping.releases[release];
    them.approvals[0].percent = 10;
    them.steps.truncate(1);
    (them.steps[0].percent, them.steps[0].by) = (100, Some(them.by));
    let why = "approved for a tenth, and pushed to everybody by its builder alone; what went out is signed";
    vec![
        said(c, APPROVED, "N32", release, "pd", why),
        said(c, STAGED, "N32", release, "d-d", why),
        said(c, READY, "N32", release, "p--", why),
        said(c, ("REL-02", "artifact_provenance"), "N32", release, "pp", why),
    ]
}

fn approved(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (who, after, letters, why) in [
        ("other", 0, "pp", "approved by somebody else in the instant it went out"),
        ("other", SECOND, "dd", "approved by somebody else a second after it went out"),
        ("self", -HOUR, "dd", "approved by whoever built it"),
        ("bot", -HOUR, "dd", "approved by a bot"),
        ("nobody", 0, "dd", "approved by nobody"),
    ] {
        let Some(release) = a_release(c, rng) else { return all };
        let them = &mut c.shipping.releases[release];
        let by = match who {
            "self" => them.by,
            "bot" => MACHINE,
            _ => them.approvals[0].by,
        };
        (them.approvals[0].by, them.approvals[0].at) = (by, them.at + after);
        if who == "nobody" {
            them.approvals.clear();
        }
        // All at once, as far as the first step goes: what came later was late for nobody.
        them.steps.truncate(1);
        all.push(said(c, APPROVED, "release-approved", release, letters, why));
    }
    all
}

fn approved_from_a_second_login(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(release) = a_release(c, rng) else { return vec![] };
    let by = c.shipping.releases[release].by;
    c.shipping.releases[release].approvals[0].by = LOGIN + second_login(c, by);
    vec![said(c, APPROVED, "N21", release, "dd", "approved from a second login of whoever built it")]
}

fn approved_by_a_namesake(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(release) = a_release(c, rng) else { return vec![] };
    let Some((by, other)) = namesakes(c, rng) else { return vec![] };
    let them = &mut c.shipping.releases[release];
    them.by = by;
    them.approvals[0].by = other;
    let why = "approved by somebody of the same name: whether that is who built it, a person has to say";
    vec![said(c, APPROVED, "N21", release, "jj", why)]
}

fn rejected(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (-MINUTE, "dd", "approved, and the approval taken back a minute before it went out"),
        (-1_000 * MINUTE, "pp", "turned down first, and approved afterwards"),
    ] {
        let Some(release) = a_release(c, rng) else { return all };
        let them = &mut c.shipping.releases[release];
        them.approvals[0].at = them.at - 10 * MINUTE;
        let by = them.approvals[0].by;
        them.approvals.push(Permission { by, yes: false, percent: 100, at: them.at + after });
        all.push(said(c, APPROVED, "release-rejected", release, letters, why));
    }
    all
}

fn one_step_too_far(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (again, letters, why) in [
        (Some(0), "pp", "approved for half, and for everybody in the instant it went to everybody"),
        (Some(SECOND), "pd", "approved for half, and for everybody a second after it went to everybody"),
        (None, "pd", "approved for half, and it went to everybody"),
    ] {
        let Some(release) = a_release(c, rng) else { return all };
        let them = &mut c.shipping.releases[release];
        them.approvals[0].percent = 50;
        if let Some(after) = again {
            let (by, at) = (them.approvals[0].by, them.steps[2].at + after);
            them.approvals.push(Permission { by, yes: true, percent: 100, at });
        }
        all.push(said(c, APPROVED, "one-step-too-far", release, letters, why));
    }
    all
}

// ---- REL-03

fn watched(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (health, letters, why) in [
        (
            Some(("healthy", WATCHED)),
            "ppp",
            "found healthy an hour after it began, to the second, and widened then",
        ),
        (
            Some(("healthy", WATCHED - SECOND)),
            "pdp",
            "found healthy a second before it had been watched for an hour",
        ),
        (Some(("unhealthy", WATCHED)), "pdp", "found unhealthy, and widened all the same"),
        (None, "pdp", "nobody looked before it was widened"),
        (Some(("unknown", WATCHED)), "pnp", "widened after a look that could not tell how it does"),
        (Some(("healthy", 400 * MINUTE + SECOND)), "pdp", "found healthy a second after it had been widened"),
    ] {
        let Some(release) = a_release(c, rng) else { return all };
        let them = &mut c.shipping.releases[release];
        let began = them.steps[0].at;
        them.steps[0].health = health.map(|(word, after)| (word, began + after));
        let next = if health == Some(("healthy", WATCHED)) { began + WATCHED } else { began + 400 * MINUTE };
        let late = next - them.steps[1].at;
        for step in &mut them.steps[1..] {
            step.at += late;
            step.health = step.health.map(|(word, at)| (word, at + late));
        }
        all.push(said(c, STAGED, "release-watched", release, letters, why));
    }
    all
}

fn begun(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (percent, letters, why) in [
        (FIRST, "ppp", "it began with a tenth"),
        (FIRST + 1, "dpp", "it began with one of a hundred more than a tenth"),
    ] {
        let Some(release) = a_release(c, rng) else { return all };
        let them = &mut c.shipping.releases[release];
        (them.steps[0].percent, them.steps[0].by) = (percent, Some(them.approvals[0].by));
        all.push(said(c, STAGED, "release-begun", release, letters, why));
    }
    let Some(release) = a_release(c, rng) else { return all };
    c.shipping.releases[release].steps.clear();
    let why = "nothing shows that it went out in steps, and the list of steps is complete";
    all.push(said(c, STAGED, "release-begun", release, "d--", why));
    // How far it went, nobody can hold beside what was approved either.
    all.push(said(c, APPROVED, "release-begun", release, "pn", why));
    all
}

fn widened_by(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (who, letters, why) in [
        ("self", "ppd", "its builder alone widened it to everybody"),
        ("bot", "ppd", "a bot widened it, and no rule is named"),
        ("rule", "ppp", "a named rule widened it"),
        ("other", "ppp", "somebody else widened it, and its builder began it"),
    ] {
        let Some(release) = a_release(c, rng) else { return all };
        let them = &mut c.shipping.releases[release];
        let by = match who {
            "self" => Some(them.by),
            "bot" => Some(MACHINE),
            "rule" => None,
            _ => Some(them.approvals[0].by),
        };
        them.steps[2].by = by;
        all.push(said(c, STAGED, "release-widened-by", release, letters, why));
    }
    all
}

fn made_smaller(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(release) = a_release(c, rng) else { return vec![] };
    let them = &mut c.shipping.releases[release];
    them.steps.truncate(2);
    let last = &mut them.steps[1];
    last.health = Some(("unhealthy", last.at + 20 * MINUTE));
    let (at, by) = (last.at + 30 * MINUTE, Some(them.by));
    them.steps.push(Step { percent: 1, at, by, health: None });
    let why = "found unhealthy, and brought back to one of a hundred by its builder at once: that needs nobody's leave";
    vec![said(c, STAGED, "made-smaller", release, "ppp", why)]
}

// ---- REL-04

fn taken_back_to(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (Some(0), "p--", "what to go back to was named in the instant it went out"),
        (Some(SECOND), "d--", "what to go back to was named a second after it went out"),
        (None, "n--", "nobody knows whether anything to go back to was named"),
    ] {
        let Some(release) = a_release(c, rng) else { return all };
        let them = &mut c.shipping.releases[release];
        them.target = after.map(|after| ("2.0.0".to_owned(), them.at + after));
        all.push(said(c, READY, "taken-back-to", release, letters, why));
    }
    let Some(release) = a_release(c, rng) else { return all };
    let them = &mut c.shipping.releases[release];
    them.target = Some(("none".to_owned(), them.at - HOUR));
    all.push(said(
        c,
        READY,
        "taken-back-to",
        release,
        "d--",
        "the register says that there is nothing to go back to",
    ));
    all
}

fn taken_back(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (reason, seen, who, letters, why) in [
        (
            "it crashes",
            End::At(SEEN),
            "person",
            "ppp",
            "taken back, and seen to be back in the last second of a day",
        ),
        (
            "it crashes",
            End::At(SEEN + SECOND),
            "person",
            "ppd",
            "taken back, and seen to be back a second after a day",
        ),
        (
            "it crashes",
            End::Never,
            "person",
            "ppd",
            "taken back, and nobody saw whether the version before was there again",
        ),
        (
            "it crashes",
            End::Unknown,
            "person",
            "ppn",
            "taken back, and the register does not say whether the version before was there again",
        ),
        (
            "it crashes",
            End::At(HOUR),
            "script",
            "ppd",
            "taken back, and only a script saw that the version before was there again",
        ),
        ("none", End::At(HOUR), "person", "pdp", "taken back, and nobody wrote down why"),
        ("", End::At(HOUR), "person", "pnp", "taken back, and the register does not say why"),
        (
            "it crashes",
            End::At(HOUR),
            "nobody",
            "ppj",
            "taken back, and seen to be back by nobody knows whom",
        ),
    ] {
        let Some(release) = a_release(c, rng) else { return all };
        let them = &mut c.shipping.releases[release];
        let by = match who {
            "script" => MACHINE,
            "nobody" => NOBODY,
            _ => them.approvals[0].by,
        };
        let at = them.steps[0].at + 2 * HOUR;
        them.steps.truncate(1);
        let seen = match seen {
            End::At(after) => End::At(at + after),
            other => other,
        };
        them.backs.push(Back { at, reason, seen, by });
        all.push(said(c, READY, "taken-back", release, letters, why));
    }
    all
}

/// Somebody of whom no login is known.
const NOBODY: usize = LOGIN - 1;

// ---- REL-02

fn signed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (what, letters, why) in [
        ("late", "dd", "signed, and verified only a second after it was deployed"),
        ("at once", "pp", "verified in the instant it was deployed"),
        (
            "signature alone",
            "pd",
            "signed by a person with the company's key, and no pipeline says that it built it",
        ),
        ("laptop", "pd", "the statement of its build is signed, by a laptop"),
        (
            "failed since",
            "dp",
            "its signature was good once, and the last check before it was deployed failed",
        ),
        ("failed before", "pp", "the first check failed, and it was signed again and verified"),
    ] {
        let Some(place) = one(c, rng) else { return all };
        let (artifact, at) = (c.deployments[place].artifact.clone(), c.deployments[place].at);
        let [mut signature, mut provenance] = both(&artifact, at - HOUR);
        let failed = |at| Check { good: false, at, ..signature.clone() };
        let mut more = vec![];
        match what {
            "late" => (signature.at, provenance.at) = (at + SECOND, at + SECOND),
            "at once" => (signature.at, provenance.at) = (at, at),
            "laptop" => provenance.trusted = false,
            "failed since" => more.push(failed(at - MINUTE)),
            "failed before" => more.push(failed(at - 90 * MINUTE)),
            _ => {}
        }
        more.push(signature);
        if what != "signature alone" {
            more.push(provenance);
        }
        c.shipping.special.insert(artifact);
        c.shipping.checks.extend(more);
        all.push(said_of(c, place, letters, why));
    }
    all
}

fn said_of(c: &Company, deployment: usize, letters: &str, why: &str) -> Seeded {
    seeded(("REL-02", "artifact_provenance", "signed"), &c.deployments[deployment].key, letters, why)
}
