//! The register of deviations: what an assessment finds, laid beside what was found before and what people decided about it.
//!
//! A deviation is told from another by what cannot be renamed: procedure, attribute, the item's key and what it is unique
//! within, the scope it was judged in and its instant (of an item that lasts a period, the period). Its name `D-…` is the hash
//! of these, so that finding it twice names it alike.

use std::collections::{BTreeMap, BTreeSet};

use assess::register::{Decision, Said, Severity, Stand, Standing, Triage, stand};
use assess::{Waivable, Waived};
use model::{Attribute, Instant, Verdict};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::assessment::{ItemReport, ProcedureReport, Question, Report};
use crate::error::AppError;
use crate::question::{instant, integer, text};
use crate::waiver::{WaiverReport, spans};
use crate::workspace::Workspace;

/// The deviations of a period: found now, found before, and how they stand.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Deviations {
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
    /// Every deviation, the most urgent first.
    pub deviations: Vec<DeviationReport>,
}

/// What names a deviation besides its instant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct About {
    /// The procedure.
    pub procedure: String,
    /// The attribute.
    pub attribute: Attribute,
    /// Kind of the item.
    pub kind: String,
    /// Key of the item at its source.
    pub item: String,
    /// Key of what the item's key is unique within.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// Key of what it was judged within, where an item is judged within several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// One deviation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DeviationReport {
    /// Its name.
    pub key: String,
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
    /// Controls that its procedure tests, or tested when it was entered.
    pub controls: Vec<String>,
    /// What deviated, in the words of the procedure.
    pub reason: String,
    /// What people call the item.
    pub label: String,
    /// The instant by which the item belongs to its period.
    pub occurred_at: Instant,
    /// Ledger entry of the item's own record.
    pub entry: i64,
    /// Hash of the procedure and the tables it read, as they are now; empty where no procedure looked.
    #[serde(skip)]
    pub content: String,
    /// Whether this assessment finds it.
    pub found: Found,
    /// In words, where it is not simply found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_because: Option<String>,
    /// `overdue`, `unowned`, `unregistered`, `open` or `closed`.
    pub standing: &'static str,
    /// Its entry in the register.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registered: Option<Registered>,
    /// Why it came to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// How grave it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<&'static str>,
    /// What could happen through it, or did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure: Option<String>,
    /// The control that is said to make up for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compensating: Option<String>,
    /// What is done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// Who has to see to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Instant>,
    /// Waivers about it, whether they cover it or not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<WaiverBeside>,
    /// Every decision about it, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Decided>,
    /// Its item's label alone, without what names it to people.
    #[serde(skip)]
    pub short: String,
    #[serde(skip)]
    pub(crate) rank: u8,
}

impl DeviationReport {
    /// The waiver that covers it.
    #[must_use]
    pub fn waived(&self) -> Option<&str> {
        self.waivers.iter().find(|w| w.stands == Waived::Covers.word()).map(|w| w.key.as_str())
    }

    /// The ledger entry of what was decided about it last; absent where it is not in the register.
    #[must_use]
    pub fn last_entry(&self) -> Option<i64> {
        let registered = self.registered.as_ref()?.entry;
        Some(self.history.iter().map(|decided| decided.entry).fold(registered, i64::max))
    }

    /// With what was decided about it.
    pub(crate) fn decided(self, known: &InRegister, now: Instant) -> Self {
        with_decisions(self, known, now)
    }
}

/// Whether an assessment finds a deviation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It does.
    Yes,
    /// It looked, and does not find it any more.
    No,
    /// It had no procedure that could find it.
    NotTested,
    /// It did not look there: another period, or another control.
    NotAsked,
}

/// When and how a deviation was entered into the register.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Registered {
    /// Its ledger entry.
    pub entry: i64,
    /// When the ledger took it.
    pub at: Instant,
    /// Who entered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Ledger position of the snapshot it was found in.
    pub position: i64,
    /// First instant of the period it was found in.
    pub period_from: Instant,
    /// First instant after that period.
    pub period_to: Instant,
    /// Hash of the procedure and the tables it read.
    pub content: String,
    /// What the item was called then.
    pub label: String,
}

