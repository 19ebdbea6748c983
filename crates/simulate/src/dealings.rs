//! What vendors get, who answers for them (VEN-01), what binds them (VEN-04), and what becomes of it all when they go (VEN-05).

use std::collections::BTreeMap;

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::{CORE, leaver};
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};
use crate::vendors::long_used;

/// Hours until the access of a vendor who goes ends, and days until its data are gone.
const ACCESS: i64 = 24 * HOUR;
const GONE: i64 = 30 * DAY;

/// By the vendor's key.
pub(crate) type Dealings = BTreeMap<String, Dealing>;

#[derive(Clone, Debug)]
pub(crate) struct Dealing {
    pub(crate) owner: Option<usize>,
    pub(crate) class: &'static str,
    pub(crate) health: bool,
    pub(crate) gone: Option<i64>,
    pub(crate) contracts: Vec<Contract>,
    /// What it can enter: from when, until when.
    pub(crate) access: Vec<(i64, End)>,
    /// What goes to it: of which class, from when, until when.
    pub(crate) flows: Vec<(&'static str, i64, End)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Contract {
    pub(crate) from: i64,
    pub(crate) to: End,
    pub(crate) hours: Option<i64>,
    pub(crate) processing: bool,
    pub(crate) associates: bool,
}

/// Dealings as they should be with every vendor of whom no case says otherwise.
pub(crate) fn deal(c: &mut Company, rng: &mut Rng) {
    for vendor in 0..c.vendors.len() {
        if !c.dealings.contains_key(&c.vendors[vendor].key) {
            let class = match c.vendors[vendor].tier {
                "low" => rng.pick(&["internal", "public", "none"]),
                _ => rng.pick(&["personal", "personal", "customer", "confidential"]),
            };
            dealt(c, rng, vendor, class);
        }
    }
}

fn dealt<'c>(c: &'c mut Company, rng: &mut Rng, vendor: usize, class: &'static str) -> &'c mut Dealing {
    let them = c.vendors[vendor].clone();
    let (mut access, mut gone) = (vec![], None);
    if rng.chance(40) {
        access.push((them.from + 5 * DAY, End::Never));
    }
    if let End::At(at) = them.to {
        for entrance in &mut access {
            entrance.1 = End::At(at + rng.between(-100, 22) * HOUR);
        }
        gone = (class != "none").then(|| at + rng.between(1, 28) * DAY);
    }
    let health = class == "personal" && rng.chance(20);
    let contract = Contract {
        from: them.from - rng.between(1, 60) * DAY,
        to: End::Never,
        hours: Some(rng.pick(&[24, 48, 72])),
        processing: class == "personal",
        associates: health,
    };
    let flows = if class == "none" { vec![] } else { vec![(class, them.from, them.to)] };
    let owner = Some(rng.below(CORE));
    let dealing = Dealing { owner, class, health, gone, contracts: vec![contract], access, flows };
    c.dealings.entry(them.key).or_insert(dealing)
}

pub(crate) const CASES: &[(&str, Case)] =
    &[("vendor-owner", owners), ("vendor-class", classes), ("vendor-bound", bound), ("vendor-gone", gone)];

fn said(
    c: &Company,
    (control, test): (&'static str, &'static str),
    case: &'static str,
    vendor: usize,
    letters: &str,
    why: &str,
) -> Seeded {
    seeded((control, test, case), &c.vendors[vendor].key, letters, why)
}

const KNOWN: (&str, &str) = ("VEN-01", "vendor_inventory");
const BOUND: (&str, &str) = ("VEN-04", "vendor_contracts");
const EXIT: (&str, &str) = ("VEN-05", "vendor_exit");

fn owners(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (owner, why) in
        [(None, "nobody answers for it"), (Some(MACHINE), "a script is said to answer for it")]
    {
        let vendor = long_used(c, rng, "medium");
        dealt(c, rng, vendor, "customer").owner = owner;
        all.push(said(c, KNOWN, "vendor-owner", vendor, "dpp", why).last_day("dpp"));
    }
    let Some((person, _, at)) = leaver(c, rng, "employee", 35) else { return all };
    let vendor = long_used(c, rng, "medium");
    dealt(c, rng, vendor, "customer").owner = Some(person);
    let why = "whoever answered for it left, and nobody took over";
    all.push(said(c, KNOWN, "vendor-owner", vendor, "dpp", why).last_day("dpp"));
    let vendor = long_used(c, rng, "medium");
    c.vendors[vendor].to = End::At(at);
    dealt(c, rng, vendor, "customer").owner = Some(person);
    let why = "used until the instant in which whoever answered for it left";
    all.push(said(c, KNOWN, "vendor-owner", vendor, "ppp", why));
    all
}

fn classes(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let before = c.clock.from;
    let mut all = vec![];
    for (tier, class, flow, until, letters, why) in [
        ("medium", "", "internal", End::Never, "pdp", "nobody wrote down what it gets"),
        (
            "low",
            "internal",
            "personal",
            End::Never,
            "pdp",
            "personal data go to it, and the inventory says internal ones",
        ),
        (
            "low",
            "internal",
            "personal",
            End::At(before),
            "ppp",
            "personal data went to it until the period began",
        ),
        ("low", "internal", "", End::Never, "pnp", "nobody knows of which class the data are that go to it"),
        ("low", "personal", "personal", End::Never, "ppd", "it gets personal data, and is of a low tier"),
        (
            "medium",
            "personal",
            "personal",
            End::Never,
            "ppp",
            "it gets personal data, and is of the lowest tier that may",
        ),
    ] {
        let vendor = long_used(c, rng, tier);
        let from = c.vendors[vendor].from;
        let dealing = dealt(c, rng, vendor, "personal");
        (dealing.class, dealing.flows) = (class, vec![(flow, from, until)]);
        let mut one = said(c, KNOWN, "vendor-class", vendor, letters, why).last_day(letters);
        // What it has to be bound to follows from what nobody wrote down.
        if until == End::At(before) {
            one = one.last_day("ppp");
        }
        all.push(one);
    }
    all
}

fn bound(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some(at) = c.clock.some_day(rng, 20, 20) else { return all };
    for (what, letters, last, why) in [
        ("nothing", "dd-", "dd-", "used for years without a contract"),
        ("no processing", "pd-", "pd-", "it gets personal data, and nothing is agreed on processing them"),
        ("slow", "dp-", "dp-", "it tells of a breach within ninety-six hours"),
        (
            "silent",
            "np-",
            "np-",
            "its contract does not say when it tells of a breach, or nobody knows what it says",
        ),
        ("gap", "dd-", "pp-", "its contract ran out, and the next one was signed ten days later"),
        ("renewed", "pp-", "pp-", "its contract ran out, and the next one was signed in that instant"),
        ("lapsed", "dd-", "dd-", "its contract ran out, and there is none since"),
        ("no end", "nn-", "nn-", "nobody knows until when its contract binds"),
        ("health", "ppd", "ppd", "it gets data on health, and is no business associate"),
    ] {
        let vendor = long_used(c, rng, "medium");
        let dealing = dealt(c, rng, vendor, "personal");
        dealing.health = what == "health";
        let contract = &mut dealing.contracts[0];
        contract.associates = false;
        let again = Contract { from: at, ..contract.clone() };
        match what {
            "nothing" => dealing.contracts.clear(),
            "no processing" => contract.processing = false,
            "slow" => contract.hours = Some(96),
            "silent" => contract.hours = None,
            "gap" => {
                contract.to = End::At(at - 10 * DAY);
                dealing.contracts.push(again);
            }
            "renewed" => {
                contract.to = End::At(at);
                dealing.contracts.push(again);
            }
            "lapsed" => contract.to = End::At(at),
            "no end" => contract.to = End::Unknown,
            _ => {}
        }
        all.push(said(c, BOUND, "vendor-bound", vendor, letters, why).last_day(last));
    }
    let vendor = long_used(c, rng, "low");
    dealt(c, rng, vendor, "internal").contracts.clear();
    let why = "without a contract, and it gets nothing that asks for one";
    all.push(said(c, BOUND, "vendor-bound", vendor, "absent", why));
    all
}

fn gone(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (ends, again, data, letters, why) in [
        (
            Some(ACCESS),
            false,
            Some(GONE),
            "pp",
            "its access ended 24 hours later, and its data were gone thirty days later, to the second",
        ),
        (Some(ACCESS + SECOND), false, Some(DAY), "dp", "its access ended 24 hours and a second later"),
        (None, false, Some(DAY), "dp", "nobody ended its access"),
        (Some(0), true, Some(DAY), "dp", "its access ended with its use, and somebody let it in again"),
        (
            Some(0),
            false,
            Some(GONE + SECOND),
            "pd",
            "it said that its data are gone thirty days and a second later",
        ),
        (Some(0), false, None, "pd", "it never said that its data are gone"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 45) else { return all };
        let vendor = long_used(c, rng, "medium");
        c.vendors[vendor].to = End::At(at);
        let from = c.vendors[vendor].from;
        let dealing = dealt(c, rng, vendor, "customer");
        dealing.access = vec![(from, ends.map_or(End::Never, |after| End::At(at + after)))];
        if again {
            dealing.access.push((at + 9 * DAY, End::Never));
        }
        dealing.gone = data.map(|after| at + after);
        all.push(said(c, EXIT, "vendor-gone", vendor, letters, why));
    }
    let Some(at) = c.clock.some_day(rng, 5, 45) else { return all };
    let vendor = long_used(c, rng, "medium");
    c.vendors[vendor].to = End::At(at);
    let dealing = dealt(c, rng, vendor, "none");
    (dealing.access, dealing.gone) = (vec![], None);
    all.push(said(c, EXIT, "vendor-gone", vendor, "--", "it could enter nothing and held nothing"));
    let vendor = long_used(c, rng, "medium");
    c.vendors[vendor].to = End::At(at);
    let from = c.vendors[vendor].from;
    let dealing = dealt(c, rng, vendor, "customer");
    (dealing.access, dealing.gone) = (vec![(from, End::Unknown)], Some(at + DAY));
    all.push(said(c, EXIT, "vendor-gone", vendor, "np", "its access was ended, and nobody wrote down when"));
    all
}
