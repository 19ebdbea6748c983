//! A workspace that goes on and on, asked again after whatever came in: the answer is that of asking everything anew.

use model::{
    Capture, Derived, DisplayFact, Document, Fact, FactValue, Grade, Instant, Key, Receipt, interned,
    parse_date_range,
};
use serde_json::{Value as Json, json};

use crate::{AssessmentQuestion, Opening, Workspace};

const DAY: i64 = 86_400_000;
/// The first of January 2025.
const YEAR: i64 = 1_735_689_600_000;

/// A text that begins with `#` names a thing: `#kind/scope/key`.
fn key(text: &str) -> Key {
    let mut parts = text.splitn(3, '/');
    let mut next = || parts.next().unwrap();
    Key::new(interned(next()), next(), next())
}

fn derive(document: &Document<'_>) -> Derived {
    let said: Json = serde_json::from_slice(document.body).unwrap();
    let mut derived = Derived::default();
    for fact in said["facts"].as_array().unwrap() {
        let value = |v: &Json| match v {
            Json::String(text) => match text.strip_prefix('#') {
                Some(named) => FactValue::Entity(key(named)),
                None => FactValue::Text(text.clone()),
            },
            Json::Number(n) => FactValue::Integer(n.as_i64().unwrap()),
            _ => FactValue::Null,
        };
        let values = fact["values"].as_object().unwrap();
        derived.facts.push(Fact {
            table: interned(fact["table"].as_str().unwrap()),
            about: key(fact["about"].as_str().unwrap()),
            grade: Grade::System,
            values: values.iter().map(|(name, v)| (interned(name), value(v))).collect(),
        });
        if let Some(email) = fact["email"].as_str() {
            derived.display.push(DisplayFact {
                about: key(fact["about"].as_str().unwrap()),
                field: "email",
                text: email.to_owned(),
            });
        }
    }
    derived
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 >> 2).unwrap() % n
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[usize::try_from(self.below(i64::try_from(words.len()).unwrap())).unwrap()]
    }

    fn at(&mut self) -> i64 {
        YEAR + self.below(100) * DAY + self.below(3)
    }

    /// A number from 0 to `n`, with the scope of the repository it belongs to.
    fn in_repository(&mut self, kind: &str, n: i64) -> String {
        let which = self.below(n);
        format!("#{kind}/r{}/{which}", which % 2)
    }

    fn account(&mut self) -> String {
        format!("#account/idp/{}", self.below(5))
    }

    /// It, or unknown.
    fn perhaps(&mut self, value: Json) -> Json {
        if self.below(5) == 0 { Json::Null } else { value }
    }
}

