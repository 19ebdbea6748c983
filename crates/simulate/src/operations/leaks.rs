//! Where secrets are kept and searched for, and those that leaked (CRY-03).

use crate::Case;
use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::operations::secrets::changed;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Hours until what leaked is revoked.
const REVOKE: i64 = 24 * HOUR;

/// For how long a repository was searched, or was not.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    pub(crate) repository: usize,
    pub(crate) on: bool,
    pub(crate) from: i64,
    pub(crate) to: End,
}

#[derive(Clone, Debug)]
pub(crate) struct Leak {
    pub(crate) key: String,
    pub(crate) found: i64,
    pub(crate) revoked: Option<End>,
    /// Judged to be none: when, by whom, why.
    pub(crate) none: Option<(i64, usize, &'static str)>,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..6 {
        if let Some(at) = c.clock.some_day(rng, 5, 5) {
            let leak = leaked(c, at, End::At(at + rng.between(5, 20 * 60) * MINUTE));
            if rng.chance(30) {
                let them = &mut c.operations.leaks[leak];
                them.revoked = Some(End::Never);
                them.none =
                    Some((at + rng.between(1, 20) * HOUR, rng.below(CORE), "an example from the manual"));
            }
        }
    }
}

/// Every repository there is by then is searched, and was all along.
pub(crate) fn searched(c: &mut Company) {
    for repository in 0..c.repositories.len() {
        let from = c.clock.kept_since;
        c.operations.searches.push(Search { repository, on: true, from, to: End::Never });
    }
}

fn leaked(c: &mut Company, found: i64, revoked: End) -> usize {
    let key = format!("leak-{}", c.operations.leaks.len() + 1);
    c.operations.leaks.push(Leak { key, found, revoked: Some(revoked), none: None });
    c.operations.leaks.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("kept-elsewhere", kept_elsewhere),
    ("kept-unknown", kept_unknown),
    ("build-system", build_system),
    ("revoked-boundary", revoked_boundary),
    ("not-revoked", not_revoked),
    ("false-alarm", false_alarm),
    ("revoked-unknown", revoked_unknown),
];

pub(crate) const SEARCHES: &[(&str, Case)] =
    &[("search-off", search_off), ("search-unknown", search_unknown)];

fn of_secret(c: &Company, case: &'static str, secret: usize, letters: &str, why: &str) -> Seeded {
    seeded(("CRY-03", "secrets_in_vault", case), &c.operations.secrets[secret].key, letters, why)
}

fn kept_elsewhere(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (place, why) in [
        ("code", "it stands in the code"),
        ("file", "it lies in a file on a machine"),
        ("message", "it was sent around, and lies there still"),
    ] {
        let from = c.clock.from - 300 * DAY;
        let secret = changed(c, rng, from);
        c.operations.secrets[secret].kept = Some(place);
        all.push(of_secret(c, "kept-elsewhere", secret, "d-", why).last_day("d"));
    }
    all
}

fn kept_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let from = c.clock.from - 300 * DAY;
    let secret = changed(c, rng, from);
    c.operations.secrets[secret].kept = None;
    vec![of_secret(c, "kept-unknown", secret, "n-", "nobody knows where it is kept")]
}

fn build_system(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let from = c.clock.from - 300 * DAY;
    let secret = changed(c, rng, from);
    c.operations.secrets[secret].kept = Some("build_system");
    vec![of_secret(
        c,
        "build-system",
        secret,
        "p-",
        "it is kept in the build system's own store, which is one for secrets",
    )]
}

/// A repository of which nothing was made yet.
fn a_repository(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    for _ in 0..20 {
        let repository = rng.below(c.repositories.len());
        if c.take(format!("search of {}", c.repositories[repository].key)) {
            return Some(repository);
        }
    }
    None
}

fn without_search(c: &mut Company, rng: &mut Rng, off: bool) -> Option<String> {
    let at = c.clock.some_day(rng, 5, 5)?;
    let repository = a_repository(c, rng)?;
    let place = c.operations.searches.iter().position(|search| search.repository == repository)?;
    c.operations.searches[place].to = End::At(at);
    if off {
        c.operations.searches.push(Search { repository, on: false, from: at, to: End::At(at + HOUR) });
    }
    c.operations.searches.push(Search { repository, on: true, from: at + HOUR, to: End::Never });
    Some(c.repositories[repository].key.clone())
}

fn search_off(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(key) = without_search(c, rng, true) else { return vec![] };
    let why = "the search for secrets was off for an hour, for a large import";
    vec![seeded(("CRY-03", "secrets_in_vault", "search-off"), &key, "-d", why)]
}

fn search_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(key) = without_search(c, rng, false) else { return vec![] };
    let why = "of an hour nobody can say whether it was searched";
    vec![seeded(("CRY-03", "secrets_in_vault", "search-unknown"), &key, "-n", why)]
}

fn of_leak(c: &Company, case: &'static str, leak: usize, letters: &str, why: &str) -> Seeded {
    seeded(("CRY-03", "leaks_revoked", case), &c.operations.leaks[leak].key, letters, why)
}

fn revoked_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "p", "revoked a day after it was found, to the second"),
        (SECOND, "d", "revoked a day and a second after it was found"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
        let leak = leaked(c, at, End::At(at + REVOKE + late));
        all.push(of_leak(c, "revoked-boundary", leak, letters, why));
    }
    all
}

fn not_revoked(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return vec![] };
    let leak = leaked(c, at, End::Never);
    vec![of_leak(
        c,
        "not-revoked",
        leak,
        "d",
        "taken out of the code, and never revoked: who read it can use it",
    )]
}

fn false_alarm(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (by, reason, late, letters, why) in [
        (
            0,
            "a key of the test stand",
            -HOUR,
            "-",
            "a person judged within the day, with a reason, that it is none",
        ),
        (0, "a key of the test stand", SECOND, "d", "a person judged a second after the day that it is none"),
        (MACHINE, "a key of the test stand", -HOUR, "d", "a script judged that it is none"),
        (0, "", -HOUR, "j", "judged to be none, and nobody wrote down why"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
        let leak = leaked(c, at, End::Never);
        c.operations.leaks[leak].none = Some((at + REVOKE + late, by, reason));
        all.push(of_leak(c, "false-alarm", leak, letters, why));
    }
    all
}

fn revoked_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return vec![] };
    let leak = leaked(c, at, End::Never);
    c.operations.leaks[leak].revoked = None;
    vec![of_leak(c, "revoked-unknown", leak, "n", "nobody wrote down whether it was revoked")]
}
