//! Issues: the tickets of the repository itself.
//!
//! The first look reads all of them, however old: a change may name a ticket that was opened years before, and only when
//! every issue is known does a number that is none of them mean that there is no such ticket.

use std::collections::BTreeSet;

use collect::{Recorder, next_link};
use model::{CoverageStatus, Instant};
use serde_json::{Value as Json, json};

use super::client::{Answer, Client, Stop};
use super::{OVERLAP_MS, Run};

const STREAM: &str = "issues";

/// What is said of a repository that has no issues by its own settings. Those it once had are not shown.
pub(super) const SWITCHED_OFF: &str = "issues are switched off in this repository";

pub(super) fn switched_off(repository: &Json) -> bool {
    repository["has_issues"] == false
}

/// Whether an entry of the list is a pull request: both kinds are numbered in one row and stand on one list. Answers of
/// old servers name the member for issues too, with nothing in it.
pub(super) fn is_pull(entry: &Json) -> bool {
    match &entry["pull_request"] {
        Json::Null => false,
        Json::Object(map) => map.values().any(|value| !value.is_null()),
        _ => true,
    }
}

pub(super) fn collect(
    run: &Run<'_>,
    repository: &Json,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
) -> Result<(), Stop> {
    if switched_off(repository) {
        recorder.gap(STREAM, CoverageStatus::NotLicensed, SWITCHED_OFF);
        recorder.close(STREAM, None, run.now)?;
        return Ok(());
    }
    let since = run.cursor_instant(STREAM, "to").map(|to| Instant::from_ms(to.ms() - OVERLAP_MS));
    let seen = read(run, since, client, recorder)?;
    // A token may be shown the pull requests alone. Then the repository counts more that is open than stands here.
    let counted = repository["open_issues_count"].as_u64().unwrap_or(0);
    if since.is_none() && seen.issues.is_empty() && counted > seen.open && !recorder.has_gap(STREAM) {
        recorder.gap(
            STREAM,
            CoverageStatus::Partial,
            format!("the list names no issue, and the repository counts {counted} open entries where {} are shown", seen.open),
        );
    }
    // Whatever was not read is read again from the beginning of this look.
    let cursor = (!recorder.has_gap(STREAM)).then(|| run.cursor_after(recorder, STREAM, json!({})));
    recorder.close(STREAM, cursor, run.now)?;
    Ok(())
}

#[derive(Default)]
struct Seen {
    issues: BTreeSet<u64>,
    pulls: BTreeSet<u64>,
    /// Open entries of both kinds.
    open: u64,
}

/// Reads the list from the entry that has rested longest to the one that changed last.
///
/// While it is read an entry that changes goes to the end and one that is deleted goes away, and all after it move up,
/// over the edge of a page. So the next page is not asked for by its number but by the date the last one ended with: from
/// a date on, nothing goes missing.
fn read(
    run: &Run<'_>,
    mut since: Option<Instant>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
) -> Result<Seen, Stop> {
    let base = client
        .url(&format!("{}/issues?state=all&sort=updated&direction=asc&per_page=100", run.source.path()));
    let from = |since: Option<Instant>| match since {
        Some(since) => format!("{base}&since={since}"),
        None => base.clone(),
    };
    let mut seen = Seen::default();
    let mut visited = BTreeSet::new();
    let mut url = Some(from(since));
    while let Some(address) = url {
        if !visited.insert(address.clone()) {
            recorder.gap(STREAM, CoverageStatus::Failed, "the pages of the list lead in circles");
            break;
        }
        let response = match client.get(STREAM, &address, None)? {
            Answer::Good(response) | Answer::Unchanged(response) => response,
            Answer::Refused(response, status, reason) => {
                recorder.page(STREAM, &response, Json::Null, 0)?;
                recorder.gap(STREAM, status, reason);
                break;
            }
            Answer::None(reason) => {
                recorder.gap(STREAM, CoverageStatus::Failed, reason);
                break;
            }
        };
        let body = response.json();
        let Some(entries) = body.as_array() else {
            recorder.page(STREAM, &response, Json::Null, 0)?;
            recorder.gap(STREAM, CoverageStatus::Failed, "the answer is no list; the API may have changed");
            break;
        };
        let (mut fresh, mut in_order, mut last) = (0, true, None);
        for entry in entries {
            let updated: Option<Instant> = entry["updated_at"].as_str().and_then(|at| at.parse().ok());
            in_order &= updated.is_some() && updated >= last;
            last = updated;
            let Some(number) = entry["number"].as_u64() else {
                recorder.gap(STREAM, CoverageStatus::Partial, "an issue on the list has no number");
                continue;
            };
            let pull = is_pull(entry);
            if if pull { seen.pulls.insert(number) } else { seen.issues.insert(number) } {
                fresh += u64::from(!pull);
                seen.open += u64::from(entry["state"] == "open");
            }
        }
        recorder.page(STREAM, &response, Json::Null, fresh)?;
        url = response.header("link").and_then(next_link).map(str::to_owned);
        // A second earlier, since nothing says whether that date itself is included. Where a whole page is of one second,
        // or the server does not keep the order, its own next page has to do.
        let next =
            last.filter(|_| in_order).map(|at| Instant::from_ms((at.ms().div_euclid(1000) - 1) * 1000));
        if url.is_some() && next > since {
            since = next;
            url = Some(from(since));
        }
    }
    Ok(seen)
}
