//! What lands, is built, deployed and switched, and the ways around the rules: CHG-03 and CHG-05 to CHG-08, CHG-11.

use crate::Case;
use crate::clock::{DAY, HOUR, MINUTE, SECOND, is_business_day};
use crate::company::{
    Approval, Build, Bypass, Company, Deployment, Emergency, End, FlagChange, Landing, Login, Repository,
};
use crate::monitoring::MACHINE;
use crate::people::{CORE, hire};
use crate::rng::Rng;
use crate::training;
use crate::truth::{Seeded, seeded};

/// Business days within which an emergency change, and a bypass, is looked at afterwards.
const REVIEW_DAYS: u32 = 5;

/// What nobody approved by hand: a rule of the pipeline.
pub(crate) const RULE: &str = "checks passed on main";

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    let clock = c.clock.clone();
    for number in 1..=c.shape.repositories {
        let rules = vec![(Some(true), 1, clock.kept_since, End::Never)];
        a_repository(c, &format!("app-{number}"), true, rules);
    }
    let days = usize::try_from(c.shape.days).unwrap_or(365);
    for repository in 0..c.shape.repositories {
        for _ in 0..days / 6 {
            let at = rng.between(clock.from, clock.to - 2 * DAY);
            let who = rng.below(CORE);
            let commit = lands(c, rng, repository, who, at);
            let finished = at + rng.between(5, 40) * MINUTE;
            let artifact = built(c, rng, repository, &commit, finished);
            let at = at + rng.between(1, 20) * HOUR;
            deployed(c, repository, "staging", &artifact, at, MACHINE);
            if rng.chance(70) {
                let (by, other) = two(rng);
                let at = at + rng.between(1, 8) * HOUR;
                let by = if rng.chance(25) { by } else { MACHINE };
                let place = deployed(c, repository, "production", &artifact, at, by);
                let rule = by == MACHINE || rng.chance(50);
                allow(c, place, if rule { None } else { Some(other) }, at - rng.between(1, 90) * MINUTE);
                if rng.chance(50) {
                    c.deployments[place].commit = Some(commit);
                }
            }
        }
    }
    for number in 0..days / 5 {
        let Some(at) = clock.some_day(rng, 0, 0) else { break };
        let (by, other) = two(rng);
        let place = switched(c, rng, number + 1, by, at);
        if rng.chance(30) {
            c.flags[place].needs_approval = Some(false);
        } else {
            c.flags[place].approved = Some((at - rng.between(1, 50) * HOUR, other));
        }
    }
    for _ in 0..1 + c.shape.people / 25 {
        let at = rng.between(clock.from, clock.to - 1);
        hurried(c, rng, at);
        let at = rng.between(clock.from, clock.to - 1);
        went_around(c, rng, at);
    }
}

/// Two of those who are always here.
pub(crate) fn two(rng: &mut Rng) -> (usize, usize) {
    let one = rng.below(CORE);
    (one, (one + 1 + rng.below(CORE - 1)) % CORE)
}

pub(crate) fn hexadecimal(rng: &mut Rng, digits: usize) -> String {
    (0..digits).map(|_| char::from(b"0123456789abcdef"[rng.below(16)])).collect()
}

pub(crate) fn lands(c: &mut Company, rng: &mut Rng, repository: usize, author: usize, at: i64) -> String {
    let commit = hexadecimal(rng, 40);
    c.landings.push(Landing { repository, commit: commit.clone(), author, at });
    commit
}

pub(crate) fn built(c: &mut Company, rng: &mut Rng, repository: usize, commit: &str, at: i64) -> String {
    let artifact = format!("sha256:{}", hexadecimal(rng, 64));
    let (builder, conclusion) = ("pipeline", "success");
    let (commit, digest) = (commit.to_owned(), artifact.clone());
    c.builds.push(Build { repository, commit, artifact: digest, builder, conclusion, at });
    artifact
}

pub(crate) fn deployed(
    c: &mut Company,
    repository: usize,
    environment: &'static str,
    artifact: &str,
    at: i64,
    by: usize,
) -> usize {
    let key = format!("D-{}", c.deployments.len() + 1);
    let (artifact, approvals) = (artifact.to_owned(), vec![]);
    c.deployments.push(Deployment {
        repository,
        key,
        environment,
        artifact,
        commit: None,
        at,
        by,
        approvals,
    });
    c.deployments.len() - 1
}

