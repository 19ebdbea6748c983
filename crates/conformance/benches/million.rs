//! A million changes with their approvals, builds, deployments and tickets: how fast they load, and what one run of
//! four attributes costs against DuckDB over the frozen tables.
//!
//! `cargo bench -p conformance --bench million [-- CHANGES]`. Each stage is a process of its own, so that its memory and
//! processor time can be told apart.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops where something fails"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant as Clock;
use std::{env, fs};

use catalog::{Bindings, Catalog, Engine, Procedure, SourceFile, written_out};
use conformance::duckdb::DuckDb;
use model::{Grade, Instant, Row, Table, Value};
use records::freeze::freeze_tables;
use store::records::{Batch, CURRENT, Entity, Go, Limits, Reader, Records, RecordsError};

const PERIOD_MS: i64 = 365 * 86_400_000;
const BEGINS: i64 = 1_735_689_600_000;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|a| a != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["load", folder, changes] => load(Path::new(folder), changes.parse().unwrap()),
        ["run", folder] => run(Path::new(folder)),
        ["freeze", folder] => freeze(Path::new(folder)),
        ["duckdb", folder] => duckdb(Path::new(folder)),
        rest => {
            let changes = rest.first().map_or("1000000", |c| c);
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path().display().to_string();
            for stage in ["load", "run", "freeze", "duckdb"] {
                let mut command = Command::new(env::current_exe().unwrap());
                command.args([stage, &folder]);
                if stage == "load" {
                    command.arg(changes);
                }
                assert!(command.status().unwrap().success(), "{stage} failed");
            }
            let seconds = |name: &str| -> f64 {
                fs::read_to_string(Path::new(&folder).join(name)).unwrap().trim().parse().unwrap()
            };
            println!(
                "ratio    {:.2} (SQLite's processor time over DuckDB's; the goal is 4)",
                seconds("sqlite") / seconds("duckdb")
            );
        }
    }
}

/// Processor seconds of this process, user and system, and its greatest memory in MiB.
fn used() -> (f64, u64) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // Fields after the name in parentheses: utime and stime are the 12th and 13th, in hundredths of a second.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = peak.split_whitespace().next().unwrap().parse().unwrap();
    (ticks / 100.0, kib / 1024)
}

const TABLES: &[(&str, &str)] = &[
    ("approval", "change entity!; person account; status text!; revision entity; approved_at instant"),
    ("build", "revision entity!; conclusion text; finished_at instant"),
    ("change", "label text!; author account; revision entity!; merged_at instant!"),
    ("deployment", "change entity!; environment text!; deployed_at instant"),
    ("ticket", "change entity!; opened_at instant"),
];

const QUERY: &str = "
SELECT c.id AS item, c.label AS label, c.merged_at AS occurred_at, c.entry AS entry, c.grade AS grade,
       CASE (SELECT max(CASE WHEN t.opened_at < c.merged_at THEN 2 WHEN t.opened_at >= c.merged_at THEN 0 ELSE 1 END)
               FROM ticket t WHERE t.change = c.id)
         WHEN 2 THEN 'pass' WHEN 1 THEN 'needs_judgement' ELSE 'deviation' END AS a,
       CASE (SELECT max(CASE WHEN p.person <> c.author THEN 2 WHEN p.person = c.author THEN 0 ELSE 1 END)
               FROM approval p
              WHERE p.change = c.id AND p.status = 'approved' AND p.revision = c.revision AND p.approved_at <= c.merged_at)
         WHEN 2 THEN 'pass' WHEN 1 THEN 'needs_judgement' ELSE 'deviation' END AS b,
       CASE (SELECT max(CASE WHEN b.conclusion = 'success' THEN 2 WHEN b.conclusion = 'failure' THEN 0 ELSE 1 END)
               FROM build b WHERE b.revision = c.revision AND b.finished_at <= c.merged_at)
         WHEN 2 THEN 'pass' WHEN 1 THEN 'needs_judgement' ELSE 'deviation' END AS c,
       CASE WHEN (SELECT count(*) FROM deployment d WHERE d.change = c.id AND d.environment = 'production') = 0 THEN 'not_applicable'
            WHEN (SELECT min(d.deployed_at) FROM deployment d WHERE d.change = c.id AND d.environment = 'production') >= c.merged_at
            THEN 'pass' ELSE 'deviation' END AS d
  FROM change c
 WHERE c.merged_at >= $from AND c.merged_at < $to AND c.in_scope = 1";

