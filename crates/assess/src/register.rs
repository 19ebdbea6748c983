//! The register of deviations: what people decided about one, in the order in which the ledger took it, and how it stands.
//!
//! Nothing removes a deviation. A decision that may not count (a closing without a retest, an acceptance by the owner) stays
//! in its history with the reason why it does not.

use model::Instant;

/// How grave a deviation is, as a person judges it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Small.
    Low,
    /// Of some weight.
    Medium,
    /// Grave.
    High,
    /// Graver than anything else at hand.
    Critical,
}

impl Severity {
    /// The word as it stands in the table.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High, Self::Critical].into_iter().find(|s| s.word() == word)
    }
}

/// What is known of a deviation besides that it was found. What a later triage leaves out stays as it was.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Triage {
    /// Why it came to be.
    pub cause: Option<String>,
    /// How grave it is.
    pub severity: Option<Severity>,
    /// What could happen, or did, through it.
    pub exposure: Option<String>,
    /// The control that makes up for it; an empty word takes one back.
    pub compensating: Option<String>,
    /// What is done about it.
    pub response: Option<String>,
    /// Who has to see to it.
    pub owner: Option<String>,
    /// Until when.
    pub due: Option<Instant>,
}

/// What one decision says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// What is known of it.
    Triaged(Triage),
    /// It was looked at again.
    Retested {
        /// Whether the rule held.
        passed: bool,
        /// The ledger entry that shows it.
        evidence: Option<i64>,
    },
    /// It is done with.
    Closed {
        /// Whether it is accepted as it is, instead of retested.
        accepted: bool,
        /// Why.
        reason: String,
    },
}

/// One decision about a deviation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Its ledger entry: decisions follow each other in this order.
    pub entry: i64,
    /// When the ledger took it.
    pub at: Instant,
    /// Who decided.
    pub by: Option<String>,
    /// What.
    pub said: Said,
}

/// A deviation's standing, the most urgent first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// Open beyond its day.
    Overdue,
    /// Nobody has to see to it.
    Unowned,
    /// Somebody has to see to it.
    Open,
    /// Done with.
    Closed,
}

impl Standing {
    /// The word as it stands in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Unowned => "unowned",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// What the decisions come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stand {
    /// How it stands.
    pub standing: Standing,
    /// What is known of it now.
    pub triage: Triage,
    /// Entry of the decision that closed it.
    pub closed_by: Option<i64>,
    /// Decisions that do not count, and why.
    pub not_counted: Vec<(i64, String)>,
}

/// Why a deviation may not be closed now; `None` when it may.
///
/// It may when the last retest passed and names what shows it; else when a person accepts it with a reason, who is not its
/// owner and wrote nothing of what it is.
#[must_use]
pub fn refusal(before: &[Decision], by: Option<&str>, accepted: bool, reason: &str) -> Option<String> {
    let Some(by) = by.filter(|by| !by.trim().is_empty()) else {
        return Some("nobody is named who closes it".to_owned());
    };
    if !accepted {
        let last = before.iter().rev().find_map(|decision| match &decision.said {
            Said::Retested { passed, evidence } => Some((*passed, evidence.is_some())),
            _ => None,
        });
        return match last {
            None => Some("it was not retested".to_owned()),
            Some((false, _)) => Some("the last retest failed".to_owned()),
            Some((true, false)) => Some("the last retest names no evidence".to_owned()),
            Some((true, true)) => None,
        };
    }
    if reason.trim().is_empty() {
        return Some("an acceptance needs a reason".to_owned());
    }
    let triage = triage_of(before);
    if triage.owner.as_deref().is_some_and(|owner| same_person(owner, by)) {
        return Some(format!("`{by}` owns it, and nobody accepts their own"));
    }
    let wrote = |decision: &&Decision| {
        matches!(decision.said, Said::Triaged(_))
            && decision.by.as_deref().is_some_and(|author| same_person(author, by))
    };
    before
        .iter()
        .find(wrote)
        .map(|_| format!("`{by}` wrote down what it is, and somebody else has to accept it"))
}

