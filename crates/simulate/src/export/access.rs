//! The files on how access came to be, is used and is answered for.

use crate::clock::DAY;
use crate::company::{Company, End};
use crate::devices::key as device_key;
use crate::export::{Agreed, At, FOREVER, File, Sheet, done};
use crate::monitoring::actor;
use crate::moves;
use crate::policies;
use crate::usage::use_key;

pub(crate) fn requests(c: &Company) -> File {
    let mapping = format!(
        "key = \"Request\"\n[columns]\nlabel = \"Request\"\naccount = {{ column = \"For\", system = {{ column = \"Known at\" }} }}\n\
         system = \"System\"\nrole = \"Role\"\nprivileged = \"Admin\"\nrequested_by = {{ column = \"Asked by\", system = \"idp\" }}\n\
         status = \"Decision\"\napproved_by = {{ column = \"Approved by\", system = \"idp\" }}\napproved_at = \"Approved\"\n\
         expires_at = {{ column = \"Until\", {FOREVER} }}\nbasis = \"Kept as\"\nrecorded_at = \"Kept since\"\n"
    );
    let header = "Request,For,Known at,System,Role,Admin,Asked by,Decision,Approved by,Approved,Until,Kept as,Kept since";
    let mut sheet = Sheet::new(c, "requests", "access_request", header, &mapping);
    for (number, request) in (1..).zip(&c.requests) {
        if request.recorded > c.clock.cutoff {
            continue;
        }
        let login = c.logins.get(request.login);
        // People are named by their number; machines by their login.
        let subject = match (request.person, login) {
            (Some(person), _) => Some((c.people[person].number.clone(), "hr")),
            (None, Some(login)) => Some((login.key.clone(), c.systems[login.system].key)),
            (None, None) => None,
        };
        let (subject, known_at) = (subject.clone().map(|s| s.0), subject.map(|s| s.1));
        sheet.line(&[
            &format!("RQ-{number}"),
            &subject,
            &known_at,
            &c.systems[request.system].key,
            &request.role,
            &request.privileged,
            &actor(c, request.asked_by),
            &request.status,
            &request.approved_by.map(|who| actor(c, who)),
            &request.approved.map(At),
            &Agreed(request.expires),
            &request.basis,
            &At(request.recorded),
        ]);
    }
    sheet.done()
}

pub(crate) fn uses(c: &Company) -> File {
    let mapping = "key = \"Use\"\n[columns]\naccount = { column = \"Login\", system = { column = \"System\" } }\nsystem = \"System\"\n\
                   used_at = \"At\"\n";
    let mut sheet = Sheet::new(c, "uses", "account_use", "Use,System,Login,At", mapping);
    for (number, used) in c.uses.iter().enumerate().filter(|(_, u)| u.at <= c.clock.cutoff) {
        let login = &c.logins[used.login];
        sheet.line(&[&use_key(number), &c.systems[login.system].key, &login.key, &At(used.at)]);
    }
    sheet.done()
}

pub(crate) fn use_reviews(c: &Company) -> File {
    let mapping = "key = \"Use\"\n[columns]\naccount_use = { column = \"Use\", kind = \"account_use\" }\n\
                   used_by = { column = \"By\", system = \"idp\" }\nticket = { column = \"Ticket\", kind = \"ticket\" }\n\
                   reviewed_at = \"Reviewed\"\nreviewed_by = { column = \"Reviewer\", system = \"idp\" }\n";
    let mut sheet = Sheet::new(c, "use_reviews", "use_review", "Use,By,Ticket,Reviewed,Reviewer", mapping);
    for review in c.use_reviews.iter().filter(|r| c.uses[r.used].at <= c.clock.cutoff) {
        let (reviewed, reviewer) = done(c, review.reviewed);
        let by = review.by.map(|by| actor(c, by));
        sheet.line(&[&use_key(review.used), &by, &review.ticket, &reviewed, &reviewer]);
    }
    sheet.done()
}

