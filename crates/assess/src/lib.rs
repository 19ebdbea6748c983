//! Assessment: the rows a procedure yielded, the coverage of what it read and a period, joined into a result.
//!
//! A query cannot know where nobody looked. So this is where silence is kept apart from a clean sheet: a deviation
//! that rests on the absence of rows, and a pass that does, stand only where the absent table was looked at.

mod clean;
mod coverage;
mod part;
pub mod register;
pub mod retention;
pub mod rollup;
mod silence;
pub mod strip;
pub mod uptime;
mod version;
mod waiver;

use std::collections::{BTreeMap, BTreeSet};

use model::{Attribute, Conclusion, Grade, Instant, Period, Verdict};

pub use clean::{Clean, reach};
pub use coverage::{CoverageMap, Gap, Statement};
pub use part::{Judged, Part, assess_parts};
pub use silence::passed_over;
pub use version::{Knowledge, Version, changes, in_force};
pub use waiver::{Waivable, Waived, Waiver};

/// One attribute as the procedure declares it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttributeRule {
    /// Its letter.
    pub letter: Attribute,
    /// Tables whose absence of rows the attribute reads: a `deviation` rests on it.
    pub absent: Vec<String>,
    /// Tables a row of which is itself the deviation: a `pass` rests on their absence.
    pub adverse: Vec<String>,
    /// Tables without a row of which the attribute concerns nothing: a `not_applicable` rests on their absence.
    pub moot_without: Vec<String>,
    /// The least grade of coverage that proves an absence: that nobody typed a trailer proves nothing about a system.
    pub absent_grade: Grade,
    /// The same of the absence on which a `pass` rests.
    pub adverse_grade: Grade,
}

/// What a procedure asks of an assessment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    /// Tables whose coverage proves the population.
    pub population: Vec<String>,
    /// Whether an item lasts the whole period: then coverage counts over all of it.
    pub over_period: bool,
    /// Its attributes, in order.
    pub attributes: Vec<AttributeRule>,
}

/// A row as the procedure's query yielded it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tested {
    /// The entity.
    pub item: i64,
    /// The repository or source the entity belongs to: whose coverage counts.
    pub scope: i64,
    /// Short text for people, without personal data.
    pub label: String,
    /// The instant by which the item is attributed to the period.
    pub occurred_at: Instant,
    /// Ledger entry of the item's own record.
    pub entry: i64,
    /// The weakest grade of the evidence.
    pub grade: Grade,
    /// One verdict per attribute; `None` is NULL.
    pub verdicts: Vec<Option<Verdict>>,
    /// Per attribute the first instant whose silence it reads; empty when none reads what came before the item.
    pub since: Vec<Instant>,
    /// Per attribute the last instant whose silence it reads; empty when none reads more than the item's own instant.
    pub until: Vec<Instant>,
}

/// One item of the grid after coverage was applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// The entity.
    pub item: i64,
    /// Whose coverage counted.
    pub scope: i64,
    /// Short text for people.
    pub label: String,
    /// When it happened.
    pub occurred_at: Instant,
    /// Ledger entry of its own record.
    pub entry: i64,
    /// The weakest grade of the evidence.
    pub grade: Grade,
    /// One verdict per attribute.
    pub verdicts: BTreeMap<Attribute, Verdict>,
    /// Attributes whose verdict was taken back because somebody could not look, and why.
    pub capped: BTreeMap<Attribute, String>,
    /// Attributes that another version, which was not known then or is not known any more, judges better: its verdict, which
    /// does not count.
    pub otherwise: BTreeMap<Attribute, Verdict>,
    /// Which parts of the period it was judged in, with the verdicts of each, where there are several.
    pub parts: Vec<(usize, BTreeMap<Attribute, Verdict>)>,
}

impl Item {
    /// The verdict of the whole item: the one that most needs a look.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdicts.values().copied().min().unwrap_or(Verdict::NoEvidence)
    }
}

/// The result of a procedure over a period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assessment {
    /// What the tests say about operation.
    pub conclusion: Conclusion,
    /// Why it cannot be concluded; empty otherwise.
    pub held_back_by: Vec<String>,
    /// Every item of the population, ordered by entity.
    pub items: Vec<Item>,
    /// Windows of the period in which the population itself is unknown.
    pub gaps: Vec<Gap>,
}

impl Assessment {
    /// How many items have each verdict, per attribute. Every verdict is listed; the sum is the population.
    #[must_use]
    pub fn counts(&self, attribute: Attribute) -> BTreeMap<Verdict, usize> {
        counts(&self.items, attribute)
    }
}

fn counts(items: &[Item], attribute: Attribute) -> BTreeMap<Verdict, usize> {
    let mut counts: BTreeMap<Verdict, usize> = Verdict::ALL.iter().map(|v| (*v, 0)).collect();
    for item in items {
        if let Some(verdict) = item.verdicts.get(&attribute) {
            *counts.entry(*verdict).or_default() += 1;
        }
    }
    counts
}

/// Joins rows, coverage and period.
///
/// `scopes` are the repositories, systems and sources the population is drawn from: each that it concerns must be covered
/// over the period, up to `cutoff`, the last instant whose facts count. Without any scope nothing proves the population.
#[must_use]
pub fn assess(
    rules: &Rules,
    rows: Vec<Tested>,
    coverage: &CoverageMap,
    scopes: &BTreeSet<i64>,
    period: &Period,
    cutoff: Instant,
) -> Assessment {
    let items = judged(rules, rows, coverage, period, cutoff);
    said_of(items, gaps_of(rules, coverage, scopes, period, cutoff), &Clean::default())
}

