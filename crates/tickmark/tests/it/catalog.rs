//! `tickmark catalog` and `tickmark gaps`: the content from every side, a workspace's own over it, and the way to readiness.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::support::Home;

const CONTROL: &str = "title = \"Our own\"\ncriteria = [\"CC8.1\"]\nowner_role = \"IT\"\nfrequency = \"annual\"\n\
                       mode = \"manual\"\nstatement = \"Somebody does it.\"\n";

fn write(home: &Home, path: &str, text: &str) {
    let file = home.workspace().join("content").join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn json(home: &Home, line: &str) -> Json {
    serde_json::from_str(&home.does(line)).unwrap()
}

fn found<'a>(list: &'a Json, id: &str) -> &'a Json {
    list.as_array().unwrap().iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("no {id}"))
}

fn texts(list: &Json) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect()
}

#[test]
fn the_catalogue_is_read_from_the_criterion_to_what_feeds_its_tests() {
    let home = Home::new();
    let criterion = &json(&home, "catalog criteria CC8.1 --json")[0];
    assert!(texts(&criterion["procedures"]).contains(&"change_independent_review"), "{criterion}");
    assert!(texts(&criterion["fed_by"]).contains(&"github.reviews"), "{criterion}");
    assert_eq!(json(&home, "catalog criteria --json").as_array().unwrap().len(), 61);
    // What a person gathers for a manual control: what, how often, who.
    let control = home.does("catalog controls PHY-01");
    assert!(
        control.contains("The list of badges held against the roster")
            && control.contains("(quarterly, Facilities)")
    );
    assert!(control.contains("7.1, 7.2, 7.3") && control.contains("164.310(a)(1)"), "{control}");
    for line in
        ["catalog controls", "catalog procedures", "catalog tables", "catalog presets", "catalog policy"]
    {
        assert!(home.does(line).lines().count() > 4, "{line}");
        assert!(!json(&home, &format!("{line} --json")).as_array().unwrap().is_empty(), "{line}");
    }
    let table = home.does("catalog tables approval");
    assert!(
        table.contains("change_independent_review") && table.contains("approved_at  instant, may be unknown"),
        "{table}"
    );
    home.refuses("catalog controls CHG-2", &["there is no control `CHG-2`", "did you mean `CHG-02`?"]);
    home.refuses("catalog policy peple", &["there is no policy `peple`", "did you mean `people`?"]);
}

#[test]
fn a_policy_has_the_organisation_and_the_parameters_in_force() {
    let home = Home::new();
    home.does("init acme --organisation Halden");
    let policy = home.does("--workspace acme catalog policy people");
    assert!(policy.starts_with("# People policy") && !policy.contains("{{"), "{policy}");
    assert!(policy.contains("**30** (HR-02: `security_training.joiner_days`)"), "{policy}");
    assert!(home.does("--workspace acme catalog policy information_security").contains("How Halden keeps"));
}

#[test]
fn a_broken_override_is_named_and_concludes_nothing() {
    let home = Home::new();
    // Nothing is known of any other control either, but of this one the reason is its file.
    write(&home, "controls/CHG-02.toml", &CONTROL.replace("owner_role", "owner_rol"));
    let ran = home.run(["control", "CHG-02", "--json"]);
    assert!(
        ran.err.contains("left out: content/controls/CHG-02.toml:3:1: `owner_rol` is not a field here; did you mean `owner_role`?"),
        "{}",
        ran.err
    );
    let control = serde_json::from_str::<Json>(&ran.succeeded()).unwrap()["controls"][0].clone();
    assert_eq!(
        (&control["operation"], &control["design"]),
        (&"cannot_conclude".into(), &"cannot_conclude".into())
    );
    assert_eq!(control["design_because"], "content/controls/CHG-02.toml could not be read");
    assert!(control["operation_because"].to_string().contains("could not be read"), "{control}");
    // The criterion still rests on it: a key control does not vanish by a typo.
    let criterion = &json(&home, "catalog criteria CC8.1 --json")[0];
    assert_eq!(found(&criterion["controls"], "CHG-02")["key"], true);
    assert!(home.does("catalog controls").contains("cannot be read: see its file"));
    let gaps = json(&home, "gaps --json");
    assert_eq!(
        (&gaps["gaps"][0]["kind"], &gaps["gaps"][0]["controls"][0]),
        (&"unreadable".into(), &"CHG-02".into())
    );
    // Everything else works.
    assert_eq!(json(&home, "catalog controls IAM-02 --json")[0]["origin"], "built_in");
    write(&home, "controls/CHG-02.toml", CONTROL);
    let control = &json(&home, "catalog controls CHG-02 --json")[0];
    assert_eq!((&control["origin"], &control["title"]), (&"workspace".into(), &"Our own".into()));
}

