//! A GitHub in memory: a healthy repository `acme/app` whose answers a test can change.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

use crate::server::{Asked, Reply, Server};

type Special = Box<dyn FnMut(&Asked) -> Option<Reply> + Send>;

/// Answers by path. Arrays are paged as GitHub pages them.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) answers: Arc<Mutex<BTreeMap<String, Json>>>,
    special: Arc<Mutex<Vec<Special>>>,
}

pub(crate) fn user(id: u64, login: &str) -> Json {
    json!({ "id": id, "login": login, "type": if login.ends_with("[bot]") { "Bot" } else { "User" } })
}

pub(crate) fn ann() -> Json {
    user(11, "ann")
}
pub(crate) fn bob() -> Json {
    user(12, "bob")
}
pub(crate) fn dana() -> Json {
    user(14, "dana")
}

/// A commit id out of a short name.
pub(crate) fn sha(name: &str) -> String {
    let hex: String = name.bytes().map(|b| format!("{b:02x}")).collect();
    format!("{hex:0<40}")[..40].to_owned()
}

/// A commit by GitHub's own hand, or by somebody.
pub(crate) fn commit(name: &str, parents: &[&str], date: &str, author: &Json, by_hand: bool) -> Json {
    let login = author["login"].as_str().unwrap();
    let me = json!({ "name": login, "email": format!("{login}@example.test"), "date": date });
    let web = json!({ "name": "GitHub", "email": "noreply@github.com", "date": date });
    json!({
        "sha": sha(name),
        "commit": {
            "message": format!("{name}\n\nText"), "author": me, "committer": if by_hand { &me } else { &web },
            "verification": { "verified": !by_hand, "reason": "unsigned", "signature": null },
        },
        "author": author,
        "committer": if by_hand { author.clone() } else { json!({ "id": 19864447, "login": "web-flow", "type": "User" }) },
        "parents": parents.iter().map(|p| json!({ "sha": sha(p) })).collect::<Vec<_>>(),
    })
}

/// A merged pull request whose head and merge commit are named after its number.
pub(crate) fn pull(number: u64, author: &Json, merged_at: Option<&str>, updated_at: &str) -> Json {
    json!({
        "number": number, "id": 1000 + number, "state": if merged_at.is_some() { "closed" } else { "open" },
        "title": format!("Change {number}"), "body": null, "user": author,
        "html_url": format!("https://github.com/acme/app/pull/{number}"),
        "created_at": "2026-02-01T08:00:00Z", "updated_at": updated_at, "merged_at": merged_at,
        "merge_commit_sha": sha(&format!("merge{number}")),
        "head": { "ref": format!("topic{number}"), "sha": sha(&format!("head{number}")), "repo": { "id": 4711 } },
        "base": { "ref": "main", "repo": { "id": 4711 } },
    })
}

pub(crate) fn issue(number: u64, created_at: &str, updated_at: &str) -> Json {
    json!({
        "number": number, "id": 5000 + number, "state": "open", "title": format!("Ticket {number}"),
        "html_url": format!("https://github.com/acme/app/issues/{number}"), "user": ann(),
        "created_at": created_at, "updated_at": updated_at, "closed_at": null,
    })
}

pub(crate) fn review(id: u64, reviewer: &Json, state: &str, head: &str, at: &str) -> Json {
    json!({ "id": id, "user": reviewer, "state": state, "commit_id": sha(head), "submitted_at": at })
}

