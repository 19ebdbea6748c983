//! What is stored and who answers for it (CON-01), what goes when it is due (CON-02), and what becomes of a customer's data when
//! the contract ends (CON-03).

use std::collections::BTreeSet;

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, End, Resource};
use crate::monitoring::MACHINE;
use crate::people::{CORE, leaver};
use crate::privacy::Done;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Days within which somebody looks at each entry, and in which what is new is entered; days from one deletion to the next, and
/// until what was left is cleared; days after a contract until everything is gone, and until backups are.
const LOOK: i64 = 365;
const GRACE: i64 = 30;
const GAP: i64 = 35;
const GONE: i64 = 30;
const AGED: i64 = 90;

/// The inventory of data, the rules of retention, and the contracts that ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stores {
    pub(crate) assets: Vec<Asset>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) exits: Vec<Exit>,
    /// Resources about whose entry a case decides.
    special: BTreeSet<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Asset {
    pub(crate) key: String,
    pub(crate) kind: &'static str,
    pub(crate) class: &'static str,
    pub(crate) owner: Option<usize>,
    pub(crate) resource: Option<String>,
    pub(crate) system: Option<&'static str>,
    pub(crate) from: i64,
    pub(crate) to: End,
    pub(crate) looks: Vec<(i64, usize)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) key: String,
    pub(crate) asset: &'static str,
    pub(crate) days: i64,
    pub(crate) from: i64,
    pub(crate) to: End,
    pub(crate) runs: Vec<Swept>,
    /// Held back: why, by whom, from when, until when.
    pub(crate) holds: Vec<(&'static str, usize, i64, End)>,
}

