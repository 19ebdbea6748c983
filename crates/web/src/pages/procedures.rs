//! Procedures, and the population of each as a grid: an item a row, an attribute a column, the worst first.

use std::collections::BTreeMap;

use app::{ItemReport, ProcedureReport};
use maud::{Markup, html};
use model::{Conclusion, Verdict};
use serde::Serialize;
use serde_json::json;

use crate::answer::{Answer, Page};
use crate::csv::Csv;
use crate::fault::Fault;
use crate::pages::controls::{attributes, item_id, item_path, says, verdicts};
use crate::parts::{self, Mark, count, fact, many, spoken, theirs};
use crate::strip::{self, Day};
use crate::visit::Visit;

/// Rows of a page of the grid.
const ROWS: usize = 50;

pub(crate) fn list(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let seen = visit.seen()?;
    let all = &seen.overview.report.procedures;
    let found = |p: &&ProcedureReport| {
        parts::finds(visit, &[&p.id, &p.title, &p.controls.join(" "), &p.population_is])
    };
    let searched: Vec<&ProcedureReport> = all.iter().filter(found).collect();
    let word = |p: &ProcedureReport| p.conclusion.map_or("none", Conclusion::word);
    let mut listed: Vec<&ProcedureReport> = searched
        .iter()
        .copied()
        .filter(|p| visit.word("conclusion").is_none_or(|wanted| wanted == word(p)))
        .collect();
    listed.sort_by_key(|p| p.conclusion.map_or(Mark::Unk, Mark::from));
    let cells = |p: &ProcedureReport| verdicts(&p.items);
    Page::new(visit, "Procedures")
        .of(&seen)
        .command("tickmark assess --json")
        .json(|| {
            let one = |p: &&ProcedureReport| {
                json!({ "id": p.id, "title": p.title, "controls": p.controls, "conclusion": p.conclusion,
                    "held_back_by": p.held_back_by, "population": p.population, "items": cells(p) })
            };
            json!({ "procedures": visit.cut(&listed).iter().map(one).collect::<Vec<_>>() })
        })
        .csv(|| {
            let mut csv = Csv::new(["procedure", "title", "controls", "conclusion", "held_back_by", "population", "deviations", "no_evidence"]);
            for p in &listed {
                let of = |verdict| cells(p).get(&verdict).copied().unwrap_or(0).to_string();
                csv.row([
                    p.id.clone(),
                    p.title.clone(),
                    p.controls.join(" "),
                    word(p).to_owned(),
                    p.held_back_by.join("; "),
                    p.population.to_string(),
                    of(Verdict::Deviation),
                    of(Verdict::NoEvidence),
                ]);
            }
            csv
        })
        .show(|| {
            let of = |conclusion: Conclusion| searched.iter().filter(|p| p.conclusion == Some(conclusion)).count();
            let items: usize = searched.iter().map(|p| p.population).sum();
            html! {
                (parts::head("Procedures", &html! { (many(searched.len(), "procedure", "procedures")) " tested " (many(items, "item", "items")) ", every one of its population" },
                    &html! { p { "A procedure is one question to the records, asked of every item. Its conclusion is the most that can be said." } }, &html! {}))
                div.facets {
                    (parts::chip(visit, "conclusion", "", &html! { "All" }, searched.len()))
                    @for c in [Conclusion::ExceptionsNoted, Conclusion::CannotConclude, Conclusion::DidNotOperate, Conclusion::NoExceptions] {
                        (parts::chip(visit, "conclusion", c.word(), &Mark::from(c).says(&spoken(c.word())), of(c)))
                    }
                }
                (parts::filter_field(visit, "Filter procedures"))
                p.bar role="status" { (count(listed.len())) " of " (many(all.len(), "procedure", "procedures")) }
                @if listed.is_empty() {
                    (parts::empty("No procedure is left under this filter.", "Clear it to see every procedure.", Some(("Clear the filter", &visit.to(&["procedures"]))), None))
                } @else { table.stack data-rows="open" {
                    caption.vh { "Procedures with their conclusions" }
                    thead { tr { th scope="col" { "Procedure" } th scope="col" { "Controls" } th scope="col" { "Conclusion" } th.num scope="col" { "Items" } th.num scope="col" { "Deviations" } th.num scope="col" { "No evidence" } } }
                    tbody { @for p in &listed { @let n = cells(p); tr data-row {
                        th scope="row" { a href=(visit.to(&["procedures", &p.id])) { (p.title) }
                            @if p.conclusion == Some(Conclusion::CannotConclude) { @if let Some(why) = p.held_back_by.first() { br; span.dim.light { (theirs(why)) } } } }
                        td.il { (parts::controls(visit, &p.controls)) }
                        td.il { @match p.conclusion { Some(c) => (Mark::from(c).says(&spoken(c.word()))), None => span.dim { "none" } } }
                        td.num.il data-l="items" { a.q href=(visit.to(&["procedures", &p.id])) { (count(p.population)) } }
                        @for (verdict, label) in [(Verdict::Deviation, "deviations"), (Verdict::NoEvidence, "no evidence")] {
                            td.num.il data-l=(label) { @match n.get(&verdict) { Some(n) => a href=(visit.find(&["procedures", &p.id], &[("result", verdict.word())])) { (count(*n)) }, None => span.dim { "0" } } }
                        }
                    } } }
                } }
            }
        })
}

