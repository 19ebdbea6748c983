//! Who could do what on a date, as known then or later: through which grant or group, who approved it, when it was last
//! reviewed, when it ended, and what is not known.
//!
//! Grants belong to accounts. Which person stands behind an account is a link that has a basis and a time of its own; who
//! only looks alike is named beside, and never taken for the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use model::{Grade, Instant};
use serde::Serialize;
use store::records::Reader;

use crate::assessment::coverage;
use crate::error::AppError;
use crate::question::{Answer, integer, text};
use crate::workspace::Workspace;

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessQuestion {
    /// An e-mail address, login, name or account key.
    pub who: Option<String>,
    /// A system, by its label or key.
    pub system: Option<String>,
    /// A role, in the system's own word.
    pub role: Option<String>,
    /// The instant in the world.
    pub as_of: Instant,
    /// Ledger position whose knowledge counts; everything when absent.
    pub known_at: Option<u64>,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Access {
    /// The instant in the world.
    pub as_of: Instant,
    /// Ledger position of the snapshot.
    pub position: u64,
    /// Grants that held then, may have held, or had ended.
    pub grants: Vec<GrantReport>,
    /// People who may be the one asked about, and whose access is not listed here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub perhaps_also: Vec<Alike>,
    /// What is not known, in sentences.
    pub not_known: Vec<String>,
}

/// Whether a grant held at the instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// It did.
    Yes,
    /// Nobody can say whether it had ended.
    Unknown,
    /// It had ended.
    Ended,
}

/// One grant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct GrantReport {
    /// The system.
    pub system: String,
    /// The account, as people call it.
    pub account: String,
    /// What stands behind the account: `human`, `service` …; absent when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The person, as people call them; absent when no link says who it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Why the account is that person's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
    /// As what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether it can change what others may do; absent when nobody has said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privileged: Option<bool>,
    /// Whether it held at the instant.
    pub held: Held,
    /// From when it is known to hold.
    pub since: Instant,
    /// When it ended, as far as that is known at the snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
    /// `direct`, `group` or `jit`; absent when the source does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// The group or request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via_label: Option<String>,
    /// Who approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// When it was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Instant>,
    /// The last decision of a review about the account at this system, up to the instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed: Option<Reviewed>,
    /// When the person's last employment had ended, if it had by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<Instant>,
    /// Ledger entry of the grant.
    pub entry: i64,
    /// How far the evidence can be trusted.
    pub grade: Grade,
}

/// A review's decision.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Reviewed {
    /// When.
    pub at: Instant,
    /// What.
    pub decision: String,
    /// By whom; absent when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Somebody who may be the one asked about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Alike {
    /// As people call them.
    pub person: String,
    /// Why: `same_name`, `same_local_part`.
    pub basis: Vec<String>,
}

impl Workspace {
    /// Answers who had access.
    ///
    /// # Errors
    /// Nobody and nothing of that name, or the database.
    pub fn access(&mut self, question: &AccessQuestion) -> Result<Access, AppError> {
        let position = self.position(question.known_at)?;
        let at = question.as_of;
        let mut ask = Asking::new(self, at, position);
        let mut not_known = vec![];
        let mut wanted: Vec<String> = vec![];
        let mut perhaps_also = vec![];
        if let Some(who) = &question.who {
            let accounts = ask.workspace.accounts_called(who, position)?;
            let people = ask.people(&accounts)?;
            let mut all: BTreeSet<i64> = accounts.clone();
            for account in &accounts {
                if !people.contains_key(account) {
                    let name = ask.name(*account)?;
                    not_known.push(format!(
                        "which person stands behind `{name}`: other accounts of theirs may be missing here"
                    ));
                }
            }
            let persons: BTreeSet<i64> = people.values().map(|(person, _)| *person).collect();
            all.extend(ask.accounts_of_people(&persons)?);
            perhaps_also = ask.alike(&persons)?;
            wanted.push(format!("g.account IN ({})", list(&all)));
        }
        let mut systems: BTreeSet<i64> = BTreeSet::new();
        if let Some(system) = &question.system {
            systems = ask.systems(system)?;
            wanted.push(format!("g.system IN ({})", list(&systems)));
        }
        if let Some(role) = &question.role {
            wanted.push(format!("g.role = '{}'", role.replace('\'', "''")));
        }
        if wanted.is_empty() {
            return Err(AppError::Other(
                "nothing is asked; name somebody with --who, a system with --system or a role with --role"
                    .to_owned(),
            ));
        }
        // Of a system or a role only what held is of interest; of a person also what had ended.
        let ended =
            if question.who.is_some() { "" } else { " AND (g.valid_to > $as_of OR g.valid_to IS NULL)" };
        let grants = ask.grants(&format!("{}{ended}", wanted.join(" AND ")))?;
        if systems.is_empty() && question.who.is_some() {
            systems = ask.all_systems()?;
        }
        systems.extend(grants.iter().map(|(system, _)| *system));
        let known_at = i64::try_from(position).unwrap_or(i64::MAX - 1);
        let (seen, _) = coverage(&mut ask.workspace.records, known_at)?;
        for system in systems {
            if let Err(reason) = seen.seen(system, "access_grant", at, Grade::Asserted) {
                let name = ask.name(system)?;
                not_known.push(format!("who else had access to {name}: {reason}"));
            }
        }
        Ok(Access {
            as_of: at,
            position,
            grants: grants.into_iter().map(|(_, grant)| grant).collect(),
            perhaps_also,
            not_known,
        })
    }
}

