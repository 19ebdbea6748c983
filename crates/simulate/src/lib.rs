//! A company that knows what happened in it: people who come and go, alerts, vendors, deployments, and among them, one by one,
//! the things an audit has to find and those that only look like it.
//!
//! [`simulate`] makes the world of a [`Shape`]; [`files()`] is what the company's systems would export of it, [`code_host`] what
//! its code host would answer at any instant, [`truth()`] what is right to say. None of them knows another, nor the product: they
//! are what its accuracy is measured by.
//! The same shape and seed give the same bytes for good.

mod access;
mod assurance;
mod changes;
mod clock;
mod cloud;
mod code;
mod code_cases;
mod company;
mod complaints;
mod consents;
mod custody;
mod dealings;
mod devices;
mod disposals;
mod duties;
mod export;
mod host;
mod jobs;
mod joiners;
mod kept_close;
mod models;
mod monitoring;
mod moves;
mod names;
mod notices;
mod operations;
mod outages;
mod owners;
mod people;
mod policies;
mod privacy;
mod privileges;
mod quality;
mod reconciled;
mod releases;
mod requests;
mod reviews;
mod risks;
mod rng;
mod sign_ins;
mod significant;
mod stores;
mod story;
mod tested;
mod training;
mod truth;
mod usage;
mod uses;
mod vendors;
mod vulnerabilities;

use jiff::civil::Date;

pub use company::Company;
pub use export::{File, files};
pub use host::{Answer, CALLED, Host, code_host};
pub use owners::CONTROLS;
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
    /// Only these cases, by their names; every one but those of a story when `None`.
    pub cases: Option<Vec<&'static str>>,
    /// Hour of the day after the last of `cutoff_days` at which everything was exported.
    pub cutoff_hour: i8,
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
            cases: None,
            cutoff_hour: 0,
        }
    }
}

impl Shape {
    /// The company that people look at first: a year mostly in order, with a story in it. See [`story`].
    #[must_use]
    pub fn of_the_story(people: usize, seed: u64) -> Self {
        Self {
            seed,
            people,
            // Five in the afternoon of a Friday.
            cutoff_days: 36,
            cutoff_hour: 17,
            cases: Some(story::NAMES.to_vec()),
            ..Self::default()
        }
    }
}

/// Tests that are fed, with the controls they test.
const TESTS: &[(&str, &str)] = &[
    ("IAM-06", "leaver_access_ended"),
    ("IAM-02", "mfa_enabled"),
    ("IAM-05", "access_approved"),
    ("IAM-11", "unused_access"),
    ("IAM-03", "unique_accounts"),
    ("IAM-10", "service_accounts_owned"),
    ("IAM-09", "privileged_access_bounded"),
    ("IAM-13", "emergency_use_review"),
    ("IAM-07", "mover_access_adjusted"),
    ("IAM-04", "access_follows_roles"),
    ("IAM-01", "single_sign_on"),
    ("GOV-06", "policies_reviewed"),
    ("GOV-01", "policies_acknowledged"),
    ("HR-01", "screened_before_access"),
    ("END-01", "devices_managed"),
    ("END-02", "device_posture"),
    ("IAM-08", "access_review_completed"),
    ("HR-02", "security_training"),
    ("LOG-04", "alert_response"),
    ("VUL-02", "vulnerability_remediation"),
    ("VEN-03", "vendor_review"),
    ("CRY-02", "encryption_at_rest"),
    ("AVL-03", "availability_objective"),
    ("CHG-01", "change_ticket"),
    ("CHG-02", "change_independent_review"),
    ("AVL-04", "backups_run"),
    ("AVL-05", "restores_tested"),
    ("AVL-07", "recovery_exercised"),
    ("CRY-04", "secrets_rotated"),
    ("LOG-01", "logs_arrive"),
    ("LOG-02", "logs_protected"),
    ("VUL-01", "vulnerability_scans"),
    ("NET-04", "storage_not_public"),
    ("CRY-01", "tls_and_certificates"),
    ("NET-01", "firewall_rules"),
    ("LOG-03", "alert_rules_owned"),
    ("INC-04", "incident_notification"),
    ("CRY-03", "secrets_in_vault"),
    ("CRY-03", "leaks_revoked"),
    ("AVL-02", "runs_in_zones"),
    ("LOG-06", "access_logged"),
    ("NET-03", "intrusion_detection"),
    ("CHG-09", "drift_put_right"),
    ("AVL-01", "capacity_watched"),
    ("LOG-05", "anomalies_judged"),
    ("INC-01", "response_exercised"),
    ("CHG-03", "branch_protection"),
    ("CHG-04", "change_tests"),
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
    ("GOV-09", "deployments_reconciled"),
    ("GOV-09", "incidents_reconciled"),
    ("GOV-09", "leavers_reconciled"),
    ("GOV-09", "roster_reconciled"),
    ("AI-01", "training_data_gate"),
    ("AI-02", "inference_logged"),
    ("AI-03", "model_release"),
    ("PRV-02", "consent_honoured"),
    ("IAM-12", "sign_in_rules"),
    ("NET-02", "environments_apart"),
    ("CHG-10", "test_data_masked"),
    ("IAM-14", "duties_apart"),
    ("VUL-04", "code_searched"),
    ("REL-05", "release_rights_held"),
    ("CON-04", "exports_judged"),
    ("CON-04", "device_data_protected"),
    ("CRY-05", "store_access_reviewed"),
    ("RSK-03", "significant_changes_reviewed"),
    ("GOV-03", "managed_and_appraised"),
    ("HR-03", "role_training"),
    ("HR-04", "joiner_checklist"),
    ("HR-04", "leaver_checklist"),
    ("GOV-05", "commitments_registered"),
    ("GOV-08", "deficiencies_closed"),
    ("GOV-10", "system_described"),
    ("PRV-01", "notices_current"),
    ("PRV-03", "data_uses_assessed"),
    ("PRV-05", "disclosures_grounded"),
    ("PRV-06", "data_quality_kept"),
    ("PRV-07", "complaints_resolved"),
    ("PRV-07", "privacy_reviewed"),
    ("END-03", "media_disposed"),
    ("PI-06", "outputs_intact"),
    ("AI-04", "personal_data_removed"),
    ("GOV-04", "control_owned"),
    ("GOV-07", "controls_tested"),
    ("AI-05", "model_data_protected"),
];

