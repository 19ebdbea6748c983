//! Campaigns that review access: a list of grants, frozen as it was known at a ledger position, of which each line is given to
//! somebody whose access it is not, and decided with what was shown of it in sight.
//!
//! Every act is a decision in the ledger and none is ever changed. How a campaign stands is worked out from all of them. An act
//! also states the rows of `access_review` and `access_review_item` that follow from it, so that IAM-08 judges a campaign as it
//! judges a review that was held elsewhere.

mod act;
mod line;
mod list;
mod report;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use model::{Capture, Grade, Instant, Window};
use serde_json::Value as Json;

use crate::access::{Asking, list as listed};
use crate::assessment::coverage;
use crate::error::AppError;
use crate::members::permission::{Action, Resource};
use crate::members::{Actor, Refused, unfit};
use crate::question::{instant, integer, text};
use crate::workspace::Workspace;

pub use act::{Decision, Kind, Reviewer, derive as review_rows};
pub use line::{AccountKey, Fate, Flag, Line, Previous};
pub use report::{Looked, ReviewLine, ReviewReport, Said as ReviewSaid};

use act::{COLLECTOR, Campaign, ItemRow, ReviewRow, Rows, STREAM, Said, What};
use line::{Later, Subject, fate, partial};

/// The most lines that are decided at once: what one page shows.
pub const AT_ONCE: usize = 50;
/// The procedure that judges reviews, by whose days what is to be removed has to be gone.
const PROCEDURE: &str = "access_review_completed";

/// What a campaign is opened with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReviewAsked {
    /// What it is of.
    pub kind: Kind,
    /// Systems, by label or key; of an exit review all in which the person has access, where none is named.
    pub systems: Vec<String>,
    /// Whose access an exit review is of.
    pub who: Option<String>,
    /// Reviewers, and whom each of them reviews: a person or a system; everybody when absent.
    pub reviewers: Vec<(String, Option<String>)>,
    /// As of when the grants are listed.
    pub listed_at: Instant,
    /// When it has to be done.
    pub due_at: Instant,
    /// Why it is held.
    pub reason: String,
}

/// Who acts, by the pseudonym that stands in the ledger.
fn called(actor: Actor<'_>) -> Result<&str, Refused> {
    let by = actor.called().trim();
    if by.is_empty() {
        return Err(unfit("a decision needs somebody who takes it; name them with --by"));
    }
    Ok(by)
}

/// What somebody is known as among accounts: a member by the address to which they were invited, since a pseudonym may be
/// anybody's login.
fn name(actor: Actor<'_>) -> &str {
    match actor {
        Actor::Member(who) => &who.email,
        Actor::Operator(by) => by,
    }
}

