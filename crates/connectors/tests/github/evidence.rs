//! What makes evidence wrong, one by one: each test is a way in which an honest-looking answer of GitHub misleads.

use connectors::github::Cursors;
use serde_json::json;

use crate::server::{Clock, Reply};
use crate::support::{Ledger, NOW, problems, rows, run};
use crate::world::{World, ann, bob, commit, dana, issue, pull, review, sha, user};

fn collect(world: &World) -> Ledger {
    let server = world.serve();
    run(&server.url(), &Cursors::new(), &Clock::at(NOW))
}

fn one<'a>(rows: &'a [String], start: &str) -> &'a str {
    rows.iter().find(|r| r.starts_with(start)).unwrap_or_else(|| panic!("no `{start}` in {rows:#?}"))
}

/// The healthy world with one more first-parent commit on top.
fn with_commit(world: &World, name: &str, by_hand: bool) {
    let mut commits = world.get("/repos/acme/app/commits");
    commits
        .as_array_mut()
        .unwrap()
        .insert(0, commit(name, &["merge7"], "2026-02-20T10:00:00Z", &ann(), by_hand));
    world.set("/repos/acme/app/commits", commits);
    world.add_pushed(name);
}

#[test]
fn closed_is_not_merged() {
    let world = World::healthy();
    let mut closed = pull(8, &ann(), None, "2026-02-10T10:00:00Z");
    closed["state"] = json!("closed");
    // Of a pull request that was not merged the field names a trial merge.
    closed["merge_commit_sha"] = json!(sha("trial"));
    world.add_pull(closed, &bob());
    let ledger = collect(&world);
    let pulls = rows(&ledger.captures, "pull_request");
    assert!(
        one(&pulls, "8 ").contains("status=closed") && one(&pulls, "8 ").contains("merged_at=? merged_by=?")
    );
    assert!(!rows(&ledger.captures, "change_pull_request").iter().any(|r| r.contains(&sha("trial"))));
}

#[test]
fn a_late_comment_brings_a_pull_request_up_again_and_changes_nothing() {
    let world = World::healthy();
    let server = world.serve();
    let clock = Clock::at(NOW);
    let first = run(&server.url(), &Cursors::new(), &clock);
    world.add_pull(pull(7, &ann(), Some("2026-02-03T10:00:00Z"), "2026-03-01T11:59:00Z"), &bob());
    let second = run(&server.url(), &first.cursors(), &clock);
    assert_eq!(rows(&second.captures, "pull_request"), rows(&first.captures, "pull_request"));
}

#[test]
fn who_merged_it_stands_only_in_the_pull_request_itself() {
    // The list has no `merged_by`; a merge queue's bot pressed the button, which is no approval.
    let world = World::healthy();
    let bot = user(99, "github-merge-queue[bot]");
    world.add_pull(pull(8, &ann(), Some("2026-02-10T10:00:00Z"), "2026-02-10T10:00:00Z"), &bot);
    let ledger = collect(&world);
    assert!(one(&rows(&ledger.captures, "pull_request"), "8 ").ends_with("merged_by=99"));
    assert!(one(&rows(&ledger.captures, "account"), "99 ").contains("kind=bot"));
    assert!(!rows(&ledger.captures, "approval").iter().any(|r| r.starts_with("#8 ")));
}

#[test]
fn a_direct_push_is_seen_through_the_commits() {
    let world = World::healthy();
    with_commit(&world, "pushed", true);
    let ledger = collect(&world);
    let bypasses = rows(&ledger.captures, "bypass");
    let found = one(&bypasses, &format!("{} direct_push", sha("pushed")));
    assert!(found.contains("kind=direct_push bypassed_at=2026-02-20T10:00:00Z bypassed_by=11"), "{found}");
}

#[test]
fn a_pull_request_that_only_holds_the_commit_did_not_land_it() {
    let world = World::healthy();
    with_commit(&world, "pushed", true);
    let path = format!("/repos/acme/app/commits/{}/pulls", sha("pushed"));
    let mut closed = pull(8, &ann(), None, "2026-02-10T10:00:00Z");
    closed["state"] = json!("closed");
    let open = pull(9, &ann(), None, "2026-02-10T10:00:00Z");
    let mut elsewhere = pull(10, &ann(), Some("2026-02-10T10:00:00Z"), "2026-02-10T10:00:00Z");
    elsewhere["base"]["ref"] = json!("release");
    world.set(&path, json!([closed, open, elsewhere]));
    let ledger = collect(&world);
    assert!(!rows(&ledger.captures, "change_pull_request").iter().any(|r| r.starts_with(&sha("pushed"))));
    one(&rows(&ledger.captures, "bypass"), &format!("{} direct_push", sha("pushed")));
}

#[test]
fn a_wrong_clock_shows_against_the_changes_before_it() {
    let world = World::healthy();
    let mut commits = world.get("/repos/acme/app/commits");
    let list = commits.as_array_mut().unwrap();
    // The first is dated a year back, the second far into the future, which says nothing about what follows it.
    list.insert(0, commit("back", &["merge7"], "2025-02-20T10:00:00Z", &ann(), true));
    list.insert(0, commit("ahead", &["back"], "2031-01-01T00:00:00Z", &ann(), true));
    list.insert(0, commit("last", &["ahead"], "2026-02-21T10:00:00Z", &ann(), true));
    world.set("/repos/acme/app/commits", commits);
    let changes = rows(&collect(&world).captures, "change");
    for name in ["back", "ahead", "last"] {
        let found = one(&changes, &sha(name));
        assert!(found.contains("landed_after=2026-02-03T10:00:00Z"), "{found}");
    }
}

