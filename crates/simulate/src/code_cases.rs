//! What goes wrong with changes, and what only looks like it: tickets (CHG-01), reviews (CHG-02) and tests (CHG-04), as the code
//! host itself saw them.

use crate::Case;
use crate::changes::{LOGIN, lands, namesakes, second_login, two};
use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::code::{
    PET, QUEUE, RELEASER, TYPED, UPDATER, an_issue, another, approved, by_robot, looks, stands, whole, work,
};
use crate::company::{Check, Company, Fault, FaultKind, Method, Opinion, Proposal};
use crate::host::suite;
use crate::people::{CORE, employment_of, hire, leave};
use crate::rng::Rng;
use crate::training;
use crate::truth::{Seeded, seeded};

pub(crate) const CASES: &[(&str, Case)] = &[
    ("N01", approved_by_a_script),
    ("N02", pushed_after_approval),
    ("N04", approved_late),
    ("N17", robots),
    ("N18", onto_the_robots_branch),
    ("N19", reviewer_left),
    ("N21-review", approved_by_oneself),
    ("N23", suggested),
    ("N24", dismissed),
    ("review-kinds", kinds_of_reviews),
    ("hands-in-it", hands_in_it),
    ("merges", merges),
    ("N26", pushed),
    ("N33", tickets),
    ("tests", tests),
    ("N27", repository_deleted),
    ("N29", repository_renamed),
    ("N63-host", landed_in_the_dark),
    ("N65-host", blind),
    ("N66", pages_stop),
];

// ---- Parts

const TICKET: (&str, &str) = ("CHG-01", "change_ticket");
const REVIEW: (&str, &str) = ("CHG-02", "change_independent_review");
const TESTS: (&str, &str) = ("CHG-04", "change_tests");
const BYPASS: (&str, &str) = ("CHG-08", "bypass_review");

/// What landed of a proposal that is as it should be.
#[derive(Clone, Copy)]
pub(crate) struct One {
    pub(crate) proposal: usize,
    pub(crate) landing: usize,
    pub(crate) author: usize,
    pub(crate) reviewer: usize,
    pub(crate) at: i64,
}

pub(crate) fn one_at(c: &mut Company, rng: &mut Rng, repository: usize, at: i64) -> One {
    let (author, reviewer) = two(rng);
    by(c, rng, repository, at, author, reviewer)
}

fn by(c: &mut Company, rng: &mut Rng, repository: usize, at: i64, author: usize, reviewer: usize) -> One {
    lands(c, rng, repository, author, at);
    let landing = c.landings.len() - 1;
    let proposal = approved(c, rng, landing, reviewer);
    let them = &mut c.proposals[proposal];
    them.opinions.retain(|o| o.word == "APPROVED");
    if let Some(merge) = &mut them.merged {
        (merge.how, merge.by) = (Method::Squash, author);
    }
    One { proposal, landing, author, reviewer, at: whole(at) }
}

fn one(c: &mut Company, rng: &mut Rng) -> Option<One> {
    let at = c.clock.some_day(rng, 12, 12)?;
    let repository = rng.below(c.shape.repositories);
    Some(one_at(c, rng, repository, at))
}

fn of(c: &mut Company, one: One) -> &mut Proposal {
    &mut c.proposals[one.proposal]
}

fn head(c: &Company, one: One) -> String {
    c.proposals[one.proposal].works.last().map(|w| w.commit.clone()).unwrap_or_default()
}

pub(crate) fn said(
    c: &Company,
    (control, test): (&'static str, &'static str),
    case: &'static str,
    one: One,
    letters: &str,
    why: &str,
) -> Seeded {
    seeded((control, test, case), &c.landings[one.landing].commit, letters, why)
}

fn third(one: One) -> usize {
    (0..CORE).find(|who| *who != one.author && *who != one.reviewer).unwrap_or(0)
}

fn opinion(by: usize, word: &'static str, on: &str, at: i64) -> Opinion {
    Opinion { by, word, on: on.to_owned(), at, dismissed: None }
}

/// Somebody's commit is pushed on top, after what was approved. Its tests pass as the ones before.
fn on_top(c: &mut Company, rng: &mut Rng, one: One, author: usize, at: i64) -> String {
    let work = work(rng, author, at);
    let commit = work.commit.clone();
    of(c, one).works.push(work);
    check(c, one, &commit, "build", "success", at + 4 * MINUTE);
    commit
}