/// Somebody allows a deployment, or the pipeline's rule does.
pub(crate) fn allow(c: &mut Company, deployment: usize, by: Option<usize>, at: i64) {
    let rule = if by.is_none() { RULE } else { "" };
    c.deployments[deployment].approvals.push(Approval { by, rule, approved: true, at });
}

pub(crate) fn switched(c: &mut Company, rng: &mut Rng, number: usize, by: usize, at: i64) -> usize {
    let flag = rng.pick(&["new-checkout", "price-table", "banner", "export-limit", "dark-mode", "bulk-mail"]);
    let key = format!("F-{number}");
    c.flags.push(FlagChange {
        key,
        flag,
        environment: "production",
        needs_approval: Some(true),
        at,
        by,
        approved: None,
    });
    c.flags.len() - 1
}

/// A change on the emergency path as it should go: an incident, and somebody independent who looks at it in time.
pub(crate) fn hurried(c: &mut Company, rng: &mut Rng, at: i64) -> usize {
    let repository = rng.below(c.shape.repositories);
    let (by, other) = two(rng);
    let commit = lands(c, rng, repository, by, at - 20 * MINUTE);
    let due = c.clock.business_days_after(at, REVIEW_DAYS);
    let reviewed = Some((at + (due - at) / 100 * rng.between(5, 95), other));
    let key = format!("EM-{}", c.emergencies.len() + 1);
    let incident = Some(format!("INC-E{}", c.emergencies.len() + 1));
    c.emergencies.push(Emergency { key, repository, commit, incident, at, by, reviewed });
    c.emergencies.len() - 1
}

/// A bypass that was looked at in time by somebody else.
pub(crate) fn went_around(c: &mut Company, rng: &mut Rng, at: i64) -> usize {
    let repository = rng.below(c.shape.repositories);
    let (by, other) = two(rng);
    let kind = rng.pick(&["override", "direct_push", "force_push", "rule_edit"]);
    let due = c.clock.business_days_after(at, REVIEW_DAYS);
    let reviewed = Some((at + (due - at) / 100 * rng.between(5, 95), other));
    let key = format!("BY-{}", c.bypasses.len() + 1);
    c.bypasses.push(Bypass { key, repository, kind, at, by, reviewed });
    c.bypasses.len() - 1
}

/// A second login of somebody's at the code host, which their number gives away.
pub(crate) fn second_login(c: &mut Company, person: usize) -> usize {
    let key = (PRIVATE + c.logins.len()).to_string();
    let spells = vec![(c.clock.from - 300 * DAY, End::Never)];
    c.logins.push(Login { system: 1, key, kind: "human", person: Some(person), spells });
    c.logins.len() - 1
}

/// From here on the code host numbers the logins that people made for themselves.
pub(crate) const PRIVATE: usize = 9_200_000;

/// Who acts at the code host: somebody's login there, or a particular one.
pub(crate) fn at_hub(c: &Company, who: usize) -> String {
    if who == MACHINE {
        return "deploy-bot-hub".to_owned();
    }
    let login = if who >= LOGIN { Some(who - LOGIN) } else { c.login_of(who, 1) };
    login.map(|login| c.logins[login].key.clone()).unwrap_or_default()
}

/// From here on a number is that of a login, and not of a person.
pub(crate) const LOGIN: usize = 1 << 32;

/// Two people of one name, with logins at the code host.
pub(crate) fn namesakes(c: &mut Company, rng: &mut Rng) -> Option<(usize, usize)> {
    let began = c.clock.office_hours(rng, c.clock.from - 600 * DAY, c.clock.from - 100 * DAY)?;
    let one = hire(c, rng, began, "employee", &[1]);
    let two = hire(c, rng, began, "employee", &[1]);
    (c.people[two].first, c.people[two].last) = (c.people[one].first, c.people[one].last);
    training::follow(c, rng, one);
    training::follow(c, rng, two);
    Some((one, two))
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("N05", squashed),
    ("N30", from_a_workstation),
    ("no-build", no_build),
    ("no-trace", no_trace),
    ("bad-build", bad_builds),
    ("never-landed", never_landed),
    ("landed-boundary", landed_boundary),
    ("built-twice", built_twice),
    ("rolled-back", rolled_back),
    ("staging", to_staging),
    ("allowed", allowed),
    ("N21-deployment", allowed_from_a_second_login),
    ("namesake-deployment", allowed_by_a_namesake),
    ("taken-back", taken_back),
    ("N11", hotfix),
    ("N14", reviewed_by_those_involved),
    ("N15-hotfix", hotfix_at_the_end),
    ("no-incident", hotfix_without_incident),
    ("N07", around_the_rule),
    ("N21-bypass", bypass_reviewed_by_oneself),
    ("namesake-bypass", bypass_reviewed_by_a_namesake),
    ("over-a-holiday", bypass_over_a_holiday),
    ("N35", flags),
    ("namesake-flag", flag_approved_by_a_namesake),
    ("N09", rule_off),
    ("N10", rule_seen_at_instants),
    ("too-weak", rule_too_weak),
];

