//! The frame of every page: where one is, who one is, what the page is of, and the same in other forms.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::answer::{MADE_BY, Sheet};
use crate::assets;
use crate::fault::Fault;
use crate::parts::{command, theirs};
use crate::site::Site;
use crate::visit::Visit;

/// The pages that the navigation leads to: their groups, names and paths.
const PLACES: [(&str, &[(&str, &str)]); 3] = [
    (
        "Programme",
        &[
            ("Readiness", "/"),
            ("Next steps", "/plan"),
            ("Controls", "/controls"),
            ("Criteria", "/criteria"),
            ("Procedures", "/procedures"),
            ("Deviations", "/deviations"),
            ("Registers", "/registers"),
            ("Access reviews", "/reviews"),
        ],
    ),
    ("Evidence", &[("Sources and coverage", "/coverage"), ("Ledger", "/ledger"), ("Ask", "/query")]),
    ("Reference", &[("Catalogue", "/catalog"), ("Members", "/members")]),
];

/// The marks that pages refer to, and the hatching of what nobody looked at.
const SPRITE: &str = include_str!("../assets/sprite.svg");

fn theme_switch(visit: &Visit<'_>) -> Markup {
    html! { form.theme method="post" action="/theme" {
        (visit.form_token())
        input type="hidden" name="back" value=(visit.with(&[("page", visit.word("page").unwrap_or(""))]));
        @for (value, name) in [("system", "System"), ("light", "Light"), ("dark", "Dark")] {
            button name="theme" value=(value) title=(format!("Colours: {name}")) aria-pressed=(if visit.theme.unwrap_or("system") == value { "true" } else { "false" }) {
                svg.ico aria-hidden="true" focusable="false" { use href=(format!("#i-{value}")) {} }
                span.vh { "Colours: " (name) }
            }
        }
    } }
}

fn navigation(visit: &Visit<'_>) -> Markup {
    let site = visit.site;
    let here =
        |path: &str| visit.path == path || (path != "/" && visit.path.starts_with(&format!("{path}/")));
    html! { nav.side id="nav" aria-label="Main" { div {
        a.btn.tiny.close href="#main" { "Close" }
        a.brand href="/" { svg aria-hidden="true" focusable="false" { use href="#i-tick" {} } "Tickmark" }
        @if !site.config().organisation.is_empty() { p.org { b { (theirs(&site.config().organisation)) } } }
        @for (group, places) in PLACES {
            h2 id=(format!("nav-{}", group.to_lowercase())) { (group) }
            ul.n-l aria-labelledby=(format!("nav-{}", group.to_lowercase())) { @for (name, path) in places {
                li { a href=(visit.to(&pieces(path))) aria-current=[here(path).then_some(if visit.path == *path { "page" } else { "true" })] { (name) } }
            } }
        }
    } } }
}

fn pieces(path: &str) -> Vec<&str> {
    path.split('/').filter(|piece| !piece.is_empty()).collect()
}

/// A page in its frame.
pub(crate) fn framed(visit: &Visit<'_>, sheet: &Sheet) -> Markup {
    let site = visit.site;
    html! { (DOCTYPE) html lang="en" data-theme=[visit.theme] {
        (head(site, &sheet.title))
        body {
            a.skip href="#main" { "Skip to content" }
            (PreEscaped(SPRITE))
            (navigation(visit))
            header.top {
                a.btn.tiny.menu href="#nav" { "Menu" }
                nav aria-label="Breadcrumb" { ol.crumbs {
                    @for (name, to) in &sheet.way { li { a href=(to) { (theirs(name)) } } }
                    li aria-current="page" { (theirs(&sheet.title)) }
                } }
                form role="search" aria-label="Site" action="/search" { div.search {
                    svg.ico aria-hidden="true" focusable="false" { use href="#i-find" {} }
                    label.vh for="q" { "Search everything" }
                    input id="q" name="q" type="search" placeholder="Search or jump to" autocomplete="off";
                    kbd { "Ctrl K" }
                } }
                (theme_switch(visit))
                @if let Some(who) = &visit.who {
                    a.who href="/sessions" { (theirs(&who.name)) }
                    form method="post" action="/sign-out" { (visit.form_token()) button.btn.tiny { "Sign out" } }
                }
            }
            main id="main" tabindex="-1" class=[sheet.wide.then_some("wide")] {
                (banner(site))
                (sheet.main)
                (same_as(visit, sheet))
            }
            (foot(visit, sheet))
            p.vh id="say" role="status" {}
            (keys())
        }
    } }
}

