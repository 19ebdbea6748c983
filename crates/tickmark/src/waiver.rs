//! `tickmark waiver`: times in which somebody allowed that a rule is not kept.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use model::Instant;

use crate::decision::{Because, Cell, control, decide, said};
use crate::failure::Failure;
use crate::output::{self, aligned, line, plain};
use crate::session::{Session, derive};

#[derive(Subcommand)]
pub(crate) enum WaiverCommand {
    /// Enter a waiver; the same name again corrects it, and both stay in the ledger
    Add(Box<Add>),
    /// List every waiver
    List {
        /// Ledger position whose knowledge counts (default: everything)
        #[arg(long, value_name = "POSITION")]
        known_at: Option<u64>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub(crate) struct Add {
    /// Its name, such as W-7
    key: String,
    /// The control it is about
    #[arg(long, value_name = "ID", required_unless_present = "procedure")]
    control: Option<String>,
    /// The procedure it is about
    #[arg(long, value_name = "ID")]
    procedure: Option<String>,
    /// The only item it is about, by its key (default: every item)
    #[arg(long, value_name = "KEY")]
    item: Option<String>,
    /// From when it holds: an instant, or the beginning of a day
    #[arg(long, value_name = "INSTANT")]
    from: String,
    /// Until when it holds: an instant, or the end of a day; `forever` when it has no end
    #[arg(long, value_name = "INSTANT")]
    to: String,
    /// Why it is needed
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who approved it, as a pseudonym; without somebody it covers nothing
    #[arg(long, value_name = "WHO", requires = "approved_at")]
    approved_by: Option<String>,
    /// When it was approved; of a day that is its end
    #[arg(long, value_name = "INSTANT", requires = "approved_by")]
    approved_at: Option<String>,
    /// Who enters it, as a pseudonym
    #[arg(long, value_name = "WHO")]
    by: String,
}

pub(crate) fn run(session: &Session, what: &WaiverCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    let tz = workspace.config.zone(None);
    match what {
        WaiverCommand::Add(asked) => {
            let Add { key, control, procedure, item, from, to, reason, approved_by, approved_at, by } =
                &**asked;
            let mut values = vec![];
            if let Some(id) = control {
                values.push(("control", Cell::Text(self::control(&workspace, id)?)));
            }
            if let Some(id) = procedure {
                if !workspace.catalog.procedures.contains_key(id) {
                    let known: Vec<&str> = workspace.catalog.procedures.keys().map(String::as_str).collect();
                    return Err(Failure::of(format!(
                        "there is no procedure `{id}`; there are {}",
                        known.join(", ")
                    )));
                }
                values.push(("procedure", id.as_str().into()));
            }
            if let Some(item) = item {
                values.push(("item", Cell::Text(said("item", item)?)));
            }
            let from = edge(from, &tz)?.0;
            let to = if to == "forever" { Instant::FOREVER } else { edge(to, &tz)?.1 };
            if to <= from {
                return Err(Failure::of(format!(
                    "the waiver ends at {to}, before it begins at {from}; swap them"
                )));
            }
            values.push(("valid_from", Cell::At(from)));
            values.push(("valid_to", Cell::At(to)));
            let reason = said("reason", reason)?;
            values.push(("reason", Cell::Text(reason.clone())));
            if let (Some(who), Some(at)) = (approved_by, approved_at) {
                // Of a day nobody knows the hour: what it could excuse in that day, it does not.
                let (begins, ends) = edge(at, &tz)?;
                if begins > session.now {
                    return Err(Failure::of(format!(
                        "{at} has not come yet; a waiver is entered once it is approved"
                    )));
                }
                let at =
                    if begins == ends { begins } else { Instant::from_ms(ends.ms() - 1).min(session.now) };
                values.push(("approved_by", Cell::Person(said("approved-by", who)?)));
                values.push(("approved_at", Cell::At(at)));
            }
            let because = Because { by, reason: &reason, now: session.now };
            let rows = [(said("key", key)?, values)];
            let entries = decide(&mut workspace, &conventions, "waiver", &rows, &because)?;
            line(&format!("entered {} as ledger entry {}", plain(key), entries.start))?;
            if approved_by.is_none() {
                line("nobody approved it yet: it covers nothing")?;
            }
        }
        WaiverCommand::List { known_at, json } => {
            let waivers = workspace.waivers(*known_at)?;
            if *json {
                output::document(&waivers)?;
                return Ok(ExitCode::SUCCESS);
            }
            let mut rows = vec![];
            for w in &waivers {
                let about = [&w.control, &w.procedure, &w.item].into_iter().flatten();
                let until = match w.valid_to {
                    None => "nobody knows when".to_owned(),
                    Some(Instant::FOREVER) => "without an end".to_owned(),
                    Some(to) => to.to_string(),
                };
                let approved = match (&w.approved_by, w.approved_at) {
                    (Some(by), Some(at)) if at > w.valid_from => format!("approved late, {at}, by {by}"),
                    (Some(by), Some(at)) => format!("approved {at} by {by}"),
                    _ => "not approved".to_owned(),
                };
                rows.push(vec![
                    plain(&w.key),
                    plain(&about.map(String::as_str).collect::<Vec<_>>().join(" ")),
                    format!("{} to {until}", w.valid_from),
                    plain(&approved),
                    plain(&w.reason),
                ]);
            }
            for row in aligned(&rows) {
                line(row.trim_end())?;
            }
            if rows.is_empty() {
                line("no waiver was entered")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The first instant of what is named and the first after it: of an instant itself, of a day its midnights.
fn edge(text: &str, tz: &str) -> Result<(Instant, Instant), Failure> {
    if text.contains('T') {
        let at: Instant = text.parse()?;
        return Ok((at, at));
    }
    let day = model::parse_date_range(text, text, tz)?;
    Ok((day.from, day.to))
}
