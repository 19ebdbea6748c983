//! By which ways confidential data leave, and how what is kept on devices is protected (CON-04).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::stores::entry;
use crate::truth::{Seeded, seeded};

/// Within which what no rule allowed is judged.
const JUDGED: i64 = 7 * DAY;

/// A rule by which data may leave: by whom it was decided and when, and how long it holds.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) key: String,
    pub(crate) by: Option<usize>,
    pub(crate) at: i64,
    pub(crate) from: i64,
    pub(crate) to: End,
}

/// Data on their way out.
#[derive(Clone, Debug)]
pub(crate) struct Export {
    pub(crate) key: String,
    pub(crate) at: i64,
    pub(crate) by: usize,
    pub(crate) let_out: bool,
    /// Whether a rule allowed it, and which.
    pub(crate) allowed: Option<bool>,
    pub(crate) rule: Option<String>,
    /// When, by whom and as what it was judged.
    pub(crate) judged: Option<(i64, usize, &'static str)>,
}

/// How something on devices is protected for a while.
#[derive(Clone, Debug)]
pub(crate) struct Carried {
    pub(crate) asset: String,
    pub(crate) encrypted: Option<bool>,
    pub(crate) wipeable: Option<bool>,
    pub(crate) from: i64,
    pub(crate) to: End,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..3 {
        let from = c.clock.from - rng.between(100, 600) * DAY;
        rule(c, rng, from);
    }
    for _ in 0..10 + c.shape.days / 6 {
        let at = rng.between(c.clock.from, c.clock.to - 1);
        let export = leaves(c, rng, at);
        if rng.chance(40) {
            stopped(c, rng, export);
        }
    }
    for _ in 0..2 {
        let from = c.clock.from - rng.between(100, 600) * DAY;
        carried(c, rng, from);
    }
}

fn rule(c: &mut Company, rng: &mut Rng, from: i64) -> String {
    let key = format!("export-rule-{}", c.operations.export_rules.len() + 1);
    let (by, at) = (Some(rng.below(CORE)), from - rng.between(1, 9) * DAY);
    c.operations.export_rules.push(Rule { key: key.clone(), by, at, from, to: End::Never });
    key
}

/// Something that a rule allows.
fn leaves(c: &mut Company, rng: &mut Rng, at: i64) -> usize {
    let key = format!("X{:05}", c.operations.exports.len() + 1);
    let rule = Some(c.operations.export_rules[rng.below(3)].key.clone());
    let by = rng.below(CORE);
    c.operations.exports.push(Export { key, at, by, let_out: true, allowed: Some(true), rule, judged: None });
    c.operations.exports.len() - 1
}

/// No rule allowed it; it was stopped, and somebody else judged it within days.
fn stopped(c: &mut Company, rng: &mut Rng, export: usize) {
    let them = &mut c.operations.exports[export];
    (them.let_out, them.allowed, them.rule) = (false, Some(false), None);
    let other = (them.by + 1 + rng.below(CORE - 1)) % CORE;
    them.judged = Some((them.at + rng.between(1, 160) * HOUR, other, "a slip, and explained to them"));
}

/// Something confidential on devices, protected since it is there.
fn carried(c: &mut Company, rng: &mut Rng, from: i64) -> String {
    let key = format!("on-devices-{}", c.operations.carried.len() + 1);
    entry(c, rng, key.clone(), "device_store", "confidential", from, End::Never);
    let (encrypted, wipeable) = (Some(true), Some(true));
    c.operations.carried.push(Carried { asset: key.clone(), encrypted, wipeable, from, to: End::Never });
    key
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("let-out", let_out),
    ("rule-boundary", rule_boundary),
    ("rule-of-nobody", rule_of_nobody),
    ("judged-boundary", judged_boundary),
    ("judged-by", judged_by),
    ("way-out-unknown", way_out_unknown),
    ("bare-on-devices", bare_on_devices),
    ("carried-unknown", carried_unknown),
    ("carried-otherwise", carried_otherwise),
];

fn of_export(c: &Company, case: &'static str, export: usize, letters: &str, why: &str) -> Seeded {
    seeded(("CON-04", "exports_judged", case), &c.operations.exports[export].key, letters, why)
}

fn an_export(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 5, 20)?;
    Some(leaves(c, rng, at))
}

fn let_out(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some(export) = an_export(c, rng) else { return all };
    stopped(c, rng, export);
    c.operations.exports[export].let_out = true;
    all.push(of_export(c, "let-out", export, "dp", "sent to a private address, seen, and judged a slip"));
    let Some(export) = an_export(c, rng) else { return all };
    stopped(c, rng, export);
    (c.operations.exports[export].let_out, c.operations.exports[export].judged) = (true, None);
    all.push(of_export(c, "let-out", export, "dd", "sent to a private address, and nobody looked"));
    let Some(export) = an_export(c, rng) else { return all };
    stopped(c, rng, export);
    c.operations.exports[export].judged = None;
    all.push(of_export(c, "let-out", export, "pd", "stopped, and nobody asked what it was"));
    all
}

