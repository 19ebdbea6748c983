//! Copies of what must not be lost (AVL-04), restores of them (AVL-05), and exercises of recovery (AVL-07).

use crate::Case;
use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::cloud::stored;
use crate::company::{Company, End};
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Hours of data that may be lost; hours until the service is back; days until the next restore, and the next exercise; days
/// in which what an exercise showed is put right.
const RPO: i64 = 4 * HOUR;
const RTO: i64 = 8 * HOUR;
const RESTORE: i64 = 92 * DAY;
const EXERCISE: i64 = 365 * DAY;
const GAP: i64 = 90 * DAY;

/// How far the beginnings of two copies lie apart. None takes longer than a quarter of an hour.
const EVERY: i64 = 220 * MINUTE;

/// A run that copied what is stored.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) resource: usize,
    pub(crate) started: i64,
    pub(crate) finished: i64,
    pub(crate) succeeded: Option<bool>,
    pub(crate) newest: Option<i64>,
    pub(crate) encrypted: bool,
    pub(crate) isolated: bool,
}

/// A test in which a copy was restored.
#[derive(Clone, Debug)]
pub(crate) struct Restore {
    pub(crate) resource: usize,
    pub(crate) started: i64,
    pub(crate) finished: i64,
    pub(crate) succeeded: Option<bool>,
    pub(crate) verified: &'static str,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) key: String,
    pub(crate) from: i64,
}

/// A disaster that was tried.
#[derive(Clone, Debug)]
pub(crate) struct Exercise {
    pub(crate) plan: usize,
    pub(crate) lost: i64,
    pub(crate) newest: Option<i64>,
    pub(crate) back: Option<i64>,
    /// When what it showed was put right; `None` where it showed nothing.
    pub(crate) gaps: Option<End>,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    // One that was there before, and one that came in the year.
    let before = c.clock.from - 300 * DAY;
    let resource = kept(c, rng, before, End::Never);
    restored(c, rng, resource);
    if let Some(at) = c.clock.some_day(rng, 20, 40) {
        let resource = kept(c, rng, at, End::Never);
        restored(c, rng, resource);
    }
    for _ in 0..2 {
        let first = c.clock.from - rng.between(20, 300) * DAY;
        let plan = planned(c, c.clock.from - 900 * DAY);
        let mut at = first - 350 * DAY;
        while at <= c.clock.cutoff {
            exercised(c, rng, plan, at);
            at += rng.between(320, 360) * DAY;
        }
    }
}

/// Something that must not be lost, and is copied for as long as it is there.
fn kept(c: &mut Company, rng: &mut Rng, from: i64, to: End) -> usize {
    let resource = stored(c, rng, from);
    let them = &mut c.resources[resource];
    them.kind = "database";
    them.key = format!("kept-{resource:03}");
    them.to = to;
    them.settings[0].to = to;
    them.needs_backup = Some(true);
    let mut at = from.max(c.clock.from - 3 * DAY) + 5 * MINUTE;
    for number in 0.. {
        if !to.after(at) || at > c.clock.cutoff {
            break;
        }
        let finished = at + rng.between(120, 900) * SECOND;
        c.operations.copies.push(Copy {
            resource,
            started: at,
            finished,
            succeeded: Some(true),
            newest: Some(at),
            encrypted: true,
            isolated: number % 4 == 0,
        });
        at += EVERY;
    }
    resource
}

/// Restored every two or three months, as long as it is there.
fn restored(c: &mut Company, rng: &mut Rng, resource: usize) {
    let them = &c.resources[resource];
    let (mut at, to) = (them.from, them.to);
    loop {
        at += rng.between(60, 88) * DAY;
        if !to.after(at) || at > c.clock.cutoff {
            break;
        }
        let verified = rng.pick(&["rows", "hash", "application"]);
        let finished = at + rng.between(20, 400) * MINUTE;
        c.operations.restores.push(Restore {
            resource,
            started: at,
            finished,
            succeeded: Some(true),
            verified,
        });
    }
}

fn planned(c: &mut Company, from: i64) -> usize {
    let plan = c.operations.plans.len();
    c.operations.plans.push(Plan { key: format!("recovery-{}", plan + 1), from });
    plan
}

