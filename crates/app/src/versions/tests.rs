//! Versions in a real workspace: rows of a procedure over events and of one over the period, told on the days they say.

use model::{
    Capture, Derived, Document, Fact, FactValue, Grade, Instant, Key, Receipt, interned, parse_date_range,
};
use serde_json::{Value as Json, json};

use crate::{AssessmentQuestion, Opening, ProcedureReport, Report, Workspace};

const CONTENT: &[(&str, &str)] = &[
    (
        "tables/probe.toml",
        "kind = \"event\"\ndoc = \"A probe.\"\nfed_by = [\"lab.probes\"]\n\
         [[columns]]\nname = \"happened_at\"\ntype = \"instant\"\ndoc = \"When.\"\n\
         [[columns]]\nname = \"size\"\ntype = \"integer\"\ndoc = \"How large.\"\n",
    ),
    (
        "tables/setting.toml",
        "kind = \"state\"\ndoc = \"A setting.\"\nfed_by = [\"lab.settings\"]\n\
         [[columns]]\nname = \"level\"\ntype = \"integer\"\ndoc = \"How high.\"\n\
         [[columns]]\nname = \"valid_from\"\ntype = \"instant\"\ndoc = \"From when.\"\n\
         [[columns]]\nname = \"valid_to\"\ntype = \"instant\"\nnullable = true\ndoc = \"Until when.\"\n",
    ),
    (
        "procedures/probe_size/procedure.toml",
        "title = \"Probes are small\"\ncontrols = [\"CHG-01\"]\npopulation = \"probes\"\npopulation_tables = [\"probe\"]\n\
         attributed_by = \"when it was taken\"\nhow_to_fix = \"Take less.\"\n[tables.probe]\n\
         [attributes.a]\nsays = \"it is small\"\ndeviation = \"it is too large\"\n\
         [parameters.most]\ntype = \"integer\"\ndefault = 5\nmin = 1\nmax = 100\ndoc = \"The largest allowed.\"\n\
         [parameters.least]\ntype = \"integer\"\ndefault = 0\nmin = 0\nmax = 100\ndoc = \"The smallest that counts.\"\n\
         [parameters.delay]\ntype = \"integer\"\ndefault = 0\nmin = 0\nmax = 100\ndoc = \"Days until it counts.\"\n",
    ),
    (
        "procedures/probe_size/query.sql",
        "SELECT p.id AS item, 'probe' AS label, p.happened_at + $delay * CAST(86400000 AS BIGINT) AS occurred_at, p.entry AS entry, p.grade AS grade,\n\
         CASE WHEN p.size <= $most THEN 'pass' ELSE 'deviation' END AS a\n  FROM probe p\n\
         WHERE p.happened_at >= $from AND p.happened_at < $to AND p.size >= $least\n",
    ),
    (
        "procedures/setting_level/procedure.toml",
        "title = \"Settings are high\"\ncontrols = [\"CHG-02\"]\npopulation = \"settings\"\npopulation_tables = [\"setting\"]\n\
         over_period = true\nattributed_by = \"the period\"\nhow_to_fix = \"Raise it.\"\n[tables.setting]\n\
         [attributes.a]\nsays = \"it was high\"\ndeviation = \"it was too low\"\n\
         [parameters.floor]\ntype = \"integer\"\ndefault = 5\nmin = 1\nmax = 100\ndoc = \"The lowest allowed.\"\n",
    ),
    (
        "procedures/setting_level/query.sql",
        "SELECT s.id AS item, 'setting' AS label, $from AS occurred_at, min(s.entry) AS entry, min(s.grade) AS grade,\n\
         CASE WHEN min(s.level) >= $floor THEN 'pass' ELSE 'deviation' END AS a\n  FROM setting_history s\n\
         WHERE s.valid_from < $to AND s.valid_to > $from\n GROUP BY s.id\n",
    ),
];

/// A company whose ledger is filled day by day.
struct Company {
    _folder: tempfile::TempDir,
    workspace: Workspace,
}

