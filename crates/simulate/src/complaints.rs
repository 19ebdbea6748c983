//! What people complain about, and whether somebody asks once a year if the notice is kept (PRV-07).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Calendar days within which a complaint is closed; days for which a review is good, and until it is reported.
const CLOSED: i64 = 30;
const GOOD: i64 = 365;
const REPORTED: i64 = 30;

#[derive(Clone, Debug, Default)]
pub(crate) struct Complaints {
    pub(crate) complaints: Vec<Complaint>,
    pub(crate) reviews: Vec<Review>,
}

#[derive(Clone, Debug)]
pub(crate) struct Complaint {
    pub(crate) key: String,
    pub(crate) at: i64,
    pub(crate) closed: End,
    pub(crate) by: Option<usize>,
    pub(crate) resolution: &'static str,
}

/// A review of whether the notice is kept.
#[derive(Clone, Debug)]
pub(crate) struct Review {
    pub(crate) key: String,
    pub(crate) subject: String,
    pub(crate) at: i64,
    pub(crate) by: Option<usize>,
    pub(crate) findings: &'static str,
    pub(crate) reported: End,
    pub(crate) to: Option<usize>,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..c.shape.days / 15 {
        let at = rng.between(c.clock.from, c.clock.to - 1);
        complained(c, rng, at);
    }
    let mut at = c.clock.from - rng.between(1_200, 1_500) * DAY;
    while at <= c.clock.cutoff {
        reviewed(c, rng, "company", at);
        at += rng.between(330, 364) * DAY;
    }
}

/// A complaint that is answered within the month.
fn complained(c: &mut Company, rng: &mut Rng, at: i64) -> usize {
    let key = format!("complaint-{}", c.complaints.complaints.len() + 1);
    let closed = End::At(at + rng.between(5, 28 * 24) * HOUR);
    let by = Some(rng.below(CORE));
    let resolution = rng.pick(&["taken off the list", "explained", "the data were deleted"]);
    c.complaints.complaints.push(Complaint { key, at, closed, by, resolution });
    c.complaints.complaints.len() - 1
}

/// A review that is written down and reported to somebody else within the month.
fn reviewed(c: &mut Company, rng: &mut Rng, subject: &str, at: i64) -> usize {
    let by = rng.below(CORE);
    let to = Some((by + 1 + rng.below(CORE - 1)) % CORE);
    let key = format!("privacy-review-{}", c.complaints.reviews.len() + 1);
    let reported = End::At(at + rng.between(1, 28) * DAY);
    let subject = subject.to_owned();
    c.complaints.reviews.push(Review { key, subject, at, by: Some(by), findings: "minutes", reported, to });
    c.complaints.reviews.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("complaint-closed", closed),
    ("complaint-answered", answered),
    ("privacy-review-year", year),
    ("privacy-review-done", done),
    ("privacy-review-reported", reported),
];

fn of_complaint(c: &Company, case: &'static str, place: usize, letters: &str, why: &str) -> Seeded {
    seeded(("PRV-07", "complaints_resolved", case), &c.complaints.complaints[place].key, letters, why)
}

fn a_complaint(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 2, 40)?;
    Some(complained(c, rng, at))
}

fn closed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (
            Some(0),
            "pp",
            "closed in the last millisecond of the thirtieth day after the one on which it came in",
        ),
        (
            Some(SECOND),
            "dp",
            "closed in the first second of the thirty-first day after the one on which it came in",
        ),
        (Some(-9 * HOUR), "pp", "closed in the afternoon of the thirtieth day"),
        (None, "d-", "never answered"),
    ] {
        let Some(place) = a_complaint(c, rng) else { return all };
        let day = c.clock.date(c.complaints.complaints[place].at);
        let due = c.clock.end_of(c.clock.days_later(day, CLOSED));
        let them = &mut c.complaints.complaints[place];
        them.closed = late.map_or(End::Never, |late| End::At(due + late));
        all.push(of_complaint(c, "complaint-closed", place, letters, why));
    }
    let Some(place) = a_complaint(c, rng) else { return all };
    c.complaints.complaints[place].closed = End::Unknown;
    all.push(of_complaint(c, "complaint-closed", place, "nn", "nobody says whether it was closed"));
    all
}

