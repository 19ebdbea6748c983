//! Reviews of access: which there are, and the lines of one, decided a page at a time with what is known of each in sight.
//!
//! Nothing selects lines that are not on the page. What was refused is shown above the lines as they stand, with what was chosen.

use std::collections::BTreeSet;

use app::{
    AT_ONCE, Action, Actor, AppError, Fate, Reach, Refused, Resource, ReviewAsked, ReviewDecision,
    ReviewKind, ReviewLine, ReviewReport,
};
use axum::http::StatusCode;
use maud::{Markup, html};
use serde_json::json;

use crate::answer::{Answer, Page};
use crate::csv::Csv;
use crate::fault::Fault;
use crate::parts::{self, Mark, count, many, spoken, theirs};
use crate::visit::Visit;

/// What of a review is shown, by the word in the address.
const SHOWN: [(&str, &str); 4] =
    [("", "All"), ("left", "To decide"), ("flagged", "Flagged"), ("decided", "Decided")];

/// Why nothing was changed, in words, where a person can do something about it.
fn told(refused: Refused) -> Result<String, Fault> {
    match refused {
        Refused::Unfit(why) | Refused::Failed(AppError::Other(why)) => Ok(why),
        other => Err(other.into()),
    }
}

fn reads_all(visit: &Visit<'_>) -> bool {
    visit.reads(Resource::AccessReviews) == Some(Reach::Every)
}

/// A campaign as somebody sees it who may read what is their own: the lines that they decide about. `None` where there is none.
fn of_own(mut report: ReviewReport, own: &BTreeSet<u32>) -> Option<ReviewReport> {
    report.lines.retain(|line| own.contains(&line.frozen.line));
    report.total = report.lines.len();
    report.undecided = report.lines.iter().filter(|line| line.decision.is_none()).count();
    (!report.lines.is_empty()).then_some(report)
}

fn may(visit: &Visit<'_>, action: Action) -> bool {
    visit.who.as_ref().is_some_and(|who| who.reach(action, Resource::AccessReviews).is_some())
}

fn standing(report: &ReviewReport) -> Markup {
    match (report.standing, report.late) {
        ("completed", false) => Mark::Pass.says("Completed"),
        ("completed", true) => Mark::Dev.says("Completed late"),
        ("overdue", _) => Mark::Dev.says("Overdue"),
        _ => Mark::Due.says("Open"),
    }
}

pub(crate) fn list(visit: &Visit<'_>) -> Result<Answer, Fault> {
    listed(visit, StatusCode::OK, None)
}

