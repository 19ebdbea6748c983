//! One cell of a file: from its text to a value of a column. What can be read in two ways is refused, with what to write into
//! the mapping: a guessed day could make a late review timely.

use std::fmt::Write as _;

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use model::Instant;
use serde::{Deserialize, Serialize};

/// How whole numbers are written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) decimal: Option<char>,
    pub(crate) group: Option<char>,
    pub(crate) times: i64,
}

/// How instants are written.
#[derive(Clone, Debug)]
pub(crate) struct Instants {
    pub(crate) format: Option<InstantFormat>,
    pub(crate) zone: Option<TimeZone>,
    pub(crate) day: Option<Day>,
    pub(crate) repeated: Option<Repeated>,
}

/// A form of instants that the mapping states.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum InstantFormat {
    /// By fields, such as `%d.%m.%Y %H:%M`.
    Fields(String),
    /// Days since the end of 1899, as spreadsheets count (1904 on old Macs).
    Excel { epoch: Date },
    /// Seconds or milliseconds since 1970.
    Unix { per_second: i64 },
}

impl InstantFormat {
    pub(crate) fn of(text: &str) -> Self {
        match text {
            "excel" => Self::Excel { epoch: Date::constant(1899, 12, 30) },
            "excel-1904" => Self::Excel { epoch: Date::constant(1904, 1, 1) },
            "unix" => Self::Unix { per_second: 1 },
            "unix-ms" => Self::Unix { per_second: 1000 },
            other => Self::Fields(other.to_owned()),
        }
    }
}

/// Which moment a date without a time of day means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Day {
    /// Its first.
    Start,
    /// Its last.
    End,
    /// The first after it: the end of an interval that holds through the day.
    After,
}

/// Which of the two moments a local time means that a clock set back shows twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Repeated {
    /// The first.
    Earlier,
    /// The second.
    Later,
}

/// Why a cell cannot be read, and what would be right.
pub(crate) type Wrong = (String, String);

fn wrong<T>(what: impl Into<String>, instead: impl Into<String>) -> Result<T, Wrong> {
    Err((what.into(), instead.into()))
}

/// What no spreadsheet means as text of its own, cut to what fits a line.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(60) {
        if c.is_control() {
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    if text.chars().nth(60).is_some() {
        out.push('…');
    }
    out
}

/// A flag.
pub(crate) fn flag(text: &str) -> Result<bool, Wrong> {
    if ["1", "true", "yes"].iter().any(|w| text.eq_ignore_ascii_case(w)) {
        return Ok(true);
    }
    if ["0", "false", "no"].iter().any(|w| text.eq_ignore_ascii_case(w)) {
        return Ok(false);
    }
    wrong(
        "is neither yes nor no",
        format!("write yes or no, or say what it means with `words = {{ {} = true }}`", quoted(text)),
    )
}

/// A TOML key of a text.
pub(crate) fn quoted(text: &str) -> String {
    toml::Value::String(shown(text)).to_string()
}

/// A whole number.
pub(crate) fn integer(text: &str, how: &Numbers) -> Result<i64, Wrong> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = match how.decimal.and_then(|d| digits.split_once(d)) {
        Some((whole, fraction)) => (whole, fraction),
        None => (digits, ""),
    };
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let whole: String = match how.group {
        Some(group) if whole.contains(group) => {
            let mut parts = whole.split(group);
            let first = parts.next().unwrap_or("");
            if !all_digits(first) || first.len() > 3 || !parts.all(|p| p.len() == 3 && all_digits(p)) {
                return wrong(
                    "is no number in groups of three",
                    format!("write it like 1{group}234, or without `{group}`"),
                );
            }
            whole.chars().filter(|c| *c != group).collect()
        }
        _ => whole.to_owned(),
    };
    if !all_digits(&whole) || !(fraction.is_empty() || all_digits(fraction)) {
        let numeric = digits.contains(|c: char| c.is_ascii_digit())
            && digits.bytes().all(|b| b.is_ascii_digit() || b".,' ".contains(&b));
        return if numeric {
            wrong(
                "can be read in several ways",
                "say how numbers are written, such as `decimal = \",\"` and `group = \".\"`",
            )
        } else {
            wrong("is no whole number", "write digits only, such as 1234")
        };
    }
    let too_large = || ("is too large".to_owned(), "write a number below 9223372036854775807".to_owned());
    let scale =
        10_i128.checked_pow(u32::try_from(fraction.len()).unwrap_or(u32::MAX)).ok_or_else(too_large)?;
    let number: i128 = format!("{whole}{fraction}").parse().map_err(|_| too_large())?;
    let scaled = number.checked_mul(i128::from(how.times)).ok_or_else(too_large)?;
    if scaled % scale != 0 {
        return wrong(
            "is not whole",
            "columns hold whole numbers: count in a smaller unit with `times`, such as `times = 100` for cents",
        );
    }
    i64::try_from(sign * scaled / scale).map_err(|_| too_large())
}

