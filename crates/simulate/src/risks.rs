//! What can go wrong, who answers for it (RSK-02), and whether somebody sits down once a year to ask (RSK-01).

use crate::Case;
use crate::clock::{DAY, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::{CORE, leaver};
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Days for which an assessment is good, and until it is approved; days from one report to the next.
const GOOD: i64 = 365;
const APPROVED: i64 = 30;
const REPORT: i64 = 100;

/// The register of risks, and the assessments that filled it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Register {
    pub(crate) risks: Vec<Risk>,
    pub(crate) assessments: Vec<Assessment>,
}

#[derive(Clone, Debug)]
pub(crate) struct Risk {
    pub(crate) key: String,
    pub(crate) level: &'static str,
    pub(crate) found: i64,
    pub(crate) owner: Option<usize>,
    pub(crate) treatment: &'static str,
    pub(crate) due: Option<i64>,
    /// Accepted: by whom, until when.
    pub(crate) accepted: Option<(usize, i64)>,
    pub(crate) closed: End,
    pub(crate) reports: Vec<(i64, usize)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Assessment {
    pub(crate) key: String,
    pub(crate) subject: String,
    pub(crate) at: i64,
    pub(crate) by: usize,
    /// Fraud, vendors, artificial intelligence, threats.
    pub(crate) covers: [Option<bool>; 4],
    pub(crate) approved: Option<(i64, usize)>,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..6 + c.shape.people / 12 {
        let level = rng.pick(&["critical", "high", "high", "medium", "low"]);
        let found = c.clock.from - rng.between(10, 700) * DAY;
        risk(c, rng, level, found);
    }
    let subject = "company".to_owned();
    yearly(c, rng, &subject);
}

/// A risk that is owned, treated and reported as it should be.
fn risk(c: &mut Company, rng: &mut Rng, level: &'static str, found: i64) -> usize {
    let mut reports = vec![];
    let mut at = found + rng.between(60, 95) * DAY;
    let owner = rng.below(CORE);
    while at <= c.clock.cutoff {
        reports.push((at, owner));
        at += rng.between(70, 98) * DAY;
    }
    let due = c.clock.to + rng.between(5, 300) * DAY;
    let (treatment, due, accepted) = if rng.chance(25) {
        ("accept", None, Some((rng.below(CORE), due)))
    } else {
        (rng.pick(&["mitigate", "mitigate", "transfer", "avoid"]), Some(due), None)
    };
    let key = format!("RISK-{}", c.register.risks.len() + 1);
    let owner = Some(owner);
    c.register.risks.push(Risk {
        key,
        level,
        found,
        owner,
        treatment,
        due,
        accepted,
        closed: End::Never,
        reports,
    });
    c.register.risks.len() - 1
}

/// Something that is assessed every year, a little before the year is over, since four years before the period.
fn yearly(c: &mut Company, rng: &mut Rng, subject: &str) {
    let mut at = c.clock.from - rng.between(1_200, 1_500) * DAY;
    while at <= c.clock.cutoff {
        assessed(c, rng, subject, at);
        at += rng.between(330, 364) * DAY;
    }
}

fn assessed(c: &mut Company, rng: &mut Rng, subject: &str, at: i64) -> usize {
    let by = rng.below(CORE);
    let approved = Some((at + rng.between(1, 28) * DAY, (by + 1 + rng.below(CORE - 1)) % CORE));
    let key = format!("RA-{}", c.register.assessments.len() + 1);
    let subject = subject.to_owned();
    c.register.assessments.push(Assessment { key, subject, at, by, covers: [Some(true); 4], approved });
    c.register.assessments.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("risk-unowned", unowned),
    ("risk-overdue", overdue),
    ("risk-accepted", accepted),
    ("risk-unreported", unreported),
    ("risk-tolerated", tolerated),
    ("assessment-year", year),
    ("assessment-left-out", left_out),
    ("assessment-approved", approved),
];

// ---- RSK-02

fn of_risk(c: &Company, case: &'static str, risk: usize, letters: &str, why: &str) -> Seeded {
    seeded(("RSK-02", "risk_treatment", case), &c.register.risks[risk].key, letters, why).last_day(letters)
}

/// A high one, to be mitigated, with a date to come.
fn a_risk(c: &mut Company, rng: &mut Rng) -> usize {
    let found = c.clock.from - rng.between(100, 500) * DAY;
    let risk = risk(c, rng, "high", found);
    let due = c.clock.to + 90 * DAY;
    let them = &mut c.register.risks[risk];
    (them.treatment, them.due, them.accepted) = ("mitigate", Some(due), None);
    risk
}

fn unowned(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let none = a_risk(c, rng);
    c.register.risks[none].owner = None;
    let script = a_risk(c, rng);
    c.register.risks[script].owner = Some(MACHINE);
    let mut all = vec![
        of_risk(c, "risk-unowned", none, "npp", "a high risk of which nobody says who owns it"),
        of_risk(c, "risk-unowned", script, "dpp", "a high risk that a script is said to own"),
    ];
    if let Some((person, _, at)) = leaver(c, rng, "employee", 10) {
        let left = a_risk(c, rng);
        c.register.risks[left].owner = Some(person);
        let closed = a_risk(c, rng);
        (c.register.risks[closed].owner, c.register.risks[closed].closed) = (Some(person), End::At(at));
        all.push(of_risk(c, "risk-owner-left", left, "dpp", "its owner left, and nobody took over"));
        let why = "closed in the instant in which its owner left";
        all.push(seeded(
            ("RSK-02", "risk_treatment", "risk-owner-left"),
            &c.register.risks[closed].key,
            "ppp",
            why,
        ));
    }
    all
}

fn overdue(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let end = c.clock.to - 1;
    let mut all = vec![];
    for (treatment, due, letters, why) in [
        ("mitigate", Some(end), "ppp", "its date is the last instant of the period"),
        (
            "mitigate",
            Some(end - SECOND),
            "pdp",
            "its date passed a second before the end of the period, and it is open",
        ),
        ("mitigate", None, "pnp", "to be mitigated, and nobody says by when"),
        ("", Some(end + 90 * DAY), "pnp", "nobody says what is to be done"),
        ("none", Some(end + 90 * DAY), "pdp", "nothing is to be done, as the register says"),
    ] {
        let risk = a_risk(c, rng);
        (c.register.risks[risk].treatment, c.register.risks[risk].due) = (treatment, due);
        let said = of_risk(c, "risk-overdue", risk, letters, why);
        all.push(said);
    }
    all
}

fn accepted(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let end = c.clock.to - 1;
    let mut all = vec![];
    for (by, until, letters, why) in [
        (Some(0), end + SECOND, "ppp", "accepted by a named person until after the end of the period"),
        (Some(0), end - SECOND, "pdp", "accepted, and that was over a second before the end of the period"),
        (Some(MACHINE), end + 90 * DAY, "pdp", "accepted by a script"),
        (None, 0, "pnp", "said to be accepted, and nobody says by whom"),
    ] {
        let risk = a_risk(c, rng);
        let them = &mut c.register.risks[risk];
        (them.treatment, them.due) = ("accept", None);
        them.accepted = by.map(|by| (by, until));
        all.push(of_risk(c, "risk-accepted", risk, letters, why));
    }
    let vague = a_risk(c, rng);
    c.register.risks[vague].closed = End::Unknown;
    all.push(of_risk(c, "risk-closed-sometime", vague, "nnn", "closed, and nobody wrote down when"));
    all
}

fn unreported(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some(at) = c.clock.some_day(rng, 5, 1) else { return all };
    for (late, letters, why) in [
        (Some(0), "ppp", "reported again a hundred days later, to the millisecond"),
        (Some(SECOND), "ppd", "reported again a hundred days and a second later"),
        (None, "ppd", "never reported"),
    ] {
        let risk = a_risk(c, rng);
        let them = &mut c.register.risks[risk];
        match late {
            Some(late) => {
                // Both lie around an instant of the period, and others go on from there.
                let first = at - late - REPORT * DAY + SECOND;
                them.reports = (0..12).map(|n| (first - n * 90 * DAY, 0)).collect();
                them.reports.extend((0..12).map(|n| (at + SECOND + n * 90 * DAY, 0)));
            }
            None => them.reports.clear(),
        }
        let said = seeded(
            ("RSK-02", "risk_treatment", "risk-unreported"),
            &c.register.risks[risk].key,
            letters,
            why,
        );
        all.push(if late.is_none() { said.last_day(letters) } else { said.last_day("pp.") });
    }
    let script = a_risk(c, rng);
    for report in &mut c.register.risks[script].reports {
        report.1 = MACHINE;
    }
    all.push(of_risk(
        c,
        "risk-unreported",
        script,
        "ppd",
        "a script reports every quarter, and nobody else does",
    ));
    all
}

fn tolerated(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let risk = a_risk(c, rng);
    let them = &mut c.register.risks[risk];
    (them.level, them.owner) = ("medium", None);
    them.reports.clear();
    let gone = a_risk(c, rng);
    let them = &mut c.register.risks[gone];
    (them.closed, them.owner) = (End::At(c.clock.from - DAY), None);
    let of = |c: &Company, risk: usize, why| {
        seeded(("RSK-02", "risk_treatment", "risk-tolerated"), &c.register.risks[risk].key, "absent", why)
    };
    vec![
        of(c, risk, "nobody owns it, and it is no graver than is tolerated"),
        of(c, gone, "nobody owned it, and it was closed a day before the period"),
    ]
}

// ---- RSK-01

fn of_year(c: &Company, case: &'static str, assessment: usize, letters: &str, why: &str) -> Seeded {
    seeded(("RSK-01", "risk_assessed", case), &c.register.assessments[assessment].key, letters, why)
}

/// Something that is assessed by itself.
fn a_subject(c: &Company) -> String {
    format!("product-{}", c.register.assessments.len())
}

fn year(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (Some(0), "ppp", "another followed 365 days later, to the second"),
        (Some(SECOND), "ppd", "another followed 365 days and a second later"),
        (None, "ppd", "none followed it for more than a year"),
    ] {
        let Some(next) = c.clock.some_day(rng, 3, 10) else { return all };
        let subject = a_subject(c);
        let first = assessed(c, rng, &subject, next - GOOD * DAY - late.unwrap_or(0));
        if late.is_some() {
            assessed(c, rng, &subject, next);
        }
        all.push(of_year(c, "assessment-year", first, letters, why).last_day("..."));
        if late.is_none() {
            let last = all.len() - 1;
            all[last] = all[last].clone().last_day("--d");
        }
    }
    let subject = a_subject(c);
    let old = assessed(c, rng, &subject, c.clock.from - 700 * DAY);
    all.push(
        of_year(c, "assessment-year", old, "--d", "the last one is of two years before").last_day("--d"),
    );
    all
}

