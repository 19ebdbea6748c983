//! Asking a procedure again after more came in: what it yielded before is kept beside the records, and only the items that new
//! rows concern are judged again.
//!
//! What a run yields depends on its text, in which everything stands that it was asked with, and on the rows known at a position.
//! So the text names it, and the rows written since decide what of it still holds. Coverage, versions and names are no part of it:
//! they are applied anew each time. Where a table does not say which items its rows concern, everything is asked again.

use std::collections::{BTreeMap, BTreeSet};

use assess::{Clean, CoverageMap, Rules, Tested};
use catalog::{Only, Procedure, TableUse};
use model::{Attribute, Grade, Instant, Table, Value, Verdict};
use sha2::{Digest as _, Sha256};
use store::records::{Keeping, Limits, Reader, Records, RecordsError};

use crate::controls::{self, CONTROL};
use crate::error::AppError;

/// What has to be asked again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Again {
    /// These items; none where nothing was written that concerns any.
    Of(BTreeSet<i64>),
    /// Everything.
    Everything,
}

/// Items from which on it is cheaper to ask everything again.
const MANY: usize = 20_000;
/// Items in one text: each list of them stands there as often as its table is read.
pub(crate) const AT_ONCE: usize = 500;
/// Rows that are kept together.
const TOGETHER: usize = 4_096;

/// Which items of a procedure are concerned by what was written after position `since` and up to `until`.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn again(
    records: &mut Records,
    procedure: &Procedure,
    since: i64,
    until: i64,
) -> Result<Again, AppError> {
    if until < since {
        return Ok(Again::Everything);
    }
    let mut written = BTreeMap::new();
    for used in &procedure.tables {
        let Some(number) = records.table(&used.name) else { continue };
        match records.written_since(number, since, until)? {
            Some(ids) if ids.is_empty() => {}
            Some(ids) => drop(written.insert(used.name.as_str(), ids)),
            None => return Ok(Again::Everything),
        }
    }
    if written.is_empty() {
        Ok(Again::Of(BTreeSet::new()))
    } else {
        again_by(&mut records.reader()?, procedure, &written, since, until)
    }
}

/// The same, where it is known of which entities rows were written, by their table.
///
/// # Errors
/// The database cannot be read.
pub fn again_by(
    reader: &mut Reader,
    procedure: &Procedure,
    written: &BTreeMap<&str, BTreeSet<i64>>,
    since: i64,
    until: i64,
) -> Result<Again, AppError> {
    let mut items = BTreeSet::new();
    for (table, ids) in written {
        let Some(used) = procedure.tables.iter().find(|t| t.name == *table) else { continue };
        if used.item_by.is_empty() || ids.len() > MANY {
            return Ok(Again::Everything);
        }
        // A row that was taken back concerns what it concerned.
        let moved = |column: &str| format!("{column} > {since} AND {column} <= {until}");
        let condition =
            format!("id IN ({}) AND ({} OR {})", listed(ids), moved("known_from"), moved("superseded_at"));
        match concerned(reader, procedure, used, &condition)? {
            Some(found) => items.extend(found),
            None => return Ok(Again::Everything),
        }
        if items.len() > MANY {
            return Ok(Again::Everything);
        }
    }
    Ok(Again::Of(items))
}

/// The items that some rows of a table concern; `None` where a row concerns every one.
fn concerned(
    reader: &mut Reader,
    procedure: &Procedure,
    used: &TableUse,
    condition: &str,
) -> Result<Option<BTreeSet<i64>>, AppError> {
    let columns: Vec<&str> = used.item_by.iter().map(|way| way.column.as_str()).collect();
    let sql = format!("SELECT DISTINCT {} FROM {}_row WHERE {condition}", columns.join(", "), used.name);
    let mut named: Vec<BTreeSet<i64>> = vec![BTreeSet::new(); columns.len()];
    for row in rows(reader, &sql)? {
        let mut leads = false;
        for (value, named) in row.iter().zip(&mut named) {
            if let Value::Integer(id) = value {
                named.insert(*id);
                leads = true;
            }
        }
        if !leads {
            return Ok(None);
        }
    }
    let mut items = BTreeSet::new();
    for (way, ids) in used.item_by.iter().zip(named) {
        let Some((through, column)) = &way.through else {
            items.extend(ids);
            continue;
        };
        if ids.is_empty() {
            continue;
        }
        let Some(through) = procedure.tables.iter().find(|t| t.name == *through) else { return Ok(None) };
        if through.item_by.is_empty() || ids.len() > MANY {
            return Ok(None);
        }
        let condition = format!("{column} IN ({})", listed(&ids));
        match concerned(reader, procedure, through, &condition)? {
            Some(found) => items.extend(found),
            None => return Ok(None),
        }
    }
    Ok(Some(items))
}

