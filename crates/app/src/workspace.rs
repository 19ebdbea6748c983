//! The workspace, open: ledger, state, records, content, and the order in which they depend on each other.
//!
//! Appending to the ledger is the commit point. Records follow: [`Workspace::catch_up`] applies what is not applied yet,
//! whoever was interrupted when. Another derivation, other tables or other conventions build a new generation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;

use catalog::{Catalog, Problem};
use ledger::{Entropy, Folder, Kind, Leaf, Ledger, NewEntry};
use model::{Capture, Derived, Document, Instant, Receipt, Table};
use records::{Applied, Applier, Reading};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use store::records::{Address, Records, RecordsError};
use store::state::State;

use crate::config::Config;
use crate::controls::CONTROL;
use crate::demo;
use crate::error::AppError;
use crate::place::write_durably;

/// What reads a document: a pure function, called from several threads at once.
pub type Derive<'d> = dyn Fn(&Document<'_>) -> Derived + Sync + 'd;

/// What a workspace is opened with.
pub struct Opening {
    /// Its folder.
    pub folder: PathBuf,
    /// The key that wraps its keys.
    pub wrapping_key: [u8; 32],
    /// Randomness.
    pub entropy: Entropy,
    /// The conventions that derivations rest on. When they have changed they enter the ledger as a decision, and the
    /// records are built anew: rows stay a function of the ledger.
    pub conventions: Json,
    /// The time.
    pub now: Instant,
    /// Whether anything will be judged. Otherwise of the content only the tables are read.
    pub judging: bool,
}

/// An open workspace. One process at a time has it open for writing.
pub struct Workspace {
    /// Its folder.
    pub folder: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// Its content, and what is wrong with it.
    pub catalog: Catalog,
    /// What is wrong with the content. Broken files are left out; everything else works.
    pub content_problems: Vec<Problem>,
    pub(crate) ledger: Ledger,
    pub(crate) state: State,
    pub(crate) records: Records,
    /// Whether nothing that was yielded before is remembered: the other way to the same answers, for tests.
    pub(crate) anew: bool,
    /// Runs that were answered in part by what was remembered.
    pub(crate) remembered: usize,
    pub(crate) now: Instant,
}

/// What a workspace holds, for people.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Status {
    /// Entries acknowledged.
    pub acknowledged: u64,
    /// Entries under the signed checkpoint.
    pub published: u64,
    /// The signed checkpoint.
    pub checkpoint: String,
    /// The log's public key.
    pub vkey: String,
    /// Ledger position up to which the records are complete.
    pub applied: u64,
    /// Number of the records' generation.
    pub generation: u64,
}

const DATA: &str = "data";
const GENERATION: &str = "generation";
pub(crate) const BASIS: &str = "generation.basis";
/// The generation before, while it may still be there.
const FORMER: &str = "generation.former";
/// What this workspace's schemas are called on a server that others use, too.
const SCHEMA: &str = "generation.schema";
const CONVENTIONS: &str = "conventions";
/// Bytes of documents from which on a generation is built anew rather than added to: some hundred thousand rows.
const BULK: u64 = 16 << 20;

