//! `tickmark import`: rows of a CSV, NDJSON or Parquet file, read by a mapping, into the ledger: all of them or none.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

use app::{AppError, Compared, Conflict, KnownKeys, Saying, Workspace};
use clap::{Args, ValueEnum};
use connectors::import::{
    self, COLLECTOR, Chunk, Encoding, Fault, File, Format, Mapping, Parquet, Plan, Shape,
};
use model::{Capture, Coverage, CoverageStatus, Grade, Instant, Receipt, Table, Window};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;
use crate::output::{line, note, plain, progress};
use crate::session::{Session, derive};

#[derive(Args)]
pub(crate) struct Import {
    /// The file: CSV, NDJSON (one JSON object a line) or Parquet
    file: PathBuf,
    /// The mapping, which says what its columns mean; without one, one to begin with is printed
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Table to print a mapping for (default: the one that is most like the file)
    #[arg(long, value_name = "NAME", conflicts_with = "map")]
    table: Option<String>,
    /// What the file is called as a source (default: its table)
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// The file holds everything there was in this window: then what is not in it did not happen. Days or instants
    #[arg(long, value_name = "FROM..TO")]
    covers: Option<String>,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// How many rows there are by the source's own count: with another number in the file nothing is appended
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Do not ask before appending
    #[arg(long)]
    yes: bool,
    /// Form of the file (default: by its first bytes and its name)
    #[arg(long, value_enum, value_name = "FORM")]
    format: Option<Form>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Comma-separated (or semicolons, tabs), with a header
    Csv,
    /// One JSON object a line
    Ndjson,
    /// A file of columns
    Parquet,
}

/// How many unreadable cells are listed.
const LISTED: usize = 20;
/// A mapping is small: it stands in every capture.
const MAPPING_BYTES: u64 = 64 << 10;
/// Parts that are cut while one is read; each is some megabytes.
const READ_AHEAD: usize = 4;
/// Text that is appended at once.
const BATCH: usize = 32 << 20;

