//! Where the ledger's files lie: a small trait, so that a simulated disk can lose, tear and reorder what wasn't flushed,
//! and the real folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Files below one folder, by relative paths with `/`.
///
/// What each call promises after a power cut is said with it. Nothing else is promised: a name that wasn't flushed with its
/// folder may be gone, and so may a removal or a renaming.
pub trait Disk: Send + Sync {
    /// All bytes of a file.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::NotFound`] where there is none.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    /// Up to `length` bytes from `offset` on; fewer where the file ends.
    ///
    /// # Errors
    /// As [`Disk::read`].
    fn read_at(&self, path: &str, offset: u64, length: usize) -> io::Result<Vec<u8>>;

    /// Length of a file.
    ///
    /// # Errors
    /// As [`Disk::read`].
    fn length(&self, path: &str) -> io::Result<u64>;

    /// Names in a folder.
    ///
    /// # Errors
    /// As [`Disk::read`].
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Makes a folder whose parent is there; that it is there already is no error. The name waits for
    /// [`Disk::sync_folder`] of the parent.
    ///
    /// # Errors
    /// What the system says.
    fn make_folder(&self, folder: &str) -> io::Result<()>;

    /// Writes a whole new file. On return its bytes are on the disk, its name waits for [`Disk::sync_folder`].
    ///
    /// # Errors
    /// What the system says; the file is then worth nothing and must not be flushed again.
    fn create(&self, path: &str, bytes: &[u8]) -> io::Result<()>;

    /// Writes inside a file, making it if needed. On return the bytes are on the disk; a cut before may leave any part of
    /// them there, torn.
    ///
    /// # Errors
    /// As [`Disk::create`].
    fn overwrite(&self, path: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Gives a file another name, replacing what had it. Waits for [`Disk::sync_folder`] of the new folder; a cut before
    /// leaves it under the old name, the new one, or both.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file or an empty folder. Waits for [`Disk::sync_folder`].
    ///
    /// # Errors
    /// What the system says.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// On return the names in a folder are on the disk.
    ///
    /// # Errors
    /// As [`Disk::create`].
    fn sync_folder(&self, folder: &str) -> io::Result<()>;
}

/// A real folder, held by this process alone.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    /// The lock goes with the descriptor: however the process ends, it is free again.
    _lock: Option<File>,
}

impl Folder {
    /// Opens a data folder for writing, making it if needed, and locks it.
    ///
    /// # Errors
    /// Another process has it, it lies on a network file system, or it cannot be written.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let name = root.display().to_string();
        fs::create_dir_all(root).map_err(Error::disk("make the folder", &name))?;
        local(root)?;
        let path = root.join("ledger.lock");
        let shown = path.display().to_string();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::disk("open for writing", &shown))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who it is only makes the message better: an unreadable file doesn't change the verdict.
                let _ = file.read_to_string(&mut holder);
                let holder = if holder.trim().is_empty() { "another process" } else { holder.trim() };
                return Err(Error::Locked { folder: name, holder: holder.to_owned() });
            }
            Err(fs::TryLockError::Error(e)) => return Err(Error::disk("lock", &shown)(e)),
        }
        let holder = format!("process {}\n", std::process::id());
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(holder.as_bytes()))
            .map_err(Error::disk("write", &shown))?;
        Ok(Self { root: root.to_owned(), _lock: Some(file) })
    }

    /// Opens a data folder for reading only, beside a process that may be writing.
    #[must_use]
    pub fn for_reading(root: &Path) -> Self {
        Self { root: root.to_owned(), _lock: None }
    }

    /// Opens a folder for a backup, making it if needed. It isn't locked, and may lie on a network file system.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn for_backup(root: &Path) -> Result<Self, Error> {
        let name = root.display().to_string();
        fs::create_dir_all(root).map_err(Error::disk("make the folder", &name))?;
        Ok(Self { root: root.to_owned(), _lock: None })
    }

    fn at(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.root.clone() } else { self.root.join(path) }
    }
}

/// Refuses file systems on other machines.
fn local(root: &Path) -> Result<(), Error> {
    #[cfg(target_os = "linux")]
    {
        let stat = rustix::fs::statfs(root)
            .map_err(|e| Error::disk("examine the file system of", &root.display().to_string())(e.into()))?;
        if let Some(kind) = network_file_system(stat.f_type as u32) {
            return Err(Error::Network { folder: root.display().to_string(), kind });
        }
    }
    Ok(())
}

/// The name of a network file system by its magic number (`statfs(2)`).
#[cfg(target_os = "linux")]
fn network_file_system(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0x6969 => "NFS",
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB",
        0x0102_1997 => "9P",
        0x00c3_6400 => "Ceph",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x7375_7245 => "Coda",
        0x0bd0_0bd0 => "Lustre",
        0x564c => "NCP",
        _ => return None,
    })
}

impl Disk for Folder {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        fs::read(self.at(path))
    }

    fn read_at(&self, path: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let file = File::open(self.at(path))?;
        let mut bytes = vec![0; length];
        let mut have = 0;
        while have < length {
            match file.read_at(&mut bytes[have..], offset + have as u64) {
                Ok(0) => break,
                Ok(n) => have += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        bytes.truncate(have);
        Ok(bytes)
    }

    fn length(&self, path: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.at(path))?.len())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.at(folder))? {
            // A name that isn't UTF-8 isn't ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    fn make_folder(&self, folder: &str) -> io::Result<()> {
        match fs::create_dir(self.at(folder)) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    fn create(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(self.at(path))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn overwrite(&self, path: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(self.at(path))?;
        file.write_all_at(bytes, offset)?;
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.at(from), self.at(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let path = self.at(path);
        if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) }
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        File::open(self.at(folder))?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_is_told_who_holds_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let held = Folder::open(dir.path()).unwrap();
        let message = Folder::open(dir.path()).unwrap_err().to_string();
        assert!(message.contains(&format!("in use by process {}", std::process::id())), "{message}");
        drop(held);
        Folder::open(dir.path()).unwrap();
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn network_file_systems_are_known_by_their_magic() {
        // Values of linux/magic.h.
        assert_eq!(network_file_system(0x6969), Some("NFS"));
        assert_eq!(network_file_system(0xff53_4d42), Some("SMB"));
        assert_eq!(network_file_system(0xef53), None, "ext4");
        assert_eq!(network_file_system(0x5846_5342), None, "XFS");
        assert_eq!(network_file_system(0x9123_683e), None, "Btrfs");
        let shown = Error::Network { folder: "/mnt/team".into(), kind: "NFS" }.to_string();
        assert!(shown.contains("`/mnt/team` lies on a network file system (NFS)"), "{shown}");
    }
}
