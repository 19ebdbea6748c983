//! Asking GitHub: addresses, what a status means, and lists read to their end.

use std::collections::BTreeSet;
use std::time::Duration;

use collect::{BoxError, Http, HttpError, Recorder, Request, Response, Secret, next_link, origin_of};
use model::CoverageStatus;
use serde_json::{Value as Json, json};

use super::app::{Credential, Grant, Purpose, SignIn};
use super::streams::{Stream, stream_named};
use super::{GitHubError, Source};

/// Why a run cannot go on.
pub(super) enum Stop {
    /// The ledger did not take a capture.
    Sink(BoxError),
    /// GitHub cannot be asked any more.
    Ended(CoverageStatus, String),
}

impl From<BoxError> for Stop {
    fn from(error: BoxError) -> Self {
        Self::Sink(error)
    }
}

/// What a question yielded.
pub(super) enum Answer {
    /// A 2xx.
    Good(Response),
    /// 304: the answer that was collected before still holds.
    Unchanged(Response),
    /// A status that says why not.
    Refused(Response, CoverageStatus, String),
    /// No answer.
    None(String),
}

/// Members that hold live credentials.
const CREDENTIALS: &[&str] = &["temp_clone_token"];

/// Runs of failures after which nothing more is tried: each one has already been retried.
const PATIENCE: u32 = 3;

/// The most pages of one list; a list that is longer is not read to its end and says so.
const MAX_PAGES: u32 = 10_000;

/// How long a token that was just made may be unknown to some of GitHub's servers.
const UNTIL_KNOWN: Duration = Duration::from_secs(2);

/// GitHub, asked with one credential.
pub(super) struct Client<'h> {
    http: &'h mut Http,
    api: String,
    origin: String,
    source: Source,
    purpose: Purpose,
    /// What the App's installation was given last; nothing for a token that somebody made.
    grant: Option<Grant>,
    failures: u32,
}

/// A list that was read.
pub(super) struct Listed {
    /// Whether it was read to its end (or to where the reader wanted to stop).
    pub(super) whole: bool,
    /// Pages.
    pub(super) pages: Vec<Page>,
    /// How many items the source says there are, where it does.
    pub(super) total: Option<u64>,
    /// Distinct items.
    pub(super) count: u64,
    /// Whether an item came twice: the list moved while it was read.
    pub(super) repeated: bool,
    /// The status of a first page that could not be read.
    pub(super) refused: Option<u16>,
}

/// What is kept of a page to see whether it has changed.
pub(super) struct Page {
    url: String,
    etag: Option<String>,
    ids: Vec<String>,
}

/// Whether a list is read on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    On,
    Enough,
}

impl<'h> Client<'h> {
    pub(super) fn new(http: &'h mut Http, source: &Source, purpose: Purpose) -> Result<Self, GitHubError> {
        let api = source.api_url.trim_end_matches('/').to_owned();
        let origin = origin_of(&api).ok_or_else(|| {
            GitHubError::Configuration(format!(
                "`{api}` is no API address; write it like https://api.github.com"
            ))
        })?;
        Ok(Self { http, api, origin, source: source.clone(), purpose, grant: None, failures: 0 })
    }

    /// Gets an App a token unless it has one that holds a while longer. The next request would do so, too.
    pub(super) fn sign_in(&mut self) -> Result<(), Stop> {
        let now = self.http.now();
        if self.grant.as_ref().is_none_or(|grant| now >= grant.renew_at) { self.renew() } else { Ok(()) }
    }

    fn renew(&mut self) -> Result<(), Stop> {
        let Credential::App(app) = &self.source.credential else { return Ok(()) };
        let sign_in = SignIn { app, source: &self.source, api: &self.api, purpose: self.purpose };
        let grant = sign_in.token(self.http, self.grant.as_ref())?;
        self.grant = Some(grant);
        Ok(())
    }

    /// Who asks, as receipts give it: nothing of it is secret.
    pub(super) fn credential(&self) -> Json {
        match &self.source.credential {
            Credential::Token(_) => json!({ "kind": "token" }),
            Credential::App(app) => {
                let installation = self.grant.as_ref().map(|grant| grant.installation).or(app.installation);
                json!({ "kind": "app", "app": app.id, "installation": installation })
            }
        }
    }