#[test]
fn what_is_wrong_in_own_content_names_file_line_and_way_out() {
    let home = Home::new();
    let says = |path: &str, text: &str, parts: &[&str]| {
        write(&home, path, text);
        let ran = home.run(["catalog", "controls", "CHG-01"]);
        for part in parts {
            assert!(ran.err.contains(part), "no `{part}` in: {}", ran.err);
        }
        ran.succeeded();
        fs::remove_file(home.workspace().join("content").join(path)).unwrap();
    };
    // Two overrides of one control.
    write(&home, "controls/CHG-02.toml", CONTROL);
    says(
        "controls/it/CHG-02.toml",
        CONTROL,
        &[
            "content/controls/it/CHG-02.toml: `CHG-02` is already declared in `controls/CHG-02.toml`",
            "keep one of the two",
        ],
    );
    fs::remove_file(home.workspace().join("content/controls/CHG-02.toml")).unwrap();
    says(
        "controls/OWN-01.toml",
        &CONTROL.replace("CC8.1", "CC5.8"),
        &[
            "content/controls/OWN-01.toml:2:13: `CC5.8` was a criterion until 2017",
            "`tickmark catalog criteria` lists them",
        ],
    );
    says(
        "controls/OWN-01.toml",
        &CONTROL.replace("mode", "requires = \"7.0\"\nmode"),
        &["content/controls/OWN-01.toml:5:12: the file is for Tickmark 7.0 or later"],
    );
    says(
        "policies/own.md",
        "# Own\n\n{{control CHG-99}}\n",
        &["content/policies/own.md:3:1: there is no control `CHG-99`"],
    );
    says(
        "presets/own.toml",
        "title = \"x\"\nfor_whom = \"y\"\ncategories = [\"privacy\"]\n",
        &["content/presets/own.toml:3:14: security is in every scope"],
    );
}

const TABLE: &str = "kind = \"event\"\ndoc = \"A thing.\"\n\n[[columns]]\nname = \"done_at\"\ntype = \"instant\"\ndoc = \"When.\"\n";
const PROCEDURE: &str = "title = \"Things are done\"\ncontrols = [\"PHY-01\"]\npopulation = \"every thing\"\n\
                         population_tables = [\"thing\"]\nattributed_by = \"when it was done\"\nhow_to_fix = \"Do it.\"\n\n\
                         [tables.thing]\n\n[attributes.a]\nsays = \"it was done\"\ndeviation = \"it was not\"\n\n\
                         [parameters.days]\ntype = \"integer\"\ndefault = 5\nmin = 1\nmax = 30\ndoc = \"Days.\"\n";
const QUERY: &str = "SELECT t.id AS item, 'thing' AS label, t.done_at AS occurred_at, t.entry AS entry, t.grade AS grade,\n\
                     CASE WHEN t.done_at + $days > 0 THEN 'pass' ELSE 'deviation' END AS a\n  FROM thing t\n";

#[test]
fn a_procedure_whose_table_nothing_feeds_concludes_nothing() {
    let home = Home::new();
    write(&home, "tables/thing.toml", TABLE);
    write(&home, "procedures/own_things/procedure.toml", PROCEDURE);
    write(&home, "procedures/own_things/query.sql", QUERY);
    let said = home.does("catalog procedures own_things");
    assert!(said.contains("thing: no source names it, so that what rests on it stays unknown"), "{said}");
    let control = &json(&home, "control PHY-01 --json")["controls"][0];
    assert_eq!(
        (&control["operation"], &control["procedures"][0]),
        (&"cannot_conclude".into(), &"own_things".into())
    );
    // A default that its own range does not allow, a control that does not exist: the procedure is left out, its control is not
    // concluded by what is left.
    for (from, to, message) in [
        (
            "default = 5",
            "default = 31",
            "procedure.toml:16:11: `days` is 31; the greatest value allowed is 30",
        ),
        ("\"PHY-01\"", "\"PHY-01\", \"PHY-77\"", "procedure.toml:2:23: there is no control `PHY-77`"),
    ] {
        let text = PROCEDURE.replace(from, to);
        write(&home, "procedures/own_things/procedure.toml", &text);
        let ran = home.run(["control", "PHY-01", "--json"]);
        assert!(ran.err.contains(message), "{}", ran.err);
        let because = serde_json::from_str::<Json>(&ran.succeeded()).unwrap()["controls"][0].clone();
        assert!(
            because["operation_because"].to_string().contains("`own_things` could not be read"),
            "{because}"
        );
    }
}

