//! A request, as pages see it: what it names, and addresses that keep what it asks about.

use std::fmt::Write as _;
use std::sync::Arc;

use app::{Action, Principal, Reach, Refused, Resource};
use axum::http::StatusCode;
use maud::Markup;
use model::Instant;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::answer::Form;
use crate::api::Paging;
use crate::door::{FORM, Sender};
use crate::fault::Fault;
use crate::respond::Origin;
use crate::site::{Days, Seen, Site};

/// What stays as it is in a piece of a path.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':').remove(b'@');

/// What the first page is called where a form is asked for: `/home.json`.
pub(crate) const HOME: &str = "home";

/// Longest text of a filter. Whatever is longer is cut off: it finds nothing that a shorter one does not.
pub(crate) const LONGEST: usize = 200;

/// The longest period that is worked out for a page: three years and some days.
const LONGEST_PERIOD_MS: i64 = 1100 * 24 * 60 * 60 * 1000;

/// One request.
#[derive(Clone)]
pub(crate) struct Visit<'s> {
    pub(crate) site: &'s Site,
    /// Its number, which its answer bears.
    pub(crate) id: String,
    /// The path without the suffix of a form, as it was sent.
    pub(crate) path: String,
    /// What it is asked for in.
    pub(crate) form: Form,
    /// The part of a list that a program asks for.
    pub(crate) paging: Option<Paging>,
    /// The pieces of the path that the route left open.
    pub(crate) named: Vec<(String, String)>,
    /// The query, decoded.
    pub(crate) query: Vec<(String, String)>,
    /// The scheme of colours that this browser chose.
    pub(crate) theme: Option<&'static str>,
    /// Fields of a form that was sent.
    pub(crate) fields: Vec<(String, String)>,
    /// Under which names the site is reached.
    pub(crate) origin: &'s Origin,
    /// What the request says of who sends it.
    pub(crate) sender: &'s Sender,
    /// Who sends it.
    pub(crate) who: Option<Principal>,
}

