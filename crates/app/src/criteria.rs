//! Controls with their two conclusions, and what is proposed of each criterion to the person who decides about it.

use std::collections::BTreeMap;

use assess::rollup::{
    Concluded, ControlFacts, Design, Exception, Mapped, Proposal, Proposed, Test, decision_refused, design,
    propose,
};
use catalog::{Control, Procedure};
use model::{Conclusion, Instant};
use serde::Serialize;

use crate::assessment::{Question, Report};
use crate::browse::EvidenceEntry;
use crate::deviation::{DeviationReport, Deviations, Found};
use crate::error::AppError;
use crate::looked::AlarmReport;
use crate::question::{instant, integer, text};
use crate::workspace::Workspace;

/// Controls and criteria over a period, or at a date.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Criteria {
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
    /// Whether a date was asked about: then nothing is said about operation.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub at_a_date: bool,
    /// Every control.
    pub controls: Vec<ControlReport>,
    /// Every criterion.
    pub criteria: Vec<CriterionReport>,
    /// Streams that have to be collected before their source forgets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<AlarmReport>,
}

/// A control with its two conclusions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ControlReport {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What is done.
    pub statement: String,
    /// The version of that statement.
    pub statement_version: String,
    /// The role that owns it.
    pub owner_role: String,
    /// The person who answers for it; absent when nobody is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Criteria it answers to.
    pub criteria: Vec<MappedTo>,
    /// `suitable`, `not_suitable` or `cannot_conclude`.
    pub design: &'static str,
    /// Why the design cannot be concluded.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub design_because: String,
    /// How it operated; absent at a date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Conclusion>,
    /// What holds that back or qualifies it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operation_because: Vec<String>,
    /// Its procedures.
    pub procedures: Vec<String>,
    /// What a person gathers for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceEntry>,
    /// Names of its deviations, those that are not found any more included.
    pub deviations: Vec<String>,
    /// Of these, how many an approved waiver covers: they stay deviations.
    pub waived: usize,
}

/// A criterion that a control answers to, or the other way round.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct MappedTo {
    /// The criterion's or control's id.
    pub id: String,
    /// Whether the criterion rests on the control.
    pub key: bool,
}

/// A criterion with what is proposed of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CriterionReport {
    /// Its number.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its category.
    pub category: &'static str,
    /// Controls that answer to it.
    pub controls: Vec<MappedTo>,
    /// `met`, `met_with_exceptions`, `cannot_conclude` or `not_met`: what a person may decide at best.
    pub proposal: &'static str,
    /// Why, the worst first.
    pub because: Vec<String>,
    /// Remarks that change nothing: who is missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// What a person decided last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionReport>,
}

impl CriterionReport {
    /// Why a person may not decide so.
    #[must_use]
    pub fn refusal(&self, decision: &str) -> Option<String> {
        decision_refused(Proposal::named(decision)?, &self.proposed()?)
    }

    fn proposed(&self) -> Option<Proposed> {
        Some(Proposed { proposal: Proposal::named(self.proposal)?, because: self.because.clone() })
    }
}

/// A decision about a criterion.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DecisionReport {
    /// What was decided.
    pub decision: String,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    pub reason: String,
    /// Its ledger entry.
    pub entry: i64,
    /// When the ledger took it.
    pub at: Instant,
    /// Ledger position of the snapshot it was decided in view of.
    pub position: i64,
    /// What was proposed then.
    pub proposal: String,
    /// Why it does not hold any more, or never did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale: Option<String>,
    /// How many decisions came before it.
    pub earlier: usize,
}

/// A row of a table of decisions: who, with its entry and instant.
struct Rows {
    rows: Vec<Vec<model::Value>>,
    keys: BTreeMap<i64, String>,
}

/// That somebody answers for a control.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ownership {
    /// The key of its row.
    pub key: String,
    /// System and key of the account that does; `None` when nobody says whose.
    pub owner: Option<(String, String)>,
    /// From when.
    pub valid_from: Instant,
}

impl Workspace {
    /// The two conclusions of every control, and what is proposed of every criterion.
    ///
    /// # Errors
    /// As [`Workspace::assess`].
    pub fn criteria(&mut self, question: &Question, now: Instant) -> Result<Criteria, AppError> {
        let (report, deviations) = self.examined(question, now)?;
        self.criteria_of(question, &report, &deviations)
    }

