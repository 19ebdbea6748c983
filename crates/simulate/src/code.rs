//! How code is written: issues, proposals and their commits, reviews, checks and merges, people and robots, by day and by night.
//! Everything that landed came from a proposal as it should, before anything is made to go wrong.

use crate::changes::{LOGIN, PRIVATE, hexadecimal, lands, two};
use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::company::{
    Check, Company, Covered, End, FaultKind, Issue, Merge, Method, Opinion, Proposal, Work,
};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;

/// Robots that the code host itself knows as such.
pub(crate) const UPDATER: usize = 1 << 40;
pub(crate) const RELEASER: usize = UPDATER + 1;
pub(crate) const QUEUE: usize = UPDATER + 2;
/// From here on a number is that of a script's login, which somebody made for themselves.
pub(crate) const PET: usize = 1 << 44;
/// From here on a number is that of somebody who typed their company address into a commit, where the host knows no account of it.
pub(crate) const TYPED: usize = 1 << 48;

/// Who does something at the code host, as it calls them.
pub(crate) struct Handle {
    /// `None` where it knows no account.
    pub(crate) id: Option<u64>,
    pub(crate) login: String,
    pub(crate) robot: bool,
    pub(crate) name: String,
    pub(crate) email: String,
}

pub(crate) fn handle(c: &Company, who: usize) -> Handle {
    let robot = |id, login: &str| Handle {
        id: Some(id),
        login: format!("{login}[bot]"),
        robot: true,
        name: format!("{login}[bot]"),
        email: format!("{id}+{login}[bot]@users.noreply.hub"),
    };
    match who {
        MACHINE | QUEUE => robot(49_003, "merge-queue"),
        UPDATER => robot(49_001, "dependency-updates"),
        RELEASER => robot(49_002, "release"),
        who if who >= TYPED => Handle { id: None, ..of_person(c, who - TYPED) },
        who if who >= PET => {
            let owner = of_person(c, who - PET);
            Handle { id: owner.id.map(|id| id + 5_000_000), login: format!("{}-bot", owner.login), ..owner }
        }
        who if who >= LOGIN => {
            let login = &c.logins[who - LOGIN];
            let owner = login.person.map(|person| of_person(c, person).login).unwrap_or_default();
            Handle {
                id: login.key.parse().ok(),
                login: format!("{owner}-at-home"),
                robot: false,
                name: String::new(),
                email: String::new(),
            }
        }
        person => of_person(c, person),
    }
}

fn of_person(c: &Company, person: usize) -> Handle {
    let them = &c.people[person];
    // The code host never heard of a marriage.
    let last = them.former.unwrap_or(them.last);
    let local = match them.former {
        Some(last) => format!("{}.{}", them.first.to_lowercase(), last.to_lowercase()),
        None => them.local.clone(),
    };
    Handle {
        id: c.login_of(person, 1).and_then(|login| c.logins[login].key.parse().ok()),
        login: local.replace('.', "-"),
        robot: false,
        name: format!("{} {last}", them.first),
        email: format!("{local}@{}", c.domain),
    }
}

/// Whom the organisation counts as its members at an instant, and who of them owns it.
pub(crate) fn members(c: &Company, at: i64) -> Vec<(usize, bool)> {
    let there = |person: &usize| {
        let logins = c.logins.iter().filter(|l| l.person == Some(*person) && l.system == 1);
        let mut own = logins.filter(|l| l.key.parse::<usize>().is_ok_and(|number| number < PRIVATE));
        own.any(|l| l.spells.iter().any(|(from, to)| *from <= at && to.after(at)))
    };
    (0..c.people.len()).filter(there).map(|person| (person, person == 0)).collect()
}

