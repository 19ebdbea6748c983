//! Bytes to rows: what a file says by its mapping, and what is refused.

use model::{
    Capture, Column, ColumnType, Derived, Document, FactValue, Grade, Instant, Receipt, Table, TableKind,
};
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A table with a column of every type.
fn table() -> Table {
    let column = |name: &str, kind, nullable, words: &[&str]| Column {
        name: name.to_owned(),
        kind,
        nullable,
        doc: "A column.".to_owned(),
        words: words.iter().map(|w| (*w).to_owned()).collect(),
    };
    Table {
        name: "deployment".to_owned(),
        kind: TableKind::Event,
        doc: "A table.".to_owned(),
        columns: vec![
            column("label", ColumnType::Text, true, &[]),
            column("status", ColumnType::Text, true, &["approved", "rejected"]),
            column("count", ColumnType::Integer, true, &[]),
            column("happened_at", ColumnType::Instant, true, &[]),
            column("production", ColumnType::Flag, true, &[]),
            column("deployed_by", ColumnType::Account, true, &[]),
            column("repository", ColumnType::Entity, true, &[]),
        ],
        cluster_by: vec![],
        index_by: vec![],
        fed_by: vec![],
        scope: None,
    }
}

/// Cuts a file as `tickmark import` does and derives each part as the ledger's reader does.
fn parts(mapping: &str, bytes: &[u8], format: Format) -> Result<Vec<(Vec<u8>, Derived)>, String> {
    let parsed = Mapping::parse(mapping).map_err(|e| e.to_string())?;
    let mut file = File::open(bytes, format, parsed.encoding, parsed.delimiter)?;
    let header = if format == Format::Csv { file.header.clone() } else { parsed.names() };
    parsed.plan(TableKind::Event, &columns_of(&table()), &header).map_err(|e| e.to_string())?;
    let mut parts = vec![];
    while let Some(chunk) = file.next_chunk()? {
        let shape = Shape {
            format,
            encoding: file.encoding,
            delimiter: file.delimiter,
            header: header.clone(),
            header_here: chunk.header_here,
            first_line: chunk.first_line,
            kind: TableKind::Event,
            columns: columns_of(&table()),
        };
        let receipt = Receipt {
            source: "import:x".into(),
            stream: "deployments".into(),
            media_type: "text/csv".into(),
            collected_at: Instant::from_ms(0),
            collector: COLLECTOR.into(),
            request: String::new(),
            status: None,
            server_date: None,
            page: 0,
            coverage: None,
            cursor: None,
            context: json!({ "mapping": mapping, "shape": shape }),
            redacted: vec![],
        };
        let document = Capture { receipt, body: file.encoding.encode(&chunk.text) }.to_document();
        let document = Document::parse(&document).unwrap();
        parts.push((document.body.to_vec(), derive(&document)));
    }
    Ok(parts)
}

/// What a file gives: a line `key: column=value …` for each row, a line `! …` for what cannot be read.
fn lines(mapping: &str, bytes: &[u8], format: Format) -> Vec<String> {
    let parts = match parts(mapping, bytes, format) {
        Ok(parts) => parts,
        Err(error) => return vec![format!("! {error}")],
    };
    assert_eq!(
        parts.iter().flat_map(|(body, _)| body.clone()).collect::<Vec<u8>>(),
        bytes,
        "the bytes as they came"
    );
    let mut lines = vec![];
    for (_, derived) in parts {
        for fact in derived.facts {
            assert_eq!(fact.grade, Grade::Asserted);
            let values = fact.values.iter().map(|(name, value)| {
                let value = match value {
                    FactValue::Null => "NULL".to_owned(),
                    FactValue::Integer(n) if name.ends_with("_at") => Instant::from_ms(*n).to_string(),
                    FactValue::Integer(n) => n.to_string(),
                    FactValue::Text(text) => format!("{text:?}"),
                    FactValue::Entity(key) => format!("{}<{}>{}", key.kind, key.scope, key.key),
                };
                format!(" {name}={value}")
            });
            lines.push(format!("{}:{}", fact.about.key, values.collect::<String>()));
        }
        lines.extend(derived.problems.into_iter().map(|p| format!("! {p}")));
    }
    lines
}

#[track_caller]
fn check(columns: &str, csv: &str, expect: &[&str]) {
    let mapping = format!("table = \"deployment\"\nkey = \"id\"\n[columns]\n{columns}");
    check_file(&mapping, csv.as_bytes(), Format::Csv, expect);
}

