//! `tickmark person`: who is who by decision, and what follows from it elsewhere.

use std::fs;

use serde_json::Value as Json;

use crate::support::{Home, Repo, verdicts};

const ACCOUNTS: &str = "\
System,Key,Email,Name,Number,From
hr,E-1,ann@example.test,Ann Lee,E-1,2024-01-01T00:00:00Z
hr,E-2,bob@example.test,Bob Ray,E-2,2024-01-01T00:00:00Z
hub,100,ann@example.test,Ann Lee,,2024-01-02T00:00:00Z
idp,u-7,,Ray,E-2,2024-01-02T00:00:00Z
vault,annl,ann.lee@elsewhere.test,Ann Lee,,2024-01-02T00:00:00Z
hub,pump,,pump,,2024-01-02T00:00:00Z
";
const MAP: &str = "table = \"account\"\nkey = \"Key\"\nscope = { column = \"System\" }\n[columns]\nsystem = \"System\"\n\
    kind = { constant = \"human\" }\nvalid_from = \"From\"\nvalid_to = { constant = \"forever\" }\n\
    [display]\nemail = \"Email\"\nname = \"Name\"\nemployee_number = \"Number\"\n";
const WHY: &str = "--reason asked --by boss";

impl Home {
    fn brings(&self, name: &str, rows: &str, map: &str) {
        fs::write(self.path().join(format!("{name}.csv")), rows).unwrap();
        fs::write(self.path().join(format!("{name}.toml")), map).unwrap();
        self.does(&format!("import {name}.csv --map {name}.toml --yes"));
    }

    /// The accounts of who is called so, with the basis of each, one person in brackets.
    #[track_caller]
    fn person(&self, asked: &str) -> String {
        let people: Json = serde_json::from_str(&self.does(&format!("person show {asked} --json"))).unwrap();
        let text = |value: &Json, name: &str| value[name].as_str().unwrap().to_owned();
        let of = |person: &Json| {
            let accounts = person["accounts"].as_array().unwrap().iter();
            let accounts: Vec<String> = accounts
                .map(|a| match (&text(a, "valid_from")[..4], &text(a, "valid_to")[..4]) {
                    ("0001", "9999") => format!("{} {}", text(a, "account"), text(a, "basis")),
                    _ => format!(
                        "{} {} {}..{}",
                        text(a, "account"),
                        text(a, "basis"),
                        &text(a, "valid_from")[..10],
                        &text(a, "valid_to")[..10]
                    ),
                })
                .collect();
            format!("[{}]", accounts.join(", "))
        };
        people.as_array().unwrap().iter().map(of).collect::<Vec<_>>().join(" ")
    }
}

fn company() -> Home {
    let home = Home::new();
    home.brings("accounts", ACCOUNTS, MAP);
    home
}

#[test]
fn a_decision_holds_from_the_entry_on_in_which_it_stands() {
    let home = company();
    assert_eq!(home.person("ann@example.test"), "[hr:E-1 own_account, hub:100 same_email]");
    assert_eq!(home.person("idp:u-7"), "[hr:E-2 own_account, idp:u-7 employee_number]");
    let said = home.does(&format!("person merge hub:100 vault:annl {WHY}"));
    assert!(said.contains("are one person; that stands in ledger entry 2"), "{said}");
    assert_eq!(
        home.person("ann@example.test"),
        "[hr:E-1 own_account, hub:100 same_email, vault:annl decision]"
    );
    assert_eq!(home.person("ann@example.test --known-at 2"), "[hr:E-1 own_account, hub:100 same_email]");
    let shown = home.does("person show ann@example.test");
    assert!(shown.contains("by boss") && shown.contains("; asked"), "{shown}");
    let again = home.does(&format!("person merge ann@example.test vault:annl {WHY}"));
    assert!(again.contains("nothing was appended"), "{again}");
    assert_eq!(home.entries(), 3);
    assert!(home.does("rebuild --diff").contains("every row is as it was"));
}

#[test]
fn what_was_split_stays_split_whatever_comes_next() {
    let home = company();
    home.does(&format!("person split hub:100 {WHY}"));
    assert_eq!(home.person("hr:E-1"), "[hr:E-1 own_account]");
    assert_eq!(home.person("hub:100"), "[hub:100 decision]");
    // The address comes again, of this account and of another.
    let more = "System,Key,Email,Name,Number,From\n\
        hub,100,ann@example.test,Ann Lee,E-9,2024-01-02T00:00:00Z\nwiki,1,ann@example.test,Ann Lee,,2024-01-02T00:00:00Z\n";
    home.brings("more", more, MAP);
    assert_eq!(home.person("hr:E-1"), "[hr:E-1 own_account, wiki:1 same_email]");
    assert_eq!(home.person("hub:100"), "[hub:100 decision]");
    // And together again.
    home.does(&format!("person merge hub:100 hr:E-1 {WHY}"));
    assert_eq!(home.person("hub:100"), "[hr:E-1 own_account, hub:100 decision, wiki:1 same_email]");
    assert!(home.does("rebuild --diff").contains("every row is as it was"));
}

