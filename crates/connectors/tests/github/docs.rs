//! The page about this source says of every stream what the code says.

use std::path::Path;

use connectors::github::{STREAMS, StreamKind};

#[test]
fn every_stream_stands_on_the_page() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sources/github.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    for stream in STREAMS {
        let name = format!("`{}`", stream.name);
        let row =
            rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("{name} is not on the page"));
        let kind = match stream.kind {
            StreamKind::Event => "event",
            StreamKind::Snapshot => "snapshot",
            StreamKind::Detail => "detail",
        };
        assert_eq!((row[1], row[3], row[5]), (kind, stream.permission, stream.proves), "{name}");
        if let Some(days) = stream.retention_days {
            assert_eq!(row[4], format!("{days} days"), "{name}");
        }
    }
    assert_eq!(rows.len(), STREAMS.len(), "a stream on the page does not exist");
}
