//! `tickmark scope`: what is in and out of scope, by dated rules that somebody approved, and what a rule would change.

use std::collections::BTreeSet;
use std::process::ExitCode;

use app::{AssessmentQuestion, Impact, ImpactItem, Raised, ScopeReport, ScopeRule, Workspace};
use clap::{Args, Subcommand, ValueEnum};
use model::{Dimension, Grade, Instant, Period, Verdict};

use crate::command::Days;
use crate::failure::Failure;
use crate::import::{agreed, can_be_asked, table};
use crate::output::{self, BOLD, DIM, aligned, line, note, plain, spoken, styled, verdict_style};
use crate::record::{Said, row};
use crate::session::{Session, derive};

/// How many items of a procedure are listed.
const LISTED: usize = 10;

#[derive(Subcommand)]
pub(crate) enum ScopeCommand {
    /// List the rules, what they do, and what was in production all the same
    List(List),
    /// Leave something out of scope
    Exclude(Decision),
    /// Bring something into scope
    Include(Decision),
    /// Decide on every category at once, as a preset of the catalogue has them
    Preset(Preset),
    /// Show what a rule would change; appends nothing
    Impact {
        /// Whether it leaves out or brings in
        #[arg(value_enum)]
        what: What,
        #[command(flatten)]
        decision: Tried,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// Leave something out
    Exclude,
    /// Bring something in
    Include,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    days: Days,
    /// Ledger position whose knowledge counts (default: everything)
    #[arg(long, value_name = "POSITION")]
    known_at: Option<u64>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What a rule says.
#[derive(Args)]
pub(crate) struct About {
    /// system, product, environment, region, repository, person_kind, vendor or category
    dimension: String,
    /// Its key or name, as the records have it
    subject: String,
    /// First day on which it holds, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    from: String,
    /// Last day on which it holds, YYYY-MM-DD (default: it has no end)
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Day (its end) or instant at which it was approved (default: now)
    #[arg(long, value_name = "WHEN")]
    approved_at: Option<String>,
    /// Time zone of the days (default: the workspace's, else UTC)
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// Though nothing in the records is called so yet
    #[arg(long)]
    anyway: bool,
    /// Period on which to show what it changes (default: the last twelve months)
    #[arg(long, value_name = "FROM..TO")]
    period: Option<String>,
    /// Key of the rule: the same key again corrects it (default: what it is about, and its first day)
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

#[derive(Args)]
pub(crate) struct Tried {
    #[command(flatten)]
    about: About,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Why something is decided, who approved it, and who enters it.
#[derive(Args, Clone)]
pub(crate) struct Approval {
    /// Why: it stands in the ledger
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who approved it: an account that is known, by address, login, name or key
    #[arg(long, value_name = "WHO")]
    approved_by: String,
    /// The system of that account, where nothing is known of it yet
    #[arg(long, value_name = "SYSTEM")]
    approver_system: Option<String>,
    /// Who enters it, as a pseudonym
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// Append it without asking
    #[arg(long)]
    yes: bool,
}

#[derive(Args)]
pub(crate) struct Decision {
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    approval: Approval,
}

#[derive(Args)]
pub(crate) struct Preset {
    /// The preset, as `tickmark catalog presets` lists them
    name: String,
    /// First day on which it holds, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    from: String,
    #[command(flatten)]
    approval: Approval,
}

impl Preset {
    /// What it says of a category.
    fn decision(&self, category: &str) -> Decision {
        Decision {
            about: About {
                dimension: Dimension::Category.word().to_owned(),
                subject: category.to_owned(),
                from: self.from.clone(),
                to: None,
                approved_at: None,
                tz: None,
                anyway: false,
                period: None,
                key: None,
            },
            approval: self.approval.clone(),
        }
    }
}

pub(crate) fn run(session: &Session, what: &ScopeCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    match what {
        ScopeCommand::List(list) => {
            let period = list.days.period(session.now, &workspace.config)?;
            let mut question = AssessmentQuestion::over(period, session.now);
            question.known_at = list.known_at;
            let report = workspace.scope_report(&question)?;
            if list.json {
                output::document(&report)?;
            } else {
                print_list(&report, &question.period)?;
            }
        }
        ScopeCommand::Impact { what, decision } => {
            let asked = Asked::read(session, &mut workspace, &decision.about, *what == What::Include)?;
            let rule = asked.rule("not decided yet", "nobody yet");
            let impact = workspace.scope_impact(&asked.question, &rule)?;
            if decision.json {
                output::document(&impact)?;
            } else {
                print_impact(&impact, &asked.question.period)?;
            }
        }
        ScopeCommand::Preset(preset) => {
            let presets = &workspace.catalog.presets;
            let Some(chosen) = presets.get(&preset.name) else {
                let known: Vec<&str> = presets.keys().map(String::as_str).collect();
                return Err(Failure::of(format!(
                    "there is no preset `{}`; there are {}",
                    preset.name,
                    known.join(", ")
                )));
            };
            let categories = chosen.categories.clone();
            for category in catalog::OPTIONAL_CATEGORIES {
                let included = categories.iter().any(|c| c == category);
                decide(session, &mut workspace, &conventions, &preset.decision(category), included)?;
            }
        }
        ScopeCommand::Exclude(decision) => {
            return decide(session, &mut workspace, &conventions, decision, false);
        }
        ScopeCommand::Include(decision) => {
            return decide(session, &mut workspace, &conventions, decision, true);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is asked or decided, once it could be read.
struct Asked {
    key: String,
    dimension: Dimension,
    subject: String,
    included: bool,
    starts_at: Instant,
    ends_at: Instant,
    approved_at: Instant,
    now: Instant,
    tz: String,
    question: AssessmentQuestion,
}

impl Asked {
    fn read(
        session: &Session,
        workspace: &mut Workspace,
        about: &About,
        included: bool,
    ) -> Result<Self, Failure> {
        let zone = workspace.config.zone(about.tz.as_deref());
        let word = about.dimension.replace('-', "_");
        let Some(dimension) = Dimension::of(&word) else {
            let known: Vec<&str> = Dimension::ALL.iter().map(|d| d.word()).collect();
            return Err(Failure::of(format!(
                "`{}` can be neither in nor out of scope; there are {}",
                about.dimension,
                known.join(", ")
            )));
        };
        let subject = about.subject.trim().to_owned();
        if dimension == Dimension::Category && subject == "security" && !included {
            return Err(Failure::of(format!("{}; leave out another category", app::SECURITY)));
        }
        let known = workspace.subjects(dimension)?;
        if !known.contains(&subject) && (!about.anyway || dimension == Dimension::Category) {
            return Err(Failure::of(unknown(dimension, &subject, &known)));
        }
        let starts_at = model::parse_date_range(&about.from, &about.from, &zone)?.from;
        let ends_at = match &about.to {
            Some(day) => model::parse_date_range(day, day, &zone)?.to,
            None => Instant::FOREVER,
        };
        if ends_at <= starts_at {
            return Err(Failure::of("the rule ends before it begins; swap --from and --to"));
        }
        let approved_at = match &about.approved_at {
            None => session.now,
            Some(at) if at.contains('T') => at.parse::<Instant>()?,
            Some(day) => crate::assess::until(session.now, day, &zone)?,
        };
        if approved_at > session.now {
            return Err(Failure::of(
                "an approval that is still to come is none; enter the rule once it is approved",
            ));
        }
        let period = match &about.period {
            Some(text) => {
                let (from, to) = text.split_once("..").ok_or_else(|| {
                    Failure::of(format!(
                        "`{text}` is no period; write FROM..TO, such as 2025-01-01..2025-06-30"
                    ))
                })?;
                model::parse_date_range(from, to, &zone)?
            }
            None => workspace.config.usual_period(session.now, &zone)?,
        };
        let key =
            about.key.clone().unwrap_or_else(|| format!("{}:{subject}:{}", dimension.word(), about.from));
        Ok(Self {
            key,
            dimension,
            subject,
            included,
            starts_at,
            ends_at,
            approved_at,
            now: session.now,
            question: AssessmentQuestion::over(period, session.now),
            tz: zone,
        })
    }

    fn rule(&self, reason: &str, approved_by: &str) -> ScopeRule {
        ScopeRule {
            key: self.key.clone(),
            dimension: self.dimension.word().to_owned(),
            subject: self.subject.clone(),
            included: self.included,
            starts_at: self.starts_at,
            ends_at: Some(self.ends_at),
            reason: Some(reason.to_owned()),
            approved_by: Some(approved_by.to_owned()),
            approved_at: Some(self.approved_at),
            entered_at: self.now,
            entry: None,
            grade: Grade::Manual,
            counts: None,
            without_effect: None,
            remarks: vec![],
            by_machine: false,
            unknown_subject: false,
        }
    }
}

fn unknown(dimension: Dimension, subject: &str, known: &BTreeSet<String>) -> String {
    let what = spoken(dimension.word());
    let near = catalog::nearest(subject, known.iter().map(String::as_str));
    let there_are = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("no {what} is known yet"),
        None => {
            let some: Vec<String> = known.iter().take(10).map(|k| format!("`{k}`")).collect();
            let more = if known.len() > some.len() {
                format!(" and {} more", known.len() - some.len())
            } else {
                String::new()
            };
            format!("there are {}{more}", some.join(", "))
        }
    };
    let anyway =
        if dimension == Dimension::Category { "" } else { ", or say --anyway for one that is still to come" };
    format!("nothing in the records is the {what} `{subject}`; {there_are}{anyway}")
}

fn decide(
    session: &Session,
    workspace: &mut Workspace,
    conventions: &connectors::git::Conventions,
    decision: &Decision,
    included: bool,
) -> Result<ExitCode, Failure> {
    let asked = Asked::read(session, workspace, &decision.about, included)?;
    if decision.approval.reason.trim().is_empty() {
        return Err(Failure::of("a rule of scope needs a reason; write one with --reason"));
    }
    let approver = match &decision.approval.approver_system {
        Some(system) => (system.clone(), decision.approval.approved_by.clone()),
        None => workspace.account_named(&decision.approval.approved_by)?,
    };
    let table = table(workspace, "scope_rule").map_err(Failure::of)?;
    let words = [
        format!("key={}", asked.key),
        format!("dimension={}", asked.dimension.word()),
        format!("subject={}", asked.subject),
        format!("included={}", if included { "yes" } else { "no" }),
        format!("starts_at={}", asked.starts_at),
        format!("ends_at={}", asked.ends_at),
        format!("reason={}", decision.approval.reason),
        format!("approved_by={}", approver.1),
        format!("approved_by.system={}", approver.0),
        format!("approved_at={}", asked.approved_at),
    ];
    let (mapping, body) = app::written(&table, &words, &asked.tz)?;
    let said = Said {
        reason: &decision.approval.reason,
        by: decision.approval.by.as_deref(),
        covers: None,
        of: &[],
    };
    let capture = row(&table, &mapping, &body, &said, session.now)?;
    let impact = workspace.scope_impact(
        &asked.question,
        &asked.rule(&decision.approval.reason, &decision.approval.approved_by),
    )?;
    print_impact(&impact, &asked.question.period)?;
    line("")?;
    if !decision.approval.yes {
        if !can_be_asked() {
            line("nothing was appended; say --yes to append it")?;
            return Ok(ExitCode::SUCCESS);
        }
        if !agreed()? {
            line("nothing was appended")?;
            return Ok(ExitCode::SUCCESS);
        }
    }
    let entries = workspace.decide(&[capture])?;
    let applied = workspace.catch_up(&|document| derive(document, conventions))?;
    for (entry, problem) in applied.problems.iter().filter(|(entry, _)| entries.contains(entry)) {
        note(&format!("entry {entry}: {}", plain(problem)));
    }
    line(&format!("the rule `{}` is ledger entry {}", plain(&asked.key), entries.start))?;
    Ok(ExitCode::SUCCESS)
}

/// A day, of the open ends nothing.
fn day(at: Instant, zone: &str) -> String {
    if at <= Instant::BEGINNING || at >= Instant::FOREVER { String::new() } else { at.date_in(zone) }
}

/// The last day of what ends at an instant.
fn last_day(at: Instant, zone: &str) -> String {
    day(if at >= Instant::FOREVER { at } else { Instant::from_ms(at.ms() - 1) }, zone)
}

/// `out from 2025-04-01`, `in 2025-04-01 to 2025-06-30`.
fn extent(rule: &ScopeRule, zone: &str) -> String {
    let word = if rule.included { "in" } else { "out" };
    match &rule.counts {
        Some(window) if window.to >= Instant::FOREVER => format!("{word} from {}", day(window.from, zone)),
        Some(window) => format!("{word} {} to {}", day(window.from, zone), last_day(window.to, zone)),
        None => format!("{word}: NO EFFECT"),
    }
}

fn print_list(report: &ScopeReport, period: &Period) -> Result<(), Failure> {
    if report.rules.is_empty() {
        line("no rule is known: everything is in scope")?;
        return Ok(());
    }
    print_rules(&report.rules, &period.tz)?;
    print_consequences(report, period)
}

fn print_rules(rules: &[ScopeRule], zone: &str) -> Result<(), Failure> {
    line(&styled(BOLD, "Rules of scope"))?;
    let mut rows = vec![];
    for rule in rules {
        let approved = match (&rule.approved_by, rule.approved_at) {
            (Some(by), Some(at)) => format!("approved {} by {}", day(at, zone), plain(by)),
            (Some(by), None) => format!("approved by {}", plain(by)),
            _ => "not approved".to_owned(),
        };
        rows.push(vec![
            format!("  {}", spoken(&rule.dimension)),
            plain(&rule.subject),
            extent(rule, zone),
            approved,
            plain(rule.reason.as_deref().unwrap_or("no reason")),
        ]);
    }
    let texts = aligned(&rows);
    for (rule, text) in rules.iter().zip(texts) {
        line(text.trim_end())?;
        for remark in
            rule.without_effect.iter().map(|why| format!("no effect: {why}")).chain(rule.remarks.clone())
        {
            line(&styled(DIM, &format!("    {}", plain(&remark))))?;
        }
    }
    Ok(())
}

/// What follows from the rules: in the list of them, and in an assessment.
pub(crate) fn print_consequences(report: &ScopeReport, period: &Period) -> Result<(), Failure> {
    if !report.not_tested.is_empty() {
        line("")?;
        line(&styled(BOLD, "Out of scope, not tested"))?;
        let rows: Vec<Vec<String>> = report
            .not_tested
            .iter()
            .map(|p| vec![format!("  {}", p.controls.join(" ")), p.title.clone(), p.categories.join(", ")])
            .collect();
        for row in aligned(&rows) {
            line(row.trim_end())?;
        }
    }
    print_raised("Raised: scope and use do not agree", &report.raised, period)
}

fn print_raised(title: &str, raised: &[Raised], period: &Period) -> Result<(), Failure> {
    if raised.is_empty() {
        return Ok(());
    }
    line("")?;
    line(&styled(BOLD, title))?;
    let rows: Vec<Vec<String>> = raised
        .iter()
        .map(|r| {
            let first = r.first_at.date_in(&period.tz);
            let when = match r.count {
                1 => first,
                n => format!("{n} times from {first} to {}", r.last_at.date_in(&period.tz)),
            };
            vec![
                format!("  {}", spoken(&r.dimension)),
                plain(&r.subject),
                r.why.clone(),
                when,
                format!("{} (entry {})", plain(&r.example), r.entry),
            ]
        })
        .collect();
    for row in aligned(&rows) {
        line(row.trim_end())?;
    }
    Ok(())
}

/// In an assessment: what has no effect is said first.
pub(crate) fn print_report(report: &ScopeReport, period: &Period) -> Result<(), Failure> {
    line("")?;
    print_rules(&report.rules, &period.tz)?;
    print_consequences(report, period)
}

fn print_impact(impact: &Impact, period: &Period) -> Result<(), Failure> {
    let rule = &impact.rule;
    line(&styled(
        BOLD,
        &format!("{} {}: {}", spoken(&rule.dimension), plain(&rule.subject), extent(rule, &period.tz)),
    ))?;
    for remark in
        rule.without_effect.iter().map(|why| format!("no effect: {why}")).chain(rule.remarks.clone())
    {
        line(&format!("  {}", plain(&remark)))?;
    }
    line(&format!(
        "what it changes in {} to {} ({}), as known at ledger position {}",
        period.first_date(),
        period.last_date(),
        period.tz,
        impact.position
    ))?;
    let lost: usize = impact.procedures.iter().map(app::ProcedureImpact::deviations_lost).sum();
    if lost > 0 {
        let what = if lost == 1 {
            "1 deviation would leave".to_owned()
        } else {
            format!("{lost} deviations would leave")
        };
        line(&styled(
            verdict_style(Verdict::Deviation),
            &format!("  {what} the population: they stay in the ledger, and in what was known before"),
        ))?;
    }
    for procedure in &impact.procedures {
        line("")?;
        let name = format!("{} {}", procedure.controls.join(" "), procedure.title);
        line(&styled(BOLD, &name))?;
        line(&format!("  population {} now, {} then", procedure.before, procedure.after))?;
        if procedure.conclusion_before != procedure.conclusion_after {
            let word = |c: Option<model::Conclusion>| c.map_or("not tested".to_owned(), |c| spoken(c.word()));
            line(&format!(
                "  {} now, {} then",
                word(procedure.conclusion_before),
                word(procedure.conclusion_after)
            ))?;
        }
        print_items("leaves", &procedure.leave, period)?;
        print_items("comes", &procedure.come, period)?;
        print_items("is judged otherwise", &procedure.otherwise, period)?;
        for gap in &procedure.gaps {
            line(&format!(
                "  to be looked at: {} from {} to {}: {}",
                gap.table,
                gap.from.date_in(&period.tz),
                last_day(gap.to, &period.tz),
                plain(&gap.reason)
            ))?;
        }
    }
    for (title, procedures) in
        [("Would not be tested any more", &impact.not_tested), ("Would be tested", &impact.tested_again)]
    {
        if procedures.is_empty() {
            continue;
        }
        line("")?;
        line(&styled(BOLD, title))?;
        for procedure in procedures {
            line(&format!("  {} {}", procedure.controls.join(" "), procedure.title))?;
        }
    }
    print_raised("Would be raised", &impact.raised, period)?;
    if impact.procedures.is_empty() && impact.not_tested.is_empty() && impact.tested_again.is_empty() {
        line("  no population changes")?;
    }
    Ok(())
}

fn print_items(what: &str, items: &[ImpactItem], period: &Period) -> Result<(), Failure> {
    let rows: Vec<Vec<String>> = items
        .iter()
        .take(LISTED)
        .map(|item| {
            let within = item.scope.as_ref().map(|s| format!(" within {s}")).unwrap_or_default();
            vec![
                format!("  {what}"),
                item.occurred_at.date_in(&period.tz),
                plain(&format!("{}{within}", item.label)),
                styled(verdict_style(item.verdict), &spoken(item.verdict.word())),
            ]
        })
        .collect();
    for row in aligned(&rows) {
        line(row.trim_end())?;
    }
    if items.len() > LISTED {
        line(&styled(DIM, &format!("  and {} more", items.len() - LISTED)))?;
    }
    Ok(())
}
