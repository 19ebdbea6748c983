//! `procedures/<id>/`: procedure.toml, query.sql, cases.slt.

use std::collections::{BTreeMap, BTreeSet};

use model::{ColumnType, Grade, Table, Value};
use sha2::{Digest as _, Sha256};

use crate::Origin;
use crate::names;
use crate::problem::{Problem, instead};
use crate::read::{At, File, Section};
use crate::sql::{BUILT_IN_PARAMETERS, Query};

/// A procedure: a test of controls over a population.
#[derive(Clone, Debug)]
pub struct Procedure {
    /// The folder's name.
    pub id: String,
    /// Short title.
    pub title: String,
    /// Controls it tests.
    pub controls: Vec<String>,
    /// The population, in one sentence.
    pub population: String,
    /// Tables whose coverage proves that the population is complete.
    pub population_tables: Vec<String>,
    /// Whether an item lasts the whole period (a repository, a control): then coverage counts over all of it, and not
    /// only at the item's instant.
    pub over_period: bool,
    /// The instant by which an item belongs to a period, in words.
    pub attributed_by: String,
    /// What to do about deviations.
    pub how_to_fix: String,
    /// The tables its query may read.
    pub tables: Vec<TableUse>,
    /// What it tests of each item: `a`, `b` …
    pub attributes: Vec<TestedAttribute>,
    /// Its own parameters, by name.
    pub parameters: BTreeMap<String, Parameter>,
    /// The checked query.
    pub query: Query,
    /// The query as its author wrote it.
    pub text: String,
    /// For how long what it tests held, where it says so.
    pub uptime: Option<Uptime>,
    /// Its cases, when it has some.
    pub cases: Option<String>,
    /// SHA-256 over procedure.toml, query.sql, uptime.sql and the schemas of its tables: what else than rows decides its verdicts.
    pub content_hash: [u8; 32],
    /// Where it comes from.
    pub origin: Origin,
}

/// How a procedure over states says for how long what it tests held: `uptime.sql`, and what it asks of coverage.
#[derive(Clone, Debug)]
pub struct Uptime {
    /// The checked query: item, stretch of time, verdict.
    pub query: Query,
    /// The query as its author wrote it.
    pub text: String,
    /// Tables without whose coverage nothing is up.
    pub covered: Vec<String>,
    /// The least grade of that coverage.
    pub grade: Grade,
    /// Whether time of which nothing is said is down, where somebody looked; else it is unknown.
    pub silence_is_down: bool,
}

/// What stands under `[uptime]`.
#[derive(Default)]
struct UptimeHead {
    covered: Vec<String>,
    grade: Option<Grade>,
    silence_is_down: bool,
}

/// A table that a procedure reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableUse {
    /// Its name.
    pub name: String,
    /// Every way from a row to the items it concerns; none where any row may concern any item. A row that leads nowhere by
    /// any of them, all of the columns being NULL, concerns every item.
    pub item_by: Vec<Way>,
}

/// A way from a row to the items it concerns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Way {
    /// The column that names the item, or what `through` names as well.
    pub column: String,
    /// A table and its column that holds the same: the row concerns what those rows concern.
    pub through: Option<(String, String)>,
}

/// An attribute tested on each item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TestedAttribute {
    /// `a`, `b` …: the query's column.
    pub letter: String,
    /// What holds when it passes.
    pub says: String,
    /// The reason shown for a deviation.
    pub deviation: String,
    /// The reason shown where evidence is missing.
    pub no_evidence: Option<String>,
    /// The reason shown where a person has to decide.
    pub needs_judgement: Option<String>,
    /// Tables on whose absent rows a deviation rests.
    pub absent: Vec<String>,
    /// Tables in which a row is itself the deviation, so that a pass rests on their absence.
    pub adverse: Vec<String>,
    /// Tables without a row of which the attribute concerns nothing, so that a `not_applicable` rests on their absence.
    pub moot_without: Vec<String>,
    /// The least grade of coverage that proves an absence: that nobody typed a trailer proves nothing about a system.
    pub absent_grade: Grade,
    /// The same of the absence on which a pass rests.
    pub adverse_grade: Grade,
    /// Streams that would supply what is missing.
    pub supplied_by: Vec<String>,
    /// Procedures whose population lacks something where this deviates: another source knows of it.
    pub completes: Vec<String>,
}

