//! Models: what they are trained with (AI-01), who lets them serve (AI-03), and whether every answer is on record (AI-02).

use crate::Case;
use crate::changes::{LOGIN, second_login, two};
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::Company;
use crate::monitoring::MACHINE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// What is checked about a set of data.
const KINDS: [&str; 4] = ["origin", "licence", "shape", "personal_data"];

#[derive(Clone, Debug, Default)]
pub(crate) struct Models {
    pub(crate) versions: Vec<Version>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) logs: Vec<Log>,
}

#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) key: String,
    pub(crate) at: i64,
    pub(crate) by: usize,
    /// What was measured, what came out, what it has to be at least, when.
    pub(crate) measured: Vec<(&'static str, i64, i64, i64)>,
    pub(crate) approved: Vec<(usize, bool, i64)>,
}

/// A set of data that was used for training.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) key: String,
    pub(crate) at: i64,
    pub(crate) digest: String,
    /// What was checked, whether it passed, when.
    pub(crate) checks: Vec<(&'static str, Option<bool>, i64)>,
}

/// A day of a service's log.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) key: String,
    pub(crate) service: &'static str,
    pub(crate) at: i64,
    pub(crate) first: Option<i64>,
    pub(crate) last: i64,
    pub(crate) entries: i64,
    pub(crate) unversioned: Option<i64>,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..c.shape.days / 25 {
        if let Some(at) = c.clock.some_day(rng, 1, 1) {
            serves(c, rng, at);
            trained(c, rng, at - 5 * DAY);
        }
    }
    // From before the period to the cut-off, so that whatever ends in the period is gone on with.
    let mut next = 1;
    let mut day = c.clock.days_later(c.clock.first, -2);
    while c.clock.at(day, 0, 0) <= c.clock.cutoff {
        let entries = rng.between(200, 90_000);
        let at = c.clock.at(day, 0, 0);
        let key = format!("answers-{}", c.models.logs.len() + 1);
        c.models.logs.push(Log {
            key,
            service: "answers",
            at,
            first: Some(next),
            last: next + entries - 1,
            entries,
            unversioned: Some(0),
        });
        next += entries;
        day = c.clock.days_later(day, 1);
    }
}

/// A version that was good enough and approved before it served.
fn serves(c: &mut Company, rng: &mut Rng, at: i64) -> usize {
    let (by, other) = two(rng);
    let measured = at - rng.between(2, 200) * HOUR;
    let key = format!("rank-{}", c.models.versions.len() + 1);
    let measured = vec![
        ("accuracy", rng.between(900_000, 980_000), 900_000, measured),
        ("recall", rng.between(850_000, 990_000), 850_000, measured),
    ];
    let approved = vec![(other, true, at - rng.between(5, 100) * 60 * SECOND)];
    c.models.versions.push(Version { key, at, by, measured, approved });
    c.models.versions.len() - 1
}

/// A set of data of which everything was checked before it was used.
fn trained(c: &mut Company, rng: &mut Rng, at: i64) -> usize {
    let checks = KINDS.map(|kind| (kind, Some(true), at - rng.between(3, 300) * HOUR)).to_vec();
    let key = format!("corpus-{}", c.models.inputs.len() + 1);
    let digest = format!("sha256:{key}");
    c.models.inputs.push(Input { key, at, digest, checks });
    c.models.inputs.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("model-measured", measured),
    ("model-approved", approved),
    ("data-checked", checked),
    ("log-gap", log_gap),
    ("log-version", log_version),
];

fn of_version(c: &Company, case: &'static str, version: usize, letters: &str, why: &str) -> Seeded {
    seeded(("AI-03", "model_release", case), &c.models.versions[version].key, letters, why)
}

fn a_version(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 3, 3)?;
    Some(serves(c, rng, at))
}

fn measured(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (what, letters, why) in [
        ("exactly", "pp", "as good as it has to be, to the part"),
        ("missed", "dp", "one metric misses its threshold by a part"),
        ("late", "dp", "measured a second after it served"),
        ("at once", "pp", "measured in the instant in which it served"),
        ("never", "dp", "never measured"),
        ("again", "pp", "not good enough at first, trained on, and measured again"),
    ] {
        let Some(version) = a_version(c, rng) else { return all };
        let them = &mut c.models.versions[version];
        let (_, _, threshold, at) = them.measured[1];
        match what {
            "exactly" => them.measured[1].1 = threshold,
            "missed" => them.measured[1].1 = threshold - 1,
            "late" => them.measured.iter_mut().for_each(|m| m.3 = them.at + SECOND),
            "at once" => them.measured.iter_mut().for_each(|m| m.3 = them.at),
            "never" => them.measured.clear(),
            _ => them.measured.push(("recall", threshold - 50_000, threshold, at - DAY)),
        }
        all.push(of_version(c, "model-measured", version, letters, why));
    }
    all
}

fn approved(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (who, after, letters, why) in [
        ("other", 0, "pp", "approved by somebody else in the instant in which it served"),
        ("other", SECOND, "pd", "approved by somebody else a second after it served"),
        ("self", -HOUR, "pd", "approved by whoever trained it"),
        ("second login", -HOUR, "pd", "approved from a second login of whoever trained it"),
        ("bot", -HOUR, "pd", "approved by a bot"),
        ("unknown", -HOUR, "pj", "approved by nobody knows whom"),
        ("taken back", -HOUR, "pd", "approved, and turned down a minute before it served"),
    ] {
        let Some(version) = a_version(c, rng) else { return all };
        let by = c.models.versions[version].by;
        let second = (who == "second login").then(|| LOGIN + second_login(c, by));
        let them = &mut c.models.versions[version];
        let other = them.approved[0].0;
        let approver = match who {
            "self" => by,
            "bot" => MACHINE,
            "unknown" => LOGIN - 1,
            _ => second.unwrap_or(other),
        };
        them.approved = vec![(approver, true, them.at + after)];
        if who == "taken back" {
            them.approved.push((other, false, them.at - 60 * SECOND));
        }
        let case = if who == "second login" { "N21" } else { "model-approved" };
        all.push(of_version(c, case, version, letters, why));
    }
    all
}

