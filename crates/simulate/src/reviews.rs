//! The quarterly review of who has access (IAM-08).

use crate::Case;
use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::company::{Company, End, Line, Review};
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Days after the decision within which what is to go is gone; seconds for each line below which nobody can have read it.
const REMOVAL_DAYS: i64 = 14;
const SECONDS_A_LINE: i64 = 2;

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for (number, quarter) in c.clock.quarters().into_iter().enumerate() {
        for system in 0..c.systems.len() {
            if c.systems[system].to.after(quarter.1 - 1) {
                let review = held(c, rng, system, number, quarter);
                c.reviews.push(review);
            }
        }
    }
}

/// A review as it should be: in the quarter's last month, of everybody who has access, nobody of themselves.
fn held(c: &mut Company, rng: &mut Rng, system: usize, number: usize, quarter: (i64, i64)) -> Review {
    let clock = &c.clock;
    let last_month = quarter.1 - 28 * DAY;
    let listed = clock.office_hours(rng, last_month, quarter.1 - 14 * DAY).unwrap_or(last_month);
    let opened = listed + rng.between(1, 20) * HOUR;
    let completed = opened + rng.between(24, 70) * HOUR;
    let reviewer = |c: &Company, person: usize| c.login_of(person, 0).unwrap_or(0);
    let (owner, deputy) = (c.systems[system].owner, c.systems[system].deputy);
    let mut lines: Vec<Line> = vec![];
    let logins = c.who_has_access(system, listed);
    let each = (completed - opened - HOUR) / i64::try_from(logins.len().max(1)).unwrap_or(1);
    let mut decided = opened;
    for login in logins {
        decided += each * rng.between(60, 100) / 100;
        let own = c.logins[login].person == Some(owner);
        let reviewer = reviewer(c, if own { deputy } else { owner });
        let mut line = Line { login, reviewer, decision: "keep", decided, removed: None };
        // Now and then somebody does not need it any more, and it goes.
        if system > 2 && rng.chance(2) && may_lose(c, login, system) {
            let removed = decided + rng.between(1, REMOVAL_DAYS - 2) * DAY;
            take_away(c, login, End::At(removed));
            line.decision = "revoke";
            line.removed = Some(End::At(removed));
        }
        lines.push(line);
    }
    let key = format!("{}-Q{}", c.systems[system].key, number + 1);
    Review { key, system, quarter, listed, opened, completed: End::At(completed), lines }
}

/// Somebody whose only way in is open without an end, and who is here to stay.
fn may_lose(c: &Company, login: usize, system: usize) -> bool {
    let them = &c.logins[login];
    let stays = c.employments.iter().filter(|e| Some(e.person) == them.person).all(|e| e.to == End::Never);
    them.kind == "human"
        && stays
        && them.person != Some(c.systems[system].owner)
        && them.spells.len() == 1
        && them.spells[0].1 == End::Never
        && c.grants.iter().filter(|g| g.login == login).count() == 1
        && c.grants.iter().any(|g| g.login == login && g.to == End::Never)
}

fn take_away(c: &mut Company, login: usize, end: End) {
    for grant in c.grants.iter_mut().filter(|g| g.login == login) {
        grant.to = end;
    }
}

const fn of(case: &'static str) -> (&'static str, &'static str, &'static str) {
    ("IAM-08", "access_review_completed", case)
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("N51", a_day_late),
    ("last-minute", in_the_last_minute),
    ("N52", of_oneself),
    ("second-reviewer", of_oneself_and_another),
    ("N54", machines_left_out),
    ("N55", faster_than_reading),
    ("read-just-so", as_fast_as_reading),
    ("skipped", skipped),
    ("never-finished", never_finished),
    ("left-open", one_left_open),
    ("by-a-machine", by_a_machine),
    ("removal", removals),
    ("next-quarter", begun_in_the_next_quarter),
    ("retired", of_a_retired_system),
    ("reviewer-alike", reviewer_may_be_the_one),
];

/// A review of which nothing was made yet.
fn one(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    for _ in 0..40 {
        if c.reviews.is_empty() {
            return None;
        }
        let review = rng.below(c.reviews.len());
        let nothing_goes = c.reviews[review].lines.iter().all(|l| l.removed.is_none());
        if nothing_goes && c.take(format!("review {}", c.reviews[review].key)) {
            return Some(review);
        }
    }
    None
}

fn said(c: &Company, review: usize, case: &'static str, letters: &str, why: &str) -> Vec<Seeded> {
    let review = &c.reviews[review];
    vec![seeded(of(case), c.systems[review.system].key, letters, why).at(review.quarter.0)]
}

fn a_day_late(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    // What is finished after the last fact cannot have been seen.
    let Some(review) = one(c, rng).filter(|r| c.reviews[*r].quarter.1 + DAY < c.clock.cutoff) else {
        return vec![];
    };
    c.reviews[review].completed = End::At(c.reviews[review].quarter.1 + 10 * HOUR);
    said(c, review, "N51", "dp-", "finished on the day after the quarter ended: late is late")
}

