//! Pipelines and their runs, day after day: whether they came through (PI-03), what failed (PI-05), what came in (PI-02), and
//! whether as much came out (PI-04).

use crate::Case;
use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::company::{Company, End};
use crate::monitoring::{MACHINE, answered};
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Hours after the end of a day until its run is to be through, and then until it is reconciled; minutes until an alert fires;
/// business days until a difference is settled, and until what was turned down is mended.
const THROUGH: i64 = 4 * HOUR;
const HELD: i64 = 24 * HOUR;
const ALERT: i64 = 15 * MINUTE;
const SETTLE: u32 = 2;
const MEND: u32 = 5;

/// Everything that is processed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Processing {
    pub(crate) pipelines: Vec<Pipeline>,
    pub(crate) runs: Vec<Run>,
}

#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) key: String,
    pub(crate) ordered: bool,
    pub(crate) to: End,
}

/// A run over the data of a day.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) key: String,
    pub(crate) pipeline: usize,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) delivered: bool,
    pub(crate) replaces: Option<String>,
    pub(crate) tries: Vec<Try>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) sums: Vec<Sum>,
}

impl Run {
    pub(crate) const fn due(&self) -> i64 {
        self.to + THROUGH
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Try {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) result: &'static str,
    /// The alert that it raised.
    pub(crate) alert: Option<String>,
}

/// What came in, and what became of what was turned down.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) at: i64,
    pub(crate) received: i64,
    pub(crate) accepted: i64,
    pub(crate) rejected: Option<i64>,
    pub(crate) mended: Option<(i64, i64)>,
}

/// What came out beside what went in.
#[derive(Clone, Debug)]
pub(crate) struct Sum {
    pub(crate) at: i64,
    pub(crate) went_in: i64,
    pub(crate) came_out: i64,
    pub(crate) tolerance: i64,
    /// Settled: when, by whom, what was written.
    pub(crate) settled: Option<(i64, usize, &'static str)>,
}

/// The pipeline whose runs have to follow each other, and the one whose runs do not.
const BILLING: usize = 0;
const USAGE: usize = 1;

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for (key, ordered) in [("billing", true), ("usage", false)] {
        c.processing.pipelines.push(Pipeline { key: key.to_owned(), ordered, to: End::Never });
    }
    let mut day = c.clock.days_later(c.clock.first, -2);
    loop {
        let next = c.clock.days_later(day, 1);
        let (from, to) = (c.clock.at(day, 0, 0), c.clock.at(next, 0, 0));
        if to > c.clock.cutoff {
            break;
        }
        for pipeline in [BILLING, USAGE] {
            let run = runs(c, rng, pipeline, from, to);
            trouble(c, rng, run);
        }
        day = next;
    }
}

/// A run as it should be.
fn runs(c: &mut Company, rng: &mut Rng, pipeline: usize, from: i64, to: i64) -> usize {
    let key = format!("{}-{}", c.processing.pipelines[pipeline].key, c.processing.runs.len() + 1);
    let (tries, inputs, sums) = (vec![], vec![], vec![]);
    c.processing.runs.push(Run {
        key,
        pipeline,
        from,
        to,
        delivered: true,
        replaces: None,
        tries,
        inputs,
        sums,
    });
    let run = c.processing.runs.len() - 1;
    plain(c, rng, run);
    run
}

/// Makes it one as it should be: one try, some records turned down and mended, everything reconciled.
fn plain(c: &mut Company, rng: &mut Rng, run: usize) {
    let to = c.processing.runs[run].to;
    let began = to + rng.between(10, 60) * MINUTE;
    let ended = began + rng.between(5, 90) * MINUTE;
    let received = rng.between(5_000, 90_000);
    let checked = to + 5 * MINUTE;
    let rejected = if rng.chance(60) { 0 } else { rng.between(1, 40) };
    let due = c.clock.business_days_after(checked, MEND);
    let mended = (rejected > 0).then(|| (rejected, checked + (due - checked) / 100 * rng.between(3, 95)));
    let held = ended + rng.between(2, 300) * MINUTE;
    let went_in = received - rejected;
    let missing = if rng.chance(5) { rng.between(1, 5) } else { 0 };
    let them = &mut c.processing.runs[run];
    them.tries = vec![Try { from: began, to: ended, result: "success", alert: None }];
    them.inputs = vec![Input { at: checked, received, accepted: went_in, rejected: Some(rejected), mended }];
    them.sums = vec![Sum { at: held, went_in, came_out: went_in - missing, tolerance: 5, settled: None }];
}

