//! Judging one open pull request by the same procedures, as if it merged now.
//!
//! A scratch generation holds what is known of accounts, the pull request's own documents and one supposed landing. It
//! lives beside the records for the time of the question, and nothing of it is kept.

use std::collections::BTreeMap;
use std::ops::Range;

use model::{Derived, Fact, FactValue, Grade, Instant, Key, Period, Value};
use records::Applier;
use store::records::{Batch, Records, RecordsError};

use crate::assessment::{Question, Report};
use crate::error::AppError;
use crate::workspace::{Derive, Workspace};

/// A pull request to be judged.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Key of its repository.
    pub repository: String,
    /// Its number.
    pub number: u64,
    /// Ledger entries that hold its documents.
    pub entries: Range<u64>,
    /// Per record table, why it could not be looked at; tables that are absent here were looked at completely.
    pub unseen: BTreeMap<String, String>,
    /// The time of the question.
    pub now: Instant,
}

/// The procedures that can judge a change before it lands.
const PROCEDURES: &[&str] = &["change_ticket", "change_independent_review", "change_tests"];
/// Tables whose rows are known before the pull request is looked at: those about accounts, and what is in force.
const KNOWN: &[&str] = &[
    "account",
    "account_person",
    "person_alike",
    "employment",
    "mail_map",
    "person_decision",
    "parameter_version",
    "control_version",
];
/// Tables the procedures read of a change.
const LOOKED_AT: &[&str] = &[
    "change",
    "change_pull_request",
    "pull_request",
    "contributor",
    "approval",
    "check_run",
    "required_check",
    "ticket_reference",
];

impl Workspace {
    /// Judges a pull request as if it merged now. Gives the report and the head it judged.
    ///
    /// # Errors
    /// Documents that name no such pull request, or the database.
    pub fn preview(&mut self, preview: &Preview, derive: &Derive<'_>) -> Result<(Report, String), AppError> {
        let path = self.data_folder().join("preview.db");
        let remove = || {
            for suffix in ["", "-wal", "-shm"] {
                // It may not exist; a left-over is replaced by the next question.
                let _ = std::fs::remove_file(path.with_file_name(format!("preview.db{suffix}")));
            }
        };
        remove();
        let mut scratch = Records::create_sqlite(&path, &self.catalog.tables)?;
        let result = self.fill_and_judge(&mut scratch, preview, derive);
        drop(scratch);
        remove();
        result
    }

    fn fill_and_judge(
        &mut self,
        scratch: &mut Records,
        preview: &Preview,
        derive: &Derive<'_>,
    ) -> Result<(Report, String), AppError> {
        let first = i64::try_from(preview.entries.start).unwrap_or(i64::MAX);
        let mut known = Batch { applied: first, ..Batch::default() };
        // Who is first named by the pull request's own documents gets a number again when those are read below.
        let before = model::row_id(preview.entries.start, 0).unwrap_or(i64::MAX);
        for kind in [
            "system",
            "account",
            "account_email",
            "account_name",
            "account_login",
            "account_sso_subject",
            "account_employee_number",
            "account_person",
            "person_alike",
        ] {
            self.records.entities(Some(kind), |e| known.entities.extend((e.id < before).then_some(e)))?;
        }
        for name in KNOWN {
            if let Some(table) = self.records.table(name) {
                self.records.rows_known_at::<RecordsError>(table, first, |row| {
                    known.rows.push((table, row));
                    Ok(())
                })?;
            }
        }
        scratch.apply(&known)?;

        let mut applier = Applier::new(scratch)?;
        for entry in self.ledger.documents(preview.entries.clone()) {
            let entry = entry?;
            if let Some(document) = &entry.document {
                applier.document(entry.index, document, derive)?;
            }
        }
        applier.finish(preview.entries.end)?;

        let (landing, head) = landing(scratch, preview)?;
        let receipt = self.decision_receipt("preview");
        let document = model::Capture { receipt, body: vec![] }.to_document();
        let mut applier = Applier::new(scratch)?;
        applier.document(preview.entries.end, &document, &|_| landing.clone())?;
        applier.finish(preview.entries.end + 1)?;

        let now =
            Period { from: preview.now, to: Instant::from_ms(preview.now.ms() + 1), tz: "UTC".to_owned() };
        let question = Question {
            repository: Some(preview.repository.clone()),
            procedures: PROCEDURES.iter().map(|p| (*p).to_owned()).collect(),
            ..Question::over(now, preview.now)
        };
        // The same procedures over the scratch: for the time of the question it stands in the records' place.
        std::mem::swap(&mut self.records, scratch);
        let report = self.assess(&question);
        std::mem::swap(&mut self.records, scratch);
        Ok((report?, head))
    }
}

