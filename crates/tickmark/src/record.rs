//! `tickmark record`: single rows entered by hand, each a decision in the ledger.

use std::process::ExitCode;

use app::{Derive, EnteredRows, Scribe, Workspace};
use clap::Subcommand;
use connectors::import;
use model::{Capture, Document, FactValue, Instant, Table};
use serde_json::{Map, Value as Json};

pub(crate) use app::SaidOf as Said;

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
    let scribe = Scribe { derive, write, now };
    let Some(entered) = workspace.enter_row(&scribe, table, words, tz, said)? else { return Ok(None) };
    tell(&entered);
    Ok(Some((if entered.corrected { "corrected" } else { "entered" }, entered.entries.start)))
}

/// Says what could not be read of what was entered.
pub(crate) fn tell(entered: &EnteredRows) {
    for (entry, problem) in &entered.problems {
        note(&format!("entry {entry}: {}", plain(problem)));
    }
}

/// What writes rows that people enter.
pub(crate) fn write(
    table: &Table,
    mapping: &str,
    rows: &[Map<String, Json>],
    said: &Said<'_>,
    now: Instant,
) -> Result<Capture, String> {
    import::by_hand(table, mapping, rows, said.reason, said.by, said.covers, now)
}

/// The capture of one row, once it can be read.
pub(crate) fn row(
    table: &Table,
    mapping: &str,
    body: &Map<String, Json>,
    said: &Said<'_>,
    now: Instant,
) -> Result<Capture, Failure> {
    write(table, mapping, std::slice::from_ref(body), said, now).map_err(Failure::of)
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
