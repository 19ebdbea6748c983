//! DuckDB as the auditor has it: another program, given frozen tables and the SQL as it ran.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use model::Value;
use serde_json::{Value as Json, json};

/// The version that CI installs, and that queries are promised to run on.
const VERSION: &str = "2.0.0";

/// A running interpreter that answers jobs.
#[derive(Debug)]
pub struct DuckDb {
    child: Child,
    jobs: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What a query gave, and the roots of the tables it read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Rows in order.
    pub rows: Vec<Vec<Value>>,
    /// Row roots in hexadecimal, by table.
    pub roots: BTreeMap<String, String>,
}

impl DuckDb {
    /// Starts DuckDB; `None`, after saying so, when it cannot be installed.
    ///
    /// # Panics
    /// When it is installed and does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        let python = match installed() {
            Ok(python) => python,
            Err(e) => {
                crate::skipped(&format!("DuckDB {VERSION} cannot be installed ({e})"));
                return None;
            }
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/reperform.py");
        let spawned =
            Command::new(python).arg("-B").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(e) => panic!("DuckDB does not start: {e}"),
        };
        let (Some(jobs), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            // Cannot be: both were asked for.
            let _ = child.wait();
            return None;
        };
        let answers = BufReader::new(answers);
        Some(Self { child, jobs, answers })
    }

    /// Runs a query over the frozen tables of a folder, and computes their roots.
    ///
    /// # Errors
    /// What DuckDB says.
    pub fn reperform(&mut self, folder: &Path, tables: &[&str], sql: &str) -> Result<Answer, String> {
        self.job(
            &json!({"folder": folder.display().to_string(), "tables": tables, "sql": sql, "roots": true}),
        )
    }

    /// Runs one more query over the frozen tables of a folder that do not change in between.
    ///
    /// # Errors
    /// What DuckDB says.
    pub fn ask(&mut self, folder: &Path, tables: &[&str], sql: &str) -> Result<Vec<Vec<Value>>, String> {
        let folder = folder.display().to_string();
        let job = json!({"folder": folder, "tables": tables, "sql": sql, "roots": false, "again": true});
        Ok(self.job(&job)?.rows)
    }

    fn job(&mut self, job: &Json) -> Result<Answer, String> {
        let answer = self.answer(job)?;
        let rows = answer["rows"]
            .as_array()
            .ok_or("an answer without rows")?
            .iter()
            .map(row)
            .collect::<Result<_, _>>()?;
        let roots = answer["roots"].as_object().ok_or("an answer without roots")?;
        let roots = roots
            .iter()
            .map(|(table, root)| (table.clone(), root.as_str().unwrap_or_default().to_owned()))
            .collect();
        Ok(Answer { rows, roots })
    }
}

/// What a run cost.
#[derive(Clone, PartialEq, Debug)]
pub struct Measured {
    /// Rows yielded.
    pub rows: u64,
    /// Values that say `pass`.
    pub passes: u64,
    /// Seconds on the clock.
    pub seconds: f64,
    /// Seconds of processor time, user and system.
    pub processor_seconds: f64,
    /// Greatest memory of the process in MiB.
    pub peak_mib: u64,
}

impl DuckDb {
    /// Runs a query on two threads into a table of its own, and says what it cost.
    ///
    /// # Errors
    /// What DuckDB says.
    pub fn measure(&mut self, folder: &Path, tables: &[&str], sql: &str) -> Result<Measured, String> {
        let job =
            json!({"folder": folder.display().to_string(), "tables": tables, "sql": sql, "measure": true});
        let answer = self.answer(&job)?;
        let number = |name: &str| answer[name].as_f64().ok_or_else(|| format!("an answer without `{name}`"));
        Ok(Measured {
            rows: answer["rows"].as_u64().unwrap_or_default(),
            passes: answer["passes"].as_u64().unwrap_or_default(),
            seconds: number("seconds")?,
            processor_seconds: number("processor_seconds")?,
            peak_mib: answer["peak_mib"].as_u64().unwrap_or_default(),
        })
    }

    fn answer(&mut self, job: &Json) -> Result<Json, String> {
        writeln!(self.jobs, "{job}").and_then(|()| self.jobs.flush()).map_err(|e| e.to_string())?;
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(|e| e.to_string())?;
        let answer: Json = serde_json::from_str(&line).map_err(|e| format!("no answer: {e}"))?;
        match answer["error"].as_str() {
            Some(error) => Err(format!("{error}\n{}", job["sql"].as_str().unwrap_or_default())),
            None => Ok(answer),
        }
    }
}

impl Drop for DuckDb {
    fn drop(&mut self) {
        // It holds nothing that could be lost.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn row(row: &Json) -> Result<Vec<Value>, String> {
    let values = row.as_array().ok_or("a row that is no list")?;
    values
        .iter()
        .map(|v| match v {
            Json::Null => Ok(Value::Null),
            Json::String(text) => Ok(Value::Text(text.clone())),
            Json::Number(n) => {
                n.as_i64().map(Value::Integer).ok_or_else(|| format!("{n} is no whole number"))
            }
            other => Err(format!("{other} is neither a number nor a text")),
        })
        .collect()
}

/// The interpreter of a virtual environment with DuckDB in it, made on first use under the target folder.
fn installed() -> io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/duckdb-venv");
    let python = folder.join("bin/python");
    let check = format!("import duckdb; assert duckdb.__version__ == '{VERSION}', duckdb.__version__");
    if run(Command::new(&python).args(["-c", &check])).is_ok() {
        return Ok(python);
    }
    // Tests run in processes of their own: one installs, the others wait and find it.
    let lock = folder.with_extension("lock");
    fs::create_dir_all(lock.parent().unwrap_or(&folder))?;
    let lock = fs::File::create(lock)?;
    lock.lock()?;
    if run(Command::new(&python).args(["-c", &check])).is_ok() {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", &format!("duckdb=={VERSION}")]))?;
    run(Command::new(&python).args(["-c", &check]))?;
    Ok(python)
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(said.lines().last().unwrap_or("it failed").to_owned()))
}
