//! `tickmark population`: freezing what a procedure judges, and every freeze there ever was.

use std::process::ExitCode;

use app::{Anchoring, AssessmentQuestion, Because, Beside, Outcome, PopulationReport};
use clap::{Args, Subcommand};
use model::Period;

use crate::assess::procedures;
use crate::command::When;
use crate::failure::Failure;
use crate::output::{self, BOLD, line, plain, spoken, styled};
use crate::session::{Session, derive};

#[derive(Subcommand)]
pub(crate) enum PopulationCommand {
    /// Freeze what procedures judge over a period, or at a date
    Freeze(Box<Freeze>),
    /// List every population that was ever frozen, void ones too, each beside the one before
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Declare a population void, and what was drawn from it; all of it stays in the list
    Void {
        /// The population, by its ledger entry
        population: u64,
        #[command(flatten)]
        because: Why,
    },
}

/// Who decides, and why.
#[derive(Args)]
pub(crate) struct Why {
    /// Who, as a pseudonym: it stands in the ledger
    #[arg(long, value_name = "WHO")]
    pub(crate) by: String,
    /// Why: it stands in the ledger
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

impl Why {
    pub(crate) fn because(&self) -> Because<'_> {
        Because { by: &self.by, reason: &self.reason }
    }
}

#[derive(Args)]
pub(crate) struct Freeze {
    /// Every procedure that tests this control, such as CHG-02; again for more
    #[arg(long, value_name = "ID", required_unless_present = "procedure")]
    control: Vec<String>,
    /// This procedure; again for more
    #[arg(long, value_name = "ID")]
    procedure: Vec<String>,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    because: Why,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(session: &Session, what: &PopulationCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    match what {
        PopulationCommand::Freeze(asked) => {
            let mut ids = procedures(&workspace, &asked.control)?;
            for id in &asked.procedure {
                if !workspace.catalog.procedures.contains_key(id) {
                    let known: Vec<&str> = workspace.catalog.procedures.keys().map(String::as_str).collect();
                    return Err(Failure::of(format!(
                        "there is no procedure `{id}`; there are {}",
                        known.join(", ")
                    )));
                }
                ids.push(id.clone());
            }
            ids.sort();
            ids.dedup();
            let question = asked.when.question(session.now, &workspace.config)?;
            let question = AssessmentQuestion { procedures: ids, ..question };
            workspace.catch_up(&|document| derive(document, &conventions))?;
            let entries = workspace.freeze_populations(&question, asked.because.because())?;
            let (mut all, _) = workspace.populations()?;
            all.retain(|p| entries.contains(&p.population));
            if asked.json {
                output::document(&all)?;
                return Ok(ExitCode::SUCCESS);
            }
            for population in &all {
                print(population)?;
            }
            line("")?;
            line("next: tickmark ledger anchor …, and then, by the auditor, tickmark sample draw …")?;
        }
        PopulationCommand::List { json } => {
            let (all, lost) = workspace.populations()?;
            if *json {
                output::document(&serde_json::json!({ "populations": all, "lost": lost }))?;
                return Ok(ExitCode::SUCCESS);
            }
            if all.is_empty() && lost.is_empty() {
                line("nothing was frozen yet")?;
            }
            for population in &all {
                print(population)?;
            }
            print_lost(&lost)?;
        }
        PopulationCommand::Void { population, because } => {
            // Samples have a command of their own; a slip of the number is no reason to void one.
            if !workspace.populations()?.0.iter().any(|p| p.population == *population) {
                return Err(Failure::of(format!(
                    "entry {population} is no population; `tickmark population list` shows them"
                )));
            }
            let entry = workspace.declare_void(*population, because.because())?;
            line(&format!(
                "the population {population} is void since ledger entry {entry}; it stays in the list"
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn print_lost(lost: &std::collections::BTreeMap<u64, String>) -> Result<(), Failure> {
    for (entry, why) in lost {
        line(&format!("{entry}  {}", plain(why)))?;
    }
    Ok(())
}

fn print(report: &PopulationReport) -> Result<(), Failure> {
    let p = &report.frozen;
    let period = Period { from: p.from, to: p.to, tz: p.tz.clone() };
    let head = format!("population {}: {} ({})", report.population, p.procedure, p.controls.join(" "));
    line(&styled(BOLD, &head))?;
    line(&format!(
        "  {} items, {} to {} ({}), frozen {} at ledger position {}",
        p.count,
        period.first_date(),
        period.last_date(),
        p.tz,
        report.frozen_at,
        p.position
    ))?;
    line(&format!("  root {}", p.root))?;
    if !p.root_holds {
        line("  its rows don't give this root: nothing can be drawn from it")?;
    }
    line(&format!("  {}", anchored(report.anchored)))?;
    line(&format!("  by {}: {}", plain(&p.by), plain(&p.reason)))?;
    for check in p.checks.iter().filter(|check| check.outcome != Outcome::Passed) {
        line(&format!("  {} {}: {}", check.check, check.outcome.word(), plain(&check.says)))?;
    }
    if let Some(conclusion) = p.conclusion {
        line(&format!("  conclusion: {}", spoken(conclusion.word())))?;
    }
    if let Some(beside) = &report.beside {
        line(&format!("  {}", difference(beside)))?;
    }
    if let Some(newer) = report.newer {
        line(&format!("  frozen again since, as {newer}"))?;
    }
    if !report.draws.is_empty() {
        let draws: Vec<String> = report.draws.iter().map(u64::to_string).collect();
        line(&format!("  samples drawn from it: {}", draws.join(", ")))?;
    }
    if let Some(void) = &report.void {
        line(&format!("  VOID since entry {}, by {}: {}", void.entry, plain(&void.by), plain(&void.reason)))?;
    }
    Ok(())
}

/// What is not the same as in the freeze before.
fn difference(beside: &Beside) -> String {
    let period = if beside.same_period { "" } else { ", of another period" };
    match (beside.added, beside.removed, beside.changed) {
        (Some(added), Some(removed), Some(changed)) => format!(
            "beside {}{period}: {added} items added, {removed} removed, {changed} changed",
            beside.population
        ),
        _ => format!(
            "beside {}{period}: another version derived the rows, so that items cannot be compared",
            beside.population
        ),
    }
}

/// Who vouched for it.
pub(crate) const fn anchored(by: Anchoring) -> &'static str {
    match by {
        Anchoring::External => "anchored by somebody outside",
        Anchoring::Own => "anchored by ourselves only: the order is shown, not that anybody else saw it",
        Anchoring::None => "not anchored",
    }
}
