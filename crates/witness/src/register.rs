//! What a witness signed last of one log: a file that is on the disk, in full, before the signature leaves the machine.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tlog::{Checkpoint, EMPTY_ROOT, Note, NoteVerifier};

use crate::Error;

/// What a register says before anything was signed. A register that isn't there at all was lost, which is another thing.
const NOTHING: &str = "nothing signed yet\n";
const LOST: &str = "a witness that doesn't know what it signed must not sign: put the file back from a backup, or retire \
                    this witness and make one with another key";

/// The register of one log, named by the log's origin: keys may change, the history may not.
#[derive(Debug, Clone)]
pub struct Register {
    path: PathBuf,
}

impl Register {
    /// The register of a log in a folder.
    #[must_use]
    pub fn of(folder: &Path, origin: &str) -> Self {
        let name: String =
            Sha256::digest(origin.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { path: folder.join(name) }
    }

    /// Makes it, unless it is there.
    ///
    /// # Errors
    /// The disk.
    pub fn create(&self) -> Result<(), Error> {
        if self.path.exists() {
            return Ok(());
        }
        replace(&self.path, NOTHING.as_bytes(), 0o600).map_err(Error::file("write", &self.path))
    }

    /// The checkpoint signed last; that of no entries if there was none. It must still bear the log's signature: a register
    /// in which a bit fell over would let another history pass.
    ///
    /// # Errors
    /// It is gone or damaged.
    pub fn load(&self, origin: &str, keys: &[NoteVerifier]) -> Result<Checkpoint, Error> {
        let damaged = |what: String| Error::Damaged { path: self.path.clone(), what, next: LOST };
        let bytes = fs::read(&self.path).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => {
                damaged(format!("is gone: nobody knows what was signed of `{origin}`"))
            }
            _ => Error::file("read", &self.path)(e),
        })?;
        if bytes == NOTHING.as_bytes() {
            return Ok(Checkpoint { origin: origin.to_owned(), size: 0, root: EMPTY_ROOT });
        }
        let checkpoint = Note::parse(&bytes).and_then(|note| {
            note.verify(&keys.iter().collect::<Vec<_>>())?;
            note.text.parse::<Checkpoint>()
        });
        let checkpoint =
            checkpoint.map_err(|e| damaged(format!("isn't what was signed of `{origin}` ({e})")))?;
        if checkpoint.origin != origin {
            return Err(damaged(format!("is of `{}`, not of `{origin}`", checkpoint.origin)));
        }
        Ok(checkpoint)
    }

    /// Puts a checkpoint, as the log signed it, in the place of the last one. On return it is on the disk, and so is its
    /// name; after an error either of the two is there, in full.
    ///
    /// # Errors
    /// The disk.
    pub fn store(&self, note: &str) -> Result<(), Error> {
        replace(&self.path, note.as_bytes(), 0o600).map_err(Error::file("write", &self.path))
    }

    /// Where a request is kept that bears the log's signature and contradicts what was signed: with the register it is the
    /// proof. Only the first one is kept, so that nobody fills the disk with them.
    #[must_use]
    pub fn contradiction(&self) -> PathBuf {
        self.path.with_extension("contradiction")
    }

    /// Keeps such a request.
    ///
    /// # Errors
    /// The disk.
    pub fn keep(&self, request: &str) -> Result<(), Error> {
        let path = self.contradiction();
        if path.exists() {
            return Ok(());
        }
        replace(&path, request.as_bytes(), 0o600).map_err(Error::file("write", &path))
    }
}

/// Writes a file so that a crash leaves the old one or the new one: under another name, flushed, renamed, and the name
/// flushed with its folder.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    sync_folder(path)
}

/// Flushes the name of a file.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
