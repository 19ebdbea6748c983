//! A period as a strip of days, the worst of each: what needs a look is tall, what is fine a low line, what nobody looked at is
//! hatched. And where was looked, as a bar.

use std::collections::BTreeMap;

use app::ProcedureReport;
use maud::{Markup, html};
use model::{Instant, Period};

use crate::parts::{Mark, many};

/// A day with what is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Day {
    /// `2026-03-31`.
    pub(crate) date: String,
    pub(crate) from: Instant,
    pub(crate) to: Instant,
    /// How many items of it have each mark.
    pub(crate) items: BTreeMap<Mark, usize>,
    /// Whether something of it is unknown.
    pub(crate) gap: bool,
    /// Whether something is known not to have held.
    pub(crate) down: bool,
    pub(crate) to_come: bool,
}

impl Day {
    /// The worst of it. Where something is unknown it is never in order, whatever else there is.
    pub(crate) fn mark(&self) -> Mark {
        let items = self.items.keys().copied().filter(|mark| *mark != Mark::Na);
        let known = items.chain(self.down.then_some(Mark::Dev)).chain(self.gap.then_some(Mark::Unk));
        let quiet = if self.to_come { Mark::Due } else { Mark::Na };
        known.min().unwrap_or(quiet)
    }

    /// In words.
    pub(crate) fn says(&self) -> String {
        let n: usize = self.items.values().sum();
        let mut text = format!("{}: ", self.date);
        text.push_str(&match n {
            0 if self.to_come => "to come".to_owned(),
            0 => "nothing happened".to_owned(),
            n => many(n, "item", "items"),
        });
        let mut add = |mark: Mark, word: &str| {
            if let Some(n) = self.items.get(&mark) {
                text.push_str(&format!(", {n} {word}"));
            }
        };
        add(Mark::Dev, "with a deviation");
        add(Mark::Jud, "to be judged");
        add(Mark::Unk, "without evidence");
        add(Mark::Due, "not yet due");
        add(Mark::Pass, "pass");
        if self.down {
            text.push_str(", did not hold all of the day");
        }
        if self.gap {
            text.push_str(", not everything is known");
        }
        text
    }
}

/// The days of a period, as procedures see them.
pub(crate) fn days(period: &Period, at: Instant, reports: &[&ProcedureReport]) -> Vec<Day> {
    let mut days: Vec<Day> = vec![];
    let mut from = period.from;
    while from < period.to {
        let date = from.date_in(&period.tz);
        // A day has 23 to 25 hours: its end is where the next one begins.
        let next = model::parse_date_range(&date, &date, &period.tz).map(|day| day.to);
        let to = next.ok().filter(|to| *to > from).unwrap_or(period.to).min(period.to);
        let to_come = from > at;
        days.push(Day { date, from, to, items: BTreeMap::new(), gap: false, down: false, to_come });
        from = to;
    }
    for report in reports {
        for item in &report.items {
            // What lasts the period may have begun before it.
            let within = days.partition_point(|day| day.to <= item.occurred_at);
            if let Some(day) = days.get_mut(within).filter(|day| day.from <= item.occurred_at) {
                *day.items.entry(Mark::from(item.verdict())).or_default() += 1;
            }
        }
        for gap in &report.gaps {
            over(&mut days, gap.from, gap.to, |day| day.gap = true);
        }
        for stretch in report.uptime.iter().flat_map(|uptime| &uptime.intervals) {
            match stretch.state {
                "down" => over(&mut days, stretch.from, stretch.to, |day| day.down = true),
                "unknown" => over(&mut days, stretch.from, stretch.to, |day| day.gap = true),
                _ => {}
            }
        }
    }
    days
}

/// Every day that a stretch of time touches. What is to come is not unknown yet.
fn over(days: &mut [Day], from: Instant, to: Instant, mut set: impl FnMut(&mut Day)) {
    let first = days.partition_point(|day| day.to <= from);
    days[first..].iter_mut().take_while(|day| day.from < to).filter(|day| !day.to_come).for_each(&mut set);
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The strip, with its legend. `to` is where the evidence of a day is.
pub(crate) fn strip(label: &str, days: &[Day], to: impl Fn(&Day) -> String) -> Markup {
    let mut months: Vec<(&str, Vec<&Day>)> = vec![];
    for day in days {
        let month = day.date.get(..7).unwrap_or("");
        match months.last_mut() {
            Some((last, of)) if *last == month => of.push(day),
            _ => months.push((month, vec![day])),
        }
    }
    html! {
        ol.strip data-strip aria-label=(label) { @for (month, of) in &months {
            li class=(format!("d{}", of.len())) {
                span.month { (name(month)) @if month.ends_with("-01") || *month == months[0].0 { span.dim { " " (month.get(..4).unwrap_or("")) } } }
                svg.c height="40" role="group" aria-label=(format!("{} {}", name(month), month.get(..4).unwrap_or(""))) {
                    @for (at, day) in of.iter().enumerate() { (cell(day, at, of.len(), &to(day))) }
                }
            }
        } }
        (legend(days))
    }
}

fn name(month: &str) -> &'static str {
    let number = month.get(5..7).and_then(|m| m.parse::<usize>().ok());
    number.and_then(|m| MONTHS.get(m.wrapping_sub(1))).copied().unwrap_or("")
}