fn checked(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (what, letters, why) in [
        ("personal", "pppdp", "nobody looked for personal data in it"),
        ("licence", "pdppp", "its licence does not allow it, and it was used all the same"),
        ("late", "ppdpp", "its shape was checked a second after it was used"),
        ("at once", "ppppp", "its shape was checked in the instant in which it was used"),
        ("again", "ppppp", "its origin was in doubt at first, and was found out before it was used"),
        ("digest", "ppppd", "nobody recorded its digest, as the register says"),
        ("no digest", "ppppn", "nobody says whether its digest was recorded"),
        ("unknown", "npppp", "its origin was checked, and nobody wrote down what came of it"),
    ] {
        let Some(at) = c.clock.some_day(rng, 3, 3) else { return all };
        let input = trained(c, rng, at);
        let them = &mut c.models.inputs[input];
        match what {
            "personal" => them.checks.retain(|k| k.0 != "personal_data"),
            "licence" => them.checks[1].1 = Some(false),
            "late" => them.checks[2].2 = them.at + SECOND,
            "at once" => them.checks[2].2 = them.at,
            "again" => them.checks.push(("origin", Some(false), them.at - 400 * HOUR)),
            "digest" => them.digest = "none".to_owned(),
            "no digest" => them.digest.clear(),
            _ => them.checks[0].1 = None,
        }
        all.push(seeded(
            ("AI-01", "training_data_gate", "data-checked"),
            &c.models.inputs[input].key,
            letters,
            why,
        ));
    }
    all
}

fn of_log(c: &Company, case: &'static str, log: usize, letters: &str, why: &str) -> Seeded {
    seeded(("AI-02", "inference_logged", case), &c.models.logs[log].key, letters, why)
}

/// A day of the log of which nothing was made yet, nor of the one after it.
fn a_day(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    for _ in 0..30 {
        let at = c.clock.some_day(rng, 3, 6)?;
        let place = c.models.logs.iter().rposition(|l| l.service == "answers" && l.at <= at)?;
        let free = [place, place + 1].map(|day| c.take(format!("log {day}")));
        if free.iter().all(|free| *free) && c.models.logs.len() > place + 1 {
            return Some(place);
        }
    }
    None
}

fn log_gap(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (what, letters, why) in [
        ("lost", "dpp", "one entry of the day is missing"),
        ("twice", "dpp", "one entry of the day is there twice"),
        ("between", "pdp", "the next day begins a number too late"),
        ("uncounted", "npp", "nobody says with which number the day begins"),
    ] {
        let Some(day) = a_day(c, rng) else { return all };
        match what {
            "lost" => c.models.logs[day].entries -= 1,
            "twice" => c.models.logs[day].entries += 1,
            "between" => {
                // What is left out at the beginning of the next day is left out of its count as well.
                let next = &mut c.models.logs[day + 1];
                next.first = next.first.map(|first| first + 1);
                next.entries -= 1;
            }
            _ => {
                // Nor can anybody say whether it goes on where the day before ended.
                if !c.take(format!("log {}", day - 1)) {
                    continue;
                }
                c.models.logs[day].first = None;
                let why = "the day after it does not say with which number it begins";
                all.push(of_log(c, "log-gap", day - 1, "pnp", why));
            }
        }
        let letters = if what == "uncounted" { "nnp" } else { letters };
        all.push(of_log(c, "log-gap", day, letters, why));
    }
    all
}

fn log_version(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (many, letters, why) in [
        (Some(1), "ppd", "one entry does not name the version of the model"),
        (Some(0), "ppp", "every entry of a long day names the version of the model"),
        (None, "ppn", "nobody counted how many entries name the version of the model"),
    ] {
        let Some(day) = a_day(c, rng) else { return all };
        c.models.logs[day].unversioned = many;
        all.push(of_log(c, "log-version", day, letters, why));
    }
    // A service that was given up: whether that is so, a person has to say; and one that began the day before the cut-off.
    for (service, days, letters, why) in [
        ("summaries", 40, "pjp", "nothing follows it: whether the service was given up, a person has to say"),
        ("captions", 12, "ppp", "the first day of a service, and the next goes on"),
    ] {
        if c.shape.days < 90 || !c.take(format!("service {service}")) {
            continue;
        }
        let at = c.clock.at(c.clock.days_later(c.clock.last, -days), 0, 0);
        let key = format!("{service}-1");
        c.models.logs.push(Log {
            key,
            service,
            at,
            first: Some(1),
            last: 70,
            entries: 70,
            unversioned: Some(0),
        });
        all.push(of_log(c, "log-service", c.models.logs.len() - 1, letters, why));
        if service == "captions" {
            let key = format!("{service}-2");
            c.models.logs.push(Log {
                key,
                service,
                at: at + DAY,
                first: Some(71),
                last: 99,
                entries: 29,
                unversioned: Some(0),
            });
            let why = "the last day of a service, of which nothing follows";
            all.push(of_log(c, "log-service", c.models.logs.len() - 1, "pjp", why));
        }
    }
    all
}
