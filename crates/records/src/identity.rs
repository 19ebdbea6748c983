//! Who is who: which accounts are one person for certain, and which only look alike.
//!
//! An account is its own person until something certain says otherwise: the same e-mail address on two systems. A name
//! that may be the same, or a local part or login that may be the other's, makes two persons *alike*: never equal, and
//! never independent of each other until somebody decides.
//!
//! A person's number is that of the first account known of them.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Why two persons look alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Likeness {
    Name,
    LocalPart,
}

impl Likeness {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Name => "same_name",
            Self::LocalPart => "same_local_part",
        }
    }
}

/// What something new about an account changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Link {
    /// The account's person is this one.
    Person { account: i64, person: i64, basis: &'static str },
    /// Two persons look alike (both orders are given).
    Alike { person: i64, other: i64, basis: Likeness },
    /// They no longer count as two persons who look alike: they became one, or one of them got another number.
    Unlike { person: i64, other: i64, basis: Likeness },
}

/// Everything known of accounts so far.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    person_of: HashMap<i64, i64>,
    members: HashMap<i64, BTreeSet<i64>>,
    by_email: HashMap<String, BTreeSet<i64>>,
    by_trait: HashMap<Trait, BTreeSet<i64>>,
    traits: BTreeMap<i64, BTreeSet<Trait>>,
    alike: BTreeSet<(i64, i64, Likeness)>,
}

/// What accounts are compared by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Trait {
    /// Words of a name.
    Name(String),
    /// A local part or login, as it is.
    Handle(String),
    /// A local part or login without the number at its end.
    Stem(String),
    /// A local part or login that people of this name often take.
    NameHandle(String),
}

/// People who share a stem from which on it counts as a way of numbering (`user1` to `user5000`) and no longer makes those
/// alike who come by it. Without an end every new one would be alike to all before.
const NUMBERED: usize = 200;

impl Trait {
    /// The traits of others that make them alike, and why. Two names that give the same handle (`alee` of Ann and of Adam
    /// Lee) are no likeness: only a handle somebody really has is.
    fn meets(&self) -> Vec<(Self, Likeness)> {
        match self {
            Self::Name(_) => vec![(self.clone(), Likeness::Name)],
            Self::Handle(h) | Self::Stem(h) => vec![
                (Self::Handle(h.clone()), Likeness::LocalPart),
                (Self::Stem(h.clone()), Likeness::LocalPart),
                (Self::NameHandle(h.clone()), Likeness::LocalPart),
            ],
            Self::NameHandle(h) => vec![
                (Self::Handle(h.clone()), Likeness::LocalPart),
                (Self::Stem(h.clone()), Likeness::LocalPart),
            ],
        }
    }
}

impl Identity {
    /// A new account: a person of its own until more is known.
    pub(crate) fn account(&mut self, account: i64, links: &mut Vec<Link>) {
        if self.person_of.contains_key(&account) {
            return;
        }
        self.person_of.insert(account, account);
        self.members.insert(account, BTreeSet::from([account]));
        links.push(Link::Person { account, person: account, basis: "own_account" });
    }

    /// The account goes by this name.
    pub(crate) fn name(&mut self, account: i64, name: &str, links: &mut Vec<Link>) {
        for key in name_traits(name) {
            self.add_trait(account, key, links);
        }
    }

    /// The account has this e-mail address.
    pub(crate) fn email(&mut self, account: i64, email: &str, links: &mut Vec<Link>) {
        self.account(account, links);
        let email = email.trim().to_lowercase();
        let Some(local) = local_part(&email) else { return };
        let same = self.by_email.entry(email).or_default();
        same.insert(account);
        // Those who had it before are one person already.
        let before = same.iter().copied().find(|other| *other != account);
        if let Some(before) = before {
            self.unite(before, account, "same_email", links);
        }
        for key in handle_traits(&local) {
            self.add_trait(account, key, links);
        }
    }

    /// The account's login: it counts as a local part, for people often use one for the other.
    pub(crate) fn login(&mut self, account: i64, login: &str, links: &mut Vec<Link>) {
        for key in handle_traits(login) {
            self.add_trait(account, key, links);
        }
    }

    fn add_trait(&mut self, account: i64, key: Trait, links: &mut Vec<Link>) {
        self.account(account, links);
        if !self.traits.entry(account).or_default().insert(key.clone()) {
            return;
        }
        self.meet(account, &key, links);
        self.by_trait.entry(key).or_default().insert(account);
    }

    /// Makes the account alike to everybody who has something that meets this trait.
    fn meet(&mut self, account: i64, key: &Trait, links: &mut Vec<Link>) {
        for (met, basis) in key.meets() {
            let Some(others) = self.by_trait.get(&met) else { continue };
            if matches!((key, &met), (Trait::Stem(_), Trait::Stem(_))) && others.len() >= NUMBERED {
                continue;
            }
            let others: Vec<i64> = others.iter().copied().collect();
            for other in others {
                self.likeness(account, other, basis, links);
            }
        }
    }