// ---- CHG-05

const TRACE: (&str, &str) = ("CHG-05", "deployment_traceable");

fn said(
    c: &Company,
    (control, test): (&'static str, &'static str),
    case: &'static str,
    deployment: usize,
    letters: &str,
    why: &str,
) -> Seeded {
    seeded((control, test, case), &c.deployments[deployment].key, letters, why)
}

/// A deployment to production as it should be, with its commit and its artifact.
pub(crate) fn one(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 10, 10)?;
    let repository = rng.below(c.shape.repositories);
    let (author, other) = two(rng);
    let commit = lands(c, rng, repository, author, at - 3 * HOUR);
    let artifact = built(c, rng, repository, &commit, at - 2 * HOUR);
    let place = deployed(c, repository, "production", &artifact, at, author);
    allow(c, place, Some(other), at - HOUR);
    Some(place)
}

fn squashed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(place) = one(c, rng) else { return vec![] };
    c.deployments[place].commit = c.landings.last().map(|l| l.commit.clone());
    let why = "merged by squashing: the commit that was built and deployed is the one that landed, and none of the branch";
    vec![said(c, TRACE, "N05", place, "pp", why)]
}

fn from_a_workstation(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(place) = one(c, rng) else { return vec![] };
    if let Some(build) = c.builds.last_mut() {
        build.builder = "workstation";
    }
    vec![said(c, TRACE, "N30", place, "dp", "built on somebody's machine, from a commit that had landed")]
}

fn no_build(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(place) = one(c, rng) else { return vec![] };
    c.deployments[place].commit = c.landings.last().map(|l| l.commit.clone());
    c.builds.pop();
    let why = "no build gave this digest; the deployment itself names a commit that had landed";
    vec![said(c, TRACE, "N30", place, "dp", why)]
}

fn no_trace(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(place) = one(c, rng) else { return vec![] };
    c.builds.pop();
    let why =
        "no build gave this digest, and nothing names a commit: that its commit had not landed, nobody knows";
    let of = ("GOV-09", "deployments_reconciled");
    vec![said(c, TRACE, "no-trace", place, "dn", why), said(c, of, "no-trace", place, "n-", why)]
}

fn bad_builds(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (conclusion, after, why) in [
        ("failure", 0, "the build had failed"),
        ("cancelled", 0, "the build had been cancelled"),
        ("success", 3 * HOUR, "the build was finished an hour after it was deployed"),
    ] {
        let Some(place) = one(c, rng) else { return all };
        if let Some(build) = c.builds.last_mut() {
            build.conclusion = conclusion;
            build.at += after;
        }
        all.push(said(c, TRACE, "bad-build", place, "dp", why));
    }
    all
}

fn never_landed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(place) = one(c, rng) else { return vec![] };
    c.landings.pop();
    let why = "built by the pipeline from a commit of a branch that never landed";
    let of = ("GOV-09", "deployments_reconciled");
    vec![said(c, TRACE, "never-landed", place, "pd", why), said(c, of, "never-landed", place, "d-", why)]
}

fn landed_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "pp", "deployed in the instant in which the change landed"),
        (SECOND, "pd", "deployed a second before the change landed"),
    ] {
        let Some(place) = one(c, rng) else { return all };
        if let Some(landing) = c.landings.last_mut() {
            landing.at = c.deployments[place].at + late;
        }
        all.push(said(c, TRACE, "landed-boundary", place, letters, why));
    }
    all
}

fn built_twice(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(place) = one(c, rng) else { return vec![] };
    let Some(mut first) = c.builds.last().cloned() else { return vec![] };
    first.builder = "workstation";
    first.at -= 30 * MINUTE;
    c.builds.push(first);
    let why =
        "built on a machine first and then by the pipeline, bit for bit the same, before it was deployed";
    vec![said(c, TRACE, "built-twice", place, "pp", why)]
}

