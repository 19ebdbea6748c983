//! The cases of a procedure: rows in, verdicts out, written as small tables for people (see docs/procedures.md).

use std::collections::{BTreeMap, BTreeSet};

use model::{
    ColumnType, Coverage, CoverageStatus, Grade, Instant, Period, RESERVED_COLUMNS, Row, Scope, Table,
    TableKind, Value, Verdict, Window, parse_date_range,
};

use crate::problem::{Problem, instead};
use crate::procedure::Procedure;
use crate::sql::Bindings;

/// One case, ready to run.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name, unique among the procedure's.
    pub name: String,
    /// The line it begins at.
    pub line: u32,
    /// The period.
    pub period: Period,
    /// What the query is written out with.
    pub bindings: Bindings,
    /// Rows by table, in the order in which they are written.
    pub rows: Vec<(String, Row)>,
    /// What was said about the coverage of tables; a table of which nothing was said is completely covered.
    pub coverage: Vec<Said>,
    /// Items and verdicts after coverage was applied.
    pub expected: Vec<Expected>,
    /// For how long what is tested held, of the items that the case mentions.
    pub uptime: Vec<Lasting>,
    /// Symbolic names of entities, by their number.
    pub names: BTreeMap<i64, String>,
}

/// A line of the expected uptime: a stretch of time in one state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lasting {
    /// The entity; absent for all of them together.
    pub item: Option<i64>,
    /// First instant.
    pub from: Instant,
    /// First instant after.
    pub to: Instant,
    /// `up`, `down`, `unknown` or `not_applicable`.
    pub state: String,
}

/// What the whole control is called among the items of an uptime.
const CONTROL: &str = "control";
const STATES: [&str; 4] = ["up", "down", "unknown", "not_applicable"];

/// What a case says about the coverage of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// The table.
    pub table: String,
    /// The scope it is said of; every scope when absent.
    pub scope: Option<i64>,
    /// The window and what the look yielded.
    pub coverage: Coverage,
    /// How far the look can be trusted.
    pub grade: Grade,
}

/// A line of the expected grid. What the case does not mention is not compared.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Expected {
    /// The entity.
    pub item: i64,
    /// Within what it is judged, where the procedure says so.
    pub scope: Option<i64>,
    /// Verdicts by attribute.
    pub verdicts: BTreeMap<String, Verdict>,
    /// The label.
    pub label: Option<String>,
    /// The instant.
    pub occurred_at: Option<Instant>,
    /// The grade.
    pub grade: Option<Grade>,
}

impl Case {
    /// The name of an entity in this case; its number when it has none.
    #[must_use]
    pub fn name_of(&self, id: i64) -> String {
        self.names.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}

/// Reads the cases of a procedure.
///
/// # Errors
/// Everything that cannot be read, with its line.
pub fn parse(procedure: &Procedure, tables: &[Table], text: &str) -> Result<Vec<Case>, Vec<Problem>> {
    let file = format!("procedures/{}/cases.slt", procedure.id);
    let mut problems = Vec::new();
    let statements = statements(&file, text, &mut problems);
    let begin = statements.iter().position(|s| s.word == "case").unwrap_or(statements.len());
    let (head, rest) = statements.split_at(begin);
    let mut cases: Vec<Case> = Vec::new();
    for block in rest.chunk_by(|_, next| next.word != "case") {
        let Some((opening, body)) = block.split_first() else { continue };
        let mut reading =
            Reading { file: &file, procedure, tables, problems: &mut problems, ids: Ids::default() };
        if opening.rest.is_empty() {
            reading.refuse(opening.line, "the case has no name", "write `case what is shown`");
        }
        if cases.iter().any(|c| c.name == opening.rest) {
            reading.refuse(
                opening.line,
                format!("there are two cases `{}`", opening.rest),
                "name one differently",
            );
        }
        let all: Vec<&Statement<'_>> = head.iter().chain(body).collect();
        if let Some(case) = reading.case(opening, &all) {
            cases.push(case);
        }
    }
    if rest.is_empty() {
        problems.push(Problem::of(
            &file,
            "there is no case",
            "write `case`, `rows` and `expect`, see docs/procedures.md",
        ));
    }
    if problems.is_empty() {
        Ok(cases)
    } else {
        problems.sort();
        problems.dedup();
        Err(problems)
    }
}

/// A statement with the table below it.
struct Statement<'a> {
    line: u32,
    word: &'a str,
    rest: &'a str,
    table: Vec<(u32, Vec<Cell>)>,
}

