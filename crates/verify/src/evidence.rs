//! The evidence behind a log: every pack, every key slot, every object, opened with the keys and compared with the leaf.
//!
//! Written from `docs/ledger-format.md`, not from the ledger: a second reading of the same text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use hmac::{Hmac, Mac as _};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tlog::NoteVerifier;

use crate::Refusal;
use crate::anchor::{Anchor, copies, entry, join};
use crate::files::{Files, Within, list, read};
use crate::log::{LogReport, Options, walk};

/// What holds of the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceReport {
    /// Of the log.
    pub log: LogReport,
    /// Objects opened and found to be what the log commits to.
    pub opened: u64,
    /// Objects whose key was destroyed, each with an entry that says so.
    pub erased: u64,
    /// Packs, each with the hash it is named by.
    pub packs: u64,
    /// Anchors, of the ledger's entries and beside them; each fits the log.
    pub anchors: Vec<Anchor>,
}

impl fmt::Display for EvidenceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}; {} documents open and fit, {} erased, {} packs; {}",
            self.log,
            self.opened,
            self.erased,
            self.packs,
            match self.anchors.len() {
                0 => "no anchor".to_owned(),
                1 => "1 anchor fits".to_owned(),
                many => format!("{many} anchors fit"),
            }
        )
    }
}

#[derive(Deserialize)]
struct Ring {
    v: u64,
    vkey: String,
    kek: String,
}

#[derive(Deserialize)]
struct Leaf {
    v: u64,
    kind: String,
    size: u64,
    commitment: String,
    object: String,
    #[serde(default)]
    concerns: Vec<u64>,
}

/// What is kept of each leaf while the packs are read.
struct Committed {
    size: u64,
    commitment: [u8; 32],
    object: [u8; 32],
    anchor: bool,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 64 lower-case digits, and nothing else.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: [u8; 32] = pairs.iter().map(byte).collect::<Option<Vec<_>>>()?.try_into().ok()?;
    (hex(&bytes) == text).then_some(bytes)
}

/// Verifies a data folder (`log/`, `objects/`, `keys/`) with its wrapping key: the log as [`crate::log`] does, then every
/// object. `key` is the log's key as the auditor was given it: a ring that names another is refused.
///
/// # Errors
/// The first thing that doesn't hold.
pub fn evidence(
    data: &dyn Files,
    key: &NoteVerifier,
    wrapping_key: &[u8; 32],
    options: Options,
) -> Result<EvidenceReport, Refusal> {
    let ring_path = "keys/ring";
    let bad_ring = |why: &str| Refusal::differs(ring_path, why);
    let ring: Ring = serde_json::from_slice(&read(data, ring_path)?)
        .map_err(|e| bad_ring(&format!("not a key ring: {e}")))?;
    if ring.v != 1 || ring.vkey != key.to_string() {
        return Err(bad_ring("it is of another version or log"));
    }
    let kek =
        unwrap_kek(&ring.kek, wrapping_key).ok_or_else(|| bad_ring("the wrapping key doesn't open it"))?;

    let mut leaves = Vec::new();
    let mut erasable = BTreeSet::new();
    let log = walk(&Within(data, "log/"), key, options, &mut |_, bytes| {
        let index = leaves.len() as u64;
        let bad = |why: String| Refusal::Evidence { index, why };
        let leaf: Leaf =
            serde_json::from_slice(bytes).map_err(|e| bad(format!("its leaf cannot be read: {e}")))?;
        if leaf.v != 1 {
            return Err(bad(format!("its leaf is of version {}, newer than this verifier", leaf.v)));
        }
        if leaf.concerns.iter().any(|concerned| *concerned >= index) {
            return Err(bad("it concerns an entry after it".into()));
        }
        if leaf.kind == "erasure" || leaf.kind == "redaction" {
            erasable.extend(leaf.concerns);
        }
        let hash = |text: &str| unhex(text).ok_or_else(|| bad("a hash in its leaf has another form".into()));
        let (commitment, object) = (hash(&leaf.commitment)?, hash(&leaf.object)?);
        leaves.push(Committed { size: leaf.size, commitment, object, anchor: leaf.kind == "anchor" });
        Ok(())
    })?;

    let mut packs = packs(data, log.published)?;
    account_for_objects(data, &packs)?;
    let signed = packs.partition_point(|(first, _)| *first < log.published);
    if signed < packs.len() && !options.ahead {
        return Err(Refusal::Ahead { path: PACKS.into() });
    }
    packs.truncate(signed);
    let mut report =
        EvidenceReport { log, opened: 0, erased: 0, packs: packs.len() as u64, anchors: Vec::new() };
    let mut kept = Vec::new();
    let mut slots = BTreeMap::new();
    for (pack_index, (first, name)) in packs.iter().enumerate() {
        let end = packs.get(pack_index + 1).map_or(leaves.len() as u64, |(next, _)| *next);
        let path = pack_path(name);
        let bytes = read(data, &path)?;
        if hex(&Sha256::digest(&bytes)) != *name {
            return Err(Refusal::differs(path, "its hash isn't its name"));
        }
        let objects = objects(&bytes).ok_or_else(|| Refusal::differs(&path, "it isn't a pack"))?;
        if objects.len() as u64 != end - first {
            return Err(Refusal::differs(
                path,
                format!("it holds {} objects, not {}", objects.len(), end - first),
            ));
        }
        for (index, object) in (*first..end).zip(objects) {
            let refuse = |why: &str| Refusal::Evidence { index, why: why.to_owned() };
            let leaf = usize::try_from(index)
                .ok()
                .and_then(|i| leaves.get(i))
                .ok_or_else(|| refuse("no such entry"))?;
            let hash: [u8; 32] = Sha256::digest(object).into();
            if hash != leaf.object {
                return Err(refuse("the stored object isn't the one in the log"));
            }
            let file = index / 65_536;
            if let std::collections::btree_map::Entry::Vacant(place) = slots.entry(file) {
                place.insert(read(data, &format!("keys/slots/{file:06}"))?);
            }
            let start = (index % 65_536) as usize * 48;
            let slot = slots.get(&file).and_then(|bytes| bytes.get(start..start + 48));
            let slot = slot.ok_or_else(|| refuse("its key slot is missing"))?;
            if slot.iter().all(|byte| *byte == 0) {
                if !erasable.contains(&index) {
                    return Err(refuse("its key is gone, and no entry of the log says that it was erased"));
                }
                report.erased += 1;
                continue;
            }
            let document = check_object(&kek, slot, object, &hash, leaf).map_err(refuse)?;
            report.opened += 1;
            if leaf.anchor {
                kept.push(entry(index, &document, &Within(data, "log/"), key, &report.log)?);
            }
        }
    }
    report.anchors = join(kept, copies(data, key, &report.log)?)?;
    Ok(report)
}

