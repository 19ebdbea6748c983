//! To whom people answer and when their work is appraised (GOV-03), what their job asks them to learn (HR-03), and what is to be
//! done when they come and go (HR-04).

use crate::Case;
use crate::clock::{DAY, SECOND};
use crate::company::{Allowed, Company, End, Job, Training};
use crate::monitoring::MACHINE;
use crate::people::{CORE, employment_of, hire, leave, leaver};
use crate::rng::Rng;
use crate::training;
use crate::truth::{Seeded, seeded};

/// Days from one appraisal to the next, days from taking on a job to its courses, days from one course to the next, and days
/// within which a checklist is through.
const APPRAISED: i64 = 395;
const FIRST: i64 = 90;
const YEAR: i64 = 365;
const CHECKED: i64 = 14;

/// Which courses a job needs.
pub(crate) const NEEDS: &[(&str, &str)] =
    &[("developer", "secure_coding"), ("responder", "secure_coding"), ("responder", "incident_drill")];

/// What is written down of people's duties.
#[derive(Clone, Debug, Default)]
pub(crate) struct Duties {
    pub(crate) lines: Vec<Line>,
    pub(crate) appraisals: Vec<Appraisal>,
    pub(crate) tasks: Vec<Task>,
}

/// Somebody answers to somebody for a while, or leads.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) person: usize,
    pub(crate) manager: Option<usize>,
    pub(crate) leads: Option<bool>,
    pub(crate) from: i64,
    pub(crate) to: End,
}

#[derive(Clone, Debug)]
pub(crate) struct Appraisal {
    pub(crate) person: usize,
    pub(crate) at: i64,
    pub(crate) by: Option<usize>,
    pub(crate) recorded: i64,
}

/// A task of a checklist; one without an instant is open, or nobody wrote down when it was done.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) employment: usize,
    pub(crate) leaving: bool,
    pub(crate) label: &'static str,
    pub(crate) asset: bool,
    pub(crate) state: &'static str,
    pub(crate) done: Option<i64>,
}

/// Some of those who never leave develop, and one is called when something breaks; they learn what that needs.
pub(crate) fn jobs(c: &mut Company, rng: &mut Rng) {
    let from = c.clock.kept_since;
    for system in 0..c.systems.len() {
        for role in ["member", "admin", "superuser", "billing"] {
            c.matrix.extend(["developer", "responder"].map(|job| Allowed { job, system, role, from }));
        }
    }
    for person in 1..CORE {
        let job = if person == 1 { "responder" } else { "developer" };
        let since = c.people[person].since;
        if !works_as(c, person, job, since) {
            continue;
        }
        for (_, course) in NEEDS.iter().filter(|(needed, _)| *needed == job) {
            let mut at = since + rng.between(10, 80) * DAY;
            while at <= c.clock.cutoff {
                learned(c, person, course, at, at);
                at += rng.between(290, 360) * DAY;
            }
        }
    }
}

/// Whether nobody has said yet what they work as.
fn works_as(c: &mut Company, person: usize, job: &'static str, from: i64) -> bool {
    if !c.take(format!("job {person}")) {
        return false;
    }
    c.jobs.push(Job { person, job: Some(job), from, to: End::Never });
    true
}

fn learned(c: &mut Company, person: usize, course: &'static str, done: i64, recorded: i64) {
    let version = c.clock.date(done).year().to_string();
    c.trainings.push(Training { person, course, version, done, recorded });
}

/// Everybody of whom no case says otherwise answers to one of those who never leave, is appraised every year, and has their
/// checklists done.
pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for person in 0..c.people.len() {
        if !c.taken.contains(&line(person)) {
            let manager = match person {
                0 => None,
                1..CORE => Some(0),
                _ => Some(1 + rng.below(CORE - 1)),
            };
            answers(c, person, manager);
        }
    }
    for employment in 0..c.employments.len() {
        let them = c.employments[employment].clone();
        let end = match them.to {
            End::At(at) => at.min(c.clock.cutoff),
            _ => c.clock.cutoff,
        };
        if !c.taken.contains(&appraisals(employment)) && them.kind != "contractor" {
            let by = usize::from(them.person == 0);
            let mut at = them.from + rng.between(150, 360) * DAY;
            while at < end {
                appraise(c, them.person, at, Some(by));
                at += rng.between(300, 390) * DAY;
            }
        }
        if !c.taken.contains(&checklist(employment)) {
            for (label, asset) in [("desk", false), ("logins", false), ("laptop", true)] {
                let done = them.from + rng.between(-5 * 24, 13 * 24) * DAY / 24;
                task(c, employment, false, (label, asset), "done", Some(done));
            }
            if let End::At(at) = them.to {
                for (label, asset) in [("papers", false), ("laptop back", true)] {
                    let done = at + rng.between(-3 * 24, 13 * 24) * DAY / 24;
                    task(c, employment, true, (label, asset), "done", Some(done));
                }
            }
        }
    }
}

