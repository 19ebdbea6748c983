//! What every answer has in common: bounds on what is sent, whose page may send it, headers, and errors in words.

use std::sync::Arc;
use std::time::Duration;

use app::Refused;
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, ETAG, HOST,
    IF_NONE_MATCH, LOCATION, ORIGIN, REFERRER_POLICY, SET_COOKIE, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tower::ServiceExt as _;

use crate::answer::{Answer, Form};
use crate::api::{self, Offer, Paging, Wants};
use crate::assets::Asset;
use crate::door::{self, Needs, Sender};
use crate::fault::Fault;
use crate::layout;
use crate::pages::session;
use crate::routes::{self, Route};
use crate::site::Site;
use crate::visit::{HOME, Visit, address};

/// The longest form that may be sent.
const MAX_BODY: usize = 64 * 1024;
/// The longest form to sign in, without one that was kept.
const SIGN_IN: usize = 16 * 1024;
/// The longest address.
const MAX_ADDRESS: usize = 16 * 1024;
/// How long a form may take to arrive.
const PATIENCE: Duration = Duration::from_secs(15);

/// What may be loaded, and by whom a page may be framed: nothing from elsewhere, and by nobody.
const POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";
/// Bytes of others are nothing that a browser should show.
const POLICY_OF_FILES: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// Under which names a site is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The host, with its port where it is named, behind which somebody speaks TLS for us.
    public: Option<String>,
}

impl Origin {
    /// From this machine alone.
    #[must_use]
    pub const fn this_machine() -> Self {
        Self { public: None }
    }

    /// Under an address that people type, such as `https://soc2.example.com`.
    ///
    /// # Errors
    /// It is none, or passwords would travel in the clear.
    pub fn public(address: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            Err(format!(
                "`origin` in [serve] {why}; write the address that people type, such as https://soc2.example.com"
            ))
        };
        let Ok(uri) = address.parse::<Uri>() else { return wrong("is no address") };
        let Some(authority) = uri.authority() else { return wrong("names no host") };
        if uri.scheme_str() != Some("https") {
            return wrong("has to begin with https://: passwords never travel in the clear");
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || authority.as_str().contains('@') {
            return wrong("is more than scheme, host and port");
        }
        Ok(Self { public: Some(authority.as_str().to_ascii_lowercase()) })
    }

    /// Whether browsers reach it by TLS.
    pub(crate) const fn is_secure(&self) -> bool {
        self.public.is_some()
    }

    /// What stands before a path for people elsewhere; nothing where only this machine reaches it.
    pub(crate) fn address(&self) -> String {
        self.public.as_ref().map(|host| format!("https://{host}")).unwrap_or_default()
    }

    /// Whether a request may name this host. Another name that leads here is somebody's page that wants to be taken for ours.
    fn is_ours(&self, host: &str) -> bool {
        let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
        let name = name.map_or(host, |(name, _)| name);
        let local = ["localhost", "127.0.0.1", "[::1]"].iter().any(|ours| name.eq_ignore_ascii_case(ours));
        local || self.public.as_deref().is_some_and(|ours| host.eq_ignore_ascii_case(ours))
    }

    /// Whether a form comes from a page of this site.
    fn sent_from_here(&self, headers: &HeaderMap) -> bool {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        // What a browser says of itself; a page cannot forge either.
        let site = headers.get("sec-fetch-site").map(|value| value.as_bytes());
        match (text(&ORIGIN), text(&HOST)) {
            (Some(origin), Some(host)) => {
                let here =
                    |scheme: &str| origin.strip_prefix(scheme).is_some_and(|o| o.eq_ignore_ascii_case(host));
                here("https://") || (!self.is_secure() && here("http://"))
            }
            (None, _) => site == Some(b"same-origin"),
            (Some(_), None) => false,
        }
    }
}

/// The site as requests meet it.
#[derive(Clone)]
pub struct Front {
    pub(crate) site: Arc<Site>,
    pub(crate) origin: Arc<Origin>,
    router: Router,
}

/// Where a request comes from, put beside it by whoever accepted the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub std::net::IpAddr);

