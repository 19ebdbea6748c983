//! Registers: what people write down by hand, in lists, one by one with every version, and the forms for it.

use app::{Action, Reach, Refused, Register, RegisterRow, RegisterValue, RegisterVersion, register_of};
use maud::{Markup, html};
use model::{Column, ColumnType, Table};
use serde_json::{Value as Json, json};

use crate::acts::{self, Input, Kind, Told, input};
use crate::answer::{Answer, Page};
use crate::csv::Csv;
use crate::fault::Fault;
use crate::parts::{self, count, many, spoken, theirs};
use crate::visit::Visit;

/// Rows of a page.
const PAGE: usize = 50;
/// Columns of a list, besides the key; the page of a row has all of them.
const SHOWN: usize = 4;

/// A register that whoever asks may look at, with its table.
fn named(visit: &Visit<'_>) -> Result<(Register, Table), Fault> {
    let name = visit.name("table");
    let unknown = || Fault::unknown("register", name, "look at the list of registers");
    let workspace = visit.site.workspace();
    let register = register_of(&workspace.catalog, name).ok_or_else(unknown)?;
    let table = workspace.catalog.table(name).cloned().ok_or_else(unknown)?;
    drop(workspace);
    if visit.reads(register.resource) == Some(Reach::Every) {
        Ok((register, table))
    } else {
        Err(Refused::NotAllowed { action: Action::Read, resource: register.resource }.into())
    }
}

/// Whether whoever looks may write in a register. Of a table as a whole nothing is anybody's own.
fn may_write(visit: &Visit<'_>, register: &Register) -> bool {
    visit.who.as_ref().and_then(|who| who.reach(Action::Enter, register.resource)) == Some(Reach::Every)
}

/// What a table or a column is called.
fn called(name: &str) -> String {
    spoken(name.strip_suffix("_at").unwrap_or(name))
}

pub(crate) fn list(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let mut all = app::registers(&visit.site.workspace().catalog);
    all.retain(|register| visit.reads(register.resource) == Some(Reach::Every));
    let found = |r: &&Register| parts::finds(visit, &[&r.table, &called(&r.table), &r.doc, r.group]);
    let listed: Vec<&Register> = all.iter().filter(found).collect();
    let mut groups: Vec<&str> = listed.iter().map(|r| r.group).collect();
    groups.dedup();
    Page::new(visit, "Registers")
        .command("tickmark catalog tables")
        .json(|| json!({ "registers": listed }))
        .csv(|| {
            let mut csv = Csv::new(["register", "about", "doc"]);
            for r in &listed {
                csv.row([r.table.clone(), r.group.to_owned(), r.doc.clone()]);
            }
            csv
        })
        .show(|| {
            html! {
                (parts::head("Registers", &html! { "What people write down" }, &html! { p { "Each row is a decision in the ledger, with who and why. Sources feed many of these tables, too: what a source says outweighs what is written by hand." } }, &html! {}))
                (parts::filter_field(visit, "Filter registers"))
                p.bar role="status" { (count(listed.len())) " of " (many(all.len(), "register", "registers")) }
                @if listed.is_empty() { (parts::empty("No register is left under this filter.", "Clear it to see all of them.", Some(("Clear the filter", &visit.to(&["registers"]))), None)) }
                @for (at, group) in groups.iter().enumerate() { section aria-labelledby=(format!("h-{at}")) {
                    div.sh { h2 id=(format!("h-{at}")) { (group) } }
                    ul.list.small { @for r in listed.iter().filter(|r| r.group == *group) { li { span.b { a href=(visit.to(&["registers", &r.table])) { (called(&r.table)) } " " span.dim { (r.doc) } } } } }
                } }
            }
        })
}

/// A row with its columns by their names.
fn document(table: &Table, row: &RegisterRow) -> Json {
    let values = table.columns.iter().zip(&row.values);
    let values = values.map(|(column, value)| (column.name.clone(), json!(value.as_ref().map(|v| &v.text))));
    let values: serde_json::Map<String, Json> = values.collect();
    json!({ "key": row.key, "within": row.within, "entry": row.entry, "at": row.at, "grade": row.grade, "values": values })
}

