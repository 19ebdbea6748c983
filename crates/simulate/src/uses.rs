//! What personal data are used for (PRV-03), and to whom they go (PRV-05).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, End};
use crate::consents::given;
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// Days within which somebody goes through each use; days within which a disclosure is written down.
const READ: i64 = 365;
const RECORDED: i64 = 30;

#[derive(Clone, Debug, Default)]
pub(crate) struct Uses {
    pub(crate) uses: Vec<Use>,
    pub(crate) disclosures: Vec<Disclosure>,
}

#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) key: String,
    pub(crate) purpose: &'static str,
    pub(crate) ground: &'static str,
    pub(crate) fields: Option<i64>,
    pub(crate) risky: Option<bool>,
    pub(crate) from: i64,
    pub(crate) to: End,
    pub(crate) looks: Vec<(i64, usize)>,
    /// When it was assessed, by whom, and what came of it.
    pub(crate) weighed: Vec<(i64, Option<usize>, &'static str)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Disclosure {
    pub(crate) key: String,
    pub(crate) at: i64,
    pub(crate) to: To,
    pub(crate) ground: &'static str,
    /// The consent, the contract or the law.
    pub(crate) by: String,
    pub(crate) decided: End,
    pub(crate) decider: Option<usize>,
    pub(crate) recorded: Option<i64>,
}

/// Who got them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum To {
    Vendor(String),
    Authority(&'static str),
    NobodySays,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for _ in 0..9 {
        let from = c.clock.from - rng.between(200, 1_500) * DAY;
        begun(c, rng, from);
    }
    for _ in 0..3 {
        let Some(at) = c.clock.some_day(rng, 2, 2) else { break };
        let place = begun(c, rng, at);
        let risky = rng.chance(50);
        let weighed = (at - rng.between(3, 60) * DAY, Some(rng.below(CORE)), "may_begin");
        let them = &mut c.data_uses.uses[place];
        them.risky = Some(risky);
        them.weighed.extend(risky.then_some(weighed));
    }
}

/// A use as it should be, gone through within each year.
fn begun(c: &mut Company, rng: &mut Rng, from: i64) -> usize {
    let mut looks = vec![];
    let mut at = from.max(c.clock.kept_since + 60 * DAY) + rng.between(50, 300) * DAY;
    while at <= c.clock.cutoff {
        looks.push((at, rng.below(CORE)));
        at += rng.between(200, 350) * DAY;
    }
    let key = format!("use-{}", c.data_uses.uses.len() + 1);
    let purpose = rng.pick(&["payment", "support", "security", "payroll"]);
    let ground = rng.pick(&["contract", "contract", "legal_duty", "legitimate_interest"]);
    let fields = Some(rng.between(2, 30));
    let (risky, to, weighed) = (Some(false), End::Never, vec![]);
    c.data_uses.uses.push(Use { key, purpose, ground, fields, risky, from, to, looks, weighed });
    c.data_uses.uses.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] =
    &[("use-registered", registered), ("use-read", read), ("use-assessed", assessed), ("use-over", over)];

fn of_use(c: &Company, case: &'static str, place: usize, letters: &str, why: &str) -> Seeded {
    seeded(("PRV-03", "data_uses_assessed", case), &c.data_uses.uses[place].key, letters, why)
}

fn a_use(c: &mut Company, rng: &mut Rng) -> usize {
    let from = c.clock.from - rng.between(500, 900) * DAY;
    begun(c, rng, from)
}

fn registered(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (what, letters, why) in [
        ("purpose", "dp-", "nobody wrote down what for, as the register says"),
        ("ground", "dp-", "there is no legal ground, as the register says"),
        ("fields", "dp-", "the register lists none of its data"),
        ("no ground", "np-", "the register does not say on which ground"),
        ("no fields", "np-", "the register does not say which data it takes"),
    ] {
        let place = a_use(c, rng);
        let them = &mut c.data_uses.uses[place];
        match what {
            "purpose" => them.purpose = "none",
            "ground" => them.ground = "none",
            "fields" => them.fields = Some(0),
            "no ground" => them.ground = "",
            _ => them.fields = None,
        }
        all.push(of_use(c, "use-registered", place, letters, why).last_day(letters));
    }
    all
}

fn read(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let end = c.clock.to - 1;
    let mut all = vec![];
    for (before, who, letters, why) in [
        (
            Some(READ * DAY),
            0,
            "pp-",
            "gone through 365 days before the last instant of the period, to the second",
        ),
        (Some(READ * DAY + SECOND), 0, "pd-", "gone through a second more than 365 days before the end"),
        (Some(100 * DAY), MACHINE, "pd-", "ticked off by a script"),
        (None, 0, "pd-", "nobody ever went through it"),
    ] {
        let place = a_use(c, rng);
        c.data_uses.uses[place].looks = before.map(|before| (end - before, who)).into_iter().collect();
        all.push(of_use(c, "use-read", place, letters, why).last_day(letters));
    }
    all
}

