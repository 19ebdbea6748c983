//! The whole way of a GitHub repository, from `init` to a verdict, against a stateful server that somebody else wrote.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value as Json, json};

#[path = "../../../connectors/tests/emulated/mod.rs"]
mod emulated;

use crate::support::{Home, Ran, document, procedure, ran, verdicts};
use emulated::{Emulate, Person};

/// Ann writes a file on a branch of hers and proposes it: number and head.
fn proposes(ann: Person<'_>, branch: &str) -> (u64, String) {
    ann.branches(branch);
    let head = ann.pushes(branch, &format!("{branch}.txt"));
    (ann.proposes(branch), head)
}

/// The binary with a token.
fn with_token(home: &Home, line: &str) -> Ran {
    ran(home.command(line.split_whitespace()).env("GITHUB_TOKEN", "tok_dana"))
}

#[test]
fn from_init_to_a_verdict() {
    let Some(server) = Emulate::start("") else { return };
    let [dana, ann, bob] = ["tok_dana", "tok_ann", "tok_bob"].map(|token| server.person(token));
    for login in ["ann", "bob"] {
        let path = format!("/repos/acme/app/collaborators/{login}");
        dana.does("PUT", &path, &json!({ "permission": "push" }));
    }
    // Before anything was protected: unreviewed, and its build had failed.
    let (hasty, failed_head) = proposes(ann, "hasty");
    ann.checks(&failed_head, "failure");
    ann.merges(hasty);
    dana.does(
        "PUT",
        "/repos/acme/app/branches/main/protection",
        &json!({
            "required_status_checks": { "strict": false, "contexts": ["build"] },
            "enforce_admins": true,
            "required_pull_request_reviews": { "required_approving_review_count": 1 },
            "restrictions": null,
        }),
    );
    let (clean, head) = proposes(ann, "clean");
    bob.approves(clean);
    ann.checks(&head, "success");
    let landed = bob.merges(clean);
    let (open, open_head) = proposes(ann, "open");

    let home = Home::new();
    home.does("init acme");
    let add = format!("--workspace acme source add github --owner acme --repo app --api-url {}", server.url);
    assert!(home.does(&add).contains("next: tickmark source check"));
    home.refuses(&add, &["is a source of this workspace already"]);
    assert_eq!(home.does("--workspace acme source list"), "github  acme/app\n");

    // Without a token it says which variable, and nothing is asked.
    for line in ["source check", "collect", "check --pull 1"] {
        home.refuses(&format!("--workspace acme {line}"), &["no token for acme/app", "GITHUB_TOKEN"]);
    }

    // What this server does not know is said stream by stream, and the exit status says that it is not all.
    let probed = with_token(&home, "--workspace acme source check");
    assert_eq!(probed.code, Some(1), "{}{}", probed.out, probed.err);
    assert!(probed.out.contains("localhost") && probed.out.contains("reviews"), "{}", probed.out);
    assert!(
        probed.out.lines().any(|l| l.trim_start().starts_with("pulls") && l.contains("complete")),
        "{}",
        probed.out
    );

    let said = with_token(&home, "--workspace acme collect").succeeded();
    assert!(said.contains("requests") && said.contains("some streams are not complete"), "{said}");
    let entries = |home: &Home| -> u64 {
        let status: Json = serde_json::from_str(&home.does("--workspace acme ledger status --json")).unwrap();
        status["acknowledged"].as_u64().unwrap()
    };
    let first = entries(&home);
    with_token(&home, "--workspace acme collect").succeeded();
    assert!(entries(&home) >= first, "nothing is lost");

    // The verdicts of what landed.
    let found = with_token(&home, "--workspace acme check --source acme/app --json").succeeded();
    let found = document(&found);
    assert_eq!(
        procedure(&found, "change_independent_review")["population"],
        3,
        "the first commit and two merges"
    );
    let history = &found["history"];
    assert_eq!((&history["changes"], &history["merges"]), (&3.into(), &2.into()));
    // What failed is no passing test, and what nobody approved names no reviewer.
    assert_eq!((&history["with_reviewer"], &history["with_test"]), (&1.into(), &1.into()));
    let review = verdicts(&found, "change_independent_review", &landed);
    // This server cannot say which pull request a commit came from; then nothing passes, and nothing deviates.
    assert!(!review.contains("deviation"), "{review}");
    for one in found["procedures"].as_array().unwrap() {
        assert_ne!(one["conclusion"], "no_exceptions", "{}", one["id"]);
    }
    with_token(&home, "--workspace acme check --source acme/nope").refused(&["name a source", "acme/app"]);
    let text = with_token(&home, "--workspace acme check --source acme/app").succeeded();
    assert!(text.contains("CHG-02") && text.contains("CANNOT CONCLUDE"), "{text}");

    // A pull request before it lands: nobody has approved it, and its build is missing.
    let pull = format!("--workspace acme check --pull {open}");
    let before = with_token(&home, &format!("{pull} --json")).succeeded();
    let before: Json = serde_json::from_str(&before).unwrap();
    assert_eq!(procedure(&before, "change_independent_review")["population"], 1);
    assert!(!verdicts(&before, "change_independent_review", &open_head).contains("pass"));
    assert_eq!(with_token(&home, &format!("{pull} --fail-on unproven")).code, Some(3));
    ann.checks(&open_head, "failure");
    let failed = with_token(&home, &format!("{pull} --json")).succeeded();
    let failed: Json = serde_json::from_str(&failed).unwrap();
    assert!(!verdicts(&failed, "change_tests", &open_head).contains("pass"));
    // This server takes no statuses: that is said, and the judgement before it stands.
    let posted = with_token(&home, &format!("{pull} --post-status"));
    assert_eq!(posted.code, Some(1), "{}{}", posted.out, posted.err);
    assert!(posted.err.contains("404") || posted.err.contains("status"), "{}", posted.err);
    assert!(posted.out.contains("as if it merged now"), "{}", posted.out);
    with_token(&home, "--workspace acme check --pull 4711").refused(&["4711"]);

    // Judging a pull request adds nothing to the population.
    let after = document(&with_token(&home, "--workspace acme check --source acme/app --json").succeeded());
    assert_eq!(procedure(&after, "change_independent_review")["population"], 3);

    // Frozen, it says whose account the items come from, and that no number of a pull request is missing.
    let frozen =
        home.does("--workspace acme population freeze --control CHG-02 --by max --reason quarter --json");
    let frozen: Json = serde_json::from_str(&frozen).unwrap();
    let entry = &frozen[0]["population"];
    let shown = home.does(&format!("--workspace acme ledger show {entry}"));
    let shown: Json = serde_json::from_str(shown.split_once('\n').unwrap().1).unwrap();
    assert_eq!(shown["count"], 3);
    assert_eq!(shown["sources"][0]["items"], 3, "{}", shown["sources"]);
    assert!(shown["sources"][0]["identity"]["owner"].is_i64(), "{}", shown["sources"]);
    let outcome = |check: &str| {
        let checks = shown["checks"].as_array().unwrap();
        checks.iter().find(|c| c["check"] == check).unwrap_or_else(|| panic!("{check}: {checks:?}"))["outcome"].clone()
    };
    assert_eq!(
        (outcome("origin"), outcome("sequence")),
        ("passed".into(), "passed".into()),
        "{}",
        shown["checks"]
    );
    assert_eq!(shown["sequences"][0]["last"], open, "{}", shown["sequences"]);

    // No token stands anywhere.
    for path in crate::support::files(home.path()) {
        let bytes = std::fs::read(home.path().join(&path)).unwrap();
        assert!(!bytes.windows(8).any(|w| w == b"tok_dana"), "{path}");
    }
    let said = home.does("--workspace acme verify");
    assert_eq!(said.matches("holds: ").count(), 2, "{said}");
    assert!(home.does("--workspace acme rebuild --diff").contains("every row is as it was"));
}

