//! What people do about deviations: enter them into the register, triage, retest and close them. Each is a decision of somebody who
//! may take it, in view of what was decided before.

use assess::register::same_person;
use model::{Instant, Period};

use crate::assessment::Question;
use crate::deviation::{DeviationReport, Found, InRegister, NONE};
use crate::error::AppError;
use crate::looked::Keeping;
use crate::members::permission::{Action, Reach, Resource};
use crate::members::{Actor, Refused, unfit};
use crate::record::{Cell, EnteredRows, NewRow, Scribe};
use crate::workspace::Workspace;

/// What is to be entered into the register.
#[derive(Clone, Debug)]
pub struct ToRegister<'a> {
    /// Which deviations.
    pub wanted: Wanted<'a>,
    /// Only of these controls; of all when none is named.
    pub controls: &'a [String],
    /// Only what these procedures find; all when none is named.
    pub procedures: Vec<String>,
    /// The period that shows them.
    pub period: &'a Period,
    /// How long sources keep what they have.
    pub keeping: Keeping,
}

/// Which deviations are wanted.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// By their names; all that are found when none is named.
    Named(&'a [String]),
    /// This one, under whatever name the period gives it: what lasts is named with its period.
    One(&'a DeviationReport),
}

/// What was entered into the register.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewlyRegistered {
    /// The deviations.
    pub new: Vec<DeviationReport>,
    /// How many stood there already.
    pub there: usize,
    /// Ledger position of the snapshot they were found in.
    pub position: u64,
    /// Where they stand in the ledger; absent when none is new.
    pub entered: Option<EnteredRows>,
}

/// What is written down about a deviation. What is left out stays as it was.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ToTriage {
    /// Why it came to be.
    pub cause: Option<String>,
    /// How grave it is: `low`, `medium`, `high` or `critical`.
    pub severity: Option<String>,
    /// What could happen through it, or did.
    pub exposure: Option<String>,
    /// The control that makes up for it; [`NONE`] takes one back.
    pub compensating: Option<String>,
    /// What is done about it.
    pub response: Option<String>,
    /// Who has to see to it, as a pseudonym.
    pub owner: Option<String>,
    /// The last day by which it has to be done.
    pub due: Option<String>,
}

/// A decision about one deviation: in which table, which column says who, why, and in view of what.
struct About<'a> {
    table: &'static str,
    who: &'static str,
    reason: &'a str,
    seen: Option<i64>,
}

impl InRegister {
    /// The ledger entry of what was decided about it last, by which is told whether somebody has seen it.
    #[must_use]
    pub fn last_entry(&self) -> i64 {
        self.decisions.iter().map(|d| d.entry).fold(self.registered.entry, i64::max)
    }
}

impl Workspace {
    /// Lays over a deviation what the register says of it by now, which may be more than what its assessment saw.
    ///
    /// # Errors
    /// The database.
    pub fn renewed(&mut self, seen: &DeviationReport, now: Instant) -> Result<DeviationReport, AppError> {
        let known = self.register(None)?.into_iter().find(|known| known.key == seen.key);
        Ok(known.map_or_else(|| seen.clone(), |known| seen.clone().decided(&known, now)))
    }

