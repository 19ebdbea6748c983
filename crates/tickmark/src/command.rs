//! The command line's grammar.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use app::AssessmentQuestion;
use model::{Instant, Period};

use crate::assess::{cutoff, until};
use crate::failure::Failure;
use crate::session::keeping;

/// Evidence for SOC 2 from normal engineering work, that a second person can check.
#[derive(Parser)]
#[command(
    name = "tickmark",
    version,
    after_help = "Exit status: 0 done, 1 failed or refused, 2 wrong command line, 3 --fail-on found something."
)]
pub(crate) struct Arguments {
    /// Workspace folder (default: the nearest tickmark.toml upwards, else your data folder)
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) workspace: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a workspace
    Init {
        /// Its folder (default: the one of --workspace, else this one)
        folder: Option<PathBuf>,
        /// Name of the organisation
        #[arg(long, default_value = "", hide_default_value = true)]
        organisation: String,
    },
    /// A company that does not exist, in a workspace of its own: to see what Tickmark does
    Demo(crate::demo::DemoCommand),
    /// The programme in a browser, on this machine
    Serve(crate::serve::ServeCommand),
    /// The programme for assistants: a Model Context Protocol server that reads from a running `serve`
    Mcp(crate::mcp::McpCommand),
    /// Examine every change of a git repository in a period
    Check(Check),
    /// Test every control over a period, or look at what held on a date
    Assess(Assess),
    /// The criteria, controls, procedures, tables, presets and policies there are
    Catalog {
        #[command(subcommand)]
        what: crate::browse::CatalogCommand,
    },
    /// What stands between today and a report: who, how long, the next step, and dates
    Gaps(crate::gaps::GapsCommand),
    /// What the company has promised, and which controls and objectives answer to it
    Commitments(CommitmentsCommand),
    /// Who could do what on a date, who approved it, and what is not known
    Access(AccessCommand),
    /// Reviews of who has access, from a frozen list to what became of it
    Review {
        #[command(subcommand)]
        what: crate::review::ReviewCommand,
    },
    /// The register of deviations: enter them, decide about them, list them
    Deviation {
        #[command(subcommand)]
        what: crate::deviation::DeviationCommand,
    },
    /// Times in which somebody allowed that a rule is not kept
    Waiver {
        #[command(subcommand)]
        what: crate::waiver::WaiverCommand,
    },
    /// Controls with their two conclusions: design and operation
    Control(crate::criteria::ControlCommand),
    /// Criteria: what is proposed of each, and what was decided
    Criteria(crate::criteria::CriteriaCommand),
    /// Where was looked, table by table, and what will be lost
    Coverage(crate::coverage::CoverageCommand),
    /// Sources of evidence: add one, list them, try what they may read
    Source {
        #[command(subcommand)]
        what: SourceCommand,
    },
    /// Collect what is new from every source
    Collect {
        /// First day to look at on a source's first run, YYYY-MM-DD (default: twelve months ago)
        #[arg(long, value_name = "DATE")]
        since: Option<String>,
    },
    /// Bring rows from a file: CSV, NDJSON or Parquet, read by a mapping
    Import(crate::import::Import),
    /// Single rows entered by hand
    Record {
        #[command(subcommand)]
        what: crate::record::RecordCommand,
    },
    /// Values that procedures run with, as versions that somebody approved
    Parameter {
        #[command(subcommand)]
        what: crate::parameter::ParameterCommand,
    },
    /// What is in and out of scope, by dated rules that somebody approved
    Scope {
        #[command(subcommand)]
        what: crate::scope::ScopeCommand,
    },
    /// What data goes where, and the sub-processors that follow from it
    Flows(crate::flows::FlowsCommand),
    /// Who is who: a person's accounts, who only looks alike, and what somebody decides about it
    Person {
        #[command(subcommand)]
        what: crate::person::PersonCommand,
    },
    /// Who gets into the application, in which role, and what was decided about it
    Member {
        #[command(subcommand)]
        what: crate::member::MemberCommand,
    },
    /// Tokens of the API: make one, list them, take one back
    Token {
        #[command(subcommand)]
        what: crate::token::TokenCommand,
    },
    /// Files that are evidence for a control
    Evidence {
        #[command(subcommand)]
        what: crate::evidence::EvidenceCommand,
    },
    /// Populations: freeze what a procedure judges, so that samples can be drawn from it
    Population {
        #[command(subcommand)]
        what: crate::population::PopulationCommand,
    },
    /// Samples of frozen populations, which anybody can draw again
    Sample {
        #[command(subcommand)]
        what: crate::sample::SampleCommand,
    },
    /// Check that nothing in the ledger was altered since
    Verify {
        /// A workspace, or a log folder (default: the workspace)
        path: Option<PathBuf>,
    },
    /// The evidence ledger: its state, proofs, anchors, erasure
    Ledger {
        #[command(subcommand)]
        what: LedgerCommand,
    },
    /// Ask the records a question in SQL
    Query(Query),
    /// Freeze the tables that procedures read: Parquet, their queries, and a manifest whose roots the ledger names
    Freeze {
        /// A new folder
        folder: PathBuf,
        #[command(flatten)]
        days: Days,
        /// Ledger position whose knowledge counts (default: everything)
        #[arg(long, value_name = "POSITION")]
        known_at: Option<u64>,
    },
    /// Copy evidence and keys to two folders; again on the same folders, only what is new
    Backup {
        /// Folder for the evidence
        folder: PathBuf,
        /// Folder for the keys, kept apart and with a shorter life
        #[arg(long, value_name = "DIR")]
        keys: PathBuf,
    },
    /// Put a backup into a new workspace
    Restore {
        /// Folder of the evidence
        folder: PathBuf,
        /// Folder of the keys
        #[arg(long, value_name = "DIR")]
        keys: PathBuf,
        /// The new workspace
        #[arg(long, value_name = "DIR")]
        into: PathBuf,
        /// Who restores it, as a pseudonym: it stands in the ledger
        #[arg(long, value_name = "WHO")]
        operator: String,
        /// Why: it stands in the ledger
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The newest checkpoint of this log that anybody still has, to show what is lost
        #[arg(long, value_name = "FILE")]
        newest_known: Option<PathBuf>,
    },
    /// Build the records anew from the ledger
    Rebuild {
        /// Say per table how many rows differ from before
        #[arg(long)]
        diff: bool,
    },
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(hide = true)]
    Man,
}

