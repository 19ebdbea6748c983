//! What lets a member in: one-time links, passwords and authenticators, sessions, devices, tokens; and who tried to get in.
//!
//! Of what a member shows only SHA-256 is kept (of 256 random bits nobody can go through all there are), of a password its
//! argon2id hash. Which of these secrets count is not said here: the ledger's decisions name them by their ids.

use model::Instant;
use rusqlite::{OptionalExtension as _, TransactionBehavior, params};

use super::{State, StateError};

/// SHA-256 of a secret.
pub type Hash = [u8; 32];

/// What a member signs in with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its id, which a decision names.
    pub id: String,
    /// The password's hash, a PHC string.
    pub password: String,
    /// The secret that is shared with the authenticator.
    pub totp: Vec<u8>,
}

/// A session as it was left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Its id, which tells it from others and opens nothing.
    pub id: String,
    /// What was signed in with.
    pub credential: String,
    /// When.
    pub made_at: Instant,
    /// When it was used last, to the minute.
    pub seen_at: Instant,
    /// When its member proved last who they are.
    pub proved_at: Instant,
    /// Address it was opened from.
    pub address: String,
    /// What the browser called itself then.
    pub agent: String,
}

/// How often somebody was wrong, and when last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempts {
    /// How often since it last went well.
    pub failures: i64,
    /// When.
    pub last_at: Instant,
}

