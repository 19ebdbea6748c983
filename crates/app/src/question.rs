//! Questions asked of the records in SQL, behind the same walls as procedures.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use catalog::{Bindings, Engine, Query, written_out};
use model::{ColumnType, Instant, Period, Scope, Table, Value};
use store::records::{Limits, Reader};

use crate::error::AppError;
use crate::workspace::Workspace;

/// What a question yielded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
    /// The text as it ran.
    pub sql: String,
}

/// A question that was checked and is yet to be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prepared {
    /// Names and types of the columns.
    pub columns: Vec<(String, ColumnType)>,
    /// The text as it runs.
    pub sql: String,
}

/// A question with the connection that it is asked on.
pub struct Asking {
    reader: Reader,
    prepared: Prepared,
}

impl Asking {
    /// What is asked.
    #[must_use]
    pub const fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// Asks, for at most `deadline`, and hands over rows as [`Workspace::run`] does.
    ///
    /// # Errors
    /// A limit. Rows handed over before an error count for nothing.
    pub fn run(
        &mut self,
        deadline: Duration,
        each: &mut dyn FnMut(&[Value]) -> ControlFlow<()>,
    ) -> Result<(), AppError> {
        let limits = Limits { deadline, ..Limits::default() };
        let run = self.reader.run(&self.prepared.sql, &limits, &Arc::default(), each);
        run.map(drop).map_err(|source| AppError::Run { what: "the query".to_owned(), source })
    }
}

impl Workspace {
    /// Checks one SELECT over the records as of `as_of`, as known at ledger position `known_at` (everything when absent).
    ///
    /// # Errors
    /// A text that may not run, with position and reason.
    pub fn prepare(
        &mut self,
        text: &str,
        as_of: Instant,
        known_at: Option<u64>,
    ) -> Result<Prepared, AppError> {
        // A question has no period: what lasts is in or out as of its instant.
        let position = self.position(known_at)?;
        let rules = self.scope_rules(position)?;
        let scope = rules.scope(&mut self.records, as_of, Instant::from_ms(as_of.ms().saturating_add(1)))?;
        self.prepare_in(text, &always(), as_of, known_at, scope)
    }

    /// A question on a connection of its own: it is run without the workspace, which others may use meanwhile.
    ///
    /// # Errors
    /// The database.
    pub fn asking(&self, prepared: Prepared) -> Result<Asking, AppError> {
        Ok(Asking { reader: self.records.reader()?, prepared })
    }

    /// Asks a question and hands over its rows one by one, until there are no more or `each` breaks off.
    ///
    /// # Errors
    /// A limit. Rows handed over before an error count for nothing.
    pub fn run(
        &self,
        prepared: &Prepared,
        each: &mut dyn FnMut(&[Value]) -> ControlFlow<()>,
    ) -> Result<(), AppError> {
        let run = self.records.reader()?.run(&prepared.sql, &Limits::default(), &Arc::default(), each);
        run.map(drop).map_err(|source| AppError::Run { what: "the query".to_owned(), source })
    }

    /// Runs one SELECT over the records as of `as_of`, as known at ledger position `known_at` (everything when absent).
    ///
    /// # Errors
    /// A text that may not run, with position and reason, or a limit.
    pub fn query(&mut self, text: &str, as_of: Instant, known_at: Option<u64>) -> Result<Answer, AppError> {
        self.ask(text, &always(), as_of, known_at)
    }

    /// As [`Workspace::query`], with a reader that stays open from question to question, for texts of our own.
    pub(crate) fn query_by(
        &self,
        reader: &mut Reader,
        text: &str,
        as_of: Instant,
        known_at: Option<u64>,
    ) -> Result<Answer, AppError> {
        let tables = self.catalog.tables.iter().filter(|t| text.contains(&t.name)).cloned().collect();
        let prepared = self.prepare_of(text, tables, &always(), as_of, known_at, Scope::default())?;
        let mut rows = Vec::new();
        let run = reader.run(&prepared.sql, &Limits::default(), &Arc::default(), &mut |row| {
            rows.push(row.to_vec());
            ControlFlow::Continue(())
        });
        run.map_err(|source| AppError::Run { what: "the query".to_owned(), source })?;
        let columns = prepared.columns.into_iter().map(|(name, _)| name).collect();
        Ok(Answer { columns, rows, sql: prepared.sql })
    }

    pub(crate) fn ask(
        &mut self,
        text: &str,
        period: &Period,
        as_of: Instant,
        known_at: Option<u64>,
    ) -> Result<Answer, AppError> {
        let prepared = self.prepare_in(text, period, as_of, known_at, Scope::default())?;
        let mut rows = Vec::new();
        self.run(&prepared, &mut |row| {
            rows.push(row.to_vec());
            ControlFlow::Continue(())
        })?;
        let columns = prepared.columns.into_iter().map(|(name, _)| name).collect();
        Ok(Answer { columns, rows, sql: prepared.sql })
    }

    fn prepare_in(
        &self,
        text: &str,
        period: &Period,
        as_of: Instant,
        known_at: Option<u64>,
        scope: Scope,
    ) -> Result<Prepared, AppError> {
        self.prepare_of(text, self.catalog.tables.clone(), period, as_of, known_at, scope)
    }

    fn prepare_of(
        &self,
        text: &str,
        tables: Vec<Table>,
        period: &Period,
        as_of: Instant,
        known_at: Option<u64>,
        scope: Scope,
    ) -> Result<Prepared, AppError> {
        let query = Query::of_question(text, tables).map_err(AppError::Problems)?;
        let bindings = Bindings { scope, ..bindings(period, as_of, as_of, known_at, BTreeMap::new()) };
        let sql = written_out(&query, &bindings, self.engine()).map_err(AppError::Problems)?;
        Ok(Prepared { columns: query.columns().iter().cloned().zip(query.column_types()).collect(), sql })
    }

    pub(crate) const fn engine(&self) -> Engine {
        if self.records.is_postgres() { Engine::Postgres } else { Engine::Sqlite }
    }
}

/// Every instant: a question has no period of its own.
fn always() -> Period {
    Period { from: Instant::BEGINNING, to: Instant::FOREVER, tz: "UTC".into() }
}

pub(crate) fn bindings(
    period: &Period,
    as_of: Instant,
    cutoff: Instant,
    known_at: Option<u64>,
    parameters: BTreeMap<String, Value>,
) -> Bindings {
    Bindings {
        known_at: known_at.map_or(Bindings::EVERYTHING, |k| i64::try_from(k).unwrap_or(Bindings::EVERYTHING)),
        from: period.from,
        to: period.to,
        as_of,
        cutoff,
        tz: period.tz.clone(),
        parameters,
        scope: Scope::default(),
    }
}

/// What a cell holds where it holds a number; NULL, another type and a cell that is not there
/// are nothing, here as in [`instant`] and [`text`].
pub(crate) fn integer<'a>(cell: impl Into<Option<&'a Value>>) -> Option<i64> {
    match cell.into() {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    }
}

pub(crate) fn instant<'a>(cell: impl Into<Option<&'a Value>>) -> Option<Instant> {
    integer(cell).map(Instant::from_ms)
}

pub(crate) fn text<'a>(cell: impl Into<Option<&'a Value>>) -> Option<String> {
    match cell.into() {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    }
}
