//! How strong the protection of a branch is: classic protection and the rules of rulesets read together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::derive::{items, text};

/// A rule, and how many may bypass the ruleset it stands in; `None` when that is not visible.
pub(super) struct InForce<'a> {
    pub(super) rule: &'a Json,
    pub(super) ruleset: Option<u64>,
    pub(super) bypass_actors: Option<usize>,
}

/// How strong a protection is. `None` is unknown.
#[derive(Default)]
pub(super) struct Strength {
    pub(super) protected: Option<bool>,
    pub(super) approvals: Option<i64>,
    pub(super) dismisses: Option<bool>,
    pub(super) binds_admins: Option<bool>,
    pub(super) blocks_force: Option<bool>,
    pub(super) checks: BTreeSet<String>,
    pub(super) checks_required: Option<i64>,
    pub(super) bypass_actors: Option<i64>,
}

/// Classic protection (`null` when there is none) and rules together. What could not be read is unknown, but for what
/// the part that was read already settles.
pub(super) fn strength(classic: Option<&Json>, rules: Option<&[InForce<'_>]>) -> Strength {
    /// Rules without which a change could land unseen. The others shape what lands, and stop nobody.
    const GATES: &[&str] = &[
        "pull_request",
        "required_status_checks",
        "merge_queue",
        "update",
        "workflows",
        "code_scanning",
        "required_deployments",
    ];
    let of_kind = |kind: &str| -> Option<Vec<&Json>> {
        rules
            .map(|all| all.iter().filter(|r| r.rule["type"] == kind).map(|r| &r.rule["parameters"]).collect())
    };
    let reviews = classic.map(|c| &c["required_pull_request_reviews"]);
    let classic_gates = classic.map(|c| {
        ["required_pull_request_reviews", "required_status_checks", "restrictions"]
            .iter()
            .any(|n| c[*n].is_object())
            || c["lock_branch"]["enabled"] == true
    });
    let gates: Option<Vec<&InForce<'_>>> = rules.map(|all| {
        all.iter().filter(|r| r.rule["type"].as_str().is_some_and(|t| GATES.contains(&t))).collect()
    });
    let rules_gate = gates.as_ref().map(|g| !g.is_empty());
    let pull_request = of_kind("pull_request");

    let mut checks: BTreeSet<String> = BTreeSet::new();
    if let Some(classic) = classic {
        let demanded = &classic["required_status_checks"];
        checks.extend(items(&demanded["checks"]).iter().filter_map(|c| text(&c["context"])));
        checks.extend(items(&demanded["contexts"]).iter().filter_map(text));
    }
    for parameters in of_kind("required_status_checks").iter().flatten() {
        checks
            .extend(items(&parameters["required_status_checks"]).iter().filter_map(|c| text(&c["context"])));
    }

    // Who gets past: administrators unless they are bound, the allowances of classic protection, and the bypass actors
    // of the rulesets that gate. What is not visible is not none.
    let admins_bound = classic.map(|c| c["enforce_admins"]["enabled"] == true);
    let classic_actors = match (classic_gates, admins_bound) {
        (Some(false), _) => Some(0),
        (Some(true), Some(true)) => reviews.map(|r| {
            let allowances = &r["bypass_pull_request_allowances"];
            ["users", "teams", "apps"].iter().map(|who| items(&allowances[*who]).len()).sum::<usize>()
        }),
        _ => None,
    };
    let rule_actors = gates.as_ref().and_then(|gates| {
        let by_ruleset: BTreeMap<Option<u64>, Option<usize>> =
            gates.iter().map(|gate| (gate.ruleset, gate.bypass_actors)).collect();
        by_ruleset.into_values().sum::<Option<usize>>()
    });
    let binds_admins = match (classic_gates, rules_gate) {
        (Some(true), _) if admins_bound == Some(true) => Some(true),
        (_, Some(true)) if rule_actors == Some(0) => Some(true),
        (Some(true), Some(false)) => admins_bound,
        (Some(false), Some(true)) | (Some(true), Some(true)) => rule_actors.map(|n| n == 0),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    };
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);

    Strength {
        protected: either(classic_gates, rules_gate),
        approvals: at_least(
            reviews.map(|r| r["required_approving_review_count"].as_i64().unwrap_or(0)),
            pull_request.as_ref().map(|all| {
                all.iter().filter_map(|p| p["required_approving_review_count"].as_i64()).max().unwrap_or(0)
            }),
        ),
        dismisses: either(
            reviews.map(|r| r["dismiss_stale_reviews"] == true),
            pull_request.as_ref().map(|all| all.iter().any(|p| p["dismiss_stale_reviews_on_push"] == true)),
        ),
        binds_admins,
        // A part that stands in the way is enough; without one, everything has to be known.
        blocks_force: either(
            classic.map(|c| c.is_object() && c["allow_force_pushes"]["enabled"] != true),
            of_kind("non_fast_forward").map(|all| !all.is_empty()),
        ),
        checks_required: (!checks.is_empty() || (classic.is_some() && rules.is_some()))
            .then(|| count(checks.len())),
        checks,
        bypass_actors: classic_actors.zip(rule_actors).map(|(a, b)| count(a + b)),
    }
}

