//! `tickmark coverage`: where was looked, table by table, and what will be lost.

use std::process::ExitCode;

use app::{AlarmReport, CoverageQuestion, CoverageReport, Look, TableCoverage};
use clap::Args;
use model::Instant;

use crate::command::Days;
use crate::failure::Failure;
use crate::output::{self, BOLD, aligned, line, plain, spoken, styled};
use crate::session::{Session, derive, keeping};

#[derive(Args)]
pub(crate) struct CoverageCommand {
    #[command(flatten)]
    days: Days,
    /// Only this record table
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Ledger position whose knowledge counts (default: everything)
    #[arg(long, value_name = "POSITION")]
    known_at: Option<u64>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Cells of a strip: about a week each, of a year.
const CELLS: usize = 52;
/// How many gaps of a table are listed.
const LISTED: usize = 10;

pub(crate) fn run(session: &Session, asked: &CoverageCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    let period = asked.days.period(session.now, &workspace.config)?;
    let report = workspace.looked(&CoverageQuestion {
        period,
        known_at: asked.known_at,
        table: asked.table.clone(),
        cells: CELLS,
        keeping: keeping(session.now, &workspace.config),
    })?;
    if asked.json {
        output::document(&report)?;
    } else {
        print(&report)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(report: &CoverageReport) -> Result<(), Failure> {
    let tz = &report.tz;
    let last = Instant::from_ms(report.to.ms() - 1).date_in(tz);
    line(&styled(BOLD, &format!("{} to {last} ({tz})", report.from.date_in(tz))))?;
    line(&format!("as known at ledger position {}; a cell shows the worst of its time", report.position))?;
    let legend: Vec<String> =
        Look::ALL.iter().map(|look| format!("{} {}", look.sign(), spoken(look.word()))).collect();
    line(&legend.join("   "))?;
    print_alarms(&report.alarms, tz)?;
    let mut scope = None;
    for table in &report.tables {
        if scope != Some(&table.scope) {
            scope = Some(&table.scope);
            line("")?;
            let name = table.scope.as_ref().map_or_else(|| "the company as a whole".to_owned(), |s| plain(s));
            line(&styled(BOLD, &name))?;
        }
        print_table(table, report)?;
    }
    if report.tables.is_empty() {
        line("")?;
        line("nobody said where they looked; add a source, or import a file with --covers")?;
    }
    if !report.unsupplied.is_empty() {
        line("")?;
        line(&styled(BOLD, "Nobody ever looked"))?;
        let rows: Vec<Vec<String>> = report
            .unsupplied
            .iter()
            .map(|u| vec![format!("  {}", u.table), format!("from {}", u.supplied_by.join(", "))])
            .collect();
        for row in aligned(&rows) {
            line(&row)?;
        }
    }
    Ok(())
}

fn print_table(table: &TableCoverage, report: &CoverageReport) -> Result<(), Failure> {
    let tz = &report.tz;
    let edge = |at: Option<Instant>| match at {
        None => "never".to_owned(),
        Some(Instant::BEGINNING) => "the beginning".to_owned(),
        Some(at) => at.date_in(tz),
    };
    let complete = match (table.first, table.last) {
        (None, None) => "never complete".to_owned(),
        (first, last) => format!("complete between {} and {}", edge(first), edge(last)),
    };
    let grade = table.grade.map(|grade| format!(", {grade}")).unwrap_or_default();
    line(&format!(
        "  {:<22} {}  {}.{} %  {complete}{grade} ({})",
        table.table,
        table.strip,
        table.complete_permille / 10,
        table.complete_permille % 10,
        plain(&table.sources.join(", "))
    ))?;
    for gap in table.gaps.iter().take(LISTED) {
        line(&format!(
            "    {} to {}  {}: {}",
            instant(gap.from, report),
            instant(gap.to, report),
            spoken(&gap.status),
            plain(&gap.reason)
        ))?;
    }
    if table.gaps.len() > LISTED {
        line(&format!("    and {} more gaps: --json has everything", table.gaps.len() - LISTED))?;
    }
    Ok(())
}

/// An edge of a gap: a day where it is the period's own.
fn instant(at: Instant, report: &CoverageReport) -> String {
    if at == report.from {
        at.date_in(&report.tz)
    } else if at == report.to {
        format!("{} included", Instant::from_ms(at.ms() - 1).date_in(&report.tz))
    } else {
        at.to_string()
    }
}

/// What has to be collected before its source forgets.
pub(crate) fn print_alarms(alarms: &[AlarmReport], tz: &str) -> Result<(), Failure> {
    if alarms.is_empty() {
        return Ok(());
    }
    line("")?;
    line(&styled(BOLD, "Collect soon"))?;
    for alarm in alarms {
        line(&format!("  {}", plain(&warning(alarm, tz))))?;
    }
    Ok(())
}

fn warning(alarm: &AlarmReport, tz: &str) -> String {
    let of = alarm.scope.as_ref().map(|scope| format!(" of {scope}")).unwrap_or_default();
    let kept = format!("`{}.{}`{of} is kept {} days", alarm.source, alarm.stream, alarm.kept_days);
    let Some(looked) = alarm.looked_until else {
        return format!(
            "{kept}; it was never looked at completely, and what happened before {} is lost",
            alarm.lost_until.date_in(tz)
        );
    };
    let last = format!("{kept}; last looked {}", looked.date_in(tz));
    if alarm.urgency == "lost" {
        format!(
            "{last}; what happened from then until {} is lost for `{}`: collect now to keep the rest",
            alarm.lost_until.date_in(tz),
            alarm.table
        )
    } else {
        format!(
            "{last}; what happened since is lost from {} on unless it is collected before",
            alarm.loses_from.date_in(tz)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_says_until_when() {
        let day = |text: &str| format!("{text}T00:00:00Z").parse::<Instant>().ok();
        let check = |urgency: &str, looked: Option<&str>, expect: &str| {
            let alarm = AlarmReport {
                urgency: urgency.to_owned(),
                scope: Some("github.com/acme/app".to_owned()),
                source: "github".to_owned(),
                stream: "rule_suites".to_owned(),
                table: "bypass".to_owned(),
                kept_days: 28,
                looked_until: looked.and_then(day),
                loses_from: day("2025-01-29").unwrap_or(Instant::FOREVER),
                lost_until: day("2025-02-03").unwrap_or(Instant::FOREVER),
            };
            let kept = "`github.rule_suites` of github.com/acme/app is kept 28 days; ";
            assert_eq!(warning(&alarm, "UTC"), format!("{kept}{expect}"));
        };
        check(
            "half",
            Some("2025-01-01"),
            "last looked 2025-01-01; what happened since is lost from 2025-01-29 on unless it is collected before",
        );
        check(
            "lost",
            Some("2025-01-01"),
            "last looked 2025-01-01; what happened from then until 2025-02-03 is lost for `bypass`: collect now to keep the rest",
        );
        check("lost", None, "it was never looked at completely, and what happened before 2025-02-03 is lost");
    }
}
