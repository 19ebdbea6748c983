//! `tickmark verify` and `tickmark ledger`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use app::AppError;
use tlog::NoteVerifier;
use verify::{Folder, Options};

use crate::command::LedgerCommand;
use crate::custody;
use crate::failure::Failure;
use crate::output::line;
use crate::session::Session;

/// Checks a workspace, or a log folder that somebody handed over, from its bytes alone.
pub(crate) fn verify(session: &Session, path: Option<&Path>) -> Result<ExitCode, Failure> {
    let folder = match path {
        Some(path) => session.environment.current.join(path),
        None => session.place()?.folder,
    };
    let data = folder.join("data");
    if !data.is_dir() && folder.join("tickmark.toml").is_file() {
        return Err(Failure::of(format!(
            "the workspace `{}` holds no evidence yet; collect some with `tickmark check PATH-OF-A-REPOSITORY`",
            folder.display()
        )));
    }
    if !data.is_dir() {
        // A log folder: the key stands beside it, or in it no key can be trusted.
        let vkey = [folder.join("../log.vkey"), folder.join("log.vkey")].into_iter().find(|p| p.is_file());
        let Some(vkey) = vkey else {
            return Err(Failure::of(format!(
                "`{}` is no workspace, and no log.vkey lies beside it; name a workspace, or use tickmark-verify with the key you kept",
                folder.display()
            )));
        };
        let report = verify::log(&Folder::new(&folder), &key(&vkey)?, Options::default())?;
        line(&format!("holds: {report}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let key = key(&data.join("log.vkey"))?;
    let wrapping = app::existing_wrapping_key(&session.environment)?;
    let options = Options { acknowledged: Some(acknowledged(&data)?), ahead: false };
    let log = verify::log(&Folder::new(&data.join("log")), &key, options)?;
    // Read again: another process may have appended since.
    let counted = acknowledged(&data)?;
    if counted < log.published {
        return Err(Failure::of(format!(
            "{} entries are published, but `data/state.db` counts only {counted}: it is older than the log; restore both from \
             the same backup, or the newer state database",
            log.published
        )));
    }
    line(&format!("holds: {log}"))?;
    let Some((wrapping, _)) = wrapping else {
        line("the evidence itself was not opened: its key is not here (set TICKMARK_KEY_FILE)")?;
        return Ok(ExitCode::SUCCESS);
    };
    let evidence = verify::evidence(&Folder::new(&data), &key, &wrapping, options)?;
    line(&format!("holds: {evidence}"))?;
    line(
        "no anchor outside this machine: whoever has the key could have written all of it at once; keep a copy of data/log/checkpoint elsewhere",
    )?;
    Ok(ExitCode::SUCCESS)
}

/// How many entries were acknowledged. Without the database nobody could say that some are missing.
fn acknowledged(data: &Path) -> Result<u64, Failure> {
    let path = data.join("state.db");
    let gone = || {
        Failure::of(format!(
            "`{}` does not say how many entries were acknowledged; put it back from a backup, or verify the log alone: \
             tickmark verify {}",
            path.display(),
            data.join("log").display()
        ))
    };
    if !path.is_file() {
        return Err(gone());
    }
    let head = store::state::State::head(&path)?;
    head.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .and_then(|record| record["size"].as_u64())
        .ok_or_else(gone)
}

/// What stands outside this machine, and what therefore is unproven.
fn anchored(last: Option<&serde_json::Value>) -> String {
    match last {
        Some(last) if last["external"] == true => {
            format!("anchored outside: the first {} entries existed at {}", last["size"], last["time"].as_str().unwrap_or("?"))
        }
        Some(last) => format!(
            "last anchor at {} by an authority of our own: it proves the format, not the time",
            last["time"].as_str().unwrap_or("?")
        ),
        None => "no anchor outside this machine: whoever has the key could have written all of it at once; keep a copy of data/log/checkpoint elsewhere".to_owned(),
    }
}

fn key(path: &Path) -> Result<NoteVerifier, Failure> {
    let text = fs::read_to_string(path).map_err(AppError::file("read", path))?;
    Ok(text.trim().parse::<NoteVerifier>()?)
}

pub(crate) fn run(session: &Session, what: &LedgerCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    match what {
        LedgerCommand::Anchor { tsa, own } => return custody::anchor(session, &mut workspace, tsa, own),
        LedgerCommand::Erase { indexes, person, basis, approver, yes } => {
            if !yes {
                return Err(Failure::of(
                    "erasing destroys keys for good, and copies already handed over stay with whoever has them; say --yes to go on",
                ));
            }
            let order = custody::order(session, basis.clone(), approver.clone());
            let derive = |document: &model::Document<'_>| crate::session::derive(document, &conventions);
            let erased = match person {
                Some(address) => workspace.erase_person(address, &order, &derive)?,
                None => workspace.erase(indexes.clone(), &order, &derive)?,
            };
            let how = if erased.redacted > 0 { "replaced by redacted copies" } else { "erased" };
            line(&format!("{} documents were {how}; every proof still holds", erased.documents))?;
            line("backups of the keys made before can undo this until they expire")?;
        }
        LedgerCommand::Status { json } => {
            let status = workspace.status()?;
            if *json {
                line(&serde_json::to_string_pretty(&status).map_err(Failure::of)?)?;
            } else {
                line(&format!(
                    "{} entries acknowledged, {} published",
                    status.acknowledged, status.published
                ))?;
                line(&format!(
                    "records complete up to {} (generation {})",
                    status.applied, status.generation
                ))?;
                line(&format!("key {}", status.vkey))?;
                line(status.checkpoint.trim_end())?;
                line(&anchored(workspace.last_anchor()?.as_ref()))?;
            }
        }
        LedgerCommand::Proof { index, out } => {
            let (proof, leaf) = workspace.proof(*index)?;
            let out = session.environment.current.join(out);
            fs::create_dir_all(&out).map_err(AppError::file("make the folder", &out))?;
            for (name, bytes) in [("tlog-proof", proof.as_bytes()), ("leaf", &leaf)] {
                let path = out.join(format!("{index}.{name}"));
                fs::write(&path, bytes).map_err(AppError::file("write", &path))?;
                line(&path.display().to_string())?;
            }
        }
        LedgerCommand::Show { index } => {
            use std::io::Write as _;
            std::io::stdout().write_all(&workspace.document(*index)?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
