//! What the tests of several engines share: servers of their own, the running of cases, and the comparison of answers.
//!
//! Engines that are not installed are skipped with a word, except where `TICKMARK_CI=1` says that everything is there.

pub mod cases;
pub mod duckdb;
pub mod server;

/// Says why something was not tested; in CI that is a failure.
///
/// # Panics
/// When `TICKMARK_CI=1`.
#[expect(clippy::print_stderr, reason = "tests speak to people on the terminal")]
pub fn skipped(reason: &str) {
    assert!(
        std::env::var("TICKMARK_CI").as_deref() != Ok("1"),
        "{reason}, and TICKMARK_CI=1 asks for everything"
    );
    eprintln!("skipped: {reason}");
}
