//! The company's year: its days, the days on which it works, its quarters and months. Holidays are worked out from the rules
//! of 5 U.S.C. 6103, not looked up: whoever judges what this crate says keeps a list of its own.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::rng::Rng;

pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// The period, in milliseconds UTC, and the zone whose clocks the company reads.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    zone: TimeZone,
    pub(crate) first: Date,
    pub(crate) last: Date,
    /// First instant of the period.
    pub(crate) from: i64,
    /// First instant after it.
    pub(crate) to: i64,
    /// Last instant whose facts were exported.
    pub(crate) cutoff: i64,
    /// Since when the company keeps records of everything.
    pub(crate) kept_since: i64,
    /// When collectors were down.
    pub(crate) dark: Option<(i64, i64)>,
}

impl Clock {
    /// `None` where the zone is unknown, or the days are none.
    pub(crate) fn new(zone: &str, first: Date, days: u32, (cutoff_days, hour): (u32, i8)) -> Option<Self> {
        // A day has no other hours.
        let hour = hour.clamp(0, 23);
        let zone = TimeZone::get(zone).ok()?;
        let last = first.checked_add(i64::from(days).checked_sub(1)?.days()).ok()?;
        let end = last.checked_add((1 + i64::from(cutoff_days)).days()).ok()?;
        let after = last.tomorrow().ok()?;
        let mut clock = Self { zone, first, last, from: 0, to: 0, cutoff: 0, kept_since: 0, dark: None };
        clock.from = clock.at(first, 0, 0);
        clock.to = clock.at(after, 0, 0);
        clock.cutoff = clock.at(end, hour, 0) - 1;
        clock.kept_since = clock.year(first.year() - 8);
        (days > 0).then_some(clock)
    }

    /// When the clocks show this hour and minute of the day; where they never do, an hour later.
    pub(crate) fn at(&self, date: Date, hour: i8, minute: i8) -> i64 {
        let civil = date.at(hour, minute, 0, 0);
        self.zone.to_ambiguous_zoned(civil).compatible().map_or(0, |z| z.timestamp().as_millisecond())
    }

    pub(crate) fn date(&self, at: i64) -> Date {
        let timestamp = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
        timestamp.to_zoned(self.zone.clone()).date()
    }

    /// First instant of a year.
    pub(crate) fn year(&self, year: i16) -> i64 {
        self.at(Date::constant(year, 1, 1), 0, 0)
    }

    /// A day so many days later.
    pub(crate) fn days_later(&self, date: Date, days: i64) -> Date {
        date.saturating_add(days.days())
    }

    /// Last millisecond of a day.
    pub(crate) fn end_of(&self, date: Date) -> i64 {
        self.at(self.days_later(date, 1), 0, 0) - 1
    }

    /// Last millisecond of the n-th business day after the day of `at`.
    pub(crate) fn business_days_after(&self, at: i64, days: u32) -> i64 {
        let mut date = self.date(at);
        let mut left = days;
        while left > 0 {
            date = self.days_later(date, 1);
            if is_business_day(date) {
                left -= 1;
            }
        }
        self.end_of(date)
    }

    /// The next business day, from this one on.
    pub(crate) fn business_day(&self, mut date: Date) -> Date {
        while !is_business_day(date) {
            date = self.days_later(date, 1);
        }
        date
    }

    /// Some time in office hours of a business day between two instants; `None` where there are too few days between them.
    pub(crate) fn office_hours(&self, rng: &mut Rng, after: i64, before: i64) -> Option<i64> {
        // Three holidays beside a weekend are the most there are in a row.
        let days = (before - after) / DAY - 6;
        if days < 0 {
            return None;
        }
        let date = self.business_day(self.days_later(self.date(after), 1 + rng.between(0, days)));
        let (hour, minute) = (rng.between(9, 16), rng.between(0, 59));
        Some(self.at(date, 0, 0) + self.time_of_day(date, hour, minute) + rng.between(0, 59) * SECOND)
    }

    /// How long after its midnight the clocks of a day show this.
    fn time_of_day(&self, date: Date, hour: i64, minute: i64) -> i64 {
        let hour = i8::try_from(hour).unwrap_or(0);
        let minute = i8::try_from(minute).unwrap_or(0);
        self.at(date, hour, minute) - self.at(date, 0, 0)
    }

