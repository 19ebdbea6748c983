//! What a column of a Parquet file holds, and how one of its values is written into a line of JSON: exactly, or not at all.

use std::fmt::Write as _;

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::column::reader::ColumnReader;
use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};
use parquet::errors::Result;
use parquet::schema::types::ColumnDescriptor;

use super::super::cell::{Wrong, shown};

/// What the values of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Text,
    Flag,
    Whole {
        signed: bool,
    },
    Float,
    Decimal {
        scale: u32,
    },
    Day,
    /// Counted in parts of a second since 1970, by the clock of UTC or by one that the file does not name.
    Moment {
        per_second: i64,
        utc: bool,
    },
    /// Day and nanosecond of an old writer. Some wrote UTC into it, some the clock on their wall: nothing in the file tells.
    OldMoment,
    Uuid,
    /// A column of which its writer knew nothing but that it is empty.
    Nothing,
}

impl Kind {
    /// What a column holds.
    ///
    /// # Errors
    /// Why it cannot be read, in words that follow its name.
    pub(super) fn of(column: &ColumnDescriptor) -> std::result::Result<Self, String> {
        use ConvertedType as C;
        if column.max_rep_level() > 0 {
            return Err("is a list or a map; have its writer give one value a row".to_owned());
        }
        let moment = |utc: bool, unit: TimeUnit| Self::Moment {
            per_second: match unit {
                TimeUnit::MILLIS => 1_000,
                TimeUnit::MICROS => 1_000_000,
                TimeUnit::NANOS => 1_000_000_000,
            },
            utc,
        };
        let decimal = |scale: i32| match u32::try_from(scale) {
            Ok(scale) if scale <= 38 => Ok(Self::Decimal { scale }),
            _ => Err(format!("is a DECIMAL of {scale} places; write it with 38 at most")),
        };
        match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _)
            | (None, C::UTF8 | C::ENUM | C::JSON) => Ok(Self::Text),
            (Some(LogicalType::Decimal(decimals)), _) => decimal(decimals.scale),
            (None, C::DECIMAL) => decimal(column.type_scale()),
            (Some(LogicalType::Date), _) | (None, C::DATE) => Ok(Self::Day),
            (Some(LogicalType::Timestamp(of)), _) => Ok(moment(of.is_adjusted_to_u_t_c, of.unit)),
            // The format says of these older words that they mean UTC.
            (None, C::TIMESTAMP_MILLIS) => Ok(moment(true, TimeUnit::MILLIS)),
            (None, C::TIMESTAMP_MICROS) => Ok(moment(true, TimeUnit::MICROS)),
            (Some(LogicalType::Integer(of)), _) => Ok(Self::Whole { signed: of.is_signed }),
            (None, C::UINT_8 | C::UINT_16 | C::UINT_32 | C::UINT_64) => Ok(Self::Whole { signed: false }),
            (None, C::INT_8 | C::INT_16 | C::INT_32 | C::INT_64) => Ok(Self::Whole { signed: true }),
            (Some(LogicalType::Uuid), _) => Ok(Self::Uuid),
            (Some(LogicalType::Unknown), _) => Ok(Self::Nothing),
            (None, C::NONE) => match column.physical_type() {
                Type::BOOLEAN => Ok(Self::Flag),
                Type::INT32 | Type::INT64 => Ok(Self::Whole { signed: true }),
                Type::FLOAT | Type::DOUBLE => Ok(Self::Float),
                Type::INT96 => Ok(Self::OldMoment),
                Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY => Err(
                    "holds bytes of which nothing says that they are text; have its writer give it as STRING"
                        .to_owned(),
                ),
            },
            _ => Err(format!(
                "is of the type {}, which is not read here; have its writer give it as STRING",
                name(column)
            )),
        }
    }

    /// Whether its values are numbers, which have one way to be written.
    pub(super) const fn is_number(self) -> bool {
        matches!(self, Self::Whole { .. } | Self::Float | Self::Decimal { .. })
    }
}

/// The type of a column as the format names it.
pub(super) fn name(column: &ColumnDescriptor) -> String {
    let physical = column.physical_type();
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Timestamp(of)), _) => {
            let clock = if of.is_adjusted_to_u_t_c { "UTC" } else { "local" };
            format!("TIMESTAMP({:?},{clock})", of.unit)
        }
        (Some(LogicalType::Decimal(of)), _) => format!("DECIMAL({},{})", of.precision, of.scale),
        (Some(LogicalType::Integer(of)), _) => {
            format!("{}INT{}", if of.is_signed { "" } else { "U" }, of.bit_width)
        }
        (Some(logical), _) => {
            let name = format!("{logical:?}").to_uppercase();
            name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_owned()
        }
        (None, ConvertedType::NONE) => physical.to_string(),
        (None, ConvertedType::UTF8) => "STRING".to_owned(),
        (None, ConvertedType::TIMESTAMP_MILLIS) => "TIMESTAMP(MILLIS,UTC)".to_owned(),
        (None, ConvertedType::TIMESTAMP_MICROS) => "TIMESTAMP(MICROS,UTC)".to_owned(),
        // `INT_32` is `INT32` in newer files.
        (None, converted) => converted.to_string().replace("INT_", "INT"),
    }
}

