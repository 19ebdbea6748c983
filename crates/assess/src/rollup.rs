//! From tests to criteria: what the tests of a control come to, and what may be proposed of a criterion to the person who
//! decides about it.
//!
//! A proposal is the worst of the criterion's key controls. It is never `met` while one of them is unknown, or has a
//! deviation that no tested control makes up for.

use std::collections::{BTreeMap, BTreeSet};

use model::{Conclusion, Instant};

/// Whether a control, kept as it is written, would do what it is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Design {
    /// It would.
    Suitable,
    /// Nobody concluded it, or not of its present statement, or of nothing that was inspected.
    CannotConclude,
    /// It would not.
    NotSuitable,
}

impl Design {
    /// The word as it stands in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Suitable => "suitable",
            Self::CannotConclude => "cannot_conclude",
            Self::NotSuitable => "not_suitable",
        }
    }
}

/// What a person concluded about the design of a control.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Concluded {
    /// Its ledger entry: of two about one instant the later counts.
    pub entry: i64,
    /// The instant it speaks of.
    pub at: Instant,
    /// Whether the design is suitable.
    pub suitable: bool,
    /// Version of the statement that was read.
    pub statement: String,
    /// Whether an instance was inspected.
    pub inspected: bool,
    /// Who concluded.
    pub by: Option<String>,
}

impl Concluded {
    /// Why it says nothing; `None` when it does.
    fn lacks(&self) -> Option<&'static str> {
        if self.by.is_none() {
            Some("nobody is named who concluded it")
        } else if !self.inspected {
            Some("no instance was inspected")
        } else {
            None
        }
    }
}

/// The design of a control over `[from, to)`, and why it cannot be concluded: what was last concluded before, and everything
/// inside. One that was found unsuitable in that time was unsuitable, whatever was concluded afterwards; one is suitable only by
/// what was said of its present statement.
#[must_use]
pub fn design(concluded: &[Concluded], statement: &str, from: Instant, to: Instant) -> (Design, String) {
    let mut last: BTreeMap<Instant, &Concluded> = BTreeMap::new();
    for said in concluded.iter().filter(|said| said.at < to) {
        let known = last.entry(said.at).or_insert(said);
        if said.entry > known.entry {
            *known = said;
        }
    }
    let before = last.range(..=from).next_back().map(|(_, said)| *said);
    let inside = last.iter().filter(|(at, _)| **at > from).map(|(_, said)| *said);
    let counts: Vec<&Concluded> = before.into_iter().chain(inside).collect();
    if counts.iter().any(|said| !said.suitable && said.lacks().is_none()) {
        return (Design::NotSuitable, String::new());
    }
    let current = |said: &&&Concluded| said.statement == statement;
    if counts.iter().filter(current).any(|said| said.lacks().is_none()) {
        return (Design::Suitable, String::new());
    }
    let why = match (counts.last(), counts.iter().rfind(|said| said.statement == statement)) {
        (None, _) => "nobody concluded it",
        (Some(_), None) => "its statement has changed since it was concluded",
        (Some(_), Some(said)) => said.lacks().unwrap_or("nobody concluded it"),
    };
    (Design::CannotConclude, why.to_owned())
}

/// A deviation of a control, as far as criteria ask.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exception {
    /// What people call it.
    pub name: String,
    /// The control that is said to make up for it.
    pub compensating: Option<String>,
    /// Whether it is found now; else it was registered and is not found any more.
    pub found: bool,
    /// Whether a person is done with it.
    pub closed: bool,
}

/// What one procedure says of a control.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Test {
    /// The procedure.
    pub procedure: String,
    /// Its conclusion; `None` at a date, which says nothing about operation.
    pub conclusion: Option<Conclusion>,
    /// Why it cannot be concluded.
    pub held_back_by: Vec<String>,
}

/// Everything a roll-up asks of a control.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ControlFacts {
    /// Its id.
    pub id: String,
    /// Whether it would do what it is for.
    pub design: Design,
    /// Why it cannot be concluded; empty otherwise.
    pub design_because: String,
    /// What its procedures say.
    pub tests: Vec<Test>,
    /// Its deviations.
    pub exceptions: Vec<Exception>,
}

