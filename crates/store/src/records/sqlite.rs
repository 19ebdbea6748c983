//! A generation in a SQLite file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Clock};

use model::{Grade, Instant, RESERVED_COLUMNS, Row, Table, TableKind, Value};
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{
    CachedStatement, Connection, ErrorCode, OpenFlags, OptionalExtension as _, ToSql, Transaction, params,
    params_from_iter,
};

use super::kept::{self, Keeping, KeptRun};
use super::{Batch, CURRENT, Display, Entity, Go, Limits, Meter, RecordsError, RunError, Settled, schema};

/// From how many rows on the first batch of a generation makes its indexes at its end.
const FILLS: usize = 2_000;

/// The writing connection.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Connection,
    path: PathBuf,
    /// Retractions taken while filling, applied at its end.
    retracted: Vec<(usize, i64, i64)>,
    applied: i64,
}

impl Writer {
    pub(super) fn create(path: &Path, tables: &[Table]) -> Result<Self, RecordsError> {
        if path.exists() {
            return Err(RecordsError::Exists { name: path.display().to_string() });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.pragma_update(None, "page_size", 8192)?;
        prepare(&connection)?;
        let transaction = connection.transaction()?;
        transaction.execute_batch(
            "CREATE TABLE generation (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
             CREATE TABLE entity (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, scope INTEGER NOT NULL, key TEXT NOT NULL)
                STRICT;
             CREATE TABLE display (id INTEGER NOT NULL, field TEXT NOT NULL, text TEXT NOT NULL,
                PRIMARY KEY (id, field)) STRICT, WITHOUT ROWID;",
        )?;
        transaction.execute_batch(kept::TABLES)?;
        for table in tables {
            transaction.execute_batch(&declaration(table))?;
        }
        create_indexes(&transaction, tables)?;
        transaction.execute(
            "INSERT INTO generation (name, value) VALUES ('tables', ?1), ('applied', 0), ('filling', 0), ('noted', 0)",
            [schema::fingerprint(tables)],
        )?;
        transaction.commit()?;
        Ok(Self { connection, path: path.to_owned(), retracted: Vec::new(), applied: 0 })
    }

    pub(super) fn open(path: &Path, tables: &[Table]) -> Result<Self, RecordsError> {
        let name = path.display().to_string();
        if !path.exists() {
            return Err(RecordsError::Missing { name });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        prepare(&connection)?;
        let complete: Option<bool> = connection
            .query_row(
                "SELECT (SELECT value FROM generation WHERE name = 'tables') = ?1
                    AND (SELECT value FROM generation WHERE name = 'filling') = 0",
                [schema::fingerprint(tables)],
                |row| row.get(0),
            )
            .optional()
            .or_else(|e| match e.sqlite_error_code() {
                // The file was cut off before its tables were made, or is something else.
                Some(ErrorCode::Unknown | ErrorCode::NotADatabase) => Ok(None),
                _ => Err(e),
            })?;
        if complete != Some(true) {
            return Err(RecordsError::OtherTables { name });
        }
        Ok(Self { connection, path: path.to_owned(), retracted: Vec::new(), applied: 0 })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn applied(&mut self) -> Result<i64, RecordsError> {
        Ok(self
            .connection
            .query_row("SELECT value FROM generation WHERE name = 'applied'", [], |r| r.get(0))?)
    }

    pub(super) fn apply(&mut self, tables: &[Table], batch: &Batch) -> Result<(), RecordsError> {
        // IMMEDIATE: another writer is met here, where it can be waited for, and not halfway.
        let transaction =
            self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let applied: i64 =
            transaction.query_row("SELECT value FROM generation WHERE name = 'applied'", [], |r| r.get(0))?;
        if batch.applied < applied {
            return Err(RecordsError::Order { applied, batch: batch.applied });
        }
        let settled = Settled::of(tables, batch);
        // The first rows of a generation meet none: an index is made faster of all of them than row by row.
        let fills = applied == 0 && batch.rows.len() > FILLS && settled.meeting.is_empty();
        let filled: Vec<&Table> = if fills { tables_of(tables, batch) } else { vec![] };
        if fills {
            drop_indexes(&transaction, filled.iter().copied())?;
        }
        insert_names(&transaction, batch)?;
        for at in settled.meeting {
            let (number, row) = &batch.rows[at];
            supersede(&transaction, &tables[*number], row)?;
        }
        let mut inserts = Inserts::new(&transaction, tables);
        for at in lying(tables, batch) {
            let (number, row) = &batch.rows[at];
            inserts.insert(tables, *number, row, settled.superseded_at[at])?;
        }
        drop(inserts);
        if fills {
            create_indexes(&transaction, filled.iter().copied())?;
        }
        for (number, id, at) in &batch.retracted {
            retract(&transaction, &tables[*number], *id, *at)?;
        }
        if fills {
            kept::note_nothing(&transaction, batch.applied)?;
        } else {
            kept::note(&transaction, batch)?;
        }
        transaction
            .prepare_cached("UPDATE generation SET value = ?1 WHERE name = 'applied'")?
            .execute([batch.applied])?;
        transaction.commit()?;
        Ok(())
    }

    /// Nothing is kept safe while filling: a power cut leaves a file that says it was being filled.
    pub(super) fn begin_filling(&mut self, tables: &[Table]) -> Result<(), RecordsError> {
        self.connection.execute("UPDATE generation SET value = 1 WHERE name = 'filling'", [])?;
        self.connection.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))?;
        self.connection.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
        self.connection.pragma_update(None, "synchronous", "OFF")?;
        self.connection.pragma_update(None, "cache_size", -(256 << 10))?;
        drop_indexes(&self.connection, tables)?;
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        self.retracted.clear();
        self.applied = 0;
        Ok(())
    }

    pub(super) fn take(&mut self, tables: &[Table], batch: &Batch) -> Result<(), RecordsError> {
        if batch.applied < self.applied {
            return Err(RecordsError::Order { applied: self.applied, batch: batch.applied });
        }
        insert_names(&self.connection, batch)?;
        let mut inserts = Inserts::new(&self.connection, tables);
        for at in lying(tables, batch) {
            let (number, row) = &batch.rows[at];
            inserts.insert(tables, *number, row, row.superseded_at)?;
        }
        drop(inserts);
        self.retracted.extend(&batch.retracted);
        self.applied = batch.applied;
        Ok(())
    }

    pub(super) fn end_filling(&mut self, tables: &[Table]) -> Result<(), RecordsError> {
        create_indexes(&self.connection, tables)?;
        for table in tables {
            self.connection.execute(&schema::supersede_all(table), [])?;
        }
        for (number, id, at) in std::mem::take(&mut self.retracted) {
            retract(&self.connection, &tables[number], id, at)?;
        }
        self.connection.execute("UPDATE generation SET value = ?1 WHERE name = 'applied'", [self.applied])?;
        kept::note_nothing(&self.connection, self.applied)?;
        // No ANALYZE: with statistics SQLite drops the look-ups by index that procedures are written for, and a second becomes
        // twenty. Without them a plan depends on the schema alone, the same on every day and for every size.
        self.connection.execute_batch("COMMIT")?;
        // The rows have to be on the disk before the file says that it is complete.
        std::fs::File::open(&self.path)?.sync_all()?;
        prepare(&self.connection)?;
        self.connection.execute("UPDATE generation SET value = 0 WHERE name = 'filling'", [])?;
        self.connection.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))?;
        Ok(())
    }

    pub(super) fn entity_id(
        &mut self,
        kind: &str,
        scope: i64,
        key: &str,
    ) -> Result<Option<i64>, RecordsError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id FROM entity WHERE kind = ?1 AND scope = ?2 AND key = ?3")?;
        Ok(statement.query_row(params![kind, scope, key], |r| r.get(0)).optional()?)
    }

    pub(super) fn entity(&mut self, id: i64) -> Result<Option<Entity>, RecordsError> {
        let mut statement =
            self.connection.prepare_cached("SELECT id, kind, scope, key FROM entity WHERE id = ?1")?;
        Ok(statement.query_row([id], entity).optional()?)
    }

    pub(super) fn entities_of(&mut self, ids: &BTreeSet<i64>) -> Result<Vec<Entity>, RecordsError> {
        // One transaction: otherwise the file is locked and unlocked for each of them.
        let transaction = self.connection.transaction()?;
        let mut statement =
            transaction.prepare_cached("SELECT id, kind, scope, key FROM entity WHERE id = ?1")?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(statement.query_row([id], entity).optional()?);
        }
        Ok(found)
    }

    pub(super) fn entities_by_key(&mut self, kind: &str, key: &str) -> Result<Vec<Entity>, RecordsError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, kind, scope, key FROM entity WHERE kind = ?1 AND key = ?2 ORDER BY id",
        )?;
        let found = statement.query_map(params![kind, key], entity)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    pub(super) fn entities(
        &mut self,
        kind: Option<&str>,
        each: &mut dyn FnMut(Entity),
    ) -> Result<(), RecordsError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, kind, scope, key FROM entity WHERE ?1 IS NULL OR kind = ?1 ORDER BY id",
        )?;
        for found in statement.query_map([kind], entity)? {
            each(found?);
        }
        Ok(())
    }

    pub(super) fn current_rows(&mut self, table: &Table, id: i64) -> Result<Vec<Row>, RecordsError> {
        let order = if table.kind == TableKind::State { "valid_from, " } else { "" };
        let sql = format!(
            "SELECT {} FROM {}_row WHERE id = ?1 AND superseded_at = {CURRENT} ORDER BY {order}known_from, place",
            schema::column_list(table),
            table.name,
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([id], |r| Ok(row(r)))?;
        rows.map(|r| r?.map_err(RecordsError::from)).collect()
    }

    pub(super) fn rows_known_at(
        &mut self,
        table: &Table,
        known_at: i64,
        each: &mut dyn FnMut(Row) -> bool,
    ) -> Result<(), RecordsError> {
        let sql = format!(
            "SELECT {} FROM {}_row WHERE known_from <= ?1 AND superseded_at > ?1 ORDER BY id, known_from, place",
            schema::column_list(table),
            table.name,
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([known_at])?;
        while let Some(found) = rows.next()? {
            if !each(Row { superseded_at: CURRENT, ..row(found)? }) {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn display(&mut self, ids: &BTreeSet<i64>) -> Result<Vec<Display>, RecordsError> {
        // One transaction: otherwise the file is locked and unlocked for each of them.
        let transaction = self.connection.transaction()?;
        let mut statement =
            transaction.prepare_cached("SELECT id, field, text FROM display WHERE id = ?1 ORDER BY field")?;
        let mut found = Vec::new();
        for id in ids {
            for display in statement
                .query_map([id], |r| Ok(Display { id: r.get(0)?, field: r.get(1)?, text: r.get(2)? }))?
            {
                found.push(display?);
            }
        }
        Ok(found)
    }

    pub(super) fn written_since(
        &mut self,
        table: usize,
        since: i64,
        until: i64,
    ) -> Result<Option<BTreeSet<i64>>, RecordsError> {
        Ok(kept::written_since(&self.connection, table, since, until)?)
    }

    pub(super) fn kept(&mut self, run: &[u8; 32]) -> Result<Option<KeptRun>, RecordsError> {
        Ok(kept::kept(&self.connection, run)?)
    }

    pub(super) fn kept_part(&mut self, run: &[u8; 32], part: i64) -> Result<Option<Vec<u8>>, RecordsError> {
        Ok(kept::part(&self.connection, run, part)?)
    }

    pub(super) fn keep_anew(&mut self, run: &[u8; 32], procedure: &str) -> Result<(), RecordsError> {
        Ok(kept::keep_anew(&mut self.connection, run, procedure)?)
    }

    pub(super) fn keep_part(&mut self, run: &[u8; 32], part: i64, rows: &[u8]) -> Result<(), RecordsError> {
        Ok(kept::keep_part(&self.connection, run, part, rows)?)
    }

    pub(super) fn keep(&mut self, keeping: &Keeping) -> Result<(), RecordsError> {
        Ok(kept::keep(&mut self.connection, keeping)?)
    }

    pub(super) fn forget(&mut self, ids: &BTreeSet<i64>) -> Result<(), RecordsError> {
        self.connection.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
        let transaction = self.connection.transaction()?;
        for id in ids {
            transaction.prepare_cached("DELETE FROM display WHERE id = ?1")?.execute([id])?;
        }
        transaction.commit()?;
        // The log of writes still holds the old pages until it is emptied.
        self.connection.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))?;
        self.connection.pragma_update_and_check(None, "secure_delete", "OFF", |_| Ok(()))?;
        Ok(())
    }
}

/// How every connection to a generation behaves.
fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    // A mistyped "column" must be an error and not a text.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.busy_timeout(Duration::from_secs(30))?;
    connection.set_prepared_statement_cache_capacity(256);
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -(64 << 10))?;
    // Rows are sorted for an index by another thread while this one reads them.
    connection.pragma_update_and_check(None, "threads", 2, |_| Ok(()))?;
    Ok(())
}