/// What nothing that is collected proves, by test and attribute, and why.
const UNPROVEN: &[(&str, char, &str)] = &[(
    "change_tests",
    'b',
    "which checks a rule demanded shows only on the days of a look, and that a file lists all of them is the company's own word: \
         what failed is found, what passed is not proven to be all that was demanded",
)];

/// One thing that can be made to happen. It gives what is right to say of it: of nothing, where this company has no room for it.
type Case = fn(&mut Company, &mut Rng) -> Vec<Seeded>;

/// A company and its year.
///
/// # Errors
/// A shape that is none: no days, an unknown zone, fewer than ten people, or too many of anything.
pub fn simulate(shape: &Shape) -> Result<Company, String> {
    let clock = Clock::new(&shape.zone, shape.from, shape.days, (shape.cutoff_days, shape.cutoff_hour))
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
    policies::base(&mut company, &mut rng.fork("policies"));
    story::base(&mut company);
    access::base(&mut company, &mut rng.fork("access"));
    people::base(&mut company, &mut rng.fork("people"));
    usage::root(&mut company, &mut rng.fork("root"));
    training::base(&mut company, &mut rng.fork("training"));
    monitoring::base(&mut company, &mut rng.fork("monitoring"));
    vulnerabilities::base(&mut company, &mut rng.fork("vulnerabilities"));
    vendors::base(&mut company, &mut rng.fork("vendors"));
    cloud::base(&mut company, &mut rng.fork("cloud"));
    changes::base(&mut company, &mut rng.fork("changes"));
    releases::base(&mut company, &mut rng.fork("releases"));
    privacy::base(&mut company, &mut rng.fork("privacy"));
    jobs::base(&mut company, &mut rng.fork("jobs"));
    stores::base(&mut company, &mut rng.fork("stores"));
    risks::base(&mut company, &mut rng.fork("risks"));
    operations::base(&mut company, &mut rng.fork("operations"));
    models::base(&mut company, &mut rng.fork("models"));
    notices::base(&mut company, &mut rng.fork("notices"));
    consents::base(&mut company, &mut rng.fork("consents"));
    uses::base(&mut company, &mut rng.fork("uses"));
    complaints::base(&mut company, &mut rng.fork("complaints"));
    disposals::base(&mut company, &mut rng.fork("disposals"));
    quality::base(&mut company, &mut rng.fork("quality"));
    for cases in [
        people::CASES,
        access::CASES,
        training::CASES,
        monitoring::CASES,
        vulnerabilities::CASES,
        vendors::CASES,
        cloud::CASES,
        changes::CASES,
        operations::recovery::CASES,
        operations::secrets::CASES,
        operations::logs::CASES,
        operations::scans::CASES,
        operations::exposure::CASES,
        operations::edge::CASES,
        operations::watch::CASES,
        operations::leaks::CASES,
        operations::tiers::CASES,
        operations::upkeep::CASES,
        operations::response::CASES,
        outages::CASES,
        requests::CASES,
        custody::CASES,
        privileges::CASES,
        moves::CASES,
        sign_ins::CASES,
        policies::CASES,
        joiners::CASES,
        devices::CASES,
        usage::CASES,
        releases::CASES,
        privacy::CASES,
        jobs::CASES,
        stores::CASES,
        risks::CASES,
        dealings::CASES,
        models::CASES,
        consents::CASES,
        operations::doors::CASES,
        operations::walls::CASES,
        operations::duties::CASES,
        operations::rights::CASES,
        operations::ways_out::CASES,
        operations::readers::CASES,
        duties::CASES,
        significant::CASES,
        assurance::CASES,
        notices::CASES,
        uses::CASES,
        complaints::CASES,
        disposals::CASES,
        quality::CASES,
    ] {
        happen(&mut company, &rng, cases);
    }
    tell(&mut company, &rng, story::CASES);
    // Whatever landed by then was proposed by somebody, and looked at.
    code::base(&mut company, &mut rng.fork("code"));
    happen(&mut company, &rng, code_cases::CASES);
    happen(&mut company, &rng, operations::searches::CASES);
    happen(&mut company, &rng, reconciled::CASES);
    reconciled::base(&mut company, &mut rng.fork("reconciled"));
    // Reviews go through whoever has access by then, whatever went wrong with them.
    reviews::base(&mut company, &mut rng.fork("reviews"));
    happen(&mut company, &rng, reviews::CASES);
    happen(&mut company, &rng, reconciled::LAST);
    tell(&mut company, &rng, story::LATER);
    // Whatever began by then was asked for, and whatever is there is watched.
    requests::base(&mut company, &mut rng.fork("requests"));
    operations::afterwards(&mut company, &mut rng.fork("afterwards"));
    happen(&mut company, &rng, operations::watch::NOTICES);
    happen(&mut company, &rng, operations::leaks::SEARCHES);
    happen(&mut company, &rng, operations::tiers::WATCHES);
    duties::jobs(&mut company, &mut rng.fork("duties of jobs"));
    moves::base(&mut company, &mut rng.fork("moves"));
    moves::goes_beyond(&mut company);
    privileges::base(&mut company, &mut rng.fork("privileges"));
    privileges::went_over(&mut company);
    sign_ins::base(&mut company, &mut rng.fork("sign_ins"));
    joiners::base(&mut company, &mut rng.fork("joiners"));
    policies::acknowledged(&mut company, &mut rng.fork("acknowledged"));
    devices::base(&mut company, &mut rng.fork("devices"));
    custody::base(&mut company, &mut rng.fork("custody"));
    usage::base(&mut company, &mut rng.fork("usage"));
    company.seeded.extend(usage::ends_unknown(&company));
    releases::sign(&mut company);
    stores::enter(&mut company, &mut rng.fork("stores entered"));
    dealings::deal(&mut company, &mut rng.fork("dealings"));
    operations::readers::reviewed(&mut company, &mut rng.fork("readers"));
    operations::searches::searched(&mut company, &mut rng.fork("searched"));
    duties::base(&mut company, &mut rng.fork("duties"));
    company.seeded.extend(duties::nameless(&company));
    significant::base(&mut company, &mut rng.fork("significant"));
    assurance::base(&mut company, &mut rng.fork("assurance"));
    // What went to a vendor went by its contract.
    uses::disclosed(&mut company, &mut rng.fork("disclosed"));
    happen(&mut company, &rng, uses::DISCLOSURES);
    kept_close::base(&mut company, &mut rng.fork("kept close"));
    happen(&mut company, &rng, kept_close::CASES);
    happen(&mut company, &rng, owners::CASES);
    owners::base(&mut company);
    happen(&mut company, &rng, tested::CASES);
    tested::base(&mut company, &mut rng.fork("controls tested"));
    Ok(company)
}

