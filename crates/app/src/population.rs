//! Populations: what a procedure judged, frozen into the ledger with everything that says how it came about and whether it is
//! whole, so that samples can be drawn from something that nobody changes any more.
//!
//! A freeze is one document of the ledger. Its rows hold numbers and words of the domain, never a name; their root is computed
//! as `records::freeze` says, over a relation called `population <procedure>`.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Hex, Kind};
use model::{Capture, Conclusion, Document, Instant, Value, Verdict, Window};
use records::freeze::RowRoot;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use store::records::RecordsError;
use tlog::{Checkpoint, Note};

use crate::assessment::{ProcedureReport, Question, RanQuery};
use crate::error::AppError;
use crate::reconcile::{Completeness, Reconciled};
use crate::sample::Said;
use crate::workspace::Workspace;

/// Stream of the documents.
const POPULATIONS: &str = "populations";
/// Stream of what is said of populations and samples.
pub(crate) const SAMPLES: &str = "samples";
/// Columns of a row before the verdicts.
const COLUMNS: [&str; 5] = ["item", "scope", "occurred_at", "entry", "grade"];
/// The stream in which a code host says what a repository is, and whose.
const REPOSITORY: &str = "repository";
/// How many captures of a stream are looked through for its last word.
const LOOKED_AT: usize = 200;
/// How many holes of a sequence are written down.
const HOLES: usize = 100;

/// A population as it was frozen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Population {
    /// Version of this form: 1.
    pub v: u64,
    /// The procedure that judged it.
    pub procedure: String,
    /// Its title.
    pub title: String,
    /// Controls that depend on it.
    pub controls: Vec<String>,
    /// What it is, in a sentence.
    pub population_is: String,
    /// By which instant an item belongs to the period.
    pub attributed_by: String,
    /// First instant of the period.
    pub from: Instant,
    /// First instant after it.
    pub to: Instant,
    /// Zone in which it was declared.
    pub tz: String,
    /// Whether it is what was there at a date.
    pub at_a_date: bool,
    /// Last instant whose facts count.
    pub cutoff: Instant,
    /// Ledger position of the snapshot.
    pub position: u64,
    /// The signed checkpoint that was published then.
    pub checkpoint: String,
    /// Hash of procedure and table schemas, in hexadecimal.
    pub content: String,
    /// Version of the derivation of rows.
    pub derivation: String,
    /// Version of the program.
    pub program: String,
    /// The queries as they ran, with their parameters.
    pub queries: Vec<RanQuery>,
    /// What rules left out.
    pub out_of_scope: Vec<LeftOut>,
    /// How many rows it has.
    pub count: u64,
    /// What adds up to that.
    pub totals: Totals,
    /// The sources of its items, and what says which account or organisation they are.
    pub sources: Vec<SourceOf>,
    /// Numbers that a source gave out one after the other, and those that are missing.
    pub sequences: Vec<Sequence>,
    /// Where something it rests on was not looked at.
    pub gaps: Vec<FrozenGap>,
    /// What was checked of it.
    pub checks: Vec<Check>,
    /// What the procedure concludes, never more than its checks allow; absent at a date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<Conclusion>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows, in the order of item, scope and instant.
    pub rows: Vec<Vec<Value>>,
    /// Their root.
    pub root: Hex,
    /// Who froze it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Something that rules of scope left out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LeftOut {
    /// What kind of thing.
    pub dimension: String,
    /// The thing.
    pub subject: String,
    /// When.
    pub windows: Vec<Window>,
}

/// Control totals.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Items per attribute and verdict.
    pub verdicts: BTreeMap<String, BTreeMap<String, u64>>,
    /// Items per grade.
    pub grades: BTreeMap<String, u64>,
    /// Items per scope, by its number.
    pub scopes: BTreeMap<i64, u64>,
    /// Items per month of the period's zone.
    pub months: BTreeMap<String, u64>,
    /// The sum of all instants in milliseconds: a row that moved shows here.
    pub instants: i64,
}

/// A source of a population's items.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SourceOf {
    /// What the open log calls it.
    pub source: String,
    /// How many of the items it supplied.
    pub items: u64,
    /// The account or organisation it is, by the source's own numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// How many there are of something by the source's own count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<SourceCount>,
}

/// Which account or organisation a source is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Identity {
    /// Number of the account or organisation.
    pub owner: i64,
    /// What kind of account: `Organization`, `User`.
    pub kind: String,
    /// Number of what was looked at there.
    pub number: i64,
    /// The ledger entry that says so.
    pub entry: u64,
}

