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
    // A commit's id is the same commit everywhere: with a scope it would be another one, and nothing would be found to land.
    let build = "table = \"build\"\nkey = \"Key\"\n[columns]\nrevision = { column = \"Summary\", scope = \"acme/app\" }\n\
        builder = { constant = \"pipeline\" }\nconclusion = { constant = \"success\" }\n";
    refuse(build, &["`revision` is a revision", "leave `scope` out"]);
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

#[test]
fn a_row_entered_by_hand_is_a_decision() {
    let home = Home::new();
    let add = "record add emergency_change key=E-1 label=E-1 deployed_at=2026-03-04T10:00:00Z \
        deployed_by=ann deployed_by.system=idp.example.test incident=INC-7 --reason typed";
    let said = home.does(add);
    assert!(said.contains("entered in `emergency_change` as ledger entry 1"), "{said}");
    let asked = "SELECT label, deployed_at, grade, reviewed_at FROM emergency_change";
    let row = serde_json::json!([{ "label": "E-1", "deployed_at": 1_772_618_400_000_i64, "grade": "manual",
        "reviewed_at": null }]);
    assert_eq!(home.asked(asked), row);
    assert!(home.does(add).contains("nothing new"));
    assert_eq!(home.entries(), 2);
    // The same key corrects it; what was entered first is still listed.
    let said = home.does(&add.replace("T10:", "T11:").replace("typed", "corrected-clock"));
    assert!(said.contains("corrected in"), "{said}");
    assert_eq!(home.asked(asked)[0]["deployed_at"], 1_772_622_000_000_i64);
    let listed = home.does("record list emergency_change");
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(
        listed.contains("typed") && listed.contains("corrected-clock") && listed.contains("key=E-1"),
        "{listed}"
    );
    assert!(home.does("rebuild --diff").contains("every row is as it was"));
    home.holds();
    for (line, parts) in [
        ("record add ticket label=x --reason r", &["key=…"][..]),
        ("record add ticket key=x --reason r", &["nothing is said about `label`"]),
        (
            "record add ticket key=x label=x created_at=03/04/2026 --reason r",
            &["`03/04/2026` can be read as several days"],
        ),
        ("record add ticket key=x label=x closed=1 --reason r", &["has no column `closed`"]),
        ("record add ticket key=x label=x label=y --reason r", &["said twice"]),
        ("record add coverage key=x --reason r", &["--covers"]),
        ("record add evidence_file key=x --reason r", &["tickmark evidence add"]),
        ("record list nothing", &["there is no table `nothing`"]),
    ] {
        home.refuses(line, parts);
    }
    assert_eq!(home.entries(), 3);
}

#[test]
fn the_stronger_record_stays() {
    let home = home();
    home.does("record add ticket key=ABC-1 label=ABC-1 created_at=2026-03-01T00:00:00Z --reason r");
    let said = home.does("import tickets.csv --map tickets.toml --yes");
    assert!(said.contains("new 1, changed 0") && said.contains("1 are left as they are"), "{said}");
    let rows = home.asked("SELECT grade, created_at FROM ticket WHERE label = 'ABC-1'");
    assert_eq!(rows, serde_json::json!([{ "grade": "manual", "created_at": 1_772_323_200_000_i64 }]));
    assert!(home.does("import tickets.csv --map tickets.toml --yes").contains("nothing new"));
    assert!(home.does("rebuild --diff").contains("every row is as it was"));
}