/// The type of a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParameterType {
    /// A whole number.
    Integer,
    /// Text.
    Text,
    /// 0 or 1.
    Flag,
}

/// A parameter of a procedure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameter {
    /// Name, without `$`.
    pub name: String,
    /// Type.
    pub kind: ParameterType,
    /// Value when nothing else is said.
    pub default: Value,
    /// Least value allowed.
    pub min: Option<i64>,
    /// Greatest value allowed.
    pub max: Option<i64>,
    /// One sentence for people.
    pub doc: String,
}

impl Parameter {
    /// Reads a value that somebody typed.
    ///
    /// # Errors
    /// A value of another type or out of range.
    pub fn parse(&self, text: &str) -> Result<Value, Problem> {
        let value = match self.kind {
            ParameterType::Text => Value::from(text),
            ParameterType::Flag | ParameterType::Integer => match (self.kind, text.trim()) {
                (ParameterType::Flag, "true" | "yes" | "on") => Value::Integer(1),
                (ParameterType::Flag, "false" | "no" | "off") => Value::Integer(0),
                (_, digits) => digits.parse().map(Value::Integer).map_err(|_| {
                    Problem::of(
                        "parameters",
                        format!("`{text}` is no whole number"),
                        format!("`{}` needs one", self.name),
                    )
                })?,
            },
        };
        self.check(&value).map(|()| value)
    }

    /// Checks a value against type and range.
    pub(crate) fn check(&self, value: &Value) -> Result<(), Problem> {
        let name = &self.name;
        let wrong = |message: String, help: String| Err(Problem::of("parameters", message, help));
        match (self.kind, value) {
            (ParameterType::Text, Value::Text(_)) => Ok(()),
            (ParameterType::Flag, Value::Integer(0 | 1)) => Ok(()),
            (ParameterType::Integer, Value::Integer(n)) => match (self.min, self.max) {
                (Some(min), _) if *n < min => {
                    wrong(format!("`{name}` is {n}"), format!("the least value allowed is {min}"))
                }
                (_, Some(max)) if *n > max => {
                    wrong(format!("`{name}` is {n}"), format!("the greatest value allowed is {max}"))
                }
                _ => Ok(()),
            },
            (ParameterType::Text, _) => wrong(format!("`{name}` is a text"), "write text".to_owned()),
            (ParameterType::Flag, _) => wrong(format!("`{name}` is a flag"), "write 0 or 1".to_owned()),
            (ParameterType::Integer, _) => {
                wrong(format!("`{name}` is a number"), "write a whole number".to_owned())
            }
        }
    }
}

/// The files of a procedure's folder.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Folder<'a> {
    pub(crate) toml: Option<&'a str>,
    pub(crate) sql: Option<&'a str>,
    pub(crate) uptime: Option<&'a str>,
    pub(crate) cases: Option<&'a str>,
}

struct Head {
    title: String,
    controls: Vec<String>,
    population: String,
    population_tables: Vec<String>,
    over_period: bool,
    attributed_by: String,
    how_to_fix: String,
    tables: Vec<TableUse>,
    attributes: Vec<TestedAttribute>,
    parameters: BTreeMap<String, Parameter>,
    uptime: Option<UptimeHead>,
}

/// What a procedure may refer to.
pub(crate) struct Known<'a> {
    pub(crate) tables: &'a [Table],
    pub(crate) controls: BTreeSet<&'a str>,
    pub(crate) procedures: BTreeSet<&'a str>,
}

