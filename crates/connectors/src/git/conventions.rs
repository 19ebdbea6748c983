//! How a team writes its commit messages: configuration with good defaults.
//!
//! In `tickmark.toml` under `[conventions]`. The conventions in force are appended to the ledger when they change, so
//! that rows stay a function of the ledger.

use model::Instant;
use serde::{Deserialize, Serialize};

/// Trailers, tickets and bots, as this organisation writes them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conventions {
    /// Trailers that name a person who reviewed and agreed.
    pub reviewed_by: Vec<String>,
    /// Trailers that name a person who agreed without saying that they reviewed.
    pub acked_by: Vec<String>,
    /// Trailers that give the address of the review. Its first use proposes when reviewing by trailers began.
    pub reviewed_on: Vec<String>,
    /// Since when every change must name its review in trailers; the first `reviewed_on` when absent.
    pub reviews_since: Option<Instant>,
    /// Trailers by which a robot says that the tests passed.
    pub tests_passed: Vec<String>,
    /// Since when every change must carry such a trailer. Never proposed: absent means that nobody said so.
    pub tests_since: Option<Instant>,
    /// Trailers that name another author.
    pub co_authored_by: Vec<String>,
    /// Words by which a sentence of the message says that somebody else wrote it too, such as `joint with Ann`.
    pub joint_words: Vec<String>,
    /// Trailers that name tickets.
    pub ticket_trailers: Vec<String>,
    /// Words before a ticket in a sentence, such as `fixes #12`.
    pub ticket_words: Vec<String>,
    /// Keys of ticket projects, such as `ABC`: then `ABC-12` counts wherever it stands.
    pub ticket_projects: Vec<String>,
    /// Repository whose tickets a bare `#12` names, such as `acme/tracker`; the change's own when absent.
    pub ticket_repository: Option<String>,
    /// Since when every change must name a ticket in its message. Never proposed.
    pub tickets_since: Option<Instant>,
    /// Words in a name that mark a robot, as whole words.
    pub bot_words: Vec<String>,
    /// E-mail addresses of robots.
    pub bot_emails: Vec<String>,
}

impl Default for Conventions {
    fn default() -> Self {
        let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        Self {
            reviewed_by: list(&["reviewed-by"]),
            acked_by: list(&["acked-by"]),
            reviewed_on: list(&["reviewed-on"]),
            reviews_since: None,
            tests_passed: list(&["tryBot-result", "luci-trybot-result"]),
            tests_since: None,
            co_authored_by: list(&["co-authored-by", "co-developed-by"]),
            joint_words: list(&[
                "joint with",
                "joint work with",
                "co-authored with",
                "co-written with",
                "paired with",
                "pairing with",
            ]),
            ticket_trailers: list(&[
                "fixes",
                "closes",
                "resolves",
                "updates",
                "for",
                "refs",
                "references",
                "issue",
                "bug",
                "ticket",
                "jira",
                "addresses",
            ]),
            ticket_words: list(&[
                "fix",
                "fixes",
                "fixed",
                "close",
                "closes",
                "closed",
                "resolve",
                "resolves",
                "resolved",
                "update",
                "updates",
                "for",
                "refs",
                "references",
                "issue",
                "bug",
            ]),
            ticket_projects: vec![],
            ticket_repository: None,
            tickets_since: None,
            bot_words: list(&["bot", "robot", "[bot]"]),
            bot_emails: list(&["noreply@github.com"]),
        }
    }
}

impl Conventions {
    /// Whether `trailer` (any case) is in `list`.
    pub(super) fn is(list: &[String], trailer: &str) -> bool {
        list.iter().any(|word| word.eq_ignore_ascii_case(trailer))
    }

    /// Whether a name or e-mail address is a robot's. Whole words only: `Abbot` and `Talbot` are people.
    pub(super) fn is_bot(&self, name: &str, email: &str) -> bool {
        let bracket = "[bot]";
        let local = email.split('@').next().unwrap_or("");
        self.bot_emails.iter().any(|e| e.eq_ignore_ascii_case(email))
            || name.to_lowercase().ends_with(bracket)
            || local.to_lowercase().ends_with(bracket)
            || name
                .split(|c: char| c.is_whitespace() || c == '-' || c == '_')
                .any(|word| self.bot_words.iter().any(|bot| bot.eq_ignore_ascii_case(word)))
    }
}
