//! What stood between a change and the branch: classic protection, rulesets, and who got around them.

use std::collections::BTreeSet;

use collect::{Recorder, next_link};
use model::{CoverageStatus, Instant, Window};
use serde_json::{Value as Json, json};

use super::client::{Answer, Client, Go, Stop, segment};
use super::streams::stream_named;
use super::{Classic, OVERLAP_MS, Run, expired, snapshot_window};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Captures the rules of the branch as they stand now.
pub(super) fn collect(
    run: &Run<'_>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
) -> Result<Protection, Stop> {
    let begun = client.http().now();
    let base = run.source.path();
    let branch = segment(&run.branch);
    let context = json!({ "branch": run.branch });
    let seen = client.document(
        recorder,
        "branch_protection",
        &format!("{base}/branches/{branch}"),
        context.clone(),
        1,
    )?;
    let protected = seen.as_ref().and_then(|b| b["protected"].as_bool());

    let (classic, evidence) = classic(run, client, recorder, protected)?;
    let now = client.http().now();
    recorder.set_window("branch_protection", snapshot_window(begun, now));
    recorder.close("branch_protection", None, now)?;

    let rulesets = rulesets(run, client, recorder)?;
    if rulesets.is_null() {
        let status = recorder.coverage("rulesets").map_or(CoverageStatus::Failed, |c| c.status);
        recorder.gap("ruleset_history", status, "the rulesets could not be listed");
    }
    let now = client.http().now();
    recorder.set_window("rulesets", snapshot_window(begun, now));
    recorder.close("rulesets", None, now)?;

    let history = histories(run, client, recorder, &rulesets)?;
    let first =
        history.iter().filter_map(first_version).min().filter(|_| !recorder.has_gap("ruleset_history"));
    let now = client.http().now();
    recorder.set_window(
        "ruleset_history",
        Window { from: first.unwrap_or(begun), to: snapshot_window(begun, now).to },
    );
    recorder.close("ruleset_history", None, now)?;

    let context = json!({
        "branch": run.branch, "default_branch": run.default_branch, "protected": protected, "classic": evidence, "rulesets": rulesets, "history": history,
    });
    rules(run, client, recorder, context)?;
    let now = client.http().now();
    recorder.set_window("rules", snapshot_window(begun, now));
    recorder.close("rules", None, now)?;
    Ok(Protection { classic, known_since: first })
}

/// What the rest of a run needs to know of the protection.
#[derive(Default)]
pub(super) struct Protection {
    pub(super) classic: Classic,
    /// From when the history of the rulesets shows what was in force.
    pub(super) known_since: Option<Instant>,
}

/// Every version of every ruleset of the repository: GitHub's own record of what was in force when. Rulesets of the
/// organisation are left out, and only make the branch stronger than what is shown.
fn histories(
    run: &Run<'_>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
    rulesets: &Json,
) -> Result<Vec<Json>, Stop> {
    const STREAM: &str = "ruleset_history";
    let mut all = vec![];
    for ruleset in rulesets.as_array().into_iter().flatten() {
        let Some(id) = ruleset["id"].as_u64().filter(|_| ruleset["source_type"] == "Repository") else {
            continue;
        };
        let path = format!("{}/rulesets/{id}/history", run.source.path());
        let context = json!({ "ruleset": id });
        let mut numbers = vec![];
        let listed = client.list(
            recorder,
            STREAM,
            &format!("{path}?per_page=100"),
            None,
            &context,
            &mut |version| {
                numbers.extend(version["version_id"].as_u64());
                Go::On
            },
        )?;
        let mut versions = vec![];
        for number in numbers {
            if let Some(version) =
                client.document(recorder, STREAM, &format!("{path}/{number}"), context.clone(), 0)?
            {
                versions.push(json!({ "updated_at": version["updated_at"], "state": version["state"] }));
            }
        }
        // A history with a hole in it shows the wrong version where the hole is.
        let complete = listed.whole && listed.count == u64::try_from(versions.len()).unwrap_or(0);
        if complete {
            all.push(json!({ "id": id, "versions": versions }));
        }
    }
    Ok(all)
}

