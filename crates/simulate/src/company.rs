//! The company and what happened in its year, in the words of the world: people, logins, alerts, vendors. No word here is one
//! of a record table; [`crate::files()`] says it in files, and [`crate::truth()`] what is right to say of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::Shape;
use crate::assurance::Assurance;
use crate::clock::Clock;
use crate::complaints::Complaints;
use crate::consents::Consents;
use crate::dealings::Dealings;
use crate::disposals::Disposals;
use crate::duties::Duties;
use crate::jobs::Processing;
use crate::models::Models;
use crate::names;
use crate::notices::Notices;
use crate::operations::Operations;
use crate::owners::Ownership;
use crate::privacy::Requests;
use crate::quality::Quality;
use crate::releases::Shipping;
use crate::risks::Register;
use crate::significant::Change;
use crate::stores::Stores;
use crate::tested::{Evaluation, Test};
use crate::truth::Seeded;
use crate::uses::Uses;

/// When something ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum End {
    At(i64),
    Never,
    /// It ended, or will; nobody wrote down when.
    Unknown,
}

impl End {
    /// Whether something that ends so is there at an instant; what ends nobody knows when may be.
    pub(crate) const fn after(self, at: i64) -> bool {
        match self {
            Self::At(end) => end > at,
            Self::Never | Self::Unknown => true,
        }
    }
}

/// A company, and what happened in it.
///
/// What stands in it is written to files by [`crate::files()`] and judged by [`crate::truth()`], which know nothing of each other.
#[derive(Clone, Debug)]
pub struct Company {
    pub(crate) shape: Shape,
    pub(crate) clock: Clock,
    pub(crate) domain: String,
    // Access.
    pub(crate) systems: Vec<System>,
    pub(crate) people: Vec<Person>,
    pub(crate) employments: Vec<Employment>,
    pub(crate) absences: Vec<Absence>,
    pub(crate) logins: Vec<Login>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) factors: Vec<Factor>,
    pub(crate) exclusions: Vec<Exclusion>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) requests: Vec<Request>,
    pub(crate) uses: Vec<Use>,
    pub(crate) use_reviews: Vec<UseReview>,
    pub(crate) owners: Vec<Owner>,
    pub(crate) checkouts: Vec<Checkout>,
    pub(crate) standings: Vec<Standing>,
    pub(crate) sign_ins: Vec<SignIn>,
    pub(crate) screenings: Vec<Screening>,
    pub(crate) agreements: Vec<Agreement>,
    pub(crate) policies: Vec<Policy>,
    pub(crate) policy_reviews: Vec<PolicyReview>,
    pub(crate) acknowledgements: Vec<Acknowledgement>,
    pub(crate) devices: Vec<Device>,
    pub(crate) postures: Vec<Posture>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) matrix: Vec<Allowed>,
    pub(crate) reviews: Vec<Review>,
    pub(crate) trainings: Vec<Training>,
    // Operations.
    pub(crate) alerts: Vec<Alert>,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) tickets: Vec<Ticket>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) objectives: Vec<Objective>,
    pub(crate) months: Vec<Month>,
    pub(crate) maintenance: Vec<Maintenance>,
    pub(crate) regions: Vec<Region>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) operations: Operations,
    // Vendors.
    pub(crate) vendors: Vec<Vendor>,
    // Changes.
    pub(crate) repositories: Vec<Repository>,
    pub(crate) landings: Vec<Landing>,
    pub(crate) builds: Vec<Build>,
    pub(crate) deployments: Vec<Deployment>,
    pub(crate) emergencies: Vec<Emergency>,
    pub(crate) bypasses: Vec<Bypass>,
    pub(crate) flags: Vec<FlagChange>,
    // At the code host.
    pub(crate) proposals: Vec<Proposal>,
    pub(crate) issues: Vec<Issue>,
    pub(crate) checks: Vec<Check>,
    pub(crate) covered: Vec<Covered>,
    /// What the commits say that nobody proposed; `{3}` is the number of the issue at that place.
    pub(crate) messages: BTreeMap<String, String>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) shipping: Shipping,
    pub(crate) privacy: Requests,
    pub(crate) processing: Processing,
    pub(crate) stores: Stores,
    pub(crate) register: Register,
    pub(crate) dealings: Dealings,
    pub(crate) models: Models,
    pub(crate) consents: Consents,
    pub(crate) duties: Duties,
    pub(crate) ownerships: Vec<Ownership>,
    pub(crate) tests: Vec<Test>,
    pub(crate) evaluations: Vec<Evaluation>,
    pub(crate) assurance: Assurance,
    pub(crate) significant: Vec<Change>,
    pub(crate) notices: Notices,
    pub(crate) data_uses: Uses,
    pub(crate) complaints: Complaints,
    pub(crate) disposals: Disposals,
    pub(crate) quality: Quality,
    /// When a collector was down, and what can therefore not be said.
    pub(crate) outages: Vec<Outage>,
    pub(crate) seeded: Vec<Seeded>,
    /// What a case has already taken for itself: no second one touches it.
    pub(crate) taken: BTreeSet<String>,
    /// How many lists of cases had one of that name.
    pub(crate) streams: BTreeMap<&'static str, usize>,
    named: usize,
}