fn declaration(table: &Table) -> String {
    let base = RESERVED_COLUMNS
        .iter()
        .map(|name| format!("{name} {} NOT NULL", if *name == "grade" { "TEXT" } else { "INTEGER" }));
    let own = table.columns.iter().map(|c| {
        let kind = if c.kind.is_text() { "TEXT" } else { "INTEGER" };
        format!("{} {kind}{}", c.name, if c.nullable { "" } else { " NOT NULL" })
    });
    let columns: Vec<String> = base.chain(own).collect();
    format!(
        "CREATE TABLE {}_row ({}, PRIMARY KEY ({})) STRICT, WITHOUT ROWID",
        table.name,
        columns.join(", "),
        schema::key(table).join(", "),
    )
}

/// The rows of a batch about in the order in which they will lie: rows whose place jumps to and fro turn over many more
/// pages. What a table is clustered by first, and it is a number, decides.
fn lying(tables: &[Table], batch: &Batch) -> impl Iterator<Item = usize> {
    let clusters: Vec<Option<usize>> = tables
        .iter()
        .map(|table| {
            table.cluster_by.first().filter(|_| schema::clustered(table)).and_then(|c| table.column(c))
        })
        .collect();
    let place = |(at, (number, row)): (usize, &(usize, Row))| {
        let by = match clusters[*number].map(|column| &row.values[column]) {
            Some(Value::Integer(by)) => *by,
            _ => 0,
        };
        (*number, by, at)
    };
    let mut order: Vec<(usize, i64, usize)> = batch.rows.iter().enumerate().map(place).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, _, at)| at)
}