fn head(site: &Site, title: &str) -> Markup {
    let company = &site.config().organisation;
    html! { head {
        meta charset="utf-8";
        meta name="viewport" content="width=device-width, initial-scale=1";
        title { (title) @if !company.is_empty() { " · " (company) } " · Tickmark" }
        link rel="icon" type="image/svg+xml" href=(assets::address("icon.svg"));
        link rel="stylesheet" href=(assets::address("style.css"));
        script src=(assets::address("app.js")) defer {}
    } }
}

fn banner(site: &Site) -> Markup {
    html! { @if let Some(demo) = site.demo() {
        p.banner { b { "Demo." } " A simulated company, of which nothing is real. Its clock stands at "
            (demo.today.date_in(&site.zone())) " " (demo.today.clock_in(&site.zone())) "."
            code { "tickmark demo --remove" } }
    } }
}

/// The same page in other forms: the last thing on every page.
fn same_as(visit: &Visit<'_>, sheet: &Sheet) -> Markup {
    html! { @if sheet.json || sheet.csv || !sheet.command.is_empty() { div.as {
        span { "This page"
            @if sheet.json { " " a href=(visit.as_form(".json")) { "as JSON" } }
            @if sheet.csv { @if sheet.json { " ·" } " " a href=(visit.as_form(".csv")) { "as CSV" } }
            @if !sheet.command.is_empty() { @if sheet.json || sheet.csv { " · or" } " as a command:" }
        }
        @if !sheet.command.is_empty() { (command("cmd", &sheet.command)) }
    } } }
}

fn foot(visit: &Visit<'_>, sheet: &Sheet) -> Markup {
    let site = visit.site;
    html! { footer.foot {
        @match sheet.of {
            Some((position, at)) => span {
                "Facts up to " (visit.time(at)) " (" (site.zone()) "), as known at ledger entry "
                a href=(visit.to(&["ledger"])) { (crate::parts::count(usize::try_from(position).unwrap_or(usize::MAX))) }
                @if position < site.position() { "; " (site.position() - position) " newer entries are being worked in" }
            },
            None => span { "Ledger entry " a href=(visit.to(&["ledger"])) { (site.position()) } },
        }
        span { (MADE_BY) }
        span { "Request " code { (visit.id) } }
    } }
}

fn keys() -> Markup {
    let all: [(&[&str], &str); 6] = [
        (&["Ctrl K"], "Search or jump to"),
        (&["/"], "Filter this list"),
        (&["j", "k"], "Next row, row before"),
        (&["Enter"], "Open the row"),
        (&["x", "K", "R"], "Of a review: choose the line, keep, revoke"),
        (&["?"], "This list"),
    ];
    html! { dialog id="keys" aria-labelledby="keys-h" {
        h2 id="keys-h" { "Keys" }
        dl.kv { @for (keys, says) in all {
            dt { @for key in keys { kbd { (key) } " " } } dd { (says) }
        } }
        form method="dialog" { button.btn { "Close" } }
    } }
}

/// A page without navigation: for whoever is not in yet, and for errors.
pub(crate) fn alone(site: &Site, theme: Option<&str>, title: &str, main: &Markup) -> Markup {
    html! { (DOCTYPE) html lang="en" data-theme=[theme] {
        (head(site, title))
        body.solo {
            a.skip href="#main" { "Skip to content" }
            (PreEscaped(SPRITE))
            main id="main" tabindex="-1" {
                a.brand href="/" { svg aria-hidden="true" focusable="false" { use href="#i-tick" {} } "Tickmark" }
                (banner(site))
                (main)
            }
            footer.foot { span { (MADE_BY) } }
            p.vh id="say" role="status" {}
        }
    } }
}

/// What cannot be answered, as a page.
pub(crate) fn fault(site: &Site, theme: Option<&str>, fault: &Fault, request: &str) -> Markup {
    let title = fault.status.canonical_reason().unwrap_or("Error");
    let main = html! {
        p.over { (fault.status.as_u16()) " · " code { (fault.code) } }
        h1 { (theirs(&fault.cause)) }
        p.sub { "What to do: " (theirs(&fault.fix)) "." }
        p.mt { a.btn href="/" { "Go to the first page" } }
        p.dim.small.mt { "Request " code { (request) } ": name it when you ask somebody about this." }
    };
    alone(site, theme, title, &main)
}