#[test]
fn a_rebased_pull_request_lands_several_changes() {
    // Its `merge_commit_sha` names only the last.
    let world = World::healthy();
    let mut commits = world.get("/repos/acme/app/commits");
    let list = commits.as_array_mut().unwrap();
    list.insert(0, commit("part1", &["merge7"], "2026-02-20T10:00:00Z", &ann(), false));
    list.insert(0, commit("merge8", &["part1"], "2026-02-20T10:00:00Z", &ann(), false));
    world.set("/repos/acme/app/commits", commits);
    let rebased = pull(8, &ann(), Some("2026-02-20T10:00:00Z"), "2026-02-20T10:00:00Z");
    world.add_pull(rebased.clone(), &bob());
    world.set(&format!("/repos/acme/app/commits/{}/pulls", sha("part1")), json!([rebased]));
    let ledger = collect(&world);
    let mapped = rows(&ledger.captures, "change_pull_request");
    assert_eq!(mapped.iter().filter(|r| r.ends_with("pull_request=8")).count(), 2);
}

#[test]
fn a_merge_made_by_hand_names_who_could_have_changed_it() {
    let world = World::healthy();
    with_commit(&world, "merge8", true);
    world.add_pull(pull(8, &ann(), Some("2026-02-20T10:00:00Z"), "2026-02-20T10:00:00Z"), &dana());
    let ledger = collect(&world);
    one(&rows(&ledger.captures, "contributor"), &format!("#8 lander 11 {}", sha("merge8")));
    // GitHub's own hand lands nothing of its own.
    assert!(!rows(&ledger.captures, "contributor").iter().any(|r| r.starts_with("#7 lander")));
}

#[test]
fn a_dismissed_approval_is_what_it_was_until_it_was_dismissed() {
    let world = World::healthy();
    world.set(
        "/repos/acme/app/pulls/7/reviews",
        json!([
            review(81, &bob(), "DISMISSED", "head7", "2026-02-02T09:00:00Z"),
            review(82, &dana(), "DISMISSED", "head7", "2026-02-02T09:30:00Z"),
        ]),
    );
    world.set("/repos/acme/app/issues/7/timeline", json!([
        { "id": 1, "event": "reviewed", "state": "dismissed" },
        { "id": 2, "event": "review_dismissed", "created_at": "2026-02-05T09:00:00Z", "actor": dana(),
          "dismissed_review": { "state": "approved", "review_id": 81, "dismissal_message": "late" } },
        { "id": 3, "event": "review_dismissed", "created_at": "2026-02-02T10:00:00Z", "actor": ann(),
          "dismissed_review": { "state": "changes_requested", "review_id": 82, "dismissal_message": "done" } },
    ]));
    let ledger = collect(&world);
    let approvals = rows(&ledger.captures, "approval");
    // After the merge of 3 February: at the merge it stood.
    assert!(one(&approvals, "#7 81 ").contains("status=approved"));
    assert!(
        one(&approvals, "#7 81 ")
            .ends_with("approved_at=2026-02-02T09:00:00Z dismissed_at=2026-02-05T09:00:00Z")
    );
    assert!(one(&approvals, "#7 82 ").contains("status=changes_requested"));
    assert_eq!(ledger.coverage("timeline"), "complete");
}

#[test]
fn a_dismissed_review_nobody_explains_is_unknown_and_a_gap() {
    let world = World::healthy();
    world.set(
        "/repos/acme/app/pulls/7/reviews",
        json!([review(81, &bob(), "DISMISSED", "head7", "2026-02-02T09:00:00Z")]),
    );
    let ledger = collect(&world);
    assert!(one(&rows(&ledger.captures, "approval"), "#7 81 ").contains("status=unknown"));
    assert_eq!(problems(&ledger.captures).len(), 1);
    assert_eq!(
        ledger.coverage("timeline"),
        "partial: the timeline of pull request 7 does not say what a dismissed review had been"
    );
    assert!(ledger.table("approval")[0].starts_with("partial"));
}

#[test]
fn an_approval_names_the_revision_it_was_given_on() {
    let world = World::healthy();
    world.set("/repos/acme/app/pulls/7/reviews", json!([
        review(81, &bob(), "APPROVED", "older", "2026-02-02T09:00:00Z"),
        // After a rewritten head the old revision may be gone.
        { "id": 82, "user": bob(), "state": "APPROVED", "commit_id": null, "submitted_at": "2026-02-02T09:10:00Z" },
    ]));
    world.set("/repos/acme/app/issues/7/timeline", json!([
        { "id": 5, "event": "head_ref_force_pushed", "actor": bob(), "commit_id": sha("head7"), "created_at": "2026-02-02T10:00:00Z" },
    ]));
    let ledger = collect(&world);
    let approvals = rows(&ledger.captures, "approval");
    assert!(one(&approvals, "#7 81 ").contains(&format!("revision={} ", sha("older"))));
    assert!(one(&approvals, "#7 82 ").contains("revision=? "));
    assert!(rows(&ledger.captures, "pull_request")[0].contains(&format!("head={} ", sha("head7"))));
    // Whoever rewrote the head had the code in their hands, and cannot approve it.
    one(&rows(&ledger.captures, "contributor"), &format!("#7 pusher 12 {} [system]", sha("head7")));
}

