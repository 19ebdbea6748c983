use super::*;

const TABLE: &str = r#"
kind = "event"
doc = "Something that happened."
fed_by = ["git.commits"]

[[columns]]
name = "author"
type = "account"
nullable = true
doc = "Who did it."

[[columns]]
name = "merged_at"
type = "instant"
doc = "When."
"#;

const CONTROL: &str = r#"
title = "Review"
criteria = ["CC8.1"]
owner_role = "Engineering"
frequency = "per_event"
mode = "auto"
statement = "Somebody else reviews."
"#;

const CRITERIA: &str = "[[criteria]]\nid = \"CC8.1\"\ntitle = \"Changes\"\n";

const PROCEDURE: &str = r#"
title = "Review"
controls = ["CHG-02"]
population = "every change"
population_tables = ["change"]
attributed_by = "the merge"
how_to_fix = "review"

[tables.change]
item_by = "id"

[attributes.a]
says = "it has an author"
deviation = "it has none"
absent = ["change"]

[parameters.days]
type = "integer"
default = 5
min = 1
max = 30
doc = "Days."
"#;

const QUERY: &str = "SELECT id AS item, 'x' AS label, merged_at AS occurred_at, entry, grade,\n\
                     CASE WHEN author % $days = 0 THEN 'pass' ELSE 'deviation' END AS a FROM change";

fn files(list: &[(&str, &str)]) -> Vec<SourceFile> {
    list.iter()
        .map(|(path, text)| SourceFile { path: (*path).to_owned(), text: (*text).to_owned() })
        .collect()
}

fn good() -> Vec<SourceFile> {
    files(&[
        ("criteria.toml", CRITERIA),
        ("tables/change.toml", TABLE),
        ("controls/CHG-02.toml", CONTROL),
        ("procedures/review/procedure.toml", PROCEDURE),
        ("procedures/review/query.sql", QUERY),
    ])
}

/// The problems of good content with some files over it, one to a line.
fn problems(workspace: &[(&str, &str)]) -> String {
    let (_, problems) = Catalog::of(&good(), &files(workspace));
    problems.iter().map(|p| format!("{p}\n")).collect()
}

#[test]
fn good_content_loads_and_is_linked_both_ways() {
    let (catalog, problems) = Catalog::of(&good(), &[]);
    assert_eq!(problems, []);
    assert_eq!(catalog.procedures_of("CHG-02").map(|p| p.id.as_str()).collect::<Vec<_>>(), ["review"]);
    assert_eq!(catalog.controls_of("CC8.1").map(|c| c.id.as_str()).collect::<Vec<_>>(), ["CHG-02"]);
    assert_eq!(catalog.criteria[0].category(), "Security");
    assert_eq!(catalog.procedures["review"].attributes[0].supplied_by, ["git.commits"]);
    assert_eq!(catalog.table("change").unwrap().columns.len(), 2);
}

#[test]
fn the_built_in_content_has_no_problem() {
    let (_, problems) = Catalog::built_in();
    let shown: String = problems.iter().map(|p| format!("{p}\n")).collect();
    assert!(problems.is_empty(), "{shown}");
}

#[test]
fn every_problem_of_a_file_is_found_at_once_with_its_line() {
    assert_eq!(
        problems(&[(
            "controls/CHG-02.toml",
            "titel = \"x\"\ncriteria = [\"CC9.9\"]\nowner_role = 3\nfrequency = \"dayly\"\nmode = \"auto\"\n"
        )]),
        "controls/CHG-02.toml:1:1: `statement` is missing; write `statement = \"...\"`\n\
         controls/CHG-02.toml:1:1: `titel` is not a field here; did you mean `title`?\n\
         controls/CHG-02.toml:1:1: `title` is missing; write `title = \"...\"`\n\
         controls/CHG-02.toml:3:14: `owner_role` is an integer; write `owner_role = \"...\"`\n\
         controls/CHG-02.toml:4:13: `dayly` is no frequency; did you mean `daily`?\n"
    );
}

