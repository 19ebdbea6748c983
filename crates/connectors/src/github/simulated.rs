//! A code host that is made up, collected as a real one is: over HTTP, by [`collect()`] itself, as of one look after the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ::collect::{Asked, Http, HttpConfig, Loopback, Reply, Secret, Sink, Surroundings};
use model::{Instant, Window};

use super::{Cursors, GitHubError, Source, collect};

/// A code host that does not exist.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// What the system is called: its address is only where it stands for now.
    pub known_as: String,
    /// Owner and name of each repository.
    pub repositories: Vec<(String, String)>,
    /// When the collector looks, earliest first.
    pub looks: Vec<Instant>,
    /// Since when everything is wanted.
    pub since: Instant,
}

/// Serves a made-up host on this machine's loopback for as long as it is collected, and hands over what [`collect()`] captures of
/// each repository at every look. `answer` is told when it is asked: nobody waits, and the clock of both moves on from look to look.
/// No proxy stands in between, and nothing else is called.
///
/// # Errors
/// As [`collect()`]; also where no port can be had.
pub fn collect_simulated(
    host: &Simulated,
    answer: impl Fn(&Asked, Instant) -> Reply + Send + 'static,
    sink: &mut Sink<'_>,
) -> Result<(), GitHubError> {
    let clock = Arc::new(AtomicI64::new(0));
    let time = |clock: Arc<AtomicI64>| move || Instant::from_ms(clock.load(Ordering::SeqCst));
    let hosts = time(Arc::clone(&clock));
    let server = Loopback::serve(move |asked| answer(asked, hosts()))
        .map_err(|error| GitHubError::Configuration(format!("the code host cannot be served: {error}")))?;
    let surroundings = Surroundings {
        now: Box::new(time(Arc::clone(&clock))),
        sleep: Box::new(|_| ()),
        random: Box::new(|| 0),
    };
    let mut http = Http::new(HttpConfig::default(), surroundings)?;
    let window = Window { from: host.since, to: Instant::FOREVER };
    let mut known: BTreeMap<&(String, String), Cursors> = BTreeMap::new();
    for look in &host.looks {
        clock.store(look.ms(), Ordering::SeqCst);
        for repository in &host.repositories {
            let (owner, name) = repository;
            let source = Source {
                api_url: server.url(),
                known_as: Some(host.known_as.clone()),
                ..Source::new(owner, name, Secret::new("invented"))
            };
            let cursors = known.entry(repository).or_default();
            let mut next = cursors.clone();
            collect(&source, cursors, window, &mut http, &mut |capture| {
                if let Some(cursor) = &capture.receipt.cursor {
                    next.insert(capture.receipt.stream.clone(), cursor.clone());
                }
                sink(capture)
            })?;
            *cursors = next;
        }
    }
    Ok(())
}
