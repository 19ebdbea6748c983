//! Calendars: which days are business days. Content, not evidence.

use model::{Grade, Instant, Row, Value, row_id};
use store::records::{Batch, CURRENT, Entity, Records};

use crate::error::AppError;

fn key(calendar: &catalog::Calendar, zone: &str) -> String {
    format!("{} {zone}", calendar.id)
}

/// A row that the content of the workspace says: of no ledger entry, and known at every position.
pub(crate) const fn row_of_content(id: i64, place: i64, values: Vec<Value>) -> Row {
    Row {
        id,
        entry: 0,
        place,
        collected_at: Instant::BEGINNING,
        grade: Grade::System,
        in_scope: true,
        known_from: 0,
        superseded_at: CURRENT,
        values,
    }
}

/// Whether the days of `calendar` in `zone` stand in a generation.
pub(crate) fn is_there(
    records: &mut Records,
    calendar: &catalog::Calendar,
    zone: &str,
) -> Result<bool, AppError> {
    Ok(records.entity_id("calendar", 0, &key(calendar, zone))?.is_some())
}

/// Puts the days of `calendar` in `zone` into a generation, unless they are there. A calendar that says nothing about a
/// year gives no days of it: what is due then is unknown.
pub(crate) fn ensure(
    records: &mut Records,
    calendar: &catalog::Calendar,
    zone: &str,
) -> Result<(), AppError> {
    let Some(table) = records.table("calendar_day") else { return Ok(()) };
    if is_there(records, calendar, zone)? {
        return Ok(());
    }
    let key = key(calendar, zone);
    let applied = records.applied()?;
    let mut batch = Batch { applied, ..Batch::default() };
    let mut first = 0_i64;
    records.entities(Some("calendar"), |e| first = first.min(e.id))?;
    // Days come from content: their numbers are negative, so that they never meet those of the ledger's rows.
    let days = calendar.days(zone).map_err(|e| AppError::Other(e.to_string()))?;
    let base = first - i64::try_from(days.len()).unwrap_or(0) - 1;
    batch.entities.push(Entity { id: base, kind: "calendar".into(), scope: 0, key });
    for (place, day) in days.iter().enumerate() {
        let id = base + 1 + i64::try_from(place).unwrap_or(0);
        let values = vec![
            Value::from(calendar.id.as_str()),
            Value::from(zone),
            day.starts_at.into(),
            day.ends_at.into(),
            day.business.into(),
            day.business_number.into(),
            day.month.into(),
            day.quarter.into(),
        ];
        batch.rows.push((table, row_of_content(id, row_id(0, place as u64).unwrap_or(0), values)));
    }
    records.apply(&batch)?;
    Ok(())
}
