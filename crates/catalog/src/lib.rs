//! Content: criteria, controls, record tables and procedures, read strictly and checked against each other.
//!
//! Built-in content is part of the binary; a workspace's own folder of the same shape lies over it. Every problem is
//! found at once, with its file and line, and a broken file stops nothing else.

mod calendar;
pub mod cases;
mod control;
mod crosswalk;
mod names;
mod policy;
mod preset;
mod problem;
mod procedure;
mod read;
pub mod sql;
mod table;
mod workstream;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;
use std::{fs, io};

use model::{Table, Value};

pub use calendar::{Calendar, Day};
pub use control::{Control, Criterion, Evidence, Frequency, Mode};
pub use crosswalk::{Crosswalk, FRAMEWORKS, Reference};
pub use policy::Policy;
pub use preset::{OPTIONAL_CATEGORIES, Preset};
pub use problem::{Problem, nearest};
pub use procedure::{Parameter, ParameterType, Procedure, TableUse, TestedAttribute, Uptime, Way};
pub use sql::{Bindings, Engine, Only, Query, written_out, written_out_of};
pub use workstream::{Workstream, WorkstreamStep};

mod built_in {
    //! The built-in content, embedded when the crate is built.
    include!(concat!(env!("OUT_DIR"), "/content.rs"));
}

/// Where a piece of content comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Origin {
    /// The binary.
    BuiltIn,
    /// The workspace's content folder.
    Workspace,
}

/// A file of a content folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceFile {
    /// Path inside the folder, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// All content that could be read.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Record tables, by name. A table's place in this list is its number in a generation of records.
    pub tables: Vec<Table>,
    /// Criteria, in the order of the list.
    pub criteria: Vec<Criterion>,
    /// Calendars of business days, by id.
    pub calendars: BTreeMap<String, Calendar>,
    /// Controls, by id.
    pub controls: BTreeMap<String, Control>,
    /// Procedures, by id.
    pub procedures: BTreeMap<String, Procedure>,
    /// Other frameworks that controls refer to, by name.
    pub crosswalks: BTreeMap<String, Crosswalk>,
    /// Choices of categories, by id.
    pub presets: BTreeMap<String, Preset>,
    /// Templates of policies, by id.
    pub policies: BTreeMap<String, Policy>,
    /// Strands of work on the way to a first report, by id.
    pub workstreams: BTreeMap<String, Workstream>,
    /// Controls of which a file that is meant for them could not be read, and why. What is said of them by the other files
    /// is not all that there is to say, so that nothing can be concluded of them.
    pub in_doubt: BTreeMap<String, Vec<String>>,
}

impl Catalog {
    /// The built-in content alone.
    #[must_use]
    pub fn built_in() -> (Self, Vec<Problem>) {
        Self::load(&[])
    }

    /// The built-in content with a workspace's files over it.
    #[must_use]
    pub fn load(workspace: &[SourceFile]) -> (Self, Vec<Problem>) {
        // What is built in never changes: whoever runs many commands in one process reads it once.
        static BUILT_IN: OnceLock<(Catalog, Vec<Problem>)> = OnceLock::new();
        if workspace.is_empty() {
            return BUILT_IN.get_or_init(|| Self::of(&built_in_files(), &[])).clone();
        }
        Self::of(&built_in_files(), workspace)
    }

    /// The record tables alone, for whoever judges nothing: to read and check every procedure takes longer than most questions.
    #[must_use]
    pub fn load_tables(workspace: &[SourceFile]) -> (Self, Vec<Problem>) {
        let built_in = built_in_files();
        let mut files = Files::default();
        files.sort(&built_in, Origin::BuiltIn);
        files.sort(workspace, Origin::Workspace);
        let mut problems = std::mem::take(&mut files.problems);
        let catalog = Self { tables: files.tables(&mut problems), ..Self::default() };
        problems.sort();
        (catalog, problems)
    }

