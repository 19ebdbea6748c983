//! Commit objects and commit messages: headers, people, trailers, mentions of tickets.
//!
//! Git stores bytes, not text: a message may be in any encoding, a name may be anything without `<` and newline, a
//! date may be any number. What cannot be read is unknown, never guessed.

use std::borrow::Cow;

use model::Instant;

use super::conventions::Conventions;

/// A person as a commit or a trailer names them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Person {
    pub(super) name: String,
    /// Folded to lower case; empty when there is none.
    pub(super) email: String,
}

/// The parts of a commit object that facts are made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Commit<'a> {
    pub(super) parents: Vec<&'a str>,
    pub(super) author: Option<(Person, Option<Instant>)>,
    pub(super) committer: Option<(Person, Option<Instant>)>,
    pub(super) signed: bool,
    pub(super) message: Cow<'a, str>,
}

/// Reads a commit object's bytes. `None` when they are no commit.
pub(super) fn parse_commit(bytes: &[u8]) -> Option<Commit<'_>> {
    let split = bytes.windows(2).position(|w| w == b"\n\n");
    let (head, message) = match split {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes.strip_suffix(b"\n").unwrap_or(bytes), &b""[..]),
    };
    let mut commit = Commit {
        parents: vec![],
        author: None,
        committer: None,
        signed: false,
        message: String::from_utf8_lossy(message),
    };
    let mut tree = false;
    for line in head.split(|b| *b == b'\n') {
        // A line that begins with a space continues the header before it (signatures, merge tags).
        if line.first() == Some(&b' ') {
            continue;
        }
        let at = line.iter().position(|b| *b == b' ').unwrap_or(line.len());
        let value = line.get(at + 1..).unwrap_or_default();
        match &line[..at] {
            b"tree" => tree = true,
            b"parent" => commit.parents.push(std::str::from_utf8(value).ok()?),
            b"author" if commit.author.is_none() => commit.author = parse_signature(value),
            b"committer" if commit.committer.is_none() => commit.committer = parse_signature(value),
            b"gpgsig" | b"gpgsig-sha256" => commit.signed = true,
            _ => {}
        }
    }
    tree.then_some(commit)
}

/// `Name <email> seconds zone`, tolerant of what real histories hold.
fn parse_signature(value: &[u8]) -> Option<(Person, Option<Instant>)> {
    let text = String::from_utf8_lossy(value);
    let open = text.find('<')?;
    let close = text.rfind('>').filter(|c| *c > open)?;
    let person = Person { name: text[..open].trim().to_owned(), email: fold_email(&text[open + 1..close]) };
    let at = text[close + 1..].split_whitespace().next().and_then(|s| s.parse::<i64>().ok());
    Some((person, at.map(Instant::from_seconds)))
}

/// An e-mail address as a key: trimmed, lower case, without stray brackets.
pub(super) fn fold_email(text: &str) -> String {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '<' || c == '>');
    // A full stop at the end belongs to the sentence: no domain ends with one as people write it.
    text.trim_end_matches(['.', ',', ';']).to_lowercase()
}

/// A person out of a trailer's value `Name <email>`; a bare name has an empty e-mail.
pub(super) fn parse_person(value: &str) -> Person {
    match (value.find('<'), value.rfind('>')) {
        (Some(open), Some(close)) if open < close => {
            Person { name: value[..open].trim().to_owned(), email: fold_email(&value[open + 1..close]) }
        }
        _ if value.contains('@') && !value.contains(' ') => {
            Person { name: String::new(), email: fold_email(value) }
        }
        _ => Person { name: value.trim().to_owned(), email: String::new() },
    }
}

/// Whether the conventions give a trailer of that name a meaning, or git does.
pub(crate) fn is_known_trailer(conventions: &Conventions, key: &str) -> bool {
    let c = conventions;
    [&c.reviewed_by, &c.acked_by, &c.reviewed_on, &c.tests_passed, &c.co_authored_by, &c.ticket_trailers]
        .into_iter()
        .any(|list| Conventions::is(list, key))
        || key.eq_ignore_ascii_case("signed-off-by")
        || key.eq_ignore_ascii_case("change-id")
}

