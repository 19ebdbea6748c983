//! `tickmark mcp`: a real exchange over standard input and output, with a server that holds the workspace.

use std::io::Write as _;
use std::process::Stdio;
use std::time::SystemTime;

use hmac::{Hmac, KeyInit as _, Mac as _};
use model::Instant;
use serde_json::{Value as Json, json};

use crate::support::Home;
use crate::web::Served;

const EMAIL: &str = "own@example.test";
const SERVE: [&str; 5] = ["--workspace", "company", "serve", "--listen", "127.0.0.1:0"];

fn now_ms() -> i64 {
    i64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
}

/// RFC 6238: thirty seconds, six digits, SHA-1.
fn totp(base32: &str) -> String {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bits = String::new();
    for letter in base32.chars().filter(|c| c.is_ascii_alphanumeric()) {
        bits.push_str(&format!("{:05b}", letters.find(letter).unwrap()));
    }
    let byte = |b: &[u8]| u8::from_str_radix(std::str::from_utf8(b).unwrap(), 2).unwrap();
    let key: Vec<u8> = bits.as_bytes().chunks_exact(8).map(byte).collect();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&key).unwrap();
    mac.update(&u64::try_from(now_ms() / 30_000).unwrap().to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let four: [u8; 4] = hash[at..at + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let from = text.find(before).unwrap_or_else(|| panic!("no {before} in {text}")) + before.len();
    &text[from..from + text[from..].find(after).unwrap()]
}

/// The first owner comes in, as a browser would bring them.
fn join(served: &Served) {
    let host = served.base.trim_start_matches("http://").to_owned();
    let path = served.link.as_deref().unwrap().strip_prefix(&served.base).unwrap();
    let page = served.ask(&format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"));
    let code = totp(between(&page, "id=\"secret\">", "</code>"));
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("form", between(&page, "name=\"form\" value=\"", "\""))
        .append_pair("email", EMAIL)
        .append_pair("name", "Ann Lee")
        .append_pair("password", "a lantern under the quiet bridge")
        .append_pair("code", &code)
        .finish();
    let joined = served.ask(&format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\norigin: {}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        served.base,
        body.len()
    ));
    assert!(joined.starts_with("HTTP/1.1 200 "), "{joined}");
}

/// What it answers to these messages, in order.
fn exchange(home: &Home, server: &str, token: &str, messages: &[Json]) -> Vec<Json> {
    let mut child = home
        .command(["mcp", "--server", server])
        .env("TICKMARK_TOKEN", token)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    for message in messages {
        writeln!(to, "{message}").unwrap();
    }
    drop(to);
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let out = String::from_utf8(done.stdout).unwrap();
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn call(name: &str, arguments: Json) -> Json {
    json!({ "jsonrpc": "2.0", "id": name, "method": "tools/call", "params": { "name": name, "arguments": arguments } })
}

/// Whether a call failed, and its text.
fn said(answer: &Json) -> (bool, &str) {
    let result = &answer["result"];
    (result["isError"].as_bool().unwrap(), result["content"][0]["text"].as_str().unwrap())
}

#[test]
fn an_assistant_reads_what_its_token_may_and_says_what_it_rests_on() {
    let home = Home::new();
    home.does("init company");
    let served = Served::start(&home, &SERVE);
    join(&served);
    assert_eq!(served.stop(), Some(0));
    let until = Instant::from_ms(now_ms() + 30 * 24 * 3_600_000).date_in("UTC");
    let token = home.does(&format!(
        "--workspace company token issue --member {EMAIL} --name assistant --scope read:controls --scope read:query \
         --expires {until} --by ann --reason asked"
    ));
    let served = Served::start(&home, &SERVE);
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "a test", "version": "1" } } });
    let messages = [
        hello,
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" }),
        call("controls", json!({ "limit": 2 })),
        call("query", json!({ "sql": "SELECT c.label AS label FROM change c" })),
        call("query", json!({ "sql": "DELETE FROM change" })),
        call("deviations", json!({})),
        call("evidence_entry", json!({ "entry": 0 })),
        call("control", json!({})),
    ];
    let answers = exchange(&home, &served.base, token.trim(), &messages);
    // One each, but for the notification.
    let ids: Vec<&Json> = answers.iter().map(|answer| &answer["id"]).collect();
    let asked: Vec<&Json> = messages.iter().filter_map(|message| message.get("id")).collect();
    assert_eq!(ids, asked);
    assert_eq!(answers[0]["result"]["protocolVersion"], "2025-06-18");
    assert_eq!(answers[0]["result"]["capabilities"], json!({ "tools": {} }));
    let tools = answers[1]["result"]["tools"].as_array().unwrap();
    for name in
        ["controls", "control", "deviations", "procedure_items", "coverage", "evidence_entry", "query"]
    {
        let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
        assert_eq!(
            (&tool["inputSchema"]["type"], &tool["annotations"]["readOnlyHint"]),
            (&json!("object"), &json!(true))
        );
        assert!(!tool["description"].as_str().unwrap().is_empty(), "{name}");
    }
    let (failed, controls) = said(&answers[2]);
    assert!(!failed && controls.starts_with("As known at ledger position "), "{controls}");
    // Nothing was looked at: unknown, and nothing that passes.
    assert!(controls.contains("\"cannot_conclude\"") && !controls.contains("no_exceptions\""), "{controls}");
    let (failed, rows) = said(&answers[3]);
    assert!(
        !failed && rows.starts_with("As known at ledger position ") && rows.contains("\"rows\":[]"),
        "{rows}"
    );
    for (at, says) in [(4, "SELECT"), (5, "deviations"), (6, "ledger")] {
        let (failed, text) = said(&answers[at]);
        assert!(failed && text.contains(says), "{text}");
    }
    assert_eq!(answers[7]["error"]["code"], -32602);
    // Without a token nothing is told.
    for none in ["", "tickmark_none"] {
        let answers = exchange(&home, &served.base, none, &[call("controls", json!({}))]);
        let (failed, text) = said(&answers[0]);
        assert!(failed && text.contains("TICKMARK_TOKEN"), "{text}");
    }
    let base = served.base.clone();
    assert_eq!(served.stop(), Some(0));
    let answers = exchange(&home, &base, token.trim(), &[call("controls", json!({}))]);
    let (failed, text) = said(&answers[0]);
    assert!(failed && text.contains("tickmark serve"), "{text}");
}

#[test]
fn a_token_is_not_sent_in_the_clear() {
    Home::new().refuses("mcp --server http://soc2.example.test", &["in the clear", "https://"]);
}
