//! `tickmark freeze`, `backup`, `restore` and `ledger anchor`: evidence in a longer life.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::command::{Anchor, Days};
use crate::failure::Failure;
use crate::output::{aligned, line};
use crate::session::{Session, derive, entropy};
use app::{AppError, AssessmentQuestion, Order, Workspace};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tlog::NoteVerifier;

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
    let question = AssessmentQuestion { known_at, ..AssessmentQuestion::over(period, session.now) };
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
    let (workspace, _) = session.open_records(&place)?;
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
    // Never a new one: no backup was made with it.
    let Some((wrapping_key, key_file)) = app::existing_wrapping_key(&session.environment)? else {
        return Err(Failure::of(
            "the key that a backup was made with is not here, and without it nobody reads the evidence; put its file where it \
             was, or name it with TICKMARK_KEY_FILE",
        ));
    };
    let newest = match newest_known {
        Some(path) => {
            let path = current.join(path);
            Some(std::fs::read_to_string(&path).map_err(AppError::file("read", &path))?)
        }
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
    )
    .map_err(|error| match error {
        AppError::Ledger(ledger::Error::WrongKey) => Failure::of(format!(
            "the key in `{}` does not open the backup: it was made with another one, or `keys/ring` in it was altered; name \
             the right key's file with TICKMARK_KEY_FILE",
            key_file.display()
        )),
        other => other.into(),
    })?;
    if let Some(demo) = app::Config::read(&into.join("tickmark.toml"))?.demo {
        crate::demo::announce(&demo);
    }
    line(&format!(
        "restored {} with {size} entries; the last one says who restored it and why",
        into.display()
    ))?;
    line(&format!("next: tickmark --workspace {} verify", into.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Asks somebody outside to vouch for the checkpoint. The only connection is to the address that was named.
pub(crate) fn anchor(
    session: &Session,
    workspace: &mut Workspace,
    asked: &Anchor,
) -> Result<ExitCode, Failure> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(asked.timeout)))
        .http_status_as_error(false)
        // Whoever sends us elsewhere isn't who was named.
        .max_redirects(0)
        .build()
        .into();
    match (&asked.tsa, &asked.witness, &asked.witness_key) {
        (_, Some(url), Some(key)) => cosign(session, workspace, &agent, url, key, &asked.own),
        (Some(tsa), ..) => stamp(session, workspace, &agent, tsa, &asked.own),
        _ => Err(Failure::of(
            "nobody is named to ask; name an authority with --tsa, or a witness with --witness and --witness-key",
        )),
    }
}

fn stamp(
    session: &Session,
    workspace: &mut Workspace,
    agent: &ureq::Agent,
    tsa: &str,
    own: &[PathBuf],
) -> Result<ExitCode, Failure> {
    let mut ours = vec![];
    for path in own {
        let text = read_own(session, path)?;
        ours.extend(certificates(&text).map_err(|reason| {
            Failure::of(format!("`{}` holds no certificate: {reason}; give it as PEM", path.display()))
        })?);
    }
    let mut nonce = [0; 8];
    entropy(&mut nonce)?;
    let here = on_this_machine(tsa);
    let (anchored, external) = workspace.stamp(
        session.now,
        u64::from_le_bytes(nonce) >> 1,
        &|stamp| !here && stamp.is_external(&ours),
        &mut |request| {
            let answer =
                agent.post(tsa).header("content-type", "application/timestamp-query").send(&request[..]);
            let answer = answer.map_err(|e| {
                format!("the authority {tsa} did not answer ({e}); check its address and try again")
            })?;
            let status = answer.status();
            if !status.is_success() {
                return Err(format!(
                    "the authority {tsa} answered with status {status}; check its address and try again"
                ));
            }
            let mut bytes = vec![];
            // A token is a few kilobytes; more is no token.
            let mut body = answer.into_body().into_reader().take(1 << 20);
            body.read_to_end(&mut bytes)
                .map_err(|e| format!("the answer of {tsa} broke off ({e}); try again"))?;
            Ok(bytes)
        },
    )?;
    line(&format!(
        "the first {} entries stamped at {}; the token is {}",
        anchored.size,
        anchored.time,
        anchored.path.display()
    ))?;
    if !external {
        line(&format!("{}: this proves the format, not the time", whose("authority", here)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn cosign(
    session: &Session,
    workspace: &mut Workspace,
    agent: &ureq::Agent,
    url: &str,
    key: &str,
    own: &[PathBuf],
) -> Result<ExitCode, Failure> {
    let current = &session.environment.current;
    let named = current.join(key);
    let text = if named.is_file() { read_own(session, Path::new(key))? } else { key.to_owned() };
    let witness: NoteVerifier = text.trim().parse().map_err(|e| {
        Failure::of(format!(
            "`{key}` is neither the key of a witness nor a file that holds one ({e}); copy it as the witness's keeper gave it"
        ))
    })?;
    let mut ours = false;
    for path in own {
        let keys: Result<Vec<NoteVerifier>, _> = read_own(session, path)?.lines().map(str::parse).collect();
        let keys = keys.map_err(|e| {
            Failure::of(format!(
                "`{}` holds no keys of witnesses: {e}; give one a line, name+id+key",
                path.display()
            ))
        })?;
        ours |= keys.contains(&witness);
    }
    let here = on_this_machine(url);
    let address = format!("{}/add-checkpoint", url.trim_end_matches('/'));
    let anchored = workspace.cosign(session.now, &witness, !ours && !here, &mut |body| {
        let failed = |what: &str, e: &dyn std::fmt::Display| {
            std::io::Error::other(format!("{address} {what} ({e}); check the address and try again"))
        };
        let answer = agent.post(&address).header("content-type", "text/plain; charset=utf-8").send(body);
        let answer = answer.map_err(|e| failed("did not answer", &e))?;
        let status = answer.status().as_u16();
        let mut text = String::new();
        // A few lines; more is no witness.
        let mut body = answer.into_body().into_reader().take(1 << 16);
        body.read_to_string(&mut text)
            .map_err(|e| failed("answered something that breaks off or isn't text", &e))?;
        Ok((status, text))
    })?;
    line(&format!(
        "the first {} entries cosigned by `{}` at {}; the cosigned checkpoint is {}",
        anchored.size,
        witness.name(),
        anchored.time,
        anchored.path.display()
    ))?;
    if ours || here {
        line(&format!(
            "{}: this proves the format, not that anybody else saw the log",
            whose("witness", here && !ours)
        ))?;
    } else {
        line(&format!(
            "it proves as much as `{}` is independent of you: whoever relies on it must know its key from them",
            witness.name()
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn whose(what: &str, here: bool) -> String {
    if here { format!("the {what} is on this machine") } else { format!("the {what} is our own") }
}

fn read_own(session: &Session, path: &Path) -> Result<String, Failure> {
    let path = session.environment.current.join(path);
    Ok(std::fs::read_to_string(&path).map_err(AppError::file("read", &path))?)
}

/// Whether an address plainly is this machine's. That it isn't plain proves nothing.
pub(crate) fn on_this_machine(url: &str) -> bool {
    let Ok(uri) = url.parse::<ureq::http::Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    match host.parse::<std::net::IpAddr>() {
        Ok(address) => address.is_loopback() || address.is_unspecified(),
        Err(_) => host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost"),
    }
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
