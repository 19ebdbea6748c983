//! What the company promises (GOV-05), what it finds wrong with itself (GOV-08), and what the description of its system names
//! (GOV-10).

use crate::Case;
use crate::clock::{DAY, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::{CORE, leaver};
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};
use crate::vendors::{long_used, used};

/// Days until a promise is gone through again, until what was found has to be dated at the latest, and within which the description
/// follows what is in use.
const READ: i64 = 365;
const DATED: i64 = 180;
const FOLLOWS: i64 = 30;

/// What the company keeps of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assurance {
    pub(crate) promises: Vec<Promise>,
    pub(crate) deficiencies: Vec<Deficiency>,
    pub(crate) parts: Vec<Part>,
}

#[derive(Clone, Debug)]
pub(crate) struct Promise {
    pub(crate) key: String,
    pub(crate) kind: &'static str,
    pub(crate) control: &'static str,
    /// The objective that measures it, and the minutes of a million that are promised.
    pub(crate) measure: Option<String>,
    pub(crate) number: Option<i64>,
    pub(crate) from: i64,
    pub(crate) readings: Vec<(i64, usize)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Deficiency {
    pub(crate) key: String,
    pub(crate) found: i64,
    pub(crate) owner: Option<usize>,
    pub(crate) due: End,
    pub(crate) accepted: Option<usize>,
    pub(crate) closed: End,
    /// Second looks: when, who, whether it was put right.
    pub(crate) looks: Vec<(i64, usize, Option<bool>)>,
}

/// The description names something for a while.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) subject: Subject,
    pub(crate) from: i64,
    pub(crate) to: End,
}

#[derive(Clone, Debug)]
pub(crate) enum Subject {
    System(usize),
    Vendor(usize),
}

/// Promises that are kept track of, things that were found and put right, and a description that follows what is in use.
pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for (kind, control, measured) in [
        ("sla", "AVL-03", true),
        ("contract", "INC-04", false),
        ("contract", "CON-03", false),
        ("website", "CRY-02", false),
        ("policy", "PRV-04", false),
    ] {
        let promise = promised(c, rng, kind, control);
        if measured {
            measured_by(c, promise, 0);
        }
    }
    for _ in 0..5 + c.shape.people / 20 {
        let found = c.clock.from + rng.between(-150, i64::from(c.shape.days) - 1) * DAY;
        let lasts = rng.between(20, 120);
        let deficiency = found_wrong(c, rng, found, lasts);
        if rng.chance(20) {
            let them = &mut c.assurance.deficiencies[deficiency];
            them.looks.clear();
            them.accepted = them.owner.map(|owner| (owner + 1) % CORE);
        }
    }
    for system in 0..c.systems.len() {
        let (from, to) = (c.systems[system].from, c.systems[system].to);
        named(c, Subject::System(system), from + 10 * DAY, later(to, 9 * DAY));
    }
    for vendor in 0..c.vendors.len() {
        if !c.taken.contains(&about(&c.vendors[vendor].key)) {
            let (from, to) = (c.vendors[vendor].from, c.vendors[vendor].to);
            named(
                c,
                Subject::Vendor(vendor),
                from + rng.between(-20, 25) * DAY,
                later(to, rng.between(0, 28) * DAY),
            );
        }
    }
}

const fn later(end: End, by: i64) -> End {
    match end {
        End::At(at) => End::At(at + by),
        other => other,
    }
}

fn about(vendor: &str) -> String {
    format!("described {vendor}")
}

fn named(c: &mut Company, subject: Subject, from: i64, to: End) {
    c.assurance.parts.push(Part { subject, from, to });
}

/// A promise of years, gone through every year.
fn promised(c: &mut Company, rng: &mut Rng, kind: &'static str, control: &'static str) -> usize {
    let from = c.clock.from - rng.between(400, 1_500) * DAY;
    let mut readings = vec![];
    let mut at = c.clock.to - rng.between(5, 300) * DAY;
    while at > from {
        readings.push((at, rng.below(CORE)));
        at -= rng.between(300, 360) * DAY;
    }
    let key = format!("P-{}", c.assurance.promises.len() + 1);
    c.assurance.promises.push(Promise { key, kind, control, measure: None, number: None, from, readings });
    c.assurance.promises.len() - 1
}

/// The first service's objective measures it, and asks for so much less.
fn measured_by(c: &mut Company, promise: usize, less: i64) {
    let objective = c.objectives[0].clone();
    let them = &mut c.assurance.promises[promise];
    (them.measure, them.number) = (Some(objective.key), Some(objective.target + less));
}

