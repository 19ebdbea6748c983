//! What matters most: how many zones it runs in (AVL-02), whether it logs who reads it (LOG-06), and whether anybody watches for
//! intrusion where it runs (NET-03).

use crate::Case;
use crate::clock::{DAY, HOUR};
use crate::cloud::stored;
use crate::company::{Company, End, Region, Setting};
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// How detection was found in a region for a while.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) region: usize,
    pub(crate) running: Option<bool>,
    pub(crate) reported: bool,
    pub(crate) from: i64,
    pub(crate) to: End,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..3 {
        dear(c, rng);
    }
}

/// Every region there is by then is watched, and was all along.
pub(crate) fn watched(c: &mut Company) {
    for region in 0..c.regions.len() {
        let (running, from) = (Some(true), c.clock.from - 300 * DAY);
        c.operations.watches.push(Watch { region, running, reported: true, from, to: End::Never });
    }
}

/// Something that the service cannot go on without, full of personal data.
fn dear(c: &mut Company, rng: &mut Rng) -> usize {
    let from = c.clock.from - 400 * DAY;
    let resource = stored(c, rng, from);
    let zones = Some(rng.between(2, 3));
    let them = &mut c.resources[resource];
    them.kind = "database";
    them.key = format!("dear-{resource:03}");
    (them.first_tier, them.holds) = (Some(true), Some("personal"));
    (them.settings[0].zones, them.settings[0].access_logged) = (zones, Some(true));
    resource
}

/// Otherwise from then on, for so long.
fn otherwise(c: &mut Company, resource: usize, from: i64, length: i64, change: impl FnOnce(&mut Setting)) {
    let settings = &mut c.resources[resource].settings;
    let (mut now, mut again) = (settings[0].clone(), settings[0].clone());
    settings[0].to = End::At(from);
    (now.from, now.to) = (from, End::At(from + length));
    again.from = from + length;
    change(&mut now);
    settings.push(now);
    settings.push(again);
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("one-zone", one_zone),
    ("one-zone-for-days", one_zone_for_days),
    ("one-zone-before", one_zone_before),
    ("tier-unknown", tier_unknown),
    ("zones-unknown", zones_unknown),
    ("second-tier", second_tier),
    ("not-logged", not_logged),
    ("not-logged-for-hours", not_logged_for_hours),
    ("confidential", confidential),
    ("holds-unknown", holds_unknown),
    ("logged-unknown", logged_unknown),
    ("holds-little", holds_little),
];

/// These are about regions, which are all there only afterwards.
pub(crate) const WATCHES: &[(&str, Case)] = &[
    ("detection-off", detection_off),
    ("never-watched", never_watched),
    ("told-nobody", told_nobody),
    ("watch-unknown", watch_unknown),
    ("off-before", off_before),
    ("not-used", not_used),
];

fn of_zones(c: &Company, case: &'static str, resource: usize, letters: &str, why: &str) -> Seeded {
    seeded(("AVL-02", "runs_in_zones", case), &c.resources[resource].key, letters, why)
}

fn one_zone(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let resource = dear(c, rng);
    c.resources[resource].settings[0].zones = Some(1);
    vec![
        of_zones(c, "one-zone", resource, "d", "everything depends on it, and it runs in one zone")
            .last_day("d"),
    ]
}

fn one_zone_for_days(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (length, why) in
        [(3 * DAY, "in one zone for three days, while it was moved"), (HOUR, "in one zone for an hour")]
    {
        let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
        let resource = dear(c, rng);
        otherwise(c, resource, at, length, |setting| setting.zones = Some(1));
        all.push(of_zones(c, "one-zone-for-days", resource, "d", why));
    }
    all
}

fn one_zone_before(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let resource = dear(c, rng);
    let from = c.clock.from;
    otherwise(c, resource, from - 30 * DAY, 30 * DAY, |setting| setting.zones = Some(1));
    vec![of_zones(
        c,
        "one-zone-before",
        resource,
        "p",
        "in one zone until the instant in which the period begins",
    )]
}

fn tier_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let resource = dear(c, rng);
    c.resources[resource].first_tier = None;
    c.resources[resource].settings[0].zones = Some(1);
    let why = "it runs in one zone, and nobody says whether the service can go on without it";
    vec![of_zones(c, "tier-unknown", resource, "j", why)]
}

fn zones_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let resource = dear(c, rng);
    c.resources[resource].settings[0].zones = None;
    vec![of_zones(c, "zones-unknown", resource, "n", "nobody could say in how many zones it runs")]
}

fn second_tier(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let resource = dear(c, rng);
    c.resources[resource].first_tier = Some(false);
    c.resources[resource].settings[0].zones = Some(1);
    vec![of_zones(c, "second-tier", resource, "absent", "in one zone, and the service goes on without it")]
}

fn of_access(c: &Company, case: &'static str, resource: usize, letters: &str, why: &str) -> Seeded {
    seeded(("LOG-06", "access_logged", case), &c.resources[resource].key, letters, why)
}

