//! What was promised, and what answers to it.

use serde_json::Value as Json;

use crate::support::Home;

impl Home {
    fn entered(&self, table: &str, words: &[&str]) {
        self.run([&["record", "add", table], words, &["--reason", "the register"]].concat()).succeeded();
    }

    fn commitments(&self, more: &str) -> Json {
        let said = self.does(&format!("commitments --json {more}"));
        serde_json::from_str(said.trim()).unwrap()
    }
}

const OPEN: &str = "valid_to.constant=forever";

fn home() -> Home {
    let home = Home::new();
    home.entered(
        "slo",
        &["key=web", "label=Web", "target_ppm=995000", "valid_from=2025-01-01T00:00:00Z", OPEN],
    );
    home.entered(
        "commitment",
        &[
            "key=c1",
            "label=Uptime",
            "display.title=We are up 99.9 % of each month",
            "kind=sla",
            "control=AVL-03",
            "metric=web",
            "objective_ppm=999000",
            "valid_from=2025-01-01T00:00:00Z",
            OPEN,
        ],
    );
    home
}

#[test]
fn an_objective_that_is_weaker_than_the_promise_is_a_deviation() {
    let home = home();
    let found = home.commitments("");
    let one = &found["commitments"][0];
    assert_eq!((&one["label"], &one["title"]), (&"Uptime".into(), &"We are up 99.9 % of each month".into()));
    assert_eq!(one["control"]["procedures"], serde_json::json!(["availability_objective"]));
    assert_eq!(one["deviations"], serde_json::json!(["`Web` asks for 99.5 %, and 99.9 % is promised"]));
    assert_eq!(one["not_known"], serde_json::json!(["whether it is kept: nobody measured `Web` up to then"]));
    // Made as strong as the promise from some day on: before it, it was not.
    home.entered(
        "slo",
        &[
            "key=web",
            "label=Web",
            "target_ppm=995000",
            "valid_from=2025-01-01T00:00:00Z",
            "valid_to=2025-06-01T00:00:00Z",
        ],
    );
    home.entered(
        "slo",
        &["key=web", "label=Web", "target_ppm=999000", "valid_from=2025-06-01T00:00:00Z", OPEN],
    );
    assert_eq!(home.commitments("--as-of 2025-06-01")["commitments"][0]["deviations"], serde_json::json!([]));
    let before = home.commitments("--as-of 2025-05-31");
    assert_eq!(before["commitments"][0]["deviations"].as_array().unwrap().len(), 1);
    assert_eq!(home.commitments("--as-of 2024-12-31")["commitments"], serde_json::json!([]));
}

#[test]
fn what_nothing_answers_to_is_shown() {
    let home = home();
    let from = "valid_from=2025-01-01T00:00:00Z";
    home.entered("commitment", &["key=c2", "label=Backups", "kind=contract", "evidence=77", from]);
    home.entered("commitment", &["key=c3", "label=Notice", "kind=law", "control=INC-99", from, OPEN]);
    home.entered(
        "commitment",
        &["key=c4", "label=Speed", "kind=website", "objective_ppm=999000", from, OPEN],
    );
    let said = home.does("commitments");
    for part in [
        "nothing answers to it",
        "not known: what it rests on: no evidence is kept as 77",
        "not known: until when it is promised",
        "there is no control `INC-99`; did you mean `INC-0",
        "99.9 % is promised, and no objective measures it",
        "not known: whether these are all commitments",
    ] {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
    let control = "key=r control=AVL-03 change=retired valid_from=2025-03-01T00:00:00Z approved_by=boss \
                   approved_by.system=tickmark approved_at=2025-02-01T00:00:00Z";
    home.entered("control_version", &control.split_whitespace().collect::<Vec<_>>());
    assert!(home.does("commitments").contains("deviation: AVL-03 is not in force"));
    // As known before the register was written there is none.
    assert_eq!(home.commitments("--known-at 1")["commitments"], serde_json::json!([]));
    home.refuses("commitments --as-of 2999-01-01", &["has not come yet"]);
}
