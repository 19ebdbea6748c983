//! Walks a query's tree and writes its text. What has no arm here cannot be written, and so cannot run.
//!
//! Structures of the tree are taken apart field by field, without `..`: a field that a later parser adds stops the
//! compiler here instead of slipping through.

mod call;
mod expr;
mod from;
mod query;

use std::collections::{BTreeMap, BTreeSet};

use model::{Column, RESERVED_COLUMNS, Table};
use sqlparser::ast::{self, BinaryOperator, Expr, Ident, ObjectName, Spanned as _};

use super::{Bindings, Engine, Kind, Only, Query};
use crate::names;
use crate::problem::Problem;

/// A query's text, its columns, and the tables it read.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) text: String,
    pub(super) columns: Vec<(String, Kind)>,
    pub(super) reads: BTreeSet<String>,
}

/// Writes `query` for `engine`; without bindings, with stand-in values, to find what is wrong with it.
pub(super) fn write(
    query: &Query,
    bindings: Option<&Bindings>,
    only: &BTreeMap<String, Only>,
    engine: Engine,
) -> Result<Written, Vec<Problem>> {
    let mut writer = Writer {
        query,
        bindings,
        only,
        engine,
        out: String::new(),
        indent: 0,
        here: (1, 1),
        problems: Vec::new(),
        reads: BTreeSet::new(),
        ctes: Vec::new(),
        scopes: Vec::new(),
        windows: Vec::new(),
        single_row: false,
        wide_literals: 0,
    };
    let columns = writer.query(&query.tree, true);
    if writer.problems.is_empty() {
        Ok(Written { text: writer.out, columns, reads: writer.reads })
    } else {
        writer.problems.dedup();
        Err(writer.problems)
    }
}

/// A relation in a FROM clause: its alias, and its columns.
struct Relation {
    alias: String,
    columns: Vec<(String, Kind)>,
}

/// What one SELECT can name.
#[derive(Default)]
struct Scope {
    relations: Vec<Relation>,
    /// Columns joined by USING: naming them without an alias is not ambiguous.
    merged: BTreeSet<String>,
    /// Aggregates met in it.
    aggregates: usize,
    /// How many aggregates are open around the place being written.
    inside_aggregate: usize,
    /// Whether its columns are noted: in what it yields, HAVING and ORDER BY.
    noting: bool,
    /// Columns named outside every aggregate: alias, column, place.
    bare: Vec<(String, String, (u32, u32))>,
    /// What GROUP BY names: columns by alias and name, other expressions by their text.
    grouped_columns: BTreeSet<(String, String)>,
    grouped_expressions: Vec<String>,
}

struct Writer<'a> {
    query: &'a Query,
    bindings: Option<&'a Bindings>,
    only: &'a BTreeMap<String, Only>,
    engine: Engine,
    out: String,
    indent: usize,
    here: (u32, u32),
    problems: Vec<Problem>,
    reads: BTreeSet<String>,
    ctes: Vec<(String, Vec<(String, Kind)>)>,
    scopes: Vec<Scope>,
    windows: Vec<String>,
    /// Whether the SELECT written last folds all rows into one.
    single_row: bool,
    /// Inside VALUES and recursive parts every bare number is written as BIGINT: PostgreSQL would give the column the
    /// narrower type of its first row.
    wide_literals: usize,
}

type Columns = Vec<(String, Kind)>;

