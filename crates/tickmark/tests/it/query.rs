//! Questions in SQL: what is answered, what is refused, and that none goes on for ever.

use crate::support::{ANN, BOB, Home, Repo};

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
    assert!(crate::support::files(home.path()).iter().all(|path| !path.ends_with("x.db")));
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
