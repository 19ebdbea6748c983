//! Questions in SQL: what is answered, what is refused, and that none goes on for ever.

use std::fs;
use std::process::{Command, Stdio};

use conformance::duckdb::DuckDb;
use model::Value;

use crate::support::{ANN, BOB, Home, Repo, files};

fn home() -> Home {
    let home = Home::new();
    let repository = Repo::new();
    repository.commit("one", "2025-01-09T10:00:00Z", ANN);
    repository.commit("two", "2025-01-10T10:00:00Z", BOB);
    home.january(&repository);
    home
}

fn ask(home: &Home, sql: &str, more: &[&str]) -> crate::support::Ran {
    home.run(["query", sql].iter().chain(more))
}

#[test]
fn answers_in_three_forms() {
    let home = home();
    let sql = "SELECT c.merged_at AS merged_at, c.parents AS parents, c.review AS review FROM (SELECT merged_at, parents, NULL AS review FROM change) c ORDER BY c.merged_at ASC NULLS FIRST";
    assert_eq!(
        ask(&home, sql, &[]).succeeded(),
        "merged_at      parents  review\n1736416800000  0        NULL\n1736503200000  1        NULL\n"
    );
    assert_eq!(
        ask(&home, sql, &["--format", "csv"]).succeeded(),
        "merged_at,parents,review\n1736416800000,0,\n1736503200000,1,\n"
    );
    let json: serde_json::Value =
        serde_json::from_str(&ask(&home, sql, &["--format", "json"]).succeeded()).unwrap();
    assert_eq!(
        json,
        serde_json::json!([
            { "merged_at": 1_736_416_800_000_i64, "parents": 0, "review": null },
            { "merged_at": 1_736_503_200_000_i64, "parents": 1, "review": null },
        ])
    );
    // What was known before the commits were collected.
    assert_eq!(ask(&home, "SELECT count(*) AS n FROM change", &["--known-at", "1"]).succeeded(), "n\n0\n");
    ask(&home, "SELECT count(*) AS n FROM change", &["--as-of", "soon"]).refused(&["`soon` is no instant"]);
}

#[test]
fn what_is_not_on_the_list_is_refused() {
    let home = home();
    for sql in [
        "DELETE FROM change",
        "INSERT INTO change SELECT * FROM change",
        "UPDATE change SET parents = 0",
        "DROP TABLE change",
        "CREATE TABLE t (a INTEGER)",
        "ATTACH 'x.db' AS x",
        "PRAGMA user_version",
        "VACUUM INTO 'x.db'",
        "SELECT pg_sleep(10)",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT load_extension('x')",
        "SELECT readfile('/etc/passwd')",
        "SELECT randomblob(1000000000)",
        "SELECT * FROM entity",
        "SELECT * FROM display",
        "SELECT * FROM change_row",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM pg_catalog.pg_class",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM main.change",
        "SELECT * FROM nothing_of_ours",
        "SELECT nothing FROM change",
        "SELECT superseded_at FROM change",
        "SELECT 1; SELECT 2",
        "SELECT * FROM change INTO OUTFILE 'x'",
        "SELECT * FROM read_parquet('x')",
        "SELECT 'unfinished",
        "",
        "SELECT",
        "WITH d AS (DELETE FROM change RETURNING id) SELECT * FROM d",
    ] {
        let said = ask(&home, sql, &[]).refused(&[]);
        let first = said.lines().next().unwrap();
        // Where, and why.
        let whole = ["", "SELECT 1; SELECT 2"].contains(&sql);
        assert!(first.contains("query:1:") || whole, "{sql}: {said}");
        println!("{sql}\n{said}");
    }
    assert!(files(home.path()).iter().all(|path| !path.ends_with("x.db")));
    assert_eq!(ask(&home, "SELECT count(*) AS n FROM change", &[]).succeeded(), "n\n2\n");
    home.works();
}

#[test]
fn a_question_without_an_end_is_stopped() {
    if std::env::var_os("TICKMARK_LONG").is_none() && std::env::var_os("TICKMARK_CI").is_none() {
        println!("skipped: waits for the deadline of a query; set TICKMARK_LONG");
        return;
    }
    let home = home();
    let endless =
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) AS n FROM r";
    // A second workspace: each has one process.
    let other = self::home();
    let wide = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT r.n AS n FROM r";
    let second = std::thread::spawn(move || {
        ask(&other, wide, &[]).refused(&["the query yields more than", "narrow it with WHERE"]);
        other.works();
    });
    ask(&home, endless, &[]).refused(&["the query was stopped after 60 seconds"]);
    second.join().unwrap();
    home.works();
}

