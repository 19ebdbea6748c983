//! Names of tables, columns, parameters and aliases: they are written without quotes on three engines.

/// Words that SQLite, PostgreSQL 15 or DuckDB 2 refuse somewhere as a bare column, table or alias (found by trying each
/// keyword of the three in each position), their system columns, and the words that a later version may take.
const RESERVED: &[&str] = &[
    "_rowid_",
    "add",
    "all",
    "alter",
    "analyse",
    "analyze",
    "and",
    "anti",
    "any",
    "array",
    "as",
    "asc",
    "asof",
    "asymmetric",
    "at",
    "authorization",
    "autoincrement",
    "between",
    "binary",
    "both",
    "by",
    "case",
    "cast",
    "check",
    "cmax",
    "cmin",
    "coalesce",
    "collate",
    "collation",
    "column",
    "commit",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "ctid",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "delete",
    "desc",
    "describe",
    "distinct",
    "do",
    "drop",
    "else",
    "end",
    "escape",
    "except",
    "exists",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "glob",
    "grant",
    "group",
    "having",
    "if",
    "ilike",
    "in",
    "index",
    "indexed",
    "initially",
    "inner",
    "insert",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "lambda",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "nothing",
    "notnull",
    "null",
    "nullif",
    "offset",
    "oid",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "pivot",
    "pivot_longer",
    "pivot_wider",
    "placing",
    "positional",
    "primary",
    "qualify",
    "raise",
    "references",
    "returning",
    "right",
    "rowid",
    "select",
    "semi",
    "session_user",
    "set",
    "show",
    "similar",
    "some",
    "summarize",
    "symmetric",
    "table",
    "tableoid",
    "tablesample",
    "then",
    "to",
    "trailing",
    "transaction",
    "true",
    "union",
    "unique",
    "unpack",
    "unpivot",
    "update",
    "user",
    "using",
    "values",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmax",
    "xmin",
];

/// PostgreSQL cuts longer names silently.
const BYTES_MAX: usize = 63;

/// What is wrong with a name, and what to write instead; `None` when it can be used on all engines.
pub(crate) fn fault(name: &str) -> Option<(String, String)> {
    let well_formed = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !well_formed {
        let lower: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
            .collect();
        return Some((
            format!("`{name}` is not a name that all engines read alike"),
            format!(
                "use lower case letters, digits and underscores, beginning with a letter, such as `{}`",
                lower.trim_start_matches(|c: char| !c.is_ascii_lowercase())
            ),
        ));
    }
    if name.len() > BYTES_MAX {
        return Some((
            format!("`{name}` has {} bytes, and PostgreSQL cuts names after {BYTES_MAX}", name.len()),
            "choose a shorter name".to_owned(),
        ));
    }
    if RESERVED.binary_search(&name).is_ok() {
        return Some((
            format!("`{name}` is a reserved word of SQLite, PostgreSQL or DuckDB"),
            format!("say what it is of, such as `{name}_at`, `{name}_by` or `{name}_value`"),
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_for_the_search() {
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn names_that_an_engine_would_misread_are_refused() {
        for name in [
            "at",
            "user",
            "order",
            "Author",
            "größe",
            "with space",
            "",
            "1st",
            "rowid",
            "ctid",
            &"x".repeat(64),
        ] {
            assert!(fault(name).is_some(), "{name}");
        }
        for name in ["rotated_at", "change", "label", "number", "status", "system", &"x".repeat(63)] {
            assert_eq!(fault(name), None, "{name}");
        }
    }
}
