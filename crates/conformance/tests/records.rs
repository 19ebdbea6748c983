//! One suite for generations of records, over SQLite and PostgreSQL.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Clock};

use conformance::server::Server;
use model::{Column, ColumnType, Grade, Instant, Row, Table, TableKind, Value};
use store::records::{Batch, CURRENT, Display, Entity, Go, Limits, Reader, Records, RecordsError, RunError};

fn column(name: &str, kind: ColumnType, nullable: bool) -> Column {
    Column { name: name.to_owned(), kind, nullable, doc: String::new(), words: vec![] }
}

/// An event table in order of its cluster, a state table, and one whose clustering column may be unknown.
fn tables() -> Vec<Table> {
    let table = |name: &str, kind, cluster_by: &[&str], columns| Table {
        name: name.to_owned(),
        kind,
        doc: String::new(),
        columns,
        cluster_by: cluster_by.iter().map(|c| (*c).to_owned()).collect(),
        index_by: vec![],
        fed_by: vec![],
        scope: None,
    };
    let mut status = column("status", ColumnType::Text, true);
    status.words = vec!["approved".to_owned(), "dismissed".to_owned(), "über".to_owned()];
    vec![
        table(
            "approval",
            TableKind::Event,
            &["change"],
            vec![
                column("change", ColumnType::Entity, false),
                status,
                column("final", ColumnType::Flag, true),
            ],
        ),
        table(
            "account",
            TableKind::State,
            &[],
            vec![
                column("login_key", ColumnType::Text, false),
                column("valid_from", ColumnType::Instant, true),
                column("valid_to", ColumnType::Instant, true),
            ],
        ),
        table("build", TableKind::Event, &["revision"], vec![column("revision", ColumnType::Entity, true)]),
    ]
}

const APPROVAL: usize = 0;
const ACCOUNT: usize = 1;
const BUILD: usize = 2;

fn row(id: i64, position: i64, place: i64, values: Vec<Value>) -> Row {
    Row {
        id,
        entry: position,
        place,
        collected_at: Instant::from_ms(1_000 + position),
        grade: Grade::System,
        in_scope: true,
        known_from: position,
        superseded_at: CURRENT,
        values,
    }
}

fn text(s: &str) -> Value {
    Value::Text(s.to_owned())
}

fn number(n: i64) -> Value {
    Value::Integer(n)
}

/// Ledger positions 1 to 5: a row, another, one superseded, one superseded within the same position, a retraction.
fn history() -> Vec<Batch> {
    let approval = |id, position, place, status: &str| {
        (APPROVAL, row(id, position, place, vec![number(70), text(status), Value::Null]))
    };
    vec![
        Batch {
            rows: vec![approval(7, 1, 0, "approved")],
            entities: vec![Entity { id: 7, kind: "approval".into(), scope: 3, key: "a\tb\\n\nü".into() }],
            display: vec![
                Display { id: 7, field: "title".into(), text: "first".into() },
                Display { id: 7, field: "title".into(), text: "tab\there \\ and\nline".into() },
            ],
            applied: 1,
            ..Batch::default()
        },
        Batch {
            rows: vec![approval(8, 2, 0, "über"), approval(7, 2, 1, "dismissed")],
            applied: 2,
            ..Batch::default()
        },
        Batch {
            rows: vec![approval(8, 3, 0, "approved"), approval(8, 3, 1, "dismissed")],
            applied: 3,
            ..Batch::default()
        },
        Batch {
            rows: vec![
                (ACCOUNT, row(9, 4, 0, vec![text("ann"), number(0), number(CURRENT)])),
                (ACCOUNT, row(9, 4, 1, vec![text("ann"), Value::Null, Value::Null])),
                (BUILD, row(5, 4, 2, vec![Value::Null])),
                (BUILD, row(6, 4, 3, vec![number(1)])),
            ],
            applied: 4,
            ..Batch::default()
        },
        Batch {
            rows: vec![
                // The interval is closed and another begins; the one with an unknown beginning stands.
                (ACCOUNT, row(9, 5, 0, vec![text("ann"), number(0), number(100)])),
                (ACCOUNT, row(9, 5, 1, vec![text("ann"), number(100), Value::Null])),
            ],
            retracted: vec![(APPROVAL, 7, 5)],
            applied: 5,
            ..Batch::default()
        },
    ]
}

