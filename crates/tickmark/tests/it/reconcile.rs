//! Reconciliations, end to end: a list that lost something on the way is found out by another source, and one that did not is
//! never called more than what is known of the two.

use serde_json::Value as Json;

use crate::support::Home;

const PERIOD: &str = "--from 2025-01-01 --to 2025-06-30 --cutoff 2025-08-15";

/// What landed and what was deployed, each commit five minutes after it landed.
struct Company(Home);

fn minutes(n: usize) -> String {
    let at = 1_738_400_000 + n as i64 * 600;
    let day = jiff::Timestamp::from_second(at).unwrap();
    format!("{day}")
}

impl Company {
    fn new(landed: impl Iterator<Item = usize>, deployed: impl Iterator<Item = usize>) -> Self {
        let company = Self(Home::new());
        company.0.does("init acme");
        let landings: String = landed.map(|n| format!("m{n},hub/app,{}\n", minutes(2 * n))).collect();
        company.import(
            "landings",
            &format!("Commit,Repository,Landed\n{landings}"),
            "table = \"change\"\nkey = \"Commit\"\nscope = { column = \"Repository\" }\n[columns]\n\
             repository = \"Repository\"\nrevision = \"Commit\"\nlabel = \"Commit\"\nmerged_at = \"Landed\"\n\
             landed_after = \"Landed\"\nparents = { constant = \"1\" }\nsigned = { constant = \"no\" }\n",
        );
        let deployments: String =
            deployed.map(|n| format!("x{n},hub/app,m{n},{}\n", minutes(2 * n + 1))).collect();
        company.import(
            "deployments",
            &format!("Id,Repository,Commit,Begun\n{deployments}"),
            "table = \"deployment\"\nkey = \"Id\"\n[columns]\nrepository = \"Repository\"\nlabel = \"Id\"\n\
             environment = { constant = \"prod\" }\nproduction = { constant = \"yes\" }\nrevision = \"Commit\"\n\
             deployed_at = \"Begun\"\nstatus = { constant = \"success\" }\n",
        );
        company
    }

    fn import(&self, name: &str, rows: &str, mapping: &str) {
        std::fs::write(self.0.path().join(format!("{name}.csv")), rows).unwrap();
        std::fs::write(self.0.path().join(format!("{name}.toml")), mapping).unwrap();
        self.does(&format!(
            "import {name}.csv --map {name}.toml --source {name} --yes --covers 2024-11-01..2025-08-15"
        ));
    }

    #[track_caller]
    fn does(&self, line: &str) -> String {
        self.0.does(&format!("--workspace acme {line}"))
    }

    #[track_caller]
    fn assessed(&self, control: &str) -> Vec<Json> {
        let report = self.does(&format!("assess --control {control} {PERIOD} --json"));
        let mut report: Json = serde_json::from_str(&report).unwrap();
        report["procedures"].as_array_mut().unwrap().drain(..).collect()
    }

    /// What is said of tickets of changes; nobody asked for anything else.
    #[track_caller]
    fn tickets(&self) -> Json {
        let [tickets]: [Json; 1] = self.assessed("CHG-01").try_into().unwrap();
        tickets
    }

    #[track_caller]
    fn frozen(&self, procedure: &str) -> Json {
        let frozen = self.does(&format!(
            "population freeze --procedure {procedure} {PERIOD} --by max --reason year --json"
        ));
        let mut frozen: Json = serde_json::from_str(&frozen).unwrap();
        frozen[0].take()
    }
}

