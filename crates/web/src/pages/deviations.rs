//! The register of deviations: what was found, how it stands, and everything that people decided about it.

use std::sync::Arc;

use app::{Action, Decided, DeviationReport, Found, Reach, Resource};
use maud::{Markup, html};
use serde_json::json;

use crate::answer::{Answer, Page};
use crate::csv::Csv;
use crate::fault::Fault;
use crate::pages::home::{deviation_rows, is_open, standing};
use crate::parts::{self, Mark, count, many, spoken, theirs};
use crate::site::Seen;
use crate::visit::Visit;

/// How deviations stand, the most urgent first.
const STANDINGS: [&str; 5] = ["overdue", "unowned", "unregistered", "open", "closed"];

const fn found_word(found: Found) -> &'static str {
    match found {
        Found::Yes => "yes",
        Found::No => "no",
        Found::NotTested => "not_tested",
        Found::NotAsked => "not_asked",
    }
}

pub(crate) fn list(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let seen = visit.seen()?;
    let all = &seen.overview.deviations.deviations;
    let found = |d: &&DeviationReport| {
        visit.word("control").is_none_or(|control| d.controls.iter().any(|c| c == control))
            && parts::finds(
                visit,
                &[&d.key, &d.label, &d.reason, &d.controls.join(" "), d.owner.as_deref().unwrap_or("")],
            )
    };
    let searched: Vec<&DeviationReport> = all.iter().filter(found).collect();
    // `open` in an address is everything that somebody has to see to, as the first page counts it.
    let stands = |d: &&DeviationReport| match visit.word("standing") {
        None => true,
        Some("open") => is_open(d),
        Some(word) => d.standing == word,
    };
    let listed: Vec<&DeviationReport> = searched.iter().copied().filter(|d| stands(d)).collect();
    Page::new(visit, "Deviations")
        .of(&seen)
        .command("tickmark deviation list --json")
        .json(|| json!({ "deviations": visit.cut(&listed) }))
        .csv(|| {
            let mut csv = Csv::new([
                "deviation", "controls", "procedure", "attribute", "item", "label", "reason", "occurred_at", "found", "standing", "owner", "due", "severity",
                "cause", "response", "waived_by", "entry",
            ]);
            for d in &listed {
                csv.row([
                    d.key.clone(),
                    d.controls.join(" "),
                    d.about.procedure.clone(),
                    d.about.attribute.to_string(),
                    d.about.item.clone(),
                    d.label.clone(),
                    d.reason.clone(),
                    d.occurred_at.to_string(),
                    found_word(d.found).to_owned(),
                    d.standing.to_owned(),
                    d.owner.clone().unwrap_or_default(),
                    d.due.map(|due| due.to_string()).unwrap_or_default(),
                    d.severity.unwrap_or_default().to_owned(),
                    d.cause.clone().unwrap_or_default(),
                    d.response.clone().unwrap_or_default(),
                    d.waived().unwrap_or_default().to_owned(),
                    d.entry.to_string(),
                ]);
            }
            csv
        })
        .show(|| {
            let open = searched.iter().filter(|d| is_open(d)).count();
            let of = |word: &str| searched.iter().filter(|d| d.standing == word).count();
            html! {
                (parts::head("Register of deviations", &html! { (count(open)) " open of " (many(searched.len(), "deviation", "deviations")) },
                    &html! { p { "A late fix, a waiver or another control never takes a deviation away; it changes what people make of it." } }, &html! {}))
                div.facets {
                    (parts::chip(visit, "standing", "", &html! { "All" }, searched.len()))
                    (parts::chip(visit, "standing", "open", &html! { "Open, in all" }, open))
                    @for word in STANDINGS { @if word != "open" { (parts::chip(visit, "standing", word, &html! { (spoken(word)) }, of(word))) } }
                    @if let Some(control) = visit.word("control") { a.chip href=(visit.with(&[("control", "")])) aria-current="true" { (control) " " b aria-hidden="true" { "×" } span.vh { ", take it away" } } }
                }
                (parts::filter_field(visit, "Filter deviations"))
                p.bar role="status" { (count(listed.len())) " of " (many(all.len(), "deviation", "deviations")) }
                @if all.is_empty() { (parts::empty("No deviation is known.", "What cannot be concluded is no pass: see the controls.", Some(("Controls that cannot be concluded", &visit.find(&["controls"], &[("operation", "cannot_conclude")]))), Some("tickmark deviation list"))) }
                @else if listed.is_empty() { (parts::empty("No deviation is left under this filter.", "Clear it to see all of them.", Some(("Clear the filter", &visit.to(&["deviations"]))), None)) }
                @else { (deviation_rows(visit, &listed)) }
            }
        })
}

