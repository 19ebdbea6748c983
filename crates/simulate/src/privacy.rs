//! What people ask about the data that are held about them (PRV-04), and where such data lie.

use crate::Case;
use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::company::{Company, End};
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Days within which a request is answered, and days more for whom that was told in time; days after it was closed by when
/// what goes as a store ages is gone.
const DAYS: i64 = 30;
const MORE: i64 = 30;
const AGES: i64 = 90;

/// Who asked what, and which stores hold data of whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests {
    pub(crate) held: Vec<Held>,
    pub(crate) requests: Vec<Request>,
}

/// A store that holds data of a group of people for a time.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) store: &'static str,
    pub(crate) people: &'static str,
    pub(crate) from: i64,
    pub(crate) to: End,
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) key: String,
    pub(crate) kind: &'static str,
    pub(crate) people: &'static str,
    pub(crate) received: i64,
    pub(crate) verified: Option<i64>,
    /// Told that it takes longer: when, until when, why.
    pub(crate) told: Option<(i64, i64, &'static str)>,
    pub(crate) closed: Option<i64>,
    pub(crate) outcome: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) done: Vec<Done>,
}

/// What was done in a store: what, when, and by when the last of it is gone where it goes by itself.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) store: &'static str,
    pub(crate) outcome: &'static str,
    pub(crate) at: i64,
    pub(crate) gone: Option<i64>,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    let (since, given_up) = (c.clock.kept_since, c.clock.from + i64::from(c.shape.days) / 3 * DAY);
    for (store, people, to) in [
        ("accounts-db", "customers", End::Never),
        ("warehouse", "customers", End::Never),
        ("backups", "customers", End::Never),
        ("old-crm", "customers", End::At(given_up)),
        ("payroll", "staff", End::Never),
    ] {
        c.privacy.held.push(Held { store, people, from: since, to });
    }
    for _ in 0..c.shape.days / 9 {
        let received = rng.between(c.clock.from, c.clock.to - 1);
        asked(c, rng, received);
    }
}

/// A request that is answered as it should be.
fn asked(c: &mut Company, rng: &mut Rng, received: i64) -> usize {
    let key = format!("DSR-{}", c.privacy.requests.len() + 1);
    let kind = rng.pick(&["access", "access", "delete", "delete", "correct", "port", "object"]);
    let people = if rng.chance(85) { "customers" } else { "staff" };
    let verified = received + rng.between(1, 72) * HOUR;
    let closed = verified + rng.between(24, 600) * HOUR;
    let (outcome, reason) =
        if rng.chance(10) { ("refused", "the data are needed for a claim") } else { ("fulfilled", "") };
    let mut request = Request {
        key,
        kind,
        people,
        received,
        verified: Some(verified),
        told: None,
        closed: Some(closed),
        outcome,
        reason,
        done: vec![],
    };
    everywhere(c, rng, &mut request);
    c.privacy.requests.push(request);
    c.privacy.requests.len() - 1
}

/// It is done in every store that holds data of that group when it is closed.
fn everywhere(c: &Company, rng: &mut Rng, request: &mut Request) {
    request.done.clear();
    let (Some(verified), Some(closed)) = (request.verified, request.closed) else { return };
    if request.outcome != "fulfilled" {
        return;
    }
    for held in c.privacy.held.iter().filter(|h| h.people == request.people) {
        if held.from > closed || !held.to.after(closed) {
            continue;
        }
        let at = verified + (closed - verified) / 100 * rng.between(1, 99);
        let (outcome, gone) = match held.store {
            "backups" if request.kind == "delete" => ("ages_out", Some(closed + rng.between(20, 80) * DAY)),
            _ if rng.chance(15) => ("not_held", None),
            _ => ("done", None),
        };
        request.done.push(Done { store: held.store, outcome, at, gone });
    }
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("N89", last_day),
    ("N89-longer", told_in_time),
    ("never-answered", never_answered),
    ("N90", not_everywhere),
    ("not-identified", not_identified),
    ("refused", refused),
    ("too-early", store_in_time),
    ("given-up", store_given_up),
    ("whose", of_nobody_known),
];

fn said(c: &Company, case: &'static str, request: usize, letters: &str, why: &str) -> Seeded {
    seeded(("PRV-04", "dsr_answered", case), &c.privacy.requests[request].key, letters, why)
}

/// A request of a customer that was fulfilled, with so many days after it for whatever is to happen.
fn of_a_customer(c: &mut Company, rng: &mut Rng, tail: i64) -> Option<usize> {
    let received = c.clock.some_day(rng, 2, tail)?;
    let place = asked(c, rng, received);
    let mut request = c.privacy.requests[place].clone();
    (request.people, request.outcome, request.reason) = ("customers", "fulfilled", "");
    everywhere(c, rng, &mut request);
    c.privacy.requests[place] = request;
    Some(place)
}

/// Closes it at an instant, everything done before.
fn close(c: &mut Company, rng: &mut Rng, place: usize, at: i64) {
    let mut request = c.privacy.requests[place].clone();
    request.verified = request.verified.map(|verified| verified.min(at - HOUR));
    request.closed = Some(at);
    everywhere(c, rng, &mut request);
    c.privacy.requests[place] = request;
}

/// Last millisecond of the day so many days after the one on which it came in.
fn end_of_day(c: &Company, place: usize, days: i64) -> i64 {
    let received = c.clock.date(c.privacy.requests[place].received);
    c.clock.end_of(c.clock.days_later(received, days))
}

