//! `data/state.db`: the ledger's head, the workspace's settings, and what lets members in. The only database that cannot be rebuilt,
//! and one that only its owner may read.
//!
//! Small written migrations, applied in order; the number of those applied is SQLite's `user_version`. A file with more of
//! them than this version knows belongs to a newer one and is refused.

pub mod secrets;

use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use ledger::{Head, HeadError};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};

/// Tells the file apart from any other SQLite database: "tick".
const APPLICATION: i32 = 0x7469_636b;

/// One statement list per version. Only ever add at the end.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE head (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        record TEXT NOT NULL
    ) STRICT;
    CREATE TABLE setting (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE member_entry (
        entry INTEGER PRIMARY KEY
    ) STRICT;
    CREATE TABLE link (
        hash BLOB PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        totp BLOB
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE credential (
        id TEXT PRIMARY KEY,
        password TEXT NOT NULL,
        totp BLOB NOT NULL,
        step INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE recovery (
        credential TEXT NOT NULL REFERENCES credential ON DELETE CASCADE,
        hash BLOB NOT NULL,
        PRIMARY KEY (credential, hash)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE session (
        hash BLOB PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        credential TEXT NOT NULL REFERENCES credential ON DELETE CASCADE,
        made_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        proved_at INTEGER NOT NULL,
        address TEXT NOT NULL,
        agent TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX session_credential ON session (credential);
    CREATE TABLE device (
        hash BLOB PRIMARY KEY,
        credential TEXT NOT NULL REFERENCES credential ON DELETE CASCADE,
        seen_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX device_credential ON device (credential);
    CREATE TABLE token (
        hash BLOB PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        used_at INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE attempt (
        name BLOB PRIMARY KEY,
        failures INTEGER NOT NULL,
        last_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX attempt_last ON attempt (last_at);
",
];

/// Why the state database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// SQLite said no.
    #[error("the state database `{path}` cannot be used: {source}")]
    Database {
        /// Its file.
        path: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Others could read it.
    #[error("`{path}` holds secrets and cannot be kept from other users of this machine: {source}")]
    Private {
        /// Its file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another program's file.
    #[error("`{path}` is a database of another program; move it away, or name another workspace")]
    Foreign {
        /// Its file.
        path: String,
    },
    /// A newer version's file.
    #[error(
        "`{path}` was written by a newer version (schema {found}, this one knows {known}); update tickmark"
    )]
    Newer {
        /// Its file.
        path: String,
        /// Its schema.
        found: i64,
        /// The newest schema known here.
        known: i64,
    },
}

/// Makes the file where there is none, and keeps it from everybody but its owner. SQLite gives the files beside it the same mode.
fn private(path: &Path) -> std::io::Result<()> {
    let file = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & 0o077 != 0 {
        permissions.set_mode(0o600);
        file.set_permissions(permissions)?;
        for beside in ["-wal", "-shm"] {
            let mut name = path.as_os_str().to_owned();
            name.push(beside);
            // Where it is not there, or somebody else removes it in this moment, there is nothing to keep.
            let _ = std::fs::set_permissions(name, std::fs::Permissions::from_mode(0o600));
        }
    }
    Ok(())
}

/// An open state database. Open as many as there are threads that need one.
#[derive(Debug)]
pub struct State {
    connection: Connection,
    path: String,
}

impl State {
    /// Opens the database, makes it where there is none, and brings an older one up to date.
    ///
    /// # Errors
    /// It cannot be opened, or belongs to another program or a newer version.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let shown = path.display().to_string();
        let database = |source| StateError::Database { path: shown.clone(), source };
        private(path).map_err(|source| StateError::Private { path: shown.clone(), source })?;
        let mut connection = Connection::open(path).map_err(database)?;
        connection.busy_timeout(Duration::from_secs(10)).map_err(database)?;
        // Write-ahead log, flushed at every commit: a commit that returned survives a power cut.
        connection.pragma_update(None, "journal_mode", "WAL").map_err(database)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(database)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(database)?;
        // Two processes may open a new workspace at once: the check and the migrations are one transaction.
        let change =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(database)?;
        let number = |pragma: &str| {
            change.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(database)
        };
        let (application, found) = (number("application_id")?, number("user_version")?);
        let known = MIGRATIONS.len() as i64;
        let empty: bool = change
            .query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
            .map_err(database)?;
        if application != i64::from(APPLICATION) && !(application == 0 && empty) {
            return Err(StateError::Foreign { path: shown });
        }
        if found > known {
            return Err(StateError::Newer { path: shown, found, known });
        }
        for migration in &MIGRATIONS[usize::try_from(found).unwrap_or(0)..] {
            change.execute_batch(migration).map_err(database)?;
        }
        if found < known {
            change.pragma_update(None, "application_id", APPLICATION).map_err(database)?;
            change.pragma_update(None, "user_version", known).map_err(database)?;
        }
        change.commit().map_err(database)?;
        Ok(Self { connection, path: shown })
    }

    /// The ledger's head of a workspace that is only looked at: nothing is written, and it may lie on a medium that
    /// nobody can write.
    ///
    /// # Errors
    /// As [`State::open`].
    pub fn head(path: &Path) -> Result<Option<String>, StateError> {
        let shown = path.display().to_string();
        let database = |source| StateError::Database { path: shown.clone(), source };
        let read = |connection: &Connection| -> rusqlite::Result<(i64, Option<String>)> {
            let found = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            let head = if found == 0 {
                None
            } else {
                connection.query_row("SELECT record FROM head", [], |row| row.get(0)).optional()?
            };
            Ok((found, head))
        };
        let escaped: String = shown
            .bytes()
            .map(|b| match b {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => {
                    char::from(b).to_string()
                }
                _ => format!("%{b:02x}"),
            })
            .collect();
        // Even a reader of a write-ahead log writes beside it. Where there is no such log nobody is writing, and the file
        // itself says everything.
        let immutable = if path.with_extension("db-wal").exists() { "" } else { "?immutable=1" };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let connection =
            Connection::open_with_flags(format!("file:{escaped}{immutable}"), flags).map_err(database)?;
        connection.busy_timeout(Duration::from_secs(10)).map_err(database)?;
        let (found, head) = read(&connection).map_err(database)?;
        let known = MIGRATIONS.len() as i64;
        if found > known { Err(StateError::Newer { path: shown, found, known }) } else { Ok(head) }
    }

    fn database(&self) -> impl Fn(rusqlite::Error) -> StateError {
        |source| StateError::Database { path: self.path.clone(), source }
    }

    /// The value of a setting.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn setting(&self, key: &str) -> Result<Option<String>, StateError> {
        self.connection
            .query_row("SELECT value FROM setting WHERE key = ?1", [key], |row| row.get(0))
            .optional()
            .map_err(self.database())
    }

    /// Gives a setting a value, or takes it away with `None`. Durable on return.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn set_setting(&self, key: &str, value: Option<&str>) -> Result<(), StateError> {
        let done = match value {
            Some(value) => self.connection.execute(
                "INSERT INTO setting (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                params![key, value],
            ),
            None => self.connection.execute("DELETE FROM setting WHERE key = ?1", [key]),
        };
        done.map(drop).map_err(self.database())
    }
}

impl State {
    /// Rewrites the file without what was deleted from it, and empties the log of writes: nothing of it stays on free pages.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn compact(&self) -> Result<(), StateError> {
        self.connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);").map_err(self.database())
    }
}

impl Head for State {
    fn load(&self) -> Result<Option<String>, HeadError> {
        Ok(self.connection.query_row("SELECT record FROM head", [], |row| row.get(0)).optional()?)
    }

    fn compare_and_swap(&mut self, old: Option<&str>, new: &str) -> Result<bool, HeadError> {
        let changed = match old {
            None => self
                .connection
                .execute("INSERT INTO head (only, record) VALUES (1, ?1) ON CONFLICT DO NOTHING", [new])?,
            Some(old) => {
                self.connection.execute("UPDATE head SET record = ?2 WHERE record = ?1", params![old, new])?
            }
        };
        Ok(changed == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_changes_only_from_what_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        let (mut one, mut two) = (State::open(&path).unwrap(), State::open(&path).unwrap());
        assert_eq!(one.load().unwrap(), None);
        assert!(one.compare_and_swap(None, "a").unwrap());
        assert!(!two.compare_and_swap(None, "b").unwrap(), "the loser is told");
        assert!(!two.compare_and_swap(Some("b"), "c").unwrap());
        assert!(two.compare_and_swap(Some("a"), "c").unwrap());
        assert_eq!(one.load().unwrap().as_deref(), Some("c"));
        // Whoever only looks sees what is in the write-ahead log too, and afterwards without one.
        assert_eq!(State::head(&path).unwrap().as_deref(), Some("c"));
        drop((one, two));
        assert_eq!(State::head(&path).unwrap().as_deref(), Some("c"));
        assert!(State::head(&dir.path().join("none.db")).is_err(), "looking makes nothing");
    }

    #[test]
    fn settings_come_and_go() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        let state = State::open(&path).unwrap();
        assert_eq!(state.setting("zone").unwrap(), None);
        state.set_setting("zone", Some("Europe/Berlin")).unwrap();
        state.set_setting("zone", Some("UTC")).unwrap();
        drop(state);
        let state = State::open(&path).unwrap();
        assert_eq!(state.setting("zone").unwrap().as_deref(), Some("UTC"));
        state.set_setting("zone", None).unwrap();
        assert_eq!(state.setting("zone").unwrap(), None);
    }

    #[test]
    fn foreign_and_newer_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |name: &str, sql: &str| {
            let path = dir.path().join(name);
            Connection::open(&path).unwrap().execute_batch(sql).unwrap();
            State::open(&path).unwrap_err().to_string()
        };
        assert!(refused("other.db", "CREATE TABLE notes (text)").contains("a database of another program"));
        let newer = refused("newer.db", "PRAGMA application_id = 1953063787; PRAGMA user_version = 99");
        assert!(newer.contains("written by a newer version (schema 99"), "{newer}");
        std::fs::write(
            dir.path().join("text.db"),
            "no database at all, but longer than a header of SQLite is long",
        )
        .unwrap();
        assert!(State::open(&dir.path().join("text.db")).is_err());
    }
}
