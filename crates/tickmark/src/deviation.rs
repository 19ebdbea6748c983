//! `tickmark deviation`: the register of deviations. What was entered stays; what people decide about it stands beside it.

use std::process::ExitCode;

use app::{
    AssessmentQuestion, DeviationReport, Deviations, Found, InRegister, NONE, Workspace, closing_refused,
};
use clap::{Subcommand, ValueEnum};
use connectors::git::Conventions;
use model::{Instant, Period};

use crate::check::named;
use crate::command::Days;
use crate::decision::{Because, Cell, Row, control, decide, entry, said};
use crate::failure::Failure;
use crate::output::{self, BOLD, DIM, aligned, line, plain, spoken, styled};
use crate::session::{Session, derive, keeping};

#[derive(Subcommand)]
pub(crate) enum DeviationCommand {
    /// List what a period shows, and what was found before: overdue and unowned ones first
    List {
        #[command(flatten)]
        days: Days,
        /// Last day whose facts count, YYYY-MM-DD (default: now)
        #[arg(long, value_name = "DATE")]
        cutoff: Option<String>,
        /// Ledger position whose knowledge counts (default: everything)
        #[arg(long, value_name = "POSITION")]
        known_at: Option<u64>,
        /// Only procedures that test this control; again for more
        #[arg(long, value_name = "ID")]
        control: Vec<String>,
        /// Leave out what is closed
        #[arg(long)]
        open: bool,
        /// List every one, not only the first ten of a kind
        #[arg(long)]
        all: bool,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Enter what a period shows into the register, where it stays for good
    Register {
        /// Only these, by their names; all that are found when none is named
        keys: Vec<String>,
        #[command(flatten)]
        days: Days,
        /// Only procedures that test this control; again for more
        #[arg(long, value_name = "ID")]
        control: Vec<String>,
        /// Who enters them, as a pseudonym
        #[arg(long, value_name = "WHO")]
        by: String,
    },
    /// Write down what a deviation is and what becomes of it; what is left out stays as it was
    Triage {
        /// Its name, or the first characters of it
        key: String,
        /// Why it came to be
        #[arg(long, value_name = "TEXT")]
        cause: Option<String>,
        /// How grave it is
        #[arg(long, value_enum)]
        severity: Option<Severity>,
        /// What could happen through it, or did
        #[arg(long, value_name = "TEXT")]
        exposure: Option<String>,
        /// The control that makes up for it; `none` takes one back
        #[arg(long, value_name = "CONTROL")]
        compensating: Option<String>,
        /// What is done about it
        #[arg(long, value_name = "TEXT")]
        response: Option<String>,
        /// Who has to see to it, as a pseudonym
        #[arg(long, value_name = "WHO")]
        owner: Option<String>,
        /// The last day by which it has to be done, YYYY-MM-DD
        #[arg(long, value_name = "DATE")]
        due: Option<String>,
        /// Who writes it down, as a pseudonym
        #[arg(long, value_name = "WHO")]
        by: String,
    },
    /// Write down that it was looked at again
    Retest {
        /// Its name, or the first characters of it
        key: String,
        /// Whether the rule held
        #[arg(long, value_enum)]
        result: Outcome,
        /// Ledger entry that shows it, such as a file of `tickmark evidence add`
        #[arg(long, value_name = "ENTRY")]
        evidence: u64,
        /// Who looked, as a pseudonym
        #[arg(long, value_name = "WHO")]
        by: String,
    },
    /// Be done with it: after a retest that passed, or because somebody else than its owner accepts it. It stays listed
    Close {
        /// Its name, or the first characters of it
        key: String,
        /// Accept it as it is
        #[arg(long, requires = "reason")]
        accept: bool,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// Who closes it, as a pseudonym
        #[arg(long, value_name = "WHO")]
        by: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Severity {
    /// Small
    Low,
    /// Of some weight
    Medium,
    /// Grave
    High,
    /// Graver than anything else at hand
    Critical,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Outcome {
    /// It held
    Pass,
    /// It did not
    Fail,
}

/// How many of a kind are listed unless all are asked for.
const LISTED: usize = 10;

pub(crate) fn run(session: &Session, what: &DeviationCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    match what {
        DeviationCommand::List { days, cutoff, known_at, control, open, all, json } => {
            let cutoff = crate::assess::cutoff(
                session.now,
                cutoff.as_deref(),
                &workspace.config.zone(days.tz.as_deref()),
            )?;
            let period = days.period(session.now, &workspace.config)?;
            let question = AssessmentQuestion {
                known_at: *known_at,
                procedures: crate::assess::procedures(&workspace, control)?,
                keeping: Some(keeping(session.now, &workspace.config)),
                ..AssessmentQuestion::over(period.clone(), cutoff)
            };
            let mut found = workspace.deviations(&question, session.now)?;
            if *open {
                found.deviations.retain(|d| d.standing != "closed");
            }
            if !control.is_empty() {
                found.deviations.retain(|d| d.controls.iter().any(|c| control.contains(c)));
            }
            if *json {
                output::document(&found)?;
            } else {
                print(&found, &period, *all)?;
            }
        }
        DeviationCommand::Register { keys, days, control, by } => {
            register(session, &mut workspace, &conventions, &Wanted { keys, days, control, by })?;
        }
        DeviationCommand::Triage {
            key,
            cause,
            severity,
            exposure,
            compensating,
            response,
            owner,
            due,
            by,
        } => {
            let known = one(&mut workspace, key)?;
            let mut values = vec![];
            for (name, text) in [("cause", cause), ("exposure", exposure), ("response", response)] {
                if let Some(text) = text {
                    values.push((name, Cell::Text(said(name, text)?)));
                }
            }
            if let Some(severity) = severity {
                let word = match severity {
                    Severity::Low => "low",
                    Severity::Medium => "medium",
                    Severity::High => "high",
                    Severity::Critical => "critical",
                };
                values.push(("severity", word.into()));
            }
            if let Some(id) = compensating {
                if id != NONE {
                    self::control(&workspace, id)?;
                }
                if known.controls.contains(id) {
                    return Err(Failure::of(format!(
                        "{id} is the control that deviated, and cannot make up for itself; name another one"
                    )));
                }
                values.push(("compensating", Cell::Text(id.clone())));
            }
            if let Some(owner) = owner {
                values.push(("owner", Cell::Person(said("owner", owner)?)));
            }
            if let Some(due) = due {
                let tz = workspace.config.zone(None);
                let day = model::parse_date_range(due, due, &tz)?;
                values.push(("due_at", Cell::At(Instant::from_ms(day.to.ms() - 1))));
            }
            if values.is_empty() {
                return Err(Failure::of(
                    "nothing is said of the deviation; name its --cause, --severity, --owner or another",
                ));
            }
            let decision = Decision { table: "deviation_triage", who: "triaged_by", by, reason: "triage" };
            let entry = decision.enter(session, &mut workspace, &conventions, &known, values)?;
            line(&format!("{} is triaged, in ledger entry {entry}", known.key))?;
        }
        DeviationCommand::Retest { key, result, evidence, by } => {
            let known = one(&mut workspace, key)?;
            let evidence = self::entry(&workspace, *evidence)?;
            let word = match result {
                Outcome::Pass => "pass",
                Outcome::Fail => "fail",
            };
            let values = vec![("result", word.into()), ("evidence_entry", Cell::Number(evidence))];
            let decision = Decision { table: "deviation_retest", who: "retested_by", by, reason: "retest" };
            let entry = decision.enter(session, &mut workspace, &conventions, &known, values)?;
            line(&format!("{} is retested: {word}, in ledger entry {entry}", known.key))?;
        }
        DeviationCommand::Close { key, accept, reason, by } => {
            let known = one(&mut workspace, key)?;
            let why = reason.as_deref().unwrap_or_default().trim();
            if let Some(refusal) = closing_refused(&known.decisions, Some(by), *accept, why) {
                return Err(Failure::of(format!(
                    "{} cannot be closed: {refusal}; retest it (`tickmark deviation retest`), or have somebody who neither \
                     owns it nor described it accept it (--accept --reason)",
                    known.key
                )));
            }
            let mut values = vec![("accepted", Cell::from(if *accept { "yes" } else { "no" }))];
            if !why.is_empty() {
                values.push(("reason", why.into()));
            }
            let reason = if why.is_empty() { "closed after its retest" } else { why };
            let decision = Decision { table: "deviation_close", who: "closed_by", by, reason };
            let entry = decision.enter(session, &mut workspace, &conventions, &known, values)?;
            line(&format!("{} is closed, in ledger entry {entry}; it stays in the register", known.key))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A decision about one deviation: its table, and the column of who takes it.
struct Decision<'a> {
    table: &'static str,
    who: &'static str,
    by: &'a str,
    reason: &'a str,
}

impl Decision<'_> {
    fn enter(
        &self,
        session: &Session,
        workspace: &mut Workspace,
        conventions: &Conventions,
        known: &InRegister,
        mut values: Vec<(&'static str, Cell)>,
    ) -> Result<u64, Failure> {
        values.push(("deviation", Cell::Entity("deviation", known.key.clone())));
        values.push((self.who, Cell::Person(said("by", self.by)?)));
        // Every decision is a row of its own: none takes the place of another.
        let key = format!("{} {}", known.key, workspace.size());
        let because = Because { by: self.by, reason: self.reason, now: session.now };
        Ok(decide(workspace, conventions, self.table, &[(key, values)], &because)?.start)
    }
}

/// The deviation of the register that is called so, or begins so.
fn one(workspace: &mut Workspace, key: &str) -> Result<InRegister, Failure> {
    let wanted = key.trim().to_lowercase();
    let mut all = workspace.register(None)?;
    all.retain(|known| !wanted.is_empty() && known.key.to_lowercase().starts_with(&wanted));
    match (all.pop(), all.len()) {
        (Some(known), 0) => Ok(known),
        (Some(known), _) => Err(Failure::of(format!(
            "`{key}` may be {} or {}; write more of its name",
            known.key,
            all.iter().map(|k| k.key.as_str()).collect::<Vec<_>>().join(", ")
        ))),
        (None, _) => Err(Failure::of(format!(
            "no deviation of the register is called `{key}`; `tickmark deviation list` shows what was found, \
             `tickmark deviation register` enters it"
        ))),
    }
}

/// What is to be entered into the register.
struct Wanted<'a> {
    keys: &'a [String],
    days: &'a Days,
    control: &'a [String],
    by: &'a str,
}

fn register(
    session: &Session,
    workspace: &mut Workspace,
    conventions: &Conventions,
    wanted: &Wanted<'_>,
) -> Result<(), Failure> {
    let (Some(_), Some(_)) = (&wanted.days.from, &wanted.days.to) else {
        return Err(Failure::of(
            "a deviation is entered for a period that stays what it is; name it with --from and --to",
        ));
    };
    let period = wanted.days.period(session.now, &workspace.config)?;
    let question = AssessmentQuestion {
        procedures: crate::assess::procedures(workspace, wanted.control)?,
        keeping: Some(keeping(session.now, &workspace.config)),
        ..AssessmentQuestion::over(period.clone(), session.now)
    };
    let found = workspace.deviations(&question, session.now)?;
    let is = |d: &DeviationReport, key: &str| d.key.to_lowercase() == key.trim().to_lowercase();
    if let Some(unknown) = wanted.keys.iter().find(|key| !found.deviations.iter().any(|d| is(d, key))) {
        return Err(Failure::of(format!(
            "this period shows no deviation `{unknown}`; `tickmark deviation list` shows what it does"
        )));
    }
    let of_control = |d: &DeviationReport| {
        wanted.control.is_empty() || d.controls.iter().any(|c| wanted.control.contains(c))
    };
    let asked: Vec<&DeviationReport> = found
        .deviations
        .iter()
        .filter(|d| d.found == Found::Yes && of_control(d))
        .filter(|d| wanted.keys.is_empty() || wanted.keys.iter().any(|key| is(d, key)))
        .collect();
    let (there, new): (Vec<_>, Vec<_>) = asked.into_iter().partition(|d| d.registered.is_some());
    let already = match there.len() {
        0 => String::new(),
        n => format!("; {n} stood there already"),
    };
    if new.is_empty() {
        return line(&format!("nothing was entered: no deviation is new{already}"));
    }
    let position = i64::try_from(found.position).map_err(Failure::of)?;
    let by = said("by", wanted.by)?;
    let rows: Vec<Row> = new
        .iter()
        .map(|d| {
            let about = &d.about;
            let mut values = vec![
                ("procedure", Cell::from(about.procedure.as_str())),
                ("attribute", Cell::Text(about.attribute.to_string())),
                ("item_kind", Cell::from(about.kind.as_str())),
                ("item_key", Cell::from(about.item.as_str())),
                ("occurred_at", Cell::At(d.occurred_at)),
                ("period_from", Cell::At(period.from)),
                ("period_to", Cell::At(period.to)),
                ("label", Cell::from(d.short.as_str())),
                ("reason", Cell::from(d.reason.as_str())),
                ("controls", Cell::Text(d.controls.join(" "))),
                ("item_entry", Cell::Number(d.entry)),
                ("found_position", Cell::Number(position)),
                ("content_hash", Cell::from(d.content.as_str())),
                ("registered_by", Cell::Person(by.clone())),
            ];
            let optional = [("item_within", &about.within), ("scope", &about.scope)];
            values.extend(optional.into_iter().filter_map(|(n, v)| Some((n, Cell::Text(v.clone()?)))));
            (d.key.clone(), values)
        })
        .collect();
    let because = Because { by: &by, reason: "found by an assessment", now: session.now };
    let entries = decide(workspace, conventions, "deviation", &rows, &because)?;
    for d in new.iter().take(LISTED) {
        let label = named(&d.about.item, &d.label);
        line(&format!("{}  {}  {}", d.key, d.controls.join(" "), plain(&label)))?;
    }
    line(&format!(
        "entered {} as ledger entry {}, found at position {position}{already}",
        counted(new.len()),
        entries.start
    ))
}

fn counted(n: usize) -> String {
    if n == 1 { "1 deviation".to_owned() } else { format!("{n} deviations") }
}

fn print(found: &Deviations, period: &Period, all: bool) -> Result<(), Failure> {
    line(&styled(BOLD, &format!("{} to {} ({})", period.first_date(), period.last_date(), period.tz)))?;
    line(&format!("facts up to {}, as known at ledger position {}", found.cutoff, found.position))?;
    if found.deviations.is_empty() {
        line("no deviation is found, and none was ever entered")?;
        return line("what nobody could look at is no deviation, and no pass either: see `tickmark assess`");
    }
    for (standing, title) in [
        ("overdue", "Overdue"),
        ("unowned", "Without an owner"),
        ("unregistered", "Not in the register yet"),
        ("open", "Open"),
        ("closed", "Closed"),
    ] {
        let these: Vec<&DeviationReport> =
            found.deviations.iter().filter(|d| d.standing == standing).collect();
        if these.is_empty() {
            continue;
        }
        line("")?;
        line(&styled(BOLD, &format!("{title} ({})", these.len())))?;
        let most = if all { these.len() } else { LISTED };
        for deviation in these.iter().take(most) {
            print_one(deviation, &period.tz)?;
        }
        if these.len() > most {
            line(&styled(
                DIM,
                &format!("  and {} more: --all lists them, --json has everything", these.len() - most),
            ))?;
        }
    }
    Ok(())
}

fn print_one(d: &DeviationReport, tz: &str) -> Result<(), Failure> {
    let about = &d.about;
    let scope = about.scope.as_ref().map(|s| format!(" in {}", plain(s))).unwrap_or_default();
    line(&format!(
        "  {}  {} {}  {}  {}{scope}",
        styled(BOLD, &d.key),
        d.controls.join(" "),
        about.attribute,
        d.occurred_at.date_in(tz),
        plain(&named(&about.item, &d.label))
    ))?;
    let mut rows: Vec<(&str, String)> = vec![("what", d.reason.clone())];
    rows.extend(d.found_because.iter().map(|because| ("found", because.clone())));
    let mut triage = vec![];
    triage.extend(d.severity.map(|s| format!("severity {s}")));
    triage.extend(d.owner.as_ref().map(|o| format!("owner {o}")));
    triage.extend(d.due.map(|due| format!("due {}", due.date_in(tz))));
    triage.extend(d.compensating.as_ref().map(|c| format!("made up for by {c}, it is said")));
    if !triage.is_empty() {
        rows.push(("triage", triage.join(", ")));
    }
    for (name, text) in [("cause", &d.cause), ("exposure", &d.exposure), ("response", &d.response)] {
        rows.extend(text.iter().map(|text| (name, text.clone())));
    }
    for waiver in &d.waivers {
        let late = if waiver.entered_afterwards { " (entered after the deviation)" } else { "" };
        let said = match waiver.stands {
            "covers" => format!("{} covers it: it stays a deviation{late}", waiver.key),
            why => format!("{} does not cover it: {}{late}", waiver.key, spoken(why)),
        };
        rows.push((if waiver.stands == "covers" { "waived" } else { "waiver" }, said));
    }
    for decided in &d.history {
        let by = decided.by.as_deref().unwrap_or("somebody unknown");
        let not = decided.not_counted.as_ref().map(|n| format!("; does not count: {n}")).unwrap_or_default();
        rows.push(("history", format!("{} {by} {}{not}", decided.at.date_in(tz), decided.what)));
    }
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|(name, text)| vec![format!("    {name}"), plain(&text)]).collect();
    for row in aligned(&rows) {
        line(&row)?;
    }
    Ok(())
}