/// An instant of 2025: `03-01` for a midnight in UTC, `03-01T10:00` for another one; or a year before it.
fn at(text: &str) -> Instant {
    let text =
        if text.len() > 5 && text.as_bytes()[4] == b'-' { text.to_owned() } else { format!("2025-{text}") };
    let text = if text.contains('T') { text } else { format!("{text}T00:00") };
    format!("{text}:00Z").parse().unwrap()
}

/// What a test's document says: a table, a key and values; an instant as text, an account as `@name`.
fn derive(document: &Document<'_>) -> Derived {
    let said: Json = serde_json::from_slice(document.body).unwrap();
    let table = interned(said["table"].as_str().unwrap());
    let value = |v: &Json| match v {
        Json::String(text) => match text.strip_prefix('@') {
            Some(account) => FactValue::Entity(Key::new("account", "idp.example.test", account)),
            None => FactValue::Text(text.clone()),
        },
        Json::Number(n) => FactValue::Integer(n.as_i64().unwrap()),
        _ => FactValue::Null,
    };
    let values = said["values"].as_object().unwrap();
    Derived {
        facts: vec![Fact {
            table,
            about: Key::new(table, "", said["key"].as_str().unwrap()),
            grade: Grade::Manual,
            values: values.iter().map(|(name, v)| (interned(name), value(v))).collect(),
        }],
        ..Derived::default()
    }
}

impl Company {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("acme");
        crate::init(&home, "acme").unwrap();
        for (path, text) in CONTENT {
            let path = home.join("content").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
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
            now: at("01-01"),
            judging: true,
        })
        .unwrap();
        assert_eq!(workspace.content_problems, vec![]);
        let mut company = Self { _folder: folder, workspace };
        for table in ["probe", "setting"] {
            company.covered(table, "2024-01-01", "2026-01-01");
        }
        company
    }

    fn covered(&mut self, table: &str, from: &str, to: &str) {
        let values = json!({ "scope": 0, "relation": table, "covered_from": at(from).ms(), "covered_to": at(to).ms(), "status": "complete" });
        self.tell("01-01", "coverage", &format!("{table} {from}"), values);
    }

    /// Enters a row on a day.
    fn tell(&mut self, day: &str, table: &str, key: &str, values: Json) {
        let body = json!({ "table": table, "key": key, "values": values });
        let receipt = Receipt {
            source: "lab".into(),
            stream: format!("lab.{table}"),
            media_type: "application/json".into(),
            collected_at: at(day),
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
    }

    fn probe(&mut self, key: &str, day: &str, size: i64) {
        self.tell(day, "probe", key, json!({ "happened_at": at(day).ms(), "size": size }));
    }

    /// A version of a parameter, entered and approved on `entered`.
    fn parameter(&mut self, entered: &str, key: &str, of: &str, value: &str, from: &str) {
        self.version(entered, key, of, json!({ "value": value, "valid_from": at(from).ms() }));
    }

    /// The same with whatever else is said of it.
    fn version(&mut self, entered: &str, key: &str, of: &str, more: Json) {
        let (procedure, parameter) = of.split_once('.').unwrap();
        let mut values = json!({ "procedure": procedure, "parameter": parameter, "valid_to": Instant::FOREVER.ms(),
            "approved_by": "@boss", "approved_at": at(entered).ms() });
        for (name, value) in more.as_object().unwrap() {
            values[name] = value.clone();
        }
        self.tell(entered, "parameter_version", key, values);
    }

    fn control(&mut self, entered: &str, control: &str, change: &str, from: &str) {
        let values = json!({ "control": control, "change": change, "valid_from": at(from).ms(),
            "approved_by": "@boss", "approved_at": at(entered).ms() });
        self.tell(entered, "control_version", &format!("{control} {change} {from}"), values);
    }

    fn assessed(&mut self, question: AssessmentQuestion) -> Report {
        self.workspace.catch_up(&derive).unwrap();
        let procedures = vec!["probe_size".to_owned(), "setting_level".to_owned()];
        let question = AssessmentQuestion { procedures, ..question };
        let report = self.workspace.assess(&question).unwrap();
        assert_eq!(report, self.workspace.assess(&question).unwrap(), "the same question, the same answer");
        report
    }

    fn year(&mut self) -> Report {
        self.assessed(AssessmentQuestion::over(year(), at("2026-01-15")))
    }

    /// The whole, then each part with its first instant, values, conclusion and population.
    #[track_caller]
    fn check(&mut self, procedure: &str, expect: &[&str]) -> ProcedureReport {
        let report = self.year();
        check(&report, procedure, expect)
    }
}

