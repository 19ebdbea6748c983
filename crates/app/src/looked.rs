//! Where was looked, and what will be lost: the strip of coverage of every table, and the alarms of streams whose source
//! forgets.

use std::collections::{BTreeMap, BTreeSet};

use assess::retention::{self, Kept, Stated};
use assess::strip::{Look, Piece, complete_permille, strip};
use assess::{CoverageMap, Statement, passed_over};
use model::{Grade, Instant, Period};
use serde::Serialize;
use store::records::Records;

use crate::assessment::{DERIVED_HERE, always, kinds, statements};
use crate::error::AppError;
use crate::workspace::Workspace;

/// How long sources keep what they have, and the time of the question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keeping {
    /// The streams that their source forgets.
    pub streams: Vec<Kept>,
    /// What is to be collected, by kind of source and key of the repository: what never was is lost, too.
    pub configured: Vec<(String, String)>,
    /// Now.
    pub now: Instant,
}

/// What is asked about coverage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CoverageQuestion {
    /// The period.
    pub period: Period,
    /// Ledger position whose knowledge counts; everything when absent.
    pub known_at: Option<u64>,
    /// Only this table.
    pub table: Option<String>,
    /// How many cells a strip has.
    pub cells: usize,
    /// How long sources keep what they have, and the time of the question.
    pub keeping: Keeping,
}

/// What was looked at in a period.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CoverageReport {
    /// First instant of the period.
    pub from: Instant,
    /// First instant after the period.
    pub to: Instant,
    /// Zone in which the period was declared.
    pub tz: String,
    /// Ledger position of the snapshot.
    pub position: u64,
    /// Every table of every scope that somebody said anything about.
    pub tables: Vec<TableCoverage>,
    /// Tables that procedures rest on and nobody ever supplied.
    pub unsupplied: Vec<Unsupplied>,
    /// Streams that have to be collected before their source forgets.
    pub alarms: Vec<AlarmReport>,
}

/// A table in a scope.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TableCoverage {
    /// Key of the repository or source; absent when the company as a whole is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The record table.
    pub table: String,
    /// The kinds of sources that said where they looked.
    pub sources: Vec<String>,
    /// The weakest grade that completeness rests on; absent where nothing is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// The first instant that was ever looked at completely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Instant>,
    /// The end of the last window that was ever looked at completely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Instant>,
    /// How much of the period is completely known, in tenths of a percent, rounded down.
    pub complete_permille: u32,
    /// The period as cells of equal length, each the worst of its time, in the signs of the legend.
    pub strip: String,
    /// What is not complete, in order of time.
    pub gaps: Vec<Missing>,
}

/// A stretch of time that is not completely known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Missing {
    /// First instant.
    pub from: Instant,
    /// First instant after.
    pub to: Instant,
    /// `partial`, `not_looked`, `not_permitted`, `not_licensed`, `failed`, `expired` or `to_come`.
    pub status: String,
    /// Why.
    pub reason: String,
}

/// A table nobody ever said anything about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Unsupplied {
    /// The record table.
    pub table: String,
    /// Streams that would supply it.
    pub supplied_by: Vec<String>,
}

/// A stream that has to be collected before its source forgets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AlarmReport {
    /// `half`, `most` or `lost`: how much of its life has passed.
    pub urgency: String,
    /// Key of the repository or source; absent when the company as a whole is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The kind of source.
    pub source: String,
    /// The stream.
    pub stream: String,
    /// The record table that rests on it.
    pub table: String,
    /// How many days back the source can still be asked.
    pub kept_days: u32,
    /// Up to when it was last looked at completely; absent when it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_until: Option<Instant>,
    /// From this instant on something is lost, unless it is collected before.
    pub loses_from: Instant,
    /// What was not looked at before this instant is lost.
    pub lost_until: Instant,
}

