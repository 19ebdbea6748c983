//! Unusual access and who judges it (LOG-05), and plans for incidents that are gone through and practised (INC-01).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Until when a finding is judged; until when a plan is gone through and practised again, and what that showed put right.
const JUDGE: i64 = 7 * DAY;
const AGAIN: i64 = 365 * DAY;
const ACTION: i64 = 90 * DAY;

/// A finding of unusual access, and what it was judged to be: what, when, by whom, why.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) key: String,
    pub(crate) found: i64,
    pub(crate) judged: Option<(&'static str, i64, Option<usize>, &'static str)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Playbook {
    pub(crate) key: String,
    pub(crate) from: i64,
    pub(crate) acts: Vec<Act>,
}

/// A review of a plan, or an exercise, and when what it showed was put right; `None` where it showed nothing.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) kind: &'static str,
    pub(crate) at: i64,
    pub(crate) by: Option<usize>,
    pub(crate) actions: Option<End>,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..10 + c.shape.people / 10 {
        if let Some(at) = c.clock.some_day(rng, 2, 2) {
            found(c, rng, at);
        }
    }
    for _ in 0..2 {
        plan(c, rng);
    }
}

/// Judged by a person within days.
fn found(c: &mut Company, rng: &mut Rng, at: i64) -> usize {
    let key = format!("unusual-{}", c.operations.findings.len() + 1);
    let what = rng.pick(&["explained", "explained", "noise", "incident"]);
    let judged = (what, at + rng.between(1, 160) * HOUR, Some(rng.below(CORE)), "asked whoever it was");
    c.operations.findings.push(Finding { key, found: at, judged: Some(judged) });
    c.operations.findings.len() - 1
}

/// A plan that is gone through and practised every year.
fn plan(c: &mut Company, rng: &mut Rng) -> usize {
    let from = c.clock.from - 1_000 * DAY;
    let mut acts = vec![];
    for kind in ["review", "exercise"] {
        let mut at = from + rng.between(100, 360) * DAY;
        while at <= c.clock.cutoff {
            let actions =
                (kind == "exercise" && rng.chance(50)).then(|| End::At(at + rng.between(3, 85) * DAY));
            acts.push(Act { kind, at, by: Some(rng.below(CORE)), actions });
            at += rng.between(300, 363) * DAY;
        }
    }
    c.operations.playbooks.push(Playbook {
        key: format!("playbook-{}", c.operations.playbooks.len() + 1),
        from,
        acts,
    });
    c.operations.playbooks.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("judged-boundary", judged_boundary),
    ("never-judged", never_judged),
    ("judged-by-script", judged_by_script),
    ("judged-by-nobody-known", judged_by_nobody_known),
    ("no-word-why", no_word_why),
    ("practised-boundary", practised_boundary),
    ("never-practised", never_practised),
    ("never-gone-through", never_gone_through),
    ("actions", actions),
    ("led-by-nobody-known", led_by_nobody_known),
    ("new-plan", new_plan),
];

fn of_finding(c: &Company, case: &'static str, finding: usize, letters: &str, why: &str) -> Seeded {
    seeded(("LOG-05", "anomalies_judged", case), &c.operations.findings[finding].key, letters, why)
}

fn another(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 2, 10)?;
    Some(found(c, rng, at))
}

fn judged_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "p", "judged a week after it was found, to the second"),
        (SECOND, "d", "judged a week and a second after it was found"),
    ] {
        let Some(finding) = another(c, rng) else { return all };
        let them = &mut c.operations.findings[finding];
        them.judged = Some(("noise", them.found + JUDGE + late, Some(0), "the probe of the auditors"));
        all.push(of_finding(c, "judged-boundary", finding, letters, why));
    }
    all
}

fn never_judged(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(finding) = another(c, rng) else { return vec![] };
    c.operations.findings[finding].judged = None;
    vec![of_finding(c, "never-judged", finding, "d", "nobody ever looked at it")]
}

fn judged_by_script(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(finding) = another(c, rng) else { return vec![] };
    let them = &mut c.operations.findings[finding];
    them.judged = Some(("noise", them.found + HOUR, Some(MACHINE), "seen before"));
    vec![of_finding(c, "judged-by-script", finding, "d", "a script closes what it has seen before")]
}