fn check(c: &mut Company, one: One, commit: &str, name: &str, conclusion: &'static str, at: i64) {
    let repository = c.landings[one.landing].repository;
    let (commit, name) = (commit.to_owned(), name.to_owned());
    c.checks.push(Check { repository, commit, name, conclusion, at, status: false });
}

/// Nothing was checked.
fn unchecked(c: &mut Company, one: One) {
    let head = head(c, one);
    c.checks.retain(|check| check.commit != head);
}

// ---- CHG-02

fn approved_by_a_script(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(one) = one(c, rng) else { return vec![] };
    of(c, one).opinions[0].by = PET + one.author;
    let why = "approved by a script that runs under a login of its author's: no other person looked";
    vec![said(c, REVIEW, "N01", one, "dd", why)]
}

fn pushed_after_approval(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (case, again, letters, why) in [
        ("N02", false, "pd", "approved, then its author pushed another commit, and nobody looked at that"),
        (
            "N03",
            true,
            "pp",
            "approved, another commit was pushed, and the reviewer approved again what merged",
        ),
    ] {
        let Some(one) = one(c, rng) else { return all };
        let before = head(c, one);
        let at = one.at - 20 * MINUTE;
        of(c, one).opinions = vec![opinion(one.reviewer, "APPROVED", &before, at - MINUTE)];
        let now = on_top(c, rng, one, one.author, at);
        if again {
            of(c, one).opinions.push(opinion(one.reviewer, "APPROVED", &now, at + 10 * MINUTE));
        }
        all.push(said(c, REVIEW, case, one, letters, why));
    }
    all
}

fn approved_late(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (case, late, letters, why) in [
        ("N04", 2 * MINUTE, "pd", "merged, and approved two minutes afterwards"),
        ("review-boundary", SECOND, "pd", "approved a second after it was merged"),
        ("review-boundary", 0, "pp", "approved in the second in which it was merged"),
    ] {
        let Some(one) = one(c, rng) else { return all };
        of(c, one).opinions[0].at = one.at + late;
        all.push(said(c, REVIEW, case, one, letters, why));
    }
    all
}

fn robots(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (signed, met, letters, why) in [
        (
            None,
            None,
            "dd",
            "a robot's update, merged by itself once the tests had passed: no person looked at it",
        ),
        (
            Some(-40 * DAY),
            Some(true),
            "pp",
            "a robot's update of a class that was approved in writing, and its conditions held",
        ),
        (
            Some(-40 * DAY),
            Some(false),
            "dd",
            "the class is approved in writing, and this update was not of it",
        ),
        (
            Some(-40 * DAY),
            None,
            "jj",
            "the class is approved in writing; whether its conditions held of this one, nobody wrote down",
        ),
        (Some(DAY), Some(true), "dd", "the class was approved in writing the day after"),
    ] {
        let Some(one) = one(c, rng) else { return all };
        by_robot(c, one.proposal);
        let them = of(c, one);
        them.opinions.clear();
        if let Some(merge) = &mut them.merged {
            merge.by = UPDATER;
        }
        if let Some(after) = signed {
            stands(c, one.landing, one.at + after, met);
        }
        all.push(said(c, REVIEW, "N17", one, letters, why));
    }
    all
}

fn onto_the_robots_branch(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (own, letters, why) in [
        (true, "dd", "somebody pushed a commit onto a robot's branch, and approved it themselves"),
        (false, "pp", "somebody pushed a commit onto a robot's branch, and somebody else approved it"),
    ] {
        let Some(one) = one(c, rng) else { return all };
        by_robot(c, one.proposal);
        let pusher = if own { one.reviewer } else { third(one) };
        let now = on_top(c, rng, one, pusher, one.at - 30 * MINUTE);
        of(c, one).opinions = vec![opinion(one.reviewer, "APPROVED", &now, one.at - 5 * MINUTE)];
        all.push(said(c, REVIEW, "N18", one, letters, why));
    }
    all
}

fn reviewer_left(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(began) = c.clock.office_hours(rng, c.clock.from - 900 * DAY, c.clock.from - 100 * DAY) else {
        return vec![];
    };
    let Some(left) = c.clock.some_day(rng, 40, 15) else { return vec![] };
    let person = hire(c, rng, began, "employee", &[1]);
    training::follow(c, rng, person);
    leave(c, rng, employment_of(c, person), left);
    c.trainings.retain(|t| t.person != person || t.done < left);
    let (author, _) = two(rng);
    let repository = rng.below(c.shape.repositories);
    let one = by(c, rng, repository, left - 12 * DAY, author, person);
    let why = "approved by somebody who left twelve days later: then they worked here";
    vec![said(c, REVIEW, "N19", one, "pp", why)]
}

