//! How a procedure is run over a period whose rules changed: which values it runs with, over which days, and which of its
//! rows count in which part.
//!
//! A procedure about events runs over the whole period once with each set of values, and an item counts in the run of the
//! version that was in force when it happened. One whose items last the period runs over each part by itself.

use std::collections::{BTreeMap, BTreeSet};

use assess::{Clean, Part, Tested};
use catalog::Procedure;
use model::{Instant, Period};
use serde::Serialize;

use crate::assessment::NotInForce;
use crate::versions::{ControlVersion, Parameters, Window, window_at};

/// One run of a procedure.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Run {
    pub(crate) from: Instant,
    pub(crate) to: Instant,
    pub(crate) parameters: Parameters,
}

/// What a procedure is asked, and what it answered so far.
pub(crate) struct Plan {
    pub(crate) procedure: Procedure,
    period: Period,
    windows: Vec<Window>,
    pub(crate) runs: BTreeMap<Run, Vec<Tested>>,
    /// Items that are in order and stand in none of the runs.
    pub(crate) clean: Clean,
}

/// A period in its parts, each with what was in force, its days, and whether it has to be proven.
pub(crate) struct Parted {
    pub(crate) procedure: Procedure,
    pub(crate) windows: Vec<(Window, Period, bool)>,
    pub(crate) parts: Vec<Part>,
    pub(crate) not_in_force: Vec<OutOfForce>,
    pub(crate) while_not_in_force: usize,
}

/// A part of a period in which none of a procedure's controls was in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OutOfForce {
    /// First instant.
    pub from: Instant,
    /// First instant after.
    pub to: Instant,
    /// What became of the controls; empty before they were adopted.
    pub controls: Vec<ControlVersion>,
}

impl Plan {
    /// `Err` where none of the procedure's controls is in force at any time of the period.
    pub(crate) fn new(
        procedure: Procedure,
        windows: Vec<Window>,
        period: &Period,
    ) -> Result<Self, Box<NotInForce>> {
        let plan = Self {
            procedure,
            period: period.clone(),
            windows,
            runs: BTreeMap::new(),
            clean: Clean::default(),
        };
        if plan.tested().next().is_none() {
            let Procedure { id, title, controls, .. } = plan.procedure;
            let last = plan.windows.iter().rfind(|w| w.within(period).is_some());
            let versions = last.map(|w| w.controls.clone()).unwrap_or_default();
            return Err(Box::new(NotInForce { id, title, controls, versions }));
        }
        Ok(plan)
    }

    /// Windows of the period in which there is nothing to test.
    fn out_of_force(&self) -> Vec<OutOfForce> {
        let out = |w: &Window| {
            let Period { from, to, .. } = w.within(&self.period)?;
            Some(OutOfForce { from, to, controls: w.controls.clone() })
        };
        self.windows.iter().filter(|w| !w.in_force).filter_map(out).collect()
    }

    /// Each part of the period with the runs that judge it.
    pub(crate) fn of_period(&self) -> Vec<(Period, &Window, Vec<Run>)> {
        self.tested().map(|(_, w, days)| (days.clone(), w, self.runs_of(w, &days))).collect()
    }

    /// Windows of the period in which there is something to test, by their place.
    fn tested(&self) -> impl Iterator<Item = (usize, &Window, Period)> {
        let within = |(n, w)| Some((n, w, Window::within(w, &self.period)?));
        self.windows.iter().enumerate().filter(|(_, w)| w.in_force).filter_map(within)
    }

    /// A window's runs: over its own days where items last the period, else over all of it.
    fn runs_of(&self, window: &Window, days: &Period) -> Vec<Run> {
        let days = if self.procedure.over_period { days } else { &self.period };
        let run =
            |parameters: &Parameters| Run { from: days.from, to: days.to, parameters: parameters.clone() };
        window.sets.iter().map(run).collect()
    }

    /// Runs that are still to be made.
    pub(crate) fn missing(&self) -> Vec<Run> {
        let mut wanted: BTreeSet<Run> =
            self.tested().flat_map(|(_, window, days)| self.runs_of(window, &days)).collect();
        if self.has_windows() {
            // What began before the period is judged by what was in force then.
            let outside: BTreeSet<usize> = self
                .runs
                .values()
                .flatten()
                .filter(|row| !self.period.contains(row.occurred_at))
                .map(|row| window_at(&self.windows, row.occurred_at))
                .collect();
            let of_window = |n| &self.windows[n];
            let in_force = outside.into_iter().map(of_window).filter(|w: &&Window| w.in_force);
            wanted.extend(in_force.flat_map(|window| self.runs_of(window, &self.period)));
        }
        wanted.into_iter().filter(|run| !self.runs.contains_key(run)).collect()
    }

