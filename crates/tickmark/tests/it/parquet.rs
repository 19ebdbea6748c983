//! Rows from Parquet files that DuckDB wrote: the same records as from CSV and NDJSON, what a receipt says, what is refused.

use std::fs;
use std::process::Command;

use conformance::duckdb::DuckDb;
use serde_json::Value as Json;

use crate::support::Home;

const MAP: &str = "table = \"ticket\"\nkey = \"Key\"\nzone = \"Europe/Berlin\"\n[columns]\nlabel = \"Key\"\n\
    created_at = \"Created\"\n[display]\ntitle = \"Summary\"\n";
/// 10:00 in Berlin on 4 March 2026 is 09:00 UTC. A time without a zone, as most programs write it.
const TICKETS: &str = "SELECT * FROM (VALUES ('ABC-1', 'pump; \"big\"', TIMESTAMP '2026-03-04 10:00:00'), \
    ('ABC-2', NULL, TIMESTAMP '2026-03-05 11:30:00.25'), ('ABC-3', '=cmd|x', TIMESTAMP '2026-07-01 00:00:00')) \
    t(\"Key\", \"Summary\", \"Created\")";

struct Bench {
    home: Home,
    duckdb: DuckDb,
}

impl Bench {
    fn new() -> Option<Self> {
        let duckdb = DuckDb::start()?;
        let bench = Self { home: Home::new(), duckdb };
        bench.file("map.toml", MAP);
        Some(bench)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.home.path().join(name), text).unwrap();
    }

    /// What a question gives, as a file in DuckDB's words for its form.
    fn make(&mut self, name: &str, question: &str, form: &str) {
        let path = self.home.path().join(name);
        let sql = format!("COPY ({question}) TO '{}' ({form})", path.display());
        self.duckdb.reperform(self.home.path(), &[], &sql).unwrap();
    }

    #[track_caller]
    fn refuses(&self, line: &str, parts: &[&str]) {
        let before = self.home.entries();
        self.home.refuses(line, parts);
        assert_eq!(self.home.entries(), before);
    }
}

fn asked(home: &Home, sql: &str) -> Json {
    serde_json::from_str(&home.run(["query", sql, "--format", "json"]).succeeded()).unwrap()
}

#[test]
fn the_same_rows_in_every_form_are_the_same_records() {
    let Some(mut bench) = Bench::new() else { return };
    let forms = [
        ("t.csv", "FORMAT csv, HEADER"),
        ("t.ndjson", "FORMAT json"),
        ("snappy.parquet", "FORMAT parquet"),
        ("zstd.parquet", "FORMAT parquet, COMPRESSION zstd"),
        ("gzip.parquet", "FORMAT parquet, COMPRESSION gzip"),
        ("lz4.parquet", "FORMAT parquet, COMPRESSION lz4_raw"),
        ("plain.parquet", "FORMAT parquet, COMPRESSION uncompressed"),
        ("second.parquet", "FORMAT parquet, PARQUET_VERSION v2"),
    ];
    let mut all = vec![];
    for (name, form) in forms {
        bench.make(name, TICKETS, form);
        let home = Home::new();
        fs::copy(bench.home.path().join(name), home.path().join(name)).unwrap();
        fs::write(home.path().join("map.toml"), MAP).unwrap();
        let said = home.does(&format!("import {name} --map map.toml --yes --covers 2026-01-01..2026-06-30"));
        assert!(said.contains("3 rows for `ticket`") && said.contains("new 3, changed 0"), "{said}");
        let rows = asked(
            &home,
            "SELECT t.label, t.created_at, t.grade, c.relation, c.covered_from, c.covered_to \
            FROM ticket t LEFT JOIN coverage c ON c.relation = 'ticket' ORDER BY t.label ASC NULLS FIRST",
        );
        assert!(home.does("rebuild --diff").contains("every row is as it was"));
        home.holds();
        all.push((name, rows));
    }
    assert_eq!(all[0].1[0]["created_at"], 1_772_614_800_000_i64, "2026-03-04T09:00:00Z");
    assert_eq!(all[0].1[2]["created_at"], 1_782_856_800_000_i64, "2026-06-30T22:00:00Z");
    for (name, rows) in &all {
        assert_eq!((name, rows), (name, &all[0].1));
    }
    // In one workspace the later ones say nothing new, whichever form they have.
    bench.home.does("import t.csv --map map.toml --yes");
    let before = bench.home.entries();
    for (name, _) in forms {
        let said = bench.home.does(&format!("import {name} --map map.toml --yes"));
        assert!(said.contains("unchanged 3") && said.contains("nothing new"), "{name}: {said}");
    }
    assert_eq!(bench.home.entries(), before);
}

