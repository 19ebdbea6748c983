//! Instants (milliseconds UTC) and periods (half-open, declared in a time zone).

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: whole milliseconds since 1970-01-01T00:00:00Z, as all three engines store it (BIGINT).
///
/// In text (JSON, terminal) it is RFC 3339 in UTC; fractions appear only when they are not zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// The open end of an interval: 9999-12-31T23:59:59.999Z. NULL in a row means an *unknown* end instead.
    pub const FOREVER: Self = Self(253_402_300_799_999);
    /// The open beginning of an interval: 0001-01-01T00:00:00Z.
    pub const BEGINNING: Self = Self(-62_135_596_800_000);

    /// From milliseconds since the epoch, clamped to the representable years 1 to 9999 (a commit may claim any number).
    #[must_use]
    pub fn from_ms(ms: i64) -> Self {
        Self(ms.clamp(Self::BEGINNING.0, Self::FOREVER.0))
    }

    /// From seconds since the epoch, clamped like [`Instant::from_ms`].
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        Self::from_ms(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// The civil date in `tz` (an IANA name), for people to read. Falls back to UTC for an unknown zone.
    #[must_use]
    pub fn date_in(self, tz: &str) -> String {
        let zone = self::zone(tz).unwrap_or(TimeZone::UTC);
        self.timestamp().to_zoned(zone).date().to_string()
    }

    /// What the clocks in `tz` show, for people to read: hours and minutes, seconds where there are any.
    #[must_use]
    pub fn clock_in(self, tz: &str) -> String {
        let zone = TimeZone::get(tz).unwrap_or(TimeZone::UTC);
        let time = self.timestamp().to_zoned(zone).time();
        match time.second() {
            0 => format!("{:02}:{:02}", time.hour(), time.minute()),
            seconds => format!("{:02}:{:02}:{seconds:02}", time.hour(), time.minute()),
        }
    }

    fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// A zone by its IANA name. UTC needs no look into the zones' folder.
fn zone(name: &str) -> Result<TimeZone, jiff::Error> {
    if name == "UTC" { Ok(TimeZone::UTC) } else { TimeZone::get(name) }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By civil arithmetic: a timestamp of the library ends a day before the year 9999 does.
        let epoch = jiff::civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
        let civil = epoch.saturating_add(jiff::SignedDuration::from_millis(self.0));
        write!(f, "{civil}Z")
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Instant {
    type Err = TimeError;

    /// RFC 3339 with any offset; precision beyond a millisecond is cut off.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        if text == "9999-12-31T23:59:59.999Z" {
            return Ok(Self::FOREVER);
        }
        let timestamp: Timestamp = text.parse().map_err(|_| TimeError::Instant { text: text.to_owned() })?;
        Ok(Self::from_ms(timestamp.as_millisecond()))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A half-open period `[from, to)` with the time zone it was declared in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Period {
    /// First instant of the period.
    pub from: Instant,
    /// First instant after the period.
    pub to: Instant,
    /// IANA name of the zone whose midnights bound it, such as `America/New_York`.
    pub tz: String,
}

impl Period {
    /// From the first moment of `from` to the last moment of `to` (both civil dates, inclusive) in zone `tz`.
    ///
    /// A zone without a midnight on a date (a DST jump at 00:00) begins that day at its first existing moment.
    ///
    /// # Errors
    /// An unknown zone, or dates the wrong way round.
    pub fn of_dates(from: Date, to: Date, tz: &str) -> Result<Self, TimeError> {
        let zone = self::zone(tz).map_err(|_| TimeError::Zone { name: tz.to_owned() })?;
        if to < from {
            return Err(TimeError::Backwards { from: from.to_string(), to: to.to_string() });
        }
        let start_of = |date: Date| -> Result<Instant, TimeError> {
            let zoned = date
                .to_zoned(zone.clone())
                .and_then(|z| z.start_of_day())
                .map_err(|_| TimeError::Date { text: date.to_string() })?;
            Ok(Instant::from_ms(zoned.timestamp().as_millisecond()))
        };
        let after = to.checked_add(1.day()).map_err(|_| TimeError::Date { text: to.to_string() })?;
        Ok(Self { from: start_of(from)?, to: start_of(after)?, tz: tz.to_owned() })
    }

    /// The twelve months up to `now`, from the first moment of a day in zone `tz`. It ends with `now` and not with the
    /// day: nothing of it lies in the future, so that all of it can be known.
    ///
    /// # Errors
    /// An unknown zone.
    pub fn last_twelve_months(now: Instant, tz: &str) -> Result<Self, TimeError> {
        let days = Self::twelve_months_to_day_of(now, tz)?;
        Ok(Self { to: now, ..days })
    }

    /// The twelve months that end with the day of `now` in zone `tz`.
    ///
    /// # Errors
    /// An unknown zone.
    pub fn twelve_months_to_day_of(now: Instant, tz: &str) -> Result<Self, TimeError> {
        let zone = self::zone(tz).map_err(|_| TimeError::Zone { name: tz.to_owned() })?;
        let today = now.timestamp().to_zoned(zone).date();
        let from = today
            .checked_sub(1.year())
            .and_then(|d| d.checked_add(1.day()))
            .map_err(|_| TimeError::Date { text: today.to_string() })?;
        Self::of_dates(from, today, tz)
    }

    /// Whether `at` lies in `[from, to)`.
    #[must_use]
    pub fn contains(&self, at: Instant) -> bool {
        self.from <= at && at < self.to
    }

    /// The last instant that lies in it.
    #[must_use]
    pub fn last(&self) -> Instant {
        Instant::from_ms(self.to.ms() - 1)
    }

    /// The last civil date of the period in its own zone.
    #[must_use]
    pub fn last_date(&self) -> String {
        self.last().date_in(&self.tz)
    }

    /// The first civil date of the period in its own zone.
    #[must_use]
    pub fn first_date(&self) -> String {
        self.from.date_in(&self.tz)
    }
}

/// The period between two civil dates `YYYY-MM-DD`, both inclusive, in zone `tz`.
///
/// # Errors
/// Text that is no date, an unknown zone, or dates the wrong way round.
pub fn parse_date_range(from: &str, to: &str, tz: &str) -> Result<Period, TimeError> {
    let parse = |text: &str| -> Result<Date, TimeError> {
        // A time of day would be dropped without a word, and a year 0 bounds nothing.
        let date = text.parse::<Date>().ok().filter(|date| date.year() > 0 && date.to_string() == text);
        date.ok_or_else(|| TimeError::Date { text: text.to_owned() })
    };
    Period::of_dates(parse(from)?, parse(to)?, tz)
}

/// What can be wrong with a date, an instant or a zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not RFC 3339.
    #[error("`{text}` is no instant; write it like 2026-03-31T17:00:00Z")]
    Instant {
        /// What was given.
        text: String,
    },
    /// Not a civil date.
    #[error("`{text}` is no date; write it like 2026-03-31")]
    Date {
        /// What was given.
        text: String,
    },
    /// Not an IANA zone.
    #[error("`{name}` is no time zone; write an IANA name like Europe/Berlin or UTC")]
    Zone {
        /// What was given.
        name: String,
    },
    /// The end precedes the beginning.
    #[error("the period ends on {to}, before it begins on {from}; swap --from and --to")]
    Backwards {
        /// First date.
        from: String,
        /// Last date.
        to: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: &str, to: &str, tz: &str) -> String {
        match parse_date_range(from, to, tz) {
            Ok(p) => format!("{} .. {}", p.from, p.to),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn a_period_is_half_open_in_its_own_zone() {
        // New York is UTC-5 in January and UTC-4 after 30 June.
        assert_eq!(
            range("2025-01-01", "2025-06-30", "America/New_York"),
            "2025-01-01T05:00:00Z .. 2025-07-01T04:00:00Z"
        );
        // Beirut had no midnight on 2022-03-27: clocks went from 00:00 to 01:00.
        assert_eq!(
            range("2022-03-27", "2022-03-27", "Asia/Beirut"),
            "2022-03-26T22:00:00Z .. 2022-03-27T21:00:00Z"
        );
    }

    #[test]
    fn bad_dates_say_what_to_write() {
        assert_eq!(
            range("2025-02-30", "2025-06-30", "UTC"),
            "`2025-02-30` is no date; write it like 2026-03-31"
        );
        for odd in ["0000-01-01", "2025-01-01T12:00", "20250101", "2025-1-1"] {
            assert_eq!(
                range(odd, "2025-06-30", "UTC"),
                format!("`{odd}` is no date; write it like 2026-03-31")
            );
        }
        assert_eq!(
            range("2025-06-30", "2025-01-01", "UTC"),
            "the period ends on 2025-01-01, before it begins on 2025-06-30; swap --from and --to"
        );
        assert_eq!(
            range("2025-01-01", "2025-01-01", "Mars/Base"),
            "`Mars/Base` is no time zone; write an IANA name like Europe/Berlin or UTC"
        );
    }

    #[test]
    fn twelve_months_end_today() {
        let now: Instant = "2026-11-23T00:30:00Z".parse().unwrap();
        let p = Period::last_twelve_months(now, "America/New_York").unwrap();
        assert_eq!((p.first_date(), p.last_date()), ("2025-11-23".to_owned(), "2026-11-22".to_owned()));
        assert_eq!(p.to, now);
        // 29 February has no twin a year earlier.
        let leap: Instant = "2024-02-29T12:00:00Z".parse().unwrap();
        let p = Period::last_twelve_months(leap, "UTC").unwrap();
        assert_eq!((p.first_date(), p.last_date()), ("2023-03-01".to_owned(), "2024-02-29".to_owned()));
    }

    #[test]
    fn absurd_commit_times_are_clamped_and_printable() {
        assert_eq!(Instant::from_seconds(i64::MAX), Instant::FOREVER);
        assert_eq!(Instant::from_seconds(i64::MIN).to_string(), "0001-01-01T00:00:00Z");
        assert_eq!(Instant::FOREVER.to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Instant::FOREVER.to_string().parse(), Ok(Instant::FOREVER));
        assert_eq!(Instant::from_ms(-1).to_string(), "1969-12-31T23:59:59.999Z");
    }
}
