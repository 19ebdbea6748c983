//! The small parts that pages share. A verdict is always colour, shape and word; unknown never looks like pass.

use maud::{Markup, html};
use model::{Conclusion, Verdict};

use crate::visit::Visit;

/// A state that is told by colour and shape.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Mark {
    /// What is wrong comes first.
    Dev,
    Jud,
    Unk,
    Due,
    Pass,
    Na,
}

impl Mark {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Jud => "jud",
            Self::Unk => "unk",
            Self::Due => "due",
            Self::Pass => "pass",
            Self::Na => "na",
        }
    }

    /// How tall it stands in a strip: what needs a look is tall, what is in order a low, even line.
    pub(crate) const fn height(self) -> u32 {
        match self {
            Self::Dev => 40,
            Self::Jud => 33,
            Self::Unk => 26,
            Self::Pass => 11,
            Self::Due => 5,
            Self::Na => 2,
        }
    }

    fn shape(self) -> Markup {
        html! { svg.m aria-hidden="true" focusable="false" { use href=(format!("#m-{}", self.word())) {} } }
    }

    /// Mark and word.
    pub(crate) fn says(self, word: &str) -> Markup {
        html! { span class=(format!("v v-{}", self.word())) { (self.shape()) span { (word) } } }
    }

    /// The mark, its word for those who do not see it.
    pub(crate) fn alone(self, word: &str) -> Markup {
        html! { span class=(format!("v v-{}", self.word())) title=(word) { (self.shape()) span.vh { (word) } } }
    }

    /// A conclusion; once per page.
    pub(crate) fn pill(self, word: &str) -> Markup {
        html! { span class=(format!("v v-{} pill", self.word())) { (self.shape()) span { (word) } } }
    }
}

impl From<Verdict> for Mark {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Deviation => Self::Dev,
            Verdict::NeedsJudgement => Self::Jud,
            Verdict::NoEvidence => Self::Unk,
            Verdict::NotYetDue => Self::Due,
            Verdict::Pass => Self::Pass,
            Verdict::NotApplicable => Self::Na,
        }
    }
}

impl From<Conclusion> for Mark {
    fn from(conclusion: Conclusion) -> Self {
        match conclusion {
            Conclusion::NoExceptions => Self::Pass,
            Conclusion::ExceptionsNoted => Self::Dev,
            Conclusion::CannotConclude => Self::Unk,
            // Nothing happened: that is neither good nor bad.
            Conclusion::DidNotOperate => Self::Na,
        }
    }
}

/// The mark of a conclusion on design, or of what is proposed of a criterion. A word that nobody knows is unknown.
pub(crate) fn mark_of(word: &str) -> Mark {
    match word {
        "suitable" | "met" => Mark::Pass,
        "not_suitable" | "not_met" | "met_with_exceptions" => Mark::Dev,
        _ => Mark::Unk,
    }
}