impl Visit<'_> {
    /// Whoever has to be there, since the route needs them.
    pub(crate) fn who(&self) -> Result<&Principal, Fault> {
        self.who.as_ref().ok_or_else(|| Refused::NotSignedIn.into())
    }

    /// How far they may read something.
    pub(crate) fn reads(&self, resource: Resource) -> Option<Reach> {
        self.who.as_ref()?.reach(Action::Read, resource)
    }

    /// The field by which a form of this session is known again.
    pub(crate) fn form_token(&self) -> Markup {
        maud::html! { @if let Some(session) = &self.sender.session { input type="hidden" name=(FORM) value=(session.form_token()); } }
    }

    /// A piece of the path.
    pub(crate) fn name(&self, name: &str) -> &str {
        self.named.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    /// A number in the path.
    pub(crate) fn number(&self, name: &str) -> Result<u64, Fault> {
        let text = self.name(name);
        text.parse().map_err(|_| Fault::unknown("entry", text, "name it by its number, counted from 0"))
    }

    /// A word of the query; nothing where it is empty.
    pub(crate) fn word(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty()).map(|value| match value.char_indices().nth(LONGEST) {
            Some((end, _)) => &value[..end],
            None => value,
        })
    }

    /// A field of a form that was sent.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The page of a list, counted from 1.
    pub(crate) fn page(&self) -> usize {
        self.word("page").and_then(|page| page.parse().ok()).filter(|page| *page > 0).unwrap_or(1)
    }

    fn days(&self) -> Days {
        let day = |name| self.word(name).map(str::to_owned);
        Days { from: day("from"), to: day("to") }
    }

    /// What is known of the period that is asked about.
    pub(crate) fn seen(&self) -> Result<Arc<Seen>, Fault> {
        let seen = self.site.seen(&self.asked_days()?)?;
        if let Some(paging) = &self.paging {
            paging.made_of(seen.position(), seen.at)?;
        }
        Ok(seen)
    }

    /// What was known of it lately.
    pub(crate) fn seen_lately(&self) -> Result<Arc<Seen>, Fault> {
        Ok(self.site.lately(&self.asked_days()?)?)
    }

    fn asked_days(&self) -> Result<Days, Fault> {
        let days = self.days();
        let period = self.site.period(&days, self.site.today()).map_err(|error| Fault::asked(&error))?;
        if period.to.ms() - period.from.ms() > LONGEST_PERIOD_MS {
            return Err(Fault::new(
                StatusCode::BAD_REQUEST,
                "period_too_long",
                "a period has at most three years here",
                "choose another, or ask with `tickmark assess`",
            ));
        }
        Ok(days)
    }

    /// What is told of a list: the part that a program asks for, and all of it in every other form.
    pub(crate) fn cut<'l, T>(&self, list: &'l [T]) -> &'l [T] {
        self.paging.as_ref().map_or(list, |paging| paging.cut(list))
    }

    /// The address of something, about the same period.
    pub(crate) fn to(&self, path: &[&str]) -> String {
        self.find(path, &[])
    }

    /// The address of a list with a filter, about the same period.
    pub(crate) fn find(&self, path: &[&str], filter: &[(&str, &str)]) -> String {
        let days = ["from", "to"].map(|name| (name, self.word(name).unwrap_or("")));
        address(path, days.iter().chain(filter).copied())
    }

    /// The address of this page with other words in its query; an empty one takes a word away. The first page follows.
    pub(crate) fn with(&self, other: &[(&str, &str)]) -> String {
        self.here("", other)
    }

    /// The same in another form.
    pub(crate) fn as_form(&self, suffix: &str) -> String {
        self.here(suffix, &[("page", "")])
    }

    fn here(&self, suffix: &str, other: &[(&str, &str)]) -> String {
        let kept = self.query.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let kept = kept.filter(|(key, _)| *key != "page" && !other.iter().any(|(name, _)| name == key));
        let pieces = self.path.split('/').filter(|piece| !piece.is_empty());
        let mut pieces: Vec<String> =
            pieces.map(|p| percent_decode_str(p).decode_utf8_lossy().into()).collect();
        if !suffix.is_empty() {
            // The address of the first page leaves no room for a suffix.
            let last = pieces.pop().unwrap_or_else(|| HOME.to_owned());
            pieces.push(last + suffix);
        }
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        address(&pieces, kept.chain(other.iter().copied()))
    }

    /// A day, for people.
    pub(crate) fn day(&self, at: Instant) -> String {
        match at {
            Instant::FOREVER => "open end".to_owned(),
            Instant::BEGINNING => "the beginning".to_owned(),
            at => at.date_in(&self.site.zone()),
        }
    }

    /// A day and what the clocks showed.
    pub(crate) fn time(&self, at: Instant) -> Markup {
        let zone = self.site.zone();
        maud::html! { time datetime=(at) { (at.date_in(&zone)) " " (at.clock_in(&zone)) } }
    }
}

/// An address of this site, every piece encoded; words without a value are left out.
pub fn address<'a>(path: &[&str], query: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for piece in path {
        text.push('/');
        // Writing into a text does not fail.
        let _ = write!(text, "{}", utf8_percent_encode(piece, PLAIN));
    }
    if text.is_empty() {
        text.push('/');
    }
    let mut words = form_urlencoded::Serializer::new(String::new());
    words.extend_pairs(query.filter(|(_, value)| !value.is_empty()));
    let words = words.finish();
    if !words.is_empty() {
        text.push('?');
        text.push_str(&words);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_whatever_is_named() {
        let of = |path: &[&str], query: &[(&str, &str)]| address(path, query.iter().copied());
        assert_eq!(of(&[], &[]), "/");
        assert_eq!(of(&["controls", "CHG-02"], &[("q", "")]), "/controls/CHG-02");
        assert_eq!(of(&["x", "../a?b#c"], &[("q", "a&b=c d")]), "/x/..%2Fa%3Fb%23c?q=a%26b%3Dc+d");
    }
}