fn line(person: usize) -> String {
    format!("line {person}")
}

fn appraisals(employment: usize) -> String {
    format!("appraisals {employment}")
}

fn checklist(employment: usize) -> String {
    format!("checklist {employment}")
}

/// From the first day on, and for good.
fn answers(c: &mut Company, person: usize, manager: Option<usize>) {
    let from = c.people[person].since;
    c.duties.lines.push(Line { person, manager, leads: Some(manager.is_none()), from, to: End::Never });
}

fn appraise(c: &mut Company, person: usize, at: i64, by: Option<usize>) {
    c.duties.appraisals.push(Appraisal { person, at, by, recorded: at });
}

fn task(
    c: &mut Company,
    employment: usize,
    leaving: bool,
    (label, asset): (&'static str, bool),
    state: &'static str,
    done: Option<i64>,
) {
    c.duties.tasks.push(Task { employment, leaving, label, asset, state, done });
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("answers-to", answers_to),
    ("appraised", appraised),
    ("appraised-by", appraised_by),
    ("not-yet-appraised", not_yet_appraised),
    ("role-first", role_first),
    ("role-again", role_again),
    ("role-late-list", role_late_list),
    ("joining", joining),
    ("leaving", leaving),
];

fn key(c: &Company, person: usize) -> String {
    c.employments[employment_of(c, person)].key.clone()
}

/// Somebody who has been here for more than a year.
fn veteran(c: &mut Company, rng: &mut Rng, kind: &'static str) -> Option<usize> {
    let at = c.clock.office_hours(rng, c.clock.from - 1_200 * DAY, c.clock.from - 500 * DAY)?;
    let person = hire(c, rng, at, kind, &[1]);
    training::follow(c, rng, person);
    Some(person)
}

fn newcomer(c: &mut Company, rng: &mut Rng, tail: i64) -> Option<(usize, i64)> {
    let at = c.clock.some_day(rng, 5, tail)?;
    let person = hire(c, rng, at, "employee", &[1]);
    training::follow(c, rng, person);
    Some((person, at))
}

// ---- GOV-03

fn governed(c: &Company, case: &'static str, person: usize, letters: &str, why: &str) -> Seeded {
    seeded(("GOV-03", "managed_and_appraised", case), &key(c, person), letters, why)
}

fn answers_to(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (who, letters, why) in [
        ("nobody", "dp", "nobody ever said to whom they answer"),
        ("themselves", "dp", "said to answer to themselves"),
        ("script", "dp", "said to answer to a script"),
        ("unknown", "np", "the chart has a line of theirs, and nobody's name in it"),
    ] {
        let Some(person) = veteran(c, rng, "employee") else { return all };
        c.take(line(person));
        let manager = match who {
            "themselves" => Some(person),
            "script" => Some(MACHINE),
            _ => None,
        };
        if who != "nobody" {
            answers(c, person, manager);
        }
        if let Some(last) = c.duties.lines.last_mut().filter(|_| who == "unknown") {
            last.leads = None;
        }
        all.push(governed(c, "answers-to", person, letters, why).last_day(letters));
    }
    let Some((manager, _, at)) = leaver(c, rng, "employee", 10) else { return all };
    for (next, letters, why) in [
        (false, "dp", "whom they answered to left, and nobody took over"),
        (true, "pp", "whom they answered to left, and another took over in that instant"),
    ] {
        let Some(person) = veteran(c, rng, "employee") else { return all };
        c.take(line(person));
        answers(c, person, Some(manager));
        if next {
            if let Some(last) = c.duties.lines.last_mut() {
                last.to = End::At(at);
            }
            c.duties.lines.push(Line {
                person,
                manager: Some(1),
                leads: Some(false),
                from: at,
                to: End::Never,
            });
        }
        all.push(governed(c, "answers-to", person, letters, why).last_day(letters));
    }
    all
}

fn appraised(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "pp", "appraised again 395 days later, to the second"),
        (SECOND, "pd", "appraised again 395 days and a second later"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
        let Some(person) = veteran(c, rng, "employee") else { return all };
        c.take(appraisals(employment_of(c, person)));
        let mut before = at - APPRAISED * DAY - late;
        while before > c.people[person].since {
            appraise(c, person, before, Some(0));
            before -= 300 * DAY;
        }
        appraise(c, person, at, Some(0));
        all.push(governed(c, "appraised", person, letters, why).last_day(".p"));
    }
    let Some(person) = veteran(c, rng, "employee") else { return all };
    c.take(appraisals(employment_of(c, person)));
    all.push(governed(c, "appraised", person, "pd", "never appraised").last_day(".d"));
    let Some(person) = veteran(c, rng, "contractor") else { return all };
    let employment = employment_of(c, person);
    c.employments[employment].to = End::At(c.clock.cutoff + 100 * DAY);
    c.take(appraisals(employment));
    all.push(governed(c, "appraised", person, "p-", "a contractor, whom others appraise").last_day("p-"));
    all
}