fn approved_by_oneself(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    if let Some(one) = one(c, rng) {
        let login = second_login(c, one.author);
        of(c, one).opinions[0].by = LOGIN + login;
        let why =
            "approved from a second login of its author's, which the company's list of logins ties to them";
        all.push(said(c, REVIEW, "N21", one, "dd", why));
    }
    if let Some((author, reviewer)) = namesakes(c, rng)
        && let Some(at) = c.clock.some_day(rng, 12, 12)
    {
        let repository = rng.below(c.shape.repositories);
        let one = by(c, rng, repository, at, author, reviewer);
        let why =
            "approved by somebody of its author's name: whether that is the author, a person has to say";
        all.push(said(c, REVIEW, "N21", one, "jj", why));
    }
    all
}

fn suggested(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (another, letters, why) in [
        (
            false,
            "jj",
            "the reviewer suggested a line, its author took it over: how much of it is the reviewer's, a person has to say",
        ),
        (true, "pp", "the reviewer suggested a line, and somebody else approved it as well"),
    ] {
        let Some(one) = one(c, rng) else { return all };
        let now = on_top(c, rng, one, one.author, one.at - 40 * MINUTE);
        let them = of(c, one);
        if let Some(work) = them.works.last_mut() {
            (work.committer, work.co_authors) = (None, vec![one.reviewer]);
        }
        them.opinions = vec![opinion(one.reviewer, "APPROVED", &now, one.at - 9 * MINUTE)];
        if another {
            them.opinions.push(opinion(third(one), "APPROVED", &now, one.at - 8 * MINUTE));
        }
        all.push(said(c, REVIEW, "N23", one, letters, why));
    }
    all
}

fn dismissed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (case, gone, another, letters, why) in [
        ("N24", -MINUTE, false, "pd", "its only approval was dismissed before it was merged"),
        ("dismissed-boundary", 0, false, "pd", "dismissed in the second in which it was merged"),
        (
            "dismissed-boundary",
            SECOND,
            false,
            "pp",
            "dismissed a second after it was merged: it stood until then",
        ),
        ("N24", -MINUTE, true, "pp", "one approval was dismissed, another one stood"),
    ] {
        let Some(one) = one(c, rng) else { return all };
        let (by, now) = (third(one), head(c, one));
        let them = of(c, one);
        them.opinions[0].dismissed = Some((one.at + gone, by));
        if another {
            them.opinions.push(opinion(by, "APPROVED", &now, one.at - 90 * SECOND));
        }
        all.push(said(c, REVIEW, case, one, letters, why));
    }
    all
}

fn kinds_of_reviews(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (case, words, letters, why) in [
        ("no-review", &[][..], "dd", "nobody looked at it"),
        ("only-a-comment", &["COMMENTED"], "dd", "looked at, and only commented on"),
        (
            "asked-for-changes",
            &["CHANGES_REQUESTED"],
            "dd",
            "the only reviewer asked for changes, and it was merged",
        ),
        (
            "taken-back-review",
            &["APPROVED", "CHANGES_REQUESTED"],
            "pd",
            "approved, then the reviewer asked for changes after all",
        ),
        (
            "approved-after-all",
            &["CHANGES_REQUESTED", "APPROVED"],
            "pp",
            "the reviewer asked for changes, and approved in the end",
        ),
        ("comment-after-approval", &["APPROVED", "COMMENTED"], "pp", "approved, and then thanked"),
    ] {
        let Some(one) = one(c, rng) else { return all };
        let now = head(c, one);
        let given =
            (1..).zip(words).map(|(n, word)| opinion(one.reviewer, word, &now, one.at - (9 - n) * MINUTE));
        of(c, one).opinions = given.collect();
        all.push(said(c, REVIEW, case, one, letters, why));
    }
    // Approved, closed, and opened again as another proposal that nobody approved.
    if let Some(one) = one(c, rng) {
        let mut first = of(c, one).clone();
        (first.merged, first.closed) = (None, Some(one.at - MINUTE));
        first.branch = format!("{}-first", first.branch);
        c.proposals.push(first);
        of(c, one).opinions.clear();
        let why =
            "the same commits were approved in another proposal, which was closed: this one nobody approved";
        all.push(said(c, REVIEW, "approved-elsewhere", one, "dd", why));
    }
    all
}