pub(crate) fn run(session: &Session, import: &Import) -> Result<ExitCode, Failure> {
    let path = session.environment.current.join(&import.file);
    let place = session.place()?;
    let (mut workspace, conventions) = session.open_records(&place)?;
    let Some(map) = &import.map else {
        return propose(&workspace, &path, import);
    };
    if !import.yes && !import.dry_run && !can_be_asked() {
        return Err(Failure::of("nobody is there to agree; look with --dry-run, then append with --yes"));
    }
    let map = session.environment.current.join(map);
    let text = read_mapping(&map)?;
    let mapping = Mapping::parse(&text).map_err(|e| in_mapping(&map, e))?;
    let table =
        table(&workspace, &mapping.table).map_err(|e| Failure::of(format!("`{}`: {e}", map.display())))?;
    let tz = workspace.config.zone(None);
    let covers = import.covers.as_deref().map(|text| window(text, &tz, session.now)).transpose()?;
    workspace.catch_up(&|document| derive(document, &conventions))?;

    let format = form(import, &path, &mapping)?;
    if format == Format::Parquet && (mapping.encoding.is_some() || mapping.delimiter.is_some()) {
        return Err(Failure::of(format!(
            "`encoding` and `delimiter` mean nothing for Parquet; remove them from `{}`",
            map.display()
        )));
    }
    let count = import.count;
    let job = Job { path: &path, text: &text, mapping: &mapping, table: &table, format, covers, count };
    let name = source_name(import, &mapping)?;
    let checked = check(&mut workspace, &job, &name)?;
    if let Some(count) = count.filter(|count| *count != checked.rows) {
        return Err(Failure::of(format!(
            "the source counts {count} rows, and `{}` has {}: rows were lost on the way, or others came along; export it again",
            path.display(),
            checked.rows
        )));
    }
    checked.say(&job)?;
    let last = job.covers_facts(&name, &checked, session.now);
    let mut news = !checked.compared.says_nothing();
    for fact in &last {
        news |= !workspace.covered_alike(fact)?;
    }
    if !news {
        line("nothing new is in it; nothing was appended")?;
        return Ok(ExitCode::SUCCESS);
    }
    if import.dry_run {
        line("nothing was appended: this was a dry run")?;
        return Ok(ExitCode::SUCCESS);
    }
    if !import.yes && !agreed()? {
        line("nothing was appended")?;
        return Ok(ExitCode::SUCCESS);
    }
    let entries = append(&mut workspace, &job, &checked, &name, session.now)?;
    let applied = workspace.catch_up(&|document| derive(document, &conventions))?;
    for (entry, problem) in applied.problems.iter().filter(|(entry, _)| entries.contains(entry)) {
        note(&format!("entry {entry}: {}", plain(problem)));
    }
    line(&match entries.end - entries.start {
        1 => format!("appended as ledger entry {}", entries.start),
        _ => format!("appended as ledger entries {} to {}", entries.start, entries.end - 1),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A file that is being imported.
struct Job<'a> {
    path: &'a Path,
    text: &'a str,
    mapping: &'a Mapping,
    table: &'a Table,
    format: Format,
    covers: Option<Window>,
    /// What the source itself counts.
    count: Option<u64>,
}

/// A file that is open, in either way of reading one.
enum Opened {
    Text(Box<File<std::fs::File>>),
    Columns(Box<Parquet>),
}

impl Opened {
    fn next_chunk(&mut self) -> Result<Option<Chunk>, String> {
        match self {
            Self::Text(file) => file.next_chunk(),
            Self::Columns(file) => file.next_chunk(),
        }
    }
}

impl Job<'_> {
    fn file(&self) -> Result<std::fs::File, Failure> {
        Ok(std::fs::File::open(self.path).map_err(AppError::file("read", self.path))?)
    }

    fn open(&self) -> Result<Opened, Failure> {
        let file = self.file()?;
        match self.format {
            Format::Parquet => Parquet::open(file, Some(self.mapping)).map(|f| Opened::Columns(Box::new(f))),
            _ => File::open(file, self.format, self.mapping.encoding, self.mapping.delimiter)
                .map(|f| Opened::Text(Box::new(f))),
        }
        .map_err(|e| self.unreadable(&e))
    }

    fn unreadable(&self, error: &str) -> Failure {
        Failure::of(format!("cannot read `{}`: {error}", self.path.display()))
    }

    /// What the file's records are counted by.
    fn place(&self) -> &'static str {
        if self.format == Format::Parquet { "row" } else { "line" }
    }

    /// The form of its captures: Parquet is captured as lines of JSON.
    fn shape(&self, file: &Opened) -> Shape {
        let (format, encoding, delimiter, header) = match file {
            Opened::Text(file) if self.format == Format::Csv => {
                (Format::Csv, file.encoding, file.delimiter, file.header.clone())
            }
            Opened::Text(file) => (Format::Ndjson, file.encoding, file.delimiter, self.mapping.names()),
            Opened::Columns(_) => (Format::Ndjson, Encoding::Utf8, ',', self.mapping.names()),
        };
        Shape {
            format,
            encoding,
            delimiter,
            header,
            header_here: false,
            first_line: 1,
            kind: self.table.kind,
            columns: import::columns_of(self.table),
        }
    }

    fn file_name(&self) -> String {
        self.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// What the last capture will say of coverage, read as it will be.
    fn covers_facts(&self, name: &str, checked: &Checked, now: Instant) -> Vec<model::Fact> {
        if self.covers.is_none() {
            return vec![];
        }
        let part = Part { digest: [0; 32], bytes: 0, first_line: 2, records: 0, header_here: false };
        let capture = self.capture(name, checked, &part, vec![], 0, true, now);
        import::derive(&model::Document { receipt: capture.receipt, body: &[] }).facts
    }

    #[expect(clippy::too_many_arguments, reason = "a receipt says all of this")]
    fn capture(
        &self,
        name: &str,
        checked: &Checked,
        part: &Part,
        body: Vec<u8>,
        page: u32,
        last: bool,
        now: Instant,
    ) -> Capture {
        let shape =
            Shape { header_here: part.header_here, first_line: part.first_line, ..checked.shape.clone() };
        let mut context = json!({
            "mapping": self.text,
            "shape": shape,
            "file": self.file_name(),
            "file_sha256": hex(&checked.digest),
        });
        if let Some(told) = &checked.told {
            context["parquet"] = told.clone();
        }
        if let Some(count) = self.count.filter(|_| last) {
            context["count"] = json!(count);
        }
        let covers = self.covers.filter(|_| last);
        if let Some(window) = covers {
            context["covers"] =
                json!({ "from": window.from.ms(), "to": window.to.ms(), "scopes": self.mapping.covered() });
        }
        if let Some(system) = &self.mapping.export_of {
            context["export_of"] = json!(system);
        }
        let stream =
            self.table.fed_by.iter().find_map(|s| s.strip_prefix("import.")).unwrap_or(&self.table.name);
        Capture {
            receipt: Receipt {
                source: format!("import:{name}"),
                stream: stream.to_owned(),
                media_type: match self.format {
                    Format::Csv => "text/csv".to_owned(),
                    Format::Ndjson | Format::Parquet => "application/x-ndjson".to_owned(),
                },
                collected_at: now,
                collector: COLLECTOR.to_owned(),
                request: format!(
                    "{} records from {} {} of the file {}",
                    part.records,
                    self.place(),
                    part.first_line,
                    self.file_name()
                ),
                status: None,
                server_date: None,
                page,
                coverage: covers.map(|window| Coverage {
                    status: CoverageStatus::Complete,
                    window,
                    reason: String::new(),
                }),
                cursor: None,
                context,
                redacted: vec![],
            },
            body,
        }
    }
}

/// A part of the file, as it was when it was read.
struct Part {
    digest: [u8; 32],
    bytes: usize,
    first_line: u64,
    records: u64,
    header_here: bool,
}

/// What a whole reading of a file found. Nothing of it is appended unless all of it can be read.
struct Checked {
    shape: Shape,
    rows: u64,
    repeated: u64,
    compared: Compared,
    /// The first rows of which another source says something else, and how many there are.
    conflicts: Vec<Conflict>,
    conflicting: u64,
    parts: Vec<Part>,
    /// SHA-256 of the file.
    digest: [u8; 32],
    /// What a receipt says of a file whose own bytes do not enter the ledger.
    told: Option<serde_json::Value>,
    unused: Vec<String>,
}

impl Checked {
    fn say(&self, job: &Job<'_>) -> Result<(), Failure> {
        if !self.unused.is_empty() {
            note(&format!("not used: {}", plain(&self.unused.join(", "))));
        }
        line(&format!("{}: {} rows for `{}`", plain(&job.file_name()), self.rows, job.table.name))?;
        let Compared { new, changed, unchanged, outweighed } = self.compared;
        line(&format!("  new {new}, changed {changed}, unchanged {unchanged}, unreadable 0"))?;
        if self.repeated > 0 {
            line(&format!("  {} come again in the file, word for word", self.repeated))?;
        }
        if outweighed > 0 {
            line(&format!("  {outweighed} are left as they are: a stronger record says otherwise"))?;
        }
        if self.conflicting > 0 {
            line(&format!("  of {} another source says something else", self.conflicting))?;
            for conflict in &self.conflicts {
                line(&format!("    {}", contradiction(conflict)))?;
            }
            let more = self.conflicting - self.conflicts.len() as u64;
            if more > 0 {
                line(&format!(
                    "    and {more} more; once it is imported, see `tickmark record conflicts {}`",
                    job.table.name
                ))?;
            }
        }
        match &job.covers {
            Some(window) => line(&format!("  complete from {} to {}, as you say", window.from, window.to)),
            None => line("  no window is covered: what is not in it is not known to be absent (--covers)"),
        }
    }
}

fn check(workspace: &mut Workspace, job: &Job<'_>, name: &str) -> Result<Checked, Failure> {
    let mut file = job.open()?;
    let shape = job.shape(&file);
    let plan = job
        .mapping
        .plan(shape.kind, &shape.columns, &shape.header)
        .map_err(|e| Failure::of(format!("the mapping does not fit `{}`:\n{e}", job.path.display())))?;
    let used = job.mapping.names();
    let (header, told) = match &file {
        Opened::Text(file) => (file.header.clone(), None),
        Opened::Columns(file) => {
            let told = json!({
                "bytes": file.length(),
                "rows": file.rows(),
                "schema": file.schema(),
                "writer": file.writer(),
            });
            (file.header().0, Some(told))
        }
    };
    let unused = header.into_iter().filter(|h| !used.contains(h)).collect();
    // The bytes of a text are digested as they are read; of a file of columns before, and after to see that it stayed the same.
    let before = told.is_some().then(|| digest_of(job)).transpose()?;
    let mut found = Findings {
        plan: &plan,
        place: job.place(),
        seen: HashMap::new(),
        digests: RandomState::new(),
        faults: vec![],
        faulty: 0,
        faulty_lines: 0,
        rows: 0,
        repeated: 0,
        facts: vec![],
        fresh: 0,
        keep: true,
    };
    let mut checked = Checked {
        shape,
        rows: 0,
        repeated: 0,
        compared: Compared::default(),
        conflicts: vec![],
        conflicting: 0,
        parts: vec![],
        digest: [0; 32],
        told,
        unused,
    };
    let empty = workspace.knows_no_row(&job.table.name)?;
    found.keep = !empty;
    let mut keys = KnownKeys::default();
    let bar = progress("reading");
    let encoding = checked.shape.encoding;
    // One thread cuts the file into parts, this one reads them: each has about half of the work.
    let digest = thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(READ_AHEAD);
        let reading = scope.spawn(move || {
            let mut whole = Sha256::new();
            loop {
                let chunk = file.next_chunk();
                let part = match chunk {
                    Ok(Some(chunk)) => {
                        let bytes = encoding.encode(&chunk.text);
                        whole.update(&bytes);
                        let (digest, bytes) = (sha256(&bytes), bytes.len());
                        let Chunk { first_line, records, header_here, text, faults } = chunk;
                        Ok((Part { digest, bytes, first_line, records, header_here }, text, faults))
                    }
                    Ok(None) => return whole,
                    Err(error) => Err(error),
                };
                let last = part.is_err();
                // Nobody listens any more after a failure.
                if sender.send(part).is_err() || last {
                    return whole;
                }
            }
        });
        for read in receiver {
            let (part, text, faults) = read.map_err(|e| job.unreadable(&e))?;
            let shape =
                Shape { header_here: part.header_here, first_line: part.first_line, ..checked.shape.clone() };
            let mut faults = faults.into_iter().peekable();
            // What could not be written as a line, in order between the lines.
            let mut unwritten = |found: &mut Findings<'_>, up_to: u64| {
                while let Some(first) = faults.next_if(|f| f.line < up_to) {
                    let mut all = vec![first];
                    while let Some(more) = faults.next_if(|f| f.line == all[0].line) {
                        all.push(more);
                    }
                    found.take(all[0].line, Err(all));
                }
            };
            plan.read(&text, &shape, Grade::Asserted, &mut |line, read| {
                unwritten(&mut found, line);
                found.take(line, read);
            });
            unwritten(&mut found, u64::MAX);
            checked.parts.push(part);
            let facts = std::mem::take(&mut found.facts);
            // Of a table without rows everything is new; and once a line cannot be read, nobody asks.
            if found.faulty == 0 {
                checked.compared.add(if empty {
                    Compared { new: std::mem::take(&mut found.fresh), ..Compared::default() }
                } else {
                    let compared = workspace.compare(&facts, &mut keys)?;
                    if compared.changed + compared.outweighed > 0 {
                        let source = format!("import:{name}");
                        let found = &mut checked.conflicts;
                        checked.conflicting +=
                            workspace.conflicts_of(&facts, &source, &mut keys, LISTED, found)?;
                    }
                    compared
                });
            }
            bar.set_position(found.rows);
        }
        reading.join().map_err(|_| Failure::of("the file could not be read to its end; try again"))
    })?;
    bar.finish_and_clear();
    if found.faulty > 0 {
        return Err(found.refusal(job));
    }
    (checked.rows, checked.repeated) = (found.rows, found.repeated);
    if job.format == Format::Ndjson && checked.rows == 0 {
        return Err(job.unreadable("there is no object in it; write one a line"));
    }
    checked.digest = match before {
        Some(before) if before == digest_of(job)? => before,
        Some(_) => return Err(job.unreadable("it was changed while it was read; import it again")),
        None => digest.finalize().into(),
    };
    Ok(checked)
}