/// The filter of a grid, as its address has it.
struct Filter<'v> {
    result: Option<Verdict>,
    attribute: Option<(char, Verdict)>,
    days: Option<(model::Instant, model::Instant)>,
    visit: &'v Visit<'v>,
}

impl<'v> Filter<'v> {
    fn of(visit: &'v Visit<'v>, tz: &str) -> Result<Self, Fault> {
        let verdict = |name: &str| match visit.word(name) {
            None => Ok(None),
            Some(word) => word.parse::<Verdict>().map(Some).map_err(|_| {
                Fault::unknown("verdict", word, "clear the filter, or choose one of the verdicts shown")
            }),
        };
        let letter = visit.word("attribute").and_then(|text| text.chars().next());
        let days = match visit.word("day") {
            None => None,
            Some(day) => {
                let day = model::parse_date_range(day, day, tz).map_err(|e| Fault::asked(&e.into()))?;
                Some((day.from, day.to))
            }
        };
        Ok(Self { result: verdict("result")?, attribute: letter.zip(verdict("verdict")?), days, visit })
    }

    fn lets(&self, item: &ItemReport) -> bool {
        self.result.is_none_or(|wanted| item.verdict() == wanted) && self.lets_all_but_result(item)
    }

    fn lets_all_but_result(&self, item: &ItemReport) -> bool {
        self.attribute
            .is_none_or(|(letter, wanted)| item.verdicts.get(&model::Attribute(letter)) == Some(&wanted))
            && self.days.is_none_or(|(from, to)| from <= item.occurred_at && item.occurred_at < to)
            && parts::finds(self.visit, &[&item.label, &item.item, item.scope.as_deref().unwrap_or("")])
    }

    /// Whether anything but the text is asked for.
    fn says(&self) -> Vec<(String, String)> {
        let mut says = vec![];
        if let Some((letter, verdict)) = self.attribute {
            says.push((
                format!("{}: {}", letter.to_uppercase(), spoken(verdict.word())),
                self.visit.with(&[("attribute", ""), ("verdict", "")]),
            ));
        }
        if let Some(day) = self.visit.word("day") {
            says.push((day.to_owned(), self.visit.with(&[("day", "")])));
        }
        says
    }
}

