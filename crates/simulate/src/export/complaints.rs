//! What the registers of complaints and of privacy reviews would export.

use crate::company::{Company, End};
use crate::export::{At, FOREVER, File, Sheet};
use crate::monitoring::actor;

/// Both files, in an order in which they can be imported.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![complaints(c), reviews(c)]
}

fn complaints(c: &Company) -> File {
    let mapping = "key = \"Number\"\n[columns]\nlabel = \"Number\"\nreceived_at = \"Received\"\nclosed = \"Over\"\nclosed_at = \"Closed\"\n\
                   closed_by = { column = \"By\", system = \"idp\" }\nresolution = \"What\"\n";
    let header = "Number,Received,Over,Closed,By,What";
    let mut sheet = Sheet::new(c, "privacy_complaints", "privacy_complaint", header, mapping);
    for k in c.complaints.complaints.iter().filter(|k| k.at <= c.clock.cutoff) {
        let (over, closed) = match k.closed {
            End::At(at) if at <= c.clock.cutoff => (Some(true), Some(At(at))),
            End::Unknown => (None, None),
            _ => (Some(false), None),
        };
        let done = closed.is_some();
        let by = k.by.filter(|_| done).map(|who| actor(c, who));
        sheet.line(&[&k.key, &At(k.at), &over, &closed, &by, &done.then_some(k.resolution)]);
    }
    sheet.done()
}

fn reviews(c: &Company) -> File {
    let mapping = format!(
        "key = \"Key\"\n[columns]\nlabel = \"Key\"\nsubject = {{ column = \"Subject\", kind = \"subject\" }}\ndone_at = \"Done\"\n\
         done_by = {{ column = \"By\", system = \"idp\" }}\nfindings = \"Findings\"\nreported_at = {{ column = \"Reported\", {FOREVER} }}\n\
         reported_to = {{ column = \"To\", system = \"idp\" }}\n"
    );
    let header = "Key,Subject,Done,By,Findings,Reported,To";
    let mut sheet = Sheet::new(c, "privacy_reviews", "privacy_review", header, &mapping);
    for r in c.complaints.reviews.iter().filter(|r| r.at <= c.clock.cutoff) {
        let told = matches!(r.reported, End::At(at) if at <= c.clock.cutoff);
        let to = r.to.filter(|_| told).map(|who| actor(c, who));
        let by = r.by.map(|who| actor(c, who));
        sheet.line(&[&r.key, &r.subject, &At(r.at), &by, &r.findings, &r.reported, &to]);
    }
    sheet.done()
}