const TITLES: [&str; 12] = [
    "retry the export when the store is slow",
    "show totals by month",
    "make the sign-in page load faster",
    "keep sessions over a restart",
    "round prices as the invoice does",
    "move the job queue to its own table",
    "log who changed a plan",
    "drop the old price table",
    "handle an empty address",
    "tell the customer when an import fails",
    "tidy the settings page",
    "cache the list of regions",
];

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    let clock = c.clock.clone();
    for repository in 0..c.shape.repositories {
        for _ in 0..20 + usize::try_from(c.shape.days).unwrap_or(365) / 8 {
            let opened = whole(rng.between(clock.from - 300 * DAY, clock.to));
            let closed = rng.chance(60).then(|| opened + rng.between(2, 900) * HOUR);
            let (title, by) = (rng.pick(&TITLES), rng.below(CORE));
            c.issues.push(Issue { repository, title, by, opened, closed });
        }
        // Robots keep what is used from others up to date, and people look at that, too.
        for _ in 0..usize::try_from(c.shape.days).unwrap_or(365) / 30 {
            let at = rng.between(clock.from, clock.to - 2 * DAY);
            let (by, _) = two(rng);
            lands(c, rng, repository, by, at);
            let landing = c.landings.len() - 1;
            let proposal = healthy(c, rng, landing);
            by_robot(c, proposal);
        }
        // Not everything that is proposed lands.
        for _ in 0..3 {
            let at = rng.between(clock.from, clock.to - 2 * DAY);
            let (author, other) = two(rng);
            lands(c, rng, repository, author, at);
            let landing = c.landings.len() - 1;
            let proposal = approved(c, rng, landing, other);
            c.landings.pop();
            let them = &mut c.proposals[proposal];
            them.merged = None;
            them.closed = rng.chance(60).then_some(whole(at));
        }
    }
    for landing in 0..c.landings.len() {
        let commit = &c.landings[landing].commit;
        let proposed = c.proposals.iter().filter_map(|p| p.merged.as_ref());
        if !proposed.into_iter().any(|m| m.commits.contains(commit))
            && c.repositories[c.landings[landing].repository].hosted
        {
            healthy(c, rng, landing);
        }
    }
}

/// A robot wrote and proposed it, and whoever is named as its author only merged it.
pub(crate) fn by_robot(c: &mut Company, proposal: usize) {
    let them = &mut c.proposals[proposal];
    them.by = UPDATER;
    them.title = "update what is used from others".to_owned();
    them.branch = format!("updates/{}", &them.works[0].commit[..7]);
    for work in &mut them.works {
        (work.author, work.committer, work.pusher) = (UPDATER, None, UPDATER);
    }
}

/// Second precision, as the code host has it.
pub(crate) const fn whole(at: i64) -> i64 {
    at.div_euclid(SECOND) * SECOND
}

/// A proposal behind something that landed, as it should be: of its author's own commits, with a ticket that was there before,
/// tests that passed, and the approval of somebody else.
fn healthy(c: &mut Company, rng: &mut Rng, landing: usize) -> usize {
    let author = c.landings[landing].author;
    let other = (author + 1 + rng.below(CORE - 1)) % CORE;
    approved(c, rng, landing, other)
}

