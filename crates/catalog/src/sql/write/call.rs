//! Calls of functions, and their windows.

use sqlparser::ast::{
    self, DuplicateTreatment, Expr, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments,
    WindowFrameBound, WindowFrameUnits, WindowType,
};

use super::{Writer, digits};
use crate::problem::{instead, listed};
use crate::sql::Kind;
use crate::sql::functions::{Call, FUNCTIONS, instead_of};

impl Writer<'_> {
    /// `as_bigint`: the call stands directly inside CAST(... AS BIGINT).
    pub(super) fn function(&mut self, function: &ast::Function, as_bigint: bool) -> Kind {
        let ast::Function {
            name,
            uses_odbc_syntax,
            parameters,
            args,
            within_group,
            filter,
            null_treatment,
            over,
        } = function;
        let written = name.to_string();
        let lower = written.to_ascii_lowercase();
        let Some((name, call)) = FUNCTIONS.iter().copied().find(|(n, _)| *n == lower) else {
            let help = match instead_of(&lower) {
                Some(help) => help.to_owned(),
                None => match crate::problem::nearest(&lower, FUNCTIONS.iter().map(|(n, _)| *n)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("available are {}", listed(FUNCTIONS.iter().map(|(n, _)| *n))),
                },
            };
            self.refuse(format!("the function `{written}` is not available on all engines"), help);
            return Kind::Null;
        };
        let here = self.here;
        self.refuse_if(
            *uses_odbc_syntax || !matches!(parameters, FunctionArguments::None) || !within_group.is_empty(),
            "this way of calling a function",
            "write `f(x)`",
        );
        self.refuse_if(null_treatment.is_some(), "IGNORE NULLS", "filter in a derived table");
        let FunctionArguments::List(FunctionArgumentList { duplicate_treatment, args, clauses }) = args
        else {
            self.refuse(format!("`{name}` is called without a list"), format!("write `{name}(...)`"));
            return Kind::Null;
        };
        self.refuse_if(!clauses.is_empty(), "a clause inside a call", "write the arguments alone");

        self.put(name);
        self.put("(");
        match duplicate_treatment {
            None => {}
            Some(DuplicateTreatment::Distinct) if call == Call::Aggregate && over.is_none() => {
                self.put("DISTINCT ")
            }
            Some(_) => self.refuse("DISTINCT or ALL cannot stand in this call", "remove it"),
        }
        let mut values: Vec<&Expr> = Vec::new();
        let mut star = false;
        for arg in args {
            match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => values.push(e),
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if name == "count" => star = true,
                FunctionArg::Unnamed(
                    FunctionArgExpr::Wildcard
                    | FunctionArgExpr::QualifiedWildcard(_)
                    | FunctionArgExpr::WildcardWithOptions(_),
                )
                | FunctionArg::Named { .. }
                | FunctionArg::ExprNamed { .. } => {
                    self.refuse("this kind of argument is not available", "write plain values");
                }
            }
        }
        let arity = match name {
            "count" if star => 0..=0,
            "rank" | "dense_rank" | "row_number" => 0..=0,
            "coalesce" => 2..=usize::MAX,
            "nullif" => 2..=2,
            "replace" => 3..=3,
            "lag" | "lead" => 1..=3,
            _ => 1..=1,
        };
        if !arity.contains(&values.len()) {
            self.here = here;
            let help = match name {
                "min" | "max" => "with two values write `CASE WHEN a < b THEN a ELSE b END`".to_owned(),
                _ => String::new(),
            };
            self.refuse(format!("`{name}` takes another number of arguments than {}", values.len()), help);
        }
        if star {
            if duplicate_treatment.is_some() {
                self.refuse("`count(DISTINCT *)` is not available", "count one column");
            }
            self.put("*");
        }
        let before = self.aggregates();
        let aggregate = call == Call::Aggregate && over.is_none();
        self.open_aggregates(i64::from(aggregate));
        let kind = self.arguments(name, &values);
        if aggregate && self.aggregates() > before {
            self.here = here;
            self.refuse("an aggregate inside an aggregate", "write the inner one in a derived table");
        }
        self.put(")");
        if let Some(filter) = filter {
            if call != Call::Aggregate {
                self.refuse("FILTER belongs to count, sum, min and max", "remove it");
            }
            self.put(" FILTER (WHERE ");
            self.condition(filter);
            self.put(")");
        }
        match (call, over) {
            (Call::Scalar, None) => {}
            (Call::Scalar, Some(_)) => self.refuse(format!("`{name}` has no window"), "remove OVER"),
            (Call::Aggregate, None) => {
                self.open_aggregates(-1);
                if let Some(scope) = self.scopes.last_mut() {
                    scope.aggregates += 1;
                }
            }
            (Call::Window, None) => {
                self.here = here;
                self.refuse(
                    format!("`{name}` has no window"),
                    format!("write `{name}(...) OVER (ORDER BY ...)`"),
                );
            }
            (Call::Aggregate | Call::Window, Some(over)) => {
                self.put(" OVER ");
                match over {
                    WindowType::NamedWindow(window) => {
                        let window = self.name(window);
                        if !self.windows.contains(&window) {
                            let known = self.windows.clone();
                            self.refuse(
                                format!("there is no window `{window}`"),
                                instead(&window, known.iter().map(String::as_str)),
                            );
                        }
                        self.put(&window);
                    }
                    WindowType::WindowSpec(spec) => {
                        if call == Call::Window && spec.order_by.is_empty() && spec.window_name.is_none() {
                            self.here = here;
                            self.refuse(
                                format!("`{name}` over rows in no order gives whichever comes first"),
                                "add ORDER BY to the window",
                            );
                        }
                        self.put("(");
                        self.window_spec(spec);
                        self.put(")");
                    }
                }
            }
        }
        if name == "sum" && !as_bigint {
            self.here = here;
            self.refuse(
                "sum gives a wider type on PostgreSQL and DuckDB",
                "write `CAST(sum(...) AS BIGINT)`",
            );
        }
        kind
    }

    /// Aggregates met so far in the SELECT being written.
    pub(super) fn aggregates(&self) -> usize {
        self.scopes.last().map_or(0, |s| s.aggregates)
    }

    fn open_aggregates(&mut self, by: i64) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.inside_aggregate =
                scope.inside_aggregate.saturating_add_signed(isize::try_from(by).unwrap_or(0));
        }
    }

    pub(super) fn arguments(&mut self, name: &str, values: &[&Expr]) -> Kind {
        let mut kind = match name {
            "count" | "length" | "rank" | "dense_rank" | "row_number" | "ntile" => Kind::Integer,
            "replace" => Kind::Text,
            _ => Kind::Null,
        };
        for (i, value) in values.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            match (name, i) {
                ("count", _) => {
                    self.value(value);
                }
                ("abs" | "sum", _) => kind = self.of_kind(value, Kind::Integer),
                ("length" | "replace", _) => {
                    self.of_kind(value, Kind::Text);
                }
                ("ntile", _) | ("lag" | "lead", 1) => {
                    self.plain_number(value);
                }
                // min, max, coalesce, nullif, lag, lead, first_value, last_value
                _ => {
                    let other = self.value(value);
                    kind = self.joined(kind, other);
                }
            }
        }
        kind
    }

    pub(super) fn window_spec(&mut self, spec: &ast::WindowSpec) {
        let ast::WindowSpec { window_name, partition_by, order_by, window_frame } = spec;
        let mut space = "";
        if let Some(name) = window_name {
            let name = self.name(name);
            if !self.windows.contains(&name) {
                let known = self.windows.clone();
                self.refuse(
                    format!("there is no window `{name}`"),
                    instead(&name, known.iter().map(String::as_str)),
                );
            }
            self.put(&name);
            space = " ";
        }
        if !partition_by.is_empty() {
            self.put(space);
            self.put("PARTITION BY ");
            for (i, expr) in partition_by.iter().enumerate() {
                if i > 0 {
                    self.put(", ");
                }
                self.value(expr);
            }
            space = " ";
        }
        if !order_by.is_empty() {
            self.put(space);
            self.put("ORDER BY ");
            for (i, item) in order_by.iter().enumerate() {
                if i > 0 {
                    self.put(", ");
                }
                self.order_item(item, false);
            }
            space = " ";
        }
        let Some(ast::WindowFrame { units, start_bound, end_bound }) = window_frame else { return };
        self.put(space);
        match units {
            WindowFrameUnits::Rows => self.put("ROWS "),
            WindowFrameUnits::Range => self.put("RANGE "),
            WindowFrameUnits::Groups => self.refuse("GROUPS frames are not available", "write ROWS or RANGE"),
        }
        match end_bound {
            Some(end) => {
                self.put("BETWEEN ");
                self.frame_bound(start_bound);
                self.put(" AND ");
                self.frame_bound(end);
            }
            None => self.frame_bound(start_bound),
        }
    }

    pub(super) fn frame_bound(&mut self, bound: &WindowFrameBound) {
        let (amount, word) = match bound {
            WindowFrameBound::CurrentRow => {
                self.put("CURRENT ROW");
                return;
            }
            WindowFrameBound::Preceding(amount) => (amount, " PRECEDING"),
            WindowFrameBound::Following(amount) => (amount, " FOLLOWING"),
        };
        match amount {
            None => self.put("UNBOUNDED"),
            Some(expr) => {
                let constant = match &**expr {
                    Expr::Value(v) => matches!(v.value, ast::Value::Placeholder(_)) || digits(expr).is_some(),
                    Expr::Cast { expr, .. } => digits(expr).is_some(),
                    _ => false,
                };
                if !constant {
                    self.refuse("a frame's bound has to be a number or a parameter", "");
                }
                self.of_kind(expr, Kind::Integer);
            }
        }
        self.put(word);
    }
}
