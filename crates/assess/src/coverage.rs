//! Where a table was looked at: windows per scope and table, and the gaps between them.

use std::collections::{BTreeMap, BTreeSet};

use model::{CoverageStatus, Grade, Instant};

/// One statement of a source about a window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// The repository or source.
    pub scope: i64,
    /// The record table.
    pub table: String,
    /// First instant.
    pub from: Instant,
    /// First instant after.
    pub to: Instant,
    /// What the look yielded.
    pub status: CoverageStatus,
    /// Why it is not complete.
    pub reason: String,
    /// How far the look itself can be trusted.
    pub grade: Grade,
}

/// A window in which a table is unknown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// The repository or source; `None` when there is no source at all.
    pub scope: Option<i64>,
    /// The record table.
    pub table: String,
    /// First instant.
    pub from: Instant,
    /// First instant after.
    pub to: Instant,
    /// Why, for people.
    pub reason: String,
    /// Whether no source ever looked: connecting one is the way out.
    pub unfed: bool,
}

impl Gap {
    /// The gap of a table that no source feeds.
    #[must_use]
    pub fn unfed(table: &str, scope: Option<i64>, from: Instant, to: Instant) -> Self {
        let reason = format!("no source supplies `{table}` here");
        Self { scope, table: table.to_owned(), from, to, reason, unfed: true }
    }
}

/// Every statement known at a snapshot, by scope and table.
///
/// An instant is covered when a complete window holds it and no other window takes it away: a gap found later (history
/// was rewritten) stands against an earlier claim of completeness. What is said of the company as a whole (scope 0) is said
/// of every scope.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CoverageMap {
    statements: BTreeMap<i64, BTreeMap<String, Vec<Statement>>>,
    kinds: BTreeMap<i64, String>,
}

/// The company as a whole.
const COMPANY: i64 = 0;

impl FromIterator<Statement> for CoverageMap {
    fn from_iter<T: IntoIterator<Item = Statement>>(statements: T) -> Self {
        let mut map = Self::default();
        for s in statements {
            map.statements.entry(s.scope).or_default().entry(s.table.clone()).or_default().push(s);
        }
        map
    }
}

impl CoverageMap {
    /// The same, knowing of what kind its scopes are: repositories, systems.
    #[must_use]
    pub fn with_kinds(self, kinds: BTreeMap<i64, String>) -> Self {
        Self { kinds, ..self }
    }

    pub(crate) const fn by_scope(&self) -> &BTreeMap<i64, BTreeMap<String, Vec<Statement>>> {
        &self.statements
    }

    /// Those of `scopes` that a population drawn from `table` has to be proven for: of the kinds that anybody supplies it
    /// for. A system has no changes, and a repository no accounts; but a second repository has changes, though nobody
    /// supplied them yet. All of them where nobody supplies it at all.
    #[must_use]
    pub fn concerned(&self, table: &str, scopes: &BTreeSet<i64>) -> BTreeSet<i64> {
        let kind = |scope: &i64| self.kinds.get(scope);
        let supplied = self.statements.iter().filter(|(_, tables)| tables.contains_key(table));
        let kinds: BTreeSet<Option<&String>> = supplied.map(|(scope, _)| kind(scope)).collect();
        let concerned: BTreeSet<i64> =
            scopes.iter().copied().filter(|scope| kinds.contains(&kind(scope))).collect();
        if concerned.is_empty() { scopes.clone() } else { concerned }
    }

    /// Whether nobody ever said anything of `table`.
    #[must_use]
    pub fn is_unfed(&self, table: &str) -> bool {
        !self.statements.values().any(|tables| tables.contains_key(table))
    }

    pub(crate) fn of(&self, scope: i64, table: &str) -> impl Iterator<Item = &Statement> + Clone {
        let said_of = |scope: i64| self.statements.get(&scope).and_then(|tables| tables.get(table));
        let company = said_of(COMPANY).filter(|_| scope != COMPANY);
        said_of(scope).into_iter().chain(company).flatten()
    }

    fn complete(&self, scope: i64, table: &str) -> impl Iterator<Item = &Statement> {
        self.of(scope, table).filter(|s| s.status == CoverageStatus::Complete)
    }