#[test]
fn the_receipt_names_the_file_and_the_lines_can_be_read() {
    let Some(mut bench) = Bench::new() else { return };
    let wide = format!("SELECT *, 7 AS more, [1, 2] AS list FROM ({TICKETS})");
    // The bytes say what it is, whatever it is called.
    bench.make("export.bin", &wide, "FORMAT parquet");
    let home = &bench.home;
    let ran = home.run(["import", "export.bin", "--map", "map.toml", "--yes"]);
    assert!(ran.err.contains("not used: more"), "{}", ran.err);
    ran.succeeded();
    let shown = home.does("ledger show 1");
    let (receipt, body) = shown.split_once('\n').unwrap();
    assert_eq!(
        body,
        "{\"Key\":\"ABC-1\",\"Created\":\"2026-03-04T10:00:00\",\"Summary\":\"pump; \\\"big\\\"\"}\n\
         {\"Key\":\"ABC-2\",\"Created\":\"2026-03-05T11:30:00.25\",\"Summary\":null}\n\
         {\"Key\":\"ABC-3\",\"Created\":\"2026-07-01T00:00:00\",\"Summary\":\"=cmd|x\"}\n"
    );
    let receipt: Json = serde_json::from_str(receipt).unwrap();
    let path = home.path().join("export.bin");
    let sum = String::from_utf8(Command::new("sha256sum").arg(&path).output().unwrap().stdout).unwrap();
    let context = &receipt["context"];
    assert_eq!(context["file_sha256"].as_str().unwrap(), sum.split(' ').next().unwrap());
    let told = &context["parquet"];
    assert_eq!(
        (&told["rows"], told["bytes"].as_u64()),
        (&3.into(), Some(fs::metadata(&path).unwrap().len()))
    );
    assert_eq!(
        told["schema"],
        serde_json::json!([
            "Key: STRING",
            "Summary: STRING",
            "Created: TIMESTAMP(MICROS,local)",
            "more: INT32",
            "list.list.element: LIST of INT32"
        ]),
        "{told}"
    );
    assert!(told["writer"].as_str().unwrap().starts_with("DuckDB"));
    assert_eq!(
        (&receipt["media_type"], &receipt["stream"]),
        (&"application/x-ndjson".into(), &"tickets".into())
    );
    assert_eq!(receipt["request"], "3 records from row 1 of the file export.bin");
    // Whoever has the file and the mapping sees that all of it is there.
    let again = home.does("import export.bin --map map.toml --dry-run");
    assert!(again.contains("unchanged 3") && again.contains("nothing new"), "{again}");
}

