//! What happens to evidence in a longer life: freezing, erasing, backup and restore.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use catalog::{Engine, written_out};
use ledger::{Confirmation, Entropy, Erasure, Folder, Kind};
use model::{Capture, Derived, Document, Instant, Receipt};
use serde::Serialize;
use serde_json::json;
use store::records::Entity;
use store::state::State;

use crate::assessment::Question;
use crate::error::AppError;
use crate::question::bindings;
use crate::workspace::Workspace;

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
        let position = match question.known_at {
            Some(position) => position,
            None => u64::try_from(self.records.applied()?).unwrap_or(0),
        };
        let procedures: Vec<_> = self
            .catalog
            .procedures
            .values()
            .filter(|p| question.procedures.is_empty() || question.procedures.contains(&p.id))
            .cloned()
            .collect();
        for procedure in &procedures {
            self.ensure_calendar(procedure, &question.period.tz)?;
        }
        let names: BTreeSet<String> = procedures
            .iter()
            .flat_map(|p| p.tables.iter().map(|t| t.name.clone()))
            .chain(["coverage".to_owned()])
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let frozen = records::freeze::freeze_tables(
            &mut self.records,
            &names,
            i64::try_from(position).unwrap_or(i64::MAX),
            folder,
        )
        .map_err(|e| AppError::Other(e.to_string()))?;
        let as_of = Instant::from_ms(question.period.to.ms().min(question.cutoff.ms().saturating_add(1)) - 1);
        let bindings = bindings(&question.period, as_of, question.cutoff, Some(position), BTreeMap::new());
        let mut queries = BTreeMap::new();
        for procedure in &procedures {
            let sql = written_out(&procedure.query, &bindings, Engine::DuckDb).map_err(AppError::Problems)?;
            let path = folder.join(format!("{}.sql", procedure.id));
            fs::write(&path, format!("{sql}\n")).map_err(AppError::file("write", &path))?;
            let hash: String = procedure.content_hash.iter().map(|b| format!("{b:02x}")).collect();
            queries.insert(procedure.id.clone(), hash);
        }
        let tables: BTreeMap<String, FrozenTable> = frozen
            .into_iter()
            .map(|f| (f.table, FrozenTable { rows: f.rows, root: f.root.to_string() }))
            .collect();
        let manifest = json!({
            "position": position,
            "from": question.period.from,
            "to": question.period.to,
            "tz": question.period.tz,
            "cutoff": question.cutoff,
            "tables": tables,
            "procedures": queries,
        });
        let text = manifest.to_string();
        let receipt = self.decision_receipt("freezes");
        let range = self.append_as(Kind::Freeze, &[Capture { receipt, body: text.clone().into_bytes() }])?;
        let path = folder.join("manifest.json");
        fs::write(&path, &text).map_err(AppError::file("write", &path))?;
        Ok(FrozenSet { position, entry: range.start, tables })
    }

    /// Erases documents: destroys their keys, records the order, and builds the records anew without them.
    ///
    /// # Errors
    /// An index outside, or the disk.
    pub fn erase(
        &mut self,
        indexes: Vec<u64>,
        order: &Order,
        derive: &dyn Fn(&Document<'_>) -> Derived,
    ) -> Result<Erased, AppError> {
        let documents = indexes.len();
        let entry = self.ledger.erase(&self.erasure(indexes, order))?;
        self.rebuild(derive)?;
        self.state.compact()?;
        Ok(Erased { documents, redacted: 0, entry: Some(entry) })
    }

    /// Erases one person from every document that names them: their addresses, names and logins are replaced by a pseudonym
    /// of the same length in a redacted copy, the key of the original is destroyed, and the records are built anew.
    ///
    /// # Errors
    /// Nobody with that address, or the disk.
    pub fn erase_person(
        &mut self,
        address: &str,
        order: &Order,
        derive: &dyn Fn(&Document<'_>) -> Derived,
    ) -> Result<Erased, AppError> {
        self.catch_up(derive)?;
        let values = self.values_of(address)?;
        if values.is_empty() {
            return Err(AppError::Other(format!(
                "nobody with the address or login `{address}` is known here; nothing was erased"
            )));
        }
        let mut affected = vec![];
        for index in 0..self.ledger.size() {
            let leaf = self.ledger.leaf(index)?;
            if !matches!(leaf.kind, Kind::Capture | Kind::Redaction) {
                continue;
            }
            // What was erased before has nothing to redact.
            let Ok(document) = self.ledger.document(index) else { continue };
            let Some(without) = redact(&document, &values) else { continue };
            // Before the first key is gone: whoever is called like a word of the format would take the format along.
            if !reads_alike(&document, &without, derive) {
                return Err(AppError::Other(format!(
                    "entry {index} cannot be read any more without `{address}`: a name or login of theirs is a word of its \
                     format; nothing was erased; erase the entries that name them as a whole"
                )));
            }
            affected.push(index);
        }
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
        self.state.compact()?;
        Ok(Erased { documents: redacted.len(), redacted: redacted.len(), entry })
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

    /// Everything a person is called in documents, by their address or login: all accounts of the same person.
    fn values_of(&mut self, address: &str) -> Result<BTreeSet<String>, AppError> {
        let wanted = address.trim().to_lowercase();
        let mut said: Vec<Entity> = vec![];
        for kind in ["account_email", "account_login", "account_name"] {
            self.records.entities(Some(kind), |e| said.push(e))?;
        }
        let mut accounts: BTreeSet<i64> = said
            .iter()
            .filter(|e| e.kind != "account_name" && e.key.to_lowercase() == wanted)
            .map(|e| e.scope)
            .collect();
        // The same person's other accounts.
        if let Some(table) = self.records.table("account_person") {
            let mut persons = BTreeMap::new();
            self.records.rows_known_at::<store::records::RecordsError>(table, i64::MAX - 1, |row| {
                if let [model::Value::Integer(account), model::Value::Integer(person), ..] = row.values[..] {
                    persons.insert(account, person);
                }
                Ok(())
            })?;
            let theirs: BTreeSet<i64> = accounts.iter().filter_map(|a| persons.get(a).copied()).collect();
            accounts.extend(persons.iter().filter(|(_, p)| theirs.contains(p)).map(|(a, _)| *a));
        }
        Ok(said.into_iter().filter(|e| accounts.contains(&e.scope)).map(|e| e.key).collect())
    }

    /// Copies ledger, keys, configuration and content to two folders: the evidence, and apart from it the keys, which have
    /// a shorter life. Run again on the same folders it adds what is new.
    ///
    /// # Errors
    /// The disk; or the ledger is not what its checkpoint says.
    pub fn backup(&self, data: &Path, keys: &Path) -> Result<String, AppError> {
        let inside = |folder: &Path| folder.starts_with(&self.folder);
        if inside(data) || inside(keys) || keys.starts_with(data) || data.starts_with(keys) {
            return Err(AppError::Other(
                "a backup lies outside the workspace, and its keys apart from its evidence; name two other folders".to_owned(),
            ));
        }
        let checkpoint = ledger::backup(
            &self.ledger.reader(),
            Arc::new(Folder::open(data)?),
            Arc::new(Folder::open(keys)?),
        )?;
        copy_tree(&self.folder.join("tickmark.toml"), &data.join("tickmark.toml"))?;
        copy_tree(&self.folder.join("content"), &data.join("content"))?;
        copy_tree(&self.data_folder().join("log.vkey"), &data.join("log.vkey"))?;
        Ok(checkpoint)
    }
}

/// Puts a backup into a new workspace and records who did it and why.
///
/// # Errors
/// A folder that holds a workspace already, a backup that is incomplete or altered, a wrong key.
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
    let backup_folder: Arc<dyn ledger::Disk> = Arc::new(Folder::open(backup)?);
    let backup_keys: Arc<dyn ledger::Disk> = Arc::new(Folder::open(keys)?);
    let restored = ledger::restore(
        &backup_folder,
        &backup_keys,
        Arc::new(folder),
        Box::new(head),
        wrapping_key,
        entropy,
        &word,
    )?;
    copy_tree(&backup.join("content"), &into.join("content"))?;
    copy_tree(&backup.join("log.vkey"), &data.join("log.vkey"))?;
    // Last: what makes it a workspace.
    copy_tree(&backup.join("tickmark.toml"), &into.join("tickmark.toml"))?;
    Ok(restored.size())
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), AppError> {
    if from.is_dir() {
        fs::create_dir_all(to).map_err(AppError::file("make the folder", to))?;
        for entry in fs::read_dir(from).map_err(AppError::file("read", from))? {
            let entry = entry.map_err(AppError::file("read", from))?;
            copy_tree(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else if from.is_file() {
        fs::copy(from, to).map_err(AppError::file("copy to", to))?;
    }
    Ok(())
}

/// The document with every value replaced by a pseudonym of the same length in bytes, so that sizes and offsets in it stay
/// true; `None` when it names none of them. Whole words only, in any case.
fn redact(document: &[u8], values: &BTreeSet<String>) -> Option<Vec<u8>> {
    let mut out = document.to_vec();
    let mut found = false;
    // Longer values first: an address before the name inside it.
    let mut values: Vec<&[u8]> = values.iter().map(|v| v.as_bytes()).filter(|v| !v.is_empty()).collect();
    values.sort_by_key(|v| std::cmp::Reverse(v.len()));
    for value in values {
        let mut at = 0;
        while at + value.len() <= out.len() {
            let word = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80);
            let here = out[at..at + value.len()].eq_ignore_ascii_case(value)
                && !(at > 0 && word(out.get(at - 1)) && word(value.first()))
                && !(word(out.get(at + value.len())) && word(value.last()));
            if here {
                pseudonym(&mut out[at..at + value.len()]);
                found = true;
                at += value.len();
            } else {
                at += 1;
            }
        }
    }
    found.then_some(out)
}

/// Whether a redacted copy still says as much as the original: as many facts in every table, and no new problem.
fn reads_alike(original: &[u8], copy: &[u8], derive: &dyn Fn(&Document<'_>) -> Derived) -> bool {
    let said = |bytes: &[u8]| {
        let document = Document::parse(bytes).ok()?;
        let derived = derive(&document);
        let mut tables: BTreeMap<&str, usize> = BTreeMap::new();
        // Two accounts of one person become one: their number may fall, nobody else's.
        for fact in derived.facts.iter().chain(&derived.tentative).filter(|f| f.table != "account") {
            *tables.entry(fact.table).or_default() += 1;
        }
        let Receipt { source, stream, collector, .. } = document.receipt;
        Some((tables, derived.problems.len(), source, stream, collector))
    };
    matches!((said(original), said(copy)), (Some(before), Some(after)) if before == after)
}

/// `ann@example.test` becomes `xxx@xxxxxxx.xxxx`: the shape stays, so that what was an address is still read as one. All who
/// are erased look alike afterwards: two of them can no longer be told apart, and are never independent of each other.
fn pseudonym(value: &mut [u8]) {
    for byte in value {
        if byte.is_ascii_alphanumeric() || *byte >= 0x80 {
            *byte = b'x';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(document: &str, values: &[&str], expect: Option<&str>) {
        let values = values.iter().map(|v| (*v).to_owned()).collect();
        let got = redact(document.as_bytes(), &values).map(|b| String::from_utf8(b).unwrap());
        assert_eq!(got.as_deref(), expect);
    }

    #[test]
    fn a_person_is_replaced_in_the_same_length() {
        check(
            "author Ann Lee <Ann@Example.test> 1 +0000",
            &["ann@example.test", "Ann Lee"],
            Some("author xxx xxx <xxx@xxxxxxx.xxxx> 1 +0000"),
        );
        check("author Jörg <j@x> 1", &["Jörg"], Some("author xxxxx <j@x> 1"));
    }

    #[test]
    fn a_copy_that_lost_its_format_is_noticed_before_a_key_is_gone() {
        let receipt: Receipt = serde_json::from_value(json!({
            "source": "git:1", "stream": "commits", "media_type": "text/plain", "collector": "git/1",
            "collected_at": "2025-01-01T00:00:00Z", "request": "ann", "context": { "author": "ann" },
        }))
        .unwrap();
        let document = Capture { receipt, body: b"author ann".to_vec() }.to_document();
        // A derivation that counts the body's words it knows.
        let derive = |d: &Document<'_>| {
            let known = String::from_utf8_lossy(d.body).contains("author");
            Derived {
                problems: (0..usize::from(!known)).map(|_| String::new()).collect(),
                ..Derived::default()
            }
        };
        let alike = |login: &str| {
            let copy = redact(&document, &BTreeSet::from([login.to_owned()])).unwrap();
            reads_alike(&document, &copy, &derive)
        };
        assert!(alike("ann"));
        // Words of the receipt, of its values, and of the body.
        for login in ["stream", "commits", "author"] {
            assert!(!alike(login), "{login}");
        }
    }

    #[test]
    fn words_that_only_contain_the_name_stay() {
        check("announce to Ann", &["ann"], Some("announce to xxx"));
        check("annex, mann", &["ann"], None);
    }
}
