//! The mark of a demo: a workspace of a company that does not exist.
//!
//! It stands twice. `[demo]` in `tickmark.toml` is what a person sees; the ledger's first entry is what cannot be taken away:
//! it lies under every checkpoint, in every backup and every copy. Where the two do not agree nothing is opened, so that neither
//! a demo becomes a real workspace nor a real one a demo.

use std::fs;
use std::path::Path;

use ledger::{Kind, Ledger};
use model::{Capture, Instant};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::AppError;
use crate::place::make_durably;
use crate::workspace::{decision_receipt, new_entry};

/// The stream of the first entry of a demo's ledger.
const STREAM: &str = "demo";

/// What a demo says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demo {
    /// How many people the company has.
    pub people: usize,
    /// What its chance is drawn from.
    pub seed: u64,
    /// First day of its year.
    pub first_day: String,
    /// Last day of its year.
    pub last_day: String,
    /// The instant at which its clock stands still.
    pub today: Instant,
}

/// Makes the folder of a demo: a configuration that says so.
///
/// # Errors
/// It is a workspace already, or it cannot be written.
pub fn init_demo(folder: &Path, organisation: &str, time_zone: &str, demo: &Demo) -> Result<(), AppError> {
    let path = folder.join("tickmark.toml");
    fs::create_dir_all(folder).map_err(AppError::file("make the folder", folder))?;
    let config = Config {
        organisation: organisation.to_owned(),
        time_zone: Some(time_zone.to_owned()),
        demo: Some(demo.clone()),
        ..Config::default()
    };
    let text = toml::to_string(&config).map_err(|e| AppError::Other(e.to_string()))?;
    let text = format!(
        "# A DEMO: this company does not exist, and nothing here is evidence of anything. `tickmark demo --remove` takes it away.\n{text}"
    );
    if make_durably(&path, text.as_bytes(), 0o644)? {
        Ok(())
    } else {
        Err(AppError::Exists { path: folder.to_owned() })
    }
}

/// Puts the mark into an empty ledger, or holds the two marks against each other.
pub(crate) fn mark(
    ledger: &mut Ledger,
    config: &Config,
    folder: &Path,
    now: Instant,
) -> Result<(), AppError> {
    let file = folder.join("tickmark.toml");
    if ledger.committed() == 0 {
        if let Some(demo) = &config.demo {
            let body = serde_json::to_vec(demo).map_err(|e| AppError::Other(e.to_string()))?;
            let receipt = decision_receipt(STREAM, now);
            let decision = Capture { receipt, body };
            ledger.append(vec![new_entry(Kind::Decision, "tickmark".to_owned(), &decision)])?;
        }
        return Ok(());
    }
    let first = ledger.leaf(0)?;
    let marked = first.kind == Kind::Decision && first.stream == STREAM;
    match (&config.demo, marked) {
        (Some(_), false) => Err(AppError::Other(format!(
            "`{}` calls this workspace a demo, and its ledger is none: real evidence is never shown as simulated; take [demo] out of \
             that file",
            file.display()
        ))),
        (None, true) => Err(AppError::Other(format!(
            "the ledger in `{}` is of a demo, and can be of nothing else; put [demo] back into `{}`, or remove the folder and begin \
             with `tickmark init`",
            folder.join("data").display(),
            file.display()
        ))),
        (Some(demo), true) => {
            // Erased, it is a demo all the same.
            let document = match ledger.document(0) {
                Err(ledger::Error::Erased { .. }) => return Ok(()),
                other => other?,
            };
            let said = document.iter().position(|b| *b == b'\n').map(|end| &document[end + 1..]);
            match said.and_then(|body| serde_json::from_slice::<Demo>(body).ok()) {
                Some(said) if said == *demo => Ok(()),
                _ => Err(AppError::Other(format!(
                    "`[demo]` in `{}` says something else than the ledger's first entry; put it back as it was, or remove the demo \
                     (`tickmark demo --remove`) and make it again",
                    file.display()
                ))),
            }
        }
        (None, false) => Ok(()),
    }
}

/// The folder of the demo that nobody named, beside the workspace that nobody named.
///
/// # Errors
/// No home.
pub fn demo_folder(environment: &crate::Environment) -> Result<std::path::PathBuf, AppError> {
    Ok(crate::place::data_folder(environment).ok_or(AppError::NoHome)?.join("tickmark-demo"))
}

/// Whether the ledger of a data folder is marked as a demo's, by its bytes alone; one without an entry is, too: it holds nothing.
///
/// # Errors
/// The log does not hold.
pub fn is_marked(data: &Path) -> Result<bool, AppError> {
    let vkey = data.join("log.vkey");
    if !vkey.is_file() {
        return Ok(true);
    }
    let key = fs::read_to_string(&vkey).map_err(AppError::file("read", &vkey))?;
    let key = key.trim().parse().map_err(|e: tlog::Error| AppError::Other(e.to_string()))?;
    let folder = verify::Folder::new(&data.join("log"));
    let options = verify::Options { acknowledged: None, ahead: true };
    let log = verify::log(&folder, &key, options).map_err(|refusal| AppError::Other(refusal.to_string()))?;
    Ok(log.demo || log.published == 0)
}
