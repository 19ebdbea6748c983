//! The mapping: a small TOML file that says what the columns of a file mean. It is kept with every capture.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::tz::TimeZone;
use model::{Column, ColumnType, Table, TableKind, interned};
use serde::{Deserialize, Serialize};

use super::cell::{Day, InstantFormat, Instants, Numbers, Repeated};
use super::encoding::Encoding;
use super::rows::{Cells, Field, Format, Given, How, Plan};

/// A mapping as it is written.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The record table that the rows go to.
    pub table: String,
    /// Columns of the file that say which entity a row is about, together.
    key: OneOrMore,
    /// Kind of that entity; the table's name when absent.
    kind: Option<String>,
    /// What the key is unique within: a repository, or the system of an account.
    scope: Option<Source>,
    /// Form of the file; by its name when absent.
    pub format: Option<Format>,
    /// What stands between cells; found in the header when absent.
    pub delimiter: Option<char>,
    /// Encoding of its text, where no byte-order mark says it.
    pub encoding: Option<Encoding>,
    /// The system whose own export the file is, in words for people.
    pub export_of: Option<String>,
    /// Zone of every local time that says no other.
    zone: Option<String>,
    /// What `--covers` speaks for: repositories, or other scopes by kind and key; the company as a whole when empty.
    #[serde(default)]
    covers: Vec<Covered>,
    /// By column of the table: which column of the file, and how it is read.
    columns: BTreeMap<String, Rule>,
    /// Texts for people about the entity, kept apart from the rows: `name`, `email`, `login`, `title`, `url`; of an account also
    /// `employee_number` and `sso_subject`, by which the same person is known elsewhere.
    #[serde(default)]
    display: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// What a window of a table is about.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(untagged)]
enum Covered {
    Repository(String),
    Other { kind: String, key: String },
}

/// A constant, or a column of the file.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(untagged)]
enum Source {
    Constant(String),
    Column { column: String },
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(untagged)]
enum Rule {
    Column(String),
    How(Box<Detailed>),
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Detailed {
    column: Option<String>,
    constant: Option<Scalar>,
    format: Option<String>,
    zone: Option<String>,
    day: Option<Day>,
    repeated: Option<Repeated>,
    decimal: Option<char>,
    group: Option<char>,
    times: Option<i64>,
    #[serde(default)]
    words: BTreeMap<String, Scalar>,
    system: Option<Source>,
    kind: Option<String>,
    scope: Option<Source>,
    display: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Integer(i64),
    Flag(bool),
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(n) => n.to_string(),
            Self::Flag(yes) => yes.to_string(),
        }
    }
}

/// What a derivation has to know of a column of the table, as it was when the file was imported.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ColumnShape {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Whether it may be unknown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nullable: bool,
    /// The only words it may hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
}

/// The columns of a table as receipts keep them.
#[must_use]
pub fn columns_of(table: &Table) -> Vec<ColumnShape> {
    let shape = |c: &Column| ColumnShape {
        name: c.name.clone(),
        kind: c.kind,
        nullable: c.nullable,
        words: c.words.clone(),
    };
    table.columns.iter().map(shape).collect()
}

/// What is wrong with a mapping, one problem a line.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct MappingError(pub Vec<String>);

/// Why nobody may import into a table; `None` when everybody may.
#[must_use]
pub fn may_be_imported(table: &Table) -> Option<&'static str> {
    if table.name == "coverage" {
        return Some("what was looked at is said with --covers, together with the rows");
    }
    if table.name == "evidence_file" {
        return Some("a file of evidence is kept with its bytes; run `tickmark evidence add`");
    }
    if table.name == "person_decision" {
        return Some("who is who is decided with `tickmark person`");
    }
    let made_here = |stream: &String| stream.starts_with("records.") || stream.starts_with("content.");
    (!table.fed_by.is_empty() && table.fed_by.iter().all(made_here))
        .then_some("its rows are worked out from others")
}

/// Kinds whose keys mean the same wherever they stand: a commit's id, a repository's address.
const SCOPELESS: [&str; 3] = ["repository", "revision", "system"];

