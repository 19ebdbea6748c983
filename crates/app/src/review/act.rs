//! The acts of a campaign as the ledger has them, what they come to in order, and the rows that each of them states.

use std::collections::BTreeMap;

use model::{Derived, Document, Fact, FactValue, Grade, Instant, Key, Window};
use serde::{Deserialize, Serialize};

use super::line::{AccountKey, Fate, Line};
use crate::evidence::Entered;
use crate::members::{Refused, unfit};

/// The stream of the documents.
pub(super) const STREAM: &str = "decision.review";
/// Name and version of what writes them.
pub(super) const COLLECTOR: &str = "review/1";

/// What a campaign is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Everybody who has access to the systems.
    Snapshot,
    /// What is not as it was when it was last kept.
    Differential,
    /// Everything that one person has.
    Exit,
}

impl Kind {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Differential => "differential",
            Self::Exit => "exit",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::Snapshot, Self::Differential, Self::Exit].into_iter().find(|kind| kind.word() == word)
    }
}

/// What is decided of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It stays as it is.
    Keep,
    /// It has to become less, as the reason says.
    Modify,
    /// It has to go.
    Revoke,
}

impl Decision {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Modify => "modify",
            Self::Revoke => "revoke",
        }
    }

    /// The decision of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::Keep, Self::Modify, Self::Revoke].into_iter().find(|decision| decision.word() == word)
    }
}

/// Somebody who was given lines.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reviewer {
    /// As they were named.
    pub called: String,
    /// Their account, which stands in the rows.
    pub account: AccountKey,
}

/// A campaign as it was opened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Opened {
    pub(super) kind: Kind,
    /// Keys of the systems.
    pub(super) systems: Vec<String>,
    /// As of when the grants are listed.
    pub(super) listed_at: Instant,
    /// As known at which ledger position.
    pub(super) position: u64,
    pub(super) due_at: Instant,
    pub(super) lines: Vec<Line>,
    /// Who was given a line, or why nobody was, by the number of the line.
    pub(super) given: BTreeMap<u32, Given>,
    /// Lines that a differential review leaves out, since they are as they were when they were kept.
    #[serde(default)]
    pub(super) unchanged: u32,
    /// What is not known of the list, in sentences.
    #[serde(default)]
    pub(super) not_known: Vec<String>,
}

/// Who was given a line when the campaign was opened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Given {
    To(Reviewer),
    Nobody(String),
}

/// What is done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    Open(Box<Opened>),
    Decide {
        decision: Decision,
        lines: Vec<u32>,
        /// The marks of the lines: what was shown of them.
        seen: Vec<String>,
    },
    Delegate {
        to: Reviewer,
        lines: Vec<u32>,
        seen: Vec<String>,
    },
    Complete,
    Verify {
        position: u64,
        found: Vec<(u32, Fate)>,
    },
}

impl What {
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Open(_) => "opening",
            Self::Decide { .. } => "decision",
            Self::Delegate { .. } => "handing over",
            Self::Complete => "completion",
            Self::Verify { .. } => "look at removals",
        }
    }
}

/// One act.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Said {
    /// Version of this form: 1.
    pub(super) v: u64,
    pub(super) review: String,
    pub(super) by: String,
    pub(super) reason: String,
    pub(super) what: What,
    #[serde(default)]
    pub(super) rows: Rows,
}

/// The rows that follow from an act: what they are from then on.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Rows {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) reviews: Vec<ReviewRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) items: Vec<ItemRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) covers: Option<Covers>,
}

/// A window in which every review of some systems stands here, as somebody says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Covers {
    pub(super) systems: Vec<String>,
    pub(super) window: Window,
}

/// A row of `access_review`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct ReviewRow {
    key: String,
    system: String,
    listed_at: Instant,
    opened_at: Instant,
    completed_at: Instant,
}

