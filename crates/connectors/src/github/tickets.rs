//! Mentions of tickets in what people wrote about a change.

use crate::git::Conventions;

/// A text and where it stands.
#[derive(Clone, Copy)]
pub(super) enum Text<'a> {
    /// Name of the branch.
    Branch(&'a str),
    /// Title of the pull request.
    Title(&'a str),
    /// Its description.
    Body(&'a str),
    /// A commit message: a subject and a body.
    Message(&'a str),
}

/// A ticket as named, and where.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Mention {
    pub(super) ticket: String,
    pub(super) basis: &'static str,
}

/// The tickets the texts name, each once, where it is named first.
///
/// `ABC-12` counts at the beginning of a title or a branch's name, after a ticket word (`fixes`), and anywhere when its
/// project is configured; `#12` only after a ticket word, since it numbers pull requests as well.
pub(super) fn mentions(repository: &str, texts: &[Text<'_>], conventions: &Conventions) -> Vec<Mention> {
    let mut found: Vec<Mention> = vec![];
    for text in texts {
        let mut add = |ticket: String, basis| {
            if !found.iter().any(|m| m.ticket == ticket) {
                found.push(Mention { ticket, basis });
            }
        };
        match text {
            Text::Branch(name) => {
                // `feature/ABC-12-short-words`, `abc-12_words`.
                let last = name.rsplit('/').next().unwrap_or(name);
                let mut parts = last.split(['-', '_']);
                if let (Some(project), Some(number)) = (parts.next(), parts.next())
                    && let Some(key) = project_key(&format!("{}-{number}", project.to_uppercase()))
                    && (project.bytes().all(|b| !b.is_ascii_lowercase()) || configured(&key, conventions))
                {
                    add(key, "branch");
                }
            }
            Text::Title(title) => line(repository, title, "subject", true, conventions, &mut add),
            Text::Body(body) => {
                for text in body.lines() {
                    line(repository, text, "body", false, conventions, &mut add);
                }
            }
            Text::Message(message) => {
                for (n, text) in message.lines().enumerate() {
                    let trailer = text.split_once(": ").is_some_and(|(key, _)| {
                        n > 0 && conventions.ticket_trailers.iter().any(|t| t.eq_ignore_ascii_case(key))
                    });
                    let basis = if n == 0 {
                        "subject"
                    } else if trailer {
                        "trailer"
                    } else {
                        "body"
                    };
                    line(repository, text, basis, n == 0, conventions, &mut add);
                }
            }
        }
    }
    found
}

fn line(
    repository: &str,
    text: &str,
    basis: &'static str,
    title: bool,
    conventions: &Conventions,
    add: &mut dyn FnMut(String, &'static str),
) {
    let words = [&conventions.ticket_words, &conventions.ticket_trailers];
    let mut after_word = false;
    for (n, token) in
        text.split(|c: char| c.is_whitespace() || "(),;[]".contains(c)).filter(|t| !t.is_empty()).enumerate()
    {
        if let Some(ticket) = issue_address(token) {
            add(ticket, "link");
            continue;
        }
        let bare = token.trim_end_matches([':', '.', '!']);
        if let Some(key) = project_key(bare)
            && (after_word || (title && n == 0) || configured(&key, conventions))
        {
            add(key, basis);
            continue;
        }
        if after_word && let Some(ticket) = number(repository, bare) {
            add(ticket, basis);
            continue;
        }
        let connects = after_word && matches!(bare.to_ascii_lowercase().as_str(), "and" | "issue" | "bug");
        after_word = connects || words.iter().any(|list| list.iter().any(|w| w.eq_ignore_ascii_case(bare)));
    }
}

/// `ABC-12`, but not the names of standards that look alike.
fn project_key(token: &str) -> Option<String> {
    const STANDARDS: &[&str] =
        &["UTF", "SHA", "ISO", "RFC", "AES", "CVE", "MD", "HTTP", "TLS", "RSA", "UTC", "GPL", "X"];
    let (project, number) = token.split_once('-')?;
    let fits = project.len() >= 2
        && project.as_bytes()[0].is_ascii_uppercase()
        && project.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && !number.is_empty()
        && number.len() <= 7
        && number.bytes().all(|b| b.is_ascii_digit())
        && !STANDARDS.contains(&project);
    fits.then(|| token.to_owned())
}

fn configured(key: &str, conventions: &Conventions) -> bool {
    let project = key.split('-').next().unwrap_or("");
    conventions.ticket_projects.iter().any(|p| p.eq_ignore_ascii_case(project))
}

/// `#12` of this repository or `acme/other#12`.
fn number(repository: &str, token: &str) -> Option<String> {
    let (place, number) = token.split_once('#')?;
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let own = repository.split_once('/').map_or(repository, |(_, path)| path);
    match place {
        "" => Some(format!("{own}#{number}")),
        other if other.split('/').count() == 2 => Some(format!("{}#{number}", other.to_lowercase())),
        _ => None,
    }
}

/// The address of an issue, such as `https://github.com/acme/app/issues/7`.
fn issue_address(token: &str) -> Option<String> {
    let rest = token.strip_prefix("https://").or_else(|| token.strip_prefix("http://"))?;
    let (_, path) = rest.split_once('/')?;
    let mut parts = path.split('/');
    let (owner, name, kind) = (parts.next()?, parts.next()?, parts.next()?);
    let number: String = parts.next()?.chars().take_while(char::is_ascii_digit).collect();
    (kind == "issues" && !number.is_empty())
        .then(|| format!("{}/{}#{number}", owner.to_lowercase(), name.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(texts: &[Text<'_>], expect: &str) {
        let mut conventions = Conventions::default();
        conventions.ticket_projects.push("ops".to_owned());
        let found: Vec<String> = mentions("github.com/acme/app", texts, &conventions)
            .into_iter()
            .map(|m| format!("{} ({})", m.ticket, m.basis))
            .collect();
        assert_eq!(found.join(", "), expect);
    }

    #[test]
    fn tickets_are_named_in_branch_title_and_body() {
        check(&[Text::Branch("feature/ABC-12-login")], "ABC-12 (branch)");
        check(&[Text::Branch("ops-7-fix")], "OPS-7 (branch)");
        check(&[Text::Title("ABC-12: add login")], "ABC-12 (subject)");
        check(&[Text::Title("add login (OPS-3)")], "OPS-3 (subject)");
        check(
            &[Text::Body("Fixes #4 and #5.\nsee https://github.com/Acme/Web/issues/6")],
            "acme/app#4 (body), acme/app#5 (body), acme/web#6 (link)",
        );
        check(&[Text::Body("closes other/repo#9")], "other/repo#9 (body)");
        check(&[Text::Message("add login\n\nFixes: #4")], "acme/app#4 (trailer)");
    }

    #[test]
    fn what_only_looks_like_a_ticket_is_none() {
        check(
            &[
                Text::Title("UTF-8 everywhere (#12)"),
                Text::Branch("fix-12-things"),
                Text::Body("like #3, v1.2-3"),
            ],
            "",
        );
        check(&[Text::Message("Merge pull request #12 from acme/fix")], "");
    }
}