impl State {
    /// Ledger entries that decide about members, and the position up to which the ledger was looked through for them.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn member_entries(&self) -> Result<(Vec<u64>, u64), StateError> {
        let mut select = self
            .connection
            .prepare("SELECT entry FROM member_entry ORDER BY entry")
            .map_err(self.database())?;
        let entries = select
            .query_map([], |row| row.get::<_, i64>(0))
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(self.database())?;
        let read = self.setting(READ)?.and_then(|n| n.parse().ok()).unwrap_or(0);
        Ok((entries.into_iter().filter_map(|e| u64::try_from(e).ok()).collect(), read))
    }

    /// Notes that the ledger was looked through up to a position, and what was found since.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn note_member_entries(&mut self, found: &[u64], read: u64) -> Result<(), StateError> {
        let path = self.path.clone();
        let database = |source| StateError::Database { path: path.clone(), source };
        let change =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&database)?;
        for entry in found {
            let entry = i64::try_from(*entry).unwrap_or(i64::MAX);
            change
                .execute("INSERT INTO member_entry (entry) VALUES (?1) ON CONFLICT DO NOTHING", [entry])
                .map_err(&database)?;
        }
        change
            .execute(
                "INSERT INTO setting (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                params![READ, read.to_string()],
            )
            .map_err(&database)?;
        change.commit().map_err(&database)
    }

    /// Keeps a link's secret.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn put_link(&self, hash: &Hash, id: &str) -> Result<(), StateError> {
        self.run("INSERT INTO link (hash, id) VALUES (?1, ?2)", params![hash, id]).map(drop)
    }

    /// The id of a link, by its secret.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn link(&self, hash: &Hash) -> Result<Option<String>, StateError> {
        self.one("SELECT id FROM link WHERE hash = ?1", [hash])
    }

    /// The authenticator's secret that was proposed to the bearer of a link: the first one stays.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn propose(&self, link: &str, totp: &[u8]) -> Result<Vec<u8>, StateError> {
        self.run("UPDATE link SET totp = ?2 WHERE id = ?1 AND totp IS NULL", params![link, totp])?;
        Ok(self.proposed(link)?.unwrap_or_default())
    }

    /// The same, where one was proposed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn proposed(&self, link: &str) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.one("SELECT totp FROM link WHERE id = ?1", [link])?.flatten())
    }

    /// Keeps what a member will sign in with, once a decision names it: with the step of the code that was shown, and hashes of
    /// codes that stand in for the authenticator.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn put_credential(
        &mut self,
        credential: &Credential,
        step: i64,
        recovery: &[Hash],
    ) -> Result<(), StateError> {
        let path = self.path.clone();
        let database = |source| StateError::Database { path: path.clone(), source };
        let change =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&database)?;
        change
            .execute(
                "INSERT INTO credential (id, password, totp, step) VALUES (?1, ?2, ?3, ?4)",
                params![credential.id, credential.password, credential.totp, step],
            )
            .map_err(&database)?;
        for hash in recovery {
            change
                .execute(
                    "INSERT INTO recovery (credential, hash) VALUES (?1, ?2)",
                    params![credential.id, hash],
                )
                .map_err(&database)?;
        }
        change.commit().map_err(&database)
    }

    /// What a member signs in with.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn credential(&self, id: &str) -> Result<Option<Credential>, StateError> {
        self.connection
            .query_row("SELECT id, password, totp FROM credential WHERE id = ?1", [id], |row| {
                Ok(Credential { id: row.get(0)?, password: row.get(1)?, totp: row.get(2)? })
            })
            .optional()
            .map_err(self.database())
    }

    /// Uses up the codes up to a step; whether that step's had not been used.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn use_step(&self, credential: &str, step: i64) -> Result<bool, StateError> {
        self.run("UPDATE credential SET step = ?2 WHERE id = ?1 AND step < ?2", params![credential, step])
    }

    /// Uses up a recovery code; whether there was such a one.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn use_recovery(&self, credential: &str, hash: &Hash) -> Result<bool, StateError> {
        self.run("DELETE FROM recovery WHERE credential = ?1 AND hash = ?2", params![credential, hash])
    }

    /// How many recovery codes are left.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn recovery_left(&self, credential: &str) -> Result<u64, StateError> {
        let left = self.one("SELECT count(*) FROM recovery WHERE credential = ?1", [credential])?;
        Ok(left.and_then(|n: i64| u64::try_from(n).ok()).unwrap_or(0))
    }

    /// Opens a session; whether what was signed in with is still there.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn put_session(&self, hash: &Hash, session: &Session) -> Result<bool, StateError> {
        self.run(
            "INSERT INTO session (hash, id, credential, made_at, seen_at, proved_at, address, agent)
             SELECT ?1, ?2, id, ?4, ?5, ?6, ?7, ?8 FROM credential WHERE id = ?3",
            params![
                hash,
                session.id,
                session.credential,
                session.made_at.ms(),
                session.seen_at.ms(),
                session.proved_at.ms(),
                session.address,
                session.agent
            ],
        )
    }

    /// A session, by its secret.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn session(&self, hash: &Hash) -> Result<Option<Session>, StateError> {
        Ok(self.sessions_where("hash = ?1", [hash])?.pop())
    }

    /// The sessions that were opened with a credential, the last one first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn sessions(&self, credential: &str) -> Result<Vec<Session>, StateError> {
        self.sessions_where("credential = ?1 ORDER BY made_at DESC, id", [credential])
    }

    fn sessions_where(
        &self,
        which: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<Session>, StateError> {
        let sql = format!(
            "SELECT id, credential, made_at, seen_at, proved_at, address, agent FROM session WHERE {which}"
        );
        let mut select = self.connection.prepare_cached(&sql).map_err(self.database())?;
        select
            .query_map(parameters, |row| {
                let at = |column| row.get(column).map(Instant::from_ms);
                Ok(Session {
                    id: row.get(0)?,
                    credential: row.get(1)?,
                    made_at: at(2)?,
                    seen_at: at(3)?,
                    proved_at: at(4)?,
                    address: row.get(5)?,
                    agent: row.get(6)?,
                })
            })
            .and_then(Iterator::collect)
            .map_err(self.database())
    }

    /// Notes that a session was used.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn session_seen(&self, id: &str, at: Instant) -> Result<(), StateError> {
        self.run("UPDATE session SET seen_at = ?2 WHERE id = ?1", params![id, at.ms()]).map(drop)
    }

    /// Notes that the member of a session proved who they are.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn session_proved(&self, id: &str, at: Instant) -> Result<(), StateError> {
        self.run("UPDATE session SET proved_at = ?2 WHERE id = ?1", params![id, at.ms()]).map(drop)
    }

    /// Ends a session; whether it was one of that credential.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn end_session(&self, id: &str, credential: &str) -> Result<bool, StateError> {
        self.run("DELETE FROM session WHERE id = ?1 AND credential = ?2", params![id, credential])
    }

    /// Ends every session that was opened before an instant.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn end_sessions_before(&self, at: Instant) -> Result<(), StateError> {
        self.run("DELETE FROM session WHERE made_at < ?1", [at.ms()]).map(drop)
    }

    /// Remembers a device that was signed in from; whether what was signed in with is still there.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn put_device(&self, hash: &Hash, credential: &str, at: Instant) -> Result<bool, StateError> {
        self.run(
            "INSERT INTO device (hash, credential, seen_at) SELECT ?1, id, ?3 FROM credential WHERE id = ?2
             ON CONFLICT (hash) DO UPDATE SET credential = excluded.credential, seen_at = excluded.seen_at",
            params![hash, credential, at.ms()],
        )
    }

    /// Whether a device was signed in from with a credential.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn is_device(&self, hash: &Hash, credential: &str) -> Result<bool, StateError> {
        let found: Option<i64> =
            self.one("SELECT 1 FROM device WHERE hash = ?1 AND credential = ?2", params![hash, credential])?;
        Ok(found.is_some())
    }

    /// Keeps a token's secret.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn put_token(&self, hash: &Hash, id: &str) -> Result<(), StateError> {
        self.run("INSERT INTO token (hash, id) VALUES (?1, ?2)", params![hash, id]).map(drop)
    }

    /// The id of a token and when it was used last, by its secret.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn token(&self, hash: &Hash) -> Result<Option<(String, Option<Instant>)>, StateError> {
        self.connection
            .query_row("SELECT id, used_at FROM token WHERE hash = ?1", [hash], |row| {
                Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(Instant::from_ms)))
            })
            .optional()
            .map_err(self.database())
    }

    /// Notes that a token was used.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn token_seen(&self, id: &str, at: Instant) -> Result<(), StateError> {
        self.run("UPDATE token SET used_at = ?2 WHERE id = ?1", params![id, at.ms()]).map(drop)
    }

    /// When a token was used last.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn token_used(&self, id: &str) -> Result<Option<Instant>, StateError> {
        let used: Option<Option<i64>> = self.one("SELECT used_at FROM token WHERE id = ?1", [id])?;
        Ok(used.flatten().map(Instant::from_ms))
    }

    /// Reads how often somebody was wrong under several names (an account, an address), lets `weigh` change it, and writes it
    /// back before anybody else looks. What is old is forgotten.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn attempts<T>(
        &mut self,
        names: &[Hash],
        forget_before: Instant,
        weigh: impl FnOnce(&mut [Attempts]) -> T,
    ) -> Result<T, StateError> {
        let path = self.path.clone();
        let database = |source| StateError::Database { path: path.clone(), source };
        let change =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&database)?;
        change.execute("DELETE FROM attempt WHERE last_at < ?1", [forget_before.ms()]).map_err(&database)?;
        let mut found = vec![];
        for name in names {
            let row = change
                .query_row("SELECT failures, last_at FROM attempt WHERE name = ?1", [name], |row| {
                    Ok(Attempts { failures: row.get(0)?, last_at: Instant::from_ms(row.get(1)?) })
                })
                .optional()
                .map_err(&database)?;
            found.push(row.unwrap_or(Attempts { failures: 0, last_at: Instant::BEGINNING }));
        }
        let said = weigh(&mut found);
        for (name, now) in names.iter().zip(found) {
            if now.failures > 0 {
                change
                    .execute(
                        "INSERT INTO attempt (name, failures, last_at) VALUES (?1, ?2, ?3)
                         ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at",
                        params![name, now.failures, now.last_at.ms()],
                    )
                    .map_err(&database)?;
            } else {
                change.execute("DELETE FROM attempt WHERE name = ?1", [name]).map_err(&database)?;
            }
        }
        change.commit().map_err(&database)?;
        Ok(said)
    }

    /// Forgets every link, credential and token but those with these ids, and what hangs on them.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn keep_secrets<'a>(&mut self, ids: impl IntoIterator<Item = &'a str>) -> Result<(), StateError> {
        let path = self.path.clone();
        let database = |source| StateError::Database { path: path.clone(), source };
        let change =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&database)?;
        change
            .execute_batch("CREATE TEMP TABLE IF NOT EXISTS kept (id TEXT PRIMARY KEY); DELETE FROM kept;")
            .map_err(&database)?;
        for id in ids {
            change
                .execute("INSERT INTO kept (id) VALUES (?1) ON CONFLICT DO NOTHING", [id])
                .map_err(&database)?;
        }
        change
            .execute_batch(
                "DELETE FROM link WHERE id NOT IN (SELECT id FROM kept);
                 DELETE FROM token WHERE id NOT IN (SELECT id FROM kept);
                 DELETE FROM credential WHERE id NOT IN (SELECT id FROM kept);",
            )
            .map_err(&database)?;
        change.commit().map_err(&database)
    }

    /// Whether a statement changed a row.
    fn run(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<bool, StateError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(self.database())?;
        statement.execute(parameters).map(|changed| changed > 0).map_err(self.database())
    }

    fn one<T: rusqlite::types::FromSql>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Option<T>, StateError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(self.database())?;
        statement.query_row(parameters, |row| row.get(0)).optional().map_err(self.database())
    }
}

/// Setting: the ledger position up to which decisions about members were looked for.
const READ: &str = "members.read";
