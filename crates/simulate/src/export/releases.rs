//! What the company's release tooling and its signing service would export.

use crate::changes::at_hub;
use crate::company::{Company, End};
use crate::export::{At, FOREVER, File, Sheet};

/// Every file of releases, in an order in which they can be imported.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![releases(c), permissions(c), steps(c), backs(c), checks(c)]
}

fn releases(c: &Company) -> File {
    let mapping = "key = \"Version\"\n[columns]\nlabel = \"Version\"\nrepository = { column = \"Repository\", kind = \"repository\" }\n\
                   channel = \"Channel\"\nartifact = { column = \"Artifact\", kind = \"artifact\" }\nreleased_at = \"Out\"\n\
                   built_by = { column = \"By\", system = \"hub\" }\nrollback_target = \"Back to\"\nrollback_named_at = \"Named\"\n";
    let header = "Version,Repository,Channel,Artifact,Out,By,Back to,Named";
    let mut sheet = Sheet::new(c, "releases", "release", header, mapping);
    for r in c.shipping.releases.iter().filter(|r| r.at <= c.clock.cutoff) {
        let repository = &c.repositories[r.repository].key;
        let target = r.target.as_ref().filter(|(_, at)| *at <= c.clock.cutoff);
        sheet.line(&[
            &r.key,
            repository,
            &r.channel,
            &r.artifact,
            &At(r.at),
            &at_hub(c, r.by),
            &target.map(|(version, _)| version.clone()),
            &target.map(|(_, at)| At(*at)),
        ]);
    }
    sheet.done()
}

fn permissions(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nrelease = { column = \"Version\", kind = \"release\" }\n\
                   approver = { column = \"By\", system = \"hub\" }\nstatus = \"Decision\"\npercent = \"Percent\"\napproved_at = \"At\"\n";
    let mut sheet = Sheet::new(
        c,
        "release_permissions",
        "release_approval",
        "Id,Version,By,Decision,Percent,At",
        mapping,
    );
    for r in &c.shipping.releases {
        for (number, p) in (1..).zip(&r.approvals) {
            if p.at <= c.clock.cutoff {
                let decision = if p.yes { "approved" } else { "rejected" };
                let id = format!("{}-P{number}", r.key);
                sheet.line(&[&id, &r.key, &at_hub(c, p.by), &decision, &p.percent, &At(p.at)]);
            }
        }
    }
    sheet.done()
}

fn steps(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nrelease = { column = \"Version\", kind = \"release\" }\npercent = \"Percent\"\n\
                   started_at = \"Began\"\nstarted_by = { column = \"By\", system = \"hub\" }\nrule = \"Rule\"\nhealth = \"Health\"\n\
                   health_at = \"Looked\"\n";
    let header = "Id,Version,Percent,Began,By,Rule,Health,Looked";
    let mut sheet = Sheet::new(c, "rollout_steps", "rollout_step", header, mapping);
    for r in &c.shipping.releases {
        for (number, s) in (1..).zip(&r.steps) {
            if s.at <= c.clock.cutoff {
                let id = format!("{}-S{number}", r.key);
                let by = s.by.map(|by| at_hub(c, by));
                let health = s.health.filter(|(_, at)| *at <= c.clock.cutoff);
                let (word, looked) = (health.map(|(word, _)| word), health.map(|(_, at)| At(at)));
                sheet.line(&[&id, &r.key, &s.percent, &At(s.at), &by, &s.rule(), &word, &looked]);
            }
        }
    }
    sheet.done()
}

fn backs(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nrelease = {{ column = \"Version\", kind = \"release\" }}\nrolled_back_at = \"Taken back\"\n\
         reason = \"Reason\"\nverified_at = {{ column = \"Seen\", {FOREVER} }}\nverified_by = {{ column = \"By\", system = \"hub\" }}\n"
    );
    let mut sheet = Sheet::new(c, "rollbacks", "rollback", "Id,Version,Taken back,Reason,Seen,By", &mapping);
    for r in &c.shipping.releases {
        for (number, b) in (1..).zip(&r.backs) {
            if b.at <= c.clock.cutoff {
                let by = matches!(b.seen, End::At(at) if at <= c.clock.cutoff).then(|| at_hub(c, b.by));
                sheet.line(&[&format!("{}-B{number}", r.key), &r.key, &At(b.at), &b.reason, &b.seen, &by]);
            }
        }
    }
    sheet.done()
}

fn checks(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nartifact = { column = \"Artifact\", kind = \"artifact\" }\nkind = \"Kind\"\n\
                   signer_trusted = \"Trusted\"\nresult = \"Result\"\nverified_at = \"Verified\"\n";
    let header = "Id,Artifact,Kind,Trusted,Result,Verified";
    let mut sheet = Sheet::new(c, "signature_checks", "attestation", header, mapping);
    for (number, check) in (1..).zip(c.shipping.checks.iter().filter(|check| check.at <= c.clock.cutoff)) {
        let result = if check.good { "verified" } else { "failed" };
        let id = format!("V-{number}");
        sheet.line(&[&id, &check.artifact, &check.kind, &check.trusted, &result, &At(check.at)]);
    }
    sheet.done()
}