impl Writer<'_> {
    fn refuse(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::at("", self.here, message, help));
    }

    fn refuse_if(&mut self, present: bool, what: &str, help: &str) {
        if present {
            self.refuse(format!("{what} is not available"), help);
        }
    }

    /// Remembers where the author is, for messages.
    fn go(&mut self, span: sqlparser::tokenizer::Span) {
        let (line, column) = super::dialect::place(span.start);
        if line > 0 {
            self.here = (line, column);
        }
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn line(&mut self) {
        self.out.push('\n');
        for _ in 0..self.indent {
            self.out.push_str("  ");
        }
    }

    /// Writes into a side buffer and gives it back.
    fn aside<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> (T, String) {
        let before = std::mem::take(&mut self.out);
        let value = write(self);
        (value, std::mem::replace(&mut self.out, before))
    }

    /// A name the author chose or uses: no quotes, lower case, reserved nowhere.
    fn name(&mut self, ident: &Ident) -> String {
        let Ident { value, quote_style, span } = ident;
        self.go(*span);
        if quote_style.is_some() {
            self.refuse(
                format!("`\"{value}\"` is quoted"),
                "write names without quotes, and text in single quotes",
            );
        } else if let Some((message, help)) = names::fault(value) {
            self.refuse(message, help);
        }
        value.clone()
    }

    fn single(&mut self, name: &ObjectName, what: &str) -> Option<String> {
        match name.0.as_slice() {
            [ast::ObjectNamePart::Identifier(ident)] => {
                self.go(ident.span);
                if ident.quote_style.is_some() {
                    self.refuse(format!("`{name}` is quoted"), "write names without quotes");
                    return None;
                }
                Some(ident.value.clone())
            }
            _ => {
                self.go(name.span());
                self.refuse(format!("`{name}` names {what} with a qualifier"), "write its name alone");
                None
            }
        }
    }
}

/// The columns procedures see of a table: base columns without the snapshot's own, then its own.
fn columns(table: &Table) -> Columns {
    let base = RESERVED_COLUMNS.iter().filter(|c| !matches!(**c, "known_from" | "superseded_at")).map(|c| {
        let kind = match *c {
            "grade" => Kind::Text,
            "collected_at" => Kind::Instant,
            "in_scope" => Kind::Flag,
            _ => Kind::Integer,
        };
        ((*c).to_owned(), kind)
    });
    let own = table.columns.iter().map(|Column { name, kind, .. }| (name.clone(), Kind::of(*kind)));
    base.chain(own).collect()
}

/// A whole number written in digits.
fn digits(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Value(ast::ValueWithSpan { value: ast::Value::Number(text, _), span: _ })
            if text.bytes().all(|b| b.is_ascii_digit()) =>
        {
            text.parse().ok()
        }
        _ => None,
    }
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(ast::ValueWithSpan { value: ast::Value::Null, span: _ }))
}

/// Operators whose operands and results are of one kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Condition,
    Comparison,
    Number,
    Text,
    Other,
}

const fn family(op: &BinaryOperator) -> Family {
    match op {
        BinaryOperator::And | BinaryOperator::Or => Family::Condition,
        BinaryOperator::Eq
        | BinaryOperator::NotEq
        | BinaryOperator::Lt
        | BinaryOperator::LtEq
        | BinaryOperator::Gt
        | BinaryOperator::GtEq => Family::Comparison,
        BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply | BinaryOperator::Modulo => {
            Family::Number
        }
        BinaryOperator::StringConcat => Family::Text,
        _ => Family::Other,
    }
}

/// Where an expression begins, without going down the whole of a long chain.
fn start(mut expr: &Expr) -> sqlparser::tokenizer::Span {
    while let Expr::BinaryOp { left, .. } | Expr::IsNull(left) | Expr::IsNotNull(left) = expr {
        expr = left;
    }
    expr.span()
}

/// Whether a condition is equalities joined by AND.
fn equalities(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => equalities(inner),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => equalities(left) && equalities(right),
        Expr::BinaryOp { op: BinaryOperator::Eq, .. } => true,
        _ => false,
    }
}

/// `(a - a % b) / b`: the one division without a remainder, as dividend and divisor.
fn whole_division(expr: &Expr) -> Option<(&Expr, &Expr)> {
    let Expr::BinaryOp { left, op: BinaryOperator::Divide, right: divisor } = expr else { return None };
    let Expr::Nested(dividend) = &**left else { return None };
    let Expr::BinaryOp { left: whole, op: BinaryOperator::Minus, right: rest } = &**dividend else {
        return None;
    };
    let rest = match &**rest {
        Expr::Nested(inner) => inner,
        other => other,
    };
    let Expr::BinaryOp { left: again, op: BinaryOperator::Modulo, right: by } = rest else { return None };
    (whole.to_string() == again.to_string() && by.to_string() == divisor.to_string())
        .then_some((dividend, divisor))
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
