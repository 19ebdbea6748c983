//! Documents applied one by one, many at once or into a generation that is filled: the same rows.

use model::{Capture, Column, ColumnType, DisplayFact, Grade};

use super::*;

fn table(name: &str, kind: TableKind, columns: &[(&str, ColumnType, bool)]) -> Table {
    let column = |(name, kind, nullable): &(&str, ColumnType, bool)| Column {
        name: (*name).to_owned(),
        kind: *kind,
        nullable: *nullable,
        doc: String::new(),
        words: vec![],
    };
    Table {
        name: name.to_owned(),
        kind,
        doc: String::new(),
        columns: columns.iter().map(column).collect(),
        cluster_by: vec![],
        index_by: vec![],
        fed_by: vec![],
        scope: None,
    }
}

fn tables() -> Vec<Table> {
    use ColumnType::{Account, Entity, Instant, Text};
    let window = [("valid_from", Instant, false), ("valid_to", Instant, true)];
    let with = |own: &[(&'static str, ColumnType, bool)]| [own, &window[..]].concat();
    vec![
        table(
            "account_person",
            TableKind::Relation,
            &with(&[("account", Account, false), ("person", Entity, false), ("basis", Text, false)]),
        ),
        table(
            "person_alike",
            TableKind::Relation,
            &[("person", Entity, false), ("other_person", Entity, false), ("basis", Text, false)],
        ),
        table(
            "person_decision",
            TableKind::Relation,
            &[
                with(&[
                    ("decision", Text, false),
                    ("account", Account, false),
                    ("other_account", Account, true),
                ]),
                vec![("decided_at", Instant, false)],
            ]
            .concat(),
        ),
        table("employment", TableKind::Event, &[("account", Account, false), ("label", Text, false)]),
        table("valve", TableKind::State, &with(&[("label", Text, true)])),
    ]
}

fn account(key: &str) -> Key {
    Key::new("account", "hub", key)
}

fn email(key: &str, address: &str) -> DisplayFact {
    DisplayFact { about: account(key), field: "email", text: address.to_owned() }
}

fn valve(key: &str, label: &str, from: i64) -> Fact {
    Fact {
        table: "valve",
        about: Key::new("valve", "", key),
        grade: Grade::Asserted,
        values: vec![("label", label.into()), ("valid_from", from.into()), ("valid_to", FactValue::Null)],
    }
}

fn employment(key: &str, who: &str, number: &str) -> Fact {
    Fact {
        table: "employment",
        about: Key::new("employment", "", key),
        grade: Grade::Asserted,
        values: vec![("account", account(who).into()), ("label", number.into())],
    }
}

fn decision(said: &str, one: &str, other: Option<&str>, (from, to): (i64, i64), at: i64) -> Fact {
    Fact {
        table: "person_decision",
        about: Key::new("person_decision", "", format!("{said} {one} {other:?} {from}")),
        grade: Grade::Manual,
        values: vec![
            ("decision", said.into()),
            ("account", account(one).into()),
            ("other_account", other.map(account).into()),
            ("valid_from", from.into()),
            ("valid_to", to.into()),
            ("decided_at", at.into()),
        ],
    }
}

/// What each document says.
fn history() -> Vec<Derived> {
    let always = (Instant::BEGINNING.ms(), Instant::FOREVER.ms());
    let facts = |facts: Vec<Fact>| Derived { facts, lenient: true, ..Derived::default() };
    let display = |display: Vec<DisplayFact>| Derived { display, ..Derived::default() };
    let first = Derived { tentative: vec![valve("c", "guessed", 0)], ..facts(vec![valve("c", "known", 0)]) };
    vec![
        Derived { display: vec![email("1", "ann@x.test"), email("2", "ann@x.test")], ..first },
        // A version more, one that says something else, one that says the same.
        facts(vec![
            valve("a", "one", 0),
            valve("a", "two", 50),
            valve("a", "other", 0),
            valve("c", "known", 0),
        ]),
        facts(vec![valve("a", "other", 0), valve("a", "two", 50), valve("b", "one", 0)]),
        Derived { tentative: vec![valve("b", "guessed", 9)], ..display(vec![email("3", "ann@y.test")]) },
        facts(vec![decision("own", "2", None, always, 10)]),
        facts(vec![decision("same", "1", Some("2"), always, 20)]),
        facts(vec![decision("own", "2", None, always, 30)]),
        facts(vec![employment("e", "1", "E-1"), employment("f", "3", "E-1")]),
        facts(vec![employment("f", "3", "E-2"), decision("apart", "1", Some("3"), always, 40)]),
        display(vec![email("4", "bob@x.test"), email("5", "pump@x.test")]),
        facts(vec![decision("same", "5", Some("4"), (100, 200), 50)]),
        facts(vec![decision("same", "5", Some("1"), (150, 300), 60)]),
        facts(vec![decision("same", "1", Some("4"), always, 70)]),
        facts(vec![decision("own", "5", None, always, 80)]),
    ]
}

/// Everything that is known at every position, after documents applied with this many rows a batch, and so many documents
/// each time the generation is taken up.
fn applied(rows_per_batch: usize, documents: usize) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut records = Records::create_sqlite(&folder.path().join("records.db"), &tables()).unwrap();
    let history = history();
    let numbered: Vec<(usize, &Derived)> = history.iter().enumerate().collect();
    for chunk in numbered.chunks(documents) {
        let mut applier = Applier::new(&mut records).unwrap();
        applier.rows_per_batch = rows_per_batch;
        for (entry, derived) in chunk {
            let receipt = Receipt {
                source: "x".to_owned(),
                stream: "x".to_owned(),
                media_type: String::new(),
                collected_at: Instant::from_ms(1),
                collector: "x/1".to_owned(),
                request: String::new(),
                status: None,
                server_date: None,
                page: 0,
                coverage: None,
                cursor: None,
                context: serde_json::Value::Null,
                redacted: vec![],
            };
            let bytes = Capture { receipt, body: vec![] }.to_document();
            applier.document(*entry as u64 + 1, &bytes, &|_| (*derived).clone()).unwrap();
        }
        let last = chunk.last().unwrap().0 as u64;
        applier.finish(last + 2).unwrap();
    }
    let mut lines = vec![];
    for position in 0..=i64::try_from(history.len()).unwrap() + 1 {
        for (number, table) in tables().iter().enumerate() {
            records
                .rows_known_at::<RecordsError>(number, position, |row| {
                    lines.push(format!("{position} {}: {row:?}", table.name));
                    Ok(())
                })
                .unwrap();
        }
    }
    records.entities(None, |entity| lines.push(format!("{entity:?}"))).unwrap();
    lines
}

#[test]
fn however_documents_are_applied_the_rows_are_the_same() {
    let expect = applied(1_000_000, 1);
    assert!(expect.len() > 100);
    for (rows, documents) in [(1_000_000, 100), (1, 100), (3, 100), (1, 1), (1, 4), (5, 3)] {
        let found = applied(rows, documents);
        let differs: Vec<(&String, &String)> =
            expect.iter().zip(&found).filter(|(a, b)| a != b).take(3).collect();
        assert!(found == expect, "{rows} rows, {documents} documents: {differs:#?}");
    }
}
