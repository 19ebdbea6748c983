//! The SQL of procedures: parsed once, checked against a list, and written out from the tree for each engine.
//!
//! Nothing of the author's text reaches an engine. [`write`] walks the tree and writes what it knows; whatever it does
//! not know it refuses, so the allow-list and the text that runs cannot drift apart. This is the first of two walls; the
//! second is the engine's own (see the store).

mod dialect;
mod functions;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use model::{ColumnType, Instant, Scope, Table, Value};
use sqlparser::ast;

use crate::problem::{Problem, listed};
use crate::procedure::Parameter;

/// The engines a procedure runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// The default on one machine.
    Sqlite,
    /// The shared server.
    Postgres,
    /// The auditor's, over frozen Parquet.
    DuckDb,
}

/// The values a query is written out with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bindings {
    /// Ledger position of the snapshot: rows known at it are seen. [`Bindings::EVERYTHING`] sees all.
    pub known_at: i64,
    /// First instant of the period.
    pub from: Instant,
    /// First instant after the period.
    pub to: Instant,
    /// The instant at which state tables are seen: the last one of the period that is known.
    pub as_of: Instant,
    /// Last instant whose facts count.
    pub cutoff: Instant,
    /// IANA name of the period's zone.
    pub tz: String,
    /// The procedure's own parameters; those that are absent take their defaults.
    pub parameters: BTreeMap<String, Value>,
    /// What is out of scope: it is written into `in_scope`.
    pub scope: Scope,
}

impl Bindings {
    /// A snapshot that sees every current row.
    pub const EVERYTHING: i64 = i64::MAX - 1;
}

/// The parameters every query has.
pub(crate) const BUILT_IN_PARAMETERS: &[&str] = &["from", "to", "as_of", "cutoff", "tz"];

/// What the text is for: a procedure's columns are fixed, a question's are free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Purpose {
    Procedure,
    Uptime,
    Question,
}

/// A checked query. It names only tables it was given, and can be written out for any engine.
#[derive(Clone, Debug)]
pub struct Query {
    tree: ast::Query,
    purpose: Purpose,
    tables: Vec<Table>,
    parameters: BTreeMap<String, Parameter>,
    columns: Vec<String>,
    kinds: Vec<Kind>,
    reads: BTreeSet<String>,
}

/// Columns that a procedure has before its attributes.
const FIXED_COLUMNS: &[(&str, Kind)] = &[
    ("item", Kind::Integer),
    ("label", Kind::Text),
    ("occurred_at", Kind::Integer),
    ("entry", Kind::Integer),
    ("grade", Kind::Text),
];

/// Columns of an uptime.
const UPTIME_COLUMNS: &[(&str, Kind)] = &[
    ("item", Kind::Integer),
    ("starts_at", Kind::Integer),
    ("ends_at", Kind::Integer),
    ("verdict", Kind::Text),
];

/// What the names of the columns end in that say, after the attributes, since when each of them reads silence.
pub const SINCE: &str = "_since";
/// And up to when.
pub const UNTIL: &str = "_until";
/// What an item is judged within, and by whose coverage, where that is not its own source: the system that somebody left.
/// It stands last, and items are then one each per scope and instant.
pub const SCOPE: &str = "scope";

/// What an expression yields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Integer,
    /// A number that is milliseconds UTC for certain. What is computed from it is any number.
    Instant,
    /// A number that is 0 or 1 for certain.
    Flag,
    Text,
    /// NULL, which fits both.
    Null,
    /// True, false or unknown: only where a condition is asked for.
    Condition,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Integer | Self::Instant | Self::Flag => "a number",
            Self::Text => "a text",
            Self::Null => "NULL",
            Self::Condition => "a condition",
        }
    }

    const fn of(column: ColumnType) -> Self {
        match column {
            ColumnType::Text => Self::Text,
            ColumnType::Instant => Self::Instant,
            ColumnType::Flag => Self::Flag,
            ColumnType::Integer | ColumnType::Account | ColumnType::Entity => Self::Integer,
        }
    }

    const fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Instant | Self::Flag)
    }

    /// What is left of it where nobody can say what became of it.
    const fn computed(self) -> Self {
        if self.is_number() { Self::Integer } else { self }
    }

    /// Whether it can stand where `wanted` is needed: to an engine every number is one.
    fn fits(self, wanted: Self) -> bool {
        self == wanted || self == Self::Null || wanted == Self::Integer && self.is_number()
    }

    /// What a value is that comes from either; `None` where the two do not go together.
    fn joined(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Null, kind) | (kind, Self::Null) => Some(kind),
            (one, other) if one == other => Some(one),
            (one, other) if one.is_number() && other.is_number() => Some(Self::Integer),
            _ => None,
        }
    }
}

