//! What lies apart from production, by which ways it is reached (NET-02), and what customers' data do elsewhere (CHG-10).

use crate::Case;
use crate::clock::{DAY, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::operations::edge::Network;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// A way from one network to another.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) key: String,
    pub(crate) starts: Option<String>,
    pub(crate) leads: Option<String>,
    pub(crate) from: i64,
    pub(crate) to: End,
    pub(crate) leaves: Vec<Leave>,
}

/// That a way may be open: why, by whom, since when, from when until when.
#[derive(Clone, Debug)]
pub(crate) struct Leave {
    pub(crate) why: &'static str,
    pub(crate) by: Option<usize>,
    pub(crate) at: i64,
    pub(crate) from: i64,
    pub(crate) to: End,
}

/// Data in development or test.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) key: String,
    pub(crate) origin: Option<&'static str>,
    pub(crate) masked: Option<bool>,
    pub(crate) masked_at: Option<i64>,
    pub(crate) from: i64,
    pub(crate) to: End,
    pub(crate) agreements: Vec<Agreed>,
}

/// That customers' data may lie there as they are.
#[derive(Clone, Debug)]
pub(crate) struct Agreed {
    pub(crate) all: Option<bool>,
    pub(crate) at: i64,
    pub(crate) by: Option<usize>,
    pub(crate) from: i64,
    pub(crate) to: End,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    let workshop = elsewhere(c, "net-dev");
    for live in ["net-east", "net-west"] {
        let way = way(c, &workshop, live);
        let from = c.operations.ways[way].from;
        c.operations.ways[way].leaves.push(leave(rng, from));
    }
    for number in 0..4 + c.shape.systems / 2 {
        let origin = rng.pick(&["made_up", "public", "production"]);
        let from = c.clock.from - rng.between(-200, 600) * DAY;
        let sample = sample(c, origin, from.min(c.clock.to - DAY));
        if number == 0 {
            c.operations.samples_of_data[sample].to = End::At(c.clock.to - 1);
        }
    }
}

/// A network of development, in the account that all of development shares.
fn elsewhere(c: &mut Company, key: &str) -> String {
    let from = c.clock.from - 700 * DAY;
    c.operations.networks.push(Network {
        holds: Some("other"),
        account: Some("workshop".to_owned()),
        ..Network::new(key.to_owned(), Some(true), from)
    });
    key.to_owned()
}

/// A network of production, in an account of its own.
fn live(c: &mut Company) -> usize {
    let key = format!("net-{}", c.operations.networks.len() + 1);
    c.operations.networks.push(Network::new(key, Some(true), c.clock.from - 500 * DAY));
    c.operations.networks.len() - 1
}

/// Another network in the same account, for so long.
fn beside(c: &mut Company, network: usize, holds: Option<&'static str>, from: i64, to: End) {
    let account = c.operations.networks[network].account.clone();
    let key = format!("net-{}", c.operations.networks.len() + 1);
    c.operations.networks.push(Network { holds, account, to, ..Network::new(key, Some(true), from) });
}

fn way(c: &mut Company, starts: &str, leads: &str) -> usize {
    let key = format!("way-{}", c.operations.ways.len() + 1);
    let (starts, leads) = (Some(starts.to_owned()), Some(leads.to_owned()));
    let from = c.clock.from - 400 * DAY;
    c.operations.ways.push(Way { key, starts, leads, from, to: End::Never, leaves: vec![] });
    c.operations.ways.len() - 1
}

/// Leave as it should be, given some days before.
fn leave(rng: &mut Rng, from: i64) -> Leave {
    let at = from - rng.between(1, 20) * DAY;
    Leave { why: "what is built is copied over", by: Some(rng.below(CORE)), at, from, to: End::Never }
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("in-one-account", in_one_account),
    ("account-unknown", account_unknown),
    ("moved-apart", moved_apart),
    ("way-without-leave", way_without_leave),
    ("way-boundary", way_boundary),
    ("leave-of-nobody", leave_of_nobody),
    ("way-elsewhere", way_elsewhere),
    ("live-in-test", live_in_test),
    ("masked-late", masked_late),
    ("customers-agreed", customers_agreed),
    ("origin-unknown", origin_unknown),
];

fn of_network(c: &Company, case: &'static str, network: usize, letters: &str, why: &str) -> Seeded {
    seeded(("NET-02", "environments_apart", case), &c.operations.networks[network].key, letters, why)
}

