//! What an auditor who had seen everything would say: of each seeded item its verdicts, with the reason, and of all others
//! that nothing deviates. Said when the thing is made to happen, from the control's statement and the company's policy; never
//! from what any program answers.

use std::collections::BTreeSet;

use model::{Attribute, Instant, Verdict};

use crate::company::Company;

/// What is claimed of a company and its year.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Truth {
    /// What was made to happen.
    pub seeded: Vec<Seeded>,
    /// The tests of which it is claimed that nothing else deviates, and nothing else is unknown.
    pub nothing_else: BTreeSet<&'static str>,
    /// What nothing that is collected proves, by test and attribute: unknown there is no surprise.
    pub unproven: Vec<(&'static str, Attribute, &'static str)>,
    /// Tests whose items may be unknown, because a collector was down for a while: deviations must still be none but the seeded.
    pub dark: BTreeSet<&'static str>,
    /// Tests in whose population nothing came up.
    pub did_not_operate: Vec<(&'static str, &'static str)>,
}

/// One thing that was made to happen, and what is right to say of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seeded {
    /// The control it concerns.
    pub control: &'static str,
    /// The test that sees it.
    pub test: &'static str,
    /// The case: a number of the list of nasty cases (`N41`), or a name of our own.
    pub case: &'static str,
    /// The item, by the key that the company itself uses for it.
    pub item: String,
    /// Within what it is judged, by its key, where an item is judged more than once.
    pub within: Option<String>,
    /// The instant that tells it from others of the same key, such as the beginning of a quarter.
    pub at: Option<Instant>,
    /// What is right to say.
    pub expect: Expect,
    /// What is right to say of the last day alone, where that can be asked; nothing is claimed when empty.
    pub last_day: Vec<(Attribute, Verdict)>,
    /// Why, in a sentence.
    pub why: String,
}

/// What is right to say of an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expect {
    /// These verdicts; of attributes that are not named only that they do not deviate.
    Says(Vec<(Attribute, Verdict)>),
    /// It belongs to no population: to ask about it would be wrong.
    Absent,
}

/// What kind of thing was made to happen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// The control failed.
    Deviation,
    /// It looks like a failure and is none.
    NearMiss,
    /// Nobody can say, or a person has to.
    Open,
}

impl Seeded {
    /// What kind of thing it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.expect {
            Expect::Says(says) if says.iter().any(|(_, v)| *v == Verdict::Deviation) => Kind::Deviation,
            Expect::Says(says)
                if says.iter().any(|(_, v)| matches!(v, Verdict::NoEvidence | Verdict::NeedsJudgement)) =>
            {
                Kind::Open
            }
            _ => Kind::NearMiss,
        }
    }

    pub(crate) fn within(self, key: &str) -> Self {
        Self { within: Some(key.to_owned()), ..self }
    }

    pub(crate) fn at(self, ms: i64) -> Self {
        Self { at: Some(Instant::from_ms(ms)), ..self }
    }

    /// What is right on the last day, in the letters of [`seeded`].
    pub(crate) fn last_day(self, letters: &str) -> Self {
        Self { last_day: verdicts(letters), ..self }
    }
}

/// A seeded item. Its verdicts stand in letters, one an attribute: `p` pass, `d` deviation, `n` no evidence, `j` needs
/// judgement, `y` not yet due, `-` not applicable, `.` nothing is claimed; `absent` that it is in no population.
pub(crate) fn seeded(
    (control, test, case): (&'static str, &'static str, &'static str),
    item: &str,
    letters: &str,
    why: impl Into<String>,
) -> Seeded {
    let expect = if letters == "absent" { Expect::Absent } else { Expect::Says(verdicts(letters)) };
    Seeded {
        control,
        test,
        case,
        item: item.to_owned(),
        within: None,
        at: None,
        expect,
        last_day: vec![],
        why: why.into(),
    }
}

fn verdicts(letters: &str) -> Vec<(Attribute, Verdict)> {
    let said = |letter| match letter {
        'p' => Some(Verdict::Pass),
        'd' => Some(Verdict::Deviation),
        'n' => Some(Verdict::NoEvidence),
        'j' => Some(Verdict::NeedsJudgement),
        'y' => Some(Verdict::NotYetDue),
        '-' => Some(Verdict::NotApplicable),
        _ => None,
    };
    ('a'..='z')
        .zip(letters.chars())
        .filter_map(|(attribute, letter)| Some((Attribute(attribute), said(letter)?)))
        .collect()
}

/// What is claimed of a company.
#[must_use]
pub fn truth(company: &Company) -> Truth {
    Truth {
        seeded: company.seeded.clone(),
        nothing_else: crate::TESTS.iter().map(|(_, test)| *test).collect(),
        unproven: crate::UNPROVEN
            .iter()
            .map(|(test, letter, why)| (*test, Attribute(*letter), *why))
            .collect(),
        dark: company.outages.iter().flat_map(|o| o.tests.iter().copied()).collect(),
        did_not_operate: company.did_not_operate(),
    }
}
