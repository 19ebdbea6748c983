//! Systems and who gets into them, and whether signing in takes a second factor (IAM-02).

use crate::Case;
use crate::clock::{DAY, HOUR};
use crate::company::{Company, End, Exclusion, Factor, Grant, Login, System};
use crate::people::{CORE, close, employment_of, hire, leave};
use crate::rng::Rng;
use crate::training;
use crate::truth::{Seeded, seeded};

/// Keys and names; people sign in through the first, the second holds the code, the third is the cloud.
pub(crate) const SYSTEMS: [(&str, &str); 12] = [
    ("idp", "Sign-in"),
    ("hub", "Code host"),
    ("cloud", "Cloud"),
    ("db", "Customer database"),
    ("pay", "Payments"),
    ("wiki", "Wiki"),
    ("ops", "Pager"),
    ("mail", "Mail"),
    ("sales", "Sales"),
    ("books", "Bookkeeping"),
    ("vault", "Vault"),
    ("xfer", "File exchange"),
];

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    let from = c.clock.kept_since;
    for (place, (key, label)) in SYSTEMS.iter().take(c.shape.systems).enumerate() {
        let (owner, deputy) = (place % CORE, (place + 1) % CORE);
        c.systems.push(System { key, label, from, to: End::Never, owner, deputy });
        // Machines have logins, too, and stand on every honest list.
        for (name, kind) in [("sync", "service"), ("deploy-bot", "bot"), ("backup", "service")] {
            if name == "sync" || rng.chance(60) || (*key == "hub" && name == "deploy-bot") {
                let login = c.logins.len();
                let key = format!("{name}-{key}");
                c.logins.push(Login {
                    system: place,
                    key,
                    kind,
                    person: None,
                    spells: vec![(from, End::Never)],
                });
                c.grants.push(Grant { login, role: "machine", privileged: false, from, to: End::Never });
            }
        }
    }
    // The last of many is switched off in the year, with whoever had a login there still on its list.
    if c.shape.systems >= 6
        && let Some(at) = c.clock.some_day(rng, 60, 60)
        && let Some(last) = c.systems.last_mut()
    {
        last.to = End::At(at);
    }
}

const fn of(case: &'static str) -> (&'static str, &'static str, &'static str) {
    ("IAM-02", "mfa_enabled", case)
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("N60", off_for_days),
    ("N60-snapshots", seen_at_instants),
    ("never-enrolled", never_enrolled),
    ("enrolled-late", enrolled_late),
    ("off-at-the-end", off_at_the_end),
    ("off-before-leaving", off_before_leaving),
    ("new-phone", new_phone),
    ("gone-with-access", gone_with_access),
    ("break-glass", break_glass),
    ("excused-by-oneself", excused_by_oneself),
    ("excused-of-another", excused_of_another),
    ("excused-late", excused_late),
    ("excused-without-reason", excused_without_reason),
    ("machine", machine),
];

/// Somebody with a login at the sign-in; whatever factor they have is for the case to say.
fn somebody(c: &mut Company, rng: &mut Rng, from: i64) -> Option<(usize, usize, String)> {
    let person = hire(c, rng, from, "employee", &[2]);
    training::follow(c, rng, person);
    let login = c.login_of(person, 0)?;
    Some((person, login, c.logins[login].key.clone()))
}

fn long_here(c: &mut Company, rng: &mut Rng) -> Option<(usize, usize, String)> {
    let from = c.clock.office_hours(rng, c.clock.from - 900 * DAY, c.clock.from - 100 * DAY)?;
    somebody(c, rng, from)
}

/// The factor was on all the time but in these stretches, in which it was off.
fn off_in(c: &mut Company, login: usize, stretches: &[(i64, End)]) {
    let begun = c.logins[login].spells[0].0;
    c.factors.retain(|f| f.login != login);
    let mut from = Some(begun);
    for (off, on) in stretches {
        if let Some(from) = from.filter(|from| from < off) {
            c.factors.push(Factor { login, on: Some(true), from, to: End::At(*off) });
        }
        c.factors.push(Factor { login, on: Some(false), from: *off, to: *on });
        from = if let End::At(on) = on { Some(*on) } else { None };
    }
    if let Some(from) = from {
        c.factors.push(Factor { login, on: Some(true), from, to: End::Never });
    }
}

fn off_for_days(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((_, login, key)) = long_here(c, rng) else { return vec![] };
    let Some(at) = c.clock.some_day(rng, 10, 10) else { return vec![] };
    off_in(c, login, &[(at, End::At(at + 4 * DAY))]);
    let why = "the sign-in's log shows it off for four days; at the end it was on again";
    vec![seeded(of("N60"), &key, "pdd", why).last_day("ppp")]
}

fn seen_at_instants(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((_, login, key)) = long_here(c, rng) else { return vec![] };
    c.factors.retain(|f| f.login != login);
    for (from, _) in c.clock.months() {
        c.factors.push(Factor { login, on: Some(true), from: from + 9 * HOUR, to: End::Unknown });
    }
    let why = "seen on each first of a month, and never off; what held between, nobody looked";
    vec![seeded(of("N60-snapshots"), &key, "npn", why).last_day("npn")]
}

fn never_enrolled(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((_, login, key)) = long_here(c, rng) else { return vec![] };
    c.factors.retain(|f| f.login != login);
    let why = "the list of factors is complete, and this login is not on it";
    vec![seeded(of("never-enrolled"), &key, "d-d", why).last_day("d-d")]
}

