//! Failures as people see them: what went wrong, and what to do next.

use std::fmt;

/// An error with its way out.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    help: Option<String>,
}

impl Failure {
    /// From any error. By the house style an error says what is wrong, a semicolon, and what to do next.
    pub(crate) fn of(error: impl fmt::Display) -> Self {
        let text = error.to_string();
        // Several problems, one a line, stay as they are.
        match text.rsplit_once("; ").filter(|(_, help)| !help.contains('\n') && !text.contains('\n')) {
            Some((message, help)) => Self { message: message.to_owned(), help: Some(help.to_owned()) },
            None => Self { message: text, help: None },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl miette::Diagnostic for Failure {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|h| Box::new(h) as Box<dyn fmt::Display>)
    }
}

impl From<app::Refused> for Failure {
    fn from(refused: app::Refused) -> Self {
        match refused {
            app::Refused::Failed(error) => error.into(),
            other => Self::of(other),
        }
    }
}

macro_rules! from {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::of(error)
            }
        })+
    };
}

impl From<app::AppError> for Failure {
    fn from(error: app::AppError) -> Self {
        let text = error.to_string();
        // SQLite's words for a file whose bytes are not what it wrote.
        let broken = ["file is not a database", "disk image is malformed"].iter().any(|w| text.contains(w));
        let full = ["disk I/O error", "database or disk is full"].iter().any(|w| text.contains(w));
        match error {
            app::AppError::State(_)
            | app::AppError::Records(_)
            | app::AppError::Apply(_)
            | app::AppError::Run { .. }
                if full =>
            {
                Self::of(format!(
                    "{text}; nothing acknowledged is lost: free some space, or look after the disk, and try again"
                ))
            }
            app::AppError::State(_) if broken => Self::of(format!("{text}; restore it from a backup")),
            app::AppError::Records(_) | app::AppError::Apply(_) | app::AppError::Run { .. } if broken => {
                Self::of(format!(
                    "{text}; records are derived: remove `records-*.db` from the workspace's data folder, and the next \
                     command builds them anew from the ledger"
                ))
            }
            _ => Self::of(text),
        }
    }
}

from!(
    collect::HttpError,
    connectors::git::GitError,
    connectors::github::GitHubError,
    ledger::Error,
    model::TimeError,
    std::io::Error,
    store::state::StateError,
    verify::Refusal,
    tlog::Error,
);
