//! The connector against a GitHub that refuses, fails, lies and changes while it is read.

use std::sync::{Arc, Mutex};

use collect::{Http, HttpConfig};
use connectors::github::{self, Cursors, GitHubError, STREAMS, Source};
use model::{Coverage, CoverageStatus};
use serde_json::json;

use crate::server::{Clock, Reply, Server};
use crate::support::{Ledger, NOW, TOKEN, derive, problems, rows, run, source, window};
use crate::world::{World, ann, bob, commit, dana, issue, pull, review, sha, user};

fn collect(world: &World) -> Ledger {
    let server = world.serve();
    run(&server.url(), &Cursors::new(), &Clock::at(NOW))
}

#[test]
fn a_healthy_repository_is_complete_and_its_facts_are_read() {
    let ledger = collect(&World::healthy());
    let items = |stream: &str| ledger.summary.stream(stream).unwrap().items;
    assert_eq!((items("pulls"), items("reviews"), items("commits"), items("repository")), (1, 1, 2, 1));
    for stream in STREAMS {
        assert_eq!(ledger.coverage(stream.name), "complete", "{}", stream.name);
    }
    assert_eq!(problems(&ledger.captures), Vec::<String>::new());
    let (merge, head, root) = (sha("merge7"), sha("head7"), sha("root"));
    assert_eq!(
        rows(&ledger.captures, "change"),
        [
            format!("{merge} [system] repository=127.0.0.1 revision={merge} label={merge} merged_at=2026-02-03T10:00:00Z \
                landed_after=2025-12-01T09:00:00Z authored_at=2026-02-03T10:00:00Z author=12 committer=19864447 parents=2 signed=0"),
            format!("{root} [system] repository=127.0.0.1 revision={root} label={root} merged_at=2025-12-01T09:00:00Z \
                landed_after=0001-01-01T00:00:00Z authored_at=2025-12-01T09:00:00Z author=11 committer=11 parents=0 signed=0"),
        ]
        .map(|l| l.replace("127.0.0.1", &repository(&ledger)))
    );
    assert_eq!(
        rows(&ledger.captures, "change_pull_request"),
        [format!("{merge} #7 [system] change={merge} pull_request=7")]
    );
    assert_eq!(
        rows(&ledger.captures, "approval"),
        [format!(
            "#7 81 [system] pull_request=7 approver=12 status=approved revision={head} approved_at=2026-02-03T09:00:00Z dismissed_at=open"
        )]
    );
    assert_eq!(
        rows(&ledger.captures, "check_run"),
        [format!(
            "check 501 [system] revision={head} name=build conclusion=success completed_at=2026-02-03T08:00:00Z"
        )]
    );
    assert_eq!(
        rows(&ledger.captures, "pull_request"),
        [format!(
            "7 [system] repository={} label=#7 number=7 status=merged author=11 head={head} \
            opened_at=2026-02-01T08:00:00Z merged_at=2026-02-03T10:00:00Z merged_by=12",
            repository(&ledger)
        )]
    );
    assert_eq!(
        rows(&ledger.captures, "contributor"),
        [
            "#7 author 11 - [system] pull_request=7 account=11 role=author revision=?".to_owned(),
            format!("#7 author 11 {head} [system] pull_request=7 account=11 role=author revision={head}"),
        ]
    );
    // The first commit of all came by no pull request.
    assert_eq!(rows(&ledger.captures, "bypass").len(), 1);
    assert_eq!(ledger.table("approval"), ["complete reason=?"]);
    assert_eq!(ledger.table("change"), ["complete reason=?"]);
}

fn repository(ledger: &Ledger) -> String {
    ledger.captures[0].receipt.context["repository"].as_str().unwrap().to_owned()
}

#[test]
fn the_credential_is_in_no_capture() {
    let world = World::healthy();
    // A server that echoes what it was sent, and the short-lived credential GitHub puts into a repository.
    let mut repository = world.get("/repos/acme/app");
    repository["temp_clone_token"] = json!("AAAAINVENTED");
    repository["echo"] = json!(TOKEN);
    world.set("/repos/acme/app", repository);
    let ledger = collect(&world);
    for capture in &ledger.captures {
        let document = String::from_utf8_lossy(&capture.to_document()).into_owned();
        assert!(!document.contains(TOKEN) && !document.contains("AAAAINVENTED"), "{document}");
    }
    assert_eq!(ledger.captures[0].receipt.redacted, ["credential", "temp_clone_token"]);
}

