//! One line of a campaign, by itself: what was known of a grant when the list was frozen, who may decide about it, and what became
//! of what was to be removed. Pure: everything is handed in.

use std::collections::BTreeSet;

use model::Instant;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

const DAY_MS: i64 = 86_400_000;

/// An account by what it is known by for good.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct AccountKey {
    /// The system that knows it.
    pub system: String,
    /// Its key there.
    pub key: String,
}

/// Why a line wants a look of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// It can change what others may do.
    Privileged,
    /// Nobody has said whether it can.
    PerhapsPrivileged,
    /// The person has left.
    Leaver,
    /// It was not used for long.
    Dormant,
    /// Nobody who works here stands behind it, or owns it.
    Orphan,
    /// The person's job may not have this role.
    OutsideMatrix,
}

impl Flag {
    /// Every flag.
    pub const ALL: [Self; 6] = [
        Self::Leaver,
        Self::Orphan,
        Self::OutsideMatrix,
        Self::Dormant,
        Self::Privileged,
        Self::PerhapsPrivileged,
    ];

    /// Its word, as it stands in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::PerhapsPrivileged => "perhaps_privileged",
            Self::Leaver => "leaver",
            Self::Dormant => "dormant",
            Self::Orphan => "orphan",
            Self::OutsideMatrix => "outside_matrix",
        }
    }
}

/// What was decided about the same access before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Previous {
    /// When.
    pub at: Instant,
    /// What.
    pub decision: String,
    /// By which account; absent when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<AccountKey>,
}

/// A grant as it was frozen, with what a reviewer is shown of it. It holds no name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Its number in the campaign, from 1.
    pub line: u32,
    /// Key of the system.
    pub system: String,
    /// The account that has it.
    pub account: AccountKey,
    /// Key of the grant.
    pub grant: String,
    /// The first account known of the person; absent when nobody can say who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<AccountKey>,
    /// What stands behind the account; absent when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// As what; absent when the source does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether it can change what others may do; absent when nobody has said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privileged: Option<bool>,
    /// How it is held; absent when the source does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// From when it is known to hold.
    pub since: Instant,
    /// Whether nobody can say that it had not ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub perhaps_ended: bool,
    /// When it was last used, as far as anybody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Instant>,
    /// Whole days without use, where they can be counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_unused: Option<i64>,
    /// When the person left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Instant>,
    /// How many others have the same role in the system; absent where the role is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_role: Option<u32>,
    /// How many others have any role in the system.
    pub others: u32,
    /// What was decided about it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
    /// Why it wants a look of its own.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub flags: BTreeSet<Flag>,
    /// What could not be told, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_known: Vec<String>,
}

impl Line {
    /// By what a line is named by whoever has seen it: its number, and a digest of all that was shown of it up to the ledger
    /// entry that touched it last.
    #[must_use]
    pub fn mark(&self, touched: u64) -> String {
        // A line holds texts, numbers and lists: it always serialises.
        let mut hash = Sha256::new();
        hash.update(serde_json::to_vec(self).unwrap_or_default());
        hash.update(touched.to_be_bytes());
        let digest: String = hash.finalize().iter().take(6).map(|b| format!("{b:02x}")).collect();
        format!("{}:{digest}", self.line)
    }
}

/// What is known of somebody's use of a system.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Use {
    /// The last use that anybody speaks of.
    pub(super) last: Option<Instant>,
    /// Whether every use since the beginning of the days that count would be known.
    pub(super) all_known: bool,
}

/// What is known of a person's work here, or of who owns an account of none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Belongs {
    /// Somebody who works here, or an owner.
    Somebody,
    /// They left.
    Left(Instant),
    /// Nobody, and where one would be found was looked.
    Nobody,
    /// It could not be told, and why.
    NotKnown(&'static str),
}

/// What is known of whether the person's job may have the role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fits {
    Yes,
    No,
    NotKnown(&'static str),
}

