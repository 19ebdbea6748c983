//! What happens to evidence in a longer life: freezing, erasing, backup and restore.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use catalog::Engine;
use ledger::{Confirmation, Entropy, Erasure, Folder, Kind};
use model::{Capture, Instant, Period};
use serde::Serialize;
use serde_json::json;
use store::records::Entity;
use store::state::State;

use crate::assessment::Question;
use crate::error::AppError;
use crate::judging::{Plan, Run};
use crate::members;
use crate::place::write_durably;
use crate::redact::{Unfit, compare, named_in_utf16, redact};
use crate::versions::Window;
use crate::workspace::{BASIS, Derive, Workspace, gives_rows, redactions};

/// What a person is called whose erasure was begun and is not finished.
const ERASING: &str = "erasing";

/// What was frozen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FrozenSet {
    /// Ledger position of the snapshot.
    pub position: u64,
    /// Ledger entry that names the roots.
    pub entry: u64,
    /// Rows and row root per table.
    pub tables: BTreeMap<String, FrozenTable>,
}

/// A frozen table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FrozenTable {
    /// How many rows.
    pub rows: u64,
    /// Root over the canonical rows, base64.
    pub root: String,
}

/// What an erasure did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Erased {
    /// Documents whose keys were destroyed.
    pub documents: usize,
    /// Of those, replaced by a redacted copy.
    pub redacted: usize,
    /// Ledger entry that records the order.
    pub entry: Option<u64>,
}

/// Who orders something that cannot be undone, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// Legal basis, or reason.
    pub basis: String,
    /// Who approved it; a pseudonym, for it stands in the ledger.
    pub approver: String,
    /// When.
    pub at: Instant,
}

/// What a person is called.
struct Called {
    /// Addresses and logins nobody has.
    unknown: Vec<String>,
    /// Addresses, logins and names.
    values: BTreeSet<String>,
    /// Those of others who may be the same person.
    alike: Vec<String>,
}

