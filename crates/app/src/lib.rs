//! The use cases: what the command line calls, and later the web, the API and the jobs.
//!
//! A [`Workspace`] is one organisation's folder: configuration, content, ledger, records. Connectors are handed in as
//! plain functions: this crate knows no source.

mod access;
mod anchor;
mod assessment;
mod calendar;
mod config;
mod conflict;
mod custody;
mod error;
mod evidence;
mod facts;
mod import;
mod person;
mod place;
mod preview;
mod question;
mod redact;
mod workspace;

pub use access::{Access, AccessQuestion, Alike, GrantReport, Held, Reviewed};
pub use anchor::{Anchored, Anchors, KnownAnchor};
pub use assessment::{
    AttributeReport, GapReport, ItemReport, OverAPeriod, ProcedureReport, Question as AssessmentQuestion,
    Report, rules_of, tested_of,
};
pub use config::{Config, GitHubSource};
pub use conflict::{Conflict, Difference, Saying};
pub use custody::{Erased, FrozenSet, FrozenTable, Order, restore};
pub use error::AppError;
pub use evidence::{EVIDENCE, Entered};
pub use facts::{History, LookFirst};
pub use import::{Compared, KnownKeys};
pub use person::{AlikePair, Person, PersonsAccount};
pub use place::{Environment, Place, add_github_source, existing_wrapping_key, find, init, wrapping_key};
pub use preview::Preview;
pub use question::{Answer, Prepared};
pub use workspace::{Derive, Opening, Status, Workspace};
