//! Queries that somebody could have got wrong by one thing: a procedure's query with one part of its tree changed.
//!
//! A mutant that every case of its procedure lets through is either another way to say the same, or something that no case
//! looks at.

use std::ops::ControlFlow;
use std::time::Duration;

use catalog::{Engine, Procedure, Query};
use model::Value;
use sqlparser::ast::{
    self, BinaryOperator, Expr, JoinConstraint, JoinOperator, Spanned as _, VisitMut as _, VisitorMut,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use store::records::{Limits, Reader, Records};
use tempfile::TempDir;

use crate::cases::{Bench, Scene};

/// What was changed in a query, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The file: `query.sql` or `uptime.sql`.
    pub file: &'static str,
    /// Its line.
    pub line: u64,
    /// What stood there.
    pub was: String,
    /// What stands there now.
    pub is: String,
}

/// What became of a mutant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It may not be written: content with it is not loaded.
    Refused,
    /// A case noticed: its name. Or the invariants did.
    Killed(String),
    /// Nothing noticed.
    Survived,
}

/// How long a mutant may run over a case: one that joins everything with everything is noticed by not ending.
const PATIENCE: Duration = Duration::from_secs(5);

/// Every which case is told in other ways to a mutant that all cases let through.
const RETOLD: usize = 3;

/// The cases of a procedure, each in a generation of its own that stays open: every mutant runs over the same rows.
pub struct Range<'a> {
    bench: &'a Bench<'a>,
    scenes: Vec<Scene>,
    readers: Vec<Reader>,
    _folder: TempDir,
}

impl<'a> Range<'a> {
    /// Sets up the cases.
    ///
    /// # Errors
    /// What the disk or the store says.
    pub fn new(bench: &'a Bench<'a>) -> Result<Self, String> {
        let folder = crate::folder().map_err(|e| e.to_string())?;
        let scenes = bench.scenes();
        let mut readers = vec![];
        for (number, scene) in scenes.iter().enumerate() {
            let path = folder.path().join(format!("{number}.db"));
            let mut records = Records::create_sqlite(&path, &bench.tables).map_err(|e| e.to_string())?;
            bench.fill(&mut records, std::slice::from_ref(scene)).map_err(|e| e.to_string())?;
            readers.push(records.reader().map_err(|e| e.to_string())?);
        }
        Ok(Self { bench, scenes, readers, _folder: folder })
    }

    /// Tries every mutant.
    ///
    /// # Errors
    /// The query itself does not keep its cases, or says something else once it is written from its tree.
    pub fn try_all(&mut self) -> Result<Vec<(Change, Fate)>, String> {
        let procedure = self.bench.procedure;
        let own = mutant(procedure, "query.sql", &rewritten("query.sql", &procedure.text, usize::MAX)?.0)?;
        if let Fate::Killed(case) = self.fate(&own) {
            return Err(format!("`{}`: unchanged, it does not keep its case `{case}`", procedure.id));
        }
        let mut tried = vec![];
        let mut texts = vec![("query.sql", procedure.text.as_str())];
        texts.extend(procedure.uptime.as_ref().map(|uptime| ("uptime.sql", uptime.text.as_str())));
        for (file, text) in texts {
            for number in 0.. {
                let (text, Some(change)) = rewritten(file, text, number)? else { break };
                let fate = match mutant(procedure, file, &text) {
                    Err(_) => Fate::Refused,
                    Ok(mutant) => match self.fate(&mutant) {
                        Fate::Survived => self.moved(&mutant),
                        fate => fate,
                    },
                };
                tried.push((change, fate));
            }
        }
        Ok(tried)
    }

    /// What the cases say of another query.
    fn fate(&mut self, procedure: &Procedure) -> Fate {
        let bench = self.bench.with(procedure);
        let limits = Limits { deadline: PATIENCE, ..Limits::default() };
        for ((case, scene), reader) in bench.cases.iter().zip(&self.scenes).zip(&mut self.readers) {
            let mut rows = |sql: &str| -> Result<Vec<Vec<Value>>, String> {
                reader.collect(sql, &limits).map(|(_, rows)| rows).map_err(|e| e.to_string())
            };
            let mut differences = || -> Result<String, String> {
                let items = bench.judge(case, &rows(&bench.sql(scene, 1, Engine::Sqlite)?)?, None)?;
                let mut differences = Bench::differences(case, &items);
                if let Some(sql) = bench.uptime_sql(scene, 1, Engine::Sqlite)? {
                    let lasted = bench.uptime(case, &items, &rows(&sql)?, None)?;
                    differences.push_str(&Bench::uptime_differences(case, &lasted));
                }
                Ok(differences)
            };
            if differences().is_ok_and(|differences| differences.is_empty()) {
                continue;
            }
            return Fate::Killed(case.name.clone());
        }
        Fate::Survived
    }

    /// What the invariants say of another query: that it knows less and passes, or that telling it in another way changes it.
    fn moved(&self, procedure: &Procedure) -> Fate {
        let bench = self.bench.with(procedure);
        let noticed = |what: &str| Fate::Killed(what.to_owned());
        let Ok(folder) = crate::folder() else { return Fate::Survived };
        let told = bench.check_invariants(RETOLD, &mut |number| {
            Records::create_sqlite(&folder.path().join(format!("records-{number}.db")), &bench.tables)
        });
        if told.is_err() { noticed("the invariants") } else { Fate::Survived }
    }
}