#[test]
fn a_control_is_key_only_to_criteria_it_answers_to() {
    let with = |criteria: &str, key: &str| {
        problems(&[(
            "controls/CHG-02.toml",
            &CONTROL.replace("criteria = [\"CC8.1\"]", &format!("criteria = {criteria}\nkey = {key}")),
        )])
    };
    assert_eq!(with("[\"CC8.1\"]", "[\"CC8.1\"]"), "");
    assert_eq!(
        with("[\"CC8.1\"]", "[\"CC6.3\"]"),
        "controls/CHG-02.toml:4:8: the control does not answer to `CC6.3`, so that it cannot be key to it; \
         name it in `criteria`, too, or remove it\n"
    );
    assert_eq!(
        with("[\"CC8.1\", \"CC8.1\"]", "[]"),
        "controls/CHG-02.toml:3:22: `CC8.1` stands twice in `criteria`; remove one\n"
    );
    let key = &Catalog::built_in().0.controls["CHG-02"].key;
    assert_eq!(key, &["CC8.1"]);
}

#[test]
fn the_version_of_a_statement_is_that_of_its_words() {
    // printf 'abc' | sha256sum
    let (mut catalog, _) = Catalog::built_in();
    let control = catalog.controls.get_mut("CHG-02").unwrap();
    control.statement = "abc".to_owned();
    assert_eq!(control.statement_version(), "ba7816bf8f01");
}

#[test]
fn a_broken_file_stops_nothing_else() {
    let (catalog, problems) = Catalog::of(
        &good(),
        &files(&[("procedures/own/procedure.toml", "title = "), ("procedures/own/query.sql", QUERY)]),
    );
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((problems[0].file.as_str(), problems[0].line), ("procedures/own/procedure.toml", 1));
    assert_eq!(catalog.procedures.keys().collect::<Vec<_>>(), ["review"]);
}

#[test]
fn a_workspace_overrides_by_id_and_declares_each_id_once() {
    let (catalog, found) = Catalog::of(
        &good(),
        &files(&[("controls/CHG-02.toml", &CONTROL.replace("\"Review\"", "\"Our review\""))]),
    );
    assert_eq!(found, []);
    assert_eq!(
        (catalog.controls["CHG-02"].title.as_str(), catalog.controls["CHG-02"].origin),
        ("Our review", Origin::Workspace)
    );
    assert_eq!(
        problems(&[("controls/CHG-02.toml", CONTROL), ("controls/engineering/CHG-02.toml", CONTROL)]),
        "controls/engineering/CHG-02.toml: `CHG-02` is already declared in `controls/CHG-02.toml`; keep one of the two\n"
    );
    // Half an override would run another procedure's query under its name.
    assert_eq!(
        problems(&[("procedures/review/procedure.toml", PROCEDURE)]),
        "procedures/review/query.sql: the file is missing; write one SELECT, see docs/procedures.md\n"
    );
}

#[test]
fn a_table_that_an_engine_could_not_hold_is_refused() {
    let check = |from: &str, to: &str, message: &str| {
        let text = TABLE.replacen(from, to, 1);
        assert_ne!(text, TABLE, "{from}");
        let got = problems(&[("tables/other.toml", &text)]);
        assert!(got.contains(message), "{message}\n{got}");
    };
    check(
        "\"author\"",
        "\"user\"",
        "tables/other.toml:7:8: `user` is a reserved word of SQLite, PostgreSQL or DuckDB",
    );
    check("\"author\"", "\"grade\"", "every table has its own `grade`");
    check("\"author\"", "\"merged_at\"", "there are two columns `merged_at`");
    check("\"event\"", "\"state\"", "a state table needs the instant `valid_from`");
    check("\"account\"", "\"number\"", "`number` is no type");
    check("doc = \"Who", "words = [\"x\"]\ndoc = \"Who", "only a text has `words`");
    check("fed_by", "cluster_by = [\"autor\"]\nfed_by", "did you mean `author`?");
    check("git.commits", "git", "`git` is no stream");
    let scope = |lines: &str, message: &str| {
        check("[[columns]]", &format!("[scope]\n{lines}\n\n[[columns]]"), message);
    };
    scope("repository = \"autor\"", "`autor` is no column that names one (repository)");
    // An account is no environment, and the row itself has no name.
    scope("environment = \"author\"", "`author` is no column that names one (environment)");
    scope("environment = \"id\"", "`id` is no column that names one (environment)");
    scope("product = \"author\"", "`product` is not a field here");
    scope("at = \"merged_at\"", "nothing says to what a row belongs");
    scope(
        "repository = \"id\"\nat = \"author\"",
        "`author` is no instant of this table; known are `merged_at`",
    );
    scope("repository = \"id\"\nat = \"merged_at\"\nends = \"merged_at\"", "either happens or lasts");
    let got = problems(&[
        ("tables/order.toml", TABLE),
        ("tables/entity.toml", TABLE),
        ("tables/a_history.toml", TABLE),
    ]);
    assert_eq!(got.lines().count(), 3, "{got}");
}

