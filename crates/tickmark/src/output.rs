//! Printing: results to standard output, everything about the run to standard error, colour only on a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use model::{Conclusion, Verdict};

use crate::failure::Failure;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// What stands before every result of a demo.
static BANNER: OnceLock<String> = OnceLock::new();
static SHOWN: AtomicBool = AtomicBool::new(false);
/// Where results go while the program itself runs a command.
static KEPT: Mutex<Option<Vec<u8>>> = Mutex::new(None);

/// From now on every result says that it is of a demo.
pub(crate) fn of_a_demo(banner: String) {
    // Said twice, it is the same.
    let _ = BANNER.set(banner);
}

pub(crate) fn is_of_a_demo() -> bool {
    BANNER.get().is_some()
}

/// The banner, once, before whatever else is printed; nothing where this is no demo.
pub(crate) fn banner() -> Result<(), Failure> {
    match BANNER.get() {
        Some(text) if !SHOWN.swap(true, Ordering::Relaxed) => {
            finished(writeln!(anstream::stdout(), "{BOLD}{text}{BOLD:#}"))
        }
        _ => Ok(()),
    }
}

/// The banner, once, beside a result that consists of exact bytes.
pub(crate) fn banner_aside() {
    if let Some(text) = BANNER.get().filter(|_| !SHOWN.swap(true, Ordering::Relaxed)) {
        note(text);
    }
}

/// Runs something and gives what it would have printed as its result.
pub(crate) fn kept<T>(run: impl FnOnce() -> Result<T, Failure>) -> Result<String, Failure> {
    let keep = |what| KEPT.lock().map_or(None, |mut kept| std::mem::replace(&mut *kept, what));
    keep(Some(vec![]));
    let ran = run();
    let bytes = keep(None).unwrap_or_default();
    ran?;
    String::from_utf8(bytes).map_err(Failure::of)
}

fn is_kept() -> bool {
    KEPT.lock().is_ok_and(|kept| kept.is_some())
}

/// Keeps what is printed, where it is kept.
fn keep(print: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> Option<Result<(), Failure>> {
    let mut kept = KEPT.lock().ok()?;
    kept.as_mut().map(|kept| print(kept).map_err(Failure::of))
}

/// A line of the result.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    if let Some(done) = keep(|kept| writeln!(kept, "{text}")) {
        return done;
    }
    banner()?;
    finished(writeln!(anstream::stdout(), "{text}"))
}

fn finished(written: std::io::Result<()>) -> Result<(), Failure> {
    written.or_else(|e| match e.kind() {
        // `tickmark … | head` is no failure.
        std::io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Failure::of(e)),
    })
}

/// What an answer says that nobody knows, under its own heading; nothing when all is known.
pub(crate) fn not_known(unknown: &[String]) -> Result<(), Failure> {
    if !unknown.is_empty() {
        line("")?;
        line(&styled(BOLD, "Not known"))?;
    }
    unknown.iter().try_for_each(|what| line(&format!("  {}", plain(what))))
}

/// The result as one JSON document. It may be large and holds no colour: it goes out as it is made.
pub(crate) fn document(value: &impl serde::Serialize) -> Result<(), Failure> {
    if let Some(done) = keep(|kept| Ok(serde_json::to_writer_pretty(kept, value)?)) {
        return done;
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let written = if is_of_a_demo() {
        serde_json::to_value(value).and_then(|value| serde_json::to_writer_pretty(&mut out, &marked(value)))
    } else {
        serde_json::to_writer_pretty(&mut out, value)
    };
    let written = written.map_err(std::io::Error::from);
    finished(written.and_then(|()| writeln!(out)).and_then(|()| out.flush()))
}

/// A document of a demo: it says so in a field of its own, and a list in each of its members.
pub(crate) fn marked(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Json::Object(mut fields) => {
            fields.insert("demo".to_owned(), true.into());
            Json::Object(fields)
        }
        Json::Array(members) => Json::Array(members.into_iter().map(marked).collect()),
        other => other,
    }
}

/// A remark about the run. Nobody may be listening.
pub(crate) fn note(text: &str) {
    if is_kept() {
        return;
    }
    let _ = writeln!(anstream::stderr(), "{DIM}{text}{DIM:#}");
}

/// A failure, with its way out.
pub(crate) fn error(failure: Failure) {
    // A path in two halves can be neither copied nor searched for: only a terminal gets lines broken, between words.
    let wrap = std::io::stderr().is_terminal();
    let handler = move || miette::MietteHandlerOpts::new().wrap_lines(wrap).break_words(false).build();
    // It is the only hook there is; should one be set already, that one prints.
    let _ = miette::set_hook(Box::new(move |_| Box::new(handler())));
    let report = miette::Report::new(failure);
    let _ = writeln!(anstream::stderr(), "{report:?}");
}

/// Text in a style.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Colour of a verdict. Green is scarce: it means tested and held.
pub(crate) fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Pass => AnsiColor::Green.on_default(),
        Verdict::Deviation => AnsiColor::Red.on_default(),
        Verdict::NeedsJudgement => AnsiColor::Magenta.on_default(),
        Verdict::NoEvidence => AnsiColor::Yellow.on_default(),
        Verdict::NotYetDue | Verdict::NotApplicable => DIM,
    }
}

pub(crate) fn conclusion_style(conclusion: Conclusion) -> Style {
    match conclusion {
        Conclusion::NoExceptions => AnsiColor::Green.on_default().bold(),
        Conclusion::ExceptionsNoted => AnsiColor::Red.on_default().bold(),
        Conclusion::CannotConclude => AnsiColor::Yellow.on_default().bold(),
        Conclusion::DidNotOperate => BOLD,
    }
}

/// Text that others wrote, for one line of a terminal: what would steer it (colours, titles, other directions of writing) is
/// shown as a replacement character.
pub(crate) fn plain(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A word as people say it.
pub(crate) fn spoken(word: &str) -> String {
    word.replace('_', " ")
}

/// A spinner on a terminal; nothing elsewhere.
pub(crate) fn progress(text: &'static str) -> ProgressBar {
    if is_kept() || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {pos}") {
        bar.set_style(style);
    }
    bar.set_message(text);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Rows with aligned columns, two spaces apart; the last column is not padded.
pub(crate) fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|c| rows.iter().filter_map(|r| r.get(c)).map(|t| t.chars().count()).max().unwrap_or(0))
        .collect();
    rows.iter()
        .map(|row| {
            let mut text = String::new();
            for (at, cell) in row.iter().enumerate() {
                text.push_str(cell);
                if at + 1 < row.len() {
                    let pad = widths[at].saturating_sub(cell.chars().count()) + 2;
                    text.extend(std::iter::repeat_n(' ', pad));
                }
            }
            text
        })
        .collect()
}