/// Who else had their hands in it than whoever proposed it.
fn hands_in_it(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (case, letters, why) in [
        ("committer-approves", "dd", "its commit was made by the reviewer, of the author's lines"),
        ("pusher-approves", "dd", "its commits name the author, and the reviewer pushed them"),
        ("rewriter-approves", "dd", "the reviewer rewrote its head before approving it"),
        (
            "typed-address",
            "dd",
            "a commit names the reviewer's company address as its author, where the host knows no account of it",
        ),
        ("co-author-elsewhere", "pp", "somebody helped with it, and somebody else approved it"),
        (
            "pusher-elsewhere",
            "pp",
            "somebody else pushed the author's commits, and a third person approved them",
        ),
    ] {
        let Some(one) = one(c, rng) else { return all };
        let (reviewer, helper) = (one.reviewer, third(one));
        let them = of(c, one);
        let (at, now) =
            (one.at - 50 * MINUTE, them.works.last().map(|w| w.commit.clone()).unwrap_or_default());
        let Some(last) = them.works.last_mut() else { return all };
        match case {
            "committer-approves" => last.committer = Some(reviewer),
            "pusher-approves" => last.pusher = reviewer,
            "rewriter-approves" => them.rewritten.push((at, reviewer, now)),
            "typed-address" => (last.author, last.committer) = (TYPED + reviewer, Some(TYPED + reviewer)),
            "co-author-elsewhere" => last.co_authors.push(helper),
            _ => last.pusher = helper,
        }
        all.push(said(c, REVIEW, case, one, letters, why));
    }
    all
}

fn merges(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (case, how, who, letters, why) in [
        (
            "merged-by-reviewer",
            Method::Merge,
            "reviewer",
            "pp",
            "approved and merged by the reviewer: pressing the button writes nothing",
        ),
        ("merged-by-author", Method::Squash, "author", "pp", "approved, and merged by its author"),
        ("merge-queue", Method::Squash, "queue", "pp", "approved, and merged by the queue"),
        (
            "rebased-by-reviewer",
            Method::Rebase,
            "reviewer",
            "jj",
            "what landed names the reviewer as its committer: whether more than the button was pressed, a person has to say",
        ),
    ] {
        let Some(one) = one(c, rng) else { return all };
        let by = match who {
            "reviewer" => one.reviewer,
            "author" => one.author,
            _ => QUEUE,
        };
        if let Some(merge) = &mut of(c, one).merged {
            (merge.how, merge.by) = (how, by);
        }
        all.push(said(c, REVIEW, case, one, letters, why));
    }
    // Rebased: each of its commits is a change of its own, all of them of one proposal.
    if let Some(one) = one(c, rng) {
        let repository = c.landings[one.landing].repository;
        let mut landed = vec![];
        for _ in 0..2 {
            landed.push(lands(c, rng, repository, one.author, one.at));
        }
        on_top(c, rng, one, one.author, one.at - 45 * MINUTE);
        let now = on_top(c, rng, one, one.author, one.at - 40 * MINUTE);
        let last = c.landings.len() - 1;
        let them = of(c, one);
        them.works.drain(..them.works.len() - 3);
        them.opinions = vec![opinion(one.reviewer, "APPROVED", &now, one.at - 9 * MINUTE)];
        if let Some(merge) = &mut them.merged {
            merge.how = Method::Rebase;
            merge.commits.extend(landed);
        }
        let why = "one of the commits of a proposal that was rebased, approved as a whole";
        for landing in [one.landing, last - 1, last] {
            let part = One { landing, ..one };
            all.push(said(c, REVIEW, "rebased", part, "pp", why));
            all.push(said(c, TESTS, "rebased", part, "pn", why));
        }
    }
    all
}

