//! What was proposed and how it was reviewed: the list of pull requests, and for each merged one everything that
//! evidence about it rests on.

use std::collections::{BTreeMap, BTreeSet};

use collect::{Recorder, next_link};
use model::{CoverageStatus, Instant};
use serde_json::{Value as Json, json};

use super::client::{Answer, Client, Go, Stop, pull_context, segment};
use super::commits::Changes;
use super::{OVERLAP_MS, Run};

/// The streams that are asked for per pull request.
pub(super) const DETAILS: [&str; 7] =
    ["pulls", "timeline", "reviews", "pull_commits", "pushes", "check_runs", "statuses"];

pub(super) fn collect(
    run: &Run<'_>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
    changes: &Changes,
) -> Result<(), Stop> {
    let mut list = List::default();
    let listing = list.read(run, client, recorder);
    // Which pull requests need which looks: the new ones all, those left over only what is still open.
    let mut todo: BTreeMap<u64, BTreeSet<&'static str>> = BTreeMap::new();
    for stream in DETAILS {
        for number in run.cursors.get(stream).and_then(|c| c["pending"].as_array()).into_iter().flatten() {
            if let Some(number) = number.as_u64() {
                todo.entry(number).or_default().insert(stream);
            }
        }
    }
    for number in list.merged.keys() {
        todo.insert(*number, DETAILS.into());
    }
    if listing.is_ok() && list.whole {
        let since = run.since("pulls");
        for (number, merged_at) in &changes.pulls {
            // Merged before the list begins: an earlier run has it, or it lies before the window.
            if *merged_at >= since
                && *merged_at < run.now
                && !list.merged.contains_key(number)
                && !list.seen.contains_key(number)
            {
                recorder.gap_for_good(
                    "pulls",
                    CoverageStatus::Partial,
                    format!("a change came from pull request {number}, which the list does not name"),
                );
                todo.insert(*number, DETAILS.into());
            }
        }
    }
    // Oldest first, so that a run that is cut short has a gap only at its end.
    let mut order: Vec<u64> = todo.keys().copied().collect();
    order.sort_by_key(|number| (list.merged.get(number).copied().unwrap_or(Instant::BEGINNING), *number));

    let mut stop = listing.err();
    let mut pending: BTreeMap<&'static str, BTreeSet<u64>> =
        DETAILS.iter().map(|s| (*s, BTreeSet::new())).collect();
    let mut tally = Tally::default();
    for number in order {
        let wanted = todo.remove(&number).unwrap_or_default();
        let missed = if stop.is_some() || wanted.iter().all(|s| tally.given_up(s)) {
            wanted
        } else {
            match look(run, client, recorder, number, &mut tally) {
                Ok(missed) => missed.intersection(&wanted).copied().collect(),
                Err(Stop::Ended(status, reason)) => {
                    stop = Some(Stop::Ended(status, reason));
                    wanted
                }
                Err(sink) => return Err(sink),
            }
        };
        for stream in missed {
            pending.entry(stream).or_default().insert(number);
        }
    }
    let mut unchecked: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for stream in ["check_runs", "statuses"] {
        let mut left: BTreeSet<String> = changes.pushed.iter().cloned().collect();
        for sha in run.cursors.get(stream).and_then(|c| c["pending_changes"].as_array()).into_iter().flatten()
        {
            left.extend(sha.as_str().map(str::to_owned));
        }
        let mut missed = BTreeSet::new();
        for sha in left {
            if stop.is_some() || tally.given_up(stream) {
                missed.insert(sha);
                continue;
            }
            match checks_of(run, client, recorder, stream, &sha, &json!({ "revision": sha }), &mut tally) {
                Ok(true) => {}
                Ok(false) => {
                    missed.insert(sha);
                }
                Err(Stop::Ended(status, reason)) => {
                    stop = Some(Stop::Ended(status, reason));
                    missed.insert(sha);
                }
                Err(sink) => return Err(sink),
            }
        }
        unchecked.insert(stream, missed);
    }
    for stream in DETAILS {
        let left = &pending[stream];
        if let Some(Stop::Ended(status, reason)) = &stop {
            recorder.gap(stream, *status, reason.clone());
        }
        if !left.is_empty() {
            recorder.gap(stream, CoverageStatus::Partial, format!("not read of {}", numbers(left)));
        }
        // Without the whole list nobody knows which pull requests were not looked at.
        if !list.whole && stream != "pulls" && stop.is_none() {
            recorder.gap(stream, CoverageStatus::Partial, "the list of pull requests is not whole");
        }
        let mut cursor = json!({ "pending": left });
        if let Some(left) = unchecked.get(stream) {
            if !left.is_empty() {
                recorder.gap(
                    stream,
                    CoverageStatus::Partial,
                    format!("not read of pushed changes ({})", left.len()),
                );
            }
            cursor["pending_changes"] = json!(left);
        }
        if stream == "pulls"
            && let Some(etag) = &list.etag
        {
            cursor["etag"] = json!(etag);
        }
        let cursor = list.whole.then(|| run.cursor_after(recorder, stream, cursor));
        recorder.close(stream, cursor, run.now)?;
    }
    match stop {
        Some(stop) => Err(stop),
        None => Ok(()),
    }
}

