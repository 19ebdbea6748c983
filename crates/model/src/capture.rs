//! Captures: the raw bytes a source gave, with the receipt that says how they were asked for.
//!
//! A capture enters the ledger as one *document*: the receipt as one line of JSON, a line feed, then the body exactly
//! as the source sent it. The commitment in the leaf is over the document, so nobody can swap one receipt for another.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::coverage::Coverage;
use crate::time::Instant;

/// How a capture came about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Source instance, such as `git:3f2a…` or `github:acme/app`.
    pub source: String,
    /// Stream of that source, such as `commits` or `reviews`.
    pub stream: String,
    /// Media type of the body.
    pub media_type: String,
    /// When the bytes were received.
    pub collected_at: Instant,
    /// Name and version of the collector, such as `git/1`.
    pub collector: String,
    /// What was asked, exactly: a URL with parameters, a revision range. Never a secret.
    pub request: String,
    /// Status of the answer, for HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The source's own `Date`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_date: Option<String>,
    /// Index of this page and of the run it belongs to, counted from 0.
    #[serde(default)]
    pub page: u32,
    /// What the look yielded for its window. `None` on all but the last capture of a run: a run speaks once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// Where the next run goes on, in the connector's own words. On the last capture of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Json>,
    /// Facts about the request that the derivation needs (the repository, the pull request it details).
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub context: Json,
    /// What was removed from the body before storing, such as `authorization header`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redacted: Vec<String>,
}

/// Raw bytes with their receipt, ready for the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Capture {
    /// How they came about.
    pub receipt: Receipt,
    /// What the source sent.
    pub body: Vec<u8>,
}

impl Capture {
    /// The document that enters the ledger: receipt line, line feed, body.
    #[must_use]
    pub fn to_document(&self) -> Vec<u8> {
        // A receipt holds only strings, numbers and maps with text keys: it always serialises.
        let mut bytes = serde_json::to_vec(&self.receipt).unwrap_or_default();
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// A document read back from the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document<'a> {
    /// The receipt.
    pub receipt: Receipt,
    /// The body, borrowed from the document.
    pub body: &'a [u8],
}

impl<'a> Document<'a> {
    /// Splits a document into receipt and body.
    ///
    /// # Errors
    /// No receipt line, or a receipt this version cannot read.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DocumentError> {
        let end = bytes.iter().position(|b| *b == b'\n').ok_or(DocumentError::NoReceipt)?;
        let receipt = serde_json::from_slice(&bytes[..end])
            .map_err(|e| DocumentError::BadReceipt { reason: e.to_string() })?;
        Ok(Self { receipt, body: &bytes[end + 1..] })
    }
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The first line is missing.
    #[error("the document has no receipt line; it was not written by a collector")]
    NoReceipt,
    /// The first line is no receipt.
    #[error("the receipt cannot be read ({reason}); it may come from a newer version")]
    BadReceipt {
        /// What the reader said.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CoverageStatus, Window};

    #[test]
    fn a_body_of_any_bytes_survives() {
        let capture = Capture {
            receipt: Receipt {
                source: "git:x".into(),
                stream: "commits".into(),
                media_type: "application/octet-stream".into(),
                collected_at: Instant::from_ms(1),
                collector: "git/1".into(),
                request: "a..b\n\"quoted\"".into(),
                status: None,
                server_date: None,
                page: 0,
                coverage: Some(Coverage {
                    status: CoverageStatus::Partial,
                    window: Window { from: Instant::BEGINNING, to: Instant::FOREVER },
                    reason: "shallow".into(),
                }),
                cursor: Some(serde_json::json!({"tip": "b"})),
                context: Json::Null,
                redacted: vec![],
            },
            body: b"\n\xff\x00line\n".to_vec(),
        };
        let bytes = capture.to_document();
        let back = Document::parse(&bytes).unwrap();
        assert_eq!(back.receipt, capture.receipt);
        assert_eq!(back.body, capture.body);
    }

    #[test]
    fn garbage_is_no_document() {
        assert_eq!(Document::parse(b""), Err(DocumentError::NoReceipt));
        assert!(matches!(Document::parse(b"{}\nx"), Err(DocumentError::BadReceipt { .. })));
    }
}
