//! What keeps the service running and its data safe: copies and recovery, secrets, logs, scans, and what outsiders can reach.

pub(crate) mod edge;
pub(crate) mod exposure;
pub(crate) mod leaks;
pub(crate) mod logs;
pub(crate) mod recovery;
pub(crate) mod scans;
pub(crate) mod secrets;
pub(crate) mod watch;

use crate::company::Company;
use crate::rng::Rng;

/// Everything that is operated, beside what is stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operations {
    pub(crate) copies: Vec<recovery::Copy>,
    pub(crate) restores: Vec<recovery::Restore>,
    pub(crate) plans: Vec<recovery::Plan>,
    pub(crate) exercises: Vec<recovery::Exercise>,
    pub(crate) secrets: Vec<secrets::Secret>,
    pub(crate) sources: Vec<logs::Source>,
    /// Machines that log, counted.
    pub(crate) hosts: usize,
    pub(crate) fleets: Vec<scans::Fleet>,
    pub(crate) opened: Vec<exposure::Opened>,
    pub(crate) endpoints: Vec<edge::Endpoint>,
    pub(crate) networks: Vec<edge::Network>,
    pub(crate) rules: Vec<edge::Rule>,
    pub(crate) watchers: Vec<watch::Watcher>,
    pub(crate) rotas: Vec<watch::Rota>,
    pub(crate) notices: Vec<watch::Notice>,
    pub(crate) searches: Vec<leaks::Search>,
    pub(crate) leaks: Vec<leaks::Leak>,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    recovery::base(c, &mut rng.fork("recovery"));
    secrets::base(c, &mut rng.fork("secrets"));
    logs::base(c, &mut rng.fork("logs"));
    scans::base(c, &mut rng.fork("scans"));
    exposure::base(c, &mut rng.fork("exposure"));
    edge::base(c, &mut rng.fork("edge"));
    watch::base(c, &mut rng.fork("watch"));
    leaks::base(c, &mut rng.fork("leaks"));
}

/// What is done about whatever there is by then: every incident, every repository.
pub(crate) fn afterwards(c: &mut Company, rng: &mut Rng) {
    watch::notices(c, &mut rng.fork("notices"));
    leaks::searched(c);
}
