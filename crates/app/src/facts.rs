//! What a history itself shows, judged by nobody: the first screen of a repository that has no other source yet.

use model::{Instant, Period, Value};
use serde::Serialize;

use crate::assessment::Report;
use crate::error::AppError;
use crate::question::integer;
use crate::workspace::Workspace;
use model::Verdict;

/// Facts about the changes of a period.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct History {
    /// Changes in the period.
    pub changes: i64,
    /// Of those, merges of side branches.
    pub merges: i64,
    /// Of those, single commits.
    pub single: i64,
    /// Changes that carry a signature.
    pub signed: i64,
    /// Changes whose text names a ticket.
    pub with_ticket: i64,
    /// Changes that name a review.
    pub with_review: i64,
    /// Changes that name a reviewer.
    pub with_reviewer: i64,
    /// Changes that name a passing test.
    pub with_test: i64,
    /// Different authors.
    pub authors: i64,
    /// Changes written by robots.
    pub by_bots: i64,
    /// Changes whose committer is not their author.
    pub committed_by_another: i64,
    /// Tags on changes of the period.
    pub tags: i64,
    /// Changes dated after they were collected: they belong to no period yet.
    pub future: i64,
    /// Changes dated more than a day before what had already landed.
    pub backdated: i64,
    /// Longest stretch without a change, in milliseconds.
    pub longest_silence_ms: i64,
    /// When it began; absent when there are fewer than two changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_silence_from: Option<Instant>,
}

/// An item that a person should look at first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LookFirst {
    /// The commit's full id.
    pub item: String,
    /// Short text for people.
    pub label: String,
    /// When.
    pub occurred_at: Instant,
    /// Why it is here.
    pub reason: String,
}

const DAY_MS: i64 = 86_400_000;

impl Workspace {
    /// Counts what a repository's history shows over a period.
    ///
    /// # Errors
    /// The database.
    pub fn history(&mut self, repository: &str, period: &Period, now: Instant) -> Result<History, AppError> {
        let Some(id) = self.records.entity_id("repository", 0, repository)? else {
            return Ok(History::default());
        };
        let here = format!("c.repository = {id} AND c.merged_at >= $from AND c.merged_at < $to");
        let mut one = |text: String| -> Result<Vec<i64>, AppError> {
            let answer = self.ask(&text, period, now, None)?;
            Ok(answer.rows.first().into_iter().flatten().map(number).collect())
        };
        let counts = one(format!(
            "SELECT count(*) AS a, count(*) FILTER (WHERE c.parents > 1) AS b, count(*) FILTER (WHERE c.signed = 1) AS c, \
                    count(DISTINCT c.author) AS d, count(*) FILTER (WHERE c.author <> c.committer) AS e, \
                    count(*) FILTER (WHERE c.merged_at < c.landed_after - CAST({DAY_MS} AS BIGINT)) AS f \
               FROM change c WHERE {here}"
        ))?;
        let [changes, merges, signed, authors, committed_by_another, backdated] = counts[..] else {
            return Ok(History::default());
        };
        let mut count = |from: &str| -> Result<i64, AppError> {
            Ok(one(format!("SELECT count(DISTINCT c.id) AS n FROM change c {from}"))?
                .first()
                .copied()
                .unwrap_or(0))
        };
        let review = "JOIN change_pull_request cp ON cp.change = c.id";
        let with_ticket = count(&format!("JOIN ticket_reference r ON r.change = c.id WHERE {here}"))?;
        let with_review = count(&format!("{review} WHERE {here}"))?;
        // An opinion that agreed; a comment, or a wish for changes, names no reviewer of what landed.
        let with_reviewer = count(&format!(
            "{review} JOIN approval p ON p.pull_request = cp.pull_request \
              WHERE {here} AND (p.status = 'approved' OR p.status = 'acknowledged')"
        ))?;
        let head = "JOIN pull_request pr ON pr.id = cp.pull_request JOIN check_run k ON k.revision = pr.head";
        let passed = [
            "JOIN check_run k ON k.revision = c.revision".to_owned(),
            format!("{review} JOIN check_run k ON k.pull_request = cp.pull_request"),
            format!("{review} {head}"),
        ]
        .map(|from| {
            format!("SELECT c.id AS id FROM change c {from} WHERE {here} AND k.conclusion = 'success'")
        })
        .join(" UNION ");
        let with_test = count(&format!("JOIN ({passed}) t ON t.id = c.id"))?;
        let by_bots = count(&format!("JOIN account a ON a.id = c.author AND a.kind = 'bot' WHERE {here}"))?;
        let tags = count(&format!("JOIN tag t ON t.revision = c.revision WHERE {here}"))?;
        let future = count(&format!("WHERE c.repository = {id} AND c.merged_at > c.collected_at"))?;
        let silence = one(format!(
            "SELECT s.silence AS silence, s.since AS since FROM (SELECT c.merged_at - lag(c.merged_at) OVER (ORDER BY c.merged_at ASC NULLS FIRST) AS silence, \
                    lag(c.merged_at) OVER (ORDER BY c.merged_at ASC NULLS FIRST) AS since FROM change c WHERE {here}) s \
              WHERE s.silence IS NOT NULL ORDER BY s.silence DESC NULLS LAST LIMIT 1"
        ))?;
        Ok(History {
            changes,
            merges,
            single: changes - merges,
            signed,
            with_ticket,
            with_review,
            with_reviewer,
            with_test,
            authors,
            by_bots,
            committed_by_another,
            tags,
            future,
            backdated,
            longest_silence_ms: silence.first().copied().unwrap_or(0),
            longest_silence_from: silence.get(1).map(|ms| Instant::from_ms(*ms)),
        })
    }

