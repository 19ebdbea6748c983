//! Reconciliations: whether what one source lists stands on the other side too, and what follows for the population.
//!
//! A reconciliation is a procedure whose attribute names the procedures that it `completes`: an item that deviates there is one
//! that another source knows of and the population lacks.

use std::collections::{BTreeMap, BTreeSet};

use assess::CoverageMap;
use catalog::{Procedure, TestedAttribute};
use model::{Attribute, Conclusion, CoverageStatus, Document, Instant, Verdict, row_id_entry};
use serde::{Deserialize, Serialize};

use crate::assessment::{ItemReport, ProcedureReport, Question, letter, statements};
use crate::error::AppError;
use crate::question::{integer, text};
use crate::workspace::Workspace;

/// What a reconciliation says of a population.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reconciled {
    /// The procedure that holds the two sides against each other; what stands on one side alone are its deviations.
    pub by: String,
    /// The attribute that does.
    pub attribute: Attribute,
    /// What was asked of each item of the other side.
    pub says: String,
    /// How many stand on both sides.
    pub matched: usize,
    /// How many the population lacks.
    pub residual: usize,
    /// Of these, how many were allowed in advance.
    pub explained: usize,
    /// Of how many nobody can say, or a person has to.
    pub unknown: usize,
    /// The sources of the other side.
    pub held_by: Vec<String>,
    /// The sources of the population's side.
    pub held_against: Vec<String>,
    /// Why the two are not shown to be independent; empty when they are.
    pub dependent: Vec<String>,
    /// What follows.
    pub outcome: Completeness,
}

/// What a reconciliation shows of a population.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// Another source knows of something that it lacks.
    Incomplete,
    /// There was nothing to hold it against, or too little is known of that.
    Unknown,
    /// Nothing is missing, as a source says that is not shown to be independent.
    Consistent,
    /// Nothing is missing, as an independent source says.
    Complete,
}

impl Completeness {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Unknown => "unknown",
            Self::Consistent => "consistent",
            Self::Complete => "complete",
        }
    }
}

impl Reconciled {
    /// In a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { by, residual, explained, unknown, .. } = self;
        let of = self.of();
        let explained = match explained {
            0 => String::new(),
            n => format!(", {n} of them allowed in advance"),
        };
        match self.outcome {
            Completeness::Incomplete => {
                format!("`{by}` lists {residual} of {of} that are not in it{explained}")
            }
            Completeness::Unknown if of == 0 => format!("`{by}` has nothing to hold it against"),
            Completeness::Unknown => format!("`{by}` cannot say of {unknown} of {of} whether they are in it"),
            Completeness::Consistent => format!(
                "`{by}` finds all {of} in it{explained}: consistent, not complete ({})",
                self.dependent.join("; ")
            ),
            Completeness::Complete => {
                format!("`{by}` finds all {of} in it{explained}, from an independent source")
            }
        }
    }

    /// How many items of the other side were asked about.
    const fn of(&self) -> usize {
        self.matched + self.residual + self.unknown
    }

    const fn follows(&self) -> Completeness {
        if self.residual > self.explained {
            Completeness::Incomplete
        } else if self.unknown > 0 || self.matched + self.residual == 0 {
            Completeness::Unknown
        } else if self.dependent.is_empty() {
            Completeness::Complete
        } else {
            Completeness::Consistent
        }
    }
}

/// What is known of where a source has its evidence from.
#[derive(Clone, Debug, Default)]
struct Origin {
    issuers: BTreeSet<String>,
    credentials: BTreeSet<String>,
    persons: BTreeSet<i64>,
    /// Whether a credential or a person is not named.
    open: bool,
}

/// The names of the sources that speak for each table.
type ByTable = BTreeMap<String, BTreeSet<String>>;

