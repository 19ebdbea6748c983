//! Who may read what is confidential, and the quarterly review of that (CRY-05).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::stores::entry;
use crate::truth::{Seeded, seeded};

/// Days after the decision within which what is to go is gone.
const REMOVED: i64 = 14;

/// Somebody who may read a store.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub(crate) asset: String,
    pub(crate) who: usize,
    pub(crate) from: i64,
    pub(crate) to: End,
}

#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) key: String,
    pub(crate) asset: String,
    pub(crate) quarter: (i64, i64),
    pub(crate) listed: i64,
    pub(crate) opened: i64,
    pub(crate) completed: i64,
    pub(crate) lines: Vec<Line>,
}

/// What was decided on one reader, by whom, when, and when what was to go was gone.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) who: usize,
    pub(crate) by: Option<usize>,
    pub(crate) decision: &'static str,
    pub(crate) at: i64,
    pub(crate) removed: Option<End>,
}

/// Whatever is confidential by then has a few readers, and was gone through in each quarter, but for what a case speaks of.
pub(crate) fn reviewed(c: &mut Company, rng: &mut Rng) {
    for place in 0..c.stores.assets.len() {
        let asset = c.stores.assets[place].clone();
        if !matches!(asset.class, "confidential" | "restricted" | "") || c.taken.contains(&about(&asset.key))
        {
            continue;
        }
        read(c, rng, &asset.key, asset.from);
        for quarter in c.clock.quarters() {
            if asset.from >= quarter.1 || !asset.to.after(quarter.1 - 1) {
                continue;
            }
            if asset.to == End::Unknown {
                let why = "given up, and nobody knows when: whether it had to be reviewed, nobody can say";
                let said = said("perhaps-in-use", &asset.key, quarter, "nnn", why);
                c.seeded.push(said);
            } else {
                look(c, rng, &asset.key, quarter);
            }
        }
    }
}

fn about(asset: &str) -> String {
    format!("readers {asset}")
}

fn read(c: &mut Company, rng: &mut Rng, asset: &str, from: i64) {
    let first = rng.below(CORE);
    for next in 0..2 + rng.below(2) {
        let who = (first + next) % CORE;
        c.operations.readers.push(Reader { asset: asset.to_owned(), who, from, to: End::Never });
    }
}

/// A review as it should be: of everybody who may read it, in the middle of the quarter, nobody of themselves.
fn look(c: &mut Company, rng: &mut Rng, asset: &str, quarter: (i64, i64)) -> usize {
    let listed = quarter.0 + rng.between(20, 60) * DAY;
    let opened = listed + rng.between(1, 9) * HOUR;
    let at = opened + rng.between(1, 30) * HOUR;
    let there = |r: &&Reader| r.asset == asset && r.from <= listed && r.to.after(listed);
    let readers: Vec<usize> = c.operations.readers.iter().filter(there).map(|r| r.who).collect();
    let other = |who: usize| (0..CORE).find(|one| *one != who && !readers.contains(one)).unwrap_or(CORE);
    let lines = readers
        .iter()
        .map(|who| Line { who: *who, by: Some(other(*who)), decision: "keep", at, removed: None })
        .collect();
    let key = format!("{asset}/{}", c.clock.date(quarter.0));
    let (asset, completed) = (asset.to_owned(), at + HOUR);
    c.operations.store_looks.push(Look { key, asset, quarter, listed, opened, completed, lines });
    c.operations.store_looks.len() - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("vault-skipped", skipped),
    ("vault-late", late),
    ("reader-left-out", left_out),
    ("of-their-own", of_their_own),
    ("reader-removed", removed),
    ("for-everybody-here", for_everybody_here),
];

fn said(case: &'static str, asset: &str, quarter: (i64, i64), letters: &str, why: &str) -> Seeded {
    seeded(("CRY-05", "store_access_reviewed", case), asset, letters, why).within(asset).at(quarter.0)
}

/// A vault with its readers, gone through in every quarter; the review of the first of them, of which the case speaks.
fn vault(c: &mut Company, rng: &mut Rng) -> Option<usize> {
    let key = format!("vault-{}", c.stores.assets.len() + 1);
    let from = c.clock.from - rng.between(300, 900) * DAY;
    entry(c, rng, key.clone(), "vault", "restricted", from, End::Never);
    c.take(about(&key));
    read(c, rng, &key, from);
    let mut first = None;
    for quarter in c.clock.quarters() {
        let place = look(c, rng, &key, quarter);
        first = first.or(Some(place));
    }
    // What becomes of it can be seen by the cut-off.
    first.filter(|place| c.operations.store_looks[*place].quarter.1 + 20 * DAY < c.clock.cutoff)
}

