//! Chance that is the same for good: SHA-256 of a key and a counter, and keys that are forked by name, so that whoever adds a
//! throw somewhere changes none elsewhere.

use sha2::{Digest as _, Sha256};

/// A stream of chance.
#[derive(Clone, Debug)]
pub(crate) struct Rng {
    key: [u8; 32],
    block: [u8; 32],
    used: usize,
    counter: u64,
}

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"tickmark simulate 1\n");
        hash.update(seed.to_be_bytes());
        Self::of(hash.finalize().into())
    }

    const fn of(key: [u8; 32]) -> Self {
        Self { key, block: [0; 32], used: 32, counter: 0 }
    }

    /// Another stream, told apart by its name. What was drawn from this one does not count.
    pub(crate) fn fork(&self, name: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(b"fork ");
        hash.update(name.as_bytes());
        Self::of(hash.finalize().into())
    }

    fn next(&mut self) -> u64 {
        if self.used == self.block.len() {
            let mut hash = Sha256::new();
            hash.update(self.key);
            hash.update(self.counter.to_be_bytes());
            self.block = hash.finalize().into();
            self.counter += 1;
            self.used = 0;
        }
        let mut word = [0; 8];
        word.copy_from_slice(&self.block[self.used..self.used + 8]);
        self.used += 8;
        u64::from_be_bytes(word)
    }

    /// A number from 0 to below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        // The product's upper half: even to one part in 2^64 for any `n` there is here.
        let scaled = u128::from(self.next()) * n as u128;
        usize::try_from(scaled >> 64).unwrap_or(0)
    }

    /// A number from `low` to `high`, both possible.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = usize::try_from(high - low + 1).unwrap_or(1).max(1);
        low + i64::try_from(self.below(width)).unwrap_or(0)
    }

    /// True so many times of a hundred.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these; there is at least one.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_for_good() {
        // SHA-256 of the key and a counter of eight bytes, its first eight bytes as a number, worked out by another program.
        let mut rng = Rng::new(7);
        let drawn: Vec<i64> = (0..5).map(|_| rng.between(0, 999_999)).collect();
        assert_eq!(drawn, DRAWN);
        // Forks neither change what is drawn nor depend on it.
        let before = Rng::new(7).fork("a").next();
        assert_eq!(rng.fork("a").next(), before);
        assert_ne!(rng.fork("b").next(), before);
    }

    const DRAWN: [i64; 5] = [635_899, 54_259, 377_498, 27_814, 937_602];

    #[test]
    fn every_number_comes_and_none_beyond() {
        let mut rng = Rng::new(1);
        let mut seen = [0; 7];
        for _ in 0..7_000 {
            seen[usize::try_from(rng.between(-3, 3) + 3).unwrap()] += 1;
        }
        assert!(seen.iter().all(|n| (800..1_200).contains(n)), "{seen:?}");
    }
}
