//! For how long a control held: intervals in which it is known to be up, known to be down, and neither.
//!
//! A procedure says of stretches of time what was found in them. What nobody found, or could not look for, is unknown and
//! never up: the sums of all states are the window, to the millisecond.

use std::collections::BTreeMap;

use model::{Grade, Instant, Verdict};

use crate::CoverageMap;

/// What holds of an item, or of all of them together. The order is the one in which it counts: down is down whatever else
/// is up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// Known not to hold.
    Down,
    /// Nobody can say.
    Unknown,
    /// Known to hold.
    Up,
    /// There was nothing that had to hold.
    NotApplicable,
}

impl State {
    /// Every state, the one that counts first.
    pub const ALL: [Self; 4] = [Self::Down, Self::Unknown, Self::Up, Self::NotApplicable];

    /// The word as it stands in cases and reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// A stretch of time in one state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval {
    /// First instant.
    pub from: Instant,
    /// First instant after.
    pub to: Instant,
    /// What held.
    pub state: State,
}

/// What a procedure found in a stretch of time, not cut to anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// First instant; `None` when nobody knows when it began.
    pub from: Option<Instant>,
    /// First instant after; `None` when nobody knows when it ended: then it proves its first instant.
    pub to: Option<Instant>,
    /// `Pass`, `Deviation` or `NotApplicable`; any other may be a deviation. `None` says nothing, and only keeps silence from
    /// saying something.
    pub verdict: Option<Verdict>,
}

/// What an uptime asks of coverage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UptimeRules {
    /// Tables without whose coverage nothing is up.
    pub covered: Vec<String>,
    /// The least grade of that coverage.
    pub grade: Grade,
    /// Whether time of which nothing is said is down, where somebody looked; else it is unknown.
    pub silence_is_down: bool,
}

/// What may hold at an instant, by how many stretches say so.
#[derive(Default)]
struct Said {
    down: usize,
    perhaps: usize,
    up: usize,
    moot: usize,
    quiet: usize,
    unseen: usize,
}

/// The window of an uptime: `[from, to)`, of which what lies from `end` on does not count yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// First instant.
    pub from: Instant,
    /// First instant that does not count, or that lies after the window.
    pub end: Instant,
    /// First instant after the window.
    pub to: Instant,
}

/// When `tables` were not looked at in `scope`, by coverage of at least the grade.
#[must_use]
pub fn unseen(
    rules: &UptimeRules,
    coverage: &CoverageMap,
    scope: i64,
    span: Span,
) -> Vec<(Instant, Instant)> {
    let of_table = |table: &String| coverage.unseen_windows(scope, table, span.from, span.end, rules.grade);
    rules.covered.iter().flat_map(of_table).collect()
}

/// The states of one item, without a gap from the first to the last instant of the window.
#[must_use]
pub fn uptime(
    stretches: &[Stretch],
    unseen: &[(Instant, Instant)],
    silence_is_down: bool,
    span: Span,
) -> Vec<Interval> {
    let mut edges: Edges = vec![];
    for stretch in stretches {
        let kind = match stretch.verdict {
            Some(Verdict::Deviation) => Kind::Down,
            Some(Verdict::Pass) => Kind::Up,
            Some(Verdict::NotApplicable) => Kind::Moot,
            Some(_) => Kind::Perhaps,
            None => Kind::Quiet,
        };
        // Where nobody knows whether it went on, what was down may be down, and nothing else is said.
        let beyond = match kind {
            Kind::Down | Kind::Perhaps => Kind::Perhaps,
            _ => Kind::Quiet,
        };
        match (stretch.from, stretch.to) {
            (Some(from), Some(to)) => edges.push((from, to, kind)),
            (Some(from), None) => {
                let next = Instant::from_ms(from.ms().saturating_add(1));
                edges.extend([(from, next, kind), (next, Instant::FOREVER, beyond)]);
            }
            (None, to) => edges.push((Instant::BEGINNING, to.unwrap_or(Instant::FOREVER), beyond)),
        }
    }
    edges.extend(unseen.iter().map(|(from, to)| (*from, *to, Kind::Unseen)));
    sweep(&edges, span, &|said| match said {
        Said { down: 1.., .. } => State::Down,
        Said { moot: 1.., up: 0, .. } => State::NotApplicable,
        Said { perhaps: 1.., .. } => State::Unknown,
        Said { up: 1.., unseen: 0, .. } => State::Up,
        Said { up: 0, quiet: 0, unseen: 0, .. } if silence_is_down => State::Down,
        _ => State::Unknown,
    })
}