/// Why two sources are not shown to be independent.
fn dependent(one: &str, other: &str, origins: &BTreeMap<String, Origin>) -> Option<String> {
    if one == other {
        return Some(format!("both sides come from `{one}`"));
    }
    let unsaid =
        |source: &str| format!("nobody says who makes `{source}`, how it is read and who can alter it");
    let (a, b) = match (origins.get(one), origins.get(other)) {
        (None, _) => return Some(unsaid(one)),
        (_, None) => return Some(unsaid(other)),
        (Some(a), Some(b)) => (a, b),
    };
    if let Some(source) = [(a, one), (b, other)].into_iter().find(|(o, _)| o.open).map(|(_, s)| s) {
        return Some(unsaid(source));
    }
    let both = |what: &str| Some(format!("`{one}` and `{other}` have {what}"));
    if let Some(issuer) = a.issuers.intersection(&b.issuers).next() {
        return both(&format!("one issuer, {issuer}"));
    }
    if let Some(credential) = a.credentials.intersection(&b.credentials).next() {
        return both(&format!("one credential, {credential}"));
    }
    if a.persons.intersection(&b.persons).next().is_some() {
        return both("somebody who can alter both");
    }
    None
}

/// The tables an attribute's own items come from: those of the population that it does not look for them in.
fn own_tables<'p>(
    procedure: &'p Procedure,
    attribute: &'p TestedAttribute,
) -> impl Iterator<Item = &'p String> {
    procedure.population_tables.iter().filter(|table| !attribute.absent.contains(table))
}

impl Workspace {
    /// The procedures that say whether the populations of `asked` lack anything, and are not among them. Where nobody supplies
    /// what they would list there is nothing to run them for.
    pub(crate) fn completing(&self, asked: &[String], coverage: &CoverageMap) -> Vec<String> {
        let tells = |procedure: &&Procedure| {
            let of_them = |a: &&TestedAttribute| a.completes.iter().any(|id| asked.contains(id));
            let fed = |a: &TestedAttribute| own_tables(procedure, a).any(|table| !coverage.is_unfed(table));
            !asked.contains(&procedure.id) && procedure.attributes.iter().filter(of_them).any(fed)
        };
        self.catalog.procedures.values().filter(tells).map(|p| p.id.clone()).collect()
    }

    /// Lays beside each report what reconciliations say of its population. One that lacks anything concludes nothing.
    pub(crate) fn reconcile(
        &mut self,
        reports: &mut [ProcedureReport],
        question: &Question,
        position: u64,
        scope: Option<i64>,
    ) -> Result<(), AppError> {
        let mut found: BTreeMap<String, Vec<Reconciled>> = BTreeMap::new();
        let mut known: Option<(ByTable, BTreeMap<String, Origin>)> = None;
        for report in reports.iter() {
            let Some(procedure) = self.catalog.procedures.get(&report.id).cloned() else { continue };
            for attribute in procedure.attributes.iter().filter(|a| !a.completes.is_empty()) {
                let (sources, origins) = match &known {
                    Some(known) => known,
                    None => known
                        .insert((self.sources_by_table(question, position, scope)?, self.origins(position)?)),
                };
                let of = |tables: &mut dyn Iterator<Item = &String>| -> Vec<String> {
                    let sources = tables.flat_map(|table| sources.get(table).into_iter().flatten());
                    sources.cloned().collect::<BTreeSet<_>>().into_iter().collect()
                };
                let held_by = of(&mut own_tables(&procedure, attribute));
                let held_against = of(&mut attribute.absent.iter());
                let pairs = held_by.iter().flat_map(|one| held_against.iter().map(move |other| (one, other)));
                let dependent: BTreeSet<String> =
                    pairs.filter_map(|(one, other)| dependent(one, other, origins)).collect();
                let reconciled = counted(report, attribute, held_by, held_against, dependent);
                // Where nobody says anything of the other side there is no reconciliation: a source is missing, and named elsewhere.
                if reconciled.held_by.is_empty() && reconciled.of() == 0 {
                    continue;
                }
                for id in &attribute.completes {
                    found.entry(id.clone()).or_default().push(reconciled.clone());
                }
            }
        }
        for report in reports {
            report.reconciled = found.remove(&report.id).unwrap_or_default();
            for lacking in report.reconciled.iter().filter(|r| r.outcome == Completeness::Incomplete) {
                report.held_back_by.push(format!("its population is incomplete: {}", lacking.sentence()));
                if report.conclusion.is_some() {
                    report.conclusion = Some(Conclusion::CannotConclude);
                }
            }
        }
        Ok(())
    }