impl ReviewRow {
    pub(super) fn of(
        review: &str,
        system: &str,
        opened: &Opened,
        at: Instant,
        completed: Option<Instant>,
    ) -> Self {
        Self {
            key: format!("{review} {system}"),
            system: system.to_owned(),
            listed_at: opened.listed_at,
            opened_at: at,
            completed_at: completed.unwrap_or(Instant::FOREVER),
        }
    }
}

/// A row of `access_review_item`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct ItemRow {
    key: String,
    review: String,
    account: AccountKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reviewer: Option<AccountKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decided_at: Option<Instant>,
    /// Absent while nobody has looked: it may be gone, or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    removed_at: Option<Instant>,
}

impl ItemRow {
    pub(super) fn undecided(review: &str, line: &Line) -> Self {
        Self {
            key: format!("{review} {}", line.line),
            review: format!("{review} {}", line.system),
            account: line.account.clone(),
            reviewer: None,
            decision: None,
            decided_at: None,
            removed_at: Some(Instant::FOREVER),
        }
    }

    pub(super) fn decided(
        review: &str,
        line: &Line,
        reviewer: &Reviewer,
        decision: Decision,
        at: Instant,
    ) -> Self {
        Self {
            reviewer: Some(reviewer.account.clone()),
            decision: Some(decision),
            decided_at: Some(at),
            removed_at: (decision == Decision::Keep).then_some(Instant::FOREVER),
            ..Self::undecided(review, line)
        }
    }
}

/// Something that was done to a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Touched {
    pub(super) entry: u64,
    pub(super) at: Instant,
    pub(super) by: String,
    pub(super) reason: String,
    pub(super) to: To,
}

/// To what a line was changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum To {
    Given(Reviewer),
    Decided(Decision),
}

/// A campaign as all acts leave it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Campaign {
    pub(super) key: String,
    pub(super) entry: u64,
    pub(super) opened_at: Instant,
    pub(super) by: String,
    pub(super) reason: String,
    pub(super) opened: Opened,
    /// What was done to each line, in order.
    pub(super) touched: BTreeMap<u32, Vec<Touched>>,
    /// When it was completed, by whom, in which entry.
    pub(super) completed: Option<(Instant, String, u64)>,
    /// What was last seen of what was to be removed, and when.
    pub(super) fates: BTreeMap<u32, Fate>,
    pub(super) verified: Option<(Instant, String, u64)>,
}

/// Everything that was done, in the order of the ledger. What cannot be read, or is of no campaign, changes nothing.
pub(super) fn campaigns(acts: &[Entered]) -> Vec<Campaign> {
    let mut all: Vec<Campaign> = vec![];
    for act in acts {
        let Ok(said) = serde_json::from_slice::<Said>(&act.body) else { continue };
        let at = act.receipt.collected_at;
        if let What::Open(opened) = said.what {
            if all.iter().all(|c| c.key != said.review) {
                all.push(Campaign {
                    key: said.review,
                    entry: act.entry,
                    opened_at: at,
                    by: said.by,
                    reason: said.reason,
                    opened: *opened,
                    touched: BTreeMap::new(),
                    completed: None,
                    fates: BTreeMap::new(),
                    verified: None,
                });
            }
            continue;
        }
        let Some(campaign) = all.iter_mut().find(|c| c.key == said.review) else { continue };
        campaign.takes(&said, act.entry, at);
    }
    all
}

impl Campaign {
    fn takes(&mut self, said: &Said, entry: u64, at: Instant) {
        let touched = |to: To| Touched { entry, at, by: said.by.clone(), reason: said.reason.clone(), to };
        match &said.what {
            What::Open(_) => {}
            // What is done is done: nothing is decided afterwards.
            What::Decide { .. } | What::Delegate { .. } if self.completed.is_some() => {}
            What::Decide { decision, lines, .. } => {
                for line in lines {
                    self.touched.entry(*line).or_default().push(touched(To::Decided(*decision)));
                    // Another decision has to be looked at anew.
                    self.fates.remove(line);
                }
            }
            What::Delegate { to, lines, .. } => {
                for line in lines {
                    self.touched.entry(*line).or_default().push(touched(To::Given(to.clone())));
                }
            }
            What::Complete => {
                self.completed.get_or_insert((at, said.by.clone(), entry));
            }
            What::Verify { found, .. } => {
                self.fates = found.iter().cloned().collect();
                self.verified = Some((at, said.by.clone(), entry));
            }
        }
    }