/// What a snapshot sees, as text: `table id@position.place first-own-values`.
fn seen(records: &mut Records, known_at: i64) -> String {
    let mut lines = String::new();
    for (number, table) in tables().iter().enumerate() {
        records
            .rows_known_at(number, known_at, |r| {
                let values: Vec<String> = r
                    .values
                    .iter()
                    .map(|v| match v {
                        Value::Null => "?".to_owned(),
                        Value::Integer(CURRENT) => "on".to_owned(),
                        Value::Integer(n) => n.to_string(),
                        Value::Text(t) => t.clone(),
                    })
                    .collect();
                assert_eq!(r.superseded_at, CURRENT, "a snapshot does not know what came later");
                lines.push_str(&format!(
                    "{} {}@{}.{} {}\n",
                    table.name,
                    r.id,
                    r.known_from,
                    r.place,
                    values.join(" ")
                ));
                Ok::<(), RecordsError>(())
            })
            .unwrap();
    }
    lines
}

const SNAPSHOTS: &[(i64, &str)] = &[
    (0, ""),
    (1, "approval 7@1.0 70 approved ?\n"),
    (2, "approval 7@2.1 70 dismissed ?\napproval 8@2.0 70 über ?\n"),
    (3, "approval 7@2.1 70 dismissed ?\napproval 8@3.1 70 dismissed ?\n"),
    (
        4,
        "approval 7@2.1 70 dismissed ?\napproval 8@3.1 70 dismissed ?\n\
         account 9@4.0 ann 0 on\naccount 9@4.1 ann ? ?\nbuild 5@4.2 ?\nbuild 6@4.3 1\n",
    ),
    (
        5,
        "approval 8@3.1 70 dismissed ?\n\
         account 9@4.1 ann ? ?\naccount 9@5.0 ann 0 100\naccount 9@5.1 ann 100 ?\nbuild 5@4.2 ?\nbuild 6@4.3 1\n",
    ),
];

/// A way to make generations, by name.
trait Engine {
    fn create(&self, name: &str) -> Result<Records, RecordsError>;
    fn open(&self, name: &str, tables: &[Table]) -> Result<Records, RecordsError>;
    fn remove(&self, name: &str) -> Result<(), RecordsError>;
}

struct Sqlite(tempfile::TempDir);

impl Engine for Sqlite {
    fn create(&self, name: &str) -> Result<Records, RecordsError> {
        Records::create_sqlite(&self.0.path().join(name), &tables())
    }
    fn open(&self, name: &str, tables: &[Table]) -> Result<Records, RecordsError> {
        Records::open_sqlite(&self.0.path().join(name), tables)
    }
    fn remove(&self, name: &str) -> Result<(), RecordsError> {
        Records::remove_sqlite(&self.0.path().join(name))
    }
}

impl Engine for Server {
    fn create(&self, name: &str) -> Result<Records, RecordsError> {
        Records::create_postgres(&self.records(name), &tables())
    }
    fn open(&self, name: &str, tables: &[Table]) -> Result<Records, RecordsError> {
        Records::open_postgres(&self.records(name), tables)
    }
    fn remove(&self, name: &str) -> Result<(), RecordsError> {
        Records::remove_postgres(&self.records(name))
    }
}

fn suite(engine: &dyn Engine) {
    snapshots_see_what_was_known(engine);
    filling_gives_what_applying_gives(engine);
    names_and_texts_are_found(engine);
    a_batch_is_all_or_nothing(engine);
    generations_are_told_apart(engine);
    queries_give_columns_and_rows(engine);
    the_wall_holds(engine);
    limits_hold(engine);
}

fn snapshots_see_what_was_known(engine: &dyn Engine) {
    let mut records = engine.create("snapshots").unwrap();
    assert_eq!(records.applied().unwrap(), 0);
    for batch in history() {
        records.apply(&batch).unwrap();
        assert_eq!(records.applied().unwrap(), batch.applied);
    }
    for (position, expected) in SNAPSHOTS {
        assert_eq!(seen(&mut records, *position), *expected, "as known at {position}");
    }
    assert_eq!(records.current_row(APPROVAL, 7).unwrap(), None);
    assert_eq!(records.current_row(APPROVAL, 8).unwrap().unwrap().known_from, 3);
    let intervals = records.current_rows(ACCOUNT, 9).unwrap();
    assert_eq!(intervals.iter().map(|r| r.place).collect::<Vec<_>>(), [1, 0, 1]);
    drop(records);
    let mut again = engine.open("snapshots", &tables()).unwrap();
    assert_eq!(seen(&mut again, 5), SNAPSHOTS[5].1);
}

