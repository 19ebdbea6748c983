//! Whether what lands was searched for weaknesses before, and what became of those that were found (VUL-04).

use std::collections::{BTreeMap, BTreeSet};

use crate::Case;
use crate::clock::{DAY, MINUTE, SECOND};
use crate::code::whole;
use crate::code_cases::{One, one_at};
use crate::company::{Company, Fault, FaultKind, Method};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// A search of a commit.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    pub(crate) commit: String,
    /// Its own code, or what it depends on; nothing where the export does not say.
    pub(crate) what: &'static str,
    pub(crate) through: bool,
    pub(crate) at: i64,
    pub(crate) grave: i64,
    /// Let through: when, by whom, why.
    pub(crate) passed: Option<(i64, Option<usize>, &'static str)>,
}

const KINDS: [&str; 2] = ["code", "dependencies"];

/// Whatever landed by then had been searched, but for what a case speaks of.
pub(crate) fn searched(c: &mut Company, rng: &mut Rng) {
    let mut proposed: BTreeMap<String, usize> = BTreeMap::new();
    for (place, proposal) in c.proposals.iter().enumerate() {
        for commit in proposal.merged.iter().flat_map(|merge| &merge.commits) {
            proposed.insert(commit.clone(), place);
        }
    }
    // What goes wrong with who wrote something is for other cases to say.
    let special: BTreeSet<String> = c.seeded.iter().map(|seeded| seeded.item.clone()).collect();
    let mut done = BTreeSet::new();
    for landing in 0..c.landings.len() {
        let (commit, at) = (c.landings[landing].commit.clone(), whole(c.landings[landing].at));
        if c.taken.contains(&about(&commit)) {
            continue;
        }
        let mut hands = vec![c.landings[landing].author];
        let (mut head, mut pushed) = (commit.clone(), at - 20 * MINUTE);
        // Whose it is has to be plain to the code host, too.
        let mut plain = false;
        if let Some(proposal) = proposed.get(&commit).map(|place| &c.proposals[*place]) {
            hands.push(proposal.by);
            let squashed = proposal.merged.iter().all(|merge| merge.how == Method::Squash);
            plain = squashed && proposal.by < CORE && c.landings[landing].repository < c.shape.repositories;
            hands.extend(proposal.merged.iter().map(|merge| merge.by));
            for work in &proposal.works {
                hands.extend([work.author, work.pusher].into_iter().chain(work.committer));
                hands.extend(&work.co_authors);
                (head, pushed) = (work.commit.clone(), work.at);
            }
        }
        let hidden = |fault: &Fault| {
            fault.repository == c.landings[landing].repository
                && fault.kind == FaultKind::Blind
                && (fault.from - 27 * DAY..fault.from).contains(&at)
        };
        if c.faults.iter().any(hidden) {
            let why = "the list of proposals was empty with a 200: another revision may have been proposed, and searched";
            c.seeded.push(seeded(("VUL-04", "code_searched", "N65-searched"), &commit, "ppn", why));
        }
        if !done.insert(head.clone()) {
            continue;
        }
        let other =
            (0..CORE).find(|who| !hands.contains(who)).filter(|_| plain && !special.contains(&commit));
        for what in KINDS {
            let ended = (pushed + rng.between(1, 9) * MINUTE).min(at);
            let mut search =
                Search { commit: head.clone(), what, through: true, at: ended, grave: 0, passed: None };
            if rng.chance(8) && other.is_some() && at - ended > 2 * MINUTE {
                (search.grave, search.passed) = (1, Some((ended + MINUTE, other, "is never reached")));
            }
            c.operations.code_searches.push(search);
        }
    }
}

fn about(commit: &str) -> String {
    format!("searched {commit}")
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("not-searched", not_searched),
    ("search-boundary", boundary),
    ("grave-let-through", let_through),
    ("searched-again", again),
    ("search-unknown", unknown),
];

fn said(c: &Company, case: &'static str, one: One, letters: &str, why: &str) -> Seeded {
    seeded(("VUL-04", "code_searched", case), &c.landings[one.landing].commit, letters, why)
}

