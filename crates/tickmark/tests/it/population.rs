//! Populations and samples, end to end: what is frozen twice shows, what is drawn can be drawn again by the script of the page,
//! and nothing that was drawn ever disappears.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use ledger::{Folder, Kind, Ledger, NewEntry};
use model::{Document, Instant};
use serde_json::Value as Json;

use crate::anchor::{NAME, Witness, proxy};
use crate::support::{Home, ran};

const PERIOD: &str = "--from 2025-01-01 --to 2025-03-31";
const CONTROL: &str = "title = \"A control\"\nowner_role = \"Support\"\nfrequency = \"per_event\"\nmode = \"auto\"\n\
    statement = \"Somebody does what is to be done.\"\ncriteria = [\"CC7.2\"]\n";
const PROCEDURE: &str = "title = \"Tickets are closed\"\ncontrols = [\"T-01\"]\npopulation = \"every ticket of the period\"\n\
     population_tables = [\"ticket\"]\nattributed_by = \"when it was made\"\nhow_to_fix = \"Close them.\"\n[tables.ticket]\n\
     [attributes.a]\nsays = \"it was closed\"\ndeviation = \"it was never closed\"\n";
const QUERY: &str = "SELECT t.id AS item, t.label AS label, t.created_at AS occurred_at, t.entry AS entry, t.grade AS grade,\n\
     CASE WHEN t.closed_at >= t.created_at THEN 'pass' ELSE 'deviation' END AS a\n\
     FROM ticket t WHERE t.created_at >= $from AND t.created_at < $to AND t.in_scope = 1\n";
const MAP: &str = "table = \"ticket\"\nkey = \"Key\"\n[columns]\nlabel = \"Label\"\ncreated_at = \"Made\"\nclosed_at = \"Closed\"\n";
const NONCE: &str = "8f4c2a01d6b35e7790ab1cde23f45687";
/// SHA-256 of these sixteen bytes, by `xxd -r -p | sha256sum`.
const HASH: &str = "3525b6a9da5f4377e0a6de8de27682274074d632fe9188dff12d6f9f2ed440e0";
const AUDITOR: &str = "--by audrey --reason test";

struct Company {
    home: Home,
    witness: std::cell::OnceCell<Witness>,
}

/// `count` tickets, one a day from 1 January on and again from there after eighty days; each is closed, but for those named.
fn tickets(count: usize, open: &[usize]) -> String {
    let one = |n: usize| {
        let (month, day) = (1 + n % 80 / 28, 1 + n % 80 % 28);
        let closed =
            if open.contains(&n) { String::new() } else { format!("2025-04-{:02}T10:00:00Z", 1 + n % 28) };
        format!("T-{n},Somebody's secret {n},2025-{month:02}-{day:02}T10:00:00Z,{closed}\n")
    };
    format!("Key,Label,Made,Closed\n{}", (0..count).map(one).collect::<String>())
}