    /// Content from two sets of files, the second over the first. Tests and tools bring their own.
    #[must_use]
    pub fn of(built_in: &[SourceFile], workspace: &[SourceFile]) -> (Self, Vec<Problem>) {
        let mut files = Files::default();
        files.sort(built_in, Origin::BuiltIn);
        files.sort(workspace, Origin::Workspace);
        let mut problems = std::mem::take(&mut files.problems);
        let mut catalog = Self { tables: files.tables(&mut problems), ..Self::default() };

        let mut retired = vec![];
        if let Some((file, _)) = files.criteria {
            let (criteria, found) = control::read_criteria(&file.path, &file.text);
            problems.extend(found);
            let criteria = criteria.unwrap_or_default();
            (catalog.criteria, retired) = (criteria.list, criteria.retired);
        }
        for (id, (file, _)) in &files.calendars {
            let (calendar, found) = calendar::read(&file.path, id, &file.text);
            problems.extend(found);
            catalog.calendars.extend(calendar.map(|c| (id.clone(), c)));
        }
        for (id, (file, _)) in &files.crosswalks {
            let (crosswalk, found) = crosswalk::read(&file.path, id, &file.text);
            problems.extend(found);
            catalog.crosswalks.extend(crosswalk.map(|c| (id.clone(), c)));
        }
        for (id, (file, origin)) in &files.presets {
            let (preset, found) = preset::read(&file.path, id, &file.text, *origin);
            problems.extend(found);
            catalog.presets.extend(preset.map(|p| (id.clone(), p)));
        }
        for (id, path) in &files.twice {
            catalog.doubt(id, format!("content/{path} declares it a second time"));
        }
        for (id, (file, origin)) in &files.controls {
            let (control, found) = control::read(&file.path, id, &file.text, *origin);
            problems.extend(found);
            // The built-in control stands in for one that cannot be read, so that its criteria keep what they rest on.
            let control = match (control, files.shadowed.get(id)) {
                (None, Some(built_in)) => {
                    control::read(&built_in.path, id, &built_in.text, Origin::BuiltIn).0
                }
                (control, _) => control,
            };
            if *origin == Origin::Workspace && control.as_ref().is_some_and(|c| c.origin != *origin) {
                catalog.doubt(id, format!("content/{} could not be read", file.path));
            }
            catalog.controls.extend(control.map(|c| (id.clone(), c)));
        }
        catalog.check_references(&retired, &mut problems);
        let controls: BTreeSet<&str> = files.controls.keys().map(String::as_str).collect();
        for (id, (file, origin)) in &files.policies {
            let (policy, found) = policy::read(&file.path, id, &file.text, &controls, *origin);
            problems.extend(found);
            catalog.policies.extend(policy.map(|p| (id.clone(), p)));
        }
        for (id, (file, origin)) in &files.workstreams {
            let (stream, found) = workstream::read(&file.path, id, &file.text, &controls, *origin);
            problems.extend(found);
            catalog.workstreams.extend(stream.map(|s| (id.clone(), s)));
        }
        let known = procedure::Known {
            tables: &catalog.tables,
            controls,
            procedures: files.procedures.keys().map(String::as_str).collect(),
        };
        let mut unread = vec![];
        for (id, (folder, origin)) in &files.procedures {
            let (procedure, found) = procedure::read(id, *folder, &known, *origin);
            problems.extend(found);
            match procedure {
                Some(procedure) => {
                    catalog.procedures.insert(id.clone(), procedure);
                }
                None => unread.push((id, folder.toml.into_iter().chain(files.halves.get(id).copied()))),
            }
        }
        for (id, texts) in unread {
            let controls: BTreeSet<String> =
                texts.flat_map(|toml| read::texts_of(toml, "controls")).collect();
            for control in controls {
                catalog.doubt(&control, format!("its procedure `{id}` could not be read"));
            }
        }
        problems.sort();
        (catalog, problems)
    }

    fn doubt(&mut self, control: &str, why: String) {
        self.in_doubt.entry(control.to_owned()).or_default().push(why);
    }

    /// Checks what controls refer to: criteria, and numbers of other frameworks.
    fn check_references(&self, retired: &[String], problems: &mut Vec<Problem>) {
        let known: BTreeSet<&str> = self.criteria.iter().map(|c| c.id.as_str()).collect();
        let numbers: BTreeMap<&str, BTreeSet<&str>> = self
            .crosswalks
            .values()
            .map(|c| (c.id.as_str(), c.references.iter().map(|r| r.id.as_str()).collect()))
            .collect();
        for control in self.controls.values() {
            if control.criteria.is_empty() {
                problems.push(Problem::of(
                    &control.path,
                    "the control answers to no criterion",
                    "write `criteria = [\"CC8.1\"]`",
                ));
            }
            for ((field, name), place) in &control.places {
                let (message, help) = match (*field, numbers.get(field)) {
                    ("criteria", _) if known.contains(name.as_str()) => continue,
                    ("criteria", _) if retired.contains(name) => (
                        format!("`{name}` was a criterion until 2017 and is none any more"),
                        "name the one that took its place; `tickmark catalog criteria` lists them".to_owned(),
                    ),
                    ("criteria", _) => (
                        format!("there is no criterion `{name}`"),
                        problem::instead(name, known.iter().copied()),
                    ),
                    (_, Some(numbers)) if numbers.contains(name.as_str()) => continue,
                    (framework, numbers) => (
                        format!("`{framework}` has no number `{name}`"),
                        problem::instead(name, numbers.iter().flat_map(|n| n.iter().copied())),
                    ),
                };
                problems.push(Problem::at(&control.path, *place, message, help));
            }
        }
    }