fn answered(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (resolution, by, letters, why) in [
        ("none", Some(0), "pd", "closed, and nobody wrote down what was done, as the register says"),
        ("", Some(0), "pn", "closed, and the register does not say what was done"),
        ("explained", Some(MACHINE), "pd", "closed by a script"),
        ("explained", None, "pj", "closed by nobody knows whom"),
    ] {
        let Some(place) = a_complaint(c, rng) else { return all };
        let them = &mut c.complaints.complaints[place];
        (them.resolution, them.by) = (resolution, by);
        all.push(of_complaint(c, "complaint-answered", place, letters, why));
    }
    all
}

fn of_review(c: &Company, case: &'static str, place: usize, letters: &str, why: &str) -> Seeded {
    seeded(("PRV-07", "privacy_reviewed", case), &c.complaints.reviews[place].key, letters, why)
}

/// Something that is reviewed by itself.
fn a_subject(c: &Company) -> String {
    format!("app-{}", c.complaints.reviews.len())
}

fn year(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    // On the last day nothing is asked of what another took the place of.
    for (late, by, letters, last, why) in [
        (Some(0), 0, "ppp", "---", "another followed 365 days later, to the second"),
        (Some(SECOND), 0, "ppd", "---", "another followed 365 days and a second later"),
        (Some(-DAY), MACHINE, "ppd", "--d", "only a script's followed in time"),
        (None, 0, "ppd", "--d", "none followed it for more than a year"),
    ] {
        let Some(next) = c.clock.some_day(rng, 3, 35) else { return all };
        let subject = a_subject(c);
        let first = reviewed(c, rng, &subject, next - GOOD * DAY - late.unwrap_or(0));
        let second = late.map(|_| reviewed(c, rng, &subject, next));
        all.push(of_review(c, "privacy-review-year", first, letters, why).last_day(last));
        if let (Some(second), MACHINE) = (second, by) {
            c.complaints.reviews[second].by = Some(MACHINE);
            let why = "a script did it alone";
            all.push(of_review(c, "privacy-review-year", second, "dpd", why).last_day("dpd"));
        }
    }
    all
}

fn this_year(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 0, 35)?;
    let subject = a_subject(c);
    Some(reviewed(c, rng, &subject, at))
}

fn done(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (findings, by, letters, why) in [
        ("none", Some(0), "dpp", "nobody wrote down what was found, as the register says"),
        ("", Some(0), "npp", "the register does not say what was found"),
        ("minutes", None, "jjj", "done by nobody knows whom"),
    ] {
        let Some(place) = this_year(c, rng) else { return all };
        let them = &mut c.complaints.reviews[place];
        (them.findings, them.by, them.to) = (findings, by, Some(1));
        all.push(of_review(c, "privacy-review-done", place, letters, why).last_day(letters));
    }
    all
}

fn reported(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, to, letters, why) in [
        (End::At(REPORTED * DAY), "other", "ppp", "reported thirty days later, to the second"),
        (End::At(REPORTED * DAY + SECOND), "other", "pdp", "reported thirty days and a second later"),
        (End::Never, "other", "pdp", "never reported"),
        (End::Unknown, "other", "pnp", "nobody says whether it was reported"),
        (End::At(DAY), "self", "pdp", "reported to whoever did it"),
        (End::At(DAY), "nobody", "pjp", "reported to nobody knows whom"),
    ] {
        let Some(place) = this_year(c, rng) else { return all };
        let them = &mut c.complaints.reviews[place];
        them.reported = match after {
            End::At(after) => End::At(them.at + after),
            other => other,
        };
        match to {
            "self" => them.to = them.by,
            "nobody" => them.to = None,
            _ => {}
        }
        all.push(of_review(c, "privacy-review-reported", place, letters, why).last_day(letters));
    }
    all
}
