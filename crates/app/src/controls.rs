//! The controls of the catalogue as rows, so that procedures can ask about controls that nothing else names. Content, not evidence.

use std::collections::BTreeMap;

use catalog::{Catalog, Control};
use model::Value;
use store::records::{Batch, Entity, Limits, Records, RecordsError};

use crate::calendar::row_of_content;
use crate::error::AppError;
use crate::scope::categories_of;

/// The table, and the kind of its entities.
pub(crate) const CONTROL: &str = "control";
/// Numbers of controls lie below: they meet neither those of the ledger's rows nor those of calendars.
const NUMBERS: i64 = -(1 << 40);

/// Lets the rows of the controls be what the content says now. Like days they are known at every position of the ledger: the content
/// is asked as it is, and what was frozen holds them as they were.
pub(crate) fn keep_up(records: &mut Records, catalog: &Catalog) -> Result<(), AppError> {
    let Some(table) = records.table(CONTROL) else { return Ok(()) };
    let mut numbers = BTreeMap::new();
    records.entities(Some(CONTROL), |e| {
        numbers.insert(e.key, e.id);
    })?;
    let mut there = rows(records, table)?;
    let mut batch = Batch { applied: records.applied()?, ..Batch::default() };
    let mut first = numbers.values().copied().min().unwrap_or(NUMBERS);
    for control in catalog.controls.values() {
        let values = values(catalog, control);
        let id = match numbers.get(&control.id) {
            Some(id) => *id,
            None => {
                first -= 1;
                batch.entities.push(Entity {
                    id: first,
                    kind: CONTROL.into(),
                    scope: 0,
                    key: control.id.clone(),
                });
                first
            }
        };
        if there.remove(&id).as_ref() != Some(&values) {
            batch.rows.push((table, row_of_content(id, 0, values)));
        }
    }
    batch.retracted.extend(there.keys().map(|id| (table, *id, 0)));
    if batch.rows.is_empty() && batch.retracted.is_empty() {
        return Ok(());
    }
    // What was said before stays in the table, known at no position: a row that takes its place needs a place of its own.
    let sql = format!("SELECT max(place) AS place FROM {CONTROL}_row");
    let (_, last) = records
        .reader()?
        .collect(&sql, &Limits::default())
        .map_err(|source| AppError::Run { what: "the rows of controls".to_owned(), source })?;
    let last = match last.first().and_then(|row| row.first()) {
        Some(Value::Integer(place)) => *place,
        _ => 0,
    };
    for (place, (_, row)) in (last + 1..).zip(&mut batch.rows) {
        row.place = place;
    }
    Ok(records.apply(&batch)?)
}

/// The rows as they are, by the controls' numbers.
pub(crate) fn rows(records: &mut Records, table: usize) -> Result<BTreeMap<i64, Vec<Value>>, RecordsError> {
    let mut all = BTreeMap::new();
    records.rows_known_at::<RecordsError>(table, 0, |row| {
        all.insert(row.id, row.values);
        Ok(())
    })?;
    Ok(all)
}

/// The columns of `content/tables/control.toml`, in order.
fn values(catalog: &Catalog, control: &Control) -> Vec<Value> {
    let frequency: Vec<&str> = control.frequency.iter().map(|f| f.word()).collect();
    vec![
        control.id.as_str().into(),
        control.title.as_str().into(),
        control.owner_role.as_str().into(),
        frequency.join(", ").as_str().into(),
        control.mode.word().into(),
        categories_of(catalog, control).join(" ").as_str().into(),
        i64::from(catalog.procedures_of(&control.id).next().is_some()).into(),
    ]
}

#[cfg(test)]
mod tests;