fn year() -> model::Period {
    parse_date_range("2025-01-01", "2025-12-31", "UTC").unwrap()
}

fn short(at: Instant) -> String {
    let text = at.to_string();
    text.trim_start_matches("2025-").trim_end_matches('Z').trim_end_matches("T00:00:00").to_owned()
}

#[track_caller]
fn check(report: &Report, procedure: &str, expect: &[&str]) -> ProcedureReport {
    let found =
        report.procedures.iter().find(|p| p.id == procedure).unwrap_or_else(|| panic!("no {procedure}"));
    let items: Vec<String> = found
        .items
        .iter()
        .map(|item| {
            let better = item.otherwise.values().map(|v| format!("({v})")).collect::<String>();
            format!("{}:{}{better}", item.item, item.verdict())
        })
        .collect();
    let mut lines = vec![format!("{} {}", found.conclusion.unwrap(), items.join(" "))];
    for version in &found.versions {
        let of = |set: &std::collections::BTreeMap<String, model::Value>| {
            let name = if procedure == "probe_size" { "most" } else { "floor" };
            match &set[name] {
                model::Value::Integer(n) => n.to_string(),
                other => format!("{other:?}"),
            }
        };
        let sets: Vec<String> =
            std::iter::once(&version.parameters).chain(&version.also_judged_by).map(of).collect();
        let conclusion = version.conclusion.map_or("outside", model::Conclusion::word);
        let unclear = if version.unclear.is_some() { " unclear" } else { "" };
        lines.push(format!(
            "{} {}{unclear} {conclusion} {}",
            short(version.from),
            sets.join("+"),
            version.population
        ));
    }
    assert_eq!(lines, expect);
    // The parts hold every item, and counts add up.
    let mut counted = std::collections::BTreeMap::new();
    for version in &found.versions {
        for (verdict, n) in version.counts.values().flatten() {
            *counted.entry(*verdict).or_insert(0) += n;
        }
    }
    assert!(counted.values().sum::<usize>() >= found.population);
    found.clone()
}

#[test]
fn without_versions_the_content_says_what_holds() {
    let mut company = Company::new();
    company.probe("p1", "03-01", 4);
    company.check("probe_size", &["no_exceptions p1:pass", "01-01 5 no_exceptions 1"]);
    company.check("setting_level", &["did_not_operate ", "01-01 5 did_not_operate 0"]);
}

#[test]
fn an_item_is_judged_by_the_version_in_force_when_it_happened() {
    let mut company = Company::new();
    company.parameter("02-01", "v1", "probe_size.most", "10", "03-01");
    for (key, day) in [("before", "02-28T23:59"), ("on", "03-01"), ("after", "03-02")] {
        company.probe(key, day, 7);
    }
    company.check(
        "probe_size",
        &[
            "exceptions_noted before:deviation on:pass after:pass",
            "01-01 5 exceptions_noted 1",
            "03-01 10 no_exceptions 2",
        ],
    );
}

#[test]
fn a_value_that_changed_twice_and_back() {
    let mut company = Company::new();
    company.parameter("02-01", "v1", "probe_size.most", "10", "03-01");
    company.parameter("02-01", "v2", "probe_size.most", "5", "06-01");
    company.parameter("02-01", "v3", "probe_size.most", "10", "09-01");
    for (key, day) in [("jan", "01-05"), ("mar", "03-05"), ("jun", "06-05"), ("sep", "09-05")] {
        company.probe(key, day, 7);
    }
    company.check(
        "probe_size",
        &[
            "exceptions_noted jan:deviation mar:pass jun:deviation sep:pass",
            "01-01 5 exceptions_noted 1",
            "03-01 10 no_exceptions 1",
            "06-01 5 exceptions_noted 1",
            "09-01 10 no_exceptions 1",
        ],
    );
}