fn assessed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (what, letters, why) in [
        ("at once", "pyp", "risky, and assessed in the instant in which it began"),
        ("late", "pyd", "risky, and assessed a second after it began"),
        ("never", "pyd", "risky, and never assessed"),
        ("script", "pyd", "risky, and assessed by a script alone"),
        ("not", "pyd", "found to be such that it may not begin, and begun all the same"),
        ("again", "pyp", "turned down at first, changed, and found to be such that it may"),
        ("nobody", "pyj", "risky, and assessed by nobody knows whom"),
        ("unsure", "pyn", "nobody says whether it is risky, and it was never assessed"),
        ("harmless", "py-", "found not to be risky, and not assessed any further"),
    ] {
        let Some(at) = c.clock.some_day(rng, 2, 8) else { return all };
        let place = begun(c, rng, at);
        let them = &mut c.data_uses.uses[place];
        them.looks.clear();
        them.risky = match what {
            "unsure" => None,
            other => Some(other != "harmless"),
        };
        let weighed = |after: i64, who: Option<usize>, result| (at + after, who, result);
        them.weighed = match what {
            "at once" => vec![weighed(0, Some(0), "may_begin")],
            "late" => vec![weighed(SECOND, Some(0), "may_begin")],
            "script" => vec![weighed(-DAY, Some(MACHINE), "may_begin")],
            "not" => vec![weighed(-9 * DAY, Some(0), "may_begin"), weighed(-DAY, Some(1), "may_not")],
            "again" => vec![weighed(-9 * DAY, Some(0), "may_not"), weighed(-DAY, Some(1), "may_begin")],
            "nobody" => vec![weighed(-DAY, None, "may_begin")],
            _ => vec![],
        };
        all.push(of_use(c, "use-assessed", place, letters, why).last_day("py-"));
    }
    all
}

fn over(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let gone = a_use(c, rng);
    (c.data_uses.uses[gone].to, c.data_uses.uses[gone].purpose) = (End::At(c.clock.from - DAY), "none");
    let vague = a_use(c, rng);
    c.data_uses.uses[vague].to = End::Unknown;
    vec![
        of_use(c, "use-over", gone, "absent", "without a purpose, and given up a day before the period"),
        of_use(c, "use-over", vague, "nn-", "given up, and nobody wrote down when").last_day("nn-"),
    ]
}

// ---- PRV-05

/// What went to others in the ordinary course: by consents, by contracts with vendors, by law.
pub(crate) fn disclosed(c: &mut Company, rng: &mut Rng) {
    for _ in 0..c.shape.days / 12 {
        let at = rng.between(c.clock.from, c.clock.to - 1);
        let place = a_disclosure(c, rng, at);
        let contract = c.dealings.iter().find_map(|(vendor, dealing)| {
            let k = dealing.contracts.first()?;
            (k.processing && k.from <= at && k.to == End::Never).then(|| vendor.clone())
        });
        let consent =
            c.consents.given.iter().rfind(|y| y.at <= at && y.taken_back.after(at)).map(|y| y.key.clone());
        let them = &mut c.data_uses.disclosures[place];
        match (rng.below(3), contract, consent) {
            (0, Some(vendor), _) => {
                (them.ground, them.by) = ("contract", format!("{vendor}-C1"));
                them.to = To::Vendor(vendor);
            }
            (1, _, Some(consent)) => (them.ground, them.by) = ("consent", consent),
            _ => {}
        }
    }
}

/// One that a law demands, on which somebody decided the day before, written down some days later: at the latest when the
/// register is handed over, for what isn't written down yet stands in none.
fn a_disclosure(c: &mut Company, rng: &mut Rng, at: i64) -> usize {
    let key = format!("disclosure-{}", c.data_uses.disclosures.len() + 1);
    c.data_uses.disclosures.push(Disclosure {
        key,
        at,
        to: To::Authority(rng.pick(&["court", "tax-office", "police"])),
        ground: "law",
        by: rng.pick(&["a court order", "the tax code"]).to_owned(),
        decided: End::At(at - rng.between(1, 60) * HOUR),
        decider: Some(rng.below(CORE)),
        recorded: Some((at + rng.between(1, 28 * 24) * HOUR).min(c.clock.cutoff)),
    });
    c.data_uses.disclosures.len() - 1
}

pub(crate) const DISCLOSURES: &[(&str, Case)] = &[
    ("disclosure-ground", ground),
    ("disclosure-consent", consent),
    ("disclosure-contract", contract),
    ("disclosure-decided", decided),
    ("disclosure-recorded", recorded),
];