/// An exercise that went well.
fn exercised(c: &mut Company, rng: &mut Rng, plan: usize, lost: i64) -> usize {
    let newest = Some(lost - rng.between(1, 230) * MINUTE);
    let back = Some(lost + rng.between(30, 470) * MINUTE);
    let gaps = rng.chance(30).then(|| End::At(lost + rng.between(2, 80) * DAY));
    c.operations.exercises.push(Exercise { plan, lost, newest, back, gaps });
    c.operations.exercises.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("N75", stuck),
    ("runs-failed", runs_failed),
    ("run-repeated", run_repeated),
    ("copy-boundary", copy_boundary),
    ("copy-bare", copy_bare),
    ("not-isolated", not_isolated),
    ("newest-unknown", newest_unknown),
    ("nobody-says", nobody_says),
    ("need-not", need_not),
    ("never-restored", never_restored),
    ("N76", not_compared),
    ("restore-boundary", restore_boundary),
    ("restore-slow", restore_slow),
    ("restore-failed", restore_failed),
    ("restore-unknown", restore_unknown),
    ("gone-before-restore", gone_before_restore),
    ("N77", lost_too_much),
    ("N78", exercised_before),
    ("never-exercised", never_exercised),
    ("exercise-boundary", exercise_boundary),
    ("targets-boundary", targets_boundary),
    ("given-up", given_up),
    ("loss-unknown", loss_unknown),
    ("gaps", gaps),
];

fn of_copies(c: &Company, case: &'static str, resource: usize, letters: &str, why: &str) -> Seeded {
    seeded(("AVL-04", "backups_run", case), &c.resources[resource].key, letters, why)
}

/// Something that must not be lost and is there for twelve days.
fn for_some_days(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let from = c.clock.some_day(rng, 5, 20)?;
    Some(kept(c, rng, from, End::At(from + 12 * DAY)))
}

/// Its copies, in order.
fn copies_of(c: &mut Company, resource: usize) -> Vec<&mut Copy> {
    c.operations.copies.iter_mut().filter(|copy| copy.resource == resource).collect()
}

fn stuck(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(resource) = for_some_days(c, rng) else { return vec![] };
    let from = c.resources[resource].from;
    let mut last = None;
    for copy in copies_of(c, resource) {
        if copy.started >= from + 4 * DAY && copy.started < from + 7 * DAY {
            copy.newest = last;
        }
        last = copy.newest;
    }
    let why = "every run says that it succeeded, and for three days the copy holds the same old data";
    vec![of_copies(c, "N75", resource, "dpd", why)]
}

fn runs_failed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(resource) = for_some_days(c, rng) else { return vec![] };
    for copy in copies_of(c, resource).into_iter().skip(20).take(3) {
        copy.succeeded = Some(false);
    }
    vec![of_copies(c, "runs-failed", resource, "dpp", "three runs in a row failed, and nobody repeated them")]
}

fn run_repeated(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(resource) = for_some_days(c, rng) else { return vec![] };
    let mut again = None;
    if let Some(copy) = copies_of(c, resource).into_iter().nth(20) {
        copy.succeeded = Some(false);
        copy.finished = copy.started + MINUTE;
        let started = copy.started + 5 * MINUTE;
        again = Some(Copy {
            started,
            finished: started + 10 * MINUTE,
            succeeded: Some(true),
            newest: Some(started),
            ..copy.clone()
        });
    }
    c.operations.copies.extend(again);
    let why = "a run failed, and was repeated before the copy before it was too old";
    vec![of_copies(c, "run-repeated", resource, "ppp", why)]
}

fn copy_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (
            0,
            "ppp",
            "a copy is finished when the newest data of the one before is four hours old, to the second",
        ),
        (SECOND, "dpp", "a copy is finished four hours and a second after the newest data of the one before"),
    ] {
        let Some(resource) = for_some_days(c, rng) else { return all };
        let mut before = 0;
        for (place, copy) in copies_of(c, resource).into_iter().enumerate() {
            if place == 20 {
                copy.finished = before + RPO + late;
            }
            before = copy.started;
        }
        all.push(of_copies(c, "copy-boundary", resource, letters, why));
    }
    all
}

fn copy_bare(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(resource) = for_some_days(c, rng) else { return vec![] };
    if let Some(copy) = copies_of(c, resource).into_iter().nth(10) {
        copy.encrypted = false;
    }
    vec![of_copies(c, "copy-bare", resource, "pdp", "one of the copies is not encrypted")]
}

fn not_isolated(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(resource) = for_some_days(c, rng) else { return vec![] };
    for copy in copies_of(c, resource) {
        copy.isolated = false;
    }
    let why = "all copies lie where whoever can delete the database can delete them, too";
    vec![of_copies(c, "not-isolated", resource, "ppd", why)]
}

