//! `tickmark serve`: the workspace in a browser. Everything is wired here; what is shown and to whom is for `web` and `app`.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use web::{Front, Opened, Origin, Site};

use crate::failure::Failure;
use crate::output::{self, line};
use crate::session::{Session, clock, derive, entropy, keeping};

const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8321);
/// Pages that are worked on at once; most of the time they wait for each other.
const AT_ONCE: usize = 16;
/// How often is looked whether what is shown has become old.
const REFRESH: Duration = Duration::from_secs(60);

#[derive(Args)]
pub(crate) struct ServeCommand {
    /// Address and port to listen on; another than this machine's own only with [serve] in tickmark.toml
    #[arg(long, value_name = "ADDRESS", default_value_t = USUAL)]
    listen: SocketAddr,
}

impl ServeCommand {
    pub(crate) const fn usual() -> Self {
        Self { listen: USUAL }
    }
}

pub(crate) fn run(session: &Session, asked: &ServeCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let config = app::Config::read(&place.folder.join("tickmark.toml"))?;
    let origin = match &config.serve {
        Some(serve) => Origin::public(&serve.origin).map_err(Failure::of)?,
        None if asked.listen.ip().is_loopback() => Origin::this_machine(),
        None => {
            return Err(Failure::of(format!(
                "{} can be reached from other machines, and nobody said under which name; write the address that people type as \
                 `origin` under [serve] in `{}`, and put what speaks TLS in front (docs/web.md)",
                asked.listen,
                place.folder.join("tickmark.toml").display()
            )));
        }
    };
    let at = |e: std::io::Error| {
        Failure::of(format!("cannot listen on {}: {e}; choose another with --listen", asked.listen))
    };
    // Before anything is opened: another server may be there already.
    let listener = std::net::TcpListener::bind(asked.listen).map_err(at)?;
    listener.set_nonblocking(true).map_err(at)?;
    let address = listener.local_addr().map_err(at)?;
    let (workspace, conventions) = session.open(&place)?;
    let site = Site::new(Opened {
        workspace,
        derive: Box::new(move |document| derive(document, &conventions)),
        write: crate::record::write,
        keeping,
        clock: Box::new(clock),
        entropy,
        log: output::note,
    })?;
    let site = Arc::new(site);
    if let Some(path) = site.first_run(OPERATOR).map_err(Failure::of)? {
        line("nobody is a member yet; the first owner comes in here, once, within 48 hours:")?;
        line(&format!("  {}{path}", reached(&config, address)))?;
    }
    line(&format!("listening on {}; stop with Ctrl-C", reached(&config, address)))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(AT_ONCE)
        .build()
        .map_err(Failure::of)?;
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(at)?;
        let mut terminated =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map_err(at)?;
        let stop = async move {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
        };
        let kept_fresh = tokio::spawn(keep_fresh(Arc::clone(&site)));
        web::serve(Front::new(site, origin), listener, stop).await;
        kept_fresh.abort();
        Ok::<_, Failure>(())
    })?;
    // What is still being worked out changes nothing, and is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(ExitCode::SUCCESS)
}

/// Under which name the first link is made: whoever started the server.
const OPERATOR: &str = "operator";

/// The address that people type.
fn reached(config: &app::Config, address: SocketAddr) -> String {
    match &config.serve {
        Some(serve) => serve.origin.trim_end_matches('/').to_owned(),
        None => format!("http://{address}"),
    }
}

/// Has the usual period worked out before anybody asks, and again when it has become old.
async fn keep_fresh(site: Arc<Site>) {
    let mut every = tokio::time::interval(REFRESH);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let site = Arc::clone(&site);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || site.refresh()).await {
            output::note(&format!("the period cannot be worked out: {error}"));
        }
    }
}