fn pushed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (case, robot, says, standing, letters, why) in [
        (
            "N26",
            true,
            "next version",
            None,
            ["dd", "dd", "pd"],
            "a robot pushed the next version past every rule",
        ),
        (
            "N26",
            true,
            "next version",
            Some(true),
            ["dd", "pp", "pd"],
            "a robot pushed the next version, of a class that was approved in writing, and its conditions held",
        ),
        ("by-hand", false, "quick repair", None, ["dd", "dd", "pd"], "somebody pushed it past every rule"),
        (
            "push-with-ticket",
            false,
            "Fixes #{issue}",
            None,
            ["pp", "dd", "pd"],
            "somebody pushed it past every rule, and named the issue",
        ),
    ] {
        let Some(at) = c.clock.some_day(rng, 12, 12) else { return all };
        let (person, _) = two(rng);
        let repository = rng.below(c.shape.repositories);
        let by = if robot { RELEASER } else { person };
        let commit = lands(c, rng, repository, by, at);
        let landing = c.landings.len() - 1;
        let one = One { proposal: 0, landing, author: by, reviewer: by, at: whole(at) };
        check(c, one, &commit, "build", "success", at + 6 * MINUTE);
        let mut message = says.to_owned();
        if says.contains("{issue}") {
            // Known by its number once everything is numbered.
            let issue = an_issue(c, repository, at - 3 * DAY);
            message = says.replace("{issue}", &format!("{{{issue}}}"));
        }
        c.messages.insert(commit.clone(), message);
        if let Some(met) = standing {
            stands(c, landing, at - 30 * DAY, Some(met));
        }
        all.push(said(c, TICKET, case, one, letters[0], why));
        all.push(said(c, REVIEW, case, one, letters[1], why));
        let checked = "its tests ran once it had landed: before that none had passed";
        all.push(said(c, TESTS, case, one, letters[2], checked));
        let after = "pushed past the rule, and nobody looked at that";
        for key in [format!("{commit} direct_push"), format!("rule suite {}", suite(landing))] {
            all.push(seeded((BYPASS.0, BYPASS.1, case), &key, "dd", after));
        }
    }
    all
}

// ---- CHG-01

fn tickets(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (case, opened, letters, why) in [
        ("N33", Some(3 * HOUR), "pd", "the ticket was opened three hours after it had landed"),
        ("ticket-boundary", Some(0), "pp", "the ticket was opened in the second in which it landed"),
        (
            "ticket-boundary",
            Some(30 * SECOND),
            "pj",
            "the ticket was opened half a minute after it had landed: so much clocks may differ",
        ),
        (
            "ticket-boundary",
            Some(61 * SECOND),
            "pd",
            "the ticket was opened more than a minute after it had landed",
        ),
        ("N33", None, "pd", "the number of the ticket was typed wrong: there is none of that number"),
    ] {
        let Some(one) = one(c, rng) else { return all };
        let repository = c.landings[one.landing].repository;
        let issue = match opened {
            Some(after) => an_issue(c, repository, one.at + after),
            None => usize::MAX,
        };
        let them = of(c, one);
        (them.issue, them.says) = (Some(issue), String::new());
        all.push(said(c, TICKET, case, one, letters, why));
    }
    for (case, says, letters, why) in [
        ("no-ticket", "", "dd", "nothing names a ticket"),
        ("only-in-the-form", "<!-- such as: Fixes #1 -->", "dd", "only the form's own advice names a ticket"),
        ("its-own-number", "Fixes #{own}", "pd", "it names itself, which is no ticket"),
        ("other-tracker", "Refs LEGAL-77", "pn", "a ticket of a tracker that nobody has looked at"),
        ("in-the-branch", "", "pp", "the ticket stands in the name of the branch"),
        ("long-closed", "", "pp", "a ticket that was there long before and had been closed"),
    ] {
        let Some(one) = one(c, rng) else { return all };
        let repository = c.landings[one.landing].repository;
        let known = c.tickets.iter().find(|t| t.created < one.at - DAY).map(|t| t.key.clone());
        let mut issue = None;
        if case == "long-closed" {
            let old = an_issue(c, repository, one.at - 900 * DAY);
            c.issues[old].closed = Some(one.at - 800 * DAY);
            issue = Some(old);
        }
        let them = of(c, one);
        (them.issue, them.says) = (issue, says.to_owned());
        if case == "in-the-branch" {
            let Some(known) = known else { continue };
            them.branch = format!("{known}-repair");
        }
        all.push(said(c, TICKET, case, one, letters, why));
    }
    all
}

// ---- CHG-04: where everything demanded had passed the second letter is `n` and not `p`, see `UNPROVEN`.

