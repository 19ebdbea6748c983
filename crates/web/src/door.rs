//! Who comes in: what a request says of who sends it, what a route needs, and the cookies by which a browser is known again.
//!
//! What a role may do is not decided here but in `app`, which is asked for every request with the roles of that moment.

use app::{Action, Origin as Came, Principal, Refused, Resource, Secret};
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use model::Instant;

use crate::fault::Fault;
use crate::respond::{Origin, cookie};
use crate::site::Site;

/// What it takes to be answered by a route.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Needs {
    /// Nothing: whoever is not in yet has to see it.
    Nothing,
    /// To be signed in; it is about oneself.
    Member,
    /// Permission to do this, to all of these.
    May(Action, &'static [Resource]),
    /// The same for a form: a fresh proof, and whether it is theirs, is asked for by the act itself.
    Reach(Action, Resource),
}

/// What a request says of who sends it. Nothing of it is believed yet.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) session: Option<Secret>,
    pub(crate) device: Option<Secret>,
    /// Of a form that was shown to somebody who was not in.
    pub(crate) visitor: Option<Secret>,
    /// A token that is none opens nothing, whatever cookie comes beside it.
    token: Option<Option<Secret>>,
    address: String,
    agent: String,
}

const SESSION: &str = "tickmark";
const DEVICE: &str = "tickmark-device";
const VISITOR: &str = "tickmark-visitor";
/// How long a browser remembers that somebody signed in on it.
const DEVICE_SECONDS: i64 = 365 * 24 * 60 * 60;
/// The name of the field that shows that a form is ours.
pub(crate) const FORM: &str = "form";

impl Sender {
    /// Reads the headers of a request that came from `peer`. A proxy in front of us names who sent it to it; anybody else's word for
    /// that is worth nothing.
    pub(crate) fn of(headers: &HeaderMap, origin: &Origin, peer: Option<std::net::IpAddr>) -> Self {
        let secret = |name: &str| cookie(headers, &named(name, origin)).and_then(Secret::parse);
        let text =
            |value: Option<&axum::http::HeaderValue>| value.and_then(|v| v.to_str().ok()).map(str::to_owned);
        let token = text(headers.get(AUTHORIZATION));
        let token = token.as_deref().and_then(|t| t.strip_prefix("Bearer ")).map(|t| Secret::parse(t.trim()));
        let forwarded = text(headers.get_all("x-forwarded-for").iter().next_back());
        let forwarded = forwarded.as_deref().and_then(|all| all.rsplit(',').next()?.trim().parse().ok());
        let by_proxy = origin.is_secure() && peer.is_none_or(|peer| peer.is_loopback());
        let address = if by_proxy { forwarded.or(peer) } else { peer };
        Self {
            session: secret(SESSION),
            device: secret(DEVICE),
            visitor: secret(VISITOR),
            token,
            address: address.map(|a| a.to_string()).unwrap_or_default(),
            agent: text(headers.get(USER_AGENT)).unwrap_or_default(),
        }
    }

    /// Where somebody comes from, for who counts their tries.
    pub(crate) fn came(&self) -> Came<'_> {
        Came { address: &self.address, agent: &self.agent, device: self.device.as_ref() }
    }

    /// Who it is, if anybody.
    pub(crate) fn who(&self, site: &Site) -> Result<Option<Principal>, Refused> {
        let now = site.now();
        let found = match (&self.token, &self.session) {
            (Some(Some(token)), _) => return site.members().token(token, now).map(Some),
            (Some(None), _) => return Err(Refused::NotSignedIn),
            (None, Some(session)) => site.members().session(session, now),
            (None, None) => return Ok(None),
        };
        match found {
            Err(Refused::NotSignedIn) => Ok(None),
            found => found.map(Some),
        }
    }
}

/// Whether a route lets somebody in.
pub(crate) fn admitted(needs: Needs, who: Option<&Principal>, now: Instant) -> Result<(), Refused> {
    match (needs, who) {
        (Needs::Nothing, _) | (Needs::Member, Some(_)) => Ok(()),
        (Needs::Member | Needs::May(..) | Needs::Reach(..), None) => Err(Refused::NotSignedIn),
        (Needs::Reach(action, resource), Some(who)) => {
            who.reach(action, resource).map(drop).ok_or(Refused::NotAllowed { action, resource })
        }
        (Needs::May(action, resources), Some(who)) => {
            resources.iter().try_for_each(|resource| who.may(action, *resource, now).map(drop))
        }
    }
}

/// Whether a form was made for this session by us.
pub(crate) fn is_own_form(session: Option<&Secret>, fields: &[(String, String)]) -> bool {
    let sent = fields.iter().find(|(name, _)| name == FORM);
    matches!((session, sent), (Some(session), Some((_, sent))) if session.is_form_token(sent))
}

/// A form that somebody else made, or that is of a session before.
pub(crate) fn not_own_form() -> Fault {
    Fault::new(
        StatusCode::FORBIDDEN,
        "stale_form",
        "this form is of another session, or was not made here",
        "open the page again and send it once more",
    )
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        let (status, code) = match &refused {
            Refused::NotSignedIn => (StatusCode::UNAUTHORIZED, "not_signed_in"),
            Refused::Wrong => (StatusCode::UNAUTHORIZED, "wrong_credentials"),
            Refused::Wait { .. } => (StatusCode::TOO_MANY_REQUESTS, "wait"),
            Refused::Link => (StatusCode::GONE, "dead_link"),
            Refused::NotAllowed { .. } => (StatusCode::FORBIDDEN, "not_allowed"),
            Refused::ProveAgain => (StatusCode::FORBIDDEN, "prove_again"),
            Refused::Unfit(_) => (StatusCode::BAD_REQUEST, "unfit"),
            Refused::Changed { .. } => (StatusCode::CONFLICT, "changed"),
            // What a later version refuses is refused here, too.
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        let text = app::AppError::Other(refused.to_string());
        Self { status, code, ..Self::asked(&text) }
    }
}

/// The name of a cookie. Behind TLS the browser itself holds it to this host, whole.
fn named(name: &str, origin: &Origin) -> String {
    if origin.is_secure() { format!("__Host-{name}") } else { name.to_owned() }
}

fn set(name: &str, value: &str, seconds: i64, origin: &Origin) -> String {
    let secure = if origin.is_secure() { "; Secure" } else { "" };
    format!("{}={value}; Path=/; Max-Age={seconds}; SameSite=Lax; HttpOnly{secure}", named(name, origin))
}

/// The cookies of somebody who has just come in.
pub(crate) fn entered(signed_in: &app::SignedIn, now: Instant, origin: &Origin) -> Vec<String> {
    let seconds = (signed_in.expires_at.ms() - now.ms()).max(0) / 1000;
    vec![
        set(SESSION, &signed_in.session.reveal(), seconds, origin),
        set(DEVICE, &signed_in.device.reveal(), DEVICE_SECONDS, origin),
        set(VISITOR, "", 0, origin),
    ]
}

/// The cookie that goes with who goes out.
pub(crate) fn left(origin: &Origin) -> String {
    set(SESSION, "", 0, origin)
}

/// The cookie of a form for somebody who is not in.
pub(crate) fn visitor(secret: &Secret, origin: &Origin) -> String {
    set(VISITOR, &secret.reveal(), 60 * 60, origin)
}
