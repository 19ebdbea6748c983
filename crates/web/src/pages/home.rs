//! Are we ready for the period, and what is next? The first page answers that; the plan says who does what until then.

use app::{ControlReport, DeviationReport, Found, Gap};
use maud::{Markup, html};
use model::Conclusion;
use serde_json::json;

use crate::answer::{Answer, Page};
use crate::csv::Csv;
use crate::fault::Fault;
use crate::parts::{self, Mark, count, fact, many, spoken, theirs};
use crate::site::Seen;
use crate::strip::percent;
use crate::visit::Visit;

/// How many rows of a list stand on the first page.
const LISTED: usize = 8;

/// Controls that answer to criteria in scope: what readiness is counted over.
pub(crate) fn in_scope(seen: &Seen) -> Vec<&ControlReport> {
    let all = &seen.overview;
    let asked = |id: &str| {
        let criterion = all.criteria.criteria.iter().find(|c| c.id == id);
        criterion.is_some_and(|c| all.gaps.categories.contains(&c.category))
    };
    all.criteria.controls.iter().filter(|control| control.criteria.iter().any(|c| asked(&c.id))).collect()
}

/// Deviations that somebody has to see to.
pub(crate) fn is_open(deviation: &DeviationReport) -> bool {
    deviation.standing != "closed" && deviation.found != Found::NotAsked
}

/// Conclusions on operation, in the order in which they are told.
const TOLD: [(Conclusion, &str); 4] = [
    (Conclusion::NoExceptions, "No exceptions"),
    (Conclusion::ExceptionsNoted, "Exceptions noted"),
    (Conclusion::CannotConclude, "Cannot conclude"),
    (Conclusion::DidNotOperate, "Did not operate"),
];

pub(crate) fn readiness(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let seen = visit.seen()?;
    let controls = in_scope(&seen);
    let concluded = |c: Conclusion| controls.iter().filter(|control| control.operation == Some(c)).count();
    let all = &seen.overview;
    let open: Vec<&DeviationReport> = all.deviations.deviations.iter().filter(|d| is_open(d)).collect();
    // The register is of every period: what is overdue is so whenever it happened.
    let overdue = all.deviations.deviations.iter().filter(|d| d.standing == "overdue").count();
    Page::new(visit, "Readiness")
        .of(&seen)
        .command("tickmark gaps --json")
        .json(|| {
            let counts: serde_json::Map<String, serde_json::Value> =
                TOLD.iter().map(|(c, _)| (c.word().to_owned(), concluded(*c).into())).collect();
            json!({ "controls": counts, "open_deviations": open.len(), "overdue": overdue, "gaps": all.gaps })
        })
        .show(|| {
            html! {
                (answer(visit, &seen, &controls, &concluded))
                (measure(&controls, &concluded))
                dl.facts.sec0 {
                    @for (conclusion, name) in TOLD { @if conclusion != Conclusion::DidNotOperate || concluded(conclusion) > 0 {
                        (fact(&Mark::from(conclusion).says(name), &count(concluded(conclusion)),
                            Some(&visit.find(&["controls"], &[("operation", conclusion.word()), ("scope", "in")])),
                            match conclusion { Conclusion::NoExceptions => "tested, and held", Conclusion::ExceptionsNoted => "they stay in the report",
                                Conclusion::CannotConclude => "something is unknown", Conclusion::DidNotOperate => "nothing happened" }))
                    } }
                    (fact(&html! { "Open deviations" }, &count(open.len()), Some(&visit.find(&["deviations"], &[("standing", "open")])), "found, and not closed"))
                    (fact(&html! { "Overdue" }, &count(overdue), Some(&visit.find(&["deviations"], &[("standing", "overdue")])), "deviations past their day"))
                }
                div.cols {
                    div { (failing(visit, &open)) (gaps_by_urgency(visit, &seen)) }
                    div { (next(visit, &seen)) (steps(&seen)) (losing(visit, &seen)) }
                }
                (groups(visit, &seen))
            }
        })
}