impl Workspace {
    /// Freezes the tables that procedures read into a folder: Parquet, the queries as they run over it, and a manifest
    /// whose roots the ledger names.
    ///
    /// # Errors
    /// A folder that is not empty, or the disk or database.
    pub fn freeze(&mut self, question: &Question, folder: &Path) -> Result<FrozenSet, AppError> {
        if folder.read_dir().is_ok_and(|mut d| d.next().is_some()) {
            return Err(AppError::Other(format!(
                "`{}` is not empty; name a new folder to freeze into",
                folder.display()
            )));
        }
        fs::create_dir_all(folder).map_err(AppError::file("make the folder", folder))?;
        let position = self.position(question.known_at)?;
        let rules = self.scope_rules(position)?;
        let scope = rules.scope(&mut self.records, question.period.from, question.period.to)?;
        let procedures: Vec<_> = self
            .catalog
            .procedures
            .values()
            .filter(|p| question.procedures.is_empty() || question.procedures.contains(&p.id))
            .cloned()
            .collect();
        // What each part of the period is judged by; a procedure whose controls were not in force has none.
        let versions = self.versions(i64::try_from(position).unwrap_or(i64::MAX), question.cutoff)?;
        let mut queries = BTreeMap::new();
        let mut parts = BTreeMap::new();
        let mut texts = vec![];
        for procedure in &procedures {
            let hash: String = procedure.content_hash.iter().map(|b| format!("{b:02x}")).collect();
            queries.insert(procedure.id.clone(), hash);
            let plan = Plan::new(procedure.clone(), versions.windows(procedure), &question.period);
            let Ok(plan) = plan else { continue };
            let runs = plan.missing();
            let several = runs.len() > 1;
            let name = |at: usize| match several {
                true => format!("{}.{}.sql", procedure.id, at + 1),
                false => format!("{}.sql", procedure.id),
            };
            for (at, run) in runs.iter().enumerate() {
                self.ensure_content(procedure, &run.parameters, &question.period.tz)?;
                texts.push((
                    name(at),
                    self.written(procedure, run, question, position, &scope, Engine::DuckDb)?,
                ));
            }
            let of_part = |(days, window, of_part): &(Period, &Window, Vec<Run>)| {
                let files: Vec<_> = of_part
                    .iter()
                    .filter_map(|run| Some((runs.iter().position(|r| r == run)?, run)))
                    .map(|(at, run)| json!({ "sql": name(at), "parameters": run.parameters }))
                    .collect();
                json!({ "from": days.from, "to": days.to, "judged_by": files, "unclear": window.unclear })
            };
            parts.insert(procedure.id.clone(), plan.of_period().iter().map(of_part).collect::<Vec<_>>());
        }
        let names: BTreeSet<String> = procedures
            .iter()
            .flat_map(|p| p.tables.iter().map(|t| t.name.clone()))
            // What says where somebody looked, and what was in force.
            .chain(["coverage", "parameter_version", "control_version"].map(str::to_owned))
            .filter(|name| self.catalog.table(name).is_some())
            // What was decided goes along with what follows from it.
            .chain(
                ["scope_rule", "product_part"]
                    .map(str::to_owned)
                    .into_iter()
                    .filter(|_| !scope.out.is_empty()),
            )
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let frozen = records::freeze::freeze_tables(
            &mut self.records,
            &names,
            i64::try_from(position).unwrap_or(i64::MAX),
            &scope,
            folder,
        )
        .map_err(|e| AppError::Other(e.to_string()))?;
        for (name, sql) in texts {
            let path = folder.join(name);
            fs::write(&path, format!("{sql}\n")).map_err(AppError::file("write", &path))?;
        }
        let tables: BTreeMap<String, FrozenTable> = frozen
            .into_iter()
            .map(|f| (f.table, FrozenTable { rows: f.rows, root: f.root.to_string() }))
            .collect();
        let out: Vec<_> = scope
            .out
            .iter()
            .map(|o| json!({ "dimension": o.dimension, "subject": o.word, "out": o.windows }))
            .collect();
        let mut manifest = json!({
            "position": position,
            "from": question.period.from,
            "to": question.period.to,
            "tz": question.period.tz,
            "cutoff": question.cutoff,
            "tables": tables,
            "procedures": queries,
            "versions": parts,
            "scope": out,
        });
        if self.config.demo.is_some() {
            // Whoever is handed the folder has neither the ledger nor the banner.
            manifest["demo"] = json!(true);
        }
        let text = manifest.to_string();
        let receipt = self.decision_receipt("freezes");
        let range = self.append_as(Kind::Freeze, &[Capture { receipt, body: text.clone().into_bytes() }])?;
        let path = folder.join("manifest.json");
        fs::write(&path, &text).map_err(AppError::file("write", &path))?;
        Ok(FrozenSet { position, entry: range.start, tables })
    }

    /// Erases documents: destroys their keys, and those of the redacted copies that stand in for them, records the order,
    /// and builds the records anew without them.
    ///
    /// # Errors
    /// An index outside, documents that were all erased before, or the disk.
    pub fn erase(
        &mut self,
        indexes: Vec<u64>,
        order: &Order,
        derive: &Derive<'_>,
    ) -> Result<Erased, AppError> {
        let mut whole: BTreeSet<u64> = BTreeSet::new();
        let copies = redactions(&self.ledger, self.ledger.size())?;
        for index in indexes {
            self.ledger.leaf(index)?;
            whole.extend(std::iter::successors(Some(index), |index| copies.get(index).copied()));
        }
        let mut present = vec![];
        for index in whole {
            match self.ledger.document(index) {
                Err(ledger::Error::Erased { .. }) => {}
                // A damaged one can be erased, too.
                _ => present.push(index),
            }
        }
        if present.is_empty() {
            return Err(AppError::Other(
                "these documents were erased before; nothing was changed".to_owned(),
            ));
        }
        for index in &present {
            if let Some(why) = members::not_erasable(self, *index)? {
                return Err(AppError::Other(why));
            }
        }
        let documents = present.len();
        self.doubt_records()?;
        let entry = self.ledger.erase(&self.erasure(present, order))?;
        self.rebuild(derive)?;
        self.state.compact()?;
        Ok(Erased { documents, redacted: 0, entry: Some(entry) })
    }

