//! `tickmark deviation`: the register of deviations. What was entered stays; what people decide about it stands beside it.

use std::process::ExitCode;

use app::{Actor, AssessmentQuestion, DeviationReport, Deviations, Scribe, ToRegister, ToTriage, Workspace};
use clap::{Subcommand, ValueEnum};
use model::{Document, Period};

use crate::check::named;
use crate::command::Days;
use crate::decision::said;
use crate::failure::Failure;
use crate::output::{self, BOLD, DIM, aligned, line, plain, spoken, styled};
use crate::record::{tell, write};
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

impl Severity {
    const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
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
    let derive = |document: &Document<'_>| derive(document, &conventions);
    let scribe = Scribe { derive: &derive, write, now: session.now };
    workspace.catch_up(&derive)?;
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
            register(session, &mut workspace, &scribe, &Wanted { keys, days, control, by })?;
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
            let texts = [("cause", cause), ("exposure", exposure), ("response", response), ("owner", owner)];
            for (name, text) in texts {
                text.as_deref().map(|text| said(name, text)).transpose()?;
            }
            let triage = ToTriage {
                cause: cause.clone(),
                severity: severity.map(|severity| severity.word().to_owned()),
                exposure: exposure.clone(),
                compensating: compensating.clone(),
                response: response.clone(),
                owner: owner.clone(),
                due: due.clone(),
            };
            said("by", by)?;
            let (key, entered) = workspace.triage(&scribe, Actor::Operator(by), key, &triage, None)?;
            tell(&entered);
            line(&format!("{key} is triaged, in ledger entry {}", entered.entries.start))?;
        }
        DeviationCommand::Retest { key, result, evidence, by } => {
            let (passed, word) = match result {
                Outcome::Pass => (true, "pass"),
                Outcome::Fail => (false, "fail"),
            };
            said("by", by)?;
            let actor = Actor::Operator(by);
            let (key, entered) = workspace.retest(&scribe, actor, key, passed, *evidence, None)?;
            tell(&entered);
            line(&format!("{key} is retested: {word}, in ledger entry {}", entered.entries.start))?;
        }
        DeviationCommand::Close { key, accept, reason, by } => {
            let why = reason.as_deref().unwrap_or_default();
            let (key, entered) = workspace.close(&scribe, Actor::Operator(by), key, *accept, why, None)?;
            tell(&entered);
            let entry = entered.entries.start;
            line(&format!("{key} is closed, in ledger entry {entry}; it stays in the register"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
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
    scribe: &Scribe<'_>,
    wanted: &Wanted<'_>,
) -> Result<(), Failure> {
    let (Some(_), Some(_)) = (&wanted.days.from, &wanted.days.to) else {
        return Err(Failure::of(
            "a deviation is entered for a period that stays what it is; name it with --from and --to",
        ));
    };
    let period = wanted.days.period(session.now, &workspace.config)?;
    let by = said("by", wanted.by)?;
    let asked = ToRegister {
        wanted: app::Wanted::Named(wanted.keys),
        controls: wanted.control,
        procedures: crate::assess::procedures(workspace, wanted.control)?,
        period: &period,
        keeping: keeping(session.now, &workspace.config),
    };
    let done = workspace.register_deviations(scribe, Actor::Operator(&by), asked)?;
    let already = match done.there {
        0 => String::new(),
        n => format!("; {n} stood there already"),
    };
    let Some(entered) = &done.entered else {
        return line(&format!("nothing was entered: no deviation is new{already}"));
    };
    tell(entered);
    for d in done.new.iter().take(LISTED) {
        let label = named(&d.about.item, &d.label);
        line(&format!("{}  {}  {}", d.key, d.controls.join(" "), plain(&label)))?;
    }
    line(&format!(
        "entered {} as ledger entry {}, found at position {}{already}",
        counted(done.new.len()),
        entered.entries.start,
        done.position
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
