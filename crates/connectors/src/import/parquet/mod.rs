//! Parquet: a file of columns, read into the lines of JSON that an export of the same rows would have, in its own order.
//!
//! A Parquet file cannot be cut into captures of its own bytes: its rows stand nowhere together, and its schema at its end. So the
//! rows enter the ledger as lines of JSON, of the columns that the mapping names, and the receipt says of which file they are. The
//! lines are a function of the file and the mapping: whoever has both can make them again.
//!
//! Nothing that the file says of itself is believed before it was held against its bytes ([`thrift`], [`page`]). Decoding is left
//! to the `parquet` crate, which may panic on what is malformed; such a panic is caught here and means a damaged file.

mod page;
mod thrift;
mod value;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parquet::column::reader::{ColumnReader, get_column_reader};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};

use self::page::Pages;
use self::value::{Kind, Values};
use super::file::{BYTES, Chunk, RECORD_BYTES, RECORDS};
use super::map::Mapping;
use super::rows::Fault;

/// First and last bytes of a Parquet file.
const MARK: &[u8; 4] = b"PAR1";
/// Of one whose footer is encrypted.
const ENCRYPTED: &[u8; 4] = b"PARE";
/// The footer tells of every column of every row group; real ones have some kilobytes.
const FOOTER: u64 = 16 << 20;
/// Columns and groups of columns; and how deep they may lie in each other.
const COLUMNS: usize = 10_000;
const DEPTH: usize = 60;
/// Rows of which each may take less than a byte: their keys take memory until all are read.
const DENSE: u64 = 5_000_000;
/// Rows that are decoded at once.
const BATCH: usize = 1024;

/// A Parquet file that is read.
pub struct Parquet {
    file: Arc<File>,
    length: u64,
    footer: ParquetMetaData,
    columns: Vec<Column>,
    rows: u64,
    /// The next row group, and what is open of the one before it.
    group: usize,
    open: Vec<Open>,
    left: u64,
    batch: usize,
    given: usize,
    /// Rows read so far.
    row: u64,
    begun: bool,
}

/// A column that the mapping names.
struct Column {
    name: String,
    /// Its name as JSON, with what stands around it.
    head: String,
    /// Its place in the file.
    at: usize,
    kind: Kind,
    /// The level at which a value is there.
    there: i16,
}

/// A column of a row group that is being read.
struct Open {
    reader: ColumnReader,
    values: Values,
    levels: Vec<i16>,
    /// How many rows are decoded at once, of those decoded which is next, and the value after the last one taken.
    batch: usize,
    decoded: usize,
    row: usize,
    value: usize,
}

thread_local! {
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread decodes a file that somebody else wrote: a panic then says that the file is damaged, and is told as that.
#[must_use]
pub fn is_decoding() -> bool {
    DECODING.get()
}

fn decoding<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let before = DECODING.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    DECODING.set(before);
    done.unwrap_or_else(|_| Err(damaged("a page holds something else than it says")))
}

fn damaged(what: impl std::fmt::Display) -> String {
    format!("the file is damaged: {what}; export it again")
}

fn cut_short() -> String {
    damaged("it does not end as a Parquet file does, perhaps it was not copied to its end")
}

impl Parquet {
    /// Whether a file that begins like this is one.
    #[must_use]
    pub fn begins(head: &[u8]) -> bool {
        head.starts_with(MARK) || head.starts_with(ENCRYPTED)
    }

