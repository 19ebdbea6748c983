//! `tickmark check`: a repository's period, from commit to verdict.

use std::cell::RefCell;
use std::process::ExitCode;

use app::{
    AssessmentQuestion, Completeness, History, ItemReport, LookFirst, ProcedureReport, Report, Workspace,
};
use connectors::git;
use model::{Conclusion, Period, Verdict};
use serde::Serialize;

use crate::command::{Check, FailOn};
use crate::failure::Failure;
use crate::output::{self, BOLD, DIM, aligned, line, plain, spoken, styled};
use crate::parameter::{print_not_in_force, print_versions};
use crate::session::{Session, derive};
use crate::source;
use crate::uptime::print_uptime;

/// Items listed per procedure unless `--all`.
const LISTED: usize = 10;
/// Items under "look here first".
const FIRST: usize = 5;
/// Captures appended at once: one flush for all of them.
const CAPTURES_PER_APPEND: usize = 32;

/// The document of `--json`.
#[derive(Serialize)]
struct Document<'a> {
    repository: Repository<'a>,
    #[serde(flatten)]
    report: &'a Report,
    history: &'a History,
    look_first: &'a [LookFirst],
    problems: &'a [String],
    verify: String,
}

#[derive(Serialize)]
struct Repository<'a> {
    label: &'a str,
    branch: &'a str,
    tip: &'a str,
}

pub(crate) fn run(session: &Session, check: &Check) -> Result<ExitCode, Failure> {
    if let Some(number) = check.pull {
        return source::pull(session, check, number);
    }
    if let Some(name) = &check.source {
        return of_source(session, check, name);
    }
    let path = session.environment.current.join(&check.path);
    let mut repository = git::open(&path, check.branch.as_deref())?;
    let place = session.place()?;
    // The workspace may lie above the repository, never in it: what is examined is not written to.
    let workspace_folder = place.folder.canonicalize().unwrap_or_else(|_| place.folder.clone());
    if workspace_folder.starts_with(&repository.path) || workspace_folder.starts_with(&repository.git_dir) {
        return Err(app::AppError::InsideRepository {
            workspace: place.folder,
            repository: repository.path.clone(),
        }
        .into());
    }
    let (mut workspace, conventions) = session.open(&place)?;
    // Parsed before anything is collected: a typing error costs no waiting.
    let period = check.days.period(session.now, &workspace.config)?;
    if place.by_default && !check.json {
        output::note(&format!("workspace {} (name your own with --workspace DIR)", place.folder.display()));
    }

    // What an interrupted run left in the ledger comes first: it says where to go on.
    workspace.catch_up(&|document| derive(document, &conventions))?;
    if let Some(line) = other_line(&repository, check.branch.is_some(), &workspace)? {
        if let Some(usual) = &line.instead_of {
            output::note(&format!(
                "HEAD names the branch `{}`, and earlier looks were at `{usual}`: it is examined by itself, and nothing of \
                 it counts for `{usual}` (--branch {usual} examines that)",
                repository.branch
            ));
        }
        repository.key = line.key;
    }
    let problems = collect(session, &repository, &mut workspace, &conventions)?;
    let examined = Examined {
        key: &repository.key,
        label: &repository.label,
        branch: &repository.branch,
        tip: repository.tip_hex(),
    };
    report(session, check, &mut workspace, &examined, &period, &problems)
}

/// A branch other than the one whose changes are the repository's.
struct OtherLine {
    /// Under what its changes are kept.
    key: String,
    /// The branch that earlier looks were at, where nobody asked for another.
    instead_of: Option<String>,
}

