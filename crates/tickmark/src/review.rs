//! `tickmark review`: campaigns that review who has access, line by line, from a frozen list to what became of it.

use std::process::ExitCode;

use app::{
    Actor, Fate, Looked, ReviewAsked, ReviewDecision, ReviewKind, ReviewLine, ReviewReport, Workspace,
};
use clap::{Args, Subcommand, ValueEnum};
use model::Window;

use crate::failure::Failure;
use crate::import::window;
use crate::output::{self, BOLD, aligned, line, plain, spoken, styled};
use crate::session::{Session, derive};

#[derive(Subcommand)]
pub(crate) enum ReviewCommand {
    /// Freeze who has access, and give each line to somebody whose access it is not
    Open(Box<Open>),
    /// List every review, the last one first
    List {
        /// Ledger position whose knowledge counts (default: everything)
        #[arg(long, value_name = "POSITION")]
        known_at: Option<u64>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show the lines of a review with what is known of each, and the marks by which they are decided
    Show {
        /// Its name, such as AR-17
        review: String,
        /// Only lines that this person has to decide about
        #[arg(long, value_name = "WHO")]
        mine: Option<String>,
        /// Only lines that are not decided
        #[arg(long)]
        left: bool,
        /// Only lines that are flagged
        #[arg(long)]
        flagged: bool,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Decide lines, each by the mark with which it was shown
    Decide {
        /// Its name, such as AR-17
        review: String,
        /// Marks of lines, such as 3:0a1b2c3d4e5f
        #[arg(required = true, value_name = "MARK")]
        marks: Vec<String>,
        /// What is decided
        #[arg(long, value_enum)]
        decision: Decision,
        /// Why; to keep a line that is not flagged needs no reason
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
        /// Who decides, as they were named
        #[arg(long, value_name = "WHO")]
        by: String,
    },
    /// Hand lines to somebody else, whose access they are not
    Delegate {
        /// Its name, such as AR-17
        review: String,
        /// Marks of lines, such as 3:0a1b2c3d4e5f
        #[arg(required = true, value_name = "MARK")]
        marks: Vec<String>,
        /// To whom
        #[arg(long, value_name = "WHO")]
        to: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Who hands them over, as a pseudonym
        #[arg(long, value_name = "WHO")]
        by: String,
    },
    /// Be done with a review of which every line is decided
    Complete {
        /// Its name, such as AR-17
        review: String,
        /// In this window its systems were reviewed here and nowhere else, as you say
        #[arg(long, value_name = "FROM..TO")]
        covers: Option<String>,
        /// What there is to say of it
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
        /// Who completes it, as a pseudonym
        #[arg(long, value_name = "WHO")]
        by: String,
    },
    /// Look in later grants whether what was to be removed is gone; with --by, put down what was seen
    Verify {
        /// Its name, such as AR-17
        review: String,
        /// In this window its systems were reviewed here and nowhere else, as you say
        #[arg(long, value_name = "FROM..TO", requires = "by")]
        covers: Option<String>,
        /// Who puts down what was seen, as a pseudonym
        #[arg(long, value_name = "WHO")]
        by: Option<String>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub(crate) struct Open {
    /// A system, by label or key; again for more
    #[arg(long, value_name = "NAME")]
    system: Vec<String>,
    /// What it is of
    #[arg(long, value_enum, default_value = "snapshot")]
    kind: Kind,
    /// Whose access an exit review is of
    #[arg(long, value_name = "WHO")]
    who: Option<String>,
    /// Who reviews, and after `=` which system or person; again for more. Nobody is given their own access
    #[arg(long, value_name = "WHO[=WHOM]", required = true)]
    reviewer: Vec<String>,
    /// The last day by which it has to be done, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    due: String,
    /// The end of this day is what the list is of, YYYY-MM-DD (default: now)
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Why it is held: it stands in the ledger
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who opens it, as a pseudonym
    #[arg(long, value_name = "WHO")]
    by: String,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Everybody who has access to the systems
    Snapshot,
    /// What is not as it was when it was last kept
    Differential,
    /// Everything that one person has
    Exit,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Decision {
    /// It stays as it is
    Keep,
    /// It has to become less, as the reason says
    Modify,
    /// It has to go
    Revoke,
}

impl From<Decision> for ReviewDecision {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Keep => Self::Keep,
            Decision::Modify => Self::Modify,
            Decision::Revoke => Self::Revoke,
        }
    }
}

pub(crate) fn run(session: &Session, what: &ReviewCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    let catch_up = |workspace: &mut Workspace| workspace.catch_up(&|document| derive(document, &conventions));
    catch_up(&mut workspace)?;
    let now = session.now;
    let tz = workspace.config.zone(None);
    let covered = |covers: &Option<String>| -> Result<Option<Window>, Failure> {
        covers.as_deref().map(|text| window(text, &tz, now)).transpose()
    };
    match what {
        ReviewCommand::Open(asked) => {
            let due = model::parse_date_range(&asked.due, &asked.due, &tz)?;
            let review = workspace
                .open_review(
                    &ReviewAsked {
                        kind: match asked.kind {
                            Kind::Snapshot => ReviewKind::Snapshot,
                            Kind::Differential => ReviewKind::Differential,
                            Kind::Exit => ReviewKind::Exit,
                        },
                        systems: asked.system.clone(),
                        who: asked.who.clone(),
                        reviewers: asked.reviewer.iter().map(|text| named(text)).collect(),
                        listed_at: match &asked.as_of {
                            Some(day) => crate::assess::until(now, day, &tz)?,
                            None => now,
                        },
                        due_at: due.last(),
                        reason: asked.reason.clone(),
                    },
                    Actor::Operator(&asked.by),
                    now,
                )
                .map_err(Failure::of)?;
            catch_up(&mut workspace)?;
            let report = workspace.review(&review, now)?;
            if asked.json {
                output::document(&report)?;
            } else {
                line(&opened(&report))?;
                let nobody: Vec<&ReviewLine> =
                    report.lines.iter().filter(|l| l.unassigned.is_some()).collect();
                for open in nobody {
                    let why = open.unassigned.as_deref().unwrap_or_default();
                    line(&format!(
                        "  line {} ({} in {}) was given to nobody: {}",
                        open.frozen.line,
                        plain(&open.called),
                        plain(&open.frozen.system),
                        plain(why)
                    ))?;
                }
                output::not_known(&report.not_known)?;
            }
        }
        ReviewCommand::List { known_at, json } => {
            let reviews = workspace.reviews(*known_at, now)?;
            if *json {
                output::document(&reviews)?;
            } else {
                list(&reviews, &tz)?;
            }
        }
        ReviewCommand::Show { review, mine, left, flagged, json } => {
            let mut report = match mine {
                None => workspace.review(review, now)?,
                Some(who) => {
                    let (mut report, own) = workspace.review_of(review, Actor::Operator(who), now)?;
                    report.lines.retain(|l| own.contains(&l.frozen.line));
                    report
                }
            };
            report
                .lines
                .retain(|l| !(*left && l.decision.is_some() || *flagged && l.frozen.flags.is_empty()));
            if *json {
                output::document(&report)?;
            } else {
                show(&report, &tz)?;
            }
        }
        ReviewCommand::Decide { review, marks, decision, reason, by } => {
            let entry = workspace
                .decide_review(review, marks, (*decision).into(), reason, Actor::Operator(by), now)
                .map_err(Failure::of)?;
            catch_up(&mut workspace)?;
            let report = workspace.review(review, now)?;
            line(&format!(
                "decided in ledger entry {entry}; {} of {} left",
                report.undecided,
                lines(report.total)
            ))?;
        }
        ReviewCommand::Delegate { review, marks, to, reason, by } => {
            let entry = workspace
                .delegate_review(review, marks, to, reason, Actor::Operator(by), now)
                .map_err(Failure::of)?;
            catch_up(&mut workspace)?;
            line(&format!("handed to {} in ledger entry {entry}", plain(to)))?;
        }
        ReviewCommand::Complete { review, covers, reason, by } => {
            let entry = workspace
                .complete_review(review, covered(covers)?, reason, Actor::Operator(by), now)
                .map_err(Failure::of)?;
            catch_up(&mut workspace)?;
            let report = workspace.review(review, now)?;
            let late = if report.late { ", after it was due" } else { "" };
            line(&format!("{} is complete{late}, in ledger entry {entry}", report.review))?;
            if report.lines.iter().any(|l| l.decision.is_some_and(|d| d != ReviewDecision::Keep)) {
                line(&format!(
                    "next: tickmark review verify {}, once what was to be removed is gone",
                    report.review
                ))?;
            }
        }
        ReviewCommand::Verify { review, covers, by, json } => {
            let looked = match by {
                None => workspace.look_at_removals(review, now)?,
                Some(by) => {
                    let looked = workspace
                        .verify_review(review, covered(covers)?, Actor::Operator(by), now)
                        .map_err(Failure::of)?;
                    catch_up(&mut workspace)?;
                    looked
                }
            };
            if *json {
                output::document(&looked)?;
            } else {
                seen(&looked, &workspace.review(review, now)?, &tz)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `WHO` or `WHO=WHOM`.
fn named(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((who, whom)) => (who.to_owned(), Some(whom.to_owned())),
        None => (text.to_owned(), None),
    }
}

fn lines(n: usize) -> String {
    if n == 1 { "1 line".to_owned() } else { format!("{n} lines") }
}

fn opened(report: &ReviewReport) -> String {
    let unchanged = match report.unchanged {
        0 => String::new(),
        n => format!("; {n} more are as they were when they were kept"),
    };
    format!(
        "opened {} with {}, in ledger entry {}{unchanged}",
        report.review,
        lines(report.total),
        report.entry
    )
}

fn list(reviews: &[ReviewReport], tz: &str) -> Result<(), Failure> {
    if reviews.is_empty() {
        return line("no review was opened here; `tickmark review open` opens one");
    }
    let head = ["review", "kind", "systems", "opened", "due", "left", "standing"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for review in reviews {
        let standing = match (review.standing, review.late) {
            ("completed", true) => "completed late",
            (standing, _) => standing,
        };
        rows.push(vec![
            review.review.clone(),
            review.kind.word().to_owned(),
            plain(&review.systems.join(", ")),
            review.opened_at.date_in(tz),
            review.due_at.date_in(tz),
            format!("{} of {}", review.undecided, review.total),
            standing.to_owned(),
        ]);
    }
    for row in aligned(&rows) {
        line(row.trim_end())?;
    }
    Ok(())
}

fn show(report: &ReviewReport, tz: &str) -> Result<(), Failure> {
    line(&styled(
        BOLD,
        &format!(
            "{} of {}: as of {}, as known at ledger position {}; due {}; {} of {} left",
            report.review,
            plain(&report.systems.join(", ")),
            report.listed_at,
            report.position,
            report.due_at.date_in(tz),
            report.undecided,
            lines(report.total)
        ),
    ))?;
    let mut person: Option<&str> = None;
    let mut rows: Vec<Vec<String>> = vec![];
    let mut grouped: Vec<&ReviewLine> = report.lines.iter().collect();
    grouped.sort_by_key(|l| (l.person_called.is_none(), &l.person_called, l.frozen.line));
    let of = |l: &ReviewLine| plain(l.person_called.as_deref().unwrap_or("nobody known"));
    let print = |rows: &mut Vec<Vec<String>>| -> Result<(), Failure> {
        for row in aligned(&std::mem::take(rows)) {
            line(row.trim_end())?;
        }
        Ok(())
    };
    for (at, l) in grouped.iter().enumerate() {
        if at == 0 || person != l.person_called.as_deref() {
            print(&mut rows)?;
            line("")?;
            line(&styled(BOLD, &of(l)))?;
            person = l.person_called.as_deref();
        }
        rows.push(row(l, tz));
    }
    print(&mut rows)?;
    if report.lines.is_empty() {
        line("no line is left under this filter")?;
    }
    output::not_known(&report.not_known)
}

fn row(l: &ReviewLine, tz: &str) -> Vec<String> {
    let frozen = &l.frozen;
    let mut remarks: Vec<String> = frozen.flags.iter().map(|flag| spoken(flag.word())).collect();
    if let Some(left) = frozen.left {
        remarks.push(format!("left {}", left.date_in(tz)));
    }
    match (frozen.last_used, frozen.days_unused) {
        (Some(used), _) => remarks.push(format!("last used {}", used.date_in(tz))),
        (None, Some(days)) => remarks.push(format!("never used in {days} days")),
        (None, None) => {}
    }
    if let Some(same) = frozen.same_role {
        remarks.push(format!("{same} of {} others have this role", frozen.others));
    }
    if let Some(previous) = &frozen.previous {
        remarks.push(format!("before: {} on {}", previous.decision, previous.at.date_in(tz)));
    }
    if !frozen.not_known.is_empty() {
        remarks.push(format!("not known: {}", frozen.not_known.join(", ")));
    }
    let stands = match (l.decision, &l.reviewer, &l.unassigned) {
        (Some(decision), ..) => {
            let last = l.history.iter().rev().find(|said| said.what == decision.word());
            format!("{} by {}", decision.word(), last.map_or("somebody", |said| said.by.as_str()))
        }
        (None, Some(reviewer), _) => format!("for {reviewer}"),
        (None, None, why) => format!("for nobody: {}", why.as_deref().unwrap_or_default()),
    };
    vec![
        format!("  {}", l.mark),
        plain(&frozen.system),
        plain(&l.called),
        plain(frozen.role.as_deref().unwrap_or("not known")),
        plain(&stands),
        plain(&remarks.join("; ")),
    ]
}

fn seen(looked: &Looked, report: &ReviewReport, tz: &str) -> Result<(), Failure> {
    if looked.lines.is_empty() {
        return line("nothing was to be removed or changed");
    }
    let mut rows = vec![];
    for (number, fate) in &looked.lines {
        let Some(l) = report.lines.iter().find(|l| l.frozen.line == *number) else { continue };
        let what = match fate {
            Fate::Gone { since } => format!("gone since {}", since.date_in(tz)),
            Fate::StillThere { looked_at, late: true } => {
                format!("still there on {}, more than {} days later", looked_at.date_in(tz), looked.days)
            }
            Fate::StillThere { looked_at, late: false } => {
                format!("still there on {}; it has {} days to go", looked_at.date_in(tz), looked.days)
            }
            Fate::NotKnown { because } => format!("not known: {because}"),
        };
        rows.push(vec![
            format!("line {number}"),
            plain(&l.frozen.system),
            plain(&l.called),
            plain(l.frozen.role.as_deref().unwrap_or("not known")),
            plain(&what),
        ]);
    }
    for row in aligned(&rows) {
        line(row.trim_end())?;
    }
    Ok(())
}
