//! Reads strict TOML field by field, so that every problem of a file is found at once and names its line.

use std::cell::RefCell;
use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::{Problem, instead};

/// The file being read, and what was found wrong with it so far.
pub(crate) struct File<'a> {
    name: &'a str,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> File<'a> {
    pub(crate) fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, problems: RefCell::default() }
    }

    /// Parses the text and hands the outermost section to `read`. Gives its result when nothing was wrong.
    pub(crate) fn read<T>(self, read: impl FnOnce(&mut Section<'_>) -> T) -> (Option<T>, Vec<Problem>) {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for e in &errors {
            let message = e.message().lines().next().unwrap_or("this is no TOML").to_owned();
            self.problem(e.span().map_or(0, |s| s.start), message, "");
        }
        if !errors.is_empty() {
            return (None, self.problems.into_inner());
        }
        let value = {
            let mut section = Section { file: &self, at: 0, table: table.get_ref(), asked: BTreeSet::new() };
            // Of a file for a later version every other complaint would be beside the point.
            if !section.is_for_this_version() {
                return (None, self.problems.into_inner());
            }
            let value = read(&mut section);
            section.finish();
            value
        };
        let problems = self.problems.into_inner();
        (problems.is_empty().then_some(value), problems)
    }

    fn problem(&self, offset: usize, message: impl Into<String>, help: impl Into<String>) {
        self.problems.borrow_mut().push(Problem::at(self.name, position(self.text, offset), message, help));
    }
}

/// Line and column, counted from 1, of a byte offset.
pub(crate) fn position(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// A value with the offset at which it stands.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) offset: usize,
}

/// One table of the file. Fields that nobody asks for are unknown, and are reported when it is finished.
pub(crate) struct Section<'f> {
    file: &'f File<'f>,
    at: usize,
    table: &'f DeTable<'f>,
    asked: BTreeSet<&'static str>,
}

impl<'f> Section<'f> {
    fn get(&mut self, key: &'static str) -> Option<&'f Spanned<DeValue<'f>>> {
        self.asked.insert(key);
        self.table.get(key)
    }

    fn expected(&self, value: &Spanned<DeValue<'_>>, key: &str, what: &str) {
        self.problem(
            value.span().start,
            format!("`{key}` is {} {}", article(value.get_ref().type_str()), value.get_ref().type_str()),
            format!("write {what}"),
        );
    }

    /// Whether the file says that it is for a later version of Tickmark; a wrong word for one counts as if it were.
    fn is_for_this_version(&mut self) -> bool {
        let Some(At { value, offset }) = self.text_at("requires") else {
            return self.table.get("requires").is_none();
        };
        let this = env!("CARGO_PKG_VERSION");
        match (version(&value), version(this)) {
            (Some(asked), Some(have)) if asked <= have => true,
            (Some(_), _) => {
                self.problem(
                    offset,
                    format!("the file is for Tickmark {value} or later, and this is {this}"),
                    "use that version, or take the file as an earlier one had it",
                );
                false
            }
            (None, _) => {
                self.problem(
                    offset,
                    format!("`{value}` is no version"),
                    format!("write `requires = \"{this}\"`"),
                );
                false
            }
        }
    }

    /// Line and column of an offset.
    pub(crate) fn position(&self, offset: usize) -> (u32, u32) {
        position(self.file.text, offset)
    }

    /// Where the section begins.
    pub(crate) const fn offset(&self) -> usize {
        self.at
    }

    /// Reports a problem at an offset of the file.
    pub(crate) fn problem(&self, offset: usize, message: impl Into<String>, help: impl Into<String>) {
        self.file.problem(offset, message, help);
    }

    /// An optional text, with its place.
    pub(crate) fn text_at(&mut self, key: &'static str) -> Option<At<String>> {
        let value = self.get(key)?;
        match value.get_ref().as_str() {
            Some(s) => Some(At { value: s.to_owned(), offset: value.span().start }),
            None => {
                self.expected(value, key, &format!("`{key} = \"...\"`"));
                None
            }
        }
    }