/// One cell under a rule.
#[track_caller]
fn cell(rule: &str, cell: &str, expect: &str) {
    let name = rule.split(' ').next().unwrap();
    let mapping = format!("table = \"deployment\"\nkey = \"id\"\n[columns]\n{rule}");
    let got = lines(&mapping, format!("id\tx\n7\t{cell}\n").as_bytes(), Format::Csv);
    assert_eq!(got.len(), 1, "{got:?}");
    let got = got[0].strip_prefix(&format!("7: {name}=")).unwrap_or(&got[0]);
    let matches = expect.strip_prefix('!').map_or(got == expect, |part| got.contains(part));
    assert!(matches, "`{cell}` gives {got}, not {expect}");
}

#[track_caller]
fn check_file(mapping: &str, bytes: &[u8], format: Format, expect: &[&str]) {
    let got = lines(mapping, bytes, format);
    assert_eq!(got.len(), expect.len(), "{got:#?}");
    for (got, expect) in got.iter().zip(expect) {
        let matches = match expect.strip_prefix('!') {
            Some(part) => got.starts_with('!') && got.contains(part),
            None => got == expect,
        };
        assert!(matches, "{got}\nis not\n{expect}");
    }
}

#[test]
fn a_quoted_cell_is_one_text() {
    check(
        r#"label = "what""#,
        "id,what\r\n1,\"a, \"\"b\"\"\r\nc\"\r\n2, d \r\n",
        &[r#"1: label="a, \"b\"\r\nc""#, r#"2: label=" d ""#],
    );
    // What a spreadsheet would run is a text like any other; a NUL, which PostgreSQL cannot keep, is replaced when rows are
    // stored and not before.
    check(
        r#"label = "what""#,
        "id,what\n1,=cmd|' /C calc'!A0\n2,a\0b\n",
        &[r#"1: label="=cmd|' /C calc'!A0""#, r#"2: label="a\0b""#],
    );
    check(r#"label = "what""#, "id,what\n1,\n\n\n2,\"\"\n", &["1: label=NULL", "2: label=NULL"]);
}

#[test]
fn a_line_is_named_where_it_stands_in_the_file() {
    check(
        r#"count = "n""#,
        "id,n\r\n\r\n1,\"\r\n2\"\r\n2,x\r\n3\r\n",
        &[
            "1: count=2",
            "! line 5, column `n`: `x` is no whole number; write digits only",
            "! line 6: there are 1 cells, and the header has 2",
        ],
    );
    check(
        r#"count = "n""#,
        "id,n,m\n1,2,3,4\n,1,2\n",
        &[
            "! line 2: there are 4 cells, and the header has 3",
            "! line 3, column `id`: the cell is empty; a key has to be there",
        ],
    );
    // A second part of the file goes on counting.
    let many: String = (0..40_001)
        .map(|n| format!("{n},{}\r\n", if n == 39_999 { "bad".into() } else { n.to_string() }))
        .collect();
    let got = lines(
        "table = \"deployment\"\nkey = \"id\"\n[columns]\ncount = \"n\"",
        format!("id,n\r\n{many}").as_bytes(),
        Format::Csv,
    );
    assert_eq!(got.len(), 40_001);
    assert!(
        got.iter().any(|l| l.starts_with("! line 40001, column `n`: `bad`")),
        "{:?}",
        got.iter().find(|l| l.starts_with('!'))
    );
    assert!(got.contains(&"40000: count=40000".to_owned()));
}

#[test]
fn the_encoding_is_found_or_asked_for() {
    let mapping = "table = \"deployment\"\nkey = \"id\"\n[columns]\nlabel = \"what\"\n";
    let text = "id;what\r\n1;größer 🙂\r\n";
    let expect = [r#"1: label="größer 🙂""#];
    let marked = format!("\u{feff}{text}");
    check_file(mapping, text.as_bytes(), Format::Csv, &expect);
    check_file(mapping, marked.as_bytes(), Format::Csv, &expect);
    for encoding in [Encoding::Utf16Le, Encoding::Utf16Be] {
        check_file(mapping, &encoding.encode(&marked), Format::Csv, &expect);
    }
    check_file(mapping, &Encoding::Utf16Le.encode(text), Format::Csv, &["!looks like UTF-16"]);
    let stated = format!("encoding = \"utf-16le\"\n{mapping}");
    check_file(&stated, &Encoding::Utf16Le.encode(text), Format::Csv, &expect);
    // 0xF6 is `ö` and 0x80 the euro sign in windows-1252; neither begins UTF-8.
    let windows = b"id;what\n1;gr\xf6\xdfer 5 \x80\n";
    check_file(
        mapping,
        windows,
        Format::Csv,
        &["!byte 12 of the file is no UTF-8; save it as UTF-8, or say `encoding = \"windows-1252\"`"],
    );
    check_file(
        &format!("encoding = \"windows-1252\"\n{mapping}"),
        windows,
        Format::Csv,
        &[r#"1: label="größer 5 €""#],
    );
    check_file(
        &format!("encoding = \"windows-1252\"\n{mapping}"),
        b"id;what\n1;\x81\n",
        Format::Csv,
        &["!is no windows-1252"],
    );
    check_file(mapping, b"\xff\xfei\0d\0;", Format::Csv, &["!is no UTF-16"]);
    check_file(mapping, b"PK\x03\x04....", Format::Csv, &["!save the sheet as CSV"]);
}

#[test]
fn a_file_that_is_none_says_so() {
    check(r#"label = "what""#, "", &["!the file is empty"]);
    check(r#"label = "what""#, "\n\n", &["!the file has no header"]);
    check(r#"label = "what""#, "id,what\n", &[]);
    check(r#"label = "what""#, "id,What\n1,a\n", &["!the file has no column `what`; it has `id`, `What`"]);
    check(r#"label = "what""#, "id,what,what\n1,a,b\n", &["!the file has two columns `what`"]);
    check(r#"label = "what""#, "id,what\n1,\"a\n2,b\n", &["!does not end; a double quote is missing"]);
    check(r#"lable = "what""#, "id,what\n1,a\n", &["!the table `deployment` has no column `lable`"]);
    check(
        r#"count = { column = "what", zone = "UTC" }"#,
        "id,what\n1,a\n",
        &["!`zone` means nothing for `count`"],
    );
    check(r#"deployed_by = "what""#, "id,what\n1,a\n", &["!say of which system with `system`"]);
    check("label = { colum = \"what\" }", "id,what\n1,a\n", &["! line 4: "]);
}

#[test]
fn an_instant_that_can_be_read_in_two_ways_is_refused() {
    let plain = "happened_at = \"x\"";
    cell(plain, "2026-03-31T17:00:00Z", "2026-03-31T17:00:00Z");
    cell(plain, "2026-03-31T17:00:00.25+02:00", "2026-03-31T15:00:00.25Z");
    cell(plain, "", "NULL");
    cell(plain, "03/04/2026", "!`03/04/2026` can be read as several days; say how it is written");
    cell(plain, "04.03.2026 10:00", "!can be read as several days");
    cell(plain, "46112", "!may count days or seconds; say `format = \"excel\"`, `\"unix\"`");
    cell(plain, "1774976400", "!may count days or seconds");
    cell(plain, "2026-03-31 17:00", "!has no time zone; say where the clock stood");
    cell(plain, "2026-03-31", "!has no time zone");
    cell(plain, "2026-02-30T10:00:00Z", "!is no instant");
    cell(plain, "yesterday", "!is no instant");
    let berlin = r#"happened_at = { column = "x", zone = "Europe/Berlin" }"#;
    cell(berlin, "2026-03-31 17:00", "2026-03-31T15:00:00Z");
    cell(berlin, "2026-01-31T17:00:05", "2026-01-31T16:00:05Z");
    cell(berlin, "2026-03-31", "!has no time of day; say which moment of the day counts");
    cell(berlin, "2026-03-31T17:00[Asia/Tokyo]", "!is no instant");
    cell(berlin, "2026-02-30", "!is no possible instant");
    // On 29 March 2026 clocks in Berlin went from 2 to 3; on 25 October from 3 back to 2.
    cell(berlin, "2026-03-29 02:30", "!never was: the clock was set forward over it");
    cell(berlin, "2026-10-25 02:30", "!came twice: the clock was set back");
    let later = r#"happened_at = { column = "x", zone = "Europe/Berlin", repeated = "later" }"#;
    cell(later, "2026-10-25 02:30", "2026-10-25T01:30:00Z");
    for (day, expect) in [
        ("start", "2026-03-30T22:00:00Z"),
        ("end", "2026-03-31T21:59:59.999Z"),
        ("after", "2026-03-31T22:00:00Z"),
    ] {
        let rule = format!(r#"happened_at = {{ column = "x", zone = "Europe/Berlin", day = "{day}" }}"#);
        cell(&rule, "2026-03-31", expect);
    }
}

#[test]
fn the_mapping_says_how_instants_are_written() {
    let german = r#"happened_at = { column = "x", format = "%d.%m.%Y %H:%M", zone = "UTC" }"#;
    cell(german, "04.03.2026 10:00", "2026-03-04T10:00:00Z");
    cell(german, "04.13.2026 10:00", "!is not written as `%d.%m.%Y %H:%M`");
    cell(german, "31.02.2026 10:00", "!");
    let british = r#"happened_at = { column = "x", format = "%d/%m/%Y", zone = "UTC", day = "start" }"#;
    cell(british, "03/04/2026", "2026-04-03T00:00:00Z");
    let american =
        r#"happened_at = { column = "x", format = "%m/%d/%Y %I:%M %p", zone = "America/New_York" }"#;
    cell(american, "03/04/2026 01:00 PM", "2026-03-04T18:00:00Z");
    let offset = r#"happened_at = { column = "x", format = "%d.%m.%Y %H:%M %z" }"#;
    cell(offset, "04.03.2026 10:00 +0200", "2026-03-04T08:00:00Z");
    // 46112 days after 1899-12-30 is 2026-03-31; spreadsheets agree since March 1900.
    let excel = r#"happened_at = { column = "x", format = "excel", zone = "UTC", day = "start" }"#;
    cell(excel, "46112", "2026-03-31T00:00:00Z");
    cell(excel, "46112.75", "2026-03-31T18:00:00Z");
    cell(excel, "46112,7083333333", "2026-03-31T17:00:00Z");
    cell(excel, "60", "!is no spreadsheet date");
    cell(excel, "99999999", "!is no spreadsheet date");
    cell(r#"happened_at = { column = "x", format = "unix" }"#, "1774976400", "2026-03-31T17:00:00Z");
    cell(
        r#"happened_at = { column = "x", format = "unix-ms" }"#,
        "1774976400001",
        "2026-03-31T17:00:00.001Z",
    );
    cell(r#"happened_at = { column = "x", format = "unix" }"#, "9999999999999", "!is no possible instant");
    let open = r#"happened_at = { column = "x", words = { "" = "forever", "-" = "", never = "2026-01-01T00:00:00Z" } }"#;
    cell(open, "", "9999-12-31T23:59:59.999Z");
    cell(open, "-", "NULL");
    cell(open, "never", "2026-01-01T00:00:00Z");
    let constant = r#"happened_at = { constant = "forever", format = "%d.%m.%Y" }"#;
    cell(constant, "", "9999-12-31T23:59:59.999Z");
}

#[test]
fn a_number_that_can_be_read_in_two_ways_is_refused() {
    let plain = "count = \"x\"";
    cell(plain, "1234", "1234");
    cell(plain, "-7", "-7");
    cell(plain, "1.234", "!can be read in several ways; say how numbers are written");
    cell(plain, "1.234,5", "!can be read in several ways");
    cell(plain, "1e3", "!is no whole number");
    cell(plain, "9223372036854775808", "!is too large");
    let german = r#"count = { column = "x", decimal = ",", group = "." }"#;
    cell(german, "1.234", "1234");
    cell(german, "1.234,0", "1234");
    cell(german, "1.234,5", "!is not whole");
    cell(german, "12.34", "!is no number in groups of three");
    let cents = r#"count = { column = "x", decimal = ",", group = ".", times = 100 }"#;
    cell(cents, "1.234,5", "123450");
    cell(cents, "-0,05", "-5");
    cell(cents, "0,005", "!is not whole");
}

#[test]
fn words_mean_what_the_mapping_says() {
    cell("production = \"x\"", "Yes", "1");
    cell("production = \"x\"", "", "NULL");
    cell("production = \"x\"", "ja", "!is neither yes nor no");
    cell(r#"production = { column = "x", words = { ja = true, nein = false } }"#, "nein", "0");
    cell("status = \"x\"", "approved", "\"approved\"");
    cell("status = \"x\"", "Approved", "!is no word of `status`; there are `approved`, `rejected`");
    cell(r#"status = { column = "x", words = { Genehmigt = "approved" } }"#, " Genehmigt ", "\"approved\"");
    cell(
        r#"status = { column = "x", words = { Genehmigt = "aproved" } }"#,
        "Genehmigt",
        "!is no word of `status`",
    );
}

#[test]
fn other_entities_are_named_by_system_or_kind() {
    check(
        "deployed_by = { column = \"who\", system = { column = \"at\" } }\nrepository = { column = \"repo\", kind = \"repository\" }",
        "id,who,at,repo\n1,ann,idp.example.test,acme/app\n2,ann,,acme/app\n3,,,\n",
        &[
            "1: deployed_by=account<idp.example.test>ann repository=repository<>acme/app",
            "3: deployed_by=NULL repository=NULL",
            "! line 3, column `at`: the cell is empty",
        ],
    );
    // Two columns make one key, and no two keys look alike.
    let mapping = "table = \"deployment\"\nkey = [\"a\", \"b\"]\n[columns]\nlabel = \"a\"\n";
    check_file(
        mapping,
        b"a,b\nx|,y\nx,|y\nx,y\n",
        Format::Csv,
        &[r#"x\||y: label="x|""#, r#"x|\|y: label="x""#, r#"x|y: label="x""#],
    );
}

#[test]
fn a_json_line_is_a_record() {
    let mapping = "table = \"deployment\"\nkey = \"id\"\n[columns]\nlabel = \"fields.name\"\ncount = \"n\"\nproduction = \"live\"\n";
    check_file(
        mapping,
        b"{\"id\":7,\"fields\":{\"name\":\"a\\nb\"},\"n\":3,\"live\":true}\n\n{\"id\":\"8\",\"n\":null}\n{\"id\":9,\"n\":1.5}\n\
          {\"id\":10,\"fields\":{\"name\":[1]}}\n{\"id\":1,\"id\":2}\n[]\n{\"id\":11}",
        Format::Ndjson,
        &[
            r#"7: count=3 label="a\nb" production=1"#,
            "8: count=NULL label=NULL production=NULL",
            "11: count=NULL label=NULL production=NULL",
            "! line 4, column `n`: `1.5` can be read in several ways",
            "! line 5, column `fields.name`: `[1]` is no single value",
            "! line 6, column `id`: the name comes twice",
            "! line 7: `[]` is no JSON object",
        ],
    );
}

#[test]
fn a_proposal_is_a_mapping() {
    let header = ["Id", "Label", "Status", "Happened", "Extra"].map(str::to_owned);
    let text = propose(&header, &[table()], None).unwrap();
    let mapping = Mapping::parse(&text).unwrap();
    assert_eq!(mapping.names(), ["Id", "Happened", "Label", "Status"]);
    mapping.plan(TableKind::Event, &columns_of(&table()), &header).unwrap();
    assert_eq!(propose(&["Colour".to_owned()], &[table()], None), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands in cells comes out of the rows again, by any delimiter, line end and encoding.
    #[test]
    fn cells_survive(
        cells in proptest::collection::vec("\\PC*|[\"\r\n,;\t =]*|.{1,20}", 1..20),
        delimiter in prop_oneof![Just(','), Just(';'), Just('\t'), Just('|')],
        crlf in any::<bool>(),
        encoding in prop_oneof![Just(Encoding::Utf8), Just(Encoding::Utf16Le), Just(Encoding::Utf16Be)],
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let mut text = format!("\u{feff}id{delimiter}x{end}");
        for (at, cell) in cells.iter().enumerate() {
            text.push_str(&format!("{at}{delimiter}\"{}\"{end}", cell.replace('"', "\"\"")));
        }
        let bytes = encoding.encode(&text);
        let mapping = format!("table = \"deployment\"\nkey = \"id\"\ndelimiter = {:?}\n[columns]\nlabel = \"x\"\n", delimiter.to_string());
        let parts = parts(&mapping, &bytes, Format::Csv).unwrap();
        prop_assert_eq!(parts.iter().flat_map(|(body, _)| body.clone()).collect::<Vec<u8>>(), bytes);
        let rows: Vec<FactValue> =
            parts.iter().flat_map(|(_, d)| &d.facts).map(|f| f.values[0].1.clone()).collect();
        let expect: Vec<FactValue> = cells
            .iter()
            .map(|c| if c.is_empty() { FactValue::Null } else { FactValue::Text(c.clone()) })
            .collect();
        prop_assert_eq!(rows, expect);
        prop_assert!(parts.iter().all(|(_, d)| d.problems.is_empty()));
    }
}
