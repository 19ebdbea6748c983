//! Who said yes to what, under which notice, and whether a no was heard (PRV-02).

use crate::Case;
use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::company::{Company, End};
use crate::notices::{self, CUSTOMERS};
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Within how long the use ends after a yes was taken back.
const HEARD: i64 = 24 * HOUR;

#[derive(Clone, Debug, Default)]
pub(crate) struct Consents {
    pub(crate) given: Vec<Yes>,
}

#[derive(Clone, Debug)]
pub(crate) struct Yes {
    pub(crate) key: String,
    pub(crate) purpose: &'static str,
    pub(crate) notice: String,
    pub(crate) at: i64,
    pub(crate) collected: Option<i64>,
    pub(crate) taken_back: End,
    pub(crate) ended: End,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..c.shape.days / 4 {
        let at = rng.between(c.clock.from - 200 * DAY, c.clock.to - 1);
        let yes = given(c, rng, at);
        if rng.chance(20) {
            let back = at + rng.between(1, 300) * DAY;
            let them = &mut c.consents.given[yes];
            (them.taken_back, them.ended) = (End::At(back), End::At(back + rng.between(0, 23 * 60) * MINUTE));
        }
    }
}

/// A yes as it should be.
pub(crate) fn given(c: &mut Company, rng: &mut Rng, at: i64) -> usize {
    let notice =
        c.notices.versions.iter().rfind(|v| v.notice == CUSTOMERS && v.from <= at).map(|v| v.key.clone());
    let key = format!("yes-{}", c.consents.given.len() + 1);
    let purpose = rng.pick(&["newsletter", "statistics", "research", "calls"]);
    let collected = Some(at + rng.between(0, 600) * SECOND);
    let notice = notice.unwrap_or_default();
    c.consents.given.push(Yes {
        key,
        purpose,
        notice,
        at,
        collected,
        taken_back: End::Never,
        ended: End::Never,
    });
    c.consents.given.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("consent-recorded", recorded),
    ("consent-first", first),
    ("consent-taken-back", taken_back),
    ("consent-older", older),
];

fn said(c: &Company, case: &'static str, yes: usize, letters: &str, why: &str) -> Seeded {
    seeded(("PRV-02", "consent_honoured", case), &c.consents.given[yes].key, letters, why)
}

fn a_yes(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 2, 8)?;
    Some(given(c, rng, at))
}

fn recorded(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (what, letters, why) in [
        ("purpose", "dp-", "nobody wrote down what for, as the register says"),
        ("no purpose", "np-", "the register does not say what for"),
        ("notice", "np-", "nobody says which notice they saw"),
        ("unpublished", "dp-", "they are said to have seen a notice that was published a second later"),
        ("at once", "pp-", "they saw a notice that was published in that instant"),
        ("old", "np-", "they saw an old notice, and nobody knows until when it was published"),
    ] {
        let Some(yes) = a_yes(c, rng) else { return all };
        let at = c.consents.given[yes].at;
        let key = format!("notice-of-{}", c.consents.given[yes].key);
        let published = match what {
            "unpublished" => Some((at + SECOND, End::Never)),
            "at once" => Some((at, End::Never)),
            "old" => Some((at - 90 * DAY, End::Unknown)),
            _ => None,
        };
        if let Some((from, to)) = published {
            let version = notices::published(c, key.clone(), from + 20 * DAY);
            let them = &mut c.notices.versions[version];
            (them.changes, them.to) = (Some(false), to);
            if to == End::Unknown {
                let why = "nobody knows until when it was published";
                all.push(notices::said(c, "notice-until", version, "nn", why).last_day("nn"));
            }
            c.consents.given[yes].notice = key;
        }
        let them = &mut c.consents.given[yes];
        match what {
            "purpose" => them.purpose = "none",
            "no purpose" => them.purpose = "",
            "notice" => them.notice.clear(),
            _ => {}
        }
        all.push(said(c, "consent-recorded", yes, letters, why));
    }
    all
}

fn first(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (Some(0), "pp-", "collected in the instant in which they said yes"),
        (Some(-SECOND), "pd-", "collected a second before they said yes"),
        (None, "pn-", "nobody knows whether anything was collected yet"),
    ] {
        let Some(yes) = a_yes(c, rng) else { return all };
        let them = &mut c.consents.given[yes];
        them.collected = after.map(|after| them.at + after);
        all.push(said(c, "consent-first", yes, letters, why));
    }
    all
}

fn taken_back(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (ended, letters, why) in [
        (End::At(HEARD), "ppp", "the use ended 24 hours after it was taken back, to the second"),
        (End::At(HEARD + SECOND), "ppd", "the use ended 24 hours and a second after it was taken back"),
        (End::Never, "ppd", "taken back, and the use goes on"),
        (End::Unknown, "ppn", "taken back, and nobody says whether the use ended"),
        (End::At(-DAY), "ppp", "the use had ended a day before it was taken back"),
    ] {
        let Some(yes) = a_yes(c, rng) else { return all };
        let them = &mut c.consents.given[yes];
        let back = them.at + 3 * DAY;
        let ended = match ended {
            End::At(after) => End::At(back + after),
            other => other,
        };
        (them.taken_back, them.ended) = (End::At(back), ended);
        all.push(said(c, "consent-taken-back", yes, letters, why));
    }
    let Some(yes) = a_yes(c, rng) else { return all };
    c.consents.given[yes].taken_back = End::Unknown;
    all.push(said(c, "consent-taken-back", yes, "ppn", "nobody can say whether it was taken back"));
    all
}

fn older(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some(back) = c.clock.some_day(rng, 2, 8) else { return all };
    for (back, letters, why) in [
        (End::At(back), "--d", "given before the period and taken back in it, and the use goes on"),
        (
            End::At(c.clock.from - SECOND),
            "absent",
            "given and taken back before the period, and the use goes on",
        ),
        (End::Never, "absent", "given before the period, without a purpose, and never taken back"),
    ] {
        let at = c.clock.from - 30 * DAY;
        let yes = given(c, rng, at);
        let them = &mut c.consents.given[yes];
        them.taken_back = back;
        if back == End::Never {
            them.purpose = "none";
        }
        all.push(said(c, "consent-older", yes, letters, why));
    }
    all
}
