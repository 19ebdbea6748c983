//! What the catalogue lets through means the same on every engine: each construct on its list, run on all of them.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;
use std::path::Path;

use catalog::{Bindings, Engine, Query, written_out};
use conformance::duckdb::DuckDb;
use conformance::server::Server;
use model::{Column, ColumnType, Grade, Instant, Row, Scope, Table, TableKind, Value};
use records::freeze::freeze_tables;
use store::records::{Batch, CURRENT, Limits, Records, RecordsError};

fn tables() -> Vec<Table> {
    let column = |name: &str, kind, nullable| Column {
        name: name.to_owned(),
        kind,
        nullable,
        doc: String::new(),
        words: vec![],
    };
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
            "thing",
            TableKind::Event,
            vec![
                column("word", ColumnType::Text, true),
                column("amount", ColumnType::Integer, true),
                column("parent", ColumnType::Entity, true),
                column("happened_at", ColumnType::Instant, false),
                column("good", ColumnType::Flag, false),
            ],
        ),
        table(
            "spell",
            TableKind::State,
            vec![
                column("thing", ColumnType::Entity, false),
                column("valid_from", ColumnType::Instant, false),
                column("valid_to", ColumnType::Instant, true),
            ],
        ),
    ]
}

/// Values that engines like to treat differently: NULL, case, umlauts, blanks, numbers beyond 32 bits, negative ones.
fn batch() -> Batch {
    let words = [
        Some("b"),
        Some("B"),
        Some("a"),
        None,
        Some("ä"),
        Some(" a "),
        Some(""),
        Some("_"),
        Some("zz"),
        Some("a"),
    ];
    let amounts = [
        Some(7),
        Some(-7),
        Some(3_000_000_000),
        None,
        Some(0),
        Some(2),
        Some(2),
        None,
        Some(-3_000_000_001),
        Some(5),
    ];
    let row = |id: i64, place: i64, values| Row {
        id,
        entry: 1,
        place,
        collected_at: Instant::from_ms(0),
        grade: if id % 3 == 0 { Grade::Asserted } else { Grade::System },
        in_scope: id % 4 != 0,
        known_from: 1,
        superseded_at: CURRENT,
        values,
    };
    let mut rows = Vec::new();
    for (i, (word, amount)) in (1..).zip(words.into_iter().zip(amounts)) {
        let values = vec![
            word.into(),
            amount.into(),
            if i % 3 == 1 { Value::Null } else { Value::Integer(i / 2) },
            Value::Integer(1_700_000_000_000 + i * 86_400_000 - i % 2),
            Value::from(i % 2 == 0),
        ];
        rows.push((0, row(i, i, values)));
    }
    for (i, (thing, from, to)) in (20..).zip([
        (1, 0, Some(50)),
        (1, 50, Some(100)),
        (2, 40, None),
        (3, 60, Some(61)),
        (9, 0, Some(CURRENT)),
    ]) {
        rows.push((1, row(i, i, vec![Value::Integer(thing), Value::Integer(from), to.into()])));
    }
    Batch { rows, applied: 1, ..Batch::default() }
}

