//! `tickmark parameter`: the values that procedures run with, as versions that somebody approved; and how a report shows what
//! was in force when.

use std::collections::BTreeSet;
use std::process::ExitCode;

use app::{ParameterReport, ParameterVersion, ProcedureReport, Report, VersionReport};
use clap::{Args, Subcommand};
use model::{Conclusion, Instant, Period, Value};

use crate::failure::Failure;
use crate::import::table;
use crate::output::{self, BOLD, aligned, line, note, plain, spoken, styled};
use crate::record::{NOTHING_NEW, Said, enter};
use crate::session::{Session, derive};

#[derive(Subcommand)]
pub(crate) enum ParameterCommand {
    /// List parameters, what they are now, and every version that was entered
    List {
        /// Only of these procedures
        procedure: Vec<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what a parameter is from some day on
    Set(Box<Set>),
}

/// A version as it is entered.
#[derive(Args)]
pub(crate) struct Set {
    /// The procedure
    pub(crate) procedure: String,
    /// The parameter
    pub(crate) name: String,
    /// Its value
    pub(crate) value: String,
    /// First day on which it holds, or an instant
    #[arg(long, value_name = "DATE")]
    pub(crate) from: String,
    /// Last day on which it holds (default: until another version takes its place)
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<String>,
    /// Why: it stands in the ledger
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Account of who approved it
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) approved_by: String,
    /// The system of that account
    #[arg(long, value_name = "SYSTEM", default_value = "tickmark")]
    pub(crate) system: String,
    /// When it was approved (default: now); before it is entered it counts as known only from then on
    #[arg(long, value_name = "INSTANT")]
    pub(crate) approved_at: Option<String>,
    /// Who enters it, as a pseudonym
    #[arg(long, value_name = "WHO")]
    pub(crate) by: Option<String>,
}

