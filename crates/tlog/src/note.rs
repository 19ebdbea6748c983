//! Signed notes (c2sp.org/signed-note): a text, a blank line, and lines of signatures by named keys.
//!
//! ```text
//! what was said
//!
//! — name base64(key id ‖ signature)
//! ```
//!
//! The signature covers the text with its last line feed, without the blank line. A key is named, and known by 4 bytes
//! of SHA-256(name ‖ 0x0A ‖ algorithm ‖ public key). Unknown keys are passed over; a known key whose signature doesn't
//! fit makes the whole note refused. Cosignatures (c2sp.org/tlog-cosignature) are the same lines with a time in front of
//! the signature, by a witness that saw this checkpoint continue the last.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::Error;

const NOTE: &str = "signed note";
const MAX_NOTE: usize = 1_000_000;
const MAX_SIGNATURES: usize = 100;

/// What a key signs with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Algorithm {
    /// Ed25519 over the text (0x01): a log's own key.
    Ed25519,
    /// Ed25519 over a time and the text (0x04): a witness.
    CosignatureV1,
}

impl Algorithm {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::CosignatureV1 => 4,
        }
    }

    fn message(self, text: &str, time: u64) -> Vec<u8> {
        match self {
            Self::Ed25519 => text.as_bytes().to_vec(),
            Self::CosignatureV1 => format!("cosignature/v1\ntime {time}\n{text}").into_bytes(),
        }
    }
}

fn name_is_valid(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

fn key_id(name: &str, algorithm: Algorithm, key: &[u8; 32]) -> [u8; 4] {
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update([b'\n', algorithm.byte()]);
    hasher.update(key);
    let hash: [u8; 32] = hasher.finalize().into();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// A public key with its name. As text: `name+id+base64(algorithm ‖ key)`, what other tools call a *vkey*.
#[derive(Clone, PartialEq, Eq)]
pub struct NoteVerifier {
    name: String,
    id: [u8; 4],
    algorithm: Algorithm,
    key: VerifyingKey,
}

impl NoteVerifier {
    fn new(name: &str, algorithm: Algorithm, key: VerifyingKey) -> Self {
        Self { name: name.to_owned(), id: key_id(name, algorithm, key.as_bytes()), algorithm, key }
    }

    /// Name of the key; a log's name is its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a signature says that it is by this key. Whether it fits is another question.
    #[must_use]
    pub fn claims(&self, signature: &NoteSignature) -> bool {
        self.name == signature.name && self.id == signature.id
    }

    /// What it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Checks one signature; gives its time, which is 0 for a plain one.
    fn verify(&self, text: &str, signature: &[u8]) -> Option<u64> {
        let (time, signature) = match self.algorithm {
            Algorithm::Ed25519 => (0, signature),
            Algorithm::CosignatureV1 => {
                let (time, rest) = signature.split_first_chunk::<8>()?;
                (u64::from_be_bytes(*time), rest)
            }
        };
        let signature = Signature::from_slice(signature).ok()?;
        self.key.verify_strict(&self.algorithm.message(text, time), &signature).ok()?;
        Some(time)
    }
}

impl fmt::Display for NoteVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.algorithm.byte()];
        key.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id), STANDARD.encode(key))
    }
}

impl fmt::Debug for NoteVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for NoteVerifier {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |why: &str| Error::form("verifier key", why);
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad("it has the form name+id+key"));
        };
        if !name_is_valid(name) {
            return Err(bad("its name is empty or holds a space"));
        }
        let key = STANDARD.decode(key).map_err(|e| bad(&e.to_string()))?;
        let (algorithm, key) = match key.split_first() {
            Some((1, key)) => (Algorithm::Ed25519, key),
            Some((4, key)) => (Algorithm::CosignatureV1, key),
            _ => return Err(bad("neither Ed25519 (1) nor cosignature/v1 (4)")),
        };
        let key: &[u8; 32] = key.try_into().map_err(|_| bad("an Ed25519 key has 32 bytes"))?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| bad("not a point of the curve"))?;
        let verifier = Self::new(name, algorithm, key);
        if id.len() != 8 || u32::from_str_radix(id, 16).ok() != Some(u32::from_be_bytes(verifier.id)) {
            return Err(bad("its id doesn't fit name and key: one of them was altered"));
        }
        Ok(verifier)
    }
}

/// A private key with its name.
pub struct NoteSigner {
    key: SigningKey,
    verifier: NoteVerifier,
}