fn rolled_back(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(place) = one(c, rng) else { return vec![] };
    let at = (c.deployments[place].at + 60 * DAY).min(c.clock.to - HOUR);
    let (artifact, repository) = (c.deployments[place].artifact.clone(), c.deployments[place].repository);
    let again = deployed(c, repository, "production", &artifact, at, MACHINE);
    allow(c, again, None, at - MINUTE);
    vec![said(c, TRACE, "rolled-back", again, "pp", "an artifact of weeks before, put back")]
}

fn to_staging(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(place) = one(c, rng) else { return vec![] };
    c.builds.pop();
    c.landings.pop();
    c.deployments[place].environment = "staging";
    c.deployments[place].approvals.clear();
    let why = "a branch that somebody tries out in staging: it is no production";
    vec![said(c, TRACE, "staging", place, "absent", why), said(c, ALLOWED, "staging", place, "absent", why)]
}

// ---- CHG-06

const ALLOWED: (&str, &str) = ("CHG-06", "deployment_authorised");

fn allowed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (who, after, letters, why) in [
        (Some("other"), 0, "p", "allowed by somebody else in the instant it began"),
        (Some("other"), SECOND, "d", "allowed by somebody else a second after it began"),
        (Some("self"), -HOUR, "d", "allowed by whoever deployed it"),
        (Some("bot"), -HOUR, "d", "allowed by a bot's click, which is neither a person nor a rule"),
        (Some("rule"), -MINUTE, "p", "allowed by a named rule of the pipeline"),
        (None, 0, "d", "allowed by nobody"),
    ] {
        let Some(place) = one(c, rng) else { return all };
        let Deployment { by, at, .. } = c.deployments[place];
        let (_, other) = two(rng);
        let other = if other == by { (by + 1) % CORE } else { other };
        c.deployments[place].approvals.clear();
        match who {
            Some("other") => allow(c, place, Some(other), at + after),
            Some("self") => allow(c, place, Some(by), at + after),
            Some("bot") => allow(c, place, Some(MACHINE), at + after),
            Some(_) => allow(c, place, None, at + after),
            None => {}
        }
        all.push(said(c, ALLOWED, "allowed", place, letters, why));
    }
    all
}

fn allowed_from_a_second_login(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(place) = one(c, rng) else { return vec![] };
    let Deployment { by, at, .. } = c.deployments[place];
    let login = second_login(c, by);
    c.deployments[place].approvals.clear();
    allow(c, place, Some(LOGIN + login), at - HOUR);
    vec![said(c, ALLOWED, "N21", place, "d", "allowed from a second login of whoever deployed it")]
}

fn allowed_by_a_namesake(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(place) = one(c, rng) else { return vec![] };
    let Some((by, other)) = namesakes(c, rng) else { return vec![] };
    let at = c.deployments[place].at;
    c.deployments[place].by = by;
    c.deployments[place].approvals.clear();
    allow(c, place, Some(other), at - HOUR);
    let why = "allowed by somebody of the deployer's name: whether that is the deployer, a person has to say";
    vec![said(c, ALLOWED, "N21", place, "j", why)]
}

fn taken_back(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (again, letters, why) in [
        (false, "d", "allowed, then refused by somebody else, and deployed all the same"),
        (true, "p", "refused, and allowed again before it was deployed"),
    ] {
        let Some(place) = one(c, rng) else { return all };
        let Deployment { by, at, .. } = c.deployments[place];
        let (one, other) = ((by + 1) % CORE, (by + 2) % CORE);
        c.deployments[place].approvals.clear();
        allow(c, place, Some(one), at - 3 * HOUR);
        let refusal = Approval { by: Some(other), rule: "", approved: false, at: at - 2 * HOUR };
        c.deployments[place].approvals.push(refusal);
        if again {
            allow(c, place, Some(other), at - HOUR);
        }
        all.push(said(c, ALLOWED, "taken-back", place, letters, why));
    }
    all
}

// ---- CHG-07

const HOTFIX: (&str, &str) = ("CHG-07", "emergency_change_review");

fn of_hotfix(c: &Company, case: &'static str, hotfix: usize, letters: &str, why: &str) -> Seeded {
    seeded((HOTFIX.0, HOTFIX.1, case), &c.emergencies[hotfix].key, letters, why)
}