pub(crate) fn population(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let id = visit.name("id");
    let seen = visit.seen()?;
    let all = &seen.overview.report;
    let Some(p) = all.procedures.iter().find(|p| p.id == id) else { return not_asked(visit, id) };
    let filter = Filter::of(visit, &seen.period.tz)?;
    let by_time = visit.word("sort") == Some("time");
    let mut listed: Vec<&ItemReport> = p.items.iter().filter(|item| filter.lets(item)).collect();
    listed.sort_by(|a, b| {
        let verdict = |item: &ItemReport| if by_time { Verdict::Deviation } else { item.verdict() };
        verdict(a).cmp(&verdict(b)).then(b.occurred_at.cmp(&a.occurred_at)).then(a.record.cmp(&b.record))
    });
    let pages = listed.len().div_ceil(ROWS).max(1);
    let page = visit.page().min(pages);
    let first = (page - 1) * ROWS;
    let rows = &listed[first.min(listed.len())..(first + ROWS).min(listed.len())];
    Page::new(visit, p.title.clone())
        .of(&seen)
        .below("Procedures", &["procedures"])
        .wide()
        .command(match p.controls.first() { Some(control) => format!("tickmark assess --control {control} --all"), None => "tickmark assess".to_owned() })
        .json(|| {
            json!({ "id": p.id, "title": p.title, "controls": p.controls, "conclusion": p.conclusion, "held_back_by": p.held_back_by,
                "population": p.population, "population_is": p.population_is, "attributes": p.attributes, "gaps": p.gaps,
                "versions": p.versions, "uptime": p.uptime, "content": p.content, "listed": listed.len(), "items": named(visit.cut(&listed)) })
        })
        .csv(|| grid_csv(p, &listed))
        .show(|| {
            let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
            for item in p.items.iter().filter(|item| filter.lets_all_but_result(item)) {
                *counts.entry(item.verdict()).or_default() += 1;
            }
            let days = strip::days(&seen.period, seen.at, &[p]);
            let to = |day: &Day| visit.with(&[("day", &day.date)]);
            html! {
                (parts::head(&format!("Procedure · {}", p.id), &html! { (p.title) },
                    &html! { p { (theirs(&p.population_is)) " · tests " (parts::controls(visit, &p.controls)) } },
                    &match p.conclusion { Some(c) => Mark::from(c).pill(&spoken(c.word())), None => html! {} }))
                @if !p.held_back_by.is_empty() { div.note { @for why in &p.held_back_by { p { (theirs(why)) } } } }
                dl.facts.sec0 {
                    (fact(&html! { "Items tested" }, &count(p.population), Some(&visit.to(&["procedures", &p.id])), "every one, no sample"))
                    @for (verdict, n) in verdicts(&p.items) { (fact(&Mark::from(verdict).says(&spoken(verdict.word())), &count(n), Some(&visit.find(&["procedures", &p.id], &[("result", verdict.word())])), says(verdict))) }
                }
                details.mt { summary { "Attributes, the days of the period, and gaps" }
                    (attributes(visit, p))
                    div.mt { (strip::strip(&format!("{} by day", p.title), &days, to)) }
                    (gaps(visit, p))
                    p.mt.small.sub { "Digest of the procedure and the tables that it reads: " (parts::digest(&p.content)) }
                }
                section.tight aria-labelledby="h-grid" {
                    h2.vh id="h-grid" { "Its population" }
                    div.facets {
                        (parts::chip(visit, "result", "", &html! { "All" }, counts.values().sum()))
                        @for (verdict, n) in &counts { (parts::chip(visit, "result", verdict.word(), &Mark::from(*verdict).says(&spoken(verdict.word())), *n)) }
                        @for (says, without) in filter.says() { a.chip href=(without) aria-current="true" { (says) " " b aria-hidden="true" { "×" } span.vh { ", take it away" } } }
                    }
                    (parts::filter_field(visit, "Filter by name or key"))
                    div.bar {
                        span role="status" { @if listed.is_empty() { "No rows" } @else { "Rows " b { (count(first + 1)) "–" (count(first + rows.len())) } " of " (count(listed.len())) }
                            @if by_time { ", newest first · " a href=(visit.with(&[("sort", "")])) { "worst first" } } @else { ", worst first · " a href=(visit.with(&[("sort", "time")])) { "newest first" } } }
                        (parts::pages(visit, page, pages))
                    }
                    @if p.items.is_empty() { (parts::empty("Nothing happened that this procedure is about.", "Whether that is proven says its conclusion: an empty population is not a clean sheet unless every source was looked at.", None, None)) }
                    @else if rows.is_empty() { (parts::empty("No row is left under this filter.", "Clear it to see every item.", Some(("Clear the filter", &visit.to(&["procedures", &p.id]))), None)) }
                    @else { (grid(visit, p, rows)) }
                }
            }
        })
}

/// An item with the name that its page has in its address.
#[derive(Serialize)]
pub(crate) struct NamedItem<'i> {
    id: String,
    #[serde(flatten)]
    item: &'i ItemReport,
}

