//! Native sources of evidence, one folder each. Every one has the same order inside: fetch (the only part that touches
//! the source) gives captures, and a pure derivation reads facts out of their documents.

pub mod git;
pub mod github;
pub mod import;
