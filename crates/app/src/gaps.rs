//! Readiness: what stands between today and a report of type 1, then a clean window for one of type 2. It warns, and names for
//! each gap who sees to it, how long that takes and the one next step; it refuses nothing.
//!
//! What is said here is worked out from facts that were gathered before ([`Facts`]): nothing here reads records.

mod roadmap;
mod strands;

use std::collections::{BTreeMap, BTreeSet};

use catalog::{Catalog, OPTIONAL_CATEGORIES};
use model::{Conclusion, Instant, Period, Verdict};
use serde::Serialize;

use crate::assessment::{ProcedureReport, Question, Report};
use crate::criteria::{ControlReport, Criteria};
use crate::deviation::Deviations;
use crate::error::AppError;
use crate::looked::{AlarmReport, CoverageQuestion, CoverageReport, Keeping};
use crate::question::{instant, integer, text};
use crate::workspace::Workspace;

use roadmap::Deal;
pub use roadmap::{CategoryQuestion, Estimate, Milestone, Roadmap, WaitingDeal};
pub use strands::{StrandReport, StrandStep};

const DAY: i64 = 86_400_000;
const WEEK: i64 = 7 * DAY;
/// Weeks from the beginning of preparations to readiness, fieldwork of either type, and the shortest and the usual window: what
/// is customary, from the least to the most.
const READINESS_WEEKS: (i64, i64) = (4, 8);
const FIELDWORK_1_WEEKS: (i64, i64) = (4, 6);
const FIELDWORK_2_WEEKS: (i64, i64) = (4, 8);
const WINDOW_DAYS: [(&str, i64); 3] = [("three months", 92), ("six months", 184), ("twelve months", 365)];
/// How many hours a week somebody who has other work finds for this.
const HOURS_A_WEEK: i64 = 10;
/// Months by which preparations are late where nobody is named in time.
const LATE_MONTHS: (i64, i64) = (3, 6);
/// Cells of a strip of coverage: about a week each, of a year.
const CELLS: usize = 52;
/// How lately a source has to have been looked at to be called healthy.
const HEALTHY_DAYS: i64 = 35;

/// Families of controls as strands of work.
const STRANDS: [(&str, &str); 19] = [
    ("GOV", "Governance"),
    ("HR", "People"),
    ("RSK", "Risk"),
    ("IAM", "Access"),
    ("NET", "Networks"),
    ("CRY", "Encryption and secrets"),
    ("END", "Devices"),
    ("PHY", "Places"),
    ("LOG", "Logs and alerts"),
    ("VUL", "Vulnerabilities"),
    ("INC", "Incidents"),
    ("CHG", "Changes"),
    ("REL", "Releases"),
    ("VEN", "Vendors"),
    ("AVL", "Availability, backup and recovery"),
    ("PI", "Processing"),
    ("AI", "Artificial intelligence"),
    ("CON", "Data"),
    ("PRV", "Privacy"),
];

/// Where companies like this one usually fail, and the controls that tell.
const TELL_TALES: [(&str, &[&str]); 11] = [
    ("access outlives the people who had it", &["IAM-06"]),
    ("changes are approved now and then", &["CHG-02"]),
    ("incidents are handled in a chat", &["INC-02", "INC-03"]),
    ("access is not reviewed", &["IAM-08"]),
    ("backups are not written down, nor tried", &["AVL-04", "AVL-05"]),
    ("vendors are used, but not recorded", &["VEN-01", "VEN-03"]),
    ("critical stores do not log who reads them", &["LOG-06"]),
    ("reviews are done one way here and another there", &["CRY-05", "IAM-08"]),
    ("there is no plan for incidents", &["INC-01"]),
    ("changes follow no process", &["CHG-01", "CHG-03"]),
    ("keys and secrets are never changed", &["CRY-04"]),
];

/// What somebody must answer for by name, and the control that this is.
const SIX_OWNERS: [(&str, &str); 6] = [
    ("access reviews", "IAM-08"),
    ("incident records", "INC-02"),
    ("vendors", "VEN-01"),
    ("endpoints", "END-01"),
    ("upkeep of policies", "GOV-06"),
    ("coordination of the audit", "GOV-07"),
];

/// Kinds of sources that evidence comes from, and the tables that show that one of them gives.
const SOURCES: [(&str, &[&str]); 6] = [
    ("ticketing", &["ticket"]),
    ("identity", &["account", "mfa"]),
    ("endpoints", &["device"]),
    ("source control", &["change"]),
    ("builds and tests", &["check_run", "build"]),
    ("alerting", &["alert"]),
];

/// What is known, before anything is said about it.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) now: Instant,
    pub(crate) period: &'a Period,
    pub(crate) position: u64,
    /// Categories that are out of scope during the whole period.
    pub(crate) left_out: BTreeSet<&'static str>,
    /// Categories that a rule that counts speaks of, either way.
    pub(crate) decided: BTreeSet<String>,
    /// Whether any rule of scope counts.
    pub(crate) scoped: bool,
    pub(crate) controls: &'a [ControlReport],
    pub(crate) procedures: &'a [ProcedureReport],
    /// Tables that procedures rest on and nobody ever supplied.
    pub(crate) unsupplied: BTreeSet<String>,
    /// The end of the last window in which each table was looked at completely.
    pub(crate) looked: BTreeMap<String, Instant>,
    pub(crate) alarms: Vec<AlarmReport>,
    /// Files of evidence: their control, what they are called, and the end of what they speak of.
    pub(crate) files: Vec<(String, String, Instant)>,
    /// Systems in scope that were recorded, and people who work here.
    pub(crate) systems: usize,
    pub(crate) people: usize,
    /// Sales that wait for a report.
    pub(crate) deals: Vec<Deal>,
    /// What was decided to go on with, by gap.
    pub(crate) accepted: BTreeMap<String, Accepted>,
}

/// Everything that is shown of a period.
#[derive(Debug)]
pub struct Overview {
    /// What the procedures say.
    pub report: Report,
    /// The deviations, and what people decided about them.
    pub deviations: Deviations,
    /// Controls and criteria.
    pub criteria: Criteria,
    /// Where was looked.
    pub coverage: CoverageReport,
    /// What stands before a report.
    pub gaps: Gaps,
}

/// Readiness.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Gaps {
    /// When this was asked.
    pub at: Instant,
    /// First instant of the time that was looked at.
    pub from: Instant,
    /// First instant after it.
    pub to: Instant,
    /// Zone of the days.
    pub tz: String,
    /// Ledger position of the snapshot.
    pub position: u64,
    /// Categories in scope.
    pub categories: Vec<&'static str>,
    /// Controls that answer to criteria in scope.
    pub controls: usize,
    /// Where to begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begin: Option<Beginning>,
    /// What is in the way, in the order in which it is best seen to.
    pub gaps: Vec<Gap>,
    /// What usually goes wrong, and whether it does here.
    pub tell_tales: Vec<TellTale>,
    /// The way to readiness.
    pub steps: Vec<Step>,
    /// What to ask before a category is decided on.
    pub questions: Vec<CategoryQuestion>,
    /// Strands of work, and how far they are.
    pub strands: Vec<StrandReport>,
    /// Who has to do how much.
    pub roles: Vec<RoleLoad>,
    /// When what could be.
    pub plan: Plan,
    /// Which report when.
    pub roadmap: Roadmap,
    /// Sales that wait for one.
    pub waiting: Vec<WaitingDeal>,
    /// What it comes to.
    pub estimate: Estimate,
}