    /// The rights the App's installation granted; `Null` for a token that somebody made.
    pub(super) fn permissions(&self) -> Json {
        self.grant.as_ref().map_or(Json::Null, Grant::permissions)
    }

    /// The right a stream needs and the App's installation does not grant. What GitHub shows without it may be only
    /// what it shows everybody, with a status that says nothing of it. `None` also where nobody can tell beforehand.
    pub(super) fn lacks(&self, stream: &Stream) -> Option<String> {
        self.grant.as_ref()?.lacks(stream)
    }

    /// Sends one request. A token that is refused is renewed, and the request sent once more.
    fn send(
        &mut self,
        url: &str,
        etag: Option<&str>,
        post: Option<&Json>,
    ) -> Result<Result<Response, HttpError>, Stop> {
        self.sign_in()?;
        let answer = self.once(url, etag, post);
        match &answer {
            Ok(response)
                if response.status == 401
                    && self.grant.is_some()
                    && message_of(response).to_lowercase().contains("bad credentials") =>
            {
                self.renew()?;
                self.http.pause(UNTIL_KNOWN);
                Ok(self.once(url, etag, post))
            }
            _ => Ok(answer),
        }
    }

    fn once(&mut self, url: &str, etag: Option<&str>, post: Option<&Json>) -> Result<Response, HttpError> {
        let token: &Secret = match (&self.source.credential, &self.grant) {
            (Credential::App(_), Some(grant)) => &grant.token,
            (Credential::Token(token), _) => token,
            // `sign_in` came first. Without a token GitHub shows what it shows everybody, and that is not asked for.
            (Credential::App(_), None) => {
                return Err(HttpError::BadAddress {
                    url: url.to_owned(),
                    reason: "the App is not signed in".to_owned(),
                });
            }
        };
        let mut request = Request::get(url);
        request.headers = headers();
        request.secret = Some(token);
        request.etag = etag.map(str::to_owned);
        request.redact = CREDENTIALS;
        request.post = post.map(|body| body.to_string().into_bytes());
        self.http.send(&request)
    }

    pub(super) fn http(&mut self) -> &mut Http {
        self.http
    }