fn value(visit: &Visit<'_>, column: &Column, value: Option<&RegisterValue>) -> Markup {
    html! { @match value {
        None => span.dim { "not known" },
        Some(value) => @match value.at {
            Some(_) if value.text == "forever" => "open end",
            Some(at) => (visit.time(at)),
            None => {
                @if column.words.is_empty() { (theirs(&value.text)) } @else { (spoken(&value.text)) }
                // Of people here the system goes without saying.
                @if let Some(of) = value.of.as_deref().filter(|of| column.kind == ColumnType::Account && *of != app::HERE) { " " span.dim { "in " (theirs(of)) } }
            },
        },
    } }
}

pub(crate) fn table(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let (register, table) = named(visit)?;
    let (all, more) = visit.site.workspace().register_rows(&register.table)?;
    let found = |row: &&RegisterRow| {
        let mut texts = vec![row.key.as_str()];
        texts.extend(row.values.iter().flatten().map(|value| value.text.as_str()));
        parts::finds(visit, &texts)
    };
    let listed: Vec<&RegisterRow> = all.iter().filter(found).collect();
    let pages = listed.len().div_ceil(PAGE).max(1);
    let page = visit.page().min(pages);
    let shown = listed.iter().skip((page - 1) * PAGE).take(PAGE);
    let columns: Vec<(usize, &Column)> = table.columns.iter().enumerate().take(SHOWN).collect();
    let title = called(&register.table);
    Page::new(visit, title.clone())
        .below("Registers", &["registers"])
        .command(format!("tickmark record list {}", register.table))
        .json(|| {
            let rows: Vec<Json> = listed.iter().map(|row| document(&table, row)).collect();
            json!({ "register": register, "rows": rows, "more": more })
        })
        .csv(|| {
            let names = table.columns.iter().map(|c| c.name.as_str());
            let names = ["key", "within"].into_iter().chain(names).chain(["entry", "grade"]);
            let mut csv = Csv::of(names.map(str::to_owned).collect());
            for row in &listed {
                let mut cells = vec![row.key.clone(), row.within.clone().unwrap_or_default()];
                cells.extend(row.values.iter().map(|v| v.as_ref().map_or(String::new(), |v| v.text.clone())));
                cells.extend([row.entry.to_string(), row.grade.to_owned()]);
                csv.row_of(cells);
            }
            csv
        })
        .wide()
        .show(|| {
            html! {
                (parts::head(&format!("Register · {}", register.group), &html! { (title) ": " (many(all.len(), "row", "rows")) }, &html! { p { (register.doc) } },
                    &html! { @if may_write(visit, &register) { a.btn.pri href=(visit.to(&["enter", &register.table])) { "Add a row" } } }))
                @if more { p.note { "There are more than " (count(app::REGISTER_ROWS)) " rows; the first of them are here. Ask for the others in SQL." } }
                (parts::filter_field(visit, "Filter rows"))
                p.bar role="status" { (count(listed.len())) " of " (many(all.len(), "row", "rows")) }
                @if all.is_empty() { (parts::empty("Nothing is written down here.", "That is no statement about the world: nobody may have looked.", None, Some(&format!("tickmark record add {} key=… --reason …", register.table)))) }
                @else if listed.is_empty() { (parts::empty("No row is left under this filter.", "Clear it to see all of them.", Some(("Clear the filter", &visit.to(&["registers", &register.table]))), None)) }
                @else { table.stack data-rows="open" { caption.vh { "Rows of " (title) }
                    thead { tr { th scope="col" { "Key" } @for (_, c) in &columns { th scope="col" { (called(&c.name)) } } th scope="col" { "Entry" } } }
                    tbody { @for row in shown { tr data-row {
                        th scope="row" { a href=(visit.to(&["registers", &register.table, &row.key])) { (theirs(&row.key)) } @if let Some(within) = &row.within { br; span.dim { (theirs(within)) } } }
                        @for (at, c) in &columns { td.il data-l=(called(&c.name)) { (value(visit, c, row.values.get(*at).and_then(Option::as_ref))) } }
                        td.il data-l="entry" { (parts::entry(visit, row.entry)) " " span.tag { (row.grade) } }
                    } } }
                } (parts::pages(visit, page, pages)) }
            }
        })
}