impl Company {
    fn new(rows: &str) -> Self {
        let company = Self { home: Home::new(), witness: std::cell::OnceCell::new() };
        company.home.does("init acme");
        company.write("acme/content/controls/T-01.toml", CONTROL);
        company.write("acme/content/procedures/tickets_closed/procedure.toml", PROCEDURE);
        company.write("acme/content/procedures/tickets_closed/query.sql", QUERY);
        company.write("tickets.toml", MAP);
        company.import(rows);
        company
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.home.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn import(&self, rows: &str) {
        self.write("tickets.csv", rows);
        self.does("import tickets.csv --map tickets.toml --yes --covers 2025-01-01..2025-03-31");
    }

    #[track_caller]
    fn does(&self, line: &str) -> String {
        self.home.does(&format!("--workspace acme {line}"))
    }

    #[track_caller]
    fn refuses(&self, line: &str, parts: &[&str]) {
        self.home.refuses(&format!("--workspace acme {line}"), parts);
    }

    #[track_caller]
    fn json(&self, line: &str) -> Json {
        serde_json::from_str(&self.does(&format!("{line} --json"))).unwrap()
    }

    /// Freezes the tickets, by management. Gives the entry.
    #[track_caller]
    fn freeze(&self) -> u64 {
        let frozen =
            self.json(&format!("population freeze --control T-01 {PERIOD} --by max --reason quarter"));
        frozen[0]["population"].as_u64().unwrap()
    }

    /// A witness vouches, as somebody outside.
    fn anchor(&self) {
        let witness = self.witness.get_or_init(|| {
            let status = self.json("ledger status");
            Witness::of(status["vkey"].as_str().unwrap())
        });
        let (url, key) = (format!("http://{}", NAME.split('/').next().unwrap()), witness.key.to_string());
        let arguments = ["--workspace", "acme", "ledger", "anchor", "--witness", &url, "--witness-key", &key];
        ran(self.home.command(arguments).env("HTTP_PROXY", proxy(&witness.url))).succeeded();
    }

    #[track_caller]
    fn draw(&self, population: u64, more: &str) -> Json {
        self.json(&format!("sample draw {population} {AUDITOR} {more}"))
    }

    #[track_caller]
    fn show(&self, sample: u64) -> Json {
        self.json(&format!("sample show {sample}"))
    }

    fn populations(&self) -> Vec<Json> {
        self.json("population list")["populations"].as_array().unwrap().clone()
    }

    /// The document of a frozen population.
    fn frozen(&self, population: u64) -> Json {
        let document = self.does(&format!("ledger show {population}"));
        serde_json::from_str(document.split_once('\n').unwrap().1).unwrap()
    }
}

/// Rows of a sample in its order, those that were replaced too.
fn rows(sample: &Json) -> Vec<u64> {
    sample["items"].as_array().unwrap().iter().map(|item| item["row"].as_u64().unwrap()).collect()
}

/// The rows that count.
fn in_force(sample: &Json) -> Vec<u64> {
    let items = sample["items"].as_array().unwrap().iter();
    items.filter(|item| item.get("invalid").is_none()).map(|item| item["row"].as_u64().unwrap()).collect()
}

fn number(sample: &Json) -> u64 {
    sample["sample"].as_u64().unwrap()
}

/// What a Python block of docs/sampling.md prints; `None`, said aloud, without Python.
#[expect(clippy::print_stdout, reason = "a test says what it skips")]
fn python(block: usize, arguments: &str, input: &str) -> Option<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sampling.md");
    let page = fs::read_to_string(page).unwrap();
    let script = page.split("```python\n").nth(1 + block).unwrap().split("```").next().unwrap();
    let mut command = Command::new("python3");
    command.args(["-X", "utf8", "-c", script]).args(arguments.split_whitespace());
    let mut child = match command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(why) => {
            assert!(std::env::var_os("TICKMARK_CI").is_none(), "python3: {why}");
            println!("skipped: python3 is missing");
            return None;
        }
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The script draws every stream of a sample again.
#[track_caller]
pub(crate) fn redrawn(sample: &Json) {
    for stream in sample["streams"].as_array().unwrap() {
        let Some(said) = python(0, stream["redraw"].as_str().unwrap(), "") else { return };
        let theirs: Vec<u64> = said.lines().map(|line| line.parse().unwrap()).collect();
        let ours: Vec<u64> =
            stream["places"].as_array().unwrap().iter().map(|p| p.as_u64().unwrap()).collect();
        assert_eq!(theirs, ours, "{stream}");
    }
}

#[test]
fn a_second_freeze_shows() {
    let company = Company::new(&tickets(12, &[3]));
    let first = company.freeze();
    let again = company.freeze();
    let listed = company.populations();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["root"], listed[1]["root"], "the same rows give the same root");
    assert_eq!(listed[0]["newer"], again);
    let beside = |listed: &[Json], at: usize| {
        let b = &listed[at]["beside"];
        ["population", "added", "removed", "changed"].map(|name| b[name].as_u64().unwrap())
    };
    assert_eq!(beside(&listed, 1), [first, 0, 0, 0]);
    // One ticket is closed after all, and one comes to light.
    company.import(&tickets(13, &[]));
    let third = company.freeze();
    let listed = company.populations();
    assert_eq!(beside(&listed, 2), [again, 1, 0, 1]);
    assert_ne!(listed[1]["root"], listed[2]["root"]);
    assert_eq!(listed[2]["count"], 13);
    // A shorter period leaves out what is not liked, and shows beside the others.
    company.does("population freeze --procedure tickets_closed --from 2025-01-01 --to 2025-01-10 --by max --reason less");
    let listed = company.populations();
    assert_eq!(beside(&listed, 3), [third, 0, 3, 0]);
    assert_eq!(listed[3]["beside"]["same_period"], false);
    let said = company.does("population list");
    assert!(said.contains(&format!("beside {third}, of another period: 0 items added, 3 removed")), "{said}");
    // An older one can be drawn from, and says that it is older.
    let sample = company.draw(first, &format!("--unanchored --size 2 --nonce {NONCE}"));
    assert_eq!(sample["newer"], listed[3]["population"]);
    let said = company.does("sample list");
    assert!(said.contains("drawn from an older freeze"), "{said}");
    // A void one stays.
    company.does(&format!("population void {third} --by max --reason mistyped"));
    company.refuses(&format!("population void {third} --by max --reason again"), &["void since entry"]);
    let listed = company.populations();
    assert_eq!(listed.len(), 4);
    assert_eq!(listed[2]["void"]["reason"], "mistyped");
    assert!(company.does("population list").contains("VOID since entry"));
    company.refuses(
        &format!("sample draw {third} {AUDITOR} --unanchored --size 2 --nonce {NONCE}"),
        &["was declared void", "freeze another one"],
    );
}