/// A word as people say it, at the beginning of a sentence.
pub(crate) fn spoken(word: &str) -> String {
    let text = word.replace('_', " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A number with its thousands apart.
pub(crate) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many of them.
pub(crate) fn many(n: usize, one: &str, more: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { more })
}

/// Text that others wrote: it cannot turn the direction of what stands around it.
pub(crate) fn theirs(text: &str) -> Markup {
    html! { bdi { (text) } }
}

/// Ids of controls as links.
pub(crate) fn controls(visit: &Visit<'_>, ids: &[String]) -> Markup {
    html! { @for (at, id) in ids.iter().enumerate() {
        @if at > 0 { " " }
        a.cid href=(visit.to(&["controls", id])) { (id) }
    } }
}

/// Ids of criteria as links.
pub(crate) fn criteria<'a>(visit: &Visit<'_>, ids: impl Iterator<Item = (&'a str, bool)>) -> Markup {
    html! { @for (id, key) in ids {
        a.tag href=(visit.to(&["criteria", id])) title=[key.then_some("rests on it")] { (id) @if key { " ·key" } } " "
    } }
}

/// Names of things that have pages below `path`, as links.
pub(crate) fn links(visit: &Visit<'_>, path: &[&str], names: &[String]) -> Markup {
    html! { @for (at, name) in names.iter().enumerate() {
        @if at > 0 { ", " }
        a href=(visit.to(&[path, &[name]].concat())) { (name) }
    } @if names.is_empty() { span.dim { "none" } } }
}

/// A ledger entry as a link to its document.
pub(crate) fn entry(visit: &Visit<'_>, entry: i64) -> Markup {
    let number = entry.to_string();
    html! { a.nw href=(visit.to(&["ledger", &number])) { "entry " (number) } }
}

/// A digest in eights, so that it can be broken anywhere and compared by eye.
pub(crate) fn digest(hex: &str) -> Markup {
    let mut eights = vec![];
    let mut rest = hex;
    while let Some((head, tail)) = rest.split_at_checked(8) {
        eights.push(head);
        rest = tail;
    }
    eights.push(rest);
    html! { span.hash { (eights.join(" ").trim_end()) } }
}

/// A command, to be copied.
pub(crate) fn command(id: &str, text: &str) -> Markup {
    html! { div.cmd { code id=(id) { (text) } button.btn.tiny type="button" data-copy=(format!("#{id}")) hidden { "Copy" } } }
}

/// Why there is nothing, and what to do about it.
pub(crate) fn empty(says: &str, next: &str, way: Option<(&str, &str)>, twin: Option<&str>) -> Markup {
    html! { div.empty {
        p { b { (says) } }
        p.sub { (next) }
        @if let Some((name, to)) = way { p { a.btn href=(to) { (name) } } }
        @if let Some(twin) = twin { (command("twin", twin)) }
    } }
}

/// A chip of a filter: a link that sets it, or takes it away where it is set.
pub(crate) fn chip(visit: &Visit<'_>, name: &str, value: &str, label: &Markup, n: usize) -> Markup {
    let on = visit.word(name) == Some(value) || (value.is_empty() && visit.word(name).is_none());
    html! { a.chip href=(visit.with(&[(name, value)])) aria-current=[on.then_some("true")] { (label) " " b { (count(n)) } } }
}

/// Why what was sent was not done, above the form that it was sent with.
pub(crate) fn problem(what: Option<&str>) -> Markup {
    html! { @if let Some(what) = what { p.note role="alert" id="problem" { (theirs(what)) "." } } }
}

/// The field that searches a list, with whatever else is asked kept.
pub(crate) fn filter_field(visit: &Visit<'_>, label: &str) -> Markup {
    html! { form.facets role="search" aria-label=(label) method="get" action=(visit.path) {
        @for (key, value) in visit.query.iter().filter(|(key, value)| !matches!(key.as_str(), "q" | "page") && !value.is_empty()) {
            input type="hidden" name=(key) value=(value);
        }
        label.vh for="filter" { (label) }
        input.in.find id="filter" name="q" type="search" value=[visit.word("q")] placeholder=(label) autocomplete="off";
        button.btn { "Filter" }
    } }
}

/// Whether any of the texts has the searched one in it, whatever its case.
pub(crate) fn finds(visit: &Visit<'_>, texts: &[&str]) -> bool {
    visit.word("q").is_none_or(|q| {
        let q = q.to_lowercase();
        texts.iter().any(|text| text.to_lowercase().contains(&q))
    })
}

/// The head of a page: the answer first, what it is above it, the conclusion beside it.
pub(crate) fn head(over: &str, title: &Markup, under: &Markup, beside: &Markup) -> Markup {
    html! { div.head { div { p.over { (over) } h1 { (title) } (under) } div { (beside) } } }
}

/// A number of a row of facts: its name, the rows behind it, and a remark.
pub(crate) fn fact(name: &Markup, n: &str, to: Option<&str>, says: &str) -> Markup {
    html! { div {
        dt { (name) }
        dd.big { @match to { Some(to) => a href=(to) { (n) }, None => (n) } }
        dd { (says) }
    } }
}

/// Links to the pages of a list.
pub(crate) fn pages(visit: &Visit<'_>, page: usize, of: usize) -> Markup {
    let link = |to: usize, label: &str| {
        html! { a href=(visit.with(&[("page", &to.to_string())])) aria-current=[(to == page && label.parse::<usize>().is_ok()).then_some("page")] { (label) } }
    };
    let mut near: Vec<usize> = [1, page.saturating_sub(1), page, page + 1, of]
        .into_iter()
        .filter(|p| (1..=of).contains(p))
        .collect();
    near.sort_unstable();
    near.dedup();
    html! { @if of > 1 { nav.end aria-label="Pages" { span.seg {
        @if page > 1 { (link(page - 1, "Before")) }
        @for p in near { (link(p, &p.to_string())) }
        @if page < of { (link(page + 1, "Next")) }
    } } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_never_green() {
        assert_eq!(Mark::from(Verdict::NoEvidence), Mark::Unk);
        assert_eq!(Mark::from(Conclusion::CannotConclude), Mark::Unk);
        assert_eq!(Mark::from(Conclusion::DidNotOperate), Mark::Na);
        assert_eq!(mark_of("a word of tomorrow"), Mark::Unk);
        let green: Vec<_> = Verdict::ALL.iter().filter(|v| Mark::from(**v) == Mark::Pass).collect();
        assert_eq!(green, [&Verdict::Pass]);
    }

    #[test]
    fn numbers_and_digests_are_readable() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            digest("0123456789abcdef01").into_string(),
            "<span class=\"hash\">01234567 89abcdef 01</span>"
        );
        assert_eq!(digest("").into_string(), "<span class=\"hash\"></span>");
    }
}