/// What is known of the key that the address names.
fn known(visit: &Visit<'_>, register: &Register) -> Result<Vec<RegisterRow>, Fault> {
    Ok(visit.site.workspace().register_row(&register.table, visit.name("key"))?)
}

pub(crate) fn detail(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let (register, table) = named(visit)?;
    let key = visit.name("key");
    let rows = known(visit, &register)?;
    let versions = visit.site.workspace().register_history(&register.table, key)?;
    if rows.is_empty() && versions.is_empty() {
        return Err(Fault::unknown("row", key, "the register lists every one there is"));
    }
    let title = called(&register.table);
    Page::new(visit, key)
        .below("Registers", &["registers"])
        .below(title.clone(), &["registers", &register.table])
        .command(format!("tickmark record list {}", register.table))
        .json(|| {
            let rows: Vec<Json> = rows.iter().map(|row| document(&table, row)).collect();
            json!({ "register": register, "rows": rows, "history": versions })
        })
        .show(|| {
            html! {
                (parts::head(&format!("{} · {title}", register.group), &html! { (theirs(key)) }, &html! { p { (register.doc) } },
                    &html! { @if may_write(visit, &register) { a.btn.pri href=(visit.to(&["enter", &register.table, key])) { "Change it" } } }))
                @if rows.is_empty() { p.note { "Nothing is known of it any more: what was written was erased, or could not be read." } }
                div.cols {
                    section aria-labelledby="h-now" { div.sh { h2 id="h-now" { "As it is known now" } @if rows.len() > 1 { p { "one for each stretch of time, or for each place where the key means something" } } }
                        @for row in &rows { dl.kv.mt {
                            @for (at, column) in table.columns.iter().enumerate() { dt { (called(&column.name)) } dd { (value(visit, column, row.values.get(at).and_then(Option::as_ref))) } }
                            @if let Some(within) = &row.within { dt { "Within" } dd { (theirs(within)) } }
                            dt { "Known by" } dd { (parts::entry(visit, row.entry)) ", " (visit.time(row.at)) " " span.tag { (row.grade) } }
                        } }
                    }
                    section aria-labelledby="h-history" { div.sh { h2 id="h-history" { "What was entered by hand" } p { "newest first" } }
                        @if versions.is_empty() { p.sub { "Nobody wrote anything here: a source or a file brought it." } }
                        @else { ol.tl { @for version in versions.iter().rev() { li { (entered(visit, version)) } } } }
                    }
                }
            }
        })
}

/// One version: what was said, when, by whom and why.
fn entered(visit: &Visit<'_>, version: &RegisterVersion) -> Markup {
    let entry = i64::try_from(version.entry).unwrap_or(i64::MAX);
    html! {
        b { @match &version.reason { Some(reason) => (theirs(reason)), None => "no reason is given" } } br;
        @for (at, (name, text)) in version.said.iter().enumerate() { @if at > 0 { ", " } (called(name)) ": " (theirs(text)) }
        br; span.dim { (visit.time(version.at)) ", " @match &version.by { Some(by) => (theirs(by)), None => "nobody is named" } ", " (parts::entry(visit, entry)) }
    }
}

// ---- the form ----

/// Names of the fields of a column: what it is; its system or kind; what its key is unique within; the exact instant that stood there.
fn fields(column: &str) -> [String; 4] {
    ["c-", "s-", "w-", "x-"].map(|before| format!("{before}{column}"))
}

/// An instant as a form has it: in the workspace's zone.
fn moment(visit: &Visit<'_>, value: &RegisterValue) -> String {
    let zone = visit.site.zone();
    match value.at {
        Some(at) if value.text != "forever" => format!("{}T{}", at.date_in(&zone), at.clock_in(&zone)),
        _ => value.text.clone(),
    }
}