/// An instant.
pub(crate) fn instant(text: &str, how: &Instants) -> Result<Instant, Wrong> {
    match &how.format {
        None => plain_instant(text, how),
        Some(InstantFormat::Fields(format)) => by_fields(text, format, how),
        Some(InstantFormat::Excel { epoch }) => by_serial(text, *epoch, how),
        Some(InstantFormat::Unix { per_second }) => {
            let Ok(count) = text.parse::<i64>() else {
                return wrong("is no whole number since 1970", "write digits only, such as 1774976400");
            };
            let Some(ms) = count.checked_mul(1000 / per_second) else { return impossible() };
            let at = Instant::from_ms(ms);
            if at.ms() == ms { Ok(at) } else { impossible() }
        }
    }
}

fn impossible<T>() -> Result<T, Wrong> {
    wrong("is no possible instant", "write one between the years 1 and 9999, such as 2026-03-31T17:00:00Z")
}

fn plain_instant(text: &str, how: &Instants) -> Result<Instant, Wrong> {
    let bytes = text.as_bytes();
    let iso = bytes.len() >= 10 && bytes[4] == b'-' && bytes[7] == b'-';
    if !iso {
        let numeric = bytes.iter().all(|b| b.is_ascii_digit() || *b == b'.' || *b == b',');
        return match bytes.first() {
            Some(b)
                if b.is_ascii_digit()
                    && numeric
                    && bytes.iter().filter(|b| !b.is_ascii_digit()).count() < 2 =>
            {
                wrong("may count days or seconds", "say `format = \"excel\"`, `\"unix\"` or `\"unix-ms\"`")
            }
            Some(b) if b.is_ascii_digit() => wrong(
                "can be read as several days",
                "say how it is written, such as `format = \"%d/%m/%Y %H:%M\"` or `format = \"%d.%m.%Y\"`",
            ),
            _ => wrong("is no instant", "write it like 2026-03-31T17:00:00Z, or say its `format`"),
        };
    }
    if let Ok(at) = text.parse::<Instant>() {
        return possible(text, at);
    }
    // Nothing but a civil time: an annotation or offset that is malformed must not be dropped.
    let civil = bytes.iter().all(|b| b.is_ascii_digit() || b"-:. T".contains(b));
    if bytes.len() == 10 && civil {
        let Ok(date) = text.parse::<Date>() else { return impossible() };
        return on_day(date, how);
    }
    match text.parse::<DateTime>() {
        Ok(at) if civil => local(at, how),
        _ => wrong("is no instant", "write it like 2026-03-31T17:00:00Z"),
    }
}

/// A leap second or an offset may lie outside the years that can be kept.
fn possible(text: &str, at: Instant) -> Result<Instant, Wrong> {
    if (at == Instant::FOREVER || at == Instant::BEGINNING)
        && !text.starts_with("9999")
        && !text.starts_with("0001")
    {
        return impossible();
    }
    Ok(at)
}