fn listed(visit: &Visit<'_>, status: StatusCode, problem: Option<&str>) -> Result<Answer, Fault> {
    let (who, now) = (Actor::Member(visit.who()?), visit.site.today());
    let reviews = if reads_all(visit) {
        visit.site.workspace().reviews(None, now)?
    } else {
        let all = visit.site.workspace().reviews_of(who, now)?;
        all.into_iter().filter_map(|(report, own)| of_own(report, &own)).collect()
    };
    let field = |name: &str| visit.field(name).unwrap_or("").to_owned();
    Page::new(visit, "Access reviews")
        .status(status)
        .command("tickmark review list --json")
        .json(|| json!({ "reviews": reviews }))
        .csv(|| {
            let mut csv = Csv::new([
                "review", "kind", "systems", "standing", "late", "opened_at", "listed_at", "due_at", "completed_at", "lines", "undecided", "entry",
            ]);
            for r in &reviews {
                csv.row([
                    r.review.clone(),
                    r.kind.word().to_owned(),
                    r.systems.join(" "),
                    r.standing.to_owned(),
                    if r.late { "yes" } else { "no" }.to_owned(),
                    r.opened_at.to_string(),
                    r.listed_at.to_string(),
                    r.due_at.to_string(),
                    r.completed_at.map(|at| at.to_string()).unwrap_or_default(),
                    r.total.to_string(),
                    r.undecided.to_string(),
                    r.entry.to_string(),
                ]);
            }
            csv
        })
        .show(|| {
            let open = reviews.iter().filter(|r| r.completed_at.is_none()).count();
            html! {
                (parts::head("Access reviews", &html! { (count(open)) " open of " (many(reviews.len(), "review", "reviews")) },
                    &html! { p { "Each is of the access that existed at one instant. Decisions stay, and are only changed by later ones." } }, &html! {}))
                (parts::problem(problem))
                @if reviews.is_empty() { (parts::empty("There is no review that you may see.", "A review begins with a list of who has access, which the sources of grants supply.", None, Some("tickmark review open --help"))) }
                @else { table.stack data-rows { caption.vh { "Reviews of access" }
                    thead { tr { th scope="col" { "Review" } th scope="col" { "Systems" } th scope="col" { "Opened" } th scope="col" { "Due" } th.num scope="col" { "Left" } th scope="col" { "Standing" } } }
                    tbody { @for r in &reviews { tr data-row {
                        th scope="row" { a href=(visit.to(&["reviews", &r.review])) { (r.review) } " " span.tag { (spoken(r.kind.word())) } }
                        td { (theirs(&r.systems.join(", "))) }
                        td.il data-l="opened" { (visit.day(r.opened_at)) }
                        td.il data-l="due" { (visit.day(r.due_at)) }
                        td.num data-l="left" { (count(r.undecided)) " of " (count(r.total)) }
                        td { (standing(r)) }
                    } } }
                } }
                @if may(visit, Action::Enter) { section aria-labelledby="h-open" { div.sh { h2 id="h-open" { "Open a review" } p { "the list is frozen as it is known now" } }
                    form method="post" action=(visit.to(&["reviews", "open"])) { (visit.form_token())
                        div.f { label for="systems" { "Systems, one a line" } textarea id="systems" name="systems" rows="2" aria-describedby="systems-hint" { (field("systems")) }
                            p.hint id="systems-hint" { "By label or key. Of an exit review all, where none is named." } }
                        div.f { label for="kind" { "What it is of" } select id="kind" name="kind" {
                            @for (word, says) in [("snapshot", "Everybody who has access"), ("differential", "What changed since it was kept"), ("exit", "Everything that one person has")] {
                                option value=(word) selected[field("kind") == word] { (says) } } } }
                        div.f { label for="who" { "Whose exit" } input.in id="who" name="who" value=(field("who")) autocomplete="off"; }
                        div.f { label for="reviewers" { "Reviewers, one a line" } textarea id="reviewers" name="reviewers" rows="3" required aria-describedby="reviewers-hint" { (field("reviewers")) }
                            p.hint id="reviewers-hint" { "An e-mail address, or " code { "ann@example.test=hub" } " to review a system or person alone. Nobody is given their own access." } }
                        div.f { label for="due" { "Last day" } input.in id="due" name="due" type="date" required value=(field("due")); }
                        div.f { label for="reason" { "Why" } input.in id="reason" name="reason" required value=(field("reason")) autocomplete="off"; }
                        p.mt { button.btn.pri { "Freeze the list" } }
                    }
                } }
            }
        })
}

