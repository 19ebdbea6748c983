//! Facts.
use model::{Derived, Document};
/// Facts of one captured document of this connector.
#[must_use]
pub fn derive(document: &Document<'_>) -> Derived {
    let _ = document;
    Derived::default()
}