/// A cell: quoted text is never NULL, a name or a number by accident.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Cell {
    text: String,
    quoted: bool,
}

const WORDS: &[&str] = &[
    "as_of", "asserted", "case", "cutoff", "defaults", "expect", "gap", "known_at", "param", "period",
    "rows", "uptime",
];

/// Statements with a table below them.
const WITH_TABLE: &[&str] = &["defaults", "rows", "expect", "uptime"];

fn statements<'a>(file: &str, text: &'a str, problems: &mut Vec<Problem>) -> Vec<Statement<'a>> {
    let mut statements: Vec<Statement<'a>> = Vec::new();
    let mut open = false;
    for (number, full) in (1..).zip(text.lines()) {
        let content = full.trim();
        if content.starts_with('#') {
            continue;
        }
        if content.is_empty() {
            open = false;
            continue;
        }
        let (word, rest) = content.split_once(char::is_whitespace).unwrap_or((content, ""));
        if WORDS.contains(&word) && !rest.trim_start().starts_with('|') {
            open = WITH_TABLE.contains(&word);
            statements.push(Statement { line: number, word, rest: rest.trim(), table: Vec::new() });
            continue;
        }
        match statements.last_mut() {
            Some(statement) if open => match cells(content) {
                Ok(cells) => statement.table.push((number, cells)),
                Err(message) => {
                    problems.push(Problem::at(file, (number, 1), message, "double a quote inside quotes"))
                }
            },
            _ => problems.push(Problem::at(
                file,
                (number, 1),
                format!("`{word}` begins no statement"),
                instead(word, WORDS.iter().copied()),
            )),
        }
    }
    statements
}

fn cells(line: &str) -> Result<Vec<Cell>, String> {
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start();
        if let Some(inside) = rest.strip_prefix('\'') {
            let mut text = String::new();
            let mut chars = inside.char_indices().peekable();
            let after = loop {
                match chars.next() {
                    None => return Err("a quoted cell does not end".to_owned()),
                    Some((i, '\'')) => match chars.peek() {
                        Some((_, '\'')) => {
                            chars.next();
                            text.push('\'');
                        }
                        _ => break &inside[i + 1..],
                    },
                    Some((_, c)) => text.push(c),
                }
            };
            cells.push(Cell { text, quoted: true });
            match after.trim_start() {
                "" => return Ok(cells),
                next => match next.strip_prefix('|') {
                    Some(next) => rest = next,
                    None => return Err("a quoted cell goes on after its quotes".to_owned()),
                },
            }
        } else {
            let (cell, next) = match rest.split_once('|') {
                Some((cell, next)) => (cell, Some(next)),
                None => (rest, None),
            };
            cells.push(Cell { text: cell.trim().to_owned(), quoted: false });
            match next {
                Some(next) => rest = next,
                None => return Ok(cells),
            }
        }
    }
}

/// Numbers for symbolic names, in the order of their first use.
#[derive(Default)]
struct Ids {
    by_name: BTreeMap<String, i64>,
    next: i64,
}

impl Ids {
    fn fresh(&mut self) -> i64 {
        self.next += 1;
        // As wide as real ones, so that a 32-bit column would be noticed.
        self.next << 33
    }

    fn of(&mut self, name: &str) -> i64 {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let id = self.fresh();
        self.by_name.insert(name.to_owned(), id);
        id
    }
}

struct Reading<'a> {
    file: &'a str,
    procedure: &'a Procedure,
    tables: &'a [Table],
    problems: &'a mut Vec<Problem>,
    ids: Ids,
}

