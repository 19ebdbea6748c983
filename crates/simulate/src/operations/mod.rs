//! What keeps the service running and its data safe: copies and recovery, secrets, logs, scans, and what outsiders can reach.

pub(crate) mod exposure;
pub(crate) mod logs;
pub(crate) mod recovery;
pub(crate) mod scans;
pub(crate) mod secrets;

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
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    recovery::base(c, &mut rng.fork("recovery"));
    secrets::base(c, &mut rng.fork("secrets"));
    logs::base(c, &mut rng.fork("logs"));
    scans::base(c, &mut rng.fork("scans"));
    exposure::base(c, &mut rng.fork("exposure"));
}
