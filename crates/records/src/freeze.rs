//! Freezing: the rows a procedure reads, as known at a ledger position, in Parquet files that outlive this program.
//!
//! Beside the file stands its *row root*: the Merkle root (RFC 6962, SHA-256) over the rows themselves, in order of their
//! immutable key. The root goes into the ledger. Parquet bytes change with every version of the writer; the root does
//! not, so anybody can compute it again from the rows, whatever file they came in. The encoding under the root:
//!
//! - Leaf 0 is the head: `tickmark rows 1`, the table's name and the names of its columns, each as a text value.
//! - Every further leaf is a row: its values one after the other.
//! - A value is `00` for NULL; `01` and eight bytes, big-endian two's complement, for a number; `02`, four bytes of
//!   length, big-endian, and UTF-8 for a text.
//!
//! The frozen table `change_row` has every stored column, so that the SQL that ran on the records runs on it unchanged.
//! `superseded_at` is open in all rows: what came after the snapshot is not part of it. `in_scope` is what it is by the rules
//! of the snapshot: the frozen rows say themselves which of them are out.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use model::{ColumnType, RESERVED_COLUMNS, Row, Scope, Table, Value};
use store::records::{Records, RecordsError};
use tlog::{Edge, Hash, leaf_hash};

use crate::parquet::{ParquetColumn, ParquetWriter};

/// A table that was frozen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frozen {
    /// The table.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
    /// The row root.
    pub root: Hash,
}

/// Why a table cannot be frozen.
#[derive(Debug, thiserror::Error)]
pub enum FreezeError {
    /// There is no such table.
    #[error("there is no table `{table}` to freeze")]
    NoTable {
        /// Its name.
        table: String,
    },
    /// The records cannot be read.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// The file cannot be written.
    #[error("the frozen table cannot be written: {0}")]
    Io(#[from] io::Error),
}

/// The Merkle root over rows.
#[derive(Clone, Debug)]
pub struct RowRoot {
    edge: Edge,
    leaf: Vec<u8>,
    rows: u64,
}

impl RowRoot {
    /// The root of a relation without rows yet.
    #[must_use]
    pub fn new<'a>(name: &str, columns: impl IntoIterator<Item = &'a str>) -> Self {
        let mut root = Self { edge: Edge::new(), leaf: Vec::new(), rows: 0 };
        encode_text(&mut root.leaf, "tickmark rows 1");
        encode_text(&mut root.leaf, name);
        for column in columns {
            encode_text(&mut root.leaf, column);
        }
        root.close_leaf();
        root
    }

    /// Adds a row.
    pub fn push<'a>(&mut self, values: impl IntoIterator<Item = &'a Value>) {
        for value in values {
            match value {
                Value::Null => self.leaf.push(0),
                Value::Integer(n) => encode_number(&mut self.leaf, *n),
                Value::Text(text) => encode_text(&mut self.leaf, text),
            }
        }
        self.close_leaf();
        self.rows += 1;
    }

    fn close_leaf(&mut self) {
        self.edge.push(leaf_hash(&self.leaf), |_, _| ());
        self.leaf.clear();
    }

    /// How many rows were added.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// The root over the rows so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.edge.root()
    }
}

fn encode_number(leaf: &mut Vec<u8>, number: i64) {
    leaf.push(1);
    leaf.extend_from_slice(&number.to_be_bytes());
}

fn encode_text(leaf: &mut Vec<u8>, text: &str) {
    leaf.push(2);
    // A text of 4 GiB does not exist: documents are smaller.
    leaf.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    leaf.extend_from_slice(text.as_bytes());
}

/// Freezes tables as known at a position, with what is out of scope, into a folder, one file `<table>_row.parquet` each.
///
/// # Errors
/// An unknown table, records that cannot be read, a folder that cannot be written.
pub fn freeze_tables(
    records: &mut Records,
    tables: &[&str],
    known_at: i64,
    scope: &Scope,
    folder: &Path,
) -> Result<Vec<Frozen>, FreezeError> {
    let mut frozen = Vec::with_capacity(tables.len());
    for table in tables {
        // Under another name until it is whole: a file that has its name is complete.
        let path = folder.join(format!("{table}_row.parquet"));
        let unfinished = folder.join(format!("{table}_row.parquet.unfinished"));
        let file = File::create(&unfinished)?;
        frozen.push(freeze(records, table, known_at, scope, &file)?);
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
    }
    File::open(folder)?.sync_all()?;
    Ok(frozen)
}