/// A source's own count.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SourceCount {
    /// Stream.
    pub stream: String,
    /// How many there are.
    pub count: u64,
    /// How many of them arrived, where that was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived: Option<u64>,
    /// The ledger entry that says so.
    pub entry: u64,
}

/// Numbers that a source gave out one after the other.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sequence {
    /// Within what, by its number.
    pub scope: i64,
    /// What is numbered.
    pub of: String,
    /// First number of the period.
    pub first: i64,
    /// Last one.
    pub last: i64,
    /// How many numbers between are not known here.
    pub missing: u64,
    /// The first of them.
    pub holes: Vec<i64>,
}

/// A window in which something was not looked at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FrozenGap {
    /// The record table.
    pub table: String,
    /// First instant.
    pub from: Instant,
    /// First instant after.
    pub to: Instant,
    /// Why.
    pub reason: String,
}

/// A check of completeness or origin.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Check {
    /// What was checked.
    pub check: String,
    /// How it came out.
    pub outcome: Outcome,
    /// In words.
    pub says: String,
}

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not: nothing that depends on the population can be concluded.
    Failed,
    /// Nothing speaks against it, and nothing independent speaks for it.
    Consistent,
    /// Something for a person to look at.
    Question,
    /// Nothing here can tell.
    Unknown,
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Consistent => "consistent",
            Self::Question => "question",
            Self::Unknown => "unknown",
        }
    }
}

/// Who decides, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Because<'a> {
    /// A pseudonym.
    pub by: &'a str,
    /// In words.
    pub reason: &'a str,
}

impl Because<'_> {
    pub(crate) fn check(&self) -> Result<(), AppError> {
        for (what, text) in [("who", self.by), ("why", self.reason)] {
            if text.trim().is_empty() {
                return Err(AppError::Other(format!(
                    "nobody says {what}; it stands in the ledger, so name it with --by and --reason"
                )));
            }
        }
        Ok(())
    }
}

impl Population {
    /// The root over its rows, computed anew.
    #[must_use]
    pub fn computed_root(&self) -> Hex {
        let name = format!("population {}", self.procedure);
        let mut root = RowRoot::new(&name, self.columns.iter().map(String::as_str));
        for row in &self.rows {
            root.push(row);
        }
        Hex(root.root().0)
    }

    /// Whether another one is of the same procedure and touches the same time.
    #[must_use]
    pub fn is_about_the_same(&self, other: &Self) -> bool {
        self.procedure == other.procedure && self.from < other.to && other.from < self.to
    }

    /// What tells a row apart, whatever was found of it: item, scope, and when where an item has several.
    pub(crate) fn key(row: &[Value]) -> [Option<&Value>; 3] {
        [row.first(), row.get(1), row.get(2)]
    }

    /// A column of a row that is a number.
    pub(crate) fn number(&self, row: u64, column: usize) -> i64 {
        match self.rows.get(row as usize).and_then(|row| row.get(column)) {
            Some(Value::Integer(number)) => *number,
            _ => 0,
        }
    }

    /// When the item of a row happened.
    pub(crate) fn occurred_at(&self, row: u64) -> Instant {
        Instant::from_ms(self.number(row, 2))
    }

    /// The verdicts of a row, as far as they are verdicts.
    pub(crate) fn verdicts(&self, row: u64) -> impl Iterator<Item = Verdict> {
        let words = self.rows.get(row as usize).and_then(|row| row.get(COLUMNS.len()..)).unwrap_or_default();
        words.iter().filter_map(|word| match word {
            Value::Text(word) => word.parse().ok(),
            _ => None,
        })
    }

    /// Checks that failed: nothing that depends on it can be concluded.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.outcome == Outcome::Failed)
    }
}

/// A population in the list of all.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PopulationReport {
    /// Its ledger entry, by which it is called.
    pub population: u64,
    /// When it was frozen.
    pub frozen_at: Instant,
    /// What stands in the ledger, but for its rows.
    #[serde(flatten)]
    pub frozen: Frozen,
    /// How it is anchored.
    pub anchored: Anchoring,
    /// Who declared it void, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub void: Option<Void>,
    /// What is not the same as in the one that was frozen before, about the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<Beside>,
    /// The latest one about the same time that came after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newer: Option<u64>,
    /// Samples that were drawn from it.
    pub draws: Vec<u64>,
}

