//! What the lists of media that left, of outputs that were delivered and of personal data that were found would export.

use crate::company::{Company, End};
use crate::export::{At, FOREVER, File, Sheet};
use crate::monitoring::actor;

/// Every file of these, in an order in which they can be imported.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![media(c), deliveries(c), looks(c), findings(c)]
}

fn media(c: &Company) -> File {
    let mapping = format!(
        "key = \"Number\"\n[columns]\nlabel = \"Number\"\ngone_at = \"Gone\"\nheld_data = \"Holds\"\n\
         wiped_at = {{ column = \"Wiped\", {FOREVER} }}\nmethod = \"Method\"\ncertificate = \"Certificate\"\n\
         done_by = {{ column = \"By\", system = \"idp\" }}\n"
    );
    let header = "Number,Gone,Holds,Wiped,Method,Certificate,By";
    let mut sheet = Sheet::new(c, "media", "media_disposal", header, &mapping);
    for m in c.disposals.media.iter().filter(|m| m.at <= c.clock.cutoff) {
        let by = m.by.map(|who| actor(c, who));
        sheet.line(&[&m.key, &At(m.at), &m.held, &m.wiped, &m.method, &m.certificate, &by]);
    }
    sheet.done()
}

fn deliveries(c: &Company) -> File {
    let mapping = "key = \"Output\"\n[columns]\nlabel = \"Output\"\ncustomer = { column = \"Owner\", kind = \"customer\" }\n\
                   recipient = { column = \"To\", kind = \"customer\" }\ndelivered_at = \"At\"\ndigest = \"Digest\"\n";
    let mut sheet = Sheet::new(c, "deliveries", "delivery", "Output,Owner,To,At,Digest", mapping);
    for d in c.disposals.deliveries.iter().filter(|d| d.at <= c.clock.cutoff) {
        sheet.line(&[&d.key, &d.customer, &d.recipient, &At(d.at), &d.digest]);
    }
    sheet.done()
}

fn looks(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\ndelivery = { column = \"Output\", kind = \"delivery\" }\nchecked_at = \"At\"\ndigest = \"Digest\"\n";
    let mut sheet = Sheet::new(c, "output_looks", "output_check", "Id,Output,At,Digest", mapping);
    for d in &c.disposals.deliveries {
        for (number, (at, digest)) in (1..).zip(&d.looks) {
            if *at <= c.clock.cutoff {
                sheet.line(&[&format!("{}-L{number}", d.key), &d.key, &At(*at), digest]);
            }
        }
    }
    sheet.done()
}

fn findings(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nlabel = \"Id\"\nfound_in = \"Place\"\nfound_at = \"Found\"\nremoved = \"Gone\"\nremoved_at = \"Removed\"\n\
                   ground = \"Ground\"\nconsent = { column = \"Consent\", kind = \"consent\" }\njudged_by = { column = \"By\", system = \"idp\" }\n\
                   judged_at = \"Judged\"\n";
    let header = "Id,Place,Found,Gone,Removed,Ground,Consent,By,Judged";
    let mut sheet = Sheet::new(c, "personal_data_found", "personal_data_finding", header, mapping);
    for f in c.disposals.findings.iter().filter(|f| f.at <= c.clock.cutoff) {
        let (gone, removed) = match f.removed {
            End::At(at) if at <= c.clock.cutoff => (Some(true), Some(At(at))),
            End::Unknown => (None, None),
            _ => (Some(false), None),
        };
        // What is judged after the cut-off is not judged yet.
        let later = f.judged.is_some_and(|at| at > c.clock.cutoff);
        let (ground, judge) = if later { ("none", None) } else { (f.ground, f.judge) };
        sheet.line(&[
            &f.key,
            &f.place,
            &At(f.at),
            &gone,
            &removed,
            &ground,
            &f.consent,
            &judge.map(|who| actor(c, who)),
            &f.judged.map(At),
        ]);
    }
    sheet.done()
}
