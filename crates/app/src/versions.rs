//! Versions of parameters and controls: what the records say was in force when, and the windows of time that follow.
//!
//! A version that was entered or approved after it began is known now and was not known then. In the time between both
//! readings are asked, and the worse verdict counts: a late entry can never make a deviation vanish.

use std::collections::{BTreeMap, BTreeSet};

use assess::{Knowledge, Version, changes, in_force};
use catalog::{Catalog, Procedure};
use model::{Instant, Period, Value};
use serde::Serialize;
use store::records::{Limits, RecordsError};

use crate::error::AppError;
use crate::question::{instant, integer};
use crate::workspace::Workspace;

/// The values a procedure runs with, all of its parameters.
pub(crate) type Parameters = BTreeMap<String, Value>;

/// How many combinations of values that contradict each other are tried: beyond that nothing is proven anyway.
const COMBINATIONS: usize = 16;

/// A version that takes no effect.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct SetAside {
    /// Its ledger entry.
    pub entry: i64,
    /// What it says.
    pub what: String,
    /// Why it takes no effect.
    pub why: String,
}

/// A control as a version says it is, from some instant on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ControlVersion {
    /// The control.
    pub control: String,
    /// `adopted`, `changed` or `retired`.
    pub change: String,
    /// From when.
    pub since: Instant,
    /// Ledger entry that says so.
    pub entry: i64,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// How often it operates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency: Option<String>,
    /// The role that owns it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_role: Option<String>,
}

/// A parameter of a procedure, with everything that is said of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ParameterReport {
    /// The procedure.
    pub procedure: String,
    /// The parameter.
    pub parameter: String,
    /// What it means.
    pub doc: String,
    /// Its value where no version says another.
    pub default: Value,
    /// Its value at the time of the question; several where nobody can say which.
    pub now: BTreeSet<Value>,
    /// Versions, in the order in which they begin.
    pub versions: Vec<ParameterVersion>,
}

/// A version of a parameter, as the ledger has it now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ParameterVersion {
    /// The value as it was typed.
    pub value: String,
    /// From when; absent when nobody says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Instant>,
    /// Until when, where it says so or nobody knows (then it is absent, too).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Instant>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Account of who approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// When it was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Instant>,
    /// When it was entered.
    pub entered_at: Instant,
    /// Its ledger entry.
    pub entry: i64,
    /// Why it takes no effect, where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<String>,
}

/// A window of time in which the same versions are in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Window {
    pub(crate) from: Instant,
    pub(crate) to: Instant,
    /// What it is judged by. The first is what is known now.
    pub(crate) sets: Vec<Parameters>,
    /// Why nobody can say what was in force.
    pub(crate) unclear: Option<String>,
    /// What was known then and is not known any more, or the other way round.
    pub(crate) note: Option<String>,
    /// Whether a control that the procedure tests was in force, by what was known then or by what is known now.
    pub(crate) in_force: bool,
    /// Versions of controls that hold, by what is known now.
    pub(crate) controls: Vec<ControlVersion>,
    /// Ledger entries of the versions of parameters that hold.
    pub(crate) entries: BTreeSet<i64>,
}

/// A row of one of the tables of versions.
struct Told {
    id: i64,
    entry: i64,
    collected_at: Instant,
    known_from: i64,
    /// When a correction took its place; [`Instant::FOREVER`] while none has.
    known_to: Instant,
    columns: BTreeMap<String, Value>,
}

impl Told {
    fn text(&self, name: &str) -> Option<&str> {
        match self.columns.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn instant(&self, name: &str) -> Option<Instant> {
        instant(self.columns.get(name))
    }

    fn account(&self, name: &str) -> Option<i64> {
        integer(self.columns.get(name))
    }

    fn is_current(&self) -> bool {
        self.known_to == Instant::FOREVER
    }

    /// Why nothing can be in force by it, whatever it says; else from when it counts.
    fn counts_from(&self, cutoff: Instant) -> Result<Instant, String> {
        let (Some(_), Some(approved_at)) = (self.account("approved_by"), self.instant("approved_at")) else {
            return Err("nobody is known to have approved it".to_owned());
        };
        if approved_at > cutoff {
            return Err("it was approved after the last instant that counts".to_owned());
        }
        Ok(approved_at.max(self.collected_at))
    }

    fn version<T>(&self, value: T, known_from: Instant, to: Option<Instant>) -> Result<Version<T>, String> {
        let from = self.instant("valid_from");
        if let (Some(from), Some(to)) = (from, to)
            && to <= from
        {
            return Err("it ends before it begins".to_owned());
        }
        Ok(Version { value, from, to, known_from, known_to: self.known_to })
    }
}

/// Versions of one thing, with the rows that say them.
struct History<T> {
    versions: Vec<Version<T>>,
    rows: Vec<Told>,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self { versions: vec![], rows: vec![] }
    }
}

