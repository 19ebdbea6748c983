//! The ledger: its state and how to verify it, and every document down to its bytes and its proof.

use app::{Action, AppError, Reach, Refused, Resource};
use maud::{Markup, html};
use model::{Document, Receipt};
use serde_json::json;

use crate::answer::{Answer, Page};
use crate::fault::Fault;
use crate::parts::{self, command, count, theirs};
use crate::visit::Visit;

/// Bytes of a body that a page shows.
const SHOWN: usize = 12 * 1024;

pub(crate) fn status(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let (status, anchors) = {
        let mut workspace = visit.site.workspace();
        (workspace.status()?, workspace.anchors()?)
    };
    if let Some(entry) = visit.word("entry") {
        // The field that leads to an entry, without a script.
        return Ok(Answer::Elsewhere { to: visit.to(&["ledger", entry]), cookies: vec![] });
    }
    Page::new(visit, "Ledger")
        .command("tickmark ledger status --json")
        .json(|| json!({ "status": status, "anchors": anchors }))
        .show(|| {
            let n = |n: u64| count(usize::try_from(n).unwrap_or(usize::MAX));
            html! {
                (parts::head("Evidence ledger", &html! { (n(status.acknowledged)) " entries, " (n(status.published)) " of them under a signed checkpoint" },
                    &html! { p { "Everything that sources said and people decided, in the order in which it came. What is in it can be proven, and cannot be changed." } }, &html! {}))
                dl.facts.sec0 {
                    (parts::fact(&html! { "Acknowledged" }, &n(status.acknowledged), None, "safe on the disk"))
                    (parts::fact(&html! { "Published" }, &n(status.published), None, "under the checkpoint"))
                    (parts::fact(&html! { "In the records" }, &n(status.applied), None, &format!("generation {}", status.generation)))
                }
                section aria-labelledby="h-anchor" { div.sh { h2 id="h-anchor" { "Anchors" } p { "somebody outside who saw it" } }
                    @match (&anchors.external, &anchors.own) {
                        (Some(a), _) => p { "The first " (n(a.size)) " entries were " @match &a.witness { Some(name) => { "cosigned by the witness " (theirs(name)) }, None => "stamped by a time-stamp authority" } " at " (visit.time(a.time)) "." },
                        (None, Some(a)) => p.note { "Only by ourselves: the first " (n(a.size)) " entries, at " (visit.time(a.time)) ". It proves the format, not the time." },
                        (None, None) => { p.note { "No anchor outside this machine: whoever has the key could have written all of it at once." } (command("anchor", "tickmark ledger anchor")) },
                    } }
                section aria-labelledby="h-check" { div.sh { h2 id="h-check" { "Verify it" } p { "from the bytes alone, here or with tools that nobody here wrote" } }
                    (command("verify", "tickmark verify"))
                    h3.mt { "The signed checkpoint" } pre tabindex="0" { (status.checkpoint) }
                    h3.mt { "The key that signs it" } pre tabindex="0" { (status.vkey) } }
                section aria-labelledby="h-entry" { div.sh { h2 id="h-entry" { "Look at an entry" } }
                    form.facets method="get" { label for="entry" { "Number" } input.in.find id="entry" name="entry" inputmode="numeric" pattern="[0-9]+" required; button.btn { "Show" } }
                    @if status.acknowledged > 0 { p.sub { "From " a href=(visit.to(&["ledger", "0"])) { "0" } " to " a href=(visit.to(&["ledger", &(status.acknowledged - 1).to_string()])) { (status.acknowledged - 1) } "." } }
                }
            }
        })
}

/// The document of the entry that the address names.
fn read(visit: &Visit<'_>) -> Result<(u64, Vec<u8>), Fault> {
    let entry = visit.number("entry")?;
    // Whose own something is shows where it is judged, not here.
    if visit.reads(Resource::Evidence) != Some(Reach::Every) {
        return Err(Refused::NotAllowed { action: Action::Read, resource: Resource::Evidence }.into());
    }
    let workspace = visit.site.workspace();
    if entry >= workspace.size() {
        return Err(none(visit));
    }
    let document = workspace.document(entry).map_err(|error| gone(&error))?;
    Ok((entry, document))
}

