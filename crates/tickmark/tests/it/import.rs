//! Rows from files and by hand: what enters, what is refused as a whole, and what becomes of it.

use std::fs;

use serde_json::Value as Json;

use crate::support::Home;

const TICKETS: &str = "table = \"ticket\"\nkey = \"Key\"\nzone = \"Europe/Berlin\"\n[columns]\nlabel = \"Key\"\n\
    created_at = { column = \"Created\", format = \"%d.%m.%Y %H:%M\" }\n[display]\ntitle = \"Summary\"\n";
const HEAD: &str = "Key;Summary;Created\r\n";
/// 10:00 in Berlin on 4 March 2026 is 09:00 UTC.
const ONE: &str = "ABC-1;\"pump; \"\"big\"\"\r\nleaks\";04.03.2026 10:00\r\n";
const TWO: &str = "ABC-2;=cmd|x;05.03.2026 11:30\r\n";

impl Home {
    fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), text).unwrap();
    }

    #[track_caller]
    fn asked(&self, sql: &str) -> Json {
        serde_json::from_str(&self.run(["query", sql, "--format", "json"]).succeeded()).unwrap()
    }

    /// Nothing of the file is in the ledger.
    #[track_caller]
    fn refuses_whole(&self, text: impl AsRef<[u8]>, parts: &[&str]) {
        let before = self.entries();
        self.file("bad.csv", text);
        self.refuses("import bad.csv --map tickets.toml --yes", parts);
        assert_eq!(self.entries(), before);
    }
}

fn home() -> Home {
    let home = Home::new();
    home.file("tickets.toml", TICKETS);
    home.file("tickets.csv", [HEAD, ONE, TWO].concat());
    home
}

#[test]
fn a_file_becomes_rows_and_stays_as_it_came() {
    let home = home();
    let said = home.does("import tickets.csv --map tickets.toml --dry-run");
    assert!(said.contains("2 rows for `ticket`") && said.contains("new 2, changed 0, unchanged 0"), "{said}");
    assert!(said.contains("nothing was appended"), "{said}");
    // Nobody agreed.
    home.refuses("import tickets.csv --map tickets.toml", &["--dry-run", "--yes"]);
}

#[test]
fn what_was_imported_can_be_read_back_and_built_again() {
    let home = home();
    let said = home.does("import tickets.csv --map tickets.toml --yes");
    assert!(said.contains("appended as ledger entry 1"), "{said}");
    let rows = home.asked("SELECT label, created_at, grade FROM ticket ORDER BY label ASC NULLS FIRST");
    assert_eq!(rows[0]["created_at"], 1_772_614_800_000_i64, "2026-03-04T09:00:00Z");
    assert_eq!((rows.as_array().unwrap().len(), &rows[1]["grade"]), (2, &"asserted".into()));
    let shown = home.does("ledger show 1");
    let (receipt, body) = shown.split_once('\n').unwrap();
    assert_eq!(body, [HEAD, ONE, TWO].concat());
    let receipt: Json = serde_json::from_str(receipt).unwrap();
    assert_eq!((&receipt["context"]["mapping"], &receipt["stream"]), (&TICKETS.into(), &"tickets".into()));
    assert!(home.does("rebuild --diff").contains("every row is as it was"));
    home.holds();
    // Nobody looked anywhere: the rows are there, and what is not there is not known.
    assert_eq!(home.asked("SELECT relation FROM coverage"), Json::Array(vec![]));
}

#[test]
fn the_same_file_again_says_nothing_new() {
    let home = home();
    home.does("import tickets.csv --map tickets.toml --yes");
    let before = home.entries();
    home.file("tickets.csv", [HEAD, TWO, ONE].concat());
    let said = home.does("import tickets.csv --map tickets.toml --yes");
    assert!(
        said.contains("unchanged 2") && said.contains("nothing new is in it"),
        "in another order: {said}"
    );
    assert_eq!(home.entries(), before);
    // A row that changed takes the place of the one with its key; one that is new comes to it.
    let later = TWO.replace("05.03", "06.03");
    let three = TWO.replace("ABC-2", "ABC-3");
    home.file("tickets.csv", [HEAD, ONE, &later, &three].concat());
    let said = home.does("import tickets.csv --map tickets.toml --yes");
    assert!(said.contains("new 1, changed 1, unchanged 1"), "{said}");
    assert_eq!(home.asked("SELECT label FROM ticket").as_array().unwrap().len(), 3);
    assert!(home.does("rebuild --diff").contains("every row is as it was"));
}

