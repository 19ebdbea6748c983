//! Real traffic: what GitHub answered over the years, as another project's tests recorded it. The recordings stay where
//! they are; nothing of them, and nobody in them, is named here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use collect::{Http, HttpConfig, HttpError, Request};
use model::{Capture, Derived, Receipt};
use serde_json::{Value as Json, json};

use crate::server::{Clock, Reply, Server};
use crate::support::{NOW, derive, instant, rows};

/// One request and its answer.
struct Exchange {
    file: String,
    method: String,
    path: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

#[allow(clippy::print_stdout, reason = "a test that is skipped says so")]
fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/recorded/github");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {} is absent", folder.display());
    None
}

/// Every exchange of every file: blocks of scheme, method, host, port, path, request headers, request body, status,
/// response headers, response body, and an empty line.
fn exchanges(folder: &Path) -> Vec<Exchange> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut all = vec![];
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.split('\n').collect();
        let mut n = 0;
        while n + 9 < lines.len() {
            if !matches!(lines[n], "https" | "http") {
                n += 1;
                continue;
            }
            all.push(Exchange {
                file: file.file_name().unwrap().to_string_lossy().into_owned(),
                method: lines[n + 1].to_owned(),
                path: lines[n + 4].to_owned(),
                status: lines[n + 7].trim().parse().unwrap_or(0),
                headers: headers(lines[n + 8]),
                body: lines[n + 9].to_owned(),
            });
            n += 10;
        }
    }
    all
}

/// The strings of a printed list of pairs, two by two, or of a printed map.
fn headers(line: &str) -> Vec<(String, String)> {
    let mut strings = vec![];
    let mut chars = line.chars();
    while let Some(open) = chars.next() {
        if open != '\'' && open != '"' {
            continue;
        }
        let mut text = String::new();
        while let Some(c) = chars.next() {
            match c {
                '\\' => text.extend(chars.next()),
                c if c == open => break,
                c => text.push(c),
            }
        }
        strings.push(text);
    }
    strings.chunks_exact(2).map(|pair| (pair[0].to_lowercase(), pair[1].clone())).collect()
}

/// The capture our collector would have made of an exchange, for a stream and with a context.
fn capture(exchange: &Exchange, stream: &str, context: Json) -> Capture {
    let mut full = json!({ "system": "github.com", "repository": "github.com/acme/app", "branch": "master" });
    full.as_object_mut().unwrap().extend(context.as_object().unwrap().clone());
    Capture {
        receipt: Receipt {
            source: "github:acme/app".to_owned(),
            stream: stream.to_owned(),
            media_type: "application/json".to_owned(),
            collected_at: instant(NOW),
            collector: "github/1".to_owned(),
            request: format!("https://api.github.com{}", exchange.path),
            status: Some(exchange.status),
            server_date: None,
            page: 0,
            coverage: None,
            cursor: None,
            context: full,
            redacted: vec![],
        },
        body: exchange.body.clone().into_bytes(),
    }
}