#[test]
fn everybody_whose_work_is_in_it_is_named() {
    let world = World::healthy();
    let mut first = commit("c1", &["root"], "2026-02-02T09:00:00Z", &ann(), true);
    first["commit"]["message"] = json!(
        "c1\n\nCo-authored-by: Bob <12+bob@users.noreply.127.0.0.1>\nco-authored-by: Eve <Eve@Example.test>"
    );
    // Applied by somebody else, and GitHub knows no account for the author.
    let mut second = commit("c2", &["c1"], "2026-02-02T09:00:00Z", &ann(), true);
    second["author"] = json!(null);
    second["commit"]["author"]["email"] = json!("Zoe@example.test");
    // An edit in the browser, by nobody who left an address.
    let mut third = commit("c3", &["c2"], "2026-02-02T09:00:00Z", &bob(), false);
    third["author"] = json!({});
    third["commit"]["author"]["email"] = json!("");
    world.set("/repos/acme/app/pulls/7/commits", json!([first, second, third]));
    let mut detail = world.get("/repos/acme/app/pulls/7");
    detail["commits"] = json!(3);
    world.set("/repos/acme/app/pulls/7", detail);
    let ledger = collect(&world);
    let mut found: Vec<String> = rows(&ledger.captures, "contributor")
        .iter()
        .map(|r| {
            let word = |name: &str| r.split(' ').find_map(|w| w.strip_prefix(name)).unwrap_or("").to_owned();
            format!(
                "{} {} {}",
                word("role="),
                word("account="),
                if r.contains("[system]") { "system" } else { "asserted" }
            )
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "author 11 system",
            "author 11 system",
            "author ? asserted",
            "author zoe@example.test asserted",
            "co_author 12 asserted",
            "co_author eve@example.test asserted",
            "committer 11 system",
        ]
    );
    assert_eq!(ledger.coverage("pull_commits"), "complete");
}

#[test]
fn whoever_pushed_is_named_whatever_the_commit_says() {
    let world = World::healthy();
    // Bob pushed a commit in ann's name; the branch's name had been used before.
    world.on(|asked| {
        let topic = asked.path() == "/repos/acme/app/activity" && asked.query("ref")?.ends_with("topic7");
        let pushes = json!([
            { "id": 2, "activity_type": "push", "after": sha("head7"), "actor": bob(), "timestamp": "2026-02-02T09:01:00Z" },
            { "id": 1, "activity_type": "push", "after": sha("other"), "actor": dana(), "timestamp": "2025-02-02T09:01:00Z" },
        ]);
        topic.then(|| crate::world::paged(asked, &pushes))
    });
    let ledger = collect(&world);
    let contributors = rows(&ledger.captures, "contributor");
    one(&contributors, &format!("#7 pusher 12 {} [system]", sha("head7")));
    assert!(!contributors.iter().any(|r| r.contains("account=14 ")));

    let mut fork = world.get("/repos/acme/app/pulls/7");
    fork["head"]["repo"]["id"] = json!(99);
    world.set("/repos/acme/app/pulls/7", fork);
    assert_eq!(collect(&world).coverage("pushes"), "partial: pushes to a fork are not shown");
}

#[test]
fn what_nobody_will_ever_see_stays_said_of_its_own_window() {
    let world = World::healthy();
    let mut detail = world.get("/repos/acme/app/pulls/7");
    detail["commits"] = json!(400);
    world.set("/repos/acme/app/pulls/7", detail);
    let server = world.serve();
    let clock = Clock::at(NOW);
    let first = run(&server.url(), &Cursors::new(), &clock);
    assert!(first.coverage("pull_commits").starts_with("partial"));
    let second = run(&server.url(), &first.cursors(), &clock);
    assert_eq!(second.coverage("pull_commits"), "complete");
    let window = |ledger: &Ledger| ledger.summary.stream("pull_commits").unwrap().coverage.window;
    assert_eq!(window(&second).from, window(&first).to, "the next run must not speak for the first");
    let mut captures = first.captures;
    captures.extend(second.captures);
    let said: Vec<String> =
        rows(&captures, "coverage").into_iter().filter(|r| r.contains("relation=contributor ")).collect();
    assert_eq!(said.iter().filter(|r| r.contains("status=partial")).count(), 1, "{said:#?}");
}

#[test]
fn a_pushed_change_is_checked_on_itself() {
    let world = World::healthy();
    with_commit(&world, "pushed", true);
    let checks = format!("/repos/acme/app/commits/{}/check-runs", sha("pushed"));
    let run_of = json!({ "total_count": 1, "check_runs": [{ "id": 9, "name": "build", "head_sha": sha("pushed"),
        "status": "completed", "conclusion": "success", "completed_at": "2026-02-20T10:05:00Z" }] });
    world.set(&checks, run_of);
    assert!(rows(&collect(&world).captures, "check_run").iter().any(|r| r.contains(&sha("pushed"))));
    // What fails is asked for again.
    world.on(move |asked| (asked.path() == checks).then(|| Reply::new(502, "")));
    let server = world.serve();
    let clock = Clock::at(NOW);
    let first = run(&server.url(), &Cursors::new(), &clock);
    assert!(
        first.coverage("check_runs").contains("not read of pushed changes (1)"),
        "{}",
        first.coverage("check_runs")
    );
    world.heal();
    let second = run(&server.url(), &first.cursors(), &clock);
    assert_eq!(second.coverage("check_runs"), "complete");
    assert!(rows(&second.captures, "check_run").iter().any(|r| r.contains(&sha("pushed"))));
}

