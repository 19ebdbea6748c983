//! What the list of controls says of their owners, their tests and who evaluated them.

use crate::company::Company;
use crate::export::{At, FOREVER, File, Sheet};
use crate::monitoring::{MACHINE, actor};

/// Every file of controls.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![owners(c), tests(c), evaluations(c)]
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

fn tests(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\ncontrol = \"Control\"\ntested_at = \"At\"\nconclusion = { constant = \"no_exceptions\" }\n";
    let mut sheet = Sheet::new(c, "control_tests", "control_test", "Id,Control,At", mapping);
    for (number, test) in (1..).zip(&c.tests) {
        sheet.line(&[&format!("CT-{number}"), &test.control, &test.at.map(At)]);
    }
    sheet.done()
}

fn evaluations(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\ncontrol = \"Control\"\nevaluated_at = \"At\"\nfinding = \"Finding\"\n\
                   evaluated_by = { column = \"By\", system = { column = \"System\" } }\n";
    let header = "Id,Control,At,System,By,Finding";
    let mut sheet = Sheet::new(c, "control_evaluations", "control_evaluation", header, mapping);
    for (number, one) in (1..).zip(&c.evaluations) {
        let (system, by) = one.by.map(|by| named(c, by)).unzip();
        sheet.line(&[&format!("CE-{number}"), &one.control, &At(one.at), &system, &by, &one.finding]);
    }
    sheet.done()
}