fn many(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

/// Numbers of lines for a message, the first few of many.
fn numbered(lines: &[u32]) -> String {
    let first: Vec<String> = lines.iter().take(8).map(u32::to_string).collect();
    let more = if lines.len() > first.len() { ", …" } else { "" };
    format!("{}{more}", first.join(", "))
}

impl Workspace {
    /// Opens a campaign, and gives its name.
    ///
    /// # Errors
    /// Nobody may, a system or a person that nobody knows, nobody to review it, nothing to review, or the ledger.
    pub fn open_review(
        &mut self,
        asked: &ReviewAsked,
        actor: Actor<'_>,
        now: Instant,
    ) -> Result<String, Refused> {
        actor.may(Action::Enter, Resource::AccessReviews, now)?;
        let by = called(actor)?;
        if asked.reason.trim().is_empty() {
            return Err(unfit("nobody says why it is held; it stands in the ledger, so write a reason"));
        }
        if asked.listed_at > now {
            return Err(unfit(format!(
                "{} has not come yet, and nobody knows who will have access; list grants as of now or before",
                asked.listed_at
            )));
        }
        if asked.due_at <= now {
            return Err(unfit(format!(
                "it would be due at {}, which is over; name a later day",
                asked.due_at
            )));
        }
        let opened = self.listed_for_review(asked)?;
        let review = format!("AR-{}", self.size());
        let rows = if opened.kind == Kind::Snapshot {
            let reviews =
                opened.systems.iter().map(|system| ReviewRow::of(&review, system, &opened, now, None));
            let items = opened.lines.iter().map(|line| ItemRow::undecided(&review, line));
            Rows { reviews: reviews.collect(), items: items.collect(), covers: None }
        } else {
            Rows::default()
        };
        let said = Said {
            v: 1,
            review: review.clone(),
            by: by.to_owned(),
            reason: asked.reason.trim().to_owned(),
            what: What::Open(Box::new(opened)),
            rows,
        };
        self.say_of_review(&said, now)?;
        Ok(review)
    }

    /// Decides lines that were shown, each named by its mark.
    ///
    /// # Errors
    /// Somebody else's line or somebody's own access, a line that was never shown so or decided otherwise since, a flagged line
    /// without a reason of its own, a campaign that is done, or the ledger. Then nothing was decided.
    pub fn decide_review(
        &mut self,
        review: &str,
        marks: &[String],
        decision: Decision,
        reason: &str,
        actor: Actor<'_>,
        now: Instant,
    ) -> Result<u64, Refused> {
        actor.may(Action::Decide, Resource::AccessReviews, now)?;
        let by = called(actor)?;
        let campaign = self.campaign(review)?;
        campaign.still_open()?;
        let reason = reason.trim();
        let lines = campaign.shown(marks, Some(decision))?;
        if lines.len() > AT_ONCE {
            return Err(unfit(format!(
                "{} are more than anybody sees at once ({AT_ONCE}); decide them page by page",
                many(lines.len(), "line")
            )));
        }
        if reason.is_empty() && decision != Decision::Keep {
            return Err(unfit(format!("to {} needs a reason; write one", decision.word())));
        }
        let flagged: Vec<u32> =
            lines.iter().filter(|line| !line.flags.is_empty()).map(|line| line.line).collect();
        if decision == Decision::Keep && !flagged.is_empty() {
            if lines.len() > 1 {
                return Err(unfit(format!(
                    "flagged lines are kept one by one, each for a reason of its own ({}); leave them out and decide them alone",
                    numbered(&flagged)
                )));
            }
            if reason.is_empty() {
                return Err(unfit(format!(
                    "line {} is flagged, and kept only for a reason; write why",
                    numbered(&flagged)
                )));
            }
        }
        let me = self.known_as(name(actor))?;
        let mut items = vec![];
        for line in &lines {
            let Some(reviewer) = campaign.reviewer_of(line.line) else {
                return Err(unfit(format!(
                    "line {} was given to nobody; hand it to somebody whose access it is not",
                    line.line
                )));
            };
            let reviewer = reviewer.clone();
            let theirs = self.is_reviewer(&reviewer, by, &me, now)?;
            if !theirs {
                return Err(unfit(format!(
                    "line {} was given to {}, who alone decides about it; have it handed over first",
                    line.line, reviewer.called
                )));
            }
            // Who is who may have become known since the list was made.
            if let Some(why) = self.partial_now(line, &reviewer.account, &me, now)? {
                return Err(unfit(format!(
                    "{} cannot decide about line {}: {why}; hand it to somebody else",
                    reviewer.called, line.line
                )));
            }
            items.push(ItemRow::decided(&campaign.key, line, &reviewer, decision, now));
        }
        let items = if campaign.opened.kind == Kind::Snapshot { items } else { vec![] };
        let said = Said {
            v: 1,
            review: campaign.key.clone(),
            by: by.to_owned(),
            reason: reason.to_owned(),
            what: What::Decide {
                decision,
                lines: lines.iter().map(|line| line.line).collect(),
                seen: marks.to_vec(),
            },
            rows: Rows { items, ..Rows::default() },
        };
        self.say_of_review(&said, now)
    }

    /// Hands lines to somebody else.
    ///
    /// # Errors
    /// Nobody may, somebody whose own access it is or may be, a line that is not as it was shown, or the ledger.
    pub fn delegate_review(
        &mut self,
        review: &str,
        marks: &[String],
        to: &str,
        reason: &str,
        actor: Actor<'_>,
        now: Instant,
    ) -> Result<u64, Refused> {
        let by = called(actor)?;
        let campaign = self.campaign(review)?;
        campaign.still_open()?;
        if reason.trim().is_empty() {
            return Err(unfit("nobody says why it is handed over; write a reason"));
        }
        let lines = campaign.shown(marks, None)?;
        if actor.may(Action::Enter, Resource::AccessReviews, now).is_err() {
            actor.may(Action::Decide, Resource::AccessReviews, now)?;
            let me = self.known_as(name(actor))?;
            for line in &lines {
                let reviewer = campaign.reviewer_of(line.line).cloned();
                let theirs = match reviewer {
                    Some(reviewer) => self.is_reviewer(&reviewer, by, &me, now)?,
                    None => false,
                };
                if !theirs {
                    return Err(Refused::NotAllowed {
                        action: Action::Enter,
                        resource: Resource::AccessReviews,
                    });
                }
            }
        }
        let reviewer = self.reviewer(to, now)?;
        for line in &lines {
            if let Some(why) = self.partial_now(line, &reviewer.account, &BTreeSet::new(), now)? {
                return Err(unfit(format!(
                    "{} cannot review line {}: {why}; name somebody else",
                    reviewer.called, line.line
                )));
            }
        }
        let said = Said {
            v: 1,
            review: campaign.key.clone(),
            by: by.to_owned(),
            reason: reason.trim().to_owned(),
            what: What::Delegate {
                to: reviewer,
                lines: lines.iter().map(|line| line.line).collect(),
                seen: marks.to_vec(),
            },
            rows: Rows::default(),
        };
        self.say_of_review(&said, now)
    }

    /// Completes a campaign of which every line is decided. `covers` is a window in which no other review of its systems was
    /// held than those that stand here, if somebody says so.
    ///
    /// # Errors
    /// Nobody may, lines that are not decided, or the ledger.
    pub fn complete_review(
        &mut self,
        review: &str,
        covers: Option<Window>,
        reason: &str,
        actor: Actor<'_>,
        now: Instant,
    ) -> Result<u64, Refused> {
        actor.may(Action::Enter, Resource::AccessReviews, now)?;
        let by = called(actor)?;
        let campaign = self.campaign(review)?;
        campaign.still_open()?;
        let left = campaign.undecided();
        if !left.is_empty() {
            return Err(unfit(format!(
                "{} not decided yet ({}); a review is complete when every line is",
                if left.len() == 1 { "one line is".to_owned() } else { format!("{} lines are", left.len()) },
                numbered(&left)
            )));
        }
        let rows = if campaign.opened.kind == Kind::Snapshot {
            let opened_at = campaign.opened_at;
            let reviews = campaign.opened.systems.iter();
            let reviews =
                reviews.map(|s| ReviewRow::of(&campaign.key, s, &campaign.opened, opened_at, Some(now)));
            Rows { reviews: reviews.collect(), items: vec![], covers: covers.map(|w| campaign.covered(w)) }
        } else {
            covered_by_a_whole_list(covers)?;
            Rows::default()
        };
        let said = Said {
            v: 1,
            review: campaign.key.clone(),
            by: by.to_owned(),
            reason: reason.trim().to_owned(),
            what: What::Complete,
            rows,
        };
        self.say_of_review(&said, now)
    }

    /// Looks whether what was to be removed is gone, in what is known of grants by now.
    ///
    /// # Errors
    /// No such campaign, or the database.
    pub fn look_at_removals(&mut self, review: &str, now: Instant) -> Result<Looked, AppError> {
        let campaign = self.campaign(review)?;
        let position = self.position(None)?;
        let known_at = i64::try_from(position).unwrap_or(i64::MAX - 1);
        let (seen, _) = coverage(&mut self.records, known_at)?;
        let days = self.days_of(PROCEDURE, "removal_days", 14, now)?;
        let mut looked: BTreeMap<String, Result<Instant, String>> = BTreeMap::new();
        for system in &campaign.opened.systems {
            let id = self.records.entity_id("system", 0, system)?.unwrap_or(-1);
            // Of the window that ends last the last instant is the one that was looked at.
            let last = seen
                .last(id, "access_grant")
                .map(|end| Instant::from_ms(end.min(now).ms().saturating_sub(1)));
            let at = match last {
                Some(at) => seen.seen(id, "access_grant", at, Grade::Asserted).map(|_| at),
                None => Err("no source says where it looked for `access_grant` here".to_owned()),
            };
            looked.insert(system.clone(), at);
        }
        let removals = campaign.removals();
        let mut accounts = BTreeSet::new();
        for (line, ..) in &removals {
            accounts.extend(self.account_id(&line.account)?);
        }
        let later = self.later_grants(&accounts, &looked, position)?;
        let mut fates = vec![];
        for (line, modify, decided_at) in removals {
            let none = vec![];
            let account = self.account_id(&line.account)?.unwrap_or(-1);
            let system = self.records.entity_id("system", 0, &line.system)?.unwrap_or(-1);
            let at = looked.get(&line.system).cloned().unwrap_or_else(|| Err("nobody looked".to_owned()));
            let at = at.as_ref().map(|at| *at).map_err(String::as_str);
            let later = later.get(&(account, system)).unwrap_or(&none);
            fates.push((line.line, fate(line, modify, decided_at, later, at, days.1)));
        }
        Ok(Looked { review: campaign.key, position, days: days.1, lines: fates })
    }

    /// Looks as [`Workspace::look_at_removals`] does, and puts down what was seen.
    ///
    /// # Errors
    /// Nobody may, or the ledger.
    pub fn verify_review(
        &mut self,
        review: &str,
        covers: Option<Window>,
        actor: Actor<'_>,
        now: Instant,
    ) -> Result<Looked, Refused> {
        actor.may(Action::Enter, Resource::AccessReviews, now)?;
        let by = called(actor)?;
        let looked = self.look_at_removals(review, now)?;
        let campaign = self.campaign(review)?;
        if campaign.opened.kind != Kind::Snapshot {
            covered_by_a_whole_list(covers)?;
        }
        if let (Some(_), Some((line, _))) =
            (covers, looked.lines.iter().find(|(_, fate)| matches!(fate, Fate::NotKnown { .. })))
        {
            return Err(unfit(format!(
                "nobody can say what became of line {line}, so that not everything is known of that window; look at its grants \
                 first, or leave out what it covers"
            )));
        }
        let items = looked.lines.iter().filter_map(|(number, fate)| campaign.removed(*number, fate));
        let items = if campaign.opened.kind == Kind::Snapshot { items.collect() } else { vec![] };
        let said = Said {
            v: 1,
            review: campaign.key.clone(),
            by: by.to_owned(),
            reason: "looked whether what was to be removed is gone".to_owned(),
            what: What::Verify { position: looked.position, found: looked.lines.clone() },
            rows: Rows { reviews: vec![], items, covers: covers.map(|w| campaign.covered(w)) },
        };
        self.say_of_review(&said, now)?;
        Ok(looked)
    }

    /// Grants of accounts by account and system, ended with the account where that ended first, as known at a position.
    fn later_grants(
        &mut self,
        accounts: &BTreeSet<i64>,
        looked: &BTreeMap<String, Result<Instant, String>>,
        position: u64,
    ) -> Result<BTreeMap<(i64, i64), Vec<Later>>, AppError> {
        let mut later: BTreeMap<(i64, i64), Vec<Later>> = BTreeMap::new();
        if accounts.is_empty() {
            return Ok(later);
        }
        let mut at_of = BTreeMap::new();
        for (system, at) in looked {
            if let (Some(id), Ok(at)) = (self.records.entity_id("system", 0, system)?, at) {
                at_of.insert(id, *at);
            }
        }
        let accounts = listed(accounts);
        let mut ask = Asking::new(self, Instant::FOREVER, position);
        let answer = ask.ask(&format!(
            "SELECT a.id AS id, a.valid_to AS valid_to FROM account_history a WHERE a.id IN ({accounts})"
        ))?;
        let mut ends: BTreeMap<i64, Vec<Option<Instant>>> = BTreeMap::new();
        for row in &answer.rows {
            if let Some(id) = integer(row.first()) {
                ends.entry(id).or_default().push(instant(row.get(1)));
            }
        }
        let answer = ask.ask(&format!(
            "SELECT g.account AS account, g.system AS system, g.role AS role, g.privileged AS privileged, \
                    g.valid_from AS valid_from, g.valid_to AS valid_to FROM access_grant_history g WHERE g.account IN ({accounts})"
        ))?;
        for row in &answer.rows {
            let (Some(account), Some(system)) = (integer(row.first()), integer(row.get(1))) else { continue };
            let Some(looked_at) = at_of.get(&system) else { continue };
            // An account that was closed lets nobody in, whatever stands on the list of grants.
            let closed = ends.get(&account).map_or(Some(Instant::FOREVER), |ends| {
                let open = ends.iter().flatten().any(|end| end > looked_at);
                match ends.iter().flatten().max() {
                    _ if open => Some(Instant::FOREVER),
                    Some(end) if !ends.contains(&None) => Some(*end),
                    _ => None,
                }
            });
            let to = match (instant(row.get(5)), closed) {
                (Some(to), Some(closed)) => Some(to.min(closed)),
                // Whichever of the two is known and over is enough.
                (Some(one), None) | (None, Some(one)) if one <= *looked_at => Some(one),
                _ => None,
            };
            later.entry((account, system)).or_default().push(Later {
                role: text(row.get(2)),
                privileged: integer(row.get(3)).map(|n| n == 1),
                from: instant(row.get(4)).unwrap_or(Instant::BEGINNING),
                to,
            });
        }
        Ok(later)
    }

    /// A parameter that is a number of days, in force now: the least and the most where nobody can say which.
    fn days_of(
        &mut self,
        procedure: &str,
        parameter: &str,
        usual: i64,
        now: Instant,
    ) -> Result<(i64, i64), AppError> {
        if !self.catalog.procedures.contains_key(procedure) {
            return Ok((usual, usual));
        }
        let known = self.parameters(&[procedure.to_owned()], now)?;
        let now: Vec<i64> = known
            .iter()
            .filter(|p| p.parameter == parameter)
            .flat_map(|p| p.now.iter().filter_map(integer))
            .collect();
        let (least, most) = (now.iter().min().copied(), now.iter().max().copied());
        Ok((least.unwrap_or(usual), most.unwrap_or(usual)))
    }

    fn account_id(&mut self, account: &AccountKey) -> Result<Option<i64>, AppError> {
        let Some(system) = self.records.entity_id("system", 0, &account.system)? else { return Ok(None) };
        Ok(self.records.entity_id("account", system, &account.key)?)
    }

    /// The person behind an account at an instant, as far as is known now.
    fn person_of(&mut self, account: &AccountKey, at: Instant) -> Result<Option<i64>, AppError> {
        let Some(id) = self.account_id(account)? else { return Ok(None) };
        let position = self.position(None)?;
        let people = Asking::new(self, at, position).people(&BTreeSet::from([id]))?;
        Ok(people.get(&id).map(|(person, _)| *person))
    }

    /// The persons behind whoever is called so; none where nobody is.
    fn known_as(&mut self, name: &str) -> Result<BTreeSet<i64>, AppError> {
        let position = self.position(None)?;
        // That nobody is called so is no failure here.
        let accounts = self.accounts_called(name, position).unwrap_or_default();
        let people =
            Asking::new(self, Instant::from_ms(Instant::FOREVER.ms() - 1), position).people(&accounts)?;
        Ok(people.into_values().map(|(person, _)| person).collect())
    }

    /// Whether whoever acts under a pseudonym, and is known as these persons, is a reviewer.
    fn is_reviewer(
        &mut self,
        reviewer: &Reviewer,
        by: &str,
        me: &BTreeSet<i64>,
        now: Instant,
    ) -> Result<bool, AppError> {
        if assess::register::same_person(&reviewer.called, by) {
            return Ok(true);
        }
        Ok(self.person_of(&reviewer.account, now)?.is_some_and(|person| me.contains(&person)))
    }

    /// Why somebody may not decide about a line, by everything known now: by the reviewer's account, and as whoever they are known
    /// besides.
    fn partial_now(
        &mut self,
        line: &Line,
        reviewer: &AccountKey,
        besides: &BTreeSet<i64>,
        now: Instant,
    ) -> Result<Option<&'static str>, AppError> {
        let (account, subject) = (self.account_id(reviewer)?, self.account_id(&line.account)?);
        let person = self.person_of(reviewer, now)?;
        let (Some(account), Some(person), Some(subject)) = (account, person, subject) else {
            return Ok(Some("nobody can say any more who that is"));
        };
        let mut persons = besides.clone();
        persons.insert(person);
        let alike = self.alike_of(&persons)?;
        let whose = self.person_of(&line.account, now)?;
        let subject = Subject { account: subject, person: whose, kind: line.kind.as_deref() };
        Ok(persons.iter().find_map(|person| partial(&subject, account, *person, &alike)))
    }

    /// Everybody who looks like one of these persons.
    fn alike_of(&mut self, people: &BTreeSet<i64>) -> Result<BTreeSet<(i64, i64)>, AppError> {
        if people.is_empty() {
            return Ok(BTreeSet::new());
        }
        let sql = format!(
            "SELECT a.person AS person, a.other_person AS other_person FROM person_alike a WHERE a.person IN ({})",
            listed(people)
        );
        let rows = self.query(&sql, Instant::FOREVER, None)?.rows;
        Ok(rows.iter().filter_map(|row| Some((integer(row.first())?, integer(row.get(1))?))).collect())
    }

    fn say_of_review(&mut self, said: &Said, now: Instant) -> Result<u64, Refused> {
        let body = serde_json::to_vec(said).map_err(|e| AppError::Other(e.to_string()))?;
        let mut receipt = crate::workspace::decision_receipt(STREAM, now);
        receipt.collector = COLLECTOR.to_owned();
        receipt.request = format!("{} of {}", said.what.word(), said.review);
        receipt.context = Json::Null;
        Ok(self.decide(&[Capture { receipt, body }])?.start)
    }

    /// The campaign that is called so.
    fn campaign(&self, review: &str) -> Result<Campaign, AppError> {
        let mut all = self.campaigns(None)?;
        let wanted = review.trim();
        match all.iter().position(|c| c.key.eq_ignore_ascii_case(wanted)) {
            Some(at) => Ok(all.swap_remove(at)),
            None => {
                let known: Vec<String> = all.into_iter().map(|c| c.key).collect();
                let there_are = if known.is_empty() {
                    "open one first: tickmark review open".to_owned()
                } else {
                    format!("there are {}", known.join(", "))
                };
                Err(AppError::Other(format!("there is no review `{wanted}`; {there_are}")))
            }
        }
    }

    /// Every campaign, in the order in which they were opened, as known at a position.
    fn campaigns(&self, known_at: Option<u64>) -> Result<Vec<Campaign>, AppError> {
        let mut acts = self.entered(STREAM)?;
        acts.retain(|act| known_at.is_none_or(|position| act.entry < position));
        Ok(act::campaigns(&acts))
    }
}

/// Only a list of everybody says that nothing was left out.
fn covered_by_a_whole_list(covers: Option<Window>) -> Result<(), Refused> {
    match covers {
        None => Ok(()),
        Some(_) => Err(unfit(
            "only a review of everybody's access says that a window is covered; leave it out, or open one of the kind snapshot",
        )),
    }
}
