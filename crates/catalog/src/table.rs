//! `tables/<name>.toml`: the schema of a record table.

use std::collections::BTreeSet;

use model::{Column, ColumnType, Dimension, RESERVED_COLUMNS, ScopeTime, Table, TableKind, TableScope};

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
        let scope = scope(file, &columns);
        Table {
            name: name.to_owned(),
            kind,
            doc,
            columns,
            cluster_by: cluster_by.into_iter().map(|k| k.value).collect(),
            index_by: index_by.into_iter().map(|k| k.value).collect(),
            fed_by: fed_by.into_iter().map(|k| k.value).collect(),
            scope,
        }
    })
}

/// `[scope]`: which columns decide whether a row is in scope, and by which instants.
fn scope(file: &mut Section<'_>, columns: &[Column]) -> Option<TableScope> {
    let mut section = file.section("scope")?;
    let mut by = vec![];
    for dimension in Dimension::ALL.into_iter().filter(|d| d.decides_rows()) {
        let Some(At { value, offset }) = section.text_at(dimension.word()) else { continue };
        let fits = |c: &Column| match c.kind {
            ColumnType::Text => true,
            ColumnType::Entity => dimension.is_entity(),
            _ => false,
        };
        if !(value == "id" && dimension.is_entity() || columns.iter().any(|c| c.name == value && fits(c))) {
            section.problem(
                offset,
                format!("`{value}` is no column that names one ({})", dimension.word().replace('_', " ")),
                instead(&value, columns.iter().filter(|c| fits(c)).map(|c| c.name.as_str())),
            );
        }
        by.push((dimension, value));
    }
    let mut instant = |key: &'static str| {
        let At { value, offset } = section.text_at(key)?;
        let instants = columns.iter().filter(|c| c.kind == ColumnType::Instant).map(|c| c.name.as_str());
        if !instants.clone().any(|name| name == value) {
            section.problem(
                offset,
                format!("`{value}` is no instant of this table"),
                instead(&value, instants),
            );
        }
        Some((value, offset))
    };
    let (at, starts, ends) = (instant("at"), instant("starts"), instant("ends"));
    let begins = section.offset();
    if by.is_empty() {
        section.problem(
            begins,
            "nothing says to what a row belongs",
            "name the column, such as `repository = \"repository\"`",
        );
    }
    if let (Some((_, offset)), true) = (&at, starts.is_some() || ends.is_some()) {
        section.problem(*offset, "a row either happens or lasts", "keep `at`, or `starts` and `ends`");
    }
    section.finish();
    let name = |found: Option<(String, usize)>| found.map(|(name, _)| name);
    let time = match name(at) {
        Some(at) => ScopeTime::At(at),
        None => ScopeTime::Lasts { starts: name(starts), ends: name(ends) },
    };
    Some(TableScope { by, time })
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
