//! A file, cut into parts of whole records. Nothing but the present part is held in memory.

use std::cell::RefCell;
use std::io::{self, BufRead as _, BufReader, Read};

use super::encoding::{Decoder, Encoding};
use super::parquet::Parquet;
use super::rows::{Fault, Format, reader};

/// A part of a file: whole records, as text. Encoded again it is the file's own bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// The text, header and byte-order mark included where they stand in it.
    pub text: String,
    /// Line of the file at which it begins, from 1.
    pub first_line: u64,
    /// Records in it, the header not counted.
    pub records: u64,
    /// Whether the header stands in it.
    pub header_here: bool,
    /// What stands in the file and in no line of the text, because it cannot be written there as it is.
    pub faults: Vec<Fault>,
}

/// A capture holds at most about as many bytes of text, and as many records.
pub(crate) const BYTES: usize = 2 << 20;
pub(crate) const RECORDS: u64 = 20_000;
/// A record that is longer has lost a quote.
pub(crate) const RECORD_BYTES: usize = 1 << 20;

/// A file that is read.
pub struct File<R: Read> {
    /// Its encoding.
    pub encoding: Encoding,
    /// What stands between cells.
    pub delimiter: char,
    /// Names of its columns; empty for NDJSON, where every line has its own.
    pub header: Vec<String>,
    text: Text<R>,
    pending: String,
    line: u64,
    first: bool,
}

enum Text<R: Read> {
    Csv { reader: csv::Reader<Kept<Input<R>>>, kept_from: u64, ended: bool },
    Ndjson(BufReader<Input<R>>),
}

type Input<R> = io::Chain<io::Cursor<Vec<u8>>, Decoder<io::Chain<io::Cursor<Vec<u8>>, R>>>;

/// Keeps what was read, until it is taken.
struct Kept<R> {
    from: R,
    bytes: RefCell<Vec<u8>>,
}

impl<R: Read> Read for Kept<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(into)?;
        self.bytes.borrow_mut().extend_from_slice(&into[..count]);
        Ok(count)
    }
}