impl Reading<'_> {
    fn refuse(&mut self, line: u32, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::at(self.file, (line, 1), message, help));
    }

    fn case(mut self, opening: &Statement<'_>, all: &[&Statement<'_>]) -> Option<Case> {
        let period = self.period(all, opening.line)?;
        let mut bindings = Bindings {
            known_at: Bindings::EVERYTHING,
            from: period.from,
            to: period.to,
            as_of: period.last(),
            cutoff: period.to,
            tz: period.tz.clone(),
            parameters: BTreeMap::new(),
            scope: Scope::default(),
        };
        for s in all {
            match s.word {
                "cutoff" => bindings.cutoff = self.instant(s.line, s.rest, &period)?,
                "as_of" => bindings.as_of = self.instant(s.line, s.rest, &period)?,
                "known_at" => match s.rest.parse() {
                    Ok(position) => bindings.known_at = position,
                    Err(_) => {
                        self.refuse(s.line, format!("`{}` is no ledger position", s.rest), "write digits")
                    }
                },
                "param" => self.parameter(s, &mut bindings),
                _ => {}
            }
        }
        let mut coverage = Vec::new();
        for s in all.iter().filter(|s| s.word == "gap" || s.word == "asserted") {
            coverage.extend(self.coverage(s, &period));
        }
        let mut defaults: BTreeMap<String, BTreeMap<String, Cell>> = BTreeMap::new();
        for s in all.iter().filter(|s| s.word == "defaults") {
            self.defaults(s, &mut defaults);
        }
        let mut rows = Vec::new();
        for s in all.iter().filter(|s| s.word == "rows") {
            self.rows(s, &defaults, &bindings, &period, &mut rows);
        }
        let expects: Vec<&&Statement<'_>> = all.iter().filter(|s| s.word == "expect").collect();
        let expected = match expects.as_slice() {
            [one] => self.expected(one, &period),
            _ => {
                self.refuse(
                    opening.line,
                    "a case expects exactly one grid",
                    "write one `expect` in each case",
                );
                Vec::new()
            }
        };
        let mut uptime = Vec::new();
        for s in all.iter().filter(|s| s.word == "uptime") {
            self.uptime(s, &period, &mut uptime);
        }
        Some(Case {
            name: opening.rest.to_owned(),
            line: opening.line,
            period,
            bindings,
            rows,
            coverage,
            expected,
            uptime,
            names: self.ids.by_name.into_iter().map(|(name, id)| (id, name)).collect(),
        })
    }

    fn period(&mut self, all: &[&Statement<'_>], line: u32) -> Option<Period> {
        let Some(s) = all.iter().rfind(|s| s.word == "period") else {
            self.refuse(
                line,
                "the case has no period",
                "write `period 2025-01-01 .. 2025-06-30 UTC` before the first case",
            );
            return None;
        };
        let words: Vec<&str> = s.rest.split_whitespace().collect();
        let found = match words.as_slice() {
            [from, "..", to] => parse_date_range(from, to, "UTC"),
            [from, "..", to, zone] => parse_date_range(from, to, zone),
            _ => {
                self.refuse(
                    s.line,
                    "this is no period",
                    "write `period 2025-01-01 .. 2025-06-30 America/New_York`",
                );
                return None;
            }
        };
        found.map_err(|e| self.refuse(s.line, e.to_string(), "")).ok()
    }

    /// RFC 3339, seconds may be left out; a date alone is its first moment in the period's zone.
    fn instant(&mut self, line: u32, text: &str, period: &Period) -> Option<Instant> {
        if text == "FOREVER" {
            return Some(Instant::FOREVER);
        }
        let found = match text.len() {
            10 => parse_date_range(text, text, &period.tz).map(|p| p.from),
            _ => text.parse().or_else(|e| match text.find('T').map(|t| t + 6) {
                // `10:00Z` says no seconds.
                Some(minutes) if text.is_char_boundary(minutes) && !text[minutes..].starts_with(':') => {
                    format!("{}:00{}", &text[..minutes], &text[minutes..]).parse()
                }
                _ => Err(e),
            }),
        };
        found.map_err(|e| self.refuse(line, e.to_string(), "")).ok()
    }

    fn parameter(&mut self, s: &Statement<'_>, bindings: &mut Bindings) {
        let Some((name, value)) = s.rest.split_once('=').map(|(n, v)| (n.trim(), v.trim())) else {
            self.refuse(s.line, "this sets no parameter", "write `param name = value`");
            return;
        };
        match self.procedure.parameters.get(name) {
            Some(parameter) => match parameter.parse(value) {
                Ok(value) => {
                    bindings.parameters.insert(name.to_owned(), value);
                }
                Err(p) => self.refuse(s.line, p.message, p.help),
            },
            None => {
                let known = self.procedure.parameters.keys().map(String::as_str);
                let help = instead(name, known);
                self.refuse(s.line, format!("the procedure has no parameter `{name}`"), help);
            }
        }
    }

    /// A table the procedure reads.
    fn table(&mut self, line: u32, name: &str) -> Option<Table> {
        let used = self.procedure.tables.iter().any(|t| t.name == name);
        match self.tables.iter().find(|t| t.name == name).filter(|_| used) {
            Some(table) => Some(table.clone()),
            None => {
                let help = instead(name, self.procedure.tables.iter().map(|t| t.name.as_str()));
                self.refuse(line, format!("the procedure reads no table `{name}`"), help);
                None
            }
        }
    }

    fn coverage(&mut self, s: &Statement<'_>, period: &Period) -> Option<Said> {
        let always = Window { from: Instant::BEGINNING, to: Instant::FOREVER };
        let (name, rest) = s.rest.split_once(char::is_whitespace).unwrap_or((s.rest, ""));
        let table = self.table(s.line, name)?.name;
        let mut words: Vec<&str> = rest.split_whitespace().collect();
        let scope = match words.as_slice() {
            ["in", name, ..] => Some(self.ids.of(name)),
            _ => None,
        };
        if scope.is_some() {
            words.drain(..2);
        }
        if s.word == "asserted" {
            let coverage =
                Coverage { status: CoverageStatus::Complete, window: always, reason: String::new() };
            return Some(Said { table, scope, coverage, grade: Grade::Asserted });
        }
        let (window, status) = match words.as_slice() {
            [] => (None, "partial"),
            [status] => (None, *status),
            [from, "..", to] => (Some((from, to)), "partial"),
            [from, "..", to, status] => (Some((from, to)), *status),
            _ => {
                self.refuse(
                    s.line,
                    "this is no gap",
                    "write `gap approval 2025-03-01 .. 2025-03-10 not_permitted`",
                );
                return None;
            }
        };
        let window = match window {
            Some((from, to)) => {
                Window { from: self.instant(s.line, from, period)?, to: self.instant(s.line, to, period)? }
            }
            None => always,
        };
        match status.parse() {
            Ok(CoverageStatus::Complete) => {
                self.refuse(
                    s.line,
                    "a gap is not complete",
                    "remove it: tables are covered unless a gap says otherwise",
                );
                None
            }
            Ok(status) => {
                let coverage = Coverage { status, window, reason: "the case says so".to_owned() };
                Some(Said { table, scope, coverage, grade: Grade::System })
            }
            Err(message) => {
                self.refuse(s.line, message, "");
                None
            }
        }
    }

    fn defaults(&mut self, s: &Statement<'_>, defaults: &mut BTreeMap<String, BTreeMap<String, Cell>>) {
        let Some(table) = self.table(s.line, s.rest) else { return };
        let [(line, head), (_, values)] = s.table.as_slice() else {
            self.refuse(s.line, "defaults are one row", "write a head line and one line of values");
            return;
        };
        if !self.head(*line, head, &table) || head.len() != values.len() {
            if head.len() != values.len() {
                self.refuse(*line, "there are not as many values as columns", "");
            }
            return;
        }
        let of = defaults.entry(table.name).or_default();
        for (column, value) in head.iter().zip(values) {
            of.insert(column.text.clone(), value.clone());
        }
    }

    fn head(&mut self, line: u32, head: &[Cell], table: &Table) -> bool {
        let known: Vec<&str> =
            RESERVED_COLUMNS.iter().copied().chain(table.columns.iter().map(|c| c.name.as_str())).collect();
        let mut seen = BTreeSet::new();
        let mut good = true;
        for cell in head {
            if !known.contains(&cell.text.as_str()) {
                let help = instead(&cell.text, known.iter().copied());
                self.refuse(line, format!("`{}` has no column `{}`", table.name, cell.text), help);
                good = false;
            }
            if !seen.insert(cell.text.as_str()) {
                self.refuse(line, format!("column `{}` stands twice", cell.text), "remove one");
                good = false;
            }
        }
        good
    }

    fn rows(
        &mut self,
        s: &Statement<'_>,
        defaults: &BTreeMap<String, BTreeMap<String, Cell>>,
        bindings: &Bindings,
        period: &Period,
        rows: &mut Vec<(String, Row)>,
    ) {
        let Some(table) = self.table(s.line, s.rest) else { return };
        let Some(((line, head), lines)) = s.table.split_first() else {
            self.refuse(
                s.line,
                "there are no rows",
                "write a head line with columns, and a line for each row",
            );
            return;
        };
        if !self.head(*line, head, &table) {
            return;
        }
        for (line, values) in lines {
            if values.len() != head.len() {
                self.refuse(
                    *line,
                    format!("there are {} values for {} columns", values.len(), head.len()),
                    "",
                );
                continue;
            }
            let mut cells = defaults.get(&table.name).cloned().unwrap_or_default();
            cells.extend(head.iter().map(|c| c.text.clone()).zip(values.iter().cloned()));
            let place = i64::try_from(rows.len()).unwrap_or(i64::MAX);
            if let Some(row) = self.row(*line, &table, &cells, place, bindings, period) {
                rows.push((table.name.clone(), row));
            }
        }
    }

    fn row(
        &mut self,
        line: u32,
        table: &Table,
        cells: &BTreeMap<String, Cell>,
        place: i64,
        bindings: &Bindings,
        period: &Period,
    ) -> Option<Row> {
        let mut values = Vec::with_capacity(table.columns.len());
        for column in &table.columns {
            let value = match cells.get(&column.name) {
                None if column.nullable => Value::Null,
                None => {
                    self.refuse(
                        line,
                        format!("`{}` is not given, and may not be unknown", column.name),
                        format!("add the column, or `defaults {}`", table.name),
                    );
                    return None;
                }
                Some(cell) => self.value(line, &column.name, column.kind, cell, period)?,
            };
            match &value {
                Value::Null if !column.nullable => {
                    self.refuse(line, format!("`{}` may not be unknown", column.name), "");
                    return None;
                }
                Value::Text(word) if !column.words.is_empty() && !column.words.contains(word) => {
                    let help = instead(word, column.words.iter().map(String::as_str));
                    self.refuse(line, format!("`{word}` is no word of `{}`", column.name), help);
                    return None;
                }
                _ => {}
            }
            values.push(value);
        }
        let mut number = |name: &str, kind: ColumnType, otherwise: i64| match cells.get(name) {
            None => Some(otherwise),
            Some(cell) => match self.value(line, name, kind, cell, period)? {
                Value::Integer(n) => Some(n),
                Value::Null | Value::Text(_) => {
                    self.refuse(line, format!("`{name}` may not be unknown"), "");
                    None
                }
            },
        };
        let entry = number("entry", ColumnType::Integer, place + 1)?;
        let place = number("place", ColumnType::Integer, place)?;
        let collected_at =
            Instant::from_ms(number("collected_at", ColumnType::Instant, bindings.cutoff.ms())?);
        let in_scope = number("in_scope", ColumnType::Flag, 1)? == 1;
        let known_from = number("known_from", ColumnType::Integer, 0)?;
        let superseded_at = number("superseded_at", ColumnType::Integer, i64::MAX)?;
        let id = match cells.get("id") {
            Some(cell) => self.ids.of(&cell.text),
            None => self.ids.fresh(),
        };
        let grade = match cells.get("grade") {
            None => Grade::System,
            Some(cell) => cell.text.parse().map_err(|m: String| self.refuse(line, m, "")).ok()?,
        };
        Some(Row { id, entry, place, collected_at, grade, in_scope, known_from, superseded_at, values })
    }

    fn value(
        &mut self,
        line: u32,
        name: &str,
        kind: ColumnType,
        cell: &Cell,
        period: &Period,
    ) -> Option<Value> {
        if cell.text == "NULL" && !cell.quoted {
            return Some(Value::Null);
        }
        match kind {
            ColumnType::Text => Some(Value::from(cell.text.as_str())),
            ColumnType::Account | ColumnType::Entity => {
                if cell.text.is_empty() {
                    self.refuse(line, format!("`{name}` is empty"), "write a name, or NULL");
                    return None;
                }
                Some(Value::Integer(self.ids.of(&cell.text)))
            }
            ColumnType::Instant => self.instant(line, &cell.text, period).map(Value::from),
            ColumnType::Flag if cell.text != "0" && cell.text != "1" => {
                self.refuse(line, format!("`{}` is no flag", cell.text), "write 0, 1 or NULL");
                None
            }
            ColumnType::Flag | ColumnType::Integer => match cell.text.parse() {
                Ok(n) => Some(Value::Integer(n)),
                Err(_) => {
                    self.refuse(
                        line,
                        format!("`{}` is no number for `{name}`", cell.text),
                        "write digits or NULL",
                    );
                    None
                }
            },
        }
    }

    fn expected(&mut self, s: &Statement<'_>, period: &Period) -> Vec<Expected> {
        let Some(((head_line, head), lines)) = s.table.split_first() else {
            self.refuse(
                s.line,
                "nothing is expected",
                "write a head line like `item | a | b`; alone it says: no item",
            );
            return Vec::new();
        };
        let letters: Vec<&str> = self.procedure.attributes.iter().map(|a| a.letter.as_str()).collect();
        if head.first().map(|c| c.text.as_str()) != Some("item") {
            self.refuse(*head_line, "the first column is not `item`", "begin the head line with `item`");
        }
        for cell in head {
            let name = cell.text.as_str();
            let scope = self.procedure.query.yields_scope().then_some("scope");
            let others = ["item", "label", "occurred_at", "grade"].into_iter().chain(scope);
            if !letters.contains(&name) && !others.clone().any(|other| other == name) {
                let known = letters.iter().copied().chain(others);
                let help = instead(name, known.collect::<Vec<_>>());
                self.refuse(*head_line, format!("the procedure yields no `{name}`"), help);
            }
        }
        let mut expected = Vec::new();
        for (line, values) in lines {
            if values.len() != head.len() {
                self.refuse(
                    *line,
                    format!("there are {} values for {} columns", values.len(), head.len()),
                    "",
                );
                continue;
            }
            let mut one = Expected::default();
            for (column, cell) in head.iter().zip(values) {
                match column.text.as_str() {
                    "item" => one.item = self.ids.of(&cell.text),
                    "scope" => one.scope = Some(self.ids.of(&cell.text)),
                    "label" => one.label = Some(cell.text.clone()),
                    "occurred_at" => one.occurred_at = self.instant(*line, &cell.text, period),
                    "grade" => match cell.text.parse() {
                        Ok(grade) => one.grade = Some(grade),
                        Err(message) => self.refuse(*line, message, ""),
                    },
                    letter => match cell.text.parse() {
                        Ok(verdict) => {
                            one.verdicts.insert(letter.to_owned(), verdict);
                        }
                        Err(message) => self.refuse(*line, message, ""),
                    },
                }
            }
            let key = |e: &Expected| (e.item, e.scope, e.scope.and(e.occurred_at));
            if expected.iter().any(|e| key(e) == key(&one)) {
                self.refuse(*line, "the item stands here twice", "each item gives one row");
            }
            expected.push(one);
        }
        expected
    }
}