/// A waiver beside a deviation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WaiverBeside {
    /// The waiver.
    pub key: String,
    /// `covers`, or why it does not: `retroactive`, `expired`, `begins_later`, `in_part`, `not_approved`, `end_unknown`.
    pub stands: &'static str,
    /// Whether the ledger took it only after the deviation, whatever date its approval bears.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub entered_afterwards: bool,
}

/// A decision about a deviation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Decided {
    /// Its ledger entry.
    pub entry: i64,
    /// When the ledger took it.
    pub at: Instant,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What, in words.
    pub what: String,
    /// Why it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_counted: Option<String>,
}

/// A deviation of the register, with everything decided about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InRegister {
    /// Its name.
    pub key: String,
    /// What it is about.
    pub about: About,
    /// The instant by which the item belongs to its period.
    pub occurred_at: Instant,
    /// Controls that its procedure tested then.
    pub controls: Vec<String>,
    /// What deviated.
    pub reason: String,
    /// Ledger entry of the item's own record.
    pub item_entry: i64,
    /// When and how it was entered.
    pub registered: Registered,
    /// Decisions, in the order of their entries.
    pub decisions: Vec<Decision>,
}

impl InRegister {
    /// Who has to see to it, as it was decided.
    pub(crate) fn owner(&self) -> Option<String> {
        // Whose it is does not hang on when somebody asks.
        stand(&self.decisions, Instant::BEGINNING).triage.owner
    }
}

/// A deviation that an assessment found.
struct FoundNow<'a> {
    about: About,
    procedure: &'a ProcedureReport,
    item: &'a ItemReport,
    over_period: bool,
}

impl FoundNow<'_> {
    fn key(&self, question: &Question) -> String {
        let period = &question.period;
        let time = if self.over_period {
            [period.from.ms(), period.to.ms()]
        } else {
            [self.item.occurred_at.ms(), self.item.occurred_at.ms()]
        };
        let About { procedure, attribute, kind, item, within, scope } = &self.about;
        let named = serde_json::json!([procedure, attribute, kind, item, within, scope, time]).to_string();
        let digits: String =
            Sha256::digest(named.as_bytes()).iter().take(5).map(|b| format!("{b:02x}")).collect();
        format!("D-{digits}")
    }
}

impl Workspace {
    /// The deviations of a period, or at a date: what the assessment finds, and what was found before.
    ///
    /// # Errors
    /// As [`Workspace::assess`].
    pub fn deviations(&mut self, question: &Question, now: Instant) -> Result<Deviations, AppError> {
        Ok(self.examined(question, now)?.1)
    }

    /// An assessment with its deviations.
    pub(crate) fn examined(
        &mut self,
        question: &Question,
        now: Instant,
    ) -> Result<(Report, Deviations), AppError> {
        let report = self.assess(question)?;
        let known_at = Some(report.position);
        let register = self.register(known_at)?;
        let waivers = self.waivers(known_at)?;
        let found = self.found(&report);
        let mut deviations = vec![];
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut by_about: BTreeMap<&About, Vec<&InRegister>> = BTreeMap::new();
        for known in &register {
            by_about.entry(&known.about).or_default().push(known);
        }
        for now_found in &found {
            let alike = by_about.get(&now_found.about).map_or(&[][..], Vec::as_slice);
            let known = alike.iter().copied().find(|known| is(known, now_found, question));
            seen.extend(known.map(|k| k.key.as_str()));
            deviations.push(described(now_found, known, question, &waivers, now));
        }
        for known in register.iter().filter(|known| !seen.contains(known.key.as_str())) {
            let (is_found, because) = self.whether_found(known, &found, &report, question);
            deviations.push(remembered(
                known,
                is_found,
                because,
                &waivers,
                now,
                self.lasts(&known.about.procedure),
            ));
        }
        deviations.sort_by(|a, b| {
            let by = |d: &DeviationReport| (d.rank, d.due.unwrap_or(Instant::FOREVER), d.occurred_at);
            by(a).cmp(&by(b)).then_with(|| a.key.cmp(&b.key))
        });
        let Report { from, to, tz, cutoff, position, .. } = &report;
        let all = Deviations {
            from: *from,
            to: *to,
            tz: tz.clone(),
            cutoff: *cutoff,
            position: *position,
            deviations,
        };
        Ok((report, all))
    }

