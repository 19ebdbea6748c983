//! Who may change what others may do or see, for hours or for good, and whether somebody goes over it each quarter (IAM-09).

use std::collections::BTreeMap;

use model::{Attribute, Verdict};

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, End, Grant, Standing};
use crate::people::hire;
use crate::rng::Rng;
use crate::training;
use crate::truth::{Expect, Seeded, seeded};

/// Hours after which access ends that is not standing.
const HOURS: i64 = 24;
const TEST: &str = "privileged_access_bounded";

/// Whoever is an administrator for good is so by a decision of who answers for the system, or stands in.
pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for grant in 0..c.grants.len() {
        if c.grants[grant].privileged && !c.taken.contains(&about(grant)) {
            let decision = decided(c, rng, grant);
            c.standings.push(decision);
        }
    }
}

fn about(grant: usize) -> String {
    format!("standing {grant}")
}

/// A decision as it should be, some hours before access begins; nobody could decide before they were here themselves.
fn decided(c: &Company, rng: &mut Rng, grant: usize) -> Standing {
    let held = &c.grants[grant];
    let login = &c.logins[held.login];
    let system = &c.systems[login.system];
    let by = if login.person == Some(system.owner) { system.deputy } else { system.owner };
    let approved = (held.from - rng.between(1, 48) * HOUR).max(c.clock.kept_since + 35 * DAY);
    let reason = rng.pick(&["runs it", "is on call for it", "answers for its settings"]);
    Standing { grant, role: held.role, reason, by, approved, from: approved, to: End::Never }
}

const fn of(case: &'static str) -> (&'static str, &'static str, &'static str) {
    ("IAM-09", TEST, case)
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("for-a-day", for_a_day),
    ("each-night", each_night),
    ("N50", for_six_months),
    ("standing", standing),
    ("by-oneself", by_oneself),
    ("decided-late", decided_late),
    ("lapsed", lapsed),
    ("other-role", other_role),
    ("no-reason", no_reason),
];

/// Somebody who has been here for long, and becomes an administrator of the cloud for a while.
fn administrator(c: &mut Company, rng: &mut Rng, from: i64, to: End) -> Option<usize> {
    let began = c.clock.office_hours(rng, c.clock.from - 900 * DAY, c.clock.from - 300 * DAY)?;
    let person = hire(c, rng, began, "employee", &[2]);
    training::follow(c, rng, person);
    let login = c.login_of(person, 2)?;
    c.grants.push(Grant { login, role: "superuser", privileged: true, from, to });
    let grant = c.grants.len() - 1;
    c.take(about(grant)).then_some(grant)
}

fn said(case: &'static str, grant: usize, letters: &str, why: &str) -> Seeded {
    seeded(of(case), &format!("G{:05}", grant + 1), letters, why)
}

fn for_a_day(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (more, letters, why) in [
        (0, "p", "an administrator for twenty-four hours to the second"),
        (SECOND, "d", "an administrator for twenty-four hours and a second"),
        (20 * DAY, "d", "an administrator for three weeks whom nobody decided to be one for good"),
    ] {
        let Some(at) = c.clock.some_day(rng, 3, 25) else { return all };
        let Some(grant) = administrator(c, rng, at, End::At(at + HOURS * HOUR + more)) else { return all };
        all.push(said("for-a-day", grant, letters, why));
    }
    all
}

fn each_night(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 3, 10) else { return vec![] };
    let Some(first) = administrator(c, rng, at, End::At(at + 8 * HOUR)) else { return vec![] };
    let login = c.grants[first].login;
    let mut all = vec![said("each-night", first, "p", "on call three nights in a row, for eight hours each")];
    for night in 1..3 {
        let from = at + night * DAY;
        c.grants.push(Grant {
            login,
            role: "superuser",
            privileged: true,
            from,
            to: End::At(from + 8 * HOUR),
        });
        let grant = c.grants.len() - 1;
        c.take(about(grant));
        all.push(said("each-night", grant, "p", "on call three nights in a row, for eight hours each"));
    }
    all
}

fn for_six_months(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let from = c.clock.from - 12 * DAY;
    let to = from + 182 * DAY;
    if to > c.clock.to {
        return vec![];
    }
    let Some(grant) = administrator(c, rng, from, End::At(to)) else { return vec![] };
    let why = "made an administrator for an incident, and still one half a year later; that reviews kept them decides nothing";
    vec![said("N50", grant, "d", why)]
}

fn standing(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let from = c.clock.from - 200 * DAY;
    let Some(grant) = administrator(c, rng, from, End::Never) else { return vec![] };
    let decision = decided(c, rng, grant);
    c.standings.push(decision);
    vec![said("standing", grant, "p", "an administrator for good, by a decision made before").last_day("p")]
}

fn by_oneself(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let from = c.clock.from - 200 * DAY;
    let Some(grant) = administrator(c, rng, from, End::Never) else { return vec![] };
    let mut decision = decided(c, rng, grant);
    decision.by = c.logins[c.grants[grant].login].person.unwrap_or(0);
    c.standings.push(decision);
    vec![
        said("by-oneself", grant, "d", "an administrator for good, by a decision of their own").last_day("d"),
    ]
}