/// The rows that a run about these items alone has to read; `None` where they are too many.
///
/// # Errors
/// The database cannot be read.
pub fn only(
    reader: &mut Reader,
    procedure: &Procedure,
    items: &BTreeSet<i64>,
) -> Result<Option<BTreeMap<String, Only>>, AppError> {
    let mut only: BTreeMap<String, Only> = BTreeMap::new();
    // Each table comes after those its ways lead through: they lead in no circle.
    let mut waiting: Vec<&TableUse> = procedure.tables.iter().filter(|t| !t.item_by.is_empty()).collect();
    while !waiting.is_empty() {
        let before = waiting.len();
        let mut later = vec![];
        for used in waiting {
            let ready =
                used.item_by.iter().filter_map(|w| w.through.as_ref()).all(|(t, _)| only.contains_key(t));
            if !ready {
                later.push(used);
                continue;
            }
            let mut of = Only::default();
            for way in &used.item_by {
                let ids = of.0.entry(way.column.clone()).or_default();
                let Some((through, column)) = &way.through else {
                    ids.extend(items);
                    continue;
                };
                let Some((table, rows_of)) = table(procedure, through).zip(only.get(through)) else {
                    continue;
                };
                let sql =
                    format!("SELECT DISTINCT {column} FROM {through}_row WHERE {}", rows_of.condition(table));
                ids.extend(rows(reader, &sql)?.iter().filter_map(|row| match row.first() {
                    Some(Value::Integer(id)) => Some(*id),
                    _ => None,
                }));
                if ids.len() > MANY {
                    return Ok(None);
                }
            }
            only.insert(used.name.clone(), of);
        }
        if later.len() == before {
            return Ok(None);
        }
        waiting = later;
    }
    Ok(Some(only))
}

fn table<'p>(procedure: &'p Procedure, name: &str) -> Option<&'p Table> {
    procedure.query.tables().iter().find(|t| t.name == name)
}

fn rows(reader: &mut Reader, sql: &str) -> Result<Vec<Vec<Value>>, AppError> {
    let (_, rows) = reader
        .collect(sql, &Limits::default())
        .map_err(|source| AppError::Run { what: "what was written since the last run".to_owned(), source })?;
    Ok(rows)
}

fn listed(ids: &BTreeSet<i64>) -> String {
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
}

/// What names a run: everything it depends on but the rows written to the ledger. `sql` is its text as it would see all rows.
pub(crate) fn name_of(
    records: &mut Records,
    procedure: &Procedure,
    sql: &str,
) -> Result<[u8; 32], RecordsError> {
    let mut hash = Sha256::new();
    hash.update("tickmark kept 1\n");
    hash.update(procedure.content_hash);
    hash.update(sql);
    if procedure.tables.iter().any(|t| t.name == "calendar_day") {
        // Days are no rows of the ledger. Those of a calendar and zone come all at once, and stay.
        records.entities(Some("calendar"), |calendar| {
            hash.update(format!("\n{} {}", calendar.id, calendar.key));
        })?;
    }
    if let Some(table) = records.table(CONTROL)
        && procedure.tables.iter().any(|t| t.name == CONTROL)
    {
        // Controls are none either: whoever changes the content is told something else.
        hash.update(format!("\n{:?}", controls::rows(records, table)?));
    }
    Ok(hash.finalize().into())
}

/// Rows of a run that is kept, in parts that can be replaced one by one.
#[derive(Debug)]
pub(crate) struct Remembered {
    run: [u8; 32],
    procedure: String,
    shape: Shape,
    /// The ledger position it holds at.
    pub(crate) position: i64,
    parts: Vec<Part>,
    next: i64,
    gone: Vec<i64>,
    changed: bool,
}

