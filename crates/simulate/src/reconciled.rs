//! What two sources know of the same thing, and where one of them knows more (GOV-09): people on the roster and in the courses, logins
//! that ended, incidents and alerts, what landed and what was deployed.

use crate::Case;
use crate::changes::{RULE, built, deployed};
use crate::clock::{DAY, HOUR};
use crate::code::another;
use crate::code_cases::{One, one_at};
use crate::company::{Approval, Company, Employment, End, Factor, Grant, Incident, Login, Training};
use crate::monitoring::{MACHINE, answered};
use crate::people::{employment_of, hire, leave};
use crate::rng::Rng;
use crate::training;
use crate::truth::{Seeded, seeded};

/// Every other week what landed is deployed to production, wherever anything is deployed at all.
pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    let clock = c.clock.clone();
    for repository in 0..c.repositories.len() {
        if !c.repositories[repository].hosted || c.taken.contains(&format!("no releases {repository}")) {
            continue;
        }
        // What happened after the last look before it was deleted, nobody will ever know.
        let until = c.repositories[repository].deleted.map_or(clock.cutoff, |at| at - 45 * DAY);
        let mut at = clock.from + 5 * DAY + rng.between(0, 20) * HOUR;
        while at < until {
            release(c, rng, repository, at);
            at += 14 * DAY;
        }
    }
}

/// Deploys what had landed last by then.
fn release(c: &mut Company, rng: &mut Rng, repository: usize, at: i64) {
    let landed = c.landings.iter().filter(|l| l.repository == repository && l.at < at - 2 * HOUR);
    let Some(commit) = landed.max_by_key(|l| l.at).map(|l| l.commit.clone()) else { return };
    deploy(c, rng, repository, &commit, at, "production");
}

fn deploy(
    c: &mut Company,
    rng: &mut Rng,
    repository: usize,
    commit: &str,
    at: i64,
    environment: &'static str,
) -> usize {
    let artifact = built(c, rng, repository, commit, at - HOUR);
    let place = deployed(c, repository, environment, &artifact, at, MACHINE);
    c.deployments[place].approvals.push(Approval { by: None, rule: RULE, approved: true, at: at - HOUR / 2 });
    place
}

pub(crate) const CASES: &[(&str, Case)] =
    &[("leavers", leavers), ("incidents", incidents), ("releases", releases)];

/// What needs everything else to be settled: courses are numbered as they stand on the list.
pub(crate) const LAST: &[(&str, Case)] = &[("roster", roster), ("taken-away", taken_away)];

// ---- Logins that ended, and who left

fn of_leavers(c: &Company, case: &'static str, login: usize, letters: &str, why: &str) -> Seeded {
    seeded(("GOV-09", "leavers_reconciled", case), &c.logins[login].key, letters, why)
}

/// A login at the sign-in of which the personnel system knows nothing.
fn stranger(c: &mut Company, name: &str, from: i64, to: End) -> usize {
    let login = c.logins.len();
    let key = format!("{name}-{login}");
    c.logins.push(Login { system: 0, key, kind: "human", person: None, spells: vec![(from, to)] });
    c.grants.push(Grant { login, role: "member", privileged: false, from, to });
    c.factors.push(Factor { login, on: Some(true), from, to });
    login
}

fn leavers(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (case, why) in [
        ("not-on-the-roster", "somebody whom the personnel system does not know lost their login"),
        ("not-on-the-roster", "a login that nobody tied to whoever used it was closed"),
        ("short-stay", "somebody who had a login for a few weeks, and no entry in the personnel system"),
    ] {
        let Some(at) = c.clock.some_day(rng, 40, 35) else { return all };
        let from = if case == "short-stay" { at - 20 * DAY } else { c.clock.from - 100 * DAY };
        let login = stranger(c, "visitor", from, End::At(at));
        all.push(of_leavers(c, case, login, "d", why));
    }
    for (case, after, letters, why) in [
        (
            "left-days-later",
            25 * DAY,
            "p",
            "the login was closed before the holidays they took at the end, and the job ended days later",
        ),
        ("works-on", 400 * DAY, "j", "the login was closed, and they go on working here"),
    ] {
        let Some(began) = c.clock.office_hours(rng, c.clock.from - 900 * DAY, c.clock.from - 100 * DAY)
        else {
            return all;
        };
        let Some(at) = c.clock.some_day(rng, 60, 60) else { return all };
        let person = hire(c, rng, began, "employee", &[1]);
        training::follow(c, rng, person);
        let Some(login) = c.login_of(person, 0) else { return all };
        if letters == "p" {
            leave(c, rng, employment_of(c, person), at + after);
            c.trainings.retain(|t| t.person != person || t.done < at);
        }
        for spell in &mut c.logins[login].spells {
            spell.1 = End::At(at);
        }
        for grant in c.grants.iter_mut().filter(|g| g.login == login) {
            grant.to = End::At(at);
        }
        for factor in c.factors.iter_mut().filter(|f| f.login == login) {
            factor.to = End::At(at);
        }
        all.push(of_leavers(c, case, login, letters, why));
    }
    // A second login at the sign-in goes, the first one stays.
    if let Some(at) = c.clock.some_day(rng, 60, 60)
        && let Some(began) = c.clock.office_hours(rng, c.clock.from - 900 * DAY, c.clock.from - 100 * DAY)
    {
        let person = hire(c, rng, began, "employee", &[1]);
        training::follow(c, rng, person);
        let login = stranger(c, "admin", c.clock.from - 90 * DAY, End::At(at));
        c.logins[login].person = Some(person);
        all.push(of_leavers(
            c,
            "second-login",
            login,
            "-",
            "one of two logins of somebody who works on was closed",
        ));
    }
    all
}

