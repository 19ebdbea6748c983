//! What a scope rule would change, before it is made: populations, conclusions, and the items that leave or come.

use std::collections::BTreeMap;

use model::{Conclusion, Instant, Verdict};
use serde::Serialize;

use crate::assessment::{GapReport, ItemReport, ProcedureReport, Question, Report};
use crate::error::AppError;
use crate::scope::{NotTested, Raised, ScopeRule};
use crate::workspace::Workspace;

/// What a rule would change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Impact {
    /// First instant of the period it was tried on.
    pub from: Instant,
    /// First instant after.
    pub to: Instant,
    /// Ledger position of the snapshot.
    pub position: u64,
    /// The rule, and whether it would count.
    pub rule: ScopeRule,
    /// Procedures whose result would change, those that would lose a deviation first.
    pub procedures: Vec<ProcedureImpact>,
    /// Procedures that would not be run any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_tested: Vec<NotTested>,
    /// Procedures that would be run again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tested_again: Vec<NotTested>,
    /// What would be raised that is not now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub raised: Vec<Raised>,
}

/// What would change in one procedure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ProcedureImpact {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Controls it tests.
    pub controls: Vec<String>,
    /// Number of items now.
    pub before: usize,
    /// Number of items then.
    pub after: usize,
    /// What is concluded now.
    pub conclusion_before: Option<Conclusion>,
    /// What would be concluded.
    pub conclusion_after: Option<Conclusion>,
    /// Items that would leave, deviations first.
    pub leave: Vec<ImpactItem>,
    /// Items that would come.
    pub come: Vec<ImpactItem>,
    /// Items that stay, and would be judged otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub otherwise: Vec<ImpactItem>,
    /// Windows that would have to be looked at, and were not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<GapReport>,
}

/// An item that would leave, come, or be judged otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ImpactItem {
    /// Its key.
    pub item: String,
    /// Within what it is judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Short text for people.
    pub label: String,
    /// When it happened.
    pub occurred_at: Instant,
    /// Its verdict: the one it has, or would have if it comes.
    pub verdict: Verdict,
}

impl ProcedureImpact {
    /// How many deviations would leave the population.
    #[must_use]
    pub fn deviations_lost(&self) -> usize {
        self.leave.iter().filter(|item| item.verdict == Verdict::Deviation).count()
    }
}

impl Workspace {
    /// What a rule would change over a period. Nothing is appended.
    ///
    /// # Errors
    /// As [`Workspace::assess`].
    pub fn scope_impact(&mut self, question: &Question, rule: &ScopeRule) -> Result<Impact, AppError> {
        let position = self.position(question.known_at)?;
        let rules = self.scope_rules(position)?;
        let proposed = rules.with(rule.clone());
        let before = self.assess_under(question, position, &rules)?;
        let after = self.assess_under(question, position, &proposed)?;
        let settled = proposed.rules.iter().find(|r| r.key == rule.key).cloned();
        let mut procedures = changes(&before, &after);
        procedures.sort_by(|a, b| {
            (b.deviations_lost(), b.leave.len())
                .cmp(&(a.deviations_lost(), a.leave.len()))
                .then_with(|| (&a.controls, &a.id).cmp(&(&b.controls, &b.id)))
        });
        let listed = |report: &Report| report.scope.clone();
        let (was, is) = (listed(&before), listed(&after));
        let not_tested = |report: &Option<crate::scope::ScopeReport>| {
            report.as_ref().map(|r| r.not_tested.clone()).unwrap_or_default()
        };
        let raised = |report: &Option<crate::scope::ScopeReport>| {
            report.as_ref().map(|r| r.raised.clone()).unwrap_or_default()
        };
        let without = |all: Vec<NotTested>, others: &[NotTested]| -> Vec<NotTested> {
            all.into_iter().filter(|p| !others.contains(p)).collect()
        };
        let known = raised(&was);
        Ok(Impact {
            from: before.from,
            to: before.to,
            position,
            rule: settled.unwrap_or_else(|| rule.clone()),
            procedures,
            not_tested: without(not_tested(&is), &not_tested(&was)),
            tested_again: without(not_tested(&was), &not_tested(&is)),
            raised: raised(&is).into_iter().filter(|r| !known.contains(r)).collect(),
        })
    }
}

/// Procedures that do not say the same in both reports.
fn changes(before: &Report, after: &Report) -> Vec<ProcedureImpact> {
    let of = |report: &Report| -> BTreeMap<String, ProcedureReport> {
        report.procedures.iter().map(|p| (p.id.clone(), p.clone())).collect()
    };
    let (was, is) = (of(before), of(after));
    let mut changed = vec![];
    for id in was.keys().chain(is.keys().filter(|id| !was.contains_key(*id))) {
        let (one, two) = (was.get(id), is.get(id));
        let Some(either) = one.or(two) else { continue };
        let items =
            |report: Option<&ProcedureReport>| -> BTreeMap<(i64, Option<String>, Instant), ItemReport> {
                let all = report.into_iter().flat_map(|p| &p.items);
                all.map(|i| ((i.record, i.scope.clone(), i.occurred_at), i.clone())).collect()
            };
        let (old, new) = (items(one), items(two));
        let pick = |from: &BTreeMap<_, ItemReport>, without: &BTreeMap<_, ItemReport>| {
            let mut picked: Vec<ImpactItem> =
                from.iter().filter(|(key, _)| !without.contains_key(*key)).map(|(_, i)| short(i)).collect();
            // The verdict that most needs a look stands first.
            picked.sort_by(|a, b| {
                (a.verdict, a.occurred_at, &a.item).cmp(&(b.verdict, b.occurred_at, &b.item))
            });
            picked
        };
        let otherwise: Vec<ImpactItem> = new
            .iter()
            .filter(|(key, item)| old.get(*key).is_some_and(|o| o.verdicts != item.verdicts))
            .map(|(_, item)| short(item))
            .collect();
        let gaps_before = one.map(|p| p.gaps.as_slice()).unwrap_or_default();
        let impact = ProcedureImpact {
            id: id.clone(),
            title: either.title.clone(),
            controls: either.controls.clone(),
            before: old.len(),
            after: new.len(),
            conclusion_before: one.and_then(|p| p.conclusion),
            conclusion_after: two.and_then(|p| p.conclusion),
            leave: pick(&old, &new),
            come: pick(&new, &old),
            otherwise,
            gaps: two
                .iter()
                .flat_map(|p| &p.gaps)
                .filter(|gap| !gaps_before.contains(gap))
                .cloned()
                .collect(),
        };
        let same = impact.leave.is_empty()
            && impact.come.is_empty()
            && impact.otherwise.is_empty()
            && impact.gaps.is_empty()
            && impact.conclusion_before == impact.conclusion_after;
        if !same {
            changed.push(impact);
        }
    }
    changed
}

fn short(item: &ItemReport) -> ImpactItem {
    ImpactItem {
        item: item.item.clone(),
        scope: item.scope.clone(),
        label: item.label.clone(),
        occurred_at: item.occurred_at,
        verdict: item.verdict(),
    }
}