    fn likeness(&mut self, account: i64, other: i64, basis: Likeness, links: &mut Vec<Link>) {
        let (person, other) = (self.person_of[&account], self.person_of[&other]);
        if person == other {
            return;
        }
        for (person, other) in [(person, other), (other, person)] {
            if self.alike.insert((person, other, basis)) {
                links.push(Link::Alike { person, other, basis });
            }
        }
    }

    /// Two accounts are one person, for certain.
    fn unite(&mut self, one: i64, two: i64, basis: &'static str, links: &mut Vec<Link>) {
        let (one, two) = (self.person_of[&one], self.person_of[&two]);
        if one == two {
            return;
        }
        let (kept, gone) = (one.min(two), one.max(two));
        // Everything that was said of the number that goes is said of the one that stays.
        let affected: Vec<(i64, i64, Likeness)> =
            self.alike.iter().filter(|(p, o, _)| *p == gone || *o == gone).copied().collect();
        for (person, other, basis) in affected {
            self.alike.remove(&(person, other, basis));
            links.push(Link::Unlike { person, other, basis });
        }
        let moved = self.members.remove(&gone).unwrap_or_default();
        for account in &moved {
            self.person_of.insert(*account, kept);
            links.push(Link::Person { account: *account, person: kept, basis });
        }
        self.members.entry(kept).or_default().extend(&moved);
        for account in &moved {
            for key in self.traits.get(account).cloned().unwrap_or_default() {
                self.meet(*account, &key, links);
            }
        }
    }
}

/// Titles that some put before or behind their name.
const TITLES: &[&str] = &["dr", "mr", "mrs", "ms", "prof", "jr", "sr", "phd"];

/// Text for comparing: lower case, without accents, `ß` as `ss` and `ø` as `o`.
fn fold(text: &str) -> String {
    let mut folded = String::new();
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'þ' => folded.push_str("th"),
            'ı' => folded.push('i'),
            _ => folded.push(c),
        }
    }
    folded
}

/// What a name is compared by: all its words in any order (`Kim Hana`, `Hana Kim`), its first word with each other one (`Ann
/// Lee`, `Ann B. Lee`, `Ann Lee (work)`), and the handles people of that name take (`annlee`, `alee`). Case, accents,
/// punctuation, initials and titles do not count.
fn name_traits(name: &str) -> BTreeSet<Trait> {
    let folded = fold(name);
    let mut words: Vec<&str> = folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| w.chars().count() > 1 && !TITLES.contains(w))
        .collect();
    if words.is_empty() {
        // A name of single characters is a name, too.
        words = folded.split_whitespace().collect();
    }
    let mut keys = BTreeSet::new();
    if let [first, others @ ..] = &words[..] {
        for other in others {
            let initial: String = first.chars().take(1).collect();
            keys.insert(Trait::Name(format!("{first} … {other}")));
            for taken in [format!("{first}{other}"), format!("{other}{first}"), format!("{initial}{other}")] {
                keys.insert(Trait::NameHandle(taken));
            }
        }
        if others.is_empty() {
            // One word may be a handle in the place of a name.
            keys.insert(Trait::Handle((*first).to_owned()));
        }
    }
    words.sort_unstable();
    words.dedup();
    if !words.is_empty() {
        keys.insert(Trait::Name(words.join(" ")));
    }
    keys
}

/// What a local part or login is compared by: itself without punctuation, and without the number at its end.
fn handle_traits(text: &str) -> BTreeSet<Trait> {
    let handle: String = fold(text).chars().filter(|c| c.is_alphanumeric()).collect();
    let stem = handle.trim_end_matches(|c: char| c.is_ascii_digit());
    let mut traits = BTreeSet::new();
    if stem != handle && !stem.is_empty() {
        traits.insert(Trait::Stem(stem.to_owned()));
    }
    if !handle.is_empty() {
        traits.insert(Trait::Handle(handle));
    }
    traits
}