fn judged_by_nobody_known(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(finding) = another(c, rng) else { return vec![] };
    let them = &mut c.operations.findings[finding];
    them.judged = Some(("noise", them.found + HOUR, None, "seen before"));
    vec![of_finding(
        c,
        "judged-by-nobody-known",
        finding,
        "j",
        "judged within the hour, and nobody knows by whom",
    )]
}

fn no_word_why(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(finding) = another(c, rng) else { return vec![] };
    let them = &mut c.operations.findings[finding];
    them.judged = Some(("noise", them.found + HOUR, Some(0), ""));
    vec![of_finding(c, "no-word-why", finding, "j", "judged noise, without a word why")]
}

// ---- INC-01

fn of_plan(c: &Company, case: &'static str, plan: usize, letters: &str, why: &str) -> Seeded {
    seeded(("INC-01", "response_exercised", case), &c.operations.playbooks[plan].key, letters, why)
}

/// What was done for a plan of one kind is this, and nothing else; no exercise leaves anything to do.
fn only(c: &mut Company, plan: usize, kind: &'static str, at: &[i64]) {
    let acts = &mut c.operations.playbooks[plan].acts;
    acts.retain(|act| act.kind != kind);
    acts.extend(at.iter().map(|at| Act { kind, at: *at, by: Some(0), actions: None }));
    for act in acts {
        act.actions = None;
    }
}

fn practised_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "pp-", "practised again 365 days later, to the second"),
        (SECOND, "pd-", "practised again 365 days and a second later"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
        let plan = plan(c, rng);
        only(c, plan, "exercise", &[at - AGAIN - late, at]);
        all.push(of_plan(c, "practised-boundary", plan, letters, why));
    }
    all
}

fn never_practised(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let plan = plan(c, rng);
    only(c, plan, "exercise", &[]);
    vec![
        of_plan(c, "never-practised", plan, "pd-", "gone through every year, and never practised")
            .last_day(".d"),
    ]
}

fn never_gone_through(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let plan = plan(c, rng);
    only(c, plan, "review", &[]);
    let why = "practised every year, and never gone through since it was written";
    vec![of_plan(c, "never-gone-through", plan, "dp-", why).last_day("d")]
}

fn actions(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp", "what it showed was put right on the ninetieth day"),
        (SECOND, "ppd", "what it showed was put right a second after ninety days"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
        let plan = plan(c, rng);
        only(c, plan, "exercise", &[at - 600 * DAY, at - 300 * DAY, at]);
        if let Some(act) =
            c.operations.playbooks[plan].acts.iter_mut().find(|act| act.kind == "exercise" && act.at == at)
        {
            act.actions = Some(End::At(at + ACTION + late));
        }
        let letters = if at + ACTION > c.clock.cutoff { "ppy" } else { letters };
        all.push(of_plan(c, "actions", plan, letters, why));
    }
    all
}

fn led_by_nobody_known(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let plan = plan(c, rng);
    only(c, plan, "exercise", &[]);
    let at = c.clock.from - 20 * DAY;
    let (kind, by, actions) = ("exercise", None, None);
    c.operations.playbooks[plan].acts.push(Act { kind, at, by, actions });
    let why = "practised right before the period, and nobody knows who led that";
    // A year later it is overdue, whoever led it.
    let letters = if at + AGAIN + 1 < c.clock.to.min(c.clock.cutoff + 1) { "pd-" } else { "pj-" };
    let last = if letters == "pd-" { ".d" } else { "" };
    vec![of_plan(c, "led-by-nobody-known", plan, letters, why).last_day(last)]
}

fn new_plan(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(from) = c.clock.some_day(rng, 5, 5) else { return vec![] };
    if from + AGAIN < c.clock.to {
        return vec![];
    }
    let plan = plan(c, rng);
    let them = &mut c.operations.playbooks[plan];
    (them.from, them.acts) = (from, vec![]);
    vec![of_plan(c, "new-plan", plan, "yy-", "written in the period: everything is due a year later")]
}