    pub(crate) fn lasts(&self, procedure: &str) -> bool {
        self.catalog.procedures.get(procedure).is_some_and(|p| p.over_period)
    }

    /// Every attribute of every item that deviates.
    fn found<'a>(&self, report: &'a Report) -> Vec<FoundNow<'a>> {
        let mut found = vec![];
        for procedure in &report.procedures {
            let over_period = self.lasts(&procedure.id);
            for item in &procedure.items {
                for (attribute, verdict) in &item.verdicts {
                    if *verdict == Verdict::Deviation {
                        let about = about(procedure, item, *attribute);
                        found.push(FoundNow { about, procedure, item, over_period });
                    }
                }
            }
        }
        found
    }

    /// Whether an assessment finds what was entered before, and why not.
    fn whether_found(
        &self,
        known: &InRegister,
        found: &[FoundNow<'_>],
        report: &Report,
        question: &Question,
    ) -> (Found, Option<String>) {
        let id = &known.about.procedure;
        let period = &question.period;
        let registered = &known.registered;
        let elsewhere = (Found::NotAsked, Some("it lies outside of this period".to_owned()));
        let overlaps = registered.period_from < period.to && period.from < registered.period_to;
        let inside = if self.lasts(id) { overlaps } else { period.contains(known.occurred_at) };
        if !inside {
            return elsewhere;
        }
        let Some(tested) = report.procedures.iter().find(|p| p.id == *id) else {
            return if self.catalog.procedures.contains_key(id) {
                (Found::NotAsked, Some("its procedure was not asked".to_owned()))
            } else {
                (Found::NotTested, Some(format!("there is no procedure `{id}` any more")))
            };
        };
        if tested.attributes.iter().all(|a| a.letter != known.about.attribute) {
            let gone = format!("`{id}` has no attribute {} any more", known.about.attribute);
            return (Found::NotTested, Some(gone));
        }
        if self.lasts(id) {
            if found.iter().any(|f| f.about == known.about) {
                return (Found::Yes, Some("found over another time than it was entered for".to_owned()));
            }
            if registered.period_from < period.from || period.to < registered.period_to {
                return (Found::NotAsked, Some("it was entered for a longer time".to_owned()));
            }
        }
        let item = tested.items.iter().find(|item| about(tested, item, known.about.attribute) == known.about);
        let now = match item {
            None => "the item is not in the population any more".to_owned(),
            Some(item) => {
                let verdict = item.verdicts.get(&known.about.attribute).copied();
                let word = verdict.unwrap_or(Verdict::NoEvidence).word().replace('_', " ");
                if item.occurred_at == known.occurred_at || self.lasts(id) {
                    format!("now {word}")
                } else {
                    format!("the item belongs to {} now: {word}", item.occurred_at)
                }
            }
        };
        let mut because = format!(
            "not found at position {}: {now}; it was found at position {}",
            report.position, known.registered.position
        );
        if let Some(changed) = changed(&known.registered, tested) {
            because = format!("{because}; {changed}");
        }
        (Found::No, Some(because))
    }

    /// Every deviation that was ever entered, with everything decided about it, as known at a position.
    ///
    /// # Errors
    /// The database.
    pub fn register(&mut self, known_at: Option<u64>) -> Result<Vec<InRegister>, AppError> {
        let answer = self.query(
            "SELECT d.id AS id, d.procedure AS procedure, d.attribute AS attribute, d.item_kind AS item_kind, d.item_key AS item_key, \
                    d.item_within AS item_within, d.scope AS scope, d.occurred_at AS occurred_at, d.period_from AS period_from, \
                    d.period_to AS period_to, d.label AS label, d.reason AS reason, d.controls AS controls, \
                    d.item_entry AS item_entry, d.found_position AS found_position, d.content_hash AS content_hash, \
                    d.registered_by AS registered_by, d.entry AS entry, d.collected_at AS collected_at FROM deviation d",
            Instant::FOREVER,
            known_at,
        )?;
        if answer.rows.is_empty() {
            return Ok(vec![]);
        }
        let mut decisions = self.decisions(known_at)?;
        let keys =
            self.keys_of(answer.rows.iter().flat_map(|row| [integer(row.first()), integer(row.get(16))]))?;
        let mut register: Vec<InRegister> = answer
            .rows
            .iter()
            .filter_map(|row| {
                let words = |at: usize| text(row.get(at));
                let at = |at: usize| instant(row.get(at)).unwrap_or(Instant::BEGINNING);
                let id = integer(row.first())?;
                Some(InRegister {
                    key: keys.get(&id)?.clone(),
                    about: About {
                        procedure: words(1)?,
                        attribute: Attribute(words(2)?.chars().next()?),
                        kind: words(3)?,
                        item: words(4)?,
                        within: words(5),
                        scope: words(6),
                    },
                    occurred_at: at(7),
                    controls: words(12)?.split_whitespace().map(str::to_owned).collect(),
                    reason: words(11)?,
                    item_entry: integer(row.get(13))?,
                    registered: Registered {
                        entry: integer(row.get(17))?,
                        at: at(18),
                        by: integer(row.get(16)).and_then(|id| keys.get(&id).cloned()),
                        position: integer(row.get(14))?,
                        period_from: at(8),
                        period_to: at(9),
                        content: words(15)?,
                        label: words(10)?,
                    },
                    decisions: decisions.remove(&id).unwrap_or_default(),
                })
            })
            .collect();
        register.sort_by(|a, b| (a.registered.entry, &a.key).cmp(&(b.registered.entry, &b.key)));
        Ok(register)
    }

    /// What was decided, by the deviation it is about, in the order of the entries.
    fn decisions(&mut self, known_at: Option<u64>) -> Result<BTreeMap<i64, Vec<Decision>>, AppError> {
        let asked = |workspace: &mut Self, sql: &str| workspace.query(sql, Instant::FOREVER, known_at);
        let triages = asked(
            self,
            "SELECT t.deviation AS deviation, t.entry AS entry, t.collected_at AS collected_at, t.triaged_by AS triaged_by, \
                    t.cause AS cause, t.severity AS severity, t.exposure AS exposure, t.compensating AS compensating, \
                    t.response AS response, t.owner AS owner, t.due_at AS due_at FROM deviation_triage t",
        )?;
        let retests = asked(
            self,
            "SELECT t.deviation AS deviation, t.entry AS entry, t.collected_at AS collected_at, t.retested_by AS retested_by, \
                    t.result AS result, t.evidence_entry AS evidence_entry FROM deviation_retest t",
        )?;
        let closings = asked(
            self,
            "SELECT t.deviation AS deviation, t.entry AS entry, t.collected_at AS collected_at, t.closed_by AS closed_by, \
                    t.accepted AS accepted, t.reason AS reason FROM deviation_close t",
        )?;
        let people = [&triages, &retests, &closings];
        let ids: Vec<Option<i64>> = people
            .iter()
            .flat_map(|answer| answer.rows.iter().flat_map(|row| [integer(row.get(3)), integer(row.get(9))]))
            .collect();
        let keys = self.keys_of(ids.into_iter())?;
        let who = |value: Option<i64>| value.and_then(|id| keys.get(&id).cloned());
        let mut all: BTreeMap<i64, Vec<Decision>> = BTreeMap::new();
        let mut add = |row: &[model::Value], said: Said| {
            if let (Some(about), Some(entry)) = (integer(row.first()), integer(row.get(1))) {
                let at = instant(row.get(2)).unwrap_or(Instant::BEGINNING);
                all.entry(about).or_default().push(Decision {
                    entry,
                    at,
                    by: who(integer(row.get(3))),
                    said,
                });
            }
        };
        for row in &triages.rows {
            let words = |at: usize| text(row.get(at));
            add(
                row,
                Said::Triaged(Triage {
                    cause: words(4),
                    severity: words(5).and_then(|word| Severity::named(&word)),
                    exposure: words(6),
                    compensating: words(7).map(|word| if word == NONE { String::new() } else { word }),
                    response: words(8),
                    owner: who(integer(row.get(9))),
                    due: instant(row.get(10)),
                }),
            );
        }
        for row in &retests.rows {
            let passed = text(row.get(4)).as_deref() == Some("pass");
            add(row, Said::Retested { passed, evidence: integer(row.get(5)) });
        }
        for row in &closings.rows {
            let accepted = integer(row.get(4)) == Some(1);
            add(row, Said::Closed { accepted, reason: text(row.get(5)).unwrap_or_default() });
        }
        for decisions in all.values_mut() {
            decisions.sort_by_key(|d| d.entry);
        }
        Ok(all)
    }
}

