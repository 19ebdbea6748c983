//! Tickmark's vocabulary, shared by every crate: instants and periods, verdicts and conclusions, record tables and
//! their rows, captures with their receipts, coverage.
//!
//! Plain data only: nothing here reads a clock, a file, the environment or the network.

mod capture;
mod coverage;
mod fact;
mod scope;
mod table;
mod time;
mod verdict;

pub use capture::{Capture, Document, DocumentError, Receipt};
pub use coverage::{Coverage, CoverageStatus, Window};
pub use fact::{Derived, DisplayFact, Fact, FactValue, Key, interned};
pub use scope::{Bound, BoundTest, Dimension, Out, OutCondition, Scope, ScopeTime, TableScope};
pub use table::{Column, ColumnType, RESERVED_COLUMNS, Row, Table, TableKind, Value, row_id, row_id_entry};
pub use time::{Instant, Period, TimeError, parse_date_range};
pub use verdict::{Attribute, Conclusion, Grade, Verdict};
