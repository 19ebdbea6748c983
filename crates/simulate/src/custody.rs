//! Who answers for what is no person's own: accounts of services (IAM-10), and logins that several share (IAM-03).

use crate::Case;
use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::company::{Checkout, Company, End, Grant, Login, Owner, Token, Use};
use crate::people::{CORE, close_at, leaver};
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Days after which a key has been changed.
const DAYS: i64 = 90;
/// Hours after somebody left within which what they knew is changed.
const HOURS: i64 = 24;

/// Somebody who stays answers for every machine, says what it is for, and changes its keys; but for what a case speaks of.
pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for login in 0..c.logins.len() {
        if !matches!(c.logins[login].kind, "service" | "bot") || c.taken.contains(&about(login)) {
            continue;
        }
        let from = c.logins[login].spells[0].0;
        let purpose = rng.pick(&["copies data", "deploys what was built", "writes backups", "sends mail"]);
        // Now and then it is handed on.
        let (first, next) = (rng.below(CORE), rng.below(CORE));
        let handed = c.clock.from + rng.between(-300, 200) * DAY;
        if rng.chance(30) && handed > from {
            owned(c, login, Some(first), purpose, from, End::At(handed));
            owned(c, login, Some(next), purpose, handed, End::Never);
        } else {
            owned(c, login, Some(first), purpose, from, End::Never);
        }
        if rng.chance(60) {
            let from = from.max(c.clock.from - rng.between(120, 180) * DAY);
            let to = c.clock.cutoff;
            keys(c, rng, login, from, to);
        }
    }
}

fn about(login: usize) -> String {
    format!("owner {login}")
}

fn owned(c: &mut Company, login: usize, person: Option<usize>, purpose: &'static str, from: i64, to: End) {
    c.owners.push(Owner { login, person, purpose, from, to });
}

/// Keys one after the other, each made some days before the one before it goes.
fn keys(c: &mut Company, rng: &mut Rng, login: usize, from: i64, to: i64) {
    let mut created = from;
    while created < to {
        let next = created + rng.between(50, 80) * DAY;
        let revoked = next + rng.between(1, 5) * DAY;
        let used = (revoked - DAY).min(to).max(created);
        key(c, login, created, if revoked < to { End::At(revoked) } else { End::Never }, used);
        created = next;
    }
}

fn key(c: &mut Company, login: usize, created: i64, revoked: End, used: i64) {
    c.tokens.push(Token { login, kind: "api_key", created, expires: End::Never, revoked, used });
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("N47", owner_left),
    ("nobody-answers", nobody_answers),
    ("owner-unknown", owner_unknown),
    ("no-purpose", no_purpose),
    ("key-age", key_age),
    ("old-key-still-valid", old_key_still_valid),
    ("N48", shared_and_traced),
    ("shared-in-the-open", shared_in_the_open),
    ("secret-changed", secret_changed),
    ("not-traced", not_traced),
    ("nobody-tied", nobody_tied),
    ("machine", a_machine),
    ("renamed", renamed),
];

/// A login at the cloud of which nothing else is said, since some months before the period.
fn login(c: &mut Company, kind: &'static str, name: &str) -> usize {
    let (login, from) = (c.logins.len(), c.clock.from - 250 * DAY);
    let key = format!("{name}-{login}");
    c.logins.push(Login { system: 2, key, kind, person: None, spells: vec![(from, End::Never)] });
    c.grants.push(Grant { login, role: "machine", privileged: false, from, to: End::Never });
    c.take(about(login));
    login
}

fn since(c: &Company, login: usize) -> i64 {
    c.logins[login].spells[0].0
}

fn machine(c: &Company, case: &'static str, login: usize, letters: &str, why: &str) -> Seeded {
    seeded(("IAM-10", "service_accounts_owned", case), &c.logins[login].key, letters, why)
}