fn none(visit: &Visit<'_>) -> Fault {
    Fault::unknown("entry", visit.name("entry"), "the page of the ledger says how many there are")
}

/// What was erased is gone for good; anything else that keeps a document from being read is ours to mend.
fn gone(error: &AppError) -> Fault {
    let fault = Fault::asked(error);
    if fault.cause.contains("erased") {
        return Fault { status: axum::http::StatusCode::GONE, code: "erased", ..fault };
    }
    Fault { status: axum::http::StatusCode::INTERNAL_SERVER_ERROR, code: "unreadable", ..fault }
}

pub(crate) fn document(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let (entry, bytes) = read(visit)?;
    let (proof, size) = {
        let workspace = visit.site.workspace();
        (workspace.proof(entry).ok().map(|(proof, _)| proof), workspace.size())
    };
    let parsed = Document::parse(&bytes);
    let number = entry.to_string();
    Page::new(visit, format!("Entry {entry}"))
        .below("Ledger", &["ledger"])
        .command(format!("tickmark ledger show {entry}"))
        .json(|| json!({ "entry": entry, "receipt": parsed.as_ref().ok().map(|d| &d.receipt), "bytes": bytes.len(), "proof": proof }))
        .show(|| {
            html! {
                (parts::head("Evidence ledger", &html! { "Entry " (count(usize::try_from(entry).unwrap_or(usize::MAX))) @if let Ok(d) = &parsed { ": " (theirs(&d.receipt.stream)) " of " (theirs(&d.receipt.source)) } },
                    &html! { p { (count(bytes.len())) " bytes: one line that says how they were asked for, then what was answered" } }, &html! {}))
                p.facets { a.btn href=(visit.to(&["ledger", &number, "bytes"])) { "Its bytes" }
                    @if proof.is_some() { a.btn href=(visit.to(&["ledger", &number, "proof"])) { "Its proof" } a.btn href=(visit.to(&["ledger", &number, "leaf"])) { "Its leaf" } }
                    @if entry > 0 { a.btn href=(visit.to(&["ledger", &(entry - 1).to_string()])) { "The entry before" } }
                    @if entry + 1 < size { a.btn href=(visit.to(&["ledger", &(entry + 1).to_string()])) { "The next entry" } } }
                @match &parsed {
                    Ok(d) => {
                        section aria-labelledby="h-receipt" { div.sh { h2 id="h-receipt" { "How it came" } } (receipt(visit, &d.receipt)) }
                        section aria-labelledby="h-body" { div.sh { h2 id="h-body" { "What was said" } } (preview(d.body, None)) }
                    },
                    Err(error) => { p.note { (error) } (preview(&bytes, None)) },
                }
                section aria-labelledby="h-proof" { div.sh { h2 id="h-proof" { "The proof that it stands in the log" } }
                    @match &proof {
                        Some(proof) => { pre tabindex="0" { (proof) } p.sub { "Verify it with the leaf and the key of the log: docs/ledger-format.md says how, with tools that nobody here wrote." } (command("proof", &format!("tickmark ledger proof {entry} --out DIR"))) },
                        None => p.sub { "It is acknowledged, and not yet under a checkpoint: there is no proof until the next one." },
                    } }
            }
        })
}

pub(crate) fn bytes(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let (entry, bytes) = read(visit)?;
    Ok(Answer::File { name: format!("{entry}.document"), bytes })
}

pub(crate) fn proof(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let (entry, (proof, _)) = proven(visit)?;
    Ok(Answer::File { name: format!("{entry}.tlog-proof"), bytes: proof.into_bytes() })
}

pub(crate) fn leaf(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let (entry, (_, leaf)) = proven(visit)?;
    Ok(Answer::File { name: format!("{entry}.leaf"), bytes: leaf })
}

fn proven(visit: &Visit<'_>) -> Result<(u64, (String, Vec<u8>)), Fault> {
    let entry = visit.number("entry")?;
    let workspace = visit.site.workspace();
    if entry >= workspace.size() {
        return Err(none(visit));
    }
    Ok((entry, workspace.proof(entry)?))
}