/// The tables a batch has rows for.
fn tables_of<'t>(tables: &'t [Table], batch: &Batch) -> Vec<&'t Table> {
    let numbers: BTreeSet<usize> = batch.rows.iter().map(|(number, _)| *number).collect();
    numbers.into_iter().map(|number| &tables[number]).collect()
}

fn create_indexes<'a>(
    connection: &Connection,
    tables: impl IntoIterator<Item = &'a Table>,
) -> Result<(), rusqlite::Error> {
    connection.execute("CREATE UNIQUE INDEX entity_key ON entity (kind, key, scope)", [])?;
    for table in tables {
        for (name, columns) in schema::indexes(table) {
            connection.execute(&format!("CREATE INDEX {name} ON {}_row ({columns})", table.name), [])?;
        }
    }
    Ok(())
}

fn drop_indexes<'a>(
    connection: &Connection,
    tables: impl IntoIterator<Item = &'a Table>,
) -> Result<(), rusqlite::Error> {
    connection.execute("DROP INDEX entity_key", [])?;
    for table in tables {
        for (name, _) in schema::indexes(table) {
            connection.execute(&format!("DROP INDEX {name}"), [])?;
        }
    }
    Ok(())
}

fn insert_names(connection: &Connection, batch: &Batch) -> Result<(), rusqlite::Error> {
    if !batch.entities.is_empty() {
        let mut statement =
            connection.prepare_cached("INSERT INTO entity (id, kind, scope, key) VALUES (?1, ?2, ?3, ?4)")?;
        for Entity { id, kind, scope, key } in &batch.entities {
            statement.execute(params![id, kind, scope, key])?;
        }
    }
    if !batch.display.is_empty() {
        let mut statement = connection.prepare_cached(
            "INSERT INTO display (id, field, text) VALUES (?1, ?2, ?3)
             ON CONFLICT (id, field) DO UPDATE SET text = excluded.text",
        )?;
        for Display { id, field, text } in &batch.display {
            statement.execute(params![id, field, text])?;
        }
    }
    Ok(())
}

