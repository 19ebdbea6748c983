//! The whole way of a GitHub repository, from `init` to a verdict, against a stateful server that somebody else wrote.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::support::{Home, Ran, document, procedure, ran, verdicts};

const CONFIG: &str = "
tokens:
  tok_dana: {login: dana, scopes: [repo, user, 'admin:org']}
  tok_ann: {login: ann, scopes: [repo, user]}
  tok_bob: {login: bob, scopes: [repo, user]}
github:
  users:
    - {login: dana, name: Dana, email: dana@example.test}
    - {login: ann, name: Ann, email: ann@example.test}
    - {login: bob, name: Bob, email: bob@example.test}
  orgs: [{login: acme, name: Acme, members: [{login: dana, role: admin}, {login: ann, role: member}, {login: bob, role: member}]}]
  repos: [{owner: acme, name: app, auto_init: true}]
";

struct Server {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/emulate.sh")
}

/// The server, or why there is none.
fn start() -> Result<Server, String> {
    let installed = Command::new("bash").arg(script()).arg("install").output();
    let installed = installed.map_err(|e| format!("bash cannot be run: {e}"))?;
    if !installed.status.success() {
        return Err(format!("npm cannot install emulate: {}", String::from_utf8_lossy(&installed.stderr)));
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("emulate.yaml");
    std::fs::write(&config, CONFIG).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = Command::new("bash")
        .arg(script())
        .args(["start", &port.to_string()])
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("bash cannot be run: {e}"))?;
    let mut server = Server { child, url: format!("http://localhost:{port}"), _folder: folder };
    for _ in 0..300 {
        if TcpStream::connect(("localhost", port)).is_ok() {
            return Ok(server);
        }
        if let Ok(Some(status)) = server.child.try_wait() {
            return Err(format!("emulate ended: {status}"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err("emulate did not listen within half a minute".to_owned())
}

impl Server {
    fn call(&self, token: &str, method: &str, path: &str, body: &Json) -> (u16, Json) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(body.to_string())
            .unwrap();
        let mut answer = agent.run(request).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Json::Null))
    }

    #[track_caller]
    fn does(&self, token: &str, method: &str, path: &str, body: &Json) -> Json {
        let (status, answer) = self.call(token, method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// Ann writes a file on a branch of hers and proposes it: number and head.
    fn proposes(&self, branch: &str) -> (u64, String) {
        let main = self.does("tok_ann", "GET", "/repos/acme/app/branches/main", &Json::Null);
        let new = json!({ "ref": format!("refs/heads/{branch}"), "sha": main["commit"]["sha"] });
        self.does("tok_ann", "POST", "/repos/acme/app/git/refs", &new);
        let file = json!({ "message": format!("add {branch}"), "content": "YQ==", "branch": branch });
        let commit = self.does("tok_ann", "PUT", &format!("/repos/acme/app/contents/{branch}.txt"), &file);
        let pull = json!({ "title": format!("Land {branch}"), "head": branch, "base": "main" });
        let number = self.does("tok_ann", "POST", "/repos/acme/app/pulls", &pull)["number"].as_u64().unwrap();
        (number, commit["commit"]["sha"].as_str().unwrap().to_owned())
    }

    fn approves(&self, token: &str, pull: u64) {
        let path = format!("/repos/acme/app/pulls/{pull}/reviews");
        self.does(token, "POST", &path, &json!({ "event": "APPROVE" }));
    }

    fn builds(&self, sha: &str, conclusion: &str) {
        let run =
            json!({ "name": "build", "head_sha": sha, "status": "completed", "conclusion": conclusion });
        self.does("tok_ann", "POST", "/repos/acme/app/check-runs", &run);
    }

    fn merges(&self, token: &str, pull: u64) -> String {
        let path = format!("/repos/acme/app/pulls/{pull}/merge");
        self.does(token, "PUT", &path, &json!({}))["sha"].as_str().unwrap().to_owned()
    }
}

/// The binary with a token.
fn with_token(home: &Home, line: &str) -> Ran {
    ran(home.command(line.split_whitespace()).env("GITHUB_TOKEN", "tok_dana"))
}

#[test]
fn from_init_to_a_verdict() {
    let server = match start() {
        Ok(server) => server,
        Err(reason) => {
            assert!(std::env::var_os("TICKMARK_CI").is_none(), "{reason}");
            println!("skipped: {reason}");
            return;
        }
    };
    for login in ["ann", "bob"] {
        let path = format!("/repos/acme/app/collaborators/{login}");
        server.does("tok_dana", "PUT", &path, &json!({ "permission": "push" }));
    }
    // Before anything was protected: unreviewed, and its build had failed.
    let (hasty, failed_head) = server.proposes("hasty");
    server.builds(&failed_head, "failure");
    server.merges("tok_ann", hasty);
    server.does(
        "tok_dana",
        "PUT",
        "/repos/acme/app/branches/main/protection",
        &json!({
            "required_status_checks": { "strict": false, "contexts": ["build"] },
            "enforce_admins": true,
            "required_pull_request_reviews": { "required_approving_review_count": 1 },
            "restrictions": null,
        }),
    );
    let (clean, head) = server.proposes("clean");
    server.approves("tok_bob", clean);
    server.builds(&head, "success");
    let landed = server.merges("tok_bob", clean);
    let (open, open_head) = server.proposes("open");

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
    server.builds(&open_head, "failure");
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