fn enrolled_late(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return vec![] };
    let Some((_, login, key)) = somebody(c, rng, at) else { return vec![] };
    for factor in c.factors.iter_mut().filter(|f| f.login == login) {
        factor.from += HOUR;
    }
    let why = "could sign in for the first hour without one";
    vec![seeded(of("enrolled-late"), &key, "ppd", why).last_day("ppp")]
}

fn off_at_the_end(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((_, login, key)) = long_here(c, rng) else { return vec![] };
    let at = c.clock.to - 10 * DAY;
    off_in(c, login, &[(at, End::Never)]);
    vec![seeded(of("off-at-the-end"), &key, "ddd", "off for the last ten days").last_day("ddd")]
}

fn off_before_leaving(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, login, key)) = long_here(c, rng) else { return vec![] };
    let Some(at) = c.clock.some_day(rng, 20, 10) else { return vec![] };
    leave(c, rng, employment_of(c, person), at);
    training_until(c, person, at);
    off_in(c, login, &[(at - 6 * DAY, End::Never)]);
    let why = "reset by the help desk six days before they left, and not set up again";
    vec![seeded(of("off-before-leaving"), &key, "ddd", why)]
}

fn training_until(c: &mut Company, person: usize, at: i64) {
    c.trainings.retain(|t| t.person != person || t.done < at);
}

fn new_phone(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((_, login, key)) = long_here(c, rng) else { return vec![] };
    let Some(at) = c.clock.some_day(rng, 10, 10) else { return vec![] };
    let begun = c.logins[login].spells[0].0;
    c.factors.retain(|f| f.login != login);
    c.factors.push(Factor { login, on: Some(true), from: begun, to: End::At(at) });
    c.factors.push(Factor { login, on: Some(true), from: at, to: End::Never });
    let why = "a new phone: one factor ended in the instant in which the next began";
    vec![seeded(of("new-phone"), &key, "ppp", why).last_day("ppp")]
}

fn gone_with_access(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, login, key)) = long_here(c, rng) else { return vec![] };
    let Some(at) = c.clock.some_day(rng, 20, 10) else { return vec![] };
    leave(c, rng, employment_of(c, person), at);
    training_until(c, person, at);
    close(c, rng, login, at);
    off_in(c, login, &[(at + DAY, End::Never)]);
    let why = "taken off the list of factors a day after access had ended";
    vec![seeded(of("gone-with-access"), &key, "ppp", why)]
}

/// A login that is left out of the second factor by somebody's decision.
fn exclude(c: &mut Company, login: usize, by: usize, approved: i64, reason: &'static str) {
    let from = c.logins[login].spells[0].0;
    c.exclusions.push(Exclusion { login, control: "IAM-02", reason, by, approved, from, to: End::Never });
}

fn break_glass(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    if !c.take("break-glass") {
        return vec![];
    }
    let login = c.logins.len();
    let from = c.clock.from - 200 * DAY;
    let key = "break-glass".to_owned();
    c.logins.push(Login {
        system: 0,
        key,
        kind: "break_glass",
        person: None,
        spells: vec![(from, End::Never)],
    });
    c.grants.push(Grant { login, role: "admin", privileged: true, from, to: End::Never });
    let Some(by) = c.login_of(0, 0) else { return vec![] };
    exclude(
        c,
        login,
        by,
        from - DAY,
        "for the day on which no factor can be had; its password lies in the safe",
    );
    let why = "left out by a written decision of somebody else's, made before the login was";
    vec![seeded(of("break-glass"), "break-glass", "---", why).last_day("---")]
}

fn excused_by_oneself(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((_, login, key)) = long_here(c, rng) else { return vec![] };
    c.factors.retain(|f| f.login != login);
    let from = c.logins[login].spells[0].0;
    exclude(c, login, login, from, "travels a lot");
    let why = "left out by a decision of their own: nobody lets themselves off";
    vec![seeded(of("excused-by-oneself"), &key, "d-d", why).last_day("d-d")]
}

fn excused_of_another(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((_, login, key)) = long_here(c, rng) else { return vec![] };
    c.factors.retain(|f| f.login != login);
    let Some(by) = c.login_of(0, 0) else { return vec![] };
    let from = c.logins[login].spells[0].0;
    exclude(c, login, by, from, "signs in locally");
    if let Some(exclusion) = c.exclusions.last_mut() {
        exclusion.control = "IAM-01";
    }
    let why = "the decision lets them off another control than this one";
    vec![seeded(of("excused-of-another"), &key, "d-d", why).last_day("d-d")]
}

fn excused_late(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 40) else { return vec![] };
    let Some((_, login, key)) = somebody(c, rng, at) else { return vec![] };
    c.factors.retain(|f| f.login != login);
    let Some(by) = c.login_of(0, 0) else { return vec![] };
    exclude(c, login, by, at + 20 * DAY, "an aid for the eyes does not go with it");
    let why = "left out by a decision that was made twenty days after they could sign in; it excuses nothing of before";
    vec![seeded(of("excused-late"), &key, "-.d", why).last_day("---")]
}

fn excused_without_reason(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((_, login, key)) = long_here(c, rng) else { return vec![] };
    c.factors.retain(|f| f.login != login);
    let Some(by) = c.login_of(0, 0) else { return vec![] };
    let from = c.logins[login].spells[0].0;
    exclude(c, login, by, from, "");
    let why = "left out in time by somebody else, who wrote no reason down: a person has to ask for it";
    vec![seeded(of("excused-without-reason"), &key, "j-j", why).last_day("j-j")]
}

fn machine(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    if !c.take("machine at the sign-in") {
        return vec![];
    }
    vec![seeded(of("machine"), "sync-idp", "---", "a service, which has no phone").last_day("---")]
}