#[test]
fn a_procedure_says_what_it_reads_and_tests() {
    let check = |from: &str, to: &str, message: &str| {
        let text = PROCEDURE.replacen(from, to, 1);
        assert_ne!(text, PROCEDURE, "{from}");
        let got =
            problems(&[("procedures/review/procedure.toml", &text), ("procedures/review/query.sql", QUERY)]);
        assert!(got.contains(message), "{message}\n{got}");
    };
    check("CHG-02", "CHG-03", "there is no control `CHG-03`; did you mean `CHG-02`?");
    check("[tables.change]", "[tables.chance]", "there is no table `chance`; did you mean `change`?");
    check("item_by = \"id\"", "item_by = \"autor\"", "did you mean `author`?");
    check("item_by = \"id\"", "item_by = \"merged_at\"", "`merged_at` of `change` names nothing");
    check(
        "item_by = \"id\"",
        "item_by = \"id = review.change\"",
        "`review` is not among the tables of this procedure",
    );
    check(
        "item_by = \"id\"",
        "item_by = [\"id\", \"author = change.autor\"]",
        "`autor` is no column of `change`",
    );
    check("item_by = \"id\"", "item_by = [\"id\", \"author = change.id\"]", "lead back to `change`");
    check("[attributes.a]", "[attributes.b]", "write `[attributes.a]`");
    check(
        "absent = [\"change\"]",
        "absent = [\"approval\"]",
        "`approval` is not among the tables of this procedure",
    );
    check(
        "default = 5",
        "default = 50",
        "procedures/review/procedure.toml:19:11: `days` is 50; the greatest value allowed is 30",
    );
    check("[parameters.days]", "[parameters.from]", "every procedure has its own `$from`");
    check("[parameters.days]", "[parameters.dayz]", "query.sql:2:20: there is no parameter `$days`");
    check("population = ", "populaton = ", "did you mean `population`?");
}

#[test]
fn a_query_yields_the_columns_of_a_result() {
    let check = |from: &str, to: &str, message: &str| {
        let text = QUERY.replacen(from, to, 1);
        assert_ne!(text, QUERY, "{from}");
        let got = problems(&[
            ("procedures/review/procedure.toml", PROCEDURE),
            ("procedures/review/query.sql", &text),
        ]);
        assert!(got.contains(message), "{message}\n{got}");
    };
    check(
        " AS a",
        " AS b",
        "it has to yield `item`, `label`, `occurred_at`, `entry`, `grade`, `a`, in this order",
    );
    check("'x' AS label", "entry AS label", "column `label` is a number; it has to be a text");
    // How long each attribute reads silence: for all of them, after all of them, as instants.
    check(" AS a", " AS a, 'x' AS a_until", "column `a_until` is a text; it has to be a number");
    check(" AS a", " AS a, 5 AS b_until", "it has to yield");
    let until = QUERY.replacen(" AS a", " AS a, $from AS a_until", 1);
    let text = [("procedures/review/procedure.toml", PROCEDURE), ("procedures/review/query.sql", &*until)];
    assert_eq!(problems(&text), "");
    // Since when, before that.
    check(" AS a", " AS a, 'x' AS a_since", "column `a_since` is a text; it has to be a number");
    check(" AS a", " AS a, $from AS a_until, $from AS a_since", "it has to yield");
    for columns in ["$from AS a_since", "$from AS a_since, $to AS a_until", "$from AS a_since, id AS scope"] {
        let since = QUERY.replacen(" AS a", &format!(" AS a, {columns}"), 1);
        let text =
            [("procedures/review/procedure.toml", PROCEDURE), ("procedures/review/query.sql", &*since)];
        assert_eq!(problems(&text), "");
    }
    // Within what each item is judged: last.
    check(" AS a", " AS a, id AS scope, $from AS a_until", "it has to yield");
    check(
        " AS a",
        " AS a, $from AS a_until, 'x' AS scope",
        "column `scope` is a text; it has to be a number",
    );
    let scoped = QUERY.replacen(" AS a", " AS a, $from AS a_until, id AS scope", 1);
    let text = [("procedures/review/procedure.toml", PROCEDURE), ("procedures/review/query.sql", &*scoped)];
    assert_eq!(problems(&text), "");
    check(
        " FROM change",
        " FROM change ORDER BY item NULLS FIRST",
        "remove it: rows are always ordered by `item`",
    );
    check(" FROM change", " FROM change LIMIT 5", "a population is never cut");
    check(" AS a FROM", " FROM", "this column has no name");
}