/// What is gathered while a file is read: bounded, however long it is.
struct Findings<'p> {
    plan: &'p Plan,
    /// What records are counted by.
    place: &'static str,
    /// Of every row a digest of what it is about, with one of all it says.
    seen: HashMap<u128, u64>,
    /// Makes those digests with a key nobody can know beforehand: no file can be written in which two rows look the same.
    digests: RandomState,
    faults: Vec<Fault>,
    faulty: u64,
    faulty_lines: u64,
    rows: u64,
    repeated: u64,
    /// Rows to be laid beside what is known, where anything is.
    facts: Vec<model::Fact>,
    fresh: u64,
    keep: bool,
}

impl Findings<'_> {
    fn take(&mut self, line: u64, read: Result<import::Read, Vec<Fault>>) {
        self.rows += 1;
        match read {
            Err(faults) => {
                self.faulty_lines += 1;
                self.faulty += faults.len() as u64;
                let room = LISTED.saturating_sub(self.faults.len());
                self.faults.extend(faults.into_iter().take(room));
            }
            Ok(read) => {
                let identity = read.identity(self.plan);
                let digests = &self.digests;
                let half = |number: u8| u128::from(digests.hash_one((number, &identity)));
                let digest = half(1) << 64 | half(2);
                let says = digests.hash_one((&read.fact.values, &read.display));
                match self.seen.entry(digest) {
                    Entry::Vacant(free) => {
                        free.insert(says);
                        self.fresh += 1;
                        if self.keep {
                            self.facts.push(read.fact);
                        }
                    }
                    Entry::Occupied(before) if *before.get() == says => self.repeated += 1,
                    Entry::Occupied(_) => {
                        self.faulty_lines += 1;
                        self.faulty += 1;
                        if self.faults.len() < LISTED {
                            self.faults.push(Fault {
                                line,
                                column: String::new(),
                                value: read.fact.about.key,
                                what: format!(
                                    "is the key of an earlier {}, which says something else",
                                    self.place
                                ),
                                instead: "keep one of the two, or name more columns in `key`".to_owned(),
                            });
                        }
                    }
                }
            }
        }
    }

    fn refusal(&self, job: &Job<'_>) -> Failure {
        let mut text = format!(
            "{} of {} {}s of `{}` cannot be read; nothing was appended",
            self.faulty_lines,
            self.rows,
            self.place,
            job.path.display()
        );
        for fault in &self.faults {
            text.push_str(&format!("\n  {}", plain(&fault.in_words(self.place))));
        }
        let more = self.faulty - self.faults.len() as u64;
        if more > 0 {
            text.push_str(&format!("\n  and {more} more"));
        }
        Failure::of(text)
    }
}