fn in_one_account(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let network = live(c);
    beside(c, network, Some("other"), c.clock.from - 300 * DAY, End::Never);
    let why = "development lies in the account of production";
    all.push(of_network(c, "in-one-account", network, "d-", why).last_day("d"));
    let network = live(c);
    c.operations.networks[network].holds = Some("both");
    let why = "development runs beside production in one network";
    all.push(of_network(c, "in-one-account", network, "d-", why).last_day("d"));
    let Some(at) = c.clock.some_day(rng, 5, 8) else { return all };
    let network = live(c);
    beside(c, network, Some("other"), at, End::At(at + 3 * DAY));
    let why = "for three days somebody tried something out in the account of production";
    all.push(of_network(c, "in-one-account", network, "d-", why));
    all
}

fn account_unknown(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let network = live(c);
    c.operations.networks[network].holds = None;
    all.push(of_network(c, "account-unknown", network, "n-", "nobody says what runs there"));
    let network = live(c);
    beside(c, network, None, c.clock.from - 300 * DAY, End::Never);
    let why = "of the network beside it nobody says what runs there";
    all.push(of_network(c, "account-unknown", network, "n-", why));
    let other = c.operations.networks.len() - 1;
    let why = "nobody says what runs there, beside production";
    all.push(of_network(c, "account-unknown", other, "n-", why));
    all
}

fn moved_apart(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let from = c.clock.from;
    for (late, letters, why) in [
        (0, "p-", "development moved out in the instant in which the period began"),
        (SECOND, "d-", "development moved out a second after the period began"),
    ] {
        let network = live(c);
        beside(c, network, Some("other"), from - 300 * DAY, End::At(from + late));
        all.push(of_network(c, "moved-apart", network, letters, why));
    }
    let network = live(c);
    beside(c, network, Some("production"), from - 300 * DAY, End::Never);
    all.push(of_network(c, "moved-apart", network, "p-", "two networks of production share an account"));
    all
}

fn of_way(c: &Company, case: &'static str, way: usize, letters: &str, why: &str) -> Seeded {
    seeded(("NET-02", "environments_apart", case), &c.operations.ways[way].key, letters, why)
}

/// A way from development into a network of production of its own.
fn into_live(c: &mut Company) -> usize {
    let network = live(c);
    let leads = c.operations.networks[network].key.clone();
    way(c, "net-dev", &leads)
}

fn way_without_leave(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let way = into_live(c);
    let why = "open for years, and nobody ever said that it may be";
    all.push(of_way(c, "way-without-leave", way, "-d", why).last_day(".d"));
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
    let way = into_live(c);
    (c.operations.ways[way].from, c.operations.ways[way].to) = (at, End::At(at + 3_600 * SECOND));
    all.push(of_way(c, "way-without-leave", way, "-d", "opened for an hour to look at something"));
    all
}

fn way_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, ends, letters, why) in [
        (0, End::Never, "-p", "allowed in the instant in which it was opened"),
        (SECOND, End::Never, "-d", "allowed a second after it was opened"),
        (0, End::At(DAY), "-d", "allowed for a day, and open ever since"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
        let way = into_live(c);
        c.operations.ways[way].from = at;
        let to = if let End::At(days) = ends { End::At(at + days) } else { End::Never };
        let given = Leave { at: at + late, from: at, to, ..leave(rng, at) };
        c.operations.ways[way].leaves.push(given);
        let last = if ends == End::Never { ".p" } else { ".d" };
        all.push(of_way(c, "way-boundary", way, letters, why).last_day(last));
    }
    all
}

fn leave_of_nobody(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (why, by, letters, said) in [
        ("monitoring", Some(MACHINE), "-d", "allowed by a script"),
        ("monitoring", None, "-n", "allowed, and nobody wrote down by whom"),
    ] {
        let way = into_live(c);
        let from = c.operations.ways[way].from;
        let given = Leave { why, by, ..leave(rng, from) };
        c.operations.ways[way].leaves.push(given);
        all.push(of_way(c, "leave-of-nobody", way, letters, said).last_day(&letters.replace('-', ".")));
    }
    let way = into_live(c);
    c.operations.ways[way].starts = None;
    all.push(of_way(
        c,
        "leave-of-nobody",
        way,
        "-n",
        "nobody says where it comes from, and nobody allowed it",
    ));
    all
}

