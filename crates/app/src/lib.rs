//! The use cases: what the command line calls, and later the web, the API and the jobs.
//!
//! A [`Workspace`] is one organisation's folder: configuration, content, ledger, records. Connectors are handed in as
//! plain functions: this crate knows no source.

mod access;
mod again;
mod anchor;
mod assessment;
mod browse;
mod calendar;
mod commitments;
mod config;
mod conflict;
mod controls;
mod criteria;
mod csv;
mod custody;
mod demo;
mod deviation;
mod error;
mod evidence;
mod facts;
mod flows;
mod gaps;
mod impact;
mod import;
mod judging;
mod looked;
mod members;
mod person;
mod place;
mod population;
mod preview;
mod question;
mod reconcile;
mod record;
mod redact;
mod registers;
mod review;
mod sample;
mod scope;
mod triage;
mod uptime;
mod versions;
mod waiver;
mod workspace;

pub use assess::retention::Kept;
pub use assess::strip::Look;

pub use access::{Access, AccessQuestion, Alike, GrantReport, Held, Reviewed};
pub use again::{Again, again_by, only};
pub use anchor::{Anchored, Anchors, KnownAnchor};
pub use assessment::{
    AttributeReport, GapReport, ItemReport, ItemVersion, NotInForce, OverAPeriod, ProcedureReport,
    Question as AssessmentQuestion, RanQuery, Report, VersionReport, rules_of, tested_of,
};
pub use browse::{
    Carried, ColumnEntry, ControlEntry, CriterionEntry, Crossed, EvidenceEntry, ParameterEntry, PolicyEntry,
    PresetEntry, ProcedureEntry, TableEntry, WorkstreamEntry, WorkstreamStepEntry, browse_controls,
    browse_criteria, browse_policies, browse_presets, browse_procedures, browse_tables, browse_workstreams,
    crossed,
};
pub use commitments::{AnsweringControl, Commitment, Commitments, Metric};
pub use config::{Config, GitHubSource, Serve};
pub use conflict::{Conflict, Difference, Saying};
pub use criteria::{ControlReport, Criteria, CriterionReport, DecisionReport, MappedTo, Ownership};
pub use csv::csv_cell;
pub use custody::{Erased, FrozenSet, FrozenTable, Order, restore};
pub use demo::{Demo, demo_folder, init_demo, is_marked};
pub use deviation::{
    About, Decided, DeviationReport, Deviations, Found, InRegister, NONE, Registered, WaiverBeside,
};
pub use error::AppError;
pub use evidence::{EVIDENCE, Entered};
pub use facts::{History, LookFirst};
pub use flows::{End, Flow, Flows, SubProcessor};
pub use gaps::{
    Accepted, Beginning, CategoryQuestion, Estimate, Gap, Gaps, Milestone, Overview, Plan, PlannedWindow,
    Roadmap, RoleLoad, Step, StrandReport, StrandStep, TellTale, WaitingDeal,
};
pub use impact::{Impact, ImpactItem, ProcedureImpact};
pub use import::{Compared, KnownKeys};
pub use judging::OutOfForce;
pub use ledger::Entropy;
pub use looked::{
    AlarmReport, CoverageQuestion, CoverageReport, Keeping, Missing, TableCoverage, Unsupplied,
};
pub use members::permission::{Action, Grant, Reach, Resource, Role, Scope, is_dangerous, permitted};
pub use members::roll::{By, Member, Standing, Token, What};
pub use members::{
    Actor, IDLE_MS, Invitation, Join, Joined, LINK_MS, MadeLink, MadeToken, MemberDecision, Members, Opened,
    Origin, PROOF_MS, Principal, Refused, SESSION_MS, Secret, SessionEntry, SignIn, SignedIn, TOKEN_MS,
    link_path,
};
pub use person::{AlikePair, Person, PersonsAccount};
pub use place::{
    Environment, Place, add_github_source, existing_wrapping_key, find, init, present, wrapping_key,
};
pub use population::{
    Anchoring, Because, Beside, Check, Frozen, FrozenGap, Identity, LeftOut, Outcome, Population,
    PopulationReport, Sequence, SourceCount, SourceOf, Totals, Void,
};
pub use preview::Preview;
pub use question::{Answer, Asking, Prepared};
pub use reconcile::{Completeness, Reconciled};
pub use record::{Cell, EnteredRows, HERE, NewRow, SaidOf, Scribe, Write, written};
pub use registers::{
    REGISTER_ROWS, Register, RegisterRow, RegisterValue, RegisterVersion, register_of, registers,
};
pub use review::{
    AT_ONCE, AccountKey, Decision as ReviewDecision, Fate, Flag, Kind as ReviewKind, Line as FrozenLine,
    Looked, Previous, ReviewAsked, ReviewLine, ReviewReport, ReviewSaid, Reviewer, review_rows,
};
pub use sample::{
    Basis, Change, Chosen, Draw, DrawAsked, DrawnPart, Evaluated, LimitReport, NamedItem, SampleReport,
    SampledItem, StrataBy, Stream,
};
pub use scope::{NotTested, Raised, SECURITY, ScopeReport, ScopeRule};
pub use triage::{NewlyRegistered, ToRegister, ToTriage, Wanted};
pub use uptime::{IntervalReport, ItemUptime, UptimeReport, stretch_of, uptime_rules_of};
pub use versions::{ControlVersion, ParameterReport, ParameterVersion, SetAside};
pub use waiver::WaiverReport;
pub use workspace::{Derive, Opening, Status, Workspace};