#[test]
fn a_source_that_does_not_answer_is_a_message() {
    let home = Home::new();
    home.does("init acme");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    home.does(&format!(
        "--workspace acme source add github --owner acme --repo app --api-url http://127.0.0.1:{port} --token-env HALDEN"
    ));
    home.refuses("--workspace acme collect", &["HALDEN"]);
    if std::env::var_os("TICKMARK_LONG").is_none() && std::env::var_os("TICKMARK_CI").is_none() {
        println!("skipped: waits for retries; set TICKMARK_LONG");
        return;
    }
    let ran = ran(home.command(["--workspace", "acme", "check", "--pull", "1"]).env("HALDEN", "tok"));
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    home.does("--workspace acme verify");
}

/// A key as GitHub hands it out; `None`, after saying so, where OpenSSL is missing.
#[expect(clippy::print_stdout, reason = "a test says why it was skipped")]
fn app_key() -> Option<String> {
    let made = Command::new("openssl").args(["genrsa", "-traditional", "2048"]).output();
    let Ok(made) = made else {
        assert!(std::env::var_os("TICKMARK_CI").is_none(), "openssl is missing");
        println!("skipped: openssl is missing");
        return None;
    };
    Some(String::from_utf8(made.stdout).unwrap())
}

/// An App with that key, installed at acme with some rights.
fn apps(key: &str) -> String {
    let key: String = key.lines().map(|line| format!("        {line}\n")).collect();
    format!(
        "  apps:
    - app_id: 4242
      slug: tickmark-acme
      name: Tickmark of Acme
      private_key: |
{key}      permissions: &rights
        {{metadata: read, contents: read, pull_requests: read, issues: read, checks: read, administration: read, secrets: write}}
      installations:
        - {{installation_id: 77, account: acme, repository_selection: all, permissions: *rights}}
"
    )
}