/// Whether what is to be examined is another branch than the repository's own: then its changes must neither enter the
/// population of that one nor look like a rewritten history of it. `None` for the repository's own line.
///
/// Whose line it is, the team says (`origin/HEAD`), else the last look, else HEAD. A branch that is gone was renamed, and
/// its line goes on under the new name.
fn other_line(
    repository: &git::Repository,
    asked: bool,
    workspace: &Workspace,
) -> Result<Option<OtherLine>, Failure> {
    let branch = &repository.branch;
    let opened = |branch: Option<&str>| git::open(&repository.path, branch).ok();
    let default = if asked { opened(None).map(|r| (r.branch, r.reference)) } else { None };
    let shared = |reference: &str| reference.starts_with("refs/remotes/");
    let own = match &default {
        Some((default, reference)) if shared(reference) => Some(default.clone()),
        None if !asked && shared(&repository.reference) => Some(branch.clone()),
        _ => {
            let last = workspace.cursor(&repository.source(), git::COMMITS)?;
            let last = last.as_ref().and_then(|cursor| cursor["branch"].as_str());
            match last {
                Some(last) if last == branch => Some(branch.clone()),
                Some(last) => opened(Some(last)).map(|r| r.branch),
                None => default.map(|(default, _)| default),
            }
        }
    };
    Ok(own.filter(|own| own != branch).map(|own| OtherLine {
        key: format!("{}#{branch}", repository.key),
        instead_of: (!asked).then_some(own),
    }))
}

/// A repository whose evidence a source brought.
fn of_source(session: &Session, check: &Check, name: &str) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    let source = source::named(&workspace, Some(name))?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    let key = source.repository();
    // Nothing is asked of the source here: the period ends, unless named, where the last collection did.
    let now = workspace.looked_until(&key)?.map_or(session.now, |until| until.min(session.now));
    let period = check.days.period(now, &workspace.config)?;
    let examined = Examined { key: &key, label: &key, branch: "default branch", tip: String::new() };
    report(session, check, &mut workspace, &examined, &period, &[])
}

/// What is examined, for people.
struct Examined<'a> {
    key: &'a str,
    label: &'a str,
    branch: &'a str,
    tip: String,
}

fn report(
    session: &Session,
    check: &Check,
    workspace: &mut Workspace,
    examined: &Examined<'_>,
    period: &Period,
    problems: &[String],
) -> Result<ExitCode, Failure> {
    let report = workspace.assess(&AssessmentQuestion {
        repository: Some(examined.key.to_owned()),
        procedures: workspace.catalog.procedures_in("CHG").map(|p| p.id.clone()).collect(),
        brief: !check.json,
        ..AssessmentQuestion::over(period.clone(), session.now)
    })?;
    let history = workspace.history(examined.key, period, session.now)?;
    let look_first = workspace.look_first(&report, examined.key, FIRST)?;
    // The plain command finds the same workspace again unless it was named.
    let verify = match &session.named {
        None => "tickmark verify".to_owned(),
        Some(folder) => format!("tickmark --workspace {} verify", folder.display()),
    };
    if check.json {
        let document = Document {
            repository: Repository { label: examined.label, branch: examined.branch, tip: &examined.tip },
            report: &report,
            history: &history,
            look_first: &look_first,
            problems,
            verify,
        };
        output::document(&document)?;
    } else {
        print(check, examined, period, &report, &history, &look_first, problems)?;
        let status = workspace.status()?;
        line("")?;
        line(&format!(
            "{} ledger entries stand under one signed root. To check that nothing was altered since: {}",
            status.published,
            styled(BOLD, &verify)
        ))?;
    }
    Ok(status(&report, check.fail_on))
}

/// 3 when `--fail-on` found something.
pub(crate) fn status(report: &Report, fail_on: Option<FailOn>) -> ExitCode {
    let unproven = |p: &ProcedureReport| match p.conclusion {
        Some(conclusion) => conclusion != Conclusion::NoExceptions,
        None => {
            let holds = |item: &ItemReport| matches!(item.verdict(), Verdict::Pass | Verdict::NotApplicable);
            p.items.is_empty() || !p.gaps.is_empty() || !p.items.iter().all(holds)
        }
    };
    let failed = fail_on.is_some_and(|on| {
        report.procedures.iter().any(|p| match on {
            FailOn::Deviation => p.items.iter().any(|i| i.verdict() == Verdict::Deviation),
            FailOn::Unproven => unproven(p),
        })
    });
    if failed { ExitCode::from(3) } else { ExitCode::SUCCESS }
}

