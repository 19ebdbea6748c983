//! Scope rules as the records hold them: which of them count and from when, what they leave out, and what reached production
//! all the same.
//!
//! Everything is in scope that no rule leaves out. A rule counts with a reason and an approval; it leaves nothing out before it
//! was approved, so that no deviation disappears by a decision made after it. Of rules about the same thing the one that begins
//! last holds, and of two that begin together the one that includes.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{Catalog, Control, Criterion};
use model::{Dimension, Grade, Instant, Out, Period, Scope, Value, Window};
use serde::Serialize;
use store::records::{Records, RecordsError};

use crate::assessment::Question;
use crate::error::AppError;
use crate::question::{instant, integer, text};
use crate::workspace::Workspace;

/// What a category is called in rules, and how its criteria are numbered.
const CATEGORIES: [(&str, &str); 5] = [
    ("security", "Security"),
    ("availability", "Availability"),
    ("confidentiality", "Confidentiality"),
    ("processing_integrity", "Processing integrity"),
    ("privacy", "Privacy"),
];

/// The words of the categories that a control answers to, in the order of the categories.
pub(crate) fn categories_of(catalog: &Catalog, control: &Control) -> Vec<&'static str> {
    let names: BTreeSet<&str> = catalog
        .criteria
        .iter()
        .filter(|criterion| control.criteria.contains(&criterion.id))
        .map(Criterion::category)
        .collect();
    CATEGORIES.iter().filter(|(_, name)| names.contains(name)).map(|(word, _)| *word).collect()
}

/// A rule, and what it does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ScopeRule {
    /// Its key.
    pub key: String,
    /// What kind of thing it is about.
    pub dimension: String,
    /// The thing.
    pub subject: String,
    /// Whether that is in scope.
    pub included: bool,
    /// From when it is meant to hold.
    pub starts_at: Instant,
    /// Until when; absent when nobody says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Instant>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who approved it, as people call them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Instant>,
    /// When it was entered here.
    pub entered_at: Instant,
    /// Its ledger entry; absent when it is only proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<i64>,
    /// How far it can be trusted.
    pub grade: Grade,
    /// From when to when it counts; absent when it has no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<Window>,
    /// Why it has no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_effect: Option<String>,
    /// What else is to be said of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// Whether a machine approved it.
    #[serde(skip)]
    pub by_machine: bool,
    /// Whether nothing in the records is called so.
    #[serde(skip)]
    pub unknown_subject: bool,
}

/// What scope makes of an assessment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ScopeReport {
    /// Every rule that is known.
    pub rules: Vec<ScopeRule>,
    /// Procedures that were not run: what they answer to is out of scope.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_tested: Vec<NotTested>,
    /// What is out of scope, or named by no rule, and was in production all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub raised: Vec<Raised>,
}

/// A procedure whose criteria are all out of scope.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NotTested {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Controls it tests.
    pub controls: Vec<String>,
    /// The categories they answer to.
    pub categories: Vec<String>,
}

/// Something for a person to look at: scope and use do not agree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Raised {
    /// What kind of thing.
    pub dimension: String,
    /// The thing.
    pub subject: String,
    /// What is not right.
    pub why: String,
    /// How often it was seen.
    pub count: usize,
    /// When first.
    pub first_at: Instant,
    /// When last.
    pub last_at: Instant,
    /// One of them, for people.
    pub example: String,
    /// Ledger entry of that one.
    pub entry: i64,
}

/// A part of a product.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Part {
    product: String,
    dimension: Dimension,
    subject: String,
    /// When it is left out with its product.
    leaves: Option<Window>,
    /// When it is kept by its product.
    stays: Window,
}

/// The rules and parts known at a snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct ScopeRules {
    pub(crate) rules: Vec<ScopeRule>,
    parts: Vec<Part>,
}

/// How something stands at an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// No rule names it: it is in scope.
    Unnamed,
    /// A rule includes it.
    In,
    /// A rule leaves it out.
    Out,
}

const fn holds(window: Window, at: Instant) -> bool {
    window.from.ms() <= at.ms() && at.ms() < window.to.ms()
}

impl ScopeRule {
    fn is_about(&self, dimension: Dimension, subject: &str) -> bool {
        self.dimension == dimension.word() && self.subject == subject
    }

