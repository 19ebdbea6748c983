//! Reading rows out of captured parts of files. Whoever typed a spreadsheet asserts what it says, and an export is a
//! spreadsheet once somebody could open it: the grade is `asserted`, and `manual` for what was entered here row by row.

use model::{Derived, Document, Fact, FactValue, Grade, Instant, Key, interned};
use serde_json::Value as Json;

use super::RECORDER;
use super::map::Mapping;
use super::rows::Shape;

/// Facts of one captured part of a file.
#[must_use]
pub fn derive(document: &Document<'_>) -> Derived {
    let mut out = Derived { lenient: true, ..Derived::default() };
    match read(document, &mut out) {
        Ok(()) => {}
        Err(problem) => out.problems.push(problem),
    }
    out
}

fn read(document: &Document<'_>, out: &mut Derived) -> Result<(), String> {
    let context = &document.receipt.context;
    let mapping = context["mapping"].as_str().ok_or("the receipt holds no mapping")?;
    let mapping = Mapping::parse(mapping).map_err(|e| e.to_string())?;
    let shape: Shape = serde_json::from_value(context["shape"].clone())
        .map_err(|e| format!("the receipt says no shape ({e})"))?;
    let plan = mapping.plan(shape.kind, &shape.columns, &shape.header).map_err(|e| e.to_string())?;
    let text =
        shape.encoding.decode(document.body).ok_or("the part of the file is no text of its encoding")?;
    let grade = if document.receipt.collector == RECORDER { Grade::Manual } else { Grade::Asserted };
    plan.read(&text, &shape, grade, &mut |_, read| match read {
        Ok(read) => {
            out.facts.push(read.fact);
            out.display.extend(read.display);
        }
        Err(faults) => out.problems.extend(faults.iter().map(ToString::to_string)),
    });
    covered(context, plan.table(), grade, &document.receipt.source, out);
    Ok(())
}

/// Where the importer says that the file holds everything there was.
fn covered(context: &Json, table: &'static str, grade: Grade, source: &str, out: &mut Derived) {
    let covers = &context["covers"];
    let (Some(from), Some(to)) = (covers["from"].as_i64(), covers["to"].as_i64()) else { return };
    // By kind and key; what belongs to none of them belongs to the company as a whole, whose number is 0.
    let scopes: Vec<(String, String)> = serde_json::from_value(covers["scopes"].clone()).unwrap_or_default();
    let mut scopes: Vec<Option<Key>> =
        scopes.into_iter().map(|(kind, key)| Some(Key::new(interned(&kind), "", key))).collect();
    if scopes.is_empty() {
        scopes.push(None);
    }
    for scope in scopes {
        let of = scope.as_ref().map_or_else(String::new, |s| format!("{} {} ", s.kind, s.key));
        let number = scope.map_or(FactValue::Integer(0), FactValue::Entity);
        out.facts.push(Fact {
            table: "coverage",
            about: Key::new("coverage", "", format!("{source} {table} {of}{from} {to}")),
            grade,
            values: vec![
                ("scope", number),
                ("relation", table.into()),
                ("covered_from", Instant::from_ms(from).into()),
                ("covered_to", Instant::from_ms(to).into()),
                ("status", "complete".into()),
                ("reason", FactValue::Null),
            ],
        });
    }
}