    /// A record table by name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.name == name)
    }

    /// Procedures that test a control of a family: `CHG` for changes.
    pub fn procedures_in(&self, family: &str) -> impl Iterator<Item = &Procedure> {
        let of_family = move |control: &String| {
            control.strip_prefix(family).is_some_and(|number| number.starts_with('-'))
        };
        self.procedures.values().filter(move |p| p.controls.iter().any(of_family))
    }

    /// Procedures that test a control.
    pub fn procedures_of(&self, control: &str) -> impl Iterator<Item = &Procedure> {
        self.procedures.values().filter(move |p| p.controls.iter().any(|c| c == control))
    }

    /// A control by its id.
    ///
    /// # Errors
    /// There is none.
    pub fn control(&self, id: &str) -> Result<&Control, Problem> {
        self.controls.get(id).ok_or_else(|| {
            let known = self.controls.keys().map(String::as_str);
            Problem::of("controls", format!("there is no control `{id}`"), problem::instead(id, known))
        })
    }

    /// A procedure by its id.
    ///
    /// # Errors
    /// There is none.
    pub fn procedure(&self, id: &str) -> Result<&Procedure, Problem> {
        self.procedures.get(id).ok_or_else(|| {
            let known = self.procedures.keys().map(String::as_str);
            let message = format!("there is no procedure `{id}`");
            Problem::of("procedures", message, problem::instead(id, known))
        })
    }

    /// A value that somebody typed for a parameter of a procedure.
    ///
    /// # Errors
    /// No such procedure or parameter, another type, a value out of range, or a calendar that there is not.
    pub fn parameter_value(&self, procedure: &str, name: &str, text: &str) -> Result<Value, Problem> {
        let declared = self.procedure(procedure)?;
        let parameter = declared.parameters.get(name).ok_or_else(|| {
            let message = format!("`{procedure}` has no parameter `{name}`");
            let known = declared.parameters.keys().map(String::as_str);
            Problem::of("parameters", message, problem::instead(name, known))
        })?;
        let value = parameter.parse(text)?;
        // The one text that names content.
        if let ("calendar", Value::Text(calendar)) = (name, &value)
            && !self.calendars.contains_key(calendar)
        {
            let message = format!("there is no calendar `{calendar}`");
            let known = self.calendars.keys().map(String::as_str);
            return Err(Problem::of("calendars", message, problem::instead(calendar, known)));
        }
        Ok(value)
    }

    /// Controls that answer to a criterion.
    pub fn controls_of(&self, criterion: &str) -> impl Iterator<Item = &Control> {
        self.controls.values().filter(move |c| c.criteria.iter().any(|x| x == criterion))
    }
}

/// The files of the built-in content.
#[must_use]
pub fn built_in_files() -> Vec<SourceFile> {
    let owned =
        |(path, text): &(&str, &str)| SourceFile { path: (*path).to_owned(), text: (*text).to_owned() };
    built_in::FILES.iter().map(owned).collect()
}

/// Reads the files of a workspace's content folder; an absent folder has none.
///
/// # Errors
/// A folder or file that cannot be read, by name.
pub fn read_folder(folder: &Path) -> io::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    if folder.is_dir() {
        walk(folder, "", &mut files)?;
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<SourceFile>) -> io::Result<()> {
    let named = |path: &Path, e: io::Error| {
        io::Error::new(e.kind(), format!("cannot read `{}`: {e}", path.display()))
    };
    for entry in fs::read_dir(folder).map_err(|e| named(folder, e))? {
        let path = entry.map_err(|e| named(folder, e))?.path();
        let Some(name) = path.file_name().map(|n| n.to_string_lossy().into_owned()) else { continue };
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            walk(&path, &format!("{prefix}{name}/"), files)?;
        } else if [".toml", ".sql", ".slt", ".md"].iter().any(|end| name.ends_with(end)) {
            let text = fs::read_to_string(&path).map_err(|e| named(&path, e))?;
            files.push(SourceFile { path: format!("{prefix}{name}"), text });
        }
    }
    Ok(())
}

/// The folders that are read here.
const FOLDERS: [&str; 8] =
    ["tables", "controls", "procedures", "calendars", "presets", "policies", "crosswalk", "workstreams"];

