//! Generations of records: the typed rows that were derived from the ledger up to a position.
//!
//! A generation is never altered: another derivation or another table makes a new one beside it (a file in SQLite, a
//! schema in PostgreSQL). Both hold the same tables and answer alike; one conformance suite runs over both.
//!
//! Procedures are not run through [`Records`] but through a [`Reader`], which cannot write, sees the record tables
//! only, and stops at its limits.

mod kept;
mod postgres;
mod schema;
mod sqlite;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use hashbrown::{HashMap, HashSet};
use model::{Row, Table, TableKind, Value};

pub use kept::{Keeping, KeptRun};
pub use postgres::{Address, reader_setup};

/// `superseded_at` of a row that nothing has superseded.
pub const CURRENT: i64 = i64::MAX;

/// An entity: the number that stands in rows, and the key it stands for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Entity {
    /// Row id of the first fact about it.
    pub id: i64,
    /// Kind, such as `change` or `account`.
    pub kind: String,
    /// The repository or source it belongs to; 0 for none.
    pub scope: i64,
    /// Its key in that scope.
    pub key: String,
}

/// A text for people about an entity, kept apart from the records.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Display {
    /// The entity.
    pub id: i64,
    /// Which text: `name`, `title`, `url` …
    pub field: String,
    /// The text.
    pub text: String,
}

/// What some ledger entries add to a generation, all in one transaction.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    /// Rows with the number of their table, in ledger order. In event and relation tables a row supersedes the current
    /// row of its entity, in state tables the current row of its entity with the same `valid_from`.
    pub rows: Vec<(usize, Row)>,
    /// Entities whose current rows in a table no longer hold, with nothing in their place: table, entity, position.
    pub retracted: Vec<(usize, i64, i64)>,
    /// New entities.
    pub entities: Vec<Entity>,
    /// Texts; a later one takes the place of an earlier.
    pub display: Vec<Display>,
    /// Ledger position up to which the generation is now complete.
    pub applied: i64,
}

/// What the rows of a batch supersede.
struct Settled {
    /// For each row the position at which a later row of the batch supersedes it.
    superseded_at: Vec<i64>,
    /// The rows that may supersede one that is stored already: the first of their kind in the batch, of an entity that the
    /// batch did not make.
    meeting: Vec<usize>,
}

impl Settled {
    fn of(tables: &[Table], batch: &Batch) -> Self {
        let new: HashSet<i64> = batch.entities.iter().map(|e| e.id).collect();
        let mut superseded_at: Vec<i64> = batch.rows.iter().map(|(_, row)| row.superseded_at).collect();
        let mut meeting = vec![];
        let mut last = HashMap::new();
        let starts: Vec<Option<usize>> =
            tables.iter().map(|t| t.column("valid_from").filter(|_| t.kind == TableKind::State)).collect();
        for (at, (table, row)) in batch.rows.iter().enumerate() {
            let start = starts[*table].map(|column| &row.values[column]);
            match last.insert((*table, row.id, start), at) {
                Some(earlier) if superseded_at[earlier] == CURRENT => superseded_at[earlier] = row.known_from,
                Some(_) => {}
                None if new.contains(&row.id) => {}
                None => meeting.push(at),
            }
        }
        Self { superseded_at, meeting }
    }
}

/// What a run may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long it may take.
    pub deadline: Duration,
    /// How many rows it may yield.
    pub rows: u64,
    /// How many bytes of text it may yield in all.
    pub bytes: u64,
}

impl Limits {
    /// What a procedure may use: a query that was read and vouched for, over populations as large as a company's.
    #[must_use]
    pub fn of_a_procedure() -> Self {
        Self { deadline: Duration::from_secs(600), rows: 100_000_000, bytes: 16 << 30 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(60), rows: 5_000_000, bytes: 1 << 30 }
    }
}

