//! Where two sources say different things about the same entity. What counts is what the stronger source says, and of equals
//! what became known later; what does not count stays in the ledger, and is listed here.

use std::collections::{BTreeMap, HashSet};

use ledger::Kind;
use model::{ColumnType, Document, Fact, FactValue, Grade, Instant, Key, Row, TableKind, Value};
use serde::Serialize;

use crate::error::AppError;
use crate::import::KnownKeys;
use crate::workspace::{Derive, Workspace};

/// What a source says of one column, and what counts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Difference {
    /// The column.
    pub column: String,
    /// What counts.
    pub counts: String,
    /// What the other source says.
    pub other: String,
}

/// A source that says something.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Saying {
    /// Its name; absent where it was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Ledger entry; absent of what is yet to be appended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
    /// How far it can be trusted.
    pub grade: Grade,
}

/// Two sources that say different things of one entity.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Conflict {
    /// The record table.
    pub table: String,
    /// The entity's key, within its scope.
    pub about: String,
    /// Whose word counts.
    pub counts: Saying,
    /// Whose does not.
    pub other: Saying,
    /// Where they differ.
    pub differences: Vec<Difference>,
}

impl Workspace {
    /// Lists where sources that people brought (files, rows by hand) say something else than what counts, in one table or in
    /// all. Only the last word of each source is heard.
    ///
    /// # Errors
    /// The ledger or the database.
    pub fn conflicts(
        &mut self,
        table: Option<&str>,
        derive: &Derive<'_>,
        each: &mut dyn FnMut(Conflict),
    ) -> Result<(), AppError> {
        let (mut keys, mut names) = (KnownKeys::default(), BTreeMap::new());
        let mut heard: HashSet<(String, usize, i64, Option<i64>)> = HashSet::new();
        for entry in (0..self.ledger.size()).rev() {
            let leaf = self.ledger.leaf(entry)?;
            let told = leaf.kind == Kind::Decision && leaf.stream.starts_with("decision.")
                || leaf.source.starts_with("import:");
            if !told {
                continue;
            }
            let Ok(bytes) = self.ledger.document(entry) else { continue };
            let Ok(document) = Document::parse(&bytes) else { continue };
            for fact in derive(&document).facts {
                if fact.table == "coverage" || table.is_some_and(|table| table != fact.table) {
                    continue;
                }
                let Some((number, id, values)) = self.laid(&fact, &mut keys)? else { continue };
                let start = self.start_of(number, &values);
                if !heard.insert((leaf.source.clone(), number, id, start)) {
                    continue;
                }
                let Some(row) = self.counting(number, id, start)? else { continue };
                if let Some(conflict) =
                    self.conflict(&fact, (number, &values), &row, (&leaf.source, Some(entry)), &mut names)?
                {
                    each(conflict);
                }
            }
        }
        Ok(())
    }

    /// Where rows that are yet to be appended say something else than another source does: the first few.
    ///
    /// # Errors
    /// The database.
    pub fn conflicts_of(
        &mut self,
        facts: &[Fact],
        source: &str,
        keys: &mut KnownKeys,
        most: usize,
        found: &mut Vec<Conflict>,
    ) -> Result<u64, AppError> {
        // A source that never gave anything has no name in the log yet.
        let source = self.known_source(source)?.unwrap_or_default();
        let (mut count, mut names) = (0, BTreeMap::new());
        for fact in facts {
            let Some((number, id, values)) = self.laid(fact, keys)? else { continue };
            let start = self.start_of(number, &values);
            let Some(row) = self.counting(number, id, start)? else { continue };
            let said = self.conflict(fact, (number, &values), &row, (&source, None), &mut names)?;
            if let Some(conflict) = said {
                count += 1;
                if found.len() < most {
                    found.push(conflict);
                }
            }
        }
        Ok(count)
    }

