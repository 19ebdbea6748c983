//! Queries and their clauses: WITH, SELECT, set operations, ORDER BY, LIMIT.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sqlparser::ast::{
    self, Distinct, Expr, GroupByExpr, LimitClause, NamedWindowDefinition, NamedWindowExpr, OrderByExpr,
    OrderByKind, OrderBySort, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    SetOperator, SetQuantifier, Spanned as _,
};

use super::{Columns, Scope, Writer, digits, start};
use crate::problem::Problem;
use crate::sql::{Purpose, SCOPE};

impl Writer<'_> {
    pub(super) fn query(&mut self, query: &ast::Query, outermost: bool) -> Columns {
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
        if let Some(with) = with {
            self.with(with);
        }
        let procedure = outermost && self.query.purpose != Purpose::Question;
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
                let distinct = matches!(&**body, SetExpr::Select(s) if s.distinct.is_some());
                self.note(plain);
                self.order_by(order, &columns, plain && !distinct);
                self.note(false);
                if plain {
                    self.check_grouping();
                }
            }
        }
        self.scopes.truncate(open);
        if procedure {
            self.line();
            self.put("ORDER BY item NULLS FIRST");
            if columns.iter().any(|(name, _)| name == SCOPE) {
                self.put(", scope NULLS FIRST, occurred_at NULLS FIRST");
            }
            if self.query.purpose == Purpose::Uptime {
                self.put(", starts_at NULLS FIRST, ends_at NULLS FIRST, verdict NULLS FIRST");
            }
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
        columns
    }

    pub(super) fn with(&mut self, with: &ast::With) {
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
    pub(super) fn recursive_part(&mut self, name: &str, given: &[String], query: &ast::Query) -> Columns {
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
        // What comes around again may have been computed.
        let seen = columns.iter().map(|(name, kind)| (name.clone(), kind.computed())).collect();
        let seen = self.renamed(seen, given, name);
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

    pub(super) fn renamed(&mut self, columns: Columns, given: &[String], name: &str) -> Columns {
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

    pub(super) fn unique(&mut self, columns: &Columns, name: &str) {
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

    pub(super) fn values_query(&mut self, query: &ast::Query) -> Columns {
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
    pub(super) fn body(&mut self, body: &SetExpr, outermost: bool) -> (Columns, bool) {
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
    pub(super) fn alike(&mut self, left: &Columns, right: &Columns) -> Columns {
        if left.len() != right.len() {
            self.refuse(
                format!("one part yields {} columns and the other {}", left.len(), right.len()),
                "let both yield the same columns",
            );
        }
        let mut columns = left.clone();
        for (i, ((name, kind), (_, other))) in columns.iter_mut().zip(right).enumerate() {
            if let Some(either) = kind.joined(*other) {
                *kind = either;
            } else {
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

    pub(super) fn select(&mut self, select: &ast::Select, outermost: bool) -> Columns {
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
        self.note_grouping(group_by);

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
        self.note(true);
        let columns = self.projection(projection, outermost);
        self.note(false);
        self.indent -= 1;
        if !from.is_empty() {
            self.line();
            self.put("FROM ");
            self.put(&tables);
        }
        if let Some(condition) = selection {
            self.line();
            self.put("WHERE ");
            let seen = self.aggregates();
            self.condition(condition);
            if self.aggregates() > seen {
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
            self.note(true);
            self.condition(condition);
            self.note(false);
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
        let single_row = self.aggregates() > 0 && !grouped;
        self.check_grouping();
        self.single_row = single_row;
        columns
    }

    /// Whether columns of the innermost SELECT are noted from here on.
    fn note(&mut self, noting: bool) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.noting = noting;
        }
    }

    /// Remembers what GROUP BY names, before what is yielded is written.
    fn note_grouping(&mut self, group_by: &GroupByExpr) {
        let GroupByExpr::Expressions(list, _) = group_by else { return };
        for expr in list {
            let column = match expr {
                Expr::Identifier(column) => self.resolve(None, &column.value),
                Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                    [alias, column] => self.resolve(Some(&alias.value), &column.value),
                    _ => None,
                },
                _ => None,
            };
            let Some(scope) = self.scopes.last_mut() else { return };
            match column {
                Some(column) => {
                    scope.grouped_columns.insert(column);
                }
                None => scope.grouped_expressions.push(expr.to_string()),
            }
        }
    }

    /// Where rows are folded, every column outside the aggregates has to be one that GROUP BY names: SQLite takes it
    /// from whichever row comes last, the others refuse.
    fn check_grouping(&mut self) {
        let Some(scope) = self.scopes.last_mut() else { return };
        let folded = scope.aggregates > 0
            || !scope.grouped_columns.is_empty()
            || !scope.grouped_expressions.is_empty();
        if !folded {
            return;
        }
        let bare = std::mem::take(&mut scope.bare);
        for (alias, column, place) in bare {
            let Some(scope) = self.scopes.last() else { return };
            if !scope.grouped_columns.contains(&(alias, column.clone())) {
                self.here = place;
                self.refuse(
                    format!("`{column}` is neither in GROUP BY nor in an aggregate"),
                    format!("group by it, or write `min({column})`"),
                );
            }
        }
    }

    pub(super) fn projection(&mut self, items: &[SelectItem], outermost: bool) -> Columns {
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
                        _ if outermost && self.query.purpose != Purpose::Question => {
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
                SelectItem::Wildcard(_) if outermost && self.query.purpose != Purpose::Question => {
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

    pub(super) fn wildcard_options(&mut self, options: &ast::WildcardAdditionalOptions) {
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
    pub(super) fn wildcard(&mut self, alias: Option<&str>, columns: &mut Columns) {
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
        let here = self.here;
        if let Some(scope) = self.scopes.last_mut().filter(|s| s.noting) {
            for relation in scope.relations.iter().filter(|r| alias.is_none_or(|a| a == r.alias)) {
                scope
                    .bare
                    .extend(relation.columns.iter().map(|(c, _)| (relation.alias.clone(), c.clone(), here)));
            }
        }
    }

    pub(super) fn order_by(&mut self, order: &ast::OrderBy, columns: &Columns, plain: bool) {
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
                        self.refuse(
                            "after DISTINCT or a set operation ORDER BY can only name the columns it yields",
                            "name one of them",
                        );
                    }
                    if let Expr::Identifier(ident) = &item.expr
                        && columns.iter().filter(|(n, _)| *n == ident.value).count() > 1
                    {
                        self.go(ident.span);
                        self.refuse(
                            format!("two columns are called `{}`", ident.value),
                            "give one another name with AS",
                        );
                    }
                    self.order_item(item, output);
                }
            }
        }
    }

    /// `output`: the expression is the name of a column the SELECT yields.
    pub(super) fn order_item(&mut self, item: &OrderByExpr, output: bool) {
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

    pub(super) fn refuse_position(&mut self, expr: &Expr, clause: &str) {
        if let Expr::Value(v) = expr {
            self.go(v.span);
            self.refuse(format!("{clause} names a column by its position"), "write the column's name");
        }
    }

    pub(super) fn limit(&mut self, limit: &LimitClause) {
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
    pub(super) fn plain_number(&mut self, expr: &Expr) -> Option<i64> {
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
}
