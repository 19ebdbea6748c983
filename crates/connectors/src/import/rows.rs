//! From records of a file to facts: the one reading that checks a file before it is accepted and derives rows of it afterwards.

use std::collections::BTreeMap;

use model::{DisplayFact, Fact, FactValue, Grade, Instant, Key, TableKind};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::cell::{self, Instants, Numbers, Wrong, shown};
use super::encoding::Encoding;
use super::map::ColumnShape;

/// Form of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Cells with something between them, a header in the first line (RFC 4180).
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// A file of columns; captured as lines of JSON, so that no capture has this form.
    Parquet,
}

/// What a derivation has to know of a file besides its bytes and its mapping.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shape {
    /// Its form.
    pub format: Format,
    /// Its encoding.
    pub encoding: Encoding,
    /// What stands between cells.
    pub delimiter: char,
    /// Names of its columns: of NDJSON those that the mapping names.
    pub header: Vec<String>,
    /// Whether the header stands in this capture.
    pub header_here: bool,
    /// Line of the file at which this capture begins, from 1.
    pub first_line: u64,
    /// Kind of the table.
    pub kind: TableKind,
    /// The table's columns.
    pub columns: Vec<ColumnShape>,
}

/// A constant, or a cell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Given {
    Constant(String),
    Cell(usize),
}

/// Where a field's text comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Cells {
    Constant(String),
    Cell(usize),
}

/// How a field's text is read.
#[derive(Clone, Debug)]
pub(crate) enum How {
    Text { words: Vec<String> },
    Flag,
    Integer(Numbers),
    Instant(Instants),
    Account { system: Given, display: Option<&'static str> },
    Entity { kind: &'static str, scope: Given },
}

/// One column of the table that the file fills.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) nullable: bool,
    pub(crate) cells: Cells,
    pub(crate) words: BTreeMap<String, String>,
    pub(crate) reads: How,
    /// What a constant says, where it is the same of every record.
    pub(crate) fixed: Option<FactValue>,
}

/// What to do with every record of a file.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) table: &'static str,
    pub(crate) about: &'static str,
    pub(crate) key: Vec<usize>,
    pub(crate) scope: Given,
    pub(crate) fields: Vec<Field>,
    pub(crate) display: Vec<(&'static str, usize)>,
    /// Of a state table: the field that tells versions of an entity apart.
    pub(crate) starts: Option<usize>,
    pub(crate) width: usize,
}

/// What a record cannot be read for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Line of the file, from 1; of Parquet the row.
    pub line: u64,
    /// Column of the file; empty when it is about the whole line.
    pub column: String,
    /// What stands there.
    pub value: String,
    /// What is wrong with it.
    pub what: String,
    /// What would be right.
    pub instead: String,
}

impl Fault {
    /// The fault in words, by the name of what `line` counts.
    #[must_use]
    pub fn in_words(&self, place: &str) -> String {
        let column =
            if self.column.is_empty() { String::new() } else { format!(", column `{}`", self.column) };
        let value = if self.value.is_empty() { String::new() } else { format!("`{}` ", self.value) };
        format!("{place} {}{column}: {value}{}; {}", self.line, self.what, self.instead)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.in_words("line"))
    }
}

/// What one record says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Read {
    /// Its row.
    pub fact: Fact,
    /// Texts for people in it.
    pub display: Vec<DisplayFact>,
}

impl Read {
    /// What may come only once in a file: the entity, and of a state the version's start.
    #[must_use]
    pub fn identity(&self, plan: &Plan) -> (&str, &str, Option<&FactValue>) {
        let about = &self.fact.about;
        let start = plan.starts.and_then(|at| self.fact.values.get(at)).map(|(_, value)| value);
        (&about.scope, &about.key, start)
    }
}