#[test]
fn a_kinder_sample_by_freezing_twice_shows() {
    // Half of the tickets are open when the auditor draws, and are mended and frozen again afterwards.
    let open: Vec<usize> = (0..80).filter(|n| n % 2 == 0).collect();
    let company = Company::new(&tickets(80, &open));
    let first = company.freeze();
    company.anchor();
    let grim = company.draw(first, &format!("--size 20 --nonce {NONCE}"));
    assert!(grim["evaluation"]["deviating"].as_u64().unwrap() > 0);
    company.import(&tickets(80, &[]));
    let second = company.freeze();
    company.anchor();
    // With the nonce that everybody knows by now nothing can be drawn, with another one it can; and it shows on every page.
    company.refuses(
        &format!("sample draw {second} --size 20 --nonce {NONCE} {AUDITOR}"),
        &["this nonce is known"],
    );
    let kind = company.draw(second, "--size 20 --nonce 00112233445566778899aabbccddeeff");
    assert_eq!(kind["evaluation"]["deviating"], 0);
    assert_eq!(kind["beside"], serde_json::json!([number(&grim)]));
    let said = company.does(&format!("sample show {}", number(&kind)));
    assert!(said.contains(&format!("other draws about the same: {}", number(&grim))), "{said}");
    assert!(said.contains("the nonce's hash was never lodged"), "{said}");
    let listed = company.populations();
    assert_eq!((&listed[0]["newer"], &listed[1]["beside"]["changed"]), (&second.into(), &40.into()));
    // Declaring the first one void takes it from no list.
    company.does(&format!("population void {first} --by max --reason mistyped"));
    assert_eq!(company.json("sample list")["samples"].as_array().unwrap().len(), 2);
    let said = company.does("population list");
    assert!(said.contains("VOID since entry") && said.contains("40 changed"), "{said}");
    let said = company.does(&format!("sample show {}", number(&kind)));
    assert!(said.contains(&format!("other draws about the same: {}", number(&grim))), "{said}");
}