/// What is known of a request before its route is.
struct Arrived {
    id: String,
    form: Form,
    path: String,
    query: Vec<(String, String)>,
    theme: Option<&'static str>,
    fields: Vec<(String, String)>,
    if_none_match: Option<String>,
    wants: Wants,
    sender: Sender,
}

impl Front {
    /// The routes over a site.
    #[must_use]
    pub fn new(site: Arc<Site>, origin: Origin) -> Self {
        let origin = Arc::new(origin);
        let pages = routes::ROUTES.iter().map(|route| (route.path.to_owned(), route, None));
        let offered = api::OFFERS.iter().filter_map(|offer| {
            let route = routes::ROUTES.iter().find(|r| r.path == offer.page && !r.changes)?;
            Some((format!("{}{}", api::PREFIX, offer.path), route, Some(offer)))
        });
        let mut router = Router::new();
        for (path, route, offer) in pages.chain(offered) {
            let (site, origin) = (Arc::clone(&site), Arc::clone(&origin));
            let handler = move |params: Result<RawPathParams, RawPathParamsRejection>, request: Request| {
                let (site, origin) = (Arc::clone(&site), Arc::clone(&origin));
                async move { visited(site, origin, (route, offer), params.ok(), request).await }
            };
            let method =
                if route.changes { axum::routing::post(handler) } else { axum::routing::get(handler) };
            router = router.route(&path, method);
        }
        Self { site, origin, router }
    }

