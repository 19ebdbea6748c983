//! One question over HTTP, and the whole answer or an honest error.
//!
//! Statuses are answers: `send` returns them to the connector, which knows what a 404 means at its own endpoint. Errors
//! are what is no answer at all: nobody there, a cut-off body, a proxy's page, a rate limit that outlasts our patience.

use std::sync::Arc;
use std::time::Duration;

use model::Instant;
use ureq::config::AutoHeaderValue;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::redact::{Secret, mask_bytes, mask_member, mask_text, mask_url};

/// What the outside world gives: a clock, a way to wait, randomness. Tests hand in their own.
pub struct Surroundings {
    /// The time.
    pub now: Box<dyn FnMut() -> Instant + Send>,
    /// Waits.
    pub sleep: Box<dyn FnMut(Duration) + Send>,
    /// A random number, to spread retries.
    pub random: Box<dyn FnMut() -> u64 + Send>,
}

/// How patiently and how much is asked.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Who asks, such as `tickmark/0.1`.
    pub user_agent: String,
    /// How long one request may take, body included.
    pub timeout: Duration,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// The largest body that is accepted, in bytes.
    pub max_body: u64,
    /// How often a request is tried in all when the source is faulty.
    pub attempts: u32,
    /// How long one request may wait for rate limits in all.
    pub max_wait: Duration,
    /// Certificates (PEM) that are trusted instead of the public authorities: a company's own.
    pub roots: Option<Vec<u8>>,
    /// Address of a proxy, such as `http://proxy.example.test:3128`. The environment is never read here.
    pub proxy: Option<String>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            user_agent: concat!("tickmark/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeout: Duration::from_secs(90),
            connect_timeout: Duration::from_secs(20),
            max_body: 64 << 20,
            attempts: 5,
            // GitHub's primary limit resets hourly.
            max_wait: Duration::from_secs(70 * 60),
            roots: None,
            proxy: None,
        }
    }
}

/// One question.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The address, with parameters.
    pub url: String,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The credential, sent as `Authorization: Bearer` to the address's own host and nowhere else.
    pub secret: Option<&'a Secret>,
    /// Ask for the answer only if it is no longer the one with this `ETag`.
    pub etag: Option<String>,
    /// Members whose text values are masked wherever they stand in the answer.
    pub redact: &'static [&'static str],
    /// `Some` makes it a POST of this JSON text.
    pub post: Option<Vec<u8>>,
}

impl<'a> Request<'a> {
    /// A plain question.
    pub fn get(url: impl Into<String>) -> Self {
        Self { url: url.into(), headers: vec![], secret: None, etag: None, redact: &[], post: None }
    }

    /// With a credential.
    #[must_use]
    pub const fn with_secret(mut self, secret: &'a Secret) -> Self {
        self.secret = Some(secret);
        self
    }
}

/// An answer, whatever its status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// The address that answered, secrets masked.
    pub url: String,
    /// The address that was asked, when it redirected to another one on the same host.
    pub redirected_from: Option<String>,
    /// Status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it was sent, but for what `redacted` names.
    pub body: Vec<u8>,
    /// When the body was complete.
    pub received_at: Instant,
    /// How many requests it took, faults and rate limits included.
    pub requests: u32,
    /// What was masked.
    pub redacted: Vec<String>,
}

impl Response {
    /// The value of a header (name in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The source's own clock at the answer.
    #[must_use]
    pub fn date(&self) -> Option<Instant> {
        self.header("date").and_then(parse_http_date)
    }

    /// The media type without parameters.
    #[must_use]
    pub fn media_type(&self) -> &str {
        let value = self.header("content-type").unwrap_or("application/octet-stream");
        value.split(';').next().unwrap_or(value).trim()
    }

