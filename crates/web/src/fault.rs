//! What cannot be answered, in words for people: a code, the cause, the way out.

use app::AppError;
use axum::http::StatusCode;
use serde_json::{Value as Json, json};

/// Why there is no page.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    /// A word that programs can rely on.
    pub(crate) code: &'static str,
    /// What is wrong.
    pub(crate) cause: String,
    /// What to do next.
    pub(crate) fix: String,
}

impl Fault {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        cause: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { status, code, cause: cause.into(), fix: fix.into() }
    }

    /// Something that was named and is not there.
    pub(crate) fn unknown(what: &str, name: &str, fix: impl Into<String>) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("there is no {what} `{}`", shortened(name)),
            fix,
        )
    }

    /// A request that says something nobody understands. By the house style of errors the part after the last semicolon is
    /// the way out.
    pub(crate) fn asked(error: &AppError) -> Self {
        let text = error.to_string();
        let (cause, fix) = match text.rsplit_once("; ") {
            Some((cause, fix)) if !text.contains('\n') => (cause.to_owned(), fix.to_owned()),
            _ => (text, "correct what was asked and try again".to_owned()),
        };
        Self::new(StatusCode::BAD_REQUEST, "bad_request", cause, fix)
    }

    /// What a program reads: RFC 9457.
    pub(crate) fn problem(&self, request: &str) -> Json {
        json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.cause,
            "fix": self.fix,
            "request_id": request,
        })
    }
}

/// Text of a request, short enough to be shown.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl From<AppError> for Fault {
    fn from(error: AppError) -> Self {
        let asked = Self::asked(&error);
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, code: "internal", ..asked }
    }
}
