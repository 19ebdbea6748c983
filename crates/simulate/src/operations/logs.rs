//! What should log to the central place, whether it did (LOG-01), and how logs are kept (LOG-02).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, End};
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// For how long a source may be silent.
const SILENT: i64 = 24 * HOUR;

#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) key: String,
    /// The key of the system whose log it is.
    pub(crate) system: Option<String>,
    pub(crate) from: i64,
    pub(crate) to: End,
    pub(crate) spells: Vec<Spell>,
}

/// How its logs were found for a while.
#[derive(Clone, Debug)]
pub(crate) struct Spell {
    pub(crate) arriving: bool,
    /// Days for which they are kept.
    pub(crate) kept: Option<i64>,
    pub(crate) locked: bool,
    pub(crate) skew: i64,
    pub(crate) from: i64,
    pub(crate) to: End,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for system in 0..c.systems.len() {
        let (from, to) = (c.systems[system].from, c.systems[system].to);
        for what in ["audit", "app"] {
            let key = format!("{}/{what}", c.systems[system].key);
            if what == "audit" || rng.chance(60) {
                let source = heard(c, rng, key, from, to);
                c.operations.sources[source].system = Some(c.systems[system].key.to_owned());
            }
        }
    }
    for key in ["edge/firewall", "cloud/trail"] {
        let source = heard(c, rng, key.to_owned(), c.clock.from - 300 * DAY, End::Never);
        // Silent for some hours now and then: nobody calls that a gap.
        if let Some(at) = c.clock.some_day(rng, 5, 5) {
            silent(c, source, at, rng.between(1, 20) * HOUR);
        }
    }
}

/// Something whose logs arrived since then.
pub(crate) fn heard(c: &mut Company, rng: &mut Rng, key: String, from: i64, to: End) -> usize {
    let (kept, skew) = (Some(rng.between(365, 800)), rng.between(-900, 900));
    let spell = Spell { arriving: true, kept, locked: true, skew, from, to };
    c.operations.sources.push(Source { key, system: None, from, to, spells: vec![spell] });
    c.operations.sources.len() - 1
}

/// For a while it was otherwise.
fn otherwise(c: &mut Company, source: usize, from: i64, length: i64, change: impl FnOnce(&mut Spell)) {
    let spells = &mut c.operations.sources[source].spells;
    let Some(last) = spells.last_mut() else { return };
    let mut spell = last.clone();
    let mut after = last.clone();
    last.to = End::At(from);
    (spell.from, spell.to) = (from, End::At(from + length));
    after.from = from + length;
    change(&mut spell);
    spells.push(spell);
    spells.push(after);
}

fn silent(c: &mut Company, source: usize, from: i64, length: i64) {
    otherwise(c, source, from, length, |spell| spell.arriving = false);
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("silence-boundary", silence_boundary),
    ("silent-for-days", silent_for_days),
    ("silent-since", silent_since),
    ("not-looked", not_looked),
    ("ended-by-intention", ended_by_intention),
    ("nothing-logs", nothing_logs),
    ("connected-late", connected_late),
    ("kept-too-short", kept_too_short),
    ("kept-just-so", kept_just_so),
    ("alterable", alterable),
    ("clock-off", clock_off),
    ("kept-unknown", kept_unknown),
];

fn of_arrival(case: &'static str, item: &str, letters: &str, why: &str) -> Seeded {
    seeded(("LOG-01", "logs_arrive", case), item, letters, why)
}

fn of_keeping(case: &'static str, item: &str, letters: &str, why: &str) -> Seeded {
    seeded(("LOG-02", "logs_protected", case), item, letters, why)
}

/// Something of no system, heard since long before.
fn another(c: &mut Company, rng: &mut Rng) -> (usize, String) {
    c.operations.hosts += 1;
    let key = format!("host-{}/syslog", c.operations.hosts);
    let from = c.clock.from - 300 * DAY;
    (heard(c, rng, key.clone(), from, End::Never), key)
}

fn silence_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in
        [(0, "p-", "silent for a day, to the second"), (SECOND, "d-", "silent for a day and a second")]
    {
        let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
        let (source, key) = another(c, rng);
        silent(c, source, at, SILENT + late);
        all.push(of_arrival("silence-boundary", &key, letters, why));
    }
    all
}

