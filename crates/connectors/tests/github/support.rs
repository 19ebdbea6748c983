//! From captures to something a test can compare: facts as lines of text.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use collect::{Http, HttpConfig, RunSummary, Secret};
use connectors::git::Conventions;
use connectors::github::{self, Cursors, Source};
use model::{Capture, Derived, Document, Fact, FactValue, Instant, Window};

use crate::server::Clock;

pub(crate) const TOKEN: &str = "ghp_invented0123456789";
pub(crate) const NOW: &str = "2026-03-01T12:00:00Z";

pub(crate) fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

pub(crate) fn window() -> Window {
    Window { from: instant("2026-01-01T00:00:00Z"), to: Instant::FOREVER }
}

pub(crate) fn source(url: &str) -> Source {
    Source { api_url: url.to_owned(), ..Source::new("acme", "app", Secret::new(TOKEN)) }
}

/// What a run left in the ledger.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) captures: Vec<Capture>,
    pub(crate) summary: RunSummary,
}

/// One run against `url`, at the time of `clock`.
pub(crate) fn run(url: &str, cursors: &Cursors, clock: &Clock) -> Ledger {
    run_of(&source(url), cursors, clock)
}

pub(crate) fn run_of(source: &Source, cursors: &Cursors, clock: &Clock) -> Ledger {
    let mut http = Http::new(HttpConfig::default(), clock.surroundings()).unwrap();
    let mut captures = vec![];
    let summary = github::collect(source, cursors, window(), &mut http, &mut |capture| {
        captures.push(capture);
        Ok(())
    })
    .unwrap();
    Ledger { captures, summary }
}

impl Ledger {
    /// The cursors the next run goes on from, as the application reads them: the last receipt of each stream with one.
    pub(crate) fn cursors(&self) -> Cursors {
        let mut cursors = Cursors::new();
        for capture in &self.captures {
            if let Some(cursor) = &capture.receipt.cursor {
                cursors.insert(capture.receipt.stream.clone(), cursor.clone());
            }
        }
        cursors
    }

    /// `complete`, or status and reason.
    pub(crate) fn coverage(&self, stream: &str) -> String {
        let Some(s) = self.summary.stream(stream) else { return "nothing said".to_owned() };
        if s.coverage.reason.is_empty() {
            s.coverage.status.to_string()
        } else {
            format!("{}: {}", s.coverage.status, s.coverage.reason)
        }
    }

    /// Coverage of a record table as its rows say it.
    pub(crate) fn table(&self, relation: &str) -> Vec<String> {
        rows(&self.captures, "coverage")
            .into_iter()
            .filter(|row| row.contains(&format!("relation={relation} ")))
            .map(|row| {
                let at = row.find("status=").unwrap();
                row[at + 7..].to_owned()
            })
            .collect()
    }
}

pub(crate) fn derive(capture: &Capture) -> Derived {
    let bytes = capture.to_document();
    let document = Document::parse(&bytes).unwrap();
    let derived = github::derive(&document, &Conventions::default());
    for fact in derived.facts.iter().chain(&derived.tentative) {
        fits_its_table(fact);
    }
    derived
}

/// The record tables as the product's content declares them.
fn tables() -> &'static BTreeMap<String, toml::Table> {
    static TABLES: OnceLock<BTreeMap<String, toml::Table>> = OnceLock::new();
    TABLES.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/tables");
        std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let text = std::fs::read_to_string(&path).unwrap();
                (path.file_stem().unwrap().to_string_lossy().into_owned(), text.parse().unwrap())
            })
            .collect()
    })
}

/// Every column exists and holds what it may; what must not be unknown is not.
fn fits_its_table(fact: &Fact) {
    let table = tables().get(fact.table).unwrap_or_else(|| panic!("there is no table `{}`", fact.table));
    let columns: BTreeMap<&str, &toml::Table> = table["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["name"].as_str().unwrap(), c.as_table().unwrap()))
        .collect();
    for (name, value) in &fact.values {
        let column = columns.get(name).unwrap_or_else(|| panic!("`{}` has no column `{name}`", fact.table));
        let kind = column["type"].as_str().unwrap();
        let fits = match value {
            FactValue::Null => true,
            FactValue::Integer(n) => {
                matches!(kind, "integer" | "instant") || (kind == "flag" && (0..=1).contains(n))
            }
            FactValue::Text(text) => {
                let words = column.get("words").and_then(|w| w.as_array());
                kind == "text" && words.is_none_or(|words| words.iter().any(|w| w.as_str() == Some(text)))
            }
            FactValue::Entity(key) => {
                (kind == "account" && key.kind == "account")
                    || (kind == "entity" && (key.kind == *name || *name != "account"))
            }
        };
        assert!(fits, "`{}.{name}` is {kind} and cannot hold {value:?}", fact.table);
    }
    for (name, column) in columns {
        let nullable = column.get("nullable").and_then(toml::Value::as_bool) == Some(true);
        let said = fact.values.iter().any(|(n, v)| *n == name && *v != FactValue::Null);
        assert!(nullable || said, "`{}.{name}` must not be unknown: {fact:?}", fact.table);
    }
}

/// The rows of a table after all captures, each as a line; the last word about a key counts.
pub(crate) fn rows(captures: &[Capture], table: &str) -> Vec<String> {
    let mut latest: BTreeMap<String, String> = BTreeMap::new();
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    for capture in captures {
        let derived = derive(capture);
        for fact in derived.facts.iter().filter(|f| f.table == table) {
            latest.insert(version(fact), line(fact));
        }
        for fact in derived.tentative.iter().filter(|f| f.table == table) {
            first.entry(version(fact)).or_insert_with(|| line(fact));
        }
    }
    for (key, line) in first {
        latest.entry(key).or_insert(line);
    }
    latest.into_values().collect()
}

/// The key, and for a state the start of the version: versions stand beside each other.
fn version(fact: &Fact) -> String {
    let start = fact.values.iter().find(|(name, _)| *name == "valid_from");
    let start = start.map_or(0, |(_, value)| if let FactValue::Integer(n) = value { *n } else { 0 });
    format!("{} {:020}", fact.about.key, start.saturating_add(100_000_000_000_000))
}

pub(crate) fn problems(captures: &[Capture]) -> Vec<String> {
    captures.iter().flat_map(|c| derive(c).problems).collect()
}

fn line(fact: &Fact) -> String {
    let values: Vec<String> = fact
        .values
        .iter()
        .map(|(name, value)| {
            let dated = name.ends_with("_at")
                || ["valid_from", "valid_to", "landed_after", "covered_from", "covered_to"].contains(name);
            match value {
                FactValue::Null => format!("{name}=?"),
                FactValue::Integer(253_402_300_799_999) => format!("{name}=open"),
                FactValue::Integer(n) if dated => format!("{name}={}", Instant::from_ms(*n)),
                FactValue::Integer(n) => format!("{name}={n}"),
                FactValue::Text(text) => format!("{name}={text}"),
                FactValue::Entity(key) => format!("{name}={}", key.key),
            }
        })
        .collect();
    format!("{} [{}] {}", fact.about.key, fact.grade, values.join(" "))
}