#[derive(Debug)]
struct Part {
    number: i64,
    /// The first item that may stand here; the first of the next part is the first that does not.
    first: i64,
    /// Its rows, where they are new.
    rows: Option<Vec<u8>>,
    settled: Option<Settled>,
}

/// What became of a part when it was last judged in brief.
#[derive(Debug)]
struct Settled {
    /// What its rows read of silence, and of which scopes.
    reach: (Instant, Instant),
    scopes: BTreeSet<i64>,
    /// What coverage said there, and which scope was asked for.
    by: [u8; 32],
    clean: Clean,
    others: Vec<u8>,
}

/// By what rows are judged in brief.
pub(crate) struct Judging<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) coverage: &'a CoverageMap,
    /// The one scope whose items count, where one is asked for.
    pub(crate) scope: Option<i64>,
}

impl Judging<'_> {
    /// Everything that the judgement of rows can depend on besides themselves.
    fn digest(&self, scopes: &BTreeSet<i64>, (from, to): (Instant, Instant)) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(format!("{:?}", self.scope));
        for scope in scopes {
            hash.update(scope.to_le_bytes());
            self.coverage.said_within(self.rules, *scope, from, to, |text| {
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text);
            });
        }
        hash.finalize().into()
    }

    fn settle(&self, shape: Shape, mut rows: Vec<Tested>) -> Settled {
        let forever = (Instant::FOREVER, Instant::BEGINNING);
        let reach = rows.iter().map(assess::reach).fold(forever, |a, b| (a.0.min(b.0), a.1.max(b.1)));
        let scopes: BTreeSet<i64> = rows.iter().map(|row| row.scope).collect();
        let by = self.digest(&scopes, reach);
        if let Some(scope) = self.scope {
            rows.retain(|row| row.scope == scope);
        }
        let (clean, rows) = Clean::of(self.rules, rows, self.coverage);
        let mut others = vec![];
        rows.iter().for_each(|row| shape.write(row, &mut others));
        Settled { reach, scopes, by, clean, others }
    }
}

/// What a row has besides what every row has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    attributes: usize,
    since: bool,
    until: bool,
}

impl Shape {
    fn of(procedure: &Procedure) -> Self {
        let columns = procedure.query.columns();
        let ends = |end: &str| columns.iter().any(|c| c.ends_with(end));
        Self {
            attributes: procedure.attributes.len(),
            since: ends(catalog::sql::SINCE),
            until: ends(catalog::sql::UNTIL),
        }
    }
}

impl Remembered {
    /// A run whose rows are all new, in order of items.
    pub(crate) fn of(run: [u8; 32], procedure: &Procedure, position: i64, rows: &[Tested]) -> Self {
        let mut new = Self::begun(run, procedure, position);
        new.parts = new.parted(i64::MIN, rows);
        new
    }

    /// The run of a name, where it is kept and can be read.
    pub(crate) fn find(
        records: &mut Records,
        run: [u8; 32],
        procedure: &Procedure,
    ) -> Result<Option<Self>, RecordsError> {
        let Some(found) = records.kept(&run)? else { return Ok(None) };
        let shape = Shape::of(procedure);
        let mut head = found.head.as_slice();
        let read = |left: &mut &[u8]| {
            let next = number(left)?;
            let mut parts = vec![];
            while !left.is_empty() {
                let (number, first) = (number(left)?, number(left)?);
                let settled = match byte(left)? {
                    0 => None,
                    _ => Some(Settled::read(procedure, left)?),
                };
                parts.push(Part { number, first, rows: None, settled });
            }
            Some((next, parts))
        };
        let Some((next, parts)) = read(&mut head) else { return Ok(None) };
        Ok(Some(Self {
            run,
            procedure: procedure.id.clone(),
            shape,
            position: found.position,
            parts,
            next,
            gone: vec![],
            changed: false,
        }))
    }

