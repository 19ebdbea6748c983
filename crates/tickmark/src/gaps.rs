//! `tickmark gaps`: what stands between today and a report, as advice that somebody can act on.

use std::process::ExitCode;

use app::{Gap, Gaps};
use clap::Args;
use model::{Instant, Period};

use crate::command::Days;
use crate::failure::Failure;
use crate::output::{self, BOLD, DIM, aligned, line, plain, styled};
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
pub(crate) struct GapsCommand {
    #[command(flatten)]
    days: Days,
    /// Only what a role sees to, such as IT
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// List every gap, not only the first ones of each kind
    #[arg(long)]
    all: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(session: &Session, asked: &GapsCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    let period = asked.days.period(session.now, &workspace.config)?;
    let keeping = keeping(session.now, &workspace.config);
    let mut gaps = workspace.gaps(&period, keeping)?;
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
    for (kind, title) in
        [(1, "Before a report of type I"), (2, "Before a clean window for a report of type II")]
    {
        let of: Vec<&Gap> = found.gaps.iter().filter(|gap| gap.before_type == kind).collect();
        print_gaps(title, &of, all)?;
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
    print_roles(found)?;
    print_plan(found)
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

fn print_gaps(title: &str, gaps: &[&Gap], all: bool) -> Result<(), Failure> {
    line("")?;
    line(&styled(BOLD, title))?;
    if gaps.is_empty() {
        return line("  nothing that is known of");
    }
    for (kind, title, advice) in KINDS {
        let of: Vec<&&Gap> = gaps.iter().filter(|gap| gap.kind == kind).collect();
        if of.is_empty() {
            continue;
        }
        let sum = |gaps: &[&&Gap]| gaps.iter().fold((0, 0), |s, g| (s.0 + g.hours.0, s.1 + g.hours.1));
        line(&format!("  {} ({}): {advice}", styled(BOLD, title), hours(sum(&of))))?;
        let shown = if all { of.len() } else { LISTED.min(of.len()) };
        for gap in &of[..shown] {
            line(&format!("  - {}", plain(&gap.says)))?;
            line(&styled(DIM, &format!("    {}, {}", who(gap), hours(gap.hours))))?;
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