/// Freezes one table as known at a position.
///
/// # Errors
/// An unknown table, records that cannot be read, a file that cannot be written.
pub fn freeze<W: Write + Send>(
    records: &mut Records,
    table: &str,
    known_at: i64,
    scope: &Scope,
    to: W,
) -> Result<Frozen, FreezeError> {
    let number = records.table(table).ok_or_else(|| FreezeError::NoTable { table: table.to_owned() })?;
    let declared = records.tables()[number].clone();
    let columns = columns(&declared);
    let mut writer = ParquetWriter::new(&format!("{}_row", declared.name), &columns, to)?;
    let mut root = RowRoot::new(&declared.name, columns.iter().map(|c| c.name.as_str()));
    let out = scope.conditions(&declared);
    records.rows_known_at(number, known_at, |mut row| {
        row.in_scope &= !out.iter().any(|condition| condition.holds(&declared, &row));
        let values = values(row);
        root.push(&values);
        Ok::<(), FreezeError>(writer.push(values)?)
    })?;
    writer.finish()?;
    Ok(Frozen { table: declared.name, rows: root.rows(), root: root.root() })
}

/// The stored columns, in order. Instants and flags stay the numbers that the frozen queries reckon with.
fn columns(table: &Table) -> Vec<ParquetColumn> {
    let base = RESERVED_COLUMNS.iter().map(|name| (*name, *name == "grade", false));
    let own = table.columns.iter().map(|c| (c.name.as_str(), c.kind.is_text(), c.nullable));
    base.chain(own)
        .map(|(name, text, nullable)| ParquetColumn {
            name: name.to_owned(),
            kind: if text { ColumnType::Text } else { ColumnType::Integer },
            nullable,
        })
        .collect()
}

/// Values of the stored columns, in order.
fn values(row: Row) -> Vec<Value> {
    let Row { id, entry, place, collected_at, grade, in_scope, known_from, superseded_at, values } = row;
    let mut all = Vec::with_capacity(RESERVED_COLUMNS.len() + values.len());
    all.extend([
        id.into(),
        entry.into(),
        place.into(),
        collected_at.into(),
        grade.word().into(),
        in_scope.into(),
        known_from.into(),
        superseded_at.into(),
    ]);
    all.extend(values);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(name: &str, columns: &[&str], rows: &[&[Value]]) -> String {
        let mut root = RowRoot::new(name, columns.iter().copied());
        for row in rows {
            root.push(*row);
        }
        root.root().0.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn a_root_is_that_of_another_implementation() {
        // Computed with Python's hashlib from the description at the head of this file.
        assert_eq!(
            root("t", &["a", "b"], &[]),
            "155a7fd794c9808495380c138ace56f5284d3ec75763b3fc67103e9966830bd5"
        );
        let (one, two) = ([Value::Integer(-1), Value::from("ü")], [Value::Null, Value::from("")]);
        assert_eq!(
            root("t", &["a", "b"], &[&one, &two]),
            "ae44764ae9388745b98c6dbf124a8caf2ac72e5fa738a59886b781ea21bbd05d"
        );
    }

    #[test]
    fn no_two_contents_share_a_root() {
        let text = |s: &str| Value::from(s);
        let roots = [
            root("t", &["a", "b"], &[&[text("ab"), text("c")]]),
            root("t", &["a", "b"], &[&[text("a"), text("bc")]]),
            root("t", &["a", "b"], &[&[Value::Null, text("abc")]]),
            root("t", &["ab"], &[&[text("ab"), text("c")]]),
            root("ta", &["b"], &[&[text("ab"), text("c")]]),
            root("t", &["a", "b"], &[&[text("ab")], &[text("c")]]),
            root("t", &["a", "b"], &[&[Value::Integer(1), text("c")]]),
            root("t", &["a", "b"], &[&[text("1"), text("c")]]),
        ];
        let distinct: std::collections::BTreeSet<&String> = roots.iter().collect();
        assert_eq!(distinct.len(), roots.len());
    }
}