fn supersede(transaction: &Transaction<'_>, table: &Table, row: &Row) -> Result<(), rusqlite::Error> {
    let name = &table.name;
    match table.column("valid_from").filter(|_| table.kind == TableKind::State) {
        Some(from) => transaction
            .prepare_cached(&format!(
                "UPDATE {name}_row SET superseded_at = ?1 WHERE id = ?2 AND superseded_at = {CURRENT} \
                 AND valid_from IS ?3"
            ))?
            .execute(params![row.known_from, row.id, Bound(&row.values[from])])?,
        None => transaction
            .prepare_cached(&format!(
                "UPDATE {name}_row SET superseded_at = ?1 WHERE id = ?2 AND superseded_at = {CURRENT}"
            ))?
            .execute(params![row.known_from, row.id])?,
    };
    Ok(())
}

fn retract(connection: &Connection, table: &Table, id: i64, at: i64) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached(&format!(
            "UPDATE {}_row SET superseded_at = ?2 WHERE id = ?1 AND known_from <= ?2 AND superseded_at > ?2",
            table.name
        ))?
        .execute([id, at])?;
    Ok(())
}

/// The statement that inserts a row, by table. Made once for many rows: its text is longer than most rows.
struct Inserts<'c> {
    connection: &'c Connection,
    statements: Vec<Option<CachedStatement<'c>>>,
}