/// The procedure and its tables, read as content is.
fn content() -> (Vec<Table>, Procedure) {
    let mut files = vec![
        ("criteria.toml".to_owned(), "[[criteria]]\nid = \"CC8.1\"\ntitle = \"Changes\"\n".to_owned()),
        (
            "controls/CHG-01.toml".to_owned(),
            "title = \"x\"\ncriteria = [\"CC8.1\"]\nowner_role = \"x\"\nfrequency = \"per_event\"\nmode = \"auto\"\nstatement = \"x\"\n".to_owned(),
        ),
        ("procedures/many/query.sql".to_owned(), QUERY.to_owned()),
    ];
    let mut head =
        "title = \"x\"\ncontrols = [\"CHG-01\"]\npopulation = \"x\"\npopulation_tables = [\"change\"]\n\
                    attributed_by = \"x\"\nhow_to_fix = \"x\"\n"
            .to_owned();
    for (name, columns) in TABLES {
        head.push_str(&format!("[tables.{name}]\n"));
        let first = columns.split(' ').next().unwrap();
        let by = if *name == "change" { String::new() } else { format!("cluster_by = [\"{first}\"]\n") };
        let mut text = format!("kind = \"event\"\ndoc = \"x\"\n{by}");
        for column in columns.split("; ") {
            let (name, kind) = column.split_once(' ').unwrap();
            let nullable = !kind.ends_with('!');
            let kind = kind.trim_end_matches('!');
            text.push_str(&format!(
                "[[columns]]\nname = \"{name}\"\ntype = \"{kind}\"\nnullable = {nullable}\ndoc = \"x\"\n"
            ));
        }
        files.push((format!("tables/{name}.toml"), text));
    }
    for letter in ["a", "b", "c", "d"] {
        head.push_str(&format!("[attributes.{letter}]\nsays = \"x\"\ndeviation = \"x\"\n"));
    }
    files.push(("procedures/many/procedure.toml".to_owned(), head));
    let files: Vec<SourceFile> = files.into_iter().map(|(path, text)| SourceFile { path, text }).collect();
    let (mut catalog, problems) = Catalog::of(&files, &[]);
    assert!(problems.is_empty(), "{problems:#?}");
    (catalog.tables, catalog.procedures.remove("many").unwrap())
}

fn sql(procedure: &Procedure, engine: Engine) -> String {
    let bindings = Bindings {
        known_at: Bindings::EVERYTHING,
        from: Instant::from_ms(BEGINS),
        to: Instant::from_ms(BEGINS + PERIOD_MS),
        as_of: Instant::from_ms(BEGINS + PERIOD_MS - 1),
        cutoff: Instant::from_ms(BEGINS + PERIOD_MS),
        tz: "UTC".to_owned(),
        parameters: std::collections::BTreeMap::new(),
        scope: model::Scope::default(),
    };
    written_out(&procedure.query, &bindings, engine).unwrap()
}

fn database(folder: &Path) -> PathBuf {
    folder.join("records.db")
}

/// Numbers that look random and are the same each time (an xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 >> 2).unwrap_or(0) % n
    }
}

