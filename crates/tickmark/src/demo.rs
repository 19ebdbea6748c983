//! `tickmark demo`: a company that does not exist, built into a workspace of its own and taken away by one command.
//!
//! It is built beside its place and gets its name once it is whole; what a crash left over is cleared by the next run. What
//! happens in it is told by [`crate::story`].

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use app::{AppError, Demo};
use clap::Args;
use simulate::Shape;

use crate::command::{Command, SourceCommand};
use crate::failure::Failure;
use crate::output::{self, line};
use crate::serve::ServeCommand;
use crate::session::Session;
use crate::story;

#[derive(Args)]
pub(crate) struct DemoCommand {
    /// How many people it has
    #[arg(long, value_name = "N", default_value_t = 50, conflicts_with = "remove")]
    people: usize,
    /// What its chance is drawn from: the same people and seed give the same company
    #[arg(long, value_name = "S", default_value_t = 1, conflicts_with = "remove")]
    seed: u64,
    /// Show it in a browser afterwards
    #[arg(long, conflicts_with = "remove")]
    serve: bool,
    /// Take the demo away, with everything that was tried out in it; refuses whatever is no demo
    #[arg(long)]
    remove: bool,
}

/// What a demo's folder holds. Anything else in it is somebody's own.
const OURS: [&str; 3] = ["tickmark.toml", "data", story::EXPORTS];
const MARK: &str = "tickmark.toml";

pub(crate) fn run(session: &Session, what: &DemoCommand) -> Result<ExitCode, Failure> {
    let folder = match &session.named {
        Some(named) => session.environment.current.join(named),
        None => app::demo_folder(&session.environment)?,
    };
    let folder: PathBuf = folder.components().collect();
    if what.remove {
        return remove(&folder);
    }
    let shape = Shape::of_the_story(what.people, what.seed);
    let company =
        simulate::simulate(&shape).map_err(|why| Failure::of(format!("{why}; choose another --people")))?;
    let (first_day, last_day) = company.days();
    let demo = Demo {
        people: what.people,
        seed: what.seed,
        first_day,
        last_day,
        // The last instant of which everything was exported: what rests on silence may rest on all of it.
        today: company.cutoff(),
    };
    announce(&demo);
    if is_there(&folder, &demo)? {
        line("it is there already; nothing was changed")?;
    } else {
        build(session, &folder, &company, &demo)?;
    }
    if what.serve {
        let environment = session.environment.clone();
        let in_demo = Session {
            environment,
            named: Some(folder),
            now: demo.today,
            clock: session.clock,
            demo: Some(demo),
        };
        return crate::serve::run(&in_demo, &ServeCommand::usual());
    }
    story::tour(&folder, &company, &demo)?;
    Ok(ExitCode::SUCCESS)
}

/// Has everything that is printed from now on say that it is of a demo.
pub(crate) fn announce(demo: &Demo) {
    let today = demo.today.to_string();
    output::of_a_demo(format!(
        "DEMO: a simulated company, of which nothing is real. Its clock stands at {}.",
        today.get(..16).unwrap_or(&today).replace('T', " ") + " UTC"
    ));
}

/// Real evidence has no place in a demo: it would be called simulated, and go with it.
pub(crate) fn refuse_real_evidence(session: &Session, command: &Command) -> Result<(), Failure> {
    let what = match command {
        Command::Collect { .. } | Command::Source { what: SourceCommand::Add { .. } } => "collects nothing",
        Command::Check(check) if check.source.is_none() && check.pull.is_none() => "examines no repository",
        _ => return Ok(()),
    };
    match session.demo {
        Some(_) => Err(Failure::of(format!(
            "this workspace is a demo, and {what} that is real; make a workspace with `tickmark init DIR`, and name it with --workspace"
        ))),
        None => Ok(()),
    }
}

