//! For how long controls held: a procedure's stretches of time, joined with coverage and the versions in force.

use std::collections::{BTreeMap, BTreeSet};

use assess::uptime::{Interval, Span, State, Stretch, UptimeRules, joined, lasted, together, unseen, uptime};
use assess::{CoverageMap, Tested};
use catalog::{Bindings, Procedure, written_out};
use model::{Grade, Instant, Period, Scope, Value};
use serde::Serialize;
use store::records::{Limits, Reader};

use crate::assessment::Question;
use crate::error::AppError;
use crate::judging::{Plan, Run};
use crate::question::bindings;
use crate::workspace::Workspace;

/// For how long a control held over a period. The four sums are the period.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct UptimeReport {
    /// Every item is known to have held.
    pub up_ms: i64,
    /// Some item is known not to have held.
    pub down_ms: i64,
    /// Nobody can say.
    pub unknown_ms: i64,
    /// Nothing had to hold.
    pub not_applicable_ms: i64,
    /// The period, in intervals that follow each other.
    pub intervals: Vec<IntervalReport>,
    /// The same of every item.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemUptime>,
}

/// A stretch of time in one state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct IntervalReport {
    /// First instant.
    pub from: Instant,
    /// First instant after.
    pub to: Instant,
    /// `up`, `down`, `unknown` or `not_applicable`.
    pub state: &'static str,
}

/// For how long one item held.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ItemUptime {
    /// The item's number in the records.
    pub record: i64,
    /// Its key at the source.
    pub item: String,
    /// How long, and when.
    #[serde(flatten)]
    pub uptime: UptimeReport,
}

impl UptimeReport {
    fn of(intervals: &[Interval]) -> Self {
        let sums = lasted(intervals);
        let sum = |state| sums.get(&state).copied().unwrap_or(0);
        let said = |i: &Interval| IntervalReport { from: i.from, to: i.to, state: i.state.word() };
        Self {
            up_ms: sum(State::Up),
            down_ms: sum(State::Down),
            unknown_ms: sum(State::Unknown),
            not_applicable_ms: sum(State::NotApplicable),
            intervals: intervals.iter().map(said).collect(),
            items: vec![],
        }
    }
}

/// What an uptime asks of coverage; `None` where the procedure has none.
#[must_use]
pub fn uptime_rules_of(procedure: &Procedure) -> Option<UptimeRules> {
    procedure.uptime.as_ref().map(|uptime| UptimeRules {
        covered: uptime.covered.clone(),
        grade: uptime.grade,
        silence_is_down: uptime.silence_is_down,
    })
}

/// A row of an uptime: `item, starts_at, ends_at, verdict`.
///
/// # Errors
/// What the row yields that it may not.
pub fn stretch_of(row: &[Value]) -> Result<(i64, Stretch), String> {
    let [Value::Integer(item), from, to, verdict] = row else { return Err(format!("{row:?} for a stretch")) };
    let instant = |value: &Value| match value {
        Value::Null => Ok(None),
        Value::Integer(ms) => Ok(Some(Instant::from_ms(*ms))),
        Value::Text(text) => Err(format!("`{text}` for an instant")),
    };
    let verdict = match verdict {
        Value::Null => None,
        Value::Text(word) => Some(word.parse()?),
        Value::Integer(n) => return Err(format!("{n} for a verdict")),
    };
    Ok((*item, Stretch { from: instant(from)?, to: instant(to)?, verdict }))
}

/// That of the whole, and of each item by its number.
pub(crate) type Uptimes = (UptimeReport, BTreeMap<i64, UptimeReport>);

/// What an uptime is asked of.
pub(crate) struct Asked<'a> {
    pub(crate) question: &'a Question,
    pub(crate) position: u64,
    pub(crate) coverage: &'a CoverageMap,
    pub(crate) scopes: &'a BTreeSet<i64>,
    pub(crate) cut: &'a Scope,
}