impl Workspace {
    /// Opens a workspace, making its data where there is none and finishing what a crash interrupted.
    ///
    /// # Errors
    /// A broken configuration, another process, a wrong key, damage, or a disk that cannot be written.
    pub fn open(opening: Opening) -> Result<Self, AppError> {
        let Opening { folder, wrapping_key, mut entropy, conventions, now, judging } = opening;
        let config = Config::read(&folder.join("tickmark.toml"))?;
        let data = folder.join(DATA);
        // The folder's lock comes first: two processes never see each other half done.
        let disk = Folder::open(&data)?;
        let state_path = data.join("state.db");
        let head = State::open(&state_path)?;
        let state = State::open(&state_path)?;
        if config.database.is_some() && state.setting(SCHEMA)?.is_none() {
            let mut name = [0; 4];
            entropy(&mut name).map_err(|e| AppError::Other(format!("the system gave no randomness: {e}")))?;
            state.set_setting(SCHEMA, Some(&format!("tickmark_{:08x}", u32::from_be_bytes(name))))?;
        }
        let mut ledger = Ledger::open(Arc::new(disk), Box::new(head), &wrapping_key, entropy)?;
        // Before anything else that is said: the first entry is what cannot be taken away.
        demo::mark(&mut ledger, &config, &folder, now)?;
        let content =
            catalog::read_folder(&folder.join("content")).map_err(AppError::file("read", &folder))?;
        let (catalog, content_problems) =
            if judging { Catalog::load(&content) } else { Catalog::load_tables(&content) };
        let vkey = data.join("log.vkey");
        if !vkey.is_file() {
            write_durably(&vkey, format!("{}\n", ledger.vkey()).as_bytes(), 0o644)?;
        }
        let text = conventions.to_string();
        if state.setting(CONVENTIONS)?.as_deref() != Some(&text) {
            let receipt = decision_receipt(CONVENTIONS, now);
            let decision = Capture { receipt, body: text.clone().into_bytes() };
            ledger.append(vec![new_entry(Kind::Decision, "tickmark".to_owned(), &decision)])?;
            // A crash here appends the same decision once more: harmless, it says the same.
            state.set_setting(CONVENTIONS, Some(&text))?;
        }
        let records = current_generation(&folder, &config, &state, &catalog)?;
        Ok(Self {
            folder,
            config,
            catalog,
            content_problems,
            ledger,
            state,
            records,
            anew: false,
            remembered: 0,
            now,
        })
    }