/// Something that was found then, and put right so many days later, a little before its date.
fn found_wrong(c: &mut Company, rng: &mut Rng, found: i64, lasts: i64) -> usize {
    let closed = found + lasts * DAY;
    let key = format!("DF-{}", c.assurance.deficiencies.len() + 1);
    let owner = rng.below(CORE);
    c.assurance.deficiencies.push(Deficiency {
        key,
        found,
        owner: Some(owner),
        due: End::At(closed + rng.between(0, 40) * DAY),
        accepted: None,
        closed: End::At(closed),
        looks: vec![(closed - rng.between(0, 4) * DAY, (owner + 1) % CORE, Some(true))],
    });
    c.assurance.deficiencies.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("promise-answered", answered),
    ("promise-measured", number),
    ("promise-read", read),
    ("deficiency-owner", owners),
    ("deficiency-date", dates),
    ("deficiency-looked-again", looked_again),
    ("description", description),
];

// ---- GOV-05

fn of_promise(c: &Company, case: &'static str, promise: usize, letters: &str, why: &str) -> Seeded {
    let key = &c.assurance.promises[promise].key;
    seeded(("GOV-05", "commitments_registered", case), key, letters, why).last_day(letters)
}

fn answered(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (control, letters, why) in [
        ("none", "d-p", "promised on a page, and no control answers to it"),
        ("", "n-p", "nobody says which control answers to it"),
    ] {
        let promise = promised(c, rng, "website", control);
        all.push(of_promise(c, "promise-answered", promise, letters, why));
    }
    all
}

fn number(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (less, letters, why) in [
        (0, "ppp", "promised exactly as much as its objective asks for"),
        (1, "pdp", "promised one minute of a million more than its objective asks for"),
    ] {
        let promise = promised(c, rng, "sla", "AVL-03");
        measured_by(c, promise, less);
        all.push(of_promise(c, "promise-measured", promise, letters, why));
    }
    for (measure, letters, why) in [
        (Some("sla-of-old"), "pdp", "measured by an objective that is not there"),
        (None, "pnp", "a number is promised, and nobody says what measures it"),
    ] {
        let promise = promised(c, rng, "contract", "AVL-03");
        let them = &mut c.assurance.promises[promise];
        (them.measure, them.number) = (measure.map(str::to_owned), Some(995_000));
        all.push(of_promise(c, "promise-measured", promise, letters, why));
    }
    all
}

fn read(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let end = c.clock.to - 1;
    for (at, by, letters, why) in [
        (Some(end - READ * DAY), 2, "p-p", "gone through 365 days before the end, to the millisecond"),
        (Some(end - READ * DAY - SECOND), 2, "p-d", "gone through 365 days and a second before the end"),
        (Some(end - 20 * DAY), MACHINE, "p-d", "gone through by a script"),
        (None, 0, "p-d", "never gone through"),
    ] {
        let promise = promised(c, rng, "contract", "INC-04");
        c.assurance.promises[promise].readings = at.map(|at| (at, by)).into_iter().collect();
        all.push(of_promise(c, "promise-read", promise, letters, why));
    }
    let new = promised(c, rng, "contract", "INC-04");
    (c.assurance.promises[new].from, c.assurance.promises[new].readings) = (end - 200 * DAY, vec![]);
    all.push(of_promise(
        c,
        "promise-read",
        new,
        "p-y",
        "promised two hundred days ago, and not gone through yet",
    ));
    all
}

// ---- GOV-08

fn of_deficiency(c: &Company, case: &'static str, deficiency: usize, letters: &str, why: &str) -> Seeded {
    let key = &c.assurance.deficiencies[deficiency].key;
    seeded(("GOV-08", "deficiencies_closed", case), key, letters, why)
}

/// Found in the period, and put right in it forty days later.
fn one(c: &mut Company, rng: &mut Rng) -> Option<(usize, i64)> {
    let closed = c.clock.some_day(rng, 50, 10)?;
    let deficiency = found_wrong(c, rng, closed - 40 * DAY, 40);
    Some((deficiency, closed))
}

fn owners(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (owner, letters, why) in [
        (None, "npp", "nobody says who has to see to it"),
        (Some(MACHINE), "dpp", "a script has to see to it"),
    ] {
        let Some((deficiency, _)) = one(c, rng) else { return all };
        c.assurance.deficiencies[deficiency].owner = owner;
        all.push(of_deficiency(c, "deficiency-owner", deficiency, letters, why));
    }
    let Some((person, _, at)) = leaver(c, rng, "employee", 30) else { return all };
    for (closed, letters, why) in [
        (at + 10 * DAY, "dpp", "whoever had to see to it left ten days before it was closed"),
        (at, "ppp", "closed in the instant in which whoever had seen to it left"),
    ] {
        let deficiency = found_wrong(c, rng, closed - 30 * DAY, 30);
        c.assurance.deficiencies[deficiency].owner = Some(person);
        all.push(of_deficiency(c, "deficiency-owner", deficiency, letters, why));
    }
    all
}

