//! What landed: the first-parent history of the default branch, and for each of its commits the pull request it came
//! from, or none. This is the completeness check of everything else: a change that no pull request explains is a
//! direct push, and nothing else would show it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use collect::{Recorder, Response, next_link};
use model::{CoverageStatus, Instant};
use serde_json::{Value as Json, json};

use super::Run;
use super::client::{Answer, Client, Stop, segment};

/// What later streams need to know of the changes.
#[derive(Default)]
pub(super) struct Changes {
    /// Merged pull requests that changes came from, with the instant of the merge.
    pub(super) pulls: BTreeMap<u64, Instant>,
    /// Changes that no merged pull request explains: what checked them stands on themselves.
    pub(super) pushed: Vec<String>,
}

/// A commit on the first-parent chain.
struct Landed {
    sha: String,
    parent: Option<String>,
    committed: Instant,
    /// Who committed it: the numeric account, else the address.
    committer: Json,
}

/// A clock of a committer may be wrong: the walk ends only after so many changes in a row lie before the window.
const MARGIN: usize = 100;

pub(super) fn collect(
    run: &Run<'_>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
) -> Result<Changes, Stop> {
    let walk = walk(run, client, recorder)?;
    let outcome = commit_pulls(run, client, recorder, &walk.chain);
    // The walk is whole whatever became of the look-ups, and those that are left are named in their own cursor.
    let cursor = match (&walk.cursor, walk.whole) {
        (Some(cursor), true) => Some(run.cursor_after(recorder, "commits", cursor.clone())),
        _ => None,
    };
    recorder.close("commits", cursor, run.now)?;
    let changes = outcome?;
    activity(run, client, recorder)?;
    Ok(changes)
}

struct Walk {
    /// Oldest first.
    chain: Vec<Landed>,
    whole: bool,
    cursor: Option<Json>,
}

/// Walks the first-parent chain from the tip to the last one seen, or past the beginning of the window.
fn walk(run: &Run<'_>, client: &mut Client<'_>, recorder: &mut Recorder<'_, '_>) -> Result<Walk, Stop> {
    const STREAM: &str = "commits";
    let known = run.cursors.get(STREAM);
    let known_tip = known.and_then(|c| c["tip"].as_str());
    let mut landed_after =
        known.and_then(|c| c["landed_after"].as_str()?.parse().ok()).unwrap_or(Instant::BEGINNING);

    let mut pages: Vec<Response> = vec![];
    let mut listed: HashMap<String, Landed> = HashMap::new();
    let mut chain: Vec<Landed> = vec![];
    let mut wanted: Option<String> = None;
    let mut tip: Option<String> = None;
    let mut visited = BTreeSet::new();
    let mut before_window = 0;
    let (mut reached, mut whole) = (false, false);
    let mut url =
        Some(client.url(&format!("{}/commits?sha={}&per_page=100", run.source.path(), segment(&run.branch))));
    'pages: while let Some(address) = url {
        if !visited.insert(address.clone()) {
            recorder.gap(STREAM, CoverageStatus::Failed, "the pages of the list lead in circles");
            break;
        }
        let response = match client.get(STREAM, &address, None) {
            Ok(Answer::Good(response) | Answer::Unchanged(response)) => response,
            Ok(Answer::Refused(response, status, reason)) => {
                // 409 is an empty repository: looked at, and nothing there.
                if response.status == 409 && chain.is_empty() {
                    recorder.page(STREAM, &response, json!({ "branch": run.branch }), 0)?;
                    recorder.looked(STREAM);
                    return Ok(Walk { chain, whole: true, cursor: Some(json!({})) });
                }
                recorder.page(STREAM, &response, json!({ "branch": run.branch }), 0)?;
                recorder.gap(STREAM, status, reason);
                break;
            }
            Ok(Answer::None(reason)) => {
                recorder.gap(STREAM, CoverageStatus::Failed, reason);
                break;
            }
            Err(stop) => {
                keep(run, recorder, pages, &mut chain, &mut landed_after)?;
                return Err(stop);
            }
        };
        let body = response.json();
        let Some(items) = body.as_array() else {
            recorder.gap(STREAM, CoverageStatus::Failed, "the answer is no list; the API may have changed");
            break;
        };
        for item in items {
            let Some(commit) = landed(item) else { continue };
            if wanted.is_none() && tip.is_none() {
                tip = Some(commit.sha.clone());
                wanted = Some(commit.sha.clone());
            }
            listed.insert(commit.sha.clone(), commit);
        }
        url = response.header("link").and_then(next_link).map(str::to_owned);
        pages.push(response);
        while let Some(next) = &wanted {
            if known_tip == Some(next.as_str()) {
                (reached, whole) = (true, true);
                break 'pages;
            }
            let Some(commit) = listed.remove(next) else { break };
            if commit.committed < run.window.from {
                before_window += 1;
            } else {
                before_window = 0;
            }
            wanted.clone_from(&commit.parent);
            chain.push(commit);
            if before_window >= MARGIN && known_tip.is_none() {
                whole = true;
                break 'pages;
            }
        }
        if wanted.is_none() && tip.is_some() {
            whole = true;
            break;
        }
    }
    if !whole && !recorder.has_gap(STREAM) {
        match (&wanted, &tip) {
            (_, None) => {
                recorder.gap(
                    STREAM,
                    CoverageStatus::Failed,
                    format!("the branch {} lists no commit", run.branch),
                );
            }
            (Some(missing), _) => {
                recorder.gap(
                    STREAM,
                    CoverageStatus::Partial,
                    format!("the list ends before commit {missing}"),
                );
            }
            (None, _) => {}
        }
    }
    if whole && known_tip.is_some() && !reached {
        recorder.gap_for_good(
            STREAM,
            CoverageStatus::Partial,
            format!(
                "the history of {} was rewritten: {} was its tip at the last look and is no longer part of it",
                run.branch,
                known_tip.unwrap_or_default()
            ),
        );
        // What came before the rewritten part cannot be compared with what was seen.
        landed_after = Instant::BEGINNING;
    }
    keep(run, recorder, pages, &mut chain, &mut landed_after)?;
    let cursor = tip.map(|tip| json!({ "tip": tip, "landed_after": landed_after }));
    Ok(Walk { chain, whole, cursor })
}

