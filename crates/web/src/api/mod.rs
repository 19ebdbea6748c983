//! The API for programs: what the pages know, as versioned JSON under `/api/v1`.
//!
//! No page is written twice. [`offers`] says which pages programs may ask for, under which path, with which words in the query and
//! what they yield; who may see it and who works it out stands with the page in `routes`. [`paging`] cuts lists, [`shape`] says what
//! documents look like, [`openapi`] writes all of it down for others.

mod offers;
mod openapi;
mod paging;
mod shape;

use axum::http::header::{ACCEPT, CACHE_CONTROL, ETAG, IF_NONE_MATCH, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use crate::answer::Answer;
use crate::fault::Fault;
use crate::respond;
use crate::visit::Visit;

pub(crate) use offers::{OFFERS, Offer};
pub(crate) use paging::Paging;

/// What every path of the API begins with.
pub(crate) const ROOT: &str = "/api/";
/// The same with the version that is spoken.
pub(crate) const PREFIX: &str = "/api/v1";

/// Whether a path is one for programs.
pub(crate) fn is_for_programs(path: &str) -> bool {
    path.starts_with(ROOT)
}

/// The description of the API, as it is served and committed.
#[must_use]
pub fn openapi() -> Json {
    openapi::document()
}

/// The description of the API. Nothing in it is secret.
pub(crate) fn description(_: &Visit<'_>) -> Result<Answer, Fault> {
    Ok(Answer::Json(openapi::document()))
}

/// What a request says of the answer that it can use.
#[derive(Debug, Default)]
pub(crate) struct Wants {
    accept: Option<String>,
    if_none_match: Option<String>,
}

impl Wants {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        // A header that comes several times says all of it.
        let text = |name| {
            let all: Vec<&str> = headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).collect();
            (!all.is_empty()).then(|| all.join(","))
        };
        Self { accept: text(ACCEPT), if_none_match: text(IF_NONE_MATCH) }
    }

    /// Refuses whoever can read nothing that there is.
    pub(crate) fn accepts(&self, media_type: &str) -> Result<(), Fault> {
        if self.accept.as_deref().is_none_or(|accept| accepted(accept, media_type)) {
            return Ok(());
        }
        Err(Fault::new(
            StatusCode::NOT_ACCEPTABLE,
            "not_acceptable",
            format!("the answer is {media_type}, which `accept` leaves out"),
            format!("send `accept: {media_type}`, or none"),
        ))
    }

    /// Whether whoever asks has an answer of this tag already.
    fn knows(&self, tag: &str) -> bool {
        let known = self.if_none_match.as_deref().unwrap_or("");
        known.split(',').map(str::trim).any(|k| k == "*" || k.strip_prefix("W/").unwrap_or(k) == tag)
    }
}

/// Whether a list of media ranges has room for a media type: the closest range decides (RFC 9110, section 12.5.1).
fn accepted(accept: &str, media_type: &str) -> bool {
    let family = media_type.split('/').next().unwrap_or("");
    let mut closest: Option<(u8, bool)> = None;
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or("");
        let close = match name.split_once('/') {
            Some(("*", "*")) => 1,
            Some((of, "*")) if of.eq_ignore_ascii_case(family) => 2,
            _ if name.eq_ignore_ascii_case(media_type) => 3,
            _ => continue,
        };
        let weight = parts.find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q=")));
        let wanted = weight.is_none_or(|q| q.parse::<f32>().is_ok_and(|q| q > 0.0));
        if closest.is_none_or(|(before, _)| before <= close) {
            closest = Some((close, wanted));
        }
    }
    // Nothing at all is no list, and leaves nothing out.
    closest.map_or_else(|| accept.trim().is_empty(), |(_, wanted)| wanted)
}

/// What a page says, without what stands at another path, and with the way to the rest of a list.
fn told(offer: &Offer, visit: &Visit<'_>, document: Json) -> Json {
    let Json::Object(mut fields) = document else { return document };
    for name in offer.without {
        fields.remove(*name);
    }
    if let (Some(_), Some(paging)) = (offer.list, &visit.paging) {
        fields.insert("total".to_owned(), paging.total().into());
        fields.insert("next".to_owned(), paging.next(&visit.path, &visit.query).into());
    }
    Json::Object(fields)
}

/// The answer of a page as a program gets it: with a tag, by which it is not sent twice. The tag is of every byte, so that what is
/// called unchanged is unchanged: position, period, filter and who asks are all in it.
pub(crate) fn shown(offer: &Offer, visit: &Visit<'_>, answer: Answer, wants: &Wants) -> Response {
    let (bytes, file) = match answer {
        Answer::Json(document) => (respond::pretty(&told(offer, visit, document)), None),
        Answer::File { name, bytes } => (bytes, Some(name)),
        // No page answers anything else where JSON is asked for.
        other => return respond::shown(visit, other, None),
    };
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(&bytes)[..16]));
    let mut response = match (wants.knows(&tag), file) {
        (true, _) => respond::said(StatusCode::NOT_MODIFIED, offer.media_type(), vec![]),
        (false, None) => respond::said(StatusCode::OK, offer.media_type(), bytes),
        (false, Some(name)) => respond::shown(visit, Answer::File { name, bytes }, None),
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    // It may be kept by whoever asked, who asks each time whether it is still so.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// Says to whom nobody knows how to be known.
pub(crate) fn challenged(response: &mut Response) {
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::Needs;

    #[test]
    fn the_closest_range_says_whether_something_can_be_read() {
        for (accept, can) in [
            ("", true),
            ("*/*", true),
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/html, application/*;q=0.1", true),
            ("text/html", false),
            ("application/json;q=0", false),
            ("*/*, application/json;q=0", false),
            ("application/json;q=0, */*", false),
            ("application/json;q=0.0, application/*", false),
            ("application/jsonp", false),
            ("nonsense", false),
        ] {
            assert_eq!(accepted(accept, "application/json"), can, "{accept}");
        }
    }

    #[test]
    fn every_offer_is_of_a_page_and_every_page_is_offered_or_said_to_be_none_for_programs() {
        // What leads to other pages alone, and what is about a browser; and what programs have at its page's own address alone so far.
        const NOT_FOR_PROGRAMS: [&str; 9] = [
            "/search",
            "/sessions",
            "/registers",
            "/registers/{table}",
            "/registers/{table}/{key}",
            "/members",
            "/members/{id}",
            "/reviews",
            "/reviews/{key}",
        ];
        let looked_at: Vec<&str> = crate::routes::ROUTES
            .iter()
            .filter(|r| !r.changes && matches!(r.needs, Needs::Member | Needs::May(..)))
            .map(|r| r.path)
            .collect();
        for offer in OFFERS {
            assert!(looked_at.contains(&offer.page), "{} is no page that members look at", offer.page);
        }
        for page in looked_at {
            assert_ne!(
                OFFERS.iter().any(|offer| offer.page == page),
                NOT_FOR_PROGRAMS.contains(&page),
                "{page}: offer it in api/offers.rs, or name it here"
            );
        }
    }
}