/// Where to begin.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Beginning {
    /// Why there.
    pub says: String,
    /// The step.
    pub next: String,
}

/// Something in the way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Gap {
    /// What names it as long as it is there: its kind, and what it is about.
    pub id: String,
    /// `unreadable`, `owner`, `policy`, `design`, `source`, `failing`, `unknown`, `never_done` or `untested`.
    pub kind: &'static str,
    /// The report it stands before: 1, or 2 when it only keeps a window from being clean.
    pub before_type: u8,
    /// The strand of work.
    pub strand: String,
    /// What is missing or wrong.
    pub says: String,
    /// Controls that wait for it.
    pub controls: Vec<String>,
    /// The role that sees to it.
    pub role: String,
    /// The person, where one is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Hours it takes, from the least to the most: a guess from experience.
    pub hours: (u32, u32),
    /// The one next step.
    pub next: String,
    /// Who decided to go on with it for now. It stays a gap, and holds up no date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
}

/// A decision to go on with a gap.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Accepted {
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: Instant,
    /// Its ledger entry.
    pub entry: i64,
}

impl Gap {
    /// Of one control, for whoever owns it.
    fn of(
        control: &ControlReport,
        (kind, before_type): (&'static str, u8),
        hours: (u32, u32),
        says: String,
        next: String,
    ) -> Self {
        Self {
            id: format!("{kind}:{}", control.id),
            accepted: None,
            kind,
            before_type,
            strand: strand(&control.id),
            says,
            controls: vec![control.id.clone()],
            role: control.owner_role.clone(),
            owner: control.owner.clone(),
            hours,
            next,
        }
    }
}

/// Something that usually goes wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TellTale {
    /// What it is.
    pub what: &'static str,
    /// `found`, `not_found`, or `cannot_be_told`.
    pub state: &'static str,
    /// Controls that tell.
    pub controls: Vec<String>,
}

/// A step to readiness.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Step {
    /// What is done.
    pub what: &'static str,
    /// Whether it is, by what the records say.
    pub done: bool,
    /// What was found, or what is missing.
    pub says: String,
}

/// How much falls to a role.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RoleLoad {
    /// The role.
    pub role: String,
    /// Its controls in scope.
    pub controls: usize,
    /// How many of these have a named owner.
    pub owned: usize,
    /// Gaps that it sees to.
    pub gaps: usize,
    /// Hours of these.
    pub hours: (u32, u32),
}

/// When what could be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Plan {
    /// When everything that stands before a report of type 1 could be done: at the earliest, and more likely.
    pub type_1_ready: (Instant, Instant),
    /// When that report could be there.
    pub type_1_report: (Instant, Instant),
    /// When a window without known deviations could begin.
    pub window_from: (Instant, Instant),
    /// Windows that could follow, with when each ends and when its report could be there.
    pub windows: Vec<PlannedWindow>,
    /// What would break a window that began now.
    pub breaks: Vec<String>,
    /// Why the dates may slip.
    pub risks: Vec<String>,
}

/// A window for a report of type 2.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PlannedWindow {
    /// How long.
    pub length: &'static str,
    /// Its end, if it begins as early as can be.
    pub ends: Instant,
    /// When its report could be there.
    pub report: (Instant, Instant),
}

impl Workspace {
    /// What stands between now and a report.
    ///
    /// # Errors
    /// As [`Workspace::assess`].
    pub fn gaps(&mut self, period: &Period, keeping: Keeping) -> Result<Gaps, AppError> {
        Ok(self.overview(period, keeping)?.gaps)
    }

    /// Everything that is shown of a period, from one assessment: its parts agree with each other.
    ///
    /// # Errors
    /// As [`Workspace::assess`].
    pub fn overview(&mut self, period: &Period, keeping: Keeping) -> Result<Overview, AppError> {
        let now = keeping.now;
        let mut question = Question::over(period.clone(), now);
        question.keeping = Some(keeping.clone());
        let (report, deviations) = self.examined(&question, now)?;
        let criteria = self.criteria_of(&question, &report, &deviations)?;
        let position = report.position;
        let coverage = self.looked(&CoverageQuestion {
            period: period.clone(),
            known_at: Some(position),
            table: None,
            cells: CELLS,
            keeping,
        })?;
        let gaps = self.gaps_in(period, &report, &criteria, &coverage)?;
        Ok(Overview { report, deviations, criteria, coverage, gaps })
    }

    /// The gaps of an assessment that is there already.
    fn gaps_in(
        &mut self,
        period: &Period,
        report: &Report,
        criteria: &Criteria,
        coverage: &CoverageReport,
    ) -> Result<Gaps, AppError> {
        let (position, now) = (report.position, report.cutoff);
        let rules = self.scope_rules(position)?;
        let categories: BTreeSet<&'static str> = self.catalog.criteria.iter().map(|c| c.category()).collect();
        let left_out = categories.into_iter().filter(|c| rules.leaves_out_category(c, period)).collect();
        let counting = || rules.rules.iter().filter(|rule| rule.counts.is_some());
        let decided = counting().filter(|r| r.dimension == "category").map(|r| r.subject.clone()).collect();
        let scoped = counting().next().is_some();
        // That a control was evaluated is kept in a table of its own: what somebody found speaks for GOV-07 as a file of it does.
        let files = self.query(
            "SELECT f.control AS control, f.label AS label, f.covers_to AS covers_to FROM evidence_file f \
             UNION ALL \
             SELECT 'GOV-07' AS control, e.finding AS label, e.evaluated_at AS covers_to FROM control_evaluation e \
              WHERE e.evaluated_by IS NOT NULL AND e.finding <> 'none' AND e.finding <> ''",
            Instant::FOREVER,
            Some(position),
        )?;
        let files = files
            .rows
            .iter()
            .filter_map(|row| Some((text(row.first())?, text(row.get(1))?, instant(row.get(2))?)))
            .collect();
        let count = |workspace: &mut Self, sql: &str| -> Result<usize, AppError> {
            let found = workspace.query(sql, now, Some(position))?;
            Ok(found.rows.first().and_then(|row| usize::try_from(integer(row.first())?).ok()).unwrap_or(0))
        };
        let systems = count(self, "SELECT count(DISTINCT s.id) AS n FROM system s WHERE s.in_scope = 1")?;
        let people = count(
            self,
            &format!(
                "SELECT count(DISTINCT e.account) AS n FROM employment e WHERE e.started_at <= {0} AND e.ended_at > {0}",
                now.ms()
            ),
        )?;
        let deals = self
            .query(
                "SELECT d.label AS label, d.wants AS wants, d.needed_by AS needed_by FROM deal d WHERE d.status = 'open'",
                now,
                Some(position),
            )?
            .rows
            .iter()
            .filter_map(|row| {
                Some(Deal { label: text(row.first())?, wants: text(row.get(1)), needed_by: instant(row.get(2)) })
            })
            .collect();
        let accepted = self.accepted_gaps(position)?;
        let mut last: BTreeMap<String, Instant> = BTreeMap::new();
        for table in &coverage.tables {
            let end = last.entry(table.table.clone()).or_insert(Instant::BEGINNING);
            *end = (*end).max(table.last.unwrap_or(Instant::BEGINNING));
        }
        Ok(said(&Facts {
            catalog: &self.catalog,
            now,
            period,
            position,
            left_out,
            decided,
            scoped,
            controls: &criteria.controls,
            procedures: &report.procedures,
            unsupplied: coverage.unsupplied.iter().map(|u| u.table.clone()).collect(),
            looked: last,
            alarms: coverage.alarms.clone(),
            files,
            systems,
            people,
            deals,
            accepted,
        }))
    }

