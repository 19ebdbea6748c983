//! A year of a large company: a million changes, ten million events of access (two million grants, eight million uses), a hundred
//! thousand people, and everything else the procedures read. What each costs on SQLite and on DuckDB over the frozen tables, what freezing costs, and what it takes to ask
//! again after a hundred more changes.
//!
//! `cargo bench -p conformance --bench year [-- CHANGES]`. The other tables shrink with the changes. Each stage is a process of its
//! own, so that its memory can be told apart; one can be run alone over a folder that stays: `load FOLDER CHANGES`, then `run FOLDER
//! [PROCEDURE…]`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops where something fails"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant as Clock};
use std::{env, fs, thread};

use app::{AssessmentQuestion, Opening, Workspace};
use catalog::{Bindings, Catalog, Engine, Procedure, written_out};
use conformance::duckdb::DuckDb;
use model::{
    Capture, Column, ColumnType, Derived, Document, Fact, FactValue, Grade, Instant, Key, Period, Receipt,
    Row, Table, Value, interned,
};
use records::freeze::freeze_tables;
use serde_json::{Value as Json, json};
use store::records::{Batch, CURRENT, Entity, Go, Limits, Records, RecordsError};

const BEGINS: i64 = 1_735_689_600_000;
const YEAR: i64 = 365 * 86_400_000;
const DAY: i64 = 86_400_000;
/// Numbers of things lie beyond those of any ledger entry.
const BASE: i64 = 1 << 50;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|a| a != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["load", folder, changes] => load(Path::new(folder), changes.parse().unwrap()),
        ["run", folder, wanted @ ..] => run(Path::new(folder), wanted),
        ["assess", folder] => assess(Path::new(folder), "asked for the first time"),
        ["again", folder] => again(Path::new(folder)),
        ["freeze", folder] => freeze(Path::new(folder)),
        ["duckdb", folder] => duckdb(Path::new(folder)),
        rest => {
            let changes = rest.first().map_or("1000000", |c| c);
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path().display().to_string();
            for stage in ["load", "run", "freeze", "duckdb", "assess", "again"] {
                let mut command = Command::new(env::current_exe().unwrap());
                command.args([stage, &folder]);
                if stage == "load" {
                    command.arg(changes);
                }
                assert!(command.status().unwrap().success(), "{stage} failed");
            }
        }
    }
}

/// Processor seconds of a process or a thread.
fn processor(stat: &str) -> f64 {
    let stat = fs::read_to_string(stat).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// Processor seconds of this thread.
fn used_here() -> f64 {
    processor("/proc/thread-self/stat")
}

/// Processor seconds of this process, and its greatest memory in MiB.
fn used() -> (f64, u64) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = peak.split_whitespace().next().unwrap().parse().unwrap();
    (processor("/proc/self/stat"), kib / 1024)
}

/// Rows of a table in a year of a million changes.
fn count(table: &str, changes: i64) -> i64 {
    let million = match table {
        "change" | "pull_request" | "change_pull_request" | "approval" | "ticket" | "ticket_reference" => {
            1_000_000
        }
        "contributor" | "check_run" => 2_000_000,
        // What happens to access: it is given, and it is used.
        "access_grant" => 2_000_000,
        "account_use" => 8_000_000,
        "account" | "account_person" | "employment" | "mfa" => 100_000,
        "training" | "deployment" | "deployment_approval" | "build" => 200_000,
        "alert" | "vuln" | "membership" => 100_000,
        "vuln_severity" | "vuln_acceptance" | "vuln_dismissal" | "vuln_reopening" => 20_000,
        "flag_change" | "cloud_resource" | "resource_config" | "leave_of_absence" => 20_000,
        "access_review_item" => 100_000,
        "incident" | "bypass" | "emergency_change" | "standing_approval" | "account_exclusion"
        | "credential" => 2_000,
        // None demands a check by name, and scope, versions and registers are as they come.
        "required_check" | "coverage" | "calendar_day" | "scope_rule" | "parameter_version"
        | "control_version" => 0,
        "role_matrix" => return JOBS * 40 * 5,
        "repository" | "system" | "branch_rule" | "person_alike" => return 40,
        "vendor" | "vendor_review" | "vendor_letter" | "access_review" | "slo" | "slo_measurement" => {
            return 200;
        }
        // The rest as the procedures of the everyday need it.
        _ => 20_000,
    };
    (million * changes / 1_000_000).max(i64::from(million > 0))
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 >> 2).unwrap_or(0) % n.max(1)
    }
}

