//! `tickmark-witness`: the command line.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tlog::NoteVerifier;
use tokio::signal::unix::{SignalKind, signal};

use crate::Error;
use crate::home::Home;
use crate::server::{Service, serve};

/// Cosigns the checkpoints of logs that only grow.
#[derive(Parser)]
#[command(name = "tickmark-witness", version)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Make a witness: a folder with its key
    Init {
        /// Its folder
        folder: PathBuf,
        /// Its name, an address without scheme such as witness.example.test/w1; it stands in every signature
        #[arg(long)]
        name: String,
    },
    /// Watch a log, from the next start on
    AddLog {
        /// Folder of the witness
        folder: PathBuf,
        /// Key of the log (name+id+key), or a file that holds it
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// Answer POST /add-checkpoint
    Serve {
        /// Folder of the witness
        folder: PathBuf,
        /// Address and port to listen on, and nowhere else; port 0 takes a free one
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: SocketAddr,
        /// How long the head of a request may take, and then its body
        #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
        timeout: u64,
    },
}

/// What a process gets from outside.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Seconds since 1970.
    pub clock: fn() -> u64,
    /// Fills bytes at random.
    pub entropy: fn(&mut [u8]) -> io::Result<()>,
}

/// Runs a command line. Exit status: 0 done, 1 failed or refused, 2 the command line is wrong.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>, machine: Machine) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(2));
        }
    };
    match execute(arguments.what, machine) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            let _ = writeln!(io::stderr(), "error: {e}");
            ExitCode::FAILURE
        }
    }
}

fn execute(what: What, machine: Machine) -> Result<(), Error> {
    match what {
        What::Init { folder, name } => {
            let (_, vkey) = Home::init(&folder, &name, machine.entropy)?;
            say(&vkey.to_string());
            say(
                "give this key to the logs' keepers and to whoever relies on the signatures; it is in witness.vkey too",
            );
            say(&format!("next: tickmark-witness add-log {} KEY-OF-THE-LOG", folder.display()));
        }
        What::AddLog { folder, key } => {
            let home = Home::open(&folder)?;
            let key = read_key(&key)?;
            let others = home.logs()?.iter().filter(|known| known.name() == key.name()).count();
            if !home.add_log(&key)? {
                say(&format!("`{}` is watched already", key.name()));
            } else {
                say(&format!("watches `{}` from the next start on", key.name()));
                if others > 0 {
                    say("it has another key too: what either signs continues the same log");
                }
            }
        }
        What::Serve { folder, listen, timeout } => {
            let work = Home::open(&folder)?.work()?;
            let (vkey, watches) = (work.witness.verifier().clone(), work.witness.watches());
            let service = Arc::new(Service::new(work.witness, machine.clock, Duration::from_secs(timeout)));
            let refuse = |e: io::Error| {
                Error::Refused(format!("cannot listen on {listen}: {e}; name another address with --listen"))
            };
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refuse)?;
            runtime.block_on(async {
                let (mut terminate, mut interrupt) = (
                    signal(SignalKind::terminate()).map_err(refuse)?,
                    signal(SignalKind::interrupt()).map_err(refuse)?,
                );
                let listener = tokio::net::TcpListener::bind(listen).await.map_err(refuse)?;
                let address = listener.local_addr().map_err(refuse)?;
                say(&format!("{vkey}"));
                say(&format!("listening on http://{address}, watching {watches} logs"));
                let stop = async {
                    tokio::select! {
                        _ = terminate.recv() => {}
                        _ = interrupt.recv() => {}
                    }
                };
                serve(service, listener, stop).await;
                say("stopped");
                Ok::<(), Error>(())
            })?;
        }
    }
    Ok(())
}

/// A key as it is typed, or the file that holds it.
fn read_key(text: &str) -> Result<NoteVerifier, Error> {
    let refused = |e: tlog::Error| {
        Error::Refused(format!(
            "`{text}` is neither a key nor a file that holds one ({e}); copy it as the log's keeper printed it"
        ))
    };
    let path = Path::new(text);
    if !path.is_file() {
        return text.trim().parse().map_err(refused);
    }
    let held = std::fs::read_to_string(path).map_err(Error::file("read", path))?;
    held.trim().parse().map_err(refused)
}

fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}
