//! People who come, change, are away, leave and come back, and what becomes of their access when they leave (IAM-06).

use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::company::{Absence, Company, Employment, End, Factor, Grant, Login, Person, Token};
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};
use crate::{Case, training};

/// People who never leave: owners of systems, whoever is on call, whoever decides.
pub(crate) const CORE: usize = 6;

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    let clock = c.clock.clone();
    for number in 0..c.shape.people {
        let from = clock.office_hours(rng, clock.kept_since + 400 * DAY, clock.from - 40 * DAY);
        let from = if number < CORE { Some(clock.kept_since + 30 * DAY) } else { from };
        let kind = if number >= CORE && rng.chance(10) { "contractor" } else { "employee" };
        let tools = if number < CORE { (1..c.systems.len()).collect() } else { some_tools(c, rng) };
        let person = hire(c, rng, from.unwrap_or(clock.kept_since), kind, &tools);
        if kind == "contractor" {
            // The contract says when it ends; that day has not come.
            let employment = employment_of(c, person);
            c.employments[employment].to = End::At(clock.cutoff + rng.between(40, 500) * DAY);
        }
    }
    let of_a_hundred = |c: &Company, percent: usize| {
        let days = usize::try_from(c.shape.days).unwrap_or(365);
        (c.shape.people * percent * days).div_ceil(100 * 365)
    };
    for _ in 0..of_a_hundred(c, 12) {
        if let Some(at) = clock.some_day(rng, 3, 0) {
            let tools = some_tools(c, rng);
            hire(c, rng, at, "employee", &tools);
        }
    }
    for person in some_people(c, rng, of_a_hundred(c, 9)) {
        if let Some(at) = clock.some_day(rng, 5, 4) {
            let employment = employment_of(c, person);
            c.employments[employment].to = End::Never;
            leave(c, rng, employment, at);
        }
    }
    // Movers: one tool less, another more.
    for person in some_people(c, rng, of_a_hundred(c, 6)) {
        let Some(at) = clock.some_day(rng, 5, 5) else { continue };
        let old = c.people[person].tools.clone();
        let Some(new) = (1..c.systems.len()).find(|s| !old.contains(s) && c.systems[*s].to == End::Never)
        else {
            continue;
        };
        if let Some(login) = old.iter().rev().find_map(|s| c.login_of(person, *s).filter(|_| *s > 0)) {
            let ends = at + rng.between(0, 5) * DAY;
            close(c, rng, login, ends);
        }
        enter(c, rng, person, new, at);
    }
    for person in some_people(c, rng, of_a_hundred(c, 3)) {
        rename(c, person);
    }
    for person in some_people(c, rng, of_a_hundred(c, 4)) {
        if let Some(from) = clock.some_day(rng, 5, 60) {
            let employment = employment_of(c, person);
            c.absences.push(Absence { employment, from, to: from + rng.between(20, 50) * DAY });
        }
    }
}

/// People besides the core who are here all year and of whom nothing else was made.
fn some_people(c: &mut Company, rng: &mut Rng, count: usize) -> Vec<usize> {
    let mut some = vec![];
    for _ in 0..count * 3 {
        let person = CORE + rng.below(c.shape.people - CORE);
        if some.len() < count && c.take(format!("person {person}")) {
            some.push(person);
        }
    }
    some
}

/// What somebody works with, besides signing in: the code host most of the time, and a few more.
fn some_tools(c: &Company, rng: &mut Rng) -> Vec<usize> {
    let mut tools: Vec<usize> =
        (1..c.systems.len()).filter(|system| rng.chance(if *system == 1 { 70 } else { 35 })).collect();
    if tools.is_empty() {
        tools.push(1 + rng.below(c.systems.len() - 1));
    }
    tools
}

/// Somebody begins to work here: with an entry in the personnel system, logins, a second factor, a token at the code host and
/// their trainings.
pub(crate) fn hire(c: &mut Company, rng: &mut Rng, from: i64, kind: &'static str, tools: &[usize]) -> usize {
    let person = c.people.len();
    let (first, last) = c.new_name();
    c.people.push(Person {
        number: format!("E{:04}", person + 1),
        first,
        last,
        former: None,
        local: format!("{}.{}", first.to_lowercase(), last.to_lowercase()),
        since: from,
        tools: vec![0],
    });
    let key = c.people[person].number.clone();
    c.employments.push(Employment { key, person, kind, from, to: End::Never, told: None });
    enter(c, rng, person, 0, from);
    for system in tools {
        enter(c, rng, person, *system, from);
    }
    person
}