fn tests(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    // What ran of the head, by name, how it ended and when, before or after the merge.
    type Ran = (&'static str, &'static str, i64);
    let cases: [(&'static str, &[Ran], &str, &str); 13] = [
        ("failed", &[("lint", "success", -60), ("build", "failure", -50)], "pd", "the build had failed"),
        (
            "all-failed",
            &[("lint", "failure", -60), ("build", "failure", -50)],
            "dd",
            "nothing that ran had passed",
        ),
        ("never-ran", &[], "dd", "no test ran"),
        (
            "repaired",
            &[("build", "failure", -60), ("build", "success", -30)],
            "pn",
            "the build failed, and passed when it was repeated",
        ),
        (
            "broken-again",
            &[("build", "success", -60), ("build", "failure", -30)],
            "pd",
            "the build passed, and failed when it was repeated before the merge",
        ),
        (
            "repaired-late",
            &[("build", "failure", -60), ("build", "success", 5)],
            "pd",
            "the build had failed, and passed when it was repeated after the merge",
        ),
        ("tested-late", &[("build", "success", 1)], "pd", "the build passed a minute after the merge"),
        ("test-boundary", &[("build", "success", 0)], "pn", "the build passed in the second of the merge"),
        (
            "skipped",
            &[("lint", "success", -60), ("build", "skipped", -50)],
            "pd",
            "the build was skipped, which its rule does not allow",
        ),
        (
            "cancelled",
            &[("lint", "success", -60), ("build", "cancelled", -50)],
            "pd",
            "somebody cancelled the build",
        ),
        (
            "not-required",
            &[("lint", "failure", -60), ("build", "success", -50)],
            "pn",
            "the build passed; what failed is not required",
        ),
        (
            "other-name",
            &[("Build", "success", -60)],
            "pd",
            "a check of almost the same name passed, and the required one never ran",
        ),
        (
            "failed-afterwards",
            &[("build", "success", -60)],
            "pn",
            "passed on what was merged; the build of the branch failed afterwards",
        ),
    ];
    for (case, ran, letters, why) in cases {
        let Some(one) = one(c, rng) else { return all };
        unchecked(c, one);
        let now = head(c, one);
        for (name, conclusion, minutes) in ran {
            check(c, one, &now, name, conclusion, one.at + minutes * MINUTE);
        }
        if case == "failed-afterwards" {
            let landed = c.landings[one.landing].commit.clone();
            check(c, one, &landed, "build", "failure", one.at + 7 * MINUTE);
        }
        all.push(said(c, TESTS, case, one, letters, why));
    }
    if let Some(one) = one(c, rng) {
        let now = head(c, one);
        for check in c.checks.iter_mut().filter(|check| check.commit == now) {
            check.status = true;
        }
        let why = "passed, and said so in the older way";
        all.push(said(c, TESTS, "older-kind", one, "pn", why));
    }
    if let Some(one) = one(c, rng) {
        // What was tested was not what merged.
        let now = work(rng, one.author, one.at - 40 * MINUTE);
        of(c, one).opinions[0].on.clone_from(&now.commit);
        of(c, one).works.push(now);
        let why = "the commit before passed; what was pushed on top and merged never ran";
        all.push(said(c, TESTS, "tested-before", one, "dd", why));
    }
    all
}

// ---- Repositories that move and go, and collectors that do not see

fn repository_deleted(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    // A year's worth of looks: one of them falls between what landed and the day on which it is deleted.
    let Some(gone) = c.clock.some_day(rng, 110, 40) else { return vec![] };
    let repository = another(c, "old");
    let good = one_at(c, rng, repository, gone - 75 * DAY);
    let bad = one_at(c, rng, repository, gone - 73 * DAY);
    of(c, bad).opinions.clear();
    c.repositories[repository].deleted = Some(gone);
    let why = "the repository was deleted weeks later: what was seen of it before stays";
    let rule = "the repository was deleted in the year: what held after the last look at it, nobody can say";
    vec![
        said(c, REVIEW, "N27", good, "pp", why),
        said(c, TICKET, "N27", good, "pp", why),
        said(c, REVIEW, "N27", bad, "dd", "nobody looked at it, and the repository was deleted weeks later"),
        seeded(("CHG-03", "branch_protection", "N27"), &c.repositories[repository].key, "nnn", rule),
    ]
}

fn repository_renamed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 60, 60) else { return vec![] };
    let repository = another(c, "billing");
    c.repositories[repository].renamed = Some((at, "invoicing"));
    let mut all = vec![];
    for (after, letters, why) in [
        (-20 * DAY, "pp", "landed before the repository was renamed: it is the same repository still"),
        (20 * DAY, "pp", "landed after the repository was renamed: it is the same repository still"),
        (21 * DAY, "dd", "landed after the repository was renamed, and nobody had looked at it"),
    ] {
        let one = one_at(c, rng, repository, at + after);
        if letters == "dd" {
            of(c, one).opinions.clear();
        }
        all.push(said(c, REVIEW, "N29", one, letters, why));
        all.push(said(
            c,
            TICKET,
            "N29",
            one,
            "pp",
            "it names a ticket, under whatever name its repository goes",
        ));
    }
    all
}