/// The states of a control: down where any item is, unknown where any item is or nobody knows which items there are, and
/// not applicable where nothing had to hold. Also what counts of several readings of one item.
#[must_use]
pub fn together<'i>(
    items: impl IntoIterator<Item = &'i [Interval]>,
    unseen: &[(Instant, Instant)],
    span: Span,
) -> Vec<Interval> {
    let mut edges: Edges = unseen.iter().map(|(from, to)| (*from, *to, Kind::Unseen)).collect();
    for interval in items.into_iter().flatten() {
        let kind = match interval.state {
            State::Down => Kind::Down,
            State::Unknown => Kind::Perhaps,
            State::Up => Kind::Up,
            State::NotApplicable => Kind::Moot,
        };
        edges.push((interval.from, interval.to, kind));
    }
    sweep(&edges, span, &|said| match said {
        Said { down: 1.., .. } => State::Down,
        Said { perhaps: 0, unseen: 0, up: 1.., .. } => State::Up,
        Said { perhaps: 0, unseen: 0, .. } => State::NotApplicable,
        _ => State::Unknown,
    })
}

/// How long each state lasted, in milliseconds. Together they are the window.
#[must_use]
pub fn lasted(intervals: &[Interval]) -> BTreeMap<State, i64> {
    let mut sums: BTreeMap<State, i64> = State::ALL.into_iter().map(|state| (state, 0)).collect();
    for interval in intervals {
        *sums.entry(interval.state).or_default() += interval.to.ms() - interval.from.ms();
    }
    sums
}

/// Intervals one after the other, those that go on in the same state as one.
#[must_use]
pub fn joined(intervals: impl IntoIterator<Item = Interval>) -> Vec<Interval> {
    let mut all: Vec<Interval> = vec![];
    for interval in intervals {
        match all.last_mut() {
            Some(last) if last.state == interval.state && last.to == interval.from => last.to = interval.to,
            _ => all.push(interval),
        }
    }
    all
}

#[derive(Clone, Copy)]
enum Kind {
    Down,
    Perhaps,
    Up,
    Moot,
    Quiet,
    Unseen,
}

type Edges = Vec<(Instant, Instant, Kind)>;

