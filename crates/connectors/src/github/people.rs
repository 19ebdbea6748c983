//! Who belongs to the organisation and who can do what in the repository.

use std::collections::BTreeSet;

use collect::Recorder;
use model::CoverageStatus;
use serde_json::{Value as Json, json};

use super::client::{Answer, Client, Stop, segment};
use super::{Run, snapshot_window};

pub(super) fn collect(
    run: &Run<'_>,
    repository: &Json,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
) -> Result<(), Stop> {
    let begun = client.http().now();
    match &run.organisation {
        Some(organisation) => of_organisation(organisation, client, recorder)?,
        None => {
            for stream in ["members", "members_without_2fa", "outside_collaborators"] {
                recorder.gap(
                    stream,
                    CoverageStatus::NotLicensed,
                    "the repository belongs to a personal account, which has no members",
                );
            }
        }
    }
    let path = format!("{}/collaborators?affiliation=all&per_page=100", run.source.path());
    let found = client.snapshot(recorder, "collaborators", &path, &json!({}))?;
    // Whoever owns the repository is on the list: an empty one was cut down to what the token may see.
    if found.is_some_and(|f| f.is_empty()) && repository["owner"].is_object() {
        recorder.gap("collaborators", CoverageStatus::Partial, "the list is empty, which cannot be");
    }
    for stream in ["members", "members_without_2fa", "outside_collaborators", "collaborators"] {
        let now = client.http().now();
        recorder.set_window(stream, snapshot_window(begun, now));
        recorder.close(stream, None, now)?;
    }
    Ok(())
}

fn of_organisation(
    organisation: &str,
    client: &mut Client<'_>,
    recorder: &mut Recorder<'_, '_>,
) -> Result<(), Stop> {
    let org = segment(organisation);
    let mut everybody: Option<BTreeSet<String>> = Some(BTreeSet::new());
    let mut owners = 0;
    for role in ["admin", "member"] {
        let context = json!({ "organisation": organisation, "role": role });
        let path = format!("/orgs/{org}/members?role={role}&per_page=100");
        match client.snapshot(recorder, "members", &path, &context)? {
            Some(found) => {
                if role == "admin" {
                    owners = found.len();
                }
                if let Some(all) = &mut everybody {
                    all.extend(found.iter().map(who));
                }
            }
            None => everybody = None,
        }
    }
    let without = client.snapshot(
        recorder,
        "members_without_2fa",
        &format!("/orgs/{org}/members?filter=2fa_disabled&per_page=100"),
        &json!({ "organisation": organisation }),
    )?;
    if let Some(all) = &everybody {
        if owners == 0 {
            recorder.gap(
                "members",
                CoverageStatus::Partial,
                "the list names no owner, and an organisation always has one: the token sees only public members",
            );
        } else if without.is_none() && !belongs(&org, client)? {
            // Whoever may use the owners' filter sees everybody; others see everybody only from inside.
            recorder.gap(
                "members",
                CoverageStatus::Partial,
                "the token's account does not belong to the organisation, so concealed members are not shown",
            );
        }
        // A server that ignores the filter names everybody. If it is true, it looks the same: a person has to look.
        if let Some(without) = without
            && !all.is_empty()
            && without.iter().map(who).collect::<BTreeSet<_>>() == *all
        {
            recorder.gap(
                "members_without_2fa",
                CoverageStatus::Partial,
                "the list names every member; the server seems to ignore the filter",
            );
        }
    }
    client.snapshot(
        recorder,
        "outside_collaborators",
        &format!("/orgs/{org}/outside_collaborators?per_page=100"),
        &json!({ "organisation": organisation, "role": "outside_collaborator" }),
    )?;
    Ok(())
}

/// Whether the token's account is an active member. An app's token has no account: it was given the right or refused.
fn belongs(org: &str, client: &mut Client<'_>) -> Result<bool, Stop> {
    let url = client.url(&format!("/user/memberships/orgs/{org}"));
    Ok(match client.get("members", &url, None)? {
        Answer::Good(response) | Answer::Unchanged(response) => response.json()["state"] == "active",
        Answer::Refused(response, ..) => response.status == 403,
        Answer::None(_) => false,
    })
}

fn who(item: &Json) -> String {
    item["id"].to_string()
}