fn not_logged(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let resource = dear(c, rng);
    c.resources[resource].settings[0].access_logged = Some(false);
    vec![
        of_access(c, "not-logged", resource, "d", "nobody can say who read the personal data in it")
            .last_day("d"),
    ]
}

fn not_logged_for_hours(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return vec![] };
    let resource = dear(c, rng);
    otherwise(c, resource, at, 5 * HOUR, |setting| setting.access_logged = Some(false));
    vec![of_access(c, "not-logged-for-hours", resource, "d", "the log of access was off for five hours")]
}

fn confidential(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (logged, letters, why) in [
        (true, "p", "it holds contracts, and logs who reads them"),
        (false, "d", "it holds contracts, and does not log who reads them"),
    ] {
        let resource = dear(c, rng);
        c.resources[resource].holds = Some("confidential");
        c.resources[resource].settings[0].access_logged = Some(logged);
        all.push(of_access(c, "confidential", resource, letters, why).last_day(letters));
    }
    all
}

fn holds_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (logged, letters, why) in [
        (true, "p", "nobody says what it holds, and whatever it is, who reads it is logged"),
        (false, "j", "nobody says what it holds, and who reads it is not logged"),
    ] {
        let resource = dear(c, rng);
        c.resources[resource].holds = None;
        c.resources[resource].settings[0].access_logged = Some(logged);
        all.push(of_access(c, "holds-unknown", resource, letters, why));
    }
    all
}

fn logged_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let resource = dear(c, rng);
    c.resources[resource].settings[0].access_logged = None;
    vec![of_access(c, "logged-unknown", resource, "n", "nobody could say whether it logs who reads it")]
}

fn holds_little(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let resource = dear(c, rng);
    c.resources[resource].holds = Some("public");
    c.resources[resource].settings[0].access_logged = Some(false);
    vec![of_access(
        c,
        "holds-little",
        resource,
        "absent",
        "it logs nothing, and holds what everybody may read",
    )]
}

// ---- NET-03

fn of_region(case: &'static str, key: &str, letters: &str, why: &str) -> Seeded {
    seeded(("NET-03", "intrusion_detection", case), key, letters, why)
}

/// Another region that is listed as the others are, and watched.
fn another(c: &mut Company) -> (usize, String) {
    let key = format!("island-{}", c.regions.len());
    let looked = c.regions.first().map(|region| region.looked.clone()).unwrap_or_default();
    c.regions.push(Region { key: key.clone(), enabled: true, looked });
    let (region, running, from) = (c.regions.len() - 1, Some(true), c.clock.from - 300 * DAY);
    c.operations.watches.push(Watch { region, running, reported: true, from, to: End::Never });
    (c.operations.watches.len() - 1, key)
}

/// The watch was otherwise for a while.
fn changed(c: &mut Company, watch: usize, from: i64, length: i64, change: impl FnOnce(&mut Watch)) {
    let mut now = c.operations.watches[watch].clone();
    let mut again = now.clone();
    c.operations.watches[watch].to = End::At(from);
    (now.from, now.to) = (from, End::At(from + length));
    again.from = from + length;
    change(&mut now);
    c.operations.watches.extend([now, again]);
}

fn detection_off(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return vec![] };
    let (watch, key) = another(c);
    changed(c, watch, at, 2 * HOUR, |watch| watch.running = Some(false));
    vec![of_region("detection-off", &key, "dp", "detection was off for two hours, for its price")]
}

fn never_watched(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let (watch, key) = another(c);
    c.operations.watches[watch].running = Some(false);
    let why = "nothing was ever to run there, so that nobody watches for what does";
    vec![of_region("never-watched", &key, "dp", why).last_day("d")]
}

fn told_nobody(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return vec![] };
    let (watch, key) = another(c);
    changed(c, watch, at, 3 * DAY, |watch| watch.reported = false);
    vec![of_region(
        "told-nobody",
        &key,
        "pd",
        "for three days what was found went to a list that nobody reads",
    )]
}

fn watch_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let (watch, key) = another(c);
    c.operations.watches[watch].running = None;
    all.push(of_region("watch-unknown", &key, "np", "nobody could say whether detection runs there"));
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
    let (watch, key) = another(c);
    changed(c, watch, at, HOUR, |watch| watch.running = None);
    all.push(of_region("watch-unknown", &key, "np", "for an hour nobody could say whether detection ran"));
    all
}

fn off_before(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let (watch, key) = another(c);
    let from = c.clock.from;
    changed(c, watch, from - 9 * DAY, 9 * DAY, |watch| watch.running = Some(false));
    vec![of_region("off-before", &key, "pp", "switched on in the instant in which the period begins")]
}

fn not_used(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let (watch, key) = another(c);
    c.operations.watches[watch].running = Some(false);
    let region = c.operations.watches[watch].region;
    c.regions[region].enabled = false;
    vec![of_region("not-used", &key, "absent", "not watched, and nothing can be made there")]
}
