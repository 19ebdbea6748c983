//! Anchors: what somebody outside said of a checkpoint of this log. Each is checked from its bytes: that it is over a
//! checkpoint that the log's key signed, and that the log still begins with the entries that checkpoint was for. A log that
//! was rolled back, or whose history was rewritten, contradicts its anchors.
//!
//! What cannot be seen from bytes: whether a witness is somebody else's. Whoever knows its key can say. And of a time stamp
//! only form and imprint are checked here; the authority's signature is for `openssl ts -verify` and its certificate.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Instant;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tlog::{Algorithm, Checkpoint, Edge, Hash, Note, NoteVerifier, Tile};

use crate::Refusal;
use crate::files::{Files, Within, list, read};
use crate::log::{LogReport, Options, log};

/// An anchor that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Where it is kept: an entry, or a file.
    pub place: String,
    /// How many entries it vouches for: the first ones.
    pub size: u64,
    /// When they existed at the latest, by its word.
    pub time: Instant,
    /// Whose word that is.
    pub by: Voucher,
    /// Whether the log's keeper says that it is somebody else's; `None` where nothing is said.
    pub external: Option<bool>,
}

/// Who vouches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Voucher {
    /// A time-stamp authority (RFC 3161), whose signature wasn't checked.
    Authority,
    /// A witness by its key, whose signature fits.
    Witness(Box<NoteVerifier>),
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, time, .. } = self;
        match &self.by {
            Voucher::Authority => {
                write!(f, "the first {size} entries were stamped by a time-stamp authority at {time}")?;
            }
            Voucher::Witness(key) => {
                write!(
                    f,
                    "the first {size} entries were cosigned by the witness `{}` at {time}",
                    key.name()
                )?;
            }
        }
        match self.external {
            Some(true) => write!(f, ", somebody else by the keeper's word"),
            Some(false) => write!(f, ", of the keeper's own making"),
            None => Ok(()),
        }
    }
}

/// The anchor that says most: one that is said to be somebody else's before one that isn't, then the one for the most
/// entries, then the earliest.
#[must_use]
pub fn newest(anchors: &[Anchor]) -> Option<&Anchor> {
    anchors.iter().max_by_key(|a| (a.external == Some(true), a.size, std::cmp::Reverse(a.time)))
}

/// Verifies a log folder as [`crate::log`] does, and that it continues a checkpoint that somebody kept, with the signatures
/// on it of all these witnesses and the time stamps over it. With neither it is [`crate::grow`].
///
/// # Errors
/// The first thing that doesn't hold.
pub fn anchor(
    note: &[u8],
    files: &dyn Files,
    key: &NoteVerifier,
    witnesses: &[NoteVerifier],
    stamps: &[Vec<u8>],
    options: Options,
) -> Result<(LogReport, Vec<Anchor>), Refusal> {
    const PLACE: &str = "the checkpoint";
    let report = log(files, key, options)?;
    let checkpoint = signed(PLACE, note, key)?;
    continues(PLACE, &checkpoint, files, &report)?;
    let mut anchors = Vec::new();
    let mut push = |time, by| {
        anchors.push(Anchor { place: PLACE.into(), size: checkpoint.size, time, by, external: None });
    };
    for witness in witnesses {
        push(cosigned(PLACE, note, key, witness)?, Voucher::Witness(Box::new(witness.clone())));
    }
    for stamp in stamps {
        push(stamped(PLACE, stamp, note)?, Voucher::Authority);
    }
    Ok((report, anchors))
}

/// Verifies the copies of anchors that lie in `anchors/` of a data folder whose log was verified: they can be read without
/// a key to the evidence. Files of other names are nobody's claim.
///
/// # Errors
/// The first one that is damaged, of another log, or contradicts the log.
pub fn anchors(data: &dyn Files, key: &NoteVerifier, log: &LogReport) -> Result<Vec<Anchor>, Refusal> {
    Ok(copies(data, key, log)?.into_iter().map(|kept| kept.anchor).collect())
}

/// An anchor with the bytes that somebody else gave.
pub(crate) struct Kept {
    pub(crate) anchor: Anchor,
    bytes: Vec<u8>,
}