fn number(table: usize, i: i64) -> i64 {
    BASE + (i64::try_from(table + 1).unwrap() << 32) + i
}

const COMMITS: usize = 1_000;
const JOBS: i64 = 20;

/// What stands in a column of the i-th row where it is no matter of chance: 98 of 100 changes are in order.
fn known(tables: &[Table], table: &str, column: &str, i: i64, changes: i64) -> Option<Value> {
    let of = |name: &str, i: i64| {
        let at = tables.iter().position(|t| t.name == name).unwrap();
        Some(number(at, i % count(name, changes).max(1)).into())
    };
    // Not by the million and one: the later ones of a table belong to the same things.
    let n = i % changes;
    let merged_at = BEGINS + n * (YEAR / changes);
    let good = n % 50 != 7;
    match (table, column) {
        // Half of all access is given in the year, by somebody else, for what the job may have; one in a hundred administers.
        ("access_grant", "valid_from") => Some((BEGINS - YEAR + i % 1_000 * (2 * YEAR / 1_000)).into()),
        ("access_grant", "approved_at") => {
            Some((BEGINS - YEAR + i % 1_000 * (2 * YEAR / 1_000) - 1000).into())
        }
        ("access_grant", "approved_by") => of("account", i * 7919 + 1),
        ("access_grant", "privileged") => Some(i64::from(i % 100 == 0).into()),
        ("access_grant", "system") => of("system", i),
        ("access_grant", "role") => Some(format!("role {}", i % 5).into()),
        ("system", "identity_provider") => Some(i64::from(i == 0).into()),
        ("job", "job") => Some(number(COMMITS + 2, i % JOBS).into()),
        ("role_matrix", "job") => Some(number(COMMITS + 2, i % JOBS).into()),
        ("role_matrix", "system") => of("system", i / JOBS),
        ("role_matrix", "role") => Some(format!("role {}", i / (JOBS * 40) % 5).into()),
        ("role_matrix", "approved_by") => of("account", i),
        ("role_matrix", "approved_at") => Some((BEGINS - 2 * YEAR).into()),
        ("role_matrix", "valid_from") => Some((BEGINS - 2 * YEAR).into()),
        (_, "valid_from") => Some((BEGINS - (i % 1000) * DAY / 10).into()),
        (_, "valid_to") => Some(Instant::FOREVER.ms().into()),
        (_, "repository") => of("repository", n),
        (_, "system") if table != "account" => of("system", n),
        ("account", "kind") => Some("human".into()),
        ("account", "system") => Some("idp".into()),
        ("account_person", "account" | "person") => of("account", i),
        ("account_person", "basis") => Some("own_account".into()),
        ("change", "revision") | ("pull_request", "head") | ("approval" | "check_run", "revision") => {
            Some(number(COMMITS, n).into())
        }
        ("change", "merged_at" | "landed_after") | ("pull_request", "merged_at") => Some(merged_at.into()),
        ("change_pull_request", "change") => of("change", n),
        ("ticket_reference", "change") => Some(Value::Null),
        ("pull_request", "status") => Some("merged".into()),
        (
            "approval" | "contributor" | "change_pull_request" | "check_run" | "ticket_reference",
            "pull_request",
        ) => of("pull_request", n),
        ("change" | "pull_request", "author") | ("contributor", "account") => of("account", n),
        ("approval", "approver") => of("account", if good { n + 1 } else { n }),
        ("approval", "status") => Some("approved".into()),
        ("approval", "approved_at") => Some((merged_at - 1000).into()),
        ("approval", "dismissed_at") => Some(Instant::FOREVER.ms().into()),
        ("contributor", "role") => Some(if i < changes { "author" } else { "committer" }.into()),
        ("check_run", "conclusion") => Some(if good { "success" } else { "failure" }.into()),
        ("check_run", "name") => Some(if i < changes { "unit" } else { "lint" }.into()),
        ("check_run", "completed_at") => Some((merged_at - 5000).into()),
        ("ticket_reference", "ticket") => of("ticket", n),
        ("ticket", "created_at") => Some((merged_at - 2 * DAY).into()),
        ("access_grant" | "account_use" | "mfa" | "employment" | "job" | "access_review_item", "account") => {
            of("account", i * 7919)
        }
        ("employment", "started_at") => Some((BEGINS - (i % 2000) * DAY).into()),
        ("employment", "ended_at") if i % 20 != 0 => Some(Instant::FOREVER.ms().into()),
        ("training", "account") => of("account", i),
        ("training", "course") => Some("security_awareness".into()),
        ("slo", "target_ppm") => Some(999_000.into()),
        _ => None,
    }
}

