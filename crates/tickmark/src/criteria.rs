//! `tickmark control` and `tickmark criteria`: the two conclusions of every control, and what is proposed of every criterion to
//! the person who decides about it.

use std::process::ExitCode;

use app::{AssessmentQuestion, ControlReport, Criteria, CriterionReport, MappedTo, Workspace};
use clap::{Args, Subcommand, ValueEnum};
use connectors::git::Conventions;
use model::{Conclusion, Instant};
use serde::Serialize;

use crate::command::KnownWhen;
use crate::decision::{Because, Cell, Row, control, decide, entry, said};
use crate::failure::Failure;
use crate::output::{self, BOLD, aligned, conclusion_style, line, plain, spoken, styled};
use crate::session::{Session, derive};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ControlCommand {
    /// Only these controls, such as CHG-02
    ids: Vec<String>,
    #[command(flatten)]
    asked: KnownWhen,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    what: Option<ControlDecision>,
}

#[derive(Subcommand)]
enum ControlDecision {
    /// Conclude about the design of a control: of its present statement, and an instance that was walked through
    Design {
        /// The control
        id: String,
        /// Whether the control, kept as it is written, would do what it is for
        #[arg(long, value_enum)]
        conclusion: Suitability,
        /// The instance that was inspected, by its key or in words
        #[arg(long, value_name = "ITEM", required_unless_present = "evidence")]
        item: Option<String>,
        /// Ledger entry that shows it
        #[arg(long, value_name = "ENTRY")]
        evidence: Option<u64>,
        /// The day it speaks of, YYYY-MM-DD (default: now)
        #[arg(long = "for", value_name = "DATE")]
        day: Option<String>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Who concludes, as a pseudonym
        #[arg(long, value_name = "WHO")]
        by: String,
    },
    /// Name the person who answers for a control from now on: whoever did before does no more
    Own {
        /// The control
        id: String,
        /// That person, as a pseudonym
        #[arg(long, value_name = "WHO")]
        owner: String,
        /// Who says so, as a pseudonym
        #[arg(long, value_name = "WHO")]
        by: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Suitability {
    /// It would
    Suitable,
    /// It would not
    NotSuitable,
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct CriteriaCommand {
    /// Only these criteria, such as CC8.1
    ids: Vec<String>,
    #[command(flatten)]
    asked: KnownWhen,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    what: Option<CriterionDecision>,
}

#[derive(Subcommand)]
enum CriterionDecision {
    /// Decide about a criterion; never for more than what is known allows
    Decide {
        /// The criterion
        id: String,
        /// What is decided
        #[arg(long, value_enum)]
        decision: Decided,
        #[command(flatten)]
        asked: Box<KnownWhen>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Who decides, as a pseudonym
        #[arg(long, value_name = "WHO")]
        by: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Decided {
    /// Every key control is suitable and operated without exceptions
    Met,
    /// Tested controls make up for every deviation
    MetWithExceptions,
    /// It is not met
    NotMet,
    /// It cannot be said
    CannotConclude,
}

impl Decided {
    const fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::MetWithExceptions => "met_with_exceptions",
            Self::NotMet => "not_met",
            Self::CannotConclude => "cannot_conclude",
        }
    }
}

/// The controls of a question, alone.
#[derive(Serialize)]
struct Controls<'a> {
    from: Instant,
    to: Instant,
    tz: &'a str,
    cutoff: Instant,
    position: u64,
    at_a_date: bool,
    controls: &'a [ControlReport],
}

pub(crate) fn control_command(session: &Session, asked: &ControlCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    if let Some(what) = &asked.what {
        decide_about(session, &mut workspace, &conventions, what)?;
        return Ok(ExitCode::SUCCESS);
    }
    for id in &asked.ids {
        control(&workspace, id)?;
    }
    let question = asked.asked.question(session.now, &workspace.config)?;
    let mut found = workspace.criteria(&question, session.now)?;
    found.controls.retain(|c| asked.ids.is_empty() || asked.ids.contains(&c.id));
    if asked.json {
        output::document(&Controls {
            from: found.from,
            to: found.to,
            tz: &found.tz,
            cutoff: found.cutoff,
            position: found.position,
            at_a_date: found.at_a_date,
            controls: &found.controls,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    head(&found)?;
    let whole = !asked.ids.is_empty();
    let (untouched, said): (Vec<_>, Vec<_>) =
        found.controls.iter().partition(|control| !whole && is_untouched(control));
    for control in said {
        print_control(control, found.at_a_date, whole)?;
    }
    print_untouched(&untouched)?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn criteria_command(session: &Session, asked: &CriteriaCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    let when = match &asked.what {
        Some(CriterionDecision::Decide { asked, .. }) => asked,
        None => &asked.asked,
    };
    let question = when.question(session.now, &workspace.config)?;
    if asked.what.is_some() {
        declared(session, when, &question)?;
    }
    let mut found = workspace.criteria(&question, session.now)?;
    let known = |id: &str| found.criteria.iter().any(|c| c.id == id);
    let unknown = |id: &str| {
        let all: Vec<&str> = found.criteria.iter().map(|c| c.id.as_str()).collect();
        Failure::of(format!("there is no criterion `{id}`; there are {}", all.join(", ")))
    };
    if let Some(CriterionDecision::Decide { id, decision, reason, by, .. }) = &asked.what {
        let Some(criterion) = found.criteria.iter().find(|c| c.id == *id) else { return Err(unknown(id)) };
        let decision = decision.word();
        if let Some(refusal) = criterion.refusal(decision) {
            return Err(Failure::of(refusal));
        }
        let position = i64::try_from(found.position).map_err(Failure::of)?;
        let reason = said("reason", reason)?;
        let values = vec![
            ("criterion", Cell::from(id.as_str())),
            ("period_from", Cell::At(found.from)),
            ("period_to", Cell::At(found.to)),
            ("decision", decision.into()),
            ("proposal", criterion.proposal.into()),
            ("reason", Cell::Text(reason.clone())),
            ("decided_by", Cell::Person(said("by", by)?)),
            ("decided_position", Cell::Number(position)),
        ];
        let because = Because { by, reason: &reason, now: session.now };
        let key = format!("{id} {}", workspace.size());
        let entries = decide(&mut workspace, &conventions, "criterion_decision", &[(key, values)], &because)?;
        line(&format!(
            "{id} is decided as {}, in view of position {position}, in ledger entry {}",
            spoken(decision),
            entries.start
        ))?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(id) = asked.ids.iter().find(|id| !known(id)) {
        return Err(unknown(id));
    }
    found.criteria.retain(|c| asked.ids.is_empty() || asked.ids.contains(&c.id));
    if asked.json {
        output::document(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    head(&found)?;
    line("a proposal for a named person to decide about; an opinion on it is the auditor's")?;
    crate::coverage::print_alarms(&found.alarms, &found.tz)?;
    let whole = !asked.ids.is_empty();
    let unknown = |criterion: &&CriterionReport| {
        let mut keys = criterion.controls.iter().filter(|c| c.key).peekable();
        let untouched = |id: &str| found.controls.iter().any(|c| c.id == id && is_untouched(c));
        !whole && criterion.decision.is_none() && keys.peek().is_some() && keys.all(|c| untouched(&c.id))
    };
    let (unknown, said): (Vec<_>, Vec<_>) = found.criteria.iter().partition(unknown);
    for criterion in said {
        print_criterion(criterion, whole)?;
    }
    print_unknown(&unknown)?;
    Ok(ExitCode::SUCCESS)
}

/// A decision is about a time that stays what it is, in view of everything that is known.
fn declared(session: &Session, asked: &KnownWhen, question: &AssessmentQuestion) -> Result<(), Failure> {
    let when = &asked.when;
    if asked.known_at.is_some() || when.cutoff.is_some() {
        return Err(Failure::of(
            "a decision is taken in view of everything that is known; leave --known-at and --cutoff out",
        ));
    }
    if when.as_of.is_none() && (when.days.from.is_none() || when.days.to.is_none()) {
        return Err(Failure::of(
            "a decision is about a period or a date that stays what it is; name it with --from and --to, or with --as-of",
        ));
    }
    if when.as_of.is_some() && question.period.from >= session.now {
        return Err(Failure::of("that day is not over; decide about it tomorrow, or about an earlier one"));
    }
    Ok(())
}

fn decide_about(
    session: &Session,
    workspace: &mut Workspace,
    conventions: &Conventions,
    what: &ControlDecision,
) -> Result<(), Failure> {
    match what {
        ControlDecision::Design { id, conclusion, item, evidence, day, reason, by } => {
            let id = control(workspace, id)?;
            let version = workspace.catalog.controls[&id].statement_version();
            let tz = workspace.config.zone(None);
            let at = match day {
                Some(day) => crate::assess::until(session.now, day, &tz)?,
                None => session.now,
            };
            let word = match conclusion {
                Suitability::Suitable => "suitable",
                Suitability::NotSuitable => "not_suitable",
            };
            let reason = said("reason", reason)?;
            let mut values = vec![
                ("control", Cell::Text(id.clone())),
                ("conclusion", word.into()),
                ("concluded_for", Cell::At(at)),
                ("statement_version", Cell::Text(version.clone())),
                ("reason", Cell::Text(reason.clone())),
                ("concluded_by", Cell::Person(said("by", by)?)),
            ];
            if let Some(item) = item {
                values.push(("inspected_item", Cell::Text(said("item", item)?)));
            }
            if let Some(evidence) = evidence {
                values.push(("inspected_entry", Cell::Number(entry(workspace, *evidence)?)));
            }
            let because = Because { by, reason: &reason, now: session.now };
            let key = format!("{id} {}", workspace.size());
            let entries = decide(workspace, conventions, "design_conclusion", &[(key, values)], &because)?;
            line(&format!(
                "the design of {id} is concluded as {}, of its statement in version {version}, in ledger entry {}",
                spoken(word),
                entries.start
            ))
        }
        ControlDecision::Own { id, owner, by } => {
            let id = control(workspace, id)?;
            let owner = said("owner", owner)?;
            workspace.catch_up(&|document| derive(document, conventions))?;
            // Whoever answered for it before does so up to now.
            let mut rows: Vec<Row> = vec![];
            for before in workspace.owners_at(&id, session.now)? {
                let mut values = vec![
                    ("control", Cell::Text(id.clone())),
                    ("valid_from", Cell::At(before.valid_from)),
                    ("valid_to", Cell::At(session.now)),
                ];
                values.extend(before.owner.map(|(system, key)| ("owner", Cell::Account(system, key))));
                rows.push((before.key, values));
            }
            let values = vec![
                ("control", Cell::Text(id.clone())),
                ("owner", Cell::Person(owner.clone())),
                ("valid_from", Cell::At(session.now)),
                ("valid_to", Cell::At(Instant::FOREVER)),
            ];
            rows.push((format!("{id} {}", workspace.size()), values));
            let because = Because { by, reason: "who answers for the control", now: session.now };
            let entries = decide(workspace, conventions, "control_owner", &rows, &because)?;
            let named = entries.end.saturating_sub(1);
            line(&format!("{} answers for {id}, as of ledger entry {named}", plain(&owner)))
        }
    }
}

fn head(found: &Criteria) -> Result<(), Failure> {
    let tz = &found.tz;
    let head = if found.at_a_date {
        format!("As of {} ({tz})", found.from)
    } else {
        format!("{} to {} ({tz})", found.from.date_in(tz), Instant::from_ms(found.to.ms() - 1).date_in(tz))
    };
    line(&styled(BOLD, &head))?;
    line(&format!("facts up to {}, as known at ledger position {}", found.cutoff, found.position))
}

fn listed(ids: &[MappedTo]) -> String {
    let one = |m: &MappedTo| if m.key { format!("{} (key)", m.id) } else { m.id.clone() };
    ids.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Whether there is nothing to say of a control but that nobody did anything about it yet.
fn is_untouched(control: &ControlReport) -> bool {
    control.procedures.is_empty()
        && control.deviations.is_empty()
        && control.owner.is_none()
        && control.design == "cannot_conclude"
        && control.design_because == "nobody concluded it"
}

/// Controls that nothing is known of, one to a line.
fn print_untouched(controls: &[&ControlReport]) -> Result<(), Failure> {
    if controls.is_empty() {
        return Ok(());
    }
    line("")?;
    line(&format!(
        "{}: no procedure tests them, nobody is named, and nobody concluded their design",
        styled(BOLD, &format!("{} that cannot be concluded", controls.len()))
    ))?;
    let rows: Vec<Vec<String>> = controls
        .iter()
        .map(|c| {
            let gathered = match c.evidence.len() {
                0 => "a procedure would have to test it".to_owned(),
                1 => "1 kind of evidence by hand".to_owned(),
                n => format!("{n} kinds of evidence by hand"),
            };
            vec![format!("  {}", c.id), plain(&c.title), format!("{}: {gathered}", c.owner_role)]
        })
        .collect();
    for row in aligned(&rows) {
        line(&row)?;
    }
    line("with its id, `tickmark control` says in full what evidence a control needs, how often and by whom")
}

fn print_control(control: &ControlReport, at_a_date: bool, whole: bool) -> Result<(), Failure> {
    line("")?;
    line(&format!("{} {}", styled(BOLD, &control.id), styled(BOLD, &control.title)))?;
    let owner = match &control.owner {
        Some(owner) => format!("{} ({})", plain(owner), control.owner_role),
        None => format!("nobody is named ({})", control.owner_role),
    };
    let with = |word: &str, because: &str| {
        if because.is_empty() { spoken(word) } else { format!("{}: {because}", spoken(word)) }
    };
    let mut rows = vec![];
    if whole {
        rows.push(("statement", format!("{} (version {})", control.statement, control.statement_version)));
        rows.push(("criteria", listed(&control.criteria)));
        let none = || "none".to_owned();
        let all = Some(control.procedures.join(", ")).filter(|all| !all.is_empty());
        rows.push(("procedures", all.unwrap_or_else(none)));
    }
    rows.push(("owner", owner));
    rows.push(("design", with(control.design, &control.design_because)));
    if let Some(operation) = control.operation {
        let word = styled(conclusion_style(operation), &spoken(operation.word()));
        let because = control.operation_because.join("; ");
        let shown = operation == Conclusion::CannotConclude || !because.is_empty();
        rows.push(("operation", if shown { format!("{word}: {because}") } else { word }));
    } else if at_a_date {
        rows.push(("operation", "a date does not show it".to_owned()));
    }
    if !control.deviations.is_empty() {
        let waived = match control.waived {
            0 => String::new(),
            n => format!(", {n} of them waived"),
        };
        rows.push(("deviations", format!("{}{waived}", control.deviations.len())));
    }
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|(name, text)| vec![format!("  {name}"), text]).collect();
    for row in aligned(&rows) {
        line(&row)?;
    }
    if whole {
        crate::browse::print_evidence(&control.evidence)?;
    }
    Ok(())
}

/// Criteria of whose key controls nothing is known, one to a line.
fn print_unknown(criteria: &[&CriterionReport]) -> Result<(), Failure> {
    if criteria.is_empty() {
        return Ok(());
    }
    line("")?;
    line(&format!(
        "{}: no procedure tests their key controls, and nobody concluded the design of one or answers for it",
        styled(BOLD, &format!("{} that cannot be concluded", criteria.len()))
    ))?;
    let rows: Vec<Vec<String>> = criteria
        .iter()
        .map(|criterion| {
            let keys: Vec<&str> =
                criterion.controls.iter().filter(|c| c.key).map(|c| c.id.as_str()).collect();
            vec![format!("  {}", criterion.id), plain(&criterion.title), keys.join(", ")]
        })
        .collect();
    for row in aligned(&rows) {
        line(&row)?;
    }
    Ok(())
}

/// How many reasons of a criterion are listed beside all others.
const REASONS: usize = 6;

fn print_criterion(criterion: &CriterionReport, whole: bool) -> Result<(), Failure> {
    line("")?;
    line(&format!(
        "{} {}  proposed: {}",
        styled(BOLD, &criterion.id),
        styled(BOLD, &criterion.title),
        styled(BOLD, &spoken(criterion.proposal))
    ))?;
    line(&format!("  controls: {}", listed(&criterion.controls)))?;
    let shown = if whole { criterion.because.len() } else { REASONS };
    for reason in criterion.because.iter().take(shown) {
        line(&format!("  - {}", plain(reason)))?;
    }
    if let more @ 1.. = criterion.because.len().saturating_sub(shown) {
        line(&format!("  - and {more} more: `tickmark criteria {}` lists them", criterion.id))?;
    }
    match criterion.remarks.as_slice() {
        many @ [_, _, ..] if !whole => {
            let n = many.len();
            line(&format!("  remark: {n} of its controls have no owner"))?;
        }
        remarks => {
            for remark in remarks {
                line(&format!("  remark: {}", plain(remark)))?;
            }
        }
    }
    match &criterion.decision {
        None => line("  nobody decided about it")?,
        Some(decision) => {
            let by = decision.by.as_deref().unwrap_or("somebody unknown");
            line(&format!(
                "  decided as {} by {}: {} (ledger entry {}, {} before it)",
                spoken(&decision.decision),
                plain(by),
                plain(&decision.reason),
                decision.entry,
                decision.earlier
            ))?;
            if let Some(stale) = &decision.stale {
                line(&format!("  {}", styled(BOLD, &format!("stale: {stale}"))))?;
            }
        }
    }
    Ok(())
}