/// A procedure with another text in one of its files.
fn mutant(procedure: &Procedure, file: &'static str, text: &str) -> Result<Procedure, String> {
    let mut mutant = procedure.clone();
    let said = |problems: Vec<catalog::Problem>| {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let (tables, parameters) = (procedure.query.tables().to_vec(), procedure.parameters.clone());
    if let Some(uptime) = mutant.uptime.as_mut().filter(|_| file == "uptime.sql") {
        uptime.query =
            Query::of_uptime(file, text, uptime.query.tables().to_vec(), parameters).map_err(said)?;
    } else {
        let letters: Vec<String> = procedure.attributes.iter().map(|a| a.letter.clone()).collect();
        mutant.query = Query::of_procedure(file, text, tables, parameters, &letters).map_err(said)?;
    }
    Ok(mutant)
}

/// The text written from its tree, in which the `number`-th thing that can be changed is; unchanged when there are fewer.
fn rewritten(file: &'static str, text: &str, number: usize) -> Result<(String, Option<Change>), String> {
    let mut parser = Parser::new(&GenericDialect {}).try_with_sql(text).map_err(|e| e.to_string())?;
    let mut tree = parser.parse_query().map_err(|e| e.to_string())?;
    let mut changing = Changing { file, number, change: None };
    let _ = tree.visit(&mut changing);
    Ok((tree.to_string(), changing.change))
}

/// Walks a tree, and changes the one thing it was sent for.
struct Changing {
    file: &'static str,
    number: usize,
    change: Option<Change>,
}

impl Changing {
    /// Takes the one alternative whose turn it is; whether it did.
    fn takes(&mut self, expr: &mut Expr, mut others: Vec<Expr>) -> bool {
        if self.number >= others.len() {
            self.number -= others.len();
            return false;
        }
        let other = others.swap_remove(self.number);
        let (was, is) = (expr.to_string(), other.to_string());
        self.change = Some(Change { file: self.file, line: expr.span().start.line, was, is });
        *expr = other;
        true
    }
}

impl VisitorMut for Changing {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut ast::Select) -> ControlFlow<()> {
        for join in select.from.iter_mut().flat_map(|from| &mut from.joins) {
            let (on, without) = match &mut join.join_operator {
                JoinOperator::Left(JoinConstraint::On(on))
                | JoinOperator::LeftOuter(JoinConstraint::On(on)) => (on, "1 = 0"),
                JoinOperator::Join(JoinConstraint::On(on)) | JoinOperator::Inner(JoinConstraint::On(on)) => {
                    (on, "1 = 1")
                }
                _ => continue,
            };
            let without =
                Parser::new(&GenericDialect {}).try_with_sql(without).and_then(|mut p| p.parse_expr());
            if let Ok(without) = without
                && self.takes(on, vec![without])
            {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let others = others(expr);
        if self.takes(expr, others) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// What a person could have written by mistake.
fn others(expr: &Expr) -> Vec<Expr> {
    match expr {
        Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, right } => {
            vec![(**left).clone(), (**right).clone()]
        }
        Expr::BinaryOp { left, op, right } => {
            let flipped = match op {
                BinaryOperator::Lt => BinaryOperator::LtEq,
                BinaryOperator::LtEq => BinaryOperator::Lt,
                BinaryOperator::Gt => BinaryOperator::GtEq,
                BinaryOperator::GtEq => BinaryOperator::Gt,
                BinaryOperator::Eq => BinaryOperator::NotEq,
                BinaryOperator::NotEq => BinaryOperator::Eq,
                _ => return vec![],
            };
            let with = |op: &BinaryOperator, right: Expr| Expr::BinaryOp {
                left: left.clone(),
                op: op.clone(),
                right: Box::new(right),
            };
            let mut others = vec![with(&flipped, (**right).clone())];
            let ordering = !matches!(op, BinaryOperator::Eq | BinaryOperator::NotEq);
            if ordering && (is_instant(left) || is_instant(right)) {
                let day = |sign: BinaryOperator| Expr::BinaryOp {
                    left: Box::new(Expr::Nested(right.clone())),
                    op: sign,
                    right: Box::new(Expr::value(ast::Value::Number("86400000".to_owned(), false))),
                };
                others.extend([day(BinaryOperator::Plus), day(BinaryOperator::Minus)].map(|r| with(op, r)));
            }
            others
        }
        Expr::IsNull(of) => vec![Expr::IsNotNull(of.clone())],
        Expr::IsNotNull(of) => vec![Expr::IsNull(of.clone())],
        _ => vec![],
    }
}

/// Whether something is an instant by its name, as the tables name them.
fn is_instant(expr: &Expr) -> bool {
    let text = expr.to_string();
    let name = text.rsplit('.').next().unwrap_or_default();
    ["_at", "_from", "_to", "$from", "$to", "$cutoff", "$as_of"].iter().any(|end| name.ends_with(end))
}
