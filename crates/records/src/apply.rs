//! Applying documents to a generation: interning keys, superseding rows, linking accounts.

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use model::{
    Derived, Document, DocumentError, Fact, FactValue, Grade, Instant, Key, Receipt, Row, Table, TableKind,
    Value, row_id,
};
use store::records::{Batch, CURRENT, Display, Entity, Records, RecordsError};

use crate::identity::{Identity, Link};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The database.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// A document that no version of this program wrote, or a newer one.
    #[error("ledger entry {entry} cannot be read: {reason}")]
    Document {
        /// The entry.
        entry: u64,
        /// Why.
        reason: DocumentError,
    },
    /// A derivation names a table or a column that the content does not declare.
    #[error("the derivation of ledger entry {entry} does not fit the tables: {reason}")]
    Schema {
        /// The entry.
        entry: u64,
        /// What does not fit.
        reason: String,
    },
    /// More rows than a capture can number.
    #[error(
        "ledger entry {entry} gives more rows than one capture may (1,048,576); collect in smaller pages"
    )]
    TooManyRows {
        /// The entry.
        entry: u64,
    },
}

/// What a run of the applier saw in passing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Applied {
    /// Rows written.
    pub rows: usize,
    /// What could not be read, with its ledger entry.
    pub problems: Vec<(u64, String)>,
    /// The newest cursor of each (source, stream).
    pub cursors: Vec<Source>,
}

/// A source's stream and where its next run goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Source instance.
    pub source: String,
    /// Stream.
    pub stream: String,
    /// The connector's own words.
    pub cursor: serde_json::Value,
}

/// Applies documents in ledger order.
pub struct Applier<'a> {
    records: &'a mut Records,
    tables: Arc<[Table]>,
    ids: HashMap<Key, i64>,
    /// Entities made by this applier: the database need not be asked for their rows.
    fresh: HashSet<i64>,
    /// Rows of the batch that is being gathered, by table and entity (and start, for states).
    pending: HashMap<(usize, i64, i64), usize>,
    /// Tables and entities with a row in that batch.
    touched: HashSet<(usize, i64)>,
    identity: Identity,
    batch: Batch,
    /// Whether the generation was empty: then every entity there is stands in `ids`.
    whole: bool,
    /// Whether it still is: then nothing in it can be met.
    empty: bool,
    applied: Applied,
}

/// What a document says, read without any database: many can be read ahead while one is applied.
pub struct Reading {
    entry: u64,
    receipt: Receipt,
    derived: Derived,
}

impl Reading {
    /// Reads the document of a ledger entry.
    ///
    /// # Errors
    /// [`ApplyError::Document`].
    pub fn of(
        entry: u64,
        bytes: &[u8],
        derive: &dyn Fn(&Document<'_>) -> Derived,
    ) -> Result<Self, ApplyError> {
        let document = Document::parse(bytes).map_err(|reason| ApplyError::Document { entry, reason })?;
        let derived = derive(&document);
        Ok(Self { entry, receipt: document.receipt, derived })
    }
}

/// Rows after which a batch is written: every batch has its price, and this many fit into some 100 MB.
const ROWS_PER_BATCH: usize = 150_000;

impl<'a> Applier<'a> {
    /// Takes up a generation where it stands.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn new(records: &'a mut Records) -> Result<Self, ApplyError> {
        let empty = records.applied()? == 0;
        let mut identity = Identity::default();
        if !empty {
            let mut known: Vec<Entity> = vec![];
            for kind in ["account", "account_email", "account_name", "account_login"] {
                records.entities(Some(kind), |e| known.push(e))?;
            }
            // What was said of accounts, in the order in which it was said.
            known.sort_by_key(|e| e.id);
            let mut links = vec![];
            for e in known {
                match e.kind.as_str() {
                    "account" => identity.account(e.id, &mut links),
                    "account_email" => identity.email(e.scope, &e.key, &mut links),
                    "account_name" => identity.name(e.scope, &e.key, &mut links),
                    _ => identity.login(e.scope, &e.key, &mut links),
                }
            }
        }
        Ok(Self {
            tables: records.tables().into(),
            records,
            ids: HashMap::new(),
            fresh: HashSet::new(),
            pending: HashMap::new(),
            touched: HashSet::new(),
            identity,
            batch: Batch::default(),
            whole: empty,
            empty,
            applied: Applied::default(),
        })
    }

