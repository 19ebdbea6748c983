//! Workflow runs: what was built of which revision, and how it ended.

use std::collections::BTreeSet;

use collect::Recorder;
use model::{CoverageStatus, Instant};
use serde_json::{Value as Json, json};

use super::Run;
use super::client::{Client, Go, Stop, segment};
use super::protection::kept;

/// A search gives no more results than this, however many there are.
const MOST: u64 = 1000;

/// How long a run that has ended is looked at again: it may be repeated.
const OVERLAP_MS: i64 = 24 * 60 * 60 * 1000;

pub(super) fn collect(
    run: &Run<'_>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
) -> Result<(), Stop> {
    const STREAM: &str = "workflow_runs";
    let base = format!("{}/actions/runs", run.source.path());
    let window = kept(run, client, recorder, STREAM)?;
    recorder.set_window(STREAM, window);
    let since = Instant::from_ms(run.since(STREAM).ms() - OVERLAP_MS);
    let mut upper = run.now;
    let mut seen: BTreeSet<u64> = BTreeSet::new();
    let mut running: BTreeSet<u64> = BTreeSet::new();
    let mut earlier: Vec<(u64, u64)> = vec![];
    let mut note = |item: &Json, seen: &mut BTreeSet<u64>, running: &mut BTreeSet<u64>| {
        let Some(id) = item["id"].as_u64() else { return };
        if !seen.insert(id) {
            return;
        }
        if item["status"] == "completed" {
            running.remove(&id)
        } else {
            running.insert(id)
        };
        // The last attempt hides how the ones before it ended.
        let attempts = item["run_attempt"].as_u64().unwrap_or(1);
        earlier.extend((1..attempts.min(100)).map(|n| (id, n)));
    };
    let mut whole = false;
    // Newest first: where a search is cut off, the next one begins.
    loop {
        let before = seen.len();
        let mut oldest = upper;
        let range = segment(&format!("{since}..{upper}"));
        let path = format!("{base}?created={range}&per_page=100");
        let listed =
            client.list(recorder, STREAM, &path, Some("workflow_runs"), &json!({}), &mut |item| {
                if let Some(at) = item["created_at"].as_str().and_then(|t| t.parse().ok()) {
                    oldest = oldest.min(at);
                }
                note(item, &mut seen, &mut running);
                Go::On
            })?;
        if !listed.whole {
            break;
        }
        // A count such as `2,500+` is no number, and more than one search gives.
        if listed.count < MOST && listed.total.is_none_or(|total| total <= listed.count) {
            whole = true;
            break;
        }
        if listed.count < MOST || seen.len() == before || oldest >= upper {
            recorder.gap(
                STREAM,
                CoverageStatus::Partial,
                format!("the source does not give all runs between {since} and {upper}"),
            );
            break;
        }
        upper = oldest;
    }
    for id in run.cursors.get(STREAM).and_then(|c| c["running"].as_array()).into_iter().flatten() {
        let Some(id) = id.as_u64().filter(|id| !seen.contains(id)) else { continue };
        match client.document(recorder, STREAM, &format!("{base}/{id}"), json!({ "single": true }), 0)? {
            Some(item) => note(&item, &mut seen, &mut running),
            None => {
                running.insert(id);
            }
        }
    }
    for (id, attempt) in earlier {
        let path = format!("{base}/{id}/attempts/{attempt}");
        if client.document(recorder, STREAM, &path, json!({ "single": true }), 0)?.is_none() {
            let reason = format!("attempt {attempt} of run {id} was not given");
            recorder.gap_for_good(STREAM, CoverageStatus::Partial, reason);
        }
    }
    let cursor = whole.then(|| run.cursor_after(recorder, STREAM, json!({ "running": running })));
    recorder.close(STREAM, cursor, run.now)?;
    Ok(())
}
