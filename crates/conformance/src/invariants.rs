//! What holds for every procedure, whatever it tests. Each case is told again in another way, and what may not move by that
//! does not: the order of rows, the same thing said twice, another company's rows beside ours, an item that leaves the
//! scope, a period that is bounded by another zone's midnights, two people who turn out to be one.

use std::collections::{BTreeMap, BTreeSet};

use model::{ColumnType, Instant, Table, Value, Verdict};

use crate::cases::{Bench, Scene};

/// Numbers that no case uses.
const ELSEWHERE: i64 = 1 << 40;

/// A case told in another way, and what may be different then.
#[derive(Clone, Debug)]
pub struct Retold {
    /// The rows.
    pub scene: Scene,
    may: May,
}

/// What a retelling may change.
#[derive(Clone, Debug)]
enum May {
    /// Nothing at all.
    Nothing,
    /// The same items appear once more under other numbers.
    Double,
    /// Items appear under other numbers.
    Gain,
    /// This item leaves the population, or what is judged within it does.
    Lose(i64),
    /// Items outside of both periods come and go.
    MoveBoundary { from: Instant, to: Instant },
    /// A pass can become worse.
    LosePasses,
}

impl Bench<'_> {
    /// Every case told in every other way, next to itself: the retellings of the n-th case stand in the n-th place.
    #[must_use]
    pub fn retold(&self) -> Vec<Vec<Retold>> {
        let scenes = self.scenes();
        let next = scenes.iter().cycle().skip(1);
        scenes.iter().zip(next).map(|(scene, other)| self.retellings(scene, other)).collect()
    }

    fn retellings(&self, scene: &Scene, other: &Scene) -> Vec<Retold> {
        let mut all = Vec::new();
        let mut tell = |scene: Scene, change: String, may: May| {
            all.push(Retold { scene: Scene { change, ..scene }, may });
        };
        let mut reversed = scene.clone();
        reversed.rows.reverse();
        tell(reversed, "with its rows in the opposite order".to_owned(), May::Nothing);

        for (i, (name, row)) in scene.rows.iter().enumerate() {
            if self.procedure.population_tables.contains(name) {
                continue;
            }
            let mut twice = scene.clone();
            let mut row = row.clone();
            row.id += ELSEWHERE;
            twice.rows.push((name.clone(), row));
            tell(twice, format!("with row {} of `{name}` said twice", i + 1), May::Nothing);
        }

        for (company, may) in [(scene, May::Double), (other, May::Gain)] {
            let mut beside = scene.clone();
            beside.rows.extend(company.rows.iter().map(|(name, row)| {
                let mut row = row.clone();
                row.id += ELSEWHERE;
                self.move_elsewhere(name, &mut row.values);
                (name.clone(), row)
            }));
            let name = &self.cases[company.case].name;
            tell(beside, format!("with `{name}` at another company beside it"), may);
        }

        // A company that is out of scope is as if it were not there.
        for company in [scene, other] {
            let mut beside = scene.clone();
            beside.rows.extend(company.rows.iter().map(|(name, row)| {
                let mut row = row.clone();
                row.id += ELSEWHERE;
                row.in_scope = false;
                self.move_elsewhere(name, &mut row.values);
                (name.clone(), row)
            }));
            let name = &self.cases[company.case].name;
            tell(beside, format!("with `{name}` at another company beside it, out of scope"), May::Nothing);
        }

        for (i, (name, row)) in scene.rows.iter().enumerate() {
            if self.procedure.population_tables.contains(name) && row.in_scope {
                let mut without = scene.clone();
                without.rows[i].1.in_scope = false;
                tell(without, format!("with row {} of `{name}` out of scope", i + 1), May::Lose(row.id));
            }
        }

        // What is tested over the whole period lies on its boundary all the time.
        let days = self.procedure.tables.iter().any(|t| t.name == "calendar_day");
        if !self.procedure.over_period && !days {
            // Another zone, and another quarter: a period says which items are judged, and nothing about how.
            for hours in [-11, 14, -60 * 24, 60 * 24] {
                let moved = Scene { moved_ms: hours * 3_600_000, ..scene.clone() };
                let period = &self.cases[scene.case].period;
                let by = |at: Instant| Instant::from_ms(at.ms().saturating_add(moved.moved_ms));
                let (from, to) = (period.from.max(by(period.from)), period.to.min(by(period.to)));
                let change = format!("with its period {hours} hours later");
                tell(moved, change, May::MoveBoundary { from, to });
            }
        }

        // To find out that two people are one can only take independence away. Other procedures than those of changes may
        // gain by it: who left and is back is no leaver.
        if self.procedure.controls.iter().any(|c| c.starts_with("CHG-")) {
            let people: BTreeSet<i64> =
                scene.rows.iter().filter_map(|(name, row)| self.person(name, row)).collect();
            for kept in &people {
                for gone in people.range(kept + 1..) {
                    let mut merged = scene.clone();
                    for (name, row) in &mut merged.rows {
                        for person in self.people(name, &mut row.values) {
                            if *person == *gone {
                                *person = *kept;
                            }
                        }
                    }
                    let case = &self.cases[scene.case];
                    let change = format!("with {} being {}", case.name_of(*gone), case.name_of(*kept));
                    tell(merged, change, May::LosePasses);
                }
            }
        }
        all
    }

    fn declared(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.name == name)
    }

    /// Lets a row speak of things of another company: of other numbers, and of controls by other names where the procedure has a
    /// table of them.
    fn move_elsewhere(&self, name: &str, values: &mut [Value]) {
        for value in self.references(name, values) {
            *value += ELSEWHERE;
        }
        let Some(table) = self.declared("control").and_then(|_| self.declared(name)) else { return };
        if let Some(Value::Text(control)) = table.column("control").and_then(|at| values.get_mut(at)) {
            control.push_str(" elsewhere");
        }
    }

    /// The numbers of other things in a row.
    fn references<'v>(&self, name: &str, values: &'v mut [Value]) -> Vec<&'v mut i64> {
        let Some(table) = self.declared(name) else { return vec![] };
        let is_reference = |kind: ColumnType| matches!(kind, ColumnType::Entity | ColumnType::Account);
        values
            .iter_mut()
            .zip(&table.columns)
            .filter(|(_, column)| is_reference(column.kind))
            .filter_map(|(value, _)| match value {
                Value::Integer(n) => Some(n),
                Value::Null | Value::Text(_) => None,
            })
            .collect()
    }

    /// The numbers of people in a row.
    fn people<'v>(&self, name: &str, values: &'v mut [Value]) -> Vec<&'v mut i64> {
        let Some(table) = self.declared(name) else { return vec![] };
        let names =
            |column: &str| matches!((name, column), ("account_person", "person") | ("person_alike", _));
        values
            .iter_mut()
            .zip(&table.columns)
            .filter(|(_, column)| names(&column.name))
            .filter_map(|(value, _)| match value {
                Value::Integer(n) => Some(n),
                Value::Null | Value::Text(_) => None,
            })
            .collect()
    }

    /// The person that a link says an account is.
    fn person(&self, name: &str, row: &model::Row) -> Option<i64> {
        let column = (name == "account_person").then(|| self.declared(name)?.column("person"))??;
        match row.values[column] {
            Value::Integer(person) => Some(person),
            Value::Null | Value::Text(_) => None,
        }
    }

    /// What moved that may not, one line each. `was` are the rows of the case itself, `is` those of the retelling.
    #[must_use]
    pub fn moved(&self, retold: &Retold, was: &[Vec<Value>], is: &[Vec<Value>]) -> String {
        let case = &self.cases[retold.scene.case];
        let mut text = String::new();
        let mut say = |key: Key, what: String| {
            let item = case.name_of(key.item);
            text.push_str(&format!("`{}` {}: {item} {what}\n", case.name, retold.scene.change));
        };
        let (was, is) = (self.by_item(was), self.by_item(is));
        let items: BTreeSet<Key> = was.keys().chain(is.keys()).copied().collect();
        for item in items {
            match (&retold.may, was.get(&item), is.get(&item)) {
                (May::Lose(gone), _, None) if item.concerns(*gone) => {}
                // What is no item, such as the system whose accounts are, takes its items along and changes no other.
                (May::Lose(gone), _, None) if !was.keys().any(|key| key.concerns(*gone)) => {}
                (May::Lose(gone), _, Some(_)) if item.concerns(*gone) => {
                    say(item, "is still in the population".to_owned());
                }
                (May::Gain | May::Double, None, Some(_)) if item.is_mixed() => {}
                (May::Gain, None, Some(_)) if item.item >= ELSEWHERE => {}
                (May::Double, None, Some(copy)) => match was.get(&item.twin()) {
                    Some(original) if self.verdicts(original) == self.verdicts(copy) => {}
                    original => {
                        let original = original.map(|row| self.verdicts(row));
                        say(item, format!("is judged {:?}, its twin {original:?}", self.verdicts(copy)));
                    }
                },
                (May::MoveBoundary { from, to }, was, is) => {
                    let inside = |row: &&&[Value]| matches!(row.get(2), Some(Value::Integer(at)) if (from.ms()..to.ms()).contains(at));
                    let (was, is) = (
                        was.filter(inside).map(|r| self.verdicts(r)),
                        is.filter(inside).map(|r| self.verdicts(r)),
                    );
                    if was != is {
                        say(item, format!("was judged {was:?} and is {is:?}"));
                    }
                }
                (May::LosePasses, Some(was), Some(is)) => {
                    let words = self.verdicts(was).iter().zip(self.verdicts(is));
                    let gained =
                        |was: &Value, is: &Value| *was != *is && *is == Value::from(Verdict::Pass.word());
                    if words.into_iter().any(|(was, is)| gained(was, is)) {
                        say(
                            item,
                            format!("was judged {:?} and gained {:?}", self.verdicts(was), self.verdicts(is)),
                        );
                    }
                }
                (_, was, is) if was.map(|r| self.verdicts(r)) == is.map(|r| self.verdicts(r)) => {}
                (_, was, is) => say(
                    item,
                    format!(
                        "was judged {:?} and is {:?}",
                        was.map(|r| self.verdicts(r)),
                        is.map(|r| self.verdicts(r))
                    ),
                ),
            }
        }
        text
    }
}