/// Reads one procedure.
pub(crate) fn read(
    id: &str,
    folder: Folder<'_>,
    known: &Known<'_>,
    origin: Origin,
) -> (Option<Procedure>, Vec<Problem>) {
    let toml_path = format!("procedures/{id}/procedure.toml");
    let sql_path = format!("procedures/{id}/query.sql");
    let mut problems = Vec::new();
    if folder.toml.is_none() {
        problems.push(Problem::of(
            &toml_path,
            "the file is missing",
            "see docs/procedures.md for what stands in it",
        ));
    }
    if folder.sql.is_none() {
        problems.push(Problem::of(
            &sql_path,
            "the file is missing",
            "write one SELECT, see docs/procedures.md",
        ));
    }
    let (Some(toml), Some(sql)) = (folder.toml, folder.sql) else { return (None, problems) };
    let (head, found) = File::new(&toml_path, toml).read(|file| head(file, id, known));
    problems.extend(found);
    let Some(head) = head else { return (None, problems) };

    let tables: Vec<Table> = head
        .tables
        .iter()
        .filter_map(|used| known.tables.iter().find(|t| t.name == used.name))
        .cloned()
        .collect();
    let content_hash = content_hash(toml, sql, folder.uptime, &tables);
    let uptime = match uptime(id, &folder, &head, &tables) {
        Ok(uptime) => uptime,
        Err(found) => {
            problems.extend(found);
            None
        }
    };
    let letters: Vec<String> = head.attributes.iter().map(|a| a.letter.clone()).collect();
    let query = match Query::of_procedure(&sql_path, sql, tables, head.parameters.clone(), &letters) {
        Ok(query) => query,
        Err(found) => {
            problems.extend(found);
            return (None, problems);
        }
    };
    if uptime.is_some() && query.yields_scope() {
        problems.push(Problem::of(
            &sql_path,
            "an item that is judged within several scopes has no uptime",
            "remove `scope`, or uptime.sql",
        ));
    }
    for used in &head.tables {
        let read_there = uptime.as_ref().is_some_and(|u| u.query.reads().contains(&used.name));
        if !query.reads().contains(&used.name) && !read_there {
            problems.push(Problem::of(
                &toml_path,
                format!("the query does not read `{}`", used.name),
                format!("remove `[tables.{}]`", used.name),
            ));
        }
    }
    let procedure = Procedure {
        id: id.to_owned(),
        title: head.title,
        controls: head.controls,
        population: head.population,
        population_tables: head.population_tables,
        over_period: head.over_period,
        attributed_by: head.attributed_by,
        how_to_fix: head.how_to_fix,
        tables: head.tables,
        attributes: head.attributes,
        parameters: head.parameters,
        query,
        text: sql.to_owned(),
        uptime,
        cases: folder.cases.map(str::to_owned),
        content_hash,
        origin,
    };
    (problems.is_empty().then_some(procedure), problems)
}

/// The uptime of a procedure, where it has one.
fn uptime(
    id: &str,
    folder: &Folder<'_>,
    head: &Head,
    tables: &[Table],
) -> Result<Option<Uptime>, Vec<Problem>> {
    let path = format!("procedures/{id}/uptime.sql");
    let (text, said) = match (folder.uptime, &head.uptime) {
        (None, None) => return Ok(None),
        (Some(text), Some(said)) => (text, said),
        (None, Some(_)) => {
            return Err(vec![Problem::of(
                &path,
                "the file is missing",
                "write one SELECT of `item`, `starts_at`, `ends_at`, `verdict`, or remove `[uptime]`",
            )]);
        }
        (Some(_), None) => {
            return Err(vec![Problem::of(
                &path,
                "nothing says which tables have to be covered",
                "write `[uptime]` with `covered = [...]` in procedure.toml",
            )]);
        }
    };
    if !head.over_period {
        return Err(vec![Problem::of(
            &path,
            "what happens once has no uptime",
            "only a procedure with `over_period = true` has one",
        )]);
    }
    let query = Query::of_uptime(&path, text, tables.to_vec(), head.parameters.clone())?;
    Ok(Some(Uptime {
        query,
        text: text.to_owned(),
        covered: said.covered.clone(),
        grade: said.grade.unwrap_or(Grade::System),
        silence_is_down: said.silence_is_down,
    }))
}