/// The heading: a sentence that answers, with the numbers in it.
fn answer(
    visit: &Visit<'_>,
    seen: &Seen,
    controls: &[&ControlReport],
    concluded: &dyn Fn(Conclusion) -> usize,
) -> Markup {
    let period = &seen.period;
    let clean = concluded(Conclusion::NoExceptions);
    let (unknown, excepted) = (concluded(Conclusion::CannotConclude), concluded(Conclusion::ExceptionsNoted));
    let left = (period.to.ms() - seen.at.ms()).div_euclid(86_400_000);
    let when = match left {
        left if left > 1 => format!(" in the {left} days left"),
        _ => String::new(),
    };
    let head = if controls.is_empty() {
        "No control is in scope yet.".to_owned()
    } else if unknown + excepted == 0 && clean > 0 {
        format!("Every control that operated did so without exceptions: {clean} of {}.", controls.len())
    } else {
        format!(
            "Not ready yet: {} of {} need work{when}.",
            count(unknown + excepted),
            many(controls.len(), "control", "controls")
        )
    };
    let over = format!(
        "Readiness · {} to {} · {}",
        period.first_date(),
        period.last_date(),
        seen.overview.gaps.categories.join(", ")
    );
    parts::head(
        &over,
        &html! { (head) },
        &html! { p {
            (many(unknown, "lacks", "lack")) " evidence, and can be closed while sources remember. " (many(excepted, "has", "have"))
            " exceptions, which stay in the report and need management’s response. What is said here is counted, not an opinion: that is the auditor’s."
        } },
        &html! { a.btn.pri href=(visit.to(&["plan"])) { "See the next steps" } },
    )
}

/// All controls as one bar.
fn measure(controls: &[&ControlReport], concluded: &dyn Fn(Conclusion) -> usize) -> Markup {
    let whole = i64::try_from(controls.len()).unwrap_or(1);
    let share = |n: usize| i64::try_from(n).unwrap_or(0);
    let label: Vec<String> =
        TOLD.iter().map(|(c, name)| format!("{} {}", concluded(*c), name.to_lowercase())).collect();
    let mut at = 0;
    let parts = TOLD.map(|(conclusion, _)| {
        let (from, n) = (at, share(concluded(conclusion)));
        at += n;
        (conclusion, from, n)
    });
    html! { svg.c.measure height="14" role="img" aria-label=(format!("Of {} controls: {}", controls.len(), label.join(", "))) {
        @for (conclusion, from, n) in parts {
            @if n > 0 { rect class=(format!("f-{}", Mark::from(conclusion).word())) x=(percent(from, whole)) y="0.5" width=(percent(n * 100 - 20, whole * 100)) height="13" {} }
        }
    } }
}

fn failing(visit: &Visit<'_>, open: &[&DeviationReport]) -> Markup {
    html! { section aria-labelledby="h-failing" {
        div.sh { h2 id="h-failing" { "Failing now" } p { (many(open.len(), "open deviation", "open deviations")) ", the most urgent first" }
            span.end { a href=(visit.to(&["deviations"])) { "The register" } } }
        @if open.is_empty() {
            (parts::empty("No deviation is open.", "What cannot be concluded is listed below: silence is no pass.", None, None))
        } @else { (deviation_rows(visit, &open[..open.len().min(LISTED)])) }
    } }
}

/// Deviations as rows: what, of which control, how it stands, until when.
pub(crate) fn deviation_rows(visit: &Visit<'_>, deviations: &[&DeviationReport]) -> Markup {
    html! { table.stack data-rows="open" {
        caption.vh { "Deviations, the most urgent first" }
        thead { tr { th scope="col" { "Control" } th scope="col" { "What deviated, and why" } th scope="col" { "Standing" } th scope="col" { "Owner" } th.num scope="col" { "Due" } } }
        tbody { @for d in deviations { tr data-row {
            th scope="row" { (parts::controls(visit, &d.controls)) }
            td { a href=(visit.to(&["deviations", &d.key])) { (theirs(&d.label)) } br; span.dim { (theirs(&d.reason)) } }
            td.il { (standing(d)) }
            td.il data-l="owner" { @match &d.owner { Some(owner) => (theirs(owner)), None => span.dim { "nobody" } } }
            td.num.nw.il { @match d.due { Some(due) => span class=(if d.standing == "overdue" { "late" } else { "" }) { @if d.standing == "overdue" { "overdue since " } (visit.day(due)) }, None => span.dim { "no day" } } }
        } } }
    } }
}