/// What is listed of a frozen population.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Frozen {
    /// The procedure that judged it.
    pub procedure: String,
    /// Controls that depend on it.
    pub controls: Vec<String>,
    /// First instant of the period.
    pub from: Instant,
    /// First instant after it.
    pub to: Instant,
    /// Zone in which it was declared.
    pub tz: String,
    /// Ledger position of the snapshot.
    pub position: u64,
    /// How many rows it has.
    pub count: u64,
    /// Their root.
    pub root: Hex,
    /// Whether the rows give that root.
    pub root_holds: bool,
    /// What was checked.
    pub checks: Vec<Check>,
    /// What the procedure concludes, capped by the checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<Conclusion>,
    /// Who froze it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A declaration that something counts no longer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Void {
    /// Its ledger entry.
    pub entry: u64,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Between a population and the one that was frozen before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Beside {
    /// The one before.
    pub population: u64,
    /// Whether both are of the same period.
    pub same_period: bool,
    /// Items that are new; `None` where the numbers of items cannot be compared.
    pub added: Option<usize>,
    /// Items that are gone.
    pub removed: Option<usize>,
    /// Items of which something else is said.
    pub changed: Option<usize>,
}

/// Who vouched for the log with something in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchoring {
    /// Somebody else.
    External,
    /// A witness or authority of our own: the order is shown, not that anybody else saw it.
    Own,
    /// Nobody.
    None,
}

/// What is read back of an anchor.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Anchor {
    pub(crate) checkpoint: String,
    external: bool,
}

/// Everything that was frozen, drawn and anchored, in the order of the ledger.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) populations: BTreeMap<u64, (Instant, Population)>,
    pub(crate) said: BTreeMap<u64, (Instant, Said)>,
    anchors: BTreeMap<u64, (Checkpoint, Anchor)>,
    /// Freezes and draws that cannot be read any more, and why.
    pub(crate) lost: BTreeMap<u64, String>,
}

impl Book {
    /// The first anchor over an entry before the ledger had `until` entries, with what it says; and who vouched up to then.
    pub(crate) fn anchored(&self, entry: u64, until: u64) -> (Option<(u64, &Checkpoint)>, Anchoring) {
        let mut over =
            self.anchors.range(entry + 1..until.max(entry + 1)).filter(|(_, (c, _))| c.size > entry);
        let external = over.clone().any(|(_, (_, anchor))| anchor.external);
        let first = over.next().map(|(at, (checkpoint, _))| (*at, checkpoint));
        let who = match (first, external) {
            (None, _) => Anchoring::None,
            (Some(_), true) => Anchoring::External,
            (Some(_), false) => Anchoring::Own,
        };
        (first, who)
    }

    /// A population by the entry it is called by.
    pub(crate) fn population(&self, entry: u64) -> Result<&Population, AppError> {
        if let Some((_, population)) = self.populations.get(&entry) {
            return Ok(population);
        }
        let why = self.lost.get(&entry).map(|why| format!(": {why}")).unwrap_or_default();
        let known: Vec<String> = self.populations.keys().map(u64::to_string).collect();
        Err(AppError::Other(format!(
            "entry {entry} is no population{why}; {}",
            if known.is_empty() {
                "freeze one first: tickmark population freeze".to_owned()
            } else {
                format!("there are {}", known.join(", "))
            }
        )))
    }

    /// Who declared an entry void before the ledger had `until` entries.
    pub(crate) fn void(&self, entry: u64, until: u64) -> Option<Void> {
        let voids = self.said.range(..until).find(|(_, (_, said))| said.voids() == Some(entry));
        voids.map(|(at, (_, said))| Void { entry: *at, by: said.by.clone(), reason: said.reason.clone() })
    }

    /// Populations about the same time as another one, without itself.
    pub(crate) fn beside(&self, entry: u64) -> impl DoubleEndedIterator<Item = u64> {
        let this = self.populations.get(&entry).map(|(_, population)| population);
        let same = move |(at, (_, other)): &(&u64, &(Instant, Population))| {
            **at != entry && this.is_some_and(|this| this.is_about_the_same(other))
        };
        self.populations.iter().filter(same).map(|(at, _)| *at)
    }

