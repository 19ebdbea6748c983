//! Every case of every built-in procedure: on SQLite one by one, then all of them on the other engines, and every
//! variation that takes knowledge away.

use std::process::ExitCode;

use catalog::Catalog;
use conformance::cases::Bench;
use conformance::server::Server;
use libtest_mimic::{Arguments, Failed, Trial};
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
    libtest_mimic::run(&arguments, trials).exit_code()
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
