//! The Merkle tree of RFC 9162 §2.1 over SHA-256: hashes, the right edge that grows, and both kinds of proof.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::Error;
use crate::tile::{Level, TILE_WIDTH, Tile};

/// A SHA-256 hash of the tree. As text it is standard base64, as in checkpoints and proofs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

/// The root of a tree without entries: SHA-256 of nothing.
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = STANDARD.decode(text).map_err(|e| Error::form("hash", e.to_string()))?;
        let bytes = bytes.try_into().map_err(|_| Error::form("hash", "a hash has 32 bytes"))?;
        Ok(Self(bytes))
    }
}

/// Hash of an entry: SHA-256(0x00 ‖ entry).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(entry);
    Hash(hasher.finalize().into())
}

/// Hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut block = [0; 65];
    block[0] = 1;
    block[1..33].copy_from_slice(&left.0);
    block[33..].copy_from_slice(&right.0);
    Hash(Sha256::digest(block).into())
}

/// Root over `hashes`, which stand for equally large perfect subtrees; `tail` is what lies to their right.
fn fold(hashes: &[Hash], tail: Option<Hash>) -> Option<Hash> {
    // The perfect subtrees of a left-balanced tree have the widths of the binary digits of its size, largest first:
    // joining them from the right gives the root.
    let mut end = hashes.len();
    let mut root = tail;
    while end > 0 {
        let width = 1 << end.trailing_zeros();
        let left = perfect(&hashes[end - width..end]);
        root = Some(root.map_or(left, |right| node_hash(&left, &right)));
        end -= width;
    }
    root
}

/// Root of a perfect subtree; `hashes` has a power of two of them.
fn perfect(hashes: &[Hash]) -> Hash {
    if let [only] = hashes {
        return *only;
    }
    let (left, right) = hashes.split_at(hashes.len() / 2);
    node_hash(&perfect(left), &perfect(right))
}

/// Root of a tree over leaf hashes.
#[must_use]
pub fn tree_hash(leaves: &[Hash]) -> Hash {
    fold(leaves, None).unwrap_or(EMPTY_ROOT)
}

/// The right edge of a growing tree: for each tile level the hashes of its last, unfinished tile.
///
/// It is all that appending needs: at most 255 hashes a level, whatever the size. A finished tile is handed out once and
/// forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Edge {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// The edge of a tree without entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The edge of a tree of `size` entries, from its last tiles: `read` gives the bytes of a tile.
    ///
    /// # Errors
    /// What `read` gave, or a tile of the wrong length.
    pub fn load<E: From<Error>>(
        size: u64,
        mut read: impl FnMut(Tile) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let mut levels = Vec::new();
        for level in 0..=7 {
            let width = size >> (8 * level);
            if width == 0 {
                break;
            }
            let rest = (width % 256) as u16;
            let mut hashes = Vec::with_capacity(256);
            if rest > 0 {
                let tile = Tile { level: Level::Hashes(level), index: width / 256, width: rest };
                hashes.extend(tile.hashes(&read(tile)?)?);
            }
            levels.push(hashes);
        }
        Ok(Self { size, levels })
    }

    /// How many entries the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut root = None;
        for hashes in &self.levels {
            root = fold(hashes, root);
        }
        root.unwrap_or(EMPTY_ROOT)
    }

    /// Appends an entry by its [`leaf_hash`]. Tiles that become full go to `full`, lowest level first.
    pub fn push(&mut self, leaf: Hash, mut full: impl FnMut(Tile, &[Hash])) {
        self.size += 1;
        let mut hash = leaf;
        for level in 0_u8.. {
            let at = usize::from(level);
            if self.levels.len() == at {
                self.levels.push(Vec::with_capacity(256));
            }
            let hashes = &mut self.levels[at];
            hashes.push(hash);
            if hashes.len() < usize::from(TILE_WIDTH) {
                return;
            }
            let index = (self.size >> (8 * (u32::from(level) + 1))) - 1;
            full(Tile { level: Level::Hashes(level), index, width: TILE_WIDTH }, hashes);
            hash = perfect(hashes);
            hashes.clear();
        }
    }

    /// The unfinished tiles with their hashes.
    pub fn partial_tiles(&self) -> impl Iterator<Item = (Tile, &[Hash])> {
        self.levels.iter().enumerate().filter(|(_, hashes)| !hashes.is_empty()).map(|(level, hashes)| {
            let level = level as u8;
            let index = self.size >> (8 * (u32::from(level) + 1));
            (Tile { level: Level::Hashes(level), index, width: hashes.len() as u16 }, hashes.as_slice())
        })
    }
}

/// A perfect subtree: the entries `[index << height, (index + 1) << height)`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Subtree {
    /// Logarithm of how many entries it spans.
    pub height: u8,
    /// Its place among the subtrees of that height.
    pub index: u64,
}

/// Hash of a perfect subtree out of the tiles of a tree of `size` entries: `read` gives the bytes of a tile.
///
/// # Errors
/// What `read` gave, or a tile of the wrong length.
pub fn subtree_hash<E: From<Error>>(
    subtree: Subtree,
    size: u64,
    mut read: impl FnMut(Tile) -> Result<Vec<u8>, E>,
) -> Result<Hash, E> {
    let (level, rest) = (subtree.height / 8, subtree.height % 8);
    let first = subtree.index << rest;
    let tile = Tile::of(Level::Hashes(level), first / 256, size)
        .ok_or_else(|| Error::Outside { index: subtree.index << subtree.height, size })?;
    let hashes = tile.hashes(&read(tile)?)?;
    let start = (first % 256) as usize;
    let part = hashes
        .get(start..start + (1 << rest))
        .ok_or_else(|| Error::Outside { index: subtree.index << subtree.height, size })?;
    Ok(perfect(part))
}

