use model::{Column, ColumnType, Dimension, Out, ScopeTime, TableKind, TableScope, Window};

use super::*;

fn column(name: &str, kind: ColumnType, nullable: bool) -> Column {
    Column { name: name.to_owned(), kind, nullable, doc: String::new(), words: vec![] }
}

fn tables() -> Vec<Table> {
    let table = |name: &str, kind, columns| Table {
        name: name.to_owned(),
        kind,
        doc: String::new(),
        columns,
        cluster_by: vec![],
        index_by: vec![],
        fed_by: vec![],
        scope: None,
    };
    vec![
        table(
            "change",
            TableKind::Event,
            vec![
                column("label", ColumnType::Text, false),
                column("author", ColumnType::Account, true),
                column("merged_at", ColumnType::Instant, false),
                column("signed", ColumnType::Flag, false),
            ],
        ),
        table(
            "approval",
            TableKind::Event,
            vec![
                column("change", ColumnType::Entity, false),
                column("person", ColumnType::Account, true),
                column("status", ColumnType::Text, false),
            ],
        ),
        table(
            "account",
            TableKind::State,
            vec![
                column("valid_from", ColumnType::Instant, false),
                column("valid_to", ColumnType::Instant, true),
            ],
        ),
    ]
}

fn bindings() -> Bindings {
    Bindings {
        known_at: 7,
        from: Instant::from_ms(1000),
        to: Instant::from_ms(2000),
        as_of: Instant::from_ms(1999),
        cutoff: Instant::from_ms(3000),
        tz: "Europe/Berlin".to_owned(),
        parameters: BTreeMap::new(),
        scope: Scope::default(),
    }
}

fn written(text: &str, engine: Engine) -> String {
    let query = match Query::of_question(text, tables()) {
        Ok(query) => query,
        Err(problems) => return problems.iter().map(|p| format!("{p}\n")).collect(),
    };
    match written_out(&query, &bindings(), engine) {
        Ok(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Err(problems) => problems.iter().map(|p| format!("{p}\n")).collect(),
    }
}

/// The first message about a question that has to be refused.
fn refused(text: &str) -> String {
    match Query::of_question(text, tables()) {
        Ok(query) => format!("accepted: {}", written_out(&query, &bindings(), Engine::Sqlite).unwrap()),
        Err(problems) => problems[0].to_string(),
    }
}

fn accepted(text: &str) {
    if let Err(problems) = Query::of_question(text, tables()) {
        panic!("{text}\n{problems:#?}");
    }
}

#[test]
fn a_relation_becomes_the_rows_known_at_the_snapshot() {
    assert_eq!(
        written("SELECT c.id FROM change c", Engine::Sqlite),
        "SELECT c.id FROM (SELECT id, entry, place, collected_at, grade, in_scope, label, author, merged_at, signed \
         FROM change_row WHERE known_from <= 7 AND superseded_at > 7) c"
    );
}

#[test]
fn what_is_out_of_scope_is_written_into_the_text() {
    let mut tables = tables();
    tables[0].scope = Some(TableScope {
        by: vec![(Dimension::Repository, "author".to_owned()), (Dimension::Environment, "label".to_owned())],
        time: ScopeTime::At("merged_at".to_owned()),
    });
    let window = |from: i64, to: i64| Window { from: Instant::from_ms(from), to: Instant::from_ms(to) };
    let open = Instant::FOREVER.ms();
    let out = |dimension, word: &str, id, windows| Out { dimension, word: word.to_owned(), id, windows };
    let check = |engine, expect: &str| {
        let query = Query::of_question("SELECT c.in_scope FROM change c", tables.clone()).unwrap();
        let scope = Scope {
            from: Instant::from_ms(1000),
            to: Instant::from_ms(2000),
            out: vec![
                out(Dimension::Repository, "acme/a", Some(4), vec![window(10, 20), window(30, open)]),
                out(Dimension::Repository, "acme/b", Some(5), vec![window(30, open)]),
                out(Dimension::Environment, "it's", None, vec![window(Instant::BEGINNING.ms(), open)]),
                // Nothing in this table is a region.
                out(Dimension::Region, "north", None, vec![window(10, 20)]),
            ],
        };
        let text = written_out(&query, &Bindings { scope, ..bindings() }, engine).unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(expect), "{text}");
    };
    check(
        Engine::Sqlite,
        "grade, CASE WHEN author = 4 AND merged_at >= 10 AND merged_at < 20 THEN 0 \
         WHEN author IN (4, 5) AND merged_at >= 30 THEN 0 WHEN label = 'it''s' THEN 0 ELSE in_scope END AS in_scope, label",
    );
    check(Engine::Postgres, "WHEN label = 'it''s' COLLATE \"C\" THEN 0");
}