/// A login at a system, or another time in which it is there.
fn enter(c: &mut Company, rng: &mut Rng, person: usize, system: usize, from: i64) {
    let at = if system == 0 { from } else { from + rng.between(0, 48) * HOUR };
    if at > c.clock.cutoff || c.systems[system].to != End::Never && c.clock.from < at {
        return;
    }
    let login = c.login_of(person, system).unwrap_or_else(|| {
        let key = match system {
            // The code host numbers whoever it knows, and that is what it calls them for good.
            1 => (4_100_000 + 37 * person).to_string(),
            _ => format!("{}{:04}", &c.systems[system].key[..1], person + 1),
        };
        c.logins.push(Login { system, key, kind: "human", person: Some(person), spells: vec![] });
        c.people[person].tools.push(system);
        c.logins.len() - 1
    });
    c.logins[login].spells.push((at, End::Never));
    let privileged = rng.chance(8);
    let role = if privileged { "admin" } else { "member" };
    c.grants.push(Grant { login, role, privileged, from: at, to: End::Never });
    if system == 0 {
        // Nobody gets in before they have set one up: the first sign-in asks for it.
        c.factors.push(Factor { login, on: Some(true), from: at, to: End::Never });
    }
    if system == 1 && rng.chance(60) {
        let used = at + (c.clock.cutoff - at).max(0) / 100 * rng.between(20, 95);
        let kind = rng.pick(&["personal_access_token", "ssh_key", "oauth_grant"]);
        c.tokens.push(Token { login, kind, created: at, expires: End::Never, revoked: End::Never, used });
    }
}

pub(crate) fn employment_of(c: &Company, person: usize) -> usize {
    c.employments.iter().rposition(|e| e.person == person).unwrap_or(0)
}

/// A login ends, with its tokens: the account is switched off, or its grant is taken back, or both.
pub(crate) fn close(c: &mut Company, rng: &mut Rng, login: usize, at: i64) {
    let how = rng.below(3);
    if how != 1
        && let Some(spell) = c.logins[login].spells.last_mut()
    {
        spell.1 = End::At(at);
    }
    for grant in c.grants.iter_mut().filter(|g| g.login == login && g.to == End::Never && how != 0) {
        grant.to = End::At(at);
    }
    for factor in c.factors.iter_mut().filter(|f| f.login == login && f.to == End::Never && how == 2) {
        factor.to = End::At(at);
    }
    for token in c.tokens.iter_mut().filter(|t| t.login == login && t.revoked == End::Never) {
        token.revoked = End::At(at - rng.between(0, 10) * MINUTE);
        token.used = token.used.min(at - rng.between(2, 80) * HOUR).max(token.created);
    }
}

/// Makes a login end at an instant, whatever ended it before. Its tokens stay as they are.
pub(crate) fn close_at(c: &mut Company, login: usize, end: End) {
    if let Some(spell) = c.logins[login].spells.last_mut() {
        spell.1 = end;
    }
    let begun = c.logins[login].spells.last().map_or(0, |s| s.0);
    for grant in c.grants.iter_mut().filter(|g| g.login == login && g.from >= begun) {
        grant.to = end;
    }
    for factor in c.factors.iter_mut().filter(|f| f.login == login && f.from >= begun) {
        factor.to = End::Never;
    }
}

/// Somebody leaves, and everything of theirs ends in time: some hours before, or less than a day after.
pub(crate) fn leave(c: &mut Company, rng: &mut Rng, employment: usize, at: i64) {
    let person = c.employments[employment].person;
    c.employments[employment].to = End::At(at);
    c.employments[employment].told = Some(at - rng.between(-2, 20) * DAY);
    for login in 0..c.logins.len() {
        if c.logins[login].person == Some(person) {
            let ends = at + rng.between(-4 * 60, 20 * 60) * MINUTE;
            close(c, rng, login, ends);
        }
    }
}