/// A system in which people have logins. The first is the one through which they sign in.
#[derive(Clone, Debug)]
pub(crate) struct System {
    pub(crate) key: &'static str,
    pub(crate) label: &'static str,
    pub(crate) from: i64,
    pub(crate) to: End,
    /// Who reviews access to it, and who does where that would be their own.
    pub(crate) owner: usize,
    pub(crate) deputy: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) number: String,
    pub(crate) first: &'static str,
    pub(crate) last: &'static str,
    /// The name and address from before a marriage, where some systems still know it.
    pub(crate) former: Option<&'static str>,
    /// The part of the address before the `@`.
    pub(crate) local: String,
    pub(crate) since: i64,
    /// Systems they work with.
    pub(crate) tools: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct Employment {
    pub(crate) key: String,
    pub(crate) person: usize,
    pub(crate) kind: &'static str,
    pub(crate) from: i64,
    pub(crate) to: End,
    /// When the personnel system heard of the end.
    pub(crate) told: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Absence {
    pub(crate) employment: usize,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) system: usize,
    pub(crate) key: String,
    pub(crate) kind: &'static str,
    pub(crate) person: Option<usize>,
    /// The times in which it is there.
    pub(crate) spells: Vec<(i64, End)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) login: usize,
    pub(crate) role: &'static str,
    pub(crate) privileged: bool,
    pub(crate) from: i64,
    pub(crate) to: End,
}

/// For how long a second factor was on, or off, or nobody can say.
#[derive(Clone, Debug)]
pub(crate) struct Factor {
    pub(crate) login: usize,
    pub(crate) on: Option<bool>,
    pub(crate) from: i64,
    pub(crate) to: End,
}

#[derive(Clone, Debug)]
pub(crate) struct Exclusion {
    pub(crate) login: usize,
    pub(crate) control: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) by: usize,
    pub(crate) approved: i64,
    pub(crate) from: i64,
    pub(crate) to: End,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) login: usize,
    pub(crate) kind: &'static str,
    pub(crate) created: i64,
    pub(crate) expires: End,
    pub(crate) revoked: End,
    pub(crate) used: i64,
}

/// Somebody is to get access: who asked, and what was decided.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) person: Option<usize>,
    /// The login it is for, where it is no person's.
    pub(crate) login: usize,
    pub(crate) system: usize,
    pub(crate) role: Option<&'static str>,
    pub(crate) privileged: bool,
    pub(crate) asked_by: usize,
    pub(crate) status: &'static str,
    pub(crate) approved: Option<i64>,
    pub(crate) approved_by: Option<usize>,
    pub(crate) expires: End,
    /// What shows it, and since when that is kept.
    pub(crate) basis: &'static str,
    pub(crate) recorded: i64,
}

