//! What the tests of several engines share: servers of their own, the running of cases, and the comparison of answers.
//!
//! Engines that are not installed are skipped with a word, except where `TICKMARK_CI=1` says that everything is there.

pub mod accuracy;
mod again;
pub mod cases;
pub mod duckdb;
pub mod invariants;
pub mod mutants;
pub mod server;

/// A folder in memory where there is one: what is tested is what engines answer, not the disk behind them.
///
/// # Errors
/// What the system says.
pub fn folder() -> std::io::Result<tempfile::TempDir> {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}

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
