//! Applying documents to a generation: interning keys, superseding rows, linking accounts.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};
use model::{
    Derived, Document, DocumentError, Fact, FactValue, Grade, Instant, Key, Receipt, Row, Table, TableKind,
    Value, row_id,
};
use store::records::{Batch, CURRENT, Display, Entity, Records, RecordsError};

use crate::identity::{Basis, Decision, Identity, Link, Said, Stated};

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
    /// Tables and entities whose row that batch takes back: what the database still shows of them holds no more.
    taken_back: HashSet<(usize, i64)>,
    identity: Identity,
    telling: Telling,
    batch: Batch,
    /// Whether the generation was empty: then every entity there is stands in `ids`, and what holds of each in `known`. The
    /// database is never asked, and takes many rows without indexes.
    whole: bool,
    known: HashMap<(usize, i64), Known>,
    /// Makes digests with a key nobody can know beforehand: else a source could send two rows that look the same.
    digests: RandomState,
    filling: bool,
    rows_per_batch: usize,
    applied: Applied,
}

/// What holds of an entity in a table: one version, or of a state several.
#[derive(Debug)]
enum Known {
    One(Version),
    More(Vec<Version>),
}

#[derive(Clone, Copy, Debug)]
struct Version {
    start: i64,
    /// A digest of the values, compared only with that of the same entity, table and start.
    says: u64,
    grade: Grade,
}

impl Known {
    fn of(&self, start: i64) -> Option<&Version> {
        let versions = match self {
            Self::One(version) => std::slice::from_ref(version),
            Self::More(versions) => versions,
        };
        versions.iter().find(|v| v.start == start)
    }

    fn add(&mut self, version: Version) {
        match self {
            Self::One(one) if one.start == version.start => *one = version,
            Self::One(one) => *self = Self::More(vec![*one, version]),
            Self::More(versions) => match versions.iter_mut().find(|v| v.start == version.start) {
                Some(same) => *same = version,
                None => versions.push(version),
            },
        }
    }
}

/// What a document says, read without any database: many can be read ahead while one is applied.
pub struct Reading {
    entry: u64,
    receipt: Receipt,
    derived: Derived,
}

