//! Criteria: what is proposed of each, why, and what a person decided.

use app::{CriterionReport, DecisionReport};
use maud::{Markup, html};
use serde_json::json;

use crate::answer::{Answer, Page};
use crate::csv::Csv;
use crate::fault::Fault;
use crate::pages::controls::operation;
use crate::parts::{self, count, many, mark_of, spoken, theirs};
use crate::site::Seen;
use crate::visit::Visit;

/// What may be proposed, in the order in which it is told.
const PROPOSALS: [&str; 4] = ["not_met", "cannot_conclude", "met_with_exceptions", "met"];

pub(crate) fn list(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let seen = visit.seen()?;
    let all = &seen.overview.criteria.criteria;
    let found = |c: &&CriterionReport| {
        visit.word("group").is_none_or(|group| c.id.split('.').next() == Some(group))
            && parts::finds(visit, &[&c.id, &c.title, c.category])
    };
    let searched: Vec<&CriterionReport> = all.iter().filter(found).collect();
    let wanted = |c: &&CriterionReport| visit.word("proposal").is_none_or(|word| word == c.proposal);
    let listed: Vec<&CriterionReport> = searched.iter().copied().filter(|c| wanted(c)).collect();
    Page::new(visit, "Criteria")
        .of(&seen)
        .command("tickmark criteria --json")
        .json(|| json!({ "criteria": visit.cut(&listed) }))
        .csv(|| {
            let mut csv = Csv::new(["criterion", "title", "category", "proposal", "because", "controls", "decision", "decided_by", "stale"]);
            for c in &listed {
                let controls: Vec<&str> = c.controls.iter().map(|c| c.id.as_str()).collect();
                let decided = c.decision.as_ref();
                csv.row([
                    c.id.clone(),
                    c.title.clone(),
                    c.category.to_owned(),
                    c.proposal.to_owned(),
                    c.because.join("; "),
                    controls.join(" "),
                    decided.map(|d| d.decision.clone()).unwrap_or_default(),
                    decided.and_then(|d| d.by.clone()).unwrap_or_default(),
                    decided.and_then(|d| d.stale.clone()).unwrap_or_default(),
                ]);
            }
            csv
        })
        .show(|| {
            let of = |word: &str| searched.iter().filter(|c| c.proposal == word).count();
            html! {
                (parts::head("Criteria", &html! { (count(of("met"))) " of " (many(searched.len(), "criterion", "criteria")) " can be called met" },
                    &html! { p { "A proposal is the most that a person may decide, by the key controls of each criterion. It is no opinion." } }, &html! {}))
                div.facets {
                    (parts::chip(visit, "proposal", "", &html! { "All" }, searched.len()))
                    @for word in PROPOSALS { (parts::chip(visit, "proposal", word, &mark_of(word).says(&spoken(word)), of(word))) }
                    @if let Some(group) = visit.word("group") { a.chip href=(visit.with(&[("group", "")])) aria-current="true" { (group) " " b aria-hidden="true" { "×" } span.vh { ", take it away" } } }
                }
                (parts::filter_field(visit, "Filter criteria"))
                p.bar role="status" { (count(listed.len())) " of " (many(all.len(), "criterion", "criteria")) }
                @if listed.is_empty() {
                    (parts::empty("No criterion is left under this filter.", "Clear it to see all of them.", Some(("Clear the filter", &visit.to(&["criteria"]))), None))
                } @else { table.stack data-rows="open" {
                    caption.vh { "Criteria with what is proposed of each" }
                    thead { tr { th scope="col" { "Criterion" } th scope="col" { "What it asks, and why so" } th scope="col" { "Proposal" } th scope="col" { "Decision" } th.num scope="col" { "Controls" } } }
                    tbody { @for c in &listed { tr data-row {
                        th scope="row" { a.cid href=(visit.to(&["criteria", &c.id])) { (c.id) } }
                        td { (c.title) @if let Some(why) = c.because.first() { br; span.dim { (theirs(why)) } } }
                        td.il { (mark_of(c.proposal).says(&spoken(c.proposal))) }
                        td.il data-l="decided" { @match &c.decision { Some(d) => { (spoken(&d.decision)) @if d.stale.is_some() { " " span.tag.warm { "does not hold" } } }, None => span.dim { "not yet" } } }
                        td.num.il data-l="controls" { a.q href=(visit.to(&["criteria", &c.id])) { (c.controls.len()) } }
                    } } }
                } }
            }
        })
}

