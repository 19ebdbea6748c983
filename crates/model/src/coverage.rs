//! Coverage: where somebody looked, and where nobody could. "No data" and "could not look" are never the same value.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::time::Instant;
use crate::verdict::words;

words! {
    /// What a look at a window of a stream yielded.
    CoverageStatus {
        /// Everything the source has for the window was taken.
        Complete = "complete",
        /// Some of it was taken; the rest is unknown (an unfinished walk, a shallow history).
        Partial = "partial",
        /// The credential may not look.
        NotPermitted = "not_permitted",
        /// The customer's plan does not offer the stream.
        NotLicensed = "not_licensed",
        /// The source no longer keeps the window.
        Expired = "expired",
        /// The attempt failed.
        Failed = "failed",
    }
}

/// A half-open window `[from, to)` of time in the world.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Window {
    /// First instant.
    pub from: Instant,
    /// First instant after.
    pub to: Instant,
}

/// The outcome of looking at a window of a stream.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Coverage {
    /// What the look yielded.
    pub status: CoverageStatus,
    /// The window of time in the world that was asked for.
    pub window: Window,
    /// Why it is not complete, in words for people. Empty when complete.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}