    /// Puts the rows of these items in the place of what was kept of them, as they are at a position. `None` where what is kept
    /// cannot be read.
    pub(crate) fn replace(
        &mut self,
        records: &mut Records,
        items: &BTreeSet<i64>,
        position: i64,
        mut rows: Vec<Tested>,
    ) -> Result<Option<()>, RecordsError> {
        self.changed |= self.position != position;
        self.position = position;
        rows.sort_by_key(|row| row.item);
        let mut rows = rows.into_iter().peekable();
        let mut parts = vec![];
        let mut before = std::mem::take(&mut self.parts).into_iter().peekable();
        while let Some(part) = before.next() {
            let end = before.peek().map(|next| next.first);
            let here = |item: i64| end.is_none_or(|end| item < end);
            if !items.range(part.first..).next().is_some_and(|item| here(*item)) {
                parts.push(part);
                continue;
            }
            let Some(mut found) = self.read(records, &part)? else { return Ok(None) };
            found.retain(|row| !items.contains(&row.item));
            while let Some(row) = rows.next_if(|row| here(row.item)) {
                found.push(row);
            }
            // Stable: rows of one item stay in the order in which the query yields them.
            found.sort_by_key(|row| row.item);
            self.gone.push(part.number);
            self.changed = true;
            parts.extend(self.parted(part.first, &found));
        }
        self.parts = parts;
        Ok(Some(()))
    }

    /// A run whose rows are to come.
    fn begun(run: [u8; 32], procedure: &Procedure, position: i64) -> Self {
        Self {
            run,
            procedure: procedure.id.clone(),
            shape: Shape::of(procedure),
            position,
            parts: vec![],
            next: 0,
            gone: vec![],
            changed: true,
        }
    }

    /// Every row, in order of items; `None` where they cannot be read.
    pub(crate) fn rows(&self, records: &mut Records) -> Result<Option<Vec<Tested>>, RecordsError> {
        let mut all = vec![];
        for part in &self.parts {
            match self.read(records, part)? {
                Some(rows) => all.extend(rows),
                None => return Ok(None),
            }
        }
        Ok(Some(all))
    }

    /// How many rows are in order, and the others. Only parts that changed, or of whose time coverage says something else than it
    /// did, are judged. `None` where they cannot be read.
    pub(crate) fn settled(
        &mut self,
        records: &mut Records,
        judging: &Judging<'_>,
    ) -> Result<Option<(Clean, Vec<Tested>)>, RecordsError> {
        let (mut clean, mut others) = (Clean::default(), vec![]);
        for at in 0..self.parts.len() {
            let part = &self.parts[at];
            let holds = |s: &Settled| s.by == judging.digest(&s.scopes, s.reach);
            if !part.settled.as_ref().is_some_and(holds) {
                let Some(rows) = self.read(records, part)? else { return Ok(None) };
                self.parts[at].settled = Some(judging.settle(self.shape, rows));
                self.changed = true;
            }
            let Some(settled) = &self.parts[at].settled else { continue };
            clean.add(&settled.clean);
            match self.shape.read_all(&settled.others) {
                Some(rows) => others.extend(rows),
                None => return Ok(None),
            }
        }
        Ok(Some((clean, others)))
    }

    /// Keeps what is new.
    pub(crate) fn keep(self, records: &mut Records) -> Result<(), RecordsError> {
        if !self.changed {
            return Ok(());
        }
        let mut head = self.next.to_le_bytes().to_vec();
        let mut parts = vec![];
        for part in self.parts {
            head.extend(part.number.to_le_bytes());
            head.extend(part.first.to_le_bytes());
            head.push(u8::from(part.settled.is_some()));
            if let Some(settled) = &part.settled {
                settled.write(self.shape, &mut head);
            }
            parts.extend(part.rows.map(|rows| (part.number, rows)));
        }
        records.keep(&Keeping {
            run: self.run,
            procedure: self.procedure,
            position: self.position,
            head,
            parts,
            gone: self.gone,
        })
    }

