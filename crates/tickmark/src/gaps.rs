//! `tickmark gaps`: what stands between today and a report, as advice that somebody can act on.

use std::process::ExitCode;

use app::{Gap, Gaps, Workspace};
use clap::{Args, Subcommand};
use connectors::git::Conventions;
use model::{Instant, Period};

use crate::command::Days;
use crate::decision::{Because, Cell, decide, said};
use crate::failure::Failure;
use crate::output::{self, BOLD, DIM, aligned, line, plain, spoken, styled};
use crate::session::{Session, derive, keeping};

/// How many gaps of a kind are listed where not all are asked for.
const LISTED: usize = 3;

/// Kinds of gaps in the order in which they are best seen to, with what somebody who has done it says of them.
const KINDS: [(&str, &str, &str); 9] = [
    ("unreadable", "Files that cannot be read", "what they say does not count until they are mended"),
    (
        "owner",
        "Owners",
        "people first: nothing else moves without them, and one person may wear several hats",
    ),
    ("policy", "Policies", "begin with the templates, and promise nothing that you do not do"),
    ("design", "Walkthroughs", "look at one instance of each control together with whoever does it"),
    ("failing", "Deviations", "they stay where they are; see that no new ones come before a window begins"),
    ("source", "Sources", "what nobody supplies cannot be concluded, however well it was done"),
    ("unknown", "Holes in the evidence", "somebody looked, but not everywhere, or not all the time"),
    (
        "never_done",
        "Recurring work",
        "an auditor asks for every time that it fell due; it cannot be made up for later",
    ),
    ("untested", "Controls that nothing tests yet", "keep evidence by hand until a procedure does"),
];

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct GapsCommand {
    #[command(flatten)]
    days: Days,
    /// As it stood at the end of this day, by what is known now (default: now)
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Only what a role sees to, such as IT
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// List every gap, not only the first ones of each kind
    #[arg(long)]
    all: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    what: Option<GapDecision>,
}

#[derive(Subcommand)]
enum GapDecision {
    /// Decide to go on with a gap for some time: it stays one, and holds up no date until then
    Accept {
        /// The gap, as `tickmark gaps` names it, such as owner:IT
        gap: String,
        /// Why it may stay for now
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The last day on which it may, YYYY-MM-DD
        #[arg(long, value_name = "DATE")]
        until: String,
        /// Who decides, as a pseudonym
        #[arg(long, value_name = "WHO")]
        by: String,
    },
}

pub(crate) fn run(session: &Session, asked: &GapsCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    let now = match &asked.as_of {
        None => session.now,
        Some(date) => {
            let day = model::parse_date_range(date, date, &workspace.config.zone(asked.days.tz.as_deref()))?;
            if day.from > session.now {
                return Err(Failure::of(format!("{date} is still to come; name today or an earlier day")));
            }
            session.now.min(day.last())
        }
    };
    let period = asked.days.period(now, &workspace.config)?;
    let keeping = keeping(now, &workspace.config);
    let mut gaps = workspace.gaps(&period, keeping)?;
    if let Some(GapDecision::Accept { gap, reason, until, by }) = &asked.what {
        accept(session, &mut workspace, &conventions, &gaps, &Acceptance { gap, reason, until, by })?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(role) = &asked.role {
        let known = |name: &String| name.eq_ignore_ascii_case(role);
        if !gaps.roles.iter().any(|r| known(&r.role)) {
            let all: Vec<&str> = gaps.roles.iter().map(|r| r.role.as_str()).collect();
            return Err(Failure::of(format!("no role is called `{role}`; there are {}", all.join(", "))));
        }
        gaps.gaps.retain(|gap| known(&gap.role));
        gaps.roles.retain(|r| known(&r.role));
    }
    if asked.json {
        output::document(&gaps)?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&gaps, &period, asked.all)?;
    Ok(ExitCode::SUCCESS)
}

struct Acceptance<'a> {
    gap: &'a str,
    reason: &'a str,
    until: &'a str,
    by: &'a str,
}

