//! A generation in a PostgreSQL schema.
//!
//! Two connections with two roles: one owns the schema and writes, the other owns nothing and may only SELECT the record
//! tables. A read-only transaction alone is no wall: it still lets a role read server files or write large objects when
//! the role may. So the reading role is looked at before it is used.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Clock};

use model::{Grade, Instant, RESERVED_COLUMNS, Row, Table, TableKind, Value};
use postgres::error::SqlState;
use postgres::types::{ToSql, Type};
use postgres::{Client, GenericClient, NoTls, Statement, Transaction};

use super::kept::{Keeping, KeptRun};
use super::{Batch, CURRENT, Display, Entity, Go, Limits, Meter, RecordsError, RunError, Settled, schema};

/// Where a generation lies, and as whom it is written and read.
#[derive(Clone, Debug)]
pub struct Address {
    /// Connection string of the owning role.
    pub writer: String,
    /// Connection string of the reading role, to the same database.
    pub reader: String,
    /// Schema of the generation, such as `records_3`.
    pub schema: String,
}

impl Address {
    fn as_writer(&self) -> Result<Client, RecordsError> {
        connect("writer", &self.writer)
    }

    fn as_reader(&self) -> Result<Client, RecordsError> {
        connect("reader", &self.reader)
    }
}

/// Connects as one of the two. A connection string may hold a password: no message repeats any of it.
fn connect(who: &'static str, text: &str) -> Result<Client, RecordsError> {
    let config: postgres::Config = text.parse().map_err(|_| RecordsError::Address { who })?;
    let unreachable = |e: postgres::Error| RecordsError::Unreachable { who, reason: said(&e) };
    config.connect(NoTls).map_err(unreachable)
}

/// The statements with which an administrator makes a role that can only read. Run them in Tickmark's database.
#[must_use]
pub fn reader_setup(role: &str, password: &str) -> String {
    let role = quoted(role);
    let password = password.replace('\'', "''");
    let functions = LARGE_OBJECT_FUNCTIONS.join(", ");
    format!(
        "CREATE ROLE {role} LOGIN PASSWORD '{password}' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT;\n\
         ALTER ROLE {role} SET default_transaction_read_only = on;\n\
         ALTER ROLE {role} SET temp_file_limit = '4GB';\n\
         REVOKE CREATE ON SCHEMA public FROM PUBLIC;\n\
         REVOKE EXECUTE ON FUNCTION {functions} FROM PUBLIC;\n"
    )
}

/// Columns of `entity`, as [`copy_entity`] writes them.
const ENTITY_COLUMNS: &str = "id, kind, scope, key";

/// Functions that write even in a read-only transaction of PostgreSQL 15, and that everybody may call by default.
const LARGE_OBJECT_FUNCTIONS: &[&str] = &[
    "lo_creat(integer)",
    "lo_create(oid)",
    "lo_from_bytea(oid, bytea)",
    "lo_open(oid, integer)",
    "lo_put(oid, bigint, bytea)",
    "lo_truncate(integer, integer)",
    "lo_truncate64(integer, bigint)",
    "lo_unlink(oid)",
    "lowrite(integer, bytea)",
];

/// Removes a generation.
pub(super) fn drop_generation(address: &Address) -> Result<(), RecordsError> {
    let mut client = address.as_writer()?;
    Ok(client.batch_execute(&format!("DROP SCHEMA IF EXISTS {} CASCADE", quoted(&address.schema)))?)
}

/// Bytes gathered for a table before they are sent.
const COPY_BYTES: usize = 4 << 20;

/// The writing connection.
pub(super) struct Writer {
    client: Client,
    address: Address,
    statements: BTreeMap<String, Statement>,
    filling: Option<Filling>,
}