#[test]
fn an_end_gives_back_what_held_before() {
    let mut company = Company::new();
    let more = json!({ "value": "10", "valid_from": at("03-01").ms(), "valid_to": at("04-01").ms() });
    company.version("02-01", "v1", "probe_size.most", more);
    company.check(
        "probe_size",
        &[
            "did_not_operate ",
            "01-01 5 did_not_operate 0",
            "03-01 10 did_not_operate 0",
            "04-01 5 did_not_operate 0",
        ],
    );
}

#[test]
fn what_is_entered_late_cannot_take_a_deviation_away() {
    let mut company = Company::new();
    company.probe("march", "03-05", 7);
    company.probe("july", "07-05", 7);
    company.parameter("06-01", "v1", "probe_size.most", "10", "03-01");
    let report = company.check(
        "probe_size",
        &[
            "exceptions_noted march:deviation(pass) july:pass",
            "01-01 5 did_not_operate 0",
            "03-01 10+5 exceptions_noted 1",
            "06-01 10 no_exceptions 1",
        ],
    );
    assert_eq!(
        report.items[0].reasons.values().next().unwrap(),
        "it is too large; two versions count here, of which one was not known then or is not known any more, and the other one says `pass`"
    );
    assert_eq!(
        report.versions[1].note.as_deref(),
        Some("what is known now of `most` (10) was not known then (5)")
    );
    // The stricter one, entered late, takes a pass away.
    let mut company = Company::new();
    company.probe("march", "03-05", 4);
    company.parameter("06-01", "v1", "probe_size.most", "3", "03-01");
    company.check(
        "probe_size",
        &[
            "exceptions_noted march:deviation(pass)",
            "01-01 5 did_not_operate 0",
            "03-01 3+5 exceptions_noted 1",
            "06-01 3 did_not_operate 0",
        ],
    );
}

#[test]
fn approval_after_the_entry_is_late_too() {
    let mut company = Company::new();
    company.probe("march", "03-05", 7);
    let more = json!({ "value": "10", "valid_from": at("03-01").ms(), "approved_at": at("06-01").ms() });
    company.version("02-01", "v1", "probe_size.most", more);
    company.check(
        "probe_size",
        &[
            "exceptions_noted march:deviation(pass)",
            "01-01 5 did_not_operate 0",
            "03-01 10+5 exceptions_noted 1",
            "06-01 10 did_not_operate 0",
        ],
    );
}

#[test]
fn a_correction_leaves_what_was_known_then() {
    let mut company = Company::new();
    company.parameter("01-01", "v1", "probe_size.most", "3", "01-01");
    company.probe("march", "03-05", 4);
    // The same row again, laxer.
    company.parameter("06-01", "v1", "probe_size.most", "30", "01-01");
    company.check(
        "probe_size",
        &[
            "exceptions_noted march:deviation(pass)",
            "01-01 30+3 exceptions_noted 1",
            "06-01 30 did_not_operate 0",
        ],
    );
}

#[test]
fn what_was_not_known_yet_does_not_exist() {
    let mut company = Company::new();
    company.probe("july", "07-05", 7);
    let before = company.workspace.size();
    company.parameter("02-01", "v1", "probe_size.most", "10", "03-01");
    let question = AssessmentQuestion::over(year(), at("2026-01-15"));
    let known = AssessmentQuestion { known_at: Some(before), ..question };
    let report = company.assessed(known);
    check(&report, "probe_size", &["exceptions_noted july:deviation", "01-01 5 exceptions_noted 1"]);
    company.check(
        "probe_size",
        &["no_exceptions july:pass", "01-01 5 did_not_operate 0", "03-01 10 no_exceptions 1"],
    );
}

#[test]
fn nothing_changes_after_the_cut_off() {
    let mut company = Company::new();
    company.parameter("02-01", "v1", "probe_size.most", "10", "09-01");
    company.parameter("02-01", "v2", "setting_level.floor", "9", "09-01");
    let report = company.assessed(AssessmentQuestion::over(year(), at("08-01")));
    for procedure in ["probe_size", "setting_level"] {
        check(&report, procedure, &["cannot_conclude ", "01-01 5 cannot_conclude 0"]);
    }
}

