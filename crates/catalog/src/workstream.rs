//! `workstreams/<id>.toml`: strands of work that a company goes through on its way to a first report, step by step.

use std::collections::BTreeSet;

use crate::Origin;
use crate::problem::{Problem, instead};
use crate::read::{At, File};

/// A strand of work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Workstream {
    /// The file's name.
    pub id: String,
    /// Short title.
    pub title: String,
    /// What is different when it is done.
    pub outcome: String,
    /// What is done, one after the other.
    pub steps: Vec<WorkstreamStep>,
    /// Where it comes from.
    pub origin: Origin,
}

/// A step of a strand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkstreamStep {
    /// What is done.
    pub does: String,
    /// Controls that hold once it is.
    pub controls: Vec<String>,
}

/// Reads one strand.
pub(crate) fn read(
    path: &str,
    id: &str,
    text: &str,
    known: &BTreeSet<&str>,
    origin: Origin,
) -> (Option<Workstream>, Vec<Problem>) {
    File::new(path, text).read(|file| {
        let title = file.required("title");
        let outcome = file.required("outcome");
        let mut steps = vec![];
        for mut section in file.each("steps") {
            let does = section.required("does");
            let mut controls = vec![];
            for At { value, offset } in section.texts("controls") {
                if !known.contains(value.as_str()) {
                    let help = instead(&value, known.iter().copied());
                    section.problem(offset, format!("there is no control `{value}`"), help);
                }
                controls.push(value);
            }
            section.finish();
            steps.push(WorkstreamStep { does, controls });
        }
        if steps.is_empty() {
            file.problem(0, "it has no steps", "add `[[steps]]` with `does` and `controls`");
        }
        Workstream { id: id.to_owned(), title, outcome, steps, origin }
    })
}