/// What one run of a rule found, deleted and left alone.
#[derive(Clone, Debug)]
pub(crate) struct Swept {
    pub(crate) at: i64,
    pub(crate) due: Option<i64>,
    pub(crate) deleted: i64,
    pub(crate) held: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Exit {
    pub(crate) key: String,
    pub(crate) people: &'static str,
    pub(crate) at: i64,
    pub(crate) told: Option<(i64, usize)>,
    pub(crate) done: Vec<Done>,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for (key, kind, class) in [
        ("accounts-db", "database", "restricted"),
        ("warehouse", "warehouse", "confidential"),
        ("backups", "backup", "restricted"),
        ("payroll", "vendor_tool", "restricted"),
        ("handbook", "file_store", "internal"),
    ] {
        let from = c.clock.from - rng.between(200, 1_500) * DAY;
        entry(c, rng, key.to_owned(), kind, class, from, End::Never);
    }
    for asset in ["logs", "invoices", "mails"] {
        rule(c, rng, asset);
    }
    for _ in 0..c.shape.days / 20 {
        let at = rng.between(c.clock.from, c.clock.to - 1);
        left(c, rng, at);
    }
}

/// An entry as it should be: with somebody of those who are always here as its owner, and looked at within each year.
pub(crate) fn entry(
    c: &mut Company,
    rng: &mut Rng,
    key: String,
    kind: &'static str,
    class: &'static str,
    from: i64,
    to: End,
) -> usize {
    let mut looks = vec![];
    let mut at = from.max(c.clock.kept_since + 60 * DAY) + rng.between(50, 300) * DAY;
    while at <= c.clock.cutoff {
        looks.push((at, rng.below(CORE)));
        at += rng.between(200, 350) * DAY;
    }
    let owner = Some(rng.below(CORE));
    c.stores.assets.push(Asset { key, kind, class, owner, resource: None, system: None, from, to, looks });
    c.stores.assets.len() - 1
}

/// A rule that is followed on the third of each month.
fn rule(c: &mut Company, rng: &mut Rng, asset: &'static str) -> usize {
    let mut runs = vec![];
    let mut day = c.clock.days_later(c.clock.first, -70);
    while c.clock.at(day, 3, 0) <= c.clock.cutoff {
        if day.day() == 3 {
            let due = rng.between(10, 5_000);
            runs.push(Swept { at: c.clock.at(day, 3, 0), due: Some(due), deleted: due, held: 0 });
        }
        day = c.clock.days_later(day, 1);
    }
    let key = format!("{asset}-{}", c.stores.rules.len() + 1);
    let from = c.clock.from - 600 * DAY;
    c.stores.rules.push(Rule { key, asset, days: 90, from, to: End::Never, runs, holds: vec![] });
    let rule = c.stores.rules.len() - 1;
    if rng.chance(30) {
        // A claim: somebody holds a few records back, and says why.
        let them = &mut c.stores.rules[rule];
        them.holds.push(("a claim of a customer", rng.below(CORE), from + 20 * DAY, End::Never));
        for run in &mut them.runs {
            (run.deleted, run.held) = (run.deleted - 3, 3);
        }
    }
    rule
}

/// A customer whose data are gone in time, and who was told.
fn left(c: &mut Company, rng: &mut Rng, at: i64) -> usize {
    let mut done = vec![];
    for held in c.privacy.held.iter().filter(|h| h.people == "customers") {
        if held.from > at || !held.to.after(at) {
            continue;
        }
        let when = at + rng.between(1, 26) * DAY;
        let (outcome, gone) = match held.store {
            "backups" => ("ages_out", Some(at + rng.between(30, 85) * DAY)),
            _ => (rng.pick(&["deleted", "deleted", "returned", "not_held"]), None),
        };
        done.push(Done { store: held.store, outcome, at: when, gone });
    }
    let key = format!("contract-{}", c.stores.exits.len() + 1);
    let told = Some((at + rng.between(27 * 24, 29 * 24) * HOUR, rng.below(CORE)));
    c.stores.exits.push(Exit { key, people: "customers", at, told, done });
    c.stores.exits.len() - 1
}

/// Whatever stores something at the provider stands in the inventory as well, unless a case says otherwise.
pub(crate) fn enter(c: &mut Company, rng: &mut Rng) {
    for place in 0..c.resources.len() {
        let Resource { key, kind, from, to, .. } = c.resources[place].clone();
        if matches!(kind, "machine" | "network") || c.stores.special.contains(&key) {
            continue;
        }
        let entry = entry(c, rng, format!("data/{key}"), "other", "confidential", from, to);
        c.stores.assets[entry].resource = Some(key);
    }
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("no-class", incomplete),
    ("owner-left", owner_left),
    ("looked-at", looked_at),
    ("no-entry", no_entry),
    ("perhaps-retired", perhaps_retired),
    ("month-left-out", month_left_out),
    ("left-lying", left_lying),
    ("held-back", held_back),
    ("rule-ended", rule_ended),
    ("gone-in-time", gone_in_time),
    ("told-in-time", told_in_time),
    ("N90-contract", gone_nearly_everywhere),
];

// ---- CON-01

fn of_asset(c: &Company, case: &'static str, asset: usize, letters: &str, why: &str) -> Seeded {
    seeded(("CON-01", "data_inventory", case), &c.stores.assets[asset].key, letters, why).last_day(letters)
}

fn an_entry(c: &mut Company, rng: &mut Rng) -> usize {
    let key = format!("set-{}", c.stores.assets.len() + 1);
    let from = c.clock.from - rng.between(500, 900) * DAY;
    entry(c, rng, key, "file_store", "confidential", from, End::Never)
}

fn incomplete(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let asset = an_entry(c, rng);
    c.stores.assets[asset].class = "none";
    let silent = an_entry(c, rng);
    c.stores.assets[silent].class = "";
    let unowned = an_entry(c, rng);
    c.stores.assets[unowned].owner = None;
    let script = an_entry(c, rng);
    c.stores.assets[script].owner = Some(MACHINE);
    vec![
        of_asset(c, "no-class", asset, "dpp", "it has no class, as the inventory says"),
        of_asset(c, "no-class", silent, "npp", "nobody says how confidential it is"),
        of_asset(c, "no-owner", unowned, "pnp", "nobody says who answers for it"),
        of_asset(c, "no-owner", script, "pdp", "a script is said to answer for it"),
    ]
}

fn owner_left(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, _, at)) = leaver(c, rng, "employee", 10) else { return vec![] };
    let asset = an_entry(c, rng);
    c.stores.assets[asset].owner = Some(person);
    let before = an_entry(c, rng);
    (c.stores.assets[before].owner, c.stores.assets[before].to) = (Some(person), End::At(at));
    // Somebody looked shortly before it was given up.
    c.stores.assets[before].looks = vec![(at - 20 * DAY, 0)];
    let why = "given up in the instant in which its owner left, and theirs until then";
    vec![
        of_asset(c, "owner-left", asset, "pdp", "its owner left in the period, and nobody took over"),
        seeded(("CON-01", "data_inventory", "owner-left"), &c.stores.assets[before].key, "ppp", why),
    ]
}

