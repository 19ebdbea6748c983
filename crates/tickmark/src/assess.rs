//! `tickmark assess`: what the procedures say of everything in the workspace, over a period or at a date.

use std::process::ExitCode;

use app::{AssessmentQuestion, Report, Workspace};
use connectors::git::Conventions;
use model::{Instant, Period};

use crate::check::{is_unfed, print_procedure, print_unfed, status};
use crate::command::Assess;
use crate::decision::{Because, Cell, Row, decide};
use crate::failure::Failure;
use crate::output::{self, BOLD, aligned, line, note, styled};
use crate::parameter::print_not_in_force;
use crate::session::{Session, derive};

pub(crate) fn run(session: &Session, asked: &Assess) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    let procedures = procedures(&workspace, &asked.control)?;
    let question = asked.asked.question(session.now, &workspace.config)?;
    // What is in order is only counted here; a document has everything.
    let question = AssessmentQuestion { procedures, brief: !asked.json, ..question };
    workspace.catch_up(&|document| derive(document, &conventions))?;
    let report = workspace.assess(&question)?;
    if asked.json {
        output::document(&report)?;
    } else {
        print(&report, &question.period, asked.all)?;
    }
    if asked.record {
        let said = record(&mut workspace, &conventions, &report, session.now)?;
        if asked.json { note(&said) } else { line(&said)? }
    }
    Ok(status(&report, asked.fail_on))
}

/// Enters that the controls of a report were tested, each with its conclusion. Says which ledger entry holds it.
fn record(
    workspace: &mut Workspace,
    conventions: &Conventions,
    report: &Report,
    now: Instant,
) -> Result<String, Failure> {
    let position = i64::try_from(report.position).map_err(Failure::of)?;
    let rows: Vec<Row> = workspace
        .tested(report)
        .into_iter()
        .map(|(control, conclusion)| {
            let values = vec![
                ("control", Cell::Text(control.clone())),
                ("tested_at", Cell::At(now)),
                ("ledger_position", Cell::Number(position)),
                ("conclusion", conclusion.word().into()),
            ];
            (format!("{control} {}", workspace.size()), values)
        })
        .collect();
    if rows.is_empty() {
        return Ok("no control was tested by all of its procedures; nothing was recorded".to_owned());
    }
    let because = Because { by: "tickmark", reason: "the procedures of these controls were run", now };
    let entries = decide(workspace, conventions, "control_test", &rows, &because)?;
    Ok(format!("that {} controls were tested is recorded in ledger entry {}", rows.len(), entries.start))
}

/// The last instant whose facts count: the end of a day that is over, else now.
pub(crate) fn cutoff(now: Instant, day: Option<&str>, zone: &str) -> Result<Instant, Failure> {
    let Some(day) = day else { return Ok(now) };
    let cutoff = end_of(day, zone)?;
    if cutoff > now {
        return Err(Failure::of(format!(
            "the cut-off {day} has not come yet; leave --cutoff out to count everything up to now"
        )));
    }
    Ok(cutoff)
}

/// The last instant of a day.
fn end_of(day: &str, zone: &str) -> Result<Instant, Failure> {
    Ok(model::parse_date_range(day, day, zone)?.last())
}

/// The last instant of a day, of today now; a day to come is refused.
pub(crate) fn until(now: Instant, day: &str, zone: &str) -> Result<Instant, Failure> {
    if model::parse_date_range(day, day, zone)?.from > now {
        return Err(Failure::of(format!(
            "{day} has not come yet; name today or an earlier day (today is {})",
            now.date_in(zone)
        )));
    }
    Ok(end_of(day, zone)?.min(now))
}

/// Ids of the procedures of some controls; of all when none is named.
pub(crate) fn procedures(workspace: &Workspace, controls: &[String]) -> Result<Vec<String>, Failure> {
    let mut ids = vec![];
    for control in controls {
        let before = ids.len();
        ids.extend(workspace.catalog.procedures_of(control).map(|p| p.id.clone()));
        if ids.len() == before {
            let known: Vec<&str> = workspace.catalog.controls.keys().map(String::as_str).collect();
            return Err(Failure::of(format!(
                "no procedure tests a control `{control}`; there are {}",
                known.join(", ")
            )));
        }
    }
    ids.sort();
    ids.dedup();
    Ok(ids)
}

fn print(report: &Report, period: &Period, all: bool) -> Result<(), Failure> {
    let head = if report.at_a_date {
        format!("As of {} ({})", report.from, report.tz)
    } else {
        format!("{} to {} ({})", period.first_date(), period.last_date(), period.tz)
    };
    line(&styled(BOLD, &head))?;
    line(&format!("facts up to {}, as known at ledger position {}", report.cutoff, report.position))?;
    if report.at_a_date {
        line(
            "a date shows what held then, never how a control operated: it gives no rate and no conclusion",
        )?;
    }
    crate::coverage::print_alarms(&report.alarms, &report.tz)?;
    let (unfed, fed): (Vec<_>, Vec<_>) = report.procedures.iter().partition(|p| is_unfed(p));
    for procedure in fed {
        line("")?;
        print_procedure(procedure, period, all)?;
    }
    print_unfed(&unfed)?;
    print_not_in_force(report)?;
    if let Some(scope) = &report.scope {
        crate::scope::print_report(scope, period)?;
    }
    if !report.over_a_period_only.is_empty() {
        line("")?;
        line(&styled(BOLD, "Not asked: these test what happens in a period (--from, --to)"))?;
        let rows: Vec<Vec<String>> = report
            .over_a_period_only
            .iter()
            .map(|p| vec![format!("  {}", p.controls.join(" ")), p.title.clone()])
            .collect();
        for row in aligned(&rows) {
            line(&row)?;
        }
    }
    Ok(())
}
