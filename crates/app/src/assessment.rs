//! Assessing: procedures run over the records, joined with coverage, and said in words.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use assess::{
    Assessment, AttributeRule, Clean, CoverageMap, Gap, Judged, Rules, Statement, Tested, assess_parts,
};
use catalog::{Bindings, Engine, Procedure, Query, sql, written_out, written_out_of};
use hashbrown::HashMap;
use model::{
    Attribute, Conclusion, CoverageStatus, Grade, Instant, Period, Scope, TableKind, Value, Verdict,
};
use serde::{Deserialize, Serialize};
use store::records::{Go, Limits, Reader, Records, RecordsError};

use crate::again::{self, Again, Growing, Judging, Remembered};
use crate::calendar;
use crate::controls;
use crate::error::AppError;
use crate::judging::{OutOfForce, Plan, Run};
use crate::looked::{AlarmReport, Keeping, left_out, stated};
use crate::question::bindings;
use crate::reconcile::Reconciled;
use crate::scope::{NotTested, ScopeReport, ScopeRules};
use crate::uptime::{Asked, ItemUptime, UptimeReport};
use crate::versions::{ControlVersion, SetAside, Window};
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
    /// How long sources keep what they have; nothing is known of that when absent.
    pub keeping: Option<Keeping>,
    /// Whether items that pass, or that the procedure does not concern, are told by their number alone, unless they last the
    /// period.
    pub brief: bool,
}

impl Question {
    /// What happened, and held, in a period (Type II).
    #[must_use]
    pub const fn over(period: Period, cutoff: Instant) -> Self {
        Self {
            period,
            cutoff,
            known_at: None,
            repository: None,
            procedures: vec![],
            at_a_date: false,
            keeping: None,
            brief: false,
        }
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
    /// Procedures none of whose controls was in force in the period.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_in_force: Vec<NotInForce>,
    /// Versions that take no effect and are about no procedure that there is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<SetAside>,
    /// Streams that have to be collected before their source forgets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<AlarmReport>,
    /// What is out of scope, and what is not right about it; absent where there is no rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<ScopeReport>,
}

/// A procedure that is not asked, because its controls were not in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NotInForce {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Controls it tests.
    pub controls: Vec<String>,
    /// What became of them.
    pub versions: Vec<ControlVersion>,
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
    /// For how long what is tested held, where the procedure says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime: Option<UptimeReport>,
    /// What was in force when, with what it says of its part of the period.
    pub versions: Vec<VersionReport>,
    /// Parts of the period in which none of the controls was in force: nothing is tested there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_in_force: Vec<OutOfForce>,
    /// Items that came while none of the controls was in force: they are not tested.
    #[serde(skip_serializing_if = "is_zero")]
    pub while_not_in_force: usize,
    /// Versions that take no effect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<SetAside>,
    /// Windows of the period in which something is unknown.
    pub gaps: Vec<GapReport>,
    /// Streams of sources that would supply what is missing.
    pub supplied_by: Vec<String>,
    /// What to do about deviations.
    pub how_to_fix: String,
    /// Hash of procedure and table schemas, in hexadecimal.
    pub content: String,
    /// What other sources say of its population.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reconciled: Vec<Reconciled>,
    /// The queries as they ran.
    #[serde(skip)]
    pub ran: Vec<RanQuery>,
}

/// A query as it ran.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RanQuery {
    /// First instant of the days it was asked about.
    pub from: Instant,
    /// First instant after them.
    pub to: Instant,
    /// What it ran with, defaults included.
    pub parameters: BTreeMap<String, Value>,
    /// The text that the engine got.
    pub sql: String,
}

/// Serde hands over a reference.
const fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// The part of a period in which one set of versions was in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct VersionReport {
    /// First instant of the part.
    pub from: Instant,
    /// First instant after it.
    pub to: Instant,
    /// What the procedure ran with, defaults included.
    pub parameters: BTreeMap<String, Value>,
    /// Ledger entries of the versions that say so; none where everything is as the content says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<i64>,
    /// What it ran with besides: what was known then, where something else is known now. The worse verdict counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also_judged_by: Vec<BTreeMap<String, Value>>,
    /// Controls that were adopted, changed or retired, as they are then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<ControlVersion>,
    /// Why nobody can say what was in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unclear: Option<String>,
    /// What was known otherwise at the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What the tests say of this part; absent at a date, and where the part lies outside of the period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<Conclusion>,
    /// Why it cannot be concluded.
    pub held_back_by: Vec<String>,
    /// Number of items.
    pub population: usize,
    /// How many of them have each verdict, per attribute.
    pub counts: BTreeMap<Attribute, BTreeMap<Verdict, usize>>,
}