pub(crate) fn copies(data: &dyn Files, key: &NoteVerifier, log: &LogReport) -> Result<Vec<Kept>, Refusal> {
    let mut paths: Vec<String> =
        list(data)?.into_iter().filter(|path| path.starts_with("anchors/")).collect();
    paths.sort();
    let mut kept = Vec::new();
    for path in paths {
        let Some((stem, extension)) = path.rsplit_once('.') else { continue };
        let (note, by) = match extension {
            // A checkpoint on its own vouches for no time, but must not contradict the log either.
            "checkpoint" | "cosigned" => (read(data, &path)?, extension),
            "tsr" => (read(data, &format!("{stem}.checkpoint"))?, extension),
            _ => continue,
        };
        let checkpoint = signed(&path, &note, key)?;
        continues(&path, &checkpoint, &Within(data, "log/"), log)?;
        let (time, by, bytes) = match by {
            "tsr" => {
                let answer = read(data, &path)?;
                (stamped(&path, &answer, &note)?, Voucher::Authority, answer)
            }
            "cosigned" => {
                let vkey = format!("{stem}.vkey");
                let witness = String::from_utf8_lossy(&read(data, &vkey)?).trim().parse();
                let witness = witness.map_err(Refusal::form(&vkey))?;
                (cosigned(&path, &note, key, &witness)?, Voucher::Witness(Box::new(witness)), note)
            }
            _ => continue,
        };
        let anchor = Anchor { place: path, size: checkpoint.size, time, by, external: None };
        kept.push(Kept { anchor, bytes });
    }
    Ok(kept)
}

/// Joins the anchors of the ledger with the copies beside it: a copy must be one.
pub(crate) fn join(entries: Vec<Kept>, copies: Vec<Kept>) -> Result<Vec<Anchor>, Refusal> {
    let mut anchors: Vec<Anchor> = Vec::new();
    for copy in copies {
        let alike = |kept: &&Kept| {
            let same =
                matches!(kept.anchor.by, Voucher::Authority) == matches!(copy.anchor.by, Voucher::Authority);
            same && kept.anchor.size == copy.anchor.size
        };
        let mut of_ledger = entries.iter().filter(alike).peekable();
        match of_ledger.peek() {
            // A crash came between the copy and the entry.
            None => anchors.push(copy.anchor),
            Some(kept) => {
                let place = kept.anchor.place.clone();
                if !of_ledger.any(|kept| kept.bytes == copy.bytes) {
                    return Err(bad(
                        &copy.anchor.place,
                        format!("it isn't the one that {place} of the ledger keeps"),
                    ));
                }
            }
        }
    }
    anchors.extend(entries.into_iter().map(|kept| kept.anchor));
    Ok(anchors)
}

/// The document of an `anchor` entry.
#[derive(Deserialize)]
struct Document {
    r#type: String,
    checkpoint: String,
    time: Instant,
    external: bool,
    /// Of a time stamp.
    answer: Option<String>,
    /// Of a cosignature.
    witness: Option<String>,
}

/// Checks the anchor that an entry keeps.
pub(crate) fn entry(
    index: u64,
    document: &[u8],
    files: &dyn Files,
    key: &NoteVerifier,
    log: &LogReport,
) -> Result<Kept, Refusal> {
    let place = format!("entry {index}");
    let bad = |why: String| bad(&place, why);
    let kept: Document =
        serde_json::from_slice(document).map_err(|e| bad(format!("it cannot be read: {e}")))?;
    let note = kept.checkpoint.as_bytes();
    let checkpoint = signed(&place, note, key)?;
    if checkpoint.size > index {
        return Err(bad(format!("it is for {} entries, and only {index} stood before it", checkpoint.size)));
    }
    continues(&place, &checkpoint, files, log)?;
    let (time, by, bytes) = match (kept.r#type.as_str(), kept.answer, kept.witness) {
        ("rfc3161", Some(answer), _) => {
            let answer = STANDARD.decode(answer).map_err(|e| bad(format!("its answer isn't base64: {e}")))?;
            (stamped(&place, &answer, note)?, Voucher::Authority, answer)
        }
        ("cosignature/v1", _, Some(witness)) => {
            let witness: NoteVerifier = witness.parse().map_err(|e: tlog::Error| bad(e.to_string()))?;
            (cosigned(&place, note, key, &witness)?, Voucher::Witness(Box::new(witness)), note.to_vec())
        }
        (other, ..) => {
            return Err(bad(format!(
                "it is of a kind that this verifier doesn't know: `{}`",
                other.escape_debug()
            )));
        }
    };
    if time != kept.time {
        return Err(bad(format!("it says {}, and what it rests on says {time}", kept.time)));
    }
    let anchor = Anchor { place, size: checkpoint.size, time, by, external: Some(kept.external) };
    Ok(Kept { anchor, bytes })
}