/// The trailers of a message: the `Key: value` lines of its last paragraph, continuation lines folded in.
///
/// As git does, the last paragraph counts when all its lines are trailers, or when at least a quarter are and one of
/// them is a trailer that `known` knows; the subject never counts.
pub(crate) fn trailers<'a>(message: &'a str, known: &dyn Fn(&str) -> bool) -> Vec<(&'a str, String)> {
    let message = message.trim_end();
    let Some(start) = last_paragraph(message) else { return vec![] };
    let mut found: Vec<(&str, String)> = vec![];
    let (mut other, mut recognised) = (0_usize, false);
    for line in message[start..].lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = found.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            } else {
                other += 1;
            }
            continue;
        }
        match line.split_once(':') {
            Some((key, value)) if is_trailer_key(key) => {
                recognised |= known(key);
                found.push((key, value.trim().to_owned()));
            }
            _ if line.starts_with("(cherry picked from commit ") => recognised = true,
            _ => other += 1,
        }
    }
    let all = other == 0;
    let enough = recognised && found.len() * 3 >= other;
    if all || enough { found } else { vec![] }
}

/// Whether a sentence says that somebody else wrote it too: one of the words, and then a name or an address. Who that is no
/// prose can say for certain.
pub(super) fn names_another_author(message: &str, conventions: &Conventions) -> bool {
    let begins_a_word =
        |text: &str, at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '-');
    let named = |rest: &str| {
        let Some(word) = rest.strip_prefix(' ').and_then(|rest| rest.split(' ').next()) else { return false };
        let word = word.trim_start_matches(['@', '(', '<', '"', '\'']);
        word.starts_with(char::is_uppercase) || word.contains('@')
    };
    message.split("\n\n").any(|paragraph| {
        // Lines are broken wherever they are full.
        let text = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        let folded = text.to_ascii_lowercase();
        conventions.joint_words.iter().filter(|words| !words.is_empty()).any(|words| {
            folded
                .match_indices(&words.to_ascii_lowercase())
                .any(|(at, found)| begins_a_word(&text, at) && named(&text[at + found.len()..]))
        })
    })
}

/// Where the last paragraph begins; `None` when the message has only one (its subject).
fn last_paragraph(message: &str) -> Option<usize> {
    let mut start = None;
    let mut offset = 0;
    let mut blank = false;
    for line in message.split_inclusive('\n') {
        if line.trim().is_empty() {
            blank = true;
        } else if blank {
            start = Some(offset);
            blank = false;
        }
        offset += line.len();
    }
    start
}

fn is_trailer_key(key: &str) -> bool {
    // A line with an address on it is no trailer.
    !matches!(key, "" | "http" | "https") && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// A mention of a ticket and where it stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Mention {
    /// As it is written, folded: `owner/repo#12`, `#12`, `ABC-12`.
    pub(crate) ticket: String,
    pub(crate) basis: &'static str,
}

impl Mention {
    /// The ticket's key: `#12` is a ticket of this very repository, wherever it is written, unless tickets are kept in
    /// another one.
    pub(crate) fn key(self, repository: &str, conventions: &Conventions) -> String {
        match self.ticket.strip_prefix('#') {
            Some(number) => {
                let tracker = conventions.ticket_repository.as_deref().unwrap_or_else(|| tracker(repository));
                format!("{}#{number}", tracker.to_lowercase())
            }
            None => self.ticket,
        }
    }
}

/// `github.com/acme/app` as `acme/app`: what its tickets are named by.
pub(crate) fn tracker(repository: &str) -> &str {
    match repository.split_once('/') {
        Some((_, path)) if path.contains('/') => path,
        _ => repository,
    }
}