#[test]
fn the_content_hash_moves_with_the_content_and_nothing_else() {
    let hash = |workspace: &[(&str, &str)]| {
        Catalog::of(&good(), &files(workspace)).0.procedures["review"].content_hash
    };
    let unchanged = hash(&[]);
    let toml = ("procedures/review/procedure.toml", PROCEDURE);
    assert_eq!(hash(&[toml, ("procedures/review/query.sql", QUERY)]), unchanged);
    assert_ne!(
        hash(&[toml, ("procedures/review/query.sql", &QUERY.replace('5', "6").replace("'x'", "'y'"))]),
        unchanged
    );
    assert_ne!(hash(&[("tables/change.toml", &TABLE.replace("nullable = true\n", ""))]), unchanged);
    assert_eq!(hash(&[("tables/change.toml", &TABLE.replace("Who did it", "Who was it"))]), unchanged);
}

const UPTIME: &str =
    "SELECT id AS item, merged_at AS starts_at, merged_at + $days AS ends_at, 'pass' AS verdict FROM change";

/// The problems of an uptime beside a procedure with this in its procedure.toml.
fn of_uptime(over_period: bool, section: &str, sql: Option<&str>) -> String {
    let head = if over_period { "over_period = true\n" } else { "" };
    let toml = format!("{head}{PROCEDURE}\n{section}");
    let mut files =
        vec![("procedures/review/procedure.toml", toml.as_str()), ("procedures/review/query.sql", QUERY)];
    files.extend(sql.map(|sql| ("procedures/review/uptime.sql", sql)));
    problems(&files)
}

#[test]
fn an_uptime_is_read_as_strictly_as_a_query() {
    let section = "[uptime]\ncovered = [\"change\"]\n";
    assert_eq!(of_uptime(true, section, Some(UPTIME)), "");
    let toml =
        format!("over_period = true\n{PROCEDURE}\n{section}silence = \"down\"\ngrade = \"asserted\"\n");
    let files = files(&[
        ("procedures/review/procedure.toml", toml.as_str()),
        ("procedures/review/query.sql", QUERY),
        ("procedures/review/uptime.sql", UPTIME),
    ]);
    let (catalog, _) = Catalog::of(&good(), &files);
    let review = &catalog.procedures["review"];
    let uptime = review.uptime.as_ref().unwrap();
    assert_eq!((uptime.silence_is_down, uptime.grade), (true, model::Grade::Asserted));
    // Its text is content like the query's.
    let mut other = files.clone();
    other[2].text = UPTIME.replace("'pass'", "'deviation'");
    assert_ne!(Catalog::of(&good(), &other).0.procedures["review"].content_hash, review.content_hash);
    // What nobody asked for, what is missing, and what may not be.
    let all = of_uptime(true, section, None);
    assert!(all.contains("procedures/review/uptime.sql: the file is missing"), "{all}");
    let all = of_uptime(true, "", Some(UPTIME));
    assert!(all.contains("nothing says which tables have to be covered"), "{all}");
    let all = of_uptime(true, "[uptime]\ncovered = []\nsilence = \"dwon\"\ngrad = \"x\"\n", Some(UPTIME));
    for part in
        ["nothing says which tables have to be covered", "did you mean `down`?", "`grad` is not a field here"]
    {
        assert!(all.contains(part), "no {part} in {all}");
    }
    let all = of_uptime(true, "[uptime]\ncovered = [\"chnge\"]\n", Some(UPTIME));
    assert!(all.contains("did you mean `change`?"), "{all}");
    let all = of_uptime(false, section, Some(UPTIME));
    assert!(all.contains("what happens once has no uptime"), "{all}");
    for (sql, said) in [
        (
            UPTIME.replace("starts_at", "began_at"),
            "it has to yield `item`, `starts_at`, `ends_at`, `verdict`",
        ),
        (UPTIME.replace("'pass'", "1"), "column `verdict` is a number"),
        (UPTIME.replace("FROM change", "FROM employment"), "`employment` is no table that may be read here"),
        (format!("{UPTIME} ORDER BY item ASC NULLS FIRST"), "the outermost select has an ORDER BY"),
        (UPTIME.replace("'pass'", "random()"), "uptime.sql:1:"),
    ] {
        let all = of_uptime(true, section, Some(&sql));
        assert!(all.contains(said), "no {said} in {all}");
    }
}