/// A story happens once, and only where it is asked for.
fn tell(company: &mut Company, rng: &Rng, cases: &[(&'static str, Case)]) {
    for (name, case) in cases {
        if company.shape.cases.as_ref().is_some_and(|names| names.contains(name)) {
            let seeded = case(company, &mut rng.fork(name));
            company.seeded.extend(seeded);
        }
    }
}

fn happen(company: &mut Company, rng: &Rng, cases: &[(&'static str, Case)]) {
    for turn in 0..company.shape.violations {
        for (name, case) in cases {
            if company.shape.cases.as_ref().is_some_and(|names| !names.contains(name)) {
                continue;
            }
            // What has the name of an earlier case is not to draw what that one drew.
            let stream = match company.streams.get(name) {
                None => format!("{name} {turn}"),
                Some(earlier) => format!("{name} {turn}, after {earlier}"),
            };
            let seeded = case(company, &mut rng.fork(&stream));
            company.seeded.extend(seeded);
        }
    }
    for (name, _) in cases {
        *company.streams.entry(name).or_default() += 1;
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
        let host = code_host(&company);
        let asked = [("authorization".to_owned(), "Bearer x".to_owned())];
        for (owner, name) in host.repositories() {
            for list in ["commits", "pulls?state=all", "issues?state=all", "activity?ref=refs/heads/main"] {
                let target = format!("/repos/{owner}/{name}/{list}");
                hash.update(format!("{:?}\n", host.answer("GET", &target, &asked, company.cutoff())));
            }
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
        assert_eq!(digest(&shape), "49dd15d91bfecf76");
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
        assert!(clean.seeded().is_empty(), "{:?}", clean.seeded());
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
