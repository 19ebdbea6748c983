//! A workspace whose records lie in PostgreSQL: the same answers, and nothing lost when the server goes away.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use conformance::server::Server;
use serde_json::Value as Json;

use crate::support::{ANN, BOB, Home, JANUARY, Ran, Repo, document, files, procedure, same};

/// A home whose own workspace keeps its records in the server.
fn home(server: &Server) -> Home {
    let address = server.records("unused");
    configured(&address.writer, &address.reader)
}

fn configured(writer: &str, reader: &str) -> Home {
    let home = Home::new();
    home.does("init .local/share/tickmark");
    let config = home.workspace().join("tickmark.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(config, format!("[database]\nwriter = '''{writer}'''\nreader = '''{reader}'''\n\n{text}"))
        .unwrap();
    home
}

fn repository() -> Repo {
    let repository = Repo::new();
    let on = "Reviewed-on: https://review.example.test/1";
    repository.commit(
        &format!("add a pump\n\nFixes: #7\n{on}\nReviewed-by: {BOB}"),
        "2025-01-03T10:00:00Z",
        ANN,
    );
    repository.commit(&format!("widen the pipe\n\n{on}\nReviewed-by: {ANN}"), "2025-01-06T10:00:00Z", ANN);
    repository.commit("Größe 東京", "2025-01-08T10:00:00Z", "Zoë Ünal <zoe@example.test>");
    repository
}

/// The document without what the clock and the place move.
fn settled(mut document: Json) -> Json {
    for name in ["cutoff", "position", "verify"] {
        document.as_object_mut().unwrap().remove(name);
    }
    document
}

/// Names of the schemas that hold records.
fn schemas(server: &Server) -> Vec<String> {
    let mut client = server.client().unwrap();
    let rows =
        client.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tickmark%' ORDER BY nspname", &[]);
    rows.unwrap().iter().map(|r| r.get(0)).collect()
}

#[test]
fn the_same_answers_as_from_a_file() {
    let Some(server) = Server::start() else { return };
    let repository = repository();
    let (here, there) = (Home::new(), home(&server));
    let expected = settled(here.january(&repository));
    same(&settled(there.january(&repository)), &expected);
    assert_eq!(schemas(&server).len(), 1);
    assert!(
        files(&there.data()).iter().all(|f| !f.starts_with("records-")),
        "no records lie beside the server"
    );

    // A second look takes only what is new: here nothing but that it looked.
    let before = there.entries();
    same(&settled(there.january(&repository)), &expected);
    assert_eq!(there.entries() - before, 2);
    here.january(&repository);
    repository.commit("one more", "2025-01-09T10:00:00Z", BOB);
    let expected = settled(here.january(&repository));
    same(&settled(there.january(&repository)), &expected);
    assert_eq!(procedure(&expected, "change_tests")["population"], 4);

    for question in [
        "SELECT label, merged_at, parents, signed FROM change ORDER BY merged_at NULLS FIRST",
        "SELECT a.status AS status, count(*) AS n FROM approval a GROUP BY a.status ORDER BY status NULLS FIRST",
    ] {
        for format in ["csv", "json", "table"] {
            let ask = |home: &Home| home.run(["query", question, "--format", format]).succeeded();
            assert_eq!(ask(&there), ask(&here), "{question}");
        }
        // Byte for byte, types and all.
        let parquet = |home: &Home| {
            home.run(["query", question, "--format", "parquet", "--out", "answer.parquet"]).succeeded();
            let bytes = fs::read(home.path().join("answer.parquet")).unwrap();
            fs::remove_file(home.path().join("answer.parquet")).unwrap();
            bytes
        };
        assert_eq!(parquet(&there), parquet(&here));
    }

    // Registers, criteria and coverage answer alike, too.
    for home in [&here, &there] {
        home.does("waiver add W-1 --control CHG-02 --from 2025-01-01 --to forever --reason r --by ann");
        home.does(
            "control design CHG-02 --conclusion suitable --item x --for 2025-01-01 --reason r --by ann",
        );
        home.does("control own CHG-02 --owner bob --by ann");
        home.does("deviation register --from 2025-01-01 --to 2025-01-31 --by ann");
    }
    let told = |home: &Home, what: &str| -> Json {
        let line = format!("{what} --from 2025-01-01 --to 2025-01-31 --json");
        let mut told = settled(serde_json::from_str(&home.does(&line)).unwrap());
        for deviation in told["deviations"].as_array_mut().into_iter().flatten() {
            assert_eq!(deviation["registered"]["by"], "ann");
            // When and after what else it was entered.
            deviation["registered"] = Json::Null;
        }
        for table in told["tables"].as_array_mut().into_iter().flatten() {
            table["last"] = Json::Null;
        }
        told
    };
    assert_ne!(told(&here, "deviation list")["deviations"], serde_json::json!([]));
    for what in ["deviation list", "criteria", "control", "coverage"] {
        same(&told(&there, what), &told(&here, what));
    }

    // Built anew, in a schema of its own; the one before goes.
    let one = schemas(&server);
    assert_eq!(there.does("rebuild --diff").lines().last(), Some("every row is as it was"));
    let two = schemas(&server);
    assert!(one.len() == 1 && two.len() == 1 && one != two, "{one:?} {two:?}");
    same(&settled(there.january(&repository)), &settled(here.january(&repository)));
    let change = format!("UPDATE {}.change_row SET parents = 7", two[0]);
    server.as_admin(&change).unwrap();
    assert!(there.does("rebuild --diff").contains("change: 4 rows came, 4 went"));

    // Tables are frozen with rows that give the same roots. Instants of collection differ; the log's positions do not.
    there.does("freeze frozen --from 2025-01-01 --to 2025-01-31");
    let manifest: Json =
        serde_json::from_slice(&fs::read(there.path().join("frozen/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["tables"]["change"]["rows"], 4);
    there.holds();

    // Another workspace on the same server minds its own.
    let other = home(&server);
    same(&settled(other.january(&repository))["history"], &settled(there.january(&repository))["history"]);
    assert_eq!(schemas(&server).len(), 2);
    let again = settled(there.january(&repository));
    same(&again, &settled(here.january(&repository)));

    // A person who is erased is in no schema that is left.
    there.does("ledger erase --person zoe@example.test --basis b --approver p --yes");
    let mut client = server.client().unwrap();
    for schema in schemas(&server) {
        let sql = format!("SELECT count(*) FROM {schema}.entity WHERE key ILIKE '%zoe@example.test%'");
        let found: i64 = client.query_one(&sql, &[]).unwrap().get(0);
        let owner =
            client.query_one(&format!("SELECT count(*) FROM {schema}.entity"), &[]).unwrap().get::<_, i64>(0);
        assert!(owner > 0);
        // The other workspace's order was not given.
        assert_eq!(found > 0, schema.starts_with(&other_name(&other)), "{schema}");
    }
    there.holds();
}

/// What the schemas of a workspace begin with.
fn other_name(home: &Home) -> String {
    let state = rusqlite::Connection::open(home.data().join("state.db")).unwrap();
    state.query_row("SELECT value FROM setting WHERE key = 'generation.schema'", [], |r| r.get(0)).unwrap()
}

#[test]
fn a_server_that_goes_away_loses_nothing() {
    let Some(server) = Server::start() else { return };
    let repository = Repo::with_many(3_000, 200);
    let expected = settled(Home::new().january(&repository));
    let home = home(&server);
    let path = repository.shown();
    // Not there at all.
    server.stop().unwrap();
    home.run(["check", &path]).refused(&["PostgreSQL cannot be reached as `writer`", "start it"]);
    server.resume().unwrap();
    // Gone somewhere on the way, as often as that was in time.
    let mut refused = 0;
    for wait in [1, 10, 30, 60, 100, 200, 400, 800] {
        let child = home
            .command(["check", &path, "--json"].iter().chain(&JANUARY))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        server.stop().unwrap();
        let output = child.wait_with_output().unwrap();
        let ran = Ran {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        if ran.code == Some(0) {
            same(&settled(document(&ran.out)), &expected);
        } else {
            refused += 1;
            ran.refused(&["PostgreSQL"]);
        }
        server.resume().unwrap();
        home.holds();
    }
    assert!(refused > 0, "the server was never gone in time");
    same(&settled(home.january(&repository)), &expected);
    assert_eq!(home.does("rebuild --diff").lines().last(), Some("every row is as it was"));
    home.holds();
    assert_eq!(schemas(&server).len(), 1, "nothing half made is left");
}

#[test]
fn a_wrong_address_is_said_and_a_password_never() {
    let repository = repository();
    let path = repository.shown();
    let refused = |writer: &str, reader: &str, parts: &[&str]| {
        let home = configured(writer, reader);
        let said = home.run(["check", &path]).refused(parts);
        assert!(!said.contains("hunter2") && !said.contains("hunter"), "{said}");
        let status = home.run(["ledger", "status"]);
        assert!(!status.err.contains("hunter") && !status.out.contains("hunter"), "{status:?}");
    };
    let nowhere = "host=/nowhere/at/all user=tickmark dbname=tickmark password=hunter2";
    refused(nowhere, nowhere, &["PostgreSQL", "[database]"]);
    for wrong in [
        "postgres://tickmark:hunter2@[::1/tickmark",
        "postgres://tickmark:hunter2@localhost:hunter2/tickmark",
        "host=localhost passwort=hunter2",
        "host=localhost password=hun hunter2=x",
        "host=localhost password='hunter2",
        "hunter2",
    ] {
        refused(wrong, wrong, &["`writer`", "docs/postgresql.md"]);
    }
    // The string in the place of the table: what is shown is where, not what.
    let home = Home::new();
    home.does("init .local/share/tickmark");
    let config = home.workspace().join("tickmark.toml");
    for text in [
        "database = \"postgres://tickmark:hunter2@db/x\"\n",
        "[database]\nwriter = 5\nreader = \"hunter2\"\n",
        "[database]\nwriter = \"hunter2\nreader = 'x'\n",
    ] {
        fs::write(&config, text).unwrap();
        let said = home.run(["check", &path]).refused(&["tickmark.toml:"]);
        assert!(!said.contains("hunter2"), "{said}");
    }

    let Some(server) = Server::start() else { return };
    let address = server.records("unused");
    server.as_admin("ALTER ROLE tickmark PASSWORD 'right'").unwrap();
    let with = |a: &str, from: &str, to: &str| a.replace(from, to) + " password=hunter2";
    for (from, to, part) in [
        ("dbname=tickmark", "dbname=elsewhere", "database \"elsewhere\" does not exist"),
        ("user=tickmark", "user=stranger", "role \"stranger\" does not exist"),
    ] {
        refused(&with(&address.writer, from, to), &address.reader, &[part]);
    }
    // The reader has to be one who can only read.
    refused(&address.writer, &with(&address.writer, "", ""), &["the role `tickmark`", "docs/postgresql.md"]);
    // Whatever was wrong before, the right address is all it takes.
    let home = self::home(&server);
    home.january(&repository);
    home.holds();
}