impl Reading {
    /// Reads the document of a ledger entry for rows of `tables`.
    ///
    /// # Errors
    /// [`ApplyError::Document`].
    pub fn of(
        tables: &[Table],
        entry: u64,
        bytes: &[u8],
        derive: &dyn Fn(&Document<'_>) -> Derived,
    ) -> Result<Self, ApplyError> {
        let document = Document::parse(bytes).map_err(|reason| ApplyError::Document { entry, reason })?;
        let mut derived = derive(&document);
        if derived.lenient {
            fit(tables, entry, &mut derived);
        }
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
        let telling = Telling::of(records.tables());
        if !empty {
            let mut known: Vec<Entity> = vec![];
            records.entities(Some("account"), |e| known.push(e))?;
            for (_, kind) in SAID {
                records.entities(Some(kind), |e| known.push(e))?;
            }
            // What was said of accounts, in the order in which it was said.
            known.sort_by_key(|e| e.id);
            let mut links = vec![];
            for e in known {
                match e.kind.as_str() {
                    "account" => identity.account(e.id, &mut links),
                    kind => say(&mut identity, kind, e.scope, &e.key, &mut links),
                }
                links.clear();
            }
            for table in telling.tables() {
                records.rows_known_at::<RecordsError>(table, CURRENT - 1, |row| {
                    telling.tell(&mut identity, table, row.id, &row.values, &mut links);
                    links.clear();
                    Ok(())
                })?;
            }
            identity.settle(&mut links);
        }
        Ok(Self {
            tables: records.tables().into(),
            records,
            ids: HashMap::new(),
            fresh: HashSet::new(),
            pending: HashMap::new(),
            touched: HashSet::new(),
            taken_back: HashSet::new(),
            identity,
            telling,
            batch: Batch::default(),
            whole: empty,
            known: HashMap::new(),
            digests: RandomState::new(),
            filling: false,
            rows_per_batch: ROWS_PER_BATCH,
            applied: Applied::default(),
        })
    }

    /// The tables that documents are read for.
    #[must_use]
    pub fn tables(&self) -> Arc<[Table]> {
        Arc::clone(&self.tables)
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
        self.take(Reading::of(&self.tables, entry, bytes, derive)?)
    }

    /// Applies what was read in one document.
    ///
    /// # Errors
    /// As [`Applier::document`].
    pub fn take(&mut self, reading: Reading) -> Result<(), ApplyError> {
        let Reading { entry, receipt, derived } = reading;
        if let Some(cursor) = receipt.cursor {
            self.applied.cursors.retain(|c| c.source != receipt.source || c.stream != receipt.stream);
            self.applied.cursors.push(Source { source: receipt.source, stream: receipt.stream, cursor });
        }
        self.applied.problems.extend(derived.problems.into_iter().map(|p| (entry, p)));
        let told = derived.lenient;
        let mut writer =
            Writer { applier: self, entry, place: 0, collected_at: receipt.collected_at, told, table: 0 };
        for fact in derived.facts {
            writer.fact(fact, false)?;
        }
        for fact in derived.tentative {
            writer.fact(fact, true)?;
        }
        for text in &derived.display {
            writer.display(&text.about, text.field, &text.text)?;
        }
        writer.settle()?;
        self.batch.applied = i64::try_from(entry + 1).unwrap_or(i64::MAX);
        if self.batch.rows.len() >= self.rows_per_batch {
            if self.whole && !self.filling {
                // There is more than one batch: indexes are cheaper made at the end.
                self.records.begin_filling()?;
                self.filling = true;
            }
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
        if self.filling {
            self.records.end_filling()?;
        }
        Ok(self.applied)
    }

    fn flush(&mut self) -> Result<(), ApplyError> {
        self.applied.rows += self.batch.rows.len();
        let batch = std::mem::take(&mut self.batch);
        if self.filling {
            self.records.take(&batch)?;
        } else {
            self.records.apply(&batch)?;
        }
        self.batch.applied = batch.applied;
        self.pending.clear();
        self.touched.clear();
        self.taken_back.clear();
        self.fresh.clear();
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
    /// The table of the last fact.
    table: usize,
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
        // Facts of one table mostly come together.
        let table = Some(self.table)
            .filter(|at| tables.get(*at).is_some_and(|t| t.name == fact.table))
            .or_else(|| tables.iter().position(|t| t.name == fact.table))
            .ok_or_else(|| schema(format!("there is no table `{}`", fact.table)))?;
        self.table = table;
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
        let says = self.applier.telling.concerns(table).then(|| values.clone());
        let written = self.row(table, declared.kind, id, fact.grade, values, tentative)?;
        if let Some(values) = says.filter(|_| written) {
            let mut links = vec![];
            let Applier { telling, identity, .. } = &mut *self.applier;
            telling.tell(identity, table, id, &values, &mut links);
            self.links(links)?;
        }
        Ok(())
    }

    /// What was taken back or decided in the document is worked out once, at its end.
    fn settle(&mut self) -> Result<(), ApplyError> {
        let mut links = vec![];
        self.applier.identity.settle(&mut links);
        self.links(links)
    }

    /// Writes a row, unless it says nothing new or something weaker than what is known; whether it was written.
    fn row(
        &mut self,
        table: usize,
        kind: TableKind,
        id: i64,
        grade: Grade,
        values: Vec<Value>,
        tentative: bool,
    ) -> Result<bool, ApplyError> {
        // A state's versions stand beside each other, told apart by their start.
        let start = match kind {
            TableKind::State => {
                let position = self.applier.tables[table].column("valid_from").unwrap_or(0);
                match values[position] {
                    Value::Integer(start) => start,
                    _ => i64::MIN,
                }
            }
            TableKind::Event | TableKind::Relation => 0,
        };
        let fresh = if self.applier.whole {
            let says = self.applier.digests.hash_one(&values);
            let known = self.applier.known.get(&(table, id));
            let version = known.and_then(|known| known.of(start));
            let said = version.is_some_and(|v| v.says == says && v.grade == grade);
            let outweighed = self.told && version.is_some_and(|v| v.grade > grade);
            let fresh = !(said || outweighed || (tentative && known.is_some()));
            if fresh {
                let version = Version { start, says, grade };
                match self.applier.known.entry((table, id)) {
                    Entry::Vacant(free) => {
                        free.insert(Known::One(version));
                    }
                    Entry::Occupied(mut known) => known.get_mut().add(version),
                }
            }
            fresh
        } else {
            self.is_news((table, kind, id, start), grade, &values, tentative)?
        };
        if !fresh {
            return Ok(false);
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
        if self.applier.taken_back.remove(&(table, id)) {
            // Taken back and said again in one document: the row before it gives way to this one, and this one stays.
            let retracted = &mut self.applier.batch.retracted;
            if let Some(at) = retracted.iter().rposition(|r| *r == (table, id, known_from)) {
                retracted.remove(at);
            }
        }
        if !self.applier.whole {
            self.applier.pending.insert((table, id, start), self.applier.batch.rows.len());
            self.applier.touched.insert((table, id));
        }
        self.applier.batch.rows.push((table, row));
        Ok(true)
    }

    /// Whether a row says something new, beside what the database and the batch hold.
    fn is_news(
        &mut self,
        (table, kind, id, start): (usize, TableKind, i64, i64),
        grade: Grade,
        values: &[Value],
        tentative: bool,
    ) -> Result<bool, ApplyError> {
        let pending = self.applier.pending.get(&(table, id, start)).copied();
        let current: Vec<Row> = match pending {
            Some(at) => vec![self.applier.batch.rows[at].1.clone()],
            None if self.applier.fresh.contains(&id) => vec![],
            None if self.applier.taken_back.contains(&(table, id)) => vec![],
            None => self.applier.records.current_rows(table, id)?,
        };
        if tentative && (!current.is_empty() || self.applier.touched.contains(&(table, id))) {
            return Ok(false);
        }
        // The same fact seen again says nothing new.
        if current.iter().any(|row| row.values == values && row.grade == grade) {
            return Ok(false);
        }
        // What somebody typed never takes the place of a source's own record, whichever came first; nor a file that of what was
        // corrected here by hand.
        let starts = self.applier.tables[table].column("valid_from");
        let same_version = |row: &&Row| match (kind, starts) {
            (TableKind::State, Some(at)) => row.values[at] == values[at],
            _ => true,
        };
        Ok(!(self.told && current.iter().find(same_version).is_some_and(|row| row.grade > grade)))
    }

    fn display(&mut self, about: &Key, field: &str, text: &str) -> Result<(), ApplyError> {
        let id = self.id(about)?;
        let text = match Value::from(text) {
            Value::Text(text) => text,
            _ => return Ok(()),
        };
        if about.kind == "account" {
            let kind = SAID.iter().find(|(said, _)| *said == field).map(|(_, kind)| *kind);
            if let Some(kind) = kind
                && self.said_first(kind, id, &text)?
            {
                let mut links = vec![];
                say(&mut self.applier.identity, kind, id, &text, &mut links);
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
                Link::Person { account, person, basis, from, to } => {
                    let id = self.intern_once("account_person", &window_key(account, from))?;
                    let values = vec![
                        Value::Integer(account),
                        Value::Integer(person),
                        basis.into(),
                        Value::Integer(from),
                        Value::Integer(to),
                    ];
                    self.row(persons, TableKind::Relation, id, Grade::System, values, false)?;
                }
                Link::Nobody { account, from } => {
                    let id = self.intern_once("account_person", &window_key(account, from))?;
                    self.retract(persons, id);
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
                    self.retract(alikes, id);
                }
            }
        }
        Ok(())
    }

    fn retract(&mut self, table: usize, id: i64) {
        let at = i64::try_from(self.entry).unwrap_or(i64::MAX) + 1;
        self.applier.batch.retracted.push((table, id, at));
        self.applier.taken_back.insert((table, id));
        self.applier.known.remove(&(table, id));
        self.applier.pending.remove(&(table, id, 0));
    }

    fn intern_once(&mut self, kind: &'static str, key: &str) -> Result<i64, ApplyError> {
        let key = Key::new(kind, "", key);
        self.id(&key)
    }
}

/// The key of an account's link that begins at an instant.
fn window_key(account: i64, from: i64) -> String {
    if from == Instant::BEGINNING.ms() { account.to_string() } else { format!("{account} {from}") }
}

/// Texts about accounts that say who is who, and the kind of entity by which a later start knows what was said.
const SAID: [(&str, &str); 5] = [
    ("email", "account_email"),
    ("name", "account_name"),
    ("login", "account_login"),
    ("sso_subject", "account_sso_subject"),
    ("employee_number", "account_employee_number"),
];

fn say(identity: &mut Identity, kind: &str, account: i64, text: &str, links: &mut Vec<Link>) {
    match kind {
        "account_email" => identity.email(account, text, links),
        "account_name" => identity.name(account, text, links),
        "account_sso_subject" => identity.key(account, Basis::SsoSubject, text.to_owned(), links),
        "account_employee_number" => identity.key(account, Basis::EmployeeNumber, text.to_owned(), links),
        _ => identity.login(account, text, links),
    }
}

/// The tables whose rows say who is who, with the places of their columns.
#[derive(Debug, Default)]
struct Telling {
    /// `employment`: account, number.
    employment: Option<(usize, [usize; 2])>,
    /// `mail_map`: two accounts.
    mail_map: Option<(usize, [usize; 2])>,
    /// `person_decision`: what, account, other account, from, to, decided at.
    decision: Option<(usize, [usize; 6])>,
}

impl Telling {
    fn of(tables: &[Table]) -> Self {
        fn find<const N: usize>(
            tables: &[Table],
            name: &str,
            columns: [&str; N],
        ) -> Option<(usize, [usize; N])> {
            let table = tables.iter().position(|t| t.name == name)?;
            let mut places = [0; N];
            for (place, column) in places.iter_mut().zip(columns) {
                *place = tables[table].column(column)?;
            }
            Some((table, places))
        }
        let decision = ["decision", "account", "other_account", "valid_from", "valid_to", "decided_at"];
        Self {
            employment: find(tables, "employment", ["account", "label"]),
            mail_map: find(tables, "mail_map", ["account", "other_account"]),
            decision: find(tables, "person_decision", decision),
        }
    }

    fn tables(&self) -> Vec<usize> {
        let (employment, mail_map) = (self.employment.map(|t| t.0), self.mail_map.map(|t| t.0));
        [employment, mail_map, self.decision.map(|t| t.0)].into_iter().flatten().collect()
    }

    fn concerns(&self, table: usize) -> bool {
        let is = |known: Option<usize>| known == Some(table);
        is(self.employment.map(|t| t.0)) || is(self.mail_map.map(|t| t.0)) || is(self.decision.map(|t| t.0))
    }

    /// What a row says of accounts, now that it is what holds.
    fn tell(&self, identity: &mut Identity, table: usize, row: i64, values: &[Value], links: &mut Vec<Link>) {
        let number = |at: usize| match values.get(at) {
            Some(Value::Integer(n)) => Some(*n),
            _ => None,
        };
        let text = |at: usize| match values.get(at) {
            Some(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        match (self.employment, self.mail_map, self.decision) {
            (Some((known, [account, label])), ..) if known == table => {
                let says = number(account)
                    .zip(text(label))
                    .map(|(account, label)| Stated::Key(Basis::EmployeeNumber, account, label.to_owned()));
                identity.stated(row, says, links);
            }
            (_, Some((known, [one, two])), _) if known == table => {
                let says =
                    number(one).zip(number(two)).map(|(one, two)| Stated::Pair(Basis::MailMap, one, two));
                identity.stated(row, says, links);
            }
            (.., Some((known, [said, account, other, from, to, at]))) if known == table => {
                let said = match text(said) {
                    Some("same") => Some(Said::Same),
                    Some("own") => Some(Said::Own),
                    Some("apart") => Some(Said::Apart),
                    _ => None,
                };
                let decision = said.zip(number(account)).map(|(said, account)| Decision {
                    said,
                    account,
                    other: number(other),
                    from: number(from).unwrap_or(Instant::BEGINNING.ms()),
                    to: number(to).unwrap_or(Instant::FOREVER.ms()),
                    at: number(at).unwrap_or(i64::MIN),
                });
                identity.decide(row, decision);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