fn owner_left(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for how in ["left", "handed on", "switched off"] {
        let Some((person, _, at)) = leaver(c, rng, "employee", 20) else { return all };
        let login = login(c, "service", "feed");
        let from = since(c, login);
        match how {
            "left" => {
                owned(c, login, Some(person), "feeds the data warehouse", from, End::Never);
                let why = "its owner left, nobody took it over, and production still runs on it";
                all.push(machine(c, "N47", login, "dp-", why).last_day("dp-"));
            }
            "handed on" => {
                owned(c, login, Some(person), "feeds the data warehouse", from, End::At(at));
                owned(c, login, Some(1), "feeds the data warehouse", at, End::Never);
                let why = "handed on in the instant in which its owner left";
                all.push(machine(c, "handed-on", login, "pp-", why).last_day("pp-"));
            }
            _ => {
                owned(c, login, Some(person), "fed what is not used any more", from, End::Never);
                close_at(c, login, End::At(at));
                all.push(machine(
                    c,
                    "switched-off",
                    login,
                    "pp-",
                    "switched off in the instant in which its owner left",
                ));
            }
        }
    }
    all
}

fn nobody_answers(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let login = login(c, "bot", "chat");
    let why = "stands in no register: nobody answers for it, and nobody wrote down what it is for";
    vec![machine(c, "nobody-answers", login, "dd-", why).last_day("dd-")]
}

fn owner_unknown(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let login = login(c, "service", "sftp");
    let from = since(c, login);
    owned(c, login, None, "takes files from customers", from, End::Never);
    let why = "the register has a line for it, and the name is left open";
    vec![machine(c, "owner-unknown", login, "np-", why).last_day("np-")]
}

fn no_purpose(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let login = login(c, "service", "misc");
    let from = since(c, login);
    owned(c, login, Some(2), "", from, End::Never);
    let why = "somebody answers for it, and the register leaves open what it is for";
    vec![machine(c, "no-purpose", login, "pn-", why).last_day("pn-")]
}

fn key_age(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (more, letters, why) in [
        (0, "ppp", "a key that was changed when it was ninety days old, to the second"),
        (SECOND, "ppd", "a key that was changed a second later than that"),
        (40 * DAY, "ppd", "a key that was changed after 130 days"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, DAYS + 45) else { return all };
        let login = login(c, "service", "sign");
        let from = since(c, login);
        owned(c, login, Some(3), "signs what is delivered", from, End::Never);
        let revoked = at + DAYS * DAY + more;
        key(c, login, at, End::At(revoked), revoked - DAY);
        let to = c.clock.cutoff;
        keys(c, rng, login, revoked - HOUR, to);
        all.push(machine(c, "key-age", login, letters, why).last_day("ppp"));
    }
    all
}

fn old_key_still_valid(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let login = login(c, "service", "push");
    let (from, to) = (since(c, login), c.clock.cutoff);
    owned(c, login, Some(4), "pushes messages", from, End::Never);
    key(c, login, c.clock.from - 50 * DAY, End::Never, to - DAY);
    keys(c, rng, login, c.clock.from + 10 * DAY, to);
    if c.clock.to - c.clock.from < 60 * DAY {
        return vec![];
    }
    let why = "new keys are made in time, and the old one was never taken back: it is still good";
    vec![machine(c, "old-key-still-valid", login, "ppd", why).last_day("ppd")]
}

// ---- IAM-03

fn shared(c: &Company, case: &'static str, login: usize, letters: &str, why: &str) -> Seeded {
    seeded(("IAM-03", "unique_accounts", case), &c.logins[login].key, letters, why)
}

/// A shared login with whoever keeps it, which is used once a month by somebody who took it from the vault for it.
fn deploy(c: &mut Company, rng: &mut Rng) -> usize {
    let login = login(c, "shared", "deploy");
    let from = since(c, login);
    owned(c, login, Some(0), "deploys by hand what the pipeline cannot", from, End::Never);
    let mut at = from + DAY;
    while at < c.clock.cutoff - DAY {
        let by = rng.below(CORE);
        c.checkouts.push(Checkout { login, by: Some(by), from: at, to: End::At(at + 2 * HOUR) });
        c.uses.push(Use { login, at: at + MINUTE });
        at += rng.between(15, 40) * DAY;
    }
    login
}

fn password(c: &mut Company, login: usize, created: i64, revoked: End) {
    c.tokens.push(Token { login, kind: "password", created, expires: End::Never, revoked, used: created });
}

fn shared_and_traced(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let login = deploy(c, rng);
    let why = "several share it; that it lies in a vault which says who had it when makes it less grave, and no less so";
    // The last day alone may be one on which nobody used it.
    vec![
        shared(c, "N48", login, if uses_in_period(c, login) { "dpp-" } else { "dp.-" }, why).last_day("dp.-"),
    ]
}

