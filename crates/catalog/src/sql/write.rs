//! Walks a query's tree and writes its text. What has no arm here cannot be written, and so cannot run.
//!
//! Structures of the tree are taken apart field by field, without `..`: a field that a later parser adds stops the
//! compiler here instead of slipping through.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use model::{Column, ColumnType, RESERVED_COLUMNS, Table, TableKind, Value};
use sqlparser::ast::{
    self, BinaryOperator, CastKind, DataType, Distinct, DuplicateTreatment, Expr, FunctionArg,
    FunctionArgExpr, FunctionArgumentList, FunctionArguments, GroupByExpr, Ident, JoinConstraint,
    JoinOperator, LimitClause, NamedWindowDefinition, NamedWindowExpr, ObjectName, OrderByExpr, OrderByKind,
    OrderBySort, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator,
    SetQuantifier, Spanned as _, TableFactor, UnaryOperator, WindowFrameBound, WindowFrameUnits, WindowType,
};

use super::functions::{Call, FUNCTIONS, instead_of};
use super::{BUILT_IN_PARAMETERS, Bindings, Engine, Kind, Purpose, Query};
use crate::names;
use crate::problem::{Problem, instead, listed};

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
    engine: Engine,
) -> Result<Written, Vec<Problem>> {
    let mut writer = Writer {
        query,
        bindings,
        engine,
        out: String::new(),
        indent: 0,
        here: (1, 1),
        problems: Vec::new(),
        reads: BTreeSet::new(),
        ctes: Vec::new(),
        scopes: Vec::new(),
        aggregates: 0,
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
}

struct Writer<'a> {
    query: &'a Query,
    bindings: Option<&'a Bindings>,
    engine: Engine,
    out: String,
    indent: usize,
    here: (u32, u32),
    problems: Vec<Problem>,
    reads: BTreeSet<String>,
    ctes: Vec<(String, Vec<(String, Kind)>)>,
    scopes: Vec<Scope>,
    /// Aggregates met in the SELECT being written.
    aggregates: usize,
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

    // ---- queries ----

    fn query(&mut self, query: &ast::Query, outermost: bool) -> Columns {
        let ast::Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        self.refuse_if(fetch.is_some(), "FETCH", "write LIMIT");
        self.refuse_if(!locks.is_empty() || for_clause.is_some(), "FOR", "remove it: nothing is locked here");
        self.refuse_if(settings.is_some(), "SETTINGS", "remove it");
        self.refuse_if(format_clause.is_some(), "FORMAT", "remove it");
        self.refuse_if(!pipe_operators.is_empty(), "`|>`", "nest the query instead");
        let known_ctes = self.ctes.len();
        let aggregates = self.aggregates;
        if let Some(with) = with {
            self.with(with);
        }
        let procedure = outermost && self.query.purpose == Purpose::Procedure;
        // The scopes of a plain SELECT stay open for its ORDER BY, which may name columns it does not yield.
        let open = self.scopes.len();
        let (columns, plain) = self.body(body, outermost);
        if let Some(order) = order_by {
            if procedure {
                self.go(order.span());
                self.refuse(
                    "the outermost select has an ORDER BY",
                    "remove it: rows are always ordered by `item`",
                );
            } else {
                self.order_by(order, &columns, plain);
            }
        }
        self.scopes.truncate(open);
        if procedure {
            self.line();
            self.put("ORDER BY item NULLS FIRST");
        }
        if let Some(limit) = limit_clause {
            if procedure {
                self.refuse("the outermost select has a LIMIT", "remove it: a population is never cut");
            } else {
                if order_by.is_none() && !outermost {
                    self.refuse(
                        "LIMIT without ORDER BY takes whichever row comes first",
                        "add ORDER BY ... NULLS FIRST or NULLS LAST",
                    );
                }
                self.limit(limit);
            }
        }
        self.ctes.truncate(known_ctes);
        self.aggregates = aggregates;
        columns
    }

    fn with(&mut self, with: &ast::With) {
        let ast::With { with_token: _, recursive, cte_tables } = with;
        self.put(if *recursive { "WITH RECURSIVE " } else { "WITH " });
        for (i, cte) in cte_tables.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            let ast::Cte { alias, query, from, materialized, closing_paren_token: _ } = cte;
            let ast::TableAlias { explicit: _, name, columns, at } = alias;
            let name = self.name(name);
            self.refuse_if(from.is_some(), "FROM before WITH", "write WITH first");
            self.refuse_if(materialized.is_some(), "MATERIALIZED", "remove it: each engine decides");
            self.refuse_if(at.is_some(), "AT in an alias", "remove it");
            if self.is_reserved_relation(&name) {
                self.refuse(
                    format!("the WITH part `{name}` is named like a record table"),
                    format!("choose another name, such as `{name}_seen`"),
                );
            }
            if self.ctes.iter().any(|(n, _)| *n == name) {
                self.refuse(format!("there are two WITH parts `{name}`"), "choose another name");
            }
            let mut given = Vec::new();
            for column in columns {
                let ast::TableAliasColumnDef { name, data_type } = column;
                self.refuse_if(data_type.is_some(), "a type in a column list", "write the name alone");
                given.push(self.name(name));
            }
            self.put(&name);
            if !given.is_empty() {
                self.put(&format!("({})", given.join(", ")));
            }
            self.put(" AS (");
            self.indent += 1;
            self.line();
            let scopes = std::mem::take(&mut self.scopes);
            self.wide_literals += usize::from(*recursive);
            let columns = if matches!(*query.body, SetExpr::Values(_)) && !given.is_empty() {
                self.values_query(query)
            } else if *recursive {
                self.recursive_part(&name, &given, query)
            } else {
                self.query(query, false)
            };
            self.wide_literals -= usize::from(*recursive);
            self.scopes = scopes;
            self.indent -= 1;
            self.line();
            self.put(")");
            let columns = self.renamed(columns, &given, &name);
            self.unique(&columns, &name);
            self.ctes.push((name, columns));
        }
        self.line();
    }

    /// A part of WITH RECURSIVE: what its first half yields is known while the second is written.
    fn recursive_part(&mut self, name: &str, given: &[String], query: &ast::Query) -> Columns {
        let ast::Query {
            with: None,
            body,
            order_by: None,
            limit_clause: None,
            fetch: None,
            locks: _,
            for_clause: _,
            settings: _,
            format_clause: _,
            pipe_operators: _,
        } = query
        else {
            return self.query(query, false);
        };
        let SetExpr::SetOperation { left, op: SetOperator::Union, set_quantifier, right } = &**body else {
            return self.query(query, false);
        };
        if !matches!(**left, SetExpr::Select(_)) || !matches!(**right, SetExpr::Select(_)) {
            return self.query(query, false);
        }
        let open = self.scopes.len();
        let (columns, _) = self.body(left, false);
        self.scopes.truncate(open);
        let seen = self.renamed(columns.clone(), given, name);
        self.ctes.push((name.to_owned(), seen));
        self.line();
        let word = match set_quantifier {
            SetQuantifier::All => "UNION ALL",
            SetQuantifier::None => "UNION",
            SetQuantifier::Distinct
            | SetQuantifier::ByName
            | SetQuantifier::AllByName
            | SetQuantifier::DistinctByName => {
                self.refuse("this kind of UNION is not available", "write UNION or UNION ALL");
                "UNION"
            }
        };
        self.put(word);
        self.line();
        let (again, _) = self.body(right, false);
        self.scopes.truncate(open);
        self.ctes.pop();
        self.alike(&columns, &again)
    }

    fn renamed(&mut self, columns: Columns, given: &[String], name: &str) -> Columns {
        if given.is_empty() {
            return columns;
        }
        if given.len() != columns.len() {
            self.refuse(
                format!("`{name}` names {} columns, and its query yields {}", given.len(), columns.len()),
                "name each column once",
            );
        }
        given.iter().cloned().zip(columns.into_iter().map(|(_, kind)| kind)).collect()
    }

    fn unique(&mut self, columns: &Columns, name: &str) {
        let mut seen = BTreeSet::new();
        for (column, _) in columns {
            if !seen.insert(column) {
                self.refuse(
                    format!("`{name}` yields two columns `{column}`"),
                    "give each its own name with AS",
                );
            }
        }
    }

    fn values_query(&mut self, query: &ast::Query) -> Columns {
        let SetExpr::Values(values) = &*query.body else { return Vec::new() };
        if query.with.is_some() || query.order_by.is_some() || query.limit_clause.is_some() {
            self.refuse(
                "VALUES with further clauses is not available",
                "write them in the query that reads it",
            );
        }
        let ast::Values { explicit_row, value_keyword, rows } = values;
        self.refuse_if(*explicit_row || *value_keyword, "this form of VALUES", "write `VALUES (1), (2)`");
        self.put("VALUES ");
        self.wide_literals += 1;
        let mut columns: Columns = Vec::new();
        for (i, row) in rows.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.put("(");
            let mut kinds = Columns::new();
            for (j, value) in row.content.iter().enumerate() {
                if j > 0 {
                    self.put(", ");
                }
                let kind = self.value(value);
                kinds.push((String::new(), kind));
            }
            self.put(")");
            columns = if i == 0 { kinds } else { self.alike(&columns, &kinds) };
        }
        self.wide_literals -= 1;
        columns
    }

    /// A SELECT or set operation; whether it is a plain SELECT (whose scope is left open).
    fn body(&mut self, body: &SetExpr, outermost: bool) -> (Columns, bool) {
        match body {
            SetExpr::Select(select) => (self.select(select, outermost), true),
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let word = match (op, set_quantifier) {
                    (SetOperator::Union, SetQuantifier::All) => "UNION ALL",
                    (SetOperator::Union, SetQuantifier::None) => "UNION",
                    (SetOperator::Except, SetQuantifier::None) => "EXCEPT",
                    (SetOperator::Intersect, SetQuantifier::None) => "INTERSECT",
                    (
                        SetOperator::Union
                        | SetOperator::Except
                        | SetOperator::Intersect
                        | SetOperator::Minus,
                        SetQuantifier::All
                        | SetQuantifier::None
                        | SetQuantifier::Distinct
                        | SetQuantifier::ByName
                        | SetQuantifier::AllByName
                        | SetQuantifier::DistinctByName,
                    ) => {
                        self.refuse(
                            format!("`{op} {set_quantifier}` is not available"),
                            "write UNION, UNION ALL, EXCEPT or INTERSECT",
                        );
                        "UNION"
                    }
                };
                // SQLite knows no precedence between them and no parentheses around them.
                if matches!(**right, SetExpr::SetOperation { .. }) {
                    self.refuse(
                        "INTERSECT binds more tightly than UNION on some engines only",
                        "write one of the two as a WITH part",
                    );
                }
                let open = self.scopes.len();
                let (columns, _) = self.body(left, outermost);
                self.scopes.truncate(open);
                self.line();
                self.put(word);
                self.line();
                let (others, _) = self.body(right, outermost);
                self.scopes.truncate(open);
                (self.alike(&columns, &others), false)
            }
            SetExpr::Query(inner) => {
                self.go(inner.span());
                self.refuse("parentheses around a whole select are not available", "write it as a WITH part");
                (Vec::new(), false)
            }
            SetExpr::Values(_) => {
                self.refuse("VALUES stands alone", "write `WITH c(x) AS (VALUES (1), (2))`");
                (Vec::new(), false)
            }
            SetExpr::Table(_) => {
                self.refuse("TABLE is not available", "write `SELECT ... FROM ...`");
                (Vec::new(), false)
            }
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                self.refuse("records cannot be changed", "write one SELECT");
                (Vec::new(), false)
            }
        }
    }

    /// The columns of two halves that have to agree.
    fn alike(&mut self, left: &Columns, right: &Columns) -> Columns {
        if left.len() != right.len() {
            self.refuse(
                format!("one part yields {} columns and the other {}", left.len(), right.len()),
                "let both yield the same columns",
            );
        }
        let mut columns = left.clone();
        for (i, ((name, kind), (_, other))) in columns.iter_mut().zip(right).enumerate() {
            if *kind == Kind::Null {
                *kind = *other;
            } else if *other != Kind::Null && *other != *kind {
                let name = if name.is_empty() { format!("number {}", i + 1) } else { format!("`{name}`") };
                self.problems.push(Problem::at(
                    "",
                    self.here,
                    format!("column {name} is {} in one part and {} in the other", kind.word(), other.word()),
                    "let both yield the same",
                ));
            }
        }
        columns
    }

    fn select(&mut self, select: &ast::Select, outermost: bool) -> Columns {
        let ast::Select {
            select_token,
            optimizer_hints,
            distinct,
            select_modifiers,
            top,
            top_before_distinct: _,
            projection,
            exclude,
            into,
            from,
            lateral_views,
            prewhere,
            selection,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having,
            named_window,
            qualify,
            window_before_qualify: _,
            value_table_mode,
            flavor,
        } = select;
        self.go(select_token.0.span);
        let begin = self.here;
        for (present, what, help) in [
            (!optimizer_hints.is_empty(), "a hint", "remove it"),
            (
                select_modifiers.as_ref().is_some_and(ast::SelectModifiers::is_any_set),
                "this modifier",
                "remove it",
            ),
            (top.is_some(), "TOP", "write LIMIT"),
            (exclude.is_some(), "EXCLUDE", "name the columns"),
            (into.is_some(), "INTO", "records cannot be changed"),
            (!lateral_views.is_empty(), "LATERAL VIEW", "join the tables"),
            (prewhere.is_some(), "PREWHERE", "write WHERE"),
            (!connect_by.is_empty(), "CONNECT BY", "write WITH RECURSIVE"),
            (
                !cluster_by.is_empty() || !distribute_by.is_empty() || !sort_by.is_empty(),
                "SORT BY",
                "write ORDER BY",
            ),
            (
                qualify.is_some(),
                "QUALIFY",
                "write the window function in a derived table and WHERE around it",
            ),
            (value_table_mode.is_some(), "SELECT AS", "name the columns"),
            (*flavor != SelectFlavor::Standard, "FROM before SELECT", "write SELECT first"),
        ] {
            self.refuse_if(present, what, help);
        }
        if from.len() > 1 {
            self.refuse(
                "a comma between tables binds differently on each engine",
                "write CROSS JOIN or JOIN ... ON",
            );
        }

        // FROM is walked first, so that the columns are known; it is written after the columns.
        self.scopes.push(Scope::default());
        self.indent += 1;
        let ((), tables) = self.aside(|w| {
            for (i, table) in from.iter().enumerate() {
                if i > 0 {
                    w.put(", ");
                }
                w.table_with_joins(table);
            }
        });
        self.indent -= 1;
        let windows_before = std::mem::take(&mut self.windows);
        self.windows = named_window.iter().map(|NamedWindowDefinition(name, _)| name.value.clone()).collect();
        let aggregates_before = std::mem::replace(&mut self.aggregates, 0);

        self.here = begin;
        self.put("SELECT ");
        match distinct {
            None => {}
            Some(Distinct::Distinct) => self.put("DISTINCT "),
            Some(Distinct::All) => self.refuse("SELECT ALL is not available", "write SELECT"),
            Some(Distinct::On(_)) => {
                self.refuse("DISTINCT ON is not available", "use row_number() in a derived table");
            }
        }
        self.indent += 1;
        let columns = self.projection(projection, outermost);
        self.indent -= 1;
        if !from.is_empty() {
            self.line();
            self.put("FROM ");
            self.put(&tables);
        }
        if let Some(condition) = selection {
            self.line();
            self.put("WHERE ");
            let seen = self.aggregates;
            self.condition(condition);
            if self.aggregates > seen {
                self.refuse("an aggregate cannot stand in WHERE", "use HAVING, or a derived table");
            }
        }
        let mut grouped = false;
        match group_by {
            GroupByExpr::All(_) => self.refuse("GROUP BY ALL is not available", "name the columns"),
            GroupByExpr::Expressions(list, modifiers) => {
                self.refuse_if(!modifiers.is_empty(), "this modifier of GROUP BY", "remove it");
                grouped = !list.is_empty();
                for (i, expr) in list.iter().enumerate() {
                    if i == 0 {
                        self.line();
                        self.put("GROUP BY ");
                    } else {
                        self.put(", ");
                    }
                    self.refuse_position(expr, "GROUP BY");
                    self.value(expr);
                }
            }
        }
        if let Some(condition) = having {
            self.line();
            self.put("HAVING ");
            self.condition(condition);
            if !grouped {
                self.refuse("HAVING without GROUP BY is not available", "use a derived table and WHERE");
            }
        }
        for (i, NamedWindowDefinition(name, expr)) in named_window.iter().enumerate() {
            if i == 0 {
                self.line();
                self.put("WINDOW ");
            } else {
                self.put(", ");
            }
            let name = self.name(name);
            self.put(&name);
            self.put(" AS ");
            match expr {
                NamedWindowExpr::WindowSpec(spec) => {
                    self.put("(");
                    self.window_spec(spec);
                    self.put(")");
                }
                NamedWindowExpr::NamedWindow(_) => {
                    self.refuse(
                        "a window named after another is not available",
                        "write `(other ORDER BY ...)`",
                    );
                }
            }
        }
        self.windows = windows_before;
        // What the caller needs to know of a scalar subquery: one row for certain.
        let single_row = self.aggregates > 0 && !grouped;
        self.aggregates = aggregates_before;
        self.single_row = single_row;
        columns
    }

    fn projection(&mut self, items: &[SelectItem], outermost: bool) -> Columns {
        let mut columns = Columns::new();
        let many = items.len() > 3;
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.put(",");
                if many {
                    self.line();
                } else {
                    self.put(" ");
                }
            }
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    let kind = self.value(expr);
                    let name = match expr {
                        Expr::Identifier(ident) => ident.value.clone(),
                        Expr::CompoundIdentifier(parts) => {
                            parts.last().map_or_else(String::new, |p| p.value.clone())
                        }
                        // Engines name such a column each in their own way, so nothing can refer to it.
                        _ if outermost && self.query.purpose == Purpose::Procedure => {
                            self.refuse("this column has no name", "write `... AS a`");
                            String::new()
                        }
                        _ => {
                            let name = format!("column_{}", i + 1);
                            let _ = write!(self.out, " AS {name}");
                            name
                        }
                    };
                    columns.push((name, kind));
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    let kind = self.value(expr);
                    let name = self.name(alias);
                    let _ = write!(self.out, " AS {name}");
                    columns.push((name, kind));
                }
                SelectItem::ExprWithAliases { expr, aliases: _ } => {
                    self.go(start(expr));
                    self.refuse("several names for one column are not available", "write one");
                }
                SelectItem::Wildcard(_) if outermost && self.query.purpose == Purpose::Procedure => {
                    self.refuse("the outermost select says `*`", "name its columns");
                }
                SelectItem::Wildcard(options) => {
                    self.wildcard_options(options);
                    self.wildcard(None, &mut columns);
                }
                SelectItem::QualifiedWildcard(kind, options) => {
                    self.wildcard_options(options);
                    match kind {
                        SelectItemQualifiedWildcardKind::ObjectName(name) => {
                            if let Some(alias) = self.single(name, "a relation") {
                                self.wildcard(Some(&alias), &mut columns);
                            }
                        }
                        SelectItemQualifiedWildcardKind::Expr(_) => {
                            self.refuse("`.*` after an expression is not available", "name the columns");
                        }
                    }
                }
            }
        }
        if items.is_empty() {
            self.refuse("the select yields no column", "name its columns");
        }
        columns
    }

    fn wildcard_options(&mut self, options: &ast::WildcardAdditionalOptions) {
        let ast::WildcardAdditionalOptions {
            wildcard_token,
            opt_ilike,
            opt_exclude,
            opt_except,
            opt_replace,
            opt_rename,
            opt_alias,
        } = options;
        self.go(wildcard_token.0.span);
        let any = opt_ilike.is_some()
            || opt_exclude.is_some()
            || opt_except.is_some()
            || opt_replace.is_some()
            || opt_rename.is_some()
            || opt_alias.is_some();
        self.refuse_if(any, "what follows `*`", "name the columns");
    }

    /// `*` is written out as the columns it stands for.
    fn wildcard(&mut self, alias: Option<&str>, columns: &mut Columns) {
        let Some(scope) = self.scopes.last() else { return };
        if !scope.merged.is_empty() && alias.is_none() {
            self.refuse("`*` over a join with USING is not available", "name the columns");
            return;
        }
        let mut named = Vec::new();
        for relation in scope.relations.iter().filter(|r| alias.is_none_or(|a| a == r.alias)) {
            for (column, kind) in &relation.columns {
                named.push(format!("{}.{column}", relation.alias));
                columns.push((column.clone(), *kind));
            }
        }
        if named.is_empty() {
            self.refuse(
                format!("`{}*` stands for no column", alias.map(|a| format!("{a}.")).unwrap_or_default()),
                "",
            );
        }
        self.put(&named.join(", "));
    }

    // ---- FROM ----

    fn table_with_joins(&mut self, table: &ast::TableWithJoins) {
        let ast::TableWithJoins { relation, joins } = table;
        self.table(relation);
        for join in joins {
            let ast::Join { relation, global, join_operator } = join;
            self.refuse_if(*global, "GLOBAL", "remove it");
            let (word, constraint) = match join_operator {
                JoinOperator::Join(c) | JoinOperator::Inner(c) => ("JOIN", c),
                JoinOperator::Left(c) | JoinOperator::LeftOuter(c) => ("LEFT JOIN", c),
                JoinOperator::FullOuter(c) => ("FULL JOIN", c),
                JoinOperator::CrossJoin(c) => ("CROSS JOIN", c),
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) => {
                    self.go(relation.span());
                    self.refuse("RIGHT JOIN is not available", "swap the tables and write LEFT JOIN");
                    continue;
                }
                JoinOperator::Semi(_)
                | JoinOperator::LeftSemi(_)
                | JoinOperator::RightSemi(_)
                | JoinOperator::Anti(_)
                | JoinOperator::LeftAnti(_)
                | JoinOperator::RightAnti(_)
                | JoinOperator::CrossApply
                | JoinOperator::OuterApply
                | JoinOperator::AsOf { .. }
                | JoinOperator::StraightJoin(_)
                | JoinOperator::ArrayJoin
                | JoinOperator::LeftArrayJoin
                | JoinOperator::InnerArrayJoin => {
                    self.go(relation.span());
                    self.refuse(
                        "this kind of join is not available",
                        "write JOIN, LEFT JOIN, FULL JOIN or CROSS JOIN",
                    );
                    continue;
                }
            };
            self.line();
            self.put(word);
            self.put(" ");
            self.table(relation);
            match (word, constraint) {
                ("CROSS JOIN", JoinConstraint::None) => {}
                ("CROSS JOIN", _) => self.refuse("CROSS JOIN takes no condition", "write JOIN ... ON"),
                (_, JoinConstraint::On(condition)) => {
                    if word == "FULL JOIN" && !equalities(condition) {
                        self.go(start(condition));
                        self.refuse(
                            "FULL JOIN needs equalities joined by AND",
                            "write UNION ALL of two LEFT JOINs",
                        );
                    }
                    self.put(" ON ");
                    self.condition(condition);
                }
                (_, JoinConstraint::Using(columns)) => self.using(columns),
                (_, JoinConstraint::Natural) => {
                    self.refuse("NATURAL joins on whatever columns are alike", "write ON or USING");
                }
                (_, JoinConstraint::None) => {
                    self.refuse(format!("{word} has no condition"), "write ON, or CROSS JOIN");
                }
            }
        }
    }

    fn using(&mut self, columns: &[ObjectName]) {
        let mut written = Vec::new();
        for column in columns {
            let Some(name) = self.single(column, "a column") else { continue };
            let Some(scope) = self.scopes.last_mut() else { continue };
            let sides = scope.relations.iter().filter(|r| r.columns.iter().any(|(n, _)| *n == name)).count();
            let right = scope.relations.last().is_some_and(|r| r.columns.iter().any(|(n, _)| *n == name));
            scope.merged.insert(name.clone());
            if !right || sides < 2 {
                self.refuse(format!("`{name}` does not stand on both sides of the join"), "write ON");
            }
            written.push(name);
        }
        self.put(&format!(" USING ({})", written.join(", ")));
    }

    fn table(&mut self, factor: &TableFactor) {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
            } => {
                let plain = args.is_none()
                    && with_hints.is_empty()
                    && version.is_none()
                    && !with_ordinality
                    && partitions.is_empty()
                    && json_path.is_none()
                    && sample.is_none()
                    && index_hints.is_empty();
                if !plain {
                    let help = args.as_ref().and_then(|_| instead_of(&name.to_string().to_ascii_lowercase()));
                    self.refuse(
                        format!("`{name}` is followed by something that is not available"),
                        help.unwrap_or("write the table and an alias"),
                    );
                }
                let Some(name) = self.single(name, "a relation") else { return };
                let alias = match alias {
                    Some(alias) => self.alias(alias),
                    None => name.clone(),
                };
                if let Some((_, columns)) = self.ctes.iter().rev().find(|(n, _)| *n == name) {
                    let columns = columns.clone();
                    self.put(&name);
                    if alias != name {
                        self.put(&format!(" {alias}"));
                    }
                    self.enter(alias, columns);
                    return;
                }
                self.record_table(&name, alias);
            }
            TableFactor::Derived { lateral, subquery, alias, sample } => {
                self.refuse_if(
                    *lateral,
                    "LATERAL",
                    "write a correlated scalar subquery, or row_number() and a join",
                );
                self.refuse_if(
                    sample.is_some(),
                    "SAMPLE",
                    "samples are drawn by Tickmark, from frozen populations",
                );
                let alias = match alias {
                    Some(alias) => self.alias(alias),
                    None => {
                        self.refuse("a derived table has no alias", "write `(SELECT ...) x`");
                        String::new()
                    }
                };
                self.put("(");
                self.indent += 1;
                self.line();
                // A derived table sees nothing of the SELECT it stands in, only of those around that.
                let beside = self.scopes.pop();
                let columns = self.query(subquery, false);
                self.scopes.extend(beside);
                self.indent -= 1;
                self.line();
                self.put(&format!(") {alias}"));
                self.unique(&columns, &alias);
                self.enter(alias, columns);
            }
            TableFactor::NestedJoin { .. } => {
                self.refuse("parentheses around joins are not available", "join one table after the other");
            }
            _ => self.refuse("this is no table", "write a table, a WITH part or a derived table"),
        }
    }

    fn alias(&mut self, alias: &ast::TableAlias) -> String {
        let ast::TableAlias { explicit: _, name, columns, at } = alias;
        self.refuse_if(
            !columns.is_empty() || at.is_some(),
            "a column list after a table's alias",
            "name the columns inside with AS, or in a WITH part",
        );
        self.name(name)
    }

    fn enter(&mut self, alias: String, columns: Columns) {
        let Some(scope) = self.scopes.last_mut() else { return };
        if scope.relations.iter().any(|r| r.alias == alias) {
            self.refuse(format!("two relations are called `{alias}`"), "give each its own alias");
            return;
        }
        scope.relations.push(Relation { alias, columns });
    }

    fn is_reserved_relation(&self, name: &str) -> bool {
        name.ends_with("_row")
            || matches!(name, "entity" | "display")
            || self
                .query
                .tables
                .iter()
                .any(|t| t.name == name || name.strip_suffix("_history") == Some(&*t.name))
    }

    /// A record table becomes the rows of it that were known at the snapshot.
    fn record_table(&mut self, name: &str, alias: String) {
        let query = self.query;
        let find = |n: &str| query.tables.iter().find(|t| t.name == n);
        let history = name.strip_suffix("_history").and_then(find).filter(|t| t.kind == TableKind::State);
        let Some(table) = find(name).or(history) else {
            let mut known: Vec<String> = self.query.tables.iter().map(|t| t.name.clone()).collect();
            known.extend(
                self.query
                    .tables
                    .iter()
                    .filter(|t| t.kind == TableKind::State)
                    .map(|t| format!("{}_history", t.name)),
            );
            let hint = instead(name, known.iter().map(String::as_str));
            let message = format!("`{name}` is no table that may be read here");
            match self.query.purpose {
                Purpose::Procedure => {
                    self.refuse(message, format!("list it in procedure.toml as `[tables.{name}]`; {hint}"))
                }
                Purpose::Question => self.refuse(message, hint),
            }
            return;
        };
        self.reads.insert(table.name.clone());
        let columns = columns(table);
        let known_at = self.bindings.map_or(0, |b| b.known_at.min(Bindings::EVERYTHING));
        let names: Vec<&str> = columns.iter().map(|(n, _)| n.as_str()).collect();
        let mut text = format!(
            "(SELECT {} FROM {}_row WHERE known_from <= {known_at} AND superseded_at > {known_at}",
            names.join(", "),
            table.name,
        );
        if table.kind == TableKind::State && history.is_none() {
            let as_of = self.bindings.map_or(0, |b| b.as_of.ms());
            let _ = write!(
                text,
                " AND (valid_from <= {as_of} OR valid_from IS NULL) AND (valid_to > {as_of} OR valid_to IS NULL)"
            );
        }
        self.put(&text);
        self.put(&format!(") {alias}"));
        self.enter(alias, columns);
    }

    // ---- clauses ----

    fn order_by(&mut self, order: &ast::OrderBy, columns: &Columns, plain: bool) {
        let ast::OrderBy { kind, interpolate } = order;
        self.go(order.span());
        self.refuse_if(interpolate.is_some(), "INTERPOLATE", "remove it");
        match kind {
            OrderByKind::All(_) => self.refuse("ORDER BY ALL is not available", "name the columns"),
            OrderByKind::Expressions(list) => {
                self.line();
                self.put("ORDER BY ");
                for (i, item) in list.iter().enumerate() {
                    if i > 0 {
                        self.put(", ");
                    }
                    let output = match &item.expr {
                        Expr::Identifier(ident) => columns.iter().any(|(n, _)| *n == ident.value),
                        _ => false,
                    };
                    if !plain && !output {
                        self.go(start(&item.expr));
                        self.refuse("after a set operation ORDER BY can only name the columns it yields", "");
                    }
                    self.order_item(item, output);
                }
            }
        }
    }

    /// `output`: the expression is the name of a column the SELECT yields.
    fn order_item(&mut self, item: &OrderByExpr, output: bool) {
        let OrderByExpr { expr, options, with_fill } = item;
        let ast::OrderByOptions { sort, nulls_first } = options;
        self.go(start(expr));
        self.refuse_if(with_fill.is_some(), "WITH FILL", "remove it");
        self.refuse_position(expr, "ORDER BY");
        match expr {
            Expr::Identifier(ident) if output => {
                let name = self.name(ident);
                self.put(&name);
            }
            _ => {
                self.value(expr);
            }
        }
        match sort {
            None => {}
            Some(OrderBySort::Asc) => self.put(" ASC"),
            Some(OrderBySort::Desc) => self.put(" DESC"),
            Some(OrderBySort::Using(_)) => {
                self.refuse("ORDER BY USING is not available", "write ASC or DESC")
            }
        }
        match nulls_first {
            Some(true) => self.put(" NULLS FIRST"),
            Some(false) => self.put(" NULLS LAST"),
            None => self.refuse(
                "ORDER BY does not say where NULL sorts, and the engines differ",
                "add NULLS FIRST or NULLS LAST",
            ),
        }
    }

    fn refuse_position(&mut self, expr: &Expr, clause: &str) {
        if let Expr::Value(v) = expr {
            self.go(v.span);
            self.refuse(format!("{clause} names a column by its position"), "write the column's name");
        }
    }

    fn limit(&mut self, limit: &LimitClause) {
        match limit {
            LimitClause::LimitOffset { limit: Some(limit), offset, limit_by } => {
                self.refuse_if(!limit_by.is_empty(), "LIMIT ... BY", "use row_number()");
                self.line();
                self.put("LIMIT ");
                self.plain_number(limit);
                if let Some(ast::Offset { value, rows: _ }) = offset {
                    self.put(" OFFSET ");
                    self.plain_number(value);
                }
            }
            LimitClause::LimitOffset { limit: None, offset: _, limit_by: _ } => {
                self.refuse("OFFSET without LIMIT is not available", "write LIMIT and OFFSET");
            }
            LimitClause::OffsetCommaLimit { offset: _, limit: _ } => {
                self.refuse("`LIMIT n, m` is not available", "write `LIMIT m OFFSET n`");
            }
        }
    }

    /// A whole number written in digits, where engines want nothing else.
    fn plain_number(&mut self, expr: &Expr) -> Option<i64> {
        self.go(start(expr));
        match digits(expr) {
            Some(n) => {
                self.put(&n.to_string());
                Some(n)
            }
            None => {
                self.refuse("only a whole number in digits can stand here", "write it as digits");
                None
            }
        }
    }

    // ---- expressions ----

    fn condition(&mut self, expr: &Expr) {
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

    fn value(&mut self, expr: &Expr) -> Kind {
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

    fn of_kind(&mut self, expr: &Expr, wanted: Kind) -> Kind {
        self.go(start(expr));
        let here = self.here;
        let kind = self.value(expr);
        if kind != wanted && kind != Kind::Null {
            self.here = here;
            self.refuse(format!("this is {}, where {} is needed", kind.word(), wanted.word()), "");
        }
        wanted
    }

    /// The kind of two values that have to be of one kind.
    fn joined(&mut self, left: Kind, right: Kind) -> Kind {
        match (left, right) {
            (Kind::Null, k) | (k, Kind::Null) => k,
            (l, r) if l == r => l,
            (l, r) => {
                self.refuse(
                    format!("{} meets {}, and the engines convert differently", l.word(), r.word()),
                    "keep numbers and texts apart",
                );
                l
            }
        }
    }

    fn compared(&mut self, left: &Expr, word: &str, right: &Expr) -> Kind {
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

    fn expr(&mut self, expr: &Expr) -> Kind {
        self.go(start(expr));
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

    fn tested(&mut self, inner: &Expr, word: &str) -> Kind {
        self.value(inner);
        self.put(&format!(" {word}"));
        Kind::Condition
    }

    /// A chain of operators, flat: `a OR b OR c ...` may be long, and its tree is as deep as it is long.
    fn binary(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Kind {
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

    fn refuse_operator(&mut self, op: &BinaryOperator) -> Kind {
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
    fn divisor(&mut self, expr: &Expr) {
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

    fn cast(&mut self, expr: &Expr, data_type: &DataType) -> Kind {
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

    fn wide_literals_off<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.wide_literals, 0);
        let value = write(self);
        self.wide_literals = before;
        value
    }

    fn case(
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
    fn subquery(&mut self, query: &ast::Query) -> (Columns, bool) {
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

    fn column(&mut self, alias: Option<&Ident>, column: &Ident) -> Kind {
        let alias = alias.map(|a| self.name(a));
        let name = self.name(column);
        self.put(&alias.as_ref().map_or_else(|| name.clone(), |a| format!("{a}.{name}")));
        // The innermost SELECT that knows the name wins, as on all engines.
        for scope in self.scopes.iter().rev() {
            match &alias {
                Some(alias) => {
                    let Some(relation) = scope.relations.iter().find(|r| r.alias == *alias) else { continue };
                    if let Some((_, kind)) = relation.columns.iter().find(|(n, _)| *n == name) {
                        return *kind;
                    }
                    let help = instead(&name, relation.columns.iter().map(|(n, _)| n.as_str()));
                    self.refuse(format!("`{alias}` has no column `{name}`"), help);
                    return Kind::Null;
                }
                None => {
                    let kinds: Vec<(Kind, &str)> = scope
                        .relations
                        .iter()
                        .filter_map(|r| {
                            r.columns.iter().find(|(n, _)| *n == name).map(|(_, k)| (*k, r.alias.as_str()))
                        })
                        .collect();
                    match kinds.as_slice() {
                        [] => {}
                        [(kind, _)] => return *kind,
                        [(kind, _), ..] if scope.merged.contains(&name) => return *kind,
                        [(kind, alias), ..] => {
                            let (kind, alias) = (*kind, (*alias).to_owned());
                            self.refuse(
                                format!("`{name}` stands in several relations here"),
                                format!("write `{alias}.{name}` or another alias"),
                            );
                            return kind;
                        }
                    }
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

    fn literal(&mut self, value: &ast::ValueWithSpan) -> Kind {
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

    /// A text literal. PostgreSQL compares by its database's rules unless told otherwise.
    fn put_text(&mut self, text: &str) {
        let quoted = text.replace('\'', "''");
        let written = match self.engine {
            Engine::Postgres => format!("'{quoted}' COLLATE \"C\""),
            Engine::Sqlite | Engine::DuckDb => format!("'{quoted}'"),
        };
        self.put(&written);
    }

    fn parameter(&mut self, placeholder: &str) -> Kind {
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
                Kind::Integer
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

    // ---- functions ----

    /// `as_bigint`: the call stands directly inside CAST(... AS BIGINT).
    fn function(&mut self, function: &ast::Function, as_bigint: bool) -> Kind {
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
            self.put("*");
        }
        let before = self.aggregates;
        let kind = self.arguments(name, &values);
        if call == Call::Aggregate && self.aggregates > before && over.is_none() {
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
            (Call::Aggregate, None) => self.aggregates += 1,
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

    fn arguments(&mut self, name: &str, values: &[&Expr]) -> Kind {
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

    fn window_spec(&mut self, spec: &ast::WindowSpec) {
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

    fn frame_bound(&mut self, bound: &WindowFrameBound) {
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

/// The columns procedures see of a table: base columns without the snapshot's own, then its own.
fn columns(table: &Table) -> Columns {
    let base = RESERVED_COLUMNS
        .iter()
        .filter(|c| !matches!(**c, "known_from" | "superseded_at"))
        .map(|c| ((*c).to_owned(), if *c == "grade" { Kind::Text } else { Kind::Integer }));
    let own = table.columns.iter().map(|Column { name, kind, .. }| {
        (name.clone(), if *kind == ColumnType::Text { Kind::Text } else { Kind::Integer })
    });
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
