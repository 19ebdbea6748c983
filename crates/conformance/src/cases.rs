//! Runs the cases of procedures.
//!
//! The rows of many cases, and of their variations, lie in one generation: those of the n-th are known at position n
//! only. So a run is one query as known at its position, and building databases costs little.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use app::{rules_of, stretch_of, tested_of, uptime_rules_of};
use assess::uptime::{Interval, Span, State, Stretch, together, unseen, uptime};
use assess::{Assessment, CoverageMap, Item, Statement, Tested};
use catalog::cases::{Case, Expected, Said, parse, supersede};
use catalog::{Bindings, Catalog, Engine, Procedure, written_out};
use model::{Attribute, Conclusion, CoverageStatus, Grade, Instant, Row, Table, TableKind, Value, Verdict};
use store::records::{Batch, CURRENT, Limits, Reader, Records, RecordsError};

/// How many retellings of a case lie in one generation.
const RETOLD_AT_ONCE: usize = 100;

/// The one source that all items of a case belong to.
const SCOPE: i64 = 1;

/// A procedure with the tables it reads and its cases.
#[derive(Debug)]
pub struct Bench<'a> {
    /// The procedure.
    pub procedure: &'a Procedure,
    /// The tables it reads.
    pub tables: Vec<Table>,
    /// Its cases.
    pub cases: Vec<Case>,
    calendar: Vec<Row>,
}

/// Rows of a case as one position of a generation sees them.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Which case.
    pub case: usize,
    /// The rows it sees.
    pub rows: Vec<(String, Row)>,
    /// What was changed, for messages; empty for the case itself.
    pub change: String,
    /// The table a row was taken from.
    pub taken_from: Option<String>,
    /// By how much the period is moved.
    pub moved_ms: i64,
}

impl<'a> Bench<'a> {
    /// Reads the cases of a procedure.
    ///
    /// # Errors
    /// What is wrong with them, one problem to a line.
    pub fn new(catalog: &Catalog, procedure: &'a Procedure) -> Result<Self, String> {
        let text =
            procedure.cases.as_deref().ok_or_else(|| format!("`{}` has no cases.slt", procedure.id))?;
        let cases = parse(procedure, &catalog.tables, text)
            .map_err(|problems| problems.iter().map(|p| format!("{p}\n")).collect::<String>())?;
        let tables: Vec<Table> = catalog
            .tables
            .iter()
            .filter(|t| procedure.tables.iter().any(|used| used.name == t.name))
            .cloned()
            .collect();
        let calendar = calendar_rows(catalog, procedure, &tables, &cases)?;
        Ok(Self { procedure, tables, cases, calendar })
    }