fn newest_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(resource) = for_some_days(c, rng) else { return vec![] };
    for copy in copies_of(c, resource).into_iter().skip(20).take(3) {
        copy.newest = None;
    }
    let why = "of three copies in a row nobody knows how old their data is: they may be worth nothing";
    vec![of_copies(c, "newest-unknown", resource, "npp", why)]
}

fn nobody_says(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(resource) = for_some_days(c, rng) else { return vec![] };
    c.operations.copies.retain(|copy| copy.resource != resource);
    c.resources[resource].needs_backup = None;
    let why = "never copied, and nobody ever said whether it has to be";
    vec![of_copies(c, "nobody-says", resource, "j-j", why)]
}

fn need_not(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(resource) = for_some_days(c, rng) else { return vec![] };
    c.operations.copies.retain(|copy| copy.resource != resource);
    c.resources[resource].needs_backup = Some(false);
    vec![of_copies(
        c,
        "need-not",
        resource,
        "absent",
        "a cache, of which it was decided that it need not be copied",
    )]
}

// ---- AVL-05

fn of_restores(c: &Company, case: &'static str, resource: usize, letters: &str, why: &str) -> Seeded {
    seeded(("AVL-05", "restores_tested", case), &c.resources[resource].key, letters, why)
}

/// Something that must not be lost, there for so long, and not restored yet.
fn unrestored(c: &mut Company, rng: &mut Rng, life: i64) -> Option<usize> {
    let from = c.clock.some_day(rng, 5, 125)?;
    Some(kept(c, rng, from, End::At(from + life)))
}

/// Restored so long after it was made, within two hours.
fn restore(c: &mut Company, resource: usize, after: i64, verified: &'static str) -> usize {
    let finished = c.resources[resource].from + after;
    let started = finished - 2 * HOUR;
    c.operations.restores.push(Restore { resource, started, finished, succeeded: Some(true), verified });
    c.operations.restores.len() - 1
}

fn never_restored(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(resource) = unrestored(c, rng, 110 * DAY) else { return vec![] };
    vec![of_restores(c, "never-restored", resource, "dd-", "copied for months, and never restored")]
}

fn not_compared(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (again, letters, why) in [
        (None, "pdp", "restored, and nobody looked whether what came back is what was there"),
        (Some("hash"), "ppp", "restored and not compared; restored again two days later, and compared"),
    ] {
        let Some(resource) = unrestored(c, rng, 110 * DAY) else { return all };
        restore(c, resource, 50 * DAY, "none");
        if let Some(verified) = again {
            restore(c, resource, 52 * DAY, verified);
        }
        all.push(of_restores(c, "N76", resource, letters, why));
    }
    all
}

fn restore_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp", "first restored 92 days after it was made, to the second"),
        (SECOND, "ddp", "first restored 92 days and a second after it was made"),
    ] {
        let Some(resource) = unrestored(c, rng, 110 * DAY) else { return all };
        restore(c, resource, RESTORE + late, "rows");
        all.push(of_restores(c, "restore-boundary", resource, letters, why));
    }
    all
}

fn restore_slow(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp", "restored in eight hours, to the second"),
        (SECOND, "ppd", "restored in eight hours and a second"),
    ] {
        let Some(resource) = unrestored(c, rng, 110 * DAY) else { return all };
        let restore = restore(c, resource, 50 * DAY, "rows");
        let them = &mut c.operations.restores[restore];
        them.started = them.finished - RTO - late;
        all.push(of_restores(c, "restore-slow", resource, letters, why));
    }
    all
}

fn restore_failed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (again, letters, why) in [
        (false, "dd-", "the restore failed, and nobody tried again"),
        (true, "ppp", "the restore failed; what was wrong was mended, and it went well a week later"),
    ] {
        let Some(resource) = unrestored(c, rng, 110 * DAY) else { return all };
        let failed = restore(c, resource, 50 * DAY, "none");
        c.operations.restores[failed].succeeded = Some(false);
        if again {
            restore(c, resource, 57 * DAY, "application");
        }
        all.push(of_restores(c, "restore-failed", resource, letters, why));
    }
    all
}

fn restore_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(resource) = unrestored(c, rng, 110 * DAY) else { return vec![] };
    let restore = restore(c, resource, 50 * DAY, "rows");
    c.operations.restores[restore].succeeded = None;
    vec![of_restores(
        c,
        "restore-unknown",
        resource,
        "nnn",
        "restored, and nobody wrote down whether it worked",
    )]
}

