//! Who may publish, and who holds the keys that sign (REL-05).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// How many may have it at once.
const HANDS: usize = 5;

/// A channel, or a key that signs.
#[derive(Clone, Debug)]
pub(crate) struct Right {
    pub(crate) key: String,
    /// Where a key lies; a channel has no such place.
    pub(crate) kept: Option<&'static str>,
    pub(crate) channel: bool,
    pub(crate) from: i64,
    pub(crate) to: End,
    pub(crate) hands: Vec<Hand>,
    /// When somebody went through the list, and who.
    pub(crate) looks: Vec<(i64, Option<usize>)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Hand {
    pub(crate) whose: Whose,
    pub(crate) from: i64,
    pub(crate) to: End,
}

/// A person, or the build's own login, by its number; a login, by its place; or one that could not be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Whose {
    Own(usize),
    Login(usize),
    Untold,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for (key, kept) in
        [("ota-stable", None), ("store", None), ("ota-key", Some("hardware")), ("package-key", Some("vault"))]
    {
        right(c, rng, key.to_owned(), kept);
    }
}

/// As it should be: in two or three hands, and gone through in each quarter.
fn right(c: &mut Company, rng: &mut Rng, key: String, kept: Option<&'static str>) -> usize {
    let from = c.clock.from - rng.between(300, 900) * DAY;
    let mut hands = vec![Hand { whose: Whose::Own(MACHINE), from, to: End::Never }];
    let first = rng.below(CORE);
    for next in 0..1 + rng.below(2) {
        let whose = Whose::Own((first + next) % CORE);
        hands.push(Hand { whose, from: from + rng.between(0, 40) * DAY, to: End::Never });
    }
    let mut looks = vec![];
    for (from, to) in c.clock.quarters() {
        let at = from + rng.between(1, (to - from) / DAY - 2) * DAY + rng.between(9, 16) * HOUR;
        looks.push((at, Some(rng.below(CORE))));
    }
    let channel = kept.is_none();
    c.operations.rights.push(Right { key, kept, channel, from, to: End::Never, hands, looks });
    c.operations.rights.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("shared-hand", shared_hand),
    ("too-many-hands", too_many_hands),
    ("hand-untold", hand_untold),
    ("not-confirmed", not_confirmed),
    ("key-in-a-file", key_in_a_file),
    ("right-given-up", given_up),
];

fn said(c: &Company, case: &'static str, right: usize, letters: &str, why: &str) -> Seeded {
    seeded(("REL-05", "release_rights_held", case), &c.operations.rights[right].key, letters, why)
}

fn another(c: &mut Company, rng: &mut Rng, kept: Option<&'static str>) -> usize {
    let key = format!("right-{}", c.operations.rights.len() + 1);
    right(c, rng, key, kept)
}

/// A login that several share, which was there all along.
fn shared(c: &Company) -> Option<Whose> {
    let there = |login: &crate::company::Login| {
        login.kind == "shared"
            && login.spells.len() == 1
            && login.spells[0].0 <= c.clock.from - 120 * DAY
            && login.spells[0].1 == End::Never
    };
    c.logins.iter().position(there).map(Whose::Login)
}

fn shared_hand(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some(whose) = shared(c) else { return all };
    let right = another(c, rng, None);
    let from = c.clock.from - 120 * DAY;
    c.operations.rights[right].hands.push(Hand { whose, from, to: End::Never });
    all.push(
        said(c, "shared-hand", right, "dp.-", "a login that several share publishes, too").last_day("d"),
    );
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
    let right = another(c, rng, Some("hardware"));
    c.operations.rights[right].hands.push(Hand { whose, from: at, to: End::At(at + HOUR) });
    all.push(said(c, "shared-hand", right, "dp.p", "a shared login signed for an hour"));
    let right = another(c, rng, None);
    let begins = c.clock.from;
    c.operations.rights[right].hands.push(Hand { whose, from: begins - 90 * DAY, to: End::At(begins) });
    all.push(said(c, "shared-hand", right, "pp.-", "a shared login published until the period began"));
    all
}

fn too_many_hands(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (more, length, letters, why) in [
        (0, DAY, "pp.-", "as many as may have it, for a day"),
        (1, SECOND, "pd.-", "one more than may have it, for a second"),
        (1, 0, "pp.-", "one came in the instant in which another went"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
        let right = another(c, rng, None);
        let from = c.operations.rights[right].from;
        let hands = &mut c.operations.rights[right].hands;
        hands.clear();
        for whose in 0..HANDS - 1 {
            hands.push(Hand { whose: Whose::Own(whose), from, to: End::Never });
        }
        for whose in 0..=more {
            // The last ones overlap for so long.
            let (from, to) = if whose == 0 { (at - DAY, End::At(at + length)) } else { (at, End::Never) };
            hands.push(Hand { whose: Whose::Own(HANDS - 1 + whose), from, to });
        }
        all.push(said(c, "too-many-hands", right, letters, why));
    }
    all
}

fn hand_untold(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let right = another(c, rng, None);
    let from = c.operations.rights[right].from;
    c.operations.rights[right].hands.push(Hand { whose: Whose::Untold, from, to: End::Never });
    vec![said(c, "hand-untold", right, "np.-", "one of those who publish, the export does not name")]
}

fn not_confirmed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some((_, first)) = c.clock.quarters().first().copied() else { return all };
    for (what, letters, why) in [
        ("never", "ppd-", "nobody went through it in one quarter"),
        ("last", "ppp-", "gone through in the last second of a quarter"),
        ("late", "ppd-", "gone through in the first instant of the next quarter, once for both"),
        ("script", "ppd-", "a script ticked it off in one quarter"),
        ("nobody", "ppn-", "gone through in one quarter by nobody knows whom"),
    ] {
        let right = another(c, rng, None);
        let looks = &mut c.operations.rights[right].looks;
        match what {
            "never" => drop(looks.remove(0)),
            "last" => looks[0].0 = first - SECOND,
            "late" => looks[0].0 = first,
            "script" => looks[0].1 = Some(MACHINE),
            _ => looks[0].1 = None,
        }
        all.push(said(c, "not-confirmed", right, letters, why));
    }
    all
}

fn key_in_a_file(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (kept, letters, why) in [
        (Some("file"), "pp.d", "the key lies in a file on a machine"),
        (Some("build_system"), "pp.p", "the key lies in the build system's own store"),
        (Some(""), "pp.n", "nobody says where the key lies"),
    ] {
        let right = another(c, rng, kept);
        all.push(said(c, "key-in-a-file", right, letters, why).last_day(&letters.replace("pp.", "...")));
    }
    all
}

fn given_up(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let begins = c.clock.from;
    let right = another(c, rng, Some("file"));
    c.operations.rights[right].to = End::At(begins);
    all.push(said(c, "right-given-up", right, "absent", "given up in the instant in which the period began"));
    all
}
