//! Registers: the record tables whose rows people enter here, in plain words, with every version of a row and who said it.

use std::collections::{BTreeMap, BTreeSet};

use catalog::Catalog;
use model::{ColumnType, Instant, Row, Table, Value};
use serde::Serialize;

use crate::error::AppError;
use crate::members::permission::{Action, Reach, Resource};
use crate::members::{Actor, Refused, unfit};
use crate::question::integer;
use crate::record::{EnteredRows, HERE, SaidOf, Scribe};
use crate::workspace::Workspace;

/// Tables by what they are about, and whose permission it takes. A table of a workspace's own content is in none of them.
const GROUPS: &[(&str, Resource, &[&str])] = &[
    (
        "Vendors",
        Resource::Registers,
        &["vendor", "vendor_review", "vendor_contract", "vendor_letter", "vendor_access"],
    ),
    (
        "Risks",
        Resource::Registers,
        &[
            "risk",
            "risk_assessment",
            "risk_review",
            "risk_report",
            "significant_change",
            "control_evaluation",
            "deficiency",
            "deficiency_retest",
        ],
    ),
    ("Policies", Resource::Controls, &["policy_version", "policy_review", "policy_ack"]),
    (
        "Commitments",
        Resource::Programme,
        &["commitment", "commitment_review", "deal", "description_part", "product_part", "public_approval"],
    ),
    (
        "Incidents and alarms",
        Resource::Registers,
        &[
            "incident",
            "response_plan",
            "response_review",
            "notification",
            "alert",
            "alert_rule",
            "alert_rule_owner",
            "anomaly",
            "oncall_shift",
            "rota",
        ],
    ),
    (
        "Backup and continuity",
        Resource::Registers,
        &[
            "backup_job",
            "restore_test",
            "recovery_plan",
            "dr_test",
            "slo",
            "slo_exclusion",
            "slo_measurement",
            "capacity_limit",
            "capacity_review",
            "capacity_sample",
        ],
    ),
    (
        "Vulnerabilities",
        Resource::Registers,
        &[
            "vuln",
            "vuln_severity",
            "vuln_acceptance",
            "vuln_dismissal",
            "vuln_reopening",
            "scan_target",
            "scan_run",
            "endpoint",
            "endpoint_scan",
            "code_scan",
            "code_scan_judgement",
        ],
    ),
    (
        "Changes and releases",
        Resource::Registers,
        &[
            "emergency_change",
            "standing_approval",
            "pipeline",
            "release",
            "release_approval",
            "release_right",
            "release_right_holder",
            "release_right_review",
            "rollback",
            "rollout_step",
            "drift",
            "test_data",
            "quality_check",
        ],
    ),
    (
        "Systems and networks",
        Resource::Registers,
        &[
            "system",
            "cloud_resource",
            "cloud_region",
            "region_look",
            "resource_config",
            "asset_review",
            "network",
            "network_path",
            "network_path_approval",
            "net_rule",
            "net_rule_review",
            "log_source",
            "log_state",
            "detector_state",
            "source_origin",
            "mail_map",
        ],
    ),
    (
        "Devices and media",
        Resource::Registers,
        &["device", "device_state", "device_store_state", "media_disposal"],
    ),
    (
        "Keys and secrets",
        Resource::Registers,
        &["secret", "secret_rotation", "secret_exposure", "secret_leak", "leak_search"],
    ),
    (
        "Data",
        Resource::Registers,
        &[
            "data_asset",
            "data_flow",
            "data_holding",
            "data_use",
            "data_use_review",
            "use_review",
            "data_export",
            "export_rule",
            "retention_rule",
            "retention_hold",
            "retention_run",
            "store_reader",
            "store_review",
            "live_data_agreement",
            "delivery",
            "customer_exit",
            "customer_exit_store",
            "disclosure",
        ],
    ),
    (
        "Privacy",
        Resource::Registers,
        &[
            "privacy_notice",
            "privacy_notice_review",
            "privacy_review",
            "privacy_complaint",
            "consent",
            "dsr",
            "dsr_store",
            "impact_assessment",
            "personal_data_finding",
        ],
    ),
    (
        "Jobs and their data",
        Resource::Registers,
        &["job", "job_run", "job_attempt", "input_check", "output_check", "dataset_check", "reconciliation"],
    ),
    (
        "Models",
        Resource::Registers,
        &["model_version", "model_approval", "model_evaluation", "training_input", "inference_log"],
    ),
    (
        "People",
        Resource::People,
        &[
            "employment",
            "reporting_line",
            "leave_of_absence",
            "background_check",
            "agreement",
            "attestation",
            "appraisal",
            "training",
            "course_version",
            "role_course",
            "checklist_task",
        ],
    ),
    (
        "Access",
        Resource::People,
        &[
            "access_grant",
            "access_request",
            "account_owner",
            "account_exclusion",
            "account_checkout",
            "account_use",
            "mfa",
            "role_matrix",
            "sign_in",
            "sign_in_rule",
            "standing_privilege",
            "duty_conflict",
            "duty_exception",
        ],
    ),
];

