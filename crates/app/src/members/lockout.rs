//! How long somebody who was wrong has to wait before the next try.
//!
//! Three counts: of an address, of an account as tried from devices that it was never signed in from, and of each device that it
//! was signed in from. So a stranger who keeps trying holds up strangers: whoever has signed in on their machine before goes on
//! doing so. The wait grows and has an end; nothing is locked for good.

use model::Instant;
use store::state::secrets::Attempts;

/// After this much quiet all is forgotten.
pub(crate) const MEMORY_MS: i64 = 24 * 60 * 60 * 1000;
/// The first wait, and the longest.
const FIRST_MS: i64 = 5_000;
const LONGEST_MS: i64 = 15 * 60 * 1000;
/// How often one may be wrong without a wait: on an account or a device, and at an address, where a whole office may sit.
pub(crate) const FREE_OF_ACCOUNT: i64 = 5;
pub(crate) const FREE_OF_ADDRESS: i64 = 20;

/// What is left of the wait.
pub(crate) fn wait_ms(attempts: Attempts, free: i64, now: Instant) -> i64 {
    let over = attempts.failures - free;
    if over < 0 {
        return 0;
    }
    // Doubled sixteen times it is beyond the longest already.
    let wait = (FIRST_MS << over.min(16)).min(LONGEST_MS);
    // Where the clock was set back, the wait begins anew: it neither ends sooner nor lasts longer than itself.
    let since = (now.ms() - attempts.last_at.ms()).max(0);
    (wait - since).max(0)
}

/// Takes a try for a failure until it turns out to be none, so that many at once are as many. Gives what is left of a wait, in
/// which case nothing was tried.
pub(crate) fn weigh(attempts: &mut [Attempts], free: &[i64], now: Instant) -> Option<i64> {
    let waits = attempts.iter().zip(free).map(|(attempts, free)| wait_ms(*attempts, *free, now));
    if let Some(wait) = waits.max().filter(|wait| *wait > 0) {
        for attempts in attempts.iter_mut() {
            attempts.last_at = attempts.last_at.min(now);
        }
        return Some(wait);
    }
    for attempts in attempts {
        attempts.failures += 1;
        attempts.last_at = now;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(failures: i64, at: i64) -> Attempts {
        Attempts { failures, last_at: Instant::from_seconds(at) }
    }

    #[test]
    fn the_wait_grows_and_has_an_end() {
        let wait =
            |failures, later: i64| wait_ms(failed(failures, 1000), 5, Instant::from_seconds(1000 + later));
        assert_eq!((wait(0, 0), wait(4, 0)), (0, 0));
        assert_eq!((wait(5, 0), wait(6, 0), wait(7, 0)), (5_000, 10_000, 20_000));
        assert_eq!((wait(5, 3), wait(5, 5)), (2_000, 0));
        for failures in [13, 100, i64::MAX] {
            assert_eq!((wait(failures, 0), wait(failures, 900)), (900_000, 0));
        }
    }

    #[test]
    fn a_clock_that_is_set_back_begins_the_wait_anew() {
        let mut attempts = [failed(5, 1000)];
        assert_eq!(weigh(&mut attempts, &[5], Instant::from_seconds(10)), Some(5_000));
        assert_eq!(attempts[0], failed(5, 10), "what is refused is no try");
        assert_eq!(weigh(&mut attempts, &[5], Instant::from_seconds(14)), Some(1_000));
        assert_eq!(weigh(&mut attempts, &[5], Instant::from_seconds(15)), None);
        assert_eq!(attempts[0], failed(6, 15));
    }

    #[test]
    fn the_longest_wait_counts() {
        let mut attempts = [failed(0, 0), failed(6, 100)];
        assert_eq!(weigh(&mut attempts, &[20, 5], Instant::from_seconds(100)), Some(10_000));
        assert_eq!(attempts[0].failures, 0);
    }
}
