//! Scope: what is out, and when. A table says which of its columns decide it and by which instants; what follows for a row is
//! a list of conditions, which one place writes into SQL and another asks of a row at hand.
//!
//! What happens at an instant is in or out by that instant. What lasts is out only where it was out all the time that it was
//! there in the period. What cannot be told is in: nothing leaves a population silently.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::coverage::Window;
use crate::table::{Row, Table, Value};
use crate::time::Instant;

/// What can be in or out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// A system, by its key.
    System,
    /// A product: its parts are in or out with it.
    Product,
    /// An environment, by its name.
    Environment,
    /// A region, by its name.
    Region,
    /// A repository, by its key.
    Repository,
    /// A kind of people, such as `intern`.
    PersonKind,
    /// A vendor, by its key.
    Vendor,
    /// A category of the trust services criteria.
    Category,
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 8] = [
        Self::System,
        Self::Product,
        Self::Environment,
        Self::Region,
        Self::Repository,
        Self::PersonKind,
        Self::Vendor,
        Self::Category,
    ];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Product => "product",
            Self::Environment => "environment",
            Self::Region => "region",
            Self::Repository => "repository",
            Self::PersonKind => "person_kind",
            Self::Vendor => "vendor",
            Self::Category => "category",
        }
    }

    /// The dimension of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.word() == word)
    }

    /// Whether it speaks of entities, whose kind is then its word; the others speak of words.
    #[must_use]
    pub const fn is_entity(self) -> bool {
        matches!(self, Self::System | Self::Repository | Self::Vendor)
    }

    /// Whether rows can be in or out by it: products stand for their parts. By a category controls are, and with them procedures.
    #[must_use]
    pub const fn decides_rows(self) -> bool {
        !matches!(self, Self::Product)
    }
}

/// What decides whether a row of a table is in scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableScope {
    /// Columns that say to what the row belongs. `id` is the row's own entity.
    pub by: Vec<(Dimension, String)>,
    /// When it counts.
    pub time: ScopeTime,
}

/// At which instants it counts whether something is out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ScopeTime {
    /// The row happened at this column's instant.
    At(String),
    /// The row lasts between these columns' instants; all the time where there is none.
    Lasts {
        /// From when.
        starts: Option<String>,
        /// Until when.
        ends: Option<String>,
    },
}

/// Something that is out at some time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Out {
    /// What it is.
    pub dimension: Dimension,
    /// The word, or the key of the entity.
    pub word: String,
    /// Number of the entity.
    pub id: Option<i64>,
    /// When it is out: in order, none touching another.
    pub windows: Vec<Window>,
}

/// What is out, as asked over a period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope {
    /// First instant of the period.
    pub from: Instant,
    /// First instant after.
    pub to: Instant,
    /// What is out; nothing where everything is in.
    pub out: Vec<Out>,
}

impl Default for Scope {
    fn default() -> Self {
        Self { from: Instant::BEGINNING, to: Instant::FOREVER, out: vec![] }
    }
}

/// A row for which one of these holds is out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutCondition {
    /// The column that says to what the row belongs.
    pub column: String,
    /// The values that are out.
    pub values: Vec<Value>,
    /// What has to hold besides, of columns of instants.
    pub bounds: Vec<Bound>,
}

/// What an instant has to be; an unknown one is not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bound {
    /// The column.
    pub column: String,
    /// How it is compared.
    pub test: BoundTest,
    /// With what.
    pub instant: Instant,
}

/// How an instant is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BoundTest {
    /// Not before.
    From,
    /// Before.
    Before,
    /// Not after.
    Until,
}

impl BoundTest {
    /// The operator.
    #[must_use]
    pub const fn sql(self) -> &'static str {
        match self {
            Self::From => ">=",
            Self::Before => "<",
            Self::Until => "<=",
        }
    }

    const fn holds(self, value: i64, bound: i64) -> bool {
        match self {
            Self::From => value >= bound,
            Self::Before => value < bound,
            Self::Until => value <= bound,
        }
    }
}

impl Scope {
    /// Whether an entity is out during the whole period.
    #[must_use]
    pub fn leaves_out(&self, id: i64) -> bool {
        self.out
            .iter()
            .any(|o| o.id == Some(id) && o.windows.iter().any(|w| w.from <= self.from && w.to >= self.to))
    }