fn late_at_night(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 5, 20)?;
    let at = c.clock.at(c.clock.date(at), 23, 10);
    Some(hurried(c, rng, at))
}

fn hotfix(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (case, late, letters, why) in [
        (
            "N11",
            Some(-60 * HOUR),
            "ppp",
            "deployed at night for an incident, and looked at days later by somebody else",
        ),
        ("hotfix-boundary", Some(0), "ppp", "looked at in the last millisecond of the fifth business day"),
        ("N12", Some(10 * HOUR), "pdp", "looked at on the sixth business day of five"),
        ("hotfix-never", None, "pdd", "never looked at"),
    ] {
        let Some(hotfix) = late_at_night(c, rng) else { return all };
        let due = c.clock.business_days_after(c.emergencies[hotfix].at, REVIEW_DAYS);
        let them = &mut c.emergencies[hotfix];
        them.reviewed = late.and_then(|late| them.reviewed.map(|(_, who)| (due + late, who)));
        all.push(of_hotfix(c, case, hotfix, letters, why));
    }
    all
}

fn reviewed_by_those_involved(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (case, who, why) in [
        ("N14", "deployer", "looked at by whoever deployed it"),
        ("N14", "author", "looked at by whoever wrote it, who did not deploy it"),
        ("hotfix-bot", "bot", "looked at by a script"),
    ] {
        let Some(hotfix) = late_at_night(c, rng) else { return all };
        let by = c.emergencies[hotfix].by;
        let reviewer = match who {
            "deployer" => by,
            "author" => {
                let author = (by + 1) % CORE;
                if let Some(landing) = c.landings.last_mut() {
                    landing.author = author;
                }
                author
            }
            _ => MACHINE,
        };
        let them = &mut c.emergencies[hotfix];
        them.reviewed = them.reviewed.map(|(at, _)| (at, reviewer));
        all.push(of_hotfix(c, case, hotfix, "ppd", why));
    }
    all
}

fn hotfix_at_the_end(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let at = c.clock.to - 2 * DAY;
    let hotfix = hurried(c, rng, at);
    c.emergencies[hotfix].reviewed = None;
    let (letters, why) = if c.clock.business_days_after(at, REVIEW_DAYS) > c.clock.cutoff {
        ("pyy", "two days before the last fact: the five business days are not over")
    } else {
        ("pdd", "two days before the period ended, and not looked at within five business days of the next")
    };
    vec![of_hotfix(c, "N15", hotfix, letters, why)]
}

fn hotfix_without_incident(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(hotfix) = late_at_night(c, rng) else { return vec![] };
    c.emergencies[hotfix].incident = None;
    vec![of_hotfix(c, "hotfix-no-incident", hotfix, "dpp", "on the emergency path, and no incident is named")]
}

// ---- CHG-08

fn of_bypass(c: &Company, case: &'static str, bypass: usize, letters: &str, why: &str) -> Seeded {
    seeded(("CHG-08", "bypass_review", case), &c.bypasses[bypass].key, letters, why)
}

fn a_bypass(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 5, 20)?;
    Some(went_around(c, rng, at))
}

fn around_the_rule(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (case, late, letters, why) in [
        (
            "N07",
            Some(-100 * HOUR),
            "pp",
            "overridden, and looked at by somebody else long before the days were over",
        ),
        ("bypass-boundary", Some(0), "pp", "looked at in the last millisecond of the fifth business day"),
        ("bypass-late", Some(SECOND), "dp", "looked at in the first second after the fifth business day"),
        ("bypass-never", None, "dd", "never looked at"),
    ] {
        let Some(bypass) = a_bypass(c, rng) else { return all };
        let due = c.clock.business_days_after(c.bypasses[bypass].at, REVIEW_DAYS);
        let them = &mut c.bypasses[bypass];
        them.reviewed =
            late.and_then(|late| them.reviewed.map(|(_, who)| ((due + late).max(them.at + HOUR), who)));
        all.push(of_bypass(c, case, bypass, letters, why));
    }
    all
}

