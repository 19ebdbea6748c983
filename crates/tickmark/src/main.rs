//! `tickmark`: the command line. Subcommands, configuration and wiring; the work is done in the other crates.
//!
//! Exit status: 0 done, 1 something failed or was refused, 2 the command line is wrong, 3 `--fail-on` found something.

mod access;
mod assess;
mod browse;
mod check;
mod command;
mod commitments;
mod coverage;
mod criteria;
mod custody;
mod decision;
mod demo;
mod deviation;
mod evidence;
mod failure;
mod flows;
mod gaps;
mod import;
mod ledger_command;
mod mcp;
mod member;
mod output;
mod parameter;
mod person;
mod population;
mod query;
mod record;
mod review;
mod sample;
mod scope;
mod serve;
mod session;
mod source;
mod story;
mod token;
mod uptime;
mod waiver;

use std::process::ExitCode;

use clap::Parser as _;

/// Facts and rows are many small texts that one thread makes and another frees.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = command::Arguments::parse();
    quiet_while_decoding();
    match run(arguments) {
        Ok(code) => code,
        Err(failure) => {
            output::error(failure);
            ExitCode::FAILURE
        }
    }
}

/// A panic over a damaged file is caught and told as what it means; it needs no second message.
fn quiet_while_decoding() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !connectors::import::is_decoding() {
            usual(panic);
        }
    }));
}

fn run(arguments: command::Arguments) -> Result<ExitCode, failure::Failure> {
    use command::Command;
    let mut session = session::Session::new(arguments.workspace);
    match &arguments.command {
        // These make a workspace, or need none.
        Command::Init { .. }
        | Command::Restore { .. }
        | Command::Demo(_)
        | Command::Mcp(_)
        | Command::Completions { .. }
        | Command::Man => {}
        other => {
            session.look_for_a_demo();
            demo::refuse_real_evidence(&session, other)?;
        }
    }
    execute(&session, arguments.command)
}

/// Does what a command line says.
fn execute(session: &session::Session, command: command::Command) -> Result<ExitCode, failure::Failure> {
    use command::Command;
    match command {
        Command::Demo(what) => demo::run(session, &what),
        Command::Serve(what) => serve::run(session, &what),
        Command::Mcp(what) => mcp::run(&what),
        Command::Init { folder, organisation } => session::init(session, folder.as_deref(), &organisation),
        Command::Check(check) => check::run(session, &check),
        Command::Access(what) => access::run(session, &what),
        Command::Gaps(what) => gaps::run(session, &what),
        Command::Commitments(what) => commitments::run(session, &what),
        Command::Catalog { what } => browse::run(session, &what),
        Command::Assess(what) => assess::run(session, &what),
        Command::Review { what } => review::run(session, &what),
        Command::Deviation { what } => deviation::run(session, &what),
        Command::Waiver { what } => waiver::run(session, &what),
        Command::Control(what) => criteria::control_command(session, &what),
        Command::Criteria(what) => criteria::criteria_command(session, &what),
        Command::Coverage(what) => coverage::run(session, &what),
        Command::Source { what } => source::run(session, &what),
        Command::Collect { since } => source::collect(session, since.as_deref()),
        Command::Import(what) => import::run(session, &what),
        Command::Record { what } => record::run(session, &what),
        Command::Parameter { what } => parameter::run(session, &what),
        Command::Scope { what } => scope::run(session, &what),
        Command::Flows(what) => flows::run(session, &what),
        Command::Person { what } => person::run(session, &what),
        Command::Member { what } => member::run(session, &what),
        Command::Token { what } => token::run(session, &what),
        Command::Evidence { what } => evidence::run(session, &what),
        Command::Population { what } => population::run(session, &what),
        Command::Sample { what } => sample::run(session, &what),
        Command::Verify { path } => ledger_command::verify(session, path.as_deref()),
        Command::Ledger { what } => ledger_command::run(session, &what),
        Command::Query(question) => query::run(session, &question),
        Command::Freeze { folder, days, known_at } => custody::freeze(session, &folder, &days, known_at),
        Command::Backup { folder, keys } => custody::backup(session, &folder, &keys),
        Command::Restore { folder, keys, into, operator, reason, newest_known } => {
            let order = custody::order(session, reason, operator);
            custody::restore(session, &folder, &keys, &into, &order, newest_known.as_deref())
        }
        Command::Rebuild { diff } => query::rebuild(session, diff),
        Command::Completions { shell } => command::completions(shell),
        Command::Man => command::man(),
    }
}
