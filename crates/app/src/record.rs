//! Rows of record tables that people enter here: each is a decision in the ledger, whether it was typed at the command line or
//! filled in on a page.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use model::{Capture, Document, Instant, Table, Window};
use serde_json::{Map, Value as Json};

use crate::error::AppError;
use crate::import::{Compared, KnownKeys};
use crate::workspace::{Derive, Workspace};

/// The system in which the people who decide here have their pseudonyms.
pub const HERE: &str = "tickmark";
/// Rows of one document.
const ROWS: usize = 10_000;

/// What writes rows as a document: the table, a mapping, the rows, what is said of them, and when.
pub type Write = fn(&Table, &str, &[Map<String, Json>], &SaidOf<'_>, Instant) -> Result<Capture, String>;

/// What rows are written and read back with, and when. Handed in: this crate knows no source and reads no clock.
#[derive(Clone, Copy)]
pub struct Scribe<'s> {
    /// Reads documents.
    pub derive: &'s Derive<'s>,
    /// Writes them.
    pub write: Write,
    /// The instant at which it is done.
    pub now: Instant,
}

/// What is said of rows besides their values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SaidOf<'a> {
    /// Why they are entered: it stands in the ledger.
    pub reason: &'a str,
    /// Who enters them, as a pseudonym.
    pub by: Option<&'a str>,
    /// They are all there was in this window.
    pub covers: Option<Window>,
    /// Of what `covers` speaks, such as `system:hub`; the company as a whole when empty.
    pub of: &'a [String],
}

/// A value of a decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cell {
    /// Words.
    Text(String),
    /// An instant.
    At(Instant),
    /// A number.
    Number(i64),
    /// A person, as a pseudonym.
    Person(String),
    /// An account of a system: its system, and its key there.
    Account(String, String),
    /// Something that another table is about.
    Entity(&'static str, String),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Cell {
    fn text(&self) -> String {
        match self {
            Self::Text(text) | Self::Person(text) | Self::Entity(_, text) | Self::Account(_, text) => {
                text.clone()
            }
            Self::At(at) if *at == Instant::FOREVER => "forever".to_owned(),
            Self::At(at) => at.to_string(),
            Self::Number(n) => n.to_string(),
        }
    }

    /// How the mapping reads it.
    fn read(&self, column: &str) -> toml::Table {
        let mut how = toml::Table::new();
        how.insert("column".to_owned(), column.into());
        match self {
            Self::Person(_) => {
                how.insert("system".to_owned(), HERE.into());
            }
            Self::Account(system, _) => {
                how.insert("system".to_owned(), system.as_str().into());
            }
            Self::Entity(kind, _) => {
                how.insert("kind".to_owned(), (*kind).into());
            }
            Self::At(_) => {
                let forever = toml::Table::from_iter([("forever".to_owned(), "forever".into())]);
                how.insert("words".to_owned(), forever.into());
            }
            Self::Text(_) | Self::Number(_) => {}
        }
        how
    }
}

/// How the mapping reads each column.
type Reads = BTreeMap<&'static str, toml::Table>;

