//! What the register of significant changes would export.

use crate::company::Company;
use crate::export::{Agreed, At, FOREVER, File, Sheet};
use crate::monitoring::actor;

/// Every file of significant changes, in an order in which they can be imported.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![changes(c), looks(c)]
}

fn changes(c: &Company) -> File {
    let mapping = format!(
        "key = \"Key\"\n[columns]\nlabel = \"Key\"\nkind = \"Kind\"\nvendor = {{ column = \"Vendor\", kind = \"vendor\" }}\n\
         effective_at = {{ column = \"Takes effect\", {FOREVER} }}\npersonal_data = \"Personal\"\n"
    );
    let header = "Key,Kind,Vendor,Takes effect,Personal";
    let mut sheet = Sheet::new(c, "significant_changes", "significant_change", header, &mapping);
    for change in &c.significant {
        sheet.line(&[
            &change.key,
            &change.kind,
            &change.vendor,
            &Agreed(change.takes_effect),
            &change.personal,
        ]);
    }
    sheet.done()
}

fn looks(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nchange = { column = \"Change\", kind = \"significant_change\" }\ndone_at = \"Done\"\n\
                   done_by = { column = \"By\", system = \"idp\" }\ndecision = \"Decision\"\npersonal_data = \"Personal\"\n";
    let mut sheet =
        Sheet::new(c, "risk_reviews", "risk_review", "Id,Change,Done,By,Decision,Personal", mapping);
    for change in &c.significant {
        for (number, look) in (1..).zip(&change.looks) {
            if look.at.is_none_or(|at| at <= c.clock.cutoff) {
                let by = look.by.map(|by| actor(c, by));
                let id = format!("{}-{number}", change.key);
                sheet.line(&[&id, &change.key, &look.at.map(At), &by, &look.decision, &look.personal]);
            }
        }
    }
    sheet.done()
}