    /// Answers a request, whatever it is.
    pub async fn answer(&self, request: Request) -> Response {
        // Without randomness there is still an answer, and it says so where randomness matters.
        let id = self.site.random::<8>().unwrap_or_default();
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let theme = theme(request.headers());
        let form = form_of(request.uri().path()).0;
        let by_program = api::is_for_programs(request.uri().path());
        let mut response = match self.arrived(request, &id, theme).await {
            Ok(response) => response,
            Err(fault) => self.refused(&fault, &id, form, theme),
        };
        // What only the router could say: it has no words of its own.
        let wordless = !response.headers().contains_key(CONTENT_TYPE);
        let fault = match response.status() {
            StatusCode::NOT_FOUND if wordless => Some(Fault::new(
                StatusCode::NOT_FOUND,
                "not_found",
                "there is nothing at this address",
                "follow a link of the navigation, or search",
            )),
            StatusCode::METHOD_NOT_ALLOWED if wordless => Some(Fault::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "this address is not asked in that way",
                "use the methods that the header `allow` names",
            )),
            _ => None,
        };
        if let Some(fault) = fault {
            let allow = response.headers().get(ALLOW).cloned();
            response = self.refused(&fault, &id, form, theme);
            if let Some(allow) = allow {
                response.headers_mut().insert(ALLOW, allow);
            }
        }
        if by_program {
            api::challenged(&mut response);
        }
        self.sealed(&mut response, &id);
        response
    }

    async fn arrived(
        &self,
        request: Request,
        id: &str,
        theme: Option<&'static str>,
    ) -> Result<Response, Fault> {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        if !host.is_some_and(|host| self.origin.is_ours(host)) {
            return Err(Fault::new(
                StatusCode::MISDIRECTED_REQUEST,
                "wrong_host",
                "this is not the name of this site",
                "use the address it was started with, or name the public one as `origin` under [serve] in tickmark.toml",
            ));
        }
        if request.uri().path_and_query().map_or(0, |all| all.as_str().len()) > MAX_ADDRESS {
            return Err(Fault::new(
                StatusCode::URI_TOO_LONG,
                "address_too_long",
                "the address is too long",
                "ask for less at once",
            ));
        }
        let (mut parts, body) = request.into_parts();
        let mut fields = vec![];
        // No form is sent to the API: what it takes, it takes with a token, which no browser sends by itself.
        let by_program = api::is_for_programs(parts.uri.path());
        if !matches!(parts.method, Method::GET | Method::HEAD) && !by_program {
            if !self.origin.sent_from_here(&parts.headers) {
                return Err(Fault::new(
                    StatusCode::FORBIDDEN,
                    "other_origin",
                    "this form was not sent from a page of this site",
                    "open the page here and send it again",
                ));
            }
            // Beside what somebody signs in with there is room for a whole form that was kept for them.
            let room = if parts.uri.path() == "/sign-in" { SIGN_IN } else { 0 };
            fields = sent(&parts.headers, body, MAX_BODY + room).await?;
        }
        let (form, path) = form_of(parts.uri.path());
        let (path, query) = (path.to_owned(), pairs(parts.uri.query().unwrap_or("").as_bytes()));
        parts.uri = path.parse().map_err(|_| {
            Fault::new(
                StatusCode::BAD_REQUEST,
                "bad_address",
                "this is no address",
                "follow a link of the navigation",
            )
        })?;
        let if_none_match = parts.headers.get(IF_NONE_MATCH).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let wants = Wants::of(&parts.headers);
        let peer = parts.extensions.get::<Peer>().map(|peer| peer.0);
        let sender = Sender::of(&parts.headers, &self.origin, peer);
        let id = id.to_owned();
        let arrived = Arrived { id, form, path, query, theme, fields, if_none_match, wants, sender };
        parts.extensions.insert(Arc::new(arrived));
        let request = Request::from_parts(parts, Body::empty());
        match self.router.clone().oneshot(request).await {
            Ok(response) => Ok(response),
            Err(never) => match never {},
        }
    }

    fn refused(&self, fault: &Fault, id: &str, form: Form, theme: Option<&str>) -> Response {
        refused(&self.site, fault, id, form, theme)
    }

    /// The headers of every answer.
    fn sealed(&self, response: &mut Response, id: &str) {
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: &'static str| {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        };
        set(CONTENT_SECURITY_POLICY, POLICY);
        set(X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(REFERRER_POLICY, "same-origin");
        set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
        set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
        set(
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        );
        set(CACHE_CONTROL, "no-store");
        if self.origin.is_secure() {
            set(STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
        }
        if let Ok(id) = HeaderValue::from_str(id) {
            headers.insert(HeaderName::from_static("x-request-id"), id);
        }
    }
}

/// The form that a path asks for, and the path without it.
fn form_of(path: &str) -> (Form, &str) {
    let cut =
        |suffix: &str, form| path.strip_suffix(suffix).filter(|rest| !rest.ends_with('/')).map(|p| (form, p));
    if path.starts_with("/assets/") {
        return (Form::Html, path);
    }
    if api::is_for_programs(path) {
        return (Form::Json, path);
    }
    match cut(".json", Form::Json).or_else(|| cut(".csv", Form::Csv)) {
        Some((form, rest)) if rest.strip_prefix('/') == Some(HOME) => (form, "/"),
        Some(found) => found,
        None => (Form::Html, path),
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

/// The fields of a form that was sent.
async fn sent(headers: &HeaderMap, body: Body, most: usize) -> Result<Vec<(String, String)>, Fault> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Fault::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "what was sent is no form",
            "send application/x-www-form-urlencoded",
        ));
    }
    match tokio::time::timeout(PATIENCE, Limited::new(body, most).collect()).await {
        Ok(Ok(body)) => Ok(pairs(&body.to_bytes())),
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(Fault::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("a form has at most {} kB", most / 1024),
            "send less at once",
        )),
        Ok(Err(_)) => {
            Err(Fault::new(StatusCode::BAD_REQUEST, "broken_off", "the request broke off", "send it again"))
        }
        Err(_) => Err(Fault::new(
            StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            "the request took too long to arrive",
            "send it again",
        )),
    }
}

/// The cookies of a request by their names.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

fn theme(headers: &HeaderMap) -> Option<&'static str> {
    ["light", "dark"].into_iter().find(|theme| cookie(headers, "theme") == Some(theme))
}

