//! What is stored and how (CRY-02), and for how many minutes of each month services were up (AVL-03).

use crate::Case;
use crate::clock::{DAY, HOUR, MINUTE};
use crate::company::{Company, End, Maintenance, Month, Objective, Region, Resource, Setting};
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Minutes of a million that a service is to be up; hours before it begins by which maintenance is announced.
const TARGET: i64 = 999_000;
const NOTICE: i64 = 24 * HOUR;

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    let clock = c.clock.clone();
    for (key, enabled) in [("east-1", true), ("west-2", true), ("north-4", false)] {
        let mut looked: Vec<i64> = vec![];
        if enabled {
            looked =
                clock.months().iter().map(|(from, _)| from + 2 * DAY).filter(|at| *at < clock.to).collect();
            looked.push(clock.cutoff);
        }
        c.regions.push(Region { key: key.to_owned(), enabled, looked });
    }
    for _ in 0..c.shape.systems * 3 + c.shape.people / 10 {
        let from = clock.from - rng.between(-300, 1_500) * DAY;
        let resource = stored(c, rng, from.min(clock.to - DAY));
        if rng.chance(15)
            && let Some(at) = clock.some_day(rng, 5, 5)
            && at > c.resources[resource].from + 2 * DAY
        {
            // Gone, with its last configuration.
            c.resources[resource].to = End::At(at);
            c.resources[resource].settings[0].to = End::At(at);
        }
    }
    let services = ["api", "web", "jobs", "sync", "files"];
    for service in services.iter().take((2 + c.shape.systems / 3).min(services.len())) {
        let objective = c.objectives.len();
        c.objectives.push(Objective { key: (*service).to_owned(), target: TARGET, from: clock.kept_since });
        for (from, to) in clock.months() {
            if to - 1 > clock.cutoff {
                continue;
            }
            let measured = (to - from) / MINUTE;
            let down = allowed(measured) * rng.between(0, 95) / 100;
            let date = clock.date(from);
            let key = format!("{service}-{}-{:02}", date.year(), date.month());
            c.months.push(Month { objective, key, from, to, measured, good: measured - down });
        }
    }
}

/// How many minutes of so many a service may be down.
const fn allowed(minutes: i64) -> i64 {
    minutes * (1_000_000 - TARGET) / 1_000_000
}

/// Something that stores, encrypted since it was made.
pub(crate) fn stored(c: &mut Company, rng: &mut Rng, from: i64) -> usize {
    let kind = rng.pick(&["bucket", "volume", "database", "backup", "queue", "file_system", "snapshot"]);
    let key = rng.pick(&["customer", "provider", "provider_default"]);
    let region = rng.below(2);
    let settings = vec![Setting { encrypted: Some(true), key, public: Some(false), from, to: End::Never }];
    let key = format!("{kind}-{:03}", c.resources.len() + 1);
    c.resources.push(Resource {
        key,
        kind,
        region,
        from,
        to: End::Never,
        needs_backup: Some(false),
        settings,
    });
    c.resources.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("bare-for-days", bare_for_days),
    ("bare-always", bare_always),
    ("bare-at-first", bare_at_first),
    ("unknown-since", unknown_since),
    ("never-looked", never_looked),
    ("region-not-listed", region_not_listed),
    ("key-changed", key_changed),
    ("deleted", deleted),
    ("stores-nothing", stores_nothing),
    ("deleted-before", deleted_before),
    ("month-boundary", month_boundary),
    ("N80", month_below),
    ("announced", announced),
    ("minutes-missing", minutes_missing),
    ("not-measured", not_measured),
];

fn said(c: &Company, case: &'static str, resource: usize, letters: &str, why: &str) -> Seeded {
    seeded(("CRY-02", "encryption_at_rest", case), &c.resources[resource].key, letters, why)
}

/// Whether everybody can read it is as little known (NET-04).
fn of_access(key: &str, case: &'static str, why: &str) -> Seeded {
    seeded(("NET-04", "storage_not_public", case), key, "n", why)
}

fn long_stored(c: &mut Company, rng: &mut Rng) -> usize {
    let from = c.clock.from - 400 * DAY;
    stored(c, rng, from)
}

const BARE: Setting =
    Setting { encrypted: Some(false), key: "", public: Some(false), from: 0, to: End::Never };

fn bare_for_days(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 10, 10) else { return vec![] };
    let resource = long_stored(c, rng);
    let settings = &mut c.resources[resource].settings;
    let mut again = settings[0].clone();
    settings[0].to = End::At(at);
    again.from = at + 4 * DAY;
    settings.push(Setting { from: at, to: End::At(at + 4 * DAY), ..BARE });
    settings.push(again);
    vec![
        said(c, "bare-for-days", resource, "dp", "not encrypted for four days, while it was moved")
            .last_day("pp"),
    ]
}

fn bare_always(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let resource = long_stored(c, rng);
    let from = c.resources[resource].from;
    c.resources[resource].settings = vec![Setting { from, ..BARE }];
    vec![
        said(c, "bare-always", resource, "d-", "never encrypted, so that there is no key to ask about")
            .last_day("d-"),
    ]
}

fn bare_at_first(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(from) = c.clock.some_day(rng, 10, 10) else { return vec![] };
    let resource = stored(c, rng, from);
    let settings = &mut c.resources[resource].settings;
    settings[0].from = from + 40 * MINUTE;
    settings.insert(0, Setting { from, to: End::At(from + 40 * MINUTE), ..BARE });
    let why = "made in the period, and encrypted forty minutes later";
    vec![said(c, "bare-at-first", resource, "dp", why).last_day("pp")]
}