/// Whoever reviewed access took somebody's login at the sign-in away, and they work on.
fn taken_away(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let lines = c.reviews.iter().flat_map(|r| &r.lines);
    let gone: Vec<(usize, i64)> = lines
        .filter(|l| c.logins[l.login].system == 0)
        .filter_map(|l| if let Some(End::At(at)) = l.removed { Some((l.login, at)) } else { None })
        .collect();
    for (login, at) in gone {
        if at < c.clock.from || at >= c.clock.to || !c.take(format!("taken away {login}")) {
            continue;
        }
        let (letters, why) = if at + 30 * DAY > c.clock.cutoff {
            (
                "y",
                "taken away by a review; whether they leave within thirty days, the last fact is too early to say",
            )
        } else {
            ("j", "taken away by a review, and they go on working here")
        };
        all.push(of_leavers(c, "taken-away", login, letters, why));
    }
    all
}

// ---- Incidents and alerts

fn incidents(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let of = |case, key: &str, letters: &str, why: &str| {
        seeded(("GOV-09", "incidents_reconciled", case), key, letters, why)
    };
    if c.shape.quiet {
        return all;
    }
    for (case, why) in [
        ("customer-first", "a customer called: no alert had fired"),
        ("customer-first", "somebody noticed at lunch: no alert had fired"),
        ("alert-lost", "its alert fired, and is on no list of alerts"),
    ] {
        let Some(at) = c.clock.some_day(rng, 10, 25) else { return all };
        // An alert up to a week before might have led to it: those were all seen.
        let at =
            if c.clock.dark.is_some_and(|(_, to)| at > to && at < to + 8 * DAY) { at + 8 * DAY } else { at };
        let key = format!("INC-P{}", c.incidents.len() + 1);
        let reviewed = Some((at + 30 * HOUR, 1));
        c.incidents.push(Incident {
            key: key.clone(),
            severity: "medium",
            declared: at,
            resolved: Some(at + HOUR),
            reviewed,
        });
        all.push(of(case, &key, "d-", why));
    }
    for (case, lost, letters, why) in [
        ("two-alerts", false, "-p", "the second alert of one incident"),
        ("two-alerts", false, "-p", "the second alert of one incident, of a severity that asks for none"),
        ("incident-lost", true, "-d", "the alert names an incident that is on no list of incidents"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 25) else { return all };
        let first = answered(c, rng, "high", false, at);
        let second = answered(c, rng, "low", false, at + HOUR / 12);
        let incident = c.alerts[first].incident.clone();
        c.alerts[second].incident = if lost { Some(format!("INC-GONE{}", c.alerts.len())) } else { incident };
        let key = c.alerts[second].key.clone();
        all.push(of(case, &key, letters, why));
        if lost {
            let why = "an incident is named that is on no list: whether it was reviewed, nobody can say";
            all.push(seeded(("LOG-04", "alert_response", case), &key, "...n", why));
        }
    }
    // It smouldered for days before anybody called it an incident.
    if let Some(at) = c.clock.some_day(rng, 15, 25) {
        let alert = answered(c, rng, "low", false, at - 12 * DAY);
        let key = format!("INC-S{}", c.incidents.len() + 1);
        let reviewed = Some((at + 30 * HOUR, 1));
        c.incidents.push(Incident {
            key: key.clone(),
            severity: "low",
            declared: at,
            resolved: Some(at + HOUR),
            reviewed,
        });
        c.alerts[alert].incident = Some(key.clone());
        all.push(of("smouldered", &key, "p-", "declared twelve days after the alert that led to it"));
    }
    all
}