/// A batch of a column's values, those that are there.
pub(super) enum Values {
    Flags(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Int96(Vec<Int96>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Bytes(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
}

impl Values {
    pub(super) fn of(kind: Type) -> Self {
        match kind {
            Type::BOOLEAN => Self::Flags(vec![]),
            Type::INT32 => Self::Int32(vec![]),
            Type::INT64 => Self::Int64(vec![]),
            Type::INT96 => Self::Int96(vec![]),
            Type::FLOAT => Self::Float(vec![]),
            Type::DOUBLE => Self::Double(vec![]),
            Type::BYTE_ARRAY => Self::Bytes(vec![]),
            Type::FIXED_LEN_BYTE_ARRAY => Self::Fixed(vec![]),
        }
    }

    /// The next values of a column in place of these: of how many rows there were any.
    pub(super) fn refill(
        &mut self,
        reader: &mut ColumnReader,
        rows: usize,
        levels: &mut Vec<i16>,
    ) -> Result<usize> {
        use ColumnReader as R;
        macro_rules! read {
            ($reader:expr, $values:expr) => {{
                $values.clear();
                levels.clear();
                $reader.read_records(rows, Some(levels), None, $values).map(|(records, _, _)| records)
            }};
        }
        match (reader, self) {
            (R::BoolColumnReader(reader), Self::Flags(values)) => read!(reader, values),
            (R::Int32ColumnReader(reader), Self::Int32(values)) => read!(reader, values),
            (R::Int64ColumnReader(reader), Self::Int64(values)) => read!(reader, values),
            (R::Int96ColumnReader(reader), Self::Int96(values)) => read!(reader, values),
            (R::FloatColumnReader(reader), Self::Float(values)) => read!(reader, values),
            (R::DoubleColumnReader(reader), Self::Double(values)) => read!(reader, values),
            (R::ByteArrayColumnReader(reader), Self::Bytes(values)) => read!(reader, values),
            (R::FixedLenByteArrayColumnReader(reader), Self::Fixed(values)) => read!(reader, values),
            // Both follow the physical type.
            _ => Ok(0),
        }
    }

    /// Writes one of them as JSON.
    ///
    /// # Errors
    /// The value, and why it cannot be written as it is.
    pub(super) fn write(
        &self,
        at: usize,
        kind: Kind,
        longest: usize,
        out: &mut String,
    ) -> std::result::Result<(), (String, Wrong)> {
        match (kind, self) {
            (Kind::Flag, Self::Flags(values)) => put(out, &values[at]),
            (Kind::Whole { signed: true }, Self::Int32(values)) => put(out, &values[at]),
            (Kind::Whole { signed: true }, Self::Int64(values)) => put(out, &values[at]),
            (Kind::Whole { signed: false }, Self::Int32(values)) => put(out, &values[at].cast_unsigned()),
            (Kind::Whole { signed: false }, Self::Int64(values)) => put(out, &values[at].cast_unsigned()),
            (Kind::Float, Self::Float(values)) => float(values[at].into(), 1 << 24, out)?,
            (Kind::Float, Self::Double(values)) => float(values[at], 1 << 53, out)?,
            (Kind::Text, Self::Bytes(values)) => text(values[at].data(), longest, out)?,
            (Kind::Decimal { scale }, Self::Int32(values)) => decimal(values[at].into(), scale, out),
            (Kind::Decimal { scale }, Self::Int64(values)) => decimal(values[at].into(), scale, out),
            (Kind::Decimal { scale }, Self::Bytes(values)) => {
                decimal(unscaled(values[at].data())?, scale, out)
            }
            (Kind::Decimal { scale }, Self::Fixed(values)) => {
                decimal(unscaled(values[at].data())?, scale, out)
            }
            (Kind::Day, Self::Int32(values)) => {
                let day = i128::from(values[at]) * DAY;
                let _ = write!(out, "\"{}\"", civil(day, values[at])?.date());
            }
            (Kind::Moment { per_second, utc }, Self::Int64(values)) => {
                let nanoseconds = i128::from(values[at]) * i128::from(1_000_000_000 / per_second);
                let clock = if utc { "Z" } else { "" };
                let _ = write!(out, "\"{}{clock}\"", civil(nanoseconds, values[at])?);
            }
            (Kind::OldMoment, Self::Int96(values)) => {
                let [low, high, day] = *values[at].data() else { return Err(unfit()) };
                let time = i128::from(u64::from(high) << 32 | u64::from(low));
                // Days are counted as astronomers do; 1 January 1970 is the 2,440,588th.
                let days = i128::from(day.cast_signed()) - 2_440_588;
                if time >= DAY {
                    return Err((
                        format!("{time} ns of day {days}"),
                        ("is no time of a day".to_owned(), DAMAGED.to_owned()),
                    ));
                }
                let _ = write!(out, "\"{}\"", civil(days * DAY + time, format!("day {days}"))?);
            }
            (Kind::Uuid, Self::Fixed(values)) => {
                let Ok(id) = <[u8; 16]>::try_from(values[at].data()) else { return Err(unfit()) };
                out.push('"');
                for (n, byte) in id.iter().enumerate() {
                    let dash = if matches!(n, 4 | 6 | 8 | 10) { "-" } else { "" };
                    let _ = write!(out, "{dash}{byte:02x}");
                }
                out.push('"');
            }
            _ => return Err(unfit()),
        }
        Ok(())
    }
}

/// Nanoseconds of a day.
const DAY: i128 = 86_400 * 1_000_000_000;
const DAMAGED: &str = "see whether the file is damaged, and export it again";

fn unfit() -> (String, Wrong) {
    (String::new(), ("is no value of the column's type".to_owned(), DAMAGED.to_owned()))
}

fn put(out: &mut String, value: &impl std::fmt::Display) {
    let _ = write!(out, "{value}");
}

/// The clock's reading so many nanoseconds after it showed the beginning of 1970.
fn civil(
    nanoseconds: i128,
    counted: impl std::fmt::Display,
) -> std::result::Result<DateTime, (String, Wrong)> {
    let seconds = i64::try_from(nanoseconds.div_euclid(1_000_000_000)).ok();
    let rest = i32::try_from(nanoseconds.rem_euclid(1_000_000_000)).unwrap_or(0);
    let at =
        seconds.and_then(|s| date(1970, 1, 1).at(0, 0, 0, 0).checked_add(SignedDuration::new(s, rest)).ok());
    at.filter(|at| at.year() >= 1).ok_or_else(|| {
        let wrong = "is no possible instant".to_owned();
        (counted.to_string(), (wrong, "write one between the years 1 and 9999, or NULL".to_owned()))
    })
}

/// A binary fraction is exact only where it is a whole number below `limit`; there many writers put whole numbers into it, because
/// their own whole numbers cannot be unknown.
fn float(value: f64, limit: u64, out: &mut String) -> std::result::Result<(), (String, Wrong)> {
    #[expect(clippy::cast_possible_truncation, reason = "compared with what it came from")]
    let whole = value as i64;
    #[expect(clippy::cast_precision_loss, reason = "exact below the limit")]
    let same = whole as f64 == value;
    if !same || whole.unsigned_abs() >= limit {
        let what = match value {
            _ if !value.is_finite() => "is no number",
            _ if same || value.abs() >= 9.0e15 => "is too large to be exact as a binary fraction",
            _ => "is a binary fraction, which is exact of whole numbers only",
        };
        let instead = "have its writer give the column as DECIMAL, as whole numbers or as text";
        return Err((value.to_string(), (what.to_owned(), instead.to_owned())));
    }
    put(out, &whole);
    Ok(())
}

fn text(bytes: &[u8], longest: usize, out: &mut String) -> std::result::Result<(), (String, Wrong)> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        let begin = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
        let wrong = ("is no UTF-8".to_owned(), "have its writer give the column as text in UTF-8".to_owned());
        return Err((shown(&begin), wrong));
    };
    if text.len() > longest {
        let wrong = (format!("is longer than {longest} bytes"), "map another column".to_owned());
        return Err((shown(text), wrong));
    }
    // A text is always JSON.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
    Ok(())
}

/// A whole number in big-endian two's complement.
fn unscaled(bytes: &[u8]) -> std::result::Result<i128, (String, Wrong)> {
    let negative = bytes.first().is_some_and(|b| *b >= 0x80);
    let sign = if negative { 0xff } else { 0 };
    let mut value = [sign; 16];
    let extra = bytes.len().saturating_sub(16);
    let (ahead, kept) = bytes.split_at(extra);
    value[16 - kept.len()..].copy_from_slice(kept);
    // What does not fit has other bytes ahead, or loses its sign.
    if bytes.is_empty() || ahead.iter().any(|b| *b != sign) || (value[0] >= 0x80) != negative {
        let wrong = ("is too large a DECIMAL".to_owned(), "write it with 38 digits at most".to_owned());
        return Err((String::new(), wrong));
    }
    Ok(i128::from_be_bytes(value))
}

/// A decimal as the text of all its digits: JSON's own numbers are read as binary fractions.
fn decimal(unscaled: i128, scale: u32, out: &mut String) {
    let digits = unscaled.unsigned_abs().to_string();
    let places = usize::try_from(scale).unwrap_or(0);
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if unscaled < 0 { "-" } else { "" };
    let _ = write!(out, "\"{sign}{whole}{point}{fraction}\"");
}
