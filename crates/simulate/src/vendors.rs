//! Vendors and their reviews (VEN-02, VEN-03).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, End, Vendor, VendorReview};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Days after which a vendor of a tier is reviewed again.
fn days(tier: &str) -> i64 {
    match tier {
        "critical" | "high" => 365,
        "medium" => 730,
        _ => 1_095,
    }
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..8 + c.shape.people / 12 {
        let tier = rng.pick(&["critical", "high", "medium", "medium", "low"]);
        let from = c.clock.from - rng.between(500, 2_000) * DAY;
        used(c, rng, tier, from);
    }
}

/// A vendor who is used since then, reviewed before and ever since, whose reports speak for all of the period.
pub(crate) fn used(c: &mut Company, rng: &mut Rng, tier: &'static str, from: i64) -> usize {
    let first =
        rng.pick(&["Alder", "Birch", "Cedar", "Elm", "Fern", "Hazel", "Juniper", "Larch", "Maple", "Rowan"]);
    let second = rng.pick(&["mail", "pay", "host", "desk", "scan", "store", "call", "sign", "stats", "maps"]);
    let number = c.vendors.len() + 1;
    let key = format!("{}{second}-{number}", first.to_lowercase());
    let mut vendor = Vendor { key, tier, from, to: End::Never, reviews: vec![], letters: vec![] };
    let every = days(tier);
    let grave = matches!(tier, "critical" | "high");
    // A report a year, each to the same day; the last one ends some weeks before the period does.
    let last_report = c.clock.to - rng.between(60, 85) * DAY;
    // The newest review reads it, about a month later; the ones before lie not quite as far apart as the tier allows.
    let mut done = last_report + rng.between(20, 50) * DAY;
    let mut place = 0;
    loop {
        let to = last_report - place * 364 * DAY;
        let about = grave.then_some((to - 365 * DAY, to));
        let report = if grave { "soc2_type2" } else { rng.pick(&["iso27001", "questionnaire"]) };
        let opinion = if grave { "unqualified" } else { "none" };
        let mapped = grave.then_some(true);
        let by = rng.below(CORE);
        vendor.reviews.push(VendorReview { done, by, report, about, opinion, assessed: None, mapped });
        if done < from || done < c.clock.kept_since {
            break;
        }
        place += 1;
        done -= if grave { 364 } else { rng.between(every / 2, every - 5) } * DAY;
    }
    vendor.reviews.reverse();
    c.vendors.push(vendor);
    c.vendors.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("never-reviewed", never_reviewed),
    ("interval-boundary", interval_boundary),
    ("used-before-review", used_before_review),
    ("N92", report_too_old),
    ("N93", exceptions),
    ("not-mapped", not_mapped),
    ("ended-in-time", ended_in_time),
    ("ended-before", ended_before),
    ("by-a-script", by_a_script),
    ("nothing-read", nothing_read),
    ("letters", letters_go_on),
    ("no-such-report", no_such_report),
];

fn said(
    c: &Company,
    control: &'static str,
    case: &'static str,
    vendor: usize,
    letters: &str,
    why: &str,
) -> Seeded {
    seeded((control, "vendor_review", case), &c.vendors[vendor].key, letters, why)
}

pub(crate) fn long_used(c: &mut Company, rng: &mut Rng, tier: &'static str) -> usize {
    let from = c.clock.from - 1_000 * DAY;
    used(c, rng, tier, from)
}

fn a_review(c: &Company, rng: &mut Rng, done: i64, report: &'static str) -> VendorReview {
    let by = rng.below(CORE);
    debug_assert!(done <= c.clock.cutoff);
    VendorReview { done, by, report, about: None, opinion: "none", assessed: None, mapped: None }
}

fn never_reviewed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let vendor = long_used(c, rng, "medium");
    c.vendors[vendor].reviews.clear();
    vec![
        said(c, "VEN-03", "never-reviewed", vendor, "-d--", "used for years, and never reviewed")
            .last_day("-d--"),
    ]
}

fn interval_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "-ppp", "reviewed again 365 days later, to the second"),
        (SECOND, "-dpp", "reviewed again 365 days and a second later"),
        (30 * DAY, "-dpp", "reviewed again a month after the year was over"),
    ] {
        let vendor = long_used(c, rng, "critical");
        // The last review but one moves back.
        let reviews = &mut c.vendors[vendor].reviews;
        let Some(last) = reviews.last().map(|r| r.done) else { return all };
        let before = last - 365 * DAY - late;
        for (place, review) in (0..).zip(reviews.iter_mut().rev().skip(1)) {
            review.done = before - place * 300 * DAY;
        }
        let due = before + 365 * DAY;
        if due >= c.clock.to || last > c.clock.to {
            c.vendors.pop();
            continue;
        }
        all.push(said(c, "VEN-03", "interval-boundary", vendor, letters, why).last_day("-ppp"));
    }
    all
}

