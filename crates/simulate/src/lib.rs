//! A company that knows what happened in it: people who come and go, alerts, vendors, deployments, and among them, one by one,
//! the things an audit has to find and those that only look like it.
//!
//! [`simulate`] makes the world of a [`Shape`]; [`files()`] is what the company's systems would export of it, [`truth()`] what is
//! right to say. The two do not know each other, and neither knows the product: they are what its accuracy is measured by.
//! The same shape and seed give the same bytes for good.

mod access;
mod changes;
mod clock;
mod cloud;
mod company;
mod consents;
mod dealings;
mod export;
mod export_consents;
mod export_dealings;
mod export_jobs;
mod export_models;
mod export_releases;
mod export_requests;
mod export_risks;
mod export_stores;
mod jobs;
mod models;
mod monitoring;
mod names;
mod outages;
mod people;
mod releases;
mod requests;
mod reviews;
mod risks;
mod rng;
mod stores;
mod training;
mod truth;
mod vendors;
mod vulnerabilities;

use jiff::civil::Date;

pub use company::Company;
pub use export::{File, files};
pub use truth::{Expect, Kind, Seeded, Truth, truth};

use clock::Clock;
use rng::Rng;

/// The parameters of a company and its year.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    /// What chance is drawn from.
    pub seed: u64,
    /// People at the beginning, some months in.
    pub people: usize,
    /// Systems with logins, from 4 to 12.
    pub systems: usize,
    /// Repositories, at least 1.
    pub repositories: usize,
    /// First day of the period.
    pub from: Date,
    /// Days of the period.
    pub days: u32,
    /// Days after the period up to whose end everything was exported.
    pub cutoff_days: u32,
    /// Zone in which the period was declared.
    pub zone: String,
    /// How many times each case is made to happen; 0 for a company in which nothing goes wrong.
    pub violations: usize,
    /// Whether collectors were down for a while.
    pub outages: bool,
    /// Whether nothing ever fired.
    pub quiet: bool,
    /// Whether the policy on vulnerabilities was changed in the period.
    pub policy_change: bool,
}

impl Default for Shape {
    /// Fifty people, six systems and three repositories in New York in 2025, and each case once.
    fn default() -> Self {
        Self {
            seed: 1,
            people: 50,
            systems: 6,
            repositories: 3,
            from: Date::constant(2025, 1, 1),
            days: 365,
            cutoff_days: 31,
            zone: "America/New_York".to_owned(),
            violations: 1,
            outages: false,
            quiet: false,
            policy_change: false,
        }
    }
}

/// Tests that are fed, with the controls they test.
const TESTS: &[(&str, &str)] = &[
    ("IAM-06", "leaver_access_ended"),
    ("IAM-02", "mfa_enabled"),
    ("IAM-08", "access_review_completed"),
    ("HR-02", "security_training"),
    ("LOG-04", "alert_response"),
    ("VUL-02", "vulnerability_remediation"),
    ("VEN-03", "vendor_review"),
    ("CRY-02", "encryption_at_rest"),
    ("AVL-03", "availability_objective"),
    ("CHG-03", "branch_protection"),
    ("CHG-05", "deployment_traceable"),
    ("CHG-06", "deployment_authorised"),
    ("CHG-07", "emergency_change_review"),
    ("CHG-08", "bypass_review"),
    ("CHG-11", "flag_change_approval"),
    ("REL-01", "release_approval"),
    ("REL-02", "artifact_provenance"),
    ("REL-03", "staged_rollout"),
    ("REL-04", "rollback_ready"),
    ("PRV-04", "dsr_answered"),
    ("PI-02", "input_validated"),
    ("PI-03", "jobs_completed"),
    ("PI-04", "outputs_reconciled"),
    ("PI-05", "failures_alerted"),
    ("CON-01", "data_inventory"),
    ("CON-02", "retention_executed"),
    ("CON-03", "customer_data_deleted"),
    ("RSK-01", "risk_assessed"),
    ("RSK-02", "risk_treatment"),
    ("VEN-01", "vendor_inventory"),
    ("VEN-04", "vendor_contracts"),
    ("VEN-05", "vendor_exit"),
    ("AI-01", "training_data_gate"),
    ("AI-02", "inference_logged"),
    ("AI-03", "model_release"),
    ("PRV-02", "consent_honoured"),
];

/// What no file can prove, by test and attribute, and why.
const UNPROVEN: &[(&str, char, &str)] = &[(
    "emergency_change_review",
    'c',
    "who else wrote a change is for the code host to say, and a file's word on that proves nobody independent",
)];

/// One thing that can be made to happen. It gives what is right to say of it: of nothing, where this company has no room for it.
type Case = fn(&mut Company, &mut Rng) -> Vec<Seeded>;

