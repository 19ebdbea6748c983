//! Who is who, for people: the accounts of a person with the basis of each link, what was decided about them, and who only
//! looks like them.

use std::collections::{BTreeMap, BTreeSet};

use model::{Instant, Value};
use serde::Serialize;

use crate::access::{Alike, list};
use crate::error::AppError;
use crate::question::{integer, text};
use crate::workspace::Workspace;

/// A person as known at a position.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Person {
    /// Their number: that of the first account known of them.
    pub person: i64,
    /// What people call them.
    pub called: String,
    /// Every account that is or was theirs.
    pub accounts: Vec<PersonsAccount>,
    /// People who look alike, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alike: Vec<Alike>,
}

/// An account of a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PersonsAccount {
    /// The account's number.
    #[serde(skip)]
    pub id: i64,
    /// Its system and its key there, as `system:key`.
    pub account: String,
    /// What people call it.
    pub called: String,
    /// Why it is that person's.
    pub basis: String,
    /// From when.
    pub valid_from: Instant,
    /// Until when.
    pub valid_to: Instant,
    /// Ledger entry from which on that is known.
    pub entry: i64,
}

/// Two people who only look alike.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AlikePair {
    /// The one: their first account, as `system:key`.
    pub one: String,
    /// What people call them.
    pub one_called: String,
    /// The other.
    pub other: String,
    /// What people call them.
    pub other_called: String,
    /// Why: `same_name`, `same_local_part`.
    pub basis: Vec<String>,
    /// Pull requests to which one of them contributed and which the other approved: nobody can say whether independently.
    pub approvals: i64,
}

impl Workspace {
    /// Accounts that are called so: by address, login, name, key, or `system:key`.
    ///
    /// # Errors
    /// Nobody is called so, or the database.
    pub fn accounts_called(&mut self, who: &str, position: u64) -> Result<BTreeSet<i64>, AppError> {
        let records = &mut self.records;
        let mut found: BTreeSet<i64> =
            records.entities_by_key("account", who)?.iter().map(|e| e.id).collect();
        for kind in ["account_email", "account_login", "account_name"] {
            for spelling in [who.to_owned(), who.to_lowercase()] {
                found.extend(records.entities_by_key(kind, &spelling)?.iter().map(|e| e.scope));
            }
        }
        for (at, _) in who.match_indices(':') {
            if let Some(system) = records.entity_id("system", 0, &who[..at])? {
                found.extend(records.entity_id("account", system, &who[at + 1..])?);
            }
        }
        // What is said of an account later than the snapshot is not known yet.
        found.retain(|id| model::row_id_entry(*id) < position);
        if found.is_empty() {
            return Err(AppError::Other(format!(
                "nobody is known as `{who}` at ledger position {position}; name an e-mail address, a login or a full name as a source gives it"
            )));
        }
        Ok(found)
    }

    /// Everybody who is or was called so, with all their accounts, as known at a position (everything when absent).
    ///
    /// # Errors
    /// Nobody is called so, or the database.
    pub fn people(&mut self, who: &str, known_at: Option<u64>) -> Result<Vec<Person>, AppError> {
        let position = self.position(known_at)?;
        let accounts = self.accounts_called(who, position)?;
        let known_at = Some(position);
        let persons = self.numbers(
            &format!(
                "SELECT p.person AS person FROM account_person p WHERE p.account IN ({})",
                list(&accounts)
            ),
            known_at,
        )?;
        let mut people = vec![];
        for person in persons {
            let answer = self.query(
                &format!(
                    "SELECT p.account AS account, p.basis AS basis, p.valid_from AS valid_from, p.valid_to AS valid_to, \
                            p.entry AS entry \
                       FROM account_person p WHERE p.person = {person} ORDER BY p.account NULLS LAST, p.valid_from NULLS LAST"
                ),
                Instant::FOREVER,
                known_at,
            )?;
            let mut theirs = vec![];
            for row in &answer.rows {
                let (Some(id), Some(basis)) = (integer(row.first()), text(row.get(1))) else { continue };
                theirs.push(PersonsAccount {
                    id,
                    account: self.account_key(id)?,
                    called: self.called(id)?,
                    basis,
                    valid_from: Instant::from_ms(integer(row.get(2)).unwrap_or(0)),
                    valid_to: Instant::from_ms(integer(row.get(3)).unwrap_or(0)),
                    entry: integer(row.get(4)).unwrap_or(0),
                });
            }
            let answer = self.query(
                &format!(
                    "SELECT a.other_person AS other_person, a.basis AS basis FROM person_alike a WHERE a.person = {person}"
                ),
                Instant::FOREVER,
                known_at,
            )?;
            let mut alike: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
            for row in &answer.rows {
                if let (Some(other), Some(basis)) = (integer(row.first()), text(row.get(1))) {
                    alike.entry(other).or_default().insert(basis);
                }
            }
            let alike = alike
                .into_iter()
                .map(|(other, basis)| {
                    let person = format!("{} ({})", self.called(other)?, self.account_key(other)?);
                    Ok(Alike { person, basis: basis.into_iter().collect() })
                })
                .collect::<Result<_, AppError>>()?;
            people.push(Person { person, called: self.called(person)?, accounts: theirs, alike });
        }
        Ok(people)
    }

