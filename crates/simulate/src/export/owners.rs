//! What the list of controls says of their owners.

use crate::company::Company;
use crate::export::{At, FOREVER, File, Sheet};
use crate::monitoring::{MACHINE, actor};

/// Every file of controls.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![owners(c)]
}

/// System and key of whoever is named: a person by their entry in the personnel system, a program by its account.
fn named(c: &Company, who: usize) -> (&'static str, String) {
    match who {
        MACHINE => ("idp", actor(c, MACHINE)),
        person => ("hr", c.people[person].number.clone()),
    }
}

fn owners(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\ncontrol = \"Control\"\nowner = {{ column = \"Owner\", system = {{ column = \"System\" }} }}\n\
         valid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet =
        Sheet::new(c, "control_owners", "control_owner", "Id,Control,System,Owner,From,To", &mapping);
    for (number, one) in (1..).zip(&c.ownerships).filter(|(_, one)| one.from <= c.clock.cutoff) {
        let (system, owner) = named(c, one.owner);
        let id = format!("CO-{number}");
        sheet.line(&[&id, &one.control, &system, &owner, &At(one.from), &one.to]);
    }
    sheet.done()
}