fn uses_in_period(c: &Company, login: usize) -> bool {
    c.uses.iter().any(|u| u.login == login && u.at >= c.clock.from && u.at < c.clock.to)
}

fn shared_in_the_open(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let login = login(c, "shared", "office");
    let (mut at, mut used) = (c.clock.from - 60 * DAY, false);
    while at < c.clock.cutoff {
        c.uses.push(Use { login, at });
        used |= at >= c.clock.from && at < c.clock.to;
        at += 30 * DAY;
    }
    let why = "several share it, nobody keeps it, and its password hangs on the wall";
    vec![shared(c, "shared-in-the-open", login, if used { "ddd-" } else { "dd.-" }, why).last_day("dd.-")]
}

fn secret_changed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "dppp", "its password was changed a day after one who had known it left, to the second"),
        (SECOND, "dppd", "its password was changed a second later than that"),
        (30 * DAY, "dppd", "its password was changed a month after one who had known it left"),
    ] {
        let Some((person, _, at)) = leaver(c, rng, "employee", 35) else { return all };
        let login = deploy(c, rng);
        let (from, taken) = (since(c, login), at - 10 * DAY);
        c.checkouts.push(Checkout { login, by: Some(person), from: taken, to: End::At(taken + HOUR) });
        // Nobody else had it at that hour.
        c.uses.retain(|u| u.login != login || (u.at - taken).abs() > 3 * HOUR);
        c.checkouts.retain(|k| k.login != login || k.by == Some(person) || (k.from - taken).abs() > 3 * HOUR);
        let changed = at + HOURS * HOUR + late;
        password(c, login, from, End::At(changed));
        password(c, login, changed, End::Never);
        let letters =
            if uses_in_period(c, login) { letters.to_owned() } else { letters.replacen("dpp", "dp.", 1) };
        all.push(shared(c, "secret-changed", login, &letters, why).last_day("dp.-"));
    }
    all
}

fn not_traced(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (who, letters, why) in [
        ("nobody", "dpd-", "used on a day on which nobody had taken it from the vault"),
        ("somebody", "dpj-", "used on a day on which the vault does not say who had taken it"),
        ("two", "dpj-", "used in an hour in which two had taken it"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
        let login = deploy(c, rng);
        c.uses.retain(|u| u.login != login || (u.at - at).abs() > 3 * HOUR);
        c.checkouts.retain(|k| k.login != login || (k.from - at).abs() > 3 * HOUR);
        let to = End::At(at + HOUR);
        match who {
            "somebody" => c.checkouts.push(Checkout { login, by: None, from: at, to }),
            "two" => {
                c.checkouts.push(Checkout { login, by: Some(1), from: at, to });
                c.checkouts.push(Checkout { login, by: Some(2), from: at, to });
            }
            _ => {}
        }
        c.uses.push(Use { login, at: at + MINUTE });
        all.push(shared(c, "not-traced", login, letters, why).last_day("dp.-"));
    }
    all
}

fn nobody_tied(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let login = login(c, "human", "tester");
    let why = "a login of which no list says whose it is";
    vec![shared(c, "nobody-tied", login, "n---", why).last_day("n---")]
}

fn a_machine(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    if !c.take("machine at the cloud") {
        return vec![];
    }
    vec![
        shared_key("sync-cloud", "a service's login is nobody's, and another control's"),
        shared_key("root", "kept for emergencies, and its uses are looked at one by one"),
    ]
}

fn shared_key(key: &str, why: &str) -> Seeded {
    seeded(("IAM-03", "unique_accounts", "machine"), key, "----", why).last_day("----")
}

fn renamed(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    // Somebody who married, and whom the code host knows by the former name.
    let Some(login) = c.logins.iter().position(|l| {
        l.system == 1
            && l.person.is_some_and(|p| c.people[p].former.is_some())
            && l.spells.len() == 1
            && l.spells[0].1 == End::Never
            && l.spells[0].0 < c.clock.from
    }) else {
        return vec![];
    };
    if !c.take(format!("renamed {login}")) {
        return vec![];
    }
    let why = "two names in two systems, and one person: the number is the same";
    vec![shared(c, "N58", login, "p---", why)]
}