/// Which row of a result.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Key {
    item: i64,
    /// Scope and instant, where an item is judged within several.
    within: Option<(i64, i64)>,
}

impl Key {
    fn concerns(self, number: i64) -> bool {
        self.item == number || self.within.is_some_and(|(scope, _)| scope == number)
    }

    /// One company's item within the other's scope: where every item is judged within every scope.
    fn is_mixed(self) -> bool {
        self.within.is_some_and(|(scope, _)| (scope >= ELSEWHERE) != (self.item >= ELSEWHERE))
    }

    /// The same row of the company itself.
    fn twin(self) -> Self {
        let within = self.within.map(|(scope, at)| (scope - ELSEWHERE, at));
        Self { item: self.item - ELSEWHERE, within }
    }
}

impl Bench<'_> {
    fn by_item<'r>(&self, rows: &'r [Vec<Value>]) -> BTreeMap<Key, &'r [Value]> {
        let several = self.procedure.query.yields_scope();
        rows.iter()
            .filter_map(|row| match (row.first(), row.get(2), row.last()) {
                (Some(Value::Integer(item)), Some(Value::Integer(at)), Some(Value::Integer(scope)))
                    if several =>
                {
                    Some((Key { item: *item, within: Some((*scope, *at)) }, row.as_slice()))
                }
                (Some(Value::Integer(item)), ..) => Some((Key { item: *item, within: None }, row.as_slice())),
                _ => None,
            })
            .collect()
    }

    /// Grade and words of a row, and up to when they read silence: the rest says which row it is.
    fn verdicts<'r>(&self, row: &'r [Value]) -> &'r [Value] {
        let end = row.len() - usize::from(self.procedure.query.yields_scope());
        row.get(4..end).unwrap_or_default()
    }
}