/// The facts of the supposed landing: the pull request is merged, its head is the change.
fn landing(scratch: &mut Records, preview: &Preview) -> Result<(Derived, String), AppError> {
    let missing = || {
        AppError::Other(format!(
            "pull request {} of {} could not be read; check its number and what the token may see",
            preview.number, preview.repository
        ))
    };
    let table = scratch.table("pull_request").ok_or_else(missing)?;
    let scope = scratch.entity_id("repository", 0, &preview.repository)?.ok_or_else(missing)?;
    let id = scratch.entity_id("pull_request", scope, &preview.number.to_string())?.ok_or_else(missing)?;
    let row = scratch.current_row(table, id)?.ok_or_else(missing)?;
    let declared = scratch.tables()[table].clone();
    let value = |name: &str| declared.column(name).map_or(Value::Null, |at| row.values[at].clone());
    let mut entity = |name: &str, kind: &'static str| -> Result<Option<Key>, AppError> {
        let Value::Integer(id) = value(name) else { return Ok(None) };
        let Some(found) = scratch.entity(id)? else { return Ok(None) };
        let scope = match found.scope {
            0 => String::new(),
            scope => scratch.entity(scope)?.map(|e| e.key).unwrap_or_default(),
        };
        Ok(Some(Key { kind, scope, key: found.key }))
    };
    let head = entity("head", "revision")?.ok_or_else(missing)?;
    let author = entity("author", "account")?;
    let opened_at = match value("opened_at") {
        Value::Integer(ms) => FactValue::Integer(ms),
        _ => FactValue::Null,
    };
    let repository = Key::new("repository", "", preview.repository.as_str());
    let change = Key::new("change", preview.repository.as_str(), head.key.as_str());
    let pull_request = Key::new("pull_request", preview.repository.as_str(), preview.number.to_string());
    let now = preview.now;
    let fact = |table, about: Key, values| Fact { table, about, grade: Grade::System, values };
    let mut facts = vec![
        fact(
            "pull_request",
            pull_request.clone(),
            vec![
                ("repository", repository.clone().into()),
                ("label", format!("#{}", preview.number).into()),
                ("number", i64::try_from(preview.number).ok().into()),
                ("status", "merged".into()),
                ("author", author.clone().into()),
                ("head", head.clone().into()),
                ("opened_at", opened_at),
                ("merged_at", now.into()),
            ],
        ),
        fact(
            "change",
            change.clone(),
            vec![
                ("repository", repository.clone().into()),
                ("revision", head.clone().into()),
                ("label", head.key.as_str().into()),
                ("merged_at", now.into()),
                ("landed_after", now.into()),
                ("author", author.into()),
                ("parents", 1_i64.into()),
                ("signed", false.into()),
            ],
        ),
        fact(
            "change_pull_request",
            Key::new("change_pull_request", preview.repository.as_str(), "preview"),
            vec![("change", change.into()), ("pull_request", pull_request.into())],
        ),
    ];
    for table in LOOKED_AT {
        let unseen = preview.unseen.get(*table);
        facts.push(fact(
            "coverage",
            Key::new("coverage", preview.repository.as_str(), format!("preview {table}")),
            vec![
                ("scope", repository.clone().into()),
                ("relation", (*table).into()),
                ("covered_from", now.into()),
                ("covered_to", Instant::from_ms(now.ms() + 1).into()),
                ("status", if unseen.is_some() { "failed" } else { "complete" }.into()),
                ("reason", unseen.map(String::as_str).into()),
            ],
        ));
    }
    Ok((Derived { facts, ..Derived::default() }, head.key))
}
