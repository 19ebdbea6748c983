//! What the registers of uses of personal data and of their disclosures would export.

use crate::company::{Company, End};
use crate::export::{Agreed, At, FOREVER, File, Sheet};
use crate::monitoring::actor;
use crate::uses::To;

/// Every file of uses and disclosures, in an order in which they can be imported.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![uses(c), looks(c), weighed(c), disclosures(c, false), disclosures(c, true)]
}

fn uses(c: &Company) -> File {
    let mapping = "key = \"Use\"\n[columns]\nlabel = \"Use\"\npurpose = \"Purpose\"\nground = \"Ground\"\nfields = \"Fields\"\nrisky = \"Risky\"\n\
                   begun_at = \"From\"\nended = \"Over\"\nended_at = \"To\"\n";
    let header = "Use,Purpose,Ground,Fields,Risky,From,Over,To";
    let mut sheet = Sheet::new(c, "data_uses", "data_use", header, mapping);
    for u in c.data_uses.uses.iter().filter(|u| u.from <= c.clock.cutoff) {
        let (over, to) = match u.to {
            End::At(at) if at <= c.clock.cutoff => (true, Some(At(at))),
            End::Unknown => (true, None),
            _ => (false, None),
        };
        sheet.line(&[&u.key, &u.purpose, &u.ground, &u.fields, &u.risky, &At(u.from), &over, &to]);
    }
    sheet.done()
}

fn looks(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\ndata_use = { column = \"Use\", kind = \"data_use\" }\ndone_at = \"At\"\n\
                   done_by = { column = \"By\", system = \"idp\" }\n";
    let mut sheet = Sheet::new(c, "data_use_looks", "data_use_review", "Id,Use,At,By", mapping);
    for u in &c.data_uses.uses {
        for (number, (at, who)) in (1..).zip(&u.looks) {
            if *at <= c.clock.cutoff {
                sheet.line(&[&format!("{}-L{number}", u.key), &u.key, &At(*at), &actor(c, *who)]);
            }
        }
    }
    sheet.done()
}

fn weighed(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\ndata_use = { column = \"Use\", kind = \"data_use\" }\ndone_at = \"At\"\n\
                   done_by = { column = \"By\", system = \"idp\" }\nresult = \"Result\"\n";
    let mut sheet = Sheet::new(c, "impact_assessments", "impact_assessment", "Id,Use,At,By,Result", mapping);
    for u in &c.data_uses.uses {
        for (number, (at, who, result)) in (1..).zip(&u.weighed) {
            if *at <= c.clock.cutoff {
                let by = who.map(|who| actor(c, who));
                sheet.line(&[&format!("{}-W{number}", u.key), &u.key, &At(*at), &by, result]);
            }
        }
    }
    sheet.done()
}

/// What went to vendors, and what went to authorities: two lists, of two kinds of recipients.
fn disclosures(c: &Company, authorities: bool) -> File {
    let (name, kind) =
        if authorities { ("authority_disclosures", "outside") } else { ("disclosures", "vendor") };
    let mapping = format!(
        "key = \"Id\"\n[columns]\nlabel = \"Id\"\nrecipient = {{ column = \"To\", kind = \"{kind}\" }}\nground = \"Ground\"\n\
         consent = {{ column = \"Consent\", kind = \"consent\" }}\ncontract = {{ column = \"Contract\", kind = \"vendor_contract\" }}\nlaw = \"Law\"\n\
         decided_by = {{ column = \"By\", system = \"idp\" }}\ndecided_at = {{ column = \"Decided\", {FOREVER} }}\ndisclosed_at = \"At\"\n\
         recorded_at = \"Recorded\"\n"
    );
    let header = "Id,To,Ground,Consent,Contract,Law,By,Decided,At,Recorded";
    let mut sheet = Sheet::new(c, name, "disclosure", header, &mapping);
    for d in c.data_uses.disclosures.iter().filter(|d| d.at <= c.clock.cutoff) {
        if matches!(d.to, To::Vendor(_)) == authorities {
            continue;
        }
        let to = match &d.to {
            To::Vendor(key) => key.as_str(),
            To::Authority(key) => key,
            To::NobodySays => "",
        };
        let of = |ground: &str| if d.ground == ground { d.by.as_str() } else { "" };
        sheet.line(&[
            &d.key,
            &to,
            &d.ground,
            &of("consent"),
            &of("contract"),
            &of("law"),
            &d.decider.map(|who| actor(c, who)),
            &Agreed(d.decided),
            &At(d.at),
            &d.recorded.map(At),
        ]);
    }
    sheet.done()
}
