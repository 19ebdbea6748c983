//! `tickmark access`: who could do what on a date, from what files say.

use std::fs;

use serde_json::Value as Json;

use crate::support::Home;

const ACCOUNTS: &str = "\
System,Key,Email,Name,Kind,From,To
hr,E-1,ann@example.test,Ann Lee,human,2024-01-01T00:00:00Z,
hr,E-2,bob@example.test,Bob Ray,human,2024-01-01T00:00:00Z,
hub,100,ann@example.test,Ann Lee,human,2024-01-02T00:00:00Z,
hub,101,bob@example.test,Bob Ray,human,2024-01-02T00:00:00Z,
hub,102,,deploy,service,2024-01-02T00:00:00Z,
vault,ann-admin,ann@example.test,Ann Lee,human,2024-01-02T00:00:00Z,
vault,annl,ann.lee@elsewhere.test,Ann Lee,human,2024-01-02T00:00:00Z,
wiki,7,gus@partner.test,Gus Bay,guest,2024-01-02T00:00:00Z,
wiki,8,,glass,break_glass,2024-01-02T00:00:00Z,
";
const ACCOUNTS_MAP: &str = "table = \"account\"\nkey = \"Key\"\nscope = { column = \"System\" }\n[columns]\nsystem = \"System\"\n\
    kind = \"Kind\"\nvalid_from = \"From\"\nvalid_to = { column = \"To\", words = { \"\" = \"forever\" } }\n\
    [display]\nemail = \"Email\"\nname = \"Name\"\n";
const SYSTEMS: &str = "Key,Idp,From,To\nhub,no,2024-01-01T00:00:00Z,\nvault,no,2024-01-01T00:00:00Z,\n";
const SYSTEMS_MAP: &str = "table = \"system\"\nkey = \"Key\"\n[columns]\nlabel = \"Key\"\nidentity_provider = \"Idp\"\n\
    valid_from = \"From\"\nvalid_to = { column = \"To\", words = { \"\" = \"forever\" } }\n";
const GRANTS: &str = "\
Id,System,Account,Role,Admin,Via,Group,ApprovedBy,ApprovedAt,From,To
g1,hub,100,maintain,no,group,platform,E-2,2024-01-02T09:00:00Z,2024-01-02T10:00:00Z,open
g2,hub,101,admin,yes,direct,,,,2024-01-02T10:00:00Z,2025-03-04T12:00:00Z
g3,vault,ann-admin,root,yes,jit,REQ-7,E-2,2025-03-01T09:00:00Z,2025-03-01T10:00:00Z,2025-03-01T18:00:00Z
g4,vault,annl,read,no,direct,,,,2025-01-01T10:00:00Z,open
g5,hub,102,admin,yes,direct,,,,2024-01-02T10:00:00Z,
g6,wiki,7,read,no,direct,,,,2024-01-02T10:00:00Z,open
g7,wiki,8,owner,no,direct,,,,2024-01-02T10:00:00Z,open
";
const GRANTS_MAP: &str = "table = \"access_grant\"\nkey = \"Id\"\n[columns]\nsystem = \"System\"\n\
    account = { column = \"Account\", system = { column = \"System\" } }\nrole = \"Role\"\nprivileged = \"Admin\"\n\
    via = \"Via\"\nvia_label = \"Group\"\napproved_by = { column = \"ApprovedBy\", system = \"hr\" }\napproved_at = \"ApprovedAt\"\n\
    valid_from = \"From\"\nvalid_to = { column = \"To\", words = { open = \"forever\" } }\n";
const EMPLOYMENTS: &str = "\
Key,Account,Kind,From,To
1,E-1,employee,2024-01-01T00:00:00Z,
2,E-2,employee,2024-01-01T00:00:00Z,2025-03-01T17:00:00Z
";
const EMPLOYMENTS_MAP: &str = "table = \"employment\"\nkey = \"Key\"\n[columns]\nlabel = \"Key\"\nkind = \"Kind\"\n\
    account = { column = \"Account\", system = \"hr\" }\nstarted_at = \"From\"\n\
    ended_at = { column = \"To\", words = { \"\" = \"forever\" } }\n";
const REVIEWS: &str = "Key,System,At\nr1,hub,2025-02-01T10:00:00Z\n";
const REVIEWS_MAP: &str = "table = \"access_review\"\nkey = \"Key\"\n[columns]\nsystem = \"System\"\nlisted_at = \"At\"\nopened_at = \"At\"\ncompleted_at = \"At\"\n";
const DECISIONS: &str = "Key,Review,Account,Reviewer,Decision,At\n1,r1,100,E-2,keep,2025-02-01T09:00:00Z\n";
const DECISIONS_MAP: &str = "table = \"access_review_item\"\nkey = \"Key\"\n[columns]\nreview = { column = \"Review\", kind = \"access_review\" }\n\
    account = { column = \"Account\", system = \"hub\" }\nreviewer = { column = \"Reviewer\", system = \"hr\" }\n\
    decision = \"Decision\"\ndecided_at = \"At\"\n";

