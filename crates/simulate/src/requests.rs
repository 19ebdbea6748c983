//! What was asked for and approved before somebody got access (IAM-05).

use crate::Case;
use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::company::{Company, End, Request};
use crate::monitoring::MACHINE;
use crate::people::{CORE, close_at, come_back, employment_of, hire, leaver};
use crate::rng::Rng;
use crate::training;
use crate::truth::{Seeded, seeded};

/// Days within which access is given after it was approved.
const DAYS: i64 = 90;

/// Everything that began, or came back with a closed account, was asked for and approved by somebody else some hours or days
/// before, but for what a case speaks of.
pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for grant in 0..c.grants.len() {
        if c.taken.contains(&about(grant)) {
            continue;
        }
        let login = &c.logins[c.grants[grant].login];
        let held = c.grants[grant].clone();
        let mut begun = vec![held.from];
        // An account that comes back brings its grants along.
        begun.extend(
            login
                .spells
                .iter()
                .map(|(from, _)| *from)
                .filter(|from| *from > held.from && held.to.after(*from)),
        );
        for at in begun {
            // Two approvals of one instant could not be told from one that is on the list twice.
            let before = rng.between(1, 60) * HOUR + i64::try_from(grant % 50).unwrap_or(0) * MINUTE;
            let request = asked(c, rng, grant, at - before);
            c.requests.push(request);
        }
    }
}

fn about(grant: usize) -> String {
    format!("grant {grant}")
}

/// A request for what a grant gives, approved at that instant by who answers for the system or stands in, asked for by a third.
pub(crate) fn asked(c: &Company, rng: &mut Rng, grant: usize, approved: i64) -> Request {
    let held = &c.grants[grant];
    let login = &c.logins[held.login];
    let system = &c.systems[login.system];
    let approver = if login.person == Some(system.owner) { system.deputy } else { system.owner };
    let mut asker = rng.below(CORE);
    while asker == approver {
        asker = (asker + 1) % CORE;
    }
    Request {
        person: login.person,
        login: held.login,
        system: login.system,
        role: Some(held.role),
        privileged: held.privileged,
        asked_by: asker,
        status: "approved",
        approved: Some(approved),
        approved_by: Some(approver),
        expires: End::Never,
        basis: "record",
        recorded: approved,
    }
}

const fn of(case: &'static str) -> (&'static str, &'static str, &'static str) {
    ("IAM-05", "access_approved", case)
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("nobody-asked", nobody_asked),
    ("to-the-second", to_the_second),
    ("denied", denied),
    ("by-oneself", by_oneself),
    ("by-who-asked", by_who_asked),
    ("by-a-script", by_a_script),
    ("other-role", other_role),
    ("other-system", other_system),
    ("old-approval", old_approval),
    ("N57", in_a_chat),
    ("N38", back_with_a_new_request),
    ("back-unasked", back_without_one),
    ("approver-unknown", approver_unknown),
    ("whom-unknown", whom_unknown),
    ("role-unknown", role_unknown),
    ("a-machine", a_machine),
];

/// Somebody new, with one grant at a system of which the case speaks.
fn newcomer(c: &mut Company, rng: &mut Rng, system: usize) -> Option<usize> {
    let at = c.clock.some_day(rng, 3, 6)?;
    let person = hire(c, rng, at, "employee", &[system]);
    training::follow(c, rng, person);
    let login = c.login_of(person, system)?;
    let grant = c.grants.iter().position(|g| g.login == login)?;
    // What they may do there is for the case to say.
    (c.grants[grant].role, c.grants[grant].privileged) = ("member", false);
    c.take(about(grant)).then_some(grant)
}

/// The request as it should be, an hour before.
fn in_order(c: &Company, rng: &mut Rng, grant: usize) -> Request {
    asked(c, rng, grant, c.grants[grant].from - HOUR)
}

