//! Opening a repository: which folder, which branch, from where, and what is missing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gix::ObjectId;
use sha2::{Digest as _, Sha256};

/// Why a repository cannot be examined. Every message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The path does not exist.
    #[error("`{path}` does not exist; name the folder of a git repository")]
    NoSuchPath {
        /// What was given.
        path: PathBuf,
    },
    /// No repository there or above.
    #[error(
        "`{path}` is no git repository, and no folder above it is; name one, or clone it first ({reason})"
    )]
    NoRepository {
        /// What was given.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// No commit yet.
    #[error("the repository `{path}` has no commit yet on `{branch}`; there is no change to examine")]
    Unborn {
        /// The repository.
        path: PathBuf,
        /// The branch HEAD names.
        branch: String,
    },
    /// HEAD names no branch.
    #[error(
        "HEAD of `{path}` names no branch, so nobody can say which changes landed; choose one with --branch: {branches}"
    )]
    Detached {
        /// The repository.
        path: PathBuf,
        /// The branches there are.
        branches: String,
    },
    /// The branch asked for does not exist.
    #[error("the repository `{path}` has no branch `{branch}`; it has: {branches}")]
    NoSuchBranch {
        /// The repository.
        path: PathBuf,
        /// What was asked for.
        branch: String,
        /// The branches there are.
        branches: String,
    },
    /// The tip itself cannot be read.
    #[error("the tip {commit} of `{branch}` cannot be read ({reason}); run `git fsck`, then fetch again")]
    Corrupt {
        /// The branch.
        branch: String,
        /// The commit.
        commit: String,
        /// What the reader said.
        reason: String,
    },
    /// Anything else the reader could not do.
    #[error("the repository `{path}` cannot be read: {reason}")]
    Unreadable {
        /// The repository.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// The receiver of captures failed.
    #[error("{0}")]
    Sink(String),
}

/// A repository that was found and can be walked.
pub struct Repository {
    pub(super) git: gix::Repository,
    /// The repository's folder (the work tree's, or the git folder of a bare one).
    pub path: PathBuf,
    /// The git folder.
    pub git_dir: PathBuf,
    /// Stable key of the repository: its network origin without credentials, else a digest of its folder.
    pub key: String,
    /// What to call it for people.
    pub label: String,
    /// The default branch, such as `main`.
    pub branch: String,
    /// The full reference that was read, such as `refs/remotes/origin/main`.
    pub reference: String,
    /// The branch's tip.
    pub tip: ObjectId,
    /// Commits whose parents are cut off (a shallow clone).
    pub shallow: BTreeSet<ObjectId>,
}

impl Repository {
    /// The tip's full id.
    #[must_use]
    pub fn tip_hex(&self) -> String {
        self.tip.to_string()
    }

    /// Where this repository's captures come from, as receipts and leaves name it.
    #[must_use]
    pub fn source(&self) -> String {
        format!("git:{}", short_digest(&self.key))
    }
}

/// Finds the repository at or above `path` and its default branch: `branch` when given, else the one `origin/HEAD`
/// names, else the one HEAD names.
///
/// Replacement objects and grafts are ignored: evidence is what the objects themselves say.
///
/// # Errors
/// See [`GitError`].
pub fn open(path: &Path, branch: Option<&str>) -> Result<Repository, GitError> {
    if !path.exists() {
        return Err(GitError::NoSuchPath { path: path.to_owned() });
    }
    // Not `isolated()` for the trust check's sake only: objects of a folder somebody else owns may be read (nothing is
    // executed), but neither environment nor the user's own configuration may change what is read.
    let options = gix::open::Options::isolated()
        .config_overrides(["core.useReplaceRefs=false"])
        .bail_if_untrusted(false);
    let trust = gix::sec::trust::Mapping { full: options.clone(), reduced: options };
    let git = gix::ThreadSafeRepository::discover_opts(path, Default::default(), trust)
        .map_err(|e| GitError::NoRepository { path: path.to_owned(), reason: one_line(&e) })?
        .to_thread_local();
    let git_dir = git.common_dir().to_owned();
    let folder = git.workdir().unwrap_or(&git_dir).to_owned();
    let folder = folder.canonicalize().unwrap_or(folder);
    let unreadable = |reason: String| GitError::Unreadable { path: folder.clone(), reason };

    let (reference, tip) = default_reference(&git, &folder, branch)?;
    let branch = reference
        .strip_prefix("refs/heads/")
        .or_else(|| reference.strip_prefix("refs/remotes/origin/"))
        .unwrap_or(&reference)
        .to_owned();
    let shallow = git
        .shallow_commits()
        .map_err(|e| unreadable(one_line(&e)))?
        .map(|commits| commits.iter().copied().collect())
        .unwrap_or_default();

    let origin =
        git.config_snapshot().string("remote.origin.url").and_then(|url| normalised_origin(&url.to_string()));
    let folder_name = folder.file_name().map(|n| n.to_string_lossy().into_owned());
    let key = origin.clone().unwrap_or_else(|| format!("folder:{}", short_digest(&folder.to_string_lossy())));
    let label = origin.or(folder_name).unwrap_or_else(|| "repository".to_owned());
    Ok(Repository { git, path: folder, git_dir, key, label, branch, reference, tip, shallow })
}

