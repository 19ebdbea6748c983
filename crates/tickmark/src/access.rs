//! `tickmark access`: who could do what on a date.

use std::process::ExitCode;

use app::{Access, AccessQuestion, GrantReport, Held};
use model::Instant;

use crate::command::AccessCommand;
use crate::failure::Failure;
use crate::output::{self, BOLD, aligned, line, plain, styled};
use crate::session::{Session, derive};

pub(crate) fn run(session: &Session, asked: &AccessCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open_records(&place)?;
    let (as_of, zone) = asked.when.instant(session.now, &workspace.config)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    let access = workspace.access(&AccessQuestion {
        who: asked.who.clone(),
        system: asked.system.clone(),
        role: asked.role.clone(),
        as_of,
        known_at: asked.when.known_at,
    })?;
    if asked.json {
        output::document(&access)?;
    } else {
        print(&access, &zone)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(access: &Access, zone: &str) -> Result<(), Failure> {
    line(&styled(BOLD, &format!("As of {}, as known at ledger position {}", access.as_of, access.position)))?;
    let words = [
        (Held::Yes, "Had access"),
        (Held::Unknown, "May have had access: nobody can say when it ended"),
        (Held::Ended, "Had ended by then"),
    ];
    for (held, title) in words {
        let grants: Vec<&GrantReport> = access.grants.iter().filter(|g| g.held == held).collect();
        if grants.is_empty() {
            continue;
        }
        line("")?;
        line(&styled(BOLD, title))?;
        let mut rows = vec![
            ["  system", "account", "person", "role", "since", "", "approved", "reviewed", "remarks"]
                .map(str::to_owned)
                .to_vec(),
        ];
        rows.extend(grants.iter().map(|grant| row(grant, zone)));
        for row in aligned(&rows) {
            line(row.trim_end())?;
        }
    }
    if access.grants.is_empty() {
        line("")?;
        line("no grant is known")?;
    }
    if !access.perhaps_also.is_empty() {
        line("")?;
        line(&styled(BOLD, "Perhaps the same person; their access is not listed here"))?;
        for alike in &access.perhaps_also {
            let basis: Vec<String> = alike.basis.iter().map(|basis| output::spoken(basis)).collect();
            line(&format!("  {} ({})", plain(&alike.person), basis.join(", ")))?;
        }
    }
    output::not_known(&access.not_known)
}

fn row(grant: &GrantReport, zone: &str) -> Vec<String> {
    let day = |at: Instant| at.date_in(zone);
    let approved = match (&grant.approved_by, grant.approved_at) {
        (Some(by), Some(at)) => format!("{} by {}", day(at), plain(by)),
        (Some(by), None) => format!("by {}", plain(by)),
        (None, Some(at)) => day(at),
        (None, None) => "not known".to_owned(),
    };
    let reviewed = grant.reviewed.as_ref().map_or_else(
        || "never, as far as is known".to_owned(),
        |review| {
            let by = review.by.as_ref().map_or_else(|| "somebody unknown".to_owned(), |by| plain(by));
            format!("{} {} by {by}", day(review.at), review.decision)
        },
    );
    let mut remarks = vec![];
    if let Some(left) = grant.left {
        remarks.push(format!("left on {}", day(left)));
    }
    if grant.privileged == Some(true) {
        remarks.push("privileged".to_owned());
    }
    if let Some(kind) = grant.kind.as_ref().filter(|kind| *kind != "human") {
        remarks.push(format!("{} account", output::spoken(kind)));
    }
    if let Some(via) = grant.via.as_ref().filter(|via| *via != "direct") {
        remarks.push(format!(
            "through {via} {}",
            plain(grant.via_label.as_deref().unwrap_or("of unknown name"))
        ));
    }
    vec![
        format!("  {}", plain(&grant.system)),
        plain(&grant.account),
        grant.person.as_ref().map_or_else(|| "nobody known".to_owned(), |person| plain(person)),
        grant.role.as_ref().map_or_else(|| "not known".to_owned(), |role| plain(role)),
        day(grant.since),
        grant.until.map(|until| format!("to {}", day(until))).unwrap_or_default(),
        approved,
        reviewed,
        remarks.join(", "),
    ]
}