    /// Enters deviations that a period shows into the register.
    ///
    /// # Errors
    /// No permission, a name that the period does not show, or as [`Workspace::deviations`].
    pub fn register_deviations(
        &mut self,
        scribe: &Scribe<'_>,
        actor: Actor<'_>,
        wanted: ToRegister<'_>,
    ) -> Result<NewlyRegistered, Refused> {
        let reach = actor.may(Action::Enter, Resource::Deviations, scribe.now)?;
        let ToRegister { wanted, controls, procedures, period, keeping } = wanted;
        let question =
            Question { procedures, keeping: Some(keeping), ..Question::over(period.clone(), scribe.now) };
        let found = self.deviations(&question, scribe.now)?;
        let is = |d: &DeviationReport, key: &str| d.key.to_lowercase() == key.trim().to_lowercase();
        let is_wanted = |d: &DeviationReport| match wanted {
            Wanted::Named(keys) => keys.is_empty() || keys.iter().any(|key| is(d, key)),
            Wanted::One(one) => {
                d.about == one.about && (d.occurred_at == one.occurred_at || self.lasts(&d.about.procedure))
            }
        };
        let unknown = match wanted {
            Wanted::Named(keys) => keys.iter().find(|key| !found.deviations.iter().any(|d| is(d, key))),
            Wanted::One(one) => Some(&one.key).filter(|_| !found.deviations.iter().any(is_wanted)),
        };
        if let Some(unknown) = unknown {
            return Err(unfit(format!(
                "this period shows no deviation `{unknown}`; `tickmark deviation list` shows what it does"
            )));
        }
        let of_control =
            |d: &DeviationReport| controls.is_empty() || d.controls.iter().any(|c| controls.contains(c));
        let asked: Vec<DeviationReport> = found
            .deviations
            .into_iter()
            .filter(|d| d.found == Found::Yes && of_control(d) && is_wanted(d))
            .collect();
        for deviation in &asked {
            self.is_theirs(actor, reach, Action::Enter, &deviation.controls, deviation.owner.as_deref())?;
        }
        let (there, new): (Vec<_>, Vec<_>) = asked.into_iter().partition(|d| d.registered.is_some());
        let mut done = NewlyRegistered { new, there: there.len(), position: found.position, entered: None };
        if !done.new.is_empty() {
            let by = actor.called();
            let rows: Vec<NewRow> =
                done.new.iter().map(|d| row(d, period, found.position, by)).collect::<Result<_, _>>()?;
            let entered = self.decide_rows(scribe, "deviation", &rows, by, "found by an assessment")?;
            done.entered = Some(entered);
        }
        Ok(done)
    }

    /// Writes down what a deviation of the register is and what becomes of it.
    ///
    /// # Errors
    /// No permission, no such deviation, nothing said, or something that was decided after entry `seen`.
    pub fn triage(
        &mut self,
        scribe: &Scribe<'_>,
        actor: Actor<'_>,
        key: &str,
        said: &ToTriage,
        seen: Option<i64>,
    ) -> Result<(String, EnteredRows), Refused> {
        let known = self.in_register(scribe, actor, Action::Enter, key)?;
        let mut values = vec![];
        for (name, text) in
            [("cause", &said.cause), ("exposure", &said.exposure), ("response", &said.response)]
        {
            if let Some(text) = text {
                values.push((name, Cell::Text(filled(name, text)?)));
            }
        }
        if let Some(severity) = &said.severity {
            values.push(("severity", Cell::Text(filled("severity", severity)?)));
        }
        if let Some(id) = &said.compensating {
            if id != NONE {
                self.is_control(id)?;
            }
            if known.controls.contains(id) {
                return Err(unfit(format!(
                    "{id} is the control that deviated, and cannot make up for itself; name another one"
                )));
            }
            values.push(("compensating", Cell::Text(id.clone())));
        }
        if let Some(owner) = &said.owner {
            values.push(("owner", Cell::Person(filled("owner", owner)?)));
        }
        if let Some(due) = &said.due {
            let tz = self.config.zone(None);
            let day = model::parse_date_range(due, due, &tz).map_err(|e| unfit(e.to_string()))?;
            values.push(("due_at", Cell::At(day.last())));
        }
        if values.is_empty() {
            return Err(unfit(
                "nothing is said of the deviation; name its cause, severity, owner, last day or another",
            ));
        }
        let about = About { table: "deviation_triage", who: "triaged_by", reason: "triage", seen };
        self.decide_about(scribe, actor, &about, &known, values)
    }