fn appraised_by(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (who, letters, last, why) in [
        ("themselves", "pd", ".d", "appraised every year, by themselves"),
        ("script", "pd", ".d", "a script writes an appraisal every year"),
        ("unknown", "pj", ".j", "appraised every year, and nobody says by whom"),
        ("late", "pj", ".j", "a list of years of appraisals, typed when they were asked for"),
    ] {
        let Some(person) = veteran(c, rng, "employee") else { return all };
        c.take(appraisals(employment_of(c, person)));
        let by = match who {
            "themselves" => Some(person),
            "script" => Some(MACHINE),
            "late" => Some(0),
            _ => None,
        };
        let mut at = c.people[person].since + 200 * DAY;
        while at < c.clock.cutoff - 90 * DAY {
            appraise(c, person, at, by);
            if let Some(last) = c.duties.appraisals.last_mut().filter(|_| who == "late") {
                last.recorded = c.clock.cutoff;
            }
            at += 300 * DAY;
        }
        all.push(governed(c, "appraised-by", person, letters, why).last_day(last));
    }
    all
}

fn not_yet_appraised(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (more, letters, last, why) in [
        (
            0,
            "p-",
            ".-",
            "had worked here for 395 days in the last instant of the period, and had not been appraised",
        ),
        (SECOND, "pd", ".d", "had worked here for 395 days and a second, and had not been appraised"),
    ] {
        let person = hire(c, rng, c.clock.to - APPRAISED * DAY - more, "employee", &[1]);
        training::follow(c, rng, person);
        c.take(appraisals(employment_of(c, person)));
        all.push(governed(c, "not-yet-appraised", person, letters, why).last_day(last));
    }
    all
}

// ---- HR-03

fn skilled(c: &Company, case: &'static str, person: usize, letters: &str, why: &str) -> Seeded {
    seeded(("HR-03", "role_training", case), &key(c, person), letters, why)
}

fn role_first(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (course, after, letters, last, why) in [
        (
            "secure_coding",
            FIRST * DAY,
            "pp",
            ".p",
            "took the course of their job ninety days after they began, to the second",
        ),
        (
            "secure_coding",
            FIRST * DAY + SECOND,
            "dd",
            ".p",
            "took the course of their job ninety days and a second after they began",
        ),
        ("phishing_drill", 5 * DAY, "dd", ".d", "took another course than their job's"),
        ("", 0, "dd", ".d", "never took the course of their job"),
    ] {
        let Some((person, at)) = newcomer(c, rng, 110) else { return all };
        works_as(c, person, "developer", at);
        if !course.is_empty() {
            learned(c, person, course, at + after, at + after);
        }
        all.push(skilled(c, "role-first", person, letters, why).last_day(last));
    }
    let Some((person, at)) = newcomer(c, rng, 110) else { return all };
    works_as(c, person, "responder", at);
    learned(c, person, "secure_coding", at + 5 * DAY, at + 5 * DAY);
    let why = "of the two courses of their job they took one";
    all.push(skilled(c, "role-first", person, "dd", why).last_day(".d"));
    let Some((person, at)) = newcomer(c, rng, 110) else { return all };
    works_as(c, person, "developer", at);
    let employment = employment_of(c, person);
    leave(c, rng, employment, at + 60 * DAY);
    c.trainings.retain(|t| t.person != person || t.done < at + 60 * DAY);
    all.push(skilled(c, "role-first", person, "--", "left a month before the course of their job was due"));
    all
}

