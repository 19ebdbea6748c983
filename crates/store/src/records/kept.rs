//! What runs of procedures yielded, kept beside the rows they were yielded by, and which entities were written since.
//!
//! Both belong to the generation: another one begins with nothing, and everything here may be thrown away at any time.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Batch;

pub(super) const TABLES: &str = "
    CREATE TABLE written (known_from INTEGER NOT NULL, relation INTEGER NOT NULL, id INTEGER NOT NULL,
       PRIMARY KEY (known_from, relation, id)) STRICT, WITHOUT ROWID;
    CREATE TABLE kept (run BLOB PRIMARY KEY, procedure TEXT NOT NULL, position INTEGER NOT NULL, turn INTEGER NOT NULL,
       head BLOB NOT NULL) STRICT;
    CREATE TABLE kept_part (run BLOB NOT NULL, part INTEGER NOT NULL, rows BLOB NOT NULL, UNIQUE (run, part)) STRICT;";

/// Runs that are kept of a procedure: those of the questions that are asked again and again.
const RUNS: i64 = 4;

/// What is kept of a run, without its parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptRun {
    /// The ledger position it was made at.
    pub position: i64,
    /// What its keeper says of the parts.
    pub head: Vec<u8>,
}

/// What is to be kept of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Keeping {
    /// What names it: everything it depends on besides the rows.
    pub run: [u8; 32],
    /// Its procedure. Of each a few runs are kept, and older ones give way.
    pub procedure: String,
    /// The ledger position it was made at.
    pub position: i64,
    /// What its keeper says of the parts.
    pub head: Vec<u8>,
    /// Parts that are new or changed, by their number; the others stay as they are.
    pub parts: Vec<(i64, Vec<u8>)>,
    /// Parts that are there no more. All of the others where none was kept before.
    pub gone: Vec<i64>,
}

/// Notes which entities a batch writes.
pub(super) fn note(connection: &Connection, batch: &Batch) -> Result<(), rusqlite::Error> {
    let mut statement = connection
        .prepare_cached("INSERT OR IGNORE INTO written (known_from, relation, id) VALUES (?1, ?2, ?3)")?;
    for (table, row) in &batch.rows {
        statement.execute(params![row.known_from, i64::try_from(*table).unwrap_or(-1), row.id])?;
    }
    for (table, id, at) in &batch.retracted {
        statement.execute(params![at, i64::try_from(*table).unwrap_or(-1), id])?;
    }
    Ok(())
}

/// Says that nobody noted what was written up to a position: a generation was filled.
pub(super) fn note_nothing(connection: &Connection, applied: i64) -> Result<(), rusqlite::Error> {
    connection.execute("DELETE FROM written", [])?;
    connection.execute("UPDATE generation SET value = ?1 WHERE name = 'noted'", [applied])?;
    Ok(())
}

pub(super) fn written_since(
    connection: &Connection,
    table: usize,
    since: i64,
    until: i64,
) -> Result<Option<BTreeSet<i64>>, rusqlite::Error> {
    let noted: i64 =
        connection.query_row("SELECT value FROM generation WHERE name = 'noted'", [], |row| row.get(0))?;
    if since < noted {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(
        "SELECT id FROM written WHERE known_from > ?1 AND known_from <= ?2 AND relation = ?3",
    )?;
    let ids =
        statement.query_map(params![since, until, i64::try_from(table).unwrap_or(-1)], |row| row.get(0))?;
    Ok(Some(ids.collect::<Result<_, _>>()?))
}

pub(super) fn kept(connection: &Connection, run: &[u8; 32]) -> Result<Option<KeptRun>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT position, head FROM kept WHERE run = ?1 AND position <> ?2")?
        .query_row(params![&run[..], BEGUN], |row| Ok(KeptRun { position: row.get(0)?, head: row.get(1)? }))
        .optional()
}

pub(super) fn part(
    connection: &Connection,
    run: &[u8; 32],
    part: i64,
) -> Result<Option<Vec<u8>>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT rows FROM kept_part WHERE run = ?1 AND part = ?2")?
        .query_row(params![&run[..], part], |row| row.get(0))
        .optional()
}

/// The position of a run whose parts are not all there yet: it is kept for nobody, but its parts belong to something.
const BEGUN: i64 = -1;

