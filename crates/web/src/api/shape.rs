//! What documents look like, said once: from it the description of the API is written, and answers are held to it by the tests.

use serde_json::{Map, Value as Json, json};

/// The form of a value.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Text,
    /// A whole number.
    Whole,
    /// Yes or no.
    Truth,
    /// An instant in UTC, such as `2026-02-28T12:00:00Z`.
    Time,
    /// A cell of a record: text, a number, or null for what is not known.
    Cell,
    /// Anything that a source said.
    Any,
    /// One of a closed list of words.
    Words(fn() -> Vec<&'static str>),
    /// This, or null where there is none.
    OrNull(&'static Self),
    List(&'static Self),
    /// Exactly two, such as the least and the most.
    Two(&'static Self),
    /// An object with names that are not known beforehand.
    Map(&'static Self),
    Object(&'static [Field]),
    /// A form that has a name.
    Named(&'static Named),
}

/// A member of an object; one whose name ends with `?` is left out where there is nothing to say.
pub(super) type Field = (&'static str, Shape);

/// A form with a name.
pub(super) struct Named {
    pub(super) name: &'static str,
    pub(super) says: &'static str,
    pub(super) fields: &'static [Field],
}

impl Shape {
    /// As JSON Schema (2020-12). Forms with names are put into `named`, and referred to.
    pub(super) fn schema(self, named: &mut Map<String, Json>) -> Json {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Whole => json!({ "type": "integer" }),
            Self::Truth => json!({ "type": "boolean" }),
            Self::Time => json!({ "type": "string", "format": "date-time" }),
            Self::Cell => json!({ "type": ["string", "integer", "null"] }),
            Self::Any => json!({}),
            Self::Words(words) => json!({ "type": "string", "enum": words() }),
            Self::OrNull(of) => json!({ "anyOf": [of.schema(named), { "type": "null" }] }),
            Self::List(of) => json!({ "type": "array", "items": of.schema(named) }),
            Self::Two(of) => {
                json!({ "type": "array", "items": of.schema(named), "minItems": 2, "maxItems": 2 })
            }
            Self::Map(of) => json!({ "type": "object", "additionalProperties": of.schema(named) }),
            Self::Object(fields) => object(fields, named),
            Self::Named(form) => {
                if !named.contains_key(form.name) {
                    // First a place for it: a form may refer to itself.
                    named.insert(form.name.to_owned(), Json::Null);
                    let mut schema = object(form.fields, named);
                    schema["description"] = form.says.into();
                    named.insert(form.name.to_owned(), schema);
                }
                json!({ "$ref": format!("#/components/schemas/{}", form.name) })
            }
        }
    }
}

/// The schema of an object. Members may be added in the same version, so it is not closed.
pub(super) fn object(fields: &[Field], named: &mut Map<String, Json>) -> Json {
    let required: Vec<&str> = fields.iter().map(|(name, _)| *name).filter(|n| !n.ends_with('?')).collect();
    let properties: Map<String, Json> = fields
        .iter()
        .map(|(name, shape)| (name.trim_end_matches('?').to_owned(), shape.schema(named)))
        .collect();
    json!({ "type": "object", "required": required, "properties": properties })
}