fn role_again(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (days, letters, why) in [
        (YEAR, "-p", "took the course of their job again 365 days later"),
        (YEAR + 1, "-d", "took the course of their job again 366 days later: a day too late"),
    ] {
        let first = c.clock.from - 200 * DAY;
        let again = first + days * DAY;
        if again > c.clock.to - 5 * DAY {
            return all;
        }
        let Some(person) = veteran(c, rng, "employee") else { return all };
        let since = c.people[person].since;
        works_as(c, person, "developer", since);
        for at in [first, again] {
            learned(c, person, "secure_coding", at, at);
        }
        all.push(skilled(c, "role-again", person, letters, why).last_day(".p"));
    }
    all
}

fn role_late_list(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, at)) = newcomer(c, rng, 130) else { return vec![] };
    works_as(c, person, "developer", at);
    learned(c, person, "secure_coding", at + 40 * DAY, at + 100 * DAY);
    let why = "a list typed two months later says that they took the course of their job in time";
    vec![skilled(c, "role-late-list", person, "jj", why).last_day(".j")]
}

/// Whoever has a job of which nobody says what it is may need any course.
pub(crate) fn nameless(c: &Company) -> Vec<Seeded> {
    let unknown =
        c.jobs.iter().filter(|j| j.job.is_none() && j.from < c.clock.to && j.to.after(c.clock.from));
    unknown
        .map(|job| {
            let why = "nobody says what they work as, nor what they have to learn for it";
            let one = skilled(c, "role-unknown", job.person, "nn", why);
            if job.to.after(c.clock.to - 1) { one.last_day("nn") } else { one }
        })
        .collect()
}

// ---- HR-04

fn joining(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (state, after, letters, why) in [
        (
            "done",
            Some(CHECKED * DAY),
            "p",
            "the last task was done fourteen days after they began, to the second",
        ),
        (
            "not_needed",
            Some(DAY),
            "p",
            "the day after they began somebody found that there was nothing to do",
        ),
        (
            "done",
            Some(CHECKED * DAY + SECOND),
            "d",
            "the last task was done fourteen days and a second after they began",
        ),
        ("open", None, "d", "a task was never done"),
        ("none", None, "d", "nobody opened a checklist"),
        ("done", None, "n", "a task is said to be done, and nobody says since when"),
        ("", None, "n", "of a task nobody says how it stands"),
    ] {
        let Some((person, at)) = newcomer(c, rng, 20) else { return all };
        let employment = employment_of(c, person);
        c.take(checklist(employment));
        if state != "none" {
            task(c, employment, false, ("desk", false), "done", Some(at + DAY));
            task(c, employment, false, ("laptop", true), state, after.map(|after| at + after));
        }
        all.push(seeded(("HR-04", "joiner_checklist", "joining"), &key(c, person), letters, why));
    }
    all
}

fn leaving(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let (on_time, late) = (Some(CHECKED * DAY), Some(CHECKED * DAY + SECOND));
    let mut all = vec![];
    for (papers, laptop, letters, why) in [
        (
            ("done", on_time),
            ("done", on_time),
            "pp",
            "everything was done fourteen days after they left, to the second",
        ),
        (("done", on_time), ("not_needed", Some(0)), "pp", "they had nothing of the company's"),
        (
            ("done", late),
            ("done", on_time),
            "dp",
            "the papers were done fourteen days and a second after they left",
        ),
        (
            ("done", on_time),
            ("done", late),
            "dd",
            "the laptop was back fourteen days and a second after they left",
        ),
        (("done", on_time), ("open", None), "dd", "the laptop never came back"),
        (("done", on_time), ("none", None), "pd", "nobody had put the laptop on the checklist"),
        (("none", None), ("none", None), "dd", "nobody opened a checklist"),
        (
            ("done", on_time),
            ("done", None),
            "nn",
            "the laptop is said to be back, and nobody says since when",
        ),
    ] {
        let Some((_, employment, at)) = leaver(c, rng, "employee", 20) else { return all };
        c.take(checklist(employment));
        for (label, asset, (state, after)) in [("papers", false, papers), ("laptop back", true, laptop)] {
            if state != "none" {
                task(c, employment, true, (label, asset), state, after.map(|after| at + after));
            }
        }
        let key = c.employments[employment].key.clone();
        all.push(seeded(("HR-04", "leaver_checklist", "leaving"), &key, letters, why));
    }
    all
}