fn default_reference(
    git: &gix::Repository,
    folder: &Path,
    asked: Option<&str>,
) -> Result<(String, ObjectId), GitError> {
    let tip_of = |name: &str| -> Option<(String, ObjectId)> {
        let mut found = git.try_find_reference(name).ok()??;
        let id = found.peel_to_id().ok()?.detach();
        Some((found.name().as_bstr().to_string(), id))
    };
    if let Some(asked) = asked {
        return tip_of(&format!("refs/heads/{asked}"))
            .or_else(|| tip_of(&format!("refs/remotes/origin/{asked}")))
            .or_else(|| asked.starts_with("refs/").then(|| tip_of(asked)).flatten())
            .ok_or_else(|| GitError::NoSuchBranch {
                path: folder.to_owned(),
                branch: asked.to_owned(),
                branches: branches(git),
            });
    }
    // What the team shares has landed; a commit that only stands in this clone has not.
    if let Ok(Some(head)) = git.try_find_reference("refs/remotes/origin/HEAD")
        && let Some(name) = head.target().try_name().map(|n| n.as_bstr().to_string())
        && let Some(found) = tip_of(&name)
    {
        return Ok(found);
    }
    let head =
        git.head().map_err(|e| GitError::Unreadable { path: folder.to_owned(), reason: one_line(&e) })?;
    match head.kind {
        gix::head::Kind::Symbolic(reference) => {
            let name = reference.name.as_bstr().to_string();
            tip_of(&name).ok_or_else(|| GitError::Corrupt {
                branch: name,
                commit: "of HEAD".to_owned(),
                reason: "the reference does not lead to an object".to_owned(),
            })
        }
        gix::head::Kind::Unborn(name) => {
            let name = name.as_bstr().to_string();
            let short = name.strip_prefix("refs/heads/").unwrap_or(&name).to_owned();
            // A clone can leave HEAD on a branch that does not exist while others do.
            let others = branches(git);
            if others == NO_BRANCH {
                Err(GitError::Unborn { path: folder.to_owned(), branch: short })
            } else {
                Err(GitError::Detached { path: folder.to_owned(), branches: others })
            }
        }
        gix::head::Kind::Detached { .. } => {
            Err(GitError::Detached { path: folder.to_owned(), branches: branches(git) })
        }
    }
}

const NO_BRANCH: &str = "it has none";

fn branches(git: &gix::Repository) -> String {
    let mut names = BTreeSet::new();
    if let Ok(platform) = git.references() {
        for (prefix, iter) in
            [("refs/heads/", platform.local_branches()), ("refs/remotes/origin/", platform.remote_branches())]
        {
            for reference in iter.into_iter().flatten().flatten() {
                let name = reference.name().as_bstr().to_string();
                if let Some(short) = name.strip_prefix(prefix).filter(|s| *s != "HEAD") {
                    names.insert(short.to_owned());
                }
            }
        }
    }
    if names.is_empty() { NO_BRANCH.to_owned() } else { names.into_iter().collect::<Vec<_>>().join(", ") }
}

/// `github.com/acme/app` from any spelling of a network address; `None` for a local path, which may name a person.
pub(super) fn normalised_origin(url: &str) -> Option<String> {
    let rest = match url.split_once("://") {
        Some(("file", _)) => return None,
        Some((_, rest)) => rest.to_owned(),
        // scp-like `git@host:path`; a Windows drive or a relative path is local.
        None => {
            let (host, path) = url.split_once(':')?;
            if host.len() < 2 || host.contains('/') || host.contains('\\') {
                return None;
            }
            format!("{host}/{path}")
        }
    };
    let (authority, path) = rest.split_once('/')?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _port)| host);
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!host.is_empty() && !path.is_empty()).then(|| format!("{}/{path}", host.to_lowercase()))
}

fn short_digest(text: &str) -> String {
    Sha256::digest(text.as_bytes())[..8].iter().map(|b| format!("{b:02x}")).collect()
}

/// An error and its causes on one line.
pub(super) fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text.replace('\n', " ")
}
