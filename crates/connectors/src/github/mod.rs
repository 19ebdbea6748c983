//! GitHub: what landed, who proposed, reviewed and merged it, which rules stood in the way, and who got around them.
//!
//! Fetch ([`probe`], [`collect`], [`pull`]) gives captures: the answers of GitHub's REST API byte for byte, each with
//! its receipt. [`derive`] reads facts out of them and never asks anything. What could not be looked at is a gap on
//! record: see [`STREAMS`] for what each stream needs, and `docs/sources/github.md` for what it proves.

mod app;
mod builds;
mod client;
mod commits;
mod deployments;
mod derive;
mod issues;
mod people;
mod probe;
mod protection;
mod pulls;
mod simulated;
mod streams;
mod strength;
mod tickets;

use std::collections::{BTreeMap, BTreeSet};

use collect::{BoxError, Http, HttpError, Recorder, RunSummary, Sink};
use model::{Coverage, CoverageStatus, Instant, Window};
use serde_json::{Value as Json, json};

use app::Purpose;
pub use app::{App, AppKey, Credential};
use client::{Answer, Client, Stop, message_of, segment};
pub use derive::derive;
pub use probe::{StreamCheck, probe};
use protection::Protection;
pub use simulated::{Simulated, collect_simulated};
pub use streams::{STREAMS, Stream, StreamKind, forgotten, stream_named, streams_of};

/// Name and version of this collector, as receipts give it.
pub const COLLECTOR: &str = "github/1";

/// The stream that is opened first and closed last: its last word carries what all streams say together.
const FIRST: &str = "repository";

/// A repository at GitHub or a GitHub Enterprise Server, and the credential to read it with.
#[derive(Clone, Debug)]
pub struct Source {
    /// Owner of the repository, such as `acme`.
    pub owner: String,
    /// Name of the repository, such as `app`.
    pub repo: String,
    /// Address of the API: `https://api.github.com`, or `https://ghe.example.test/api/v3`.
    pub api_url: String,
    /// The credential.
    pub credential: Credential,
    /// The branch whose changes are examined; the repository's default branch when `None`.
    pub branch: Option<String>,
    /// What the system is called where the address is not its name: a server that is reached through a tunnel, or whose
    /// address changed. What was known of it under that name goes on.
    pub known_as: Option<String>,
}

impl Source {
    /// A repository at github.com.
    #[must_use]
    pub fn new(owner: &str, repo: &str, credential: impl Into<Credential>) -> Self {
        Self {
            owner: owner.to_owned(),
            repo: repo.to_owned(),
            api_url: API.to_owned(),
            credential: credential.into(),
            branch: None,
            known_as: None,
        }
    }

    /// What receipts call this source, such as `github:acme/app`.
    #[must_use]
    pub fn instance(&self) -> String {
        format!("github:{}/{}", self.owner, self.repo)
    }

    /// The system accounts belong to: `github.com`, or the host of an Enterprise Server.
    #[must_use]
    pub fn system(&self) -> String {
        self.known_as.clone().unwrap_or_else(|| system(&self.api_url))
    }

    /// The repository's key, such as `github.com/acme/app`: as configured, so that a repository that is renamed later
    /// keeps one history. Equal to what git derives from the address of a clone.
    #[must_use]
    pub fn repository(&self) -> String {
        format!("{}/{}/{}", self.system(), self.owner, self.repo)
    }

    fn path(&self) -> String {
        format!("/repos/{}/{}", segment(&self.owner), segment(&self.repo))
    }

    fn context(&self, credential: Json) -> Json {
        json!({ "system": self.system(), "repository": self.repository(), "credential": credential })
    }
}

/// The address of github.com's API.
pub const API: &str = "https://api.github.com";

/// The key of a repository behind an API's address: see [`Source::repository`].
#[must_use]
pub fn repository(api_url: &str, owner: &str, repo: &str) -> String {
    format!("{}/{owner}/{repo}", system(api_url))
}

fn system(api_url: &str) -> String {
    let origin = collect::origin_of(api_url).unwrap_or_default();
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    if host == "api.github.com" { "github.com".to_owned() } else { host.to_owned() }
}

/// Where each stream goes on, by stream: the cursors of the last receipts that carry one.
pub type Cursors = BTreeMap<String, Json>;