/// How a control operated, and why that is all that can be said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// The conclusion.
    pub conclusion: Conclusion,
    /// In words, what holds it back or qualifies it.
    pub because: Vec<String>,
}

impl ControlFacts {
    /// The worst of its tests. One that found nothing to test says nothing against another that did.
    #[must_use]
    pub fn operation(&self) -> Operation {
        let mut because = vec![];
        let concluded: BTreeSet<Conclusion> = self.tests.iter().filter_map(|t| t.conclusion).collect();
        for test in &self.tests {
            match test.conclusion {
                Some(Conclusion::CannotConclude) => {
                    because.push(format!("`{}`: {}", test.procedure, test.held_back_by.join("; ")));
                }
                Some(Conclusion::DidNotOperate) => {
                    because.push(format!("`{}`: nothing to test came up", test.procedure));
                }
                None => because.push(format!("`{}` was not asked over a period", test.procedure)),
                Some(Conclusion::NoExceptions | Conclusion::ExceptionsNoted) => {}
            }
        }
        let conclusion = if self.tests.is_empty() {
            because.push("no procedure tests it".to_owned());
            Conclusion::CannotConclude
        } else if concluded.contains(&Conclusion::CannotConclude)
            || self.tests.iter().any(|t| t.conclusion.is_none())
        {
            Conclusion::CannotConclude
        } else if concluded.contains(&Conclusion::ExceptionsNoted) {
            Conclusion::ExceptionsNoted
        } else if concluded.contains(&Conclusion::NoExceptions) {
            Conclusion::NoExceptions
        } else {
            Conclusion::DidNotOperate
        };
        Operation { conclusion, because }
    }
}

/// What may be said of a criterion, from the best to the worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Proposal {
    /// Every key control is suitable and operated without exceptions.
    Met,
    /// There are deviations, and controls that were tested make up for each of them.
    MetWithExceptions,
    /// Something is unknown.
    CannotConclude,
    /// A key control is unsuitable, or deviates and nothing tested makes up for it.
    NotMet,
}

impl Proposal {
    /// Every word, from the best to the worst.
    pub const ALL: [Self; 4] = [Self::Met, Self::MetWithExceptions, Self::CannotConclude, Self::NotMet];

    /// The word as it stands in the table and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::MetWithExceptions => "met_with_exceptions",
            Self::CannotConclude => "cannot_conclude",
            Self::NotMet => "not_met",
        }
    }

    /// The proposal of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.word() == word)
    }
}

/// A control that answers to a criterion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mapped<'a> {
    /// The control's id.
    pub control: &'a str,
    /// Whether the criterion rests on it.
    pub key: bool,
}

/// A proposal with its reasons, the worst first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposed {
    /// What is proposed.
    pub proposal: Proposal,
    /// Why, in words.
    pub because: Vec<String>,
}

/// Why a control does not make up for a deviation of `of`; `None` when it does: it is another control, its design is
/// suitable, and it was tested over the same period and has no exceptions. As it may have none, no circle of controls can
/// make up for itself.
#[must_use]
pub fn does_not_compensate(
    controls: &BTreeMap<String, ControlFacts>,
    of: &str,
    compensating: Option<&str>,
) -> Option<String> {
    let Some(id) = compensating else { return Some("no control is named that makes up for it".to_owned()) };
    if id == of {
        return Some(format!("{id} cannot make up for itself"));
    }
    let Some(facts) = controls.get(id) else {
        return Some(format!("there is no control {id} that could make up for it"));
    };
    match facts.operation().conclusion {
        Conclusion::NoExceptions if facts.design == Design::Suitable => None,
        Conclusion::NoExceptions => Some(format!("the design of {id} is {}", spoken(facts.design.word()))),
        Conclusion::ExceptionsNoted => Some(format!("{id} has exceptions itself")),
        Conclusion::DidNotOperate => Some(format!("{id} did not operate")),
        Conclusion::CannotConclude if facts.tests.is_empty() => Some(format!("{id} is not tested")),
        Conclusion::CannotConclude => Some(format!("the test of {id} cannot be concluded")),
    }
}

