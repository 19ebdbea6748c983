//! `tickmark mcp`: what the site knows, for assistants, over the Model Context Protocol on standard input and output.
//!
//! Every tool is one address of the API, asked of a running `tickmark serve` with a token. So an assistant can do nothing but read, it
//! sees what the token may see, and the workspace stays with the server that holds it. What a tool takes stands in the description
//! of the API; here is only what it is called.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Read as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value as Json, json};

use crate::custody::on_this_machine;
use crate::failure::Failure;
use crate::session;

#[derive(Args)]
pub(crate) struct McpCommand {
    /// Address of the site that is asked; the token comes from the environment, as TICKMARK_TOKEN
    #[arg(long, value_name = "ADDRESS", default_value = "http://127.0.0.1:8321")]
    server: String,
}

/// The revision of the protocol that is spoken.
const PROTOCOL: &str = "2025-06-18";
/// The longest message that is read.
const LONGEST: usize = 256 * 1024;
/// The longest answer that an assistant gets; more than it can read is of no use to it.
const MOST: usize = 200 * 1024;
/// The longest answer of the server that is read at all.
const MOST_READ: u64 = 64 * 1024 * 1024;
/// Rows of a list where the assistant does not say how many.
const ROWS: &str = "25";
/// Ledger entries that are named before the answer; all of them stand in it.
const CITED: usize = 40;
/// How long the server may take: a period is worked out once, which takes a while.
const PATIENCE: Duration = Duration::from_secs(120);

/// Tools by their names, with the path of the API that each of them is.
const TOOLS: [(&str, &str); 8] = [
    ("readiness", "/readiness"),
    ("controls", "/controls"),
    ("control", "/controls/{id}"),
    ("deviations", "/deviations"),
    ("procedure_items", "/procedures/{id}/items"),
    ("coverage", "/coverage"),
    // Where bytes came from and the proof that they are in the log, not the bytes.
    ("evidence_entry", "/ledger/{entry}"),
    ("query", "/query"),
];

/// What an assistant is told before it asks.
const INSTRUCTIONS: &str = "Answers come from evidence in a ledger. Cite what each answer says of its ledger position and its entries. \
    `no_evidence` and `cannot_conclude` mean that something is unknown: that is neither a pass nor a deviation, and an empty list \
    proves nothing where `coverage` has gaps. Lists come in parts: call again with `cursor` from `next` to see the rest.";

/// Error codes of JSON-RPC 2.0.
const UNREADABLE: i64 = -32700;
const NO_REQUEST: i64 = -32600;
const NO_METHOD: i64 = -32601;
const BAD_PARAMS: i64 = -32602;

pub(crate) fn run(asked: &McpCommand) -> Result<ExitCode, Failure> {
    let server = reachable(&asked.server)?;
    let token = session::token();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        // The token is for the server that was named.
        .max_redirects(0)
        .proxy(None)
        .build()
        .into();
    let ask = |path: &str| -> Asked {
        let mut request = agent.get(format!("{server}{path}")).header("accept", "application/json");
        if let Some(token) = &token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let unanswered = |e: ureq::Error| {
            format!(
                "{server} did not answer: {e}; start it with `tickmark serve`, or name another with --server"
            )
        };
        let mut answer = request.call().map_err(unanswered)?;
        let body = answer.body_mut().with_config().limit(MOST_READ).read_to_vec().map_err(unanswered)?;
        Ok((answer.status().as_u16(), body))
    };
    let server = Server { tools: tools(&web::openapi()), ask: &ask };
    match speak(&server, &mut io::stdin().lock(), &mut io::stdout().lock()) {
        // Whoever asked is gone.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        spoken => spoken.map(|()| ExitCode::SUCCESS).map_err(Failure::of),
    }
}

/// The address of a server to which a token may travel.
fn reachable(address: &str) -> Result<String, Failure> {
    let wrong = |why: &str| {
        Err(Failure::of(format!(
            "`{address}` {why}; write the address that people type, such as https://soc2.example.com"
        )))
    };
    let Ok(uri) = address.parse::<ureq::http::Uri>() else { return wrong("is no address") };
    if uri.authority().is_none_or(|a| a.as_str().contains('@'))
        || uri.query().is_some()
        || !matches!(uri.path(), "" | "/")
    {
        return wrong("is more or less than scheme, host and port");
    }
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if on_this_machine(address) => {}
        _ => return wrong("would have the token travel in the clear"),
    }
    Ok(address.trim_end_matches('/').to_owned())
}