    /// Which of two that hold at the same time counts.
    const fn rank(&self) -> (i64, bool) {
        (self.starts_at.ms(), self.included)
    }

    /// Why it has no effect, or when it counts.
    fn effect(&self) -> Result<Window, &'static str> {
        let said = |text: &Option<String>| text.as_ref().is_some_and(|t| !t.trim().is_empty());
        let Some(dimension) = Dimension::of(&self.dimension) else {
            return Err("nothing of that kind can be in or out of scope");
        };
        if dimension == Dimension::Category && !CATEGORIES.iter().any(|(word, _)| *word == self.subject) {
            return Err(
                "there is no such category; there are availability, confidentiality, processing_integrity and privacy",
            );
        }
        if dimension == Dimension::Category && self.subject == "security" && !self.included {
            return Err(SECURITY);
        }
        if dimension == Dimension::PersonKind && self.subject == "unknown" && !self.included {
            return Err("who nobody knows cannot be left out");
        }
        if !said(&self.reason) {
            return Err("it gives no reason");
        }
        if self.approved_by.is_none() {
            return Err("nobody has approved it");
        }
        let Some(approved_at) = self.approved_at else { return Err("nobody says when it was approved") };
        if self.by_machine {
            return Err("a machine approved it");
        }
        let window = match (self.included, self.ends_at) {
            (true, None) => Window { from: self.starts_at, to: Instant::FOREVER },
            // That it ends lets something out: not before that was approved, either.
            (true, Some(ends)) => Window { from: self.starts_at, to: ends.max(approved_at) },
            (false, None) => return Err("nobody says until when it leaves something out"),
            (false, Some(ends)) => Window { from: self.starts_at.max(approved_at), to: ends },
        };
        if window.from >= window.to {
            return Err("it is over before it begins, or before it was approved");
        }
        Ok(window)
    }
}

/// Why a rule that leaves out Security has no effect.
pub const SECURITY: &str = "Security cannot be left out: every SOC 2 examination covers it";

impl ScopeRules {
    /// Works out what each rule does.
    fn settle(&mut self) {
        for rule in &mut self.rules {
            rule.remarks.clear();
            match rule.effect() {
                Ok(window) => {
                    rule.counts = Some(window);
                    rule.without_effect = None;
                    if window.from > rule.starts_at {
                        rule.remarks.push(format!(
                            "approved after it begins: it leaves out nothing before {}",
                            window.from
                        ));
                    }
                    if rule.included && rule.ends_at.is_some_and(|ends| ends < window.to) {
                        rule.remarks.push("approved after it ends: it counts up to its approval".to_owned());
                    }
                    let late = rule.entered_at.ms() - window.from.max(rule.starts_at).ms();
                    if late >= DAY_MS && !rule.included && rule.entry.is_some() {
                        rule.remarks.push(format!("entered {} after it begins to count", days(late)));
                    }
                    if rule.unknown_subject {
                        rule.remarks.push("nothing in the records is called so".to_owned());
                    }
                }
                Err(why) => {
                    rule.counts = None;
                    rule.without_effect = Some(why.to_owned());
                }
            }
        }
        let contradicted: Vec<Vec<String>> = self.rules.iter().map(|rule| self.outranked(rule)).collect();
        for (rule, remarks) in self.rules.iter_mut().zip(contradicted) {
            rule.remarks.extend(remarks);
        }
        self.rules.sort_by(|a, b| {
            (&a.dimension, &a.subject, a.starts_at, &a.key).cmp(&(
                &b.dimension,
                &b.subject,
                b.starts_at,
                &b.key,
            ))
        });
    }

    /// Which rules about the same thing say otherwise, and count instead.
    fn outranked(&self, rule: &ScopeRule) -> Vec<String> {
        let Some(window) = rule.counts else { return vec![] };
        let others = self.rules.iter().filter(|other| {
            other.dimension == rule.dimension
                && other.subject == rule.subject
                && other.included != rule.included
                && other.rank() > rule.rank()
                && other.counts.is_some_and(|w| w.from < window.to && window.from < w.to)
        });
        others
            .map(|other| {
                let why = if other.starts_at == rule.starts_at { "includes" } else { "begins later" };
                format!("where both hold, `{}` counts, which {why}", other.key)
            })
            .collect()
    }

