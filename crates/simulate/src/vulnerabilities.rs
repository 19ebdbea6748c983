//! Vulnerabilities, from when they are first seen to when they are gone, accepted or found to be none (VUL-02).

use crate::Case;
use crate::clock::{DAY, SECOND};
use crate::company::{Company, Finding};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Days within which one is dealt with that is first seen then.
fn days(c: &Company, severity: &str, seen: i64) -> i64 {
    match severity {
        "critical" => 7,
        "high" => 30,
        "medium" if policy_changes(c).is_some_and(|from| from <= seen) => SHORTER_DAYS,
        "medium" => 90,
        _ => 180,
    }
}

/// Days for a medium one, once the policy was changed.
pub(crate) const SHORTER_DAYS: i64 = 60;

/// When the policy was changed, if it was.
pub(crate) fn policy_changes(c: &Company) -> Option<i64> {
    c.shape.policy_change.then(|| c.clock.from + i64::from(c.shape.days) * 2 / 5 * DAY)
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    let count = (c.shape.people * 2 + 20) * usize::try_from(c.shape.days).unwrap_or(365) / 365;
    for _ in 0..count {
        let seen = rng.between(c.clock.from, c.clock.to - 1);
        let severity = rng.pick(&["low", "low", "medium", "medium", "medium", "high", "high", "critical"]);
        let finding = found(c, Some(severity), seen);
        let within = days(c, severity, seen) * DAY;
        c.findings[finding].fixed = Some(seen + within / 100 * rng.between(2, 95));
    }
}

pub(crate) fn found(c: &mut Company, severity: Option<&'static str>, seen: i64) -> usize {
    let key = format!("VN-{}", c.findings.len() + 1);
    c.findings.push(Finding {
        key,
        severity,
        seen,
        fixed: None,
        retired: None,
        came_back: vec![],
        rated: vec![],
        accepted: vec![],
        dismissed: vec![],
    });
    c.findings.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("fix-boundary", fix_boundary),
    ("never-fixed", never_fixed),
    ("N73", retired),
    ("acceptance", acceptance),
    ("lapsed", lapsed),
    ("came-back", came_back),
    ("lowered", lowered),
    ("raised", raised),
    ("dismissed", dismissed),
    ("of-no-severity", of_no_severity),
    ("unrated", unrated),
    ("fixed-before-found", fixed_before_found),
    ("seen-before", seen_before),
    ("low-at-the-end", low_at_the_end),
    ("N71", policy_changed),
];

/// One of this severity, with so many days of the period after it was first seen.
fn one(c: &mut Company, rng: &mut Rng, severity: &'static str, tail: i64) -> Option<usize> {
    let seen = c.clock.some_day(rng, 5, tail)?;
    Some(found(c, Some(severity), seen))
}

fn said(c: &Company, case: &'static str, finding: usize, letters: &str, why: &str) -> Seeded {
    seeded(("VUL-02", "vulnerability_remediation", case), &c.findings[finding].key, letters, why)
}

fn somebody(rng: &mut Rng) -> usize {
    rng.below(CORE)
}

fn fix_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (severity, late, letters, why) in [
        ("critical", 0, "p", "fixed in the last instant of its seven days"),
        ("critical", SECOND, "d", "fixed seven days and a second after it was seen"),
        ("high", 0, "p", "fixed in the last instant of its thirty days"),
        ("high", DAY, "d", "fixed on its 31st day"),
        ("medium", -DAY, "p", "fixed a day before its days were over"),
    ] {
        let Some(finding) = one(c, rng, severity, 95) else { return all };
        let seen = c.findings[finding].seen;
        c.findings[finding].fixed = Some(seen + days(c, severity, seen) * DAY + late);
        all.push(said(c, "fix-boundary", finding, letters, why));
    }
    all
}

fn never_fixed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(finding) = one(c, rng, "high", 40) else { return vec![] };
    vec![said(c, "never-fixed", finding, "d", "still open, long after its thirty days")]
}

fn retired(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (20, "p", "never fixed: what it was found in was taken out of service on the twentieth day"),
        (45, "d", "what it was found in was taken out of service on the 45th day, and thirty are allowed"),
    ] {
        let Some(finding) = one(c, rng, "high", 50) else { return all };
        c.findings[finding].retired = Some(c.findings[finding].seen + after * DAY);
        all.push(said(c, "N73", finding, letters, why));
    }
    all
}

fn acceptance(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, machine, reason, letters, why) in [
        (
            29,
            false,
            "not reachable from outside",
            "p",
            "accepted by a named person before its thirty days were over",
        ),
        (42, false, "no fix from the maker", "d", "accepted on day 42: the breach was on day thirty"),
        (5, true, "matched a rule", "d", "accepted by a script: no person took the risk"),
        (5, false, "", "j", "accepted in time, and nobody wrote why"),
    ] {
        let Some(finding) = one(c, rng, "high", 50) else { return all };
        let by = if machine { MACHINE } else { somebody(rng) };
        let until = c.clock.cutoff + 200 * DAY;
        let at = c.findings[finding].seen + after * DAY;
        c.findings[finding].accepted.push((at, by, until, reason));
        all.push(said(c, "acceptance", finding, letters, why));
    }
    all
}