impl<'i> NamedItem<'i> {
    pub(crate) fn of(item: &'i ItemReport) -> Self {
        Self { id: item_id(item), item }
    }
}

fn named<'i>(items: &[&'i ItemReport]) -> Vec<NamedItem<'i>> {
    items.iter().map(|item| NamedItem::of(item)).collect()
}

/// A procedure that was not asked in this period is not one that nobody knows.
fn not_asked(visit: &Visit<'_>, id: &str) -> Result<Answer, Fault> {
    let known = visit.site.catalog.procedures.iter().any(|p| p.id == id);
    Err(match known {
        true => Fault::new(
            axum::http::StatusCode::NOT_FOUND,
            "not_tested",
            format!(
                "the procedure `{id}` was not asked in this period: its controls were not in force, or what it is about is out of scope"
            ),
            "choose another period, or see `tickmark scope list`",
        ),
        false => Fault::unknown("procedure", id, "the list of procedures has all of them"),
    })
}

fn grid_csv(p: &ProcedureReport, listed: &[&ItemReport]) -> Csv {
    let mut csv = Csv::new([
        "procedure",
        "item",
        "scope",
        "label",
        "occurred_at",
        "entry",
        "grade",
        "result",
        "verdicts",
        "reasons",
        "waived",
    ]);
    for item in listed {
        let verdicts: Vec<String> = item.verdicts.iter().map(|(a, v)| format!("{a}:{v}")).collect();
        let reasons: Vec<String> = item.reasons.iter().map(|(a, why)| format!("{a}: {why}")).collect();
        csv.row([
            p.id.clone(),
            item.item.clone(),
            item.scope.clone().unwrap_or_default(),
            item.label.clone(),
            item.occurred_at.to_string(),
            item.entry.to_string(),
            item.grade.to_string(),
            item.verdict().to_string(),
            verdicts.join(" "),
            reasons.join("; "),
            item.waived.clone().unwrap_or_default(),
        ]);
    }
    csv
}

fn grid(visit: &Visit<'_>, p: &ProcedureReport, rows: &[&ItemReport]) -> Markup {
    html! { div.gridw role="region" aria-label=(format!("Items of {}", p.title)) tabindex="0" { table.grid data-rows="open" {
        caption.vh { "Items, the letters are the attributes of the procedure" }
        thead { tr { th scope="col" { "Item" } th.w-date scope="col" { "When" }
            @for a in &p.attributes { th.a scope="col" { abbr title=(a.says) { (a.letter.to_string().to_uppercase()) } } }
            th.w-res scope="col" { "Result" } } }
        tbody { @for item in rows { tr data-row {
            th scope="row" { a href=(item_path(visit, p, item)) { (theirs(&item.label)) } @if let Some(scope) = &item.scope { " " span.dim { (theirs(scope)) } } }
            td.w-date.sub { (visit.day(item.occurred_at)) }
            @for a in &p.attributes {
                @let verdict = item.verdicts.get(&a.letter).copied().unwrap_or(Verdict::NoEvidence);
                td class=(match verdict { Verdict::Deviation => "a bad", Verdict::NoEvidence => "a gap", _ => "a" }) { (Mark::from(verdict).alone(&spoken(verdict.word()))) }
            }
            td.w-res { (Mark::from(item.verdict()).says(&spoken(item.verdict().word()))) @if item.waived.is_some() { " " span.tag { "waived" } } }
        } } }
    } }
    p.keys { @for a in &p.attributes { span { b { (a.letter.to_string().to_uppercase()) } " " (a.says) } } } }
}

/// Windows in which something is unknown.
pub(crate) fn gaps(visit: &Visit<'_>, p: &ProcedureReport) -> Markup {
    html! { @if !p.gaps.is_empty() { h3.mt { "Gaps" } ul.list.small { @for gap in &p.gaps { li {
        span.b { (Mark::Unk.says(&format!("{} to {}", visit.day(gap.from), visit.day(gap.to)))) " " (theirs(&gap.reason)) " (" a href=(visit.find(&["coverage"], &[("table", &gap.table)])) { code { (gap.table) } } ")"
            @if !gap.supplied_by.is_empty() { br; span.dim { "would be supplied by " (gap.supplied_by.join(", ")) } } }
    } } } } }
}
