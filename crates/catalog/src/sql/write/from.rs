//! What stands after FROM: record tables as known at the snapshot, WITH parts, derived tables, joins.

use std::fmt::Write as _;

use model::{Bound, OutCondition, Table, TableKind, Value};
use sqlparser::ast::{self, JoinConstraint, JoinOperator, ObjectName, Spanned as _, TableFactor};

use super::{Columns, Relation, Writer, columns, equalities, start};
use crate::problem::instead;
use crate::sql::functions::instead_of;
use crate::sql::{Bindings, Purpose};

impl Writer<'_> {
    pub(super) fn table_with_joins(&mut self, table: &ast::TableWithJoins) {
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

    pub(super) fn using(&mut self, columns: &[ObjectName]) {
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

    pub(super) fn table(&mut self, factor: &TableFactor) {
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

    pub(super) fn alias(&mut self, alias: &ast::TableAlias) -> String {
        let ast::TableAlias { explicit: _, name, columns, at } = alias;
        self.refuse_if(
            !columns.is_empty() || at.is_some(),
            "a column list after a table's alias",
            "name the columns inside with AS, or in a WITH part",
        );
        self.name(name)
    }

    pub(super) fn enter(&mut self, alias: String, columns: Columns) {
        let Some(scope) = self.scopes.last_mut() else { return };
        if scope.relations.iter().any(|r| r.alias == alias) {
            self.refuse(format!("two relations are called `{alias}`"), "give each its own alias");
            return;
        }
        scope.relations.push(Relation { alias, columns });
    }

    pub(super) fn is_reserved_relation(&self, name: &str) -> bool {
        name.ends_with("_row")
            || matches!(name, "entity" | "display")
            || self
                .query
                .tables
                .iter()
                .any(|t| t.name == name || name.strip_suffix("_history") == Some(&*t.name))
    }

    /// A record table becomes the rows of it that were known at the snapshot.
    pub(super) fn record_table(&mut self, name: &str, alias: String) {
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
                Purpose::Procedure | Purpose::Uptime => {
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
        let in_scope = self.in_scope(table);
        let mut text = format!(
            "(SELECT {} FROM {}_row WHERE known_from <= {known_at} AND superseded_at > {known_at}",
            names
                .iter()
                .map(|n| if *n == "in_scope" { in_scope.as_str() } else { n })
                .collect::<Vec<_>>()
                .join(", "),
            table.name,
        );
        if table.kind == TableKind::State && history.is_none() {
            let as_of = self.bindings.map_or(0, |b| b.as_of.ms());
            let _ = write!(
                text,
                " AND (valid_from <= {as_of} OR valid_from IS NULL) AND (valid_to > {as_of} OR valid_to IS NULL)"
            );
        }
        if let Some(only) = self.only.get(&table.name) {
            let _ = write!(text, " AND {}", only.condition(table));
        }
        self.put(&text);
        self.put(&format!(") {alias}"));
        self.enter(alias, columns);
    }

    /// The column `in_scope`, worked out from what is out of scope; as it is stored where nothing is.
    fn in_scope(&self, table: &Table) -> String {
        let conditions = self.bindings.map(|b| b.scope.conditions(table)).unwrap_or_default();
        if conditions.is_empty() {
            return "in_scope".to_owned();
        }
        let mut text = "CASE".to_owned();
        for OutCondition { column, values, bounds } in conditions {
            let _ = write!(text, " WHEN {column}");
            let literals: Vec<String> = values
                .iter()
                .map(|value| match value {
                    Value::Integer(n) => n.to_string(),
                    Value::Text(text) => self.text_literal(text),
                    Value::Null => "NULL".to_owned(),
                })
                .collect();
            let _ = match literals.as_slice() {
                [one] => write!(text, " = {one}"),
                many => write!(text, " IN ({})", many.join(", ")),
            };
            for Bound { column, test, instant } in bounds {
                let _ = write!(text, " AND {column} {} {}", test.sql(), instant.ms());
            }
            text.push_str(" THEN 0");
        }
        text.push_str(" ELSE in_scope END AS in_scope");
        text
    }
}