    pub(super) fn still_open(&self) -> Result<(), Refused> {
        match &self.completed {
            None => Ok(()),
            Some((at, by, _)) => Err(unfit(format!(
                "{} was completed at {at} by {by}, and is not changed any more; open another one",
                self.key
            ))),
        }
    }

    pub(super) fn touches(&self, line: u32) -> &[Touched] {
        self.touched.get(&line).map_or(&[], Vec::as_slice)
    }

    /// By what a line is named as it stands now.
    pub(super) fn mark(&self, line: &Line) -> String {
        line.mark(self.touches(line.line).last().map_or(self.entry, |t| t.entry))
    }

    pub(super) fn reviewer_of(&self, line: u32) -> Option<&Reviewer> {
        let later = self.touches(line).iter().rev().find_map(|t| match &t.to {
            To::Given(reviewer) => Some(reviewer),
            To::Decided(_) => None,
        });
        later.or_else(|| match self.opened.given.get(&line) {
            Some(Given::To(reviewer)) => Some(reviewer),
            _ => None,
        })
    }

    /// The last decision about a line.
    pub(super) fn decided(&self, line: u32) -> Option<(Decision, &Touched)> {
        self.touches(line).iter().rev().find_map(|t| match &t.to {
            To::Decided(decision) => Some((*decision, t)),
            To::Given(_) => None,
        })
    }

    pub(super) fn undecided(&self) -> Vec<u32> {
        let lines = self.opened.lines.iter().map(|line| line.line);
        lines.filter(|line| self.decided(*line).is_none()).collect()
    }

    /// Lines to be removed or changed, whether changed, and since when.
    pub(super) fn removals(&self) -> Vec<(&Line, bool, Instant)> {
        let lines = self.opened.lines.iter().map(|line| (line, self.decided(line.line)));
        let removal = |(line, decided): (_, Option<(Decision, &Touched)>)| match decided {
            Some((Decision::Keep, _)) | None => None,
            Some((decision, touched)) => Some((line, decision == Decision::Modify, touched.at)),
        };
        lines.filter_map(removal).collect()
    }

    /// The lines that marks name, each once.
    ///
    /// Who has not seen what somebody else decided meanwhile may still agree with it, and not overturn it.
    pub(super) fn shown(&self, marks: &[String], decision: Option<Decision>) -> Result<Vec<&Line>, Refused> {
        if marks.is_empty() {
            return Err(unfit("no line is named; name lines as they are shown, such as 3:0a1b2c3d4e5f"));
        }
        let mut lines: Vec<&Line> = vec![];
        for mark in marks {
            let number = mark.split(':').next().and_then(|n| n.parse::<u32>().ok());
            let line = self.opened.lines.iter().find(|line| Some(line.line) == number).ok_or_else(|| {
                unfit(format!(
                    "{} has no line `{mark}`; name lines as they are shown, such as 3:0a1b2c3d4e5f",
                    self.key
                ))
            })?;
            let touches = self.touches(line.line);
            let before = std::iter::once(self.entry).chain(touches.iter().map(|t| t.entry));
            let Some(seen) = before.clone().find(|entry| line.mark(*entry) == *mark) else {
                return Err(unfit(format!(
                    "line {} was never shown as `{mark}`; look at {} again, and decide what is shown there",
                    line.line, self.key
                )));
            };
            let unseen = touches.iter().filter(|t| t.entry > seen);
            for touched in unseen {
                let what = match &touched.to {
                    To::Decided(other) if Some(*other) == decision => continue,
                    To::Decided(other) => format!("decided ({})", other.word()),
                    To::Given(to) => format!("handed to {}", to.called),
                };
                return Err(unfit(format!(
                    "line {} was {what} by {} at {}, which you had not seen; nothing was changed: look at it again, then decide",
                    line.line, touched.by, touched.at
                )));
            }
            if lines.iter().all(|known| known.line != line.line) {
                lines.push(line);
            }
        }
        Ok(lines)
    }