    /// Begins to read a file: its schema, and the columns that a mapping names.
    ///
    /// # Errors
    /// It is none, is damaged or encrypted, or lacks a column or has it in a form that cannot be read, in words for people.
    pub fn open(file: File, mapping: Option<&Mapping>) -> Result<Self, String> {
        let length = file.metadata().map_err(|e| e.to_string())?.len();
        let footer = footer(&file, length)?;
        let told = footer.file_metadata().num_rows();
        let mut rows = 0_u64;
        for group in footer.row_groups() {
            let more = u64::try_from(group.num_rows()).ok().and_then(|n| rows.checked_add(n));
            rows = more.ok_or_else(|| damaged("a row group has no possible number of rows"))?;
        }
        if u64::try_from(told) != Ok(rows) {
            return Err(damaged(format!("it is said to have {told} rows, and its row groups {rows}")));
        }
        if rows > DENSE.max(length) {
            return Err(format!(
                "it is said to hold {rows} rows in {length} bytes; of more than {DENSE} each has to take a byte: write several files"
            ));
        }
        let mut this = Self {
            file: Arc::new(file),
            length,
            footer,
            columns: vec![],
            rows,
            group: 0,
            open: vec![],
            left: 0,
            batch: 0,
            given: 0,
            row: 0,
            begun: false,
        };
        if let Some(mapping) = mapping {
            this.columns = this.mapped(mapping)?;
        }
        Ok(this)
    }

    /// How many rows it has.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Its size in bytes.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// What wrote it, as it says itself.
    #[must_use]
    pub fn writer(&self) -> String {
        self.footer.file_metadata().created_by().unwrap_or_default().chars().take(200).collect()
    }

    /// Its columns, each with its type: `name: STRING`.
    #[must_use]
    pub fn schema(&self) -> Vec<String> {
        let descriptor = self.footer.file_metadata().schema_descr();
        let of = |c: &parquet::schema::types::ColumnDescPtr| {
            let list = if c.max_rep_level() > 0 { "LIST of " } else { "" };
            format!("{}: {list}{}", c.path().string(), value::name(c))
        };
        descriptor.columns().iter().map(of).collect()
    }

    /// The names of its columns that can be read, and of the others why not.
    #[must_use]
    pub fn header(&self) -> (Vec<String>, Vec<String>) {
        let (mut names, mut others) = (vec![], vec![]);
        for column in self.footer.file_metadata().schema_descr().columns() {
            let name = column.path().string();
            match Kind::of(column) {
                Ok(_) => names.push(name),
                Err(why) => others.push(format!("`{name}` {why}")),
            }
        }
        (names, others)
    }

