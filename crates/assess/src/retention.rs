//! How long sources keep what they have: until when a stream has to be collected, and what is lost for good.

use model::{CoverageStatus, Grade, Instant};

use crate::coverage::{CoverageMap, Statement};
use crate::strip::Look;

const DAY_MS: i64 = 86_400_000;

/// How long a source keeps one of its streams.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// The kind of source, such as `github`.
    pub source: String,
    /// The stream.
    pub stream: String,
    /// A record table that rests on it.
    pub table: String,
    /// How many days back the source can still be asked.
    pub days: u32,
}

impl Kept {
    fn ms(&self) -> i64 {
        i64::from(self.days) * DAY_MS
    }

    /// The oldest instant that the source can still be asked for.
    #[must_use]
    pub fn oldest(&self, now: Instant) -> Instant {
        Instant::from_ms(now.ms().saturating_sub(self.ms()))
    }
}

/// A statement, and who made it when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stated {
    /// What is said.
    pub statement: Statement,
    /// The source that says so, such as `github` or `import:tickets`.
    pub source: String,
    /// When it looked.
    pub looked_at: Instant,
}

/// Statements held to what their sources can know: of what a source had forgotten when it was asked it cannot say that
/// everything is there.
#[must_use]
pub fn held(stated: Vec<Stated>, kept: &[Kept]) -> Vec<Stated> {
    let mut all = Vec::with_capacity(stated.len());
    for said in stated {
        let limits = kept.iter().filter(|k| k.source == said.source && k.table == said.statement.table);
        let limit = limits.map(|k| (k.oldest(said.looked_at), k)).max_by_key(|(oldest, _)| *oldest);
        match limit {
            Some((oldest, k))
                if said.statement.status == CoverageStatus::Complete && said.statement.from < oldest =>
            {
                let end = oldest.min(said.statement.to);
                let gone = Statement {
                    to: end,
                    status: CoverageStatus::Expired,
                    reason: keeps(k),
                    ..said.statement.clone()
                };
                let rest = Statement { from: end, ..said.statement.clone() };
                all.push(Stated { statement: gone, ..said.clone() });
                if rest.from < rest.to {
                    all.push(Stated { statement: rest, ..said });
                }
            }
            _ => all.push(said),
        }
    }
    all
}

/// What nobody looked at in `[from, to)` and the source no longer keeps, as statements.
#[must_use]
pub fn lost(
    map: &CoverageMap,
    scope: i64,
    kept: &Kept,
    (from, to): (Instant, Instant),
    now: Instant,
) -> Vec<Statement> {
    let pieces = map.pieces(scope, &kept.table, from, to.min(kept.oldest(now)), now);
    let unlooked = pieces.into_iter().filter(|p| p.look == Look::NotLooked);
    unlooked
        .map(|p| Statement {
            scope,
            table: kept.table.clone(),
            from: p.from,
            to: p.to,
            status: CoverageStatus::Expired,
            reason: keeps(kept),
            grade: Grade::System,
        })
        .collect()
}

fn keeps(kept: &Kept) -> String {
    format!("{} keeps `{}` for {} days only", kept.source, kept.stream, kept.days)
}

/// How much of a stream's life has passed since it was last collected.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Urgency {
    /// Half of it.
    Half,
    /// Four fifths of it.
    Most,
    /// All of it: something is lost.
    Lost,
}

impl Urgency {
    /// The word as it stands in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Half => "half",
            Self::Most => "most",
            Self::Lost => "lost",
        }
    }
}

/// A stream that has to be collected before its source forgets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Alarm {
    /// How urgent it is.
    pub urgency: Urgency,
    /// The end of what was last looked at completely; `None` when nothing ever was.
    pub looked_until: Option<Instant>,
    /// From this instant on something of what was not looked at is lost.
    pub loses_from: Instant,
    /// What lies before this instant and was not looked at is lost already.
    pub lost_until: Instant,
}

