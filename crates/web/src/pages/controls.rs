//! Controls: the list with both conclusions, and one with everything that it rests on.

use std::collections::BTreeMap;

use app::{ControlEntry, ControlReport, ItemReport, ProcedureReport};
use maud::{Markup, html};
use model::{Conclusion, Verdict};
use serde_json::json;

use crate::answer::{Answer, Page};
use crate::csv::Csv;
use crate::fault::Fault;
use crate::pages::home;
use crate::parts::{self, Mark, count, fact, many, mark_of, spoken, theirs};
use crate::site::Seen;
use crate::strip::{self, Day};
use crate::visit::Visit;

pub(crate) fn list(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let seen = visit.seen()?;
    let scoped = home::in_scope(&seen);
    let all: Vec<&ControlReport> = match visit.word("scope") {
        Some("in") => scoped,
        _ => seen.overview.criteria.controls.iter().collect(),
    };
    let found = |control: &&ControlReport| {
        let owner = control.owner.as_deref().unwrap_or("");
        parts::finds(visit, &[&control.id, &control.title, &control.owner_role, owner, &control.statement])
    };
    let searched: Vec<&ControlReport> = all.iter().copied().filter(found).collect();
    let operation = |control: &ControlReport| control.operation.map_or("none", Conclusion::word);
    let listed: Vec<&ControlReport> = searched
        .iter()
        .copied()
        .filter(|c| visit.word("operation").is_none_or(|word| word == operation(c)))
        .filter(|c| visit.word("design").is_none_or(|word| word == c.design))
        .collect();
    Page::new(visit, "Controls")
        .of(&seen)
        .command("tickmark control --json")
        .json(|| json!({ "controls": visit.cut(&listed) }))
        .csv(|| {
            let mut csv = Csv::new([
                "control", "title", "design", "design_because", "operation", "operation_because", "owner_role", "owner", "criteria", "procedures", "deviations",
            ]);
            for control in &listed {
                let criteria: Vec<&str> = control.criteria.iter().map(|c| c.id.as_str()).collect();
                csv.row([
                    control.id.clone(),
                    control.title.clone(),
                    control.design.to_owned(),
                    control.design_because.clone(),
                    operation(control).to_owned(),
                    control.operation_because.join("; "),
                    control.owner_role.clone(),
                    control.owner.clone().unwrap_or_default(),
                    criteria.join(" "),
                    control.procedures.join(" "),
                    control.deviations.join(" "),
                ]);
            }
            csv
        })
        .show(|| {
            let of = |word: &str| searched.iter().filter(|c| operation(c) == word).count();
            html! {
                (parts::head("Controls", &html! { (heading(&searched)) }, &html! { p { "Design: would it do what it is for? Operation: did it, over the whole period? The worst comes first." } }, &html! {}))
                div.facets {
                    (parts::chip(visit, "operation", "", &html! { "All" }, searched.len()))
                    @for conclusion in [Conclusion::ExceptionsNoted, Conclusion::CannotConclude, Conclusion::DidNotOperate, Conclusion::NoExceptions] {
                        (parts::chip(visit, "operation", conclusion.word(), &Mark::from(conclusion).says(&spoken(conclusion.word())), of(conclusion.word())))
                    }
                }
                (parts::filter_field(visit, "Filter controls"))
                p.bar role="status" { (count(listed.len())) " of " (many(all.len(), "control", "controls")) }
                @if listed.is_empty() {
                    (parts::empty("No control is left under this filter.", "Clear it to see every control.", Some(("Clear the filter", &visit.to(&["controls"]))), None))
                } @else { (rows(visit, &listed)) }
            }
        })
}

fn heading(controls: &[&ControlReport]) -> String {
    let of = |conclusion| controls.iter().filter(|c| c.operation == Some(conclusion)).count();
    format!(
        "{} of {} without exceptions, {} with, {} cannot be concluded",
        count(of(Conclusion::NoExceptions)),
        many(controls.len(), "control", "controls"),
        count(of(Conclusion::ExceptionsNoted)),
        count(of(Conclusion::CannotConclude))
    )
}