fn gone_before_restore(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(resource) = unrestored(c, rng, RESTORE) else { return vec![] };
    let why = "never restored, and deleted when the first restore was due";
    vec![of_restores(c, "gone-before-restore", resource, "---", why)]
}

// ---- AVL-07

fn of_plan(c: &Company, case: &'static str, plan: usize, letters: &str, why: &str) -> Seeded {
    seeded(("AVL-07", "recovery_exercised", case), &c.operations.plans[plan].key, letters, why)
}

/// A plan that was written some months before, and is exercised in the period.
fn with_exercise(c: &mut Company, rng: &mut Rng) -> Option<(usize, usize)> {
    let at = c.clock.some_day(rng, 5, 5)?;
    let plan = planned(c, at - 200 * DAY);
    let exercise = exercised(c, rng, plan, at);
    // Were the period longer than a year, the next one would be due.
    if c.clock.to - at > EXERCISE {
        return None;
    }
    c.operations.exercises[exercise].gaps = None;
    Some((plan, exercise))
}

fn lost_too_much(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((plan, exercise)) = with_exercise(c, rng) else { return vec![] };
    let them = &mut c.operations.exercises[exercise];
    them.newest = Some(them.lost - 5 * HOUR);
    them.back = Some(them.lost + 7 * HOUR + 50 * MINUTE);
    let why = "back within 7 hours 50 minutes, and five hours of data were lost where four may be";
    vec![of_plan(c, "N77", plan, "pdp-", why)]
}

fn exercised_before(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let at = c.clock.from - 45 * DAY;
    if at + EXERCISE < c.clock.to {
        return vec![];
    }
    let plan = planned(c, at - 200 * DAY);
    exercised(c, rng, plan, at);
    let why = "exercised six weeks before the period; the next one is due after it";
    vec![of_plan(c, "N78", plan, "y---", why)]
}

fn never_exercised(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let plan = planned(c, c.clock.from - 600 * DAY);
    vec![
        of_plan(c, "never-exercised", plan, "d---", "written almost two years ago, and never tried")
            .last_day("d"),
    ]
}

fn exercise_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp-", "exercised again 365 days later, to the second"),
        (SECOND, "dpp-", "exercised again 365 days and a second later"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
        let before = at - EXERCISE - late;
        let plan = planned(c, before - 100 * DAY);
        for at in [before, at] {
            let exercise = exercised(c, rng, plan, at);
            c.operations.exercises[exercise].gaps = None;
        }
        all.push(of_plan(c, "exercise-boundary", plan, letters, why));
    }
    all
}

fn targets_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp-", "four hours of data lost, and back after eight hours, both to the second"),
        (SECOND, "pdd-", "a second more data lost than may be, and back a second late"),
    ] {
        let Some((plan, exercise)) = with_exercise(c, rng) else { return all };
        let them = &mut c.operations.exercises[exercise];
        them.newest = Some(them.lost - RPO - late);
        them.back = Some(them.lost + RTO + late);
        all.push(of_plan(c, "targets-boundary", plan, letters, why));
    }
    all
}

fn given_up(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((plan, exercise)) = with_exercise(c, rng) else { return vec![] };
    let them = &mut c.operations.exercises[exercise];
    (them.newest, them.back) = (None, None);
    let why =
        "the service did not come back, and the exercise was given up before anybody knew what was lost";
    vec![of_plan(c, "given-up", plan, "pnd-", why)]
}

fn loss_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((plan, exercise)) = with_exercise(c, rng) else { return vec![] };
    c.operations.exercises[exercise].newest = None;
    let why = "back in time, and nobody wrote down how much was lost";
    vec![of_plan(c, "loss-unknown", plan, "pnp-", why)]
}

fn gaps(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (closed, letters, why) in [
        (GAP, "pppp", "what it showed to be missing was put right on the ninetieth day"),
        (GAP + SECOND, "pppd", "what it showed to be missing was put right a second after ninety days"),
    ] {
        let Some((plan, exercise)) = with_exercise(c, rng) else { return all };
        let them = &mut c.operations.exercises[exercise];
        them.gaps = Some(End::At(them.lost + closed));
        if them.lost + GAP + SECOND > c.clock.cutoff {
            // It is open yet, and has days to go.
            let why = "what it showed to be missing is open, and its ninety days are not over";
            let letters = if them.lost + GAP > c.clock.cutoff { "pppy" } else { letters };
            all.push(of_plan(c, "gaps", plan, letters, why));
        } else {
            all.push(of_plan(c, "gaps", plan, letters, why));
        }
    }
    all
}
