//! The streams of GitHub: what each one needs, how long the source keeps it, and which record tables rest on it.

/// How a stream behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StreamKind {
    /// Things that happened; asked for by window.
    Event,
    /// The state of now; only the history that was collected exists.
    Snapshot,
    /// One look per item of another stream.
    Detail,
}

/// How far a right goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Level {
    Read,
    Write,
    Admin,
}

impl Level {
    pub(super) fn named(word: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Admin].into_iter().find(|level| level.word() == word)
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// Rights as GitHub's settings call them, and as its API does.
const PERMISSIONS: &[(&str, &str)] = &[
    ("Actions", "actions"),
    ("Administration", "administration"),
    ("Checks", "checks"),
    ("Commit statuses", "statuses"),
    ("Contents", "contents"),
    ("Deployments", "deployments"),
    ("Issues", "issues"),
    ("Metadata", "metadata"),
    ("Organisation administration", "organization_administration"),
    ("Organisation members", "members"),
    ("Pull requests", "pull_requests"),
];

/// One stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stream {
    /// Its name in receipts.
    pub name: &'static str,
    /// How it behaves.
    pub kind: StreamKind,
    /// The right the token needs, as GitHub's settings call it.
    pub permission: &'static str,
    /// How many days back the source can still be asked; `None` when it keeps everything.
    pub retention_days: Option<u32>,
    /// What it proves.
    pub proves: &'static str,
}

impl Stream {
    /// The rights a GitHub App has to be granted for it: as the settings call them, as the API does, and how far. What
    /// stands in parentheses is no condition; an owner of the organisation is somebody no App can be.
    pub(super) fn needs(&self) -> Vec<(&'static str, &'static str, Level)> {
        let rights = self.permission.split(" (").next().unwrap_or("").split(" and ");
        rights
            .filter_map(|right| {
                let (label, level) = right.split_once(": ")?;
                let (label, name) = PERMISSIONS.iter().find(|(known, _)| *known == label)?;
                Some((*label, *name, Level::named(level)?))
            })
            .collect()
    }
}

const fn stream(
    name: &'static str,
    kind: StreamKind,
    permission: &'static str,
    retention_days: Option<u32>,
    proves: &'static str,
) -> Stream {
    Stream { name, kind, permission, retention_days, proves }
}

use StreamKind::{Detail, Event, Snapshot};

/// Every stream, in the order a run collects them.
pub const STREAMS: &[Stream] = &[
    stream(
        "repository",
        Snapshot,
        "Metadata: read",
        None,
        "which repository it is, for good, and its default branch",
    ),
    stream(
        "branch_protection",
        Snapshot,
        "Administration: read",
        None,
        "the classic protection of the default branch",
    ),
    stream(
        "rulesets",
        Snapshot,
        "Metadata: read (bypass actors: write to the ruleset)",
        None,
        "the rulesets and who may bypass them",
    ),
    stream(
        "ruleset_history",
        Detail,
        "Administration: write (GitHub shows the history to nobody with less)",
        None,
        "every version of a ruleset, with the instant it came into force",
    ),
    stream("rules", Snapshot, "Metadata: read", None, "the rules in force on the default branch"),
    stream("commits", Event, "Contents: read", None, "what landed on the default branch, in which order"),
    stream(
        "commit_pulls",
        Detail,
        "Pull requests: read",
        None,
        "which pull request a landed commit came from, or none",
    ),
    stream(
        "activity",
        Event,
        "Contents: read",
        None,
        "when the default branch moved, and whether its history was rewritten",
    ),
    stream("pulls", Event, "Pull requests: read", None, "what was proposed, when and by whom it was merged"),
    stream(
        "timeline",
        Detail,
        "Issues: read and Pull requests: read",
        None,
        "dismissed reviews, rewritten heads, merge events",
    ),
    stream("reviews", Detail, "Pull requests: read", None, "who approved which revision, and when"),
    stream("pull_commits", Detail, "Pull requests: read", None, "whose work is in a pull request"),
    stream(
        "pushes",
        Detail,
        "Contents: read",
        None,
        "who pushed the commits of a pull request, whoever they name as author",
    ),
    stream(
        "check_runs",
        Detail,
        "Checks: read",
        None,
        "how the checks on the merged revision ended, repetitions included",
    ),
    stream("statuses", Detail, "Commit statuses: read", None, "how the older kind of checks ended"),
    stream(
        "issues",
        Event,
        "Issues: read",
        None,
        "which tickets the repository's own tracker holds, and since when",
    ),
    stream(
        "rule_suites",
        Event,
        "Administration: read (write on older servers)",
        Some(28),
        "who bypassed a ruleset",
    ),
    stream(
        "audit_log",
        Event,
        "Organisation administration: read (Enterprise Cloud)",
        Some(180),
        "overridden and edited branch protection",
    ),
    stream("deployments", Event, "Deployments: read", None, "what was deployed where, by whom"),
    stream("deployment_statuses", Detail, "Deployments: read", None, "how a deployment ended"),
    stream(
        "deployment_reviews",
        Detail,
        "Actions: read",
        None,
        "who let a deployment pass the gate of an environment",
    ),
    stream(
        "workflow_runs",
        Event,
        "Actions: read",
        Some(400),
        "what was built of which revision, repetitions included",
    ),
    stream("members", Snapshot, "Organisation members: read", None, "who belongs to the organisation"),
    stream("members_without_2fa", Snapshot, "an owner of the organisation", None, "who has no second factor"),
    stream(
        "outside_collaborators",
        Snapshot,
        "Organisation members: read",
        None,
        "who has access without belonging to it",
    ),
    stream(
        "collaborators",
        Snapshot,
        "Metadata: read (push access)",
        None,
        "who can do what in the repository",
    ),
];