/// Walks the window from edge to edge.
fn sweep(edges: &[(Instant, Instant, Kind)], span: Span, state: &dyn Fn(&Said) -> State) -> Vec<Interval> {
    let end = span.end.max(span.from).min(span.to);
    let mut events: Vec<(Instant, bool, Kind)> = vec![];
    for (from, to, kind) in edges {
        let (from, to) = ((*from).max(span.from), (*to).min(end));
        if from < to {
            events.extend([(from, true, *kind), (to, false, *kind)]);
        }
    }
    events.sort_by_key(|(at, ..)| *at);
    let mut said = Said::default();
    let mut intervals: Vec<Interval> = vec![];
    let mut at = span.from;
    for (next, begins, kind) in events {
        if at < next {
            intervals.push(Interval { from: at, to: next, state: state(&said) });
            at = next;
        }
        let count = match kind {
            Kind::Down => &mut said.down,
            Kind::Perhaps => &mut said.perhaps,
            Kind::Up => &mut said.up,
            Kind::Moot => &mut said.moot,
            Kind::Quiet => &mut said.quiet,
            Kind::Unseen => &mut said.unseen,
        };
        *count = if begins { *count + 1 } else { count.saturating_sub(1) };
    }
    if at < end {
        intervals.push(Interval { from: at, to: end, state: state(&said) });
    }
    if end < span.to {
        // It has not happened, or does not count yet.
        intervals.push(Interval { from: end, to: span.to, state: State::Unknown });
    }
    joined(intervals)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: i64) -> Instant {
        Instant::from_ms(ms)
    }

    const SPAN: (i64, i64, i64) = (100, 190, 200);

    fn span() -> Span {
        Span { from: at(SPAN.0), end: at(SPAN.1), to: at(SPAN.2) }
    }

    fn stretch(from: i64, to: i64, verdict: &str) -> Stretch {
        Stretch { from: Some(at(from)), to: Some(at(to)), verdict: verdict.parse().ok() }
    }

    fn said(intervals: &[Interval]) -> String {
        let words: Vec<String> =
            intervals.iter().map(|i| format!("{}..{} {}", i.from.ms(), i.to.ms(), i.state.word())).collect();
        words.join(", ")
    }

    #[track_caller]
    fn check(stretches: &[Stretch], unseen: &[(i64, i64)], silence_is_down: bool, expect: &str) {
        let unseen: Vec<_> = unseen.iter().map(|(from, to)| (at(*from), at(*to))).collect();
        assert_eq!(said(&uptime(stretches, &unseen, silence_is_down, span())), expect);
    }

    #[test]
    fn stretches_are_cut_to_the_window_and_to_what_counts() {
        check(&[stretch(0, 1000, "pass")], &[], false, "100..190 up, 190..200 unknown");
        check(&[stretch(0, 100, "pass"), stretch(190, 300, "deviation")], &[], false, "100..200 unknown");
    }

    #[test]
    fn what_overlaps_is_one_and_a_deviation_outweighs_a_pass() {
        let all = [stretch(0, 150, "pass"), stretch(120, 1000, "pass"), stretch(130, 140, "deviation")];
        check(&all, &[], false, "100..130 up, 130..140 down, 140..190 up, 190..200 unknown");
    }

    #[test]
    fn silence_is_unknown_unless_somebody_looked_for_it() {
        let one = [stretch(0, 150, "pass")];
        check(&one, &[], false, "100..150 up, 150..200 unknown");
        check(&one, &[], true, "100..150 up, 150..190 down, 190..200 unknown");
        check(&one, &[(140, 170)], true, "100..140 up, 140..170 unknown, 170..190 down, 190..200 unknown");
        // What was found to be down is so, whoever looked or not.
        let down = [stretch(150, 160, "deviation")];
        check(&down, &[(0, 1000)], false, "100..150 unknown, 150..160 down, 160..200 unknown");
    }

    #[test]
    fn an_unknown_begin_or_end_proves_an_instant_at_most() {
        let begun = Stretch { to: None, ..stretch(120, 0, "pass") };
        check(&[begun], &[], true, "100..120 down, 120..121 up, 121..200 unknown");
        let ended = Stretch { from: None, ..stretch(0, 120, "deviation") };
        check(&[ended], &[], true, "100..120 unknown, 120..190 down, 190..200 unknown");
    }

    #[test]
    fn what_may_be_down_is_not_up() {
        let up = stretch(0, 1000, "pass");
        check(
            &[up, stretch(120, 130, "no_evidence")],
            &[],
            false,
            "100..120 up, 120..130 unknown, 130..190 up, 190..200 unknown",
        );
        // Found off, nobody knows until when, while another source says that it was on.
        let off = Stretch { to: None, ..stretch(120, 0, "deviation") };
        check(&[up, off], &[], false, "100..120 up, 120..121 down, 121..200 unknown");
        // Nothing said is nothing but no silence.
        let quiet = Stretch { verdict: None, ..stretch(0, 150, "") };
        check(
            &[quiet, stretch(120, 130, "pass")],
            &[],
            true,
            "100..120 unknown, 120..130 up, 130..150 unknown, 150..190 down, 190..200 unknown",
        );
    }

    #[test]
    fn what_need_not_hold_is_neither_up_nor_down() {
        check(
            &[stretch(0, 120, "not_applicable"), stretch(110, 1000, "pass")],
            &[],
            true,
            "100..110 not_applicable, 110..190 up, 190..200 unknown",
        );
    }

    #[test]
    fn a_control_is_down_when_any_item_is_and_unknown_when_any_other_is() {
        let one = uptime(&[stretch(0, 150, "pass")], &[], true, span());
        let two = uptime(&[stretch(0, 120, "pass"), stretch(160, 1000, "pass")], &[], false, span());
        let all = together([&one[..], &two], &[], span());
        assert_eq!(said(&all), "100..120 up, 120..150 unknown, 150..190 down, 190..200 unknown");
        let seen = together([&one[..]], &[(at(110), at(160))], span());
        assert_eq!(said(&seen), "100..110 up, 110..150 unknown, 150..190 down, 190..200 unknown");
        assert_eq!(said(&together([], &[], span())), "100..190 not_applicable, 190..200 unknown");
    }

    proptest! {
        /// Every instant of the window is in one state, in any order of the stretches; less knowledge is never more up.
        #[test]
        fn the_sums_are_the_window(
            lines in prop::collection::vec((80..220_i64, 0..60_i64, 0..6_usize, 0..8_u8), 0..8),
            gaps in prop::collection::vec((80..220_i64, 0..60_i64), 0..4),
            silence in any::<bool>(),
        ) {
            let mut stretches: Vec<Stretch> = lines
                .iter()
                .map(|(from, length, verdict, unknown)| Stretch {
                    from: (unknown & 5 != 5).then_some(at(*from)),
                    to: (unknown & 6 != 6).then_some(at(from + length)),
                    verdict: (unknown & 7 != 7).then_some(Verdict::ALL[*verdict]),
                })
                .collect();
            let gaps: Vec<_> = gaps.iter().map(|(from, length)| (at(*from), at(from + length))).collect();
            let found = uptime(&stretches, &gaps, silence, span());
            let tiles = |found: &[Interval]| {
                found.first().is_some_and(|i| i.from == at(SPAN.0))
                    && found.last().is_some_and(|i| i.to == at(SPAN.2))
                    && found.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].state != pair[1].state)
                    && found.iter().all(|i| i.from < i.to)
            };
            prop_assert!(tiles(&found), "{}", said(&found));
            prop_assert_eq!(lasted(&found).values().sum::<i64>(), SPAN.2 - SPAN.0);
            // To know less of a stretch never makes anything up.
            for at in 0..stretches.len() {
                // A stretch that ended where it began held at no instant. Without its end it would be another one, which did.
                if stretches[at].from.is_some() && stretches[at].from == stretches[at].to {
                    continue;
                }
                for change in [
                    |s: &mut Stretch| s.from = None,
                    |s: &mut Stretch| s.to = None,
                    |s: &mut Stretch| s.verdict = Some(Verdict::NoEvidence),
                ] {
                    let mut less = stretches.clone();
                    change(&mut less[at]);
                    let less = uptime(&less, &gaps, silence, span());
                    for up in less.iter().filter(|i| i.state == State::Up) {
                        let worse = |b: &&Interval| b.from < up.to && up.from < b.to && b.state < State::Up;
                        prop_assert!(!found.iter().any(|b| worse(&b)), "{} from {}", said(&less), said(&found));
                    }
                }
            }
            stretches.reverse();
            prop_assert_eq!(&found, &uptime(&stretches, &gaps, silence, span()));
            let blind = uptime(&stretches, &[(Instant::BEGINNING, Instant::FOREVER)], silence, span());
            prop_assert!(lasted(&blind)[&State::Up] == 0);
            prop_assert!(lasted(&blind)[&State::Down] <= lasted(&found)[&State::Down]);
            let both = together([&found[..], &blind], &gaps, span());
            prop_assert!(tiles(&both));
            // Of several readings the worst counts, at every instant.
            for interval in &both {
                let of = |all: &[Interval]| all.iter().find(|i| i.from <= interval.from && interval.from < i.to).map(|i| i.state);
                prop_assert!(Some(interval.state) <= of(&found).min(of(&blind)) || interval.state == State::Unknown);
            }
        }
    }
}