#[test]
fn a_state_table_shows_the_interval_that_holds_and_its_history_every_one() {
    assert_eq!(
        written("SELECT id FROM account", Engine::Sqlite),
        "SELECT id FROM (SELECT id, entry, place, collected_at, grade, in_scope, valid_from, valid_to FROM account_row \
         WHERE known_from <= 7 AND superseded_at > 7 AND (valid_from <= 1999 OR valid_from IS NULL) \
         AND (valid_to > 1999 OR valid_to IS NULL)) account"
    );
    assert_eq!(
        written("SELECT h.id FROM account_history h", Engine::Sqlite),
        "SELECT h.id FROM (SELECT id, entry, place, collected_at, grade, in_scope, valid_from, valid_to \
         FROM account_row WHERE known_from <= 7 AND superseded_at > 7) h"
    );
}

#[test]
fn parameters_are_typed_literals_and_text_is_collated_where_the_engine_asks() {
    let text = "SELECT 1 AS x WHERE $tz = 'o''x' AND $cutoff > $from";
    assert_eq!(
        written(text, Engine::DuckDb),
        "SELECT 1 AS x WHERE CAST('Europe/Berlin' AS TEXT) = 'o''x' AND CAST(3000 AS BIGINT) > CAST(1000 AS BIGINT)"
    );
    assert_eq!(written(text, Engine::DuckDb), written(text, Engine::Sqlite));
    assert_eq!(
        written(text, Engine::Postgres),
        "SELECT 1 AS x WHERE CAST('Europe/Berlin' AS TEXT) COLLATE \"C\" = 'o''x' COLLATE \"C\" \
         AND CAST(3000 AS BIGINT) > CAST(1000 AS BIGINT)"
    );
}

