//! Sources and coverage: where was looked, as bars over the period, what nobody ever looked at, and what will be lost.

use app::TableCoverage;
use maud::{Markup, html};
use serde_json::json;

use crate::answer::{Answer, Page};
use crate::csv::Csv;
use crate::fault::Fault;
use crate::parts::{self, Mark, count, many, spoken, theirs};
use crate::site::Seen;
use crate::strip::{self, Hole};
use crate::visit::Visit;

pub(crate) fn list(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let seen = visit.seen()?;
    let all = &seen.overview.coverage;
    let found = |t: &&TableCoverage| {
        visit.word("table").is_none_or(|table| table == t.table)
            && parts::finds(visit, &[&t.table, t.scope.as_deref().unwrap_or(""), &t.sources.join(" ")])
    };
    let mut listed: Vec<&TableCoverage> = all.tables.iter().filter(found).collect();
    // What is not known comes first.
    listed.sort_by_key(|t| t.complete_permille);
    Page::new(visit, "Sources and coverage")
        .of(&seen)
        .command("tickmark coverage --json")
        .json(|| json!({ "tables": visit.cut(&listed), "unsupplied": all.unsupplied, "alarms": all.alarms }))
        .csv(|| {
            let mut csv = Csv::new(["scope", "table", "sources", "grade", "complete_permille", "gap_from", "gap_to", "gap_status", "gap_reason"]);
            for t in &listed {
                let of = |from: String, to: String, status: String, why: String| {
                    [
                        t.scope.clone().unwrap_or_default(),
                        t.table.clone(),
                        t.sources.join(" "),
                        t.grade.map(|grade| grade.to_string()).unwrap_or_default(),
                        t.complete_permille.to_string(),
                        from,
                        to,
                        status,
                        why,
                    ]
                };
                if t.gaps.is_empty() {
                    csv.row(of(String::new(), String::new(), String::new(), String::new()));
                }
                for gap in &t.gaps {
                    csv.row(of(gap.from.to_string(), gap.to.to_string(), gap.status.clone(), gap.reason.clone()));
                }
            }
            csv
        })
        .show(|| {
            let whole = all.tables.iter().filter(|t| t.complete_permille == 1000).count();
            html! {
                (parts::head("Sources and coverage", &html! { (count(whole)) " of " (many(all.tables.len(), "table is", "tables are")) " completely known; " (many(all.unsupplied.len(), "was", "were")) " never looked at" },
                    &html! { p { "Silence counts only where somebody looked. Ink is what was looked at; hatched is what was not. None of it is a verdict." } }, &html! {}))
                (alarms(visit, &seen))
                (parts::filter_field(visit, "Filter by table, source or system"))
                p.bar role="status" { (count(listed.len())) " of " (many(all.tables.len(), "table", "tables")) @if visit.word("table").is_some() { " · " a href=(visit.with(&[("table", "")])) { "every table" } } }
                @if all.tables.is_empty() { (parts::empty("Nobody said where they looked.", "Add a source, or import a file and say what it covers.", None, Some("tickmark source add github --owner OWNER --repo REPO"))) }
                @else if listed.is_empty() { (parts::empty("No table is left under this filter.", "Clear it to see all of them.", Some(("Clear the filter", &visit.to(&["coverage"]))), None)) }
                @else { table.stack.src { caption.vh { "Tables with where was looked" }
                    thead { tr { th scope="col" { "Table" } th.covc scope="col" { (seen.period.first_date()) " to " (seen.period.last_date()) } th.num scope="col" { "Known" } th scope="col" { "From" } th.num scope="col" { "Last looked" } } }
                    tbody { @for t in &listed { (row(visit, &seen, t)) } }
                } }
                @if !all.unsupplied.is_empty() { section aria-labelledby="h-never" {
                    div.sh { h2 id="h-never" { "Nobody ever looked" } p { (many(all.unsupplied.len(), "table", "tables")) " that procedures rest on" } }
                    table { caption.vh { "Tables that nothing supplies" } thead { tr { th scope="col" { "Table" } th scope="col" { "What would supply it" } } }
                        tbody { @for u in &all.unsupplied { tr { th scope="row" { a href=(visit.to(&["catalog", "tables", &u.table])) { (u.table) } } td { @if u.supplied_by.is_empty() { span.dim { "nothing does" } } @else { (u.supplied_by.join(", ")) } } } } } }
                } }
            }
        })
}

fn row(visit: &Visit<'_>, seen: &Seen, t: &TableCoverage) -> Markup {
    const LISTED: usize = 6;
    let holes: Vec<Hole<'_>> = t
        .gaps
        .iter()
        .map(|gap| Hole { from: gap.from, to: gap.to, says: &gap.reason, to_come: gap.status == "to_come" })
        .collect();
    let missing: Vec<_> = t.gaps.iter().filter(|gap| gap.status != "to_come").collect();
    let known = format!("{}.{} %", t.complete_permille / 10, t.complete_permille % 10);
    let label =
        format!("{}: {known} of the period is known, {}", t.table, many(missing.len(), "gap", "gaps"));
    html! { tr {
        th scope="row" { a href=(visit.to(&["catalog", "tables", &t.table])) { (t.table) } br; span.dim.light { @match &t.scope { Some(scope) => (theirs(scope)), None => "the company as a whole" } } }
        td { (strip::bar(&seen.period, &label, &holes))
            @if !missing.is_empty() { details { summary { (many(missing.len(), "gap", "gaps")) }
                ul.list.small { @for gap in missing.iter().take(LISTED) { li { span.b { (Mark::Unk.says(&spoken(&gap.status))) " " (visit.time(gap.from)) " to " (visit.time(gap.to)) br; span.dim { (theirs(&gap.reason)) } } } } }
                @if missing.len() > LISTED { p.dim.small { "and " (missing.len() - LISTED) " more: as CSV, all of them" } } } } }
        td.num.nw.il data-l="known" { (known) }
        td.il data-l="from" { (theirs(&t.sources.join(", "))) @if let Some(grade) = t.grade { br; span.dim { (grade.word()) } } }
        td.num.nw.il data-l="last" { @match t.last { Some(last) => (visit.day(last)), None => span.dim { "never complete" } } }
    } }
}

fn alarms(visit: &Visit<'_>, seen: &Seen) -> Markup {
    let alarms = &seen.overview.coverage.alarms;
    html! { @if !alarms.is_empty() { section aria-labelledby="h-soon" {
        div.sh { h2 id="h-soon" { "Collect soon" } p { "before the source forgets" } }
        ul.list.small { @for a in alarms { li {
            span.d { @if a.urgency == "lost" { span.late { "lost" } } @else { (visit.day(a.loses_from)) } }
            span.b { code { (a.source) "." (a.stream) } @if let Some(scope) = &a.scope { " of " (theirs(scope)) } " is kept " (a.kept_days) " days; "
                @match a.looked_until { Some(last) => { "last looked " (visit.day(last)) }, None => "it was never looked at completely" }
                ". " a href=(visit.with(&[("table", &a.table)])) { (a.table) } " rests on it." }
        } } }
        (parts::command("collect", "tickmark collect"))
    } } }
}