fn of_disclosure(c: &Company, case: &'static str, place: usize, letters: &str, why: &str) -> Seeded {
    seeded(("PRV-05", "disclosures_grounded", case), &c.data_uses.disclosures[place].key, letters, why)
}

fn some_disclosure(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let at = c.clock.some_day(rng, 2, 35)?;
    Some(a_disclosure(c, rng, at))
}

fn ground(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (ground, by, letters, why) in [
        ("none", "", "d-p", "nothing allowed it, as the register says"),
        ("law", "none", "dpp", "a law is said to allow it, and there is none"),
        ("law", "", "npp", "a law is said to allow it, and nobody says which"),
        ("consent", "", "n-p", "consent is said to allow it, and nobody says which"),
        ("", "", "npp", "nobody says what allowed it, and a named person had decided on it"),
    ] {
        let Some(place) = some_disclosure(c, rng) else { return all };
        let them = &mut c.data_uses.disclosures[place];
        (them.ground, them.by) = (ground, by.to_owned());
        all.push(of_disclosure(c, "disclosure-ground", place, letters, why));
    }
    all
}

fn consent(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (Some(SECOND), "p-p", "with a consent that was taken back a second later"),
        (Some(0), "d-p", "with a consent that was taken back in that instant"),
        (None, "d-p", "with a consent that was given a second later"),
    ] {
        let Some(place) = some_disclosure(c, rng) else { return all };
        let at = c.data_uses.disclosures[place].at;
        let yes = given(c, rng, after.map_or(at + SECOND, |_| at - 9 * DAY));
        if let Some(after) = after {
            let them = &mut c.consents.given[yes];
            (them.taken_back, them.ended) = (End::At(at + after), End::At(at + HOUR));
        }
        let key = c.consents.given[yes].key.clone();
        let them = &mut c.data_uses.disclosures[place];
        (them.ground, them.by) = ("consent", key);
        all.push(of_disclosure(c, "disclosure-consent", place, letters, why));
    }
    all
}

fn contract(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let of = |c: &Company, at: i64, not: &str| {
        c.dealings.iter().find_map(|(vendor, dealing)| {
            let k = dealing.contracts.first()?;
            let good = k.processing && k.from <= at && k.to == End::Never && vendor != not;
            good.then(|| vendor.clone())
        })
    };
    for (what, letters, why) in [
        ("good", "p-p", "by a contract about personal data that held"),
        ("other", "d-p", "by a contract with somebody else"),
        ("nowhere", "d-p", "by a contract that stands in no register"),
    ] {
        let Some(place) = some_disclosure(c, rng) else { return all };
        let at = c.data_uses.disclosures[place].at;
        let Some(vendor) = of(c, at, "") else { continue };
        let to = match what {
            "other" => of(c, at, &vendor),
            _ => Some(vendor.clone()),
        };
        let Some(to) = to else { continue };
        let them = &mut c.data_uses.disclosures[place];
        (them.ground, them.to) = ("contract", To::Vendor(to));
        them.by = if what == "nowhere" { format!("{vendor}-C99") } else { format!("{vendor}-C1") };
        all.push(of_disclosure(c, "disclosure-contract", place, letters, why));
    }
    all
}

fn decided(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, who, letters, why) in [
        (End::At(0), Some(0), "ppp", "decided on in the instant in which the data went"),
        (End::At(SECOND), Some(0), "pdp", "decided on a second after the data went"),
        (End::Never, None, "pdp", "nobody decided on it"),
        (End::Unknown, None, "pnp", "nobody says whether anybody decided on it"),
        (End::At(-HOUR), Some(MACHINE), "pdp", "a script decided on it"),
        (End::At(-HOUR), None, "pjp", "decided on by nobody knows whom"),
    ] {
        let Some(place) = some_disclosure(c, rng) else { return all };
        let them = &mut c.data_uses.disclosures[place];
        them.decider = who;
        them.decided = match after {
            End::At(after) => End::At(them.at + after),
            other => other,
        };
        all.push(of_disclosure(c, "disclosure-decided", place, letters, why));
    }
    all
}

fn recorded(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (Some(RECORDED * DAY), "ppp", "written down thirty days later, to the second"),
        (Some(RECORDED * DAY + SECOND), "ppd", "written down thirty days and a second later"),
        (None, "ppn", "nobody says when it was written down"),
    ] {
        let Some(place) = some_disclosure(c, rng) else { return all };
        let them = &mut c.data_uses.disclosures[place];
        them.recorded = after.map(|after| them.at + after);
        all.push(of_disclosure(c, "disclosure-recorded", place, letters, why));
    }
    let Some(place) = some_disclosure(c, rng) else { return all };
    c.data_uses.disclosures[place].to = To::NobodySays;
    all.push(of_disclosure(c, "disclosure-recorded", place, "ppn", "nobody says to whom the data went"));
    all
}