/// Something that landed, of which only the case says what was searched.
fn landed(c: &mut Company, rng: &mut Rng) -> Option<(One, String)> {
    let at = c.clock.some_day(rng, 12, 12)?;
    let repository = rng.below(c.shape.repositories);
    let one = one_at(c, rng, repository, at);
    let commit = c.landings[one.landing].commit.clone();
    c.take(about(&commit));
    let head = c.proposals[one.proposal].works.last().map(|work| work.commit.clone())?;
    Some((one, head))
}

/// A search of a head as it should be, half an hour before it lands.
fn of(head: &str, one: One, what: &'static str) -> Search {
    let at = one.at - 30 * MINUTE;
    Search { commit: head.to_owned(), what, through: true, at, grave: 0, passed: None }
}

fn both(c: &mut Company, head: &str, one: One, change: impl Fn(&mut Search)) {
    for what in KINDS {
        let mut search = of(head, one, what);
        change(&mut search);
        c.operations.code_searches.push(search);
    }
}

fn not_searched(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (what, letters, why) in [
        ("nothing", "dd-", "nothing was searched"),
        ("code", "pdp", "its code was searched, and not what it depends on"),
        ("broke off", "pdp", "the search of what it depends on broke off"),
        ("another", "dd-", "a revision before the one that landed was searched"),
    ] {
        let Some((one, head)) = landed(c, rng) else { return all };
        match what {
            "nothing" => {}
            "code" => c.operations.code_searches.push(of(&head, one, "code")),
            "broke off" => both(c, &head, one, |search| search.through = search.what == "code"),
            _ => {
                let before = crate::changes::hexadecimal(rng, 40);
                both(c, &before, one, |_| ());
            }
        }
        all.push(said(c, "not-searched", one, letters, why));
    }
    all
}

fn boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp", "both searches ended in the instant in which it landed"),
        (SECOND, "dd-", "both searches ended a second after it had landed"),
    ] {
        let Some((one, head)) = landed(c, rng) else { return all };
        both(c, &head, one, |search| search.at = one.at + late);
        all.push(said(c, "search-boundary", one, letters, why));
    }
    all
}

fn let_through(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (who, letters, why) in [
        ("nobody", "ppd", "a grave weakness was found, and it landed all the same"),
        (
            "reviewer",
            "ppp",
            "a grave weakness was found that is none here, as somebody else wrote before it landed",
        ),
        ("late", "ppd", "somebody else wrote a second after it had landed that it is none here"),
        ("author", "ppd", "its author wrote that it is none here"),
        ("script", "ppd", "a script let it through"),
        ("no word", "ppn", "somebody else let it through, and nobody knows why"),
        ("unknown", "ppn", "let through by nobody knows whom"),
    ] {
        let Some((one, head)) = landed(c, rng) else { return all };
        let by = match who {
            "author" => Some(one.author),
            "script" => Some(MACHINE),
            "unknown" => None,
            _ => Some(one.reviewer),
        };
        let at = if who == "late" { one.at + SECOND } else { one.at - 20 * MINUTE };
        let word = if who == "no word" { "" } else { "is never reached" };
        both(c, &head, one, |search| {
            if search.what == "dependencies" {
                search.grave = 2;
                search.passed = (who != "nobody").then_some((at, by, word));
            }
        });
        all.push(said(c, "grave-let-through", one, letters, why));
    }
    all
}

fn again(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (first, last, letters, why) in [
        (1, 0, "ppp", "searched again with newer rules, by which it is no weakness"),
        (0, 1, "ppd", "searched again with newer rules, by which it is one"),
    ] {
        let Some((one, head)) = landed(c, rng) else { return all };
        both(c, &head, one, |search| search.grave = if search.what == "code" { first } else { 0 });
        let mut second = of(&head, one, "code");
        (second.at, second.grave) = (one.at - 10 * MINUTE, last);
        c.operations.code_searches.push(second);
        all.push(said(c, "searched-again", one, letters, why));
    }
    all
}

fn unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((one, head)) = landed(c, rng) else { return vec![] };
    both(c, &head, one, |search| {
        if search.what == "code" {
            search.what = "";
        }
    });
    vec![said(
        c,
        "search-unknown",
        one,
        "npn",
        "of one of two searches the export does not say what was searched",
    )]
}