fn filling_gives_what_applying_gives(engine: &dyn Engine) {
    let mut records = engine.create("filled").unwrap();
    records
        .fill(|take| {
            for batch in history() {
                take(&batch)?;
            }
            Ok::<(), RecordsError>(())
        })
        .unwrap();
    assert_eq!(records.applied().unwrap(), 5);
    for (position, expected) in SNAPSHOTS {
        assert_eq!(seen(&mut records, *position), *expected, "as known at {position}");
    }
    // It goes on like any other.
    let next = Batch { rows: vec![(BUILD, row(6, 6, 0, vec![number(2)]))], applied: 6, ..Batch::default() };
    records.apply(&next).unwrap();
    assert_eq!(records.current_row(BUILD, 6).unwrap().unwrap().values, [number(2)]);
    assert_eq!(records.entity_id("approval", 3, "a\tb\\n\nü").unwrap(), Some(7));
    let error = records.fill(|_| Ok::<(), RecordsError>(())).unwrap_err();
    assert!(matches!(error, RecordsError::Order { applied: 6, .. }), "{error}");
    // One that was cut short is not taken for complete.
    let mut cut = engine.create("cut").unwrap();
    let said = cut.fill(|_| Err(RecordsError::Order { applied: 0, batch: 0 })).unwrap_err();
    assert!(matches!(said, RecordsError::Order { .. }));
    drop(cut);
    assert!(matches!(engine.open("cut", &tables()), Err(RecordsError::OtherTables { .. })));
}

fn names_and_texts_are_found(engine: &dyn Engine) {
    let mut records = engine.create("names").unwrap();
    records.apply(&history()[0]).unwrap();
    assert_eq!(records.entity_id("approval", 3, "a\tb\\n\nü").unwrap(), Some(7));
    assert_eq!(records.entity_id("approval", 4, "a\tb\\n\nü").unwrap(), None);
    assert_eq!(records.entity(7).unwrap().unwrap().scope, 3);
    let mut all = vec![];
    records.entities(Some("approval"), |e| all.push(e.id)).unwrap();
    records.entities(Some("other"), |e| all.push(e.id)).unwrap();
    records.entities(None, |e| all.push(e.id)).unwrap();
    assert_eq!(all, [7, 7]);
    let of = |ids: &[i64]| ids.iter().copied().collect::<BTreeSet<_>>();
    let texts = records.display(&of(&[7, 8])).unwrap();
    assert_eq!(texts.len(), 1);
    assert_eq!((texts[0].field.as_str(), texts[0].text.as_str()), ("title", "tab\there \\ and\nline"));
    records.forget(&of(&[7])).unwrap();
    assert_eq!(records.display(&of(&[7])).unwrap(), []);
}

fn a_batch_is_all_or_nothing(engine: &dyn Engine) {
    let mut records = engine.create("whole").unwrap();
    records.apply(&history()[0]).unwrap();
    records.apply(&history()[1]).unwrap();
    // The second entity is there already: nothing of the batch may stay.
    let twice = Batch {
        rows: vec![(BUILD, row(6, 3, 0, vec![number(1)]))],
        entities: vec![
            Entity { id: 50, kind: "x".into(), scope: 0, key: "k".into() },
            Entity { id: 51, kind: "x".into(), scope: 0, key: "k".into() },
        ],
        applied: 3,
        ..Batch::default()
    };
    assert!(records.apply(&twice).is_err());
    assert_eq!(records.applied().unwrap(), 2);
    assert_eq!(records.entity(50).unwrap(), None);
    assert_eq!(seen(&mut records, 5), SNAPSHOTS[2].1);
    let error = records.apply(&history()[0]).unwrap_err();
    assert!(matches!(error, RecordsError::Order { applied: 2, batch: 1 }), "{error}");
    for (values, reason) in [
        (vec![number(1), text("x"), Value::Null], "`x` is none of approved, dismissed, über"),
        (vec![Value::Null, Value::Null, Value::Null], "`change` is unknown, and may not be"),
        (vec![text("1"), Value::Null, Value::Null], "`change` is a text, and has to be a number"),
        (vec![number(1), number(1), Value::Null], "`status` is a number, and has to be a text"),
        (vec![number(1), Value::Null, number(2)], "`final` is 2, and a flag is 0 or 1"),
        (vec![number(1)], "it has 1 values for 3 columns"),
    ] {
        let bad = Batch { rows: vec![(APPROVAL, row(1, 3, 0, values))], applied: 3, ..Batch::default() };
        let error = records.apply(&bad).unwrap_err().to_string();
        assert_eq!(error, format!("a row of `approval` from ledger entry 3 does not fit: {reason}"));
    }
}