    /// How well `table` was seen at `at`: the best grade of what covers it.
    ///
    /// # Errors
    /// Why it was not seen, or by nothing of at least `grade`.
    pub fn seen(&self, scope: i64, table: &str, at: Instant, grade: Grade) -> Result<Grade, String> {
        let mut statements = self.of(scope, table);
        let holding = statements.clone().filter(|s| s.from <= at && at < s.to);
        if let Some(gap) = holding.clone().find(|s| s.status != CoverageStatus::Complete) {
            return Err(spoken(gap));
        }
        match holding.map(|s| s.grade).max() {
            Some(best) if best >= grade => Ok(best),
            Some(_) => Err(format!("only text asserts `{table}` here; no source proves it")),
            None if statements.next().is_none() => Err(format!("no source supplies `{table}` here")),
            None => Err(format!("`{table}` was not looked at then")),
        }
    }

    /// How well `table` was seen throughout `[from, to)`: the grade of the instant at which that is worst.
    ///
    /// # Errors
    /// Why it was not seen at the first instant at which it was not.
    pub fn seen_within(
        &self,
        scope: i64,
        table: &str,
        from: Instant,
        to: Instant,
        grade: Grade,
    ) -> Result<Grade, String> {
        let bounds = bounds(self.of(scope, table), from, to);
        bounds[..bounds.len() - 1]
            .iter()
            .try_fold(Grade::System, |worst, at| Ok(worst.min(self.seen(scope, table, *at, grade)?)))
    }

    /// The windows of `[from, to)` in which `table` was not seen, by coverage of at least `grade`.
    #[must_use]
    pub fn unseen_windows(
        &self,
        scope: i64,
        table: &str,
        from: Instant,
        to: Instant,
        grade: Grade,
    ) -> Vec<(Instant, Instant)> {
        let bounds = bounds(self.of(scope, table), from, to);
        let unseen = |pair: &[Instant]| {
            (pair[0] < pair[1] && self.seen(scope, table, pair[0], grade).is_err())
                .then_some((pair[0], pair[1]))
        };
        bounds.windows(2).filter_map(unseen).collect()
    }

    /// The end of the last window in which `table` was completely seen.
    #[must_use]
    pub fn last(&self, scope: i64, table: &str) -> Option<Instant> {
        self.complete(scope, table).map(|s| s.to).max()
    }

    /// The beginning of the first window in which `table` was completely seen.
    #[must_use]
    pub fn first(&self, scope: i64, table: &str) -> Option<Instant> {
        self.complete(scope, table).map(|s| s.from).min()
    }

    /// Every statement again.
    pub fn into_statements(self) -> impl Iterator<Item = Statement> {
        self.statements.into_values().flat_map(BTreeMap::into_values).flatten()
    }

    /// The windows within `[from, to)` in which `table` is not covered in `scope`, in order of time.
    #[must_use]
    pub fn gaps(&self, scope: i64, table: &str, from: Instant, to: Instant) -> Vec<Gap> {
        if from >= to {
            return vec![];
        }
        let statements = self.of(scope, table);
        if statements.clone().next().is_none() {
            return vec![Gap::unfed(table, Some(scope), from, to)];
        }
        let mut gaps: Vec<Gap> = vec![];
        for pair in bounds(statements, from, to).windows(2) {
            // A population rests on what a source can list, whatever its grade: it is never typed in.
            let Err(reason) = self.seen(scope, table, pair[0], Grade::Asserted) else { continue };
            match gaps.last_mut() {
                Some(last) if last.to == pair[0] && last.reason == reason => last.to = pair[1],
                _ => gaps.push(Gap {
                    scope: Some(scope),
                    table: table.to_owned(),
                    from: pair[0],
                    to: pair[1],
                    reason,
                    unfed: false,
                }),
            }
        }
        gaps
    }
}

/// `from`, `to` and every instant between at which a statement begins or ends: what holds at one holds until the next.
pub(crate) fn bounds<'a>(
    statements: impl Iterator<Item = &'a Statement>,
    from: Instant,
    to: Instant,
) -> Vec<Instant> {
    let mut bounds = vec![from, to.max(from)];
    for s in statements {
        bounds.extend([s.from, s.to].into_iter().filter(|t| from < *t && *t < to));
    }
    bounds.sort_unstable();
    if to > from {
        bounds.dedup();
    }
    bounds
}

fn spoken(s: &Statement) -> String {
    let what = match s.status {
        CoverageStatus::Complete => "is complete",
        CoverageStatus::Partial => "is only partly known",
        CoverageStatus::NotPermitted => "may not be read with this credential",
        CoverageStatus::NotLicensed => "is not part of the plan",
        CoverageStatus::Expired => "is no longer kept by the source",
        CoverageStatus::Failed => "could not be read",
    };
    if s.reason.is_empty() {
        format!("`{}` {what} then", s.table)
    } else {
        format!("`{}` {what} then: {}", s.table, s.reason)
    }
}
