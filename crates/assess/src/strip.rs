//! A stretch of time as a strip of cells: what was looked at, and what could not be. A cell shows the worst of its time, so
//! that an hour nobody looked at is seen in a year.

use model::{CoverageStatus, Grade, Instant};

use crate::coverage::{CoverageMap, bounds};

/// What is known of a piece of time, from what is best to what is worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Look {
    /// Everything there was is known.
    Complete,
    /// It has not come yet.
    ToCome,
    /// Some of it is known.
    Partial,
    /// Nobody looked.
    NotLooked,
    /// The plan does not offer it.
    NotLicensed,
    /// The credential may not look.
    NotPermitted,
    /// The attempt failed.
    Failed,
    /// The source no longer keeps it.
    Expired,
}

impl Look {
    /// Every look, from the best to the worst.
    pub const ALL: [Self; 8] = [
        Self::Complete,
        Self::ToCome,
        Self::Partial,
        Self::NotLooked,
        Self::NotLicensed,
        Self::NotPermitted,
        Self::Failed,
        Self::Expired,
    ];

    /// The word as it stands in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::ToCome => "to_come",
            Self::Partial => "partial",
            Self::NotLooked => "not_looked",
            Self::NotLicensed => "not_licensed",
            Self::NotPermitted => "not_permitted",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }

    /// Its character in a strip. Each differs in shape, so that a strip can be read without colours.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Complete => '█',
            Self::ToCome => '>',
            Self::Partial => '▒',
            Self::NotLooked => '·',
            Self::NotLicensed => '$',
            Self::NotPermitted => '!',
            Self::Failed => 'x',
            Self::Expired => '†',
        }
    }

    const fn of(status: CoverageStatus) -> Self {
        match status {
            CoverageStatus::Complete => Self::Complete,
            CoverageStatus::Partial => Self::Partial,
            CoverageStatus::NotPermitted => Self::NotPermitted,
            CoverageStatus::NotLicensed => Self::NotLicensed,
            CoverageStatus::Expired => Self::Expired,
            CoverageStatus::Failed => Self::Failed,
        }
    }
}

/// A piece of time of which the same is known throughout.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// First instant.
    pub from: Instant,
    /// First instant after.
    pub to: Instant,
    /// What is known.
    pub look: Look,
    /// Why it is not complete; empty when it is.
    pub reason: String,
}

impl CoverageMap {
    /// What is known of a table over `[from, to)`, in order of time and without a hole. What lies after `now` is to come.
    #[must_use]
    pub fn pieces(&self, scope: i64, table: &str, from: Instant, to: Instant, now: Instant) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = vec![];
        if from >= to {
            return pieces;
        }
        let mut add = |piece: Piece| match pieces.last_mut() {
            Some(last) if last.look == piece.look && last.reason == piece.reason => last.to = piece.to,
            _ => pieces.push(piece),
        };
        let known = now.max(from).min(to);
        if from < known {
            let statements = self.of(scope, table);
            for pair in bounds(statements.clone(), from, known).windows(2) {
                let (from, to) = (pair[0], pair[1]);
                let reason = self.seen(scope, table, from, Grade::Asserted).err();
                let look = match &reason {
                    None => Look::Complete,
                    Some(_) => {
                        let holds = statements.clone().filter(|s| s.from <= from && from < s.to);
                        holds
                            .map(|s| Look::of(s.status))
                            .filter(|look| *look != Look::Complete)
                            .max()
                            .unwrap_or(Look::NotLooked)
                    }
                };
                add(Piece { from, to, look, reason: reason.unwrap_or_default() });
            }
        }
        if known < to {
            add(Piece { from: known, to, look: Look::ToCome, reason: "it has not come yet".to_owned() });
        }
        pieces
    }

    /// The tables that anybody said anything about, by scope.
    pub fn tables(&self) -> impl Iterator<Item = (i64, &str)> {
        self.by_scope().iter().flat_map(|(scope, tables)| tables.keys().map(|table| (*scope, table.as_str())))
    }
}

/// The strip of pieces: at most `cells` of equal length, each showing the worst of its time.
#[must_use]
pub fn strip(pieces: &[Piece], cells: usize) -> Vec<Look> {
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return vec![] };
    let (from, to) = (i128::from(first.from.ms()), i128::from(last.to.ms()));
    let whole = to - from;
    // A cell is a millisecond at least.
    let cells = i128::try_from(cells).unwrap_or(1).clamp(1, whole.max(1));
    (0..cells)
        .map(|n| {
            let (begins, ends) = (from + whole * n / cells, from + whole * (n + 1) / cells);
            let touched =
                pieces.iter().filter(|p| i128::from(p.from.ms()) < ends && begins < i128::from(p.to.ms()));
            touched.map(|p| p.look).max().unwrap_or(Look::NotLooked)
        })
        .collect()
}

