use super::*;
use crate::{Catalog, SourceFile};

/// A procedure over an event table and a state table, and the catalogue it stands in.
fn catalog() -> Catalog {
    let files = [
        ("criteria.toml", "[[criteria]]\nid = \"CC8.1\"\ntitle = \"Changes\"\n"),
        (
            "controls/CHG-02.toml",
            "title = \"x\"\ncriteria = [\"CC8.1\"]\nowner_role = \"x\"\nfrequency = \"annual\"\nmode = \"auto\"\nstatement = \"x\"",
        ),
        (
            "tables/change.toml",
            "kind = \"event\"\ndoc = \"x\"\n[[columns]]\nname = \"label\"\ntype = \"text\"\nwords = [\"a|b\", \"it's\", \"NULL\"]\ndoc = \"x\"\n\
             [[columns]]\nname = \"author\"\ntype = \"account\"\nnullable = true\ndoc = \"x\"\n\
             [[columns]]\nname = \"merged_at\"\ntype = \"instant\"\ndoc = \"x\"\n\
             [[columns]]\nname = \"signed\"\ntype = \"flag\"\nnullable = true\ndoc = \"x\"\n",
        ),
        (
            "tables/account.toml",
            "kind = \"state\"\ndoc = \"x\"\n[[columns]]\nname = \"valid_from\"\ntype = \"instant\"\ndoc = \"x\"\n\
             [[columns]]\nname = \"valid_to\"\ntype = \"instant\"\nnullable = true\ndoc = \"x\"\n",
        ),
        (
            "procedures/p/procedure.toml",
            "title = \"x\"\ncontrols = [\"CHG-02\"]\npopulation = \"x\"\npopulation_tables = [\"change\"]\nattributed_by = \"x\"\n\
             how_to_fix = \"x\"\n[tables.change]\n[tables.account]\n[attributes.a]\nsays = \"x\"\ndeviation = \"x\"\n\
             [parameters.days]\ntype = \"integer\"\ndefault = 5\nmin = 1\ndoc = \"x\"\n",
        ),
        (
            "procedures/p/query.sql",
            "SELECT c.id AS item, c.label AS label, c.merged_at AS occurred_at, c.entry AS entry, c.grade AS grade, 'pass' AS a \
             FROM change c LEFT JOIN account a ON a.id = c.author AND a.entry < $days",
        ),
    ];
    let files: Vec<SourceFile> =
        files.iter().map(|(p, t)| SourceFile { path: (*p).to_owned(), text: (*t).to_owned() }).collect();
    let (catalog, problems) = Catalog::of(&files, &[]);
    assert_eq!(problems, []);
    catalog
}

fn read(text: &str) -> Result<Vec<Case>, Vec<Problem>> {
    let catalog = catalog();
    parse(&catalog.procedures["p"], &catalog.tables, text)
}

