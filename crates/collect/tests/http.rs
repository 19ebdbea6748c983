//! The HTTP kit against a server that does everything wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod server;

use collect::{Http, HttpConfig, HttpError, Request, Response, Secret};
use server::{Asked, Clock, Reply, Server};

const TOKEN: &str = "ghp_invented0123456789";
const NOW: &str = "2026-03-01T12:00:00Z";

struct Try {
    result: Result<Response, HttpError>,
    asked: Vec<Asked>,
    slept: Vec<u64>,
}

fn ask(answer: impl FnMut(&Asked) -> Reply + Send + 'static) -> Try {
    ask_with(HttpConfig::default(), answer, |r| r)
}

fn ask_with(
    config: HttpConfig,
    answer: impl FnMut(&Asked) -> Reply + Send + 'static,
    change: impl FnOnce(Request<'_>) -> Request<'_>,
) -> Try {
    let server = Server::start(answer);
    let clock = Clock::at(NOW);
    let mut http = Http::new(config, clock.surroundings()).unwrap();
    let secret = Secret::new(TOKEN);
    let result = http.send(&change(Request::get(format!("{}/x", server.url())).with_secret(&secret)));
    let asked = server.log.lock().unwrap().clone();
    Try { result, asked, slept: clock.slept() }
}

/// The first `n` answers, then `[1]`.
fn then_good(first: Vec<Reply>) -> impl FnMut(&Asked) -> Reply + Send + 'static {
    let mut first = first.into_iter();
    move |_| first.next().unwrap_or_else(|| Reply::new(200, "[1]"))
}