impl World {
    /// One pull request, number 7: by ann, approved by bob, checked, merged by bob. One issue, number 3, years old.
    pub(crate) fn healthy() -> Self {
        let world = Self::default();
        world.set("/repos/acme/app", json!({
            "id": 4711, "full_name": "acme/app", "html_url": "https://github.com/acme/app", "default_branch": "main",
            "owner": { "login": "acme", "id": 1, "type": "Organization" },
        }));
        world.set(
            "/repos/acme/app/branches/main",
            json!({
                "name": "main", "protected": true, "commit": { "sha": sha("merge7") },
            }),
        );
        world.set("/repos/acme/app/branches/main/protection", json!({
            "required_pull_request_reviews": { "required_approving_review_count": 1, "dismiss_stale_reviews": true },
            "required_status_checks": { "contexts": ["build"], "checks": [{ "context": "build", "app_id": 5 }] },
            "enforce_admins": { "enabled": true }, "allow_force_pushes": { "enabled": false },
        }));
        for empty in [
            "rulesets",
            "rules/branches/main",
            "activity",
            "rulesets/rule-suites",
            "deployments",
            "collaborators",
        ] {
            world.set(&format!("/repos/acme/app/{empty}"), json!([]));
        }
        world.set("/orgs/acme/audit-log", json!([]));
        world.set("/repos/acme/app/actions/runs", json!({ "total_count": 0, "workflow_runs": [] }));
        world.set("/orgs/acme/outside_collaborators", json!([]));
        world.set("/orgs/acme/members", json!([dana()]));
        world.set("/orgs/acme/members?role=member", json!([ann(), bob()]));
        world.set("/orgs/acme/members?filter=2fa_disabled", json!([bob()]));
        world.set("/repos/acme/app/collaborators", json!([dana(), ann(), bob()]));
        world.set(
            "/repos/acme/app/commits",
            json!([
                commit("merge7", &["root", "head7"], "2026-02-03T10:00:00Z", &bob(), false),
                commit("head7", &["root"], "2026-02-02T09:00:00Z", &ann(), true),
                commit("root", &[], "2025-12-01T09:00:00Z", &ann(), true),
            ]),
        );
        world.add_issue(issue(3, "2019-05-01T08:00:00Z", "2019-06-01T08:00:00Z"));
        world.add_pushed("root");
        world.add_pull(pull(7, &ann(), Some("2026-02-03T10:00:00Z"), "2026-02-03T10:00:01Z"), &bob());
        world.set(
            "/repos/acme/app/pulls/7/reviews",
            json!([review(81, &bob(), "APPROVED", "head7", "2026-02-03T09:00:00Z")]),
        );
        world.set(
            &format!("/repos/acme/app/commits/{}/check-runs", sha("head7")),
            json!({
                "total_count": 1,
                "check_runs": [{ "id": 501, "name": "build", "head_sha": sha("head7"), "status": "completed",
                    "conclusion": "success", "completed_at": "2026-02-03T08:00:00Z" }],
            }),
        );
        world
    }

    /// What an answer needs about a commit that no pull request landed.
    pub(crate) fn add_pushed(&self, name: &str) {
        let base = format!("/repos/acme/app/commits/{}", sha(name));
        self.set(&format!("{base}/pulls"), json!([]));
        self.set(&format!("{base}/check-runs"), json!({ "total_count": 0, "check_runs": [] }));
        self.set(&format!("{base}/statuses"), json!([]));
    }

    /// A repository's pull request with everything an answer needs.
    pub(crate) fn add_pull(&self, pull: Json, merged_by: &Json) {
        let number = pull["number"].as_u64().unwrap();
        let head = pull["head"]["sha"].as_str().unwrap().to_owned();
        let mut detail = pull.clone();
        detail["merged_by"] = if pull["merged_at"].is_null() { Json::Null } else { merged_by.clone() };
        detail["commits"] = json!(1);
        let base = "/repos/acme/app";
        self.set(&format!("{base}/pulls/{number}"), detail);
        self.set(&format!("{base}/issues/{number}/timeline"), json!([]));
        self.set(&format!("{base}/pulls/{number}/reviews"), json!([]));
        self.set(
            &format!("{base}/pulls/{number}/commits"),
            json!([commit(&format!("head{number}"), &["root"], "2026-02-02T09:00:00Z", &pull["user"], true)]),
        );
        self.set(&format!("{base}/commits/{head}/check-runs"), json!({ "total_count": 0, "check_runs": [] }));
        self.set(&format!("{base}/commits/{head}/statuses"), json!([]));
        if !pull["merged_at"].is_null() {
            let merge = pull["merge_commit_sha"].as_str().unwrap();
            self.set(&format!("{base}/commits/{merge}/pulls"), json!([pull]));
        }
        // A pull request is on the list of issues, too.
        let mut listed = issue(number, "2026-02-01T08:00:00Z", pull["updated_at"].as_str().unwrap());
        listed["state"] = pull["state"].clone();
        listed["pull_request"] = json!({ "url": format!("https://api.github.com{base}/pulls/{number}") });
        self.add_issue(listed);
        let mut list = self.get(&format!("{base}/pulls"));
        let list = list.as_array_mut().map(std::mem::take).unwrap_or_default();
        let mut list: Vec<Json> = list.into_iter().filter(|p| p["number"] != number).collect();
        list.push(pull);
        list.sort_by(|a, b| b["updated_at"].as_str().cmp(&a["updated_at"].as_str()));
        self.set(&format!("{base}/pulls"), json!(list));
    }