/// The mark and words of how a control operated.
pub(crate) fn operation(control: &ControlReport) -> Markup {
    match control.operation {
        Some(conclusion) => Mark::from(conclusion).says(&spoken(conclusion.word())),
        None => Mark::Unk.says("Not asked"),
    }
}

fn rows(visit: &Visit<'_>, controls: &[&ControlReport]) -> Markup {
    let mut sorted = controls.to_vec();
    sorted.sort_by_key(|c| c.operation.map_or(Mark::Unk, Mark::from));
    html! { table.stack data-rows="open" {
        caption.vh { "Controls with their two conclusions" }
        thead { tr { th scope="col" { "Control" } th scope="col" { "What is done" } th scope="col" { "Design" } th scope="col" { "Operation" } th scope="col" { "Owner" } th.num scope="col" { "Deviations" } } }
        tbody { @for c in sorted { tr data-row {
            th scope="row" { a.cid href=(visit.to(&["controls", &c.id])) { (c.id) } }
            td { (c.title) @if let Some(first) = c.operation_because.first() { @if c.operation != Some(Conclusion::NoExceptions) { br; span.dim { (theirs(first)) } } } }
            td.il { (mark_of(c.design).says(&spoken(c.design))) }
            td.il { (operation(c)) }
            td.il data-l="owner" { @match &c.owner { Some(owner) => (theirs(owner)), None => span.dim { "nobody · " (c.owner_role) } } }
            td.num.il data-l="deviations" { @if c.deviations.is_empty() { "0" } @else { a href=(visit.find(&["deviations"], &[("control", &c.id)])) { (c.deviations.len()) } } }
        } } }
    } }
}

pub(crate) fn detail(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let id = visit.name("id");
    let seen = visit.seen()?;
    let all = &seen.overview;
    let unknown = || Fault::unknown("control", id, "the list of controls has all of them");
    let control = all.criteria.controls.iter().find(|c| c.id == id).ok_or_else(unknown)?;
    let entry = visit.site.catalog.controls.iter().find(|c| c.id == id).ok_or_else(unknown)?;
    let procedures: Vec<&ProcedureReport> =
        all.report.procedures.iter().filter(|p| p.controls.iter().any(|c| c == id)).collect();
    let days = strip::days(&seen.period, seen.at, &procedures);
    Page::new(visit, control.id.clone())
        .of(&seen)
        .below("Controls", &["controls"])
        .command(format!("tickmark control {id} --json"))
        .json(|| json!({ "control": control, "content": entry, "procedures": summaries(&procedures) }))
        .show(|| {
            html! {
                (parts::head(&format!("Control · {} · {}", spoken(entry.mode), entry.frequency.join(", ").replace('_', " ")),
                    &html! { span.hid { (control.id) } " " (control.title) },
                    &html! { p { (theirs(&control.statement)) } },
                    &match control.operation { Some(c) => Mark::from(c).pill(&spoken(c.word())), None => Mark::Unk.pill("Not asked") }))
                @if !control.operation_because.is_empty() && control.operation != Some(Conclusion::NoExceptions) {
                    div.note { @for why in &control.operation_because { p { (theirs(why)) } } }
                }
                @for doubt in &entry.in_doubt { p.note { (theirs(doubt)) } }
                (facts(visit, control, &procedures))
                @if !procedures.is_empty() {
                    section aria-labelledby="h-days" {
                        @let to = |day: &Day| format!("{}#day", visit.with(&[("day", &day.date)]));
                        div.sh { h2 id="h-days" { "Every day of the period" } p { "the worst of each; a day leads to its items" } }
                        (strip::strip(&format!("{} by day", control.id), &days, to))
                        (strip::to_look_at(&days, to))
                    }
                    (of_a_day(visit, &seen, &days, &procedures))
                }
                (tested(visit, &procedures))
                div.cols {
                    div { (open_deviations(visit, &seen, id)) (by_hand(entry)) }
                    div { (about(visit, control, entry)) }
                }
            }
        })
}

/// Procedures without their items, which have pages of their own.
fn summaries(procedures: &[&ProcedureReport]) -> Vec<serde_json::Value> {
    let one = |p: &&ProcedureReport| {
        json!({
            "id": p.id, "title": p.title, "conclusion": p.conclusion, "held_back_by": p.held_back_by,
            "population": p.population, "attributes": p.attributes, "gaps": p.gaps,
        })
    };
    procedures.iter().map(one).collect()
}

