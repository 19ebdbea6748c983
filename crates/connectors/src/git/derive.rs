//! Reading facts out of captured commits: what git itself shows, and what review trailers assert.
//!
//! Everything a message says is text that the committer wrote: such facts have the grade `asserted`. Git's own record
//! (which commit landed, in which order, with which parents) has the grade `system`.

use std::collections::HashSet;

use model::{Derived, DisplayFact, Document, Fact, FactValue, Grade, Instant, Key};
use serde_json::Value as Json;

use super::conventions::Conventions;
use super::message::{
    Commit, Person, is_known_trailer, names_another_author, parse_commit, parse_person, tickets, trailers,
};
use super::{COMMITS, REFS};

/// The system that an e-mail address in a commit is an account of.
const SYSTEM: &str = "git";

/// Facts of one captured document of this connector; nothing for other documents.
#[must_use]
pub fn derive(document: &Document<'_>, conventions: &Conventions) -> Derived {
    let mut out = Derived::default();
    let context = &document.receipt.context;
    let Some(repository) = context["repository"].as_str() else {
        out.problems.push("the receipt names no repository".to_owned());
        return out;
    };
    let reader = Reader { repository, conventions, collected_at: document.receipt.collected_at };
    match document.receipt.stream.as_str() {
        COMMITS => {
            reader.repository(context, &mut out);
            reader.commits(document.body, context, &mut out);
            reader.coverage(context, &mut out);
        }
        REFS => reader.tags(document.body, &mut out),
        other => out.problems.push(format!("the stream `{other}` is not one of git's")),
    }
    out
}

struct Reader<'a> {
    repository: &'a str,
    conventions: &'a Conventions,
    collected_at: Instant,
}

