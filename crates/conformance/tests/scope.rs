//! Scope means the same everywhere: on SQLite, on PostgreSQL, on DuckDB over frozen tables, in the frozen column itself, and
//! by looking at every instant.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;

use catalog::{Bindings, Catalog, Engine, Query, written_out};
use conformance::duckdb::DuckDb;
use conformance::server::Server;
use model::{
    ColumnType, Dimension, Grade, Instant, Out, Row, Scope, ScopeTime, Table, TableKind, Value, Window,
};
use records::freeze::freeze_tables;
use store::records::{Batch, CURRENT, Limits, Records, RecordsError};

const FROM: i64 = 100;
const TO: i64 = 200;
/// Numbers that entities have. The last is left out by no rule.
const ENTITIES: [i64; 3] = [1, 2, 3];
const WORDS: [&str; 3] = ["it's", "north", "south"];
const INSTANTS: [Option<i64>; 8] =
    [None, Some(50), Some(100), Some(120), Some(150), Some(199), Some(200), Some(CURRENT >> 16)];

/// How many rows have a number of their own where that is what is in or out.
const OWN: i64 = 200;

/// The number of a row that is as one of the entities is.
const fn own(entity: i64, place: i64) -> i64 {
    entity * 10_000 + place
}

/// The record tables whose rows can be out.
fn tables() -> Vec<Table> {
    Catalog::built_in().0.tables.into_iter().filter(|t| t.scope.is_some()).collect()
}

fn scope() -> Scope {
    let window = |(from, to): (i64, i64)| Window { from: Instant::from_ms(from), to: Instant::from_ms(to) };
    let always = (Instant::BEGINNING.ms(), Instant::FOREVER.ms());
    let mut out = vec![];
    for dimension in Dimension::ALL.into_iter().filter(|d| d.decides_rows()) {
        let kinds = [vec![always], vec![(110, 150), (160, Instant::FOREVER.ms())]];
        for (at, windows) in kinds.into_iter().enumerate() {
            let word = match dimension {
                Dimension::PersonKind => ["intern", "contractor"][at],
                _ => WORDS[at],
            };
            let out_of = |id: Option<i64>| Out {
                dimension,
                word: word.to_owned(),
                id,
                windows: windows.iter().copied().map(window).collect(),
            };
            if dimension.is_entity() {
                out.push(out_of(Some(ENTITIES[at])));
                out.extend((0..OWN).map(|place| out_of(Some(own(ENTITIES[at], place)))));
            } else {
                out.push(out_of(None));
            }
        }
    }
    Scope { from: Instant::from_ms(FROM), to: Instant::from_ms(TO), out }
}

/// Every combination of what decides the scope of a table; the rest of a row stands still.
fn rows(table: &Table) -> Vec<Row> {
    let scope = table.scope.as_ref().unwrap();
    let mut free: Vec<&str> = scope.by.iter().map(|(_, column)| column.as_str()).collect();
    free.dedup();
    match &scope.time {
        ScopeTime::At(at) => free.push(at),
        ScopeTime::Lasts { starts, ends } => free.extend(starts.iter().chain(ends).map(String::as_str)),
    }
    let choices = |column: &str| -> Vec<Value> {
        if column == "id" {
            return ENTITIES.map(Value::Integer).to_vec();
        }
        let declared = &table.columns[table.column(column).unwrap()];
        let mut values: Vec<Value> = match declared.kind {
            ColumnType::Instant => INSTANTS.iter().map(|at| (*at).into()).collect(),
            ColumnType::Text if !declared.words.is_empty() => {
                declared.words.iter().map(|w| Value::from(w.as_str())).collect()
            }
            ColumnType::Text => WORDS.map(Value::from).to_vec(),
            _ => ENTITIES.map(Value::Integer).to_vec(),
        };
        values.retain(|v| *v != Value::Null);
        if declared.nullable {
            values.push(Value::Null);
        }
        values
    };
    let mut all: Vec<BTreeMap<&str, Value>> = vec![BTreeMap::new()];
    for column in &free {
        let mut more = vec![];
        for one in &all {
            for value in choices(column) {
                let mut one = one.clone();
                one.insert(column, value);
                more.push(one);
            }
        }
        all = more;
    }
    let value = |column: &model::Column| match column.kind {
        ColumnType::Text => Value::from(column.words.first().map_or("x", String::as_str)),
        ColumnType::Flag => Value::Integer(1),
        _ => Value::Integer(9),
    };
    (0..)
        .zip(all)
        .map(|(place, chosen)| Row {
            id: match chosen.get("id") {
                Some(Value::Integer(entity)) => own(*entity, place),
                _ => 1000 + place,
            },
            entry: 1,
            place,
            collected_at: Instant::from_ms(0),
            grade: Grade::System,
            in_scope: true,
            known_from: 1,
            superseded_at: CURRENT,
            values: table
                .columns
                .iter()
                .map(|c| chosen.get(c.name.as_str()).cloned().unwrap_or_else(|| value(c)))
                .collect(),
        })
        .collect()
}

