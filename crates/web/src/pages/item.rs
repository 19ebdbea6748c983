//! One item of a population: the verdict on each attribute and why, and the evidence down to its bytes and its proof.

use app::{ItemReport, ProcedureReport, Reach, Resource};
use maud::{Markup, html};
use model::{Document, Verdict};
use serde_json::json;

use crate::answer::{Answer, Page};
use crate::fault::Fault;
use crate::pages::ledger;
use crate::pages::procedures::NamedItem;
use crate::parts::{self, Mark, spoken, theirs};
use crate::site::Seen;
use crate::visit::Visit;

fn find<'s>(visit: &Visit<'_>, seen: &'s Seen) -> Result<(&'s ProcedureReport, &'s ItemReport), Fault> {
    let (id, name) = (visit.name("id"), visit.name("item"));
    let unknown =
        || Fault::unknown("item", name, "the population of its procedure lists every item of the period");
    let procedure = seen.overview.report.procedures.iter().find(|p| p.id == id).ok_or_else(unknown)?;
    let (record, within) = name.rsplit_once('-').ok_or_else(unknown)?;
    let named = |item: &&ItemReport| item.record.to_string() == record && item.within.to_string() == within;
    // Where an item is judged several times in the period the worst is told.
    let item = procedure.items.iter().filter(named).min_by_key(|item| item.verdict()).ok_or_else(unknown)?;
    Ok((procedure, item))
}

pub(crate) fn detail(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let seen = visit.seen()?;
    let (procedure, item) = find(visit, &seen)?;
    let verdict = item.verdict();
    let reach = visit.reads(Resource::Evidence);
    let called = visit.who()?.called.as_str();
    let own = seen
        .overview
        .criteria
        .controls
        .iter()
        .any(|c| procedure.controls.contains(&c.id) && c.owner.as_deref() == Some(called));
    let may = reach == Some(Reach::Every) || (reach == Some(Reach::Own) && own);
    let entry = u64::try_from(item.entry).ok();
    let evidence = entry.filter(|_| may).map(|entry| visit.site.workspace().document(entry));
    Page::new(visit, item.label.clone())
        .of(&seen)
        .below("Procedures", &["procedures"])
        .below(procedure.title.clone(), &["procedures", &procedure.id])
        .command(format!("tickmark ledger show {}", item.entry))
        .json(|| json!({ "procedure": procedure.id, "controls": procedure.controls, "item": NamedItem::of(item), "how_to_fix": procedure.how_to_fix }))
        .show(|| {
            html! {
                (parts::head(&format!("{} · {}", spoken(&item.kind.0), procedure.title), &html! { (theirs(&item.label)) },
                    &html! { p { (visit.time(item.occurred_at)) " · tests " (parts::controls(visit, &procedure.controls)) } },
                    &Mark::from(verdict).pill(&spoken(verdict.word()))))
                @if let Some(waiver) = &item.waived { p.note.info { "Allowed in advance by " (theirs(waiver)) ". It stays a deviation." } }
                section aria-labelledby="h-verdicts" {
                    div.sh { h2 id="h-verdicts" { "What was tested" } p { "every attribute, and why where it did not pass" } }
                    (attributes(visit, &seen, procedure, item))
                }
                @if item.verdicts.values().any(|v| *v == Verdict::Deviation) && !procedure.how_to_fix.is_empty() {
                    section aria-labelledby="h-fix" { div.sh { h2 id="h-fix" { "How to fix it" } } p { (procedure.how_to_fix) } }
                }
                @if !item.versions.is_empty() { (versions(visit, procedure, item)) }
                section aria-labelledby="h-evidence" {
                    div.sh { h2 id="h-evidence" { "Evidence" } p { "what the source said, byte for byte" } }
                    dl.kv {
                        dt { "Key" } dd { code { (theirs(&item.item)) } }
                        @if let Some(scope) = &item.scope { dt { "Judged in" } dd { (theirs(scope)) } }
                        dt { "Grade" } dd { (spoken(item.grade.word())) span.dim { ", the weakest that its verdicts rest on" } }
                        dt { "In the ledger" } dd { @if reach == Some(Reach::Every) { (parts::entry(visit, item.entry)) " · " a href=(visit.to(&["ledger", &item.entry.to_string(), "bytes"])) { "its bytes" } " · " } @else { "entry " (item.entry) " · " } a href=(visit.to(&["ledger", &item.entry.to_string(), "proof"])) { "its proof" } }
                    }
                    @match &evidence {
                        Some(Ok(bytes)) => @match Document::parse(bytes) {
                            Ok(document) => { (ledger::receipt(visit, &document.receipt)) (ledger::preview(document.body, Some(&item.item))) },
                            Err(error) => p.note { (error) },
                        },
                        Some(Err(error)) => p.note { (theirs(&error.to_string())) },
                        None if !may => p.note { "What the source said is shown to owners of the control, to those who run the programme and to auditors." },
                        None => p.note { "Its record names no entry of the ledger." },
                    }
                }
            }
        })
}

fn attributes(visit: &Visit<'_>, seen: &Seen, procedure: &ProcedureReport, item: &ItemReport) -> Markup {
    let deviation = |letter| {
        seen.overview.deviations.deviations.iter().find(|d| {
            d.about.procedure == procedure.id
                && d.about.attribute == letter
                && d.about.item == item.item
                && d.occurred_at == item.occurred_at
                && (d.about.scope.is_none() || d.about.scope == item.scope)
        })
    };
    html! { table.stack {
        caption.vh { "Attributes with their verdicts" }
        thead { tr { th scope="col" { "Attribute" } th scope="col" { "What holds when it passes" } th scope="col" { "Verdict" } th scope="col" { "Why" } } }
        tbody { @for a in &procedure.attributes {
            @let verdict = item.verdicts.get(&a.letter).copied().unwrap_or(Verdict::NoEvidence);
            tr {
                th scope="row" { (a.letter.to_string().to_uppercase()) }
                td { (a.says) }
                td.il { (Mark::from(verdict).says(&spoken(verdict.word()))) @if let Some(other) = item.otherwise.get(&a.letter) { br; span.dim.small { "a later version says " (spoken(other.word())) ", which does not count" } } }
                td { @if let Some(why) = item.reasons.get(&a.letter) { (theirs(why)) }
                    @if verdict == Verdict::Deviation { @if let Some(d) = deviation(a.letter) { " " a.nw href=(visit.to(&["deviations", &d.key])) { (d.key) } } } }
            }
        } }
    } }
}

fn versions(visit: &Visit<'_>, procedure: &ProcedureReport, item: &ItemReport) -> Markup {
    html! { section aria-labelledby="h-versions" {
        div.sh { h2 id="h-versions" { "By which version" } p { "where several were in force, the worst counts" } }
        ul.list.small { @for version in &item.versions { @if let Some(of) = procedure.versions.get(version.version) { li {
            span.b { (visit.day(of.from)) " to " (visit.day(of.to)) ": "
                @for (a, v) in &version.verdicts { (a.to_string().to_uppercase()) " " (Mark::from(*v).says(&spoken(v.word()))) " " } }
        } } } }
    } }
}