const QUESTIONS: &[&str] = &[
    "SELECT id, word, amount FROM thing ORDER BY word NULLS FIRST, id NULLS FIRST",
    "SELECT id FROM thing ORDER BY word DESC NULLS LAST, amount ASC NULLS FIRST, id DESC NULLS FIRST",
    "SELECT DISTINCT word FROM thing ORDER BY word NULLS LAST",
    "SELECT min(word) AS lo, max(word) AS hi, count(word) AS n, count(*) AS m, count(DISTINCT word) AS d FROM thing",
    "SELECT min(CASE WHEN good = 1 THEN 'no_evidence' ELSE 'not_applicable' END) AS w FROM thing",
    "SELECT id FROM thing WHERE word > 'Z' ORDER BY id NULLS FIRST",
    "SELECT id FROM thing WHERE word = $word ORDER BY id NULLS FIRST",
    "SELECT id FROM thing WHERE word < $word OR word IS NULL ORDER BY id NULLS FIRST",
    "SELECT id, amount % 4 AS r, amount % nullif(good, 0) AS q FROM thing ORDER BY id NULLS FIRST",
    "SELECT id, CAST((amount - amount % 4) / 4 AS BIGINT) AS q FROM thing ORDER BY id NULLS FIRST",
    "SELECT id, abs(amount) AS a, -amount AS m, amount * 1000 AS k, amount + 1 - 2 AS s FROM thing ORDER BY id NULLS FIRST",
    "SELECT id, happened_at + CAST(90 AS BIGINT) * 86400000 AS due FROM thing ORDER BY id NULLS FIRST",
    "SELECT CAST(sum(amount) AS BIGINT) AS s, CAST(sum(amount) FILTER (WHERE amount > 5) AS BIGINT) AS t, CAST(sum(amount) FILTER (WHERE amount > 99999999999) AS BIGINT) AS none FROM thing",
    "SELECT good, count(*) FILTER (WHERE word IS NOT NULL) AS n, CAST(sum(amount) AS BIGINT) AS s FROM thing GROUP BY good HAVING count(*) > 2 ORDER BY good NULLS FIRST",
    "SELECT id, word || '!' AS w, substr(word, 1, 1) AS s, length(word) AS n, replace(word, 'a', 'bb') AS r, trim(word) AS t FROM thing ORDER BY id NULLS FIRST",
    "SELECT id, substr(word, 2) AS s, substr(word, 3, 2) AS t, substr(word, 1, 0) AS u FROM thing ORDER BY id NULLS FIRST",
    "SELECT id, coalesce(word, 'none') AS w, coalesce(amount, parent, 0) AS n, nullif(amount, 2) AS z FROM thing ORDER BY id NULLS FIRST",
    "SELECT id FROM thing WHERE amount IS DISTINCT FROM 2 ORDER BY id NULLS FIRST",
    "SELECT id FROM thing WHERE amount IS NOT DISTINCT FROM parent ORDER BY id NULLS FIRST",
    "SELECT id FROM thing WHERE amount BETWEEN -7 AND 5 ORDER BY id NULLS FIRST",
    "SELECT id FROM thing WHERE amount NOT BETWEEN -7 AND 5 ORDER BY id NULLS FIRST",
    "SELECT id FROM thing WHERE amount IN (2, 7, 3000000000) ORDER BY id NULLS FIRST",
    "SELECT id FROM thing WHERE NOT (amount > 2) OR word IN ('a', 'b') AND good = 1 ORDER BY id NULLS FIRST",
    "SELECT id FROM thing WHERE id NOT IN (SELECT t.parent FROM thing t WHERE t.parent IS NOT NULL) ORDER BY id NULLS FIRST",
    "SELECT id FROM thing WHERE id NOT IN (SELECT t.parent FROM thing t) ORDER BY id NULLS FIRST",
    "SELECT id FROM thing x WHERE (x.id, x.good) IN (SELECT t.parent, t.good FROM thing t) ORDER BY id NULLS FIRST",
    "SELECT id FROM thing x WHERE EXISTS (SELECT 1 FROM thing t WHERE t.parent = x.id) ORDER BY id NULLS FIRST",
    "SELECT id FROM thing x WHERE NOT EXISTS (SELECT * FROM thing t WHERE t.parent = x.id AND t.amount > 0) ORDER BY id NULLS FIRST",
    "SELECT x.id AS item, y.id AS other FROM thing x LEFT JOIN thing y ON y.id = x.parent AND y.good = 1 ORDER BY item NULLS FIRST, other NULLS FIRST",
    "SELECT x.id AS item, y.id AS other FROM thing x FULL JOIN thing y ON y.parent = x.id ORDER BY item NULLS FIRST, other NULLS LAST",
    "SELECT x.id AS item, y.id AS other FROM thing x CROSS JOIN spell y WHERE y.thing < x.id ORDER BY item NULLS FIRST, other NULLS FIRST",
    "SELECT id, x.word AS w FROM thing x JOIN thing y USING (id) ORDER BY id NULLS FIRST",
    "SELECT x.id AS item, (SELECT y.id FROM thing y WHERE y.parent = x.id ORDER BY y.amount DESC NULLS LAST, y.id NULLS FIRST LIMIT 1) AS top FROM thing x ORDER BY item NULLS FIRST",
    "SELECT x.id AS item, (SELECT y.id FROM thing y ORDER BY y.amount NULLS FIRST, y.id NULLS FIRST LIMIT 1 OFFSET 1) AS second FROM thing x ORDER BY item NULLS FIRST",
    "SELECT x.id AS item, (SELECT max(d.amount) FROM (SELECT y.amount AS amount FROM thing y WHERE y.parent = x.id) d) AS m FROM thing x ORDER BY item NULLS FIRST",
    "SELECT x.id AS item, CASE (SELECT max(CASE WHEN y.amount <> x.amount THEN 2 WHEN y.amount = x.amount THEN 0 ELSE 1 END) FROM thing y WHERE y.parent = x.id) WHEN 2 THEN 'pass' WHEN 1 THEN 'needs_judgement' ELSE 'deviation' END AS a FROM thing x ORDER BY item NULLS FIRST",
    "SELECT id, CASE WHEN amount > 0 THEN 'more' WHEN amount < 0 THEN 'less' END AS w FROM thing ORDER BY id NULLS FIRST",
    "WITH few AS (SELECT id FROM thing WHERE good = 1), c(x, y) AS (VALUES (1, 'one'), (2, NULL), (3000000000, 'big')) SELECT c.x AS x, c.y AS y, count(a.id) AS n FROM c LEFT JOIN (SELECT id FROM thing) a ON a.id <= c.x GROUP BY c.x, c.y ORDER BY x NULLS FIRST",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT n.i + 1 FROM n WHERE n.i < 20) SELECT i FROM n ORDER BY i NULLS FIRST",
    "WITH RECURSIVE up(item, ancestor) AS (SELECT t.id, t.parent FROM thing t UNION SELECT u.item, t.parent FROM up u JOIN thing t ON t.id = u.ancestor WHERE t.parent IS NOT NULL) SELECT item, ancestor FROM up ORDER BY item NULLS FIRST, ancestor NULLS FIRST",
    "SELECT id AS x FROM thing UNION SELECT parent FROM thing ORDER BY x NULLS FIRST",
    "SELECT word AS x FROM thing UNION ALL SELECT 'a' FROM spell EXCEPT SELECT 'b' FROM spell ORDER BY x NULLS LAST",
    "SELECT word AS x FROM thing INTERSECT SELECT CASE WHEN good = 1 THEN 'a' ELSE 'B' END FROM thing ORDER BY x NULLS FIRST",
    "SELECT id, row_number() OVER (ORDER BY amount NULLS FIRST, id NULLS FIRST) AS n, rank() OVER (ORDER BY amount NULLS FIRST) AS r, dense_rank() OVER (ORDER BY word NULLS LAST) AS d, ntile(3) OVER (ORDER BY id NULLS FIRST) AS q FROM thing ORDER BY id NULLS FIRST",
    "SELECT id, lag(amount, 1) OVER w AS b, lead(word, 2, 'end') OVER w AS f, first_value(word) OVER w AS o, last_value(id) OVER (PARTITION BY good ORDER BY id NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS z FROM thing WINDOW w AS (PARTITION BY good ORDER BY id NULLS FIRST) ORDER BY id NULLS FIRST",
    "SELECT id, CAST(sum(amount) OVER (ORDER BY id NULLS FIRST ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS BIGINT) AS s, count(*) OVER (ORDER BY happened_at NULLS FIRST RANGE BETWEEN 172800000 PRECEDING AND CURRENT ROW) AS n, max(amount) OVER (PARTITION BY good) AS m FROM thing ORDER BY id NULLS FIRST",
    "SELECT id, count(*) OVER (ORDER BY happened_at NULLS FIRST RANGE BETWEEN $back PRECEDING AND 0 FOLLOWING) AS n FROM thing ORDER BY id NULLS FIRST",
    // Gaps and islands.
    "SELECT d.block AS block, min(d.id) AS first, max(d.id) AS last_one FROM (SELECT id, id - row_number() OVER (ORDER BY id NULLS FIRST) AS block FROM thing WHERE amount IS NOT NULL) d GROUP BY d.block ORDER BY block NULLS FIRST",
    "SELECT s.id AS item, s.valid_to AS until FROM spell s ORDER BY item NULLS FIRST",
    "SELECT s.id AS item FROM spell_history s WHERE s.valid_to > 55 OR s.valid_to IS NULL ORDER BY item NULLS FIRST",
    "SELECT count(*) AS n FROM thing WHERE happened_at >= $from AND happened_at < $to AND in_scope = 1 AND grade < 'system'",
    "SELECT * FROM spell ORDER BY id NULLS FIRST",
    "SELECT t.* FROM thing t WHERE t.id = 4 LIMIT 1",
    "SELECT $tz AS z, $as_of AS a, $cutoff AS c",
];