/// Which stream asks for such a path, with what in its receipt.
fn stream_of(exchange: &Exchange) -> Option<(&'static str, Json)> {
    let path = exchange.path.split('?').next().unwrap_or("");
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let number = |text: &str| text.parse::<u64>().ok();
    match parts.as_slice() {
        ["repos", _, _] => Some(("repository", json!({}))),
        ["repos", _, _, "branches", _] => Some(("branch_protection", json!({ "part": "branch" }))),
        ["repos", _, _, "branches", _, "protection"] => Some((
            "rules",
            json!({
                "last": true, "classic": { "known": true, "body": serde_json::from_str::<Json>(&exchange.body).ok().filter(|_| exchange.status == 200) },
            }),
        )),
        ["repos", _, _, "commits", sha, "pulls"] => {
            Some(("commit_pulls", json!({ "change": sha, "committed_at": NOW })))
        }
        ["repos", _, _, "commits", sha, "check-runs"] => {
            Some(("check_runs", json!({ "pull": 1, "revision": sha })))
        }
        ["repos", _, _, "statuses", sha] => Some(("statuses", json!({ "pull": 1, "revision": sha }))),
        ["repos", _, _, "pulls"] => Some(("pulls", json!({ "list": true }))),
        ["repos", _, _, "pulls", n] => number(n).map(|n| ("pulls", json!({ "pull": n }))),
        ["repos", _, _, "pulls", n, "reviews"] => {
            number(n).map(|n| ("reviews", json!({ "pull": n, "dismissals": [] })))
        }
        // Some were recorded with nothing left of each issue but its id.
        ["repos", _, _, "issues"] => exchange.body.contains("\"number\"").then(|| ("issues", json!({}))),
        ["repos", _, _, "issues", n, "timeline"] => number(n).map(|n| ("timeline", json!({ "pull": n }))),
        ["repos", _, _, "deployments", _] => Some((
            "deployment_statuses",
            json!({ "deployment": serde_json::from_str::<Json>(&exchange.body).unwrap_or(Json::Null) }),
        )),
        ["repos", _, _, "collaborators"] => Some(("collaborators", json!({}))),
        ["repos", _, _, "actions", "runs"] => Some(("workflow_runs", json!({}))),
        ["repos", _, _, "actions", "runs", id] | ["repos", _, _, "actions", "runs", id, "attempts", _] => {
            number(id).map(|_| ("workflow_runs", json!({ "single": true })))
        }
        ["organizations", _, "team", _, "members"] | ["orgs", _, "members"] => {
            Some(("members", json!({ "organisation": "acme", "role": "member" })))
        }
        _ => None,
    }
}

#[test]
fn every_recorded_answer_is_read_without_a_problem() {
    let Some(folder) = folder() else { return };
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for exchange in exchanges(&folder) {
        let Some((stream, context)) = stream_of(&exchange).filter(|_| exchange.method == "GET") else {
            continue;
        };
        let mut derived = derive(&capture(&exchange, stream, context));
        // One of them was recorded broken, on purpose.
        if exchange.status == 200 && serde_json::from_str::<Json>(&exchange.body).is_ok() {
            assert_eq!(derived.problems, Vec::<String>::new(), "{} {}", exchange.file, exchange.path);
            *count.entry(stream).or_default() += 1;
        } else if stream != "rules" {
            derived.problems.clear();
            assert_eq!(derived, Derived::default(), "{} {}", exchange.file, exchange.path);
        }
    }
    for stream in [
        "repository",
        "branch_protection",
        "rules",
        "commit_pulls",
        "check_runs",
        "statuses",
        "pulls",
        "reviews",
        "timeline",
        "issues",
        "deployment_statuses",
        "workflow_runs",
        "collaborators",
        "members",
    ] {
        assert!(count.contains_key(stream), "{stream} does not occur: {count:?}");
    }
    for absent in ["commits", "pull_commits", "rule_suites", "audit_log", "activity"] {
        println!("skipped: no recording of {absent}");
    }
}

/// The captures of the one recording in `file` whose path contains `part`.
fn only(folder: &Path, file: &str, part: &str) -> Vec<Capture> {
    let found: Vec<Exchange> = exchanges(folder)
        .into_iter()
        .filter(|e| e.file == file && e.method == "GET" && e.path.contains(part))
        .collect();
    let exchange = found.first().unwrap_or_else(|| panic!("{file} has no `{part}`"));
    let (stream, context) = stream_of(exchange).unwrap();
    vec![capture(exchange, stream, context)]
}