/// What a triage says to take a compensating control back.
pub const NONE: &str = "none";

fn about(procedure: &ProcedureReport, item: &ItemReport, attribute: Attribute) -> About {
    About {
        procedure: procedure.id.clone(),
        attribute,
        kind: item.kind.0.clone(),
        item: item.item.clone(),
        within: item.kind.1.clone(),
        scope: item.scope.clone(),
    }
}

/// Whether another test says so now than the one that found it.
fn changed(registered: &Registered, procedure: &ProcedureReport) -> Option<String> {
    (registered.content != procedure.content)
        .then(|| "the procedure, or a table it reads, has changed since".to_owned())
}

/// Whether what was found is what was entered before. Of an item that lasts a period only where that covers all of the time
/// asked about: what is found over a longer time may be something else.
fn is(known: &InRegister, found: &FoundNow<'_>, question: &Question) -> bool {
    known.about == found.about
        && if found.over_period {
            known.registered.period_from <= question.period.from
                && question.period.to <= known.registered.period_to
        } else {
            known.occurred_at == found.item.occurred_at
        }
}

fn described(
    found: &FoundNow<'_>,
    known: Option<&InRegister>,
    question: &Question,
    waivers: &[WaiverReport],
    now: Instant,
) -> DeviationReport {
    let FoundNow { about, procedure, item, over_period } = found;
    let (from, last) = spans(question, *over_period, item.occurred_at);
    let waivable =
        Waivable { controls: &procedure.controls, procedure: &procedure.id, item: &item.item, from, last };
    let remarks: Vec<String> = known
        .map(|k| {
            let renamed = (k.registered.label != item.short)
                .then(|| format!("it was called `{}` when it was entered", k.registered.label));
            renamed.into_iter().chain(changed(&k.registered, procedure)).collect()
        })
        .unwrap_or_default();
    let base = DeviationReport {
        key: known.map_or_else(|| found.key(question), |k| k.key.clone()),
        about: about.clone(),
        controls: procedure.controls.clone(),
        reason: item.reasons.get(&about.attribute).cloned().unwrap_or_default(),
        label: item.label.clone(),
        short: item.short.clone(),
        occurred_at: item.occurred_at,
        entry: item.entry,
        content: procedure.content.clone(),
        found: Found::Yes,
        found_because: (!remarks.is_empty()).then(|| remarks.join("; ")),
        waivers: beside(waivers, &waivable),
        ..empty()
    };
    match known {
        Some(known) => with_decisions(base, known, now),
        None => base,
    }
}

