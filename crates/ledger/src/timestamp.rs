//! Time from outside: RFC 3161 time-stamp tokens over the bytes of a checkpoint.
//!
//! [`request`] makes the query, the caller sends it (`application/timestamp-query`), [`read`] checks the answer: granted,
//! over these very bytes, with our nonce. The authority's signature and its chain are **not** checked here: that takes the
//! authority's root certificate and is `openssl ts -verify`'s work, offline, by whoever doubts:
//!
//! ```text
//! openssl ts -verify -data checkpoint -in answer.tsr -CAfile authority.pem
//! ```
//!
//! A stamp counts as external only if the token carries a certificate and none of them is one of ours: an authority of our
//! own shows the format, not the time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Instant;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::leaf::{Kind, NewEntry};

/// SHA-256 as an AlgorithmIdentifier: SEQUENCE { OID 2.16.840.1.101.3.4.2.1, NULL }.
const SHA256: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00];
/// The same with absent parameters, as some authorities answer.
const SHA256_SHORT: &[u8] = &[0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// id-signedData, 1.2.840.113549.1.7.2.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// id-ct-TSTInfo, 1.2.840.113549.1.9.16.1.4.
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// `[0]`, constructed.
const CONTEXT_0: u8 = 0xa0;

/// A token that answers our request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timestamp {
    /// The time it states.
    pub time: Instant,
    /// The whole answer, as `openssl ts` reads it.
    pub answer: Vec<u8>,
    /// Certificates in the token, DER.
    pub certificates: Vec<Vec<u8>>,
}

impl Timestamp {
    /// Whether it comes from somebody else: it carries certificates, and none is ours.
    #[must_use]
    pub fn is_external(&self, ours: &[Vec<u8>]) -> bool {
        !self.certificates.is_empty()
            && !self.certificates.iter().any(|certificate| ours.contains(certificate))
    }

    /// The entry that keeps it, with the checkpoint that it is for.
    ///
    /// # Errors
    /// Never for a checkpoint and a token.
    pub fn to_entry(
        &self,
        source: &str,
        checkpoint: &str,
        external: bool,
        at: Instant,
    ) -> Result<NewEntry, Error> {
        #[derive(Serialize)]
        struct Kept<'a> {
            r#type: &'static str,
            checkpoint: &'a str,
            time: Instant,
            external: bool,
            answer: String,
        }
        let answer = STANDARD.encode(&self.answer);
        let kept = Kept { r#type: "rfc3161", checkpoint, time: self.time, external, answer };
        anchor_entry(&kept, source, at)
    }
}

/// The entry of anything that somebody outside said of a checkpoint.
pub(crate) fn anchor_entry(kept: &impl Serialize, source: &str, at: Instant) -> Result<NewEntry, Error> {
    Ok(NewEntry {
        kind: Kind::Anchor,
        source: source.to_owned(),
        stream: "anchors".into(),
        media_type: "application/json".into(),
        collected_at: at,
        collector: "ledger/1".into(),
        document: serde_json::to_vec(kept).map_err(|e| Error::Unfit { why: e.to_string() })?,
    })
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    let length = content.len();
    if length < 128 {
        bytes.push(length as u8);
    } else {
        let digits: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        bytes.push(0x80 | digits.len() as u8);
        bytes.extend(digits);
    }
    bytes.extend_from_slice(content);
    bytes
}

/// A nonce as the content of a DER INTEGER: positive, without superfluous zeros.
fn integer(nonce: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> = nonce.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    if bytes.first().is_none_or(|first| *first >= 0x80) {
        bytes.insert(0, 0);
    }
    bytes
}

fn imprint(checkpoint: &[u8], algorithm: &[u8]) -> Vec<u8> {
    tlv(SEQUENCE, &[algorithm, &tlv(OCTETS, &Sha256::digest(checkpoint))].concat())
}

/// The query for a stamp over a checkpoint: TimeStampReq of RFC 3161, asking for the certificates too.
#[must_use]
pub fn request(checkpoint: &str, nonce: u64) -> Vec<u8> {
    let version = tlv(INTEGER, &[1]);
    let want_certificates = [0x01, 0x01, 0xff];
    let parts = [
        version,
        imprint(checkpoint.as_bytes(), SHA256),
        tlv(INTEGER, &integer(nonce)),
        want_certificates.to_vec(),
    ];
    tlv(SEQUENCE, &parts.concat())
}

