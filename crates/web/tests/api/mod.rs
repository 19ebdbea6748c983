//! The API for programs: what it says is what the pages say, in the form that its description gives.

use std::collections::BTreeSet;
use std::path::Path;

use app::{Actor, Scope};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use crate::{Answered, HOUR, Place, request};

fn parsed(answer: &Answered) -> Json {
    serde_json::from_str(&answer.body).unwrap_or_else(|e| panic!("{e}: {}", answer.body))
}

async fn told(place: &Place, path: &str) -> Json {
    let answer = place.ask(&format!("/api/v1{path}"), &place.owner).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    assert_eq!(answer.header("content-type"), "application/json", "{path}");
    parsed(&answer)
}

/// A token of the owner that may do this, until the day after.
fn token(place: &Place, scopes: &[&str]) -> String {
    let scopes: BTreeSet<Scope> = scopes.iter().map(|s| s.parse().unwrap()).collect();
    let now = place.now();
    let until = model::Instant::from_ms(now.ms() + 24 * HOUR);
    place.site.beside(|workspace, members| {
        let operator = || Actor::Operator("operator");
        let owner = members.find(operator(), "own@example.test", now).unwrap().number;
        let made = members
            .issue_token(workspace, operator(), owner, "a test", &scopes, until, "a test", now)
            .unwrap();
        made.secret.reveal_token()
    })
}

async fn by_token(place: &Place, method: Method, path: &str, token: &str) -> Answered {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:8321")
        .header("authorization", format!("Bearer {token}"));
    place.send(request.body(Body::empty()).unwrap()).await
}

/// The description says which members there are, and programs bear others; here nothing may be there that it does not say.
fn closed(schema: &mut Json) {
    match schema {
        Json::Object(fields) => {
            fields.values_mut().for_each(closed);
            if fields.get("properties").is_some_and(Json::is_object) && fields.contains_key("required") {
                fields.insert("additionalProperties".to_owned(), false.into());
            }
        }
        Json::Array(of) => of.iter_mut().for_each(closed),
        _ => {}
    }
}

#[tokio::test]
async fn every_answer_is_what_the_description_says() {
    let place = Place::new().await;
    let description = web::openapi();
    let item = told(&place, "/procedures/change_ticket/items").await["items"][0]["id"].clone();
    for (path, operations) in description["paths"].as_object().unwrap() {
        let operation = &operations["get"];
        let mut at = path.replace("{item}", item.as_str().unwrap()).replace("{entry}", "0");
        for (below, id) in [
            ("controls", "CHG-01"),
            ("criteria", "CC8.1"),
            ("procedures", "change_ticket"),
            ("deviations", "D-0123456789abcdef"),
            ("tables", "change"),
        ] {
            for open in ["{id}", "{key}", "{name}"] {
                at = at.replace(&format!("{below}/{open}"), &format!("{below}/{id}"));
            }
        }
        if path.ends_with("/query") {
            at += "?sql=SELECT+c.parents+AS+parents,+c.label+AS+label,+CASE+WHEN+c.parents+%3E+1+THEN+1+END+AS+unknown+FROM+change+c";
        }
        let answer = place.ask(&at, &place.owner).await;
        assert_eq!(answer.status, StatusCode::OK, "{at}: {}", answer.body);
        let content = operation["responses"]["200"]["content"].as_object().unwrap();
        let (media_type, content) = content.iter().next().unwrap();
        assert_eq!(answer.header("content-type"), media_type, "{at}");
        assert!(answer.header("etag").len() > 10 && answer.header("cache-control") == "private, no-cache");
        if media_type != "application/json" {
            assert!(!answer.body.is_empty(), "{at}");
            continue;
        }
        let mut schema = content["schema"].clone();
        schema["components"] = description["components"].clone();
        closed(&mut schema);
        let validator =
            jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
        let document = parsed(&answer);
        let faults: Vec<String> =
            validator.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(faults.is_empty(), "{at} is not what openapi.json says: {faults:#?}");
        // A document of another form is refused, or nothing was asked above.
        assert!(!validator.is_valid(&json!({})), "{at}: the description says nothing");
    }
}