/// How a deviation stands. It stays one, whatever is done about it.
pub(crate) fn standing(d: &DeviationReport) -> Markup {
    html! {
        @if d.found == Found::Yes { (Mark::Dev.says("Deviation")) }
        @else if d.found == Found::No { (Mark::Na.says("Not found any more")) }
        @else { (Mark::Unk.says("Not looked for")) }
        " " span.tag.warm { (d.standing) }
        @if d.waived().is_some() { " " span.tag { "waived" } }
    }
}

/// What a kind of gap is called.
fn kind(kind: &str) -> &'static str {
    match kind {
        "unreadable" => "Files that cannot be read",
        "owner" => "Owners",
        "policy" => "Policies",
        "design" => "Walkthroughs",
        "failing" => "Deviations",
        "source" => "Sources",
        "unknown" => "Holes in the evidence",
        "never_done" => "Recurring work",
        "untested" => "Nothing tests it yet",
        _ => "Other",
    }
}

/// Kinds of gaps, each with its gaps, in the order in which they are best seen to.
fn by_kind(gaps: &[Gap]) -> Vec<(&'static str, Vec<&Gap>)> {
    let mut kinds: Vec<(&str, Vec<&Gap>)> = vec![];
    for gap in gaps {
        match kinds.iter_mut().find(|(name, _)| *name == gap.kind) {
            Some((_, of)) => of.push(gap),
            None => kinds.push((gap.kind, vec![gap])),
        }
    }
    kinds
}

fn gaps_by_urgency(visit: &Visit<'_>, seen: &Seen) -> Markup {
    let kinds = by_kind(&seen.overview.gaps.gaps);
    html! { section aria-labelledby="h-gaps" {
        div.sh { h2 id="h-gaps" { "In the way" } p { (many(seen.overview.gaps.gaps.len(), "gap", "gaps")) " between today and a report" }
            span.end { a href=(visit.to(&["plan"])) { "All of them" } } }
        @if kinds.is_empty() { (parts::empty("Nothing is in the way.", "What an auditor decides is another matter.", None, None)) }
        @else { table.stack { caption.vh { "Gaps by kind" }
            thead { tr { th scope="col" { "Kind" } th scope="col" { "First of them, and its next step" } th.num scope="col" { "Gaps" } } }
            tbody { @for (name, of) in &kinds { tr {
                th scope="row" { (kind(name)) }
                td { (theirs(&of[0].says)) br; span.dim { (theirs(&of[0].next)) } }
                td.num data-l="gaps" { a href=(visit.find(&["plan"], &[("kind", name)])) { (count(of.len())) } }
            } } } }
        }
    } }
}

fn next(visit: &Visit<'_>, seen: &Seen) -> Markup {
    html! { @if let Some(begin) = &seen.overview.gaps.begin {
        section aria-labelledby="h-next" {
            div.sh { h2 id="h-next" { "Next step" } }
            p.sub { (theirs(&begin.says)) }
            p.mt8 { b { (theirs(&begin.next)) } }
            p.mt8 { a href=(visit.to(&["plan"])) { "Who does what, and when" } }
        }
    } }
}

fn steps(seen: &Seen) -> Markup {
    let steps = &seen.overview.gaps.steps;
    html! { section aria-labelledby="h-steps" {
        div.sh { h2 id="h-steps" { "The way there" } p { (steps.iter().filter(|s| s.done).count()) " of " (steps.len()) " done" } }
        ol.steps { @for (at, step) in steps.iter().enumerate() {
            li class=[step.done.then_some("done")] { span.dot aria-hidden="true" { @if step.done { "✓" } @else { (at + 1) } }
                div { b { (step.what) span.vh { @if step.done { ", done" } @else { ", open" } } } (theirs(&step.says)) } }
        } }
    } }
}