/// Whether a row is in scope, by looking at every instant: nobody knows when it began means that it may have been always.
fn expected(table: &Table, scope: &Scope, row: &Row) -> bool {
    let declared = table.scope.as_ref().unwrap();
    let value = |column: &str| match column {
        "id" => Value::Integer(row.id),
        _ => row.values[table.column(column).unwrap()].clone(),
    };
    let instant = |column: &Option<String>, unknown: i64| match column.as_ref().map(|c| value(c)) {
        Some(Value::Integer(at)) => at,
        _ => unknown,
    };
    let lived: Vec<i64> = match &declared.time {
        ScopeTime::At(column) => match value(column) {
            Value::Integer(at) => vec![at],
            // At any time at all.
            _ => vec![i64::from(i32::MIN), 50, 100, 110, 155, 160, 300],
        },
        ScopeTime::Lasts { starts, ends } => {
            let (from, to) = (instant(starts, FROM).max(FROM), instant(ends, TO).min(TO));
            (from..to).collect()
        }
    };
    !declared.by.iter().any(|(dimension, column)| {
        scope.out.iter().filter(|o| o.dimension == *dimension).any(|out| {
            let same = match value(column) {
                Value::Integer(id) => out.id == Some(id),
                Value::Text(word) => out.word == word,
                Value::Null => false,
            };
            let is_out = |at: &i64| out.windows.iter().any(|w| w.from.ms() <= *at && *at < w.to.ms());
            same && lived.iter().all(is_out)
        })
    })
}

/// Whether a row lies in the period at all: of others nobody asks.
fn concerns(table: &Table, row: &Row) -> bool {
    let value = |column: &Option<String>| {
        column.as_ref().map(|c| row.values[table.column(c).unwrap()].clone()).unwrap_or(Value::Null)
    };
    match &table.scope.as_ref().unwrap().time {
        ScopeTime::At(_) => true,
        ScopeTime::Lasts { starts, ends } => {
            let from = match value(starts) {
                Value::Integer(at) => at.max(FROM),
                _ => FROM,
            };
            let to = match value(ends) {
                Value::Integer(at) => at.min(TO),
                _ => TO,
            };
            from < to
        }
    }
}

fn text(table: &Table, engine: Engine) -> String {
    let history = if table.kind == TableKind::State { "_history" } else { "" };
    let question = format!(
        "SELECT t.place AS place, t.in_scope AS in_scope FROM {}{history} t ORDER BY place NULLS LAST",
        table.name
    );
    let query = Query::of_question(&question, vec![table.clone()]).unwrap();
    let bindings = Bindings {
        known_at: 1,
        from: Instant::from_ms(FROM),
        to: Instant::from_ms(TO),
        as_of: Instant::from_ms(TO - 1),
        cutoff: Instant::from_ms(TO),
        tz: "UTC".to_owned(),
        parameters: BTreeMap::new(),
        scope: scope(),
    };
    written_out(&query, &bindings, engine).unwrap()
}

fn filled(mut records: Records, tables: &[Table]) -> Records {
    let rows = tables
        .iter()
        .enumerate()
        .flat_map(|(number, table)| rows(table).into_iter().map(move |row| (number, row)));
    let batch = Batch { rows: rows.collect(), applied: 1, ..Batch::default() };
    records.fill(|take| take(&batch)).unwrap_or_else(|e: RecordsError| panic!("{e}"));
    records
}

/// Place and scope of the rows that are there: of several about one entity the last is.
fn answer(records: &Records, sql: &str) -> Vec<(i64, i64)> {
    let (_, rows) =
        records.reader().unwrap().collect(sql, &Limits::default()).unwrap_or_else(|e| panic!("{e}\n{sql}"));
    pairs(&rows)
}

fn pairs(rows: &[Vec<Value>]) -> Vec<(i64, i64)> {
    rows.iter()
        .map(|row| match row.as_slice() {
            [Value::Integer(place), Value::Integer(in_scope)] => (*place, *in_scope),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn sqlite_says_what_every_instant_says() {
    let folder = tempfile::tempdir().unwrap();
    let tables = tables();
    let records =
        filled(Records::create_sqlite(&folder.path().join("records.db"), &tables).unwrap(), &tables);
    let (mut out, mut asked) = (0, 0);
    for table in &tables {
        let rows = rows(table);
        for (place, in_scope) in answer(&records, &text(table, Engine::Sqlite)) {
            let row = rows.iter().find(|r| r.place == place).unwrap();
            if !concerns(table, row) {
                continue;
            }
            let expect = expected(table, &scope(), row);
            assert_eq!(in_scope == 1, expect, "{}: {:?}", table.name, row.values);
            asked += 1;
            out += usize::from(!expect);
        }
    }
    assert!(tables.len() > 10 && out > 100 && out < asked - 100, "{out} of {asked} rows are out");
}

#[test]
fn postgres_and_sqlite() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let tables = tables();
    let here = filled(Records::create_sqlite(&folder.path().join("records.db"), &tables).unwrap(), &tables);
    let there = filled(Records::create_postgres(&server.records("scope"), &tables).unwrap(), &tables);
    for table in &tables {
        let expected = answer(&here, &text(table, Engine::Sqlite));
        assert_eq!(answer(&there, &text(table, Engine::Postgres)), expected, "{}", table.name);
    }
}

#[test]
fn duckdb_and_the_frozen_column() {
    let Some(mut duckdb) = DuckDb::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let tables = tables();
    let mut records =
        filled(Records::create_sqlite(&folder.path().join("records.db"), &tables).unwrap(), &tables);
    let names: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
    freeze_tables(&mut records, &names, 1, &scope(), folder.path()).unwrap();
    for table in &tables {
        let expected = answer(&records, &text(table, Engine::Sqlite));
        let again = duckdb.ask(folder.path(), &names, &text(table, Engine::DuckDb)).unwrap();
        assert_eq!(pairs(&again), expected, "{}", table.name);
        // The frozen rows say so themselves.
        let frozen = format!("SELECT place, in_scope FROM {}_row ORDER BY place", table.name);
        assert_eq!(pairs(&duckdb.ask(folder.path(), &names, &frozen).unwrap()), expected, "{}", table.name);
    }
}