pub(crate) fn owners(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\naccount = {{ column = \"Login\", system = {{ column = \"System\" }} }}\n\
         owner = {{ column = \"Owner\", system = \"idp\" }}\npurpose = \"Purpose\"\n\
         valid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet =
        Sheet::new(c, "owners", "account_owner", "Id,System,Login,Owner,Purpose,From,To", &mapping);
    for (number, owner) in (1..).zip(&c.owners) {
        let login = &c.logins[owner.login];
        let person = owner.person.map(|person| actor(c, person));
        let system = c.systems[login.system].key;
        sheet.line(&[
            &format!("O-{number}"),
            &system,
            &login.key,
            &person,
            &owner.purpose,
            &At(owner.from),
            &owner.to,
        ]);
    }
    sheet.done()
}

pub(crate) fn checkouts(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\naccount = {{ column = \"Login\", system = {{ column = \"System\" }} }}\n\
         taken_by = {{ column = \"By\", system = \"idp\" }}\ntaken_at = \"Taken\"\n\
         returned_at = {{ column = \"Returned\", {FOREVER} }}\n"
    );
    let mut sheet =
        Sheet::new(c, "checkouts", "account_checkout", "Id,System,Login,By,Taken,Returned", &mapping);
    for (number, checkout) in (1..).zip(&c.checkouts) {
        let login = &c.logins[checkout.login];
        let by = checkout.by.map(|by| actor(c, by));
        let system = c.systems[login.system].key;
        sheet.line(&[&format!("V-{number}"), &system, &login.key, &by, &At(checkout.from), &checkout.to]);
    }
    sheet.done()
}

pub(crate) fn standings(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\naccount = {{ column = \"Login\", system = {{ column = \"System\" }} }}\nsystem = \"System\"\n\
         role = \"Role\"\nreason = \"Reason\"\napproved_by = {{ column = \"By\", system = \"idp\" }}\napproved_at = \"Approved\"\n\
         valid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let header = "Id,System,Login,Role,Reason,By,Approved,From,To";
    let mut sheet = Sheet::new(c, "standings", "standing_privilege", header, &mapping);
    for (number, standing) in (1..).zip(&c.standings).filter(|(_, s)| s.approved <= c.clock.cutoff) {
        let login = &c.logins[c.grants[standing.grant].login];
        let (system, by) = (c.systems[login.system].key, actor(c, standing.by));
        sheet.line(&[
            &format!("S-{number}"),
            &system,
            &login.key,
            &standing.role,
            &standing.reason,
            &by,
            &At(standing.approved),
            &At(standing.from),
            &Agreed(standing.to),
        ]);
    }
    sheet.done()
}

pub(crate) fn jobs(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\naccount = {{ column = \"Number\", system = \"hr\" }}\njob = {{ column = \"Job\", kind = \"position\" }}\nvalid_from = \"From\"\n\
         valid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "jobs", "job", "Id,Number,Job,From,To", &mapping);
    for (number, job) in (1..).zip(&c.jobs) {
        sheet.line(&[&moves::key(number), &c.people[job.person].number, &job.job, &At(job.from), &job.to]);
    }
    sheet.done()
}

pub(crate) fn matrix(c: &Company) -> File {
    let mapping = "key = [\"Job\", \"System\", \"Role\"]\n[columns]\njob = { column = \"Job\", kind = \"position\" }\nsystem = \"System\"\nrole = \"Role\"\n\
                   approved_by = { column = \"By\", system = \"idp\" }\napproved_at = \"Approved\"\nvalid_from = \"From\"\n\
                   valid_to = { constant = \"forever\" }\n";
    let mut sheet = Sheet::new(c, "matrix", "role_matrix", "Job,System,Role,By,Approved,From", mapping);
    for allowed in &c.matrix {
        let system = c.systems[allowed.system].key;
        // Laid down once there was somebody to do so.
        let approved = At(allowed.from + 40 * DAY);
        sheet.line(&[&allowed.job, &system, &allowed.role, &actor(c, 0), &approved, &At(allowed.from)]);
    }
    sheet.done()
}

pub(crate) fn sign_ins(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\naccount = {{ column = \"Login\", system = {{ column = \"System\" }} }}\nway = \"Way\"\n\
         valid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "sign_ins", "sign_in", "Id,System,Login,Way,From,To", &mapping);
    for (number, sign_in) in (1..).zip(&c.sign_ins).filter(|(_, s)| s.from <= c.clock.cutoff) {
        let login = &c.logins[sign_in.login];
        let system = c.systems[login.system].key;
        sheet.line(&[
            &format!("W-{number}"),
            &system,
            &login.key,
            &sign_in.way,
            &At(sign_in.from),
            &sign_in.to,
        ]);
    }
    sheet.done()
}

pub(crate) fn policy_versions(c: &Company) -> File {
    let mapping = format!(
        "key = \"Key\"\n[columns]\npolicy = {{ column = \"Policy\", kind = \"policy\" }}\nlabel = \"Key\"\nfor_everybody = \"Everybody\"\nauthor = {{ column = \"Author\", system = \"idp\" }}\n\
         approved_by = {{ column = \"By\", system = \"idp\" }}\napproved_at = \"Approved\"\n\
         published_at = {{ column = \"Published\", {FOREVER} }}\nvalid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let header = "Key,Policy,Everybody,Author,By,Approved,Published,From,To";
    let mut sheet = Sheet::new(c, "policy_versions", "policy_version", header, &mapping);
    for policy in c.policies.iter().filter(|p| p.from <= c.clock.cutoff) {
        let published = policy.published.map_or(End::Never, End::At);
        sheet.line(&[
            &policies::key(policy),
            &policy.name,
            &policy.everybody,
            &policy.author.map(|who| actor(c, who)),
            &policy.approved_by.map(|who| actor(c, who)),
            &policy.approved.map(At),
            &published,
            &At(policy.from),
            &policy.to,
        ]);
    }
    sheet.done()
}

pub(crate) fn policy_reviews(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\npolicy = { column = \"Policy\", kind = \"policy\" }\nreviewed_at = \"Reviewed\"\n\
                   reviewed_by = { column = \"By\", system = \"idp\" }\n";
    let mut sheet = Sheet::new(c, "policy_reviews", "policy_review", "Id,Policy,Reviewed,By", mapping);
    for (number, review) in (1..).zip(&c.policy_reviews).filter(|(_, r)| r.at <= c.clock.cutoff) {
        let by = review.by.map(|who| actor(c, who));
        sheet.line(&[&format!("PR-{number}"), &review.name, &At(review.at), &by]);
    }
    sheet.done()
}

pub(crate) fn screenings(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\naccount = { column = \"Number\", system = \"hr\" }\ndone_at = \"Done\"\nresult = \"Result\"\n\
                   assessed = \"Weighed\"\n";
    let mut sheet = Sheet::new(c, "screenings", "background_check", "Id,Number,Done,Result,Weighed", mapping);
    for (number, look) in (1..).zip(&c.screenings).filter(|(_, s)| s.done <= c.clock.cutoff) {
        let id = format!("BC-{number}");
        sheet.line(&[&id, &c.people[look.person].number, &At(look.done), &look.result, &look.assessed]);
    }
    sheet.done()
}

pub(crate) fn agreements(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\naccount = { column = \"Number\", system = \"hr\" }\nkind = \"Paper\"\nsigned_at = \"Signed\"\n";
    let mut sheet = Sheet::new(c, "agreements", "agreement", "Id,Number,Paper,Signed", mapping);
    for (number, paper) in (1..).zip(&c.agreements) {
        if paper.signed.is_some_and(|at| at > c.clock.cutoff) {
            continue;
        }
        let id = format!("AG-{number}");
        sheet.line(&[&id, &c.people[paper.person].number, &paper.kind, &paper.signed.map(At)]);
    }
    sheet.done()
}

pub(crate) fn acknowledgements(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\naccount = { column = \"Login\", system = \"idp\" }\n\
                   policy = { column = \"Policy\", kind = \"policy\" }\nversion = { column = \"Version\", kind = \"policy_version\" }\n\
                   acked_at = \"Acknowledged\"\nrecorded_at = \"Recorded\"\n";
    let header = "Id,Login,Policy,Version,Acknowledged,Recorded";
    let mut sheet = Sheet::new(c, "acknowledgements", "policy_ack", header, mapping);
    for (number, ack) in (1..).zip(&c.acknowledgements).filter(|(_, a)| a.recorded <= c.clock.cutoff) {
        let version = ack.version.map(|place| policies::key(&c.policies[place]));
        let (id, login) = (format!("AK-{number}"), actor(c, ack.person));
        sheet.line(&[&id, &login, &ack.name, &version, &At(ack.at), &At(ack.recorded)]);
    }
    sheet.done()
}

pub(crate) fn devices(c: &Company) -> File {
    let mapping = format!(
        "key = \"Device\"\n[columns]\nlabel = \"Device\"\nholder = {{ column = \"Holder\", system = \"hr\" }}\nmanaged = \"Managed\"\n\
         valid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "devices", "device", "Device,Holder,Managed,From,To", &mapping);
    for device in c.devices.iter().filter(|d| d.from <= c.clock.cutoff) {
        let holder = device.person.map(|person| c.people[person].number.clone());
        sheet.line(&[&device_key(device.number), &holder, &device.managed, &At(device.from), &device.to]);
    }
    sheet.done()
}

pub(crate) fn postures(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\ndevice = {{ column = \"Device\", kind = \"device\" }}\nencrypted = \"Disk\"\nlocks = \"Lock\"\n\
         protected = \"Protection\"\npatched = \"Patches\"\nvalid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let header = "Id,Device,Disk,Lock,Protection,Patches,From,To";
    let mut sheet = Sheet::new(c, "postures", "device_state", header, &mapping);
    for (number, posture) in (1..).zip(&c.postures).filter(|(_, p)| p.from <= c.clock.cutoff) {
        let (id, device) = (format!("DS-{number}"), device_key(posture.device));
        let [disk, lock, protection, patches] = posture.good;
        sheet.line(&[&id, &device, &disk, &lock, &protection, &patches, &At(posture.from), &posture.to]);
    }
    sheet.done()
}
