//! Campaigns for people and programs: how each line stands, under which names, and what was said of it.

use std::collections::{BTreeMap, BTreeSet};

use model::Instant;
use serde::Serialize;

use super::act::{Campaign, Decision, Given, Kind, To};
use super::line::{AccountKey, Fate, Line};
use super::{called as by_whom, name as known_name};
use crate::error::AppError;
use crate::members::Actor;
use crate::workspace::Workspace;

/// A campaign as it stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ReviewReport {
    /// Its name.
    pub review: String,
    /// What it is of.
    pub kind: Kind,
    /// Keys of its systems.
    pub systems: Vec<String>,
    /// `open`, `overdue` or `completed`.
    pub standing: &'static str,
    /// When it was opened.
    pub opened_at: Instant,
    /// By whom.
    pub opened_by: String,
    /// Why.
    pub reason: String,
    /// As of when the grants are listed.
    pub listed_at: Instant,
    /// As known at which ledger position.
    pub position: u64,
    /// When it has to be done.
    pub due_at: Instant,
    /// When it was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Instant>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_by: Option<String>,
    /// Whether it was completed after it was due.
    pub late: bool,
    /// When it was last looked whether what was to be removed is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Instant>,
    /// How many lines there are.
    pub total: usize,
    /// How many lines nobody has decided.
    pub undecided: usize,
    /// How many lines a differential review leaves out, since they are as they were when they were kept.
    pub unchanged: u32,
    /// Ledger entry of the list.
    pub entry: u64,
    /// What is not known of the list, in sentences.
    pub not_known: Vec<String>,
    /// The lines.
    pub lines: Vec<ReviewLine>,
}

/// A line as it stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ReviewLine {
    /// By what it is named by whoever has seen it so.
    pub mark: String,
    /// The account, as people call it.
    pub called: String,
    /// The person, as people call them; absent when nobody can say who it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person_called: Option<String>,
    /// What was frozen.
    #[serde(flatten)]
    pub frozen: Line,
    /// Who decides about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewer: Option<String>,
    /// Why nobody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unassigned: Option<String>,
    /// What was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// What became of it, as it was last seen, where it was to be removed or changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fate: Option<Fate>,
    /// What was said of it, oldest first.
    pub history: Vec<Said>,
}

/// Something that was said of a line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Said {
    /// When.
    pub at: Instant,
    /// By whom.
    pub by: String,
    /// What: `keep`, `modify`, `revoke`, `handed to …`.
    pub what: String,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Its ledger entry.
    pub entry: u64,
}

/// What a look at removals found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Looked {
    /// The campaign.
    pub review: String,
    /// As known at which ledger position.
    pub position: u64,
    /// Within how many days after the decision it has to be gone.
    pub days: i64,
    /// What became of each line that was to be removed or changed.
    pub lines: Vec<(u32, Fate)>,
}

impl Workspace {
    /// Every campaign as it stands, the last one first, as known at a position (everything when absent).
    ///
    /// # Errors
    /// The ledger or the database.
    pub fn reviews(&mut self, known_at: Option<u64>, now: Instant) -> Result<Vec<ReviewReport>, AppError> {
        let campaigns = self.campaigns(known_at)?;
        campaigns.iter().rev().map(|campaign| self.reported(campaign, now)).collect()
    }

    /// One campaign as it stands.
    ///
    /// # Errors
    /// No such campaign, or the database.
    pub fn review(&mut self, review: &str, now: Instant) -> Result<ReviewReport, AppError> {
        let campaign = self.campaign(review)?;
        self.reported(&campaign, now)
    }

    /// Every campaign as it stands, the last one first, each with the lines that somebody has to decide about, or had.
    ///
    /// # Errors
    /// The ledger or the database.
    pub fn reviews_of(
        &mut self,
        actor: Actor<'_>,
        now: Instant,
    ) -> Result<Vec<(ReviewReport, BTreeSet<u32>)>, AppError> {
        let me = self.known_as(known_name(actor))?;
        let campaigns = self.campaigns(None)?;
        let both = campaigns
            .iter()
            .rev()
            .map(|campaign| Ok((self.reported(campaign, now)?, self.own_lines(campaign, actor, &me, now)?)));
        both.collect()
    }

