//! Rows as a Parquet file: what frozen tables and answers to questions are written with.
//!
//! Rows are gathered by column and written in groups, so that memory stays bounded however many there are. A file is
//! whole once it is finished: one that was cut short has no footer, and no reader takes it.

use std::io::{self, Write};
use std::sync::Arc;

use model::{ColumnType, Value};
use parquet::basic::{Encoding, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

/// Rows written at once.
const GROUP_ROWS: usize = 100_000;
/// Bytes of text written at once.
const GROUP_BYTES: usize = 32 << 20;

/// A column of a file: [`ColumnType::Instant`] becomes a timestamp in UTC, [`ColumnType::Flag`] a boolean, every other
/// number an integer of 64 bits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParquetColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ColumnType,
    /// Whether a value may be NULL.
    pub nullable: bool,
}

/// Writes rows to a Parquet file.
pub struct ParquetWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    columns: Vec<Gathered>,
    rows: usize,
    bytes: usize,
}

/// One column of the group that is being gathered.
struct Gathered {
    name: String,
    values: Values,
    /// For a column that may be NULL: whether each value is there.
    levels: Option<Vec<i16>>,
}

enum Values {
    Numbers(Vec<i64>),
    Flags(Vec<bool>),
    Texts(Vec<ByteArray>),
}

impl<W: Write + Send> ParquetWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// A name no column can have, or the file.
    pub fn new(name: &str, columns: &[ParquetColumn], to: W) -> io::Result<Self> {
        let mut fields = Vec::new();
        let mut gathered = Vec::new();
        let mut properties = WriterProperties::builder().set_created_by("tickmark".to_owned());
        for ParquetColumn { name, kind, nullable } in columns {
            let (physical, meaning, values) = match kind {
                ColumnType::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String), Values::Texts(vec![])),
                ColumnType::Flag => (Physical::BOOLEAN, None, Values::Flags(vec![])),
                ColumnType::Instant => (
                    Physical::INT64,
                    Some(LogicalType::timestamp(true, TimeUnit::MILLIS)),
                    Values::Numbers(vec![]),
                ),
                ColumnType::Integer | ColumnType::Account | ColumnType::Entity => {
                    (Physical::INT64, None, Values::Numbers(vec![]))
                }
            };
            if physical == Physical::INT64 {
                // Rows lie in order of their ids: most numbers are near the one before, and few stand twice.
                properties = properties
                    .set_column_dictionary_enabled(name.as_str().into(), false)
                    .set_column_encoding(name.as_str().into(), Encoding::DELTA_BINARY_PACKED);
            }
            let field = Type::primitive_type_builder(name, physical)
                .with_repetition(if *nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED })
                .with_logical_type(meaning)
                .build()
                .map_err(plain)?;
            fields.push(Arc::new(field));
            gathered.push(Gathered { name: name.clone(), values, levels: nullable.then(Vec::new) });
        }
        let schema = Arc::new(Type::group_type_builder(name).with_fields(fields).build().map_err(plain)?);
        let file = SerializedFileWriter::new(to, schema, Arc::new(properties.build())).map_err(plain)?;
        Ok(Self { file, columns: gathered, rows: 0, bytes: 0 })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// A value that does not fit its column, or the file.
    pub fn push(&mut self, row: impl IntoIterator<Item = Value>) -> io::Result<()> {
        let mut row = row.into_iter();
        for column in &mut self.columns {
            let value = row.next();
            let present = !matches!(value, Some(Value::Null));
            match (&mut column.values, value) {
                (_, Some(Value::Null)) if column.levels.is_some() => {}
                (Values::Numbers(numbers), Some(Value::Integer(n))) => numbers.push(n),
                (Values::Flags(flags), Some(Value::Integer(n @ 0..=1))) => flags.push(n == 1),
                (Values::Texts(texts), Some(Value::Text(text))) => {
                    self.bytes += text.len();
                    texts.push(ByteArray::from(text.into_bytes()));
                }
                // Nothing takes its place: the columns of a group have to stay equally long.
                (_, value) => {
                    let what = format!("column `{}` cannot hold {value:?}", column.name);
                    return Err(io::Error::other(what));
                }
            }
            if let Some(levels) = &mut column.levels {
                levels.push(i16::from(present));
            }
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES { self.write_group() } else { Ok(()) }
    }

    fn write_group(&mut self) -> io::Result<()> {
        let mut group = self.file.next_row_group().map_err(plain)?;
        for column in &mut self.columns {
            let Some(mut open) = group.next_column().map_err(plain)? else { continue };
            let levels = column.levels.as_deref();
            match (open.untyped(), &mut column.values) {
                (ColumnWriter::Int64ColumnWriter(to), Values::Numbers(numbers)) => {
                    to.write_batch(numbers, levels, None).map_err(plain)?;
                    numbers.clear();
                }
                (ColumnWriter::BoolColumnWriter(to), Values::Flags(flags)) => {
                    to.write_batch(flags, levels, None).map_err(plain)?;
                    flags.clear();
                }
                (ColumnWriter::ByteArrayColumnWriter(to), Values::Texts(texts)) => {
                    to.write_batch(texts, levels, None).map_err(plain)?;
                    texts.clear();
                }
                // Cannot be: the schema was made from the same columns.
                _ => {
                    let what = format!("column `{}` changed its type", column.name);
                    return Err(io::Error::other(what));
                }
            }
            open.close().map_err(plain)?;
            if let Some(levels) = &mut column.levels {
                levels.clear();
            }
        }
        group.close().map_err(plain)?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }

    /// Writes what is left and the footer, and gives back where it went.
    ///
    /// # Errors
    /// The file.
    pub fn finish(mut self) -> io::Result<W> {
        if self.rows > 0 {
            self.write_group()?;
        }
        self.file.into_inner().map_err(plain)
    }
}

/// What the disk or the pipe said, from inside what the library made of it.
fn plain(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}
