//! Deviations as a register, waivers, criteria and the strip of coverage: over a small company with procedures of its own, so
//! that what deviates can be said in a line.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::support::{Home, procedure};

const PERIOD: &str = "--from 2025-01-01 --to 2025-03-31";

const CONTROL: &str = "title = \"A control\"\nowner_role = \"Support\"\nfrequency = \"per_event\"\nmode = \"auto\"\n\
    statement = \"Somebody does what is to be done.\"\n";
/// What is to be closed is closed, and within ten days.
const TICKETS: (&str, &str) = (
    "title = \"Tickets are closed\"\ncontrols = [\"T-01\"]\npopulation = \"every ticket of the period\"\n\
     population_tables = [\"ticket\"]\nattributed_by = \"when it was made\"\nhow_to_fix = \"Close them.\"\n[tables.ticket]\n\
     [attributes.a]\nsays = \"it was closed in ten days\"\ndeviation = \"it was not closed in ten days\"\n\
     [attributes.b]\nsays = \"it was closed\"\ndeviation = \"it was never closed\"\n",
    "SELECT t.id AS item, t.label AS label, t.created_at AS occurred_at, t.entry AS entry, t.grade AS grade,\n\
     CASE WHEN t.closed_at <= t.created_at + CAST(10 AS BIGINT) * 86400000 THEN 'pass' ELSE 'deviation' END AS a,\n\
     CASE WHEN t.closed_at >= t.created_at THEN 'pass' ELSE 'deviation' END AS b\n\
     FROM ticket t WHERE t.created_at >= $from AND t.created_at < $to AND t.in_scope = 1\n",
);
const INCIDENTS: (&str, &str) = (
    "title = \"Incidents are resolved\"\ncontrols = [\"T-02\"]\npopulation = \"every incident of the period\"\n\
     population_tables = [\"incident\"]\nattributed_by = \"when it was declared\"\nhow_to_fix = \"Resolve them.\"\n[tables.incident]\n\
     [attributes.a]\nsays = \"it is resolved\"\ndeviation = \"it is not resolved\"\n",
    "SELECT i.id AS item, i.label AS label, i.declared_at AS occurred_at, i.entry AS entry, i.grade AS grade,\n\
     CASE WHEN i.resolved = 1 THEN 'pass' ELSE 'deviation' END AS a\n\
     FROM incident i WHERE i.declared_at >= $from AND i.declared_at < $to AND i.in_scope = 1\n",
);
const TICKETS_MAP: &str = "table = \"ticket\"\nkey = \"Key\"\n[columns]\nlabel = \"Label\"\ncreated_at = \"Made\"\nclosed_at = \"Closed\"\n";
const INCIDENTS_MAP: &str = "table = \"incident\"\nkey = \"Key\"\n[columns]\nlabel = \"Key\"\nseverity = { constant = \"low\" }\n\
    declared_at = \"Made\"\nresolved = \"Done\"\n";
/// T-1 holds; T-2 was never closed, which breaks both rules; T-3 was closed late.
const ROWS: &str = "Key,Label,Made,Closed\n\
    T-1,first,2025-01-10T10:00:00Z,2025-01-12T10:00:00Z\n\
    T-2,second,2025-02-01T10:00:00Z,\n\
    T-3,third,2025-03-01T10:00:00Z,2025-03-20T10:00:00Z\n";

struct Company(Home);