    /// When a row of a table is out.
    #[must_use]
    pub fn conditions(&self, table: &Table) -> Vec<OutCondition> {
        let Some(scope) = &table.scope else { return vec![] };
        let mut conditions = vec![];
        for (dimension, column) in &scope.by {
            let text = table.column(column).is_some_and(|at| table.columns[at].kind.is_text());
            // What is out at the same time stands in one list.
            let mut alike: BTreeMap<(i64, i64), Vec<Value>> = BTreeMap::new();
            for out in self.out.iter().filter(|o| o.dimension == *dimension) {
                let value =
                    if text { Some(Value::from(out.word.as_str())) } else { out.id.map(Value::Integer) };
                for window in &out.windows {
                    if let Some(value) = &value {
                        alike.entry((window.from.ms(), window.to.ms())).or_default().push(value.clone());
                    }
                }
            }
            for ((from, to), mut values) in alike {
                values.sort();
                values.dedup();
                let window = Window { from: Instant::from_ms(from), to: Instant::from_ms(to) };
                if let Some(bounds) = self.bounds(&scope.time, window) {
                    conditions.push(OutCondition { column: column.clone(), values, bounds });
                }
            }
        }
        conditions
    }

    /// What the instants of a row have to be for it to be out by a window; `None` where it never is.
    fn bounds(&self, time: &ScopeTime, window: Window) -> Option<Vec<Bound>> {
        let mut bounds = vec![];
        let mut bound = |column: &str, test, instant| {
            bounds.push(Bound { column: column.to_owned(), test, instant });
        };
        match time {
            ScopeTime::At(column) => {
                if window.from > Instant::BEGINNING {
                    bound(column, BoundTest::From, window.from);
                }
                if window.to < Instant::FOREVER {
                    bound(column, BoundTest::Before, window.to);
                }
            }
            ScopeTime::Lasts { starts, ends } => {
                if window.from > self.from {
                    bound(starts.as_ref()?, BoundTest::From, window.from);
                }
                if window.to < self.to {
                    bound(ends.as_ref()?, BoundTest::Until, window.to);
                }
            }
        }
        Some(bounds)
    }
}