fn good(text: &str) -> Vec<Case> {
    read(text).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

#[test]
fn what_stands_before_the_first_case_holds_for_every_case() {
    let cases = good(
        "# a comment\nperiod 2025-01-01 .. 2025-06-30 America/New_York\ncutoff 2025-07-15\nparam days = 7\n\n\
         defaults change\nlabel | signed\n'it''s' | 1\n\nrows account\nid | valid_from | valid_to\nann | 2020-01-01 | FOREVER\n\n\
         case one\nrows change\nid | author | merged_at\nc1 | ann | 2025-03-04T10:00Z\nexpect\nitem | a\nc1 | pass\n\n\
         case two\nas_of 2025-02-01T00:00:00.5+01:00\nperiod 2025-01-01 .. 2025-01-01\nexpect\nitem | a\n",
    );
    assert_eq!(
        cases.iter().map(|c| (c.name.as_str(), c.line)).collect::<Vec<_>>(),
        [("one", 14), ("two", 22)]
    );
    let one = &cases[0];
    // New York is UTC-5 in winter, and UTC-4 in summer.
    assert_eq!(
        (one.bindings.from, one.bindings.to),
        (instant("2025-01-01T05:00:00Z"), instant("2025-07-01T04:00:00Z"))
    );
    assert_eq!(one.bindings.cutoff, instant("2025-07-15T04:00:00Z"));
    assert_eq!(one.bindings.as_of, instant("2025-07-01T03:59:59.999Z"));
    assert_eq!(one.bindings.parameters["days"], Value::Integer(7));
    let (table, account) = &one.rows[0];
    assert_eq!(table, "account");
    assert_eq!(account.values, [instant("2020-01-01T05:00:00Z").into(), Instant::FOREVER.into()]);
    let (_, change) = &one.rows[1];
    assert_eq!(change.values[0], Value::Text("it's".into()));
    assert_eq!(change.values[1], Value::Integer(account.id), "one name is one number");
    assert_eq!(change.values[2], instant("2025-03-04T10:00:00Z").into());
    assert_eq!(change.values[3], Value::Integer(1));
    assert_eq!((change.grade, change.in_scope), (Grade::System, true));
    assert_eq!(one.expected.len(), 1);
    assert_eq!(one.name_of(one.expected[0].item), "c1");
    assert_eq!(cases[1].bindings.from, instant("2025-01-01T00:00:00Z"), "UTC when no zone is written");
    assert_eq!(cases[1].bindings.as_of, instant("2025-01-31T23:00:00.5Z"));
    assert_eq!(cases[1].expected, []);
}

#[test]
fn quotes_keep_bars_and_the_word_null() {
    let cases = good(
        "period 2025-01-01 .. 2025-06-30\ncase x\nrows change\nlabel | merged_at | author\n\
         'a|b' | 2025-01-02 | NULL\n'NULL' | 2025-01-02 | bob\nexpect\nitem | a\n",
    );
    let labels: Vec<&Value> = cases[0].rows.iter().map(|(_, r)| &r.values[0]).collect();
    assert_eq!(labels, [&Value::Text("a|b".into()), &Value::Text("NULL".into())]);
    assert_eq!(cases[0].rows[0].1.values[1], Value::Null);
    assert_ne!(
        cases[0].rows[0].1.id, cases[0].rows[1].1.id,
        "a row without an id is about something of its own"
    );
}

#[test]
fn gaps_have_windows_and_reasons() {
    let cases = good(
        "period 2025-01-01 .. 2025-06-30\ncase x\ngap change\ngap change expired\ngap change 2025-01-01 .. 2025-02-01\n\
         gap account 2025-01-01 .. 2025-01-02T10:00Z not_permitted\nasserted change\nexpect\nitem | a\n",
    );
    let said: Vec<(CoverageStatus, bool, Grade)> = cases[0]
        .coverage
        .iter()
        .map(|s| (s.coverage.status, s.coverage.window.to == Instant::FOREVER, s.grade))
        .collect();
    assert_eq!(
        said,
        [
            (CoverageStatus::Partial, true, Grade::System),
            (CoverageStatus::Expired, true, Grade::System),
            (CoverageStatus::Partial, false, Grade::System),
            (CoverageStatus::NotPermitted, false, Grade::System),
            (CoverageStatus::Complete, true, Grade::Asserted),
        ]
    );
}

#[test]
fn a_mistake_is_named_with_its_line() {
    let check = |body: &str, expected: &str| {
        let text = format!("period 2025-01-01 .. 2025-06-30\ncase x\n{body}");
        let got: String = read(&text).map_or_else(
            |problems| problems.iter().map(|p| format!("{p}\n")).collect(),
            |_| "nothing is wrong".to_owned(),
        );
        assert!(got.contains(expected), "{body}\n  expected: {expected}\n       got: {got}");
    };
    let expect = "expect\nitem | a\n";
    check(
        &format!("rows chance\nid\n{expect}"),
        "cases.slt:3:1: the procedure reads no table `chance`; did you mean `change`?",
    );
    check(
        &format!("rows change\nautor\nx\n{expect}"),
        "cases.slt:4:1: `change` has no column `autor`; did you mean `author`?",
    );
    check(&format!("rows change\nauthor | author\nx | y\n{expect}"), "column `author` stands twice");
    check(
        &format!("rows change\nlabel\n'it''s'\n{expect}"),
        "cases.slt:5:1: `merged_at` is not given, and may not be unknown",
    );
    check(
        &format!("rows change\nlabel | merged_at\nNULL | 2025-01-01\n{expect}"),
        "`label` may not be unknown",
    );
    check(&format!("rows change\nlabel | merged_at\nx | 2025-01-01\n{expect}"), "`x` is no word of `label`");
    check(
        &format!("rows change\nlabel | merged_at\n'it''s' | yesterday\n{expect}"),
        "`yesterday` is no instant",
    );
    check(
        &format!("rows change\nlabel | merged_at | signed\n'it''s' | 2025-01-01 | 2\n{expect}"),
        "`2` is no flag",
    );
    check(&format!("rows change\nlabel | merged_at\n'it''s'\n{expect}"), "there are 1 values for 2 columns");
    check(&format!("rows change\nlabel\n'it\n{expect}"), "a quoted cell does not end");
    check(&format!("row change\n{expect}"), "`row` begins no statement; did you mean `rows`?");
    check(&format!("gap change complete\n{expect}"), "a gap is not complete");
    check(&format!("gap change 2025-01-01\n{expect}"), "`2025-01-01` is none of");
    check(&format!("param day = 3\n{expect}"), "the procedure has no parameter `day`; did you mean `days`?");
    check(&format!("param days = 0\n{expect}"), "`days` is 0; the least value allowed is 1");
    check("rows change\nid\n", "a case expects exactly one grid");
    check("expect\nitem | b\nc1 | pass\n", "the procedure yields no `b`");
    check("expect\nitem | a\nc1 | Pass\n", "`Pass` is none of `deviation`");
    check("expect\nitem | a\nc1 | pass\nc1 | pass\n", "the item stands here twice");
    check(&format!("{expect}\ncase x\n{expect}"), "there are two cases `x`");
    assert!(read("period 2025-01-01 .. 2025-06-30\n").is_err());
    assert!(read("case x\nexpect\nitem | a\n").unwrap_err()[0].message.contains("no period"));
}

#[test]
fn later_rows_of_a_subject_take_the_place_of_earlier_ones() {
    let cases = good(
        "period 2025-01-01 .. 2025-06-30\ndefaults change\nlabel | merged_at\n'it''s' | 2025-01-02\ncase x\n\
         rows change\nid | known_from\nc1 | 0\nc1 | 4\nc2 | 0\n\
         rows account\nid | valid_from | valid_to | known_from\nann | 2020-01-01 | FOREVER | 0\nann | 2021-01-01 | FOREVER | 1\nann | 2020-01-01 | 2021-01-01 | 2\n\
         expect\nitem | a\n",
    );
    let mut rows = cases[0].rows.clone();
    supersede(&catalog().tables, &mut rows);
    let until: Vec<i64> = rows.iter().map(|(_, r)| r.superseded_at).collect();
    assert_eq!(until, [4, i64::MAX, i64::MAX, 2, i64::MAX, i64::MAX]);
}