fn first_version(history: &Json) -> Option<Instant> {
    let versions = history["versions"].as_array()?;
    versions.iter().filter_map(|v| v["updated_at"].as_str()?.parse().ok()).min()
}

/// Classic protection. GitHub says 404 both for a branch that has none and to those who may not know: the words of the
/// answer and the branch's own `protected` tell them apart, and where they do not it is a gap.
fn classic(
    run: &Run<'_>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
    protected: Option<bool>,
) -> Result<(Classic, Json), Stop> {
    const STREAM: &str = "branch_protection";
    let url = client.url(&format!("{}/branches/{}/protection", run.source.path(), segment(&run.branch)));
    let context = json!({ "branch": run.branch, "part": "protection" });
    match client.get(STREAM, &url, None)? {
        Answer::Good(response) | Answer::Unchanged(response) => {
            recorder.page(STREAM, &response, context, 1)?;
            Ok((Classic::Present, json!({ "known": true, "body": response.json() })))
        }
        Answer::Refused(response, status, reason) => {
            recorder.page(STREAM, &response, context, 0)?;
            let message = response.json()["message"].as_str().unwrap_or("").to_lowercase();
            let none = protected == Some(false)
                || (response.status == 404 && message.contains("branch not protected"));
            if none {
                recorder.looked(STREAM);
                return Ok((Classic::Absent, json!({ "known": true, "body": null })));
            }
            recorder.gap(STREAM, status, reason);
            Ok((Classic::Unknown, json!({ "known": false })))
        }
        Answer::None(reason) => {
            recorder.gap(STREAM, CoverageStatus::Failed, reason);
            Ok((Classic::Unknown, json!({ "known": false })))
        }
    }
}

/// Rulesets of the repository and of its organisation, each with its bypass actors where they are visible.
fn rulesets(run: &Run<'_>, client: &mut Client<'_>, recorder: &mut Recorder<'_, '_>) -> Result<Json, Stop> {
    const STREAM: &str = "rulesets";
    let base = run.source.path();
    let context = json!({ "branch": run.branch });
    let Some(list) = client.snapshot(
        recorder,
        STREAM,
        &format!("{base}/rulesets?includes_parents=true&per_page=100"),
        &context,
    )?
    else {
        return Ok(Json::Null);
    };
    let mut all = vec![];
    for id in list.iter().filter_map(|r| r["id"].as_u64()) {
        let path = format!("{base}/rulesets/{id}?includes_parents=true");
        let Some(ruleset) =
            client.document(recorder, STREAM, &path, json!({ "branch": run.branch, "ruleset": id }), 0)?
        else {
            all.push(json!({ "id": id }));
            continue;
        };
        if ruleset["bypass_actors"].is_null() {
            recorder.gap(
                STREAM,
                CoverageStatus::Partial,
                "the bypass actors of a ruleset are visible only to those who may edit it",
            );
        }
        // What is not visible stays absent: it is not an empty list.
        all.push(json!({
            "id": id, "source_type": ruleset["source_type"], "bypass_actors": ruleset["bypass_actors"],
        }));
    }
    Ok(Json::Array(all))
}

