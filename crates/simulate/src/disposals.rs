//! What leaves for good: media (END-03), outputs for customers (PI-06), and personal data where they must not be (AI-04).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, End};
use crate::consents::given;
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Days within which what was delivered is read again, and in which personal data that were found are removed.
const READ: i64 = 31;
const REMOVED: i64 = 30;

#[derive(Clone, Debug, Default)]
pub(crate) struct Disposals {
    pub(crate) media: Vec<Medium>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) findings: Vec<Found>,
}

#[derive(Clone, Debug)]
pub(crate) struct Medium {
    pub(crate) key: String,
    pub(crate) at: i64,
    pub(crate) held: Option<bool>,
    pub(crate) wiped: End,
    pub(crate) method: &'static str,
    pub(crate) certificate: &'static str,
    pub(crate) by: Option<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) key: String,
    pub(crate) at: i64,
    pub(crate) customer: String,
    pub(crate) recipient: String,
    pub(crate) digest: String,
    /// When it was read again, and what its digest was.
    pub(crate) looks: Vec<(i64, String)>,
}

/// Personal data that were found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) key: String,
    pub(crate) place: &'static str,
    pub(crate) at: i64,
    pub(crate) removed: End,
    pub(crate) ground: &'static str,
    pub(crate) consent: String,
    pub(crate) judged: Option<i64>,
    pub(crate) judge: Option<usize>,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..c.shape.days / 20 {
        let at = rng.between(c.clock.from, c.clock.to - 1);
        left(c, rng, at);
    }
    for _ in 0..c.shape.days / 6 {
        let at = rng.between(c.clock.from, c.clock.to - 1);
        delivered(c, rng, at);
    }
    for _ in 0..c.shape.days / 12 {
        let at = rng.between(c.clock.from, c.clock.to - 1);
        found(c, rng, at);
    }
}

/// A medium that was made unreadable some days before, with a certificate or by a named person.
fn left(c: &mut Company, rng: &mut Rng, at: i64) -> usize {
    let key = format!("medium-{}", c.disposals.media.len() + 1);
    let shredded = rng.chance(40);
    let (method, certificate) = if shredded { ("shredded", "kept") } else { ("overwritten", "none") };
    let wiped = End::At(at - rng.between(0, 200) * HOUR);
    let by = (!shredded).then(|| rng.below(CORE));
    c.disposals.media.push(Medium { key, at, held: Some(true), wiped, method, certificate, by });
    c.disposals.media.len() - 1
}

/// An output that went to its owner, and was found unchanged some weeks later, twice.
fn delivered(c: &mut Company, rng: &mut Rng, at: i64) -> usize {
    let key = format!("output-{}", c.disposals.deliveries.len() + 1);
    let customer = format!("customer-{}", rng.between(1, 30));
    let digest = format!("sha256:{key}");
    let first = at + rng.between(1, 28) * DAY;
    let looks = vec![(first, digest.clone()), (first + rng.between(20, 60) * DAY, digest.clone())];
    c.disposals.deliveries.push(Delivery { key, at, recipient: customer.clone(), customer, digest, looks });
    c.disposals.deliveries.len() - 1
}

/// Personal data that were removed within the month, or of which somebody found why they may be there.
fn found(c: &mut Company, rng: &mut Rng, at: i64) -> usize {
    let key = format!("found-{}", c.disposals.findings.len() + 1);
    let place = rng.pick(&["prompt", "log", "log", "training_data"]);
    let days = rng.between(1, 28) * DAY;
    let mut them = Found {
        key,
        place,
        at,
        removed: End::At(at + days),
        ground: "none",
        consent: String::new(),
        judged: None,
        judge: None,
    };
    if rng.chance(20) {
        (them.removed, them.ground) = (End::Never, "contract");
        (them.judged, them.judge) = (Some(at + days), Some(rng.below(CORE)));
    }
    c.disposals.findings.push(them);
    c.disposals.findings.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("medium-wiped", wiped),
    ("medium-method", method),
    ("output-whose", whose),
    ("output-changed", changed),
    ("found-removed", removed),
    ("found-ground", ground),
    ("found-consent", consent),
];

// ---- END-03

fn of_medium(c: &Company, case: &'static str, place: usize, letters: &str, why: &str) -> Seeded {
    seeded(("END-03", "media_disposed", case), &c.disposals.media[place].key, letters, why)
}

fn a_medium(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 2, 2)?;
    let place = left(c, rng, at);
    let them = &mut c.disposals.media[place];
    (them.method, them.certificate, them.by) = ("overwritten", "none", Some(0));
    Some(place)
}

fn wiped(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, held, letters, why) in [
        (End::At(0), Some(true), "ppp", "overwritten in the instant in which it left"),
        (End::At(SECOND), Some(true), "dpp", "overwritten a second after it left"),
        (End::Never, Some(true), "dpp", "left with everything on it"),
        (End::Unknown, Some(true), "npp", "nobody says whether it was overwritten"),
        (End::Never, Some(false), "---", "a screen, which holds nothing"),
        (End::Never, None, "npp", "never overwritten, and nobody says whether it held anything"),
    ] {
        let Some(place) = a_medium(c, rng) else { return all };
        let them = &mut c.disposals.media[place];
        them.held = held;
        them.wiped = match after {
            End::At(after) => End::At(them.at + after),
            other => other,
        };
        all.push(of_medium(c, "medium-wiped", place, letters, why));
    }
    all
}

