//! What a source passes over in silence. Each source speaks of its own list alone: that the code host showed all it has of a
//! table says nothing of what the pipeline's list would have held in the days when nobody could read it.

use std::collections::BTreeMap;

use model::{CoverageStatus, Instant};

use crate::coverage::Statement;
use crate::retention::Stated;

/// The time a source says nothing of, between the first and the last that it speaks of a table in a scope, as statements that it
/// is only partly known. Only where another source speaks of the table then: of what nobody speaks nobody looked anyway, which
/// says more. Before its first word and after its last nobody knows that there was such a source.
#[must_use]
pub fn passed_over(stated: &[Stated]) -> Vec<Statement> {
    let mut of_table: BTreeMap<&str, Vec<&Stated>> = BTreeMap::new();
    let mut spoken: BTreeMap<(&str, i64, &str), Vec<&Statement>> = BTreeMap::new();
    for said in stated {
        let statement = &said.statement;
        of_table.entry(&statement.table).or_default().push(said);
        spoken.entry((&statement.table, statement.scope, &said.source)).or_default().push(statement);
    }
    for all in of_table.values_mut() {
        all.sort_by_key(|said| said.statement.from);
    }
    let mut all = vec![];
    for ((table, scope, source), mut statements) in spoken {
        statements.sort_by_key(|s| s.from);
        let others = || {
            let others =
                of_table[table].iter().filter(|said| said.source != source).map(|said| &said.statement);
            // A list for the whole company and one of a repository speak of the same rows.
            others.filter(|said| scope == 0 || said.scope == 0 || said.scope == scope)
        };
        let mut until: Option<Instant> = None;
        for said in statements {
            if let Some(until) = until.filter(|until| *until < said.from) {
                for (from, to) in joined(others(), until, said.from) {
                    all.push(Statement {
                        scope,
                        table: table.to_owned(),
                        from,
                        to,
                        status: CoverageStatus::Partial,
                        reason: format!("`{source}` speaks of the time before and after alone"),
                        grade: said.grade,
                    });
                }
            }
            until = until.max(Some(said.to));
        }
    }
    all
}

/// The time in `[from, to)` that statements, in order of their first instants, are about, in pieces that don't touch.
fn joined<'a>(
    statements: impl Iterator<Item = &'a Statement>,
    from: Instant,
    to: Instant,
) -> Vec<(Instant, Instant)> {
    let mut pieces: Vec<(Instant, Instant)> = vec![];
    for said in statements {
        let (start, end) = (said.from.max(from), said.to.min(to));
        match pieces.last_mut() {
            _ if start >= end => {}
            Some((_, last)) if start <= *last => *last = end.max(*last),
            _ => pieces.push((start, end)),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use model::Grade;

    use super::*;

    /// Statements as `source scope from to`, and what they pass over.
    fn check(said: &[(&str, i64, i64, i64)], expect: &[(i64, i64, i64)]) {
        let stated: Vec<Stated> = said
            .iter()
            .map(|(source, scope, from, to)| Stated {
                statement: Statement {
                    scope: *scope,
                    table: "approval".into(),
                    from: Instant::from_ms(*from),
                    to: Instant::from_ms(*to),
                    status: CoverageStatus::Complete,
                    reason: String::new(),
                    grade: Grade::System,
                },
                source: (*source).into(),
                looked_at: Instant::from_ms(*to),
            })
            .collect();
        let holes: Vec<_> = passed_over(&stated).iter().map(|s| (s.scope, s.from.ms(), s.to.ms())).collect();
        assert_eq!(holes, expect, "{said:?}");
    }

    #[test]
    fn what_one_source_passes_over_another_does_not_make_up_for() {
        check(
            &[("github", 1, 0, 90), ("import:pipeline", 1, 0, 30), ("import:pipeline", 1, 50, 90)],
            &[(1, 30, 50)],
        );
        // Whichever order it was said in, and twice.
        check(
            &[("p", 1, 50, 90), ("p", 1, 0, 30), ("p", 1, 10, 20), ("github", 1, 0, 90), ("p", 1, 50, 90)],
            &[(1, 30, 50)],
        );
        // The company's list is for every repository, and a repository's own alone for it.
        check(&[("github", 1, 0, 90), ("p", 0, 0, 30), ("p", 0, 50, 90)], &[(0, 30, 50)]);
        // What follows at once leaves nothing out, and nobody answers for a time before they began or after they ended.
        check(&[("github", 1, 0, 90), ("p", 1, 0, 30), ("p", 1, 30, 60)], &[]);
        check(&[("github", 1, 0, 90), ("p", 1, 40, 60)], &[]);
        // A source alone has left nothing to others.
        check(&[("p", 1, 0, 30), ("p", 1, 50, 90)], &[]);
        check(&[("github", 1, 0, 90), ("p", 1, 0, 30), ("p", 2, 50, 90)], &[]);
        // What nobody speaks of is not looked at; only the part that another speaks of is partly known.
        check(&[("github", 1, 60, 90), ("p", 1, 0, 30), ("p", 1, 50, 90)], &[]);
        check(&[("github", 1, 40, 45), ("a", 1, 44, 60), ("p", 1, 0, 30), ("p", 1, 50, 90)], &[(1, 40, 50)]);
        check(&[("github", 2, 0, 90), ("p", 1, 0, 30), ("p", 1, 50, 90)], &[]);
        check(&[("github", 2, 0, 90), ("p", 0, 0, 30), ("p", 0, 50, 90)], &[(0, 30, 50)]);
    }
}
