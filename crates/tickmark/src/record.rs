//! `tickmark record`: single rows entered by hand, each a decision in the ledger.

use std::collections::BTreeMap;
use std::process::ExitCode;

use app::{Compared, Derive, KnownKeys, Workspace};
use clap::Subcommand;
use connectors::import::{self, Encoding, Format, Mapping, RECORDER, Shape};
use model::{Capture, Coverage, CoverageStatus, Document, FactValue, Grade, Instant, Receipt, Table, Window};
use serde_json::{Map, Value as Json, json};

use crate::failure::Failure;
use crate::import::{table, window};
use crate::output::{aligned, line, note, plain};
use crate::session::{Session, derive};

#[derive(Subcommand)]
pub(crate) enum RecordCommand {
    /// Enter one row; the same key again corrects it
    Add {
        /// The record table
        table: String,
        /// `key=…` and `column=value …`; `column.system=…` of an account, `column.kind=…` and `column.scope=…` of an entity
        #[arg(required = true, value_name = "COLUMN=VALUE")]
        values: Vec<String>,
        /// Why it is entered by hand: it stands in the ledger
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Who enters it, as a pseudonym
        #[arg(long, value_name = "WHO")]
        by: Option<String>,
        /// With this row the table holds everything there was in this window
        #[arg(long, value_name = "FROM..TO")]
        covers: Option<String>,
        /// What the window is of, as KIND:KEY, such as `system:hub`; again for more (default: the company as a whole)
        #[arg(long, value_name = "KIND:KEY", requires = "covers")]
        of: Vec<String>,
    },
    /// List where sources say different things of the same entity, and whose word counts
    Conflicts {
        /// Only of this record table
        table: Option<String>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// List what was entered by hand
    List {
        /// The record table
        table: String,
    },
}

pub(crate) fn run(session: &Session, what: &RecordCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open_records(&place)?;
    match what {
        RecordCommand::Conflicts { table, json } => {
            if let Some(name) = table
                && workspace.catalog.table(name).is_none()
            {
                crate::import::table(&workspace, name).map_err(Failure::of)?;
            }
            workspace.catch_up(&|document| derive(document, &conventions))?;
            let mut conflicts = vec![];
            workspace.conflicts(
                table.as_deref(),
                &|document| derive(document, &conventions),
                &mut |conflict| {
                    conflicts.push(conflict);
                },
            )?;
            if *json {
                crate::output::document(&conflicts)?;
            } else if conflicts.is_empty() {
                line("no two sources say different things of the same entity")?;
            } else {
                for conflict in &conflicts {
                    line(&format!("{} {}", conflict.table, crate::import::contradiction(conflict)))?;
                }
            }
        }
        RecordCommand::Add { table: name, values, reason, by, covers, of } => {
            let table = table(&workspace, name).map_err(Failure::of)?;
            let tz = workspace.config.zone(None);
            let covers = covers.as_deref().map(|text| window(text, &tz, session.now)).transpose()?;
            let said = Said { reason, by: by.as_deref(), covers, of };
            let derive = |document: &Document<'_>| derive(document, &conventions);
            match enter(&mut workspace, &derive, &table, values, &tz, &said, session.now)? {
                Some((verb, entry)) => line(&format!("{verb} in `{name}` as ledger entry {entry}"))?,
                None => line(NOTHING_NEW)?,
            }
        }
        RecordCommand::List { table: name } => {
            let known = workspace.catalog.table(name).is_some();
            if !known {
                table(&workspace, name).map_err(Failure::of)?;
            }
            let mut rows = vec![];
            for entered in workspace.entered(&format!("decision.{name}"))? {
                let context = &entered.receipt.context;
                let text = |name: &str| context[name].as_str().unwrap_or("").to_owned();
                for line in entered.body.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
                    let values: Map<String, Json> = serde_json::from_slice(line).unwrap_or_default();
                    let values: Vec<String> = values
                        .iter()
                        .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default()))
                        .collect();
                    rows.push(vec![
                        entered.entry.to_string(),
                        entered.receipt.collected_at.to_string(),
                        plain(&text("by")),
                        plain(&text("reason")),
                        plain(&values.join(" ")),
                    ]);
                }
            }
            for row in aligned(&rows) {
                line(row.trim_end())?;
            }
            if rows.is_empty() {
                line(&format!("nothing was entered by hand in `{name}`"))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The scopes that a window is of, as the mapping says them.
fn covered_scopes(of: &[String]) -> Result<String, Failure> {
    let mut scopes = vec![];
    for scope in of {
        let Some((kind, key)) =
            scope.split_once(':').filter(|(kind, key)| !kind.is_empty() && !key.is_empty())
        else {
            return Err(Failure::of(format!(
                "`{}` does not say of what kind it is; write it like system:hub or repository:acme/app",
                plain(scope)
            )));
        };
        let scope = [("kind".to_owned(), kind.into()), ("key".to_owned(), key.into())];
        scopes.push(toml::Value::Table(scope.into_iter().collect()));
    }
    if scopes.is_empty() {
        return Ok(String::new());
    }
    Ok(format!("covers = {}\n", toml::Value::Array(scopes)))
}

/// What is said of a row besides its values.
pub(crate) struct Said<'a> {
    pub(crate) reason: &'a str,
    pub(crate) by: Option<&'a str>,
    pub(crate) covers: Option<Window>,
    /// Of what `covers` speaks, such as `system:hub`; the company as a whole when empty.
    pub(crate) of: &'a [String],
}

pub(crate) const NOTHING_NEW: &str =
    "nothing new: that is known already, or by a source's own record; nothing was appended";

/// Enters a row as it is typed. Gives whether it was entered or corrected, and as which ledger entry; `None` when it says
/// nothing new.
pub(crate) fn enter(
    workspace: &mut Workspace,
    derive: &Derive<'_>,
    table: &Table,
    words: &[String],
    tz: &str,
    said: &Said<'_>,
    now: Instant,
) -> Result<Option<(&'static str, u64)>, Failure> {
    let (mut mapping, body) = written(table, words, tz)?;
    mapping.insert_str(0, &covered_scopes(said.of)?);
    workspace.catch_up(derive)?;
    let capture = row(table, &mapping, &body, said, now)?;
    let (compared, covered) = compare(workspace, &capture)?;
    if compared.says_nothing() && covered {
        return Ok(None);
    }
    let entries = workspace.decide(&[capture])?;
    let applied = workspace.catch_up(derive)?;
    for (entry, problem) in applied.problems.iter().filter(|(entry, _)| entries.contains(entry)) {
        note(&format!("entry {entry}: {}", plain(problem)));
    }
    Ok(Some((if compared.changed > 0 { "corrected" } else { "entered" }, entries.start)))
}

/// Words as they are typed, as a mapping and one record for it: a row entered by hand is read as an imported one is.
pub(crate) fn written(
    table: &Table,
    words: &[String],
    tz: &str,
) -> Result<(String, Map<String, Json>), Failure> {
    let mut body = Map::new();
    let mut mapping = toml::Table::new();
    let mut columns: BTreeMap<String, toml::Table> = BTreeMap::new();
    let mut display = toml::Table::new();
    mapping.insert("table".to_owned(), table.name.clone().into());
    mapping.insert("zone".to_owned(), tz.into());
    for word in words {
        let Some((name, value)) = word.split_once('=') else {
            return Err(Failure::of(format!("`{word}` is no value; write it like column=value")));
        };
        let (column, how) = name.split_once('.').map_or((name, None), |(column, how)| (column, Some(how)));
        match (column, how) {
            ("key", Some(how @ ("kind" | "scope"))) => {
                mapping.insert(how.to_owned(), value.into());
            }
            ("display", Some(field)) => {
                display.insert(field.to_owned(), name.into());
                body.insert(name.to_owned(), value.into());
            }
            (_, None) => {
                if body.insert(name.to_owned(), value.into()).is_some() {
                    return Err(Failure::of(format!("`{name}` is said twice; keep one of the two")));
                }
                if name == "key" {
                    mapping.insert("key".to_owned(), "key".into());
                } else {
                    columns.entry(column.to_owned()).or_default().insert("column".to_owned(), name.into());
                }
            }
            (column, Some(how)) => {
                // Every word of the mapping is a text, but for one number.
                let value = match value.parse::<i64>() {
                    Ok(number) if how == "times" => number.into(),
                    _ => value.into(),
                };
                columns.entry(column.to_owned()).or_default().insert(how.to_owned(), value);
            }
        }
    }
    if !body.contains_key("key") {
        return Err(Failure::of(format!(
            "nothing says which row of `{}` it is; write key=…, which the same row has for good",
            table.name
        )));
    }
    let columns: toml::Table = columns.into_iter().map(|(name, how)| (name, how.into())).collect();
    mapping.insert("columns".to_owned(), columns.into());
    mapping.insert("display".to_owned(), display.into());
    Ok((toml::to_string(&mapping).map_err(Failure::of)?, body))
}

/// The capture of one row, once it can be read.
pub(crate) fn row(
    table: &Table,
    mapping: &str,
    body: &Map<String, Json>,
    said: &Said<'_>,
    now: Instant,
) -> Result<Capture, Failure> {
    rows(table, mapping, std::slice::from_ref(body), said, now)
}

/// The capture of several rows that are read alike, once all of them can be read.
pub(crate) fn rows(
    table: &Table,
    mapping: &str,
    bodies: &[Map<String, Json>],
    said: &Said<'_>,
    now: Instant,
) -> Result<Capture, Failure> {
    if said.reason.trim().is_empty() {
        return Err(Failure::of("a row entered by hand needs a reason; write one with --reason"));
    }
    let parsed = Mapping::parse(mapping).map_err(Failure::of)?;
    let shape = Shape {
        format: Format::Ndjson,
        encoding: Encoding::Utf8,
        delimiter: ',',
        header: parsed.names(),
        header_here: false,
        first_line: 1,
        kind: table.kind,
        columns: import::columns_of(table),
    };
    let plan = parsed.plan(shape.kind, &shape.columns, &shape.header).map_err(Failure::of)?;
    let text: String = bodies.iter().map(|body| format!("{}\n", Json::Object(body.clone()))).collect();
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
        return Err(Failure::of(faults.join("\n")));
    }
    let mut context = json!({ "mapping": mapping, "shape": shape, "reason": said.reason });
    if let Some(by) = said.by {
        context["by"] = json!(by);
    }
    if let Some(window) = said.covers {
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
            request: match bodies.len() {
                1 => format!("a row of {} entered by hand", table.name),
                n => format!("{n} rows of {} entered by hand", table.name),
            },
            status: None,
            server_date: None,
            page: 0,
            coverage: said.covers.map(|window| Coverage {
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

/// What the row would change, and whether all it says of coverage is known.
fn compare(workspace: &mut Workspace, capture: &Capture) -> Result<(Compared, bool), Failure> {
    let document = Document { receipt: capture.receipt.clone(), body: &capture.body };
    let (coverage, facts): (Vec<_>, Vec<_>) =
        import::derive(&document).facts.into_iter().partition(|f| f.table == "coverage");
    let mut covered = true;
    for fact in &coverage {
        covered &= workspace.covered_alike(fact)?;
    }
    Ok((workspace.compare(&facts, &mut KnownKeys::default())?, covered))
}

/// The value of a column in a fact, for people.
pub(crate) fn shown(value: &FactValue) -> String {
    match value {
        FactValue::Null => String::new(),
        FactValue::Integer(n) => n.to_string(),
        FactValue::Text(text) => text.clone(),
        FactValue::Entity(key) => key.key.clone(),
    }
}