    /// The latest population about the same time that came after one, before the ledger had `until` entries, and is not void.
    pub(crate) fn newer(&self, entry: u64, until: u64) -> Option<u64> {
        self.beside(entry).rfind(|at| (entry..until).contains(at) && self.void(*at, until).is_none())
    }

    /// What is not the same as in the population that was frozen before.
    fn difference(&self, entry: u64) -> Option<Beside> {
        let before = self.beside(entry).rfind(|at| *at < entry)?;
        let (this, other) = (&self.populations.get(&entry)?.1, &self.populations.get(&before)?.1);
        let same_period = (this.from, this.to) == (other.from, other.to);
        // Another derivation may number otherwise.
        if this.derivation != other.derivation {
            return Some(Beside {
                population: before,
                same_period,
                added: None,
                removed: None,
                changed: None,
            });
        }
        let rows = |p: &'_ Population| -> BTreeMap<Vec<Value>, Vec<Value>> {
            let key = |row: &Vec<Value>| Population::key(row).into_iter().flatten().cloned().collect();
            p.rows.iter().map(|row| (key(row), row.clone())).collect()
        };
        let (now, then) = (rows(this), rows(other));
        Some(Beside {
            population: before,
            same_period,
            added: Some(now.keys().filter(|key| !then.contains_key(*key)).count()),
            removed: Some(then.keys().filter(|key| !now.contains_key(*key)).count()),
            changed: Some(now.iter().filter(|(key, row)| then.get(*key).is_some_and(|r| r != *row)).count()),
        })
    }
}

impl Workspace {
    /// Reads everything that was frozen, drawn and anchored.
    pub(crate) fn book(&self) -> Result<Book, AppError> {
        let mut book = Book::default();
        for leaf in self.ledger.reader().leaves(0..self.ledger.size()) {
            let (entry, leaf) = leaf?;
            let ours =
                matches!((leaf.kind, leaf.stream.as_str()), (Kind::Freeze, POPULATIONS) | (Kind::Draw, _));
            if !ours && leaf.kind != Kind::Anchor {
                continue;
            }
            let document = match self.ledger.document(entry) {
                Err(ledger::Error::Erased { .. }) => {
                    if ours {
                        book.lost.insert(entry, "it was erased".to_owned());
                    }
                    continue;
                }
                other => other?,
            };
            if leaf.kind == Kind::Anchor {
                // One of a kind that another version wrote says nothing here.
                if let Ok(anchor) = serde_json::from_slice::<Anchor>(&document)
                    && let Ok(note) = Note::parse(anchor.checkpoint.as_bytes())
                    && let Ok(checkpoint) = note.text.parse::<Checkpoint>()
                {
                    book.anchors.insert(entry, (checkpoint, anchor));
                }
                continue;
            }
            let parsed = Document::parse(&document).map_err(|e| e.to_string());
            let kept = parsed.and_then(|document| {
                let at = document.receipt.collected_at;
                if leaf.kind == Kind::Freeze {
                    let population = serde_json::from_slice(document.body).map_err(|e| e.to_string())?;
                    book.populations.insert(entry, (at, population));
                } else {
                    let said = serde_json::from_slice(document.body).map_err(|e| e.to_string())?;
                    book.said.insert(entry, (at, said));
                }
                Ok(())
            });
            if let Err(why) = kept {
                book.lost.insert(entry, format!("it cannot be read here ({why})"));
            }
        }
        Ok(book)
    }

    /// Runs procedures and freezes what they judged, one document of the ledger each. Gives their entries.
    ///
    /// # Errors
    /// Nobody says who and why, a procedure that judges nothing in the period, or the disk.
    pub fn freeze_populations(
        &mut self,
        question: &Question,
        because: Because<'_>,
    ) -> Result<Vec<u64>, AppError> {
        because.check()?;
        let report = self.assess(question)?;
        if report.procedures.is_empty() {
            let out_of_force =
                report.not_in_force.iter().map(|p| (&p.id, "none of its controls was in force"));
            let over = report.over_a_period_only.iter().map(|p| (&p.id, "a date cannot answer it"));
            let out = report.scope.iter().flat_map(|s| &s.not_tested);
            let out = out.map(|p| (&p.id, "what it answers to is out of scope"));
            let why: Vec<String> =
                out_of_force.chain(over).chain(out).map(|(id, why)| format!("`{id}`: {why}")).collect();
            return Err(AppError::Other(format!(
                "there is nothing to freeze ({}); name another period or control",
                why.join(", ")
            )));
        }
        let rules = self.scope_rules(report.position)?;
        let scope = rules.scope(&mut self.records, question.period.from, question.period.to)?;
        let left_out: Vec<LeftOut> = scope
            .out
            .iter()
            .map(|out| LeftOut {
                dimension: out.dimension.word().to_owned(),
                subject: out.word.clone(),
                windows: out.windows.clone(),
            })
            .collect();
        let checkpoint = self.ledger.checkpoint()?;
        let mut documents = vec![];
        for found in report.procedures {
            let population = self.population_of(found, question, report.position, because)?;
            let population =
                Population { checkpoint: checkpoint.clone(), out_of_scope: left_out.clone(), ..population };
            let body = serde_json::to_vec(&population).map_err(|e| AppError::Other(e.to_string()))?;
            documents.push(Capture { receipt: self.decision_receipt(POPULATIONS), body });
        }
        Ok(self.append_as(Kind::Freeze, &documents)?.collect())
    }

