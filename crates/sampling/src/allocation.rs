//! How many items each stratum gets.

use crate::Refused;

/// Divides `size` items over strata of `rows` rows: in proportion, by largest remainder, at least one where there is a row.
///
/// A stratum whose share is less than one gets one and is left out of the rest, until no such stratum is left; the others get
/// the whole part of their share of what remains, and the largest remainders one more. Of equal remainders the stratum that
/// stands first has it.
///
/// # Errors
/// More items than rows, none, or fewer than strata with rows.
pub fn allocate(size: u64, rows: &[u64]) -> Result<Vec<u64>, Refused> {
    let all: u64 = rows.iter().sum();
    let strata = rows.iter().filter(|r| **r > 0).count() as u64;
    if size == 0 {
        return Err(Refused::Nothing);
    }
    if size > all {
        return Err(Refused::TooMany { asked: size, rows: all });
    }
    if size < strata {
        return Err(Refused::TooFewForStrata { asked: size, strata });
    }
    let mut given = vec![0; rows.len()];
    let mut open: Vec<usize> = (0..rows.len()).filter(|s| rows[*s] > 0).collect();
    let (mut left, mut among) = (size, all);
    let share = |stratum: usize, left: u64, among: u64| {
        u128::from(rows[stratum]) * u128::from(left) / u128::from(among)
    };
    loop {
        let (small, rest): (Vec<usize>, Vec<usize>) = open.iter().partition(|s| share(**s, left, among) == 0);
        open = rest;
        if small.is_empty() {
            break;
        }
        for stratum in small {
            given[stratum] = 1;
            left -= 1;
            among -= rows[stratum];
        }
    }
    let mut unplaced = left;
    for stratum in &open {
        given[*stratum] = share(*stratum, left, among) as u64;
        unplaced -= given[*stratum];
    }
    let remainder = |s: &usize| u128::from(rows[*s]) * u128::from(left) % u128::from(among);
    // A stable sort: what stands first stays first among equals.
    open.sort_by_key(|s| std::cmp::Reverse(remainder(s)));
    open.iter().take(unplaced as usize).for_each(|stratum| given[*stratum] += 1);
    Ok(given)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(size: u64, rows: &[u64], expect: &[u64]) {
        assert_eq!(allocate(size, rows).as_deref(), Ok(expect), "{size} of {rows:?}");
    }

    #[test]
    fn in_proportion_by_largest_remainder() {
        check(10, &[50, 30, 20], &[5, 3, 2]);
        // Shares 4.7, 3.2, 2.1: the largest remainder has the tenth.
        check(10, &[47, 32, 21], &[5, 3, 2]);
        // Shares 1.5 and 1.5: what stands first.
        check(3, &[10, 10], &[2, 1]);
        check(25, &[25], &[25]);
    }

    #[test]
    fn at_least_one_where_there_is_a_row() {
        check(10, &[990, 5, 5], &[8, 1, 1]);
        check(3, &[1000, 0, 1, 1], &[1, 0, 1, 1]);
        // The shares 9.78 and 0.98 and 0.24 of eleven: the last gets its one, whereupon the second has 0.91 of ten.
        check(11, &[800, 80, 20], &[9, 1, 1]);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert_eq!(allocate(0, &[3]), Err(Refused::Nothing));
        assert_eq!(allocate(4, &[3]), Err(Refused::TooMany { asked: 4, rows: 3 }));
        assert_eq!(allocate(2, &[3, 3, 0, 3]), Err(Refused::TooFewForStrata { asked: 2, strata: 3 }));
    }

    proptest! {
        #[test]
        fn every_item_is_given_and_no_stratum_gets_more_than_it_has(
            rows in proptest::collection::vec(0_u64..2_000, 1..12),
            part in 0.0_f64..=1.0,
        ) {
            let all: u64 = rows.iter().sum();
            let size = (all as f64 * part) as u64;
            if let Ok(given) = allocate(size, &rows) {
                prop_assert_eq!(given.iter().sum::<u64>(), size);
                for (got, has) in given.iter().zip(&rows) {
                    prop_assert!(got <= has);
                    prop_assert_eq!(*got == 0, *has == 0);
                    // Nobody gets two more than their share.
                    prop_assert!(*got <= 1 + *has * size / all);
                }
            }
        }
    }
}
