//! Rows that a person enters: one document, which is read as a file with a mapping is, once all of it can be read.

use model::{Capture, Coverage, CoverageStatus, Grade, Instant, Receipt, Table, Window};
use serde_json::{Map, Value as Json, json};

use super::{Encoding, Format, Mapping, RECORDER, Shape, columns_of};

/// The document of rows that are read alike. `by` is a pseudonym; with `covers` the rows are all there was in that window.
///
/// # Errors
/// No reason, a mapping that does not fit the table, or every value that cannot be read, one a line.
pub fn by_hand(
    table: &Table,
    mapping: &str,
    rows: &[Map<String, Json>],
    reason: &str,
    by: Option<&str>,
    covers: Option<Window>,
    now: Instant,
) -> Result<Capture, String> {
    if reason.trim().is_empty() {
        return Err("a row entered by hand needs a reason; write one with --reason".to_owned());
    }
    let parsed = Mapping::parse(mapping).map_err(|e| e.to_string())?;
    let shape = Shape {
        format: Format::Ndjson,
        encoding: Encoding::Utf8,
        delimiter: ',',
        header: parsed.names(),
        header_here: false,
        first_line: 1,
        kind: table.kind,
        columns: columns_of(table),
    };
    let plan = parsed.plan(shape.kind, &shape.columns, &shape.header).map_err(|e| e.to_string())?;
    let text: String = rows.iter().map(|row| format!("{}\n", Json::Object(row.clone()))).collect();
    let mut faults = vec![];
    plan.read(&text, &shape, Grade::Manual, &mut |_, read| {
        if let Err(found) = read {
            // There is no line to speak of.
            faults.extend(
                found.iter().map(|f| format!("{}=`{}` {}; {}", f.column, f.value, f.what, f.instead)),
            );
        }
    });
    if !faults.is_empty() {
        return Err(faults.join("\n"));
    }
    let mut context = json!({ "mapping": mapping, "shape": shape, "reason": reason });
    if let Some(by) = by {
        context["by"] = json!(by);
    }
    if let Some(window) = covers {
        context["covers"] =
            json!({ "from": window.from.ms(), "to": window.to.ms(), "scopes": parsed.covered() });
    }
    Ok(Capture {
        receipt: Receipt {
            source: "tickmark".to_owned(),
            stream: format!("decision.{}", table.name),
            media_type: "application/x-ndjson".to_owned(),
            collected_at: now,
            collector: RECORDER.to_owned(),
            request: match rows.len() {
                1 => format!("a row of {} entered by hand", table.name),
                n => format!("{n} rows of {} entered by hand", table.name),
            },
            status: None,
            server_date: None,
            page: 0,
            coverage: covers.map(|window| Coverage {
                status: CoverageStatus::Complete,
                window,
                reason: String::new(),
            }),
            cursor: None,
            context,
            redacted: vec![],
        },
        body: text.into_bytes(),
    })
}
