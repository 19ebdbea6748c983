//! One cheap question per stream, before anything is collected: what will the credential be able to see?

use collect::Http;
use model::CoverageStatus;
use serde_json::Value as Json;

use super::app::Purpose;
use super::client::{Answer, Client, Stop, segment};
use super::streams::{STREAMS, Stream};
use super::{Credential, GitHubError, Source};

/// What the credential can do for one stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamCheck {
    /// The stream.
    pub stream: &'static str,
    /// `complete` when it can be read.
    pub status: CoverageStatus,
    /// What GitHub said. Empty when it can be read.
    pub reason: String,
    /// What to do about it. Empty when nothing.
    pub fix: String,
}

/// Asks once per stream whether it can be read. A stream of details is tried on the newest item there is; without one it
/// counts as readable with the reason that nothing could be tried.
///
/// # Errors
/// An API address that cannot work, or a server that does not answer at all.
pub fn probe(source: &Source, http: &mut Http) -> Result<Vec<StreamCheck>, GitHubError> {
    let mut client = Client::new(http, source, Purpose::Collect)?;
    let mut checks: Vec<StreamCheck> = vec![];
    let ended = match look(source, &mut client, &mut checks) {
        Ok(()) => return Ok(checks),
        Err(Stop::Sink(error)) => return Err(GitHubError::Sink(error)),
        Err(Stop::Ended(status, reason)) => (status, reason),
    };
    for stream in STREAMS {
        if !checks.iter().any(|c| c.stream == stream.name) {
            checks.push(StreamCheck {
                stream: stream.name,
                status: ended.0,
                reason: ended.1.clone(),
                fix: "repair the credential or the connection first".to_owned(),
            });
        }
    }
    Ok(checks)
}

fn look(source: &Source, client: &mut Client<'_>, checks: &mut Vec<StreamCheck>) -> Result<(), Stop> {
    client.sign_in()?;
    let base = source.path();
    let mut seen = Seen::default();
    for stream in STREAMS {
        let branch = segment(source.branch.as_deref().or(seen.branch.as_deref()).unwrap_or("main"));
        let path = match stream.name {
            "repository" => Some(base.clone()),
            "branch_protection" => Some(format!("{base}/branches/{branch}/protection")),
            "rulesets" => Some(format!("{base}/rulesets?includes_parents=true&per_page=1")),
            "ruleset_history" => seen.ruleset.map(|id| format!("{base}/rulesets/{id}/history?per_page=1")),
            "rules" => Some(format!("{base}/rules/branches/{branch}?per_page=1")),
            "commits" => Some(format!("{base}/commits?sha={branch}&per_page=1")),
            "commit_pulls" => seen.tip.as_ref().map(|tip| format!("{base}/commits/{tip}/pulls?per_page=1")),
            "activity" | "pushes" => Some(format!("{base}/activity?per_page=1")),
            "pulls" => Some(format!("{base}/pulls?state=all&sort=updated&direction=desc&per_page=1")),
            "timeline" => seen.pull.map(|n| format!("{base}/issues/{n}/timeline?per_page=1")),
            "reviews" => seen.pull.map(|n| format!("{base}/pulls/{n}/reviews?per_page=1")),
            "pull_commits" => seen.pull.map(|n| format!("{base}/pulls/{n}/commits?per_page=1")),
            "check_runs" => {
                seen.tip.as_ref().map(|tip| format!("{base}/commits/{tip}/check-runs?per_page=1"))
            }
            "statuses" => seen.tip.as_ref().map(|tip| format!("{base}/commits/{tip}/statuses?per_page=1")),
            "issues" => Some(format!("{base}/issues?state=all&per_page=1")),
            "rule_suites" => Some(format!("{base}/rulesets/rule-suites?time_period=day&per_page=1")),
            "audit_log" => {
                seen.organisation.as_ref().map(|org| format!("/orgs/{}/audit-log?per_page=1", segment(org)))
            }
            "deployments" => Some(format!("{base}/deployments?per_page=1")),
            "deployment_statuses" => {
                seen.deployment.map(|id| format!("{base}/deployments/{id}/statuses?per_page=1"))
            }
            "members" => {
                seen.organisation.as_ref().map(|org| format!("/orgs/{}/members?per_page=1", segment(org)))
            }
            "members_without_2fa" => seen
                .organisation
                .as_ref()
                .map(|org| format!("/orgs/{}/members?filter=2fa_disabled&per_page=1", segment(org))),
            "outside_collaborators" => seen
                .organisation
                .as_ref()
                .map(|org| format!("/orgs/{}/outside_collaborators?per_page=1", segment(org))),
            "collaborators" => Some(format!("{base}/collaborators?affiliation=all&per_page=1")),
            _ => None,
        };
        if stream.name == "issues" && seen.without_issues {
            checks.push(StreamCheck {
                stream: stream.name,
                status: CoverageStatus::NotLicensed,
                reason: super::issues::SWITCHED_OFF.to_owned(),
                fix: "switch them on if tickets are kept there".to_owned(),
            });
            continue;
        }
        if let Some(right) = client.lacks(stream) {
            checks.push(StreamCheck {
                stream: stream.name,
                status: CoverageStatus::NotPermitted,
                reason: format!("the App's installation does not grant {right}"),
                fix: format!("grant the App {right} in its settings, and have an owner accept it"),
            });
            continue;
        }
        let Some(path) = path else {
            checks.push(untried(stream, &seen));
            continue;
        };
        let url = client.url(&path);
        let (status, reason) = match client.get(stream.name, &url, None)? {
            Answer::Good(response) | Answer::Unchanged(response) => {
                seen.learn(stream.name, &response.json());
                (CoverageStatus::Complete, String::new())
            }
            Answer::Refused(response, status, reason) => {
                let message = response.json()["message"].as_str().unwrap_or("").to_lowercase();
                let answered = (stream.name == "branch_protection"
                    && message.contains("branch not protected"))
                    || (stream.name == "commits" && response.status == 409);
                if answered { (CoverageStatus::Complete, String::new()) } else { (status, reason) }
            }
            Answer::None(reason) => (CoverageStatus::Failed, reason),
        };
        let broken = stream.name == "repository" && status != CoverageStatus::Complete;
        checks.push(StreamCheck {
            stream: stream.name,
            status,
            fix: fix(stream, status, &source.credential),
            reason: reason.clone(),
        });
        if broken {
            return Err(Stop::Ended(status, format!("the repository itself could not be read: {reason}")));
        }
    }
    Ok(())
}