/// How bytes were asked for, and when.
pub(crate) fn receipt(visit: &Visit<'_>, r: &Receipt) -> Markup {
    html! { dl.kv.mt8 {
        dt { "Source" } dd { (theirs(&r.source)) ", stream " code { (theirs(&r.stream)) } }
        dt { "Observed" } dd { (visit.time(r.collected_at)) " by " code { (theirs(&r.collector)) } }
        dt { "Asked" } dd { code { (theirs(&r.request)) } @if let Some(status) = r.status { ", answered with " (status) } }
        dt { "Media type" } dd { (theirs(&r.media_type)) }
        @if let Some(c) = &r.coverage { dt { "Looked at" } dd { (theirs(&serde_json::to_string(c).unwrap_or_default())) } }
        @if !r.redacted.is_empty() { dt { "Removed before storing" } dd { (theirs(&r.redacted.join(", "))) } }
    } }
}

/// The beginning of a body, or the part around `needle`, with the place of each line in it.
pub(crate) fn preview(body: &[u8], needle: Option<&str>) -> Markup {
    let found = needle.filter(|n| !n.is_empty()).and_then(|n| position(body, n.as_bytes()));
    let from = found.map_or(0, |at| at.saturating_sub(SHOWN / 4));
    // From the beginning of a line on.
    let from =
        body[..from].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1).max(from.saturating_sub(400));
    let to = (from + SHOWN).min(body.len());
    let part = &body[from..to];
    let Some(text) = readable(part) else { return html! { (dump(part, from)) (cut(from, to, body.len())) } };
    let mut at = from;
    let lines = text.split_inclusive('\n').map(|line| {
        let here = at;
        at += line.len();
        (here, line)
    });
    html! { pre.bytes tabindex="0" { @for (here, line) in lines {
        span.o { (format!("{here:>8}  ")) }
        (marked(line, needle))
    } @if !text.ends_with('\n') { "\n" } } (cut(from, to, body.len())) }
}

/// The bytes as text, where they are some: what an end cuts through is left out.
fn readable(bytes: &[u8]) -> Option<&str> {
    if bytes.contains(&0) {
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(e) if e.valid_up_to() + 4 > bytes.len() => std::str::from_utf8(&bytes[..e.valid_up_to()]).ok(),
        Err(_) => None,
    }
}

fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn marked(line: &str, needle: Option<&str>) -> Markup {
    match needle.filter(|n| !n.is_empty()).and_then(|n| line.split_once(n).map(|(a, b)| (a, n, b))) {
        Some((before, found, after)) => html! { (before) mark { (found) } (after) },
        None => html! { (line) },
    }
}

/// Bytes that are no text, sixteen a line.
fn dump(bytes: &[u8], from: usize) -> Markup {
    const LINES: usize = 64;
    html! { pre.bytes tabindex="0" { @for (at, line) in bytes.chunks(16).take(LINES).enumerate() {
        span.o { (format!("{:>8}  ", from + at * 16)) }
        @for byte in line { (format!("{byte:02x} ")) }
        "\n"
    } } }
}

fn cut(from: usize, to: usize, of: usize) -> Markup {
    html! { @if from > 0 || to < of { p.dim.small { "Bytes " (count(from)) " to " (count(to)) " of " (count(of)) "; the file of its bytes has all of them." } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_are_shown_and_none_of_them_runs() {
        let of = |body: &[u8], needle: Option<&str>| preview(body, needle).into_string();
        let script = of(b"<script>alert(1)</script>\nkey42\n", Some("key42"));
        assert!(script.contains("&lt;script&gt;") && !script.contains("<script"), "{script}");
        assert!(script.contains("<mark>key42</mark>"), "{script}");
        assert!(of(&[0, 255, 16], None).contains("00 ff 10"));
        assert!(of(b"", None).contains("<pre"));
        // An end in the middle of a letter, and a needle far from the beginning.
        let long = format!("{}ключ\n", "ä\n".repeat(20_000));
        assert!(of(long.as_bytes(), Some("ключ")).contains("<mark>ключ</mark>"));
        assert!(of(long.as_bytes(), None).contains("of 60,009"));
    }
}