    /// The address of a path below the API.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.api)
    }

    /// Asks for one address and says what the answer means for `stream`.
    pub(super) fn get(&mut self, stream: &str, url: &str, etag: Option<&str>) -> Result<Answer, Stop> {
        if origin_of(url).as_deref() != Some(self.origin.as_str()) {
            return Ok(Answer::None(format!("`{url}` is not at the API's own host, so it was not asked")));
        }
        match self.send(url, etag, None)? {
            Ok(response) => {
                self.failures = if response.status >= 500 { self.failures + 1 } else { 0 };
                if self.failures >= PATIENCE {
                    let reason =
                        format!("GitHub answers {} again and again; collect again later", response.status);
                    return Err(Stop::Ended(CoverageStatus::Failed, reason));
                }
                meaning(stream, response, &self.source.credential)
            }
            Err(error @ HttpError::RateLimited { .. }) => {
                Err(Stop::Ended(CoverageStatus::Failed, error.to_string()))
            }
            Err(error) => {
                self.failures += 1;
                if self.failures >= PATIENCE {
                    return Err(Stop::Ended(CoverageStatus::Failed, error.to_string()));
                }
                Ok(Answer::None(error.to_string()))
            }
        }
    }

    /// Sends a JSON text; the answer as it is.
    pub(super) fn post(&mut self, path: &str, body: &Json) -> Result<Result<Response, HttpError>, Stop> {
        let url = self.url(path);
        self.send(&url, None, Some(body))
    }

    /// Asks for one document and records it, or the gap. `None` when there is nothing to read. `items` is how many it
    /// adds to the stream: none where a list has counted it already.
    pub(super) fn document(
        &mut self,
        recorder: &mut Recorder<'_, '_>,
        stream: &'static str,
        path: &str,
        context: Json,
        items: u64,
    ) -> Result<Option<Json>, Stop> {
        match self.get(stream, &self.url(path), None)? {
            Answer::Good(response) | Answer::Unchanged(response) => {
                let json = response.json();
                recorder.page(stream, &response, context, items)?;
                Ok(Some(json))
            }
            Answer::Refused(response, status, reason) => {
                recorder.page(stream, &response, context, 0)?;
                recorder.gap(stream, status, reason);
                Ok(None)
            }
            Answer::None(reason) => {
                recorder.gap(stream, CoverageStatus::Failed, reason);
                Ok(None)
            }
        }
    }

    /// Reads a list page by page, captures every page, and hands each new item to `each`, which may have enough.
    ///
    /// `member` names the array where the body is an object (`check_runs`). What could not be read is a gap of `stream`.
    pub(super) fn list(
        &mut self,
        recorder: &mut Recorder<'_, '_>,
        stream: &'static str,
        path: &str,
        member: Option<&str>,
        context: &Json,
        each: &mut dyn FnMut(&Json) -> Go,
    ) -> Result<Listed, Stop> {
        let mut listed =
            Listed { whole: false, pages: vec![], total: None, count: 0, repeated: false, refused: None };
        let mut seen = BTreeSet::new();
        let mut visited = BTreeSet::new();
        let mut next = Some(self.url(path));
        while let Some(url) = next {
            if !visited.insert(url.clone()) {
                recorder.gap(stream, CoverageStatus::Failed, "the pages of the list lead in circles");
                return Ok(listed);
            }
            if listed.pages.len() >= MAX_PAGES as usize {
                recorder.gap(
                    stream,
                    CoverageStatus::Partial,
                    format!("the list has more than {MAX_PAGES} pages"),
                );
                return Ok(listed);
            }
            let response = match self.get(stream, &url, None)? {
                Answer::Good(response) | Answer::Unchanged(response) => response,
                Answer::Refused(response, status, reason) => {
                    recorder.page(stream, &response, context.clone(), 0)?;
                    recorder.gap(stream, status, reason);
                    if listed.pages.is_empty() {
                        listed.refused = Some(response.status);
                    }
                    return Ok(listed);
                }
                Answer::None(reason) => {
                    recorder.gap(stream, CoverageStatus::Failed, reason);
                    return Ok(listed);
                }
            };
            let body = response.json();
            let array = member.map_or(&body, |name| &body[name]);
            let Some(items) = array.as_array() else {
                recorder.page(stream, &response, context.clone(), 0)?;
                recorder.gap(
                    stream,
                    CoverageStatus::Failed,
                    "the answer is no list; the API may have changed",
                );
                return Ok(listed);
            };
            if let Some(total) = body.get("total_count").and_then(Json::as_u64) {
                listed.total = Some(total);
            }
            let mut go = Go::On;
            let (mut ids, mut fresh) = (vec![], 0);
            for item in items {
                let id = identity(item);
                if seen.insert(id.clone()) {
                    fresh += 1;
                    if each(item) == Go::Enough {
                        go = Go::Enough;
                    }
                } else {
                    listed.repeated = true;
                }
                ids.push(id);
            }
            listed.count += fresh;
            recorder.page(stream, &response, context.clone(), fresh)?;
            let following = response.header("link").and_then(next_link).map(str::to_owned);
            listed.pages.push(Page { url, etag: response.header("etag").map(str::to_owned), ids });
            if go == Go::Enough {
                listed.whole = true;
                return Ok(listed);
            }
            next = following;
        }
        listed.whole = true;
        Ok(listed)
    }

    /// Reads a snapshot list. Someone who leaves while it is read pulls the others a place forward, and one of them
    /// falls between two pages: so the pages of a longer list are asked for again, and the list is read anew when they
    /// have moved.
    pub(super) fn snapshot(
        &mut self,
        recorder: &mut Recorder<'_, '_>,
        stream: &'static str,
        path: &str,
        context: &Json,
    ) -> Result<Option<Vec<Json>>, Stop> {
        for _ in 0..3 {
            let mut items = vec![];
            let listed = self.list(recorder, stream, path, None, context, &mut |item| {
                items.push(item.clone());
                Go::On
            })?;
            if !listed.whole {
                return Ok(None);
            }
            if listed.pages.len() < 2 || (!listed.repeated && self.still(stream, &listed.pages)?) {
                return Ok(Some(items));
            }
        }
        recorder.gap(stream, CoverageStatus::Partial, "the list kept changing while it was read");
        Ok(None)
    }

    fn still(&mut self, stream: &str, pages: &[Page]) -> Result<bool, Stop> {
        for page in pages {
            match self.get(stream, &page.url, page.etag.as_deref())? {
                Answer::Unchanged(_) => {}
                Answer::Good(response) => {
                    let ids: Vec<String> =
                        response.json().as_array().into_iter().flatten().map(identity).collect();
                    if ids != page.ids {
                        return Ok(false);
                    }
                }
                Answer::Refused(..) | Answer::None(_) => return Ok(false),
            }
        }
        Ok(true)
    }
}

