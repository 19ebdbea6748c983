//! Witnesses (c2sp.org/tlog-witness): somebody else who signs a checkpoint only if it continues the last one they signed.
//!
//! [`cosign`] is the log's side: what it sends is up to the caller's `post`, so nothing here touches the network.
//! [`Witness`] is the other side, a state machine for whoever runs a witness, an auditor for one.

use std::io;

use tlog::{
    AddCheckpoint, Algorithm, Checkpoint, Note, NoteSignature, NoteSigner, NoteVerifier, verify_consistency,
};

use crate::error::Error;
use crate::head::Head;
use crate::reader::Reader;

/// A checkpoint with a witness's signature that was checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cosigned {
    /// The checkpoint with the log's and the witness's signature, to be kept as an anchor.
    pub note: String,
    /// Size it is for: what the witness knows from now on.
    pub size: u64,
    /// Seconds since 1970 that the witness states.
    pub time: u64,
}

/// Asks a witness to sign the published checkpoint. `known` is the size it signed last, 0 if that isn't known: it then says
/// so, and is asked again. `post` sends a body to `<witness>/add-checkpoint` and gives status and body of the answer.
///
/// # Errors
/// The witness refuses, has seen a larger log (this one was rolled back, or forked), or answers nonsense.
pub fn cosign(
    reader: &Reader,
    witness: &NoteVerifier,
    known: u64,
    post: &mut dyn FnMut(&str) -> io::Result<(u16, String)>,
) -> Result<Cosigned, Error> {
    let refuse = |what: String| Error::Contradiction {
        what,
        next: "ask whoever runs the witness, and keep its answer",
    };
    let name = witness.name();
    let (checkpoint, text) = reader.checkpoint_read()?;
    let size = checkpoint.size;
    let mut old = known.min(size);
    for _ in 0..2 {
        let proof = reader.consistency_to(old, size)?;
        let request = AddCheckpoint { old, proof, checkpoint: text.clone() };
        let (status, answer) = post(&request.to_string()).map_err(Error::disk("reach the witness", name))?;
        match status {
            200 => {
                let mut note = Note::parse(text.as_bytes())?;
                let lines = answer.lines().filter_map(|line| line.parse::<NoteSignature>().ok());
                note.signatures.extend(lines.filter(|line| witness.claims(line)));
                let verified = note.verify(&[witness])?;
                let time = verified.first().map_or(0, |verified| verified.time);
                return Ok(Cosigned { note: note.to_string(), size, time });
            }
            409 => {
                let seen = answer.trim().parse::<u64>();
                let seen =
                    seen.map_err(|_| refuse(format!("the witness `{name}` answered 409 without a size")))?;
                if seen > size {
                    return Err(refuse(format!(
                        "the witness `{name}` has signed this log with {seen} entries, and it has {size}: \
                         it was rolled back or forked"
                    )));
                }
                if seen == old {
                    return Err(refuse(format!(
                        "the witness `{name}` has signed another log of {seen} entries under this name: it was forked"
                    )));
                }
                old = seen;
            }
            _ => {
                return Err(refuse(format!(
                    "the witness `{name}` refuses with status {status}: {}",
                    answer.trim()
                )));
            }
        }
    }
    Err(refuse(format!("the witness `{name}` keeps changing its mind about the size it has signed")))
}

/// What a witness answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WitnessAnswer {
    /// 200: the cosignature line.
    Cosigned(String),
    /// 400: not a request, or an older size beyond the checkpoint's.
    BadRequest(String),
    /// 403: not signed by the log.
    Unsigned,
    /// 404: no log of that name.
    UnknownLog,
    /// 409: the witness has signed this size, not the older size of the request; or another root for the same size.
    Conflict(u64),
    /// 422: the checkpoint doesn't continue what was signed.
    BadProof,
}

