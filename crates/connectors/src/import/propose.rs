//! A mapping to begin with: the columns of a file laid beside those of a table.

use std::fmt::Write as _;

use model::{ColumnType, Table};

use super::map::may_be_imported;

/// A mapping for a file with this header. With a table named it is for that one, else for the table whose columns are most
/// alike; `None` when none is.
#[must_use]
pub fn propose(header: &[String], tables: &[Table], named: Option<&str>) -> Option<String> {
    let score = |table: &Table| table.columns.iter().filter(|c| best(header, &c.name).is_some()).count();
    let table = match named {
        Some(name) => tables.iter().find(|t| t.name == name)?,
        None => {
            tables
                .iter()
                .filter(|t| may_be_imported(t).is_none())
                .map(|t| (score(t), t))
                .filter(|(score, _)| *score > 0)
                .max_by_key(|(score, t)| (*score * 100 / t.columns.len().max(1), *score))?
                .1
        }
    };
    let mut out = String::new();
    let key = header
        .iter()
        .find(|h| matches!(folded(h).as_str(), "id" | "key" | "number" | "uuid"))
        .or_else(|| header.first())?;
    let _ = writeln!(out, "table = \"{}\"  # {}", table.name, table.doc);
    let _ = writeln!(out, "key = [{}]  # what tells one row's entity from another's, for good", text(key));
    if table.name == "account" {
        let _ = writeln!(out, "scope = \"github.com\"  # the system the accounts are of");
    }
    let _ = writeln!(out, "# export_of = \"…\"  # the system whose own export the file is");
    if table.columns.iter().any(|c| c.kind == ColumnType::Instant) {
        let _ = writeln!(out, "zone = \"UTC\"  # where the clock of local times stood");
    }
    let _ = writeln!(out, "\n[columns]");
    for column in &table.columns {
        // What people call something is often its key.
        let found = best(header, &column.name).or_else(|| (column.name == "label").then_some(key));
        let from = found.map_or_else(|| "\"…\"".to_owned(), |h| text(h));
        let found = found.is_some();
        let rule = match column.kind {
            ColumnType::Account => format!("{{ column = {from}, system = \"…\" }}"),
            ColumnType::Entity => format!("{{ column = {from}, kind = \"…\" }}"),
            _ => from,
        };
        // What may be left out and has no counterpart is only shown.
        let comment = if found || !column.nullable { "" } else { "# " };
        let words = match column.words.as_slice() {
            [] => String::new(),
            words => format!(" One of {}.", words.join(", ")),
        };
        let _ = writeln!(out, "{comment}{} = {rule}  # {}{words}", column.name, column.doc);
    }
    Some(out)
}

fn text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn folded(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The column of the file that is most like a column of the table.
fn best<'h>(header: &'h [String], column: &str) -> Option<&'h String> {
    let wanted = folded(column);
    let same = header.iter().find(|h| folded(h) == wanted);
    // `Created` for `created_at`, `Deployed by` for `deployed_by`, `Summary` for nothing.
    same.or_else(|| {
        let stem = wanted.strip_suffix("at").filter(|s| s.len() > 3)?;
        header
            .iter()
            .find(|h| [stem, &format!("{stem}on"), &format!("{stem}date")].contains(&folded(h).as_str()))
    })
}