/// A period as it is typed.
#[derive(Args)]
pub(crate) struct Days {
    /// First day of the period, YYYY-MM-DD (default: twelve months before its last day)
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<String>,
    /// Last day of the period, YYYY-MM-DD (default: today)
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<String>,
    /// Time zone whose midnights bound the period (default: the workspace's, else UTC)
    #[arg(long, value_name = "ZONE")]
    pub(crate) tz: Option<String>,
}

impl Days {
    /// The period: up to `now` unless its last day is named, in the workspace's zone unless another is.
    pub(crate) fn period(&self, now: Instant, config: &app::Config) -> Result<Period, Failure> {
        Ok(config.period(now, self.from.as_deref(), self.to.as_deref(), self.tz.as_deref())?)
    }
}

#[derive(Args)]
pub(crate) struct Check {
    /// Folder of the repository
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) days: Days,
    /// Branch to examine (default: what origin/HEAD names, else HEAD)
    #[arg(long, value_name = "NAME")]
    pub(crate) branch: Option<String>,
    /// Examine a repository of a source instead of a folder: what `tickmark collect` brought
    #[arg(long, value_name = "OWNER/REPO", conflicts_with = "path")]
    pub(crate) source: Option<String>,
    /// Judge one open pull request as if it merged now
    #[arg(long, value_name = "NUMBER")]
    pub(crate) pull: Option<u64>,
    /// Show the result of --pull beside its head commit, as a commit status
    #[arg(long, requires = "pull")]
    pub(crate) post_status: bool,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
    /// List every deviation, not only the first ten of a procedure
    #[arg(long)]
    pub(crate) all: bool,
    /// End with status 3 when an item has this verdict
    #[arg(long, value_name = "VERDICT", value_enum)]
    pub(crate) fail_on: Option<FailOn>,
}