/// Answers every message until there are no more.
fn speak(server: &Server<'_>, from: &mut impl BufRead, to: &mut impl io::Write) -> io::Result<()> {
    let mut line = vec![];
    loop {
        line.clear();
        from.by_ref().take(LONGEST as u64 + 1).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        let answer = if line.len() > LONGEST {
            skip_line(from)?;
            Some(refusal(&Json::Null, NO_REQUEST, "the message is too long; ask for less at once"))
        } else if line.trim_ascii().is_empty() {
            None
        } else {
            server.answer(&line)
        };
        if let Some(answer) = answer {
            // One message a line: no text of JSON has a line break in it.
            writeln!(to, "{answer}")?;
            to.flush()?;
        }
    }
}

/// Reads on to the end of a line that nobody keeps.
fn skip_line(from: &mut impl BufRead) -> io::Result<()> {
    loop {
        let there = from.fill_buf()?;
        if there.is_empty() {
            return Ok(());
        }
        let end = there.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(there.len(), |at| at + 1);
        from.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

/// A tool: an address of the API, and what may be said to it.
struct Tool {
    name: &'static str,
    path: String,
    says: String,
    /// Names of what it takes, and whether each is part of the path.
    takes: Vec<(String, bool)>,
    required: Vec<String>,
    schema: Json,
}

/// The tools, as the description of the API has them.
fn tools(description: &Json) -> Vec<Tool> {
    let of = |(name, path): (&'static str, &'static str)| {
        let path = format!("/api/v1{path}");
        let operation = &description["paths"][&path]["get"];
        let (mut takes, mut required, mut properties) = (vec![], vec![], Map::new());
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let Some(called) = parameter["name"].as_str() else { continue };
            let mut schema = parameter["schema"].clone();
            if let (Json::Object(schema), Some(says)) = (&mut schema, parameter.get("description")) {
                schema.insert("description".to_owned(), says.clone());
            }
            properties.insert(called.to_owned(), schema);
            takes.push((called.to_owned(), parameter["in"] == "path"));
            if parameter["required"] == true {
                required.push(called.to_owned());
            }
        }
        let schema = json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
        let says = operation["summary"].as_str().unwrap_or_default().to_owned();
        Tool { name, path, says, takes, required, schema }
    };
    TOOLS.into_iter().map(of).collect()
}

impl Tool {
    fn described(&self) -> Json {
        json!({
            "name": self.name,
            "description": self.says,
            "inputSchema": self.schema,
            "annotations": { "readOnlyHint": true, "destructiveHint": false, "openWorldHint": false },
        })
    }

    /// The address of what is asked; what cannot be asked in words.
    fn address(&self, arguments: &Map<String, Json>) -> Result<String, String> {
        let mut said: Vec<(&str, String)> = vec![];
        for (name, value) in arguments {
            let Some((name, _)) = self.takes.iter().find(|(known, _)| known == name) else {
                let known: Vec<&str> = self.takes.iter().map(|(name, _)| name.as_str()).collect();
                return Err(format!("`{}` takes no `{name}`; it takes {}", self.name, known.join(", ")));
            };
            let text = match value {
                Json::String(text) => text.clone(),
                Json::Number(number) => number.to_string(),
                Json::Null => continue,
                _ => return Err(format!("`{name}` is neither text nor a number; say it as text")),
            };
            said.push((name.as_str(), text));
        }
        let find = |name: &str| said.iter().find(|(key, text)| *key == name && !text.is_empty());
        if let Some(missing) = self.required.iter().find(|name| find(name).is_none()) {
            return Err(format!("`{}` needs `{missing}`; name it", self.name));
        }
        let is_in_path = |name: &str| self.takes.iter().any(|(known, in_path)| known == name && *in_path);
        let pieces: Vec<&str> = self
            .path
            .split('/')
            .filter(|piece| !piece.is_empty())
            .map(|piece| match piece.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
                Some(name) => find(name).map_or("", |(_, text)| text.as_str()),
                None => piece,
            })
            .collect();
        let mut query: Vec<(&str, &str)> = said
            .iter()
            .filter(|(name, _)| !is_in_path(name))
            .map(|(name, text)| (*name, text.as_str()))
            .collect();
        if self.takes.iter().any(|(name, _)| name == "limit") && find("limit").is_none() {
            query.retain(|(name, _)| *name != "limit");
            query.push(("limit", ROWS));
        }
        Ok(web::address(&pieces, query.into_iter()))
    }
}