    /// The body as JSON; `Null` when it is none (`send` has already refused a 200 that is none).
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or(serde_json::Value::Null)
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Nobody there, a cut connection, a body that ended early, a server that kept failing to answer.
    #[error(
        "`{url}` gave no whole answer in {attempts} attempts ({reason}); check the address and the network, then collect again"
    )]
    Unreachable {
        /// The address.
        url: String,
        /// How often it was tried.
        attempts: u32,
        /// What went wrong last.
        reason: String,
    },
    /// A page for people where data was expected.
    #[error(
        "`{url}` answered with {media_type} instead of JSON; a proxy or a sign-in page stands in between: let this host through, or check the API address"
    )]
    NotJson {
        /// The address.
        url: String,
        /// What came.
        media_type: String,
    },
    /// The body exceeds the cap.
    #[error("the answer of `{url}` is larger than {limit} bytes; ask for smaller pages or raise the cap")]
    TooLarge {
        /// The address.
        url: String,
        /// The cap.
        limit: u64,
    },
    /// A redirect to another host, which must not see the credential.
    #[error(
        "`{url}` redirects to another host (`{to}`), which was not followed; configure that address if it is the right one"
    )]
    Redirected {
        /// The address.
        url: String,
        /// Where it pointed.
        to: String,
    },
    /// A redirect that leads nowhere.
    #[error("`{url}` redirects in circles; check the API address")]
    RedirectLoop {
        /// The address.
        url: String,
    },
    /// A rate limit that lasts longer than we may wait.
    #[error(
        "`{url}` is rate-limited for another {seconds} s, longer than a run may wait; collect again later"
    )]
    RateLimited {
        /// The address.
        url: String,
        /// How long the source asked to wait.
        seconds: u64,
    },
    /// The address cannot be asked at all.
    #[error("`{url}` cannot be asked: {reason}")]
    BadAddress {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
}

/// The client. One per run.
pub struct Http {
    agent: ureq::Agent,
    config: HttpConfig,
    surroundings: Surroundings,
    /// Until when the source asked us to be quiet.
    quiet_until: Option<Instant>,
    requests: u64,
    waited: Duration,
}

/// What one try yielded besides a response.
enum Fault {
    /// Worth another try.
    Passing(String),
    /// Not.
    Lasting(HttpError),
}

