//! `emulate` from npm: a stateful GitHub that somebody else wrote, and people who work at it through its API.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stdout,
    reason = "shared by several test programs, each of which uses a part; a test says why it was skipped"
)]

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value as Json, json};

/// A team of three, one of them an owner, and a repository.
const TEAM: &str = "
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

/// The server, until it is dropped.
pub struct Emulate {
    child: Child,
    pub url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Emulate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/emulate.sh")
}

impl Emulate {
    /// The server with the team and what `more` says under `github:` (YAML, indented by two); `None`, after saying so,
    /// where it cannot be had. With TICKMARK_CI set that is a failure.
    pub fn start(more: &str) -> Option<Self> {
        match Self::try_start(more) {
            Ok(emulate) => Some(emulate),
            Err(reason) => {
                assert!(std::env::var_os("TICKMARK_CI").is_none(), "{reason}");
                println!("skipped: {reason}");
                None
            }
        }
    }

    fn try_start(more: &str) -> Result<Self, String> {
        let installed = Command::new("bash").arg(script()).arg("install").output();
        let installed = installed.map_err(|e| format!("bash cannot be run: {e}"))?;
        if !installed.status.success() {
            return Err(format!(
                "npm cannot install emulate: {}",
                String::from_utf8_lossy(&installed.stderr)
            ));
        }
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("emulate.yaml");
        std::fs::write(&config, format!("{TEAM}{more}")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("bash")
            .arg(script())
            .args(["start", &port.to_string()])
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("bash cannot be run: {e}"))?;
        // Its links say `localhost`, and a link to another host is not followed.
        let mut emulate = Self { child, url: format!("http://localhost:{port}"), _folder: folder };
        for _ in 0..300 {
            if TcpStream::connect(("localhost", port)).is_ok() {
                return Ok(emulate);
            }
            if let Ok(Some(status)) = emulate.child.try_wait() {
                return Err(format!("emulate ended: {status}"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err("emulate did not listen within half a minute".to_owned())
    }

    /// One of `dana`, `ann` and `bob`, by their token.
    pub fn person(&self, token: &'static str) -> Person<'_> {
        Person { url: &self.url, token }
    }

    /// What tokens of Apps' installations were given out.
    pub fn installation_tokens(&self) -> Vec<Json> {
        let said = self.person("tok_dana").does("GET", "/_emulate/installation-tokens", &Json::Null);
        said["installation_tokens"].as_array().unwrap().clone()
    }
}

/// A person with a token.
#[derive(Clone, Copy)]
pub struct Person<'a> {
    url: &'a str,
    token: &'static str,
}

impl Person<'_> {
    pub fn call(&self, method: &str, path: &str, body: &Json) -> (u16, Json) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(body.to_string())
            .unwrap();
        let mut answer = agent.run(request).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Json::Null))
    }

    #[track_caller]
    pub fn does(&self, method: &str, path: &str, body: &Json) -> Json {
        let (status, answer) = self.call(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// Writes a file on a branch; the commit's id.
    pub fn pushes(&self, branch: &str, file: &str) -> String {
        let answer = self.does(
            "PUT",
            &format!("/repos/acme/app/contents/{file}"),
            &json!({ "message": format!("ABC-1: add {file}"), "content": "YQ==", "branch": branch }),
        );
        answer["commit"]["sha"].as_str().unwrap().to_owned()
    }

    pub fn branches(&self, name: &str) {
        let main = self.does("GET", "/repos/acme/app/branches/main", &Json::Null);
        let body = json!({ "ref": format!("refs/heads/{name}"), "sha": main["commit"]["sha"] });
        self.does("POST", "/repos/acme/app/git/refs", &body);
    }

    pub fn proposes(&self, branch: &str) -> u64 {
        let body = json!({ "title": format!("Land {branch}"), "head": branch, "base": "main" });
        self.does("POST", "/repos/acme/app/pulls", &body)["number"].as_u64().unwrap()
    }

    pub fn approves(&self, pull: u64) -> u64 {
        let path = format!("/repos/acme/app/pulls/{pull}/reviews");
        self.does("POST", &path, &json!({ "event": "APPROVE" }))["id"].as_u64().unwrap()
    }

    pub fn head_of(&self, pull: u64) -> String {
        let answer = self.does("GET", &format!("/repos/acme/app/pulls/{pull}"), &Json::Null);
        answer["head"]["sha"].as_str().unwrap().to_owned()
    }

    pub fn checks(&self, sha: &str, conclusion: &str) {
        let body =
            json!({ "name": "build", "head_sha": sha, "status": "completed", "conclusion": conclusion });
        self.does("POST", "/repos/acme/app/check-runs", &body);
    }

    pub fn tries_to_merge(&self, pull: u64) -> u16 {
        self.call("PUT", &format!("/repos/acme/app/pulls/{pull}/merge"), &json!({})).0
    }

    pub fn merges(&self, pull: u64) -> String {
        let path = format!("/repos/acme/app/pulls/{pull}/merge");
        self.does("PUT", &path, &json!({}))["sha"].as_str().unwrap().to_owned()
    }
}
