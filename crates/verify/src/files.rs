//! Where the bytes to verify come from: a folder, or a map in memory (an unpacked archive).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Refusal;

/// Files by relative path with `/`.
pub trait Files {
    /// Every path there is, in whatever order, whatever its kind but folders.
    ///
    /// # Errors
    /// What the system says.
    fn list(&self) -> io::Result<Vec<String>>;

    /// The bytes of one.
    ///
    /// # Errors
    /// What the system says.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;
}

/// A folder on the disk.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at a path.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self(root.to_owned())
    }
}

impl Files for Folder {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        let mut folders = vec![(self.0.clone(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                // A name that isn't UTF-8 is no file of ours: shown as well as can be, it is refused.
                let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
                // A link isn't followed: it counts as the file it pretends to be, and reading shows what it holds.
                if entry.file_type()?.is_dir() {
                    folders.push((entry.path(), path + "/"));
                } else {
                    found.push(path);
                }
            }
        }
        Ok(found)
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        fs::read(self.0.join(path))
    }
}

impl Files for BTreeMap<String, Vec<u8>> {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.keys().cloned().collect())
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// A folder within another, by its name with a `/`.
pub(crate) struct Within<'a>(pub(crate) &'a dyn Files, pub(crate) &'static str);

impl Files for Within<'_> {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.0.list()?.iter().filter_map(|path| path.strip_prefix(self.1)).map(str::to_owned).collect())
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.0.read(&format!("{}{path}", self.1))
    }
}

pub(crate) fn read(files: &dyn Files, path: &str) -> Result<Vec<u8>, Refusal> {
    files.read(path).map_err(|e| Refusal::Unreadable { path: path.to_owned(), reason: e.to_string() })
}

pub(crate) fn list(files: &dyn Files) -> Result<Vec<String>, Refusal> {
    files.list().map_err(|e| Refusal::Unreadable { path: ".".into(), reason: e.to_string() })
}