#[test]
fn a_file_of_evidence_comes_out_as_it_went_in() {
    let home = Home::new();
    let policy: Vec<u8> = b"%PDF-1.7\n\0\xff\r\n".iter().copied().cycle().take(300_000).collect();
    home.file("policy.pdf", &policy);
    let add = "evidence add policy.pdf --control CHG-02 --covers 2026-01-01..2026-03-31 --title policy";
    let said = home.does(add);
    assert!(said.contains("added policy as 1: 300000 bytes") && said.contains(" d after"), "{said}");
    assert!(home.does(add).contains("there already, as 1"));
    home.does("evidence get 1 --out again.pdf");
    assert_eq!(fs::read(home.path().join("again.pdf")).unwrap(), policy);
    home.refuses("evidence get 1 --out again.pdf", &["again.pdf"]);
    home.refuses("evidence get 2 --out other.pdf", &["there is no evidence `2`"]);
    home.refuses("evidence get 99 --out other.pdf", &["there is no evidence `99`"]);
    assert!(
        home.does("evidence list --control CHG-02").contains("2026-01-01T00:00:00Z..2026-04-01T00:00:00Z")
    );
    assert_eq!(home.does("evidence list --control CHG-01").lines().count(), 1, "says that there is none");
    let row = home.asked("SELECT control, label, size, grade, covers_to FROM evidence_file");
    assert_eq!(
        row,
        serde_json::json!([{ "control": "CHG-02", "label": "policy", "size": 300_000, "grade": "manual",
            "covers_to": 1_775_001_600_000_i64 }])
    );
    assert!(home.does("rebuild --diff").contains("every row is as it was"));
    home.holds();
    // The bytes are encrypted where they lie.
    for path in crate::support::files(&home.data()) {
        let bytes = fs::read(home.data().join(&path)).unwrap();
        assert!(!bytes.windows(16).any(|w| w == &policy[..16]), "{path:?}");
    }
}

#[test]
fn a_file_that_would_run_or_says_nothing_is_refused() {
    let home = Home::new();
    home.file("a.pdf", "x");
    let before = home.entries();
    home.file("m.docx", b"PK\x03\x04word/vbaProject.bin");
    home.file("p.pdf", b"MZ\x90");
    home.file("e.pdf", "");
    for (line, parts) in [
        ("evidence add m.docx --control CHG-02 --covers 2026-03-31", &["holds macros", "PDF"][..]),
        ("evidence add p.pdf --control CHG-02 --covers 2026-03-31", &["is a program"]),
        ("evidence add e.pdf --control CHG-02 --covers 2026-03-31", &["is empty"]),
        ("evidence add . --control CHG-02 --covers 2026-03-31", &["is no file"]),
        ("evidence add a.pdf --control CHG-99 --covers 2026-03-31", &["there is no control `CHG-99`"]),
        ("evidence add a.pdf --control CHG-02 --covers 2999-03-31", &["future"]),
        ("evidence add a.pdf --control CHG-02 --covers March", &["March"]),
        ("evidence add none.pdf --control CHG-02 --covers 2026-03-31", &["none.pdf"]),
    ] {
        home.refuses(line, parts);
    }
    assert_eq!(home.entries(), before);
    let said = home.does("evidence add a.pdf --control CHG-02 --covers 2026-03-31T10:00:00Z");
    assert!(said.contains("a.pdf as 1"), "{said}");
}

#[test]
fn a_person_is_erased_from_what_was_imported() {
    let people = "table = \"account\"\nkey = \"id\"\nscope = \"idp.example.test\"\n[columns]\n\
        system = { constant = \"idp.example.test\" }\nkind = { constant = \"human\" }\n\
        valid_from = { constant = \"2026-01-01T00:00:00Z\" }\n[display]\nemail = \"email\"\nname = \"name\"\n";
    let text = "id,email,name\n17,zoe@example.test,Zoé Quill\n18,bob@example.test,Bob Ray\n";
    // 0xE9 is `é` in windows-1252.
    let narrow: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let wide: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let erase = "ledger erase --person zoe@example.test --basis request --approver p1 --yes";
    for (encoding, bytes) in [("", text.as_bytes()), ("encoding = \"windows-1252\"\n", &narrow[..])] {
        let home = Home::new();
        home.file("people.toml", format!("{encoding}{people}"));
        home.file("people.csv", bytes);
        home.does("import people.csv --map people.toml --yes");
        home.does("record add ticket key=T-1 label=T-1 display.title=zoe@example.test --reason r");
        home.does(erase);
        let shown = home.run(["ledger", "show", "1"]);
        assert!(!shown.out.contains("zoe@") && !shown.out.contains("Quill"), "{}", shown.out);
        assert!(home.does("rebuild --diff").contains("every row is as it was"));
        assert_eq!(
            home.asked("SELECT system FROM account").as_array().unwrap().len(),
            2,
            "two accounts as before"
        );
        assert!(!home.does("record list ticket").contains("zoe@"));
        home.holds();
    }
    let home = Home::new();
    home.file("people.toml", people);
    home.file("people.csv", wide);
    home.does("import people.csv --map people.toml --yes");
    home.refuses(erase, &["UTF-16", "ledger erase 1"]);
}

