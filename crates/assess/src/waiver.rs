//! Waivers: intervals in which somebody allowed that a rule is not kept. They change no verdict and no count; they stand
//! beside the deviations they were approved for in advance.

use model::Instant;

/// A waiver as it was entered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiver {
    /// Its name for good.
    pub key: String,
    /// The control it is about.
    pub control: Option<String>,
    /// The procedure it is about.
    pub procedure: Option<String>,
    /// The only item it is about; every item when absent.
    pub item: Option<String>,
    /// From when it holds.
    pub valid_from: Instant,
    /// The first instant at which it does not hold any more; `None` when nobody says.
    pub valid_to: Option<Instant>,
    /// When it was approved.
    pub approved_at: Option<Instant>,
    /// Who approved it.
    pub approved_by: Option<String>,
}

/// A deviation, as far as a waiver asks.
#[derive(Clone, Copy, Debug)]
pub struct Waivable<'a> {
    /// Controls that its procedure tests.
    pub controls: &'a [String],
    /// The procedure that found it.
    pub procedure: &'a str,
    /// Key of the item.
    pub item: &'a str,
    /// The first instant of it.
    pub from: Instant,
    /// The last instant of it: the same one, unless the item lasts a period.
    pub last: Instant,
}

/// How a waiver stands to a deviation it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waived {
    /// It was approved before the deviation, and holds throughout it.
    Covers,
    /// Nobody approved it, or nobody knows who or when.
    NotApproved,
    /// It was approved after the deviation.
    Retroactive,
    /// It begins after the deviation.
    BeginsLater,
    /// It had ended by then.
    Expired,
    /// Nobody can say until when it holds.
    EndUnknown,
    /// It holds for a part of the time only.
    InPart,
}

impl Waived {
    /// The word as it stands in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Covers => "covers",
            Self::NotApproved => "not_approved",
            Self::Retroactive => "retroactive",
            Self::BeginsLater => "begins_later",
            Self::Expired => "expired",
            Self::EndUnknown => "end_unknown",
            Self::InPart => "in_part",
        }
    }
}

impl Waiver {
    /// Whether it is about this deviation at all, whatever its time. One that names neither a control nor a procedure is
    /// about nothing.
    #[must_use]
    pub fn concerns(&self, deviation: &Waivable<'_>) -> bool {
        let control = self.control.as_ref().is_none_or(|control| deviation.controls.contains(control));
        let procedure = self.procedure.as_ref().is_none_or(|procedure| procedure == deviation.procedure);
        let item = self.item.as_ref().is_none_or(|item| item == deviation.item);
        (self.control.is_some() || self.procedure.is_some()) && control && procedure && item
    }

    /// How it stands to a deviation it is about: the first reason why it does not cover it.
    #[must_use]
    pub fn stands(&self, deviation: &Waivable<'_>) -> Waived {
        let Some(valid_to) = self.valid_to else { return Waived::EndUnknown };
        if valid_to <= deviation.from {
            return Waived::Expired;
        }
        if self.valid_from > deviation.last {
            return Waived::BeginsLater;
        }
        if self.valid_from > deviation.from || valid_to <= deviation.last {
            return Waived::InPart;
        }
        match (self.approved_at, &self.approved_by) {
            (Some(at), Some(_)) if at <= deviation.from => Waived::Covers,
            (Some(_), Some(_)) => Waived::Retroactive,
            _ => Waived::NotApproved,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: i64) -> Instant {
        Instant::from_ms(ms)
    }

    fn waiver(from: i64, to: Option<i64>, approved: Option<i64>) -> Waiver {
        Waiver {
            key: "W-1".into(),
            control: Some("CHG-02".into()),
            procedure: None,
            item: None,
            valid_from: at(from),
            valid_to: to.map(at),
            approved_at: approved.map(at),
            approved_by: approved.map(|_| "cy".into()),
        }
    }

    fn of<'a>(controls: &'a [String], from: i64, last: i64) -> Waivable<'a> {
        Waivable { controls, procedure: "p", item: "c1", from: at(from), last: at(last) }
    }

    #[test]
    fn only_what_was_approved_before_and_holds_then_covers() {
        let controls = vec!["CHG-02".to_owned()];
        let check = |waiver: Waiver, expect: &str| {
            let deviation = of(&controls, 100, 100);
            assert!(waiver.concerns(&deviation));
            assert_eq!(waiver.stands(&deviation).word(), expect, "{waiver:?}");
        };
        check(waiver(100, Some(101), Some(100)), "covers");
        // A millisecond late, or over by a millisecond.
        check(waiver(101, Some(200), Some(50)), "begins_later");
        check(waiver(50, Some(100), Some(50)), "expired");
        check(waiver(50, Some(200), Some(101)), "retroactive");
        check(waiver(50, Some(200), None), "not_approved");
        check(waiver(50, None, Some(50)), "end_unknown");
        let open = Instant::FOREVER.ms();
        check(waiver(50, Some(open), None), "not_approved");
        check(waiver(50, Some(open), Some(60)), "covers");
        // Ends before it begins.
        check(waiver(150, Some(50), Some(1)), "expired");
        let unnamed = Waiver { approved_by: None, ..waiver(50, Some(200), Some(50)) };
        check(unnamed, "not_approved");
    }

    #[test]
    fn an_item_that_lasts_a_period_is_covered_throughout_or_not() {
        let controls = vec!["CHG-02".to_owned()];
        let deviation = of(&controls, 100, 199);
        for (from, to, expect) in [(100, 200, "covers"), (100, 199, "in_part"), (101, 200, "in_part")] {
            assert_eq!(waiver(from, Some(to), Some(1)).stands(&deviation).word(), expect);
        }
    }

    #[test]
    fn a_waiver_is_about_what_it_names() {
        let controls = vec!["CHG-02".to_owned(), "CHG-03".to_owned()];
        let deviation = of(&controls, 100, 100);
        let check = |control: Option<&str>, procedure: Option<&str>, item: Option<&str>, expect: bool| {
            let named = Waiver {
                control: control.map(str::to_owned),
                procedure: procedure.map(str::to_owned),
                item: item.map(str::to_owned),
                ..waiver(0, Some(200), Some(0))
            };
            assert_eq!(named.concerns(&deviation), expect, "{named:?}");
        };
        check(Some("CHG-03"), None, None, true);
        check(Some("CHG-01"), None, None, false);
        check(None, Some("p"), Some("c1"), true);
        check(None, Some("p"), Some("c2"), false);
        check(Some("CHG-02"), Some("q"), None, false);
        check(None, None, Some("c1"), false);
    }

    proptest! {
        /// Covering is what it says, instant by instant: approved by the first one, and in force at each.
        #[test]
        fn covering_holds_at_every_instant(
            from in 0i64..20, to in 0i64..20, approved in proptest::option::of(0i64..20),
            first in 0i64..20, long in 0i64..5,
        ) {
            let controls = vec!["CHG-02".to_owned()];
            let waiver = waiver(from, Some(to), approved);
            let covers = waiver.stands(&of(&controls, first, first + long)) == Waived::Covers;
            let throughout = (first..=first + long).all(|t| from <= t && t < to);
            prop_assert_eq!(covers, throughout && approved.is_some_and(|a| a <= first));
        }
    }
}
