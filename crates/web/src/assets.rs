//! The files that pages refer to: built in, and named by their digest, so that a browser may keep them for good.

use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};

/// One file.
pub(crate) struct Asset {
    pub(crate) name: &'static str,
    pub(crate) media_type: &'static str,
    pub(crate) bytes: &'static [u8],
    /// Its digest, shortened.
    pub(crate) tag: String,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let of = |name, media_type, bytes: &'static [u8]| {
        let tag = Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Asset { name, media_type, bytes, tag }
    };
    vec![
        of("style.css", "text/css; charset=utf-8", include_bytes!("../assets/style.css")),
        of("app.js", "text/javascript; charset=utf-8", include_bytes!("../assets/app.js")),
        of("icon.svg", "image/svg+xml", include_bytes!("../assets/icon.svg")),
    ]
});

pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// The address of a file, which changes when the file does.
pub(crate) fn address(name: &str) -> String {
    let tag = find(name).map_or("", |asset| asset.tag.as_str());
    format!("/assets/{name}?v={tag}")
}