#[test]
fn more_commits_than_are_listed_prove_nobody_independent() {
    let world = World::healthy();
    let mut detail = world.get("/repos/acme/app/pulls/7");
    detail["commits"] = json!(400);
    world.set("/repos/acme/app/pulls/7", detail);
    let commits: Vec<_> =
        (0..250).map(|n| commit(&format!("c{n}"), &["root"], "2026-02-02T09:00:00Z", &ann(), true)).collect();
    world.set("/repos/acme/app/pulls/7/commits", json!(commits));
    let ledger = collect(&world);
    assert!(
        rows(&ledger.captures, "contributor").iter().any(|r| r.contains("account=? role=author revision=?"))
    );
    assert_eq!(
        ledger.coverage("pull_commits"),
        "partial: pull request 7 has 400 commits, and GitHub lists only 250 of them"
    );
}

#[test]
fn robots_are_known_as_such_wherever_they_appear() {
    let world = World::healthy();
    let app = user(98, "review-helper[bot]");
    let machine = user(97, "acme-bot");
    let person = user(96, "abbot");
    world.set(
        "/repos/acme/app/pulls/7/reviews",
        json!([
            review(81, &app, "APPROVED", "head7", "2026-02-02T09:00:00Z"),
            review(82, &machine, "APPROVED", "head7", "2026-02-02T09:00:00Z"),
            review(83, &person, "APPROVED", "head7", "2026-02-02T09:00:00Z"),
        ]),
    );
    let accounts = rows(&collect(&world).captures, "account");
    for (id, kind) in
        [("98 ", "bot"), ("97 ", "bot"), ("96 ", "human"), ("19864447 ", "bot"), ("11 ", "human")]
    {
        assert!(one(&accounts, id).contains(&format!("kind={kind} ")), "{id}{}", one(&accounts, id));
    }
}

