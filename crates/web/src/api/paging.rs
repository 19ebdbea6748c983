//! What a program may say in the query, and lists in parts: how many rows at once, and from where on.
//!
//! A cursor names the state of knowledge that its list was cut from. Another state has other rows in another order, and a list put
//! together from two would leave out rows of both: so it is refused, and the list has to be begun again.

use std::cell::Cell;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Instant;
use sha2::{Digest as _, Sha256};

use super::offers::Offer;
use crate::fault::Fault;
use crate::visit::LONGEST;

/// Rows of a list where nobody says how many, and the most that there are at once.
pub(super) const USUAL: usize = 100;
pub(super) const MOST: usize = 1000;

/// The part of a list that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Paging {
    from: usize,
    limit: usize,
    /// What its cursor was made of.
    expected: Option<State>,
    /// What it is made of.
    state: Cell<Option<State>>,
    total: Cell<usize>,
}

/// A state of knowledge: a ledger position, and the instant up to which facts count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct State {
    position: u64,
    at: i64,
}

impl Paging {
    /// Reads a query.
    ///
    /// # Errors
    /// It has words that this path does not know, values that are none, or a cursor of something else.
    pub(crate) fn of(offer: &Offer, path: &str, query: &[(String, String)]) -> Result<Self, Fault> {
        let words: Vec<&str> = offer.words().map(|word| word.name).collect();
        for (at, (name, value)) in query.iter().enumerate() {
            if !words.contains(&name.as_str()) {
                let known = if words.is_empty() { "no words at all".to_owned() } else { words.join(", ") };
                return Err(refused(
                    "unknown_word",
                    format!("the query says `{}`, which means nothing here", shortened(name)),
                    format!("leave it out; this path knows {known}"),
                ));
            }
            if query[..at].iter().any(|(other, _)| other == name) {
                let cause = format!("the query says `{name}` twice");
                return Err(refused("said_twice", cause, "say it once"));
            }
            let word = offer.words().find(|word| word.name == name);
            let closed = word.map(|word| (word.values)()).unwrap_or_default();
            let value = value.trim();
            if !closed.is_empty() && !value.is_empty() && !closed.contains(&value) {
                let cause = format!("`{name}` is never `{}`", shortened(value));
                return Err(refused("unknown_value", cause, format!("choose one of {}", closed.join(", "))));
            }
            if name != "sql" && name != "cursor" && value.chars().nth(LONGEST).is_some() {
                let cause = format!("`{name}` is longer than {LONGEST} characters");
                return Err(refused("too_long", cause, "shorten it"));
            }
        }
        let said = |name: &str| {
            query.iter().find(|(key, _)| key == name).map(|(_, v)| v.trim()).filter(|v| !v.is_empty())
        };
        let limit = match said("limit") {
            None => USUAL,
            Some(text) => text.parse().ok().filter(|n| (1..=MOST).contains(n)).ok_or_else(|| {
                let cause = format!("`limit` is `{}`", shortened(text));
                refused("unknown_value", cause, format!("choose a number from 1 to {MOST}"))
            })?,
        };
        let cursor = said("cursor").map(|text| read(text, path, query)).transpose()?;
        let (from, expected) = cursor.map_or((0, None), |(from, state)| (from, Some(state)));
        Ok(Self { from, limit, expected, state: Cell::new(None), total: Cell::new(0) })
    }

    /// Says what the list is made of.
    ///
    /// # Errors
    /// The list was begun with another state of knowledge.
    pub(crate) fn made_of(&self, position: u64, at: Instant) -> Result<(), Fault> {
        let state = State { position, at: at.ms() };
        self.state.set(Some(state));
        match self.expected {
            Some(expected) if expected != state => Err(Fault::new(
                StatusCode::GONE,
                "cursor_expired",
                format!(
                    "this list was begun at ledger position {}, and what is known is of position {position} now, at {at}",
                    expected.position
                ),
                "ask for the list again without `cursor`",
            )),
            _ => Ok(()),
        }
    }

    /// The part of a list that is asked for.
    pub(crate) fn cut<'l, T>(&self, list: &'l [T]) -> &'l [T] {
        self.total.set(list.len());
        let from = self.from.min(list.len());
        &list[from..from.saturating_add(self.limit).min(list.len())]
    }

    /// How long the whole list is.
    pub(super) const fn total(&self) -> usize {
        self.total.get()
    }

    /// The address of the next part; `None` where there is none.
    pub(super) fn next(&self, path: &str, query: &[(String, String)]) -> Option<String> {
        let from = self.from.saturating_add(self.limit);
        let state = self.state.get().filter(|_| from < self.total.get())?;
        let text = format!("{}.{}.{from}.{}", state.position, state.at, digest(path, query));
        let mut words = form_urlencoded::Serializer::new(String::new());
        words.extend_pairs(query.iter().filter(|(key, value)| key != "cursor" && !value.is_empty()));
        words.append_pair("cursor", &URL_SAFE_NO_PAD.encode(text));
        Some(format!("{path}?{}", words.finish()))
    }
}