/// A run tells permission from accident by repetition: a stream that was refused three times and never answered is not
/// asked again.
#[derive(Default)]
struct Tally {
    refused: BTreeMap<&'static str, u32>,
    good: BTreeSet<&'static str>,
}

impl Tally {
    fn given_up(&self, stream: &str) -> bool {
        !self.good.contains(stream) && self.refused.get(stream).is_some_and(|n| *n >= 3)
    }

    fn note(&mut self, stream: &'static str, good: bool) {
        if good {
            self.good.insert(stream);
        } else {
            *self.refused.entry(stream).or_default() += 1;
        }
    }
}

fn numbers(of: &BTreeSet<u64>) -> String {
    let shown: Vec<String> = of.iter().take(10).map(|n| format!("#{n}")).collect();
    let more = if of.len() > 10 { format!(" and {} more", of.len() - 10) } else { String::new() };
    format!("pull request {}{more}", shown.join(", "))
}

/// The list of pull requests, newest change first.
#[derive(Default)]
struct List {
    /// `updated_at` by number.
    seen: BTreeMap<u64, String>,
    /// Merged ones, by number, with the instant of their last change.
    merged: BTreeMap<u64, Instant>,
    whole: bool,
    etag: Option<String>,
}

impl List {
    /// Reads back to what the last run has seen.
    ///
    /// All states are asked for, not only closed ones: from a list of closed ones a pull request that is reopened while
    /// it is read drops out and pulls one of the others over the edge of a page. From the whole list nothing ever drops
    /// out; what changes moves to the top, and the top is read again until it is quiet.
    fn read(
        &mut self,
        run: &Run<'_>,
        client: &mut Client<'_>,
        recorder: &mut Recorder<'_, '_>,
    ) -> Result<(), Stop> {
        const STREAM: &str = "pulls";
        let since = Instant::from_ms(run.since(STREAM).ms() - OVERLAP_MS);
        let path = format!("{}/pulls?state=all&sort=updated&direction=desc&per_page=100", run.source.path());
        let etag = run.cursors.get(STREAM).and_then(|c| c["etag"].as_str());
        let mut again = 0;
        loop {
            let before = self.seen.clone();
            let mut known = false;
            let mut first = true;
            let mut url = Some(client.url(&path));
            let mut visited = BTreeSet::new();
            while let Some(address) = url {
                if !visited.insert(address.clone()) {
                    recorder.gap(STREAM, CoverageStatus::Failed, "the pages of the list lead in circles");
                    return Ok(());
                }
                let condition = if again == 0 { etag } else { self.etag.as_deref() };
                let response = match client.get(STREAM, &address, condition.filter(|_| first))? {
                    Answer::Good(response) => response,
                    Answer::Unchanged(response) => {
                        if again == 0 {
                            self.etag = etag.map(str::to_owned);
                            recorder.page(STREAM, &response, json!({ "list": true }), 0)?;
                        }
                        self.whole = true;
                        return Ok(());
                    }
                    Answer::Refused(response, status, reason) => {
                        recorder.page(STREAM, &response, json!({ "list": true }), 0)?;
                        recorder.gap(STREAM, status, reason);
                        return Ok(());
                    }
                    Answer::None(reason) => {
                        recorder.gap(STREAM, CoverageStatus::Failed, reason);
                        return Ok(());
                    }
                };
                let body = response.json();
                let Some(items) = body.as_array() else {
                    recorder.page(STREAM, &response, json!({ "list": true }), 0)?;
                    recorder.gap(
                        STREAM,
                        CoverageStatus::Failed,
                        "the answer is no list; the API may have changed",
                    );
                    return Ok(());
                };
                if first {
                    self.etag = response.header("etag").map(str::to_owned);
                }
                let (mut fresh, mut old) = (0, false);
                for item in items {
                    let Some(number) = item["number"].as_u64() else {
                        recorder.gap_for_good(
                            STREAM,
                            CoverageStatus::Partial,
                            "a pull request on the list has no number",
                        );
                        continue;
                    };
                    let updated = item["updated_at"].as_str().unwrap_or("");
                    // A date that cannot be read keeps the list going.
                    let at: Instant = updated.parse().unwrap_or(Instant::FOREVER);
                    if at < since {
                        old = true;
                        continue;
                    }
                    if self.seen.get(&number).is_some_and(|seen| seen == updated) {
                        known |= before.contains_key(&number);
                        continue;
                    }
                    fresh += 1;
                    self.seen.insert(number, updated.to_owned());
                    if item["merged_at"].is_string() {
                        self.merged.insert(number, at);
                    }
                }
                // The second reading only shows whether anything has moved.
                if again == 0 || fresh > 0 {
                    recorder.page(STREAM, &response, json!({ "list": true }), fresh)?;
                }
                if old || known {
                    break;
                }
                first = false;
                url = response.header("link").and_then(next_link).map(str::to_owned);
            }
            if self.seen == before {
                self.whole = true;
                return Ok(());
            }
            again += 1;
            if again > 4 {
                recorder.gap(STREAM, CoverageStatus::Partial, "the list kept changing while it was read");
                return Ok(());
            }
        }
    }
}