/// A login was used.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) login: usize,
    pub(crate) at: i64,
}

/// What was written down about a use in an emergency: who it was, what for, and who looked at it when.
#[derive(Clone, Debug)]
pub(crate) struct UseReview {
    pub(crate) used: usize,
    pub(crate) by: Option<usize>,
    pub(crate) ticket: Option<String>,
    pub(crate) reviewed: Option<(i64, usize)>,
}

/// A person answers for a login that is nobody's own.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) login: usize,
    pub(crate) person: Option<usize>,
    pub(crate) purpose: &'static str,
    pub(crate) from: i64,
    pub(crate) to: End,
}

/// A decision that somebody is an administrator for good.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) grant: usize,
    pub(crate) role: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) by: usize,
    pub(crate) approved: i64,
    pub(crate) from: i64,
    pub(crate) to: End,
}

/// By which way a login is entered for a while.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    pub(crate) login: usize,
    pub(crate) way: &'static str,
    pub(crate) from: i64,
    pub(crate) to: End,
}

/// A version of a policy; one that was never published has no instant of that.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) name: String,
    pub(crate) everybody: bool,
    pub(crate) version: i64,
    pub(crate) author: Option<usize>,
    pub(crate) approved_by: Option<usize>,
    pub(crate) approved: Option<i64>,
    pub(crate) published: Option<i64>,
    pub(crate) from: i64,
    pub(crate) to: End,
}

/// Somebody went through a policy and left it as it is.
#[derive(Clone, Debug)]
pub(crate) struct PolicyReview {
    pub(crate) name: String,
    pub(crate) at: i64,
    pub(crate) by: Option<usize>,
}

/// Somebody acknowledged a policy, in the version with that place, if the list says which.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledgement {
    pub(crate) person: usize,
    pub(crate) name: String,
    pub(crate) version: Option<usize>,
    pub(crate) at: i64,
    pub(crate) recorded: i64,
}

/// A device in somebody's hands for a while. Whoever gets it next has it under the same number.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) number: usize,
    pub(crate) person: Option<usize>,
    pub(crate) managed: Option<bool>,
    pub(crate) from: i64,
    pub(crate) to: End,
}

/// What a device reported for a while: whether its disk is encrypted, it locks, is protected, is patched.
#[derive(Clone, Debug)]
pub(crate) struct Posture {
    pub(crate) device: usize,
    pub(crate) good: [Option<bool>; 4],
    pub(crate) from: i64,
    pub(crate) to: End,
}

/// A look into somebody's background.
#[derive(Clone, Debug)]
pub(crate) struct Screening {
    pub(crate) person: usize,
    pub(crate) done: i64,
    pub(crate) result: &'static str,
    pub(crate) assessed: Option<bool>,
}

/// Something that somebody signed.
#[derive(Clone, Debug)]
pub(crate) struct Agreement {
    pub(crate) person: usize,
    pub(crate) kind: &'static str,
    pub(crate) signed: Option<i64>,
}

/// What somebody works as for a while.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) person: usize,
    pub(crate) job: Option<&'static str>,
    pub(crate) from: i64,
    pub(crate) to: End,
}

/// What a job may have.
#[derive(Clone, Debug)]
pub(crate) struct Allowed {
    pub(crate) job: &'static str,
    pub(crate) system: usize,
    pub(crate) role: &'static str,
    pub(crate) from: i64,
}

/// Somebody took a shared login's secret out of the vault.
#[derive(Clone, Debug)]
pub(crate) struct Checkout {
    pub(crate) login: usize,
    pub(crate) by: Option<usize>,
    pub(crate) from: i64,
    pub(crate) to: End,
}

