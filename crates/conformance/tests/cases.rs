//! Every case of every built-in procedure: on SQLite one by one, then all of them on the other engines, and every
//! variation that takes knowledge away.

use std::process::ExitCode;

use catalog::{Catalog, Engine};
use conformance::cases::Bench;
use conformance::duckdb::DuckDb;
use conformance::server::Server;
use libtest_mimic::{Arguments, Failed, Trial};
use records::freeze::freeze_tables;
use store::records::Records;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let (catalog, problems) = Catalog::built_in();
    let catalog: &'static Catalog = Box::leak(Box::new(catalog));
    let mut trials = Vec::new();
    for problem in problems {
        let shown = problem.to_string();
        trials.push(Trial::test(format!("content {shown}"), move || Err(Failed::from(shown))));
    }
    let mut benches: Vec<Bench<'static>> = Vec::new();
    for (id, procedure) in &catalog.procedures {
        match Bench::new(catalog, procedure) {
            Ok(bench) => benches.push(bench),
            Err(problems) => {
                trials.push(Trial::test(format!("{id} cases"), move || Err(Failed::from(problems))))
            }
        }
    }
    let benches: &'static [Bench<'static>] = Box::leak(benches.into_boxed_slice());
    for bench in benches {
        let id = &bench.procedure.id;
        for (number, case) in bench.cases.iter().enumerate() {
            trials.push(Trial::test(format!("{id}: {}", case.name), move || {
                let folder = tempfile::tempdir()?;
                Ok(bench.check_on_sqlite(number, folder.path())?)
            }));
        }
        trials.push(Trial::test(format!("{id} never passes for knowing less"), move || {
            let folder = tempfile::tempdir()?;
            let tried = bench.check_variations(folder.path())?;
            if tried == 0 { Err("there was nothing to take away".into()) } else { Ok(()) }
        }));
    }
    trials.push(Trial::test("postgres gives the rows that sqlite gives", move || postgres(benches)));
    trials.push(Trial::test("duckdb gives the rows that sqlite gives, from frozen tables", move || {
        duckdb(benches)
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Freezes what each case reads, and lets another program run the query over it and compute the roots again.
fn duckdb(benches: &[Bench<'_>]) -> Result<(), Failed> {
    let Some(mut duckdb) = DuckDb::start() else { return Ok(()) };
    for bench in benches {
        let id = &bench.procedure.id;
        let scenes = bench.scenes();
        let folder = tempfile::tempdir()?;
        let mut records = Records::create_sqlite(&folder.path().join("records.db"), &bench.tables)?;
        bench.fill(&mut records, &scenes)?;
        let expected = bench.run(&mut records.reader()?, &scenes)?;
        let tables: Vec<&str> = bench.tables.iter().map(|t| t.name.as_str()).collect();
        for ((position, scene), expected) in (1..).zip(&scenes).zip(expected) {
            let case = &bench.cases[scene.case].name;
            let frozen = freeze_tables(&mut records, &tables, position, folder.path())?;
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

fn postgres(benches: &[Bench<'_>]) -> Result<(), Failed> {
    let Some(server) = Server::start() else { return Ok(()) };
    for bench in benches {
        let id = &bench.procedure.id;
        let scenes = bench.scenes();
        let folder = tempfile::tempdir()?;
        let mut here = Records::create_sqlite(&folder.path().join("records.db"), &bench.tables)?;
        let mut there = Records::create_postgres(&server.records(id), &bench.tables)?;
        bench.fill(&mut here, &scenes)?;
        bench.fill(&mut there, &scenes)?;
        let expected = bench.run(&mut here.reader()?, &scenes)?;
        let got = bench.run(&mut there.reader()?, &scenes).map_err(|e| format!("{id}: {e}"))?;
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