#[test]
fn a_bad_credential_is_a_gap_in_every_stream() {
    let world = World::healthy();
    world.on(|_| Some(Reply::new(401, r#"{"message":"Bad credentials"}"#)));
    let ledger = collect(&world);
    for stream in STREAMS {
        assert_eq!(
            ledger.coverage(stream.name),
            "failed: 401 Bad credentials: the token is wrong, expired or revoked; create a new one and collect again",
            "{}",
            stream.name
        );
    }
    // Nothing was closed, so that the next run goes on from nowhere.
    assert_eq!(ledger.cursors().keys().collect::<Vec<_>>(), ["repository"]);
    assert_eq!(ledger.cursors()["repository"]["stated"], json!({}));
    assert_eq!(ledger.table("change").len(), 1);
    assert!(ledger.table("change")[0].starts_with("failed"));
}

#[test]
fn a_run_that_fails_at_once_takes_nothing_away_from_what_was_seen() {
    // A token that ran out, and a repository that was deleted.
    for (status, body, word) in [
        (401, r#"{"message":"Bad credentials"}"#, "failed"),
        (404, r#"{"message":"Not Found"}"#, "not_permitted"),
    ] {
        let world = World::healthy();
        let server = world.serve();
        let clock = Clock::at(NOW);
        let first = run(&server.url(), &Cursors::new(), &clock);
        world.on(move |_| Some(Reply::new(status, body)));
        clock.forward(3600);
        let second = run(&server.url(), &first.cursors(), &clock);
        let said: Vec<String> = rows(&second.captures, "coverage")
            .into_iter()
            .filter(|row| {
                ["approval", "change", "check_run"].iter().any(|t| row.contains(&format!("relation={t} ")))
            })
            .collect();
        assert_eq!(said.len(), 3, "{said:?}");
        let since = format!("covered_from={NOW} covered_to=2026-03-01T13:00:00Z status={word} ");
        assert!(said.iter().all(|row| row.contains(&since)), "{said:#?}");
        // What the rule was is not known for a longer time than that.
        let rule = rows(&second.captures, "coverage")
            .into_iter()
            .find(|r| r.contains("relation=branch_rule "))
            .unwrap();
        assert!(rule.contains("covered_from=2026-03-01T13:00:00Z"), "{rule}");
    }
}

#[test]
fn a_refused_stream_is_a_gap_and_the_others_go_on() {
    let world = World::healthy();
    world.on(|asked| {
        let body = r#"{"message":"Resource not accessible by integration"}"#;
        asked.path().ends_with("/check-runs").then(|| Reply::new(403, body))
    });
    let ledger = collect(&world);
    assert_eq!(
        ledger.coverage("check_runs"),
        "not_permitted: 403 Resource not accessible by integration: the token needs Checks: read; \
         not read of pull request #7; not read of pushed changes (1)"
    );
    assert_eq!(ledger.coverage("reviews"), "complete");
    assert!(ledger.table("check_run")[0].starts_with("partial"), "{:?}", ledger.table("check_run"));
    assert_eq!(ledger.table("approval"), ["complete reason=?"]);
}

#[test]
fn a_right_granted_later_closes_the_gap() {
    let world = World::healthy();
    let checks = format!("/repos/acme/app/commits/{}/check-runs", sha("head7"));
    world.refuse(&checks, 403, "Resource not accessible by integration");
    let server = world.serve();
    let clock = Clock::at(NOW);
    let first = run(&server.url(), &Cursors::new(), &clock);
    world.heal();
    // Nothing new was merged in between: what is open is in the cursor.
    let second = run(&server.url(), &first.cursors(), &clock);
    assert_eq!(second.coverage("check_runs"), "complete");
    let window = second.summary.stream("check_runs").unwrap().coverage.window;
    assert_eq!(window.from, crate::support::window().from);
    assert_eq!(rows(&second.captures, "check_run").len(), 1);
    // And then it is closed for good.
    let third = run(&server.url(), &second.cursors(), &clock);
    assert_eq!(rows(&third.captures, "check_run").len(), 0);
    assert_eq!(third.coverage("check_runs"), "complete");
    assert_eq!(third.summary.stream("check_runs").unwrap().coverage.window.from, window.to);
}

#[test]
fn the_same_404_means_no_protection_or_no_right() {
    let path = "/repos/acme/app/branches/main/protection";
    let check = |protected: bool, status: u16, message: &str| {
        let world = World::healthy();
        world.set(
            "/repos/acme/app/branches/main",
            json!({ "name": "main", "protected": protected, "commit": { "sha": sha("merge7") } }),
        );
        world.refuse(path, status, message);
        let ledger = collect(&world);
        let row = rows(&ledger.captures, "branch_rule").remove(0);
        let known: Vec<&str> = row
            .split(' ')
            .filter(|w| w.starts_with("protected=") || w.starts_with("approvals_required="))
            .collect();
        format!("{} / {}", ledger.coverage("branch_protection").split(':').next().unwrap(), known.join(" "))
    };
    // Those who may know are told in words; the branch's own flag settles it for everybody.
    assert_eq!(check(true, 404, "Branch not protected"), "complete / protected=0 approvals_required=0");
    assert_eq!(check(false, 404, "Not Found"), "complete / protected=0 approvals_required=0");
    assert_eq!(
        check(false, 403, "Resource not accessible by integration"),
        "complete / protected=0 approvals_required=0"
    );
    assert_eq!(check(true, 404, "Not Found"), "partial / protected=? approvals_required=?");
    assert_eq!(
        check(true, 403, "Resource not accessible by integration"),
        "partial / protected=? approvals_required=?"
    );
    assert_eq!(
        check(true, 403, "Upgrade to GitHub Pro or make this repository public to enable this feature."),
        "partial / protected=? approvals_required=?"
    );
}

#[test]
fn the_owners_filter_refused_is_not_zero_people() {
    let world = World::healthy();
    world.on(|asked| {
        (asked.query("filter").as_deref() == Some("2fa_disabled"))
            .then(|| Reply::new(422, r#"{"message":"Only owners can use this filter."}"#))
    });
    world.set("/user/memberships/orgs/acme", json!({ "state": "active", "role": "member" }));
    let ledger = collect(&world);
    assert_eq!(
        ledger.coverage("members_without_2fa"),
        "not_permitted: 422 Only owners can use this filter.: the token needs an owner of the organisation"
    );
    assert_eq!(ledger.coverage("members"), "complete");

    // From outside only public members are shown, with a 200.
    world.set("/user/memberships/orgs/acme", json!({ "state": "pending" }));
    let ledger = collect(&world);
    assert_eq!(
        ledger.coverage("members"),
        "partial: the token's account does not belong to the organisation, so concealed members are not shown"
    );
}

#[test]
fn a_filter_that_names_everybody_was_ignored() {
    let world = World::healthy();
    world.set("/orgs/acme/members?filter=2fa_disabled", json!([ann(), bob(), dana()]));
    assert_eq!(
        collect(&world).coverage("members_without_2fa"),
        "partial: the list names every member; the server seems to ignore the filter"
    );
}

#[test]
fn an_empty_answer_is_not_believed_where_it_cannot_be() {
    let world = World::healthy();
    world.set("/orgs/acme/members", json!([]));
    world.set("/repos/acme/app/collaborators", json!([]));
    world.set("/repos/acme/app/pulls", json!([]));
    let ledger = collect(&world);
    assert!(ledger.coverage("members").starts_with("partial: the list names no owner"));
    assert_eq!(ledger.coverage("collaborators"), "partial: the list is empty, which cannot be");
    // The commits know better than the list of pull requests.
    assert_eq!(
        ledger.coverage("pulls"),
        "partial: a change came from pull request 7, which the list does not name"
    );
    assert_eq!(rows(&ledger.captures, "approval").len(), 1);
}

#[test]
fn a_count_that_is_not_reached_is_a_gap() {
    let world = World::healthy();
    world.set(
        &format!("/repos/acme/app/commits/{}/check-runs", sha("head7")),
        json!({ "total_count": 3, "check_runs": [] }),
    );
    assert_eq!(
        collect(&world).coverage("check_runs"),
        "partial: the source counts 3 items and gave 0; not read of pull request #7"
    );
}

#[test]
fn a_credential_that_expires_midway_keeps_what_there_is_and_the_next_run_goes_on() {
    let world = World::healthy();
    for number in 8..=12 {
        let at = format!("2026-02-{number:02}T10:00:00Z");
        world.add_pull(pull(number, &ann(), Some(&at), &at), &bob());
        world.set(
            &format!("/repos/acme/app/pulls/{number}/reviews"),
            json!([review(80 + number, &bob(), "APPROVED", &format!("head{number}"), &at)]),
        );
    }
    world.on(|asked| {
        (asked.path() == "/repos/acme/app/pulls/10/commits")
            .then(|| Reply::new(401, r#"{"message":"Bad credentials"}"#))
    });
    let server = world.serve();
    let clock = Clock::at(NOW);
    let first = run(&server.url(), &Cursors::new(), &clock);
    assert_eq!(first.coverage("reviews").split(':').next(), Some("partial"));
    assert!(
        first.coverage("reviews").contains("not read of pull request #10, #11, #12"),
        "{}",
        first.coverage("reviews")
    );
    assert!(first.coverage("deployments").starts_with("failed: 401"));
    assert!(first.table("approval")[0].starts_with("partial"));

    world.heal();
    let asked_before = server.targets().len();
    let second = run(&server.url(), &first.cursors(), &clock);
    let again = server.targets()[asked_before..]
        .iter()
        .filter(|t| t.contains("/pulls/8/") || t.contains("/pulls/7/"))
        .count();
    assert_eq!(again, 0, "what was read is not read again");
    let mut captures = first.captures.clone();
    captures.extend(second.captures.clone());
    assert_eq!(rows(&captures, "approval").len(), 6, "no loss, no double");
    assert_eq!(second.coverage("reviews"), "complete");
    assert_eq!(second.table("approval"), ["complete reason=?"]);
}

#[test]
fn a_pull_request_that_keeps_failing_is_named_and_holds_up_no_other() {
    let world = World::healthy();
    world.add_pull(pull(8, &ann(), Some("2026-02-08T10:00:00Z"), "2026-02-08T10:00:00Z"), &bob());
    world.on(|asked| {
        (asked.path() == "/repos/acme/app/pulls/7/reviews").then(|| Reply::new(502, "<html>oops"))
    });
    let server = world.serve();
    let clock = Clock::at(NOW);
    let first = run(&server.url(), &Cursors::new(), &clock);
    assert_eq!(first.coverage("reviews"), "partial: 502 no message; not read of pull request #7");
    assert_eq!(first.coverage("check_runs"), "complete");
    assert_eq!(first.cursors()["reviews"]["pending"], json!([7]));
    assert_eq!(first.cursors()["reviews"]["from"], json!(window().from));
    world.heal();
    let second = run(&server.url(), &first.cursors(), &clock);
    assert_eq!(second.coverage("reviews"), "complete");
    assert_eq!(rows(&second.captures, "approval").len(), 1);
}

#[test]
fn a_body_cut_short_or_a_proxys_page_is_a_gap_and_no_empty_list() {
    for reply in [
        Reply { cut: Some(1), ..Reply::new(200, "[]") },
        Reply::new(200, "<html>Sign in to the proxy</html>").header("content-type", "text/html"),
        Reply::new(200, r#"{"message":"not what you expect"}"#),
    ] {
        let world = World::healthy();
        world.on(move |asked| (asked.path() == "/repos/acme/app/pulls/7/reviews").then(|| reply.clone()));
        let ledger = collect(&world);
        assert!(
            ledger.coverage("reviews").contains("not read of pull request #7"),
            "{}",
            ledger.coverage("reviews")
        );
        assert_eq!(ledger.coverage("check_runs"), "complete");
    }
}

#[test]
fn a_server_that_is_down_ends_the_run_soon() {
    let world = World::healthy();
    world.on(|asked| {
        asked
            .path()
            .starts_with("/repos/acme/app/pulls/")
            .then(|| Reply { cut: Some(0), ..Reply::new(200, "[1]") })
    });
    for number in 8..=30 {
        world.add_pull(pull(number, &ann(), Some("2026-02-08T10:00:00Z"), "2026-02-08T10:00:00Z"), &bob());
    }
    let server = world.serve();
    let ledger = run(&server.url(), &Cursors::new(), &Clock::at(NOW));
    assert_eq!(server.targets().iter().filter(|t| t.contains("/pulls/")).count(), 3 * 5);
    assert!(ledger.coverage("reviews").starts_with("failed"), "{}", ledger.coverage("reviews"));
    assert_eq!(ledger.cursors()["pulls"]["pending"].as_array().unwrap().len(), 24);
}

#[test]
fn a_server_that_answers_nothing_but_faults_ends_the_run_soon() {
    let world = World::healthy();
    for number in 8..=30 {
        world.add_pull(pull(number, &ann(), Some("2026-02-08T10:00:00Z"), "2026-02-08T10:00:00Z"), &bob());
    }
    world.on(|asked| asked.path().starts_with("/repos/acme/app/pulls/").then(|| Reply::new(500, "{}")));
    let server = world.serve();
    let ledger = run(&server.url(), &Cursors::new(), &Clock::at(NOW));
    assert_eq!(server.targets().iter().filter(|t| t.contains("/pulls/")).count(), 3 * 5);
    assert!(ledger.coverage("reviews").starts_with("failed: GitHub answers 500 again and again"));
}

#[test]
fn pages_that_shift_lose_nothing() {
    let world = World::healthy();
    for number in 8..=140 {
        let at = format!("2026-02-08T10:{:02}:{:02}Z", number / 60, number % 60);
        // Open ones need no further look, so that only the list counts.
        world.add_pull(pull(number, &ann(), None, &at), &bob());
    }
    // While page 2 is asked for, somebody comments on number 8 (it moves to the top) and a new one is merged.
    let inner = world.clone();
    let mut moved = false;
    world.on(move |asked| {
        if asked.path() == "/repos/acme/app/pulls" && asked.query("page").is_some() && !moved {
            moved = true;
            inner.add_pull(pull(8, &ann(), None, "2026-03-01T11:59:00Z"), &bob());
            inner.add_pull(pull(141, &ann(), Some("2026-03-01T11:59:30Z"), "2026-03-01T11:59:30Z"), &bob());
        }
        None
    });
    let ledger = collect(&world);
    assert_eq!(ledger.coverage("pulls"), "complete");
    assert_eq!(rows(&ledger.captures, "pull_request").len(), 135);
}

/// Issues 11 to 310 by the second in which each was changed last.
fn many_issues(world: &World, second: impl Fn(u64) -> u64) {
    for number in 11..=310 {
        let s = second(number);
        world.add_issue(issue(
            number,
            "2026-01-05T08:00:00Z",
            &format!("2026-01-10T{:02}:{:02}:{:02}Z", s / 3600, s / 60 % 60, s % 60),
        ));
    }
}

#[test]
fn issues_that_move_or_go_away_while_they_are_read_hide_no_others() {
    let world = World::healthy();
    many_issues(&world, |n| n * 10);
    let changing = world.clone();
    let mut asked_for = 0;
    world.on(move |asked| {
        if asked.path() == "/repos/acme/app/issues" {
            asked_for += 1;
            let path = "/repos/acme/app/issues";
            let mut list = changing.get(path).as_array().unwrap().clone();
            if asked_for == 2 {
                // One that was read is deleted, three others get a comment.
                list.retain(|i| i["number"] != 20);
                changing.set(path, json!(list));
                for number in [21, 22, 23] {
                    changing.add_issue(issue(number, "2026-01-05T08:00:00Z", "2026-03-01T11:59:00Z"));
                }
            }
        }
        None
    });
    let ledger = collect(&world);
    let found = rows(&ledger.captures, "ticket");
    assert_eq!(found.len(), 301, "300 and number 3");
    assert_eq!(ledger.summary.stream("issues").unwrap().items, 301);
    assert_eq!(ledger.coverage("issues"), "complete");
}

#[test]
fn issues_of_one_second_and_issues_out_of_order_are_all_read() {
    let world = World::healthy();
    many_issues(&world, |_| 7);
    assert_eq!(rows(&collect(&world).captures, "ticket").len(), 301);

    // A server that keeps an order of its own.
    let world = World::healthy();
    many_issues(&world, |n| n * 10);
    let mut list = world.get("/repos/acme/app/issues").as_array().unwrap().clone();
    list.reverse();
    world.set("/repos/acme/app/issues", json!(list));
    assert_eq!(rows(&collect(&world).captures, "ticket").len(), 301);
}

#[test]
fn the_next_look_at_issues_takes_what_changed() {
    let world = World::healthy();
    let server = world.serve();
    let clock = Clock::at(NOW);
    let first = run(&server.url(), &Cursors::new(), &clock);
    // Changed in the very minute of the first look, and not on the list then.
    world.add_issue(issue(12, "2026-03-01T11:59:30Z", "2026-03-01T11:59:30Z"));
    clock.forward(3600);
    let second = run(&server.url(), &first.cursors(), &clock);
    let asked = server.targets().into_iter().rfind(|t| t.contains("/issues?")).unwrap();
    assert!(asked.ends_with("&since=2026-03-01T11:50:00Z"), "{asked}");
    assert_eq!(rows(&second.captures, "ticket").len(), 1);
    assert_eq!(second.coverage("issues"), "complete");
}

#[test]
fn tickets_that_cannot_be_read_are_no_missing_tickets() {
    let check = |break_it: &dyn Fn(&World), stream: &str, table: &str| {
        let world = World::healthy();
        let server = world.serve();
        let clock = Clock::at(NOW);
        break_it(&world);
        let first = run(&server.url(), &Cursors::new(), &clock);
        assert_eq!(first.coverage("issues"), stream);
        assert_eq!(first.table("ticket").len(), 1);
        assert!(first.table("ticket")[0].starts_with(table), "{:?}", first.table("ticket"));
        // Once they can be read, all of them are, and for the window that was missed.
        world.heal();
        world.set("/repos/acme/app", World::healthy().get("/repos/acme/app"));
        world.set("/repos/acme/app/issues", World::healthy().get("/repos/acme/app/issues"));
        let second = run(&server.url(), &first.cursors(), &clock);
        assert_eq!(second.coverage("issues"), "complete");
        assert_eq!(rows(&second.captures, "ticket").len(), 1);
        assert_eq!(second.summary.stream("issues").unwrap().coverage.window.from, window().from);
    };
    let path = "/repos/acme/app/issues";
    check(
        &|world| world.refuse(path, 410, "Issues are disabled for this repo"),
        "not_licensed: 410 Issues are disabled for this repo",
        "not_licensed",
    );
    check(
        &|world| world.refuse(path, 404, "Not Found"),
        "not_permitted: 404 Not Found: it does not exist, or the token may not see it (it needs Issues: read)",
        "not_permitted",
    );
    check(
        &|world| world.refuse(path, 403, "Resource not accessible by personal access token"),
        "not_permitted: 403 Resource not accessible by personal access token: the token needs Issues: read",
        "not_permitted",
    );
    // Switched off, and the list of pull requests still answers.
    check(
        &|world| {
            let mut repository = world.get("/repos/acme/app");
            repository["has_issues"] = json!(false);
            world.set("/repos/acme/app", repository);
        },
        "not_licensed: issues are switched off in this repository",
        "not_licensed",
    );
    // A token that is shown pull requests alone.
    check(
        &|world| {
            let mut repository = world.get("/repos/acme/app");
            repository["open_issues_count"] = json!(1);
            world.set("/repos/acme/app", repository);
            let mut list = world.get(path).as_array().unwrap().clone();
            list.retain(|i| i["pull_request"].is_object());
            world.set(path, json!(list));
        },
        "partial: the list names no issue, and the repository counts 1 open entries where 0 are shown",
        "partial",
    );
    check(
        &|world| world.set(path, json!({ "message": "x" })),
        "partial: the answer is no list; the API may have changed",
        "partial",
    );
}

#[test]
fn a_member_who_leaves_while_the_list_is_read_hides_nobody() {
    let world = World::healthy();
    let everybody: Vec<_> = (100..=350).map(|id| user(id, &format!("p{id}"))).collect();
    world.set("/orgs/acme/members?role=member", json!(everybody));
    let inner = world.clone();
    let left = Arc::new(Mutex::new(0));
    world.on(move |asked| {
        let mut left = left.lock().unwrap();
        if asked.query("role").as_deref() == Some("member")
            && asked.query("page").as_deref() == Some("2")
            && *left == 0
        {
            *left += 1;
            // The first on the list leaves: number 200 moves from page 2 to page 1, which has been read.
            inner.set("/orgs/acme/members?role=member", json!(everybody[1..]));
        }
        None
    });
    let ledger = collect(&world);
    assert_eq!(ledger.coverage("members"), "complete");
    assert!(rows(&ledger.captures, "membership").iter().any(|r| r.contains("account=200 ")));
}

#[test]
fn a_list_that_never_rests_is_a_gap() {
    let world = World::healthy();
    let mut n = 1000;
    world.on(move |asked| {
        (asked.query("role").as_deref() == Some("member")).then(|| {
            n += 1;
            let page: Vec<_> = (n..n + 101).map(|id| user(id, "x")).collect();
            crate::world::paged(asked, &json!(page))
        })
    });
    assert_eq!(collect(&world).coverage("members"), "partial: the list kept changing while it was read");
}

#[test]
fn pages_that_lead_in_circles_end() {
    for path in [
        "/orgs/acme/members",
        "/repos/acme/app/pulls",
        "/repos/acme/app/commits",
        "/repos/acme/app/rules/branches/main",
    ] {
        let world = World::healthy();
        let base = world.get(path);
        world.on(move |asked| {
            (asked.path() == path).then(|| {
                let here = format!("<http://{}{}>; rel=\"next\"", asked.headers["host"], asked.target);
                Reply::new(200, if path.ends_with("commits") { "[]".to_owned() } else { base.to_string() })
                    .header("link", &here)
            })
        });
        let ledger = collect(&world);
        let stream = match path.rsplit('/').next().unwrap() {
            "main" => "rules",
            other => other,
        };
        assert!(ledger.coverage(stream).contains("lead in circles"), "{path}: {}", ledger.coverage(stream));
    }
}

#[test]
fn a_next_page_on_another_host_is_not_asked() {
    let other = Server::start(|_| Reply::new(200, "[]"));
    let link = format!("<{}/more>; rel=\"next\"", other.url());
    let world = World::healthy();
    world.on(move |asked| {
        (asked.path() == "/repos/acme/app/deployments").then(|| Reply::new(200, "[]").header("link", &link))
    });
    let ledger = collect(&world);
    assert!(
        ledger.coverage("deployments").contains("not at the API's own host"),
        "{}",
        ledger.coverage("deployments")
    );
    assert!(other.targets().is_empty());
}

#[test]
fn words_nobody_knew_cost_no_page() {
    let world = World::healthy();
    let (head, path) = (sha("head7"), "/repos/acme/app");
    world.set(&format!("{path}/commits/{head}/check-runs"), json!({ "total_count": 3, "check_runs": [
        { "id": 1, "name": "a", "head_sha": head, "status": "completed", "conclusion": "exploded", "completed_at": "2026-02-03T08:00:00Z" },
        { "id": 2, "name": "b", "head_sha": head, "status": "dreaming", "conclusion": null },
        { "id": 3, "name": "c", "head_sha": head, "status": "completed", "conclusion": null, "completed_at": null },
    ]}));
    world.set(
        &format!("{path}/commits/{head}/statuses"),
        json!([{ "id": 4, "context": "d", "state": "blue", "created_at": "2026-02-03T08:00:00Z" }]),
    );
    world.set(
        &format!("{path}/pulls/7/reviews"),
        json!([
            review(81, &bob(), "APPLAUDED", "head7", "2026-02-03T09:00:00Z"),
            { "id": 82, "user": null, "state": "approved", "commit_id": null, "submitted_at": null },
            review(83, &bob(), "PENDING", "head7", "2026-02-03T09:00:00Z"),
        ]),
    );
    world.set(&format!("{path}/issues/7/timeline"), json!([{ "event": "teleported" }, { "event": "head_ref_force_pushed", "id": 9, "actor": null, "commit_id": null }]));
    let ledger = collect(&world);
    assert_eq!(
        rows(&ledger.captures, "check_run"),
        [
            format!(
                "check 1 [system] revision={head} name=a conclusion=unknown completed_at=2026-02-03T08:00:00Z"
            ),
            format!("check 2 [system] revision={head} name=b conclusion=pending completed_at=?"),
            format!("check 3 [system] revision={head} name=c conclusion=unknown completed_at=?"),
            format!(
                "status 4 [system] revision={head} name=d conclusion=unknown completed_at=2026-02-03T08:00:00Z"
            ),
        ]
    );
    // An approval by a deleted account is one by nobody known.
    assert_eq!(
        rows(&ledger.captures, "approval"),
        [
            "#7 82 [system] pull_request=7 approver=? status=approved revision=? approved_at=? dismissed_at=open"
        ]
    );
    assert_eq!(problems(&ledger.captures), ["review 81 of pull request 7 has the state `APPLAUDED`"]);
    assert!(
        rows(&ledger.captures, "contributor")
            .iter()
            .any(|r| r.contains("role=pusher") && r.contains("account=?"))
    );
}

#[test]
fn an_unchanged_list_is_asked_for_once_and_stays_complete() {
    let world = World::healthy();
    let server = world.serve();
    let clock = Clock::at(NOW);
    let first = run(&server.url(), &Cursors::new(), &clock);
    let before = server.targets().len();
    let second = run(&server.url(), &first.cursors(), &clock);
    assert!(second.captures.iter().any(|c| c.receipt.stream == "pulls" && c.receipt.status == Some(304)));
    assert!(!server.targets()[before..].iter().any(|t| t.contains("/pulls/7")), "nothing has changed");
    assert_eq!(second.coverage("pulls"), "complete");
    assert_eq!(rows(&second.captures, "pull_request").len(), 0);
    // No row of the first run is taken back.
    let mut captures = first.captures.clone();
    let rows_before = rows(&captures, "approval");
    captures.extend(second.captures);
    assert_eq!(rows(&captures, "approval"), rows_before);
}

#[test]
fn the_next_run_takes_only_what_is_new() {
    let world = World::healthy();
    let server = world.serve();
    let clock = Clock::at(NOW);
    let first = run(&server.url(), &Cursors::new(), &clock);
    world.add_pull(pull(8, &bob(), Some("2026-03-01T12:30:00Z"), "2026-03-01T12:30:00Z"), &dana());
    let mut commits = world.get("/repos/acme/app/commits");
    commits
        .as_array_mut()
        .unwrap()
        .insert(0, commit("merge8", &["merge7", "head8"], "2026-03-01T12:30:00Z", &dana(), false));
    world.set("/repos/acme/app/commits", commits);
    clock.forward(3600);
    let second = run(&server.url(), &first.cursors(), &clock);
    let changes = rows(&second.captures, "change");
    assert_eq!(changes.len(), 1);
    assert!(changes[0].contains("landed_after=2026-02-03T10:00:00Z"), "{changes:?}");
    assert_eq!(second.coverage("commits"), "complete");
    assert_eq!(rows(&second.captures, "pull_request").len(), 1);
}

#[test]
fn whoever_asks_for_an_earlier_beginning_gets_it() {
    let world = World::healthy();
    let server = world.serve();
    let clock = Clock::at(NOW);
    let mut http = Http::new(HttpConfig::default(), clock.surroundings()).unwrap();
    let mut look = |from: &str, cursors: &Cursors| {
        let window = model::Window { from: from.parse().unwrap(), to: model::Instant::FOREVER };
        let mut captures = vec![];
        let summary = github::collect(&source(&server.url()), cursors, window, &mut http, &mut |capture| {
            captures.push(capture);
            Ok(())
        });
        Ledger { captures, summary: summary.unwrap() }
    };
    // Merged on 3 February: outside of the first window.
    let first = look("2026-02-20T00:00:00Z", &Cursors::new());
    assert_eq!(rows(&first.captures, "approval").len(), 0);
    let second = look("2026-01-01T00:00:00Z", &first.cursors());
    assert_eq!(rows(&second.captures, "approval").len(), 1);
    assert_eq!(
        second.summary.stream("reviews").unwrap().coverage.window.from.to_string(),
        "2026-01-01T00:00:00Z"
    );
    // A later beginning forgets nothing.
    let third = look("2026-02-20T00:00:00Z", &second.cursors());
    assert_eq!(third.cursors()["reviews"]["begin"], json!("2026-01-01T00:00:00Z"));
}

#[test]
fn a_rewritten_history_is_a_gap_and_is_walked_anew() {
    let world = World::healthy();
    let server = world.serve();
    let clock = Clock::at(NOW);
    let first = run(&server.url(), &Cursors::new(), &clock);
    world.set(
        "/repos/acme/app/commits",
        json!([
            commit("other", &["root"], "2026-02-20T10:00:00Z", &dana(), true),
            commit("root", &[], "2025-12-01T09:00:00Z", &ann(), true),
        ]),
    );
    world.add_pushed("other");
    world.set("/repos/acme/app/activity", json!([{
        "id": 31, "ref": "refs/heads/main", "activity_type": "force_push", "timestamp": "2026-02-20T10:01:00Z",
        "after": sha("other"), "before": sha("merge7"), "actor": dana(),
    }]));
    let second = run(&server.url(), &first.cursors(), &clock);
    assert_eq!(
        second.coverage("commits"),
        format!(
            "partial: the history of main was rewritten: {} was its tip at the last look and is no longer part of it",
            sha("merge7")
        )
    );
    assert_eq!(rows(&second.captures, "change").len(), 2);
    let bypasses = rows(&second.captures, "bypass");
    assert!(
        bypasses
            .iter()
            .any(|b| b.contains("kind=force_push bypassed_at=2026-02-20T10:01:00Z bypassed_by=14")),
        "{bypasses:?}"
    );
}

#[test]
fn a_list_that_ends_before_the_history_does_is_a_gap() {
    let world = World::healthy();
    world.set(
        "/repos/acme/app/commits",
        json!([commit("merge7", &["lost", "head7"], "2026-02-03T10:00:00Z", &bob(), false),]),
    );
    let ledger = collect(&world);
    assert_eq!(ledger.coverage("commits"), format!("partial: the list ends before commit {}", sha("lost")));
    // The cursor stays where it was: nothing is skipped next time.
    assert_eq!(ledger.cursors().get("commits"), None);
}

#[test]
fn an_empty_repository_is_complete_and_empty() {
    let world = World::healthy();
    world.refuse("/repos/acme/app/commits", 409, "Git Repository is empty.");
    world.set("/repos/acme/app/pulls", json!([]));
    let ledger = collect(&world);
    assert_eq!(ledger.coverage("commits"), "complete");
    assert_eq!(rows(&ledger.captures, "change").len(), 0);
}

#[test]
fn a_renamed_repository_keeps_its_key() {
    let world = World::healthy();
    let mut renamed = world.get("/repos/acme/app");
    renamed["full_name"] = json!("acme/application");
    world.set("/repositories/4711", renamed);
    world.on(|asked| {
        (asked.path() == "/repos/acme/app")
            .then(|| Reply::new(301, "{}").header("location", "/repositories/4711"))
    });
    let ledger = collect(&world);
    assert!(ledger.captures[0].receipt.request.ends_with("/repositories/4711"));
    assert!(
        ledger.captures[0].receipt.context["redirected_from"].as_str().unwrap().ends_with("/repos/acme/app")
    );
    assert!(repository(&ledger).ends_with("/acme/app"));
}

#[test]
fn a_repository_that_is_gone_is_no_empty_population() {
    let world = World::healthy();
    world.refuse("/repos/acme/app", 404, "Not Found");
    let ledger = collect(&world);
    assert!(ledger.coverage("repository").starts_with("not_permitted: 404"));
    assert!(ledger.coverage("commits").starts_with("not_permitted: the repository itself could not be read"));
    assert!(ledger.table("change")[0].starts_with("not_permitted"));
}

#[test]
fn a_full_ledger_ends_the_run_and_the_next_starts_where_it_was() {
    let world = World::healthy();
    let server = world.serve();
    let mut taken = vec![];
    let mut http = Http::new(HttpConfig::default(), Clock::at(NOW).surroundings()).unwrap();
    let error =
        github::collect(&source(&server.url()), &Cursors::new(), window(), &mut http, &mut |capture| {
            if taken.len() == 12 {
                return Err("no space left".into());
            }
            taken.push(capture);
            Ok(())
        })
        .unwrap_err();
    assert!(matches!(error, GitHubError::Sink(_)));
    let left = Ledger { captures: taken, ..Ledger::default() };
    let next = run(&server.url(), &left.cursors(), &Clock::at(NOW));
    let mut captures = left.captures;
    captures.extend(next.captures);
    assert_eq!(rows(&captures, "approval").len(), 1);
    assert_eq!(rows(&captures, "change").len(), 2);
}

#[test]
fn a_run_killed_before_its_last_statement_is_spoken_for_by_the_next() {
    // With more commits than GitHub lists, so that there is something nobody will ever see.
    let world = World::healthy();
    let mut detail = world.get("/repos/acme/app/pulls/7");
    detail["commits"] = json!(400);
    world.set("/repos/acme/app/pulls/7", detail);
    let server = world.serve();
    let clock = Clock::at(NOW);
    let mut http = Http::new(HttpConfig::default(), clock.surroundings()).unwrap();
    let mut taken = vec![];
    github::collect(&source(&server.url()), &Cursors::new(), window(), &mut http, &mut |capture| {
        if capture.receipt.stream == "repository" && capture.receipt.coverage.is_some() {
            return Err("killed".into());
        }
        taken.push(capture);
        Ok(())
    })
    .unwrap_err();
    let killed = Ledger { captures: taken, ..Ledger::default() };
    let asked = server.targets().len();
    let next = run(&server.url(), &killed.cursors(), &clock);
    assert!(
        !server.targets()[asked..].iter().any(|t| t.contains("/pulls/7/reviews")),
        "what was read stays read"
    );
    let from = |stream: &str| next.summary.stream(stream).unwrap().coverage.window.from;
    assert_eq!((from("reviews"), from("commits")), (window().from, window().from));
    assert_eq!(next.table("approval"), ["complete reason=?"]);
    assert!(next.table("contributor")[0].starts_with("partial"), "{:?}", next.table("contributor"));
    // Once it is said, it is not said again.
    let last = run(&server.url(), &next.cursors(), &clock);
    assert_eq!(last.table("contributor"), ["complete reason=?"]);
    assert_eq!(last.summary.stream("reviews").unwrap().coverage.window.from.to_string(), NOW);
}

#[test]
fn what_the_source_no_longer_keeps_is_said() {
    let world = World::healthy();
    let ledger = collect(&world);
    let said: Vec<&Coverage> = ledger
        .captures
        .iter()
        .filter(|c| c.receipt.stream == "rule_suites")
        .filter_map(|c| c.receipt.coverage.as_ref())
        .collect();
    assert_eq!(said[0].status, CoverageStatus::Expired);
    assert_eq!(said[0].window.to.to_string(), "2026-02-01T12:00:00Z");
    assert_eq!((said[1].status, said[1].window.from), (CoverageStatus::Complete, said[0].window.to));
    assert_eq!(
        ledger.table("bypass"),
        ["expired reason=GitHub can be asked only 28 days back", "complete reason=?"]
    );
}

#[test]
fn clocks_that_disagree_claim_nothing_of_the_future() {
    // Ours runs a day ahead of GitHub's.
    let world = World::healthy();
    let server = world.serve();
    let ledger = run(&server.url(), &Cursors::new(), &Clock::at("2026-03-02T12:00:00Z"));
    let window = ledger.summary.stream("pulls").unwrap().coverage.window;
    assert_eq!(window.to.to_string(), NOW);
}

#[test]
fn the_same_answers_give_the_same_captures() {
    let world = World::healthy();
    let server = world.serve();
    let documents =
        |ledger: &Ledger| ledger.captures.iter().map(model::Capture::to_document).collect::<Vec<_>>();
    let a = run(&server.url(), &Cursors::new(), &Clock::at(NOW));
    let b = run(&server.url(), &Cursors::new(), &Clock::at(NOW));
    assert_eq!(documents(&a), documents(&b));
    assert_eq!(
        a.captures.iter().map(derive).collect::<Vec<_>>(),
        b.captures.iter().map(derive).collect::<Vec<_>>()
    );
}

#[test]
fn a_probe_says_what_is_missing_and_how_to_mend_it() {
    let world = World::healthy();
    world.refuse("/repos/acme/app/deployments", 403, "Resource not accessible by integration");
    world.refuse("/repos/acme/app/branches/main/protection", 404, "Branch not protected");
    let server = world.serve();
    let mut http = Http::new(HttpConfig::default(), Clock::at(NOW).surroundings()).unwrap();
    let checks = github::probe(&source(&server.url()), &mut http).unwrap();
    assert_eq!(checks.len(), STREAMS.len());
    let of = |name: &str| checks.iter().find(|c| c.stream == name).unwrap();
    assert_eq!(of("deployments").status, CoverageStatus::NotPermitted);
    assert_eq!(of("deployments").fix, "give the token: Deployments: read");
    assert_eq!(of("branch_protection").status, CoverageStatus::Complete);
    assert_eq!(of("deployment_statuses").reason, "there is nothing yet to try it on");
    assert_eq!(of("reviews").status, CoverageStatus::Complete);
    assert_eq!(of("issues").status, CoverageStatus::Complete);

    let mut repository = world.get("/repos/acme/app");
    repository["has_issues"] = json!(false);
    world.set("/repos/acme/app", repository);
    let checks = github::probe(&source(&server.url()), &mut http).unwrap();
    let issues = checks.iter().find(|c| c.stream == "issues").unwrap();
    assert_eq!(issues.status, CoverageStatus::NotLicensed);
    assert_eq!(issues.reason, "issues are switched off in this repository");

    world.on(|_| Some(Reply::new(401, r#"{"message":"Bad credentials"}"#)));
    let checks = github::probe(&source(&server.url()), &mut http).unwrap();
    assert!(checks.iter().all(|c| c.status == CoverageStatus::Failed && c.reason.contains("401")));
    assert_eq!(checks.len(), STREAMS.len());
}

#[test]
fn one_open_pull_request_can_be_looked_at() {
    let world = World::healthy();
    world.add_pull(pull(9, &ann(), None, "2026-03-01T10:00:00Z"), &bob());
    world.set(
        "/repos/acme/app/pulls/9/reviews",
        json!([review(91, &bob(), "APPROVED", "head9", "2026-03-01T10:00:00Z")]),
    );
    let server = world.serve();
    let mut http = Http::new(HttpConfig::default(), Clock::at(NOW).surroundings()).unwrap();
    let mut captures = vec![];
    let summary = github::pull(&source(&server.url()), 9, &mut http, &mut |c| {
        captures.push(c);
        Ok(())
    })
    .unwrap();
    assert!(summary.streams.iter().all(|s| s.coverage.status == CoverageStatus::Complete), "{summary:?}");
    assert!(rows(&captures, "pull_request")[0].contains("status=open"));
    assert_eq!(rows(&captures, "approval").len(), 1);
    assert_eq!(rows(&captures, "branch_rule").len(), 1);
    // An open one has landed nowhere, whatever trial merge GitHub made of it.
    assert_eq!(rows(&captures, "change_pull_request").len(), 0);

    let error = github::pull(&source(&server.url()), 99, &mut http, &mut |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("pull request 99 could not be read"), "{error}");
}

#[test]
fn a_status_is_posted_and_a_refusal_says_why() {
    let server = Server::start(|asked| {
        if asked.path().contains("good") {
            Reply::new(201, "{}")
        } else {
            Reply::new(403, r#"{"message":"Resource not accessible"}"#)
        }
    });
    let mut http = Http::new(HttpConfig::default(), Clock::at(NOW).surroundings()).unwrap();
    let source: Source = source(&server.url());
    let long = "x".repeat(200);
    github::post_status(&source, "good", github::StatusState::Failure, "tickmark", &long, None, &mut http)
        .unwrap();
    let body: serde_json::Value = serde_json::from_slice(&server.log.lock().unwrap()[0].body).unwrap();
    assert_eq!(
        (body["state"].as_str(), body["description"].as_str().unwrap().chars().count()),
        (Some("failure"), 140)
    );
    let error =
        github::post_status(&source, "bad", github::StatusState::Success, "tickmark", "", None, &mut http)
            .unwrap_err();
    assert!(error.to_string().contains("the token needs `Commit statuses: write`"), "{error}");
}

#[test]
fn a_personal_repository_has_no_members_and_says_so() {
    let world = World::healthy();
    let mut repository = world.get("/repos/acme/app");
    repository["owner"]["type"] = json!("User");
    world.set("/repos/acme/app", repository);
    let ledger = collect(&world);
    assert!(
        ledger.coverage("members").starts_with("not_licensed: the repository belongs to a personal account")
    );
}
