//! Who is woken up: owners of alert rules and people on call (LOG-03), and who hears of an incident (INC-04).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// How long a rule may be without an owner; hours until it is decided who must hear of an incident, and until they have.
const OWNER: i64 = 7 * DAY;
const DECIDE: i64 = 72 * HOUR;
const TELL: i64 = 72 * HOUR;

#[derive(Clone, Debug)]
pub(crate) struct Watcher {
    pub(crate) key: String,
    pub(crate) severity: &'static str,
    pub(crate) escalates: Option<bool>,
    pub(crate) from: i64,
    /// Who owned it, `None` where nobody knows; from when, until when.
    pub(crate) owners: Vec<(Option<usize>, i64, End)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Rota {
    pub(crate) key: String,
    pub(crate) from: i64,
    pub(crate) to: End,
    pub(crate) shifts: Vec<(Option<usize>, i64, i64)>,
}

/// What was decided of those who may have to hear of an incident.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(crate) incident: String,
    pub(crate) to: &'static str,
    pub(crate) needed: bool,
    pub(crate) decided: i64,
    pub(crate) by: usize,
    pub(crate) due: End,
    /// When they were told; `None` where they were not.
    pub(crate) told: Option<i64>,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..4 + c.shape.systems / 2 {
        let from = c.clock.from - rng.between(100, 900) * DAY;
        watched(c, rng, from);
    }
    let from = c.clock.from - 200 * DAY;
    on_call(c, rng, "core-rota".to_owned(), from, End::Never);
}

/// A rule that somebody owns, and hands over now and then.
fn watched(c: &mut Company, rng: &mut Rng, from: i64) -> usize {
    let number = c.operations.watchers.len() + 1;
    let what = rng.pick(&["latency", "errors", "disk", "queue", "logins"]);
    let severity = rng.pick(&["critical", "high", "medium", "low"]);
    let (first, second) = (Some(rng.below(CORE)), Some(rng.below(CORE)));
    let mut owners = vec![(first, from, End::Never)];
    if rng.chance(40)
        && let Some(at) = c.clock.some_day(rng, 5, 5)
        && at > from
    {
        owners = vec![(first, from, End::At(at)), (second, at, End::Never)];
    }
    let key = format!("{what}-{number}");
    c.operations.watchers.push(Watcher { key, severity, escalates: Some(true), from, owners });
    number - 1
}

/// A week each, for as long as somebody has to be.
fn on_call(c: &mut Company, rng: &mut Rng, key: String, from: i64, to: End) -> usize {
    let mut shifts = vec![];
    let mut at = from;
    while at <= c.clock.cutoff && to.after(at) {
        shifts.push((Some(rng.below(CORE)), at, at + 7 * DAY));
        at += 7 * DAY;
    }
    c.operations.rotas.push(Rota { key, from, to, shifts });
    c.operations.rotas.len() - 1
}

/// Of every incident there is by then somebody decides who must hear of it.
pub(crate) fn notices(c: &mut Company, rng: &mut Rng) {
    for place in 0..c.incidents.len() {
        let (incident, declared) = (c.incidents[place].key.clone(), c.incidents[place].declared);
        let by = rng.below(CORE);
        let decided = declared + rng.between(1, 40) * HOUR;
        if rng.chance(70) {
            let (to, due, told) = ("all", End::Never, None);
            c.operations.notices.push(Notice { incident, to, needed: false, decided, by, due, told });
            continue;
        }
        for to in ["customers", "authority", "persons"] {
            let needed = to == "customers";
            let told = needed.then(|| decided + rng.between(1, 30) * HOUR);
            let (incident, due) = (incident.clone(), End::Never);
            c.operations.notices.push(Notice { incident, to, needed, decided, by, due, told });
        }
    }
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("owner-boundary", owner_boundary),
    ("owned-by-script", owned_by_script),
    ("owner-unknown", owner_unknown),
    ("unset", unset),
    ("nobody-next", nobody_next),
    ("hour-without", hour_without),
    ("never-without", never_without),
    ("script-on-call", script_on_call),
    ("shift-unknown", shift_unknown),
];