impl Http {
    /// A client.
    ///
    /// # Errors
    /// Certificates or a proxy address that cannot be read.
    pub fn new(config: HttpConfig, surroundings: Surroundings) -> Result<Self, HttpError> {
        let mut trusted = RootCerts::WebPki;
        if let Some(pem) = &config.roots {
            let bad = |reason: &str| HttpError::BadAddress {
                url: "certificates".to_owned(),
                reason: format!("{reason}; give the authority's certificate as PEM"),
            };
            let mut certificates: Vec<Certificate<'static>> = vec![];
            for item in parse_pem(pem) {
                if let PemItem::Certificate(certificate) = item.map_err(|e| bad(&e.to_string()))? {
                    certificates.push(certificate);
                }
            }
            if certificates.is_empty() {
                return Err(bad("the file holds no certificate"));
            }
            trusted = RootCerts::Specific(Arc::new(certificates));
        }
        let proxy = config
            .proxy
            .as_deref()
            .map(ureq::Proxy::new)
            .transpose()
            .map_err(|e| HttpError::BadAddress { url: "proxy".to_owned(), reason: e.to_string() })?;
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(config.timeout))
            .timeout_connect(Some(config.connect_timeout))
            .user_agent(config.user_agent.as_str())
            // The bytes that are stored are the bytes that were sent: no content coding.
            .accept_encoding(AutoHeaderValue::None)
            .proxy(proxy)
            .tls_config(TlsConfig::builder().root_certs(trusted).build())
            .build()
            .new_agent();
        Ok(Self { agent, config, surroundings, quiet_until: None, requests: 0, waited: Duration::ZERO })
    }

    /// The time, by the clock that was handed in.
    pub fn now(&mut self) -> Instant {
        (self.surroundings.now)()
    }

    /// Requests sent so far.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// Time spent waiting for rate limits and faults so far.
    #[must_use]
    pub const fn waited(&self) -> Duration {
        self.waited
    }

    /// Asks until there is a whole answer: waits for rate limits, tries again after faults (5xx, cut connections, cut-off
    /// bodies), follows redirects on the same host.
    ///
    /// A 5xx that outlasts the attempts is returned as the answer it is.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub fn send(&mut self, request: &Request<'_>) -> Result<Response, HttpError> {
        let origin = origin_of(&request.url).ok_or_else(|| HttpError::BadAddress {
            url: mask_url(&request.url),
            reason: "it is no http or https address".to_owned(),
        })?;
        if request.secret.is_some() && request.url.starts_with("http://") && !is_loopback(&origin) {
            return Err(HttpError::BadAddress {
                url: mask_url(&request.url),
                reason: "a credential is not sent without TLS; use https".to_owned(),
            });
        }
        let mut url = request.url.clone();
        let (mut faults, mut redirects, mut requests) = (0, 0, 0);
        let mut patience = self.config.max_wait;
        loop {
            self.keep_quiet(&url, &mut patience)?;
            requests += 1;
            let mut response = match self.once(&url, request) {
                Ok(response) => response,
                Err(Fault::Lasting(error)) => return Err(error),
                Err(Fault::Passing(reason)) => {
                    faults += 1;
                    if faults >= self.config.attempts {
                        return Err(HttpError::Unreachable { url: mask_url(&url), attempts: faults, reason });
                    }
                    let pause = self.backoff(faults);
                    self.pause(pause);
                    continue;
                }
            };
            response.requests = requests;
            match response.status {
                301 | 302 | 307 | 308 if request.post.is_none() => {
                    let to = response.header("location").and_then(|to| absolute(&origin, to));
                    let Some(to) = to else { return Ok(response) };
                    if origin_of(&to).as_deref() != Some(origin.as_str()) {
                        return Err(HttpError::Redirected { url: mask_url(&url), to: mask_url(&to) });
                    }
                    redirects += 1;
                    if redirects > 5 || to == url {
                        return Err(HttpError::RedirectLoop { url: mask_url(&request.url) });
                    }
                    url = to;
                }
                403 | 429 => match self.limit(&response) {
                    Some(wait) if wait > patience => {
                        return Err(HttpError::RateLimited { url: mask_url(&url), seconds: wait.as_secs() });
                    }
                    Some(wait) => {
                        patience -= wait;
                        self.pause(wait);
                    }
                    None => return Ok(finish(response, &request.url, &url)),
                },
                500..=599 => {
                    faults += 1;
                    if faults >= self.config.attempts {
                        return Ok(finish(response, &request.url, &url));
                    }
                    let asked = response.header("retry-after").and_then(|v| v.trim().parse().ok());
                    let pause = asked.map_or_else(|| self.backoff(faults), Duration::from_secs);
                    if pause > patience {
                        return Err(HttpError::RateLimited { url: mask_url(&url), seconds: pause.as_secs() });
                    }
                    patience -= pause;
                    self.pause(pause);
                }
                _ => {
                    self.note_exhausted_budget(&response);
                    return Ok(finish(response, &request.url, &url));
                }
            }
        }
    }

    fn once(&mut self, url: &str, request: &Request<'_>) -> Result<Response, Fault> {
        self.requests += 1;
        let mut sent = request.headers.clone();
        if let Some(secret) = request.secret.filter(|s| !s.is_empty()) {
            sent.push(("authorization", format!("Bearer {}", secret.expose())));
        }
        if let Some(etag) = &request.etag {
            sent.push(("if-none-match", etag.clone()));
        }
        let mut http = ureq::http::Request::builder().uri(url);
        for (name, value) in sent {
            http = http.header(name, value);
        }
        let bad = |reason: String| {
            Fault::Lasting(HttpError::BadAddress {
                url: mask_url(url),
                reason: request.secret.and_then(|s| mask_text(&reason, s.expose())).unwrap_or(reason),
            })
        };
        let answer = match &request.post {
            None => {
                let http = http.method("GET").body(()).map_err(|e| bad(e.to_string()))?;
                self.agent.run(http)
            }
            Some(body) => {
                let http = http.method("POST").header("content-type", "application/json");
                let http = http.body(body.clone()).map_err(|e| bad(e.to_string()))?;
                self.agent.run(http)
            }
        };
        let mut answer = answer.map_err(|error| match error {
            ureq::Error::BadUri(reason) => bad(reason),
            ureq::Error::Http(error) => bad(error.to_string()),
            other => Fault::Passing(other.to_string()),
        })?;
        let status = answer.status().as_u16();
        let mut headers: Vec<(String, String)> = vec![];
        for (name, value) in answer.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            // Several `Link` headers mean the same as one with all links.
            match headers.iter_mut().find(|(n, _)| n == name.as_str() && n == "link") {
                Some((_, joined)) => *joined = format!("{joined}, {value}"),
                None => headers.push((name.as_str().to_owned(), value)),
            }
        }
        let limit = self.config.max_body;
        let mut body = match answer.body_mut().with_config().limit(limit).read_to_vec() {
            Ok(body) => body,
            Err(ureq::Error::BodyExceedsLimit(_)) => {
                return Err(Fault::Lasting(HttpError::TooLarge { url: mask_url(url), limit }));
            }
            Err(error) => return Err(Fault::Passing(format!("the body ended early: {error}"))),
        };
        let received_at = self.now();
        let mut redacted = vec![];
        if let Some(secret) = request.secret
            && mask_bytes(&mut body, secret.expose().as_bytes())
        {
            redacted.push("credential".to_owned());
        }
        for member in request.redact {
            if mask_member(&mut body, member) {
                redacted.push((*member).to_owned());
            }
        }
        let response = Response {
            url: mask_url(url),
            redirected_from: None,
            status,
            headers,
            body,
            received_at,
            requests: 1,
            redacted,
        };
        // A body is data only when it is whole. Chunked answers that end early, and proxies that say 200 for their own
        // pages, show only here.
        if matches!(status, 200..=299)
            && status != 204
            && serde_json::from_slice::<serde::de::IgnoredAny>(&response.body).is_err()
        {
            let page = response.body.trim_ascii_start().first() == Some(&b'<')
                || response.media_type().eq_ignore_ascii_case("text/html");
            return Err(if page {
                Fault::Lasting(HttpError::NotJson {
                    url: mask_url(url),
                    media_type: response.media_type().to_owned(),
                })
            } else {
                Fault::Passing(format!("the body of {} bytes is no whole JSON text", response.body.len()))
            });
        }
        Ok(response)
    }

    /// How long the source asks to be left alone, when this answer is a rate limit and not a refusal.
    fn limit(&mut self, response: &Response) -> Option<Duration> {
        let exhausted = response.header("x-ratelimit-remaining").map(str::trim) == Some("0");
        let retry_after = response.header("retry-after");
        let text = String::from_utf8_lossy(&response.body[..response.body.len().min(2000)]).to_lowercase();
        let named = text.contains("rate limit") || text.contains("abuse detection");
        if response.status == 403 && !exhausted && retry_after.is_none() && !named {
            return None;
        }
        let server_now = response.date().unwrap_or(response.received_at);
        let until =
            |at: Instant| Duration::from_millis(u64::try_from(at.ms() - server_now.ms()).unwrap_or(0));
        let asked = if let Some(value) = retry_after.map(str::trim) {
            value.parse().map(Duration::from_secs).ok().or_else(|| parse_http_date(value).map(until))
        } else if exhausted {
            response
                .header("x-ratelimit-reset")
                .and_then(|v| v.trim().parse().ok())
                .map(|seconds| until(Instant::from_seconds(seconds)))
        } else {
            None
        };
        // A limit without a time: a minute is what the vendor advises. One second more, since clocks are cut to seconds.
        let spread = Duration::from_millis((self.surroundings.random)() % 1000);
        Some(asked.unwrap_or(Duration::from_secs(60)) + Duration::from_secs(1) + spread)
    }

    /// After the last request of a budget nothing is asked until the reset: asking on is what gets clients banned.
    fn note_exhausted_budget(&mut self, response: &Response) {
        if response.header("x-ratelimit-remaining").map(str::trim) != Some("0") {
            return;
        }
        let Some(reset) = response.header("x-ratelimit-reset").and_then(|v| v.trim().parse().ok()) else {
            return;
        };
        let server_now = response.date().unwrap_or(response.received_at);
        let wait = (Instant::from_seconds(reset).ms() - server_now.ms()).max(0) + 1000;
        self.quiet_until = Some(Instant::from_ms(response.received_at.ms().saturating_add(wait)));
    }

    fn keep_quiet(&mut self, url: &str, patience: &mut Duration) -> Result<(), HttpError> {
        let Some(until) = self.quiet_until else { return Ok(()) };
        let wait = Duration::from_millis(u64::try_from(until.ms() - self.now().ms()).unwrap_or(0));
        if wait > *patience {
            return Err(HttpError::RateLimited { url: mask_url(url), seconds: wait.as_secs() });
        }
        self.quiet_until = None;
        *patience -= wait;
        self.pause(wait);
        Ok(())
    }

    /// One, two, four … seconds and up to as much again.
    fn backoff(&mut self, faults: u32) -> Duration {
        let base = 1000_u64 << faults.saturating_sub(1).min(6);
        Duration::from_millis(base + (self.surroundings.random)() % base)
    }

    /// Waits.
    pub fn pause(&mut self, duration: Duration) {
        if !duration.is_zero() {
            self.waited += duration;
            (self.surroundings.sleep)(duration);
        }
    }
}