/// What goes wrong now and then, and is dealt with.
fn trouble(c: &mut Company, rng: &mut Rng, run: usize) {
    let first = c.processing.runs[run].tries[0].clone();
    if rng.chance(4) {
        let (from, to) = (first.from, first.from + 2 * MINUTE);
        let before = Try { from: from - 6 * MINUTE, to: to - 4 * MINUTE, result: "failure", alert: None };
        // Tried again at once, and through a few minutes later.
        let again = Try { from, to: to + 5 * MINUTE, result: "success", alert: None };
        c.processing.runs[run].tries = vec![before, again];
    } else if rng.chance(2) && !c.shape.quiet {
        let fired = first.from + rng.between(1, 12) * MINUTE;
        let failed = Try {
            from: first.from - 5 * MINUTE,
            to: first.from,
            result: "failure",
            alert: Some(raised(c, rng, fired)),
        };
        let later = Try { from: first.from + HOUR, to: first.from + 80 * MINUTE, ..first };
        let sum = c.processing.runs[run].sums[0].at.max(later.to + 3 * MINUTE);
        c.processing.runs[run].sums[0].at = sum;
        c.processing.runs[run].tries = vec![failed, later];
    }
    if rng.chance(3) {
        let at = c.processing.runs[run].sums[0].at;
        let due = c.clock.business_days_after(at, SETTLE);
        let sum = &mut c.processing.runs[run].sums[0];
        sum.came_out = sum.went_in - rng.between(6, 60);
        sum.settled = Some((
            at + (due - at) / 100 * rng.between(5, 95),
            rng.below(CORE),
            "a customer was deleted meanwhile",
        ));
    }
}

/// An alert that is dealt with as it should be.
fn raised(c: &mut Company, rng: &mut Rng, fired: i64) -> String {
    let alert = answered(c, rng, "medium", false, fired);
    c.alerts[alert].key.clone()
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("N85", tried_again),
    ("through-in-time", through_in_time),
    ("out-of-order", out_of_order),
    ("left-out", left_out),
    ("given-up-pipeline", given_up),
    ("lost-word", lost_word),
    ("alerted", alerted),
    ("held-in-time", held_in_time),
    ("differs", differs),
    ("N87", delivered_twice),
    ("checked-in-time", checked_in_time),
    ("turned-down", turned_down),
];

const DONE: (&str, &str) = ("PI-03", "jobs_completed");
const SAME: (&str, &str) = ("PI-04", "outputs_reconciled");
const ALARM: (&str, &str) = ("PI-05", "failures_alerted");
const INPUT: (&str, &str) = ("PI-02", "input_validated");

fn said(
    c: &Company,
    (control, test): (&'static str, &'static str),
    case: &'static str,
    run: usize,
    letters: &str,
    why: &str,
) -> Seeded {
    seeded((control, test, case), &c.processing.runs[run].key, letters, why)
}

/// A run of which nothing was made yet, nor of those beside it, and in which nothing goes wrong by itself.
fn a_run(c: &mut Company, rng: &mut Rng, pipeline: usize) -> Option<usize> {
    for _ in 0..30 {
        let at = c.clock.some_day(rng, 3, 14)?;
        let place =
            c.processing.runs.iter().position(|r| r.pipeline == pipeline && r.from <= at && r.to > at)?;
        let from = c.processing.runs[place].from;
        let free = [-DAY, 0, DAY]
            .map(|days| c.take(format!("run {pipeline} {}", c.clock.date(from + days + 12 * HOUR))));
        if free.iter().all(|free| *free) {
            plain(c, rng, place);
            return Some(place);
        }
    }
    None
}

fn tried_again(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(run) = a_run(c, rng, BILLING) else { return vec![] };
    let them = &mut c.processing.runs[run];
    let ended = them.tries[0].to;
    them.tries[0].result = "failure";
    them.tries.push(Try { from: ended + MINUTE, to: ended + 10 * MINUTE, result: "success", alert: None });
    them.sums[0].at = ended + 30 * MINUTE;
    let why = "failed, tried again by itself, through ten minutes later, and the sums agree";
    vec![
        said(c, DONE, "N85", run, "ppp", why),
        said(c, SAME, "N85", run, "ppp", why),
        said(c, ALARM, "N85", run, "-", why),
    ]
}

fn through_in_time(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, result, letters, why) in [
        (0, "success", "p-p", "through in the second in which it was due"),
        (SECOND, "success", "d-p", "through a second after it was due"),
        (-HOUR, "cancelled", "d-p", "called off, and never tried again"),
    ] {
        let Some(run) = a_run(c, rng, USAGE) else { return all };
        let them = &mut c.processing.runs[run];
        let due = them.due();
        (them.tries[0].to, them.tries[0].result) = (due + late, result);
        them.sums[0].at = due + HOUR;
        all.push(said(c, DONE, "through-in-time", run, letters, why));
    }
    let Some(run) = a_run(c, rng, USAGE) else { return all };
    c.processing.runs[run].tries.clear();
    all.push(said(c, DONE, "through-in-time", run, "d-p", "never tried at all"));
    all
}