fn unknown_since(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 10, 20) else { return vec![] };
    let resource = long_stored(c, rng);
    c.resources[resource].settings[0].to = End::At(at);
    let why =
        "encrypted as long as anybody looked, and nobody looked since; the key it had then is a good one";
    vec![
        said(c, "unknown-since", resource, "np", why).last_day("nn"),
        of_access(&c.resources[resource].key, "unknown-since", why),
    ]
}

fn never_looked(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let resource = long_stored(c, rng);
    c.resources[resource].settings.clear();
    let why = "listed, and nobody ever looked how it is configured: that is not the same as bare";
    vec![
        said(c, "never-looked", resource, "nn", why).last_day("nn"),
        of_access(&c.resources[resource].key, "never-looked", why),
    ]
}

fn region_not_listed(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let key = format!("south-{}", c.regions.len());
    c.regions.push(Region { key: key.clone(), enabled: true, looked: vec![] });
    let why = "a region that can be used, and of which nobody ever listed what lies there";
    vec![
        seeded(("CRY-02", "encryption_at_rest", "region-not-listed"), &key, "nn", why).last_day("nn"),
        of_access(&key, "region-not-listed", why),
    ]
}

fn key_changed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 10, 10) else { return vec![] };
    let resource = long_stored(c, rng);
    let settings = &mut c.resources[resource].settings;
    settings[0].to = End::At(at);
    settings.push(Setting {
        encrypted: Some(true),
        key: "customer",
        public: Some(false),
        from: at,
        to: End::Never,
    });
    let why = "another key from one instant to the next, and encrypted with either";
    vec![said(c, "key-changed", resource, "pp", why).last_day("pp")]
}

fn deleted(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 10, 10) else { return vec![] };
    let resource = long_stored(c, rng);
    let them = &mut c.resources[resource];
    them.to = End::At(at);
    them.settings[0].to = End::At(at);
    them.settings.push(Setting { from: at, ..BARE });
    let why = "deleted, and listed as bare ever since: what is not there stores nothing";
    vec![said(c, "deleted", resource, "pp", why)]
}

fn stores_nothing(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for kind in ["machine", "network"] {
        let resource = long_stored(c, rng);
        let from = c.resources[resource].from;
        let them = &mut c.resources[resource];
        them.kind = kind;
        them.key = format!("{kind}-{resource:03}");
        them.settings = vec![Setting { from, ..BARE }];
        all.push(said(c, "stores-nothing", resource, "absent", "not encrypted, and it stores nothing"));
    }
    all
}

fn deleted_before(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let resource = long_stored(c, rng);
    let from = c.resources[resource].from;
    let them = &mut c.resources[resource];
    them.to = End::At(c.clock.from - DAY);
    them.settings = vec![Setting { from, to: them.to, ..BARE }];
    vec![said(c, "deleted-before", resource, "absent", "bare, and gone a day before the period began")]
}

// ---- AVL-03

/// A month of which nothing was made yet.
fn a_month(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    for _ in 0..30 {
        if c.months.is_empty() {
            return None;
        }
        let month = rng.below(c.months.len());
        if c.take(format!("month {}", c.months[month].key)) {
            return Some(month);
        }
    }
    None
}

fn of_month(c: &Company, case: &'static str, month: usize, letters: &str, why: &str) -> Seeded {
    let month = &c.months[month];
    seeded(("AVL-03", "availability_objective", case), &month.key, letters, why).at(month.from)
}

fn month_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (more, letters, why) in [
        (0, "p", "down for as many whole minutes as a thousandth of the month holds"),
        (1, "d", "down for a minute more than a thousandth of the month"),
    ] {
        let Some(month) = a_month(c, rng) else { return all };
        let them = &mut c.months[month];
        them.good = them.measured - allowed(them.measured) - more;
        all.push(of_month(c, "month-boundary", month, letters, why));
    }
    all
}

fn month_below(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(month) = a_month(c, rng) else { return vec![] };
    let them = &mut c.months[month];
    them.good = them.measured * 9_985 / 10_000;
    let why = "99.85 % in this month; that the others make up for it on average does not count";
    vec![of_month(c, "N80", month, "d", why)]
}

fn announced(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (before, letters, why) in [
        (
            NOTICE,
            "p",
            "down for three hours, all in a window that was announced 24 hours before it began, to the second",
        ),
        (
            NOTICE - MINUTE,
            "d",
            "down for three hours, in a window that was announced a minute less than 24 hours before",
        ),
        (-HOUR, "d", "down for three hours, in a window that was announced while it was on"),
    ] {
        let Some(month) = a_month(c, rng) else { return all };
        let from = c.months[month].from + rng.between(3, 20) * DAY;
        let objective = c.months[month].objective;
        let (to, announced) = (from + 3 * HOUR, from - before);
        c.months[month].good = c.months[month].measured - 180;
        c.maintenance.push(Maintenance { objective, from, to, announced, down: 180 });
        all.push(of_month(c, "announced", month, letters, why));
    }
    all
}

fn minutes_missing(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(month) = a_month(c, rng) else { return vec![] };
    let them = &mut c.months[month];
    them.measured -= 100;
    them.good = them.measured;
    let why = "the probe was off for a hundred minutes: all that was measured was good, and what was not may have been down";
    vec![of_month(c, "minutes-missing", month, "n", why)]
}

fn not_measured(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(month) = a_month(c, rng) else { return vec![] };
    // However many months of an objective nobody measured, it is one thing to ask about.
    let objective = c.months[month].objective;
    if !c.take(format!("unmeasured {objective}")) {
        return vec![];
    }
    let gone = c.months.remove(month);
    let objective = &c.objectives[objective].key;
    let why = "nobody measured that month";
    vec![seeded(("AVL-03", "availability_objective", "not-measured"), objective, "n", why).at(gone.from)]
}
