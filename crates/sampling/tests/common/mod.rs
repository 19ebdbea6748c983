//! Python beside us: the second opinion of the tests.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// What Python prints for `arguments`, given `input`; `None`, said aloud, where there is no Python and there needn't be one.
pub(crate) fn python(arguments: &[&str], input: &str) -> Option<String> {
    let mut command = Command::new("python3");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            assert!(std::env::var_os("TICKMARK_CI").is_none(), "python3: {error}");
            println!("skipped: python3 is missing");
            return None;
        }
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    Some(String::from_utf8(output.stdout).unwrap())
}