fn row(tables: &[Table], at: usize, i: i64, changes: i64, dice: &mut Dice) -> Row {
    let table = &tables[at];
    let mut value = |column: &Column| -> Value {
        if let Some(known) = known(tables, &table.name, &column.name, i, changes) {
            return known;
        }
        if column.nullable && dice.below(30) == 0 {
            return Value::Null;
        }
        let some = |name: &str, dice: &mut Dice| {
            let at = tables.iter().position(|t| t.name == name).unwrap();
            number(at, dice.below(count(name, changes))).into()
        };
        match column.kind {
            ColumnType::Flag => dice.below(2).into(),
            ColumnType::Integer => dice.below(3).into(),
            ColumnType::Text if !column.words.is_empty() => {
                let n = i64::try_from(column.words.len()).unwrap();
                column.words[usize::try_from(dice.below(n)).unwrap()].as_str().into()
            }
            ColumnType::Text => format!("text {}", dice.below(50)).into(),
            ColumnType::Instant => (BEGINS + dice.below(YEAR)).into(),
            ColumnType::Account => some("account", dice),
            ColumnType::Entity if column.name.ends_with("person") => some("account", dice),
            ColumnType::Entity => match tables.iter().position(|t| t.name == column.name) {
                Some(_) => some(&column.name, dice),
                None => number(COMMITS + 1, dice.below(changes)).into(),
            },
        }
    };
    let values = table.columns.iter().map(&mut value).collect();
    Row {
        id: number(at, i),
        entry: 0,
        place: i,
        collected_at: Instant::from_ms(BEGINS + YEAR),
        grade: Grade::System,
        in_scope: true,
        known_from: 1,
        superseded_at: CURRENT,
        values,
    }
}

fn open(folder: &Path) -> Workspace {
    let mut next = 0_u64;
    Workspace::open(Opening {
        folder: folder.join("acme"),
        wrapping_key: [7; 32],
        entropy: Box::new(move |bytes| {
            for byte in bytes {
                next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = next.to_be_bytes()[0];
            }
            Ok(())
        }),
        conventions: json!({}),
        now: Instant::from_ms(BEGINS + YEAR + DAY),
        judging: true,
    })
    .unwrap()
}

fn database(folder: &Path) -> PathBuf {
    folder.join("acme/data/records-1.db")
}

fn content() -> Catalog {
    let (catalog, problems) = Catalog::built_in();
    assert!(problems.is_empty(), "{problems:#?}");
    catalog
}

