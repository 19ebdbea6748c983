//! What an import would change: rows laid beside those that are known, before anything enters the ledger.

use std::collections::HashMap;

use model::{Fact, FactValue, Key, Row, TableKind, Value};

use crate::error::AppError;
use crate::workspace::Workspace;

/// How rows stand to what is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Compared {
    /// About entities, or versions of them, of which nothing is known.
    pub new: u64,
    /// They take the place of other rows.
    pub changed: u64,
    /// They say what is known already.
    pub unchanged: u64,
    /// A source's own record, or one entered by hand, says otherwise: that one stays.
    pub outweighed: u64,
}

impl Compared {
    /// Adds what another part of the file says.
    pub const fn add(&mut self, other: Self) {
        self.new += other.new;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.outweighed += other.outweighed;
    }

    /// Whether nothing in it is news.
    #[must_use]
    pub const fn says_nothing(&self) -> bool {
        self.new == 0 && self.changed == 0
    }
}

/// Numbers of systems and repositories that were asked for: the same ones come again and again.
#[derive(Debug, Default)]
pub struct KnownKeys(HashMap<Key, Option<i64>>);

impl Workspace {
    /// Lays facts of one table beside the rows that are known.
    ///
    /// # Errors
    /// The database.
    pub fn compare(&mut self, facts: &[Fact], keys: &mut KnownKeys) -> Result<Compared, AppError> {
        let mut compared = Compared::default();
        for fact in facts {
            let Some((table, id, values)) = self.laid(fact, keys)? else {
                compared.new += u64::from(self.records.table(fact.table).is_some());
                continue;
            };
            let current = self.records.current_rows(table, id)?;
            let declared = &self.records.tables()[table];
            let (kind, starts) = (declared.kind, declared.column("valid_from"));
            let same_version = |row: &&Row| match (kind, starts) {
                (TableKind::State, Some(at)) => row.values[at] == values[at],
                _ => true,
            };
            match current.iter().find(same_version) {
                None => compared.new += 1,
                Some(row) if row.values == values && row.grade >= fact.grade => compared.unchanged += 1,
                Some(row) if row.grade > fact.grade => compared.outweighed += 1,
                Some(_) => compared.changed += 1,
            }
        }
        Ok(compared)
    }

    /// A fact as the row it would be: table, entity and values; `None` where nobody has heard of the entity.
    pub(crate) fn laid(
        &mut self,
        fact: &Fact,
        keys: &mut KnownKeys,
    ) -> Result<Option<(usize, i64, Vec<Value>)>, AppError> {
        let Some(table) = self.records.table(fact.table) else { return Ok(None) };
        let Some(id) = self.number(&fact.about, keys)? else { return Ok(None) };
        let declared = &self.records.tables()[table];
        let positions: Vec<Option<usize>> =
            fact.values.iter().map(|(name, _)| declared.column(name)).collect();
        let mut values = vec![Value::Null; declared.columns.len()];
        for ((_, value), position) in fact.values.iter().zip(positions) {
            let Some(position) = position else { continue };
            values[position] = match value {
                FactValue::Null => Value::Null,
                FactValue::Integer(n) => Value::Integer(*n),
                FactValue::Text(text) => Value::from(text.as_str()),
                // An entity that nobody has heard of is in no row: -1 is nobody's number.
                FactValue::Entity(key) => Value::Integer(self.number(key, keys)?.unwrap_or(-1)),
            };
        }
        Ok(Some((table, id, values)))
    }

    /// The number of an entity.
    fn number(&mut self, key: &Key, keys: &mut KnownKeys) -> Result<Option<i64>, AppError> {
        let scope = match (key.scope.as_str(), key.kind) {
            ("", _) => Some(0),
            (system, "account") => self.shared(&Key::new("system", "", system), keys)?,
            (repository, _) => self.shared(&Key::new("repository", "", repository), keys)?,
        };
        match scope {
            Some(scope) => Ok(self.records.entity_id(key.kind, scope, &key.key)?),
            None => Ok(None),
        }
    }

    fn shared(&mut self, key: &Key, keys: &mut KnownKeys) -> Result<Option<i64>, AppError> {
        if let Some(known) = keys.0.get(key) {
            return Ok(*known);
        }
        let id = self.records.entity_id(key.kind, 0, &key.key)?;
        keys.0.insert(key.clone(), id);
        Ok(id)
    }

    /// Whether this window of a table is known to be covered, by the same word.
    ///
    /// # Errors
    /// The database.
    pub fn covered_alike(&mut self, fact: &Fact) -> Result<bool, AppError> {
        let compared = self.compare(std::slice::from_ref(fact), &mut KnownKeys::default())?;
        Ok(compared.unchanged == 1)
    }

    /// Whether a table has no row at all.
    ///
    /// # Errors
    /// The database.
    pub fn knows_no_row(&mut self, table: &str) -> Result<bool, AppError> {
        let Some(table) = self.records.table(table) else { return Ok(true) };
        let mut empty = true;
        let stopped = self.records.rows_known_at::<Stopped>(table, i64::MAX - 1, |_| {
            empty = false;
            Err(Stopped::AtFirst)
        });
        match stopped {
            Ok(()) | Err(Stopped::AtFirst) => Ok(empty),
            Err(Stopped::By(error)) => Err(error.into()),
        }
    }
}

/// Why a walk through rows ended.
enum Stopped {
    AtFirst,
    By(store::records::RecordsError),
}

impl From<store::records::RecordsError> for Stopped {
    fn from(error: store::records::RecordsError) -> Self {
        Self::By(error)
    }
}