fn said(c: &Company, case: &'static str, grant: usize, letters: &str, why: &str) -> Seeded {
    let held = &c.grants[grant];
    let system = c.systems[c.logins[held.login].system].key;
    seeded(of(case), &format!("G{:05}", grant + 1), letters, why).within(system).at(held.from)
}

/// A newcomer at the cloud whose request is as it should be but for one thing.
fn but_for(
    c: &mut Company,
    rng: &mut Rng,
    case: &'static str,
    letters: &str,
    why: &str,
    change: impl Fn(&Company, usize, &mut Request),
) -> Vec<Seeded> {
    let Some(grant) = newcomer(c, rng, 2) else { return vec![] };
    let mut request = in_order(c, rng, grant);
    change(c, grant, &mut request);
    c.requests.push(request);
    vec![said(c, case, grant, letters, why)]
}

fn nobody_asked(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(grant) = newcomer(c, rng, 2) else { return vec![] };
    vec![said(c, "nobody-asked", grant, "d--", "given on a word in the corridor: there is no request")]
}

fn to_the_second(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (0, "ppp", "approved in the second in which it was given"),
        (SECOND, "d--", "given a second before it was approved"),
        (3 * DAY, "d--", "given three days before it was approved: what comes after cures nothing"),
    ] {
        all.extend(but_for(c, rng, "to-the-second", letters, why, |c, grant, r| {
            r.approved = Some(c.grants[grant].from + after);
            r.recorded = c.grants[grant].from + after;
        }));
    }
    all
}

fn denied(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (status, why) in
        [("denied", "denied, and given all the same"), ("pending", "given while nobody had decided yet")]
    {
        all.extend(but_for(c, rng, "denied", "d--", why, |_, _, r| {
            (r.status, r.approved, r.approved_by) = (status, None, None);
        }));
    }
    all
}

fn by_oneself(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let why = "approved by who got it, with their own login at the sign-in";
    let mut all = but_for(c, rng, "by-oneself", "pd-", why, |c, grant, r| {
        r.approved_by = c.logins[c.grants[grant].login].person;
        r.approved = Some(c.grants[grant].from);
        // They could sign in by then.
        r.recorded = c.grants[grant].from;
    });
    let why = "asked for by who got it, approved by somebody else";
    all.extend(but_for(c, rng, "asked-for-oneself", "ppp", why, |c, grant, r| {
        r.asked_by = c.logins[c.grants[grant].login].person.unwrap_or(r.asked_by);
        r.approved = Some(c.grants[grant].from);
        r.recorded = c.grants[grant].from;
    }));
    all
}

fn by_who_asked(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let why = "whoever asked for it approved it, too";
    but_for(c, rng, "by-who-asked", "pd-", why, |_, _, r| r.approved_by = Some(r.asked_by))
}

fn by_a_script(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let why = "a script approves whatever is asked for: nobody looked";
    but_for(c, rng, "by-a-script", "pd-", why, |_, _, r| r.approved_by = Some(MACHINE))
}

fn other_role(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(grant) = newcomer(c, rng, 2) else { return vec![] };
    let request = in_order(c, rng, grant);
    c.requests.push(request);
    (c.grants[grant].role, c.grants[grant].privileged) = ("admin", true);
    vec![said(c, "other-role", grant, "ppd", "a member was approved, and an administrator was made")]
}

fn other_system(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let why = "approved for the customers' database, and given at the cloud";
    but_for(c, rng, "other-system", "d--", why, |_, _, r| r.system = 3)
}

fn old_approval(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (before, letters, why) in [
        (DAYS * DAY, "ppp", "approved ninety days before it was given, to the second"),
        (
            DAYS * DAY + SECOND,
            "d--",
            "approved a second more than ninety days before: that was for something else",
        ),
    ] {
        all.extend(but_for(c, rng, "old-approval", letters, why, |c, grant, r| {
            r.approved = Some(c.grants[grant].from - before);
            r.recorded = c.grants[grant].from - before;
        }));
    }
    let why = "approved for a week, and given when the week was over";
    all.extend(but_for(c, rng, "ran-out", "d--", why, |c, grant, r| {
        r.approved = Some(c.grants[grant].from - 8 * DAY);
        r.expires = End::At(c.grants[grant].from - DAY);
    }));
    all
}

