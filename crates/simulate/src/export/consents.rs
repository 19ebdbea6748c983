//! What the register of consents would export.

use crate::company::{Company, End};
use crate::export::{At, FOREVER, File, Sheet};

/// The file of consents.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![consents(c)]
}

fn consents(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nlabel = \"Id\"\npurpose = \"Purpose\"\nnotice = {{ column = \"Notice\", kind = \"privacy_notice\" }}\n\
         given_at = \"Given\"\nfirst_collected_at = \"Collected\"\nwithdrawn_at = {{ column = \"Taken back\", {FOREVER} }}\n\
         use_ended_at = {{ column = \"Ended\", {FOREVER} }}\n"
    );
    let header = "Id,Purpose,Notice,Given,Collected,Taken back,Ended";
    let mut sheet = Sheet::new(c, "consents", "consent", header, &mapping);
    for y in c.consents.given.iter().filter(|y| y.at <= c.clock.cutoff) {
        let ended =
            if matches!(y.taken_back, End::At(at) if at > c.clock.cutoff) { End::Never } else { y.ended };
        sheet.line(&[&y.key, &y.purpose, &y.notice, &At(y.at), &y.collected.map(At), &y.taken_back, &ended]);
    }
    sheet.done()
}
