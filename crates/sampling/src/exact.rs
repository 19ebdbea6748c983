//! Natural numbers without an end: sums of binomials are compared exactly, for a logarithm of a factorial is not exact.

use std::cmp::Ordering;

/// A natural number, the least significant limb first and no zero limb last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Natural(Vec<u64>);

impl Natural {
    pub(crate) fn new(number: u64) -> Self {
        Self(if number == 0 { vec![] } else { vec![number] })
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.0.resize(self.0.len().max(other.0.len()), 0);
        let mut carry = 0;
        for (place, limb) in self.0.iter_mut().enumerate() {
            let sum = u128::from(*limb) + u128::from(other.0.get(place).copied().unwrap_or(0)) + carry;
            *limb = sum as u64;
            carry = sum >> 64;
        }
        if carry > 0 {
            self.0.push(carry as u64);
        }
    }

    pub(crate) fn multiply(&mut self, by: u64) {
        let mut carry = 0;
        for limb in &mut self.0 {
            let product = u128::from(*limb) * u128::from(by) + carry;
            *limb = product as u64;
            carry = product >> 64;
        }
        if carry > 0 {
            self.0.push(carry as u64);
        }
        self.trim();
    }

    /// Divides by what is a divisor.
    pub(crate) fn divide(&mut self, by: u64) {
        let mut rest = 0;
        for limb in self.0.iter_mut().rev() {
            let dividend = rest << 64 | u128::from(*limb);
            *limb = (dividend / u128::from(by)) as u64;
            rest = dividend % u128::from(by);
        }
        debug_assert_eq!(rest, 0, "`{by}` is no divisor");
        self.trim();
    }

    pub(crate) fn times(&self, other: &Self) -> Self {
        let mut product = vec![0; self.0.len() + other.0.len()];
        for (low, left) in self.0.iter().enumerate() {
            let mut carry = 0;
            for (high, right) in other.0.iter().enumerate() {
                let sum = u128::from(*left) * u128::from(*right) + u128::from(product[low + high]) + carry;
                product[low + high] = sum as u64;
                carry = sum >> 64;
            }
            product[low + other.0.len()] = carry as u64;
        }
        let mut product = Self(product);
        product.trim();
        product
    }

    pub(crate) fn power(base: u64, exponent: u64) -> Self {
        let mut power = Self::new(1);
        for place in (0..u64::BITS - exponent.leading_zeros()).rev() {
            power = power.times(&power);
            if exponent >> place & 1 == 1 {
                power.multiply(base);
            }
        }
        power
    }

    /// How many ways there are to choose `k` of `n`.
    pub(crate) fn choose(n: u64, k: u64) -> Self {
        let mut ways = Self::new(u64::from(k <= n));
        for i in 0..k.min(n.saturating_sub(k)) {
            ways.multiply(n - i);
            ways.divide(i + 1);
        }
        ways
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn big(number: u128) -> Natural {
        let mut natural = Natural(vec![number as u64, (number >> 64) as u64]);
        natural.trim();
        natural
    }

    proptest! {
        #[test]
        fn agrees_with_numbers_of_128_bits(a in any::<u64>(), b in 1..=u64::MAX, c in any::<u128>(), d in any::<u128>()) {
            let product = u128::from(a) * u128::from(b);
            let mut natural = Natural::new(a);
            natural.multiply(b);
            prop_assert_eq!(&natural, &big(product));
            prop_assert_eq!(&Natural::new(a).times(&Natural::new(b)), &big(product));
            natural.divide(b);
            prop_assert_eq!(natural, Natural::new(a));
            let mut sum = big(c >> 1);
            sum.add(&big(d >> 1));
            prop_assert_eq!(sum, big((c >> 1) + (d >> 1)));
            prop_assert_eq!(big(c).cmp(&big(d)), c.cmp(&d));
        }
    }

    #[test]
    fn carries_beyond_a_limb() {
        let mut all = big(u128::MAX);
        all.add(&Natural::new(1));
        assert_eq!(all, Natural::power(2, 128));
        assert_eq!(Natural::power(10, 0), Natural::new(1));
        assert_eq!(Natural::choose(52, 5), Natural::new(2_598_960));
        assert_eq!(Natural::choose(3, 5), Natural::new(0));
        assert_eq!(Natural::choose(100, 97), Natural::new(161_700));
    }
}
