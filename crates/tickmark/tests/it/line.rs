//! The command line itself: help, completions, the manual page, and where the workspace is.

use std::fs;
use std::process::Stdio;

use crate::support::{ANN, Home, Repo, ran};

#[test]
fn help() {
    let home = Home::new();
    insta::assert_snapshot!("help", home.does("--help"));
    insta::assert_snapshot!("help_check", home.does("check --help"));
    // Every command explains itself, and so does every command below it.
    let commands = |said: &str| -> Vec<String> {
        let block = said.split("\nCommands:\n").nth(1).unwrap_or("").split("\n\n").next().unwrap_or("");
        let rows = block.lines().filter(|l| l.starts_with("  ") && !l.starts_with("   "));
        rows.filter_map(|l| l.split_whitespace().next()).filter(|c| *c != "help").map(str::to_owned).collect()
    };
    let top = commands(&home.does("--help"));
    assert!(top.len() >= 9, "{top:?}");
    for command in top {
        let said = home.does(&format!("{command} --help"));
        assert!(said.contains("Usage: tickmark "), "{said}");
        for below in commands(&said) {
            assert!(home.does(&format!("{command} {below} --help")).contains("Usage: tickmark "));
        }
    }
    assert_eq!(crate::support::files(home.path()), Vec::<String>::new(), "help makes nothing");
}

#[test]
fn completions_and_the_manual_page() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = home.does(&format!("completions {shell}"));
        assert!(script.contains("fail-on") && script.contains("verify"), "{shell}: {script}");
    }
    let page = home.does("man");
    assert!(page.starts_with(".ie \\n(.g") || page.contains(".TH tickmark"), "{page}");
    assert!(page.contains("verify"), "{page}");
    assert_eq!(crate::support::files(home.path()), Vec::<String>::new());
}

#[test]
fn a_wrong_command_line_ends_with_two() {
    let home = Home::new();
    for line in
        ["", "chek", "check --frm 2025-01-01", "check --fail-on never", "ledger show x", "check --pull x"]
    {
        let ran = home.run(line.split_whitespace());
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{line}: {}", ran.err);
        assert!(ran.err.contains("--help") || ran.err.contains("Usage: tickmark"), "{line}: {}", ran.err);
    }
    let version = home.does("--version");
    assert_eq!(version, format!("tickmark {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let home = Home::new();
    let repository = Repo::new();
    repository.commit("one", "2025-01-01T00:00:00Z", ANN);
    let mut child = home
        .command(["check", &repository.shown()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    home.works();
}

#[test]
fn the_workspace_is_where_it_was_named() {
    let home = Home::new();
    let repository = Repo::new();
    repository.commit("one", "2025-01-09T10:00:00Z", ANN);
    let path = repository.shown();

    // Named, and not there.
    home.refuses(&format!("--workspace acme check {path}"), &["is no workspace", "tickmark init", "acme"]);
    // Both ways of naming make it, and a second time nothing changes.
    let made = home.does("--workspace acme init --organisation Acme");
    assert!(made.contains(&format!("made the workspace {}", home.path().join("acme").display())), "{made}");
    let text = fs::read_to_string(home.path().join("acme/tickmark.toml")).unwrap();
    assert!(text.contains("organisation = \"Acme\""), "{text}");
    home.refuses("init acme", &["is a workspace already", "nothing was changed"]);
    home.refuses("--workspace acme init other", &["two folders are named"]);
    home.does("init halden");
    assert!(home.path().join("halden/tickmark.toml").is_file());
    assert!(!home.path().join("tickmark.toml").exists());

    // It is used, and the way back to it is said.
    let said = home.does(&format!("--workspace acme check {path}"));
    assert!(said.contains("tickmark --workspace acme verify"), "{said}");
    home.does("--workspace acme verify");
    assert!(!home.workspace().exists(), "nothing lies in the data folder");

    // The nearest one upwards.
    let below = home.path().join("halden/deep/down");
    fs::create_dir_all(&below).unwrap();
    ran(home.command(["check", &path]).current_dir(&below)).succeeded();
    assert!(home.path().join("halden/data/log/checkpoint").is_file());

    // Else the data folder, and that is said.
    let ran = home.run(["check", &path]);
    assert!(ran.err.contains(&format!("workspace {}", home.workspace().display())), "{}", ran.err);
    ran.succeeded();
    assert!(home.data().join("log/checkpoint").is_file());
}

#[test]
fn without_a_home_it_says_what_to_name() {
    let home = Home::new();
    let repository = Repo::new();
    repository.commit("one", "2025-01-09T10:00:00Z", ANN);
    ran(home.command(["check", &repository.shown()]).env_remove("HOME")).refused(&[
        "HOME is not set",
        "--workspace DIR",
        "TICKMARK_KEY_FILE",
    ]);
    // So named, no home is needed.
    home.does("init acme");
    fs::write(home.path().join("key"), [7; 32]).unwrap();
    ran(home
        .command(["--workspace", "acme", "check", &repository.shown()])
        .env_remove("HOME")
        .env("TICKMARK_KEY_FILE", home.path().join("key")))
    .succeeded();
}

#[test]
fn the_key_is_kept_from_others_and_never_replaced() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    home.works();
    let key = home.path().join(".config/tickmark/key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let right = fs::read(&key).unwrap();

    fs::write(&key, [9; 32]).unwrap();
    let repository = Repo::new();
    repository.commit("one", "2025-01-09T10:00:00Z", ANN);
    home.refuses(
        &format!("check {}", repository.shown()),
        &["does not open the evidence", "TICKMARK_KEY_FILE"],
    );
    assert_eq!(home.run(["verify"]).code, Some(1));
    fs::write(&key, "short").unwrap();
    home.refuses("verify", &["holds no wrapping key", "64 hexadecimal digits"]);

    fs::write(&key, right).unwrap();
    home.works();
}

#[test]
fn before_anything_was_collected() {
    let home = Home::new();
    home.refuses("verify", &["holds no evidence yet", "tickmark check"]);
    home.refuses("verify /nowhere", &["`/nowhere` is no workspace", "tickmark-verify"]);
    home.refuses("collect", &["has no source", "tickmark source add github"]);
    home.refuses("source check", &["has no source", "tickmark source add github"]);
    home.refuses("check --source acme/app", &["has no source"]);
}