/// A company of two people, a service account, a login for emergencies, a guest and somebody who looks like one of them.
fn company() -> Home {
    let home = Home::new();
    for (name, rows, map) in [
        ("accounts", ACCOUNTS, ACCOUNTS_MAP),
        ("systems", SYSTEMS, SYSTEMS_MAP),
        ("grants", GRANTS, GRANTS_MAP),
        ("employments", EMPLOYMENTS, EMPLOYMENTS_MAP),
        ("reviews", REVIEWS, REVIEWS_MAP),
        ("decisions", DECISIONS, DECISIONS_MAP),
    ] {
        fs::write(home.path().join(format!("{name}.csv")), rows).unwrap();
        fs::write(home.path().join(format!("{name}.toml")), map).unwrap();
        home.does(&format!("import {name}.csv --map {name}.toml --yes"));
    }
    home
}

impl Home {
    #[track_caller]
    fn access(&self, asked: &str) -> Json {
        serde_json::from_str(&self.does(&format!("access {asked} --json"))).unwrap()
    }
}

/// Account, role and whether it held, of every grant.
fn held(access: &Json) -> Vec<(&str, &str, &str)> {
    let text = |grant: &'_ Json, field: &str| grant[field].as_str().unwrap_or("-").to_owned();
    access["grants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| (g["account"].as_str().unwrap(), g["role"].as_str().unwrap(), g["held"].as_str().unwrap()))
        .inspect(|(account, ..)| assert!(!account.is_empty(), "{}", text(access, "as_of")))
        .collect()
}

#[test]
fn a_person_has_the_access_of_all_their_accounts() {
    let home = company();
    let access = home.access("--who ann@example.test --as-of 2025-03-01");
    assert_eq!(
        held(&access),
        [("ann@example.test", "maintain", "yes"), ("ann@example.test", "root", "ended")],
        "what was held for a day had ended by its evening"
    );
    let grant = &access["grants"][0];
    assert_eq!((&grant["via"], &grant["via_label"]), (&"group".into(), &"platform".into()));
    assert_eq!(grant["approved_by"], "bob@example.test");
    assert_eq!(grant["approved_at"], "2024-01-02T09:00:00Z");
    assert_eq!(grant["reviewed"]["decision"], "keep");
    assert_eq!(grant.get("left"), None);
    // The same name at another address is no proof.
    assert_eq!(access["perhaps_also"][0]["person"], "ann.lee@elsewhere.test");
    let basis = access["perhaps_also"][0]["basis"].as_array().unwrap();
    assert!(basis.contains(&"same_name".into()), "{basis:?}");
}

#[test]
fn a_date_sees_what_held_then() {
    let home = company();
    // g3 lasted from 10:00 to 18:00; the day of New York ends at 05:00 UTC of the next.
    assert_eq!(held(&home.access("--who ann@example.test --as-of 2025-02-28")).len(), 1);
    assert_eq!(held(&home.access("--system hub --as-of 2023-12-31")), []);
    let hub = home.access("--system hub --as-of 2025-03-03");
    assert_eq!(
        held(&hub),
        [
            ("ann@example.test", "maintain", "yes"),
            ("bob@example.test", "admin", "yes"),
            ("deploy", "admin", "unknown"),
        ]
    );
    // Bob left on the first and kept his access until the fourth.
    assert_eq!(hub["grants"][1]["left"], "2025-03-01T17:00:00Z");
    assert_eq!(hub["grants"][1].get("approved_by"), None);
    assert_eq!(held(&home.access("--system hub --as-of 2025-03-04")).len(), 2);
    assert_eq!(hub["grants"][2]["kind"], "service");
}

#[test]
fn it_says_of_a_login_that_it_is_not_simply_a_person_of_the_company() {
    let home = company();
    let text = home.does("access --system wiki --as-of 2025-03-03");
    let line = |of: &str| text.lines().find(|line| line.contains(of)).unwrap_or_default().to_owned();
    assert!(line("gus@partner.test").contains("guest account"), "{text}");
    assert!(line("glass").contains("break glass account"), "{text}");
}

#[test]
fn a_review_after_the_date_is_none() {
    let home = company();
    let before = home.access("--system hub --as-of 2025-01-31");
    assert_eq!(before["grants"][0].get("reviewed"), None);
}

#[test]
fn a_role_is_found_in_every_system() {
    let home = company();
    assert_eq!(held(&home.access("--role admin --as-of 2025-03-03")).len(), 2);
    assert_eq!(held(&home.access("--role admin --system vault --as-of 2025-03-03")), []);
}

#[test]
fn what_was_known_before_is_told_as_it_was_known() {
    let home = company();
    // Accounts, systems: the grants came after them.
    assert_eq!(held(&home.access("--system hub --as-of 2025-03-03 --known-at 2")), []);
    home.refuses(
        "access --who ann@example.test --known-at 0",
        &["nobody is known as `ann@example.test` at ledger position 0"],
    );
}

#[test]
fn what_nobody_looked_at_is_said() {
    let home = company();
    let hub = home.access("--system hub --as-of 2025-03-03");
    assert!(hub["not_known"][0].as_str().unwrap().contains("who else had access to hub"), "{hub}");
    let said = home.does("access --who deploy --as-of 2025-03-03");
    assert!(said.contains("May have had access: nobody can say when it ended"), "{said}");
    home.refuses("access --who nobody@example.test", &["nobody is known as `nobody@example.test`"]);
    home.refuses("access --system hbu", &["no system is called `hbu`", "hub, vault"]);
    home.refuses("access --who ann@example.test --as-of 2999-01-01", &["has not come yet"]);
    assert_eq!(home.run(["access"]).code, Some(2));
}