/// One row of a decision: its key, and its values by column. A column that is not named is unknown.
pub type NewRow = (String, Vec<(&'static str, Cell)>);

/// Rows that were entered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EnteredRows {
    /// Their ledger entries.
    pub entries: Range<u64>,
    /// Whether a row took the place of another.
    pub corrected: bool,
    /// What could not be read of an entry afterwards.
    pub problems: Vec<(u64, String)>,
}

impl Workspace {
    /// Takes a decision: enters rows of one table, all of them at once, and applies them.
    ///
    /// # Errors
    /// Nobody decides, there is no such table, a value that does not fit its column, or the disk.
    pub fn decide_rows(
        &mut self,
        scribe: &Scribe<'_>,
        table: &str,
        decided: &[NewRow],
        by: &str,
        reason: &str,
    ) -> Result<EnteredRows, AppError> {
        if by.trim().is_empty() {
            return Err(other("a decision needs somebody who takes it; name them with --by"));
        }
        let declared = self.catalog.table(table).cloned();
        let declared =
            declared.ok_or_else(|| other(format!("the content has no table `{table}`; restore it")))?;
        // Rows that are read alike stand in one document.
        let mut groups: Vec<(Reads, Vec<Map<String, Json>>)> = vec![];
        let mut keys = BTreeSet::new();
        for (key, values) in decided {
            // Whoever names a row twice means it once.
            if !keys.insert(key) {
                continue;
            }
            let mut body = Map::from_iter([("key".to_owned(), Json::from(key.clone()))]);
            let mut columns = Reads::new();
            for (column, cell) in values {
                columns.insert(*column, cell.read(column));
                body.insert((*column).to_owned(), cell.text().into());
            }
            let alike = |(known, _): &&mut (Reads, Vec<_>)| {
                columns.iter().all(|(column, how)| known.get(column).is_none_or(|other| other == how))
            };
            match groups.last_mut().filter(alike) {
                Some((known, bodies)) => {
                    known.extend(columns);
                    bodies.push(body);
                }
                None => groups.push((columns, vec![body])),
            }
        }
        let said = SaidOf { reason, by: Some(by), covers: None, of: &[] };
        let mut captures = vec![];
        for (columns, bodies) in groups {
            let mut mapping = toml::Table::new();
            mapping.insert("table".to_owned(), table.into());
            mapping.insert("key".to_owned(), "key".into());
            let columns: toml::Table =
                columns.into_iter().map(|(name, how)| (name.to_owned(), how.into())).collect();
            mapping.insert("columns".to_owned(), columns.into());
            let mapping = toml::to_string(&mapping).map_err(other)?;
            for bodies in bodies.chunks(ROWS) {
                captures.push((scribe.write)(&declared, &mapping, bodies, &said, scribe.now).map_err(other)?);
            }
        }
        self.take_down(scribe, &captures, false)
    }

    /// Enters a row as it is typed (`key=…`, `column=value`, and the words of a mapping behind a column's name); the same key
    /// again corrects it. `None` when it says nothing new.
    ///
    /// # Errors
    /// Words that say nothing, a value that does not fit its column, or the disk.
    pub fn enter_row(
        &mut self,
        scribe: &Scribe<'_>,
        table: &Table,
        words: &[String],
        tz: &str,
        said: &SaidOf<'_>,
    ) -> Result<Option<EnteredRows>, AppError> {
        let (mut mapping, body) = written(table, words, tz)?;
        mapping.insert_str(0, &covered_scopes(said.of)?);
        self.catch_up(scribe.derive)?;
        let capture = (scribe.write)(table, &mapping, std::slice::from_ref(&body), said, scribe.now);
        let capture = capture.map_err(other)?;
        let (compared, covered) = self.laid_beside(scribe, &capture)?;
        if compared.says_nothing() && covered {
            return Ok(None);
        }
        self.take_down(scribe, &[capture], compared.changed > 0).map(Some)
    }

    fn take_down(
        &mut self,
        scribe: &Scribe<'_>,
        captures: &[Capture],
        corrected: bool,
    ) -> Result<EnteredRows, AppError> {
        let entries = self.decide(captures)?;
        let applied = self.catch_up(scribe.derive)?;
        let problems = applied.problems.into_iter().filter(|(entry, _)| entries.contains(entry)).collect();
        Ok(EnteredRows { entries, corrected, problems })
    }

    /// What a row would change, and whether all it says of coverage is known.
    fn laid_beside(&mut self, scribe: &Scribe<'_>, capture: &Capture) -> Result<(Compared, bool), AppError> {
        let document = Document { receipt: capture.receipt.clone(), body: &capture.body };
        let (coverage, facts): (Vec<_>, Vec<_>) =
            (scribe.derive)(&document).facts.into_iter().partition(|f| f.table == "coverage");
        let mut covered = true;
        for fact in &coverage {
            covered &= self.covered_alike(fact)?;
        }
        Ok((self.compare(&facts, &mut KnownKeys::default())?, covered))
    }
}

fn other(why: impl ToString) -> AppError {
    AppError::Other(why.to_string())
}

/// The scopes that a window is of, as the mapping says them.
fn covered_scopes(of: &[String]) -> Result<String, AppError> {
    let mut scopes = vec![];
    for scope in of {
        let Some((kind, key)) =
            scope.split_once(':').filter(|(kind, key)| !kind.is_empty() && !key.is_empty())
        else {
            let shown: String = scope.chars().filter(|c| !c.is_control()).collect();
            return Err(other(format!(
                "`{shown}` does not say of what kind it is; write it like system:hub or repository:acme/app"
            )));
        };
        let scope = [("kind".to_owned(), kind.into()), ("key".to_owned(), key.into())];
        scopes.push(toml::Value::Table(scope.into_iter().collect()));
    }
    if scopes.is_empty() {
        return Ok(String::new());
    }
    Ok(format!("covers = {}\n", toml::Value::Array(scopes)))
}

/// Words as they are typed, as a mapping and one record for it: a row entered by hand is read as an imported one is.
///
/// # Errors
/// A word that is no value, one that is said twice, or no key.
pub fn written(table: &Table, words: &[String], tz: &str) -> Result<(String, Map<String, Json>), AppError> {
    let mut body = Map::new();
    let mut mapping = toml::Table::new();
    let mut columns: BTreeMap<String, toml::Table> = BTreeMap::new();
    let mut display = toml::Table::new();
    mapping.insert("table".to_owned(), table.name.clone().into());
    mapping.insert("zone".to_owned(), tz.into());
    for word in words {
        let Some((name, value)) = word.split_once('=') else {
            return Err(other(format!("`{word}` is no value; write it like column=value")));
        };
        let (column, how) = name.split_once('.').map_or((name, None), |(column, how)| (column, Some(how)));
        match (column, how) {
            ("key", Some(how @ ("kind" | "scope"))) => {
                mapping.insert(how.to_owned(), value.into());
            }
            ("display", Some(field)) => {
                display.insert(field.to_owned(), name.into());
                body.insert(name.to_owned(), value.into());
            }
            (_, None) => {
                if body.insert(name.to_owned(), value.into()).is_some() {
                    return Err(other(format!("`{name}` is said twice; keep one of the two")));
                }
                if name == "key" {
                    mapping.insert("key".to_owned(), "key".into());
                } else {
                    columns.entry(column.to_owned()).or_default().insert("column".to_owned(), name.into());
                }
            }
            (column, Some(how)) => {
                // Every word of the mapping is a text, but for one number.
                let value = match value.parse::<i64>() {
                    Ok(number) if how == "times" => number.into(),
                    _ => value.into(),
                };
                columns.entry(column.to_owned()).or_default().insert(how.to_owned(), value);
            }
        }
    }
    if !body.contains_key("key") {
        return Err(other(format!(
            "nothing says which row of `{}` it is; write key=…, which the same row has for good",
            table.name
        )));
    }
    let columns: toml::Table = columns.into_iter().map(|(name, how)| (name, how.into())).collect();
    mapping.insert("columns".to_owned(), columns.into());
    mapping.insert("display".to_owned(), display.into());
    Ok((toml::to_string(&mapping).map_err(other)?, body))
}