    /// Rows in parts of which none divides an item.
    fn parted(&mut self, first: i64, rows: &[Tested]) -> Vec<Part> {
        let mut parts = vec![];
        let (mut begins, mut here, mut count, mut last) = (first, Vec::new(), 0, None);
        let mut add = |first: i64, rows: Vec<u8>| {
            parts.push(Part { number: self.next, first, rows: Some(rows), settled: None });
            self.next += 1;
        };
        for row in rows {
            if count >= TOGETHER && last != Some(row.item) {
                add(begins, std::mem::take(&mut here));
                (begins, count) = (row.item, 0);
            }
            self.shape.write(row, &mut here);
            (count, last) = (count + 1, Some(row.item));
        }
        add(begins, here);
        parts
    }

    fn read(&self, records: &mut Records, part: &Part) -> Result<Option<Vec<Tested>>, RecordsError> {
        match &part.rows {
            Some(rows) => Ok(self.shape.read_all(rows)),
            None => {
                Ok(records.kept_part(&self.run, part.number)?.and_then(|rows| self.shape.read_all(&rows)))
            }
        }
    }
}

/// A run whose rows come one after the other, in order of items: each part is judged and put away as soon as it is full, so that
/// of a population however large only what is not in order takes memory.
pub(crate) struct Growing<'a> {
    judging: Judging<'a>,
    remembered: Remembered,
    /// The first item that may stand in the part that is filled, and its rows.
    first: i64,
    rows: Vec<Tested>,
    clean: Clean,
    others: Vec<Tested>,
}

impl<'a> Growing<'a> {
    pub(crate) fn begin(
        records: &mut Records,
        run: [u8; 32],
        procedure: &Procedure,
        position: i64,
        judging: Judging<'a>,
    ) -> Result<Self, RecordsError> {
        // What a run that was broken off put away belongs to nothing.
        records.keep_anew(&run, &procedure.id)?;
        let remembered = Remembered::begun(run, procedure, position);
        Ok(Self {
            judging,
            remembered,
            first: i64::MIN,
            rows: vec![],
            clean: Clean::default(),
            others: vec![],
        })
    }

    /// The next rows.
    pub(crate) fn take(&mut self, records: &mut Records, rows: Vec<Tested>) -> Result<(), RecordsError> {
        for row in rows {
            if self.rows.len() >= TOGETHER && self.rows.last().is_some_and(|last| last.item != row.item) {
                self.put_away(records, row.item)?;
            }
            self.rows.push(row);
        }
        Ok(())
    }

    fn put_away(&mut self, records: &mut Records, next: i64) -> Result<(), RecordsError> {
        let rows = std::mem::take(&mut self.rows);
        let shape = self.remembered.shape;
        let mut bytes = vec![];
        rows.iter().for_each(|row| shape.write(row, &mut bytes));
        let settled = self.judging.settle(shape, rows);
        self.clean.add(&settled.clean);
        self.others.extend(shape.read_all(&settled.others).into_iter().flatten());
        let (number, first) = (self.remembered.next, std::mem::replace(&mut self.first, next));
        records.keep_part(&self.remembered.run, number, &bytes)?;
        self.remembered.parts.push(Part { number, first, rows: None, settled: Some(settled) });
        self.remembered.next += 1;
        Ok(())
    }

    /// Keeps the run, whose rows were all taken: how many are in order, and the others.
    pub(crate) fn end(mut self, records: &mut Records) -> Result<(Clean, Vec<Tested>), RecordsError> {
        self.put_away(records, i64::MAX)?;
        self.remembered.keep(records)?;
        Ok((self.clean, self.others))
    }
}

impl Settled {
    fn write(&self, shape: Shape, out: &mut Vec<u8>) {
        out.extend(self.reach.0.ms().to_le_bytes());
        out.extend(self.reach.1.ms().to_le_bytes());
        out.extend((self.scopes.len() as u64).to_le_bytes());
        self.scopes.iter().for_each(|scope| out.extend(scope.to_le_bytes()));
        out.extend(self.by);
        out.extend((self.clean.population as u64).to_le_bytes());
        out.extend((self.clean.passed as u64).to_le_bytes());
        let letters = ('a'..='z').take(shape.attributes).map(Attribute);
        for letter in letters {
            let counts = self.clean.counts.get(&letter);
            for verdict in CLEAN {
                let n = counts.and_then(|c| c.get(&verdict)).copied().unwrap_or(0);
                out.extend((n as u64).to_le_bytes());
            }
        }
        out.extend((self.others.len() as u64).to_le_bytes());
        out.extend(&self.others);
    }

