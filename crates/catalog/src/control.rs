//! `controls/<ID>.toml` and `criteria.toml`: what an organisation does, and what it answers to.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::Origin;
use crate::crosswalk::FRAMEWORKS;
use crate::problem::{Problem, instead};
use crate::read::{At, File, Section};

/// A trust services criterion, with a short title of our own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Criterion {
    /// Number, such as `CC8.1`.
    pub id: String,
    /// Short title.
    pub title: String,
}

impl Criterion {
    /// The category it belongs to, by its prefix.
    #[must_use]
    pub fn category(&self) -> &'static str {
        match self.id.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') {
            "A" => "Availability",
            "C" => "Confidentiality",
            "PI" => "Processing integrity",
            "P" => "Privacy",
            _ => "Security",
        }
    }
}

/// How often a control operates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Frequency {
    /// Once a year.
    Annual,
    /// Twice a year.
    Semiannual,
    /// Once a quarter.
    Quarterly,
    /// Once a month.
    Monthly,
    /// Once a week.
    Weekly,
    /// Once a day.
    Daily,
    /// Whenever what it is about happens.
    PerEvent,
    /// All the time: a configuration.
    Continuous,
}

impl Frequency {
    const WORDS: &[(&'static str, Self)] = &[
        ("annual", Self::Annual),
        ("semiannual", Self::Semiannual),
        ("quarterly", Self::Quarterly),
        ("monthly", Self::Monthly),
        ("weekly", Self::Weekly),
        ("daily", Self::Daily),
        ("per_event", Self::PerEvent),
        ("continuous", Self::Continuous),
    ];

    /// The word as it stands in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, f)| *f == self).map_or("", |(word, _)| word)
    }
}

/// How a control is tested.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// By procedures alone.
    Auto,
    /// By procedures and by a person.
    Hybrid,
    /// By a person.
    Manual,
}

impl Mode {
    /// The word as it stands in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Hybrid => "hybrid",
            Self::Manual => "manual",
        }
    }
}

/// A control: what the organisation does to meet criteria.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Control {
    /// Such as `CHG-02`: the file's name.
    pub id: String,
    /// Short title.
    pub title: String,
    /// The criteria it answers to.
    pub criteria: Vec<String>,
    /// Those of them that rest on it: a criterion is not met while one of its key controls fails.
    pub key: Vec<String>,
    /// The role that owns it.
    pub owner_role: String,
    /// How often it operates; several when parts of it operate differently.
    pub frequency: Vec<Frequency>,
    /// How it is tested.
    pub mode: Mode,
    /// What is done, in one or two sentences.
    pub statement: String,
    /// What a person gathers for it, besides what procedures judge.
    pub evidence: Vec<Evidence>,
    /// Numbers of other frameworks that are about the same, by framework.
    pub references: BTreeMap<&'static str, Vec<String>>,
    /// Where it comes from.
    pub origin: Origin,
    pub(crate) path: String,
    /// Where each name that it refers to stands, by what it names.
    pub(crate) places: BTreeMap<(&'static str, String), (u32, u32)>,
}

/// Something that a person gathers for a control.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// What it is.
    pub what: String,
    /// How often.
    pub every: Vec<Frequency>,
    /// By whom.
    pub by: String,
}

impl Control {
    /// Numbers of another framework that are about the same.
    #[must_use]
    pub fn references(&self, framework: &str) -> &[String] {
        self.references.get(framework).map_or(&[], Vec::as_slice)
    }

    /// The version of its statement: the first digits of the SHA-256 of its words. Who concluded about other words concluded
    /// about another control.
    #[must_use]
    pub fn statement_version(&self) -> String {
        Sha256::digest(self.statement.as_bytes()).iter().take(6).map(|b| format!("{b:02x}")).collect()
    }
}