    fn conflict(
        &mut self,
        fact: &Fact,
        (number, values): (usize, &[Value]),
        row: &Row,
        (source, entry): (&str, Option<u64>),
        names: &mut BTreeMap<u64, Option<String>>,
    ) -> Result<Option<Conflict>, AppError> {
        let known = u64::try_from(row.entry).unwrap_or(0);
        // A source that changes its own word contradicts nobody.
        if row.values == values || self.ledger.leaf(known)?.source == source {
            return Ok(None);
        }
        let declared = &self.records.tables()[number];
        let columns: Vec<(String, ColumnType)> =
            declared.columns.iter().map(|c| (c.name.clone(), c.kind)).collect();
        let mut differences = vec![];
        for (at, (column, kind)) in columns.into_iter().enumerate() {
            if row.values[at] == values[at] {
                continue;
            }
            let said = fact.values.iter().find(|(name, _)| *name == column).map(|(_, value)| value);
            let said = match said {
                Some(FactValue::Entity(key)) => spoken_key(key),
                _ => self.spoken(&values[at], kind)?,
            };
            differences.push(Difference { column, counts: self.spoken(&row.values[at], kind)?, other: said });
        }
        let stored = Saying { source: self.name_of(known, names), entry: Some(known), grade: row.grade };
        let said = Saying {
            source: match entry {
                Some(entry) => self.name_of(entry, names),
                None => Some("this file".to_owned()),
            },
            entry,
            grade: fact.grade,
        };
        // What is yet to be appended will count, unless it is the weaker word.
        let (counts, other) = match entry {
            None if fact.grade >= row.grade => {
                for difference in &mut differences {
                    std::mem::swap(&mut difference.counts, &mut difference.other);
                }
                (said, stored)
            }
            _ => (stored, said),
        };
        let (table, about) = (fact.table.to_owned(), spoken_key(&fact.about));
        Ok(Some(Conflict { table, about, counts, other, differences }))
    }

    /// The row that counts of an entity, and of a state of the version that starts there.
    fn counting(&mut self, table: usize, id: i64, start: Option<i64>) -> Result<Option<Row>, AppError> {
        let rows = self.records.current_rows(table, id)?;
        Ok(rows.into_iter().find(|row| self.start_of(table, &row.values) == start))
    }

    fn start_of(&self, table: usize, values: &[Value]) -> Option<i64> {
        let declared = &self.records.tables()[table];
        let at = declared.column("valid_from").filter(|_| declared.kind == TableKind::State)?;
        match values.get(at) {
            Some(Value::Integer(start)) => Some(*start),
            _ => None,
        }
    }

    fn spoken(&mut self, value: &Value, kind: ColumnType) -> Result<String, AppError> {
        Ok(match (value, kind) {
            (Value::Null, _) => "unknown".to_owned(),
            (Value::Text(text), _) => text.clone(),
            (Value::Integer(0), ColumnType::Flag) => "no".to_owned(),
            (Value::Integer(_), ColumnType::Flag) => "yes".to_owned(),
            (Value::Integer(ms), ColumnType::Instant) => Instant::from_ms(*ms).to_string(),
            (Value::Integer(id), ColumnType::Account | ColumnType::Entity) => {
                self.records.entity(*id)?.map_or_else(|| id.to_string(), |entity| entity.key)
            }
            (Value::Integer(number), _) => number.to_string(),
        })
    }

    /// What the source of an entry is called.
    fn name_of(&self, entry: u64, names: &mut BTreeMap<u64, Option<String>>) -> Option<String> {
        let name = names.entry(entry).or_insert_with(|| {
            let bytes = self.ledger.document(entry).ok()?;
            Document::parse(&bytes).ok().map(|document| document.receipt.source)
        });
        name.clone()
    }
}

fn spoken_key(key: &Key) -> String {
    match key.scope.as_str() {
        "" => key.key.clone(),
        scope => format!("{scope}:{}", key.key),
    }
}
