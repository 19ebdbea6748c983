//! `tickmark evidence`: files that are evidence for a control, kept byte for byte with what they cover.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use app::{AppError, EVIDENCE, Entered, Workspace};
use clap::Subcommand;
use model::{Capture, Document, Fact, FactValue, Instant, Receipt, Window};
use serde_json::{Map, Value as Json, json};

use crate::failure::Failure;
use crate::import::{hex, sha256, window};
use crate::output::{aligned, line, plain};
use crate::query::NewFile;
use crate::record::{Said, row, shown};
use crate::session::{Session, derive};

#[derive(Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Keep a file: a policy, a report, minutes, a screenshot
    Add {
        /// The file, up to 100 MB
        file: PathBuf,
        /// The control it is evidence for
        #[arg(long, value_name = "ID")]
        control: String,
        /// What it speaks of: an instant, a day, or a window; days or instants
        #[arg(long, value_name = "INSTANT|FROM..TO")]
        covers: String,
        /// What people call it (default: the file's name)
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
        /// Who adds it, as a pseudonym
        #[arg(long, value_name = "WHO")]
        by: Option<String>,
    },
    /// List what there is, with the time between what a file covers and its coming here
    List {
        /// Only of this control
        #[arg(long, value_name = "ID")]
        control: Option<String>,
    },
    /// Write a file out again, the same bytes
    Get {
        /// Its number in the list
        id: u64,
        /// A new file to write to
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

const BYTES: u64 = 100 << 20;
const TABLE: &str = "evidence_file";

pub(crate) fn run(session: &Session, what: &EvidenceCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    match what {
        EvidenceCommand::Add { file, control, covers, title, by } => {
            let path = session.environment.current.join(file);
            if !workspace.catalog.controls.contains_key(control) {
                let known: Vec<&str> = workspace.catalog.controls.keys().map(String::as_str).collect();
                return Err(Failure::of(format!(
                    "there is no control `{control}`; there are {}",
                    known.join(", ")
                )));
            }
            let tz = workspace.config.zone(None);
            let covers = window(covers, &tz, session.now)?;
            let bytes = read(&path)?;
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let label = title.as_deref().unwrap_or(&name);
            let file = Added { bytes, label, control, covers, by: by.as_deref() };
            workspace.catch_up(&|document| derive(document, &conventions))?;
            if let Some(there) = file.there(&workspace)? {
                line(&format!("it is there already, as {there}; nothing was appended"))?;
                return Ok(ExitCode::SUCCESS);
            }
            let id = workspace.size();
            let captures = file.captures(&workspace, id, session.now)?;
            let entries = workspace.decide(&captures)?;
            if entries.start != id {
                return Err(Failure::of(format!(
                    "another program wrote to this ledger; look at `tickmark ledger show {id}`"
                )));
            }
            workspace.catch_up(&|document| derive(document, &conventions))?;
            line(&format!(
                "added {} as {id}: {} bytes, SHA-256 {}, {}",
                plain(label),
                file.bytes.len(),
                hex(&sha256(&file.bytes)),
                lag(session.now, covers.to)
            ))?;
        }
        EvidenceCommand::List { control } => {
            let mut rows = vec![];
            for (entered, fact) in listed(&workspace)? {
                let value = |name: &str| value(&fact, name);
                if control.as_deref().is_some_and(|c| FactValue::from(c) != value("control")) {
                    continue;
                }
                let at = |name: &str| match value(name) {
                    FactValue::Integer(ms) => Instant::from_ms(ms),
                    _ => Instant::BEGINNING,
                };
                let (from, to) = (at("covers_from"), at("covers_to"));
                let covers = if from == to { from.to_string() } else { format!("{from}..{to}") };
                rows.push(vec![
                    fact.about.key.clone(),
                    shown(&value("control")),
                    covers,
                    lag(entered.receipt.collected_at, to),
                    format!("{} bytes", shown(&value("size"))),
                    plain(&shown(&value("label"))),
                ]);
            }
            for row in aligned(&rows) {
                line(row.trim_end())?;
            }
            if rows.is_empty() {
                line("no evidence was added yet; add a file with `tickmark evidence add`")?;
            }
        }
        EvidenceCommand::Get { id, out } => {
            let bytes = workspace.evidence(*id)?;
            let row = listed(&workspace)?.into_iter().find(|(_, fact)| fact.about.key == id.to_string());
            let hash = row.map(|(_, fact)| value(&fact, "hash"));
            if hash != Some(hex(&sha256(&bytes)).into()) {
                return Err(Failure::of(format!(
                    "the bytes of {id} are not those that were added; nothing was written; run `tickmark verify`"
                )));
            }
            let mut file = NewFile::create(&session.environment.current.join(out))?;
            file.file.write_all(&bytes).map_err(AppError::file("write", out))?;
            let path = file.keep()?;
            line(&format!("{} bytes are in {}", bytes.len(), path.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A file that is being added.
struct Added<'a> {
    bytes: Vec<u8>,
    label: &'a str,
    control: &'a str,
    covers: Window,
    by: Option<&'a str>,
}

impl Added<'_> {
    /// The number under which the same file is there for the same control and time.
    fn there(&self, workspace: &Workspace) -> Result<Option<String>, Failure> {
        let same = |fact: &Fact| {
            value(fact, "hash") == hex(&sha256(&self.bytes)).into()
                && value(fact, "control") == self.control.into()
                && value(fact, "covers_from") == self.covers.from.into()
                && value(fact, "covers_to") == self.covers.to.into()
        };
        Ok(listed(workspace)?.into_iter().find(|(_, fact)| same(fact)).map(|(_, fact)| fact.about.key))
    }

    /// The file, and the row that names it.
    fn captures(&self, workspace: &Workspace, id: u64, now: Instant) -> Result<[Capture; 2], Failure> {
        let Some(table) = workspace.catalog.table(TABLE) else {
            return Err(Failure::of(format!(
                "the content has no table `{TABLE}`; take it back from the built-in content"
            )));
        };
        let mut mapping = format!("table = \"{TABLE}\"\nkey = \"key\"\n[columns]\n");
        let mut body = Map::from_iter([("key".to_owned(), Json::from(id.to_string()))]);
        for (name, text) in [
            ("control", self.control.to_owned()),
            ("label", self.label.to_owned()),
            ("covers_from", self.covers.from.to_string()),
            ("covers_to", self.covers.to.to_string()),
            ("size", self.bytes.len().to_string()),
            ("hash", hex(&sha256(&self.bytes))),
        ] {
            mapping.push_str(&format!("{name} = \"{name}\"\n"));
            body.insert(name.to_owned(), text.into());
        }
        let said = Said { reason: "evidence", by: self.by, covers: None, of: &[] };
        let named = row(table, &mapping, &body, &said, now)?;
        let file = Capture {
            receipt: Receipt {
                stream: EVIDENCE.to_owned(),
                media_type: "application/octet-stream".to_owned(),
                collector: "evidence/1".to_owned(),
                request: format!("a file added for {}", self.control),
                context: json!({ "label": self.label }),
                ..named.receipt.clone()
            },
            body: self.bytes.clone(),
        };
        Ok([file, named])
    }
}

/// Every file there is, with the row that names it.
fn listed(workspace: &Workspace) -> Result<Vec<(Entered, Fact)>, Failure> {
    let mut all = vec![];
    for entered in workspace.entered(&format!("decision.{TABLE}"))? {
        let document = Document { receipt: entered.receipt.clone(), body: &entered.body };
        let fact = connectors::import::derive(&document).facts.into_iter().next();
        all.extend(fact.map(|fact| (entered, fact)));
    }
    Ok(all)
}

fn value(fact: &Fact, name: &str) -> FactValue {
    fact.values.iter().find(|(n, _)| *n == name).map_or(FactValue::Null, |(_, value)| value.clone())
}

/// How long after what it covers a file came: what was gathered late was gathered knowing what would be asked.
fn lag(collected_at: Instant, covers_to: Instant) -> String {
    let minutes = (collected_at.ms() - covers_to.ms()).max(0) / 60_000;
    match (minutes / 1440, minutes / 60, minutes) {
        (0, 0, minutes) => format!("{minutes} min after"),
        (0, hours, _) => format!("{hours} h after"),
        (days, ..) => format!("{days} d after"),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let refused = |why: &str| Err(Failure::of(format!("`{}` {why}", path.display())));
    let about = std::fs::metadata(path).map_err(AppError::file("read", path))?;
    if !about.is_file() {
        return refused("is no file; name one, or pack a folder into an archive");
    }
    if about.len() > BYTES {
        return refused("is larger than 100 MB; split it, or keep what matters of it");
    }
    let bytes = std::fs::read(path).map_err(AppError::file("read", path))?;
    if bytes.is_empty() {
        return refused("is empty: it is evidence of nothing; see that it was saved");
    }
    match harm(&path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default(), &bytes) {
        Some(why) => refused(why),
        None => Ok(bytes),
    }
}

/// Why whoever opens a file could run something by it. What lies in an archive is not looked at.
fn harm(extension: &str, bytes: &[u8]) -> Option<&'static str> {
    let holds = |word: &[u8]| bytes.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word));
    let wide = |word: &str| word.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let macros =
        matches!(extension, "docm" | "dotm" | "xlsm" | "xltm" | "xlam" | "pptm" | "potm" | "ppsm" | "ppam")
            || (bytes.starts_with(b"PK\x03\x04") && holds(b"vbaProject.bin"))
            || (bytes.starts_with(b"\xd0\xcf\x11\xe0") && holds(&wide("_VBA_PROJECT")));
    if macros {
        return Some(
            "holds macros, which would run where an auditor opens it; save it without them (.docx, .xlsx) or as PDF",
        );
    }
    let programs = ["exe", "dll", "com", "scr", "msi", "bat", "cmd", "ps1", "vbs", "jar", "app"];
    let magic: [&[u8]; 7] = [
        b"\x7fELF",
        b"MZ",
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
    ];
    (programs.contains(&extension) || magic.iter().any(|m| bytes.starts_with(m)) || bytes.starts_with(b"#!")).then_some(
        "is a program, which would run where an auditor opens it; add what it printed, or a picture of it, or its text as PDF",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_run_is_refused_by_its_bytes() {
        let check = |extension, bytes: &[u8], expect: Option<&str>| {
            let said = harm(extension, bytes);
            assert_eq!(said.is_some(), expect.is_some(), "{extension} {said:?}");
            assert!(said.is_none_or(|s| s.contains(expect.unwrap_or_default())), "{said:?}");
        };
        check("pdf", b"%PDF-1.7", None);
        check("docx", b"PK\x03\x04..word/document.xml", None);
        check("docx", b"PK\x03\x04..word/vbaProject.bin", Some("macros"));
        check("xlsm", b"PK\x03\x04", Some("macros"));
        check("xls", b"\xd0\xcf\x11\xe0..W\0o\0r\0k", None);
        check("xls", b"\xd0\xcf\x11\xe0.._\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0", Some("macros"));
        check("txt", b"vbaProject.bin is refused", None);
        check("pdf", b"MZ\x90\0", Some("program"));
        check("", b"\x7fELF", Some("program"));
        check("txt", b"#!/bin/sh\n", Some("program"));
        check("BAT".to_lowercase().as_str(), b"echo", Some("program"));
    }

    #[test]
    fn the_lag_is_told_in_its_largest_whole_unit() {
        let at = Instant::from_ms(10 * 86_400_000);
        for (before, expect) in [
            (0, "0 min after"),
            (3_600_000, "1 h after"),
            (86_400_000 * 3 + 1, "3 d after"),
            (-5, "0 min after"),
        ] {
            assert_eq!(lag(at, Instant::from_ms(at.ms() - before)), expect);
        }
    }
}
