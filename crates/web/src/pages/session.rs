//! Coming in and going out: the one-time link, signing in, one's own sessions.

use app::{Join, Refused, Secret, SignIn};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use maud::{Markup, html};

use crate::acts::{AGAIN, ONCE};
use crate::answer::{Answer, Page};
use crate::door::{self, FORM};
use crate::fault::Fault;
use crate::pages::own::within;
use crate::parts::{self, many, theirs};
use crate::visit::Visit;

/// Where somebody wanted to go before they had to sign in.
fn then<'v>(visit: &'v Visit<'_>) -> &'v str {
    within(visit.field("then").or_else(|| visit.word("then")).unwrap_or("/"))
}

/// What went wrong with what somebody entered, in the page that they entered it in; anything else has a page of its own.
fn told(refused: Refused) -> Result<(StatusCode, String), Fault> {
    let text = refused.to_string();
    let fault = Fault::from(refused);
    match fault.code {
        "wrong_credentials" | "wait" | "unfit" => Ok((fault.status, text)),
        _ => Err(fault),
    }
}

fn field(name: &str, label: &str, kind: &str, fill: &str, value: &str, hint: Option<&str>) -> Markup {
    html! { div.f {
        label for=(name) { (label) }
        input.in id=(name) name=(name) type=(kind) autocomplete=(fill) value=[(!value.is_empty()).then_some(value)] required
            inputmode=[(fill == "one-time-code" && kind == "text").then_some("numeric")] aria-describedby=[hint.map(|_| format!("{name}-hint"))];
        @if let Some(hint) = hint { p.hint id=(format!("{name}-hint")) { (hint) } }
    } }
}

pub(crate) fn sign_in_form(visit: &Visit<'_>) -> Result<Answer, Fault> {
    if visit.who.is_some() {
        return Ok(Answer::Elsewhere { to: then(visit).to_owned(), cookies: vec![] });
    }
    if !visit.site.members().has_owner() {
        return Ok(Answer::alone(
            "Nobody is in yet",
            html! {
                h1 { "Nobody is a member yet" }
                p.sub.mt { "The first owner comes in by a one-time link, which was printed where " code { "tickmark serve" } " was started. A new start makes a new one." }
            },
        ));
    }
    form_to_sign_in(visit, StatusCode::OK, None, None)
}

/// A form that somebody sent after their session had ended: where to, and what was in it.
struct Kept {
    to: String,
    fields: Vec<(String, String)>,
}

/// What the fields of a kept form begin with.
const KEPT: &str = "kept.";
/// Fields of a form that are kept at most: more are no form of ours.
const MOST: usize = 1000;

/// The kept form that came with what somebody signs in with.
fn kept(visit: &Visit<'_>) -> Option<Kept> {
    let to = within(visit.field(AGAIN)?).to_owned();
    let fields = visit.fields.iter();
    let fields =
        fields.filter_map(|(name, value)| Some((name.strip_prefix(KEPT)?.to_owned(), value.clone())));
    Some(Kept { to, fields: fields.collect() })
}

/// The form to sign in, for whoever sent another form when their session had ended: that one is kept beside it, and nothing of it is
/// done.
pub(crate) fn interrupted(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let of_the_session = [FORM, ONCE, AGAIN, "password", "code"];
    let fields = visit.fields.iter().filter(|(name, _)| !of_the_session.contains(&name.as_str()));
    let fields: Vec<(String, String)> = fields.cloned().collect();
    if fields.len() > MOST {
        return Err(Refused::NotSignedIn.into());
    }
    let kept = Kept { to: visit.with(&[]), fields };
    let what =
        "your session has ended; sign in, and you get back what you entered; nothing has been done with it";
    form_to_sign_in(visit, StatusCode::UNAUTHORIZED, Some(what), Some(&kept))
}

/// Leads back to a kept form, with what was entered in it. It is shown, and not obeyed.
fn back_to(kept: &Kept, session: &Secret) -> Markup {
    html! {
        h1 { "You are in" }
        p.sub.mt8 { "What you had entered is kept. Nothing has been done with it: look at it and send it again." }
        form method="post" action=(kept.to) {
            input type="hidden" name=(FORM) value=(session.form_token());
            input type="hidden" name=(AGAIN) value="yes";
            @for (name, value) in &kept.fields { input type="hidden" name=(name) value=(value); }
            p.mt { button.btn.pri { "Show what I entered" } }
        }
    }
}

