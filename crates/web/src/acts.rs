//! Forms that change something: one way for all of them.
//!
//! A form carries a key by which it is obeyed once, however often it is sent, and the ledger entry that its writer had before their
//! eyes. What cannot be done is told in the form, with everything that was entered; so is what somebody else decided meanwhile,
//! and what was entered before a session ended. Whether somebody may is for `app`, which is asked at the instant of the act.

use app::{Actor, Principal, Refused, Scribe, Workspace};
use axum::http::StatusCode;
use maud::{Markup, html};

use crate::answer::Answer;
use crate::door::FORM;
use crate::fault::Fault;
use crate::parts::{self, theirs};
use crate::visit::Visit;

/// The key by which a form is obeyed once.
pub(crate) const ONCE: &str = "once";
/// What the writer of a form had before their eyes.
const SEEN: &str = "seen";
/// Says that a form is to be shown again and not obeyed.
pub(crate) const AGAIN: &str = "again";
/// What the name of a field begins with that says what stood in another when the form was opened.
const WAS: &str = "was-";
/// Longest text of a field, in characters.
const LONGEST: usize = 4000;

/// What a form is shown with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    /// As it is.
    Nothing,
    /// With what was entered before the session ended.
    Kept,
    /// With what is wrong with what was entered.
    Problem(String),
    /// With what somebody else did meanwhile.
    Changed(String),
    /// With a wish for a proof of who it is.
    Prove(StatusCode, String),
}

impl Told {
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Nothing | Self::Kept => StatusCode::OK,
            Self::Problem(_) => StatusCode::BAD_REQUEST,
            Self::Changed(_) => StatusCode::CONFLICT,
            Self::Prove(status, _) => *status,
        }
    }

    fn says(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            Self::Kept => Some(
                "This is what you had entered when the session ended; nothing has been done with it. Look at it and send it",
            ),
            Self::Problem(what) | Self::Changed(what) | Self::Prove(_, what) => Some(what),
        }
    }
}

/// Takes a form that was sent: has it decided, or shows it again. `known` are the names of its own fields; `decide` gives where it
/// leads.
pub(crate) fn act(
    visit: &Visit<'_>,
    known: impl Fn(&str) -> bool,
    show: impl Fn(&Told) -> Result<Answer, Fault>,
    decide: impl FnOnce(&mut Workspace, Actor<'_>, &Scribe<'_>) -> Result<String, Refused>,
) -> Result<Answer, Fault> {
    let who = visit.who()?;
    named(visit, known)?;
    if visit.field(AGAIN).is_some() {
        return show(&Told::Kept);
    }
    let once = once(visit)?;
    if let Some(what) = unreadable(visit) {
        return show(&Told::Problem(what));
    }
    if let Some(to) = visit.site.obeyed(once) {
        return Ok(Answer::Elsewhere { to, cookies: vec![] });
    }
    let done = prove(visit).and_then(|proved| visit.site.act(proved.as_ref().unwrap_or(who), once, decide));
    match done {
        Ok(to) => Ok(Answer::Elsewhere { to, cookies: vec![] }),
        Err(Refused::Unfit(what)) => show(&Told::Problem(what)),
        Err(changed @ Refused::Changed { .. }) => show(&Told::Changed(changed.to_string())),
        Err(refused @ (Refused::ProveAgain | Refused::Wrong | Refused::Wait { .. })) => {
            let what = refused.to_string();
            show(&Told::Prove(Fault::from(refused).status, what))
        }
        Err(refused) => Err(refused.into()),
    }
}

/// What no form of ours sends.
fn odd(what: String) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, "bad_form", what, "open the page again and send its own form")
}

/// Whether every field is one of the form's, and there once.
fn named(visit: &Visit<'_>, known: impl Fn(&str) -> bool) -> Result<(), Fault> {
    for (at, (name, _)) in visit.fields.iter().enumerate() {
        let named = name.strip_prefix(WAS).unwrap_or(name);
        if !matches!(name.as_str(), FORM | ONCE | SEEN | AGAIN) && !known(named) {
            return Err(odd(format!(
                "this form has no field `{}`",
                name.chars().take(40).collect::<String>()
            )));
        }
        if visit.fields.iter().take(at).any(|(other, _)| other == name) {
            return Err(odd(format!("the field `{name}` was sent twice")));
        }
    }
    Ok(())
}