#[test]
fn a_value_of_a_parameter_is_checked_by_its_type_and_range() {
    let (catalog, _) = Catalog::of(&good(), &[]);
    let check = |procedure: &str, name: &str, text: &str| match catalog.parameter_value(procedure, name, text)
    {
        Ok(value) => format!("{value:?}"),
        Err(problem) => problem.said(),
    };
    assert_eq!(check("review", "days", " 30 "), "Integer(30)");
    assert_eq!(check("review", "days", "31"), "`days` is 31; the greatest value allowed is 30");
    assert_eq!(check("review", "days", "5.0"), "`5.0` is no whole number; `days` needs one");
    assert_eq!(check("review", "day", "5"), "`review` has no parameter `day`; did you mean `days`?");
    assert_eq!(check("reviews", "days", "5"), "there is no procedure `reviews`; did you mean `review`?");
}

#[test]
fn the_criteria_are_61_and_each_rests_on_a_control() {
    let (catalog, _) = Catalog::built_in();
    // The common criteria by their five principles of the framework for internal control, and four by their subject; then
    // the four other categories.
    let series = [
        ("CC1", 5),
        ("CC2", 3),
        ("CC3", 4),
        ("CC4", 2),
        ("CC5", 3),
        ("CC6", 8),
        ("CC7", 5),
        ("CC8", 1),
        ("CC9", 2),
        ("A1", 3),
        ("C1", 2),
        ("PI1", 5),
        ("P1", 1),
        ("P2", 1),
        ("P3", 2),
        ("P4", 3),
        ("P5", 2),
        ("P6", 7),
        ("P7", 1),
        ("P8", 1),
    ];
    let numbers: Vec<String> =
        series.iter().flat_map(|(s, count)| (1..=*count).map(move |n| format!("{s}.{n}"))).collect();
    assert_eq!(numbers.len(), 61);
    assert_eq!(catalog.criteria.iter().map(|c| c.id.clone()).collect::<Vec<_>>(), numbers);
    for criterion in &numbers {
        assert!(
            catalog.controls_of(criterion).any(|c| c.key.contains(criterion)),
            "{criterion} has no key control"
        );
    }
}

#[test]
fn what_procedures_cannot_judge_alone_names_what_a_person_gathers() {
    let (catalog, _) = Catalog::built_in();
    for control in catalog.controls.values().filter(|c| c.mode != Mode::Auto) {
        assert!(!control.evidence.is_empty(), "{} names no evidence", control.id);
        assert!(control.evidence.iter().all(|e| !e.every.is_empty() && !e.by.is_empty()), "{}", control.id);
    }
    // Who and how often are the control's own where nothing else is said.
    let minutes = &catalog.controls["GOV-02"].evidence;
    assert_eq!((minutes[0].by.as_str(), minutes[1].by.as_str()), ("CEO", "CISO"));
    assert_eq!(minutes[0].every, [Frequency::Annual]);
}