/// Runs a route's function where it may wait for the disk.
async fn visited(
    site: Arc<Site>,
    origin: Arc<Origin>,
    to: (&'static Route, Option<&'static Offer>),
    params: Option<RawPathParams>,
    mut request: Request,
) -> Response {
    let Some(arrived) = request.extensions_mut().remove::<Arc<Arrived>>() else {
        // Only `arrived` comes here.
        return said(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", vec![]);
    };
    let named = params.iter().flat_map(|params| params.iter());
    let named: Vec<(String, String)> = named.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    let (kept, asked) = (Arc::clone(&site), Arc::clone(&arrived));
    let ran = tokio::task::spawn_blocking(move || let_in(&kept, &origin, to, named, &asked));
    let Arrived { id, form, theme, .. } = &*arrived;
    match ran.await {
        Ok(response) => response,
        // It panicked. What it held is released, and nothing that it wrote is half done.
        Err(_) => {
            site.log(&format!("request {id}: a page broke; please report it"));
            let fault = Fault::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "this page broke, which is our mistake",
                "try again, and report it with the request's number",
            );
            refused(&site, &fault, id, *form, *theme)
        }
    }
}

/// Answers whoever may be answered.
fn let_in(
    site: &Site,
    origin: &Origin,
    (route, offer): (&Route, Option<&Offer>),
    named: Vec<(String, String)>,
    arrived: &Arrived,
) -> Response {
    let Arrived { id, form, path, query, theme, fields, if_none_match, wants, sender } = arrived;
    let answered = || -> Result<Response, Fault> {
        let who = sender.who(site)?;
        // Whoever is in is known by a cookie, which a browser sends along with everybody's forms.
        if route.changes && who.is_some() && !door::is_own_form(sender.session.as_ref(), fields) {
            return Err(door::not_own_form());
        }
        let admitted = door::admitted(route.needs, who.as_ref(), site.now());
        let mut visit = Visit {
            site,
            id: id.clone(),
            path: path.clone(),
            form: *form,
            paging: None,
            named,
            query: query.clone(),
            theme: *theme,
            fields: fields.clone(),
            origin,
            sender,
            who,
        };
        match admitted {
            Err(Refused::NotSignedIn) if *form == Form::Html && !route.changes => {
                let query = query.iter().map(|(k, v)| (k.as_str(), v.as_str()));
                let pieces: Vec<&str> = path.split('/').filter(|piece| !piece.is_empty()).collect();
                let then = address(&pieces, query);
                let to = address(&["sign-in"], [("then", then.as_str())].into_iter());
                return Ok(elsewhere(&to, &[]));
            }
            // Whoever filled in a form for an hour does not lose it to the end of their session.
            Err(Refused::NotSignedIn) if *form == Form::Html && matches!(route.needs, Needs::Reach(..)) => {
                return Ok(shown(&visit, session::interrupted(&visit)?, None));
            }
            admitted => admitted?,
        }
        if let Some(offer) = offer {
            visit.paging = Some(Paging::of(offer, path, query)?);
            wants.accepts(offer.media_type())?;
        }
        let answer = (route.answer)(&visit)?;
        Ok(match offer {
            Some(offer) => api::shown(offer, &visit, answer, wants),
            None => shown(&visit, answer, if_none_match.as_deref()),
        })
    };
    answered().unwrap_or_else(|fault| {
        if fault.status.is_server_error() {
            site.log(&format!("request {id} of {path}: {}", fault.cause));
        }
        refused(site, &fault, id, *form, *theme)
    })
}

pub(crate) fn shown(visit: &Visit<'_>, answer: Answer, if_none_match: Option<&str>) -> Response {
    match answer {
        Answer::Page(sheet) => {
            let page = layout::framed(visit, &sheet).into_string();
            said(sheet.status, HTML, page.into_bytes())
        }
        Answer::Alone { status, title, main, cookies } => {
            let page = layout::alone(visit.site, visit.theme, &title, &main).into_string();
            let mut response = said(status, HTML, page.into_bytes());
            kept(&mut response, &cookies);
            response
        }
        Answer::Json(document) => said(StatusCode::OK, JSON, pretty(&document)),
        Answer::Csv(text) => {
            let mut response = said(StatusCode::OK, "text/csv; charset=utf-8", text.into_bytes());
            let name = visit.path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(HOME);
            attached(&mut response, &format!("{name}.csv"));
            response
        }
        Answer::File { name, bytes } => {
            let mut response = said(StatusCode::OK, "application/octet-stream", bytes);
            attached(&mut response, &name);
            let policy = HeaderValue::from_static(POLICY_OF_FILES);
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
            response
        }
        Answer::Asset(asset) => asset_shown(visit, asset, if_none_match),
        Answer::Elsewhere { to, cookies } => elsewhere(&to, &cookies),
    }
}