fn landed_in_the_dark(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((from, _)) = c.clock.dark else { return vec![] };
    let good = one_at(c, rng, 0, from + 30 * HOUR);
    let bad = one_at(c, rng, 0, from + 31 * HOUR);
    of(c, bad).opinions.clear();
    let (by, _) = two(rng);
    let commit = lands(c, rng, 0, by, from + 32 * HOUR);
    let why = "landed while the collector was down, and fetched once it was up again: the code host keeps all of it";
    let lost = "pushed past the rule while the collector was down; by the next look the host had forgotten who went around rules then";
    vec![
        said(c, REVIEW, "N63", good, "pp", why),
        said(
            c,
            REVIEW,
            "N63",
            bad,
            "dd",
            "nobody looked at it, and nothing of that was lost while the collector was down",
        ),
        seeded(
            (REVIEW.0, REVIEW.1, "N63"),
            &commit,
            "dd",
            "pushed while the collector was down, and nobody looked at it",
        ),
        seeded(
            (TICKET.0, TICKET.1, "N63"),
            &commit,
            "dd",
            "pushed while the collector was down, and it names no ticket",
        ),
        seeded(
            (TESTS.0, TESTS.1, "N63"),
            &commit,
            "dd",
            "pushed while the collector was down, and no test ran of it",
        ),
        seeded((BYPASS.0, BYPASS.1, "N63"), &format!("{commit} direct_push"), "nn", lost),
    ]
}

fn blind(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let looks = looks(c);
    let Some(look) = c.clock.dark.and_then(|_| looks.get(looks.len() / 3).copied()) else { return vec![] };
    let repository = another(c, "blind");
    let good = one_at(c, rng, repository, look - 5 * DAY);
    let bad = one_at(c, rng, repository, look - 4 * DAY);
    of(c, bad).opinions.clear();
    let later = one_at(c, rng, repository, look + 40 * DAY);
    c.faults.push(Fault { repository, kind: FaultKind::Blind, from: look - HOUR, to: look + HOUR });
    let why = "the token had lost the right, and the list of proposals was empty with a 200: whose work it is, was not all seen";
    vec![
        said(c, REVIEW, "N65", good, "nn", why),
        said(
            c,
            REVIEW,
            "N65",
            bad,
            "dd",
            "nobody looked at it: once the token had the right again, that was fetched afterwards",
        ),
        said(c, REVIEW, "N65", later, "pp", "landed after the token had the right again"),
    ]
}

fn pages_stop(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let looks = looks(c);
    let Some(last) = c.clock.dark.and_then(|_| looks.iter().rev().nth(3).copied()) else { return vec![] };
    let repository = another(c, "pages");
    let before = one_at(c, rng, repository, last - 70 * DAY);
    let one = one_at(c, rng, repository, last + DAY);
    let failed = one_at(c, rng, repository, last + 2 * DAY);
    for of in [before, one, failed] {
        let now = head(c, of);
        for number in 0..if of.landing == one.landing { 120 } else { 0 } {
            check(c, of, &now, &format!("part {number}"), "success", of.at - 50 * MINUTE);
        }
    }
    let now = head(c, failed);
    for check in c.checks.iter_mut().filter(|check| check.commit == now && check.name == "build") {
        check.conclusion = "failure";
    }
    c.faults.push(Fault { repository, kind: FaultKind::OnePage, from: last, to: i64::MAX });
    let why = "122 checks ran, the host gave a hundred of them and named no further page: what stands on it nobody saw";
    vec![
        said(c, TESTS, "N66", one, "pn", why),
        said(
            c,
            TESTS,
            "N66",
            failed,
            "pn",
            "failed in the pages that came; of those days not all pages did, and it may have been repeated",
        ),
        said(c, REVIEW, "N66", one, "pp", "what was cut off says nothing of its review"),
    ]
}