/// The form, with a secret that the browser has to bring back beside it.
fn form_to_sign_in(
    visit: &Visit<'_>,
    status: StatusCode,
    what: Option<&str>,
    kept: Option<&Kept>,
) -> Result<Answer, Fault> {
    let random: [u8; 32] = visit.site.random()?;
    let secret = Secret::parse(&URL_SAFE_NO_PAD.encode(random)).ok_or_else(door::not_own_form)?;
    let recovery = visit.word("with") == Some("recovery") || visit.field("with") == Some("recovery");
    let main = html! {
        h1 { "Sign in" }
        (parts::problem(what))
        form method="post" action="/sign-in" {
            input type="hidden" name=(FORM) value=(secret.form_token());
            input type="hidden" name="then" value=(then(visit));
            @if let Some(kept) = kept {
                input type="hidden" name=(AGAIN) value=(kept.to);
                @for (name, value) in &kept.fields { input type="hidden" name=(format!("{KEPT}{name}")) value=(value); }
            }
            @if recovery { input type="hidden" name="with" value="recovery"; }
            (field("email", "E-mail address", "email", "username", if visit.path == "/sign-in" { visit.field("email").unwrap_or("") } else { "" }, None))
            (field("password", "Password", "password", "current-password", "", None))
            @if recovery { (field("code", "Recovery code", "text", "off", "", Some("One of the codes that were shown once. Each counts once, and its use stands in the ledger."))) }
            @else { (field("code", "Code", "text", "one-time-code", "", Some("Six digits of your authenticator; each counts once."))) }
            p.mt { button.btn.pri { "Sign in" } }
        }
        // Another page would lose what is kept here.
        @if kept.is_none() { p.mt.small { @if recovery { a href=(crate::visit::address(&["sign-in"], [("then", then(visit))].into_iter())) { "Use the authenticator" } }
            @else { a href=(crate::visit::address(&["sign-in"], [("with", "recovery"), ("then", then(visit))].into_iter())) { "The authenticator is lost" } } } }
    };
    let cookies = vec![door::visitor(&secret, visit.origin)];
    Ok(Answer::Alone { status, title: "Sign in".to_owned(), main, cookies })
}

pub(crate) fn sign_in(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let kept = kept(visit);
    if !door::is_own_form(visit.sender.visitor.as_ref(), &visit.fields) {
        let what = "this form had been open for long, or cookies are off; enter it again";
        return form_to_sign_in(visit, StatusCode::FORBIDDEN, Some(what), kept.as_ref());
    }
    let text = |name| visit.field(name).unwrap_or("");
    let entered =
        SignIn { email: text("email").trim(), password: text("password"), code: text("code").trim() };
    let (members, came, now) = (visit.site.members(), visit.sender.came(), visit.site.now());
    let done = match visit.field("with") {
        Some("recovery") => members.recover(&mut visit.site.workspace(), &entered, &came, now),
        _ => members.sign_in(&entered, &came, now),
    };
    match done {
        Ok(signed_in) => {
            let cookies = door::entered(&signed_in, now, visit.origin);
            Ok(match &kept {
                Some(kept) => Answer::Alone {
                    status: StatusCode::OK,
                    title: "You are in".to_owned(),
                    main: back_to(kept, &signed_in.session),
                    cookies,
                },
                None => Answer::Elsewhere { to: then(visit).to_owned(), cookies },
            })
        }
        Err(refused) => {
            let (status, text) = told(refused)?;
            form_to_sign_in(visit, status, Some(&text), kept.as_ref())
        }
    }
}

fn link(visit: &Visit<'_>) -> Result<Secret, Fault> {
    Secret::parse(visit.name("link")).ok_or_else(|| Refused::Link.into())
}

pub(crate) fn join_form(visit: &Visit<'_>) -> Result<Answer, Fault> {
    form_to_join(visit, &link(visit)?, StatusCode::OK, None)
}

fn form_to_join(
    visit: &Visit<'_>,
    link: &Secret,
    status: StatusCode,
    what: Option<&str>,
) -> Result<Answer, Fault> {
    let opened = visit.site.members().opened(link, visit.site.now())?;
    let text = |name| visit.field(name).unwrap_or("");
    let main = html! {
        h1 { @match &opened.member { Some(member) => { "Welcome, " (theirs(&member.name)) }, None => "You are the first owner" } }
        p.sub.mt8 { @match &opened.member {
            Some(member) => { "Choose what you sign in with as " b { (theirs(&member.email)) } "." },
            None => "Say who you are, and choose what you sign in with.",
        } " This link holds until " (visit.time(opened.expires_at)) ", and once." }
        (parts::problem(what))
        form method="post" action=(visit.to(&["join", &link.reveal()])) {
            input type="hidden" name=(FORM) value=(link.form_token());
            @if opened.member.is_none() {
                (field("email", "E-mail address", "email", "username", text("email"), None))
                (field("name", "Name", "text", "name", text("name"), Some("What others see here.")))
            }
            (field("password", "Password", "password", "new-password", "", Some("At least twelve characters. A sentence that nobody says is a good one.")))
            section aria-labelledby="h-app" {
                div.sh { h2 id="h-app" { "Authenticator" } }
                p.sub { "Enter this secret into an authenticator app, then the code that it shows. On a phone, " a href=(opened.authenticator_address) { "open the app" } "." }
                p.mt8 { code.secret id="secret" { (in_fours(&opened.authenticator)) } }
                (field("code", "Code", "text", "one-time-code", "", Some("Six digits that the app shows now.")))
            }
            p.mt { button.btn.pri { "Come in" } }
        }
    };
    Ok(Answer::Alone { status, title: "Come in".to_owned(), main, cookies: vec![] })
}