/// One that is good all period long.
fn this_year(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 0, 35)?;
    let subject = a_subject(c);
    Some(assessed(c, rng, &subject, at))
}

fn left_out(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (place, said, letters, why) in [
        (0, Some(false), "dpp", "fraud was left out"),
        (2, Some(false), "dpp", "the use of artificial intelligence was left out"),
        (3, None, "npp", "nobody says whether present threats were considered"),
    ] {
        let Some(one) = this_year(c, rng) else { return all };
        c.register.assessments[one].covers[place] = said;
        all.push(of_year(c, "assessment-left-out", one, letters, why).last_day(letters));
    }
    all
}

fn approved(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, who, letters, why) in [
        (Some(0), "other", "ppp", "approved thirty days later, to the second"),
        (Some(SECOND), "other", "pdp", "approved thirty days and a second later"),
        (Some(-DAY), "self", "pdp", "approved by whoever answers for it"),
        (Some(-DAY), "script", "pdp", "approved by a script"),
        (None, "", "pdp", "approved by nobody"),
    ] {
        let Some(one) = this_year(c, rng) else { return all };
        let them = &mut c.register.assessments[one];
        let by = match who {
            "self" => them.by,
            "script" => MACHINE,
            _ => (them.by + 1) % CORE,
        };
        them.approved = late.map(|late| (them.at + APPROVED * DAY + late, by));
        all.push(of_year(c, "assessment-approved", one, letters, why).last_day(letters));
    }
    all
}