    fn read(procedure: &Procedure, left: &mut &[u8]) -> Option<Self> {
        let count = |left: &mut &[u8]| usize::try_from(number(left)?).ok();
        let reach = (Instant::from_ms(number(left)?), Instant::from_ms(number(left)?));
        let scopes = (0..count(left)?).map(|_| number(left)).collect::<Option<_>>()?;
        let (by, rest) = left.split_first_chunk::<32>()?;
        *left = rest;
        let (population, passed) = (count(left)?, count(left)?);
        let mut counts: BTreeMap<Attribute, BTreeMap<Verdict, usize>> = BTreeMap::new();
        for attribute in &procedure.attributes {
            for verdict in CLEAN {
                let n = count(left)?;
                if n > 0 {
                    counts
                        .entry(crate::assessment::letter(&attribute.letter))
                        .or_default()
                        .insert(verdict, n);
                }
            }
        }
        let length = count(left)?;
        let (others, rest) = left.split_at_checked(length)?;
        *left = rest;
        let clean = Clean { population, passed, counts };
        Some(Self { reach, scopes, by: *by, clean, others: others.to_vec() })
    }
}

/// The verdicts of what is in order.
const CLEAN: [Verdict; 2] = [Verdict::Pass, Verdict::NotApplicable];

/// The byte of a verdict that is NULL.
const NULL: u8 = u8::MAX;

impl Shape {
    fn read_all(self, mut left: &[u8]) -> Option<Vec<Tested>> {
        let mut rows = vec![];
        while !left.is_empty() {
            rows.push(self.read(&mut left)?);
        }
        Some(rows)
    }

    fn write(self, row: &Tested, out: &mut Vec<u8>) {
        for number in [row.item, row.scope, row.occurred_at.ms(), row.entry] {
            out.extend(number.to_le_bytes());
        }
        out.push(Grade::ALL.iter().position(|g| *g == row.grade).map_or(NULL, |at| at as u8));
        for at in 0..self.attributes {
            let verdict = row.verdicts.get(at).copied().flatten();
            let at = verdict.and_then(|v| Verdict::ALL.iter().position(|known| *known == v));
            out.push(at.map_or(NULL, |at| at as u8));
        }
        for (wanted, instants) in [(self.since, &row.since), (self.until, &row.until)] {
            if wanted {
                instants.iter().for_each(|at| out.extend(at.ms().to_le_bytes()));
            }
        }
        out.extend((row.label.len() as u32).to_le_bytes());
        out.extend(row.label.as_bytes());
    }

    fn read(self, left: &mut &[u8]) -> Option<Tested> {
        let (item, scope) = (number(left)?, number(left)?);
        let (occurred_at, entry) = (Instant::from_ms(number(left)?), number(left)?);
        let grade = *Grade::ALL.get(usize::from(byte(left)?))?;
        let mut verdicts = Vec::with_capacity(self.attributes);
        for _ in 0..self.attributes {
            verdicts.push(match byte(left)? {
                NULL => None,
                at => Some(*Verdict::ALL.get(usize::from(at))?),
            });
        }
        let mut instants = |wanted: bool| -> Option<Vec<Instant>> {
            let count = if wanted { self.attributes } else { 0 };
            (0..count).map(|_| number(left).map(Instant::from_ms)).collect()
        };
        let (since, until) = (instants(self.since)?, instants(self.until)?);
        let (length, rest) = left.split_first_chunk::<4>()?;
        let (label, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        *left = rest;
        let label = std::str::from_utf8(label).ok()?.to_owned();
        Some(Tested { item, scope, label, occurred_at, entry, grade, verdicts, since, until })
    }
}

fn number(left: &mut &[u8]) -> Option<i64> {
    let (bytes, rest) = left.split_first_chunk::<8>()?;
    *left = rest;
    Some(i64::from_le_bytes(*bytes))
}

fn byte(left: &mut &[u8]) -> Option<u8> {
    let (byte, rest) = left.split_first()?;
    *left = rest;
    Some(*byte)
}

#[cfg(test)]
mod tests;