/// Rows without the numbers of accounts: those are people.
fn without_people(captures: &[Capture], table: &str) -> Vec<String> {
    rows(captures, table)
        .into_iter()
        .map(|row| {
            row.split(' ')
                .filter(|word| {
                    !["author=", "approver=", "merged_by=", "deployed_by=", "repository=", "account="]
                        .iter()
                        .any(|p| word.starts_with(p))
                })
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

#[test]
fn recorded_reviews() {
    let Some(folder) = folder() else { return };
    let captures = only(&folder, "PullRequestReview.testAttributes.txt", "/reviews");
    let found = without_people(&captures, "approval");
    let approved = "#538 28482091 [system] pull_request=538 status=approved \
        revision=7a0fcb27b7cd6c346fc3f76216ccb6e0f4ca3bcc approved_at=2017-03-22T19:06:59Z dismissed_at=open";
    assert!(found.iter().any(|r| r == approved), "{found:#?}");
    // As many as the answer has, each with the state the answer gives.
    let body: Json = serde_json::from_slice(&captures[0].body).unwrap();
    for review in body.as_array().unwrap() {
        let state = review["state"].as_str().unwrap().to_lowercase();
        assert!(
            found.iter().any(|r| r.starts_with(&format!("#538 {} ", review["id"]))
                && r.contains(&format!("status={state} "))),
            "{found:?}"
        );
    }
}

#[test]
fn recorded_issues() {
    let Some(folder) = folder() else { return };
    let captures = only(&folder, "PaginatedList.testSliceIndexingUntilFourthPage.txt", "/issues");
    let found = rows(&captures, "ticket");
    // The answer's own addresses say which is which.
    let body: Json = serde_json::from_slice(&captures[0].body).unwrap();
    let is_pull = |e: &&Json| e["pull_request"]["html_url"].is_string();
    let (pulls, issues): (Vec<&Json>, Vec<&Json>) = body.as_array().unwrap().iter().partition(is_pull);
    assert!(!pulls.is_empty() && !issues.is_empty());
    assert_eq!(found.len(), issues.len());
    let oldest = "acme/app#1280 [system] label=acme/app#1280 created_at=2012-05-27T18:03:23Z closed_at=?";
    assert!(found.iter().any(|r| r == oldest), "{found:#?}");
    for pull in pulls {
        assert!(!found.iter().any(|r| r.starts_with(&format!("acme/app#{} ", pull["number"]))));
    }
}

#[test]
fn recorded_pull_requests_of_commits() {
    let Some(folder) = folder() else { return };
    let captures = only(&folder, "Commit.testGetPulls.txt", "/pulls");
    let sha = "e44d11d565c022496544dd6ed1f19a8d718c2b0c";
    assert_eq!(
        rows(&captures, "change_pull_request"),
        [format!("{sha} #1431 [system] change={sha} pull_request=1431")]
    );
    assert_eq!(rows(&captures, "bypass").len(), 0);
    // The same answer for another branch: merged there, and so pushed here.
    let mut other = captures;
    other[0].receipt.context["branch"] = json!("main");
    assert_eq!(rows(&other, "change_pull_request").len(), 0);
    assert_eq!(rows(&other, "bypass").len(), 1);
}

#[test]
fn recorded_protection() {
    let Some(folder) = folder() else { return };
    // The rules were not recorded: what classic protection settles is known, the rest is not.
    let row = |captures: &[Capture]| without_people(captures, "branch_rule").remove(0);
    let mut captures = only(&folder, "Branch.testEditProtection.txt", "/protection");
    captures[0].receipt.status = Some(404);
    assert_eq!(
        row(&captures),
        "master [system] branch=master protected=1 approvals_required=2 dismisses_stale=? binds_admins=1 \
         allows_force_push=0 checks_required=? bypass_actors=? valid_from=2026-03-01T12:00:00Z valid_to=?"
    );
    // With an empty list of rules everything is.
    captures[0].receipt.status = Some(200);
    captures[0].body = b"[]".to_vec();
    assert_eq!(
        row(&captures),
        "master [system] branch=master protected=1 approvals_required=2 dismisses_stale=0 binds_admins=1 \
         allows_force_push=0 checks_required=0 bypass_actors=0 valid_from=2026-03-01T12:00:00Z valid_to=?"
    );
}

#[test]
fn recorded_checks_and_statuses() {
    let Some(folder) = folder() else { return };
    let captures = only(&folder, "CheckRun.testGetCheckRunsForRefFilterByFilter.txt", "filter=all");
    let body: Json = serde_json::from_slice(&captures[0].body).unwrap();
    let runs = body["check_runs"].as_array().unwrap();
    let found = rows(&captures, "check_run");
    assert_eq!(found.len(), runs.len());
    for run in runs {
        let line = format!(
            "check {} [system] revision={} name={} conclusion={} completed_at={}",
            run["id"],
            run["head_sha"].as_str().unwrap(),
            run["name"].as_str().unwrap(),
            run["conclusion"].as_str().unwrap(),
            run["completed_at"].as_str().unwrap()
        );
        assert!(found.contains(&line), "{line}\n{found:#?}");
    }

    // Three statuses of one revision, the newest first; two of them only say that something was under way.
    let captures = only(&folder, "CommitStatus.setUp.txt", "/statuses/");
    let found = rows(&captures, "check_run");
    let sha = "1292bf0e22c796e91cc3d6e24b544aece8c21f2a";
    assert!(found.contains(&format!("status 277040 [system] revision={sha} name=build conclusion=success completed_at=2012-09-08T11:30:56Z")), "{found:#?}");
    assert!(
        found.contains(&format!(
            "status 277031 [system] revision={sha} name=? conclusion=pending completed_at=?"
        )),
        "{found:#?}"
    );
}

#[test]
fn recorded_lists_and_deployments() {
    let Some(folder) = folder() else { return };
    // Merged ones are read by themselves, so that a list alone gives only the others.
    let captures = only(&folder, "Repository.testGetPullsWithArguments.txt", "/pulls?state=closed");
    let body: Json = serde_json::from_slice(&captures[0].body).unwrap();
    let unmerged = body.as_array().unwrap().iter().filter(|p| p["merged_at"].is_null()).count();
    assert_eq!(rows(&captures, "pull_request").len(), unmerged);

    let open = only(&folder, "PullRequest.testConvertToDraft.txt", "/pulls/1");
    assert!(without_people(&open, "pull_request")[0].contains("label=#1 number=1 status=open"));
    assert_eq!(rows(&open, "change_pull_request").len(), 0);

    let mut captures = only(&folder, "Deployment.setUp.txt", "/deployments/");
    captures[0].body = b"[]".to_vec();
    assert_eq!(
        without_people(&captures, "deployment"),
        ["263877258 [system] label=263877258 environment=test production=0 \
          revision=743f5a58b0bce91c4eab744ff7e39dfca9e6e8a5 deployed_at=2020-08-26T11:44:53Z status=pending"]
    );
}

#[test]
fn recorded_answers_pass_the_http_kit_unharmed() {
    let Some(folder) = folder() else { return };
    let recorded: Vec<Exchange> =
        exchanges(&folder).into_iter().filter(|e| e.method == "GET" && e.status >= 200).collect();
    assert!(recorded.len() > 100, "{}", recorded.len());
    let replies: Vec<Reply> = recorded
        .iter()
        .map(|e| {
            let mut reply = Reply { headers: vec![], ..Reply::new(e.status, e.body.clone()) };
            for (name, value) in &e.headers {
                // Those of the old connection, which ours is not.
                let own = [
                    "content-length",
                    "transfer-encoding",
                    "connection",
                    "status",
                    "content-encoding",
                    "location",
                ];
                if !own.contains(&name.as_str()) {
                    reply.headers.push((name.clone(), value.clone()));
                }
            }
            reply
        })
        .collect();
    let server = Server::start(move |asked| {
        let n: usize = asked.path().trim_start_matches('/').parse().unwrap();
        replies[n].clone()
    });
    let mut broken = vec![];
    for (n, exchange) in recorded.iter().enumerate() {
        let mut http = Http::new(HttpConfig::default(), Clock::at(NOW).surroundings()).unwrap();
        match http.send(&Request::get(format!("{}/{n}", server.url()))) {
            Ok(response) if exchange.status != 204 => {
                assert_eq!(response.status, exchange.status, "{} {}", exchange.file, exchange.path);
                assert_eq!(response.body, exchange.body.as_bytes(), "{} {}", exchange.file, exchange.path);
            }
            Ok(_) => {}
            Err(HttpError::NotJson { .. } | HttpError::Unreachable { .. }) => broken.push(exchange),
            Err(error) => panic!("{} {}: {error}", exchange.file, exchange.path),
        }
    }
    // Only what is really no JSON was refused: a body that a proxy or a fault had replaced.
    assert!(!broken.is_empty());
    for exchange in broken {
        assert!(serde_json::from_str::<Json>(&exchange.body).is_err(), "{} {}", exchange.file, exchange.path);
    }
}