pub(crate) fn detail(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let id = visit.name("id");
    let seen = visit.seen()?;
    let unknown = || Fault::unknown("criterion", id, "the list of criteria has all of them");
    let criterion = seen.overview.criteria.criteria.iter().find(|c| c.id == id).ok_or_else(unknown)?;
    let entry = visit.site.catalog.criteria.iter().find(|c| c.id == id);
    Page::new(visit, criterion.id.clone())
        .of(&seen)
        .below("Criteria", &["criteria"])
        .command(format!("tickmark criteria {id} --json"))
        .json(|| json!({ "criterion": criterion, "content": entry }))
        .show(|| {
            html! {
                (parts::head(&format!("Criterion · {}", criterion.category), &html! { span.hid { (criterion.id) } " " (criterion.title) }, &html! {},
                    &mark_of(criterion.proposal).pill(&spoken(criterion.proposal))))
                @if !criterion.because.is_empty() { div class=(if criterion.proposal == "met" { "note info" } else { "note" }) { @for why in &criterion.because { p { (theirs(why)) } } } }
                @for remark in &criterion.remarks { p.sub { (theirs(remark)) } }
                (controls(visit, &seen, criterion))
                section aria-labelledby="h-decided" {
                    div.sh { h2 id="h-decided" { "What a person decided" } }
                    @match &criterion.decision { Some(d) => (decision(visit, d)), None => (parts::empty("Nobody has decided about it for this period.", "A decision never says more than is proposed.", None, Some(&format!("tickmark criteria decide {id} --decision {} --reason TEXT --by WHO", criterion.proposal.replace('_', "-"))))) }
                }
                @if let Some(entry) = entry { section aria-labelledby="h-behind" {
                    div.sh { h2 id="h-behind" { "What stands behind it" } }
                    dl.kv { dt { "Procedures" } dd { (parts::links(visit, &["procedures"], &entry.procedures)) }
                        dt { "Tables" } dd { (parts::links(visit, &["catalog", "tables"], &entry.tables)) }
                        dt { "Fed by" } dd { @if entry.fed_by.is_empty() { span.dim { "nothing" } } @else { (entry.fed_by.join(", ")) } } }
                } }
            }
        })
}

fn controls(visit: &Visit<'_>, seen: &Seen, criterion: &CriterionReport) -> Markup {
    html! { section aria-labelledby="h-controls" {
        div.sh { h2 id="h-controls" { "Controls that answer to it" } p { "it rests on those that are called key" } }
        table.stack data-rows="open" { caption.vh { "Controls of the criterion" }
            thead { tr { th scope="col" { "Control" } th scope="col" { "What is done" } th scope="col" { "Key" } th scope="col" { "Design" } th scope="col" { "Operation" } } }
            tbody { @for mapped in &criterion.controls { @if let Some(c) = seen.overview.criteria.controls.iter().find(|c| c.id == mapped.id) { tr data-row {
                th scope="row" { a.cid href=(visit.to(&["controls", &c.id])) { (c.id) } }
                td { (c.title) }
                td.il { @if mapped.key { span.tag.warm { "key" } } @else { span.dim { "supports" } } }
                td.il { (mark_of(c.design).says(&spoken(c.design))) }
                td.il { (operation(c)) }
            } } } }
        }
    } }
}

fn decision(visit: &Visit<'_>, d: &DecisionReport) -> Markup {
    html! {
        @if let Some(stale) = &d.stale { p.note { "It does not hold: " (theirs(stale)) } }
        dl.kv.mt8 {
            dt { "Decided" } dd { (mark_of(&d.decision).says(&spoken(&d.decision))) }
            dt { "By" } dd { @match &d.by { Some(by) => (theirs(by)), None => span.dim { "nobody is named" } } }
            dt { "Why" } dd { (theirs(&d.reason)) }
            dt { "When" } dd { (visit.time(d.at)) ", " (parts::entry(visit, d.entry)) }
            dt { "In view of" } dd { "ledger entry " (d.position) ", when " (spoken(&d.proposal).to_lowercase()) " was proposed" }
            @if d.earlier > 0 { dt { "Before it" } dd { (many(d.earlier, "decision", "decisions")) } }
        }
    }
}
