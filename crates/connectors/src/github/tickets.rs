//! Mentions of tickets in a pull request: its title and description are read as git's commit messages are, and the name
//! of its branch besides.

use crate::git::Conventions;
use crate::git::message::{is_configured, is_known_trailer, is_standard, project_key, tickets, trailers};

/// A ticket's key, and where it is named.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Named {
    pub(super) ticket: String,
    pub(super) basis: &'static str,
}

/// The tickets a commit message names, each once.
pub(super) fn of_message(repository: &str, message: &str, conventions: &Conventions) -> Vec<Named> {
    let trailers = trailers(message, &|key| is_known_trailer(conventions, key));
    tickets(message, &trailers, conventions)
        .into_iter()
        .map(|mention| Named { basis: mention.basis, ticket: mention.key(repository, conventions) })
        .collect()
}

/// The tickets a pull request names, each once, in the name of its branch first.
pub(super) fn of_pull(
    repository: &str,
    (branch, title, description): (&str, &str, &str),
    conventions: &Conventions,
) -> Vec<Named> {
    let mut found: Vec<Named> = vec![];
    found.extend(of_branch(branch, conventions).map(|ticket| Named { ticket, basis: "branch" }));
    // As it reads when it is squashed: the title is the subject.
    let message = format!("{title}\n\n{}", without_comments(description));
    for named in of_message(repository, &message, conventions) {
        if !found.iter().any(|f| f.ticket == named.ticket) {
            found.push(named);
        }
    }
    found
}

/// `feature/ABC-12-short-words`, and `abc-12_words` of a configured project.
fn of_branch(name: &str, conventions: &Conventions) -> Option<String> {
    let last = name.rsplit('/').next().unwrap_or(name);
    let mut parts = last.split(['-', '_']);
    let (project, number) = (parts.next()?, parts.next()?);
    let key = project_key(&format!("{}-{number}", project.to_uppercase()))?;
    let spelt = project.bytes().all(|b| !b.is_ascii_lowercase()) && !is_standard(&key);
    (spelt || is_configured(&key, conventions)).then_some(key)
}

/// A description without its HTML comments: those are the form's advice (`<!-- such as: fixes #12 -->`), and nobody who
/// reads the pull request sees them.
fn without_comments(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("<!--") {
        shown.push_str(before);
        // One that is never closed hides the rest.
        rest = comment.split_once("-->").map_or("", |(_, after)| after);
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(branch: &str, title: &str, description: &str, expect: &str) {
        let mut conventions = Conventions::default();
        conventions.ticket_projects.push("ops".to_owned());
        let found: Vec<String> = of_pull("github.com/Acme/App", (branch, title, description), &conventions)
            .into_iter()
            .map(|named| format!("{} ({})", named.ticket, named.basis))
            .collect();
        assert_eq!(found.join(", "), expect);
    }

    #[test]
    fn tickets_are_named_in_branch_title_and_description() {
        check("feature/ABC-12-login", "add login", "", "ABC-12 (branch)");
        check("ops-7-fix", "x", "", "OPS-7 (branch)");
        check("topic", "ABC-12: add login", "", "ABC-12 (subject)");
        check("topic", "add login (OPS-3)", "", "OPS-3 (subject)");
        check(
            "topic",
            "x",
            "Fixes #4 and #5.\r\nsee https://github.com/Acme/Web/issues/6",
            "acme/app#4 (body), acme/app#5 (body), acme/web#6 (link)",
        );
        check("topic", "x", "closes Other/Repo#9", "other/repo#9 (body)");
        check("topic", "x", "Why.\r\n\r\nFixes: #4\r\n", "acme/app#4 (trailer)");
        check("ABC-12", "ABC-12: add login", "", "ABC-12 (branch)");
    }

    #[test]
    fn what_only_looks_like_a_ticket_is_none() {
        check("fix-12-things", "UTF-8 everywhere (#12)", "like #3, v1.2-3", "");
        check("UTF-8-names", "Merge pull request #12 from acme/fix", "", "");
    }

    #[test]
    fn advice_in_the_form_names_nothing() {
        check("topic", "x", "<!-- such as: fixes #12 -->\nFixes #4", "acme/app#4 (body)");
        check("topic", "x", "words <!-- fixes #12", "");
        check("topic", "x", "<!-- a --> fixes <!-- b --> #7", "acme/app#7 (body)");
    }
}