    /// What is frozen of what a procedure found.
    fn population_of(
        &mut self,
        found: ProcedureReport,
        question: &Question,
        position: u64,
        because: Because<'_>,
    ) -> Result<Population, AppError> {
        let letters: Vec<String> = found.attributes.iter().map(|a| a.letter.to_string()).collect();
        let mut rows: Vec<Vec<Value>> = vec![];
        let mut totals = Totals::default();
        let mut entries: BTreeMap<u64, u64> = BTreeMap::new();
        for item in &found.items {
            let mut row: Vec<Value> = vec![
                item.record.into(),
                item.within.into(),
                item.occurred_at.ms().into(),
                item.entry.into(),
                item.grade.word().into(),
            ];
            for attribute in &found.attributes {
                let word =
                    item.verdicts.get(&attribute.letter).copied().unwrap_or(Verdict::NoEvidence).word();
                row.push(word.into());
                let counts = totals.verdicts.entry(attribute.letter.to_string()).or_default();
                *counts.entry(word.to_owned()).or_default() += 1;
            }
            *totals.grades.entry(item.grade.word().to_owned()).or_default() += 1;
            *totals.scopes.entry(item.within).or_default() += 1;
            *totals.months.entry(month(item.occurred_at, &question.period.tz)).or_default() += 1;
            totals.instants = totals.instants.wrapping_add(item.occurred_at.ms());
            *entries.entry(u64::try_from(item.entry).unwrap_or(0)).or_default() += 1;
            rows.push(row);
        }
        rows.sort();
        let procedure = self.catalog.procedures.get(&found.id).cloned();
        let tables: BTreeSet<String> =
            procedure.iter().flat_map(|p| p.tables.iter().map(|t| t.name.clone())).collect();
        let sources = self.sources_of(&entries, position)?;
        let sequences = if tables.contains("pull_request") {
            self.pull_requests_missing(question, position, &totals.scopes)?
        } else {
            vec![]
        };
        let gaps: Vec<FrozenGap> = found
            .gaps
            .into_iter()
            .map(|gap| FrozenGap { table: gap.table, from: gap.from, to: gap.to, reason: gap.reason })
            .collect();
        let population_tables = procedure.as_ref().map(|p| p.population_tables.clone()).unwrap_or_default();
        let checks = checks(&sources, &sequences, &gaps, &population_tables, &found.reconciled);
        let failed = checks.iter().any(|check| check.outcome == Outcome::Failed);
        let mut population = Population {
            v: 1,
            procedure: found.id,
            title: found.title,
            controls: found.controls,
            population_is: found.population_is,
            attributed_by: procedure.map(|p| p.attributed_by).unwrap_or_default(),
            from: question.period.from,
            to: question.period.to,
            tz: question.period.tz.clone(),
            at_a_date: question.at_a_date,
            cutoff: question.cutoff,
            position,
            checkpoint: String::new(),
            content: found.content,
            derivation: records::DERIVATION.to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            queries: found.ran,
            out_of_scope: vec![],
            count: rows.len() as u64,
            totals,
            sources,
            sequences,
            gaps,
            checks,
            conclusion: found.conclusion.map(|c| if failed { Conclusion::CannotConclude } else { c }),
            columns: COLUMNS.iter().map(|name| (*name).to_owned()).chain(letters).collect(),
            rows,
            root: Hex([0; 32]),
            by: because.by.trim().to_owned(),
            reason: because.reason.trim().to_owned(),
        };
        population.root = population.computed_root();
        Ok(population)
    }