impl<'c> Inserts<'c> {
    fn new(connection: &'c Connection, tables: &[Table]) -> Self {
        Self { connection, statements: tables.iter().map(|_| None).collect() }
    }

    fn insert(
        &mut self,
        tables: &[Table],
        number: usize,
        row: &Row,
        superseded_at: i64,
    ) -> Result<(), rusqlite::Error> {
        let statement = match &mut self.statements[number] {
            Some(statement) => statement,
            empty => {
                let table = &tables[number];
                let places: Vec<String> =
                    (1..=schema::stored(table).count()).map(|i| format!("?{i}")).collect();
                let sql = format!(
                    "INSERT INTO {}_row ({}) VALUES ({})",
                    table.name,
                    schema::column_list(table),
                    places.join(", ")
                );
                empty.insert(self.connection.prepare_cached(&sql)?)
            }
        };
        let grade = row.grade.word();
        let base: [&dyn ToSql; 8] = [
            &row.id,
            &row.entry,
            &row.place,
            &row.collected_at.ms(),
            &grade,
            &row.in_scope,
            &row.known_from,
            &superseded_at,
        ];
        for (i, value) in base.iter().enumerate() {
            statement.raw_bind_parameter(i + 1, value)?;
        }
        for (i, value) in row.values.iter().enumerate() {
            statement.raw_bind_parameter(base.len() + i + 1, Bound(value))?;
        }
        statement.raw_execute()?;
        Ok(())
    }
}

/// A value as SQLite takes it.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Value::Integer(n) => ToSqlOutput::Borrowed(ValueRef::Integer(*n)),
            Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

fn entity(row: &rusqlite::Row<'_>) -> rusqlite::Result<Entity> {
    Ok(Entity { id: row.get(0)?, kind: row.get(1)?, scope: row.get(2)?, key: row.get(3)? })
}

fn row(found: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let grade: String = found.get(4)?;
    let mut values = Vec::new();
    for i in RESERVED_COLUMNS.len()..found.as_ref().column_count() {
        values.push(match found.get_ref(i)? {
            ValueRef::Integer(n) => Value::Integer(n),
            ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => Value::Null,
        });
    }
    Ok(Row {
        id: found.get(0)?,
        entry: found.get(1)?,
        place: found.get(2)?,
        collected_at: Instant::from_ms(found.get(3)?),
        grade: grade.parse().unwrap_or(Grade::Asserted),
        in_scope: found.get(5)?,
        known_from: found.get(6)?,
        superseded_at: found.get(7)?,
        values,
    })
}

/// A connection that can only read record tables.
#[derive(Debug)]
pub(super) struct Reader {
    connection: Connection,
}

/// Functions SQLite may call for a query: those the catalogue lets through. `||` and `CAST` are none to SQLite.
const FUNCTIONS: &[&str] = &[
    "abs",
    "coalesce",
    "count",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "length",
    "max",
    "min",
    "ntile",
    "nullif",
    "rank",
    "replace",
    "row_number",
    "substr",
    "sum",
    "trim",
];