/// Root over the entries `[begin, end)`, a range that the proofs below ask for: it begins at a multiple of its own width
/// rounded up to a power of two.
fn range_hash<E>(begin: u64, end: u64, hash: &mut impl FnMut(Subtree) -> Result<Hash, E>) -> Result<Hash, E> {
    let mut parts = Vec::new();
    let mut at = begin;
    while at < end {
        let height = (end - at).ilog2() as u8;
        parts.push(hash(Subtree { height, index: at >> height })?);
        at += 1 << height;
    }
    Ok(parts.into_iter().rev().reduce(|right, left| node_hash(&left, &right)).unwrap_or(EMPTY_ROOT))
}

/// Root of the tree of the first `size` entries, whatever came after them.
///
/// # Errors
/// What `hash` gave.
pub fn root_of<E>(size: u64, mut hash: impl FnMut(Subtree) -> Result<Hash, E>) -> Result<Hash, E> {
    range_hash(0, size, &mut hash)
}

/// The largest power of two below `n`, for `n` ≥ 2.
const fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The inclusion proof of entry `index` in a tree of `size` entries, the leaf's sibling first (RFC 9162 §2.1.3.1).
///
/// # Errors
/// An index outside the tree, or what `hash` gave.
pub fn inclusion_proof<E: From<Error>>(
    index: u64,
    size: u64,
    mut hash: impl FnMut(Subtree) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    if index >= size {
        return Err(Error::Outside { index, size }.into());
    }
    let (mut begin, mut end) = (0, size);
    let mut proof = Vec::new();
    while end - begin > 1 {
        let middle = begin + split(end - begin);
        if index < middle {
            proof.push(range_hash(middle, end, &mut hash)?);
            end = middle;
        } else {
            proof.push(range_hash(begin, middle, &mut hash)?);
            begin = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that `leaf` is entry `index` of the tree (RFC 9162 §2.1.3.2).
///
/// # Errors
/// It doesn't follow from the proof.
pub fn verify_inclusion(index: u64, size: u64, leaf: Hash, proof: &[Hash], root: &Hash) -> Result<(), Error> {
    const WHAT: Error = Error::Proof { what: "inclusion proof" };
    if index >= size {
        return Err(Error::Outside { index, size });
    }
    let (mut place, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return Err(WHAT);
        }
        if place % 2 == 1 || place == last {
            hash = node_hash(sibling, &hash);
            // A right-most node without a sibling moves up unchanged until it is a right child.
            while place % 2 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(WHAT) }
}

/// The proof that a tree of `size` entries continues one of `old` entries (RFC 9162 §2.1.4.1). Empty for `old` = 0, of
/// which every tree is a continuation, and for `old` = `size`.
///
/// # Errors
/// An older size beyond the tree, or what `hash` gave.
pub fn consistency_proof<E: From<Error>>(
    old: u64,
    size: u64,
    mut hash: impl FnMut(Subtree) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    if old > size {
        return Err(Error::Outside { index: old, size }.into());
    }
    let mut proof = Vec::new();
    if old == 0 || old == size {
        return Ok(proof);
    }
    let (mut begin, mut end) = (0, size);
    while old != end {
        let middle = begin + split(end - begin);
        if old <= middle {
            proof.push(range_hash(middle, end, &mut hash)?);
            end = middle;
        } else {
            proof.push(range_hash(begin, middle, &mut hash)?);
            begin = middle;
        }
    }
    if begin > 0 {
        // Where the older tree isn't the left part itself, its verifier needs the hash to start from.
        proof.push(range_hash(begin, end, &mut hash)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that the tree of `size` entries with `root` continues the one of `old` entries with `old_root`
/// (RFC 9162 §2.1.4.2).
///
/// # Errors
/// It doesn't follow from the proof.
pub fn verify_consistency(
    old: u64,
    size: u64,
    old_root: &Hash,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), Error> {
    const WHAT: Error = Error::Proof { what: "consistency proof" };
    if old > size {
        return Err(Error::Outside { index: old, size });
    }
    if old == 0 {
        return if proof.is_empty() && *old_root == EMPTY_ROOT { Ok(()) } else { Err(WHAT) };
    }
    if old == size {
        return if proof.is_empty() && old_root == root { Ok(()) } else { Err(WHAT) };
    }
    let (first, rest) = if old.is_power_of_two() {
        (*old_root, proof)
    } else {
        proof.split_first().map(|(first, rest)| (*first, rest)).ok_or(WHAT)?
    };
    let (mut place, mut last) = (old - 1, size - 1);
    let up = place.trailing_ones();
    place >>= up;
    last >>= up;
    let (mut from_old, mut from_new) = (first, first);
    for hash in rest {
        if last == 0 {
            return Err(WHAT);
        }
        if place % 2 == 1 || place == last {
            from_old = node_hash(hash, &from_old);
            from_new = node_hash(hash, &from_new);
            while place % 2 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            from_new = node_hash(&from_new, hash);
        }
        place >>= 1;
        last >>= 1;
    }
    if last == 0 && from_old == *old_root && from_new == *root { Ok(()) } else { Err(WHAT) }
}