/// Why nothing could be collected at all. What a single stream could not do is no error: it is that stream's coverage.
#[derive(Debug, thiserror::Error)]
pub enum GitHubError {
    /// The source's configuration cannot work.
    #[error("{0}")]
    Configuration(String),
    /// The ledger did not take a capture. What it took before stays.
    #[error(
        "a capture could not be stored: {0}; what was stored before it stays, and the next run goes on from there"
    )]
    Sink(#[source] BoxError),
    /// GitHub did not answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// GitHub refused.
    #[error("{0}")]
    Refused(String),
}

/// What every part of a run needs to know.
struct Run<'a> {
    source: &'a Source,
    cursors: &'a Cursors,
    window: Window,
    /// GitHub's own clock at the beginning: no later instant is claimed as looked at.
    now: Instant,
    branch: String,
    /// What GitHub's `~DEFAULT_BRANCH` means; usually the same.
    default_branch: String,
    /// Organisation that owns the repository; `None` for a personal account.
    organisation: Option<String>,
}

impl Run<'_> {
    /// The window a stream has to account for: from where its coverage is complete to the beginning of this run.
    fn window_of(&self, stream: &str) -> Window {
        open_since(self.cursors, stream, self.window, self.now)
    }

    /// From when the lists of a stream are read anew.
    fn since(&self, stream: &str) -> Instant {
        self.cursor_instant(stream, "to").unwrap_or(self.window.from)
    }

    /// From when a stream has been looked at at all.
    fn begin(&self, stream: &str) -> Instant {
        self.cursor_instant(stream, "begin").map_or(self.window.from, |begin| begin.min(self.window.from))
    }

    fn cursor_instant(&self, stream: &str, name: &str) -> Option<Instant> {
        cursor_instant(self.cursors, stream, name)
    }

    /// The cursor after a look: `to` moves on; `from` stays while a later run may still see what is missing before it.
    /// What nobody will ever see stays said of its own window.
    fn cursor_after(&self, recorder: &Recorder<'_, '_>, stream: &str, more: Json) -> Json {
        let window = self.window_of(stream);
        let from = if recorder.may_close(stream) { window.from } else { window.to };
        let mut cursor = json!({ "begin": self.begin(stream), "from": from, "to": window.to });
        if let Some(reason) = recorder.lasting(stream) {
            cursor["lasting"] = json!(reason);
        }
        if let (Json::Object(map), Json::Object(more)) = (&mut cursor, more) {
            map.extend(more);
        }
        cursor
    }
}

fn cursor_instant(cursors: &Cursors, stream: &str, name: &str) -> Option<Instant> {
    cursors.get(stream)?[name].as_str()?.parse().ok()
}

/// The window a stream has to account for at `now`: from where its coverage is complete.
fn open_since(cursors: &Cursors, stream: &str, window: Window, now: Instant) -> Window {
    let from = cursor_instant(cursors, stream, "from").unwrap_or(window.from);
    let to = now.min(window.to);
    Window { from: from.min(to), to }
}

/// How far one list may lag behind another: re-read on every run.
const OVERLAP_MS: i64 = 10 * 60 * 1000;

