//! What people decide here, entered as rows of record tables: each decision is a document of the ledger.

use std::ops::Range;

use app::{Scribe, Workspace};
use connectors::git::Conventions;
use model::{Document, Instant};

use crate::failure::Failure;
use crate::record::{tell, write};
use crate::session::derive;

pub(crate) use app::{Cell, NewRow as Row};

/// Who decides, and why: both stand in the ledger.
pub(crate) struct Because<'a> {
    pub(crate) by: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) now: Instant,
}

/// Enters rows of one table, all of them at once, and applies them. Gives their ledger entries.
pub(crate) fn decide(
    workspace: &mut Workspace,
    conventions: &Conventions,
    table: &str,
    decided: &[Row],
    because: &Because<'_>,
) -> Result<Range<u64>, Failure> {
    crate::import::table(workspace, table).map_err(Failure::of)?;
    let derive = |document: &Document<'_>| derive(document, conventions);
    let scribe = Scribe { derive: &derive, write, now: because.now };
    let entered = workspace.decide_rows(&scribe, table, decided, because.by, because.reason)?;
    tell(&entered);
    Ok(entered.entries)
}

/// A text that says something.
pub(crate) fn said(name: &str, text: &str) -> Result<String, Failure> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Failure::of(format!(
            "--{name} says nothing; write something behind it, or leave it out"
        )));
    }
    Ok(text.to_owned())
}

/// A control there is.
pub(crate) fn control(workspace: &Workspace, id: &str) -> Result<String, Failure> {
    if workspace.catalog.controls.contains_key(id) {
        return Ok(id.to_owned());
    }
    let known: Vec<&str> = workspace.catalog.controls.keys().map(String::as_str).collect();
    Err(Failure::of(format!("there is no control `{id}`; there are {}", known.join(", "))))
}

/// A ledger entry there is.
pub(crate) fn entry(workspace: &Workspace, entry: u64) -> Result<i64, Failure> {
    if entry >= workspace.size() {
        return Err(Failure::of(format!(
            "there is no ledger entry {entry} (the last one is {}); `tickmark evidence list` shows files of evidence",
            workspace.size().saturating_sub(1)
        )));
    }
    i64::try_from(entry).map_err(Failure::of)
}