impl Plan {
    /// The record table the rows go to.
    #[must_use]
    pub const fn table(&self) -> &'static str {
        self.table
    }

    /// Reads every record of a text: the file's, or a capture's part of it. Each is handed over as it was read, with its line.
    pub fn read(
        &self,
        text: &str,
        shape: &Shape,
        grade: Grade,
        each: &mut dyn FnMut(u64, Result<Read, Vec<Fault>>),
    ) {
        let text = text.strip_prefix('\u{feff}').filter(|_| shape.first_line == 1).unwrap_or(text);
        match shape.format {
            Format::Csv => self.csv(text, shape, grade, each),
            Format::Ndjson | Format::Parquet => self.ndjson(text, shape, grade, each),
        }
    }

    fn csv(
        &self,
        text: &str,
        shape: &Shape,
        grade: Grade,
        each: &mut dyn FnMut(u64, Result<Read, Vec<Fault>>),
    ) {
        let mut reader = reader(shape.delimiter).from_reader(text.as_bytes());
        let mut record = csv::StringRecord::new();
        let mut header = shape.header_here;
        loop {
            match reader.read_record(&mut record) {
                Ok(true) => {}
                // Reading from memory, and the text is UTF-8: nothing can go wrong.
                Ok(false) | Err(_) => return,
            }
            if std::mem::take(&mut header) {
                continue;
            }
            let line = line_of(&record, text) + shape.first_line - 1;
            if record.len() != self.width {
                let fault = Fault {
                    line,
                    column: String::new(),
                    value: String::new(),
                    what: format!("there are {} cells, and the header has {}", record.len(), self.width),
                    instead: "put a text that holds the delimiter or a line break into double quotes, or complete the line"
                        .to_owned(),
                };
                each(line, Err(vec![fault]));
                continue;
            }
            let read = self.record(&|at| record.get(at).unwrap_or(""), &shape.header, line, grade);
            each(line, read);
        }
    }

    fn ndjson(
        &self,
        text: &str,
        shape: &Shape,
        grade: Grade,
        each: &mut dyn FnMut(u64, Result<Read, Vec<Fault>>),
    ) {
        for (at, row) in text.split_inclusive('\n').enumerate() {
            let line = at as u64 + shape.first_line;
            let row = row.trim();
            if row.is_empty() {
                continue;
            }
            let cells = json_cells(row, &shape.header);
            let read = match &cells {
                Ok(cells) => {
                    self.record(&|at| cells.get(at).map_or("", String::as_str), &shape.header, line, grade)
                }
                Err((column, value, (what, instead))) => Err(vec![Fault {
                    line,
                    column: column.clone(),
                    value: shown(value),
                    what: what.clone(),
                    instead: instead.clone(),
                }]),
            };
            each(line, read);
        }
    }

    fn record<'c>(
        &self,
        cell: &dyn Fn(usize) -> &'c str,
        header: &[String],
        line: u64,
        grade: Grade,
    ) -> Result<Read, Vec<Fault>> {
        let mut faults = vec![];
        let mut fault = |at: Option<usize>, value: &str, (what, instead): Wrong| {
            let column = at.and_then(|at| header.get(at)).cloned().unwrap_or_default();
            faults.push(Fault { line, column, value: shown(value), what, instead });
        };
        let given = |given: &Given| -> (Option<usize>, &str) {
            match given {
                // A constant lives as long as the plan; so does nothing of the record, whence the copy below.
                Given::Constant(_) => (None, ""),
                Given::Cell(at) => (Some(*at), cell(*at).trim()),
            }
        };
        let name = |g: &Given| -> Result<String, (Option<usize>, Wrong)> {
            match g {
                Given::Constant(text) => Ok(text.clone()),
                Given::Cell(_) => {
                    let (at, text) = given(g);
                    usable(text).map(str::to_owned).map_err(|wrong| (at, wrong))
                }
            }
        };

        let mut key = String::new();
        for (n, at) in self.key.iter().enumerate() {
            let text = cell(*at).trim();
            match usable(text) {
                Ok(text) if self.key.len() == 1 => key.push_str(text),
                Ok(text) => {
                    if n > 0 {
                        key.push('|');
                    }
                    // So that no two keys look alike: `a|` and `b`, `a` and `|b`.
                    key.push_str(&text.replace('\\', "\\\\").replace('|', "\\|"));
                }
                Err(wrong) => fault(Some(*at), text, wrong),
            }
        }
        let scope = name(&self.scope).unwrap_or_else(|(at, wrong)| {
            fault(at, "", wrong);
            String::new()
        });
        let about = Key::new(self.about, scope, key);

        let mut display = vec![];
        let mut values = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            if let Some(fixed) = &field.fixed {
                values.push((field.name, fixed.clone()));
                continue;
            }
            let (at, raw) = match &field.cells {
                Cells::Constant(text) => (None, text.as_str()),
                Cells::Cell(at) => (Some(*at), cell(*at)),
            };
            match field.value(raw, &name) {
                Ok(value) => {
                    if let (FactValue::Entity(who), How::Account { display: Some(as_field), .. }) =
                        (&value, &field.reads)
                    {
                        let text = who.key.clone();
                        display.push(DisplayFact { about: who.clone(), field: as_field, text });
                    }
                    values.push((field.name, value));
                }
                Err((Some(other), wrong)) => fault(Some(other), cell(other), wrong),
                Err((None, wrong)) => fault(at, raw, wrong),
            }
        }
        for (field, at) in &self.display {
            let text = cell(*at).trim();
            if !text.is_empty() {
                display.push(DisplayFact { about: about.clone(), field, text: text.to_owned() });
            }
        }
        if faults.is_empty() {
            Ok(Read { fact: Fact { table: self.table, about, grade, values }, display })
        } else {
            Err(faults)
        }
    }
}

/// A text that can be a key.
fn usable(text: &str) -> Result<&str, Wrong> {
    let wrong = |what: &str, instead: &str| Err((what.to_owned(), instead.to_owned()));
    if text.is_empty() {
        return wrong("the cell is empty", "a key has to be there: complete the line, or map another column");
    }
    if text.contains(char::is_control) {
        return wrong("holds a control character", "a key is one line of text: remove it");
    }
    if text.len() > 1000 {
        return wrong("is longer than a key can be", "map a column that holds a short key");
    }
    Ok(text)
}

