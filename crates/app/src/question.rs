//! Questions asked of the records in SQL, behind the same walls as procedures.

use std::collections::BTreeMap;

use catalog::{Bindings, Engine, Query, written_out};
use model::{Instant, Period, Value};
use store::records::Limits;

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

impl Workspace {
    /// Runs one SELECT over the records as of `as_of`, as known at ledger position `known_at` (everything when absent).
    ///
    /// # Errors
    /// A text that may not run, with position and reason, or a limit.
    pub fn query(&mut self, text: &str, as_of: Instant, known_at: Option<u64>) -> Result<Answer, AppError> {
        let period = Period { from: Instant::BEGINNING, to: Instant::FOREVER, tz: "UTC".into() };
        self.ask(text, &period, as_of, known_at)
    }

    pub(crate) fn ask(
        &mut self,
        text: &str,
        period: &Period,
        as_of: Instant,
        known_at: Option<u64>,
    ) -> Result<Answer, AppError> {
        let query = Query::of_question(text, self.catalog.tables.clone()).map_err(AppError::Problems)?;
        let bindings = bindings(period, as_of, as_of, known_at, BTreeMap::new());
        let sql = written_out(&query, &bindings, self.engine()).map_err(AppError::Problems)?;
        let (columns, rows) = self
            .records
            .reader()?
            .collect(&sql, &Limits::default())
            .map_err(|source| AppError::Run { what: "the query".to_owned(), source })?;
        Ok(Answer { columns, rows, sql })
    }

    pub(crate) const fn engine(&self) -> Engine {
        if self.records.is_postgres() { Engine::Postgres } else { Engine::Sqlite }
    }
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
    }
}