/// Puts flags, and what could not be told, on a line.
pub(super) fn judged(
    mut line: Line,
    at: Instant,
    used: Use,
    dormant_days: i64,
    belongs: Belongs,
    fits: Fits,
) -> Line {
    line.last_used = used.last;
    // Without a use the days count from the beginning of the grant, where every use would be known.
    let unused_since = used.last.or_else(|| used.all_known.then_some(line.since));
    line.days_unused = unused_since.map(|since| (at.ms() - since.ms()).max(0) / DAY_MS);
    let mut flag = |flag| {
        line.flags.insert(flag);
    };
    match line.privileged {
        Some(true) => flag(Flag::Privileged),
        Some(false) => {}
        None => flag(Flag::PerhapsPrivileged),
    }
    if line.days_unused.is_some_and(|days| days >= dormant_days) {
        flag(Flag::Dormant);
    }
    match belongs {
        Belongs::Somebody | Belongs::NotKnown(_) => {}
        Belongs::Left(left) => {
            flag(Flag::Leaver);
            line.left = Some(left);
        }
        Belongs::Nobody => flag(Flag::Orphan),
    }
    if fits == Fits::No {
        flag(Flag::OutsideMatrix);
    }
    let mut unknown = |why: &str| line.not_known.push(why.to_owned());
    if line.perhaps_ended {
        unknown("whether it had ended by then");
    }
    if line.days_unused.is_none() {
        unknown("when it was last used");
    }
    if line.privileged.is_none() {
        unknown("whether it can change what others may do");
    }
    if let Belongs::NotKnown(why) = belongs {
        unknown(why);
    }
    if let Fits::NotKnown(why) = fits {
        unknown(why);
    }
    line
}

/// Whose access it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Subject<'a> {
    pub(super) account: i64,
    pub(super) person: Option<i64>,
    pub(super) kind: Option<&'a str>,
}

/// Why somebody may not decide about an access; `None` when they may.
///
/// Two who look alike may be one person: nobody knows that the one is independent of the other.
pub(super) fn partial(
    subject: &Subject<'_>,
    account: i64,
    person: i64,
    alike: &BTreeSet<(i64, i64)>,
) -> Option<&'static str> {
    if subject.account == account {
        return Some("it is their own access");
    }
    match subject.person {
        Some(own) if own == person => Some("it is their own access"),
        Some(own) if alike.contains(&(own, person)) || alike.contains(&(person, own)) => {
            Some("they may be the person whose access it is")
        }
        Some(_) => None,
        None if matches!(subject.kind, Some("bot" | "service" | "shared" | "break_glass")) => None,
        None => Some("nobody can say whose access it is, and it may be theirs"),
    }
}

/// Whom a reviewer reviews, by numbers of this generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Whom {
    Everybody,
    System(i64),
    Person(i64),
}

/// Somebody who may be given lines.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) called: String,
    pub(super) account: i64,
    pub(super) person: i64,
    pub(super) whom: Whom,
}

/// Which reviewer gets a line: the one named for the person before the one named for the system before the one for everybody, and
/// of equals the first. Never one who may be the person.
///
/// # Errors
/// Why nobody can.
pub(super) fn assigned(
    subject: &Subject<'_>,
    system: i64,
    candidates: &[Candidate],
    alike: &BTreeSet<(i64, i64)>,
) -> Result<usize, String> {
    let rank = |whom: Whom| match whom {
        Whom::Person(person) => (subject.person == Some(person)).then_some(0),
        Whom::System(of) => (of == system).then_some(1),
        Whom::Everybody => Some(2),
    };
    let mut fit: Vec<(u8, usize)> =
        candidates.iter().enumerate().filter_map(|(at, c)| Some((rank(c.whom)?, at))).collect();
    fit.sort_unstable();
    let mut why = vec![];
    for (_, at) in &fit {
        let candidate = &candidates[*at];
        match partial(subject, candidate.account, candidate.person, alike) {
            None => return Ok(*at),
            Some(reason) => why.push(format!("{} cannot: {reason}", candidate.called)),
        }
    }
    why.dedup();
    Err(if why.is_empty() { "nobody was named to review it".to_owned() } else { why.join("; ") })
}