/// The first instant that does not count, or that lies after the period.
fn end_of(period: &Period, cutoff: Instant) -> Instant {
    // The cut-off is the last instant that counts; a window ends with the first that does not.
    period.to.min(Instant::from_ms(cutoff.ms().saturating_add(1)))
}

/// Every row with what was not covered taken back, in order.
fn judged(
    rules: &Rules,
    rows: Vec<Tested>,
    coverage: &CoverageMap,
    period: &Period,
    cutoff: Instant,
) -> Vec<Item> {
    let whole = rules.over_period.then(|| (period.from, end_of(period, cutoff)));
    let mut items: Vec<Item> = rows.into_iter().map(|row| judge(rules, row, coverage, whole)).collect();
    items.sort_by_key(|i| (i.item, i.scope, i.occurred_at));
    items
}

/// Windows of the period in which the population itself is unknown.
fn gaps_of(
    rules: &Rules,
    coverage: &CoverageMap,
    scopes: &BTreeSet<i64>,
    period: &Period,
    cutoff: Instant,
) -> Vec<Gap> {
    let counted = Instant::from_ms(cutoff.ms().saturating_add(1));
    let end = end_of(period, cutoff);
    let mut gaps = vec![];
    for table in &rules.population {
        if scopes.is_empty() || scopes.len() > 1 && coverage.is_unfed(table) {
            gaps.push(Gap::unfed(table, None, period.from, period.to));
            continue;
        }
        for scope in coverage.concerned(table, scopes) {
            gaps.extend(coverage.gaps(scope, table, period.from, end));
        }
    }
    if counted < period.to {
        // The rest of the period has not happened, or does not count yet.
        gaps.push(Gap {
            scope: None,
            table: rules.population.first().cloned().unwrap_or_default(),
            from: counted.max(period.from),
            to: period.to,
            reason: "the period goes on after the last instant that was looked at".to_owned(),
            unfed: false,
        });
    }
    gaps
}

const UNTESTED: &str = "no item could be tested yet";

/// Whether any item is known to deviate, or to hold.
fn tested(items: &[Item]) -> bool {
    let deviates = |i: &Item| i.verdicts.values().any(|v| *v == Verdict::Deviation);
    items.iter().any(|i| deviates(i) || i.verdict() == Verdict::Pass)
}

/// The most that can be said of items and gaps, and of items beside them that are in order.
fn said_of(items: Vec<Item>, gaps: Vec<Gap>, clean: &Clean) -> Assessment {
    let population = items.len() + clean.population;
    let mut held_back_by = vec![];
    let unfinished =
        |verdict: Verdict| items.iter().filter(|i| i.verdicts.values().any(|v| *v == verdict)).count();
    if !gaps.is_empty() {
        held_back_by.push("the population is not proven for the whole period".to_owned());
    }
    for (verdict, what) in
        [(Verdict::NoEvidence, "without evidence"), (Verdict::NeedsJudgement, "for a person to judge")]
    {
        let n = unfinished(verdict);
        if n > 0 {
            held_back_by.push(format!("{n} of {population} {what}"));
        }
    }
    let deviations = unfinished(Verdict::Deviation) > 0;
    if held_back_by.is_empty() && population > 0 && !tested(&items) && clean.passed == 0 {
        held_back_by.push(UNTESTED.to_owned());
    }
    let conclusion = if !held_back_by.is_empty() {
        Conclusion::CannotConclude
    } else if population == 0 {
        Conclusion::DidNotOperate
    } else if deviations {
        Conclusion::ExceptionsNoted
    } else {
        Conclusion::NoExceptions
    };
    Assessment { conclusion, held_back_by, items, gaps }
}

fn judge(rules: &Rules, row: Tested, coverage: &CoverageMap, whole: Option<(Instant, Instant)>) -> Item {
    let mut verdicts = BTreeMap::new();
    let mut capped = BTreeMap::new();
    let mut grade = row.grade;
    for (position, rule) in rules.attributes.iter().enumerate() {
        let said = row.verdicts.get(position).copied().flatten();
        let (rests_on, least) = match said {
            Some(Verdict::Deviation) => (&rule.absent, rule.absent_grade),
            Some(Verdict::Pass) => (&rule.adverse, rule.adverse_grade),
            Some(Verdict::NotApplicable) => (&rule.moot_without, rule.absent_grade),
            _ => (&Vec::new(), rule.absent_grade),
        };
        let until = row.until.get(position).copied().unwrap_or(row.occurred_at);
        let since = row.since.get(position).copied().unwrap_or(row.occurred_at).min(row.occurred_at);
        let (mut from, mut to) = (since, Instant::from_ms(until.ms().saturating_add(1)));
        if let Some(whole) = whole {
            // What lasts the period may rest on what came before it, and be settled after it.
            (from, to) = (from.min(whole.0), to.max(whole.1));
        }
        let seen = rests_on.iter().try_fold(Grade::System, |worst, table| {
            Ok::<_, String>(worst.min(coverage.seen_within(row.scope, table, from, to, least)?))
        });
        let verdict = match seen {
            Err(reason) => {
                capped.insert(rule.letter, reason);
                Verdict::NoEvidence
            }
            Ok(seen) => {
                // What rests on silence is worth no more than the word of who says that it was silent.
                grade = grade.min(seen);
                said.unwrap_or(Verdict::NoEvidence)
            }
        };
        verdicts.insert(rule.letter, verdict);
    }
    Item {
        item: row.item,
        scope: row.scope,
        label: row.label,
        occurred_at: row.occurred_at,
        entry: row.entry,
        grade,
        verdicts,
        capped,
        otherwise: BTreeMap::new(),
        parts: vec![],
    }
}

#[cfg(test)]
mod tests;