impl Reader<'_> {
    fn repository_key(&self) -> Key {
        Key::new("repository", "", self.repository)
    }

    fn repository(&self, context: &Json, out: &mut Derived) {
        let text = |name: &str| context[name].as_str().map(str::to_owned);
        out.facts.push(Fact {
            table: "repository",
            about: self.repository_key(),
            grade: Grade::System,
            values: vec![
                ("label", text("label").unwrap_or_else(|| self.repository.to_owned()).into()),
                ("default_branch", text("branch").into()),
                ("tip", text("tip").map(|tip| Key::new("revision", "", tip)).into()),
            ],
        });
    }

    fn tags(&self, body: &[u8], out: &mut Derived) {
        let Ok(snapshot) = serde_json::from_slice::<Json>(body) else {
            out.problems.push("the snapshot of references is no JSON".to_owned());
            return;
        };
        for tag in snapshot["tags"].as_array().into_iter().flatten() {
            let Some(name) = tag["name"].as_str() else { continue };
            let commit = tag["commit"].as_str().map(|id| Key::new("revision", "", id));
            out.facts.push(Fact {
                table: "tag",
                about: Key::new("tag", self.repository, name),
                grade: Grade::System,
                values: vec![
                    ("repository", self.repository_key().into()),
                    ("label", name.into()),
                    ("revision", commit.into()),
                ],
            });
        }
    }

    fn commits(&self, mut body: &[u8], context: &Json, out: &mut Derived) {
        let mut landed_after = context["landed_after"].as_i64().map_or(Instant::BEGINNING, Instant::from_ms);
        let mut accounts = HashSet::new();
        // Side commits come before the merge that landed them.
        let mut side: Vec<(String, Commit<'_>)> = vec![];
        while !body.is_empty() {
            let Some((id, change, bytes, rest)) = split_object(body) else {
                out.problems.push("the capture's framing is broken; the rest of it was not read".to_owned());
                return;
            };
            body = rest;
            let Some(commit) = parse_commit(bytes) else {
                out.problems.push(format!("commit {id} cannot be read"));
                continue;
            };
            if id != change {
                side.push((id.to_owned(), commit));
                continue;
            }
            let at = self.change(id, &commit, &side, landed_after, &mut accounts, out);
            side.clear();
            if at <= self.collected_at {
                landed_after = landed_after.max(at);
            }
        }
        if !side.is_empty() {
            out.problems.push("the capture ends before the change its last commits landed with".to_owned());
        }
    }

    fn change(
        &self,
        id: &str,
        commit: &Commit<'_>,
        side: &[(String, Commit<'_>)],
        landed_after: Instant,
        accounts: &mut HashSet<String>,
        out: &mut Derived,
    ) -> Instant {
        let change = Key::new("change", self.repository, id);
        let revision = Key::new("revision", "", id);
        let author = commit.author.as_ref().and_then(|(p, _)| self.account(p, accounts, out));
        let committer = commit.committer.as_ref().and_then(|(p, _)| self.account(p, accounts, out));
        // A commit without a readable date cannot be attributed by its own clock: it takes its place on the branch.
        let merged_at = commit.committer.as_ref().and_then(|(_, at)| *at).unwrap_or(landed_after);
        out.facts.push(Fact {
            table: "change",
            about: change.clone(),
            grade: Grade::System,
            values: vec![
                ("repository", self.repository_key().into()),
                ("revision", revision.clone().into()),
                ("label", id.into()),
                ("merged_at", merged_at.into()),
                ("landed_after", landed_after.into()),
                ("authored_at", commit.author.as_ref().and_then(|(_, at)| *at).into()),
                ("author", author.clone().into()),
                ("committer", committer.clone().into()),
                ("parents", i64::try_from(commit.parents.len()).unwrap_or(i64::MAX).into()),
                ("signed", commit.signed.into()),
            ],
        });
        let subject = commit.message.lines().next().unwrap_or("").trim();
        out.display.push(DisplayFact { about: change.clone(), field: "title", text: subject.to_owned() });

        let c = self.conventions;
        let trailers = trailers(&commit.message, &|key| is_known_trailer(c, key));
        for mention in tickets(&commit.message, &trailers, c) {
            let basis = mention.basis;
            let ticket = mention.key(self.repository, c);
            out.facts.push(Fact {
                table: "ticket_reference",
                about: Key::new("ticket_reference", self.repository, format!("{id} {ticket}")),
                grade: Grade::Asserted,
                values: vec![
                    ("change", change.clone().into()),
                    ("ticket", Key::new("ticket", "", ticket).into()),
                    ("basis", basis.into()),
                ],
            });
        }
        self.review(id, commit, side, &trailers, (author, committer), merged_at, accounts, out);
        merged_at
    }

    /// What the trailers say about a review. A change without any such trailer has no proposed change: nothing is
    /// known about how it was reviewed.
    #[expect(clippy::too_many_arguments, reason = "all of them are parts of one commit, read once")]
    fn review(
        &self,
        id: &str,
        commit: &Commit<'_>,
        side: &[(String, Commit<'_>)],
        trailers: &[(&str, String)],
        (author, committer): (Option<Key>, Option<Key>),
        merged_at: Instant,
        accounts: &mut HashSet<String>,
        out: &mut Derived,
    ) {
        let c = self.conventions;
        // A cherry-picked message carries the trailers of the first review, too: only what stands below the last address
        // is known to belong to the review under which the change landed.
        let addresses: Vec<usize> =
            (0..trailers.len()).filter(|at| Conventions::is(&c.reviewed_on, trailers[*at].0)).collect();
        let address = addresses.last().map(|at| &trailers[*at].1);
        let own = if addresses.len() > 1 { addresses.last().copied().unwrap_or(0) } else { 0 };
        let reviewers: Vec<(&str, &String)> = trailers
            .iter()
            .enumerate()
            .filter_map(|(at, (k, v))| {
                let status = if Conventions::is(&c.reviewed_by, k) {
                    if at < own { "unknown" } else { "approved" }
                } else if Conventions::is(&c.acked_by, k) {
                    "acknowledged"
                } else {
                    return None;
                };
                Some((status, v))
            })
            .collect();
        let tests: Vec<(&str, &str)> = trailers
            .iter()
            .enumerate()
            .filter(|(_, (k, _))| Conventions::is(&c.tests_passed, k))
            .map(|(at, (k, _))| (*k, if at < own { "unknown" } else { "success" }))
            .collect();
        if address.is_none() && reviewers.is_empty() && tests.is_empty() {
            return;
        }
        let pull_request = Key::new("pull_request", self.repository, format!("trailers {id}"));
        out.facts.push(Fact {
            table: "pull_request",
            about: pull_request.clone(),
            grade: Grade::Asserted,
            values: vec![
                ("repository", self.repository_key().into()),
                ("label", address.cloned().unwrap_or_else(|| id.to_owned()).into()),
                ("status", "merged".into()),
                ("author", author.clone().into()),
            ],
        });
        out.facts.push(Fact {
            table: "change_pull_request",
            about: Key::new("change_pull_request", self.repository, format!("{id} trailers")),
            grade: Grade::Asserted,
            values: vec![
                ("change", Key::new("change", self.repository, id).into()),
                ("pull_request", pull_request.clone().into()),
            ],
        });

        let contribute = |role: &'static str, account: Option<Key>, revision: &str, out: &mut Derived| {
            let who = account.as_ref().map_or("?", |a| a.key.as_str());
            out.facts.push(Fact {
                table: "contributor",
                about: Key::new("contributor", self.repository, format!("{id} {role} {who} {revision}")),
                grade: Grade::Asserted,
                values: vec![
                    ("pull_request", pull_request.clone().into()),
                    ("account", account.into()),
                    ("role", role.into()),
                    ("revision", Key::new("revision", "", revision).into()),
                ],
            });
        };
        // Whoever made a merge commit may only have pressed the button.
        contribute(if side.is_empty() { "author" } else { "lander" }, author.clone(), id, out);
        // Gerrit's server lands the reviewed patch for whoever pressed submit. Elsewhere the committer had the code in
        // their hands: they may have changed it, or only applied it.
        if address.is_none() && commit.parents.len() < 2 && committer != author {
            contribute("lander", committer.clone(), id, out);
        }
        if names_another_author(&commit.message, c)
            && !trailers.iter().any(|(trailer, _)| Conventions::is(&c.co_authored_by, trailer))
        {
            contribute("co_author", None, id, out);
        }
        for (trailer, value) in trailers {
            if Conventions::is(&c.co_authored_by, trailer) {
                let person = parse_person(value);
                let account = self.account(&person, accounts, out);
                // An address alone cannot be compared with a reviewer's name: nobody is proven to be another person. Unless
                // it is the author's or committer's, who are compared anyway.
                let account = account
                    .filter(|a| !person.name.is_empty() || [&author, &committer].contains(&&Some(a.clone())));
                contribute("co_author", account, id, out);
            }
        }
        for (side_id, side_commit) in side {
            let account = side_commit.author.as_ref().and_then(|(p, _)| self.account(p, accounts, out));
            contribute("author", account, side_id, out);
        }

        for (position, (status, value)) in reviewers.iter().enumerate() {
            let account = self.account(&parse_person(value), accounts, out);
            out.facts.push(Fact {
                table: "approval",
                about: Key::new("approval", self.repository, format!("{id} trailer {position}")),
                grade: Grade::Asserted,
                values: vec![
                    ("pull_request", pull_request.clone().into()),
                    ("approver", account.into()),
                    ("status", (*status).into()),
                ],
            });
        }
        for (position, (trailer, conclusion)) in tests.iter().enumerate() {
            out.facts.push(Fact {
                table: "check_run",
                about: Key::new("check_run", self.repository, format!("{id} trailer {position}")),
                grade: Grade::Asserted,
                values: vec![
                    ("pull_request", pull_request.clone().into()),
                    ("name", (*trailer).into()),
                    ("conclusion", (*conclusion).into()),
                ],
            });
        }
        if address.is_some() && c.reviews_since.is_none() {
            // The first change that names its review proposes since when all must; later ones add nothing.
            out.tentative.extend(self.convention("reviews", "approval", merged_at));
        }
    }

    /// A convention in force since `since`: what a message does not say was not done, as far as text can tell.
    fn convention(&self, name: &str, relation: &str, since: Instant) -> Vec<Fact> {
        // The same trailers tie the change to its review.
        ["change_pull_request", relation]
            .into_iter()
            .map(|relation| {
                let name = format!("convention {name}");
                self.window(relation, &name, "complete", since, Instant::FOREVER, None, Grade::Asserted)
            })
            .collect()
    }

    /// The account an e-mail address stands for. `None` without an address: then nobody is named.
    fn account(&self, person: &Person, seen: &mut HashSet<String>, out: &mut Derived) -> Option<Key> {
        if person.email.is_empty() {
            return None;
        }
        let key = Key::new("account", SYSTEM, person.email.clone());
        let bot = self.conventions.is_bot(&person.name, &person.email);
        if seen.insert(format!("{}\n{}", person.email, person.name)) {
            let fact = Fact {
                table: "account",
                about: key.clone(),
                grade: Grade::Asserted,
                values: vec![
                    ("system", SYSTEM.into()),
                    ("kind", if bot { "bot" } else { "human" }.into()),
                    ("valid_from", Instant::BEGINNING.into()),
                    ("valid_to", Instant::FOREVER.into()),
                ],
            };
            // Once a robot, always a robot: a later commit under a human name does not make it a person.
            if bot {
                out.facts.push(fact);
            } else {
                out.tentative.push(fact);
            }
            out.display.push(DisplayFact { about: key.clone(), field: "email", text: person.email.clone() });
            if !person.name.is_empty() {
                out.display.push(DisplayFact {
                    about: key.clone(),
                    field: "name",
                    text: person.name.clone(),
                });
            }
        }
        Some(key)
    }

    fn coverage(&self, context: &Json, out: &mut Derived) {
        for window in context["windows"].as_array().into_iter().flatten() {
            let text = |name: &str| window[name].as_str().unwrap_or("");
            let at = |name: &str| window[name].as_i64().map_or(Instant::BEGINNING, Instant::from_ms);
            // Who contributed stands in the same commits as what landed.
            let relations = if text("relation").is_empty() {
                vec!["change", "contributor"]
            } else {
                vec![text("relation")]
            };
            let reason = Some(text("reason")).filter(|r| !r.is_empty());
            let status = match text("status") {
                "complete" => "complete",
                "partial" => "partial",
                _ => "failed",
            };
            for relation in relations {
                out.facts.push(self.window(
                    relation,
                    text("name"),
                    status,
                    at("from"),
                    at("to"),
                    reason,
                    Grade::System,
                ));
            }
        }
        let c = self.conventions;
        for (name, relation, since) in [
            ("reviews", "approval", c.reviews_since),
            ("tests", "check_run", c.tests_since),
            ("tickets", "ticket_reference", c.tickets_since),
        ] {
            if let Some(since) = since {
                out.facts.extend(self.convention(name, relation, since));
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one argument per column of the coverage table")]
    fn window(
        &self,
        relation: &str,
        name: &str,
        status: &'static str,
        from: Instant,
        to: Instant,
        reason: Option<&str>,
        grade: Grade,
    ) -> Fact {
        Fact {
            table: "coverage",
            about: Key::new("coverage", self.repository, format!("git {relation} {name}")),
            grade,
            values: vec![
                ("scope", self.repository_key().into()),
                ("relation", relation.into()),
                ("covered_from", from.into()),
                ("covered_to", to.into()),
                ("status", status.into()),
                ("reason", reason.map_or(FactValue::Null, Into::into)),
            ],
        }
    }
}

/// One object of the batch: id, change, bytes, and what follows.
fn split_object(body: &[u8]) -> Option<(&str, &str, &[u8], &[u8])> {
    let line_end = body.iter().position(|b| *b == b'\n')?;
    let head = std::str::from_utf8(&body[..line_end]).ok()?;
    let mut parts = head.split(' ');
    let (id, kind, size, change) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let size: usize = size.parse().ok()?;
    let bytes = body.get(line_end + 1..)?.get(..size)?;
    let rest = body.get(line_end + 1 + size..)?;
    (kind == "commit").then_some(())?;
    Some((id, change, bytes, rest.strip_prefix(b"\n")?))
}