/// Takes away what is kept of a run, and begins it.
pub(super) fn keep_anew(
    connection: &mut Connection,
    run: &[u8; 32],
    procedure: &str,
) -> Result<(), rusqlite::Error> {
    let transaction = connection.transaction()?;
    transaction.execute("DELETE FROM kept_part WHERE run = ?1", [&run[..]])?;
    transaction.execute(
        "INSERT OR REPLACE INTO kept (run, procedure, position, turn, head)
         VALUES (?1, ?2, ?3, (SELECT COALESCE(max(turn), 0) + 1 FROM kept), x'')",
        params![&run[..], procedure, BEGUN],
    )?;
    transaction.commit()
}

pub(super) fn keep_part(
    connection: &Connection,
    run: &[u8; 32],
    part: i64,
    rows: &[u8],
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO kept_part (run, part, rows) VALUES (?1, ?2, ?3)")?
        .execute(params![&run[..], part, rows])?;
    Ok(())
}

pub(super) fn keep(connection: &mut Connection, keeping: &Keeping) -> Result<(), rusqlite::Error> {
    let Keeping { run, procedure, position, head, parts, gone } = keeping;
    let transaction = connection.transaction()?;
    if !transaction.prepare_cached("SELECT 1 FROM kept WHERE run = ?1")?.exists([&run[..]])? {
        transaction.execute("DELETE FROM kept_part WHERE run = ?1", [&run[..]])?;
    }
    let turn: i64 =
        transaction.query_row("SELECT COALESCE(max(turn), 0) + 1 FROM kept", [], |row| row.get(0))?;
    transaction.execute(
        "INSERT OR REPLACE INTO kept (run, procedure, position, turn, head) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![&run[..], procedure, position, turn, head],
    )?;
    for part in gone {
        transaction.execute("DELETE FROM kept_part WHERE run = ?1 AND part = ?2", params![&run[..], part])?;
    }
    for (part, rows) in parts {
        keep_part(&transaction, run, *part, rows)?;
    }
    transaction.execute(
        "DELETE FROM kept WHERE procedure = ?1 AND turn <=
           (SELECT turn FROM kept WHERE procedure = ?1 ORDER BY turn DESC LIMIT 1 OFFSET ?2)",
        params![procedure, RUNS],
    )?;
    transaction.execute("DELETE FROM kept_part WHERE run NOT IN (SELECT run FROM kept)", [])?;
    // What was written before the oldest run is asked for by none. One that was only begun, or broken off, asks for nothing.
    let oldest: i64 =
        transaction
            .query_row("SELECT min(position) FROM kept WHERE position <> ?1", [BEGUN], |row| row.get(0))?;
    transaction.execute("DELETE FROM written WHERE known_from <= ?1", [oldest])?;
    transaction.execute("UPDATE generation SET value = max(value, ?1) WHERE name = 'noted'", [oldest])?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_was_broken_off_holds_back_nothing() -> Result<(), rusqlite::Error> {
        let mut connection = Connection::open_in_memory()?;
        connection.execute_batch(TABLES)?;
        connection.execute_batch(
            "CREATE TABLE generation (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
             INSERT INTO generation VALUES ('noted', 0);
             INSERT INTO written VALUES (3, 0, 30), (7, 0, 70);",
        )?;
        keep_anew(&mut connection, &[1; 32], "broken_off")?;
        keep_part(&connection, &[1; 32], 0, b"rows")?;
        let whole =
            Keeping { run: [2; 32], procedure: "whole".to_owned(), position: 5, ..Keeping::default() };
        keep(&mut connection, &whole)?;
        assert_eq!(written_since(&connection, 0, 5, 9)?, Some(BTreeSet::from([70])));
        assert_eq!(written_since(&connection, 0, 2, 9)?, None, "what was written up to 5 is noted no more");
        let noted: i64 = connection.query_row("SELECT count(*) FROM written", [], |row| row.get(0))?;
        assert_eq!(noted, 1);
        assert!(kept(&connection, &[1; 32])?.is_none());
        assert_eq!(part(&connection, &[1; 32], 0)?.as_deref(), Some(&b"rows"[..]));
        Ok(())
    }
}