#[test]
fn what_the_design_lists_as_portable_is_accepted() {
    for text in [
        "WITH c AS (SELECT id FROM change) SELECT id FROM c",
        "WITH c(x) AS (VALUES (1), (2)) SELECT x FROM c",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n",
        "SELECT c.id, a.status FROM change c LEFT JOIN approval a ON a.change = c.id",
        "SELECT id FROM change JOIN approval USING (id)",
        "SELECT c.id FROM change c FULL JOIN approval a ON a.change = c.id AND a.person = c.author",
        "SELECT (SELECT a.person FROM approval a WHERE a.change = c.id ORDER BY a.collected_at NULLS LAST, a.id NULLS LAST LIMIT 1) AS p FROM change c",
        "SELECT CASE WHEN c.author IS NOT DISTINCT FROM 3 THEN 'pass' ELSE 'deviation' END AS a FROM change c",
        "SELECT id FROM change WHERE EXISTS (SELECT 1 FROM approval a WHERE a.change = change.id)",
        "SELECT id FROM change WHERE merged_at BETWEEN $from AND $to AND author IN (1, 2)",
        "SELECT id FROM change c WHERE (c.id, c.author) IN (SELECT a.change, a.person FROM approval a)",
        "SELECT id FROM change UNION ALL SELECT change FROM approval EXCEPT SELECT id FROM account",
        "SELECT coalesce(author, 0) AS x, nullif(label, '') AS y FROM change",
        "SELECT change, count(*) FILTER (WHERE status = 'approved') AS n, count(DISTINCT person) AS m, CAST(sum(person) AS BIGINT) AS s, min(person) AS lo FROM approval GROUP BY change HAVING count(*) > 1",
        "SELECT row_number() OVER (PARTITION BY change ORDER BY collected_at DESC NULLS LAST) AS n FROM approval",
        "SELECT lag(id, 1) OVER w AS before, ntile(4) OVER w AS q FROM change WINDOW w AS (ORDER BY merged_at NULLS FIRST)",
        "SELECT CAST(sum(signed) OVER (ORDER BY merged_at NULLS FIRST RANGE BETWEEN 5 PRECEDING AND CURRENT ROW) AS BIGINT) AS s FROM change",
        "SELECT count(*) OVER (ORDER BY id NULLS FIRST ROWS UNBOUNDED PRECEDING) AS n FROM change",
        "SELECT merged_at % 7 AS r, label || '!' AS l, substr(label, 1, 3) AS s, length(label) AS n, replace(label, 'a', 'b') AS t, trim(label) AS u, abs(merged_at) AS v FROM change",
        "SELECT CAST((merged_at - merged_at % 86400000) / 86400000 AS BIGINT) AS day FROM change",
        "SELECT merged_at + CAST(90 AS BIGINT) * 86400000 AS due FROM change",
        "SELECT d.n FROM (SELECT count(*) AS n FROM change) d",
        "SELECT author, c.label FROM change c WHERE signed = 1 GROUP BY c.author, label ORDER BY author NULLS FIRST",
        "SELECT CASE WHEN signed = 1 THEN 'a' ELSE 'b' END AS w, count(*) FILTER (WHERE author > 1) AS n FROM change GROUP BY CASE WHEN signed = 1 THEN 'a' ELSE 'b' END",
        "SELECT c.author, (SELECT max(a.person) FROM approval a WHERE a.person = c.author) AS x FROM change c GROUP BY c.author",
        "SELECT (SELECT max(a.person) + c.author FROM approval a) AS x FROM change c",
        "SELECT author, max(merged_at) OVER (PARTITION BY label) AS n FROM change",
        "SELECT author, max(count(*)) OVER () AS n FROM change GROUP BY author",
        "SELECT author FROM change GROUP BY author ORDER BY max(merged_at) NULLS FIRST",
        "SELECT * FROM change LIMIT 10",
        "SELECT c.* FROM change c CROSS JOIN account a WHERE NOT (c.signed = 1)",
        "SELECT (SELECT max(d.person) FROM (SELECT a.person FROM approval a WHERE a.change = c.id) d) AS p FROM change c",
    ] {
        accepted(text);
    }
}