fn out_of_order(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (waits, letters, why) in [
        (
            true,
            "ppp",
            "it waited for the run before, which was late, and began in the instant in which that was through",
        ),
        (false, "pdp", "it began a minute before the run before was through, which was late"),
    ] {
        let Some(before) = a_run(c, rng, BILLING) else { return all };
        // The one after it was taken with it.
        let next = c.processing.runs[before].to;
        let Some(run) = c.processing.runs.iter().position(|r| r.pipeline == BILLING && r.from == next) else {
            return all;
        };
        plain(c, rng, run);
        let began = c.processing.runs[run].tries[0].from;
        let through = began + if waits { 0 } else { MINUTE };
        c.processing.runs[before].tries[0].to = through;
        // That it was late is one thing, and that it was reconciled before it was through would be another.
        let held = through + 30 * MINUTE;
        c.processing.runs[before].sums[0].at = held;
        let late_held = held > c.processing.runs[before].due() + HELD;
        all.push(said(
            c,
            DONE,
            "out-of-order",
            before,
            "dpp",
            "through a day after its data, and twenty hours late",
        ));
        all.push(said(c, DONE, "out-of-order", run, letters, why));
        debug_assert!(!late_held);
    }
    all
}

fn left_out(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(run) = a_run(c, rng, USAGE) else { return vec![] };
    let from = c.processing.runs[run].from;
    let Some(before) = c.processing.runs.iter().position(|r| r.pipeline == USAGE && r.to == from) else {
        return vec![];
    };
    plain(c, rng, before);
    c.processing.runs.remove(run);
    let before = if before > run { before - 1 } else { before };
    vec![said(
        c,
        DONE,
        "left-out",
        before,
        "p-d",
        "no run took up where it ended: the day after it was left out",
    )]
}

/// A pipeline of its own, over some days, which ends as it may.
fn given_up(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (word, letters, why) in [
        ("ended", "p--", "the last run of a pipeline that was given up with it"),
        ("silent", "p-d", "the last run of a pipeline that nobody gave up: it stopped, and nobody saw"),
        ("unknown", "p-n", "the last run of a pipeline of which nobody says until when it was in use"),
    ] {
        let Some(at) = c.clock.some_day(rng, 3, 14) else { return all };
        let pipeline = c.processing.pipelines.len();
        let key = format!("feed-{pipeline}");
        c.processing.pipelines.push(Pipeline { key, ordered: false, to: End::Never });
        let mut day = c.clock.date(at);
        let mut last = None;
        for _ in 0..4 {
            let next = c.clock.days_later(day, 1);
            let (from, to) = (c.clock.at(day, 0, 0), c.clock.at(next, 0, 0));
            last = Some(runs(c, rng, pipeline, from, to));
            day = next;
        }
        let Some(last) = last else { return all };
        c.processing.pipelines[pipeline].to = match word {
            "ended" => End::At(c.processing.runs[last].to),
            "unknown" => End::Unknown,
            _ => End::Never,
        };
        all.push(said(c, DONE, "given-up-pipeline", last, letters, why));
    }
    all
}

fn lost_word(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(run) = a_run(c, rng, USAGE) else { return vec![] };
    c.processing.runs[run].tries[0].result = "";
    let why = "nobody wrote down how it ended, and nothing fired";
    vec![said(c, DONE, "lost-word", run, "n-p", why), said(c, ALARM, "lost-word", run, "n", why)]
}

fn alerted(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (fired, again, letters, why) in [
        (Some(ALERT), HOUR, "p", "failed, and an alert fired fifteen minutes later, to the second"),
        (Some(ALERT + SECOND), HOUR, "d", "failed, and an alert fired a second after the fifteen minutes"),
        (None, HOUR, "d", "failed, nothing fired, and somebody found out an hour later by chance"),
        (None, ALERT, "-", "failed, and tried again: through fifteen minutes later, to the second"),
        (None, ALERT + SECOND, "d", "failed, and tried again: through a second after an alert was due"),
        (Some(-2 * MINUTE), HOUR, "p", "an alert fired while it was failing"),
    ] {
        let Some(run) = a_run(c, rng, USAGE) else { return all };
        let (from, to) =
            (c.processing.runs[run].tries[0].from, c.processing.runs[run].tries[0].from + 5 * MINUTE);
        let alert = fired.map(|after| raised(c, rng, to + after));
        let them = &mut c.processing.runs[run];
        them.tries = vec![
            Try { from, to, result: "failure", alert },
            Try { from: to + 6 * MINUTE, to: to + again, result: "success", alert: None },
        ];
        them.sums[0].at = to + 90 * MINUTE;
        all.push(said(c, ALARM, "alerted", run, letters, why));
    }
    all
}