/// Somebody who left comes back: another employment, the same person, their logins anew.
pub(crate) fn come_back(c: &mut Company, rng: &mut Rng, person: usize, at: i64, with_logins: bool) -> usize {
    let key = format!("{}-2", c.people[person].number);
    let kind = c.employments[employment_of(c, person)].kind;
    c.employments.push(Employment { key, person, kind, from: at, to: End::Never, told: None });
    if with_logins {
        for system in c.people[person].tools.clone() {
            enter(c, rng, person, system, at);
        }
    }
    c.employments.len() - 1
}

/// A marriage: the personnel system and the sign-in know the new name, the code host goes on with the old one.
fn rename(c: &mut Company, person: usize) {
    let (_, last) = c.new_name();
    let them = &mut c.people[person];
    them.former = Some(them.last);
    them.last = last;
    them.local = format!("{}.{}", them.first.to_lowercase(), last.to_lowercase());
}

// ---- IAM-06

const LEAVER: (&str, &str) = ("IAM-06", "leaver_access_ended");

const fn of(case: &'static str) -> (&'static str, &'static str, &'static str) {
    (LEAVER.0, LEAVER.1, case)
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("N37", contract_ran_out),
    ("N38", came_back_clean),
    ("N39", left_on_between),
    ("N41", token_outlives),
    ("N42", cloud_left_open),
    ("N44", told_late),
    ("N46", to_the_second),
    ("N58", renamed_then_left),
    ("opened-again", opened_again),
    ("token-unused", token_unused),
    ("end-unknown", end_unknown),
    ("long-gone", long_gone),
    ("token-ran-out", token_ran_out),
    ("last-hour", left_in_the_last_hour),
    ("day-before", left_the_day_before),
    ("namesake", namesake_stays),
    ("one-of-two-grants", one_of_two_grants),
];

/// Somebody who has been here for a while, with logins at sign-in, code host and cloud, and leaves; everything ends in time.
/// The tail is how many days of the period follow.
pub(crate) fn leaver(
    c: &mut Company,
    rng: &mut Rng,
    kind: &'static str,
    tail: i64,
) -> Option<(usize, usize, i64)> {
    let began = c.clock.office_hours(rng, c.clock.from - 900 * DAY, c.clock.from - 100 * DAY)?;
    let at = c.clock.some_day(rng, 40, tail)?;
    let person = hire(c, rng, began, kind, &[1, 2]);
    training::follow(c, rng, person);
    let employment = employment_of(c, person);
    leave(c, rng, employment, at);
    forget_trainings(c, person, at);
    // Tokens come back where a case wants one.
    let hub = c.login_of(person, 1);
    c.tokens.retain(|t| Some(t.login) != hub);
    Some((person, employment, at))
}

fn forget_trainings(c: &mut Company, person: usize, after: i64) {
    c.trainings.retain(|t| t.person != person || t.done < after);
}

fn token(c: &mut Company, login: usize, revoked: End, used: i64) {
    let created = c.logins[login].spells[0].0;
    c.tokens.push(Token {
        login,
        kind: "personal_access_token",
        created,
        expires: End::Never,
        revoked,
        used,
    });
}

fn key(c: &Company, employment: usize) -> String {
    c.employments[employment].key.clone()
}

fn contract_ran_out(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, at)) = leaver(c, rng, "contractor", 40) else { return vec![] };
    // Nobody told the personnel system; the contract's own day is the end.
    c.employments[employment].told = None;
    let Some(cloud) = c.login_of(person, 2) else { return vec![] };
    close_at(c, cloud, End::At(at + 89 * DAY));
    let why = "the contract's last day is when they left, and the cloud login lived on for three months";
    vec![seeded(of("N37"), &key(c, employment), "d--", why).within("cloud")]
}

fn came_back_clean(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, at)) = leaver(c, rng, "contractor", 70) else { return vec![] };
    let second = come_back(c, rng, person, at + 59 * DAY, true);
    training::follow(c, rng, person);
    debug_assert_ne!(employment, second);
    let why = "everything ended in time, and what began two months later belongs to the second employment";
    ["idp", "cloud"].map(|system| seeded(of("N38"), &key(c, employment), "p--", why).within(system)).into()
}

fn left_on_between(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, at)) = leaver(c, rng, "contractor", 70) else { return vec![] };
    come_back(c, rng, person, at + 59 * DAY, false);
    for system in [0, 1, 2] {
        if let Some(login) = c.login_of(person, system) {
            close_at(c, login, End::Never);
        }
    }
    training::follow(c, rng, person);
    let why = "access stayed on for the two months between two employments; coming back cures nothing";
    ["idp", "hub", "cloud"]
        .map(|system| seeded(of("N39"), &key(c, employment), "d--", why).within(system))
        .into()
}

