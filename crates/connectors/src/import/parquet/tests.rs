//! Files that other programs wrote (`tests/parquet/make.py`), and what becomes of them when their bytes are changed.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::*;
use crate::import::Format;

fn bytes(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/parquet/{name}.parquet"))).unwrap()
}

fn on_disk(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn mapping(names: &[&str], more: &str) -> Mapping {
    let names: Vec<String> = names.iter().map(|n| format!("{n:?}")).collect();
    Mapping::parse(&format!("table = \"ticket\"\nkey = [{}]\n[columns]\n{more}", names.join(", "))).unwrap()
}

/// What a file gives of some columns: its lines, `! …` for what cannot be written as one, an error where it cannot be read.
fn lines_of(bytes: &[u8], mapping: &Mapping) -> Result<Vec<String>, String> {
    let mut file = Parquet::open(on_disk(bytes), Some(mapping))?;
    let mut lines = vec![];
    while let Some(chunk) = file.next_chunk()? {
        assert_eq!(
            chunk.first_line,
            lines.iter().filter(|l: &&String| !l.starts_with('!')).count() as u64 + 1
        );
        lines.extend(chunk.text.split_terminator('\n').map(str::to_owned));
        lines.extend(chunk.faults.iter().map(|f| format!("! {}", f.in_words("row"))));
    }
    Ok(lines)
}

#[track_caller]
fn check(name: &str, columns: &[&str], expect: &[&str]) {
    assert_eq!(lines_of(&bytes(name), &mapping(columns, "")).unwrap(), expect, "{name}");
}

#[track_caller]
fn refuses(bytes: &[u8], mapping: &Mapping, parts: &[&str]) {
    let said = lines_of(bytes, mapping).unwrap_err();
    for part in parts {
        assert!(said.contains(part), "no `{part}` in: {said}");
    }
}

const ALL: [&str; 14] = [
    "id",
    "key",
    "summary",
    "created",
    "local",
    "day",
    "cost",
    "huge",
    "live",
    "count",
    "many",
    "status",
    "fields.who.name",
    "nothing",
];

/// The rows of `ROWS` in make.py.
const ROWS: [&str; 3] = [
    r#"{"id":1,"key":"A-1","summary":"pump; \"big\"\n\\","created":"2026-03-04T09:00:00Z","local":"2026-03-04T10:00:00.5","day":"2026-03-31","cost":"12.30","huge":"99999999999999999999999999999999999999","live":true,"count":4294967295,"many":18446744073709551615,"status":"open","fields.who.name":"ann","nothing":null}"#,
    r#"{"id":2,"key":"A-2","summary":null,"created":null,"local":null,"day":null,"cost":null,"huge":null,"live":null,"count":null,"many":null,"status":null,"fields.who.name":null,"nothing":null}"#,
    r#"{"id":-9223372036854775808,"key":"Ä-3","summary":"","created":"1969-12-31T23:59:59.999999Z","local":"0001-01-01T00:00:00","day":"9999-12-31","cost":"-0.05","huge":"-1","live":false,"count":0,"many":0,"status":"open","fields.who.name":null,"nothing":null}"#,
];

#[test]
fn every_type_comes_out_as_it_went_in() {
    for codec in ["none", "snappy", "gzip", "zstd", "lz4"] {
        check(&format!("pyarrow-{codec}"), &ALL, &ROWS);
    }
    check("pyarrow-v2", &ALL, &ROWS);
    check(
        "polars",
        &["id", "key", "created", "day", "cost", "live", "fields.who"],
        &[
            r#"{"id":1,"key":"A-1","created":"2026-03-04T09:00:00Z","day":"2026-03-31","cost":"12.30","live":true,"fields.who":"ann"}"#,
            r#"{"id":2,"key":"A-2","created":null,"day":null,"cost":null,"live":null,"fields.who":null}"#,
            r#"{"id":-9223372036854775808,"key":"Ä-3","created":"1969-12-31T23:59:59.999999Z","day":"9999-12-31","cost":"-0.05","live":false,"fields.who":null}"#,
        ],
    );
    // A column of whole numbers with one unknown is a column of fractions there; times have no zone.
    let frame = [
        r#"{"Id":1,"Points":3,"Created":"2026-03-04T10:00:00","Summary":"oil"}"#,
        r#"{"Id":2,"Points":null,"Created":null,"Summary":null}"#,
    ];
    check("pandas", &["Id", "Points", "Created", "Summary"], &frame);
    check("fastparquet", &["Id", "Points", "Created", "Summary"], &frame);
    check(
        "pyarrow-int96",
        &["id", "at"],
        &[
            r#"{"id":1,"at":"2026-03-04T09:00:00.000000001"}"#,
            r#"{"id":2,"at":null}"#,
            r#"{"id":3,"at":"1969-12-31T23:59:59.999999999"}"#,
        ],
    );
}

#[test]
fn nothing_is_rounded() {
    let faulty = |column: &str, expect: &[&str]| check("pyarrow-other", &["id", column], expect);
    faulty("whole", &[r#"{"id":1,"whole":17}"#, r#"{"id":2,"whole":null}"#]);
    faulty("nano", &[r#"{"id":1,"nano":"2026-03-04T09:00:00.123456789Z"}"#, r#"{"id":2,"nano":null}"#]);
    let instead = "have its writer give the column as DECIMAL, as whole numbers or as text";
    faulty(
        "ratio",
        &[
            "",
            r#"{"id":2,"ratio":2}"#,
            &format!(
                "! row 1, column `ratio`: `0.1` is a binary fraction, which is exact of whole numbers only; {instead}"
            ),
        ],
    );
    for (column, value, first) in
        [("small", "16777216", "16777215"), ("large", "9007199254740992", "9007199254740991")]
    {
        faulty(
            column,
            &[
                &format!("{{\"id\":1,\"{column}\":{first}}}"),
                "",
                &format!(
                    "! row 2, column `{column}`: `{value}` is too large to be exact as a binary fraction; {instead}"
                ),
            ],
        );
    }
    faulty(
        "nan",
        &[
            "",
            "",
            &format!("! row 1, column `nan`: `NaN` is no number; {instead}"),
            &format!("! row 2, column `nan`: `inf` is no number; {instead}"),
        ],
    );
    // The year 10000.
    faulty(
        "late",
        &[
            "",
            r#"{"id":2,"late":"1970-01-01T00:00:00"}"#,
            "! row 1, column `late`: `253402300800000` is no possible instant; write one between the years 1 and 9999, or NULL",
        ],
    );
    faulty(
        "wide",
        &[
            "",
            r#"{"id":2,"wide":"1"}"#,
            "! row 1, column `wide`: is too large a DECIMAL; write it with 38 digits at most",
        ],
    );
    check(
        "pyarrow-text",
        &["id", "text"],
        &[
            r#"{"id":1,"text":"right"}"#,
            "",
            "! row 2, column `text`: `wr\u{fffd}\u{fffd}ng` is no UTF-8; have its writer give the column as text in UTF-8",
        ],
    );
}

#[test]
fn what_cannot_be_read_is_refused_by_name() {
    let other = bytes("pyarrow-other");
    for (column, part) in [
        ("bytes", "the column `bytes` holds bytes of which nothing says that they are text"),
        ("fixed", "the column `fixed` holds bytes"),
        ("tags.list.element", "is a list or a map"),
        ("tags", "has others inside it; name one of them, such as `tags.list.element`"),
        ("time", "is of the type TIME, which is not read here"),
        ("nobody", "the file has no column `nobody`; it has `bytes`, `fixed`"),
    ] {
        refuses(&other, &mapping(&[column], ""), &[part]);
    }
    refuses(&bytes("pyarrow-twice"), &mapping(&["x"], ""), &["the file has two columns `x`"]);
    refuses(&bytes("pyarrow-brotli"), &mapping(&["id"], ""), &["compressed with BROTLI", "SNAPPY, ZSTD"]);
    refuses(&bytes("pyarrow-encrypted"), &mapping(&["id"], ""), &["is encrypted"]);
    refuses(&bytes("pyarrow-encrypted-values"), &mapping(&["id"], ""), &["is encrypted"]);
    refuses(b"id,key\n1,2\n", &mapping(&["id"], ""), &["is no Parquet"]);
    // How a German spreadsheet writes numbers says nothing of a number: 12.30 would become 1230.
    let german = mapping(&["id"], "count = { column = \"cost\", decimal = \",\", group = \".\" }\n");
    refuses(&bytes("pyarrow-none"), &german, &["the column `cost` holds numbers and no text", "no `group`"]);
    let text = mapping(&["id"], "count = { column = \"key\", decimal = \",\", group = \".\" }\n");
    assert!(lines_of(&bytes("pyarrow-none"), &text).is_ok());
}

#[test]
fn rows_come_in_order_and_in_parts() {
    let mut file = Parquet::open(on_disk(&bytes("pyarrow-long")), Some(&mapping(&["of", "id"], ""))).unwrap();
    assert_eq!((file.rows(), file.schema()), (45_001, vec!["id: INT64".to_owned(), "of: STRING".to_owned()]));
    assert!(file.writer().starts_with("parquet-cpp-arrow"), "{}", file.writer());
    let (mut row, mut parts) = (0, vec![]);
    while let Some(chunk) = file.next_chunk().unwrap() {
        assert_eq!((chunk.first_line, chunk.text.lines().count() as u64), (row + 1, chunk.records));
        parts.push(chunk.records);
        for line in chunk.text.lines() {
            let of = if row % 3 == 0 { "null".to_owned() } else { format!("\"v{}\"", row % 700) };
            assert_eq!(line, format!("{{\"of\":{of},\"id\":{row}}}"));
            row += 1;
        }
    }
    assert_eq!((row, parts), (45_001, vec![20_000, 20_000, 5_001]));
    // Without rows there is one part all the same, which says so.
    let mut empty = Parquet::open(on_disk(&bytes("pyarrow-empty")), Some(&mapping(&["id"], ""))).unwrap();
    let only = empty.next_chunk().unwrap().unwrap();
    assert_eq!((only.text.as_str(), only.records, only.first_line), ("", 0, 1));
    assert_eq!(empty.next_chunk().unwrap(), None);
    let (names, others) = Parquet::open(on_disk(&bytes("pyarrow-other")), None).unwrap().header();
    assert_eq!((names.len(), others.len()), (9, 4), "{names:?} {others:?}");
    assert!(Format::Parquet != Format::Ndjson);
}

/// A number as a page's header writes it, in as many bytes as wanted.
fn counted(value: u64, length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| {
            let more = if at + 1 < length { 0x80 } else { 0 };
            u8::try_from(((value * 2) >> (7 * at)) & 0x7f).unwrap() | more
        })
        .collect()
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|w| w == from).unwrap();
    let mut out = bytes.to_vec();
    out[at..at + to.len()].copy_from_slice(to);
    out
}

#[test]
fn a_small_file_that_unpacks_to_much_is_refused_before_it_does() {
    let by_id = mapping(&["id"], "");
    let bomb = bytes("pyarrow-bomb-zstd");
    assert!(bomb.len() < 50_000);
    refuses(&bomb, &by_id, &["a page is said to unpack to 200000", "128 MiB are read at most"]);
    // 20 MB can be unpacked, and then no line can hold the text.
    let gzip = bytes("pyarrow-bomb-gzip");
    let lines = lines_of(&gzip, &by_id).unwrap();
    assert!(lines[1].contains("is longer than 1048576 bytes"), "{lines:?}");
    // Four bytes of length, four and two of what is there, and the text itself.
    for (bytes, said, length) in [(bomb, 200_000_010, 5), (gzip, 20_000_010, 4)] {
        let honest = counted(said, length);
        let lying = replaced(&bytes, &honest, &counted(1000, honest.len()));
        refuses(
            &lying,
            &by_id,
            &["the column `id` cannot be read from row 1 on", "unpacked to the size it says"],
        );
    }
}

#[test]
fn more_rows_than_bytes_are_refused() {
    let many = bytes("pyarrow-many");
    assert!(many.len() < 20_000);
    refuses(&many, &mapping(&["id"], ""), &["it is said to hold 6000000 rows", "write several files"]);
}

#[test]
fn a_file_that_is_cut_short_is_never_read() {
    for name in ["pyarrow-none", "pyarrow-v2", "polars", "pyarrow-empty"] {
        let whole = bytes(name);
        let by_id = mapping(&["id"], "");
        for length in 0..whole.len() {
            assert!(lines_of(&whole[..length], &by_id).is_err(), "{name} up to {length}");
        }
        // Without what is between beginning and footer.
        let footer =
            usize::try_from(u32::from_le_bytes(*whole[whole.len() - 8..].first_chunk().unwrap())).unwrap();
        let alone = [&whole[..4], &whole[whole.len() - 8 - footer..]].concat();
        assert!(name == "pyarrow-empty" || lines_of(&alone, &by_id).is_err(), "{name}");
    }
}

/// Whatever is changed in a file, it is read or refused: nothing panics, and no more rows come than there were. Where pages have
/// checksums, no change in one goes unseen.
#[test]
fn a_changed_byte_harms_nobody() {
    let columns = mapping(&ALL, "");
    std::panic::set_hook(Box::new(|panic| assert!(is_decoding(), "{panic}")));
    for name in ["pyarrow-snappy", "pyarrow-v2"] {
        let whole = bytes(name);
        let footer =
            usize::try_from(u32::from_le_bytes(*whole[whole.len() - 8..].first_chunk().unwrap())).unwrap();
        let right = lines_of(&whole, &columns).unwrap();
        let mut seen = 0;
        for at in 0..whole.len() {
            for change in [0x01, 0x80] {
                let mut bytes = whole.clone();
                bytes[at] ^= change;
                match lines_of(&bytes, &columns) {
                    Ok(lines) => {
                        assert!(lines.len() <= 50, "byte {at}: {} lines", lines.len());
                        let in_pages = name == "pyarrow-snappy" && at < whole.len() - 8 - footer;
                        assert!(!in_pages || lines == right, "byte {at} by {change:#x}: {lines:?}");
                    }
                    Err(_) => seen += 1,
                }
            }
        }
        assert!(seen > whole.len() / 2, "{name}: {seen}");
    }
}

/// A structure that claims a list of two thousand million elements, and one that is nested without end.
#[test]
fn a_footer_that_lies_is_refused() {
    let with_footer = |footer: &[u8]| {
        let size = u32::try_from(footer.len()).unwrap().to_le_bytes();
        [MARK, footer, &size, MARK].concat()
    };
    let by_id = mapping(&["id"], "");
    let list = [0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07];
    refuses(&with_footer(&list), &by_id, &["its footer cannot be read"]);
    refuses(&with_footer(&[0x29; 100_000]), &by_id, &["its footer cannot be read"]);
    refuses(&with_footer(&[0x1c; 100_000]), &by_id, &["its footer cannot be read"]);
    refuses(&with_footer(&[]), &by_id, &["the file is damaged"]);
    // A schema in which every column lies inside the one before: `version`, a list of structures with a name and one child.
    let depth = 5_000_u32;
    let mut deep = vec![0x15, 0x02, 0x19, 0xfc];
    deep.extend([u8::try_from(depth & 0x7f).unwrap() | 0x80, u8::try_from(depth >> 7).unwrap()]);
    for _ in 0..depth {
        deep.extend([0x35, 0x00, 0x18, 0x01, b'a', 0x15, 0x02, 0x00]);
    }
    deep.extend([0x16, 0x00, 0x19, 0x0c, 0x00]);
    refuses(&with_footer(&deep), &by_id, &["lies deeper"]);
    let none = [MARK, &[0; 4][..], &1_000_u32.to_le_bytes(), MARK].concat();
    refuses(&none, &by_id, &["its footer is said to begin before the file"]);
}

/// A run of DELTA_BINARY_PACKED begins with 128 values a block, 4 parts of one, how many values there are, and the first. Room is
/// made for as many as it says, before any is read.
#[test]
fn lengths_that_are_not_there_are_not_believed() {
    use parquet::basic::Encoding as E;
    let one = [0x80, 0x01, 4, 1, 0];
    // 2^36 of them, in a block of which nothing is there; and in one of equal lengths that take no bytes.
    let many = [0x80, 0x01, 4, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02, 0];
    let blocks = [&[0x80, 0x01, 4, 0xe8, 0x07, 0][..], &[0; 5].repeat(8)].concat();
    let fits = |encoding, bytes: &[u8], values| page::plausible(encoding, bytes, values).is_ok();
    assert!(fits(E::DELTA_LENGTH_BYTE_ARRAY, &one, 1) && !fits(E::DELTA_LENGTH_BYTE_ARRAY, &one, 0));
    assert!(
        fits(E::DELTA_LENGTH_BYTE_ARRAY, &blocks, 1000) && !fits(E::DELTA_LENGTH_BYTE_ARRAY, &blocks, 999)
    );
    assert!(!fits(E::DELTA_LENGTH_BYTE_ARRAY, &blocks[..45], 1000));
    // Common beginnings come first, then what follows each.
    assert!(fits(E::DELTA_BYTE_ARRAY, &[one, one].concat(), 1));
    for lying in [&many[..], &[&one[..], &many].concat(), &[&blocks[..], &one].concat(), &[]] {
        assert!(!fits(E::DELTA_BYTE_ARRAY, lying, 1 << 40), "{lying:?}");
    }
}