/// Every ticket a message names, once each, in order of appearance.
///
/// `acme/app#12` and the address of an issue count wherever they stand. A bare `#12` counts only behind a ticket word
/// (`fixes #12`): at the end of a subject it is a pull request. A bare number counts behind `issue` or `bug` when it has
/// at least three digits. A key like `ABC-12` counts behind a ticket word, at the start of the subject, or anywhere when
/// `ABC` is a configured project: `UTF-8` and `SHA-256` look just like one. Of trailers only those count that name
/// tickets.
pub(crate) fn tickets(message: &str, trailers: &[(&str, String)], conventions: &Conventions) -> Vec<Mention> {
    let mut found: Vec<Mention> = vec![];
    let mut add = |ticket: String, basis| {
        if !found.iter().any(|m| m.ticket == ticket) {
            found.push(Mention { ticket, basis });
        }
    };
    for (key, value) in trailers {
        if Conventions::is(&conventions.ticket_trailers, key) {
            for token in tokens(value) {
                if let Some(ticket) = reference(token).or_else(|| project_key(token)) {
                    add(ticket, "trailer");
                }
            }
        }
    }
    // Where the trailers' paragraph begins, if there is one: prose may stand among them.
    let trailing = match last_paragraph(message.trim_end()) {
        Some(start) if !trailers.is_empty() => message[..start].lines().count(),
        _ => usize::MAX,
    };
    let mut in_trailer = false;
    let mut lines = message.lines();
    let subject = lines.next().unwrap_or("");
    if let Some(first) = subject.split([' ', ':', ']']).next()
        && let Some(key) = project_key(first.trim_start_matches('[')).filter(|k| !is_standard(k))
    {
        add(key, "subject");
    }
    for (at, (basis, line)) in
        std::iter::once(("subject", subject)).chain(lines.map(|l| ("body", l))).enumerate()
    {
        // A trailer that names no tickets may still hold the address of one.
        in_trailer = at >= trailing
            && (line.split_once(':').is_some_and(|(key, _)| is_trailer_key(key))
                || in_trailer && line.starts_with([' ', '\t']));
        if in_trailer {
            tokens(line).filter_map(issue_address).for_each(|ticket| add(ticket, "trailer"));
            continue;
        }
        // Whether the words before this one announce a ticket, and whether the last of them says that it is one.
        let (mut announced, mut named) = (false, false);
        // `Change acme/app#12` and `PR acme/app#12` say themselves that they mean something else.
        let mut other = false;
        for token in tokens(line) {
            let bare = token.trim_end_matches(':');
            if let Some(ticket) = issue_address(token) {
                add(ticket, "link");
                continue;
            }
            if let Some(ticket) = reference(bare)
                && (announced || !ticket.starts_with('#') && !other)
            {
                add(ticket, basis);
                continue;
            }
            if let Some(key) =
                project_key(bare).filter(|k| announced && !is_standard(k) || is_configured(k, conventions))
            {
                add(key, basis);
                continue;
            }
            let digits = bare.len() >= 3 && bare.len() <= 7 && bare.bytes().all(|b| b.is_ascii_digit());
            if named && digits {
                add(format!("#{bare}"), basis);
                continue;
            }
            let word = bare.to_ascii_lowercase();
            other = matches!(word.as_str(), "change" | "cl" | "pr" | "pull" | "request" | "format");
            named = matches!(word.as_str(), "issue" | "issues" | "bug" | "bugs") || named && word == "and";
            announced =
                named || Conventions::is(&conventions.ticket_words, bare) || announced && word == "and";
        }
    }
    found
}

fn tokens(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c.is_whitespace() || c == ',' || c == ';' || c == '(' || c == ')')
        .flat_map(|t| t.split("--"))
        .map(|t| t.trim_end_matches(['.', '!', '?', ']']).trim_start_matches('['))
        .filter(|t| !t.is_empty())
}

/// `#12` or `owner/repo#12`.
fn reference(token: &str) -> Option<String> {
    if let Some(address) = issue_address(token) {
        return Some(address);
    }
    let (repository, number) = token.split_once('#')?;
    let digits = !number.is_empty() && number.len() <= 9 && number.bytes().all(|b| b.is_ascii_digit());
    // A host may stand before owner and repository.
    let repository = match repository.matches('/').count() {
        2 => repository.split_once('/').map_or(repository, |(_, rest)| rest),
        _ => repository,
    };
    let part = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let named = repository.is_empty()
        || repository.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name));
    (digits && named).then(|| format!("{}#{number}", repository.to_lowercase()))
}

