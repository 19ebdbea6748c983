//! What the register of risks would export.

use crate::company::{Company, End};
use crate::export::{Agreed, At, File, Sheet, done as by_then};
use crate::monitoring::actor;

/// Every file of risks, in an order in which they can be imported.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![risks(c), reports(c), assessments(c)]
}

fn risks(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nlevel = \"Level\"\nidentified_at = \"Found\"\n\
                   owner = { column = \"Owner\", system = \"idp\" }\ntreatment = \"Treatment\"\ndue_at = \"Due\"\n\
                   accepted_by = { column = \"Accepted by\", system = \"idp\" }\naccepted_until = \"Accepted until\"\nclosed = \"Over\"\nclosed_at = \"Closed\"\n";
    let header = "Key,Level,Found,Owner,Treatment,Due,Accepted by,Accepted until,Over,Closed";
    let mut sheet = Sheet::new(c, "risks", "risk", header, mapping);
    let agreed = |at: i64| Agreed(End::At(at));
    for r in &c.register.risks {
        let (over, closed) = match r.closed {
            End::At(at) if at <= c.clock.cutoff => (true, Some(At(at))),
            End::Unknown => (true, None),
            _ => (false, None),
        };
        sheet.line(&[
            &r.key,
            &r.level,
            &At(r.found),
            &r.owner.map(|owner| actor(c, owner)),
            &r.treatment,
            &r.due.map(agreed),
            &r.accepted.map(|(by, _)| actor(c, by)),
            &r.accepted.map(|(_, until)| agreed(until)),
            &over,
            &closed,
        ]);
    }
    sheet.done()
}

fn reports(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nrisk = { column = \"Risk\", kind = \"risk\" }\nreported_at = \"Reported\"\n\
                   reported_by = { column = \"By\", system = \"idp\" }\n";
    let mut sheet = Sheet::new(c, "risk_reports", "risk_report", "Id,Risk,Reported,By", mapping);
    for r in &c.register.risks {
        for (number, (at, who)) in (1..).zip(&r.reports) {
            if *at <= c.clock.cutoff {
                sheet.line(&[&format!("{}-{number}", r.key), &r.key, &At(*at), &actor(c, *who)]);
            }
        }
    }
    sheet.done()
}

fn assessments(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nsubject = { column = \"Subject\", kind = \"subject\" }\ndone_at = \"Done\"\n\
                   done_by = { column = \"By\", system = \"idp\" }\ncovers_fraud = \"Fraud\"\ncovers_vendors = \"Vendors\"\ncovers_ai = \"AI\"\n\
                   covers_threats = \"Threats\"\napproved_by = { column = \"Approver\", system = \"idp\" }\napproved_at = \"Approved\"\n";
    let header = "Key,Subject,Done,By,Fraud,Vendors,AI,Threats,Approver,Approved";
    let mut sheet = Sheet::new(c, "risk_assessments", "risk_assessment", header, mapping);
    for a in c.register.assessments.iter().filter(|a| a.at <= c.clock.cutoff) {
        let (approved, approver) = by_then(c, a.approved);
        let [fraud, vendors, ai, threats] = a.covers;
        sheet.line(&[
            &a.key,
            &a.subject,
            &At(a.at),
            &actor(c, a.by),
            &fraud,
            &vendors,
            &ai,
            &threats,
            &approver,
            &approved,
        ]);
    }
    sheet.done()
}