/// What a server answered: status and body, or why there is no answer.
type Asked = Result<(u16, Vec<u8>), String>;

struct Server<'a> {
    tools: Vec<Tool>,
    /// Asks an address of the API.
    ask: &'a dyn Fn(&str) -> Asked,
}

impl Server<'_> {
    /// The answer to a message; none to what wants none.
    fn answer(&self, line: &[u8]) -> Option<Json> {
        let nobody = Json::Null;
        let Ok(message) = serde_json::from_slice::<Json>(line) else {
            return Some(refusal(&nobody, UNREADABLE, "the message is no JSON; write one message a line"));
        };
        let Json::Object(message) = message else {
            return Some(refusal(&nobody, NO_REQUEST, "the message is no object; write one message a line"));
        };
        let id = match message.get("id") {
            None => None,
            Some(id @ (Json::String(_) | Json::Number(_))) => Some(id),
            Some(_) => return Some(refusal(&nobody, NO_REQUEST, "`id` is neither text nor a number")),
        };
        if message.get("jsonrpc").and_then(Json::as_str) != Some("2.0") {
            return Some(refusal(id.unwrap_or(&nobody), NO_REQUEST, "`jsonrpc` is not \"2.0\""));
        }
        let Some(method) = message.get("method").and_then(Json::as_str) else {
            // An answer to something that nobody asked here is not answered.
            let answers = message.contains_key("result") || message.contains_key("error");
            return (!answers).then(|| refusal(id.unwrap_or(&nobody), NO_REQUEST, "no `method` is named"));
        };
        // Without an id it is a notification: none of them changes what is answered here.
        let id = id?;
        let done = match method {
            "initialize" => Ok(json!({
                "protocolVersion": PROTOCOL,
                "capabilities": { "tools": {} },
                "serverInfo": { "name": "tickmark", "title": "Tickmark", "version": env!("CARGO_PKG_VERSION") },
                "instructions": INSTRUCTIONS,
            })),
            "ping" => Ok(json!({})),
            "tools/list" => {
                Ok(json!({ "tools": self.tools.iter().map(Tool::described).collect::<Vec<_>>() }))
            }
            "tools/call" => self.call(message.get("params")).map_err(|why| (BAD_PARAMS, why)),
            other => Err((
                NO_METHOD,
                format!("there is no method `{}` here", other.chars().take(60).collect::<String>()),
            )),
        };
        Some(match done {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err((code, why)) => refusal(id, code, &why),
        })
    }

    fn call(&self, params: Option<&Json>) -> Result<Json, String> {
        let name = params.and_then(|p| p.get("name")).and_then(Json::as_str).unwrap_or_default();
        let tool = self.tools.iter().find(|tool| tool.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.tools.iter().map(|tool| tool.name).collect();
            format!("there is no such tool; there are {}", known.join(", "))
        })?;
        let none = Map::new();
        let arguments = match params.and_then(|p| p.get("arguments")) {
            None | Some(Json::Null) => &none,
            Some(Json::Object(arguments)) => arguments,
            Some(_) => return Err("`arguments` is no object; name what the tool takes".to_owned()),
        };
        let address = tool.address(arguments)?;
        let (text, failed) = match (self.ask)(&address) {
            Ok((200, body)) => match told(&body) {
                Ok(text) => (text, false),
                Err(why) => (why, true),
            },
            Ok((status, body)) => (refused(status, &body), true),
            Err(why) => (why, true),
        };
        Ok(json!({ "content": [{ "type": "text", "text": text }], "isError": failed }))
    }
}

fn refusal(id: &Json, code: i64, why: &str) -> Json {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": why } })
}