#[test]
fn what_the_engines_read_differently_is_refused_with_its_place_and_a_way_out() {
    let check = |text: &str, message: &str| {
        let got = refused(text);
        assert!(got.contains(message), "{text}\n  expected: {message}\n       got: {got}");
    };
    check(
        "SELECT id\nFROM change\nWHERE merged_at / 2 > 5",
        "query:3:7: `/` gives a whole number on some engines and a fraction on others",
    );
    check("SELECT 1.5 AS x", "query:1:8: `1.5` is no whole number of 64 bits");
    check("SELECT 9223372036854775808 AS x", "is no whole number of 64 bits");
    check("SELECT 0x10 AS x", "is not available");
    check("SELECT id FROM change WHERE label LIKE 'a%'", "pattern matching differs");
    check("SELECT lower(label) AS x FROM change", "use the table's `..._key` column");
    check("SELECT avg(id) AS x FROM change", "compare rates by multiplying out");
    check("SELECT id FROM change ORDER BY id", "add NULLS FIRST or NULLS LAST");
    check("SELECT id FROM change ORDER BY 1 NULLS FIRST", "by its position");
    check("SELECT x FROM (SELECT id AS x FROM change)", "a derived table has no alias");
    check("SELECT c.id FROM change c NATURAL JOIN approval a", "NATURAL joins on whatever");
    check("SELECT c.id FROM change c, approval a", "a comma between tables");
    check("SELECT c.id FROM change c RIGHT JOIN approval a ON a.change = c.id", "write LEFT JOIN");
    check("SELECT c.id FROM change c FULL JOIN approval a ON a.change > c.id", "FULL JOIN needs equalities");
    check(
        "SELECT c.id FROM change c JOIN LATERAL (SELECT 1 AS x) d ON d.x = c.id",
        "LATERAL is not available",
    );
    check("SELECT DISTINCT ON (id) id FROM change", "DISTINCT ON is not available");
    check(
        "SELECT id FROM change QUALIFY row_number() OVER (ORDER BY id NULLS FIRST) = 1",
        "QUALIFY is not available",
    );
    check("SELECT sum(id) AS x FROM change", "write `CAST(sum(...) AS BIGINT)`");
    check("SELECT max(id, 2) AS x FROM change", "takes another number of arguments");
    check("SELECT 90 * 86400000 AS x", "write `CAST(90 AS BIGINT) * 86400000`");
    check("SELECT id FROM change WHERE signed", "this is a number, not a condition");
    check("SELECT signed = 1 AS x FROM change", "a condition cannot be a value");
    check(
        "SELECT id FROM change WHERE label = 5",
        "a text meets a number, and the engines convert differently",
    );
    check("SELECT CAST(label AS BIGINT) AS x FROM change", "this is a text, where a number is needed");
    check("SELECT CAST(id AS TEXT) AS x FROM change", "this is a number, where a text is needed");
    check("SELECT CAST(id AS DOUBLE) AS x FROM change", "the type `DOUBLE` is not available");
    check("SELECT id FROM change WHERE author = NULL", "`= NULL` is never true");
    check("SELECT id % author AS x FROM change", "write `nullif(author, 0)`");
    check("SELECT (SELECT person FROM approval) AS x", "this subquery may give several rows");
    check(
        "SELECT (SELECT max(person) FROM approval GROUP BY change) AS x",
        "this subquery may give several rows",
    );
    check("SELECT d.x FROM (SELECT id AS x FROM change LIMIT 1) d", "LIMIT without ORDER BY");
    check("SELECT row_number() OVER (PARTITION BY label) AS n FROM change", "over rows in no order");
    check("SELECT id AS user FROM change", "`user` is a reserved word");
    check("SELECT id AS \"Über\" FROM change", "is quoted");
    check("SELECT Id FROM change", "`Id` is not a name that all engines read alike");
    check(
        "SELECT id FROM change UNION SELECT id FROM account INTERSECT SELECT id FROM approval",
        "binds more tightly",
    );
    check("SELECT id FROM change EXCEPT ALL SELECT id FROM account", "`EXCEPT ALL` is not available");
    check(
        "SELECT id FROM change UNION SELECT label FROM change",
        "is a number in one part and a text in the other",
    );
    check("SELECT true AS x", "flags are 0 and 1");
    check("SELECT DATE '2025-01-01' AS x", "dates are not available");
    check("SELECT substr(label, 0, 2) AS x FROM change", "substr counts from 1");
    check("SELECT count(*) AS n FROM change HAVING count(*) > 1", "HAVING without GROUP BY");
    let bare = "`author` is neither in GROUP BY nor in an aggregate";
    check("SELECT author, count(*) AS n FROM change", bare);
    check("SELECT count(*) + author AS n FROM change", bare);
    check("SELECT label, c.author FROM change c GROUP BY label", bare);
    check("SELECT label FROM change GROUP BY label HAVING author > 1", bare);
    check("SELECT label FROM change GROUP BY label ORDER BY author NULLS FIRST", bare);
    check(
        "SELECT c.label, (SELECT max(a.person) FROM approval a WHERE a.person = c.author) AS x FROM change c GROUP BY c.label",
        bare,
    );
    check("SELECT count(*) AS n, row_number() OVER (ORDER BY author NULLS FIRST) AS r FROM change", bare);
    check("SELECT * FROM change GROUP BY id", "is neither in GROUP BY nor in an aggregate");
    check(
        "SELECT DISTINCT label FROM change ORDER BY author NULLS FIRST",
        "after DISTINCT or a set operation",
    );
    check("SELECT id, author AS id FROM change ORDER BY id NULLS FIRST", "two columns are called `id`");
    check("SELECT count(DISTINCT *) AS n FROM change", "`count(DISTINCT *)` is not available");
    check("SELECT id FROM change WHERE count(*) > 1", "an aggregate cannot stand in WHERE");
    check("SELECT group_concat(label) AS x FROM change", "give rows, one for each value");
    check("SELECT id IS TRUE AS x FROM change", "IS TRUE and IS FALSE are not available");
    check("SELECT id FROM change WHERE author = ANY (SELECT 1)", "ANY and ALL are not available");
    check("SELECT d.x FROM (VALUES (1)) d", "VALUES stands alone");
    check("SELECT c.id FROM change c (a, b)", "a column list after a table's alias");
    check("SELECT", "");
    check("SELECT id FROM", "but the text ends");
}

