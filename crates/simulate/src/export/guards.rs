//! The files of what keeps things apart: who signs in how, networks and test data, duties, rights to release, ways out, searches of code.

use super::{Agreed, At, FOREVER, File, Sheet};
use crate::company::{Company, End};
use crate::monitoring::actor;
use crate::operations::rights::Whose;

/// Every file of these, in an order in which they can be imported.
pub(super) fn files(c: &Company) -> Vec<File> {
    vec![
        trials(c),
        doors(c),
        ways(c),
        leaves(c),
        samples(c),
        agreements(c),
        apart(c),
        both(c),
        rights(c),
        hands(c),
        rights_looks(c),
        export_rules(c),
        exports(c),
        carried(c),
        readers(c),
        store_looks(c),
        store_lines(c),
        searches(c),
        passed(c),
    ]
}

fn trials(c: &Company) -> File {
    let mapping = format!(
        "key = \"Key\"\n[columns]\nlabel = \"Key\"\nidentity_provider = {{ constant = \"yes\" }}\nvalid_from = \"From\"\n\
         valid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "trials", "system", "Key,From,To", &mapping);
    for trial in &c.operations.trials {
        sheet.line(&[&trial.key, &At(trial.from), &End::At(trial.to)]);
    }
    sheet.done()
}

fn doors(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nsystem = \"System\"\npasswords = \"Passwords\"\nmin_length = \"Length\"\ntries = \"Tries\"\n\
         session_minutes = \"Session\"\nidle_minutes = \"Idle\"\nvalid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let header = "Id,System,Passwords,Length,Tries,Session,Idle,From,To";
    let mut sheet = Sheet::new(c, "sign_in_rules", "sign_in_rule", header, &mapping);
    let told = |number: i64| (number >= 0).then_some(number);
    for (number, rule) in (1..).zip(&c.operations.doors) {
        if rule.from <= c.clock.cutoff {
            let d = rule.demand;
            sheet.line(&[
                &format!("SR-{number}"),
                &rule.door,
                &d.passwords,
                &told(d.length),
                &told(d.tries),
                &told(d.session),
                &told(d.idle),
                &At(rule.from),
                &rule.to,
            ]);
        }
    }
    sheet.done()
}

fn ways(c: &Company) -> File {
    let mapping = format!(
        "key = \"Way\"\n[columns]\nlabel = \"Way\"\nfrom_network = {{ column = \"Starts\", kind = \"network\" }}\n\
         to_network = {{ column = \"Leads\", kind = \"network\" }}\nvalid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "ways", "network_path", "Way,Starts,Leads,From,To", &mapping);
    for way in c.operations.ways.iter().filter(|way| way.from <= c.clock.cutoff) {
        sheet.line(&[&way.key, &way.starts, &way.leads, &At(way.from), &way.to]);
    }
    sheet.done()
}

fn leaves(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\npath = {{ column = \"Way\", kind = \"network_path\" }}\nreason = \"Why\"\n\
         approved_by = {{ column = \"By\", system = \"idp\" }}\napproved_at = \"At\"\nvalid_from = \"From\"\n\
         valid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet =
        Sheet::new(c, "ways_allowed", "network_path_approval", "Id,Way,Why,By,At,From,To", &mapping);
    for way in &c.operations.ways {
        for (number, leave) in (1..).zip(&way.leaves) {
            if leave.at <= c.clock.cutoff {
                let id = format!("{}-{number}", way.key);
                let by = leave.by.map(|who| actor(c, who));
                sheet.line(&[
                    &id,
                    &way.key,
                    &leave.why,
                    &by,
                    &At(leave.at),
                    &At(leave.from),
                    &Agreed(leave.to),
                ]);
            }
        }
    }
    sheet.done()
}

fn samples(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nenvironment = { constant = \"test\" }\norigin = \"Origin\"\nmasked = \"Masked\"\n\
                   masked_at = \"When\"\nloaded_at = \"From\"\nremoved = \"Gone\"\nremoved_at = \"To\"\n";
    let mut sheet = Sheet::new(c, "test_data", "test_data", "Key,Origin,Masked,When,From,Gone,To", mapping);
    for sample in c.operations.samples_of_data.iter().filter(|s| s.from <= c.clock.cutoff) {
        let gone = super::operations::over(c, sample.to);
        sheet.line(&[
            &sample.key,
            &sample.origin,
            &sample.masked,
            &sample.masked_at.map(At),
            &At(sample.from),
            &gone.0,
            &gone.1,
        ]);
    }
    sheet.done()
}

fn agreements(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\ntest_data = {{ column = \"Key\", kind = \"test_data\" }}\ncustomers_agreed = \"All\"\nagreed_at = \"At\"\n\
         approved_by = {{ column = \"By\", system = \"idp\" }}\nvalid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let header = "Id,Key,All,At,By,From,To";
    let mut sheet = Sheet::new(c, "test_data_agreed", "live_data_agreement", header, &mapping);
    for sample in &c.operations.samples_of_data {
        for (number, agreed) in (1..).zip(&sample.agreements) {
            if agreed.at <= c.clock.cutoff {
                let id = format!("{}-{number}", sample.key);
                let by = agreed.by.map(|who| actor(c, who));
                let (at, from, to) = (At(agreed.at), At(agreed.from), Agreed(agreed.to));
                sheet.line(&[&id, &sample.key, &agreed.all, &at, &by, &from, &to]);
            }
        }
    }
    sheet.done()
}

fn apart(c: &Company) -> File {
    let mapping = "key = \"Pair\"\n[columns]\nlabel = \"Pair\"\nfirst_system = { column = \"System\", kind = \"system\" }\nfirst_role = \"Role\"\n\
                   second_system = { column = \"Other system\", kind = \"system\" }\nsecond_role = \"Other role\"\nvalid_from = \"From\"\n\
                   valid_to = { constant = \"forever\" }\n";
    let header = "Pair,System,Role,Other system,Other role,From";
    let mut sheet = Sheet::new(c, "duties", "duty_conflict", header, mapping);
    for pair in &c.operations.apart {
        let key = |(system, _): (usize, &'static str)| c.systems[system].key;
        sheet.line(&[
            &pair.key,
            &key(pair.one),
            &pair.one.1,
            &key(pair.other),
            &pair.other.1,
            &At(pair.from),
        ]);
    }
    sheet.done()
}

fn both(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nconflict = {{ column = \"Pair\", kind = \"duty_conflict\" }}\n\
         account = {{ column = \"Login\", system = {{ column = \"System\" }} }}\nreason = \"Why\"\n\
         approved_by = {{ column = \"By\", system = \"idp\" }}\napproved_at = \"At\"\nvalid_from = \"From\"\n\
         valid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let header = "Id,Pair,System,Login,Why,By,At,From,To";
    let mut sheet = Sheet::new(c, "duties_allowed", "duty_exception", header, &mapping);
    for (number, both) in (1..).zip(&c.operations.both) {
        if both.at <= c.clock.cutoff {
            let login = &c.logins[both.login];
            let system = c.systems[login.system].key;
            let by = both.by.map(|who| actor(c, who));
            sheet.line(&[
                &format!("B-{number}"),
                &both.pair,
                &system,
                &login.key,
                &both.why,
                &by,
                &At(both.at),
                &At(both.from),
                &Agreed(both.to),
            ]);
        }
    }
    sheet.done()
}

fn rights(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nkind = \"Kind\"\nkept_in = \"Kept\"\ncreated_at = \"From\"\nended = \"Over\"\nended_at = \"To\"\n";
    let mut sheet = Sheet::new(c, "release_rights", "release_right", "Key,Kind,Kept,From,Over,To", mapping);
    for right in &c.operations.rights {
        let kind = if right.channel { "channel" } else { "signing_key" };
        let (over, at) = super::operations::over(c, right.to);
        sheet.line(&[&right.key, &kind, &right.kept, &At(right.from), &over, &at]);
    }
    sheet.done()
}

fn hands(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nrelease_right = {{ column = \"Key\", kind = \"release_right\" }}\n\
         account = {{ column = \"Login\", system = {{ column = \"System\" }} }}\nvalid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet =
        Sheet::new(c, "release_hands", "release_right_holder", "Id,Key,System,Login,From,To", &mapping);
    for right in &c.operations.rights {
        for (number, hand) in (1..).zip(&right.hands) {
            let (system, login) = match hand.whose {
                Whose::Own(who) => ("idp", actor(c, who)),
                Whose::Login(login) => (c.systems[c.logins[login].system].key, c.logins[login].key.clone()),
                Whose::Untold => ("idp", String::new()),
            };
            if hand.from <= c.clock.cutoff {
                sheet.line(&[
                    &format!("{}-{number}", right.key),
                    &right.key,
                    &system,
                    &login,
                    &At(hand.from),
                    &hand.to,
                ]);
            }
        }
    }
    sheet.done()
}

fn rights_looks(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nrelease_right = { column = \"Key\", kind = \"release_right\" }\nreviewed_at = \"At\"\n\
                   reviewed_by = { column = \"By\", system = \"idp\" }\n";
    let mut sheet = Sheet::new(c, "release_looks", "release_right_review", "Id,Key,At,By", mapping);
    for right in &c.operations.rights {
        for (number, (at, who)) in (1..).zip(&right.looks) {
            if *at <= c.clock.cutoff {
                let by = who.map(|who| actor(c, who));
                sheet.line(&[&format!("{}-{number}", right.key), &right.key, &At(*at), &by]);
            }
        }
    }
    sheet.done()
}

fn export_rules(c: &Company) -> File {
    let mapping = format!(
        "key = \"Rule\"\n[columns]\nlabel = \"Rule\"\napproved_by = {{ column = \"By\", system = \"idp\" }}\napproved_at = \"At\"\n\
         valid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "export_rules", "export_rule", "Rule,By,At,From,To", &mapping);
    for rule in c.operations.export_rules.iter().filter(|rule| rule.from <= c.clock.cutoff) {
        let by = rule.by.map(|who| actor(c, who));
        sheet.line(&[&rule.key, &by, &At(rule.at), &At(rule.from), &rule.to]);
    }
    sheet.done()
}

fn exports(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nlabel = \"Id\"\nexported_at = \"At\"\nexported_by = { column = \"Who\", system = \"idp\" }\n\
                   let_out = \"Out\"\nallowed = \"Allowed\"\nrule = { column = \"Rule\", kind = \"export_rule\" }\njudged = \"Judged\"\n\
                   judged_at = \"When\"\njudged_by = { column = \"By\", system = \"idp\" }\nreason = \"Why\"\n";
    let header = "Id,At,Who,Out,Allowed,Rule,Judged,When,By,Why";
    let mut sheet = Sheet::new(c, "exports", "data_export", header, mapping);
    for export in c.operations.exports.iter().filter(|export| export.at <= c.clock.cutoff) {
        let judged = export.judged.filter(|(at, ..)| *at <= c.clock.cutoff);
        sheet.line(&[
            &export.key,
            &At(export.at),
            &actor(c, export.by),
            &export.let_out,
            &export.allowed,
            &export.rule,
            &judged.is_some(),
            &judged.map(|(at, ..)| At(at)),
            &judged.map(|(_, by, _)| actor(c, by)),
            &judged.map(|(.., why)| why),
        ]);
    }
    sheet.done()
}

fn carried(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nasset = {{ column = \"Key\", kind = \"data_asset\" }}\nencrypted = \"Encrypted\"\nwipeable = \"Wipeable\"\n\
         valid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let header = "Id,Key,Encrypted,Wipeable,From,To";
    let mut sheet = Sheet::new(c, "on_devices", "device_store_state", header, &mapping);
    for (number, carried) in (1..).zip(&c.operations.carried) {
        if carried.from <= c.clock.cutoff {
            let id = format!("OD-{number}");
            let (from, to) = (At(carried.from), carried.to);
            sheet.line(&[&id, &carried.asset, &carried.encrypted, &carried.wipeable, &from, &to]);
        }
    }
    sheet.done()
}

fn readers(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nasset = {{ column = \"Key\", kind = \"data_asset\" }}\naccount = {{ column = \"Login\", system = \"idp\" }}\n\
         valid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "readers", "store_reader", "Id,Key,Login,From,To", &mapping);
    for (number, reader) in (1..).zip(&c.operations.readers) {
        if reader.from <= c.clock.cutoff {
            let id = format!("RD{number:05}");
            sheet.line(&[&id, &reader.asset, &actor(c, reader.who), &At(reader.from), &reader.to]);
        }
    }
    sheet.done()
}

fn store_looks(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nasset = {{ column = \"Key\", kind = \"data_asset\" }}\nlisted_at = \"Listed\"\nopened_at = \"Opened\"\n\
         completed_at = {{ column = \"Completed\", {FOREVER} }}\n"
    );
    let mut sheet =
        Sheet::new(c, "store_reviews", "store_review", "Id,Key,Listed,Opened,Completed", &mapping);
    for look in c.operations.store_looks.iter().filter(|look| look.opened <= c.clock.cutoff) {
        let completed = End::At(look.completed);
        sheet.line(&[&look.key, &look.asset, &At(look.listed), &At(look.opened), &completed]);
    }
    sheet.done()
}

fn store_lines(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nreview = {{ column = \"Review\", kind = \"store_review\" }}\naccount = {{ column = \"Login\", system = \"idp\" }}\n\
         reviewer = {{ column = \"By\", system = \"idp\" }}\ndecision = \"Decision\"\ndecided_at = \"At\"\n\
         removed_at = {{ column = \"Removed\", {FOREVER} }}\n"
    );
    let header = "Id,Review,Login,By,Decision,At,Removed";
    let mut sheet = Sheet::new(c, "store_review_lines", "access_review_item", header, &mapping);
    for look in c.operations.store_looks.iter().filter(|look| look.opened <= c.clock.cutoff) {
        for (number, line) in (1..).zip(&look.lines) {
            // What was not decided by then is still open.
            let decision = if line.at > c.clock.cutoff { "undecided" } else { line.decision };
            let by = line.by.map(|who| actor(c, who));
            sheet.line(&[
                &format!("{}-{number}", look.key),
                &look.key,
                &actor(c, line.who),
                &by,
                &decision,
                &At(line.at),
                &line.removed,
            ]);
        }
    }
    sheet.done()
}

fn searches(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nrevision = \"Commit\"\nkind = \"What\"\n\
                   status = { column = \"Through\", words = { yes = \"completed\", no = \"failed\" } }\ncompleted_at = \"Ended\"\ngrave = \"Grave\"\n";
    let mut sheet =
        Sheet::new(c, "code_searches", "code_scan", "Id,Commit,What,Through,Ended,Grave", mapping);
    for (number, search) in (1..).zip(&c.operations.code_searches) {
        if search.at <= c.clock.cutoff {
            let grave = search.through.then_some(search.grave);
            sheet.line(&[
                &format!("CS{number:06}"),
                &search.commit,
                &search.what,
                &search.through,
                &At(search.at),
                &grave,
            ]);
        }
    }
    sheet.done()
}

fn passed(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nscan = { column = \"Search\", kind = \"code_scan\" }\ndecided_at = \"At\"\n\
                   decided_by = { column = \"By\", system = \"idp\" }\nreason = \"Why\"\n";
    let mut sheet = Sheet::new(c, "code_let_through", "code_scan_judgement", "Id,Search,At,By,Why", mapping);
    for (number, search) in (1..).zip(&c.operations.code_searches) {
        if let Some((at, by, why)) = search.passed
            && at <= c.clock.cutoff
        {
            let by = by.map(|who| actor(c, who));
            sheet.line(&[&format!("CD{number:06}"), &format!("CS{number:06}"), &At(at), &by, &why]);
        }
    }
    sheet.done()
}