pub(crate) fn approved(c: &mut Company, rng: &mut Rng, landing: usize, reviewer: usize) -> usize {
    let (repository, author, at) = {
        let l = &c.landings[landing];
        (l.repository, l.author, whole(l.at))
    };
    let head_at = at - rng.between(70, 600) * MINUTE;
    let several = rng.chance(40);
    let opened = if several { head_at - rng.between(1, 40) * HOUR } else { head_at + 2 * MINUTE };
    let mut works = vec![];
    for at in [opened - 4 * MINUTE, head_at].into_iter().take(if several { 2 } else { 1 }) {
        works.push(work(rng, author, whole(at)));
    }
    let head = works.last().map(|w| w.commit.clone()).unwrap_or_default();
    let checked = works.last().map_or(head_at, |w| w.at);
    for name in ["build", "lint"] {
        let at = checked + rng.between(3, 40) * MINUTE;
        c.checks.push(Check {
            repository,
            commit: head.clone(),
            name: name.to_owned(),
            conclusion: "success",
            at,
            status: false,
        });
    }
    let mut opinions = vec![];
    if several && rng.chance(30) {
        let word = rng.pick(&["COMMENTED", "CHANGES_REQUESTED"]);
        let on = works[0].commit.clone();
        opinions.push(Opinion { by: reviewer, word, on, at: whole(opened) + MINUTE, dismissed: None });
    }
    let given = at - rng.between(2, 25) * MINUTE;
    opinions.push(Opinion { by: reviewer, word: "APPROVED", on: head, at: given, dismissed: None });
    let how = match rng.below(10) {
        0..=5 => Method::Squash,
        6..=7 if !several => Method::Rebase,
        _ => Method::Merge,
    };
    // Whoever rebases is named as the committer of what lands: here people rebase their own.
    let by = if how == Method::Rebase || rng.chance(60) { author } else { reviewer };
    let before: Vec<usize> = (0..c.issues.len())
        .filter(|i| c.issues[*i].repository == repository && c.issues[*i].opened < opened)
        .collect();
    let tickets: Vec<String> =
        c.tickets.iter().filter(|t| t.created < opened).map(|t| t.key.clone()).collect();
    let (mut issue, mut says) = (None, String::new());
    if before.is_empty() || (!tickets.is_empty() && rng.chance(25)) {
        match tickets.is_empty() {
            true => issue = Some(an_issue(c, repository, opened - DAY)),
            false => says = format!("Refs {}", tickets[rng.below(tickets.len())]),
        }
    } else {
        issue = Some(rng.pick(&before));
    }
    let commits = vec![c.landings[landing].commit.clone()];
    c.proposals.push(Proposal {
        repository,
        title: rng.pick(&TITLES).to_owned(),
        says,
        issue,
        branch: format!("topic-{}", hexadecimal(rng, 6)),
        by: author,
        opened: whole(opened),
        works,
        rewritten: vec![],
        opinions,
        merged: Some(Merge { at, by, how, commits }),
        closed: None,
    });
    c.proposals.len() - 1
}

pub(crate) fn work(rng: &mut Rng, author: usize, at: i64) -> Work {
    let commit = hexadecimal(rng, 40);
    Work { commit, author, committer: Some(author), co_authors: vec![], pusher: author, at }
}

pub(crate) fn an_issue(c: &mut Company, repository: usize, opened: i64) -> usize {
    c.issues.push(Issue { repository, title: TITLES[0], by: 1, opened: whole(opened), closed: None });
    c.issues.len() - 1
}

/// What somebody signed for a whole class of changes, and whether this one is of it.
pub(crate) fn stands(c: &mut Company, landing: usize, at: i64, met: Option<bool>) {
    let (repository, commit) = (c.landings[landing].repository, c.landings[landing].commit.clone());
    c.covered.push(Covered { repository, commit, by: 0, at, met });
}

/// A time at which the collector looks at the code host: it does so every four weeks less a day, since the host forgets who went
/// around a rule after four weeks, and once after everything.
pub(crate) fn looks(c: &Company) -> Vec<i64> {
    const EVERY: i64 = 27 * DAY;
    let end = c.clock.cutoff + 1;
    let mut looks = vec![];
    match c.clock.dark {
        // Down for four days, and looked again when its turn came: a day of those is lost for good.
        Some((from, to)) => {
            let mut at = from - HOUR;
            while at > c.clock.from {
                looks.push(at);
                at -= EVERY;
            }
            looks.reverse();
            looks.extend((0..).map(|n| to + (1 + n) * EVERY).take_while(|at| *at < end));
        }
        None => {
            let first = c.clock.from + 10 * DAY;
            looks.extend((0..).map(|n| first + n * EVERY).take_while(|at| *at < end));
        }
    }
    looks.push(end);
    looks
}

/// Whether a fault holds at an instant.
pub(crate) fn faulty(c: &Company, repository: usize, kind: FaultKind, at: i64) -> bool {
    c.faults.iter().any(|f| f.repository == repository && f.kind == kind && f.from <= at && at < f.to)
}

/// A repository that is there for a case alone, with a rule and, at the beginning of the period, a release.
pub(crate) fn another(c: &mut Company, name: &str) -> usize {
    let rules = vec![(Some(true), 1, c.clock.kept_since, End::Never)];
    let place = (1..).map(|n| format!("{name}-{n}"));
    let taken = |key: &String| c.repositories.iter().any(|r| r.key.ends_with(&format!("/{key}")));
    let name = place.into_iter().find(|key| !taken(key)).unwrap_or_default();
    crate::changes::a_repository(c, &name, true, rules)
}
