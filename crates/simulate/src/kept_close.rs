//! Where models and sets of training data lie, and who may read them (AI-05).

use crate::Case;
use crate::clock::DAY;
use crate::company::{Company, End, Resource, Setting};
use crate::monitoring::{MACHINE, actor};
use crate::operations::readers::Reader;
use crate::people::CORE;
use crate::rng::Rng;
use crate::stores::entry;
use crate::truth::{Seeded, seeded};

/// The system they belong to: the code host, in which everybody who develops may work.
const SYSTEM: usize = 1;

/// Two models and a set of data, each encrypted and read by those who develop.
pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for (name, kind) in [("ranker", "model"), ("spotter", "model"), ("corpus", "dataset")] {
        kept(c, rng, name, kind, Some(true));
    }
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("model-bare", bare),
    ("model-reader", read_by_others),
    ("model-program", read_by_a_program),
    ("model-unsaid", unsaid),
];

/// An entry of the inventory with a bucket of its own, which holds nothing that is confidential, and two readers.
fn kept(
    c: &mut Company,
    rng: &mut Rng,
    name: &str,
    kind: &'static str,
    encrypted: Option<bool>,
) -> (usize, usize) {
    let number = c.stores.assets.len() + 1;
    let from = c.clock.from - rng.between(200, 500) * DAY;
    let asset = entry(c, rng, format!("{name}-{number}"), kind, "internal", from, End::Never);
    let key = format!("{name}-bucket-{number}");
    let settings = vec![setting(encrypted, from, End::Never)];
    c.resources.push(Resource {
        key: key.clone(),
        kind: "bucket",
        region: 0,
        from,
        to: End::Never,
        needs_backup: Some(false),
        first_tier: Some(false),
        holds: Some("internal"),
        settings,
    });
    let them = &mut c.stores.assets[asset];
    (them.resource, them.system) = (Some(key), Some(c.systems[SYSTEM].key));
    for who in who_develops(c).into_iter().take(2) {
        reads(c, asset, who, from, End::Never);
    }
    (asset, c.resources.len() - 1)
}

fn setting(encrypted: Option<bool>, from: i64, to: End) -> Setting {
    let key = if encrypted == Some(true) { "customer" } else { "" };
    Setting { encrypted, key, public: Some(false), zones: Some(1), access_logged: Some(false), from, to }
}

fn reads(c: &mut Company, asset: usize, who: usize, from: i64, to: End) {
    let asset = c.stores.assets[asset].key.clone();
    c.operations.readers.push(Reader { asset, who, from, to });
}

/// Of those who never leave, whoever had the same job all the time.
fn who_develops(c: &Company) -> Vec<usize> {
    let jobs = |person: usize| c.jobs.iter().filter(move |j| j.person == person).collect::<Vec<_>>();
    (1..CORE)
        .filter(|person| {
            matches!(jobs(*person).as_slice(), [j] if matches!(j.job, Some("developer" | "responder"))
                && j.to == End::Never && j.from <= c.clock.from)
        })
        .collect()
}

fn of(c: &Company, case: &'static str, asset: usize, letters: &str, why: &str) -> Seeded {
    seeded(("AI-05", "model_data_protected", case), &c.stores.assets[asset].key, letters, why)
}

fn bare(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let (asset, resource) = kept(c, rng, "ranker", "model", Some(true));
    if let Some(at) = c.clock.some_day(rng, 8, 8) {
        let from = c.resources[resource].from;
        c.resources[resource].settings = vec![
            setting(Some(true), from, End::At(at)),
            setting(Some(false), at, End::At(at + 5 * DAY)),
            setting(Some(true), at + 5 * DAY, End::Never),
        ];
        let why = "the bucket in which it lies was not encrypted for five days";
        all.push(of(c, "model-bare", asset, "dp", why).last_day("pp"));
        let key = &c.resources[resource].key;
        all.push(seeded(("CRY-02", "encryption_at_rest", "model-bare"), key, "dp", why).last_day("pp"));
    }
    let (asset, resource) = kept(c, rng, "corpus", "dataset", Some(false));
    let why = "the bucket in which it lies was never encrypted";
    all.push(of(c, "model-bare", asset, "dp", why).last_day("dp"));
    let key = &c.resources[resource].key;
    all.push(seeded(("CRY-02", "encryption_at_rest", "model-bare"), key, "d-", why).last_day("d-"));
    all
}

fn read_by_others(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    if who_develops(c).is_empty() {
        return vec![];
    }
    let (asset, _) = kept(c, rng, "corpus", "dataset", Some(true));
    let (before, _) = kept(c, rng, "ranker", "model", Some(true));
    for asset in [asset, before] {
        // No job may work there.
        c.stores.assets[asset].system = Some("lab");
    }
    let (key, from) = (c.stores.assets[before].key.clone(), c.clock.from);
    for reader in c.operations.readers.iter_mut().filter(|r| r.asset == key) {
        reader.to = End::At(from);
    }
    let others = "whoever develops may read it, and no job may work in the system to which it belongs";
    let until = "whoever has no need of it could read it until the period began";
    vec![
        of(c, "model-reader", asset, "pd", others).last_day("pd"),
        of(c, "model-reader", before, "pp", until).last_day("pp"),
    ]
}

fn read_by_a_program(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let program = actor(c, MACHINE);
    let owned: Vec<_> = c.owners.iter().filter(|o| c.logins[o.login].key == program).collect();
    let [owner] = owned.as_slice() else { return vec![] };
    if owner.purpose.is_empty() || owner.from > c.clock.from || owner.to != End::Never {
        return vec![];
    }
    let (asset, _) = kept(c, rng, "ranker", "model", Some(true));
    reads(c, asset, MACHINE, c.clock.from, End::Never);
    vec![
        of(
            c,
            "model-program",
            asset,
            "pp",
            "a program may read it of which it is written down what it is for",
        )
        .last_day("pp"),
    ]
}

fn unsaid(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let (unplaced, _) = kept(c, rng, "ranker", "model", Some(true));
    let key = c.stores.assets[unplaced].resource.take();
    // The bucket has an entry of its own, so that it is not one that nobody knows of.
    let from = c.stores.assets[unplaced].from;
    let other = entry(
        c,
        rng,
        format!("{}-entry", c.stores.assets[unplaced].key),
        "bucket",
        "internal",
        from,
        End::Never,
    );
    c.stores.assets[other].resource = key;
    let (untied, _) = kept(c, rng, "corpus", "dataset", Some(true));
    c.stores.assets[untied].system = None;
    let mut all = vec![of(c, "model-unsaid", unplaced, "np", "nobody says where it lies").last_day("np")];
    if !who_develops(c).is_empty() {
        let why = "nobody says to which system it belongs, so that no job can be held against it";
        all.push(of(c, "model-unsaid", untied, "pn", why).last_day("pn"));
    }
    all
}
