//! Assessing: procedures run over the records, joined with coverage, and said in words.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use assess::{Assessment, AttributeRule, CoverageMap, Gap, Rules, Statement, Tested};
use catalog::{Bindings, Procedure, Query, sql, written_out};
use hashbrown::HashMap;
use model::{Attribute, Conclusion, CoverageStatus, Grade, Instant, Period, Value, Verdict};
use serde::Serialize;
use store::records::{Go, Limits, Reader, Records, RecordsError};

use crate::calendar;
use crate::error::AppError;
use crate::question::bindings;
use crate::scope::{ScopeReport, ScopeRules};
use crate::workspace::Workspace;

/// What is to be assessed.
#[derive(Clone, Debug)]
pub struct Question {
    /// The period.
    pub period: Period,
    /// Last instant whose facts count.
    pub cutoff: Instant,
    /// Ledger position of the snapshot; everything when absent.
    pub known_at: Option<u64>,
    /// Key of the repository the populations are restricted to; every repository when absent.
    pub repository: Option<String>,
    /// Ids of procedures; all when empty.
    pub procedures: Vec<String>,
    /// Whether a date is asked about and not a period (Type I): the period is then a single instant.
    pub at_a_date: bool,
}

impl Question {
    /// What happened, and held, in a period (Type II).
    #[must_use]
    pub const fn over(period: Period, cutoff: Instant) -> Self {
        Self { period, cutoff, known_at: None, repository: None, procedures: vec![], at_a_date: false }
    }

    /// What held at one instant (Type I), such as the last of a day.
    #[must_use]
    pub fn at(instant: Instant, tz: &str, cutoff: Instant) -> Self {
        let to = Instant::from_ms(instant.ms().saturating_add(1));
        Self { at_a_date: true, ..Self::over(Period { from: instant, to, tz: tz.to_owned() }, cutoff) }
    }
}

/// The results of several procedures over one snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// First instant of the period.
    pub from: Instant,
    /// First instant after the period.
    pub to: Instant,
    /// Zone in which the period was declared.
    pub tz: String,
    /// Last instant whose facts count.
    pub cutoff: Instant,
    /// Ledger position of the snapshot.
    pub position: u64,
    /// Whether a date was asked about (Type I): then nothing is said about how a control operated.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub at_a_date: bool,
    /// One result per procedure.
    pub procedures: Vec<ProcedureReport>,
    /// Procedures whose population is what happened in a period: a date shows nothing of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub over_a_period_only: Vec<OverAPeriod>,
    /// What is out of scope, and what is not right about it; absent where there is no rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<ScopeReport>,
}

/// A procedure that a date cannot answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OverAPeriod {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Controls it tests.
    pub controls: Vec<String>,
}

/// The result of one procedure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ProcedureReport {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Controls it tests.
    pub controls: Vec<String>,
    /// What the tests say of how the control operated; absent at a date, which cannot show that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<Conclusion>,
    /// Why it cannot be concluded.
    pub held_back_by: Vec<String>,
    /// Number of items in the population.
    pub population: usize,
    /// What the population is, in a sentence.
    pub population_is: String,
    /// Attributes, with how many items have each verdict.
    pub attributes: Vec<AttributeReport>,
    /// Every item.
    pub items: Vec<ItemReport>,
    /// Windows of the period in which something is unknown.
    pub gaps: Vec<GapReport>,
    /// Streams of sources that would supply what is missing.
    pub supplied_by: Vec<String>,
    /// What to do about deviations.
    pub how_to_fix: String,
    /// Hash of procedure and table schemas, in hexadecimal.
    pub content: String,
}

/// One attribute.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AttributeReport {
    /// Its letter.
    pub letter: Attribute,
    /// What holds when it passes.
    pub says: String,
    /// How many items have each verdict.
    pub counts: BTreeMap<Verdict, usize>,
}

/// One item.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ItemReport {
    /// Its key at the source: of a change the commit's full id.
    pub item: String,
    /// Within what it was judged, by its key, where an item is judged within several: the system that somebody left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Short text for people.
    pub label: String,
    /// When it happened.
    pub occurred_at: Instant,
    /// Ledger entry of its own record.
    pub entry: i64,
    /// The weakest grade of the evidence.
    pub grade: Grade,
    /// The item's number in the records.
    pub record: i64,
    /// One verdict per attribute.
    pub verdicts: BTreeMap<Attribute, Verdict>,
    /// Why, for every attribute that did not pass.
    pub reasons: BTreeMap<Attribute, String>,
}