    /// An issue, in place of an earlier state of it.
    pub(crate) fn add_issue(&self, issue: Json) {
        let path = "/repos/acme/app/issues";
        let mut list: Vec<Json> = self.get(path).as_array_mut().map(std::mem::take).unwrap_or_default();
        list.retain(|i| i["number"] != issue["number"]);
        list.push(issue);
        list.sort_by(|a, b| a["updated_at"].as_str().cmp(&b["updated_at"].as_str()));
        self.set(path, json!(list));
    }

    pub(crate) fn set(&self, path: &str, body: Json) {
        self.answers.lock().unwrap().insert(path.to_owned(), body);
    }

    pub(crate) fn get(&self, path: &str) -> Json {
        self.answers.lock().unwrap().get(path).cloned().unwrap_or(Json::Null)
    }

    /// A status and message for a path, whatever its query.
    pub(crate) fn refuse(&self, path: &str, status: u16, message: &str) {
        let (path, message) = (path.to_owned(), message.to_owned());
        self.on(move |asked| {
            (asked.path() == path).then(|| Reply::new(status, json!({ "message": message }).to_string()))
        });
    }

    /// An answer that comes before all others.
    pub(crate) fn on(&self, special: impl FnMut(&Asked) -> Option<Reply> + Send + 'static) {
        self.special.lock().unwrap().insert(0, Box::new(special));
    }

    /// Forgets every such answer.
    pub(crate) fn heal(&self) {
        self.special.lock().unwrap().clear();
    }

    pub(crate) fn serve(&self) -> Server {
        let world = self.clone();
        Server::start(move |asked| world.answer(asked))
    }

    fn answer(&self, asked: &Asked) -> Reply {
        for special in self.special.lock().unwrap().iter_mut() {
            if let Some(reply) = special(asked) {
                return reply;
            }
        }
        let answers = self.answers.lock().unwrap();
        let by_query = ["role", "filter"]
            .iter()
            .find_map(|name| answers.get(&format!("{}?{name}={}", asked.path(), asked.query(name)?)));
        let Some(body) = by_query.or_else(|| answers.get(asked.path())) else {
            return Reply::new(404, r#"{"message":"Not Found"}"#);
        };
        paged(asked, &since(asked, body.clone()))
    }
}

/// What changed since the date that was asked for.
fn since(asked: &Asked, mut body: Json) -> Json {
    if let (Some(since), Json::Array(items)) = (asked.query("since"), &mut body) {
        items.retain(|item| item["updated_at"].as_str() > Some(&since));
    }
    body
}

/// The page that was asked for, with links to the next and the last.
pub(crate) fn paged(asked: &Asked, body: &Json) -> Reply {
    let size: usize = asked.query("per_page").and_then(|n| n.parse().ok()).unwrap_or(30);
    let page: usize = asked.query("page").and_then(|n| n.parse().ok()).unwrap_or(1);
    let (items, member) = match body {
        Json::Array(items) => (items, None),
        Json::Object(map) if map.contains_key("total_count") => {
            let member = map.keys().find(|k| *k != "total_count").unwrap().as_str();
            (map[member].as_array().unwrap(), Some(member))
        }
        other => return dated(Reply::new(200, other.to_string())),
    };
    let from = ((page - 1) * size).min(items.len());
    let shown = &items[from..(from + size).min(items.len())];
    let shown = match member {
        None => json!(shown),
        Some(member) => json!({ "total_count": body["total_count"], member: shown }),
    };
    let text = shown.to_string();
    let etag =
        format!("\"{:x}\"", text.bytes().fold(7_u64, |h, b| h.wrapping_mul(31).wrapping_add(b.into())));
    if asked.headers.get("if-none-match") == Some(&etag) {
        return dated(Reply::new(304, "").header("etag", &etag));
    }
    let mut reply = dated(Reply::new(200, text).header("etag", &etag));
    let last = items.len().div_ceil(size).max(1);
    if page < last {
        let plain = asked.target.split(['&', '?']).filter(|p| !p.starts_with("page=")).collect::<Vec<_>>();
        let address = format!("http://{}{}?{}", asked.headers["host"], plain[0], plain[1..].join("&"));
        reply = reply.header(
            "link",
            &format!("<{address}&page={}>; rel=\"next\", <{address}&page={last}>; rel=\"last\"", page + 1),
        );
    }
    reply
}

fn dated(reply: Reply) -> Reply {
    reply.header("date", "Sun, 01 Mar 2026 12:00:00 GMT")
}