fn looked_at(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let end = c.clock.to - 1;
    let mut all = vec![];
    for (before, who, letters, why) in [
        (
            Some(LOOK * DAY),
            0,
            "ppp",
            "looked at 365 days before the last instant of the period, to the second",
        ),
        (
            Some(LOOK * DAY + SECOND),
            0,
            "ppd",
            "looked at a second more than 365 days before the end of the period",
        ),
        (Some(100 * DAY), MACHINE, "ppd", "ticked off by a script"),
        (None, 0, "ppd", "never looked at"),
    ] {
        let asset = an_entry(c, rng);
        c.stores.assets[asset].looks = before.map(|before| (end - before, who)).into_iter().collect();
        all.push(of_asset(c, "looked-at", asset, letters, why));
    }
    let young = an_entry(c, rng);
    (c.stores.assets[young].from, c.stores.assets[young].looks) = (end - 200 * DAY, vec![]);
    if c.clock.from <= end - 200 * DAY || c.shape.days > 1 {
        let why = "in use for two hundred days, so that nobody had to look yet";
        all.push(of_asset(c, "looked-at", young, "ppy", why));
    }
    let gone = an_entry(c, rng);
    (c.stores.assets[gone].to, c.stores.assets[gone].owner) = (End::At(c.clock.from - DAY), Some(MACHINE));
    let why = "a script is said to answer for it, and it was given up a day before the period";
    all.push(seeded(("CON-01", "data_inventory", "given-up"), &c.stores.assets[gone].key, "absent", why));
    all
}

/// Something that stores at the provider, encrypted, about whose entry a case decides.
fn a_bucket(c: &mut Company, from: i64) -> String {
    let key = format!("bucket-of-{:03}", c.resources.len() + 1);
    let settings = vec![crate::company::Setting {
        encrypted: Some(true),
        key: "customer",
        public: Some(false),
        zones: Some(1),
        access_logged: Some(false),
        from,
        to: End::Never,
    }];
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
    c.stores.special.insert(key.clone());
    key
}

fn no_entry(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let end = c.clock.to - 1;
    let of = |key: &str, letters: &str, why: &str| {
        seeded(("CON-01", "data_inventory", "no-entry"), key, letters, why).last_day(letters)
    };
    let unknown = a_bucket(c, c.clock.from - 200 * DAY);
    let young = a_bucket(c, end - (GRACE - 1) * DAY);
    let given_up = a_bucket(c, c.clock.from - 200 * DAY);
    let entry = an_entry(c, rng);
    (c.stores.assets[entry].to, c.stores.assets[entry].resource) =
        (End::At(c.clock.from - 40 * DAY), Some(given_up.clone()));
    vec![
        of(&unknown, "d--", "a bucket that no entry names"),
        of(&young, "y--", "a bucket that is 29 days old, and is entered within thirty"),
        of(&given_up, "d--", "its entry was given up, and the bucket is still there"),
    ]
}