// ---- What landed, and what was deployed

fn releases(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    if c.shape.days < 180 {
        return all;
    }
    let repository = another(c, "shelf");
    c.take(format!("no releases {repository}"));
    let clock = c.clock.clone();
    let of = |c: &Company, case, one: One, letters: &str, why: &str| {
        seeded(("GOV-09", "deployments_reconciled", case), &c.landings[one.landing].commit, letters, why)
    };
    let mut at = clock.from + 10 * DAY + 9 * HOUR;
    for (case, after, environment, letters, why) in [
        (
            "released-boundary",
            30 * DAY,
            "production",
            "-p",
            "deployed to production exactly thirty days after it landed",
        ),
        (
            "released-late",
            30 * DAY + HOUR,
            "production",
            "-d",
            "deployed to production an hour more than thirty days after it landed",
        ),
        ("released-early", DAY, "production", "-p", "deployed to production the day after it landed"),
        ("only-staging", 3 * DAY, "staging", "-d", "deployed to staging only"),
        ("never-released", 0, "", "-d", "landed, and never deployed anywhere"),
    ] {
        let one = one_at(c, rng, repository, at);
        if !environment.is_empty() {
            let commit = c.landings[one.landing].commit.clone();
            deploy(c, rng, repository, &commit, one.at + after, environment);
        }
        all.push(of(c, case, one, letters, why));
        at += 33 * DAY;
    }
    // Nothing of it is ever deployed: a library, perhaps.
    let library = another(c, "library");
    c.take(format!("no releases {library}"));
    let one = one_at(c, rng, library, clock.from + 30 * DAY + 9 * HOUR);
    all.push(of(
        c,
        "never-deployed",
        one,
        "-j",
        "nothing of its repository was ever deployed: whether it is to be, a person has to say",
    ));
    all
}

// ---- The roster and the courses

fn roster(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some(some) = c.clock.some_day(rng, 50, 40) else { return all };
    let course = |c: &mut Company, person: usize, done: i64| {
        let version = c.clock.date(done).year().to_string();
        let recorded = done + HOUR;
        c.trainings.push(Training { person, course: "phishing_drill", version, done, recorded });
        format!("T{:05}", c.trainings.len())
    };
    let of = |case, key: &str, letters: &str, why: &str| {
        seeded(("GOV-09", "roster_reconciled", case), key, letters, why)
    };
    // Whoever leaves and has a login still, for some days.
    for (case, days, letters, why) in [
        ("after-leaving", 31 * DAY, "d", "done by somebody who had left more than thirty days before"),
        ("after-leaving", 29 * DAY, "p", "done by somebody who had left less than thirty days before"),
        ("before-starting", -31 * DAY, "d", "done by somebody more than thirty days before they began"),
        ("before-starting", -29 * DAY, "p", "done by somebody less than thirty days before they began"),
        ("on-the-last-day", -HOUR, "p", "done in the last hour of the job"),
        (
            "no-employment",
            0,
            "d",
            "done by somebody of whom the personnel system has a file, and no employment",
        ),
    ] {
        let leaves = matches!(case, "after-leaving" | "on-the-last-day");
        let done = if leaves { some + days } else { some };
        let from = if leaves { some - 500 * DAY } else { some - days };
        let person = c.people.len();
        let (first, last) = c.new_name();
        let local = format!("{}.{}", first.to_lowercase(), last.to_lowercase());
        let number = format!("E{:04}", person + 1);
        c.people.push(crate::company::Person {
            number: number.clone(),
            first,
            last,
            former: None,
            local,
            since: from,
            tools: vec![0],
        });
        // The learning system knows them by a login at the sign-in that lets nobody in.
        let key = format!("i{:04}", person + 1);
        c.logins.push(Login {
            system: 0,
            key,
            kind: "human",
            person: Some(person),
            spells: vec![(some - 900 * DAY, End::Never)],
        });
        if case != "no-employment" {
            c.employments.push(Employment {
                key: number,
                person,
                kind: "employee",
                from,
                to: End::Never,
                told: None,
            });
            training::follow(c, rng, person);
            if leaves {
                let employment = employment_of(c, person);
                c.employments[employment].to = End::At(some);
                c.trainings.retain(|t| t.person != person || t.done < some);
            }
        }
        let item = course(c, person, done);
        all.push(of(case, &item, letters, why));
    }
    all
}