/// Appends the file, part after part; the last one says what it covers, so that a run that dies midway claims nothing.
fn append(
    workspace: &mut Workspace,
    job: &Job<'_>,
    checked: &Checked,
    name: &str,
    now: Instant,
) -> Result<std::ops::Range<u64>, Failure> {
    let mut again = match job.format {
        Format::Parquet => Again::Columns(job.open()?),
        _ => Again::Bytes(job.file()?),
    };
    let mut entries: Option<std::ops::Range<u64>> = None;
    let mut batch: Vec<Capture> = vec![];
    let mut bytes = 0;
    for (page, part) in checked.parts.iter().enumerate() {
        let last = page + 1 == checked.parts.len();
        let body = again.part(part.bytes, last).filter(|body| sha256(body) == part.digest);
        let Some(body) = body else {
            return Err(Failure::of(format!(
                "`{}` was changed while it was read; import it again: what has been appended already is not appended twice",
                job.path.display()
            )));
        };
        let page = u32::try_from(page).unwrap_or(u32::MAX);
        let capture = job.capture(name, checked, part, body, page, last, now);
        bytes += capture.body.len();
        batch.push(capture);
        if bytes >= BATCH || last {
            let range = workspace.append(&batch)?;
            entries = Some(entries.map_or(range.start, |e| e.start)..range.end);
            batch.clear();
            bytes = 0;
        }
    }
    Ok(entries.unwrap_or(0..0))
}