fn read(text: &str, path: &str, query: &[(String, String)]) -> Result<(usize, State), Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let parsed = bytes.and_then(|bytes| {
        let text = String::from_utf8(bytes).ok()?;
        let mut pieces = text.split('.');
        let (position, at, from) = (pieces.next()?, pieces.next()?, pieces.next()?);
        let state = State { position: position.parse().ok()?, at: at.parse().ok()? };
        let of_this = pieces.next()? == digest(path, query) && pieces.next().is_none();
        of_this.then_some((from.parse().ok()?, state))
    });
    parsed.ok_or_else(|| {
        refused(
            "bad_cursor",
            "`cursor` is of another list, of another filter, or of none",
            "follow `next` of an answer as it is, or ask without `cursor`",
        )
    })
}

/// What a list is of, in a few letters: its path and its filter, and the program that sorted it.
fn digest(path: &str, query: &[(String, String)]) -> String {
    let mut words: Vec<(&str, &str)> = query
        .iter()
        .map(|(key, value)| (key.as_str(), value.trim()))
        .filter(|(key, value)| !matches!(*key, "cursor" | "limit") && !value.is_empty())
        .collect();
    words.sort_unstable();
    let all = serde_json::json!([env!("CARGO_PKG_VERSION"), path, words]).to_string();
    URL_SAFE_NO_PAD.encode(&Sha256::digest(all)[..9])
}

fn refused(code: &'static str, cause: impl Into<String>, fix: impl Into<String>) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, code, cause, fix)
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::OFFERS;

    fn pairs(query: &str) -> Vec<(String, String)> {
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    fn of(query: &str) -> Result<Paging, Fault> {
        let offer = OFFERS.iter().find(|offer| offer.path == "/controls").unwrap();
        Paging::of(offer, "/api/v1/controls", &pairs(query))
    }

    #[test]
    fn a_query_says_what_is_understood_or_is_refused() {
        for (query, code) in [
            ("limit=0", "unknown_value"),
            ("limit=1001", "unknown_value"),
            ("limit=-1", "unknown_value"),
            ("limit=ten", "unknown_value"),
            ("page=2", "unknown_word"),
            ("Q=x", "unknown_word"),
            ("q=a&q=b", "said_twice"),
            ("operation=pass", "unknown_value"),
            ("cursor=x", "bad_cursor"),
            ("cursor=%FF", "bad_cursor"),
            // A cursor of our form, and of no list.
            ("cursor=MC4wLjAu", "bad_cursor"),
        ] {
            assert_eq!(of(query).unwrap_err().code, code, "{query}");
        }
        assert_eq!(of(&format!("q={}", "ä".repeat(201))).unwrap_err().code, "too_long");
        for query in ["", "limit=1000", "operation=cannot_conclude&design=suitable&q=x&from=2026-01-01", "q="]
        {
            assert!(of(query).is_ok(), "{query}");
        }
    }

    /// Every row of a list of `n`, followed from part to part.
    fn followed(n: usize, limit: usize) -> Vec<usize> {
        let list: Vec<usize> = (0..n).collect();
        let (mut all, mut query) = (vec![], format!("q=x&limit={limit}"));
        loop {
            let paging = of(&query).unwrap();
            paging.made_of(7, Instant::from_ms(9)).unwrap();
            let part = paging.cut(&list);
            assert!(part.len() <= limit);
            all.extend_from_slice(part);
            assert_eq!(paging.total(), n);
            match paging.next("/api/v1/controls", &pairs(&query)) {
                Some(next) => query = next.split_once('?').unwrap().1.to_owned(),
                None => return all,
            }
        }
    }

    #[test]
    fn parts_are_the_list_whole_and_once() {
        for (n, limit) in [(0, 1), (1, 1), (2, 1), (10, 3), (9, 3), (1000, 1000), (1001, 1000)] {
            assert_eq!(followed(n, limit), (0..n).collect::<Vec<_>>(), "{n} by {limit}");
        }
    }

    #[test]
    fn a_cursor_is_of_one_list_one_filter_and_one_state() {
        let list = [1, 2, 3];
        let first = of("limit=1&q=x").unwrap();
        first.made_of(7, Instant::from_ms(9)).unwrap();
        first.cut(&list);
        let next = first.next("/api/v1/controls", &pairs("limit=1&q=x")).unwrap();
        let cursor = next.rsplit_once("cursor=").unwrap().1;
        // More or fewer rows at once are the same list.
        let more = of(&format!("limit=2&q=x&cursor={cursor}")).unwrap();
        assert!(more.made_of(7, Instant::from_ms(9)).is_ok());
        assert_eq!(more.cut(&list), [2, 3]);
        for (position, at) in [(8, 9), (7, 10), (6, 9)] {
            let later = of(&format!("q=x&cursor={cursor}")).unwrap();
            let fault = later.made_of(position, Instant::from_ms(at)).unwrap_err();
            assert_eq!((fault.status, fault.code), (StatusCode::GONE, "cursor_expired"));
        }
        for query in [format!("cursor={cursor}"), format!("q=y&cursor={cursor}")] {
            assert_eq!(of(&query).unwrap_err().code, "bad_cursor", "{query}");
        }
        let offer = OFFERS.iter().find(|offer| offer.path == "/controls").unwrap();
        let elsewhere = Paging::of(offer, "/api/v1/criteria", &pairs(&format!("q=x&cursor={cursor}")));
        assert_eq!(elsewhere.unwrap_err().code, "bad_cursor");
    }
}