#[test]
fn the_committed_description_is_the_one_that_is_served() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&web::openapi()).unwrap());
    if std::env::var_os("TICKMARK_RENEW").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "crates/web/openapi.json is not what is served; renew it: TICKMARK_RENEW=1 cargo nextest run --workspace -E \
         'test(the_committed_description)', and look at what changed"
    );
}

#[tokio::test]
async fn a_list_in_parts_is_the_list_of_the_page() {
    let place = Place::new().await;
    let page = place.ask("/controls.json?operation=cannot_conclude", &place.owner).await;
    let whole = parsed(&page)["controls"].as_array().unwrap().clone();
    assert!(whole.len() > 3, "{}", whole.len());
    let (mut all, mut at) = (vec![], "/controls?operation=cannot_conclude&limit=3".to_owned());
    loop {
        let part = told(&place, &at).await;
        assert_eq!(part["total"], whole.len());
        assert_eq!(part["filter"], "operation=cannot_conclude");
        let rows = part["controls"].as_array().unwrap();
        assert!((1..=3).contains(&rows.len()));
        all.extend(rows.iter().cloned());
        match part["next"].as_str() {
            Some(next) => at = next.strip_prefix("/api/v1").unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(all, whole);
    // Time alone can make another list, and half of each is neither.
    let next = told(&place, "/controls?limit=3").await["next"].as_str().unwrap().to_owned();
    place.clock.fetch_add(HOUR, std::sync::atomic::Ordering::Relaxed);
    place.site.refresh().unwrap();
    let owner = token(&place, &["read:controls"]);
    let late = by_token(&place, Method::GET, &next, &owner).await;
    assert_eq!((late.status, &parsed(&late)["code"]), (StatusCode::GONE, &"cursor_expired".into()));
}

#[tokio::test]
async fn what_nobody_looked_at_is_no_pass_for_programs_either() {
    let place = Place::new().await;
    let items = told(&place, "/procedures/change_ticket/items").await;
    assert_eq!(items["items"][0]["verdicts"], json!({ "a": "no_evidence", "b": "no_evidence" }));
    assert_eq!((&items["total"], &items["next"]), (&1.into(), &Json::Null));
    let named = format!("/procedures/change_ticket/items/{}", items["items"][0]["id"].as_str().unwrap());
    // From the item to the entry that its source's own words are in.
    let entry = told(&place, &named).await["item"]["entry"].as_u64().unwrap();
    assert_eq!(told(&place, &format!("/ledger/{entry}")).await["receipt"]["stream"], "commits");
    let procedure = told(&place, "/procedures/change_ticket").await;
    assert_eq!(procedure["conclusion"], "cannot_conclude");
    assert!(procedure.get("items").is_none());
    assert_eq!(told(&place, "/procedures/change_ticket/items?result=pass").await["total"], 0);
    assert_eq!(told(&place, "/controls/CHG-01").await["control"]["operation"], "cannot_conclude");
}

#[tokio::test]
async fn what_cannot_be_answered_is_a_problem_with_a_code() {
    let place = Place::new().await;
    for (path, status, code) in [
        ("/controls?page=2", 400, "unknown_word"),
        ("/controls?operation=fine", 400, "unknown_value"),
        ("/controls?q=a&q=b", 400, "said_twice"),
        ("/controls?limit=5000", 400, "unknown_value"),
        ("/controls?cursor=abc", 400, "bad_cursor"),
        ("/controls?from=yesterday", 400, "bad_request"),
        ("/controls/CHG-01?limit=3", 400, "unknown_word"),
        ("/ledger?entry=1", 400, "unknown_word"),
        ("/controls/NONE-1", 404, "not_found"),
        ("/controls/%2e%2e", 404, "not_found"),
        ("/controls.json", 404, "not_found"),
        ("/controls/", 404, "not_found"),
        ("/ledger/99999", 404, "not_found"),
        ("/ledger/-1", 404, "not_found"),
        ("/procedures/change_ticket/items/1", 404, "not_found"),
        ("/query", 400, "no_question"),
        ("/query?sql=DELETE+FROM+change", 400, "bad_request"),
        ("/nothing", 404, "not_found"),
        ("", 404, "not_found"),
    ] {
        let answer = place.ask(&format!("/api/v1{path}"), &place.owner).await;
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}: {}", answer.body);
        let problem = parsed(&answer);
        assert_eq!((answer.status.as_u16(), &problem["code"]), (status, &code.into()), "{path}: {problem}");
        assert!(!problem["detail"].as_str().unwrap().is_empty(), "{path}");
        assert!(!problem["fix"].as_str().unwrap().is_empty(), "{path}");
        assert_eq!(problem["request_id"], answer.header("x-request-id"));
    }
    let asked = async |method: Method, path: &str, header: (&str, &str)| {
        let request = request(method, path, &place.owner).header(header.0, header.1);
        place.send(request.body(Body::empty()).unwrap()).await
    };
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = asked(method, "/api/v1/controls", ("accept", "*/*")).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET,HEAD"));
        assert_eq!(parsed(&answer)["code"], "method_not_allowed");
    }
    for (path, accept, status) in [
        ("/api/v1/controls", "text/html", 406),
        ("/api/v1/controls", "application/json;q=0, */*", 406),
        ("/api/v1/controls", "text/html, application/*;q=0.2", 200),
        ("/api/v1/ledger/0/bytes", "application/json", 406),
        ("/api/v1/ledger/0/bytes", "application/octet-stream", 200),
    ] {
        let answer = asked(Method::GET, path, ("accept", accept)).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {accept}: {}", answer.body);
    }
}

