//! What people decide here, entered as rows of record tables: each decision is a document of the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use app::Workspace;
use connectors::git::Conventions;
use model::{Capture, Instant, Table};
use serde_json::{Map, Value as Json};

use crate::failure::Failure;
use crate::output::{note, plain};
use crate::record::{Said, rows};
use crate::session::derive;

/// The system in which the people who decide here have their pseudonyms.
const HERE: &str = "tickmark";
/// Rows of one document.
const ROWS: usize = 10_000;

/// A value of a decision.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Text(String),
    At(Instant),
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

/// One row: its key, and its values by column. A column that is not named is unknown.
pub(crate) type Row = (String, Vec<(&'static str, Cell)>);

/// Who decides, and why: both stand in the ledger.
pub(crate) struct Because<'a> {
    pub(crate) by: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) now: Instant,
}

/// Enters rows of one table, all of them at once, and applies them. Gives their ledger entries.
pub(crate) fn decide(
    workspace: &mut Workspace,
    conventions: &Conventions,
    table: &str,
    decided: &[Row],
    because: &Because<'_>,
) -> Result<Range<u64>, Failure> {
    decide_each(workspace, conventions, table, &[decided], because)
}

/// The same of rows that are read in different ways: those of a group are read alike.
pub(crate) fn decide_each(
    workspace: &mut Workspace,
    conventions: &Conventions,
    table: &str,
    groups: &[&[Row]],
    because: &Because<'_>,
) -> Result<Range<u64>, Failure> {
    if because.by.trim().is_empty() {
        return Err(Failure::of("a decision needs somebody who takes it; name them with --by"));
    }
    let declared = crate::import::table(workspace, table).map_err(Failure::of)?;
    let mut captures = vec![];
    for group in groups {
        captures.extend(captured(&declared, group, because)?);
    }
    let entries = workspace.decide(&captures)?;
    let applied = workspace.catch_up(&|document| derive(document, conventions))?;
    for (entry, problem) in applied.problems.iter().filter(|(entry, _)| entries.contains(entry)) {
        note(&format!("entry {entry}: {}", plain(problem)));
    }
    Ok(entries)
}

/// The documents of rows that are read alike.
fn captured(declared: &Table, decided: &[Row], because: &Because<'_>) -> Result<Vec<Capture>, Failure> {
    let mut columns: BTreeMap<&'static str, toml::Table> = BTreeMap::new();
    let mut keys = BTreeSet::new();
    let mut bodies = vec![];
    for (key, values) in decided {
        // Whoever names a row twice means it once.
        if !keys.insert(key) {
            continue;
        }
        let mut body = Map::from_iter([("key".to_owned(), Json::from(key.clone()))]);
        for (column, cell) in values {
            columns.entry(column).or_insert_with(|| cell.read(column));
            body.insert((*column).to_owned(), cell.text().into());
        }
        bodies.push(body);
    }
    let mut mapping = toml::Table::new();
    mapping.insert("table".to_owned(), declared.name.clone().into());
    mapping.insert("key".to_owned(), "key".into());
    let columns: toml::Table = columns.into_iter().map(|(name, how)| (name.to_owned(), how.into())).collect();
    mapping.insert("columns".to_owned(), columns.into());
    let mapping = toml::to_string(&mapping).map_err(Failure::of)?;
    let said = Said { reason: because.reason, by: Some(because.by), covers: None, of: &[] };
    bodies.chunks(ROWS).map(|bodies| rows(declared, &mapping, bodies, &said, because.now)).collect()
}

/// A text that says something.
pub(crate) fn said(name: &str, text: &str) -> Result<String, Failure> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Failure::of(format!(
            "--{name} says nothing; write something behind it, or leave it out"
        )));
    }
    Ok(text.to_owned())
}

/// A control there is.
pub(crate) fn control(workspace: &Workspace, id: &str) -> Result<String, Failure> {
    if workspace.catalog.controls.contains_key(id) {
        return Ok(id.to_owned());
    }
    let known: Vec<&str> = workspace.catalog.controls.keys().map(String::as_str).collect();
    Err(Failure::of(format!("there is no control `{id}`; there are {}", known.join(", "))))
}

/// A ledger entry there is.
pub(crate) fn entry(workspace: &Workspace, entry: u64) -> Result<i64, Failure> {
    if entry >= workspace.size() {
        return Err(Failure::of(format!(
            "there is no ledger entry {entry} (the last one is {}); `tickmark evidence list` shows files of evidence",
            workspace.size().saturating_sub(1)
        )));
    }
    i64::try_from(entry).map_err(Failure::of)
}