fn column_inputs(visit: &Visit<'_>, told: &Told, column: &Column, now: Option<&RegisterValue>) -> Markup {
    let [name, of, within, exact] = fields(&column.name);
    let label = called(&column.name);
    let text = now.map(|value| match column.kind {
        ColumnType::Instant => moment(visit, value),
        _ => value.text.clone(),
    });
    let text = text.unwrap_or_default();
    let words: Vec<(String, String)> = match column.kind {
        ColumnType::Flag => ["yes", "no"].map(|word| (word.to_owned(), spoken(word))).to_vec(),
        _ => column.words.iter().map(|word| (word.clone(), spoken(word))).collect(),
    };
    let none = Some(if column.nullable { "Not known" } else { "Choose" });
    let kind = match column.kind {
        _ if !words.is_empty() => Kind::Choice { none, of: &words },
        // An end may be open, which no clock shows.
        ColumnType::Instant if column.name == "valid_to" => Kind::Line,
        ColumnType::Instant => Kind::Moment,
        ColumnType::Integer => Kind::Number,
        ColumnType::Text if column.name == "label" => Kind::Line,
        ColumnType::Text if text.len() > 60 => Kind::Text,
        _ => Kind::Line,
    };
    let zone = visit.site.zone();
    let hint = match column.kind {
        ColumnType::Instant if column.name == "valid_to" => {
            format!("{} In {zone}, such as 2026-03-31T17:00, or forever where its end is open.", column.doc)
        }
        ColumnType::Instant => format!("{} In {zone}.", column.doc),
        _ => column.doc.clone(),
    };
    let more = |name: &str, label: String, hint: &str, value: &str| {
        input(visit, told, Input { name, label: &label, hint, value, required: false, kind: Kind::Line })
    };
    let stood = match told {
        Told::Nothing | Told::Changed(_) => now.and_then(|value| value.at).map(|at| at.to_string()),
        _ => visit.field(&exact).map(str::to_owned),
    };
    html! {
        (input(visit, told, Input { name: &name, label: &label, hint: &hint, value: &text, required: !column.nullable, kind }))
        @match column.kind {
            ColumnType::Account => (more(&of, format!("{label}: system"), "Where the account is; people here decide in tickmark.", now.and_then(|v| v.of.as_deref()).unwrap_or(app::HERE))),
            ColumnType::Entity => {
                (more(&of, format!("{label}: kind"), "What it is, such as vendor, system or risk.", now.and_then(|v| v.of.as_deref()).unwrap_or(&column.name)))
                @if let Some(value) = now.and_then(|v| v.within.as_deref()) { (more(&within, format!("{label}: within"), "What its key is unique within.", value)) }
            },
            ColumnType::Instant => { @if let Some(stood) = stood { input type="hidden" name=(exact) value=(stood); } },
            _ => {},
        }
    }
}

/// What was entered, as it would be typed at the command line.
fn typed(visit: &Visit<'_>, table: &Table) -> Result<Vec<String>, Refused> {
    let mut words = vec![];
    for column in &table.columns {
        let [name, of, within, exact] = fields(&column.name);
        let Some(mut text) = visit.entered(&name) else {
            if column.nullable {
                continue;
            }
            return Err(Refused::Unfit(format!("{} is missing; write it", called(&column.name))));
        };
        let column_name = &column.name;
        match column.kind {
            ColumnType::Instant if text.eq_ignore_ascii_case("forever") => {
                words.push(format!("{column_name}.constant=forever"));
                continue;
            }
            // What stood there stays to the millisecond.
            ColumnType::Instant if visit.changed(&name).is_none() => {
                text = visit.entered(&exact).unwrap_or(text);
            }
            ColumnType::Account => {
                let system = visit.entered(&of).unwrap_or_else(|| app::HERE.to_owned());
                words.push(format!("{column_name}.system={system}"));
            }
            ColumnType::Entity => {
                let kind = visit.entered(&of).unwrap_or_else(|| column_name.clone());
                words.push(format!("{column_name}.kind={kind}"));
                words.extend(visit.entered(&within).map(|within| format!("{column_name}.scope={within}")));
            }
            _ => {}
        }
        words.push(format!("{column_name}={text}"));
    }
    Ok(words)
}

