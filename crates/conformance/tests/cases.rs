//! Every case of every built-in procedure: on SQLite one by one, then all of them on the other engines, and every
//! variation that takes knowledge away.

use std::path::Path;
use std::process::ExitCode;

use catalog::{Catalog, Engine, SourceFile};
use conformance::cases::Bench;
use conformance::duckdb::DuckDb;
use conformance::server::Server;
use libtest_mimic::{Arguments, Failed, Trial};
use records::freeze::freeze_tables;
use store::records::Records;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let files: &'static [SourceFile] = Box::leak(content().into_boxed_slice());
    let mut trials = Vec::new();
    for file in files {
        let Some(id) = file.path.strip_prefix("procedures/").and_then(|p| p.strip_suffix("/cases.slt"))
        else {
            continue;
        };
        // Only the names are read here: a test runner starts this program once for each of them.
        for name in file.text.lines().filter_map(|line| line.trim().strip_prefix("case ")).map(str::trim) {
            trials.push(Trial::test(format!("{id}: {name}"), move || {
                let catalog = with_procedure(files, id);
                let bench = bench(&catalog, id)?;
                let Some(number) = bench.cases.iter().position(|c| c.name == name) else {
                    return Err("the case is not read as one".into());
                };
                let folder = conformance::folder()?;
                Ok(bench.check_on_sqlite(number, folder.path())?)
            }));
        }
        // The same in one process: a quarter of the time. The everyday run takes these, the other one each by its name.
        trials.push(Trial::test(format!("{id}, every case"), move || {
            let catalog = with_procedure(files, id);
            let bench = bench(&catalog, id)?;
            let mut wrong = String::new();
            for (number, case) in bench.cases.iter().enumerate() {
                let folder = conformance::folder()?;
                if let Err(e) = bench.check_on_sqlite(number, folder.path()) {
                    wrong.push_str(&format!("{}: {e}\n", case.name));
                }
            }
            if bench.cases.is_empty() {
                return Err("there is no case".into());
            }
            if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
        }));
        trials.push(Trial::test(format!("{id} never passes for knowing less"), move || {
            let catalog = with_procedure(files, id);
            let folder = tempfile::tempdir()?;
            let tried = bench(&catalog, id)?.check_variations(folder.path())?;
            if tried == 0 { Err("there was nothing to take away".into()) } else { Ok(()) }
        }));
        trials.push(Trial::test(format!("{id} judges again what new rows concern"), move || {
            let catalog = with_procedure(files, id);
            let folder = tempfile::tempdir()?;
            let bench = bench(&catalog, id)?;
            let declares = bench.procedure.tables.iter().any(|used| !used.item_by.is_empty());
            match bench.check_items(folder.path())? {
                0 if declares => Err("no row concerns items of its own".into()),
                _ => Ok(()),
            }
        }));
        trials.push(Trial::test(format!("{id} keeps the invariants"), move || {
            let catalog = with_procedure(files, id);
            let folder = tempfile::tempdir()?;
            let bench = bench(&catalog, id)?;
            let tried = bench.check_invariants(1, &mut |number| {
                Records::create_sqlite(&folder.path().join(format!("records-{number}.db")), &bench.tables)
            })?;
            if tried == 0 { Err("there was nothing to tell in another way".into()) } else { Ok(()) }
        }));
    }
    for (id, right, wrong, said) in BROKEN {
        trials.push(Trial::test(format!("{id} broken is caught: {said}"), move || {
            let mut files = files.to_vec();
            let query = format!("procedures/{id}/query.sql");
            let file = files.iter_mut().find(|f| f.path == query).ok_or("there is no such query")?;
            if !file.text.contains(right) {
                return Err(format!("`{right}` does not stand in it any more").into());
            }
            file.text = file.text.replace(right, wrong);
            let catalog = with_procedure(&files, id);
            let folder = tempfile::tempdir()?;
            let bench = bench(&catalog, id)?;
            let moved = bench.check_invariants(1, &mut |number| {
                Records::create_sqlite(&folder.path().join(format!("records-{number}.db")), &bench.tables)
            });
            match moved {
                Err(moved) if moved.contains(said) => Ok(()),
                other => Err(format!("nothing was noticed: {other:?}").into()),
            }
        }));
    }
    trials.push(Trial::test("postgres keeps the invariants", invariants_on_postgres));
    trials.push(Trial::test("every procedure has cases that can be read", || {
        let (catalog, problems) = Catalog::of(&content(), &[]);
        let mut wrong: Vec<String> = problems.iter().map(ToString::to_string).collect();
        wrong.extend(catalog.procedures.values().filter_map(|p| Bench::new(&catalog, p).err()));
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
    }));
    trials.push(Trial::test("postgres gives the rows that sqlite gives", postgres));
    trials.push(Trial::test("duckdb gives the rows that sqlite gives, from frozen tables", duckdb));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Queries that somebody could have written: procedure, what it says, what it would say, and what gives it away. They show
