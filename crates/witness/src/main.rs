//! `tickmark-witness`: reads clock and randomness; everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    witness::run(std::env::args_os(), witness::Machine { clock, entropy })
}

/// Seconds since 1970; 0 for a clock before that, at which nothing is signed.
#[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
fn clock() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}

fn entropy(bytes: &mut [u8]) -> std::io::Result<()> {
    getrandom::fill(bytes).map_err(std::io::Error::other)
}