/// The page of the form: for a new row, or for another version of the one that the address names.
fn page(visit: &Visit<'_>, told: &Told) -> Result<Answer, Fault> {
    let (register, table) = named(visit)?;
    if !may_write(visit, &register) {
        return Err(Refused::NotAllowed { action: Action::Enter, resource: register.resource }.into());
    }
    let key = visit.name("key");
    let is_new = key.is_empty();
    let rows = if is_new { vec![] } else { known(visit, &register)? };
    if !is_new && rows.is_empty() {
        return Err(Fault::unknown("row", key, "the register lists every one there is"));
    }
    let row = rows.last();
    let seen = rows.iter().map(|row| row.entry).max().unwrap_or(0);
    let since: Vec<RegisterVersion> = match told {
        Told::Changed(_) => {
            let had = visit.had_seen()?;
            let all = visit.site.workspace().register_history(&register.table, key)?;
            all.into_iter().filter(|v| i64::try_from(v.entry).unwrap_or(i64::MAX) > had).collect()
        }
        _ => vec![],
    };
    let back = if is_new {
        visit.to(&["registers", &register.table])
    } else {
        visit.to(&["registers", &register.table, key])
    };
    let inputs = html! {
        @if is_new { (input(visit, told, Input { name: "key", label: "Key", hint: "What it is known by for good, such as V-12. The same key again would be the same thing.", value: "", required: true, kind: Kind::Line })) }
        @for (at, column) in table.columns.iter().enumerate() {
            (column_inputs(visit, told, column, row.and_then(|row| row.values.get(at)).and_then(Option::as_ref)))
        }
        (input(visit, told, Input { name: "why", label: "Reason", hint: "Why it is written by hand. It stands in the ledger.", value: "", required: true, kind: Kind::Text }))
    };
    let form =
        visit.form_of(told, Some(seen), &inputs, if is_new { "Add it" } else { "Change it" }, &back)?;
    let title = called(&register.table);
    let page = Page::new(visit, if is_new { format!("Add: {title}") } else { format!("Change {key}") })
        .below("Registers", &["registers"])
        .below(title.clone(), &["registers", &register.table]);
    let page = if is_new { page } else { page.below(key, &["registers", &register.table, key]) };
    page.status(told.status()).show(|| {
        html! {
            (parts::head(&format!("{} · {title}", register.group), &html! { @if is_new { "Add a row" } @else { "Change " (theirs(key)) } }, &html! { p { (register.doc) } p.sub { "What you leave empty is not known. What was said before stays in the ledger." } }, &html! {}))
            @if !since.is_empty() { section aria-labelledby="h-since" {
                div.sh { h2 id="h-since" { "Entered meanwhile" } p { "newest first" } }
                ol.tl { @for version in since.iter().rev() { li { (entered(visit, version)) } } }
            } }
            (form)
        }
    })
}

pub(crate) fn form(visit: &Visit<'_>) -> Result<Answer, Fault> {
    page(visit, &Told::Nothing)
}

pub(crate) fn enter(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let (register, table) = named(visit)?;
    let row = match visit.name("key") {
        "" => None,
        _ => known(visit, &register)?.pop(),
    };
    let is_field = |name: &str| {
        matches!(name, "why" | "key")
            || table.columns.iter().any(|c| fields(&c.name).iter().any(|f| f == name))
    };
    acts::act(
        visit,
        is_field,
        |told| page(visit, told),
        |workspace, actor, scribe| {
            let key = match visit.name("key") {
                "" => visit.entered("key").unwrap_or_default(),
                key => key.to_owned(),
            };
            let mut words = typed(visit, &table)?;
            if let Some(row) = &row {
                if row.kind != table.name {
                    words.push(format!("key.kind={}", row.kind));
                }
                words.extend(row.within.as_ref().map(|within| format!("key.scope={within}")));
            }
            let why = visit.entered("why").unwrap_or_default();
            // A form that does not say what it was filled in against is of nothing that stands.
            let seen = visit.had().unwrap_or(i64::MIN);
            workspace.enter_register_row(scribe, actor, &register.table, &key, &words, &why, seen)?;
            Ok(visit.to(&["registers", &register.table, &key]))
        },
    )
}