    /// The same with one more; it takes the place of one with the same key.
    pub(crate) fn with(&self, rule: ScopeRule) -> Self {
        let mut rules = self.clone();
        rules.rules.retain(|r| r.key != rule.key);
        rules.rules.push(rule);
        rules.settle();
        rules
    }

    fn counting(&self) -> impl Iterator<Item = (&ScopeRule, Window)> {
        self.rules.iter().filter_map(|rule| Some((rule, rule.counts?)))
    }

    /// What the rules about the thing itself say.
    fn own(&self, dimension: Dimension, subject: &str, at: Instant) -> Standing {
        let last = self
            .counting()
            .filter(|(rule, window)| rule.is_about(dimension, subject) && holds(*window, at))
            .max_by_key(|(rule, _)| rule.rank());
        match last {
            None => Standing::Unnamed,
            Some((rule, _)) if rule.included => Standing::In,
            Some(_) => Standing::Out,
        }
    }

    /// How something stands: by its own rules, else by those of its products. One product in scope keeps it in.
    pub(crate) fn standing(&self, dimension: Dimension, subject: &str, at: Instant) -> Standing {
        let own = self.own(dimension, subject, at);
        if own != Standing::Unnamed {
            return own;
        }
        let mut out = false;
        let mut kept = None;
        for part in self.parts.iter().filter(|p| p.dimension == dimension && p.subject == subject) {
            match self.own(Dimension::Product, &part.product, at) {
                Standing::Out => out |= part.leaves.is_some_and(|window| holds(window, at)),
                Standing::In if holds(part.stays, at) => kept = Some(Standing::In),
                Standing::Unnamed if holds(part.stays, at) => kept = kept.or(Some(Standing::Unnamed)),
                _ => {}
            }
        }
        kept.unwrap_or(if out { Standing::Out } else { Standing::Unnamed })
    }

    /// Whether any rule that counts in a period speaks of such things.
    fn speaks_of(&self, dimension: Dimension, period: &Period) -> bool {
        let product = self.parts.iter().any(|p| p.dimension == dimension);
        self.counting().any(|(rule, window)| {
            (rule.dimension == dimension.word() || product && rule.dimension == Dimension::Product.word())
                && window.from < period.to
                && period.from < window.to
        })
    }

    /// When something is out: in order, none touching another.
    fn windows(&self, dimension: Dimension, subject: &str) -> Vec<Window> {
        let parts: Vec<&Part> =
            self.parts.iter().filter(|p| p.dimension == dimension && p.subject == subject).collect();
        let concerns = |rule: &ScopeRule| {
            rule.is_about(dimension, subject)
                || parts.iter().any(|part| rule.is_about(Dimension::Product, &part.product))
        };
        let mut edges: Vec<Instant> = self
            .counting()
            .filter(|(rule, _)| concerns(rule))
            .map(|(_, window)| window)
            .chain(parts.iter().flat_map(|part| part.leaves.into_iter().chain([part.stays])))
            .flat_map(|window| [window.from, window.to])
            .collect();
        edges.sort();
        edges.dedup();
        let mut windows: Vec<Window> = vec![];
        for pair in edges.windows(2) {
            if self.standing(dimension, subject, pair[0]) != Standing::Out {
                continue;
            }
            match windows.last_mut() {
                Some(last) if last.to == pair[0] => last.to = pair[1],
                _ => windows.push(Window { from: pair[0], to: pair[1] }),
            }
        }
        windows
    }

    /// What is out, as asked over a period.
    pub(crate) fn scope(
        &self,
        records: &mut Records,
        from: Instant,
        to: Instant,
    ) -> Result<Scope, RecordsError> {
        let named = self.rules.iter().filter_map(|rule| {
            let dimension = Dimension::of(&rule.dimension).filter(|d| d.decides_rows())?;
            Some((dimension, rule.subject.as_str()))
        });
        let subjects: BTreeSet<(Dimension, &str)> =
            named.chain(self.parts.iter().map(|part| (part.dimension, part.subject.as_str()))).collect();
        let mut out = vec![];
        for (dimension, subject) in subjects {
            let windows = self.windows(dimension, subject);
            if windows.is_empty() {
                continue;
            }
            let id =
                if dimension.is_entity() { records.entity_id(dimension.word(), 0, subject)? } else { None };
            out.push(Out { dimension, word: subject.to_owned(), id, windows });
        }
        out.extend(self.categories_together());
        Ok(Scope { from, to, out })
    }