    /// The columns that a mapping names.
    fn mapped(&self, mapping: &Mapping) -> Result<Vec<Column>, String> {
        let descriptor = self.footer.file_metadata().schema_descr();
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, column) in descriptor.columns().iter().enumerate() {
            by_name.entry(column.path().string()).or_default().push(at);
        }
        let mut columns = vec![];
        let mut problems = vec![];
        for name in mapping.names() {
            match by_name.get(&name).map_or(&[][..], Vec::as_slice) {
                [at] => {
                    let column = &descriptor.columns()[*at];
                    match Kind::of(column) {
                        Ok(kind) if kind.is_number() && mapping.reads_as_written(&name) => problems.push(format!(
                            "the column `{name}` holds numbers and no text: write `decimal = \".\"`, or nothing, and no `group`"
                        )),
                        Ok(kind) => columns.push(Column {
                            head: format!("{}:", serde_json::Value::from(name.as_str())),
                            name,
                            at: *at,
                            kind,
                            there: column.max_def_level(),
                        }),
                        Err(why) => problems.push(format!("the column `{name}` {why}")),
                    }
                }
                [] => problems.push(self.missing(&name, by_name.keys())),
                _ => problems.push(format!(
                    "the file has two columns `{name}`; have its writer give one of them another name"
                )),
            }
        }
        if problems.is_empty() { Ok(columns) } else { Err(problems.join("\n")) }
    }

    fn missing<'n>(&self, name: &str, known: impl Iterator<Item = &'n String>) -> String {
        let known: Vec<String> = known.map(|n| format!("`{n}`")).collect();
        let inside = format!("`{name}.");
        let within: Vec<&str> =
            known.iter().filter(|n| n.starts_with(&inside)).map(String::as_str).take(5).collect();
        if within.is_empty() {
            return format!("the file has no column `{name}`; it has {}", known.join(", "));
        }
        format!("the column `{name}` has others inside it; name one of them, such as {}", within.join(", "))
    }

    /// The next part of the file as lines of JSON, with what cannot be written as one; `None` at its end. A file without rows has
    /// one part without lines: its schema has been read, and it says that there are none.
    ///
    /// # Errors
    /// It cannot be read, or is damaged, in words for people.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>, String> {
        decoding(|| self.cut())
    }

    fn cut(&mut self) -> Result<Option<Chunk>, String> {
        let first_line = self.row + 1;
        let (mut text, mut records, mut faults) = (String::new(), 0, vec![]);
        while records < RECORDS && text.len() < BYTES {
            if self.given == self.batch && !self.more()? {
                break;
            }
            self.line(&mut text, &mut faults)?;
            records += 1;
        }
        if records == 0 && std::mem::replace(&mut self.begun, true) {
            return Ok(None);
        }
        self.begun = true;
        Ok(Some(Chunk { text, first_line, records, header_here: false, faults }))
    }

    /// The next rows of the row group, or of the one after it; whether there are any.
    fn more(&mut self) -> Result<bool, String> {
        while self.left == 0 {
            self.open.clear();
            let Some(group) = self.footer.row_groups().get(self.group) else { return Ok(false) };
            self.open = self.begin(group)?;
            self.left = u64::try_from(group.num_rows()).unwrap_or(0);
            self.group += 1;
        }
        self.batch = usize::try_from(self.left).map_or(BATCH, |left| left.min(BATCH));
        self.left -= self.batch as u64;
        self.given = 0;
        Ok(true)
    }

    fn begin(&self, group: &RowGroupMetaData) -> Result<Vec<Open>, String> {
        let held = Arc::new(AtomicU64::new(0));
        let rows = u64::try_from(group.num_rows()).unwrap_or(0);
        let open = |column: &Column| {
            let chunk =
                group.columns().get(column.at).ok_or_else(|| damaged("a row group lacks a column"))?;
            let pages = Pages::new(&self.file, self.length, chunk, rows, &held);
            let pages = pages.map_err(|e| column.unreadable(&e, self.row + 1))?;
            let descriptor = chunk.column_descr_ptr();
            let values = Values::of(descriptor.physical_type());
            let batch = if page::by_prefix(chunk) { 1 } else { BATCH };
            let reader = get_column_reader(descriptor, Box::new(pages));
            Ok(Open { reader, values, levels: vec![], batch, decoded: 0, row: 0, value: 0 })
        };
        self.columns.iter().map(open).collect()
    }

    /// Writes the next row as a line; one that cannot be written as it is leaves an empty line.
    fn line(&mut self, text: &mut String, faults: &mut Vec<Fault>) -> Result<(), String> {
        self.row += 1;
        let row = self.row;
        let ahead = self.batch - self.given;
        self.given += 1;
        let (begin, before) = (text.len(), faults.len());
        let mut sign = '{';
        for (column, open) in self.columns.iter().zip(&mut self.open) {
            let there = open.next(ahead, column.there).map_err(|e| column.unreadable(&e, row))?;
            text.push(sign);
            sign = ',';
            text.push_str(&column.head);
            let written = match there {
                Some(at) => open.values.write(at, column.kind, RECORD_BYTES, text),
                None => {
                    text.push_str("null");
                    Ok(())
                }
            };
            if let Err((value, (what, instead))) = written {
                faults.push(Fault { line: row, column: column.name.clone(), value, what, instead });
            }
            // What is too long is not gathered; its columns go on being read in step.
            if text.len() - begin > RECORD_BYTES && faults.len() == before {
                text.truncate(begin);
                faults.push(Fault {
                    line: row,
                    column: column.name.clone(),
                    value: String::new(),
                    what: "makes the row longer than 1 MiB".to_owned(),
                    instead: "map another column, or shorten its texts".to_owned(),
                });
            }
            if faults.len() > before {
                text.truncate(begin);
            }
        }
        text.push_str(if faults.len() > before { "\n" } else { "}\n" });
        Ok(())
    }
}