/// Collects what is new and applies it. Gives what could not be read.
fn collect(
    session: &Session,
    repository: &git::Repository,
    workspace: &mut Workspace,
    conventions: &git::Conventions,
) -> Result<Vec<String>, Failure> {
    let derive = |document: &model::Document<'_>| derive(document, conventions);
    let cursor = workspace.cursor(&repository.source(), git::COMMITS)?;
    let bar = output::progress("reading commits");
    let workspace = RefCell::new(workspace);
    let waiting = RefCell::new(vec![]);
    let failed = RefCell::new(None);
    let append = || -> Result<(), git::GitError> {
        let captures = std::mem::take(&mut *waiting.borrow_mut());
        workspace.borrow_mut().append(&captures).map(drop).map_err(|e| git::GitError::Sink(e.to_string()))
    };
    let collected = git::collect(
        repository,
        cursor.as_ref(),
        &|commit| {
            // The walk cannot fail here; the error is kept and raised below.
            workspace.borrow_mut().landed(&repository.key, commit).unwrap_or_else(|e| {
                failed.borrow_mut().get_or_insert(e);
                None
            })
        },
        session.now,
        &mut |capture| {
            waiting.borrow_mut().push(capture);
            bar.inc(1000);
            if waiting.borrow().len() == CAPTURES_PER_APPEND { append() } else { Ok(()) }
        },
    )?;
    if let Some(error) = failed.into_inner() {
        return Err(error.into());
    }
    append()?;
    let workspace = workspace.into_inner();
    let applied = workspace.catch_up(&derive)?;
    bar.finish_and_clear();
    let mut problems = collected.problems;
    problems.extend(applied.problems.into_iter().map(|(entry, p)| format!("ledger entry {entry}: {p}")));
    Ok(problems)
}

fn print(
    check: &Check,
    examined: &Examined<'_>,
    period: &Period,
    report: &Report,
    history: &History,
    look_first: &[LookFirst],
    problems: &[String],
) -> Result<(), Failure> {
    let tip = examined.tip.get(..12).map(|tip| format!(" at {tip}")).unwrap_or_default();
    line(&format!(
        "{} {}{tip}, {} to {} ({})",
        styled(BOLD, &plain(examined.label)),
        plain(examined.branch),
        period.first_date(),
        period.last_date(),
        period.tz
    ))?;
    line("")?;
    print_history(history, period)?;
    if !look_first.is_empty() {
        line("")?;
        line(&styled(BOLD, "Look here first"))?;
        let rows: Vec<Vec<String>> = look_first
            .iter()
            .map(|l| {
                vec![format!("  {}", l.occurred_at.date_in(&period.tz)), cut(&l.label, 60), l.reason.clone()]
            })
            .collect();
        for row in aligned(&rows) {
            line(&row)?;
        }
    }
    let (unfed, fed): (Vec<_>, Vec<_>) = report.procedures.iter().partition(|p| is_unfed(p));
    for procedure in fed {
        line("")?;
        print_procedure(procedure, period, check.all)?;
    }
    print_unfed(&unfed)?;
    print_not_in_force(report)?;
    if !problems.is_empty() {
        line("")?;
        line(&styled(BOLD, "Not everything could be seen"))?;
        for problem in problems {
            line(&format!("  {}", plain(problem)))?;
        }
    }
    Ok(())
}