pub(crate) fn open(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let (who, now) = (visit.who()?, visit.site.today());
    let lines = |name: &str| -> Vec<String> {
        let text = visit.field(name).unwrap_or("");
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let text = |name: &str| visit.field(name).unwrap_or("").trim();
    let due = text("due");
    let due = match model::parse_date_range(due, due, &visit.site.zone()) {
        Ok(day) => day.last(),
        Err(error) => {
            return listed(&at(visit, &["reviews"]), StatusCode::BAD_REQUEST, Some(&error.to_string()));
        }
    };
    let reviewers = lines("reviewers").into_iter().map(|line| match line.split_once('=') {
        Some((who, whom)) => (who.trim().to_owned(), Some(whom.trim().to_owned())),
        None => (line, None),
    });
    let wanted = ReviewAsked {
        kind: ReviewKind::named(text("kind")).unwrap_or(ReviewKind::Snapshot),
        systems: lines("systems"),
        who: Some(text("who").to_owned()).filter(|who| !who.is_empty()),
        reviewers: reviewers.collect(),
        listed_at: now,
        due_at: due,
        reason: text("reason").to_owned(),
    };
    match visit.site.decided(who, |workspace, who| workspace.open_review(&wanted, who, now)) {
        Ok(review) => Ok(Answer::Elsewhere { to: visit.to(&["reviews", &review]), cookies: vec![] }),
        Err(refused) => listed(&at(visit, &["reviews"]), StatusCode::CONFLICT, Some(&told(refused)?)),
    }
}

pub(crate) fn detail(visit: &Visit<'_>) -> Result<Answer, Fault> {
    detailed(visit, StatusCode::OK, None)
}

/// The campaign of the address, as far as somebody may read it, and which lines are theirs.
fn found(visit: &Visit<'_>) -> Result<(ReviewReport, BTreeSet<u32>), Fault> {
    let key = visit.name("key");
    let unknown = || Fault::unknown("review", key, "the list of reviews shows every one that you may see");
    let who = Actor::Member(visit.who()?);
    let (report, own) = match visit.site.workspace().review_of(key, who, visit.site.today()) {
        Err(AppError::Other(_)) => return Err(unknown()),
        found => found?,
    };
    let report = if reads_all(visit) { report } else { of_own(report, &own).ok_or_else(unknown)? };
    Ok((report, own))
}

fn detailed(visit: &Visit<'_>, status: StatusCode, problem: Option<&str>) -> Result<Answer, Fault> {
    let (report, own) = found(visit)?;
    let shown = visit.word("show").unwrap_or("");
    let is = |word: &str, line: &ReviewLine| match word {
        "left" => line.decision.is_none(),
        "flagged" => !line.frozen.flags.is_empty(),
        "decided" => line.decision.is_some(),
        _ => true,
    };
    let finds = |line: &&ReviewLine| {
        parts::finds(
            visit,
            &[
                &line.called,
                line.person_called.as_deref().unwrap_or(""),
                line.frozen.role.as_deref().unwrap_or(""),
                &line.frozen.system,
                line.reviewer.as_deref().unwrap_or(""),
            ],
        )
    };
    let searched: Vec<&ReviewLine> = report.lines.iter().filter(finds).collect();
    let mut listed: Vec<&ReviewLine> = searched.iter().copied().filter(|line| is(shown, line)).collect();
    // A person's lines stand together; those of nobody known come last.
    listed
        .sort_by_key(|line| (line.person_called.is_none(), line.person_called.as_deref(), line.frozen.line));
    let of = listed.len().div_ceil(AT_ONCE);
    let page = visit.page().min(of.max(1));
    let here: Vec<&ReviewLine> = listed.iter().copied().skip((page - 1) * AT_ONCE).take(AT_ONCE).collect();
    Page::new(visit, report.review.clone())
        .status(status)
        .below("Access reviews", &["reviews"])
        .command(format!("tickmark review show {} --json", report.review))
        .json(|| {
            let mut all = report.clone();
            all.lines = listed.iter().map(|line| (*line).clone()).collect();
            all
        })
        .csv(|| lines_for_spreadsheets(&listed))
        .show(|| {
            html! {
                (parts::head(&format!("Access review, {}", report.kind.word()), &html! { (count(report.undecided)) " of " (many(report.total, "line", "lines")) " left, due " (visit.day(report.due_at)) },
                    &html! { p { "The access that existed at " (visit.time(report.listed_at)) " in " (theirs(&report.systems.join(", "))) ", frozen as " (parts::entry(visit, i64::try_from(report.entry).unwrap_or(i64::MAX)))
                        ". " (theirs(&report.reason)) @if report.unchanged > 0 { " " (count(report.unchanged as usize)) " more are as they were when they were kept." } } },
                    &standing(&report)))
                (parts::problem(problem))
                @for why in &report.not_known { p.note { "Not known: " (theirs(why)) } }
                div.facets { @for (word, label) in SHOWN {
                    (parts::chip(visit, "show", word, &html! { (label) }, searched.iter().filter(|line| is(word, line)).count())) } }
                (parts::filter_field(visit, "Filter lines"))
                p.bar role="status" { (count(listed.len())) " of " (many(report.total, "line", "lines")) }
                @if here.is_empty() { (parts::empty("No line is left under this filter.", "Clear it to see all of them.", Some(("Show all", &visit.to(&["reviews", &report.review]))), None)) }
                @else { (lines(visit, &report, &here, &own)) }
                (parts::pages(visit, page, of))
                (afterwards(visit, &report))
            }
        })
}

fn lines_for_spreadsheets(listed: &[&ReviewLine]) -> Csv {
    let mut csv = Csv::new([
        "line",
        "system",
        "person",
        "account",
        "role",
        "privileged",
        "last_used",
        "flags",
        "not_known",
        "reviewer",
        "decision",
        "decided_by",
        "decided_at",
        "reason",
    ]);
    for line in listed {
        let frozen = &line.frozen;
        let last = line.decision.and_then(|d| line.history.iter().rev().find(|said| said.what == d.word()));
        let flags: Vec<&str> = frozen.flags.iter().map(|flag| flag.word()).collect();
        csv.row([
            frozen.line.to_string(),
            frozen.system.clone(),
            line.person_called.clone().unwrap_or_default(),
            line.called.clone(),
            frozen.role.clone().unwrap_or_default(),
            frozen.privileged.map_or("", |yes| if yes { "yes" } else { "no" }).to_owned(),
            frozen.last_used.map(|at| at.to_string()).unwrap_or_default(),
            flags.join(" "),
            frozen.not_known.join("; "),
            line.reviewer.clone().unwrap_or_default(),
            line.decision.map_or("undecided", ReviewDecision::word).to_owned(),
            last.map(|said| said.by.clone()).unwrap_or_default(),
            last.map(|said| said.at.to_string()).unwrap_or_default(),
            last.map(|said| said.reason.clone()).unwrap_or_default(),
        ]);
    }
    csv
}

/// The lines of one page in one form: only what is on it can be chosen.
fn lines(visit: &Visit<'_>, report: &ReviewReport, here: &[&ReviewLine], own: &BTreeSet<u32>) -> Markup {
    let (decides, hands_over) = (may(visit, Action::Decide), may(visit, Action::Enter));
    let open = report.completed_at.is_none();
    let mine = |line: &ReviewLine| decides && own.contains(&line.frozen.line);
    let chooses = |line: &ReviewLine| open && (hands_over || mine(line));
    // What was chosen before it was refused stays chosen, by its number: the mark may be another one by now.
    let chosen: BTreeSet<&str> = visit
        .fields
        .iter()
        .filter(|(n, _)| n == "line")
        .filter_map(|(_, mark)| mark.split(':').next())
        .collect();
    let reason = visit.field("reason").unwrap_or("");
    let mut groups: Vec<(Option<&str>, Vec<&ReviewLine>)> = vec![];
    for line in here {
        match groups.last_mut() {
            Some((person, group)) if *person == line.person_called.as_deref() => group.push(line),
            _ => groups.push((line.person_called.as_deref(), vec![line])),
        }
    }
    let query = || visit.query.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let to = |act: &str| crate::visit::address(&["reviews", &report.review, act], query());
    html! { form method="post" action=(to("decide")) data-review { (visit.form_token())
        table.stack data-rows { caption.vh { "Lines of the review, by person" }
            thead { tr { th scope="col" { "Access" } th scope="col" { "Last used" } th scope="col" { "Others with this role" } th scope="col" { "Before" } th scope="col" { "Decision" } } }
            @for (person, group) in &groups { tbody {
                tr { th.sub colspan="5" scope="rowgroup" { @match person { Some(person) => (theirs(person)), None => "Nobody known" } } }
                @for line in group { (row(visit, line, chooses(line), chosen.contains(line.frozen.line.to_string().as_str()))) }
            } }
        }
        @if here.iter().any(|line| chooses(line)) {
            div.f { label for="why" { "Reason" } input.in id="why" name="reason" value=(reason) autocomplete="off" aria-describedby="why-hint";
                p.hint id="why-hint" { "A flagged line is kept alone, for a reason of its own. To change or revoke always needs one." } }
            @if decides && here.iter().any(|line| mine(line)) { p.bar {
                button.btn.pri name="decision" value="keep" { "Keep" } " "
                button.btn name="decision" value="modify" { "Change" } " "
                button.btn name="decision" value="revoke" { "Revoke" }
                span.dim { kbd { "x" } " chooses, " kbd { "K" } " keeps, " kbd { "R" } " revokes" }
            } }
            p.bar { label for="to" { "Hand over to" } input.in.find id="to" name="to" autocomplete="off" value=[visit.field("to")];
                button.btn formaction=(to("delegate")) { "Hand over" } }
        }
    } }
}

fn row(visit: &Visit<'_>, line: &ReviewLine, chooses: bool, chosen: bool) -> Markup {
    let frozen = &line.frozen;
    let role = frozen.role.as_deref().unwrap_or("role not known");
    let names = format!("line {}: {} as {role} in {}", frozen.line, line.called, frozen.system);
    html! { tr data-row data-flagged[!frozen.flags.is_empty()] {
        th scope="row" {
            @if chooses { input type="checkbox" name="line" value=(line.mark) checked[chosen] aria-label=(names); " " }
            (theirs(role)) " in " (theirs(&frozen.system)) br;
            span.dim { (theirs(&line.called)) @if let Some(kind) = frozen.kind.as_deref().filter(|kind| *kind != "human") { ", " (spoken(kind)) " account" } ", since " (visit.day(frozen.since)) }
            @for flag in &frozen.flags { " " span.tag.late { (spoken(flag.word())) } }
            @if let Some(left) = frozen.left { " " span.dim { "left " (visit.day(left)) } }
            @if !frozen.not_known.is_empty() { br; span.dim { "Not known: " (theirs(&frozen.not_known.join("; "))) } }
        }
        td.il data-l="last used" { @match (frozen.last_used, frozen.days_unused) {
            (Some(used), _) => { (visit.day(used)) },
            (None, Some(days)) => { "not in " (days) " days" },
            (None, None) => span.dim { "not known" },
        } }
        td.il data-l="others with this role" { @match frozen.same_role { Some(same) => { (same) " of " (frozen.others) }, None => span.dim { "not known" } } }
        td.il data-l="before" { @match &frozen.previous { Some(before) => { (spoken(&before.decision)) ", " (visit.day(before.at)) }, None => span.dim { "nothing known" } } }
        td { @match (line.decision, &line.reviewer) {
            (Some(decision), _) => { b { (spoken(decision.word())) } },
            (None, Some(reviewer)) => { "for " (theirs(reviewer)) },
            (None, None) => { (Mark::Unk.says("For nobody")) " " (theirs(line.unassigned.as_deref().unwrap_or(""))) },
        }
        @for said in &line.history { br; span.dim.small { (theirs(&said.what)) ", " (theirs(&said.by)) ", " (visit.time(said.at)) @if !said.reason.is_empty() { ": " (theirs(&said.reason)) } } }
        @match &line.fate {
            Some(Fate::Gone { since }) => { br; (Mark::Pass.says("Gone")) " since " (visit.day(*since)) },
            Some(Fate::StillThere { looked_at, late }) => { br; @if *late { (Mark::Dev.says("Still there, late")) } @else { (Mark::Due.says("Still there")) } " on " (visit.day(*looked_at)) },
            Some(Fate::NotKnown { because }) => { br; (Mark::Unk.says("Not known")) ": " (theirs(because)) },
            None => {},
        } }
    } }
}

/// What is done to a review as a whole.
fn afterwards(visit: &Visit<'_>, report: &ReviewReport) -> Markup {
    let removals = report.lines.iter().any(|line| line.decision.is_some_and(|d| d != ReviewDecision::Keep));
    let complete = report.completed_at.is_none() && report.undecided == 0;
    html! { @if may(visit, Action::Enter) && (complete || removals) {
        section aria-labelledby="h-after" { div.sh { h2 id="h-after" { "What happens next" } }
            @if complete { form method="post" action=(visit.to(&["reviews", &report.review, "complete"])) { (visit.form_token())
                p { "Every line is decided. What was decided is not changed any more once the review is complete." }
                p.mt8 { button.btn.pri { "Complete" } } } }
            @if removals { form.mt method="post" action=(visit.to(&["reviews", &report.review, "verify"])) { (visit.form_token())
                p { "What was to be removed is looked up in the grants that are known now."
                    @if let Some(at) = report.verified_at { " It was last looked at " (visit.time(at)) "." } }
                p.mt8 { button.btn { "Look again" } } } }
        }
    } }
}

/// What was said of lines, or of a review, and back to it.
fn done<T>(visit: &Visit<'_>, what: Result<T, Refused>) -> Result<Answer, Fault> {
    match what {
        Ok(_) => {
            // With the same filter: what is left of it follows.
            let query = visit.query.iter().map(|(key, value)| (key.as_str(), value.as_str()));
            let to = crate::visit::address(&["reviews", visit.name("key")], query);
            Ok(Answer::Elsewhere { to, cookies: vec![] })
        }
        Err(refused) => {
            detailed(&at(visit, &["reviews", visit.name("key")]), StatusCode::CONFLICT, Some(&told(refused)?))
        }
    }
}

/// The same visit at the page that a form was sent from: what is shown there leads on from there.
fn at<'s>(visit: &Visit<'s>, path: &[&str]) -> Visit<'s> {
    Visit { path: crate::visit::address(path, std::iter::empty()), ..visit.clone() }
}