    /// The sources that gave these ledger entries, with what says which account each is, and its own counts.
    fn sources_of(&self, entries: &BTreeMap<u64, u64>, position: u64) -> Result<Vec<SourceOf>, AppError> {
        let mut items: BTreeMap<String, u64> = BTreeMap::new();
        let mut streams = BTreeSet::new();
        for leaf in self.ledger.reader().leaves_of(entries.keys().copied()) {
            let (entry, leaf) = leaf?;
            let count = entries.get(&entry).copied().unwrap_or_default();
            *items.entry(leaf.source.clone()).or_default() += count;
            streams.insert((leaf.source, leaf.stream));
        }
        // What each stream gave that says something of the source, or counts what is in it.
        let mut given: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
        for leaf in self.ledger.reader().leaves(0..position) {
            let (entry, leaf) = leaf?;
            let key = (leaf.source, leaf.stream);
            let wanted = streams.contains(&key) || (items.contains_key(&key.0) && key.1 == REPOSITORY);
            if leaf.kind == Kind::Capture && wanted {
                given.entry(key).or_default().push(entry);
            }
        }
        let mut sources: BTreeMap<String, SourceOf> = items
            .into_iter()
            .map(|(source, items)| {
                (source.clone(), SourceOf { source, items, identity: None, counts: vec![] })
            })
            .collect();
        for ((name, stream), entries) in given {
            let Some(source) = sources.get_mut(&name) else { continue };
            // The last word counts. A run ends with a receipt alone, and what has not changed comes without a body.
            for entry in entries.into_iter().rev().take(LOOKED_AT) {
                let document = match self.ledger.document(entry) {
                    Err(ledger::Error::Erased { .. }) => continue,
                    other => other?,
                };
                let Ok(document) = Document::parse(&document) else { continue };
                // A file with another number of rows is not imported.
                if let Some(count) = document.receipt.context["count"].as_u64() {
                    source.counts.push(SourceCount { stream, count, arrived: Some(count), entry });
                    break;
                }
                let Ok(body) = serde_json::from_slice::<Json>(document.body) else { continue };
                if stream == REPOSITORY
                    && let (Some(number), Some(owner)) = (body["id"].as_i64(), body["owner"]["id"].as_i64())
                {
                    let kind = body["owner"]["type"].as_str().unwrap_or("unknown").to_owned();
                    source.identity = Some(Identity { owner, kind, number, entry });
                    break;
                }
                if let Some(count) = body["total_count"].as_u64() {
                    source.counts.push(SourceCount { stream, count, arrived: None, entry });
                    break;
                }
            }
        }
        Ok(sources.into_values().collect())
    }

    /// Per repository of the population: numbers of pull requests and issues, which a code host gives out in one sequence,
    /// between the first and the last pull request of the period that nobody here knows.
    fn pull_requests_missing(
        &mut self,
        question: &Question,
        position: u64,
        scopes: &BTreeMap<i64, u64>,
    ) -> Result<Vec<Sequence>, AppError> {
        let known_at = i64::try_from(position).unwrap_or(i64::MAX - 1);
        let Some(table) = self.records.table("pull_request") else { return Ok(vec![]) };
        let declared = self.records.tables()[table].clone();
        let place = |name: &str| declared.column(name);
        let (Some(repository), Some(number), Some(opened)) =
            (place("repository"), place("number"), place("opened_at"))
        else {
            return Ok(vec![]);
        };
        let mut numbers: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
        let mut of_period: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        self.records.rows_known_at::<RecordsError>(table, known_at, |row| {
            let (Value::Integer(repository), Value::Integer(number)) =
                (&row.values[repository], &row.values[number])
            else {
                return Ok(());
            };
            if !scopes.contains_key(repository) {
                return Ok(());
            }
            numbers.entry(*repository).or_default().insert(*number);
            if let Value::Integer(at) = row.values[opened]
                && question.period.contains(Instant::from_ms(at))
            {
                let (first, last) = of_period.entry(*repository).or_insert((*number, *number));
                (*first, *last) = ((*first).min(*number), (*last).max(*number));
            }
            Ok(())
        })?;
        // Issues take numbers of the same sequence; a ticket is called by its repository, as in `acme/app#7`.
        let repositories = self.records.entities_of(&numbers.keys().copied().collect())?;
        let mut tickets = vec![];
        self.records.entities(Some("ticket"), |entity| tickets.push(entity.key))?;
        for key in &tickets {
            let Some((name, number)) = key.rsplit_once('#') else { continue };
            let Ok(number) = number.parse::<i64>() else { continue };
            let of = |r: &&store::records::Entity| r.key == name || r.key.ends_with(&format!("/{name}"));
            if let Some(known) = repositories.iter().find(of).and_then(|r| numbers.get_mut(&r.id)) {
                known.insert(number);
            }
        }
        let sequence = |(scope, (first, last)): (i64, (i64, i64))| {
            Some(sequence(scope, "pull requests and issues", (first, last), numbers.get(&scope)?))
        };
        Ok(of_period.into_iter().filter_map(sequence).collect())
    }

