//! Record tables: their schema (read from `content/tables/*.toml` by the catalogue) and their rows.
//!
//! A table named `change` is stored as `change_row`; a procedure names `change` and sees the rows that were known at the
//! snapshot. Besides its own columns every stored row has the base columns of [`RESERVED_COLUMNS`].

use serde::{Deserialize, Serialize};

use crate::time::Instant;

/// Columns that every record table has; a schema may not declare them again.
///
/// - `id`: the entity the row is about: a number that never changes, the row id of the first fact about it.
/// - `entry`: ledger index of the capture the row came from.
/// - `place`: ordinal of the row in its capture.
/// - `collected_at`: when the ledger took the capture (milliseconds UTC).
/// - `grade`: how far the evidence can be trusted ([`crate::Grade`]).
/// - `in_scope`: 1 when the entity was in scope at the row's own instant, else 0. Stored as 1: scope is worked out from the
///   rules known at the snapshot whenever a query is written out ([`crate::Scope`]).
/// - `known_from`, `superseded_at`: ledger positions between which the row was the latest word on its entity;
///   a snapshot K sees `known_from <= K AND superseded_at > K`. Not visible to procedures.
pub const RESERVED_COLUMNS: &[&str] =
    &["id", "entry", "place", "collected_at", "grade", "in_scope", "known_from", "superseded_at"];

/// What kind of facts a table holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    /// Things that happened. The same key seen again supersedes; history is kept.
    Event,
    /// Entities with versions over time: the schema has `valid_from` and `valid_to`; `<name>_history` shows every
    /// interval and `<name>` the one that holds at the end of the period.
    State,
    /// A relation between entities that holds as long as it is known (who is who, what is covered).
    Relation,
}

/// The type of a column. All are BIGINT or TEXT in the three engines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// A whole number.
    Integer,
    /// Milliseconds UTC.
    Instant,
    /// 0 or 1.
    Flag,
    /// Text compared by bytes.
    Text,
    /// The id of an account (never of a person).
    Account,
    /// The id of an entity of another table.
    Entity,
}

impl ColumnType {
    /// Whether the engines store it as TEXT (else BIGINT).
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Text)
    }
}

/// One column of a record table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Name, in lower case with underscores, reserved in none of the three engines.
    pub name: String,
    /// Type.
    pub kind: ColumnType,
    /// Whether the value may be unknown (NULL).
    pub nullable: bool,
    /// One sentence for people.
    pub doc: String,
    /// For [`ColumnType::Text`]: the only words it may hold; empty means any.
    pub words: Vec<String>,
}

/// The schema of a record table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// Name as procedures write it.
    pub name: String,
    /// Kind of facts.
    pub kind: TableKind,
    /// One sentence for people.
    pub doc: String,
    /// Its own columns, in order, without the base columns.
    pub columns: Vec<Column>,
    /// The columns by which rows are looked up most: the store clusters and indexes by them.
    pub cluster_by: Vec<String>,
    /// Further columns by which rows are looked up: each has an index.
    pub index_by: Vec<String>,
    /// Streams that feed it, as `source.stream`, such as `github.reviews`.
    pub fed_by: Vec<String>,
    /// What decides whether its rows are in scope; `None` where they always are.
    pub scope: Option<crate::scope::TableScope>,
}

impl Table {
    /// Position of a column among its own columns.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }
}

/// One value of a row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Unknown.
    Null,
    /// BIGINT.
    Integer(i64),
    /// TEXT.
    Text(String),
}

impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Self::Integer(v)
    }
}
impl From<Instant> for Value {
    fn from(v: Instant) -> Self {
        Self::Integer(v.ms())
    }
}
impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Self::Integer(i64::from(v))
    }
}
impl From<&str> for Value {
    /// U+0000 becomes U+FFFD: PostgreSQL cannot store it.
    fn from(v: &str) -> Self {
        if v.contains('\0') { Self::Text(v.replace('\0', "\u{fffd}")) } else { Self::Text(v.to_owned()) }
    }
}
impl From<String> for Value {
    fn from(v: String) -> Self {
        if v.contains('\0') { Self::Text(v.replace('\0', "\u{fffd}")) } else { Self::Text(v) }
    }
}
impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

/// One stored row of a table, base columns included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The entity it is about.
    pub id: i64,
    /// Ledger index of its capture.
    pub entry: i64,
    /// Ordinal in its capture.
    pub place: i64,
    /// When the ledger took the capture.
    pub collected_at: Instant,
    /// Grade word.
    pub grade: crate::Grade,
    /// Whether the entity was in scope.
    pub in_scope: bool,
    /// Ledger position from which the row is known.
    pub known_from: i64,
    /// Ledger position at which a later fact took its place; `i64::MAX` while none has.
    pub superseded_at: i64,
    /// The table's own columns, in the schema's order.
    pub values: Vec<Value>,
}

/// How many rows one capture can give (2^20): a row id is `entry << 20 | place`.
const PLACE_BITS: u32 = 20;

/// The number of the row at `place` of ledger entry `entry`; `None` when either is out of range.
#[must_use]
pub fn row_id(entry: u64, place: u64) -> Option<i64> {
    (entry < 1 << (63 - PLACE_BITS) && place < 1 << PLACE_BITS)
        .then(|| i64::try_from(entry << PLACE_BITS | place).ok())
        .flatten()
}

/// The ledger entry of a row id.
#[must_use]
pub const fn row_id_entry(id: i64) -> u64 {
    (id as u64) >> PLACE_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_id_names_entry_and_place() {
        assert_eq!(row_id(0, 0), Some(0));
        assert_eq!(row_id(3, 7), Some((3 << 20) + 7));
        assert_eq!(row_id_entry(row_id(123_456, 9).unwrap()), 123_456);
        assert_eq!(row_id(0, 1 << 20), None);
        assert_eq!(row_id(1 << 43, 0), None);
    }

    #[test]
    fn a_nul_never_reaches_a_row() {
        assert_eq!(Value::from("a\0b"), Value::Text("a\u{fffd}b".into()));
    }
}
