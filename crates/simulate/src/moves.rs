//! What people work as, what a job may have (IAM-04), and what becomes of the rest when somebody changes theirs (IAM-07).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Allowed, Company, End, Exclusion, Grant, Job};
use crate::people::{close_at, hire};
use crate::requests::asked;
use crate::rng::Rng;
use crate::training;
use crate::truth::{Seeded, seeded};

/// Business days within which what the new job may not have ends.
const BUSINESS_DAYS: u32 = 5;

/// Everybody else does the same job all the time, which may have everything.
pub(crate) fn base(c: &mut Company, _: &mut Rng) {
    let from = c.clock.kept_since;
    for system in 0..c.systems.len() {
        let roles: &[&str] =
            if system == 2 { &["member", "admin", "superuser", "billing"] } else { &["member", "admin"] };
        for role in roles {
            let jobs: &[&str] = match system {
                0 | 1 => &["generalist", "analyst", "writer"],
                2 if matches!(*role, "superuser" | "billing") => &["generalist"],
                2 => &["generalist", "analyst"],
                3 => &["generalist", "writer"],
                _ => &["generalist"],
            };
            c.matrix.extend(jobs.iter().map(|job| Allowed { job, system, role, from }));
        }
    }
    for person in 0..c.people.len() {
        if !c.taken.contains(&about(person)) {
            let from = c.people[person].since;
            c.jobs.push(Job { person, job: Some("generalist"), from, to: End::Never });
        }
    }
}

fn about(person: usize) -> String {
    format!("job {person}")
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("fifth-day", fifth_day),
    ("kept", kept),
    ("approved-anew", approved_anew),
    ("neither", neither),
    ("job-unknown", job_unknown),
    ("first-job", first_job),
    ("at-the-end", at_the_end),
    ("beyond", beyond),
];

/// An analyst who becomes a writer at that instant, with a login at the cloud that only analysts may have.
fn mover(c: &mut Company, rng: &mut Rng, at: i64, next: Option<&'static str>) -> Option<(usize, String)> {
    let began = c.clock.office_hours(rng, c.clock.from - 900 * DAY, c.clock.from - 100 * DAY)?;
    let person = hire(c, rng, began, "employee", &[1, 2]);
    training::follow(c, rng, person);
    c.take(about(person));
    c.jobs.push(Job { person, job: Some("analyst"), from: began, to: End::At(at) });
    c.jobs.push(Job { person, job: next, from: at, to: End::Never });
    Some((c.login_of(person, 2)?, key(c.jobs.len())))
}

/// What the n-th line of the list of jobs is called.
pub(crate) fn key(number: usize) -> String {
    format!("J{number:05}")
}

fn said(case: &'static str, job: &str, letters: &str, why: &str) -> Seeded {
    seeded(("IAM-07", "mover_access_adjusted", case), job, letters, why)
}

fn fifth_day(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (-3 * DAY, "p", "the cloud was closed two business days after the change"),
        (0, "p", "the cloud was closed in the last instant of the fifth business day"),
        (SECOND, "d", "the cloud was closed a second later than that"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 15) else { return all };
        let Some((cloud, job)) = mover(c, rng, at, Some("writer")) else { return all };
        let due = c.clock.business_days_after(at, BUSINESS_DAYS);
        close_at(c, cloud, End::At(due + late));
        all.push(said("fifth-day", &job, letters, why));
    }
    all
}

fn kept(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 15) else { return vec![] };
    let Some((_, job)) = mover(c, rng, at, Some("writer")) else { return vec![] };
    vec![said("kept", &job, "d", "writes now, and still gets into the cloud, which only analysts may")]
}

fn approved_anew(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (who, after, letters, why) in [
        ("another", 2 * HOUR, "p", "kept to hand things over, which somebody else approved on the day"),
        (
            "another",
            -29 * DAY,
            "p",
            "kept by what somebody else had approved for the new job four weeks before",
        ),
        ("another", -31 * DAY, "d", "kept by what somebody had approved a month before, for the former job"),
        ("another", 12 * DAY, "d", "kept, and approved when it was due already"),
        ("themselves", 2 * HOUR, "d", "kept, by an approval of their own"),
        ("nobody known", 2 * HOUR, "j", "kept, by an approval of nobody knows whom"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 20) else { return all };
        let Some((cloud, job)) = mover(c, rng, at, Some("writer")) else { return all };
        let Some(grant) = c.grants.iter().position(|g| g.login == cloud) else { return all };
        let mut request = asked(c, rng, grant, at + after);
        match who {
            "themselves" => request.approved_by = c.logins[cloud].person,
            "nobody known" => request.approved_by = None,
            _ => {}
        }
        c.requests.push(request);
        all.push(said("approved-anew", &job, letters, why));
    }
    all
}

fn neither(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 15) else { return vec![] };
    let Some((login, job)) = mover(c, rng, at, Some("writer")) else { return vec![] };
    for grant in c.grants.iter_mut().filter(|g| g.login == login) {
        grant.to = End::At(at + HOUR);
    }
    let from = c.clock.from - 60 * DAY;
    c.grants.push(Grant { login, role: "billing", privileged: false, from, to: End::Never });
    let why = "kept a role that neither job may have: whether the former one needed it, a person has to say";
    vec![said("neither", &job, "j", why)]
}