#[test]
fn nothing_but_listed_relations_and_columns_can_be_named() {
    let check = |text: &str, message: &str| {
        let got = refused(text);
        assert!(got.contains(message), "{text}\n  expected: {message}\n       got: {got}");
    };
    check("SELECT name FROM sqlite_master", "`sqlite_master` is no table that may be read here");
    check("SELECT x.y FROM main.change x", "names a relation with a qualifier");
    check("SELECT usename FROM pg_user", "`pg_user` is no table that may be read here");
    check("SELECT id FROM change_row", "`change_row` is no table that may be read here; known are `change`");
    check("SELECT id FROM change_history", "`change_history` is no table");
    check("SELECT known_from FROM change", "there is no column `known_from` here");
    check("SELECT c.ctid FROM change c", "`ctid` is a reserved word");
    check("SELECT c.authr FROM change c", "`c` has no column `authr`; did you mean `author`?");
    check("SELECT d.id FROM change c", "there is no relation `d` here");
    check("SELECT id FROM change c JOIN approval a ON a.change = c.id", "`id` stands in several relations");
    check("WITH change AS (SELECT 1 AS x) SELECT x FROM change", "is named like a record table");
    check(
        "WITH account_history AS (SELECT 1 AS x) SELECT x FROM account_history",
        "is named like a record table",
    );
    check(
        "SELECT pg_read_file('/etc/passwd') AS x",
        "the function `pg_read_file` is not available on all engines",
    );
    check("SELECT load_extension('x') AS x", "the function `load_extension` is not available");
    check("SELECT x.a FROM pg_ls_dir('.') x", "is followed by something that is not available");
    check("SELECT x.a FROM read_csv('/etc/passwd') x", "is followed by something that is not available");
    check("SELECT x.a FROM '/etc/passwd' x", "");
    check("SELECT id INTO x FROM change", "INTO is not available");
    check("SELECT id FROM change FOR UPDATE", "FOR is not available");
    check("DELETE FROM change", "this is no SELECT");
    check("ATTACH DATABASE 'x' AS y", "this is no SELECT");
    check("PRAGMA query_only = 0", "this is no SELECT");
    check("SELECT 1 AS x; DELETE FROM change", "more than one statement");
    check("WITH d AS (DELETE FROM change RETURNING id) SELECT id FROM d", "records cannot be changed");
    check("WITH d AS (UPDATE change SET id = 1) SELECT id FROM d", "records cannot be changed");
    check("SELECT 'a\0b' AS x", "NUL");
    check("SELECT id FROM change TABLESAMPLE BERNOULLI (1)", "");
    check("", "there is no query");
}