fn remembered(
    known: &InRegister,
    found: Found,
    because: Option<String>,
    waivers: &[WaiverReport],
    now: Instant,
    lasts: bool,
) -> DeviationReport {
    let (from, last) = if lasts {
        let end = Instant::from_ms(known.registered.period_to.ms().saturating_sub(1));
        (known.registered.period_from, end)
    } else {
        (known.occurred_at, known.occurred_at)
    };
    let waivable = Waivable {
        controls: &known.controls,
        procedure: &known.about.procedure,
        item: &known.about.item,
        from,
        last,
    };
    let base = DeviationReport {
        key: known.key.clone(),
        about: known.about.clone(),
        controls: known.controls.clone(),
        reason: known.reason.clone(),
        label: known.registered.label.clone(),
        short: known.registered.label.clone(),
        occurred_at: known.occurred_at,
        entry: known.item_entry,
        found,
        found_because: because,
        waivers: beside(waivers, &waivable),
        ..empty()
    };
    with_decisions(base, known, now)
}

/// A deviation of which nothing was decided.
fn empty() -> DeviationReport {
    DeviationReport {
        key: String::new(),
        about: About {
            procedure: String::new(),
            attribute: Attribute('?'),
            kind: String::new(),
            item: String::new(),
            within: None,
            scope: None,
        },
        controls: vec![],
        reason: String::new(),
        label: String::new(),
        occurred_at: Instant::BEGINNING,
        entry: 0,
        content: String::new(),
        found: Found::Yes,
        found_because: None,
        standing: "unregistered",
        registered: None,
        cause: None,
        severity: None,
        exposure: None,
        compensating: None,
        response: None,
        owner: None,
        due: None,
        waivers: vec![],
        history: vec![],
        short: String::new(),
        rank: 2,
    }
}