fn silent_for_days(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 10) else { return vec![] };
    let (source, key) = another(c, rng);
    // Told in two parts, each of which is short enough.
    silent(c, source, at, 20 * HOUR);
    silent(c, source, at + 20 * HOUR, 20 * HOUR);
    vec![of_arrival(
        "silent-for-days",
        &key,
        "d-",
        "silent for forty hours, which its list tells in two parts",
    )]
}

fn silent_since(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 10) else { return vec![] };
    let (source, key) = another(c, rng);
    silent(c, source, at, DAY);
    let spells = &mut c.operations.sources[source].spells;
    spells.pop();
    if let Some(last) = spells.last_mut() {
        last.to = End::Never;
    }
    vec![of_arrival("silent-since", &key, "d-", "silent since then, and nobody noticed").last_day("d")]
}

fn not_looked(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 10) else { return vec![] };
    let (source, key) = another(c, rng);
    silent(c, source, at, 3 * HOUR);
    c.operations.sources[source].spells.remove(1);
    let why = "for three hours nobody can say whether its logs arrived, nor how they were kept";
    vec![of_arrival("not-looked", &key, "n-", why), of_keeping("not-looked", &key, "nnn", why)]
}

fn ended_by_intention(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 10) else { return vec![] };
    let (source, key) = another(c, rng);
    silent(c, source, at, 3 * DAY);
    let them = &mut c.operations.sources[source];
    them.to = End::At(at);
    them.spells.pop();
    vec![of_arrival(
        "ended-by-intention",
        &key,
        "p-",
        "silent since the machine was taken away, which was meant",
    )]
}

/// A system that nothing was made of yet, and that is there to the end.
fn a_system(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    for _ in 0..20 {
        let system = rng.below(c.systems.len());
        if c.systems[system].to == End::Never && c.take(format!("logs of {}", c.systems[system].key)) {
            return Some(system);
        }
    }
    None
}

fn nothing_logs(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(system) = a_system(c, rng) else { return vec![] };
    let key = c.systems[system].key;
    c.operations.sources.retain(|source| source.system.as_deref() != Some(key));
    let why = "used by everybody, and none of its logs is sent anywhere";
    vec![of_arrival("nothing-logs", c.systems[system].key, "-d", why).last_day("-d")]
}

fn connected_late(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 10) else { return vec![] };
    let Some(system) = a_system(c, rng) else { return vec![] };
    let key = c.systems[system].key;
    for source in c.operations.sources.iter_mut().filter(|source| source.system.as_deref() == Some(key)) {
        source.from = at;
        source.spells[0].from = at;
    }
    let why = "in use for years, and its logs are sent since some day of the period only";
    vec![of_arrival("connected-late", c.systems[system].key, "-d", why)]
}

fn kept_too_short(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 10) else { return vec![] };
    let (source, key) = another(c, rng);
    otherwise(c, source, at, 4 * DAY, |spell| spell.kept = Some(30));
    vec![of_keeping("kept-too-short", &key, "dpp", "for four days its logs were kept for thirty days only")]
}

fn kept_just_so(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let (source, key) = another(c, rng);
    let spell = &mut c.operations.sources[source].spells[0];
    (spell.kept, spell.skew) = (Some(365), -1_000);
    vec![of_keeping("kept-just-so", &key, "ppp", "kept for 365 days, by a clock that is a second behind")]
}

fn alterable(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let (source, key) = another(c, rng);
    c.operations.sources[source].spells[0].locked = false;
    let why = "whoever runs the machine can delete its logs at the central place, too";
    vec![of_keeping("alterable", &key, "pdp", why).last_day(".d")]
}

fn clock_off(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 10) else { return vec![] };
    let (source, key) = another(c, rng);
    otherwise(c, source, at, DAY, |spell| spell.skew = -1_001);
    vec![of_keeping("clock-off", &key, "ppd", "for a day its clock was more than a second behind")]
}

fn kept_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let (source, key) = another(c, rng);
    c.operations.sources[source].spells[0].kept = None;
    vec![of_keeping("kept-unknown", &key, "npp", "nobody knows for how long its logs are kept")]
}
