//! The words of a result: verdicts per attribute and item, conclusions per control, grades of evidence.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every word, in the order of the declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word as it stands in SQL and JSON.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(self.word()) }
        }

        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    other => Err(format!(concat!("`{}` is none of", $(" `", $word, "`",)+), other)),
                }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// The result of one attribute on one item of a population. Unknown is never `pass`.
    ///
    /// Ordered from what needs a look first to what needs none.
    Verdict {
        /// The rule was broken.
        Deviation = "deviation",
        /// A person has to decide; the facts allow more than one reading.
        NeedsJudgement = "needs_judgement",
        /// Nobody could look, or the records cannot say.
        NoEvidence = "no_evidence",
        /// The deadline lies after the cut-off.
        NotYetDue = "not_yet_due",
        /// The rule held.
        Pass = "pass",
        /// The rule does not concern this item.
        NotApplicable = "not_applicable",
    }
}

words! {
    /// What the tests of a period say about the operation of a control (Type II).
    Conclusion {
        /// No deviation at all; population and coverage are proven.
        NoExceptions = "no_exceptions",
        /// At least one deviation; nothing is unknown.
        ExceptionsNoted = "exceptions_noted",
        /// The population is proven to be empty.
        DidNotOperate = "did_not_operate",
        /// Something could not be looked at, or a person has to decide first.
        CannotConclude = "cannot_conclude",
    }
}

words! {
    /// How far a row's evidence can be trusted. Alphabetical order is order of strength, so that the SQL `min(grade)`
    /// is the weakest of several.
    Grade {
        /// Text that somebody typed: a commit trailer, a spreadsheet.
        Asserted = "asserted",
        /// Entered or uploaded here by a named person.
        Manual = "manual",
        /// The source's own record.
        System = "system",
    }
}

/// The letter of a tested attribute: `a` to `z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Attribute(pub char);

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_round_trips_and_a_wrong_one_is_named() {
        for v in Verdict::ALL {
            assert_eq!(v.word().parse::<Verdict>(), Ok(*v));
        }
        assert!("Pass".parse::<Verdict>().unwrap_err().starts_with("`Pass` is none of `deviation`"));
    }

    #[test]
    fn the_weakest_grade_sorts_first_as_text_too() {
        let mut words: Vec<&str> = Grade::ALL.iter().map(|g| g.word()).collect();
        let declared = words.clone();
        words.sort_unstable();
        assert_eq!(words, declared);
    }
}
