//! A GitHub App as the credential: what it signs, what it asks for, when it asks again, and what each refusal of
//! GitHub's becomes. The refusals are GitHub's own words, as its documentation and its users report them.

use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use collect::{Http, HttpConfig};
use connectors::github::{self, App, AppKey, Cursors, STREAMS, Source};
use model::{CoverageStatus, Instant};
use serde_json::{Value as Json, json};

use crate::server::{Asked, Clock, Reply, Server};
use crate::support::{Ledger, NOW, run_of};
use crate::world::{World, sha};

const APP: &str = "4242";
const INSTALLATION: u64 = 77;

/// A fresh key in both forms and its public half, all PEM and made by OpenSSL; `None`, after saying so, without it.
struct Keys {
    pkcs1: String,
    pkcs8: String,
    public: String,
}

fn openssl(arguments: &[&str], input: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in");
    std::fs::write(&file, input).unwrap();
    let arguments = arguments.iter().map(|a| if *a == "IN" { file.to_str().unwrap() } else { a });
    let output = Command::new("openssl").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[expect(clippy::print_stdout, reason = "a test says why it was skipped")]
fn keys() -> Option<Keys> {
    if Command::new("openssl").arg("version").output().is_err() {
        assert!(std::env::var_os("TICKMARK_CI").is_none(), "openssl is missing");
        println!("skipped: openssl is missing");
        return None;
    }
    let made = openssl(&["genrsa", "2048"], "");
    let pkcs1 = openssl(&["rsa", "-traditional", "-in", "IN"], &made);
    let pkcs8 = openssl(&["pkcs8", "-topk8", "-nocrypt", "-in", "IN"], &made);
    let public = openssl(&["rsa", "-pubout", "-in", "IN"], &made);
    assert!(pkcs1.starts_with("-----BEGIN RSA PRIVATE KEY-----"), "as GitHub hands it out");
    assert!(pkcs8.starts_with("-----BEGIN PRIVATE KEY-----"));
    Some(Keys { pkcs1, pkcs8, public })
}

/// Everything the streams need, as an installation grants it.
fn everything() -> Json {
    json!({
        "actions": "read", "administration": "write", "checks": "read", "contents": "read", "deployments": "read",
        "issues": "read", "members": "read", "metadata": "read", "organization_administration": "read",
        "pull_requests": "read", "statuses": "read",
        // Granted for something else, and none of our business.
        "secrets": "write", "emails": "write",
    })
}

fn installation(permissions: &Json) -> Json {
    json!({
        "id": INSTALLATION, "app_id": 4242, "app_slug": "tickmark-acme", "target_type": "Organization",
        "account": { "login": "acme", "id": 1, "type": "Organization" }, "repository_selection": "selected",
        "permissions": permissions, "suspended_at": null, "suspended_by": null,
    })
}

/// A GitHub with the App installed on `acme/app`: tokens hold for an hour of the clock, and nothing is shown without.
#[derive(Clone)]
struct Github {
    clock: Clock,
    permissions: Arc<Mutex<Json>>,
    /// Tokens that hold, and until when.
    holds: Arc<Mutex<Vec<(String, Instant)>>>,
    /// Bodies of the requests for a token.
    asked: Arc<Mutex<Vec<Json>>>,
}

impl Github {
    fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            permissions: Arc::new(Mutex::new(everything())),
            holds: Arc::default(),
            asked: Arc::default(),
        }
    }

    fn in_front_of(&self, world: &World) {
        let github = self.clone();
        world.on(move |asked| github.answer(asked));
    }

    fn answer(&self, asked: &Asked) -> Option<Reply> {
        let bearer = asked.headers.get("authorization").and_then(|a| a.strip_prefix("Bearer ")).unwrap_or("");
        let date = "Sun, 01 Mar 2026 12:00:00 GMT";
        let app = matches!(asked.path(), "/repos/acme/app/installation" | "/app/installations")
            || asked.path().starts_with("/app/installations/");
        if app != bearer.starts_with("eyJ") {
            return Some(Reply::new(401, r#"{"message":"A JSON web token could not be decoded"}"#));
        }
        let installed = installation(&self.permissions.lock().unwrap());
        let reply = match (asked.method.as_str(), asked.path()) {
            ("GET", "/repos/acme/app/installation" | "/app/installations/77") => {
                Reply::new(200, installed.to_string())
            }
            ("GET", "/app/installations") => Reply::new(200, json!([installed]).to_string()),
            ("POST", "/app/installations/77/access_tokens") => self.issue(asked),
            _ if app => Reply::new(404, r#"{"message":"Not Found"}"#),
            _ => {
                let now = self.clock.now();
                let holds =
                    self.holds.lock().unwrap().iter().any(|(token, until)| token == bearer && now < *until);
                return (!holds).then(|| Reply::new(401, r#"{"message":"Bad credentials"}"#));
            }
        };
        Some(reply.header("date", date))
    }

    fn issue(&self, asked: &Asked) -> Reply {
        let body: Json = serde_json::from_slice(&asked.body).unwrap();
        let granted = self.permissions.lock().unwrap().clone();
        let level = |word: &Json| ["read", "write", "admin"].iter().position(|w| *word == *w);
        for (name, wanted) in body["permissions"].as_object().unwrap() {
            if level(&granted[name]) < level(wanted) {
                let text = r#"{"message":"The permissions requested are not granted to this installation."}"#;
                return Reply::new(422, text);
            }
        }
        let mut all = self.asked.lock().unwrap();
        all.push(body.clone());
        let token = format!("ghs_invented{:04}", all.len());
        // By GitHub's clock, which stands at noon in every answer: an hour.
        let life = 60 * 60 * 1000;
        self.holds.lock().unwrap().push((token.clone(), Instant::from_ms(self.clock.now().ms() + life)));
        let answer = json!({
            "token": token, "expires_at": "2026-03-01T13:00:00Z", "permissions": body["permissions"],
            "repository_selection": "selected", "repositories": [{ "id": 4711, "name": "app", "full_name": "acme/app" }],
        });
        Reply::new(201, answer.to_string())
    }

    fn tokens(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn source(url: &str, pem: &str, installation: Option<u64>) -> Source {
    let app = App { id: APP.to_owned(), key: AppKey::from_pem(pem).unwrap(), installation };
    Source { api_url: url.to_owned(), ..Source::new("acme", "app", app) }
}

fn bearer(asked: &Asked) -> String {
    asked.headers["authorization"].strip_prefix("Bearer ").unwrap().to_owned()
}

/// The test's scene: a healthy repository behind the App, and one run.
struct Scene {
    keys: Keys,
    world: World,
    github: Github,
    clock: Clock,
}

impl Scene {
    fn new() -> Option<Self> {
        let keys = keys()?;
        let (world, clock) = (World::healthy(), Clock::at(NOW));
        let github = Github::new(&clock);
        github.in_front_of(&world);
        Some(Self { keys, world, github, clock })
    }

    fn run(&self) -> (Ledger, Server) {
        self.run_in(None)
    }

    fn run_in(&self, installation: Option<u64>) -> (Ledger, Server) {
        let server = self.world.serve();
        let ledger =
            run_of(&source(&server.url(), &self.keys.pkcs1, installation), &Cursors::new(), &self.clock);
        (ledger, server)
    }

    fn http(&self) -> Http {
        Http::new(HttpConfig::default(), self.clock.surroundings()).unwrap()
    }
}

#[test]
fn what_the_app_signs_is_a_jwt_that_openssl_verifies() {
    let Some(keys) = keys() else { return };
    for pem in [&keys.pkcs1, &keys.pkcs8, &keys.pkcs1.replace('\n', "\\n")] {
        let (world, clock) = (World::healthy(), Clock::at(NOW));
        Github::new(&clock).in_front_of(&world);
        let server = world.serve();
        run_of(&source(&server.url(), pem, None), &Cursors::new(), &clock);
        let jwt = bearer(&server.log.lock().unwrap()[0]);
        let parts: Vec<&str> = jwt.split('.').collect();
        let json =
            |part: &str| -> Json { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
        assert_eq!(json(parts[0]), json!({ "alg": "RS256", "typ": "JWT" }));
        // 2026-03-01T12:00:00Z; GitHub takes no more than ten minutes from its own now.
        let now = 1_772_366_400;
        assert_eq!(json(parts[1]), json!({ "iat": now - 60, "exp": now + 540, "iss": APP }));

        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("public"), &keys.public).unwrap();
        std::fs::write(path("signature"), URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).unwrap();
        let verified = |signed: &str| {
            std::fs::write(path("signed"), signed).unwrap();
            let mut command = Command::new("openssl");
            command.current_dir(folder.path());
            command.args(["dgst", "-sha256", "-verify", "public", "-signature", "signature", "signed"]);
            command.output().unwrap().status.success()
        };
        assert!(verified(&format!("{}.{}", parts[0], parts[1])));
        assert!(!verified(&format!("{}.{} ", parts[0], parts[1])), "openssl looks");
    }
}

#[test]
fn an_app_reads_what_a_token_reads_and_asks_for_no_more_than_that() {
    let Some(scene) = Scene::new() else { return };
    for number in [None, Some(INSTALLATION)] {
        let (ledger, _server) = scene.run_in(number);
        for stream in STREAMS {
            assert_eq!(ledger.coverage(stream.name), "complete", "{}", stream.name);
        }
        assert_eq!(ledger.table("approval"), ["complete reason=?"]);
    }
    let mut needed = everything();
    needed.as_object_mut().unwrap().retain(|name, _| !["secrets", "emails"].contains(&name.as_str()));
    assert_eq!(
        *scene.github.asked.lock().unwrap(),
        vec![json!({ "repositories": ["app"], "permissions": needed }); 2],
        "one token a run, for one repository"
    );
}

#[test]
fn receipts_name_the_app_and_hold_nothing_secret() {
    let Some(scene) = Scene::new() else { return };
    // A server that echoes what it was sent.
    let world = scene.world.clone();
    scene.world.on(move |asked| {
        let mut body = world.get("/repos/acme/app");
        body["echo"] = json!(asked.headers.get("authorization"));
        (asked.path() == "/repos/acme/app" && asked.headers["authorization"].contains("ghs_"))
            .then(|| Reply::new(200, body.to_string()))
    });
    let (ledger, server) = scene.run();
    let jwt = bearer(&server.log.lock().unwrap()[0]);
    let secrets: Vec<String> = [jwt, "ghs_invented0001".to_owned()]
        .into_iter()
        .chain(scene.keys.pkcs1.lines().filter(|l| !l.starts_with('-')).map(str::to_owned))
        .collect();
    assert!(secrets.len() > 20 && ledger.captures.len() > 20);
    for capture in &ledger.captures {
        let document = String::from_utf8_lossy(&capture.to_document()).into_owned();
        for secret in &secrets {
            assert!(!document.contains(secret.as_str()), "{document}");
        }
        assert_eq!(
            capture.receipt.context["credential"],
            json!({ "kind": "app", "app": APP, "installation": INSTALLATION })
        );
    }
    assert_eq!(ledger.captures[0].receipt.redacted, ["credential"]);
    let last = ledger.captures.last().unwrap();
    assert_eq!(last.receipt.context["permissions"]["checks"], "read");
    let shown = format!("{:?}", source("http://127.0.0.1", &scene.keys.pkcs1, None));
    assert!(shown.contains("AppKey(***)") && !secrets.iter().any(|s| shown.contains(s)), "{shown}");

    let (world, clock) = (World::healthy(), Clock::at(NOW));
    let ledger = crate::support::run(&world.serve().url(), &Cursors::new(), &clock);
    assert_eq!(ledger.captures[0].receipt.context["credential"], json!({ "kind": "token" }));
    assert!(ledger.captures.last().unwrap().receipt.context["permissions"].is_null());
}

#[test]
fn a_refusal_that_repeats_what_was_signed_is_said_without_it() {
    let Some(scene) = Scene::new() else { return };
    scene.world.on(|asked| {
        asked
            .path()
            .ends_with("/installation")
            .then(|| refusal(401, &format!("{:?} is nobody", bearer(asked))))
    });
    let (ledger, _server) = scene.run();
    ends_as(
        &ledger,
        "failed: 401 \"***\" is nobody: GitHub does not accept what the App `4242` signed; check its id and its private key",
    );
}

#[test]
fn a_token_is_renewed_before_it_ends_in_the_middle_of_a_run() {
    let Some(scene) = Scene::new() else { return };
    // Four times during the run fourteen minutes pass.
    let clock = scene.clock.clone();
    scene.world.on(move |asked| {
        let slow = ["/rulesets", "/reviews", "/issues", "/deployments"];
        if asked.before == 0 && slow.iter().any(|end| asked.path().ends_with(end)) {
            clock.forward(14 * 60);
        }
        None
    });
    let (ledger, server) = scene.run();
    assert_eq!(scene.github.tokens(), 2, "after 55 minutes, of 60");
    for stream in STREAMS {
        assert_eq!(ledger.coverage(stream.name), "complete", "{}", stream.name);
    }
    // The installation is known by then, and the same is asked for.
    let asked = scene.github.asked.lock().unwrap().clone();
    assert_eq!(asked[0], asked[1]);
    assert_eq!(server.targets().iter().filter(|t| t.ends_with("/installation")).count(), 1);
    // No request was spent on a token that had ended.
    let log = server.log.lock().unwrap();
    let last = log.iter().filter(|a| !a.target.starts_with("/app/")).map(bearer).next_back();
    assert_eq!(last.unwrap(), "ghs_invented0002");
    assert_eq!(scene.clock.slept(), Vec::<u64>::new());
}

#[test]
fn a_token_that_is_refused_is_renewed_once() {
    let Some(scene) = Scene::new() else { return };
    // Somebody revokes it: after a wait for a rate limit it looks the same.
    let holds = scene.github.holds.clone();
    scene.world.on(move |asked| {
        if asked.path().ends_with("/reviews") && asked.before == 0 {
            holds.lock().unwrap().clear();
        }
        None
    });
    let (ledger, server) = scene.run();
    assert_eq!(scene.github.tokens(), 2);
    assert_eq!(server.targets().iter().filter(|t| t.contains("/reviews")).count(), 2);
    for stream in STREAMS {
        assert_eq!(ledger.coverage(stream.name), "complete", "{}", stream.name);
    }
    assert!(ledger.captures.iter().all(|c| c.receipt.status != Some(401)));

    // And when every token is refused, it is not asked for ever.
    let Some(scene) = Scene::new() else { return };
    scene.world.on(|asked| {
        asked.headers["authorization"]
            .contains("ghs_")
            .then(|| Reply::new(401, r#"{"message":"Bad credentials"}"#))
    });
    let (ledger, _server) = scene.run();
    assert_eq!(scene.github.tokens(), 2);
    ends_as(
        &ledger,
        "failed: 401 Bad credentials: a token that GitHub gave the App just now is not accepted; see whether the App's \
         installation was suspended or removed, and collect again",
    );
}

/// Every stream has that status and reason, and no table is claimed to be complete.
#[track_caller]
fn ends_as(ledger: &Ledger, expect: &str) {
    for stream in STREAMS {
        assert_eq!(ledger.coverage(stream.name), expect, "{}", stream.name);
    }
    nothing_is_claimed(ledger);
}

#[track_caller]
fn nothing_is_claimed(ledger: &Ledger) {
    let rows = crate::support::rows(&ledger.captures, "coverage");
    assert!(rows.len() > 10);
    assert!(!rows.iter().any(|row| row.contains("status=complete")), "{rows:?}");
}

/// What GitHub answers instead of the healthy App's answers, at paths that end so, and what becomes of it in a run, in
/// the probe, and for a pull request.
#[track_caller]
fn check(installation: Option<u64>, answers: &[(&'static str, Reply)], expect: &str) {
    let Some(scene) = Scene::new() else { return };
    let answers = answers.to_vec();
    scene.world.on(move |asked| {
        answers.iter().find(|(end, _)| asked.path().ends_with(end)).map(|(_, reply)| reply.clone())
    });
    let (ledger, server) = scene.run_in(installation);
    ends_as(&ledger, expect);
    assert!(
        server.log.lock().unwrap().iter().all(|asked| bearer(asked).starts_with("eyJ")),
        "without a token nothing is asked"
    );
    let source = source(&server.url(), &scene.keys.pkcs1, installation);
    let probed = github::probe(&source, &mut scene.http()).unwrap();
    assert_eq!(probed.len(), STREAMS.len());
    for one in probed {
        assert_eq!(format!("{}: {}", one.status, one.reason), expect, "{}", one.stream);
    }
    let error = github::pull(&source, 7, &mut scene.http(), &mut |_| Ok(())).unwrap_err();
    let (_, reason) = expect.split_once(": ").unwrap();
    assert!(error.to_string().ends_with(reason), "{error}");
}

fn refusal(status: u16, message: &str) -> Reply {
    Reply::new(
        status,
        json!({ "message": message, "documentation_url": "https://docs.github.com/rest" }).to_string(),
    )
}

#[test]
fn clocks_that_disagree_are_named_with_how_far() {
    let early = "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the \
                 assertion expires";
    let check = |message: &str, date: Option<&str>, said: &str| {
        let mut reply = refusal(401, message);
        if let Some(date) = date {
            reply = reply.header("date", date);
        }
        check(
            None,
            &[("/installation", reply)],
            &format!(
                "failed: 401 {message}: GitHub refuses what the App `4242` signed because of its time, and {said}; set \
                 this machine's clock right (NTP) and try again"
            ),
        );
    };
    check(
        "'Expiration time' claim ('exp') is too far in the future",
        Some("Sun, 01 Mar 2026 11:47:30 GMT"),
        "this machine's clock is 12 min 30 s ahead of GitHub's, which says 2026-03-01T11:47:30Z",
    );
    check(
        "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        Some("Sun, 01 Mar 2026 10:00:00 GMT"),
        "this machine's clock is 2 h ahead of GitHub's, which says 2026-03-01T10:00:00Z",
    );
    check(
        early,
        Some("Mon, 02 Mar 2026 12:00:00 GMT"),
        "this machine's clock is 1 d behind GitHub's, which says 2026-03-02T12:00:00Z",
    );
    check(early, None, "GitHub's answer does not say what time it has");
}

#[test]
fn a_wrong_key_and_a_wrong_app_are_told_apart() {
    check(
        None,
        &[("/installation", refusal(401, "A JSON web token could not be decoded"))],
        "failed: 401 A JSON web token could not be decoded: the private key is not one of the App `4242`, or was deleted \
         in its settings; take App id and key from the same App, or make a new key there",
    );
    let Some(scene) = Scene::new() else { return };
    scene
        .world
        .on(|asked| asked.path().ends_with("/installation").then(|| refusal(404, "Integration not found")));
    let (ledger, server) = scene.run();
    ends_as(
        &ledger,
        &format!(
            "failed: 404 Integration not found: there is no App `4242` at {}; take its App id or client id from the App's \
             settings",
            server.url()
        ),
    );
}

#[test]
fn an_app_that_is_not_installed_is_told_apart_from_a_repository_that_was_not_selected() {
    let nowhere = refusal(404, "Not Found");
    let listed = |all: Json| Reply::new(200, all.to_string());
    let at_acme = installation(&everything());
    let mut at_other = at_acme.clone();
    at_other["id"] = json!(5);
    at_other["account"]["login"] = json!("halden");
    check(
        None,
        &[("/installation", nowhere.clone()), ("/app/installations", listed(json!([])))],
        "not_permitted: the App `4242` is not installed at `acme`: it is installed nowhere; an owner of `acme` can install \
         it from the App's page",
    );
    check(
        None,
        &[("/installation", nowhere.clone()), ("/app/installations", listed(json!([at_other])))],
        "not_permitted: the App `4242` is not installed at `acme`: it is installed at halden (5); an owner of `acme` can \
         install it from the App's page",
    );
    check(
        None,
        &[("/installation", nowhere.clone()), ("/app/installations", listed(json!([at_other, at_acme])))],
        "not_permitted: installation 77 of the App `4242` at `acme` does not cover the repository `app`, or there is none of \
         that name; add it in the settings of `acme` under GitHub Apps, Repository access",
    );
    // The number is of an installation that was removed, or that is at somebody else's.
    check(
        Some(78),
        &[("/app/installations/78", nowhere), ("/app/installations", listed(json!([at_acme])))],
        "not_permitted: the App `4242` has no installation 78 (any more): it is installed at acme (77); correct \
         `installation` in tickmark.toml, or install the App at `acme` anew",
    );
    check(
        Some(5),
        &[("/app/installations/5", listed(at_other))],
        "failed: installation 5 of the App `4242` is at `halden` and not at `acme`; correct `installation` in \
         tickmark.toml, or leave it out",
    );
    // By the number alone GitHub does not say it before a token is asked for.
    check(
        Some(INSTALLATION),
        &[(
            "/access_tokens",
            refusal(
                422,
                "There is at least one repository that does not exist or is not accessible to the parent installation.",
            ),
        )],
        "not_permitted: 422 There is at least one repository that does not exist or is not accessible to the parent \
         installation.: installation 77 of the App `4242` at `acme` does not cover the repository `app`, or it has another \
         name now; add it in the settings of `acme` under GitHub Apps, Repository access",
    );
}

#[test]
fn a_suspended_or_removed_installation_is_a_gap() {
    let mut suspended = installation(&everything());
    suspended["suspended_at"] = json!("2026-02-20T08:00:00Z");
    let expect = "not_permitted: installation 77 of the App `4242` at `acme` is suspended since 2026-02-20T08:00:00Z; an \
                  owner of `acme` can lift that in the settings of `acme` under GitHub Apps";
    check(None, &[("/installation", Reply::new(200, suspended.to_string()))], expect);
    let listed = Reply::new(200, json!([suspended]).to_string());
    check(None, &[("/installation", refusal(404, "Not Found")), ("/app/installations", listed)], expect);
    check(
        None,
        &[("/access_tokens", refusal(403, "This installation has been suspended"))],
        "not_permitted: installation 77 of the App `4242` at `acme` is suspended; an owner of `acme` can lift that in the \
         settings of `acme` under GitHub Apps",
    );
    check(
        None,
        &[("/access_tokens", refusal(404, "Not Found"))],
        "not_permitted: 404 Not Found: installation 77 of the App `4242` at `acme` is gone; an owner of `acme` has to install \
         the App again",
    );
}

#[test]
fn answers_that_are_no_token_are_no_credential() {
    let token = |life: &str| {
        json!({ "token": "ghs_invented", "expires_at": life, "permissions": everything() }).to_string()
    };
    check(
        None,
        &[("/access_tokens", Reply::new(201, r#"{"permissions":{}}"#))],
        "failed: GitHub's answer holds no token for the App's installation; the API may have changed",
    );
    check(
        None,
        &[(
            "/access_tokens",
            Reply::new(201, token("2026-03-01T11:59:59Z")).header("date", "Sun, 01 Mar 2026 12:00:00 GMT"),
        )],
        "failed: GitHub gave a token that had already expired (\"2026-03-01T11:59:59Z\"); see whether the server's clock is \
         right",
    );
    let mut other: Json = serde_json::from_str(&token("2026-03-01T13:00:00Z")).unwrap();
    other["repositories"] = json!([{ "id": 1, "name": "other" }]);
    check(
        None,
        &[("/access_tokens", Reply::new(201, other.to_string()))],
        "failed: GitHub gave a token for other, and not for `app`; see whether the repository was renamed",
    );
    let nothing = installation(&json!({ "emails": "write" }));
    check(
        None,
        &[("/installation", Reply::new(200, nothing.to_string()))],
        "not_permitted: installation 77 of the App `4242` at `acme` grants none of the rights that are needed; grant it in \
         the App's settings under Permissions; an owner of `acme` then has to accept it",
    );
}

#[test]
fn a_right_that_is_not_granted_is_a_gap_even_where_github_answers() {
    let Some(scene) = Scene::new() else { return };
    {
        let mut permissions = scene.github.permissions.lock().unwrap();
        let map = permissions.as_object_mut().unwrap();
        map.remove("members");
        map.remove("checks");
        map.insert("administration".to_owned(), json!("read"));
    }
    scene.world.on(|asked| {
        let refused =
            asked.path().ends_with("/check-runs") || asked.path() == "/orgs/acme/outside_collaborators";
        refused.then(|| refusal(403, "Resource not accessible by integration"))
    });
    scene.world.set(&format!("/repos/acme/app/commits/{}/statuses", sha("merge7")), json!([]));
    let (ledger, server) = scene.run();
    let asked = scene.github.asked.lock().unwrap()[0]["permissions"].clone();
    assert_eq!(
        (&asked["members"], &asked["checks"], &asked["administration"]),
        (&Json::Null, &Json::Null, &json!("read"))
    );
    // GitHub shows everybody an organisation's public members, with a 200 and a list that looks whole.
    assert_eq!(
        ledger.coverage("members"),
        "partial: the App's installation does not grant Organisation members: read, so what is shown may be a part"
    );
    assert_eq!(
        ledger.coverage("outside_collaborators"),
        "not_permitted: 403 Resource not accessible by integration: the App needs Organisation members: read"
    );
    assert!(
        ledger
            .coverage("check_runs")
            .starts_with("not_permitted: 403 Resource not accessible by integration: the App")
    );
    for table in ["membership", "check_run"] {
        assert!(
            ledger.table(table).iter().all(|row| !row.starts_with("complete")),
            "{table}: {:?}",
            ledger.table(table)
        );
    }
    for stream in
        ["reviews", "pulls", "commits", "branch_protection", "statuses", "rule_suites", "ruleset_history"]
    {
        // There is no ruleset, so its history was not asked for.
        assert_eq!(ledger.coverage(stream), "complete", "{stream}");
    }

    let source = source(&server.url(), &scene.keys.pkcs1, None);
    let probed = github::probe(&source, &mut scene.http()).unwrap();
    let missing: Vec<(&str, &str)> = probed
        .iter()
        .filter(|c| c.status != CoverageStatus::Complete)
        .map(|c| (c.stream, c.reason.rsplit_once("grant ").map_or(c.reason.as_str(), |(_, right)| right)))
        .collect();
    assert_eq!(
        missing,
        [
            ("ruleset_history", "Administration: write"),
            ("check_runs", "Checks: read"),
            ("members", "Organisation members: read"),
            ("outside_collaborators", "Organisation members: read"),
        ]
    );
    let checks = probed.iter().find(|c| c.stream == "check_runs").unwrap();
    assert_eq!(checks.status, CoverageStatus::NotPermitted);
    assert_eq!(checks.fix, "grant the App Checks: read in its settings, and have an owner accept it");

    // Granted afterwards, the next run closes the gap.
    *scene.github.permissions.lock().unwrap() = everything();
    scene.world.heal();
    scene.github.in_front_of(&scene.world);
    let next = run_of(&source, &ledger.cursors(), &scene.clock);
    assert_eq!(
        (next.coverage("check_runs"), next.coverage("members")),
        ("complete".to_owned(), "complete".to_owned())
    );
}

#[test]
fn a_personal_account_has_no_members_to_grant() {
    let Some(scene) = Scene::new() else { return };
    scene.github.permissions.lock().unwrap().as_object_mut().unwrap().remove("members");
    let mut repository = scene.world.get("/repos/acme/app");
    repository["owner"]["type"] = json!("User");
    scene.world.set("/repos/acme/app", repository);
    let mut personal = installation(&scene.github.permissions.lock().unwrap());
    personal["account"]["type"] = json!("User");
    scene.world.on(move |asked| {
        asked.path().ends_with("/installation").then(|| Reply::new(200, personal.to_string()))
    });
    let (ledger, _server) = scene.run();
    assert!(
        ledger.coverage("members").starts_with("not_licensed: the repository belongs to a personal account")
    );
}

#[test]
fn what_is_lost_in_the_middle_of_a_run_ends_it() {
    // At the renewal: a right is gone, or the installation is.
    let check = |lose: fn(&Github), reply: Option<Reply>, expect: &str| {
        let Some(scene) = Scene::new() else { return };
        let (github, clock) = (scene.github.clone(), scene.clock.clone());
        scene.world.on(move |asked| {
            if asked.path().ends_with("/reviews") && asked.before == 0 {
                clock.forward(56 * 60);
                lose(&github);
            }
            (asked.path().ends_with("/access_tokens") && asked.before > 0).then(|| reply.clone()).flatten()
        });
        let (ledger, _server) = scene.run();
        assert_eq!(ledger.coverage("commits"), "complete", "what was read stays");
        assert_eq!(ledger.coverage("deployments"), expect);
        assert!(ledger.table("approval").iter().all(|row| !row.starts_with("complete")));
    };
    check(
        |github| {
            github.permissions.lock().unwrap().as_object_mut().unwrap().remove("members");
        },
        None,
        "not_permitted: installation 77 of the App `4242` at `acme` lost a right while it was collected from; collect again \
         to see what it still grants",
    );
    check(
        |_| (),
        Some(Reply::new(
            201,
            json!({ "token": "ghs_less", "expires_at": "2026-03-01T13:00:00Z", "permissions": { "metadata": "read" } })
                .to_string(),
        )),
        "not_permitted: installation 77 of the App `4242` at `acme` lost actions while it was collected from; collect again \
         to see what it still grants",
    );
    check(
        |_| (),
        Some(refusal(404, "Not Found")),
        "not_permitted: 404 Not Found: installation 77 of the App `4242` at `acme` is gone; an owner of `acme` has to install \
         the App again",
    );
    // And in between, when GitHub says it of every address.
    let Some(scene) = Scene::new() else { return };
    scene.world.on(|asked| {
        asked.path().ends_with("/reviews").then(|| refusal(403, "This installation has been suspended"))
    });
    let (ledger, server) = scene.run();
    assert!(
        ledger.coverage("deployments").starts_with("not_permitted: 403 This installation has been suspended")
    );
    assert!(!server.targets().iter().any(|t| t.contains("/deployments")));
}

#[test]
fn a_renamed_repository_is_asked_for_by_its_number() {
    let Some(scene) = Scene::new() else { return };
    let installed = installation(&everything());
    scene.world.on(move |asked| match asked.path() {
        "/repos/acme/app/installation" => {
            Some(Reply::new(301, "{}").header("location", "/repositories/4711/installation"))
        }
        "/repositories/4711/installation" => Some(Reply::new(200, installed.to_string())),
        _ => None,
    });
    let (ledger, _server) = scene.run();
    assert_eq!(ledger.coverage("reviews"), "complete");
    let asked = scene.github.asked.lock().unwrap()[0].clone();
    assert_eq!((&asked["repository_ids"], &asked["repositories"]), (&json!([4711]), &Json::Null));
}

#[test]
fn a_status_is_posted_with_a_token_for_that_alone() {
    let Some(scene) = Scene::new() else { return };
    let server = scene.world.serve();
    scene.world.set("/repos/acme/app/statuses/cafe", json!({ "id": 1 }));
    let source = source(&server.url(), &scene.keys.pkcs8, None);
    let post = || {
        let state = github::StatusState::Success;
        github::post_status(&source, "cafe", state, "tickmark", "", None, &mut scene.http())
    };
    let error = post().unwrap_err().to_string();
    assert_eq!(
        error,
        "the status of cafe was not posted: installation 77 of the App `4242` at `acme` does not grant `Commit statuses: \
         write`; grant it in the App's settings under Permissions; an owner of `acme` then has to accept it"
    );
    assert_eq!(scene.github.tokens(), 0);
    scene.github.permissions.lock().unwrap()["statuses"] = json!("write");
    post().unwrap();
    assert_eq!(
        *scene.github.asked.lock().unwrap(),
        [json!({ "repositories": ["app"], "permissions": { "statuses": "write" } })]
    );
}

#[test]
fn what_is_no_key_of_an_app_is_said_without_repeating_it() {
    let Some(keys) = keys() else { return };
    let check = |pem: &str, expect: &str| {
        let error = AppKey::from_pem(pem).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
        let body = pem.lines().find(|l| l.len() > 20 && !l.starts_with('-'));
        assert!(body.is_none_or(|line| !error.contains(line)), "{error}");
    };
    check(" \n", "it is empty");
    check("/etc/tickmark/app.pem", "it is no whole private key in PEM");
    check(&keys.public, "it is only the public half");
    check(&keys.pkcs1[..keys.pkcs1.len() / 2], "it is no whole private key in PEM");
    check(&keys.pkcs1.replacen("MII", "MI!", 1), "it is no whole private key in PEM");
    let locked = ["rsa", "-traditional", "-aes128", "-passout", "pass:halden", "-in", "IN"];
    check(&openssl(&locked, &keys.pkcs1), "it is protected by a passphrase");
    let locked = ["pkcs8", "-topk8", "-passout", "pass:halden", "-in", "IN"];
    check(&openssl(&locked, &keys.pkcs1), "it is protected by a passphrase");
    let curve = openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout"], "");
    check(&curve, "it is no RSA key");
    check(&openssl(&["pkcs8", "-topk8", "-nocrypt", "-in", "IN"], &curve), "it is no RSA key");
    check(&openssl(&["genrsa", "1024"], ""), "it has fewer than 2048 bits");
    AppKey::from_pem(&keys.pkcs8).unwrap();
}
