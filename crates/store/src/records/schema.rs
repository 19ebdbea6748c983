//! The tables of a generation as both engines declare them, and the check that a row fits.

use model::{Column, RESERVED_COLUMNS, Row, Table, TableKind, Value};

use super::{CURRENT, RecordsError};

/// Version of what a generation holds besides the record tables. Another version is another generation.
const LAYOUT: u32 = 4;

/// The columns that make a stored row unique: by what it is looked up, then entity, position and place.
pub(super) fn key(table: &Table) -> Vec<&str> {
    let mut key: Vec<&str> =
        if clustered(table) { table.cluster_by.iter().map(String::as_str).collect() } else { vec![] };
    key.extend(["id", "known_from", "place"]);
    key
}

/// Whether rows lie in the order of `cluster_by`. A key cannot hold NULL, so a table whose clustering column may be
/// unknown has an index on each of them instead: SQLite makes none of its own for tables without row ids.
pub(super) fn clustered(table: &Table) -> bool {
    !table.cluster_by.is_empty()
        && table.cluster_by.iter().all(|name| table.columns.iter().any(|c| c.name == *name && !c.nullable))
}

/// Secondary indexes of a table: name and columns.
pub(super) fn indexes(table: &Table) -> Vec<(String, String)> {
    let mut indexes = Vec::new();
    let mut by: Vec<&String> = table.index_by.iter().collect();
    if clustered(table) {
        indexes.push((format!("{}_row_id", table.name), "id".to_owned()));
    } else {
        by.extend(table.cluster_by.iter().filter(|column| !table.index_by.contains(column)));
    }
    indexes.extend(by.into_iter().map(|column| (format!("{}_row_by_{column}", table.name), column.clone())));
    indexes
}

/// Every stored column, in order.
pub(super) fn stored(table: &Table) -> impl Iterator<Item = &str> {
    RESERVED_COLUMNS.iter().copied().chain(table.columns.iter().map(|c| c.name.as_str()))
}

/// `id, entry, …` for a statement.
pub(super) fn column_list(table: &Table) -> String {
    stored(table).collect::<Vec<_>>().join(", ")
}

/// The columns by which rows of one subject supersede each other.
pub(super) const fn subject(table: &Table) -> &'static str {
    match table.kind {
        TableKind::State => "id, valid_from",
        TableKind::Event | TableKind::Relation => "id",
    }
}

/// Names the tables a generation was made for: it changes with every column, and with the layout.
pub(super) fn fingerprint(tables: &[Table]) -> String {
    let mut text = format!("layout {LAYOUT}");
    for table in tables {
        let kind = if table.kind == TableKind::State { "state " } else { "" };
        let (clusters, indexes) = (table.cluster_by.join(" "), table.index_by.join(" "));
        text.push_str(&format!("; {kind}{} by {clusters} and {indexes}:", table.name));
        for Column { name, kind, nullable, .. } in &table.columns {
            let kind = if kind.is_text() { "text" } else { "integer" };
            text.push_str(&format!(" {name} {kind}{}", if *nullable { "?" } else { "" }));
        }
    }
    text
}

/// After rows were taken without looking, one statement per table finds what superseded what. The rows of one subject
/// are ordered by position and place, and each gives way to the next, unless it was said before when it does.
pub(super) fn supersede_all(table: &Table) -> String {
    let (name, subject) = (&table.name, subject(table));
    let key = key(table);
    let same: Vec<String> = key.iter().map(|c| format!("r.{c} = s.{c}")).collect();
    format!(
        "UPDATE {name}_row AS r SET superseded_at = s.next_known_from FROM (SELECT {}, lead(known_from) OVER \
         (PARTITION BY {subject} ORDER BY known_from, place) AS next_known_from FROM {name}_row WHERE id IN \
         (SELECT id FROM {name}_row GROUP BY id HAVING count(*) > 1)) AS s \
         WHERE s.next_known_from IS NOT NULL AND r.superseded_at = {CURRENT} AND {}",
        key.join(", "),
        same.join(" AND "),
    )
}

/// Whether a row can stand in its table. Both engines would notice most of it, each in its own words; words of a
/// column they would not.
pub(super) fn check(tables: &[Table], table: usize, row: &Row) -> Result<(), RecordsError> {
    let Some(declared) = tables.get(table) else {
        return Err(RecordsError::Row {
            table: format!("number {table}"),
            entry: row.entry,
            reason: "there is no such table".to_owned(),
        });
    };
    let wrong =
        |reason: String| Err(RecordsError::Row { table: declared.name.clone(), entry: row.entry, reason });
    if row.values.len() != declared.columns.len() {
        return wrong(format!("it has {} values for {} columns", row.values.len(), declared.columns.len()));
    }
    for (column, value) in declared.columns.iter().zip(&row.values) {
        match value {
            Value::Null if column.nullable => {}
            Value::Null => return wrong(format!("`{}` is unknown, and may not be", column.name)),
            Value::Integer(_) if column.kind.is_text() => {
                return wrong(format!("`{}` is a number, and has to be a text", column.name));
            }
            Value::Text(_) if !column.kind.is_text() => {
                return wrong(format!("`{}` is a text, and has to be a number", column.name));
            }
            Value::Integer(n) if column.kind == model::ColumnType::Flag && !(0..=1).contains(n) => {
                return wrong(format!("`{}` is {n}, and a flag is 0 or 1", column.name));
            }
            Value::Text(text) if text.contains('\0') => {
                return wrong(format!("`{}` holds a NUL character", column.name));
            }
            Value::Text(text) if !column.words.is_empty() && !column.words.contains(text) => {
                return wrong(format!("`{}` is none of {}", text, column.words.join(", ")));
            }
            Value::Integer(_) | Value::Text(_) => {}
        }
    }
    Ok(())
}
