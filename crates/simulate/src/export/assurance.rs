//! What the registers of promises and deficiencies, and the description of the system, would export.

use crate::assurance::Subject;
use crate::company::{Company, End};
use crate::export::{Agreed, At, FOREVER, File, Sheet};
use crate::monitoring::actor;

/// Every file of these, in an order in which they can be imported.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![promises(c), readings(c), deficiencies(c), looks(c), systems(c), vendors(c)]
}

fn promises(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nkind = \"Kind\"\ncontrol = \"Control\"\n\
                   metric = { column = \"Measure\", kind = \"slo\" }\nobjective_ppm = \"Number\"\nvalid_from = \"From\"\n\
                   valid_to = { constant = \"forever\" }\n";
    let header = "Key,Kind,Control,Measure,Number,From";
    let mut sheet = Sheet::new(c, "promises", "commitment", header, mapping);
    for promise in &c.assurance.promises {
        let (key, kind, control) = (&promise.key, &promise.kind, &promise.control);
        sheet.line(&[key, kind, control, &promise.measure, &promise.number, &At(promise.from)]);
    }
    sheet.done()
}

fn readings(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\ncommitment = { column = \"Promise\", kind = \"commitment\" }\ndone_at = \"Done\"\n\
                   done_by = { column = \"By\", system = \"idp\" }\n";
    let mut sheet = Sheet::new(c, "promises_read", "commitment_review", "Id,Promise,Done,By", mapping);
    for promise in &c.assurance.promises {
        for (number, (at, by)) in (1..).zip(&promise.readings) {
            if *at <= c.clock.cutoff {
                let id = format!("{}-{number}", promise.key);
                sheet.line(&[&id, &promise.key, &At(*at), &actor(c, *by)]);
            }
        }
    }
    sheet.done()
}

fn deficiencies(c: &Company) -> File {
    let mapping = format!(
        "key = \"Key\"\n[columns]\nlabel = \"Key\"\nfound_at = \"Found\"\nowner = {{ column = \"Owner\", system = \"idp\" }}\n\
         due_at = {{ column = \"Due\", {FOREVER} }}\naccepted_by = {{ column = \"Accepted by\", system = \"idp\" }}\nclosed = \"Over\"\nclosed_at = \"Closed\"\n"
    );
    let header = "Key,Found,Owner,Due,Accepted by,Over,Closed";
    let mut sheet = Sheet::new(c, "deficiencies", "deficiency", header, &mapping);
    for d in &c.assurance.deficiencies {
        if d.found > c.clock.cutoff {
            continue;
        }
        let (over, closed) = match d.closed {
            End::At(at) if at <= c.clock.cutoff => (true, Some(At(at))),
            End::Unknown => (true, None),
            _ => (false, None),
        };
        sheet.line(&[
            &d.key,
            &At(d.found),
            &d.owner.map(|owner| actor(c, owner)),
            &Agreed(d.due),
            &d.accepted.filter(|_| over).map(|by| actor(c, by)),
            &over,
            &closed,
        ]);
    }
    sheet.done()
}

fn looks(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\ndeficiency = { column = \"Deficiency\", kind = \"deficiency\" }\ndone_at = \"Done\"\n\
                   done_by = { column = \"By\", system = \"idp\" }\npassed = \"Right\"\n";
    let header = "Id,Deficiency,Done,By,Right";
    let mut sheet = Sheet::new(c, "deficiencies_again", "deficiency_retest", header, mapping);
    for d in &c.assurance.deficiencies {
        for (number, (at, by, right)) in (1..).zip(&d.looks) {
            if *at <= c.clock.cutoff {
                let id = format!("{}-{number}", d.key);
                sheet.line(&[&id, &d.key, &At(*at), &actor(c, *by), right]);
            }
        }
    }
    sheet.done()
}

fn systems(c: &Company) -> File {
    parts(c, "described_systems", "subject = { column = \"Subject\", kind = \"system\" }", |subject| {
        match subject {
            Subject::System(system) => Some(c.systems[*system].key.to_owned()),
            Subject::Vendor(_) => None,
        }
    })
}

fn vendors(c: &Company) -> File {
    parts(c, "described_vendors", "subject = { column = \"Subject\", kind = \"vendor\" }", |subject| {
        match subject {
            Subject::Vendor(vendor) => Some(c.vendors[*vendor].key.clone()),
            Subject::System(_) => None,
        }
    })
}

/// A list that names things of one kind.
fn parts(c: &Company, name: &'static str, subject: &str, key: impl Fn(&Subject) -> Option<String>) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\n{subject}\nvalid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, name, "description_part", "Id,Subject,From,To", &mapping);
    for (number, part) in (1..).zip(&c.assurance.parts) {
        if let Some(key) = key(&part.subject).filter(|_| part.from <= c.clock.cutoff) {
            sheet.line(&[&format!("PT-{number}"), &key, &At(part.from), &part.to]);
        }
    }
    sheet.done()
}
