//! The stream of numbers behind a draw: SHA-256 of a seed and a counter, cut to a bound without favouring any number.

use std::collections::HashSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::Refused;

/// How many bytes a nonce has.
pub const NONCE_BYTES: RangeInclusive<usize> = 16..=64;

const DRAW: &[u8] = b"tickmark/draw/v1";
const STRATUM: &[u8] = b"tickmark/stratum/v1";

/// What the auditor gives, and nobody else could know before: at least 128 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Nonce(Vec<u8>);

impl Nonce {
    /// Takes the bytes if there are enough of them.
    ///
    /// # Errors
    /// Fewer or more bytes than [`NONCE_BYTES`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, Refused> {
        if NONCE_BYTES.contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(Refused::Nonce(bytes.len())) }
    }

    /// SHA-256 of the bytes: what the auditor may lodge before the population is frozen.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }
}

impl FromStr for Nonce {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        let digit = |c: u8| char::from(c).to_digit(16).map(|d| d as u8).ok_or(Refused::NonceForm);
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if !rest.is_empty() {
            return Err(Refused::NonceForm);
        }
        let bytes: Result<Vec<u8>, Refused> =
            pairs.iter().map(|[high, low]| Ok(digit(*high)? << 4 | digit(*low)?)).collect();
        Self::new(bytes?)
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a stream begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seed(pub [u8; 32]);

impl Seed {
    /// SHA-256("tickmark/draw/v1" ‖ root of the population ‖ hash of the checkpoint ‖ nonce).
    ///
    /// The root fixes what is drawn from, the checkpoint that it was fixed before, and the nonce keeps both sides from
    /// choosing: whoever makes the population cannot know it, whoever gives it cannot know the root when its hash was lodged.
    #[must_use]
    pub fn new(root: &[u8; 32], checkpoint: &[u8; 32], nonce: &Nonce) -> Self {
        Self::of(&[DRAW, root, checkpoint, &nonce.0])
    }

    /// The seed of a stratum's own stream: SHA-256("tickmark/stratum/v1" ‖ seed ‖ label).
    #[must_use]
    pub fn stratum(&self, label: &str) -> Self {
        Self::of(&[STRATUM, &self.0, label.as_bytes()])
    }

    fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        parts.iter().for_each(|part| hasher.update(part));
        Self(hasher.finalize().into())
    }
}

/// Numbers below a bound, each as likely as any other, for ever.
#[derive(Clone, Debug)]
pub struct Numbers {
    seed: Seed,
    counter: u64,
    bound: u64,
}

impl Numbers {
    /// The stream of `seed` below `bound`; below nothing there is no number.
    #[must_use]
    pub const fn new(seed: Seed, bound: u64) -> Self {
        Self { seed, counter: 0, bound }
    }
}

impl Iterator for Numbers {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        // What is at or beyond the last whole multiple of the bound would favour the small remainders: it is passed over.
        let beyond = (u64::MAX % self.bound.max(1) + 1) % self.bound.max(1);
        while self.bound > 0 {
            let block = Seed::of(&[&self.seed.0, &self.counter.to_be_bytes()]).0;
            self.counter += 1;
            let (first, _) = block.split_first_chunk().unwrap_or((&[0; 8], &[]));
            let number = u64::from_be_bytes(*first);
            if number <= u64::MAX - beyond {
                return Some(number % self.bound);
            }
        }
        None
    }
}

/// The rows of a population in the order in which a stream draws them, each once: a number that came before is passed over.
///
/// So the k-th pick doesn't depend on how many are drawn: replacements and extensions are the picks that follow.
#[derive(Clone, Debug)]
pub struct Picks {
    numbers: Numbers,
    drawn: HashSet<u64>,
}

impl Picks {
    /// The order of `rows` rows.
    #[must_use]
    pub fn new(seed: Seed, rows: u64) -> Self {
        Self { numbers: Numbers::new(seed, rows), drawn: HashSet::new() }
    }

    /// Every n-th row from a random start: pick k is ⌊(u + k·rows) / size⌋, where u is the first number of the stream.
    ///
    /// u takes each of `rows` values equally often, and over all of them every row is picked `size` times: so each has the
    /// same chance, whether or not the interval `rows / size` is whole. What is drawn later follows from the same stream.
    pub(crate) fn systematic(&mut self, size: u64) -> Vec<u64> {
        let start = self.numbers.next().unwrap_or(0);
        let picks = every(start, self.numbers.bound, size);
        self.drawn.extend(&picks);
        picks
    }
}

/// The rows of a systematic sample that begins at `start`, which is below `rows`.
fn every(start: u64, rows: u64, size: u64) -> Vec<u64> {
    let row = |k: u64| (u128::from(start) + u128::from(k) * u128::from(rows)) / u128::from(size);
    (0..size).map(|k| row(k) as u64).collect()
}

impl Iterator for Picks {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        if self.drawn.len() as u64 >= self.numbers.bound {
            return None;
        }
        let drawn = &mut self.drawn;
        self.numbers.find(|number| drawn.insert(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::every;

    #[test]
    fn a_systematic_sample_gives_every_row_the_same_chance() {
        for rows in 1..60 {
            for size in 1..=rows {
                let mut times = vec![0; rows as usize];
                for start in 0..rows {
                    let picks = every(start, rows, size);
                    assert!(picks.is_sorted_by(|a, b| a < b), "{rows} {size} {start}: {picks:?}");
                    picks.iter().for_each(|row| times[*row as usize] += 1);
                }
                assert!(times.iter().all(|t| *t == size), "{rows} {size}: {times:?}");
            }
        }
    }

    #[test]
    fn a_whole_interval_is_the_textbook_rule() {
        // A random start in the first interval, then every fifth.
        assert_eq!(every(11, 20, 4), [2, 7, 12, 17]);
        assert_eq!(every(0, 20, 4), [0, 5, 10, 15]);
        assert_eq!(every(19, 20, 4), [4, 9, 14, 19]);
    }
}