/// Files sorted by what they are; a later layer takes the place of an earlier one with the same id.
#[derive(Default)]
struct Files<'a> {
    tables: BTreeMap<String, (&'a SourceFile, Origin)>,
    criteria: Option<(&'a SourceFile, Origin)>,
    calendars: BTreeMap<String, (&'a SourceFile, Origin)>,
    controls: BTreeMap<String, (&'a SourceFile, Origin)>,
    procedures: BTreeMap<String, (procedure::Folder<'a>, Origin)>,
    crosswalks: BTreeMap<String, (&'a SourceFile, Origin)>,
    presets: BTreeMap<String, (&'a SourceFile, Origin)>,
    policies: BTreeMap<String, (&'a SourceFile, Origin)>,
    workstreams: BTreeMap<String, (&'a SourceFile, Origin)>,
    /// Built-in controls that a workspace's file takes the place of.
    shadowed: BTreeMap<String, &'a SourceFile>,
    /// What built-in procedures say of themselves that a workspace's folder takes the place of.
    halves: BTreeMap<String, &'a str>,
    /// Controls that two files of one layer declare, with the second.
    twice: Vec<(String, &'a str)>,
    problems: Vec<Problem>,
}

impl<'a> Files<'a> {
    fn tables(&self, problems: &mut Vec<Problem>) -> Vec<Table> {
        let mut tables = Vec::new();
        for (name, (file, _)) in &self.tables {
            let (table, found) = table::read(&file.path, name, &file.text);
            problems.extend(found);
            tables.extend(table);
        }
        tables
    }

    fn sort(&mut self, files: &'a [SourceFile], origin: Origin) {
        for file in files {
            let parts: Vec<&str> = file.path.split('/').collect();
            match parts.as_slice() {
                ["criteria.toml"] => self.criteria = Some((file, origin)),
                ["tables", .., name] if name.ends_with(".toml") => {
                    insert(&mut self.tables, &mut self.problems, name, file, origin);
                }
                ["calendars", .., name] if name.ends_with(".toml") => {
                    insert(&mut self.calendars, &mut self.problems, name, file, origin);
                }
                ["crosswalk", name] if name.ends_with(".toml") => {
                    insert(&mut self.crosswalks, &mut self.problems, name, file, origin);
                }
                ["presets", .., name] if name.ends_with(".toml") => {
                    insert(&mut self.presets, &mut self.problems, name, file, origin);
                }
                ["policies", .., name] if name.ends_with(".md") => {
                    insert(&mut self.policies, &mut self.problems, name, file, origin);
                }
                ["workstreams", .., name] if name.ends_with(".toml") => {
                    insert(&mut self.workstreams, &mut self.problems, name, file, origin);
                }
                ["controls", .., name] if name.ends_with(".toml") => {
                    let id = name.trim_end_matches(".toml");
                    match self.controls.get(id) {
                        Some((_, from)) if *from == origin => self.twice.push((id.to_owned(), &file.path)),
                        Some((there, _)) => {
                            self.shadowed.insert(id.to_owned(), *there);
                        }
                        None => {}
                    }
                    insert(&mut self.controls, &mut self.problems, name, file, origin);
                }
                ["procedures", id, name] if !name.ends_with(".md") => {
                    let (folder, from) = self
                        .procedures
                        .entry((*id).to_owned())
                        .or_insert((procedure::Folder::default(), origin));
                    if *from != origin {
                        // A procedure is overridden whole: half of one with half of another tests nothing.
                        self.halves.extend(folder.toml.map(|toml| ((*id).to_owned(), toml)));
                        (*folder, *from) = (procedure::Folder::default(), origin);
                    }
                    match *name {
                        "procedure.toml" => folder.toml = Some(&file.text),
                        "query.sql" => folder.sql = Some(&file.text),
                        "uptime.sql" => folder.uptime = Some(&file.text),
                        "cases.slt" => folder.cases = Some(&file.text),
                        other => self.problems.push(Problem::of(
                            &file.path,
                            format!("`{other}` is no file of a procedure"),
                            "a procedure has procedure.toml, query.sql, cases.slt and perhaps uptime.sql",
                        )),
                    }
                }
                // Other content (report templates, declarative sources) has other readers; notes are for people.
                [first, ..] if !FOLDERS.contains(first) && parts.len() > 1 => {}
                [.., name] if name.ends_with(".md") => {}
                _ => self.problems.push(Problem::of(
                    &file.path,
                    "the catalogue does not know this file",
                    "content is criteria.toml, tables/*.toml, controls/*.toml, procedures/*/, calendars/*.toml, presets/*.toml, \
                     policies/*.md, crosswalk/*.toml and workstreams/*.toml",
                )),
            }
        }
    }
}

fn insert<'a>(
    into: &mut BTreeMap<String, (&'a SourceFile, Origin)>,
    problems: &mut Vec<Problem>,
    name: &str,
    file: &'a SourceFile,
    origin: Origin,
) {
    let id = name.trim_end_matches(".toml").trim_end_matches(".md").to_owned();
    match into.get(&id) {
        Some((other, from)) if *from == origin => problems.push(Problem::of(
            &file.path,
            format!("`{id}` is already declared in `{}`", other.path),
            "keep one of the two",
        )),
        _ => {
            into.insert(id, (file, origin));
        }
    }
}

#[cfg(test)]
mod tests;