/// `[uptime]`.
fn uptime_head(file: &mut Section<'_>, tables: &[TableUse]) -> Option<UptimeHead> {
    let mut section = file.section("uptime")?;
    let covered = section.texts("covered");
    check_tables(&section, &covered, tables);
    if covered.is_empty() {
        section.problem(
            section.offset(),
            "nothing says which tables have to be covered",
            "write `covered = [...]`: where nobody looked, nothing is up",
        );
    }
    let grade = section.text_at("grade").and_then(|word| {
        word.value.parse().map_err(|message: String| section.problem(word.offset, message, "")).ok()
    });
    let silence_is_down = match section.text_at("silence") {
        None => false,
        Some(word) => match word.value.as_str() {
            "down" => true,
            "unknown" => false,
            other => {
                let message = format!("silence cannot be `{other}`");
                section.problem(word.offset, message, instead(other, ["down", "unknown"]));
                false
            }
        },
    };
    section.finish();
    Some(UptimeHead { covered: covered.into_iter().map(|t| t.value).collect(), grade, silence_is_down })
}

fn head(file: &mut Section<'_>, id: &str, known: &Known<'_>) -> Head {
    if let Some((message, help)) = names::fault(id) {
        file.problem(0, message, help);
    }
    let title = file.required("title");
    let controls = file.texts("controls");
    if controls.is_empty() {
        file.problem(0, "the procedure tests no control", "write `controls = [\"CHG-02\"]`");
    }
    for control in &controls {
        if !known.controls.contains(control.value.as_str()) {
            file.problem(
                control.offset,
                format!("there is no control `{}`", control.value),
                instead(&control.value, known.controls.iter().copied()),
            );
        }
    }
    let population = file.required("population");
    let mut population_tables = file.texts("population_tables");
    population_tables.extend(file.texts("population_table"));
    if population_tables.is_empty() {
        file.problem(
            0,
            "nothing says which table's coverage proves the population",
            "write `population_tables = [\"change\"]`",
        );
    }
    let over_period = file.flag("over_period").unwrap_or(false);
    let attributed_by = file.required("attributed_by");
    let how_to_fix = file.required("how_to_fix");
    let tables = tables(file, known);
    check_tables(file, &population_tables, &tables);
    let attributes = attributes(file, known, &tables);
    let parameters = parameters(file);
    let uptime = uptime_head(file, &tables);
    Head {
        title,
        controls: controls.into_iter().map(|c| c.value).collect(),
        population,
        population_tables: population_tables.into_iter().map(|t| t.value).collect(),
        over_period,
        attributed_by,
        how_to_fix,
        tables,
        attributes,
        parameters,
        uptime,
    }
}

fn tables(file: &mut Section<'_>, known: &Known<'_>) -> Vec<TableUse> {
    let mut tables = Vec::new();
    let mut ways: Vec<(At<String>, String, Way)> = Vec::new();
    for (name, mut section) in file.named("tables") {
        let mut item_by = vec![];
        for said in section.texts("item_by") {
            let way = way(&said.value);
            names_something(&section, &said, &name.value, &way.column, known);
            item_by.push(way.clone());
            ways.push((said, name.value.clone(), way));
        }
        if !known.tables.iter().any(|t| t.name == name.value) {
            section.problem(
                name.offset,
                format!("there is no table `{}`", name.value),
                instead(&name.value, known.tables.iter().map(|t| t.name.as_str())),
            );
        }
        tables.push(TableUse { name: name.value, item_by });
        section.finish();
    }
    if tables.is_empty() {
        file.problem(0, "the procedure reads no table", "add a section like `[tables.change]`");
    }
    for (said, _, way) in &ways {
        let Some((through, column)) = &way.through else { continue };
        match tables.iter().find(|t| t.name == *through) {
            Some(used) if used.item_by.is_empty() => file.problem(
                said.offset,
                format!("`{through}` does not say itself which items its rows concern"),
                format!("write `item_by` under `[tables.{through}]`, or remove this one"),
            ),
            Some(_) => names_something(file, said, through, column, known),
            None => file.problem(
                said.offset,
                format!("`{through}` is not among the tables of this procedure"),
                instead(through, tables.iter().map(|t| t.name.as_str())),
            ),
        }
    }
    let circular = |name: &str| {
        let mut reached = vec![name];
        let mut at = 0;
        while let Some(here) = reached.get(at).copied() {
            at += 1;
            let further = ways.iter().filter(|(_, from, _)| from == here);
            for through in further.filter_map(|(_, _, way)| way.through.as_ref()).map(|(t, _)| t.as_str()) {
                if through == name {
                    return true;
                }
                if !reached.contains(&through) {
                    reached.push(through);
                }
            }
        }
        false
    };
    if let Some((said, name, _)) = ways.iter().find(|(_, name, _)| circular(name)) {
        let message = format!("the ways from `{name}` to its items lead back to `{name}`");
        file.problem(said.offset, message, "let each table lead to the items by tables that come before it");
    }
    tables
}