/// The address of an issue, with or without a scheme: `github.com/owner/repo/issues/12` (also GitLab's `/-/issues/12`)
/// as `owner/repo#12`, `golang.org/issue/12` as `golang.org#12`.
fn issue_address(token: &str) -> Option<String> {
    let rest = token.strip_prefix("https://").or_else(|| token.strip_prefix("http://")).unwrap_or(token);
    let (host, path) = rest.split_once('/')?;
    if !host.contains('.') || host.starts_with('.') {
        return None;
    }
    let (before, number) =
        [path.split_once("issues/"), path.split_once("issue/")].into_iter().flatten().next()?;
    let number: String = number.chars().take_while(char::is_ascii_digit).collect();
    let before = before.trim_end_matches('/');
    let before = before.strip_suffix("/-").unwrap_or(before);
    let tracker = if before.is_empty() { host } else { before };
    let known = before.is_empty() || before.contains('/');
    (!number.is_empty() && number.len() <= 9 && known).then(|| format!("{}#{number}", tracker.to_lowercase()))
}

/// `ABC-12`.
pub(crate) fn project_key(token: &str) -> Option<String> {
    let (project, number) = token.split_once('-')?;
    let upper = project.len() >= 2
        && project.starts_with(|c: char| c.is_ascii_uppercase())
        && project.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let digits = !number.is_empty() && number.len() <= 7 && number.bytes().all(|b| b.is_ascii_digit());
    (upper && digits).then(|| token.to_owned())
}

/// Whether the key's project is one of the configured ones.
pub(crate) fn is_configured(key: &str, conventions: &Conventions) -> bool {
    Conventions::is(&conventions.ticket_projects, key.split('-').next().unwrap_or(""))
}

