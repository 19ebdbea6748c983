//! The workspace behind the pages, and what was worked out from it.
//!
//! Working out a period takes seconds, showing it must not: an [`app::Overview`] is kept per period until the ledger has grown or
//! it is some minutes old. Whoever comes while another is being worked out sees the one before, and every page says of which
//! ledger position it is.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use app::{
    Actor, AppError, Config, ControlEntry, CriterionEntry, Demo, Keeping, Members, Overview, Principal,
    ProcedureEntry, Refused, Scribe, TableEntry, Workspace, Write,
};
use model::{Derived, Document, Instant, Period};

/// What a site is made of.
pub struct Opened {
    /// The workspace, open.
    pub workspace: Workspace,
    /// What reads documents of sources.
    pub derive: Box<dyn Fn(&Document<'_>) -> Derived + Send + Sync>,
    /// What writes rows that people enter.
    pub write: Write,
    /// How long sources keep what they have.
    pub keeping: fn(Instant, &Config) -> Keeping,
    /// The time.
    pub clock: Box<dyn Fn() -> Instant + Send + Sync>,
    /// Randomness.
    pub entropy: fn(&mut [u8]) -> std::io::Result<()>,
    /// Where a line for the operator goes.
    pub log: fn(&str),
}

/// The period that somebody asks about, as the address has it: the usual one where nothing is named.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Days {
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
}

/// What was worked out.
pub(crate) struct Seen {
    days: Days,
    pub(crate) period: Period,
    /// When; nothing later counts in it.
    pub(crate) at: Instant,
    pub(crate) overview: Overview,
}

impl Seen {
    /// The ledger position it is of.
    pub(crate) const fn position(&self) -> u64 {
        self.overview.report.position
    }
}

/// How many forms are remembered that were obeyed: those of the last hours.
const OBEYED: usize = 4096;
/// How many periods are kept.
const PERIODS: usize = 4;
/// After how long a period is worked out again although the ledger has not grown: deadlines pass by the clock alone.
const FRESH_MS: i64 = 10 * 60 * 1000;

/// The catalogue, read once: it changes with the files of the workspace, which are read when it is opened.
pub(crate) struct Browsed {
    pub(crate) controls: Vec<ControlEntry>,
    pub(crate) procedures: Vec<ProcedureEntry>,
    pub(crate) tables: Vec<TableEntry>,
    pub(crate) criteria: Vec<CriterionEntry>,
    /// What is wrong with files of the workspace.
    pub(crate) problems: Vec<String>,
}

/// Everything that pages are made from.
pub struct Site {
    workspace: Mutex<Workspace>,
    derive: Box<dyn Fn(&Document<'_>) -> Derived + Send + Sync>,
    write: Write,
    keeping: fn(Instant, &Config) -> Keeping,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
    entropy: fn(&mut [u8]) -> std::io::Result<()>,
    log: fn(&str),
    config: Config,
    pub(crate) catalog: Browsed,
    members: Members,
    /// Entries of the ledger that the records have seen.
    position: AtomicU64,
    /// The newest last.
    kept: Mutex<Vec<Arc<Seen>>>,
    /// Forms that were obeyed, by their keys, and where each led; the newest last.
    obeyed: Mutex<VecDeque<(String, String)>>,
}

impl Site {
    /// Brings the records up to the ledger.
    ///
    /// # Errors
    /// The workspace.
    pub fn new(opened: Opened) -> Result<Self, AppError> {
        let Opened { mut workspace, derive, write, keeping, clock, entropy, log } = opened;
        workspace.catch_up(&*derive)?;
        let position = AtomicU64::new(workspace.status()?.applied);
        let config = workspace.config.clone();
        let catalog = Browsed {
            controls: app::browse_controls(&workspace.catalog),
            procedures: app::browse_procedures(&workspace.catalog),
            tables: app::browse_tables(&workspace.catalog),
            criteria: app::browse_criteria(&workspace.catalog),
            problems: workspace.content_problems.iter().map(ToString::to_string).collect(),
        };
        let members = Members::open(&workspace, Box::new(entropy))?;
        let (workspace, kept, obeyed) = (Mutex::new(workspace), Mutex::new(vec![]), Mutex::default());
        Ok(Self {
            workspace,
            derive,
            write,
            keeping,
            clock,
            entropy,
            log,
            config,
            catalog,
            members,
            position,
            kept,
            obeyed,
        })
    }

