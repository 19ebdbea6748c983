//! Objects: the documents, committed to, compressed and encrypted; and packs, the files a batch's objects share.
//!
//! ```text
//! object = XChaCha20-Poly1305(data key, nonce 0, additional data "tickmark-object-1", zstd(salt ‖ document))
//! pack   = "tickmark-pack-01" ‖ count ‖ length of each object (32 bits, big-endian all) ‖ the objects
//! ```
//!
//! A data key encrypts one message in its life, so the nonce need not differ. The salt lies inside: whoever loses the key
//! loses the means to test a guess against the commitment.

use std::ops::Range;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::disk::Disk;
use crate::error::Error;
use crate::hex::Hex;
use crate::leaf::Leaf;

const MAGIC: &[u8; 16] = b"tickmark-pack-01";
const OBJECT: &[u8] = b"tickmark-object-1";
const SALT: usize = 32;
/// Fast enough that flushing to disk stays the bottleneck.
const LEVEL: i32 = 3;

/// HMAC-SHA256 of a document under its salt: says which document without letting anyone guess it.
pub(crate) fn commitment(salt: &[u8; SALT], document: &[u8]) -> [u8; 32] {
    // HMAC fills a key up with zeros to the block of its hash.
    let mut block = [0; 64];
    block[..SALT].copy_from_slice(salt);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(document);
    mac.finalize().into_bytes().into()
}

/// An object ready for a pack.
pub(crate) struct Sealed {
    pub(crate) commitment: [u8; 32],
    /// SHA-256 of the ciphertext.
    pub(crate) hash: [u8; 32],
    pub(crate) ciphertext: Vec<u8>,
}

/// Seals documents one after the other with one compressor.
pub(crate) struct Sealer {
    compressor: zstd::bulk::Compressor<'static>,
    plain: Vec<u8>,
}

impl Sealer {
    pub(crate) fn new() -> Result<Self, Error> {
        let compressor =
            zstd::bulk::Compressor::new(LEVEL).map_err(Error::disk("compress for", "objects"))?;
        Ok(Self { compressor, plain: Vec::new() })
    }

    pub(crate) fn seal(
        &mut self,
        document: &[u8],
        salt: &[u8; SALT],
        key: &[u8; 32],
    ) -> Result<Sealed, Error> {
        self.plain.clear();
        self.plain.extend_from_slice(salt);
        self.plain.extend_from_slice(document);
        let packed = self.compressor.compress(&self.plain).map_err(Error::disk("compress for", "objects"))?;
        let ciphertext = XChaCha20Poly1305::new(key.into())
            .encrypt(&[0; 24].into(), Payload { msg: &packed, aad: OBJECT })
            .map_err(|_| Error::Unfit { why: "its document is too large to encrypt".into() })?;
        let hash = Sha256::digest(&ciphertext).into();
        Ok(Sealed { commitment: commitment(salt, document), hash, ciphertext })
    }
}

/// Opens objects one after the other with one decompressor.
pub(crate) struct Opener(zstd::bulk::Decompressor<'static>);

impl Opener {
    pub(crate) fn new() -> Result<Self, Error> {
        zstd::bulk::Decompressor::new().map(Self).map_err(Error::disk("decompress for", "objects"))
    }

    /// Opens an object and checks it against everything its leaf says.
    pub(crate) fn open(
        &mut self,
        index: u64,
        leaf: &Leaf,
        ciphertext: &[u8],
        key: &[u8; 32],
    ) -> Result<Vec<u8>, Error> {
        let damaged = |why: &str| Error::damaged(format!("the object of entry {index}"), why);
        if Sha256::digest(ciphertext).as_slice() != leaf.object.0 {
            return Err(damaged("its hash isn't the one in the log"));
        }
        let packed = XChaCha20Poly1305::new(key.into())
            .decrypt(&[0; 24].into(), Payload { msg: ciphertext, aad: OBJECT })
            .map_err(|_| damaged("its key doesn't open it"))?;
        let length = usize::try_from(leaf.size).ok().and_then(|size| size.checked_add(SALT));
        let length = length.ok_or_else(|| damaged("its size isn't the one in the log"))?;
        let plain = self.0.decompress(&packed, length);
        let mut plain = plain.map_err(|_| damaged("it doesn't decompress to the size in the log"))?;
        let (salt, document) = plain.split_first_chunk::<SALT>().ok_or_else(|| damaged("it is cut short"))?;
        if document.len() as u64 != leaf.size || commitment(salt, document) != leaf.commitment.0 {
            return Err(damaged("its document isn't the one committed to"));
        }
        plain.drain(..SALT);
        Ok(plain)
    }
}

/// Where a pack lies once published.
pub(crate) fn pack_path(pack: Hex) -> String {
    let name = pack.to_string();
    format!("objects/{}/{name}.pack", &name[..2])
}

/// The bytes of a pack.
pub(crate) fn pack<'a>(objects: impl ExactSizeIterator<Item = &'a [u8]> + Clone) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend((objects.len() as u32).to_be_bytes());
    for object in objects.clone() {
        bytes.extend((object.len() as u32).to_be_bytes());
    }
    objects.for_each(|object| bytes.extend_from_slice(object));
    bytes
}

