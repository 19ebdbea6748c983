//! A PostgreSQL server for one test: in a temporary folder, on a socket of its own, gone when dropped.

use std::ffi::OsStr;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{fs, io};

use store::records::{Address, reader_setup};

/// A running server with Tickmark's roles in it.
#[derive(Debug)]
pub struct Server {
    binaries: PathBuf,
    user: Option<(String, u32, u32)>,
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts a server; `None`, after saying so, when PostgreSQL is not installed.
    ///
    /// # Panics
    /// When PostgreSQL is installed and does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        let Some(binaries) = binaries() else {
            crate::skipped("PostgreSQL is not installed");
            return None;
        };
        match Self::started(binaries) {
            Ok(server) => Some(server),
            Err(e) => panic!("PostgreSQL does not start: {e}"),
        }
    }

    fn started(binaries: PathBuf) -> io::Result<Self> {
        // The path of a socket has to stay short.
        let folder = tempfile::Builder::new().prefix("tmk").tempdir_in("/tmp")?;
        let user = if is_root() { Some(unprivileged()?) } else { None };
        if let Some((_, uid, gid)) = &user {
            chown(folder.path(), Some(*uid), Some(*gid))?;
        }
        let server = Self { binaries, user, folder };
        let data = server.data();
        server
            .run("initdb", ["-D", &data, "-U", "postgres", "--no-sync", "-A", "trust", "--locale=C.UTF-8"])?;
        server.resume()?;
        let mut admin = postgres::Client::connect(&server.address("postgres"), postgres::NoTls)
            .map_err(io::Error::other)?;
        // A linguistic collation in the database itself: texts have to compare by bytes all the same.
        admin.batch_execute("CREATE ROLE tickmark LOGIN").map_err(spoken)?;
        admin
            .batch_execute("CREATE DATABASE tickmark OWNER tickmark TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
            .map_err(spoken)?;
        server.as_admin(&reader_setup("tickmark_reader", "unused"))?;
        Ok(server)
    }

    /// Starts the server again after it was stopped.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub fn resume(&self) -> io::Result<()> {
        let options = format!(
            "-c listen_addresses= -c unix_socket_directories={} -c fsync=off -c shared_buffers=64MB",
            self.folder.path().display()
        );
        let log = self.folder.path().join("log").display().to_string();
        self.run("pg_ctl", ["start", "-w", "-D", &self.data(), "-l", &log, "-o", &options])
    }

    /// Stops the server in the middle of whatever it does, as a crash would.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub fn stop(&self) -> io::Result<()> {
        self.run("pg_ctl", ["stop", "-w", "-m", "immediate", "-D", &self.data()])
    }

    /// Runs statements as the server's administrator in Tickmark's database.
    ///
    /// # Errors
    /// What the server says.
    pub fn as_admin(&self, sql: &str) -> io::Result<()> {
        self.client()?.batch_execute(sql).map_err(spoken)
    }

    /// The administrator's connection to Tickmark's database.
    ///
    /// # Errors
    /// What the server says.
    pub fn client(&self) -> io::Result<postgres::Client> {
        let address = self.address("postgres").replace("dbname=postgres", "dbname=tickmark");
        postgres::Client::connect(&address, postgres::NoTls).map_err(spoken)
    }

    /// Where a generation lies in this server.
    #[must_use]
    pub fn records(&self, schema: &str) -> Address {
        let tickmark = self.address("tickmark");
        Address {
            reader: tickmark.replace("user=tickmark", "user=tickmark_reader"),
            writer: tickmark,
            schema: schema.to_owned(),
        }
    }

    fn address(&self, name: &str) -> String {
        format!("host={} user={name} dbname={name}", self.folder.path().display())
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// Runs one of PostgreSQL's programs; it refuses to run as root.
    fn run<S: AsRef<OsStr>>(&self, program: &str, arguments: impl IntoIterator<Item = S>) -> io::Result<()> {
        let program = self.binaries.join(program);
        let mut command = match &self.user {
            Some((_, uid, gid)) => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={uid}"))
                    .arg(format!("--regid={gid}"))
                    .arg("--clear-groups")
                    .arg(program);
                command
            }
            None => Command::new(program),
        };
        let Output { status, stdout, stderr } =
            command.args(arguments).current_dir(self.folder.path()).output()?;
        if status.success() {
            return Ok(());
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let said = [stdout, stderr].map(|b| String::from_utf8_lossy(&b).into_owned()).concat();
        Err(io::Error::other(format!("{said}{log}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The folder goes anyway; a server that does not stop is left to the system.
        let _ = self.stop();
    }
}

fn spoken(error: postgres::Error) -> io::Error {
    io::Error::other(error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string))
}

fn binaries() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|e| Some(e.ok()?.path().join("bin")))
        .collect();
    folders.sort();
    folders.reverse();
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    folders.into_iter().find(|f| f.join("initdb").exists() && f.join("pg_ctl").exists())
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0)
}

/// A user without powers, from the system's list.
fn unprivileged() -> io::Result<(String, u32, u32)> {
    let users = fs::read_to_string(Path::new("/etc/passwd"))?;
    for wanted in ["nobody", "postgres"] {
        for line in users.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            if let [name, _, uid, gid, ..] = fields.as_slice()
                && *name == wanted
                && let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse())
            {
                return Ok(((*name).to_owned(), uid, gid));
            }
        }
    }
    Err(io::Error::other("running as root, and there is no user `nobody` to run PostgreSQL as"))
}
