//! What can go wrong in a use case, in words for people.

use std::path::PathBuf;

/// Everything a use case can fail with. The command line prints it as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// The configuration file.
    #[error("{path}:{line}: {message}; {help}", path = .path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The line, from 1; 0 when no line is to blame.
        line: usize,
        /// What is wrong.
        message: String,
        /// What to write instead.
        help: String,
    },
    /// A file that cannot be read or written.
    #[error("cannot {action} `{path}`: {source}", path = .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No folder for the user's data.
    #[error(
        "nobody says where your files go: HOME is not set; name a workspace with --workspace DIR and a key file with TICKMARK_KEY_FILE"
    )]
    NoHome,
    /// A workspace that is none.
    #[error("`{path}` is no workspace: it has no tickmark.toml; make one with `tickmark init {path}`", path = .path.display())]
    NoWorkspace {
        /// The folder.
        path: PathBuf,
    },
    /// A workspace that exists already.
    #[error("`{path}` is a workspace already; nothing was changed", path = .path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A workspace inside the repository that is examined.
    #[error("the workspace `{workspace}` lies inside the repository `{repository}`, which is never written to; name another with --workspace DIR", workspace = .workspace.display(), repository = .repository.display())]
    InsideRepository {
        /// The workspace.
        workspace: PathBuf,
        /// The repository.
        repository: PathBuf,
    },
    /// A key file that holds no key.
    #[error("`{path}` holds no wrapping key: {reason}", path = .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The state database.
    #[error(transparent)]
    State(#[from] store::state::StateError),
    /// The records.
    #[error(transparent)]
    Records(#[from] store::records::RecordsError),
    /// Applying documents.
    #[error(transparent)]
    Apply(#[from] records::ApplyError),
    /// A query that ran into a limit or a wall.
    #[error("{what}: {source}")]
    Run {
        /// Which procedure or question.
        what: String,
        /// What stopped it.
        source: store::records::RunError,
    },
    /// Content or a query that may not run.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Problems(Vec<catalog::Problem>),
    /// A procedure that yielded something it may not.
    #[error(
        "the procedure `{procedure}` yielded {what} for item {item}; it is broken and its result is not used"
    )]
    Procedure {
        /// Which.
        procedure: String,
        /// The item.
        item: i64,
        /// What it yielded.
        what: String,
    },
    /// A day, an instant or a zone.
    #[error(transparent)]
    Time(#[from] model::TimeError),
    /// Anything with its own words.
    #[error("{0}")]
    Other(String),
}

impl AppError {
    /// A procedure that judges an item twice.
    pub(crate) fn two_rows(procedure: &str, item: i64) -> Self {
        Self::Procedure { procedure: procedure.to_owned(), item, what: "two rows".to_owned() }
    }

    /// For `map_err` on file operations.
    pub fn file(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}