const CONTRADICTION: &str = "keep both as they are, and find out who put which in its place";

fn bad(place: &str, why: impl Into<String>) -> Refusal {
    Refusal::Anchor { place: place.to_owned(), why: why.into() }
}

/// The checkpoint of a note, signed by this log's key.
fn signed(place: &str, note: &[u8], key: &NoteVerifier) -> Result<Checkpoint, Refusal> {
    let of_another = |checkpoint: &Checkpoint| checkpoint.origin != key.name();
    match Note::parse(note).and_then(|note| note.text.parse::<Checkpoint>()) {
        Ok(checkpoint) if of_another(&checkpoint) => Err(bad(
            place,
            format!("it is of the log `{}`, and this one is `{}`", checkpoint.origin, key.name()),
        )),
        _ => Checkpoint::open(note, key).map_err(|e| bad(place, e.to_string())),
    }
}

/// The time of a witness's signature over a note.
fn cosigned(
    place: &str,
    note: &[u8],
    log: &NoteVerifier,
    witness: &NoteVerifier,
) -> Result<Instant, Refusal> {
    if witness.algorithm() != Algorithm::CosignatureV1 || witness.name() == log.name() {
        return Err(bad(place, format!("`{witness}` is no key of a witness")));
    }
    let verified =
        Note::parse(note).and_then(|note| note.verify(&[witness])).map_err(|e| bad(place, e.to_string()))?;
    // 0 says that no time is stated.
    let seconds = verified.first().map(|verified| verified.time).filter(|seconds| *seconds > 0);
    let time = seconds.and_then(|seconds| i64::try_from(seconds).ok()).map(Instant::from_seconds);
    time.filter(|time| *time < Instant::FOREVER).ok_or_else(|| bad(place, "its cosignature states no time"))
}

/// The log begins with the entries that a checkpoint is for.
fn continues(
    place: &str,
    checkpoint: &Checkpoint,
    files: &dyn Files,
    log: &LogReport,
) -> Result<(), Refusal> {
    let size = checkpoint.size;
    if size > log.published {
        return Err(bad(
            place,
            format!(
                "it is for {size} entries, and the log has {}: the log was rolled back, or this is another history of it; {CONTRADICTION}",
                log.published
            ),
        ));
    }
    if root_at(files, size, log.published)? != checkpoint.root {
        return Err(bad(
            place,
            format!(
                "the first {size} entries of the log aren't the ones it is for: the history was rewritten"
            ),
        ));
    }
    Ok(())
}

/// What `Edge::load` may fail with, as it wants it.
struct Unread(Refusal);

impl From<tlog::Error> for Unread {
    fn from(error: tlog::Error) -> Self {
        Self(Refusal::form("tile")(error))
    }
}

/// The root that a verified log had at an earlier size, out of its tiles: what is a partial tile then is the beginning of a
/// tile now.
fn root_at(files: &dyn Files, size: u64, published: u64) -> Result<Hash, Refusal> {
    let edge = Edge::load(size, |then| {
        let now = Tile::of(then.level, then.index, published).unwrap_or(then);
        let mut bytes = read(files, &now.path()).map_err(Unread)?;
        bytes.truncate(usize::from(then.width) * 32);
        Ok::<_, Unread>(bytes)
    });
    Ok(edge.map_err(|Unread(refusal)| refusal)?.root())
}

