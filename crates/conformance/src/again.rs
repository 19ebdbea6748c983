//! Whether what a procedure says of its tables holds: which items a row concerns, and that no other row concerns them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use app::{Again, again_by, only};
use catalog::{Bindings, Engine, written_out_of};
use model::Value;
use store::records::{Limits, Reader, Records};

use crate::cases::{Bench, Scene};

/// The rows of each item.
type ByItem = BTreeMap<i64, Vec<Vec<Value>>>;

fn by_item(rows: Vec<Vec<Value>>) -> ByItem {
    let mut items = ByItem::new();
    for row in rows {
        if let Some(Value::Integer(item)) = row.first() {
            items.entry(*item).or_default().push(row);
        }
    }
    items
}

impl Bench<'_> {
    /// Takes each row of each case away and puts it back: what is asked again about the items that the row is said to concern, beside
    /// what was yielded before, has to be what asking everything yields. And of each item alone that has to be yielded which is
    /// yielded of it among all. Gives how many changes were judged by their items.
    ///
    /// # Errors
    /// Every item that is judged otherwise, one to a line.
    pub fn check_items(&self, folder: &Path) -> Result<usize, String> {
        let (mut wrong, mut judged) = (String::new(), 0);
        for (number, scene) in self.scenes().into_iter().enumerate() {
            let mut scenes = vec![scene.clone()];
            for at in 0..scene.rows.len() {
                let mut without = scene.clone();
                without.rows.remove(at);
                scenes.extend([without, scene.clone()]);
            }
            let path = folder.join(format!("records-{number}.db"));
            let mut records = Records::create_sqlite(&path, &self.tables).map_err(|e| e.to_string())?;
            self.fill(&mut records, &scenes).map_err(|e| e.to_string())?;
            let mut reader = records.reader().map_err(|e| e.to_string())?;
            let whole: Vec<ByItem> = self.run(&mut reader, &scenes)?.into_iter().map(by_item).collect();
            let name = &self.cases[scene.case].name;
            for item in whole[0].keys() {
                let items = BTreeSet::from([*item]);
                let alone = self.of_items(&mut reader, &scene, 1, &items)?;
                if alone.get(item) != whole[0].get(item) {
                    wrong.push_str(&format!(
                        "`{name}`: item {} alone is {:?}, and {:?} among all\n",
                        self.cases[scene.case].name_of(*item),
                        alone.get(item),
                        whole[0].get(item)
                    ));
                }
            }
            for (at, (table, row)) in scene.rows.iter().enumerate() {
                for (since, change) in [(2 * at, "gone"), (2 * at + 1, "back")] {
                    // The n-th scene, counted from 0, is known at position n + 1.
                    let (before, after) = (&whole[since], &whole[since + 1]);
                    let since = i64::try_from(since + 1).unwrap_or(0);
                    let written = BTreeMap::from([(table.as_str(), BTreeSet::from([row.id]))]);
                    let again = again_by(&mut reader, self.procedure, &written, since, since + 1)
                        .map_err(|e| e.to_string())?;
                    let Again::Of(items) = again else { continue };
                    judged += 1;
                    let mut found = before.clone();
                    found.retain(|item, _| !items.contains(item));
                    found.extend(self.of_items(&mut reader, &scene, since + 1, &items)?);
                    if found != *after {
                        wrong.push_str(&format!(
                            "`{name}` with row {} of `{table}` {change}: {found:?}, and {after:?} by asking everything\n",
                            at + 1
                        ));
                    }
                }
            }
        }
        if wrong.is_empty() { Ok(judged) } else { Err(wrong) }
    }

    /// What a run about these items alone yields of them.
    fn of_items(
        &self,
        reader: &mut Reader,
        scene: &Scene,
        position: i64,
        items: &BTreeSet<i64>,
    ) -> Result<ByItem, String> {
        let only = only(reader, self.procedure, items).map_err(|e| e.to_string())?;
        let only = only.ok_or("there are too many rows")?;
        let bindings = Bindings { known_at: position, ..self.cases[scene.case].bindings.clone() };
        let sql = written_out_of(&self.procedure.query, &bindings, &only, Engine::Sqlite)
            .map_err(|problems| problems.iter().map(|p| format!("{p}\n")).collect::<String>())?;
        let (_, rows) = reader.collect(&sql, &Limits::default()).map_err(|e| format!("{e}\n{sql}"))?;
        let mut found = by_item(rows);
        found.retain(|item, _| items.contains(item));
        Ok(found)
    }
}