/// Names of standards that look like ticket keys.
pub(crate) fn is_standard(key: &str) -> bool {
    matches!(
        key.split('-').next(),
        Some(
            "UTF"
                | "SHA"
                | "RFC"
                | "ISO"
                | "CVE"
                | "CWE"
                | "MD"
                | "AES"
                | "RSA"
                | "UCS"
                | "IEEE"
                | "PEP"
                | "HTTP"
                | "TLS"
                | "X"
                | "CP"
                | "ECMA"
                | "GPT"
                | "UTC"
                | "GPL"
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(key: &str) -> bool {
        key.eq_ignore_ascii_case("reviewed-by") || key.eq_ignore_ascii_case("signed-off-by")
    }

    #[track_caller]
    fn check_trailers(message: &str, expect: &str) {
        let got: Vec<String> = trailers(message, &known).iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(got.join(" | "), expect);
    }

    #[test]
    fn trailers_are_the_last_paragraph() {
        check_trailers(
            "s\n\nbody\n\nReviewed-by: Ann <a@x>\nFixes: #1\n",
            "Reviewed-by=Ann <a@x> | Fixes=#1",
        );
        check_trailers("s\n\nReviewed-by: Ann\n  Lee <a@x>\n", "Reviewed-by=Ann Lee <a@x>");
        // A trailer above the last paragraph is prose.
        check_trailers("s\n\nReviewed-by: Ann <a@x>\n\nThanks to all.\n", "");
        // The subject alone is never a trailer.
        check_trailers("Reviewed-by: Ann <a@x>", "");
        // Prose with a colon is no trailer block without a known trailer.
        check_trailers("s\n\nNote: this is\nonly prose\n", "");
        // One known trailer among a few lines of noise counts, as in git.
        check_trailers("s\n\nsee the docs\nReviewed-by: Ann <a@x>\n", "Reviewed-by=Ann <a@x>");
        check_trailers("s\n\nReviewed-by: A <a@x>\r\nFixes: #2\r\n", "Reviewed-by=A <a@x> | Fixes=#2");
    }

    #[track_caller]
    fn check_tickets(message: &str, expect: &str) {
        let conventions = Conventions { ticket_projects: vec!["OPS".into()], ..Conventions::default() };
        let found = trailers(message, &|k| Conventions::is(&conventions.ticket_trailers, k));
        let got: Vec<String> = tickets(message, &found, &conventions)
            .iter()
            .map(|m| format!("{} ({})", m.ticket, m.basis))
            .collect();
        assert_eq!(got.join(", "), expect);
    }

    #[test]
    fn tickets_are_named_in_many_ways() {
        check_tickets("fix crash\n\nFixes golang/go#73854\n", "golang/go#73854 (body)");
        check_tickets("fix crash\n\nFixes: golang/go#73854", "golang/go#73854 (trailer)");
        check_tickets("fix crash\n\nCloses #1, #2 and #3.", "#1 (body), #2 (body), #3 (body)");
        check_tickets("ABC-12: fix crash", "ABC-12 (subject)");
        check_tickets("[ABC-12] fix crash", "ABC-12 (subject)");
        check_tickets("fix crash (OPS-9)", "OPS-9 (subject)");
        check_tickets("s\n\nhttps://github.com/Acme/App/issues/7#c1", "acme/app#7 (link)");
        check_tickets("s\n\nFixes https://golang.org/issue/47784", "golang.org#47784 (link)");
        check_tickets("s\n\nfollow github.com/acme/app/issues/12.", "acme/app#12 (link)");
        check_tickets("s\n\nUpdate #8642", "#8642 (body)");
        check_tickets("s\n\nFixes issue 9462 and bug 6562.", "#9462 (body), #6562 (body)");
        check_tickets("s\n\nPart of fixing golang/go#76310", "golang/go#76310 (body)");
        check_tickets("s\n\nsee github.com/acme/app#5", "acme/app#5 (body)");
        check_tickets("s\n\nFixes acme/app#1\nChange-Id: I1\nFixes: #2", "#2 (trailer), acme/app#1 (body)");
        check_tickets("s\n\nMay fix: acme/app#3\nFixes: #2", "#2 (trailer), acme/app#3 (body)");
        check_tickets(
            "s\n\nContext: https://github.com/acme/app/issues/4\nFixes: #2",
            "#2 (trailer), acme/app#4 (trailer)",
        );
        check_tickets("s\n\nfix--acme/app#6", "acme/app#6 (body)");
        check_tickets(
            "s\n\nbody\n\nAddresses: golang/go#65960\nFixes: #1",
            "golang/go#65960 (trailer), #1 (trailer)",
        );
    }

    #[test]
    fn what_only_looks_like_a_ticket_is_none() {
        check_tickets("add UTF-8 and SHA-256 support", "");
        check_tickets("UTF-8: decode lazily", "");
        check_tickets("add a cache (#12)", "");
        check_tickets("Merge pull request #12 from ann/fix", "");
        check_tickets("s\n\nfor #channel and #hashtags", "");
        check_tickets("read /etc/fstab for X-12a", "");
        check_tickets("s\n\nan issue of 12 lines, bug 7, issue 12", "");
        check_tickets("s\n\ngolang.go/#59124 is misspelt", "");
        check_tickets("s\n\nbody\n\nGitHub-Pull-Request: acme/app#670\nFixes: nothing", "");
        check_tickets("s\n\nsrc/issues/12 and a/issue/1", "");
        check_tickets("s\n\nChange acme/app#145697, original PR acme/app#21, Google Issue 331478795", "");
    }

    #[test]
    fn odd_commits_are_read_as_far_as_they_go() {
        let commit =
            parse_commit(b"tree 1\nauthor <> 1 +0000\ncommitter C <C@X> nonsense\n\nhi\xff").unwrap();
        assert_eq!(commit.author.as_ref().unwrap().0.email, "");
        let (person, at) = commit.committer.clone().unwrap();
        assert_eq!((person.email.as_str(), at), ("c@x", None));
        assert_eq!(commit.message, "hi\u{fffd}");
        assert_eq!(parse_commit(b"not a commit"), None);
        let signed = parse_commit(b"tree 1\nparent a\nparent b\nauthor A <a@x> 9 +0000\ncommitter A <a@x> 99999999999999999 +0000\ngpgsig -----BEGIN\n \n -----END\n\ns").unwrap();
        assert!(signed.signed);
        assert_eq!(signed.parents, ["a", "b"]);
        assert_eq!(signed.committer.unwrap().1, Some(Instant::FOREVER));
    }
}