/// Captures the pages, now that it is known which commits on them landed, and after what. Turns the chain around.
fn keep(
    run: &Run<'_>,
    recorder: &mut Recorder<'_, '_>,
    pages: Vec<Response>,
    chain: &mut [Landed],
    landed_after: &mut Instant,
) -> Result<(), Stop> {
    chain.reverse();
    let mut after = HashMap::new();
    for commit in chain.iter() {
        after.insert(commit.sha.as_str(), *landed_after);
        // A date in the future is a wrong clock and says nothing about what follows.
        if commit.committed <= run.now {
            *landed_after = commit.committed.max(*landed_after);
        }
    }
    for response in pages {
        let body = response.json();
        let mut members = serde_json::Map::new();
        for item in body.as_array().into_iter().flatten() {
            if let Some(sha) = item["sha"].as_str()
                && let Some(at) = after.get(sha)
            {
                members.insert(sha.to_owned(), json!(at));
            }
        }
        let items = u64::try_from(members.len()).unwrap_or(0);
        recorder.page("commits", &response, json!({ "branch": run.branch, "landed": members }), items)?;
    }
    Ok(())
}

fn landed(item: &Json) -> Option<Landed> {
    let commit = &item["commit"];
    let committer = match item["committer"]["id"].as_i64() {
        Some(id) => json!({ "id": id }),
        None => json!({ "email": commit["committer"]["email"] }),
    };
    Some(Landed {
        sha: item["sha"].as_str()?.to_owned(),
        parent: item["parents"][0]["sha"].as_str().map(str::to_owned),
        // A date that cannot be read keeps the walk going.
        committed: commit["committer"]["date"]
            .as_str()
            .and_then(|d| d.parse().ok())
            .unwrap_or(Instant::FOREVER),
        committer,
    })
}

