//! By which way people get into what is not the sign-in itself (IAM-01).

use crate::Case;
use crate::clock::{DAY, HOUR};
use crate::company::{Company, End, Exclusion, SignIn};
use crate::people::hire;
use crate::rng::Rng;
use crate::training;
use crate::truth::{Seeded, seeded};

/// Everything takes the sign-in's word and no password of its own, but for what a case speaks of.
pub(crate) fn base(c: &mut Company, _: &mut Rng) {
    for login in 0..c.logins.len() {
        let them = &c.logins[login];
        if them.system == 0
            || !matches!(them.kind, "human" | "guest" | "shared")
            || c.taken.contains(&about(login))
        {
            continue;
        }
        let from = them.spells[0].0;
        by(c, login, "sso", from, End::Never);
    }
}

fn about(login: usize) -> String {
    format!("sign-in {login}")
}

fn by(c: &mut Company, login: usize, way: &'static str, from: i64, to: End) {
    c.sign_ins.push(SignIn { login, way, from, to });
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("with-a-password", with_a_password),
    ("for-days", for_days),
    ("before-the-period", before_the_period),
    ("allowed", allowed),
    ("not-seen", not_seen),
];

/// Somebody who has been here for long, with a login at the cloud.
fn somebody(c: &mut Company, rng: &mut Rng) -> Option<(usize, i64)> {
    let from = c.clock.office_hours(rng, c.clock.from - 900 * DAY, c.clock.from - 300 * DAY)?;
    let person = hire(c, rng, from, "employee", &[2]);
    training::follow(c, rng, person);
    let login = c.login_of(person, 2)?;
    let begun = c.logins[login].spells[0].0;
    c.take(about(login)).then_some((login, begun))
}

fn said(c: &Company, case: &'static str, login: usize, letters: &str, why: &str) -> Seeded {
    seeded(("IAM-01", "single_sign_on", case), &c.logins[login].key, letters, why)
}

fn with_a_password(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((login, begun)) = somebody(c, rng) else { return vec![] };
    by(c, login, "local", begun, End::Never);
    let why = "signs in with a password of the cloud's own, past the sign-in";
    vec![said(c, "with-a-password", login, "dd", why).last_day("dd")]
}

fn for_days(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 15) else { return vec![] };
    let Some((login, begun)) = somebody(c, rng) else { return vec![] };
    by(c, login, "sso", begun, End::At(at));
    by(c, login, "both", at, End::At(at + 10 * DAY));
    by(c, login, "sso", at + 10 * DAY, End::Never);
    let why = "for ten days a password would have done as well, on no decision";
    vec![said(c, "for-days", login, "dd", why).last_day("pp")]
}

fn before_the_period(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((login, begun)) = somebody(c, rng) else { return vec![] };
    let at = c.clock.from;
    by(c, login, "local", begun, End::At(at));
    by(c, login, "sso", at, End::Never);
    let why = "had a password until the instant in which the period began";
    vec![said(c, "before-the-period", login, "pp", why).last_day("pp")]
}

fn allowed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (how, letters, last_day, why) in [
        ("rightly", "pp", "pp", "a password for some weeks, which somebody else had allowed until that day"),
        ("beyond", "dd", "pp", "a password for an hour longer than somebody else had allowed it"),
        ("afterwards", "dd", "pp", "a password, which somebody else allowed an hour after it was set"),
        ("by oneself", "dd", "pp", "a password, by a decision of their own"),
        ("for good", "dd", "pp", "a password that was allowed for good: that is no stated time"),
        ("of another", "dd", "pp", "let off the second factor, and not this"),
        ("for no reason", "jj", "pp", "a password that somebody else allowed, who wrote no reason down"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 45) else { return all };
        let Some((login, begun)) = somebody(c, rng) else { return all };
        let to = at + 30 * DAY;
        by(c, login, "sso", begun, End::At(at));
        by(c, login, "local", at, End::At(to));
        by(c, login, "sso", to, End::Never);
        let person = c.logins[login].person.unwrap_or(0);
        let (Some(own), Some(other)) = (c.login_of(person, 0), c.login_of(0, 0)) else { return all };
        let mut decision = Exclusion {
            login,
            control: "IAM-01",
            reason: "an app that knows no other way",
            by: other,
            approved: at - 2 * DAY,
            from: at,
            to: End::At(to),
        };
        match how {
            "beyond" => decision.to = End::At(to - HOUR),
            "afterwards" => decision.approved = at + HOUR,
            "by oneself" => decision.by = own,
            "for good" => decision.to = End::Never,
            "of another" => decision.control = "IAM-02",
            "for no reason" => decision.reason = "",
            _ => {}
        }
        c.exclusions.push(decision);
        all.push(said(c, "allowed", login, letters, why).last_day(last_day));
    }
    all
}

fn not_seen(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some((login, _)) = somebody(c, rng) else { return all };
    all.push(said(c, "nobody-says", login, "-n", "nobody says by which way it is entered"));
    let Some((login, begun)) = somebody(c, rng) else { return all };
    by(c, login, "unknown", begun, End::Never);
    all.push(said(
        c,
        "way-unknown",
        login,
        "nn",
        "looked at, and it could not be told by which way it is entered",
    ));
    let Some((login, _)) = somebody(c, rng) else { return all };
    let mut seen = 0;
    for (from, _) in c.clock.months() {
        by(c, login, "sso", from + 9 * HOUR, End::Unknown);
        seen += 1;
    }
    if seen > 0 {
        let why = "seen on each first of a month; what held between, nobody looked";
        all.push(said(c, "at-instants", login, "pn", why));
    }
    all
}