    /// Every population that was ever frozen, in order, void ones too; and those that cannot be read any more.
    ///
    /// # Errors
    /// The ledger.
    pub fn populations(&self) -> Result<(Vec<PopulationReport>, BTreeMap<u64, String>), AppError> {
        let book = self.book()?;
        let end = self.ledger.size();
        let report = |(entry, (frozen_at, p)): (&u64, &(Instant, Population))| PopulationReport {
            population: *entry,
            frozen_at: *frozen_at,
            frozen: Frozen {
                procedure: p.procedure.clone(),
                controls: p.controls.clone(),
                from: p.from,
                to: p.to,
                tz: p.tz.clone(),
                position: p.position,
                count: p.count,
                root: p.root,
                root_holds: p.computed_root() == p.root && p.count == p.rows.len() as u64,
                checks: p.checks.clone(),
                conclusion: p.conclusion,
                by: p.by.clone(),
                reason: p.reason.clone(),
            },
            anchored: book.anchored(*entry, end).1,
            void: book.void(*entry, end),
            beside: book.difference(*entry),
            newer: book.newer(*entry, end),
            draws: book.draws_from(*entry).collect(),
        };
        let reports = book.populations.iter().map(report).collect();
        Ok((reports, book.lost))
    }
}

/// The month of an instant, as `2025-03`.
pub(crate) fn month(at: Instant, tz: &str) -> String {
    let date = at.date_in(tz);
    date.get(..date.len().saturating_sub(3)).unwrap_or_default().to_owned()
}

/// Which numbers from the first to the last are not known.
fn sequence(scope: i64, of: &str, (first, last): (i64, i64), known: &BTreeSet<i64>) -> Sequence {
    // From one known number to the next, so that a number far off costs nothing.
    let mut missing = 0;
    let mut holes = vec![];
    let mut next = first;
    for number in known.range(first..=last).copied().chain([last.saturating_add(1)]) {
        missing += number.abs_diff(next);
        holes.extend((next..number).take(HOLES - holes.len()));
        next = number.saturating_add(1);
    }
    Sequence { scope, of: of.to_owned(), first, last, missing, holes }
}