    /// Whether rows have to be told apart by when they happened.
    fn has_windows(&self) -> bool {
        !self.procedure.over_period && self.windows.len() > 1
    }

    /// Whether each item is judged once, by one version, and at its own instant.
    pub(crate) fn is_simple(&self) -> bool {
        let once = |window: &Window| window.sets.len() == 1 && window.in_force && window.unclear.is_none();
        !self.procedure.over_period && matches!(self.windows.as_slice(), [window] if once(window))
    }

    /// The period in its parts, with what the runs yielded.
    pub(crate) fn parted(mut self) -> Parted {
        let mut windows: Vec<(usize, Window, Period, bool)> =
            self.tested().map(|(n, w, days)| (n, w.clone(), days, true)).collect();
        let part = |readings: Vec<Vec<Tested>>, window: &Window, period: &Period, proves| Part {
            period: period.clone(),
            proves,
            readings,
            unclear: window.unclear.clone(),
            unplaced: vec![],
        };
        let mut runs = std::mem::take(&mut self.runs);
        let not_in_force = self.out_of_force();
        if !self.has_windows() {
            let mut parts = vec![];
            for (_, window, days, proves) in &windows {
                let readings = self
                    .runs_of(window, days)
                    .iter()
                    .map(|run| runs.remove(run).unwrap_or_default())
                    .collect();
                parts.push(part(readings, window, days, *proves));
            }
            let windows = windows.into_iter().map(|(_, w, days, proves)| (w, days, proves)).collect();
            return Parted { procedure: self.procedure, windows, parts, not_in_force, while_not_in_force: 0 };
        }

        // Rows by the window in which they happened, as far as the run is one of the window's; the others are kept apart.
        let several = self.procedure.query.yields_scope();
        let key = |row: &Tested| (row.item, several.then_some((row.scope, row.occurred_at)));
        let mut placed: BTreeMap<(usize, usize), Vec<Tested>> = BTreeMap::new();
        let mut keys = BTreeSet::new();
        let mut of_run: BTreeMap<&Parameters, BTreeSet<_>> = BTreeMap::new();
        let mut others: Vec<(usize, Tested)> = vec![];
        let mut outside = BTreeSet::new();
        for (run, rows) in &mut runs {
            let yielded = of_run.entry(&run.parameters).or_default();
            for row in rows.drain(..) {
                let n = window_at(&self.windows, row.occurred_at);
                let window = &self.windows[n];
                yielded.insert(key(&row));
                if !window.in_force {
                    outside.insert(key(&row));
                } else if let Some(set) = window.sets.iter().position(|set| *set == run.parameters) {
                    keys.insert(key(&row));
                    placed.entry((n, set)).or_default().push(row);
                } else {
                    others.push((n, row));
                }
            }
        }
        // An item that no version claims: where the version of its time knows it too, and dates it into another's, they
        // disagree on when it happened. Where it does not know it, it is none of the population.
        let mut unplaced: BTreeMap<usize, Vec<Tested>> = BTreeMap::new();
        for (n, row) in others {
            let known = self.windows[n]
                .sets
                .iter()
                .any(|set| of_run.get(set).is_some_and(|y| y.contains(&key(&row))));
            if known && !keys.contains(&key(&row)) {
                keys.insert(key(&row));
                unplaced.entry(n).or_default().push(row);
            }
        }
        // Windows beside the period, for what began there.
        let beside: BTreeSet<usize> =
            placed.keys().map(|(n, _)| *n).chain(unplaced.keys().copied()).collect();
        for n in beside {
            if windows.iter().any(|(tested, ..)| *tested == n) {
                continue;
            }
            let window = self.windows[n].clone();
            let days = Period { from: window.from, to: window.to, tz: self.period.tz.clone() };
            windows.push((n, window, days, false));
        }
        windows.sort_by_key(|(n, ..)| *n);
        let mut parts = vec![];
        for (n, window, days, proves) in &windows {
            let readings =
                (0..window.sets.len()).map(|set| placed.remove(&(*n, set)).unwrap_or_default()).collect();
            let unplaced = unplaced.remove(n).unwrap_or_default();
            parts.push(Part { unplaced, ..part(readings, window, days, *proves) });
        }
        Parted {
            procedure: self.procedure,
            windows: windows.into_iter().map(|(_, w, days, proves)| (w, days, proves)).collect(),
            parts,
            not_in_force,
            while_not_in_force: outside.difference(&keys).count(),
        }
    }
}