    /// The same cases for another procedure over the same tables.
    #[must_use]
    pub fn with<'b>(&self, procedure: &'b Procedure) -> Bench<'b> {
        let Self { tables, cases, calendar, .. } = self;
        Bench { procedure, tables: tables.clone(), cases: cases.clone(), calendar: calendar.clone() }
    }

    /// The cases as they are written.
    #[must_use]
    pub fn scenes(&self) -> Vec<Scene> {
        (0..self.cases.len()).map(|case| self.scene(case)).collect()
    }

    fn scene(&self, case: usize) -> Scene {
        let known_at = self.cases[case].bindings.known_at;
        let mut rows = self.cases[case].rows.clone();
        supersede(&self.tables, &mut rows);
        rows.retain(|(_, row)| row.known_from <= known_at && row.superseded_at > known_at);
        Scene { case, rows, change: String::new(), taken_from: None, moved_ms: 0 }
    }

    /// A case with one value made unknown, or one row taken away, in every way.
    #[must_use]
    pub fn variations(&self, scene: &Scene) -> Vec<Scene> {
        let mut scenes = Vec::new();
        let case = &self.cases[scene.case];
        for (i, (name, row)) in scene.rows.iter().enumerate() {
            let Some(table) = self.tables.iter().find(|t| t.name == *name) else { continue };
            let about = format!("row {} of `{name}`, about {}", i + 1, case.name_of(row.id));
            let mut without = scene.clone();
            without.rows.remove(i);
            without.change = format!("without {about}");
            without.taken_from = Some(name.clone());
            scenes.push(without);
            for (j, column) in table.columns.iter().enumerate() {
                if column.nullable && row.values[j] != Value::Null {
                    let mut unknown = scene.clone();
                    unknown.rows[i].1.values[j] = Value::Null;
                    unknown.change = format!("with `{}` unknown in {about}", column.name);
                    scenes.push(unknown);
                }
            }
        }
        scenes
    }

    /// Fills a generation with scenes: the n-th, counted from 1, is known at position n only.
    ///
    /// # Errors
    /// What the store says.
    pub fn fill(&self, records: &mut Records, scenes: &[Scene]) -> Result<(), RecordsError> {
        let number = |name: &str| self.tables.iter().position(|t| t.name == name);
        records.fill(|take| {
            let calendar = number("calendar_day");
            let rows = self.calendar.iter().filter_map(|row| Some((calendar?, row.clone()))).collect();
            take(&Batch { rows, ..Batch::default() })?;
            for (position, scene) in (1..).zip(scenes) {
                let rows = scene
                    .rows
                    .iter()
                    .filter_map(|(name, row)| {
                        let row = Row { known_from: position, superseded_at: position + 1, ..row.clone() };
                        Some((number(name)?, row))
                    })
                    .collect();
                take(&Batch { rows, applied: position, ..Batch::default() })?;
            }
            Ok(())
        })
    }

    /// The text of the query as the scene at a position needs it.
    ///
    /// # Errors
    /// A parameter that does not fit.
    pub fn sql(&self, scene: &Scene, position: i64, engine: Engine) -> Result<String, String> {
        let mut bindings = Bindings { known_at: position, ..self.cases[scene.case].bindings.clone() };
        for bound in [&mut bindings.from, &mut bindings.to, &mut bindings.as_of] {
            *bound = Instant::from_ms(bound.ms().saturating_add(scene.moved_ms));
        }
        written_out(&self.procedure.query, &bindings, engine)
            .map_err(|problems| problems.iter().map(|p| format!("{p}\n")).collect())
    }

    /// The text of the uptime as the scene at a position needs it; `None` where the procedure has none.
    ///
    /// # Errors
    /// A parameter that does not fit.
    pub fn uptime_sql(&self, scene: &Scene, position: i64, engine: Engine) -> Result<Option<String>, String> {
        let Some(uptime) = &self.procedure.uptime else { return Ok(None) };
        let bindings = Bindings { known_at: position, ..self.cases[scene.case].bindings.clone() };
        written_out(&uptime.query, &bindings, engine)
            .map(Some)
            .map_err(|problems| problems.iter().map(|p| format!("{p}\n")).collect())
    }

    /// Runs the uptime of every scene of a filled generation; nothing where the procedure has none.
    ///
    /// # Errors
    /// What the engine says, with the text it ran.
    pub fn run_uptime(&self, reader: &mut Reader, scenes: &[Scene]) -> Result<Vec<Vec<Vec<Value>>>, String> {
        let engine = if reader.is_postgres() { Engine::Postgres } else { Engine::Sqlite };
        let mut all = Vec::new();
        for (position, scene) in (1..).zip(scenes) {
            let Some(sql) = self.uptime_sql(scene, position, engine)? else { return Ok(all) };
            let (_, rows) = reader.collect(&sql, &Limits::default()).map_err(|e| format!("{e}\n{sql}"))?;
            all.push(rows);
        }
        Ok(all)
    }

    /// For how long each item held, and all of them together (under no item).
    ///
    /// # Errors
    /// A row that is no stretch.
    pub fn uptime(
        &self,
        case: &Case,
        items: &[Item],
        rows: &[Vec<Value>],
        gap: Option<&str>,
    ) -> Result<BTreeMap<Option<i64>, Vec<Interval>>, String> {
        let Some(rules) = uptime_rules_of(self.procedure) else { return Ok(BTreeMap::new()) };
        let mut found: BTreeMap<i64, Vec<Stretch>> = BTreeMap::new();
        for row in rows {
            let (item, stretch) = stretch_of(row).map_err(|what| format!("a row yields {what}"))?;
            found.entry(item).or_default().push(stretch);
        }
        let scopes = items.iter().map(|i| i.scope).chain([SCOPE]).collect();
        let coverage = coverage_of(&self.tables, &case.coverage, gap, &scopes);
        let counted = Instant::from_ms(case.bindings.cutoff.ms().saturating_add(1));
        let span = Span { from: case.period.from, end: case.period.to.min(counted), to: case.period.to };
        let mut all: BTreeMap<Option<i64>, Vec<Interval>> = BTreeMap::new();
        for item in items {
            let stretches = found.remove(&item.item).unwrap_or_default();
            let blind = unseen(&rules, &coverage, item.scope, span);
            all.insert(Some(item.item), uptime(&stretches, &blind, rules.silence_is_down, span));
        }
        let population = &self.procedure.population_tables;
        let blind: Vec<_> = population
            .iter()
            .flat_map(|t| coverage.unseen_windows(SCOPE, t, span.from, span.end, Grade::Asserted))
            .collect();
        let control = together(all.values().map(Vec::as_slice), &blind, span);
        all.insert(None, control);
        Ok(all)
    }

    /// What the case expects of the uptime and does not get, one item to a line.
    #[must_use]
    pub fn uptime_differences(case: &Case, found: &BTreeMap<Option<i64>, Vec<Interval>>) -> String {
        let said = |from: Instant, to: Instant, state: &str| format!("{from} to {to} {state}");
        let name = |item: &Option<i64>| item.map_or("control".to_owned(), |id| case.name_of(id));
        let mut text = String::new();
        let mentioned: BTreeSet<Option<i64>> = case.uptime.iter().map(|l| l.item).collect();
        for item in mentioned {
            let expected: Vec<String> =
                case.uptime.iter().filter(|l| l.item == item).map(|l| said(l.from, l.to, &l.state)).collect();
            let got: Vec<String> = found
                .get(&item)
                .map(|all| all.iter().map(|i| said(i.from, i.to, i.state.word())).collect())
                .unwrap_or_default();
            if expected != got {
                text.push_str(&format!(
                    "uptime of {}: expected {}; got {}\n",
                    name(&item),
                    expected.join(", "),
                    got.join(", ")
                ));
            }
        }
        text
    }

    /// Runs every scene of a filled generation.
    ///
    /// # Errors
    /// What the engine says, with the text it ran.
    pub fn run(&self, reader: &mut Reader, scenes: &[Scene]) -> Result<Vec<Vec<Vec<Value>>>, String> {
        let engine = if reader.is_postgres() { Engine::Postgres } else { Engine::Sqlite };
        let mut all = Vec::new();
        for (position, scene) in (1..).zip(scenes) {
            let sql = self.sql(scene, position, engine)?;
            let (_, rows) = reader.collect(&sql, &Limits::default()).map_err(|e| format!("{e}\n{sql}"))?;
            all.push(rows);
        }
        Ok(all)
    }

    /// Joins rows with the coverage of their case. `gap` is a table that nobody looked at.
    ///
    /// # Errors
    /// A row that is no row of a result.
    pub fn judge(&self, case: &Case, rows: &[Vec<Value>], gap: Option<&str>) -> Result<Vec<Item>, String> {
        Ok(self.assess(case, rows, gap)?.items)
    }

    fn assess(&self, case: &Case, rows: &[Vec<Value>], gap: Option<&str>) -> Result<Assessment, String> {
        let mut items = BTreeSet::new();
        let mut tested = Vec::new();
        for row in rows {
            // The product's own reading of a row, and below of a procedure: a case tests them, too.
            let one =
                tested_of(&self.procedure.query, row).map_err(|(_, what)| format!("a row yields {what}"))?;
            let one = Tested { scope: if one.scope == 0 { SCOPE } else { one.scope }, ..one };
            let several = self.procedure.query.yields_scope();
            if !items.insert((one.item, several.then_some((one.scope, one.occurred_at)))) {
                return Err(format!("item {} is yielded twice", case.name_of(one.item)));
            }
            tested.push(one);
        }
        let scopes = BTreeSet::from([SCOPE]);
        let looked_at = tested.iter().map(|one| one.scope).chain(scopes.iter().copied()).collect();
        let coverage = coverage_of(&self.tables, &case.coverage, gap, &looked_at);
        let cutoff = case.bindings.cutoff;
        Ok(assess::assess(&rules_of(self.procedure), tested, &coverage, &scopes, &case.period, cutoff))
    }

    /// What the case expects and the items are not, one difference to a line.
    #[must_use]
    pub fn differences(case: &Case, items: &[Item]) -> String {
        let mut text = String::new();
        let mut expected: Vec<&Expected> = case.expected.iter().collect();
        for item in items {
            let mut name = case.name_of(item.item);
            if item.scope != SCOPE {
                name.push_str(&format!(" within {}", case.name_of(item.scope)));
            }
            // What is said of an item's scope and instant tells several of its rows apart.
            let is = |e: &&Expected| {
                e.item == item.item
                    && e.scope.is_none_or(|scope| scope == item.scope)
                    && e.scope.and(e.occurred_at).is_none_or(|at| at == item.occurred_at)
            };
            let Some(wanted) = expected.iter().position(is).map(|i| expected.remove(i)) else {
                text.push_str(&format!("{name}: is in the population, and is not expected there\n"));
                continue;
            };
            for (letter, verdict) in &wanted.verdicts {
                let got = item.verdicts.iter().find(|(a, _)| a.to_string() == *letter).map(|(_, v)| *v);
                if got != Some(*verdict) {
                    let got = got.map_or("nothing".to_owned(), |v| v.to_string());
                    text.push_str(&format!("{name} {letter}: expected {verdict}, got {got}\n"));
                }
            }
            let mut check = |what: &str, wanted: Option<String>, got: String| {
                if let Some(wanted) = wanted.filter(|w| *w != got) {
                    text.push_str(&format!("{name} {what}: expected {wanted}, got {got}\n"));
                }
            };
            check("label", wanted.label.clone(), item.label.clone());
            check("occurred_at", wanted.occurred_at.map(|i| i.to_string()), item.occurred_at.to_string());
            check("grade", wanted.grade.map(|g| g.to_string()), item.grade.to_string());
        }
        for one in expected {
            text.push_str(&format!(
                "{}: is expected, and is not in the population\n",
                case.name_of(one.item)
            ));
        }
        text
    }

    /// Runs one case on SQLite in a folder, and says how its verdicts differ.
    ///
    /// # Errors
    /// The differences, or what went wrong.
    pub fn check_on_sqlite(&self, case: usize, folder: &Path) -> Result<(), String> {
        let mut records =
            Records::create_sqlite(&folder.join("records.db"), &self.tables).map_err(|e| e.to_string())?;
        let scenes = [self.scene(case)];
        self.fill(&mut records, &scenes).map_err(|e| e.to_string())?;
        let mut reader = records.reader().map_err(|e| e.to_string())?;
        let rows = self.run(&mut reader, &scenes)?;
        let case = &self.cases[case];
        let items = self.judge(case, &rows[0], None)?;
        let mut differences = Self::differences(case, &items);
        if let Some(rows) = self.run_uptime(&mut reader, &scenes)?.first() {
            differences.push_str(&Self::uptime_differences(case, &self.uptime(case, &items, rows, None)?));
        }
        if differences.is_empty() { Ok(()) } else { Err(format!("line {}:\n{differences}", case.line)) }
    }

    /// Whether losing knowledge ever made a verdict better: every variation against its case. Gives how many were tried.
    ///
    /// # Errors
    /// Every pass that was created, one to a line.
    pub fn check_variations(&self, folder: &Path) -> Result<usize, String> {
        let mut created = String::new();
        let mut tried = 0;
        for (number, scene) in self.scenes().into_iter().enumerate() {
            let mut scenes = self.variations(&scene);
            tried += scenes.len();
            scenes.insert(0, scene);
            // One generation for each case: a query walks all rows of its generation.
            let path = folder.join(format!("records-{number}.db"));
            let mut records = Records::create_sqlite(&path, &self.tables).map_err(|e| e.to_string())?;
            self.fill(&mut records, &scenes).map_err(|e| e.to_string())?;
            let mut reader = records.reader().map_err(|e| e.to_string())?;
            let rows = self.run(&mut reader, &scenes)?;
            let lasted = self.run_uptime(&mut reader, &scenes)?;
            let case = &self.cases[number];
            let before = self.judge(case, &rows[0], None)?;
            for (scene, rows) in scenes.iter().zip(&rows).skip(1) {
                created.push_str(&self.passes_created(scene, &before, rows)?);
            }
            let Some(own) = lasted.first() else { continue };
            let up_before = self.uptime(case, &before, own, None)?;
            for ((scene, rows), lasted) in scenes.iter().zip(&rows).zip(&lasted).skip(1) {
                // What was taken away was not looked at either: time can be up for the lack of a row that says otherwise.
                let gap = scene.taken_from.as_deref();
                let items = self.judge(case, rows, gap)?;
                let up = self.uptime(case, &items, lasted, gap)?;
                created.push_str(&up_created(case, scene, &up_before, &up));
            }
        }
        if created.is_empty() { Ok(tried) } else { Err(created) }
    }

    /// Whether every retelling of every case leaves standing what it has to, and the verdicts of each add up to its items.
    /// Every `step`-th case is tried, in generations that `open` makes. Gives how many retellings were tried.
    ///
    /// # Errors
    /// Everything that moved, one to a line.
    pub fn check_invariants(
        &self,
        step: usize,
        open: &mut dyn FnMut(&str) -> Result<Records, RecordsError>,
    ) -> Result<usize, String> {
        let mut moved = String::new();
        let mut tried = 0;
        for (number, (scene, retold)) in
            self.scenes().into_iter().zip(self.retold()).enumerate().step_by(step)
        {
            tried += retold.len();
            let mut own = Vec::new();
            // Few at a time: a query walks all rows of its generation.
            for (part, retold) in retold.chunks(RETOLD_AT_ONCE).enumerate() {
                let scenes: Vec<Scene> =
                    std::iter::once(&scene).chain(retold.iter().map(|r| &r.scene)).cloned().collect();
                let mut records = open(&format!("{number}_{part}")).map_err(|e| e.to_string())?;
                self.fill(&mut records, &scenes).map_err(|e| e.to_string())?;
                let mut rows = self.run(&mut records.reader().map_err(|e| e.to_string())?, &scenes)?;
                for (retold, is) in retold.iter().zip(&rows[1..]) {
                    moved.push_str(&self.moved(retold, &rows[0], is));
                }
                own = rows.swap_remove(0);
            }
            let case = &self.cases[number];
            let assessment = self.assess(case, &own, None)?;
            for attribute in &self.procedure.attributes {
                let sum: usize = assessment.counts(attribute_of(&attribute.letter)).values().sum();
                if sum != assessment.items.len() {
                    let items = assessment.items.len();
                    moved.push_str(&format!(
                        "`{}`: {sum} verdicts of {} for {items} items\n",
                        case.name, attribute.letter
                    ));
                }
            }
            for table in &self.procedure.population_tables {
                let blind = self.assess(case, &own, Some(table))?;
                let seen = blind.gaps.iter().any(|gap| gap.table == *table);
                if !seen || blind.conclusion != Conclusion::CannotConclude {
                    moved.push_str(&format!(
                        "`{}`: nobody looked at `{table}`, and it is concluded\n",
                        case.name
                    ));
                }
            }
        }
        if moved.is_empty() { Ok(tried) } else { Err(moved) }
    }

    fn passes_created(&self, scene: &Scene, before: &[Item], rows: &[Vec<Value>]) -> Result<String, String> {
        let case = &self.cases[scene.case];
        let then = self.judge(case, rows, None)?;
        let then_unseen = self.judge(case, rows, scene.taken_from.as_deref())?;
        let mut created = String::new();
        let several = self.procedure.query.yields_scope();
        let key = |i: &Item| (i.item, several.then_some((i.scope, i.occurred_at)));
        for attribute in &self.procedure.attributes {
            // What a pass rests on the absence of is taken away only where nobody looked.
            let adverse = scene.taken_from.as_ref().is_some_and(|t| attribute.adverse.contains(t));
            let letter = attribute_of(&attribute.letter);
            for item in if adverse { &then_unseen } else { &then } {
                let verdict = |i: &Item| i.verdicts.get(&letter).copied();
                let was = before.iter().find(|b| key(b) == key(item)).and_then(verdict);
                // An item that the attribute no longer passes over may pass on its own evidence.
                let worse = !matches!(was, Some(Verdict::Pass | Verdict::NotApplicable));
                if verdict(item) == Some(Verdict::Pass) && worse {
                    created.push_str(&format!(
                        "`{}`: {} {} passes {}; it was {}\n",
                        case.name,
                        case.name_of(item.item),
                        attribute.letter,
                        scene.change,
                        was.map_or("not in the population".to_owned(), |v| v.to_string()),
                    ));
                }
            }
        }
        Ok(created)
    }
}