/// Tables that people write by acts of their own, which check more than a row: not as a register.
const ELSEWHERE: &[&str] = &[
    "access_review",
    "control_owner",
    "control_test",
    "control_version",
    "criterion_decision",
    "design_conclusion",
    "deviation",
    "deviation_close",
    "deviation_retest",
    "deviation_triage",
    "evidence_file",
    "gap_acceptance",
    "parameter_version",
    "person_decision",
    "scope_rule",
    "waiver",
];

/// What tables of a workspace's own content are called together.
const OWN: &str = "Of this workspace";
/// Rows that are read of a table at most; whoever wants more asks for them in SQL.
pub const REGISTER_ROWS: usize = 10_000;

/// A table that people write.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Register {
    /// The table.
    pub table: String,
    /// What a row is.
    pub doc: String,
    /// What it is about, in plain words.
    pub group: &'static str,
    /// Whose permission it takes.
    pub resource: Resource,
}

/// A row of a register: what was said last about one thing, or one of the earlier versions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RegisterRow {
    /// Its key.
    pub key: String,
    /// What the key is unique within, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// Kind of what it is about.
    pub kind: String,
    /// Its ledger entry.
    pub entry: i64,
    /// When the ledger took it.
    pub at: Instant,
    /// How far it can be trusted.
    pub grade: &'static str,
    /// Its values, in the order of the table's columns; absent where unknown.
    pub values: Vec<Option<RegisterValue>>,
}

/// A value, as people write it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RegisterValue {
    /// In words.
    pub text: String,
    /// Of an account its system, of another entity its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Of another entity what its key is unique within.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// Of an instant, the instant.
    #[serde(skip)]
    pub at: Option<Instant>,
}

/// A version of a row, as somebody said it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RegisterVersion {
    /// Its ledger entry.
    pub entry: u64,
    /// When the ledger took it.
    pub at: Instant,
    /// Who entered it, where somebody did here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was said, by column.
    pub said: BTreeMap<String, String>,
}

/// The tables that people write, by what they are about.
#[must_use]
pub fn registers(catalog: &Catalog) -> Vec<Register> {
    let mut found: Vec<Register> =
        catalog.tables.iter().filter_map(|table| register_of(catalog, &table.name)).collect();
    let place = |register: &Register| {
        let group = GROUPS.iter().position(|(group, ..)| *group == register.group).unwrap_or(GROUPS.len());
        let table =
            GROUPS.get(group).and_then(|(_, _, tables)| tables.iter().position(|t| *t == register.table));
        (group, table, register.table.clone())
    };
    found.sort_by_key(place);
    found
}

/// A table as a register, where it is one: nobody writes into another by hand here.
#[must_use]
pub fn register_of(catalog: &Catalog, name: &str) -> Option<Register> {
    let table = catalog.table(name)?;
    let written = format!("decision.{name}");
    if ELSEWHERE.contains(&name) || !table.fed_by.contains(&written) {
        return None;
    }
    let group = GROUPS.iter().find(|(_, _, tables)| tables.contains(&name));
    let (group, resource) =
        group.map_or((OWN, Resource::Registers), |(group, resource, _)| (*group, *resource));
    Some(Register { table: name.to_owned(), doc: table.doc.clone(), group, resource })
}

impl Workspace {
    /// The rows of a table as they are known now, and whether there are more than [`REGISTER_ROWS`].
    ///
    /// # Errors
    /// The database.
    pub fn register_rows(&mut self, table: &str) -> Result<(Vec<RegisterRow>, bool), AppError> {
        let Some(at) = self.records.table(table) else { return Ok((vec![], false)) };
        let mut rows: Vec<Row> = vec![];
        let mut more = false;
        let read = self.records.rows_known_at::<Stopped>(at, i64::MAX - 1, |row| {
            if rows.len() == REGISTER_ROWS {
                more = true;
                return Err(Stopped::Full);
            }
            rows.push(row);
            Ok(())
        });
        match read {
            Ok(()) | Err(Stopped::Full) => {}
            Err(Stopped::By(error)) => return Err(error.into()),
        }
        let mut rows = self.in_words(at, &rows)?;
        rows.sort_by(|a, b| (&a.key, &a.within, a.entry).cmp(&(&b.key, &b.within, b.entry)));
        Ok((rows, more))
    }