fn decided_late(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (HOURS * HOUR, "p", "decided when twenty-four hours were over, to the second"),
        (30 * DAY, "d", "decided after a month; what is decided later allows nothing before"),
    ] {
        let Some(at) = c.clock.some_day(rng, 3, 35) else { return all };
        let Some(grant) = administrator(c, rng, at, End::Never) else { return all };
        let mut decision = decided(c, rng, grant);
        decision.approved = at + late;
        c.standings.push(decision);
        all.push(said("decided-late", grant, letters, why).last_day("p"));
    }
    all
}

fn lapsed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (again, letters, why) in [
        (false, "d", "the decision held until some day of the year, and the access goes on"),
        (true, "p", "the decision held until some day of the year, and the next from that instant on"),
    ] {
        let Some(at) = c.clock.some_day(rng, 10, 20) else { return all };
        let from = c.clock.from - 200 * DAY;
        let Some(grant) = administrator(c, rng, from, End::Never) else { return all };
        let mut decision = decided(c, rng, grant);
        decision.to = End::At(at);
        let mut next = decision.clone();
        c.standings.push(decision);
        if again {
            (next.from, next.approved, next.to) = (at, at - 3 * DAY, End::Never);
            c.standings.push(next);
        }
        all.push(said("lapsed", grant, letters, why).last_day(letters));
    }
    all
}

fn other_role(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let from = c.clock.from - 200 * DAY;
    let Some(grant) = administrator(c, rng, from, End::Never) else { return vec![] };
    let mut decision = decided(c, rng, grant);
    decision.role = "billing";
    c.standings.push(decision);
    vec![said("other-role", grant, "d", "decided for the bills, and held for everything").last_day("d")]
}

fn no_reason(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let from = c.clock.from - 200 * DAY;
    let Some(grant) = administrator(c, rng, from, End::Never) else { return vec![] };
    let mut decision = decided(c, rng, grant);
    decision.reason = "";
    c.standings.push(decision);
    vec![said("no-reason", grant, "j", "decided by somebody else, who wrote no reason down").last_day("j")]
}

/// Of everybody who was an administrator for a whole quarter: whether somebody else went over it then. Said of the world as it
/// came to be, after every review and whatever went wrong with it.
pub(crate) fn went_over(c: &mut Company) {
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for (place, seeded) in c.seeded.iter().enumerate().filter(|(_, s)| s.test == TEST) {
        told.insert(seeded.item.clone(), place);
    }
    for grant in 0..c.grants.len() {
        if !c.grants[grant].privileged {
            continue;
        }
        let quarters: Vec<(i64, i64)> = c.clock.quarters();
        let ways = c.entrances(&c.grants[grant]);
        let mut each = vec![];
        for quarter in quarters {
            for (from, to) in &ways {
                if *from <= quarter.0 && to.after(quarter.1 - 1) {
                    each.push((quarter, looked_at(c, c.grants[grant].login, quarter, *to)));
                }
            }
        }
        let Some(worst) = each.iter().map(|(_, verdict)| *verdict).max_by_key(|v| grave(*v)) else {
            continue;
        };
        let last = each.iter().find(|(quarter, _)| quarter.1 == c.clock.to).map(|(_, verdict)| *verdict);
        let key = format!("G{:05}", grant + 1);
        let b = Attribute('b');
        if let Some(place) = told.get(&key) {
            let seeded = &mut c.seeded[*place];
            if let Expect::Says(says) = &mut seeded.expect {
                says.push((b, worst));
            }
            seeded.last_day.extend(last.map(|verdict| (b, verdict)));
        } else if worst != Verdict::Pass {
            let why =
                "an administrator for a whole quarter, in which nobody else is known to have gone over it";
            let mut one = seeded(of("not-gone-over"), &key, "", why);
            one.expect = Expect::Says(vec![(b, worst)]);
            one.last_day.extend(last.map(|verdict| (b, verdict)));
            c.seeded.push(one);
        }
    }
}

const fn grave(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Deviation => 3,
        Verdict::NoEvidence => 2,
        Verdict::NeedsJudgement => 1,
        _ => 0,
    }
}

/// Whether somebody else decided on a login in a quarter.
fn looked_at(c: &Company, login: usize, quarter: (i64, i64), to: End) -> Verdict {
    let person = c.logins[login].person;
    let mut best = if to == End::Unknown { Verdict::NoEvidence } else { Verdict::Deviation };
    for review in c.reviews.iter().filter(|r| r.opened <= c.clock.cutoff) {
        for line in review.lines.iter().filter(|l| l.login == login && l.decision != "undecided") {
            if line.decided < quarter.0 || line.decided >= quarter.1 {
                continue;
            }
            let reviewer = &c.logins[line.reviewer];
            let verdict = match (reviewer.kind, reviewer.person, person) {
                ("human", Some(them), Some(one)) if them == one => continue,
                ("human", Some(them), Some(one)) if alike(c, them, one) => Verdict::NeedsJudgement,
                ("human", Some(_), _) => Verdict::Pass,
                _ => continue,
            };
            if grave(verdict) < grave(best) {
                best = verdict;
            }
        }
    }
    best
}

fn alike(c: &Company, one: usize, other: usize) -> bool {
    let (one, other) = (&c.people[one], &c.people[other]);
    (one.first, one.last) == (other.first, other.last)
}