/// A share of a whole, in percent with two digits.
pub(crate) fn percent(part: i64, whole: i64) -> String {
    let hundredths = part.max(0).saturating_mul(10_000) / whole.max(1);
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

fn cell(day: &Day, at: usize, of: usize, to: &str) -> Markup {
    let mark = day.mark();
    let height = mark.height();
    // Months are at most 31 days long.
    let (at, of) = (i64::try_from(at).unwrap_or(0), i64::try_from(of).unwrap_or(1));
    html! { a href=(to) aria-label=(day.says()) {
        title { (day.says()) }
        rect.hit x=(percent(at, of)) y="0" width=(percent(1, of)) height="40" {}
        rect class=(format!("f-{}", mark.word())) x=(percent(at * 10 + 1, of * 10)) y=(40 - height) width=(percent(8, of * 10)) height=(height) {}
    } }
}

fn legend(days: &[Day]) -> Markup {
    let of = |mark: Mark| days.iter().filter(|day| day.mark() == mark).count();
    let words = [
        (Mark::Dev, "with a deviation"),
        (Mark::Jud, "to be judged"),
        (Mark::Unk, "not all known"),
        (Mark::Pass, "in order"),
        (Mark::Na, "nothing happened"),
        (Mark::Due, "to come, or not due"),
    ];
    html! { p.legend { @for (mark, word) in words { @if of(mark) > 0 { span {
        svg.key aria-hidden="true" { rect class=(format!("f-{}", mark.word())) x="0" y=(40 - mark.height()) width="8" height=(mark.height()) {} }
        (many(of(mark), "day", "days")) " " (word)
    } } } } }
}

/// Days of a strip that need a look, as links: what the strip shows, for whoever does not see it.
pub(crate) fn to_look_at(days: &[Day], to: impl Fn(&Day) -> String) -> Markup {
    const LISTED: usize = 12;
    let mut open: Vec<&Day> = days.iter().filter(|day| day.mark() <= Mark::Unk).collect();
    open.sort_by_key(|day| day.mark());
    html! { @if !open.is_empty() { ul.days { @for day in open.iter().take(LISTED) {
        li { a href=(to(day)) { (day.mark().says(&day.says())) } }
    } } @if open.len() > LISTED { p.dim.small { "and " (many(open.len() - LISTED, "more day", "more days")) ", worst first in the population" } } } }
}

/// A stretch that is not known completely.
pub(crate) struct Hole<'a> {
    pub(crate) from: Instant,
    pub(crate) to: Instant,
    pub(crate) says: &'a str,
    pub(crate) to_come: bool,
}

/// Where was looked: ink, never green, for having data is not passing. What is not known is hatched and tall.
pub(crate) fn bar(period: &Period, label: &str, holes: &[Hole<'_>]) -> Markup {
    let whole = period.to.ms() - period.from.ms();
    let place = |at: Instant| at.max(period.from).min(period.to).ms() - period.from.ms();
    html! { svg.c height="16" role="img" aria-label=(label) {
        rect.f-ink x="0" y="8" width="100%" height="8" {}
        @for hole in holes {
            @let (from, to) = (place(hole.from), place(hole.to));
            @if hole.to_come {
                rect.f-bg x=(percent(from, whole)) y="7" width=(percent(to - from, whole)) height="9" {}
                rect.f-track x=(percent(from, whole)) y="13" width=(percent(to - from, whole)) height="3" {}
            } @else {
                rect.f-unk x=(percent(from, whole)) y="0.5" width=(percent((to - from).max(whole / 400), whole)) height="15" { title { (hole.says) } }
            }
        }
    } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(from: &str, to: &str, tz: &str) -> Period {
        model::parse_date_range(from, to, tz).unwrap()
    }

    #[test]
    fn a_year_has_its_days_whatever_the_clocks_do() {
        let year = period("2025-01-01", "2025-12-31", "America/New_York");
        let days = days(&year, Instant::FOREVER, &[]);
        assert_eq!(days.len(), 365);
        assert_eq!((days[0].from, days[364].to), (year.from, year.to));
        assert_eq!(
            (days[67].date.as_str(), days[67].to.ms() - days[67].from.ms()),
            ("2025-03-09", 23 * 3_600_000)
        );
        assert!(days.windows(2).all(|two| two[0].to == two[1].from));
        // Nothing happened: that is neither good nor bad.
        assert!(days.iter().all(|day| day.mark() == Mark::Na));
    }

    #[test]
    fn what_is_unknown_outranks_what_passes() {
        let days = days(&period("2025-01-01", "2025-01-01", "UTC"), Instant::FOREVER, &[]);
        let with = |items: &[(Mark, usize)], gap: bool| {
            Day { items: items.iter().copied().collect(), gap, ..days[0].clone() }.mark()
        };
        assert_eq!(with(&[(Mark::Pass, 9)], false), Mark::Pass);
        assert_eq!(with(&[(Mark::Pass, 9)], true), Mark::Unk);
        assert_eq!(with(&[], true), Mark::Unk);
        assert_eq!(with(&[(Mark::Pass, 9), (Mark::Dev, 1)], true), Mark::Dev);
        assert_eq!(with(&[(Mark::Na, 3)], false), Mark::Na);
    }

    #[test]
    fn a_share_is_exact() {
        assert_eq!(
            (percent(1, 3).as_str(), percent(31, 31).as_str(), percent(-1, 0).as_str()),
            ("33.33%", "100.00%", "0.00%")
        );
    }
}