    /// The data folder.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        self.folder.join(DATA)
    }

    /// Entries in the ledger.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.ledger.committed()
    }

    /// Goes by this instant from now on: what is open for long is told the time before each act.
    pub const fn goes_by(&mut self, now: Instant) {
        self.now = now;
    }

    /// Appends captures: when this returns they are durable.
    ///
    /// # Errors
    /// The disk.
    pub fn append(&mut self, captures: &[Capture]) -> Result<std::ops::Range<u64>, AppError> {
        self.append_as(Kind::Capture, captures)
    }

    /// The receipt of something said in Tickmark itself.
    pub(crate) fn decision_receipt(&self, stream: &str) -> Receipt {
        decision_receipt(stream, self.now)
    }

    /// What a source is called in the open log. Its own name may name a person (`github:ann/app`), so it gets a number.
    fn pseudonym(&self, source: &str) -> Result<String, AppError> {
        let kind = source.split(':').next().unwrap_or(source);
        // Git's instance is a digest already; what is said here has no source.
        if matches!(kind, "git" | "tickmark") {
            return Ok(source.to_owned());
        }
        let key = format!("source:{source}");
        if let Some(number) = self.state.setting(&key)? {
            return Ok(format!("{kind}:{number}"));
        }
        let next = self.state.setting("sources")?.and_then(|n| n.parse::<u64>().ok()).map_or(1, |n| n + 1);
        self.state.set_setting("sources", Some(&next.to_string()))?;
        self.state.set_setting(&key, Some(&next.to_string()))?;
        Ok(format!("{kind}:{next}"))
    }

    /// What a source is called in the open log, where it ever gave anything.
    pub(crate) fn known_source(&self, source: &str) -> Result<Option<String>, AppError> {
        let kind = source.split(':').next().unwrap_or(source);
        Ok(self.state.setting(&format!("source:{source}"))?.map(|number| format!("{kind}:{number}")))
    }

    pub(crate) fn append_as(
        &mut self,
        kind: Kind,
        captures: &[Capture],
    ) -> Result<std::ops::Range<u64>, AppError> {
        let entries = captures
            .iter()
            .map(|capture| Ok(new_entry(kind, self.pseudonym(&capture.receipt.source)?, capture)))
            .collect::<Result<_, AppError>>()?;
        Ok(self.ledger.append(entries)?)
    }

    /// The ledger position that a question is asked at: everything applied, where none is named.
    pub(crate) fn position(&mut self, known_at: Option<u64>) -> Result<u64, AppError> {
        match known_at {
            Some(position) => Ok(position),
            None => self.applied(),
        }
    }

    /// How many ledger entries the records have seen.
    fn applied(&mut self) -> Result<u64, AppError> {
        Ok(u64::try_from(self.records.applied()?).unwrap_or(0))
    }

    /// Brings the records up to the ledger: applies every entry that is not applied yet.
    ///
    /// # Errors
    /// A document that cannot be read, or the database.
    pub fn catch_up(&mut self, derive: &Derive<'_>) -> Result<Applied, AppError> {
        let from = self.applied()?;
        let applied = if self.is_mostly_new(from)? {
            self.renew(from, derive)?
        } else {
            apply(&self.ledger, &mut self.records, from, derive)?
        };
        for cursor in &applied.cursors {
            let key = format!("cursor:{}:{}", cursor.source, cursor.stream);
            self.state.set_setting(&key, Some(&cursor.cursor.to_string()))?;
        }
        Ok(applied)
    }

    /// Whether most of what the ledger holds, and much of it, is yet to be applied.
    fn is_mostly_new(&self, from: u64) -> Result<bool, AppError> {
        let bytes = |entries: std::ops::Range<u64>| -> Result<u64, AppError> {
            let mut bytes = 0;
            for entry in entries {
                let leaf = self.ledger.leaf(entry)?;
                bytes += if gives_rows(&leaf) { leaf.size } else { 0 };
            }
            Ok(bytes)
        };
        if from == 0 {
            return Ok(false);
        }
        let new = bytes(from..self.ledger.size())?;
        Ok(new >= BULK && new >= bytes(0..from)?)
    }

    /// Builds the next generation instead of adding to this one: the same rows, and many of them faster, for a generation that
    /// is empty takes them without indexes.
    fn renew(&mut self, from: u64, derive: &Derive<'_>) -> Result<Applied, AppError> {
        let old = generation(&self.state)?;
        let number = old.map_or(1, |n| n + 1);
        let mut fresh = create(&self.folder, &self.config, &self.state, number, &self.catalog)?;
        let mut applied = apply(&self.ledger, &mut fresh, 0, derive)?;
        applied.problems.retain(|(entry, _)| *entry >= from);
        self.records = fresh;
        swap(&self.folder, &self.config, &self.state, &self.catalog, old, number)?;
        Ok(applied)
    }

    /// Builds the records anew from the ledger, beside the present ones, and swaps. Gives per table how many rows differ
    /// (added, gone).
    ///
    /// # Errors
    /// As [`Workspace::catch_up`].
    pub fn rebuild(&mut self, derive: &Derive<'_>) -> Result<BTreeMap<String, (usize, usize)>, AppError> {
        self.catch_up(derive)?;
        let number = generation(&self.state)?.map_or(1, |n| n + 1);
        let mut fresh = create(&self.folder, &self.config, &self.state, number, &self.catalog)?;
        apply(&self.ledger, &mut fresh, 0, derive)?;
        let mut differences = BTreeMap::new();
        let mut compared = |table: &str, before: &BTreeSet<String>, after: &BTreeSet<String>| {
            let difference = (after.difference(before).count(), before.difference(after).count());
            if difference != (0, 0) {
                differences.insert(table.to_owned(), difference);
            }
        };
        for (table, declared) in self.catalog.tables.iter().enumerate() {
            // Days and controls come from content, not from the ledger.
            if ["calendar_day", CONTROL].contains(&declared.name.as_str()) {
                continue;
            }
            let rows = |records: &mut Records| -> Result<BTreeSet<String>, RecordsError> {
                let mut all = BTreeSet::new();
                records.rows_known_at::<RecordsError>(table, i64::MAX - 1, |row| {
                    all.insert(format!("{row:?}"));
                    Ok(())
                })?;
                Ok(all)
            };
            compared(&declared.name, &rows(&mut self.records)?, &rows(&mut fresh)?);
        }
        // What numbers stand for, and what people read.
        compared("entity", &entities(&mut self.records)?, &entities(&mut fresh)?);
        compared("display", &displays(&mut self.records)?, &displays(&mut fresh)?);
        let old = generation(&self.state)?;
        self.records = fresh;
        swap(&self.folder, &self.config, &self.state, &self.catalog, old, number)?;
        Ok(differences)
    }

    /// Where a source's stream goes on.
    ///
    /// # Errors
    /// The state database.
    pub fn cursor(&self, source: &str, stream: &str) -> Result<Option<Json>, AppError> {
        let text = self.state.setting(&format!("cursor:{source}:{stream}"))?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Of a commit that landed as a change of `repository`: the latest committer's instant up to it.
    ///
    /// # Errors
    /// The database.
    pub fn landed(&mut self, repository: &str, commit: &str) -> Result<Option<Instant>, AppError> {
        let Some(table) = self.records.table("change") else { return Ok(None) };
        let Some(scope) = self.records.entity_id("repository", 0, repository)? else { return Ok(None) };
        let Some(id) = self.records.entity_id("change", scope, commit)? else { return Ok(None) };
        let Some(row) = self.records.current_row(table, id)? else { return Ok(None) };
        let declared = &self.records.tables()[table];
        let at = |name: &str| match declared.column(name).map(|p| &row.values[p]) {
            Some(model::Value::Integer(ms)) => *ms,
            _ => Instant::BEGINNING.ms(),
        };
        let merged_at = if at("merged_at") <= row.collected_at.ms() { at("merged_at") } else { i64::MIN };
        Ok(Some(Instant::from_ms(merged_at.max(at("landed_after")))))
    }

    /// What the workspace holds.
    ///
    /// # Errors
    /// The ledger or the databases.
    pub fn status(&mut self) -> Result<Status, AppError> {
        Ok(Status {
            acknowledged: self.ledger.committed(),
            published: self.ledger.size(),
            checkpoint: self.ledger.checkpoint()?,
            vkey: self.ledger.vkey(),
            applied: self.applied()?,
            generation: generation(&self.state)?.unwrap_or(0),
        })
    }

    /// The proof that entry `index` stands in the log, and the leaf's bytes.
    ///
    /// # Errors
    /// No such entry.
    pub fn proof(&self, index: u64) -> Result<(String, Vec<u8>), AppError> {
        Ok((self.ledger.proof(index)?, self.ledger.leaf(index)?.to_bytes()?))
    }

    /// The document of entry `index`.
    ///
    /// # Errors
    /// No such entry, or it was erased.
    pub fn document(&self, index: u64) -> Result<Vec<u8>, AppError> {
        Ok(self.ledger.document(index)?)
    }
}