/// What was taken and not yet sent.
#[derive(Default)]
struct Filling {
    tables: Vec<Vec<u8>>,
    entities: Vec<u8>,
    display: BTreeMap<(i64, String), String>,
    retracted: Vec<(usize, i64, i64)>,
    applied: i64,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("schema", &self.address.schema).finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn create(address: &Address, tables: &[Table]) -> Result<Self, RecordsError> {
        let mut client = address.as_writer()?;
        let schema = quoted(&address.schema);
        let mut transaction = client.transaction()?;
        match transaction.batch_execute(&format!("CREATE SCHEMA {schema}")) {
            Err(e) if e.code() == Some(&SqlState::DUPLICATE_SCHEMA) => {
                return Err(RecordsError::Exists { name: address.schema.clone() });
            }
            other => other?,
        }
        transaction.batch_execute(&format!("SET LOCAL search_path TO {schema}"))?;
        transaction.batch_execute(
            "CREATE TABLE generation (name TEXT PRIMARY KEY, tables TEXT NOT NULL, applied BIGINT NOT NULL,
                 filling BOOLEAN NOT NULL);
             CREATE TABLE entity (id BIGINT NOT NULL, kind TEXT COLLATE \"C\" NOT NULL, scope BIGINT NOT NULL,
                 key TEXT COLLATE \"C\" NOT NULL);
             CREATE TABLE display (id BIGINT NOT NULL, field TEXT COLLATE \"C\" NOT NULL,
                 text TEXT COLLATE \"C\" NOT NULL, PRIMARY KEY (id, field));",
        )?;
        for table in tables {
            transaction.batch_execute(&declaration(table))?;
        }
        create_indexes(&mut transaction, tables)?;
        transaction.execute(
            "INSERT INTO generation (name, tables, applied, filling) VALUES ('records', $1, 0, false)",
            &[&schema::fingerprint(tables)],
        )?;
        let reader = quoted(&user(&address.reader)?);
        transaction.batch_execute(&format!("GRANT USAGE ON SCHEMA {schema} TO {reader}"))?;
        for table in tables {
            transaction.batch_execute(&format!("GRANT SELECT ON {}_row TO {reader}", table.name))?;
        }
        transaction.commit()?;
        Self::of(client, address)
    }

    pub(super) fn open(address: &Address, tables: &[Table]) -> Result<Self, RecordsError> {
        let client = address.as_writer()?;
        let mut writer = Self::of(client, address)?;
        let found = writer.client.query_opt(
            "SELECT 1 FROM information_schema.schemata WHERE schema_name = $1",
            &[&address.schema],
        )?;
        if found.is_none() {
            return Err(RecordsError::Missing { name: address.schema.clone() });
        }
        let complete = writer.client.query_opt(
            "SELECT 1 FROM generation WHERE tables = $1 AND NOT filling",
            &[&schema::fingerprint(tables)],
        )?;
        if complete.is_none() {
            return Err(RecordsError::OtherTables { name: address.schema.clone() });
        }
        Ok(writer)
    }

    fn of(mut client: Client, address: &Address) -> Result<Self, RecordsError> {
        client.batch_execute(&format!("SET search_path TO {}", quoted(&address.schema)))?;
        Ok(Self { client, address: address.clone(), statements: BTreeMap::new(), filling: None })
    }

    pub(super) const fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn applied(&mut self) -> Result<i64, RecordsError> {
        Ok(self.client.query_one("SELECT applied FROM generation", &[])?.get(0))
    }

    pub(super) fn apply(&mut self, tables: &[Table], batch: &Batch) -> Result<(), RecordsError> {
        let statements = &mut self.statements;
        let mut transaction = self.client.transaction()?;
        let applied: i64 = transaction.query_one("SELECT applied FROM generation FOR UPDATE", &[])?.get(0);
        if batch.applied < applied {
            return Err(RecordsError::Order { applied, batch: batch.applied });
        }
        let settled = Settled::of(tables, batch);
        for at in settled.meeting {
            let (number, row) = &batch.rows[at];
            let table = &tables[*number];
            let name = &table.name;
            match table.column("valid_from").filter(|_| table.kind == TableKind::State) {
                Some(from) => {
                    let sql = format!(
                        "UPDATE {name}_row SET superseded_at = $1 WHERE id = $2 AND superseded_at = {CURRENT} \
                         AND valid_from IS NOT DISTINCT FROM $3"
                    );
                    execute(
                        &mut transaction,
                        statements,
                        &sql,
                        &[&row.known_from, &row.id, &number_of(&row.values[from])],
                    )?;
                }
                None => {
                    let sql = format!(
                        "UPDATE {name}_row SET superseded_at = $1 WHERE id = $2 AND superseded_at = {CURRENT}"
                    );
                    execute(&mut transaction, statements, &sql, &[&row.known_from, &row.id])?;
                }
            }
        }
        let mut lines = vec![Vec::new(); tables.len()];
        for ((number, row), superseded_at) in batch.rows.iter().zip(settled.superseded_at) {
            copy_row(&mut lines[*number], row, superseded_at);
        }
        for (table, lines) in tables.iter().zip(&mut lines) {
            send(&mut transaction, &format!("{}_row", table.name), &schema::column_list(table), lines)?;
        }
        let mut lines = Vec::new();
        for entity in &batch.entities {
            copy_entity(&mut lines, entity);
        }
        send(&mut transaction, "entity", ENTITY_COLUMNS, &mut lines)?;
        // The last text counts, and one statement may not meet a row twice.
        let display: BTreeMap<(i64, &str), String> =
            batch.display.iter().map(|d| ((d.id, d.field.as_str()), spoken_text(&d.text))).collect();
        let (ids, fields): (Vec<i64>, Vec<&str>) = display.keys().copied().unzip();
        let texts: Vec<&str> = display.values().map(String::as_str).collect();
        let sql = "INSERT INTO display (id, field, text) \
                   SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]) \
                   ON CONFLICT (id, field) DO UPDATE SET text = excluded.text";
        execute(&mut transaction, statements, sql, &[&ids, &fields, &texts])?;
        for (number, id, at) in &batch.retracted {
            execute(&mut transaction, statements, &retraction(&tables[*number]), &[id, at])?;
        }
        execute(&mut transaction, statements, "UPDATE generation SET applied = $1", &[&batch.applied])?;
        transaction.commit()?;
        // The server's own look at new rows may be a minute away, and until then it plans for empty tables: seconds become
        // minutes. Few rows do not change a plan.
        if batch.rows.len() >= 500 {
            for table in batch.rows.iter().map(|(number, _)| *number).collect::<BTreeSet<_>>() {
                self.client.batch_execute(&format!("ANALYZE {}_row", tables[table].name))?;
            }
        }
        Ok(())
    }

    pub(super) const fn written_since(
        &mut self,
        _table: usize,
        _since: i64,
        _until: i64,
    ) -> Result<Option<BTreeSet<i64>>, RecordsError> {
        Ok(None)
    }

    pub(super) const fn kept(&mut self, _run: &[u8; 32]) -> Result<Option<KeptRun>, RecordsError> {
        Ok(None)
    }

    pub(super) const fn kept_part(
        &mut self,
        _run: &[u8; 32],
        _part: i64,
    ) -> Result<Option<Vec<u8>>, RecordsError> {
        Ok(None)
    }

    pub(super) const fn keep_anew(&mut self, _run: &[u8; 32], _procedure: &str) -> Result<(), RecordsError> {
        Ok(())
    }

    pub(super) const fn keep_part(
        &mut self,
        _run: &[u8; 32],
        _part: i64,
        _rows: &[u8],
    ) -> Result<(), RecordsError> {
        Ok(())
    }

    pub(super) const fn keep(&mut self, _keeping: &Keeping) -> Result<(), RecordsError> {
        Ok(())
    }

    pub(super) fn begin_filling(&mut self, tables: &[Table]) -> Result<(), RecordsError> {
        self.client.batch_execute("UPDATE generation SET filling = true")?;
        drop_indexes(&mut self.client, tables)?;
        self.filling = Some(Filling { tables: vec![Vec::new(); tables.len()], ..Filling::default() });
        Ok(())
    }

    pub(super) fn take(&mut self, tables: &[Table], batch: &Batch) -> Result<(), RecordsError> {
        let Some(filling) = &mut self.filling else { return Ok(()) };
        if batch.applied < filling.applied {
            return Err(RecordsError::Order { applied: filling.applied, batch: batch.applied });
        }
        for entity in &batch.entities {
            copy_entity(&mut filling.entities, entity);
        }
        for Display { id, field, text } in &batch.display {
            filling.display.insert((*id, field.clone()), spoken_text(text));
        }
        for (number, row) in &batch.rows {
            copy_row(&mut filling.tables[*number], row, row.superseded_at);
        }
        filling.retracted.extend(&batch.retracted);
        filling.applied = batch.applied;
        for (table, bytes) in tables.iter().zip(&mut filling.tables) {
            if bytes.len() > COPY_BYTES {
                send(&mut self.client, &format!("{}_row", table.name), &schema::column_list(table), bytes)?;
            }
        }
        if filling.entities.len() > COPY_BYTES {
            send(&mut self.client, "entity", ENTITY_COLUMNS, &mut filling.entities)?;
        }
        Ok(())
    }

    pub(super) fn end_filling(&mut self, tables: &[Table]) -> Result<(), RecordsError> {
        let Some(mut filling) = self.filling.take() else { return Ok(()) };
        for (table, bytes) in tables.iter().zip(&mut filling.tables) {
            send(&mut self.client, &format!("{}_row", table.name), &schema::column_list(table), bytes)?;
        }
        send(&mut self.client, "entity", ENTITY_COLUMNS, &mut filling.entities)?;
        let mut bytes = Vec::new();
        for ((id, field), text) in &filling.display {
            line(&mut bytes, [Some(&id.to_string()), Some(field), Some(text)]);
        }
        send(&mut self.client, "display", "id, field, text", &mut bytes)?;
        let mut transaction = self.client.transaction()?;
        create_indexes(&mut transaction, tables)?;
        for table in tables {
            // The target of an UPDATE has no alias in front of a column to set; both engines read it so.
            transaction.batch_execute(&schema::supersede_all(table))?;
        }
        for (number, id, at) in &filling.retracted {
            transaction.execute(&retraction(&tables[*number]), &[id, at])?;
        }
        transaction.execute("UPDATE generation SET applied = $1, filling = false", &[&filling.applied])?;
        transaction.commit()?;
        for table in tables {
            self.client.batch_execute(&format!("ANALYZE {}_row", table.name))?;
        }
        Ok(())
    }

    pub(super) fn entity_id(
        &mut self,
        kind: &str,
        scope: i64,
        key: &str,
    ) -> Result<Option<i64>, RecordsError> {
        let found = self.client.query_opt(
            "SELECT id FROM entity WHERE kind = $1 AND scope = $2 AND key = $3",
            &[&kind, &scope, &key],
        )?;
        Ok(found.map(|r| r.get(0)))
    }

    pub(super) fn entity(&mut self, id: i64) -> Result<Option<Entity>, RecordsError> {
        let found = self.client.query_opt("SELECT id, kind, scope, key FROM entity WHERE id = $1", &[&id])?;
        Ok(found.as_ref().map(entity))
    }

    pub(super) fn entities_of(&mut self, ids: &BTreeSet<i64>) -> Result<Vec<Entity>, RecordsError> {
        let ids: Vec<i64> = ids.iter().copied().collect();
        let sql = "SELECT id, kind, scope, key FROM entity WHERE id = ANY($1) ORDER BY id";
        Ok(self.client.query(sql, &[&ids])?.iter().map(entity).collect())
    }

    pub(super) fn entities_by_key(&mut self, kind: &str, key: &str) -> Result<Vec<Entity>, RecordsError> {
        let sql = "SELECT id, kind, scope, key FROM entity WHERE kind = $1 AND key = $2 ORDER BY id";
        Ok(self.client.query(sql, &[&kind, &key])?.iter().map(entity).collect())
    }

    pub(super) fn entities(
        &mut self,
        kind: Option<&str>,
        each: &mut dyn FnMut(Entity),
    ) -> Result<(), RecordsError> {
        use postgres::fallible_iterator::FallibleIterator as _;
        let sql = "SELECT id, kind, scope, key FROM entity WHERE $1::text IS NULL OR kind = $1 ORDER BY id";
        let mut rows = self.client.query_raw(sql, [kind])?;
        while let Some(row) = rows.next()? {
            each(entity(&row));
        }
        Ok(())
    }

    pub(super) fn current_rows(&mut self, table: &Table, id: i64) -> Result<Vec<Row>, RecordsError> {
        let order = if table.kind == TableKind::State { "valid_from NULLS FIRST, " } else { "" };
        let sql = format!(
            "SELECT {} FROM {}_row WHERE id = $1 AND superseded_at = {CURRENT} ORDER BY {order}known_from, place",
            schema::column_list(table),
            table.name,
        );
        let rows = self.client.query(&sql, &[&id])?;
        Ok(rows.iter().map(|r| row(r, table)).collect::<Result<_, _>>()?)
    }

    pub(super) fn rows_known_at(
        &mut self,
        table: &Table,
        known_at: i64,
        each: &mut dyn FnMut(Row) -> bool,
    ) -> Result<(), RecordsError> {
        use postgres::fallible_iterator::FallibleIterator as _;
        let sql = format!(
            "SELECT {} FROM {}_row WHERE known_from <= $1 AND superseded_at > $1 ORDER BY id, known_from, place",
            schema::column_list(table),
            table.name,
        );
        let mut rows = self.client.query_raw(&sql, [known_at])?;
        while let Some(found) = rows.next()? {
            if !each(Row { superseded_at: CURRENT, ..row(&found, table)? }) {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn display(&mut self, ids: &BTreeSet<i64>) -> Result<Vec<Display>, RecordsError> {
        let ids: Vec<i64> = ids.iter().copied().collect();
        let rows = self
            .client
            .query("SELECT id, field, text FROM display WHERE id = ANY($1) ORDER BY id, field", &[&ids])?;
        Ok(rows.iter().map(|r| Display { id: r.get(0), field: r.get(1), text: r.get(2) }).collect())
    }

    pub(super) fn forget(&mut self, ids: &BTreeSet<i64>) -> Result<(), RecordsError> {
        let ids: Vec<i64> = ids.iter().copied().collect();
        self.client.execute("DELETE FROM display WHERE id = ANY($1)", &[&ids])?;
        // Deleted rows stay in the file until it is written anew.
        self.client.batch_execute("VACUUM FULL display")?;
        Ok(())
    }
}

fn declaration(table: &Table) -> String {
    let base = RESERVED_COLUMNS.iter().map(|name| match *name {
        "grade" => "grade TEXT COLLATE \"C\" NOT NULL".to_owned(),
        name => format!("{name} BIGINT NOT NULL"),
    });
    let own = table.columns.iter().map(|c| {
        let kind = if c.kind.is_text() { "TEXT COLLATE \"C\"" } else { "BIGINT" };
        format!("{} {kind}{}", c.name, if c.nullable { "" } else { " NOT NULL" })
    });
    let columns: Vec<String> = base.chain(own).collect();
    // Superseding changes one column that no index holds: room on the page lets it stay there.
    format!("CREATE TABLE {}_row ({}) WITH (fillfactor = 90)", table.name, columns.join(", "))
}

fn create_indexes(client: &mut impl GenericClient, tables: &[Table]) -> Result<(), postgres::Error> {
    client.batch_execute(
        "ALTER TABLE entity ADD CONSTRAINT entity_id PRIMARY KEY (id);
         CREATE UNIQUE INDEX entity_key ON entity (kind, key, scope);",
    )?;
    for table in tables {
        let name = &table.name;
        let key = schema::key(table).join(", ");
        client.batch_execute(&format!(
            "ALTER TABLE {name}_row ADD CONSTRAINT {name}_key PRIMARY KEY ({key})"
        ))?;
        for (index, columns) in schema::indexes(table) {
            client.batch_execute(&format!("CREATE INDEX {index} ON {name}_row ({columns})"))?;
        }
    }
    Ok(())
}

fn drop_indexes(client: &mut Client, tables: &[Table]) -> Result<(), postgres::Error> {
    client.batch_execute("ALTER TABLE entity DROP CONSTRAINT entity_id; DROP INDEX entity_key;")?;
    for table in tables {
        let name = &table.name;
        client.batch_execute(&format!("ALTER TABLE {name}_row DROP CONSTRAINT {name}_key"))?;
        for (index, _) in schema::indexes(table) {
            client.batch_execute(&format!("DROP INDEX {index}"))?;
        }
    }
    Ok(())
}

fn retraction(table: &Table) -> String {
    format!(
        "UPDATE {}_row SET superseded_at = $2 WHERE id = $1 AND known_from <= $2 AND superseded_at > $2",
        table.name
    )
}

fn execute(
    transaction: &mut Transaction<'_>,
    statements: &mut BTreeMap<String, Statement>,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<(), postgres::Error> {
    let statement = match statements.get(sql) {
        Some(statement) => statement.clone(),
        None => {
            let statement = transaction.prepare(sql)?;
            statements.insert(sql.to_owned(), statement.clone());
            statement
        }
    };
    transaction.execute(&statement, values)?;
    Ok(())
}

const fn number_of(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(n) => Some(*n),
        Value::Null | Value::Text(_) => None,
    }
}

/// PostgreSQL holds no U+0000.
fn spoken_text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn copy_row(out: &mut Vec<u8>, row: &Row, superseded_at: i64) {
    let base = [
        row.id,
        row.entry,
        row.place,
        row.collected_at.ms(),
        0,
        i64::from(row.in_scope),
        row.known_from,
        superseded_at,
    ];
    for (i, number) in base.iter().enumerate() {
        if i > 0 {
            out.push(b'\t');
        }
        if RESERVED_COLUMNS[i] == "grade" {
            out.extend_from_slice(row.grade.word().as_bytes());
        } else {
            // Writing to memory cannot fail.
            let _ = write!(out, "{number}");
        }
    }
    for value in &row.values {
        out.push(b'\t');
        match value {
            Value::Null => out.extend_from_slice(b"\\N"),
            Value::Integer(n) => {
                let _ = write!(out, "{n}");
            }
            Value::Text(text) => escaped(out, text),
        }
    }
    out.push(b'\n');
}

fn copy_entity(out: &mut Vec<u8>, Entity { id, kind, scope, key }: &Entity) {
    line(out, [Some(&id.to_string()), Some(kind), Some(&scope.to_string()), Some(key)]);
}

fn line<const N: usize>(out: &mut Vec<u8>, fields: [Option<&str>; N]) {
    for (i, field) in fields.into_iter().enumerate() {
        if i > 0 {
            out.push(b'\t');
        }
        match field {
            Some(text) => escaped(out, text),
            None => out.extend_from_slice(b"\\N"),
        }
    }
    out.push(b'\n');
}

/// COPY's text form.
fn escaped(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            other => out.push(other),
        }
    }
}

fn send(
    client: &mut impl GenericClient,
    table: &str,
    columns: &str,
    bytes: &mut Vec<u8>,
) -> Result<(), RecordsError> {
    if !bytes.is_empty() {
        let mut copy = client.copy_in(&format!("COPY {table} ({columns}) FROM STDIN"))?;
        copy.write_all(bytes)?;
        copy.finish()?;
        bytes.clear();
    }
    Ok(())
}

fn entity(row: &postgres::Row) -> Entity {
    Entity { id: row.get(0), kind: row.get(1), scope: row.get(2), key: row.get(3) }
}

fn row(found: &postgres::Row, table: &Table) -> Result<Row, postgres::Error> {
    let grade: &str = found.try_get(4)?;
    let mut values = Vec::with_capacity(table.columns.len());
    for (i, column) in table.columns.iter().enumerate() {
        let place = RESERVED_COLUMNS.len() + i;
        values.push(if column.kind.is_text() {
            found.try_get::<_, Option<String>>(place)?.map_or(Value::Null, Value::Text)
        } else {
            found.try_get::<_, Option<i64>>(place)?.map_or(Value::Null, Value::Integer)
        });
    }
    Ok(Row {
        id: found.try_get(0)?,
        entry: found.try_get(1)?,
        place: found.try_get(2)?,
        collected_at: Instant::from_ms(found.try_get(3)?),
        grade: grade.parse().unwrap_or(Grade::Asserted),
        in_scope: found.try_get::<_, i64>(5)? == 1,
        known_from: found.try_get(6)?,
        superseded_at: found.try_get(7)?,
        values,
    })
}

/// A name as PostgreSQL reads it back unchanged.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The role of a connection string.
fn user(address: &str) -> Result<String, RecordsError> {
    let config: postgres::Config = address.parse().map_err(|_| RecordsError::Address { who: "reader" })?;
    Ok(config.get_user().unwrap_or_default().to_owned())
}

/// What the server said, and what to do when it is gone.
pub(super) fn spoken(error: &postgres::Error) -> String {
    let io = std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>());
    let stopped = matches!(
        error.code(),
        Some(&SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN | &SqlState::CANNOT_CONNECT_NOW)
    );
    let said = said(error);
    if io || stopped || error.is_closed() {
        format!("PostgreSQL went away ({said}); nothing acknowledged is lost: start it and try again")
    } else {
        said
    }
}

/// What the server said, and its own hint: the error's own text says only `db error`.
fn said(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(e) => match e.hint() {
            Some(hint) => format!("{} ({hint})", e.message()),
            None => e.message().to_owned(),
        },
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

/// A connection that can only read record tables.
pub(super) struct Reader {
    client: Client,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl Reader {
    pub(super) fn open(address: &Address) -> Result<Self, RecordsError> {
        let mut client = address.as_reader()?;
        check_role(&mut client)?;
        client.batch_execute(&format!(
            "SET search_path TO {}; SET default_transaction_read_only = on; SET standard_conforming_strings = on; \
             SET jit = off",
            quoted(&address.schema)
        ))?;
        Ok(Self { client })
    }

    pub(super) fn run(
        &mut self,
        sql: &str,
        limits: &Limits,
        cancelled: &Arc<AtomicBool>,
        each: &mut dyn FnMut(&[Value]) -> Go,
    ) -> Result<Vec<String>, RunError> {
        let begun = Clock::now();
        let token = self.client.cancel_token();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            // The server works while nobody here does: a watch passes a cancellation on.
            let watch = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    if cancelled.load(Ordering::Relaxed) {
                        // If it cannot be passed on, the deadline still holds.
                        let _ = token.cancel_query(NoTls);
                        return;
                    }
                    std::thread::park_timeout(Duration::from_millis(50));
                }
            });
            let result = self.rows(sql, limits, begun, cancelled, each);
            done.store(true, Ordering::Relaxed);
            watch.thread().unpark();
            result
        })
    }

    fn rows(
        &mut self,
        sql: &str,
        limits: &Limits,
        begun: Clock,
        cancelled: &AtomicBool,
        each: &mut dyn FnMut(&[Value]) -> Go,
    ) -> Result<Vec<String>, RunError> {
        let failed = |e: postgres::Error| explain(&e, cancelled, limits);
        let mut transaction = self.client.build_transaction().read_only(true).start().map_err(failed)?;
        let timeout = i32::try_from(limits.deadline.as_millis()).unwrap_or(i32::MAX).max(1);
        transaction
            .batch_execute(&format!("SET LOCAL statement_timeout = {timeout}; SET LOCAL work_mem = '64MB'"))
            .map_err(failed)?;
        let statement = transaction.prepare(sql).map_err(failed)?;
        let columns: Vec<String> = statement.columns().iter().map(|c| c.name().to_owned()).collect();
        if columns.is_empty() {
            return Err(RunError::Refused { what: "it yields no column, so it is no SELECT".to_owned() });
        }
        for column in statement.columns() {
            if !matches!(*column.type_(), Type::INT4 | Type::INT8 | Type::TEXT | Type::UNKNOWN) {
                let what = format!("of type {}", column.type_().name());
                return Err(RunError::Type { column: column.name().to_owned(), what });
            }
        }
        let portal = transaction.bind(&statement, &[]).map_err(failed)?;
        let mut meter = Meter::new(limits);
        let mut values = vec![Value::Null; columns.len()];
        loop {
            // The server's own deadline is per portion.
            if begun.elapsed() > limits.deadline {
                return Err(RunError::Deadline { after: limits.deadline });
            }
            if cancelled.load(Ordering::Relaxed) {
                return Err(RunError::Cancelled);
            }
            let rows = transaction.query_portal(&portal, PORTION).map_err(failed)?;
            for row in &rows {
                for (i, value) in values.iter_mut().enumerate() {
                    *value = match *statement.columns()[i].type_() {
                        Type::INT4 => row
                            .try_get::<_, Option<i32>>(i)
                            .map_err(failed)?
                            .map_or(Value::Null, |n| Value::Integer(n.into())),
                        Type::INT8 => row
                            .try_get::<_, Option<i64>>(i)
                            .map_err(failed)?
                            .map_or(Value::Null, Value::Integer),
                        _ => row
                            .try_get::<_, Option<String>>(i)
                            .map_err(failed)?
                            .map_or(Value::Null, Value::Text),
                    };
                }
                meter.row(&values)?;
                if each(&values).is_break() {
                    return Ok(columns);
                }
            }
            if rows.len() < PORTION as usize {
                return Ok(columns);
            }
        }
    }
}

