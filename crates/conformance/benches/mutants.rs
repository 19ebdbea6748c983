//! Changes one thing in the query of each built-in procedure, in every way, and counts what its cases notice.
//!
//! `cargo bench -p conformance --bench mutants [-- PROCEDURE …]` prints what no case notices, as Markdown.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a report is printed, and stops where something fails"
)]

use std::env;
use std::path::Path;

use catalog::Catalog;
use conformance::cases::Bench;
use conformance::mutants::{Change, Fate, Range};

fn main() {
    let wanted: Vec<String> = env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content");
    let (catalog, problems) = Catalog::of(&catalog::read_folder(&content).unwrap(), &[]);
    assert!(problems.is_empty(), "{problems:#?}");
    println!("# Procedures with one thing changed\n");
    println!(
        "Made by `./bench.sh mutants`. In the query of each procedure one thing at a time is changed in its tree: a condition left"
    );
    println!(
        "out, `<` and `<=`, `=` and `<>`, `IS NULL` and `IS NOT NULL` taken for each other, a join that finds nothing or everything,"
    );
    println!(
        "a comparison of instants off by a day. What may not be written does not count. A mutant is noticed when a case of the"
    );
    println!("procedure comes out differently.\n");
    println!("| procedure | cases | mutants | noticed | |\n|---|---|---|---|---|");
    let (mut all, mut noticed, mut survivors) = (0, 0, vec![]);
    for procedure in catalog.procedures.values() {
        if !wanted.is_empty() && !wanted.contains(&procedure.id) {
            continue;
        }
        let bench = Bench::new(&catalog, procedure).unwrap();
        let tried = Range::new(&bench).unwrap().try_all().unwrap();
        let counted = tried.iter().filter(|(_, fate)| *fate != Fate::Refused).count();
        let lived: Vec<Change> =
            tried.into_iter().filter(|(_, fate)| *fate == Fate::Survived).map(|(change, _)| change).collect();
        let killed = counted - lived.len();
        println!(
            "| {} | {} | {counted} | {killed} | {} |",
            procedure.id,
            bench.cases.len(),
            percent(killed, counted)
        );
        (all, noticed) = (all + counted, noticed + killed);
        survivors.push((procedure.id.clone(), lived));
    }
    println!("| all | | {all} | {noticed} | {} |\n", percent(noticed, all));
    println!("## What no case notices");
    for (id, lived) in survivors.iter().filter(|(_, lived)| !lived.is_empty()) {
        println!("\n{id}\n");
        for Change { file, line, was, is } in lived {
            println!("- {file}:{line} `{}` as `{}`", short(was), short(is));
        }
    }
}

fn percent(part: usize, of: usize) -> String {
    format!("{}.{} %", part * 100 / of.max(1), part * 1000 / of.max(1) % 10)
}

/// A text as one line that can be read.
fn short(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    if words.chars().count() <= 110 {
        words
    } else {
        format!("{} …", words.chars().take(108).collect::<String>())
    }
}