/// Every version that can count at a snapshot.
pub(crate) struct Versions {
    parameters: BTreeMap<String, BTreeMap<String, History<Value>>>,
    /// Whether the control is in force.
    controls: BTreeMap<String, History<bool>>,
    /// By the procedure they are about; under no name those about none there is.
    pub(crate) set_aside: BTreeMap<String, Vec<SetAside>>,
    cutoff: Instant,
}

impl Workspace {
    /// Every version known at a ledger position, of which what was approved up to `cutoff` counts.
    pub(crate) fn versions(&mut self, known_at: i64, cutoff: Instant) -> Result<Versions, AppError> {
        let mut versions = Versions {
            parameters: BTreeMap::new(),
            controls: BTreeMap::new(),
            set_aside: BTreeMap::new(),
            cutoff,
        };
        for row in self.told("parameter_version", known_at)? {
            versions.parameter(&self.catalog, row);
        }
        for row in self.told("control_version", known_at)? {
            versions.control(&self.catalog, row);
        }
        for list in versions.set_aside.values_mut() {
            list.sort();
        }
        Ok(versions)
    }

    /// Parameters of the procedures with these ids, of all when there is none, and their versions.
    ///
    /// # Errors
    /// No such procedure, or the database.
    pub fn parameters(&mut self, ids: &[String], now: Instant) -> Result<Vec<ParameterReport>, AppError> {
        let everything = i64::MAX - 1;
        let versions = self.versions(everything, now)?;
        let rows = self.told("parameter_version", everything)?;
        let accounts: BTreeSet<i64> = rows.iter().filter_map(|row| row.account("approved_by")).collect();
        let names: BTreeMap<i64, String> =
            self.records.entities_of(&accounts)?.into_iter().map(|e| (e.id, e.key)).collect();
        let mut reports = vec![];
        for id in ids {
            self.catalog.procedure(id).map_err(|p| AppError::Other(p.said()))?;
        }
        let asked = |p: &&Procedure| ids.is_empty() || ids.contains(&p.id);
        for procedure in self.catalog.procedures.values().filter(asked) {
            let held = versions.windows(procedure);
            let held = &held[window_at(&held, now)];
            for parameter in procedure.parameters.values() {
                let about = |row: &&Told| {
                    row.is_current()
                        && row.text("procedure") == Some(&procedure.id)
                        && row.text("parameter") == Some(&parameter.name)
                };
                let aside = versions.set_aside.get(&procedure.id);
                let mut told: Vec<ParameterVersion> = rows
                    .iter()
                    .filter(about)
                    .map(|row| ParameterVersion {
                        value: row.text("value").unwrap_or_default().to_owned(),
                        valid_from: row.instant("valid_from"),
                        valid_to: row.instant("valid_to"),
                        reason: row.text("reason").map(str::to_owned),
                        approved_by: row.account("approved_by").and_then(|id| names.get(&id).cloned()),
                        approved_at: row.instant("approved_at"),
                        entered_at: row.collected_at,
                        entry: row.entry,
                        set_aside: aside
                            .and_then(|list| list.iter().find(|a| a.entry == row.entry))
                            .map(|a| a.why.clone()),
                    })
                    .collect();
                told.sort_by_key(|v| (v.valid_from, v.entry));
                reports.push(ParameterReport {
                    procedure: procedure.id.clone(),
                    parameter: parameter.name.clone(),
                    doc: parameter.doc.clone(),
                    default: parameter.default.clone(),
                    now: held.sets.iter().filter_map(|set| set.get(&parameter.name).cloned()).collect(),
                    versions: told,
                });
            }
        }
        Ok(reports)
    }