#[test]
fn one_bad_cell_and_nothing_enters() {
    let Some(mut bench) = Bench::new() else { return };
    // Rows are read in parts and row groups; the last one is bad.
    let many = "SELECT 'ABC-' || n AS \"Key\", NULL::VARCHAR AS \"Summary\", CASE n WHEN 44999 THEN \
        TIMESTAMP '2026-03-29 02:30:00' ELSE TIMESTAMP '2026-01-01 00:00:00' + n * INTERVAL 1 SECOND END AS \"Created\" \
        FROM range(45000) t(n) ORDER BY n";
    let groups = "FORMAT parquet, ROW_GROUP_SIZE 20480";
    bench.make("bad.parquet", many, groups);
    bench.refuses(
        "import bad.parquet --map map.toml --yes",
        &[
            "1 of 45000 rows",
            "nothing was appended",
            "row 45000, column `Created`: `2026-03-29T02:30:00` never was: the clock was set forward over it",
        ],
    );
    bench.make("many.parquet", &many.replace("44999", "-1"), groups);
    let said = bench.home.does("import many.parquet --map map.toml --yes --covers 2026-01-01..2026-01-31");
    assert!(said.contains("new 45000") && said.contains("ledger entries 1 to 3"), "{said}");
    let count = asked(&bench.home, "SELECT count(*) AS n, count(DISTINCT created_at) AS times FROM ticket");
    assert_eq!(count, serde_json::json!([{ "n": 45_000, "times": 45_000 }]));
    assert_eq!(asked(&bench.home, "SELECT relation FROM coverage").as_array().unwrap().len(), 1, "said once");
    assert!(bench.home.does("rebuild --diff").contains("every row is as it was"));

    // What cannot be written as a line and what cannot be read in one, in the order of the rows.
    let mixed = "SELECT 'ABC-' || n AS \"Key\", '' AS \"Summary\", CASE n % 2 WHEN 0 THEN 1774976400.5 ELSE n END AS \
        \"Created\" FROM range(30) t(n) ORDER BY n";
    bench.make(
        "mixed.parquet",
        &mixed.replace("1774976400.5 ELSE n", "0.5::DOUBLE ELSE n"),
        "FORMAT parquet",
    );
    bench.refuses(
        "import mixed.parquet --map map.toml --yes",
        &[
            "30 of 30 rows",
            "row 1, column `Created`: `0.5` is a binary fraction",
            "row 2, column `Created`: `1` may count days or seconds",
            "row 20,",
            "and 10 more",
        ],
    );
    let again = format!("{TICKETS} UNION ALL SELECT 'ABC-1', 'other', TIMESTAMP '2026-03-04 10:00:00'");
    bench.make("again.parquet", &again, "FORMAT parquet");
    bench.refuses(
        "import again.parquet --map map.toml --yes",
        &["`ABC-1` is the key of an earlier row, which says something else"],
    );
    // A local time needs a zone, a day the moment that counts, as in CSV.
    bench.make("t.parquet", TICKETS, "FORMAT parquet");
    bench.file("nowhere.toml", MAP.replace("zone = \"Europe/Berlin\"\n", ""));
    bench.refuses("import t.parquet --map nowhere.toml --yes", &["`2026-03-04T10:00:00` has no time zone"]);
    bench.make(
        "days.parquet",
        &TICKETS.replace("SELECT *", "SELECT \"Key\", \"Summary\", \"Created\"::DATE AS \"Created\""),
        "FORMAT parquet",
    );
    bench.refuses("import days.parquet --map map.toml --yes", &["`2026-03-04` has no time of day", "day = "]);
    bench.file("named.toml", format!("format = \"csv\"\n{MAP}"));
    bench.refuses("import t.parquet --map named.toml --yes", &["is Parquet and no text"]);
    bench.file("coded.toml", format!("encoding = \"utf-8\"\n{MAP}"));
    bench.refuses("import t.parquet --map coded.toml --yes", &["mean nothing for Parquet"]);
    bench.file("short.parquet", &fs::read(bench.home.path().join("t.parquet")).unwrap()[..200]);
    bench.refuses("import short.parquet --map map.toml --yes", &["does not end as a Parquet file does"]);
    bench.file("named.parquet", "Key,Summary,Created\n");
    bench.refuses("import named.parquet --map map.toml --yes", &["is no Parquet"]);
    bench.make("brotli.parquet", TICKETS, "FORMAT parquet, COMPRESSION brotli");
    bench.refuses("import brotli.parquet --map map.toml --yes", &["BROTLI", "SNAPPY, ZSTD"]);
}

#[test]
fn damaged_pages_are_told_in_one_message() {
    let Some(mut bench) = Bench::new() else { return };
    // Texts that repeat stand in a dictionary, and the rows hold its numbers: one that is not there makes the decoder panic.
    let words = "SELECT 'ABC-' || n AS \"Key\", 'word ' || (n % 5) AS \"Summary\", NULL::TIMESTAMP AS \"Created\" FROM range(1000) t(n)";
    bench.make("words.parquet", words, "FORMAT parquet, COMPRESSION uncompressed");
    let whole = fs::read(bench.home.path().join("words.parquet")).unwrap();
    let mut refused = 0;
    for at in (4..whole.len() - 600).step_by(whole.len() / 40) {
        let mut bytes = whole.clone();
        bytes[at..at + 16].fill(0xff);
        bench.file("damaged.parquet", bytes);
        let ran = bench.home.run(["import", "damaged.parquet", "--map", "map.toml", "--dry-run"]);
        assert!(!ran.err.contains("panicked") && matches!(ran.code, Some(0 | 1)), "byte {at}: {}", ran.err);
        refused += i32::from(ran.code == Some(1));
    }
    assert!(refused > 5, "{refused}");
}