/// What a source will forget.
fn losing(visit: &Visit<'_>, seen: &Seen) -> Markup {
    let alarms = &seen.overview.coverage.alarms;
    html! { @if !alarms.is_empty() { section aria-labelledby="h-losing" {
        div.sh { h2 id="h-losing" { "Collect soon" } span.end { a href=(visit.to(&["coverage"])) { "Coverage" } } }
        ul.list.small { @for alarm in alarms { li { span.d { (visit.day(alarm.loses_from)) } span.b { code { (alarm.source) "." (alarm.stream) } " is kept " (alarm.kept_days) " days"
            @if let Some(scope) = &alarm.scope { " of " (theirs(scope)) } } } } }
    } } }
}

/// Criteria by their groups.
fn groups(visit: &Visit<'_>, seen: &Seen) -> Markup {
    let mut groups: Vec<(&str, Vec<&app::CriterionReport>)> = vec![];
    for criterion in &seen.overview.criteria.criteria {
        if !seen.overview.gaps.categories.contains(&criterion.category) {
            continue;
        }
        let group = criterion.id.split('.').next().unwrap_or("");
        match groups.last_mut() {
            Some((last, of)) if *last == group => of.push(criterion),
            _ => groups.push((group, vec![criterion])),
        }
    }
    html! { section aria-labelledby="h-criteria" {
        div.sh { h2 id="h-criteria" { "Criteria" } p { "What is proposed of each; a person decides" } span.end { a href=(visit.to(&["criteria"])) { "All of them" } } }
        table.crit { caption.vh { "Criteria by group" }
            thead { tr { th scope="col" { "Group" } th scope="col" { "Category" } th scope="col" { "Each criterion" } } }
            tbody { @for (group, of) in groups { tr {
                th scope="row" { a href=(visit.find(&["criteria"], &[("group", group)])) { (group) } }
                td { (of[0].category) }
                td { span.marks { @for criterion in of {
                    a.q href=(visit.to(&["criteria", &criterion.id])) { (parts::mark_of(criterion.proposal).alone(&format!("{}: {}", criterion.id, spoken(criterion.proposal)))) }
                } } }
            } } }
        }
    } }
}