/// How many items have each verdict.
pub(crate) fn verdicts(items: &[ItemReport]) -> BTreeMap<Verdict, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item.verdict()).or_default() += 1;
    }
    counts
}

fn facts(visit: &Visit<'_>, control: &ControlReport, procedures: &[&ProcedureReport]) -> Markup {
    let items: usize = procedures.iter().map(|p| p.population).sum();
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    for (verdict, n) in procedures.iter().flat_map(|p| verdicts(&p.items)) {
        *counts.entry(verdict).or_default() += n;
    }
    // With one procedure a number leads to its rows; with several, to the procedures, whose numbers do.
    let to = |filter: &[(&str, &str)]| match procedures {
        [one] => visit.find(&["procedures", &one.id], filter),
        _ => format!("{}#tested", visit.with(&[])),
    };
    html! { dl.facts.sec0 {
        (fact(&mark_of(control.design).says("Design"), &spoken(control.design), None, &control.design_because))
        @if !procedures.is_empty() { (fact(&html! { "Items tested" }, &count(items), Some(&to(&[])), "every one, no sample")) }
        @for (verdict, n) in counts {
            (fact(&Mark::from(verdict).says(&spoken(verdict.word())), &count(n), Some(&to(&[("result", verdict.word())])), says(verdict)))
        }
    } }
}

/// What a verdict of an item means.
pub(crate) const fn says(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Deviation => "the rule was broken",
        Verdict::NeedsJudgement => "a person decides",
        Verdict::NoEvidence => "nobody could look",
        Verdict::NotYetDue => "its time has not run out",
        Verdict::Pass => "every attribute holds",
        Verdict::NotApplicable => "the rule is not about it",
    }
}

fn worst_first<'a>(items: impl Iterator<Item = &'a ItemReport>) -> Vec<&'a ItemReport> {
    let mut items: Vec<&ItemReport> = items.collect();
    items.sort_by_key(|item| item.verdict());
    items
}

/// The items of the day that the address names.
fn of_a_day(visit: &Visit<'_>, seen: &Seen, days: &[Day], procedures: &[&ProcedureReport]) -> Markup {
    const LISTED: usize = 50;
    let Some(day) = visit.word("day").and_then(|date| days.iter().find(|day| day.date == date)) else {
        return html! {};
    };
    let within = |item: &&ItemReport| day.from <= item.occurred_at && item.occurred_at < day.to;
    html! { section id="day" aria-labelledby="h-day" {
        div.sh { h2 id="h-day" { (day.says()) } span.end { a href=(visit.with(&[("day", "")])) { "Close" } } }
        @for p in procedures {
            @let items = worst_first(p.items.iter().filter(within));
            @let gaps: Vec<_> = p.gaps.iter().filter(|gap| gap.from < day.to && day.from < gap.to).collect();
            @if !items.is_empty() || !gaps.is_empty() {
                h3 { a href=(visit.find(&["procedures", &p.id], &[("day", &day.date)])) { (p.title) } }
                ul.list.small { @for item in items.iter().take(LISTED) { li {
                    span.d { (Mark::from(item.verdict()).says(&spoken(item.verdict().word()))) }
                    span.b { a href=(item_path(visit, p, item)) { (theirs(&item.label)) } @for why in item.reasons.values() { br; span.dim { (theirs(why)) } } }
                } } @for gap in gaps { li { span.d { (Mark::Unk.says("Not all known")) } span.b { (theirs(&gap.reason)) } } } }
                @if items.len() > LISTED { p.dim.small { "and " (many(items.len() - LISTED, "more", "more")) } }
            }
        }
        @if seen.at < day.from { p.sub { "It has not come yet." } }
    } }
}

/// The address of an item of a procedure.
pub(crate) fn item_path(visit: &Visit<'_>, procedure: &ProcedureReport, item: &ItemReport) -> String {
    visit.to(&["procedures", &procedure.id, "items", &item_id(item)])
}

/// What an item is called in addresses.
pub(crate) fn item_id(item: &ItemReport) -> String {
    format!("{}-{}", item.record, item.within)
}

