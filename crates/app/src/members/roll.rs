//! Who is a member, as the ledger has it: what was decided about members, read in order.
//!
//! A decision names secrets by their ids; the secrets themselves lie in `data/state.db`. One that no decision names opens nothing,
//! so that a crash between the two leaves either a secret that counts for nothing or one that was decided about. E-mail address
//! and name stand in the entry that introduces a member and nowhere else: it alone is erased when they are to be forgotten.

use std::collections::{BTreeMap, BTreeSet};

use model::Instant;
use serde::{Deserialize, Serialize};

use super::permission::{Grant, Role, Scope};

/// A decision about members: the body of a document of the stream `members`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Said {
    /// Version of this form: 1.
    pub(crate) v: u64,
    pub(crate) by: By,
    pub(crate) reason: String,
    pub(crate) what: What,
}

/// Who decided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A member who had signed in.
    Member(u64),
    /// Whoever sat at the machine, by the pseudonym they gave.
    Operator(String),
}

/// What was decided. Ids are those of secrets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A link was made that lets its bearer become the first owner.
    FirstRun {
        /// The link.
        link: String,
        /// Until when it holds.
        expires_at: Instant,
    },
    /// Somebody became the first owner by that link.
    Founded {
        /// The member's number.
        member: u64,
        /// Their address.
        email: String,
        /// Their name.
        name: String,
        /// What they are called in decisions.
        called: String,
        /// The link they came by.
        link: String,
        /// What they sign in with.
        credential: String,
    },
    /// Somebody was invited.
    Invited {
        /// The member's number.
        member: u64,
        /// Their address.
        email: String,
        /// Their name.
        name: String,
        /// What they are called in decisions.
        called: String,
        /// Their roles.
        roles: Vec<Grant>,
        /// The link they may come by.
        link: String,
        /// Until when it holds.
        expires_at: Instant,
    },
    /// A member chose what they sign in with, by the link they were given.
    Joined {
        /// Who.
        member: u64,
        /// The link they came by.
        link: String,
        /// What they sign in with from now on.
        credential: String,
    },
    /// A member was given a role.
    Given {
        /// Who.
        member: u64,
        /// The role.
        role: Grant,
    },
    /// A role was taken from a member.
    Taken {
        /// Who.
        member: u64,
        /// The role.
        role: Grant,
    },
    /// A member got a link to choose anew what they sign in with.
    Reset {
        /// Who.
        member: u64,
        /// The link.
        link: String,
        /// Until when it holds.
        expires_at: Instant,
        /// Whether what they signed in with, and their tokens, ended with it.
        ends_login: bool,
        /// Whether somebody at the machine did it, beside every permission.
        break_glass: bool,
    },
    /// A recovery code stood in for the second factor.
    Recovered {
        /// Who.
        member: u64,
        /// How many codes they have left.
        left: u64,
    },
    /// A member is none any more.
    Removed {
        /// Who.
        member: u64,
    },
    /// A token was made.
    TokenIssued {
        /// The token.
        token: String,
        /// Whose it is.
        member: u64,
        /// What it is for.
        name: String,
        /// What it may do.
        scopes: BTreeSet<Scope>,
        /// Until when it holds.
        expires_at: Instant,
    },
    /// A token was taken back.
    TokenRevoked {
        /// The token.
        token: String,
    },
}

impl What {
    /// Whom it is about.
    #[must_use]
    pub const fn member(&self) -> Option<u64> {
        match self {
            Self::FirstRun { .. } | Self::TokenRevoked { .. } => None,
            Self::Founded { member, .. }
            | Self::Invited { member, .. }
            | Self::Joined { member, .. }
            | Self::Given { member, .. }
            | Self::Taken { member, .. }
            | Self::Reset { member, .. }
            | Self::Recovered { member, .. }
            | Self::Removed { member }
            | Self::TokenIssued { member, .. } => Some(*member),
        }
    }
}

/// A member.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Member {
    /// Their number, which nobody gets again.
    pub number: u64,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// The pseudonym under which they decide.
    pub called: String,
    /// Their roles.
    pub roles: BTreeSet<Grant>,
    /// How they stand.
    pub standing: Standing,
    /// Since when.
    pub since: Instant,
    /// When the link that they were given last expires; absent when there is none to use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_expires_at: Option<Instant>,
    #[serde(skip)]
    pub(crate) link: Option<Link>,
    #[serde(skip)]
    pub(crate) credential: Option<String>,
}

/// How a member stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Invited, or to choose anew what they sign in with.
    Invited,
    /// Can sign in.
    Active,
    /// Is none any more.
    Removed,
}

impl Standing {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Removed => "removed",
        }
    }
}

/// A one-time link that was decided about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Link {
    pub(crate) id: String,
    pub(crate) made_at: Instant,
    pub(crate) expires_at: Instant,
}

/// A token of the API.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub member: u64,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// When it was made.
    pub made_at: Instant,
    /// Until when it holds.
    pub expires_at: Instant,
    /// Why it does not hold any more, whatever its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<&'static str>,
    /// When it was used last, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Instant>,
}

/// Everybody, at a position of the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Roll {
    /// Ledger position up to which it was read.
    pub(crate) position: u64,
    pub(crate) members: BTreeMap<u64, Member>,
    /// The link that makes the first owner.
    pub(crate) first_run: Option<Link>,
    pub(crate) tokens: BTreeMap<String, Token>,
    /// The highest number that was ever given.
    pub(crate) numbers: u64,
}

/// Whom a link is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum For {
    FirstOwner,
    Member(u64),
}

/// An address as it is compared.
pub(crate) fn folded(email: &str) -> String {
    email.trim().to_lowercase()
}