/// The key of a form, which was given out to this session.
fn once<'v>(visit: &'v Visit<'_>) -> Result<&'v str, Fault> {
    let key = visit.field(ONCE).unwrap_or("");
    let session = visit.sender.session.as_ref();
    let ours = key
        .split_once('.')
        .is_some_and(|(text, seal)| session.is_some_and(|session| session.is_sealed(text, seal)));
    if ours { Ok(key) } else { Err(odd("this form bears no key of this session".to_owned())) }
}

/// Why a field cannot be taken, whatever it is for.
fn unreadable(visit: &Visit<'_>) -> Option<String> {
    visit.fields.iter().find_map(|(name, value)| {
        if value.chars().count() > LONGEST {
            return Some(format!(
                "`{name}` has more than {LONGEST} characters; shorten it, or add a file as evidence"
            ));
        }
        let hidden = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        value
            .contains(hidden)
            .then(|| format!("`{name}` holds characters that nobody sees; type it instead of pasting it"))
    })
}

impl Visit<'_> {
    /// What was entered into a field, without the blanks around it; nothing where it was left empty.
    pub(crate) fn entered(&self, name: &str) -> Option<String> {
        let text = self.field(name)?.replace("\r\n", "\n");
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// What was changed in a field since the form was opened: `None` where it stands as it stood, so that whoever changed another
    /// field meanwhile keeps theirs.
    pub(crate) fn changed(&self, name: &str) -> Option<Option<String>> {
        let entered = self.entered(name);
        (entered != self.entered(&format!("{WAS}{name}"))).then_some(entered)
    }

    /// What the writer of a form had before their eyes.
    pub(crate) fn had(&self) -> Option<i64> {
        self.field(SEEN).and_then(|seen| seen.parse().ok())
    }

    /// The same, of a form that has to say it.
    pub(crate) fn had_seen(&self) -> Result<i64, Fault> {
        self.had()
            .ok_or_else(|| odd("this form does not say which entry it was filled in against".to_owned()))
    }

    /// The fields that every form has.
    fn hidden(&self, told: &Told, seen: Option<i64>) -> Result<Markup, Fault> {
        let text: String = self.site.random::<12>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let seal = self.sender.session.as_ref().map(|session| session.seal(&text)).unwrap_or_default();
        // What somebody had before their eyes stays what it was until they are told what changed.
        let had = match told {
            Told::Nothing | Told::Changed(_) => None,
            _ => self.had(),
        };
        Ok(html! {
            (self.form_token())
            input type="hidden" name=(ONCE) value=(format!("{text}.{seal}"));
            @if let Some(seen) = seen { input type="hidden" name=(SEEN) value=(had.unwrap_or(seen)); }
        })
    }

    /// A form that is sent to the address it is shown at. `seen` is the ledger entry that it is filled in against.
    pub(crate) fn form_of(
        &self,
        told: &Told,
        seen: Option<i64>,
        inputs: &Markup,
        button: &str,
        back: &str,
    ) -> Result<Markup, Fault> {
        let hidden = self.hidden(told, seen)?;
        Ok(html! {
            (parts::problem(told.says()))
            form.fill method="post" action=(self.with(&[])) {
                (hidden)
                (inputs)
                p.mt { button.btn.pri { (button) } " " a.btn href=(back) { "Leave it" } }
            }
        })
    }
}

/// How a field is entered.
#[derive(Clone, Copy)]
pub(crate) enum Kind<'a> {
    /// One line.
    Line,
    /// Several lines.
    Text,
    /// A whole number.
    Number,
    /// A day.
    Day,
    /// A day and what the clocks showed.
    Moment,
    /// One of these words, each with what it is called; none of them where it may be left open, which is called so.
    Choice { none: Option<&'a str>, of: &'a [(String, String)] },
    /// What proves who somebody is; never shown again.
    Secret(&'a str),
}