fn finish(mut response: Response, asked: &str, answered: &str) -> Response {
    if asked != answered {
        response.redirected_from = Some(mask_url(asked));
    }
    response
}

/// Scheme, host and port of an http(s) address, such as `https://api.github.com`.
#[must_use]
pub fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase();
    let host = host.strip_suffix(default_port).unwrap_or(&host);
    (!host.is_empty()).then(|| format!("{scheme}://{host}"))
}

fn is_loopback(origin: &str) -> bool {
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    let host = host.strip_prefix("[::1]").map_or_else(|| host.split(':').next().unwrap_or(host), |_| "::1");
    matches!(host, "127.0.0.1" | "localhost" | "::1")
}

fn absolute(origin: &str, location: &str) -> Option<String> {
    let location = location.trim();
    if location.contains("://") {
        Some(location.to_owned())
    } else if location.starts_with("//") {
        Some(format!("{}:{location}", origin.split_once(':')?.0))
    } else if location.starts_with('/') {
        Some(format!("{origin}{location}"))
    } else {
        None
    }
}

/// An HTTP date such as `Thu, 10 May 2012 13:56:55 GMT`.
#[must_use]
pub fn parse_http_date(text: &str) -> Option<Instant> {
    let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
    parser.parse_timestamp(text.trim()).ok().map(|t| Instant::from_ms(t.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_header_is_an_instant() {
        let date = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(date.to_string(), "1994-11-06T08:49:37Z");
        assert_eq!(parse_http_date("yesterday"), None);
    }

    #[test]
    fn only_the_same_scheme_host_and_port_are_one_origin() {
        assert_eq!(
            origin_of("HTTPS://API.example.test:443/x?y"),
            Some("https://api.example.test".to_owned())
        );
        assert_ne!(origin_of("https://h.test"), origin_of("http://h.test"));
        assert_ne!(origin_of("https://h.test"), origin_of("https://h.test:8443"));
        // The host of `https://good@evil` is `evil`.
        assert_eq!(origin_of("https://h.test@evil.test/x"), Some("https://evil.test".to_owned()));
        assert_eq!(origin_of("ftp://h.test"), None);
    }

    #[test]
    fn a_loopback_is_exactly_that() {
        assert!(
            is_loopback("http://127.0.0.1:8080")
                && is_loopback("http://[::1]:80")
                && is_loopback("http://localhost")
        );
        assert!(!is_loopback("http://127.0.0.1.evil.test") && !is_loopback("http://h.test"));
    }

    #[test]
    fn a_location_may_be_relative() {
        assert_eq!(absolute("https://h", "/a").as_deref(), Some("https://h/a"));
        assert_eq!(absolute("https://h", "//evil/a").as_deref(), Some("https://evil/a"));
        assert_eq!(absolute("https://h", "a"), None);
    }
}