#[test]
fn a_text_cannot_leave_its_quotes() {
    assert_eq!(
        written(r"SELECT 'it''s \' || 'x -- y' AS t", Engine::Sqlite),
        r"SELECT 'it''s \' || 'x -- y' AS t"
    );
    let query = Query::of_question("SELECT $x AS t", tables()).unwrap();
    let mut bindings = bindings();
    bindings.parameters.insert("x".to_owned(), Value::Text("'; DROP TABLE change_row; --".to_owned()));
    assert_eq!(
        written_out(&query, &bindings, Engine::Sqlite).unwrap(),
        "SELECT CAST('''; DROP TABLE change_row; --' AS TEXT) AS t"
    );
    // `--1` would be a comment.
    assert_eq!(written("SELECT - -1 AS t", Engine::Sqlite), "SELECT -(-(1)) AS t");
}

#[test]
fn a_deep_query_is_refused_and_does_not_overflow() {
    let text = format!("SELECT {}1{} AS x", "(".repeat(2_000), ")".repeat(2_000));
    assert!(refused(&text).contains("nested too deeply"), "{}", refused(&text));
    let text = format!("SELECT id FROM change WHERE {}", vec!["author = 1"; 30_000].join(" OR "));
    assert!(refused(&text).contains("more than 6000 words"), "{}", refused(&text));
    accepted(&format!("SELECT id FROM change WHERE {}", vec!["author = 1"; 1_400].join(" OR ")));
    accepted(&format!("SELECT {} AS x FROM change", vec!["merged_at"; 2_900].join(" + ")));
    accepted(&format!("SELECT {}1{} AS x", "(".repeat(40), ")".repeat(40)));
}

/// The types of what a question yields, as words.
#[track_caller]
fn types(text: &str, expect: &str) {
    let query = Query::of_question(text, tables()).unwrap();
    let types: Vec<String> = query.column_types().map(|t| format!("{t:?}").to_lowercase()).collect();
    assert_eq!(types.join(" "), expect, "{text}");
}

#[test]
fn an_instant_is_one_until_it_is_reckoned_with() {
    types("SELECT * FROM change", "integer integer integer instant text flag text integer instant flag");
    types("SELECT merged_at, signed, label, author, NULL FROM change", "instant flag text integer text");
    types("SELECT max(merged_at), min(signed), count(signed) FROM change", "instant flag integer");
    types(
        "SELECT coalesce(merged_at, $from), coalesce(signed, NULL), coalesce(merged_at, 0) FROM change",
        "instant flag integer",
    );
    types(
        "SELECT merged_at + 1, -signed, CAST(merged_at AS BIGINT), abs(signed) FROM change",
        "integer integer integer integer",
    );
    types("SELECT CAST(sum(signed) AS BIGINT), $cutoff, $tz FROM change", "integer instant text");
    types(
        "SELECT CASE WHEN signed = 1 THEN merged_at ELSE NULL END, CASE WHEN signed = 1 THEN 1 ELSE 0 END FROM change",
        "instant integer",
    );
    // Through derived tables, WITH parts and both halves of a set operation.
    types(
        "WITH c AS (SELECT merged_at AS moment, signed AS word FROM change) SELECT d.moment, d.word FROM (SELECT moment, word FROM c) d",
        "instant flag",
    );
    types(
        "SELECT merged_at AS x, signed AS y FROM change UNION SELECT collected_at, 7 FROM change",
        "instant integer",
    );
    // What goes round and changes places is any number.
    types(
        "WITH RECURSIVE r(a, b, c) AS (SELECT merged_at, merged_at, 5 FROM change UNION SELECT b, c, a FROM r) SELECT a, b, c FROM r",
        "integer integer integer",
    );
}
