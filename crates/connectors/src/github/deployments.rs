//! What was deployed where, by whom, and how it ended.

use std::collections::BTreeMap;

use collect::Recorder;
use model::{CoverageStatus, Instant};
use serde_json::{Value as Json, json};

use super::client::{Client, Go, Stop};
use super::{OVERLAP_MS, Run};

/// States after which nothing more is expected. `inactive` follows a success when a later deployment takes its place.
const FINAL: &[&str] = &["success", "failure", "error", "inactive"];

pub(super) fn collect(
    run: &Run<'_>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
) -> Result<(), Stop> {
    const LIST: &str = "deployments";
    const STATUSES: &str = "deployment_statuses";
    const REVIEWS: &str = "deployment_reviews";
    let base = run.source.path();
    let since = Instant::from_ms(run.since(LIST).ms() - OVERLAP_MS);
    let context = json!({ "branch": run.branch });
    let mut found: BTreeMap<u64, Json> = BTreeMap::new();
    // Newest first. Deployments are numbered as they are created, so what is new only moves the others down.
    let listed = client.list(
        recorder,
        LIST,
        &format!("{base}/deployments?per_page=100"),
        None,
        &context,
        &mut |item| {
            let at: Instant =
                item["created_at"].as_str().and_then(|t| t.parse().ok()).unwrap_or(Instant::FOREVER);
            if at < since {
                return Go::Enough;
            }
            if let Some(id) = item["id"].as_u64() {
                found.insert(id, item.clone());
            }
            Go::On
        },
    )?;
    let mut todo: BTreeMap<u64, Option<Json>> = BTreeMap::new();
    for id in run.cursors.get(STATUSES).and_then(|c| c["pending"].as_array()).into_iter().flatten() {
        if let Some(id) = id.as_u64() {
            todo.insert(id, None);
        }
    }
    todo.extend(found.into_iter().map(|(id, deployment)| (id, Some(deployment))));

    let mut pending: Vec<u64> = vec![];
    let mut stop = None;
    for (id, deployment) in todo {
        if stop.is_some() {
            pending.push(id);
            continue;
        }
        match status_of(run, client, recorder, id, deployment) {
            Ok(true) => {}
            Ok(false) => pending.push(id),
            Err(Stop::Ended(status, reason)) => {
                for stream in [STATUSES, REVIEWS] {
                    recorder.gap(stream, status, reason.clone());
                }
                stop = Some(Stop::Ended(status, reason));
                pending.push(id);
            }
            Err(sink) => return Err(sink),
        }
    }
    if !listed.whole {
        let status = recorder.coverage(LIST).map_or(CoverageStatus::Failed, |c| c.status);
        for stream in [STATUSES, REVIEWS] {
            recorder.gap(stream, status, "the list of deployments is not whole");
        }
    }
    let cursor = listed.whole.then(|| run.cursor_after(recorder, LIST, json!({})));
    recorder.close(LIST, cursor, run.now)?;
    let cursor = listed.whole.then(|| run.cursor_after(recorder, STATUSES, json!({ "pending": pending })));
    recorder.close(STATUSES, cursor, run.now)?;
    let cursor = listed.whole.then(|| run.cursor_after(recorder, REVIEWS, json!({})));
    recorder.close(REVIEWS, cursor, run.now)?;
    stop.map_or(Ok(()), Err)
}

/// Captures the statuses of one deployment; whether it has ended.
fn status_of(
    run: &Run<'_>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
    id: u64,
    deployment: Option<Json>,
) -> Result<bool, Stop> {
    let base = run.source.path();
    let deployment = match deployment {
        Some(deployment) => deployment,
        None => {
            let path = format!("{base}/deployments/{id}");
            match client.document(recorder, "deployments", &path, json!({ "deployment": id }), 0)? {
                Some(deployment) => deployment,
                None => return Ok(false),
            }
        }
    };
    // Newest first: the first is how it stands. The deployment goes into the receipt, so that a page of statuses can be
    // read by itself; its payload may hold anything and stays out.
    let mut slim = deployment;
    if let Json::Object(map) = &mut slim {
        map.retain(|name, _| {
            ["id", "sha", "ref", "environment", "production_environment", "created_at", "creator", "task"]
                .contains(&name.as_str())
        });
        if let Some(creator) = map.get_mut("creator")
            && let Json::Object(creator) = creator
        {
            creator.retain(|name, _| ["id", "login", "type"].contains(&name.as_str()));
        }
    }
    let mut ended = false;
    let mut first = true;
    let mut pipeline = None;
    let listed = client.list(
        recorder,
        "deployment_statuses",
        &format!("{base}/deployments/{id}/statuses?per_page=100"),
        None,
        &json!({ "deployment": &slim }),
        &mut |status| {
            if first {
                ended = status["state"].as_str().is_some_and(|state| FINAL.contains(&state));
                first = false;
            }
            pipeline = pipeline.or_else(|| {
                ["log_url", "target_url"].iter().find_map(|name| workflow_run(status[*name].as_str()?))
            });
            Go::On
        },
    )?;
    // Who opened the gate of an environment is known only to the run that waited there.
    let mut reviewed = true;
    if let Some(pipeline) = pipeline {
        let path = format!("{base}/actions/runs/{pipeline}/approvals");
        let context = json!({ "deployment": slim });
        reviewed = client.document(recorder, "deployment_reviews", &path, context, 1)?.is_some();
    }
    Ok(listed.whole && ended && reviewed)
}

/// The number of the workflow run in an address such as `https://github.com/acme/app/actions/runs/12/job/3`.
fn workflow_run(url: &str) -> Option<u64> {
    let (_, rest) = url.split_once("/actions/runs/")?;
    rest.split(['/', '?', '#']).next()?.parse().ok()
}
