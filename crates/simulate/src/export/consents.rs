//! What the register of consents would export.

use crate::company::{Company, End};
use crate::export::{At, FOREVER, File, Sheet};

/// Every file of consents, in an order in which they can be imported.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![notices(c), consents(c)]
}

fn notices(c: &Company) -> File {
    let mapping = format!(
        "key = \"Notice\"\n[columns]\nlabel = \"Notice\"\nvalid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "notices", "privacy_notice", "Notice,From,To", &mapping);
    for (key, from, to) in c.consents.notices.iter().filter(|(_, from, _)| *from <= c.clock.cutoff) {
        sheet.line(&[key, &At(*from), to]);
    }
    sheet.done()
}

fn consents(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nlabel = \"Id\"\npurpose = \"Purpose\"\nnotice = {{ column = \"Notice\", kind = \"privacy_notice\" }}\n\
         given_at = \"Given\"\nfirst_collected_at = \"Collected\"\nwithdrawn_at = {{ column = \"Taken back\", {FOREVER} }}\nuse_ended_at = \"Ended\"\n"
    );
    let header = "Id,Purpose,Notice,Given,Collected,Taken back,Ended";
    let mut sheet = Sheet::new(c, "consents", "consent", header, &mapping);
    for y in c.consents.given.iter().filter(|y| y.at <= c.clock.cutoff) {
        let ended = y.ended.filter(|_| !matches!(y.taken_back, End::At(at) if at > c.clock.cutoff));
        sheet.line(&[
            &y.key,
            &y.purpose,
            &y.notice,
            &At(y.at),
            &y.collected.map(At),
            &y.taken_back,
            &ended.map(At),
        ]);
    }
    sheet.done()
}