fn entities(records: &mut Records) -> Result<BTreeSet<String>, RecordsError> {
    let mut all = BTreeSet::new();
    records.entities(None, |entity| {
        // Calendars and controls come from content when a procedure asks for them, not from the ledger.
        if !["calendar", CONTROL].contains(&entity.kind.as_str()) {
            all.insert(format!("{entity:?}"));
        }
    })?;
    Ok(all)
}

fn displays(records: &mut Records) -> Result<BTreeSet<String>, RecordsError> {
    let mut ids = BTreeSet::new();
    records.entities(None, |entity| {
        ids.insert(entity.id);
    })?;
    Ok(records.display(&ids)?.iter().map(|text| format!("{text:?}")).collect())
}

pub(crate) fn new_entry(kind: Kind, source: String, capture: &Capture) -> NewEntry {
    let receipt = &capture.receipt;
    NewEntry {
        kind,
        source,
        stream: receipt.stream.clone(),
        media_type: receipt.media_type.clone(),
        collected_at: receipt.collected_at,
        collector: receipt.collector.clone(),
        document: capture.to_document(),
    }
}

pub(crate) fn decision_receipt(stream: &str, now: Instant) -> Receipt {
    Receipt {
        source: "tickmark".into(),
        stream: stream.into(),
        media_type: "application/json".into(),
        collected_at: now,
        collector: "tickmark/1".into(),
        request: format!("{stream} of this workspace"),
        status: None,
        server_date: None,
        page: 0,
        coverage: None,
        cursor: None,
        context: Json::Null,
        redacted: vec![],
    }
}

