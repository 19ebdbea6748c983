//! What the inventory of data, the deletion runs and the register of ended contracts would export.

use crate::company::{Company, End};
use crate::export::{Agreed, At, FOREVER, File, Sheet, done as by_then};
use crate::monitoring::actor;

/// Every file of stores, in an order in which they can be imported.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![assets(c), looks(c), rules(c), sweeps(c), holds(c), exits(c), gone(c)]
}

fn assets(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nkind = \"Kind\"\nclass = \"Class\"\nsystem = \"System\"\nowner = { column = \"Owner\", system = \"idp\" }\n\
                   resource = { column = \"Resource\", kind = \"cloud_resource\" }\nin_use_from = \"From\"\nretired = \"Retired\"\nretired_at = \"To\"\n";
    let header = "Key,Kind,Class,System,Owner,Resource,From,Retired,To";
    let mut sheet = Sheet::new(c, "inventory", "data_asset", header, mapping);
    for a in &c.stores.assets {
        let (retired, to) = match a.to {
            End::At(at) if at <= c.clock.cutoff => (true, Some(At(at))),
            End::Unknown => (true, None),
            _ => (false, None),
        };
        let owner = a.owner.map(|owner| actor(c, owner));
        sheet.line(&[&a.key, &a.kind, &a.class, &a.system, &owner, &a.resource, &At(a.from), &retired, &to]);
    }
    sheet.done()
}

fn looks(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nasset = { column = \"Key\", kind = \"data_asset\" }\ndone_at = \"Looked\"\n\
                   done_by = { column = \"By\", system = \"idp\" }\n";
    let mut sheet = Sheet::new(c, "inventory_looks", "asset_review", "Id,Key,Looked,By", mapping);
    for a in &c.stores.assets {
        for (number, (at, who)) in (1..).zip(&a.looks) {
            if *at <= c.clock.cutoff {
                sheet.line(&[&format!("{}-{number}", a.key), &a.key, &At(*at), &actor(c, *who)]);
            }
        }
    }
    sheet.done()
}

fn rules(c: &Company) -> File {
    let mapping = format!(
        "key = \"Rule\"\n[columns]\nlabel = \"Rule\"\nasset = {{ column = \"Store\", kind = \"data_asset\" }}\ndays = \"Days\"\nvalid_from = \"From\"\n\
         valid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "retention_rules", "retention_rule", "Rule,Store,Days,From,To", &mapping);
    for r in &c.stores.rules {
        sheet.line(&[&r.key, &r.asset, &r.days, &At(r.from), &r.to]);
    }
    sheet.done()
}

fn sweeps(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nrule = { column = \"Rule\", kind = \"retention_rule\" }\nran_at = \"Ran\"\ndue = \"Due\"\n\
                   deleted = \"Deleted\"\nheld = \"Held\"\n";
    let mut sheet = Sheet::new(c, "retention_runs", "retention_run", "Id,Rule,Ran,Due,Deleted,Held", mapping);
    for r in &c.stores.rules {
        for (number, s) in (1..).zip(&r.runs) {
            sheet.line(&[&format!("{}-R{number}", r.key), &r.key, &At(s.at), &s.due, &s.deleted, &s.held]);
        }
    }
    sheet.done()
}

fn holds(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nrule = {{ column = \"Rule\", kind = \"retention_rule\" }}\nreason = \"Why\"\n\
         held_by = {{ column = \"By\", system = \"idp\" }}\nstarts_at = \"From\"\nends_at = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "retention_holds", "retention_hold", "Id,Rule,Why,By,From,To", &mapping);
    for r in &c.stores.rules {
        for (number, (why, who, from, to)) in (1..).zip(&r.holds) {
            sheet.line(&[&format!("{}-H{number}", r.key), &r.key, why, &actor(c, *who), &At(*from), to]);
        }
    }
    sheet.done()
}

fn exits(c: &Company) -> File {
    let mapping = "key = \"Contract\"\n[columns]\nlabel = \"Contract\"\npeople = { column = \"People\", kind = \"people\" }\nended_at = \"Ended\"\n\
                   confirmed_at = \"Told\"\nconfirmed_by = { column = \"By\", system = \"idp\" }\n";
    let mut sheet =
        Sheet::new(c, "ended_contracts", "customer_exit", "Contract,People,Ended,Told,By", mapping);
    for e in c.stores.exits.iter().filter(|e| e.at <= c.clock.cutoff) {
        let (told, by) = by_then(c, e.told);
        sheet.line(&[&e.key, &e.people, &At(e.at), &told, &by]);
    }
    sheet.done()
}

fn gone(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\ncustomer_exit = { column = \"Contract\", kind = \"customer_exit\" }\n\
                   asset = { column = \"Store\", kind = \"data_asset\" }\noutcome = \"What\"\ndone_at = \"At\"\nages_out_at = \"Gone\"\n";
    let header = "Id,Contract,Store,What,At,Gone";
    let mut sheet = Sheet::new(c, "contract_stores", "customer_exit_store", header, mapping);
    for e in &c.stores.exits {
        for (number, done) in (1..).zip(&e.done) {
            if done.at <= c.clock.cutoff {
                let gone = done.gone.map(|at| Agreed(End::At(at)));
                let id = format!("{}-{number}", e.key);
                sheet.line(&[&id, &e.key, &done.store, &done.outcome, &At(done.at), &gone]);
            }
        }
    }
    sheet.done()
}
