//! What people enter here: single rows, and files of evidence. Both are decisions in the ledger.

use std::ops::Range;

use ledger::Kind;
use model::{Capture, Document, Receipt};

use crate::error::AppError;
use crate::workspace::{Workspace, redactions};

/// Stream of the bytes of files of evidence. No rows are derived from them: the row that names a file is an entry of its own.
pub const EVIDENCE: &str = "evidence";

/// Something entered here, as the ledger has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entered {
    /// Its ledger entry.
    pub entry: u64,
    /// Its receipt.
    pub receipt: Receipt,
    /// Its bytes.
    pub body: Vec<u8>,
}

impl Workspace {
    /// Appends what a person entered here, all of it at once: when this returns it is durable.
    ///
    /// # Errors
    /// The disk.
    pub fn decide(&mut self, captures: &[Capture]) -> Result<Range<u64>, AppError> {
        self.append_as(Kind::Decision, captures)
    }

    /// Everything that was entered in a stream, oldest first. What was erased since is not among it.
    ///
    /// # Errors
    /// The ledger.
    pub fn entered(&self, stream: &str) -> Result<Vec<Entered>, AppError> {
        let mut all = vec![];
        let mut copies = None;
        for entry in 0..self.ledger.size() {
            let leaf = self.ledger.leaf(entry)?;
            if leaf.kind != Kind::Decision || leaf.stream != stream {
                continue;
            }
            let document = match self.ledger.document(entry) {
                Err(ledger::Error::Erased { .. }) => {
                    // A redacted copy may speak in its place.
                    let copies = match &copies {
                        Some(copies) => copies,
                        None => copies.insert(redactions(&self.ledger, self.ledger.size())?),
                    };
                    match copies.get(&entry).map(|copy| self.ledger.document(*copy)) {
                        Some(Ok(document)) => document,
                        _ => continue,
                    }
                }
                other => other?,
            };
            let Ok(Document { receipt, body }) = Document::parse(&document) else { continue };
            all.push(Entered { entry, receipt, body: body.to_vec() });
        }
        Ok(all)
    }

    /// The bytes of a file of evidence, by the ledger entry that holds them.
    ///
    /// # Errors
    /// No such entry, another kind of entry, or it was erased.
    pub fn evidence(&self, entry: u64) -> Result<Vec<u8>, AppError> {
        let none = || {
            AppError::Other(format!(
                "there is no evidence `{entry}`; `tickmark evidence list` shows what there is"
            ))
        };
        if entry >= self.ledger.size() {
            return Err(none());
        }
        let leaf = self.ledger.leaf(entry)?;
        if leaf.kind != Kind::Decision || leaf.stream != EVIDENCE {
            return Err(none());
        }
        let document = self.ledger.document(entry)?;
        let parsed = Document::parse(&document).map_err(|e| AppError::Other(e.to_string()))?;
        Ok(parsed.body.to_vec())
    }
}