pub(super) fn headers() -> Vec<(&'static str, String)> {
    vec![
        ("accept", "application/vnd.github+json".to_owned()),
        ("x-github-api-version", "2022-11-28".to_owned()),
    ]
}

/// What an item is called for good. Events of a timeline may have no id: then the whole of it is its identity.
fn identity(item: &Json) -> String {
    for name in ["id", "sha", "node_id", "number", "_document_id", "version_id"] {
        match &item[name] {
            Json::Number(n) => return format!("{name} {n} {}", item["event"].as_str().unwrap_or("")),
            Json::String(s) if !s.is_empty() => {
                return format!("{name} {s} {}", item["event"].as_str().unwrap_or(""));
            }
            _ => {}
        }
    }
    item.to_string()
}

/// What GitHub says in an answer that is none.
pub(super) fn message_of(response: &Response) -> String {
    let body = response.json();
    let text = body["message"].as_str().unwrap_or("").trim();
    if text.is_empty() { "no message".to_owned() } else { text.chars().take(200).collect() }
}

/// What a status means.
fn meaning(stream: &str, response: Response, credential: &Credential) -> Result<Answer, Stop> {
    let message = message_of(&response);
    let needs = stream_named(stream).map_or("", |s| s.permission);
    let status = response.status;
    let lower = message.to_lowercase();
    let who = match credential {
        Credential::Token(_) => "the token",
        Credential::App(_) => "the App",
    };
    let (coverage, reason) = match status {
        200..=299 => return Ok(Answer::Good(response)),
        304 => return Ok(Answer::Unchanged(response)),
        401 => {
            let reason = match credential {
                Credential::Token(_) => {
                    "the token is wrong, expired or revoked; create a new one and collect again"
                }
                Credential::App(_) => {
                    "a token that GitHub gave the App just now is not accepted; see whether the App's installation was \
                     suspended or removed, and collect again"
                }
            };
            return Err(Stop::Ended(CoverageStatus::Failed, format!("401 {message}: {reason}")));
        }
        // Said of every address: there is no use in asking for the rest.
        403 if lower.contains("installation has been suspended") => {
            return Err(Stop::Ended(
                CoverageStatus::NotPermitted,
                format!(
                    "403 {message}: an owner of the organisation can lift that under GitHub Apps; then collect again"
                ),
            ));
        }
        402 => (CoverageStatus::NotLicensed, format!("402 {message}: the plan does not offer this")),
        403 if lower.contains("upgrade to")
            || lower.contains("must be enabled")
            || lower.contains("not enabled") =>
        {
            (CoverageStatus::NotLicensed, format!("403 {message}"))
        }
        403 => (CoverageStatus::NotPermitted, format!("403 {message}: {who} needs {needs}")),
        404 => (
            CoverageStatus::NotPermitted,
            format!("404 {message}: it does not exist, or {who} may not see it (it needs {needs})"),
        ),
        // The settings of the repository, and nothing the passing of time took away.
        410 if lower.contains("disabled") => (CoverageStatus::NotLicensed, format!("410 {message}")),
        410 => (CoverageStatus::Expired, format!("410 {message}: the source no longer keeps it")),
        422 if lower.contains("only owners") => {
            (CoverageStatus::NotPermitted, format!("422 {message}: {who} needs {needs}"))
        }
        451 => (CoverageStatus::NotPermitted, format!("451 {message}")),
        _ => (CoverageStatus::Failed, format!("{status} {message}")),
    };
    Ok(Answer::Refused(response, coverage, reason))
}

/// `repos/acme/app` and the like, from user input: no slash or query may sneak in.
pub(super) fn segment(text: &str) -> String {
    collect::encode_segment(text)
}

/// The context of a look at one pull request.
pub(super) fn pull_context(number: u64) -> Json {
    json!({ "pull": number })
}