fn apply(
    ledger: &Ledger,
    records: &mut Records,
    from: u64,
    derive: &Derive<'_>,
) -> Result<Applied, AppError> {
    let to = ledger.size();
    if from >= to {
        return Ok(Applied::default());
    }
    // An empty generation stays at position 0 until there is something to put into it: the first documents are then known
    // to meet nothing, which saves asking.
    let says_something = |index| ledger.leaf(index).is_ok_and(|leaf| gives_rows(&leaf));
    if from == 0 && !(from..to).any(says_something) {
        return Ok(Applied::default());
    }
    let mut applier = Applier::new(records)?;
    let tables: &[Table] = &applier.tables();
    let mut redacted = None;
    let documents = ledger.documents(from..to);
    // One thread opens the evidence and reads it, this one writes: each has about half of the work.
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(READ_AHEAD);
        scope.spawn(move || {
            for entry in documents {
                let read = entry.map_err(AppError::from).and_then(|entry| {
                    let gives_rows = gives_rows(&entry.leaf);
                    let document = entry.document.as_deref().filter(|_| gives_rows);
                    let reading =
                        document.map(|bytes| Reading::of(tables, entry.index, bytes, derive)).transpose()?;
                    Ok((entry.index, gives_rows, reading))
                });
                // Nobody listens any more after a failure.
                if sender.send(read).is_err() {
                    break;
                }
            }
        });
        for read in receiver {
            let (entry, gives_rows, mut reading) = read?;
            // A redacted copy speaks in the place of what it replaced, so that the order of what was said stays as it was.
            if !gives_rows {
                continue;
            }
            let mut index = entry;
            while reading.is_none() {
                // Only asked for when something is missing: it reads every leaf.
                let copies = match &redacted {
                    Some(copies) => copies,
                    None => redacted.insert(redactions(ledger, to)?),
                };
                let Some(copy) = copies.get(&index) else { break };
                index = *copy;
                let copy = ledger.documents(index..index + 1).next().transpose()?.and_then(|e| e.document);
                reading = copy.map(|bytes| Reading::of(tables, entry, &bytes, derive)).transpose()?;
            }
            // What was erased gives no rows any more.
            if let Some(reading) = reading {
                applier.take(reading)?;
            }
        }
        Ok(applier.finish(to)?)
    })
}

/// Whether rows are derived from an entry: what a source gave, and rows that a person entered. Other decisions of this program
/// have readers of their own.
pub(crate) fn gives_rows(leaf: &Leaf) -> bool {
    leaf.kind == Kind::Capture || (leaf.kind == Kind::Decision && leaf.stream.starts_with("decision."))
}

/// Documents that are read while others are written; each may be some megabytes.
const READ_AHEAD: usize = 4;

/// Which redacted copy took the place of which entry.
pub(crate) fn redactions(ledger: &Ledger, size: u64) -> Result<BTreeMap<u64, u64>, AppError> {
    let mut copies = BTreeMap::new();
    for index in 0..size {
        let leaf = ledger.leaf(index)?;
        if leaf.kind == Kind::Redaction
            && let Some(original) = leaf.concerns.first()
        {
            copies.insert(*original, index);
        }
    }
    Ok(copies)
}

fn generation(state: &State) -> Result<Option<u64>, AppError> {
    Ok(state.setting(GENERATION)?.and_then(|n| n.parse().ok()))
}