#[derive(Args)]
pub(crate) struct Assess {
    #[command(flatten)]
    pub(crate) asked: KnownWhen,
    /// Record in the ledger which controls were tested, and with what conclusion: what GOV-07 asks for
    #[arg(long, conflicts_with_all = ["as_of", "cutoff", "known_at"])]
    pub(crate) record: bool,
    /// Only procedures that test this control, such as CHG-02; again for more
    #[arg(long, value_name = "ID")]
    pub(crate) control: Vec<String>,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
    /// List every deviation, not only the first ten of a procedure
    #[arg(long)]
    pub(crate) all: bool,
    /// End with status 3 when an item has this verdict
    #[arg(long, value_name = "VERDICT", value_enum)]
    pub(crate) fail_on: Option<FailOn>,
}

/// What an assessment is asked about: a period, or a date.
#[derive(Args)]
pub(crate) struct When {
    #[command(flatten)]
    pub(crate) days: Days,
    /// Ask about the end of this day instead of a period (Type I), YYYY-MM-DD
    #[arg(long, value_name = "DATE", conflicts_with_all = ["from", "to"])]
    pub(crate) as_of: Option<String>,
    /// Last day whose facts count, those after the period included, YYYY-MM-DD (default: now)
    #[arg(long, value_name = "DATE")]
    pub(crate) cutoff: Option<String>,
}

impl When {
    /// The question about every procedure.
    pub(crate) fn question(&self, now: Instant, config: &app::Config) -> Result<AssessmentQuestion, Failure> {
        let zone = config.zone(self.days.tz.as_deref());
        let cutoff = cutoff(now, self.cutoff.as_deref(), &zone)?;
        let question = match &self.as_of {
            Some(day) => AssessmentQuestion::at(until(now, day, &zone)?, &zone, cutoff),
            None => AssessmentQuestion::over(self.days.period(now, config)?, cutoff),
        };
        Ok(AssessmentQuestion { keeping: Some(keeping(now, config)), ..question })
    }
}

/// The same, and what was known by then.
#[derive(Args)]
pub(crate) struct KnownWhen {
    #[command(flatten)]
    pub(crate) when: When,
    /// Ledger position whose knowledge counts (default: everything)
    #[arg(long, value_name = "POSITION")]
    pub(crate) known_at: Option<u64>,
}

impl KnownWhen {
    pub(crate) fn question(&self, now: Instant, config: &app::Config) -> Result<AssessmentQuestion, Failure> {
        Ok(AssessmentQuestion { known_at: self.known_at, ..self.when.question(now, config)? })
    }
}

/// The instant that a question is asked about, and what was known by then.
#[derive(Args)]
pub(crate) struct AsOf {
    /// The end of this day, YYYY-MM-DD (default: now)
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Ledger position whose knowledge counts (default: everything)
    #[arg(long, value_name = "POSITION")]
    pub(crate) known_at: Option<u64>,
    /// Time zone of the day (default: the workspace's, else UTC)
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
}

impl AsOf {
    /// The instant, which has come by `now`, and the zone that days are told in.
    pub(crate) fn instant(&self, now: Instant, config: &app::Config) -> Result<(Instant, String), Failure> {
        let zone = config.zone(self.tz.as_deref());
        let at = self.as_of.as_deref().map_or(Ok(now), |day| until(now, day, &zone))?;
        Ok((at, zone))
    }
}