#[test]
fn a_window_is_covered_only_when_somebody_says_so() {
    let home = home();
    home.refuses("import tickets.csv --map tickets.toml --yes --covers 2026-01-01..2999-12-31", &["future"]);
    home.refuses(
        "import tickets.csv --map tickets.toml --yes --covers 2026-03-01..2026-01-01",
        &["before it begins"],
    );
    home.does("import tickets.csv --map tickets.toml --yes --covers 2026-01-01..2026-03-31");
    let rows = home.asked("SELECT relation, covered_from, covered_to, status, grade FROM coverage");
    assert_eq!(
        rows,
        serde_json::json!([{ "relation": "ticket", "covered_from": 1_767_225_600_000_i64,
            "covered_to": 1_775_001_600_000_i64, "status": "complete", "grade": "asserted" }])
    );
    let before = home.entries();
    let said = home.does("import tickets.csv --map tickets.toml --yes --covers 2026-01-01..2026-03-31");
    assert!(said.contains("nothing new"), "{said}");
    assert_eq!(home.entries(), before);
    // The rows are old, the claim is not.
    home.does("import tickets.csv --map tickets.toml --yes --covers 2026-01-01..2026-06-30");
    assert_eq!(home.entries(), before + 1);
    // Of a system or a repository instead of the company.
    let covers = "covers = [{ kind = \"system\", key = \"hub\" }, \"acme/app\"]\n";
    home.file("tickets.toml", format!("{covers}{TICKETS}"));
    home.does("import tickets.csv --map tickets.toml --yes --covers 2026-01-01..2026-06-30");
    let scopes = home.asked("SELECT count(DISTINCT scope) AS n, count(*) AS windows FROM coverage");
    assert_eq!(
        scopes,
        serde_json::json!([{ "n": 3, "windows": 4 }]),
        "the company, the system, the repository"
    );
}

#[test]
fn one_bad_line_and_nothing_enters() {
    let home = home();
    let bad = "ABC-9;x;03/04/2026\r\n";
    home.refuses_whole(
        [HEAD, ONE, TWO, bad].concat(),
        &["1 of 3 lines", "nothing was appended", "line 5, column `Created`: `03/04/2026`", "%d.%m.%Y"],
    );
    let many: String = (0..30).map(|n| bad.replace("ABC-9", &format!("ABC-{n}"))).collect();
    home.refuses_whole([HEAD, &many].concat(), &["30 of 30 lines", "line 21,", "and 10 more"]);
    home.refuses_whole(
        [HEAD, ONE, TWO, &ONE.replace("big", "small")].concat(),
        &["`ABC-1` is the key of an earlier line"],
    );
    home.refuses_whole("Key;Created\r\n", &["the file has no column `Summary`"]);
    home.refuses_whole("", &["the file is empty"]);
    home.refuses_whole([HEAD, "ABC-1;\"x;04.03.2026 10:00\r\n"].concat(), &["double quote"]);
    home.refuses_whole(
        [HEAD.as_bytes(), b"ABC-1;\xf6;04.03.2026 10:00\n"].concat(),
        &["no UTF-8", "windows-1252"],
    );
    // In the last of many parts.
    let long: String = (0..50_000).map(|n| TWO.replace("ABC-2", &format!("ABC-{n}"))).collect();
    home.refuses_whole([HEAD, &long, bad].concat(), &["1 of 50001 lines", "line 50002, column `Created`"]);
}

#[test]
fn a_mapping_that_does_not_fit_is_refused() {
    let home = home();
    let refuse = |mapping: &str, parts: &[&str]| {
        home.file("bad.toml", mapping);
        home.refuses("import tickets.csv --map bad.toml --yes", parts);
    };
    refuse(&TICKETS.replace("ticket\"", "tickt\""), &["there is no table `tickt`"]);
    refuse(&TICKETS.replace("\"ticket\"", "\"coverage\""), &["--covers"]);
    refuse(&TICKETS.replace("\"ticket\"", "\"account_person\""), &["worked out from others"]);
    refuse(
        &TICKETS.replace("label =", "lable ="),
        &["has no column `lable`", "nothing is said about `label`"],
    );
    refuse(&TICKETS.replace("zone", "zoen"), &["zoen"]);
    refuse(&TICKETS.replace("Berlin", "Bonn"), &["`Europe/Bonn` is no time zone"]);
    home.refuses("import tickets.csv --map absent.toml --yes", &["absent.toml"]);
    home.refuses("import absent.csv --map tickets.toml --yes", &["absent.csv"]);
}

#[test]
fn a_file_without_a_mapping_is_given_one() {
    let home = home();
    let proposed = home.does("import tickets.csv --table ticket");
    home.file("proposed.toml", &proposed);
    // It says what nobody can know from a header.
    home.refuses("import tickets.csv --map proposed.toml --yes", &["can be read as several days", "format"]);
    home.refuses("import tickets.csv --table nothing", &["there is no table `nothing`"]);
}

#[test]
fn lines_of_json_and_many_parts_are_rows_too() {
    let home = home();
    home.file(
        "t.toml",
        "table = \"ticket\"\nkey = \"key\"\n[columns]\nlabel = \"key\"\ncreated_at = \"fields.created\"\n",
    );
    let many: String = (0..45_000)
        .map(|n| {
            format!("{{\"key\":\"ABC-{n}\",\"fields\":{{\"created\":\"2026-03-04T10:00:00.000+01:00\"}}}}\n")
        })
        .collect();
    home.file("t.jsonl", &many);
    let said = home.does("import t.jsonl --map t.toml --yes --covers 2026-03-01..2026-03-31");
    assert!(said.contains("new 45000") && said.contains("ledger entries 1 to "), "{said}");
    let count = home.asked("SELECT count(*) AS n, min(created_at) AS at_first FROM ticket");
    assert_eq!(count, serde_json::json!([{ "n": 45_000, "at_first": 1_772_614_800_000_i64 }]));
    assert_eq!(home.asked("SELECT relation FROM coverage").as_array().unwrap().len(), 1, "said once");
    assert!(home.does("rebuild --diff").contains("every row is as it was"));
}