/// Something that came in: each kind of input.
fn something(dice: &mut Dice, kind: &str, turn: i64) -> Json {
    let change = dice.in_repository("change", 12);
    let pull = dice.in_repository("pull_request", 8);
    let commit = dice.in_repository("commit", 12);
    let (one, two, at) = (dice.account(), dice.account(), dice.at());
    let n = dice.below(10);
    let about = |kind: &str, n: i64| format!("{kind}//{n}");
    let named = |text: &str| text.trim_start_matches('#').to_owned();
    let fact = |table: &str, about: String, values: Json| json!({ "table": table, "about": about, "values": values });
    match kind {
        "change" => {
            let repository = format!("#repository//r{}", change.as_bytes()["#change/r".len()] - b'0');
            fact(
                "change",
                named(&change),
                json!({
                "repository": repository, "revision": change.replace("change", "commit"), "label": format!("c{}", dice.below(3)),
                "merged_at": at, "landed_after": at, "author": dice.perhaps(json!(one)), "parents": 1, "signed": 0 }),
            )
        }
        "change_pull_request" => {
            fact(kind, about(kind, n), json!({ "change": change, "pull_request": pull }))
        }
        "pull_request" => fact(
            kind,
            named(&pull),
            json!({
            "repository": format!("#repository//r{}", pull.as_bytes()["#pull_request/r".len()] - b'0'), "label": "p",
            "status": "merged", "author": one, "head": dice.perhaps(json!(commit)), "merged_at": dice.perhaps(json!(at)) }),
        ),
        "approval" => fact(
            kind,
            about(kind, n),
            json!({
            "pull_request": pull, "approver": dice.perhaps(json!(one)), "revision": dice.perhaps(json!(commit)),
            "status": dice.of(&["approved", "changes_requested", "acknowledged"]),
            "approved_at": dice.perhaps(json!(dice.0 as i64 % DAY + YEAR)), "dismissed_at": Instant::FOREVER.ms() }),
        ),
        "contributor" => fact(
            kind,
            about(kind, n),
            json!({
            "pull_request": pull, "account": dice.perhaps(json!(one)), "role": dice.of(&["author", "lander"]) }),
        ),
        "check_run" => {
            let (revision, pull) = (dice.perhaps(json!(commit)), dice.perhaps(json!(pull)));
            fact(
                kind,
                about(kind, n),
                json!({
                "revision": revision, "pull_request": pull, "name": dice.of(&["unit", "lint"]),
                "conclusion": dice.of(&["success", "failure"]), "completed_at": dice.perhaps(json!(at)) }),
            )
        }
        "required_check" => fact(
            kind,
            about(kind, n % 2),
            json!({
            "repository": "#repository//r0", "name": "unit", "conditional": 0, "valid_from": at, "valid_to": Instant::FOREVER.ms() }),
        ),
        "ticket" => {
            fact(kind, about(kind, n % 4), json!({ "label": "T", "created_at": dice.perhaps(json!(at)) }))
        }
        "ticket_reference" => {
            let (change, pull) = (dice.perhaps(json!(change)), dice.perhaps(json!(pull)));
            fact(
                kind,
                about(kind, n),
                json!({
                "change": change, "pull_request": pull, "ticket": format!("#ticket//{}", n % 4), "basis": "trailer" }),
            )
        }
        "bypass" => fact(
            kind,
            about(kind, n % 4),
            json!({
            "repository": "#repository//r1", "label": "b", "kind": "override", "bypassed_at": at, "bypassed_by": one,
            "reviewed_at": dice.perhaps(json!(at + n * DAY)), "reviewed_by": dice.perhaps(json!(two)) }),
        ),
        // Who is who.
        "account" => {
            let mut said = fact(
                kind,
                named(&one),
                json!({
                "system": "idp", "kind": dice.of(&["human", "bot"]), "valid_from": YEAR - DAY, "valid_to": Instant::FOREVER.ms() }),
            );
            said["email"] = json!(format!("{}@example.test", dice.of(&["ann", "bob", "eve"])));
            said
        }
        "coverage" => fact(
            kind,
            about(kind, turn),
            json!({
            "scope": format!("#repository//r{}", dice.below(2)), "covered_from": at, "covered_to": at + n * 5 * DAY,
            "relation": dice.of(&["change", "approval", "check_run", "ticket", "ticket_reference", "change_pull_request"]),
            "status": dice.of(&["complete", "complete", "failed"]), "reason": dice.of(&["a", "b"]) }),
        ),
        "scope_rule" => fact(
            kind,
            about(kind, n % 2),
            json!({
            "dimension": "repository", "subject": dice.of(&["r0", "r1"]), "included": dice.below(2), "starts_at": at,
            "reason": "x", "approved_by": one, "approved_at": YEAR }),
        ),
        "parameter_version" => {
            let (procedure, parameter, value) = [
                ("change_independent_review", "approvals", "2"),
                ("change_ticket", "clock_difference_seconds", "0"),
                ("bypass_review", "review_business_days", "1"),
                ("bypass_review", "calendar", "weekdays"),
            ][usize::try_from(n % 4).unwrap()];
            fact(
                kind,
                about(kind, n % 3),
                json!({
                "procedure": procedure, "parameter": parameter, "value": value, "valid_from": at, "valid_to": Instant::FOREVER.ms(),
                "approved_by": one, "approved_at": YEAR }),
            )
        }
        _ => unreachable!("{kind}"),
    }
}