    /// Writes down that a deviation was looked at again.
    ///
    /// # Errors
    /// No permission, no such deviation or entry, or something that was decided after entry `seen`.
    pub fn retest(
        &mut self,
        scribe: &Scribe<'_>,
        actor: Actor<'_>,
        key: &str,
        passed: bool,
        evidence: u64,
        seen: Option<i64>,
    ) -> Result<(String, EnteredRows), Refused> {
        let known = self.in_register(scribe, actor, Action::Enter, key)?;
        let evidence = self.is_entry(evidence)?;
        let word = if passed { "pass" } else { "fail" };
        let values = vec![("result", word.into()), ("evidence_entry", Cell::Number(evidence))];
        let about = About { table: "deviation_retest", who: "retested_by", reason: "retest", seen };
        self.decide_about(scribe, actor, &about, &known, values)
    }

    /// Is done with a deviation: after a retest that passed, or because somebody accepts it.
    ///
    /// # Errors
    /// No permission, no such deviation, why it may not be closed, or something that was decided after entry `seen`.
    pub fn close(
        &mut self,
        scribe: &Scribe<'_>,
        actor: Actor<'_>,
        key: &str,
        accepted: bool,
        why: &str,
        seen: Option<i64>,
    ) -> Result<(String, EnteredRows), Refused> {
        let known = self.in_register(scribe, actor, Action::Decide, key)?;
        let why = why.trim();
        // What somebody has not seen comes first: it may be the reason why it cannot be closed.
        unchanged(&known, seen)?;
        if let Some(refusal) =
            assess::register::refusal(&known.decisions, Some(actor.called()), accepted, why)
        {
            return Err(unfit(format!(
                "{} cannot be closed: {refusal}; retest it, or have somebody who neither owns it nor described it accept it, \
                 with a reason",
                known.key
            )));
        }
        let mut values = vec![("accepted", Cell::from(if accepted { "yes" } else { "no" }))];
        if !why.is_empty() {
            values.push(("reason", why.into()));
        }
        let reason = if why.is_empty() { "closed after its retest" } else { why };
        let about = About { table: "deviation_close", who: "closed_by", reason, seen };
        self.decide_about(scribe, actor, &about, &known, values)
    }

    /// Whether something is the actor's own: a control of it that they answer for, or that they were named its owner. Whoever
    /// reaches everything has not to ask.
    ///
    /// # Errors
    /// It is somebody else's, or the database.
    pub fn is_theirs(
        &mut self,
        actor: Actor<'_>,
        reach: Reach,
        action: Action,
        controls: &[String],
        owner: Option<&str>,
    ) -> Result<(), Refused> {
        let called = actor.called();
        let named = |owner: &str| same_person(owner, called);
        if reach == Reach::Every || owner.is_some_and(named) {
            return Ok(());
        }
        let owners = self.owners(None, self.now)?;
        if controls.iter().any(|control| owners.get(control).is_some_and(|owner| named(owner))) {
            return Ok(());
        }
        Err(Refused::NotAllowed { action, resource: Resource::Deviations })
    }

    /// The deviation of the register that is called so, or begins so, for somebody who may do this to it.
    fn in_register(
        &mut self,
        scribe: &Scribe<'_>,
        actor: Actor<'_>,
        action: Action,
        key: &str,
    ) -> Result<InRegister, Refused> {
        let reach = actor.may(action, Resource::Deviations, scribe.now)?;
        self.catch_up(scribe.derive)?;
        let wanted = key.trim().to_lowercase();
        let mut all = self.register(None)?;
        all.retain(|known| !wanted.is_empty() && known.key.to_lowercase().starts_with(&wanted));
        // Its whole name is meant, whatever else begins so.
        if all.iter().any(|known| known.key.to_lowercase() == wanted) {
            all.retain(|known| known.key.to_lowercase() == wanted);
        }
        let known = match (all.pop(), all.len()) {
            (Some(known), 0) => known,
            (Some(known), _) => {
                let others: Vec<&str> = all.iter().map(|k| k.key.as_str()).collect();
                return Err(unfit(format!(
                    "`{key}` may be {} or {}; write more of its name",
                    known.key,
                    others.join(", ")
                )));
            }
            (None, _) => {
                return Err(unfit(format!(
                    "no deviation of the register is called `{key}`; `tickmark deviation list` shows what was found, \
                     `tickmark deviation register` enters it"
                )));
            }
        };
        let owner = known.owner();
        self.is_theirs(actor, reach, action, &known.controls, owner.as_deref())?;
        Ok(known)
    }