/// The deviation that the address names, in its period, as the register has it by now: what was decided a moment ago counts, although
/// the period may not have been worked out again yet.
pub(crate) fn named(visit: &Visit<'_>) -> Result<(Arc<Seen>, DeviationReport), Fault> {
    let key = visit.name("key");
    let unknown = || Fault::unknown("deviation", key, "the register lists every one of the period");
    let find = |seen: &Seen| seen.overview.deviations.deviations.iter().find(|d| d.key == key).cloned();
    let lately = visit.seen_lately()?;
    let (seen, found) = if let Some(found) = find(&lately) {
        (lately, found)
    } else {
        // It may be new.
        let seen = visit.seen()?;
        let found = find(&seen).ok_or_else(unknown)?;
        (seen, found)
    };
    if seen.position() >= visit.site.position() {
        return Ok((seen, found));
    }
    let now = visit.site.workspace().renewed(&found, visit.site.today())?;
    Ok((seen, now))
}

/// Whether whoever looks may do something to a deviation: everywhere, or because it is theirs.
pub(crate) fn may(visit: &Visit<'_>, seen: &Seen, d: &DeviationReport, action: Action) -> bool {
    let Some(who) = &visit.who else { return false };
    let called = |owner: &str| owner.to_lowercase() == who.called.to_lowercase();
    match who.reach(action, Resource::Deviations) {
        Some(Reach::Every) => true,
        Some(Reach::Own) => {
            d.owner.as_deref().is_some_and(called)
                || seen
                    .overview
                    .criteria
                    .controls
                    .iter()
                    .any(|c| d.controls.contains(&c.id) && c.owner.as_deref().is_some_and(called))
        }
        None => false,
    }
}

/// What may be done next, as ways to the forms for it.
fn ways(visit: &Visit<'_>, seen: &Seen, d: &DeviationReport) -> Markup {
    let way = |act: &str, name: &str, first: bool| {
        html! { a class=(if first { "btn pri" } else { "btn" }) href=(visit.to(&["deviations", &d.key, act])) { (name) } " " }
    };
    let (enters, decides) = (may(visit, seen, d, Action::Enter), may(visit, seen, d, Action::Decide));
    html! { @if enters || decides { p.mt {
        @if d.registered.is_none() { @if enters && d.found == Found::Yes { (way("register", "Enter into the register", true)) } }
        @else {
            @if enters { (way("triage", "Triage", d.standing == "unowned")) (way("retest", "Retest", false)) }
            @if decides { (way("close", "Close", false)) }
        }
    } } }
}