/// A grant as a later look knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Later {
    pub(super) role: Option<String>,
    pub(super) privileged: Option<bool>,
    pub(super) from: Instant,
    /// Until when; `FOREVER` while it holds, absent when nobody can say.
    pub(super) to: Option<Instant>,
}

/// What became of what was to be removed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fate")]
pub enum Fate {
    /// It is gone.
    Gone {
        /// Since when, at the latest.
        since: Instant,
    },
    /// It is still there.
    StillThere {
        /// The last instant that was looked at.
        looked_at: Instant,
        /// Whether it should have been gone by then.
        late: bool,
    },
    /// Nobody can say.
    NotKnown {
        /// Why.
        because: String,
    },
}

/// What became of a grant that was to be removed (`modify`: changed), by what was known at the last instant at which the system
/// was looked at. That it is on no list says nothing where there was no list.
pub(super) fn fate(
    line: &Line,
    modify: bool,
    decided_at: Instant,
    later: &[Later],
    looked: Result<Instant, &str>,
    days: i64,
) -> Fate {
    let not_known = |because: &str| Fate::NotKnown { because: because.to_owned() };
    let looked_at = match looked {
        Ok(at) => at,
        Err(why) => return not_known(why),
    };
    if looked_at <= decided_at {
        return not_known("nobody has looked since it was decided");
    }
    if later.is_empty() {
        // A source that takes access away says so of the grant; that nothing is known of it says nothing.
        return not_known("no grant of the account is known any more, and nobody said that it ended");
    }
    let due = decided_at.ms().saturating_add(days.saturating_mul(DAY_MS));
    let same = |one: &Later| match (&one.role, &line.role) {
        (Some(one), Some(other)) => Some(one == other),
        _ => None,
    };
    // What it may do may be less than it was: then it was changed.
    let as_much = |one: &Later| match (one.privileged, line.privileged) {
        (Some(now), Some(before)) if modify => Some(now == before),
        (None, Some(_)) if modify => None,
        _ => Some(true),
    };
    let holds = |one: &Later| match one.to {
        _ if one.from > looked_at => Some(false),
        Some(to) => Some(to > looked_at),
        None => None,
    };
    let all_of = |one: &Later| match (same(one), as_much(one), holds(one)) {
        (Some(false), ..) | (_, Some(false), _) | (.., Some(false)) => Some(false),
        (Some(true), Some(true), Some(true)) => Some(true),
        _ => None,
    };
    if later.iter().any(|one| all_of(one) == Some(true)) {
        return Fate::StillThere { looked_at, late: looked_at.ms() > due };
    }
    if later.iter().any(|one| all_of(one).is_none()) {
        return not_known("a grant that may be the same may still hold");
    }
    let ended = later
        .iter()
        .filter(|one| same(one) != Some(false) && one.from <= looked_at)
        .filter_map(|one| one.to.filter(|to| *to <= looked_at));
    match ended.max() {
        Some(since) => Fate::Gone { since },
        // It is on the list no more, and nobody said when it ended: by then at the latest.
        None if looked_at.ms() <= due => Fate::Gone { since: looked_at },
        None => not_known("it is gone, and nobody can say since when"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000 * DAY_MS;

    fn day(day: i64) -> Instant {
        Instant::from_ms(NOW + day * DAY_MS)
    }

    fn line() -> Line {
        Line {
            line: 3,
            system: "hub".into(),
            account: AccountKey { system: "hub".into(), key: "100".into() },
            grant: "g1".into(),
            person: None,
            kind: Some("human".into()),
            role: Some("maintain".into()),
            privileged: Some(false),
            via: None,
            since: day(-400),
            perhaps_ended: false,
            last_used: None,
            days_unused: None,
            left: None,
            same_role: Some(2),
            others: 4,
            previous: None,
            flags: BTreeSet::new(),
            not_known: vec![],
        }
    }

    #[track_caller]
    fn flagged(line: Line, used: Use, belongs: Belongs, fits: Fits, expect: &str) {
        let line = judged(line, day(0), used, 90, belongs, fits);
        let flags: Vec<&str> = line.flags.iter().map(|f| f.word()).collect();
        assert_eq!(format!("{} | {}", flags.join(" "), line.not_known.join(", ")), expect);
    }

    #[test]
    fn unknown_is_said_and_never_taken_for_in_order() {
        let yesterday = Use { last: Some(day(-1)), all_known: false };
        let here = Belongs::Somebody;
        flagged(line(), yesterday, here, Fits::Yes, " | ");
        let may_be_admin = Line { privileged: None, ..line() };
        flagged(
            may_be_admin,
            yesterday,
            here,
            Fits::Yes,
            "perhaps_privileged | whether it can change what others may do",
        );
        flagged(Line { privileged: Some(true), ..line() }, yesterday, here, Fits::Yes, "privileged | ");
        flagged(line(), yesterday, Belongs::Left(day(-2)), Fits::No, "leaver outside_matrix | ");
        flagged(line(), yesterday, Belongs::Nobody, Fits::Yes, "orphan | ");
        let not = (Belongs::NotKnown("who"), Fits::NotKnown("what"));
        flagged(line(), Use::default(), not.0, not.1, " | when it was last used, who, what");
        flagged(
            Line { perhaps_ended: true, ..line() },
            yesterday,
            here,
            Fits::Yes,
            " | whether it had ended by then",
        );
    }

    #[test]
    fn dormant_is_what_was_not_used_for_so_many_days() {
        let used = |days: i64| Use { last: Some(day(-days)), all_known: false };
        flagged(line(), used(90), Belongs::Somebody, Fits::Yes, "dormant | ");
        let just_not = Use { last: Some(Instant::from_ms(day(-90).ms() + 1)), all_known: false };
        flagged(line(), just_not, Belongs::Somebody, Fits::Yes, " | ");
        // Never used, where every use would be known: since it was given.
        let never = Use { last: None, all_known: true };
        flagged(line(), never, Belongs::Somebody, Fits::Yes, "dormant | ");
        flagged(Line { since: day(-5), ..line() }, never, Belongs::Somebody, Fits::Yes, " | ");
    }

    /// Ann is 1, Bob 2, and 3 looks like Bob. Accounts are ten times their person.
    #[track_caller]
    fn given(person: Option<i64>, kind: &str, candidates: &[(i64, Whom)], expect: Result<usize, &str>) {
        let kind = Some(kind).filter(|kind| !kind.is_empty());
        let subject = Subject { account: person.map_or(99, |p| p * 10), person, kind };
        let candidates: Vec<Candidate> = candidates
            .iter()
            .map(|(person, whom)| Candidate {
                called: format!("p{person}"),
                account: person * 10,
                person: *person,
                whom: *whom,
            })
            .collect();
        let got = assigned(&subject, 7, &candidates, &BTreeSet::from([(2, 3)]));
        assert_eq!(got, expect.map_err(str::to_owned));
    }

    #[test]
    fn nobody_is_given_their_own_access_or_what_may_be_theirs() {
        use Whom::{Everybody, Person, System};
        given(Some(1), "human", &[(2, Everybody)], Ok(0));
        given(Some(1), "human", &[(1, Everybody), (2, Everybody)], Ok(1));
        given(Some(1), "human", &[(1, Everybody)], Err("p1 cannot: it is their own access"));
        given(
            Some(2),
            "human",
            &[(3, Everybody)],
            Err("p3 cannot: they may be the person whose access it is"),
        );
        given(
            Some(3),
            "human",
            &[(2, Everybody)],
            Err("p2 cannot: they may be the person whose access it is"),
        );
        // Who is named for the person comes before who is named for the system.
        given(Some(1), "human", &[(4, Everybody), (5, System(7)), (6, Person(1))], Ok(2));
        given(Some(1), "human", &[(4, Everybody), (5, System(7))], Ok(1));
        given(Some(1), "human", &[(4, Everybody), (5, System(8))], Ok(0));
        given(Some(1), "human", &[(5, System(8)), (6, Person(2))], Err("nobody was named to review it"));
        let whose = "p2 cannot: nobody can say whose access it is, and it may be theirs";
        for kind in ["human", "guest", "unknown", ""] {
            given(None, kind, &[(2, Everybody)], Err(whose));
        }
        given(None, "service", &[(2, Everybody)], Ok(0));
    }

    #[test]
    fn a_mark_is_of_what_was_shown() {
        let mark = line().mark(5);
        assert!(mark.starts_with("3:") && mark.len() == 14, "{mark}");
        assert_ne!(line().mark(6), mark, "somebody has decided since");
        assert_ne!(Line { privileged: Some(true), ..line() }.mark(5), mark, "something else was shown");
    }

    fn grant(role: &str, from: i64, to: Option<i64>) -> Later {
        let role = Some(role.to_owned()).filter(|role| !role.is_empty());
        let to = to.map(|to| if to == i64::MAX { Instant::FOREVER } else { day(to) });
        Later { role, privileged: Some(false), from: day(from), to }
    }

    const HOLDS: Option<i64> = Some(i64::MAX);

    #[track_caller]
    fn became(later: &[Later], looked: Result<i64, &str>, expect: &str) {
        let said = |fate: Fate| match fate {
            Fate::Gone { since } => format!("gone {}", (since.ms() - NOW) / DAY_MS),
            Fate::StillThere { late, .. } => (if late { "late" } else { "there" }).to_owned(),
            Fate::NotKnown { because } => because,
        };
        assert_eq!(said(fate(&line(), false, day(0), later, looked.map(day), 14)), expect);
    }

    #[test]
    fn gone_is_only_what_somebody_saw_to_be_gone() {
        became(&[grant("maintain", -400, Some(3))], Ok(5), "gone 3");
        became(&[grant("maintain", -400, HOLDS)], Ok(5), "there");
        became(&[grant("maintain", -400, HOLDS)], Ok(14), "there");
        became(&[grant("maintain", -400, HOLDS)], Ok(15), "late");
        became(&[], Err("nobody supplies it"), "nobody supplies it");
        became(&[], Ok(5), "no grant of the account is known any more, and nobody said that it ended");
        became(&[grant("maintain", -400, Some(-1))], Ok(0), "nobody has looked since it was decided");
        became(&[grant("maintain", -400, Some(-1))], Ok(1), "gone -1");
        // Ended after the last look, by a day that was agreed: it holds then.
        became(&[grant("maintain", -400, Some(9))], Ok(5), "there");
        let perhaps = "a grant that may be the same may still hold";
        became(&[grant("maintain", -400, None)], Ok(5), perhaps);
        became(&[grant("maintain", -400, Some(3)), grant("", 4, HOLDS)], Ok(5), perhaps);
        // Given again under another key: it is there.
        became(&[grant("maintain", -400, Some(3)), grant("maintain", 4, HOLDS)], Ok(5), "there");
        became(&[grant("maintain", -400, Some(3)), grant("read", 3, HOLDS)], Ok(5), "gone 3");
        // Replaced without a word of when.
        became(&[grant("read", -400, HOLDS)], Ok(5), "gone 5");
        became(&[grant("read", -400, HOLDS)], Ok(15), "it is gone, and nobody can say since when");
    }

    #[test]
    fn what_was_to_be_changed_is_changed_when_it_may_do_less() {
        let admin = Line { privileged: Some(true), ..line() };
        let of = |privileged| {
            let now = Later { privileged, ..grant("maintain", -400, HOLDS) };
            fate(&admin, true, day(0), &[now], Ok(day(5)), 14)
        };
        assert_eq!(of(Some(false)), Fate::Gone { since: day(5) });
        assert_eq!(of(Some(true)), Fate::StillThere { looked_at: day(5), late: false });
        assert!(matches!(of(None), Fate::NotKnown { .. }));
    }
}