/// A record table and the streams it rests on: see [`streams_of`].
pub(super) const RESTS_ON: &[(&str, &[&str])] = &[
    ("repository", &["repository"]),
    ("change", &["commits"]),
    ("change_pull_request", &["commits", "commit_pulls"]),
    ("pull_request", &["pulls"]),
    ("ticket_reference", &["commits", "pulls"]),
    ("ticket", &["issues"]),
    ("contributor", &["pulls", "pull_commits", "timeline"]),
    ("approval", &["reviews", "timeline"]),
    ("check_run", &["check_runs", "statuses"]),
    ("branch_rule", &["branch_protection", "rules"]),
    ("required_check", &["branch_protection", "rules"]),
    // Classic protection leaves no trace of an override but in the audit log.
    ("bypass", &["commit_pulls", "rule_suites", "audit_log"]),
    ("deployment", &["deployments", "deployment_statuses"]),
    ("deployment_approval", &["deployments", "deployment_statuses", "deployment_reviews"]),
    ("build", &["workflow_runs"]),
    ("membership", &["members", "outside_collaborators"]),
];

/// The streams a record table rests on: all must be complete before the absence of a row says anything. None when
/// nothing here feeds the table.
#[must_use]
pub fn streams_of(table: &str) -> &'static [&'static str] {
    RESTS_ON.iter().find(|(name, _)| *name == table).map_or(&[], |(_, streams)| streams)
}

/// Record tables that rest on a stream GitHub forgets, with that stream: what is not collected in its days is lost.
pub fn forgotten() -> impl Iterator<Item = (&'static str, &'static Stream)> {
    let of = |(table, names): &'static (&'static str, &'static [&'static str])| {
        names.iter().filter_map(|name| stream_named(name)).map(|stream| (*table, stream))
    };
    RESTS_ON.iter().flat_map(of).filter(|(_, stream)| stream.retention_days.is_some())
}

/// The stream of that name.
#[must_use]
pub fn stream_named(name: &str) -> Option<&'static Stream> {
    STREAMS.iter().find(|s| s.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_right_is_one_that_an_app_can_be_granted() {
        for stream in STREAMS {
            let rights = stream.permission.matches(": ").count()
                - stream.permission.matches("(bypass actors: ").count();
            assert_eq!(stream.needs().len(), rights, "{}: {}", stream.name, stream.permission);
        }
    }

    #[test]
    fn every_table_rests_on_streams_that_exist() {
        for (table, streams) in RESTS_ON {
            for name in *streams {
                assert!(stream_named(name).is_some(), "{table} rests on `{name}`, which is no stream");
            }
        }
    }
}