    /// Categories that are out at the same time, two and more together, as controls that answer to several are marked.
    fn categories_together(&self) -> Vec<Out> {
        let mut together: Vec<(String, usize, Vec<Window>)> = vec![];
        for (word, _) in CATEGORIES {
            let windows = self.windows(Dimension::Category, word);
            let mut more = vec![(word.to_owned(), 1, windows.clone())];
            for (words, count, before) in &together {
                let both = before.iter().flat_map(|a| windows.iter().map(move |b| (a, b)));
                let both = both
                    .map(|(a, b)| Window { from: a.from.max(b.from), to: a.to.min(b.to) })
                    .filter(|w| w.from < w.to);
                more.push((format!("{words} {word}"), count + 1, both.collect()));
            }
            together.extend(more.into_iter().filter(|(.., windows)| !windows.is_empty()));
        }
        let several = together.into_iter().filter(|(_, count, _)| *count > 1);
        several
            .map(|(word, _, windows)| Out { dimension: Dimension::Category, word, id: None, windows })
            .collect()
    }

    /// Whether a category of the criteria is out during a whole period.
    pub(crate) fn leaves_out_category(&self, category: &str, period: &Period) -> bool {
        let word = CATEGORIES.iter().find(|(_, name)| *name == category).map(|(word, _)| *word);
        word.is_some_and(|word| {
            let windows = self.windows(Dimension::Category, word);
            windows.iter().any(|w| w.from <= period.from && w.to >= period.to)
        })
    }
}

const DAY_MS: i64 = 86_400_000;

/// A duration in whole days, for people.
fn days(ms: i64) -> String {
    match ms / DAY_MS {
        1 => "1 day".to_owned(),
        n => format!("{n} days"),
    }
}

impl Workspace {
    /// The rules known at a ledger position.
    pub(crate) fn scope_rules(&mut self, position: u64) -> Result<ScopeRules, AppError> {
        let known_at = i64::try_from(position).unwrap_or(i64::MAX - 1);
        let mut rules = ScopeRules::default();
        let mut keys = BTreeSet::new();
        let mut approvers: Vec<Option<i64>> = vec![];
        let mut ids = vec![];
        if let Some(table) = self.records.table("scope_rule") {
            self.records.rows_known_at::<RecordsError>(table, known_at, |row| {
                let [dimension, subject, included, starts_at, ends_at, reason, approved_by, approved_at] =
                    row.values.as_slice()
                else {
                    return Ok(());
                };
                keys.insert(row.id);
                ids.push(row.id);
                approvers.push(integer(approved_by));
                rules.rules.push(ScopeRule {
                    key: String::new(),
                    dimension: text(dimension).unwrap_or_default(),
                    subject: text(subject).unwrap_or_default(),
                    included: *included == Value::Integer(1),
                    starts_at: instant(starts_at).unwrap_or(Instant::BEGINNING),
                    ends_at: instant(ends_at),
                    reason: text(reason),
                    approved_by: None,
                    approved_at: instant(approved_at),
                    entered_at: row.collected_at,
                    entry: Some(row.entry),
                    grade: row.grade,
                    counts: None,
                    without_effect: None,
                    remarks: vec![],
                    by_machine: false,
                    unknown_subject: false,
                });
                Ok(())
            })?;
        }
        if let Some(table) = self.records.table("product_part") {
            self.records.rows_known_at::<RecordsError>(table, known_at, |row| {
                let [product, dimension, subject, starts_at, ends_at, approved_by, approved_at] =
                    row.values.as_slice()
                else {
                    return Ok(());
                };
                let starts = instant(starts_at).unwrap_or(Instant::BEGINNING);
                let (ends, approved) =
                    (instant(ends_at), instant(approved_at).filter(|_| *approved_by != Value::Null));
                let (Some(product), Some(dimension), Some(subject)) =
                    (text(product), text(dimension).and_then(|d| Dimension::of(&d)), text(subject))
                else {
                    return Ok(());
                };
                let leaves = ends
                    .zip(approved)
                    .map(|(ends, approved)| Window { from: starts.max(approved), to: ends })
                    .filter(|window| window.from < window.to);
                let until = match (ends, approved) {
                    (Some(ends), Some(approved)) => ends.max(approved),
                    // Nobody approved that it ends.
                    _ => Instant::FOREVER,
                };
                rules.parts.push(Part {
                    product,
                    dimension,
                    subject,
                    leaves,
                    stays: Window { from: starts, to: until },
                });
                Ok(())
            })?;
        }
        if rules.rules.is_empty() {
            return Ok(ScopeRules::default());
        }
        let names: BTreeMap<i64, String> =
            self.records.entities_of(&keys)?.into_iter().map(|e| (e.id, e.key)).collect();
        let machines = self.machines(&approvers, position)?;
        for ((rule, id), approver) in rules.rules.iter_mut().zip(ids).zip(approvers) {
            rule.key = names.get(&id).cloned().unwrap_or_default();
            if let Some(approver) = approver {
                rule.approved_by = Some(name(&mut self.records, approver)?);
                rule.by_machine = rule.approved_at.is_some_and(|at| {
                    machines.iter().any(|(account, window)| *account == approver && holds(*window, at))
                });
            }
        }
        for at in 0..rules.rules.len() {
            if let Some(dimension) = Dimension::of(&rules.rules[at].dimension) {
                rules.rules[at].unknown_subject = !self.knows(dimension, &rules.rules[at].subject, &rules)?;
            }
        }
        rules.settle();
        Ok(rules)
    }

