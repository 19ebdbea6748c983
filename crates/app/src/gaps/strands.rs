//! How far the strands of work are: each step is done when its controls are known to be kept.

use model::Conclusion;
use serde::Serialize;

use super::Facts;
use crate::criteria::ControlReport;

/// A strand of work, and how far it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StrandReport {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What is different when it is done.
    pub outcome: String,
    /// Its steps.
    pub steps: Vec<StrandStep>,
}

/// A step of a strand.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StrandStep {
    /// What is done.
    pub does: String,
    /// Its controls that are in scope.
    pub controls: Vec<String>,
    /// Whether each of these is known to be kept; absent when none of them is in scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<bool>,
}

impl StrandReport {
    /// The first step that is not done.
    #[must_use]
    pub fn next(&self) -> Option<&StrandStep> {
        self.steps.iter().find(|step| step.done == Some(false))
    }
}

impl Facts<'_> {
    pub(super) fn strands(&self, in_scope: &[&ControlReport]) -> Vec<StrandReport> {
        let step = |step: &catalog::WorkstreamStep| {
            let asked: Vec<&&ControlReport> =
                in_scope.iter().filter(|c| step.controls.contains(&c.id)).collect();
            StrandStep {
                does: step.does.clone(),
                controls: asked.iter().map(|c| c.id.clone()).collect(),
                done: (!asked.is_empty())
                    .then(|| asked.iter().all(|c| c.operation == Some(Conclusion::NoExceptions))),
            }
        };
        let one = |stream: &catalog::Workstream| StrandReport {
            id: stream.id.clone(),
            title: stream.title.clone(),
            outcome: stream.outcome.clone(),
            steps: stream.steps.iter().map(step).collect(),
        };
        self.catalog.workstreams.values().map(one).collect()
    }
}
