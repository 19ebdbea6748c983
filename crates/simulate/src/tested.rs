//! When controls were tested, and who evaluated them (GOV-07).

use crate::clock::{DAY, HOUR, SECOND};
use crate::company::Company;
use crate::monitoring::MACHINE;
use crate::owners::{CONTROLS, OWNERS};
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};
use crate::{Case, TESTS};

/// Days from one test of a control to the next.
const AGAIN: i64 = 31;

/// A run of a control's procedures; nobody knows when it was where there is no instant.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    pub(crate) control: &'static str,
    pub(crate) at: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Evaluation {
    pub(crate) control: &'static str,
    pub(crate) at: i64,
    pub(crate) by: Option<usize>,
    pub(crate) finding: &'static str,
}

/// Controls of which no case says otherwise are tested every few weeks, and evaluated within each year by one of those who never
/// leave, who owns none.
pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for control in CONTROLS {
        if !c.taken.contains(&taken(control)) {
            tested(c, rng, control);
            evaluated(c, rng, control, Some(OWNERS), "works as it is written");
        }
    }
}

pub(crate) const CASES: &[(&str, Case)] =
    &[("control-not-tested", not_tested), ("control-not-evaluated", not_evaluated)];

fn taken(control: &str) -> String {
    format!("test of {control}")
}

fn tested(c: &mut Company, rng: &mut Rng, control: &'static str) {
    let mut at = c.clock.from - rng.between(2, 30) * DAY;
    while at <= c.clock.cutoff {
        c.tests.push(Test { control, at: Some(at) });
        at += rng.between(20 * 24, 30 * 24) * HOUR;
    }
}

fn evaluated(
    c: &mut Company,
    rng: &mut Rng,
    control: &'static str,
    by: Option<usize>,
    finding: &'static str,
) {
    let mut at = c.clock.from - rng.between(20, 300) * DAY;
    while at <= c.clock.cutoff {
        c.evaluations.push(Evaluation { control, at, by, finding });
        at += rng.between(300, 390) * DAY;
    }
}

/// A control that something is there to test, and of which nothing was said yet.
fn a_control(c: &mut Company, rng: &mut Rng) -> Option<&'static str> {
    let free: Vec<&'static str> = CONTROLS
        .iter()
        .copied()
        .filter(|control| TESTS.iter().any(|(tested, _)| tested == control))
        .filter(|control| !c.taken.contains(&taken(control)))
        .collect();
    let control = *free.get(rng.below(free.len().max(1)))?;
    c.take(taken(control));
    Some(control)
}

fn of(case: &'static str, control: &str, letters: &str, last_day: &str, why: &str) -> Seeded {
    seeded(("GOV-07", "controls_tested", case), control, letters, why).last_day(last_day)
}

fn not_tested(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let mut one = |c: &mut Company, rng: &mut Rng, at: &[Option<i64>], says: [&str; 3]| {
        let Some(control) = a_control(c, rng) else { return };
        c.tests.extend(at.iter().map(|at| Test { control, at: *at }));
        evaluated(c, rng, control, Some(OWNERS), "works as it is written");
        all.push(of("control-not-tested", control, says[0], says[1], says[2]));
    };
    let every = |from: i64, cutoff: i64| -> Vec<Option<i64>> {
        (0..).map(|n| from + n * AGAIN * DAY).take_while(|at| *at <= cutoff).map(Some).collect()
    };
    let (from, cutoff) = (c.clock.from, c.clock.cutoff);
    let say = "tested every thirty-one days, to the millisecond";
    one(c, rng, &every(from - 10 * DAY, cutoff), ["pp", "pp", say]);
    if c.shape.days >= 90 {
        let mut late = every(from - 10 * DAY, from + 25 * DAY);
        late.extend(every(from + (2 * AGAIN - 10) * DAY + SECOND, cutoff));
        let say = "once thirty-one days and a second went by until it was tested again";
        one(c, rng, &late, ["dp", "pp", say]);
    }
    one(c, rng, &[], ["dp", "dp", "never tested"]);
    one(c, rng, &[None], ["np", "np", "tested nobody knows when"]);
    all
}

fn not_evaluated(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (by, finding, letters, why) in [
        (None, "", "pd", "never evaluated"),
        (Some(Some(0)), "works as it is written", "pd", "evaluated by somebody who owns controls"),
        (Some(Some(MACHINE)), "works as it is written", "pd", "evaluated by a script"),
        (Some(Some(OWNERS)), "none", "pd", "evaluated, and nothing was written down of it"),
        (Some(None), "works as it is written", "pn", "evaluated, and nobody says by whom"),
    ] {
        let Some(control) = a_control(c, rng) else { return all };
        tested(c, rng, control);
        if let Some(by) = by {
            evaluated(c, rng, control, by, finding);
        }
        all.push(of("control-not-evaluated", control, letters, letters, why));
    }
    all
}