fn accept(
    session: &Session,
    workspace: &mut Workspace,
    conventions: &Conventions,
    found: &Gaps,
    asked: &Acceptance<'_>,
) -> Result<(), Failure> {
    let Some(gap) = found.gaps.iter().find(|gap| gap.id == asked.gap) else {
        let near = catalog::nearest(asked.gap, found.gaps.iter().map(|gap| gap.id.as_str()));
        let help = near.map_or_else(
            || "`tickmark gaps --all` lists them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(Failure::of(format!("there is no gap `{}` today; {help}", asked.gap)));
    };
    let zone = workspace.config.zone(None);
    let until = model::parse_date_range(asked.until, asked.until, &zone)?.to;
    if until <= session.now {
        return Err(Failure::of(format!("{} is over; name the last day on which it may stay", asked.until)));
    }
    let reason = said("reason", asked.reason)?;
    let values = vec![
        ("gap", Cell::Text(gap.id.clone())),
        ("reason", Cell::Text(reason.clone())),
        ("accepted_by", Cell::Person(said("by", asked.by)?)),
        ("accepted_until", Cell::At(until)),
    ];
    let because = Because { by: asked.by, reason: &reason, now: session.now };
    let entries = decide(workspace, conventions, "gap_acceptance", &[(gap.id.clone(), values)], &because)?;
    line(&format!(
        "{} may stay until {} by the word of {}, in ledger entry {}; it is still a gap: {}",
        gap.id,
        asked.until,
        plain(asked.by),
        entries.start,
        plain(&gap.says)
    ))
}

fn print(found: &Gaps, period: &Period, all: bool) -> Result<(), Failure> {
    line(&styled(BOLD, "What stands between today and a report"))?;
    line(&format!(
        "{} ({} controls), looked at over {} to {} ({}), as known at ledger position {}",
        found.categories.join(", "),
        found.controls,
        period.first_date(),
        period.last_date(),
        found.tz,
        found.position
    ))?;
    if let Some(first) = &found.begin {
        line("")?;
        line(&styled(BOLD, "Begin here"))?;
        line(&format!("  {}", plain(&first.says)))?;
        line(&format!("  {}", plain(&first.next)))?;
    }
    if !found.questions.is_empty() {
        line("")?;
        line(&styled(BOLD, "Before you decide on a category, ask"))?;
        for question in &found.questions {
            let hint = match question.speaks_for_it.as_slice() {
                [] => String::new(),
                tables => format!(" (`{}` has rows: it looks like it)", tables.join("`, `")),
            };
            line(&format!("  - {}: {}{hint}", spoken(question.category), question.asks))?;
        }
    }
    for (kind, title) in
        [(1, "Before a report of type I"), (2, "Before a clean window for a report of type II")]
    {
        let of: Vec<&Gap> = found.gaps.iter().filter(|gap| gap.before_type == kind).collect();
        print_gaps(title, &of, all, &found.tz)?;
    }
    print_steps(found)?;
    line("")?;
    line(&styled(BOLD, "What usually goes wrong"))?;
    let rows: Vec<Vec<String>> = found
        .tell_tales
        .iter()
        .map(|t| {
            let state = match t.state {
                "found" => styled(BOLD, "it does here"),
                "not_found" => "not here, as far as was looked".to_owned(),
                _ => "cannot be told yet".to_owned(),
            };
            vec![format!("  {}", t.what), format!("{state} ({})", t.controls.join(", "))]
        })
        .collect();
    aligned(&rows).iter().try_for_each(|row| line(row))?;
    print_strands(found)?;
    print_roles(found)?;
    print_plan(found)?;
    print_roadmap(found)
}

fn print_strands(found: &Gaps) -> Result<(), Failure> {
    line("")?;
    line(&format!("{} (`tickmark catalog workstreams` lists every step)", styled(BOLD, "Strands of work")))?;
    for strand in &found.strands {
        let asked = strand.steps.iter().filter(|step| step.done.is_some()).count();
        let done = strand.steps.iter().filter(|step| step.done == Some(true)).count();
        let next = match strand.next() {
            _ if asked == 0 => "nothing of it is in scope".to_owned(),
            None => "done".to_owned(),
            Some(step) => format!("{} ({})", step.does, step.controls.join(", ")),
        };
        line(&format!("  {} [{done} of {asked}]: {next}", plain(&strand.title)))?;
    }
    Ok(())
}

fn print_roadmap(found: &Gaps) -> Result<(), Failure> {
    let day = |at: Instant| at.date_in(&found.tz);
    line("")?;
    line(&styled(BOLD, "Which report"))?;
    line(&format!("  {}", plain(&found.roadmap.advice)))?;
    let mut rows = vec![];
    for milestone in &found.roadmap.milestones {
        let (least, most) = (day(milestone.when.0), day(milestone.when.1));
        let when = if least == most { least } else { format!("{least} to {most}") };
        rows.push(vec![format!("  {}", milestone.what), when]);
    }
    aligned(&rows).iter().try_for_each(|row| line(row))?;
    for deal in &found.waiting {
        let wants = match deal.wants.as_deref() {
            Some("type_1") => "type I",
            Some(_) => "type II",
            None => "nobody asked which",
        };
        let says = match (deal.needed_by, deal.in_time) {
            (Some(by), Some(true)) => {
                format!("needed by {}: in time from {} on", day(by), day(deal.earliest))
            }
            (Some(by), _) => {
                format!("needed by {}: too late, {} at the earliest", day(by), day(deal.earliest))
            }
            (None, _) => format!("no day was named; {} at the earliest", day(deal.earliest)),
        };
        line(&format!("  - {} ({wants}): {says}", plain(&deal.deal)))?;
    }
    line("")?;
    line(&styled(BOLD, "What it comes to"))?;
    let estimate = &found.estimate;
    line(&format!("  {} of your own people, by the gaps that are known", hours(estimate.hours)))?;
    line(&format!(
        "  {} to {} dollars for a report, as auditors usually ask: {}",
        thousands(estimate.fee_usd.0),
        thousands(estimate.fee_usd.1),
        estimate.because
    ))
}

/// Whole thousands of dollars.
fn thousands(dollars: u32) -> String {
    format!("{},000", (dollars + 500) / 1_000)
}

fn hours((least, most): (u32, u32)) -> String {
    if least == most { format!("{least} h") } else { format!("{least} to {most} h") }
}

fn who(gap: &Gap) -> String {
    match &gap.owner {
        Some(owner) => format!("{} ({})", plain(owner), gap.role),
        None => format!("{}, nobody named", gap.role),
    }
}

fn print_gaps(title: &str, gaps: &[&Gap], all: bool, tz: &str) -> Result<(), Failure> {
    line("")?;
    line(&styled(BOLD, title))?;
    if gaps.is_empty() {
        return line("  nothing that is known of");
    }
    for (kind, title, advice) in KINDS {
        let mut of: Vec<&&Gap> = gaps.iter().filter(|gap| gap.kind == kind).collect();
        // What somebody decided to go on with comes last.
        of.sort_by_key(|gap| gap.accepted.is_some());
        if of.is_empty() {
            continue;
        }
        let sum = |gaps: &[&&Gap]| {
            let open = gaps.iter().filter(|gap| gap.accepted.is_none());
            open.fold((0, 0), |s, g| (s.0 + g.hours.0, s.1 + g.hours.1))
        };
        line(&format!("  {} ({}): {advice}", styled(BOLD, title), hours(sum(&of))))?;
        let shown = if all { of.len() } else { LISTED.min(of.len()) };
        for gap in &of[..shown] {
            let whose = format!("{}, {} [{}]", who(gap), hours(gap.hours), gap.id);
            line(&format!("  - {}; {}", plain(&gap.says), styled(DIM, &whose)))?;
            if let Some(accepted) = &gap.accepted {
                line(&format!(
                    "    may stay until {}, says {}: {}",
                    Instant::from_ms(accepted.until.ms() - 1).date_in(tz),
                    plain(&accepted.by),
                    plain(&accepted.reason)
                ))?;
                continue;
            }
            line(&format!("    {}", plain(&gap.next)))?;
        }
        if of.len() > shown {
            let rest = &of[shown..];
            line(&styled(DIM, &format!("    and {} more, {}", rest.len(), hours(sum(rest)))))?;
        }
    }
    if !all && gaps.len() > LISTED {
        line(&styled(DIM, "  --all lists every one, --role those of one role"))?;
    }
    Ok(())
}

fn print_steps(found: &Gaps) -> Result<(), Failure> {
    line("")?;
    line(&styled(BOLD, "The seven steps"))?;
    for (at, step) in found.steps.iter().enumerate() {
        let mark = if step.done { "done" } else { "open" };
        line(&format!("  {} [{mark}] {}: {}", at + 1, step.what, plain(&step.says)))?;
    }
    Ok(())
}

fn print_roles(found: &Gaps) -> Result<(), Failure> {
    line("")?;
    line(&styled(BOLD, "Who has what before them"))?;
    let rows: Vec<Vec<String>> = found
        .roles
        .iter()
        .map(|r| {
            vec![
                format!("  {}", plain(&r.role)),
                format!(
                    "{} {}, {} owned",
                    r.controls,
                    if r.controls == 1 { "control" } else { "controls" },
                    r.owned
                ),
                format!("{} {}", r.gaps, if r.gaps == 1 { "gap" } else { "gaps" }),
                hours(r.hours),
            ]
        })
        .collect();
    aligned(&rows).iter().try_for_each(|row| line(row))
}

fn print_plan(found: &Gaps) -> Result<(), Failure> {
    let day = |at: Instant| at.date_in(&found.tz);
    let span = |(least, most): (Instant, Instant)| {
        if day(least) == day(most) { day(least) } else { format!("{} to {}", day(least), day(most)) }
    };
    let plan = &found.plan;
    line("")?;
    line(&styled(BOLD, "When"))?;
    let mut rows = vec![
        vec!["  ready for type I".to_owned(), span(plan.type_1_ready)],
        vec!["  its report, after fieldwork".to_owned(), span(plan.type_1_report)],
        vec!["  a clean window could begin".to_owned(), span(plan.window_from)],
    ];
    for window in &plan.windows {
        rows.push(vec![
            format!("  {} of it", window.length),
            format!("until {}, report {}", day(window.ends), span(window.report)),
        ]);
    }
    aligned(&rows).iter().try_for_each(|row| line(row))?;
    line(&styled(
        DIM,
        "  guesses from what is customary and ten hours a week for each role; the auditor's calendar decides",
    ))?;
    if !plan.breaks.is_empty() {
        line("")?;
        line(&styled(BOLD, "A window breaks when"))?;
        for what in &plan.breaks {
            line(&format!("  - {}", plain(what)))?;
        }
    }
    if !plan.risks.is_empty() {
        line("")?;
        line(&styled(BOLD, "Why it may take longer"))?;
        for what in &plan.risks {
            line(&format!("  - {}", plain(what)))?;
        }
    }
    Ok(())
}