#[test]
fn a_login_that_is_given_to_another_is_held_by_each_in_their_time() {
    let home = company();
    home.does(&format!("person merge hub:pump hr:E-1 --to 2024-06-30 {WHY}"));
    home.does(&format!("person merge hub:pump hr:E-2 --from 2024-07-01 {WHY}"));
    let ann = home.person("hr:E-1");
    assert!(ann.contains("hub:pump decision 0001-01-01..2024-07-01"), "{ann}");
    let bob = home.person("hr:E-2");
    assert!(bob.contains("hub:pump decision 2024-07-01..9999-12-31"), "{bob}");
    // In May it was nobody else's; held by both, it is nobody's.
    home.does(&format!("person merge hub:pump hr:E-2 --from 2024-05-01 --to 2024-05-31 {WHY}"));
    let bob = home.person("hr:E-2");
    assert!(!bob.contains("2024-05-01..2024-06-01"), "{bob}");
    home.refuses(&format!("person merge hub:100 hr:E-2 --from 2024-07-01 {WHY}"), &["person split hub:100"]);
    home.refuses(&format!("person merge hub:pump hr:E-2 --from 2024-07-01 --to 2024-06-01 {WHY}"), &["swap"]);
    // Merged for all time it is nobody else's for a while, unless it is split off first.
    home.does(&format!("person merge idp:u-7 vault:annl {WHY}"));
    home.refuses(
        &format!("person merge vault:annl hr:E-1 --from 2024-07-01 {WHY}"),
        &["person split vault:annl"],
    );
    assert!(home.does("rebuild --diff").contains("every row is as it was"));
}

#[test]
fn two_who_look_alike_are_listed_until_somebody_decides() {
    let home = company();
    let alike = home.does("person alike");
    assert!(alike.contains("vault:annl"), "{alike}");
    home.run(["person", "apart", "ann@example.test", "vault:annl", "--reason", "asked", "--by", " "])
        .refused(&["somebody has to answer for it"]);
    home.does(&format!("person apart ann@example.test vault:annl {WHY}"));
    let alike = home.does("person alike");
    assert!(!alike.contains("vault:annl"), "{alike}");
    assert!(home.does("person alike --known-at 2").contains("vault:annl"));
    home.refuses(&format!("person apart hr:E-1 hub:100 {WHY}"), &["count as one person", "person split"]);
    home.run(["person", "show", "Nobody At All"]).refused(&["nobody is known as"]);
    home.run(["person", "merge", "Ann Lee", "bob@example.test", "--reason", "x", "--by", "y"])
        .refused(&["may be 2 people", "SYSTEM:KEY"]);
    home.refuses("record add person_decision key=1 decision=own --reason x", &["tickmark person"]);
}

#[test]
fn a_map_of_addresses_makes_two_accounts_one_person() {
    let home = company();
    home.brings(
        "mails",
        "Old,New\npump,100\n",
        "table = \"mail_map\"\nkey = \"Old\"\n[columns]\naccount = { column = \"Old\", system = \"hub\" }\n\
         other_account = { column = \"New\", system = \"hub\" }\n",
    );
    assert!(home.person("hub:pump").contains("hub:pump mail_map"));
    // Corrected: it was another's.
    home.brings(
        "mails",
        "Old,New\npump,u-7\n",
        "table = \"mail_map\"\nkey = \"Old\"\n[columns]\naccount = { column = \"Old\", system = \"hub\" }\n\
         other_account = { column = \"New\", system = \"idp\" }\n",
    );
    assert_eq!(home.person("hub:pump"), "[hr:E-2 own_account, idp:u-7 employee_number, hub:pump mail_map]");
    assert!(home.does("rebuild --diff").contains("every row is as it was"));
}

#[test]
fn a_reviewer_who_turns_out_to_be_the_author_never_passes() {
    let (home, repository) = (Home::new(), Repo::new());
    let message = "oil the pump\n\nReviewed-on: https://review.example.test/1\n\
                   Reviewed-by: Dee Fox <dee@elsewhere.test>";
    let change = repository.commit(message, "2025-01-09T10:00:00Z", crate::support::ANN);
    let verdict = |home: &Home| verdicts(&home.january(&repository), "change_independent_review", &change);
    let before = verdict(&home);
    assert!(before.starts_with("a pass"), "{before}");
    home.does(&format!("person merge git:ann@example.test git:dee@elsewhere.test {WHY}"));
    let after = verdict(&home);
    assert!(after.starts_with("a deviation"), "{after}");
    home.does(&format!("person split git:dee@elsewhere.test {WHY}"));
    assert_eq!(verdict(&home), before);
}