/// Why a run gave no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It took too long.
    #[error("the query was stopped after {} seconds; narrow the period, or join by the columns tables are clustered by", .after.as_secs_f64())]
    Deadline {
        /// The limit.
        after: Duration,
    },
    /// It yielded too many rows.
    #[error("the query yields more than {max} rows; narrow it with WHERE")]
    Rows {
        /// The limit.
        max: u64,
    },
    /// It yielded too much text.
    #[error("the query yields more than {max} bytes; name fewer columns, or narrow it with WHERE")]
    Bytes {
        /// The limit.
        max: u64,
    },
    /// Somebody stopped it.
    #[error("the query was cancelled")]
    Cancelled,
    /// It asked for something that is behind the wall.
    #[error("the query may not do that: {what}")]
    Refused {
        /// What the engine said.
        what: String,
    },
    /// It yields something that is neither a whole number nor a text.
    #[error("column `{column}` is {what}; results are whole numbers and texts")]
    Type {
        /// The column.
        column: String,
        /// What it is.
        what: String,
    },
    /// Anything else the engine said.
    #[error("the query failed: {reason}")]
    Failed {
        /// What the engine said.
        reason: String,
    },
}

/// What can go wrong with a generation.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// It is there already.
    #[error("records `{name}` exist already; a generation is never built over another")]
    Exists {
        /// File or schema.
        name: String,
    },
    /// It is not there.
    #[error("there are no records `{name}`; run `tickmark rebuild`")]
    Missing {
        /// File or schema.
        name: String,
    },
    /// It was made for other tables.
    #[error("records `{name}` were built for other tables than the content declares; run `tickmark rebuild`")]
    OtherTables {
        /// File or schema.
        name: String,
    },
    /// A row does not fit its table.
    #[error("a row of `{table}` from ledger entry {entry} does not fit: {reason}")]
    Row {
        /// Table.
        table: String,
        /// Where it came from.
        entry: i64,
        /// What does not fit.
        reason: String,
    },
    /// A batch that is older than what was applied.
    #[error("the records are at ledger position {applied}; a batch up to {batch} cannot follow it")]
    Order {
        /// What was applied.
        applied: i64,
        /// What should have been.
        batch: i64,
    },
    /// The reading role could do more than read.
    #[error("the role `{role}` that runs queries {reason}; set it up as docs/postgresql.md says")]
    Role {
        /// Role.
        role: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A connection string that is none.
    #[error(
        "`{who}` under [database] in tickmark.toml is no connection string; write it as docs/postgresql.md says"
    )]
    Address {
        /// `writer` or `reader`.
        who: &'static str,
    },
    /// A server that cannot be reached, or lets nobody in.
    #[error(
        "PostgreSQL cannot be reached as `{who}`: {reason}; start it, or correct [database] in tickmark.toml"
    )]
    Unreachable {
        /// `writer` or `reader`.
        who: &'static str,
        /// What the system or the server said.
        reason: String,
    },
    /// SQLite said no.
    #[error("the records cannot be used: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL said no.
    #[error("the records cannot be used: {}", postgres::spoken(.0))]
    Postgres(#[from] ::postgres::Error),
    /// The file system said no.
    #[error("the records cannot be used: {0}")]
    Io(#[from] std::io::Error),
}

/// What a run does with a row: go on, or stop without an error.
pub type Go = std::ops::ControlFlow<()>;

/// A generation of records, open for writing and looking up. One writer at a time.
#[derive(Debug)]
pub struct Records {
    tables: Vec<Table>,
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    Sqlite(sqlite::Writer),
    Postgres(Box<postgres::Writer>),
}

macro_rules! on {
    ($self:expr, $writer:ident => $body:expr) => {
        match $self {
            Engine::Sqlite($writer) => $body,
            Engine::Postgres($writer) => $body,
        }
    };
}

impl Records {
    /// Makes a generation in a new SQLite file.
    ///
    /// # Errors
    /// The file exists or cannot be made.
    pub fn create_sqlite(path: &Path, tables: &[Table]) -> Result<Self, RecordsError> {
        Ok(Self { tables: tables.to_vec(), engine: Engine::Sqlite(sqlite::Writer::create(path, tables)?) })
    }

    /// Opens a generation in a SQLite file.
    ///
    /// # Errors
    /// The file is missing, or was made for other tables.
    pub fn open_sqlite(path: &Path, tables: &[Table]) -> Result<Self, RecordsError> {
        Ok(Self { tables: tables.to_vec(), engine: Engine::Sqlite(sqlite::Writer::open(path, tables)?) })
    }

    /// Makes a generation in a new PostgreSQL schema, readable by the address's reading role.
    ///
    /// # Errors
    /// The schema exists, the server cannot be reached, or the reading role could do more than read.
    pub fn create_postgres(address: &Address, tables: &[Table]) -> Result<Self, RecordsError> {
        let writer = postgres::Writer::create(address, tables)?;
        Ok(Self { tables: tables.to_vec(), engine: Engine::Postgres(Box::new(writer)) })
    }

    /// Opens a generation in a PostgreSQL schema.
    ///
    /// # Errors
    /// The schema is missing or was made for other tables, or the server cannot be reached.
    pub fn open_postgres(address: &Address, tables: &[Table]) -> Result<Self, RecordsError> {
        let writer = postgres::Writer::open(address, tables)?;
        Ok(Self { tables: tables.to_vec(), engine: Engine::Postgres(Box::new(writer)) })
    }

    /// Removes a generation in a SQLite file, complete or not; one that is not there counts as removed.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn remove_sqlite(path: &Path) -> Result<(), RecordsError> {
        // The main file last: without it the others mean nothing, and a crash in between leaves it to be removed again.
        for suffix in ["-wal", "-shm", "-journal", ""] {
            let mut file = path.as_os_str().to_owned();
            file.push(suffix);
            match std::fs::remove_file(&file) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes a generation in a PostgreSQL schema, complete or not; one that is not there counts as removed.
    ///
    /// # Errors
    /// The server cannot be reached, or refuses.
    pub fn remove_postgres(address: &Address) -> Result<(), RecordsError> {
        postgres::drop_generation(address)
    }

    /// The tables, in the order in which batches number them.
    #[must_use]
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The number of a table.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|t| t.name == name)
    }

    /// Ledger position up to which the generation is complete; 0 for an empty one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn applied(&mut self) -> Result<i64, RecordsError> {
        on!(&mut self.engine, w => w.applied())
    }

    /// Applies a batch, all of it or nothing.
    ///
    /// # Errors
    /// A row that does not fit its table, a batch out of order, or the database cannot be written.
    pub fn apply(&mut self, batch: &Batch) -> Result<(), RecordsError> {
        for (table, row) in &batch.rows {
            schema::check(&self.tables, *table, row)?;
        }
        on!(&mut self.engine, w => w.apply(&self.tables, batch))
    }

    /// Fills an empty generation: `fill` hands over batches, which are taken without indexes; the indexes, and what
    /// supersedes what, are made at the end. The result is that of applying the batches one by one, many times faster.
    ///
    /// A generation whose filling was cut short stays unusable: drop it and build another.
    ///
    /// # Errors
    /// The generation is not empty, what [`Records::apply`] refuses, or what `fill` says.
    pub fn fill<E: From<RecordsError>>(
        &mut self,
        fill: impl FnOnce(&mut dyn FnMut(&Batch) -> Result<(), RecordsError>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.begin_filling()?;
        fill(&mut |batch| self.take(batch))?;
        self.end_filling()?;
        Ok(())
    }

    /// Begins to fill an empty generation, as [`Records::fill`] does, for batches that come one by one.
    ///
    /// # Errors
    /// The generation is not empty, or the database cannot be written.
    pub fn begin_filling(&mut self) -> Result<(), RecordsError> {
        let applied = self.applied()?;
        if applied != 0 {
            return Err(RecordsError::Order { applied, batch: 0 });
        }
        let Self { tables, engine } = self;
        on!(engine, w => w.begin_filling(tables))
    }

    /// Takes a batch while the generation is filled.
    ///
    /// # Errors
    /// As [`Records::apply`].
    pub fn take(&mut self, batch: &Batch) -> Result<(), RecordsError> {
        for (table, row) in &batch.rows {
            schema::check(&self.tables, *table, row)?;
        }
        let Self { tables, engine } = self;
        on!(engine, w => w.take(tables, batch))
    }

    /// Makes the indexes, and what supersedes what: from here on the generation is complete.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn end_filling(&mut self) -> Result<(), RecordsError> {
        let Self { tables, engine } = self;
        on!(engine, w => w.end_filling(tables))
    }

    /// The number of an entity.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn entity_id(&mut self, kind: &str, scope: i64, key: &str) -> Result<Option<i64>, RecordsError> {
        on!(&mut self.engine, w => w.entity_id(kind, scope, key))
    }

    /// The entity of a number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn entity(&mut self, id: i64) -> Result<Option<Entity>, RecordsError> {
        on!(&mut self.engine, w => w.entity(id))
    }

    /// The entities of a key in every scope, in order.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn entities_by_key(&mut self, kind: &str, key: &str) -> Result<Vec<Entity>, RecordsError> {
        on!(&mut self.engine, w => w.entities_by_key(kind, key))
    }

    /// The entities of some numbers, in order; a number without one is left out.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn entities_of(&mut self, ids: &BTreeSet<i64>) -> Result<Vec<Entity>, RecordsError> {
        on!(&mut self.engine, w => w.entities_of(ids))
    }

    /// Every entity, in order of their numbers; only those of `kind` when one is given.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn entities(&mut self, kind: Option<&str>, mut each: impl FnMut(Entity)) -> Result<(), RecordsError> {
        on!(&mut self.engine, w => w.entities(kind, &mut each))
    }

    /// The current rows of an entity in a table: one at most, or each interval in order of `valid_from` in a state table.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn current_rows(&mut self, table: usize, id: i64) -> Result<Vec<Row>, RecordsError> {
        let Some(declared) = self.tables.get(table) else { return Ok(Vec::new()) };
        on!(&mut self.engine, w => w.current_rows(declared, id))
    }

    /// The current row of an entity: in a state table that of the latest interval.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn current_row(&mut self, table: usize, id: i64) -> Result<Option<Row>, RecordsError> {
        Ok(self.current_rows(table, id)?.pop())
    }

    /// Every row of a table as known at a position, in order of entity, position and place. `superseded_at` is
    /// [`CURRENT`] for a row that was superseded only later, so that the rows do not depend on when they are read.
    ///
    /// # Errors
    /// The database cannot be read, or what `each` says.
    pub fn rows_known_at<E: From<RecordsError>>(
        &mut self,
        table: usize,
        known_at: i64,
        mut each: impl FnMut(Row) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(declared) = self.tables.get(table) else { return Ok(()) };
        let mut said = Ok(());
        on!(&mut self.engine, w => w.rows_known_at(declared, known_at, &mut |row| {
            said = each(row);
            said.is_ok()
        }))?;
        said
    }

    /// The texts about some entities, in order.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn display(&mut self, ids: &BTreeSet<i64>) -> Result<Vec<Display>, RecordsError> {
        on!(&mut self.engine, w => w.display(ids))
    }

    /// Entities of which a row of `table` was written or taken back after position `since` and up to `until`; `None` where nobody
    /// knows any more.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn written_since(
        &mut self,
        table: usize,
        since: i64,
        until: i64,
    ) -> Result<Option<BTreeSet<i64>>, RecordsError> {
        on!(&mut self.engine, w => w.written_since(table, since, until))
    }

    /// What is kept of a run; see [`Records::keep`].
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn kept(&mut self, run: &[u8; 32]) -> Result<Option<KeptRun>, RecordsError> {
        on!(&mut self.engine, w => w.kept(run))
    }

    /// A part of what is kept of a run.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn kept_part(&mut self, run: &[u8; 32], part: i64) -> Result<Option<Vec<u8>>, RecordsError> {
        on!(&mut self.engine, w => w.kept_part(run, part))
    }

    /// Makes room for a run whose parts come one by one, before its head: what was kept of it is gone.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn keep_anew(&mut self, run: &[u8; 32], procedure: &str) -> Result<(), RecordsError> {
        on!(&mut self.engine, w => w.keep_anew(run, procedure))
    }

    /// Keeps a part of a run; it counts once the run is kept.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn keep_part(&mut self, run: &[u8; 32], part: i64, rows: &[u8]) -> Result<(), RecordsError> {
        on!(&mut self.engine, w => w.keep_part(run, part, rows))
    }

    /// Keeps what a run yielded beside the rows it was yielded by, in the place of what was kept of it before. It goes with the
    /// generation, and it may be thrown away at any time. PostgreSQL keeps nothing.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn keep(&mut self, keeping: &Keeping) -> Result<(), RecordsError> {
        on!(&mut self.engine, w => w.keep(keeping))
    }

    /// Removes every text about some entities, from the file's free pages too.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn forget(&mut self, ids: &BTreeSet<i64>) -> Result<(), RecordsError> {
        on!(&mut self.engine, w => w.forget(ids))
    }

    /// A reader of this generation, for one thread.
    ///
    /// # Errors
    /// The database cannot be opened for reading.
    pub fn reader(&self) -> Result<Reader, RecordsError> {
        Ok(Reader(match &self.engine {
            Engine::Sqlite(w) => ReaderOf::Sqlite(sqlite::Reader::open(w.path(), &self.tables)?),
            Engine::Postgres(w) => ReaderOf::Postgres(Box::new(postgres::Reader::open(w.address())?)),
        }))
    }

    /// Which engine's text a reader runs.
    #[must_use]
    pub const fn is_postgres(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }
}

