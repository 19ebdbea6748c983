//! Changes of weight, and whether somebody looked at their risk before they took effect (RSK-03).

use crate::Case;
use crate::clock::{DAY, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};
use crate::vendors::used;

/// A change of weight.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) key: String,
    pub(crate) kind: &'static str,
    pub(crate) vendor: Option<String>,
    pub(crate) takes_effect: End,
    pub(crate) personal: Option<bool>,
    pub(crate) looks: Vec<Look>,
}

/// Somebody looked at its risk: when, who, what was decided, and whether they looked at what it does to personal data.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) at: Option<i64>,
    pub(crate) by: Option<usize>,
    pub(crate) decision: &'static str,
    pub(crate) personal: bool,
}

/// Changes that were looked at before, and every vendor of weight that came into use and no case speaks of, entered as one.
pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..4 + c.shape.people / 25 {
        let at = c.clock.from + rng.between(-300, i64::from(c.shape.days) - 1) * DAY;
        let kind = rng.pick(&["product", "technology", "place", "leadership", "other"]);
        let change = change(c, kind, at);
        let personal = rng.chance(50);
        let looked = at - rng.between(3, 120) * DAY;
        let by = Some(rng.below(CORE));
        let them = &mut c.significant[change];
        them.personal = Some(personal);
        let decision = rng.pick(&["go", "go", "go_with_measures"]);
        them.looks.push(Look { at: Some(looked), by, decision, personal });
    }
    for vendor in c.vendors.clone() {
        let came = vendor.from >= c.clock.from && vendor.from < c.clock.to;
        if came && matches!(vendor.tier, "critical" | "high") && !c.taken.contains(&about(&vendor.key)) {
            let change = change(c, "vendor", vendor.from);
            let looked = vendor.from - rng.between(1, 40) * DAY;
            let by = Some(rng.below(CORE));
            let them = &mut c.significant[change];
            (them.vendor, them.personal) = (Some(vendor.key), Some(true));
            them.looks.push(Look { at: Some(looked), by, decision: "go", personal: true });
        }
    }
}

fn about(vendor: &str) -> String {
    format!("entered {vendor}")
}

/// A change that takes effect then, of which nobody has looked at anything yet, and which touches no personal data.
fn change(c: &mut Company, kind: &'static str, at: i64) -> usize {
    let key = format!("SC-{}", c.significant.len() + 1);
    let takes_effect = End::At(at);
    c.significant.push(Change {
        key,
        kind,
        vendor: None,
        takes_effect,
        personal: Some(false),
        looks: vec![],
    });
    c.significant.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("looked-at-before", looked_at_before),
    ("looked-at-by", looked_at_by),
    ("stopped", stopped),
    ("personal-data", personal_data),
    ("vendor-of-weight", vendor_of_weight),
];

const TEST: (&str, &str) = ("RSK-03", "significant_changes_reviewed");

fn said(c: &Company, case: &'static str, change: usize, letters: &str, why: &str) -> Seeded {
    seeded((TEST.0, TEST.1, case), &c.significant[change].key, letters, why)
}

fn looked_at_before(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (before, letters, why) in [
        (Some(0), "p--", "looked at in the instant in which it took effect"),
        (Some(-SECOND), "d--", "looked at a second after it had taken effect"),
        (Some(366 * DAY), "d--", "looked at more than a year before it took effect"),
        (None, "d--", "nobody looked at it"),
    ] {
        let Some(at) = c.clock.some_day(rng, 3, 3) else { return all };
        let new = change(c, "product", at);
        if let Some(before) = before {
            let (at, by) = (Some(at - before), Some(0));
            c.significant[new].looks.push(Look { at, by, decision: "go", personal: false });
        }
        all.push(said(c, "looked-at-before", new, letters, why));
    }
    let later = change(c, "product", c.clock.to);
    c.significant[later].takes_effect = End::Never;
    all.push(said(
        c,
        "looked-at-before",
        later,
        "absent",
        "nobody looked at it, and it has not taken effect",
    ));
    all
}

fn looked_at_by(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (by, letters, why) in [
        (Some(MACHINE), "d--", "a script let it go"),
        (None, "j--", "somebody let it go, and nobody says who"),
    ] {
        let Some(at) = c.clock.some_day(rng, 3, 3) else { return all };
        let new = change(c, "technology", at);
        let at = Some(at - 9 * DAY);
        c.significant[new].looks.push(Look { at, by, decision: "go", personal: false });
        all.push(said(c, "looked-at-by", new, letters, why));
    }
    all
}

fn stopped(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (decisions, letters, why) in [
        (["go", "stop"], "d--", "stopped, and it took effect"),
        (["stop", "go_with_measures"], "p--", "stopped, and let go a week later with measures"),
        (["go", ""], "n--", "let go, and decided upon once more, and nobody says how"),
    ] {
        let Some(at) = c.clock.some_day(rng, 3, 3) else { return all };
        let new = change(c, "place", at);
        for (days, decision) in [30, 23].into_iter().zip(decisions) {
            let (at, by) = (Some(at - days * DAY), Some(1));
            c.significant[new].looks.push(Look { at, by, decision, personal: false });
        }
        all.push(said(c, "stopped", new, letters, why));
    }
    let Some(at) = c.clock.some_day(rng, 3, 3) else { return all };
    let new = change(c, "place", at);
    c.significant[new].looks.push(Look { at: None, by: Some(1), decision: "go", personal: false });
    all.push(said(c, "stopped", new, "n--", "let go, and nobody says when"));
    all
}

fn personal_data(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (touches, looked, letters, why) in [
        (Some(true), true, "pp-", "it touches personal data, and somebody looked at what it does to them"),
        (Some(true), false, "pd-", "it touches personal data, and nobody looked at what it does to them"),
        (None, false, "pn-", "nobody says whether it touches personal data"),
    ] {
        let Some(at) = c.clock.some_day(rng, 3, 3) else { return all };
        let new = change(c, "product", at);
        c.significant[new].personal = touches;
        let at = Some(at - 9 * DAY);
        c.significant[new].looks.push(Look { at, by: Some(2), decision: "go", personal: looked });
        all.push(said(c, "personal-data", new, letters, why));
    }
    all
}

fn vendor_of_weight(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (tier, entered, letters, why) in [
        ("critical", false, "--d", "a critical vendor came into use, and nobody entered it as a change"),
        ("high", true, "--p", "entered as a change, though only of three weeks after it came into use"),
        ("medium", false, "absent", "nobody entered it as a change, and little depends on it"),
    ] {
        let Some(at) = c.clock.some_day(rng, 40, 30) else { return all };
        let vendor = used(c, rng, tier, at);
        let key = c.vendors[vendor].key.clone();
        c.take(about(&key));
        if entered {
            let new = change(c, "vendor", at + 21 * DAY);
            let them = &mut c.significant[new];
            (them.vendor, them.personal) = (Some(key.clone()), Some(true));
            let at = Some(at + 14 * DAY);
            them.looks.push(Look { at, by: Some(3), decision: "go", personal: true });
            let why = "looked at a week before it is said to have taken effect, and two weeks after its vendor came into use";
            all.push(said(c, "vendor-of-weight", new, "dd-", why));
        }
        all.push(seeded((TEST.0, TEST.1, "vendor-of-weight"), &key, letters, why));
    }
    all
}