impl ItemReport {
    /// The verdict of the whole item.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdicts.values().copied().min().unwrap_or(Verdict::NoEvidence)
    }
}

/// A window in which something is unknown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct GapReport {
    /// The record table.
    pub table: String,
    /// First instant.
    pub from: Instant,
    /// First instant after.
    pub to: Instant,
    /// Why.
    pub reason: String,
    /// Streams that would supply it, when no source ever did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub supplied_by: Vec<String>,
}

impl Workspace {
    /// Runs procedures over the period.
    ///
    /// # Errors
    /// A procedure that cannot run or yields what it may not, or the database.
    pub fn assess(&mut self, question: &Question) -> Result<Report, AppError> {
        let position = self.position(question.known_at)?;
        let rules = match question.repository {
            // Who names a repository asks about that one, whether or not an auditor will.
            Some(_) => ScopeRules::default(),
            None => self.scope_rules(position)?,
        };
        self.assess_under(question, position, &rules)
    }

    /// The same with these rules of scope.
    pub(crate) fn assess_under(
        &mut self,
        question: &Question,
        position: u64,
        rules: &ScopeRules,
    ) -> Result<Report, AppError> {
        let cut = rules.scope(&mut self.records, question.period.from, question.period.to)?;
        let scope = match &question.repository {
            Some(key) => {
                let id = self.records.entity_id("repository", 0, key)?;
                Some(id.ok_or_else(|| AppError::Other(format!("nothing was collected from `{key}` yet")))?)
            }
            None => None,
        };
        let known_at = i64::try_from(position).unwrap_or(i64::MAX - 1);
        let (coverage, covered) = coverage(&mut self.records, known_at)?;
        let scopes: BTreeSet<i64> = match scope {
            Some(scope) => BTreeSet::from([scope]),
            // Nobody has to look at what is out all the time.
            None => covered.into_iter().filter(|scope| !cut.leaves_out(*scope)).collect(),
        };
        let ids: Vec<String> = if question.procedures.is_empty() {
            self.catalog.procedures.keys().cloned().collect()
        } else {
            question.procedures.clone()
        };
        let mut asked = vec![];
        let mut not_tested = vec![];
        let mut over_a_period_only = vec![];
        for id in ids {
            let procedure = self.catalog.procedures.get(&id).cloned();
            let procedure =
                procedure.ok_or_else(|| AppError::Other(format!("there is no procedure `{id}`")))?;
            if question.at_a_date && !procedure.over_period {
                let Procedure { id, title, controls, .. } = procedure;
                over_a_period_only.push(OverAPeriod { id, title, controls });
                continue;
            }
            if let Some(out) = self.not_tested(&procedure, rules, &question.period) {
                not_tested.push(out);
                continue;
            }
            self.ensure_calendar(&procedure, &question.period.tz)?;
            let as_of =
                Instant::from_ms(question.period.to.ms().min(question.cutoff.ms().saturating_add(1)) - 1);
            let bindings = Bindings {
                scope: cut.clone(),
                ..bindings(&question.period, as_of, question.cutoff, Some(position), BTreeMap::new())
            };
            let sql = written_out(&procedure.query, &bindings, self.engine()).map_err(AppError::Problems)?;
            asked.push((procedure, sql));
        }
        let mut entities = Entities::default();
        let mut reports = vec![];
        for ((procedure, _), rows) in asked.iter().zip(self.run_procedures(&asked)?) {
            let mut rows = rows?;
            entities.learn(
                &mut self.records,
                rows.iter().flat_map(|r| [r.item, r.scope]).filter(|id| *id != 0),
            )?;
            for row in &mut rows {
                // What is judged within another scope than its own says so itself.
                if row.scope == 0 {
                    row.scope = entities.known.get(&row.item).map_or(0, |named| named.scope);
                }
            }
            if let Some(scope) = scope {
                rows.retain(|row| row.scope == scope);
            }
            let several = procedure.query.yields_scope();
            let same = |a: &Tested, b: &Tested| {
                a.item == b.item && !(several && (a.scope, a.occurred_at) != (b.scope, b.occurred_at))
            };
            if let Some(twice) = rows.windows(2).find(|pair| same(&pair[0], &pair[1])) {
                return Err(AppError::Procedure {
                    procedure: procedure.id.clone(),
                    item: twice[0].item,
                    what: "two rows".to_owned(),
                });
            }
            let judged_by = rules_of(procedure);
            let assessment =
                assess::assess(&judged_by, rows, &coverage, &scopes, &question.period, question.cutoff);
            let mut report = self.report(procedure, assessment, &entities);
            if question.at_a_date {
                report.conclusion = None;
            }
            reports.push(report);
        }
        let scope = match rules.rules.is_empty() {
            true => None,
            false => Some(ScopeReport {
                rules: rules.rules.clone(),
                not_tested,
                raised: self.raised(rules, question, position)?,
            }),
        };
        over_a_period_only.sort_by(|a: &OverAPeriod, b| a.controls.cmp(&b.controls));
        reports.sort_by(|a: &ProcedureReport, b| a.controls.cmp(&b.controls).then_with(|| a.id.cmp(&b.id)));
        let Period { from, to, tz } = question.period.clone();
        Ok(Report {
            from,
            to,
            tz,
            cutoff: question.cutoff,
            position,
            at_a_date: question.at_a_date,
            procedures: reports,
            over_a_period_only,
            scope,
        })
    }