fn load(folder: &Path, changes: i64) {
    let (tables, _) = content();
    let number = |name: &str| tables.iter().position(|t| t.name == name).unwrap();
    let (approval, build, change, deployment, ticket) =
        (number("approval"), number("build"), number("change"), number("deployment"), number("ticket"));
    let mut records = Records::create_sqlite(&database(folder), &tables).unwrap();
    let begun = Clock::now();
    let mut dice = Dice(88_172_645_463_325_252);
    let mut rows = 0_u64;
    records
        .fill(|take| {
            let mut batch = Batch::default();
            for entry in 1..=changes {
                // One ledger entry for each change and what came with it, a few hundred milliseconds apart.
                let mut place = 0;
                let mut add = |batch: &mut Batch, table: usize, values: Vec<Value>| {
                    let id = entry << 20 | place;
                    batch.rows.push((
                        table,
                        Row {
                            id,
                            entry,
                            place,
                            collected_at: Instant::from_ms(BEGINS + PERIOD_MS),
                            grade: Grade::System,
                            in_scope: true,
                            known_from: entry,
                            superseded_at: CURRENT,
                            values,
                        },
                    ));
                    place += 1;
                    id
                };
                let merged_at = BEGINS + dice.below(PERIOD_MS);
                let (author, revision) = (1 + dice.below(500), entry << 20 | 900_000);
                let id = add(
                    &mut batch,
                    change,
                    vec![Value::from(format!("#{entry}")), author.into(), revision.into(), merged_at.into()],
                );
                batch.entities.push(Entity {
                    id,
                    kind: "change".into(),
                    scope: 1,
                    key: format!("{:040x}", entry * 7_919),
                });
                for _ in 0..1 + entry % 2 {
                    let person = if dice.below(50) == 0 { None } else { Some(1 + dice.below(500)) };
                    let approved_at = merged_at - 3_600_000 + dice.below(3_700_000);
                    let on = if dice.below(20) == 0 { revision + 1 } else { revision };
                    add(
                        &mut batch,
                        approval,
                        vec![id.into(), person.into(), "approved".into(), on.into(), approved_at.into()],
                    );
                }
                let conclusion = if dice.below(30) == 0 { "failure" } else { "success" };
                add(&mut batch, build, vec![revision.into(), conclusion.into(), (merged_at - 1_000).into()]);
                if entry % 10 != 0 {
                    let deployed_at = merged_at + dice.below(86_400_000);
                    add(&mut batch, deployment, vec![id.into(), "production".into(), deployed_at.into()]);
                }
                if entry % 5 != 0 {
                    add(&mut batch, ticket, vec![id.into(), (merged_at - dice.below(864_000_000)).into()]);
                }
                if batch.rows.len() > 20_000 || entry == changes {
                    rows += batch.rows.len() as u64;
                    batch.applied = entry;
                    take(&batch)?;
                    batch = Batch::default();
                }
            }
            Ok::<(), RecordsError>(())
        })
        .unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    let size = fs::metadata(database(folder)).unwrap().len() >> 20;
    let (cpu, peak) = used();
    println!(
        "load     {rows} rows and {changes} entities in {seconds:.1} s: {:.0} rows/s; {cpu:.1} s of processor, peak {peak} MiB, file {size} MiB",
        rows as f64 / seconds
    );
}

fn run(folder: &Path) {
    let (tables, procedure) = content();
    let mut reader = Reader::open_sqlite(&database(folder), &tables).unwrap();
    let sql = sql(&procedure, Engine::Sqlite);
    let (before, _) = used();
    let begun = Clock::now();
    let (mut rows, mut passes) = (0_u64, 0_u64);
    let limits = Limits { deadline: std::time::Duration::from_secs(600), ..Limits::default() };
    reader
        .run(&sql, &limits, &std::sync::Arc::default(), &mut |row| {
            rows += 1;
            passes += row.iter().filter(|v| **v == Value::Text("pass".to_owned())).count() as u64;
            Go::Continue(())
        })
        .unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    let (after, peak) = used();
    println!(
        "sqlite   {rows} rows, {passes} passes in {seconds:.2} s; {:.2} s of processor, peak {peak} MiB",
        after - before
    );
    fs::write(folder.join("sqlite"), format!("{}", after - before)).unwrap();
}

fn freeze(folder: &Path) {
    let (tables, _) = content();
    let mut records = Records::open_sqlite(&database(folder), &tables).unwrap();
    let names: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
    let begun = Clock::now();
    let frozen =
        freeze_tables(&mut records, &names, Bindings::EVERYTHING, &model::Scope::default(), folder).unwrap();
    let rows: u64 = frozen.iter().map(|f| f.rows).sum();
    let size: u64 =
        names.iter().map(|n| fs::metadata(folder.join(format!("{n}_row.parquet"))).unwrap().len()).sum();
    let (cpu, peak) = used();
    println!(
        "freeze   {rows} rows in {:.1} s; {cpu:.1} s of processor, peak {peak} MiB, files {} MiB",
        begun.elapsed().as_secs_f64(),
        size >> 20
    );
}

fn duckdb(folder: &Path) {
    let (tables, procedure) = content();
    let names: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
    let Some(mut duckdb) = DuckDb::start() else { return };
    let measured = duckdb.measure(folder, &names, &sql(&procedure, Engine::DuckDb)).unwrap();
    println!(
        "duckdb   {} rows, {} passes in {:.2} s; {:.2} s of processor on 2 threads, peak {} MiB",
        measured.rows, measured.passes, measured.seconds, measured.processor_seconds, measured.peak_mib
    );
    fs::write(folder.join("duckdb"), format!("{}", measured.processor_seconds)).unwrap();
}