/// Fields of `display`.
const DISPLAY: [&str; 7] = ["name", "email", "login", "title", "url", "employee_number", "sso_subject"];

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// What is no TOML, or has words that mean nothing, with its line.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        toml::from_str(text).map_err(|e| {
            let at = |span: Range<usize>| text.get(..span.start).map_or(0, |t| t.matches('\n').count()) + 1;
            let line = e.span().map(|span| format!("line {}: ", at(span))).unwrap_or_default();
            let what = e.message().trim().replace('\n', " ");
            MappingError(vec![format!("{line}{what}")])
        })
    }

    /// Every column of the file that it names, in the order of first mention.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = vec![];
        let mut add = |name: &str| {
            if !names.iter().any(|n| n == name) {
                names.push(name.to_owned());
            }
        };
        for key in self.keys() {
            add(key);
        }
        let mut of = |source: &Option<Source>| {
            if let Some(Source::Column { column }) = source {
                add(column);
            }
        };
        of(&self.scope);
        for rule in self.columns.values() {
            match rule {
                Rule::Column(column) => of(&Some(Source::Column { column: column.clone() })),
                Rule::How(how) => {
                    of(&how.column.clone().map(|column| Source::Column { column }));
                    of(&how.system);
                    of(&how.scope);
                }
            }
        }
        for column in self.display.values() {
            of(&Some(Source::Column { column: column.clone() }));
        }
        names
    }

    /// Whether it says of a column of the file how numbers are written as text, in another way than with a point.
    pub(crate) fn reads_as_written(&self, name: &str) -> bool {
        self.columns.values().any(|rule| match rule {
            Rule::Column(_) => false,
            Rule::How(how) => {
                how.column.as_deref() == Some(name)
                    && (how.group.is_some() || how.decimal.is_some_and(|c| c != '.'))
            }
        })
    }

    /// The scopes that `--covers` speaks for, by kind and key. None means the company as a whole.
    #[must_use]
    pub fn covered(&self) -> Vec<(String, String)> {
        let of = |covered: &Covered| match covered {
            Covered::Repository(key) => ("repository".to_owned(), key.clone()),
            Covered::Other { kind, key } => (kind.clone(), key.clone()),
        };
        self.covers.iter().map(of).collect()
    }

    fn keys(&self) -> &[String] {
        match &self.key {
            OneOrMore::One(key) => std::slice::from_ref(key),
            OneOrMore::More(keys) => keys,
        }
    }

    /// What to do with every record of a file with this header.
    ///
    /// # Errors
    /// Everything in the mapping that does not fit the table or the header.
    pub fn plan(
        &self,
        kind: TableKind,
        columns: &[ColumnShape],
        header: &[String],
    ) -> Result<Plan, MappingError> {
        let mut compiler = Compiler { mapping: self, header, problems: BTreeSet::new() };
        let plan = compiler.plan(kind, columns);
        if compiler.problems.is_empty() {
            Ok(plan)
        } else {
            Err(MappingError(compiler.problems.into_iter().collect()))
        }
    }
}

struct Compiler<'a> {
    mapping: &'a Mapping,
    header: &'a [String],
    problems: BTreeSet<String>,
}