    /// Every two people who only look alike, those first on whom most approvals hang.
    ///
    /// # Errors
    /// The database.
    pub fn alike(&mut self, known_at: Option<u64>) -> Result<Vec<AlikePair>, AppError> {
        let answer = self.query(
            "SELECT a.person AS person, a.other_person AS other_person, a.basis AS basis FROM person_alike a \
              WHERE a.person < a.other_person",
            Instant::FOREVER,
            known_at,
        )?;
        let mut pairs: BTreeMap<(i64, i64), (BTreeSet<String>, i64)> = BTreeMap::new();
        for row in &answer.rows {
            if let (Some(one), Some(other), Some(basis)) =
                (integer(row.first()), integer(row.get(1)), text(row.get(2)))
            {
                pairs.entry((one, other)).or_default().0.insert(basis);
            }
        }
        let answer = self.query(
            "SELECT p.person AS person, q.person AS other_person, count(DISTINCT ap.pull_request) AS approvals \
               FROM approval ap JOIN account_person p ON p.account = ap.approver \
               JOIN contributor k ON k.pull_request = ap.pull_request JOIN account_person q ON q.account = k.account \
               JOIN person_alike l ON l.person = p.person AND l.other_person = q.person \
              GROUP BY p.person, q.person",
            Instant::FOREVER,
            known_at,
        )?;
        for row in &answer.rows {
            if let (Some(one), Some(other), Some(approvals)) =
                (integer(row.first()), integer(row.get(1)), integer(row.get(2)))
                && let Some(pair) = pairs.get_mut(&(one.min(other), one.max(other)))
            {
                pair.1 += approvals;
            }
        }
        let mut found = vec![];
        for ((one, other), (basis, approvals)) in pairs {
            found.push(AlikePair {
                one: self.account_key(one)?,
                one_called: self.called(one)?,
                other: self.account_key(other)?,
                other_called: self.called(other)?,
                basis: basis.into_iter().collect(),
                approvals,
            });
        }
        found.sort_by_key(|pair| std::cmp::Reverse(pair.approvals));
        Ok(found)
    }

    /// The instant that a decision made now is given: after every one before it, whatever the clock says.
    ///
    /// # Errors
    /// The database.
    pub fn decision_instant(&mut self, now: Instant) -> Result<Instant, AppError> {
        let last = self.numbers("SELECT max(d.decided_at) AS decided_at FROM person_decision d", None)?;
        Ok(last.last().map_or(now, |last| Instant::from_ms(now.ms().max(last + 1))))
    }

    /// The system and key of an account, by which it is known for good.
    ///
    /// # Errors
    /// The database.
    pub fn account_parts(&mut self, id: i64) -> Result<(String, String), AppError> {
        let entity = self.records.entity(id)?;
        let Some(entity) = entity else { return Ok((String::new(), id.to_string())) };
        let system = self.records.entity(entity.scope)?.map_or_else(String::new, |system| system.key);
        Ok((system, entity.key))
    }

    fn account_key(&mut self, id: i64) -> Result<String, AppError> {
        let (system, key) = self.account_parts(id)?;
        Ok(format!("{system}:{key}"))
    }

    /// What people call an entity: its address, login or name, else its key.
    pub(crate) fn called(&mut self, id: i64) -> Result<String, AppError> {
        let called = self.called_all(&BTreeSet::from([id]))?.remove(&id);
        Ok(called.unwrap_or_else(|| id.to_string()))
    }

    /// What people call each of many entities.
    pub(crate) fn called_all(&mut self, ids: &BTreeSet<i64>) -> Result<BTreeMap<i64, String>, AppError> {
        let texts = self.records.display(ids)?;
        let mut called = BTreeMap::new();
        for field in ["email", "login", "name"] {
            for text in texts.iter().filter(|t| t.field == field) {
                called.entry(text.id).or_insert_with(|| text.text.clone());
            }
        }
        let without: BTreeSet<i64> = ids.iter().copied().filter(|id| !called.contains_key(id)).collect();
        if !without.is_empty() {
            called.extend(self.records.entities_of(&without)?.into_iter().map(|e| (e.id, e.key)));
        }
        Ok(called)
    }

    /// The first column of a question, without what is unknown.
    fn numbers(&mut self, sql: &str, known_at: Option<u64>) -> Result<BTreeSet<i64>, AppError> {
        let answer = self.query(sql, Instant::FOREVER, known_at)?;
        let number = |row: &Vec<Value>| integer(row.first());
        Ok(answer.rows.iter().filter_map(number).collect())
    }
}