/// Whether a stream that was looked at completely up to an instant has to be collected.
#[must_use]
pub fn alarm(looked_until: Option<Instant>, kept: &Kept, now: Instant) -> Option<Alarm> {
    let lost_until = kept.oldest(now);
    let Some(until) = looked_until else {
        return Some(Alarm { urgency: Urgency::Lost, looked_until, loses_from: now, lost_until });
    };
    let loses_from = Instant::from_ms(until.ms().saturating_add(kept.ms()));
    let age = i128::from(now.ms()) - i128::from(until.ms());
    let share = |n: i128, of: i128| age * of >= i128::from(kept.ms()) * n;
    let urgency = if now > loses_from {
        Urgency::Lost
    } else if share(4, 5) {
        Urgency::Most
    } else if share(1, 2) {
        Urgency::Half
    } else {
        return None;
    };
    Some(Alarm { urgency, looked_until, loses_from, lost_until })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept(days: u32) -> Kept {
        Kept { source: "github".into(), stream: "rule_suites".into(), table: "bypass".into(), days }
    }

    fn day(text: &str) -> Instant {
        format!("{text}T00:00:00Z").parse().unwrap()
    }

    #[test]
    fn a_stream_alarms_at_half_at_most_and_beyond_its_life() {
        let looked = day("2025-01-01");
        let check = |now: Instant, expect: Option<(&str, &str, &str)>| {
            let alarm = alarm(Some(looked), &kept(28), now);
            let said = alarm.map(|a| {
                (a.urgency.word().to_owned(), a.loses_from.date_in("UTC"), a.lost_until.date_in("UTC"))
            });
            let expect = expect.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
            assert_eq!(said, expect, "{now}");
        };
        check(day("2025-01-14"), None);
        check(Instant::from_ms(day("2025-01-15").ms() - 1), None);
        check(day("2025-01-15"), Some(("half", "2025-01-29", "2024-12-18")));
        // 22.4 days are four fifths of 28.
        check(day("2025-01-23"), Some(("half", "2025-01-29", "2024-12-26")));
        check(day("2025-01-24"), Some(("most", "2025-01-29", "2024-12-27")));
        check(day("2025-01-29"), Some(("most", "2025-01-29", "2025-01-01")));
        check(Instant::from_ms(day("2025-01-29").ms() + 1), Some(("lost", "2025-01-29", "2025-01-01")));
        check(day("2025-03-01"), Some(("lost", "2025-01-29", "2025-02-01")));
        assert_eq!(alarm(None, &kept(28), looked).map(|a| a.urgency), Some(Urgency::Lost));
    }

    fn complete(from: Instant, to: Instant) -> Statement {
        Statement {
            scope: 1,
            table: "bypass".into(),
            from,
            to,
            status: CoverageStatus::Complete,
            reason: String::new(),
            grade: Grade::System,
        }
    }

    #[test]
    fn a_source_cannot_vouch_for_what_it_had_forgotten() {
        let looked_at = day("2025-03-01");
        let said = |from: &str, to: &str, source: &str| {
            let stated = Stated { statement: complete(day(from), day(to)), source: source.into(), looked_at };
            held(vec![stated], &[kept(28), kept(180)])
                .iter()
                .map(|s| {
                    let s = &s.statement;
                    format!("{} {} {}", s.from.date_in("UTC"), s.to.date_in("UTC"), s.status)
                })
                .collect::<Vec<_>>()
                .join(", ")
        };
        // The stream that is kept the shortest counts.
        assert_eq!(
            said("2025-01-01", "2025-03-01", "github"),
            "2025-01-01 2025-02-01 expired, 2025-02-01 2025-03-01 complete"
        );
        assert_eq!(said("2025-02-01", "2025-03-01", "github"), "2025-02-01 2025-03-01 complete");
        assert_eq!(said("2025-01-01", "2025-01-20", "github"), "2025-01-01 2025-01-20 expired");
        assert_eq!(said("2025-01-01", "2025-03-01", "import"), "2025-01-01 2025-03-01 complete");
    }

    #[test]
    fn what_nobody_looked_at_in_time_is_lost() {
        let map: CoverageMap = [complete(day("2025-01-10"), day("2025-01-20"))].into_iter().collect();
        let period = (day("2025-01-01"), day("2025-03-01"));
        let lost = lost(&map, 1, &kept(28), period, day("2025-03-01"));
        let said: Vec<String> =
            lost.iter().map(|s| format!("{} {}", s.from.date_in("UTC"), s.to.date_in("UTC"))).collect();
        assert_eq!(said, ["2025-01-01 2025-01-10", "2025-01-20 2025-02-01"]);
        // What was collected before stays complete.
        let all: CoverageMap =
            [complete(day("2025-01-10"), day("2025-01-20"))].into_iter().chain(lost).collect();
        let pieces = all.pieces(1, "bypass", period.0, period.1, day("2025-03-01"));
        let looks: Vec<&str> = pieces.iter().map(|p| p.look.word()).collect();
        assert_eq!(looks, ["expired", "complete", "expired", "not_looked"]);
    }

    proptest! {
        /// Holding statements to what sources can know never makes anything complete that was not.
        #[test]
        fn nothing_becomes_complete(
            from in 0i64..60, to in 0i64..60, looked in 0i64..60, now in 0i64..90, days in 1u32..40,
        ) {
            let d = |n: i64| Instant::from_ms(n * DAY_MS);
            let kept = kept(days);
            let stated = Stated { statement: complete(d(from), d(to)), source: "github".into(), looked_at: d(looked) };
            let before: CoverageMap = [stated.statement.clone()].into_iter().collect();
            let after: Vec<Statement> =
                held(vec![stated], std::slice::from_ref(&kept)).into_iter().map(|s| s.statement).collect();
            let after: CoverageMap = after.into_iter().collect();
            let more = lost(&after, 1, &kept, (d(0), d(60)), d(now));
            for s in &more {
                prop_assert!(s.to <= kept.oldest(d(now)));
            }
            for ms in 0..60 {
                let seen = |map: &CoverageMap| map.seen(1, "bypass", d(ms), Grade::System).is_ok();
                let possible = from <= ms && ms < to && ms >= looked - i64::from(days);
                prop_assert_eq!(seen(&after), possible);
                prop_assert!(seen(&before) || !seen(&after));
            }
        }
    }
}