/// A file that is read for the second time, to be appended.
enum Again {
    Bytes(std::fs::File),
    /// Its lines are made again: the same, or the file is another.
    Columns(Opened),
}

impl Again {
    /// The next part; `None` where it cannot be what it was.
    fn part(&mut self, bytes: usize, last: bool) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(file) => {
                let mut body = vec![0; bytes];
                file.read_exact(&mut body).ok()?;
                (!last || file.read(&mut [0]).is_ok_and(|n| n == 0)).then_some(body)
            }
            Self::Columns(file) => {
                let body = file.next_chunk().ok()??.text.into_bytes();
                (!last || file.next_chunk().is_ok_and(|more| more.is_none())).then_some(body)
            }
        }
    }
}

/// SHA-256 of a file as it lies there.
fn digest_of(job: &Job<'_>) -> Result<[u8; 32], Failure> {
    let mut file = job.file()?;
    let mut digest = Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut block).map_err(AppError::file("read", job.path))?;
        if count == 0 {
            return Ok(digest.finalize().into());
        }
        digest.update(&block[..count]);
    }
}

/// A conflict in one line.
pub(crate) fn contradiction(conflict: &Conflict) -> String {
    let who = |saying: &Saying| {
        let source = saying.source.as_deref().unwrap_or("a source that was erased");
        match saying.entry {
            Some(entry) => format!("{source}, entry {entry}, {}", saying.grade.word()),
            None => format!("{source}, {}", saying.grade.word()),
        }
    };
    let differences: Vec<String> = conflict
        .differences
        .iter()
        .map(|d| format!("{} is {} and not {}", d.column, d.counts, d.other))
        .collect();
    plain(&format!(
        "{}: {} (as {} says, and not {})",
        conflict.about,
        differences.join(", "),
        who(&conflict.counts),
        who(&conflict.other)
    ))
}