#[tokio::test]
async fn what_is_known_already_is_not_sent_again() {
    let place = Place::new().await;
    let ask = async |method: Method, path: &str, tag: &str| {
        let request = request(method, path, &place.owner).header("if-none-match", tag);
        place.send(request.body(Body::empty()).unwrap()).await
    };
    let path = "/api/v1/controls?limit=2";
    let first = place.ask(path, &place.owner).await;
    let tag = first.header("etag").to_owned();
    for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let again = ask(Method::GET, path, &known).await;
        assert_eq!((again.status, again.body.as_str()), (StatusCode::NOT_MODIFIED, ""), "{known}");
        assert_eq!(again.header("etag"), tag);
    }
    let head = ask(Method::HEAD, path, "\"x\"").await;
    assert_eq!((head.status, head.header("etag"), head.body.as_str()), (StatusCode::OK, tag.as_str(), ""));
    // Another filter, another part, another period: another answer.
    for other in ["/api/v1/controls?limit=3", "/api/v1/controls?limit=2&from=2026-01-01&to=2026-01-31"] {
        assert_eq!(ask(Method::GET, other, &tag).await.status, StatusCode::OK, "{other}");
    }
    // What has become older by the clock is another answer, too: deadlines pass.
    place.clock.fetch_add(HOUR / 2, std::sync::atomic::Ordering::Relaxed);
    place.site.refresh().unwrap();
    assert_eq!(ask(Method::GET, path, &tag).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_reads_what_its_scopes_say_and_nothing_is_open_without_one() {
    let place = Place::new().await;
    let controls = token(&place, &["read:controls"]);
    for (path, token, status) in [
        ("/api/v1/controls", controls.as_str(), 200),
        ("/api/v1/criteria", controls.as_str(), 200),
        // Its page shows results and deviations, too.
        ("/api/v1/controls/CHG-01", controls.as_str(), 403),
        ("/api/v1/deviations", controls.as_str(), 403),
        ("/api/v1/ledger/0", controls.as_str(), 403),
        ("/api/v1/ledger/0/bytes", controls.as_str(), 403),
        ("/api/v1/query?sql=SELECT+1+AS+one", controls.as_str(), 403),
        ("/api/v1/controls", "tickmark_wrong", 401),
        ("/api/v1/openapi.json", "tickmark_wrong", 401),
    ] {
        let answer = by_token(&place, Method::GET, path, token).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.body);
    }
    for path in web::openapi()["paths"].as_object().unwrap().keys() {
        let answer = place.ask(&path.replace("{entry}", "0"), "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{path}");
        assert_eq!(parsed(&answer)["code"], "not_signed_in", "{path}");
    }
    let description = place.ask("/api/v1/openapi.json", "").await;
    assert_eq!((description.status, parsed(&description)), (StatusCode::OK, web::openapi()));
}