fn bypass_reviewed_by_oneself(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (case, who, why) in [
        ("bypass-self", "self", "looked at by whoever did it"),
        ("N21", "second login", "looked at from a second login of whoever did it"),
        ("bypass-bot", "bot", "looked at by a script"),
    ] {
        let Some(bypass) = a_bypass(c, rng) else { return all };
        let by = c.bypasses[bypass].by;
        let reviewer = match who {
            "self" => by,
            "bot" => MACHINE,
            _ => LOGIN + second_login(c, by),
        };
        let them = &mut c.bypasses[bypass];
        them.reviewed = them.reviewed.map(|(at, _)| (at, reviewer));
        all.push(of_bypass(c, case, bypass, "pd", why));
    }
    all
}

fn bypass_reviewed_by_a_namesake(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(bypass) = a_bypass(c, rng) else { return vec![] };
    let Some((by, other)) = namesakes(c, rng) else { return vec![] };
    let them = &mut c.bypasses[bypass];
    them.by = by;
    them.reviewed = them.reviewed.map(|(at, _)| (at, other));
    let why = "looked at by somebody of the same name: whether that is who did it, a person has to say";
    vec![of_bypass(c, "N21", bypass, "pj", why)]
}

fn bypass_over_a_holiday(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let clock = c.clock.clone();
    // A Friday before a Monday on which nobody works.
    let eve = (5..i64::from(c.shape.days) - 20).map(|day| clock.days_later(clock.first, day)).find(|date| {
        is_business_day(*date)
            && date.weekday() == jiff::civil::Weekday::Friday
            && !is_business_day(clock.days_later(*date, 3))
    });
    let Some(eve) = eve else { return vec![] };
    let at = clock.at(eve, 18, 0);
    let bypass = went_around(c, rng, at);
    let due = clock.business_days_after(at, REVIEW_DAYS);
    let them = &mut c.bypasses[bypass];
    them.reviewed = them.reviewed.map(|(_, who)| (due - HOUR, who));
    let why =
        "on the eve of a long weekend, and looked at on the fifth business day, which was the tenth day";
    let hotfix = hurried(c, rng, at);
    let them = &mut c.emergencies[hotfix];
    them.reviewed = them.reviewed.map(|(_, who)| (due - HOUR, who));
    let at_once = hurried(c, rng, at + HOUR);
    let them = &mut c.emergencies[at_once];
    them.reviewed = them.reviewed.map(|(_, who)| (them.at + MINUTE, who));
    vec![
        of_bypass(c, "bypass-holiday", bypass, "pp", why),
        of_hotfix(c, "hotfix-holiday", hotfix, "ppp", why),
        of_hotfix(
            c,
            "hotfix-at-once",
            at_once,
            "ppp",
            "looked at by somebody else a minute after it was deployed",
        ),
    ]
}

// ---- CHG-11

fn of_flag(c: &Company, case: &'static str, flag: usize, letters: &str, why: &str) -> Seeded {
    seeded(("CHG-11", "flag_change_approval", case), &c.flags[flag].key, letters, why)
}

fn a_flag(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 5, 5)?;
    let by = rng.below(CORE);
    let number = 10_000 + c.flags.len();
    Some(switched(c, rng, number, by, at))
}

fn flags(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (case, needs, who, after, letters, why) in [
        (
            "N35",
            Some(true),
            "",
            0,
            "d",
            "switched by its author; its class needs an approval, and there is none",
        ),
        (
            "flag-late",
            Some(true),
            "other",
            SECOND,
            "d",
            "approved by somebody else a second after it was switched",
        ),
        ("flag-self", Some(true), "self", -HOUR, "d", "approved by whoever switched it"),
        ("flag-bot", Some(true), "bot", -HOUR, "d", "approved by a bot"),
        (
            "N21",
            Some(true),
            "second login",
            -HOUR,
            "d",
            "approved from a second login of whoever switched it",
        ),
        (
            "flag-boundary",
            Some(true),
            "other",
            0,
            "p",
            "approved by somebody else in the instant it was switched",
        ),
        ("flag-free", Some(false), "", 0, "-", "of a class that needs no approval, and without one"),
        (
            "flag-class-unknown",
            None,
            "",
            0,
            "n",
            "nobody says of which class it is, and there is no approval",
        ),
        (
            "flag-class-unknown",
            None,
            "other",
            -HOUR,
            "p",
            "nobody says of which class it is, and it was approved all the same",
        ),
        ("flag-staging", Some(true), "", 0, "absent", "without an approval, and not in production"),
    ] {
        let Some(flag) = a_flag(c, rng) else { return all };
        let FlagChange { by, at, .. } = c.flags[flag];
        let who = match who {
            "other" => Some((by + 1) % CORE),
            "self" => Some(by),
            "bot" => Some(MACHINE),
            "second login" => Some(LOGIN + second_login(c, by)),
            _ => None,
        };
        let them = &mut c.flags[flag];
        them.needs_approval = needs;
        them.approved = who.map(|who| (at + after, who));
        if letters == "absent" {
            them.environment = "staging";
        }
        all.push(of_flag(c, case, flag, letters, why));
    }
    all
}