/// Whether two pseudonyms name one person: a spelling in capitals makes nobody somebody else.
#[must_use]
pub fn same_person(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

fn triage_of(decisions: &[Decision]) -> Triage {
    let mut triage = Triage::default();
    for decision in decisions {
        let Said::Triaged(said) = &decision.said else { continue };
        let said = said.clone();
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        triage = Triage {
            cause: filled(said.cause).or(triage.cause),
            severity: said.severity.or(triage.severity),
            exposure: filled(said.exposure).or(triage.exposure),
            // An empty word takes it back: `Some("")` stays until the end of the fold.
            compensating: said.compensating.or(triage.compensating),
            response: filled(said.response).or(triage.response),
            owner: filled(said.owner).or(triage.owner),
            due: said.due.or(triage.due),
        };
    }
    triage.compensating = triage.compensating.filter(|control| !control.trim().is_empty());
    triage
}

/// How a deviation stands at `now`, after these decisions in the order of their entries.
#[must_use]
pub fn stand(decisions: &[Decision], now: Instant) -> Stand {
    let mut closed_by = None;
    let mut not_counted = vec![];
    for (place, decision) in decisions.iter().enumerate() {
        match &decision.said {
            Said::Closed { accepted, reason } => {
                match refusal(&decisions[..place], decision.by.as_deref(), *accepted, reason) {
                    None => closed_by = Some(decision.entry),
                    Some(why) => not_counted.push((decision.entry, why)),
                }
            }
            // Whatever is said of it afterwards but that it still holds opens it again.
            Said::Retested { passed: true, .. } => {}
            Said::Retested { passed: false, .. } | Said::Triaged(_) => closed_by = None,
        }
    }
    let triage = triage_of(decisions);
    let standing = if closed_by.is_some() {
        Standing::Closed
    } else if triage.due.is_some_and(|due| due < now) {
        Standing::Overdue
    } else if triage.owner.is_none() {
        Standing::Unowned
    } else {
        Standing::Open
    };
    Stand { standing, triage, closed_by, not_counted }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decided(entry: i64, by: &str, said: Said) -> Decision {
        let by = Some(by.to_owned()).filter(|by| !by.is_empty());
        Decision { entry, at: Instant::from_ms(entry), by, said }
    }

    fn owned(owner: &str, due: i64) -> Said {
        Said::Triaged(Triage {
            owner: Some(owner.into()),
            due: Some(Instant::from_ms(due)),
            severity: Severity::named("high"),
            ..Triage::default()
        })
    }

    const PASS: Said = Said::Retested { passed: true, evidence: Some(9) };
    const FAIL: Said = Said::Retested { passed: false, evidence: Some(9) };

    fn closed(accepted: bool, reason: &str) -> Said {
        Said::Closed { accepted, reason: reason.into() }
    }

    #[track_caller]
    fn check(said: &[(&str, Said)], expect: &str) {
        let decisions: Vec<Decision> =
            (1..).zip(said).map(|(n, (by, said))| decided(n, by, said.clone())).collect();
        let stand = stand(&decisions, Instant::from_ms(100));
        let not: Vec<String> = stand.not_counted.iter().map(|(n, why)| format!("{n}: {why}")).collect();
        assert_eq!(format!("{} [{}]", stand.standing.word(), not.join(", ")), expect);
    }

    #[test]
    fn overdue_and_unowned_are_told_from_open() {
        check(&[], "unowned []");
        check(&[("ann", owned("bob", 100))], "open []");
        check(&[("ann", owned("bob", 99))], "overdue []");
        // Due without an owner is late all the same.
        let due = Triage { due: Some(Instant::from_ms(1)), ..Triage::default() };
        check(&[("ann", Said::Triaged(due))], "overdue []");
    }

    #[test]
    fn only_a_passed_retest_with_evidence_closes() {
        let triaged = ("ann", owned("bob", 1));
        check(&[triaged.clone(), ("bob", PASS), ("bob", closed(false, ""))], "closed []");
        check(&[triaged.clone(), ("bob", closed(false, ""))], "overdue [2: it was not retested]");
        check(
            &[triaged.clone(), ("bob", PASS), ("bob", FAIL), ("bob", closed(false, ""))],
            "overdue [4: the last retest failed]",
        );
        let without = Said::Retested { passed: true, evidence: None };
        check(
            &[triaged.clone(), ("bob", without), ("bob", closed(false, ""))],
            "overdue [3: the last retest names no evidence]",
        );
        // It comes open again by what is found out later.
        check(&[triaged, ("bob", PASS), ("bob", closed(false, "")), ("cy", FAIL)], "overdue []");
    }

    #[test]
    fn nobody_accepts_their_own() {
        let triaged = ("ann", owned("bob", 1));
        check(&[triaged.clone(), ("cy", closed(true, "retired in May"))], "closed []");
        check(
            &[triaged.clone(), ("Bob ", closed(true, "fine"))],
            "overdue [2: `Bob ` owns it, and nobody accepts their own]",
        );
        check(
            &[triaged.clone(), ("ann", closed(true, "fine"))],
            "overdue [2: `ann` wrote down what it is, and somebody else has to accept it]",
        );
        check(&[triaged.clone(), ("cy", closed(true, " "))], "overdue [2: an acceptance needs a reason]");
        check(&[triaged, ("", closed(true, "fine"))], "overdue [2: nobody is named who closes it]");
    }

    #[test]
    fn what_a_triage_leaves_out_stays() {
        let one = Triage {
            cause: Some("a hurry".into()),
            compensating: Some("CHG-08".into()),
            ..Triage::default()
        };
        let two =
            Triage { owner: Some("bob".into()), compensating: Some(String::new()), ..Triage::default() };
        let both = [decided(1, "ann", Said::Triaged(one)), decided(2, "ann", Said::Triaged(two))];
        let triage = stand(&both, Instant::from_ms(0)).triage;
        assert_eq!((triage.cause.as_deref(), triage.owner.as_deref()), (Some("a hurry"), Some("bob")));
        assert_eq!(triage.compensating, None, "taken back");
    }

    fn any_said() -> impl Strategy<Value = Said> {
        prop_oneof![
            Just(owned("bob", 50)),
            Just(owned("cy", 500)),
            Just(PASS),
            Just(FAIL),
            Just(closed(false, "")),
            Just(closed(true, "reason")),
        ]
    }

    proptest! {
        /// However decisions follow each other: closed means retested after the last failure, or accepted by somebody else.
        #[test]
        fn closed_is_never_for_nothing(said in proptest::collection::vec((0usize..3, any_said()), 0..8)) {
            let people = ["ann", "bob", "cy"];
            let decisions: Vec<Decision> =
                (1..).zip(&said).map(|(n, (who, said))| decided(n, people[*who], said.clone())).collect();
            let stand = stand(&decisions, Instant::from_ms(100));
            let closings = decisions.iter().filter(|d| matches!(d.said, Said::Closed { .. })).count();
            prop_assert!(stand.not_counted.len() <= closings);
            if let Some(entry) = stand.closed_by {
                let at = usize::try_from(entry - 1).unwrap();
                // Nothing after it speaks against it.
                let against = |d: &Decision| matches!(d.said, Said::Triaged(_) | Said::Retested { passed: false, .. });
                prop_assert!(!decisions[at..].iter().any(against));
                let Said::Closed { accepted, .. } = &decisions[at].said else { panic!("no closing") };
                let last = decisions[..at].iter().rev().find(|d| matches!(d.said, Said::Retested { .. }));
                let passed = last.is_some_and(|d| d.said == PASS);
                let by = decisions[at].by.as_deref();
                let owners = decisions[..at].iter().rev().find_map(|d| match &d.said {
                    Said::Triaged(t) => t.owner.clone(),
                    _ => None,
                });
                let rightly = if *accepted { owners.as_deref() != by } else { passed };
                prop_assert!(rightly);
            }
        }
    }
}
