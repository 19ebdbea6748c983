//! What the register of requests about personal data, and the data map, would export.

use crate::company::{Company, End};
use crate::export::{Agreed, At, FOREVER, File, Sheet};
use crate::monitoring::actor;
use crate::quality::decides;

/// Every file of requests, in an order in which they can be imported.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![map(c), looks(c), requests(c), done(c)]
}

fn map(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\npeople = {{ column = \"People\", kind = \"people\" }}\nasset = {{ column = \"Store\", kind = \"data_asset\" }}\n\
         decisions = \"Decisions\"\nvalid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let header = "Id,People,Store,Decisions,From,To";
    let mut sheet = Sheet::new(c, "data_map", "data_holding", header, &mapping);
    for (number, held) in (1..).zip(&c.privacy.held) {
        let id = format!("DM-{number}");
        sheet.line(&[&id, &held.people, &held.store, &decides(held.store), &At(held.from), &held.to]);
    }
    for (store, decisions, to) in &c.quality.stores {
        sheet.line(&[store, &"applicants", store, decisions, &At(c.clock.kept_since), to]);
    }
    sheet.done()
}

fn looks(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nasset = {{ column = \"Store\", kind = \"data_asset\" }}\ndone_at = \"At\"\n\
         done_by = {{ column = \"By\", system = \"idp\" }}\nwrong = \"Wrong\"\ncorrected = \"Corrected\"\n\
         corrected_at = {{ column = \"Right\", {FOREVER} }}\n"
    );
    let header = "Id,Store,At,By,Wrong,Corrected,Right";
    let mut sheet = Sheet::new(c, "data_quality", "quality_check", header, &mapping);
    for (number, l) in (1..).zip(c.quality.looks.iter()) {
        if l.at <= c.clock.cutoff {
            let by = l.by.map(|who| actor(c, who));
            sheet.line(&[&format!("Q-{number}"), &l.store, &At(l.at), &by, &l.wrong, &l.corrected, &l.right]);
        }
    }
    sheet.done()
}

fn requests(c: &Company) -> File {
    let mapping = "key = \"Number\"\n[columns]\nlabel = \"Number\"\nkind = \"Kind\"\npeople = { column = \"People\", kind = \"people\" }\n\
                   received_at = \"Received\"\nverified_at = \"Identified\"\nextended_at = \"Told\"\nextended_until = \"Until\"\n\
                   extension_reason = \"Reason\"\nclosed = \"Over\"\nclosed_at = \"Closed\"\noutcome = \"Outcome\"\nrefusal_reason = \"Refusal\"\n";
    let header = "Number,Kind,People,Received,Identified,Told,Until,Reason,Over,Closed,Outcome,Refusal";
    let mut sheet = Sheet::new(c, "subject_requests", "dsr", header, mapping);
    let cutoff = c.clock.cutoff;
    for r in c.privacy.requests.iter().filter(|r| r.received <= cutoff) {
        let told = r.told.filter(|(at, ..)| *at <= cutoff);
        let closed = r.closed.filter(|at| *at <= cutoff);
        let ended = |word: &'static str| closed.map(|_| word);
        sheet.line(&[
            &r.key,
            &r.kind,
            &r.people,
            &At(r.received),
            &r.verified.map(At),
            &told.map(|(at, ..)| At(at)),
            &told.map(|(_, until, _)| Agreed(End::At(until))),
            &told.map(|(.., reason)| reason),
            &closed.is_some(),
            &closed.map(At),
            &ended(r.outcome),
            &ended(r.reason),
        ]);
    }
    sheet.done()
}

fn done(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\ndsr = { column = \"Request\", kind = \"dsr\" }\nasset = { column = \"Store\", kind = \"data_asset\" }\n\
                   outcome = \"What\"\ndone_at = \"At\"\nages_out_at = \"Gone\"\n";
    let mut sheet = Sheet::new(c, "request_stores", "dsr_store", "Id,Request,Store,What,At,Gone", mapping);
    for r in &c.privacy.requests {
        for (number, done) in (1..).zip(&r.done) {
            if done.at <= c.clock.cutoff {
                let gone = done.gone.map(|at| Agreed(End::At(at)));
                let id = format!("{}-{number}", r.key);
                sheet.line(&[&id, &r.key, &done.store, &done.outcome, &At(done.at), &gone]);
            }
        }
    }
    sheet.done()
}