/// How much of the time is completely known, in tenths of a percent, rounded down: 1000 only where nothing is missing.
#[must_use]
pub fn complete_permille(pieces: &[Piece]) -> u32 {
    let length = |p: &Piece| i128::from(p.to.ms()) - i128::from(p.from.ms());
    let whole: i128 = pieces.iter().map(length).sum();
    let complete: i128 = pieces.iter().filter(|p| p.look == Look::Complete).map(length).sum();
    if whole <= 0 { 0 } else { u32::try_from(complete * 1000 / whole).unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::coverage::Statement;

    fn at(ms: i64) -> Instant {
        Instant::from_ms(ms)
    }

    fn said(from: i64, to: i64, status: CoverageStatus) -> Statement {
        Statement {
            scope: 1,
            table: "change".into(),
            from: at(from),
            to: at(to),
            status,
            reason: String::new(),
            grade: Grade::System,
        }
    }

    fn drawn(said: Vec<Statement>, to: i64, now: i64, cells: usize) -> (String, u32) {
        let map: CoverageMap = said.into_iter().collect();
        let pieces = map.pieces(1, "change", at(0), at(to), at(now));
        (strip(&pieces, cells).into_iter().map(Look::sign).collect(), complete_permille(&pieces))
    }

    const HOUR: i64 = 3_600_000;

    #[test]
    fn an_hour_nobody_looked_at_is_seen_in_a_year() {
        use CoverageStatus::Complete;
        let year = 365 * 24 * HOUR;
        let (before, after) = (said(0, 100 * HOUR, Complete), said(101 * HOUR, year, Complete));
        let (strip, permille) = drawn(vec![before, after], year, year, 52);
        assert_eq!(strip.chars().filter(|c| *c == '·').count(), 1, "{strip}");
        assert_eq!((strip.chars().count(), permille), (52, 999), "rounded down: not everything is known");
    }

    #[test]
    fn each_kind_of_not_knowing_has_its_own_sign() {
        use CoverageStatus::{Complete, Expired, Failed, NotLicensed, NotPermitted, Partial};
        let all = vec![
            said(0, 1, Expired),
            said(1, 2, Complete),
            said(2, 3, Partial),
            said(3, 4, NotPermitted),
            said(4, 5, NotLicensed),
            said(5, 6, Failed),
            // What somebody could not read stands against a claim of completeness, and the worst of several is shown.
            said(8, 9, Complete),
            said(8, 9, Partial),
            said(8, 9, Failed),
        ];
        assert_eq!(drawn(all, 11, 10, 11), ("†█▒!$x··x·>".into(), 90));
        let signs: std::collections::BTreeSet<char> = Look::ALL.into_iter().map(Look::sign).collect();
        assert_eq!(signs.len(), Look::ALL.len());
        assert!(Look::ALL.is_sorted(), "from the best to the worst");
    }

    #[test]
    fn a_strip_is_never_finer_than_a_millisecond() {
        assert_eq!(drawn(vec![], 3, 3, 52).0, "···");
        assert_eq!(drawn(vec![], 0, 3, 52).0, "");
        assert_eq!(drawn(vec![], 3, 0, 52).0, ">>>");
    }

    proptest! {
        /// Pieces fill the time without a hole, and every cell shows the worst instant in it.
        #[test]
        fn every_cell_shows_the_worst_of_its_time(
            statements in proptest::collection::vec(
                (0i64..60, 0i64..60, proptest::sample::select(CoverageStatus::ALL)), 0..6),
            now in 0i64..70, cells in 1usize..70,
        ) {
            let map: CoverageMap = statements.into_iter().map(|(a, b, s)| said(a, b, s)).collect();
            let pieces = map.pieces(1, "change", at(0), at(60), at(now));
            prop_assert_eq!((pieces[0].from, pieces[pieces.len() - 1].to), (at(0), at(60)));
            prop_assert!(pieces.windows(2).all(|p| p[0].to == p[1].from));
            let look = |ms: i64| if ms >= now {
                Look::ToCome
            } else {
                pieces.iter().find(|p| p.from <= at(ms) && at(ms) < p.to).unwrap().look
            };
            // Complete is what the map itself calls seen.
            for ms in 0..60.min(now) {
                prop_assert_eq!(look(ms) == Look::Complete, map.seen(1, "change", at(ms), Grade::Asserted).is_ok());
            }
            let strip = strip(&pieces, cells);
            let n = i64::try_from(strip.len()).unwrap();
            for (k, cell) in (0..).zip(&strip) {
                let worst = (60 * k / n..60 * (k + 1) / n).map(look).max().unwrap();
                prop_assert_eq!(*cell, worst, "cell {} of {}", k, n);
            }
            let complete = (0..60).filter(|ms| look(*ms) == Look::Complete).count();
            prop_assert_eq!(complete_permille(&pieces), u32::try_from(complete * 1000 / 60).unwrap());
        }
    }
}