fn job_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 15) else { return vec![] };
    let Some((_, job)) = mover(c, rng, at, None) else { return vec![] };
    vec![said("job-unknown", &job, "n", "the personnel system says that the job changed, and not to what")]
}

fn first_job(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return vec![] };
    let person = hire(c, rng, at, "employee", &[1, 3]);
    training::follow(c, rng, person);
    c.take(about(person));
    c.jobs.push(Job { person, job: Some("writer"), from: at, to: End::Never });
    vec![said("first-job", &key(c.jobs.len()), "absent", "somebody new has changed nothing")]
}

fn at_the_end(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    if c.clock.to - c.clock.from < 10 * DAY {
        return vec![];
    }
    let at = c.clock.to - 30 * HOUR;
    let Some((_, job)) = mover(c, rng, at, Some("writer")) else { return vec![] };
    if c.clock.business_days_after(at, BUSINESS_DAYS) > c.clock.cutoff {
        return vec![said(
            "at-the-end",
            &job,
            "y",
            "changed on the last day but one, and there are days to go",
        )];
    }
    vec![said(
        "at-the-end",
        &job,
        "d",
        "changed on the last day but one, and kept the cloud into the next period",
    )]
}

// ---- IAM-04

/// Analysts with a login at the customers' database, which analysts may not have, and what was written down about it.
fn beyond(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    for how in
        ["silent", "by another", "by themselves", "late", "for a while", "no reason", "another control"]
    {
        let Some(began) = c.clock.office_hours(rng, c.clock.from - 900 * DAY, c.clock.from - 100 * DAY)
        else {
            return vec![];
        };
        let Some(day) = c.clock.some_day(rng, 20, 20) else { return vec![] };
        let person = hire(c, rng, began, "employee", &[1, 3]);
        training::follow(c, rng, person);
        c.take(about(person));
        c.jobs.push(Job { person, job: Some("analyst"), from: began, to: End::Never });
        let (Some(login), Some(own), Some(by)) =
            (c.login_of(person, 3), c.login_of(person, 0), c.login_of(1, 0))
        else {
            return vec![];
        };
        let from = c.clock.from - 20 * DAY;
        let mut written = Exclusion {
            login,
            control: "IAM-04",
            reason: "looks after it while its keeper is away",
            by,
            approved: from,
            from,
            to: End::Never,
        };
        match how {
            "by themselves" => written.by = own,
            "late" => written.approved = day,
            "for a while" => written.to = End::At(day),
            "no reason" => written.reason = "",
            "another control" => written.control = "IAM-01",
            _ => {}
        }
        if how != "silent" {
            c.exclusions.push(written);
        }
    }
    vec![]
}

/// Of everything that a person has at the end of a quarter and their job may not have: whether somebody else had written down
/// why. Said of the world as it came to be.
pub(crate) fn goes_beyond(c: &mut Company) {
    let mut all = vec![];
    for quarter in c.clock.quarters() {
        let seen = quarter.1 - 1;
        for (place, grant) in c.grants.iter().enumerate() {
            let login = &c.logins[grant.login];
            let way = c.entrances(grant).into_iter().find(|(from, to)| *from <= seen && to.after(seen));
            let Some((_, to)) = way.filter(|_| matches!(login.kind, "human" | "guest")) else { continue };
            let job =
                c.jobs.iter().rfind(|j| Some(j.person) == login.person && j.from <= seen && j.to.after(seen));
            let may = |job: &str| {
                c.matrix.iter().any(|m| m.job == job && m.system == login.system && m.role == grant.role)
            };
            let written =
                c.exclusions.iter().filter(|x| x.login == grant.login && x.control == "IAM-04").map(|x| {
                    let holds = x.from <= seen && x.approved <= seen && x.to.after(seen);
                    match () {
                        () if !holds || c.logins[x.by].person == login.person => 0,
                        () if x.reason.is_empty() => 1,
                        () => 2,
                    }
                });
            let (case, letters, why) = match (job.map(|j| j.job), written.max(), to) {
                (Some(Some(job)), _, End::Unknown) if may(job) => {
                    ("end-unknown", "nn", "their job may have it; whether they still did, nobody wrote down")
                }
                (.., End::Unknown) => {
                    ("end-unknown", "n-", "their job may not have it, and when it ended nobody wrote down")
                }
                (Some(Some(job)), None, _) if may(job) => continue,
                (Some(Some(job)), Some(_), _) if may(job) => {
                    ("within", "pp", "their job may have it, and more was written down than needed")
                }
                (_, Some(2), _) => (
                    "written-down",
                    "p-",
                    "their job may not have it, and somebody else had written down why they do",
                ),
                (None | Some(None), ..) => ("job-unknown", "n-", "nobody knows what they work as"),
                (_, Some(1), _) => {
                    ("no-reason", "j-", "their job may not have it, and who wrote that down gave no reason")
                }
                _ => (
                    "beyond",
                    "d-",
                    "their job may not have it, and nobody else had written down why they do",
                ),
            };
            let (key, system) = (format!("G{:05}", place + 1), c.systems[login.system].key);
            let one = seeded(("IAM-04", "access_follows_roles", case), &key, letters, why)
                .within(system)
                .at(quarter.0);
            all.push(if quarter.1 == c.clock.to { one.last_day(letters) } else { one });
        }
    }
    c.seeded.extend(all);
}