    /// The row of a line of which something was seen.
    pub(super) fn removed(&self, number: u32, fate: &Fate) -> Option<ItemRow> {
        let line = self.opened.lines.iter().find(|line| line.line == number)?;
        let (decision, touched) = self.decided(number)?;
        let reviewer = self.reviewer_when_decided(number)?;
        let removed_at = match fate {
            Fate::Gone { since } => Some(*since),
            Fate::StillThere { .. } => Some(Instant::FOREVER),
            // What was seen before may be otherwise by now.
            Fate::NotKnown { .. } => None,
        };
        Some(ItemRow { removed_at, ..ItemRow::decided(&self.key, line, reviewer, decision, touched.at) })
    }

    /// Who had the line when it was last decided.
    fn reviewer_when_decided(&self, line: u32) -> Option<&Reviewer> {
        let touches = self.touches(line);
        let last = touches.iter().rposition(|t| matches!(t.to, To::Decided(_)))?;
        let given = touches[..last].iter().rev().find_map(|t| match &t.to {
            To::Given(reviewer) => Some(reviewer),
            To::Decided(_) => None,
        });
        given.or_else(|| match self.opened.given.get(&line) {
            Some(Given::To(reviewer)) => Some(reviewer),
            _ => None,
        })
    }

    pub(super) fn covered(&self, window: Window) -> Covers {
        Covers { systems: self.opened.systems.clone(), window }
    }
}

/// The rows that an act states: a function of its document alone.
#[must_use]
pub fn derive(document: &Document<'_>) -> Derived {
    let said: Said = match serde_json::from_slice(document.body) {
        Ok(said) => said,
        Err(e) => {
            return Derived {
                problems: vec![format!(
                    "this act of an access review cannot be read ({e}); it may come from a newer version"
                )],
                ..Derived::default()
            };
        }
    };
    let account = |of: &AccountKey| Key::new("account", of.system.clone(), of.key.clone());
    let fact = |table: &'static str, key: &str, values| Fact {
        table,
        about: Key::new(table, "", key),
        grade: Grade::Manual,
        values,
    };
    let mut facts = vec![];
    for row in &said.rows.reviews {
        facts.push(fact(
            "access_review",
            &row.key,
            vec![
                ("system", Key::new("system", "", row.system.clone()).into()),
                ("listed_at", row.listed_at.into()),
                ("opened_at", row.opened_at.into()),
                ("completed_at", row.completed_at.into()),
            ],
        ));
    }
    for row in &said.rows.items {
        facts.push(fact(
            "access_review_item",
            &row.key,
            vec![
                ("review", Key::new("access_review", "", row.review.clone()).into()),
                ("account", account(&row.account).into()),
                ("reviewer", row.reviewer.as_ref().map(account).into()),
                ("decision", row.decision.map_or("undecided", Decision::word).into()),
                ("decided_at", row.decided_at.into()),
                ("removed_at", row.removed_at.into()),
            ],
        ));
    }
    if let Some(Covers { systems, window }) = &said.rows.covers {
        for (system, table) in systems.iter().flat_map(|s| [(s, "access_review"), (s, "access_review_item")])
        {
            let (from, to) = (window.from.ms(), window.to.ms());
            let source = &document.receipt.source;
            facts.push(fact(
                "coverage",
                &format!("{source} {table} system {system} {from} {to}"),
                vec![
                    ("scope", Key::new("system", "", system.clone()).into()),
                    ("relation", table.into()),
                    ("covered_from", window.from.into()),
                    ("covered_to", window.to.into()),
                    ("status", "complete".into()),
                    ("reason", FactValue::Null),
                ],
            ));
        }
    }
    Derived { facts, ..Derived::default() }
}