/// Walks DER values one after the other.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next value: tag, content, and all its bytes. Refuses what isn't DER: indefinite and padded lengths.
    fn next(&mut self) -> Option<(u8, &'a [u8], &'a [u8])> {
        let whole = self.0;
        let (tag, rest) = whole.split_first()?;
        let (first, mut rest) = rest.split_first()?;
        let mut length = usize::from(*first);
        if length >= 128 {
            let digits = length - 128;
            if digits == 0 || digits > 4 {
                return None;
            }
            let (number, after) = rest.split_at_checked(digits)?;
            length = number.iter().fold(0, |n, byte| n << 8 | usize::from(*byte));
            if length < 128 || number[0] == 0 {
                return None;
            }
            rest = after;
        }
        let (content, after) = rest.split_at_checked(length)?;
        self.0 = after;
        Some((*tag, content, &whole[..whole.len() - after.len()]))
    }

    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content, _) = self.next()?;
        (found == tag).then_some(content)
    }

    fn inside(&mut self, tag: u8) -> Option<Self> {
        self.expect(tag).map(Der)
    }
}

/// Reads the answer to [`request`] and checks that it is a stamp over this checkpoint with this nonce.
///
/// # Errors
/// A refusal, or an answer to something else.
pub fn read(answer: &[u8], checkpoint: &str, nonce: u64) -> Result<Timestamp, Error> {
    let bad = |why: &str| Error::damaged("the answer of the time-stamp authority", why);
    let malformed = || bad("it isn't an RFC 3161 answer");
    let mut outer = Der(answer);
    let mut response = outer.inside(SEQUENCE).ok_or_else(malformed)?;
    if !outer.0.is_empty() {
        return Err(malformed());
    }
    let status = response.inside(SEQUENCE).and_then(|mut info| info.expect(INTEGER)).ok_or_else(malformed)?;
    // 0 is granted, 1 granted with changes: those we check.
    if !matches!(status, [0 | 1]) {
        return Err(bad(&format!("it refuses, with status {status:?}")));
    }
    let token = Token::parse(&mut response).ok_or_else(malformed)?;
    let mut info = Der(token.info).inside(SEQUENCE).ok_or_else(malformed)?;
    let (_version, _policy) = (info.expect(INTEGER), info.expect(OID).ok_or_else(malformed)?);
    let (_, _, stamped) = info.next().ok_or_else(malformed)?;
    let ours = [imprint(checkpoint.as_bytes(), SHA256), imprint(checkpoint.as_bytes(), SHA256_SHORT)];
    if !ours.iter().any(|ours| ours == stamped) {
        return Err(bad("it is over other bytes than this checkpoint"));
    }
    let _serial = info.expect(INTEGER).ok_or_else(malformed)?;
    let time = info.expect(TIME).and_then(time).ok_or_else(malformed)?;
    // Accuracy and ordering may stand between; the nonce is the only plain INTEGER after the time.
    let mut found = None;
    while let Some((tag, content, _)) = info.next() {
        if tag == INTEGER {
            found = Some(content);
        }
    }
    if found != Some(integer(nonce).as_slice()) {
        return Err(bad("it doesn't carry the nonce that was sent: it may be an old answer"));
    }
    Ok(Timestamp { time, answer: answer.to_vec(), certificates: token.certificates })
}

/// What a token holds that we read.
struct Token<'a> {
    info: &'a [u8],
    certificates: Vec<Vec<u8>>,
}

impl<'a> Token<'a> {
    /// ContentInfo { SignedData { version, digestAlgorithms, encapContentInfo { TSTInfo }, [0] certificates, … } }
    fn parse(response: &mut Der<'a>) -> Option<Self> {
        let mut content_info = response.inside(SEQUENCE)?;
        if content_info.expect(OID)? != SIGNED_DATA {
            return None;
        }
        let mut signed = content_info.inside(CONTEXT_0)?.inside(SEQUENCE)?;
        signed.expect(INTEGER)?;
        signed.expect(SET)?;
        let mut encapsulated = signed.inside(SEQUENCE)?;
        if encapsulated.expect(OID)? != TST_INFO {
            return None;
        }
        let info = encapsulated.inside(CONTEXT_0)?.expect(OCTETS)?;
        let mut certificates = Vec::new();
        if let Some((CONTEXT_0, content, _)) = signed.next() {
            let mut each = Der(content);
            while let Some((SEQUENCE, _, certificate)) = each.next() {
                certificates.push(certificate.to_vec());
            }
        }
        Some(Self { info, certificates })
    }
}

/// GeneralizedTime as RFC 3161 allows it: `YYYYMMDDhhmmss[.f]Z`.
fn time(content: &[u8]) -> Option<Instant> {
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let (whole, fraction) =
        text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.len() != 14
        || !digits(whole)
        || fraction.is_some_and(|f| f.is_empty() || f.len() > 9 || !digits(f))
    {
        return None;
    }
    let fraction = fraction.map(|f| format!(".{f}")).unwrap_or_default();
    let part = |range: std::ops::Range<usize>| &whole[range];
    let (date, clock) = ((part(0..4), part(4..6), part(6..8)), (part(8..10), part(10..12), part(12..14)));
    format!("{}-{}-{}T{}:{}:{}{fraction}Z", date.0, date.1, date.2, clock.0, clock.1, clock.2).parse().ok()
}