    /// Applies one document: what `derive` reads in it.
    ///
    /// # Errors
    /// See [`ApplyError`]. Nothing of the document is lost: it stays in the ledger, and the generation at the position
    /// before it.
    pub fn document(
        &mut self,
        entry: u64,
        bytes: &[u8],
        derive: &dyn Fn(&Document<'_>) -> Derived,
    ) -> Result<(), ApplyError> {
        self.take(Reading::of(entry, bytes, derive)?)
    }

    /// Applies what was read in one document.
    ///
    /// # Errors
    /// As [`Applier::document`].
    pub fn take(&mut self, reading: Reading) -> Result<(), ApplyError> {
        let Reading { entry, receipt, mut derived } = reading;
        if derived.lenient {
            fit(&self.tables, entry, &mut derived);
        }
        if let Some(cursor) = receipt.cursor {
            self.applied.cursors.retain(|c| c.source != receipt.source || c.stream != receipt.stream);
            self.applied.cursors.push(Source { source: receipt.source, stream: receipt.stream, cursor });
        }
        self.applied.problems.extend(derived.problems.into_iter().map(|p| (entry, p)));
        let told = derived.lenient;
        let mut writer = Writer { applier: self, entry, place: 0, collected_at: receipt.collected_at, told };
        for fact in derived.facts {
            writer.fact(fact, false)?;
        }
        for fact in derived.tentative {
            writer.fact(fact, true)?;
        }
        for text in &derived.display {
            writer.display(&text.about, text.field, &text.text)?;
        }
        self.batch.applied = i64::try_from(entry + 1).unwrap_or(i64::MAX);
        if self.batch.rows.len() >= ROWS_PER_BATCH {
            self.flush()?;
        }
        Ok(())
    }

    /// Notes that the generation is complete up to `position`, whatever the last entries held, and writes the rest.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn finish(mut self, position: u64) -> Result<Applied, ApplyError> {
        self.batch.applied = i64::try_from(position).unwrap_or(i64::MAX);
        self.flush()?;
        Ok(self.applied)
    }

    fn flush(&mut self) -> Result<(), ApplyError> {
        self.applied.rows += self.batch.rows.len();
        let batch = std::mem::take(&mut self.batch);
        self.records.apply(&batch)?;
        self.batch.applied = batch.applied;
        self.pending.clear();
        self.touched.clear();
        self.fresh.clear();
        self.empty = false;
        Ok(())
    }
}