pub(crate) fn detail(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let (seen, d) = &named(visit)?;
    let procedure = seen.overview.report.procedures.iter().find(|p| p.id == d.about.procedure);
    let item = procedure.and_then(|p| {
        let is = |item: &&app::ItemReport| item.item == d.about.item && item.occurred_at == d.occurred_at;
        p.items.iter().find(is).map(|item| (p, item))
    });
    Page::new(visit, d.key.clone())
        .of(seen)
        .below("Deviations", &["deviations"])
        .command("tickmark deviation list --json")
        .json(|| json!({ "deviation": d }))
        .show(|| {
            html! {
                (parts::head("Deviation", &html! { span.hid { (d.key) } " " (theirs(&d.label)) }, &html! { p { (theirs(&d.reason)) } },
                    &match d.found { Found::Yes => Mark::Dev.pill("Deviation"), Found::No => Mark::Na.pill("Not found any more"), _ => Mark::Unk.pill("Not looked for") }))
                @if let Some(because) = &d.found_because { p.note.info { (theirs(because)) } }
                (ways(visit, seen, d))
                div.cols {
                    div {
                        section aria-labelledby="h-what" { div.sh { h2 id="h-what" { "What it is about" } } dl.kv {
                            dt { "Controls" } dd { (parts::controls(visit, &d.controls)) }
                            dt { "Rule" } dd { @match procedure { Some(p) => { a href=(visit.to(&["procedures", &p.id])) { (p.title) } ", attribute " (d.about.attribute.to_string().to_uppercase())
                                @if let Some(a) = p.attributes.iter().find(|a| a.letter == d.about.attribute) { ": " (a.says) } }, None => { code { (theirs(&d.about.procedure)) } ", which was not asked" } } }
                            dt { "Item" } dd { @match item { Some((p, item)) => a href=(crate::pages::controls::item_path(visit, p, item)) { (theirs(&item.label)) }, None => (theirs(&d.label)) } " " code { (theirs(&d.about.item)) } }
                            @if let Some(scope) = &d.about.scope { dt { "Judged in" } dd { (theirs(scope)) } }
                            dt { "When" } dd { (visit.time(d.occurred_at)) }
                            dt { "Evidence" } dd { (parts::entry(visit, d.entry)) }
                        } }
                        @if let Some(p) = procedure { @if !p.how_to_fix.is_empty() { section aria-labelledby="h-fix" { div.sh { h2 id="h-fix" { "How to fix it" } } p { (p.how_to_fix) } } } }
                        section aria-labelledby="h-history" { div.sh { h2 id="h-history" { "What was decided" } p { "newest first" } }
                            @if d.history.is_empty() { (parts::empty("Nobody has decided about it.", "Enter it into the register, name an owner and a day, and say why it came to be.", None, Some(&format!("tickmark deviation register {}", d.key)))) }
                            @else { ol.tl { @for one in d.history.iter().rev() { li { (decided(visit, one)) } } } } }
                    }
                    section aria-labelledby="h-stands" { div.sh { h2 id="h-stands" { "How it stands" } } dl.kv {
                        dt { "Standing" } dd { (standing(d)) }
                        dt { "Owner" } dd { @match &d.owner { Some(owner) => (theirs(owner)), None => span.dim { "nobody" } } }
                        dt { "Due" } dd { @match d.due { Some(due) => span class=(if d.standing == "overdue" { "late" } else { "" }) { (visit.day(due)) @if d.standing == "overdue" { ", overdue" } }, None => span.dim { "no day" } } }
                        @for (name, text) in [("Severity", d.severity), ("Cause", d.cause.as_deref()), ("Exposure", d.exposure.as_deref()), ("Response", d.response.as_deref())] {
                            dt { (name) } dd { @match text { Some(text) => (theirs(text)), None => span.dim { "not said" } } }
                        }
                        @if let Some(c) = &d.compensating { dt { "Made up for by" } dd { (parts::controls(visit, std::slice::from_ref(c))) } }
                        @for waiver in &d.waivers { dt { "Waiver" } dd { (theirs(&waiver.key)) " " span.tag { (spoken(waiver.stands)) } @if waiver.entered_afterwards { " entered afterwards" } } }
                        @if let Some(r) = &d.registered { dt { "Registered" } dd { (visit.time(r.at)) ", " (parts::entry(visit, r.entry)) @if let Some(by) = &r.by { ", " (theirs(by)) } } }
                    } }
                }
            }
        })
}

/// One decision: what, when, by whom, and why it does not count where it does not.
pub(crate) fn decided(visit: &Visit<'_>, one: &Decided) -> Markup {
    html! {
        b { (theirs(&one.what)) } br;
        span.dim { (visit.time(one.at)) ", " @match &one.by { Some(by) => (theirs(by)), None => "nobody is named" } ", " (parts::entry(visit, one.entry)) }
        @if let Some(why) = &one.not_counted { br; span.tag.warm { "does not count" } " " (theirs(why)) }
    }
}