    /// An optional text.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<String> {
        self.text_at(key).map(|t| t.value)
    }

    /// A text that has to be there and say something.
    pub(crate) fn required(&mut self, key: &'static str) -> String {
        let missing = self.get(key).is_none();
        match self.text_at(key) {
            Some(t) if t.value.trim().is_empty() => {
                self.problem(t.offset, format!("`{key}` is empty"), "");
                String::new()
            }
            Some(t) => t.value,
            None => {
                if missing {
                    self.problem(self.at, format!("`{key}` is missing"), format!("write `{key} = \"...\"`"));
                }
                String::new()
            }
        }
    }

    /// A list of texts; a single text counts as a list of one, an absent field as an empty list.
    pub(crate) fn texts(&mut self, key: &'static str) -> Vec<At<String>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        if let Some(s) = value.get_ref().as_str() {
            return vec![At { value: s.to_owned(), offset: value.span().start }];
        }
        let Some(array) = value.get_ref().as_array() else {
            self.expected(value, key, &format!("`{key} = [\"...\"]`"));
            return Vec::new();
        };
        let mut list: Vec<At<String>> = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(s) if list.iter().any(|x| x.value == s) => {
                    self.problem(item.span().start, format!("`{s}` stands twice in `{key}`"), "remove one");
                }
                Some(s) => list.push(At { value: s.to_owned(), offset: item.span().start }),
                None => self.expected(item, key, "a list of texts"),
            }
        }
        list
    }

    /// An optional flag.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.expected(value, key, &format!("`{key} = true` or `{key} = false`"));
        }
        flag
    }

    /// An optional whole number.
    pub(crate) fn integer(&mut self, key: &'static str) -> Option<i64> {
        let value = self.get(key)?;
        let number =
            value.get_ref().as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
        if number.is_none() {
            self.expected(value, key, "a whole number");
        }
        number
    }

    /// Where a field stands, whatever it holds.
    pub(crate) fn place(&mut self, key: &'static str) -> Option<usize> {
        self.get(key).map(|v| v.span().start)
    }

    /// The section `[key]`, where there is one.
    pub(crate) fn section(&mut self, key: &'static str) -> Option<Self> {
        let value = self.get(key)?;
        let at = value.span().start;
        match value.get_ref().as_table() {
            Some(table) => Some(Section { file: self.file, at, table, asked: BTreeSet::new() }),
            None => {
                self.expected(value, key, &format!("a section `[{key}]`"));
                None
            }
        }
    }

    /// The sections `[key.name]`, by name.
    pub(crate) fn named(&mut self, key: &'static str) -> Vec<(At<String>, Self)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(table) = value.get_ref().as_table() else {
            self.expected(value, key, &format!("sections `[{key}.name]`"));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (name, value) in table {
            let offset = name.span().start;
            match value.get_ref().as_table() {
                Some(table) => sections.push((
                    At { value: name.get_ref().to_string(), offset },
                    Section { file: self.file, at: offset, table, asked: BTreeSet::new() },
                )),
                None => {
                    self.expected(value, name.get_ref(), &format!("a section `[{key}.{}]`", name.get_ref()))
                }
            }
        }
        sections.sort_by_key(|(name, _)| name.offset);
        sections
    }

    /// The sections `[[key]]`, in order.
    pub(crate) fn each(&mut self, key: &'static str) -> Vec<Self> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.expected(value, key, &format!("sections `[[{key}]]`"));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_table() {
                Some(table) => {
                    sections.push(Section {
                        file: self.file,
                        at: item.span().start,
                        table,
                        asked: BTreeSet::new(),
                    });
                }
                None => self.expected(item, key, &format!("sections `[[{key}]]`")),
            }
        }
        sections
    }

    /// Reports the fields that nobody asked for.
    pub(crate) fn finish(self) {
        for (key, _) in self.table {
            let name = key.get_ref().as_ref();
            if !self.asked.contains(name) {
                self.problem(
                    key.span().start,
                    format!("`{name}` is not a field here"),
                    instead(name, self.asked.iter().copied()),
                );
            }
        }
    }
}

/// The three numbers of a version.
fn version(text: &str) -> Option<[u64; 3]> {
    let numbers: Vec<u64> = text.trim().split('.').map(|n| n.parse().ok()).collect::<Option<_>>()?;
    match numbers.as_slice() {
        [major, minor] => Some([*major, *minor, 0]),
        [major, minor, patch] => Some([*major, *minor, *patch]),
        _ => None,
    }
}

/// The texts of a list in a file of which something else is wrong; nothing where it cannot be made out.
pub(crate) fn texts_of(text: &str, key: &str) -> Vec<String> {
    let (table, _) = DeTable::parse_recoverable(text);
    let Some(value) = table.get_ref().get(key) else { return vec![] };
    let one = |value: &Spanned<DeValue<'_>>| value.get_ref().as_str().map(str::to_owned);
    match value.get_ref().as_array() {
        Some(array) => array.iter().filter_map(one).collect(),
        None => one(value).into_iter().collect(),
    }
}

const fn article(word: &str) -> &'static str {
    match word.as_bytes() {
        [b'a' | b'e' | b'i' | b'o' | b'u', ..] => "an",
        _ => "a",
    }
}