#[derive(Clone, Debug)]
pub(crate) struct Review {
    pub(crate) key: String,
    pub(crate) system: usize,
    /// The quarter it was made for: first instant, first instant after.
    pub(crate) quarter: (i64, i64),
    pub(crate) listed: i64,
    pub(crate) opened: i64,
    pub(crate) completed: End,
    pub(crate) lines: Vec<Line>,
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) login: usize,
    /// A login at the identity provider.
    pub(crate) reviewer: usize,
    pub(crate) decision: &'static str,
    pub(crate) decided: i64,
    /// When what was to go was gone; `None` where nothing was to go.
    pub(crate) removed: Option<End>,
}

#[derive(Clone, Debug)]
pub(crate) struct Training {
    pub(crate) person: usize,
    pub(crate) course: &'static str,
    pub(crate) version: String,
    pub(crate) done: i64,
    pub(crate) recorded: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Alert {
    pub(crate) key: String,
    pub(crate) severity: &'static str,
    pub(crate) fired: i64,
    pub(crate) impact: bool,
    /// When, and by whom: a person, or [`MACHINE`](crate::monitoring::MACHINE), here and wherever somebody does something.
    pub(crate) acked: Option<(i64, usize)>,
    pub(crate) ticket: Option<String>,
    pub(crate) incident: Option<String>,
    /// Judged noise: when, by whom, why.
    pub(crate) noise: Option<(i64, usize, &'static str)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Incident {
    pub(crate) key: String,
    pub(crate) severity: &'static str,
    pub(crate) declared: i64,
    pub(crate) resolved: Option<i64>,
    pub(crate) reviewed: Option<(i64, usize)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) key: String,
    pub(crate) title: &'static str,
    pub(crate) created: i64,
    pub(crate) closed: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) key: String,
    pub(crate) severity: Option<&'static str>,
    pub(crate) seen: i64,
    pub(crate) fixed: Option<i64>,
    pub(crate) retired: Option<i64>,
    pub(crate) came_back: Vec<i64>,
    /// Rated otherwise: as what, when, by whom, why.
    pub(crate) rated: Vec<(&'static str, i64, usize, &'static str)>,
    /// Accepted: when, by whom, until when, why.
    pub(crate) accepted: Vec<(i64, usize, i64, &'static str)>,
    /// Judged no vulnerability: when, by whom, why.
    pub(crate) dismissed: Vec<(i64, usize, &'static str)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Objective {
    pub(crate) key: String,
    /// Minutes of a million that the service is to be up.
    pub(crate) target: i64,
    pub(crate) from: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Month {
    pub(crate) objective: usize,
    pub(crate) key: String,
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Minutes that were measured, and of them the good ones.
    pub(crate) measured: i64,
    pub(crate) good: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Maintenance {
    pub(crate) objective: usize,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) announced: i64,
    pub(crate) down: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Region {
    pub(crate) key: String,
    pub(crate) enabled: bool,
    pub(crate) looked: Vec<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) key: String,
    pub(crate) kind: &'static str,
    pub(crate) region: usize,
    pub(crate) from: i64,
    pub(crate) to: End,
    /// Whether it has to be backed up, where somebody decided.
    pub(crate) needs_backup: Option<bool>,
    /// Whether the service cannot go on without it, and the gravest class of what it holds.
    pub(crate) first_tier: Option<bool>,
    pub(crate) holds: Option<&'static str>,
    pub(crate) settings: Vec<Setting>,
}

/// How something that stores was configured for a while.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) encrypted: Option<bool>,
    pub(crate) key: &'static str,
    /// Whether everybody can read it.
    pub(crate) public: Option<bool>,
    /// In how many zones it runs, and whether it logs who reads and alters it.
    pub(crate) zones: Option<i64>,
    pub(crate) access_logged: Option<bool>,
    pub(crate) from: i64,
    pub(crate) to: End,
}

#[derive(Clone, Debug)]
pub(crate) struct Vendor {
    pub(crate) key: String,
    pub(crate) tier: &'static str,
    pub(crate) from: i64,
    pub(crate) to: End,
    pub(crate) reviews: Vec<VendorReview>,
    /// Letters that go on where a report ends: first instant, first instant after.
    pub(crate) letters: Vec<(i64, i64)>,
}

#[derive(Clone, Debug)]
pub(crate) struct VendorReview {
    pub(crate) done: i64,
    pub(crate) by: usize,
    pub(crate) report: &'static str,
    pub(crate) about: Option<(i64, i64)>,
    pub(crate) opinion: &'static str,
    pub(crate) assessed: Option<bool>,
    pub(crate) mapped: Option<bool>,
}

#[derive(Clone, Debug)]
pub(crate) struct Repository {
    pub(crate) key: String,
    /// Whether the collector looks at it at the code host itself.
    pub(crate) hosted: bool,
    /// Its other name, and since when it has that.
    pub(crate) renamed: Option<(i64, &'static str)>,
    pub(crate) deleted: Option<i64>,
    /// The rule of the default branch over time: whether it is on (`None`: nobody could say), with how many approvals.
    pub(crate) rules: Vec<(Option<bool>, i64, i64, End)>,
}

/// A change that reached the default branch.
#[derive(Clone, Debug)]
pub(crate) struct Landing {
    pub(crate) repository: usize,
    pub(crate) commit: String,
    pub(crate) author: usize,
    pub(crate) at: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Build {
    pub(crate) repository: usize,
    pub(crate) commit: String,
    pub(crate) artifact: String,
    pub(crate) builder: &'static str,
    pub(crate) conclusion: &'static str,
    pub(crate) at: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    pub(crate) repository: usize,
    pub(crate) key: String,
    pub(crate) environment: &'static str,
    pub(crate) artifact: String,
    /// The commit that the deployment itself names, if it does.
    pub(crate) commit: Option<String>,
    pub(crate) at: i64,
    pub(crate) by: usize,
    pub(crate) approvals: Vec<Approval>,
}

#[derive(Clone, Debug)]
pub(crate) struct Approval {
    pub(crate) by: Option<usize>,
    pub(crate) rule: &'static str,
    pub(crate) approved: bool,
    pub(crate) at: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Emergency {
    pub(crate) key: String,
    pub(crate) repository: usize,
    pub(crate) commit: String,
    pub(crate) incident: Option<String>,
    pub(crate) at: i64,
    pub(crate) by: usize,
    pub(crate) reviewed: Option<(i64, usize)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Bypass {
    pub(crate) key: String,
    pub(crate) repository: usize,
    pub(crate) kind: &'static str,
    pub(crate) at: i64,
    pub(crate) by: usize,
    pub(crate) reviewed: Option<(i64, usize)>,
}

#[derive(Clone, Debug)]
pub(crate) struct FlagChange {
    pub(crate) key: String,
    pub(crate) flag: &'static str,
    pub(crate) environment: &'static str,
    pub(crate) needs_approval: Option<bool>,
    pub(crate) at: i64,
    pub(crate) by: usize,
    pub(crate) approved: Option<(i64, usize)>,
}

/// A proposal to change the code of a repository, and what became of it: a pull request.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    pub(crate) repository: usize,
    pub(crate) title: String,
    /// What its description says, but for the issue it names.
    pub(crate) says: String,
    /// The issue of the same repository that it names.
    pub(crate) issue: Option<usize>,
    pub(crate) branch: String,
    pub(crate) by: usize,
    pub(crate) opened: i64,
    /// Its commits, the last of them its head.
    pub(crate) works: Vec<Work>,
    /// A head that was thrown away: when, by whom, and what took its place.
    pub(crate) rewritten: Vec<(i64, usize, String)>,
    pub(crate) opinions: Vec<Opinion>,
    pub(crate) merged: Option<Merge>,
    pub(crate) closed: Option<i64>,
}

/// A commit of a proposal.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) commit: String,
    pub(crate) author: usize,
    /// Who made the commit of it; `None` for the host's own hand.
    pub(crate) committer: Option<usize>,
    pub(crate) co_authors: Vec<usize>,
    pub(crate) pusher: usize,
    pub(crate) at: i64,
}

/// What a reviewer said of a proposal.
#[derive(Clone, Debug)]
pub(crate) struct Opinion {
    pub(crate) by: usize,
    pub(crate) word: &'static str,
    /// The commit it was given on.
    pub(crate) on: String,
    pub(crate) at: i64,
    /// When, and by whom, it was dismissed.
    pub(crate) dismissed: Option<(i64, usize)>,
}

/// How a proposal landed: as which commits of the default branch.
#[derive(Clone, Debug)]
pub(crate) struct Merge {
    pub(crate) at: i64,
    pub(crate) by: usize,
    pub(crate) how: Method,
    pub(crate) commits: Vec<String>,
}

/// How a proposal's commits became those of the default branch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Method {
    Merge,
    Squash,
    Rebase,
}

/// How a check of a commit ended.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) repository: usize,
    pub(crate) commit: String,
    pub(crate) name: String,
    pub(crate) conclusion: &'static str,
    pub(crate) at: i64,
    /// Of the older kind, which has no beginning.
    pub(crate) status: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Issue {
    pub(crate) repository: usize,
    pub(crate) title: &'static str,
    pub(crate) by: usize,
    pub(crate) opened: i64,
    pub(crate) closed: Option<i64>,
}

/// A change that a written approval of its class covers: who gave that when, and whether its conditions held of this change.
#[derive(Clone, Debug)]
pub(crate) struct Covered {
    pub(crate) repository: usize,
    pub(crate) commit: String,
    pub(crate) by: usize,
    pub(crate) at: i64,
    pub(crate) met: Option<bool>,
}

/// What the code host did wrong for a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) repository: usize,
    pub(crate) kind: FaultKind,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FaultKind {
    /// The token lost what it needs to see proposals: the list of them is empty, with a 200, and each of them is not found.
    Blind,
    /// No page says that there is a next one.
    OnePage,
}

/// A time in which a collector did not look, by the files it would have filled.
#[derive(Clone, Debug)]
pub(crate) struct Outage {
    pub(crate) file: &'static str,
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Tests that can say less for it.
    pub(crate) tests: &'static [&'static str],
}

impl Company {
    pub(crate) fn new(shape: Shape, clock: Clock) -> Self {
        let named = usize::try_from(shape.seed % names::COUNT as u64).unwrap_or(0);
        Self {
            domain: "quillbrook.example.test".to_owned(),
            shape,
            clock,
            systems: vec![],
            people: vec![],
            employments: vec![],
            absences: vec![],
            logins: vec![],
            grants: vec![],
            factors: vec![],
            exclusions: vec![],
            tokens: vec![],
            requests: vec![],
            uses: vec![],
            use_reviews: vec![],
            owners: vec![],
            checkouts: vec![],
            standings: vec![],
            sign_ins: vec![],
            screenings: vec![],
            agreements: vec![],
            policies: vec![],
            policy_reviews: vec![],
            acknowledgements: vec![],
            devices: vec![],
            postures: vec![],
            jobs: vec![],
            matrix: vec![],
            reviews: vec![],
            trainings: vec![],
            alerts: vec![],
            incidents: vec![],
            tickets: vec![],
            findings: vec![],
            objectives: vec![],
            months: vec![],
            maintenance: vec![],
            regions: vec![],
            resources: vec![],
            operations: Operations::default(),
            vendors: vec![],
            repositories: vec![],
            landings: vec![],
            builds: vec![],
            deployments: vec![],
            emergencies: vec![],
            bypasses: vec![],
            flags: vec![],
            proposals: vec![],
            issues: vec![],
            checks: vec![],
            covered: vec![],
            messages: BTreeMap::new(),
            faults: vec![],
            shipping: Shipping::default(),
            privacy: Requests::default(),
            processing: Processing::default(),
            stores: Stores::default(),
            register: Register::default(),
            dealings: Dealings::default(),
            models: Models::default(),
            consents: Consents::default(),
            duties: Duties::default(),
            ownerships: vec![],
            tests: vec![],
            evaluations: vec![],
            assurance: Assurance::default(),
            significant: vec![],
            notices: Notices::default(),
            data_uses: Uses::default(),
            complaints: Complaints::default(),
            disposals: Disposals::default(),
            quality: Quality::default(),
            outages: vec![],
            seeded: vec![],
            taken: BTreeSet::new(),
            streams: BTreeMap::new(),
            named,
        }
    }

    /// Everything that was made to happen.
    #[must_use]
    pub fn seeded(&self) -> &[Seeded] {
        &self.seeded
    }

    /// First and last day of the period, as dates in its zone.
    #[must_use]
    pub fn days(&self) -> (String, String) {
        (self.clock.first.to_string(), self.clock.last.to_string())
    }

    /// The period's zone.
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.shape.zone
    }

    /// The e-mail address of whom an employment is, by its key.
    #[must_use]
    pub fn address(&self, employment: &str) -> Option<String> {
        let them = &self.people[self.employments.iter().find(|e| e.key == employment)?.person];
        Some(format!("{}@{}", them.local, self.domain))
    }

    /// When an employment ended, by its key.
    #[must_use]
    pub fn ended(&self, employment: &str) -> Option<model::Instant> {
        match self.employments.iter().find(|e| e.key == employment)?.to {
            End::At(at) => Some(model::Instant::from_ms(at)),
            End::Never | End::Unknown => None,
        }
    }

    /// The last instant whose facts were exported.
    #[must_use]
    pub fn cutoff(&self) -> model::Instant {
        model::Instant::from_ms(self.clock.cutoff)
    }

    /// A name nobody has yet.
    pub(crate) fn new_name(&mut self) -> (&'static str, &'static str) {
        self.named += 1;
        names::name(self.named)
    }

    /// Takes something for a case; false where another has it.
    pub(crate) fn take(&mut self, what: impl Into<String>) -> bool {
        self.taken.insert(what.into())
    }

    /// When an account lets somebody in by a grant: first instant, and the end.
    pub(crate) fn entrances(&self, grant: &Grant) -> Vec<(i64, End)> {
        let login = &self.logins[grant.login];
        let mut ways = vec![];
        for (from, to) in &login.spells {
            let begins = (*from).max(grant.from);
            let ends = match (*to, grant.to) {
                (End::At(a), End::At(b)) => End::At(a.min(b)),
                (End::At(a), _) | (_, End::At(a)) => End::At(a),
                (End::Unknown, _) | (_, End::Unknown) => End::Unknown,
                (End::Never, End::Never) => End::Never,
            };
            if ends.after(begins) {
                ways.push((begins, ends));
            }
        }
        ways
    }

    /// The logins that may be entered at a system at an instant, each once, in the order in which they came.
    pub(crate) fn who_has_access(&self, system: usize, at: i64) -> Vec<usize> {
        let mut logins: Vec<usize> = self
            .grants
            .iter()
            .filter(|g| self.logins[g.login].system == system)
            .filter(|g| self.entrances(g).iter().any(|(from, to)| *from <= at && to.after(at)))
            .map(|g| g.login)
            .collect();
        logins.sort_unstable();
        logins.dedup();
        logins
    }

    /// A person's login at a system.
    pub(crate) fn login_of(&self, person: usize, system: usize) -> Option<usize> {
        self.logins.iter().position(|l| l.person == Some(person) && l.system == system)
    }

    /// Tests in whose population nothing came up, with why.
    pub(crate) fn did_not_operate(&self) -> Vec<(&'static str, &'static str)> {
        if self.shape.quiet {
            vec![("alert_response", "N68: nothing fired all year, and the pager's own list says so")]
        } else {
            vec![]
        }
    }
}