fn in_the_last_minute(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(review) = one(c, rng) else { return vec![] };
    c.reviews[review].completed = End::At(c.reviews[review].quarter.1 - MINUTE);
    said(c, review, "last-minute", "pp-", "finished in the last minute of the quarter")
}

/// A line about a person who can sign in, and their own login at the sign-in.
fn line_of_a_person(c: &Company, rng: &mut Rng, review: usize) -> Option<(usize, usize)> {
    let Review { lines, system, .. } = &c.reviews[review];
    let at = c.reviews[review].opened;
    let some: Vec<(usize, usize)> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| c.logins[line.login].kind == "human")
        .filter_map(|(place, line)| {
            let own = c.login_of(c.logins[line.login].person?, 0)?;
            let there = c.logins[own].spells.iter().any(|(from, to)| *from <= at && to.after(at + 9 * DAY));
            (there && c.systems[*system].owner != c.logins[line.login].person?).then_some((place, own))
        })
        .collect();
    if some.is_empty() { None } else { Some(rng.pick(&some)) }
}

fn of_oneself(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(review) = one(c, rng) else { return vec![] };
    let Some((line, own)) = line_of_a_person(c, rng, review) else { return vec![] };
    c.reviews[review].lines[line].reviewer = own;
    said(c, review, "N52", "pd-", "somebody decided on their own access, and nobody else did")
}

fn of_oneself_and_another(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(review) = one(c, rng) else { return vec![] };
    let Some((line, own)) = line_of_a_person(c, rng, review) else { return vec![] };
    let other = c.reviews[review].lines[line].clone();
    c.reviews[review].lines[line].reviewer = own;
    c.reviews[review].lines.push(other);
    let why = "somebody decided on their own access, and the owner of the system did as well";
    said(c, review, "second-reviewer", "pp-", why)
}

fn machines_left_out(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(review) = one(c, rng) else { return vec![] };
    let humans: Vec<Line> = {
        let lines = &c.reviews[review].lines;
        lines.iter().filter(|l| c.logins[l.login].kind == "human").cloned().collect()
    };
    if humans.is_empty() {
        return vec![];
    }
    c.reviews[review].lines = humans;
    said(
        c,
        review,
        "N54",
        "np-",
        "the list was exported without services and bots, which had access: it was not all there is",
    )
}

/// Spreads the decisions over the time from opening to completion.
fn hurry(c: &mut Company, review: usize, took: i64) {
    let review = &mut c.reviews[review];
    review.completed = End::At(review.opened + took);
    let lines = i64::try_from(review.lines.len()).unwrap_or(1);
    for (place, line) in (0..).zip(&mut review.lines) {
        line.decided = review.opened + took * place / lines;
    }
}

fn faster_than_reading(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(review) = one(c, rng) else { return vec![] };
    let lines = i64::try_from(c.reviews[review].lines.len()).unwrap_or(1);
    hurry(c, review, lines * SECONDS_A_LINE * SECOND - SECOND);
    said(
        c,
        review,
        "N55",
        "jp-",
        "everything was decided in less than two seconds a line: somebody has to ask how",
    )
}

fn as_fast_as_reading(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(review) = one(c, rng) else { return vec![] };
    let lines = i64::try_from(c.reviews[review].lines.len()).unwrap_or(1);
    hurry(c, review, lines * SECONDS_A_LINE * SECOND);
    said(c, review, "read-just-so", "pp-", "two seconds a line, which is no less than two")
}

fn skipped(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(review) = one(c, rng) else { return vec![] };
    let all = said(c, review, "skipped", "d--", "nobody reviewed it in that quarter");
    c.reviews.remove(review);
    all
}

fn never_finished(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(review) = one(c, rng) else { return vec![] };
    c.reviews[review].completed = End::Never;
    said(c, review, "never-finished", "dp-", "everything was decided, and the review was never closed")
}

fn one_left_open(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(review) = one(c, rng) else { return vec![] };
    let lines = c.reviews[review].lines.len();
    let place = rng.below(lines.max(1));
    let Some(line) = c.reviews[review].lines.get_mut(place) else { return vec![] };
    line.decision = "undecided";
    said(c, review, "left-open", "d.-", "closed in time, with one login nobody decided on")
}

fn by_a_machine(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(review) = one(c, rng) else { return vec![] };
    let Some(bot) = c.logins.iter().position(|l| l.key == "sync-idp") else { return vec![] };
    for line in &mut c.reviews[review].lines {
        line.reviewer = bot;
    }
    said(c, review, "by-a-machine", "pd-", "a script kept everybody: no person decided anything")
}