/// The verdicts of an item in one part of the period.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ItemVersion {
    /// Place in `versions`, counted from 0.
    pub version: usize,
    /// Its verdicts there.
    pub verdicts: BTreeMap<Attribute, Verdict>,
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
    /// The number of what it was judged within: its own repository or system, unless the procedure says another.
    #[serde(skip)]
    pub within: i64,
    /// What its deviation was allowed by, when that was approved in advance: it stays a deviation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
    /// Its label alone, without what names it to people.
    #[serde(skip)]
    pub short: String,
    /// Its kind, and what its key is unique within.
    #[serde(skip)]
    pub kind: (String, Option<String>),
    /// One verdict per attribute.
    pub verdicts: BTreeMap<Attribute, Verdict>,
    /// Why, for every attribute that did not pass.
    pub reasons: BTreeMap<Attribute, String>,
    /// Better verdicts, which do not count: of a version that was entered or approved later, or was known then and is not any
    /// more.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub otherwise: BTreeMap<Attribute, Verdict>,
    /// Which of the report's versions judged it, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<ItemVersion>,
}

impl ItemReport {
    /// Whether every attribute passes or concerns nothing, by every version.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.otherwise.is_empty()
            && self.verdicts.values().all(|v| matches!(v, Verdict::Pass | Verdict::NotApplicable))
    }

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
        let (coverage, covered, alarms) = match &question.keeping {
            None => {
                let (coverage, covered) = coverage(&mut self.records, known_at)?;
                (coverage, covered, vec![])
            }
            Some(keeping) => self.coverage_kept(known_at, keeping, &question.period)?,
        };
        let scopes: BTreeSet<i64> = match scope {
            Some(scope) => BTreeSet::from([scope]),
            // Nobody has to look at what is out all the time.
            None => covered.into_iter().filter(|scope| !cut.leaves_out(*scope)).collect(),
        };
        let asked: Vec<String> = if question.procedures.is_empty() {
            self.catalog.procedures.keys().cloned().collect()
        } else {
            question.procedures.clone()
        };
        let completing = match question.at_a_date {
            // They are about what happened, which a date cannot answer.
            true => vec![],
            false => self.completing(&asked, &coverage),
        };
        let versions = self.versions(known_at, question.cutoff)?;
        let mut plans = vec![];
        let mut not_tested = vec![];
        let mut over_a_period_only = vec![];
        let mut not_in_force = vec![];
        for id in asked.into_iter().chain(completing.iter().cloned()) {
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
            let windows = versions.windows(&procedure);
            match Plan::new(procedure, windows, &question.period) {
                Ok(plan) => plans.push(plan),
                Err(never) => not_in_force.push(*never),
            }
        }
        // What nobody asked for is not missed.
        not_tested.retain(|out: &NotTested| !completing.contains(&out.id));
        not_in_force.retain(|never: &NotInForce| !completing.contains(&never.id));
        let asking = Asking { question, position, cut: &cut, coverage: &coverage, scope };
        let mut entities = Entities::default();
        let mut ran: BTreeMap<usize, Vec<RanQuery>> = BTreeMap::new();
        loop {
            // More than once only where an item is judged by a version of another time than the period.
            let runs: Vec<(usize, Run)> = plans
                .iter()
                .enumerate()
                .flat_map(|(n, p)| p.missing().into_iter().map(move |r| (n, r)))
                .collect();
            if runs.is_empty() {
                break;
            }
            let mut tasks = vec![];
            for (n, run) in &runs {
                let procedure = &plans[*n].procedure;
                self.ensure_content(procedure, &run.parameters, &question.period.tz)?;
                let task = self.task(&asking, procedure, run)?;
                let (Run { from, to, parameters }, sql) = (run.clone(), task.whole.clone());
                ran.entry(*n).or_default().push(RanQuery { from, to, parameters, sql });
                tasks.push(task);
            }
            let found = self.answered(&asking, &plans, &runs, tasks, &mut entities)?;
            for ((n, run), (clean, rows)) in runs.into_iter().zip(found) {
                plans[n].clean.add(&clean);
                plans[n].runs.insert(run, rows);
            }
        }
        let mut reports = vec![];
        for (n, plan) in plans.into_iter().enumerate() {
            let asked = Asked { question, position, coverage: &coverage, scopes: &scopes, cut: &cut };
            let uptime = if question.at_a_date { None } else { self.uptime(&plan, &asked)? };
            let rules = rules_of(&plan.procedure);
            let several = plan.procedure.query.yields_scope();
            let clean = plan.clean.clone();
            let parted = plan.parted();
            let (assessment, judged) =
                assess_parts(&rules, parted.parts, several, &coverage, &scopes, question.cutoff, &clean);
            let mut report = self.report(&parted.procedure, assessment, &clean, &mut entities)?;
            report.versions = versions_of(parted.windows, judged);
            report.ran = ran.remove(&n).unwrap_or_default();
            report.uptime = uptime.map(|(whole, mut items)| UptimeReport {
                items: report
                    .items
                    .iter()
                    .filter_map(|item| {
                        let uptime = items.remove(&item.record)?;
                        Some(ItemUptime { record: item.record, item: item.item.clone(), uptime })
                    })
                    .collect(),
                ..whole
            });
            // What lasts the period is listed all the same: a date asks whether it held.
            if question.brief && !parted.procedure.over_period {
                report.items.retain(|item| !item.is_clean());
            }
            report.not_in_force = parted.not_in_force;
            report.while_not_in_force = parted.while_not_in_force;
            report.set_aside = versions.set_aside.get(&report.id).cloned().unwrap_or_default();
            if question.at_a_date {
                report.conclusion = None;
                report.versions.iter_mut().for_each(|v| v.conclusion = None);
            }
            reports.push(report);
        }
        not_in_force.sort_by(|a, b| a.controls.cmp(&b.controls));
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
        self.mark_waived(&mut reports, question)?;
        self.reconcile(&mut reports, question, position, asking.scope)?;
        reports.retain(|report| !completing.contains(&report.id));
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
            not_in_force,
            set_aside: versions.set_aside.get("").cloned().unwrap_or_default(),
            alarms,
            scope,
        })
    }

    /// The text of a procedure as a run needs it.
    pub(crate) fn written(
        &self,
        procedure: &Procedure,
        run: &Run,
        question: &Question,
        position: u64,
        scope: &Scope,
        engine: Engine,
    ) -> Result<String, AppError> {
        let bindings = bindings_of(run, question, position, scope);
        written_out(&procedure.query, &bindings, engine).map_err(AppError::Problems)
    }

    /// What has to be asked for a run, where what it yielded before is remembered.
    fn task(&mut self, asking: &Asking<'_>, procedure: &Procedure, run: &Run) -> Result<Task, AppError> {
        let Asking { question, position, cut, .. } = *asking;
        let whole = self.written(procedure, run, question, position, cut, self.engine())?;
        let task = Task { whole: whole.clone(), sql: vec![whole], name: None, before: None };
        // At a position that has not come there is more to come.
        let known_at = asking.known_at();
        if self.anew || self.records.is_postgres() || known_at > self.records.applied()? {
            return Ok(task);
        }
        let text = self.written(procedure, run, question, u64::MAX, cut, self.engine())?;
        let name = again::name_of(&mut self.records, procedure, &text)?;
        let task = Task { name: Some(name), ..task };
        let Some(before) = Remembered::find(&mut self.records, name, procedure)? else { return Ok(task) };
        let Again::Of(items) = again::again(&mut self.records, procedure, before.position, known_at)? else {
            return Ok(task);
        };
        let mut sql = vec![];
        let mut reader = self.records.reader()?;
        let bindings = bindings_of(run, question, position, cut);
        let all: Vec<i64> = items.iter().copied().collect();
        for some in all.chunks(again::AT_ONCE) {
            let some = some.iter().copied().collect();
            let Some(only) = again::only(&mut reader, procedure, &some)? else { return Ok(task) };
            let text = written_out_of(&procedure.query, &bindings, &only, self.engine());
            sql.push(text.map_err(AppError::Problems)?);
        }
        self.remembered += 1;
        Ok(Task { sql, before: Some((before, items)), ..task })
    }

    /// What was asked for now with what still holds: the rows to be judged, and how many are in order, where those are told by
    /// their number alone.
    fn finished(
        &mut self,
        asking: &Asking<'_>,
        plan: &Plan,
        task: Task,
        mut rows: Vec<Tested>,
        entities: &mut Entities,
    ) -> Result<(Clean, Vec<Tested>), AppError> {
        let procedure = &plan.procedure;
        let Task { whole, name, before, .. } = task;
        if let Some((_, items)) = &before {
            // A run about some items yields others only in part.
            rows.retain(|row| items.contains(&row.item));
        }
        self.own_scopes(&mut rows, entities)?;
        let sound = twice(procedure, rows.iter()).is_none();
        let found = match (name.filter(|_| sound), before) {
            (Some(name), None) => {
                let new = Remembered::of(name, procedure, asking.known_at(), &rows);
                self.settled(asking, plan, new, Some(rows))?
            }
            (Some(_), Some((mut before, items))) => {
                match before.replace(&mut self.records, &items, asking.known_at(), rows)? {
                    Some(()) => self.settled(asking, plan, before, None)?,
                    None => None,
                }
            }
            (None, None) => Some((Clean::default(), rows)),
            (None, Some(_)) => None,
        };
        let Some((clean, mut rows)) = found else {
            // What was remembered is of no use: everything is asked.
            let mut rows = vec![];
            self.run_procedures(&[(procedure, whole.clone())], &mut |_, _, handed| {
                if let Handed::Rows(mut some) = handed {
                    rows.append(&mut some);
                }
                Ok(())
            })?;
            let task = Task { whole, sql: vec![], name: name.filter(|_| sound), before: None };
            return self.finished(asking, plan, task, rows, entities);
        };
        if let Some(scope) = asking.scope {
            rows.retain(|row| row.scope == scope);
        }
        match twice(procedure, rows.iter()) {
            Some(item) => Err(AppError::two_rows(&procedure.id, item)),
            None => Ok((clean, rows)),
        }
    }

    /// The rows of a run that is remembered from here on; `None` where they cannot be read.
    fn settled(
        &mut self,
        asking: &Asking<'_>,
        plan: &Plan,
        mut remembered: Remembered,
        rows: Option<Vec<Tested>>,
    ) -> Result<Option<(Clean, Vec<Tested>)>, AppError> {
        let found = if asking.question.brief && plan.is_simple() {
            drop(rows);
            let rules = rules_of(&plan.procedure);
            let judging = Judging { rules: &rules, coverage: asking.coverage, scope: asking.scope };
            remembered.settled(&mut self.records, &judging)?
        } else {
            match rows {
                Some(rows) => Some((Clean::default(), rows)),
                None => remembered.rows(&mut self.records)?.map(|rows| (Clean::default(), rows)),
            }
        };
        if found.is_some() {
            remembered.keep(&mut self.records)?;
        }
        Ok(found)
    }

    /// Gives each row its item's own scope, where the procedure says no other.
    fn own_scopes(&mut self, rows: &mut [Tested], entities: &mut Entities) -> Result<(), AppError> {
        let unsaid = rows.iter().filter(|row| row.scope == 0).map(|row| row.item);
        entities.learn(&mut self.records, unsaid.filter(|id| *id != 0))?;
        for row in rows.iter_mut().filter(|row| row.scope == 0) {
            row.scope = entities.known.get(&row.item).map_or(0, |named| named.scope);
        }
        Ok(())
    }

    /// What became of each run: the rows to be judged, and how many are in order, where those are told by their number alone.
    fn answered(
        &mut self,
        asking: &Asking<'_>,
        plans: &[Plan],
        runs: &[(usize, Run)],
        tasks: Vec<Task>,
        entities: &mut Entities,
    ) -> Result<Vec<(Clean, Vec<Tested>)>, AppError> {
        let rules: Vec<Rules> = runs.iter().map(|(n, _)| rules_of(&plans[*n].procedure)).collect();
        let mut asked = vec![];
        let mut whose = vec![];
        let mut answers = vec![];
        for (at, ((n, _), task)) in runs.iter().zip(tasks).enumerate() {
            let plan = &plans[*n];
            for sql in &task.sql {
                asked.push((&plan.procedure, sql.clone()));
                whose.push(at);
            }
            let waiting = task.sql.len();
            let gathered = match task.grows(asking, plan) {
                Some(name) => {
                    let judging = Judging { rules: &rules[at], coverage: asking.coverage, scope: None };
                    let at = asking.known_at();
                    Gathered::Growing {
                        run: Box::new(Growing::begin(&mut self.records, name, &plan.procedure, at, judging)?),
                        last: None,
                    }
                }
                None => Gathered::Rows(task, vec![]),
            };
            answers.push((plan, waiting, Some(gathered)));
        }
        let mut found: Vec<Option<(Clean, Vec<Tested>)>> = vec![];
        found.resize_with(answers.len(), || None);
        // Of what was written since a run there may be nothing to ask.
        for at in 0..answers.len() {
            if answers[at].1 == 0 {
                found[at] = Some(self.ended(asking, &mut answers[at], entities)?);
            }
        }
        self.run_procedures(&asked, &mut |workspace, question, handed| {
            let at = whose[question];
            let (plan, waiting, gathered) = &mut answers[at];
            match (handed, gathered) {
                (Handed::Rows(mut rows), Some(Gathered::Growing { run, last })) => {
                    // Names are learned anew for what is reported: a large population would fill the memory with them.
                    workspace.own_scopes(&mut rows, &mut Entities::default())?;
                    if let Some(item) = twice(&plan.procedure, last.iter().chain(&rows)) {
                        return Err(AppError::two_rows(&plan.procedure.id, item));
                    }
                    *last = rows.last().cloned();
                    run.take(&mut workspace.records, rows)?;
                }
                (Handed::Rows(mut rows), Some(Gathered::Rows(_, all))) => all.append(&mut rows),
                (Handed::Rows(_), None) => {}
                (Handed::All, _) => {
                    *waiting -= 1;
                    if *waiting == 0 {
                        found[at] = Some(workspace.ended(asking, &mut answers[at], entities)?);
                    }
                }
            }
            Ok(())
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    /// What became of a run that handed over all its rows.
    fn ended(
        &mut self,
        asking: &Asking<'_>,
        (plan, _, gathered): &mut (&Plan, usize, Option<Gathered<'_>>),
        entities: &mut Entities,
    ) -> Result<(Clean, Vec<Tested>), AppError> {
        match gathered.take() {
            Some(Gathered::Growing { run, .. }) => Ok(run.end(&mut self.records)?),
            Some(Gathered::Rows(task, rows)) => self.finished(asking, plan, task, rows, entities),
            None => Ok((Clean::default(), vec![])),
        }
    }

    /// Runs procedures, as many at once as the machine has cores, and hands over the rows of each in their order while it runs,
    /// by the place of its question.
    fn run_procedures(
        &mut self,
        asked: &[(&Procedure, String)],
        take: &mut dyn FnMut(&mut Self, usize, Handed) -> Result<(), AppError>,
    ) -> Result<(), AppError> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let readers = (0..cores.min(asked.len()))
            .map(|_| self.records.reader())
            .collect::<Result<Vec<_>, RecordsError>>()?;
        let next = AtomicUsize::new(0);
        let next = &next;
        let cancelled = Arc::new(AtomicBool::new(false));
        thread::scope(|scope| {
            let (sender, receiver) = mpsc::sync_channel::<(usize, Result<Handed, AppError>)>(4);
            for mut reader in readers {
                let (sender, cancelled) = (sender.clone(), Arc::clone(&cancelled));
                scope.spawn(move || {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some((procedure, sql)) = asked.get(at) else { break };
                        let ended = run(&mut reader, procedure, sql, &cancelled, &mut |rows| {
                            sender.send((at, Ok(Handed::Rows(rows)))).is_ok()
                        });
                        if sender.send((at, ended.map(|()| Handed::All))).is_err() {
                            // Nobody listens any more: one of the others failed.
                            break;
                        }
                    }
                });
            }
            drop(sender);
            let taken = receiver.into_iter().try_for_each(|(at, handed)| take(self, at, handed?));
            cancelled.store(taken.is_err(), Ordering::Relaxed);
            taken
        })
    }

    /// Whether none of these tables has a row: then there is nothing to count days for.
    fn is_empty(&mut self, tables: &[String]) -> Result<bool, AppError> {
        for name in tables {
            // Of a state nothing holds at the end of time, although it lasts.
            let lasts = self.catalog.table(name).is_some_and(|t| t.kind == TableKind::State);
            let history = if lasts { "_history" } else { "" };
            let sql = format!("SELECT count(*) AS n FROM {name}{history} t");
            let answer = self.query(&sql, Instant::FOREVER, None)?;
            if answer.rows.iter().flatten().any(|n| *n != Value::Integer(0)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts what a procedure asks of content into the records: the days it counts by, and the controls.
    pub(crate) fn ensure_content(
        &mut self,
        procedure: &Procedure,
        parameters: &BTreeMap<String, Value>,
        zone: &str,
    ) -> Result<(), AppError> {
        if procedure.tables.iter().any(|t| t.name == controls::CONTROL) {
            controls::keep_up(&mut self.records, &self.catalog)?;
        }
        if procedure.tables.iter().any(|t| t.name == "calendar_day")
            && let Some(Value::Text(name)) = parameters.get("calendar")
            && let Some(calendar) = self.catalog.calendars.get(name).cloned()
            && !calendar::is_there(&mut self.records, &calendar, zone)?
            && !self.is_empty(&procedure.population_tables)?
        {
            calendar::ensure(&mut self.records, &calendar, zone)?;
        }
        Ok(())
    }

    fn report(
        &mut self,
        procedure: &Procedure,
        assessment: Assessment,
        clean: &Clean,
        entities: &mut Entities,
    ) -> Result<ProcedureReport, AppError> {
        entities.learn(&mut self.records, assessment.items.iter().flat_map(|i| [i.item, i.scope]))?;
        // What an item's own key is unique within belongs to its name.
        entities.learn_scopes(&mut self.records, assessment.items.iter().map(|i| i.item))?;
        let counts = procedure.attributes.iter().map(|a| letter(&a.letter));
        let mut counts = clean.with(counts.map(|letter| (letter, assessment.counts(letter))).collect());
        let attributes: Vec<AttributeReport> = procedure
            .attributes
            .iter()
            .map(|a| {
                let letter = letter(&a.letter);
                let counts = counts.remove(&letter).unwrap_or_default();
                AttributeReport { letter, says: a.says.clone(), counts }
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
                let reason = match item.otherwise.get(&letter) {
                    Some(better) => Some(format!(
                        "{}{MOVED} `{better}`",
                        reason.map(|r| format!("{r}; ")).unwrap_or_default()
                    )),
                    None => reason,
                };
                reasons.extend(reason.map(|r| (letter, r)));
            }
            let Named { key, title, kind, own_scope, .. } = entities.of(item.item);
            let within = (own_scope != 0).then(|| entities.of(own_scope).key);
            let short = if key.len() == 40 { key[..12].to_owned() } else { item.label.clone() };
            let label = match title {
                Some(title) => format!("{short} {title}"),
                None => short.clone(),
            };
            items.push(ItemReport {
                item: key,
                scope: procedure.query.yields_scope().then(|| entities.of(item.scope).key),
                label,
                occurred_at: item.occurred_at,
                entry: item.entry,
                grade: item.grade,
                record: item.item,
                within: item.scope,
                waived: None,
                short,
                kind: (kind, within),
                verdicts: item.verdicts,
                reasons,
                otherwise: item.otherwise,
                versions: item
                    .parts
                    .into_iter()
                    .map(|(version, verdicts)| ItemVersion { version, verdicts })
                    .collect(),
            });
        }
        Ok(ProcedureReport {
            id: procedure.id.clone(),
            title: procedure.title.clone(),
            controls: procedure.controls.clone(),
            conclusion: Some(assessment.conclusion),
            held_back_by: assessment.held_back_by,
            population: items.len() + clean.population,
            population_is: procedure.population.clone(),
            attributes,
            items,
            uptime: None,
            versions: vec![],
            not_in_force: vec![],
            while_not_in_force: 0,
            set_aside: vec![],
            gaps,
            supplied_by: supplied_by.into_iter().collect(),
            how_to_fix: procedure.how_to_fix.clone(),
            content: procedure.content_hash.iter().map(|b| format!("{b:02x}")).collect(),
            reconciled: vec![],
            ran: vec![],
        })
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

/// What every run of an assessment is asked with.
struct Asking<'a> {
    question: &'a Question,
    position: u64,
    cut: &'a Scope,
    coverage: &'a CoverageMap,
    /// The one scope whose items count, where one is asked for.
    scope: Option<i64>,
}

impl Asking<'_> {
    fn known_at(&self) -> i64 {
        i64::try_from(self.position).unwrap_or(i64::MAX)
    }
}

/// What has to be asked for a run.
struct Task {
    /// Its text about everything.
    whole: String,
    /// The texts that are asked: that one, or one about each so many of the items that have to be judged again.
    sql: Vec<String>,
    /// What names it, where what it yields is remembered.
    name: Option<[u8; 32]>,
    /// What it yielded before, and the items that have to be judged again.
    before: Option<(Remembered, BTreeSet<i64>)>,
}

impl Task {
    /// The name of a run that is asked about everything, whose rows are judged and kept while they come: none of them is wanted
    /// by itself where it is in order.
    fn grows(&self, asking: &Asking<'_>, plan: &Plan) -> Option<[u8; 32]> {
        let grows =
            self.before.is_none() && asking.question.brief && plan.is_simple() && asking.scope.is_none();
        self.name.filter(|_| grows)
    }
}

/// What a run yielded up to now.
enum Gathered<'a> {
    /// Its rows.
    Rows(Task, Vec<Tested>),
    /// What is not in order, and its last row.
    Growing { run: Box<Growing<'a>>, last: Option<Tested> },
}

/// What a run hands over.
enum Handed {
    /// The next rows.
    Rows(Vec<Tested>),
    /// There are no more.
    All,
}

fn bindings_of(run: &Run, question: &Question, position: u64, scope: &Scope) -> Bindings {
    let as_of = Instant::from_ms(run.to.ms().min(question.cutoff.ms().saturating_add(1)) - 1);
    let period = Period { from: run.from, to: run.to, tz: question.period.tz.clone() };
    Bindings {
        scope: scope.clone(),
        ..bindings(&period, as_of, question.cutoff, Some(position), run.parameters.clone())
    }
}

/// An item that has two rows where it may have one.
fn twice<'r>(procedure: &Procedure, rows: impl Iterator<Item = &'r Tested>) -> Option<i64> {
    let several = procedure.query.yields_scope();
    let same = |a: &Tested, b: &Tested| {
        a.item == b.item && !(several && (a.scope, a.occurred_at) != (b.scope, b.occurred_at))
    };
    let mut before: Option<&Tested> = None;
    for row in rows {
        if before.replace(row).is_some_and(|before| same(before, row)) {
            return Some(row.item);
        }
    }
    None
}

/// Why a verdict that counts is not the better one.
const MOVED: &str = "two versions count here, of which one was not known then or is not known any more, and the other one says";

/// What was in force in each part, and what it says there.
fn versions_of(windows: Vec<(Window, Period, bool)>, judged: Vec<Judged>) -> Vec<VersionReport> {
    let report = |((window, period, proves), judged): ((Window, Period, bool), Judged)| {
        let mut sets = window.sets.into_iter();
        VersionReport {
            from: period.from,
            to: period.to,
            parameters: sets.next().unwrap_or_default(),
            entries: window.entries.into_iter().collect(),
            also_judged_by: sets.collect(),
            controls: window.controls,
            unclear: window.unclear,
            note: window.note,
            conclusion: proves.then_some(judged.conclusion),
            held_back_by: judged.held_back_by,
            population: judged.population,
            counts: judged.counts,
        }
    };
    windows.into_iter().zip(judged).map(report).collect()
}

/// What is said of the items that several procedures judge, asked for once.
#[derive(Default)]
struct Entities {
    known: HashMap<i64, Named>,
}

/// An item's names.
#[derive(Clone, Default)]
struct Named {
    /// Whose coverage counts.
    scope: i64,
    /// What the key is unique within.
    own_scope: i64,
    kind: String,
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
            let named =
                Named { scope, own_scope: entity.scope, kind: entity.kind, key: entity.key, title: None };
            self.known.insert(entity.id, named);
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

    /// Asks for what the keys of these entities, which are known, are unique within.
    fn learn_scopes(
        &mut self,
        records: &mut Records,
        ids: impl Iterator<Item = i64>,
    ) -> Result<(), RecordsError> {
        let scopes: BTreeSet<i64> =
            ids.filter_map(|id| self.known.get(&id)).map(|n| n.own_scope).filter(|id| *id != 0).collect();
        self.learn(records, scopes.into_iter())
    }

    /// Names of an entity that was learned of; a number that stands for none names itself.
    fn of(&self, id: i64) -> Named {
        self.known.get(&id).cloned().unwrap_or_else(|| Named { key: id.to_string(), ..Named::default() })
    }
}

/// Rows that are handed over at once.
const AT_ONCE: usize = 4_096;

/// Hands over the rows of a procedure, some at a time, until there are no more or nobody takes them.
fn run(
    reader: &mut Reader,
    procedure: &Procedure,
    sql: &str,
    cancelled: &Arc<AtomicBool>,
    hand: &mut dyn FnMut(Vec<Tested>) -> bool,
) -> Result<(), AppError> {
    let mut rows: Vec<Tested> = vec![];
    let mut broken = None;
    reader
        .run(sql, &Limits::of_a_procedure(), cancelled, &mut |row| {
            match tested_of(&procedure.query, row) {
                Ok(row) => rows.push(row),
                Err(found) => {
                    broken = Some(found);
                    return Go::Break(());
                }
            }
            match rows.len() < AT_ONCE || hand(std::mem::take(&mut rows)) {
                true => Go::Continue(()),
                false => Go::Break(()),
            }
        })
        .map_err(|source| AppError::Run { what: format!("the procedure `{}`", procedure.id), source })?;
    match broken {
        Some((item, what)) => Err(AppError::Procedure { procedure: procedure.id.clone(), item, what }),
        None => {
            hand(rows);
            Ok(())
        }
    }
}

pub(crate) fn letter(text: &str) -> Attribute {
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
                adverse_grade: a.adverse_grade,
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
    let stated = stated(records, known_at, Some(&BTreeSet::new()))?;
    let scopes: BTreeSet<i64> = stated.iter().map(|s| s.statement.scope).collect();
    let passed_over = left_out(&stated);
    let said = stated.into_iter().map(|s| s.statement);
    let map: CoverageMap = said.chain(passed_over).chain(always(&scopes)).collect();
    Ok((map.with_kinds(kinds(records, &scopes)?), scopes))
}

/// Of what kind scopes are: repositories, systems.
pub(crate) fn kinds(
    records: &mut Records,
    scopes: &BTreeSet<i64>,
) -> Result<BTreeMap<i64, String>, RecordsError> {
    Ok(records.entities_of(scopes)?.into_iter().map(|entity| (entity.id, entity.kind)).collect())
}

/// A statement as it stands in the records.
pub(crate) struct Row {
    /// The statement's own number.
    pub(crate) id: i64,
    /// When it was made.
    pub(crate) looked_at: Instant,
    /// What it says.
    pub(crate) statement: Statement,
}

/// Every statement that was known at a position.
pub(crate) fn statements(records: &mut Records, known_at: i64) -> Result<Vec<Row>, AppError> {
    let mut statements = vec![];
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
            let statement = Statement {
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
            };
            statements.push(Row { id: row.id, looked_at: row.collected_at, statement });
            Ok(())
        })?;
    }
    Ok(statements)
}

/// Tables that need nobody who looks.
pub(crate) const DERIVED_HERE: [&str; 4] = ["account_person", "person_alike", "repository", "control"];

/// What is known of every scope without a look: who is who and who looks alike is derived here, from every account there is, so
/// that it is never only partly looked at. Which repositories are examined, and which controls there are, this workspace says itself.
pub(crate) fn always(scopes: &BTreeSet<i64>) -> impl Iterator<Item = Statement> {
    let of = |scope: i64| {
        DERIVED_HERE.map(|table| Statement {
            scope,
            table: table.to_owned(),
            from: Instant::BEGINNING,
            to: Instant::FOREVER,
            status: CoverageStatus::Complete,
            reason: String::new(),
            grade: Grade::System,
        })
    };
    scopes.iter().flat_map(move |scope| of(*scope))
}
