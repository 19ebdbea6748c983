//! Audit samples: drawn from a frozen population by a protocol that anybody can repeat, and what may be concluded from them.
//!
//! `docs/sampling.md` says the protocol byte by byte. Nothing here reads a clock, a file or a source of randomness: the same
//! root, checkpoint and nonce give the same sample.

mod allocation;
mod exact;
mod limit;
mod sample;
mod size;
mod stream;

pub use allocation::allocate;
pub use limit::{
    Confidence, Limit, MOST_TESTED, Share, binomial_limit, hypergeometric_limit, limit, minimum_size,
};
pub use sample::{
    Evaluation, Finding, Invalid, InvalidBecause, Named, NoConfidence, Part, Pick, Sample, Selection,
    SizeBasis, Stratum,
};
pub use size::{Frequency, Profile, SMALL, Size, size};
pub use stream::{NONCE_BYTES, Nonce, Numbers, Picks, Seed};

/// Why something was not drawn.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// The nonce is too short to be unguessable, or too long to be one.
    #[error("the nonce has {0} bytes; it has at least {min} of them and at most {max}", min = NONCE_BYTES.start(), max = NONCE_BYTES.end())]
    Nonce(usize),
    /// The nonce is not written in hexadecimal.
    #[error("the nonce is not written in hexadecimal digits, two a byte")]
    NonceForm,
    /// More is asked for than there is.
    #[error("{asked} items cannot be drawn from {rows}; a sample is at most the whole population")]
    TooMany {
        /// What was asked for.
        asked: u64,
        /// What there is.
        rows: u64,
    },
    /// Nothing is asked for.
    #[error("a sample of no items says nothing; ask for at least one")]
    Nothing,
    /// Fewer items than strata.
    #[error("{asked} items cannot reach {strata} strata; every stratum that isn't empty gets at least one")]
    TooFewForStrata {
        /// What was asked for.
        asked: u64,
        /// How many strata have rows.
        strata: u64,
    },
    /// Two strata of one name would share a stream, or a row stands in two.
    #[error("the strata don't divide the population: {0}")]
    Strata(String),
    /// An extension that would make the sample smaller.
    #[error("the sample has {has} items already; an extension asks for more than that")]
    NotMore {
        /// What it has.
        has: u64,
    },
    /// Named items have no stream from which more could come.
    #[error("the items were named, not drawn; name the further ones instead")]
    NoStream,
    /// The row is not in the sample, or was replaced before.
    #[error("row {0} is not an item of the sample that is in force")]
    NotDrawn(u64),
    /// The row stands in the sample already.
    #[error("row {0} is named twice")]
    Twice(u64),
    /// Everything there is was drawn.
    #[error("there is no further item: all {0} rows of the stratum were drawn")]
    Exhausted(u64),
    /// A reason is missing.
    #[error("row {0} has no reason; what is named or replaced needs one")]
    NoReason(u64),
}