impl Workspace {
    /// What was looked at in a period, table by table.
    ///
    /// # Errors
    /// No such table, or the database.
    pub fn looked(&mut self, question: &CoverageQuestion) -> Result<CoverageReport, AppError> {
        if let Some(name) = &question.table
            && self.catalog.table(name).is_none()
        {
            let known: Vec<&str> = self.catalog.tables.iter().map(|t| t.name.as_str()).collect();
            return Err(AppError::Other(format!(
                "there is no table `{name}`; there are {}",
                known.join(", ")
            )));
        }
        let position = self.position(question.known_at)?;
        let known_at = i64::try_from(position).unwrap_or(i64::MAX - 1);
        let stated = stated(&mut self.records, known_at, None)?;
        let asked = |table: &str| question.table.as_deref().is_none_or(|t| t == table);
        let mut sources: BTreeMap<(i64, String), BTreeSet<String>> = BTreeMap::new();
        for said in &stated {
            let at = (said.statement.scope, said.statement.table.clone());
            let kind = said.source.split(':').next().unwrap_or_default();
            sources.entry(at).or_default().insert(kind.to_owned());
        }
        let (map, alarms) = self.kept(stated, &question.keeping, &question.period)?;
        let mut names = Names::default();
        let mut tables = vec![];
        let Period { from, to, tz } = question.period.clone();
        for (scope, table) in map.tables().filter(|(_, table)| asked(table)) {
            let pieces = map.pieces(scope, table, from, to, question.keeping.now);
            let sources = sources.get(&(scope, table.to_owned())).into_iter().flatten().cloned().collect();
            tables.push(TableCoverage {
                scope: names.of(&mut self.records, scope)?,
                table: table.to_owned(),
                sources,
                grade: grade(&map, scope, table, &pieces),
                first: map.first(scope, table),
                last: map.last(scope, table).map(|last| last.min(question.keeping.now)),
                complete_permille: complete_permille(&pieces),
                strip: strip(&pieces, question.cells).into_iter().map(Look::sign).collect(),
                gaps: pieces.into_iter().filter(|p| p.look != Look::Complete).map(missing).collect(),
            });
        }
        tables.sort_by(|a, b| (&a.scope, &a.table).cmp(&(&b.scope, &b.table)));
        let supplied: BTreeSet<&str> = map.tables().map(|(_, table)| table).collect();
        let unsupplied = self.unsupplied(|table| asked(table) && !supplied.contains(table));
        let alarms = alarms.into_iter().filter(|alarm| asked(&alarm.table)).collect();
        Ok(CoverageReport { from, to, tz, position, tables, unsupplied, alarms })
    }

    /// Tables that procedures rest on, of those that `wanted` names.
    fn unsupplied(&self, wanted: impl Fn(&str) -> bool) -> Vec<Unsupplied> {
        let mut tables: BTreeSet<&str> = BTreeSet::new();
        for procedure in self.catalog.procedures.values() {
            tables.extend(procedure.population_tables.iter().map(String::as_str));
            for attribute in &procedure.attributes {
                let rests_on =
                    attribute.absent.iter().chain(&attribute.adverse).chain(&attribute.moot_without);
                tables.extend(rests_on.map(String::as_str));
            }
        }
        tables
            .into_iter()
            .filter(|table| wanted(table) && !DERIVED_HERE.contains(table))
            .map(|table| Unsupplied {
                table: table.to_owned(),
                supplied_by: self.catalog.table(table).map(|t| t.fed_by.clone()).unwrap_or_default(),
            })
            .collect()
    }

    /// Coverage held to what sources keep, the scopes it speaks of, and what has to be collected soon.
    pub(crate) fn coverage_kept(
        &mut self,
        known_at: i64,
        keeping: &Keeping,
        period: &Period,
    ) -> Result<(CoverageMap, BTreeSet<i64>, Vec<AlarmReport>), AppError> {
        let tables: BTreeSet<&str> = keeping.streams.iter().map(|k| k.table.as_str()).collect();
        let stated = stated(&mut self.records, known_at, Some(&tables))?;
        let scopes: BTreeSet<i64> = stated.iter().map(|s| s.statement.scope).collect();
        let (map, mut alarms) = self.kept(stated, keeping, period)?;
        // What was never looked at completely is a gap already, and says why.
        alarms.retain(|alarm| alarm.looked_until.is_some());
        let map: CoverageMap = map.into_statements().chain(always(&scopes)).collect();
        Ok((map.with_kinds(kinds(&mut self.records, &scopes)?), scopes, alarms))
    }