#[test]
fn checks_come_from_two_systems_with_every_repetition_on_the_merged_head() {
    let world = World::healthy();
    let (head, base) = (sha("head7"), "/repos/acme/app");
    let check = |id: u64, conclusion: &str, at: &str| json!({ "id": id, "name": "build", "head_sha": head, "status": "completed", "conclusion": conclusion, "completed_at": at });
    world.set(
        &format!("{base}/commits/{head}/check-runs"),
        json!({ "total_count": 4, "check_runs": [
            check(1, "failure", "2026-02-03T07:00:00Z"), check(2, "success", "2026-02-03T08:00:00Z"),
            check(3, "skipped", "2026-02-03T08:00:00Z"), check(4, "neutral", "2026-02-03T08:00:00Z"),
        ]}),
    );
    world.set(
        &format!("{base}/commits/{head}/statuses"),
        json!([
            { "id": 6, "context": "ci/old", "state": "success", "created_at": "2026-02-03T08:30:00Z" },
            { "id": 5, "context": "ci/old", "state": "error", "created_at": "2026-02-03T08:00:00Z" },
        ]),
    );
    let server = world.serve();
    let ledger = run(&server.url(), &Cursors::new(), &Clock::at(NOW));
    let ended: Vec<String> = rows(&ledger.captures, "check_run")
        .iter()
        .map(|r| {
            r.split(' ')
                .filter(|w| w.starts_with("name=") || w.starts_with("conclusion="))
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    assert_eq!(
        ended,
        [
            "name=build conclusion=failure",
            "name=build conclusion=success",
            "name=build conclusion=skipped",
            "name=build conclusion=neutral",
            "name=ci/old conclusion=error",
            "name=ci/old conclusion=success",
        ]
    );
    let asked = server.targets();
    assert!(asked.iter().any(|t| t.contains(&format!("{head}/check-runs?filter=all"))));
    assert!(!asked.iter().any(|t| t.contains(&format!("{}/check-runs", sha("merge7")))));
}

/// The columns of the branch's rule that say how strong it is.
fn rule(world: &World) -> String {
    let ledger = collect(world);
    let row = rows(&ledger.captures, "branch_rule").pop().unwrap();
    assert!(
        row.ends_with("valid_from=2026-03-01T12:00:00Z valid_to=?"),
        "a look proves its own instant: {row}"
    );
    let from = row.find("protected=").unwrap();
    row[from..row.find(" valid_from").unwrap()].to_owned()
}

#[test]
fn classic_protection_and_rulesets_hold_together() {
    let base = "/repos/acme/app";
    let world = World::healthy();
    assert_eq!(
        rule(&world),
        "protected=1 approvals_required=1 dismisses_stale=1 binds_admins=1 allows_force_push=0 checks_required=1 bypass_actors=0"
    );

    // A ruleset asks for more.
    let rules = json!([
        { "type": "pull_request", "ruleset_id": 42, "parameters": { "required_approving_review_count": 2, "dismiss_stale_reviews_on_push": false } },
        { "type": "required_status_checks", "ruleset_id": 42, "parameters": { "required_status_checks": [{ "context": "lint" }, { "context": "build" }] } },
    ]);
    world.set(&format!("{base}/rules/branches/main"), rules);
    world.set(&format!("{base}/rulesets"), json!([{ "id": 42 }]));
    world.set(
        &format!("{base}/rulesets/42"),
        json!({ "id": 42, "enforcement": "active", "bypass_actors": [{ "actor_id": 5 }] }),
    );
    assert_eq!(
        rule(&world),
        "protected=1 approvals_required=2 dismisses_stale=1 binds_admins=1 allows_force_push=0 checks_required=2 bypass_actors=1"
    );

    // Missing bypass actors are not visible, which is not none.
    world.set(&format!("{base}/rulesets/42"), json!({ "id": 42, "enforcement": "active" }));
    assert!(rule(&world).ends_with("bypass_actors=?"));
    assert!(collect(&world).coverage("rulesets").starts_with("partial: the bypass actors"));

    // A classic protection that binds no administrators and asks for nothing stops nobody.
    world.set(&format!("{base}/rules/branches/main"), json!([]));
    world.set(
        &format!("{base}/branches/main/protection"),
        json!({ "enforce_admins": { "enabled": false }, "allow_force_pushes": { "enabled": true } }),
    );
    assert_eq!(
        rule(&world),
        "protected=0 approvals_required=0 dismisses_stale=0 binds_admins=0 allows_force_push=1 checks_required=0 bypass_actors=0"
    );

    // Rules alone, and administrators may bypass them.
    world.refuse(&format!("{base}/branches/main/protection"), 404, "Branch not protected");
    world.set(&format!("{base}/rules/branches/main"), json!([
        { "type": "pull_request", "ruleset_id": 42, "parameters": { "required_approving_review_count": 1, "dismiss_stale_reviews_on_push": true } },
        { "type": "non_fast_forward", "ruleset_id": 42 },
    ]));
    world.set(
        &format!("{base}/rulesets/42"),
        json!({ "id": 42, "enforcement": "active", "bypass_actors": [] }),
    );
    assert_eq!(
        rule(&world),
        "protected=1 approvals_required=1 dismisses_stale=1 binds_admins=1 allows_force_push=0 checks_required=0 bypass_actors=0"
    );
    let checks = rows(&collect(&world).captures, "required_check");
    assert_eq!(checks.len(), 0);
}

#[test]
fn the_history_of_a_ruleset_shows_what_was_in_force_when() {
    let base = "/repos/acme/app";
    let world = World::healthy();
    world.refuse(&format!("{base}/branches/main/protection"), 404, "Branch not protected");
    let state = |enforcement: &str, approvals: u64, include: &str| {
        json!({ "id": 42, "target": "branch", "source_type": "Repository", "enforcement": enforcement, "bypass_actors": [],
            "conditions": { "ref_name": { "include": [include], "exclude": [] } },
            "rules": [
                { "type": "pull_request", "parameters": { "required_approving_review_count": approvals, "dismiss_stale_reviews_on_push": true } },
                { "type": "non_fast_forward" },
            ] })
    };
    let rule = |kind: &str| json!({ "type": kind, "ruleset_id": 42, "parameters": { "required_approving_review_count": 2 } });
    world
        .set(&format!("{base}/rules/branches/main"), json!([rule("pull_request"), rule("non_fast_forward")]));
    world.set(&format!("{base}/rulesets"), json!([{ "id": 42 }, { "id": 43 }]));
    let mut now = state("active", 2, "~DEFAULT_BRANCH");
    world.set(&format!("{base}/rulesets/42"), now.clone());
    now["id"] = json!(43);
    now["source_type"] = json!("Organization");
    world.set(&format!("{base}/rulesets/43"), now);
    let versions = [
        ("2025-06-01T00:00:00Z", state("active", 1, "~DEFAULT_BRANCH")),
        ("2026-01-10T09:00:00Z", state("disabled", 1, "~DEFAULT_BRANCH")),
        ("2026-01-10T12:00:00Z", state("active", 2, "refs/heads/*")),
        ("2026-02-01T00:00:00Z", state("active", 2, "refs/heads/release/**")),
        ("2026-02-02T00:00:00Z", state("active", 2, "~ALL")),
    ];
    let mut list = vec![];
    for (n, (at, state)) in versions.iter().enumerate() {
        // Newest first.
        list.insert(0, json!({ "version_id": n + 1, "updated_at": at, "actor": { "id": 14 } }));
        let version = json!({ "version_id": n + 1, "updated_at": at, "state": state });
        world.set(&format!("{base}/rulesets/42/history/{}", n + 1), version);
    }
    world.set(&format!("{base}/rulesets/42/history"), json!(list));
    let ledger = collect(&world);
    let held: Vec<String> = rows(&ledger.captures, "branch_rule")
        .iter()
        .map(|r| {
            let word = |name: &str| {
                r.split(' ').find_map(|w| w.strip_prefix(name)).unwrap().replace("T00:00:00Z", "")
            };
            format!(
                "{} {} {} .. {}",
                word("protected="),
                word("approvals_required="),
                word("valid_from="),
                word("valid_to=")
            )
        })
        .collect();
    assert_eq!(
        held,
        [
            // Before the first ruleset nothing is known, and while it was off a classic protection may have stood in.
            "? ? 0001-01-01 .. 2025-06-01",
            "1 1 2025-06-01 .. 2026-01-10T09:00:00Z",
            "? ? 2026-01-10T09:00:00Z .. 2026-01-10T12:00:00Z",
            "1 2 2026-01-10T12:00:00Z .. 2026-02-01",
            "? ? 2026-02-01 .. 2026-02-02",
            "1 2 2026-02-02 .. 2026-03-01T12:00:00Z",
            // And what is seen today.
            "1 2 2026-03-01T12:00:00Z .. ?",
        ]
    );
    assert_eq!(ledger.coverage("ruleset_history"), "complete");
    assert_eq!(ledger.table("branch_rule"), ["complete reason=?", "complete reason=?"]);

    // Without the right to see it there is only today.
    world.refuse(&format!("{base}/rulesets/42/history"), 404, "Not Found");
    let ledger = collect(&world);
    assert_eq!(rows(&ledger.captures, "branch_rule").len(), 1);
    assert!(ledger.coverage("ruleset_history").starts_with("not_permitted"));
    assert_eq!(ledger.table("branch_rule").len(), 1);
}

#[test]
fn unknown_rules_leave_unknown_what_the_known_part_does_not_settle() {
    let world = World::healthy();
    world.refuse("/repos/acme/app/rules/branches/main", 404, "Not Found");
    assert_eq!(
        rule(&world),
        "protected=1 approvals_required=1 dismisses_stale=1 binds_admins=1 allows_force_push=0 checks_required=1 bypass_actors=?"
    );
    world.refuse("/repos/acme/app/branches/main/protection", 404, "Branch not protected");
    assert_eq!(
        rule(&world),
        "protected=? approvals_required=? dismisses_stale=? binds_admins=? allows_force_push=? checks_required=? bypass_actors=?"
    );
}

#[test]
fn a_bypass_is_asked_for_beyond_the_last_day() {
    let world = World::healthy();
    world.set("/repos/acme/app/rulesets/rule-suites", json!([
        { "id": 21, "actor_id": 14, "actor_name": "dana", "before_sha": sha("root"), "after_sha": sha("merge7"),
          "ref": "refs/heads/main", "pushed_at": "2026-02-20T08:43:03Z", "result": "bypass" },
        { "id": 22, "actor_id": null, "after_sha": sha("x"), "ref": "refs/heads/main", "pushed_at": "2026-02-21T08:43:03Z", "result": "bypass" },
        { "id": 23, "actor_id": 11, "after_sha": sha("y"), "ref": "refs/heads/main", "pushed_at": "2026-02-21T08:43:03Z", "result": "pass" },
    ]));
    let server = world.serve();
    let clock = Clock::at(NOW);
    let ledger = run(&server.url(), &Cursors::new(), &clock);
    let bypasses = rows(&ledger.captures, "bypass");
    assert!(one(&bypasses, "rule suite 21 ").contains(&format!(
        "change={} kind=override bypassed_at=2026-02-20T08:43:03Z bypassed_by=14",
        sha("merge7")
    )));
    assert!(one(&bypasses, "rule suite 22 ").ends_with("bypassed_by=?"));
    assert!(!bypasses.iter().any(|b| b.starts_with("rule suite 23")));
    let asked = |n: usize| server.targets().into_iter().filter(|t| t.contains("rule-suites")).nth(n).unwrap();
    assert!(asked(0).contains("time_period=month") && asked(0).contains("rule_suite_result=bypass"));
    // A day later a week is enough, and the last day would be too little.
    run(&server.url(), &ledger.cursors(), &clock);
    assert!(asked(1).contains("time_period=day"), "{}", asked(1));
}

#[test]
fn the_audit_log_counts_milliseconds() {
    let world = World::healthy();
    let event = |id: &str, action: &str| json!({ "_document_id": id, "action": action, "@timestamp": 1_771_577_000_123_i64, "actor": "dana", "actor_id": 14, "repo": "acme/app" });
    world.set(
        "/orgs/acme/audit-log",
        json!([
            event("a", "protected_branch.policy_override"),
            event("b", "protected_branch.destroy"),
            event("c", "protected_branch.update_admin_enforced"),
            event("d", "repository_ruleset.update"),
            event("e", "repo.access"),
        ]),
    );
    let server = world.serve();
    let ledger = run(&server.url(), &Cursors::new(), &Clock::at(NOW));
    let bypasses = rows(&ledger.captures, "bypass");
    for (id, kind) in [("a", "override"), ("b", "rule_off"), ("c", "rule_edit"), ("d", "rule_edit")] {
        let found = one(&bypasses, &format!("audit log {id} "));
        assert!(
            found.contains(&format!("kind={kind} bypassed_at=2026-02-20T08:43:20.123Z bypassed_by=14")),
            "{found}"
        );
    }
    assert!(!bypasses.iter().any(|b| b.starts_with("audit log e")));
    let asked = server.targets().into_iter().find(|t| t.contains("audit-log")).unwrap();
    assert!(asked.contains("order=asc") && asked.contains("created%3A%3E%3D"), "{asked}");
}

#[test]
fn without_an_audit_log_nobody_can_say_that_classic_protection_was_never_overridden() {
    let world = World::healthy();
    world.refuse("/orgs/acme/audit-log", 404, "Not Found");
    let ledger = collect(&world);
    assert!(ledger.coverage("audit_log").contains("needs GitHub Enterprise Cloud"));
    assert!(
        ledger.table("bypass").iter().any(|r| r.starts_with("partial reason=audit_log: 404")),
        "{:?}",
        ledger.table("bypass")
    );
    // Rulesets alone leave traces of their own.
    world.set(
        "/repos/acme/app/branches/main",
        json!({ "name": "main", "protected": false, "commit": { "sha": sha("merge7") } }),
    );
    world.refuse("/repos/acme/app/branches/main/protection", 404, "Not Found");
    assert!(collect(&world).table("bypass").contains(&"complete reason=?".to_owned()));
}

#[test]
fn a_deployment_ends_as_its_statuses_say() {
    let world = World::healthy();
    let base = "/repos/acme/app";
    let deployment = |id: u64, production: bool| {
        json!({ "id": id, "sha": sha("merge7"), "ref": "main", "environment": "prod", "production_environment": production,
            "created_at": "2026-02-04T10:00:00Z", "creator": user(41898282, "github-actions[bot]"), "payload": { "x": 1 } })
    };
    world.set(
        &format!("{base}/deployments"),
        json!([deployment(3, true), deployment(2, true), deployment(1, false)]),
    );
    let states = |words: &[&str]| {
        json!(words.iter().enumerate().map(|(n, s)| json!({ "id": n, "state": s })).collect::<Vec<_>>())
    };
    // Newest first. The first was replaced by the second, the third is still going.
    world.set(&format!("{base}/deployments/1/statuses"), states(&["inactive", "success", "in_progress"]));
    world.set(&format!("{base}/deployments/2/statuses"), states(&["error", "in_progress"]));
    world.set(&format!("{base}/deployments/3/statuses"), states(&["in_progress"]));
    let server = world.serve();
    let clock = Clock::at(NOW);
    let first = run(&server.url(), &Cursors::new(), &clock);
    let found = rows(&first.captures, "deployment");
    assert!(one(&found, "1 ").contains("production=0") && one(&found, "1 ").ends_with("status=success"));
    assert!(one(&found, "2 ").contains("production=1") && one(&found, "2 ").ends_with("status=failure"));
    assert!(
        one(&found, "3 ").ends_with("deployed_at=2026-02-04T10:00:00Z deployed_by=41898282 status=pending")
    );
    assert!(one(&rows(&first.captures, "account"), "41898282 ").contains("kind=bot"));
    assert_eq!(first.cursors()["deployment_statuses"]["pending"], json!([3]));
    // What had not ended is looked at again, though it is no longer on the list's new part.
    world.set(&format!("{base}/deployments"), json!([]));
    world.set(&format!("{base}/deployments/3"), deployment(3, true));
    world.set(&format!("{base}/deployments/3/statuses"), states(&["success", "in_progress"]));
    let second = run(&server.url(), &first.cursors(), &clock);
    assert!(one(&rows(&second.captures, "deployment"), "3 ").ends_with("status=success"));
    assert_eq!(second.cursors()["deployment_statuses"]["pending"], json!([]));
}

#[test]
fn the_gate_of_an_environment_was_opened_by_somebody() {
    let world = World::healthy();
    let base = "/repos/acme/app";
    world.set(
        &format!("{base}/deployments"),
        json!([{ "id": 3, "sha": sha("merge7"), "environment": "prod", "created_at": "2026-02-04T10:00:00Z", "creator": ann() }]),
    );
    world.set(
        &format!("{base}/deployments/3/statuses"),
        json!([{ "id": 9, "state": "success", "log_url": "https://github.com/acme/app/actions/runs/55/job/1" }]),
    );
    world.set(
        &format!("{base}/actions/runs/55/approvals"),
        json!([
            { "state": "approved", "environments": [{ "name": "staging" }], "user": ann() },
            { "state": "approved", "environments": [{ "name": "staging" }, { "name": "prod" }], "user": bob() },
        ]),
    );
    let ledger = collect(&world);
    assert_eq!(
        rows(&ledger.captures, "deployment_approval"),
        ["3 1 [system] deployment=3 approver=12 status=approved"]
    );
    assert_eq!(ledger.table("deployment_approval"), ["complete reason=?"]);
    world.refuse(&format!("{base}/actions/runs/55/approvals"), 403, "Resource not accessible by integration");
    let ledger = collect(&world);
    assert!(ledger.coverage("deployment_reviews").starts_with("not_permitted: 403"));
    assert!(ledger.table("deployment_approval")[0].starts_with("partial"));
    assert_eq!(ledger.table("deployment"), ["complete reason=?"]);
}

#[test]
fn a_search_that_is_cut_off_at_a_thousand_goes_on_where_it_ended() {
    let world = World::healthy();
    let all: Vec<_> = (0..2500_u64)
        .rev()
        .map(|n| {
            let at = format!("2026-02-{:02}T{:02}:{:02}:00Z", 1 + n / 1000, n / 60 % 24, n % 60);
            json!({ "id": n + 1, "head_sha": sha("merge7"), "status": "completed", "conclusion": "success", "created_at": at, "updated_at": at })
        })
        .collect();
    let mut all = all;
    all.sort_by(|a, b| b["created_at"].as_str().cmp(&a["created_at"].as_str()));
    world.on(move |asked| {
        (asked.path() == "/repos/acme/app/actions/runs").then(|| {
            let range = asked.query("created").unwrap().replace("%3A", ":");
            let (from, to) = range.split_once("..").unwrap();
            let fit: Vec<_> = all
                .iter()
                .filter(|r| {
                    from <= r["created_at"].as_str().unwrap() && r["created_at"].as_str().unwrap() <= to
                })
                .cloned()
                .collect();
            let total = if fit.len() > 2000 { json!("2,500+") } else { json!(fit.len()) };
            crate::world::paged(
                asked,
                &json!({ "total_count": total, "workflow_runs": fit[..fit.len().min(1000)] }),
            )
        })
    });
    let ledger = collect(&world);
    assert_eq!(ledger.coverage("workflow_runs"), "complete");
    assert_eq!(rows(&ledger.captures, "build").len(), 2500);
}

#[test]
fn the_last_attempt_does_not_hide_the_first() {
    let world = World::healthy();
    let attempt = |n: u64, conclusion: &str| {
        json!({ "id": 55, "run_attempt": n, "head_sha": sha("merge7"), "status": "completed", "conclusion": conclusion,
            "created_at": "2026-02-20T10:00:00Z", "updated_at": format!("2026-02-20T1{n}:00:00Z") })
    };
    let mut running = attempt(1, "x");
    running["id"] = json!(56);
    running["status"] = json!("in_progress");
    running["conclusion"] = json!(null);
    let base = "/repos/acme/app/actions/runs";
    world.set(base, json!({ "total_count": 2, "workflow_runs": [attempt(2, "success"), running] }));
    world.set(&format!("{base}/55/attempts/1"), attempt(1, "failure"));
    let server = world.serve();
    let clock = Clock::at(NOW);
    let first = run(&server.url(), &Cursors::new(), &clock);
    let found = rows(&first.captures, "build");
    assert!(one(&found, "run 55 attempt 1").ends_with("conclusion=failure finished_at=2026-02-20T11:00:00Z"));
    assert!(one(&found, "run 55 attempt 2").ends_with("conclusion=success finished_at=2026-02-20T12:00:00Z"));
    assert!(one(&found, "run 56 attempt 1").ends_with("conclusion=unknown finished_at=?"));
    // What was still running is asked for again.
    world.set(base, json!({ "total_count": 0, "workflow_runs": [] }));
    let mut ended = attempt(1, "cancelled");
    ended["id"] = json!(56);
    world.set(&format!("{base}/56"), ended);
    let second = run(&server.url(), &first.cursors(), &clock);
    assert!(one(&rows(&second.captures, "build"), "run 56 attempt 1").contains("conclusion=cancelled"));
    assert_eq!(second.cursors()["workflow_runs"]["running"], json!([]));
}

#[test]
fn tickets_are_read_where_people_name_them() {
    let world = World::healthy();
    let mut named = pull(8, &ann(), Some("2026-02-10T10:00:00Z"), "2026-02-10T10:00:00Z");
    named["head"]["ref"] = json!("feature/ABC-12-login");
    named["title"] = json!("Add the login page");
    named["body"] = json!("Fixes #4");
    world.add_pull(named, &bob());
    let found = rows(&collect(&world).captures, "ticket_reference");
    assert_eq!(
        found,
        [
            "#8 ABC-12 [asserted] pull_request=8 ticket=ABC-12 basis=branch",
            "#8 acme/app#4 [asserted] pull_request=8 ticket=acme/app#4 basis=body",
        ]
    );
}

#[test]
fn issues_are_tickets_and_pull_requests_are_none() {
    let world = World::healthy();
    let mut closed = issue(5, "2026-02-01T08:00:00Z", "2026-02-20T08:00:00Z");
    closed["state"] = json!("closed");
    closed["closed_at"] = json!("2026-02-20T08:00:00Z");
    world.add_issue(closed);
    let ledger = collect(&world);
    assert_eq!(
        rows(&ledger.captures, "ticket"),
        [
            // Older than what was asked for by four years, and named all the same.
            "acme/app#3 [system] label=acme/app#3 created_at=2019-05-01T08:00:00Z closed_at=?",
            "acme/app#5 [system] label=acme/app#5 created_at=2026-02-01T08:00:00Z closed_at=2026-02-20T08:00:00Z",
        ]
    );
    assert_eq!(ledger.table("ticket"), ["complete reason=?"]);
    assert_eq!(ledger.summary.stream("issues").unwrap().items, 2);
}

#[test]
fn of_a_ticket_elsewhere_only_the_name_is_known() {
    let world = World::healthy();
    let mut named = pull(8, &ann(), Some("2026-02-10T10:00:00Z"), "2026-02-10T10:00:00Z");
    named["body"] = json!("Fixes #3, fixes #7, fixes #99, fixes OPS-4, closes acme/web#3");
    world.add_pull(named, &bob());
    let ledger = collect(&world);
    assert_eq!(rows(&ledger.captures, "ticket_reference").len(), 5);
    assert_eq!(
        rows(&ledger.captures, "ticket"),
        [
            "OPS-4 [asserted] label=OPS-4",
            "acme/app#3 [system] label=acme/app#3 created_at=2019-05-01T08:00:00Z closed_at=?",
            "acme/web#3 [asserted] label=acme/web#3",
        ]
    );
}

#[test]
fn members_have_roles_and_outsiders_are_named() {
    let world = World::healthy();
    world.set("/orgs/acme/outside_collaborators", json!([user(77, "zed")]));
    let found = rows(&collect(&world).captures, "membership");
    assert!(one(&found, "acme 14 ").contains("role=admin"));
    assert!(one(&found, "acme 11 ").contains("role=member"));
    assert!(one(&found, "acme 77 ").contains("role=outside_collaborator"));
}