fn of_watcher(c: &Company, case: &'static str, watcher: usize, letters: &str, why: &str) -> Seeded {
    seeded(("LOG-03", "alert_rules_owned", case), &c.operations.watchers[watcher].key, letters, why)
}

fn of_rota(c: &Company, case: &'static str, rota: usize, letters: &str, why: &str) -> Seeded {
    seeded(("LOG-03", "alert_rules_owned", case), &c.operations.rotas[rota].key, letters, why)
}

fn another(c: &mut Company, rng: &mut Rng) -> usize {
    let from = c.clock.from - 300 * DAY;
    watched(c, rng, from)
}

fn owner_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp-", "without an owner for a week, to the millisecond"),
        (SECOND, "dpp-", "without an owner for a week and a second"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 15) else { return all };
        let watcher = another(c, rng);
        let them = &mut c.operations.watchers[watcher];
        them.owners = vec![(Some(1), them.from, End::At(at)), (Some(2), at + OWNER + late, End::Never)];
        all.push(of_watcher(c, "owner-boundary", watcher, letters, why));
    }
    all
}

fn owned_by_script(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let watcher = another(c, rng);
    let them = &mut c.operations.watchers[watcher];
    them.owners = vec![(Some(MACHINE), them.from, End::Never)];
    vec![of_watcher(c, "owned-by-script", watcher, "dpp-", "a service account owns it").last_day("d")]
}

fn owner_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let watcher = another(c, rng);
    let them = &mut c.operations.watchers[watcher];
    them.owners = vec![(None, them.from, End::Never)];
    vec![of_watcher(c, "owner-unknown", watcher, "jpp-", "somebody owned it, and nobody knows who")]
}

fn unset(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let watcher = another(c, rng);
    c.operations.watchers[watcher].severity = "unset";
    vec![of_watcher(c, "unset", watcher, "pdp-", "its alerts have no severity").last_day(".d")]
}

fn nobody_next(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (escalates, letters, why) in [
        (Some(false), "ppd-", "where nobody answers, nobody else is called"),
        (None, "ppn-", "nobody could say whether somebody else is called"),
    ] {
        let watcher = another(c, rng);
        c.operations.watchers[watcher].escalates = escalates;
        all.push(of_watcher(c, "nobody-next", watcher, letters, why).last_day(&letters[..3]));
    }
    all
}

/// A rota of two months.
fn for_two_months(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let from = c.clock.some_day(rng, 5, 65)?;
    let key = format!("rota-{}", c.operations.rotas.len() + 1);
    Some(on_call(c, rng, key, from, End::At(from + 60 * DAY)))
}

fn hour_without(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(rota) = for_two_months(c, rng) else { return vec![] };
    c.operations.rotas[rota].shifts[3].2 -= HOUR;
    vec![of_rota(c, "hour-without", rota, "---d", "for an hour between two shifts nobody was on call")]
}

fn never_without(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(rota) = for_two_months(c, rng) else { return vec![] };
    // Handed over half a day early: two were on call.
    c.operations.rotas[rota].shifts[3].1 -= 12 * HOUR;
    vec![of_rota(c, "never-without", rota, "---p", "two were on call for half a day, and never nobody")]
}

fn script_on_call(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(rota) = for_two_months(c, rng) else { return vec![] };
    c.operations.rotas[rota].shifts[2].0 = Some(MACHINE);
    vec![of_rota(c, "script-on-call", rota, "---d", "for a week a service account was on call")]
}

fn shift_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(rota) = for_two_months(c, rng) else { return vec![] };
    c.operations.rotas[rota].shifts[2].0 = None;
    vec![of_rota(c, "shift-unknown", rota, "---j", "for a week nobody knows who was on call")]
}

// ---- INC-04

pub(crate) const NOTICES: &[(&str, Case)] = &[
    ("not-decided", not_decided),
    ("one-not-decided", one_not_decided),
    ("decided-boundary", decided_boundary),
    ("told-boundary", told_boundary),
    ("contract", contract),
    ("not-told", not_told),
    ("decided-by-script", decided_by_script),
];