impl Column {
    fn unreadable(&self, error: &parquet::errors::ParquetError, row: u64) -> String {
        let what = match error {
            parquet::errors::ParquetError::General(what) => what.clone(),
            other => other.to_string(),
        };
        let whole = format!("the column `{}` cannot be read from row {row} on: {what}", self.name);
        // With advice or without: who reads it has to know what to do.
        if what.contains("; ") { whole } else { format!("{whole}; export the file again") }
    }
}

impl Open {
    /// Goes on to the next row: the place of its value, where there is one.
    fn next(&mut self, ahead: usize, there: i16) -> parquet::errors::Result<Option<usize>> {
        if self.row == self.decoded {
            let wanted = ahead.min(self.batch);
            self.decoded = self.values.refill(&mut self.reader, wanted, &mut self.levels)?;
            (self.row, self.value) = (0, 0);
            if self.decoded != wanted {
                return Err(parquet::errors::ParquetError::General(
                    "its row group has more rows than the column has values".to_owned(),
                ));
            }
        }
        let row = self.row;
        self.row += 1;
        if there > 0 && self.levels.get(row) != Some(&there) {
            return Ok(None);
        }
        self.value += 1;
        Ok(Some(self.value - 1))
    }
}

/// The footer, once it is plain that it can be read.
fn footer(file: &File, length: u64) -> Result<ParquetMetaData, String> {
    let read = |at: u64, size: u64| -> Result<Vec<u8>, String> {
        let mut bytes = vec![0; usize::try_from(size).map_err(|e| e.to_string())?];
        let mut file = file;
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|e| e.to_string())?;
        Ok(bytes)
    };
    let encrypted = || "the file is encrypted; have its writer give it without encryption".to_owned();
    let head = read(0, length.min(4))?;
    if head == ENCRYPTED {
        return Err(encrypted());
    }
    if head != MARK {
        return Err("the file is no Parquet: it does not begin with `PAR1`".to_owned());
    }
    if length < 12 {
        return Err(cut_short());
    }
    let tail = read(length - 8, 8)?;
    if tail[4..] != *MARK {
        return Err(cut_short());
    }
    let size = tail.first_chunk().map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)));
    if size > length - 12 {
        return Err(damaged("its footer is said to begin before the file"));
    }
    if size > FOOTER {
        return Err(format!(
            "its footer has {size} bytes, and 16 MiB are read at most; write the file with fewer columns or larger row groups"
        ));
    }
    let bytes = read(length - 8 - size, size)?;
    match claims(&bytes) {
        Ok(false) => {}
        Ok(true) => return Err(encrypted()),
        Err(what) => return Err(damaged(what)),
    }
    decoding(|| {
        ParquetMetaDataReader::decode_metadata(&bytes)
            .map_err(|e| damaged(format!("its footer cannot be read ({e})")))
    })
}

/// Whether a footer tells of encryption; refuses one whose schema would take more than it has.
fn claims(footer: &[u8]) -> Result<bool, &'static str> {
    let mut encrypted = false;
    // How many columns each that was begun and is not done has yet to come inside it.
    let mut open: Vec<i64> = vec![];
    let (mut elements, mut fits) = (0, true);
    let walked = thrift::structure(footer, &mut |path, value| match path {
        // An element of the schema, by its name; then how many lie inside it.
        [2, 4] => {
            elements += 1;
            while open.last() == Some(&0) {
                open.pop();
            }
            if let Some(left) = open.last_mut() {
                *left -= 1;
            }
            open.push(0);
            fits &= open.len() <= DEPTH && elements <= COLUMNS;
        }
        [2, 5] => {
            if let Some(inside) = open.last_mut() {
                *inside = value;
            }
            fits &= usize::try_from(value).is_ok_and(|n| n <= COLUMNS);
        }
        [8, ..] | [4, 1, 8] => encrypted = true,
        _ => {}
    });
    if walked.is_err() {
        return Err("its footer cannot be read");
    }
    if !fits {
        return Err("its schema has more columns, or lies deeper, than anything that is read here");
    }
    Ok(encrypted)
}

#[cfg(test)]
mod tests;