#[test]
fn two_sources_that_contradict_each_other_are_listed() {
    let home = Home::new();
    let map = "table = \"ticket\"\nkey = \"Key\"\n[columns]\nlabel = \"Key\"\ncreated_at = \"Created\"\n";
    fs::write(home.path().join("map.toml"), map).unwrap();
    let file = |day: &str| {
        let rows = format!("Key,Created\nA-1,2025-01-0{day}T10:00:00Z\nA-2,2025-01-01T10:00:00Z\n");
        fs::write(home.path().join("tickets.csv"), rows).unwrap();
    };
    let counts = || -> Vec<(String, String, String)> {
        let listed: Json = serde_json::from_str(&home.does("record conflicts ticket --json")).unwrap();
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        let of = |c: &Json| {
            let difference = &c["differences"][0];
            assert_eq!((&c["about"], &difference["column"]), (&"A-1".into(), &"created_at".into()));
            let saying = format!("{} and not {}", text(&c["counts"]["source"]), text(&c["other"]["source"]));
            (saying, text(&difference["counts"]), text(&difference["other"]))
        };
        listed.as_array().unwrap().iter().map(of).collect()
    };
    let day = |day: u8| format!("2025-01-0{day}T10:00:00Z");
    file("1");
    home.does("import tickets.csv --map map.toml --source jira --yes");
    assert_eq!(counts(), []);
    // The same source again corrects its own word.
    file("2");
    assert!(
        !home.does("import tickets.csv --map map.toml --source jira --dry-run").contains("another source")
    );
    home.does("import tickets.csv --map map.toml --source jira --yes");
    assert_eq!(counts(), []);
    // Another one contradicts it: of equals, what is known later counts.
    file("3");
    let dry = home.does("import tickets.csv --map map.toml --source sheet --dry-run");
    let said =
        "A-1: created_at is 2025-01-03T10:00:00Z and not 2025-01-02T10:00:00Z (as this file, asserted says";
    assert!(dry.contains("of 1 another source says something else") && dry.contains(said), "{dry}");
    home.does("import tickets.csv --map map.toml --source sheet --yes");
    assert_eq!(counts(), [("import:sheet and not import:jira".to_owned(), day(3), day(2))]);
    // What is entered by hand outweighs both.
    home.does("record add ticket key=A-1 label=A-1 created_at=2025-01-04T10:00:00Z --reason seen");
    assert_eq!(
        counts(),
        [
            ("tickmark and not import:sheet".to_owned(), day(4), day(3)),
            ("tickmark and not import:jira".to_owned(), day(4), day(2)),
        ]
    );
    file("5");
    let dry = home.does("import tickets.csv --map map.toml --source sheet --dry-run");
    assert!(
        dry.contains("is 2025-01-04T10:00:00Z and not 2025-01-05T10:00:00Z (as tickmark, entry"),
        "{dry}"
    );
    home.refuses("record conflicts tickets", &["there is no table `tickets`"]);
}

#[test]
fn a_constant_that_cannot_be_read_is_the_mappings_mistake() {
    let home = Home::new();
    fs::write(home.path().join("tickets.csv"), "Key\nA-1\nA-2\nA-3\n").unwrap();
    let map = "table = \"ticket\"\nkey = \"Key\"\n[columns]\nlabel = \"Key\"\ncreated_at = { constant = \"03/04/2026\" }\n";
    fs::write(home.path().join("map.toml"), map).unwrap();
    let said = home.refuses("import tickets.csv --map map.toml --yes", &["the constant `03/04/2026`"]);
    assert_eq!(said.matches("03/04/2026").count(), 1, "{said}");
}

#[test]
fn a_row_by_hand_can_speak_for_a_scope() {
    let home = Home::new();
    home.does(
        "record add ticket key=A-1 label=A-1 --reason seen --covers 2025-01-01..2025-01-31 --of system:hub",
    );
    let covered = home.run([
        "query",
        "--format",
        "csv",
        "SELECT count(*) AS n FROM coverage c WHERE c.relation = 'ticket' AND c.scope <> 0",
    ]);
    assert_eq!(covered.succeeded(), "n\n1\n");
    home.refuses(
        "record add ticket key=A-1 label=A-1 --reason seen --covers 2025-01-01..2025-01-31 --of hub",
        &["system:hub"],
    );
}