/// Whether a ruleset's conditions name the branch. A pattern that cannot be read names nothing and excludes everything:
/// the branch may be better guarded than is said, never worse.
pub(super) fn applies(ruleset: &Json, branch: &str, context: &Json) -> bool {
    let names = &ruleset["conditions"]["ref_name"];
    let full = format!("refs/heads/{branch}");
    let is_default = context["default_branch"] == branch;
    let matches = |pattern: &Json, unreadable: bool| match pattern.as_str() {
        Some("~ALL") => true,
        Some("~DEFAULT_BRANCH") => is_default,
        Some(pattern) if pattern.contains(['[', ']', '{', '}', '\\', '+', '!']) => unreadable,
        Some(pattern) => glob(pattern.as_bytes(), full.as_bytes()),
        None => unreadable,
    };
    items(&names["include"]).iter().any(|p| matches(p, false))
        && !items(&names["exclude"]).iter().any(|p| matches(p, true))
}

/// `*` and `?` stop at a slash, `**` does not.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', b'*', rest @ ..] => {
            let rest = rest.strip_prefix(b"/").unwrap_or(rest);
            (0..=text.len()).any(|n| glob(rest, &text[n..]))
        }
        [b'*', rest @ ..] => {
            let end = text.iter().position(|b| *b == b'/').unwrap_or(text.len());
            (0..=end).any(|n| glob(rest, &text[n..]))
        }
        [b'?', rest @ ..] => text.first().is_some_and(|b| *b != b'/') && glob(rest, &text[1..]),
        [byte, rest @ ..] => text.first() == Some(byte) && glob(rest, &text[1..]),
    }
}

/// Or of two parts of which one may be unknown.
fn either(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

/// The larger of two counts of which one may be unknown: what is known already asks for so many.
fn at_least(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (Some(n), None) | (None, Some(n)) => Some(n).filter(|n| *n > 0),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_star_stops_at_a_slash() {
        let check = |pattern: &str, text: &str| glob(pattern.as_bytes(), text.as_bytes());
        assert!(check("refs/heads/main", "refs/heads/main") && !check("refs/heads/main", "refs/heads/main2"));
        assert!(
            check("refs/heads/rel*", "refs/heads/release")
                && !check("refs/heads/rel*", "refs/heads/release/1")
        );
        assert!(check("refs/heads/**", "refs/heads/a/b") && check("refs/heads/**/b", "refs/heads/a/x/b"));
        assert!(check("refs/heads/v?", "refs/heads/v1") && !check("refs/heads/v?", "refs/heads/v"));
    }

    #[test]
    fn what_cannot_be_read_never_makes_a_branch_stronger() {
        let check = |include: &str, exclude: &str| {
            let ruleset =
                json!({ "conditions": { "ref_name": { "include": [include], "exclude": [exclude] } } });
            applies(&ruleset, "main", &json!({ "default_branch": "main" }))
        };
        assert!(check("~DEFAULT_BRANCH", "refs/heads/x") && check("~ALL", "refs/heads/x"));
        assert!(!check("refs/heads/[mn]ain", "refs/heads/x"));
        assert!(!check("~ALL", "refs/heads/[xy]") && !check("~ALL", "refs/heads/ma*"));
        assert!(!applies(&json!({}), "main", &json!({})));
    }
}