impl<R: Read> File<R> {
    /// Begins to read a file: its encoding, its delimiter and its header.
    ///
    /// # Errors
    /// It cannot be read, is no text of its encoding, or is empty, in words for people.
    pub fn open(
        mut from: R,
        format: Format,
        encoding: Option<Encoding>,
        delimiter: Option<char>,
    ) -> Result<Self, String> {
        let mut head = vec![];
        (&mut from).take(4096).read_to_end(&mut head).map_err(|e| e.to_string())?;
        if head.is_empty() {
            return Err("the file is empty; an export without rows still has a header".to_owned());
        }
        let encoding = match (Encoding::marked(&head), encoding) {
            (Some(marked), Some(said)) if marked != said => {
                return Err(
                    "the file's byte-order mark says another encoding than the mapping; remove `encoding` from it"
                        .to_owned(),
                );
            }
            (Some(marked), _) => marked,
            (None, Some(said)) => said,
            (None, None) if head.len() > 1 && (head[0] == 0 || head[1] == 0) => {
                return Err(
                    "the file looks like UTF-16 without a byte-order mark; say `encoding = \"utf-16le\"` or `\"utf-16be\"` \
                     in the mapping, or save it as UTF-8"
                        .to_owned(),
                );
            }
            (None, None) => Encoding::Utf8,
        };
        if Parquet::begins(&head) {
            return Err(
                "the file is Parquet and no text; remove `format` from the mapping, or `--format`".to_owned()
            );
        }
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"\xd0\xcf\x11\xe0") {
            return Err("the file is no text; save the sheet as CSV (UTF-8) and import that".to_owned());
        }
        let mut decoder = Decoder::new(io::Cursor::new(head).chain(from), encoding);
        // Enough for the header line: it is looked at before the file is read by it.
        let mut begin = vec![];
        while begin.len() < 64 << 10 && !begin.contains(&b'\n') {
            let mut block = [0; 4096];
            let count = decoder.read(&mut block).map_err(|e| unreadable(&e, encoding))?;
            if count == 0 {
                break;
            }
            begin.extend_from_slice(&block[..count]);
        }
        let mark = "\u{feff}".len();
        let marked = begin.starts_with("\u{feff}".as_bytes());
        let pending = if marked { "\u{feff}".to_owned() } else { String::new() };
        begin.drain(..if marked { mark } else { 0 });
        let delimiter = delimiter.unwrap_or_else(|| guessed(&begin));
        if !delimiter.is_ascii() || matches!(delimiter, '"' | '\n' | '\r') {
            return Err(format!(
                "`{delimiter}` cannot stand between cells; name `,`, `;`, `|` or a tab as `delimiter`"
            ));
        }
        let input = io::Cursor::new(begin).chain(decoder);
        let text = match format {
            Format::Csv => Text::Csv {
                reader: reader(delimiter).from_reader(Kept { from: input, bytes: RefCell::default() }),
                kept_from: 0,
                ended: false,
            },
            Format::Ndjson | Format::Parquet => Text::Ndjson(BufReader::new(input)),
        };
        let mut file = Self { encoding, delimiter, header: vec![], text, pending, line: 1, first: true };
        if let Text::Csv { reader, .. } = &mut file.text {
            let mut record = csv::StringRecord::new();
            let there = reader.read_record(&mut record).map_err(|e| of_csv(e, encoding))?;
            if !there {
                return Err("the file has no header; its first line has to name the columns".to_owned());
            }
            file.header = record.iter().map(|name| name.trim().to_owned()).collect();
        }
        Ok(file)
    }

    /// The next part of the file; `None` at its end.
    ///
    /// # Errors
    /// As [`File::open`].
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>, String> {
        let first_line = self.line;
        let header_here = std::mem::take(&mut self.first);
        let mut text = std::mem::take(&mut self.pending);
        let mut records = 0;
        let encoding = self.encoding;
        match &mut self.text {
            Text::Csv { reader, kept_from, ended } => {
                if *ended {
                    return Ok(None);
                }
                let mut record = csv::StringRecord::new();
                let mut last = reader.position().byte();
                while records < RECORDS && usize::try_from(last - *kept_from).is_ok_and(|n| n < BYTES) {
                    if !reader.read_record(&mut record).map_err(|e| of_csv(e, encoding))? {
                        *ended = true;
                        break;
                    }
                    records += 1;
                    let next = reader.position().byte();
                    if next - last > RECORD_BYTES as u64 {
                        let line = record.position().map_or(0, csv::Position::line);
                        return Err(unclosed(line));
                    }
                    if reader.is_done() {
                        *ended = true;
                    }
                    last = next;
                    if *ended {
                        break;
                    }
                }
                let position = reader.position().byte();
                let mut kept = reader.get_ref().bytes.borrow_mut();
                let take =
                    if *ended { kept.len() } else { usize::try_from(position - *kept_from).unwrap_or(0) };
                let bytes: Vec<u8> = kept.drain(..take).collect();
                drop(kept);
                *kept_from += take as u64;
                self.line = reader.position().line();
                let part = String::from_utf8(bytes).map_err(|e| e.to_string())?;
                if *ended && is_open(&part, self.delimiter) {
                    return Err(unclosed(record.position().map_or(first_line, csv::Position::line)));
                }
                text.push_str(&part);
            }
            Text::Ndjson(lines) => {
                while records < RECORDS && text.len() < BYTES {
                    let before = text.len();
                    let read = lines
                        .by_ref()
                        .take(RECORD_BYTES as u64 + 1)
                        .read_line(&mut text)
                        .map_err(|e| unreadable(&e, encoding))?;
                    if read == 0 {
                        break;
                    }
                    if read > RECORD_BYTES {
                        return Err(format!(
                            "line {} is longer than 1 MiB; write one object a line",
                            self.line
                        ));
                    }
                    self.line += 1;
                    if !text[before..].trim().is_empty() {
                        records += 1;
                    }
                }
                if text.is_empty() {
                    return Ok(None);
                }
            }
        }
        if text.is_empty() {
            return Ok(None);
        }
        Ok(Some(Chunk {
            text,
            first_line,
            records,
            header_here: header_here && !self.header.is_empty(),
            faults: vec![],
        }))
    }
}

/// Whether the last record of a text opens a quote that nothing closes: then it takes in whatever would follow.
fn is_open(text: &str, delimiter: char) -> bool {
    let count = |text: &str| reader(delimiter).from_reader(text.as_bytes()).into_byte_records().count();
    // A quoted cell spans at most a record, and a record is cut off at the limit above: the tail is enough, from a line that
    // begins a record. Counting all of the part is simpler and costs one more reading of the last part only.
    count(&format!("{text}\nx")) == count(text)
}

fn unclosed(line: u64) -> String {
    format!(
        "the record at line {line} does not end; a double quote is missing, or one inside a text is not doubled"
    )
}

/// The character that parts most cells of the header.
fn guessed(begin: &[u8]) -> char {
    let line = begin.split(|b| *b == b'\n').next().unwrap_or(begin);
    let count = |c: char| {
        let mut quoted = false;
        line.iter()
            .filter(|b| {
                quoted ^= **b == b'"';
                !quoted && char::from(**b) == c
            })
            .count()
    };
    // The first of equals: a comma.
    [',', ';', '\t', '|'].into_iter().rev().max_by_key(|c| count(*c)).unwrap_or(',')
}

fn of_csv(error: csv::Error, encoding: Encoding) -> String {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => unreadable(&error, encoding),
        csv::ErrorKind::Utf8 { pos, .. } => {
            format!("line {} is no UTF-8; save the file as UTF-8", pos.map_or(0, |p| p.line()))
        }
        other => format!("it is no CSV ({other:?})"),
    }
}

fn unreadable(error: &io::Error, encoding: Encoding) -> String {
    if error.kind() != io::ErrorKind::InvalidData {
        return error.to_string();
    }
    match encoding {
        Encoding::Utf8 => format!(
            "{error}; save it as UTF-8, or say `encoding = \"windows-1252\"` in the mapping where a western European \
             Windows program wrote it"
        ),
        _ => format!("{error}; save it as UTF-8 and remove `encoding` from the mapping"),
    }
}