    /// Which of these accounts are machines', and when.
    fn machines(&mut self, accounts: &[Option<i64>], position: u64) -> Result<Vec<(i64, Window)>, AppError> {
        let ids: BTreeSet<String> = accounts.iter().flatten().map(i64::to_string).collect();
        if ids.is_empty() {
            return Ok(vec![]);
        }
        let list: Vec<String> = ids.into_iter().collect();
        let answer = self.ask(
            &format!(
                "SELECT a.id AS id, a.valid_from AS valid_from, a.valid_to AS valid_to FROM account_history a \
                  WHERE a.id IN ({}) AND (a.kind = 'bot' OR a.kind = 'service')",
                list.join(", ")
            ),
            &Period { from: Instant::BEGINNING, to: Instant::FOREVER, tz: "UTC".to_owned() },
            Instant::FOREVER,
            Some(position),
        )?;
        let machine = |row: &Vec<Value>| {
            let (id, from) = (integer(row.first()?)?, instant(row.get(1)?)?);
            Some((id, Window { from, to: row.get(2).and_then(instant).unwrap_or(Instant::FOREVER) }))
        };
        Ok(answer.rows.iter().filter_map(machine).collect())
    }

    /// Whether anything in the records is called so.
    fn knows(&mut self, dimension: Dimension, subject: &str, rules: &ScopeRules) -> Result<bool, AppError> {
        Ok(match dimension {
            Dimension::Product => rules.parts.iter().any(|part| part.product == subject),
            Dimension::Category => CATEGORIES.iter().any(|(word, _)| *word == subject),
            _ if dimension.is_entity() => self.records.entity_id(dimension.word(), 0, subject)?.is_some(),
            _ => self.subjects(dimension)?.contains(subject),
        })
    }

    /// Everything a rule of a dimension can be about: keys or words that the records hold.
    ///
    /// # Errors
    /// The database.
    pub fn subjects(&mut self, dimension: Dimension) -> Result<BTreeSet<String>, AppError> {
        let mut known = BTreeSet::new();
        if dimension == Dimension::Category {
            known.extend(CATEGORIES.iter().map(|(word, _)| (*word).to_owned()));
        }
        if dimension.is_entity() {
            self.records.entities(Some(dimension.word()), |entity| {
                known.insert(entity.key);
            })?;
        }
        let mut questions = vec![];
        if dimension == Dimension::Product {
            questions.push("SELECT DISTINCT p.product AS word FROM product_part p".to_owned());
        }
        for table in &self.catalog.tables {
            for (_, column) in table.scope.iter().flat_map(|s| &s.by).filter(|(of, _)| *of == dimension) {
                let Some(declared) = table.column(column).map(|at| &table.columns[at]) else { continue };
                known.extend(declared.words.iter().cloned());
                if declared.kind.is_text() && declared.words.is_empty() {
                    let every = if table.kind == model::TableKind::State { "_history" } else { "" };
                    questions
                        .push(format!("SELECT DISTINCT t.{column} AS word FROM {}{every} t", table.name));
                }
            }
        }
        for question in questions {
            let answer = self.query(&question, Instant::FOREVER, None)?;
            known.extend(answer.rows.iter().flatten().filter_map(text));
        }
        Ok(known)
    }