#[test]
fn five_thousand_own_controls_are_no_burden() {
    let home = Home::new();
    for n in 0..5000 {
        write(&home, &format!("controls/own/OWN-{n:04}.toml"), CONTROL);
    }
    let started = Instant::now();
    let list = home.does("catalog controls");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(list.lines().filter(|l| l.contains("OWN-")).count(), 5000);
    let refusal = home.refuses("catalog controls XXXXXXXX-1", &["there is no control"]);
    assert!(refusal.len() < 1000, "{refusal}");
}

#[test]
fn what_carries_over_to_other_frameworks_is_never_called_the_same() {
    let home = Home::new();
    for framework in ["iso", "hipaa"] {
        for form in ["", "--json", "--csv"] {
            let said = home.does(&format!("catalog crosswalk {framework} {form}"));
            assert!(!said.to_lowercase().contains("equivalent"), "{said}");
        }
    }
    let csv = home.does("catalog crosswalk iso --csv");
    let annex = csv.lines().filter(|l| l.starts_with(['5', '6', '7', '8'])).count();
    assert_eq!(annex, 93, "{csv}");
    // Whether a number applies is nobody's to say but the organisation's: the cells are empty.
    assert!(
        csv.lines().any(|l| l.starts_with("8.32,Technological,Changes,,,") && l.contains(" CHG-02 ")),
        "{csv}"
    );
    assert!(csv.lines().any(|l| l.starts_with("7.12,Physical,Cables,,,,,,no,")), "{csv}");
    let hipaa = json(&home, "catalog crosswalk hipaa --json");
    let backup = found(&hipaa["numbers"], "164.308(a)(7)(ii)(A)");
    assert_eq!((texts(&backup["controls"]), &backup["uncovered"]), (vec!["AVL-04"], &false.into()));
    assert_eq!(found(&hipaa["numbers"], "164.310(a)(2)(iv)")["uncovered"], true);
}

#[test]
fn a_preset_decides_on_every_category() {
    let home = Home::new();
    let decide = "--from 2025-01-01 --reason start --approved-by cy@example.test --approver-system idp.example.test --yes";
    home.refuses(&format!("scope preset secrity {decide}"), &["there is no preset `secrity`", "security"]);
    home.does(&format!("scope preset security_availability_confidentiality {decide}"));
    let rules = json(&home, "scope list --json")["rules"].clone();
    let said: Vec<(&str, bool)> = rules
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["subject"].as_str().unwrap(), r["included"].as_bool().unwrap()))
        .collect();
    for expected in [
        ("availability", true),
        ("confidentiality", true),
        ("processing_integrity", false),
        ("privacy", false),
    ] {
        assert!(said.contains(&expected), "{expected:?} in {said:?}");
    }
    let gaps = json(&home, "gaps --json");
    assert_eq!((&gaps["steps"][0]["done"], &gaps["steps"][1]["done"]), (&true.into(), &true.into()));
}

#[test]
fn the_way_from_nothing_is_told_and_shortens_by_what_is_done() {
    let home = Home::new();
    let said = home.does("gaps");
    for part in [
        "Begin here",
        "tickmark scope preset",
        "The seven steps",
        "cannot be told yet",
        "A window breaks when",
    ] {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
    // It can be read: no more than a few screens.
    assert!(said.lines().count() < 150, "{} lines", said.lines().count());
    let open = |gaps: &Json, kind: &str, control: &str| {
        gaps["gaps"]
            .as_array()
            .unwrap()
            .iter()
            .any(|g| g["kind"] == kind && texts(&g["controls"]).contains(&control))
    };
    let before = json(&home, "gaps --json");
    assert!(open(&before, "owner", "PHY-01") && open(&before, "never_done", "PHY-01"));
    home.does("control own PHY-01 --owner ann --by cy");
    fs::write(home.path().join("badges.txt"), "nobody but us\n").unwrap();
    let day = &home.does("gaps")[..];
    let today = day.split(" to ").nth(1).unwrap()[..10].to_owned();
    home.does(&format!("evidence add badges.txt --control PHY-01 --covers {today}..{today}"));
    let after = json(&home, "gaps --json");
    assert!(!open(&after, "owner", "PHY-01"), "{after}");
    home.refuses("gaps --role Nobody", &["no role is called `Nobody`", "Facilities"]);
    let of_role = json(&home, "gaps --role facilities --json");
    assert!(of_role["gaps"].as_array().unwrap().iter().all(|g| g["role"] == "Facilities"), "{of_role}");
}
