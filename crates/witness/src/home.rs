//! A witness's folder:
//!
//! ```text
//! key              its private key, for its eyes only: PRIVATE+KEY+name+id+base64(4 ‖ seed), as Go's `note` writes keys
//! witness.vkey     its public key, for everybody
//! logs             the keys of the logs it watches, one a line; # begins a remark
//! signed/<hash>    per log, named by SHA-256 of its origin: the checkpoint cosigned last, as the log signed it
//! signed/<hash>.contradiction   the first request that bears the log's signature and didn't go with it
//! lock             held by the process that signs
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tlog::{Algorithm, NoteSigner, NoteVerifier};

use crate::Error;
use crate::register::{Register, replace, sync_folder};
use crate::rules::{Witness, is_log};

const LOGS: &str = "# The logs this witness watches: one key a line, as the log's keeper printed it.\n";

/// The folder of a witness.
#[derive(Debug, Clone)]
pub struct Home {
    folder: PathBuf,
}

/// A witness at work. Its folder is locked as long as this lives: two that signed from one folder could sign two histories.
#[derive(Debug)]
pub struct AtWork {
    /// The witness.
    pub witness: Witness,
    _lock: File,
}

impl Home {
    /// Makes a witness in a folder: its key, and no logs yet. `entropy` fills the seed of the key.
    ///
    /// # Errors
    /// A folder that holds a witness already, a name that cannot be one, or the disk.
    pub fn init(
        folder: &Path,
        name: &str,
        entropy: impl FnOnce(&mut [u8]) -> io::Result<()>,
    ) -> Result<(Self, NoteVerifier), Error> {
        if name.contains("://") {
            return Err(Error::Refused(format!(
                "`{name}` is an address; a witness's name is one without its scheme, such as witness.example.test/w1"
            )));
        }
        let home = Self { folder: folder.to_owned() };
        let path = home.at("key");
        if path.exists() {
            return Err(Error::Refused(format!(
                "`{}` holds a witness already; nothing was changed",
                folder.display()
            )));
        }
        let mut seed = [0; 32];
        entropy(&mut seed).map_err(Error::file("make a key for", folder))?;
        let signer = NoteSigner::new(name, Algorithm::CosignatureV1, &seed)?;
        let vkey = signer.verifier().clone();
        let mut make = fs::DirBuilder::new();
        make.recursive(true).mode(0o700);
        let signed = home.at("signed");
        make.create(&signed).map_err(Error::file("make the folder", &signed))?;
        let write = |name: &str, text: String, mode| {
            let path = home.at(name);
            replace(&path, text.as_bytes(), mode).map_err(Error::file("write", &path))
        };
        write("logs", LOGS.to_owned(), 0o644)?;
        write("witness.vkey", format!("{vkey}\n"), 0o644)?;
        // The key last, and never over another one: with it the folder is a witness.
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(Error::file("write", &path))?;
        file.write_all(private(&vkey, &seed).as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| sync_folder(&path))
            .map_err(Error::file("write", &path))?;
        Ok((home, vkey))
    }

    /// A folder that [`Home::init`] made.
    ///
    /// # Errors
    /// It isn't one.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let home = Self { folder: folder.to_owned() };
        if home.at("key").exists() {
            return Ok(home);
        }
        Err(Error::Refused(format!(
            "`{}` holds no witness; make one with `tickmark-witness init {} --name NAME`",
            folder.display(),
            folder.display()
        )))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Watches one more log, from the next start on. `false` where it is watched already.
    ///
    /// # Errors
    /// A key that isn't a log's, or the disk.
    pub fn add_log(&self, key: &NoteVerifier) -> Result<bool, Error> {
        is_log(key)?;
        let logs = self.logs()?;
        if logs.contains(key) {
            return Ok(false);
        }
        // The register first: a log without one is taken for a witness that lost its memory.
        self.register(key).create()?;
        let path = self.at("logs");
        let mut text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("{key}\n"));
        replace(&path, text.as_bytes(), 0o644).map_err(Error::file("write", &path))?;
        Ok(true)
    }

    /// The register of a log.
    #[must_use]
    pub fn register(&self, key: &NoteVerifier) -> Register {
        Register::of(&self.at("signed"), key.name())
    }

    /// The keys of the logs that are watched.
    ///
    /// # Errors
    /// A line that isn't a key.
    pub fn logs(&self) -> Result<Vec<NoteVerifier>, Error> {
        let path = self.at("logs");
        let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        let mut keys = Vec::new();
        for (at, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let key: NoteVerifier = line.parse().map_err(|e| Error::Damaged {
                path: path.clone(),
                what: format!("has no key of a log in line {at}: {e}"),
                next: "write it as the log's keeper printed it, name+id+key",
            })?;
            is_log(&key)?;
            keys.push(key);
        }
        Ok(keys)
    }

    /// Takes up the witness's work: locks its folder, reads its key, and looks at every register.
    ///
    /// # Errors
    /// Another process has it, there is nothing to watch, or a file isn't in order.
    pub fn work(&self) -> Result<AtWork, Error> {
        let path = self.at("lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::file("open for writing", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(Error::Refused(format!(
                    "the witness in `{}` is at work in another process; stop that one first",
                    self.folder.display()
                )));
            }
            Err(fs::TryLockError::Error(e)) => return Err(Error::file("lock", &path)(e)),
        }
        let mut witness = Witness::new(self.signer()?);
        for key in self.logs()? {
            let register = self.register(&key);
            witness.watch(key, register)?;
        }
        if witness.watches() == 0 {
            return Err(Error::Refused(format!(
                "the witness in `{}` watches no log; name one with `tickmark-witness add-log {} KEY`",
                self.folder.display(),
                self.folder.display()
            )));
        }
        witness.check()?;
        Ok(AtWork { witness, _lock: lock })
    }

    fn signer(&self) -> Result<NoteSigner, Error> {
        let path = self.at("key");
        let damaged = |what: &str, next| Error::Damaged { path: path.clone(), what: what.to_owned(), next };
        let mode = fs::metadata(&path).map_err(Error::file("read", &path))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(damaged(
                &format!("can be read by others (mode {:o})", mode & 0o777),
                "whoever has it signs in this witness's name: chmod 600 it, and make another witness if others were there",
            ));
        }
        let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        let no_key =
            || damaged("holds no key of a witness", "put it back from a backup, or make another witness");
        // PRIVATE+KEY+name+id+base64(algorithm ‖ seed); a name holds no plus.
        let parts: Vec<&str> = text.trim_end().splitn(5, '+').collect();
        let ["PRIVATE", "KEY", name, _, key] = parts[..] else { return Err(no_key()) };
        let bytes = STANDARD.decode(key).map_err(|_| no_key())?;
        let Some((4, seed)) = bytes.split_first() else { return Err(no_key()) };
        let seed: [u8; 32] = seed.try_into().map_err(|_| no_key())?;
        let signer = NoteSigner::new(name, Algorithm::CosignatureV1, &seed)?;
        // The id stands for name and seed together: one that doesn't fit means that one of them was altered.
        if private(signer.verifier(), &seed) != text { Err(no_key()) } else { Ok(signer) }
    }
}

fn private(vkey: &NoteVerifier, seed: &[u8; 32]) -> String {
    let text = vkey.to_string();
    let id = text.split('+').nth(1).unwrap_or_default();
    format!("PRIVATE+KEY+{}+{id}+{}\n", vkey.name(), STANDARD.encode([&[4][..], seed].concat()))
}