    /// What is known now about one key: a row, or one per interval where the table has versions over time; of keys that are
    /// unique within something only, one for each.
    ///
    /// # Errors
    /// The database.
    pub fn register_row(&mut self, table: &str, key: &str) -> Result<Vec<RegisterRow>, AppError> {
        let Some(at) = self.records.table(table) else { return Ok(vec![]) };
        let mut rows = vec![];
        // A row is about an entity of another kind here and there, such as the account that was used.
        let kinds = [table, "account", "system", "repository", "person"];
        for kind in kinds {
            for entity in self.records.entities_by_key(kind, key)? {
                rows.extend(self.records.current_rows(at, entity.id)?);
            }
        }
        self.in_words(at, &rows)
    }

    /// Every version of a key that somebody entered here by hand, oldest first, with who said it and why.
    ///
    /// # Errors
    /// The ledger.
    pub fn register_history(&self, table: &str, key: &str) -> Result<Vec<RegisterVersion>, AppError> {
        let mut versions = vec![];
        for entered in self.entered(&format!("decision.{table}"))? {
            let context = &entered.receipt.context;
            let text = |name: &str| context[name].as_str().map(str::to_owned);
            for line in entered.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let values: BTreeMap<String, serde_json::Value> =
                    serde_json::from_slice(line).unwrap_or_default();
                let mut said: BTreeMap<String, String> = values
                    .into_iter()
                    .map(|(name, value)| {
                        (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                    })
                    .collect();
                if said.remove("key").as_deref() == Some(key) {
                    versions.push(RegisterVersion {
                        entry: entered.entry,
                        at: entered.receipt.collected_at,
                        by: text("by"),
                        reason: text("reason"),
                        said,
                    });
                }
            }
        }
        Ok(versions)
    }

    /// Enters a row of a register, as it is typed; the same key again is another version of it.
    ///
    /// # Errors
    /// No permission, no such register, a value that does not fit its column, nothing new, or something that was said after entry
    /// `seen` (0: there was nothing).
    #[expect(clippy::too_many_arguments, reason = "with what, who, where, what, why, and in view of what")]
    pub fn enter_register_row(
        &mut self,
        scribe: &Scribe<'_>,
        actor: Actor<'_>,
        table: &str,
        key: &str,
        words: &[String],
        reason: &str,
        seen: i64,
    ) -> Result<EnteredRows, Refused> {
        let register = register_of(&self.catalog, table);
        let register = register
            .ok_or_else(|| unfit(format!("there is no register `{table}`; look at the list of registers")))?;
        // Of a table as a whole nothing is anybody's own.
        let (action, resource) = (Action::Enter, register.resource);
        if actor.may(action, resource, scribe.now)? != Reach::Every {
            return Err(Refused::NotAllowed { action, resource });
        }
        let key = key.trim();
        for (what, text) in [("key", key), ("reason", reason.trim())] {
            if text.is_empty() {
                return Err(unfit(format!("the {what} is missing; write it")));
            }
        }
        self.catch_up(scribe.derive)?;
        match self.register_row(table, key)?.iter().map(|row| row.entry).max() {
            Some(_) if seen == 0 => {
                return Err(unfit(format!(
                    "there is `{key}` already; open it and change it, or choose another key"
                )));
            }
            last if last.unwrap_or(0) != seen => return Err(Refused::Changed { what: format!("`{key}`") }),
            _ => {}
        }
        let Some(declared) = self.catalog.table(table).cloned() else {
            return Err(unfit("there is no such table; look at the list of registers"));
        };
        let mut all = vec![format!("key={key}")];
        all.extend_from_slice(words);
        let tz = self.config.zone(None);
        let said = SaidOf { reason: reason.trim(), by: Some(actor.called()), covers: None, of: &[] };
        match self.enter_row(scribe, &declared, &all, &tz, &said) {
            Ok(Some(entered)) => Ok(entered),
            Ok(None) => Err(unfit(
                "that is known already, or a source's own record says otherwise and outweighs it; change something, or correct the source",
            )),
            // What is wrong with a value is its writer's to mend.
            Err(AppError::Other(why)) => Err(Refused::Unfit(why)),
            Err(error) => Err(error.into()),
        }
    }