fn by_fields(text: &str, format: &str, how: &Instants) -> Result<Instant, Wrong> {
    let Ok(fields) = strtime::parse(format, text) else {
        return wrong(
            format!("is not written as `{format}`"),
            "correct the cell, or the `format` of the mapping",
        );
    };
    if fields.offset().is_some() || fields.timestamp().is_some() {
        let Ok(at) = fields.to_timestamp() else { return impossible() };
        return Ok(Instant::from_ms(at.as_millisecond()));
    }
    let Ok(date) = fields.to_date() else {
        return wrong("names no whole day", "give year, month and day in the `format`");
    };
    if fields.hour().is_none() {
        return on_day(date, how);
    }
    match fields.to_time() {
        Ok(time) => local(date.to_datetime(time), how),
        Err(_) => impossible(),
    }
}

fn by_serial(text: &str, epoch: Date, how: &Instants) -> Result<Instant, Wrong> {
    let (days, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    // Until February 1900 spreadsheets disagree with each other about the day.
    let days = days.parse::<i32>().ok().filter(|d| *d >= 61 && digits(days) && digits(fraction));
    let date = days.and_then(|days| epoch.checked_add(jiff::Span::new().try_days(days).ok()?).ok());
    let Some(date) = date.filter(|d| d.year() > 0) else {
        return wrong("is no spreadsheet date", "write a number of days such as 46112 or 46112.5");
    };
    if fraction.is_empty() {
        return on_day(date, how);
    }
    let part: f64 = format!("0.{fraction}").parse().unwrap_or(0.0);
    // Spreadsheets keep a time of day to the second, in binary fractions of a day.
    #[expect(clippy::cast_possible_truncation, reason = "at most a day's seconds")]
    let seconds = (part * 86_400.0).round() as i64;
    match date
        .to_datetime(jiff::civil::Time::midnight())
        .checked_add(jiff::SignedDuration::from_secs(seconds))
    {
        Ok(at) => local(at, how),
        Err(_) => impossible(),
    }
}

fn zone(how: &Instants) -> Result<&TimeZone, Wrong> {
    how.zone.as_ref().ok_or_else(|| {
        (
            "has no time zone".to_owned(),
            "say where the clock stood, such as `zone = \"Europe/Berlin\"` or `\"UTC\"`".to_owned(),
        )
    })
}

fn on_day(date: Date, how: &Instants) -> Result<Instant, Wrong> {
    let zone = zone(how)?;
    let Some(day) = how.day else {
        return wrong(
            "has no time of day",
            "say which moment of the day counts: `day = \"start\"`, `\"end\"`, or `\"after\"` for the end of an interval",
        );
    };
    let start = |date: Date| {
        date.to_zoned(zone.clone())
            .and_then(|z| z.start_of_day())
            .map(|z| z.timestamp().as_millisecond())
            .or_else(|_| impossible())
    };
    let next = || date.tomorrow().or_else(|_| impossible()).and_then(start);
    if date.year() < 1 {
        return impossible();
    }
    Ok(Instant::from_ms(match day {
        Day::Start => start(date)?,
        Day::End => next()? - 1,
        Day::After => next()?,
    }))
}

fn local(at: DateTime, how: &Instants) -> Result<Instant, Wrong> {
    use jiff::tz::AmbiguousOffset;
    let zone = zone(how)?;
    if at.year() < 1 {
        return impossible();
    }
    let ambiguous = zone.to_ambiguous_timestamp(at);
    let timestamp = match (ambiguous.offset(), how.repeated) {
        (AmbiguousOffset::Unambiguous { .. }, _) => ambiguous.unambiguous(),
        (AmbiguousOffset::Fold { .. }, Some(Repeated::Earlier)) => ambiguous.earlier(),
        (AmbiguousOffset::Fold { .. }, Some(Repeated::Later)) => ambiguous.later(),
        (AmbiguousOffset::Fold { .. }, None) => {
            return wrong(
                "came twice: the clock was set back",
                "say which is meant with `repeated = \"earlier\"` or `\"later\"`, or write the offset from UTC",
            );
        }
        (AmbiguousOffset::Gap { .. }, _) => {
            return wrong(
                "never was: the clock was set forward over it",
                "see that the `zone` is right, or write the offset from UTC",
            );
        }
    };
    timestamp.map(|t| Instant::from_ms(t.as_millisecond())).or_else(|_| impossible())
}