#[test]
fn a_change_on_the_first_instant_or_the_last_splits_nothing_off() {
    let mut company = Company::new();
    company.parameter("2024-12-01", "v1", "probe_size.most", "10", "01-01");
    company.parameter("2024-12-01", "v2", "probe_size.most", "20", "2026-01-01");
    company.probe("p1", "01-01", 7);
    company.check("probe_size", &["no_exceptions p1:pass", "01-01 10 no_exceptions 1"]);
}

#[test]
fn what_nobody_approved_or_may_be_takes_no_effect_and_is_said() {
    let mut company = Company::new();
    company.version(
        "02-01",
        "v1",
        "probe_size.most",
        json!({ "value": "10", "valid_from": at("03-01").ms(), "approved_by": null }),
    );
    company.parameter("02-01", "v2", "probe_size.most", "1000", "03-01");
    company.parameter("02-01", "v3", "probe_size.mots", "10", "03-01");
    company.parameter("02-01", "v4", "prob_size.most", "10", "03-01");
    company.version(
        "02-01",
        "v5",
        "probe_size.most",
        json!({ "value": "10", "valid_from": at("03-01").ms(), "valid_to": at("03-01").ms() }),
    );
    company.probe("july", "07-05", 7);
    let report =
        company.check("probe_size", &["exceptions_noted july:deviation", "01-01 5 exceptions_noted 1"]);
    let said: Vec<(&str, &str)> =
        report.set_aside.iter().map(|s| (s.what.as_str(), s.why.as_str())).collect();
    assert_eq!(
        said,
        [
            ("`most` of probe_size is 10", "nobody is known to have approved it"),
            ("`most` of probe_size is 1000", "`most` is 1000; the greatest value allowed is 100"),
            ("`mots` of probe_size is 10", "`probe_size` has no parameter `mots`; did you mean `most`?"),
            ("`most` of probe_size is 10", "it ends before it begins"),
        ]
    );
    let unknown = company.year().set_aside;
    assert_eq!(unknown[0].why, "there is no procedure `prob_size`; did you mean `probe_size`?");
}

#[test]
fn versions_that_contradict_each_other_prove_nothing() {
    let mut company = Company::new();
    company.parameter("02-01", "v1", "probe_size.most", "10", "03-01");
    company.parameter("02-01", "v2", "probe_size.most", "8", "03-01");
    company.parameter("02-01", "v3", "probe_size.most", "9", "06-01");
    company.probe("jan", "01-05", 4);
    company.probe("march", "03-05", 4);
    company.probe("june", "06-05", 4);
    let report = company.check(
        "probe_size",
        &[
            "cannot_conclude jan:pass march:no_evidence june:pass",
            "01-01 5 no_exceptions 1",
            "03-01 8+10 unclear cannot_conclude 1",
            "06-01 9 no_exceptions 1",
        ],
    );
    assert_eq!(
        report.items[1].reasons.values().next().unwrap(),
        "nobody can say which value of `most` was in force then: 8 or 10"
    );
}

#[test]
fn a_version_without_a_day_makes_every_day_before_it_ends_unclear() {
    let mut company = Company::new();
    company.version(
        "2024-02-01",
        "v1",
        "probe_size.most",
        json!({ "value": "10", "valid_from": null, "valid_to": at("06-01").ms() }),
    );
    company.probe("jan", "01-05", 4);
    company.probe("june", "06-05", 4);
    company.check(
        "probe_size",
        &[
            "cannot_conclude jan:no_evidence june:pass",
            "01-01 5+10 unclear cannot_conclude 1",
            "06-01 5 no_exceptions 1",
        ],
    );
}

