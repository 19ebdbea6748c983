//! `presets/<id>.toml`: which categories an organisation of a kind usually chooses.

use crate::Origin;
use crate::problem::{Problem, instead};
use crate::read::{At, File};

/// The categories that a scope can leave out, as presets and rules of scope call them. Security is always in.
pub const OPTIONAL_CATEGORIES: [&str; 4] =
    ["availability", "confidentiality", "processing_integrity", "privacy"];

/// A choice of categories.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Preset {
    /// The file's name.
    pub id: String,
    /// Short title.
    pub title: String,
    /// Whom it suits, and why.
    pub for_whom: String,
    /// The categories, security among them.
    pub categories: Vec<String>,
    /// Kinds of service it is the usual choice of.
    pub service_types: Vec<String>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Reads one preset.
pub(crate) fn read(path: &str, id: &str, text: &str, origin: Origin) -> (Option<Preset>, Vec<Problem>) {
    File::new(path, text).read(|file| {
        let title = file.required("title");
        let for_whom = file.required("for_whom");
        let mut categories = vec![];
        let known = || std::iter::once("security").chain(OPTIONAL_CATEGORIES);
        for At { value, offset } in file.texts("categories") {
            if !known().any(|word| word == value) {
                file.problem(offset, format!("there is no category `{value}`"), instead(&value, known()));
            }
            categories.push(value);
        }
        if !categories.iter().any(|c| c == "security") {
            let at = file.place("categories").unwrap_or(0);
            file.problem(at, "security is in every scope", "add `\"security\"` to `categories`");
        }
        let service_types = file.texts("service_types").into_iter().map(|s| s.value).collect();
        Preset { id: id.to_owned(), title, for_whom, categories, service_types, origin }
    })
}