/// Rows that DuckDB gives, a line each.
#[track_caller]
fn duckdb_says(duckdb: &mut DuckDb, home: &Home, sql: &str) -> String {
    let rows = duckdb.reperform(home.path(), &[], sql).unwrap().rows;
    let cell = |value: &Value| match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(n) => n.to_string(),
        Value::Text(text) => text.clone(),
    };
    rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[test]
fn parquet_holds_the_rows_of_csv() {
    let Some(mut duckdb) = DuckDb::start() else { return };
    let home = home();
    // More rows than are written at once; NULLs, texts of several bytes a letter, and numbers at both ends.
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT n.i + 1 FROM n WHERE n.i < 200000) \
                SELECT n.i AS i, CASE WHEN n.i % 3 = 0 THEN NULL ELSE n.i * 46116860184273 END AS big, \
                CASE n.i % 5 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'Grüße aus 東京 🦀' WHEN 3 THEN 'a \"b\", c' ELSE CASE \
                WHEN n.i % 2 = 0 THEN 'even' ELSE 'odd' END END AS word, NULL AS unseen FROM n";
    let said = ask(&home, many, &["--format", "parquet", "--out", "many.parquet"]).succeeded();
    assert_eq!(said, format!("200000 rows are in {}\n", home.path().join("many.parquet").display()));
    ask(&home, many, &["--format", "csv", "--out", "many.csv"]).succeeded();
    let none = "SELECT change.id AS id, change.label AS label FROM change WHERE change.id < 0";
    ask(&home, none, &["--format", "parquet", "--out", "none.parquet"]).succeeded();
    for (file, columns) in [("many", "i, big, word, unseen"), ("none", "id, label")] {
        let types = "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM";
        let path = home.path().join(file).display().to_string();
        let expect = if file == "many" {
            "i BIGINT\nbig BIGINT\nword VARCHAR\nunseen VARCHAR\n"
        } else {
            "id BIGINT\nlabel VARCHAR\n"
        };
        assert_eq!(duckdb_says(&mut duckdb, &home, &format!("{types} '{path}.parquet')")), expect);
        let count = format!("SELECT count(*), count(COLUMNS(*)) FROM '{path}.parquet'");
        let expect = if file == "many" { "200000 200000 133334 160000 0\n" } else { "0 0 0\n" };
        assert_eq!(duckdb_says(&mut duckdb, &home, &count), expect);
        if file == "none" {
            continue;
        }
        // Row for row what the other form says, where NULL and an empty text look alike.
        let texts = format!("SELECT coalesce(CAST(COLUMNS([{}]) AS VARCHAR), '') FROM", quoted(columns));
        let csv =
            format!("read_csv('{path}.csv', all_varchar = true, header = true, delim = ',', quote = '\"')");
        for (one, other) in [(format!("'{path}.parquet'"), csv.clone()), (csv, format!("'{path}.parquet'"))] {
            let left = format!("SELECT count(*) FROM ({texts} {one} EXCEPT ALL {texts} {other})");
            assert_eq!(duckdb_says(&mut duckdb, &home, &left), "0\n");
        }
        let order = format!(
            "SELECT count(*) FROM (SELECT i, row_number() OVER () AS n FROM '{path}.parquet') WHERE i <> n"
        );
        assert_eq!(duckdb_says(&mut duckdb, &home, &order), "0\n");
    }
    let odd = format!(
        "SELECT count(*) FROM '{}' WHERE word = 'Grüße aus 東京 🦀'",
        home.path().join("many.parquet").display()
    );
    assert_eq!(duckdb_says(&mut duckdb, &home, &odd), "40000\n");
}

fn quoted(columns: &str) -> String {
    columns.split(", ").map(|c| format!("'{c}'")).collect::<Vec<_>>().join(", ")
}