    /// The same of an assessment that is there already.
    pub(crate) fn criteria_of(
        &mut self,
        question: &Question,
        report: &Report,
        deviations: &Deviations,
    ) -> Result<Criteria, AppError> {
        let known_at = Some(report.position);
        let concluded = self.concluded(known_at)?;
        let owners = self.owners(known_at, report.cutoff)?;
        let mut facts: BTreeMap<String, ControlFacts> = BTreeMap::new();
        let mut controls = vec![];
        for control in self.catalog.controls.values() {
            let said = concluded.get(&control.id).map_or(&[][..], Vec::as_slice);
            let of: Vec<&DeviationReport> = deviations
                .deviations
                .iter()
                .filter(|d| d.controls.contains(&control.id) && counts(d, question.at_a_date))
                .collect();
            let doubts = self.catalog.in_doubt.get(&control.id).map_or(&[][..], Vec::as_slice);
            let known = facts_of(control, said, &of, report, doubts);
            controls.push(described(control, &known, &of, owners.get(&control.id), report));
            facts.insert(control.id.clone(), known);
        }
        let decisions = self.criterion_decisions(known_at)?;
        let mut criteria = vec![];
        for criterion in &self.catalog.criteria {
            let answering: Vec<(&Control, bool)> = self
                .catalog
                .controls_of(&criterion.id)
                .map(|control| (control, control.key.contains(&criterion.id)))
                .collect();
            let mapped: Vec<Mapped<'_>> =
                answering.iter().map(|(control, key)| Mapped { control: &control.id, key: *key }).collect();
            let proposed = propose(&mapped, &facts, report.at_a_date);
            let remarks = answering
                .iter()
                .filter(|(control, _)| !owners.contains_key(&control.id))
                .map(|(control, _)| {
                    format!("{} has no owner: nobody is named for {}", control.id, control.owner_role)
                })
                .collect();
            let decision = decisions
                .get(&(criterion.id.clone(), report.from, report.to))
                .and_then(|all| all.last().map(|last| (last, all.len() - 1)))
                .map(|(last, earlier)| DecisionReport {
                    stale: stale(last, &proposed, report.position),
                    earlier,
                    ..last.clone()
                });
            criteria.push(CriterionReport {
                id: criterion.id.clone(),
                title: criterion.title.clone(),
                category: criterion.category(),
                controls: answering
                    .iter()
                    .map(|(control, key)| MappedTo { id: control.id.clone(), key: *key })
                    .collect(),
                proposal: proposed.proposal.word(),
                because: proposed.because,
                remarks,
                decision,
            });
        }
        let Report { from, to, tz, cutoff, position, at_a_date, alarms, .. } = report;
        let (from, to, tz, cutoff, position, at_a_date) =
            (*from, *to, tz.clone(), *cutoff, *position, *at_a_date);
        let alarms = alarms.clone();
        Ok(Criteria { from, to, tz, cutoff, position, at_a_date, controls, criteria, alarms })
    }

    fn rows(&mut self, sql: &str, known_at: Option<u64>, who: usize) -> Result<Rows, AppError> {
        let rows = self.query(sql, Instant::FOREVER, known_at)?.rows;
        let keys = self.keys_of(rows.iter().map(|row| integer(row.get(who))))?;
        Ok(Rows { rows, keys })
    }

    fn concluded(&mut self, known_at: Option<u64>) -> Result<BTreeMap<String, Vec<Concluded>>, AppError> {
        let Rows { rows, keys } = self.rows(
            "SELECT d.control AS control, d.concluded_by AS concluded_by, d.entry AS entry, d.concluded_for AS concluded_for, \
                    d.conclusion AS conclusion, d.statement_version AS statement_version, d.inspected_item AS inspected_item, \
                    d.inspected_entry AS inspected_entry FROM design_conclusion d",
            known_at,
            1,
        )?;
        let mut all: BTreeMap<String, Vec<Concluded>> = BTreeMap::new();
        for row in &rows {
            let (Some(control), Some(entry), Some(at)) =
                (text(row.first()), integer(row.get(2)), instant(row.get(3)))
            else {
                continue;
            };
            all.entry(control).or_default().push(Concluded {
                entry,
                at,
                suitable: text(row.get(4)).as_deref() == Some("suitable"),
                statement: text(row.get(5)).unwrap_or_default(),
                inspected: text(row.get(6)).is_some() || integer(row.get(7)).is_some(),
                by: integer(row.get(1)).and_then(|id| keys.get(&id).cloned()),
            });
        }
        Ok(all)
    }

