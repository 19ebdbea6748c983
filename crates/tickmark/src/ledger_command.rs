//! `tickmark verify` and `tickmark ledger`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use app::{Anchors, AppError, KnownAnchor};
use tlog::NoteVerifier;
use verify::{Anchor, Folder, Options, Voucher};

use crate::command::LedgerCommand;
use crate::custody;
use crate::failure::Failure;
use crate::output::{self, line};
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
        let key = key(&vkey)?;
        let report = verify::log(&Folder::new(&folder), &key, Options::default())?;
        line(&format!("holds: {report}"))?;
        // The log of a data folder has its anchors beside it.
        let data = folder.join("..");
        if folder.file_name().is_some_and(|name| name == "log") && data.join("anchors").is_dir() {
            anchored(&verify::anchors(&Folder::new(&data), &key, &report)?, report.published)?;
        }
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
        line("of the anchors only the copies in data/anchors were looked at")?;
        anchored(&verify::anchors(&Folder::new(&data), &key, &log)?, log.published)?;
        return Ok(ExitCode::SUCCESS);
    };
    let evidence = verify::evidence(&Folder::new(&data), &key, &wrapping, options)?;
    line(&format!("holds: {evidence}"))?;
    anchored(&evidence.anchors, evidence.log.published)?;
    Ok(ExitCode::SUCCESS)
}

const UNANCHORED: &str = "no anchor outside this machine: whoever has the key could have written all of it at once; keep a copy \
                          of data/log/checkpoint elsewhere";

/// What the anchors prove that were found to fit, and what therefore is unproven.
fn anchored(anchors: &[Anchor], published: u64) -> Result<(), Failure> {
    let Some(newest) = verify::newest(anchors) else { return line(UNANCHORED) };
    let many = match anchors.len() {
        1 => "1 anchor fits the log".to_owned(),
        many => format!("{many} anchors fit the log"),
    };
    line(&format!("{many}: {newest}"))?;
    if newest.external == Some(false) {
        return line("it proves the format, not the time: no anchor outside this machine");
    }
    match &newest.by {
        Voucher::Witness(key) => line(&format!(
            "it is worth what that witness is independent of the keeper of this log: compare its key, {key}"
        ))?,
        Voucher::Authority => line(
            "the authority's signature was not checked: openssl ts -verify -data N.checkpoint -in N.tsr -CAfile CERTIFICATE, \
             with the files of data/anchors",
        )?,
    }
    match published.saturating_sub(newest.size) {
        0 => Ok(()),
        since => line(&format!("nobody outside has vouched for the {since} entries since")),
    }
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

/// What is remembered of the newest anchors.
fn remembered(anchors: &Anchors) -> String {
    let by = |anchor: &KnownAnchor| match &anchor.witness {
        Some(name) => format!("cosigned by the witness `{name}` at {}", anchor.time),
        None => format!("stamped by a time-stamp authority at {}", anchor.time),
    };
    match (&anchors.external, &anchors.own) {
        (Some(anchor), _) => format!("anchored outside: the first {} entries, {}", anchor.size, by(anchor)),
        (None, Some(anchor)) => format!(
            "anchored by ourselves only: the first {} entries, {}; it proves the format, not the time",
            anchor.size,
            by(anchor)
        ),
        (None, None) => UNANCHORED.to_owned(),
    }
}

fn key(path: &Path) -> Result<NoteVerifier, Failure> {
    let text = fs::read_to_string(path).map_err(AppError::file("read", path))?;
    Ok(text.trim().parse::<NoteVerifier>()?)
}

pub(crate) fn run(session: &Session, what: &LedgerCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open_records(&place)?;
    match what {
        LedgerCommand::Anchor(asked) => return custody::anchor(session, &mut workspace, asked),
        LedgerCommand::Erase { indexes, person, apart, basis, approver, yes } => {
            if !yes {
                return Err(Failure::of(
                    "erasing destroys keys for good, and copies already handed over stay with whoever has them; say --yes to go on",
                ));
            }
            let order = custody::order(session, basis.clone(), approver.clone());
            let derive = |document: &model::Document<'_>| crate::session::derive(document, &conventions);
            let erased = if person.is_empty() {
                workspace.erase(indexes.clone(), &order, &derive)?
            } else {
                workspace.erase_person(person, *apart, &order, &derive)?
            };
            let how = if erased.redacted > 0 { "replaced by redacted copies" } else { "erased" };
            line(&format!("{} documents were {how}; every proof still holds", erased.documents))?;
            line("backups of the keys made before can undo this until they expire")?;
        }
        LedgerCommand::Status { json } => {
            let status = workspace.status()?;
            let anchors = workspace.anchors()?;
            if *json {
                let mut status = serde_json::to_value(&status).map_err(Failure::of)?;
                status["anchors"] = serde_json::to_value(&anchors).map_err(Failure::of)?;
                output::document(&status)?;
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
                line(&remembered(&anchors))?;
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
            output::banner_aside();
            std::io::stdout().write_all(&workspace.document(*index)?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