#[test]
fn a_population_says_how_it_came_about_and_names_nobody() {
    let company = Company::new(&tickets(12, &[3]));
    let population = company.freeze();
    let frozen = company.frozen(population);
    assert_eq!(
        (&frozen["count"], &frozen["by"], &frozen["reason"]),
        (&12.into(), &"max".into(), &"quarter".into())
    );
    let sql = frozen["queries"][0]["sql"].as_str().unwrap();
    assert!(sql.contains("SELECT") && !sql.contains('$'), "as it ran: {sql}");
    assert!(frozen["checkpoint"].as_str().unwrap().lines().count() >= 5, "{}", frozen["checkpoint"]);
    assert_eq!(frozen["position"], population);
    assert_eq!(frozen["totals"]["verdicts"]["a"], serde_json::json!({ "pass": 11, "deviation": 1 }));
    assert_eq!(frozen["totals"]["months"], serde_json::json!({ "2025-01": 12 }));
    assert_eq!(frozen["columns"], serde_json::json!(["item", "scope", "occurred_at", "entry", "grade", "a"]));
    for row in frozen["rows"].as_array().unwrap() {
        let values = row.as_array().unwrap();
        assert!(values[..4].iter().all(Json::is_i64), "{row}");
        assert_eq!(values[4], "asserted");
        assert!(["pass", "deviation"].contains(&values[5].as_str().unwrap()), "{row}");
    }
    assert!(!frozen.to_string().contains("secret") && !frozen.to_string().contains("T-3"));
    let outcome = |check: &str| {
        let checks = frozen["checks"].as_array().unwrap();
        checks.iter().find(|c| c["check"] == check).unwrap()["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!((outcome("coverage"), outcome("origin")), ("passed".to_owned(), "unknown".to_owned()));
    // Another program computes the root from the page's description.
    let document = company.does(&format!("ledger show {population}"));
    if let Some(said) = python(1, "", &document) {
        let root = frozen["root"].as_str().unwrap();
        assert_eq!(said.split_whitespace().collect::<Vec<_>>(), [root, root]);
        // And another one when a single value is another.
        let said = python(1, "", &document.replacen("\"deviation\"]", "\"pass\"]", 1)).unwrap();
        assert_ne!(said.split_whitespace().next().unwrap(), root);
    }
    let freeze = format!("--workspace acme population freeze --control T-01 {PERIOD} --by max --reason");
    let words: Vec<&str> = freeze.split(' ').chain([" "]).collect();
    company.home.run(words).refused(&["nobody says why"]);
    company.refuses(
        &format!("population freeze --procedure tickets_opened {PERIOD} --by max --reason quarter"),
        &["there is no procedure `tickets_opened`"],
    );
}

#[test]
fn a_draw_from_an_anchored_population() {
    let company = Company::new(&tickets(400, &[7, 8]));
    let lodged = company.does(&format!("sample nonce --hash {HASH} --by audrey"));
    assert!(lodged.contains("lodged as ledger entry"), "{lodged}");
    company.refuses(&format!("sample nonce --hash {HASH} --by audrey"), &["was lodged before"]);
    let population = company.freeze();
    let draw = format!("sample draw {population} --size 25 --nonce {NONCE}");
    company.refuses(&format!("{draw} {AUDITOR}"), &["nobody vouched", "tickmark ledger anchor"]);
    company.anchor();
    company.refuses(&format!("{draw} --by Max --reason kind"), &["froze this population"]);
    company.refuses(&format!("sample draw {population} --size 25 {AUDITOR}"), &["--nonce"]);
    company.refuses(
        &format!("sample draw {population} --size 25 {AUDITOR} --nonce 00ff"),
        &["at least 16", "openssl rand"],
    );
    company
        .refuses(&format!("sample draw {population} --size 401 {AUDITOR} --nonce {NONCE}"), &["401", "400"]);
    let sample = company.draw(population, &format!("--size 25 --nonce {NONCE}"));
    assert_eq!(sample["anchored"], "external");
    assert_eq!(sample["lodged_before_freeze"], true);
    assert_eq!(in_force(&sample).len(), 25);
    redrawn(&sample);
    // 25 of 400 are more than a twentieth; none of the 25 deviates, or this expects what one or two do.
    let evaluation = &sample["evaluation"];
    assert_eq!(evaluation["tested"], 25);
    let limits: Vec<&str> =
        evaluation["limits"].as_array().unwrap().iter().map(|l| l["by"].as_str().unwrap()).collect();
    assert_eq!(limits, ["hypergeometric", "hypergeometric"], "{evaluation}");
    assert!(company.does("sample verify").contains("matches: 25 items drawn again"));

    // Another anchor is no other chance: the first one counts.
    company.anchor();
    let twice = company.draw(population, &format!("--size 25 --nonce {NONCE}"));
    assert_eq!(rows(&twice), rows(&sample));
    assert_eq!(twice["beside"], serde_json::json!([number(&sample)]));
    // What is frozen after the nonce was seen cannot be drawn from with it.
    let later = company.freeze();
    company.anchor();
    company.refuses(
        &format!("sample draw {later} --size 25 --nonce {NONCE} {AUDITOR}"),
        &["this nonce is known"],
    );

    // A sample that is void stays, and its picks with it.
    company.does(&format!("sample void {} --by audrey --reason wrong-size", number(&sample)));
    company.refuses(&format!("sample extend {} --to 40 {AUDITOR}", number(&sample)), &["is void"]);
    let listed = company.json("sample list");
    assert_eq!(listed["samples"].as_array().unwrap().len(), 2);
    assert_eq!(listed["samples"][0]["void"]["reason"], "wrong-size");
    assert_eq!(rows(&listed["samples"][0]), rows(&sample));
    assert!(listed["samples"][0]["evaluation"].get("limits").is_none());
    assert!(company.does("sample list").contains("VOID since entry"));
}

#[test]
fn replacements_and_extensions_go_on_in_the_stream() {
    let company = Company::new(&tickets(60, &[]));
    let population = company.freeze();
    company.anchor();
    let sample = company.draw(population, &format!("--size 5 --nonce {NONCE}"));
    let id = number(&sample);
    let order = company.draw(population, &format!("--size 60 --nonce {NONCE}"));
    let order = rows(&order);
    assert_eq!(rows(&sample), order[..5]);
    let key = sample["items"][1]["key"].as_str().unwrap();
    let replace = format!("sample replace {id} --item {key} --invalid void {AUDITOR}");
    company.refuses(&format!("{replace} --shown-by 9999"), &["missing evidence is no reason"]);
    assert_eq!(
        company.home.run(format!("--workspace acme {replace}").split(' ')).code,
        Some(2),
        "what shows it?"
    );
    company.refuses(
        &format!("sample replace {id} --item {key} --invalid void --shown-by 2 --by max --reason kinder"),
        &["froze this population"],
    );
    let said = company.does(&format!("{replace} --shown-by 2"));
    assert!(said.contains(&format!("puts row {} in the place of row {}", order[5], order[1])), "{said}");
    company.refuses(&format!("{replace} --shown-by 2"), &["is not an item of the sample"]);
    company.does(&format!("sample extend {id} --to 9 {AUDITOR}"));
    company.refuses(&format!("sample extend {id} --to 9 {AUDITOR}"), &["has 9 items already"]);
    let sample = company.show(id);
    assert_eq!(rows(&sample), order[..10], "nothing that was drawn ever moves");
    let kept = [0, 2, 3, 4, 5, 6, 7, 8, 9].map(|place: usize| order[place]);
    assert_eq!(in_force(&sample), kept);
    assert_eq!(sample["items"][5]["stands_for"], order[1]);
    assert_eq!(sample["changes"].as_array().unwrap().len(), 2);
    redrawn(&sample);
    assert!(company.does("sample verify").contains(&format!("sample {id} matches: 10 items drawn again")));
    assert!(sample["evaluation"]["no_confidence"].as_str().unwrap().contains("9 items are too few"));
}

#[test]
fn without_an_anchor_no_confidence() {
    let company = Company::new(&tickets(80, &[]));
    let population = company.freeze();
    let sample = company.draw(population, &format!("--unanchored --size 25 --nonce {NONCE}"));
    assert_eq!(sample["anchored"], "none");
    assert!(sample["evaluation"].get("limits").is_none());
    redrawn(&sample);
    let said = company.does(&format!("sample show {}", number(&sample)));
    assert!(said.contains("not anchored") && said.contains("no confidence: nobody vouched"), "{said}");
    assert!(!said.contains("at 90 % confidence"), "{said}");
    assert!(said.contains("the nonce's hash was never lodged"), "{said}");
    assert!(company.does("sample verify").contains("matches: 25 items drawn again"));
}

#[test]
fn where_items_may_be_missing_nothing_is_concluded() {
    let company = Company::new(&tickets(1, &[]));
    // The tickets of May and June: nobody says that these are all.
    company.write(
        "tickets.csv",
        &tickets(40, &[])
            .replace(",2025-01-", ",2025-05-")
            .replace(",2025-02-", ",2025-06-")
            .replace(",2025-04-", ",2025-07-"),
    );
    company.does("import tickets.csv --map tickets.toml --yes");
    let frozen = company
        .json("population freeze --control T-01 --from 2025-05-01 --to 2025-06-30 --by max --reason quarter");
    assert_eq!(frozen[0]["count"], 40);
    assert_eq!(frozen[0]["conclusion"], "cannot_conclude");
    let population = frozen[0]["population"].as_u64().unwrap();
    company.anchor();
    let sample = company.draw(population, &format!("--size 25 --nonce {NONCE}"));
    let why = sample["evaluation"]["no_confidence"].as_str().unwrap();
    assert!(why.contains("a check of its population failed (coverage)"), "{why}");
    assert!(sample["evaluation"].get("limits").is_none());
    assert!(company.does("population list").contains("coverage failed: "));
}

#[test]
fn every_kind_of_sample() {
    let company = Company::new(&tickets(80, &[]));
    let population = company.freeze();
    company.anchor();
    let systematic = company.draw(population, &format!("--systematic --size 16 --nonce {NONCE}"));
    let mut picks = rows(&systematic);
    assert!(picks.windows(2).all(|pair| pair[1] - pair[0] == 5), "every fifth: {picks:?}");
    company.does(&format!("sample extend {} --to 18 {AUDITOR}", number(&systematic)));
    let extended = company.show(number(&systematic));
    picks.extend(&rows(&extended)[16..]);
    assert_eq!(rows(&extended), picks);
    redrawn(&extended);

    let strata = company.draw(population, &format!("--strata month --size 10 --nonce {NONCE}"));
    let of = |name: &str| {
        let items = strata["items"].as_array().unwrap().iter();
        items.filter(|item| item["stratum"] == name).count()
    };
    // 28, 28 and 24 tickets: shares 3.5, 3.5 and 3.
    assert_eq!((of("2025-01"), of("2025-02"), of("2025-03")), (4, 3, 3));
    redrawn(&strata);
    assert!(strata["evaluation"]["no_confidence"].as_str().unwrap().contains("mixes strata"));

    let ask = format!("sample draw {population} --nonce {NONCE} {AUDITOR} --profile common --frequency");
    company.refuses(&format!("{ask} weekly"), &["leaves a choice: 5 to 8 of 80"]);
    company.refuses(&format!("{ask} weekly --size 9"), &["says 5 to 8 of 80, not 9"]);
    let profile = company.json(&format!("{ask} per-event"));
    assert_eq!(in_force(&profile).len(), 8, "a tenth");
    assert!(profile["evaluation"]["no_confidence"].as_str().unwrap().contains("comes from a profile"));

    company.refuses(&format!("sample draw {population} --item T-3 {AUDITOR}"), &["has no reason"]);
    company.refuses(&format!("sample draw {population} --item T-99=late {AUDITOR}"), &["no item `T-99`"]);
    let targeted = company.draw(population, "--item T-3=large --item T-5=odd");
    assert_eq!(targeted["chosen"], "targeted");
    assert_eq!(targeted["items"][1]["key"], "T-5");
    assert_eq!(targeted["items"][1]["reason"], "odd");
    assert!(targeted["evaluation"].get("rate").is_none());

    // What comes to light later is drawn by itself.
    company.import(&tickets(85, &[]));
    let later = company.freeze();
    company.anchor();
    let fresh = "ffeeddccbbaa99887766554433221100";
    let late = company.draw(later, &format!("--late --size 2 --nonce {fresh}"));
    assert_eq!(late["late_of"], population);
    assert_eq!(late["streams"][0]["rows"], 5);
    for item in late["items"].as_array().unwrap() {
        let number: u64 = item["key"].as_str().unwrap().strip_prefix("T-").unwrap().parse().unwrap();
        assert!(number >= 80, "{item}");
    }
    redrawn(&late);
    assert!(late["evaluation"].get("rate").is_none());
    let said = company.does("sample verify");
    assert_eq!(said.matches(" matches: ").count(), 5, "{said}");
}

#[test]
fn a_sample_that_was_made_up_is_found_out() {
    let company = Company::new(&tickets(30, &[]));
    let population = company.freeze();
    let sample = company.draw(population, &format!("--unanchored --size 5 --nonce {NONCE}"));
    // Whoever holds the keys enters a draw with another first item, past the command line.
    let data = company.home.path().join("acme/data");
    let key = fs::read(company.home.path().join(".config/tickmark/key")).unwrap();
    let document = company.does(&format!("ledger show {}", number(&sample)));
    let parsed = Document::parse(document.as_bytes()).unwrap();
    let mut body: Json = serde_json::from_slice(parsed.body).unwrap();
    let picks = body["parts"][0]["picks"].as_array_mut().unwrap();
    let other = (0..30).find(|row| !picks.contains(&Json::from(*row))).unwrap();
    picks[0] = other.into();
    let head = document.split_once('\n').unwrap().0;
    let entry = NewEntry {
        kind: Kind::Draw,
        source: "tickmark".to_owned(),
        stream: "samples".to_owned(),
        media_type: "application/json".to_owned(),
        collected_at: Instant::from_ms(1_760_000_000_000),
        collector: "tickmark/1".to_owned(),
        document: format!("{head}\n{body}").into_bytes(),
    };
    let state = store::state::State::open(&data.join("state.db")).unwrap();
    let disk = Arc::new(Folder::open(&data).unwrap());
    let entropy = Box::new(|bytes: &mut [u8]| getrandom::fill(bytes).map_err(std::io::Error::other));
    let key: ledger::Hex = String::from_utf8(key).unwrap().trim().parse().unwrap();
    let mut ledger = Ledger::open(disk, Box::new(state), &key.0, entropy).unwrap();
    let at = ledger.append(vec![entry]).unwrap().start;
    drop(ledger);
    let run = company.home.run(["--workspace", "acme", "sample", "verify"]);
    assert_eq!(run.code, Some(1), "{}", run.out);
    assert!(
        run.out.contains(&format!("sample {at} DIFFERS: it holds other items than the stream gives")),
        "{}",
        run.out
    );
    assert!(run.out.contains(&format!("sample {} matches", number(&sample))), "{}", run.out);
    company.refuses(&format!("sample extend {at} --to 7 {AUDITOR}"), &["doesn't match"]);
}
