//! `tickmark member` and `tickmark token`: who gets in, decided at the machine.

use serde_json::Value as Json;

use crate::support::Home;

const WHY: &str = "--by root --reason asked";

fn listed(home: &Home, line: &str) -> Vec<Json> {
    let printed: Json = serde_json::from_str(&home.does(line)).unwrap();
    printed.as_array().unwrap().clone()
}

#[test]
fn inviting_giving_taking_and_removing() {
    let home = Home::new();
    assert!(home.does("member list").contains("nobody is a member yet"));
    let said = home
        .run(["member", "invite", "ann@example.test", "--name", "Ann Lee", "--role", "owner"].iter().chain(
            &["--role", "control_owner", "--called", "ann", "--by", "root", "--reason", "the first one"],
        ))
        .succeeded();
    let path = said.lines().last().unwrap();
    let secret = path.strip_prefix("/join/").unwrap();
    assert_eq!(secret.len(), 43, "256 bits: {path}");
    assert!(said.contains("invited `ann@example.test` as member 1"), "{said}");

    home.does(&format!("member invite bob@example.test --name Bob --role engineer {WHY}"));
    home.does(&format!("member role BOB@example.test --give reviewer {WHY}"));
    home.does(&format!("member role 2 --take engineer {WHY}"));
    let all = listed(&home, "member list --json");
    let roles = |member: &Json| {
        let roles = member["roles"].as_array().unwrap().iter();
        roles.map(|r| r["role"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(roles(&all[0]), ["owner", "control_owner"]);
    assert_eq!(roles(&all[1]), ["reviewer"]);
    assert_eq!((&all[0]["called"], &all[1]["called"]), (&"ann".into(), &"member-2".into()));
    assert_eq!((&all[0]["standing"], &all[1]["standing"]), (&"invited".into(), &"invited".into()));

    let aud = format!("member invite aud@example.test --name Aud --role auditor {WHY}");
    home.refuses(&aud, &["an auditor examines one engagement", "name it"]);
    home.does(&format!("{aud} --engagement 2026"));
    assert!(home.does("member list").contains("auditor of 2026"));
    home.refuses(&format!("member role aud@example.test --give owner {WHY}"), &["never the same member"]);
    home.refuses(
        &format!("member role ann --give boss {WHY}"),
        &["there is no role `boss`", "programme_manager"],
    );
    home.refuses(&format!("member remove eve {WHY}"), &["nobody here is called `eve`"]);
}

#[test]
fn what_was_decided_is_told_and_holds() {
    let home = Home::new();
    home.does(&format!("member invite bob@example.test --name Bob --role engineer {WHY}"));
    let first = home.does(&format!("member reset-login bob@example.test {WHY}"));
    let second = home.does(&format!("member reset-login bob@example.test {WHY}"));
    assert_ne!(first.lines().last(), second.lines().last());
    home.does(&format!("member remove bob@example.test {WHY}"));
    let told = home.does("member list --decisions");
    let told: Vec<&str> = told.lines().collect();
    assert_eq!(told.len(), 4);
    assert!(
        told[0].contains("by root, at the machine: invited bob@example.test as member 1: engineer; asked")
    );
    // There was no login yet that the glass would have protected.
    assert!(told[1].contains("the login of member 1 was reset") && !told[1].contains("BREAK GLASS"));
    assert!(told[3].contains("member 1 was removed"));
    assert_eq!(listed(&home, "member list --decisions --json").len(), 4);
    assert!(home.does("member list").contains("removed"));
    home.holds();
    home.does("rebuild --diff");
    // Nobody gets the number again, and whoever comes back is somebody new.
    let again = home.does(&format!("member invite bob@example.test --name Bob --role engineer {WHY}"));
    assert!(again.contains("as member 2"), "{again}");
}

#[test]
fn tokens_are_for_members_who_came() {
    let home = Home::new();
    home.does(&format!("member invite bob@example.test --name Bob --role engineer {WHY}"));
    assert!(home.does("token list").contains("there are no tokens"));
    let issue = "token issue --member bob@example.test --name ci --expires 2027-01-31";
    home.refuses(&format!("{issue} --scope read:results {WHY}"), &["has not come in yet"]);
    home.refuses(&format!("token revoke 00 {WHY}"), &["there is no token `00`", "tickmark token list"]);
    let wrong = home.run(format!("{issue} --scope see:all {WHY}").split_whitespace());
    assert_eq!(wrong.code, Some(2), "{}", wrong.err);
    assert!(
        wrong.err.contains("there is no action `see`; there are read, enter, decide, manage"),
        "{}",
        wrong.err
    );
}