    /// The sources that say of each table what they looked at in the period, by their own names.
    fn sources_by_table(
        &mut self,
        question: &Question,
        position: u64,
        scope: Option<i64>,
    ) -> Result<ByTable, AppError> {
        let known_at = i64::try_from(position).unwrap_or(i64::MAX - 1);
        let mut said_by: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        for row in statements(&mut self.records, known_at)? {
            let said = row.statement;
            let touches = said.from < question.period.to && question.period.from < said.to;
            // What speaks of another repository is no side of this question; scope 0 is the company as a whole.
            let asked = scope.is_none_or(|asked| said.scope == asked || said.scope == 0);
            if !touches || !asked || said.status != CoverageStatus::Complete {
                continue;
            }
            // A statement's number begins with the ledger entry that made it.
            said_by.entry(row_id_entry(row.id)).or_default().insert(said.table);
        }
        let mut sources = ByTable::new();
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for leaf in self.ledger.reader().leaves_of(said_by.keys().copied()) {
            // The open log has a number for a source; its own name stands in what it gave.
            let (entry, leaf) = leaf?;
            let numbered = leaf.source;
            let name = match names.get(&numbered) {
                Some(name) => name.clone(),
                None => match self.ledger.document(entry) {
                    Ok(document) => {
                        let own = Document::parse(&document).map(|parsed| parsed.receipt.source);
                        let own = own.unwrap_or_else(|_| numbered.clone());
                        names.entry(numbered).or_insert(own).clone()
                    }
                    Err(ledger::Error::Erased { .. }) => numbered,
                    Err(error) => return Err(error.into()),
                },
            };
            for table in said_by.get(&entry).into_iter().flatten() {
                sources.entry(table.clone()).or_default().insert(name.clone());
            }
        }
        Ok(sources)
    }

    /// What was entered about the sources, by the source's name.
    fn origins(&mut self, position: u64) -> Result<BTreeMap<String, Origin>, AppError> {
        if self.records.table("source_origin").is_none() {
            return Ok(BTreeMap::new());
        }
        let answer = self.query(
            "SELECT o.source AS source, o.issuer AS issuer, o.credential AS credential, p.person AS person \
             FROM source_origin o LEFT JOIN account_person p ON p.account = o.altered_by",
            Instant::FOREVER,
            Some(position),
        )?;
        let mut origins: BTreeMap<String, Origin> = BTreeMap::new();
        for row in &answer.rows {
            let [source, issuer, credential, person] = row.as_slice() else { continue };
            let (Some(source), Some(issuer)) = (text(source), text(issuer)) else { continue };
            let origin = origins.entry(source).or_default();
            origin.issuers.insert(issuer);
            let (credential, person) = (text(credential), integer(person));
            origin.open |= credential.is_none() || person.is_none();
            origin.credentials.extend(credential);
            origin.persons.extend(person);
        }
        Ok(origins)
    }
}

fn counted(
    report: &ProcedureReport,
    attribute: &TestedAttribute,
    held_by: Vec<String>,
    held_against: Vec<String>,
    dependent: BTreeSet<String>,
) -> Reconciled {
    let letter = letter(&attribute.letter);
    let mut reconciled = Reconciled {
        by: report.id.clone(),
        attribute: letter,
        says: attribute.says.clone(),
        matched: 0,
        residual: 0,
        explained: 0,
        unknown: 0,
        held_by,
        held_against,
        dependent: dependent.into_iter().collect(),
        outcome: Completeness::Unknown,
    };
    let counts = report.attributes.iter().find(|a| a.letter == letter).map(|a| &a.counts);
    for (verdict, n) in counts.into_iter().flatten() {
        match verdict {
            Verdict::Pass => reconciled.matched += n,
            Verdict::Deviation => reconciled.residual += n,
            Verdict::NoEvidence | Verdict::NeedsJudgement => reconciled.unknown += n,
            // What is not due yet says nothing of what should be there by now.
            Verdict::NotYetDue | Verdict::NotApplicable => {}
        }
    }
    let deviates = |item: &&ItemReport| item.verdicts.get(&letter) == Some(&Verdict::Deviation);
    let waived = report.items.iter().filter(deviates).filter(|item| item.waived.is_some());
    reconciled.explained = waived.count();
    if reconciled.held_by.is_empty() || reconciled.held_against.is_empty() {
        reconciled.dependent.push("nobody says where both sides come from".to_owned());
    }
    reconciled.outcome = reconciled.follows();
    reconciled
}