#[test]
fn a_file_without_rows_can_say_that_there_are_none() {
    let Some(mut bench) = Bench::new() else { return };
    bench.make("none.parquet", &format!("{TICKETS} LIMIT 0"), "FORMAT parquet");
    let said = bench.home.does("import none.parquet --map map.toml --yes");
    assert!(said.contains("0 rows for `ticket`") && said.contains("nothing new"), "{said}");
    bench.home.does("import none.parquet --map map.toml --yes --covers 2026-01-01..2026-03-31");
    assert_eq!(
        asked(&bench.home, "SELECT relation FROM coverage"),
        serde_json::json!([{ "relation": "ticket" }])
    );
    assert!(bench.home.does("rebuild --diff").contains("every row is as it was"));
    bench.home.holds();
}

#[test]
fn a_mapping_is_proposed_of_the_columns() {
    let Some(mut bench) = Bench::new() else { return };
    let wide = format!("SELECT *, 'x'::BLOB AS raw FROM ({TICKETS})");
    bench.make("t.parquet", &wide, "FORMAT parquet");
    let ran = bench.home.run(["import", "t.parquet"]);
    assert!(ran.err.contains("left out: `raw` holds bytes"), "{}", ran.err);
    let proposed = ran.succeeded();
    assert!(
        proposed.contains("table = \"ticket\"") && proposed.contains("created_at = \"Created\""),
        "{proposed}"
    );
    bench.file("proposed.toml", proposed);
    bench.home.does("import t.parquet --map proposed.toml --yes");
    assert_eq!(asked(&bench.home, "SELECT label FROM ticket").as_array().unwrap().len(), 3);
    // What this program writes itself can be read in another workspace.
    bench
        .home
        .run(["query", "SELECT label, created_at FROM ticket", "--format", "parquet", "--out", "own.parquet"])
        .succeeded();
    bench.file(
        "own.toml",
        "format = \"parquet\"\ntable = \"ticket\"\nkey = \"label\"\n[columns]\nlabel = \"label\"\ncreated_at = \"created_at\"\n",
    );
    let said = bench.home.does("import own.parquet --map own.toml --dry-run");
    assert!(said.contains("3 rows for `ticket`") && said.contains("nothing new"), "{said}");
}

#[test]
fn a_person_is_erased_from_what_a_parquet_file_said() {
    let Some(mut bench) = Bench::new() else { return };
    bench.file(
        "people.toml",
        "table = \"account\"\nkey = \"id\"\nscope = \"idp.example.test\"\n[columns]\n\
         system = { constant = \"idp.example.test\" }\nkind = { constant = \"human\" }\n\
         valid_from = { constant = \"2026-01-01T00:00:00Z\" }\n[display]\nemail = \"email\"\nname = \"name\"\n",
    );
    let people = "SELECT * FROM (VALUES (17, 'zoe@example.test', 'Zoé Quill'), (18, 'bob@example.test', 'Bob Ray')) \
        t(id, email, name)";
    bench.make("people.parquet", people, "FORMAT parquet");
    let home = &bench.home;
    home.does("import people.parquet --map people.toml --yes");
    home.does("ledger erase --person zoe@example.test --basis request --approver p1 --yes");
    // The document is gone, and a copy without the person in its place.
    let shown: String =
        (1..home.entries()).map(|n| home.run(["ledger", "show", &n.to_string()]).out).collect();
    assert!(!shown.contains("zoe@") && !shown.contains("Quill"), "{shown}");
    assert!(shown.contains("{\"id\":18,\"email\":\"bob@example.test\",\"name\":\"Bob Ray\"}"), "{shown}");
    assert!(home.does("rebuild --diff").contains("every row is as it was"));
    assert_eq!(
        asked(home, "SELECT system FROM account").as_array().unwrap().len(),
        2,
        "two accounts as before"
    );
    home.holds();
}