/// Whether this demo is there already. Anything else that is there is left alone.
fn is_there(folder: &Path, demo: &Demo) -> Result<bool, Failure> {
    if folder.join(MARK).is_file() {
        let config = app::Config::read(&folder.join(MARK))?;
        return match config.demo {
            Some(there) if there == *demo => Ok(true),
            Some(there) => Err(Failure::of(format!(
                "`{}` holds a demo of {} people with seed {}; take it away first with `tickmark --workspace {} demo --remove`",
                folder.display(),
                there.people,
                there.seed,
                quoted(folder)
            ))),
            None => Err(Failure::of(format!(
                "`{}` is a workspace, and no demo: the two are never mixed; name a new folder with --workspace DIR",
                folder.display()
            ))),
        };
    }
    if folder.read_dir().is_ok_and(|mut found| found.next().is_some()) {
        return Err(Failure::of(format!(
            "`{}` is not empty; name a new folder with --workspace DIR",
            folder.display()
        )));
    }
    if let Some(around) = folder.ancestors().skip(1).find(|folder| folder.join(MARK).is_file()) {
        return Err(Failure::of(format!(
            "`{}` lies inside of the workspace `{}`, and a demo is never mixed with another; name a folder outside of it with \
             --workspace DIR",
            folder.display(),
            around.display()
        )));
    }
    Ok(false)
}

/// A path as a shell takes it for one word.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+".contains(c));
    if plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// The folder beside, under the name of which something is begun or ended.
fn beside(folder: &Path, what: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(folder.file_name().unwrap_or_default());
    name.push(what);
    folder.with_file_name(name)
}

fn build(session: &Session, folder: &Path, company: &simulate::Company, demo: &Demo) -> Result<(), Failure> {
    let parent = folder.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent).map_err(AppError::file("make the folder", parent))?;
    clear(&beside(folder, REMOVED))?;
    let unfinished = beside(folder, UNFINISHED);
    clear(&unfinished)?;
    app::init_demo(&unfinished, story::ORGANISATION, company.zone(), demo)?;
    // The key is made aloud, as it is for any workspace: it is theirs afterwards, too.
    let told = story::tell(session, &unfinished, company, demo).and_then(|()| {
        fs::rename(&unfinished, folder).map_err(AppError::file("make the folder", folder))?;
        Ok(fs::File::open(parent).and_then(|f| f.sync_all()).map_err(AppError::file("write", parent))?)
    });
    if told.is_err() {
        // What cannot be cleared now is cleared by the next run.
        let _ = fs::remove_dir_all(&unfinished);
    }
    told
}

const UNFINISHED: &str = ".demo-unfinished";
const REMOVED: &str = ".demo-removed";

/// Clears what an interrupted run left over.
fn clear(leftover: &Path) -> Result<(), Failure> {
    if !leftover.exists() {
        return Ok(());
    }
    let _lock = lock(leftover)?;
    fs::remove_dir_all(leftover).map_err(AppError::file("remove", leftover))?;
    Ok(())
}

/// Nobody else works in the folder while this is held.
fn lock(folder: &Path) -> Result<Option<ledger::Folder>, Failure> {
    let data = folder.join("data");
    if !data.is_dir() {
        return Ok(None);
    }
    Ok(Some(ledger::Folder::open(&data).map_err(AppError::from)?))
}

fn remove(folder: &Path) -> Result<ExitCode, Failure> {
    let removed = beside(folder, REMOVED);
    clear(&removed)?;
    clear(&beside(folder, UNFINISHED))?;
    if !folder.exists() {
        line(&format!("there is no demo in {}; nothing was removed", folder.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let no_demo = |why: &str| {
        Failure::of(format!(
            "`{}` {why}; nothing was removed, and only demos ever are; name the demo with --workspace DIR",
            folder.display()
        ))
    };
    if !folder.join(MARK).is_file() {
        return Err(no_demo("is no workspace"));
    }
    if app::Config::read(&folder.join(MARK))?.demo.is_none() {
        return Err(no_demo("is a workspace, and no demo"));
    }
    let lock = lock(folder)?;
    if lock.is_some() && !app::is_marked(&folder.join("data"))? {
        return Err(no_demo("says that it is a demo, and its ledger does not"));
    }
    for entry in fs::read_dir(folder).map_err(AppError::file("read", folder))? {
        let name = entry.map_err(AppError::file("read", folder))?.file_name();
        if !OURS.iter().any(|ours| name == *ours) {
            return Err(Failure::of(format!(
                "`{}` is not the demo's; move it to another place, then remove the demo",
                folder.join(name).display()
            )));
        }
    }
    // Gone at once, and for good once its bytes are.
    fs::rename(folder, &removed).map_err(AppError::file("remove", folder))?;
    drop(lock);
    fs::remove_dir_all(&removed).map_err(AppError::file("remove", &removed))?;
    line(&format!(
        "the demo in {} is gone; your key and every other workspace are as they were",
        folder.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
