//! Campaigns in a real workspace, act by act with clocks of their own, and what IAM-08 says of them.

use model::{Derived, Document, Fact, FactValue, Grade, Key, Receipt, interned, parse_date_range};
use serde_json::{Value as Json, json};

use super::*;
use crate::{AssessmentQuestion, Opening};

/// An instant of 2025: `03-01` for a midnight in UTC, `03-01T10:00` for another one; or one of another year.
fn at(text: &str) -> Instant {
    let text = if text.as_bytes()[4] == b'-' { text.to_owned() } else { format!("2025-{text}") };
    let text = if text.contains('T') { text } else { format!("{text}T00:00") };
    let seconds = if text.matches(':').count() == 1 { ":00Z" } else { "Z" };
    format!("{text}{seconds}").parse().unwrap()
}

/// What a test's document says: a table, a key and values; an account as `@system:key`, a system or a job as `#kind key`.
fn derive(document: &Document<'_>) -> Derived {
    if document.receipt.collector == COLLECTOR {
        return review_rows(document);
    }
    let said: Json = serde_json::from_slice(document.body).unwrap();
    let account = |name: &str| {
        let (system, key) = name.split_once(':').unwrap();
        Key::new("account", system, key)
    };
    let value = |v: &Json| match v {
        Json::String(text) => match (text.strip_prefix('@'), text.strip_prefix('#')) {
            (Some(name), _) => FactValue::Entity(account(name)),
            (_, Some(entity)) => {
                let (kind, key) = entity.split_once(' ').unwrap();
                FactValue::Entity(Key::new(interned(kind), "", key))
            }
            _ => FactValue::Text(text.clone()),
        },
        Json::Number(n) => FactValue::Integer(n.as_i64().unwrap()),
        _ => FactValue::Null,
    };
    let table = interned(said["table"].as_str().unwrap());
    let key = said["key"].as_str().unwrap();
    let about = if table == "account" { account(key) } else { Key::new(table, "", key) };
    let values = said["values"].as_object().unwrap();
    let values = values.iter().map(|(name, v)| (interned(name), value(v))).collect();
    Derived { facts: vec![Fact { table, about, grade: Grade::System, values }], ..Derived::default() }
}

/// A company with the system `hub`, two logins that people have there, one that nobody is known to own, and Boss, who has none.
struct Company {
    _folder: tempfile::TempDir,
    workspace: Workspace,
}

const REVIEWER: Actor<'static> = Actor::Operator("boss");