/// A secret in groups of four letters, to be typed.
fn in_fours(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" ")
}

pub(crate) fn join(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let link = link(visit)?;
    if !door::is_own_form(Some(&link), &visit.fields) {
        return Err(door::not_own_form());
    }
    let text = |name| visit.field(name).map(str::trim).filter(|text| !text.is_empty());
    let join = Join {
        email: text("email"),
        name: text("name"),
        password: visit.field("password").unwrap_or(""),
        code: text("code").unwrap_or(""),
    };
    let now = visit.site.now();
    let joined =
        visit.site.members().join(&mut visit.site.workspace(), &link, &join, &visit.sender.came(), now);
    let joined = match joined {
        Ok(joined) => joined,
        Err(refused) => {
            let (status, text) = told(refused)?;
            return form_to_join(visit, &link, status, Some(&text));
        }
    };
    let main = html! {
        h1 { "You are in, " (theirs(&joined.signed_in.principal.name)) }
        p.sub.mt8 { "These codes stand in for the authenticator when it is lost, each once. They are shown now and never again: keep them where the authenticator is not." }
        ul.codes.mt { @for code in &joined.recovery { li { code { (code) } } } }
        p.mt { a.btn.pri href="/" { "I have kept them" } }
    };
    let cookies = door::entered(&joined.signed_in, now, visit.origin);
    Ok(Answer::Alone { status: StatusCode::OK, title: "You are in".to_owned(), main, cookies })
}

pub(crate) fn sign_out(visit: &Visit<'_>) -> Result<Answer, Fault> {
    if let Some(session) = &visit.sender.session {
        visit.site.members().sign_out(session)?;
    }
    Ok(Answer::Elsewhere { to: "/sign-in".to_owned(), cookies: vec![door::left(visit.origin)] })
}

pub(crate) fn sessions(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let who = visit.who()?;
    let sessions = visit.site.members().sessions(who, visit.site.now())?;
    let left = visit.site.members().recovery_left(who)?;
    let roles: Vec<&str> = who.roles.iter().map(|grant| grant.role.word()).collect();
    Page::new(visit, "Sessions").json(|| serde_json::json!({ "member": who, "sessions": sessions, "recovery_codes_left": left })).show(|| {
        html! {
            (parts::head("You", &html! { (theirs(&who.name)) ": " (many(sessions.len(), "session", "sessions")) },
                &html! { p { (theirs(&who.email)) " · decides as " code { (theirs(&who.called)) } " · " (roles.join(", ").replace('_', " ")) } }, &html! {}))
            p.sub { (many(usize::try_from(left).unwrap_or(0), "recovery code is", "recovery codes are")) " left. " @if left < 3 { b { "Ask an owner for a new link before they run out." } } }
            section aria-labelledby="h-sessions" { div.sh { h2 id="h-sessions" { "Where you are signed in" } p { "a session ends after an hour without use, and after twelve in any case" } }
                table.stack { caption.vh { "Your sessions" }
                    thead { tr { th scope="col" { "Browser" } th scope="col" { "From" } th scope="col" { "Since" } th scope="col" { "Last used" } th.num scope="col" { "End it" } } }
                    tbody { @for session in &sessions { tr {
                        th scope="row" { @if session.this { b { "This one" } " " } (theirs(&session.agent)) }
                        td.il data-l="from" { @if session.address.is_empty() { span.dim { "this machine" } } @else { (theirs(&session.address)) } }
                        td.il data-l="since" { (visit.time(session.made_at)) }
                        td.il data-l="last used" { (visit.time(session.seen_at)) }
                        td.num { form method="post" action=(visit.to(&["sessions", &session.id, "end"])) { (visit.form_token()) button.btn.tiny { "End" span.vh { " the session since " (visit.time(session.made_at)) } } } }
                    } } }
                }
                @if sessions.len() > 1 { form.mt method="post" action="/sessions/end-others" { (visit.form_token()) button.btn { "End all but this one" } } }
            }
        }
    })
}

pub(crate) fn end(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let who = visit.who()?;
    let id = visit.name("id");
    let this = who.session_id() == Some(id);
    visit.site.members().end_session(who, id)?;
    let (to, cookies) =
        if this { ("/sign-in", vec![door::left(visit.origin)]) } else { ("/sessions", vec![]) };
    Ok(Answer::Elsewhere { to: to.to_owned(), cookies })
}

pub(crate) fn end_others(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let who = visit.who()?;
    visit.site.members().end_sessions(app::Actor::Member(who), who.member, visit.site.now())?;
    Ok(Answer::Elsewhere { to: "/sessions".to_owned(), cookies: vec![] })
}