fn dates(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (due, letters, why) in [
        (Some(0), "ppp", "closed on its date, to the second"),
        (Some(-SECOND), "pdp", "closed a second after its date"),
        (Some((DATED - 40) * DAY), "ppp", "its date was 180 days after it was found, to the second"),
        (Some((DATED - 40) * DAY + SECOND), "pdp", "its date was 180 days and a second after it was found"),
        (None, "pdp", "no date was set"),
    ] {
        let Some((deficiency, closed)) = one(c, rng) else { return all };
        c.assurance.deficiencies[deficiency].due = due.map_or(End::Never, |after| End::At(closed + after));
        all.push(of_deficiency(c, "deficiency-date", deficiency, letters, why));
    }
    for (due, letters, why) in [
        (0, "pyy", "open, and its date is the last instant of the period"),
        (-SECOND, "pdy", "open, and its date was a second before the last instant of the period"),
    ] {
        let end = c.clock.to - 1;
        let deficiency = found_wrong(c, rng, end - 100 * DAY, 0);
        let them = &mut c.assurance.deficiencies[deficiency];
        (them.due, them.closed, them.looks) = (End::At(end + due), End::Never, vec![]);
        all.push(of_deficiency(c, "deficiency-date", deficiency, letters, why).last_day(letters));
    }
    all
}

fn looked_again(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (what, letters, why) in [
        ("none", "ppd", "closed, and nobody had looked again"),
        ("script", "ppd", "closed after a script had looked again"),
        ("failed", "ppd", "closed after somebody had looked again and found it as it was"),
        ("after", "ppd", "somebody looked again a second after it was closed"),
        ("unknown", "ppn", "somebody looked again, and nobody says what they found"),
        ("accepted", "ppp", "nobody looked again, and somebody other than its owner accepts it"),
        ("themselves", "ppd", "nobody looked again, and its owner accepts it"),
        ("undated", "nnn", "said to be closed, and nobody says since when"),
    ] {
        let Some((deficiency, closed)) = one(c, rng) else { return all };
        let them = &mut c.assurance.deficiencies[deficiency];
        let other = them.owner.map_or(0, |owner| (owner + 2) % CORE);
        match what {
            "none" => them.looks.clear(),
            "script" => them.looks[0].1 = MACHINE,
            "failed" => them.looks[0].2 = Some(false),
            "after" => them.looks[0].0 = closed + SECOND,
            "unknown" => them.looks[0].2 = None,
            "undated" => them.closed = End::Unknown,
            _ => {
                them.looks.clear();
                them.accepted = if what == "accepted" { Some(other) } else { them.owner };
            }
        }
        let said = of_deficiency(c, "deficiency-looked-again", deficiency, letters, why);
        all.push(if what == "undated" { said.last_day(letters) } else { said });
    }
    all
}

// ---- GOV-10

fn description(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let said = |c: &Company, vendor: usize, letters: &str, why: &str| {
        seeded(("GOV-10", "system_described", "description"), &c.vendors[vendor].key, letters, why)
    };
    let take = |c: &mut Company, vendor: usize| {
        let key = about(&c.vendors[vendor].key);
        c.take(key)
    };
    let vendor = long_used(c, rng, "low");
    take(c, vendor);
    all.push(said(c, vendor, "d-", "used for years, and the description does not name it").last_day("d-"));
    let vendor = long_used(c, rng, "low");
    take(c, vendor);
    let from = c.vendors[vendor].from;
    named(c, Subject::Vendor(vendor), from, End::At(c.clock.to - DAY));
    all.push(said(c, vendor, "d-", "left out of the description while it is in use").last_day("d-"));
    let vendor = long_used(c, rng, "low");
    take(c, vendor);
    named(c, Subject::Vendor(vendor), from, End::Unknown);
    all.push(said(c, vendor, "n-", "left out of the description nobody says when").last_day("n-"));
    let end = c.clock.to - 1;
    for (more, letters, why) in [
        (0, "y-", "in use for thirty days in the last instant of the period, and not named yet"),
        (SECOND, "d-", "in use for thirty days and a second, and not named yet"),
    ] {
        let vendor = used(c, rng, "low", end - FOLLOWS * DAY - more);
        take(c, vendor);
        all.push(said(c, vendor, letters, why).last_day(letters));
    }
    for (after, letters, why) in [
        (FOLLOWS * DAY, "pp", "given up, and named for thirty days more"),
        (FOLLOWS * DAY + SECOND, "pd", "given up, and named for thirty days and a second more"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 45) else { return all };
        let vendor = long_used(c, rng, "low");
        take(c, vendor);
        c.vendors[vendor].to = End::At(at);
        let from = c.vendors[vendor].from;
        named(c, Subject::Vendor(vendor), from, End::At(at + after));
        all.push(said(c, vendor, letters, why));
    }
    all
}
