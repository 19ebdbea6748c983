//! From answers to captures: every page with its receipt, every stream closed with what the look at it yielded.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Capture, Coverage, CoverageStatus, Instant, Receipt, Window};
use serde_json::{Map, Value as Json, json};

use crate::http::Response;

/// Any error of the receiver of captures.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Where captures go: the ledger. What it accepted is committed.
pub type Sink<'s> = dyn FnMut(Capture) -> Result<(), BoxError> + 's;

/// Writes the captures of one run.
///
/// A run opens streams, records their pages and gaps in any order, and closes each stream with one last capture without
/// a body, whose receipt carries coverage and cursor. So a stream speaks once, also when its first request already
/// failed; and a run that was killed leaves pages without a last word, which is a gap.
pub struct Recorder<'a, 's> {
    source: String,
    collector: &'static str,
    context: Json,
    sink: &'a mut Sink<'s>,
    open: BTreeMap<&'static str, Open>,
    closed: Vec<StreamSummary>,
}

struct Open {
    window: Window,
    page: u32,
    items: u64,
    good: u32,
    gaps: Vec<(CoverageStatus, String)>,
    doubt: Option<String>,
    for_good: Option<String>,
    last_request: Option<String>,
}

impl Open {
    const fn of(window: Window) -> Self {
        Self {
            window,
            page: 0,
            items: 0,
            good: 0,
            gaps: vec![],
            doubt: None,
            for_good: None,
            last_request: None,
        }
    }
}

/// What a run yielded for one stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamSummary {
    /// The stream.
    pub stream: &'static str,
    /// Window, status, reason.
    pub coverage: Coverage,
    /// Pages captured.
    pub pages: u32,
    /// Items on them, repeats not counted.
    pub items: u64,
    /// Where the next run goes on.
    pub cursor: Option<Json>,
}

/// What a run yielded.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RunSummary {
    /// Per stream, in the order of closing.
    pub streams: Vec<StreamSummary>,
    /// Requests sent.
    pub requests: u64,
    /// Time spent waiting for rate limits and faults.
    pub waited: Duration,
}

impl RunSummary {
    /// The last word on a stream.
    #[must_use]
    pub fn stream(&self, name: &str) -> Option<&StreamSummary> {
        self.streams.iter().rev().find(|s| s.stream == name)
    }
}

impl<'a, 's> Recorder<'a, 's> {
    /// A recorder for one run of `source` (such as `github:acme/app`). Members of `context` stand in every receipt.
    pub fn new(source: &str, collector: &'static str, context: Json, sink: &'a mut Sink<'s>) -> Self {
        Self { source: source.to_owned(), collector, context, sink, open: BTreeMap::new(), closed: vec![] }
    }

    /// Opens a stream for a window of time in the world.
    pub fn open(&mut self, stream: &'static str, window: Window) {
        self.open.entry(stream).or_insert_with(|| Open::of(window));
    }

    /// Sets the end of an open stream's window: a snapshot's ends when its last page has come.
    pub fn set_window(&mut self, stream: &str, window: Window) {
        if let Some(open) = self.open.get_mut(stream) {
            open.window = window;
        }
    }

    /// Captures one answer of an open stream. `items` counts what is new on it.
    ///
    /// # Errors
    /// The sink's.
    pub fn page(
        &mut self,
        stream: &'static str,
        response: &Response,
        context: Json,
        items: u64,
    ) -> Result<(), BoxError> {
        let mut context = merged(&self.context, context);
        if let Json::Object(map) = &mut context {
            if let Some(from) = &response.redirected_from {
                map.insert("redirected_from".to_owned(), json!(from));
            }
            if let Some(etag) = response.header("etag") {
                map.insert("etag".to_owned(), json!(etag));
            }
        }
        let Some(open) = self.open.get_mut(stream) else { return Ok(()) };
        let page = open.page;
        open.page += 1;
        open.items += items;
        open.last_request = Some(response.url.clone());
        if matches!(response.status, 200..=299 | 304) {
            open.good += 1;
            if let Some(reason) = open.doubt.take() {
                open.gaps.push((CoverageStatus::Partial, reason));
            }
        }
        let receipt = Receipt {
            source: self.source.clone(),
            stream: stream.to_owned(),
            media_type: response.media_type().to_owned(),
            collected_at: response.received_at,
            collector: self.collector.to_owned(),
            request: response.url.clone(),
            status: Some(response.status),
            server_date: response.header("date").map(str::to_owned),
            page,
            coverage: None,
            cursor: None,
            context,
            redacted: response.redacted.clone(),
        };
        (self.sink)(Capture { receipt, body: response.body.clone() })
    }

    /// Notes that something of an open stream could not be looked at.
    pub fn gap(&mut self, stream: &str, status: CoverageStatus, reason: impl Into<String>) {
        if let Some(open) = self.open.get_mut(stream) {
            let reason = reason.into();
            // A hundred pull requests that fail for one reason are one reason; a list of numbers has an end, too.
            if open.gaps.len() < 20 && !open.gaps.iter().any(|(_, r)| *r == reason) {
                open.gaps.push((status, reason));
            }
        }
    }

    /// Notes why what the source shows of an open stream may be a part, though it says nothing of it: a gap as soon as it
    /// shows something.
    pub fn doubt(&mut self, stream: &str, reason: impl Into<String>) {
        if let Some(open) = self.open.get_mut(stream) {
            open.doubt = Some(reason.into());
        }
    }

