//! What the register of notices would export.

use crate::company::{Company, End};
use crate::export::{Agreed, At, FOREVER, File, Sheet, done as by_then};
use crate::monitoring::actor;

/// Every file of notices, in an order in which they can be imported.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![versions(c), looks(c)]
}

fn versions(c: &Company) -> File {
    let mapping = format!(
        "key = \"Version\"\n[columns]\nlabel = \"Version\"\nnotice = {{ column = \"Notice\", kind = \"notice\" }}\nnew_terms = \"Changes\"\n\
         approved_by = {{ column = \"Approver\", system = \"idp\" }}\napproved_at = \"Approved\"\ntold_at = {{ column = \"Told\", {FOREVER} }}\n\
         counts_from = \"Counts\"\nvalid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let header = "Version,Notice,Changes,Approver,Approved,Told,Counts,From,To";
    let mut sheet = Sheet::new(c, "notices", "privacy_notice", header, &mapping);
    for v in c.notices.versions.iter().filter(|v| v.from <= c.clock.cutoff) {
        let (approved, approver) = by_then(c, v.approved);
        let counts = Agreed(End::At(v.counts));
        sheet.line(&[
            &v.key,
            &v.notice,
            &v.changes,
            &approver,
            &approved,
            &v.told,
            &counts,
            &At(v.from),
            &v.to,
        ]);
    }
    sheet.done()
}

fn looks(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nnotice = { column = \"Notice\", kind = \"notice\" }\nreviewed_at = \"At\"\n\
                   reviewed_by = { column = \"By\", system = \"idp\" }\n";
    let mut sheet = Sheet::new(c, "notice_looks", "privacy_notice_review", "Id,Notice,At,By", mapping);
    for (number, (notice, at, who)) in (1..).zip(&c.notices.looks) {
        if *at <= c.clock.cutoff {
            sheet.line(&[&format!("NL-{number}"), notice, &At(*at), &actor(c, *who)]);
        }
    }
    sheet.done()
}