/// Items that are up at some instant at which they were not, nor had nothing to hold, before something was taken away.
fn up_created(
    case: &Case,
    scene: &Scene,
    before: &BTreeMap<Option<i64>, Vec<Interval>>,
    after: &BTreeMap<Option<i64>, Vec<Interval>>,
) -> String {
    let mut created = String::new();
    for (item, intervals) in after {
        // The control as a whole may lose an item that was down.
        let (Some(id), Some(before)) = (item, before.get(item)) else { continue };
        for up in intervals.iter().filter(|i| i.state == State::Up) {
            let worse = |b: &&Interval| b.from < up.to && up.from < b.to && b.state < State::Up;
            if let Some(b) = before.iter().find(worse) {
                created.push_str(&format!(
                    "`{}`: {} {} is up from {}; it was {}\n",
                    case.name,
                    case.name_of(*id),
                    scene.change,
                    up.from.max(b.from),
                    b.state.word()
                ));
            }
        }
    }
    created
}

fn attribute_of(letter: &str) -> Attribute {
    Attribute(letter.chars().next().unwrap_or('?'))
}

/// Every table is completely covered in every scope by a system's own record, except where the case says otherwise.
fn coverage_of(tables: &[Table], said: &[Said], gap: Option<&str>, scopes: &BTreeSet<i64>) -> CoverageMap {
    let mut statements = Vec::new();
    for (table, scope) in tables.iter().flat_map(|t| scopes.iter().map(move |scope| (t, *scope))) {
        let name = table.name.as_str();
        let statement = |said: Option<&Said>| Statement {
            scope,
            table: name.to_owned(),
            from: said.map_or(Instant::BEGINNING, |s| s.coverage.window.from),
            to: said.map_or(Instant::FOREVER, |s| s.coverage.window.to),
            status: said.map_or(CoverageStatus::Complete, |s| s.coverage.status),
            reason: said.map_or_else(String::new, |s| s.coverage.reason.clone()),
            grade: said.map_or(Grade::System, |s| s.grade),
        };
        let of_table: Vec<&Said> =
            said.iter().filter(|s| s.table == name && s.scope.is_none_or(|of| of == scope)).collect();
        if gap == Some(name) {
            statements.push(Statement { status: CoverageStatus::Failed, ..statement(None) });
        } else if !of_table.iter().any(|s| s.coverage.status == CoverageStatus::Complete) {
            statements.push(statement(None));
        }
        statements.extend(of_table.into_iter().map(|s| statement(Some(s))));
    }
    statements.into_iter().collect()
}