    /// The few items a person should look at first: deviations, then what needs judgement, then wrong clocks.
    ///
    /// # Errors
    /// The database.
    pub fn look_first(
        &mut self,
        report: &Report,
        repository: &str,
        most: usize,
    ) -> Result<Vec<LookFirst>, AppError> {
        let mut found: Vec<LookFirst> = vec![];
        for verdict in [Verdict::Deviation, Verdict::NeedsJudgement] {
            for procedure in &report.procedures {
                // Newest first: that is what somebody can still do something about.
                let mut items: Vec<_> = procedure.items.iter().filter(|i| i.verdict() == verdict).collect();
                items.sort_by_key(|i| std::cmp::Reverse(i.occurred_at));
                for item in items {
                    if found.len() == most {
                        return Ok(found);
                    }
                    if found.iter().any(|f| f.item == item.item) {
                        continue;
                    }
                    let reason = item
                        .reasons
                        .iter()
                        .find(|(letter, _)| item.verdicts.get(letter) == Some(&verdict))
                        .map_or_else(|| verdict.word().to_owned(), |(_, reason)| reason.clone());
                    found.push(LookFirst {
                        item: item.item.clone(),
                        label: item.label.clone(),
                        occurred_at: item.occurred_at,
                        reason: format!("{}: {reason}", procedure.controls.join(", ")),
                    });
                }
            }
        }
        let Some(id) = self.records.entity_id("repository", 0, repository)? else { return Ok(found) };
        let period = Period { from: report.from, to: report.to, tz: report.tz.clone() };
        let clocks = self.ask(
            &format!(
                "SELECT c.label AS label, c.merged_at AS merged_at, CASE WHEN c.merged_at > c.collected_at THEN 1 ELSE 0 END AS future \
                   FROM change c WHERE c.repository = {id} AND (c.merged_at > c.collected_at OR (c.merged_at >= $from AND c.merged_at < $to \
                    AND c.merged_at < c.landed_after - CAST({DAY_MS} AS BIGINT))) ORDER BY c.merged_at DESC NULLS LAST LIMIT {most}"
            ),
            &period,
            report.cutoff,
            None,
        )?;
        for row in &clocks.rows {
            if found.len() == most {
                break;
            }
            let (Some(Value::Text(label)), Some(at), Some(future)) =
                (row.first(), row.get(1).map(number), row.get(2).map(number))
            else {
                continue;
            };
            found.push(LookFirst {
                item: label.clone(),
                label: label.chars().take(12).collect(),
                occurred_at: Instant::from_ms(at),
                reason: if future == 1 {
                    "dated in the future: it belongs to no period yet".to_owned()
                } else {
                    "dated more than a day before what had already landed: its clock is wrong, or it was backdated"
                        .to_owned()
                },
            });
        }
        Ok(found)
    }
}

fn number(cell: &Value) -> i64 {
    integer(cell).unwrap_or(0)
}