/// The local part of an address for comparing: without a `+tag`, and of a code host's no-reply address the login.
fn local_part(email: &str) -> Option<String> {
    let (local, domain) = email.rsplit_once('@')?;
    let local = if domain.starts_with("users.noreply.") {
        local.split_once('+').map_or(local, |(_, login)| login)
    } else {
        local.split_once('+').map_or(local, |(local, _)| local)
    };
    (!local.is_empty()).then(|| local.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Statements like `email 1 ann@x`, `name 2 Ann Lee`; the links that remain, in order.
    #[track_caller]
    fn check(statements: &[&str], expect: &str) {
        let mut identity = Identity::default();
        let mut links = vec![];
        for statement in statements {
            let mut parts = statement.splitn(3, ' ');
            let (what, account, text) =
                (parts.next().unwrap(), parts.next().unwrap().parse().unwrap(), parts.next().unwrap_or(""));
            match what {
                "email" => identity.email(account, text, &mut links),
                "name" => identity.name(account, text, &mut links),
                "login" => identity.login(account, text, &mut links),
                _ => identity.account(account, &mut links),
            }
        }
        let mut people = BTreeMap::new();
        let mut alike = BTreeSet::new();
        for link in links {
            match link {
                Link::Person { account, person, .. } => {
                    people.insert(account, person);
                }
                Link::Alike { person, other, basis } => assert!(alike.insert((person, other, basis))),
                Link::Unlike { person, other, basis } => assert!(alike.remove(&(person, other, basis))),
            }
        }
        let people: Vec<String> = people.iter().map(|(a, p)| format!("{a}={p}")).collect();
        let pairs: BTreeSet<(i64, i64)> =
            alike.iter().filter(|(p, o, _)| p < o).map(|(p, o, _)| (*p, *o)).collect();
        let alike: Vec<String> = pairs.iter().map(|(p, o)| format!("{p}~{o}")).collect();
        assert_eq!(format!("{} {}", people.join(" "), alike.join(" ")).trim(), expect);
    }

    #[test]
    fn the_same_address_is_one_person() {
        check(&["email 1 ann@x.test", "email 2 ANN@x.test"], "1=1 2=1");
        check(&["email 5 ann@x.test", "email 2 ann@x.test"], "2=2 5=2");
    }

    #[test]
    fn the_same_name_or_local_part_is_only_alike() {
        check(&["email 1 dee@a.test", "email 2 dee@b.test"], "1=1 2=2 1~2");
        check(
            &["email 1 dee@a.test", "name 1 Dee Fox", "email 2 fox@b.test", "name 2 dee  FOX"],
            "1=1 2=2 1~2",
        );
        check(&["email 1 ann@a.test", "email 2 bob@b.test"], "1=1 2=2");
        check(&["account 1", "name 1 Dan O'Dee", "account 2", "name 2 Dan H. O'Dee"], "1=1 2=2 1~2");
        check(&["account 1", "name 1 Hana Kim", "account 2", "name 2 Kim (Hana)"], "1=1 2=2 1~2");
        check(&["account 1", "name 1 王 小", "account 2", "name 2 王 小"], "1=1 2=2 1~2");
        check(&["account 1", "name 1 Ann Lee", "account 2", "name 2 Ann Fox"], "1=1 2=2");
        for other in ["Änn Lee", "Dr. Ann Lee", "Ann Lee (work)", "annlee", "ANN  LEE", "Lee, Ann"] {
            check(&["account 1", "name 1 Ann Lee", "account 2", &format!("name 2 {other}")], "1=1 2=2 1~2");
        }
        for other in [
            "annlee@b.test",
            "alee@b.test",
            "ann.lee@b.test",
            "annlee2@b.test",
            "12+annlee@users.noreply.hub.test",
        ] {
            check(&["account 1", "name 1 Ann Lee", &format!("email 2 {other}")], "1=1 2=2 1~2");
        }
        // Two people who could take the same handle have not taken it.
        check(&["account 1", "name 1 Ann Lee", "account 2", "name 2 Adam Lee"], "1=1 2=2");
        check(&["account 1", "name 1 Ann Lee", "email 2 ann@b.test"], "1=1 2=2");
        check(&["email 1 7+ann@users.noreply.hub.test", "login 2 ann"], "1=1 2=2 1~2");
        check(&["email 1 ann+work@a.test", "email 2 ann@b.test"], "1=1 2=2 1~2");
    }

    #[test]
    fn a_numbering_is_no_likeness_of_thousands() {
        check(&["login 1 ann1", "login 2 ann2", "login 3 ann"], "1=1 2=2 3=3 1~2 1~3 2~3");
        let mut identity = Identity::default();
        let mut links = vec![];
        for account in 0..5_000 {
            identity.login(account, &format!("user{account}"), &mut links);
        }
        // Every login is a person, the first are pairwise alike in both orders, and there it ends.
        assert_eq!(links.len(), 5_000 + NUMBERED * (NUMBERED - 1));
        // Who really is called like the stem is alike to all of them.
        let before = links.len();
        identity.login(5_000, "user", &mut links);
        assert_eq!(links.len() - before, 1 + 2 * 5_000);
    }

    #[test]
    fn a_person_takes_their_likenesses_along() {
        // 3 looks like 2; 2 turns out to be 1; then 3 looks like 1.
        check(
            &["email 1 a@x.test", "account 2", "name 2 Ann", "account 3", "name 3 Ann", "email 2 a@x.test"],
            "1=1 2=1 3=3 1~3",
        );
        // Two who looked alike and became one are no longer two.
        check(&["email 1 a@x.test", "name 1 Ann", "account 2", "name 2 Ann", "email 2 a@x.test"], "1=1 2=1");
    }
}