/// that the invariants are not kept by chance.
const BROKEN: &[(&str, &str, &str, &str)] = &[
    ("change_ticket", " AND c.in_scope = 1", "", "is still in the population"),
    ("change_ticket", " AND c.in_scope = 1", "", "at another company beside it, out of scope"),
    ("change_ticket", "ON t.id = m.ticket", "ON t.label <> 'none'", "at another company beside it"),
    ("change_ticket", "t.created_at <= c.merged_at THEN 3", "t.created_at >= $from THEN 3", "hours later"),
    (
        "change_independent_review",
        "GROUP BY o.change, o.giver",
        "GROUP BY o.change, o.giver, o.approval",
        "said twice",
    ),
    (
        "change_independent_review",
        "WHEN gp.person = kp.person THEN 0",
        "WHEN gp.person = kp.person THEN 2",
        "and gained",
    ),
];

/// The built-in content, from its files: whoever writes a procedure runs this program again without building it again.
fn content() -> Vec<SourceFile> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../content"));
    catalog::read_folder(folder).unwrap_or_else(|e| panic!("{e}"))
}

/// The content without the procedures that it does not name: every case reads it anew.
fn with_procedure(files: &[SourceFile], id: &str) -> Catalog {
    let folder =
        |path: &str| path.strip_prefix("procedures/").and_then(|p| p.split('/').next().map(str::to_owned));
    let own = files.iter().filter(|f| folder(&f.path).as_deref() == Some(id));
    let own: String = own.map(|f| f.text.as_str()).collect();
    let named = |other: &str| other == id || own.contains(&format!("\"{other}\""));
    let wanted = files.iter().filter(|f| folder(&f.path).is_none_or(|other| named(&other)));
    let files: Vec<SourceFile> = wanted.cloned().collect();
    Catalog::of(&files, &[]).0
}

fn bench<'a>(catalog: &'a Catalog, id: &str) -> Result<Bench<'a>, String> {
    let procedure = catalog.procedures.get(id).ok_or_else(|| format!("`{id}` cannot be read"))?;
    Bench::new(catalog, procedure)
}

/// Every procedure whose cases can be read.
fn benches(catalog: &Catalog) -> impl Iterator<Item = Bench<'_>> {
    catalog.procedures.values().filter_map(|p| Bench::new(catalog, p).ok())
}