    /// Every row of a table known at a position, those that were corrected since among them.
    fn told(&mut self, table: &str, known_at: i64) -> Result<Vec<Told>, AppError> {
        let Some(number) = self.records.table(table) else { return Ok(vec![]) };
        // Most workspaces have none, and what was corrected has a row that took its place.
        let mut any = false;
        self.records.rows_known_at::<RecordsError>(number, known_at, |_| {
            any = true;
            Ok(())
        })?;
        if !any {
            return Ok(vec![]);
        }
        let names: Vec<String> =
            self.records.tables()[number].columns.iter().map(|c| c.name.clone()).collect();
        let sql = format!(
            "SELECT id, entry, collected_at, known_from, superseded_at, {} FROM {table}_row \
             WHERE known_from <= {known_at} ORDER BY id, known_from, place",
            names.join(", ")
        );
        let mut reader = self.records.reader()?;
        let (_, rows) = reader
            .collect(&sql, &Limits::default())
            .map_err(|source| AppError::Run { what: format!("the history of `{table}`"), source })?;
        let mut told = vec![];
        let mut superseded = vec![];
        for row in rows {
            let [
                Value::Integer(id),
                Value::Integer(entry),
                Value::Integer(collected_at),
                Value::Integer(known_from),
                Value::Integer(superseded_at),
                columns @ ..,
            ] = row.as_slice()
            else {
                continue;
            };
            superseded.push(*superseded_at);
            told.push(Told {
                id: *id,
                entry: *entry,
                collected_at: Instant::from_ms(*collected_at),
                known_from: *known_from,
                known_to: Instant::FOREVER,
                columns: names.iter().cloned().zip(columns.iter().cloned()).collect(),
            });
        }
        let collected: BTreeMap<(i64, i64), Instant> =
            told.iter().map(|t| ((t.id, t.known_from), t.collected_at)).collect();
        for (row, superseded_at) in told.iter_mut().zip(superseded) {
            if superseded_at <= known_at {
                row.known_to = collected.get(&(row.id, superseded_at)).copied().unwrap_or(row.collected_at);
            }
        }
        Ok(told)
    }
}

impl Versions {
    fn aside(&mut self, procedure: &str, row: &Told, what: String, why: String) {
        // What was corrected says nothing any more.
        if row.is_current() {
            let list = self.set_aside.entry(procedure.to_owned()).or_default();
            list.push(SetAside { entry: row.entry, what, why });
        }
    }

    fn parameter(&mut self, catalog: &Catalog, row: Told) {
        let (Some(procedure), Some(name), Some(text)) =
            (row.text("procedure"), row.text("parameter"), row.text("value"))
        else {
            return;
        };
        let (procedure, name) = (procedure.to_owned(), name.to_owned());
        let what = format!("`{name}` of {procedure} is {text}");
        let about = if catalog.procedures.contains_key(&procedure) { procedure.as_str() } else { "" };
        let read = row.counts_from(self.cutoff).and_then(|known_from| {
            let value = catalog.parameter_value(&procedure, &name, text).map_err(|p| p.said())?;
            row.version(value, known_from, row.instant("valid_to"))
        });
        match read {
            Ok(version) => {
                let history = self.parameters.entry(procedure).or_default().entry(name).or_default();
                history.versions.push(version);
                history.rows.push(row);
            }
            Err(why) => self.aside(about, &row, what, why),
        }
    }

    fn control(&mut self, catalog: &Catalog, row: Told) {
        let (Some(control), Some(change)) = (row.text("control"), row.text("change")) else { return };
        let (control, change) = (control.to_owned(), change.to_owned());
        let what = format!("{control} was {change}");
        let read = row.counts_from(self.cutoff).and_then(|known_from| {
            if !catalog.controls.contains_key(&control) {
                return Err(format!("there is no control `{control}`"));
            }
            row.version(change != "retired", known_from, Some(Instant::FOREVER))
        });
        match read {
            Ok(version) => {
                let history = self.controls.entry(control).or_default();
                history.versions.push(version);
                history.rows.push(row);
            }
            Err(why) => {
                let procedures: Vec<String> = catalog.procedures_of(&control).map(|p| p.id.clone()).collect();
                for procedure in &procedures {
                    self.aside(procedure, &row, what.clone(), why.clone());
                }
                if procedures.is_empty() {
                    self.aside("", &row, what, why);
                }
            }
        }
    }

