//! The real connector against a stateful server that somebody else wrote: `emulate` from npm, driven through its API
//! like a team drives GitHub. It knows only a part of GitHub; the rest must end as gaps and never as a clean sheet.

use collect::{Http, HttpConfig, Secret};
use connectors::github::{self, Cursors, Source};
use model::{CoverageStatus, Instant, Window};
use serde_json::{Value as Json, json};

use crate::emulated::Emulate;
use crate::server::Clock;
use crate::support::{Ledger, instant, problems, rows};

fn look(url: &str, cursors: &Cursors) -> Ledger {
    let source = Source { api_url: url.to_owned(), ..Source::new("acme", "app", Secret::new("tok_dana")) };
    // Our clock is far ahead, so that only the server's own can be right.
    let mut http =
        Http::new(HttpConfig::default(), Clock::at("2090-01-01T00:00:00Z").surroundings()).unwrap();
    let window = Window { from: instant("2020-01-01T00:00:00Z"), to: Instant::FOREVER };
    let mut captures = vec![];
    let summary = github::collect(&source, cursors, window, &mut http, &mut |capture| {
        captures.push(capture);
        Ok(())
    })
    .unwrap();
    Ledger { captures, summary }
}

#[test]
fn a_team_at_work_is_seen_as_it_worked() {
    let Some(emulate) = Emulate::start("") else { return };
    let url = emulate.url.as_str();
    let [dana, ann, bob] = ["tok_dana", "tok_ann", "tok_bob"].map(|token| emulate.person(token));
    for login in ["ann", "bob"] {
        dana.does("PUT", &format!("/repos/acme/app/collaborators/{login}"), &json!({ "permission": "push" }));
    }
    let id = |login: &str| dana.does("GET", &format!("/users/{login}"), &Json::Null)["id"].to_string();
    let (ann_id, bob_id, dana_id) = (id("ann"), id("bob"), id("dana"));
    dana.does("PUT", "/repos/acme/app/branches/main/protection", &json!({
        "required_status_checks": { "strict": false, "contexts": ["build"] },
        "enforce_admins": false,
        "required_pull_request_reviews": { "required_approving_review_count": 1, "dismiss_stale_reviews": false },
        "restrictions": null,
    }));

    // As it should be: ann proposes, the branch resists, bob approves, the build passes, bob merges.
    ann.branches("clean");
    let clean = ann.pushes("clean", "clean.txt");
    let clean_pull = ann.proposes("clean");
    assert_eq!(ann.tries_to_merge(clean_pull), 422, "a protected branch must resist");
    let clean_review = bob.approves(clean_pull);
    assert_eq!(ann.tries_to_merge(clean_pull), 422, "the check is missing");
    bob.checks(&clean, "failure");
    bob.checks(&clean, "success");
    let clean_merge = bob.merges(clean_pull);

    // A ticket, which this server numbers in one row with the pull requests.
    let issue = dana.does("POST", "/repos/acme/app/issues", &json!({ "title": "Clean up", "body": "" }));
    let issue = issue["number"].as_u64().unwrap();

    // Late push: bob approves, ann adds a commit and merges what bob never saw. (This server moves the head of a pull
    // request only when its branch is updated from the base.)
    ann.branches("late");
    let seen = ann.pushes("late", "late.txt");
    let late_pull = ann.proposes("late");
    let late_review = bob.approves(late_pull);
    ann.does("PUT", &format!("/repos/acme/app/pulls/{late_pull}/update-branch"), &json!({}));
    let unseen = ann.head_of(late_pull);
    ann.checks(&unseen, "success");
    ann.merges(late_pull);

    // Self-approval: bob pushes to ann's branch, then approves it.
    ann.branches("own");
    ann.pushes("own", "own1.txt");
    let own = bob.pushes("own", "own2.txt");
    let own_pull = ann.proposes("own");
    bob.approves(own_pull);
    ann.checks(&own, "success");
    ann.merges(own_pull);

    // A dismissed approval: this server overwrites the review and says nowhere what it was.
    ann.branches("dismissed");
    let dismissed = ann.pushes("dismissed", "dismissed.txt");
    let dismissed_pull = ann.proposes("dismissed");
    let taken_back = bob.approves(dismissed_pull);
    bob.does(
        "PUT",
        &format!("/repos/acme/app/pulls/{dismissed_pull}/reviews/{taken_back}/dismissals"),
        &json!({ "message": "not after all" }),
    );
    assert_eq!(ann.tries_to_merge(dismissed_pull), 422);
    dana.approves(dismissed_pull);
    ann.checks(&dismissed, "success");
    ann.merges(dismissed_pull);

    // Past the rule: only an administrator can push to the protected branch.
    let (status, _) = ann.call(
        "PUT",
        "/repos/acme/app/contents/x.txt",
        &json!({ "message": "x", "content": "YQ==", "branch": "main" }),
    );
    assert!((400..500).contains(&status), "a member must not push to the protected branch: {status}");
    let pushed = dana.pushes("main", "hotfix.txt");

    // And one that is still open.
    ann.branches("open");
    ann.pushes("open", "open.txt");
    let open_pull = ann.proposes("open");

    let ledger = look(url, &Cursors::new());
    let captures = &ledger.captures;

    // What landed, in order: the first commit, four merges, the push.
    let changes = rows(captures, "change");
    assert_eq!(changes.len(), 6, "{changes:#?}");
    assert_eq!(ledger.coverage("commits"), "complete");
    let mapped = rows(captures, "change_pull_request");
    assert_eq!(mapped.len(), 4, "{mapped:#?}");
    assert!(mapped.iter().any(|r| r.ends_with(&format!("change={clean_merge} pull_request={clean_pull}"))));
    assert!(!mapped.iter().any(|r| r.contains(&pushed)));

    let pulls = rows(captures, "pull_request");
    let pull = |n: u64| pulls.iter().find(|r| r.contains(&format!("label=#{n} "))).unwrap();
    assert!(pull(clean_pull).contains(&format!("status=merged author={ann_id} head={clean}")));
    assert!(pull(clean_pull).ends_with(&format!("merged_by={bob_id}")));
    assert!(pull(open_pull).contains("status=open"));
    assert_eq!(pulls.len(), 5);

    let approvals = rows(captures, "approval");
    let approval = |pull: u64, review: u64| {
        approvals.iter().find(|r| r.starts_with(&format!("#{pull} {review} "))).unwrap()
    };
    assert!(
        approval(clean_pull, clean_review)
            .contains(&format!("approver={bob_id} status=approved revision={clean}"))
    );
    // The late approval names what bob saw, which is not what was merged.
    assert!(approval(late_pull, late_review).contains(&format!("revision={seen}")));
    assert!(pull(late_pull).contains(&format!("head={unseen}")));
    // Nobody can say what the dismissed one was, and the gap is on record.
    assert!(approval(dismissed_pull, taken_back).contains("status=unknown"));
    assert!(approval(dismissed_pull, taken_back).contains("dismissed_at=?"));
    assert!(
        problems(captures)
            .iter()
            .any(|p| p.contains(&format!("review {taken_back} of pull request {dismissed_pull}")))
    );

    // The ticket, and no pull request; of the one that commit messages name elsewhere only the name.
    let tickets = rows(captures, "ticket");
    assert_eq!(tickets.len(), 2, "{tickets:#?}");
    assert_eq!(tickets[0], "ABC-1 [asserted] label=ABC-1");
    assert!(tickets[1].starts_with(&format!("acme/app#{issue} [system] ")), "{tickets:#?}");
    assert_eq!(ledger.table("ticket"), ["complete reason=?"]);

    let contributors = rows(captures, "contributor");
    // This server links the commits of a pull request to no account: their addresses are all there is, and they are
    // only asserted.
    let works_on = |pull: u64, who: &str, email: &str| {
        contributors.iter().any(|r| {
            r.starts_with(&format!("#{pull} "))
                && (r.contains(&format!("account={who} "))
                    || r.contains(&format!("[asserted] pull_request={pull} account={email} ")))
        })
    };
    assert!(works_on(own_pull, &bob_id, "bob@example.test"), "{contributors:#?}");
    assert!(works_on(own_pull, &ann_id, "ann@example.test"));
    assert!(!works_on(clean_pull, &bob_id, "bob@example.test"));

    let checks = rows(captures, "check_run");
    let ended = |sha: &str, how: &str| {
        checks.iter().any(|r| r.contains(&format!("revision={sha} name=build conclusion={how}")))
    };
    assert!(ended(&clean, "failure") && ended(&clean, "success"), "repetitions are kept: {checks:#?}");
    assert!(!ended(&seen, "success"));

    let rule = &rows(captures, "branch_rule")[0];
    assert!(rule.contains("protected=1 approvals_required=1"), "{rule}");
    assert!(rule.contains("bypass_actors=?"), "{rule}");
    assert_eq!(rows(captures, "required_check").len(), 1);
    let members = rows(captures, "membership");
    assert_eq!(members.len(), 3);
    assert!(members.iter().any(|r| r.contains(&format!("account={dana_id} organisation=acme role=admin"))));

    // What this server does not know ends as a gap of the stream and of the tables that rest on it.
    for stream in [
        "commit_pulls",
        "activity",
        "timeline",
        "statuses",
        "rulesets",
        "ruleset_history",
        "rules",
        "rule_suites",
        "audit_log",
        "deployments",
        "outside_collaborators",
    ] {
        let coverage = &ledger.summary.stream(stream).unwrap().coverage;
        assert_ne!(coverage.status, CoverageStatus::Complete, "{stream}");
        assert!(!coverage.reason.is_empty(), "{stream}");
    }
    for table in [
        "change_pull_request",
        "approval",
        "contributor",
        "check_run",
        "branch_rule",
        "bypass",
        "deployment",
        "membership",
    ] {
        assert!(
            ledger.table(table).iter().all(|r| !r.starts_with("complete")),
            "{table}: {:?}",
            ledger.table(table)
        );
    }
    // Its owners' filter names everybody.
    assert!(ledger.coverage("members_without_2fa").contains("seems to ignore the filter"));
    // No direct push is claimed where nobody could say which pull request a commit came from.
    assert_eq!(rows(captures, "bypass"), Vec::<String>::new());
    for stream in
        ["repository", "branch_protection", "pulls", "reviews", "pull_commits", "check_runs", "members"]
    {
        assert_eq!(ledger.coverage(stream), "complete", "{stream}");
    }

    // The next run takes what is new and loses nothing that is still open.
    let next = look(url, &ledger.cursors());
    assert_eq!(rows(&next.captures, "change"), Vec::<String>::new());
    assert_eq!(next.coverage("commits"), "complete");
    let open = bob.approves(open_pull);
    ann.checks(&ann.head_of(open_pull), "success");
    let merge = ann.merges(open_pull);
    let last = look(url, &next.cursors());
    let changes = rows(&last.captures, "change");
    assert_eq!(changes.len(), 1);
    assert!(changes[0].starts_with(&merge));
    assert!(rows(&last.captures, "approval").iter().any(|r| r.starts_with(&format!("#{open_pull} {open} "))));
}
