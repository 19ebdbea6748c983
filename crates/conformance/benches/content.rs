//! What each built-in procedure costs over many rows: a procedure that compares everything with everything shows here.
//!
//! `cargo bench -p conformance --bench content [-- ROWS]`. Rows are made from the tables' schemas alone: a column that
//! is called like a table names its rows, instants lie in a year, a few values are unknown.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops where something fails"
)]

use std::collections::BTreeMap;
use std::env;
use std::time::{Duration, Instant as Clock};

use catalog::{Bindings, Catalog, Engine, written_out};
use model::{Column, ColumnType, Grade, Instant, Row, Table, TableKind, Value};
use store::records::{Batch, CURRENT, Limits, Records, RecordsError};

const BEGINS: i64 = 1_735_689_600_000;
const PERIOD_MS: i64 = 365 * 86_400_000;

/// Tables of which an organisation has few.
const FEW: &[&str] =
    &["repository", "account", "account_person", "person_alike", "branch_rule", "membership", "coverage"];

fn main() {
    let rows: i64 = env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(50_000);
    let (catalog, problems) = Catalog::built_in();
    assert!(problems.is_empty(), "{problems:#?}");
    for procedure in catalog.procedures.values() {
        let used = |t: &&Table| procedure.tables.iter().any(|u| u.name == t.name);
        let tables: Vec<Table> = catalog.tables.iter().filter(used).cloned().collect();
        let folder = tempfile::tempdir().unwrap();
        let mut records = Records::create_sqlite(&folder.path().join("records.db"), &tables).unwrap();
        let mut dice = 88_172_645_463_325_252_u64;
        records
            .fill(|take| {
                for (number, table) in (0..).zip(&tables) {
                    let count = count(table, rows);
                    let rows =
                        (0..count).map(|i| (number, row(&tables, number, i, rows, &mut dice))).collect();
                    take(&Batch { rows, applied: 1, ..Batch::default() })?;
                }
                Ok::<(), RecordsError>(())
            })
            .unwrap();
        let bindings = Bindings {
            known_at: Bindings::EVERYTHING,
            from: Instant::from_ms(BEGINS),
            to: Instant::from_ms(BEGINS + PERIOD_MS),
            as_of: Instant::from_ms(BEGINS + PERIOD_MS - 1),
            cutoff: Instant::from_ms(BEGINS + PERIOD_MS),
            tz: "UTC".to_owned(),
            parameters: BTreeMap::new(),
            scope: model::Scope::default(),
        };
        let sql = written_out(&procedure.query, &bindings, Engine::Sqlite).unwrap();
        let mut reader = records.reader().unwrap();
        let limits = Limits { deadline: Duration::from_secs(60), ..Limits::default() };
        let begun = Clock::now();
        match reader.collect(&sql, &limits) {
            Ok((_, items)) => {
                let seconds = begun.elapsed().as_secs_f64();
                println!("{:32} {:>8} items {seconds:>7.2} s", procedure.id, items.len());
            }
            Err(e) => println!("{:32} {e}", procedure.id),
        }
    }
}

fn count(table: &Table, rows: i64) -> i64 {
    if FEW.contains(&table.name.as_str()) {
        300
    } else if table.name == "calendar_day" {
        730
    } else {
        rows
    }
}

fn row(tables: &[Table], number: usize, i: i64, rows: i64, dice: &mut u64) -> Row {
    let mut below = |n: i64| {
        *dice ^= *dice << 13;
        *dice ^= *dice >> 7;
        *dice ^= *dice << 17;
        i64::try_from(*dice >> 2).unwrap_or(0) % n.max(1)
    };
    let table = &tables[number];
    let value = |column: &Column, below: &mut dyn FnMut(i64) -> i64| -> Value {
        if column.nullable && below(30) == 0 {
            return Value::Null;
        }
        match column.kind {
            ColumnType::Flag => below(2).into(),
            ColumnType::Integer if column.name == "business_day_number" => i.into(),
            ColumnType::Integer => below(3).into(),
            ColumnType::Text if !column.words.is_empty() => {
                column.words[usize::try_from(below(column.words.len() as i64)).unwrap()].as_str().into()
            }
            ColumnType::Text if column.name == "zone" => "UTC".into(),
            ColumnType::Text if column.name == "calendar" => "us_federal".into(),
            ColumnType::Text => format!("text {}", below(50)).into(),
            ColumnType::Instant if table.name == "calendar_day" => {
                (BEGINS + (i + i64::from(column.name == "ends_at")) * 86_400_000).into()
            }
            ColumnType::Instant if column.name == "valid_from" => (BEGINS - below(1000)).into(),
            ColumnType::Instant if column.name == "valid_to" => Instant::FOREVER.into(),
            ColumnType::Instant => (BEGINS + below(PERIOD_MS)).into(),
            ColumnType::Account => (1 << 40 | below(300)).into(),
            ColumnType::Entity if column.name.ends_with("person") => (2 << 40 | below(300)).into(),
            ColumnType::Entity => match tables.iter().position(|t| t.name == column.name) {
                Some(named) => id(named, below(count(&tables[named], rows))).into(),
                None => (3 << 40 | below(rows)).into(),
            },
        }
    };
    let values = table.columns.iter().map(|c| value(c, &mut below)).collect();
    Row {
        id: if table.kind == TableKind::State && table.name == "account" {
            1 << 40 | i
        } else {
            id(number, i)
        },
        entry: 1,
        place: i,
        collected_at: Instant::from_ms(BEGINS + PERIOD_MS),
        grade: Grade::System,
        in_scope: true,
        known_from: 1,
        superseded_at: CURRENT,
        values,
    }
}

fn id(table: usize, i: i64) -> i64 {
    (i64::try_from(table).unwrap_or(0) + 10) << 40 | i
}