impl NoteSigner {
    /// A key from its 32-byte seed.
    ///
    /// # Errors
    /// A name that is empty or holds a space or `+`.
    pub fn new(name: &str, algorithm: Algorithm, seed: &[u8; 32]) -> Result<Self, Error> {
        if !name_is_valid(name) {
            return Err(Error::form("key name", format!("`{name}` is empty or holds a space or `+`")));
        }
        let key = SigningKey::from_bytes(seed);
        let verifier = NoteVerifier::new(name, algorithm, key.verifying_key());
        Ok(Self { key, verifier })
    }

    /// The public half.
    #[must_use]
    pub const fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }

    /// Signs a text, which ends in a line feed. `time` (seconds since 1970) enters a cosignature only.
    #[must_use]
    pub fn sign(&self, text: &str, time: u64) -> NoteSignature {
        let algorithm = self.verifier.algorithm;
        let mut bytes = Vec::new();
        if algorithm == Algorithm::CosignatureV1 {
            bytes.extend(time.to_be_bytes());
        }
        bytes.extend(self.key.sign(&algorithm.message(text, time)).to_bytes());
        NoteSignature { name: self.verifier.name.clone(), id: self.verifier.id, bytes }
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({}, private key not shown)", self.verifier)
    }
}

/// One line of signature, checked or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// Id of the key.
    pub id: [u8; 4],
    /// The signature, with the time in front for a cosignature.
    pub bytes: Vec<u8>,
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.to_vec();
        bytes.extend_from_slice(&self.bytes);
        writeln!(f, "— {} {}", self.name, STANDARD.encode(bytes))
    }
}

impl FromStr for NoteSignature {
    type Err = Error;

    /// Reads one line, without its line feed.
    fn from_str(line: &str) -> Result<Self, Error> {
        let bad = || Error::form(NOTE, "a signature line reads `— name base64`");
        let (name, bytes) = line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or_else(bad)?;
        let bytes = STANDARD.decode(bytes).map_err(|_| bad())?;
        let (id, rest) = bytes.split_first_chunk::<4>().ok_or_else(bad)?;
        if !name_is_valid(name) || rest.is_empty() {
            return Err(bad());
        }
        Ok(Self { name: name.to_owned(), id: *id, bytes: rest.to_vec() })
    }
}

/// A signature that fits, by one of the keys asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// Name of the key.
    pub name: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// Seconds since 1970 that a cosignature states; 0 for a plain signature.
    pub time: u64,
}

/// A text with signatures. Reading one says nothing about them: [`Note::verify`] does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// The text, with its last line feed.
    pub text: String,
    /// Signatures in the order of their lines.
    pub signatures: Vec<NoteSignature>,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| signature.fmt(f))
    }
}

impl Note {
    /// Reads a note.
    ///
    /// # Errors
    /// Bytes that aren't one.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let bad = |why: &str| Error::form(NOTE, why);
        if bytes.len() > MAX_NOTE {
            return Err(bad("it has more than a million bytes"));
        }
        let all = std::str::from_utf8(bytes).map_err(|_| bad("it isn't UTF-8"))?;
        if all.contains(|c: char| (c < ' ' && c != '\n') || c == '\u{fffd}') {
            return Err(bad("it holds control characters"));
        }
        let end = all.rfind("\n\n").ok_or_else(|| bad("no blank line parts the text from signatures"))?;
        let (text, lines) = (&all[..=end], &all[end + 2..]);
        let lines = lines.strip_suffix('\n').ok_or_else(|| bad("it doesn't end in a signature line"))?;
        let signatures = lines.split('\n').map(str::parse).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(bad("it bears more than 100 signatures"));
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// Checks the signatures by `keys`; each key counts once.
    ///
    /// # Errors
    /// A signature by one of them that doesn't fit, or none by any of them.
    pub fn verify(&self, keys: &[&NoteVerifier]) -> Result<Vec<Verified>, Error> {
        let mut verified = Vec::new();
        let mut seen = HashSet::new();
        for signature in &self.signatures {
            let Some(key) = keys.iter().find(|key| key.claims(signature)) else {
                continue;
            };
            let time = key
                .verify(&self.text, &signature.bytes)
                .ok_or_else(|| Error::Signature { name: signature.name.clone() })?;
            if seen.insert((&signature.name, signature.id)) {
                verified.push(Verified { name: key.name.clone(), algorithm: key.algorithm, time });
            }
        }
        if verified.is_empty() {
            let found: Vec<_> = self.signatures.iter().map(|s| format!("`{}`", s.name)).collect();
            return Err(Error::Unsigned { found: found.join(", ") });
        }
        Ok(verified)
    }
}