/// Captures everything about one pull request. Whether the pull request itself could be read.
pub(super) fn detail(
    run: &Run<'_>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
    number: u64,
) -> Result<bool, Stop> {
    Ok(!look(run, client, recorder, number, &mut Tally::default())?.contains("pulls"))
}

/// Captures everything about one pull request; the streams that could not be read.
fn look(
    run: &Run<'_>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
    number: u64,
    tally: &mut Tally,
) -> Result<BTreeSet<&'static str>, Stop> {
    let base = run.source.path();
    let mut missed = BTreeSet::new();
    let mut context = pull_context(number);
    context["branch"] = json!(run.branch);

    let Some(pull) =
        client.document(recorder, "pulls", &format!("{base}/pulls/{number}"), context.clone(), 0)?
    else {
        tally.note("pulls", false);
        return Ok(DETAILS.into());
    };
    tally.note("pulls", true);
    let head = pull["head"]["sha"].as_str().map(str::to_owned);
    let merged_at = pull["merged_at"].as_str().map(str::to_owned);

    let mut read = |client: &mut Client<'_>,
                    recorder: &mut Recorder<'_, '_>,
                    stream: &'static str,
                    path: &str,
                    member: Option<&str>,
                    context: &Json,
                    each: &mut dyn FnMut(&Json)|
     -> Result<Option<u64>, Stop> {
        if tally.given_up(stream) {
            missed.insert(stream);
            return Ok(None);
        }
        let listed = client.list(recorder, stream, path, member, context, &mut |item| {
            each(item);
            Go::On
        })?;
        tally.note(stream, listed.whole);
        if !listed.whole {
            missed.insert(stream);
            return Ok(None);
        }
        Ok(Some(listed.count))
    };

    // The timeline comes first: a review that was dismissed no longer says what it was, only the timeline does.
    let mut dismissals: Vec<Json> = vec![];
    let timeline = read(
        client,
        recorder,
        "timeline",
        &format!("{base}/issues/{number}/timeline?per_page=100"),
        None,
        &context,
        &mut |event| {
            if event["event"] == "review_dismissed" {
                dismissals.push(json!({ "created_at": event["created_at"], "dismissed_review": event["dismissed_review"] }));
            }
        },
    )?;

    let mut review_context = context.clone();
    review_context["head"] = json!(head);
    review_context["dismissals"] = if timeline.is_some() { json!(dismissals) } else { Json::Null };
    let mut unexplained: Vec<u64> = vec![];
    read(
        client,
        recorder,
        "reviews",
        &format!("{base}/pulls/{number}/reviews?per_page=100"),
        None,
        &review_context,
        &mut |review| {
            let id = &review["id"];
            let told = || dismissals.iter().any(|d| d["dismissed_review"]["review_id"] == *id);
            if review["state"] == "DISMISSED" && !told() {
                unexplained.extend(id.as_u64());
            }
        },
    )?;
    if timeline.is_some() && !unexplained.is_empty() {
        recorder.gap_for_good(
            "timeline",
            CoverageStatus::Partial,
            format!("the timeline of pull request {number} does not say what a dismissed review had been"),
        );
    }

    let mut commit_context = context.clone();
    let said = pull["commits"].as_u64();
    commit_context["commits"] = json!(said);
    let mut revisions: Vec<String> = head.iter().cloned().collect();
    let count = read(
        client,
        recorder,
        "pull_commits",
        &format!("{base}/pulls/{number}/commits?per_page=100"),
        None,
        &commit_context,
        &mut |commit| revisions.extend(commit["sha"].as_str().map(str::to_owned)),
    )?;
    if let (Some(said), Some(count)) = (said, count)
        && said > count
    {
        recorder.gap_for_good(
            "pull_commits",
            CoverageStatus::Partial,
            format!("pull request {number} has {said} commits, and GitHub lists only {count} of them"),
        );
    }

    // Whoever pushed had the code in their hands, whatever names its commits carry. Pushes to a fork are not shown.
    if pull["head"]["repo"]["id"].is_u64() && pull["head"]["repo"]["id"] == pull["base"]["repo"]["id"] {
        let branch = segment(&format!("refs/heads/{}", pull["head"]["ref"].as_str().unwrap_or("")));
        let mut push_context = context.clone();
        push_context["revisions"] = json!(revisions);
        let path = format!("{base}/activity?ref={branch}&per_page=100");
        read(client, recorder, "pushes", &path, None, &push_context, &mut |_| {})?;
    } else {
        recorder.gap_for_good("pushes", CoverageStatus::Partial, "pushes to a fork are not shown");
    }

    // Checks are judged on what was merged, the head of the branch, not on the merge commit.
    let Some(head) = head else {
        for stream in ["check_runs", "statuses"] {
            recorder.gap(stream, CoverageStatus::Failed, format!("pull request {number} names no head"));
            missed.insert(stream);
        }
        return Ok(missed);
    };
    let mut check_context = context.clone();
    check_context["revision"] = json!(head);
    check_context["merged_at"] = json!(merged_at);
    for stream in ["check_runs", "statuses"] {
        if tally.given_up(stream) || !checks_of(run, client, recorder, stream, &head, &check_context, tally)?
        {
            missed.insert(stream);
        }
    }
    Ok(missed)
}

/// Captures the checks of one of the two kinds on a revision; whether all of them were given.
fn checks_of(
    run: &Run<'_>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
    stream: &'static str,
    revision: &str,
    context: &Json,
    tally: &mut Tally,
) -> Result<bool, Stop> {
    let base = format!("{}/commits/{}", run.source.path(), segment(revision));
    // Every repetition counts, not only the last.
    let (path, member) = match stream {
        "check_runs" => (format!("{base}/check-runs?filter=all&per_page=100"), Some("check_runs")),
        _ => (format!("{base}/statuses?per_page=100"), None),
    };
    let listed = client.list(recorder, stream, &path, member, context, &mut |_| Go::On)?;
    tally.note(stream, listed.whole);
    if let Some(total) = listed.total.filter(|total| listed.whole && *total > listed.count) {
        recorder.gap(
            stream,
            CoverageStatus::Partial,
            format!("the source counts {total} items and gave {}", listed.count),
        );
        return Ok(false);
    }
    Ok(listed.whole)
}