fn way_elsewhere(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (starts, leads, why) in [
        ("net-east", "net-dev", "a way out of production, into development"),
        ("net-east", "net-west", "a way within production"),
    ] {
        let way = way(c, starts, leads);
        all.push(of_way(c, "way-elsewhere", way, "absent", why));
    }
    let way = into_live(c);
    c.operations.ways[way].to = End::At(c.clock.from);
    all.push(of_way(c, "way-elsewhere", way, "absent", "closed in the instant in which the period began"));
    all
}

// ---- CHG-10

fn sample(c: &mut Company, origin: &'static str, from: i64) -> usize {
    let key = format!("test-data-{}", c.operations.samples_of_data.len() + 1);
    let copied = origin == "production";
    let masked_at = copied.then_some(from - DAY);
    let (origin, masked) = (Some(origin), Some(copied));
    let made = Sample { key, origin, masked, masked_at, from, to: End::Never, agreements: vec![] };
    c.operations.samples_of_data.push(made);
    c.operations.samples_of_data.len() - 1
}

fn of_sample(c: &Company, case: &'static str, sample: usize, letters: &str, why: &str) -> Seeded {
    seeded(("CHG-10", "test_data_masked", case), &c.operations.samples_of_data[sample].key, letters, why)
}

/// Copied from production as it was, for ten days of the period.
fn bare(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 3, 14)?;
    let sample = sample(c, "production", at);
    let them = &mut c.operations.samples_of_data[sample];
    (them.masked, them.masked_at, them.to) = (Some(false), None, End::At(at + 10 * DAY));
    Some(sample)
}

fn live_in_test(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some(at) = bare(c, rng) else { return all };
    all.push(of_sample(
        c,
        "live-in-test",
        at,
        "d",
        "copied from production to look for an error, and forgotten for days",
    ));
    let Some(at) = bare(c, rng) else { return all };
    c.operations.samples_of_data[at].to = End::At(c.operations.samples_of_data[at].from + SECOND);
    all.push(of_sample(c, "live-in-test", at, "d", "there for a second"));
    let Some(at) = bare(c, rng) else { return all };
    let them = &mut c.operations.samples_of_data[at];
    (them.from, them.to) = (c.clock.from - 90 * DAY, End::At(c.clock.from));
    all.push(of_sample(c, "live-in-test", at, "absent", "gone in the instant in which the period began"));
    all
}

fn masked_late(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (Some(0), "p", "masked on the way, in the instant in which it came in"),
        (Some(SECOND), "d", "masked a second after it had come in"),
        (None, "n", "masked, and nobody knows when"),
    ] {
        let Some(at) = bare(c, rng) else { return all };
        let them = &mut c.operations.samples_of_data[at];
        (them.masked, them.masked_at) = (Some(true), late.map(|late| them.from + late));
        all.push(of_sample(c, "masked-late", at, letters, why));
    }
    all
}

fn customers_agreed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (what, letters, why) in [
        ("all", "p", "the customer agreed for these ten days, and somebody decided so"),
        ("early", "d", "the customer agreed for ten days less a second"),
        ("late", "d", "the customer agreed a second after it was there"),
        ("some", "d", "not every customer agreed whose data they were"),
        (
            "script",
            "d",
            "the customer agreed, and a script copied it every night without anybody deciding so",
        ),
        ("unknown", "n", "somebody decided so, and whether customers agreed is not written down"),
    ] {
        let Some(at) = bare(c, rng) else { return all };
        let by = Some(if what == "script" { MACHINE } else { rng.below(CORE) });
        let them = &mut c.operations.samples_of_data[at];
        let mut to = them.to;
        if let (End::At(end), "early") = (to, what) {
            to = End::At(end - SECOND);
        }
        let given = if what == "late" { them.from + SECOND } else { them.from - DAY };
        let everybody = match what {
            "some" => Some(false),
            "unknown" => None,
            _ => Some(true),
        };
        them.agreements.push(Agreed { all: everybody, at: given, by, from: them.from, to });
        all.push(of_sample(c, "customers-agreed", at, letters, why));
    }
    all
}

fn origin_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (made_up, letters, why) in [
        (false, "n", "nobody says where it comes from, and it was not masked"),
        (true, "p", "made up, and never masked"),
    ] {
        let Some(at) = bare(c, rng) else { return all };
        c.operations.samples_of_data[at].origin = made_up.then_some("made_up");
        all.push(of_sample(c, "origin-unknown", at, letters, why));
    }
    all
}