impl Reading<'_> {
    fn uptime(&mut self, s: &Statement<'_>, period: &Period, uptime: &mut Vec<Lasting>) {
        if self.procedure.uptime.is_none() {
            self.refuse(
                s.line,
                "the procedure has no uptime",
                "write uptime.sql and `[uptime]`, or remove this",
            );
            return;
        }
        let Some(((line, head), lines)) = s.table.split_first() else {
            self.refuse(s.line, "there is no uptime", "write `item | starts_at | ends_at | state` and lines");
            return;
        };
        let names: Vec<&str> = head.iter().map(|c| c.text.as_str()).collect();
        if names != ["item", "starts_at", "ends_at", "state"] {
            self.refuse(*line, "this is no head of an uptime", "write `item | starts_at | ends_at | state`");
            return;
        }
        for (line, cells) in lines {
            let [item, from, to, state] = cells.as_slice() else {
                self.refuse(*line, format!("there are {} values for 4 columns", cells.len()), "");
                continue;
            };
            let item = (item.text != CONTROL).then(|| self.ids.of(&item.text));
            let (Some(from), Some(to)) =
                (self.instant(*line, &from.text, period), self.instant(*line, &to.text, period))
            else {
                continue;
            };
            if !STATES.contains(&state.text.as_str()) {
                let help = instead(&state.text, STATES);
                self.refuse(*line, format!("`{}` is no state", state.text), help);
            }
            uptime.push(Lasting { item, from, to, state: state.text.clone() });
        }
    }
}

/// Gives each row the position at which a later one of the same subject takes its place, as a store does.
pub fn supersede(tables: &[Table], rows: &mut [(String, Row)]) {
    let mut latest: BTreeMap<(&str, i64, Value), usize> = BTreeMap::new();
    let keys: Vec<(&str, i64, Value)> = rows
        .iter()
        .map(|(name, row)| {
            let table = tables.iter().find(|t| t.name == *name);
            let from = table
                .filter(|t| t.kind == TableKind::State)
                .and_then(|t| t.column("valid_from"))
                .and_then(|i| row.values.get(i).cloned());
            (table.map_or("", |t| t.name.as_str()), row.id, from.unwrap_or(Value::Null))
        })
        .collect();
    for (i, key) in keys.into_iter().enumerate() {
        if let Some(before) = latest.insert(key, i) {
            rows[before].1.superseded_at = rows[before].1.superseded_at.min(rows[i].1.known_from);
        }
    }
}

#[cfg(test)]
mod tests;
