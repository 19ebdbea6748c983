//! What is wrong with a content file, where, and what to write instead.

use std::fmt;

/// One problem in a content file. Loading gathers all of them; none stops another file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Problem {
    /// Path inside the content folder, such as `procedures/x/query.sql`.
    pub file: String,
    /// Line, counted from 1; 0 when the problem has no place.
    pub line: u32,
    /// Column, counted from 1; 0 when the problem has no place.
    pub column: u32,
    /// What is wrong and why.
    pub message: String,
    /// What to write or do instead; empty when the message says it.
    pub help: String,
}

impl Problem {
    /// A problem at a line and column of `file`.
    pub(crate) fn at(
        file: &str,
        (line, column): (u32, u32),
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { file: file.to_owned(), line, column, message: message.into(), help: help.into() }
    }

    /// A problem of a whole file.
    pub(crate) fn of(file: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::at(file, (0, 0), message, help)
    }
}

impl Problem {
    /// What is wrong and what to do, without the place.
    #[must_use]
    pub fn said(&self) -> String {
        if self.help.is_empty() { self.message.clone() } else { format!("{}; {}", self.message, self.help) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        if !self.help.is_empty() {
            write!(f, "; {}", self.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// The known name nearest to a mistyped one, when one is near enough to be meant.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|k| (distance(typed, k), k))
        .filter(|(d, k)| *d <= 1 + k.len() / 4)
        .min()
        .map(|(_, k)| k)
}

/// Levenshtein distance over bytes: names are ASCII.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Several names for a sentence: `a`, `b`, `c`.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

/// How many names of a kind are worth reading in a sentence.
const LISTED: usize = 20;

/// Help for a name that is not known: the nearest one, or the others.
pub(crate) fn instead<'a>(typed: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(name) = nearest(typed, known.clone()) {
        return format!("did you mean `{name}`?");
    }
    let all = known.clone().into_iter().count();
    match listed(known.into_iter().take(LISTED)) {
        list if list.is_empty() => "there is none".to_owned(),
        list if all > LISTED => format!("known are {list} and {} more", all - LISTED),
        list => format!("known are {list}"),
    }
}