fn flag_approved_by_a_namesake(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(flag) = a_flag(c, rng) else { return vec![] };
    let Some((by, other)) = namesakes(c, rng) else { return vec![] };
    let at = c.flags[flag].at;
    c.flags[flag].by = by;
    c.flags[flag].approved = Some((at - HOUR, other));
    let why = "approved by somebody of the same name: whether that is who switched it, a person has to say";
    vec![of_flag(c, "N21", flag, "j", why)]
}

// ---- CHG-03

fn of_rule(c: &Company, case: &'static str, repository: usize, letters: &str, why: &str) -> Seeded {
    seeded(("CHG-03", "branch_protection", case), &c.repositories[repository].key, letters, why)
}

pub(crate) fn a_repository(
    c: &mut Company,
    name: &str,
    hosted: bool,
    rules: Vec<(Option<bool>, i64, i64, End)>,
) -> usize {
    let key = format!("hub/quillbrook/{name}");
    c.repositories.push(Repository { key, hosted, renamed: None, deleted: None, rules });
    c.repositories.len() - 1
}

/// A repository that is there for its rule alone, of which the company keeps a list.
fn a_rule(c: &mut Company, rules: Vec<(Option<bool>, i64, i64, End)>) -> usize {
    let name = format!("lib-{}", c.repositories.len() + 1);
    a_repository(c, &name, false, rules)
}

fn rule_off(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 10, 10) else { return vec![] };
    let (since, again) = (c.clock.kept_since, at + 3 * HOUR);
    let rules = vec![
        (Some(true), 1, since, End::At(at)),
        (Some(false), 0, at, End::At(again)),
        (Some(true), 1, again, End::Never),
    ];
    let off = a_rule(c, rules);
    let changed = vec![(Some(true), 1, since, End::At(at)), (Some(true), 2, at, End::Never)];
    let changed = a_rule(c, changed);
    let never = a_rule(c, vec![]);
    let begun = c.clock.from;
    let before = vec![(Some(false), 0, since, End::At(begun)), (Some(true), 1, begun, End::Never)];
    let before = a_rule(c, before);
    let over = c.clock.to;
    let after = vec![(Some(true), 1, since, End::At(over)), (Some(false), 0, over, End::Never)];
    let after = a_rule(c, after);
    vec![
        of_rule(
            c,
            "N09",
            off,
            "ddp",
            "off for three hours, in which nothing landed; on, it demanded an approval",
        )
        .last_day("ppp"),
        of_rule(c, "rule-changed", changed, "ppp", "one rule gave way to a stricter one, without a break")
            .last_day("ppp"),
        of_rule(
            c,
            "off-before",
            before,
            "ppp",
            "switched on in the period's first instant, and off before it",
        )
        .last_day("ppp"),
        of_rule(c, "off-after", after, "ppp", "switched off in the first instant after the period")
            .last_day("ppp"),
        of_rule(
            c,
            "never-protected",
            never,
            ".d.",
            "the list of rules is complete, and there is none for it",
        )
        .last_day(".d."),
    ]
}

fn rule_seen_at_instants(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let rules =
        c.clock.months().iter().map(|(from, _)| (Some(true), 1, from + 9 * HOUR, End::Unknown)).collect();
    let seen = a_rule(c, rules);
    let why = "seen on, once a month: what held between, nobody looked";
    vec![of_rule(c, "N10", seen, ".nn", why)]
}

fn rule_too_weak(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 10, 10) else { return vec![] };
    let since = c.clock.kept_since;
    let weak = vec![
        (Some(true), 1, since, End::At(at)),
        (Some(true), 0, at, End::At(at + 9 * DAY)),
        (Some(true), 1, at + 9 * DAY, End::Never),
    ];
    let weak = a_rule(c, weak);
    let why = "on all the time, and for nine days it demanded nobody's approval";
    vec![of_rule(c, "too-weak", weak, "ppd", why).last_day("ppp")]
}