pub(crate) fn plan(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let seen = visit.seen()?;
    let all = &seen.overview.gaps;
    let wanted = |gap: &&Gap| {
        visit.word("kind").is_none_or(|kind| kind == gap.kind)
            && visit.word("role").is_none_or(|role| role == gap.role)
            && parts::finds(visit, &[&gap.says, &gap.next, &gap.role, &gap.controls.join(" ")])
    };
    let listed: Vec<&Gap> = all.gaps.iter().filter(wanted).collect();
    Page::new(visit, "Next steps")
        .of(&seen)
        .command("tickmark gaps --all")
        .json(|| json!({ "gaps": visit.cut(&listed), "steps": all.steps, "roles": all.roles, "plan": all.plan }))
        .csv(|| {
            let mut csv = Csv::new(["kind", "before_type", "strand", "says", "controls", "role", "owner", "hours_least", "hours_most", "next"]);
            for gap in &listed {
                csv.row([
                    gap.kind.to_owned(),
                    gap.before_type.to_string(),
                    gap.strand.clone(),
                    gap.says.clone(),
                    gap.controls.join(" "),
                    gap.role.clone(),
                    gap.owner.clone().unwrap_or_default(),
                    gap.hours.0.to_string(),
                    gap.hours.1.to_string(),
                    gap.next.clone(),
                ]);
            }
            csv
        })
        .show(|| {
            let least: u32 = all.gaps.iter().map(|gap| gap.hours.0).sum();
            let most: u32 = all.gaps.iter().map(|gap| gap.hours.1).sum();
            html! {
                (parts::head("From today to a report", &html! { (many(all.gaps.len(), "step", "steps")) " between today and a report, about " (least) " to " (most) " hours of work" },
                    &html! { p { "Hours and dates are guesses from what is customary; the auditor’s calendar decides." } }, &html! {}))
                (dates(visit, &seen))
                section aria-labelledby="h-list" {
                    div.sh { h2 id="h-list" { "What to do" } p role="status" { (count(listed.len())) " of " (count(all.gaps.len())) } }
                    div.facets {
                        (parts::chip(visit, "kind", "", &html! { "All" }, all.gaps.len()))
                        @for (name, of) in by_kind(&all.gaps) { (parts::chip(visit, "kind", name, &html! { (kind(name)) }, of.len())) }
                    }
                    (parts::filter_field(visit, "Filter the steps"))
                    @if listed.is_empty() { (parts::empty("Nothing is left under this filter.", "Clear it to see every step.", Some(("Clear the filter", &visit.to(&["plan"]))), None)) }
                    @else { table.stack { caption.vh { "Steps" }
                        thead { tr { th scope="col" { "Controls" } th scope="col" { "What is missing, and the next step" } th scope="col" { "Who" } th.num scope="col" { "Hours" } th.num scope="col" { "Before" } } }
                        tbody { @for gap in &listed { tr {
                            th scope="row" { span.wrap { (parts::controls(visit, &gap.controls)) } }
                            td { (theirs(&gap.says)) br; span.dim { (theirs(&gap.next)) } }
                            td.il data-l="who" { (theirs(&gap.role)) @if let Some(owner) = &gap.owner { br; span.dim { (theirs(owner)) } } }
                            td.num.nw.il data-l="hours" { (gap.hours.0) "–" (gap.hours.1) }
                            td.num.nw.il data-l="before" { "type " (gap.before_type) }
                        } } }
                    } }
                }
                section aria-labelledby="h-roles" { div.sh { h2 id="h-roles" { "Who has what before them" } }
                    table { caption.vh { "Roles" } thead { tr { th scope="col" { "Role" } th.num scope="col" { "Controls" } th.num scope="col" { "With an owner" } th.num scope="col" { "Gaps" } th.num scope="col" { "Hours" } } }
                        tbody { @for role in &all.roles { tr { th scope="row" { (theirs(&role.role)) } td.num { (role.controls) } td.num { (role.owned) }
                            td.num { a href=(visit.find(&["plan"], &[("role", &role.role)])) { (role.gaps) } } td.num.nw { (role.hours.0) "–" (role.hours.1) } } } } } }
                section aria-labelledby="h-tell" { div.sh { h2 id="h-tell" { "What usually goes wrong" } }
                    table { caption.vh { "Tell-tales" } thead { tr { th scope="col" { "What" } th scope="col" { "Here" } th scope="col" { "Controls" } } }
                        tbody { @for tell in &all.tell_tales { tr { th scope="row" { (spoken(tell.what)) }
                            td { @match tell.state { "found" => (Mark::Dev.says("Found")), "not_found" => (Mark::Pass.says("Not found")), _ => (Mark::Unk.says("Cannot be told")) } }
                            td { (parts::controls(visit, &tell.controls)) } } } } } }
                (breaks("What would break a window that began now", "breaks", &all.plan.breaks))
                (breaks("Why it may take longer", "risks", &all.plan.risks))
            }
        })
}

fn breaks(title: &str, id: &str, what: &[String]) -> Markup {
    html! { @if !what.is_empty() { section aria-labelledby=(format!("h-{id}")) {
        div.sh { h2 id=(format!("h-{id}")) { (title) } }
        ul { @for one in what { li { (theirs(one)) } } }
    } } }
}

fn dates(visit: &Visit<'_>, seen: &Seen) -> Markup {
    let plan = &seen.overview.gaps.plan;
    let span = |(least, most): (model::Instant, model::Instant)| {
        let (least, most) = (visit.day(least), visit.day(most));
        if least == most { least } else { format!("{least} to {most}") }
    };
    html! { dl.kv.mt {
        dt { "Ready for type I" } dd { (span(plan.type_1_ready)) }
        dt { "Its report" } dd { (span(plan.type_1_report)) }
        dt { "A clean window could begin" } dd { (span(plan.window_from)) }
        @for window in &plan.windows { dt { (spoken(window.length)) " of it" } dd { "until " (visit.day(window.ends)) ", report " (span(window.report)) } }
    } }
}