/// A company and its year.
///
/// # Errors
/// A shape that is none: no days, an unknown zone, fewer than ten people, or too many of anything.
pub fn simulate(shape: &Shape) -> Result<Company, String> {
    let clock = Clock::new(&shape.zone, shape.from, shape.days, shape.cutoff_days)
        .ok_or_else(|| format!("`{}` is no zone, or {} are no days", shape.zone, shape.days))?;
    if !(10..=4_000).contains(&shape.people) {
        return Err(format!("{} people; a company here has from 10 to 4000", shape.people));
    }
    if !(4..=access::SYSTEMS.len()).contains(&shape.systems) || shape.repositories == 0 {
        return Err(format!(
            "{} systems and {} repositories; a company here has from 4 to {} systems, and a repository",
            shape.systems,
            shape.repositories,
            access::SYSTEMS.len()
        ));
    }
    let rng = Rng::new(shape.seed);
    let mut company = Company::new(shape.clone(), clock);
    outages::base(&mut company);
    access::base(&mut company, &mut rng.fork("access"));
    people::base(&mut company, &mut rng.fork("people"));
    training::base(&mut company, &mut rng.fork("training"));
    monitoring::base(&mut company, &mut rng.fork("monitoring"));
    vulnerabilities::base(&mut company, &mut rng.fork("vulnerabilities"));
    vendors::base(&mut company, &mut rng.fork("vendors"));
    cloud::base(&mut company, &mut rng.fork("cloud"));
    changes::base(&mut company, &mut rng.fork("changes"));
    releases::base(&mut company, &mut rng.fork("releases"));
    requests::base(&mut company, &mut rng.fork("requests"));
    jobs::base(&mut company, &mut rng.fork("jobs"));
    stores::base(&mut company, &mut rng.fork("stores"));
    risks::base(&mut company, &mut rng.fork("risks"));
    models::base(&mut company, &mut rng.fork("models"));
    consents::base(&mut company, &mut rng.fork("consents"));
    for cases in [
        people::CASES,
        access::CASES,
        training::CASES,
        monitoring::CASES,
        vulnerabilities::CASES,
        vendors::CASES,
        cloud::CASES,
        changes::CASES,
        outages::CASES,
        releases::CASES,
        requests::CASES,
        jobs::CASES,
        stores::CASES,
        risks::CASES,
        dealings::CASES,
        models::CASES,
        consents::CASES,
    ] {
        happen(&mut company, &rng, cases);
    }
    // Reviews go through whoever has access by then, whatever went wrong with them.
    reviews::base(&mut company, &mut rng.fork("reviews"));
    happen(&mut company, &rng, reviews::CASES);
    releases::sign(&mut company);
    stores::enter(&mut company, &mut rng.fork("stores entered"));
    dealings::deal(&mut company, &mut rng.fork("dealings"));
    Ok(company)
}

fn happen(company: &mut Company, rng: &Rng, cases: &[(&'static str, Case)]) {
    for turn in 0..company.shape.violations {
        for (name, case) in cases {
            let seeded = case(company, &mut rng.fork(&format!("{name} {turn}")));
            company.seeded.extend(seeded);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sha2::{Digest as _, Sha256};

    use super::*;

    fn digest(shape: &Shape) -> String {
        let company = simulate(shape).unwrap();
        let mut hash = Sha256::new();
        for file in files(&company) {
            hash.update(format!("{}\n{}\n{}\n{:?}\n", file.name, file.mapping, file.csv, file.covers));
        }
        for seeded in truth(&company).seeded {
            hash.update(format!("{seeded:?}\n"));
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_same_shape_and_seed_give_the_same_bytes_for_good() {
        let shape = Shape::default();
        assert_eq!(digest(&shape), digest(&shape.clone()));
        assert_ne!(digest(&shape), digest(&Shape { seed: 2, ..shape.clone() }));
        // What was measured can be measured again. Whoever changes what happens changes this line, and renews docs/accuracy.md.
        assert_eq!(digest(&shape), "b29ec7ba4203eacc");
    }

    #[test]
    fn nothing_is_said_of_the_same_thing_twice() {
        for seed in 1..=5 {
            let company =
                simulate(&Shape { seed, violations: 3, outages: true, ..Shape::default() }).unwrap();
            let mut told = BTreeSet::new();
            for s in company.seeded() {
                let about = (s.test, s.item.clone(), s.within.clone(), s.at);
                assert!(told.insert(about), "seed {seed}: {s:?}");
            }
        }
    }

    #[test]
    fn every_test_has_deviations_and_near_misses() {
        let company = simulate(&Shape::default()).unwrap();
        for (control, test) in TESTS {
            let of =
                |kind: Kind| company.seeded().iter().filter(|s| s.test == *test && s.kind() == kind).count();
            assert!(of(Kind::Deviation) >= 3, "{control} {test}: {} deviations", of(Kind::Deviation));
            assert!(of(Kind::NearMiss) + of(Kind::Open) >= 3, "{control} {test}");
        }
        let clean = simulate(&Shape { violations: 0, ..Shape::default() }).unwrap();
        assert!(clean.seeded().is_empty());
    }

    #[test]
    fn a_shape_that_is_none_is_refused() {
        let refused = |shape: Shape| simulate(&shape).err().unwrap();
        assert!(refused(Shape { zone: "Mars/Base".to_owned(), ..Shape::default() }).contains("Mars/Base"));
        assert!(refused(Shape { days: 0, ..Shape::default() }).contains("0 are no days"));
        assert!(refused(Shape { people: 3, ..Shape::default() }).contains("3 people"));
        assert!(refused(Shape { systems: 40, ..Shape::default() }).contains("40 systems"));
    }

    #[test]
    fn odd_shapes_are_companies_too() {
        for days in [1, 20, 92, 400] {
            for cutoff_days in [0, 90] {
                let shape =
                    Shape { people: 10, systems: 4, repositories: 1, days, cutoff_days, ..Shape::default() };
                let company = simulate(&shape).unwrap();
                assert!(files(&company).iter().all(|f| f.csv.lines().count() >= 1));
            }
        }
    }
}