/// What a population's check of that name says.
#[track_caller]
fn check<'a>(population: &'a Json, name: &str) -> (&'a str, &'a str) {
    let checks = population["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["check"] == name).unwrap();
    (check["outcome"].as_str().unwrap(), check["says"].as_str().unwrap())
}

#[test]
fn a_population_that_lost_2_000_of_7_000_changes_is_caught() {
    // Every seventh and every second seventh of them never arrived.
    let company = Company::new((0..7_000).filter(|n| n % 7 > 1), 0..7_000);
    let assessed = company.tickets();
    assert_eq!(assessed["population"], 5_000);
    assert_eq!(assessed["conclusion"], "cannot_conclude");
    let held_back = assessed["held_back_by"].to_string();
    let says = "its population is incomplete: `deployments_reconciled` lists 2000 of 7000 that are not in it";
    assert!(held_back.contains(says), "{held_back}");
    let frozen = company.frozen("change_ticket");
    let (outcome, says) = check(&frozen, "reconciliation");
    assert_eq!((frozen["count"].as_u64(), outcome), (Some(5_000), "failed"));
    assert_eq!(says, "`deployments_reconciled` lists 2000 of 7000 that are not in it");
    assert_eq!(frozen["conclusion"], "cannot_conclude");
    // Each of them is listed.
    let reconciled = company.assessed("GOV-09");
    let deployments = reconciled.iter().find(|p| p["id"] == "deployments_reconciled").unwrap();
    let lacking =
        deployments["items"].as_array().unwrap().iter().filter(|i| i["verdicts"]["a"] == "deviation");
    let lacking: Vec<&str> = lacking.map(|i| i["item"].as_str().unwrap()).collect();
    assert_eq!(lacking.len(), 2_000);
    assert!(lacking.contains(&"x0") && lacking.contains(&"x6994") && !lacking.contains(&"x2"));
}

#[test]
fn what_two_files_agree_on_is_complete_only_when_they_are_independent() {
    let company = Company::new(0..40, 0..40);
    let of = |company: &Company| company.tickets()["reconciled"][0].take();
    let reconciled = of(&company);
    assert_eq!(reconciled["matched"], 40);
    assert_eq!(reconciled["outcome"], "consistent");
    let why = "nobody says who makes `import:deployments`, how it is read and who can alter it";
    assert_eq!(reconciled["dependent"], serde_json::json!([why]));
    let origin = |key: &str, source: &str, issuer: &str, credential: &str, person: &str| {
        company.does(&format!(
            "record add source_origin key={key} source=import:{source} issuer={issuer} credential={credential} \
             altered_by={person} altered_by.system=idp --reason asked"
        ));
    };
    origin("1", "deployments", "cloud", "reader", "ann");
    origin("2", "landings", "hub", "deploy-key", "ann");
    let reconciled = of(&company);
    assert_eq!(reconciled["outcome"], "consistent");
    assert!(reconciled["dependent"].to_string().contains("have somebody who can alter both"), "{reconciled}");
    origin("2", "landings", "hub", "deploy-key", "bob");
    let reconciled = of(&company);
    assert_eq!(
        (&reconciled["outcome"], reconciled.get("dependent")),
        (&Json::from("complete"), Some(&serde_json::json!([])))
    );
    assert_eq!(check(&company.frozen("change_ticket"), "reconciliation").0, "passed");
    // Somebody else who can alter both.
    origin("3", "deployments", "cloud", "reader", "bob");
    assert_eq!(of(&company)["outcome"], "consistent");
    origin("3", "deployments", "hub", "reader", "cid");
    assert!(of(&company)["dependent"].to_string().contains("one issuer, hub"));
    origin("3", "deployments", "cloud", "deploy-key", "cid");
    assert!(of(&company)["dependent"].to_string().contains("one credential, deploy-key"));
}

#[test]
fn one_file_says_nothing_of_another_that_is_not_there() {
    let company = Company(Home::new());
    company.0.does("init acme");
    company.import(
        "tickets",
        "Key,Created\nOPS-1,2025-03-01T10:00:00Z\n",
        "table = \"ticket\"\nkey = \"Key\"\n[columns]\nlabel = \"Key\"\ncreated_at = \"Created\"\n",
    );
    let assessed = company.tickets();
    assert!(assessed.get("reconciled").is_none(), "{assessed}");
    let frozen = company.frozen("change_ticket");
    assert_eq!(check(&frozen, "reconciliation"), ("unknown", "no other source was held against it"));
}

#[test]
fn a_file_with_fewer_rows_than_its_source_counts_is_refused() {
    let company = Company(Home::new());
    company.0.does("init acme");
    let mapping = "table = \"ticket\"\nkey = \"Key\"\n[columns]\nlabel = \"Key\"\ncreated_at = \"Created\"\n";
    std::fs::write(company.0.path().join("tickets.toml"), mapping).unwrap();
    let rows = "Key,Created\nOPS-1,2025-03-01T10:00:00Z\nOPS-2,2025-03-02T10:00:00Z\n";
    std::fs::write(company.0.path().join("tickets.csv"), rows).unwrap();
    let import =
        "--workspace acme import tickets.csv --map tickets.toml --yes --covers 2025-01-01..2025-06-30";
    for count in [1, 3] {
        let says = format!("the source counts {count} rows, and");
        company.0.refuses(&format!("{import} --count {count}"), &[&says, "has 2", "export it again"]);
    }
    let known = || {
        let asked = ["--workspace", "acme", "query", "SELECT count(*) AS n FROM ticket t", "--format", "csv"];
        company.0.run(asked).succeeded().trim().to_owned()
    };
    assert_eq!(known(), "n\n0");
    company.0.does(&format!("{import} --count 2"));
    assert_eq!(known(), "n\n2");
}
