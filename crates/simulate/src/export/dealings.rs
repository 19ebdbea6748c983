//! What the register of contracts, of what vendors can enter and of what flows to them would export.

use crate::company::Company;
use crate::export::{Agreed, At, FOREVER, File, Sheet};

/// Every file of dealings with vendors, in an order in which they can be imported.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![contracts(c), access(c), flows(c)]
}

fn contracts(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nvendor = {{ column = \"Vendor\", kind = \"vendor\" }}\nsigned_at = \"Signed\"\n\
         ends_at = {{ column = \"Ends\", {FOREVER} }}\nsecurity = {{ constant = \"yes\" }}\nbreach_hours = \"Hours\"\ndpa = \"Processing\"\nbaa = \"Associates\"\n"
    );
    let header = "Id,Vendor,Signed,Ends,Hours,Processing,Associates";
    let mut sheet = Sheet::new(c, "contracts", "vendor_contract", header, &mapping);
    for (vendor, dealing) in &c.dealings {
        for (number, k) in (1..).zip(&dealing.contracts) {
            let id = format!("{vendor}-C{number}");
            sheet.line(&[&id, vendor, &At(k.from), &Agreed(k.to), &k.hours, &k.processing, &k.associates]);
        }
    }
    sheet.done()
}

fn access(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nvendor = {{ column = \"Vendor\", kind = \"vendor\" }}\nsystem = {{ constant = \"cloud\" }}\nvalid_from = \"From\"\n\
         valid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "vendor_access", "vendor_access", "Id,Vendor,From,To", &mapping);
    for (vendor, dealing) in &c.dealings {
        for (number, (from, to)) in (1..).zip(&dealing.access) {
            if *from <= c.clock.cutoff {
                sheet.line(&[&format!("{vendor}-A{number}"), vendor, &At(*from), to]);
            }
        }
    }
    sheet.done()
}

fn flows(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nsource = {{ column = \"Source\", kind = \"outside\" }}\ntarget = {{ column = \"Vendor\", kind = \"vendor\" }}\n\
         data_class = \"Class\"\nstarts_at = \"From\"\nends_at = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "vendor_flows", "data_flow", "Id,Source,Vendor,Class,From,To", &mapping);
    for (vendor, dealing) in &c.dealings {
        for (number, (class, from, to)) in (1..).zip(&dealing.flows) {
            sheet.line(&[&format!("{vendor}-F{number}"), &"customers", vendor, class, &At(*from), to]);
        }
    }
    sheet.done()
}