fn of(c: &Company, case: &'static str, place: usize, letters: &str, why: &str) -> Seeded {
    let look = &c.operations.store_looks[place];
    said(case, &look.asset, look.quarter, letters, why)
}

fn skipped(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(place) = vault(c, rng) else { return vec![] };
    let all = vec![of(c, "vault-skipped", place, "d--", "nobody went through it in one quarter")];
    c.operations.store_looks.remove(place);
    all
}

fn late(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (-SECOND, "pp-", "finished in the last second of the quarter"),
        (0, "dp-", "finished in the first instant of the next quarter"),
    ] {
        let Some(place) = vault(c, rng) else { return all };
        let look = &mut c.operations.store_looks[place];
        look.completed = look.quarter.1 + late;
        all.push(of(c, "vault-late", place, letters, why));
    }
    all
}

fn left_out(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some(place) = vault(c, rng) else { return all };
    c.operations.store_looks[place].lines.pop();
    all.push(of(c, "reader-left-out", place, "np-", "one of its readers did not stand on the list"));
    let Some(place) = vault(c, rng) else { return all };
    let (asset, from) = {
        let look = &c.operations.store_looks[place];
        (look.asset.clone(), look.listed + SECOND)
    };
    let to = End::At(from + DAY);
    c.operations.readers.push(Reader { asset, who: MACHINE, from, to });
    all.push(of(
        c,
        "reader-left-out",
        place,
        "pp-",
        "a script could read it from the second after the list was made on, for a day",
    ));
    let Some(place) = vault(c, rng) else { return all };
    c.operations.store_looks[place].lines[0].decision = "undecided";
    all.push(of(c, "reader-left-out", place, "dp-", "nothing was decided about one of its readers"));
    all
}

fn of_their_own(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (who, letters, why) in [
        ("themselves", "pd-", "one of its readers decided that they may go on reading it"),
        ("script", "pd-", "a script ticked everybody off"),
        ("nobody known", "pn-", "nobody wrote down who decided on one of its readers"),
        ("a second one", "pp-", "one of its readers decided on themselves, and somebody else did, too"),
    ] {
        let Some(place) = vault(c, rng) else { return all };
        let lines = &mut c.operations.store_looks[place].lines;
        let mut own = lines[0].clone();
        own.by = Some(own.who);
        match who {
            "themselves" => lines[0] = own,
            "script" => lines[0].by = Some(MACHINE),
            "nobody known" => lines[0].by = None,
            _ => lines.push(own),
        }
        all.push(of(c, "of-their-own", place, letters, why));
    }
    all
}

fn removed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (Some(0), "ppp", "what was to go was gone after fourteen days, to the second"),
        (Some(SECOND), "ppd", "what was to go was gone after fourteen days and a second"),
        (None, "ppd", "what was to go is still there"),
    ] {
        let Some(place) = vault(c, rng) else { return all };
        let line = &mut c.operations.store_looks[place].lines[0];
        line.decision = "revoke";
        let end = late.map_or(End::Never, |late| End::At(line.at + REMOVED * DAY + late));
        line.removed = Some(end);
        let (who, asset) = (line.who, c.operations.store_looks[place].asset.clone());
        for reader in c.operations.readers.iter_mut().filter(|r| r.asset == asset && r.who == who) {
            reader.to = end;
        }
        // Whoever is gone stands on no later list.
        if late.is_some() {
            let quarter = c.operations.store_looks[place].quarter;
            let later = |look: &&mut Look| look.asset == asset && look.quarter != quarter;
            for look in c.operations.store_looks.iter_mut().filter(later) {
                look.lines.retain(|line| line.who != who);
            }
        }
        all.push(of(c, "reader-removed", place, letters, why));
    }
    all
}

fn for_everybody_here(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(place) = vault(c, rng) else { return vec![] };
    let asset = c.operations.store_looks[place].asset.clone();
    if let Some(them) = c.stores.assets.iter_mut().find(|a| a.key == asset) {
        (them.kind, them.class) = ("file_store", "internal");
    }
    let why = "nobody goes through who may read what is for everybody here";
    let mut all = vec![];
    for look in c.operations.store_looks.iter().filter(|look| look.asset == asset) {
        all.push(said("for-everybody-here", &asset, look.quarter, "absent", why));
    }
    c.operations.store_looks.retain(|look| look.asset != asset);
    all
}
