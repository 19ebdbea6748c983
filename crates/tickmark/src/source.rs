//! `tickmark source` and `tickmark collect`, and `tickmark check --pull`: everything that asks a source over the network.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use app::{GitHubSource, Preview, Workspace};
use collect::{Http, HttpConfig, RunSummary, Secret, Surroundings};
use connectors::github::{self, AppKey, Credential, Source, StatusState};
use model::{Capture, CoverageStatus, Instant, Period, Verdict, Window};

use crate::command::{Check, FailOn, SourceCommand, SourceKind};
use crate::failure::Failure;
use crate::output::{self, BOLD, aligned, line, spoken, styled};
use crate::session::{Session, derive};

pub(crate) fn run(session: &Session, what: &SourceCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    match what {
        SourceCommand::Add { kind } => {
            let source = configured(kind)?;
            app::add_github_source(&place.folder, &source)?;
            line(&format!(
                "added github {}/{} to {}",
                source.owner,
                source.repo,
                place.folder.join("tickmark.toml").display()
            ))?;
            line("next: tickmark source check, then tickmark collect")?;
        }
        SourceCommand::List => {
            let config = app::Config::read(&place.folder.join("tickmark.toml"))?;
            for source in &config.source.github {
                let app = source.app.as_ref().map(|app| format!("  as App {app}")).unwrap_or_default();
                line(&format!("github  {}/{}{app}", source.owner, source.repo))?;
            }
            if config.source.github.is_empty() {
                line("no source yet; add one with `tickmark source add github --owner … --repo …`")?;
            }
        }
        SourceCommand::Check => return check(&place.folder),
    }
    Ok(ExitCode::SUCCESS)
}

/// A source as it stands in `tickmark.toml`. A key that cannot be used is found now and not at night.
fn configured(kind: &SourceKind) -> Result<GitHubSource, Failure> {
    let SourceKind::Github { owner, repo, api_url, token_env, app, app_key, app_key_env, installation } =
        kind;
    let app_key = match app_key {
        Some(file) => {
            read_key(file)?;
            // Whoever collects does so from another folder.
            Some(std::path::absolute(file).map_err(app::AppError::file("find", file))?)
        }
        None => None,
    };
    Ok(GitHubSource {
        owner: owner.clone(),
        repo: repo.clone(),
        api_url: api_url.clone(),
        token_env: token_env.clone(),
        app: app.clone(),
        app_key,
        app_key_env: app_key_env.clone(),
        installation: *installation,
    })
}

