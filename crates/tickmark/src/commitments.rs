//! `tickmark commitments`: what the company has promised, and what answers to it.

use std::process::ExitCode;

use app::{Commitment, Commitments};

use crate::command::CommitmentsCommand;
use crate::failure::Failure;
use crate::output::{self, BOLD, line, plain, styled};
use crate::session::{Session, derive};

pub(crate) fn run(session: &Session, asked: &CommitmentsCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    let (as_of, zone) = asked.when.instant(session.now, &workspace.config)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    let commitments = workspace.commitments(as_of, asked.when.known_at)?;
    if asked.json {
        output::document(&commitments)?;
    } else {
        print(&commitments, &zone)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(commitments: &Commitments, zone: &str) -> Result<(), Failure> {
    line(&styled(
        BOLD,
        &format!("As of {}, as known at ledger position {}", commitments.as_of, commitments.position),
    ))?;
    for commitment in &commitments.commitments {
        line("")?;
        one(commitment, zone)?;
    }
    if commitments.commitments.is_empty() {
        line("")?;
        line(
            "no commitment is known; enter one with `tickmark record add commitment`, or import a register",
        )?;
    }
    for unknown in &commitments.not_known {
        line("")?;
        line(&format!("not known: {}", plain(unknown)))?;
    }
    Ok(())
}

fn one(commitment: &Commitment, zone: &str) -> Result<(), Failure> {
    line(&format!(
        "{} ({}, since {}{})",
        styled(BOLD, &plain(&commitment.label)),
        commitment.kind,
        commitment.since.date_in(zone),
        commitment.until.map(|until| format!(", to {}", until.date_in(zone))).unwrap_or_default()
    ))?;
    if let Some(title) = &commitment.title {
        line(&format!("  {}", plain(title)))?;
    }
    if let Some(control) = &commitment.control {
        let title = control.title.as_deref().map(|t| format!(" {}", plain(t))).unwrap_or_default();
        let tested = match control.procedures.as_slice() {
            [] => "tested by a person".to_owned(),
            procedures => format!("tested by {}", procedures.join(", ")),
        };
        line(&format!("  answered by {}{title} ({tested})", plain(&control.id)))?;
    }
    if let Some(metric) = &commitment.metric {
        let until = metric.measured_to.map(|to| format!(", measured up to {}", to.date_in(zone)));
        line(&format!(
            "  measured by {}{}",
            plain(metric.label.as_deref().unwrap_or(&metric.key)),
            until.unwrap_or_default()
        ))?;
    }
    if let Some(entry) = commitment.evidence {
        line(&format!("  written down in evidence {entry}"))?;
    }
    for deviation in &commitment.deviations {
        line(&format!("  deviation: {}", plain(deviation)))?;
    }
    for unknown in &commitment.not_known {
        line(&format!("  not known: {}", plain(unknown)))?;
    }
    Ok(())
}