pub(crate) type Named<'n> = dyn Fn(&Given) -> Result<String, (Option<usize>, Wrong)> + 'n;

impl Field {
    pub(crate) fn value(&self, raw: &str, name: &Named<'_>) -> Result<FactValue, (Option<usize>, Wrong)> {
        let trimmed = raw.trim();
        let (text, from_words) = match self.words.get(trimmed) {
            Some(word) => (word.as_str(), true),
            // A constant is the mapping's own word, whatever the file's own form is.
            None => (trimmed, matches!(self.cells, Cells::Constant(_))),
        };
        let own = |wrong: Wrong| (None, wrong);
        if text.is_empty() && (!matches!(self.reads, How::Text { .. }) || raw.is_empty() || from_words) {
            return if self.nullable {
                Ok(FactValue::Null)
            } else {
                Err(own((
                    "the cell is empty".to_owned(),
                    format!(
                        "`{}` has to be known: complete the line, or say what an empty cell means with `words = {{ \"\" = … }}`",
                        self.name
                    ),
                )))
            };
        }
        Ok(match &self.reads {
            How::Text { words } if words.is_empty() => {
                FactValue::Text(if from_words { text } else { raw }.to_owned())
            }
            How::Text { words } => match words.iter().find(|w| *w == text) {
                Some(word) => FactValue::Text(word.clone()),
                None => {
                    let known = words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
                    return Err(own((
                        format!("is no word of `{}`", self.name),
                        format!(
                            "there are {known}; say which it means with `words = {{ {} = \"…\" }}`",
                            cell::quoted(trimmed)
                        ),
                    )));
                }
            },
            How::Flag => cell::flag(text).map_err(own)?.into(),
            How::Integer(numbers) => {
                let plain = Numbers { times: 1, ..Numbers::default() };
                cell::integer(text, if from_words { &plain } else { numbers }).map_err(own)?.into()
            }
            How::Instant(_) if from_words && text == "forever" => Instant::FOREVER.into(),
            How::Instant(_) if from_words && text == "beginning" => Instant::BEGINNING.into(),
            How::Instant(instants) => {
                let plain = Instants { format: None, ..instants.clone() };
                cell::instant(text, if from_words { &plain } else { instants }).map_err(own)?.into()
            }
            How::Account { system, .. } => {
                Key::new("account", name(system)?, usable(text).map_err(own)?).into()
            }
            How::Entity { kind, scope } => Key::new(kind, name(scope)?, usable(text).map_err(own)?).into(),
        })
    }
}

/// The line in which a record begins. The reader's own count stands before the empty lines it steps over.
fn line_of(record: &csv::StringRecord, text: &str) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let rest = usize::try_from(position.byte()).ok().and_then(|at| text.as_bytes().get(at..)).unwrap_or(&[]);
    let stepped = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).filter(|b| **b == b'\n').count();
    position.line() + stepped as u64
}

/// How cells are told apart; every record is looked at, also one with too few of them.
pub(crate) fn reader(delimiter: char) -> csv::ReaderBuilder {
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(u8::try_from(delimiter).unwrap_or(b','));
    builder
}

/// A JSON object with its names in the order they stand in, so that one that comes twice is seen.
struct Pairs(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Pairs;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = vec![];
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// The cells of a JSON object that `header` names: by its own name, else by names joined with dots.
fn json_cells(row: &str, header: &[String]) -> Result<Vec<String>, (String, String, Wrong)> {
    let wrong = |column: &str, value: &str, what: &str, instead: &str| {
        Err((column.to_owned(), value.to_owned(), (what.to_owned(), instead.to_owned())))
    };
    let Ok(Pairs(pairs)) = serde_json::from_str::<Pairs>(row) else {
        return wrong("", row, "is no JSON object", "write one object a line, such as {\"key\":\"A-1\"}");
    };
    let mut cells = Vec::with_capacity(header.len());
    for name in header {
        let mut found = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        let value = match (found.next(), found.next()) {
            (Some(_), Some(_)) => {
                return wrong(name, "", "the name comes twice in the object", "keep one of the two");
            }
            (Some(value), None) => Some(value),
            (None, _) => by_path(&pairs, name),
        };
        cells.push(match value {
            None | Some(Json::Null) => String::new(),
            Some(Json::String(text)) => text.clone(),
            Some(Json::Bool(yes)) => yes.to_string(),
            Some(Json::Number(number)) => number.to_string(),
            Some(other) => {
                return wrong(
                    name,
                    &other.to_string(),
                    "is no single value",
                    "name what is inside it, such as `fields.summary`",
                );
            }
        });
    }
    Ok(cells)
}

fn by_path<'v>(pairs: &'v [(String, Json)], path: &str) -> Option<&'v Json> {
    let mut parts = path.split('.');
    let first = parts.next()?;
    let (_, whole) = pairs.iter().find(|(key, _)| key == first)?;
    parts.try_fold(whole, |value, part| value.get(part))
}