    /// The rules, and what they make of a period.
    ///
    /// # Errors
    /// The database.
    pub fn scope_report(&mut self, question: &Question) -> Result<ScopeReport, AppError> {
        let position = self.position(question.known_at)?;
        let rules = self.scope_rules(position)?;
        let not_tested = self
            .catalog
            .procedures
            .values()
            .filter_map(|procedure| self.not_tested(procedure, &rules, &question.period))
            .collect();
        let raised = self.raised(&rules, question, position)?;
        Ok(ScopeReport { rules: rules.rules, not_tested, raised })
    }

    /// The account that is called so, as system and key: by address, login, name or key.
    ///
    /// # Errors
    /// Nobody of that name, or several people.
    pub fn account_named(&mut self, who: &str) -> Result<(String, String), AppError> {
        let mut found: BTreeSet<i64> =
            self.records.entities_by_key("account", who)?.iter().map(|e| e.id).collect();
        for kind in ["account_email", "account_login", "account_name"] {
            for spelling in [who.to_owned(), who.to_lowercase()] {
                found.extend(self.records.entities_by_key(kind, &spelling)?.iter().map(|e| e.scope));
            }
        }
        let Some(first) = found.first().copied() else {
            return Err(AppError::Other(format!(
                "nobody is known as `{who}`; say of which system the login is with --approver-system"
            )));
        };
        if found.len() > 1 {
            let list: Vec<String> = found.iter().map(i64::to_string).collect();
            let people = self.query(
                &format!(
                    "SELECT DISTINCT p.person AS person FROM account_person p WHERE p.account IN ({})",
                    list.join(", ")
                ),
                Instant::FOREVER,
                None,
            )?;
            if people.rows.len() != 1 {
                return Err(AppError::Other(format!(
                    "several accounts are called `{who}`, and nobody says that they are one person's; name one by its key, and its \
                     system with --approver-system"
                )));
            }
        }
        let account = self.records.entity(first)?;
        let account = account.ok_or_else(|| AppError::Other(format!("nobody is known as `{who}`")))?;
        let system = self.records.entity(account.scope)?.map(|e| e.key).unwrap_or_default();
        Ok((system, account.key))
    }

    /// A procedure that is not run: every criterion its controls answer to is out during the whole period.
    pub(crate) fn not_tested(
        &self,
        procedure: &catalog::Procedure,
        rules: &ScopeRules,
        period: &Period,
    ) -> Option<NotTested> {
        let mut categories = BTreeSet::new();
        for control in &procedure.controls {
            for criterion in &self.catalog.controls.get(control)?.criteria {
                categories.insert(self.catalog.criteria.iter().find(|c| c.id == *criterion)?.category());
            }
        }
        let out = !categories.is_empty() && categories.iter().all(|c| rules.leaves_out_category(c, period));
        out.then(|| NotTested {
            id: procedure.id.clone(),
            title: procedure.title.clone(),
            controls: procedure.controls.clone(),
            categories: categories.into_iter().map(str::to_owned).collect(),
        })
    }