fn rule_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, ends, letters, why) in [
        (0, End::Never, "p-", "by a rule that held from that instant on"),
        (SECOND, End::Never, "dd", "by a rule that held from the second after on"),
        (-DAY, End::At(0), "dd", "by a rule that had ended in that instant"),
    ] {
        let Some(export) = an_export(c, rng) else { return all };
        let at = c.operations.exports[export].at;
        let key = rule(c, rng, at + late);
        if ends != End::Never
            && let Some(them) = c.operations.export_rules.last_mut()
        {
            them.to = End::At(at);
        }
        c.operations.exports[export].rule = Some(key);
        all.push(of_export(c, "rule-boundary", export, letters, why));
    }
    all
}

fn rule_of_nobody(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (by, letters, why) in [
        (Some(MACHINE), "dd", "by a rule that a script wrote"),
        (None, "nn", "by a rule of which nobody wrote down who decided it"),
    ] {
        let Some(export) = an_export(c, rng) else { return all };
        let from = c.operations.exports[export].at - 20 * DAY;
        let key = rule(c, rng, from);
        if let Some(them) = c.operations.export_rules.last_mut() {
            them.by = by;
        }
        c.operations.exports[export].rule = Some(key);
        all.push(of_export(c, "rule-of-nobody", export, letters, why));
    }
    all
}

fn judged_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "pp", "stopped, and judged seven days later to the second"),
        (SECOND, "pd", "stopped, and judged seven days and a second later"),
    ] {
        let Some(export) = an_export(c, rng) else { return all };
        stopped(c, rng, export);
        let them = &mut c.operations.exports[export];
        if let Some(judged) = &mut them.judged {
            judged.0 = them.at + JUDGED + late;
        }
        all.push(of_export(c, "judged-boundary", export, letters, why));
    }
    all
}

fn judged_by(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (who, letters, why) in [
        ("themselves", "pd", "stopped, and judged a slip by who had tried"),
        ("script", "pd", "stopped, and closed by a script"),
        ("no word", "pn", "stopped, and closed by somebody else, nobody knows as what"),
    ] {
        let Some(export) = an_export(c, rng) else { return all };
        stopped(c, rng, export);
        let them = &mut c.operations.exports[export];
        let by = them.by;
        if let Some(judged) = &mut them.judged {
            match who {
                "themselves" => judged.1 = by,
                "script" => judged.1 = MACHINE,
                _ => judged.2 = "",
            }
        }
        all.push(of_export(c, "judged-by", export, letters, why));
    }
    all
}

fn way_out_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some(export) = an_export(c, rng) else { return all };
    (c.operations.exports[export].allowed, c.operations.exports[export].rule) = (None, None);
    all.push(of_export(
        c,
        "way-out-unknown",
        export,
        "nn",
        "let out, and nobody can say whether a rule allowed it",
    ));
    let Some(export) = an_export(c, rng) else { return all };
    c.operations.exports[export].rule = None;
    all.push(of_export(
        c,
        "way-out-unknown",
        export,
        "nn",
        "a rule is said to have allowed it, and nobody says which",
    ));
    all
}

// ---- On devices

fn of_carried(case: &'static str, asset: &str, letters: &str, why: &str) -> Seeded {
    seeded(("CON-04", "device_data_protected", case), asset, letters, why)
}

/// Otherwise from then on, for so long.
fn otherwise(c: &mut Company, from: i64, length: i64, change: impl FnOnce(&mut Carried)) {
    let Some(them) = c.operations.carried.last_mut() else { return };
    let (mut now, mut again) = (them.clone(), them.clone());
    them.to = End::At(from);
    (now.from, now.to) = (from, End::At(from + length));
    again.from = from + length;
    change(&mut now);
    c.operations.carried.extend([now, again]);
}

fn long_carried(c: &mut Company, rng: &mut Rng) -> String {
    let from = c.clock.from - 300 * DAY;
    carried(c, rng, from)
}

fn bare_on_devices(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let asset = long_carried(c, rng);
    if let Some(them) = c.operations.carried.last_mut() {
        them.encrypted = Some(false);
    }
    let why = "the app keeps contracts on telephones as they are";
    all.push(of_carried("bare-on-devices", &asset, "dp", why).last_day("d"));
    let asset = long_carried(c, rng);
    if let Some(them) = c.operations.carried.last_mut() {
        them.wipeable = Some(false);
    }
    let why = "what the app keeps on a lost telephone stays there";
    all.push(of_carried("bare-on-devices", &asset, "pd", why).last_day(".d"));
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
    let asset = long_carried(c, rng);
    otherwise(c, at, HOUR, |them| them.encrypted = Some(false));
    all.push(of_carried(
        "bare-on-devices",
        &asset,
        "dp",
        "a version of the app kept it as it was, for an hour",
    ));
    all
}

fn carried_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let asset = long_carried(c, rng);
    if let Some(them) = c.operations.carried.last_mut() {
        them.wipeable = None;
    }
    all.push(of_carried("carried-unknown", &asset, "pn", "nobody could say whether it can be wiped"));
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
    let asset = long_carried(c, rng);
    otherwise(c, at, DAY, |them| them.encrypted = None);
    all.push(of_carried(
        "carried-unknown",
        &asset,
        "np",
        "for a day nobody could say whether it was encrypted",
    ));
    all
}

fn carried_otherwise(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let asset = long_carried(c, rng);
    let begins = c.clock.from;
    otherwise(c, begins - 30 * DAY, 30 * DAY, |them| them.encrypted = Some(false));
    vec![of_carried(
        "carried-otherwise",
        &asset,
        "pp",
        "kept as it was until the instant in which the period began",
    )]
}