    /// Some time in office hours in the period, with so many days before and so many after it up to its end or the cut-off, and
    /// so far from when collectors were down that all of it was seen.
    pub(crate) fn some_day(&self, rng: &mut Rng, lead: i64, tail: i64) -> Option<i64> {
        for _ in 0..50 {
            let after = self.from + lead * DAY;
            let at = self.office_hours(rng, after, self.to.min(self.cutoff + 1) - tail * DAY)?;
            if self.dark.is_none_or(|(from, to)| at < from - 21 * DAY || at > to + DAY) {
                return Some(at);
            }
        }
        None
    }

    /// Calendar quarters whose last instant lies in the period: first instant, first instant after.
    pub(crate) fn quarters(&self) -> Vec<(i64, i64)> {
        self.spans(3).into_iter().filter(|(_, to)| *to > self.from && *to <= self.to).collect()
    }

    /// Calendar months whose first instant lies in the period.
    pub(crate) fn months(&self) -> Vec<(i64, i64)> {
        self.spans(1).into_iter().filter(|(from, _)| *from >= self.from && *from < self.to).collect()
    }

    fn spans(&self, months: i8) -> Vec<(i64, i64)> {
        let month = (self.first.month() - 1) / months * months + 1;
        let mut date = Date::constant(self.first.year(), month, 1);
        let mut spans = vec![];
        while date <= self.last {
            let next = date.saturating_add(i64::from(months).months());
            spans.push((self.at(date, 0, 0), self.at(next, 0, 0)));
            date = next;
        }
        spans
    }
}

/// Neither a weekend nor a day on which the federal government rests.
pub(crate) fn is_business_day(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) && !is_holiday(date)
}

fn is_holiday(date: Date) -> bool {
    let year = date.year();
    // New Year's Day of the next year is kept on the last day of this one when it is a Saturday.
    holidays(year).contains(&date) || (date.month() == 12 && holidays(year + 1).contains(&date))
}

/// The days on which the holidays of a year are kept.
fn holidays(year: i16) -> Vec<Date> {
    let on = |month, day| Date::constant(year, month, day);
    let nth = |month, nth, weekday| on(month, 1).nth_weekday_of_month(nth, weekday).unwrap_or(on(month, 1));
    let kept = |date: Date| match date.weekday() {
        Weekday::Saturday => date.yesterday().unwrap_or(date),
        Weekday::Sunday => date.tomorrow().unwrap_or(date),
        _ => date,
    };
    let mut days = vec![
        kept(on(1, 1)),
        nth(1, 3, Weekday::Monday),
        nth(2, 3, Weekday::Monday),
        nth(5, -1, Weekday::Monday),
        kept(on(7, 4)),
        nth(9, 1, Weekday::Monday),
        nth(10, 2, Weekday::Monday),
        kept(on(11, 11)),
        nth(11, 4, Weekday::Thursday),
        kept(on(12, 25)),
    ];
    if year >= 2021 {
        days.push(kept(on(6, 19)));
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_has_its_holidays() {
        // As the federal government announced them.
        let days: Vec<String> = {
            let mut days = holidays(2025);
            days.sort_unstable();
            days.iter().map(ToString::to_string).collect()
        };
        let announced = "2025-01-01 2025-01-20 2025-02-17 2025-05-26 2025-06-19 2025-07-04 2025-09-01 2025-10-13 2025-11-11 \
                         2025-11-27 2025-12-25";
        assert_eq!(days.join(" "), announced);
        assert!(!is_business_day(Date::constant(2021, 12, 31)), "New Year's Day of 2022 was a Saturday");
    }

    #[test]
    fn business_days_are_counted_over_weekends_and_holidays() {
        let clock = Clock::new("America/New_York", Date::constant(2025, 1, 1), 365, (31, 0)).unwrap();
        // Wednesday before Thanksgiving: five business days end with Thursday of the week after.
        let at = clock.at(Date::constant(2025, 11, 26), 23, 10);
        assert_eq!(clock.business_days_after(at, 5), clock.at(Date::constant(2025, 12, 5), 0, 0) - 1);
        assert_eq!(clock.quarters().len(), 4);
        assert_eq!(clock.months().len(), 12);
        // The clocks went forward in March and back in November.
        let minutes: Vec<i64> = clock.months().iter().map(|(from, to)| (to - from) / MINUTE).collect();
        assert_eq!((minutes[2], minutes[10]), (44_580, 43_260));
        assert_eq!(clock.to - clock.from, 365 * DAY);
    }
}