fn removals(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (Some(REMOVAL_DAYS * DAY), "ppp", "what was to go was gone fourteen days after, to the second"),
        (
            Some(REMOVAL_DAYS * DAY + SECOND),
            "ppd",
            "what was to go was gone fourteen days and a second after",
        ),
        (Some(41 * DAY), "ppd", "what was to go went after six weeks"),
        (None, "ppd", "what was to go never went"),
    ] {
        let Some(review) = one(c, rng) else { return all };
        let system = c.reviews[review].system;
        let listed = c.reviews[review].listed;
        let later_taken = c.reviews.iter().any(|later| {
            later.system == system
                && later.listed > listed
                && c.taken.contains(&format!("review {}", later.key))
        });
        let place = c.reviews[review].lines.iter().position(|l| may_lose(c, l.login, system));
        let Some(place) = place.filter(|_| !later_taken) else { continue };
        let Line { login, decided, .. } = c.reviews[review].lines[place];
        let due = decided + REMOVAL_DAYS * DAY;
        let gone = after.map_or(End::Never, |after| End::At(decided + after));
        if due > c.clock.cutoff || matches!(gone, End::At(at) if at > c.clock.cutoff && letters == "ppp") {
            continue;
        }
        // Later reviews have lines on them where they are still to be seen, and none where they are gone.
        if let End::At(gone) = gone {
            for later in &mut c.reviews {
                if later.system == system && later.listed >= gone {
                    later.lines.retain(|l| l.login != login);
                }
            }
        }
        take_away(c, login, gone);
        let line = &mut c.reviews[review].lines[place];
        (line.decision, line.removed) = ("revoke", Some(gone));
        all.extend(said(c, review, "removal", letters, why));
    }
    all
}

fn begun_in_the_next_quarter(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(review) = one(c, rng) else { return vec![] };
    // The next quarter has its own, and nothing else is wrong with that.
    let Review { system, quarter, .. } = c.reviews[review];
    let next =
        c.reviews.iter().find(|r| r.system == system && r.quarter.0 == quarter.1).map(|r| r.key.clone());
    let last = quarter.1 >= c.clock.to;
    if !last && next.is_none_or(|next| !c.take(format!("review {next}"))) {
        return vec![];
    }
    let late = 10 * HOUR + c.reviews[review].quarter.1 - c.reviews[review].listed;
    let all = said(
        c,
        review,
        "next-quarter",
        "d--",
        "begun on the first day of the next quarter: this one had none",
    );
    let review = &mut c.reviews[review];
    review.listed += late;
    review.opened += late;
    review.completed = match review.completed {
        End::At(at) => End::At(at + late),
        other => other,
    };
    for line in &mut review.lines {
        line.decided += late;
    }
    all
}

fn of_a_retired_system(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    if !c.take("retired system") {
        return vec![];
    }
    let Some(system) = c.systems.iter().find(|s| s.to != End::Never).map(|s| (s.key, s.to)) else {
        return vec![];
    };
    let why = "switched off before the quarter ended: nobody has to review what is not there, whoever stands on its list";
    let gone = |quarter: &(i64, i64)| !system.1.after(quarter.1 - 1);
    let quarters = c.clock.quarters();
    quarters
        .iter()
        .filter(|q| gone(q))
        .map(|q| seeded(of("retired"), system.0, "absent", why).at(q.0))
        .collect()
}

fn reviewer_may_be_the_one(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(review) = one(c, rng) else { return vec![] };
    let Some((line, _)) = line_of_a_person(c, rng, review) else { return vec![] };
    // A reviewer of the same name as somebody on the list, who came for the purpose.
    let Some(them) = c.logins[c.reviews[review].lines[line].login].person else { return vec![] };
    let (first, last) = (c.people[them].first, c.people[them].last);
    let stays = c.employments.iter().filter(|e| e.person == them).all(|e| e.to == End::Never);
    // Of those of whom nothing else is wrong: what a namesake did may be theirs, wherever they are asked about.
    if them < CORE
        || them >= c.shape.people
        || !stays
        || c.people[them].former.is_some()
        || !c.take(format!("namesake of {them}"))
    {
        return vec![];
    }
    let from = c.clock.from - 200 * DAY;
    let person = crate::people::hire(c, rng, from, "employee", &[]);
    crate::training::follow(c, rng, person);
    (c.people[person].first, c.people[person].last) = (first, last);
    let Some(own) = c.login_of(person, 0) else { return vec![] };
    c.reviews[review].lines[line].reviewer = own;
    add_to_lists(c, own);
    let why = "decided by somebody of the same name: whether that was themselves, a person has to say";
    said(c, review, "reviewer-alike", "pj-", why)
}

/// Puts a login on the reviews that were made while it had access.
fn add_to_lists(c: &mut Company, login: usize) {
    let system = c.logins[login].system;
    let from = c.logins[login].spells[0].0;
    for review in 0..c.reviews.len() {
        if c.reviews[review].system != system || c.reviews[review].listed < from {
            continue;
        }
        let Some(mut line) = c.reviews[review].lines.first().cloned() else { continue };
        line.login = login;
        line.reviewer = c.login_of(c.systems[system].owner, 0).unwrap_or(line.reviewer);
        line.decision = "keep";
        line.removed = None;
        let review = &mut c.reviews[review];
        review.lines.push(line);
        if let End::At(at) = review.completed {
            review.completed = End::At(at + SECONDS_A_LINE * SECOND);
        }
    }
}
