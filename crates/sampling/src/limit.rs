//! What a sample says of its population: upper limits of the rate of deviations, compared with whole numbers and so exact.

use std::fmt;

use crate::exact::Natural;

/// The largest sample for which limits are worked out.
pub const MOST_TESTED: u64 = 5_000;

/// In how many parts a limit of the binomial kind is told: a millionth is finer than anybody tolerates.
const PARTS: u64 = 1_000_000;

/// One minus the risk of relying too much, in percent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Confidence(u64);

impl Confidence {
    /// The lower of the two that are in use.
    pub const NINETY: Self = Self(90);
    /// The higher.
    pub const NINETY_FIVE: Self = Self(95);

    /// Takes a whole percentage from 50 to 99: below, a limit would be a guess; at 100, all that was not looked at.
    #[must_use]
    pub const fn new(percent: u64) -> Option<Self> {
        if percent >= 50 && percent <= 99 { Some(Self(percent)) } else { None }
    }

    /// The percentage.
    #[must_use]
    pub const fn percent(self) -> u64 {
        self.0
    }

    /// Whether `part` of `whole` is at most the risk.
    fn leaves(self, mut part: Natural, mut whole: Natural) -> bool {
        part.multiply(100);
        whole.multiply(100 - self.0);
        part <= whole
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

/// A part of a whole. Shown as a percentage with one decimal; compared, it is exact.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    part: u64,
    whole: u64,
}

impl Share {
    /// `part` of `whole`; nothing of nothing is nothing.
    #[must_use]
    pub fn new(part: u64, whole: u64) -> Self {
        Self { part, whole: whole.max(1) }
    }

    /// How many.
    #[must_use]
    pub const fn part(self) -> u64 {
        self.part
    }

    /// Of how many.
    #[must_use]
    pub const fn whole(self) -> u64 {
        self.whole
    }
}

impl PartialEq for Share {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Share {}

impl PartialOrd for Share {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Share {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let cross = |a: &Self, b: &Self| u128::from(a.part) * u128::from(b.whole);
        cross(self, other).cmp(&cross(other, self))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = u128::from(self.whole);
        let tenths = (u128::from(self.part) * 2_000 + whole) / (2 * whole);
        write!(f, "{}.{} %", tenths / 10, tenths % 10)
    }
}

/// Up to which rate the population may deviate, at a confidence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    /// At which confidence.
    pub confidence: Confidence,
    /// The rate; of a finite population the number of its items.
    pub share: Share,
    /// Whether the population counted as finite: more than a twentieth of it was tested.
    pub finite: bool,
}

/// The upper limit of `deviating` in `tested` out of `rows`: hypergeometric where more than 5 % was tested, else binomial.
#[must_use]
pub fn limit(tested: u64, deviating: u64, rows: u64, confidence: Confidence) -> Limit {
    let finite = u128::from(tested) * 20 > u128::from(rows);
    let share = if finite {
        Share::new(hypergeometric_limit(tested, deviating, rows, confidence), rows)
    } else {
        binomial_limit(tested, deviating, confidence)
    };
    Limit { confidence, share, finite }
}

/// The smallest rate at which `deviating` or fewer of `tested` are no more likely than the risk (Clopper and Pearson, one
/// side), rounded up to a millionth.
#[must_use]
pub fn binomial_limit(tested: u64, deviating: u64, confidence: Confidence) -> Share {
    let enough = |parts| binomial_leaves(tested, deviating, Share::new(parts, PARTS), confidence);
    Share::new(first(0, PARTS, enough), PARTS)
}

/// The largest number of deviating items among `rows` at which `deviating` or fewer of `tested` are more likely than the risk.
#[must_use]
pub fn hypergeometric_limit(tested: u64, deviating: u64, rows: u64, confidence: Confidence) -> u64 {
    let tested = tested.min(rows);
    let deviating = deviating.min(tested);
    let whole = Natural::choose(rows, tested);
    // More than that cannot be: what was tested and passed doesn't deviate.
    let most = rows - (tested - deviating);
    let too_many = |bad| confidence.leaves(ways(tested, deviating, rows, bad), whole.clone());
    // Fewer than were found cannot be either; of those that were found, `deviating` or fewer are certain.
    first(deviating + 1, most + 1, too_many) - 1
}

/// The smallest sample that leaves no more than the tolerable rate when `deviating` items deviate; `None` where it would be
/// larger than [`MOST_TESTED`].
#[must_use]
pub fn minimum_size(confidence: Confidence, tolerable: Share, deviating: u64) -> Option<u64> {
    let enough = |tested| binomial_leaves(tested, deviating, tolerable, confidence);
    let size = first(deviating + 1, MOST_TESTED + 1, enough);
    (size <= MOST_TESTED).then_some(size)
}

/// The first number in `[from, to)` of which `holds`, which goes on holding; else `to`.
fn first(mut from: u64, mut to: u64, holds: impl Fn(u64) -> bool) -> u64 {
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) { to = middle } else { from = middle + 1 }
    }
    from
}

/// Whether `deviating` or fewer of `tested` are no more likely than the risk, when each deviates with the chance `rate`.
fn binomial_leaves(tested: u64, deviating: u64, rate: Share, confidence: Confidence) -> bool {
    if deviating >= tested {
        return false;
    }
    let (bad, good) = (rate.part.min(rate.whole), rate.whole.saturating_sub(rate.part));
    // Σ C(n,i)·badⁱ·goodⁿ⁻ⁱ over i ≤ k, times goodⁿ⁻ᵏ at the end only.
    let mut term = Natural::new(1);
    let mut sum = Natural::new(1);
    for i in 0..deviating {
        term.multiply(tested - i);
        term.divide(i + 1);
        term.multiply(bad);
        sum.multiply(good);
        sum.add(&term);
    }
    let part = sum.times(&Natural::power(good, tested - deviating));
    confidence.leaves(part, Natural::power(rate.whole, tested))
}

/// In how many ways `tested` of `rows`, of which `bad` deviate, hold `deviating` or fewer that do.
fn ways(tested: u64, deviating: u64, rows: u64, bad: u64) -> Natural {
    let good = rows - bad;
    let fewest = tested.saturating_sub(good);
    let mut term = Natural::choose(bad, fewest).times(&Natural::choose(good, tested - fewest));
    let mut sum = Natural::new(0);
    for i in fewest..=deviating {
        sum.add(&term);
        if i == deviating || i == tested {
            break;
        }
        term.multiply(bad.saturating_sub(i));
        term.divide(i + 1);
        term.multiply(tested - i);
        term.divide(good + i + 1 - tested);
    }
    sum
}
