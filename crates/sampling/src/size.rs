//! Sizes that are customary: presets of judgement by how often a control operates. They are no statistics, and a sample of
//! such a size carries no confidence.

use std::fmt;
use std::str::FromStr;

/// How much is customary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    /// As little as is accepted.
    Lean,
    /// What most do.
    Common,
    /// Where much depends on the control.
    HighRisk,
}

impl Profile {
    /// Every profile, the smallest sizes first.
    pub const ALL: [Self; 3] = [Self::Lean, Self::Common, Self::HighRisk];

    /// The word for it; read back by `parse`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lean => "lean",
            Self::Common => "common",
            Self::HighRisk => "high-risk",
        }
    }
}

/// How often a control operates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Frequency {
    /// Once a year.
    Annual,
    /// Twice a year.
    SemiAnnual,
    /// Four times a year.
    Quarterly,
    /// Every month.
    Monthly,
    /// Twice a month, or every other week.
    SemiMonthly,
    /// Every week.
    Weekly,
    /// Every day, or every business day.
    Daily,
    /// Whenever something happens. Up to [`SMALL`] items the size goes by the population.
    PerEvent,
    /// A configuration that works by itself.
    Automated,
}

/// Up to how many items what happens by occasion is a small population.
pub const SMALL: u64 = 250;

impl Frequency {
    /// Every frequency, the rarest first.
    pub const ALL: [Self; 9] = [
        Self::Annual,
        Self::SemiAnnual,
        Self::Quarterly,
        Self::Monthly,
        Self::SemiMonthly,
        Self::Weekly,
        Self::Daily,
        Self::PerEvent,
        Self::Automated,
    ];

    /// The word for it; read back by `parse`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Annual => "annual",
            Self::SemiAnnual => "semi-annual",
            Self::Quarterly => "quarterly",
            Self::Monthly => "monthly",
            Self::SemiMonthly => "semi-monthly",
            Self::Weekly => "weekly",
            Self::Daily => "daily",
            Self::PerEvent => "per-event",
            Self::Automated => "automated",
        }
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        of_words(text, &Self::ALL.map(|profile| (profile.word(), profile)))
    }
}

impl FromStr for Frequency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        of_words(text, &Self::ALL.map(|frequency| (frequency.word(), frequency)))
    }
}

fn of_words<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        format!("it is one of {}", known.join(", "))
    })
}

/// How many items a profile asks for. Where it leaves a choice, so does this.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    /// From the first to the second number, both included; never more than there are.
    Between(u64, u64),
    /// One of each distinct configuration, and what has to be shown besides.
    EachConfiguration(&'static str),
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Between(from, to) if from == to => write!(f, "{from}"),
            Self::Between(from, to) => write!(f, "{from} to {to}"),
            Self::EachConfiguration(proof) => write!(f, "one of each distinct configuration, {proof}"),
        }
    }
}

/// What `profile` asks for of a control that operates with `frequency`, in a population of `rows`.
#[must_use]
pub fn size(profile: Profile, frequency: Frequency, rows: u64) -> Size {
    // A tenth, rounded up: of 41 items at least a tenth is five.
    let tenth = rows.div_ceil(10);
    let [lean, common, high] = match frequency {
        Frequency::Annual => [(1, 1), (1, 1), (1, 1)],
        Frequency::SemiAnnual => [(1, 1), (2, 2), (2, 2)],
        Frequency::Quarterly => [(2, 2), (2, 2), (2, 4)],
        Frequency::Monthly => [(2, 2), (2, 3), (4, 5)],
        Frequency::SemiMonthly => [(3, 3), (4, 4), (8, 8)],
        Frequency::Weekly => [(5, 5), (5, 8), (9, 15)],
        Frequency::Daily => [(15, 20), (20, 25), (40, 40)],
        Frequency::PerEvent if rows <= SMALL => {
            let (lean, common) = (tenth.max(3), tenth.clamp(5, 25));
            [(lean, lean), (common, common), (40, 40)]
        }
        Frequency::PerEvent => [(25, 25), (25, 40), (60, 60)],
        Frequency::Automated => {
            return Size::EachConfiguration(match profile {
                Profile::Lean => "provided that change management over it is effective",
                Profile::Common => {
                    "provided that change management over it is effective, and proof that it stayed unchanged over the period"
                }
                Profile::HighRisk => "at several dates, with proof that it stayed unchanged over the period",
            });
        }
    };
    let (from, to) = match profile {
        Profile::Lean => lean,
        Profile::Common => common,
        Profile::HighRisk => high,
    };
    Size::Between(from.min(rows), to.min(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(frequency: Frequency, rows: u64, expect: [&str; 3]) {
        assert_eq!(Profile::ALL.map(|p| size(p, frequency, rows).to_string()), expect, "{rows}");
    }

    #[test]
    fn the_customary_sizes() {
        check(Frequency::Annual, 1, ["1", "1", "1"]);
        check(Frequency::SemiAnnual, 2, ["1", "2", "2"]);
        check(Frequency::Quarterly, 4, ["2", "2", "2 to 4"]);
        check(Frequency::Monthly, 12, ["2", "2 to 3", "4 to 5"]);
        check(Frequency::SemiMonthly, 24, ["3", "4", "8"]);
        check(Frequency::Weekly, 52, ["5", "5 to 8", "9 to 15"]);
        check(Frequency::Daily, 250, ["15 to 20", "20 to 25", "40"]);
        check(Frequency::PerEvent, 251, ["25", "25 to 40", "60"]);
    }

    #[test]
    fn a_small_population_by_a_tenth_with_bounds() {
        check(Frequency::PerEvent, 250, ["25", "25", "40"]);
        check(Frequency::PerEvent, 101, ["11", "11", "40"]);
        check(Frequency::PerEvent, 41, ["5", "5", "40"]);
        check(Frequency::PerEvent, 12, ["3", "5", "12"]);
    }

    #[test]
    fn never_more_than_there_are() {
        check(Frequency::PerEvent, 2, ["2", "2", "2"]);
        check(Frequency::Weekly, 7, ["5", "5 to 7", "7"]);
        check(Frequency::Daily, 0, ["0", "0", "0"]);
    }

    #[test]
    fn a_configuration_has_no_number() {
        for profile in Profile::ALL {
            assert!(matches!(size(profile, Frequency::Automated, 9), Size::EachConfiguration(_)));
        }
    }
}
