//! Expressions: columns, literals, parameters, operators, CASE, subqueries.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use model::Value;
use sqlparser::ast::{
    self, BinaryOperator, CastKind, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    LimitClause, SetExpr, UnaryOperator,
};

use super::{Columns, Family, Relation, Writer, count, digits, family, is_null, start, whole_division};
use crate::problem::instead;
use crate::sql::{BUILT_IN_PARAMETERS, Engine, Kind, Purpose};

impl Writer<'_> {
    pub(super) fn condition(&mut self, expr: &Expr) {
        self.go(start(expr));
        let here = self.here;
        let kind = self.expr(expr);
        if kind != Kind::Condition {
            self.here = here;
            self.refuse(
                format!("this is {}, not a condition", kind.word()),
                "compare it, such as `flag = 1`",
            );
        }
    }

    pub(super) fn value(&mut self, expr: &Expr) -> Kind {
        self.go(start(expr));
        let here = self.here;
        let kind = self.expr(expr);
        if kind == Kind::Condition {
            self.here = here;
            self.refuse(
                "a condition cannot be a value: the engines give it different types",
                "write `CASE WHEN ... THEN 1 ELSE 0 END`",
            );
            return Kind::Null;
        }
        kind
    }

    pub(super) fn of_kind(&mut self, expr: &Expr, wanted: Kind) -> Kind {
        self.go(start(expr));
        let here = self.here;
        let kind = self.value(expr);
        if !kind.fits(wanted) {
            self.here = here;
            self.refuse(format!("this is {}, where {} is needed", kind.word(), wanted.word()), "");
        }
        wanted
    }

    /// The kind of two values that have to be of one kind.
    pub(super) fn joined(&mut self, left: Kind, right: Kind) -> Kind {
        left.joined(right).unwrap_or_else(|| {
            self.refuse(
                format!("{} meets {}, and the engines convert differently", left.word(), right.word()),
                "keep numbers and texts apart",
            );
            left
        })
    }

    pub(super) fn compared(&mut self, left: &Expr, word: &str, right: &Expr) -> Kind {
        let here = self.here;
        let l = self.value(left);
        self.put(&format!(" {word} "));
        let r = self.value(right);
        self.here = here;
        self.joined(l, r);
        if is_null(left) || is_null(right) {
            self.refuse(format!("`{word} NULL` is never true"), "write IS NULL or IS NOT NULL");
        }
        Kind::Condition
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Kind {
        self.go(start(expr));
        // What GROUP BY names as a whole may stand anywhere, whatever columns are in it.
        if let Some(scope) = self.scopes.last_mut()
            && scope.noting
            && !scope.grouped_expressions.is_empty()
            && scope.grouped_expressions.contains(&expr.to_string())
        {
            scope.noting = false;
            let kind = self.any_expr(expr);
            if let Some(scope) = self.scopes.last_mut() {
                scope.noting = true;
            }
            return kind;
        }
        self.any_expr(expr)
    }

    fn any_expr(&mut self, expr: &Expr) -> Kind {
        match expr {
            Expr::Identifier(ident) => self.column(None, ident),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [alias, column] => self.column(Some(alias), column),
                _ => {
                    self.refuse(format!("`{expr}` has too many parts"), "write `alias.column`");
                    Kind::Null
                }
            },
            Expr::Value(value) => self.literal(value),
            Expr::Nested(inner) => {
                self.put("(");
                let kind = self.expr(inner);
                self.put(")");
                kind
            }
            Expr::IsNull(inner) => self.tested(inner, "IS NULL"),
            Expr::IsNotNull(inner) => self.tested(inner, "IS NOT NULL"),
            Expr::IsDistinctFrom(l, r) => {
                let (l, r) = {
                    let l = self.value(l);
                    self.put(" IS DISTINCT FROM ");
                    (l, self.value(r))
                };
                self.joined(l, r);
                Kind::Condition
            }
            Expr::IsNotDistinctFrom(l, r) => {
                let (l, r) = {
                    let l = self.value(l);
                    self.put(" IS NOT DISTINCT FROM ");
                    (l, self.value(r))
                };
                self.joined(l, r);
                Kind::Condition
            }
            Expr::InList { expr, list, negated } => {
                let mut kind = self.value(expr);
                self.put(if *negated { " NOT IN (" } else { " IN (" });
                for (i, item) in list.iter().enumerate() {
                    if i > 0 {
                        self.put(", ");
                    }
                    let other = self.value(item);
                    kind = self.joined(kind, other);
                    if is_null(item) {
                        self.refuse("NULL in a list is never found", "test IS NULL apart");
                    }
                }
                self.put(")");
                Kind::Condition
            }
            Expr::InSubquery { expr, subquery, negated } => {
                let left: Vec<Kind> = match &**expr {
                    Expr::Tuple(parts) => {
                        self.put("(");
                        let kinds = parts
                            .iter()
                            .enumerate()
                            .map(|(i, part)| {
                                if i > 0 {
                                    self.put(", ");
                                }
                                self.value(part)
                            })
                            .collect();
                        self.put(")");
                        kinds
                    }
                    single => vec![self.value(single)],
                };
                self.put(if *negated { " NOT IN " } else { " IN " });
                let (columns, _) = self.subquery(subquery);
                if columns.len() != left.len() {
                    self.refuse(
                        format!(
                            "{} meets a subquery of {} columns",
                            count(left.len(), "value"),
                            columns.len()
                        ),
                        "let both have the same number",
                    );
                }
                for (l, (_, r)) in left.into_iter().zip(columns) {
                    self.joined(l, r);
                }
                Kind::Condition
            }
            Expr::Between { expr, negated, low, high } => {
                let kind = self.value(expr);
                self.put(if *negated { " NOT BETWEEN " } else { " BETWEEN " });
                let low = self.value(low);
                self.put(" AND ");
                let high = self.value(high);
                let kind = self.joined(kind, low);
                self.joined(kind, high);
                Kind::Condition
            }
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
                self.put("NOT ");
                self.condition(expr);
                Kind::Condition
            }
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
                // `- -1` would begin a comment if it were written without the parentheses.
                self.put("-(");
                let kind = self.of_kind(expr, Kind::Integer);
                self.put(")");
                kind
            }
            Expr::UnaryOp { op, expr: _ } => {
                self.refuse(format!("`{op}` is not available"), "");
                Kind::Null
            }
            Expr::Cast { kind: CastKind::Cast, expr, data_type, format: None } => self.cast(expr, data_type),
            Expr::Cast { .. } => {
                self.refuse("this form of CAST is not available", "write `CAST(x AS BIGINT)`");
                Kind::Null
            }
            Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            Expr::Exists { subquery, negated } => {
                self.put(if *negated { "NOT EXISTS " } else { "EXISTS " });
                self.subquery(subquery);
                Kind::Condition
            }
            Expr::Subquery(query) => {
                let here = self.here;
                let (columns, single_row) = self.subquery(query);
                self.here = here;
                if !single_row {
                    self.refuse(
                        "this subquery may give several rows, of which SQLite takes any and the others none",
                        "fold it with min, max or count, or end it with ORDER BY ... LIMIT 1",
                    );
                }
                match columns.as_slice() {
                    [(_, kind)] => *kind,
                    _ => {
                        self.refuse("a subquery in place of a value has to yield one column", "");
                        Kind::Null
                    }
                }
            }
            Expr::Substring { expr, substring_from, substring_for, special: _, shorthand: _ } => {
                self.put("substr(");
                self.of_kind(expr, Kind::Text);
                self.put(", ");
                match substring_from.as_deref() {
                    Some(from) => {
                        if self.plain_number(from).is_some_and(|n| n < 1) {
                            self.refuse("substr counts from 1", "write a number of 1 or more");
                        }
                    }
                    None => self.refuse("substr has no beginning", "write `substr(s, 1, n)`"),
                }
                if let Some(length) = substring_for {
                    self.put(", ");
                    self.plain_number(length);
                }
                self.put(")");
                Kind::Text
            }
            Expr::Trim { trim_where: None, trim_what: None, expr, trim_characters: None } => {
                self.put("trim(");
                self.of_kind(expr, Kind::Text);
                self.put(")");
                Kind::Text
            }
            Expr::Trim { .. } => {
                self.refuse("this form of trim is not available", "write `trim(s)`");
                Kind::Null
            }
            Expr::Function(function) => self.function(function, false),
            Expr::Like { .. } | Expr::ILike { .. } | Expr::SimilarTo { .. } | Expr::RLike { .. } => {
                self.refuse(
                    "pattern matching differs between the engines",
                    "compare a column made for it when rows are made, or `substr(s, 1, n) = '...'`",
                );
                Kind::Condition
            }
            Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotUnknown(_) => {
                self.refuse("IS TRUE and IS FALSE are not available", "compare the flag: `x = 1`");
                Kind::Condition
            }
            Expr::AnyOp { .. } | Expr::AllOp { .. } => {
                self.refuse("ANY and ALL are not available", "write IN, or fold with min or max");
                Kind::Condition
            }
            Expr::Tuple(_) => {
                self.refuse(
                    "a row of values can only stand before IN (SELECT ...)",
                    "compare the values one by one",
                );
                Kind::Null
            }
            Expr::Extract { .. } | Expr::AtTimeZone { .. } | Expr::Interval(_) | Expr::TypedString(_) => {
                self.refuse(
                    "dates are not available",
                    "compare instants as numbers (milliseconds), and use `calendar_day` for days and months",
                );
                Kind::Null
            }
            Expr::Position { .. } => {
                self.refuse("position is not available", "use a column made for it when rows are made");
                Kind::Null
            }
            Expr::Ceil { .. } | Expr::Floor { .. } => {
                self.refuse("fractions are not available", "compare rates by multiplying out");
                Kind::Null
            }
            _ => {
                let shown: String = expr.to_string().chars().take(40).collect();
                self.refuse(format!("`{shown}` is not available"), "");
                Kind::Null
            }
        }
    }

    pub(super) fn tested(&mut self, inner: &Expr, word: &str) -> Kind {
        self.value(inner);
        self.put(&format!(" {word}"));
        Kind::Condition
    }

    /// A chain of operators, flat: `a OR b OR c ...` may be long, and its tree is as deep as it is long.
    pub(super) fn binary(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Kind {
        let mut rest = vec![(op, left, right)];
        let mut first = left;
        while let Expr::BinaryOp { left, op: inner, right } = first
            && family(inner) == family(op)
            && family(op) != Family::Comparison
        {
            rest.push((inner, left, right));
            first = left;
        }
        let family = family(op);
        let operand = |w: &mut Self, e: &Expr| match family {
            Family::Condition => w.condition(e),
            Family::Number => drop(w.of_kind(e, Kind::Integer)),
            Family::Text => drop(w.of_kind(e, Kind::Text)),
            Family::Comparison | Family::Other => {}
        };
        match family {
            Family::Comparison => return self.compared(left, &op.to_string(), right),
            Family::Other => return self.refuse_operator(op),
            Family::Condition | Family::Number | Family::Text => {}
        }
        operand(self, first);
        for (op, left, right) in rest.into_iter().rev() {
            match op {
                BinaryOperator::Multiply if digits(left).is_some() && digits(right).is_some() => self.refuse(
                    "a product of two bare numbers overflows 32 bits on some engines",
                    format!("write `CAST({left} AS BIGINT) * {right}`"),
                ),
                BinaryOperator::Modulo => self.divisor(right),
                _ => {}
            }
            self.put(&format!(" {op} "));
            operand(self, right);
        }
        match family {
            Family::Condition => Kind::Condition,
            Family::Text => Kind::Text,
            Family::Number | Family::Comparison | Family::Other => Kind::Integer,
        }
    }

    pub(super) fn refuse_operator(&mut self, op: &BinaryOperator) -> Kind {
        match op {
            BinaryOperator::Divide => self.refuse(
                "`/` gives a whole number on some engines and a fraction on others",
                "write `CAST((a - a % b) / b AS BIGINT)`, or compare by multiplying out",
            ),
            other => self.refuse(format!("`{other}` is not available"), ""),
        }
        Kind::Null
    }

    /// PostgreSQL stops at a division by zero where the others give NULL.
    pub(super) fn divisor(&mut self, expr: &Expr) {
        let safe = match expr {
            Expr::Function(f) => {
                f.name.to_string().eq_ignore_ascii_case("nullif")
                    && matches!(&f.args, FunctionArguments::List(l)
                    if matches!(l.args.last(), Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(e))) if digits(e) == Some(0)))
            }
            Expr::Cast { expr, .. } => digits(expr).is_some_and(|n| n != 0),
            Expr::Value(v) => match &v.value {
                ast::Value::Placeholder(name) => self
                    .query
                    .parameters
                    .get(name.trim_start_matches('$'))
                    .is_some_and(|p| p.min.is_some_and(|m| m > 0)),
                _ => digits(expr).is_some_and(|n| n != 0),
            },
            _ => false,
        };
        if !safe {
            self.go(start(expr));
            self.refuse(
                "the divisor may be 0, at which PostgreSQL stops",
                format!("write `nullif({expr}, 0)`"),
            );
        }
    }

    pub(super) fn cast(&mut self, expr: &Expr, data_type: &DataType) -> Kind {
        match data_type {
            DataType::BigInt(None) => {
                self.put("CAST(");
                if let Some((dividend, divisor)) = whole_division(expr) {
                    self.divisor(divisor);
                    self.put("(");
                    self.of_kind(dividend, Kind::Integer);
                    self.put(") / ");
                    self.of_kind(divisor, Kind::Integer);
                } else if let Expr::Function(function) = expr {
                    let kind = self.function(function, true);
                    if kind == Kind::Text {
                        self.refuse("a text cannot become a number", "");
                    }
                } else {
                    self.wide_literals_off(|w| w.of_kind(expr, Kind::Integer));
                }
                self.put(" AS BIGINT)");
                Kind::Integer
            }
            DataType::Text => {
                self.put("CAST(");
                self.of_kind(expr, Kind::Text);
                self.put(" AS TEXT)");
                Kind::Text
            }
            other => {
                self.refuse(format!("the type `{other}` is not available"), "write BIGINT or TEXT");
                Kind::Null
            }
        }
    }

    pub(super) fn wide_literals_off<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.wide_literals, 0);
        let value = write(self);
        self.wide_literals = before;
        value
    }

    pub(super) fn case(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[ast::CaseWhen],
        else_result: Option<&Expr>,
    ) -> Kind {
        self.put("CASE");
        let mut tested = None;
        if let Some(operand) = operand {
            self.put(" ");
            tested = Some(self.value(operand));
        }
        let mut kind = Kind::Null;
        self.indent += 1;
        for ast::CaseWhen { condition, result } in conditions {
            if conditions.len() > 1 {
                self.line();
            } else {
                self.put(" ");
            }
            self.put("WHEN ");
            match tested {
                Some(tested) => {
                    let when = self.value(condition);
                    self.joined(tested, when);
                    if is_null(condition) {
                        self.refuse("WHEN NULL is never true", "write `CASE WHEN x IS NULL THEN ...`");
                    }
                }
                None => self.condition(condition),
            }
            self.put(" THEN ");
            let result = self.value(result);
            kind = self.joined(kind, result);
        }
        if let Some(result) = else_result {
            if conditions.len() > 1 {
                self.line();
            } else {
                self.put(" ");
            }
            self.put("ELSE ");
            let result = self.value(result);
            kind = self.joined(kind, result);
        }
        self.indent -= 1;
        self.put(" END");
        kind
    }

    /// Columns of a subquery, and whether it gives at most one row for certain.
    pub(super) fn subquery(&mut self, query: &ast::Query) -> (Columns, bool) {
        self.put("(");
        self.indent += 1;
        self.line();
        self.single_row = false;
        let columns = self.query(query, false);
        let limited = matches!(&query.limit_clause,
            Some(LimitClause::LimitOffset { limit: Some(limit), .. }) if digits(limit) == Some(1));
        let single_row = limited || (self.single_row && matches!(*query.body, SetExpr::Select(_)));
        self.indent -= 1;
        self.put(")");
        (columns, single_row)
    }

    pub(super) fn column(&mut self, alias: Option<&Ident>, column: &Ident) -> Kind {
        let alias = alias.map(|a| self.name(a));
        let name = self.name(column);
        self.put(&alias.as_ref().map_or_else(|| name.clone(), |a| format!("{a}.{name}")));
        // The innermost SELECT that knows the name wins, as on all engines.
        for depth in (0..self.scopes.len()).rev() {
            let scope = &self.scopes[depth];
            let holders: Vec<(&str, Kind)> = scope
                .relations
                .iter()
                .filter(|r| alias.as_ref().is_none_or(|a| *a == r.alias))
                .filter_map(|r| Some((r.alias.as_str(), r.columns.iter().find(|(n, _)| *n == name)?.1)))
                .collect();
            match (holders.as_slice(), &alias) {
                ([], Some(alias)) => {
                    let Some(relation) = scope.relations.iter().find(|r| r.alias == *alias) else { continue };
                    let help = instead(&name, relation.columns.iter().map(|(n, _)| n.as_str()));
                    self.refuse(format!("`{alias}` has no column `{name}`"), help);
                    return Kind::Null;
                }
                ([], None) => {}
                ([(holder, kind), others @ ..], _) => {
                    let (holder, kind) = ((*holder).to_owned(), *kind);
                    if !others.is_empty() && !scope.merged.contains(&name) {
                        self.refuse(
                            format!("`{name}` stands in several relations here"),
                            format!("write `{holder}.{name}` or another alias"),
                        );
                    }
                    let here = self.here;
                    let scope = &mut self.scopes[depth];
                    if scope.noting && scope.inside_aggregate == 0 {
                        scope.bare.push((holder, name, here));
                    }
                    return kind;
                }
            }
        }
        match alias {
            Some(alias) => {
                let known: Vec<String> =
                    self.scopes.iter().flat_map(|s| s.relations.iter().map(|r| r.alias.clone())).collect();
                self.refuse(
                    format!("there is no relation `{alias}` here"),
                    instead(&alias, known.iter().map(String::as_str)),
                );
            }
            None => {
                let known: BTreeSet<String> = self
                    .scopes
                    .iter()
                    .flat_map(|s| s.relations.iter().flat_map(|r| r.columns.iter().map(|(n, _)| n.clone())))
                    .collect();
                self.refuse(
                    format!("there is no column `{name}` here"),
                    instead(&name, known.iter().map(String::as_str)),
                );
            }
        }
        Kind::Null
    }

    /// The relation of the innermost SELECT that holds a column, and the column.
    pub(super) fn resolve(&self, alias: Option<&str>, column: &str) -> Option<(String, String)> {
        let holds =
            |r: &&Relation| alias.is_none_or(|a| a == r.alias) && r.columns.iter().any(|(n, _)| n == column);
        let relation = self.scopes.last()?.relations.iter().find(holds)?;
        Some((relation.alias.clone(), column.to_owned()))
    }

    pub(super) fn literal(&mut self, value: &ast::ValueWithSpan) -> Kind {
        self.go(value.span);
        match &value.value {
            ast::Value::Number(text, _) => {
                match text.parse::<i64>() {
                    Ok(n) if text.bytes().all(|b| b.is_ascii_digit()) => {
                        let text = if self.wide_literals > 0 {
                            format!("CAST({n} AS BIGINT)")
                        } else {
                            n.to_string()
                        };
                        self.put(&text);
                    }
                    _ => self.refuse(
                        format!("`{text}` is no whole number of 64 bits"),
                        "fractions are not available: compare rates by multiplying out",
                    ),
                }
                Kind::Integer
            }
            ast::Value::SingleQuotedString(text) => {
                self.put_text(text);
                Kind::Text
            }
            ast::Value::Null => {
                self.put("NULL");
                Kind::Null
            }
            ast::Value::Placeholder(name) => self.parameter(name),
            ast::Value::Boolean(_) => {
                self.refuse("true and false are not available", "flags are 0 and 1");
                Kind::Integer
            }
            ast::Value::DoubleQuotedString(_) => {
                self.refuse("text stands in single quotes", "write 'text'");
                Kind::Text
            }
            other => {
                self.refuse(format!("the literal `{other}` is not available"), "write digits or 'text'");
                Kind::Null
            }
        }
    }

    /// A text literal.
    pub(super) fn put_text(&mut self, text: &str) {
        let written = self.text_literal(text);
        self.put(&written);
    }

    /// A text as a literal. PostgreSQL compares by its database's rules unless told otherwise.
    pub(super) fn text_literal(&self, text: &str) -> String {
        let quoted = text.replace('\'', "''");
        match self.engine {
            Engine::Postgres => format!("'{quoted}' COLLATE \"C\""),
            Engine::Sqlite | Engine::DuckDb => format!("'{quoted}'"),
        }
    }

    pub(super) fn parameter(&mut self, placeholder: &str) -> Kind {
        let Some(name) = placeholder
            .strip_prefix('$')
            .filter(|n| n.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
        else {
            self.refuse(format!("`{placeholder}` is no parameter"), "write `$name`");
            return Kind::Null;
        };
        let value = match (name, self.bindings) {
            ("tz", bindings) => Value::Text(bindings.map_or_else(String::new, |b| b.tz.clone())),
            ("from", bindings) => bindings.map_or(Value::Integer(0), |b| b.from.into()),
            ("to", bindings) => bindings.map_or(Value::Integer(0), |b| b.to.into()),
            ("as_of", bindings) => bindings.map_or(Value::Integer(0), |b| b.as_of.into()),
            ("cutoff", bindings) => bindings.map_or(Value::Integer(0), |b| b.cutoff.into()),
            (name, bindings) => {
                let given = bindings.and_then(|b| b.parameters.get(name)).cloned();
                let declared = self.query.parameters.get(name).map(|p| p.default.clone());
                match (given.or(declared), self.query.purpose, bindings) {
                    (Some(value), _, _) => value,
                    // A question's parameters are known when it is asked; until then they fit anything.
                    (None, Purpose::Question, None) => {
                        self.put("NULL");
                        return Kind::Null;
                    }
                    (None, _, _) => {
                        let known: Vec<&str> = BUILT_IN_PARAMETERS
                            .iter()
                            .copied()
                            .chain(self.query.parameters.keys().map(String::as_str))
                            .collect();
                        self.refuse(format!("there is no parameter `${name}`"), instead(name, known));
                        return Kind::Null;
                    }
                }
            }
        };
        match value {
            Value::Integer(n) => {
                let _ = write!(self.out, "CAST({n} AS BIGINT)");
                if BUILT_IN_PARAMETERS.contains(&name) { Kind::Instant } else { Kind::Integer }
            }
            Value::Text(text) => {
                self.put("CAST(");
                self.put(&format!("'{}'", text.replace('\'', "''").replace('\0', "\u{fffd}")));
                self.put(if self.engine == Engine::Postgres {
                    " AS TEXT) COLLATE \"C\""
                } else {
                    " AS TEXT)"
                });
                Kind::Text
            }
            Value::Null => {
                self.put("NULL");
                Kind::Null
            }
        }
    }
}