fn method(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (method, certificate, by, letters, why) in [
        ("none", "none", Some(0), "pdp", "nobody wrote down how, as the register says"),
        ("", "none", Some(0), "pnp", "the register does not say how"),
        ("overwritten", "none", Some(MACHINE), "ppd", "overwritten by a script, without a certificate"),
        ("overwritten", "C-12", Some(MACHINE), "ppp", "overwritten by a script, with a certificate"),
        ("overwritten", "", None, "ppn", "the register says nothing of who did it, or of a certificate"),
    ] {
        let Some(place) = a_medium(c, rng) else { return all };
        let them = &mut c.disposals.media[place];
        (them.method, them.certificate, them.by) = (method, certificate, by);
        all.push(of_medium(c, "medium-method", place, letters, why));
    }
    all
}

// ---- PI-06

fn of_output(c: &Company, case: &'static str, place: usize, letters: &str, why: &str) -> Seeded {
    seeded(("PI-06", "outputs_intact", case), &c.disposals.deliveries[place].key, letters, why)
}

fn an_output(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 2, 35)?;
    Some(delivered(c, rng, at))
}

fn whose(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (recipient, letters, why) in
        [("customer-99", "dp", "it went to another customer"), ("", "np", "nobody says to whom it went")]
    {
        let Some(place) = an_output(c, rng) else { return all };
        c.disposals.deliveries[place].recipient = recipient.to_owned();
        all.push(of_output(c, "output-whose", place, letters, why));
    }
    all
}

fn changed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (what, letters, why) in [
        ("changed", "pd", "found to be something else a month later"),
        ("mended", "pd", "found to be something else, and put right before the next look"),
        ("gone", "pd", "found to be gone"),
        ("last day", "pp", "read again thirty-one days later, to the second"),
        ("late", "pn", "read again thirty-one days and a second later, and never before"),
        ("never", "pn", "never read again"),
        ("no digest", "pn", "nobody recorded its digest when it went"),
        ("twice in time", "pp", "read again twice in an hour"),
    ] {
        let Some(place) = an_output(c, rng) else { return all };
        let them = &mut c.disposals.deliveries[place];
        let (at, digest) = (them.at, them.digest.clone());
        let other = "sha256:other".to_owned();
        match what {
            "changed" => them.looks = vec![(at + DAY, digest), (at + 30 * DAY, other)],
            "mended" => them.looks = vec![(at + DAY, other), (at + 2 * DAY, digest)],
            "gone" => them.looks = vec![(at + DAY, "none".to_owned())],
            "last day" => them.looks = vec![(at + READ * DAY, digest)],
            "late" => them.looks = vec![(at + READ * DAY + SECOND, digest)],
            "never" => them.looks.clear(),
            "no digest" => them.digest.clear(),
            _ => them.looks = vec![(at + DAY, digest.clone()), (at + DAY + HOUR, digest)],
        }
        all.push(of_output(c, "output-changed", place, letters, why));
    }
    all
}

// ---- AI-04

fn of_found(c: &Company, case: &'static str, place: usize, letters: &str, why: &str) -> Seeded {
    seeded(("AI-04", "personal_data_removed", case), &c.disposals.findings[place].key, letters, why)
}

/// Something that was found and is still there.
fn a_finding(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 2, 35)?;
    let place = found(c, rng, at);
    let them = &mut c.disposals.findings[place];
    (them.removed, them.ground, them.judged, them.judge) = (End::Never, "none", None, None);
    Some(place)
}

fn removed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, ground, letters, why) in [
        (End::At(REMOVED * DAY), "none", "p", "removed thirty days later, to the second"),
        (End::At(REMOVED * DAY + SECOND), "none", "d", "removed thirty days and a second later"),
        (End::Never, "none", "d", "never removed, and nothing allows it"),
        (End::Unknown, "none", "n", "nobody says whether it was removed"),
        (End::Never, "", "n", "never removed, and the register does not say on which ground"),
    ] {
        let Some(place) = a_finding(c, rng) else { return all };
        let them = &mut c.disposals.findings[place];
        them.ground = ground;
        them.removed = match after {
            End::At(after) => End::At(them.at + after),
            other => other,
        };
        all.push(of_found(c, "found-removed", place, letters, why));
    }
    all
}

fn ground(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (ground, after, who, letters, why) in [
        ("law", Some(REMOVED * DAY), Some(0), "p", "a ground was found on the thirtieth day, to the second"),
        ("law", Some(REMOVED * DAY + SECOND), Some(0), "d", "a ground was found a second too late"),
        ("not_personal", Some(DAY), Some(0), "-", "a named person found that they are none"),
        ("not_personal", Some(DAY), Some(MACHINE), "d", "a script found that they are none"),
        ("contract", Some(DAY), None, "j", "nobody knows who found a ground"),
        ("contract", None, Some(0), "n", "nobody knows when the ground was found"),
    ] {
        let Some(place) = a_finding(c, rng) else { return all };
        let them = &mut c.disposals.findings[place];
        (them.ground, them.judged, them.judge) = (ground, after.map(|after| them.at + after), who);
        all.push(of_found(c, "found-ground", place, letters, why));
    }
    all
}

fn consent(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (Some(SECOND), "p", "with a consent that was taken back a second after it was found"),
        (Some(0), "d", "with a consent that was taken back in the instant in which it was found"),
        (None, "d", "with a consent that was given a second after it was found"),
    ] {
        let Some(place) = a_finding(c, rng) else { return all };
        let at = c.disposals.findings[place].at;
        let yes = given(c, rng, after.map_or(at + SECOND, |_| at - 9 * DAY));
        if let Some(after) = after {
            let them = &mut c.consents.given[yes];
            (them.taken_back, them.ended) = (End::At(at + after), End::At(at + HOUR));
        }
        let key = c.consents.given[yes].key.clone();
        let them = &mut c.disposals.findings[place];
        (them.ground, them.consent) = ("consent", key);
        (them.judged, them.judge) = (Some(at + DAY), Some(0));
        all.push(of_found(c, "found-consent", place, letters, why));
    }
    all
}