impl Company {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("acme");
        crate::init(&home, "acme").unwrap();
        let mut next = 0_u8;
        let workspace = Workspace::open(Opening {
            folder: home,
            wrapping_key: [7; 32],
            entropy: Box::new(move |bytes| {
                for byte in bytes {
                    next = next.wrapping_add(1);
                    *byte = next;
                }
                Ok(())
            }),
            conventions: json!({}),
            now: at("2024-12-01"),
            judging: true,
        })
        .unwrap();
        let mut company = Self { _folder: folder, workspace };
        for table in ["system", "account", "access_grant", "account_use", "employment", "account_owner"] {
            let values = json!({ "scope": 0, "relation": table, "covered_from": 0, "covered_to": at("06-01").ms(), "status": "complete" });
            company.tell("coverage", table, values);
        }
        let since = at("2024-03-01").ms();
        let open = Instant::FOREVER.ms();
        company.tell(
            "system",
            "hub",
            json!({ "label": "Hub", "identity_provider": 0, "valid_from": since, "valid_to": open }),
        );
        for (who, kind) in [("ann", "human"), ("bob", "human"), ("boss", "human"), ("robot", "service")] {
            company.login(who, kind);
            if kind == "human" {
                company.employed(who, &format!("E-{who}"), open);
            }
        }
        for who in ["ann", "bob", "robot"] {
            company.grant(who, "read", 0, open);
        }
        company
    }

    fn login(&mut self, who: &str, kind: &str) {
        let values = json!({ "system": "hub", "kind": kind, "valid_from": at("2024-03-01").ms(), "valid_to": Instant::FOREVER.ms() });
        self.tell("account", &format!("hub:{who}"), values);
    }

    fn employed(&mut self, who: &str, label: &str, until: i64) {
        let values = json!({ "account": format!("@hub:{who}"), "label": label, "kind": "employee",
            "started_at": at("2024-03-01").ms(), "ended_at": until });
        self.tell("employment", who, values);
    }

    fn grant(&mut self, who: &str, role: &str, privileged: i64, until: i64) {
        let values = json!({ "account": format!("@hub:{who}"), "system": "#system hub", "role": role, "privileged": privileged,
            "valid_from": at("2024-03-01").ms(), "valid_to": until, "last_used_at": at("03-01").ms() });
        self.tell("access_grant", &format!("{who} {role}"), values);
    }

    fn tell(&mut self, table: &str, key: &str, values: Json) {
        let body = json!({ "table": table, "key": key, "values": values });
        let receipt = Receipt {
            source: "lab".into(),
            stream: format!("lab.{table}"),
            media_type: "application/json".into(),
            collected_at: at("03-01"),
            collector: "test/1".into(),
            request: String::new(),
            status: None,
            server_date: None,
            page: 0,
            coverage: None,
            cursor: None,
            context: Json::Null,
            redacted: vec![],
        };
        self.workspace.append(&[Capture { receipt, body: body.to_string().into_bytes() }]).unwrap();
        self.workspace.catch_up(&derive).unwrap();
    }

    fn asked(reviewers: &[&str]) -> ReviewAsked {
        ReviewAsked {
            kind: Kind::Snapshot,
            systems: vec!["hub".to_owned()],
            who: None,
            reviewers: reviewers.iter().map(|who| ((*who).to_owned(), None)).collect(),
            listed_at: at("03-10"),
            due_at: at("03-31"),
            reason: "first quarter".to_owned(),
        }
    }

    /// A snapshot of the hub, listed and opened on the tenth of March.
    #[track_caller]
    fn open(&mut self, reviewers: &[&str]) -> String {
        let review =
            self.workspace.open_review(&Self::asked(reviewers), Actor::Operator("pm"), at("03-10T09:00"));
        self.done(review)
    }

    #[track_caller]
    fn done<T>(&mut self, what: Result<T, Refused>) -> T {
        let done = what.unwrap();
        let applied = self.workspace.catch_up(&derive).unwrap();
        assert_eq!(applied.problems, vec![]);
        done
    }

    fn report(&mut self, review: &str) -> ReviewReport {
        self.workspace.review(review, at("03-12")).unwrap()
    }

    /// The marks of the lines of these accounts, as they are shown now.
    fn marks(&mut self, review: &str, accounts: &[&str]) -> Vec<String> {
        let report = self.report(review);
        let of =
            |who: &&str| report.lines.iter().find(|l| l.frozen.account.key == **who).unwrap().mark.clone();
        accounts.iter().map(of).collect()
    }

    fn try_decide(
        &mut self,
        review: &str,
        accounts: &[&str],
        decision: Decision,
        reason: &str,
    ) -> Result<u64, Refused> {
        let marks = self.marks(review, accounts);
        self.workspace.decide_review(review, &marks, decision, reason, REVIEWER, at("03-11"))
    }

    #[track_caller]
    fn decide(&mut self, review: &str, accounts: &[&str], decision: Decision) {
        let said = self.try_decide(review, accounts, decision, "as agreed");
        self.done(said);
    }

    fn complete(&mut self, review: &str, when: &str) -> Result<u64, Refused> {
        let completed = self.workspace.complete_review(review, None, "", Actor::Operator("pm"), at(when));
        self.workspace.catch_up(&derive).unwrap();
        completed
    }

    /// What IAM-08 says of the first quarter, known in the middle of May, with everything vouched for until then.
    #[track_caller]
    fn judged(&mut self, review: &str, expect: &str) {
        let window = Window { from: at("01-01"), to: at("05-16") };
        let verified = self.workspace.verify_review(review, Some(window), Actor::Operator("pm"), at("05-16"));
        self.done(verified);
        self.assessed(expect);
    }

    #[track_caller]
    fn assessed(&mut self, expect: &str) {
        let period = parse_date_range("2025-01-01", "2025-03-31", "UTC").unwrap();
        let question = AssessmentQuestion {
            procedures: vec![PROCEDURE.to_owned()],
            ..AssessmentQuestion::over(period, at("05-15"))
        };
        let report = self.workspace.assess(&question).unwrap();
        let items = &report.procedures[0].items;
        assert_eq!(items.len(), 1);
        let verdicts: Vec<&str> = items[0].verdicts.values().map(|v| v.word()).collect();
        assert_eq!(verdicts.join(" "), expect, "{:?}", items[0].reasons);
    }
}

#[track_caller]
fn refused_with<T: std::fmt::Debug>(what: Result<T, Refused>, part: &str) {
    let said = what.unwrap_err().to_string();
    assert!(said.contains(part), "no `{part}` in: {said}");
}