#[test]
fn annex_a_is_listed_whole_and_everything_referred_to_is_there() {
    let (catalog, problems) = Catalog::built_in();
    assert_eq!(problems, []);
    let iso: Vec<&str> = catalog.crosswalks["iso"].references.iter().map(|r| r.id.as_str()).collect();
    // ISO/IEC 27001:2022 has 37 organisational controls, 8 of people, 14 physical and 34 technological ones.
    for (series, count) in [("5", 37), ("6", 8), ("7", 14), ("8", 34)] {
        for number in 1..=count {
            assert!(iso.contains(&format!("{series}.{number}").as_str()), "{series}.{number}");
        }
    }
    assert_eq!(iso.iter().filter(|id| !id.starts_with("cl.")).count(), 93);
    let got = problems_of_control("iso = [\"5.38\"]\n");
    assert!(got.contains("controls/CHG-02.toml:7:8: `iso` has no number `5.38`"), "{got}");
    assert!(got.contains("did you mean `5."), "{got}");
}

/// The problems of the built-in content with another end of one control over it.
fn problems_of_control(end: &str) -> String {
    let text = format!("{}{end}", CONTROL.trim_start());
    let (_, problems) = Catalog::load(&files(&[("controls/CHG-02.toml", &text)]));
    problems.iter().map(|p| format!("{p}\n")).collect()
}

#[test]
fn a_criterion_that_was_retired_is_named_as_such_with_its_line() {
    let text = CONTROL.trim_start().replace("CC8.1", "CC5.6");
    let (_, problems) = Catalog::load(&files(&[("controls/OWN-01.toml", &text)]));
    let shown: String = problems.iter().map(|p| format!("{p}\n")).collect();
    assert_eq!(
        shown,
        "controls/OWN-01.toml:2:13: `CC5.6` was a criterion until 2017 and is none any more; name the one that took its place; \
         `tickmark catalog criteria` lists them\n"
    );
}

#[test]
fn a_broken_override_leaves_the_control_standing_and_in_doubt() {
    let broken = CONTROL.replace("statement", "statment");
    let (catalog, problems) = Catalog::of(&good(), &files(&[("controls/CHG-02.toml", &broken)]));
    assert_eq!(problems.len(), 2, "{problems:?}");
    let control = &catalog.controls["CHG-02"];
    assert_eq!((control.origin, control.statement.as_str()), (Origin::BuiltIn, "Somebody else reviews."));
    assert_eq!(catalog.in_doubt["CHG-02"], ["content/controls/CHG-02.toml could not be read"]);
    // Two that contradict each other: the first one stands, and nothing can be concluded by it.
    let (catalog, _) = Catalog::of(
        &good(),
        &files(&[("controls/CHG-02.toml", CONTROL), ("controls/own/CHG-02.toml", CONTROL)]),
    );
    assert_eq!(catalog.controls["CHG-02"].origin, Origin::Workspace);
    assert_eq!(catalog.in_doubt["CHG-02"], ["content/controls/own/CHG-02.toml declares it a second time"]);
    // One that is whole is in no doubt.
    assert!(Catalog::of(&good(), &files(&[("controls/CHG-02.toml", CONTROL)])).0.in_doubt.is_empty());
}

#[test]
fn a_procedure_that_cannot_be_read_leaves_its_controls_in_doubt() {
    let doubt = |workspace: &[(&str, &str)]| Catalog::of(&good(), &files(workspace)).0.in_doubt;
    let said = ["its procedure `review` could not be read".to_owned()];
    // What the override says is not known; what it took the place of tested CHG-02.
    let half = [("procedures/review/query.sql", QUERY)];
    assert_eq!(doubt(&half)["CHG-02"], said);
    let toml = PROCEDURE.replace("population = ", "populaton = ");
    assert_eq!(
        doubt(&[("procedures/review/procedure.toml", &toml), ("procedures/review/query.sql", QUERY)])["CHG-02"],
        said
    );
    // An own one beside it: the other procedure of the control says nothing for this one.
    let own = [("procedures/own/procedure.toml", PROCEDURE), ("procedures/own/query.sql", "SELECT 1")];
    assert_eq!(doubt(&own)["CHG-02"], ["its procedure `own` could not be read"]);
}