fn perhaps_retired(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let asset = an_entry(c, rng);
    c.stores.assets[asset].to = End::Unknown;
    vec![of_asset(c, "perhaps-retired", asset, "nnn", "given up, and nobody wrote down when")]
}

// ---- CON-02

fn of_rule(c: &Company, case: &'static str, rule: usize, letters: &str, why: &str) -> Seeded {
    seeded(("CON-02", "retention_executed", case), &c.stores.rules[rule].key, letters, why)
}

fn a_rule(c: &mut Company, rng: &mut Rng) -> usize {
    let rule = rule(c, rng, "exports");
    let them = &mut c.stores.rules[rule];
    them.holds.clear();
    for run in &mut them.runs {
        (run.due, run.held) = (Some(run.deleted), 0);
    }
    rule
}

/// A run in the period with others before and after it.
fn a_sweep(c: &Company, rule: usize) -> Option<usize> {
    let (from, to) = (c.clock.from + 2 * DAY, c.clock.to - 70 * DAY);
    c.stores.rules[rule].runs.iter().position(|r| r.at > from && r.at < to)
}

fn month_left_out(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let rule = a_rule(c, rng);
    let Some(run) = a_sweep(c, rule) else { return all };
    c.stores.rules[rule].runs.remove(run);
    all.push(of_rule(c, "month-left-out", rule, "dp-", "one month was left out").last_day("p--"));
    for (late, letters, why) in [
        (0, "pp-", "thirty-five days from one run to the next, to the millisecond"),
        (SECOND, "dp-", "thirty-five days and a second from one run to the next"),
    ] {
        let rule = a_rule(c, rng);
        let Some(run) = a_sweep(c, rule) else { return all };
        let them = &mut c.stores.rules[rule];
        let next = them.runs[run].at + GAP * DAY + late;
        // From there on every thirty days.
        for (number, later) in (0..).zip(them.runs.iter_mut().skip(run + 1)) {
            later.at = next + number * 30 * DAY;
        }
        while them.runs.last().is_some_and(|r| r.at < c.clock.cutoff) {
            let Some(last) = them.runs.last().cloned() else { break };
            them.runs.push(Swept { at: last.at + 30 * DAY, ..last });
        }
        them.runs.retain(|r| r.at <= c.clock.cutoff);
        all.push(of_rule(c, "month-left-out", rule, letters, why).last_day("p.."));
    }
    let never = a_rule(c, rng);
    c.stores.rules[never].runs.clear();
    all.push(of_rule(c, "never-run", never, "d--", "laid down, and never done").last_day("d--"));
    all
}

fn left_lying(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (what, letters, why) in [
        ("once", "pp-", "four records were left lying, and the next run took them with it"),
        ("twice", "pd-", "four records were left lying, and the next run left some as well"),
        ("uncounted", "pp-", "nobody counted how many were due, and the next run left nothing of what was"),
        ("uncounted twice", "pn-", "nobody counted how many were due, twice in a row"),
    ] {
        let rule = a_rule(c, rng);
        let Some(run) = a_sweep(c, rule) else { return all };
        let runs = &mut c.stores.rules[rule].runs;
        match what {
            "once" => runs[run].deleted -= 4,
            "twice" => {
                runs[run].deleted -= 4;
                runs[run + 1].deleted -= 1;
            }
            "uncounted" => runs[run].due = None,
            _ => (runs[run].due, runs[run + 1].due) = (None, None),
        }
        all.push(of_rule(c, "left-lying", rule, letters, why).last_day("p--"));
    }
    all
}