/// Collects everything the token may see of the window, and says for every stream what it could not see.
///
/// Every capture goes to `sink` as soon as it is there. A run that dies leaves what it captured; the next run goes on
/// from the cursors of the streams that were closed.
///
/// # Errors
/// A configuration that cannot work, or a sink that fails. Anything GitHub does or refuses is coverage, not an error.
pub fn collect(
    source: &Source,
    cursors: &Cursors,
    window: Window,
    http: &mut Http,
    sink: &mut Sink<'_>,
) -> Result<RunSummary, GitHubError> {
    let (requests, waited) = (http.requests(), http.waited());
    let mut client = Client::new(http, source, Purpose::Collect)?;
    let signed_in = client.sign_in();
    let context = source.context(client.credential());
    let mut recorder = Recorder::new(&source.instance(), COLLECTOR, context, sink);
    let now = client.http().now();
    let (cursors, lasting) = going_on_from(cursors, window);
    for stream in STREAMS {
        // A run that fails at once speaks for the time it would have looked at, and takes nothing away from what was seen.
        recorder.open(
            stream.name,
            match stream.kind {
                StreamKind::Snapshot => snapshot_window(now, now),
                StreamKind::Event | StreamKind::Detail => open_since(&cursors, stream.name, window, now),
            },
        );
        if let Some(right) = client.lacks(stream) {
            recorder.doubt(stream.name, not_granted(&right));
        }
    }
    for (stream, reason) in lasting {
        recorder.gap_for_good(&stream, CoverageStatus::Partial, reason);
    }
    let mut protection = Protection::default();
    let outcome = signed_in
        .and_then(|()| everything(source, &cursors, window, &mut client, &mut recorder, &mut protection));
    let permissions = client.permissions();
    let now = client.http().now();
    match outcome {
        Ok(()) => {}
        Err(Stop::Sink(error)) => return Err(GitHubError::Sink(error)),
        Err(Stop::Ended(status, reason)) => {
            recorder.abort(status, &reason, FIRST, now).map_err(GitHubError::Sink)?;
        }
    }
    let mut streams = recorder.summaries().to_vec();
    if let Some(coverage) = recorder.coverage(FIRST) {
        streams.push(collect::StreamSummary { stream: FIRST, coverage, pages: 0, items: 0, cursor: None });
    }
    let windows = table_coverage(&streams, &protection);
    let mut stated = cursors;
    for summary in recorder.summaries() {
        if let Some(cursor) = &summary.cursor {
            stated.insert(summary.stream.to_owned(), cursor.clone());
        }
    }
    let cursor = json!({ "begin": window.from, "stated": stated });
    let mut last = json!({ "windows": windows });
    if !permissions.is_null() {
        last["permissions"] = permissions;
    }
    recorder.close_with(FIRST, Some(cursor), last, now).map_err(GitHubError::Sink)?;
    let streams = recorder.into_summaries();
    Ok(RunSummary { streams, requests: http.requests() - requests, waited: http.waited() - waited })
}

/// The cursors a run goes on from, and what it has to say again.
///
/// A run that was killed between closing its streams and drawing them together has looked, but no table's coverage says
/// so: the next run goes on where it ended and speaks for its windows too.
fn going_on_from(cursors: &Cursors, window: Window) -> (Cursors, Vec<(String, String)>) {
    let instant = |cursor: &Json, name: &str| cursor[name].as_str().and_then(|t| t.parse::<Instant>().ok());
    let stated = cursors.get(FIRST).map_or(&Json::Null, |cursor| &cursor["stated"]);
    let (mut going_on, mut lasting) = (Cursors::new(), vec![]);
    for (stream, cursor) in cursors.iter().filter(|(stream, _)| *stream != FIRST) {
        // Whoever asks for an earlier beginning asks anew: what lies before the old one was never looked at.
        if instant(cursor, "begin").is_none_or(|begin| begin > window.from) {
            continue;
        }
        let mut cursor = cursor.clone();
        let said = &stated[stream.as_str()];
        if *said != cursor {
            let from = instant(said, "from").or_else(|| instant(&cursor, "begin")).unwrap_or(window.from);
            cursor["from"] = json!(from);
            lasting.extend(cursor["lasting"].as_str().map(|reason| (stream.clone(), reason.to_owned())));
        }
        going_on.insert(stream.clone(), cursor);
    }
    (going_on, lasting)
}

/// Why a stream is not complete though GitHub may answer: it shows everybody a part of what it has, and says nothing of it.
fn not_granted(right: &str) -> String {
    format!("the App's installation does not grant {right}, so what is shown may be a part")
}

/// Whether the default branch has a classic protection, whose overrides only the audit log shows.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Classic {
    Absent,
    Present,
    #[default]
    Unknown,
}

fn everything(
    source: &Source,
    cursors: &Cursors,
    window: Window,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
    protection: &mut Protection,
) -> Result<(), Stop> {
    let Some((run, repository)) = first_look(source, cursors, window, client, recorder)? else {
        return Err(Stop::Ended(
            CoverageStatus::NotPermitted,
            "the repository itself could not be read, so nothing in it was asked for".to_owned(),
        ));
    };
    *protection = protection::collect(&run, client, recorder)?;
    let changes = commits::collect(&run, client, recorder)?;
    pulls::collect(&run, client, recorder, &changes)?;
    issues::collect(&run, &repository, client, recorder)?;
    protection::rule_suites(&run, client, recorder)?;
    protection::audit_log(&run, client, recorder)?;
    deployments::collect(&run, client, recorder)?;
    builds::collect(&run, client, recorder)?;
    people::collect(&run, &repository, client, recorder)
}