fn status(t: &Try) -> u16 {
    t.result.as_ref().map(|r| r.status).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn the_bytes_are_those_that_were_sent() {
    let body = "[ 1,\n\t\"\\u00e4\" ]\n";
    let t = ask(move |_| Reply::new(200, body).header("date", "Sun, 01 Mar 2026 11:59:58 GMT"));
    let response = t.result.unwrap();
    assert_eq!(response.body, body.as_bytes());
    assert_eq!(response.date().unwrap().to_string(), "2026-03-01T11:59:58Z");
    assert_eq!(t.asked[0].headers["authorization"], format!("Bearer {TOKEN}"));
    // No content coding is asked for, so none has to be undone.
    assert_eq!(t.asked[0].headers.get("accept-encoding"), None);
}

#[test]
fn a_refusal_is_an_answer_and_is_not_repeated() {
    for code in [400, 401, 403, 404, 410, 422, 451] {
        let t = ask(move |_| Reply::new(code, r#"{"message":"no"}"#).header("x-ratelimit-remaining", "4000"));
        assert_eq!((status(&t), t.asked.len(), t.slept.len()), (code, 1, 0));
    }
}

#[test]
fn a_primary_limit_is_waited_for_by_the_servers_clock() {
    // The server's clock is an hour ahead of ours; its limit resets in 90 s.
    let limited = Reply::new(403, r#"{"message":"API rate limit exceeded for user ID 1."}"#)
        .header("x-ratelimit-remaining", "0")
        .header("date", "Sun, 01 Mar 2026 13:00:00 GMT")
        .header("x-ratelimit-reset", "1772370090");
    let t = ask(then_good(vec![limited]));
    assert_eq!((status(&t), t.slept), (200, vec![91]));
}

#[test]
fn a_secondary_limit_is_waited_for_as_it_says() {
    let seconds = Reply::new(429, "{}").header("retry-after", "30");
    let t = ask(then_good(vec![seconds]));
    assert_eq!((status(&t), t.slept), (200, vec![31]));

    let date = Reply::new(403, "{}")
        .header("retry-after", "Sun, 01 Mar 2026 12:00:45 GMT")
        .header("date", "Sun, 01 Mar 2026 12:00:00 GMT");
    let t = ask(then_good(vec![date]));
    assert_eq!((status(&t), t.slept), (200, vec![46]));

    // Only the words say it: a minute.
    let words = Reply::new(403, r#"{"message":"You have exceeded a secondary rate limit. Please wait."}"#);
    let t = ask(then_good(vec![words]));
    assert_eq!((status(&t), t.slept), (200, vec![61]));
}

#[test]
fn a_limit_that_outlasts_patience_ends_the_run() {
    let t = ask(|_| Reply::new(429, "{}").header("retry-after", "90000"));
    assert_eq!(t.asked.len(), 1);
    assert!(matches!(t.result, Err(HttpError::RateLimited { seconds: 90_001, .. })), "{:?}", t.result);
    // A server that limits for ever is not asked for ever.
    let t = ask(|_| Reply::new(429, "{}").header("retry-after", "600"));
    assert!(matches!(t.result, Err(HttpError::RateLimited { .. })));
    assert_eq!(t.asked.len(), 7);
}

#[test]
fn after_the_last_request_of_a_budget_nothing_is_asked_until_the_reset() {
    let server = Server::start(|_| {
        Reply::new(200, "[1]").header("x-ratelimit-remaining", "0").header("x-ratelimit-reset", "1772366460")
    });
    let clock = Clock::at(NOW);
    let mut http = Http::new(HttpConfig::default(), clock.surroundings()).unwrap();
    for _ in 0..2 {
        http.send(&Request::get(server.url())).unwrap();
    }
    assert_eq!(clock.slept(), [61]);
}

#[test]
fn a_faulty_server_is_tried_again_and_its_last_word_counts() {
    let t = ask(then_good(vec![Reply::new(502, "<html>"), Reply::new(500, "{}")]));
    assert_eq!((status(&t), t.slept), (200, vec![1, 2]));
    let t = ask(|_| Reply::new(503, "{}"));
    assert_eq!((status(&t), t.asked.len()), (503, 5));
    let t = ask(then_good(vec![Reply::new(503, "{}").header("retry-after", "7")]));
    assert_eq!((status(&t), t.slept), (200, vec![7]));
}

#[test]
fn a_body_that_ends_early_is_never_taken_for_whole() {
    let long = "[1,2,3,4,5]";
    let cut = Reply { cut: Some(4), ..Reply::new(200, long) };
    let chunked = Reply { cut: Some(8), chunked: true, ..Reply::new(200, long) };
    // Nothing but the JSON itself shows this one.
    let silent = Reply { cut: Some(4), unsized_body: true, ..Reply::new(200, long) };
    for broken in [cut, chunked, silent] {
        let t = ask(then_good(vec![broken.clone()]));
        assert_eq!((status(&t), t.asked.len()), (200, 2), "{broken:?}");
        let t = ask(move |_| broken.clone());
        assert!(matches!(t.result, Err(HttpError::Unreachable { attempts: 5, .. })), "{:?}", t.result);
        assert_eq!(t.asked.len(), 5);
    }
}

#[test]
fn a_page_for_people_is_no_data() {
    for body in ["<!DOCTYPE html><html>Sign in</html>", "\n <html>"] {
        let t = ask(move |_| Reply::new(200, body).header("content-type", "text/html"));
        assert!(matches!(t.result, Err(HttpError::NotJson { .. })), "{:?}", t.result);
        assert_eq!(t.asked.len(), 1);
    }
    // Some proxies do not even say so.
    let t = ask(|_| Reply::new(200, "<html>"));
    assert!(matches!(t.result, Err(HttpError::NotJson { .. })));
}

#[test]
fn a_body_has_a_largest_size() {
    let config = HttpConfig { max_body: 100, ..HttpConfig::default() };
    let t = ask_with(config, |_| Reply::new(200, format!("\"{}\"", "x".repeat(200))), |r| r);
    assert!(matches!(t.result, Err(HttpError::TooLarge { limit: 100, .. })), "{:?}", t.result);
}

#[test]
fn a_redirect_is_followed_on_the_same_host_only_and_recorded() {
    let t = ask(|asked| {
        if asked.target == "/x" {
            Reply::new(301, "{}").header("location", "/repositories/1")
        } else {
            Reply::new(200, "[1]")
        }
    });
    let response = t.result.unwrap();
    assert!(response.url.ends_with("/repositories/1"));
    assert!(response.redirected_from.unwrap().ends_with("/x"));
    assert_eq!(t.asked[1].headers["authorization"], format!("Bearer {TOKEN}"));

    let other = Server::start(|_| Reply::new(200, "[1]"));
    let to = format!("{}/steal", other.url());
    let t = ask(move |_| Reply::new(302, "{}").header("location", &to));
    assert!(matches!(t.result, Err(HttpError::Redirected { .. })), "{:?}", t.result);
    assert!(other.targets().is_empty(), "the credential must not reach another host");

    let t = ask(|_| Reply::new(302, "{}").header("location", "/x"));
    assert!(matches!(t.result, Err(HttpError::RedirectLoop { .. })));
    let t = ask(|a| Reply::new(302, "{}").header("location", if a.target == "/x" { "/y" } else { "/x" }));
    assert!(matches!(t.result, Err(HttpError::RedirectLoop { .. })));
}

#[test]
fn an_unchanged_answer_is_one() {
    let t = ask_with(
        HttpConfig::default(),
        |asked| match asked.headers.get("if-none-match").map(String::as_str) {
            Some("\"abc\"") => Reply::new(304, ""),
            other => panic!("{other:?}"),
        },
        |mut r| {
            r.etag = Some("\"abc\"".to_owned());
            r
        },
    );
    assert_eq!((status(&t), t.asked.len()), (304, 1));
}

#[test]
fn a_secret_that_comes_back_is_masked_and_named() {
    let t = ask_with(
        HttpConfig::default(),
        |_| Reply::new(200, format!(r#"{{"echo":"{TOKEN}","temp_clone_token":"ABCDEF","x": 1}}"#)),
        |mut r| {
            r.redact = &["temp_clone_token"];
            r
        },
    );
    let response = t.result.unwrap();
    assert_eq!(
        String::from_utf8(response.body).unwrap(),
        r#"{"echo":"***","temp_clone_token":"***","x": 1}"#
    );
    assert_eq!(response.redacted, ["credential", "temp_clone_token"]);
}

#[test]
fn nobody_there_is_said_after_the_attempts() {
    let address = {
        let server = Server::start(|_| Reply::new(200, "[]"));
        server.url()
    };
    let clock = Clock::at(NOW);
    let mut http = Http::new(HttpConfig::default(), clock.surroundings()).unwrap();
    let error = http.send(&Request::get(address)).unwrap_err();
    assert!(matches!(error, HttpError::Unreachable { attempts: 5, .. }), "{error}");
    assert_eq!(clock.slept(), [1, 2, 4, 8]);
}

#[test]
fn a_credential_is_not_sent_in_the_clear() {
    let clock = Clock::at(NOW);
    let mut http = Http::new(HttpConfig::default(), clock.surroundings()).unwrap();
    let secret = Secret::new(TOKEN);
    let error = http.send(&Request::get("http://ghe.example.test/api/v3").with_secret(&secret)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`http://ghe.example.test/api/v3` cannot be asked: a credential is not sent without TLS; use https"
    );
    assert_eq!(http.requests(), 0);
    // A credential with a line feed in it cannot be a header, and is not shown in the error.
    let broken = Secret::new("ghp_invented\n0123456789");
    let error = http.send(&Request::get("http://127.0.0.1:1/x").with_secret(&broken)).unwrap_err();
    assert!(!error.to_string().contains("invented"), "{error}");
}

#[test]
fn a_companys_own_certificates_must_be_some() {
    let clock = Clock::at(NOW);
    let config = HttpConfig { roots: Some(b"nonsense".to_vec()), ..HttpConfig::default() };
    let error = Http::new(config, clock.surroundings()).err().unwrap();
    assert!(error.to_string().contains("holds no certificate"), "{error}");
}

/// Runs `openssl` in `folder`.
fn openssl(folder: &std::path::Path, arguments: &str) -> bool {
    let done = std::process::Command::new("openssl").current_dir(folder).args(arguments.split(' ')).output();
    done.is_ok_and(|output| output.status.success())
}

/// A TLS server of somebody else's, which is ended when dropped.
struct Tls(std::process::Child);

impl Drop for Tls {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "a test that is skipped says so")]
fn a_server_of_a_companys_own_authority_is_trusted_only_with_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("san"), "subjectAltName=DNS:localhost\n").unwrap();
    let made = openssl(
        folder,
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=Acme",
    ) && openssl(
        folder,
        "req -newkey rsa:2048 -nodes -keyout key.pem -out csr.pem -subj /CN=localhost",
    ) && openssl(
        folder,
        "x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out cert.pem",
    );
    if !made {
        println!("skipped: openssl cannot make certificates");
        return;
    }
    std::fs::write(folder.join("x"), "[1]").unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = std::process::Command::new("openssl")
        .current_dir(folder)
        .args([
            "s_server",
            "-quiet",
            "-WWW",
            "-cert",
            "cert.pem",
            "-key",
            "key.pem",
            "-accept",
            &port.to_string(),
        ])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let _server = Tls(server);
    for _ in 0..100 {
        if std::net::TcpStream::connect(("localhost", port)).is_ok() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let ask = |roots: Option<Vec<u8>>| {
        let config = HttpConfig { roots, attempts: 1, ..HttpConfig::default() };
        let mut http = Http::new(config, Clock::at(NOW).surroundings()).unwrap();
        http.send(&Request::get(format!("https://localhost:{port}/x")).with_secret(&Secret::new(TOKEN)))
    };
    let authority = std::fs::read(folder.join("ca.pem")).unwrap();
    assert_eq!(ask(Some(authority)).unwrap().body, b"[1]");
    let error = ask(None).unwrap_err().to_string();
    assert!(error.contains("UnknownIssuer"), "{error}");
}