impl Compiler<'_> {
    fn problem(&mut self, text: String) {
        self.problems.insert(text);
    }

    fn cell(&mut self, name: &str) -> usize {
        let mut found = self.header.iter().enumerate().filter(|(_, h)| *h == name).map(|(at, _)| at);
        match (found.next(), found.next()) {
            (Some(at), None) => at,
            (Some(at), Some(_)) => {
                self.problem(format!(
                    "the file has two columns `{name}`; rename one of them in its first line"
                ));
                at
            }
            (None, _) => {
                let known = self.header.iter().map(|h| format!("`{h}`")).collect::<Vec<_>>().join(", ");
                self.problem(format!("the file has no column `{name}`; it has {known}"));
                0
            }
        }
    }

    fn given(&mut self, source: &Source) -> Given {
        match source {
            Source::Constant(text) => Given::Constant(text.clone()),
            Source::Column { column } => Given::Cell(self.cell(column)),
        }
    }

    fn zone(&mut self, name: Option<&String>) -> Option<TimeZone> {
        let name = name?;
        let zone = TimeZone::get(name).ok();
        if zone.is_none() {
            self.problem(format!("`{name}` is no time zone; write an IANA name like Europe/Berlin or UTC"));
        }
        zone
    }

    /// Kinds of entities become part of the program: they look like the names that content has.
    fn name(&mut self, what: &str, name: &str) -> &'static str {
        let fits = !name.is_empty()
            && name.len() <= 60
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !fits {
            self.problem(format!(
                "`{name}` is no {what}; write lower-case words joined by `_`, such as `pull_request`"
            ));
            return "";
        }
        interned(name)
    }

    fn plan(&mut self, kind: TableKind, columns: &[ColumnShape]) -> Plan {
        let mapping = self.mapping;
        let table = self.name("table", &mapping.table);
        let about = match &mapping.kind {
            Some(kind) => self.name("kind of entity", kind),
            None => table,
        };
        if mapping.keys().is_empty() {
            self.problem("`key` names no column; name those that tell one entity from another".to_owned());
        }
        let key: Vec<usize> = mapping.keys().iter().map(|name| self.cell(name)).collect();
        let scope = match &mapping.scope {
            Some(source) => self.given(source),
            None => Given::Constant(String::new()),
        };
        if about == "account" && mapping.scope.is_none() {
            self.problem(
                "the key of an account is unique within its system only; name the system with `scope`"
                    .to_owned(),
            );
        }
        let mut fields = vec![];
        for (name, rule) in &mapping.columns {
            match columns.iter().find(|c| c.name == *name) {
                Some(column) => fields.extend(self.field(column, rule)),
                None => {
                    let known =
                        columns.iter().map(|c| format!("`{}`", c.name)).collect::<Vec<_>>().join(", ");
                    self.problem(format!("the table `{table}` has no column `{name}`; it has {known}"));
                }
            }
        }
        for column in columns.iter().filter(|c| !c.nullable && !mapping.columns.contains_key(&c.name)) {
            self.problem(format!(
                "nothing is said about `{}`, which `{table}` cannot do without; map a column or a `constant` to it",
                column.name
            ));
        }
        let mut display = vec![];
        for (field, column) in &mapping.display {
            let at = self.cell(column);
            display.extend(self.shown_as(field).map(|field| (field, at)));
        }
        let starts = (kind == TableKind::State)
            .then(|| fields.iter().position(|f: &Field| f.name == "valid_from"))
            .flatten();
        for (kind, key) in mapping.covered() {
            self.name("kind of entity", &kind);
            if key.trim().is_empty() {
                self.problem("`covers` names a scope without a key; write what it is called".to_owned());
            }
        }
        Plan { table, about, key, scope, fields, display, starts, width: self.header.len() }
    }

    fn shown_as(&mut self, field: &str) -> Option<&'static str> {
        let known = DISPLAY.iter().copied().find(|known| *known == field);
        if known.is_none() {
            self.problem(format!("`{field}` is no text for people; there are `{}`", DISPLAY.join("`, `")));
        }
        known
    }

    fn field(&mut self, column: &ColumnShape, rule: &Rule) -> Option<Field> {
        let plain;
        let how = match rule {
            Rule::Column(name) => {
                plain = Detailed { column: Some(name.clone()), ..Detailed::default() };
                &plain
            }
            Rule::How(how) => how,
        };
        let cells = match (&how.column, &how.constant) {
            (Some(name), None) => Cells::Cell(self.cell(name)),
            (None, Some(constant)) => Cells::Constant(constant.text()),
            _ => {
                self.problem(format!("`{}` needs either `column` or `constant`", column.name));
                return None;
            }
        };
        self.only_where_it_means_something(column, how);
        let words = how.words.iter().map(|(from, to)| (from.trim().to_owned(), to.text())).collect();
        let reads = match column.kind {
            ColumnType::Text => How::Text { words: column.words.clone() },
            ColumnType::Flag => How::Flag,
            ColumnType::Integer => How::Integer(Numbers {
                decimal: how.decimal,
                group: how.group,
                times: how.times.unwrap_or(1),
            }),
            ColumnType::Instant => {
                let zone = how.zone.as_ref().or(self.mapping.zone.as_ref());
                How::Instant(Instants {
                    format: how.format.as_deref().map(InstantFormat::of),
                    zone: self.zone(zone),
                    day: how.day,
                    repeated: how.repeated,
                })
            }
            ColumnType::Account => {
                let system = match &how.system {
                    Some(source) => self.given(source),
                    None => {
                        self.problem(format!(
                            "`{}` names accounts; say of which system with `system`, such as \
                             {} = {{ column = \"…\", system = \"github.com\" }}",
                            column.name, column.name
                        ));
                        return None;
                    }
                };
                let display = how.display.as_deref().and_then(|field| self.shown_as(field));
                How::Account { system, display }
            }
            ColumnType::Entity => {
                let kind = how.kind.as_deref().unwrap_or(match column.name.as_str() {
                    known @ ("repository" | "change" | "pull_request" | "ticket" | "deployment"
                    | "incident" | "revision" | "person" | "vendor" | "system" | "slo") => known,
                    "head" | "tip" => "revision",
                    "metric" => "slo",
                    _ => "",
                });
                if kind.is_empty() {
                    self.problem(format!(
                        "`{}` names another entity; say of which kind with `kind`, such as `kind = \"deployment\"`",
                        column.name
                    ));
                    return None;
                }
                if how.scope.is_some() && SCOPELESS.contains(&kind) {
                    self.problem(format!(
                        "`{}` is a {kind}, which is known everywhere by its own key; leave `scope` out, or it is another one",
                        column.name
                    ));
                }
                let scope = match &how.scope {
                    Some(source) => self.given(source),
                    None => Given::Constant(String::new()),
                };
                let kind = self.name("kind of entity", kind);
                if kind == "account" {
                    self.problem(format!("`{}` is no column of accounts", column.name));
                }
                How::Entity { kind, scope }
            }
        };
        let name = interned(&column.name);
        let field = Field { name, nullable: column.nullable, cells, words, reads, fixed: None };
        Some(self.with_constant(column, field))
    }

    /// A constant that cannot be read is a mistake of the mapping, and of no line.
    fn with_constant(&mut self, column: &ColumnShape, mut field: Field) -> Field {
        let Cells::Constant(text) = &field.cells else { return field };
        let by_record = match &field.reads {
            How::Account { system: Given::Cell(_), .. } | How::Entity { scope: Given::Cell(_), .. } => true,
            How::Account { display, .. } => display.is_some(),
            _ => false,
        };
        let given = |given: &Given| match given {
            Given::Constant(text) => Ok(text.clone()),
            Given::Cell(_) => Ok(String::new()),
        };
        match field.value(text, &given) {
            Ok(value) if !by_record => field.fixed = Some(value),
            Ok(_) => {}
            Err((_, (what, instead))) => {
                self.problem(format!("the constant `{text}` for `{}`: it {what}; {instead}", column.name));
            }
        }
        field
    }

    /// A word that would change nothing is a mistake.
    fn only_where_it_means_something(&mut self, column: &ColumnShape, how: &Detailed) {
        use ColumnType as T;
        let given: [(&str, bool, &[T]); 11] = [
            ("format", how.format.is_some(), &[T::Instant]),
            ("zone", how.zone.is_some(), &[T::Instant]),
            ("day", how.day.is_some(), &[T::Instant]),
            ("repeated", how.repeated.is_some(), &[T::Instant]),
            ("decimal", how.decimal.is_some(), &[T::Integer]),
            ("group", how.group.is_some(), &[T::Integer]),
            ("times", how.times.is_some(), &[T::Integer]),
            ("system", how.system.is_some(), &[T::Account]),
            ("display", how.display.is_some(), &[T::Account]),
            ("kind", how.kind.is_some(), &[T::Entity]),
            ("scope", how.scope.is_some(), &[T::Entity]),
        ];
        for (word, there, kinds) in given {
            if there && !kinds.contains(&column.kind) {
                self.problem(format!("`{word}` means nothing for `{}`; remove it", column.name));
            }
        }
        if how.times.is_some_and(|n| n < 1) || (how.decimal.is_some() && how.decimal == how.group) {
            self.problem(format!(
                "the numbers of `{}` cannot be read like that; see `times`, `decimal` and `group`",
                column.name
            ));
        }
    }
}