fn token_outlives(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, at)) = leaver(c, rng, "employee", 20) else { return vec![] };
    let Some(hub) = c.login_of(person, 1) else { return vec![] };
    token(c, hub, End::At(at + 12 * DAY), at + 9 * DAY);
    let why = "the login ended in time; a token lived for twelve days more and was used on the ninth";
    vec![
        seeded(of("N41"), &key(c, employment), "pdd", why).within("hub"),
        seeded(of("N41"), &key(c, employment), "p--", "the login at the sign-in ended in time").within("idp"),
    ]
}

fn cloud_left_open(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, at)) = leaver(c, rng, "employee", 20) else { return vec![] };
    let Some(cloud) = c.login_of(person, 2) else { return vec![] };
    close_at(c, cloud, End::At(at + 12 * DAY));
    vec![
        seeded(of("N42"), &key(c, employment), "p--", "the login at the sign-in ended in time").within("idp"),
        seeded(of("N42"), &key(c, employment), "d--", "a user of the cloud's own, ended on day twelve")
            .within("cloud"),
    ]
}

fn told_late(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, at)) = leaver(c, rng, "employee", 20) else { return vec![] };
    // The Friday after, at five; the personnel system heard of it on Tuesday.
    let mut friday = c.clock.date(at);
    while friday.weekday() != jiff::civil::Weekday::Friday {
        friday = c.clock.days_later(friday, 1);
    }
    let at = c.clock.at(friday, 17, 0);
    let tuesday = c.clock.at(c.clock.days_later(friday, 4), 10, 0);
    c.employments[employment].to = End::At(at);
    c.employments[employment].told = Some(tuesday);
    for system in [0, 1, 2] {
        if let Some(login) = c.login_of(person, system) {
            close_at(c, login, End::At(tuesday + HOUR));
        }
    }
    let why = "left on Friday at five, ended on Tuesday an hour after the notice: the clock starts with the end, not the notice";
    ["idp", "hub", "cloud"]
        .map(|system| seeded(of("N44"), &key(c, employment), "d--", why).within(system))
        .into()
}

fn to_the_second(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (24 * HOUR - MINUTE, "p--", "ended after 23 hours and 59 minutes"),
        (24 * HOUR, "p--", "ended after 24 hours exactly, and within 24 hours includes the last instant"),
        (24 * HOUR + SECOND, "d--", "ended after 24 hours and a second"),
    ] {
        let Some((person, employment, at)) = leaver(c, rng, "employee", 20) else { return all };
        let Some(cloud) = c.login_of(person, 2) else { return all };
        close_at(c, cloud, End::At(at + after));
        all.push(seeded(of("N46"), &key(c, employment), letters, why).within("cloud"));
    }
    all
}

fn renamed_then_left(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, _)) = leaver(c, rng, "employee", 20) else { return vec![] };
    rename(c, person);
    let why = "renamed in the year, and the code host still knows the former address: one person, whose logins ended in time";
    ["idp", "hub"].map(|system| seeded(of("N58"), &key(c, employment), "p--", why).within(system)).into()
}

fn opened_again(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, at)) = leaver(c, rng, "employee", 30) else { return vec![] };
    let Some(cloud) = c.login_of(person, 2) else { return vec![] };
    let (from, to) = (at + 14 * DAY, End::At(at + 16 * DAY));
    close_at(c, cloud, End::At(at + HOUR));
    c.logins[cloud].spells.push((from, to));
    c.grants.push(Grant { login: cloud, role: "member", privileged: false, from, to });
    let why =
        "opened again for two days two weeks after they left, to fetch a file; they had no new employment";
    vec![seeded(of("opened-again"), &key(c, employment), "d--", why).within("cloud")]
}

fn token_unused(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, at)) = leaver(c, rng, "employee", 20) else { return vec![] };
    let Some(hub) = c.login_of(person, 1) else { return vec![] };
    token(c, hub, End::At(at + 5 * DAY), at - 3 * HOUR);
    let why = "a token outlived the limit by four days; its last use was three hours before they left";
    vec![seeded(of("token-unused"), &key(c, employment), "pdp", why).within("hub")]
}

