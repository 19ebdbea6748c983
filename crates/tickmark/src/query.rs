//! `tickmark query` and `tickmark rebuild`.

use std::process::ExitCode;

use model::{Instant, Value};

use crate::command::{Format, Query};
use crate::failure::Failure;
use crate::output::{aligned, line, plain};
use crate::session::{Session, derive};

pub(crate) fn run(session: &Session, query: &Query) -> Result<ExitCode, Failure> {
    let as_of = match &query.as_of {
        Some(text) => text.parse::<Instant>()?,
        None => session.now,
    };
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    let answer = workspace.query(&query.sql, as_of, query.known_at)?;
    match query.format {
        Format::Table => {
            let mut rows = vec![answer.columns.clone()];
            rows.extend(answer.rows.iter().map(|row| row.iter().map(|v| plain(&shown(v))).collect()));
            for row in aligned(&rows) {
                line(row.trim_end())?;
            }
        }
        Format::Json => {
            let rows: Vec<serde_json::Value> = answer
                .rows
                .iter()
                .map(|row| {
                    let cells = answer.columns.iter().cloned().zip(row.iter().map(json));
                    serde_json::Value::Object(cells.collect())
                })
                .collect();
            line(&serde_json::to_string_pretty(&rows).map_err(Failure::of)?)?;
        }
        Format::Csv => {
            let cells = |row: Vec<String>| row.iter().map(|c| csv(c)).collect::<Vec<_>>().join(",");
            line(&cells(answer.columns.clone()))?;
            for row in &answer.rows {
                line(&cells(row.iter().map(shown_or_empty).collect()))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(n) => n.to_string(),
        Value::Text(text) => text.clone(),
    }
}

fn shown_or_empty(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        other => shown(other),
    }
}

/// Numbers beyond 2^53 as text: most readers of JSON would round them.
fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(n) if n.unsigned_abs() <= 1 << 53 => (*n).into(),
        Value::Integer(n) => n.to_string().into(),
        Value::Text(text) => text.clone().into(),
    }
}

/// A cell of RFC 4180. What a spreadsheet would take for a formula gets an apostrophe before it.
fn csv(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '@', '\t', '\r'])
        || cell.starts_with('-') && cell.parse::<i64>().is_err();
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

pub(crate) fn rebuild(session: &Session, diff: bool) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    let differences = workspace.rebuild(&|document| derive(document, &conventions))?;
    line(&format!("the records were built anew from {} ledger entries", workspace.size()))?;
    if diff {
        if differences.is_empty() {
            line("every row is as it was")?;
        }
        for (table, (added, gone)) in &differences {
            line(&format!("{table}: {added} rows came, {gone} went"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::csv;

    #[test]
    fn a_cell_is_neither_split_nor_run() {
        assert_eq!(csv("a,b \"c\""), "\"a,b \"\"c\"\"\"");
        assert_eq!(csv("=1+1"), "'=1+1");
        assert_eq!(csv("-5"), "-5");
        assert_eq!(csv("-5+cmd"), "'-5+cmd");
    }
}
