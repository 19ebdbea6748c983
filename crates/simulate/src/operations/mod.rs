//! What keeps the service running and its data safe: copies and recovery, secrets, logs, scans, and what outsiders can reach.

pub(crate) mod doors;
pub(crate) mod duties;
pub(crate) mod edge;
pub(crate) mod exposure;
pub(crate) mod leaks;
pub(crate) mod logs;
pub(crate) mod readers;
pub(crate) mod recovery;
pub(crate) mod response;
pub(crate) mod rights;
pub(crate) mod scans;
pub(crate) mod searches;
pub(crate) mod secrets;
pub(crate) mod tiers;
pub(crate) mod upkeep;
pub(crate) mod walls;
pub(crate) mod watch;
pub(crate) mod ways_out;

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
    pub(crate) watches: Vec<tiers::Watch>,
    pub(crate) drifts: Vec<upkeep::Drift>,
    pub(crate) stores: Vec<upkeep::Store>,
    pub(crate) findings: Vec<response::Finding>,
    pub(crate) playbooks: Vec<response::Playbook>,
    pub(crate) doors: Vec<doors::Rule>,
    pub(crate) trials: Vec<doors::Trial>,
    pub(crate) ways: Vec<walls::Way>,
    pub(crate) samples_of_data: Vec<walls::Sample>,
    pub(crate) apart: Vec<duties::Apart>,
    pub(crate) both: Vec<duties::Both>,
    pub(crate) rights: Vec<rights::Right>,
    pub(crate) export_rules: Vec<ways_out::Rule>,
    pub(crate) exports: Vec<ways_out::Export>,
    pub(crate) carried: Vec<ways_out::Carried>,
    pub(crate) readers: Vec<readers::Reader>,
    pub(crate) store_looks: Vec<readers::Look>,
    pub(crate) code_searches: Vec<searches::Search>,
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
    tiers::base(c, &mut rng.fork("tiers"));
    upkeep::base(c, &mut rng.fork("upkeep"));
    response::base(c, &mut rng.fork("response"));
    doors::base(c, &mut rng.fork("doors"));
    walls::base(c, &mut rng.fork("walls"));
    duties::base(c, &mut rng.fork("duties"));
    rights::base(c, &mut rng.fork("rights"));
    ways_out::base(c, &mut rng.fork("ways out"));
}

/// What is done about whatever there is by then: every incident, every repository, every region.
pub(crate) fn afterwards(c: &mut Company, rng: &mut Rng) {
    watch::notices(c, &mut rng.fork("notices"));
    leaks::searched(c);
    tiers::watched(c);
}