    /// Erases a person from every document that names them: their addresses, names and logins are replaced by a pseudonym
    /// of the same length in a redacted copy, the key of the original is destroyed, and the records are built anew.
    ///
    /// What was cut short is finished by erasing the same person again: until it is done, the state database holds what
    /// they are called.
    ///
    /// # Errors
    /// An address nobody has, others who look like the same person (unless `apart` says that they are not), an order that
    /// names them itself, a document that nobody could read without them, or the disk.
    pub fn erase_person(
        &mut self,
        addresses: &[String],
        apart: bool,
        order: &Order,
        derive: &Derive<'_>,
    ) -> Result<Erased, AppError> {
        self.catch_up(derive)?;
        let unfinished = self.state.setting(ERASING)?;
        let unfinished: Option<BTreeSet<String>> = unfinished.and_then(|t| serde_json::from_str(&t).ok());
        let begun = unfinished.is_some();
        let mut values = unfinished.unwrap_or_default();
        let person = self.person(addresses)?;
        let known = |address: &String| values.iter().any(|v| v.to_lowercase() == *address);
        if let Some(unknown) = person.unknown.iter().find(|a| !known(a)) {
            return Err(AppError::Other(format!(
                "nobody with the address or login `{unknown}` is known here; nothing was erased"
            )));
        }
        // Their likeness is in their names: without it they would pass for independent of each other.
        if let (Some(other), false, false) = (person.alike.first(), apart, begun) {
            return Err(AppError::Other(format!(
                "`{other}` looks like the same person; nothing was erased; erase them together with another --person, or say \
                 --apart if it is somebody else"
            )));
        }
        values.extend(person.values);
        for text in [&order.basis, &order.approver] {
            let address = |v: &String| v.contains('@') && text.to_lowercase().contains(&v.to_lowercase());
            if values.iter().any(address) || redact(text.as_bytes(), &values).is_some() {
                return Err(AppError::Other(format!(
                    "`{text}` names the person, and would stand in the ledger; nothing was erased; say it without them"
                )));
            }
        }
        let mut affected = vec![];
        for index in 0..self.ledger.size() {
            let leaf = self.ledger.leaf(index)?;
            if !gives_rows(&leaf) && leaf.kind != Kind::Redaction {
                continue;
            }
            let document = match self.ledger.document(index) {
                Ok(document) => document,
                // What was erased before has nothing to redact.
                Err(ledger::Error::Erased { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            if named_in_utf16(&document, &values) {
                return Err(AppError::Other(format!(
                    "entry {index} names them in UTF-16, where nothing can be taken out alone; nothing was erased; erase it as a \
                     whole: tickmark ledger erase {index}"
                )));
            }
            let Some(without) = redact(&document, &values) else { continue };
            // Before the first key is gone: whoever is called like a word of the format would take the format along.
            compare(&document, &without, &values, derive).map_err(|unfit| {
                let why = match unfit {
                    Unfit::SaysLess => {
                        "cannot be read any more, or is about others, without them: what they are called is also a word of \
                         its format, or somebody else's name"
                    }
                    Unfit::StillNames => "names them in a way that cannot be taken out alone",
                };
                AppError::Other(format!(
                    "entry {index} {why}; nothing was erased; erase it as a whole: tickmark ledger erase {index}"
                ))
            })?;
            affected.push(index);
        }
        self.state.set_setting(ERASING, Some(&json!(values).to_string()))?;
        self.doubt_records()?;
        let mut redacted = vec![];
        for index in affected {
            if let Some(without) = redact(&self.ledger.document(index)?, &values) {
                self.ledger.redact(index, without)?;
                redacted.push(index);
            }
        }
        let entry = if redacted.is_empty() {
            None
        } else {
            // The keys are gone already; this entry says on whose order.
            let note = json!({
                "redacted": redacted, "legal_basis": order.basis, "approver": order.approver,
            });
            let receipt = self.decision_receipt("redactions");
            Some(
                self.append_as(Kind::Decision, &[Capture { receipt, body: note.to_string().into_bytes() }])?
                    .start,
            )
        };
        self.rebuild(derive)?;
        self.state.set_setting(ERASING, None)?;
        self.state.compact()?;
        Ok(Erased { documents: redacted.len(), redacted: redacted.len(), entry })
    }

    /// From here on the records hold what is to be erased: should this end in between, the next start builds them anew.
    fn doubt_records(&self) -> Result<(), AppError> {
        Ok(self.state.set_setting(BASIS, None)?)
    }

    fn erasure(&self, indexes: Vec<u64>, order: &Order) -> Erasure {
        Erasure {
            indexes,
            source: "tickmark".to_owned(),
            legal_basis: order.basis.clone(),
            approver: order.approver.clone(),
            key_backup_expires: None,
            at: order.at,
        }
    }

    /// What the persons with these addresses or logins are called in documents, by all accounts that are theirs for certain.
    fn person(&mut self, addresses: &[String]) -> Result<Called, AppError> {
        let mut said: Vec<Entity> = vec![];
        for kind in ["account_email", "account_login", "account_name"] {
            self.records.entities(Some(kind), |e| said.push(e))?;
        }
        let mut accounts = BTreeSet::new();
        let mut unknown = vec![];
        for address in addresses {
            let wanted = address.trim().to_lowercase();
            let theirs = said.iter().filter(|e| e.kind != "account_name" && e.key.to_lowercase() == wanted);
            let theirs: Vec<i64> = theirs.map(|e| e.scope).collect();
            if theirs.is_empty() {
                unknown.push(wanted);
            }
            accounts.extend(theirs);
        }
        // The same persons' other accounts, and those of whom nobody knows whether they are theirs.
        let mut persons: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
        for (account, person) in self.pairs("account_person")? {
            persons.entry(account).or_default().insert(person);
        }
        let theirs: BTreeSet<i64> =
            accounts.iter().filter_map(|a| persons.get(a)).flatten().copied().collect();
        accounts.extend(persons.iter().filter(|(_, p)| p.is_subset(&theirs)).map(|(a, _)| *a));
        let alike: BTreeSet<i64> = self
            .pairs("person_alike")?
            .into_iter()
            .filter(|(person, other)| theirs.contains(person) && !theirs.contains(other))
            .map(|(_, other)| other)
            .collect();
        // What others held, too, is theirs as well.
        let is_alike = |e: &&Entity| {
            persons
                .get(&e.scope)
                .is_some_and(|p| !p.is_subset(&theirs) && (!p.is_disjoint(&alike) || !p.is_disjoint(&theirs)))
        };
        Ok(Called {
            unknown,
            alike: said.iter().filter(is_alike).map(|e| e.key.clone()).collect(),
            values: said.iter().filter(|e| accounts.contains(&e.scope)).map(|e| e.key.clone()).collect(),
        })
    }

    /// The first two columns of a relation that holds now.
    fn pairs(&mut self, table: &str) -> Result<Vec<(i64, i64)>, AppError> {
        let mut pairs = vec![];
        if let Some(table) = self.records.table(table) {
            self.records.rows_known_at::<store::records::RecordsError>(table, i64::MAX - 1, |row| {
                if let [model::Value::Integer(one), model::Value::Integer(other), ..] = row.values[..] {
                    pairs.push((one, other));
                }
                Ok(())
            })?;
        }
        Ok(pairs)
    }

    /// Copies ledger, keys, configuration and content to two folders: the evidence, and apart from it the keys, which have
    /// a shorter life. Run again on the same folders it adds what is new.
    ///
    /// # Errors
    /// Folders that hold something else, the disk; or the ledger is not what its checkpoint says.
    pub fn backup(&self, data: &Path, keys: &Path) -> Result<String, AppError> {
        let (home, data, keys) = (real(&self.folder)?, real(data)?, real(keys)?);
        let inside = |folder: &Path| folder.starts_with(&home) || home.starts_with(folder);
        if inside(&data) || inside(&keys) || keys.starts_with(&data) || data.starts_with(&keys) {
            return Err(AppError::Other(
                "a backup lies outside the workspace, and its keys apart from its evidence; name two other folders".to_owned(),
            ));
        }
        for (folder, mark) in [(&data, "log.vkey"), (&keys, "keys/ring")] {
            let ours = match fs::read(folder.join(mark)) {
                Ok(found) => fs::read(self.data_folder().join(mark)).is_ok_and(|ours| ours == found),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                    folder.read_dir().map_or(true, |mut found| found.next().is_none())
                }
                Err(e) => return Err(AppError::file("read", &folder.join(mark))(e)),
            };
            if !ours {
                return Err(AppError::Other(format!(
                    "`{}` holds something else than a backup of this workspace; name a new folder",
                    folder.display()
                )));
            }
        }
        // The marks of the folders first, the head of the ledger last: a backup without it is none.
        for (folder, mark) in [(&data, "log.vkey"), (&keys, "keys/ring")] {
            let (from, to) = (self.data_folder().join(mark), folder.join(mark));
            let parent = to.parent().unwrap_or(folder);
            fs::create_dir_all(parent).map_err(AppError::file("make the folder", parent))?;
            mirror(&from, &to)?;
        }
        mirror(&self.folder.join("tickmark.toml"), &data.join("tickmark.toml"))?;
        mirror(&self.folder.join("content"), &data.join("content"))?;
        Ok(ledger::backup(
            &self.ledger.reader(),
            Arc::new(Folder::for_backup(&data)?),
            Arc::new(Folder::for_backup(&keys)?),
        )?)
    }
}

/// Puts a backup into a new workspace and records who did it and why. The workspace is there once it is whole and
/// everything in it was verified; until then it lies beside, under another name.
///
/// # Errors
/// A folder that holds something already, a backup that is incomplete or altered, a wrong key.
pub fn restore(
    backup: &Path,
    keys: &Path,
    into: &Path,
    wrapping_key: &[u8; 32],
    entropy: Entropy,
    order: &Order,
    newest_known: Option<String>,
) -> Result<u64, AppError> {
    if into.join("tickmark.toml").exists() {
        return Err(AppError::Exists { path: into.to_owned() });
    }
    let empty = match into.read_dir() {
        Ok(mut found) => found.next().is_none(),
        Err(e) => e.kind() == std::io::ErrorKind::NotFound,
    };
    if !empty {
        return Err(AppError::Other(format!(
            "`{}` is not empty; name a new folder to restore into",
            into.display()
        )));
    }
    for (folder, mark, help) in [
        (backup, "head.json", "name the folder that `tickmark backup` filled with evidence"),
        (keys, "keys/ring", "name the folder that `tickmark backup --keys` filled"),
    ] {
        if !folder.join(mark).is_file() {
            return Err(AppError::Other(format!(
                "`{}` holds no backup that was completed: there is no {mark}; {help}",
                folder.display()
            )));
        }
    }
    let into: PathBuf = into.components().collect();
    let name = into.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let unfinished = into.with_file_name(format!(".{name}.{}.restoring", std::process::id()));
    fs::create_dir_all(&unfinished).map_err(AppError::file("make the folder", &unfinished))?;
    let restored = restore_into(backup, keys, &unfinished, wrapping_key, entropy, order, newest_known)
        .and_then(|size| {
            fs::rename(&unfinished, &into).map_err(AppError::file("make the folder", &into))?;
            let parent = into.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            fs::File::open(parent).and_then(|f| f.sync_all()).map_err(AppError::file("write", parent))?;
            Ok(size)
        });
    if restored.is_err() {
        // What is refused leaves nothing; if that fails, too, it is only in the way of nobody.
        let _ = fs::remove_dir_all(&unfinished);
    }
    restored
}

fn restore_into(
    backup: &Path,
    keys: &Path,
    into: &Path,
    wrapping_key: &[u8; 32],
    entropy: Entropy,
    order: &Order,
    newest_known: Option<String>,
) -> Result<u64, AppError> {
    let data = into.join("data");
    let folder = Folder::open(&data)?;
    let head = State::open(&data.join("state.db"))?;
    let word = Confirmation {
        source: "tickmark".to_owned(),
        operator: order.approver.clone(),
        reason: order.basis.clone(),
        at: order.at,
        newest_known,
    };
    let from = |folder: &Path| -> Arc<dyn ledger::Disk> { Arc::new(Folder::for_reading(folder)) };
    let altered = |what: String| {
        AppError::Other(format!(
            "the backup is not what it was when it was made: {what}; restore another one"
        ))
    };
    let restored = ledger::restore(
        &from(backup),
        &from(keys),
        Arc::new(folder),
        Box::new(head),
        wrapping_key,
        entropy,
        &word,
    )
    .map_err(|error| match error {
        ledger::Error::Damaged { path, why } => altered(format!("`{path}` is damaged, {why}")),
        ledger::Error::Disk { path, source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            altered(format!("`{path}` is missing"))
        }
        ledger::Error::Log(error) => altered(error.to_string()),
        other => other.into(),
    })?;
    let (size, vkey) = (restored.size(), restored.vkey());
    drop(restored);
    fs::write(data.join("log.vkey"), format!("{vkey}\n")).map_err(AppError::file("write", &data))?;
    mirror(&backup.join("content"), &into.join("content"))?;
    mirror(&backup.join("tickmark.toml"), &into.join("tickmark.toml"))?;
    // By the auditor's own reading: what was copied is what the log commits to, and opens.
    let key = vkey.parse().map_err(|e: tlog::Error| AppError::Other(e.to_string()))?;
    let options = verify::Options { acknowledged: Some(size), ahead: false };
    verify::evidence(&verify::Folder::new(&data), &key, wrapping_key, options)
        .map_err(|refusal| altered(refusal.to_string()))?;
    Ok(size)
}

/// Makes `to` what `from` is: a file, or a folder with its files and no others; nothing where there is nothing.
fn mirror(from: &Path, to: &Path) -> Result<(), AppError> {
    if from.is_dir() {
        fs::create_dir_all(to).map_err(AppError::file("make the folder", to))?;
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(from).map_err(AppError::file("read", from))? {
            let name = entry.map_err(AppError::file("read", from))?.file_name();
            mirror(&from.join(&name), &to.join(&name))?;
            names.insert(name);
        }
        for entry in fs::read_dir(to).map_err(AppError::file("read", to))? {
            let name = entry.map_err(AppError::file("read", to))?.file_name();
            if !names.contains(&name) {
                remove(&to.join(&name))?;
            }
        }
    } else if from.is_file() {
        write_durably(to, &fs::read(from).map_err(AppError::file("read", from))?, 0o644)?;
    } else {
        remove(to)?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), AppError> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(AppError::file("remove", path)(e)),
        _ => Ok(()),
    }
}

/// The path without links and dots, of a folder that may not be there yet.
fn real(path: &Path) -> Result<PathBuf, AppError> {
    for there in path.ancestors() {
        if let Ok(real) = there.canonicalize() {
            let rest = path.strip_prefix(there).unwrap_or(Path::new(""));
            return Ok(if rest.as_os_str().is_empty() { real } else { real.join(rest) });
        }
    }
    Err(AppError::file("find", path)(std::io::Error::from(std::io::ErrorKind::NotFound)))
}