fn in_a_chat(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (basis, letters, why) in [
        ("export", "ppp", "approved in a chat; the messenger's export, kept later, has the instant"),
        ("copy", "nnn", "approved in a chat, and a picture of it was filed weeks after it was given"),
    ] {
        all.extend(but_for(c, rng, "N57", letters, why, |c, grant, r| {
            r.basis = basis;
            r.recorded = (c.grants[grant].from + 40 * DAY).min(c.clock.cutoff);
        }));
    }
    let why = "a picture of a chat that was filed before it was given shows that it was approved by then";
    all.extend(but_for(c, rng, "picture-in-time", "ppp", why, |c, grant, r| {
        r.basis = "copy";
        r.recorded = c.grants[grant].from - MINUTE;
    }));
    all
}

/// Somebody who left, and came back two months later to the cloud, whose grant begins anew.
fn back(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let (person, employment, at) = leaver(c, rng, "contractor", 75)?;
    for system in [0, 1, 2] {
        let login = c.login_of(person, system)?;
        close_at(c, login, End::At(at));
    }
    let grants = c.grants.len();
    come_back(c, rng, person, at + 60 * DAY, true);
    training::follow(c, rng, person);
    debug_assert_ne!(employment, employment_of(c, person));
    let cloud = c.login_of(person, 2)?;
    let grant = (grants..c.grants.len()).find(|g| c.grants[*g].login == cloud)?;
    (c.grants[grant].role, c.grants[grant].privileged) = ("member", false);
    c.take(about(grant)).then_some(grant)
}

fn back_with_a_new_request(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(grant) = back(c, rng) else { return vec![] };
    let request = in_order(c, rng, grant);
    c.requests.push(request);
    vec![said(c, "N38", grant, "ppp", "back after two months, and asked for anew")]
}

fn back_without_one(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(grant) = back(c, rng) else { return vec![] };
    vec![said(
        c,
        "back-unasked",
        grant,
        "d--",
        "back after two months on what was approved for the first employment",
    )]
}

fn approver_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let why = "approved in time, and the export does not say by whom: nobody unknown is independent";
    but_for(c, rng, "approver-unknown", "pjj", why, |_, _, r| r.approved_by = None)
}

fn whom_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    // At a system of its own: such a request may be for anybody there.
    let Some(grant) = newcomer(c, rng, 3) else { return vec![] };
    let mut request = in_order(c, rng, grant);
    request.person = None;
    request.login = usize::MAX;
    c.requests.push(request);
    let why = "a request of that day names the system and the role, and not whom it is for";
    vec![said(c, "whom-unknown", grant, "jjj", why)]
}

fn role_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let why = "approved in time by somebody else, as what nobody wrote down";
    but_for(c, rng, "role-unknown", "ppn", why, |_, _, r| r.role = None)
}

fn a_machine(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (asked_for, letters, why) in [
        (
            true,
            "ppp",
            "a service's login, asked for by who builds it and approved by who answers for the system",
        ),
        (false, "d--", "a service's login that somebody made for themselves, on no request"),
    ] {
        let Some(at) = c.clock.some_day(rng, 3, 6) else { return all };
        let login = c.logins.len();
        let key = format!("job-{login}");
        let spells = vec![(at, End::Never)];
        c.logins.push(crate::company::Login { system: 2, key, kind: "service", person: None, spells });
        c.grants.push(crate::company::Grant {
            login,
            role: "machine",
            privileged: false,
            from: at,
            to: End::Never,
        });
        let grant = c.grants.len() - 1;
        c.take(about(grant));
        if asked_for {
            let request = in_order(c, rng, grant);
            c.requests.push(request);
        }
        all.push(said(c, "a-machine", grant, letters, why));
    }
    all
}