fn held_back(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (who, reason, letters, why) in [
        (Some(0), "a claim", "ppp", "five records are held back by a named person, for a claim"),
        (None, "", "ppd", "five records were held back, and nobody said so"),
        (Some(MACHINE), "a claim", "ppd", "five records were held back by a script"),
        (Some(0), "", "ppj", "five records were held back by a named person, who did not say why"),
    ] {
        let rule = a_rule(c, rng);
        let Some(run) = a_sweep(c, rule) else { return all };
        let them = &mut c.stores.rules[rule];
        (them.runs[run].deleted, them.runs[run].held) = (them.runs[run].deleted - 5, 5);
        let at = them.runs[run].at;
        them.holds.extend(who.map(|who| (reason, who, at - 9 * DAY, End::At(at + 9 * DAY))));
        all.push(of_rule(c, "held-back", rule, letters, why).last_day("p--"));
    }
    all
}

fn rule_ended(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (word, letters, why) in [
        ("at", "pp-", "given up ten days after its last run, so that no more were due"),
        ("unknown", "np-", "given up, and nobody wrote down when: whether more were due cannot be told"),
    ] {
        let rule = a_rule(c, rng);
        let Some(run) = a_sweep(c, rule) else { return all };
        let them = &mut c.stores.rules[rule];
        them.runs.truncate(run + 1);
        them.to = if word == "at" { End::At(them.runs[run].at + 10 * DAY) } else { End::Unknown };
        let said = of_rule(c, "rule-ended", rule, letters, why);
        all.push(if word == "at" { said } else { said.last_day("n--") });
    }
    all
}

// ---- CON-03

fn of_exit(c: &Company, case: &'static str, exit: usize, letters: &str, why: &str) -> Seeded {
    seeded(("CON-03", "customer_data_deleted", case), &c.stores.exits[exit].key, letters, why)
}

fn an_exit(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 2, 40)?;
    Some(left(c, rng, at))
}

fn gone_in_time(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "pp", "deleted from the warehouse thirty days later, to the second"),
        (SECOND, "dp", "deleted from the warehouse thirty days and a second later"),
        (
            -31 * DAY,
            "dp",
            "deleted from the warehouse a day before the contract ended: what came in since is there",
        ),
    ] {
        let Some(exit) = an_exit(c, rng) else { return all };
        let them = &mut c.stores.exits[exit];
        for done in them.done.iter_mut().filter(|d| d.store == "warehouse") {
            (done.outcome, done.at) = ("deleted", them.at + GONE * DAY + late);
        }
        all.push(of_exit(c, "gone-in-time", exit, letters, why));
    }
    let Some(exit) = an_exit(c, rng) else { return all };
    c.stores.exits[exit].people = "";
    let why = "whose data they had entrusted is on no record: where they lay cannot be told";
    all.push(of_exit(c, "whose", exit, "np", why));
    all
}

fn told_in_time(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, who, letters, why) in [
        (Some(0), 0, "pp", "told by a person thirty days later, to the second"),
        (Some(SECOND), 0, "pd", "told by a person thirty days and a second later"),
        (Some(-DAY), MACHINE, "pd", "told by a script alone"),
        (None, 0, "pd", "never told"),
    ] {
        let Some(exit) = an_exit(c, rng) else { return all };
        let them = &mut c.stores.exits[exit];
        them.told = late.map(|late| (them.at + GONE * DAY + late, who));
        all.push(of_exit(c, "told-in-time", exit, letters, why));
    }
    all
}

fn gone_nearly_everywhere(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (untouched, gone, letters, why) in [
        (true, AGED, "dp", "told that everything is gone, with the warehouse untouched"),
        (false, AGED, "pp", "the backups are gone on the ninetieth day, which is stated"),
        (false, AGED + 1, "dp", "the backups are gone a day later than on the ninetieth"),
    ] {
        let Some(exit) = an_exit(c, rng) else { return all };
        let them = &mut c.stores.exits[exit];
        for done in them.done.iter_mut().filter(|d| d.store == "backups") {
            done.gone = Some(them.at + gone * DAY);
        }
        if untouched {
            them.done.retain(|d| d.store != "warehouse");
        }
        all.push(of_exit(c, "N90", exit, letters, why));
    }
    all
}