fn load(folder: &Path, changes: i64) {
    app::init(&folder.join("acme"), "acme").unwrap();
    drop(open(folder));
    let tables = &content().tables;
    let mut records = Records::open_sqlite(&database(folder), tables).unwrap();
    let begun = Clock::now();
    let mut dice = Dice(88_172_645_463_325_252);
    let mut loaded = 0_usize;
    records
        .fill(|take| {
            let mut batch = Batch { applied: 1, ..Batch::default() };
            let entity = |batch: &mut Batch, id: i64, kind: &str, scope: i64| {
                let key = match kind {
                    "change" => format!("{:040x}", id),
                    _ => format!("{id}"),
                };
                batch.entities.push(Entity { id, kind: kind.to_owned(), scope, key });
            };
            let place = |name: &str| tables.iter().position(|t| t.name == name).unwrap();
            for (at, table) in tables.iter().enumerate() {
                for i in 0..count(&table.name, changes) {
                    let row = row(tables, at, i, changes, &mut dice);
                    let column = |name: &str| table.column(name).map(|c| row.values[c].clone());
                    let scope = match (column("repository"), column("system")) {
                        (Some(Value::Integer(scope)), _) | (_, Some(Value::Integer(scope))) => scope,
                        _ => 0,
                    };
                    let named = match table.name.as_str() {
                        "account" => Some(number(place("system"), 0)),
                        "repository" | "system" | "vendor" | "employment" | "vuln" | "alert" | "ticket" => {
                            Some(0)
                        }
                        "change" | "pull_request" | "deployment" | "bypass" => Some(scope),
                        "flag_change" | "emergency_change" | "cloud_resource" | "incident" => Some(0),
                        _ => None,
                    };
                    if let Some(scope) = named {
                        entity(&mut batch, row.id, &table.name, scope);
                    }
                    batch.rows.push((at, row));
                    if batch.rows.len() >= 50_000 {
                        loaded += batch.rows.len();
                        take(&batch)?;
                        batch = Batch { applied: 1, ..Batch::default() };
                    }
                }
            }
            // Everything was looked at all the time, everywhere.
            let coverage = place("coverage");
            let scopes: Vec<i64> = (0..count("repository", changes))
                .map(|i| number(place("repository"), i))
                .chain((0..count("system", changes)).map(|i| number(place("system"), i)))
                .chain([0])
                .collect();
            for (n, (scope, table)) in
                scopes.iter().flat_map(|scope| tables.iter().map(move |t| (*scope, t))).enumerate()
            {
                let n = i64::try_from(n).unwrap();
                let values = vec![
                    scope.into(),
                    table.name.as_str().into(),
                    (BEGINS - 10 * YEAR).into(),
                    (BEGINS + 2 * YEAR).into(),
                    "complete".into(),
                    Value::Null,
                ];
                let row = row(tables, place("change"), 0, changes, &mut dice);
                batch.rows.push((coverage, Row { id: n, place: n, values, ..row }));
            }
            loaded += batch.rows.len();
            take(&batch)?;
            Ok::<(), RecordsError>(())
        })
        .unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    let (cpu, peak) = used();
    println!(
        "load     {loaded} rows in {seconds:.1} s; {cpu:.1} s of processor, peak {peak} MiB, file {} MiB",
        fs::metadata(database(folder)).unwrap().len() >> 20
    );
}

fn period() -> Period {
    Period { from: Instant::from_ms(BEGINS), to: Instant::from_ms(BEGINS + YEAR), tz: "UTC".to_owned() }
}

fn sql(procedure: &Procedure, engine: Engine) -> String {
    let bindings = Bindings {
        known_at: 1,
        from: period().from,
        to: period().to,
        as_of: Instant::from_ms(BEGINS + YEAR - 1),
        cutoff: Instant::from_ms(BEGINS + YEAR + DAY),
        tz: "UTC".to_owned(),
        parameters: BTreeMap::new(),
        scope: model::Scope::default(),
    };
    written_out(&procedure.query, &bindings, engine).unwrap()
}

/// Each procedure by itself, every row fetched.
/// Every procedure, or those that are named, two at a time: each core has one.
fn run(folder: &Path, wanted: &[&str]) {
    let catalog = content();
    let mut records = Records::open_sqlite(&database(folder), &catalog.tables).unwrap();
    let limits = Limits { deadline: Duration::from_secs(1_200), ..Limits::default() };
    let asked = catalog.procedures.values().filter(|p| wanted.is_empty() || wanted.contains(&p.id.as_str()));
    let (asked, times) = (Mutex::new(asked), Mutex::new(BTreeMap::new()));
    let readers = [records.reader().unwrap(), records.reader().unwrap()];
    let begun = Clock::now();
    thread::scope(|scope| {
        for mut reader in readers {
            let (asked, times, limits) = (&asked, &times, &limits);
            scope.spawn(move || {
                loop {
                    let Some(procedure) = asked.lock().unwrap().next() else { break };
                    let (before, begun) = (used_here(), Clock::now());
                    let mut rows = 0_u64;
                    let ran =
                        reader.run(&sql(procedure, Engine::Sqlite), limits, &Default::default(), &mut |_| {
                            rows += 1;
                            Go::Continue(())
                        });
                    let (seconds, cpu) = (begun.elapsed().as_secs_f64(), used_here() - before);
                    let said = ran.err().map(|e| e.to_string()).unwrap_or_default();
                    println!(
                        "run      {:28} {rows:>9} items {seconds:>7.2} s, {cpu:>7.2} s of processor {said}",
                        procedure.id
                    );
                    times.lock().unwrap().insert(procedure.id.clone(), cpu);
                }
            });
        }
    });
    let times = times.into_inner().unwrap();
    println!(
        "run      {} procedures, two at a time: {:.1} s, {:.1} s of processor, peak {} MiB",
        times.len(),
        begun.elapsed().as_secs_f64(),
        times.values().sum::<f64>(),
        used().1
    );
    fs::write(folder.join("sqlite.json"), serde_json::to_string(&times).unwrap()).unwrap();
    let _ = records.applied().unwrap();
}