fn generations_are_told_apart(engine: &dyn Engine) {
    drop(engine.create("one").unwrap());
    assert!(matches!(engine.create("one"), Err(RecordsError::Exists { .. })));
    assert!(matches!(engine.open("none", &tables()), Err(RecordsError::Missing { .. })));
    let mut other = tables();
    other[APPROVAL].columns[2].nullable = false;
    engine.create("gone").unwrap().apply(&history()[0]).unwrap();
    engine.remove("gone").unwrap();
    engine.remove("gone").unwrap();
    assert!(matches!(engine.open("gone", &tables()), Err(RecordsError::Missing { .. })));
    assert_eq!(engine.create("gone").unwrap().applied().unwrap(), 0);
    assert!(matches!(engine.open("one", &other), Err(RecordsError::OtherTables { .. })));
}

/// A filled generation and a reader of it.
fn readable(engine: &dyn Engine, name: &str) -> (Records, Reader) {
    let mut records = engine.create(name).unwrap();
    for batch in history() {
        records.apply(&batch).unwrap();
    }
    let reader = records.reader().unwrap();
    (records, reader)
}

fn queries_give_columns_and_rows(engine: &dyn Engine) {
    let (_records, mut reader) = readable(engine, "queries");
    let (columns, rows) = reader
        .collect(
            "SELECT id, status, 1 AS one, NULL AS none FROM approval_row WHERE superseded_at > 4 AND known_from <= 4 \
             ORDER BY id NULLS FIRST",
            &Limits::default(),
        )
        .unwrap();
    assert_eq!(columns, ["id", "status", "one", "none"]);
    assert_eq!(
        rows,
        [
            [number(7), text("dismissed"), number(1), Value::Null],
            [number(8), text("dismissed"), number(1), Value::Null]
        ]
    );
    // Texts are ordered by bytes, whatever the database's own language: Z before a, a before ü.
    let (_, rows) = reader.collect("SELECT max(status) AS m FROM approval_row", &Limits::default()).unwrap();
    assert_eq!(rows, [[text("über")]]);
    assert!(matches!(reader.collect("SELECT 1.5 AS x", &Limits::default()), Err(RunError::Type { .. })));
    // A mistyped column is an error and not a text.
    assert!(matches!(
        reader.collect("SELECT \"nosuch\" FROM approval_row", &Limits::default()),
        Err(RunError::Failed { .. })
    ));
}

/// Whatever gets past the first wall meets this one.
fn the_wall_holds(engine: &dyn Engine) {
    let (mut records, mut reader) = readable(engine, "wall");
    let before = seen(&mut records, 5);
    for sql in [
        "SELECT key FROM entity",
        "SELECT text FROM display",
        "SELECT * FROM generation",
        "SELECT count(*) FROM entity",
        "SELECT count(*) FROM ENTITY",
        "SELECT count(*) FROM Main.Display",
        "SELECT count(*) FROM pragma_database_list",
        "SELECT count(*) FROM sqlite_schema",
        "SELECT count(*) FROM pg_authid",
        "SELECT (SELECT max(text) FROM display) AS x FROM approval_row",
        "DELETE FROM approval_row",
        "INSERT INTO build_row SELECT * FROM build_row",
        "UPDATE approval_row SET superseded_at = 0",
        "DROP TABLE approval_row",
        "CREATE TABLE mine (x INTEGER)",
        "CREATE TEMP TABLE mine (x INTEGER)",
        "ALTER TABLE approval_row ADD COLUMN x INTEGER",
        "ATTACH DATABASE ':memory:' AS other",
        "PRAGMA query_only = 0",
        "PRAGMA table_info(approval_row)",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM pragma_table_info('approval_row')",
        "SELECT load_extension('x')",
        "SELECT readfile('/etc/hostname')",
        "SELECT hex(randomblob(4))",
        "VACUUM INTO '/tmp/tickmark-leak.db'",
        "SELECT pg_read_file('/etc/hostname')",
        "SELECT pg_ls_dir('/')::text",
        "SELECT lo_create(4711)::bigint",
        "SELECT lo_from_bytea(0, 'x')::bigint",
        "SELECT lo_import('/etc/hostname')::bigint",
        "COPY approval_row TO '/tmp/tickmark-leak'",
        "COPY approval_row TO PROGRAM 'true'",
        "SET ROLE tickmark",
        "SELECT 1; DELETE FROM approval_row",
        "BEGIN",
        "SELECT rolpassword FROM pg_authid",
        "SELECT id FROM approval_row FOR UPDATE",
    ] {
        let said = reader.collect(sql, &Limits::default());
        assert!(said.is_err(), "{sql} gave {said:?}");
    }
    // Nothing happened, and the reader still reads.
    assert_eq!(seen(&mut records, 5), before);
    assert!(reader.collect("SELECT id FROM build_row", &Limits::default()).is_ok());
    assert!(!std::path::Path::new("/tmp/tickmark-leak.db").exists());
}