/// Leaves out what does not fit the tables of today: a column that is gone or holds something else now, and a row without
/// what a table cannot do without. Where a row is left out its table is no longer complete.
fn fit(tables: &[Table], entry: u64, derived: &mut Derived) {
    let mut problems = BTreeSet::new();
    let mut gaps: BTreeSet<(&'static str, Option<Key>)> = BTreeSet::new();
    derived.facts.retain_mut(|fact| {
        let Some(table) = tables.iter().find(|t| t.name == fact.table) else {
            problems.insert(format!("there is no table `{}` any more; its rows are left out", fact.table));
            return false;
        };
        let column = |name: &str| table.column(name).map(|position| &table.columns[position]);
        fact.values.retain(|(name, value)| {
            let fits = column(name).is_some_and(|c| match value {
                FactValue::Null => true,
                FactValue::Text(text) => {
                    c.kind.is_text() && (c.words.is_empty() || c.words.iter().any(|w| w == text))
                }
                FactValue::Integer(_) | FactValue::Entity(_) => !c.kind.is_text(),
            });
            if !fits {
                problems.insert(format!("`{name}` does not fit `{}` any more and is left out", table.name));
            }
            fits
        });
        let known = |name: &str| fact.values.iter().any(|(n, v)| *n == name && *v != FactValue::Null);
        let missing = table.columns.iter().find(|c| !c.nullable && !known(&c.name));
        if let Some(missing) = missing {
            problems.insert(format!(
                "`{}` needs `{}` by now; rows without it are left out",
                table.name, missing.name
            ));
            let scope = Some(&fact.about).filter(|about| about.kind != "account" && !about.scope.is_empty());
            gaps.insert((fact.table, scope.map(|about| Key::new("repository", "", about.scope.clone()))));
        }
        missing.is_none()
    });
    for (table, scope) in gaps {
        let at = scope.as_ref().map_or("", |scope| scope.key.as_str());
        derived.facts.push(Fact {
            table: "coverage",
            about: Key::new("coverage", at, format!("left out {entry} {table}")),
            grade: Grade::System,
            values: vec![
                ("scope", scope.map_or(FactValue::Integer(0), FactValue::Entity)),
                ("relation", table.into()),
                ("covered_from", Instant::BEGINNING.into()),
                ("covered_to", Instant::FOREVER.into()),
                ("status", "partial".into()),
                ("reason", "rows that were given no longer fit the table".into()),
            ],
        });
    }
    derived.problems.extend(problems);
}

/// Writes what one document says.
struct Writer<'w, 'a> {
    applier: &'w mut Applier<'a>,
    entry: u64,
    place: u64,
    collected_at: Instant,
    /// Whether a person says so, in a file or here.
    told: bool,
}

impl Writer<'_, '_> {
    /// The next place in the capture.
    fn next(&mut self) -> Result<(i64, i64), ApplyError> {
        let id = row_id(self.entry, self.place).ok_or(ApplyError::TooManyRows { entry: self.entry })?;
        let place = i64::try_from(self.place).unwrap_or(i64::MAX);
        self.place += 1;
        Ok((id, place))
    }

    /// The number of an entity; a new one when it is named for the first time.
    fn id(&mut self, key: &Key) -> Result<i64, ApplyError> {
        if let Some(id) = self.applier.ids.get(key) {
            return Ok(*id);
        }
        let scope = match (key.scope.as_str(), key.kind) {
            ("", _) => 0,
            (system, "account") => self.id(&Key::new("system", "", system))?,
            (repository, _) => self.id(&Key::new("repository", "", repository))?,
        };
        let id = self.intern(key.kind, scope, &key.key)?;
        self.applier.ids.insert(key.clone(), id);
        if key.kind == "account" {
            let mut links = vec![];
            self.applier.identity.account(id, &mut links);
            self.links(links)?;
        }
        Ok(id)
    }

    fn intern(&mut self, kind: &str, scope: i64, key: &str) -> Result<i64, ApplyError> {
        if !self.applier.whole
            && let Some(id) = self.applier.records.entity_id(kind, scope, key)?
        {
            return Ok(id);
        }
        let (id, _) = self.next()?;
        self.applier.fresh.insert(id);
        self.applier.batch.entities.push(Entity { id, kind: kind.to_owned(), scope, key: key.to_owned() });
        Ok(id)
    }

    fn fact(&mut self, fact: Fact, tentative: bool) -> Result<(), ApplyError> {
        let entry = self.entry;
        let schema = |reason: String| ApplyError::Schema { entry, reason };
        let tables = Arc::clone(&self.applier.tables);
        let table = tables
            .iter()
            .position(|t| t.name == fact.table)
            .ok_or_else(|| schema(format!("there is no table `{}`", fact.table)))?;
        let declared = &tables[table];
        let mut values = vec![Value::Null; declared.columns.len()];
        for (name, value) in fact.values {
            let Some(position) = declared.column(name) else {
                return Err(schema(format!("`{}` has no column `{name}`", fact.table)));
            };
            values[position] = match value {
                FactValue::Null => Value::Null,
                FactValue::Integer(n) => Value::Integer(n),
                FactValue::Text(text) => Value::from(text),
                FactValue::Entity(key) => Value::Integer(self.id(&key)?),
            };
        }
        let id = self.id(&fact.about)?;
        self.row(table, declared.kind, id, fact.grade, values, tentative)
    }

    fn row(
        &mut self,
        table: usize,
        kind: TableKind,
        id: i64,
        grade: Grade,
        values: Vec<Value>,
        tentative: bool,
    ) -> Result<(), ApplyError> {
        // A state's versions stand beside each other, told apart by their start.
        let start = match kind {
            TableKind::State => {
                let position = self.applier.tables[table].column("valid_from").unwrap_or(0);
                match values[position] {
                    Value::Integer(start) => start,
                    _ => 0,
                }
            }
            TableKind::Event | TableKind::Relation => 0,
        };
        let pending = self.applier.pending.get(&(table, id, start)).copied();
        let current: Vec<Row> = match pending {
            Some(at) => vec![self.applier.batch.rows[at].1.clone()],
            None if self.applier.empty || self.applier.fresh.contains(&id) => vec![],
            None => self.applier.records.current_rows(table, id)?,
        };
        if tentative && (!current.is_empty() || self.applier.touched.contains(&(table, id))) {
            return Ok(());
        }
        // The same fact seen again says nothing new.
        if current.iter().any(|row| row.values == values && row.grade == grade) {
            return Ok(());
        }
        // What somebody typed never takes the place of a source's own record, whichever came first; nor a file that of what was
        // corrected here by hand.
        let starts = self.applier.tables[table].column("valid_from");
        let same_version = |row: &&Row| match (kind, starts) {
            (TableKind::State, Some(at)) => row.values[at] == values[at],
            _ => true,
        };
        if self.told && current.iter().find(same_version).is_some_and(|row| row.grade > grade) {
            return Ok(());
        }
        let (_, place) = self.next()?;
        let known_from = i64::try_from(self.entry).unwrap_or(i64::MAX) + 1;
        let row = Row {
            id,
            entry: known_from - 1,
            place,
            collected_at: self.collected_at,
            grade,
            in_scope: true,
            known_from,
            superseded_at: CURRENT,
            values,
        };
        self.applier.pending.insert((table, id, start), self.applier.batch.rows.len());
        self.applier.touched.insert((table, id));
        self.applier.batch.rows.push((table, row));
        Ok(())
    }

    fn display(&mut self, about: &Key, field: &str, text: &str) -> Result<(), ApplyError> {
        let id = self.id(about)?;
        let text = match Value::from(text) {
            Value::Text(text) => text,
            _ => return Ok(()),
        };
        if about.kind == "account" {
            let kind = match field {
                "email" => "account_email",
                "name" => "account_name",
                "login" => "account_login",
                _ => "",
            };
            if !kind.is_empty() && self.said_first(kind, id, &text)? {
                let mut links = vec![];
                match kind {
                    "account_email" => self.applier.identity.email(id, &text, &mut links),
                    "account_name" => self.applier.identity.name(id, &text, &mut links),
                    _ => self.applier.identity.login(id, &text, &mut links),
                }
                self.links(links)?;
            }
        }
        self.applier.batch.display.push(Display { id, field: field.to_owned(), text });
        Ok(())
    }

    /// Keeps what was said of an account, so that a later start knows it; whether it is new.
    fn said_first(&mut self, kind: &'static str, account: i64, text: &str) -> Result<bool, ApplyError> {
        let key = Key::new(kind, account.to_string(), text);
        if self.applier.ids.contains_key(&key) {
            return Ok(false);
        }
        let before = self.place;
        let id = self.intern(kind, account, text)?;
        self.applier.ids.insert(key, id);
        Ok(self.place != before)
    }

    fn links(&mut self, links: Vec<Link>) -> Result<(), ApplyError> {
        let table = |records: &Records, name: &str| records.table(name);
        let Some(persons) = table(self.applier.records, "account_person") else { return Ok(()) };
        let Some(alikes) = table(self.applier.records, "person_alike") else { return Ok(()) };
        for link in links {
            match link {
                Link::Person { account, person, basis } => {
                    let id = self.intern_once("account_person", &account.to_string())?;
                    let values = vec![
                        Value::Integer(account),
                        Value::Integer(person),
                        basis.into(),
                        Instant::BEGINNING.into(),
                        Instant::FOREVER.into(),
                    ];
                    self.row(persons, TableKind::Relation, id, Grade::System, values, false)?;
                }
                Link::Alike { person, other, basis } => {
                    let id =
                        self.intern_once("person_alike", &format!("{person} {other} {}", basis.word()))?;
                    let values = vec![Value::Integer(person), Value::Integer(other), basis.word().into()];
                    self.row(alikes, TableKind::Relation, id, Grade::System, values, false)?;
                }
                Link::Unlike { person, other, basis } => {
                    let id =
                        self.intern_once("person_alike", &format!("{person} {other} {}", basis.word()))?;
                    let at = i64::try_from(self.entry).unwrap_or(i64::MAX) + 1;
                    self.applier.batch.retracted.push((alikes, id, at));
                    self.applier.pending.remove(&(alikes, id, 0));
                }
            }
        }
        Ok(())
    }

    fn intern_once(&mut self, kind: &'static str, key: &str) -> Result<i64, ApplyError> {
        let key = Key::new(kind, "", key);
        self.id(&key)
    }
}