/// `column`, or `column = table.column`.
fn way(text: &str) -> Way {
    let through = |text: &str| {
        let (table, column) = text.split_once('.').unwrap_or((text, ""));
        (table.trim().to_owned(), column.trim().to_owned())
    };
    match text.split_once('=') {
        Some((column, end)) => Way { column: column.trim().to_owned(), through: Some(through(end)) },
        None => Way { column: text.trim().to_owned(), through: None },
    }
}

/// Says so where a column is none that holds the number of a thing.
fn names_something(section: &Section<'_>, said: &At<String>, table: &str, column: &str, known: &Known<'_>) {
    let Some(table) = known.tables.iter().find(|t| t.name == table) else { return };
    let named = |c: &&model::Column| matches!(c.kind, ColumnType::Entity | ColumnType::Account);
    if column == "id" || table.columns.iter().filter(named).any(|c| c.name == column) {
        return;
    }
    let message = match table.column(column) {
        Some(_) => format!("`{column}` of `{}` names nothing", table.name),
        None => format!("`{column}` is no column of `{}`", table.name),
    };
    let names = table.columns.iter().filter(named).map(|c| c.name.as_str()).chain(["id"]);
    section.problem(said.offset, message, instead(column, names));
}

fn check_tables(section: &Section<'_>, named: &[At<String>], tables: &[TableUse]) {
    for name in named {
        if !tables.iter().any(|t| t.name == name.value) {
            section.problem(
                name.offset,
                format!("`{}` is not among the tables of this procedure", name.value),
                instead(&name.value, tables.iter().map(|t| t.name.as_str())),
            );
        }
    }
}

fn least_grade(section: &mut Section<'_>, name: &'static str, unsaid: Grade) -> Grade {
    match section.text_at(name) {
        None => unsaid,
        Some(word) => word.value.parse().unwrap_or_else(|message: String| {
            section.problem(word.offset, message, format!("leave it out to ask for `{unsaid}`"));
            unsaid
        }),
    }
}

fn attributes(file: &mut Section<'_>, known: &Known<'_>, tables: &[TableUse]) -> Vec<TestedAttribute> {
    let mut attributes: Vec<TestedAttribute> = Vec::new();
    let mut sections = file.named("attributes");
    sections.sort_by(|(a, _), (b, _)| a.value.cmp(&b.value));
    if sections.is_empty() {
        file.problem(0, "the procedure tests no attribute", "add a section `[attributes.a]`");
    }
    for ((name, mut section), letter) in sections.into_iter().zip('a'..='z') {
        if name.value != letter.to_string() {
            section.problem(
                name.offset,
                format!("`{}` is not the next letter", name.value),
                format!("attributes are a, b, c ... without gaps: write `[attributes.{letter}]`"),
            );
        }
        let says = section.required("says");
        let deviation = section.required("deviation");
        let no_evidence = section.text("no_evidence");
        let needs_judgement = section.text("needs_judgement");
        let absent = section.texts("absent");
        let adverse = section.texts("adverse");
        let moot_without = section.texts("moot_without");
        let absent_grade = least_grade(&mut section, "absent_grade", Grade::System);
        let adverse_grade = least_grade(&mut section, "adverse_grade", absent_grade);
        check_tables(&section, &absent, tables);
        check_tables(&section, &adverse, tables);
        check_tables(&section, &moot_without, tables);
        let completes = section.texts("completes");
        for id in completes.iter().filter(|id| !known.procedures.contains(id.value.as_str())) {
            section.problem(
                id.offset,
                format!("there is no procedure `{}`", id.value),
                instead(&id.value, known.procedures.iter().copied()),
            );
        }
        let absent: Vec<String> = absent.into_iter().map(|t| t.value).collect();
        let adverse: Vec<String> = adverse.into_iter().map(|t| t.value).collect();
        let mut supplied_by: Vec<String> =
            section.texts("supplied_by").into_iter().map(|s| s.value).collect();
        if supplied_by.is_empty() {
            for table in absent.iter().chain(&adverse) {
                for stream in known.tables.iter().filter(|t| t.name == *table).flat_map(|t| &t.fed_by) {
                    if !supplied_by.contains(stream) {
                        supplied_by.push(stream.clone());
                    }
                }
            }
        }
        attributes.push(TestedAttribute {
            letter: name.value,
            says,
            deviation,
            no_evidence,
            needs_judgement,
            absent,
            adverse,
            moot_without: moot_without.into_iter().map(|t| t.value).collect(),
            absent_grade,
            adverse_grade,
            supplied_by,
            completes: completes.into_iter().map(|id| id.value).collect(),
        });
        section.finish();
    }
    attributes
}