/// The rules in force on the branch, of all active rulesets together. The last page carries all of them: a part of the
/// rules says nothing about the branch.
fn rules(
    run: &Run<'_>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
    context: Json,
) -> Result<(), Stop> {
    const STREAM: &str = "rules";
    let mut url = Some(client.url(&format!(
        "{}/rules/branches/{}?per_page=100",
        run.source.path(),
        segment(&run.branch)
    )));
    let mut visited = BTreeSet::new();
    let mut earlier: Vec<Json> = vec![];
    while let Some(address) = url {
        if !visited.insert(address.clone()) {
            recorder.gap(STREAM, CoverageStatus::Failed, "the pages of the list lead in circles");
            return Ok(());
        }
        let mut context = context.clone();
        context["earlier"] = json!(earlier);
        match client.get(STREAM, &address, None)? {
            Answer::Good(response) | Answer::Unchanged(response) => {
                let body = response.json();
                let Some(rules) = body.as_array() else {
                    recorder.page(STREAM, &response, context, 0)?;
                    recorder.gap(
                        STREAM,
                        CoverageStatus::Failed,
                        "the answer is no list; the API may have changed",
                    );
                    return Ok(());
                };
                url = response.header("link").and_then(next_link).map(str::to_owned);
                context["last"] = json!(url.is_none());
                let count = u64::try_from(rules.len()).unwrap_or(0);
                earlier.extend(rules.iter().cloned());
                recorder.page(STREAM, &response, context, count)?;
            }
            Answer::Refused(response, status, reason) => {
                context["last"] = json!(true);
                recorder.page(STREAM, &response, context, 0)?;
                recorder.gap(STREAM, status, reason);
                return Ok(());
            }
            Answer::None(reason) => {
                recorder.gap(STREAM, CoverageStatus::Failed, reason);
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The part of a stream's window that the source still keeps; what it no longer keeps is said at once.
pub(super) fn kept(
    run: &Run<'_>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
    stream: &'static str,
) -> Result<Window, Stop> {
    let window = run.window_of(stream);
    let Some(days) = stream_named(stream).and_then(|s| s.retention_days) else { return Ok(window) };
    let oldest = Instant::from_ms(run.now.ms() - i64::from(days) * DAY_MS);
    if window.from >= oldest {
        return Ok(window);
    }
    let lost = Window { from: window.from, to: oldest.min(window.to) };
    let now = client.http().now();
    recorder.state(stream, expired(lost, format!("GitHub can be asked only {days} days back")), None, now)?;
    Ok(Window { from: oldest.min(window.to), to: window.to })
}

/// Who bypassed a ruleset. The answer reaches back a month at most, and by itself only a day.
pub(super) fn rule_suites(
    run: &Run<'_>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
) -> Result<(), Stop> {
    const STREAM: &str = "rule_suites";
    let window = kept(run, client, recorder, STREAM)?;
    recorder.set_window(STREAM, window);
    let age = run.now.ms() - window.from.ms() + OVERLAP_MS;
    let period = match age {
        ..=DAY_MS => "day",
        age if age <= 7 * DAY_MS => "week",
        _ => "month",
    };
    let path = format!(
        "{}/rulesets/rule-suites?ref={}&time_period={period}&rule_suite_result=bypass&per_page=100",
        run.source.path(),
        segment(&format!("refs/heads/{}", run.branch))
    );
    let context = json!({ "branch": run.branch });
    client.list(recorder, STREAM, &path, None, &context, &mut |_| Go::On)?;
    let cursor = run.cursor_after(recorder, STREAM, json!({}));
    recorder.close(STREAM, Some(cursor), run.now)?;
    Ok(())
}

/// Overridden and edited protection: the audit log of an organisation on Enterprise Cloud.
pub(super) fn audit_log(
    run: &Run<'_>,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
) -> Result<(), Stop> {
    const STREAM: &str = "audit_log";
    let Some(organisation) = &run.organisation else {
        recorder.gap(STREAM, CoverageStatus::NotLicensed, "a personal account has no audit log");
        recorder.close(STREAM, None, run.now)?;
        return Ok(());
    };
    let window = kept(run, client, recorder, STREAM)?;
    recorder.set_window(STREAM, window);
    let since = Instant::from_ms(window.from.ms() - OVERLAP_MS).to_string();
    let phrase = format!("repo:{}/{} created:>={since}", run.source.owner, run.source.repo);
    let path = format!(
        "/orgs/{}/audit-log?phrase={}&include=web&order=asc&per_page=100",
        segment(organisation),
        segment(&phrase)
    );
    let context = json!({ "branch": run.branch });
    let listed = client.list(recorder, STREAM, &path, None, &context, &mut |_| Go::On)?;
    if listed.refused == Some(404) {
        recorder.gap(STREAM, CoverageStatus::NotLicensed, "the audit log needs GitHub Enterprise Cloud");
    }
    let cursor = run.cursor_after(recorder, STREAM, json!({}));
    recorder.close(STREAM, Some(cursor), run.now)?;
    Ok(())
}
