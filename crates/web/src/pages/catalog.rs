//! The record tables: what a row of each is, what feeds it, and who reads it.

use app::TableEntry;
use maud::html;
use serde_json::json;

use crate::answer::{Answer, Page};
use crate::csv::Csv;
use crate::fault::Fault;
use crate::parts::{self, count, many};
use crate::visit::Visit;

pub(crate) fn tables(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let catalog = &visit.site.catalog;
    let found = |t: &&TableEntry| parts::finds(visit, &[&t.name, &t.doc, &t.fed_by.join(" ")]);
    let listed: Vec<&TableEntry> = catalog.tables.iter().filter(found).collect();
    Page::new(visit, "Catalogue")
        .command("tickmark catalog tables --json")
        .json(|| json!({ "tables": listed, "problems": catalog.problems }))
        .csv(|| {
            let mut csv = Csv::new(["table", "kind", "doc", "columns", "fed_by", "procedures", "controls"]);
            for t in &listed {
                csv.row([
                    t.name.clone(),
                    t.kind.to_owned(),
                    t.doc.clone(),
                    t.columns.len().to_string(),
                    t.fed_by.join(" "),
                    t.procedures.join(" "),
                    t.controls.join(" "),
                ]);
            }
            csv
        })
        .show(|| {
            html! {
                (parts::head("Catalogue", &html! { (many(catalog.controls.len(), "control", "controls")) ", " (many(catalog.procedures.len(), "procedure", "procedures")) " over " (many(catalog.tables.len(), "record table", "record tables")) },
                    &html! { p { "Controls and criteria have pages of their own: " a href=(visit.to(&["controls"])) { "controls" } ", " a href=(visit.to(&["criteria"])) { "criteria" } ", " a href=(visit.to(&["procedures"])) { "procedures" } ". Here are the tables that everything is read from." } }, &html! {}))
                @if !catalog.problems.is_empty() { div.note { p { b { "Left out, because it cannot be read:" } } @for problem in &catalog.problems { p { code { (problem) } } } } }
                (parts::filter_field(visit, "Filter tables"))
                p.bar role="status" { (count(listed.len())) " of " (many(catalog.tables.len(), "table", "tables")) }
                @if listed.is_empty() { (parts::empty("No table is left under this filter.", "Clear it to see all of them.", Some(("Clear the filter", &visit.to(&["catalog"]))), None)) }
                @else { table.stack data-rows="open" { caption.vh { "Record tables" }
                    thead { tr { th scope="col" { "Table" } th scope="col" { "What a row is" } th scope="col" { "Kind" } th.num scope="col" { "Columns" } th.num scope="col" { "Read by" } } }
                    tbody { @for t in &listed { tr data-row {
                        th scope="row" { a href=(visit.to(&["catalog", "tables", &t.name])) { (t.name) } }
                        td { (t.doc) }
                        td.il { (t.kind) }
                        td.num.il data-l="columns" { (t.columns.len()) }
                        td.num.nw.il data-l="read by" { (many(t.procedures.len(), "procedure", "procedures")) }
                    } } }
                } }
            }
        })
}

pub(crate) fn table(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let name = visit.name("name");
    let unknown = || Fault::unknown("table", name, "the catalogue has all of them");
    let t = visit.site.catalog.tables.iter().find(|t| t.name == name).ok_or_else(unknown)?;
    let question = format!("SELECT * FROM {name} LIMIT 100");
    Page::new(visit, t.name.clone())
        .below("Catalogue", &["catalog"])
        .command(format!("tickmark query \"{question}\""))
        .json(|| json!({ "table": t }))
        .csv(|| {
            let mut csv = Csv::new(["column", "kind", "may_be_unknown", "words", "doc"]);
            for c in &t.columns {
                csv.row([c.name.clone(), c.kind.to_owned(), c.nullable.to_string(), c.words.join(" "), c.doc.clone()]);
            }
            csv
        })
        .show(|| {
            html! {
                (parts::head(&format!("Record table · {}", t.kind), &html! { (t.name) }, &html! { p { (t.doc) } },
                    &html! { a.btn href=(visit.find(&["query"], &[("sql", &question)])) { "Ask it" } }))
                dl.kv {
                    dt { "Fed by" } dd { @if t.fed_by.is_empty() { span.dim { "nothing yet" } } @else { (t.fed_by.join(", ")) } }
                    dt { "Where was looked" } dd { a href=(visit.find(&["coverage"], &[("table", name)])) { "its coverage" } }
                    dt { "Read by" } dd { (parts::links(visit, &["procedures"], &t.procedures)) }
                    dt { "For" } dd { (parts::controls(visit, &t.controls)) }
                }
                section aria-labelledby="h-columns" { div.sh { h2 id="h-columns" { "Columns" } p { (count(t.columns.len())) } }
                    table.stack { caption.vh { "Columns of " (t.name) }
                        thead { tr { th scope="col" { "Column" } th scope="col" { "What it means" } th scope="col" { "Type" } th scope="col" { "Unknown" } } }
                        tbody { @for c in &t.columns { tr {
                            th scope="row" { code { (c.name) } }
                            td { (c.doc) @if !c.words.is_empty() { br; span.dim { "one of " @for w in &c.words { code { (w) } " " } } } }
                            td.il { (c.kind) }
                            td.il { @if c.nullable { "may be" } @else { span.dim { "never" } } }
                        } } }
                    } }
            }
        })
}