const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 - n.i FROM n) SELECT count(*) AS c FROM n";

fn limits_hold(engine: &dyn Engine) {
    let (_records, mut reader) = readable(engine, "limits");
    let short = Limits { deadline: Duration::from_millis(300), ..Limits::default() };
    let bomb = format!(
        "SELECT count(*) AS n FROM approval_row a{}",
        (0..40).map(|i| format!(" CROSS JOIN approval_row a{i}")).collect::<String>()
    );
    for sql in [ENDLESS, &bomb] {
        let begun = Clock::now();
        let said = reader.collect(sql, &short);
        assert!(matches!(said, Err(RunError::Deadline { .. })), "{sql}: {said:?}");
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT n.i + 1 FROM n) SELECT i FROM n";
    let counted = Limits { rows: 1_000, ..Limits::default() };
    let said = reader.collect(&format!("{many} LIMIT 1001"), &counted);
    assert!(matches!(said, Err(RunError::Rows { max: 1_000 })), "{said:?}");
    assert_eq!(reader.collect(&format!("{many} LIMIT 1000"), &counted).unwrap().1.len(), 1_000);
    let weighed = Limits { bytes: 79, ..Limits::default() };
    let said = reader.collect(&format!("{many} LIMIT 10"), &weighed);
    assert!(matches!(said, Err(RunError::Bytes { max: 79 })), "{said:?}");

    // Somebody else stops it.
    let stop = Arc::new(AtomicBool::new(false));
    let said = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(200));
            stop.store(true, Ordering::Relaxed);
        });
        reader.run(ENDLESS, &Limits::default(), &stop, &mut |_| Go::Continue(()))
    });
    assert!(matches!(said, Err(RunError::Cancelled)), "{said:?}");

    // Stopping early is no error, and the reader goes on.
    let mut taken = 0;
    let columns = reader
        .run(&format!("{many} LIMIT 100"), &Limits::default(), &Arc::default(), &mut |_| {
            taken += 1;
            if taken == 3 { Go::Break(()) } else { Go::Continue(()) }
        })
        .unwrap();
    assert_eq!((taken, columns), (3, vec!["i".to_owned()]));
    assert!(reader.collect("SELECT id FROM build_row", &Limits::default()).is_ok());
}

#[test]
fn sqlite() {
    suite(&Sqlite(tempfile::tempdir().unwrap()));
}

#[test]
fn a_forgotten_text_is_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let mut records = Records::create_sqlite(&path, &tables()).unwrap();
    let secret = "Erika Mustermann";
    let display =
        (1..200).map(|id| Display { id, field: "name".into(), text: format!("{secret} {id}") }).collect();
    records.apply(&Batch { display, applied: 1, ..Batch::default() }).unwrap();
    let holds = || {
        std::fs::read_dir(folder.path()).unwrap().any(|f| {
            let bytes = std::fs::read(f.unwrap().path()).unwrap();
            bytes.windows(secret.len()).any(|w| w == secret.as_bytes())
        })
    };
    assert!(holds());
    records.forget(&(1..200).collect()).unwrap();
    assert!(!holds());
}

#[test]
fn postgres() {
    let Some(server) = Server::start() else { return };
    suite(&server);
    // A role that could do more than read is not used at all.
    let mut records = server.create("roles").unwrap();
    records.apply(&history()[0]).unwrap();
    for (grant, revoke, reason) in [
        ("ALTER ROLE tickmark_reader SUPERUSER", "ALTER ROLE tickmark_reader NOSUPERUSER", "is a superuser"),
        (
            "GRANT pg_read_server_files TO tickmark_reader",
            "REVOKE pg_read_server_files FROM tickmark_reader",
            "is a member",
        ),
        (
            "GRANT CREATE ON SCHEMA public TO tickmark_reader",
            "REVOKE CREATE ON SCHEMA public FROM tickmark_reader",
            "may create",
        ),
        (
            "GRANT EXECUTE ON FUNCTION lo_create(oid) TO PUBLIC",
            "REVOKE EXECUTE ON FUNCTION lo_create(oid) FROM PUBLIC",
            "may call `lo_create(oid)`",
        ),
    ] {
        server.as_admin(grant).unwrap();
        let error = records.reader().unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        server.as_admin(revoke).unwrap();
    }
    records.reader().unwrap();
}
