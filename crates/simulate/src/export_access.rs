//! The files on how access came to be, is used and is answered for.

use crate::company::Company;
use crate::export::{Agreed, At, FOREVER, File, Sheet};
use crate::monitoring::actor;

pub(crate) fn requests(c: &Company) -> File {
    let mapping = format!(
        "key = \"Request\"\n[columns]\nlabel = \"Request\"\naccount = {{ column = \"For\", system = {{ column = \"Known at\" }} }}\n\
         system = \"System\"\nrole = \"Role\"\nprivileged = \"Admin\"\nrequested_by = {{ column = \"Asked by\", system = \"idp\" }}\n\
         status = \"Decision\"\napproved_by = {{ column = \"Approved by\", system = \"idp\" }}\napproved_at = \"Approved\"\n\
         expires_at = {{ column = \"Until\", {FOREVER} }}\nbasis = \"Kept as\"\nrecorded_at = \"Kept since\"\n"
    );
    let header = "Request,For,Known at,System,Role,Admin,Asked by,Decision,Approved by,Approved,Until,Kept as,Kept since";
    let mut sheet = Sheet::new(c, "requests", "access_request", header, &mapping);
    for (number, request) in (1..).zip(&c.requests) {
        if request.recorded > c.clock.cutoff {
            continue;
        }
        let login = c.logins.get(request.login);
        // People are named by their number; machines by their login.
        let subject = match (request.person, login) {
            (Some(person), _) => Some((c.people[person].number.clone(), "hr")),
            (None, Some(login)) => Some((login.key.clone(), c.systems[login.system].key)),
            (None, None) => None,
        };
        let (subject, known_at) = (subject.clone().map(|s| s.0), subject.map(|s| s.1));
        sheet.line(&[
            &format!("RQ-{number}"),
            &subject,
            &known_at,
            &c.systems[request.system].key,
            &request.role,
            &request.privileged,
            &actor(c, request.asked_by),
            &request.status,
            &request.approved_by.map(|who| actor(c, who)),
            &request.approved.map(At),
            &Agreed(request.expires),
            &request.basis,
            &At(request.recorded),
        ]);
    }
    sheet.done()
}