impl WitnessAnswer {
    /// Status of the HTTP answer.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Cosigned(_) => 200,
            Self::BadRequest(_) => 400,
            Self::Unsigned => 403,
            Self::UnknownLog => 404,
            Self::Conflict(_) => 409,
            Self::BadProof => 422,
        }
    }

    /// Media type of the HTTP answer.
    #[must_use]
    pub const fn media_type(&self) -> &'static str {
        match self {
            Self::Conflict(_) => "text/x.tlog.size",
            _ => "text/plain; charset=utf-8",
        }
    }

    /// Body of the HTTP answer.
    #[must_use]
    pub fn body(&self) -> String {
        match self {
            Self::Cosigned(line) => line.clone(),
            Self::BadRequest(why) => format!("{why}\n"),
            Self::Unsigned => "no signature by the log's key\n".into(),
            Self::UnknownLog => "this witness doesn't watch that log\n".into(),
            Self::Conflict(size) => format!("{size}\n"),
            Self::BadProof => "the checkpoint doesn't continue the last one signed\n".into(),
        }
    }
}

/// A witness: its key, the logs it watches, and per log a register with the checkpoint it signed last.
pub struct Witness {
    signer: NoteSigner,
    logs: Vec<(NoteVerifier, Box<dyn Head>)>,
}

impl Witness {
    /// A witness from its name and the seed of its key.
    ///
    /// # Errors
    /// A name that cannot be one.
    pub fn new(name: &str, seed: &[u8; 32], logs: Vec<(NoteVerifier, Box<dyn Head>)>) -> Result<Self, Error> {
        Ok(Self { signer: NoteSigner::new(name, Algorithm::CosignatureV1, seed)?, logs })
    }

    /// The witness's public key, for those who check its signatures.
    #[must_use]
    pub const fn verifier(&self) -> &NoteVerifier {
        self.signer.verifier()
    }

    /// Answers `add-checkpoint`. `now` is the time in seconds since 1970. What it signs is on the disk before it answers, and
    /// swapped against what it checked, so of two requests at once one is told of the conflict.
    ///
    /// # Errors
    /// The register; nothing was signed.
    pub fn add_checkpoint(&mut self, body: &str, now: u64) -> Result<WitnessAnswer, Error> {
        let bad = |e: tlog::Error| Ok(WitnessAnswer::BadRequest(e.to_string()));
        let request: AddCheckpoint = match body.parse() {
            Ok(request) => request,
            Err(e) => return bad(e),
        };
        let (note, checkpoint) = match Note::parse(request.checkpoint.as_bytes()) {
            Ok(note) => match note.text.parse::<Checkpoint>() {
                Ok(checkpoint) => (note, checkpoint),
                Err(e) => return bad(e),
            },
            Err(e) => return bad(e),
        };
        let Some((key, register)) = self.logs.iter_mut().find(|(key, _)| key.name() == checkpoint.origin)
        else {
            return Ok(WitnessAnswer::UnknownLog);
        };
        if note.verify(&[key]).is_err() {
            return Ok(WitnessAnswer::Unsigned);
        }
        if request.old > checkpoint.size {
            return Ok(WitnessAnswer::BadRequest("the older size is beyond the checkpoint's".into()));
        }
        let stored = register.load().map_err(Error::Head)?;
        let last = match &stored {
            Some(text) => text.parse::<Checkpoint>()?,
            None => Checkpoint { size: 0, root: tlog::EMPTY_ROOT, ..checkpoint.clone() },
        };
        if request.old != last.size || (checkpoint.size == last.size && checkpoint.root != last.root) {
            return Ok(WitnessAnswer::Conflict(last.size));
        }
        if verify_consistency(last.size, checkpoint.size, &last.root, &checkpoint.root, &request.proof)
            .is_err()
        {
            return Ok(WitnessAnswer::BadProof);
        }
        if !register.compare_and_swap(stored.as_deref(), &checkpoint.to_string()).map_err(Error::Head)? {
            let now_stored = register.load().map_err(Error::Head)?;
            let size =
                now_stored.and_then(|text| text.parse::<Checkpoint>().ok()).map_or(0, |last| last.size);
            return Ok(WitnessAnswer::Conflict(size));
        }
        Ok(WitnessAnswer::Cosigned(self.signer.sign(&note.text, now).to_string()))
    }
}
