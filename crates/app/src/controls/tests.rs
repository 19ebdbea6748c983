//! What becomes of the rows of controls when the content changes.

use std::collections::BTreeSet;

use catalog::SourceFile;
use model::Table;

use super::*;

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), text: text.to_owned() }
}

/// A catalogue with these controls: id, title.
fn catalog(controls: &[(&str, &str)]) -> Catalog {
    let mut files = vec![file(
        "criteria.toml",
        "[[criteria]]\nid = \"CC1.1\"\ntitle = \"Integrity\"\n[[criteria]]\nid = \"P1.1\"\ntitle = \"Notice\"\n\
         [[criteria]]\nid = \"C1.1\"\ntitle = \"Secrets\"\n",
    )];
    for (id, title) in controls {
        let criteria = if id.starts_with("PRV") { "\"P1.1\", \"C1.1\"" } else { "\"CC1.1\"" };
        files.push(file(
            &format!("controls/{id}.toml"),
            &format!(
                "title = \"{title}\"\ncriteria = [{criteria}]\nowner_role = \"IT\"\nfrequency = [\"continuous\", \"annual\"]\n\
                 mode = \"manual\"\nstatement = \"It is done.\"\n"
            ),
        ));
    }
    Catalog::of(&files, &[]).0
}

fn records(folder: &std::path::Path) -> Records {
    let tables: Vec<Table> = Catalog::built_in().0.tables.into_iter().filter(|t| t.name == CONTROL).collect();
    Records::create_sqlite(&folder.join("records.db"), &tables).unwrap()
}

fn said(records: &mut Records) -> Vec<String> {
    let rows = rows(records, 0).unwrap();
    let mut said: Vec<String> = rows
        .into_values()
        .map(|values| {
            let word = |at: usize| match &values[at] {
                Value::Text(text) => text.clone(),
                other => format!("{other:?}"),
            };
            format!("{} {}", word(0), word(1))
        })
        .collect();
    said.sort();
    said
}

#[test]
fn rows_follow_the_content_and_their_numbers_stay() {
    let folder = tempfile::tempdir().unwrap();
    let mut records = records(folder.path());
    let mut check = |controls: &[(&str, &str)], expect: &[&str]| {
        // Twice: what is there already is not written again.
        for _ in 0..2 {
            keep_up(&mut records, &catalog(controls)).unwrap();
            assert_eq!(said(&mut records), expect);
        }
        records.entity_id(CONTROL, 0, "A-01").unwrap()
    };
    let first = check(&[("A-01", "One"), ("B-01", "Two")], &["A-01 One", "B-01 Two"]);
    assert!(first.is_some_and(|id| id < NUMBERS));
    assert_eq!(check(&[("A-01", "Uno"), ("B-01", "Two")], &["A-01 Uno", "B-01 Two"]), first);
    assert_eq!(check(&[("B-01", "Two"), ("C-01", "Three")], &["B-01 Two", "C-01 Three"]), first);
    assert_eq!(check(&[("A-01", "One")], &["A-01 One"]), first);
    assert_eq!(check(&[("A-01", "Uno")], &["A-01 Uno"]), first);
    assert_eq!(check(&[], &[]), first);
    let numbers: BTreeSet<i64> = ["A-01", "B-01", "C-01"]
        .into_iter()
        .filter_map(|key| records.entity_id(CONTROL, 0, key).unwrap())
        .collect();
    assert_eq!(numbers.len(), 3);
}

#[test]
fn a_row_says_what_the_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut records = records(folder.path());
    keep_up(&mut records, &catalog(&[("PRV-01", "Told")])).unwrap();
    let expect: Vec<Value> = vec![
        "PRV-01".into(),
        "Told".into(),
        "IT".into(),
        "continuous, annual".into(),
        "manual".into(),
        "confidentiality privacy".into(),
        0_i64.into(),
    ];
    assert_eq!(rows(&mut records, 0).unwrap().into_values().collect::<Vec<_>>(), [expect]);
}