impl Query {
    /// Parses and checks a procedure's SELECT. `tables` are those it may read, `attributes` the letters it has to yield.
    ///
    /// # Errors
    /// Everything that is not portable or not allowed, with its place in `file`.
    pub fn of_procedure(
        file: &str,
        text: &str,
        tables: Vec<Table>,
        parameters: BTreeMap<String, Parameter>,
        attributes: &[String],
    ) -> Result<Self, Vec<Problem>> {
        let query = Self::check(file, text, tables, parameters, Purpose::Procedure)?;
        let wanted: Vec<&str> =
            FIXED_COLUMNS.iter().map(|(n, _)| *n).chain(attributes.iter().map(String::as_str)).collect();
        let (before, after) = query.columns.split_at(wanted.len().min(query.columns.len()));
        let each = |end: &str| attributes.iter().map(|a| format!("{a}{end}")).collect::<Vec<_>>();
        let after = after.strip_prefix(each(SINCE).as_slice()).unwrap_or(after);
        let after = after.strip_prefix(each(UNTIL).as_slice()).unwrap_or(after);
        if before != wanted || !(after.is_empty() || after == [SCOPE]) {
            return Err(vec![Problem::of(
                file,
                format!("the query yields {}", listed(query.columns.iter().map(String::as_str))),
                format!("it has to yield {}, in this order", listed(wanted)),
            )]);
        }
        Ok(query)
    }

    /// Parses and checks a procedure's uptime: what was found in which stretches of time.
    ///
    /// # Errors
    /// As [`Query::of_procedure`].
    pub fn of_uptime(
        file: &str,
        text: &str,
        tables: Vec<Table>,
        parameters: BTreeMap<String, Parameter>,
    ) -> Result<Self, Vec<Problem>> {
        let query = Self::check(file, text, tables, parameters, Purpose::Uptime)?;
        let wanted: Vec<&str> = UPTIME_COLUMNS.iter().map(|(n, _)| *n).collect();
        if query.columns != wanted {
            return Err(vec![Problem::of(
                file,
                format!("the query yields {}", listed(query.columns.iter().map(String::as_str))),
                format!("it has to yield {}, in this order", listed(wanted)),
            )]);
        }
        Ok(query)
    }

    /// Parses and checks a question somebody asks of the records: any columns, any of `tables`.
    ///
    /// # Errors
    /// Everything that is not portable or not allowed, with its place.
    pub fn of_question(text: &str, tables: Vec<Table>) -> Result<Self, Vec<Problem>> {
        Self::check("query", text, tables, BTreeMap::new(), Purpose::Question)
    }

    fn check(
        file: &str,
        text: &str,
        tables: Vec<Table>,
        parameters: BTreeMap<String, Parameter>,
        purpose: Purpose,
    ) -> Result<Self, Vec<Problem>> {
        let tree = dialect::parse(text).map_err(|p| vec![Problem { file: file.to_owned(), ..p }])?;
        let mut query = Self {
            tree,
            purpose,
            tables,
            parameters,
            columns: vec![],
            kinds: vec![],
            reads: BTreeSet::new(),
        };
        // Writing it out once with stand-in values finds every problem that does not depend on the values.
        let written = write::write(&query, None, &BTreeMap::new(), Engine::Sqlite).map_err(|problems| {
            problems.into_iter().map(|p| Problem { file: file.to_owned(), ..p }).collect::<Vec<_>>()
        })?;
        if purpose != Purpose::Question {
            let fixed = if purpose == Purpose::Uptime { UPTIME_COLUMNS } else { FIXED_COLUMNS };
            let mut problems = Vec::new();
            for (i, (name, kind)) in written.columns.iter().enumerate() {
                let number = name.ends_with(SINCE) || name.ends_with(UNTIL) || name == SCOPE;
                let otherwise = if number { Kind::Integer } else { Kind::Text };
                let wanted = fixed.get(i).map_or(otherwise, |(_, kind)| *kind);
                if !kind.fits(wanted) {
                    problems.push(Problem::of(
                        file,
                        format!("column `{name}` is {}", kind.word()),
                        format!("it has to be {}", wanted.word()),
                    ));
                }
            }
            if !problems.is_empty() {
                return Err(problems);
            }
        }
        (query.columns, query.kinds) = written.columns.into_iter().unzip();
        query.reads = written.reads;
        Ok(query)
    }

