//! What a witness signs and what it refuses, by c2sp.org/tlog-witness. No network and no clock.

use tlog::{AddCheckpoint, Algorithm, Checkpoint, Note, NoteSigner, NoteVerifier, verify_consistency};

use crate::Error;
use crate::register::Register;

/// A log that is watched.
#[derive(Debug)]
struct Watched {
    origin: String,
    /// More than one where the log changed its key.
    keys: Vec<NoteVerifier>,
    register: Register,
}

/// A witness: its key, and the logs it watches.
#[derive(Debug)]
pub struct Witness {
    signer: NoteSigner,
    logs: Vec<Watched>,
}

/// What is answered, and to what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// What it comes to.
    pub outcome: Outcome,
    /// Log and size that the request names, where it could be read: for the witness's own notes.
    pub about: Option<(String, u64)>,
}

/// What a request comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// 200: the cosignature line.
    Cosigned(String),
    /// 400: not a request, or an older size beyond the checkpoint's.
    BadRequest(String),
    /// 403: not signed by the log.
    Unsigned,
    /// 404: no log of that name.
    UnknownLog,
    /// 409: the witness has signed this size, not the older size of the request.
    Stale(u64),
    /// 409: the witness has signed this very size with another root.
    OtherRoot(u64),
    /// 422: the checkpoint doesn't continue what was signed.
    BadProof,
}

impl Outcome {
    /// Status of the HTTP answer.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Cosigned(_) => 200,
            Self::BadRequest(_) => 400,
            Self::Unsigned => 403,
            Self::UnknownLog => 404,
            Self::Stale(_) | Self::OtherRoot(_) => 409,
            Self::BadProof => 422,
        }
    }

    /// Media type of the HTTP answer.
    #[must_use]
    pub const fn media_type(&self) -> &'static str {
        match self {
            Self::Stale(_) | Self::OtherRoot(_) => "text/x.tlog.size",
            _ => "text/plain; charset=utf-8",
        }
    }

    /// Body of the HTTP answer.
    #[must_use]
    pub fn body(&self) -> String {
        match self {
            Self::Cosigned(line) => line.clone(),
            Self::BadRequest(why) => format!("{why}\n"),
            Self::Unsigned => "no signature by a key of this log that the witness knows\n".into(),
            Self::UnknownLog => "this witness doesn't watch that log\n".into(),
            Self::Stale(size) | Self::OtherRoot(size) => format!("{size}\n"),
            Self::BadProof => "the checkpoint isn't shown to continue the last one signed\n".into(),
        }
    }
}

impl Witness {
    /// A witness with its key, which watches nothing yet.
    #[must_use]
    pub const fn new(signer: NoteSigner) -> Self {
        Self { signer, logs: Vec::new() }
    }

    /// Watches a log, or one more key of it. Its register must be there and in order.
    ///
    /// # Errors
    /// A key that isn't a log's, or the register.
    pub fn watch(&mut self, key: NoteVerifier, register: Register) -> Result<(), Error> {
        is_log(&key)?;
        match self.logs.iter_mut().find(|log| log.origin == key.name()) {
            Some(log) => log.keys.push(key),
            None => {
                self.logs.push(Watched { origin: key.name().to_owned(), keys: vec![key], register });
            }
        }
        Ok(())
    }

    /// Reads every register once, so that a damaged one is known before anybody asks.
    ///
    /// # Errors
    /// A register that is gone or damaged.
    pub fn check(&self) -> Result<(), Error> {
        self.logs.iter().try_for_each(|log| log.register.load(&log.origin, &log.keys).map(drop))
    }

    /// How many logs it watches.
    #[must_use]
    pub const fn watches(&self) -> usize {
        self.logs.len()
    }

    /// The witness's public key, for those who check its signatures.
    #[must_use]
    pub const fn verifier(&self) -> &NoteVerifier {
        self.signer.verifier()
    }

    /// Answers `add-checkpoint`. `now` is the time in seconds since 1970. What it signs is on the disk before it answers.
    /// Nothing else may use the same registers: whoever holds this value holds the witness's folder.
    ///
    /// # Errors
    /// The register; nothing was signed.
    pub fn add_checkpoint(&mut self, body: &str, now: u64) -> Result<Answer, Error> {
        let read = || -> Result<(AddCheckpoint, Note, Checkpoint), tlog::Error> {
            let request: AddCheckpoint = body.parse()?;
            let note = Note::parse(request.checkpoint.as_bytes())?;
            let checkpoint = note.text.parse()?;
            Ok((request, note, checkpoint))
        };
        let (request, note, checkpoint) = match read() {
            Ok(read) => read,
            Err(e) => return Ok(Answer { outcome: Outcome::BadRequest(e.to_string()), about: None }),
        };
        let about = Some((checkpoint.origin.clone(), checkpoint.size));
        let Some(log) = self.logs.iter().find(|log| log.origin == checkpoint.origin) else {
            return Ok(Answer { outcome: Outcome::UnknownLog, about });
        };
        if note.verify(&log.keys.iter().collect::<Vec<_>>()).is_err() {
            return Ok(Answer { outcome: Outcome::Unsigned, about });
        }
        let last = log.register.load(&log.origin, &log.keys)?;
        if let Some(outcome) = refusal(&request, &checkpoint, &last) {
            // Two roots for one size are two histories, whatever older size the request names.
            let two_roots = checkpoint.size == last.size && checkpoint.root != last.root;
            if two_roots || outcome == Outcome::BadProof {
                log.register.keep(body)?;
            }
            return Ok(Answer { outcome, about });
        }
        if now == 0 {
            return Err(Error::Refused("this machine's clock stands before 1970; set it".into()));
        }
        log.register.store(&request.checkpoint)?;
        let line = self.signer.sign(&note.text, now).to_string();
        Ok(Answer { outcome: Outcome::Cosigned(line), about })
    }
}

/// Why a checkpoint that the log signed isn't cosigned after `last`; nothing where it continues it.
fn refusal(request: &AddCheckpoint, checkpoint: &Checkpoint, last: &Checkpoint) -> Option<Outcome> {
    if request.old > checkpoint.size {
        return Some(Outcome::BadRequest("the older size is beyond the checkpoint's".into()));
    }
    if request.old != last.size {
        return Some(Outcome::Stale(last.size));
    }
    if checkpoint.size == last.size && checkpoint.root != last.root {
        return Some(Outcome::OtherRoot(last.size));
    }
    verify_consistency(last.size, checkpoint.size, &last.root, &checkpoint.root, &request.proof)
        .err()
        .map(|_| Outcome::BadProof)
}

/// Whether a key is one that a log signs with.
pub(crate) fn is_log(key: &NoteVerifier) -> Result<(), Error> {
    if key.algorithm() == Algorithm::Ed25519 {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "`{key}` is the key of a witness, not of a log; a log's key is what `tickmark ledger status` prints"
    )))
}