fn bindings() -> Bindings {
    Bindings {
        known_at: 1,
        from: Instant::from_ms(1_700_000_000_000),
        to: Instant::from_ms(1_700_500_000_000),
        as_of: Instant::from_ms(50),
        cutoff: Instant::from_ms(1_800_000_000_000),
        tz: "Europe/Berlin".to_owned(),
        parameters: BTreeMap::from([
            ("word".to_owned(), Value::from("a")),
            ("back".to_owned(), Value::Integer(172_800_000)),
        ]),
        scope: Scope::default(),
    }
}

fn text(question: &str, engine: Engine) -> String {
    let query = Query::of_question(question, tables()).unwrap_or_else(|p| panic!("{question}\n{p:#?}"));
    written_out(&query, &bindings(), engine).unwrap_or_else(|p| panic!("{question}\n{p:#?}"))
}

fn filled(mut records: Records) -> Records {
    records.fill(|take| take(&batch())).unwrap_or_else(|e: RecordsError| panic!("{e}"));
    records
}

fn on_sqlite(folder: &Path) -> (Records, Vec<Vec<Vec<Value>>>) {
    let records = filled(Records::create_sqlite(&folder.join("records.db"), &tables()).unwrap());
    let mut reader = records.reader().unwrap();
    let rows = QUESTIONS
        .iter()
        .map(|q| {
            let sql = text(q, Engine::Sqlite);
            reader.collect(&sql, &Limits::default()).unwrap_or_else(|e| panic!("{e}\n{sql}")).1
        })
        .collect();
    (records, rows)
}