impl Company {
    fn new() -> Self {
        let company = Self(Home::new());
        company.0.does("init acme");
        let criteria = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/criteria.toml");
        let mut criteria = fs::read_to_string(criteria).unwrap();
        for id in ["X1.1", "X1.2", "X1.3", "X1.4"] {
            criteria.push_str(&format!("\n[[criteria]]\nid = \"{id}\"\ntitle = \"A criterion\"\n"));
        }
        company.write("acme/content/criteria.toml", &criteria);
        for (id, mapped) in [
            ("T-01", "criteria = [\"X1.1\", \"X1.2\"]\nkey = [\"X1.1\"]\n"),
            ("T-02", "criteria = [\"X1.2\"]\n"),
            ("T-03", "criteria = [\"X1.3\"]\nkey = [\"X1.3\"]\n"),
        ] {
            company.write(&format!("acme/content/controls/{id}.toml"), &format!("{mapped}{CONTROL}"));
        }
        for (id, (toml, sql)) in [("tickets_closed", TICKETS), ("incidents_resolved", INCIDENTS)] {
            company.write(&format!("acme/content/procedures/{id}/procedure.toml"), toml);
            company.write(&format!("acme/content/procedures/{id}/query.sql"), sql);
        }
        company.write("tickets.toml", TICKETS_MAP);
        company.write("incidents.toml", INCIDENTS_MAP);
        company.tickets(ROWS);
        company.incidents("I-1,2025-02-10T10:00:00Z,yes\n");
        company
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn tickets(&self, rows: &str) {
        self.write("tickets.csv", rows);
        self.does("import tickets.csv --map tickets.toml --yes --covers 2025-01-01..2025-03-31");
    }

    fn incidents(&self, rows: &str) {
        self.write("incidents.csv", &format!("Key,Made,Done\n{rows}"));
        self.does("import incidents.csv --map incidents.toml --yes --covers 2025-01-01..2025-03-31");
    }

    #[track_caller]
    fn does(&self, line: &str) -> String {
        self.0.does(&format!("--workspace acme {line}"))
    }

    #[track_caller]
    fn refuses(&self, line: &str, parts: &[&str]) {
        self.0.refuses(&format!("--workspace acme {line}"), parts);
    }

    #[track_caller]
    fn json(&self, line: &str) -> Json {
        serde_json::from_str(&self.does(&format!("{line} --json"))).unwrap()
    }

    fn position(&self) -> u64 {
        self.json("ledger status")["acknowledged"].as_u64().unwrap()
    }

    #[track_caller]
    fn deviations(&self, more: &str) -> Vec<Json> {
        let listed = self.json(&format!("deviation list {PERIOD} --control T-01 {more}"));
        listed["deviations"].as_array().unwrap().clone()
    }

    /// Item, attribute, standing and whether it is found, in the order of the list.
    #[track_caller]
    fn listed(&self, more: &str) -> String {
        let word = |d: &Json, name: &str| d[name].as_str().unwrap().to_owned();
        let one = |d: &Json| {
            format!(
                "{} {} {} {}",
                word(d, "item"),
                word(d, "attribute"),
                word(d, "standing"),
                word(d, "found")
            )
        };
        self.deviations(more).iter().map(one).collect::<Vec<_>>().join(", ")
    }

    #[track_caller]
    fn key(&self, item: &str, attribute: &str) -> String {
        let all = self.deviations("");
        let found = all.iter().find(|d| d["item"] == item && d["attribute"] == attribute).unwrap();
        found["key"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn criterion(&self, id: &str, more: &str) -> Json {
        let all = self.json(&format!("criteria {id} {more}"));
        assert_eq!(all["criteria"].as_array().unwrap().len(), 1);
        all["criteria"][0].clone()
    }

    /// The proposal of a criterion over the period, and all its reasons.
    #[track_caller]
    fn proposed(&self, id: &str) -> (String, String) {
        let found = self.criterion(id, PERIOD);
        let because = found["because"].as_array().unwrap();
        let because: Vec<&str> = because.iter().map(|b| b.as_str().unwrap()).collect();
        (found["proposal"].as_str().unwrap().to_owned(), because.join("; "))
    }
}

#[test]
fn a_deviation_that_was_entered_stays() {
    let company = Company::new();
    assert_eq!(
        company.listed(""),
        "T-2 a unregistered yes, T-2 b unregistered yes, T-3 a unregistered yes",
        "one item may break two rules"
    );
    company.refuses("deviation register --by ann", &["name it with --from and --to"]);
    let register = format!("deviation register {PERIOD} --control T-01 --by ann");
    assert!(company.does(&register).contains("entered 3 deviations as ledger entry"));
    let entries = company.position();
    assert!(
        company.does(&register).contains("nothing was entered: no deviation is new; 3 stood there already")
    );
    assert_eq!(company.position(), entries);
    // A late record, and a new name: the first deviation is not found any more, and it is still there.
    company.tickets(&ROWS.replace("2025-03-20T", "2025-03-09T").replace("second", "renamed"));
    assert_eq!(company.listed(""), "T-2 a unowned yes, T-2 b unowned yes, T-3 a unowned no");
    let gone = &company.deviations("")[2];
    let because = gone["found_because"].as_str().unwrap();
    let found_at = gone["registered"]["position"].as_u64().unwrap();
    assert!(because.contains("now pass") && because.contains(&format!("position {found_at}")), "{because}");
    assert_eq!(gone["registered"]["by"], "ann");
    assert_eq!(gone["registered"]["content"].as_str().unwrap().len(), 64);
    let renamed = &company.deviations("")[0];
    assert_eq!(renamed["label"], "renamed");
    assert!(renamed["found_because"].as_str().unwrap().contains("called `second`"), "{renamed}");
    // Its item leaves the population; the period ends before it; its control is not asked about.
    company.tickets(&ROWS.replace("2025-03-01T10:00:00Z,2025-03-20T", "2025-04-02T10:00:00Z,2025-04-03T"));
    let because = company.deviations("")[2]["found_because"].as_str().unwrap().to_owned();
    assert!(because.contains("not in the population any more"), "{because}");
    let before = company.json("deviation list --from 2025-01-01 --to 2025-01-31");
    let found: Vec<&str> =
        before["deviations"].as_array().unwrap().iter().map(|d| d["found"].as_str().unwrap()).collect();
    assert_eq!(found, ["not_asked"; 3]);
    let said = company.does(&format!("deviation list {PERIOD}"));
    assert!(said.contains("Without an owner (3)") && said.contains("not found at position"), "{said}");
    assert!(company.does("rebuild --diff").contains("every row is as it was"));
}

#[test]
fn what_people_decide_stands_beside_it_in_its_order() {
    let company = Company::new();
    company.does(&format!("deviation register {PERIOD} --control T-01 --by ann"));
    let (two, three) = (company.key("T-2", "b"), company.key("T-3", "a"));
    let before = company.position();
    company.does(&format!(
        "deviation triage {three} --cause haste --severity high --owner bob --due 2025-04-30 --by ann"
    ));
    company.does(&format!("deviation triage {two} --owner cy --due 2099-01-01 --by ann"));
    // Overdue, then without an owner, then the rest.
    assert_eq!(company.listed(""), "T-3 a overdue yes, T-2 a unowned yes, T-2 b open yes");
    assert_eq!(
        company.listed(&format!("--known-at {before}")),
        "T-2 a unowned yes, T-2 b unowned yes, T-3 a unowned yes",
        "as it was known before the triage"
    );
    company.does(&format!("deviation triage {three} --response training --by dan"));
    let described = &company.deviations("")[0];
    assert_eq!((&described["cause"], &described["response"]), (&"haste".into(), &"training".into()));
    assert_eq!(described["due"], "2025-04-30T23:59:59.999Z");
    assert_eq!(described["history"].as_array().unwrap().len(), 2);
    for (line, parts) in [
        (
            "triage D-nothing --owner bob --by ann",
            &["no deviation of the register is called `D-nothing`"][..],
        ),
        ("triage D- --owner bob --by ann", &["write more of its name"]),
        (&format!("triage {three} --by ann"), &["nothing is said"]),
        (&format!("triage {three} --compensating T-01 --by ann"), &["cannot make up for itself"]),
        (&format!("triage {three} --compensating T-99 --by ann"), &["there is no control `T-99`"]),
        (&format!("retest {three} --result pass --evidence 9999 --by ann"), &["no ledger entry 9999"]),
        (&format!("close {three} --by cy"), &["it was not retested"]),
        (&format!("close {three} --accept --reason fine --by Bob"), &["owns it"]),
        (&format!("close {three} --accept --reason fine --by dan"), &["wrote down what it is"]),
    ] {
        company.refuses(&format!("deviation {line}"), parts);
    }
    company.does(&format!("deviation retest {three} --result fail --evidence 2 --by bob"));
    company.refuses(&format!("deviation close {three} --by bob"), &["the last retest failed"]);
    company.does(&format!("deviation retest {three} --result pass --evidence 2 --by bob"));
    assert!(company.does(&format!("deviation close {three} --by bob")).contains("it stays in the register"));
    company.does(&format!("deviation close {two} --accept --reason retired --by eve"));
    assert_eq!(company.listed(""), "T-2 a unowned yes, T-3 a closed yes, T-2 b closed yes", "by their day");
    assert_eq!(company.listed("--open"), "T-2 a unowned yes");
    // A closing that came in by another door does not count, and says why.
    let first = company.key("T-2", "a");
    company.does(&format!(
        "record add deviation_close key=x deviation={first} deviation.kind=deviation accepted=no \
         closed_by=ann closed_by.system=tickmark --reason typed"
    ));
    let said = company.does(&format!("deviation list {PERIOD}"));
    assert!(said.contains("does not count: it was not retested"), "{said}");
    assert!(company.listed("").starts_with("T-2 a unowned yes"));
    assert!(company.does("rebuild --diff").contains("every row is as it was"));
}

#[test]
fn a_waiver_marks_and_counts_nothing() {
    let company = Company::new();
    let add =
        |rest: &str| company.does(&format!("waiver add {rest} --control T-01 --reason holidays --by ann"));
    // T-3 occurred on 1 March at 10:00.
    add("W-late --from 2025-03-01T10:00:00.001Z --to 2025-12-31 --approved-by cy --approved-at 2025-01-01");
    add("W-retro --from 2025-02-15 --to 2025-12-31 --approved-by cy --approved-at 2025-03-02");
    add("W-over --from 2025-01-01 --to 2025-01-31 --approved-by cy --approved-at 2024-12-01");
    add("W-open --from 2025-02-15 --to forever");
    let stands = |company: &Company| -> String {
        let all = company.deviations("");
        let three = all.iter().find(|d| d["item"] == "T-3").unwrap();
        let waivers = three["waivers"].as_array().unwrap();
        let one = |w: &Json| format!("{} {}", w["key"].as_str().unwrap(), w["stands"].as_str().unwrap());
        waivers.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let none = "W-over expired, W-open not_approved, W-retro retroactive, W-late begins_later";
    assert_eq!(stands(&company), none);
    let assess = format!("assess {PERIOD} --control T-01");
    let before = company.json(&assess);
    let tested = procedure(&before, "tickets_closed");
    assert!(tested["items"].as_array().unwrap().iter().all(|i| i.get("waived").is_none()));
    let position = company.position();
    add("W-good --item T-3 --from 2025-02-15 --to 2025-03-31 --approved-by cy --approved-at 2025-02-14");
    assert_eq!(
        stands(&company),
        "W-over expired, W-good covers, W-open not_approved, W-retro retroactive, W-late begins_later"
    );
    let after = company.json(&assess);
    let waived = procedure(&after, "tickets_closed");
    assert_eq!(waived["attributes"], tested["attributes"], "no count moves");
    assert_eq!(waived["conclusion"], "exceptions_noted");
    assert_eq!(waived["items"][2]["waived"], "W-good");
    assert_eq!(waived["items"][1].get("waived"), None, "another item");
    assert!(company.does(&assess).contains("(waived by W-good)"));
    // As it was known before.
    let earlier = company.json(&format!("{assess} --known-at {position}"));
    assert_eq!(procedure(&earlier, "tickets_closed")["items"][2].get("waived"), None);
    let listed = company.does("waiver list");
    assert!(listed.contains("approved late") && listed.contains("without an end"), "{listed}");
    company.refuses(
        "waiver add W-x --control T-01 --reason r --from 2025-02-01 --to 2025-01-01 --by ann",
        &["before it begins"],
    );
    company.refuses(
        "waiver add W-x --control T-99 --reason r --from 2025-02-01 --to forever --by ann",
        &["there is no control `T-99`"],
    );
}

#[test]
fn a_criterion_is_proposed_by_its_key_controls() {
    let company = Company::new();
    let (proposal, because) = company.proposed("X1.1");
    assert_eq!(proposal, "not_met", "{because}");
    assert!(because.contains("the design of T-01 cannot be concluded: nobody concluded it"), "{because}");
    let design = |id: &str| {
        company.does(&format!(
            "control design {id} --conclusion suitable --item T-1 --for 2025-01-01 --reason walkthrough --by ann"
        ));
    };
    design("T-01");
    design("T-02");
    design("T-03");
    let control = |id: &str| company.json(&format!("control {id} {PERIOD}"))["controls"][0].clone();
    let (one, two, three) = (control("T-01"), control("T-02"), control("T-03"));
    assert_eq!((&one["design"], &one["operation"]), (&"suitable".into(), &"exceptions_noted".into()));
    assert_eq!((&two["design"], &two["operation"]), (&"suitable".into(), &"no_exceptions".into()));
    assert_eq!((&three["design"], &three["operation"]), (&"suitable".into(), &"cannot_conclude".into()));
    assert_eq!(three["operation_because"][0], "no procedure tests it");
    // Neither a criterion whose controls are not key, nor one nobody tests, nor one without controls is met.
    assert!(company.proposed("X1.2").1.contains("none of its controls is a key control"));
    assert!(company.proposed("X1.3").1.contains("no procedure tests it"));
    assert!(company.proposed("X1.4").1.contains("no control answers to it"));
    for id in ["X1.2", "X1.3", "X1.4"] {
        assert_eq!(company.proposed(id).0, "cannot_conclude", "{id}");
    }
    assert!(company.proposed("X1.1").1.contains("(not in the register) stands: no control is named"));
    let decide = |decision: &str| {
        format!("criteria decide X1.1 --decision {decision} {PERIOD} --reason weighed --by cy")
    };
    company.refuses(&decide("met"), &["it cannot be `met` while what is known says `not_met`"]);

    // Every deviation is made up for by a control that was tested and held.
    company.does(&format!("deviation register {PERIOD} --by ann"));
    for (item, attribute) in [("T-2", "a"), ("T-2", "b"), ("T-3", "a")] {
        let key = company.key(item, attribute);
        assert_eq!(company.proposed("X1.1").0, "not_met");
        company.does(&format!("deviation triage {key} --compensating T-02 --owner bob --by ann"));
    }
    assert_eq!(company.proposed("X1.1").0, "met_with_exceptions");
    company.refuses(&decide("met"), &["it cannot be `met`"]);
    company.refuses(
        "criteria decide X1.1 --decision met-with-exceptions --reason r --by cy",
        &["name it with --from and --to"],
    );
    company.does(&decide("met-with-exceptions"));
    let decided = company.criterion("X1.1", PERIOD);
    assert_eq!(decided["decision"]["by"], "cy");
    assert_eq!(decided["decision"].get("stale"), None);
    // The compensating control turns out to fail: the decision was taken in view of less.
    let position = company.position();
    company.incidents("I-1,2025-02-10T10:00:00Z,yes\nI-2,2025-02-11T10:00:00Z,no\n");
    let (proposal, because) = company.proposed("X1.1");
    assert!(proposal == "not_met" && because.contains("T-02 has exceptions itself"), "{because}");
    let said = company.does(&format!("criteria X1.1 {PERIOD}"));
    assert!(said.contains("stale: decided in view of position"), "{said}");
    let earlier = company.criterion("X1.1", &format!("{PERIOD} --known-at {position}"));
    assert_eq!(earlier["proposal"], "met_with_exceptions");
    assert_eq!(earlier["decision"].get("stale"), None);

    // A changed statement has nobody who concluded about it.
    company.write(
        "acme/content/controls/T-01.toml",
        &format!(
            "criteria = [\"X1.1\"]\nkey = [\"X1.1\"]\n{}",
            CONTROL.replace("to be done", "to be done at once")
        ),
    );
    let changed = control("T-01");
    assert_eq!(changed["design"], "cannot_conclude");
    assert!(changed["design_because"].as_str().unwrap().contains("statement has changed"), "{changed}");
}

#[test]
fn a_date_asks_about_design_and_says_nothing_of_operation() {
    let company = Company::new();
    let design = "--conclusion suitable --evidence 2 --for 2025-03-01 --reason walkthrough --by ann";
    company.does(&format!("control design T-01 {design}"));
    let at = |day: &str| company.criterion("X1.1", &format!("--as-of {day}"));
    assert_eq!(at("2025-02-28")["proposal"], "cannot_conclude", "nobody had concluded it by then");
    let found = at("2025-03-31");
    assert_eq!(found["proposal"], "met", "{found}");
    assert!(found["remarks"][0].as_str().unwrap().contains("T-01 has no owner"), "{found}");
    company.does("control own T-01 --owner bob --by ann");
    assert_eq!(at("2025-03-31").get("remarks"), None);
    let control = company.json("control T-01 --as-of 2025-03-31");
    assert_eq!(control["controls"][0].get("operation"), None);
    assert_eq!(control["controls"][0]["owner"], "bob");
    let said = company.does("criteria --as-of 2025-03-31");
    for word in ["certified", "passed the audit", "no exceptions", "exceptions noted", "did not operate"] {
        assert!(!said.contains(word), "{word}: {said}");
    }
    company.does("criteria decide X1.1 --decision met --as-of 2025-03-31 --reason walked --by cy");
    assert_eq!(at("2025-03-31")["decision"]["decision"], "met");
    assert_eq!(at("2025-03-30").get("decision"), None, "of another date nobody decided");
}

#[test]
fn a_strip_shows_the_hour_nobody_looked_at() {
    let company = Company::new();
    let one = "Key,Label,Made,Closed\nT-9,ninth,2024-05-01T10:00:00Z,\n";
    company.write("more.csv", one);
    let covers = |window: &str| {
        company.does(&format!("import more.csv --map tickets.toml --yes --source more --covers {window}"));
    };
    covers("2024-01-01T00:00:00Z..2024-06-01T00:00:00Z");
    covers("2024-06-01T01:00:00Z..2024-12-31T00:00:00Z");
    let line = "coverage --from 2024-01-01 --to 2024-12-30 --table ticket";
    let report = company.json(line);
    let table = &report["tables"][0];
    let strip = table["strip"].as_str().unwrap();
    assert_eq!((strip.chars().count(), strip.matches('·').count()), (52, 1), "{strip}");
    assert_eq!(strip.matches('█').count(), 51, "{strip}");
    assert_eq!((&table["complete_permille"], &table["grade"]), (&999.into(), &"asserted".into()));
    let gaps = table["gaps"].as_array().unwrap();
    assert_eq!(gaps.len(), 1);
    assert_eq!(
        (&gaps[0]["from"], &gaps[0]["to"], &gaps[0]["status"]),
        (&"2024-06-01T00:00:00Z".into(), &"2024-06-01T01:00:00Z".into(), &"not_looked".into())
    );
    assert_eq!(
        (&table["first"], &table["last"]),
        (&"2024-01-01T00:00:00Z".into(), &"2025-04-01T00:00:00Z".into())
    );
    let said = company.does(line);
    assert!(said.contains("99.9 %") && said.contains("█ complete") && said.contains("† expired"), "{said}");
    assert!(!said.contains('\u{1b}'), "nothing of it is a colour");
    // What nobody supplies is said; and before anything was known nothing was.
    let all = company.json(&format!("coverage {PERIOD}"));
    let unsupplied: Vec<&str> =
        all["unsupplied"].as_array().unwrap().iter().map(|u| u["table"].as_str().unwrap()).collect();
    assert!(unsupplied.contains(&"vuln") && !unsupplied.contains(&"ticket"), "{unsupplied:?}");
    assert_eq!(company.json(&format!("coverage {PERIOD} --known-at 0"))["tables"], serde_json::json!([]));
    company.refuses("coverage --table tikcet", &["there is no table `tikcet`"]);
}

#[test]
fn who_is_named_next_ends_who_answered_before() {
    let company = Company::new();
    for owner in ["bob", "cy"] {
        company.does(&format!("control own T-01 --owner {owner} --by ann"));
    }
    company.does("control own T-02 --owner bob --by ann");
    let ask = |sql: &str| company.0.run(["--workspace", "acme", "query", sql, "--format", "csv"]).succeeded();
    // One after the other, without a gap and without an overlap.
    let after = "SELECT count(*) AS n FROM control_owner_history o \
                 JOIN control_owner_history p ON p.control = o.control AND p.valid_from = o.valid_to \
                 WHERE o.control = 'T-01' AND o.owner <> p.owner AND p.valid_to = 253402300799999";
    assert_eq!(ask(after).lines().last(), Some("1"));
    let all = "SELECT o.control AS control, count(*) AS n FROM control_owner_history o \
               GROUP BY o.control ORDER BY o.control NULLS FIRST";
    let all = ask(all);
    assert!(all.contains("T-01,2") && all.contains("T-02,1"), "{all}");
    let owner = |id: &str| company.json(&format!("control {id}"))["controls"][0]["owner"].clone();
    assert_eq!((owner("T-01"), owner("T-02")), ("cy".into(), "bob".into()));
}

#[test]
fn a_recorded_assessment_says_which_controls_were_tested() {
    let company = Company::new();
    let period = "--from 2025-01-01 --to 2025-03-31";
    let said =
        |sql: &str| company.0.run(["--workspace", "acme", "query", sql, "--format", "csv"]).succeeded();
    let all = "SELECT t.control AS control, t.conclusion AS conclusion FROM control_test t \
               ORDER BY t.control NULLS FIRST";
    let size = || said("SELECT max(t.entry) AS n FROM ticket t");
    let before = size();
    company.does(&format!("assess {period}"));
    assert_eq!((said(all), size()), ("control,conclusion\n".to_owned(), before), "to ask writes nothing");
    let control = company.json(&format!("control T-01 {period}"))["controls"][0]["operation"].clone();
    let recorded = company.does(&format!("assess --record {period}"));
    assert!(recorded.contains("is recorded in ledger entry"), "{recorded}");
    let rows = said(all);
    assert!(rows.contains(&format!("T-01,{}", control.as_str().unwrap())), "{control} {rows}");
    // What no procedure tests was not tested.
    assert!(!rows.contains("PHY-01"), "{rows}");
}