    /// Whether a control is in force at an instant, by what is known now; `None` when nobody can say.
    pub(crate) fn control_in_force(&self, control: &str, at: Instant) -> Option<bool> {
        let Some(history) = self.controls.get(control) else { return Some(true) };
        let now = history.held(at).now;
        if now.len() == 1 { now.first().copied() } else { None }
    }

    /// The windows of a procedure, over all of time. Facts after the cut-off do not count, and neither do changes.
    pub(crate) fn windows(&self, procedure: &Procedure) -> Vec<Window> {
        let mut bounds = BTreeSet::from([Instant::BEGINNING]);
        if let Some(parameters) = self.parameters.get(&procedure.id) {
            bounds.extend(parameters.values().flat_map(|history| changes(&history.versions)));
        }
        let controls = procedure.controls.iter().filter_map(|c| self.controls.get(c));
        bounds.extend(controls.flat_map(|history| changes(&history.versions)));
        bounds.retain(|at| *at <= self.cutoff);
        let mut windows: Vec<Window> = vec![];
        for from in bounds {
            let window = self.window(procedure, from);
            match windows.last_mut() {
                Some(before) if before.alike(&window) => {}
                Some(before) => {
                    before.to = from;
                    windows.push(window);
                }
                None => windows.push(window),
            }
        }
        windows
    }

    /// What holds from an instant up to the next change.
    fn window(&self, procedure: &Procedure, at: Instant) -> Window {
        let mut unclear = vec![];
        let mut notes = vec![];
        let mut entries = BTreeSet::new();
        let defaults: Parameters =
            procedure.parameters.iter().map(|(name, p)| (name.clone(), p.default.clone())).collect();
        let (mut now, mut then) = (vec![defaults.clone()], vec![defaults]);
        for (name, history) in self.parameters.get(&procedure.id).into_iter().flatten() {
            let Some(parameter) = procedure.parameters.get(name) else { continue };
            let held = |knowledge| in_force(&history.versions, at, knowledge, &parameter.default);
            let (known_now, known_then) = (held(Knowledge::Now), held(Knowledge::Then));
            let value = |i: &Option<usize>| i.map_or(&parameter.default, |i| &history.versions[i].value);
            let values = |found: &[Option<usize>]| -> BTreeSet<Value> {
                found.iter().map(|i| value(i).clone()).collect()
            };
            let (values_now, values_then) = (values(&known_now), values(&known_then));
            entries.extend(known_now.iter().flatten().map(|i| history.rows[*i].entry));
            if values_now.len() > 1 {
                unclear.push(format!("which value of `{name}` was in force then: {}", either(&values_now)));
            }
            if values_now != values_then {
                notes.push(format!(
                    "what is known now of `{name}` ({}) was not known then ({})",
                    either(&values_now),
                    either(&values_then)
                ));
            }
            if !combine(&mut now, name, &values_now) || !combine(&mut then, name, &values_then) {
                unclear.push("which of too many values were in force then".to_owned());
            }
        }
        let mut sets: Vec<Parameters> = vec![];
        for set in now.into_iter().chain(then) {
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
        let mut controls = vec![];
        let mut held: Vec<Held> = vec![];
        for control in &procedure.controls {
            let Some(history) = self.controls.get(control) else {
                held.push(Held { now: BTreeSet::from([true]), then: true });
                continue;
            };
            let found = history.held(at);
            if found.now.len() > 1 {
                unclear.push(format!("whether {control} was in force then"));
            }
            if !found.now.contains(&found.then) {
                notes.push(format!(
                    "{control} was {} by what was known then, and {} by what is known now",
                    word(found.then),
                    word(!found.then)
                ));
            }
            controls.extend(history.as_of(control, at));
            held.push(found);
        }
        let in_force = held.iter().any(|h| h.then || h.now.contains(&true));
        // A control that was in force for certain is reason enough to test, whatever became of the others.
        if held.iter().any(|h| h.now == BTreeSet::from([true])) {
            unclear.retain(|what| !what.starts_with("whether "));
        }
        let unclear = (!unclear.is_empty()).then(|| format!("nobody can say {}", unclear.join(", nor ")));
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        Window { from: at, to: Instant::FOREVER, sets, unclear, note, in_force, controls, entries }
    }
}

/// Whether a control was in force.
struct Held {
    now: BTreeSet<bool>,
    then: bool,
}

const fn word(in_force: bool) -> &'static str {
    if in_force { "in force" } else { "not in force" }
}