fn parameters(file: &mut Section<'_>) -> BTreeMap<String, Parameter> {
    let mut parameters = BTreeMap::new();
    for (name, mut section) in file.named("parameters") {
        if let Some((message, help)) = names::fault(&name.value) {
            section.problem(name.offset, message, help);
        }
        if BUILT_IN_PARAMETERS.contains(&name.value.as_str()) {
            section.problem(
                name.offset,
                format!("every procedure has its own `${}`", name.value),
                "choose another name",
            );
        }
        let kind = match section.text_at("type") {
            Some(At { value, offset }) => match value.as_str() {
                "integer" => ParameterType::Integer,
                "text" => ParameterType::Text,
                "flag" => ParameterType::Flag,
                other => {
                    section.problem(
                        offset,
                        format!("`{other}` is no type of a parameter"),
                        instead(other, ["integer", "text", "flag"]),
                    );
                    ParameterType::Integer
                }
            },
            None => {
                section.problem(
                    name.offset,
                    "`type` is missing",
                    "write `type = \"integer\"`, `\"text\"` or `\"flag\"`",
                );
                ParameterType::Integer
            }
        };
        let default = if section.place("default").is_none() {
            section.problem(name.offset, "`default` is missing", "write `default = ...`");
            None
        } else if kind == ParameterType::Text {
            section.text("default").map(|t| Value::from(t.as_str()))
        } else {
            section.integer("default").map(Value::Integer)
        };
        let parameter = Parameter {
            name: name.value.clone(),
            kind,
            default: default.clone().unwrap_or(Value::Null),
            min: section.integer("min"),
            max: section.integer("max"),
            doc: section.required("doc"),
        };
        if let (Some(default), Some(place)) = (default, section.place("default"))
            && let Err(p) = parameter.check(&default)
        {
            section.problem(place, p.message, p.help);
        }
        if kind != ParameterType::Integer && (parameter.min.is_some() || parameter.max.is_some()) {
            section.problem(name.offset, "only a number has `min` and `max`", "remove them");
        }
        section.finish();
        parameters.insert(name.value, parameter);
    }
    parameters
}

/// Each part with its length before it, so that no two contents run together alike.
fn content_hash(toml: &str, sql: &str, uptime: Option<&str>, tables: &[Table]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    part("tickmark procedure 1");
    part(toml);
    part(sql);
    if let Some(uptime) = uptime {
        part(uptime);
    }
    for table in tables {
        part(&table.name);
        part(&format!("{:?}", table.kind));
        for column in &table.columns {
            part(&column.name);
            part(&format!("{:?} {}", column.kind, column.nullable));
        }
        if let Some(scope) = &table.scope {
            part(&format!("{scope:?}"));
        }
    }
    hash.finalize().into()
}