fn end_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, _)) = leaver(c, rng, "employee", 20) else { return vec![] };
    let Some(cloud) = c.login_of(person, 2) else { return vec![] };
    close_at(c, cloud, End::Unknown);
    let why = "the login is gone and nobody wrote down when: not proven late, and not proven in time";
    vec![seeded(of("end-unknown"), &key(c, employment), "n--", why).within("cloud")]
}

fn long_gone(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, at)) = leaver(c, rng, "employee", 20) else { return vec![] };
    let Some(cloud) = c.login_of(person, 2) else { return vec![] };
    close_at(c, cloud, End::At(at - 75 * DAY));
    let why = "changed teams and lost the cloud ten weeks before leaving: nothing of it was left to end";
    vec![seeded(of("long-gone"), &key(c, employment), "---", why).within("cloud")]
}

fn token_ran_out(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, at)) = leaver(c, rng, "employee", 20) else { return vec![] };
    let Some(hub) = c.login_of(person, 1) else { return vec![] };
    token(c, hub, End::Never, at - DAY);
    if let Some(token) = c.tokens.last_mut() {
        token.expires = End::At(at + 23 * HOUR);
    }
    let why = "nobody revoked the token; it ran out by itself 23 hours after they left";
    vec![seeded(of("token-ran-out"), &key(c, employment), "pp-", why).within("hub")]
}

fn left_in_the_last_hour(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, _)) = leaver(c, rng, "employee", 20) else { return vec![] };
    let at = c.clock.to - HOUR;
    c.employments[employment].to = End::At(at);
    for system in [0, 1, 2] {
        if let Some(login) = c.login_of(person, system) {
            close_at(c, login, End::At(at + 10 * HOUR));
        }
    }
    training::follow(c, rng, person);
    let seen = at + 10 * HOUR <= c.clock.cutoff;
    let why = "left in the period's last hour; access ended ten hours later, in the next one, and in time";
    let later = "left in the period's last hour; what is due ten hours after the last fact is not due yet";
    let said = if seen {
        seeded(of("last-hour"), &key(c, employment), "p--", why)
    } else {
        seeded(of("last-hour"), &key(c, employment), "y..", later)
    };
    vec![said.within("cloud")]
}

fn left_the_day_before(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, _)) = leaver(c, rng, "employee", 20) else { return vec![] };
    let at = c.clock.from - HOUR;
    c.employments[employment].to = End::At(at);
    forget_trainings(c, person, at);
    for system in [0, 1, 2] {
        if let Some(login) = c.login_of(person, system) {
            close_at(c, login, End::At(c.clock.from + 20 * DAY));
        }
    }
    let why = "left an hour before the period: late as it was, it belongs to the period before";
    vec![seeded(of("day-before"), &key(c, employment), "absent", why).within("cloud")]
}

fn namesake_stays(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, _)) = leaver(c, rng, "employee", 20) else { return vec![] };
    let Some(began) = c.clock.office_hours(rng, c.clock.from - 900 * DAY, c.clock.from - 100 * DAY) else {
        return vec![];
    };
    let other = hire(c, rng, began, "employee", &[2]);
    training::follow(c, rng, other);
    let (first, last) = (c.people[person].first, c.people[person].last);
    (c.people[other].first, c.people[other].last) = (first, last);
    let why =
        "somebody of the same name goes on working there: whether that is somebody else, a person has to say";
    ["idp", "cloud"]
        .map(|system| seeded(of("namesake"), &key(c, employment), "j--", why).within(system))
        .into()
}

fn one_of_two_grants(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, at)) = leaver(c, rng, "employee", 20) else { return vec![] };
    let Some(cloud) = c.login_of(person, 2) else { return vec![] };
    // The account stays; the everyday grant ended in time, the one through a group did not.
    close_at(c, cloud, End::At(at + HOUR));
    c.logins[cloud].spells[0].1 = End::Never;
    let from = c.clock.from - 30 * DAY;
    c.grants.push(Grant {
        login: cloud,
        role: "billing",
        privileged: false,
        from,
        to: End::At(at + 30 * DAY),
    });
    let why = "one of two grants was taken back in time, the one through a group a month later";
    vec![seeded(of("one-of-two-grants"), &key(c, employment), "d--", why).within("cloud")]
}