impl OutCondition {
    /// Whether it holds of a row.
    #[must_use]
    pub fn holds(&self, table: &Table, row: &Row) -> bool {
        let value = |column: &str| match column {
            "id" => Value::Integer(row.id),
            _ => table.column(column).map_or(Value::Null, |at| row.values[at].clone()),
        };
        self.values.contains(&value(&self.column))
            && self.bounds.iter().all(|bound| match value(&bound.column) {
                Value::Integer(at) => bound.test.holds(at, bound.instant.ms()),
                Value::Null | Value::Text(_) => false,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Column, ColumnType, TableKind};
    use crate::verdict::Grade;

    fn table(time: ScopeTime) -> Table {
        let column = |name: &str, kind| Column {
            name: name.to_owned(),
            kind,
            nullable: true,
            doc: String::new(),
            words: vec![],
        };
        Table {
            name: "stay".to_owned(),
            kind: TableKind::Event,
            doc: String::new(),
            columns: vec![
                column("house", ColumnType::Entity),
                column("region", ColumnType::Text),
                column("came_at", ColumnType::Instant),
                column("left_at", ColumnType::Instant),
            ],
            cluster_by: vec![],
            index_by: vec![],
            fed_by: vec![],
            scope: Some(TableScope {
                by: vec![
                    (Dimension::Repository, "house".to_owned()),
                    (Dimension::Region, "region".to_owned()),
                ],
                time,
            }),
        }
    }

    fn out(dimension: Dimension, word: &str, id: Option<i64>, windows: &[(i64, i64)]) -> Out {
        let window =
            |(from, to): &(i64, i64)| Window { from: Instant::from_ms(*from), to: Instant::from_ms(*to) };
        Out { dimension, word: word.to_owned(), id, windows: windows.iter().map(window).collect() }
    }

    /// Whether a stay in house 7 of region `north` is out.
    fn is_out(time: &ScopeTime, period: (i64, i64), what: Out, came: Option<i64>, left: Option<i64>) -> bool {
        let table = table(time.clone());
        let scope =
            Scope { from: Instant::from_ms(period.0), to: Instant::from_ms(period.1), out: vec![what] };
        let row = Row {
            id: 1,
            entry: 1,
            place: 0,
            collected_at: Instant::from_ms(0),
            grade: Grade::System,
            in_scope: true,
            known_from: 0,
            superseded_at: i64::MAX,
            values: vec![Value::Integer(7), "north".into(), came.into(), left.into()],
        };
        scope.conditions(&table).iter().any(|c| c.holds(&table, &row))
    }

    #[test]
    fn what_happens_is_out_by_its_instant() {
        let check = |windows: &[(i64, i64)], came: Option<i64>, expect: bool| {
            let time = ScopeTime::At("came_at".to_owned());
            let what = out(Dimension::Repository, "h", Some(7), windows);
            assert_eq!(is_out(&time, (0, 1000), what, came, None), expect, "{windows:?} {came:?}");
        };
        check(&[(100, 200)], Some(99), false);
        check(&[(100, 200)], Some(100), true);
        check(&[(100, 200)], Some(199), true);
        check(&[(100, 200)], Some(200), false);
        check(&[(100, 200), (300, 400)], Some(250), false);
        check(&[(100, 200), (300, 400)], Some(300), true);
        // Nobody can say when: it stays in, unless it is out for all time.
        check(&[(100, 200)], None, false);
        check(&[(Instant::BEGINNING.ms(), Instant::FOREVER.ms())], None, true);
    }

    #[test]
    fn what_lasts_is_out_only_where_it_is_out_all_of_its_time_in_the_period() {
        let time = ScopeTime::Lasts { starts: Some("came_at".to_owned()), ends: Some("left_at".to_owned()) };
        let check = |window: (i64, i64), came: Option<i64>, left: Option<i64>, expect: bool| {
            let what = out(Dimension::Repository, "h", Some(7), &[window]);
            assert_eq!(is_out(&time, (100, 200), what, came, left), expect, "{window:?} {came:?} {left:?}");
        };
        check((100, 200), Some(0), Some(900), true);
        check((50, 200), None, None, true);
        check((101, 200), Some(0), Some(900), false);
        check((101, 200), Some(101), Some(900), true);
        check((101, 200), None, Some(900), false);
        check((100, 199), Some(100), Some(900), false);
        check((100, 199), Some(100), Some(199), true);
        check((100, 199), Some(100), None, false);
        check((120, 150), Some(120), Some(150), true);
        check((120, 150), Some(119), Some(150), false);
    }

    #[test]
    fn what_is_there_all_the_time_is_out_only_with_the_whole_period() {
        let time = ScopeTime::Lasts { starts: None, ends: None };
        let check = |window: (i64, i64), expect: bool| {
            let what = out(Dimension::Region, "north", None, &[window]);
            assert_eq!(is_out(&time, (100, 200), what, None, None), expect, "{window:?}");
        };
        check((100, 200), true);
        check((100, 199), false);
        check((101, 200), false);
    }

    #[test]
    fn another_word_or_entity_is_not_out() {
        let time = ScopeTime::At("came_at".to_owned());
        for what in [
            out(Dimension::Repository, "h", Some(8), &[(0, 1000)]),
            // Nobody has heard of the entity.
            out(Dimension::Repository, "h", None, &[(0, 1000)]),
            out(Dimension::Region, "south", None, &[(0, 1000)]),
            out(Dimension::Vendor, "h", Some(7), &[(0, 1000)]),
        ] {
            assert!(!is_out(&time, (0, 1000), what.clone(), Some(5), None), "{what:?}");
        }
        assert!(is_out(&time, (0, 1000), out(Dimension::Region, "north", None, &[(0, 10)]), Some(5), None));
    }

    #[test]
    fn an_entity_that_is_out_for_half_of_the_period_is_not_left_out() {
        let scope = |window: (i64, i64)| Scope {
            from: Instant::from_ms(100),
            to: Instant::from_ms(200),
            out: vec![out(Dimension::Repository, "h", Some(7), &[window])],
        };
        assert!(scope((100, 200)).leaves_out(7));
        assert!(!scope((100, 150)).leaves_out(7));
        assert!(!scope((100, 200)).leaves_out(8));
    }
}