const SEQUENCE: u8 = 0x30;
/// SHA-256, 2.16.840.1.101.3.4.2.1.
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// A DER value: its tag and its content.
type Value<'a> = (u8, &'a [u8]);

/// The values that lie one after the other in some bytes, all of them.
fn values(mut bytes: &[u8]) -> Option<Vec<Value<'_>>> {
    let mut found = Vec::new();
    while let [tag, first, rest @ ..] = bytes {
        let (length, rest) = match *first {
            short @ 0..=0x7f => (usize::from(short), rest),
            long => {
                let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
                // DER: as few digits as there can be, and no endless form.
                if digits.is_empty() || digits.len() > 4 || digits[0] == 0 {
                    return None;
                }
                let length = digits.iter().fold(0, |n, digit| n << 8 | usize::from(*digit));
                (Some(length).filter(|length| *length > 0x7f)?, rest)
            }
        };
        let (content, after) = rest.split_at_checked(length)?;
        found.push((*tag, content));
        bytes = after;
    }
    bytes.is_empty().then_some(found)
}

/// Goes into nested values: at each step the place, and the tag that must be there.
fn at<'a>(bytes: &'a [u8], path: &[(usize, u8)]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |bytes, (place, tag)| {
        let (found, content) = *values(bytes)?.get(*place)?;
        (found == *tag).then_some(content)
    })
}

/// The time of a time stamp (RFC 3161 `TimeStampResp`) over these bytes.
fn stamped(place: &str, answer: &[u8], stamped: &[u8]) -> Result<Instant, Refusal> {
    const INTEGER: u8 = 0x02;
    const OCTETS: u8 = 0x04;
    const OID: u8 = 0x06;
    const TIME: u8 = 0x18;
    const CONTEXT: u8 = 0xa0;
    let malformed = || bad(place, "it is no answer of a time-stamp authority (RFC 3161)");
    if values(answer).is_none_or(|all| all.len() != 1) {
        return Err(malformed());
    }
    // TimeStampResp { PKIStatusInfo { status } … }
    let status = at(answer, &[(0, SEQUENCE), (0, SEQUENCE), (0, INTEGER)]).ok_or_else(malformed)?;
    if !matches!(status, [0 | 1]) {
        return Err(bad(place, "the time-stamp authority refused"));
    }
    // … { ContentInfo { signedData, [0] { SignedData { version, digests, { tSTInfo, [0] { octets { TSTInfo
    let info = [
        (0, SEQUENCE),
        (1, SEQUENCE),
        (1, CONTEXT),
        (0, SEQUENCE),
        (2, SEQUENCE),
        (1, CONTEXT),
        (0, OCTETS),
        (0, SEQUENCE),
    ];
    let info = at(answer, &info).ok_or_else(malformed)?;
    // TSTInfo { version, policy, MessageImprint { AlgorithmIdentifier { algorithm }, hash }, serial, time …
    let algorithm = at(info, &[(2, SEQUENCE), (0, SEQUENCE), (0, OID)]).ok_or_else(malformed)?;
    let imprint = at(info, &[(2, SEQUENCE), (1, OCTETS)]).ok_or_else(malformed)?;
    if algorithm != SHA256 || *imprint != Sha256::digest(stamped)[..] {
        return Err(bad(place, "the time stamp is over other bytes than its checkpoint"));
    }
    at(info, &[(4, TIME)]).and_then(generalized_time).ok_or_else(malformed)
}

/// `YYYYMMDDhhmmss[.f]Z`.
fn generalized_time(content: &[u8]) -> Option<Instant> {
    let text = std::str::from_utf8(content).ok()?;
    let (whole, fraction) = text.split_at_checked(14)?;
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) || fraction.len() > 11 || !fraction.ends_with('Z') {
        return None;
    }
    let (date, clock) = whole.split_at(8);
    format!(
        "{}-{}-{}T{}:{}:{}{fraction}",
        &date[..4],
        &date[4..6],
        &date[6..],
        &clock[..2],
        &clock[2..4],
        &clock[4..]
    )
    .parse()
    .ok()
}
