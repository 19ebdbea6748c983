//! `tables/<name>.toml`: the schema of a record table.

use std::collections::BTreeSet;

use model::{Column, ColumnType, RESERVED_COLUMNS, Table, TableKind};

use crate::names;
use crate::problem::{Problem, instead};
use crate::read::{At, File, Section};

/// Columns that PostgreSQL, SQLite or DuckDB can hold besides the base columns, with room to spare.
const COLUMNS_MAX: usize = 200;

/// Reads one table. `name` is the file's name.
pub(crate) fn read(path: &str, name: &str, text: &str) -> (Option<Table>, Vec<Problem>) {
    File::new(path, text).read(|file| {
        table_name(file, name);
        let kind = match file.text_at("kind") {
            Some(At { value, offset }) => match value.as_str() {
                "event" => TableKind::Event,
                "state" => TableKind::State,
                "relation" => TableKind::Relation,
                other => {
                    file.problem(
                        offset,
                        format!("`{other}` is no kind of table"),
                        instead(other, ["event", "state", "relation"]),
                    );
                    TableKind::Event
                }
            },
            None => {
                file.problem(
                    0,
                    "`kind` is missing",
                    "write `kind = \"event\"`, `\"state\"` or `\"relation\"`",
                );
                TableKind::Event
            }
        };
        let doc = file.required("doc");
        let cluster_by = file.texts("cluster_by");
        let index_by = file.texts("index_by");
        let fed_by = file.texts("fed_by");
        for stream in &fed_by {
            if stream.value.split('.').filter(|part| !part.is_empty()).count() != 2 {
                file.problem(
                    stream.offset,
                    format!("`{}` is no stream", stream.value),
                    "write `source.stream`, such as `github.reviews`",
                );
            }
        }
        let columns = columns(file);
        for key in cluster_by.iter().chain(&index_by) {
            if !columns.iter().any(|c| c.name == key.value) {
                file.problem(
                    key.offset,
                    format!("`{}` is no column of this table", key.value),
                    instead(&key.value, columns.iter().map(|c| c.name.as_str())),
                );
            }
        }
        if kind == TableKind::State {
            for name in ["valid_from", "valid_to"] {
                if !columns.iter().any(|c| c.name == name && c.kind == ColumnType::Instant) {
                    file.problem(
                        0,
                        format!("a state table needs the instant `{name}`"),
                        format!("add `[[columns]]` with `name = \"{name}\"` and `type = \"instant\"`"),
                    );
                }
            }
        }
        Table {
            name: name.to_owned(),
            kind,
            doc,
            columns,
            cluster_by: cluster_by.into_iter().map(|k| k.value).collect(),
            index_by: index_by.into_iter().map(|k| k.value).collect(),
            fed_by: fed_by.into_iter().map(|k| k.value).collect(),
        }
    })
}

fn table_name(file: &Section<'_>, name: &str) {
    if let Some((message, help)) = names::fault(name) {
        file.problem(0, message, help);
    }
    // `_history` and `_row` are made from a table's name; PostgreSQL cuts what gets longer than 63 bytes.
    if name.len() > 55 {
        file.problem(0, format!("`{name}` has more than 55 bytes"), "choose a shorter name");
    }
    for suffix in ["_row", "_history"] {
        if name.ends_with(suffix) {
            file.problem(0, format!("a table's name cannot end in `{suffix}`"), "choose another name");
        }
    }
    if matches!(name, "entity" | "display" | "generation") {
        file.problem(0, format!("every generation of records has its own `{name}`"), "choose another name");
    }
}

fn columns(file: &mut Section<'_>) -> Vec<Column> {
    let mut seen = BTreeSet::new();
    let mut columns = Vec::new();
    let sections = file.each("columns");
    if sections.is_empty() {
        file.problem(0, "the table has no columns", "add `[[columns]]` with `name`, `type` and `doc`");
    }
    if sections.len() > COLUMNS_MAX {
        file.problem(0, format!("the table has more than {COLUMNS_MAX} columns"), "split it");
    }
    for mut section in sections {
        let name = section.required("name");
        let place = section.place("name").unwrap_or_else(|| section.offset());
        if let Some((message, help)) = names::fault(&name).filter(|_| !name.is_empty()) {
            section.problem(place, message, help);
        }
        if RESERVED_COLUMNS.contains(&name.as_str()) {
            section.problem(place, format!("every table has its own `{name}`"), "choose another name");
        }
        if !name.is_empty() && !seen.insert(name.clone()) {
            section.problem(place, format!("there are two columns `{name}`"), "remove one");
        }
        let kind = match section.text_at("type") {
            Some(At { value, offset }) => match value.as_str() {
                "integer" => ColumnType::Integer,
                "instant" => ColumnType::Instant,
                "flag" => ColumnType::Flag,
                "text" => ColumnType::Text,
                "account" => ColumnType::Account,
                "entity" => ColumnType::Entity,
                other => {
                    section.problem(
                        offset,
                        format!("`{other}` is no type"),
                        instead(other, ["integer", "instant", "flag", "text", "account", "entity"]),
                    );
                    ColumnType::Text
                }
            },
            None => {
                section.problem(
                    section.offset(),
                    format!("column `{name}` has no type"),
                    "write `type = \"...\"`",
                );
                ColumnType::Text
            }
        };
        let words = section.texts("words");
        if let (Some(first), false) = (words.first(), kind.is_text()) {
            section.problem(
                first.offset,
                "only a text has `words`",
                "remove them, or write `type = \"text\"`",
            );
        }
        columns.push(Column {
            name,
            kind,
            nullable: section.flag("nullable").unwrap_or(false),
            doc: section.required("doc"),
            words: words.into_iter().map(|w| w.value).collect(),
        });
        section.finish();
    }
    columns
}