fn used_before_review(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (-HOUR, "pp-p", "reviewed an hour before it was first used"),
        (15 * DAY, "dd-p", "first used two weeks before anybody reviewed it"),
    ] {
        let Some(from) = c.clock.some_day(rng, 20, 40) else { return all };
        let vendor = long_used(c, rng, "medium");
        c.vendors[vendor].from = from;
        c.vendors[vendor].reviews = vec![a_review(c, rng, from + after, "questionnaire")];
        all.push(said(c, "VEN-02", "used-before-review", vendor, letters, why).last_day("-p-p"));
    }
    all
}

fn report_too_old(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let vendor = long_used(c, rng, "critical");
    let to = c.clock.from - 93 * DAY;
    let read = c.clock.from - 10 * DAY;
    let again = (read + 364 * DAY).min(c.clock.to - DAY);
    let mut review = a_review(c, rng, read, "soc2_type2");
    (review.about, review.opinion, review.mapped) = (Some((to - 365 * DAY, to)), "unqualified", Some(true));
    let mut second = review.clone();
    second.done = again;
    c.vendors[vendor].reviews = vec![review, second];
    let why = "the newest report ended three months before the period, and no letter goes on: it speaks for none of it";
    vec![said(c, "VEN-03", "N92", vendor, "-pjp", why).last_day("-pjp")]
}

fn exceptions(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (assessed, letters, why) in [
        (true, "-ppp", "the report is qualified, and what that means here was weighed in writing"),
        (false, "-ppd", "the report is qualified, and nobody weighed what that means here"),
    ] {
        let vendor = long_used(c, rng, "critical");
        if let Some(review) = c.vendors[vendor].reviews.last_mut() {
            (review.opinion, review.assessed) = ("qualified", Some(assessed));
        }
        all.push(said(c, "VEN-03", "N93", vendor, letters, why).last_day(letters));
    }
    all
}

fn not_mapped(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let vendor = long_used(c, rng, "high");
    if let Some(review) = c.vendors[vendor].reviews.last_mut() {
        review.mapped = Some(false);
    }
    let why = "what the report asks of its users was never laid beside the company's own controls";
    vec![said(c, "VEN-03", "not-mapped", vendor, "-ppd", why).last_day("-ppd")]
}

fn ended_in_time(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (ended, letters, why) in [
        (
            true,
            "-p-p",
            "last reviewed 720 days before the period; its use ended the day before the next was due",
        ),
        (
            false,
            "-d-.",
            "last reviewed 720 days before the period, due ten days into it, and used ever since",
        ),
    ] {
        let vendor = long_used(c, rng, "medium");
        let done = c.clock.from - 720 * DAY;
        c.vendors[vendor].reviews = vec![a_review(c, rng, done, "questionnaire")];
        if ended {
            c.vendors[vendor].to = End::At(c.clock.from + 9 * DAY);
        }
        let said = said(c, "VEN-03", "ended-in-time", vendor, letters, why);
        all.push(if ended { said } else { said.last_day("-d-.") });
    }
    all
}

fn ended_before(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let vendor = long_used(c, rng, "critical");
    c.vendors[vendor].reviews.clear();
    c.vendors[vendor].to = End::At(c.clock.from - DAY);
    let why = "never reviewed, and not used any more when the period began";
    vec![said(c, "VEN-03", "ended-before", vendor, "absent", why)]
}

fn by_a_script(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let vendor = long_used(c, rng, "medium");
    for review in &mut c.vendors[vendor].reviews {
        review.by = MACHINE;
    }
    let why = "a script fills in the register every year; no named person ever reviewed it";
    vec![said(c, "VEN-03", "by-a-script", vendor, "-d-.", why).last_day("-d-.")]
}

fn nothing_read(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let vendor = long_used(c, rng, "low");
    for review in &mut c.vendors[vendor].reviews {
        review.report = "none";
    }
    let why = "ticked off every time, with nothing read";
    vec![said(c, "VEN-03", "nothing-read", vendor, "-d-.", why).last_day("-d-.")]
}

fn letters_go_on(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let vendor = long_used(c, rng, "critical");
    let them = &mut c.vendors[vendor];
    // The newest report ends five months before the period does; two letters of ninety days go on.
    let Some(last) = them.reviews.last_mut() else { return vec![] };
    let end = c.clock.to - 150 * DAY;
    last.about = Some((end - 400 * DAY, end));
    them.letters = vec![(end, end + 90 * DAY), (end + 90 * DAY, end + 175 * DAY)];
    let why =
        "the report ends five months early, and two letters of less than three months each go on to the end";
    vec![said(c, "VEN-03", "letters", vendor, "-ppp", why).last_day("-ppp")]
}

fn no_such_report(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let vendor = long_used(c, rng, "critical");
    for review in &mut c.vendors[vendor].reviews {
        (review.report, review.about, review.opinion, review.mapped) = ("questionnaire", None, "none", None);
    }
    let why = "a critical vendor who only answers questions: no report speaks for any time";
    vec![said(c, "VEN-03", "no-such-report", vendor, "-pdp", why).last_day("-pdp")]
}