#[test]
fn a_campaign_passes_its_own_procedure() {
    let mut company = Company::new();
    let review = company.open(&["boss"]);
    company.decide(&review, &["ann"], Decision::Keep);
    company.decide(&review, &["robot"], Decision::Keep);
    company.decide(&review, &["bob"], Decision::Revoke);
    company.complete(&review, "03-12").unwrap();
    company.grant("bob", "read", 0, at("03-20").ms());
    company.judged(&review, "pass pass pass");
}

#[test]
fn one_that_is_late_rushed_or_not_followed_up_does_not() {
    let mut late = Company::new();
    let review = late.open(&["boss"]);
    late.decide(&review, &["ann", "bob"], Decision::Keep);
    late.decide(&review, &["robot"], Decision::Keep);
    refused_with(late.try_decide(&review, &["ann"], Decision::Revoke, " "), "needs a reason");
    late.complete(&review, "04-01").unwrap();
    assert!(late.report(&review).late);
    late.judged(&review, "deviation pass not_applicable");

    let mut rushed = Company::new();
    let review = rushed.open(&["boss"]);
    for who in ["ann", "bob", "robot"] {
        let marks = rushed.marks(&review, &[who]);
        let said = rushed.workspace.decide_review(
            &review,
            &marks,
            Decision::Keep,
            "fine",
            REVIEWER,
            at("03-10T09:00:04"),
        );
        rushed.done(said);
    }
    rushed.complete(&review, "03-10T09:00:05").unwrap();
    rushed.judged(&review, "needs_judgement pass not_applicable");

    // The login stayed: that is known, and it is late.
    let mut stayed = Company::new();
    let review = stayed.open(&["boss"]);
    stayed.decide(&review, &["ann", "bob"], Decision::Revoke);
    stayed.decide(&review, &["robot"], Decision::Keep);
    stayed.complete(&review, "03-12").unwrap();
    stayed.grant("bob", "read", 0, at("03-20").ms());
    stayed.judged(&review, "pass pass deviation");
}

#[test]
fn what_nobody_looked_at_again_is_not_gone_and_not_still_there() {
    let mut company = Company::new();
    let review = company.open(&["boss"]);
    company.decide(&review, &["ann", "bob"], Decision::Revoke);
    company.decide(&review, &["robot"], Decision::Keep);
    let window = Window { from: at("01-01"), to: at("05-16") };
    let completed =
        company.workspace.complete_review(&review, Some(window), "", Actor::Operator("pm"), at("03-12"));
    company.done(completed);
    company.assessed("pass pass no_evidence");
    // The list of grants could not be read since.
    let gap = json!({ "scope": "#system hub", "relation": "access_grant", "covered_from": at("03-01").ms(),
        "covered_to": at("06-01").ms(), "status": "failed", "reason": "the key had expired" });
    company.tell("coverage", "gap", gap);
    let looked = company.workspace.look_at_removals(&review, at("04-20")).unwrap();
    assert_eq!(looked.days, 14);
    for (_, fate) in &looked.lines {
        let Fate::NotKnown { because } = fate else { panic!("{fate:?}") };
        assert!(because.contains("the key had expired"), "{because}");
    }
    let verified = company.workspace.verify_review(&review, Some(window), Actor::Operator("pm"), at("05-16"));
    refused_with(verified, "nobody can say what became of line");
}

#[test]
fn who_turns_out_to_have_reviewed_themselves_deviates() {
    let mut company = Company::new();
    company.login("boss2", "human");
    company.employed("boss2", "E-7", Instant::FOREVER.ms());
    company.grant("boss2", "read", 0, Instant::FOREVER.ms());
    let review = company.open(&["boss"]);
    company.decide(&review, &["ann", "bob"], Decision::Keep);
    company.decide(&review, &["robot"], Decision::Keep);
    // The personnel system puts it right: both are Boss's.
    let undecided = company.marks(&review, &["boss2"]);
    company.decide(&review, &["boss2"], Decision::Keep);
    company.employed("boss2", "E-boss", Instant::FOREVER.ms());
    let again =
        company.workspace.decide_review(&review, &undecided, Decision::Keep, "", REVIEWER, at("03-12"));
    refused_with(again, "it is their own access");
    company.complete(&review, "03-12").unwrap();
    company.judged(&review, "pass deviation not_applicable");
}