    /// Works out the usual period where it is not known or old.
    ///
    /// # Errors
    /// The workspace.
    pub fn refresh(&self) -> Result<(), AppError> {
        let days = Days::default();
        let now = self.today();
        let fresh = |seen: Arc<Seen>| self.is_current(&seen) && now.ms() - seen.at.ms() < FRESH_MS;
        if !self.known(&days).is_some_and(fresh) {
            self.work_out(&days, &mut self.workspace())?;
        }
        Ok(())
    }

    /// Makes the link by which the first owner comes in, where there is none yet: its path.
    ///
    /// # Errors
    /// The workspace.
    pub fn first_run(&self, operator: &str) -> Result<Option<String>, Refused> {
        if self.members.has_owner() {
            return Ok(None);
        }
        let link = self.members.first_run(&mut self.workspace(), operator, self.now())?;
        Ok(Some(app::link_path(&link.secret)))
    }

    pub(crate) const fn members(&self) -> &Members {
        &self.members
    }

    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) const fn demo(&self) -> Option<&Demo> {
        self.config.demo.as_ref()
    }

    pub(crate) fn zone(&self) -> String {
        self.config.zone(None)
    }

    /// Entries of the ledger that the records have seen.
    pub(crate) fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// What the clocks of this machine show.
    pub(crate) fn now(&self) -> Instant {
        (self.clock)()
    }