/// The whole of an assessment, in brief, as `tickmark assess` prints it.
fn assess(folder: &Path, what: &str) {
    let begun = Clock::now();
    let mut workspace = open(folder);
    let opened = begun.elapsed().as_secs_f64();
    for (family, prefix) in [("the changes' procedures", "CHG"), ("all procedures", "")] {
        let begun = Clock::now();
        let procedures = workspace.catalog.procedures_in(prefix).map(|p| p.id.clone()).collect();
        let question = AssessmentQuestion {
            procedures,
            brief: true,
            ..AssessmentQuestion::over(period(), Instant::from_ms(BEGINS + YEAR + DAY))
        };
        match workspace.assess(&question) {
            Ok(report) => println!(
                "assess   {family} {what}: {:.3} s (opened in {opened:.3} s), {} items, {} of them listed, peak {} MiB",
                begun.elapsed().as_secs_f64(),
                report.procedures.iter().map(|p| p.population).sum::<usize>(),
                report.procedures.iter().map(|p| p.items.len()).sum::<usize>(),
                used().1
            ),
            Err(e) => println!("assess   {family} {what}: {e}"),
        }
    }
}

fn derive(document: &Document<'_>) -> Derived {
    let said: Json = serde_json::from_slice(document.body).unwrap();
    let value = |v: &Json| match v {
        Json::String(text) => match text.strip_prefix('#') {
            Some(named) => {
                let mut parts = named.splitn(3, '/');
                let mut next = || parts.next().unwrap();
                FactValue::Entity(Key::new(interned(next()), next(), next()))
            }
            None => FactValue::Text(text.clone()),
        },
        Json::Number(n) => FactValue::Integer(n.as_i64().unwrap()),
        _ => FactValue::Null,
    };
    let fact = |fact: &Json| {
        let FactValue::Entity(about) = value(&fact["about"]) else { unreachable!() };
        let values = fact["values"].as_object().unwrap().iter();
        Fact {
            table: interned(fact["table"].as_str().unwrap()),
            about,
            grade: Grade::System,
            values: values.map(|(name, v)| (interned(name), value(v))).collect(),
        }
    };
    Derived { facts: said["facts"].as_array().unwrap().iter().map(fact).collect(), ..Derived::default() }
}

