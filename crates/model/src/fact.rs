//! Facts: what a derivation reads out of a document, before keys become numbers.
//!
//! A derivation is a pure function from a document to facts. Facts name entities by [`Key`]; the records crate turns
//! keys into ids (the row id of the first fact about the key), so that derivations need no state.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::verdict::Grade;

/// The one copy of a name that facts carry by reference, for names that a person wrote in a mapping (a table, a column, a
/// kind of entity). They are few and stay: never call it with what rows hold.
#[must_use]
pub fn interned(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(kept);
    kept
}

/// The symbolic name of an entity: what the source itself calls it for good (a commit id, a numeric account id), never
/// a name that can be changed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    /// Kind of entity, such as `change`, `account`, `repository`.
    pub kind: &'static str,
    /// What the key is unique within: a repository (`github.com/acme/app`), a system (`github.com`), or empty.
    pub scope: String,
    /// The key itself.
    pub key: String,
}

impl Key {
    /// A key from its three parts.
    pub fn new(kind: &'static str, scope: impl Into<String>, key: impl Into<String>) -> Self {
        Self { kind, scope: scope.into(), key: key.into() }
    }
}

/// A value in a fact.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum FactValue {
    /// Unknown.
    Null,
    /// BIGINT.
    Integer(i64),
    /// TEXT.
    Text(String),
    /// An entity, by its key.
    Entity(Key),
}

impl From<i64> for FactValue {
    fn from(v: i64) -> Self {
        Self::Integer(v)
    }
}
impl From<bool> for FactValue {
    fn from(v: bool) -> Self {
        Self::Integer(i64::from(v))
    }
}
impl From<crate::Instant> for FactValue {
    fn from(v: crate::Instant) -> Self {
        Self::Integer(v.ms())
    }
}
impl From<&str> for FactValue {
    fn from(v: &str) -> Self {
        Self::Text(v.to_owned())
    }
}
impl From<String> for FactValue {
    fn from(v: String) -> Self {
        Self::Text(v)
    }
}
impl From<Key> for FactValue {
    fn from(v: Key) -> Self {
        Self::Entity(v)
    }
}
impl<T: Into<Self>> From<Option<T>> for FactValue {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

/// One row of a record table, still by keys. Columns that are not named are NULL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    /// Record table.
    pub table: &'static str,
    /// The entity the row is about. The same key seen again supersedes the row.
    pub about: Key,
    /// How far the evidence can be trusted.
    pub grade: Grade,
    /// Values by column name.
    pub values: Vec<(&'static str, FactValue)>,
}

/// A text for people (a name, an e-mail, a title): it never stands in a record table, so that it can be dropped
/// without touching a committed root.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct DisplayFact {
    /// The entity it names.
    pub about: Key,
    /// Which text: `name`, `email`, `login`, `title`, `url`; of an account also `employee_number`, `sso_subject`.
    pub field: &'static str,
    /// The text.
    pub text: String,
}

/// Everything one document says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Derived {
    /// Rows.
    pub facts: Vec<Fact>,
    /// Rows that count only while nothing is known about their entity: a first impression, such as the kind of an
    /// account guessed from a commit. They never supersede a row.
    pub tentative: Vec<Fact>,
    /// Texts for people.
    pub display: Vec<DisplayFact>,
    /// What could not be read, in words for people; the rest of the document still counts, and the tables it
    /// would have fed are not complete.
    pub problems: Vec<String>,
    /// Whether a person's mapping says what the rows are: the tables may have changed since. What no longer fits is left
    /// out and said, where a connector's own misfit stops everything.
    pub lenient: bool,
}