    /// The instant up to which facts count: of a demo the one at which its clock stands.
    pub(crate) fn today(&self) -> Instant {
        self.demo().map_or_else(|| self.now(), |demo| demo.today)
    }

    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], AppError> {
        let mut bytes = [0; N];
        (self.entropy)(&mut bytes)
            .map_err(|e| AppError::Other(format!("the system gave no randomness: {e}; try again")))?;
        Ok(bytes)
    }

    pub(crate) fn log(&self, line: &str) {
        (self.log)(line);
    }

    /// Does something with the workspace and its members, beside the pages.
    pub fn beside<T>(&self, act: impl FnOnce(&mut Workspace, &Members) -> T) -> T {
        act(&mut self.workspace(), &self.members)
    }

    /// Has something decided over all that is known, by the roles of this moment, and brings the records up to it.
    pub(crate) fn decided<T>(
        &self,
        who: &Principal,
        decide: impl FnOnce(&mut Workspace, Actor<'_>) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        self.decided_in(&mut self.workspace(), who, decide)
    }

    fn decided_in<T>(
        &self,
        workspace: &mut Workspace,
        who: &Principal,
        decide: impl FnOnce(&mut Workspace, Actor<'_>) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let who = self.members.renewed(who)?;
        workspace.catch_up(&*self.derive)?;
        let done = decide(workspace, Actor::Member(&who));
        // What was refused in the end may have left something before it.
        workspace.catch_up(&*self.derive)?;
        self.position.store(workspace.status()?.applied, Ordering::Relaxed);
        done
    }

    /// The workspace, for one caller at a time. A caller that panicked left nothing half done: what is written is written in
    /// transactions.
    pub(crate) fn workspace(&self) -> MutexGuard<'_, Workspace> {
        let mut workspace = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        // Whatever is decided is decided at this instant, and not when the workspace was opened.
        workspace.goes_by(self.today());
        workspace
    }

    /// Has decided what a form says. One that was obeyed before is not obeyed again: it leads where it led.
    pub(crate) fn act(
        &self,
        who: &Principal,
        once: &str,
        decide: impl FnOnce(&mut Workspace, Actor<'_>, &Scribe<'_>) -> Result<String, Refused>,
    ) -> Result<String, Refused> {
        let mut workspace = self.workspace();
        // While this one waited its twin may have been obeyed.
        if let Some(to) = self.obeyed(once) {
            return Ok(to);
        }
        let scribe = Scribe { derive: &*self.derive, write: self.write, now: self.today() };
        let to = self.decided_in(&mut workspace, who, |workspace, who| decide(workspace, who, &scribe))?;
        let mut obeyed = self.obeyed.lock().unwrap_or_else(PoisonError::into_inner);
        if obeyed.len() >= OBEYED {
            obeyed.pop_front();
        }
        obeyed.push_back((once.to_owned(), to.clone()));
        Ok(to)
    }

    /// Where a form led that was obeyed before.
    pub(crate) fn obeyed(&self, once: &str) -> Option<String> {
        let obeyed = self.obeyed.lock().unwrap_or_else(PoisonError::into_inner);
        obeyed.iter().find(|(key, _)| key == once).map(|(_, to)| to.clone())
    }

    /// How long sources keep what they have.
    pub(crate) fn keeping(&self) -> Keeping {
        (self.keeping)(self.today(), &self.config)
    }

    /// The period that is asked about.
    pub(crate) fn period(&self, days: &Days, now: Instant) -> Result<Period, AppError> {
        self.config.period(now, days.from.as_deref(), days.to.as_deref(), None)
    }

    /// What is known of a period.
    pub(crate) fn seen(&self, days: &Days) -> Result<Arc<Seen>, AppError> {
        let known = self.known(days);
        if let Some(seen) = known.as_ref().filter(|seen| self.is_current(seen)) {
            return Ok(Arc::clone(seen));
        }
        let mut workspace = match (self.workspace.try_lock(), known) {
            (Ok(workspace), _) => workspace,
            // Somebody is at it already.
            (Err(TryLockError::WouldBlock), Some(seen)) => return Ok(seen),
            (Err(TryLockError::WouldBlock), None) => self.workspace(),
            (Err(TryLockError::Poisoned(poisoned)), _) => poisoned.into_inner(),
        };
        // While this one waited another may have done it.
        match self.known(days).filter(|seen| self.is_current(seen)) {
            Some(seen) => Ok(seen),
            None => self.work_out(days, &mut workspace),
        }
    }

    /// What was known of a period lately, although the ledger may have grown since: for who looks at one thing, of which they ask
    /// what was decided since. Nobody waits for all of a period to see one decision.
    pub(crate) fn lately(&self, days: &Days) -> Result<Arc<Seen>, AppError> {
        let now = self.today();
        match self.known(days).filter(|seen| now.ms() - seen.at.ms() < FRESH_MS) {
            Some(seen) => Ok(seen),
            None => self.seen(days),
        }
    }

    fn is_current(&self, seen: &Seen) -> bool {
        seen.position() == self.position()
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Arc<Seen>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, days: &Days) -> Option<Arc<Seen>> {
        self.kept().iter().find(|seen| seen.days == *days).cloned()
    }

    fn work_out(&self, days: &Days, workspace: &mut Workspace) -> Result<Arc<Seen>, AppError> {
        let now = self.today();
        let period = self.period(days, now)?;
        workspace.catch_up(&*self.derive)?;
        let overview = workspace.overview(&period, (self.keeping)(now, &self.config))?;
        self.position.store(overview.report.position, Ordering::Relaxed);
        let seen = Arc::new(Seen { days: days.clone(), period, at: now, overview });
        let mut kept = self.kept();
        kept.retain(|other| other.days != *days);
        if kept.len() >= PERIODS {
            // Not the usual period, which everybody comes to.
            let oldest = kept.iter().position(|other| other.days != Days::default()).unwrap_or(0);
            kept.remove(oldest);
        }
        kept.push(Arc::clone(&seen));
        Ok(seen)
    }
}