/// A hundred changes more, with all that comes with them, by people who are known.
fn again(folder: &Path) {
    let mut workspace = open(folder);
    let tables = &workspace.catalog.tables;
    let at = |name: &str| tables.iter().position(|t| t.name == name).unwrap();
    let repository = number(at("repository"), 1).to_string();
    let account = |n: i64| format!("#account/{}/{}", number(at("system"), 0), number(at("account"), n));
    let mut facts = vec![];
    for n in 0..100 {
        let merged_at = BEGINS + YEAR - DAY + n;
        let in_repository = |kind: &str| format!("#{kind}/{repository}/new{n}");
        let (change, pull, commit) =
            (in_repository("change"), in_repository("pull_request"), in_repository("commit"));
        let mut add = |table: &str, about: String, values: Json| {
            facts.push(json!({ "table": table, "about": about, "values": values }));
        };
        add(
            "change",
            change.clone(),
            json!({ "repository": format!("#repository//{repository}"), "revision": commit,
            "label": "new", "merged_at": merged_at, "landed_after": merged_at, "author": account(n), "parents": 1, "signed": 0 }),
        );
        add(
            "pull_request",
            pull.clone(),
            json!({ "repository": format!("#repository//{repository}"), "label": "new",
            "status": "merged", "author": account(n), "head": commit, "merged_at": merged_at }),
        );
        add(
            "change_pull_request",
            in_repository("change_pull_request"),
            json!({ "change": change, "pull_request": pull }),
        );
        add(
            "approval",
            in_repository("approval"),
            json!({ "pull_request": pull, "approver": account(n + 1), "status": "approved",
            "revision": commit, "approved_at": merged_at - 1, "dismissed_at": Instant::FOREVER.ms() }),
        );
        add(
            "contributor",
            in_repository("contributor"),
            json!({ "pull_request": pull, "account": account(n), "role": "author" }),
        );
        add(
            "check_run",
            in_repository("check_run"),
            json!({ "revision": commit, "pull_request": pull, "name": "unit",
            "conclusion": "success", "completed_at": merged_at - 1 }),
        );
        add("ticket", in_repository("ticket"), json!({ "label": "new", "created_at": merged_at - DAY }));
        add(
            "ticket_reference",
            in_repository("ticket_reference"),
            json!({ "pull_request": pull, "ticket": in_repository("ticket"),
            "basis": "trailer" }),
        );
        add(
            "coverage",
            in_repository("coverage"),
            json!({ "scope": format!("#repository//{repository}"), "relation": "change",
            "covered_from": merged_at, "covered_to": merged_at + 1, "status": "complete" }),
        );
    }
    let receipt = Receipt {
        source: "lab".into(),
        stream: "lab.changes".into(),
        media_type: "application/json".into(),
        collected_at: Instant::from_ms(BEGINS + YEAR),
        collector: "bench/1".into(),
        request: String::new(),
        status: None,
        server_date: None,
        page: 0,
        coverage: None,
        cursor: None,
        context: Json::Null,
        redacted: vec![],
    };
    let body = json!({ "facts": facts }).to_string().into_bytes();
    let begun = Clock::now();
    workspace.append(&[Capture { receipt, body }]).unwrap();
    let applied = workspace.catch_up(&derive).unwrap();
    println!("append   {} rows of 100 changes in {:.3} s", applied.rows, begun.elapsed().as_secs_f64());
    drop(workspace);
    assess(folder, "after 100 more");
    assess(folder, "after nothing more");
}

fn freeze(folder: &Path) {
    let catalog = content();
    let mut records = Records::open_sqlite(&database(folder), &catalog.tables).unwrap();
    let names: Vec<&str> = catalog.tables.iter().map(|t| t.name.as_str()).collect();
    let begun = Clock::now();
    let frozen = freeze_tables(&mut records, &names, 1, &model::Scope::default(), folder).unwrap();
    let rows: u64 = frozen.iter().map(|f| f.rows).sum();
    let (cpu, peak) = used();
    println!(
        "freeze   {rows} rows in {:.1} s; {cpu:.1} s of processor, peak {peak} MiB",
        begun.elapsed().as_secs_f64()
    );
}

fn duckdb(folder: &Path) {
    let catalog = content();
    let times: BTreeMap<String, f64> =
        serde_json::from_str(&fs::read_to_string(folder.join("sqlite.json")).unwrap()).unwrap();
    let Some(mut duckdb) = DuckDb::start() else { return };
    for procedure in catalog.procedures.values().filter(|p| times.contains_key(&p.id)) {
        let names: Vec<&str> = procedure.tables.iter().map(|t| t.name.as_str()).collect();
        match duckdb.measure(folder, &names, &sql(procedure, Engine::DuckDb)) {
            Ok(measured) => println!(
                "duckdb   {:28} {:>9} items {:>7.2} s of processor; ratio {:.2}",
                procedure.id,
                measured.rows,
                measured.processor_seconds,
                times[&procedure.id] / measured.processor_seconds.max(0.01)
            ),
            Err(e) => println!("duckdb   {:28} {e}", procedure.id),
        }
    }
}