    /// Notes that something of an open stream will never be seen, however often it is asked for.
    pub fn gap_for_good(&mut self, stream: &str, status: CoverageStatus, reason: impl Into<String>) {
        let reason = reason.into();
        if let Some(open) = self.open.get_mut(stream) {
            open.for_good.get_or_insert_with(|| reason.clone());
        }
        self.gap(stream, status, reason);
    }

    /// Why an open stream will never be complete for its window; `None` while it may be.
    #[must_use]
    pub fn lasting(&self, stream: &str) -> Option<&str> {
        self.open.get(stream)?.for_good.as_deref()
    }

    /// Whether an open stream has gaps, all of which a later run may still close: then that run has to account for this
    /// window too.
    #[must_use]
    pub fn may_close(&self, stream: &str) -> bool {
        self.open.get(stream).is_some_and(|open| !open.gaps.is_empty() && open.for_good.is_none())
    }

    /// Notes that an answer looked at something, though no page of its own was captured.
    pub fn looked(&mut self, stream: &str) {
        if let Some(open) = self.open.get_mut(stream) {
            open.good += 1;
        }
    }

    /// Whether a stream is open.
    #[must_use]
    pub fn is_open(&self, stream: &str) -> bool {
        self.open.contains_key(stream)
    }

    /// Whether an open stream has a gap so far.
    #[must_use]
    pub fn has_gap(&self, stream: &str) -> bool {
        self.open.get(stream).is_some_and(|open| !open.gaps.is_empty())
    }

    /// What an open stream's coverage is as it stands: complete without a gap; the gap's own status when nothing could
    /// be looked at; else partial.
    #[must_use]
    pub fn coverage(&self, stream: &str) -> Option<Coverage> {
        let open = self.open.get(stream)?;
        let status = match open.gaps.first() {
            None => CoverageStatus::Complete,
            Some((status, _)) if open.good == 0 => *status,
            Some(_) => CoverageStatus::Partial,
        };
        let reasons: Vec<&str> = open.gaps.iter().map(|(_, reason)| reason.as_str()).collect();
        Some(Coverage { status, window: open.window, reason: reasons.join("; ") })
    }

    /// Closes a stream with its coverage.
    ///
    /// # Errors
    /// The sink's.
    pub fn close(
        &mut self,
        stream: &'static str,
        cursor: Option<Json>,
        now: Instant,
    ) -> Result<(), BoxError> {
        self.close_with(stream, cursor, Json::Null, now)
    }

    /// Closes a stream with its coverage and a statement of the run itself in the receipt's context, such as what its
    /// streams say together.
    ///
    /// # Errors
    /// The sink's.
    pub fn close_with(
        &mut self,
        stream: &'static str,
        cursor: Option<Json>,
        context: Json,
        now: Instant,
    ) -> Result<(), BoxError> {
        let Some(coverage) = self.coverage(stream) else { return Ok(()) };
        let Some(open) = self.open.remove(stream) else { return Ok(()) };
        self.last_word(stream, coverage, cursor, context, now, &open)
    }

    /// States the coverage of a window that no page of this run touches, such as one the source no longer keeps.
    ///
    /// # Errors
    /// The sink's.
    pub fn state(
        &mut self,
        stream: &'static str,
        coverage: Coverage,
        cursor: Option<Json>,
        now: Instant,
    ) -> Result<(), BoxError> {
        let nothing = Open::of(coverage.window);
        self.last_word(stream, coverage, cursor, Json::Null, now, &nothing)
    }

    /// Closes every stream that is still open but `last`, after something ended the run. `last` has a gap only when it
    /// was not looked at itself.
    ///
    /// # Errors
    /// The sink's.
    pub fn abort(
        &mut self,
        status: CoverageStatus,
        reason: &str,
        last: &str,
        now: Instant,
    ) -> Result<(), BoxError> {
        for stream in self.open.keys().copied().collect::<Vec<_>>() {
            if stream != last {
                self.gap(stream, status, reason);
                self.close(stream, None, now)?;
            } else if self.open.get(stream).is_some_and(|open| open.good == 0 && open.gaps.is_empty()) {
                self.gap(stream, status, reason);
            }
        }
        Ok(())
    }

    /// What was closed so far.
    #[must_use]
    pub fn summaries(&self) -> &[StreamSummary] {
        &self.closed
    }

    /// What was closed, at the end.
    #[must_use]
    pub fn into_summaries(self) -> Vec<StreamSummary> {
        self.closed
    }

    fn last_word(
        &mut self,
        stream: &'static str,
        coverage: Coverage,
        cursor: Option<Json>,
        context: Json,
        now: Instant,
        open: &Open,
    ) -> Result<(), BoxError> {
        let context = merged(&self.context, context);
        let receipt = Receipt {
            source: self.source.clone(),
            stream: stream.to_owned(),
            media_type: "text/plain".to_owned(),
            collected_at: now,
            collector: self.collector.to_owned(),
            request: open.last_request.clone().unwrap_or_else(|| "nothing was asked".to_owned()),
            status: None,
            server_date: None,
            page: open.page,
            coverage: Some(coverage.clone()),
            cursor: cursor.clone(),
            context: merged(&context, json!({ "end": { "pages": open.page, "items": open.items } })),
            redacted: vec![],
        };
        (self.sink)(Capture { receipt, body: vec![] })?;
        let (pages, items) = (open.page, open.items);
        self.closed.push(StreamSummary { stream, coverage, pages, items, cursor });
        Ok(())
    }
}

fn merged(base: &Json, more: Json) -> Json {
    let mut map: Map<String, Json> = base.as_object().cloned().unwrap_or_default();
    if let Json::Object(more) = more {
        map.extend(more);
    }
    if map.is_empty() { Json::Null } else { Json::Object(map) }
}