#[test]
fn postgres_and_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let (_, expected) = on_sqlite(folder.path());
    let Some(server) = Server::start() else { return };
    let records = filled(Records::create_postgres(&server.records("portable"), &tables()).unwrap());
    let mut reader = records.reader().unwrap();
    let mut wrong = String::new();
    for (question, expected) in QUESTIONS.iter().zip(expected) {
        let sql = text(question, Engine::Postgres);
        match reader.collect(&sql, &Limits::default()) {
            Ok((_, rows)) if rows == expected => {}
            Ok((_, rows)) => wrong.push_str(&format!("{question}\n  {expected:?}\n  {rows:?}\n")),
            Err(e) => wrong.push_str(&format!("{question}\n  {e}\n")),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn duckdb_and_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let (mut records, expected) = on_sqlite(folder.path());
    let Some(mut duckdb) = DuckDb::start() else { return };
    freeze_tables(&mut records, &["thing", "spell"], 1, &Scope::default(), folder.path()).unwrap();
    let mut wrong = String::new();
    for (question, expected) in QUESTIONS.iter().zip(expected) {
        match duckdb.reperform(folder.path(), &["thing", "spell"], &text(question, Engine::DuckDb)) {
            Ok(answer) if answer.rows == expected => {}
            Ok(answer) => wrong.push_str(&format!("{question}\n  {expected:?}\n  {:?}\n", answer.rows)),
            Err(e) => wrong.push_str(&format!("{question}\n  {e}\n")),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_answers_are_not_all_empty() {
    let folder = tempfile::tempdir().unwrap();
    let (_, answers) = on_sqlite(folder.path());
    let empty: Vec<&&str> =
        QUESTIONS.iter().zip(&answers).filter(|(_, rows)| rows.is_empty()).map(|(q, _)| q).collect();
    // `NOT IN` over a list with NULL is never true, on any engine.
    assert_eq!(
        empty,
        [&"SELECT id FROM thing WHERE id NOT IN (SELECT t.parent FROM thing t) ORDER BY id NULLS FIRST"]
    );
}

/// Questions with a word or sign removed, doubled, or changed for one of another question: most are refused, and
/// what is not has to be something that every engine reads.
fn mutants(wanted: usize) -> Vec<(String, Query)> {
    let words: Vec<Vec<&str>> = QUESTIONS.iter().map(|q| split(q)).collect();
    let mut dice = 88_172_645_463_325_252_u64;
    let mut below = |n: usize| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        usize::try_from(dice >> 33).unwrap_or(0) % n
    };
    let mut accepted = Vec::new();
    while accepted.len() < wanted {
        let mut mutant = words[below(words.len())].clone();
        for _ in 0..=below(3) {
            let place = below(mutant.len());
            match below(3) {
                0 => drop(mutant.remove(place)),
                1 => mutant.insert(place, mutant[place]),
                _ => {
                    let other = &words[below(words.len())];
                    mutant[place] = other[below(other.len())];
                }
            }
            if mutant.is_empty() {
                mutant.push("x");
            }
        }
        let text = mutant.join(" ");
        if let Ok(query) = Query::of_question(&text, tables()) {
            accepted.push((text, query));
        }
    }
    accepted
}

/// Words, numbers, texts and signs.
fn split(question: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = question;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
        let length = match first {
            '\'' => rest[1..].find('\'').map_or(rest.len(), |i| i + 2),
            c if word(c) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            '<' | '>' | '|' => rest.find(|c| !"<>=|".contains(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        if !token.trim().is_empty() {
            tokens.push(token);
        }
        rest = after;
    }
    tokens
}

/// Whether the rows do not depend on which of several equal ones comes first.
fn settled(text: &str) -> bool {
    !["row_number", "ntile", "lag", "lead", "first_value", "last_value", "ROWS", "LIMIT"]
        .iter()
        .any(|w| text.contains(w))
}

#[test]
fn what_is_let_through_is_read_by_every_engine() {
    let folder = tempfile::tempdir().unwrap();
    let (mut records, _) = on_sqlite(folder.path());
    let mut sqlite = records.reader().unwrap();
    let mut duckdb = DuckDb::start();
    freeze_tables(&mut records, &["thing", "spell"], 1, &Scope::default(), folder.path()).unwrap();
    let server = Server::start();
    let mut postgres = server.as_ref().map(|s| {
        filled(Records::create_postgres(&s.records("mutants"), &tables()).unwrap()).reader().unwrap()
    });
    let limits = Limits { deadline: std::time::Duration::from_secs(5), rows: 100_000, ..Limits::default() };
    let sorted = |mut rows: Vec<Vec<Value>>| {
        rows.sort();
        rows
    };
    let mut wrong = String::new();
    for (text, query) in mutants(300) {
        let sql = |engine| written_out(&query, &bindings(), engine);
        let Ok(ours) = sql(Engine::Sqlite) else { continue };
        let expected = match sqlite.collect(&ours, &limits) {
            Ok((_, rows)) => sorted(rows),
            Err(e) => {
                wrong.push_str(&format!("sqlite: {text}\n  {e}\n"));
                continue;
            }
        };
        if let Some(postgres) = &mut postgres {
            match postgres.collect(&sql(Engine::Postgres).unwrap(), &limits) {
                Ok((_, rows)) if settled(&text) && sorted(rows.clone()) != expected => {
                    wrong.push_str(&format!("postgres: {text}\n  {expected:?}\n  {:?}\n", sorted(rows)));
                }
                Ok(_) => {}
                Err(e) => wrong.push_str(&format!("postgres: {text}\n  {e}\n")),
            }
        }
        if let Some(duckdb) = &mut duckdb {
            match duckdb.ask(folder.path(), &["thing", "spell"], &ours) {
                Ok(rows) if settled(&text) && sorted(rows.clone()) != expected => {
                    wrong.push_str(&format!("duckdb: {text}\n  {expected:?}\n  {:?}\n", sorted(rows)));
                }
                Ok(_) => {}
                Err(e) => {
                    wrong.push_str(&format!("duckdb: {text}\n  {}\n", e.lines().next().unwrap_or_default()))
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