    /// The tables it may read.
    #[must_use]
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Names of the columns it yields.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Types of the columns it yields, as far as they are known: an instant or a flag is one for certain; a number may be
    /// either all the same, when it was computed. What is always NULL counts as a text.
    pub fn column_types(&self) -> impl Iterator<Item = ColumnType> {
        self.kinds.iter().map(|kind| match kind {
            Kind::Integer | Kind::Condition => ColumnType::Integer,
            Kind::Instant => ColumnType::Instant,
            Kind::Flag => ColumnType::Flag,
            Kind::Text | Kind::Null => ColumnType::Text,
        })
    }

    /// Whether its rows say themselves within what each item is judged: an item may then have several.
    #[must_use]
    pub fn yields_scope(&self) -> bool {
        self.purpose == Purpose::Procedure && self.columns.last().is_some_and(|name| name == SCOPE)
    }

    /// Names of the record tables it reads, without `_history`.
    #[must_use]
    pub const fn reads(&self) -> &BTreeSet<String> {
        &self.reads
    }
}

/// Which rows of a table a run reads, where it does not read all of them: those that a column names, and those of which every
/// column is NULL.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Only(pub BTreeMap<String, BTreeSet<i64>>);

impl Only {
    /// It as a condition on the stored rows of `table`.
    #[must_use]
    pub fn condition(&self, table: &Table) -> String {
        let mut any: Vec<String> = vec![];
        for (column, ids) in self.0.iter().filter(|(_, ids)| !ids.is_empty()) {
            let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
            any.push(format!("{column} IN ({})", ids.join(", ")));
        }
        let may_be_null = |name: &String| table.columns.iter().any(|c| c.name == *name && c.nullable);
        if self.0.keys().all(may_be_null) {
            let nowhere: Vec<String> = self.0.keys().map(|column| format!("{column} IS NULL")).collect();
            any.push(format!("({})", nowhere.join(" AND ")));
        }
        if any.is_empty() { "1 = 0".to_owned() } else { format!("({})", any.join(" OR ")) }
    }
}

/// The text of a query as `engine` runs it, with every value written in as a typed literal.
///
/// The texts for SQLite and DuckDB are the same; PostgreSQL's adds `COLLATE "C"` to text literals, because its databases
/// may compare text otherwise.
///
/// # Errors
/// A parameter that is unknown, missing or out of range.
pub fn written_out(query: &Query, bindings: &Bindings, engine: Engine) -> Result<String, Vec<Problem>> {
    written_out_of(query, bindings, &BTreeMap::new(), engine)
}

/// The same of some rows alone: of each table named in `only` those it says.
///
/// # Errors
/// As [`written_out`].
pub fn written_out_of(
    query: &Query,
    bindings: &Bindings,
    only: &BTreeMap<String, Only>,
    engine: Engine,
) -> Result<String, Vec<Problem>> {
    let mut problems = Vec::new();
    for (name, value) in &bindings.parameters {
        if query.purpose == Purpose::Question {
            continue;
        }
        match query.parameters.get(name) {
            Some(parameter) => {
                if let Err(p) = parameter.check(value) {
                    problems.push(p);
                }
            }
            None => problems.push(Problem::of(
                "parameters",
                format!("`{name}` is no parameter of this procedure"),
                crate::problem::instead(name, query.parameters.keys().map(String::as_str)),
            )),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    write::write(query, Some(bindings), only, engine).map(|w| w.text)
}

#[cfg(test)]
mod tests;