impl Roll {
    /// Takes what was decided at an instant. What does not fit what came before changes nothing: it can only take away.
    pub(crate) fn take(&mut self, at: Instant, said: Said) {
        // Of a member whose introduction was erased at least the number is known, and not given again.
        if let By::Member(number) = said.by {
            self.numbers = self.numbers.max(number);
        }
        self.numbers = self.numbers.max(said.what.member().unwrap_or(0));
        let link = |id: String, expires_at: Instant| Link { id, made_at: at, expires_at };
        match said.what {
            What::FirstRun { link: id, expires_at } => self.first_run = Some(link(id, expires_at)),
            What::Founded { member, email, name, called, link, credential } => {
                if self.first_run.as_ref().is_some_and(|l| l.id == link) {
                    self.first_run = None;
                    let roles = BTreeSet::from([Grant::of(Role::Owner)]);
                    let standing = Standing::Active;
                    let credential = Some(credential);
                    self.add(Member {
                        number: member,
                        email,
                        name,
                        called,
                        roles,
                        standing,
                        since: at,
                        link_expires_at: None,
                        link: None,
                        credential,
                    });
                }
            }
            What::Invited { member, email, name, called, roles, link: id, expires_at } => self.add(Member {
                number: member,
                email,
                name,
                called,
                roles: roles.into_iter().collect(),
                standing: Standing::Invited,
                since: at,
                link_expires_at: Some(expires_at),
                link: Some(link(id, expires_at)),
                credential: None,
            }),
            What::Joined { member, link, credential } => {
                if let Some(member) = self.present(member)
                    && member.link.as_ref().is_some_and(|l| l.id == link)
                {
                    member.link = None;
                    member.link_expires_at = None;
                    member.credential = Some(credential);
                    member.stands(Standing::Active, at);
                }
            }
            What::Given { member, role } => {
                if let Some(member) = self.present(member) {
                    member.roles.insert(role);
                }
            }
            What::Taken { member, role } => {
                if let Some(member) = self.present(member) {
                    member.roles.remove(&role);
                }
            }
            What::Reset { member: number, link: id, expires_at, ends_login, .. } => {
                let Some(member) = self.present(number) else { return };
                member.link = Some(link(id, expires_at));
                member.link_expires_at = Some(expires_at);
                if ends_login {
                    member.credential = None;
                    member.stands(Standing::Invited, at);
                    self.end_tokens(number, "its member's login was reset");
                }
            }
            What::Recovered { .. } => {}
            What::Removed { member: number } => {
                let Some(member) = self.present(number) else { return };
                member.roles.clear();
                member.link = None;
                member.link_expires_at = None;
                member.credential = None;
                member.stands(Standing::Removed, at);
                self.end_tokens(number, "its member was removed");
            }
            What::TokenIssued { token, member, name, scopes, expires_at } => {
                if self.present(member).is_some() {
                    let issued = Token {
                        id: token.clone(),
                        member,
                        name,
                        scopes,
                        made_at: at,
                        expires_at,
                        ended: None,
                        used_at: None,
                    };
                    self.tokens.insert(token, issued);
                }
            }
            What::TokenRevoked { token } => {
                if let Some(token) = self.tokens.get_mut(&token) {
                    token.ended = token.ended.or(Some("revoked"));
                }
            }
        }
    }

    fn add(&mut self, member: Member) {
        self.members.entry(member.number).or_insert(member);
    }

    /// A member who was not removed.
    fn present(&mut self, number: u64) -> Option<&mut Member> {
        self.members.get_mut(&number).filter(|m| m.standing != Standing::Removed)
    }

    fn end_tokens(&mut self, member: u64, why: &'static str) {
        for token in self.tokens.values_mut().filter(|t| t.member == member) {
            token.ended = token.ended.or(Some(why));
        }
    }

    /// Members who were not removed.
    pub(crate) fn all_present(&self) -> impl Iterator<Item = &Member> {
        self.members.values().filter(|m| m.standing != Standing::Removed)
    }

    /// The member with an address.
    pub(crate) fn by_email(&self, email: &str) -> Option<&Member> {
        let wanted = folded(email);
        self.all_present().find(|m| folded(&m.email) == wanted)
    }

    /// Whom a link is for, and the link.
    pub(crate) fn link(&self, id: &str) -> Option<(For, &Link)> {
        let first = self.first_run.iter().map(|link| (For::FirstOwner, link));
        let theirs = self.all_present().filter_map(|m| Some((For::Member(m.number), m.link.as_ref()?)));
        first.chain(theirs).find(|(_, link)| link.id == id)
    }

    /// Whether anybody is, or was asked to be, an owner.
    pub(crate) fn has_owner(&self) -> bool {
        self.all_present().any(Member::is_owner)
    }

    /// Whether nobody else could let anybody in without this member.
    pub(crate) fn is_last_owner(&self, number: u64) -> bool {
        let able = |m: &&Member| m.is_owner() && m.standing == Standing::Active;
        let mut owners = self.all_present().filter(able).map(|m| m.number);
        owners.next() == Some(number) && owners.next().is_none()
    }

    /// Ids of every secret that still counts.
    pub(crate) fn ids(&self) -> BTreeSet<String> {
        let links = self.all_present().filter_map(|m| m.link.as_ref()).chain(&self.first_run).map(|l| &l.id);
        let credentials = self.all_present().filter_map(|m| m.credential.as_ref());
        let tokens = self.tokens.values().filter(|t| t.ended.is_none()).map(|t| &t.id);
        links.chain(credentials).chain(tokens).cloned().collect()
    }
}

impl Member {
    fn stands(&mut self, standing: Standing, at: Instant) {
        if self.standing != standing {
            self.standing = standing;
            self.since = at;
        }
    }

    pub(crate) fn is_owner(&self) -> bool {
        self.roles.iter().any(|grant| grant.role == Role::Owner)
    }
}