/// Procedures that there is nothing to show of but what would supply their population.
pub(crate) fn print_unfed(procedures: &[&ProcedureReport]) -> Result<(), Failure> {
    if procedures.is_empty() {
        return Ok(());
    }
    line("")?;
    line(&styled(BOLD, "Cannot be concluded from here: nothing supplies the population"))?;
    let rows: Vec<Vec<String>> = procedures
        .iter()
        .map(|p| vec![format!("  {}", p.controls.join(" ")), p.title.clone(), supplied_by(&p.supplied_by)])
        .collect();
    for row in aligned(&rows) {
        line(&row)?;
    }
    Ok(())
}

/// Whether no source ever supplied the population: then there is nothing to show but what would.
pub(crate) fn is_unfed(procedure: &ProcedureReport) -> bool {
    procedure.population == 0 && procedure.gaps.iter().any(|gap| !gap.supplied_by.is_empty())
}

/// `github.reviews, github.timeline` as `GitHub (reviews, timeline)`; where no source would do, what a person can. Git was
/// read already.
fn supplied_by(streams: &[String]) -> String {
    let names: Vec<String> =
        streams.iter().filter_map(|stream| stream.strip_prefix("github.")).map(spoken).collect();
    let by = |kind: &str| streams.iter().any(|stream| stream.starts_with(kind));
    if !names.is_empty() {
        format!("GitHub ({})", names.join(", "))
    } else if by("import.") {
        "a file (tickmark import)".to_owned()
    } else if by("decision.") {
        "rows entered by hand (tickmark record add)".to_owned()
    } else {
        "no source of this version".to_owned()
    }
}

fn print_history(history: &History, period: &Period) -> Result<(), Failure> {
    line(&styled(BOLD, "What the history itself shows"))?;
    let of = |n: i64| format!("{n} of {}", history.changes);
    let mut rows = vec![
        (
            "changes".to_owned(),
            format!("{} ({} single commits, {} merges)", history.changes, history.single, history.merges),
        ),
        ("name a ticket".to_owned(), of(history.with_ticket)),
        ("name a reviewer".to_owned(), of(history.with_reviewer)),
        ("name a passing test".to_owned(), of(history.with_test)),
        ("signed".to_owned(), format!("{} (signatures are not checked)", of(history.signed))),
        (
            "landed by another".to_owned(),
            format!("{} have a committer who is not their author", of(history.committed_by_another)),
        ),
        ("by robots".to_owned(), of(history.by_bots)),
        (
            "authors".to_owned(),
            // Who wrote what a merge brought, the merge does not say.
            match history.merges {
                0 => history.authors.to_string(),
                _ => format!("{} (of a merge: who made it)", history.authors),
            },
        ),
        ("tagged".to_owned(), of(history.tags)),
    ];
    if let Some(from) = history.longest_silence_from {
        rows.push((
            "longest silence".to_owned(),
            format!("{} days from {}", history.longest_silence_ms / 86_400_000, from.date_in(&period.tz)),
        ));
    }
    if history.backdated > 0 {
        rows.push((
            "wrong clocks".to_owned(),
            format!("{} dated more than a day before what had already landed", history.backdated),
        ));
    }
    if history.future > 0 {
        rows.push((
            "in the future".to_owned(),
            format!("{} dated after they were collected: in no period yet", history.future),
        ));
    }
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|(name, value)| vec![format!("  {name}"), value]).collect();
    for row in aligned(&rows) {
        line(&row)?;
    }
    Ok(())
}

