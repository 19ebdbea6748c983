//! `tickmark freeze`, `backup`, `restore` and `ledger anchor`: evidence in a longer life.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::command::Days;
use crate::failure::Failure;
use crate::output::{aligned, line};
use crate::session::{Session, derive, entropy};
use app::{AppError, AssessmentQuestion, Order, Workspace};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(crate) fn order(session: &Session, basis: String, approver: String) -> Order {
    Order { basis, approver, at: session.now }
}

pub(crate) fn freeze(
    session: &Session,
    folder: &Path,
    days: &Days,
    known_at: Option<u64>,
) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    let period = days.period(session.now, &workspace.config)?;
    let question =
        AssessmentQuestion { period, cutoff: session.now, known_at, repository: None, procedures: vec![] };
    let folder = session.environment.current.join(folder);
    let frozen = workspace.freeze(&question, &folder)?;
    let mut rows = vec![vec!["table".to_owned(), "rows".to_owned(), "row root".to_owned()]];
    rows.extend(frozen.tables.iter().map(|(name, t)| vec![name.clone(), t.rows.to_string(), t.root.clone()]));
    for row in aligned(&rows) {
        line(&row)?;
    }
    line(&format!(
        "frozen at ledger position {} into {}; entry {} names the roots",
        frozen.position,
        folder.display(),
        frozen.entry
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn backup(session: &Session, folder: &Path, keys: &Path) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (workspace, _) = session.open(&place)?;
    let current = &session.environment.current;
    let checkpoint = workspace.backup(&current.join(folder), &current.join(keys))?;
    line("backed up under this checkpoint:")?;
    line(checkpoint.trim_end())?;
    line("the wrapping key is in neither folder: without it the backup cannot be read")?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn restore(
    session: &Session,
    folder: &Path,
    keys: &Path,
    into: &Path,
    order: &Order,
    newest_known: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let current = &session.environment.current;
    let (wrapping_key, _, _) = app::wrapping_key(&session.environment, &mut entropy)?;
    let newest = match newest_known {
        Some(path) => Some(std::fs::read_to_string(path).map_err(AppError::file("read", path))?),
        None => None,
    };
    let into = current.join(into);
    let size = app::restore(
        &current.join(folder),
        &current.join(keys),
        &into,
        &wrapping_key,
        Box::new(entropy),
        order,
        newest,
    )?;
    line(&format!(
        "restored {} with {size} entries; the last one says who restored it and why",
        into.display()
    ))?;
    line(&format!("next: tickmark --workspace {} verify", into.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Asks a time-stamping authority. The only connection is to the address that was named.
pub(crate) fn anchor(
    session: &Session,
    workspace: &mut Workspace,
    tsa: &str,
    own: &[PathBuf],
) -> Result<ExitCode, Failure> {
    let mut ours = vec![];
    for path in own {
        let text = std::fs::read_to_string(path).map_err(AppError::file("read", path))?;
        ours.extend(certificates(&text).map_err(|reason| {
            Failure::of(format!("`{}` holds no certificate: {reason}; give it as PEM", path.display()))
        })?);
    }
    let mut nonce = [0; 8];
    entropy(&mut nonce)?;
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(60))).build().into();
    let (time, external, path) =
        workspace.anchor(session.now, u64::from_le_bytes(nonce) >> 1, &ours, &mut |request| {
            let answer = agent
                .post(tsa)
                .header("content-type", "application/timestamp-query")
                .send(&request[..])
                .map_err(|e| {
                    format!("the authority {tsa} did not answer ({e}); check its address and try again")
                })?;
            let mut bytes = vec![];
            // A token is a few kilobytes; more is no token.
            let mut body = answer.into_body().into_reader().take(1 << 20);
            body.read_to_end(&mut bytes)
                .map_err(|e| format!("the answer of {tsa} broke off ({e}); try again"))?;
            Ok(bytes)
        })?;
    line(&format!("stamped at {time}; the token is {}", path.display()))?;
    if !external {
        line("the authority is our own: this proves the format, not the time")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The certificates of a PEM text, DER.
fn certificates(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut found = vec![];
    for part in text.split("-----BEGIN CERTIFICATE-----").skip(1) {
        let body = part.split("-----END CERTIFICATE-----").next().unwrap_or("");
        let digits: String = body.split_whitespace().collect();
        found.push(STANDARD.decode(digits).map_err(|e| e.to_string())?);
    }
    if found.is_empty() { Err("it has no CERTIFICATE block".to_owned()) } else { Ok(found) }
}
