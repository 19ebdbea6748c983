//! Items that are in order, told by their number alone: of a million changes a reader wants to see the hundred that are not.

use std::collections::BTreeMap;

use model::{Attribute, Instant, Verdict};

use crate::{CoverageMap, Item, Rules, Tested, judge};

/// Items every attribute of which passes or concerns nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Clean {
    /// How many they are.
    pub population: usize,
    /// Of these, how many pass by every attribute.
    pub passed: usize,
    /// How many have each verdict, per attribute.
    pub counts: BTreeMap<Attribute, BTreeMap<Verdict, usize>>,
}

impl Item {
    /// Whether every attribute passes or concerns nothing.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.verdicts.values().all(|v| matches!(v, Verdict::Pass | Verdict::NotApplicable))
    }
}

impl Clean {
    /// Tells the rows of a period in one part that are in order from the others, which are given back.
    #[must_use]
    pub fn of(rules: &Rules, rows: Vec<Tested>, coverage: &CoverageMap) -> (Self, Vec<Tested>) {
        let mut clean = Self::default();
        let mut others = vec![];
        for row in rows {
            // A row's judgement is a matter of the row and of coverage, unless it lasts the period.
            let item = judge(rules, row.clone(), coverage, None);
            if rules.over_period || !item.is_clean() {
                others.push(row);
                continue;
            }
            clean.population += 1;
            clean.passed += usize::from(item.verdict() == Verdict::Pass);
            for (letter, verdict) in item.verdicts {
                *clean.counts.entry(letter).or_default().entry(verdict).or_default() += 1;
            }
        }
        (clean, others)
    }

    /// These and others together.
    pub fn add(&mut self, other: &Self) {
        self.population += other.population;
        self.passed += other.passed;
        for (letter, counts) in &other.counts {
            for (verdict, n) in counts {
                *self.counts.entry(*letter).or_default().entry(*verdict).or_default() += n;
            }
        }
    }

    /// Counts with these counted in.
    #[must_use]
    pub fn with(
        &self,
        mut counts: BTreeMap<Attribute, BTreeMap<Verdict, usize>>,
    ) -> BTreeMap<Attribute, BTreeMap<Verdict, usize>> {
        for (letter, counts) in &mut counts {
            for (verdict, n) in self.counts.get(letter).into_iter().flatten() {
                *counts.entry(*verdict).or_default() += n;
            }
        }
        counts
    }
}

impl CoverageMap {
    /// Everything that the judgement of rows of a scope by these rules can take from coverage, where all that they read of silence
    /// lies in `[from, to)`: two maps that say the same of it judge the rows alike.
    pub fn said_within(
        &self,
        rules: &Rules,
        scope: i64,
        from: Instant,
        to: Instant,
        mut each: impl FnMut(&str),
    ) {
        let mut tables: Vec<&String> = rules
            .attributes
            .iter()
            .flat_map(|a| a.absent.iter().chain(&a.adverse).chain(&a.moot_without))
            .collect();
        tables.sort_unstable();
        tables.dedup();
        for table in tables {
            let mut any = false;
            each(table);
            for said in self.of(scope, table) {
                any = true;
                let (first, last) = (said.from.max(from), said.to.min(to));
                if first < last {
                    each(&format!("{first:?} {last:?} {:?} {:?} {}", said.status, said.grade, said.reason));
                }
            }
            each(if any { "." } else { "-" });
        }
    }
}

/// The window whose silence the attributes of a row read, where it does not last the period.
#[must_use]
pub fn reach(row: &Tested) -> (Instant, Instant) {
    let since = row.since.iter().copied().min().unwrap_or(row.occurred_at).min(row.occurred_at);
    let until = row.until.iter().copied().max().unwrap_or(row.occurred_at).max(row.occurred_at);
    (since, Instant::from_ms(until.ms().saturating_add(1)))
}