/// Rows fetched at a time.
const PORTION: i32 = 5_000;

fn explain(error: &postgres::Error, cancelled: &AtomicBool, limits: &Limits) -> RunError {
    match error.code() {
        Some(&SqlState::QUERY_CANCELED) if cancelled.load(Ordering::Relaxed) => RunError::Cancelled,
        Some(&SqlState::QUERY_CANCELED) => RunError::Deadline { after: limits.deadline },
        Some(&SqlState::INSUFFICIENT_PRIVILEGE | &SqlState::READ_ONLY_SQL_TRANSACTION) => {
            RunError::Refused { what: spoken(error) }
        }
        _ => RunError::Failed { reason: spoken(error) },
    }
}

/// Refuses a role that could do more than read what it was granted.
fn check_role(client: &mut Client) -> Result<(), RecordsError> {
    let role: String = client.query_one("SELECT current_user::text", &[])?.get(0);
    let wrong = |reason: &str| Err(RecordsError::Role { role: role.clone(), reason: reason.to_owned() });
    let powers = client.query_one(
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls,
                EXISTS (SELECT 1 FROM pg_auth_members WHERE member = r.oid),
                EXISTS (SELECT 1 FROM pg_class WHERE relowner = r.oid)
                  OR EXISTS (SELECT 1 FROM pg_namespace WHERE nspowner = r.oid)
                  OR EXISTS (SELECT 1 FROM pg_proc WHERE proowner = r.oid)
                  OR EXISTS (SELECT 1 FROM pg_database WHERE datdba = r.oid),
                has_database_privilege(current_database(), 'CREATE')
                  OR EXISTS (SELECT 1 FROM pg_namespace WHERE has_schema_privilege(oid, 'CREATE'))
           FROM pg_roles r WHERE rolname = current_user",
        &[],
    )?;
    if powers.get(0) {
        return wrong("is a superuser or may create roles or databases");
    }
    if powers.get(1) {
        return wrong("is a member of another role");
    }
    if powers.get(2) {
        return wrong("owns something");
    }
    if powers.get(3) {
        return wrong("may create tables in a schema");
    }
    for function in LARGE_OBJECT_FUNCTIONS {
        let may: bool =
            client.query_one("SELECT has_function_privilege($1::text, 'EXECUTE')", &[function])?.get(0);
        if may {
            return wrong(&format!("may call `{function}`, which writes in read-only transactions"));
        }
    }
    Ok(())
}