/// Freezes what each case reads, and lets another program run the query over it and compute the roots again.
fn duckdb() -> Result<(), Failed> {
    let Some(mut duckdb) = DuckDb::start() else { return Ok(()) };
    let (catalog, _) = Catalog::of(&content(), &[]);
    for bench in benches(&catalog) {
        let id = &bench.procedure.id;
        let scenes = bench.scenes();
        let folder = conformance::folder()?;
        let mut records = Records::create_sqlite(&folder.path().join("records.db"), &bench.tables)?;
        bench.fill(&mut records, &scenes)?;
        let expected = bench.run(&mut records.reader()?, &scenes)?;
        let uptime = bench.run_uptime(&mut records.reader()?, &scenes)?;
        let tables: Vec<&str> = bench.tables.iter().map(|t| t.name.as_str()).collect();
        for ((position, scene), expected) in (1..).zip(&scenes).zip(expected) {
            let case = &bench.cases[scene.case].name;
            let frozen =
                freeze_tables(&mut records, &tables, position, &model::Scope::default(), folder.path())?;
            let sql = bench.sql(scene, position, Engine::DuckDb)?;
            if sql != bench.sql(scene, position, Engine::Sqlite)? {
                return Err(format!("{id}: the text for DuckDB is not the one that ran").into());
            }
            let answer =
                duckdb.reperform(folder.path(), &tables, &sql).map_err(|e| format!("{id}: {case}: {e}"))?;
            if answer.rows != expected {
                return Err(
                    format!("{id}: {case}\n  sqlite: {expected:?}\n  duckdb: {:?}", answer.rows).into()
                );
            }
            if let Some(sql) = bench.uptime_sql(scene, position, Engine::DuckDb)? {
                let rows = duckdb.ask(folder.path(), &tables, &sql)?;
                let at = usize::try_from(position)? - 1;
                if uptime.get(at) != Some(&rows) {
                    return Err(format!(
                        "{id}: uptime of {case}\n  {:?}\n  duckdb: {rows:?}",
                        uptime.get(at)
                    )
                    .into());
                }
            }
            for frozen in frozen {
                let root: String = frozen.root.0.iter().map(|b| format!("{b:02x}")).collect();
                if answer.roots.get(&frozen.table) != Some(&root) {
                    return Err(format!("{id}: {case}: the root of `{}` is another", frozen.table).into());
                }
            }
        }
    }
    Ok(())
}

/// Which cases are told again on PostgreSQL: its rows are those of SQLite for every case as it is written.
const EVERY: usize = 4;

fn invariants_on_postgres() -> Result<(), Failed> {
    let Some(server) = Server::start() else { return Ok(()) };
    let (catalog, _) = Catalog::of(&content(), &[]);
    for bench in benches(&catalog) {
        let id = &bench.procedure.id;
        bench
            .check_invariants(EVERY, &mut |number| {
                Records::create_postgres(&server.records(&format!("{id}_{number}")), &bench.tables)
            })
            .map_err(|e| format!("{id}: {e}"))?;
    }
    Ok(())
}

fn postgres() -> Result<(), Failed> {
    let Some(server) = Server::start() else { return Ok(()) };
    let (catalog, _) = Catalog::of(&content(), &[]);
    for bench in benches(&catalog) {
        let id = &bench.procedure.id;
        let scenes = bench.scenes();
        let folder = conformance::folder()?;
        let mut here = Records::create_sqlite(&folder.path().join("records.db"), &bench.tables)?;
        let mut there = Records::create_postgres(&server.records(id), &bench.tables)?;
        bench.fill(&mut here, &scenes)?;
        bench.fill(&mut there, &scenes)?;
        let expected = bench.run(&mut here.reader()?, &scenes)?;
        let got = bench.run(&mut there.reader()?, &scenes).map_err(|e| format!("{id}: {e}"))?;
        if bench.run_uptime(&mut here.reader()?, &scenes)?
            != bench.run_uptime(&mut there.reader()?, &scenes)?
        {
            return Err(format!("{id}: the uptime of a case is another on postgres").into());
        }
        for ((case, expected), got) in bench.cases.iter().zip(expected).zip(got) {
            if expected != got {
                return Err(
                    format!("{id}: {}\n  sqlite:   {expected:?}\n  postgres: {got:?}", case.name).into()
                );
            }
        }
    }
    Ok(())
}