fn check(folder: &Path) -> Result<ExitCode, Failure> {
    let config = app::Config::read(&folder.join("tickmark.toml"))?;
    if config.source.github.is_empty() {
        return Err(Failure::of("this workspace has no source; add one with `tickmark source add github`"));
    }
    let mut all = true;
    for configured in &config.source.github {
        let source = source(configured)?;
        let mut http = http()?;
        line(&styled(BOLD, &source.repository()))?;
        let mut rows = vec![];
        for stream in github::probe(&source, &mut http)? {
            all &= stream.status == CoverageStatus::Complete;
            let said = [stream.reason, stream.fix]
                .into_iter()
                .filter(|s| !s.is_empty())
                .collect::<Vec<_>>()
                .join("; ");
            rows.push(vec![format!("  {}", spoken(stream.stream)), spoken(stream.status.word()), said]);
        }
        for row in aligned(&rows) {
            line(row.trim_end())?;
        }
    }
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Collects what is new from every source.
pub(crate) fn collect(session: &Session, since: Option<&str>) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    let from = match since {
        Some(date) => model::parse_date_range(date, date, "UTC")?.from,
        None => Period::last_twelve_months(session.now, "UTC")?.from,
    };
    let configured = workspace.config.source.github.clone();
    if configured.is_empty() {
        return Err(Failure::of("this workspace has no source; add one with `tickmark source add github`"));
    }
    let derive = |document: &model::Document<'_>| derive(document, &conventions);
    workspace.catch_up(&derive)?;
    let mut whole = true;
    for configured in &configured {
        let source = source(configured)?;
        let mut cursors = BTreeMap::new();
        for stream in github::STREAMS {
            if let Some(cursor) = workspace.cursor(&source.instance(), stream.name)? {
                cursors.insert(stream.name.to_owned(), cursor);
            }
        }
        let bar = output::progress("answers of GitHub");
        let mut http = http()?;
        let window = Window { from, to: Instant::FOREVER };
        let summary = {
            let workspace = RefCell::new(&mut workspace);
            github::collect(&source, &cursors, window, &mut http, &mut |capture: Capture| {
                bar.inc(1);
                workspace.borrow_mut().append(&[capture]).map(drop).map_err(Into::into)
            })?
        };
        bar.finish_and_clear();
        let applied = workspace.catch_up(&derive)?;
        print_summary(&source, &summary)?;
        for (entry, problem) in &applied.problems {
            line(&format!("  ledger entry {entry}: {problem}"))?;
        }
        whole &= summary.streams.iter().all(|s| s.coverage.status == CoverageStatus::Complete);
    }
    if !whole {
        line("some streams are not complete: what rests on them stays without evidence")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_summary(source: &Source, summary: &RunSummary) -> Result<(), Failure> {
    line(&format!("{}: {} requests", styled(BOLD, &source.repository()), summary.requests))?;
    let rows: Vec<Vec<String>> = summary
        .streams
        .iter()
        .map(|s| {
            vec![
                format!("  {}", spoken(s.stream)),
                format!("{} items", s.items),
                spoken(s.coverage.status.word()),
                s.coverage.reason.clone(),
            ]
        })
        .collect();
    for row in aligned(&rows) {
        line(row.trim_end())?;
    }
    Ok(())
}

/// Judges one open pull request.
pub(crate) fn pull(session: &Session, check: &Check, number: u64) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    let source = named(&workspace, check.source.as_deref())?;
    let derive = |document: &model::Document<'_>| derive(document, &conventions);
    workspace.catch_up(&derive)?;
    let start = workspace.size();
    let mut http = http()?;
    let summary = {
        let workspace = RefCell::new(&mut workspace);
        github::pull(&source, number, &mut http, &mut |capture: Capture| {
            workspace.borrow_mut().append(&[capture]).map(drop).map_err(Into::into)
        })?
    };
    workspace.catch_up(&derive)?;
    let preview = Preview {
        repository: source.repository(),
        number,
        entries: start..workspace.size(),
        unseen: unseen(&summary),
        now: session.now,
    };
    let (report, head) = workspace.preview(&preview, &derive)?;
    let worst = report
        .procedures
        .iter()
        .flat_map(|p| &p.items)
        .map(app::ItemReport::verdict)
        .min()
        .unwrap_or(Verdict::NoEvidence);
    if check.json {
        output::document(&report)?;
    } else {
        line(&format!(
            "{} #{number} at {}, as if it merged now: {}",
            styled(BOLD, &source.repository()),
            head.get(..12).unwrap_or(&head),
            styled(output::verdict_style(worst), &spoken(worst.word()))
        ))?;
        for procedure in &report.procedures {
            for item in &procedure.items {
                for (letter, verdict) in &item.verdicts {
                    let says = procedure
                        .attributes
                        .iter()
                        .find(|a| a.letter == *letter)
                        .map_or("", |a| a.says.as_str());
                    let reason = item.reasons.get(letter).map(|r| format!(": {r}")).unwrap_or_default();
                    line(&format!(
                        "  {} {letter}  {}  {says}{reason}",
                        procedure.controls.join(" "),
                        styled(output::verdict_style(*verdict), &format!("{:15}", spoken(verdict.word()))),
                    ))?;
                }
            }
        }
    }
    if check.post_status {
        let (state, text) = match worst {
            Verdict::Pass | Verdict::NotApplicable => {
                (StatusState::Success, "every tested attribute holds".to_owned())
            }
            Verdict::Deviation => (StatusState::Failure, first_reason(&report, worst)),
            Verdict::NotYetDue => (StatusState::Pending, "not due yet".to_owned()),
            Verdict::NeedsJudgement | Verdict::NoEvidence => {
                (StatusState::Error, first_reason(&report, worst))
            }
        };
        github::post_status(&source, &head, state, "tickmark", &text, None, &mut http)?;
        output::note(&format!("posted the status to {head}"));
    }
    let failed = check.fail_on.is_some_and(|on| match on {
        FailOn::Deviation => worst == Verdict::Deviation,
        FailOn::Unproven => !matches!(worst, Verdict::Pass | Verdict::NotApplicable),
    });
    Ok(if failed { ExitCode::from(3) } else { ExitCode::SUCCESS })
}

fn first_reason(report: &app::Report, verdict: Verdict) -> String {
    report
        .procedures
        .iter()
        .flat_map(|p| p.items.iter().map(move |i| (p, i)))
        .find_map(|(p, item)| {
            let (letter, _) = item.verdicts.iter().find(|(_, v)| **v == verdict)?;
            let reason = item.reasons.get(letter).map_or(verdict.word(), String::as_str);
            Some(format!("{}: {reason}", p.controls.join(" ")))
        })
        .unwrap_or_else(|| spoken(verdict.word()))
}

/// Tables of the procedures that judge a pull request whose streams were not complete.
fn unseen(summary: &RunSummary) -> BTreeMap<String, String> {
    const JUDGED_BY: [&str; 6] =
        ["pull_request", "contributor", "approval", "check_run", "required_check", "ticket_reference"];
    let mut unseen = BTreeMap::new();
    for table in JUDGED_BY {
        // What has not landed yet is no commit of the branch.
        for stream in github::streams_of(table).iter().filter(|stream| **stream != "commits") {
            let reason = match summary.stream(stream) {
                Some(s) if s.coverage.status == CoverageStatus::Complete => continue,
                Some(s) => format!("{stream}: {}", s.coverage.reason),
                None => format!("{stream} was not looked at"),
            };
            unseen.entry(table.to_owned()).or_insert(reason);
        }
    }
    unseen
}

/// The source of that name, or the only one.
pub(crate) fn named(workspace: &Workspace, name: Option<&str>) -> Result<Source, Failure> {
    let all = &workspace.config.source.github;
    let listed = || all.iter().map(|s| format!("{}/{}", s.owner, s.repo)).collect::<Vec<_>>().join(", ");
    let found = match name {
        Some(name) => all.iter().find(|s| format!("{}/{}", s.owner, s.repo) == name),
        None if all.len() == 1 => all.first(),
        None => None,
    };
    match found {
        Some(found) => source(found),
        None if all.is_empty() => {
            Err(Failure::of("this workspace has no source; add one with `tickmark source add github`"))
        }
        None => Err(Failure::of(format!("name a source with --source; there are: {}", listed()))),
    }
}

fn source(configured: &GitHubSource) -> Result<Source, Failure> {
    let of_an_app =
        configured.app_key.is_some() || configured.app_key_env.is_some() || configured.installation.is_some();
    // What was meant must not be guessed: the one who asks stands in every receipt.
    let mixed = if configured.app.is_some() { configured.token_env.is_some() } else { of_an_app };
    if mixed {
        return Err(Failure::of(format!(
            "tickmark.toml names parts of a token and of a GitHub App for {}/{}; keep `token_env`, or `app` with `app_key`, \
             `app_key_env` and `installation`",
            configured.owner, configured.repo
        )));
    }
    let credential = match &configured.app {
        Some(id) => Credential::App(github::App {
            id: id.trim().to_owned(),
            key: app_key(configured, id)?,
            installation: configured.installation,
        }),
        None => Credential::Token(token(configured)?),
    };
    let mut source = Source::new(&configured.owner, &configured.repo, credential);
    if let Some(url) = &configured.api_url {
        source.api_url.clone_from(url);
    }
    Ok(source)
}

fn token(configured: &GitHubSource) -> Result<Secret, Failure> {
    let variable = configured.token_env.as_deref().unwrap_or("GITHUB_TOKEN");
    let token = held(variable).ok_or_else(|| {
        Failure::of(format!(
            "no token for {}/{}; put one with the rights of docs/sources/github.md into the environment variable {variable}",
            configured.owner, configured.repo
        ))
    })?;
    Ok(Secret::new(&token))
}

/// The App's key: where `tickmark.toml` says, else a systemd credential, else the environment.
fn app_key(configured: &GitHubSource, id: &str) -> Result<AppKey, Failure> {
    if let Some(file) = &configured.app_key {
        return read_key(file);
    }
    if configured.app_key_env.is_none() {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        if let Some(file) = credentials.map(|d| d.join("tickmark-github-app-key")).filter(|f| f.is_file()) {
            return read_key(&file);
        }
    }
    let variable = configured.app_key_env.as_deref().unwrap_or("GITHUB_APP_KEY");
    let text = held(variable).ok_or_else(|| {
        Failure::of(format!(
            "no private key of the App `{id}` for {}/{}; name its file as `app_key` in tickmark.toml, or put the key into \
             the environment variable {variable} or the systemd credential tickmark-github-app-key",
            configured.owner, configured.repo
        ))
    })?;
    Ok(AppKey::from_pem(&text)?)
}

fn read_key(file: &Path) -> Result<AppKey, Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let text =
        std::fs::read_to_string(file).map_err(app::AppError::file("read the App's private key", file))?;
    if std::fs::metadata(file).is_ok_and(|m| m.permissions().mode() & 0o077 != 0) {
        output::note(&format!(
            "`{}` can be read by others on this machine; chmod 600 keeps the App's key to you",
            file.display()
        ));
    }
    AppKey::from_pem(&text).map_err(|error| Failure::of(format!("`{}`: {error}", file.display())))
}