#[test]
fn a_companys_app_takes_the_place_of_a_persons_token() {
    let Some(key) = app_key() else { return };
    let Some(server) = Emulate::start(&apps(&key)) else { return };
    let [dana, ann, bob] = ["tok_dana", "tok_ann", "tok_bob"].map(|token| server.person(token));
    for login in ["ann", "bob"] {
        let path = format!("/repos/acme/app/collaborators/{login}");
        dana.does("PUT", &path, &json!({ "permission": "push" }));
    }
    // This server asks about rights only where it is not everybody's.
    dana.does("PATCH", "/repos/acme/app", &json!({ "private": true }));
    let (clean, head) = proposes(ann, "clean");
    bob.approves(clean);
    ann.checks(&head, "success");
    bob.merges(clean);

    let home = Home::new();
    home.does("init acme");
    std::fs::write(home.path().join("app.pem"), &key).unwrap();
    std::fs::write(home.path().join("no.pem"), "-----BEGIN RSA PRIVATE KEY-----\nnonsense\n").unwrap();
    for file in ["app.pem", "no.pem"] {
        std::fs::set_permissions(home.path().join(file), PermissionsExt::from_mode(0o600)).unwrap();
    }
    let add = format!("--workspace acme source add github --owner acme --repo app --api-url {}", server.url);
    home.refuses(
        &format!("{add} --app 4242 --app-key none.pem"),
        &["none.pem", "read the App's private key"],
    );
    home.refuses(&format!("{add} --app 4242 --app-key no.pem"), &["no.pem", "no whole private key"]);
    for misplaced in ["--app-key app.pem", "--app 4242 --token-env X", "--installation 77"] {
        let ran = home.run(format!("{add} {misplaced}").split_whitespace());
        assert_eq!(ran.code, Some(2), "{misplaced}: {}", ran.err);
    }
    let said = home.does(&format!("{add} --app 4242 --app-key app.pem"));
    assert!(said.contains("next: tickmark source check"), "{said}");
    assert_eq!(home.does("--workspace acme source list"), "github  acme/app  as App 4242\n");

    // No environment is needed: the file of the key has its place in the configuration.
    let probed = home.run("--workspace acme source check".split_whitespace());
    assert_eq!(probed.code, Some(1), "{}{}", probed.out, probed.err);
    let line = |name: &str| probed.out.lines().find(|l| l.trim_start().starts_with(name)).unwrap_or_default();
    assert!(line("reviews").contains("complete"), "{}", probed.out);
    assert!(line("statuses").contains("does not grant Commit statuses: read"), "{}", probed.out);
    assert!(
        line("deployments").contains("grant the App Deployments: read in its settings"),
        "{}",
        probed.out
    );

    let said = home.does("--workspace acme collect");
    assert!(said.contains("some streams are not complete"), "{said}");
    let row =
        |name: &str| said.lines().find(|l| l.trim_start().starts_with(name)).unwrap_or_default().to_owned();
    assert!(row("commits").contains("complete") && row("reviews").contains("complete"), "{said}");
    // This server shows everybody three members, with a 200: without the right that may be a part.
    assert!(
        row("members ").contains("partial")
            && row("members ").contains("does not grant Organisation members"),
        "{said}"
    );
    let counted = "SELECT count(*) AS n FROM approval";
    let counted = home.run(["--workspace", "acme", "query", counted, "--format", "json"]).succeeded();
    let counted: Json = serde_json::from_str(&counted).unwrap();
    assert_eq!(counted[0]["n"], 1, "bob's");
    let found = document(&home.does("--workspace acme check --source acme/app --json"));
    for one in found["procedures"].as_array().unwrap() {
        assert_ne!(one["conclusion"], "no_exceptions", "{}", one["id"]);
    }

    // Each token was for this repository alone, and to read what was granted of what is needed.
    let tokens = server.installation_tokens();
    assert_eq!(tokens.len(), 2, "one for the check, one for the collection");
    let repository = dana.does("GET", "/repos/acme/app", &Json::Null)["id"].clone();
    for token in &tokens {
        assert_eq!(token["repository_ids"], json!([repository]));
        assert_eq!(
            token["permissions"],
            json!({
                "metadata": "read", "contents": "read", "pull_requests": "read", "issues": "read", "checks": "read",
                "administration": "read",
            })
        );
    }
    // A status would have to be granted.
    let (open, _) = proposes(ann, "open");
    let posted = home.run(format!("--workspace acme check --pull {open} --post-status").split_whitespace());
    assert_eq!(posted.code, Some(1), "{}{}", posted.out, posted.err);
    assert!(
        posted.err.contains("does not grant") && posted.err.contains("Commit statuses: write"),
        "{}",
        posted.err
    );

    // What is in the ledger says who asked, and neither key nor token stands anywhere but in the key's own file.
    // (Every document is looked at where the connector is tried; here a part of them, opened as people would.)
    let status: Json = serde_json::from_str(&home.does("--workspace acme ledger status --json")).unwrap();
    let entries = status["acknowledged"].as_u64().unwrap();
    let shown: Vec<String> = (0..entries)
        .step_by(4)
        .map(|entry| home.does(&format!("--workspace acme ledger show {entry}")))
        .collect();
    let of_github: Vec<&String> =
        shown.iter().filter(|s| s.contains("\"source\":\"github:acme/app\"")).collect();
    assert!(of_github.len() > 5);
    for document in &of_github {
        assert!(
            document.contains(r#""credential":{"app":"4242","installation":77,"kind":"app"}"#),
            "{document}"
        );
    }
    let mut secrets: Vec<&str> = key.lines().filter(|l| !l.starts_with('-')).collect();
    secrets.extend(["ghs_", "eyJhbGciOi"]);
    let none = |place: &str, bytes: &[u8]| {
        for secret in &secrets {
            assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "{place} holds {secret}");
        }
    };
    for path in crate::support::files(home.path()) {
        if path != "app.pem" {
            none(&path, &std::fs::read(home.path().join(&path)).unwrap());
        }
    }
    for document in &shown {
        none("the ledger", document.as_bytes());
    }
    for said in [&probed.out, &probed.err, &posted.out, &posted.err] {
        none("the output", said.as_bytes());
    }
    assert_eq!(home.does("--workspace acme verify").matches("holds: ").count(), 2);
}