/// What may be proposed of a criterion. At a date only the design of controls is asked about; what deviates at it keeps the
/// proposal from being `met`, for a person has to weigh it.
#[must_use]
pub fn propose(
    mapped: &[Mapped<'_>],
    controls: &BTreeMap<String, ControlFacts>,
    at_a_date: bool,
) -> Proposed {
    let mut because: BTreeSet<(std::cmp::Reverse<Proposal>, String)> = BTreeSet::new();
    let mut say = |proposal: Proposal, reason: String| {
        because.insert((std::cmp::Reverse(proposal), reason));
    };
    let keys: BTreeSet<&str> = mapped.iter().filter(|m| m.key).map(|m| m.control).collect();
    if mapped.is_empty() {
        say(Proposal::CannotConclude, "no control answers to it".to_owned());
    } else if keys.is_empty() {
        say(Proposal::CannotConclude, "none of its controls is a key control".to_owned());
    }
    let mut operated = false;
    for id in &keys {
        let Some(facts) = controls.get(*id) else {
            say(Proposal::CannotConclude, format!("nothing is known of {id}"));
            continue;
        };
        match facts.design {
            Design::Suitable => {}
            Design::NotSuitable => say(Proposal::NotMet, format!("the design of {id} is not suitable")),
            Design::CannotConclude => say(
                Proposal::CannotConclude,
                format!("the design of {id} cannot be concluded: {}", facts.design_because),
            ),
        }
        for exception in &facts.exceptions {
            let name = &exception.name;
            if !exception.found {
                if exception.closed {
                    say(Proposal::Met, format!("{id}: {name} is not found any more, and is closed"));
                } else {
                    say(
                        Proposal::CannotConclude,
                        format!("{id}: {name} is not found any more, and nobody closed it"),
                    );
                }
                continue;
            }
            if at_a_date {
                say(Proposal::CannotConclude, format!("{id}: {name} deviates at that date"));
                continue;
            }
            match does_not_compensate(controls, id, exception.compensating.as_deref()) {
                None => say(
                    Proposal::MetWithExceptions,
                    format!(
                        "{id}: {} makes up for {name}",
                        exception.compensating.as_deref().unwrap_or_default()
                    ),
                ),
                Some(why) => say(Proposal::NotMet, format!("{id}: {name} stands: {why}")),
            }
        }
        if at_a_date {
            operated = true;
            continue;
        }
        let operation = facts.operation();
        match operation.conclusion {
            Conclusion::NoExceptions => operated = true,
            Conclusion::ExceptionsNoted => {
                operated = true;
                if !facts.exceptions.iter().any(|e| e.found) {
                    say(Proposal::NotMet, format!("{id} has exceptions that nobody named"));
                }
            }
            Conclusion::DidNotOperate => {
                say(
                    Proposal::Met,
                    format!("{id} did not operate: nothing came up, so only its design is known"),
                );
            }
            Conclusion::CannotConclude => say(
                Proposal::CannotConclude,
                format!("the operation of {id} cannot be concluded: {}", operation.because.join("; ")),
            ),
        }
    }
    if !keys.is_empty() && !operated {
        say(Proposal::CannotConclude, "none of its key controls is known to have operated".to_owned());
    }
    let proposal = because.first().map_or(Proposal::Met, |(worst, _)| worst.0);
    Proposed { proposal, because: because.into_iter().map(|(_, reason)| reason).collect() }
}

/// Why nobody may decide so, in view of what is proposed; `None` when they may. A person may always say less.
#[must_use]
pub fn decision_refused(decision: Proposal, proposed: &Proposed) -> Option<String> {
    let claims = matches!(decision, Proposal::Met | Proposal::MetWithExceptions);
    (claims && decision < proposed.proposal).then(|| {
        format!(
            "it cannot be `{}` while what is known says `{}`: {}",
            decision.word(),
            proposed.proposal.word(),
            proposed.because.join("; ")
        )
    })
}

fn spoken(word: &str) -> String {
    word.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn control(id: &str, design: Design, conclusions: &[Conclusion]) -> ControlFacts {
        let test = |c: &Conclusion| Test {
            procedure: "p".into(),
            conclusion: Some(*c),
            held_back_by: vec!["the population is not proven".into()],
        };
        ControlFacts {
            id: id.into(),
            design,
            design_because: "nobody concluded it".into(),
            tests: conclusions.iter().map(test).collect(),
            exceptions: vec![],
        }
    }

    fn exception(name: &str, compensating: Option<&str>) -> Exception {
        let compensating = compensating.map(str::to_owned);
        Exception { name: name.into(), compensating, found: true, closed: false }
    }

    fn all(controls: Vec<ControlFacts>) -> BTreeMap<String, ControlFacts> {
        controls.into_iter().map(|c| (c.id.clone(), c)).collect()
    }

    use Conclusion::{CannotConclude, DidNotOperate, ExceptionsNoted, NoExceptions};
    use Design::Suitable;

    #[track_caller]
    fn check(controls: Vec<ControlFacts>, mapped: &[(&str, bool)], expect: &str, reason: &str) {
        let mapped: Vec<Mapped<'_>> =
            mapped.iter().map(|(control, key)| Mapped { control, key: *key }).collect();
        let said = propose(&mapped, &all(controls), false);
        assert_eq!(said.proposal.word(), expect, "{:?}", said.because);
        assert!(said.because.iter().any(|b| b.contains(reason)) || reason.is_empty(), "{:?}", said.because);
    }

    #[test]
    fn a_criterion_is_the_worst_of_its_key_controls() {
        let good = || control("A-1", Suitable, &[NoExceptions]);
        check(vec![good()], &[("A-1", true)], "met", "");
        let bad = || control("A-2", Suitable, &[CannotConclude]);
        check(vec![good(), bad()], &[("A-1", true), ("A-2", true)], "cannot_conclude", "A-2 cannot be");
        check(vec![good(), bad()], &[("A-1", true), ("A-2", false)], "met", "");
        check(vec![good()], &[("A-1", false)], "cannot_conclude", "none of its controls is a key control");
        check(vec![], &[], "cannot_conclude", "no control answers to it");
        check(vec![], &[("A-1", true)], "cannot_conclude", "nothing is known of A-1");
        let undesigned = control("A-1", Design::CannotConclude, &[NoExceptions]);
        check(vec![undesigned], &[("A-1", true)], "cannot_conclude", "nobody concluded it");
        let unsuitable = control("A-1", Design::NotSuitable, &[NoExceptions]);
        check(vec![unsuitable], &[("A-1", true)], "not_met", "not suitable");
        check(vec![control("A-1", Suitable, &[])], &[("A-1", true)], "cannot_conclude", "no procedure tests");
        // Mapped twice counts once.
        check(vec![good()], &[("A-1", true), ("A-1", true)], "met", "");
    }

    #[test]
    fn a_deviation_needs_a_control_that_was_tested_and_held() {
        let with = |compensating: Option<&str>| ControlFacts {
            exceptions: vec![exception("D-1", compensating)],
            ..control("A-1", Suitable, &[ExceptionsNoted])
        };
        let mapped = [("A-1", true)];
        let by = |other: ControlFacts| vec![with(Some("B-1")), other];
        check(vec![with(None)], &mapped, "not_met", "no control is named that makes up for it");
        check(vec![with(Some("A-1"))], &mapped, "not_met", "A-1 cannot make up for itself");
        check(vec![with(Some("B-1"))], &mapped, "not_met", "there is no control B-1");
        check(by(control("B-1", Suitable, &[])), &mapped, "not_met", "B-1 is not tested");
        check(by(control("B-1", Suitable, &[ExceptionsNoted])), &mapped, "not_met", "B-1 has exceptions");
        check(by(control("B-1", Suitable, &[CannotConclude])), &mapped, "not_met", "cannot be concluded");
        check(by(control("B-1", Suitable, &[DidNotOperate])), &mapped, "not_met", "B-1 did not operate");
        check(
            by(control("B-1", Design::CannotConclude, &[NoExceptions])),
            &mapped,
            "not_met",
            "the design of B-1 is cannot conclude",
        );
        check(
            by(control("B-1", Suitable, &[NoExceptions])),
            &mapped,
            "met_with_exceptions",
            "B-1 makes up for D-1",
        );
        // Two controls that each make up for the other make up for nothing.
        let circle = ControlFacts {
            exceptions: vec![exception("D-2", Some("A-1"))],
            ..control("B-1", Suitable, &[ExceptionsNoted])
        };
        check(by(circle), &mapped, "not_met", "D-1 stands: B-1 has exceptions itself");
        // Exceptions without a name are exceptions.
        check(
            vec![control("A-1", Suitable, &[ExceptionsNoted])],
            &mapped,
            "not_met",
            "exceptions that nobody named",
        );
    }

    #[test]
    fn a_deviation_that_vanished_waits_for_a_person() {
        let gone = |closed: bool| ControlFacts {
            exceptions: vec![Exception { found: false, closed, ..exception("D-1", None) }],
            ..control("A-1", Suitable, &[NoExceptions])
        };
        check(vec![gone(false)], &[("A-1", true)], "cannot_conclude", "nobody closed it");
        check(vec![gone(true)], &[("A-1", true)], "met", "is closed");
    }

    #[test]
    fn what_never_happened_is_no_proof_alone() {
        let idle = || control("A-1", Suitable, &[DidNotOperate]);
        check(vec![idle()], &[("A-1", true)], "cannot_conclude", "none of its key controls");
        let other = control("A-2", Suitable, &[NoExceptions]);
        check(vec![idle(), other], &[("A-1", true), ("A-2", true)], "met", "A-1 did not operate");
        assert_eq!(
            control("A-1", Suitable, &[NoExceptions, DidNotOperate]).operation().conclusion,
            NoExceptions
        );
        assert_eq!(idle().operation().conclusion, DidNotOperate);
    }

    #[test]
    fn a_date_asks_about_design_alone() {
        let at = |facts: ControlFacts| {
            propose(&[Mapped { control: "A-1", key: true }], &all(vec![facts]), true).proposal
        };
        assert_eq!(at(control("A-1", Suitable, &[])), Proposal::Met);
        assert_eq!(at(control("A-1", Design::CannotConclude, &[])), Proposal::CannotConclude);
        let deviates =
            ControlFacts { exceptions: vec![exception("c1", None)], ..control("A-1", Suitable, &[]) };
        assert_eq!(at(deviates), Proposal::CannotConclude);
    }

    #[test]
    fn nobody_may_decide_for_more_than_is_known() {
        let proposed = |proposal| Proposed { proposal, because: vec!["reason".into()] };
        for decision in Proposal::ALL {
            for proposal in Proposal::ALL {
                let refused = decision_refused(decision, &proposed(proposal)).is_some();
                let expect = match decision {
                    Proposal::Met => proposal != Proposal::Met,
                    Proposal::MetWithExceptions => proposal > Proposal::MetWithExceptions,
                    Proposal::CannotConclude | Proposal::NotMet => false,
                };
                assert_eq!(refused, expect, "{decision:?} {proposal:?}");
            }
        }
    }

    #[test]
    fn a_design_is_what_a_named_person_concluded_of_an_inspected_instance() {
        let said = |entry: i64, at: i64, suitable: bool| Concluded {
            entry,
            at: Instant::from_ms(at),
            suitable,
            statement: "s1".into(),
            inspected: true,
            by: Some("ann".into()),
        };
        let check = |concluded: &[Concluded], expect: &str| {
            let (design, why) = design(concluded, "s1", Instant::from_ms(100), Instant::from_ms(200));
            assert_eq!(format!("{} {why}", design.word()).trim_end(), expect);
        };
        check(&[], "cannot_conclude nobody concluded it");
        check(&[said(1, 50, true)], "suitable");
        check(&[said(1, 199, true)], "suitable");
        check(&[said(1, 200, true)], "cannot_conclude nobody concluded it");
        // Replaced before the period began; unsuitable at its beginning; unsuitable in the middle of it.
        check(&[said(1, 50, false), said(2, 60, true)], "suitable");
        check(&[said(1, 50, false), said(2, 150, true)], "not_suitable");
        check(&[said(1, 50, true), said(2, 150, false), said(3, 160, true)], "not_suitable");
        // A mistake corrected for the same instant, in whatever order it is read.
        check(&[said(2, 150, true), said(1, 150, false)], "suitable");
        let other = Concluded { statement: "s0".into(), ..said(1, 50, true) };
        check(
            std::slice::from_ref(&other),
            "cannot_conclude its statement has changed since it was concluded",
        );
        check(&[other, said(2, 150, true)], "suitable");
        let nobody = Concluded { by: None, ..said(1, 50, true) };
        check(&[nobody], "cannot_conclude nobody is named who concluded it");
        let unseen = Concluded { inspected: false, ..said(1, 50, true) };
        check(&[unseen], "cannot_conclude no instance was inspected");
    }

    fn any_control(id: &'static str) -> impl Strategy<Value = ControlFacts> {
        let design = prop_oneof![
            4 => Just(Suitable),
            1 => Just(Design::CannotConclude),
            1 => Just(Design::NotSuitable),
        ];
        let conclusions = proptest::collection::vec(
            prop_oneof![
                4 => Just(NoExceptions),
                1 => Just(ExceptionsNoted),
                1 => Just(DidNotOperate),
                1 => Just(CannotConclude),
            ],
            0..3,
        );
        let exceptions = proptest::collection::vec(
            (
                proptest::option::of(prop_oneof![Just("A"), Just("B"), Just("C")]),
                any::<bool>(),
                any::<bool>(),
            ),
            0..3,
        );
        (design, conclusions, exceptions).prop_map(move |(design, conclusions, exceptions)| ControlFacts {
            exceptions: exceptions
                .into_iter()
                .map(|(by, found, closed)| Exception { found, closed, ..exception("D", by) })
                .collect(),
            ..control(id, design, &conclusions)
        })
    }

    proptest! {
        /// What `met` promises, said over again from the facts alone.
        #[test]
        fn met_is_never_said_over_something_unknown_or_uncompensated(
            a in any_control("A"), b in any_control("B"), c in any_control("C"), keys in 0u8..8,
        ) {
            let controls = all(vec![a, b, c]);
            let ids = ["A", "B", "C"];
            let mapped: Vec<Mapped<'_>> =
                ids.iter().enumerate().map(|(n, control)| Mapped { control, key: keys >> n & 1 == 1 }).collect();
            let said = propose(&mapped, &controls, false).proposal;
            let key: Vec<&ControlFacts> = mapped.iter().filter(|m| m.key).map(|m| &controls[m.control]).collect();
            let unknown = |facts: &ControlFacts| {
                facts.design != Suitable
                    || facts.tests.is_empty()
                    || facts.tests.iter().any(|t| t.conclusion == Some(CannotConclude))
            };
            let held = |id: &str| {
                let tests = &controls[id].tests;
                controls[id].design == Suitable
                    && tests.iter().any(|t| t.conclusion == Some(NoExceptions))
                    && tests.iter().all(|t| matches!(t.conclusion, Some(NoExceptions | DidNotOperate)))
            };
            if said <= Proposal::MetWithExceptions {
                prop_assert!(!key.is_empty());
                for facts in &key {
                    prop_assert!(!unknown(facts));
                    for e in facts.exceptions.iter().filter(|e| e.found) {
                        let by = e.compensating.as_deref();
                        prop_assert!(by.is_some_and(|by| by != facts.id && held(by)));
                    }
                }
            }
            if said == Proposal::Met {
                let deviates = |f: &&ControlFacts| {
                    f.exceptions.iter().any(|e| e.found)
                        || f.tests.iter().any(|t| t.conclusion == Some(ExceptionsNoted))
                };
                prop_assert!(!key.iter().any(deviates));
            }
            // The order of the mapping changes nothing, nor does saying it twice.
            let twice: Vec<Mapped<'_>> = mapped.iter().rev().chain(&mapped).copied().collect();
            prop_assert_eq!(propose(&twice, &controls, false), propose(&mapped, &controls, false));
            // One more deviation is never better.
            if let Some(first) = key.first() {
                let mut more = controls.clone();
                let id = first.id.clone();
                more.get_mut(&id).unwrap().exceptions.push(exception("D-9", None));
                prop_assert!(propose(&mapped, &more, false).proposal >= said);
            }
        }
    }
}