/// Runs written-out queries over one generation, behind the engine's own wall.
#[derive(Debug)]
pub struct Reader(ReaderOf);

#[derive(Debug)]
enum ReaderOf {
    Sqlite(sqlite::Reader),
    Postgres(Box<postgres::Reader>),
}

impl Reader {
    /// Opens a SQLite generation for reading only: another process may be writing it.
    ///
    /// # Errors
    /// The file is missing.
    pub fn open_sqlite(path: &Path, tables: &[Table]) -> Result<Self, RecordsError> {
        Ok(Self(ReaderOf::Sqlite(sqlite::Reader::open(path, tables)?)))
    }

    /// Opens a PostgreSQL generation for reading only.
    ///
    /// # Errors
    /// The server cannot be reached, or the reading role could do more than read.
    pub fn open_postgres(address: &Address) -> Result<Self, RecordsError> {
        Ok(Self(ReaderOf::Postgres(Box::new(postgres::Reader::open(address)?))))
    }

    /// Whether the reader runs PostgreSQL's text.
    #[must_use]
    pub const fn is_postgres(&self) -> bool {
        matches!(self.0, ReaderOf::Postgres(_))
    }

    /// Runs one query and hands each row to `each`. Gives the names of the columns.
    ///
    /// # Errors
    /// A limit, a refusal, or what the engine says. Rows handed over before an error count for nothing.
    pub fn run(
        &mut self,
        sql: &str,
        limits: &Limits,
        cancelled: &Arc<AtomicBool>,
        each: &mut dyn FnMut(&[Value]) -> Go,
    ) -> Result<Vec<String>, RunError> {
        match &mut self.0 {
            ReaderOf::Sqlite(r) => r.run(sql, limits, cancelled, each),
            ReaderOf::Postgres(r) => r.run(sql, limits, cancelled, each),
        }
    }