/// What the rows of a generation depend on besides the ledger: when it changes, another generation is due.
fn basis(state: &State, catalog: &Catalog) -> Result<String, AppError> {
    let mut hash = Sha256::new();
    hash.update(records::DERIVATION);
    hash.update([0]);
    hash.update(state.setting(CONVENTIONS)?.unwrap_or_default());
    hash.update([0]);
    hash.update(format!("{:?}", catalog.tables));
    Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

/// Opens the present generation, or makes an empty new one where there is none or it rests on something else.
fn current_generation(
    folder: &Path,
    config: &Config,
    state: &State,
    catalog: &Catalog,
) -> Result<Records, AppError> {
    let number = generation(state)?;
    if let Some(former) = state.setting(FORMER)?.and_then(|n| n.parse().ok()) {
        // What a crash left over. Named before the swap: the swap itself may not have happened.
        if number != Some(former) {
            remove(folder, config, state, former)?;
        }
        state.set_setting(FORMER, None)?;
    }
    if let Some(number) = number
        && state.setting(BASIS)?.as_deref() == Some(&basis(state, catalog)?)
    {
        match open(folder, config, state, number, catalog) {
            // A file that somebody deleted is built anew: that is what the ledger is for.
            Err(AppError::Records(RecordsError::Missing { .. } | RecordsError::OtherTables { .. })) => {}
            other => return other,
        }
    }
    let next = number.map_or(1, |n| n + 1);
    let records = create(folder, config, state, next, catalog)?;
    swap(folder, config, state, catalog, number, next)?;
    Ok(records)
}

/// Names the generation that counts from now on and removes the one before it. A crash at any point is finished by the
/// next start: it takes what counts for granted only once its basis is named, too.
fn swap(
    folder: &Path,
    config: &Config,
    state: &State,
    catalog: &Catalog,
    old: Option<u64>,
    new: u64,
) -> Result<(), AppError> {
    state.set_setting(FORMER, old.map(|n| n.to_string()).as_deref())?;
    state.set_setting(GENERATION, Some(&new.to_string()))?;
    state.set_setting(BASIS, Some(&basis(state, catalog)?))?;
    if let Some(old) = old {
        remove(folder, config, state, old)?;
        state.set_setting(FORMER, None)?;
    }
    Ok(())
}

/// Removes a generation, complete or not, wherever the workspace keeps or kept its records.
fn remove(folder: &Path, config: &Config, state: &State, number: u64) -> Result<(), AppError> {
    if let Some(address) = address(config, state, number)? {
        Records::remove_postgres(&address)?;
    }
    Ok(Records::remove_sqlite(&file(folder, number))?)
}

fn file(folder: &Path, number: u64) -> PathBuf {
    folder.join(DATA).join(format!("records-{number}.db"))
}

fn address(config: &Config, state: &State, number: u64) -> Result<Option<Address>, AppError> {
    let Some(database) = &config.database else { return Ok(None) };
    let name = state.setting(SCHEMA)?.unwrap_or_else(|| "tickmark".to_owned());
    Ok(Some(Address {
        writer: database.writer.clone(),
        reader: database.reader.clone(),
        schema: format!("{name}_{number}"),
    }))
}

fn open(
    folder: &Path,
    config: &Config,
    state: &State,
    number: u64,
    catalog: &Catalog,
) -> Result<Records, AppError> {
    Ok(match address(config, state, number)? {
        Some(address) => Records::open_postgres(&address, &catalog.tables)?,
        None => Records::open_sqlite(&file(folder, number), &catalog.tables)?,
    })
}

fn create(
    folder: &Path,
    config: &Config,
    state: &State,
    number: u64,
    catalog: &Catalog,
) -> Result<Records, AppError> {
    // One that a crash left half made.
    remove(folder, config, state, number)?;
    Ok(match address(config, state, number)? {
        Some(address) => Records::create_postgres(&address, &catalog.tables)?,
        None => Records::create_sqlite(&file(folder, number), &catalog.tables)?,
    })
}