pub(crate) fn run(session: &Session, what: &ParameterCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    let derive = |document: &model::Document<'_>| derive(document, &conventions);
    let tz = workspace.config.zone(None);
    match what {
        ParameterCommand::List { procedure, json } => {
            workspace.catch_up(&derive)?;
            let parameters = workspace.parameters(procedure, session.now)?;
            if *json {
                output::document(&parameters)?;
            } else {
                list(&parameters, &tz)?;
            }
        }
        ParameterCommand::Set(set) => {
            let Set { procedure, name, value, from, to, reason, approved_by, system, approved_at, by } =
                &**set;
            // A wrong value is refused here, and not on the day of the assessment.
            workspace.catalog.parameter_value(procedure, name, value).map_err(|p| Failure::of(p.said()))?;
            let (from, _) = edge(from, &tz)?;
            let to = to.as_deref().map(|to| edge(to, &tz)).transpose()?.map(|(_, to)| to);
            if to.is_some_and(|to| to <= from) {
                return Err(Failure::of("the version ends before it begins; swap --from and --to"));
            }
            let approved_at = match approved_at {
                Some(text) => edge(text, &tz)?.0,
                None => session.now,
            };
            if approved_at > session.now {
                return Err(Failure::of(format!(
                    "{approved_at} has not come yet; enter the version when it is approved"
                )));
            }
            let until = to.map_or("valid_to.constant=forever".to_owned(), |to| format!("valid_to={to}"));
            let words = [
                format!("key={procedure} {name} {from}"),
                format!("procedure={procedure}"),
                format!("parameter={name}"),
                format!("value={value}"),
                format!("valid_from={from}"),
                until,
                format!("reason={reason}"),
                format!("approved_by={approved_by}"),
                format!("approved_by.system={system}"),
                format!("approved_at={approved_at}"),
            ];
            let declared = table(&workspace, "parameter_version").map_err(Failure::of)?;
            let said = Said { reason, by: by.as_deref(), covers: None, of: &[] };
            match enter(&mut workspace, &derive, &declared, &words, &tz, &said, session.now)? {
                Some((verb, entry)) => {
                    line(&format!(
                        "`{name}` of {procedure} is {value} from {from}: {verb} as ledger entry {entry}"
                    ))?;
                    if from < session.now {
                        note(&format!(
                            "it is entered after it began: what happened from then to {} is judged by what was known then, too, \
                             and the worse verdict counts",
                            session.now
                        ));
                    }
                }
                None => line(NOTHING_NEW)?,
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The first instant of a day and the first after it; an instant alone is both.
fn edge(text: &str, tz: &str) -> Result<(Instant, Instant), Failure> {
    if text.contains('T') {
        let at = text.parse::<Instant>()?;
        return Ok((at, at));
    }
    let day = model::parse_date_range(text, text, tz)?;
    Ok((day.from, day.to))
}

fn list(parameters: &[ParameterReport], tz: &str) -> Result<(), Failure> {
    let mut before = "";
    for parameter in parameters {
        if parameter.procedure != before {
            if !before.is_empty() {
                line("")?;
            }
            line(&styled(BOLD, &parameter.procedure))?;
            before = &parameter.procedure;
        }
        let now: Vec<String> = parameter.now.iter().map(shown).collect();
        let default = match parameter.now.len() == 1 && parameter.now.contains(&parameter.default) {
            true => String::new(),
            false => format!(" (without a version {})", shown(&parameter.default)),
        };
        line(&format!("  {} {}{default}: {}", parameter.parameter, now.join(" or "), parameter.doc))?;
        let rows: Vec<Vec<String>> = parameter.versions.iter().map(|v| row(v, tz)).collect();
        for row in aligned(&rows) {
            line(row.trim_end())?;
        }
    }
    if parameters.is_empty() {
        line("no procedure that was asked about has a parameter")?;
    }
    Ok(())
}

fn row(version: &ParameterVersion, tz: &str) -> Vec<String> {
    let from = version.valid_from.map_or("nobody says from when".to_owned(), |at| first(at, tz));
    let to = match version.valid_to {
        Some(Instant::FOREVER) => "on".to_owned(),
        Some(at) => format!("to {}", last(at, tz)),
        None => "to nobody knows when".to_owned(),
    };
    let approved = match (&version.approved_by, version.approved_at) {
        (Some(by), Some(at)) => format!("approved by {} on {}", plain(by), first(at, tz)),
        _ => "not known to be approved".to_owned(),
    };
    vec![
        format!("    {}", plain(&version.value)),
        from,
        to,
        approved,
        format!("entry {}", version.entry),
        version.set_aside.as_ref().map_or_else(
            || plain(version.reason.as_deref().unwrap_or_default()),
            |why| format!("takes no effect: {}", plain(why)),
        ),
    ]
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "unknown".to_owned(),
        Value::Integer(n) => n.to_string(),
        Value::Text(text) => format!("`{}`", plain(text)),
    }
}

/// A day, where an instant is its first; else the instant.
fn first(at: Instant, tz: &str) -> String {
    let day = at.date_in(tz);
    match model::parse_date_range(&day, &day, tz) {
        Ok(period) if period.from == at => day,
        _ => at.to_string(),
    }
}

/// The day before, where an instant is the first of a day; else the instant.
fn last(at: Instant, tz: &str) -> String {
    if first(at, tz).contains('T') { at.to_string() } else { Instant::from_ms(at.ms() - 1).date_in(tz) }
}

/// What was in force when, where a version says so.
pub(crate) fn print_versions(procedure: &ProcedureReport, period: &Period) -> Result<(), Failure> {
    let tz = &period.tz;
    let told = |v: &VersionReport| {
        !v.entries.is_empty() || !v.controls.is_empty() || v.unclear.is_some() || v.note.is_some()
    };
    if procedure.versions.len() > 1 || procedure.versions.iter().any(told) {
        // What is the same all the time needs no line of its own.
        let differs = |name: &str| {
            let all = procedure
                .versions
                .iter()
                .flat_map(|v| std::iter::once(&v.parameters).chain(&v.also_judged_by));
            all.filter_map(|set| set.get(name)).collect::<BTreeSet<_>>().len() > 1
        };
        let names: Vec<&String> = procedure.versions.iter().flat_map(|v| v.parameters.keys()).collect();
        let several = names.iter().any(|name| differs(name));
        for version in &procedure.versions {
            let of = |set: &std::collections::BTreeMap<String, Value>| {
                let words: Vec<String> = set
                    .iter()
                    .filter(|(name, _)| !several || differs(name))
                    .map(|(name, value)| format!("{name} {}", shown(value)))
                    .collect();
                words.join(", ")
            };
            let mut text = vec![of(&version.parameters)];
            text.extend(
                version.controls.iter().map(|c| format!("{} {} {}", c.control, c.change, first(c.since, tz))),
            );
            text.retain(|part| !part.is_empty());
            let said = match version.conclusion {
                Some(conclusion) => format!("; {}", spoken(Conclusion::word(conclusion))),
                None => String::new(),
            };
            // A date has no days to name: what was in force is what was in force then.
            let then = version.to.ms() - version.from.ms() <= 1;
            let days = format!("{} to {}", first(version.from, tz), last(version.to, tz));
            line(&format!(
                "  in force {}: {}; population {}{said}",
                if then { "then" } else { &days },
                if text.is_empty() { "as the content says".to_owned() } else { text.join("; ") },
                version.population
            ))?;
            for remark in version.unclear.iter().chain(&version.note) {
                line(&format!("    {}", plain(remark)))?;
            }
            for set in &version.also_judged_by {
                line(&format!("    judged by {}, too: the worse verdict counts", of(set)))?;
            }
        }
    }
    for out in &procedure.not_in_force {
        let controls: Vec<String> = out
            .controls
            .iter()
            .map(|c| format!("{} {} {}", c.control, c.change, first(c.since, tz)))
            .collect();
        let why = if controls.is_empty() { "not adopted yet".to_owned() } else { controls.join(", ") };
        line(&format!("  not in force {} to {}: {why}", first(out.from, tz), last(out.to, tz)))?;
    }
    if procedure.while_not_in_force > 0 {
        line(&format!("    {} that came then are not tested", procedure.while_not_in_force))?;
    }
    let moved = procedure.items.iter().filter(|i| !i.otherwise.is_empty()).count();
    if moved > 0 {
        line(&format!(
            "  {moved} would have a better verdict by a version that was not known then, or is not known any more"
        ))?;
    }
    for aside in &procedure.set_aside {
        line(&format!(
            "  takes no effect: {} (ledger entry {}): {}",
            plain(&aside.what),
            aside.entry,
            plain(&aside.why)
        ))?;
    }
    Ok(())
}

/// What is not asked because no control was in force, and versions about nothing there is.
pub(crate) fn print_not_in_force(report: &Report) -> Result<(), Failure> {
    if !report.not_in_force.is_empty() {
        line("")?;
        line(&styled(BOLD, "Not in force in this time"))?;
        let rows: Vec<Vec<String>> = report
            .not_in_force
            .iter()
            .map(|p| {
                let why: Vec<String> = p
                    .versions
                    .iter()
                    .map(|c| format!("{} {} {}", c.control, c.change, first(c.since, &report.tz)))
                    .collect();
                vec![format!("  {}", p.controls.join(" ")), p.title.clone(), why.join(", ")]
            })
            .collect();
        for row in aligned(&rows) {
            line(row.trim_end())?;
        }
    }
    for aside in &report.set_aside {
        line(&format!(
            "takes no effect: {} (ledger entry {}): {}",
            plain(&aside.what),
            aside.entry,
            plain(&aside.why)
        ))?;
    }
    Ok(())
}