    /// Statements held to what sources keep, with what is lost beside them.
    fn kept(
        &mut self,
        stated: Vec<Stated>,
        keeping: &Keeping,
        period: &Period,
    ) -> Result<(CoverageMap, Vec<AlarmReport>), AppError> {
        let passed_over = left_out(&stated);
        let stated = retention::held(stated, &keeping.streams);
        let mut lasts: BTreeMap<(&str, i64, &str), Option<Instant>> = BTreeMap::new();
        for said in &stated {
            let at = (said.source.as_str(), said.statement.scope, said.statement.table.as_str());
            let last = lasts.entry(at).or_default();
            if said.statement.status == model::CoverageStatus::Complete {
                *last = (*last).max(Some(said.statement.to.min(said.looked_at)));
            }
        }
        let map: CoverageMap = stated.iter().map(|s| s.statement.clone()).collect();
        let mut names = Names::default();
        let mut alarms = vec![];
        let mut lost = vec![];
        for kept in &keeping.streams {
            for ((source, scope, table), last) in &lasts {
                if *source != kept.source || *table != kept.table {
                    continue;
                }
                let window = (period.from, period.to);
                lost.extend(retention::lost(&map, *scope, kept, window, keeping.now));
                let scope = names.of(&mut self.records, *scope)?;
                alarms.extend(retention::alarm(*last, kept, keeping.now).map(|a| report(a, kept, scope)));
            }
        }
        for (source, key) in &keeping.configured {
            let scope = self.records.entity_id("repository", 0, key)?;
            for kept in keeping.streams.iter().filter(|kept| kept.source == *source) {
                let at = scope.map(|scope| (source.as_str(), scope, kept.table.as_str()));
                if at.is_none_or(|at| !lasts.contains_key(&at)) {
                    let alarm = retention::alarm(None, kept, keeping.now);
                    alarms.extend(alarm.map(|alarm| report(alarm, kept, Some(key.clone()))));
                }
            }
        }
        alarms.sort_by(|a, b| (a.loses_from, &a.scope, &a.stream).cmp(&(b.loses_from, &b.scope, &b.stream)));
        Ok((map.into_statements().chain(lost).chain(passed_over).collect(), alarms))
    }
}

fn report(alarm: retention::Alarm, kept: &Kept, scope: Option<String>) -> AlarmReport {
    AlarmReport {
        urgency: alarm.urgency.word().to_owned(),
        scope,
        source: kept.source.clone(),
        stream: kept.stream.clone(),
        table: kept.table.clone(),
        kept_days: kept.days,
        looked_until: alarm.looked_until,
        loses_from: alarm.loses_from,
        lost_until: alarm.lost_until,
    }
}

/// Statements with who made them; only of `tables`, and where a table was spoken of twice in one scope, is that asked.
pub(crate) fn stated(
    records: &mut Records,
    known_at: i64,
    tables: Option<&BTreeSet<&str>>,
) -> Result<Vec<Stated>, AppError> {
    let rows = statements(records, known_at)?;
    let (mut once, mut often) = (BTreeSet::new(), BTreeSet::new());
    for Statement { scope, table, .. } in rows.iter().map(|row| &row.statement) {
        if !once.insert((*scope, table.as_str())) {
            often.insert(table.as_str());
        }
    }
    let asked = |table: &str| tables.is_none_or(|tables| tables.contains(table)) || often.contains(table);
    let ids: BTreeSet<i64> =
        rows.iter().filter(|row| asked(&row.statement.table)).map(|row| row.id).collect();
    let keys: BTreeMap<i64, String> =
        records.entities_of(&ids)?.into_iter().map(|entity| (entity.id, entity.key)).collect();
    Ok(rows
        .into_iter()
        .map(|row| {
            // A statement is named by who makes it: `github approval …`, `import:tickets ticket …`.
            let table = format!(" {}", row.statement.table);
            let source = keys.get(&row.id).and_then(|key| key.split(&table).next()).unwrap_or_default();
            let source = if source.starts_with("left out ") { "records" } else { source }.to_owned();
            Stated { statement: row.statement, source, looked_at: row.looked_at }
        })
        .collect())
}

/// What sources pass over of tables that others supply, too. What is known here without a look needs none of theirs.
pub(crate) fn left_out(stated: &[Stated]) -> Vec<Statement> {
    let mut all = passed_over(stated);
    all.retain(|said| !DERIVED_HERE.contains(&said.table.as_str()));
    all
}

/// The weakest grade that the complete pieces rest on.
fn grade(map: &CoverageMap, scope: i64, table: &str, pieces: &[Piece]) -> Option<Grade> {
    let complete = pieces.iter().filter(|p| p.look == Look::Complete);
    let grades = complete.map(|p| map.seen_within(scope, table, p.from, p.to, Grade::Asserted));
    grades.filter_map(Result::ok).min()
}

fn missing(piece: Piece) -> Missing {
    Missing { from: piece.from, to: piece.to, status: piece.look.word().to_owned(), reason: piece.reason }
}

/// What scopes are called, asked for once.
#[derive(Default)]
struct Names(BTreeMap<i64, Option<String>>);

impl Names {
    fn of(&mut self, records: &mut Records, scope: i64) -> Result<Option<String>, AppError> {
        if scope == 0 {
            return Ok(None);
        }
        if let Some(known) = self.0.get(&scope) {
            return Ok(known.clone());
        }
        let name = records.entity(scope)?.map(|entity| entity.key);
        self.0.insert(scope, name.clone());
        Ok(name)
    }
}