/// What the server would not answer, in its own words.
fn refused(status: u16, body: &[u8]) -> String {
    let problem: Json = serde_json::from_slice(body).unwrap_or_default();
    match (problem["detail"].as_str(), problem["fix"].as_str()) {
        (Some(detail), Some(fix)) if status == 401 => {
            format!("{detail}; {fix} (a token is given to `tickmark mcp` as TICKMARK_TOKEN)")
        }
        (Some(detail), Some(fix)) => format!("{detail}; {fix}"),
        _ => format!("the server answered with status {status}; see whether it is `tickmark serve`"),
    }
}

/// An answer with what it rests on before it.
fn told(body: &[u8]) -> Result<String, String> {
    let document: Json = serde_json::from_slice(body)
        .map_err(|_| "what the server answered is no JSON; see whether it is `tickmark serve`".to_owned())?;
    let mut text = String::new();
    if document["demo"] == true {
        text.push_str("Of a simulated company: nothing of it is real.\n");
    }
    if let Some(position) = document["position"].as_u64() {
        text.push_str(&format!("As known at ledger position {position}"));
        for (name, says) in
            [("cutoff", "facts up to"), ("as_of", "facts up to"), ("from", "period from"), ("to", "to")]
        {
            if let Some(value) = document[name].as_str() {
                text.push_str(&format!(", {says} {value}"));
            }
        }
        text.push_str(".\n");
    }
    let mut entries = BTreeSet::new();
    gather(&document, &mut entries);
    if !entries.is_empty() {
        let named: Vec<String> = entries.iter().take(CITED).map(u64::to_string).collect();
        let more = match entries.len().saturating_sub(CITED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        text.push_str(&format!("Ledger entries: {}{more}.\n", named.join(", ")));
    }
    text.push_str(&document.to_string());
    if text.len() > MOST {
        return Err(format!(
            "the answer is longer than {} kB, and half of one looks like one; ask for fewer rows with `limit`, or filter",
            MOST / 1024
        ));
    }
    Ok(text)
}

/// The numbers of all ledger entries that a document names.
fn gather(document: &Json, entries: &mut BTreeSet<u64>) {
    match document {
        Json::Object(fields) => {
            entries.extend(fields.get("entry").and_then(Json::as_u64));
            fields.values().for_each(|value| gather(value, entries));
        }
        Json::Array(of) => of.iter().for_each(|value| gather(value, entries)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server says whose API answers like this; the addresses that were asked stand before it.
    fn said(lines: &str, status: u16, body: &str) -> (Vec<String>, Vec<Json>) {
        let asked = std::cell::RefCell::new(vec![]);
        let ask = |path: &str| {
            asked.borrow_mut().push(path.to_owned());
            Ok((status, body.as_bytes().to_vec()))
        };
        let server = Server { tools: tools(&web::openapi()), ask: &ask };
        let mut out = vec![];
        speak(&server, &mut lines.as_bytes(), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        (asked.take(), out.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    fn call(name: &str, arguments: &str) -> String {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{name}","arguments":{arguments}}}}}"#
        )
    }

    #[test]
    fn a_tool_is_one_address_of_the_api() {
        for (name, arguments, address) in [
            ("controls", "{}", "/api/v1/controls?limit=25"),
            (
                "controls",
                r#"{"operation":"cannot_conclude","limit":3}"#,
                "/api/v1/controls?limit=3&operation=cannot_conclude",
            ),
            ("controls", r#"{"q":"a&b=c","limit":""}"#, "/api/v1/controls?q=a%26b%3Dc&limit=25"),
            ("control", r#"{"id":"CHG-01"}"#, "/api/v1/controls/CHG-01"),
            (
                "control",
                r#"{"id":"../ledger/0/bytes?x=1"}"#,
                "/api/v1/controls/..%2Fledger%2F0%2Fbytes%3Fx%3D1",
            ),
            ("evidence_entry", r#"{"entry":17}"#, "/api/v1/ledger/17"),
            ("query", r#"{"sql":"SELECT 1 AS a"}"#, "/api/v1/query?sql=SELECT+1+AS+a"),
            (
                "procedure_items",
                r#"{"id":"change_ticket","result":"deviation","limit":null}"#,
                "/api/v1/procedures/change_ticket/items?result=deviation&limit=25",
            ),
        ] {
            let (asked, answers) = said(&call(name, arguments), 200, "{}");
            assert_eq!(asked, [address], "{name} {arguments} {answers:?}");
            assert_eq!(answers[0]["result"]["isError"], false);
        }
    }

    #[test]
    fn what_is_no_request_is_refused_and_asks_nothing() {
        let long = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{}\"}}", "x".repeat(LONGEST));
        let deep = "[".repeat(100_000);
        for (line, code) in [
            ("{", -32700),
            ("\u{0}", -32700),
            (deep.as_str(), -32700),
            ("[]", -32600),
            ("7", -32600),
            ("{}", -32600),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":1}"#, -32600),
            (long.as_str(), -32600),
            (r#"{"jsonrpc":"2.0","id":1,"method":"resources/write"}"#, -32601),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, -32602),
            (call("erase", "{}").as_str(), -32602),
            (call("controls", "[]").as_str(), -32602),
            (call("controls", r#"{"path":"/"}"#).as_str(), -32602),
            (call("controls", r#"{"q":["a"]}"#).as_str(), -32602),
            (call("control", "{}").as_str(), -32602),
            (call("control", r#"{"id":""}"#).as_str(), -32602),
            (call("query", "{}").as_str(), -32602),
        ] {
            let (asked, answers) = said(&format!("{line}\n"), 200, "{}");
            let head: String = line.chars().take(80).collect();
            assert_eq!((answers.len(), &answers[0]["error"]["code"]), (1, &code.into()), "{head}");
            assert!(asked.is_empty(), "{head}");
        }
        // What comes after it is answered as ever.
        let after = format!("{long}\n{{\n\n{{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"method\":\"ping\"}}");
        let answers = said(&after, 200, "{}").1;
        assert_eq!((answers.len(), &answers[2]), (3, &json!({ "jsonrpc": "2.0", "id": "b", "result": {} })));
        // Notifications and answers want none.
        let quiet = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n";
        assert!(said(quiet, 200, "{}").1.is_empty());
    }

    #[test]
    fn an_answer_cites_what_it_rests_on() {
        let of = |status, body: &str| {
            let (_, answers) = said(&call("controls", "{}"), status, body);
            let result = &answers[0]["result"];
            let text = result["content"][0]["text"].as_str().unwrap().to_owned();
            (result["isError"] == true, text)
        };
        let body = r#"{"position":9,"cutoff":"2026-02-28T12:00:00Z","items":[{"entry":4},{"entry":2,"versions":[{"entry":4}]}]}"#;
        let (failed, text) = of(200, body);
        assert!(!failed);
        assert!(
            text.starts_with(
                "As known at ledger position 9, facts up to 2026-02-28T12:00:00Z.\nLedger entries: 2, 4.\n{"
            ),
            "{text}"
        );
        assert!(of(200, r#"{"demo":true}"#).1.starts_with("Of a simulated company"));
        let many =
            json!({ "items": (0..100).map(|n| json!({ "entry": n })).collect::<Vec<_>>() }).to_string();
        assert!(of(200, &many).1.contains(", 39 and 60 more.\n"));
        // No half answers, and no answer that is none.
        let huge = json!({ "items": "x".repeat(MOST) }).to_string();
        for (status, body, says) in [
            (200, huge.as_str(), "longer than 200 kB"),
            (200, "<html>", "is no JSON"),
            (500, "<html>", "status 500"),
            (403, r#"{"detail":"no","fix":"ask an owner"}"#, "no; ask an owner"),
            (401, r#"{"detail":"no","fix":"sign in"}"#, "TICKMARK_TOKEN"),
        ] {
            let (failed, text) = of(status, body);
            assert!(failed && text.contains(says) && text.len() < 1000, "{status}: {text}");
        }
    }

    #[test]
    fn a_token_travels_to_this_machine_or_by_tls() {
        for address in
            ["http://127.0.0.1:8321", "http://localhost:8321/", "http://[::1]:1", "https://soc2.example.test"]
        {
            assert!(reachable(address).is_ok(), "{address}");
        }
        for address in [
            "",
            "soc2.example.test",
            "http://soc2.example.test",
            "http://127.0.0.1.example.test",
            "https://a@b.example.test",
            "https://soc2.example.test/x",
            "https://soc2.example.test?x",
            "ftp://127.0.0.1",
        ] {
            assert!(reachable(address).is_err(), "{address}");
        }
    }
}