fn last_day(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp-", "closed in the last millisecond of the thirtieth day after the one on which it came in"),
        (
            SECOND,
            "pdp-",
            "closed in the first second of the thirty-first day after the one on which it came in",
        ),
        (-12 * HOUR, "ppp-", "closed in the middle of the thirtieth day"),
        (9 * DAY, "pdp-", "closed nine days late, and nobody was told"),
    ] {
        let Some(place) = of_a_customer(c, rng, 45) else { return all };
        let due = end_of_day(c, place, DAYS);
        close(c, rng, place, due + late);
        all.push(said(c, "N89", place, letters, why));
    }
    all
}

fn told_in_time(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (told, until, closed, reason, letters, why) in [
        (
            -DAY,
            20,
            19,
            "many stores",
            "ppp-",
            "told on the twenty-ninth day, with a reason, that it takes twenty days more, and closed by then",
        ),
        (
            0,
            20,
            19,
            "many stores",
            "ppp-",
            "told in the last millisecond of the thirtieth day that it takes longer",
        ),
        (
            SECOND,
            20,
            19,
            "many stores",
            "pdp-",
            "told a second after the thirty days were over that it takes longer",
        ),
        (
            -DAY,
            10,
            12,
            "many stores",
            "pdp-",
            "told in time that it takes ten days more, and closed after twelve",
        ),
        (
            -DAY,
            50,
            40,
            "many stores",
            "pdp-",
            "told in time that it takes fifty days more, which is more than there may be",
        ),
        (-DAY, 20, 19, "", "pjp-", "told in time that it takes longer, and no reason is on record"),
    ] {
        let Some(place) = of_a_customer(c, rng, 75) else { return all };
        let due = end_of_day(c, place, DAYS);
        c.privacy.requests[place].told = Some((due + told, due + until * DAY, reason));
        debug_assert!(until <= MORE || closed > MORE);
        close(c, rng, place, due + closed * DAY);
        all.push(said(c, "N89", place, letters, why));
    }
    all
}

fn never_answered(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(place) = of_a_customer(c, rng, 45) else { return vec![] };
    let them = &mut c.privacy.requests[place];
    (them.closed, them.outcome) = (None, "");
    them.done.clear();
    vec![said(c, "never-answered", place, "-d--", "never answered")]
}

fn not_everywhere(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (left, gone, letters, why) in [
        (true, 60, "ppd-", "closed as fulfilled, with the warehouse and the backups untouched"),
        (false, AGES, "ppp-", "closed as fulfilled; the backups go within ninety days, which is stated"),
        (
            false,
            AGES + 1,
            "ppd-",
            "closed as fulfilled, and the backups go a day later than within ninety days",
        ),
    ] {
        let Some(place) = of_a_customer(c, rng, 45) else { return all };
        let mut request = c.privacy.requests[place].clone();
        request.kind = "delete";
        everywhere(c, rng, &mut request);
        let closed = request.closed.unwrap_or(request.received);
        for done in request.done.iter_mut().filter(|d| d.store == "backups") {
            done.gone = Some(closed + gone * DAY);
        }
        if left {
            request.done.retain(|d| d.store != "warehouse" && d.store != "backups");
        }
        c.privacy.requests[place] = request;
        all.push(said(c, "N90", place, letters, why));
    }
    all
}

fn not_identified(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (verified, letters, why) in [
        (None, "dpp-", "closed as fulfilled, and nobody ever found out whether they are who they say"),
        (Some(SECOND), "dpp-", "identified a second after it was closed"),
        (Some(0), "ppp-", "identified in the instant in which it was closed"),
    ] {
        let Some(place) = of_a_customer(c, rng, 45) else { return all };
        let them = &mut c.privacy.requests[place];
        them.verified = verified.and_then(|after| them.closed.map(|closed| closed + after));
        all.push(said(c, "not-identified", place, letters, why));
    }
    all
}

fn refused(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (outcome, reason, letters, why) in [
        ("refused", "not who they say", "-p-p", "refused, and they were told why"),
        ("refused", "", "-p-d", "refused, and no reason is on record"),
        ("withdrawn", "", "-p--", "withdrawn by whoever asked"),
    ] {
        let Some(place) = of_a_customer(c, rng, 45) else { return all };
        let them = &mut c.privacy.requests[place];
        (them.outcome, them.reason, them.verified) = (outcome, reason, None);
        them.done.clear();
        all.push(said(c, "refused", place, letters, why));
    }
    all
}

fn store_in_time(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp-", "done in the warehouse in the instant in which it was closed"),
        (MINUTE, "ppd-", "closed as fulfilled a minute before it was done in the warehouse"),
    ] {
        let Some(place) = of_a_customer(c, rng, 45) else { return all };
        let them = &mut c.privacy.requests[place];
        let closed = them.closed.unwrap_or(them.received);
        for done in them.done.iter_mut().filter(|d| d.store == "warehouse") {
            (done.outcome, done.at) = ("done", closed + late);
        }
        all.push(said(c, "too-early", place, letters, why));
    }
    all
}

fn store_given_up(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    // The old customer system holds data until a third of the period is over.
    let Some(End::At(given_up)) = c.privacy.held.iter().find(|h| h.store == "old-crm").map(|h| h.to) else {
        return vec![];
    };
    if c.shape.days < 90 {
        return vec![];
    }
    let place = asked(c, rng, given_up - 9 * DAY);
    let them = &mut c.privacy.requests[place];
    (them.people, them.outcome, them.reason) = ("customers", "fulfilled", "");
    them.verified = Some(given_up - 8 * DAY);
    close(c, rng, place, given_up);
    vec![said(
        c,
        "given-up",
        place,
        "ppp-",
        "closed in the instant in which an old store was given up, which needed nothing any more",
    )]
}

fn of_nobody_known(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(place) = of_a_customer(c, rng, 45) else { return vec![] };
    c.privacy.requests[place].people = "";
    let why =
        "nobody wrote down whether a customer asked or one of the staff: where their data lie cannot be told";
    vec![said(c, "whose", place, "ppn-", why)]
}