/// Asks for each change which pull request it came from.
fn commit_pulls(
    run: &Run<'_>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
    chain: &[Landed],
) -> Result<Changes, Stop> {
    const STREAM: &str = "commit_pulls";
    let mut todo: Vec<(String, Json)> = vec![];
    for entry in run.cursors.get(STREAM).and_then(|c| c["pending"].as_array()).into_iter().flatten() {
        if let Some(sha) = entry["change"].as_str() {
            todo.push((sha.to_owned(), entry.clone()));
        }
    }
    for commit in chain {
        if !todo.iter().any(|(sha, _)| *sha == commit.sha) {
            todo.push((
                commit.sha.clone(),
                json!({ "change": commit.sha, "committed_at": commit.committed, "committer": commit.committer }),
            ));
        }
    }
    let mut changes = Changes::default();
    let mut pending: Vec<Json> = vec![];
    let (mut refusals, mut good) = (0, 0);
    let mut stop = None;
    for (sha, context) in todo {
        // A refusal that repeats is about the token and not about the commit.
        if stop.is_some() || (refusals >= 3 && good == 0) {
            pending.push(context);
            continue;
        }
        let url = client.url(&format!("{}/commits/{}/pulls?per_page=100", run.source.path(), segment(&sha)));
        let mut full = context.clone();
        full["branch"] = json!(run.branch);
        match client.get(STREAM, &url, None) {
            Ok(Answer::Good(response) | Answer::Unchanged(response)) => {
                good += 1;
                let body = response.json();
                let mut explained = false;
                for pull in body.as_array().into_iter().flatten() {
                    explained |= pull["merged_at"].is_string() && pull["base"]["ref"] == run.branch.as_str();
                    if let (Some(number), Some(at)) =
                        (pull["number"].as_u64(), pull["merged_at"].as_str().and_then(|t| t.parse().ok()))
                    {
                        changes.pulls.insert(number, at);
                    }
                }
                recorder.page(STREAM, &response, full, 1)?;
                if body.is_array() && !explained {
                    changes.pushed.push(sha);
                }
                if !body.is_array() {
                    recorder.gap(
                        STREAM,
                        CoverageStatus::Failed,
                        "the answer is no list; the API may have changed",
                    );
                    pending.push(context);
                }
            }
            Ok(Answer::Refused(response, status, reason)) => {
                refusals += 1;
                recorder.page(STREAM, &response, full, 0)?;
                recorder.gap(STREAM, status, reason);
                pending.push(context);
            }
            Ok(Answer::None(reason)) => {
                recorder.gap(STREAM, CoverageStatus::Failed, reason);
                pending.push(context);
            }
            Err(Stop::Ended(status, reason)) => {
                recorder.gap(STREAM, status, reason.clone());
                pending.push(context);
                stop = Some(Stop::Ended(status, reason));
            }
            Err(sink) => return Err(sink),
        }
    }
    if stop.is_none() && good > 0 && !pending.is_empty() {
        recorder.gap(
            STREAM,
            CoverageStatus::Partial,
            format!("{} changes were not looked up", pending.len()),
        );
    }
    // A gap of the walk hides changes that were never looked up either.
    let cursor = run.cursor_after(recorder, STREAM, json!({ "pending": pending }));
    recorder.close(STREAM, Some(cursor), run.now)?;
    match stop {
        Some(stop) => Err(stop),
        None => Ok(changes),
    }
}

/// Every move of the default branch, with who moved it: the only trace of a rewritten history.
fn activity(run: &Run<'_>, client: &mut Client<'_>, recorder: &mut Recorder<'_, '_>) -> Result<(), Stop> {
    const STREAM: &str = "activity";
    let since = Instant::from_ms(run.since(STREAM).ms() - super::OVERLAP_MS);
    let path = format!(
        "{}/activity?ref={}&direction=desc&per_page=100",
        run.source.path(),
        segment(&format!("refs/heads/{}", run.branch))
    );
    let context = json!({ "branch": run.branch });
    client.list(recorder, STREAM, &path, None, &context, &mut |item| {
        let at =
            ["timestamp", "pushed_at"].iter().find_map(|name| item[*name].as_str()?.parse::<Instant>().ok());
        if at.is_some_and(|at| at < since) { super::client::Go::Enough } else { super::client::Go::On }
    })?;
    let cursor = (!recorder.has_gap(STREAM)).then(|| run.cursor_after(recorder, STREAM, json!({})));
    recorder.close(STREAM, cursor, run.now)?;
    Ok(())
}
