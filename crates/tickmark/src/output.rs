//! Printing: results to standard output, everything about the run to standard error, colour only on a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use model::{Conclusion, Verdict};

use crate::failure::Failure;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// A line of the result.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
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
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, value).map_err(std::io::Error::from);
    finished(written.and_then(|()| writeln!(out)).and_then(|()| out.flush()))
}

/// A remark about the run. Nobody may be listening.
pub(crate) fn note(text: &str) {
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
    if !std::io::stderr().is_terminal() {
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