    /// Decisions to go on with a gap, each of a named person and with a reason; others count for nothing.
    fn accepted_gaps(&mut self, position: u64) -> Result<BTreeMap<String, Accepted>, AppError> {
        let found = self.query(
            "SELECT g.gap AS gap, g.reason AS reason, g.accepted_by AS accepted_by, g.accepted_until AS accepted_until, g.entry AS entry \
             FROM gap_acceptance g ORDER BY g.entry NULLS FIRST",
            Instant::FOREVER,
            Some(position),
        )?;
        let who: BTreeSet<i64> = found.rows.iter().filter_map(|row| integer(row.get(2))).collect();
        let who: BTreeMap<i64, String> =
            self.records.entities_of(&who)?.into_iter().map(|entity| (entity.id, entity.key)).collect();
        let one = |row: &Vec<model::Value>| {
            let reason = text(row.get(1)).filter(|reason| !reason.trim().is_empty())?;
            let by = integer(row.get(2)).and_then(|id| who.get(&id).cloned())?;
            let (until, entry) = (instant(row.get(3))?, integer(row.get(4)).unwrap_or_default());
            Some((text(row.first())?, Accepted { by, reason, until, entry }))
        };
        Ok(found.rows.iter().filter_map(one).collect())
    }
}

/// Everything that is to be said of the facts.
pub(crate) fn said(facts: &Facts<'_>) -> Gaps {
    let in_scope = facts.in_scope();
    let mut gaps = facts.gaps(&in_scope);
    for gap in &mut gaps {
        gap.accepted = facts.accepted.get(&gap.id).filter(|a| facts.now < a.until).cloned();
    }
    let roles = facts.roles(&in_scope, &gaps);
    let steps = facts.steps();
    let plan = facts.plan(&in_scope, &gaps, &roles, &steps);
    let mut categories: Vec<&'static str> = vec![];
    for criterion in &facts.catalog.criteria {
        let category = criterion.category();
        if !facts.left_out.contains(category) && !categories.contains(&category) {
            categories.push(category);
        }
    }
    let estimate = facts.estimate(categories.len(), &gaps);
    Gaps {
        questions: facts.questions(),
        strands: facts.strands(&in_scope),
        roadmap: facts.roadmap(&plan),
        waiting: facts.waiting(&plan),
        estimate,
        at: facts.now,
        from: facts.period.from,
        to: facts.period.to,
        tz: facts.period.tz.clone(),
        position: facts.position,
        categories,
        controls: in_scope.len(),
        begin: facts.begin(&gaps),
        tell_tales: facts.tell_tales(&in_scope),
        gaps,
        steps,
        roles,
        plan,
    }
}

/// Controls by their role or strand, those with most of them first.
fn by<'c>(
    controls: impl Iterator<Item = &'c ControlReport>,
    key: impl Fn(&ControlReport) -> String,
) -> Vec<(String, Vec<&'c ControlReport>)> {
    let mut all: BTreeMap<String, Vec<&ControlReport>> = BTreeMap::new();
    for control in controls {
        all.entry(key(control)).or_default().push(control);
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|(_, controls)| std::cmp::Reverse(controls.len()));
    all
}

fn strand(control: &str) -> String {
    let family = control.rsplit_once('-').map_or(control, |(family, _)| family);
    STRANDS.iter().find(|(id, _)| *id == family).map_or(family, |(_, name)| *name).to_owned()
}

fn spoken(words: &[&str]) -> String {
    words.join(", ").replace('_', " ")
}

fn ids(controls: &[&ControlReport]) -> Vec<String> {
    controls.iter().map(|c| c.id.clone()).collect()
}

/// The only owner of several controls, where there is only one.
fn owner(controls: &[&ControlReport]) -> Option<String> {
    let first = controls.first()?.owner.clone()?;
    controls.iter().all(|c| c.owner.as_ref() == Some(&first)).then_some(first)
}

fn controls_of(n: usize) -> String {
    if n == 1 { "1 control".to_owned() } else { format!("{n} controls") }
}

fn hours(n: usize, least: u32, most: u32) -> (u32, u32) {
    let n = u32::try_from(n).unwrap_or(u32::MAX);
    (n.saturating_mul(least), n.saturating_mul(most))
}

/// After how many days work of a frequency is overdue.
fn days_between(frequency: &str) -> i64 {
    match frequency {
        "daily" => 1,
        "weekly" => 7,
        "monthly" => 31,
        "quarterly" => 92,
        "semiannual" => 184,
        _ => 365,
    }
}