/// The repository: whether the token works at all, and what everything else is asked about.
fn first_look<'a>(
    source: &'a Source,
    cursors: &'a Cursors,
    window: Window,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
) -> Result<Option<(Run<'a>, Json)>, Stop> {
    const STREAM: &str = FIRST;
    let url = client.url(&source.path());
    let (response, refusal) = match client.get(STREAM, &url, None)? {
        Answer::Good(response) | Answer::Unchanged(response) => (response, None),
        Answer::Refused(response, status, reason) => (response, Some((status, reason))),
        Answer::None(reason) => return Err(Stop::Ended(CoverageStatus::Failed, reason)),
    };
    if let Some((status, reason)) = refusal {
        recorder.page(STREAM, &response, Json::Null, 0)?;
        recorder.gap(STREAM, status, reason);
        return Ok(None);
    }
    let repository = response.json();
    let Some(default_branch) = repository["default_branch"].as_str().map(str::to_owned) else {
        recorder.page(STREAM, &response, Json::Null, 0)?;
        recorder.gap(
            STREAM,
            CoverageStatus::Failed,
            "the answer names no default branch; the API may have changed",
        );
        return Ok(None);
    };
    let branch = source.branch.clone().unwrap_or_else(|| default_branch.clone());
    // Never later than either clock: what happens from now on belongs to the next run.
    let now = response.date().map_or(response.received_at, |date| date.min(response.received_at));
    let owner = &repository["owner"];
    let organisation = (owner["type"] == "Organization")
        .then(|| owner["login"].as_str().unwrap_or(&source.owner).to_owned());
    recorder.page(STREAM, &response, json!({ "branch": branch }), 1)?;
    let run = Run { source, cursors, window, now, branch, default_branch, organisation };
    for stream in STREAMS {
        recorder.set_window(
            stream.name,
            match stream.kind {
                StreamKind::Snapshot => snapshot_window(now, now),
                StreamKind::Event | StreamKind::Detail => run.window_of(stream.name),
            },
        );
    }
    Ok(Some((run, repository)))
}

/// The window a snapshot speaks for: from its first answer to its last.
fn snapshot_window(first: Instant, last: Instant) -> Window {
    Window { from: first, to: Instant::from_ms(last.max(first).ms() + 1) }
}

/// What the run's streams say about the record tables that rest on them.
fn table_coverage(streams: &[collect::StreamSummary], protection: &Protection) -> Vec<Json> {
    let mut windows = vec![];
    for (table, names) in streams::RESTS_ON {
        let needed = |name: &str| !(name == "audit_log" && protection.classic == Classic::Absent);
        let parts: Vec<&collect::StreamSummary> =
            streams.iter().filter(|s| names.contains(&s.stream) && needed(s.stream)).collect();
        // A part that is missing altogether was never closed: nothing is claimed.
        let distinct: BTreeSet<&str> = parts.iter().map(|s| s.stream).collect();
        if distinct.len() < names.iter().filter(|n| needed(n)).count() {
            continue;
        }
        // Windows the source no longer keeps are said on their own.
        let (expired, current): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|s| s.coverage.status == CoverageStatus::Expired);
        for part in &expired {
            windows.push(statement(table, part.coverage.status, part.coverage.window, &part.coverage.reason));
        }
        let Some(from) = current.iter().map(|s| s.coverage.window.from).max() else { continue };
        let to = current.iter().map(|s| s.coverage.window.to).min().unwrap_or(from).max(from);
        let bad: Vec<&collect::StreamSummary> =
            current.iter().copied().filter(|s| s.coverage.status != CoverageStatus::Complete).collect();
        let status = match bad.first() {
            None => CoverageStatus::Complete,
            Some(first)
                if bad.len() == current.len()
                    && bad.iter().all(|s| s.coverage.status == first.coverage.status) =>
            {
                first.coverage.status
            }
            Some(_) => CoverageStatus::Partial,
        };
        let reasons: Vec<String> =
            bad.iter().map(|s| format!("{}: {}", s.stream, s.coverage.reason)).collect();
        windows.push(statement(table, status, Window { from, to }, &reasons.join("; ")));
    }
    // The rulesets' own history reaches back further than the look of today.
    if let (Some(from), Some(rules)) = (protection.known_since, streams.iter().find(|s| s.stream == "rules"))
    {
        let window = Window { from, to: rules.coverage.window.to.max(from) };
        windows.push(statement("branch_rule", CoverageStatus::Complete, window, ""));
    }
    windows
}

fn statement(table: &str, status: CoverageStatus, window: Window, reason: &str) -> Json {
    let mut json = json!({
        "relation": table, "status": status.word(), "from": window.from.ms(), "to": window.to.ms(),
    });
    if !reason.is_empty() {
        json["reason"] = json!(reason);
    }
    json
}