    /// The controls that a report over a period tested by every one of their procedures, and what came of it.
    #[must_use]
    pub fn tested(&self, report: &Report) -> Vec<(String, Conclusion)> {
        let concluded = |procedure: &Procedure| {
            report.procedures.iter().any(|p| p.id == procedure.id && p.conclusion.is_some())
        };
        let tested = |control: &&Control| {
            let mut procedures = self.catalog.procedures_of(&control.id).peekable();
            procedures.peek().is_some() && procedures.all(concluded)
        };
        let controls = self.catalog.controls.values().filter(tested);
        controls
            .map(|control| {
                let doubts = self.catalog.in_doubt.get(&control.id).map_or(&[][..], Vec::as_slice);
                (control.id.clone(), facts_of(control, &[], &[], report, doubts).operation().conclusion)
            })
            .collect()
    }

    /// Whoever is named to answer for a control at an instant, as far as it was said here or imported as such.
    ///
    /// # Errors
    /// The database.
    pub fn owners_at(&mut self, control: &str, at: Instant) -> Result<Vec<Ownership>, AppError> {
        let sql = "SELECT o.id AS id, o.owner AS owner, o.valid_from AS valid_from, o.control AS control FROM control_owner o";
        let rows = self.query(sql, at, None)?.rows;
        let mut found = vec![];
        for row in rows.iter().filter(|row| text(row.get(3)).as_deref() == Some(control)) {
            let (Some(id), Some(valid_from)) = (integer(row.first()), instant(row.get(2))) else { continue };
            let Some(entity) = self.records.entity(id)?.filter(|e| e.scope == 0) else { continue };
            let owner = match integer(row.get(1)) {
                Some(id) => self.records.entity(id)?,
                None => None,
            };
            let owner = match owner {
                Some(owner) => {
                    let system = self.records.entity(owner.scope)?.map(|e| e.key).unwrap_or_default();
                    Some((system, owner.key))
                }
                None => None,
            };
            found.push(Ownership { key: entity.key, owner, valid_from });
        }
        Ok(found)
    }

    /// Who answers for each control: who was named last of those who had begun at `at`, else of those who begin later.
    pub(crate) fn owners(
        &mut self,
        known_at: Option<u64>,
        at: Instant,
    ) -> Result<BTreeMap<String, String>, AppError> {
        let at = at.ms();
        let Rows { rows, keys } = self.rows(
            &format!(
                "SELECT o.control AS control, o.owner AS owner FROM control_owner_history o \
                  WHERE o.valid_to > {at} OR o.valid_to IS NULL \
                  ORDER BY CASE WHEN o.valid_from <= {at} THEN 1 ELSE 0 END ASC NULLS FIRST, o.valid_from ASC NULLS FIRST, \
                           o.entry ASC NULLS FIRST"
            ),
            known_at,
            1,
        )?;
        let mut owners = BTreeMap::new();
        for row in &rows {
            let Some(control) = text(row.first()) else { continue };
            match integer(row.get(1)).and_then(|id| keys.get(&id).cloned()) {
                Some(owner) => owners.insert(control, owner),
                None => owners.remove(&control),
            };
        }
        Ok(owners)
    }

    #[expect(clippy::type_complexity, reason = "criterion and period, to decisions in order")]
    fn criterion_decisions(
        &mut self,
        known_at: Option<u64>,
    ) -> Result<BTreeMap<(String, Instant, Instant), Vec<DecisionReport>>, AppError> {
        let Rows { rows, keys } = self.rows(
            "SELECT d.criterion AS criterion, d.decided_by AS decided_by, d.period_from AS period_from, d.period_to AS period_to, \
                    d.decision AS decision, d.proposal AS proposal, d.reason AS reason, d.decided_position AS decided_position, \
                    d.entry AS entry, d.collected_at AS collected_at FROM criterion_decision d ORDER BY d.entry NULLS FIRST",
            known_at,
            1,
        )?;
        let mut all: BTreeMap<_, Vec<DecisionReport>> = BTreeMap::new();
        for row in &rows {
            let (Some(criterion), Some(from), Some(to)) =
                (text(row.first()), instant(row.get(2)), instant(row.get(3)))
            else {
                continue;
            };
            let words = |at: usize| text(row.get(at)).unwrap_or_default();
            all.entry((criterion, from, to)).or_default().push(DecisionReport {
                decision: words(4),
                by: integer(row.get(1)).and_then(|id| keys.get(&id).cloned()),
                reason: words(6),
                entry: integer(row.get(8)).unwrap_or_default(),
                at: instant(row.get(9)).unwrap_or(Instant::BEGINNING),
                position: integer(row.get(7)).unwrap_or_default(),
                proposal: words(5),
                stale: None,
                earlier: 0,
            });
        }
        Ok(all)
    }
}

