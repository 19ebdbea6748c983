//! What README.md and docs/ tell a newcomer to type works as it is written there.

use std::fs;
use std::path::Path;

use crate::support::{ANN, BOB, Home, JANUARY, Repo, ran};

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

#[test]
fn the_first_minute() {
    let readme = text("README.md");
    assert!(
        readme.contains("cargo run --release -- check .") && readme.contains("cargo run --release -- verify")
    );
    let home = Home::new();
    let repository = Repo::new();
    repository.commit("one", "2025-01-09T10:00:00Z", ANN);
    let said = ran(home.command(["check", "."]).current_dir(repository.path())).succeeded();
    assert!(said.contains("CANNOT CONCLUDE") && said.contains("would be supplied by GitHub"), "{said}");
    let said = ran(home.command(["verify"]).current_dir(repository.path())).succeeded();
    assert!(said.starts_with("holds: "), "{said}");
}

#[test]
fn every_command_of_the_table() {
    let readme = text("README.md");
    let home = Home::new();
    let repository = Repo::new();
    repository.commit(
        &format!("one\n\nReviewed-on: https://r.example.test/1\nReviewed-by: {BOB}"),
        "2025-01-09T10:00:00Z",
        ANN,
    );
    let path = repository.shown();
    let commands: Vec<&str> = readme
        .lines()
        .filter(|l| l.starts_with("| `"))
        .flat_map(|l| l.split('|').nth(1).unwrap().split('`').skip(1).step_by(2))
        .collect();
    // Each with what stands for its parameters filled in; a command that is new in the table must be added here.
    for command in commands {
        let line = match command {
            "tickmark init DIR" => "init acme".to_owned(),
            // tests/it/demo.rs runs it.
            "tickmark demo" | "--remove" => "demo --help".to_owned(),
            // tests/it/web.rs runs it: it serves until it is stopped.
            "tickmark serve" => "serve --help".to_owned(),
            "tickmark demo --serve" => "demo --help".to_owned(),
            // tests/it/mcp.rs runs it: it answers until nobody asks any more.
            "tickmark mcp" => "mcp --help".to_owned(),
            "proof N" => "ledger proof 1 --out proofs".to_owned(),
            "show N" => "ledger show 1".to_owned(),
            "source check" | "collect" | "restore" => format!("{command} --help"),
            "check --pull N [--post-status]" => "check --help".to_owned(),
            "anchor" | "erase" => format!("ledger {command} --help"),
            "freeze DIR" => "freeze frozen".to_owned(),
            "tickmark assess --from DATE --to DATE" => "assess --from 2025-01-01 --to 2025-01-31".to_owned(),
            "tickmark access --who NAME --as-of DATE" => {
                "access --who ann@example.test --as-of 2025-01-31".to_owned()
            }
            "register" | "triage" | "retest" | "close" => format!("deviation {command} --help"),
            "criteria decide" => "criteria decide --help".to_owned(),
            "access --system NAME" | "access --role ROLE" => "access --help".to_owned(),
            "assess --as-of DATE" => "assess --as-of 2025-01-31".to_owned(),
            "tickmark-verify" | "tickmark-witness" => continue,
            "tickmark query \"SELECT …\"" => {
                home.run(["query", "SELECT label FROM change"]).succeeded();
                continue;
            }
            other if other.starts_with("tickmark check [PATH]") => {
                // Every flag of the synopsis exists.
                let help = home.does("check --help");
                for flag in other.split(['[', ']', ' ', '|']).filter(|w| w.starts_with("--")) {
                    assert!(help.contains(flag), "{flag}");
                }
                format!("check {path} {} --tz UTC --json", JANUARY.join(" "))
            }
            "tickmark verify [PATH]" => {
                home.does("verify");
                format!("verify {}", home.workspace().display())
            }
            other => match other.strip_prefix("tickmark ") {
                // What needs something from outside is only asked what it is.
                Some(rest) if rest.contains(|c: char| c.is_uppercase() || c == '[' || c == '<') => {
                    let words: Vec<&str> = rest
                        .split_whitespace()
                        .take_while(|w| {
                            w.chars().all(|c| c.is_lowercase() || c == '-') && !w.starts_with("--")
                        })
                        .collect();
                    format!("{} --help", words.join(" "))
                }
                Some(rest) => rest.to_owned(),
                None => panic!("`{command}` of README.md is not known here"),
            },
        };
        home.run(line.split_whitespace()).succeeded();
    }
}

#[test]
fn every_page_it_names_is_there() {
    for page in [
        "README.md",
        "docs/check.md",
        "docs/configuration.md",
        "docs/decisions.md",
        "docs/deviations.md",
        "docs/criteria.md",
        "docs/coverage.md",
        "SECURITY.md",
        "docs/witness.md",
    ] {
        for link in text(page).split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if link.starts_with("http") {
                continue;
            }
            let folder = Path::new(page).parent().unwrap();
            let target = folder.join(link.split('#').next().unwrap());
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
            assert!(root.join(&target).exists(), "{page} names {}", target.display());
        }
    }
}

#[test]
fn the_configuration_of_the_page_is_read() {
    let page = text("docs/configuration.md");
    let toml = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let home = Home::new();
    home.does("init acme");
    // Without the database, which this machine need not have.
    let (before, rest) = toml.split_once("[database]").unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    fs::write(home.path().join("acme/tickmark.toml"), format!("{before}\n{after}")).unwrap();
    let repository = Repo::new();
    repository.commit("OPS-12 oil the pump", "2025-01-09T10:00:00Z", ANN);
    let line = format!("--workspace acme check {} {} --json", repository.shown(), JANUARY.join(" "));
    let found = crate::support::document(&home.does(&line));
    assert_eq!(found["tz"], "Europe/Berlin");
    assert_eq!(found["history"]["with_ticket"], 1, "OPS-12 counts wherever it stands");
    assert!(home.does("--workspace acme source list").contains("halden/app"));
    // And the database as it stands there is understood.
    fs::write(home.path().join("acme/tickmark.toml"), toml).unwrap();
    let said = ran(home.command(["--workspace", "acme", "source", "list"]).env("PGCONNECT_TIMEOUT", "1"))
        .succeeded();
    assert!(said.contains("halden/app"), "{said}");
}

#[test]
fn the_synopsis_of_check_is_whole() {
    let page = text("docs/check.md");
    let synopsis = page.lines().find(|l| l.starts_with("    tickmark check")).unwrap();
    let help = Home::new().does("check --help");
    for flag in synopsis.split(['[', ']', ' ', '|']).filter(|w| w.starts_with("--")) {
        assert!(help.contains(flag), "`{flag}` of docs/check.md is no option");
    }
    // Every verdict and conclusion that can be printed is explained there.
    for word in [
        "pass",
        "deviation",
        "needs judgement",
        "no evidence",
        "not yet due",
        "not applicable",
        "no exceptions",
        "exceptions noted",
        "did not operate",
        "cannot conclude",
    ] {
        assert!(page.contains(&format!("| {word} |")), "{word}");
    }
}