    /// Runs procedures, as many at once as the machine has cores; the answers stand in the order of the questions.
    fn run_procedures(
        &self,
        asked: &[(Procedure, String)],
    ) -> Result<Vec<Result<Vec<Tested>, AppError>>, AppError> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let readers = (0..cores.min(asked.len()))
            .map(|_| self.records.reader())
            .collect::<Result<Vec<_>, RecordsError>>()?;
        let next = AtomicUsize::new(0);
        let next = &next;
        let mut answers: Vec<_> = thread::scope(|scope| {
            let work = |mut reader: Reader| {
                let mut done = vec![];
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((procedure, sql)) = asked.get(at) else { break done };
                    done.push((at, run(&mut reader, procedure, sql)));
                }
            };
            let threads: Vec<_> = readers.into_iter().map(|r| scope.spawn(move || work(r))).collect();
            // A thread that panics has found a defect of ours: it goes on here.
            threads
                .into_iter()
                .flat_map(|t| t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        answers.sort_by_key(|(at, _)| *at);
        Ok(answers.into_iter().map(|(_, rows)| rows).collect())
    }

    /// Whether none of these tables has a row: then there is nothing to count days for.
    fn is_empty(&mut self, tables: &[String]) -> Result<bool, AppError> {
        for name in tables {
            let answer =
                self.query(&format!("SELECT count(*) AS n FROM {name} t"), Instant::FOREVER, None)?;
            if answer.rows.iter().flatten().any(|n| *n != Value::Integer(0)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts the days a procedure counts by into the records.
    pub(crate) fn ensure_calendar(&mut self, procedure: &Procedure, zone: &str) -> Result<(), AppError> {
        if !procedure.tables.iter().any(|t| t.name == "calendar_day")
            || self.is_empty(&procedure.population_tables)?
        {
            return Ok(());
        }
        if let Some(Value::Text(name)) = procedure.parameters.get("calendar").map(|p| &p.default)
            && let Some(calendar) = self.catalog.calendars.get(name)
        {
            calendar::ensure(&mut self.records, calendar, zone)?;
        }
        Ok(())
    }

    fn report(&self, procedure: &Procedure, assessment: Assessment, entities: &Entities) -> ProcedureReport {
        let attributes: Vec<AttributeReport> = procedure
            .attributes
            .iter()
            .map(|a| {
                let letter = letter(&a.letter);
                AttributeReport { letter, says: a.says.clone(), counts: assessment.counts(letter) }
            })
            .collect();
        let mut supplied_by = BTreeSet::new();
        for attribute in &procedure.attributes {
            let letter = letter(&attribute.letter);
            if assessment.counts(letter).get(&Verdict::NoEvidence).is_some_and(|n| *n > 0) {
                supplied_by.extend(attribute.supplied_by.iter().cloned());
            }
        }
        let gaps: Vec<GapReport> = assessment.gaps.iter().map(|gap| self.gap(gap)).collect();
        for gap in &gaps {
            supplied_by.extend(gap.supplied_by.iter().cloned());
        }
        let mut items = Vec::with_capacity(assessment.items.len());
        for item in assessment.items {
            let mut reasons = BTreeMap::new();
            for attribute in &procedure.attributes {
                let letter = letter(&attribute.letter);
                let reason = match item.verdicts.get(&letter) {
                    Some(Verdict::Deviation) => Some(attribute.deviation.clone()),
                    Some(Verdict::NeedsJudgement) => attribute.needs_judgement.clone(),
                    Some(Verdict::NoEvidence) => {
                        item.capped.get(&letter).cloned().or_else(|| attribute.no_evidence.clone())
                    }
                    _ => None,
                };
                reasons.extend(reason.map(|r| (letter, r)));
            }
            let Named { key, title, .. } = entities.of(item.item);
            let short = if key.len() == 40 { key[..12].to_owned() } else { item.label.clone() };
            let label = match title {
                Some(title) => format!("{short} {title}"),
                None => short,
            };
            items.push(ItemReport {
                item: key,
                scope: procedure.query.yields_scope().then(|| entities.of(item.scope).key),
                label,
                occurred_at: item.occurred_at,
                entry: item.entry,
                grade: item.grade,
                record: item.item,
                verdicts: item.verdicts,
                reasons,
            });
        }
        ProcedureReport {
            id: procedure.id.clone(),
            title: procedure.title.clone(),
            controls: procedure.controls.clone(),
            conclusion: Some(assessment.conclusion),
            held_back_by: assessment.held_back_by,
            population: items.len(),
            population_is: procedure.population.clone(),
            attributes,
            items,
            gaps,
            supplied_by: supplied_by.into_iter().collect(),
            how_to_fix: procedure.how_to_fix.clone(),
            content: procedure.content_hash.iter().map(|b| format!("{b:02x}")).collect(),
        }
    }

    fn gap(&self, gap: &Gap) -> GapReport {
        let supplied_by = if gap.unfed {
            self.catalog.table(&gap.table).map(|t| t.fed_by.clone()).unwrap_or_default()
        } else {
            vec![]
        };
        GapReport {
            table: gap.table.clone(),
            from: gap.from,
            to: gap.to,
            reason: gap.reason.clone(),
            supplied_by,
        }
    }
}

/// What is said of the items that several procedures judge, asked for once.
#[derive(Default)]
struct Entities {
    known: HashMap<i64, Named>,
}

/// An item's names.
#[derive(Clone, Default)]
struct Named {
    scope: i64,
    key: String,
    title: Option<String>,
}

impl Entities {
    /// Asks for what is not known yet of these entities.
    fn learn(&mut self, records: &mut Records, ids: impl Iterator<Item = i64>) -> Result<(), RecordsError> {
        let new: BTreeSet<i64> = ids.filter(|id| !self.known.contains_key(id)).collect();
        for entity in records.entities_of(&new)? {
            // A repository is its own scope: what covers it covers what is in it.
            let scope = if entity.kind == "repository" { entity.id } else { entity.scope };
            self.known.insert(entity.id, Named { scope, key: entity.key, title: None });
        }
        for display in records.display(&new)? {
            if display.field == "title"
                && let Some(named) = self.known.get_mut(&display.id)
            {
                named.title = Some(display.text);
            }
        }
        Ok(())
    }

    /// Names of an entity that was learned of; a number that stands for none names itself.
    fn of(&self, id: i64) -> Named {
        self.known.get(&id).cloned().unwrap_or_else(|| Named { key: id.to_string(), ..Named::default() })
    }
}

/// The rows of a procedure.
fn run(reader: &mut Reader, procedure: &Procedure, sql: &str) -> Result<Vec<Tested>, AppError> {
    let mut rows: Vec<Tested> = vec![];
    let mut broken = None;
    reader
        .run(sql, &Limits::default(), &Arc::default(), &mut |row| match tested_of(&procedure.query, row) {
            Ok(row) => {
                rows.push(row);
                Go::Continue(())
            }
            Err(found) => {
                broken = Some(found);
                Go::Break(())
            }
        })
        .map_err(|source| AppError::Run { what: format!("the procedure `{}`", procedure.id), source })?;
    match broken {
        Some((item, what)) => Err(AppError::Procedure { procedure: procedure.id.clone(), item, what }),
        None => Ok(rows),
    }
}

fn letter(text: &str) -> Attribute {
    Attribute(text.chars().next().unwrap_or('?'))
}

/// What an assessment asks of a procedure.
#[must_use]
pub fn rules_of(procedure: &Procedure) -> Rules {
    Rules {
        population: procedure.population_tables.clone(),
        over_period: procedure.over_period,
        attributes: procedure
            .attributes
            .iter()
            .map(|a| AttributeRule {
                letter: letter(&a.letter),
                absent: a.absent.clone(),
                adverse: a.adverse.clone(),
                moot_without: a.moot_without.clone(),
                absent_grade: a.absent_grade,
            })
            .collect(),
    }
}

/// A row of a procedure: `item, label, occurred_at, entry, grade`, then one word per attribute, and as its query names them
/// instants since and up to when each attribute reads silence, and a scope. A scope of 0 is for the caller to say.
///
/// # Errors
/// The item, and what the row yields that it may not.
pub fn tested_of(query: &Query, row: &[Value]) -> Result<Tested, (i64, String)> {
    let item = match row.first() {
        Some(Value::Integer(item)) => *item,
        other => return Err((0, format!("{other:?} for an item"))),
    };
    let broken = |what: String| (item, what);
    if row.len() != query.columns().len() {
        return Err(broken(format!("{} columns for {}", row.len(), query.columns().len())));
    }
    let integer = |at: usize, name: &str| match &row[at] {
        Value::Integer(n) => Ok(*n),
        _ => Err(broken(format!("no `{name}`"))),
    };
    let text = |at: usize, name: &str| match &row[at] {
        Value::Text(text) => Ok(text.as_str()),
        _ => Err(broken(format!("no `{name}`"))),
    };
    let (mut scope, mut verdicts, mut since, mut until) = (0, vec![], vec![], vec![]);
    for (at, name) in query.columns().iter().enumerate().skip(5) {
        if name == sql::SCOPE {
            scope = integer(at, name)?;
        } else if name.ends_with(sql::SINCE) {
            since.push(Instant::from_ms(integer(at, name)?));
        } else if name.ends_with(sql::UNTIL) {
            until.push(Instant::from_ms(integer(at, name)?));
        } else {
            verdicts.push(match &row[at] {
                Value::Text(word) => Some(word.parse::<Verdict>().map_err(broken)?),
                Value::Null => None,
                other => return Err(broken(format!("{other:?} for the verdict `{name}`"))),
            });
        }
    }
    Ok(Tested {
        item,
        scope,
        label: text(1, "label")?.to_owned(),
        occurred_at: Instant::from_ms(integer(2, "occurred_at")?),
        entry: integer(3, "entry")?,
        grade: text(4, "grade")?.parse().map_err(broken)?,
        verdicts,
        since,
        until,
    })
}

impl Workspace {
    /// Up to when the changes of a repository were looked at: the end of what can be examined without asking again.
    ///
    /// # Errors
    /// The database.
    pub fn looked_until(&mut self, repository: &str) -> Result<Option<Instant>, AppError> {
        let Some(scope) = self.records.entity_id("repository", 0, repository)? else { return Ok(None) };
        let (map, _) = coverage(&mut self.records, i64::MAX - 1)?;
        Ok(map.last(scope, "change"))
    }
}

/// Everything the sources said about where they looked, and the repositories they said it of.
pub(crate) fn coverage(
    records: &mut Records,
    known_at: i64,
) -> Result<(CoverageMap, BTreeSet<i64>), AppError> {
    let mut statements = vec![];
    let mut scopes = BTreeSet::new();
    if let Some(table) = records.table("coverage") {
        records.rows_known_at::<RecordsError>(table, known_at, |row| {
            let [scope, relation, from, to, status, reason] = row.values.as_slice() else { return Ok(()) };
            let (Value::Integer(scope), Value::Text(table), Value::Integer(from), Value::Integer(to)) =
                (scope, relation, from, to)
            else {
                return Ok(());
            };
            let status = match status {
                Value::Text(word) => word.parse().unwrap_or(CoverageStatus::Failed),
                _ => CoverageStatus::Failed,
            };
            scopes.insert(*scope);
            statements.push(Statement {
                scope: *scope,
                table: table.clone(),
                from: Instant::from_ms(*from),
                to: Instant::from_ms(*to),
                status,
                reason: match reason {
                    Value::Text(text) => text.clone(),
                    _ => String::new(),
                },
                grade: row.grade,
            });
            Ok(())
        })?;
    }
    let kinds = records.entities_of(&scopes)?.into_iter().map(|e| (e.id, e.kind)).collect();
    for scope in &scopes {
        // Who is who and who looks alike is derived here, from every account there is: it is never only partly looked at.
        // Which repositories are examined is this workspace's own configuration.
        for table in ["account_person", "person_alike", "repository"] {
            statements.push(Statement {
                scope: *scope,
                table: table.to_owned(),
                from: Instant::BEGINNING,
                to: Instant::FOREVER,
                status: CoverageStatus::Complete,
                reason: String::new(),
                grade: Grade::System,
            });
        }
    }
    Ok((statements.into_iter().collect::<CoverageMap>().with_kinds(kinds), scopes))
}