impl Facts<'_> {
    /// Controls that answer to a criterion in scope.
    fn in_scope(&self) -> Vec<&ControlReport> {
        let asked: BTreeSet<&str> = self
            .catalog
            .criteria
            .iter()
            .filter(|c| !self.left_out.contains(c.category()))
            .map(|c| c.id.as_str())
            .collect();
        self.controls.iter().filter(|c| c.criteria.iter().any(|m| asked.contains(m.id.as_str()))).collect()
    }

    fn procedure(&self, id: &str) -> Option<&ProcedureReport> {
        self.procedures.iter().find(|p| p.id == id)
    }

    fn gaps(&self, in_scope: &[&ControlReport]) -> Vec<Gap> {
        let mut gaps = vec![];
        self.unreadable(in_scope, &mut gaps);
        Self::owners(in_scope, &mut gaps);
        self.policies(in_scope, &mut gaps);
        Self::designs(in_scope, &mut gaps);
        self.failing(in_scope, &mut gaps);
        self.sources(in_scope, &mut gaps);
        self.unknown(in_scope, &mut gaps);
        self.by_hand(in_scope, &mut gaps);
        Self::untested(in_scope, &mut gaps);
        gaps
    }

    /// Scope first: what is left out needs no owner, policy or source. Then the first gap.
    fn begin(&self, gaps: &[Gap]) -> Option<Beginning> {
        let decided = OPTIONAL_CATEGORIES.into_iter().all(|word| self.decided.contains(word));
        if self.scoped && decided {
            let open = gaps.iter().find(|gap| gap.accepted.is_none());
            return open.map(|gap| Beginning { says: gap.says.clone(), next: gap.next.clone() });
        }
        if self.scoped && !self.decided.is_empty() {
            let open = self.undecided();
            return Some(Beginning {
                says: format!(
                    "decide on {}, too: in or out, with a reason; late changes of scope are dear",
                    spoken(&open)
                ),
                next: format!(
                    "tickmark scope include category {} --from DATE --reason WHY --approved-by WHO",
                    open[0]
                ),
            });
        }
        Some(Beginning {
            says: "choose the categories: security alone is the usual start, and each category more is owners, policies and sources \
                   more; late changes of scope are dear"
                .to_owned(),
            next: "tickmark catalog presets   # then: tickmark scope preset NAME --from DATE --reason WHY --approved-by WHO"
                .to_owned(),
        })
    }

    /// Categories that can be left out, and of which nobody said whether they are.
    fn undecided(&self) -> Vec<&'static str> {
        OPTIONAL_CATEGORIES.into_iter().filter(|word| !self.decided.contains(*word)).collect()
    }

    fn unreadable(&self, in_scope: &[&ControlReport], gaps: &mut Vec<Gap>) {
        for control in in_scope {
            let Some(why) = self.catalog.in_doubt.get(&control.id) else { continue };
            gaps.push(Gap::of(
                control,
                ("unreadable", 1),
                (1, 2),
                format!("{} cannot be concluded: {}", control.id, why.join("; ")),
                "tickmark catalog controls   # says on standard error which line is wrong, and what to write"
                    .to_owned(),
            ));
        }
    }

    fn owners(in_scope: &[&ControlReport], gaps: &mut Vec<Gap>) {
        let missing = in_scope.iter().copied().filter(|c| c.owner.is_none());
        for (role, controls) in by(missing, |c| c.owner_role.clone()) {
            gaps.push(Gap {
                id: format!("owner:{role}"),
                accepted: None,
                kind: "owner",
                before_type: 1,
                strand: "Owners".to_owned(),
                says: format!("nobody is named for {} of {role}", controls_of(controls.len())),
                next: format!("tickmark control own {} --owner WHO --by YOU", controls[0].id),
                hours: (1, 2),
                owner: None,
                controls: ids(&controls),
                role,
            });
        }
    }

    /// Policies are approved files of evidence for the control that asks for them.
    fn policies(&self, in_scope: &[&ControlReport], gaps: &mut Vec<Gap>) {
        const KEEPS_POLICIES: &str = "GOV-06";
        let keeper = in_scope.iter().find(|c| c.id == KEEPS_POLICIES);
        let Some(keeper) = keeper else { return };
        for policy in self.catalog.policies.values() {
            let concerned: Vec<&ControlReport> =
                in_scope.iter().copied().filter(|c| policy.controls.contains(&c.id)).collect();
            let title = policy.title.to_lowercase();
            let there = self.files.iter().any(|(control, label, until)| {
                let current = until.ms() >= self.now.ms() - 365 * DAY;
                control == KEEPS_POLICIES && current && label.to_lowercase().contains(&title)
            });
            if concerned.is_empty() || there {
                continue;
            }
            gaps.push(Gap {
                id: format!("policy:{}", policy.id),
                accepted: None,
                kind: "policy",
                before_type: 1,
                strand: "Policies".to_owned(),
                says: format!("no approved version of the {} was kept in the last year", policy.title.to_lowercase()),
                controls: ids(&concerned),
                role: keeper.owner_role.clone(),
                owner: keeper.owner.clone(),
                hours: (3, 8),
                next: format!(
                    "tickmark catalog policy {id} > {id}.md   # make it yours, have it approved, then: tickmark evidence add {id}.md \
                     --control {KEEPS_POLICIES} --covers DATE --title \"{}\"",
                    policy.title,
                    id = policy.id
                ),
            });
        }
    }

    fn designs(in_scope: &[&ControlReport], gaps: &mut Vec<Gap>) {
        let unsuitable = |c: &&ControlReport| c.design == "not_suitable";
        for control in in_scope.iter().copied().filter(unsuitable) {
            gaps.push(Gap::of(
                control,
                ("design", 1),
                (4, 16),
                format!("{} {}: its design was concluded not to be suitable", control.id, control.title),
                format!("tickmark control {}   # change what is done, then conclude again", control.id),
            ));
        }
        let open = in_scope.iter().copied().filter(|c| c.design == "cannot_conclude");
        for (role, controls) in by(open, |c| c.owner_role.clone()) {
            gaps.push(Gap {
                id: format!("design:{role}"),
                accepted: None,
                kind: "design",
                before_type: 1,
                strand: "Walkthroughs".to_owned(),
                says: format!(
                    "the design of {} of {role} was not walked through, or not in its present words",
                    controls_of(controls.len())
                ),
                hours: hours(controls.len(), 1, 2),
                next: format!(
                    "tickmark control design {} --conclusion suitable --item WHAT-YOU-SAW --reason WHY --by YOU",
                    controls[0].id
                ),
                owner: owner(&controls),
                controls: ids(&controls),
                role,
            });
        }
    }

    fn failing(&self, in_scope: &[&ControlReport], gaps: &mut Vec<Gap>) {
        for procedure in self.procedures {
            let Some(control) = in_scope.iter().find(|c| procedure.controls.contains(&c.id)) else {
                continue;
            };
            let deviate = procedure.items.iter().filter(|item| item.verdict() == Verdict::Deviation).count();
            if deviate == 0 {
                continue;
            }
            gaps.push(Gap {
                id: format!("failing:{}", procedure.id),
                controls: procedure.controls.clone(),
                ..Gap::of(
                    control,
                    ("failing", 2),
                    (2, u32::try_from(2 + deviate).unwrap_or(40).min(40)),
                    format!("{}: {deviate} of {} deviate", procedure.title, procedure.population),
                    format!(
                        "tickmark assess --control {} --all   # {}",
                        control.id,
                        procedure.how_to_fix.trim_end()
                    ),
                )
            });
        }
    }

    /// Sources, by the strand that waits for them.
    fn sources(&self, in_scope: &[&ControlReport], gaps: &mut Vec<Gap>) {
        type Waiting<'w> = (BTreeSet<&'w str>, BTreeMap<&'w str, &'w ControlReport>, &'w str);
        let mut waiting: BTreeMap<String, Waiting<'_>> = BTreeMap::new();
        for control in in_scope {
            for procedure in control.procedures.iter().filter_map(|id| self.catalog.procedures.get(id)) {
                // Accounts come with whatever else is supplied.
                let missing = |name: &str| name != "account" && self.unsupplied.contains(name);
                for used in procedure.tables.iter().filter(|t| missing(&t.name)) {
                    let (tables, controls, first) = waiting.entry(strand(&control.id)).or_default();
                    tables.insert(&used.name);
                    controls.insert(&control.id, control);
                    if procedure.population_tables.contains(&used.name) && first.is_empty() {
                        *first = &used.name;
                    }
                }
            }
        }
        for (strand, (tables, controls, first)) in waiting {
            let controls: Vec<&ControlReport> = controls.into_values().collect();
            let feeds = |table: &&&str| -> bool {
                let fed_by = self.catalog.table(table).map_or(&[][..], |t| t.fed_by.as_slice());
                fed_by.iter().any(|stream| stream.starts_with("github."))
            };
            let first = if first.is_empty() { tables.first().copied().unwrap_or_default() } else { first };
            let next = if tables.iter().filter(feeds).count() * 2 > tables.len() {
                "tickmark source add github --owner OWNER --repo REPO   # then: tickmark collect".to_owned()
            } else {
                format!(
                    "tickmark import FILE.csv --table {first} > {first}.toml   # an export of the system that has it"
                )
            };
            let Some(most) = controls.first().copied() else { continue };
            gaps.push(Gap {
                id: format!("source:{strand}"),
                accepted: None,
                kind: "source",
                before_type: 2,
                says: format!(
                    "nobody ever supplied {}: {} cannot be concluded",
                    tables.iter().copied().collect::<Vec<_>>().join(", "),
                    controls_of(controls.len())
                ),
                hours: hours(tables.len(), 1, 4),
                role: most.owner_role.clone(),
                owner: owner(&controls),
                controls: ids(&controls),
                next,
                strand,
            });
        }
    }

    /// Procedures that something else than a missing source holds back.
    fn unknown(&self, in_scope: &[&ControlReport], gaps: &mut Vec<Gap>) {
        for report in self.procedures {
            let Some(control) = in_scope.iter().find(|c| report.controls.contains(&c.id)) else { continue };
            let unsupplied = self
                .catalog
                .procedures
                .get(&report.id)
                .is_some_and(|p| p.tables.iter().any(|t| self.unsupplied.contains(&t.name)));
            if report.conclusion != Some(Conclusion::CannotConclude) || unsupplied {
                continue;
            }
            let because = report.held_back_by.first().cloned().unwrap_or_default();
            gaps.push(Gap {
                id: format!("unknown:{}", report.id),
                controls: report.controls.clone(),
                ..Gap::of(
                    control,
                    ("unknown", 2),
                    (1, 4),
                    format!("{}: cannot be concluded: {because}", report.title),
                    format!("tickmark assess --control {}", control.id),
                )
            });
        }
    }

    /// The last time that evidence for a control was kept.
    fn last_kept(&self, control: &str) -> Option<Instant> {
        self.files.iter().filter(|(c, _, _)| c == control).map(|(_, _, until)| *until).max()
    }

    /// Recurring work of which nothing shows that it was done.
    fn by_hand(&self, in_scope: &[&ControlReport], gaps: &mut Vec<Gap>) {
        for control in in_scope {
            let most_often =
                control.evidence.iter().flat_map(|e| e.every.iter().map(|f| days_between(f))).min();
            if let Some(days) = most_often {
                let last = self.last_kept(&control.id).filter(|last| *last <= self.now);
                if last.is_some_and(|last| last.ms() + days * DAY >= self.now.ms()) {
                    continue;
                }
                let concludes = |id: &String| {
                    let none = [Conclusion::DidNotOperate, Conclusion::CannotConclude];
                    self.procedure(id).and_then(|p| p.conclusion).is_some_and(|c| !none.contains(&c))
                };
                let when = match last {
                    None if control.procedures.iter().any(concludes) => {
                        "its records are tested, but what people keep of it was never added".to_owned()
                    }
                    None => "no evidence of it was ever kept".to_owned(),
                    Some(last) => {
                        format!("evidence of it was last kept for {}", last.date_in(&self.period.tz))
                    }
                };
                gaps.push(Gap::of(control, ("never_done", 2), hours(control.evidence.len(), 2, 6), format!("{} {}: {when}", control.id, control.title), format!(
                        "tickmark control {id}   # what is needed; then: tickmark evidence add FILE --control {id} --covers DATE",
                        id = control.id
                    )));
                continue;
            }
            let recurring =
                self.catalog.controls.get(&control.id).is_some_and(|c| {
                    c.frequency.iter().any(|f| !matches!(f.word(), "per_event" | "continuous"))
                });
            let idle = |id: &String| {
                self.procedure(id).is_some_and(|p| p.conclusion == Some(Conclusion::DidNotOperate))
            };
            if recurring && control.procedures.iter().any(idle) {
                gaps.push(Gap::of(
                    control,
                    ("never_done", 2),
                    (2, 8),
                    format!("{} {}: in this time it was not due, or never done", control.id, control.title),
                    format!("tickmark assess --control {}", control.id),
                ));
            }
        }
    }

    /// Controls that procedures should test, and none does.
    fn untested(in_scope: &[&ControlReport], gaps: &mut Vec<Gap>) {
        let untested = |c: &&ControlReport| c.procedures.is_empty() && c.evidence.is_empty();
        for (strand, controls) in by(in_scope.iter().copied().filter(untested), |c| strand(&c.id)) {
            gaps.push(Gap {
                id: format!("untested:{strand}"),
                accepted: None,
                kind: "untested",
                before_type: 2,
                says: format!("no procedure tests {} yet", controls_of(controls.len())),
                hours: hours(controls.len(), 2, 8),
                role: controls[0].owner_role.clone(),
                owner: owner(&controls),
                next: format!(
                    "tickmark evidence add FILE --control {} --covers FROM..TO   # by hand, or write a procedure: docs/procedures.md",
                    controls[0].id
                ),
                controls: ids(&controls),
                strand,
            });
        }
    }

    fn tell_tales(&self, in_scope: &[&ControlReport]) -> Vec<TellTale> {
        let one = |(what, controls): &(&'static str, &[&str])| {
            let asked: Vec<&ControlReport> =
                in_scope.iter().copied().filter(|c| controls.contains(&c.id.as_str())).collect();
            if asked.is_empty() {
                return None;
            }
            let deviates = |c: &&ControlReport| {
                c.operation == Some(Conclusion::ExceptionsNoted)
                    || c.procedures
                        .iter()
                        .filter_map(|id| self.procedure(id))
                        .any(|p| p.items.iter().any(|item| item.verdict() == Verdict::Deviation))
            };
            let held = |c: &&ControlReport| c.operation == Some(Conclusion::NoExceptions);
            let state = if asked.iter().any(deviates) {
                "found"
            } else if asked.iter().all(held) {
                "not_found"
            } else {
                "cannot_be_told"
            };
            Some(TellTale { what, state, controls: ids(&asked) })
        };
        TELL_TALES.iter().filter_map(one).collect()
    }

    fn steps(&self) -> Vec<Step> {
        let control = |id: &str| self.controls.iter().find(|c| c.id == id);
        let operated = |id: &str| control(id).is_some_and(|c| c.operation == Some(Conclusion::NoExceptions));
        let undecided = self.undecided();
        let unnamed: Vec<&str> = SIX_OWNERS
            .iter()
            .filter(|(_, id)| control(id).is_none_or(|c| c.owner.is_none()))
            .map(|(what, _)| *what)
            .collect();
        let kept = self.last_kept("GOV-07").filter(|last| last.ms() + 365 * DAY >= self.now.ms());
        let healthy = |table: &&str| {
            self.looked.get(*table).is_some_and(|last| last.ms() + HEALTHY_DAYS * DAY >= self.now.ms())
        };
        let silent: Vec<&str> = SOURCES
            .iter()
            .filter(|(_, tables)| !tables.iter().any(&healthy))
            .map(|(what, _)| *what)
            .collect();
        let step = |what, done: bool, found: &str, missing: String| Step {
            what,
            done,
            says: if done { found.to_owned() } else { missing },
        };
        vec![
            step(
                "Define the scope",
                self.scoped,
                "a rule of scope was approved, and counts",
                "no approved rule: everything counts as in scope, and nobody said so; `tickmark scope` enters one".to_owned(),
            ),
            step(
                "Choose the criteria",
                undecided.is_empty(),
                "each category was decided on, with a reason",
                format!(
                    "nobody decided on {}; `tickmark catalog presets`, then `tickmark scope preset` does",
                    spoken(&undecided)
                ),
            ),
            step(
                "Name owners",
                unnamed.is_empty(),
                "each of the six duties has a person",
                format!("nobody is named for {}; `tickmark control own` does", spoken(&unnamed)),
            ),
            step(
                "Assess the gaps",
                kept.is_some(),
                "an evaluation of the last year was kept",
                "no evaluation was kept in the last year; `tickmark gaps --json > gaps.json`, weigh it, then `tickmark evidence add \
                 gaps.json --control GOV-07 --covers DATE`, or enter what was found of each control as `control_evaluation`"
                    .to_owned(),
            ),
            step(
                "Make evidence flow",
                silent.is_empty(),
                "each kind of source was looked at in the last weeks",
                format!("nothing was seen of {} in the last {HEALTHY_DAYS} days", spoken(&silent)),
            ),
            step(
                "Look at vendors",
                operated("VEN-03"),
                "every vendor was reviewed as often as it should be",
                "the reviews of vendors are not all known to be done (VEN-03)".to_owned(),
            ),
            step(
                "Train people",
                operated("HR-02"),
                "everybody is trained",
                "it is not known that everybody is trained (HR-02)".to_owned(),
            ),
        ]
    }

    fn roles(&self, in_scope: &[&ControlReport], gaps: &[Gap]) -> Vec<RoleLoad> {
        let mut roles: BTreeMap<&str, RoleLoad> = BTreeMap::new();
        let empty =
            |role: &str| RoleLoad { role: role.to_owned(), controls: 0, owned: 0, gaps: 0, hours: (0, 0) };
        for control in in_scope {
            let role = roles.entry(&control.owner_role).or_insert_with(|| empty(&control.owner_role));
            role.controls += 1;
            role.owned += usize::from(control.owner.is_some());
        }
        for gap in gaps.iter().filter(|gap| gap.accepted.is_none()) {
            let role = roles.entry(&gap.role).or_insert_with(|| empty(&gap.role));
            role.gaps += 1;
            role.hours = (role.hours.0 + gap.hours.0, role.hours.1 + gap.hours.1);
        }
        let mut roles: Vec<RoleLoad> = roles.into_values().collect();
        roles.sort_by(|a, b| (b.hours.1, &a.role).cmp(&(a.hours.1, &b.role)));
        roles
    }

    fn plan(&self, in_scope: &[&ControlReport], gaps: &[Gap], roles: &[RoleLoad], steps: &[Step]) -> Plan {
        let after = |at: Instant, ms: i64| Instant::from_ms(at.ms().saturating_add(ms));
        let both = |at: (Instant, Instant), weeks: (i64, i64)| {
            (after(at.0, weeks.0 * WEEK), after(at.1, weeks.1 * WEEK))
        };
        // Roles work side by side; each has only so many hours a week.
        let longest = |of: &dyn Fn(&Gap) -> bool, most: bool| {
            let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
            for gap in gaps.iter().filter(|gap| gap.accepted.is_none() && of(gap)) {
                *sums.entry(&gap.role).or_default() +=
                    i64::from(if most { gap.hours.1 } else { gap.hours.0 });
            }
            sums.into_values().max().unwrap_or(0)
        };
        let ready = |of: &dyn Fn(&Gap) -> bool| {
            if !gaps.iter().any(|gap| gap.accepted.is_none() && of(gap)) {
                return (self.now, self.now);
            }
            let weeks = |most: bool| (longest(of, most) + HOURS_A_WEEK - 1) / HOURS_A_WEEK;
            let at = |least: i64, most: bool| after(self.now, weeks(most).max(least) * WEEK);
            (at(READINESS_WEEKS.0, false), at(READINESS_WEEKS.1, true))
        };
        let type_1_ready = ready(&|gap| gap.before_type == 1);
        // A window can be clean only after the last deviation, and once everything that it would show is seen.
        let deviations =
            self.procedures.iter().filter(|p| in_scope.iter().any(|c| p.controls.contains(&c.id)));
        let last_deviation = deviations
            .flat_map(|p| &p.items)
            .filter(|item| item.verdict() == Verdict::Deviation)
            .map(|item| after(item.occurred_at, DAY))
            .max();
        let all = ready(&|_| true);
        let window_from = match last_deviation {
            Some(last) => (all.0.max(last), all.1.max(last)),
            None => all,
        };
        let windows = WINDOW_DAYS
            .iter()
            .map(|(length, days)| {
                let ends = after(window_from.0, days * DAY);
                PlannedWindow { length, ends, report: both((ends, ends), FIELDWORK_2_WEEKS) }
            })
            .collect();
        Plan {
            type_1_ready,
            type_1_report: both(type_1_ready, FIELDWORK_1_WEEKS),
            window_from,
            windows,
            breaks: self.breaks(in_scope),
            risks: Self::risks(roles, steps),
        }
    }

    fn breaks(&self, in_scope: &[&ControlReport]) -> Vec<String> {
        let mut breaks = vec![];
        for procedure in self.procedures {
            let concerns = in_scope.iter().any(|c| procedure.controls.contains(&c.id));
            let deviate = procedure.items.iter().filter(|i| i.verdict() == Verdict::Deviation).count();
            if concerns && deviate > 0 {
                breaks.push(format!("{} deviates as it did {deviate} times", procedure.controls.join(", ")));
            }
        }
        for alarm in &self.alarms {
            breaks.push(format!(
                "`{}` of {} is not collected before {}: its source forgets",
                alarm.stream,
                alarm.source,
                alarm.loses_from.date_in(&self.period.tz)
            ));
        }
        for (word, often) in [("monthly", "any month"), ("quarterly", "any quarter"), ("annual", "the year")]
        {
            let due: Vec<&str> = in_scope
                .iter()
                .filter(|c| {
                    let known = self.catalog.controls.get(&c.id);
                    known.is_some_and(|known| known.frequency.iter().any(|f| f.word() == word))
                })
                .map(|c| c.id.as_str())
                .collect();
            if !due.is_empty() {
                breaks.push(format!("{often} goes by without {}", due.join(", ")));
            }
        }
        breaks
    }

    fn risks(roles: &[RoleLoad], steps: &[Step]) -> Vec<String> {
        let (least, most) = LATE_MONTHS;
        let mut risks = vec![];
        let nobody: Vec<&str> =
            roles.iter().filter(|r| r.controls > 0 && r.owned == 0).map(|r| r.role.as_str()).collect();
        if !nobody.is_empty() {
            risks.push(format!(
                "nobody is named in {}: work that nobody owns is usually {least} to {most} months late",
                nobody.join(", ")
            ));
        }
        if let Some(busy) = roles.first().filter(|r| i64::from(r.hours.1) > HOURS_A_WEEK * READINESS_WEEKS.1)
        {
            risks.push(format!(
                "{} has {} to {} hours before it, at {HOURS_A_WEEK} a week: more hands, or a later date",
                busy.role, busy.hours.0, busy.hours.1
            ));
        }
        if let Some(step) = steps.iter().find(|s| !s.done) {
            risks.push(format!(
                "every later step rests on one that is not done: {}",
                step.what.to_lowercase()
            ));
        }
        risks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::criteria::MappedTo;

    fn period() -> Period {
        model::parse_date_range("2025-01-01", "2025-12-31", "UTC").unwrap()
    }

    fn now() -> Instant {
        period().to
    }

    fn report(catalog: &Catalog, id: &str) -> ControlReport {
        let control = &catalog.controls[id];
        ControlReport {
            id: id.to_owned(),
            title: control.title.clone(),
            statement: control.statement.clone(),
            statement_version: control.statement_version(),
            owner_role: control.owner_role.clone(),
            owner: None,
            criteria: control.criteria.iter().map(|c| MappedTo { id: c.clone(), key: false }).collect(),
            design: "cannot_conclude",
            design_because: "nobody concluded it".to_owned(),
            operation: Some(Conclusion::CannotConclude),
            operation_because: vec![],
            procedures: catalog.procedures_of(id).map(|p| p.id.clone()).collect(),
            evidence: crate::browse::EvidenceEntry::of(control),
            deviations: vec![],
            waived: 0,
        }
    }

    /// A company of which nothing is known, and what is asked of it.
    fn unknown(catalog: &Catalog) -> Vec<ControlReport> {
        catalog.controls.keys().map(|id| report(catalog, id)).collect()
    }

    fn facts<'a>(catalog: &'a Catalog, controls: &'a [ControlReport], period: &'a Period) -> Facts<'a> {
        Facts {
            catalog,
            now: now(),
            period,
            position: 0,
            left_out: BTreeSet::new(),
            decided: BTreeSet::new(),
            scoped: false,
            controls,
            procedures: &[],
            unsupplied: BTreeSet::new(),
            looked: BTreeMap::new(),
            alarms: vec![],
            files: vec![],
            systems: 0,
            people: 0,
            deals: vec![],
            accepted: BTreeMap::new(),
        }
    }

    fn days_from_now(at: Instant) -> i64 {
        (at.ms() - now().ms()) / DAY
    }

    #[test]
    fn of_an_empty_workspace_everything_is_open_and_nothing_is_forgotten() {
        let (catalog, _) = Catalog::built_in();
        let (controls, period) = (unknown(&catalog), period());
        let found = said(&facts(&catalog, &controls, &period));
        assert_eq!((found.categories.len(), found.steps.len()), (5, 7));
        assert!(found.steps.iter().all(|step| !step.done), "{:?}", found.steps);
        assert!(found.tell_tales.iter().all(|t| t.state == "cannot_be_told"), "{:?}", found.tell_tales);
        assert!(found.begin.unwrap().next.contains("scope preset"));
        for control in &controls {
            let of =
                |kind: &str| found.gaps.iter().any(|g| g.kind == kind && g.controls.contains(&control.id));
            assert!(of("owner") && of("policy") && of("design"), "{}", control.id);
            // What nothing tests and what people have to do are named, too.
            assert_eq!(of("never_done"), !control.evidence.is_empty(), "{}", control.id);
            assert_eq!(
                of("untested"),
                control.evidence.is_empty() && control.procedures.is_empty(),
                "{}",
                control.id
            );
        }
        // Nothing is counted twice, and no role has hours that no gap explains.
        let sum = |hours: &dyn Fn(&Gap) -> u32| found.gaps.iter().map(hours).sum::<u32>();
        assert_eq!(found.roles.iter().map(|r| r.hours.0).sum::<u32>(), sum(&|g| g.hours.0));
        assert_eq!(found.roles.iter().map(|r| r.hours.1).sum::<u32>(), sum(&|g| g.hours.1));
        assert!(found.gaps.iter().all(|g| !g.next.is_empty() && g.hours.0 > 0 && g.hours.0 <= g.hours.1));
        // Preparations take four to eight weeks at the least, fieldwork four to six.
        assert!(
            days_from_now(found.plan.type_1_ready.0) >= 28 && days_from_now(found.plan.type_1_ready.1) >= 56
        );
        assert!(found.plan.risks.iter().any(|r| r.contains("3 to 6 months late")), "{:?}", found.plan.risks);
    }

    #[test]
    fn what_somebody_accepts_stays_a_gap_and_holds_up_nothing_until_its_day() {
        let (catalog, _) = Catalog::built_in();
        let period = period();
        let mut one = report(&catalog, "CHG-02");
        (one.design, one.operation) = ("suitable", Some(Conclusion::NoExceptions));
        let controls = [one];
        let accepted = |until: i64| {
            let mut facts = facts(&catalog, &controls, &period);
            let accepted = Accepted {
                by: "ann".to_owned(),
                reason: "hired by then".to_owned(),
                until: Instant::from_ms(now().ms() + until),
                entry: 7,
            };
            let role = catalog.controls["CHG-02"].owner_role.clone();
            facts.accepted.insert(format!("owner:{role}"), accepted);
            said(&facts)
        };
        let found = accepted(1);
        assert_eq!(found.gaps.len(), 1);
        assert_eq!(found.gaps[0].accepted.as_ref().map(|a| a.by.as_str()), Some("ann"));
        assert_eq!((found.plan.type_1_ready.0, found.estimate.hours), (now(), (0, 0)));
        // Until, and not longer.
        let found = accepted(0);
        assert!(found.gaps[0].accepted.is_none() && found.plan.type_1_ready.0 > now());
        assert!(found.estimate.hours.0 > 0);
    }

    #[test]
    fn sales_wait_for_the_report_that_their_buyer_asks_for() {
        let (catalog, _) = Catalog::built_in();
        let (mut one, period) = (report(&catalog, "CHG-02"), period());
        (one.owner, one.design) = (Some("ann".to_owned()), "suitable");
        one.operation = Some(Conclusion::NoExceptions);
        let controls = [one];
        let day = |days: i64| Instant::from_ms(now().ms() + days * DAY);
        let deal = |label: &str, wants: Option<&str>, needed_by: Option<Instant>| Deal {
            label: label.to_owned(),
            wants: wants.map(str::to_owned),
            needed_by,
        };
        let mut facts = facts(&catalog, &controls, &period);
        let advice = |facts: &Facts<'_>| said(facts).roadmap.advice;
        assert!(advice(&facts).contains("nobody recorded what buyers ask for"));
        // Fieldwork takes four weeks: 28 days from now; three months and four weeks: 120.
        facts.deals = vec![
            deal("D-1", Some("type_2"), Some(day(119))),
            deal("D-2", Some("type_1"), Some(day(28))),
            deal("D-3", None, None),
            deal("D-4", Some("type_2"), Some(day(120))),
            deal("D-5", Some("type_1"), Some(day(27))),
        ];
        let found = said(&facts);
        let waiting: Vec<(&str, Option<bool>)> =
            found.waiting.iter().map(|w| (w.deal.as_str(), w.in_time)).collect();
        assert_eq!(
            waiting,
            [
                ("D-5", Some(false)),
                ("D-2", Some(true)),
                ("D-1", Some(false)),
                ("D-4", Some(true)),
                ("D-3", None)
            ]
        );
        assert!(found.roadmap.advice.contains("2 sales wait for type I and 2 for type II"));
        facts.deals.retain(|deal| deal.wants.as_deref() == Some("type_2"));
        assert!(advice(&facts).contains("costs fieldwork of its own"));
        facts.deals = vec![deal("D-3", None, None)];
        assert!(advice(&facts).contains("nobody asked which report"));
    }

    #[test]
    fn a_fee_is_guessed_from_what_is_in_scope() {
        let (catalog, _) = Catalog::built_in();
        let (controls, period) = (unknown(&catalog), period());
        let mut facts = facts(&catalog, &controls, &period);
        let fee = |facts: &Facts<'_>, categories: usize| facts.estimate(categories, &[]).fee_usd;
        // 20,000 to 150,000 dollars, in thirds.
        (facts.systems, facts.people) = (10, 50);
        assert_eq!(fee(&facts, 2), (20_000, 63_333));
        (facts.systems, facts.people) = (11, 51);
        assert_eq!(fee(&facts, 2), (63_333, 106_666));
        (facts.systems, facts.people) = (41, 51);
        assert_eq!(fee(&facts, 3), (106_666, 149_999));
        facts.people = 0;
        assert!(facts.estimate(1, &[]).because.contains("nobody recorded"));
    }

    #[test]
    fn a_strand_is_as_far_as_its_controls_are_known_to_be_kept() {
        let (catalog, _) = Catalog::built_in();
        let (mut controls, period) = (unknown(&catalog), period());
        let next = |controls: &[ControlReport]| {
            let found = said(&facts(&catalog, controls, &period));
            let strand = found.strands.iter().find(|s| s.id == "logging").unwrap().clone();
            strand.next().map(|step| step.controls.join(" "))
        };
        assert_eq!(next(&controls).as_deref(), Some("LOG-01"));
        let mut keep = |id: &str| {
            controls.iter_mut().find(|c| c.id == id).unwrap().operation = Some(Conclusion::NoExceptions);
            next(&controls)
        };
        assert_eq!(keep("LOG-01").as_deref(), Some("LOG-02"));
        // A step of two controls waits for both.
        for id in ["LOG-02", "LOG-03", "LOG-06"] {
            keep(id);
        }
        assert_eq!(keep("LOG-04").as_deref(), Some("LOG-04 LOG-05"));
        assert_eq!(keep("LOG-05"), None);
    }

    #[test]
    fn a_category_that_is_left_out_asks_for_nothing() {
        let (catalog, _) = Catalog::built_in();
        let (controls, period) = (unknown(&catalog), period());
        let mut facts = facts(&catalog, &controls, &period);
        facts.left_out.insert("Privacy");
        let found = said(&facts);
        // Complaints come by a channel that security asks for as well; the privacy notice does not.
        let asked = |id: &str| found.gaps.iter().any(|g| g.controls.iter().any(|c| c == id));
        assert!(!asked("PRV-01") && asked("GOV-11"));
        assert!(!found.categories.contains(&"Privacy"));
        facts.decided = OPTIONAL_CATEGORIES.into_iter().map(str::to_owned).collect();
        facts.scoped = true;
        let found = said(&facts);
        assert!(found.steps[0].done && found.steps[1].done);
        assert_eq!(found.begin.unwrap().says, found.gaps[0].says);
        assert!(said(&facts).questions.is_empty());
        // One category that nobody decided on keeps the step open, and is what to begin with.
        facts.decided.remove("privacy");
        let found = said(&facts);
        assert!(found.steps[1].says.contains("nobody decided on privacy"));
        assert!(found.begin.unwrap().says.contains("decide on privacy, too"));
        assert!(found.questions.iter().all(|q| q.category == "privacy" && q.speaks_for_it.is_empty()));
        facts.looked.insert("dsr".to_owned(), now());
        assert!(said(&facts).questions.iter().any(|q| q.speaks_for_it == ["dsr"]));
    }

    #[test]
    fn the_step_of_owners_is_done_when_all_six_are_named() {
        let (catalog, _) = Catalog::built_in();
        let (mut controls, period) = (unknown(&catalog), period());
        let step = |controls: &[ControlReport]| said(&facts(&catalog, controls, &period)).steps[2].clone();
        let name = |controls: &mut [ControlReport], id: &str| {
            controls.iter_mut().find(|c| c.id == id).unwrap().owner = Some("ann".to_owned());
        };
        for id in ["IAM-08", "INC-02", "VEN-01", "END-01", "GOV-06"] {
            name(&mut controls, id);
        }
        let open = step(&controls);
        assert!(!open.done && open.says.contains("coordination of the audit"), "{open:?}");
        assert!(!open.says.contains("vendors"), "{open:?}");
        name(&mut controls, "GOV-07");
        assert!(step(&controls).done);
    }

    #[test]
    fn recurring_work_is_open_from_the_day_after_it_was_due() {
        let (catalog, _) = Catalog::built_in();
        let (controls, period) = (unknown(&catalog), period());
        let open = |days_ago: i64| {
            let mut facts = facts(&catalog, &controls, &period);
            let until = Instant::from_ms(now().ms() - days_ago * DAY);
            facts.files = vec![("PHY-01".to_owned(), "badges".to_owned(), until)];
            said(&facts).gaps.iter().any(|g| g.kind == "never_done" && g.controls == ["PHY-01"])
        };
        // Offices are gone through every quarter: 92 days.
        assert!(!open(0) && !open(92) && open(93));
        // Evidence of what is still to come shows nothing.
        assert!(open(-1));
    }

    #[test]
    fn a_policy_is_there_when_one_of_the_last_year_is_kept_under_its_name() {
        let (catalog, _) = Catalog::built_in();
        let (controls, period) = (unknown(&catalog), period());
        let missing = |control: &str, label: &str, days_ago: i64| {
            let mut facts = facts(&catalog, &controls, &period);
            let until = Instant::from_ms(now().ms() - days_ago * DAY);
            facts.files = vec![(control.to_owned(), label.to_owned(), until)];
            said(&facts).gaps.iter().any(|g| g.kind == "policy" && g.says.contains("incident policy"))
        };
        assert!(missing("GOV-06", "something else", 0));
        assert!(!missing("GOV-06", "Incident policy, version 3", 365));
        assert!(missing("GOV-06", "Incident policy", 366));
        assert!(missing("INC-01", "Incident policy", 0));
    }

    #[test]
    fn a_window_begins_after_the_last_deviation_and_reports_follow_their_fieldwork() {
        let (catalog, _) = Catalog::built_in();
        let period = period();
        // One control, of which everything is known and nothing is missing.
        let mut one = report(&catalog, "CHG-02");
        (one.owner, one.design) = (Some("ann".to_owned()), "suitable");
        one.operation = Some(Conclusion::NoExceptions);
        let controls = [one];
        let plan = said(&facts(&catalog, &controls, &period)).plan;
        assert_eq!((plan.type_1_ready, plan.window_from), ((now(), now()), (now(), now())));
        let days: Vec<(i64, i64, i64)> = plan
            .windows
            .iter()
            .map(|w| (days_from_now(w.ends), days_from_now(w.report.0), days_from_now(w.report.1)))
            .collect();
        // Three, six and twelve months; four to eight weeks of fieldwork.
        assert_eq!(days, [(92, 120, 148), (184, 212, 240), (365, 393, 421)]);
        assert_eq!((days_from_now(plan.type_1_report.0), days_from_now(plan.type_1_report.1)), (28, 42));
        assert_eq!(plan.breaks, Vec::<String>::new());
    }
}
