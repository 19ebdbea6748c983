//! A few days in which collectors were down. What the sources kept was fetched afterwards; that they have nothing else of that
//! time, nobody can say.

use crate::Case;
use crate::changes::{built, deployed, lands, switched, went_around};
use crate::clock::{DAY, HOUR, MINUTE};
use crate::company::{Company, Outage};
use crate::monitoring::{answered, forget_incident};
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// How long they were down.
const DOWN: i64 = 4 * DAY;

pub(crate) fn base(c: &mut Company) {
    let from = c.clock.from + i64::from(c.shape.days) / 2 * DAY;
    if !c.shape.outages || c.shape.days < 90 {
        return;
    }
    let to = from + DOWN;
    c.clock.dark = Some((from, to));
    let each: [(&'static str, &'static [&'static str]); 4] = [
        ("alerts", &["alert_response"]),
        ("bypasses", &["bypass_review"]),
        ("flags", &["flag_change_approval"]),
        ("deployment_approvals", &["deployment_authorised"]),
    ];
    for (file, tests) in each {
        c.outages.push(Outage { file, from, to, tests });
    }
}

pub(crate) const CASES: &[(&str, Case)] = &[("N63", fetched_afterwards), ("N65", nobody_looked)];

fn fetched_afterwards(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((from, _)) = c.clock.dark.filter(|_| !c.shape.quiet) else { return vec![] };
    let at = from + rng.between(4, 20) * HOUR;
    let alert = answered(c, rng, "high", true, at);
    let bypass = went_around(c, rng, at);
    let why = "its record was fetched once the collector was up again: what was done, was done";
    vec![
        seeded(("LOG-04", "alert_response", "N63"), &c.alerts[alert].key, "pppp", why),
        seeded(("CHG-08", "bypass_review", "N63"), &c.bypasses[bypass].key, "pp", why),
    ]
}

fn nobody_looked(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((from, _)) = c.clock.dark.filter(|_| !c.shape.quiet) else { return vec![] };
    let at = from + rng.between(4, 20) * HOUR;
    let why = "nothing came of it as far as is known, and the collector was down: what is missing was perhaps not fetched";
    let alert = answered(c, rng, "high", true, at);
    let before = answered(c, rng, "high", true, from - 10 * MINUTE);
    for alert in [alert, before] {
        let alert = &mut c.alerts[alert];
        alert.acked = None;
    }
    c.alerts[alert].ticket = None;
    forget_incident(c, alert);
    let bypass = went_around(c, rng, at);
    c.bypasses[bypass].reviewed = None;
    let number = 20_000 + c.flags.len();
    let flag = switched(c, rng, number, 0, at);
    let commit = lands(c, rng, 0, 0, at - 3 * HOUR);
    let artifact = built(c, rng, 0, &commit, at - 2 * HOUR);
    let deployment = deployed(c, 0, "production", &artifact, at, 0);
    vec![
        seeded(("LOG-04", "alert_response", "N65"), &c.alerts[alert].key, "nnnn", why),
        seeded(("LOG-04", "alert_response", "N65"), &c.alerts[before].key, "nppp", why),
        seeded(("CHG-08", "bypass_review", "N65"), &c.bypasses[bypass].key, "nn", why),
        seeded(("CHG-11", "flag_change_approval", "N65"), &c.flags[flag].key, "n", why),
        seeded(("CHG-06", "deployment_authorised", "N65"), &c.deployments[deployment].key, "n", why),
    ]
}