    /// The same of one campaign.
    ///
    /// # Errors
    /// No such campaign, or the database.
    pub fn review_of(
        &mut self,
        review: &str,
        actor: Actor<'_>,
        now: Instant,
    ) -> Result<(ReviewReport, BTreeSet<u32>), AppError> {
        let campaign = self.campaign(review)?;
        let me = self.known_as(known_name(actor))?;
        Ok((self.reported(&campaign, now)?, self.own_lines(&campaign, actor, &me, now)?))
    }

    /// The lines of somebody who is known as these persons.
    fn own_lines(
        &mut self,
        campaign: &Campaign,
        actor: Actor<'_>,
        me: &BTreeSet<i64>,
        now: Instant,
    ) -> Result<BTreeSet<u32>, AppError> {
        let by = by_whom(actor).unwrap_or_default();
        let mut persons: BTreeMap<&AccountKey, bool> = BTreeMap::new();
        let mut own = BTreeSet::new();
        for line in &campaign.opened.lines {
            let Some(reviewer) = campaign.reviewer_of(line.line) else { continue };
            let theirs = match persons.get(&reviewer.account) {
                Some(known) => *known,
                None => {
                    let theirs = self.is_reviewer(reviewer, by, me, now)?;
                    persons.insert(&reviewer.account, theirs);
                    theirs
                }
            };
            if theirs {
                own.insert(line.line);
            }
        }
        Ok(own)
    }

    fn reported(&mut self, campaign: &Campaign, now: Instant) -> Result<ReviewReport, AppError> {
        let opened = &campaign.opened;
        let mut ids: BTreeMap<&AccountKey, i64> = BTreeMap::new();
        for line in &opened.lines {
            for account in std::iter::once(&line.account).chain(&line.person) {
                if !ids.contains_key(account)
                    && let Some(id) = self.account_id(account)?
                {
                    ids.insert(account, id);
                }
            }
        }
        let called = self.called_all(&ids.values().copied().collect())?;
        let name = |account: &AccountKey| {
            let known = ids.get(account).and_then(|id| called.get(id)).cloned();
            known.unwrap_or_else(|| format!("{}:{}", account.system, account.key))
        };
        let lines = opened.lines.iter().map(|line| ReviewLine {
            mark: campaign.mark(line),
            called: name(&line.account),
            person_called: line.person.as_ref().map(name),
            reviewer: campaign.reviewer_of(line.line).map(|reviewer| reviewer.called.clone()),
            unassigned: match (campaign.reviewer_of(line.line), opened.given.get(&line.line)) {
                (None, Some(Given::Nobody(why))) => Some(why.clone()),
                _ => None,
            },
            decision: campaign.decided(line.line).map(|(decision, _)| decision),
            fate: campaign.fates.get(&line.line).cloned(),
            history: campaign
                .touches(line.line)
                .iter()
                .map(|touched| Said {
                    at: touched.at,
                    by: touched.by.clone(),
                    what: match &touched.to {
                        To::Given(to) => format!("handed to {}", to.called),
                        To::Decided(decision) => decision.word().to_owned(),
                    },
                    reason: touched.reason.clone(),
                    entry: touched.entry,
                })
                .collect(),
            frozen: line.clone(),
        });
        let completed = campaign.completed.as_ref();
        Ok(ReviewReport {
            review: campaign.key.clone(),
            kind: opened.kind,
            systems: opened.systems.clone(),
            standing: match completed {
                Some(_) => "completed",
                None if opened.due_at < now => "overdue",
                None => "open",
            },
            opened_at: campaign.opened_at,
            opened_by: campaign.by.clone(),
            reason: campaign.reason.clone(),
            listed_at: opened.listed_at,
            position: opened.position,
            due_at: opened.due_at,
            completed_at: completed.map(|(at, ..)| *at),
            completed_by: completed.map(|(_, by, _)| by.clone()),
            late: completed.map_or(opened.due_at < now, |(at, ..)| opened.due_at < *at),
            verified_at: campaign.verified.as_ref().map(|(at, ..)| *at),
            total: opened.lines.len(),
            undecided: campaign.undecided().len(),
            unchanged: opened.unchanged,
            entry: campaign.entry,
            not_known: opened.not_known.clone(),
            lines: lines.collect(),
        })
    }
}
