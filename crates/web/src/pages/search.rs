//! Search over everything that has a page: what matches exactly is gone to at once.

use maud::html;

use crate::answer::{Answer, Page};
use crate::fault::Fault;
use crate::parts::{self, count, many, theirs};
use crate::visit::Visit;

/// Most results of a kind.
const LISTED: usize = 12;

struct Hit {
    name: String,
    says: String,
    to: String,
}

pub(crate) fn everything(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let Some(q) = visit.word("q") else {
        return Ok(Answer::Elsewhere { to: visit.to(&[]), cookies: vec![] });
    };
    let seen = visit.seen()?;
    let all = &seen.overview;
    let kinds: [(&str, Vec<Hit>); 5] = [
        (
            "Controls",
            hits(
                visit,
                all.criteria
                    .controls
                    .iter()
                    .map(|c| (c.id.as_str(), c.title.as_str(), vec!["controls", &c.id])),
            ),
        ),
        (
            "Criteria",
            hits(
                visit,
                all.criteria
                    .criteria
                    .iter()
                    .map(|c| (c.id.as_str(), c.title.as_str(), vec!["criteria", &c.id])),
            ),
        ),
        (
            "Procedures",
            hits(
                visit,
                all.report
                    .procedures
                    .iter()
                    .map(|p| (p.title.as_str(), p.id.as_str(), vec!["procedures", &p.id])),
            ),
        ),
        (
            "Deviations",
            hits(
                visit,
                all.deviations
                    .deviations
                    .iter()
                    .map(|d| (d.key.as_str(), d.label.as_str(), vec!["deviations", &d.key])),
            ),
        ),
        (
            "Tables",
            hits(
                visit,
                visit
                    .site
                    .catalog
                    .tables
                    .iter()
                    .map(|t| (t.name.as_str(), t.doc.as_str(), vec!["catalog", "tables", &t.name])),
            ),
        ),
    ];
    if let Some(hit) = kinds.iter().flat_map(|(_, hits)| hits).find(|hit| hit.name.eq_ignore_ascii_case(q)) {
        return Ok(Answer::Elsewhere { to: hit.to.clone(), cookies: vec![] });
    }
    let n: usize = kinds.iter().map(|(_, hits)| hits.len()).sum();
    Page::new(visit, "Search").of(&seen).show(|| {
        html! {
            (parts::head("Search", &html! { (many(n, "place", "places")) " for “" (theirs(q)) "”" }, &html! {}, &html! {}))
            @if n == 0 { (parts::empty("Nothing has it in its name.", "Search for an id such as CHG-02, a word of a title, or a table; items are found in the population of their procedure.", Some(("All procedures", &visit.to(&["procedures"]))), None)) }
            @for (kind, hits) in &kinds { @if !hits.is_empty() { section {
                div.sh { h2 { (kind) } p { (count(hits.len())) } }
                ul.list.small { @for hit in hits.iter().take(LISTED) { li { span.b { a href=(hit.to) { (theirs(&hit.name)) } " " span.dim { (theirs(&hit.says)) } } } } }
                @if hits.len() > LISTED { p.dim.small { "and " (hits.len() - LISTED) " more: search for more of its name" } }
            } } }
        }
    })
}

fn hits<'a>(visit: &Visit<'_>, all: impl Iterator<Item = (&'a str, &'a str, Vec<&'a str>)>) -> Vec<Hit> {
    all.filter(|(name, says, _)| parts::finds(visit, &[name, says]))
        .map(|(name, says, path)| Hit { name: name.to_owned(), says: says.to_owned(), to: visit.to(&path) })
        .collect()
}