fn unwrap_kek(text: &str, wrapping_key: &[u8; 32]) -> Option<XChaCha20Poly1305> {
    let bytes = STANDARD.decode(text).ok()?;
    let (nonce, wrapped) = bytes.split_first_chunk::<24>()?;
    let payload = Payload { msg: wrapped, aad: b"tickmark-kek-1" };
    let key: [u8; 32] =
        XChaCha20Poly1305::new(wrapping_key.into()).decrypt(nonce.into(), payload).ok()?.try_into().ok()?;
    Some(XChaCha20Poly1305::new((&key).into()))
}

const PACKS: &str = "objects/packs";

/// First index and name of every pack.
fn packs(data: &dyn Files, published: u64) -> Result<Vec<(u64, String)>, Refusal> {
    let path = PACKS;
    let listed = list(data)?.iter().any(|found| found == path);
    let bytes = if published == 0 && !listed { Vec::new() } else { read(data, path)? };
    let (records, rest) = bytes.as_chunks::<40>();
    let mut packs = Vec::new();
    for record in records {
        let first = record.first_chunk::<8>().map_or(0, |first| u64::from_be_bytes(*first));
        packs.push((first, hex(&record[8..])));
    }
    let ordered = packs.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let begins = packs.first().map_or(0, |(first, _)| *first) == 0;
    if rest.is_empty() && ordered && begins {
        Ok(packs)
    } else {
        Err(Refusal::differs(path, "its records don't follow each other through the log"))
    }
}

fn pack_path(name: &str) -> String {
    format!("objects/{}/{name}.pack", &name[..2])
}

/// Every file below `objects/` is a pack that an entry lies in, or the list of them.
fn account_for_objects(data: &dyn Files, packs: &[(u64, String)]) -> Result<(), Refusal> {
    let known: BTreeSet<String> = packs.iter().map(|(_, name)| pack_path(name)).collect();
    for path in list(data)? {
        if path.starts_with("objects/") && path != PACKS && !known.contains(&path) {
            return Err(Refusal::Unknown { path });
        }
    }
    Ok(())
}

fn objects(pack: &[u8]) -> Option<Vec<&[u8]>> {
    let rest = pack.strip_prefix(b"tickmark-pack-01")?;
    let (count, rest) = rest.split_first_chunk::<4>()?;
    let (lengths, mut rest) =
        rest.split_at_checked(usize::try_from(u32::from_be_bytes(*count)).ok()?.checked_mul(4)?)?;
    let mut objects = Vec::new();
    for length in lengths.as_chunks::<4>().0 {
        let (object, after) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        objects.push(object);
        rest = after;
    }
    rest.is_empty().then_some(objects)
}

fn check_object(
    kek: &XChaCha20Poly1305,
    slot: &[u8],
    object: &[u8],
    hash: &[u8; 32],
    leaf: &Committed,
) -> Result<Vec<u8>, &'static str> {
    let nonce: [u8; 24] = std::array::from_fn(|i| hash[i]);
    let key =
        kek.decrypt(&nonce.into(), Payload { msg: slot, aad: hash }).map_err(|_| "its key doesn't unwrap")?;
    let key = XChaCha20Poly1305::new_from_slice(&key).map_err(|_| "its key has another length")?;
    let packed = key
        .decrypt(&[0; 24].into(), Payload { msg: object, aad: b"tickmark-object-1" })
        .map_err(|_| "its key doesn't open its object")?;
    let length =
        usize::try_from(leaf.size).ok().and_then(|size| size.checked_add(32)).ok_or("its size is absurd")?;
    let plain =
        zstd::bulk::decompress(&packed, length).map_err(|_| "its object doesn't decompress to its size")?;
    let (salt, document) = plain.split_at_checked(32).ok_or("its object is cut short")?;
    if document.len() as u64 != leaf.size {
        return Err("its document has another size");
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(salt).map_err(|_| "its salt is unusable")?;
    mac.update(document);
    mac.verify(&leaf.commitment.into()).map_err(|_| "its document isn't the one committed to")?;
    Ok(document.to_vec())
}