impl Reader {
    pub(super) fn open(path: &Path, tables: &[Table]) -> Result<Self, RecordsError> {
        if !path.exists() {
            return Err(RecordsError::Missing { name: path.display().to_string() });
        }
        // No URI: a file name cannot carry options. No shared cache: the file is opened by its name alone.
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.busy_timeout(Duration::from_secs(30))?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "cache_size", -(64 << 10))?;
        // Sorting and materialising spill to files, so that memory stays bounded.
        connection.pragma_update(None, "temp_store", "FILE")?;
        connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, 4 << 20)?;
        connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, 1 << 20)?;
        connection.set_limit(Limit::SQLITE_LIMIT_COMPOUND_SELECT, 200)?;
        connection.set_limit(Limit::SQLITE_LIMIT_EXPR_DEPTH, 5000)?;
        connection.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
        let readable: BTreeSet<String> = tables.iter().map(|t| format!("{}_row", t.name)).collect();
        // `count(*)` over a WITH part is asked for as a read of no column of a table called like it, in the author's
        // letters. So such a read is let through for names that stand for nothing else here.
        let mut named: BTreeSet<String> = BTreeSet::new();
        for sql in ["SELECT lower(name) FROM sqlite_schema", "SELECT lower(name) FROM pragma_module_list"] {
            let mut statement = connection.prepare(sql)?;
            for name in statement.query_map([], |row| row.get::<_, String>(0))? {
                named.insert(name?);
            }
        }
        connection.authorizer(Some(move |context: AuthContext<'_>| {
            let allowed = match context.action {
                AuthAction::Select | AuthAction::Recursive => true,
                AuthAction::Read { table_name, column_name: "" } => {
                    let name = table_name.to_ascii_lowercase();
                    readable.contains(&name)
                        || !(named.contains(&name)
                            || name.starts_with("sqlite_")
                            || name.starts_with("pragma_"))
                }
                AuthAction::Read { table_name, .. } => {
                    readable.contains(table_name) && context.database_name == Some("main")
                }
                AuthAction::Function { function_name } => FUNCTIONS.contains(&function_name),
                _ => false,
            };
            if allowed { Authorization::Allow } else { Authorization::Deny }
        }))?;
        Ok(Self { connection })
    }

    pub(super) fn run(
        &mut self,
        sql: &str,
        limits: &Limits,
        cancelled: &Arc<AtomicBool>,
        each: &mut dyn FnMut(&[Value]) -> Go,
    ) -> Result<Vec<String>, RunError> {
        let begun = Clock::now();
        // The engine asks every so many instructions whether to go on.
        let late = Arc::new(AtomicBool::new(false));
        let (deadline, flag, stop) = (limits.deadline, Arc::clone(&late), Arc::clone(cancelled));
        let failed = |e: rusqlite::Error| explain(&e, &late, limits);
        self.connection
            .progress_handler(
                10_000,
                Some(move || {
                    let over = begun.elapsed() > deadline;
                    if over {
                        flag.store(true, Ordering::Relaxed);
                    }
                    over || stop.load(Ordering::Relaxed)
                }),
            )
            .map_err(failed)?;
        let result = self.rows(sql, limits, cancelled, each, &failed);
        self.connection.progress_handler(0, None::<fn() -> bool>).map_err(failed)?;
        result
    }

    fn rows(
        &self,
        sql: &str,
        limits: &Limits,
        cancelled: &AtomicBool,
        each: &mut dyn FnMut(&[Value]) -> Go,
        failed: &dyn Fn(rusqlite::Error) -> RunError,
    ) -> Result<Vec<String>, RunError> {
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut meter = Meter::new(limits);
        let mut values = vec![Value::Null; columns.len()];
        let mut rows = statement.query(params_from_iter(std::iter::empty::<i64>())).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            if cancelled.load(Ordering::Relaxed) {
                return Err(RunError::Cancelled);
            }
            for (i, value) in values.iter_mut().enumerate() {
                *value = match row.get_ref(i).map_err(failed)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(n) => Value::Integer(n),
                    ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                    ValueRef::Real(_) => {
                        return Err(RunError::Type {
                            column: columns[i].clone(),
                            what: "a fraction".to_owned(),
                        });
                    }
                    ValueRef::Blob(_) => {
                        return Err(RunError::Type { column: columns[i].clone(), what: "bytes".to_owned() });
                    }
                };
            }
            meter.row(&values)?;
            if each(&values).is_break() {
                break;
            }
        }
        Ok(columns)
    }
}

fn explain(error: &rusqlite::Error, late: &AtomicBool, limits: &Limits) -> RunError {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) if late.load(Ordering::Relaxed) => {
            RunError::Deadline { after: limits.deadline }
        }
        Some(ErrorCode::OperationInterrupted) => RunError::Cancelled,
        Some(
            ErrorCode::AuthorizationForStatementDenied | ErrorCode::ReadOnly | ErrorCode::PermissionDenied,
        ) => RunError::Refused { what: error.to_string() },
        _ => RunError::Failed { reason: error.to_string() },
    }
}