/// Questions about one instant, as known at one position.
pub(crate) struct Asking<'w> {
    pub(crate) workspace: &'w mut Workspace,
    at: Instant,
    position: u64,
    /// What was asked for once: the same systems and people come again and again.
    names: BTreeMap<i64, String>,
    reader: Option<Reader>,
}

impl<'w> Asking<'w> {
    pub(crate) const fn new(workspace: &'w mut Workspace, at: Instant, position: u64) -> Self {
        Self { workspace, at, position, names: BTreeMap::new(), reader: None }
    }

    pub(crate) fn ask(&mut self, sql: &str) -> Result<Answer, AppError> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(self.workspace.records.reader()?),
        };
        self.workspace.query_by(reader, sql, self.at, Some(self.position))
    }

    /// The person behind each account, with the basis of the link.
    pub(crate) fn people(
        &mut self,
        accounts: &BTreeSet<i64>,
    ) -> Result<BTreeMap<i64, (i64, String)>, AppError> {
        if accounts.is_empty() {
            return Ok(BTreeMap::new());
        }
        let answer = self.ask(&format!(
            "SELECT p.account AS account, p.person AS person, p.basis AS basis FROM account_person p \
              WHERE p.account IN ({}) AND p.valid_from <= $as_of AND p.valid_to > $as_of",
            list(accounts)
        ))?;
        Ok(answer
            .rows
            .iter()
            .filter_map(|row| Some((integer(row.first())?, (integer(row.get(1))?, text(row.get(2))?))))
            .collect())
    }

    pub(crate) fn accounts_of_people(&mut self, people: &BTreeSet<i64>) -> Result<BTreeSet<i64>, AppError> {
        if people.is_empty() {
            return Ok(BTreeSet::new());
        }
        let answer = self.ask(&format!(
            "SELECT p.account AS account FROM account_person p \
              WHERE p.person IN ({}) AND p.valid_from <= $as_of AND p.valid_to > $as_of",
            list(people)
        ))?;
        Ok(answer.rows.iter().filter_map(|row| integer(row.first())).collect())
    }

    fn alike(&mut self, people: &BTreeSet<i64>) -> Result<Vec<Alike>, AppError> {
        if people.is_empty() {
            return Ok(vec![]);
        }
        let answer = self.ask(&format!(
            "SELECT a.other_person AS other_person, a.basis AS basis FROM person_alike a WHERE a.person IN ({})",
            list(people)
        ))?;
        let mut alike: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
        for row in &answer.rows {
            if let (Some(other), Some(basis)) = (integer(row.first()), text(row.get(1)))
                && !people.contains(&other)
            {
                alike.entry(other).or_default().insert(basis);
            }
        }
        self.learn(alike.keys().copied().collect())?;
        let named = alike.into_iter().map(|(other, basis)| {
            Ok(Alike { person: self.name(other)?, basis: basis.into_iter().collect() })
        });
        named.collect()
    }

    pub(crate) fn systems(&mut self, name: &str) -> Result<BTreeSet<i64>, AppError> {
        let quoted = name.replace('\'', "''");
        let answer =
            self.ask(&format!("SELECT s.id AS id FROM system_history s WHERE s.label = '{quoted}'"))?;
        let mut found: BTreeSet<i64> = answer.rows.iter().filter_map(|row| integer(row.first())).collect();
        found.extend(self.workspace.records.entities_by_key("system", name)?.iter().map(|e| e.id));
        if found.is_empty() {
            let known = self.ask("SELECT s.label AS label FROM system s ORDER BY s.label NULLS LAST")?;
            let known: Vec<String> = known.rows.iter().filter_map(|row| text(row.first())).collect();
            let there_are = if known.is_empty() {
                "none is known; feed the table `system`".to_owned()
            } else {
                format!("there are {}", known.join(", "))
            };
            return Err(AppError::Other(format!("no system is called `{name}`; {there_are}")));
        }
        Ok(found)
    }

    fn all_systems(&mut self) -> Result<BTreeSet<i64>, AppError> {
        let answer = self.ask("SELECT s.id AS id FROM system s")?;
        Ok(answer.rows.iter().filter_map(|row| integer(row.first())).collect())
    }

    /// Grants that began by the instant, those that held first.
    fn grants(&mut self, wanted: &str) -> Result<Vec<(i64, GrantReport)>, AppError> {
        let answer = self.ask(&format!(
            "SELECT g.system AS system, g.account AS account, g.role AS role, g.privileged AS privileged, g.valid_from AS valid_from, \
                    g.valid_to AS valid_to, g.via AS via, g.via_label AS via_label, g.approved_at AS approved_at, \
                    g.approved_by AS approved_by, g.entry AS entry, g.grade AS grade \
               FROM access_grant_history g WHERE {wanted} AND g.valid_from <= $as_of"
        ))?;
        let accounts: BTreeSet<i64> = answer.rows.iter().filter_map(|row| integer(row.get(1))).collect();
        let people = self.people(&accounts)?;
        let kinds = self.kinds(&accounts)?;
        let reviews = self.reviews(&accounts)?;
        let left = self.left(&people.values().map(|(person, _)| *person).collect())?;
        let mut named: BTreeSet<i64> = accounts;
        named.extend(people.values().map(|(person, _)| *person));
        named.extend(reviews.values().filter_map(|(.., by)| *by));
        named
            .extend(answer.rows.iter().flat_map(|row| [integer(row.first()), integer(row.get(9))]).flatten());
        self.learn(named)?;
        let mut grants = vec![];
        for row in &answer.rows {
            let (Some(system), Some(account)) = (integer(row.first()), integer(row.get(1))) else { continue };
            let until = integer(row.get(5)).map(Instant::from_ms);
            let person = people.get(&account);
            let approved_by = integer(row.get(9)).map(|id| self.name(id)).transpose()?;
            let reviewed = match reviews.get(&(account, system)) {
                Some((at, decision, by)) => Some(Reviewed {
                    at: *at,
                    decision: decision.clone(),
                    by: by.map(|id| self.name(id)).transpose()?,
                }),
                None => None,
            };
            grants.push((
                system,
                GrantReport {
                    system: self.name(system)?,
                    account: self.name(account)?,
                    kind: kinds.get(&account).cloned(),
                    person: person.map(|(person, _)| self.name(*person)).transpose()?,
                    basis: person.map(|(_, basis)| basis.clone()),
                    role: text(row.get(2)),
                    privileged: integer(row.get(3)).map(|n| n == 1),
                    held: match until {
                        None => Held::Unknown,
                        Some(until) if until <= self.at => Held::Ended,
                        Some(_) => Held::Yes,
                    },
                    since: Instant::from_ms(integer(row.get(4)).unwrap_or(0)),
                    until: until.filter(|until| *until < Instant::FOREVER),
                    via: text(row.get(6)),
                    via_label: text(row.get(7)),
                    approved_at: integer(row.get(8)).map(Instant::from_ms),
                    approved_by,
                    reviewed,
                    left: person.and_then(|(person, _)| left.get(person).copied()),
                    entry: integer(row.get(10)).unwrap_or(0),
                    grade: text(row.get(11)).and_then(|g| g.parse().ok()).unwrap_or(Grade::Asserted),
                },
            ));
        }
        grants.sort_by(|(_, a), (_, b)| {
            (a.held, &a.system, &a.account, a.since).cmp(&(b.held, &b.system, &b.account, b.since))
        });
        Ok(grants)
    }

    pub(crate) fn kinds(&mut self, accounts: &BTreeSet<i64>) -> Result<BTreeMap<i64, String>, AppError> {
        if accounts.is_empty() {
            return Ok(BTreeMap::new());
        }
        let answer = self.ask(&format!(
            "SELECT a.id AS id, a.kind AS kind FROM account_history a WHERE a.id IN ({}) \
                AND a.valid_from <= $as_of AND (a.valid_to > $as_of OR a.valid_to IS NULL)",
            list(accounts)
        ))?;
        Ok(answer.rows.iter().filter_map(|row| Some((integer(row.first())?, text(row.get(1))?))).collect())
    }

    /// The last decision per account and system, up to the instant.
    #[expect(clippy::type_complexity, reason = "account and system, to instant, decision and reviewer")]
    pub(crate) fn reviews(
        &mut self,
        accounts: &BTreeSet<i64>,
    ) -> Result<BTreeMap<(i64, i64), (Instant, String, Option<i64>)>, AppError> {
        if accounts.is_empty() {
            return Ok(BTreeMap::new());
        }
        let answer = self.ask(&format!(
            "SELECT i.account AS account, r.system AS system, i.decided_at AS decided_at, i.decision AS decision, i.reviewer AS reviewer \
               FROM access_review_item i JOIN access_review r ON r.id = i.review \
              WHERE i.account IN ({}) AND i.decided_at <= $as_of ORDER BY i.decided_at NULLS FIRST",
            list(accounts)
        ))?;
        // In order of time: the last one stays.
        Ok(answer
            .rows
            .iter()
            .filter_map(|row| {
                let key = (integer(row.first())?, integer(row.get(1))?);
                Some((key, (Instant::from_ms(integer(row.get(2))?), text(row.get(3))?, integer(row.get(4)))))
            })
            .collect())
    }

    /// When people's last employment had ended; nothing for those who have one, or of whom none is known.
    pub(crate) fn left(&mut self, people: &BTreeSet<i64>) -> Result<BTreeMap<i64, Instant>, AppError> {
        if people.is_empty() {
            return Ok(BTreeMap::new());
        }
        let answer = self.ask(&format!(
            "SELECT p.person AS person, max(COALESCE(e.ended_at, CAST({} AS BIGINT))) AS ended_at \
               FROM account_person p JOIN employment e ON e.account = p.account \
              WHERE p.person IN ({}) AND p.valid_from <= $as_of AND p.valid_to > $as_of \
                AND (e.started_at <= $as_of OR e.started_at IS NULL) GROUP BY p.person",
            Instant::FOREVER.ms(),
            list(people)
        ))?;
        Ok(answer
            .rows
            .iter()
            .filter_map(|row| Some((integer(row.first())?, Instant::from_ms(integer(row.get(1))?))))
            .filter(|(_, ended)| *ended <= self.at)
            .collect())
    }

    /// Asks at once for what people call many.
    pub(crate) fn learn(&mut self, mut ids: BTreeSet<i64>) -> Result<(), AppError> {
        ids.retain(|id| !self.names.contains_key(id));
        self.names.extend(self.workspace.called_all(&ids)?);
        Ok(())
    }

    pub(crate) fn name(&mut self, id: i64) -> Result<String, AppError> {
        if let Some(name) = self.names.get(&id) {
            return Ok(name.clone());
        }
        let name = self.workspace.called(id)?;
        self.names.insert(id, name.clone());
        Ok(name)
    }
}

pub(crate) fn list(ids: &BTreeSet<i64>) -> String {
    let mut text = String::new();
    for id in ids {
        // Writing to memory cannot fail.
        let _ = write!(text, "{}{id}", if text.is_empty() { "" } else { ", " });
    }
    text
}
