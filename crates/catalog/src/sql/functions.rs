//! The functions a query may call: those that mean the same on the three engines.

/// How a function is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Call {
    /// `f(x …)` on one row.
    Scalar,
    /// Over a group; also over a window.
    Aggregate,
    /// Only over a window.
    Window,
}

/// Every function on the list.
pub(super) const FUNCTIONS: &[(&str, Call)] = &[
    ("abs", Call::Scalar),
    ("coalesce", Call::Scalar),
    ("count", Call::Aggregate),
    ("dense_rank", Call::Window),
    ("first_value", Call::Window),
    ("lag", Call::Window),
    ("last_value", Call::Window),
    ("lead", Call::Window),
    ("length", Call::Scalar),
    ("max", Call::Aggregate),
    ("min", Call::Aggregate),
    ("ntile", Call::Window),
    ("nullif", Call::Scalar),
    ("rank", Call::Window),
    ("replace", Call::Scalar),
    ("row_number", Call::Window),
    ("sum", Call::Aggregate),
];

/// What to write in place of a function that is not on the list.
pub(super) fn instead_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "avg" | "round" | "floor" | "ceil" | "ceiling" => {
            "compare rates by multiplying out: `good * 1000 >= 999 * total`"
        }
        "lower" | "upper" => "use the table's `..._key` column, which is folded when rows are made",
        "iif" | "if" | "decode" => "write `CASE WHEN ... THEN ... ELSE ... END`",
        "ifnull" | "nvl" | "isnull" => "write `coalesce(...)`",
        "greatest" | "least" => "write `CASE WHEN a > b THEN a ELSE b END`",
        "total" => "write `CAST(sum(...) AS BIGINT)`",
        "group_concat" | "string_agg" | "array_agg" | "listagg" => "give rows, one for each value",
        "bool_and" | "bool_or" | "every" => "fold a flag: `min(flag) = 1`, `max(flag) = 1`",
        "date" | "datetime" | "strftime" | "julianday" | "date_trunc" | "date_part" | "extract" | "now"
        | "to_timestamp" | "make_date" | "age" | "unixepoch" => {
            "compare instants as numbers, and use `calendar_day` for days, months and quarters"
        }
        "instr" | "strpos" | "position" => "use a column made for it when rows are made",
        "generate_series" | "range" => "write `WITH RECURSIVE n(i) AS (...)`, or use `calendar_day`",
        _ => return None,
    })
}