fn elsewhere(to: &str, cookies: &[String]) -> Response {
    let mut response = said(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", vec![]);
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    kept(&mut response, cookies);
    response
}

/// Has a browser keep cookies.
fn kept(response: &mut Response, cookies: &[String]) {
    for cookie in cookies {
        if let Ok(cookie) = HeaderValue::from_str(cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
}

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

fn asset_shown(visit: &Visit<'_>, asset: &'static Asset, if_none_match: Option<&str>) -> Response {
    let tag = format!("\"{}\"", asset.tag);
    let same = if_none_match
        .is_some_and(|known| known.split(',').any(|k| matches!(k.trim(), k if k == tag || k == "*")));
    let mut response = match same {
        true => said(StatusCode::NOT_MODIFIED, asset.media_type, vec![]),
        false => said(StatusCode::OK, asset.media_type, asset.bytes.to_vec()),
    };
    // Under the address that names its digest it never changes.
    let forever = visit.word("v") == Some(&asset.tag);
    let keep = if forever { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}

pub(crate) fn pretty(document: &serde_json::Value) -> Vec<u8> {
    // A document of texts, numbers and lists always has a text.
    let mut text = serde_json::to_vec_pretty(document).unwrap_or_default();
    text.push(b'\n');
    text
}

/// What cannot be answered, in the form that was asked for.
fn refused(site: &Site, fault: &Fault, id: &str, form: Form, theme: Option<&str>) -> Response {
    match form {
        Form::Json => said(fault.status, "application/problem+json", pretty(&fault.problem(id))),
        Form::Html | Form::Csv => {
            said(fault.status, HTML, layout::fault(site, theme, fault, id).into_string().into_bytes())
        }
    }
}

/// Has a browser keep an answer as a file. Only plain characters of a name reach the header.
fn attached(response: &mut Response, name: &str) {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{plain}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
}

pub(crate) fn said(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_address_is_https_and_nothing_more() {
        assert_eq!(Origin::public("https://Soc2.example.com").unwrap().public.unwrap(), "soc2.example.com");
        assert_eq!(
            Origin::public("https://soc2.example.com:8443/").unwrap().public.unwrap(),
            "soc2.example.com:8443"
        );
        for wrong in [
            "",
            "soc2.example.com",
            "http://soc2.example.com",
            "https://a@b",
            "https://a/b",
            "https://a?b",
            "x",
        ] {
            assert!(Origin::public(wrong).unwrap_err().contains("; write the address"), "{wrong}");
        }
    }

    #[test]
    fn only_our_own_names_are_ours() {
        let public = Origin::public("https://soc2.example.com").unwrap();
        let local = Origin::this_machine();
        for host in ["localhost", "localhost:8321", "127.0.0.1:8321", "[::1]:8321", "[::1]", "LOCALHOST:1"] {
            assert!(local.is_ours(host) && public.is_ours(host), "{host}");
        }
        assert!(public.is_ours("soc2.example.com") && !local.is_ours("soc2.example.com"));
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "soc2.example.com:1",
            "::1",
        ] {
            assert!(!local.is_ours(host) && !public.is_ours(host), "{host}");
        }
    }

    #[test]
    fn a_suffix_names_the_form() {
        assert_eq!(form_of("/"), (Form::Html, "/"));
        assert_eq!(form_of("/home.json"), (Form::Json, "/"));
        assert_eq!(form_of("/controls.csv"), (Form::Csv, "/controls"));
        assert_eq!(form_of("/controls/CHG-02.json"), (Form::Json, "/controls/CHG-02"));
        assert_eq!(form_of("/controls/.json"), (Form::Html, "/controls/.json"));
        assert_eq!(form_of("/api/v1/openapi.json"), (Form::Json, "/api/v1/openapi.json"));
        assert_eq!(form_of("/assets/x.json"), (Form::Html, "/assets/x.json"));
    }
}