impl Workspace {
    /// For how long each item held, and all of them together: the intervals of the whole, and of each item by its number.
    pub(crate) fn uptime(&self, plan: &Plan, asked: &Asked<'_>) -> Result<Option<Uptimes>, AppError> {
        let Some(rules) = uptime_rules_of(&plan.procedure) else { return Ok(None) };
        let mut reader = self.records.reader()?;
        let mut whole: Vec<Interval> = vec![];
        let mut of_item: BTreeMap<i64, Vec<Interval>> = BTreeMap::new();
        let mut filled = asked.question.period.from;
        // Where a control was not in force nothing had to hold.
        let moot = |from, to| Interval { from, to, state: State::NotApplicable };
        for (days, window, runs) in plan.of_period() {
            let span = span(&days, asked.question.cutoff);
            let mut readings: Vec<BTreeMap<i64, Vec<Interval>>> = vec![];
            for run in &runs {
                let rows = plan.runs.get(run).map_or(&[][..], Vec::as_slice);
                let found = self.stretches(&mut reader, &plan.procedure, run, asked)?;
                readings.push(items_of(&rules, rows, &found, asked.coverage, span));
            }
            let ids: BTreeSet<i64> = readings.iter().flat_map(|r| r.keys().copied()).collect();
            let population = &plan.procedure.population_tables;
            let mut blind: Vec<(Instant, Instant)> = vec![];
            for table in population {
                for scope in asked.coverage.concerned(table, asked.scopes) {
                    let unseen =
                        asked.coverage.unseen_windows(scope, table, span.from, span.end, Grade::Asserted);
                    blind.extend(unseen);
                }
            }
            if asked.scopes.is_empty() || window.unclear.is_some() {
                blind.push((span.from, span.end));
            }
            if filled < days.from {
                whole.push(moot(filled, days.from));
            }
            let mut counted: Vec<Vec<Interval>> = vec![];
            for id in ids {
                // Of several readings the worst counts. Nothing is known by a version that nobody can name.
                let all = readings.iter().filter_map(|r| r.get(&id)).map(Vec::as_slice);
                let mut intervals = together(all, &[], span);
                if window.unclear.is_some() {
                    intervals = vec![Interval { from: span.from, to: span.to, state: State::Unknown }];
                }
                let item = of_item.entry(id).or_default();
                let since = item.last().map_or(asked.question.period.from, |last| last.to);
                if since < days.from {
                    item.push(moot(since, days.from));
                }
                item.extend(intervals.iter().copied());
                counted.push(intervals);
            }
            whole.extend(together(counted.iter().map(Vec::as_slice), &blind, span));
            filled = days.to;
        }
        let end = asked.question.period.to;
        if filled < end {
            whole.push(moot(filled, end));
        }
        let items = of_item
            .into_iter()
            .map(|(id, mut intervals)| {
                if let Some(last) = intervals.last().map(|l| l.to).filter(|last| *last < end) {
                    intervals.push(moot(last, end));
                }
                (id, UptimeReport::of(&joined(intervals)))
            })
            .collect();
        Ok(Some((UptimeReport::of(&joined(whole)), items)))
    }

    /// What the procedure found, by item.
    fn stretches(
        &self,
        reader: &mut Reader,
        procedure: &Procedure,
        run: &Run,
        asked: &Asked<'_>,
    ) -> Result<BTreeMap<i64, Vec<Stretch>>, AppError> {
        let Some(uptime) = &procedure.uptime else { return Ok(BTreeMap::new()) };
        let cutoff = asked.question.cutoff;
        let period = Period { from: run.from, to: run.to, tz: asked.question.period.tz.clone() };
        let as_of = Instant::from_ms(run.to.ms().min(cutoff.ms().saturating_add(1)) - 1);
        let bindings = Bindings {
            scope: asked.cut.clone(),
            ..bindings(&period, as_of, cutoff, Some(asked.position), run.parameters.clone())
        };
        let sql = written_out(&uptime.query, &bindings, self.engine()).map_err(AppError::Problems)?;
        let (_, rows) = reader.collect(&sql, &Limits::default()).map_err(|source| AppError::Run {
            what: format!("the uptime of the procedure `{}`", procedure.id),
            source,
        })?;
        let mut found: BTreeMap<i64, Vec<Stretch>> = BTreeMap::new();
        for row in rows {
            let (item, stretch) = stretch_of(&row).map_err(|what| AppError::Procedure {
                procedure: procedure.id.clone(),
                item: 0,
                what,
            })?;
            found.entry(item).or_default().push(stretch);
        }
        Ok(found)
    }
}

fn span(days: &Period, cutoff: Instant) -> Span {
    let counted = Instant::from_ms(cutoff.ms().saturating_add(1));
    Span { from: days.from, end: days.to.min(counted), to: days.to }
}

/// The states of each item of a population, by one reading.
fn items_of(
    rules: &UptimeRules,
    rows: &[Tested],
    found: &BTreeMap<i64, Vec<Stretch>>,
    coverage: &CoverageMap,
    span: Span,
) -> BTreeMap<i64, Vec<Interval>> {
    let mut blind: BTreeMap<i64, Vec<(Instant, Instant)>> = BTreeMap::new();
    let mut items = BTreeMap::new();
    for row in rows {
        let unseen = blind.entry(row.scope).or_insert_with(|| unseen(rules, coverage, row.scope, span));
        let stretches = found.get(&row.item).map_or(&[][..], Vec::as_slice);
        items.insert(row.item, uptime(stretches, unseen, rules.silence_is_down, span));
    }
    items
}
