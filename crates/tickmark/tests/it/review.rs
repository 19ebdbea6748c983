//! `tickmark review`: a campaign over grants from files, from the frozen list to what became of it.

use std::fs;

use serde_json::Value as Json;

use crate::support::Home;

const ACCOUNTS: &str = "\
System,Key,Email,Kind,From,To
hub,100,ann@example.test,human,2024-01-02T00:00:00Z,
hub,101,bob@example.test,human,2024-01-02T00:00:00Z,
hub,102,,service,2024-01-02T00:00:00Z,
hr,E-3,cy@example.test,human,2024-01-02T00:00:00Z,
";
const ACCOUNTS_MAP: &str = "table = \"account\"\nkey = \"Key\"\nscope = { column = \"System\" }\n[columns]\nsystem = \"System\"\n\
    kind = \"Kind\"\nvalid_from = \"From\"\nvalid_to = { column = \"To\", words = { \"\" = \"forever\" } }\n[display]\nemail = \"Email\"\n";
const SYSTEMS: &str = "Key,Idp,From\nhub,no,2024-01-01T00:00:00Z\n";
const SYSTEMS_MAP: &str = "table = \"system\"\nkey = \"Key\"\n[columns]\nlabel = \"Key\"\nidentity_provider = \"Idp\"\n\
    valid_from = \"From\"\nvalid_to = { constant = \"forever\" }\n";
const GRANTS: &str = "\
Id,System,Account,Role,Admin,From,To
g1,hub,100,write,no,2024-01-02T10:00:00Z,
g2,hub,101,admin,yes,2024-01-02T10:00:00Z,
g3,hub,102,read,no,2024-01-02T10:00:00Z,
";
const GRANTS_MAP: &str = "table = \"access_grant\"\nkey = \"Id\"\n[columns]\nsystem = \"System\"\n\
    account = { column = \"Account\", system = { column = \"System\" } }\nrole = \"Role\"\nprivileged = \"Admin\"\n\
    valid_from = \"From\"\nvalid_to = { column = \"To\", words = { \"\" = \"forever\" } }\n";

fn company() -> Home {
    let home = Home::new();
    for (name, rows, map) in [
        ("accounts", ACCOUNTS, ACCOUNTS_MAP),
        ("systems", SYSTEMS, SYSTEMS_MAP),
        ("grants", GRANTS, GRANTS_MAP),
    ] {
        fs::write(home.path().join(format!("{name}.csv")), rows).unwrap();
        fs::write(home.path().join(format!("{name}.toml")), map).unwrap();
        home.does(&format!(
            "import {name}.csv --map {name}.toml --yes --covers 2024-01-01T00:00:00Z..2026-01-01T00:00:00Z"
        ));
    }
    home
}

const OPEN: [&str; 12] = [
    "review",
    "open",
    "--system",
    "hub",
    "--reviewer",
    "bob@example.test",
    "--due",
    "2999-01-31",
    "--reason",
    "first quarter",
    "--by",
    "pm",
];

impl Home {
    #[track_caller]
    fn review(&self, asked: &str) -> Json {
        serde_json::from_str(&self.does(&format!("review {asked} --json"))).unwrap()
    }

    #[track_caller]
    fn opened(&self) -> String {
        let said: Json = serde_json::from_str(&self.run(OPEN.iter().chain(&["--json"])).succeeded()).unwrap();
        said["review"].as_str().unwrap().to_owned()
    }

    /// The mark of the line of a role, as it is shown now.
    #[track_caller]
    fn mark(&self, review: &str, role: &str) -> String {
        let shown = self.review(&format!("show {review}"));
        let line = shown["lines"].as_array().unwrap().iter().find(|l| l["role"] == role).unwrap().clone();
        line["mark"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn decides(&self, review: &str, role: &str, decision: &str, by: &str) -> String {
        let mark = self.mark(review, role);
        self.does(&format!("review decide {review} {mark} --decision {decision} --reason agreed --by {by}"))
    }
}

#[test]
fn a_review_goes_from_a_frozen_list_to_what_became_of_it() {
    let home = company();
    let review = home.opened();
    let shown = home.review(&format!("show {review}"));
    let lines = shown["lines"].as_array().unwrap();
    let of = |role: &str| lines.iter().find(|l| l["role"] == role).unwrap();
    assert_eq!(of("admin")["flags"], serde_json::json!(["privileged"]));
    assert_eq!(of("admin").get("reviewer"), None);
    assert!(of("admin")["unassigned"].as_str().unwrap().contains("it is their own access"));
    assert_eq!(of("write")["reviewer"], "bob@example.test");
    assert!(shown["not_known"][0].as_str().unwrap().contains("who else has access to hub"), "{shown}");

    home.refuses(&format!("review complete {review} --by pm"), &["3 lines are not decided yet"]);
    let admin = home.mark(&review, "admin");
    home.refuses(
        &format!("review decide {review} {admin} --decision keep --reason mine --by bob@example.test"),
        &["was given to nobody"],
    );
    home.does(&format!("review delegate {review} {admin} --to cy@example.test --reason own --by pm"));
    home.decides(&review, "write", "revoke", "bob@example.test");
    home.decides(&review, "read", "keep", "bob@example.test");
    home.refuses(
        &format!("review decide {review} {admin} --decision keep --reason fine --by cy@example.test"),
        &["handed to cy@example.test by pm", "which you had not seen"],
    );
    let mine = home.review(&format!("show {review} --mine cy@example.test"));
    assert_eq!(mine["lines"].as_array().unwrap().len(), 1);
    assert!(home.decides(&review, "admin", "keep", "cy@example.test").contains("0 of 3 lines left"));
    assert!(
        home.does(&format!("review complete {review} --by pm"))
            .contains(&format!("next: tickmark review verify {review}"))
    );
    home.refuses(&format!("review complete {review} --by pm"), &["was completed at"]);

    // The last look at the grants was before the decision.
    let looked = home.review(&format!("verify {review}"));
    assert_eq!(looked["lines"][0][1]["because"], "nobody has looked since it was decided", "{looked}");
    // The rows say the same: of what nobody looked at again it is unknown whether it is gone.
    let sql = "SELECT i.decision AS decision, i.removed_at AS removed_at FROM access_review_item i ORDER BY i.decision NULLS LAST";
    let rows: Json = serde_json::from_str(&home.run(["query", sql, "--format", "json"]).succeeded()).unwrap();
    let decisions: Vec<&str> =
        rows.as_array().unwrap().iter().map(|r| r["decision"].as_str().unwrap()).collect();
    assert_eq!(decisions, ["keep", "keep", "revoke"]);
    assert_eq!(rows[2]["removed_at"], Json::Null);
}

#[test]
fn what_was_decided_can_be_built_again_from_the_ledger() {
    let home = company();
    let review = home.opened();
    home.decides(&review, "write", "keep", "bob@example.test");
    assert!(home.does("rebuild --diff").contains("every row is as it was"));
    home.holds();
    let list = home.does("review list");
    assert!(list.contains(&review) && list.contains("2 of 3") && list.contains("open"), "{list}");
    home.refuses("review show AR-999", &["there is no review `AR-999`", &review]);
}