/// Reads the `place`-th object of a pack out of its file.
pub(crate) fn read_object(disk: &dyn Disk, path: &str, place: u64) -> Result<Vec<u8>, Error> {
    let cut = || Error::damaged(path, "it is cut short");
    let read =
        |offset: u64, length: usize| disk.read_at(path, offset, length).map_err(Error::disk("read", path));
    let lengths = usize::try_from(place)
        .ok()
        .and_then(|p| p.checked_mul(4))
        .and_then(|p| p.checked_add(24))
        .ok_or_else(cut)?;
    let head = read(0, lengths)?;
    let lengths = Lengths::parse(path, &head)?;
    let (start, length) = lengths.find(place).ok_or_else(cut)?;
    let object = read(start, length)?;
    if object.len() == length { Ok(object) } else { Err(cut()) }
}

/// Where each object lies in a pack held in memory.
pub(crate) fn places(path: &str, pack: &[u8]) -> Result<Vec<Range<usize>>, Error> {
    let cut = || Error::damaged(path, "it is cut short");
    let Lengths { count, lengths } = Lengths::parse(path, pack)?;
    let count = usize::try_from(count).map_err(|_| cut())?;
    let mut start = 20 + 4 * count;
    let places = lengths.get(..count).ok_or_else(cut)?.iter().map(|length| {
        let end = start + u32::from_be_bytes(*length) as usize;
        std::mem::replace(&mut start, end)..end
    });
    let places: Vec<_> = places.collect();
    if start == pack.len() { Ok(places) } else { Err(cut()) }
}

/// The head of a pack, or as much of it as has been read.
struct Lengths<'a> {
    count: u64,
    lengths: &'a [[u8; 4]],
}

impl<'a> Lengths<'a> {
    fn parse(path: &str, head: &'a [u8]) -> Result<Self, Error> {
        let rest = head
            .strip_prefix(MAGIC)
            .ok_or_else(|| Error::damaged(path, "it isn't a pack of this version"))?;
        let (count, rest) =
            rest.split_first_chunk::<4>().ok_or_else(|| Error::damaged(path, "it is cut short"))?;
        Ok(Self { count: u64::from(u32::from_be_bytes(*count)), lengths: rest.as_chunks::<4>().0 })
    }

    /// Offset and length of an object.
    fn find(&self, place: u64) -> Option<(u64, usize)> {
        if place >= self.count {
            return None;
        }
        let place = usize::try_from(place).ok()?;
        let length = u32::from_be_bytes(*self.lengths.get(place)?) as usize;
        let before: u64 = self.lengths.get(..place)?.iter().map(|l| u64::from(u32::from_be_bytes(*l))).sum();
        Some((20 + 4 * self.count + before, length))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 4231, test case 2 fits no 32-byte key; case 1 with its 20-byte key filled with zeros is the same HMAC.
    #[test]
    fn the_commitment_is_hmac_sha256() {
        let mut salt = [0; SALT];
        salt[..20].fill(0x0b);
        let expect = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(Hex(commitment(&salt, b"Hi There")).to_string(), expect);
    }

    #[test]
    fn an_object_opens_only_as_what_its_leaf_says() {
        let (key, document) = ([5; 32], b"what was said");
        let sealed = Sealer::new().unwrap().seal(document, &[6; SALT], &key).unwrap();
        let entry = crate::NewEntry {
            kind: crate::Kind::Decision,
            source: "s".into(),
            stream: "t".into(),
            media_type: "m".into(),
            collected_at: model::Instant::from_ms(0),
            collector: "c".into(),
            document: document.to_vec(),
        };
        let leaf = Leaf::new(&entry, &[], sealed.commitment, sealed.hash);
        let check = |leaf: &Leaf, key: &[u8; 32], expect: &str| {
            let outcome = Opener::new().unwrap().open(3, leaf, &sealed.ciphertext, key);
            let said =
                outcome.map_or_else(|e| e.to_string(), |document| String::from_utf8(document).unwrap());
            assert!(said.contains(expect), "`{said}` should say `{expect}`");
        };
        check(&leaf, &key, "what was said");
        check(&leaf, &[4; 32], "its key doesn't open it");
        check(&Leaf { object: Hex([0; 32]), ..leaf.clone() }, &key, "its hash isn't the one in the log");
        check(&Leaf { commitment: Hex([0; 32]), ..leaf.clone() }, &key, "isn't the one committed to");
        check(&Leaf { size: 12, ..leaf.clone() }, &key, "doesn't decompress to the size");
        check(&Leaf { size: 14, ..leaf }, &key, "isn't the one committed to");
    }

    proptest! {
        #[test]
        fn packs_hold_their_objects_and_noise_holds_none(objects in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..9), at in any::<prop::sample::Index>(), noise in any::<u8>()) {
            let mut bytes = pack(objects.iter().map(Vec::as_slice));
            let found: Vec<&[u8]> = places("p", &bytes).unwrap().into_iter().map(|place| &bytes[place]).collect();
            prop_assert_eq!(found, objects);
            let at = at.index(bytes.len());
            bytes[at] = noise;
            if let Ok(places) = places("p", &bytes) {
                prop_assert!(places.iter().all(|place| bytes.get(place.clone()).is_some()));
            }
            bytes.truncate(at);
            let _ = places("p", &bytes);
        }
    }
}
