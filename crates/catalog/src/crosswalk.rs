//! `crosswalk/<id>.toml`: the numbers of another framework, under short titles of our own. Controls name those they are about.
//!
//! A control and a number share a topic: what is gathered for the one serves for the other. That never makes them the same.

use crate::problem::Problem;
use crate::read::File;

/// The frameworks that controls refer to: their field in a control's file, and their file's name.
pub const FRAMEWORKS: [&str; 2] = ["iso", "hipaa"];

/// Another framework, as far as controls refer to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crosswalk {
    /// The file's name.
    pub id: String,
    /// What the framework is called.
    pub title: String,
    /// What the crosswalk says, and what it leaves to others.
    pub note: String,
    /// Its numbers, in its own order.
    pub references: Vec<Reference>,
}

/// A number of another framework.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// Such as `8.32`.
    pub id: String,
    /// The part of the framework it stands in.
    pub group: String,
    /// Short title of our own.
    pub title: String,
}

/// Reads one crosswalk.
pub(crate) fn read(path: &str, id: &str, text: &str) -> (Option<Crosswalk>, Vec<Problem>) {
    File::new(path, text).read(|file| {
        if !FRAMEWORKS.contains(&id) {
            let known = FRAMEWORKS.map(|name| format!("`{name}.toml`")).join(" or ");
            file.problem(0, format!("no control can refer to `{id}`"), format!("name the file {known}"));
        }
        let title = file.required("title");
        let note = file.required("note");
        let mut references: Vec<Reference> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for mut section in file.each("references") {
            let id = section.required("id");
            if !seen.insert(id.clone()) {
                section.problem(section.offset(), format!("`{id}` stands here twice"), "remove one");
            }
            references.push(Reference {
                id,
                group: section.required("group"),
                title: section.required("title"),
            });
            section.finish();
        }
        Crosswalk { id: id.to_owned(), title, note, references }
    })
}