#[derive(Args)]
pub(crate) struct CommitmentsCommand {
    #[command(flatten)]
    pub(crate) when: AsOf,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[group(id = "asked", required = true, multiple = true, args = ["who", "system", "role"])]
pub(crate) struct AccessCommand {
    /// A person, by e-mail address, login or full name, with all their accounts
    #[arg(long, value_name = "NAME")]
    pub(crate) who: Option<String>,
    /// A system
    #[arg(long, value_name = "NAME")]
    pub(crate) system: Option<String>,
    /// A role, in the system's own word
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,
    #[command(flatten)]
    pub(crate) when: AsOf,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// A rule was broken
    Deviation,
    /// Anything but a conclusion without exceptions
    Unproven,
}

#[derive(Subcommand)]
pub(crate) enum LedgerCommand {
    /// What the ledger holds, and under which key
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the proof that an entry stands in the log
    Proof {
        /// Index of the entry
        index: u64,
        /// Folder to write `<index>.tlog-proof` and `<index>.leaf` to
        #[arg(long, default_value = ".")]
        out: PathBuf,
    },
    /// Have somebody outside vouch for the signed checkpoint: an authority (RFC 3161) stamps it, or a witness cosigns it
    Anchor(Anchor),
    /// Erase documents, or one person from every document: the keys are destroyed for good
    Erase {
        /// Entries whose documents go
        #[arg(required_unless_present = "person", conflicts_with = "person")]
        indexes: Vec<u64>,
        /// Address or login of the person to take out of every document; again for each that is theirs
        #[arg(long, value_name = "ADDRESS")]
        person: Vec<String>,
        /// Those who look like the person are somebody else: they stay
        #[arg(long, requires = "person")]
        apart: bool,
        /// Legal basis: it stands in the ledger
        #[arg(long, value_name = "TEXT")]
        basis: String,
        /// Who approved it, as a pseudonym: it stands in the ledger
        #[arg(long, value_name = "WHO")]
        approver: String,
        /// Yes, destroy them: this cannot be undone
        #[arg(long)]
        yes: bool,
    },
    /// Print the document of an entry: its receipt, then the bytes as the source sent them
    Show {
        /// Index of the entry
        index: u64,
    },
}

#[derive(Args)]
pub(crate) struct Anchor {
    /// Address of a time-stamp authority
    #[arg(long, value_name = "URL", required_unless_present = "witness", conflicts_with = "witness")]
    pub(crate) tsa: Option<String>,
    /// Address of a witness (c2sp.org/tlog-witness)
    #[arg(long, value_name = "URL", requires = "witness_key")]
    pub(crate) witness: Option<String>,
    /// Key of the witness (name+id+key) as its keeper gave it, or a file that holds it
    #[arg(long, value_name = "KEY", requires = "witness")]
    pub(crate) witness_key: Option<String>,
    /// Certificates (PEM) or keys of our own authorities and witnesses: their word proves nothing to others
    #[arg(long, value_name = "FILE")]
    pub(crate) own: Vec<PathBuf>,
    /// How long to wait for an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
}

#[derive(Subcommand)]
pub(crate) enum SourceCommand {
    /// Add a source
    Add {
        #[command(subcommand)]
        kind: SourceKind,
    },
    /// List the sources
    List,
    /// Try for every stream whether it may be read
    Check,
}

#[derive(Subcommand)]
pub(crate) enum SourceKind {
    /// A repository at GitHub
    Github {
        /// Organisation or user
        #[arg(long)]
        owner: String,
        /// Repository
        #[arg(long)]
        repo: String,
        /// Address of the API of an own server
        #[arg(long, value_name = "URL")]
        api_url: Option<String>,
        /// Environment variable that holds the token
        #[arg(long, value_name = "NAME")]
        token_env: Option<String>,
        /// App id or client id of a GitHub App, which takes the place of a person's token
        #[arg(long, value_name = "ID", conflicts_with = "token_env")]
        app: Option<String>,
        /// File with the App's private key, as GitHub handed it out
        #[arg(long, value_name = "FILE", requires = "app")]
        app_key: Option<PathBuf>,
        /// Environment variable that holds the App's private key, where no file does
        #[arg(long, value_name = "NAME", requires = "app", conflicts_with = "app_key")]
        app_key_env: Option<String>,
        /// Installation of the App (default: the one that covers the repository)
        #[arg(long, value_name = "NUMBER", requires = "app")]
        installation: Option<u64>,
    },
}

#[derive(Args)]
pub(crate) struct Query {
    /// One SELECT over the record tables
    pub(crate) sql: String,
    /// Instant at which state tables are seen, RFC 3339 (default: now)
    #[arg(long, value_name = "INSTANT")]
    pub(crate) as_of: Option<String>,
    /// Ledger position whose knowledge counts (default: everything)
    #[arg(long, value_name = "POSITION")]
    pub(crate) known_at: Option<u64>,
    /// Form of the output
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
    /// A new file to write to, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns
    Table,
    /// One JSON array of objects
    Json,
    /// Comma-separated, with a head line
    Csv,
    /// A Parquet file, with the types of the columns
    Parquet,
}

pub(crate) fn completions(shell: clap_complete::Shell) -> Result<ExitCode, Failure> {
    clap_complete::generate(shell, &mut Arguments::command(), "tickmark", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man() -> Result<ExitCode, Failure> {
    let mut page = vec![];
    clap_mangen::Man::new(Arguments::command()).render(&mut page).map_err(Failure::of)?;
    std::io::stdout().write_all(&page).map_err(Failure::of)?;
    Ok(ExitCode::SUCCESS)
}