/// Captures one pull request as it stands now, with the rules it has to satisfy: for a check before it lands.
///
/// # Errors
/// As [`collect`]; also when the repository or the pull request cannot be read at all.
pub fn pull(
    source: &Source,
    number: u64,
    http: &mut Http,
    sink: &mut Sink<'_>,
) -> Result<RunSummary, GitHubError> {
    let (requests, waited) = (http.requests(), http.waited());
    let mut client = Client::new(http, source, Purpose::Collect)?;
    let signed_in = client.sign_in();
    let context = source.context(client.credential());
    let mut recorder = Recorder::new(&source.instance(), COLLECTOR, context, sink);
    let now = client.http().now();
    let window = snapshot_window(now, now);
    let cursors = Cursors::new();
    let rules = [FIRST, "branch_protection", "rulesets", "ruleset_history", "rules"];
    for name in rules.into_iter().chain(pulls::DETAILS) {
        recorder.open(name, window);
        if let Some(right) = stream_named(name).and_then(|stream| client.lacks(stream)) {
            recorder.doubt(name, not_granted(&right));
        }
    }
    let look = || -> Result<(), Stop> {
        signed_in?;
        let Some((run, _)) = first_look(source, &cursors, window, &mut client, &mut recorder)? else {
            return Err(Stop::Ended(
                CoverageStatus::NotPermitted,
                "the repository could not be read".to_owned(),
            ));
        };
        protection::collect(&run, &mut client, &mut recorder)?;
        if !pulls::detail(&run, &mut client, &mut recorder, number)? {
            return Err(Stop::Ended(
                CoverageStatus::Failed,
                format!("pull request {number} could not be read"),
            ));
        }
        for stream in pulls::DETAILS.into_iter().chain([FIRST]) {
            recorder.close(stream, None, run.now)?;
        }
        Ok(())
    };
    let outcome = look();
    let now = client.http().now();
    match outcome {
        Ok(()) => {}
        Err(Stop::Sink(error)) => return Err(GitHubError::Sink(error)),
        Err(Stop::Ended(status, reason)) => {
            recorder.abort(status, &reason, "", now).map_err(GitHubError::Sink)?;
            return Err(GitHubError::Refused(format!("{}: {reason}", source.repository())));
        }
    }
    let streams = recorder.into_summaries();
    Ok(RunSummary { streams, requests: http.requests() - requests, waited: http.waited() - waited })
}

/// The verdict shown beside a commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatusState {
    /// Everything holds.
    Success,
    /// Something does not.
    Failure,
    /// Nobody could tell.
    Error,
    /// Not known yet.
    Pending,
}

impl StatusState {
    const fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Pending => "pending",
        }
    }
}

/// Shows a verdict beside a commit. Needs the right `Commit statuses: write`; the only thing this connector ever writes.
///
/// # Errors
/// No answer, or a refusal, with the right that is missing.
pub fn post_status(
    source: &Source,
    revision: &str,
    state: StatusState,
    context: &str,
    description: &str,
    target_url: Option<&str>,
    http: &mut Http,
) -> Result<(), GitHubError> {
    let mut client = Client::new(http, source, Purpose::PostStatus)?;
    // GitHub cuts nothing off: it refuses a description of more than 140 characters.
    let description: String = if description.chars().count() > 140 {
        description.chars().take(139).chain(['…']).collect()
    } else {
        description.to_owned()
    };
    let mut body = json!({ "state": state.word(), "context": context, "description": description });
    if let Some(url) = target_url {
        body["target_url"] = json!(url);
    }
    let path = format!("{}/statuses/{}", source.path(), segment(revision));
    let response = match client.post(&path, &body) {
        Ok(response) => response?,
        Err(Stop::Sink(error)) => return Err(GitHubError::Sink(error)),
        Err(Stop::Ended(_, reason)) => {
            return Err(GitHubError::Refused(format!("the status of {revision} was not posted: {reason}")));
        }
    };
    if (200..300).contains(&response.status) {
        return Ok(());
    }
    let message = message_of(&response);
    Err(GitHubError::Refused(format!(
        "the status of {revision} was refused: {} {message}; the token needs `Commit statuses: write`",
        response.status
    )))
}

/// Only for the coverage of a window that this run does not look at.
fn expired(window: Window, reason: String) -> Coverage {
    Coverage { status: CoverageStatus::Expired, window, reason }
}