    fn in_words(&mut self, table: usize, rows: &[Row]) -> Result<Vec<RegisterRow>, AppError> {
        let declared: Table = self.records.tables()[table].clone();
        let is_entity = |kind: ColumnType| matches!(kind, ColumnType::Account | ColumnType::Entity);
        let mut ids: BTreeSet<i64> = rows.iter().map(|row| row.id).collect();
        for row in rows {
            let cells = declared.columns.iter().zip(&row.values);
            ids.extend(
                cells.filter(|(column, _)| is_entity(column.kind)).filter_map(|(_, value)| integer(value)),
            );
        }
        let entities: BTreeMap<i64, _> =
            self.records.entities_of(&ids)?.into_iter().map(|entity| (entity.id, entity)).collect();
        let scopes: BTreeSet<i64> = entities.values().map(|e| e.scope).filter(|scope| *scope != 0).collect();
        let scopes: BTreeMap<i64, String> =
            self.records.entities_of(&scopes)?.into_iter().map(|e| (e.id, e.key)).collect();
        let said = |kind: ColumnType, value: &Value| -> Option<RegisterValue> {
            let plain = |text: String| RegisterValue { text, of: None, within: None, at: None };
            Some(match (kind, value) {
                (_, Value::Null) => return None,
                (_, Value::Text(text)) => plain(text.clone()),
                (ColumnType::Flag, Value::Integer(n)) => plain(if *n == 1 { "yes" } else { "no" }.to_owned()),
                (ColumnType::Instant, Value::Integer(ms)) => {
                    let at = Instant::from_ms(*ms);
                    let text = if at == Instant::FOREVER { "forever".to_owned() } else { at.to_string() };
                    RegisterValue { at: Some(at), ..plain(text) }
                }
                (ColumnType::Account | ColumnType::Entity, Value::Integer(id)) => {
                    let entity = entities.get(id)?;
                    let within = scopes.get(&entity.scope).cloned();
                    match kind {
                        ColumnType::Account => RegisterValue {
                            of: within.or(Some(HERE.to_owned())),
                            ..plain(entity.key.clone())
                        },
                        _ => RegisterValue {
                            of: Some(entity.kind.clone()),
                            within,
                            ..plain(entity.key.clone())
                        },
                    }
                }
                (_, Value::Integer(n)) => plain(n.to_string()),
            })
        };
        Ok(rows
            .iter()
            .filter_map(|row| {
                let about = entities.get(&row.id)?;
                Some(RegisterRow {
                    key: about.key.clone(),
                    within: scopes.get(&about.scope).cloned(),
                    kind: about.kind.clone(),
                    entry: row.entry,
                    at: row.collected_at,
                    grade: row.grade.word(),
                    values: declared
                        .columns
                        .iter()
                        .zip(&row.values)
                        .map(|(c, value)| said(c.kind, value))
                        .collect(),
                })
            })
            .collect())
    }
}

/// Why a walk through rows ended.
enum Stopped {
    Full,
    By(store::records::RecordsError),
}

impl From<store::records::RecordsError> for Stopped {
    fn from(error: store::records::RecordsError) -> Self {
        Self::By(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new table is put where it belongs, lest somebody write by a form what another act guards.
    #[test]
    fn every_table_that_people_write_has_its_place() {
        let (catalog, _) = Catalog::load_tables(&[]);
        let written: BTreeSet<&str> = catalog
            .tables
            .iter()
            .filter(|t| t.fed_by.contains(&format!("decision.{}", t.name)))
            .map(|t| t.name.as_str())
            .collect();
        let mut placed = BTreeMap::<&str, usize>::new();
        for table in GROUPS.iter().flat_map(|(_, _, tables)| *tables).chain(ELSEWHERE) {
            *placed.entry(table).or_default() += 1;
        }
        assert!(!written.is_empty());
        let placed_once: BTreeSet<&str> =
            placed.iter().filter(|(_, n)| **n == 1).map(|(table, _)| *table).collect();
        assert_eq!(placed_once, written, "each exactly once, and none that nobody writes");
    }

    #[test]
    fn what_an_act_of_its_own_guards_is_no_register() {
        let (catalog, _) = Catalog::load_tables(&[]);
        for guarded in ["deviation_close", "design_conclusion", "person_decision", "change", "none"] {
            assert_eq!(register_of(&catalog, guarded), None, "{guarded}");
        }
        let of = |table| register_of(&catalog, table).map(|register| register.resource);
        assert_eq!(of("vendor"), Some(Resource::Registers));
        assert_eq!(of("policy_version"), Some(Resource::Controls));
        assert_eq!(of("access_grant"), Some(Resource::People));
    }
}