    /// Runs one query and keeps all rows.
    ///
    /// # Errors
    /// As [`Reader::run`].
    pub fn collect(
        &mut self,
        sql: &str,
        limits: &Limits,
    ) -> Result<(Vec<String>, Vec<Vec<Value>>), RunError> {
        let mut rows = Vec::new();
        let columns = self.run(sql, limits, &Arc::default(), &mut |row| {
            rows.push(row.to_vec());
            Go::Continue(())
        })?;
        Ok((columns, rows))
    }
}

/// Counts what a run has yielded against its limits.
struct Meter<'a> {
    limits: &'a Limits,
    rows: u64,
    bytes: u64,
}

impl<'a> Meter<'a> {
    const fn new(limits: &'a Limits) -> Self {
        Self { limits, rows: 0, bytes: 0 }
    }

    fn row(&mut self, row: &[Value]) -> Result<(), RunError> {
        self.rows += 1;
        for value in row {
            self.bytes += match value {
                Value::Text(text) => text.len() as u64,
                Value::Null | Value::Integer(_) => 8,
            };
        }
        if self.rows > self.limits.rows {
            return Err(RunError::Rows { max: self.limits.rows });
        }
        if self.bytes > self.limits.bytes {
            return Err(RunError::Bytes { max: self.limits.bytes });
        }
        Ok(())
    }
}