/// What a variable of the environment holds, if anything.
fn held(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|text| !text.trim().is_empty())
}

fn http() -> Result<Http, Failure> {
    let variable =
        |names: [&str; 2]| names.into_iter().find_map(|n| std::env::var(n).ok()).filter(|v| !v.is_empty());
    let roots = match std::env::var_os("SSL_CERT_FILE").map(PathBuf::from) {
        Some(path) => {
            Some(std::fs::read(&path).map_err(app::AppError::file("read the certificates", &path))?)
        }
        None => None,
    };
    let config =
        HttpConfig { roots, proxy: variable(["HTTPS_PROXY", "https_proxy"]), ..HttpConfig::default() };
    #[expect(clippy::disallowed_methods, reason = "the network's clock is read where the process begins")]
    let now = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Instant::from_ms(since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
    };
    let surroundings = Surroundings {
        now: Box::new(now),
        sleep: Box::new(|time: Duration| {
            if time > Duration::from_secs(5) {
                output::note(&format!("waiting {} seconds, as the source asks", time.as_secs()));
            }
            std::thread::sleep(time);
        }),
        random: Box::new(|| {
            let mut bytes = [0; 8];
            // Only spreads retries: without randomness they are not spread.
            let _ = crate::session::entropy(&mut bytes);
            u64::from_le_bytes(bytes)
        }),
    };
    Ok(Http::new(config, surroundings)?)
}