#[test]
fn the_key_of_an_app_is_found_where_the_configuration_says() {
    let Some(key) = app_key() else { return };
    let home = Home::new();
    home.does("init acme");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    home.does(&format!(
        "--workspace acme source add github --owner acme --repo app --app Iv1.halden --api-url http://127.0.0.1:{port}"
    ));
    home.refuses(
        "--workspace acme source check",
        &["no private key of the App `Iv1.halden`", "app_key", "GITHUB_APP_KEY", "tickmark-github-app-key"],
    );
    let check = |name: &str, value: &str, expect: &str| {
        let ran = ran(home.command(["--workspace", "acme", "source", "check"]).env(name, value));
        assert_eq!(ran.code, Some(1));
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains(expect) && !said.contains(key.lines().nth(1).unwrap()), "{said}");
    };
    check("GITHUB_APP_KEY", &key.replace("RSA PRIVATE", "PUBLIC"), "the public half");
    // Half of each is neither.
    let config = home.path().join("acme/tickmark.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    for (from, to) in [("app = ", "token_env = \"X\"\napp = "), ("app = \"Iv1.halden\"", "installation = 77")]
    {
        std::fs::write(&config, text.replace(from, to)).unwrap();
        home.refuses("--workspace acme collect", &["parts of a token and of a GitHub App for acme/app"]);
    }
    std::fs::write(&config, text).unwrap();
    // A credential of the service comes before what the environment happens to hold.
    let folder = home.path().join("credentials");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("tickmark-github-app-key"), "not a key").unwrap();
    check("CREDENTIALS_DIRECTORY", folder.to_str().unwrap(), "can be read by others on this machine");
    check("CREDENTIALS_DIRECTORY", folder.to_str().unwrap(), "no whole private key");
}

#[test]
fn what_is_configured_and_was_never_collected_is_being_lost() {
    let home = Home::new();
    home.does("init acme");
    let lost =
        "`github.rule_suites` of github.com/acme/app is kept 28 days; it was never looked at completely";
    assert!(!home.does("--workspace acme coverage").contains(lost));
    home.does("--workspace acme source add github --owner acme --repo app");
    let text = home.does("--workspace acme coverage");
    assert!(text.contains(lost), "{text}");
}