impl History<bool> {
    fn held(&self, at: Instant) -> Held {
        let values = |knowledge| -> BTreeSet<bool> {
            let before = self.before(at, knowledge);
            in_force(&self.versions, at, knowledge, &before)
                .iter()
                .map(|i| i.map_or(before, |i| self.versions[i].value))
                .collect()
        };
        // What nobody could say then has to be tested.
        Held { now: values(Knowledge::Now), then: values(Knowledge::Then).contains(&true) }
    }

    /// Whether the control was in force before its first version: what is adopted was not there before.
    fn before(&self, at: Instant, knowledge: Knowledge) -> bool {
        let seen = self.versions.iter().zip(&self.rows).filter(|(v, _)| match knowledge {
            Knowledge::Then => v.known_from <= at && at < v.known_to,
            Knowledge::Now => v.known_to == Instant::FOREVER,
        });
        let first = seen.min_by_key(|(v, row)| (v.from, row.entry));
        first.is_none_or(|(_, row)| row.text("change") != Some("adopted"))
    }

    /// What is said of the control at an instant, by what is known now: each version says what it changes.
    fn as_of(&self, control: &str, at: Instant) -> Option<ControlVersion> {
        let mut said: Vec<(Instant, &Told)> = self
            .versions
            .iter()
            .zip(&self.rows)
            .filter(|(v, row)| row.is_current() && v.from.is_some_and(|from| from <= at))
            .filter_map(|(v, row)| Some((v.from?, row)))
            .collect();
        said.sort_by_key(|(from, row)| (*from, row.entry));
        let (since, last) = *said.last()?;
        let latest = |name: &str| said.iter().rev().find_map(|(_, row)| row.text(name)).map(str::to_owned);
        Some(ControlVersion {
            control: control.to_owned(),
            change: last.text("change").unwrap_or_default().to_owned(),
            since,
            entry: last.entry,
            title: latest("label"),
            statement: latest("statement"),
            frequency: latest("frequency"),
            owner_role: latest("owner_role"),
        })
    }
}

impl Window {
    /// Whether the same holds in both.
    fn alike(&self, other: &Self) -> bool {
        let said = |w: &Self| Self { from: Instant::BEGINNING, to: Instant::FOREVER, ..w.clone() };
        said(self) == said(other)
    }

    /// The part of a period in which it holds.
    pub(crate) fn within(&self, period: &Period) -> Option<Period> {
        let (from, to) = (self.from.max(period.from), self.to.min(period.to));
        (from < to).then(|| Period { from, to, tz: period.tz.clone() })
    }
}

/// The window that holds an instant.
pub(crate) fn window_at(windows: &[Window], at: Instant) -> usize {
    windows.partition_point(|w| w.from <= at).saturating_sub(1)
}

fn either(values: &BTreeSet<Value>) -> String {
    let words: Vec<String> = values
        .iter()
        .map(|value| match value {
            Value::Null => "unknown".to_owned(),
            Value::Integer(n) => n.to_string(),
            Value::Text(text) => format!("`{text}`"),
        })
        .collect();
    words.join(" or ")
}

/// Each set with each of the values; whether all of them could be kept.
fn combine(sets: &mut Vec<Parameters>, name: &str, values: &BTreeSet<Value>) -> bool {
    let mut all = vec![];
    for set in &*sets {
        for value in values {
            let mut set = set.clone();
            set.insert(name.to_owned(), value.clone());
            all.push(set);
        }
    }
    let whole = all.len() <= COMBINATIONS;
    all.truncate(COMBINATIONS);
    *sets = all;
    whole
}

#[cfg(test)]
mod tests;