fn tested(visit: &Visit<'_>, procedures: &[&ProcedureReport]) -> Markup {
    html! { section id="tested" aria-labelledby="h-tested" {
        div.sh { h2 id="h-tested" { "How it is tested" } p { (many(procedures.len(), "procedure", "procedures")) } }
        @if procedures.is_empty() {
            (parts::empty("No procedure tested it in this period.", "Evidence for it is gathered by hand, and whether it is enough is for a person to say.", None, Some("tickmark evidence add FILE --control ID")))
        }
        @for p in procedures { article.proc {
            div.sh { h3 { a href=(visit.to(&["procedures", &p.id])) { (p.title) } }
                @if let Some(c) = p.conclusion { (Mark::from(c).says(&spoken(c.word()))) }
                p { (theirs(&p.population_is)) ": " a href=(visit.to(&["procedures", &p.id])) { (count(p.population)) } } }
            (attributes(visit, p))
        } }
    } }
}

/// The attributes of a procedure with how many items have each verdict, each number a link to its rows.
pub(crate) fn attributes(visit: &Visit<'_>, procedure: &ProcedureReport) -> Markup {
    html! { table.stack.attr {
        caption.vh { "Attributes of " (procedure.title) }
        thead { tr { th scope="col" { "Attribute" } th scope="col" { "What holds when it passes" } @for verdict in Verdict::ALL { th.num scope="col" { (spoken(verdict.word())) } } } }
        tbody { @for a in &procedure.attributes { tr {
            th scope="row" { (a.letter.to_string().to_uppercase()) }
            td { (a.says) }
            @for verdict in Verdict::ALL { td.num.il data-l=(spoken(verdict.word())) {
                @match a.counts.get(verdict).copied().unwrap_or(0) {
                    0 => span.dim { "0" },
                    n => a.q href=(visit.find(&["procedures", &procedure.id], &[("attribute", &a.letter.to_string()), ("verdict", verdict.word())])) { (Mark::from(*verdict).says(&count(n))) },
                }
            } }
        } } }
    } }
}

fn open_deviations(visit: &Visit<'_>, seen: &Seen, id: &str) -> Markup {
    let of: Vec<_> =
        seen.overview.deviations.deviations.iter().filter(|d| d.controls.iter().any(|c| c == id)).collect();
    html! { section aria-labelledby="h-dev" {
        div.sh { h2 id="h-dev" { "Deviations" } p { "closed ones stay listed" } }
        @if of.is_empty() { p.sub { "None is known." } } @else { (home::deviation_rows(visit, &of)) }
    } }
}

fn by_hand(entry: &ControlEntry) -> Markup {
    html! { @if !entry.evidence.is_empty() { section aria-labelledby="h-hand" {
        div.sh { h2 id="h-hand" { "Evidence that a person gathers" } }
        ul.list.small { @for e in &entry.evidence { li { span.b { (e.what) br; span.dim { (e.every.join(", ").replace('_', " ")) ", by " (e.by) } } } } }
    } } }
}

fn about(visit: &Visit<'_>, control: &ControlReport, entry: &ControlEntry) -> Markup {
    html! { section aria-labelledby="h-about" {
        div.sh { h2 id="h-about" { "About it" } }
        dl.kv {
            dt { "Owner" } dd { @match &control.owner { Some(owner) => (theirs(owner)), None => span.dim { "nobody is named" } } " (" (control.owner_role) ")" }
            dt { "Statement" } dd { "version " code { (control.statement_version) } }
            dt { "Criteria" } dd { (parts::criteria(visit, control.criteria.iter().map(|c| (c.id.as_str(), c.key)))) }
            dt { "Tables" } dd { (parts::links(visit, &["catalog", "tables"], &entry.tables)) }
            @if !entry.policies.is_empty() { dt { "Policies" } dd { (entry.policies.join(", ")) } }
            @if !entry.iso.is_empty() { dt { "ISO 27001" } dd { (entry.iso.join(", ")) } }
            @if !entry.hipaa.is_empty() { dt { "HIPAA" } dd { (entry.hipaa.join(", ")) } }
            dt { "Fed by" } dd { @if entry.fed_by.is_empty() { span.dim { "nothing" } } @else { (entry.fed_by.join(", ")) } }
        }
    } }
}
