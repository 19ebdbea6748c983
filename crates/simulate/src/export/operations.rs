//! The files of what is operated: copies, secrets, logs, scans, and what is open to everybody.

use super::{Agreed, At, FOREVER, File, Sheet};
use crate::company::{Company, End};
use crate::monitoring::actor;

pub(super) fn files(c: &Company) -> Vec<File> {
    vec![
        copies(c),
        restores(c),
        plans(c),
        exercises(c),
        secrets(c),
        changes(c),
        exposures(c),
        sources(c),
        spells(c),
        fleets(c),
        scans(c),
        opened(c),
        endpoints(c),
        looks(c),
        networks(c),
        rules(c),
        rule_reviews(c),
        watchers(c),
        owners(c),
        rotas(c),
        shifts(c),
        notices(c),
        searches(c),
        leaks(c),
        watches(c),
        drifts(c),
        stores(c),
        samples(c),
        capacity_looks(c),
        findings(c),
        playbooks(c),
        acts(c),
    ]
}

/// Whether and when something was over by the cut-off.
pub(super) fn over(c: &Company, end: End) -> (bool, Option<At>) {
    match end {
        End::At(at) if at <= c.clock.cutoff => (true, Some(At(at))),
        _ => (false, None),
    }
}

fn copies(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nresource = { column = \"Database\", kind = \"cloud_resource\" }\nstarted_at = \"Started\"\n\
                   finished_at = \"Finished\"\nsucceeded = \"Succeeded\"\nnewest_data_at = \"Newest\"\nencrypted = \"Encrypted\"\n\
                   isolated = \"Isolated\"\n";
    let header = "Id,Database,Started,Finished,Succeeded,Newest,Encrypted,Isolated";
    let mut sheet = Sheet::new(c, "copies", "backup_job", header, mapping);
    for (number, copy) in (1..).zip(&c.operations.copies) {
        if copy.started > c.clock.cutoff {
            continue;
        }
        // A run that goes on has not succeeded yet.
        let succeeded = copy.succeeded.filter(|_| copy.finished <= c.clock.cutoff);
        sheet.line(&[
            &format!("C{number:06}"),
            &c.resources[copy.resource].key,
            &At(copy.started),
            &At(copy.finished),
            &succeeded,
            &copy.newest.map(At),
            &copy.encrypted,
            &copy.isolated,
        ]);
    }
    sheet.done()
}

fn restores(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nresource = { column = \"Database\", kind = \"cloud_resource\" }\nstarted_at = \"Started\"\n\
                   finished_at = \"Finished\"\nsucceeded = \"Succeeded\"\nverified_how = \"Compared\"\n";
    let header = "Id,Database,Started,Finished,Succeeded,Compared";
    let mut sheet = Sheet::new(c, "restores", "restore_test", header, mapping);
    for (number, restore) in (1..).zip(&c.operations.restores) {
        if restore.finished <= c.clock.cutoff {
            sheet.line(&[
                &format!("RT-{number}"),
                &c.resources[restore.resource].key,
                &At(restore.started),
                &At(restore.finished),
                &restore.succeeded,
                &restore.verified,
            ]);
        }
    }
    sheet.done()
}

fn plans(c: &Company) -> File {
    let mapping = "key = \"Plan\"\n[columns]\nlabel = \"Plan\"\nrpo_minutes = \"RPO\"\nrto_minutes = \"RTO\"\nvalid_from = \"From\"\n\
                   valid_to = { constant = \"forever\" }\n";
    let mut sheet = Sheet::new(c, "plans", "recovery_plan", "Plan,RPO,RTO,From", mapping);
    for plan in &c.operations.plans {
        sheet.line(&[&plan.key, &240_i64, &480_i64, &At(plan.from)]);
    }
    sheet.done()
}

fn exercises(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nlabel = \"Id\"\nplan = { column = \"Plan\", kind = \"recovery_plan\" }\n\
                   disruption_at = \"Lost\"\nlast_good_data_at = \"Newest\"\nrestored = \"Came back\"\nrestored_at = \"Back\"\n\
                   gaps_found = \"Gaps\"\ngaps_closed_at = \"Closed\"\n";
    let header = "Id,Plan,Lost,Newest,Came back,Back,Gaps,Closed";
    let mut sheet = Sheet::new(c, "exercises", "dr_test", header, mapping);
    for (number, exercise) in (1..).zip(&c.operations.exercises) {
        if exercise.lost <= c.clock.cutoff {
            let closed = exercise.gaps.and_then(|end| over(c, end).1);
            sheet.line(&[
                &format!("DR-{number}"),
                &c.operations.plans[exercise.plan].key,
                &At(exercise.lost),
                &exercise.newest.map(At),
                &exercise.back.is_some(),
                &exercise.back.map(At),
                &exercise.gaps.is_some(),
                &closed,
            ]);
        }
    }
    sheet.done()
}

fn secrets(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\ncustodian = { column = \"Custodian\", system = \"idp\" }\n\
                   kept_in = \"Kept in\"\n\
                   created_at = \"Made\"\nended = \"Over\"\nended_at = \"Ended\"\n";
    let mut sheet = Sheet::new(c, "secrets", "secret", "Key,Custodian,Kept in,Made,Over,Ended", mapping);
    for secret in &c.operations.secrets {
        let (ended, at) = over(c, secret.to);
        let custodian = actor(c, secret.custodian);
        sheet.line(&[&secret.key, &custodian, &secret.kept, &secret.from.map(At), &ended, &at]);
    }
    sheet.done()
}

fn changes(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nsecret = { column = \"Secret\", kind = \"secret\" }\nrotated_at = \"Changed\"\n\
                   old_ended = \"Old revoked\"\nold_ended_at = \"Revoked\"\n";
    let header = "Id,Secret,Changed,Old revoked,Revoked";
    let mut sheet = Sheet::new(c, "secret_changes", "secret_rotation", header, mapping);
    for secret in &c.operations.secrets {
        for (number, change) in (1..).zip(&secret.changes) {
            if change.at <= c.clock.cutoff {
                let old = change.old.map(|end| over(c, end));
                let (revoked, at) = (old.as_ref().map(|(is, _)| *is), old.and_then(|(_, at)| at));
                sheet.line(&[
                    &format!("{}-{number}", secret.key),
                    &secret.key,
                    &At(change.at),
                    &revoked,
                    &at,
                ]);
            }
        }
    }
    sheet.done()
}

fn exposures(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nsecret = { column = \"Secret\", kind = \"secret\" }\nreason = \"What\"\nexposed_at = \"When\"\n";
    let mut sheet = Sheet::new(c, "secret_exposures", "secret_exposure", "Id,Secret,What,When", mapping);
    for secret in &c.operations.secrets {
        for (number, (what, at)) in (1..).zip(&secret.exposures) {
            if *at <= c.clock.cutoff {
                sheet.line(&[&format!("{}-X{number}", secret.key), &secret.key, what, &At(*at)]);
            }
        }
    }
    sheet.done()
}

fn sources(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nsystem = \"System\"\nexpected_from = \"From\"\nended = \"Over\"\n\
                   ended_at = \"Ended\"\n";
    let mut sheet = Sheet::new(c, "log_sources", "log_source", "Key,System,From,Over,Ended", mapping);
    for source in &c.operations.sources {
        let (ended, at) = over(c, source.to);
        sheet.line(&[&source.key, &source.system, &At(source.from), &ended, &at]);
    }
    sheet.done()
}

fn spells(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nsource = {{ column = \"Source\", kind = \"log_source\" }}\narriving = \"Arriving\"\n\
         retention_days = \"Days\"\nimmutable = \"Locked\"\nclock_skew_ms = \"Skew\"\nvalid_from = \"From\"\n\
         valid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let header = "Id,Source,Arriving,Days,Locked,Skew,From,To";
    let mut sheet = Sheet::new(c, "log_states", "log_state", header, &mapping);
    for source in &c.operations.sources {
        for (number, spell) in (1..).zip(&source.spells) {
            if spell.from <= c.clock.cutoff {
                let id = format!("{}-{number}", source.key);
                let (from, to) = (At(spell.from), spell.to);
                sheet.line(&[
                    &id,
                    &source.key,
                    &spell.arriving,
                    &spell.kept,
                    &spell.locked,
                    &spell.skew,
                    &from,
                    &to,
                ]);
            }
        }
    }
    sheet.done()
}

fn fleets(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\ncreated_at = \"From\"\nended = \"Over\"\nended_at = \"Ended\"\n";
    let mut sheet = Sheet::new(c, "fleets", "scan_target", "Key,From,Over,Ended", mapping);
    for fleet in &c.operations.fleets {
        let (ended, at) = over(c, fleet.to);
        sheet.line(&[&fleet.key, &At(fleet.from), &ended, &at]);
    }
    sheet.done()
}

fn scans(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\ntarget = { column = \"Fleet\", kind = \"scan_target\" }\nfinished_at = \"Finished\"\n\
                   succeeded = \"Succeeded\"\nassets_expected = \"Assets\"\nassets_reached = \"Reached\"\n";
    let header = "Id,Fleet,Finished,Succeeded,Assets,Reached";
    let mut sheet = Sheet::new(c, "scans", "scan_run", header, mapping);
    for fleet in &c.operations.fleets {
        for (number, scan) in (1..).zip(&fleet.scans) {
            if scan.at <= c.clock.cutoff {
                let id = format!("{}-{number}", fleet.key);
                sheet.line(&[&id, &fleet.key, &At(scan.at), &scan.succeeded, &scan.assets, &scan.reached]);
            }
        }
    }
    sheet.done()
}

fn opened(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nresource = {{ column = \"Resource\", kind = \"cloud_resource\" }}\napproved_at = \"Approved\"\n\
         approved_by = {{ column = \"By\", system = \"idp\" }}\napproved_until = {{ column = \"Until\", {FOREVER} }}\nreason = \"Reason\"\n"
    );
    let mut sheet = Sheet::new(
        c,
        "public_approvals",
        "public_approval",
        "Id,Resource,Approved,By,Until,Reason",
        &mapping,
    );
    for (number, opened) in (1..).zip(&c.operations.opened) {
        let resource = &c.resources[opened.resource].key;
        let by = actor(c, opened.by);
        sheet.line(&[
            &format!("P-{number}"),
            resource,
            &At(opened.at),
            &by,
            &Agreed(opened.to),
            &opened.reason,
        ]);
    }
    sheet.done()
}

fn endpoints(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\ncreated_at = \"From\"\nended = \"Over\"\nended_at = \"Ended\"\n";
    let mut sheet = Sheet::new(c, "endpoints", "endpoint", "Key,From,Over,Ended", mapping);
    for endpoint in &c.operations.endpoints {
        let (ended, at) = over(c, endpoint.to);
        sheet.line(&[&endpoint.key, &At(endpoint.from), &ended, &at]);
    }
    sheet.done()
}

fn looks(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nendpoint = { column = \"Endpoint\", kind = \"endpoint\" }\nscanned_at = \"At\"\n\
                   lowest_protocol = \"Lowest\"\ntrusted = \"Trusted\"\nvalid_from = \"From\"\nnot_after = \"To\"\n";
    let header = "Id,Endpoint,At,Lowest,Trusted,From,To";
    let mut sheet = Sheet::new(c, "endpoint_looks", "endpoint_scan", header, mapping);
    for endpoint in &c.operations.endpoints {
        for (number, look) in (1..).zip(&endpoint.looks) {
            if look.at <= c.clock.cutoff {
                let id = format!("{}-{number}", endpoint.key);
                let (from, to) = (At(look.certificate.0), Agreed(End::At(look.certificate.1)));
                sheet.line(&[&id, &endpoint.key, &At(look.at), &look.lowest, &look.trusted, &from, &to]);
            }
        }
    }
    sheet.done()
}

fn networks(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\ndefault_deny = \"Closed\"\nholds = \"Holds\"\n\
                   cloud_account = { column = \"Account\", kind = \"cloud_account\" }\ncreated_at = \"From\"\nended = \"Over\"\nended_at = \"To\"\n";
    let mut sheet = Sheet::new(c, "networks", "network", "Key,Closed,Holds,Account,From,Over,To", mapping);
    for network in c.operations.networks.iter().filter(|n| n.from <= c.clock.cutoff) {
        let (ended, at) = over(c, network.to);
        let (holds, account) = (&network.holds, &network.account);
        sheet.line(&[&network.key, &network.closed, holds, account, &At(network.from), &ended, &at]);
    }
    sheet.done()
}

fn rules(c: &Company) -> File {
    let mapping = format!(
        "key = \"Rule\"\n[columns]\nlabel = \"Rule\"\nnetwork = {{ column = \"Network\", kind = \"network\" }}\nsource = \"Source\"\n\
         service = \"Service\"\nowner = {{ column = \"Owner\", system = \"idp\" }}\nreason = \"Reason\"\nvalid_from = \"From\"\n\
         valid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let header = "Rule,Network,Source,Service,Owner,Reason,From,To";
    let mut sheet = Sheet::new(c, "firewall", "net_rule", header, &mapping);
    for rule in &c.operations.rules {
        let network = &c.operations.networks[rule.network].key;
        let owner = rule.owner.map(|who| actor(c, who));
        for (source, service, from, to) in &rule.spells {
            if *from <= c.clock.cutoff {
                sheet.line(&[&rule.key, network, source, service, &owner, &rule.reason, &At(*from), to]);
            }
        }
    }
    sheet.done()
}

fn rule_reviews(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nrule = { column = \"Rule\", kind = \"net_rule\" }\nreviewed_at = \"At\"\n\
                   reviewed_by = { column = \"By\", system = \"idp\" }\ndecision = { constant = \"keep\" }\n";
    let mut sheet = Sheet::new(c, "firewall_reviews", "net_rule_review", "Id,Rule,At,By", mapping);
    for rule in &c.operations.rules {
        for (number, (at, by)) in (1..).zip(&rule.reviews) {
            if *at <= c.clock.cutoff {
                sheet.line(&[&format!("{}-{number}", rule.key), &rule.key, &At(*at), &actor(c, *by)]);
            }
        }
    }
    sheet.done()
}

fn watchers(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nseverity = \"Severity\"\nescalates = \"Escalates\"\n\
                   created_at = \"From\"\nended = { constant = \"no\" }\n";
    let mut sheet = Sheet::new(c, "alert_rules", "alert_rule", "Key,Severity,Escalates,From", mapping);
    for watcher in &c.operations.watchers {
        sheet.line(&[&watcher.key, &watcher.severity, &watcher.escalates, &At(watcher.from)]);
    }
    sheet.done()
}

fn owners(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nrule = {{ column = \"Rule\", kind = \"alert_rule\" }}\n\
         owner = {{ column = \"Owner\", system = \"idp\" }}\nvalid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "alert_rule_owners", "alert_rule_owner", "Id,Rule,Owner,From,To", &mapping);
    for watcher in &c.operations.watchers {
        for (number, (owner, from, to)) in (1..).zip(&watcher.owners) {
            if *from <= c.clock.cutoff {
                let (id, owner) = (format!("{}-{number}", watcher.key), owner.map(|who| actor(c, who)));
                sheet.line(&[&id, &watcher.key, &owner, &At(*from), to]);
            }
        }
    }
    sheet.done()
}

fn rotas(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\ncreated_at = \"From\"\nended = \"Over\"\nended_at = \"Ended\"\n";
    let mut sheet = Sheet::new(c, "rotas", "rota", "Key,From,Over,Ended", mapping);
    for rota in &c.operations.rotas {
        let (ended, at) = over(c, rota.to);
        sheet.line(&[&rota.key, &At(rota.from), &ended, &at]);
    }
    sheet.done()
}

fn shifts(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nrota = { column = \"Rota\", kind = \"rota\" }\n\
                   person = { column = \"Who\", system = \"idp\" }\nstarts_at = \"From\"\nends_at = \"To\"\n";
    let mut sheet = Sheet::new(c, "shifts", "oncall_shift", "Id,Rota,Who,From,To", mapping);
    for rota in &c.operations.rotas {
        for (number, (who, from, to)) in (1..).zip(&rota.shifts) {
            if *from <= c.clock.cutoff {
                let (id, who) = (format!("{}-{number}", rota.key), who.map(|who| actor(c, who)));
                sheet.line(&[&id, &rota.key, &who, &At(*from), &Agreed(End::At(*to))]);
            }
        }
    }
    sheet.done()
}

fn notices(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nincident = {{ column = \"Incident\", kind = \"incident\" }}\nrecipients = \"Who\"\n\
         needed = \"Needed\"\ndecided_at = \"Decided\"\ndecided_by = {{ column = \"By\", system = \"idp\" }}\n\
         due_at = {{ column = \"Due\", {FOREVER} }}\nsent = \"Told\"\nsent_at = \"Told at\"\n"
    );
    let header = "Id,Incident,Who,Needed,Decided,By,Due,Told,Told at";
    let mut sheet = Sheet::new(c, "notices", "notification", header, &mapping);
    for (number, notice) in (1..).zip(&c.operations.notices) {
        if notice.decided <= c.clock.cutoff {
            let told = notice.told.filter(|at| *at <= c.clock.cutoff);
            sheet.line(&[
                &format!("NT-{number}"),
                &notice.incident,
                &notice.to,
                &notice.needed,
                &At(notice.decided),
                &actor(c, notice.by),
                &Agreed(notice.due),
                &told.is_some(),
                &told.map(At),
            ]);
        }
    }
    sheet.done()
}

fn searches(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nrepository = \"Repository\"\nsearched = \"On\"\nvalid_from = \"From\"\n\
         valid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "leak_searches", "leak_search", "Id,Repository,On,From,To", &mapping);
    for (number, search) in (1..).zip(&c.operations.searches) {
        if search.from <= c.clock.cutoff {
            let repository = &c.repositories[search.repository].key;
            sheet.line(&[&format!("LS-{number}"), repository, &search.on, &At(search.from), &search.to]);
        }
    }
    sheet.done()
}

fn leaks(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nfound_at = \"Found\"\nrevoked = \"Revoked\"\n\
                   revoked_at = \"Revoked at\"\njudged = \"Judged\"\njudged_at = \"Judged at\"\n\
                   judged_by = { column = \"By\", system = \"idp\" }\nreason = \"Reason\"\n";
    let header = "Key,Found,Revoked,Revoked at,Judged,Judged at,By,Reason";
    let mut sheet = Sheet::new(c, "leaks", "secret_leak", header, mapping);
    for leak in &c.operations.leaks {
        let revoked = leak.revoked.map(|end| over(c, end));
        let (is, at) = (revoked.as_ref().map(|(is, _)| *is), revoked.and_then(|(_, at)| at));
        let none = leak.none.filter(|(at, ..)| *at <= c.clock.cutoff);
        sheet.line(&[
            &leak.key,
            &At(leak.found),
            &is,
            &at,
            &none.map(|_| "false_alarm"),
            &none.map(|(at, ..)| At(at)),
            &none.map(|(_, by, _)| actor(c, by)),
            &none.map(|(.., reason)| reason),
        ]);
    }
    sheet.done()
}

fn watches(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nregion = {{ column = \"Region\", kind = \"cloud_region\" }}\nrunning = \"Running\"\n\
         reported = \"Reported\"\nvalid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet =
        Sheet::new(c, "detection", "detector_state", "Id,Region,Running,Reported,From,To", &mapping);
    for (number, watch) in (1..).zip(&c.operations.watches) {
        if watch.from <= c.clock.cutoff {
            let region = &c.regions[watch.region].key;
            sheet.line(&[
                &format!("D-{number}"),
                region,
                &watch.running,
                &watch.reported,
                &At(watch.from),
                &watch.to,
            ]);
        }
    }
    sheet.done()
}

fn drifts(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nbegan_at = \"Since\"\nfound_at = \"Found\"\nby_code = \"By code\"\n\
                   put_right = \"Right\"\nput_right_at = \"Right at\"\naccepted_at = \"Accepted\"\n\
                   accepted_by = { column = \"By\", system = \"idp\" }\nreason = \"Reason\"\n";
    let header = "Key,Since,Found,By code,Right,Right at,Accepted,By,Reason";
    let mut sheet = Sheet::new(c, "drift", "drift", header, mapping);
    for drift in c.operations.drifts.iter().filter(|drift| drift.found <= c.clock.cutoff) {
        let right = drift.right.map(|end| over(c, end));
        let (is, at) = (right.as_ref().map(|(is, _)| *is), right.and_then(|(_, at)| at));
        let stays = drift.stays.filter(|(at, ..)| *at <= c.clock.cutoff);
        sheet.line(&[
            &drift.key,
            &drift.began.map(At),
            &At(drift.found),
            &drift.by_code,
            &is,
            &at,
            &stays.map(|(at, ..)| At(at)),
            &stays.map(|(_, by, _)| actor(c, by)),
            &stays.map(|(.., reason)| reason),
        ]);
    }
    sheet.done()
}

fn stores(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nthreshold_permille = \"Threshold\"\ncreated_at = \"From\"\n\
                   ended = \"Over\"\nended_at = \"Ended\"\n";
    let mut sheet = Sheet::new(c, "capacity", "capacity_limit", "Key,Threshold,From,Over,Ended", mapping);
    for store in &c.operations.stores {
        let (ended, at) = over(c, store.to);
        sheet.line(&[&store.key, &store.threshold, &At(store.from), &ended, &at]);
    }
    sheet.done()
}

fn samples(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\ncapacity = { column = \"Store\", kind = \"capacity_limit\" }\nmeasured_at = \"At\"\n\
                   used_permille = \"Used\"\n";
    let mut sheet = Sheet::new(c, "capacity_samples", "capacity_sample", "Id,Store,At,Used", mapping);
    for store in &c.operations.stores {
        for (number, (at, used)) in (1..).zip(&store.samples) {
            if *at <= c.clock.cutoff {
                sheet.line(&[&format!("{}-{number}", store.key), &store.key, &At(*at), used]);
            }
        }
    }
    sheet.done()
}

fn capacity_looks(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\ncapacity = { column = \"Store\", kind = \"capacity_limit\" }\nreviewed_at = \"At\"\n\
                   reviewed_by = { column = \"By\", system = \"idp\" }\nforecast = \"Forecast\"\n";
    let mut sheet = Sheet::new(c, "capacity_reviews", "capacity_review", "Id,Store,At,By,Forecast", mapping);
    for store in &c.operations.stores {
        for (number, (at, by, forecast)) in (1..).zip(&store.looks) {
            if *at <= c.clock.cutoff {
                let id = format!("{}-L{number}", store.key);
                sheet.line(&[&id, &store.key, &At(*at), &actor(c, *by), forecast]);
            }
        }
    }
    sheet.done()
}

fn findings(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nfound_at = \"Found\"\njudged = \"Judged\"\njudged_at = \"Judged at\"\n\
                   judged_by = { column = \"By\", system = \"idp\" }\nreason = \"Reason\"\n";
    let mut sheet = Sheet::new(c, "unusual", "anomaly", "Key,Found,Judged,Judged at,By,Reason", mapping);
    for finding in &c.operations.findings {
        let judged = finding.judged.filter(|(_, at, ..)| *at <= c.clock.cutoff);
        sheet.line(&[
            &finding.key,
            &At(finding.found),
            &judged.map(|(what, ..)| what),
            &judged.map(|(_, at, ..)| At(at)),
            &judged.and_then(|(_, _, by, _)| by).map(|who| actor(c, who)),
            &judged.map(|(.., reason)| reason),
        ]);
    }
    sheet.done()
}

fn playbooks(c: &Company) -> File {
    let mapping =
        "key = \"Key\"\n[columns]\nlabel = \"Key\"\ncreated_at = \"From\"\nended = { constant = \"no\" }\n";
    let mut sheet = Sheet::new(c, "playbooks", "response_plan", "Key,From", mapping);
    for plan in &c.operations.playbooks {
        sheet.line(&[&plan.key, &At(plan.from)]);
    }
    sheet.done()
}

fn acts(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nplan = { column = \"Plan\", kind = \"response_plan\" }\nkind = \"Kind\"\n\
                   done_at = \"At\"\ndone_by = { column = \"By\", system = \"idp\" }\nactions = \"Actions\"\n\
                   actions_done_at = \"Done\"\n";
    let header = "Id,Plan,Kind,At,By,Actions,Done";
    let mut sheet = Sheet::new(c, "playbook_reviews", "response_review", header, mapping);
    for plan in &c.operations.playbooks {
        for (number, act) in (1..).zip(&plan.acts) {
            if act.at <= c.clock.cutoff {
                let (id, by) = (format!("{}-{number}", plan.key), act.by.map(|who| actor(c, who)));
                let done = act.actions.and_then(|end| over(c, end).1);
                sheet.line(&[&id, &plan.key, &act.kind, &At(act.at), &by, &act.actions.is_some(), &done]);
            }
        }
    }
    sheet.done()
}