pub(crate) fn can_be_asked() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

pub(crate) fn agreed() -> Result<bool, Failure> {
    write!(std::io::stderr(), "append it? [y/N] ")?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn propose(workspace: &Workspace, path: &Path, import: &Import) -> Result<ExitCode, Failure> {
    let tables = &workspace.catalog.tables;
    if let Some(name) = &import.table {
        table(workspace, name).map_err(Failure::of)?;
    }
    let format = by_itself(path, import.format)?;
    let unreadable = |e: String| Failure::of(format!("cannot read `{}`: {e}", path.display()));
    let file = std::fs::File::open(path).map_err(AppError::file("read", path))?;
    let header = match format {
        Format::Csv => File::open(file, format, None, None).map_err(unreadable)?.header,
        Format::Parquet => {
            let (header, others) = Parquet::open(file, None).map_err(unreadable)?.header();
            for other in others {
                note(&format!("left out: {}", plain(&other)));
            }
            header
        }
        Format::Ndjson => {
            let mut file = File::open(file, format, None, None).map_err(unreadable)?;
            let first = file.next_chunk().map_err(unreadable)?.map(|c| c.text).unwrap_or_default();
            let first = first.trim_start_matches('\u{feff}').lines().find(|l| !l.trim().is_empty());
            let object: serde_json::Map<String, serde_json::Value> =
                first.and_then(|l| serde_json::from_str(l).ok()).unwrap_or_default();
            object.keys().cloned().collect()
        }
    };
    let Some(proposed) = import::propose(&header, tables, import.table.as_deref()) else {
        return Err(Failure::of(format!(
            "no table is like `{}`, whose columns are {}; name one with --table: {}",
            path.display(),
            plain(&header.join(", ")),
            tables
                .iter()
                .filter(|t| import::may_be_imported(t).is_none())
                .map(|t| t.name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        )));
    };
    line(proposed.trim_end())?;
    note("a mapping to begin with: complete it, keep it beside the file, and name it with --map");
    Ok(ExitCode::SUCCESS)
}

/// A table that rows may be brought to.
pub(crate) fn table(workspace: &Workspace, name: &str) -> Result<Table, String> {
    let open = |t: &&Table| import::may_be_imported(t).is_none();
    match workspace.catalog.table(name) {
        Some(table) => match import::may_be_imported(table) {
            None => Ok(table.clone()),
            Some(reason) => Err(format!("no rows can be given for `{name}`: {reason}")),
        },
        None => {
            let known: Vec<&str> =
                workspace.catalog.tables.iter().filter(open).map(|t| t.name.as_str()).collect();
            Err(format!("there is no table `{name}`; there are {}", known.join(", ")))
        }
    }
}

/// A window as it is typed: `2026-01-01..2026-03-31` (days, both whole) or instants, or a day or an instant alone.
pub(crate) fn window(text: &str, tz: &str, now: Instant) -> Result<Window, Failure> {
    let days = |from: &str, to: &str| model::parse_date_range(from, to, tz);
    let edge = |text: &str| -> Result<(Instant, Instant), model::TimeError> {
        match text.contains('T') {
            true => text.parse::<Instant>().map(|at| (at, at)),
            false => days(text, text).map(|day| (day.from, day.to)),
        }
    };
    let (from, to) = match text.split_once("..") {
        Some((from, to)) => (edge(from)?.0, edge(to)?.1),
        None => edge(text)?,
    };
    if to < from {
        return Err(Failure::of(format!("`{text}` ends before it begins; swap its ends")));
    }
    if to > now && from < now {
        let end = text.rsplit("..").next().unwrap_or(text);
        // The day that is not over is known up to now.
        if !end.contains('T') && edge(end).is_ok_and(|(start, _)| start <= now) {
            return Ok(Window { from, to: now });
        }
    }
    if to > now {
        return Err(Failure::of(format!(
            "`{text}` ends in the future, of which nobody knows anything; end it today"
        )));
    }
    Ok(Window { from, to })
}

fn read_mapping(path: &Path) -> Result<String, Failure> {
    let size = std::fs::metadata(path).map_err(AppError::file("read", path))?.len();
    if size > MAPPING_BYTES {
        return Err(Failure::of(format!(
            "`{}` is larger than a mapping can be (64 KiB); see docs/import.md",
            path.display()
        )));
    }
    Ok(std::fs::read_to_string(path).map_err(AppError::file("read", path))?)
}

fn in_mapping(path: &Path, error: import::MappingError) -> Failure {
    Failure::of(format!(
        "the mapping `{}` cannot be read: {error}; docs/import.md describes it",
        path.display()
    ))
}

fn form(import: &Import, path: &Path, mapping: &Mapping) -> Result<Format, Failure> {
    match mapping.format {
        Some(format) if import.format.is_none() => Ok(format),
        _ => by_itself(path, import.format),
    }
}

/// The form of a file that nobody names: by its first bytes, else by its name.
fn by_itself(path: &Path, named: Option<Form>) -> Result<Format, Failure> {
    let mut head = vec![];
    if named.is_none() {
        let file = std::fs::File::open(path).map_err(AppError::file("read", path))?;
        file.take(4).read_to_end(&mut head).map_err(AppError::file("read", path))?;
    }
    let end = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    match (named, end.as_str()) {
        (None, _) if Parquet::begins(&head) => Ok(Format::Parquet),
        (Some(Form::Parquet), _) | (None, "parquet") => Ok(Format::Parquet),
        (Some(Form::Csv), _) | (None, "csv" | "tsv" | "txt") => Ok(Format::Csv),
        (Some(Form::Ndjson), _) | (None, "ndjson" | "jsonl") => Ok(Format::Ndjson),
        _ => Err(Failure::of(format!(
            "`{}` does not say by its name what it is; say --format csv or --format ndjson",
            path.display()
        ))),
    }
}

fn source_name(import: &Import, mapping: &Mapping) -> Result<String, Failure> {
    let name = import.source.as_deref().unwrap_or(&mapping.table).trim();
    if name.is_empty() || name.len() > 100 || name.contains(char::is_control) {
        return Err(Failure::of("a source needs a name of one line; write one with --source"));
    }
    Ok(name.to_owned())
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