#[test]
fn content_for_a_later_version_says_so_and_nothing_else() {
    let with = |requires: &str| {
        problems(&[("controls/CHG-02.toml", &format!("requires = \"{requires}\"\nnovel = true\n"))])
    };
    assert_eq!(
        with("99.1.0"),
        format!(
            "controls/CHG-02.toml:1:12: the file is for Tickmark 99.1.0 or later, and this is {}; use that version, or take \
             the file as an earlier one had it\n",
            env!("CARGO_PKG_VERSION")
        )
    );
    assert!(with("soon").contains("`soon` is no version"));
    assert!(with(env!("CARGO_PKG_VERSION")).contains("`novel` is not a field here"));
}

#[test]
fn thousands_of_own_controls_are_read_and_a_typo_among_them_is_short() {
    let paths: Vec<String> = (0..5000).map(|n| format!("controls/own/OWN-{n:04}.toml")).collect();
    let mut list: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), CONTROL)).collect();
    let (catalog, problems) = Catalog::of(&good(), &files(&list));
    assert_eq!((catalog.controls.len(), problems.len()), (5001, 0));
    let toml = PROCEDURE.replace("CHG-02", "NOTHING-LIKE-IT");
    list.extend([("procedures/own/procedure.toml", toml.as_str()), ("procedures/own/query.sql", QUERY)]);
    let (_, problems) = Catalog::of(&good(), &files(&list));
    assert_eq!(problems.len(), 1);
    assert!(problems[0].said().ends_with(" and 4981 more"), "{}", problems[0]);
    assert!(problems[0].said().len() < 600, "{}", problems[0]);
}

#[test]
fn a_policy_says_what_its_controls_say_and_what_they_are_tested_by() {
    let text = "# Reviews\n\nAt {{organisation}}:\n\n- {{control CHG-02}}\n\n{{parameters}}\n";
    let (catalog, found) = Catalog::of(&good(), &files(&[("policies/reviews.md", text)]));
    assert_eq!(found, []);
    let policy = &catalog.policies["reviews"];
    assert_eq!((policy.title.as_str(), policy.controls.as_slice()), ("Reviews", &["CHG-02".to_owned()][..]));
    assert_eq!(
        policy.filled(&catalog, "Halden", |_, _| None),
        "# Reviews\n\nAt Halden:\n\n- Somebody else reviews. (CHG-02; answered for by: Engineering)\n\n\
         - Days. **5** (CHG-02: `review.days`)\n"
    );
    assert!(policy.filled(&catalog, "", |_, _| Some(Value::Integer(9))).contains("Days. **9**"));
    let wrong = "Reviews\n\n{{control CHG-03}}\n{{colour}}\n{{organisation\n";
    assert_eq!(
        problems(&[("policies/reviews.md", wrong)]),
        "policies/reviews.md:1:1: the policy has no title; begin with `# ` and its title\n\
         policies/reviews.md:3:1: there is no control `CHG-03`; did you mean `CHG-02`?\n\
         policies/reviews.md:4:1: nothing is filled in for `colour`; write `organisation`, `control CHG-02` or `parameters`\n\
         policies/reviews.md:5:1: what begins with `{{` has no end; write `}}` after it\n"
    );
}

#[test]
fn every_control_stands_in_a_policy() {
    let (catalog, _) = Catalog::built_in();
    for id in catalog.controls.keys() {
        assert!(catalog.policies.values().any(|p| p.controls.contains(id)), "{id} stands in no policy");
    }
}

#[test]
fn a_preset_always_has_security() {
    let preset = |categories: &str| {
        problems(&[(
            "presets/own.toml",
            &format!("title = \"x\"\nfor_whom = \"y\"\ncategories = {categories}\n"),
        )])
    };
    assert_eq!(preset("[\"security\", \"privacy\"]"), "");
    assert!(preset("[\"privacy\"]").contains("presets/own.toml:3:14: security is in every scope"));
    assert!(preset("[\"security\", \"secrecy\"]").contains("there is no category `secrecy`"));
    let (catalog, _) = Catalog::built_in();
    assert_eq!(catalog.presets["security"].categories, ["security"]);
    assert_eq!(
        catalog.presets["security_availability_confidentiality"].categories,
        ["security", "availability", "confidentiality"]
    );
    assert!(catalog.presets["ai_vendor"].categories.contains(&"processing_integrity".to_owned()));
}