fn lapsed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (renewed, letters, why) in [
        (Some(-1), "p", "accepted twice, the second time a day before the first ran out"),
        (Some(3), "d", "accepted again three days after the first acceptance had run out"),
        (None, "d", "its acceptance ran out, and it is still open"),
    ] {
        let Some(finding) = one(c, rng, "high", 120) else { return all };
        let seen = c.findings[finding].seen;
        let (first, second) = (somebody(rng), somebody(rng));
        let over = seen + 80 * DAY;
        c.findings[finding].accepted.push((seen + 10 * DAY, first, over, "waits for the next release"));
        if let Some(days) = renewed {
            let until = c.clock.cutoff + 90 * DAY;
            c.findings[finding].accepted.push((over + days * DAY, second, until, "waits for the one after"));
        }
        all.push(said(c, "lapsed", finding, letters, why));
    }
    all
}

fn came_back(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (fixed, letters, why) in [
        (Some(25), "p", "fixed, back on day twenty, and fixed for good on day 25 of thirty"),
        (
            Some(40),
            "d",
            "fixed, back on day twenty, and fixed for good on day forty: its clock had not stopped",
        ),
        (None, "d", "fixed on the second day, back on day twenty, and open since"),
    ] {
        let Some(finding) = one(c, rng, "high", 50) else { return all };
        let seen = c.findings[finding].seen;
        c.findings[finding].came_back.push(seen + 20 * DAY);
        c.findings[finding].fixed = fixed.map(|day| seen + day * DAY);
        all.push(said(c, "came-back", finding, letters, why));
    }
    all
}

fn lowered(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, machine, reason, letters, why) in [
        (
            3,
            false,
            "needs a login that nobody outside has",
            "p",
            "lowered by a named person on day three, fixed in the days of a medium one",
        ),
        (
            9,
            false,
            "needs a login that nobody outside has",
            "d",
            "lowered on day nine, when its seven days were over",
        ),
        (3, true, "feed changed", "d", "lowered by a scanner: no person lifted the deadline"),
        (3, false, "", "j", "lowered in time, and nobody wrote why"),
    ] {
        let Some(finding) = one(c, rng, "critical", 50) else { return all };
        let seen = c.findings[finding].seen;
        let by = if machine { MACHINE } else { somebody(rng) };
        c.findings[finding].rated.push(("medium", seen + after * DAY, by, reason));
        c.findings[finding].fixed = Some(seen + 40 * DAY);
        all.push(said(c, "lowered", finding, letters, why));
    }
    all
}

fn raised(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (6, "p", "a low one, found to be critical on day sixty, and fixed six days later"),
        (8, "d", "a low one, found to be critical on day sixty, and fixed eight days later"),
    ] {
        let Some(finding) = one(c, rng, "low", 90) else { return all };
        let seen = c.findings[finding].seen;
        let by = somebody(rng);
        c.findings[finding].rated.push(("critical", seen + 60 * DAY, by, "it is being used by attackers"));
        c.findings[finding].fixed = Some(seen + (60 + after) * DAY);
        all.push(said(c, "raised", finding, letters, why));
    }
    all
}

fn dismissed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (machine, reason, letters, why) in [
        (
            false,
            "the package is only built, never shipped",
            "-",
            "found to be none by a named person, with the reason",
        ),
        (true, "matched a rule", "d", "dismissed by a script, and open since"),
        (false, "", "j", "dismissed in time, and nobody wrote why"),
    ] {
        let Some(finding) = one(c, rng, "high", 50) else { return all };
        let by = if machine { MACHINE } else { somebody(rng) };
        let at = c.findings[finding].seen + 6 * DAY;
        c.findings[finding].dismissed.push((at, by, reason));
        all.push(said(c, "dismissed", finding, letters, why));
    }
    all
}

fn of_no_severity(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(finding) = one(c, rng, "none", 40) else { return vec![] };
    vec![said(c, "of-no-severity", finding, "-", "rated as none: there is no day by which it is to be fixed")]
}

fn unrated(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(finding) = one(c, rng, "high", 40) else { return vec![] };
    c.findings[finding].severity = None;
    c.findings[finding].fixed = Some(c.findings[finding].seen + 8 * DAY);
    let why =
        "nobody rated it, and it was fixed on day eight: too late for a critical one, in time for any other";
    vec![said(c, "unrated", finding, "n", why)]
}

fn fixed_before_found(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(finding) = one(c, rng, "high", 50) else { return vec![] };
    c.findings[finding].fixed = Some(c.findings[finding].seen - DAY);
    let why = "fixed a day before it was seen: one of the two clocks is wrong, and nothing says which";
    vec![said(c, "N97", finding, "n", why)]
}

fn seen_before(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let finding = found(c, Some("critical"), c.clock.from - DAY);
    c.findings[finding].fixed = Some(c.clock.from + 30 * DAY);
    let why = "first seen a day before the period: late as it was, it belongs to the period before";
    vec![said(c, "seen-before", finding, "absent", why)]
}

fn low_at_the_end(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let finding = found(c, Some("low"), c.clock.to - 20 * DAY);
    vec![said(
        c,
        "low-at-the-end",
        finding,
        "y",
        "a low one of the last weeks: its 180 days go on beyond the last fact",
    )]
}

fn policy_changed(c: &mut Company, _: &mut Rng) -> Vec<Seeded> {
    let Some(from) = policy_changes(c) else { return vec![] };
    let mut all = vec![];
    for (seen, letters, why) in [
        (
            from - 12 * DAY,
            "p",
            "seen before the policy allowed medium ones fewer days, and fixed in the days it had then",
        ),
        (
            from + 12 * DAY,
            "d",
            "seen after the policy allowed medium ones fewer days, and fixed in those it had before",
        ),
    ] {
        let fixed = seen + 80 * DAY;
        if fixed < c.clock.cutoff {
            let finding = found(c, Some("medium"), seen);
            c.findings[finding].fixed = Some(fixed);
            all.push(said(c, "N71", finding, letters, why));
        }
    }
    all
}
