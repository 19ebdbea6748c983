//! The page about this source, and the record tables, say of its streams what the code says.

use std::collections::BTreeSet;
use std::path::Path;

use connectors::github::{STREAMS, StreamKind, streams_of};

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

#[test]
fn tables_name_the_streams_that_feed_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/tables");
    let git: BTreeSet<&str> = [connectors::git::COMMITS, connectors::git::REFS].into();
    let github: BTreeSet<&str> = STREAMS.iter().map(|s| s.name).collect();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let table: toml::Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let fed_by: Vec<&str> =
            table["fed_by"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
        for stream in &fed_by {
            let known = match stream.split_once('.') {
                Some(("git", stream)) => git.contains(stream),
                Some(("github", stream)) => github.contains(stream),
                // What people import or decide, and what is worked out from records, is fetched by no connector.
                Some(("import" | "decision" | "records" | "content", _)) => true,
                _ => false,
            };
            assert!(known, "`{name}` is fed by `{stream}`, which is no stream");
        }
        // A table rests on streams that feed it, or on those that say which items they are asked for.
        if let Some(last) = streams_of(name).last() {
            assert!(fed_by.contains(&format!("github.{last}").as_str()), "`{name}` rests on `{last}`");
            seen += 1;
        }
    }
    assert!(seen > 10);
}