const KINDS: &[&str] = &[
    "change",
    "change",
    "change_pull_request",
    "pull_request",
    "approval",
    "approval",
    "contributor",
    "check_run",
    "ticket",
    "ticket_reference",
    "bypass",
    "coverage",
];
const SELDOM: &[&str] = &["account", "required_check", "scope_rule", "parameter_version"];

fn workspace(folder: &std::path::Path) -> Workspace {
    let home = folder.join("acme");
    crate::init(&home, "acme").unwrap();
    let mut next = 0_u8;
    let entropy = Box::new(move |bytes: &mut [u8]| {
        for byte in bytes {
            next = next.wrapping_add(1);
            *byte = next;
        }
        Ok(())
    });
    let (conventions, now) = (json!({}), Instant::from_ms(YEAR + 200 * DAY));
    Workspace::open(Opening { folder: home, wrapping_key: [7; 32], entropy, conventions, now, judging: true })
        .unwrap()
}

fn tell(workspace: &mut Workspace, facts: &[Json]) {
    let receipt = Receipt {
        source: "lab".into(),
        stream: "lab.facts".into(),
        media_type: "application/json".into(),
        collected_at: Instant::from_ms(YEAR + 100 * DAY),
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
    let body = json!({ "facts": facts }).to_string().into_bytes();
    workspace.append(&[Capture { receipt, body }]).unwrap();
    workspace.catch_up(&derive).unwrap();
}

/// A change in each repository that is in order, as far as anybody looked: what it comes to hangs on where somebody looked.
fn in_order(workspace: &Workspace) -> Vec<Json> {
    let mut facts = vec![];
    let fact = |table: &str, about: String, values: Json| json!({ "table": table, "about": about, "values": values });
    for who in ["yan", "zoe"] {
        let values = json!({ "system": "idp", "kind": "human", "valid_from": YEAR - DAY, "valid_to": Instant::FOREVER.ms() });
        let mut said = fact("account", format!("account/idp/{who}"), values);
        said["email"] = json!(format!("{who}@example.test"));
        facts.push(said);
    }
    for r in ["r0", "r1"] {
        let named = |kind: &str| format!("#{kind}/{r}/good");
        let about = |kind: &str| format!("{kind}/{r}/good");
        let at = YEAR + 20 * DAY;
        facts.extend([
            fact("change", about("change"), json!({ "repository": format!("#repository//{r}"), "revision": named("commit"),
                "label": "good", "merged_at": at, "landed_after": at - DAY, "author": "#account/idp/yan", "parents": 1, "signed": 0 })),
            fact("pull_request", about("pull_request"), json!({ "repository": format!("#repository//{r}"), "label": "p",
                "status": "merged", "author": "#account/idp/yan", "head": named("commit"), "merged_at": at })),
            fact("change_pull_request", about("change_pull_request"),
                json!({ "change": named("change"), "pull_request": named("pull_request") })),
            fact("contributor", about("contributor"), json!({ "pull_request": named("pull_request"),
                "account": "#account/idp/yan", "role": "author", "revision": named("commit") })),
            fact("approval", about("approval"), json!({ "pull_request": named("pull_request"), "approver": "#account/idp/zoe",
                "revision": named("commit"), "status": "approved", "approved_at": at - DAY, "dismissed_at": Instant::FOREVER.ms() })),
        ]);
        let of: std::collections::BTreeSet<&str> = workspace
            .catalog
            .procedures_in("CHG")
            .flat_map(|p| p.tables.iter().map(|t| t.name.as_str()))
            .collect();
        for relation in of {
            facts.push(fact("coverage", format!("coverage//{r} {relation}"), json!({ "scope": format!("#repository//{r}"),
                "covered_from": YEAR - 400 * DAY, "covered_to": YEAR + 400 * DAY, "relation": relation, "status": "complete",
                "reason": "" })));
        }
    }
    facts
}

/// Whether reviews were seen when the good change landed.
fn reviews_seen(repository: &str, seen: bool) -> Json {
    json!({ "table": "coverage", "about": "coverage//seen", "values": {
        "scope": format!("#repository//{repository}"), "covered_from": YEAR, "covered_to": YEAR + 40 * DAY,
        "relation": "approval", "status": if seen { "complete" } else { "failed" }, "reason": "" } })
}

#[test]
fn asked_again_after_anything_the_answer_is_that_of_asking_everything() {
    let (mut remembered, mut clean) = (0, 0);
    for seed in 1..=5_u64 {
        let folder = tempfile::tempdir().unwrap();
        let mut workspace = workspace(folder.path());
        assert_eq!(workspace.content_problems, vec![]);
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let all: Vec<&str> = KINDS.iter().chain(SELDOM).copied().collect();
        let first: Vec<Json> =
            all.iter().cycle().take(60).map(|kind| something(&mut dice, kind, 0)).collect();
        tell(&mut workspace, &first);
        let good = in_order(&workspace);
        tell(&mut workspace, &good);
        for turn in 1..25 {
            let kinds = if dice.below(5) == 0 { SELDOM } else { KINDS };
            let said: Vec<Json> = (0..=dice.below(3))
                .map(|n| {
                    let kind = dice.of(kinds);
                    something(&mut dice, kind, turn * 10 + n)
                })
                .collect();
            // Now and then nothing comes but word of where somebody looked: reviews were not seen, and are again.
            if turn % 4 == 0 {
                let (seen, r) = (turn % 8 == 0, dice.below(2));
                tell(&mut workspace, &[reviews_seen(&format!("r{r}"), seen)]);
            } else if dice.below(6) > 0 {
                tell(&mut workspace, &said);
            }
            // Time passes, another period is asked about, and now and then somebody asks what was known before.
            let period = match dice.below(4) {
                0 => parse_date_range("2025-01-01", "2025-01-31", "UTC").unwrap(),
                _ => parse_date_range("2025-01-01", "2025-03-31", "UTC").unwrap(),
            };
            let cutoff = Instant::from_ms(YEAR + (90 + turn / 3) * DAY);
            let size = i64::try_from(workspace.size()).unwrap();
            let known_at = if dice.below(4) == 0 {
                Some(u64::try_from(size - dice.below(3).min(size - 1)).unwrap())
            } else {
                None
            };
            let repository = match dice.below(4) {
                0 if known_at.is_none() => Some("r0".to_owned()),
                _ => None,
            };
            for brief in [true, false] {
                let question = AssessmentQuestion {
                    procedures: workspace.catalog.procedures_in("CHG").map(|p| p.id.clone()).collect(),
                    brief,
                    known_at,
                    repository: repository.clone(),
                    ..AssessmentQuestion::over(period.clone(), cutoff)
                };
                workspace.remembered = 0;
                let again = workspace.assess(&question).unwrap();
                remembered += workspace.remembered;
                workspace.anew = true;
                let anew = workspace.assess(&question).unwrap();
                workspace.anew = false;
                for (again, anew) in again.procedures.iter().zip(&anew.procedures) {
                    let text = |report| serde_json::to_string(report).unwrap();
                    assert_eq!(
                        text(again),
                        text(anew),
                        "seed {seed}, turn {turn}, {question:?}, after {said:?}"
                    );
                }
                assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&anew).unwrap());
                if brief {
                    let whole = workspace.assess(&AssessmentQuestion { brief: false, ..question }).unwrap();
                    for (brief, whole) in again.procedures.iter().zip(whole.procedures) {
                        let mut whole = whole;
                        let over_period = workspace.catalog.procedures[&whole.id].over_period;
                        let all = whole.items.len();
                        whole.items.retain(|item| over_period || !item.is_clean());
                        clean +=
                            usize::from(whole.id == "change_independent_review") * (all - whole.items.len());
                        assert_eq!(*brief, whole, "seed {seed}, turn {turn}: in brief");
                    }
                }
            }
        }
    }
    assert!(clean > 20, "{clean} reviewed changes were in order");
    assert!(remembered > 500, "{remembered} runs were answered by what was remembered");
}