fn marks(visit: &Visit<'_>) -> Vec<String> {
    visit.fields.iter().filter(|(name, _)| name == "line").map(|(_, mark)| mark.clone()).collect()
}

pub(crate) fn decide(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let review = found(visit)?.0.review;
    let who = visit.who()?;
    let Some(decision) = visit.field("decision").and_then(ReviewDecision::named) else {
        let here = at(visit, &["reviews", &review]);
        return detailed(
            &here,
            StatusCode::BAD_REQUEST,
            Some("nothing says what is decided; keep, change or revoke"),
        );
    };
    let (marks, reason) = (marks(visit), visit.field("reason").unwrap_or(""));
    let now = visit.site.today();
    done(
        visit,
        visit.site.decided(who, |w, who| w.decide_review(&review, &marks, decision, reason, who, now)),
    )
}

pub(crate) fn delegate(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let review = found(visit)?.0.review;
    let who = visit.who()?;
    let (marks, to, reason) =
        (marks(visit), visit.field("to").unwrap_or(""), visit.field("reason").unwrap_or(""));
    let now = visit.site.today();
    done(visit, visit.site.decided(who, |w, who| w.delegate_review(&review, &marks, to, reason, who, now)))
}

pub(crate) fn complete(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let review = found(visit)?.0.review;
    let (who, now) = (visit.who()?, visit.site.today());
    done(visit, visit.site.decided(who, |w, who| w.complete_review(&review, None, "", who, now)))
}

pub(crate) fn verify(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let review = found(visit)?.0.review;
    let (who, now) = (visit.who()?, visit.site.today());
    done(visit, visit.site.decided(who, |w, who| w.verify_review(&review, None, who, now)))
}