/// What earlier questions yielded for later ones.
#[derive(Default)]
struct Seen {
    branch: Option<String>,
    organisation: Option<String>,
    without_issues: bool,
    tip: Option<String>,
    ruleset: Option<u64>,
    pull: Option<u64>,
    deployment: Option<u64>,
}

impl Seen {
    fn learn(&mut self, stream: &str, body: &Json) {
        match stream {
            "repository" => {
                self.without_issues = super::issues::switched_off(body);
                self.branch = body["default_branch"].as_str().map(str::to_owned);
                self.organisation = (body["owner"]["type"] == "Organization")
                    .then(|| body["owner"]["login"].as_str().map(str::to_owned))
                    .flatten();
            }
            "rulesets" => self.ruleset = body[0]["id"].as_u64(),
            "commits" => self.tip = body[0]["sha"].as_str().map(str::to_owned),
            "pulls" => self.pull = body[0]["number"].as_u64(),
            "deployments" => self.deployment = body[0]["id"].as_u64(),
            _ => {}
        }
    }
}

fn untried(stream: &Stream, seen: &Seen) -> StreamCheck {
    let of_organisation =
        ["audit_log", "members", "members_without_2fa", "outside_collaborators"].contains(&stream.name);
    if of_organisation && seen.organisation.is_none() {
        return StreamCheck {
            stream: stream.name,
            status: CoverageStatus::NotLicensed,
            reason: "the repository belongs to a personal account".to_owned(),
            fix: "move the repository into an organisation, if that is evidence you need".to_owned(),
        };
    }
    StreamCheck {
        stream: stream.name,
        status: CoverageStatus::Complete,
        reason: "there is nothing yet to try it on".to_owned(),
        fix: String::new(),
    }
}

fn fix(stream: &Stream, status: CoverageStatus, credential: &Credential) -> String {
    let who = match credential {
        Credential::Token(_) => "token",
        Credential::App(_) => "App",
    };
    match status {
        CoverageStatus::Complete | CoverageStatus::Partial => String::new(),
        CoverageStatus::NotPermitted if who == "App" && stream.needs().is_empty() => {
            format!("only a token of {} shows it, and an App is none", stream.permission)
        }
        CoverageStatus::NotPermitted => format!("give the {who}: {}", stream.permission),
        CoverageStatus::NotLicensed => {
            "the plan does not offer it; controls that need it stay without evidence".to_owned()
        }
        CoverageStatus::Expired => "the source no longer keeps it; collect more often".to_owned(),
        CoverageStatus::Failed => "try again; if it stays, check the address and the server".to_owned(),
    }
}