    /// What is out of scope or named by no rule, and was in production or received data in the period all the same.
    pub(crate) fn raised(
        &mut self,
        rules: &ScopeRules,
        question: &Question,
        position: u64,
    ) -> Result<Vec<Raised>, AppError> {
        let mut found = Findings::default();
        if rules.counting().next().is_none() {
            return Ok(vec![]);
        }
        let answer = self.ask(
            "SELECT d.repository AS repository, d.environment AS environment, d.production AS production, d.label AS label, \
                    d.deployed_at AS happened_at, d.entry AS entry \
               FROM deployment d \
              WHERE d.deployed_at >= $from AND d.deployed_at < $to AND d.deployed_at <= $cutoff \
                AND (d.production = 1 OR d.production IS NULL) AND d.status <> 'failure' AND d.status <> 'pending' \
             UNION ALL \
             SELECT 0 AS repository, f.environment AS environment, f.production AS production, f.label AS label, \
                    f.changed_at AS happened_at, f.entry AS entry \
               FROM flag_change f \
              WHERE f.changed_at >= $from AND f.changed_at < $to AND f.changed_at <= $cutoff \
                AND (f.production = 1 OR f.production IS NULL)",
            &question.period,
            question.cutoff,
            Some(position),
        )?;
        let repositories: BTreeSet<i64> =
            answer.rows.iter().filter_map(|row| integer(row.first()?)).collect();
        let keys: BTreeMap<i64, String> =
            self.records.entities_of(&repositories)?.into_iter().map(|e| (e.id, e.key)).collect();
        let by_repository = rules.speaks_of(Dimension::Repository, &question.period);
        for row in &answer.rows {
            let [repository, environment, production, label, at, entry] = row.as_slice() else { continue };
            let (Some(at), Some(entry)) = (instant(at), integer(entry)) else { continue };
            let reached = if *production == Value::Null {
                "may have reached production: nobody says what production is"
            } else {
                "reached production"
            };
            let mut raise = |dimension: Dimension, subject: &str, why: String| {
                found.add(dimension, subject, why, at, text(label).unwrap_or_default(), entry);
            };
            if let Some(environment) = text(environment)
                && rules.standing(Dimension::Environment, &environment, at) == Standing::Out
            {
                raise(Dimension::Environment, &environment, format!("it is out of scope, and {reached}"));
            }
            match integer(repository).map(|id| (id, keys.get(&id))) {
                // A flag is of no repository.
                Some((0, _)) => {}
                Some((_, Some(key))) => match rules.standing(Dimension::Repository, key, at) {
                    Standing::Out => {
                        raise(Dimension::Repository, key, format!("it is out of scope, and {reached}"));
                    }
                    Standing::Unnamed if by_repository => {
                        raise(Dimension::Repository, key, format!("no rule names it, and it {reached}"));
                    }
                    Standing::Unnamed | Standing::In => {}
                },
                Some((_, None)) | None => {
                    if by_repository {
                        raise(
                            Dimension::Repository,
                            "unknown",
                            format!("nobody says of which repository it is, and it {reached}"),
                        );
                    }
                }
            }
        }
        for received in self.received_by_vendors(&question.period, question.cutoff, position)? {
            let out = rules.windows(Dimension::Vendor, &received.vendor);
            let meets = |w: &&Window| w.from < received.during.to && received.during.from < w.to;
            if let Some(window) = out.iter().find(meets) {
                let why = format!("it is out of scope, and {}", received.what);
                let at = window.from.max(received.during.from);
                found.add(Dimension::Vendor, &received.vendor, why, at, received.from, received.entry);
            }
        }
        Ok(found.into_list())
    }
}

/// What is raised, said once for each thing and reason.
#[derive(Default)]
struct Findings(BTreeMap<(Dimension, String, String), Raised>);

impl Findings {
    fn add(
        &mut self,
        dimension: Dimension,
        subject: &str,
        why: String,
        at: Instant,
        example: String,
        entry: i64,
    ) {
        let raised = self.0.entry((dimension, subject.to_owned(), why.clone())).or_insert_with(|| Raised {
            dimension: dimension.word().to_owned(),
            subject: subject.to_owned(),
            why,
            count: 0,
            first_at: at,
            last_at: at,
            example: example.clone(),
            entry,
        });
        raised.count += 1;
        raised.last_at = raised.last_at.max(at);
        // The first one stands for all, whatever order they come in.
        if (at, entry) < (raised.first_at, raised.entry) {
            (raised.first_at, raised.example, raised.entry) = (at, example, entry);
        }
    }

    fn into_list(self) -> Vec<Raised> {
        self.0.into_values().collect()
    }
}

/// What people call an account: its address, login or name, else its key.
pub(crate) fn name(records: &mut Records, id: i64) -> Result<String, RecordsError> {
    let texts = records.display(&BTreeSet::from([id]))?;
    let said = ["email", "login", "name"].iter().find_map(|field| texts.iter().find(|t| t.field == *field));
    match said {
        Some(text) => Ok(text.text.clone()),
        None => Ok(records.entity(id)?.map_or_else(|| id.to_string(), |entity| entity.key)),
    }
}

#[cfg(test)]
mod tests;