/// A field of a form.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) name: &'a str,
    pub(crate) label: &'a str,
    pub(crate) hint: &'a str,
    /// What stands in it before anybody entered anything.
    pub(crate) value: &'a str,
    pub(crate) required: bool,
    pub(crate) kind: Kind<'a>,
}

/// A field, with what was entered where the form is shown again; of what somebody else changed meanwhile, with theirs where the writer
/// had left it as it was.
pub(crate) fn input(visit: &Visit<'_>, told: &Told, input: Input<'_>) -> Markup {
    let Input { name, label, hint, value, required, kind } = input;
    let id = format!("f-{name}");
    let described = (!hint.is_empty()).then(|| format!("{id}-hint"));
    let earlier = format!("{WAS}{name}");
    let (was, value) = match told {
        Told::Nothing => (value, value),
        Told::Changed(_) => match visit.changed(name) {
            None => (value, value),
            Some(_) => (value, visit.field(name).unwrap_or(value)),
        },
        _ => (visit.field(&earlier).unwrap_or(value), visit.field(name).unwrap_or(value)),
    };
    let is_secret = matches!(kind, Kind::Secret(_));
    let line = |kind: &str, fill: &str, value: &str| {
        html! { input.in id=(id) name=(name) type=(kind) autocomplete=(fill) value=[(!value.is_empty()).then_some(value)] required[required]
        inputmode=[(fill == "one-time-code").then_some("numeric")] aria-describedby=[described.as_deref()]; }
    };
    html! { div.f {
        label for=(id) { (label) @if !required { " " span.hint { "may be left empty" } } }
        @match kind {
            Kind::Line => (line("text", "off", value)),
            Kind::Number => (line("number", "off", value)),
            Kind::Day => (line("date", "off", value)),
            // What is no moment a clock shows is written as it is: an end that is open.
            Kind::Moment if value == "forever" => (line("text", "off", value)),
            Kind::Moment => (line("datetime-local", "off", value)),
            Kind::Secret(fill) => (line(if fill == "one-time-code" { "text" } else { "password" }, fill, "")),
            Kind::Text => textarea id=(id) name=(name) rows="3" required[required] aria-describedby=[described.as_deref()] { "\n" (value) },
            Kind::Choice { none, of } => select id=(id) name=(name) required[required] aria-describedby=[described.as_deref()] {
                @if let Some(none) = none { option value="" selected[value.is_empty()] { (none) } }
                @for (word, called) in of { option value=(word) selected[word == value] { (called) } }
                // A word that is none of them is shown, to be told apart and not lost.
                @if !value.is_empty() && !of.iter().any(|(word, _)| word == value) { option value=(value) selected { (value) } }
            },
        }
        @if !hint.is_empty() { p.hint id=(format!("{id}-hint")) { (theirs(hint)) } }
        @if !is_secret && !was.is_empty() { input type="hidden" name=(earlier) value=(was); }
    } }
}

/// Fields for the password and a code, where whoever asks has not proved lately who they are.
pub(crate) fn proof(visit: &Visit<'_>, told: &Told) -> Result<Markup, Fault> {
    let who = visit.who()?;
    let is_due = matches!(
        who.may(app::Action::Manage, app::Resource::Members, visit.site.now()),
        Err(Refused::ProveAgain)
    );
    let secret = |name, label, fill, hint| {
        input(visit, told, Input { name, label, hint, value: "", required: true, kind: Kind::Secret(fill) })
    };
    Ok(html! { @if is_due {
        (secret("password", "Your password", "current-password", "This can lock people out, so it wants a fresh proof that it is you."))
        (secret("code", "Code", "one-time-code", "Six digits of your authenticator; each counts once."))
    } })
}

/// Takes a proof that came with a form.
fn prove(visit: &Visit<'_>) -> Result<Option<Principal>, Refused> {
    let (Some(session), Some(password), Some(code)) =
        (&visit.sender.session, visit.field("password"), visit.field("code"))
    else {
        return Ok(None);
    };
    let (came, now) = (visit.sender.came(), visit.site.now());
    visit.site.members().prove(session, password, code.trim(), &came, now).map(Some)
}