#[test]
fn what_lasts_the_period_is_judged_in_each_part_by_itself() {
    let mut company = Company::new();
    let level = |n: i64, from: &str, to: Instant| json!({ "level": n, "valid_from": at(from).ms(), "valid_to": to.ms() });
    company.tell("01-01", "setting", "s1", level(6, "2024-01-01", at("05-01")));
    company.tell("05-01", "setting", "s1", level(8, "05-01", Instant::FOREVER));
    company.tell("01-01", "setting", "s2", level(6, "2024-01-01", Instant::FOREVER));
    company.parameter("02-01", "v1", "setting_level.floor", "7", "05-01");
    let report = company.check(
        "setting_level",
        &["exceptions_noted s1:pass s2:deviation", "01-01 5 no_exceptions 2", "05-01 7 exceptions_noted 2"],
    );
    let s2: Vec<_> = report.items[1]
        .versions
        .iter()
        .map(|v| (v.version, v.verdicts.values().next().unwrap().word()))
        .collect();
    assert_eq!(s2, [(0, "pass"), (1, "deviation")]);
    // A day earlier the first version of s1 would not do.
    company.parameter("02-01", "v1", "setting_level.floor", "7", "04-30");
    company.check(
        "setting_level",
        &[
            "exceptions_noted s1:deviation s2:deviation",
            "01-01 5 no_exceptions 2",
            "04-30 7 exceptions_noted 2",
        ],
    );
}

#[test]
fn what_lasts_the_period_is_judged_by_both_readings_where_a_version_came_late() {
    let mut company = Company::new();
    let level = json!({ "level": 4, "valid_from": at("2024-01-01").ms(), "valid_to": Instant::FOREVER.ms() });
    company.tell("01-01", "setting", "s1", level);
    company.parameter("06-01", "v1", "setting_level.floor", "3", "03-01");
    company.check(
        "setting_level",
        &[
            "exceptions_noted s1:deviation(pass)",
            "01-01 5 exceptions_noted 1",
            "03-01 3+5 exceptions_noted 1",
            "06-01 3 no_exceptions 1",
        ],
    );
}

#[test]
fn the_night_of_the_clocks_is_an_hour_longer() {
    // In New York the day of 2 November 2025 has 25 hours; the version holds from its own midnight, 04:00 UTC.
    let day = parse_date_range("2025-11-02", "2025-11-02", "America/New_York").unwrap();
    let mut company = Company::new();
    company.version(
        "02-01",
        "v1",
        "probe_size.most",
        json!({ "value": "10", "valid_from": day.from.ms(), "valid_to": day.to.ms() }),
    );
    company.probe("before", "11-02T03:59", 7);
    company.probe("first", "11-02T04:00", 7);
    company.probe("last", "11-03T04:59", 7);
    company.probe("after", "11-03T05:00", 7);
    company.check(
        "probe_size",
        &[
            "exceptions_noted before:deviation first:pass last:pass after:deviation",
            "01-01 5 exceptions_noted 1",
            "11-02T04:00:00 10 no_exceptions 2",
            "11-03T05:00:00 5 exceptions_noted 1",
        ],
    );
}

#[test]
fn what_is_dated_outside_of_the_period_is_judged_by_the_version_of_that_time() {
    // It counts thirty days after it was taken, so that a February yields items of March.
    let mut company = Company::new();
    company.parameter("2024-12-01", "d", "probe_size.delay", "30", "2024-12-01");
    company.parameter("2024-12-01", "v1", "probe_size.most", "10", "03-01");
    company.probe("early", "02-10", 7);
    company.probe("late", "02-01", 7);
    let february = parse_date_range("2025-02-01", "2025-02-28", "UTC").unwrap();
    let report = company.assessed(AssessmentQuestion::over(february, at("2026-01-15")));
    // 10 February and 30 days lie in March, where 10 is allowed, 1 February and 30 days as well: 3 March.
    check(
        &report,
        "probe_size",
        &["no_exceptions early:pass late:pass", "02-01 5 did_not_operate 0", "03-01 10 outside 2"],
    );
}

#[test]
fn an_item_that_no_version_claims_proves_nothing() {
    // By the first version it happened in March, by the second, in force from then, it had happened in February.
    let mut company = Company::new();
    company.parameter("2024-12-01", "d1", "probe_size.delay", "30", "01-01");
    company.parameter("2024-12-01", "d2", "probe_size.delay", "0", "03-01");
    company.probe("p1", "02-20", 4);
    company.check(
        "probe_size",
        &["cannot_conclude p1:no_evidence", "01-01 5 cannot_conclude 1", "03-01 5 did_not_operate 0"],
    );
}