#[test]
fn nobody_is_given_their_own_access() {
    let mut company = Company::new();
    let review = company.open(&["ann"]);
    let report = company.report(&review);
    let given = |who: &str| {
        let line = report.lines.iter().find(|l| l.frozen.account.key == who).unwrap();
        (line.reviewer.as_deref().unwrap_or("-").to_owned(), line.unassigned.clone().unwrap_or_default())
    };
    assert_eq!(given("bob"), ("ann".to_owned(), String::new()));
    assert_eq!(given("ann"), ("-".to_owned(), "ann cannot: it is their own access".to_owned()));
    let marks = company.marks(&review, &["ann"]);
    let decide = |company: &mut Company, marks: &[String], who| {
        company.workspace.decide_review(&review, marks, Decision::Keep, "", Actor::Operator(who), at("03-11"))
    };
    refused_with(decide(&mut company, &marks, "ann"), "was given to nobody");
    let to_ann =
        company.workspace.delegate_review(&review, &marks, "ann", "hers", Actor::Operator("pm"), at("03-11"));
    refused_with(to_ann, "it is their own access");
    let to_robot = company.workspace.delegate_review(
        &review,
        &marks,
        "robot",
        "fast",
        Actor::Operator("pm"),
        at("03-11"),
    );
    refused_with(to_robot, "reviewed by a person");
    let to_bob = company.workspace.delegate_review(
        &review,
        &marks,
        "bob",
        "her peer",
        Actor::Operator("pm"),
        at("03-11"),
    );
    company.done(to_bob);
    refused_with(decide(&mut company, &marks, "bob"), "was handed to bob by pm");
    let marks = company.marks(&review, &["ann"]);
    refused_with(decide(&mut company, &marks, "ann"), "was given to bob, who alone decides");
    let kept = decide(&mut company, &marks, "hub:bob");
    company.done(kept);
    refused_with(company.complete(&review, "03-12"), "2 lines are not decided yet");
}

#[test]
fn a_decision_never_overturns_one_that_was_not_seen() {
    let mut company = Company::new();
    let review = company.open(&["boss"]);
    let seen = company.marks(&review, &["ann", "bob"]);
    company.decide(&review, &["bob"], Decision::Revoke);
    let decide = |company: &mut Company, marks: &[String], decision| {
        company.workspace.decide_review(&review, marks, decision, "why", REVIEWER, at("03-11"))
    };
    refused_with(decide(&mut company, &seen, Decision::Keep), "was decided (revoke) by boss");
    assert_eq!(company.report(&review).undecided, 2, "nothing of it was decided");
    // Who agrees with it may not have seen it.
    let agreed = decide(&mut company, &seen, Decision::Revoke);
    company.done(agreed);
    let seen = company.marks(&review, &["bob"]);
    let changed = decide(&mut company, &seen, Decision::Keep);
    company.done(changed);
    let bob = company.report(&review).lines.into_iter().find(|l| l.frozen.account.key == "bob").unwrap();
    let history: Vec<&str> = bob.history.iter().map(|said| said.what.as_str()).collect();
    assert_eq!(history, ["revoke", "revoke", "keep"]);
    let made_up = format!("{}:000000000000", bob.frozen.line);
    refused_with(decide(&mut company, &[made_up], Decision::Keep), "was never shown as");
    refused_with(decide(&mut company, &["9:0".to_owned()], Decision::Keep), "has no line `9:0`");
    refused_with(decide(&mut company, &[], Decision::Keep), "no line is named");
}

#[test]
fn flagged_lines_are_kept_one_by_one_and_for_a_reason() {
    let mut company = Company::new();
    company.employed("bob", "E-bob", at("03-05").ms());
    company.grant("ann", "admin", 1, Instant::FOREVER.ms());
    let review = company.open(&["boss"]);
    let flags: Vec<String> = company
        .report(&review)
        .lines
        .iter()
        .map(|l| {
            let flags: Vec<&str> = l.frozen.flags.iter().map(|f| f.word()).collect();
            format!("{} {} {}", l.frozen.account.key, l.frozen.role.as_deref().unwrap(), flags.join(" "))
        })
        .collect();
    assert_eq!(flags, ["ann admin privileged", "ann read ", "bob read leaver", "robot read orphan"]);
    refused_with(company.try_decide(&review, &["bob", "robot"], Decision::Keep, "all fine"), "one by one");
    refused_with(company.try_decide(&review, &["bob"], Decision::Keep, " "), "kept only for a reason");
    company.decide(&review, &["bob", "robot"], Decision::Revoke);
    company.decide(&review, &["robot"], Decision::Keep);
}