/// What can be said of completeness and origin.
fn checks(
    sources: &[SourceOf],
    sequences: &[Sequence],
    gaps: &[FrozenGap],
    population_tables: &[String],
    reconciled: &[Reconciled],
) -> Vec<Check> {
    let check = |check: &str, outcome, says: String| Check { check: check.to_owned(), outcome, says };
    // A gap in what the items come from may hide items; one elsewhere hides what the items are judged by.
    let (of_items, of_evidence): (Vec<&FrozenGap>, Vec<&FrozenGap>) =
        gaps.iter().partition(|gap| population_tables.contains(&gap.table));
    let named = |gaps: &[&FrozenGap]| {
        let tables: BTreeSet<&str> = gaps.iter().map(|gap| gap.table.as_str()).collect();
        tables.into_iter().collect::<Vec<_>>().join(", ")
    };
    let mut checks = vec![match of_items.len() {
        0 => check("coverage", Outcome::Passed, "everything its items come from was looked at".to_owned()),
        n => {
            let says = format!("{n} windows in which items may be missing: {}", named(&of_items));
            check("coverage", Outcome::Failed, says)
        }
    }];
    if !of_evidence.is_empty() {
        let n = of_evidence.len();
        let says = format!("{n} windows in which evidence may be missing: {}", named(&of_evidence));
        checks.push(check("evidence", Outcome::Question, says));
    }
    let unknown: Vec<&str> =
        sources.iter().filter(|s| s.identity.is_none()).map(|s| s.source.as_str()).collect();
    checks.push(match (sources.is_empty(), unknown.is_empty()) {
        (true, _) => check("origin", Outcome::Unknown, "no item names a source".to_owned()),
        (_, true) => check("origin", Outcome::Passed, "every source says which account it is".to_owned()),
        (_, false) => {
            let says = format!("nothing says which account or organisation it is: {}", unknown.join(", "));
            check("origin", Outcome::Unknown, says)
        }
    });
    for sequence in sequences {
        let Sequence { of, first, last, missing, .. } = sequence;
        checks.push(match missing {
            0 => check("sequence", Outcome::Passed, format!("{of} {first} to {last}: none is missing")),
            n => check(
                "sequence",
                Outcome::Question,
                format!("{of} {first} to {last}: {n} numbers are not known here; what were they?"),
            ),
        });
    }
    checks.extend(reconciled.iter().map(|other| {
        let outcome = match other.outcome {
            Completeness::Incomplete => Outcome::Failed,
            Completeness::Unknown => Outcome::Unknown,
            Completeness::Consistent => Outcome::Consistent,
            Completeness::Complete => Outcome::Passed,
        };
        check("reconciliation", outcome, other.sentence())
    }));
    if reconciled.is_empty() {
        let says = "no other source was held against it".to_owned();
        checks.push(check("reconciliation", Outcome::Unknown, says));
    }
    let arrived = |source: &SourceOf| source.counts.iter().any(|count| count.arrived == Some(count.count));
    checks.push(match sources.iter().flat_map(|s| &s.counts).count() {
        0 => check("count", Outcome::Unknown, "no source gave a count of its own".to_owned()),
        _ if sources.iter().all(arrived) => {
            check("count", Outcome::Passed, "as many rows arrived as each source counts itself".to_owned())
        }
        n => check(
            "count",
            Outcome::Question,
            format!("{n} counts of sources stand in the freeze; they count more than the period"),
        ),
    });
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(table: &str) -> FrozenGap {
        let (from, to) = (Instant::from_ms(0), Instant::from_ms(1));
        FrozenGap { table: table.to_owned(), from, to, reason: "nobody looked".to_owned() }
    }

    fn source(identity: Option<Identity>) -> SourceOf {
        SourceOf { source: "github:1".to_owned(), items: 3, identity, counts: vec![] }
    }

    #[track_caller]
    fn check(sources: &[SourceOf], missing: u64, gaps: &[FrozenGap], expect: &[(&str, Outcome)]) {
        let sequence =
            Sequence { scope: 7, of: "numbers".to_owned(), first: 1, last: 9, missing, holes: vec![] };
        let found = checks(sources, &[sequence], gaps, &["change".to_owned()], &[]);
        let found: Vec<(&str, Outcome)> = found.iter().map(|c| (c.check.as_str(), c.outcome)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn holes_of_a_sequence() {
        let known = BTreeSet::from([2, 3, 5, 9, 12]);
        let found = sequence(7, "numbers", (3, 9), &known);
        assert_eq!((found.missing, found.holes), (4, vec![4, 6, 7, 8]));
        assert_eq!(sequence(7, "numbers", (2, 3), &known).missing, 0);
        let far = sequence(7, "numbers", (1, 1_000_000_000_000), &BTreeSet::from([1, 1_000_000_000_000]));
        assert_eq!((far.missing, far.holes.len()), (999_999_999_998, HOLES));
    }

    #[test]
    fn only_what_may_hide_items_fails() {
        use Outcome::{Failed, Passed, Question, Unknown};
        let known = Identity { owner: 1, kind: "Organization".to_owned(), number: 2, entry: 3 };
        check(
            &[source(Some(known))],
            0,
            &[],
            &[
                ("coverage", Passed),
                ("origin", Passed),
                ("sequence", Passed),
                ("reconciliation", Unknown),
                ("count", Unknown),
            ],
        );
        check(
            &[source(None)],
            2,
            &[gap("approval")],
            &[
                ("coverage", Passed),
                ("evidence", Question),
                ("origin", Unknown),
                ("sequence", Question),
                ("reconciliation", Unknown),
                ("count", Unknown),
            ],
        );
        check(
            &[],
            0,
            &[gap("change")],
            &[
                ("coverage", Failed),
                ("origin", Unknown),
                ("sequence", Passed),
                ("reconciliation", Unknown),
                ("count", Unknown),
            ],
        );
    }
}