#[test]
fn who_is_in_the_population_is_the_versions_own_say() {
    let mut company = Company::new();
    company.parameter("2024-12-01", "l1", "probe_size.least", "6", "03-01");
    company.probe("jan", "01-05", 4);
    company.probe("march", "03-05", 4);
    company.check(
        "probe_size",
        &["no_exceptions jan:pass", "01-01 5 no_exceptions 1", "03-01 5 did_not_operate 0"],
    );
    // Known late, both populations count.
    let mut company = Company::new();
    company.parameter("06-01", "l1", "probe_size.least", "6", "03-01");
    company.probe("march", "03-05", 4);
    company.check(
        "probe_size",
        &[
            "no_exceptions march:pass",
            "01-01 5 did_not_operate 0",
            "03-01 5+5 no_exceptions 1",
            "06-01 5 did_not_operate 0",
        ],
    );
}

#[test]
fn a_control_is_tested_while_it_is_in_force() {
    let mut company = Company::new();
    company.control("02-01", "CHG-01", "adopted", "03-01");
    company.control("08-01", "CHG-01", "retired", "09-01");
    for (key, day) in [("early", "02-10"), ("first", "03-01"), ("last", "08-31"), ("late", "09-01")] {
        company.probe(key, day, 7);
    }
    let report = company.check(
        "probe_size",
        &[
            "exceptions_noted first:deviation last:deviation",
            // Nobody had said in January that it was yet to be adopted.
            "01-01 5 did_not_operate 0",
            "03-01 5 exceptions_noted 2",
        ],
    );
    assert_eq!(report.while_not_in_force, 2);
    let out: Vec<(String, String)> =
        report.not_in_force.iter().map(|o| (short(o.from), short(o.to))).collect();
    assert_eq!(out, [("02-01".into(), "03-01".into()), ("09-01".into(), "2026-01-01".into())]);
    assert_eq!(report.not_in_force[1].controls[0].change, "retired");
}

#[test]
fn a_control_that_was_retired_late_is_tested_until_somebody_said_so() {
    let mut company = Company::new();
    company.control("06-01", "CHG-01", "retired", "03-01");
    company.probe("april", "04-10", 7);
    company.probe("july", "07-10", 7);
    let report = company.check(
        "probe_size",
        &["exceptions_noted april:deviation", "01-01 5 did_not_operate 0", "03-01 5 exceptions_noted 1"],
    );
    assert_eq!(
        report.versions[1].note.as_deref(),
        Some("CHG-01 was in force by what was known then, and not in force by what is known now")
    );
}

#[test]
fn a_control_that_is_not_in_force_at_all_is_listed() {
    let mut company = Company::new();
    company.control("2024-02-01", "CHG-01", "retired", "2024-03-01");
    let report = company.year();
    assert!(report.procedures.iter().all(|p| p.id != "probe_size"));
    assert_eq!(report.not_in_force[0].id, "probe_size");
    assert_eq!(report.not_in_force[0].versions[0].change, "retired");
}

#[test]
fn a_control_nobody_can_say_was_in_force_proves_nothing() {
    let mut company = Company::new();
    let values = json!({ "control": "CHG-01", "change": "retired", "valid_from": null, "approved_by": "@boss",
        "approved_at": at("2024-02-01").ms() });
    company.tell("2024-02-01", "control_version", "r", values);
    company.probe("p1", "04-10", 4);
    company.check("probe_size", &["cannot_conclude p1:no_evidence", "01-01 5 unclear cannot_conclude 1"]);
}

#[test]
fn a_changed_control_splits_the_period_and_says_what_it_was() {
    let mut company = Company::new();
    let values = json!({ "control": "CHG-02", "change": "changed", "valid_from": at("04-01").ms(),
        "statement": "Every setting is high.", "approved_by": "@boss", "approved_at": at("02-01").ms() });
    company.tell("02-01", "control_version", "c", values);
    let report = company.check(
        "setting_level",
        &["did_not_operate ", "01-01 5 did_not_operate 0", "04-01 5 did_not_operate 0"],
    );
    assert_eq!(report.versions[0].controls, vec![]);
    assert_eq!(report.versions[1].controls[0].statement.as_deref(), Some("Every setting is high."));
}