#[test]
fn parquet_keeps_the_types_of_columns() {
    let Some(mut duckdb) = DuckDb::start() else { return };
    let home = home();
    let sql = "SELECT c.label AS label, c.merged_at AS merged_at, c.signed AS signed, c.parents AS parents, c.author AS author, \
               c.collected_at AS collected_at, c.in_scope AS in_scope, c.merged_at + 1 AS later, CASE WHEN c.parents = 0 THEN \
               NULL ELSE c.merged_at END AS maybe, r.valid_to AS valid_to FROM change c CROSS JOIN account r WHERE r.id = c.author";
    // To a file that somebody else opened, as a shell does for `>`.
    let file = home.path().join("typed.parquet");
    let status = home
        .command(["query", sql, "--format", "parquet"])
        .stdout(Stdio::from(fs::File::create(&file).unwrap()))
        .status()
        .unwrap();
    assert!(status.success());
    let file = file.display();
    let types = format!("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM '{file}')");
    assert_eq!(
        duckdb_says(&mut duckdb, &home, &types),
        "label VARCHAR\nmerged_at TIMESTAMP WITH TIME ZONE\nsigned BOOLEAN\nparents BIGINT\nauthor BIGINT\n\
         collected_at TIMESTAMP WITH TIME ZONE\nin_scope BOOLEAN\nlater BIGINT\nmaybe TIMESTAMP WITH TIME ZONE\n\
         valid_to TIMESTAMP WITH TIME ZONE\n"
    );
    // What git was told, and the open end of an interval.
    let values = format!(
        "SELECT epoch_ms(merged_at), CAST(merged_at AT TIME ZONE 'UTC' AS VARCHAR), CAST(signed AS INTEGER), parents, \
         later - epoch_ms(merged_at), epoch_ms(maybe), CAST(valid_to AT TIME ZONE 'UTC' AS VARCHAR), \
         CAST(in_scope AS INTEGER) FROM '{file}' ORDER BY merged_at"
    );
    assert_eq!(
        duckdb_says(&mut duckdb, &home, &values),
        "1736416800000 2025-01-09 10:00:00 0 0 1 NULL 9999-12-31 23:59:59.999 1\n\
         1736503200000 2025-01-10 10:00:00 0 1 1 1736503200000 9999-12-31 23:59:59.999 1\n"
    );
    // The same bytes under a name of our own.
    ask(&home, sql, &["--format", "parquet", "--out", "again.parquet"]).succeeded();
    let read = |name: &str| fs::read(home.path().join(name)).unwrap();
    assert_eq!(read("again.parquet"), read("typed.parquet"));
}

#[test]
fn an_answer_takes_no_name_that_is_taken_and_leaves_nothing_behind() {
    let home = home();
    let one = "SELECT count(*) AS n FROM change";
    for (format, expect) in
        [("table", "n\n2\n"), ("csv", "n\n2\n"), ("json", "[\n  {\n    \"n\": 2\n  }\n]\n")]
    {
        ask(&home, one, &["--format", format, "--out", format]).succeeded();
        assert_eq!(fs::read_to_string(home.path().join(format)).unwrap(), expect);
        assert_eq!(ask(&home, one, &["--format", format]).succeeded(), expect);
    }
    let empty = "SELECT change.id AS id FROM change WHERE change.id < 0";
    assert_eq!(ask(&home, empty, &["--format", "json"]).succeeded(), "[]\n");
    let before = files(home.path());
    let parquet = |sql: &str, out: &str| ask(&home, sql, &["--format", "parquet", "--out", out]);
    parquet(one, "csv").refused(&["`", "csv` exists already", "name a new file"]);
    assert_eq!(fs::read_to_string(home.path().join("csv")).unwrap(), "n\n2\n");
    parquet(one, "no/such/folder/x.parquet").refused(&["no/such/folder"]);
    parquet("SELECT nothing FROM change", "x.parquet").refused(&["no column `nothing`"]);
    // Fails on the way: a sum beyond 64 bits.
    let beyond = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT n.i * 4 FROM n) SELECT abs(n.i) AS i FROM n LIMIT 99";
    parquet(beyond, "x.parquet").refused(&["the query"]);
    for format in ["parquet", "json"] {
        let twice = "SELECT a.id, b.id FROM change a CROSS JOIN change b";
        ask(&home, twice, &["--format", format]).refused(&["two columns `id`", "with AS"]);
    }
    assert_eq!(files(home.path()), before);
    home.works();
}

#[test]
fn a_terminal_is_shown_no_parquet_and_no_orders() {
    let home = home();
    let on_a_terminal = |arguments: &str| {
        Command::new("script")
            .args(["-qec", &format!("{} {arguments}", env!("CARGO_BIN_EXE_tickmark")), "/dev/null"])
            .current_dir(home.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .output()
            .ok()
    };
    let Some(refused) = on_a_terminal("query 'SELECT count(*) AS n FROM change' --format parquet") else {
        conformance::skipped("`script`, which makes a terminal, is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&refused.stdout).replace(['\r', '\n'], " ");
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("nothing a terminal can show") && said.contains("--out FILE"), "{said}");
    assert!(!said.contains("PAR1"), "{said}");
    // Foreign text steers nobody's terminal, whatever form it comes in.
    let red = "query \"SELECT '\u{1b}[31mred' AS word\" --format csv";
    let shown = on_a_terminal(red).unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.contains("red") && !shown.contains("\u{1b}[31m"), "{shown:?}");
}
