//! `tickmark catalog`: the content, from every side. Nothing is judged and no ledger is opened.

use std::process::ExitCode;

use app::{
    Carried, ControlEntry, CriterionEntry, Crossed, MappedTo, ProcedureEntry, TableEntry, browse_controls,
    browse_criteria, browse_policies, browse_presets, browse_procedures, browse_tables, browse_workstreams,
    crossed,
};
use catalog::{Catalog, Problem, nearest};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::{self, BOLD, DIM, aligned, line, note, spoken, styled};
use crate::session::{Session, derive};

#[derive(Subcommand)]
pub(crate) enum CatalogCommand {
    /// The trust services criteria, with their controls; with numbers, down to what feeds the tests
    Criteria(Asked),
    /// The controls; with ids, in full
    Controls(Asked),
    /// The procedures that test controls; with ids, in full
    Procedures(Asked),
    /// The record tables; with names, every column
    Tables(Asked),
    /// Choices of categories by kind of service
    Presets(Asked),
    /// Strands of work on the way to a first report, step by step
    Workstreams(Asked),
    /// A policy in our own words, with the parameters filled in; without a name, the list of them
    Policy {
        /// Its name
        name: Option<String>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Which evidence carries over to another framework, number by number, and what remains uncovered
    Crosswalk {
        /// The framework
        #[arg(value_enum)]
        framework: Framework,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
        /// Print a statement of applicability (iso) or a matrix of safeguards (hipaa) as comma-separated lines
        #[arg(long, conflicts_with = "json")]
        csv: bool,
    },
}

#[derive(Args)]
pub(crate) struct Asked {
    /// Only these, in full
    ids: Vec<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Framework {
    /// ISO/IEC 27001:2022, Annex A and clauses
    Iso,
    /// HIPAA, 45 CFR part 164
    Hipaa,
}

pub(crate) fn run(session: &Session, what: &CatalogCommand) -> Result<ExitCode, Failure> {
    match what {
        CatalogCommand::Criteria(asked) => {
            let all = browse_criteria(&read(session)?);
            show(asked, all, "criterion", |c| &c.id, list_criteria, print_criterion)?;
        }
        CatalogCommand::Controls(asked) => {
            let all = browse_controls(&read(session)?);
            show(asked, all, "control", |c| &c.id, list_controls, print_control)?;
        }
        CatalogCommand::Procedures(asked) => {
            let all = browse_procedures(&read(session)?);
            show(asked, all, "procedure", |p| &p.id, list_procedures, print_procedure)?;
        }
        CatalogCommand::Tables(asked) => {
            let all = browse_tables(&read(session)?);
            show(asked, all, "table", |t| &t.name, list_tables, print_table)?;
        }
        CatalogCommand::Presets(asked) => {
            let all = browse_presets(&read(session)?);
            show(asked, all, "preset", |p| &p.id, |all| all.iter().try_for_each(print_preset), print_preset)?;
        }
        CatalogCommand::Workstreams(asked) => {
            let all = browse_workstreams(&read(session)?);
            let list = |all: &[app::WorkstreamEntry]| all.iter().try_for_each(print_workstream);
            show(asked, all, "workstream", |w| &w.id, list, print_workstream)?;
        }
        CatalogCommand::Policy { name: None, json } => list_policies(&read(session)?, *json)?,
        CatalogCommand::Policy { name: Some(name), json } => policy(session, name, *json)?,
        CatalogCommand::Crosswalk { framework, json, csv } => {
            let name = if *framework == Framework::Iso { "iso" } else { "hipaa" };
            let catalog = read(session)?;
            let crosswalk = catalog.crosswalks.get(name).ok_or_else(|| {
                Failure::of(format!(
                    "content/crosswalk/{name}.toml could not be read; mend or remove it in the workspace's content"
                ))
            })?;
            let found = crossed(&catalog, crosswalk);
            if *json {
                output::document(&found)?;
            } else if *csv {
                print_csv(&found)?;
            } else {
                print_crossed(&found)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The content with the workspace's over it. Its problems are said on standard error.
fn read(session: &Session) -> Result<Catalog, Failure> {
    let place = session.place()?;
    let files = catalog::read_folder(&place.folder.join("content")).map_err(Failure::of)?;
    let (catalog, problems) = Catalog::load(&files);
    say(&problems);
    Ok(catalog)
}

fn say(problems: &[Problem]) {
    for problem in problems {
        note(&format!("left out: content/{problem}"));
    }
}

/// All of a kind as a list, or those that are named in full.
fn show<T: Serialize>(
    asked: &Asked,
    mut all: Vec<T>,
    what: &str,
    id: impl Fn(&T) -> &String,
    list: impl Fn(&[T]) -> Result<(), Failure>,
    print: impl Fn(&T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for wanted in &asked.ids {
        if !all.iter().any(|one| id(one) == wanted) {
            return Err(unknown(what, wanted, all.iter().map(|one| id(one).as_str())));
        }
    }
    all.retain(|one| asked.ids.is_empty() || asked.ids.contains(id(one)));
    if asked.json {
        return output::document(&all);
    }
    if asked.ids.is_empty() {
        return list(&all);
    }
    for (at, one) in all.iter().enumerate() {
        if at > 0 {
            line("")?;
        }
        print(one)?;
    }
    Ok(())
}

/// A name that is not known, with the nearest one.
fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Failure {
    let help = match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "the same command without a name lists them".to_owned(),
    };
    Failure::of(format!("there is no {what} `{name}`; {help}"))
}

fn listed(mapped: &[MappedTo]) -> String {
    let one = |m: &MappedTo| if m.key { format!("{} (key)", m.id) } else { m.id.clone() };
    mapped.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn or_none(list: &[String], none: &str) -> String {
    if list.is_empty() { none.to_owned() } else { list.join(", ") }
}

fn fields(rows: Vec<(&str, String)>) -> Result<(), Failure> {
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|(name, text)| vec![format!("  {name}"), text]).collect();
    aligned(&rows).iter().try_for_each(|row| line(row))
}

fn list_criteria(all: &[CriterionEntry]) -> Result<(), Failure> {
    let mut category = "";
    for criterion in all {
        if criterion.category != category {
            if !category.is_empty() {
                line("")?;
            }
            category = criterion.category;
            line(&styled(BOLD, category))?;
        }
        let (tested, controls) = (criterion.procedures.len(), criterion.controls.len());
        let of = |n: usize, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
        line(&format!(
            "  {:<6} {}  {}",
            criterion.id,
            criterion.title,
            styled(DIM, &format!("{}, {}", of(controls, "control"), of(tested, "procedure")))
        ))?;
    }
    Ok(())
}

fn print_criterion(criterion: &CriterionEntry) -> Result<(), Failure> {
    line(&styled(BOLD, &format!("{} {}", criterion.id, criterion.title)))?;
    fields(vec![
        ("category", criterion.category.to_owned()),
        ("controls", listed(&criterion.controls)),
        ("procedures", or_none(&criterion.procedures, "none: evidence is gathered by hand")),
        ("tables", or_none(&criterion.tables, "none")),
        ("fed by", or_none(&criterion.fed_by, "nothing")),
    ])
}

fn list_controls(all: &[ControlEntry]) -> Result<(), Failure> {
    let mut family = "";
    for control in all {
        let of = control.id.split('-').next().unwrap_or_default();
        if of != family {
            if !family.is_empty() {
                line("")?;
            }
            family = of;
        }
        let tested = match (control.in_doubt.is_empty(), control.procedures.len()) {
            (false, _) => "cannot be read: see its file".to_owned(),
            (_, 0) => "no procedure".to_owned(),
            (_, 1) => "1 procedure".to_owned(),
            (_, n) => format!("{n} procedures"),
        };
        let own = if control.origin == "workspace" { ", own" } else { "" };
        line(&format!(
            "  {:<7} {}  {}",
            control.id,
            output::plain(&control.title),
            styled(DIM, &format!("{}, {}, {tested}{own}", control.owner_role, control.mode))
        ))?;
    }
    Ok(())
}

fn print_control(control: &ControlEntry) -> Result<(), Failure> {
    line(&styled(BOLD, &format!("{} {}", control.id, output::plain(&control.title))))?;
    let mut rows = vec![
        ("statement", output::plain(&control.statement)),
        ("criteria", listed(&control.criteria)),
        ("owner", control.owner_role.clone()),
        ("frequency", spoken(&control.frequency.join(", "))),
        ("mode", control.mode.to_owned()),
        ("procedures", or_none(&control.procedures, "none")),
        ("tables", or_none(&control.tables, "none")),
        ("fed by", or_none(&control.fed_by, "nothing")),
        ("policies", or_none(&control.policies, "none")),
        ("ISO 27001", or_none(&control.iso, "no number is about it")),
        ("HIPAA", or_none(&control.hipaa, "no number is about it")),
    ];
    if control.origin == "workspace" {
        rows.push(("from", "the workspace's content".to_owned()));
    }
    rows.extend(control.in_doubt.iter().map(|why| ("in doubt", output::plain(why))));
    fields(rows)?;
    print_evidence(&control.evidence)
}

/// What a person gathers: what, how often, who.
pub(crate) fn print_evidence(evidence: &[app::EvidenceEntry]) -> Result<(), Failure> {
    if !evidence.is_empty() {
        line("  evidence by hand")?;
    }
    evidence.iter().try_for_each(|e| {
        let every = e.every.iter().map(|f| spoken(f)).collect::<Vec<_>>().join(", ");
        line(&format!("    - {} ({every}, {})", output::plain(&e.what), e.by))
    })
}

fn list_procedures(all: &[ProcedureEntry]) -> Result<(), Failure> {
    let rows: Vec<Vec<String>> =
        all.iter().map(|p| vec![format!("  {}", p.id), p.controls.join(" "), p.title.clone()]).collect();
    aligned(&rows).iter().try_for_each(|row| line(row))
}

fn print_procedure(procedure: &ProcedureEntry) -> Result<(), Failure> {
    line(&styled(BOLD, &format!("{}: {}", procedure.id, procedure.title)))?;
    let mut rows = vec![
        ("controls", procedure.controls.join(", ")),
        ("criteria", procedure.criteria.join(", ")),
        ("population", procedure.population.clone()),
        ("tables", procedure.tables.join(", ")),
        ("fed by", or_none(&procedure.fed_by, "nothing")),
    ];
    if !procedure.fed_by_nothing.is_empty() {
        let worked_out = |name: &&String| {
            !["calendar_day", "control", "coverage", "account_person", "person_alike"]
                .contains(&name.as_str())
        };
        let unfed: Vec<String> = procedure.fed_by_nothing.iter().filter(worked_out).cloned().collect();
        if !unfed.is_empty() {
            let what =
                format!("{}: no source names it, so that what rests on it stays unknown", unfed.join(", "));
            rows.push(("not fed", what));
        }
    }
    fields(rows)?;
    line("  tested of each")?;
    for (letter, says) in &procedure.attributes {
        line(&format!("    {letter}  {says}"))?;
    }
    if !procedure.parameters.is_empty() {
        line("  parameters")?;
    }
    for p in &procedure.parameters {
        let default = match &p.default {
            model::Value::Integer(n) => n.to_string(),
            model::Value::Text(text) => text.clone(),
            model::Value::Null => "nothing".to_owned(),
        };
        let range = match (p.min, p.max) {
            (Some(min), Some(max)) => format!(" ({min} to {max})"),
            (Some(min), None) => format!(" (at least {min})"),
            (None, Some(max)) => format!(" (at most {max})"),
            (None, None) => String::new(),
        };
        line(&format!("    {} = {default}{range}  {}", p.name, p.doc))?;
    }
    line(&format!("  to mend a deviation: {}", procedure.how_to_fix))
}

fn list_tables(all: &[TableEntry]) -> Result<(), Failure> {
    let rows: Vec<Vec<String>> = all.iter().map(|t| vec![format!("  {}", t.name), t.doc.clone()]).collect();
    aligned(&rows).iter().try_for_each(|row| line(row))
}

fn print_table(table: &TableEntry) -> Result<(), Failure> {
    line(&styled(BOLD, &table.name))?;
    fields(vec![
        ("a row", table.doc.clone()),
        ("kind", table.kind.to_owned()),
        ("fed by", or_none(&table.fed_by, "nothing: it is worked out here, or nobody can supply it")),
        ("procedures", or_none(&table.procedures, "none")),
        ("controls", or_none(&table.controls, "none")),
    ])?;
    line("  columns")?;
    let rows: Vec<Vec<String>> = table
        .columns
        .iter()
        .map(|c| {
            let unknown = if c.nullable { ", may be unknown" } else { "" };
            let words = if c.words.is_empty() { String::new() } else { format!(": {}", c.words.join(", ")) };
            vec![format!("    {}", c.name), format!("{}{unknown}{words}", c.kind), c.doc.clone()]
        })
        .collect();
    aligned(&rows).iter().try_for_each(|row| line(row))
}

fn print_preset(preset: &app::PresetEntry) -> Result<(), Failure> {
    line(&format!("{}  {}", styled(BOLD, &preset.id), preset.title))?;
    line(&format!("  {}", preset.for_whom))?;
    let usual = if preset.service_types.is_empty() {
        String::new()
    } else {
        format!(
            "; usual for {}",
            preset.service_types.iter().map(|s| spoken(s)).collect::<Vec<_>>().join(", ")
        )
    };
    line(&format!(
        "  {}: {} criteria, {} controls{usual}",
        preset.categories.iter().map(|c| spoken(c)).collect::<Vec<_>>().join(", "),
        preset.criteria,
        preset.controls
    ))
}

fn print_workstream(stream: &app::WorkstreamEntry) -> Result<(), Failure> {
    line(&format!("{}  {}", styled(BOLD, &stream.id), stream.title))?;
    line(&format!("  {}", stream.outcome))?;
    for (at, step) in stream.steps.iter().enumerate() {
        line(&format!("  {}. {} ({})", at + 1, step.does, step.controls.join(", ")))?;
    }
    Ok(())
}

fn list_policies(catalog: &Catalog, json: bool) -> Result<(), Failure> {
    let all = browse_policies(catalog);
    if json {
        return output::document(&all);
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|p| vec![format!("  {}", p.id), p.title.clone(), format!("{} controls", p.controls.len())])
        .collect();
    aligned(&rows).iter().try_for_each(|row| line(row))
}

/// The policy with the organisation's name and the parameters that are in force now.
fn policy(session: &Session, name: &str, json: bool) -> Result<(), Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    let set = workspace.parameters(&[], session.now)?;
    let Some(policy) = workspace.catalog.policies.get(name) else {
        return Err(unknown("policy", name, workspace.catalog.policies.keys().map(String::as_str)));
    };
    let in_force = |procedure: &str, parameter: &str| {
        let report = set.iter().find(|p| p.procedure == procedure && p.parameter == parameter)?;
        // Where nobody can say which version is in force, the default is no better guess: all of them are named.
        match report.now.len() {
            0 => None,
            1 => report.now.first().cloned(),
            _ => {
                let all = report.now.iter().map(|value| match value {
                    model::Value::Integer(n) => n.to_string(),
                    model::Value::Text(text) => text.clone(),
                    model::Value::Null => "nothing".to_owned(),
                });
                Some(model::Value::Text(format!(
                    "undecided between {}",
                    all.collect::<Vec<_>>().join(" and ")
                )))
            }
        }
    };
    let text = policy.filled(&workspace.catalog, &workspace.config.organisation, in_force);
    if json {
        #[derive(Serialize)]
        struct Filled<'a> {
            id: &'a str,
            title: &'a str,
            controls: &'a [String],
            text: &'a str,
        }
        return output::document(&Filled {
            id: &policy.id,
            title: &policy.title,
            controls: &policy.controls,
            text: &text,
        });
    }
    line(text.trim_end())
}

fn print_crossed(found: &Crossed) -> Result<(), Failure> {
    line(&styled(BOLD, &found.title))?;
    line(&found.note)?;
    let uncovered = found.numbers.iter().filter(|n| n.uncovered).count();
    line(&format!(
        "{} numbers: evidence of controls here carries over to {}; {uncovered} remain uncovered",
        found.numbers.len(),
        found.numbers.len() - uncovered
    ))?;
    let mut group = "";
    for number in &found.numbers {
        if number.group != group {
            group = &number.group;
            line("")?;
            line(&styled(BOLD, group))?;
        }
        line(&format!("  {}  {}  {}", number.id, number.title, carried(number)))?;
    }
    line("")?;
    line(&styled(DIM, "* no procedure tests it: its evidence is gathered by hand"))
}

fn carried(number: &Carried) -> String {
    if number.uncovered {
        return styled(BOLD, "uncovered");
    }
    let one = |id: &String| if number.by_hand.contains(id) { format!("{id}*") } else { id.clone() };
    styled(DIM, &number.controls.iter().map(one).collect::<Vec<_>>().join(" "))
}

/// What an organisation decides stays empty: whether a number applies, and why.
fn print_csv(found: &Crossed) -> Result<(), Failure> {
    line(
        "number,group,title,applies,why,controls,procedures,gathered by hand,evidence carries over,remains",
    )?;
    for number in &found.numbers {
        let cells: [&str; 10] = [
            &number.id,
            &number.group,
            &number.title,
            "",
            "",
            &number.controls.join(" "),
            &number.procedures.join(" "),
            &number.by_hand.join(" "),
            if number.uncovered { "no" } else { "in part" },
            &number.remains,
        ];
        line(&cells.map(cell).join(","))?;
    }
    Ok(())
}

fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