fn held_in_time(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (Some(0), "ppp", "reconciled in the second in which it was due"),
        (Some(SECOND), "dpp", "reconciled a second after it was due"),
        (None, "d-p", "never reconciled"),
    ] {
        let Some(run) = a_run(c, rng, USAGE) else { return all };
        let them = &mut c.processing.runs[run];
        match late {
            Some(late) => {
                them.sums[0].at = them.due() + HELD + late;
                them.sums[0].came_out = them.sums[0].went_in;
            }
            None => them.sums.clear(),
        }
        all.push(said(c, SAME, "held-in-time", run, letters, why));
    }
    all
}

fn differs(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (missing, settled, who, word, letters, why) in [
        (5, None, "", "", "ppp", "as much is missing as is tolerated"),
        (6, None, "", "", "pdp", "one more is missing than is tolerated, and nobody settled it"),
        (-6, None, "", "", "pdp", "more came out than went in, and nobody settled it"),
        (
            40,
            Some(0),
            "person",
            "double entries",
            "ppp",
            "settled by a person in the last millisecond of the second business day",
        ),
        (
            40,
            Some(SECOND),
            "person",
            "double entries",
            "pdp",
            "settled by a person in the first second after the second business day",
        ),
        (40, Some(-HOUR), "script", "double entries", "pdp", "settled by a script"),
        (40, Some(-HOUR), "person", "", "pjp", "settled by a person, who wrote no word"),
    ] {
        let Some(run) = a_run(c, rng, USAGE) else { return all };
        let at = c.processing.runs[run].sums[0].at;
        let due = c.clock.business_days_after(at, SETTLE);
        let who = if who == "script" { MACHINE } else { rng.below(CORE) };
        let sum = &mut c.processing.runs[run].sums[0];
        sum.came_out = sum.went_in - missing;
        sum.settled = settled.map(|late| (due + late, who, word));
        all.push(said(c, SAME, "differs", run, letters, why));
    }
    all
}

fn delivered_twice(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (how, first, second, why) in [
        ("twice", "ppd", "ppd", "run twice for one day, and handed on twice"),
        ("once", "ppp", "pp-", "run twice for one day, and handed on once"),
        ("instead", "ppp", "ppp", "run again, and what it gave took the place of the first"),
    ] {
        let Some(run) = a_run(c, rng, USAGE) else { return all };
        let Run { from, to, .. } = c.processing.runs[run];
        let again = runs(c, rng, USAGE, from, to);
        let key = c.processing.runs[run].key.clone();
        let them = &mut c.processing.runs[again];
        them.delivered = how != "once";
        them.replaces = (how == "instead").then_some(key);
        all.push(said(c, SAME, "N87", run, first, why));
        all.push(said(c, SAME, "N87", again, second, why));
    }
    all
}

// ---- PI-02

fn checked_in_time(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (Some(0), "pp-", "its input was checked in the second in which it was due"),
        (Some(SECOND), "dp-", "its input was checked a second after it was due"),
        (None, "d--", "its input was never checked"),
    ] {
        let Some(run) = a_run(c, rng, USAGE) else { return all };
        let them = &mut c.processing.runs[run];
        let at = them.due() + late.unwrap_or(0);
        let received = them.inputs[0].received;
        them.inputs = match late {
            Some(_) => vec![Input { at, received, accepted: received, rejected: Some(0), mended: None }],
            None => vec![],
        };
        all.push(said(c, INPUT, "checked-in-time", run, letters, why));
    }
    all
}

fn turned_down(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (lost, rejected, mended, letters, why) in [
        (1, Some(7), Some((7, -HOUR)), "pdp", "one record was neither taken nor turned down"),
        (
            0,
            Some(7),
            Some((7, 0)),
            "ppp",
            "the last one was mended in the last millisecond of the fifth business day",
        ),
        (
            0,
            Some(7),
            Some((7, SECOND)),
            "ppd",
            "the last one was mended in the first second after the fifth business day",
        ),
        (0, Some(7), Some((6, -HOUR)), "ppd", "six of seven were mended"),
        (0, Some(7), None, "ppd", "nobody ever looked at what was turned down"),
        (0, None, None, "pnn", "nobody counted what was turned down"),
    ] {
        let Some(run) = a_run(c, rng, USAGE) else { return all };
        let at = c.processing.runs[run].inputs[0].at;
        let due = c.clock.business_days_after(at, MEND);
        let input = &mut c.processing.runs[run].inputs[0];
        input.accepted = input.received - 7 - lost;
        input.rejected = rejected;
        input.mended = mended.map(|(many, late)| (many, due + late));
        all.push(said(c, INPUT, "turned-down", run, letters, why));
    }
    all
}