/// Reads one control.
pub(crate) fn read(path: &str, id: &str, text: &str, origin: Origin) -> (Option<Control>, Vec<Problem>) {
    File::new(path, text).read(|file| {
        let well_formed =
            !id.is_empty() && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
        if !well_formed {
            file.problem(0, format!("`{id}` is no name for a control"), "name the file like `CHG-02.toml`");
        }
        let title = file.required("title");
        let mut places = BTreeMap::new();
        let criteria = named(file, "criteria", &mut places);
        let mut key = vec![];
        for At { value, offset } in file.texts("key") {
            if !criteria.contains(&value) {
                file.problem(
                    offset,
                    format!("the control does not answer to `{value}`, so that it cannot be key to it"),
                    "name it in `criteria`, too, or remove it",
                );
            }
            key.push(value);
        }
        let owner_role = file.required("owner_role");
        let frequency = frequencies(file, "frequency");
        if file.place("frequency").is_none() {
            file.problem(0, "`frequency` is missing", "write `frequency = \"per_event\"` or another");
        }
        let mode = match file.text_at("mode") {
            Some(At { value, offset }) => match value.as_str() {
                "auto" => Mode::Auto,
                "hybrid" => Mode::Hybrid,
                "manual" => Mode::Manual,
                other => {
                    file.problem(
                        offset,
                        format!("`{other}` is no mode"),
                        instead(other, ["auto", "hybrid", "manual"]),
                    );
                    Mode::Manual
                }
            },
            None => {
                file.problem(0, "`mode` is missing", "write `mode = \"auto\"`, `\"hybrid\"` or `\"manual\"`");
                Mode::Manual
            }
        };
        let statement = file.required("statement");
        let references = FRAMEWORKS.map(|name| (name, named(file, name, &mut places))).into();
        let mut evidence = vec![];
        for mut section in file.each("evidence") {
            let what = section.required("what");
            let every = frequencies(&mut section, "every");
            let by = section.text("by");
            evidence.push(Evidence {
                what,
                every: if every.is_empty() { frequency.clone() } else { every },
                by: by.unwrap_or_else(|| owner_role.clone()),
            });
            section.finish();
        }
        Control {
            id: id.to_owned(),
            title,
            criteria,
            key,
            owner_role,
            frequency,
            mode,
            statement,
            evidence,
            references,
            origin,
            path: path.to_owned(),
            places,
        }
    })
}

/// A list of names, of which it is remembered where each stands.
fn named(
    file: &mut Section<'_>,
    field: &'static str,
    places: &mut BTreeMap<(&'static str, String), (u32, u32)>,
) -> Vec<String> {
    let mut names = vec![];
    for At { value, offset } in file.texts(field) {
        places.insert((field, value.clone()), file.position(offset));
        names.push(value);
    }
    names
}

fn frequencies(section: &mut Section<'_>, field: &'static str) -> Vec<Frequency> {
    let words = Frequency::WORDS.iter().map(|(word, _)| *word);
    let mut all = vec![];
    for At { value, offset } in section.texts(field) {
        match Frequency::WORDS.iter().find(|(word, _)| *word == value) {
            Some((_, frequency)) => all.push(*frequency),
            None => {
                section.problem(offset, format!("`{value}` is no frequency"), instead(&value, words.clone()));
            }
        }
    }
    all
}

/// The criteria, and numbers that were criteria once.
#[derive(Default)]
pub(crate) struct Criteria {
    pub(crate) list: Vec<Criterion>,
    pub(crate) retired: Vec<String>,
}

/// Reads the list of criteria.
pub(crate) fn read_criteria(path: &str, text: &str) -> (Option<Criteria>, Vec<Problem>) {
    File::new(path, text).read(|file| {
        let retired = file.texts("retired").into_iter().map(|id| id.value).collect();
        let mut list: Vec<Criterion> = Vec::new();
        for mut section in file.each("criteria") {
            let id = section.required("id");
            if list.iter().any(|c| c.id == id) {
                section.problem(section.offset(), format!("`{id}` stands here twice"), "remove one");
            }
            list.push(Criterion { id, title: section.required("title") });
            section.finish();
        }
        Criteria { list, retired }
    })
}
