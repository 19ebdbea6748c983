//! The description of the API in OpenAPI 3.1, written from what is offered.

use app::Resource;
use serde_json::{Map, Value as Json, json};

use super::PREFIX;
use super::offers::{ABOUT, OF_LIST, OF_PERIOD, OFFERS, Offer, Yields};
use super::shape::{Field, Shape};
use crate::door::Needs;
use crate::routes::ROUTES;

/// The version of the API, which is raised only by what breaks programs.
const VERSION: &str = "1.0.0";

const PROBLEM: &[Field] = &[
    ("type", Shape::Text),
    ("title", Shape::Text),
    ("status", Shape::Whole),
    ("code", Shape::Text),
    ("detail", Shape::Text),
    ("fix", Shape::Text),
    ("request_id", Shape::Text),
];

/// The whole document.
pub(super) fn document() -> Json {
    let mut named = Map::new();
    let mut problem = Shape::Object(PROBLEM).schema(&mut named);
    problem["description"] =
        "What cannot be answered (RFC 9457): `code` is for programs, `fix` says what to do next.".into();
    named.insert("Problem".to_owned(), problem);
    let paths: Map<String, Json> = OFFERS
        .iter()
        .map(|offer| (format!("{PREFIX}{}", offer.path), json!({ "get": operation(offer, &mut named) })))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tickmark",
            "version": VERSION,
            "summary": "Evidence, verdicts and registers of a self-hosted SOC 2 programme.",
            "description": "Unknown is never a pass: what nobody looked at is said to be so. In this version members may be added to \
                objects and words to lists of words, and nothing is taken away.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": named,
            "responses": { "Problem": {
                "description": "It cannot be answered.",
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
            } },
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "A token that `tickmark token issue` makes. It can do no more than its scopes and its owner.",
            } },
        },
    })
}

fn operation(offer: &Offer, named: &mut Map<String, Json>) -> Json {
    let pieces = offer.path.split('/').filter_map(|p| p.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Json> = pieces
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    for word in offer.words() {
        let values = (word.values)();
        let schema = match (word.name, values.is_empty()) {
            ("limit", _) => json!({ "type": "integer", "minimum": 1, "maximum": 1000, "default": 100 }),
            ("from" | "to" | "day", _) => json!({ "type": "string", "format": "date" }),
            ("as_of", _) => json!({ "type": "string", "format": "date-time" }),
            (_, true) => json!({ "type": "string" }),
            (_, false) => json!({ "type": "string", "enum": values }),
        };
        let described = json!({ "name": word.name, "in": "query", "required": word.required, "description": word.says, "schema": schema });
        parameters.push(described);
    }
    let schema = match offer.yields {
        Yields::Document(fields) => {
            let none: &[Field] = &[];
            let of_period = if offer.period { OF_PERIOD } else { none };
            let of_list = if offer.list.is_some() { OF_LIST } else { none };
            let fields: Vec<Field> = [fields, of_list, of_period, ABOUT].concat();
            super::shape::object(&fields, named)
        }
        Yields::Bytes => json!({}),
    };
    json!({
        "operationId": operation_id(offer),
        "summary": offer.says,
        "description": format!("Scopes that a token needs: {}.", scopes(offer)),
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "What is known.",
                "headers": { "ETag": { "schema": { "type": "string" } } },
                "content": { offer.media_type(): { "schema": schema } },
            },
            "304": { "description": "It is what `If-None-Match` names." },
            "default": { "$ref": "#/components/responses/Problem" },
        },
    })
}

/// A name for programs that are made from the description: the path without what is left open.
fn operation_id(offer: &Offer) -> String {
    let pieces = offer.path.split('/').filter(|piece| !piece.is_empty());
    let pieces: Vec<&str> = pieces.map(|p| p.trim_start_matches('{').trim_end_matches('}')).collect();
    pieces.join("_")
}

/// What a token has to allow, as the one table of routes says it.
fn scopes(offer: &Offer) -> String {
    let route = ROUTES.iter().find(|route| route.path == offer.page && !route.changes);
    let needs = route.map_or(Needs::Nothing, |route| route.needs);
    let Needs::May(action, resources) = needs else { return "none".to_owned() };
    let scope = |resource: &Resource| format!("`{}:{}`", action.word(), resource.word());
    resources.iter().map(scope).collect::<Vec<_>>().join(", ")
}
