//! Who is who: which accounts are one person for certain, and which only look alike.
//!
//! An account is its own person until something certain says otherwise: the same e-mail address on two systems. The
//! same name, or the same local part of an address, makes two persons *alike*: never equal, and never independent of
//! each other until somebody decides.
//!
//! A person's number is that of the first account known of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

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
    by_trait: HashMap<(Likeness, String), BTreeSet<i64>>,
    traits: BTreeMap<i64, BTreeSet<(Likeness, String)>>,
    alike: BTreeSet<(i64, i64, Likeness)>,
}

impl std::hash::Hash for Likeness {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.word().hash(state);
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
        for folded in name_keys(name) {
            self.add_trait(account, (Likeness::Name, folded), links);
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
        self.add_trait(account, (Likeness::LocalPart, local), links);
    }

    /// The account's login: it counts as a local part, for people often use one for the other.
    pub(crate) fn login(&mut self, account: i64, login: &str, links: &mut Vec<Link>) {
        let login = login.trim().to_lowercase();
        if !login.is_empty() {
            self.add_trait(account, (Likeness::LocalPart, login), links);
        }
    }

    fn add_trait(&mut self, account: i64, key: (Likeness, String), links: &mut Vec<Link>) {
        self.account(account, links);
        if !self.traits.entry(account).or_default().insert(key.clone()) {
            return;
        }
        let others: Vec<i64> = self.by_trait.entry(key.clone()).or_default().iter().copied().collect();
        for other in others {
            self.likeness(account, other, key.0, links);
        }
        self.by_trait.entry(key).or_default().insert(account);
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
                let others: Vec<i64> = self.by_trait.get(&key).into_iter().flatten().copied().collect();
                for other in others {
                    self.likeness(*account, other, key.0, links);
                }
            }
        }
    }
}

/// A name for comparing, in two ways: all its words in any order (`Kim Hana`, `Hana Kim`), and its first and last word
/// (`Ann Lee`, `Ann B. Lee`). Case, punctuation and initials do not count.
fn name_keys(name: &str) -> BTreeSet<String> {
    let lower = name.to_lowercase();
    let mut words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|w| w.chars().count() > 1).collect();
    if words.is_empty() {
        // A name of single characters is a name, too.
        words = lower.split_whitespace().collect();
    }
    let mut keys = BTreeSet::new();
    if let (Some(first), Some(last)) = (words.first(), words.last()) {
        keys.insert(format!("{first} … {last}"));
    }
    words.sort_unstable();
    words.dedup();
    if !words.is_empty() {
        keys.insert(words.join(" "));
    }
    keys
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
        let alike: Vec<String> =
            alike.iter().filter(|(p, o, _)| p < o).map(|(p, o, _)| format!("{p}~{o}")).collect();
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
        check(&["email 1 7+ann@users.noreply.hub.test", "login 2 ann"], "1=1 2=2 1~2");
        check(&["email 1 ann+work@a.test", "email 2 ann@b.test"], "1=1 2=2 1~2");
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