pub(crate) fn print_procedure(
    procedure: &ProcedureReport,
    period: &Period,
    all: bool,
) -> Result<(), Failure> {
    let head = format!("{} {}", styled(BOLD, &procedure.controls.join(" ")), styled(BOLD, &procedure.title));
    match procedure.conclusion {
        Some(conclusion) => {
            let word = spoken(conclusion.word()).to_uppercase();
            line(&format!("{head}  {}", styled(output::conclusion_style(conclusion), &word)))?;
        }
        None => line(&head)?,
    }
    line(&format!("  population {}: {}", procedure.population, procedure.population_is))?;
    print_versions(procedure, period)?;
    if let Some(uptime) = &procedure.uptime {
        print_uptime(procedure, uptime, period)?;
    }
    let rows: Vec<Vec<String>> = procedure
        .attributes
        .iter()
        .filter(|_| procedure.population > 0)
        .map(|a| {
            let counts: Vec<String> = a
                .counts
                .iter()
                .filter(|(_, n)| **n > 0)
                .map(|(v, n)| styled(output::verdict_style(*v), &format!("{n} {}", spoken(v.word()))))
                .collect();
            vec![format!("  {}", a.letter), a.says.clone(), counts.join(", ")]
        })
        .collect();
    for row in aligned(&rows) {
        line(&row)?;
    }
    if !procedure.held_back_by.is_empty() {
        let so = if procedure.conclusion.is_some() { "cannot conclude" } else { "open" };
        line(&format!("  {so}: {}", procedure.held_back_by.join("; ")))?;
    }
    for reconciled in procedure.reconciled.iter().filter(|r| r.outcome != Completeness::Incomplete) {
        line(&format!("  population {}: {}", reconciled.outcome.word(), reconciled.sentence()))?;
    }
    for gap in &procedure.gaps {
        let until = if gap.to == period.to { period.last_date() } else { gap.to.to_string() };
        let since = if gap.from == period.from { period.first_date() } else { gap.from.to_string() };
        line(&format!("  gap {since} to {until}: {}", gap.reason))?;
    }
    if !procedure.supplied_by.is_empty() {
        line(&format!("  would be supplied by {}", supplied_by(&procedure.supplied_by)))?;
    }
    for verdict in [Verdict::Deviation, Verdict::NeedsJudgement] {
        let items: Vec<_> =
            procedure.items.iter().filter(|i| i.verdicts.values().any(|v| *v == verdict)).collect();
        if items.is_empty() {
            continue;
        }
        let most = if all { items.len() } else { LISTED };
        line(&format!("  {}", styled(output::verdict_style(verdict), &spoken(verdict.word()))))?;
        let rows: Vec<Vec<String>> = items
            .iter()
            .take(most)
            .map(|item| {
                let why: Vec<String> = item
                    .verdicts
                    .iter()
                    .filter(|(_, v)| **v == verdict)
                    .map(|(letter, _)| {
                        format!("{letter}: {}", item.reasons.get(letter).map_or("", String::as_str))
                    })
                    .collect();
                let waived = item.waived.as_ref().filter(|_| verdict == Verdict::Deviation);
                let waived = waived.map(|key| format!(" (waived by {})", plain(key))).unwrap_or_default();
                vec![
                    format!("    {}", item.occurred_at.date_in(&period.tz)),
                    cut(&named(&item.item, &item.label), 60),
                    format!("{}{waived}", why.join("; ")),
                ]
            })
            .collect();
        for row in aligned(&rows) {
            line(&row)?;
        }
        if items.len() > most {
            line(&styled(
                DIM,
                &format!("    and {} more: --all lists them, --json has everything", items.len() - most),
            ))?;
        }
    }
    Ok(())
}

/// What an item is called, with its key where the label does not hold it: many accounts stand under their system's name.
pub(crate) fn named(key: &str, label: &str) -> String {
    let held = label.split_whitespace().any(|word| word == key || word.len() >= 7 && key.starts_with(word));
    if held { label.to_owned() } else { format!("{key} {label}") }
}

/// The first `most` characters, with an ellipsis where something was cut off.
fn cut(text: &str, most: usize) -> String {
    let text = plain(text);
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn an_item_is_called_by_its_key_once() {
        assert_eq!(named("u17@idp", "Sign-in"), "u17@idp Sign-in");
        assert_eq!(named("E25", "E25 Code host"), "E25 Code host");
        let commit = "aba3f67524b4edf2a2d19ff7c50fee4515aed74e";
        assert_eq!(named(commit, "aba3f67524b4 Rename a field"), "aba3f67524b4 Rename a field");
        assert_eq!(named("E", "Every"), "E Every");
    }
}