fn of_incident(case: &'static str, incident: &(String, i64), letters: &str, why: &str) -> Seeded {
    seeded(("INC-04", "incident_notification", case), &incident.0, letters, why).at(incident.1)
}

/// An incident of the period with days to its end, of which nothing was made yet; what was decided of it is gone.
fn an_incident(c: &mut Company, rng: &mut Rng) -> Option<(String, i64)> {
    for _ in 0..40 {
        if c.incidents.is_empty() {
            return None;
        }
        let place = rng.below(c.incidents.len());
        let (key, at) = (c.incidents[place].key.clone(), c.incidents[place].declared);
        if at >= c.clock.from
            && at < c.clock.to.min(c.clock.cutoff) - 8 * DAY
            && c.take(format!("notices of {key}"))
        {
            c.operations.notices.retain(|notice| notice.incident != key);
            return Some((key, at));
        }
    }
    None
}

/// Decided for everybody at once, so long after it was declared.
fn decide(c: &mut Company, rng: &mut Rng, incident: &(String, i64), after: i64, told: Option<i64>) -> usize {
    let (by, due) = (rng.below(CORE), End::Never);
    c.operations.notices.push(Notice {
        incident: incident.0.clone(),
        to: "all",
        needed: told.is_some(),
        decided: incident.1 + after,
        by,
        due,
        told: told.map(|after| incident.1 + after),
    });
    c.operations.notices.len() - 1
}

fn not_decided(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(incident) = an_incident(c, rng) else { return vec![] };
    vec![of_incident("not-decided", &incident, "d-", "nobody ever asked who must hear of it")]
}

fn one_not_decided(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(incident) = an_incident(c, rng) else { return vec![] };
    for to in ["customers", "persons"] {
        let notice = decide(c, rng, &incident, 5 * HOUR, None);
        c.operations.notices[notice].to = to;
    }
    vec![of_incident(
        "one-not-decided",
        &incident,
        "d-",
        "of the authority nobody asked whether it must hear of it",
    )]
}

fn decided_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "p-", "decided 72 hours after it was declared, to the second"),
        (SECOND, "d-", "decided 72 hours and a second after it was declared"),
    ] {
        let Some(incident) = an_incident(c, rng) else { return all };
        decide(c, rng, &incident, DECIDE + late, None);
        all.push(of_incident("decided-boundary", &incident, letters, why));
    }
    all
}

fn told_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "pp", "told 72 hours after it was declared, to the second"),
        (SECOND, "pd", "told 72 hours and a second after it was declared"),
    ] {
        let Some(incident) = an_incident(c, rng) else { return all };
        decide(c, rng, &incident, 9 * HOUR, Some(TELL + late));
        all.push(of_incident("told-boundary", &incident, letters, why));
    }
    all
}

fn contract(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(incident) = an_incident(c, rng) else { return vec![] };
    let notice = decide(c, rng, &incident, 9 * HOUR, Some(30 * HOUR));
    c.operations.notices[notice].due = End::At(incident.1 + 24 * HOUR);
    let why = "told after thirty hours, where a contract wants it within a day";
    vec![of_incident("contract", &incident, "pd", why)]
}

fn not_told(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(incident) = an_incident(c, rng) else { return vec![] };
    let notice = decide(c, rng, &incident, 9 * HOUR, None);
    c.operations.notices[notice].needed = true;
    vec![of_incident("not-told", &incident, "pd", "decided that they must hear of it, and nobody told them")]
}

fn decided_by_script(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some(incident) = an_incident(c, rng) else { return all };
    let notice = decide(c, rng, &incident, HOUR, None);
    c.operations.notices[notice].by = MACHINE;
    all.push(of_incident(
        "decided-by-script",
        &incident,
        "d-",
        "a script enters that nobody must hear of anything",
    ));
    let Some(incident) = an_incident(c, rng) else { return all };
    let notice = decide(c, rng, &incident, HOUR, None);
    c.operations.notices[notice].by = MACHINE;
    decide(c, rng, &incident, 20 * HOUR, None);
    let why = "a script entered that nobody must hear of it, and a person decided the same a day later";
    all.push(of_incident("decided-by-script", &incident, "p-", why));
    all
}
