//! Anchors: having somebody outside vouch for the published checkpoint, and keeping what they said.

use std::fs;
use std::io;
use std::path::PathBuf;

use ledger::{Kind, NewEntry, timestamp, witness};
use model::Instant;
use serde::{Deserialize, Serialize};
use tlog::{Checkpoint, Note, NoteVerifier};

use crate::error::AppError;
use crate::place::write_durably;
use crate::workspace::Workspace;

const ANCHORS: &str = "anchors";

/// An anchor that was just taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Anchored {
    /// The time it states.
    pub time: Instant,
    /// How many entries it is for.
    pub size: u64,
    /// The copy of it beside the ledger.
    pub path: PathBuf,
}

/// An anchor as the ledger keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KnownAnchor {
    /// How many entries it is for.
    pub size: u64,
    /// The time it states.
    pub time: Instant,
    /// Name of the witness; a time-stamp authority has none.
    pub witness: Option<String>,
}

/// The newest anchors, as the ledger keeps them; whether they hold is for `verify`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Anchors {
    /// By somebody who was named as somebody else.
    pub external: Option<KnownAnchor>,
    /// By a witness or authority of the operator's own.
    pub own: Option<KnownAnchor>,
}

impl Anchors {
    fn note(&mut self, anchor: KnownAnchor, external: bool) {
        let place = if external { &mut self.external } else { &mut self.own };
        if place.as_ref().is_none_or(|known| known.size <= anchor.size) {
            *place = Some(anchor);
        }
    }
}

/// What is read back of an anchor's document.
#[derive(Deserialize)]
struct Kept {
    checkpoint: String,
    time: Instant,
    external: bool,
    /// A witness's key.
    witness: Option<String>,
}

fn size_of(checkpoint: &str) -> Result<u64, AppError> {
    let note = Note::parse(checkpoint.as_bytes()).and_then(|note| note.text.parse::<Checkpoint>());
    Ok(note.map_err(ledger::Error::from)?.size)
}

impl Workspace {
    /// Has the published checkpoint time-stamped (RFC 3161). `post` sends a request's bytes to the authority and gives its
    /// answer; `external` says of the certificates in it whether the authority is somebody else. The token is kept in the
    /// ledger and beside it, for `openssl ts -verify`.
    ///
    /// # Errors
    /// No answer, or one to something else.
    pub fn stamp(
        &mut self,
        now: Instant,
        nonce: u64,
        external: &dyn Fn(&timestamp::Timestamp) -> bool,
        post: &mut dyn FnMut(Vec<u8>) -> Result<Vec<u8>, String>,
    ) -> Result<(Anchored, bool), AppError> {
        let checkpoint = self.ledger.checkpoint()?;
        let size = size_of(&checkpoint)?;
        let answer = post(timestamp::request(&checkpoint, nonce)).map_err(AppError::Other)?;
        let stamp = timestamp::read(&answer, &checkpoint, nonce)?;
        let external = external(&stamp);
        let path = self.keep_beside(&[
            (format!("{size}.checkpoint"), checkpoint.as_bytes()),
            (format!("{size}.tsr"), &stamp.answer),
        ])?;
        let entry = stamp.to_entry("tickmark", &checkpoint, external, now)?;
        self.keep_anchor(entry, KnownAnchor { size, time: stamp.time, witness: None }, external)?;
        Ok((Anchored { time: stamp.time, size, path }, external))
    }

    /// Has the published checkpoint cosigned by a witness (c2sp.org/tlog-witness). `post` sends a body to its
    /// `add-checkpoint` and gives status and body of the answer; `external` is the operator's word that the witness is
    /// somebody else's. The cosigned checkpoint is kept in the ledger and beside it, and what the witness knows is remembered.
    ///
    /// # Errors
    /// The witness doesn't answer, refuses, or has seen this log with more entries or others.
    pub fn cosign(
        &mut self,
        now: Instant,
        witness: &NoteVerifier,
        external: bool,
        post: &mut dyn FnMut(&str) -> io::Result<(u16, String)>,
    ) -> Result<Anchored, AppError> {
        let setting = format!("witness {witness}");
        let known = self.state.setting(&setting)?.and_then(|size| size.parse().ok()).unwrap_or(0);
        let cosigned = witness::cosign(&self.ledger.reader(), witness, known, post)?;
        let (size, time) = (cosigned.size, cosigned.time);
        // A crash before this is made good by the witness itself: it says what it knows.
        self.state.set_setting(&setting, Some(&size.to_string()))?;
        let path = self.keep_beside(&[
            (format!("{size}.vkey"), format!("{witness}\n").as_bytes()),
            (format!("{size}.cosigned"), cosigned.note.as_bytes()),
        ])?;
        let entry = cosigned.to_entry("tickmark", witness, external, now)?;
        let anchor = KnownAnchor { size, time, witness: Some(witness.name().to_owned()) };
        self.keep_anchor(entry, anchor, external)?;
        Ok(Anchored { time, size, path })
    }

    /// Copies for other tools. The last one is what the path is of.
    fn keep_beside(&self, files: &[(String, &[u8])]) -> Result<PathBuf, AppError> {
        let folder = self.data_folder().join("anchors");
        fs::create_dir_all(&folder).map_err(AppError::file("make the folder", &folder))?;
        let mut path = folder.clone();
        for (name, bytes) in files {
            path = folder.join(name);
            write_durably(&path, bytes, 0o644)?;
        }
        Ok(path)
    }

    fn keep_anchor(&mut self, entry: NewEntry, anchor: KnownAnchor, external: bool) -> Result<(), AppError> {
        let mut known = self.anchors()?;
        self.ledger.append(vec![entry])?;
        // A crash here leaves an anchor that `verify` reports and `ledger status` doesn't, until the next one.
        known.note(anchor, external);
        Ok(self.state.set_setting(ANCHORS, Some(&serde_json::json!(known).to_string()))?)
    }

    /// The newest anchors. They are remembered; after a restore, where nobody remembers, the ledger is asked once.
    ///
    /// # Errors
    /// The state database, or an entry that cannot be read.
    pub fn anchors(&self) -> Result<Anchors, AppError> {
        if let Some(text) = self.state.setting(ANCHORS)?
            && let Ok(known) = serde_json::from_str(&text)
        {
            return Ok(known);
        }
        let mut known = Anchors::default();
        for index in 0..self.ledger.size() {
            if self.ledger.leaf(index)?.kind != Kind::Anchor {
                continue;
            }
            let document = match self.ledger.document(index) {
                Err(ledger::Error::Erased { .. }) => continue,
                other => other?,
            };
            // Of a kind that another version wrote: nothing is said of it.
            let Ok(kept) = serde_json::from_slice::<Kept>(&document) else { continue };
            let name = kept.witness.and_then(|key| key.split('+').next().map(str::to_owned));
            let anchor = KnownAnchor { size: size_of(&kept.checkpoint)?, time: kept.time, witness: name };
            known.note(anchor, kept.external);
        }
        self.state.set_setting(ANCHORS, Some(&serde_json::json!(known).to_string()))?;
        Ok(known)
    }
}