#[test]
fn a_differential_review_asks_of_what_is_not_as_it_was_kept() {
    let mut company = Company::new();
    let asked = |kind| ReviewAsked { kind, listed_at: at("03-14"), ..Company::asked(&["boss"]) };
    let open = |company: &mut Company, asked: &ReviewAsked| {
        company.workspace.open_review(asked, Actor::Operator("pm"), at("03-14T09:00"))
    };
    refused_with(open(&mut company, &asked(Kind::Differential)), "nothing to compare with");
    let review = company.open(&["boss"]);
    company.decide(&review, &["ann", "bob"], Decision::Keep);
    company.decide(&review, &["robot"], Decision::Keep);
    company.complete(&review, "03-12").unwrap();
    refused_with(open(&mut company, &asked(Kind::Differential)), "nothing has changed");
    company.grant("bob", "read", 1, Instant::FOREVER.ms());
    let opened = open(&mut company, &asked(Kind::Differential));
    let second = company.done(opened);
    let report = company.report(&second);
    assert_eq!((report.lines.len(), report.unchanged), (1, 2));
    assert_eq!(report.lines[0].frozen.previous.as_ref().map(|p| p.decision.as_str()), Some("keep"));
    // It is no review of everybody, and no row says that it was one.
    let rows =
        company.workspace.query("SELECT r.id AS id FROM access_review r", at("05-01"), None).unwrap().rows;
    assert_eq!(rows.len(), 1);
}

#[test]
fn an_exit_review_is_of_everything_that_one_person_has() {
    let mut company = Company::new();
    let asked = ReviewAsked {
        kind: Kind::Exit,
        systems: vec![],
        who: Some("hub:bob".to_owned()),
        ..Company::asked(&["bob", "boss"])
    };
    let opened = company.workspace.open_review(&asked, Actor::Operator("pm"), at("03-10T09:00"));
    let review = company.done(opened);
    let report = company.report(&review);
    assert_eq!((report.systems.as_slice(), report.lines.len()), (&["hub".to_owned()][..], 1));
    assert_eq!(report.lines[0].reviewer.as_deref(), Some("boss"));
    assert_eq!((report.lines[0].frozen.same_role, report.lines[0].frozen.others), (Some(2), 2));
    let twice = ReviewAsked { kind: Kind::Snapshot, ..asked };
    refused_with(
        company.workspace.open_review(&twice, Actor::Operator("pm"), at("03-10T09:00")),
        "of one person",
    );
}

#[test]
fn nothing_is_opened_that_cannot_be_reviewed() {
    let mut company = Company::new();
    let asked = Company::asked(&["boss"]);
    #[track_caller]
    fn check(company: &mut Company, asked: ReviewAsked, part: &str) {
        refused_with(company.workspace.open_review(&asked, Actor::Operator("pm"), at("03-10T09:00")), part);
    }
    check(&mut company, ReviewAsked { reason: " ".to_owned(), ..asked.clone() }, "nobody says why");
    check(&mut company, ReviewAsked { listed_at: at("03-11"), ..asked.clone() }, "has not come yet");
    check(&mut company, ReviewAsked { due_at: at("03-10"), ..asked.clone() }, "which is over");
    check(&mut company, ReviewAsked { systems: vec![], ..asked.clone() }, "no system is named");
    check(
        &mut company,
        ReviewAsked { systems: vec!["hbu".to_owned()], ..asked.clone() },
        "no system is called `hbu`",
    );
    check(&mut company, ReviewAsked { reviewers: vec![], ..asked.clone() }, "nobody is named to review");
    check(&mut company, Company::asked(&["nobody"]), "nobody is known as `nobody`");
    check(&mut company, Company::asked(&["robot"]), "reviewed by a person");
    check(&mut company, ReviewAsked { listed_at: at("2024-01-01"), ..asked }, "nothing to review");
    assert_eq!(company.workspace.reviews(None, at("03-10")).unwrap(), vec![]);
}

#[test]
fn how_it_stood_is_told_as_it_was_known() {
    let mut company = Company::new();
    let review = company.open(&["boss"]);
    let position = company.workspace.size();
    company.decide(&review, &["ann"], Decision::Keep);
    let undecided = |company: &mut Company, known_at, now| {
        let all = company.workspace.reviews(known_at, at(now)).unwrap();
        (all[0].undecided, all[0].standing)
    };
    assert_eq!(undecided(&mut company, None, "03-12"), (2, "open"));
    assert_eq!(undecided(&mut company, Some(position), "03-12"), (3, "open"));
    assert_eq!(undecided(&mut company, None, "03-31T00:01"), (2, "overdue"));
}
