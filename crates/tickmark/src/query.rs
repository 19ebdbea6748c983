//! `tickmark query` and `tickmark rebuild`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use app::{AppError, Prepared, Workspace, csv_cell};
use model::{ColumnType, Instant, Value};
use records::{ParquetColumn, ParquetWriter};
use tempfile::NamedTempFile;

use crate::command::{Format, Query};
use crate::failure::Failure;
use crate::output::{self, aligned, line, plain};
use crate::session::{Session, derive};

pub(crate) fn run(session: &Session, query: &Query) -> Result<ExitCode, Failure> {
    let as_of = match &query.as_of {
        Some(text) => text.parse::<Instant>()?,
        None => session.now,
    };
    let out = match &query.out {
        Some(path) => Some(NewFile::create(&session.environment.current.join(path))?),
        None => None,
    };
    let on_terminal = out.is_none() && io::stdout().is_terminal();
    if query.format == Format::Parquet && on_terminal {
        return Err(Failure::of(
            "Parquet is nothing a terminal can show; name a file with --out FILE, or redirect the output",
        ));
    }
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    let prepared = workspace.prepare(&query.sql, as_of, query.known_at)?;
    if matches!(query.format, Format::Json | Format::Parquet) {
        let mut seen = BTreeSet::new();
        if let Some((name, _)) = prepared.columns.iter().find(|(name, _)| !seen.insert(name)) {
            return Err(Failure::of(format!(
                "the question yields two columns `{name}`; give each its own name with AS"
            )));
        }
    }
    match (out, query.format) {
        (Some(mut out), format) => {
            let written = write(&workspace, &prepared, format, BufWriter::new(out.file.as_file_mut()));
            let (rows, to) = written.map_err(|e| e.at(&out.path))?;
            drop(to);
            let path = out.keep()?;
            line(&format!("{rows} rows are in {}", path.display()))?;
        }
        // It goes out as it comes: what is broken off has no footer, and is no file.
        (None, Format::Parquet) => match write(&workspace, &prepared, query.format, io::stdout()) {
            // `tickmark ... | head` is no failure.
            Ok(_) => {}
            Err(Stopped::Write(e)) if e.kind() == ErrorKind::BrokenPipe => {}
            Err(e) => return Err(e.at(Path::new("the standard output"))),
        },
        // Text is held back until it is whole: half an answer looks like an answer.
        (None, format) => {
            let written = write(&workspace, &prepared, format, Vec::new());
            let (_, text) = written.map_err(|e| e.at(Path::new("the standard output")))?;
            let text = String::from_utf8_lossy(&text);
            let text = if on_terminal { text.lines().map(|l| plain(l) + "\n").collect() } else { text };
            if format == Format::Table {
                output::banner()?
            } else {
                output::banner_aside()
            }
            match io::stdout().lock().write_all(text.as_bytes()) {
                Err(e) if e.kind() != ErrorKind::BrokenPipe => return Err(e.into()),
                _ => {}
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A file that has its name only once it is whole, and takes it from no other.
pub(crate) struct NewFile {
    pub(crate) file: NamedTempFile,
    path: PathBuf,
}

impl NewFile {
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        if path.symlink_metadata().is_ok() {
            return Err(Self::exists(path));
        }
        let folder = path.parent().unwrap_or(path);
        let file = tempfile::Builder::new()
            .prefix(".tickmark-")
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .map_err(AppError::file("make a file in", folder))?;
        Ok(Self { file, path: path.to_owned() })
    }

    fn exists(path: &Path) -> Failure {
        Failure::of(format!("`{}` exists already; name a new file with --out FILE", path.display()))
    }

    pub(crate) fn keep(self) -> Result<PathBuf, Failure> {
        let Self { file, path } = self;
        file.as_file().sync_all().map_err(AppError::file("write", &path))?;
        file.persist_noclobber(&path).map_err(|e| match e.error.kind() {
            ErrorKind::AlreadyExists => Self::exists(&path),
            _ => AppError::file("write", &path)(e.error).into(),
        })?;
        if let Some(folder) = path.parent() {
            File::open(folder).and_then(|f| f.sync_all()).map_err(AppError::file("write to", folder))?;
        }
        Ok(path)
    }
}

/// What stopped an answer.
enum Stopped {
    Run(AppError),
    Write(io::Error),
}

impl Stopped {
    fn at(self, path: &Path) -> Failure {
        match self {
            Self::Run(error) => error.into(),
            Self::Write(error) => AppError::file("write", path)(error).into(),
        }
    }
}

/// Runs a question and writes its rows as they come; how many they were, and where they went.
fn write<W: Write + Send>(
    workspace: &Workspace,
    prepared: &Prepared,
    format: Format,
    to: W,
) -> Result<(u64, W), Stopped> {
    // What is handed on as a file says of each row that it is simulated; a table stands below the banner.
    let mark =
        (format != Format::Table && output::is_of_a_demo()).then(|| Value::Text("simulated".to_owned()));
    let mut columns = prepared.columns.clone();
    if mark.is_some() {
        let mut name = "demo".to_owned();
        while columns.iter().any(|(other, _)| *other == name) {
            name.push('_');
        }
        columns.push((name, ColumnType::Text));
    }
    let mut sheet = Sheet::begin(format, &columns, to).map_err(Stopped::Write)?;
    let mut rows = 0;
    let mut failed = None;
    workspace
        .run(prepared, &mut |row| match marked(row, mark.as_ref(), &mut |row| sheet.row(row)) {
            Ok(()) => {
                rows += 1;
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })
        .map_err(Stopped::Run)?;
    match failed {
        Some(error) => Err(Stopped::Write(error)),
        None => Ok((rows, sheet.finish().map_err(Stopped::Write)?)),
    }
}

fn marked(
    row: &[Value],
    mark: Option<&Value>,
    to: &mut dyn FnMut(&[Value]) -> io::Result<()>,
) -> io::Result<()> {
    match mark {
        None => to(row),
        Some(mark) => to(&row.iter().chain([mark]).cloned().collect::<Vec<_>>()),
    }
}

/// An answer being written in one of the forms.
enum Sheet<W: Write + Send> {
    /// Held as a whole: the longest cell of a column decides how wide it is.
    Table {
        columns: Vec<String>,
        rows: Vec<Vec<Value>>,
        to: W,
    },
    Json {
        columns: Vec<String>,
        rows: u64,
        to: W,
    },
    Csv {
        to: W,
    },
    Parquet(Box<ParquetWriter<W>>),
}

impl<W: Write + Send> Sheet<W> {
    fn begin(format: Format, named: &[(String, ColumnType)], mut to: W) -> io::Result<Self> {
        let columns: Vec<String> = named.iter().map(|(name, _)| name.clone()).collect();
        Ok(match format {
            Format::Table => Self::Table { columns, rows: vec![], to },
            Format::Json => {
                to.write_all(b"[")?;
                Self::Json { columns, rows: 0, to }
            }
            Format::Csv => {
                writeln!(to, "{}", csv_line(columns))?;
                Self::Csv { to }
            }
            Format::Parquet => {
                let columns: Vec<ParquetColumn> = named
                    .iter()
                    .map(|(name, kind)| ParquetColumn { name: name.clone(), kind: *kind, nullable: true })
                    .collect();
                Self::Parquet(Box::new(ParquetWriter::new("answer", &columns, to)?))
            }
        })
    }

    fn row(&mut self, row: &[Value]) -> io::Result<()> {
        match self {
            Self::Table { rows, .. } => rows.push(row.to_vec()),
            Self::Json { columns, rows, to } => {
                let cells = columns.iter().cloned().zip(row.iter().map(json)).collect();
                let text = serde_json::to_string_pretty(&serde_json::Value::Object(cells))?;
                let comma = if *rows == 0 { "" } else { "," };
                write!(to, "{comma}\n  {}", text.replace('\n', "\n  "))?;
                *rows += 1;
            }
            Self::Csv { to } => writeln!(to, "{}", csv_line(row.iter().map(shown_or_empty)))?,
            Self::Parquet(writer) => writer.push(row.iter().cloned())?,
        }
        Ok(())
    }

    fn finish(self) -> io::Result<W> {
        let mut to = match self {
            Self::Table { columns, rows, mut to } => {
                let shown = rows.iter().map(|row| row.iter().map(|v| plain(&shown(v))).collect());
                for row in aligned(&std::iter::once(columns).chain(shown).collect::<Vec<_>>()) {
                    writeln!(to, "{}", row.trim_end())?;
                }
                to
            }
            Self::Json { rows, mut to, .. } => {
                to.write_all(if rows == 0 { b"]\n" } else { b"\n]\n" })?;
                to
            }
            Self::Csv { to } => to,
            Self::Parquet(writer) => writer.finish()?,
        };
        to.flush()?;
        Ok(to)
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(n) => n.to_string(),
        Value::Text(text) => text.clone(),
    }
}

fn shown_or_empty(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        other => shown(other),
    }
}

/// Numbers beyond 2^53 as text: most readers of JSON would round them.
fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(n) if n.unsigned_abs() <= 1 << 53 => (*n).into(),
        Value::Integer(n) => n.to_string().into(),
        Value::Text(text) => text.clone().into(),
    }
}

fn csv_line(cells: impl IntoIterator<Item = String>) -> String {
    cells.into_iter().map(|c| csv_cell(&c)).collect::<Vec<_>>().join(",")
}

pub(crate) fn rebuild(session: &Session, diff: bool) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    let differences = workspace.rebuild(&|document| derive(document, &conventions))?;
    line(&format!("the records were built anew from {} ledger entries", workspace.size()))?;
    if diff {
        if differences.is_empty() {
            line("every row is as it was")?;
        }
        for (table, (added, gone)) in &differences {
            line(&format!("{table}: {added} rows came, {gone} went"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use app::csv_cell as csv;

    #[test]
    fn a_cell_is_neither_split_nor_run() {
        assert_eq!(csv("a,b \"c\""), "\"a,b \"\"c\"\"\"");
        assert_eq!(csv("=1+1"), "'=1+1");
        assert_eq!(csv("-5"), "-5");
        assert_eq!(csv("-5+cmd"), "'-5+cmd");
    }
}
