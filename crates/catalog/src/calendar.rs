//! `calendars/<id>.toml`: which days are business days. Business days are counted here, in Rust, once per time zone;
//! procedures only look them up.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use model::{Instant, TimeError};

use crate::problem::Problem;
use crate::read::File;

/// A calendar of business days.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Calendar {
    /// The file's name.
    pub id: String,
    /// Short title.
    pub title: String,
    /// First year it speaks of.
    pub first_year: i16,
    /// Last year it speaks of.
    pub last_year: i16,
    weekend: Vec<Weekday>,
    holidays: BTreeSet<Date>,
}

/// One day of a calendar in a time zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Day {
    /// First instant of the day.
    pub starts_at: Instant,
    /// First instant after the day.
    pub ends_at: Instant,
    /// Whether it is a business day.
    pub business: bool,
    /// Business days from the calendar's first day up to this one, itself included.
    pub business_number: i64,
    /// Year times 12 plus month, counted from 0.
    pub month: i64,
    /// Year times 4 plus quarter, counted from 0.
    pub quarter: i64,
}

impl Calendar {
    /// Every day of the calendar in a zone, in order.
    ///
    /// # Errors
    /// An unknown zone.
    pub fn days(&self, zone: &str) -> Result<Vec<Day>, TimeError> {
        let tz = TimeZone::get(zone).map_err(|_| TimeError::Zone { name: zone.to_owned() })?;
        let midnight = |date: Date| {
            date.to_zoned(tz.clone())
                .and_then(|z| z.start_of_day())
                .map(|z| Instant::from_ms(z.timestamp().as_millisecond()))
                .map_err(|_| TimeError::Date { text: date.to_string() })
        };
        let mut days = vec![];
        let mut date = Date::new(self.first_year, 1, 1).unwrap_or_default();
        let mut starts_at = midnight(date)?;
        let mut business_number = 0;
        while date.year() <= self.last_year {
            let next = date.saturating_add(1.day());
            let ends_at = midnight(next)?;
            let business = !self.weekend.contains(&date.weekday()) && !self.holidays.contains(&date);
            business_number += i64::from(business);
            let (year, month) = (i64::from(date.year()), i64::from(date.month()) - 1);
            days.push(Day {
                starts_at,
                ends_at,
                business,
                business_number,
                month: year * 12 + month,
                quarter: year * 4 + month / 3,
            });
            (date, starts_at) = (next, ends_at);
        }
        Ok(days)
    }
}

/// Reads a calendar.
pub(crate) fn read(path: &str, id: &str, text: &str) -> (Option<Calendar>, Vec<Problem>) {
    File::new(path, text).read(|file| {
        let title = file.required("title");
        let mut year = |key: &'static str| {
            let found =
                file.integer(key).and_then(|y| i16::try_from(y).ok()).filter(|y| (1900..=2200).contains(y));
            if found.is_none() {
                file.problem(0, format!("`{key}` is no year"), format!("write `{key} = 2026`"));
            }
            found.unwrap_or(2026)
        };
        let (first_year, last_year) = (year("first_year"), year("last_year"));
        let mut weekend = vec![];
        for day in file.texts("weekend") {
            match day.value.as_str() {
                "monday" => weekend.push(Weekday::Monday),
                "tuesday" => weekend.push(Weekday::Tuesday),
                "wednesday" => weekend.push(Weekday::Wednesday),
                "thursday" => weekend.push(Weekday::Thursday),
                "friday" => weekend.push(Weekday::Friday),
                "saturday" => weekend.push(Weekday::Saturday),
                "sunday" => weekend.push(Weekday::Sunday),
                other => {
                    file.problem(day.offset, format!("`{other}` is no day"), "write `weekend = [\"sunday\"]`")
                }
            }
        }
        let mut holidays = BTreeSet::new();
        for day in file.texts("holidays") {
            match day.value.parse::<Date>() {
                Ok(date) => {
                    holidays.insert(date);
                }
                Err(_) => file.problem(
                    day.offset,
                    format!("`{}` is no date", day.value),
                    "write it like \"2026-07-03\"",
                ),
            }
        }
        Calendar { id: id.to_owned(), title, first_year, last_year, weekend, holidays }
    })
}

#[cfg(test)]
mod tests {
    use crate::Catalog;

    /// The last instant of the n-th business day after a day, as a procedure finds it.
    fn due(calendar: &str, zone: &str, after: &str, n: i64) -> String {
        let (catalog, _) = Catalog::built_in();
        let days = catalog.calendars[calendar].days(zone).unwrap();
        let at = after.parse().unwrap();
        let day = days.iter().find(|d| d.starts_at <= at && at < d.ends_at).unwrap();
        let last = days.iter().find(|d| d.business && d.business_number == day.business_number + n).unwrap();
        last.ends_at.to_string()
    }

    #[test]
    fn weekends_and_federal_holidays_do_not_count() {
        // Saturday 28 June 2025 plus five: Mon 30, Tue 1, Wed 2, Thu 3, and after the holiday and a weekend Mon 7 July.
        assert_eq!(due("us_federal", "America/New_York", "2025-06-28T15:00:00Z", 5), "2025-07-08T04:00:00Z");
        assert_eq!(due("weekdays", "America/New_York", "2025-06-28T15:00:00Z", 5), "2025-07-05T04:00:00Z");
        // Juneteenth of 2026 is a Friday; independence day of 2026, a Saturday, is kept on Friday 3 July.
        assert_eq!(due("us_federal", "UTC", "2026-06-18T12:00:00Z", 1), "2026-06-23T00:00:00Z");
        assert_eq!(due("us_federal", "UTC", "2026-07-02T12:00:00Z", 1), "2026-07-07T00:00:00Z");
    }

    #[test]
    fn days_meet_without_a_gap_across_clock_changes() {
        let (catalog, _) = Catalog::built_in();
        let days = catalog.calendars["us_federal"].days("America/New_York").unwrap();
        assert!(days.windows(2).all(|pair| pair[0].ends_at == pair[1].starts_at));
        let lengths: std::collections::BTreeSet<i64> =
            days.iter().map(|d| (d.ends_at.ms() - d.starts_at.ms()) / 3_600_000).collect();
        assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [23, 24, 25]);
    }
}
