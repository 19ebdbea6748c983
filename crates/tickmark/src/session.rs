//! What a process was started with, read once: environment, clock, randomness. Everything below is told.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use app::{Environment, Opening, Place, Workspace};
use connectors::git::Conventions;
use model::Instant;

use crate::failure::Failure;
use crate::output;

pub(crate) struct Session {
    pub(crate) environment: Environment,
    pub(crate) named: Option<PathBuf>,
    pub(crate) now: Instant,
    /// What the machine's clock said, in a demo, too: links and tokens go by it.
    pub(crate) clock: Instant,
    /// What the workspace says of itself where it is a demo: there the clock stands still, and `now` is its day.
    pub(crate) demo: Option<app::Demo>,
}

impl Session {
    pub(crate) fn new(named: Option<PathBuf>) -> Self {
        let path = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let environment = Environment {
            current: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            home: path("HOME"),
            data_home: path("XDG_DATA_HOME"),
            config_home: path("XDG_CONFIG_HOME"),
            key_file: path("TICKMARK_KEY_FILE"),
            credentials: path("CREDENTIALS_DIRECTORY"),
        };
        let now = clock();
        Self { environment, named, now, clock: now, demo: None }
    }

    /// Goes by the clock of the workspace where it is a demo, and has every result say so.
    pub(crate) fn look_for_a_demo(&mut self) {
        let folder = app::present(&self.environment, self.named.as_deref());
        // What cannot be read is told by whoever needs it.
        let config = folder.and_then(|folder| app::Config::read(&folder.join("tickmark.toml")).ok());
        if let Some(demo) = config.and_then(|config| config.demo) {
            crate::demo::announce(&demo);
            self.now = demo.today;
            self.demo = Some(demo);
        }
    }

    /// Finds the workspace.
    pub(crate) fn place(&self) -> Result<Place, Failure> {
        Ok(app::find(&self.environment, self.named.as_deref())?)
    }

    /// Opens the workspace for writing, with its conventions adopted. Says on standard error what was made.
    pub(crate) fn open(&self, place: &Place) -> Result<(Workspace, Conventions), Failure> {
        self.open_to(place, true)
    }

    /// Opens the workspace as [`Session::open`] does, for what judges nothing.
    pub(crate) fn open_records(&self, place: &Place) -> Result<(Workspace, Conventions), Failure> {
        self.open_to(place, false)
    }

    fn open_to(&self, place: &Place, judging: bool) -> Result<(Workspace, Conventions), Failure> {
        let (wrapping_key, path, made) = app::wrapping_key(&self.environment, &mut entropy)?;
        if made {
            output::note(&format!(
                "made a key for your evidence: {}\nkeep a copy of it somewhere safe: without it the evidence cannot be read any more",
                path.display()
            ));
        }
        let file = place.folder.join("tickmark.toml");
        let conventions = app::Config::read_conventions(&file)?.unwrap_or_default();
        let workspace = Workspace::open(Opening {
            folder: place.folder.clone(),
            wrapping_key,
            entropy: Box::new(entropy),
            conventions: serde_json::to_value(&conventions).map_err(Failure::of)?,
            now: self.now,
            judging,
        })
        .map_err(|error| match error {
            app::AppError::Ledger(ledger::Error::WrongKey) => Failure::of(format!(
                "the key in `{}` does not open the evidence in `{}`: another key made it, or `data/keys/ring` was altered; \
                 name the right key's file with TICKMARK_KEY_FILE",
                path.display(),
                place.folder.display()
            )),
            other => other.into(),
        })?;
        for problem in &workspace.content_problems {
            output::note(&format!("left out: content/{problem}"));
        }
        Ok((workspace, conventions))
    }
}

/// What the clock of this machine shows. A command reads it once; what goes on asks again.
pub(crate) fn clock() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX));
    Instant::from_ms(now)
}

/// How long the sources of this version keep what they have, and which are configured.
pub(crate) fn keeping(now: Instant, config: &app::Config) -> app::Keeping {
    let github = connectors::github::forgotten().filter_map(|(table, stream)| {
        Some(app::Kept {
            source: "github".to_owned(),
            stream: stream.name.to_owned(),
            table: table.to_owned(),
            days: stream.retention_days?,
        })
    });
    let configured = config.source.github.iter().map(|source| {
        let api_url = source.api_url.as_deref().unwrap_or(connectors::github::API);
        ("github".to_owned(), connectors::github::repository(api_url, &source.owner, &source.repo))
    });
    app::Keeping { streams: github.collect(), configured: configured.collect(), now }
}

/// The token that a server is asked with: never an argument, which every program on a machine can see.
pub(crate) fn token() -> Option<String> {
    std::env::var("TICKMARK_TOKEN").ok().map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
}

pub(crate) fn entropy(bytes: &mut [u8]) -> std::io::Result<()> {
    getrandom::fill(bytes).map_err(std::io::Error::other)
}

/// What a document of any source says.
pub(crate) fn derive(document: &model::Document<'_>, conventions: &Conventions) -> model::Derived {
    match document.receipt.collector.split('/').next() {
        Some("git") => connectors::git::derive(document, conventions),
        Some("github") => connectors::github::derive(document, conventions),
        Some("import" | "record") => connectors::import::derive(document),
        Some("review") => app::review_rows(document),
        _ => model::Derived {
            problems: vec![format!("no connector reads documents of `{}`", document.receipt.collector)],
            ..model::Derived::default()
        },
    }
}

pub(crate) fn init(
    session: &Session,
    folder: Option<&Path>,
    organisation: &str,
) -> Result<ExitCode, Failure> {
    // `--workspace DIR init` and `init DIR` say the same. The components leave out a `.` that nobody has to read.
    let folder: PathBuf = match (&session.named, folder) {
        (Some(named), None) => session.environment.current.join(named),
        (None, folder) => session.environment.current.join(folder.unwrap_or(Path::new("."))),
        (Some(named), Some(_)) => {
            return Err(Failure::of(format!(
                "two folders are named, `{}` with --workspace and one after init; name one",
                named.display()
            )));
        }
    };
    let folder: PathBuf = folder.components().collect();
    app::init(&folder, organisation)?;
    output::line(&format!("made the workspace {}", folder.display()))?;
    output::line("next: tickmark check PATH-OF-A-REPOSITORY")?;
    Ok(ExitCode::SUCCESS)
}
