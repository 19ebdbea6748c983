//! A question to the records in SQL, behind the same walls as `tickmark query`: it can do nothing but read, and only records.

use std::ops::ControlFlow;
use std::time::Duration;

use app::AppError;
use axum::http::StatusCode;
use maud::{Markup, html};
use model::{ColumnType, Instant, Value};
use serde_json::Value as Json;

use crate::answer::{Answer, Form, Page};
use crate::csv;
use crate::fault::Fault;
use crate::parts::{self, count, many, theirs};
use crate::visit::Visit;

/// Rows that a page shows, and that an export holds.
const SHOWN: usize = 200;
const EXPORTED: usize = 100_000;
/// How long a question may take here; the command line has more patience.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest question.
const LONGEST: usize = 8 * 1024;

/// What a question yielded.
struct Yielded {
    columns: Vec<(String, ColumnType)>,
    rows: Vec<Vec<Value>>,
    /// Whether there were more.
    more: bool,
    as_of: Instant,
}

pub(crate) fn console(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let text = visit.query.iter().find(|(key, _)| key == "sql").map_or("", |(_, sql)| sql.trim());
    if text.len() > LONGEST {
        let cause = format!("a question has at most {} kB here", LONGEST / 1024);
        return Err(Fault::new(StatusCode::BAD_REQUEST, "too_long", cause, "ask it with `tickmark query`"));
    }
    if text.is_empty() {
        if visit.form != Form::Html {
            return Err(Fault::new(
                StatusCode::BAD_REQUEST,
                "no_question",
                "nothing was asked",
                "name a SELECT as `sql`",
            ));
        }
        return page(visit, text, None);
    }
    let most = if visit.form == Form::Html { SHOWN } else { EXPORTED };
    match (asked(visit, text, most), visit.form) {
        (Ok(yielded), Form::Html) => page(visit, text, Some(Ok(yielded))),
        (Err(error), Form::Html) => page(visit, text, Some(Err(error))),
        (Err(error), _) => Err(Fault::asked(&error)),
        (Ok(yielded), _) if yielded.more => Err(Fault::new(
            StatusCode::BAD_REQUEST,
            "too_many_rows",
            format!("the answer has more than {} rows, and half an answer looks like one", count(EXPORTED)),
            "narrow it with WHERE, or ask with `tickmark query --out FILE`",
        )),
        (Ok(yielded), Form::Json) => document(visit, &yielded),
        (Ok(yielded), Form::Csv) => Ok(Answer::Csv(sheet(visit, &yielded))),
    }
}

fn asked(visit: &Visit<'_>, text: &str, most: usize) -> Result<Yielded, AppError> {
    let as_of = match visit.word("as_of") {
        Some(text) => text.parse::<Instant>()?,
        None => visit.site.today(),
    };
    let mut asking = {
        let mut workspace = visit.site.workspace();
        let prepared = workspace.prepare(text, as_of, None)?;
        workspace.asking(prepared)?
    };
    // Others go on with the workspace while this runs.
    let columns = asking.prepared().columns.clone();
    let (mut rows, mut more) = (vec![], false);
    asking.run(PATIENCE, &mut |row| {
        if rows.len() == most {
            more = true;
            return ControlFlow::Break(());
        }
        rows.push(row.to_vec());
        ControlFlow::Continue(())
    })?;
    Ok(Yielded { columns, rows, more, as_of })
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(n) => n.to_string(),
        Value::Text(text) => text.clone(),
    }
}

/// Numbers beyond 2^53 as text: most readers of JSON would round them.
fn json_of(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(n) if n.unsigned_abs() <= 1 << 53 => (*n).into(),
        Value::Integer(n) => n.to_string().into(),
        Value::Text(text) => text.clone().into(),
    }
}

fn document(visit: &Visit<'_>, y: &Yielded) -> Result<Answer, Fault> {
    let names: Vec<&str> = y.columns.iter().map(|(name, _)| name.as_str()).collect();
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        let cause = format!("the question yields two columns `{}`", twice.1);
        return Err(Fault::new(
            StatusCode::BAD_REQUEST,
            "same_name",
            cause,
            "give each its own name with AS",
        ));
    }
    let row = |row: &Vec<Value>| -> Json {
        names
            .iter()
            .map(|n| (*n).to_owned())
            .zip(row.iter().map(json_of))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let rows: Vec<Json> = y.rows.iter().map(row).collect();
    Page::new(visit, "Ask")
        .json(|| serde_json::json!({ "as_of": y.as_of, "position": visit.site.position(), "rows": rows }))
        .show(|| html! {})
}

