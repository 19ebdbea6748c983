//! The security course: on joining, and again before a year is over (HR-02).

use crate::Case;
use crate::clock::{DAY, SECOND};
use crate::company::{Absence, Company, End, Training};
use crate::people::{employment_of, hire, leave};
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// The course that everybody takes.
const COURSE: &str = "security_awareness";
/// Days from joining, and days from one completion to the next, within which it is taken; days after an absence.
const JOINER_DAYS: i64 = 30;
const YEARLY_DAYS: i64 = 365;
const RETURN_DAYS: i64 = 14;

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for person in 0..c.people.len() {
        follow(c, rng, person);
    }
}

/// Everything somebody completes who does as they are told, anew.
pub(crate) fn follow(c: &mut Company, rng: &mut Rng, person: usize) {
    c.trainings.retain(|t| t.person != person);
    let (from, cutoff) = (c.clock.from, c.clock.cutoff);
    let mut last = None;
    for employment in 0..c.employments.len() {
        if c.employments[employment].person != person {
            continue;
        }
        let begun = c.employments[employment].from;
        let end = match c.employments[employment].to {
            End::At(end) => end.min(cutoff),
            _ => cutoff,
        };
        let mut next = match last {
            Some(last) if last + 330 * DAY > begun => last + rng.between(200, 350) * DAY,
            _ => begun + rng.between(1, JOINER_DAYS - 3) * DAY,
        };
        if next < from - 340 * DAY {
            next = from - rng.between(10, 340) * DAY;
        }
        if let Some(last) = last {
            next = next.max(begun).min(last + (YEARLY_DAYS - 1) * DAY).max(last + DAY);
        }
        while next < end {
            // Whoever will be away takes it before.
            let away =
                c.absences.iter().find(|a| a.employment == employment && a.from <= next && next < a.to);
            let done = away.map_or(next, |a| a.from - DAY);
            complete(c, rng, person, done);
            last = Some(done);
            next = done + rng.between(290, 355) * DAY;
        }
    }
}

fn complete(c: &mut Company, rng: &mut Rng, person: usize, done: i64) {
    // A learning system writes down at once; some completions come from a classroom's list, days later.
    let recorded = if rng.chance(15) { done + rng.between(1, 9) * DAY } else { done };
    let recorded = recorded.min(c.clock.cutoff).max(done);
    let version = c.clock.date(done).year().to_string();
    c.trainings.push(Training { person, course: COURSE, version, done, recorded });
}

const fn of(case: &'static str) -> (&'static str, &'static str, &'static str) {
    ("HR-02", "security_training", case)
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("joiner-never", joiner_never),
    ("joiner-boundary", joiner_boundary),
    ("yearly-boundary", yearly_boundary),
    ("other-course", other_course),
    ("old-version", old_version),
    ("return-boundary", return_boundary),
    ("left-before-due", left_before_due),
    ("N67", written_down_late),
    ("rehired", rehired),
    ("joined-at-the-end", joined_at_the_end),
];

/// Somebody new, who has completed nothing yet.
fn joiner(c: &mut Company, rng: &mut Rng, tail: i64) -> Option<(usize, String, i64)> {
    let at = c.clock.some_day(rng, 10, tail)?;
    let person = hire(c, rng, at, "employee", &[2]);
    let key = c.employments[employment_of(c, person)].key.clone();
    Some((person, key, at))
}

/// Somebody who has been here for years, and completed it at this instant before the period.
fn veteran(c: &mut Company, rng: &mut Rng, last: i64) -> Option<(usize, String)> {
    let at = c.clock.office_hours(rng, c.clock.from - 1_200 * DAY, c.clock.from - 500 * DAY)?;
    let person = hire(c, rng, at, "employee", &[2]);
    complete_at(c, person, COURSE, last, last);
    Some((person, c.employments[employment_of(c, person)].key.clone()))
}

fn complete_at(c: &mut Company, person: usize, course: &'static str, done: i64, recorded: i64) {
    let version = c.clock.date(done).year().to_string();
    c.trainings.push(Training { person, course, version, done, recorded });
}

fn joiner_never(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((_, key, _)) = joiner(c, rng, 45) else { return vec![] };
    let why = "joined, and never took the course";
    vec![seeded(of("joiner-never"), &key, "dd", why).last_day(".d")]
}

fn joiner_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "pp", "took it thirty days after joining, to the second"),
        (SECOND, "dd", "took it thirty days and a second after joining"),
    ] {
        let Some((person, key, at)) = joiner(c, rng, 45) else { return all };
        let done = at + JOINER_DAYS * DAY + late;
        complete_at(c, person, COURSE, done, done);
        all.push(seeded(of("joiner-boundary"), &key, letters, why).last_day(".p"));
    }
    all
}

