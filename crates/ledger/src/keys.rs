//! `data/keys/`: keys, every one of them wrapped by another; the outermost, the wrapping key, lies elsewhere.
//!
//! ```text
//! wrapping key (32 bytes, outside)
//!   └─ key-encryption key                    keys/ring
//!        ├─ the log's signing key            keys/ring
//!        └─ one data key per object          keys/slots/<number>: 65,536 slots of 48 bytes, by entry index
//! ```
//!
//! A slot is XChaCha20-Poly1305 of the data key under the key-encryption key; nonce and additional data are the object's
//! hash, so a slot opens its own object only. A slot of zeros is a destroyed key. Slots lie apart from the objects so that
//! one key can be destroyed without touching anything else, and so that their backup can be a short-lived one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use serde::{Deserialize, Serialize};
use tlog::{Algorithm, NoteSigner, NoteVerifier};

use crate::error::Error;

/// Fills a buffer with randomness.
pub type Entropy = Box<dyn FnMut(&mut [u8]) -> std::io::Result<()> + Send>;

pub(crate) const RING: &str = "keys/ring";
/// Bytes of a wrapped key: 32 and a tag of 16.
pub(crate) const SLOT: usize = 48;
pub(crate) const SLOTS_PER_FILE: u64 = 1 << 16;

/// A data key under the key-encryption key.
pub(crate) type Slot = [u8; SLOT];

/// File and offset of the slot of an entry.
pub(crate) fn slot_place(index: u64) -> (String, u64) {
    (format!("keys/slots/{:06}", index / SLOTS_PER_FILE), index % SLOTS_PER_FILE * SLOT as u64)
}

/// 32 random bytes.
pub(crate) fn random(entropy: &mut Entropy) -> Result<[u8; 32], Error> {
    let mut bytes = [0; 32];
    entropy(&mut bytes).map_err(Error::Entropy)?;
    Ok(bytes)
}

/// The keys of a workspace, unwrapped.
pub(crate) struct Ring {
    kek: XChaCha20Poly1305,
    seed: [u8; 32],
    /// Name of the log, and its public key.
    pub(crate) verifier: NoteVerifier,
}

/// `keys/ring`, JSON. Wrapped keys are nonce ‖ ciphertext, base64.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RingFile {
    v: u64,
    /// The log's public key.
    vkey: String,
    /// The key-encryption key under the wrapping key.
    kek: String,
    /// The log's signing seed under the key-encryption key.
    seed: String,
}

const KEK: &[u8] = b"tickmark-kek-1";
const SEED: &[u8] = b"tickmark-log-key-1";

fn wrap(
    cipher: &XChaCha20Poly1305,
    key: &[u8; 32],
    aad: &[u8],
    entropy: &mut Entropy,
) -> Result<String, Error> {
    let mut bytes = vec![0; 24];
    entropy(&mut bytes).map_err(Error::Entropy)?;
    let nonce: [u8; 24] = std::array::from_fn(|i| bytes[i]);
    let wrapped = cipher.encrypt(&nonce.into(), Payload { msg: key, aad }).map_err(|_| Error::WrongKey)?;
    bytes.extend(wrapped);
    Ok(STANDARD.encode(bytes))
}

fn unwrap(cipher: &XChaCha20Poly1305, text: &str, aad: &[u8]) -> Result<[u8; 32], Error> {
    let bytes = STANDARD.decode(text).map_err(|_| Error::WrongKey)?;
    let (nonce, wrapped) = bytes.split_first_chunk::<24>().ok_or(Error::WrongKey)?;
    let key = cipher.decrypt(nonce.into(), Payload { msg: wrapped, aad }).map_err(|_| Error::WrongKey)?;
    key.try_into().map_err(|_| Error::WrongKey)
}

impl Ring {
    /// Makes the keys of a new workspace; gives the bytes of `keys/ring` too.
    pub(crate) fn create(wrapping_key: &[u8; 32], entropy: &mut Entropy) -> Result<(Self, Vec<u8>), Error> {
        let (kek, seed, name) = (random(entropy)?, random(entropy)?, random(entropy)?);
        // A random name: two workspaces must never share one, and it says nothing about anybody.
        let name: String = name[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let signer = NoteSigner::new(&format!("tickmark/{name}"), Algorithm::Ed25519, &seed)?;
        let cipher = XChaCha20Poly1305::new((&kek).into());
        let file = RingFile {
            v: 1,
            vkey: signer.verifier().to_string(),
            kek: wrap(&XChaCha20Poly1305::new(wrapping_key.into()), &kek, KEK, entropy)?,
            seed: wrap(&cipher, &seed, SEED, entropy)?,
        };
        let mut bytes = serde_json::to_vec_pretty(&file).map_err(|e| Error::damaged(RING, e.to_string()))?;
        bytes.push(b'\n');
        Ok((Self { kek: cipher, seed, verifier: signer.verifier().clone() }, bytes))
    }

    /// Opens `keys/ring`.
    pub(crate) fn open(bytes: &[u8], wrapping_key: &[u8; 32]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Version {
            v: u64,
        }
        let damaged = |e: serde_json::Error| Error::damaged(RING, e.to_string());
        let Version { v } = serde_json::from_slice(bytes).map_err(damaged)?;
        if v != 1 {
            return Err(Error::Newer { path: RING.into(), version: v });
        }
        let file: RingFile = serde_json::from_slice(bytes).map_err(damaged)?;
        let verifier: NoteVerifier = file.vkey.parse()?;
        let kek = unwrap(&XChaCha20Poly1305::new(wrapping_key.into()), &file.kek, KEK)?;
        let kek = XChaCha20Poly1305::new((&kek).into());
        let seed = unwrap(&kek, &file.seed, SEED)?;
        let ring = Self { kek, seed, verifier };
        if *ring.signer()?.verifier() != ring.verifier {
            return Err(Error::damaged(RING, "its public key doesn't belong to its signing key"));
        }
        Ok(ring)
    }

    /// The log's signing key.
    pub(crate) fn signer(&self) -> Result<NoteSigner, Error> {
        Ok(NoteSigner::new(self.verifier.name(), Algorithm::Ed25519, &self.seed)?)
    }

    /// Wraps the data key of the object with this hash.
    pub(crate) fn wrap(&self, key: &[u8; 32], object: &[u8; 32]) -> Result<Slot, Error> {
        let nonce: [u8; 24] = std::array::from_fn(|i| object[i]);
        let wrapped = self
            .kek
            .encrypt(&nonce.into(), Payload { msg: key, aad: object })
            .map_err(|_| Error::WrongKey)?;
        wrapped.try_into().map_err(|_| Error::WrongKey)
    }

    /// The data key of the object with this hash; `None` where it was destroyed.
    pub(crate) fn unwrap(
        &self,
        index: u64,
        slot: &Slot,
        object: &[u8; 32],
    ) -> Result<Option<[u8; 32]>, Error> {
        if slot.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let damaged =
            || Error::damaged(slot_place(index).0, format!("the key of entry {index} doesn't unwrap"));
        let nonce: [u8; 24] = std::array::from_fn(|i| object[i]);
        let key =
            self.kek.decrypt(&nonce.into(), Payload { msg: slot, aad: object }).map_err(|_| damaged())?;
        key.try_into().map(Some).map_err(|_| damaged())
    }
}
