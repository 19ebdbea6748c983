//! Witnesses (c2sp.org/tlog-witness), the log's side: somebody else signs the checkpoint, who does so only if it continues
//! the last one they signed.
//!
//! What is sent is up to the caller's `post`, so nothing here touches the network. The other side is the crate `witness`.

use std::io;

use model::Instant;
use serde::Serialize;
use tlog::{AddCheckpoint, Algorithm, Note, NoteSignature, NoteVerifier};

use crate::error::Error;
use crate::leaf::NewEntry;
use crate::reader::Reader;
use crate::timestamp::anchor_entry;

/// A checkpoint with a witness's signature that was checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cosigned {
    /// The checkpoint with the log's and the witness's signature, to be kept as an anchor.
    pub note: String,
    /// Size it is for: what the witness knows from now on.
    pub size: u64,
    /// The time that the witness states.
    pub time: Instant,
}

impl Cosigned {
    /// The entry that keeps it. `external` says whether the witness is somebody else's, as far as the caller knows.
    ///
    /// # Errors
    /// Never for a note and a key.
    pub fn to_entry(
        &self,
        source: &str,
        witness: &NoteVerifier,
        external: bool,
        at: Instant,
    ) -> Result<NewEntry, Error> {
        #[derive(Serialize)]
        struct Kept<'a> {
            r#type: &'static str,
            checkpoint: &'a str,
            time: Instant,
            external: bool,
            witness: String,
        }
        let (checkpoint, witness) = (self.note.as_str(), witness.to_string());
        let kept = Kept { r#type: "cosignature/v1", checkpoint, time: self.time, external, witness };
        anchor_entry(&kept, source, at)
    }
}

const ASK: &str = "ask whoever runs the witness, and keep its answer";
const FORKED: &str =
    "find out which history is the true one before you go on: whoever runs the witness keeps the other";
const ROLLED_BACK: &str = "find out who put an older copy of this workspace in its place, and put the newer one back: \
                           whoever runs the witness keeps the newer checkpoint";

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
    let refuse = |what: String, next: &'static str| Error::Contradiction { what, next };
    let name = witness.name();
    if witness.algorithm() != Algorithm::CosignatureV1 {
        return Err(refuse(
            format!("`{witness}` is the key of a log, not of a witness"),
            "name the key that the witness's keeper gave you",
        ));
    }
    let (checkpoint, text) = reader.checkpoint_read()?;
    let size = checkpoint.size;
    let mut old = known.min(size);
    for _ in 0..2 {
        let proof = reader.consistency_to(old, size)?;
        let request = AddCheckpoint { old, proof, checkpoint: text.clone() };
        let (status, answer) = post(&request.to_string()).map_err(Error::disk("reach the witness", name))?;
        match status {
            200 => return cosigned(&text, size, witness, &answer),
            409 => {
                // The specification ends the number with a line feed; leniency here costs nothing.
                let seen = answer.trim().parse::<u64>().map_err(|_| {
                    refuse(
                        format!("the witness `{name}` answered 409 without a size: {}", shown(&answer)),
                        ASK,
                    )
                })?;
                if seen > size {
                    return Err(refuse(
                        format!(
                            "the witness `{name}` has signed this log with {seen} entries, and it has {size}: \
                             it was rolled back or forked"
                        ),
                        ROLLED_BACK,
                    ));
                }
                if seen == size && old == size {
                    return Err(refuse(
                        format!(
                            "the witness `{name}` has signed another log of {seen} entries under this name: it was forked"
                        ),
                        FORKED,
                    ));
                }
                if seen == old {
                    break;
                }
                old = seen;
            }
            422 => {
                return Err(refuse(
                    format!(
                        "the witness `{name}` has signed {old} entries of this log that aren't its first {old} now: \
                         its history was rewritten, or it was forked"
                    ),
                    FORKED,
                ));
            }
            404 => {
                return Err(refuse(
                    format!(
                        "the witness `{name}` doesn't watch this log, or that is not its address (404: {})",
                        shown(&answer)
                    ),
                    "check the address, and give whoever runs the witness the key that `tickmark ledger status` prints",
                ));
            }
            403 => {
                return Err(refuse(
                    format!("the witness `{name}` knows this log by another key (403: {})", shown(&answer)),
                    "give whoever runs it the key that `tickmark ledger status` prints",
                ));
            }
            500.. => {
                return Err(refuse(
                    format!("the witness `{name}` cannot sign now (status {status}: {})", shown(&answer)),
                    "try again later, or ask whoever runs it",
                ));
            }
            _ => {
                return Err(refuse(
                    format!("the witness `{name}` refuses with status {status}: {}", shown(&answer)),
                    ASK,
                ));
            }
        }
    }
    Err(refuse(format!("the witness `{name}` keeps changing its mind about the size it has signed"), ASK))
}

/// The checkpoint with the signature that the witness answered, if that is one.
fn cosigned(text: &str, size: u64, witness: &NoteVerifier, answer: &str) -> Result<Cosigned, Error> {
    let name = witness.name();
    let nothing = |why: String| Error::Contradiction {
        what: format!("the answer holds no signature by the witness `{name}` over this checkpoint: {why}"),
        next: "check that the address is the witness's, and that the key is the one its keeper gave you",
    };
    let mut note = Note::parse(text.as_bytes())?;
    let mut lines = answer.lines().filter_map(|line| line.parse::<NoteSignature>().ok());
    // Other keys' signatures are ignored, as the specification asks.
    let line = lines.find(|line| witness.claims(line)).ok_or_else(|| nothing(shown(answer)))?;
    note.signatures.push(line);
    let verified = note.verify(&[witness]).map_err(|e| nothing(e.to_string()))?;
    let seconds = verified.first().map_or(0, |verified| verified.time);
    // No witness cosigns at the epoch, or after the year 9999.
    let time = i64::try_from(seconds).ok().map(Instant::from_seconds);
    let time = time.filter(|time| seconds > 0 && *time < Instant::FOREVER);
    let time = time.ok_or_else(|| nothing(format!("{seconds} seconds since 1970 is no time to sign at")))?;
    Ok(Cosigned { note: note.to_string(), size, time })
}

/// The beginning of what somebody else answered, on one line and without what would steer a terminal.
fn shown(answer: &str) -> String {
    const MOST: usize = 100;
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let line: String = answer.trim().chars().take(MOST).map(|c| if steers(c) { ' ' } else { c }).collect();
    match (line.is_empty(), answer.trim().chars().count() > MOST) {
        (true, _) => "nothing".to_owned(),
        (false, true) => format!("`{line}…`"),
        (false, false) => format!("`{line}`"),
    }
}
