//! `policies/<name>.md`: templates of policies, which say what controls require in the controls' own words.
//!
//! What stands in double braces is filled in: `organisation`, `control CHG-02` (its statement), and `parameters` (those of
//! every procedure that tests one of the policy's controls). So a policy says what is tested, and never more or less.

use std::collections::BTreeSet;

use model::Value;

use crate::problem::{Problem, instead};
use crate::read::position;
use crate::{Catalog, Origin};

/// A template of a policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// The file's name.
    pub id: String,
    /// Its first heading.
    pub title: String,
    /// Controls whose statements stand in it.
    pub controls: Vec<String>,
    /// Where it comes from.
    pub origin: Origin,
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    Organisation,
    Control(String),
    Parameters,
}

/// Reads one policy; `known` are the controls there are.
pub(crate) fn read(
    path: &str,
    id: &str,
    text: &str,
    known: &BTreeSet<&str>,
    origin: Origin,
) -> (Option<Policy>, Vec<Problem>) {
    let mut problems = vec![];
    let mut parts = vec![];
    let mut controls = vec![];
    let mut at = 0;
    while let Some(open) = text[at..].find("{{").map(|found| at + found) {
        parts.push(Part::Text(text[at..open].to_owned()));
        let mut wrong = |message: String, help: String| {
            problems.push(Problem::at(path, position(text, open), message, help));
        };
        let Some(close) = text[open..].find("}}").map(|found| open + found) else {
            wrong("what begins with `{{` has no end".to_owned(), "write `}}` after it".to_owned());
            at = text.len();
            break;
        };
        let inside = text[open + 2..close].trim();
        match inside.split_once(' ').map_or((inside, ""), |(word, rest)| (word, rest.trim())) {
            ("organisation", "") => parts.push(Part::Organisation),
            ("parameters", "") => parts.push(Part::Parameters),
            ("control", control) if known.contains(control) => {
                controls.push(control.to_owned());
                parts.push(Part::Control(control.to_owned()));
            }
            ("control", control) => {
                wrong(format!("there is no control `{control}`"), instead(control, known.iter().copied()));
            }
            _ => wrong(
                format!("nothing is filled in for `{inside}`"),
                "write `organisation`, `control CHG-02` or `parameters`".to_owned(),
            ),
        }
        at = close + 2;
    }
    parts.push(Part::Text(text[at..].to_owned()));
    let title = text.lines().find_map(|line| line.strip_prefix("# ")).map(str::trim).unwrap_or_default();
    if title.is_empty() {
        problems.push(Problem::at(path, (1, 1), "the policy has no title", "begin with `# ` and its title"));
    }
    let policy = Policy { id: id.to_owned(), title: title.to_owned(), controls, origin, parts };
    (problems.is_empty().then_some(policy), problems)
}

impl Policy {
    /// The policy, filled in. `value` says what a parameter of a procedure is set to, where it is not the default.
    #[must_use]
    pub fn filled(
        &self,
        catalog: &Catalog,
        organisation: &str,
        value: impl Fn(&str, &str) -> Option<Value>,
    ) -> String {
        let organisation = if organisation.is_empty() { "the organisation" } else { organisation };
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Organisation => text.push_str(organisation),
                Part::Control(id) => match catalog.controls.get(id) {
                    Some(control) => {
                        text.push_str(&format!(
                            "{} ({id}; answered for by: {})",
                            control.statement, control.owner_role
                        ));
                    }
                    None => text.push_str(id),
                },
                Part::Parameters => text.push_str(self.parameters(catalog, &value).trim_end()),
            }
        }
        text
    }

    fn parameters(&self, catalog: &Catalog, value: impl Fn(&str, &str) -> Option<Value>) -> String {
        let mut lines = String::new();
        for procedure in catalog.procedures.values() {
            if !procedure.controls.iter().any(|c| self.controls.contains(c)) {
                continue;
            }
            for parameter in procedure.parameters.values() {
                let set = value(&procedure.id, &parameter.name).unwrap_or_else(|| parameter.default.clone());
                let set = match (set, parameter.kind) {
                    (Value::Integer(flag), crate::ParameterType::Flag) => {
                        if flag == 0 {
                            "no".to_owned()
                        } else {
                            "yes".to_owned()
                        }
                    }
                    (Value::Integer(number), _) => number.to_string(),
                    (Value::Text(text), _) => text,
                    (Value::Null, _) => "not set".to_owned(),
                };
                lines.push_str(&format!(
                    "- {} **{set}** ({}: `{}.{}`)\n",
                    parameter.doc,
                    procedure.controls.join(", "),
                    procedure.id,
                    parameter.name
                ));
            }
        }
        if lines.is_empty() { "No procedure tests it with a number yet.".to_owned() } else { lines }
    }
}