fn yearly_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (days, letters, why) in [
        (YEARLY_DAYS, "-p", "took it again 365 days later"),
        (YEARLY_DAYS + 1, "-d", "took it again 366 days later: a day too late"),
        (YEARLY_DAYS + 40, "-d", "took it again forty days after the year was over"),
    ] {
        let first = c.clock.from - 200 * DAY;
        let again = first + days * DAY;
        if again > c.clock.to - 5 * DAY {
            return all;
        }
        let Some((person, key)) = veteran(c, rng, first) else { return all };
        complete_at(c, person, COURSE, again, again);
        all.push(seeded(of("yearly-boundary"), &key, letters, why).last_day(".p"));
    }
    all
}

fn other_course(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, key, at)) = joiner(c, rng, 45) else { return vec![] };
    complete_at(c, person, "phishing_drill", at + 5 * DAY, at + 5 * DAY);
    let why = "took the phishing drill in time, and not the course that everybody takes";
    vec![seeded(of("other-course"), &key, "dd", why).last_day(".d")]
}

fn old_version(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, key, at)) = joiner(c, rng, 45) else { return vec![] };
    let done = at + 5 * DAY;
    let version = (c.clock.date(done).year() - 1).to_string();
    c.trainings.push(Training { person, course: COURSE, version, done, recorded: done });
    let why = "took last year's version, which was not the one to take any more";
    vec![seeded(of("old-version"), &key, "dd", why).last_day(".d")]
}

fn return_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "-p", "her year ran out while she was away, and she took it within the fourteen days after"),
        (DAY, "-d", "her year ran out while she was away, and she took it a day after the fourteen days"),
    ] {
        // Away from before the year is over until two months after.
        let first = c.clock.from - 300 * DAY;
        let (away, back) = (c.clock.from + 40 * DAY, c.clock.from + 130 * DAY);
        let again = back + RETURN_DAYS * DAY - SECOND + late;
        if again > c.clock.to - 5 * DAY {
            return all;
        }
        let Some((person, key)) = veteran(c, rng, first) else { return all };
        c.absences.push(Absence { employment: employment_of(c, person), from: away, to: back });
        complete_at(c, person, COURSE, again, again);
        all.push(seeded(of("return-boundary"), &key, letters, why).last_day(".p"));
    }
    all
}

fn left_before_due(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, key, at)) = joiner(c, rng, 45) else { return vec![] };
    let employment = employment_of(c, person);
    leave(c, rng, employment, at + 21 * DAY);
    let why = "left three weeks after joining, before the course was due";
    vec![seeded(of("left-before-due"), &key, "--", why)]
}

fn written_down_late(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, key, at)) = joiner(c, rng, 200) else { return vec![] };
    complete_at(c, person, COURSE, at + 10 * DAY, at + 170 * DAY);
    let why = "a list typed five months later says that it was taken in time: a person has to judge that";
    vec![seeded(of("N67"), &key, "jj", why).last_day(".j")]
}

fn rehired(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, first, at)) = joiner(c, rng, 150) else { return vec![] };
    complete_at(c, person, COURSE, at + 3 * DAY, at + 3 * DAY);
    let employment = employment_of(c, person);
    leave(c, rng, employment, at + 40 * DAY);
    let key = format!("{first}-2");
    c.employments.push(crate::company::Employment {
        key: key.clone(),
        person,
        kind: "employee",
        from: at + 100 * DAY,
        to: End::Never,
        told: None,
    });
    let why = "back after two months; what they took in the first employment is not a year old";
    vec![
        seeded(of("rehired"), &key, "pp", why).last_day(".p"),
        seeded(of("rehired"), &first, "pp", "took it three days after joining"),
    ]
}

fn joined_at_the_end(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let at = c.clock.to - 12 * DAY;
    let person = hire(c, rng, at, "employee", &[2]);
    let key = c.employments[employment_of(c, person)].key.clone();
    let done = at + 25 * DAY;
    if done <= c.clock.cutoff {
        complete_at(c, person, COURSE, done, done);
        let why = "joined twelve days before the period ended, and took it after it, in time";
        vec![seeded(of("joined-at-the-end"), &key, "p-", why)]
    } else {
        let why = "joined twelve days before the last fact: the course is not due yet";
        vec![seeded(of("joined-at-the-end"), &key, "y-", why)]
    }
}