    fn decide_about(
        &mut self,
        scribe: &Scribe<'_>,
        actor: Actor<'_>,
        about: &About<'_>,
        known: &InRegister,
        mut values: Vec<(&'static str, Cell)>,
    ) -> Result<(String, EnteredRows), Refused> {
        unchanged(known, about.seen)?;
        let by = filled("pseudonym of who decides", actor.called())?;
        values.push(("deviation", Cell::Entity("deviation", known.key.clone())));
        values.push((about.who, Cell::Person(by.clone())));
        // Every decision is a row of its own: none takes the place of another.
        let key = format!("{} {}", known.key, self.size());
        let entered = self.decide_rows(scribe, about.table, &[(key, values)], &by, about.reason);
        // What is wrong with a value is its writer's to mend; that nothing was appended is sure.
        let entered = entered.map_err(|error| match error {
            AppError::Other(why) => unfit(why),
            other => other.into(),
        })?;
        Ok((known.key.clone(), entered))
    }

    /// Whether there is a control.
    fn is_control(&self, id: &str) -> Result<(), Refused> {
        if self.catalog.controls.contains_key(id) {
            return Ok(());
        }
        let known: Vec<&str> = self.catalog.controls.keys().map(String::as_str).collect();
        Err(unfit(format!("there is no control `{id}`; there are {}", known.join(", "))))
    }

    /// A ledger entry there is.
    fn is_entry(&self, entry: u64) -> Result<i64, Refused> {
        i64::try_from(entry).ok().filter(|_| entry < self.size()).ok_or_else(|| {
            unfit(format!(
                "there is no ledger entry {entry} (the last one is {}); `tickmark evidence list` shows files of evidence",
                self.size().saturating_sub(1)
            ))
        })
    }
}

/// Whether nothing was decided about a deviation after what somebody had before their eyes.
fn unchanged(known: &InRegister, seen: Option<i64>) -> Result<(), Refused> {
    match seen {
        Some(seen) if seen != known.last_entry() => Err(Refused::Changed { what: known.key.clone() }),
        _ => Ok(()),
    }
}

fn filled(what: &str, text: &str) -> Result<String, Refused> {
    let text = text.trim();
    if text.is_empty() {
        return Err(unfit(format!("the {what} says nothing; write something, or leave it out")));
    }
    Ok(text.to_owned())
}

/// A deviation as a row of the register.
fn row(d: &DeviationReport, period: &Period, position: u64, by: &str) -> Result<NewRow, AppError> {
    let position = i64::try_from(position).map_err(|e| AppError::Other(e.to_string()))?;
    let about = &d.about;
    let mut values = vec![
        ("procedure", Cell::from(about.procedure.as_str())),
        ("attribute", Cell::Text(about.attribute.to_string())),
        ("item_kind", Cell::from(about.kind.as_str())),
        ("item_key", Cell::from(about.item.as_str())),
        ("occurred_at", Cell::At(d.occurred_at)),
        ("period_from", Cell::At(period.from)),
        ("period_to", Cell::At(period.to)),
        ("label", Cell::from(d.short.as_str())),
        ("reason", Cell::from(d.reason.as_str())),
        ("controls", Cell::Text(d.controls.join(" "))),
        ("item_entry", Cell::Number(d.entry)),
        ("found_position", Cell::Number(position)),
        ("content_hash", Cell::from(d.content.as_str())),
        ("registered_by", Cell::Person(by.to_owned())),
    ];
    let optional = [("item_within", &about.within), ("scope", &about.scope)];
    values.extend(optional.into_iter().filter_map(|(n, v)| Some((n, Cell::Text(v.clone()?)))));
    Ok((d.key.clone(), values))
}