/// The days around the cases' periods, for procedures that count business days.
fn calendar_rows(
    catalog: &Catalog,
    procedure: &Procedure,
    tables: &[Table],
    cases: &[Case],
) -> Result<Vec<Row>, String> {
    let Some(table) = tables.iter().find(|t| t.name == "calendar_day" && t.kind == TableKind::Relation)
    else {
        return Ok(Vec::new());
    };
    const AROUND_MS: i64 = 100 * 86_400_000;
    let names = procedure.parameters.get("calendar").map(|p| p.default.clone());
    let mut rows = Vec::new();
    let zones: BTreeSet<&str> = cases.iter().map(|c| c.period.tz.as_str()).collect();
    let from = cases.iter().map(|c| c.period.from.ms()).min().unwrap_or(0) - AROUND_MS;
    let to = cases.iter().map(|c| c.bindings.cutoff.max(c.period.to).ms()).max().unwrap_or(0) + AROUND_MS;
    for (name, calendar) in &catalog.calendars {
        if names != Some(Value::Text(name.clone())) {
            continue;
        }
        for zone in &zones {
            for day in calendar.days(zone).map_err(|e| e.to_string())? {
                if day.ends_at.ms() < from || day.starts_at.ms() > to {
                    continue;
                }
                let value = |column: &str| match column {
                    "calendar" => Value::from(name.as_str()),
                    "zone" => Value::from(*zone),
                    "starts_at" => day.starts_at.into(),
                    "ends_at" => day.ends_at.into(),
                    "business_day" => day.business.into(),
                    "business_day_number" => day.business_number.into(),
                    "month" => day.month.into(),
                    "quarter" => day.quarter.into(),
                    _ => Value::Null,
                };
                let place = i64::try_from(rows.len()).unwrap_or(i64::MAX);
                rows.push(Row {
                    id: (1 << 50) + place,
                    entry: 0,
                    place,
                    collected_at: Instant::from_ms(0),
                    grade: Grade::System,
                    in_scope: true,
                    known_from: 0,
                    superseded_at: CURRENT,
                    values: table.columns.iter().map(|c| value(&c.name)).collect(),
                });
            }
        }
    }
    Ok(rows)
}
