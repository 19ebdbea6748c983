//! `tickmark flows`: the graph, the sub-processors that follow from it, and what nobody says.

use std::fs;

use serde_json::Value as Json;

use crate::support::{Home, assessment};

const SYSTEMS: &str = "Key,Name\napp,Shop\ndb,Database\nwiki,Wiki\n";
const SYSTEMS_MAP: &str = "table = \"system\"\nkey = \"Key\"\n[columns]\nlabel = \"Name\"\n\
    identity_provider = { constant = \"no\" }\nvalid_from = { constant = \"beginning\" }\nvalid_to = { constant = \"forever\" }\n";
const VENDORS: &str = "Key,Name\nmail,Mailer\nlogs,Logger\nrelay,Relay\n";
const VENDORS_MAP: &str = "table = \"vendor\"\nkey = \"Key\"\n[columns]\nlabel = \"Name\"\n";
const FLOWS: &str = "\
Key,FromKind,From,ToKind,To,Class,Purpose,Country,Since,Until
f1,outside,customers,system,app,customer,the shop,DE,2025-01-01T00:00:00Z,open
f2,system,app,system,db,customer,storage,DE,2025-01-01T00:00:00Z,open
f3,system,app,vendor,mail,personal,receipts,US,2025-01-01T00:00:00Z,open
f4,vendor,mail,vendor,relay,personal,delivery,,2025-01-01T00:00:00Z,open
f5,system,app,vendor,logs,internal,logs,IE,2025-01-01T00:00:00Z,open
f6,system,db,vendor,ghost,,backup,,2025-01-01T00:00:00Z,2025-07-01T00:00:00Z
";
const FLOWS_MAP: &str = "table = \"data_flow\"\nkey = \"Key\"\n[columns]\n\
    data_class = \"Class\"\npurpose = \"Purpose\"\ncountry = \"Country\"\nstarts_at = \"Since\"\n\
    ends_at = { column = \"Until\", words = { open = \"forever\" } }\n";

/// A company of three systems and three vendors. The kind of an end is the mapping's: one file for each pair of kinds.
fn company() -> Home {
    let home = Home::new();
    let import = |name: &str, rows: &str, map: &str| {
        fs::write(home.path().join(format!("{name}.csv")), rows).unwrap();
        fs::write(home.path().join(format!("{name}.toml")), map).unwrap();
        home.does(&format!("import {name}.csv --map {name}.toml --yes"));
    };
    import("systems", SYSTEMS, SYSTEMS_MAP);
    import("vendors", VENDORS, VENDORS_MAP);
    let (header, lines) = FLOWS.split_once('\n').unwrap();
    for (from, to) in
        [("outside", "system"), ("system", "system"), ("system", "vendor"), ("vendor", "vendor")]
    {
        let mut rows = format!("{header}\n");
        for line in lines.lines() {
            let cells: Vec<&str> = line.split(',').collect();
            if (cells[1], cells[3]) == (from, to) {
                rows.push_str(&format!("{line}\n"));
            }
        }
        let ends = format!(
            "source = {{ column = \"From\", kind = \"{from}\" }}\ntarget = {{ column = \"To\", kind = \"{to}\" }}\n"
        );
        import(&format!("{from}-{to}"), &rows, &format!("{FLOWS_MAP}{ends}"));
    }
    home
}

impl Home {
    #[track_caller]
    fn flows(&self, asked: &str) -> Json {
        serde_json::from_str(&self.does(&format!("flows --json {asked}"))).unwrap()
    }
}

/// Sub-processors, as `Mailer: Shop Mailer`, with a question mark where it is not certain.
fn sub_processors(flows: &Json) -> Vec<String> {
    let words = |list: &Json| -> String {
        list.as_array().unwrap().iter().map(|w| w.as_str().unwrap()).collect::<Vec<_>>().join(" > ")
    };
    let all = flows["sub_processors"].as_array().unwrap();
    all.iter()
        .map(|s| format!("{}{}", words(&s["path"]), if s["certain"] == true { "" } else { "?" }))
        .collect()
}

#[test]
fn sub_processors_follow_from_the_flows() {
    let home = company();
    let flows = home.flows("--as-of 2025-03-01");
    assert_eq!(flows["flows"].as_array().unwrap().len(), 6);
    assert_eq!(sub_processors(&flows), ["Database > ghost?", "Shop > Mailer", "Shop > Mailer > Relay"]);
    assert_eq!(flows["sub_processors"][2]["through"][0], "Mailer");
    // In July the backup goes there no more.
    assert_eq!(sub_processors(&home.flows("--as-of 2025-07-01")), ["Shop > Mailer", "Shop > Mailer > Relay"]);
    assert_eq!(sub_processors(&home.flows("--as-of 2024-12-31")), Vec::<String>::new());
    let said = home.does("flows --as-of 2025-03-01");
    assert!(said.contains("Relay   personal                    through Mailer  delivery"), "{said}");
}

#[test]
fn what_nobody_says_is_said() {
    let home = company();
    let flows = home.flows("--as-of 2025-03-01");
    let not_known: Vec<&str> =
        flows["not_known"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
    assert_eq!(
        not_known,
        [
            "what class of data goes from Database to ghost",
            "what `ghost` is: no vendor of the register (`vendor`)",
            "whether data goes to or from `wiki`: no flow names it",
            "in which country ghost keeps the data",
            "in which country Relay keeps the data",
        ]
    );
    let empty = Home::new();
    assert!(empty.does("flows").contains("no flow is known at that time"));
}

#[test]
fn the_graph_is_drawn() {
    let home = company();
    let dot = home.does("flows --as-of 2025-03-01 --dot");
    assert!(dot.starts_with("digraph flows {\n") && dot.ends_with("}\n"), "{dot}");
    assert!(dot.contains("\"system:app\" -> \"vendor:mail\" [label=\"personal\", style=bold];"), "{dot}");
    assert!(dot.contains("\"system:db\" -> \"vendor:ghost\" [label=\"not known\", style=dashed];"), "{dot}");
}

#[test]
fn what_was_known_before_has_no_flow() {
    let home = company();
    assert_eq!(home.flows("--as-of 2025-03-01 --known-at 2")["flows"], Json::Array(vec![]));
}

#[test]
fn a_vendor_that_is_left_out_and_receives_data_is_raised() {
    let home = company();
    home.does(
        "record add account key=E-1 key.scope=hr system=hr kind=human valid_from=2024-01-01T00:00:00Z --reason r",
    );
    home.does(
        "scope exclude vendor mail --from 2025-01-01 --approved-at 2025-01-01 --reason small --approved-by E-1 --yes",
    );
    let report = assessment(&home.does("assess --from 2025-01-01 --to 2025-06-30 --json"));
    let raised = &report["scope"]["raised"][0];
    assert_eq!(
        (&raised["subject"], &raised["why"]),
        (&"mail".into(), &"it is out of scope, and receives personal data".into())
    );
    // Of a time before there was a flow, nothing is said.
    let before = assessment(&home.does("assess --from 2024-01-01 --to 2024-06-30 --json"));
    assert_eq!(before["scope"].get("raised"), None);
}
