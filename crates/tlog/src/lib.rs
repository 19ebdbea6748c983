//! Transparency logs by the C2SP texts: the Merkle tree of RFC 6962 / RFC 9162, tiles, signed notes, checkpoints and
//! proofs. Plain arithmetic and parsing: nothing here reads a file, a clock, the network or randomness.
//!
//! | text | here |
//! |---|---|
//! | RFC 9162 §2.1 | [`leaf_hash`], [`node_hash`], [`Edge`], [`inclusion_proof`], [`verify_inclusion`], [`consistency_proof`], [`verify_consistency`] |
//! | c2sp.org/tlog-tiles | [`Tile`], [`Level`], [`bundle`] |
//! | c2sp.org/signed-note | [`Note`], [`NoteSigner`], [`NoteVerifier`] |
//! | c2sp.org/tlog-checkpoint | [`Checkpoint`] |
//! | c2sp.org/tlog-cosignature | [`Algorithm::CosignatureV1`] |
//! | c2sp.org/tlog-proof | [`Proof`] |
//! | c2sp.org/tlog-witness | [`AddCheckpoint`] |
//!
//! A checkpoint, as it is served:
//!
//! ```text
//! tickmark/1f0c2d9a77b3e410
//! 3
//! Bt7Yp9HfvWDVt+...=
//!
//! — tickmark/1f0c2d9a77b3e410 8V0zA1b2...=
//! ```

mod checkpoint;
mod note;
mod proof;
mod tile;
mod tree;

pub use checkpoint::{AddCheckpoint, Checkpoint};
pub use note::{Algorithm, Note, NoteSignature, NoteSigner, NoteVerifier, Verified};
pub use proof::Proof;
pub use tile::{Level, TILE_WIDTH, Tile, bundle, new_tiles};
pub use tree::{
    EMPTY_ROOT, Edge, Hash, Subtree, consistency_proof, inclusion_proof, leaf_hash, node_hash, root_of,
    subtree_hash, tree_hash, verify_consistency, verify_inclusion,
};

/// The largest tree: sizes are signed 63-bit numbers in other implementations.
pub const MAX_SIZE: u64 = i64::MAX as u64;

/// What can be wrong with a proof, a note, a tile or a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Bytes that don't have the form the specification asks for.
    #[error("no valid {what}: {why}")]
    Form {
        /// What they should be.
        what: &'static str,
        /// What is wrong with them.
        why: String,
    },
    /// A proof that doesn't lead to the root.
    #[error("the {what} doesn't lead to the signed root")]
    Proof {
        /// Which proof.
        what: &'static str,
    },
    /// A proof asked for outside the tree.
    #[error("{index} lies outside a tree of {size} entries")]
    Outside {
        /// Index or older size.
        index: u64,
        /// Size of the tree.
        size: u64,
    },
    /// A signature by a known key over other bytes.
    #[error("the signature by `{name}` doesn't fit the text: the text or the signature was altered")]
    Signature {
        /// Name of the key.
        name: String,
    },
    /// No signature by any of the given keys.
    #[error("no signature by a known key; the note bears signatures by: {found}")]
    Unsigned {
        /// Names on the note.
        found: String,
    },
}

impl Error {
    pub(crate) fn form(what: &'static str, why: impl Into<String>) -> Self {
        Self::Form { what, why: why.into() }
    }
}