fn sheet(visit: &Visit<'_>, y: &Yielded) -> String {
    let demo = visit.site.demo().map(|_| "simulated");
    let mut text = csv::line(y.columns.iter().map(|(name, _)| name.as_str()).chain(demo.map(|_| "demo")));
    for row in &y.rows {
        let cells: Vec<String> = row.iter().map(shown).collect();
        text.push_str(&csv::line(cells.iter().map(String::as_str).chain(demo)));
    }
    text
}

/// Questions to begin with.
const EXAMPLES: [(&str, &str); 3] = [
    (
        "repositories",
        "SELECT r.label AS label, r.default_branch AS default_branch FROM repository r ORDER BY r.label NULLS LAST LIMIT 100",
    ),
    (
        "the newest changes",
        "SELECT c.merged_at AS merged_at, c.in_scope AS in_scope FROM change c ORDER BY c.merged_at DESC NULLS LAST LIMIT 100",
    ),
    (
        "files of evidence",
        "SELECT f.control AS control, f.label AS label, f.covers_to AS covers_to FROM evidence_file f ORDER BY f.control NULLS LAST LIMIT 100",
    ),
];

fn page(visit: &Visit<'_>, text: &str, yielded: Option<Result<Yielded, AppError>>) -> Result<Answer, Fault> {
    let mut page = Page::new(visit, "Ask").wide();
    if let Some(result) = &yielded {
        page = page.command(format!("tickmark query {}", quoted(text)));
        match result {
            // Both forms ask again.
            Ok(_) => page = page.json(|| Json::Null).csv(csv::Csv::default),
            Err(_) => page = page.status(StatusCode::BAD_REQUEST),
        }
    }
    page.show(|| {
        html! {
            (parts::head("Ask the records", &html! { @match &yielded {
                Some(Ok(y)) => { (many(y.rows.len(), "row", "rows")) @if y.more { ", and there are more" } },
                Some(Err(_)) => "That question cannot be asked",
                None => "One SELECT over the record tables",
            } }, &html! { p { "It can do nothing but read, and sees records alone: " a href=(visit.to(&["catalog"])) { "the tables" } ". It stops after " (PATIENCE.as_secs()) " seconds." } }, &html! {}))
            form method="get" action="/query" {
                label for="sql" { "SELECT" }
                textarea.sql id="sql" name="sql" rows="6" spellcheck="false" autocapitalize="off" maxlength=(LONGEST) required { (text) }
                div.facets.mt8 {
                    button.btn.pri { "Ask" }
                    label for="as_of" { "As of" } input.in.find id="as_of" name="as_of" placeholder=(visit.site.today()) value=[visit.word("as_of")] aria-describedby="as-of-h";
                    span.hint id="as-of-h" { "an instant in UTC; now where it is empty" }
                }
            }
            @match &yielded {
                None => p.sub.mt { "To begin with: " @for (at, (name, sql)) in EXAMPLES.iter().enumerate() { @if at > 0 { ", " } a href=(visit.find(&["query"], &[("sql", sql)])) { (name) } } },
                Some(Err(error)) => div.note.mt role="alert" { @for line in error.to_string().lines() { p { (theirs(line)) } } },
                Some(Ok(y)) => (answer(y)),
            }
        }
    })
}

fn answer(y: &Yielded) -> Markup {
    html! {
        p.bar role="status" { (many(y.rows.len(), "row", "rows")) @if y.more { ": only the first are shown; the export holds up to " (count(EXPORTED)) } }
        @if y.rows.is_empty() { (parts::empty("It yields no row.", "Nothing matches, or nobody looked: an empty answer proves nothing by itself. See the coverage of the tables.", None, None)) }
        @else { div.gridw role="region" aria-label="The answer" tabindex="0" { table.answer { caption.vh { "Answer" }
            thead { tr { @for (name, kind) in &y.columns { th scope="col" class=[(*kind == ColumnType::Integer).then_some("num")] { (name) } } } }
            tbody { @for row in &y.rows { tr { @for (cell, (_, kind)) in row.iter().zip(&y.columns) { td class=[matches!(cell, Value::Integer(_)).then_some("num")] {
                @match cell {
                    Value::Null => span.dim { "unknown" },
                    Value::Integer(ms) if *kind == ColumnType::Instant => span.nw title=(ms) { (Instant::from_ms(*ms)) },
                    other => (theirs(&shown(other))),
                }
            } } } } }
        } } }
    }
}

/// A text as a shell takes it for one word.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