/// Whether a deviation of the register counts for a control in this question: what is found now; and over a period what was
/// found in it before.
fn counts(deviation: &DeviationReport, at_a_date: bool) -> bool {
    match deviation.found {
        Found::Yes => true,
        Found::No | Found::NotTested => !at_a_date,
        Found::NotAsked => false,
    }
}

fn facts_of(
    control: &Control,
    concluded: &[Concluded],
    deviations: &[&DeviationReport],
    report: &Report,
    doubts: &[String],
) -> ControlFacts {
    let (mut design, mut design_because) =
        design(concluded, &control.statement_version(), report.from, report.to);
    // What a file that cannot be read says of the control may be another statement, and another test.
    if let (Some(why), false) = (doubts.first(), design == Design::NotSuitable) {
        (design, design_because) = (Design::CannotConclude, why.clone());
    }
    let unread = doubts.iter().map(|why| Test {
        procedure: "content".to_owned(),
        conclusion: Some(Conclusion::CannotConclude),
        held_back_by: vec![why.clone()],
    });
    let tests = report.procedures.iter().filter(|p| p.controls.contains(&control.id)).map(|p| Test {
        procedure: p.id.clone(),
        conclusion: p.conclusion,
        held_back_by: p.held_back_by.clone(),
    });
    let exceptions = deviations.iter().map(|d| Exception {
        name: named(d),
        compensating: d.compensating.clone(),
        found: d.found == Found::Yes,
        closed: d.standing == "closed",
    });
    ControlFacts {
        id: control.id.clone(),
        design,
        design_because,
        tests: tests.chain(unread).collect(),
        exceptions: exceptions.collect(),
    }
}

fn named(deviation: &DeviationReport) -> String {
    match &deviation.registered {
        Some(_) => deviation.key.clone(),
        None => format!("{} (not in the register)", deviation.key),
    }
}

fn described(
    control: &Control,
    facts: &ControlFacts,
    deviations: &[&DeviationReport],
    owner: Option<&String>,
    report: &Report,
) -> ControlReport {
    let operation = (!report.at_a_date).then(|| facts.operation());
    let because = operation.as_ref().map(|o| o.because.clone()).unwrap_or_default();
    ControlReport {
        id: control.id.clone(),
        title: control.title.clone(),
        statement: control.statement.clone(),
        statement_version: control.statement_version(),
        owner_role: control.owner_role.clone(),
        owner: owner.cloned(),
        criteria: control
            .criteria
            .iter()
            .map(|id| MappedTo { id: id.clone(), key: control.key.contains(id) })
            .collect(),
        design: facts.design.word(),
        design_because: facts.design_because.clone(),
        operation: operation.map(|o| o.conclusion),
        operation_because: because,
        procedures: report
            .procedures
            .iter()
            .filter(|p| p.controls.contains(&control.id))
            .map(|p| p.id.clone())
            .collect(),
        evidence: EvidenceEntry::of(control),
        deviations: deviations.iter().map(|d| d.key.clone()).collect(),
        waived: deviations.iter().filter(|d| d.waived().is_some()).count(),
    }
}

/// Why a decision does not hold in view of what is known now.
fn stale(decision: &DecisionReport, proposed: &Proposed, position: u64) -> Option<String> {
    let decided = Proposal::named(&decision.decision)?;
    decision_refused(decided, proposed)?;
    Some(format!(
        "decided in view of position {}, which said `{}`; position {position} says `{}`",
        decision.position,
        decision.proposal,
        proposed.proposal.word()
    ))
}