fn with_decisions(base: DeviationReport, known: &InRegister, now: Instant) -> DeviationReport {
    let Stand { standing, triage, not_counted, .. } = stand(&known.decisions, now);
    let not_counted: BTreeMap<i64, String> = not_counted.into_iter().collect();
    let history = known
        .decisions
        .iter()
        .map(|decision| Decided {
            entry: decision.entry,
            at: decision.at,
            by: decision.by.clone(),
            what: in_words(&decision.said),
            not_counted: not_counted.get(&decision.entry).cloned(),
        })
        .collect();
    DeviationReport {
        standing: standing.word(),
        rank: match standing {
            Standing::Overdue => 0,
            Standing::Unowned => 1,
            Standing::Open => 3,
            Standing::Closed => 4,
        },
        registered: Some(known.registered.clone()),
        cause: triage.cause,
        severity: triage.severity.map(Severity::word),
        exposure: triage.exposure,
        compensating: triage.compensating,
        response: triage.response,
        owner: triage.owner,
        due: triage.due,
        history,
        ..base
    }
}

fn in_words(said: &Said) -> String {
    match said {
        Said::Triaged(triage) => {
            let mut words = vec![];
            let mut add = |name: &str, value: Option<String>| {
                words.extend(value.map(|value| format!("{name}: {value}")));
            };
            add("cause", triage.cause.clone());
            add("severity", triage.severity.map(|s| s.word().to_owned()));
            add("exposure", triage.exposure.clone());
            let taken_back = |c: String| if c.is_empty() { NONE.to_owned() } else { c };
            add("compensating control", triage.compensating.clone().map(taken_back));
            add("response", triage.response.clone());
            add("owner", triage.owner.clone());
            add("due", triage.due.map(|due| due.to_string()));
            format!("triaged: {}", words.join(", "))
        }
        Said::Retested { passed, evidence } => {
            let shown = evidence.map_or_else(|| "no evidence".to_owned(), |entry| format!("entry {entry}"));
            format!("retested: {} ({shown})", if *passed { "pass" } else { "fail" })
        }
        Said::Closed { accepted, reason } => {
            let how = if *accepted { "accepted" } else { "closed after its retest" };
            if reason.is_empty() { how.to_owned() } else { format!("{how}: {reason}") }
        }
    }
}

fn beside(waivers: &[WaiverReport], deviation: &Waivable<'_>) -> Vec<WaiverBeside> {
    let about = waivers.iter().map(|report| (report, report.rule())).filter(|(_, w)| w.concerns(deviation));
    about
        .map(|(report, waiver)| WaiverBeside {
            key: report.key.clone(),
            stands: waiver.stands(deviation).word(),
            entered_afterwards: report.entered_at > deviation.from,
        })
        .collect()
}
