//! Who gets in: members, their roles, what they sign in with, sessions, one-time links, tokens.
//!
//! Decisions about members are documents of the ledger (stream `members`), which say who may do what; secrets lie in
//! `data/state.db` and say nothing. A secret is kept first and decided about then: the ledger is the commit point. Whoever is cut
//! off in between leaves a secret that no decision names, and that opens nothing.
//!
//! [`Members`] stands beside the [`Workspace`], so that a page can ask who is there while another computes; only what is decided
//! needs the workspace. Every use case asks the one table of [`permission`] itself, with the roles of that moment: a role that was
//! taken ends what a running session may do at once.
//!
//! `now` is always the machine's clock, also where a demo's stands still.

mod lockout;
mod password;
pub(crate) mod permission;
pub(crate) mod roll;
#[cfg(test)]
mod tests;
mod totp;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ledger::{Entropy, Kind};
use model::{Capture, Document, Instant};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use store::state::State;
use store::state::secrets::{Credential, Hash, Session};

use crate::error::AppError;
use crate::workspace::{Workspace, decision_receipt};
use permission::{Action, Grant, Reach, Resource, Scope, is_dangerous, permitted};
use roll::{By, For, Link, Member, Roll, Said, Standing, Token, What, folded};

/// Stream of the decisions.
pub(crate) const STREAM: &str = "members";

const MINUTE_MS: i64 = 60 * 1000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// A session that nobody uses ends after this.
pub const IDLE_MS: i64 = HOUR_MS;
/// Every session ends after this.
pub const SESSION_MS: i64 = 12 * HOUR_MS;
/// A dangerous act wants a proof that is no older.
pub const PROOF_MS: i64 = 10 * MINUTE_MS;
/// A one-time link holds for this long.
pub const LINK_MS: i64 = 48 * HOUR_MS;
/// The longest that a token may hold.
pub const TOKEN_MS: i64 = 366 * 24 * HOUR_MS;
/// How far a clock may be corrected backwards without ending a session.
const CORRECTION_MS: i64 = MINUTE_MS;
/// Recovery codes of a credential.
const RECOVERY_CODES: usize = 10;
/// What every token begins with, so that those who look for lost secrets can tell it.
const TOKEN: &str = "tickmark_";

/// Why somebody does not get in, or may not do what they want.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// No session, or one that is over.
    #[error("nobody is signed in; sign in and try again")]
    NotSignedIn,
    /// E-mail address, password and code do not belong together; which of them is wrong is nobody's business.
    #[error("address, password or code is wrong; a code counts once, so wait for the next one")]
    Wrong,
    /// Too many were wrong.
    #[error("too many tries went wrong; try again in {seconds} seconds")]
    Wait {
        /// How long to wait.
        seconds: i64,
    },
    /// A one-time link that leads nowhere.
    #[error("this link was used, has expired or was replaced; ask whoever invited you for another")]
    Link,
    /// No role allows it.
    #[error("you may not {action} {resource}; an owner can give you a role that may")]
    NotAllowed {
        /// What.
        action: Action,
        /// To what.
        resource: Resource,
    },
    /// A dangerous act wants a fresh proof.
    #[error("this wants a fresh proof of who you are; enter password and code again")]
    ProveAgain,
    /// What was entered cannot be taken.
    #[error("{0}")]
    Unfit(String),
    /// Somebody else decided about it after whoever asks had looked at it.
    #[error("{what} has changed since you opened it; look at what was decided meanwhile, and send it again")]
    Changed {
        /// What.
        what: String,
    },
    /// Something does not work.
    #[error(transparent)]
    Failed(#[from] AppError),
}

impl From<store::state::StateError> for Refused {
    fn from(error: store::state::StateError) -> Self {
        Self::Failed(error.into())
    }
}

pub(crate) fn unfit(why: impl Into<String>) -> Refused {
    Refused::Unfit(why.into())
}

/// 256 random bits that are shown once and kept as their SHA-256. Prints nothing of itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// Reads what [`Secret::reveal`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(TOKEN).unwrap_or(text);
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The text that goes to whoever it is for: a cookie, a link.
    #[must_use]
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The text of a token of the API.
    #[must_use]
    pub fn reveal_token(&self) -> String {
        format!("{TOKEN}{}", self.reveal())
    }

    /// What a form of this session holds, so that no other site can send it.
    #[must_use]
    pub fn form_token(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"tickmark form ");
        hash.update(self.0);
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }

    /// Whether a form holds it, in a time that tells nothing.
    #[must_use]
    pub fn is_form_token(&self, sent: &str) -> bool {
        use subtle::ConstantTimeEq as _;
        self.form_token().as_bytes().ct_eq(sent.as_bytes()).into()
    }

    /// What shows that a text was given out to this session, so that nobody else can make one up.
    #[must_use]
    pub fn seal(&self, text: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(b"tickmark seal ");
        hash.update(text.as_bytes());
        // Last: whoever knows a seal cannot go on from it.
        hash.update(self.0);
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }

    /// Whether a text bears its seal, in a time that tells nothing.
    #[must_use]
    pub fn is_sealed(&self, text: &str, seal: &str) -> bool {
        use subtle::ConstantTimeEq as _;
        self.seal(text).as_bytes().ct_eq(seal.as_bytes()).into()
    }

    fn hash(&self) -> Hash {
        Sha256::digest(self.0).into()
    }
}

/// Path of a one-time link, to put behind the address at which this is served.
#[must_use]
pub fn link_path(secret: &Secret) -> String {
    format!("/join/{}", secret.reveal())
}

/// Who asks: a member by a session or a token, with the roles of that moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Principal {
    /// Their number.
    pub member: u64,
    /// The pseudonym under which they decide.
    pub called: String,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their roles.
    pub roles: BTreeSet<Grant>,
    #[serde(skip)]
    way: Way,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Way {
    Session { id: String, credential: String, proved_at: Instant },
    Token { id: String, scopes: BTreeSet<Scope> },
}

impl Principal {
    /// Whether they may do something, and how far: the one place where it is asked.
    ///
    /// # Errors
    /// No role allows it, the token's scopes do not, or it is dangerous and wants a fresh proof.
    pub fn may(&self, action: Action, resource: Resource, now: Instant) -> Result<Reach, Refused> {
        let reach = self.reach(action, resource).ok_or(Refused::NotAllowed { action, resource })?;
        match &self.way {
            Way::Session { proved_at, .. } if is_dangerous(action, resource) && !fresh(*proved_at, now) => {
                Err(Refused::ProveAgain)
            }
            _ => Ok(reach),
        }
    }

    /// How far they may, fresh proof or not: whether to show a way there at all.
    #[must_use]
    pub fn reach(&self, action: Action, resource: Resource) -> Option<Reach> {
        if let Way::Token { scopes, .. } = &self.way
            && (is_dangerous(action, resource) || !scopes.contains(&Scope { action, resource }))
        {
            return None;
        }
        self.roles.iter().filter_map(|grant| permitted(grant.role, action, resource)).max()
    }

    /// The engagements that they examine.
    pub fn engagements(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().filter_map(|grant| grant.engagement.as_deref())
    }

    /// The id of their session; absent where they came by a token.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        match &self.way {
            Way::Session { id, .. } => Some(id),
            Way::Token { .. } => None,
        }
    }
}

/// Whether a proof of who somebody is is recent. One from the future is none.
fn fresh(proved_at: Instant, now: Instant) -> bool {
    let age = now.ms() - proved_at.ms();
    (-CORRECTION_MS..PROOF_MS).contains(&age)
}

/// Who decides about members.
#[derive(Clone, Copy, Debug)]
pub enum Actor<'a> {
    /// A member: the table says what they may.
    Member(&'a Principal),
    /// Whoever sits at the machine, by a pseudonym: they hold the workspace and need no permission.
    Operator(&'a str),
}

impl<'a> Actor<'a> {
    /// Whether they may do something, and how far.
    ///
    /// # Errors
    /// As [`Principal::may`]; whoever sits at the machine may everything.
    pub fn may(&self, action: Action, resource: Resource, now: Instant) -> Result<Reach, Refused> {
        match self {
            Self::Member(principal) => principal.may(action, resource, now),
            Self::Operator(_) => Ok(Reach::Every),
        }
    }

    /// The pseudonym under which they decide.
    #[must_use]
    pub fn called(&self) -> &'a str {
        match self {
            Self::Member(principal) => &principal.called,
            Self::Operator(called) => called,
        }
    }
}

/// Whom to invite.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invitation {
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// The pseudonym under which they will decide; `member-7` and the like when absent.
    pub called: Option<String>,
    /// Their roles.
    pub roles: Vec<Grant>,
}

/// A one-time link that was just made. Its secret is not kept anywhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MadeLink {
    /// Whom it is for; absent for the first owner.
    pub member: Option<u64>,
    /// What it consists of.
    pub secret: Secret,
    /// Until when it holds.
    pub expires_at: Instant,
}

/// What the bearer of a link is shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Opened {
    /// Whom the link is for; absent for the first owner, who says so themselves.
    pub member: Option<Member>,
    /// Until when it holds.
    pub expires_at: Instant,
    /// The authenticator's secret in letters, to type.
    pub authenticator: String,
    /// The same as an `otpauth:` address, to make a picture of.
    pub authenticator_address: String,
}

/// What the bearer of a link enters.
#[derive(Clone, Debug)]
pub struct Join<'a> {
    /// The first owner's address; of others it is known.
    pub email: Option<&'a str>,
    /// The first owner's name; of others it is known.
    pub name: Option<&'a str>,
    /// The password they chose.
    pub password: &'a str,
    /// What the authenticator shows.
    pub code: &'a str,
}

/// Somebody has got what they sign in with, and is signed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Joined {
    /// Their session.
    pub signed_in: SignedIn,
    /// Codes that stand in for the authenticator, each once. Shown now and never again.
    pub recovery: Vec<String>,
}

/// What is known of where somebody comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin<'a> {
    /// The network address, as text.
    pub address: &'a str,
    /// What the browser calls itself.
    pub agent: &'a str,
    /// What an earlier sign-in left on the device.
    pub device: Option<&'a Secret>,
}

/// What somebody enters to get in.
#[derive(Clone, Copy, Debug)]
pub struct SignIn<'a> {
    /// Their address.
    pub email: &'a str,
    /// Their password.
    pub password: &'a str,
    /// What the authenticator shows, or a recovery code where one is asked for.
    pub code: &'a str,
}

/// Somebody is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedIn {
    /// The session's secret, for a cookie.
    pub session: Secret,
    /// What the device keeps for the next time, for a cookie that lasts.
    pub device: Secret,
    /// When the session ends at the latest.
    pub expires_at: Instant,
    /// Who it is.
    pub principal: Principal,
}

/// A session, for the member it is of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SessionEntry {
    /// Its id.
    pub id: String,
    /// When it was opened.
    pub made_at: Instant,
    /// When it was used last, to the minute.
    pub seen_at: Instant,
    /// Address it was opened from.
    pub address: String,
    /// What the browser called itself then.
    pub agent: String,
    /// Whether it is the one that asks.
    pub this: bool,
}

/// A token that was just made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MadeToken {
    /// What it consists of: [`Secret::reveal_token`]. Shown now and never again.
    pub secret: Secret,
    /// What it is.
    pub token: Token,
}

/// A decision about members, as it was taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct MemberDecision {
    /// Its ledger entry.
    pub entry: u64,
    /// When the ledger took it.
    pub at: Instant,
    /// Who took it.
    pub by: By,
    /// Why.
    pub reason: String,
    /// What it was.
    pub what: What,
}

/// Who gets in, beside the workspace. Clones are the same.
#[derive(Clone)]
pub struct Members(Arc<Inside>);

struct Inside {
    state: Mutex<State>,
    roll: RwLock<Roll>,
    entropy: Mutex<Entropy>,
    /// One password is hashed at a time: many at once would take as much memory each.
    hashing: Mutex<()>,
    organisation: String,
}

/// What can be told without a lock's poison: nothing is left half done under any of them.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Members {
    /// Reads who is a member, and forgets secrets that nothing decided names: what a crash left, and what was taken back.
    ///
    /// # Errors
    /// The ledger or the state database, or a decision of a newer version.
    pub fn open(workspace: &Workspace, entropy: Entropy) -> Result<Self, AppError> {
        let state = State::open(&workspace.data_folder().join("state.db"))?;
        let members = Self(Arc::new(Inside {
            state: Mutex::new(state),
            roll: RwLock::default(),
            entropy: Mutex::new(entropy),
            hashing: Mutex::new(()),
            organisation: workspace.config.organisation.clone(),
        }));
        members.follow(workspace)?;
        Ok(members)
    }

    /// Takes what was decided since, and forgets what does not count any more. Nothing else decides about members at this moment:
    /// the workspace is the caller's.
    fn follow(&self, workspace: &Workspace) -> Result<(), AppError> {
        let mut roll = self.0.roll.write().unwrap_or_else(PoisonError::into_inner);
        let mut state = held(&self.0.state);
        let size = workspace.ledger.size();
        let mut next = roll.clone();
        if next.position == 0 {
            let (entries, read) = state.member_entries()?;
            // A state that has seen more than there is, is of another ledger.
            if read <= size {
                for entry in entries.into_iter().filter(|entry| *entry < read) {
                    next.read(workspace, entry)?;
                }
                next.position = read;
            }
        }
        let mut found = vec![];
        for leaf in workspace.ledger.reader().leaves(next.position..size) {
            let (entry, leaf) = leaf?;
            if leaf.kind == Kind::Decision && leaf.stream == STREAM {
                found.push(entry);
                next.read(workspace, entry)?;
            }
        }
        next.position = size;
        state.note_member_entries(&found, size)?;
        let ids = next.ids();
        *roll = next;
        state.keep_secrets(ids.iter().map(String::as_str))?;
        Ok(())
    }

    fn look<T>(&self, at: impl FnOnce(&Roll) -> T) -> T {
        at(&self.0.roll.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn random<const N: usize>(&self) -> Result<[u8; N], AppError> {
        let mut bytes = [0; N];
        held(&self.0.entropy)(&mut bytes)
            .map_err(|e| AppError::Other(format!("the system gave no randomness: {e}")))?;
        Ok(bytes)
    }

    fn secret(&self) -> Result<Secret, AppError> {
        self.random().map(Secret)
    }

    /// An id, which says nothing about the secret that it is of.
    fn id(&self) -> Result<String, AppError> {
        Ok(self.random::<16>()?.iter().map(|b| format!("{b:02x}")).collect())
    }

    // ---- decisions ----

    /// Appends a decision: when this returns it holds.
    fn decide(
        &self,
        workspace: &mut Workspace,
        by: By,
        reason: &str,
        what: What,
        now: Instant,
    ) -> Result<u64, Refused> {
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(unfit("a decision about members needs a reason; write one"));
        }
        let reason = text("reason", reason, 2000)?;
        let said = Said { v: 1, by, reason, what };
        let body = serde_json::to_vec(&said).map_err(|e| AppError::Other(e.to_string()))?;
        let capture = Capture { receipt: decision_receipt(STREAM, now), body };
        let entry = workspace.append_as(Kind::Decision, &[capture])?.start;
        self.follow(workspace)?;
        Ok(entry)
    }

    /// Who decides, once they may.
    fn authorise(
        &self,
        actor: Actor<'_>,
        action: Action,
        resource: Resource,
        now: Instant,
    ) -> Result<By, Refused> {
        match actor {
            Actor::Member(principal) => {
                self.renewed(principal)?.may(action, resource, now)?;
                Ok(By::Member(principal.member))
            }
            Actor::Operator(who) => Ok(By::Operator(text("pseudonym of who decides", who, 200)?)),
        }
    }

    /// The same principal as they stand now: whoever waited for the workspace may have lost a role meanwhile.
    ///
    /// # Errors
    /// They are not signed in any more.
    pub fn renewed(&self, principal: &Principal) -> Result<Principal, Refused> {
        self.look(|roll| match &principal.way {
            Way::Session { credential, .. } => {
                let member = roll.by_credential(credential).filter(|m| m.number == principal.member);
                member.map(|m| m.principal(principal.way.clone()))
            }
            Way::Token { id, .. } => {
                let token = roll.tokens.get(id).filter(|t| t.ended.is_none());
                token.and_then(|t| roll.active(t.member)).map(|m| m.principal(principal.way.clone()))
            }
        })
        .ok_or(Refused::NotSignedIn)
    }

    fn present(&self, number: u64) -> Result<Member, Refused> {
        self.look(|roll| roll.all_present().find(|m| m.number == number).cloned()).ok_or_else(|| {
            unfit(format!("there is no member {number}; `tickmark member list` shows who there is"))
        })
    }

    /// Makes the link by which the first owner comes in. The last one made counts.
    ///
    /// # Errors
    /// There is an owner, or one was invited; or the disk.
    pub fn first_run(
        &self,
        workspace: &mut Workspace,
        operator: &str,
        now: Instant,
    ) -> Result<MadeLink, Refused> {
        let by = By::Operator(text("pseudonym of who decides", operator, 200)?);
        if self.has_owner() {
            return Err(unfit(
                "this workspace has an owner; sign in, or have a link made with `tickmark member reset-login`",
            ));
        }
        let (link, id) = self.new_link(None, now)?;
        let what = What::FirstRun { link: id, expires_at: link.expires_at };
        self.decide(workspace, by, "nobody is an owner yet", what, now)?;
        Ok(link)
    }

    /// Whether anybody is an owner, or was asked to be: otherwise the first run is still to come.
    #[must_use]
    pub fn has_owner(&self) -> bool {
        self.look(Roll::has_owner)
    }

    /// A link's secret, kept; it counts once its id is decided about.
    fn new_link(&self, member: Option<u64>, now: Instant) -> Result<(MadeLink, String), Refused> {
        let (secret, id) = (self.secret()?, self.id()?);
        held(&self.0.state).put_link(&secret.hash(), &id)?;
        let expires_at = Instant::from_ms(now.ms().saturating_add(LINK_MS));
        Ok((MadeLink { member, secret, expires_at }, id))
    }

    /// Invites somebody: they come in by the link.
    ///
    /// # Errors
    /// No permission, an address that is a member's already, roles that do not go together, or the disk.
    pub fn invite(
        &self,
        workspace: &mut Workspace,
        actor: Actor<'_>,
        invitation: &Invitation,
        reason: &str,
        now: Instant,
    ) -> Result<MadeLink, Refused> {
        let by = self.authorise(actor, Action::Manage, Resource::Members, now)?;
        if let Some(why) = permission::unfit(&invitation.roles) {
            return Err(unfit(why));
        }
        let Person { member, email, name, called } =
            self.person(&invitation.email, &invitation.name, invitation.called.as_deref())?;
        let (link, id) = self.new_link(Some(member), now)?;
        let roles: BTreeSet<Grant> = invitation.roles.iter().cloned().collect();
        let what = What::Invited {
            member,
            email,
            name,
            called,
            roles: roles.into_iter().collect(),
            link: id,
            expires_at: link.expires_at,
        };
        self.decide(workspace, by, reason, what, now)?;
        Ok(link)
    }

    /// Somebody new, with their number.
    fn person(&self, email: &str, name: &str, called: Option<&str>) -> Result<Person, Refused> {
        let email = text("address", email, 254)?;
        let parts: Vec<&str> = email.split('@').collect();
        let whole = matches!(parts[..], [local, domain] if !local.is_empty() && !domain.is_empty());
        if !whole || email.contains(char::is_whitespace) {
            return Err(unfit(format!("`{email}` is no e-mail address; write it like ann@example.test")));
        }
        let name = text("name", name, 200)?;
        self.look(|roll| {
            if let Some(other) = roll.by_email(&email) {
                return Err(unfit(format!(
                    "`{email}` is member {} already; give them a role, or a new link with `tickmark member reset-login`",
                    other.number
                )));
            }
            let member = roll.numbers + 1;
            let called = match called.map(str::trim).filter(|c| !c.is_empty()) {
                Some(called) => text("pseudonym", called, 64)?,
                None => format!("member-{member}"),
            };
            // Removed ones, too: what they decided stays theirs.
            if roll.members.values().any(|m| folded(&m.called) == folded(&called)) {
                return Err(unfit(format!("somebody else decides as `{called}`; choose another pseudonym")));
            }
            Ok(Person { member, email, name, called })
        })
    }

    /// What a link leads to: shows whom it is for, and what to put into the authenticator. Opened again it shows the same.
    ///
    /// # Errors
    /// The link was used, has expired or was replaced; or the disk.
    pub fn opened(&self, link: &Secret, now: Instant) -> Result<Opened, Refused> {
        let (id, whose, kept) = self.link(link, now)?;
        let totp = held(&self.0.state).propose(&id, &self.random::<{ totp::SECRET }>()?)?;
        let member = match whose {
            For::FirstOwner => None,
            For::Member(number) => Some(self.present(number).map_err(|_| Refused::Link)?),
        };
        let issuer = Some(self.0.organisation.trim()).filter(|o| !o.is_empty()).unwrap_or("Tickmark");
        let called = member.as_ref().map_or("owner", |m| &m.email);
        Ok(Opened {
            authenticator: totp::base32(&totp),
            authenticator_address: totp::address(&totp, issuer, called),
            member,
            expires_at: kept.expires_at,
        })
    }

    fn link(&self, secret: &Secret, now: Instant) -> Result<(String, For, Link), Refused> {
        let id = held(&self.0.state).link(&secret.hash())?.ok_or(Refused::Link)?;
        let (whose, link) = self
            .look(|roll| roll.link(&id).map(|(whose, link)| (whose, link.clone())))
            .ok_or(Refused::Link)?;
        // A clock that was set back by much says that a link was made in the future: nobody knows when it ends.
        if now.ms() < link.made_at.ms() - CORRECTION_MS || now >= link.expires_at {
            return Err(Refused::Link);
        }
        Ok((id, whose, link))
    }

    /// Comes in by a link: chooses a password, shows that the authenticator works, and is signed in.
    ///
    /// # Errors
    /// The link leads nowhere, the password is not taken, the code is not the authenticator's; or the disk.
    pub fn join(
        &self,
        workspace: &mut Workspace,
        link: &Secret,
        join: &Join<'_>,
        origin: &Origin<'_>,
        now: Instant,
    ) -> Result<Joined, Refused> {
        let (id, whose, _) = self.link(link, now)?;
        let person = match whose {
            For::FirstOwner => {
                if self.has_owner() {
                    return Err(Refused::Link);
                }
                self.person(join.email.unwrap_or(""), join.name.unwrap_or(""), None)?
            }
            For::Member(number) => {
                let Member { email, name, called, .. } = self.present(number).map_err(|_| Refused::Link)?;
                Person { member: number, email, name, called }
            }
        };
        if let Some(why) =
            password::unfit(join.password, &[&person.email, &person.name, &self.0.organisation])
        {
            return Err(unfit(why));
        }
        let totp = held(&self.0.state).proposed(&id)?.unwrap_or_default();
        let step = Some(&totp).filter(|t| !t.is_empty()).and_then(|t| totp::step(t, join.code, now));
        let step = step.ok_or_else(|| {
            unfit("that is not what the authenticator shows for this link; look whether the device's clock is right, and enter the code it shows now")
        })?;
        let salt = self.random()?;
        let hash = {
            let _one = held(&self.0.hashing);
            password::hash(join.password, &salt)?
        };
        let mut recovery = vec![];
        for _ in 0..RECOVERY_CODES {
            recovery.push(totp::base32(&self.random::<10>()?));
        }
        let hashes: Vec<Hash> = recovery.iter().map(|code| recovery_hash(code)).collect();
        let credential = Credential { id: self.id()?, password: hash, totp };
        held(&self.0.state).put_credential(&credential, step, &hashes)?;
        let Person { member, email, name, called } = person;
        let credential = credential.id;
        let (what, reason) = match whose {
            For::FirstOwner => (
                What::Founded { member, email, name, called, link: id, credential: credential.clone() },
                "became the first owner by the link of the first run",
            ),
            For::Member(_) => (
                What::Joined { member, link: id, credential: credential.clone() },
                "came by the link they were given",
            ),
        };
        self.decide(workspace, By::Member(member), reason, what, now)?;
        let signed_in = self.enter(member, &credential, origin, now)?;
        Ok(Joined { signed_in, recovery: recovery.iter().map(|code| grouped(code)).collect() })
    }

    /// Gives a member a role.
    ///
    /// # Errors
    /// No permission, one's own roles, or roles that do not go together.
    pub fn give(
        &self,
        workspace: &mut Workspace,
        actor: Actor<'_>,
        member: u64,
        role: &Grant,
        reason: &str,
        now: Instant,
    ) -> Result<u64, Refused> {
        let by = self.about_somebody_else(actor, member, now)?;
        let found = self.present(member)?;
        if found.roles.contains(role) {
            return Err(unfit(format!("member {member} is {role} already; nothing was changed")));
        }
        let roles: Vec<Grant> = found.roles.into_iter().chain([role.clone()]).collect();
        if let Some(why) = permission::unfit(&roles) {
            return Err(unfit(why));
        }
        self.decide(workspace, by, reason, What::Given { member, role: role.clone() }, now)
    }

    /// Takes a role from a member: what it allowed ends at once.
    ///
    /// # Errors
    /// No permission, one's own roles, the only role, or the last owner.
    pub fn take(
        &self,
        workspace: &mut Workspace,
        actor: Actor<'_>,
        member: u64,
        role: &Grant,
        reason: &str,
        now: Instant,
    ) -> Result<u64, Refused> {
        let by = self.about_somebody_else(actor, member, now)?;
        let mut found = self.present(member)?;
        if !found.roles.remove(role) {
            return Err(unfit(format!("member {member} is not {role}; nothing was changed")));
        }
        if found.roles.is_empty() {
            return Err(unfit(format!(
                "{role} is the only role of member {member}; give another first, or remove the member"
            )));
        }
        if !found.is_owner() {
            self.not_last_owner(member)?;
        }
        self.decide(workspace, by, reason, What::Taken { member, role: role.clone() }, now)
    }

    /// Ends a membership: sessions, tokens and links end with it.
    ///
    /// # Errors
    /// No permission, oneself, or the last owner.
    pub fn remove(
        &self,
        workspace: &mut Workspace,
        actor: Actor<'_>,
        member: u64,
        reason: &str,
        now: Instant,
    ) -> Result<u64, Refused> {
        let by = self.about_somebody_else(actor, member, now)?;
        self.present(member)?;
        self.not_last_owner(member)?;
        self.decide(workspace, by, reason, What::Removed { member }, now)
    }

    fn not_last_owner(&self, member: u64) -> Result<(), Refused> {
        if self.look(|roll| roll.is_last_owner(member)) {
            return Err(unfit(format!(
                "member {member} is the only owner who can sign in; make somebody else an owner first"
            )));
        }
        Ok(())
    }

    fn about_somebody_else(&self, actor: Actor<'_>, member: u64, now: Instant) -> Result<By, Refused> {
        let by = self.authorise(actor, Action::Manage, Resource::Members, now)?;
        if by == By::Member(member) {
            return Err(unfit("nobody decides about their own membership; ask another owner"));
        }
        Ok(by)
    }

    /// Ends what a member signs in with, sessions and tokens included, and makes a link by which they choose anew. At the machine
    /// this opens the door beside every permission, and is called so in the ledger.
    ///
    /// # Errors
    /// No permission, oneself ([`Members::renew_login`] is for that), or the disk.
    pub fn reset_login(
        &self,
        workspace: &mut Workspace,
        actor: Actor<'_>,
        member: u64,
        reason: &str,
        now: Instant,
    ) -> Result<MadeLink, Refused> {
        let by = self.about_somebody_else(actor, member, now)?;
        let found = self.present(member)?;
        let (link, id) = self.new_link(Some(member), now)?;
        let what = What::Reset {
            member,
            link: id,
            expires_at: link.expires_at,
            ends_login: true,
            break_glass: matches!(by, By::Operator(_)) && found.standing == Standing::Active,
        };
        self.decide(workspace, by, reason, what, now)?;
        Ok(link)
    }

    /// Makes a link by which a member chooses anew what they sign in with; until they have, everything stays as it is.
    ///
    /// # Errors
    /// They did not prove just now who they are, or the disk.
    pub fn renew_login(
        &self,
        workspace: &mut Workspace,
        principal: &Principal,
        now: Instant,
    ) -> Result<MadeLink, Refused> {
        let member = self.renewed(principal)?.member;
        match &principal.way {
            Way::Session { proved_at, .. } if fresh(*proved_at, now) => {}
            Way::Session { .. } => return Err(Refused::ProveAgain),
            Way::Token { .. } => return Err(Refused::NotSignedIn),
        }
        let (link, id) = self.new_link(Some(member), now)?;
        let expires_at = link.expires_at;
        let what = What::Reset { member, link: id, expires_at, ends_login: false, break_glass: false };
        self.decide(workspace, By::Member(member), "chooses anew what to sign in with", what, now)?;
        Ok(link)
    }

    /// Makes a token of the API: for oneself; at the machine for any member who can sign in.
    ///
    /// # Errors
    /// No permission, scopes that nobody may have by a token or this member may not have, a time that is too long.
    #[expect(clippy::too_many_arguments, reason = "who, whose, what for, what it may, until when, and why")]
    pub fn issue_token(
        &self,
        workspace: &mut Workspace,
        actor: Actor<'_>,
        member: u64,
        name: &str,
        scopes: &BTreeSet<Scope>,
        expires_at: Instant,
        reason: &str,
        now: Instant,
    ) -> Result<MadeToken, Refused> {
        let by = self.authorise(actor, Action::Enter, Resource::Tokens, now)?;
        if matches!(by, By::Member(number) if number != member) {
            return Err(unfit("a token is its maker's own; make one for yourself"));
        }
        let found = self.present(member)?;
        if found.standing != Standing::Active {
            return Err(unfit(format!(
                "member {member} has not come in yet; a token would let them in before"
            )));
        }
        let name = text("name", name, 100)?;
        if scopes.is_empty() {
            return Err(unfit("a token without a scope opens nothing; name one, such as read:results"));
        }
        for scope in scopes {
            if is_dangerous(scope.action, scope.resource) {
                return Err(unfit(format!(
                    "{scope} wants a person who proves who they are; no token may do it"
                )));
            }
            if !found.roles.iter().any(|g| permitted(g.role, scope.action, scope.resource).is_some()) {
                return Err(unfit(format!(
                    "member {member} may not {scope}, and neither may a token of theirs"
                )));
            }
        }
        if expires_at <= now || expires_at.ms() - now.ms() > TOKEN_MS {
            return Err(unfit("a token holds for at least a moment and at most 366 days; name another end"));
        }
        let (secret, id) = (self.secret()?, self.id()?);
        held(&self.0.state).put_token(&secret.hash(), &id)?;
        let (token, scopes) = (id.clone(), scopes.clone());
        let what = What::TokenIssued { token, member, name, scopes, expires_at };
        self.decide(workspace, by, reason, what, now)?;
        let token = self.look(|roll| roll.tokens.get(&id).cloned());
        let token = token.ok_or_else(|| AppError::Other("the token was not taken; try again".to_owned()))?;
        Ok(MadeToken { secret, token })
    }

    /// Takes a token back: one's own, or with permission anybody's.
    ///
    /// # Errors
    /// No permission, or no such token that holds.
    pub fn revoke_token(
        &self,
        workspace: &mut Workspace,
        actor: Actor<'_>,
        token: &str,
        reason: &str,
        now: Instant,
    ) -> Result<u64, Refused> {
        let none =
            || unfit(format!("there is no token `{token}`; `tickmark token list` shows which there are"));
        let found = self.look(|roll| roll.tokens.get(token).cloned());
        let by = match actor {
            // Their own, whatever role they have left.
            Actor::Member(principal) if found.as_ref().is_some_and(|t| t.member == principal.member) => {
                By::Member(self.renewed(principal)?.member)
            }
            // Whoever may not manage them is not told which there are.
            other => self.authorise(other, Action::Manage, Resource::Tokens, now)?,
        };
        let found = found.ok_or_else(none)?;
        if let Some(why) = found.ended {
            return Err(unfit(format!("the token `{token}` ended before: {why}; nothing was changed")));
        }
        self.decide(workspace, by, reason, What::TokenRevoked { token: token.to_owned() }, now)
    }

    // ---- getting in ----

    /// Signs in with password and authenticator.
    ///
    /// # Errors
    /// [`Refused::Wrong`] whatever is wrong, [`Refused::Wait`] where too much was.
    pub fn sign_in(
        &self,
        sign_in: &SignIn<'_>,
        origin: &Origin<'_>,
        now: Instant,
    ) -> Result<SignedIn, Refused> {
        let (member, credential) = self.verify(sign_in, origin, Second::Authenticator, now)?;
        self.enter(member, &credential, origin, now)
    }

    /// Signs in with password and a recovery code, which is used up. That stands in the ledger.
    ///
    /// # Errors
    /// As [`Members::sign_in`], or the disk.
    pub fn recover(
        &self,
        workspace: &mut Workspace,
        sign_in: &SignIn<'_>,
        origin: &Origin<'_>,
        now: Instant,
    ) -> Result<SignedIn, Refused> {
        let (member, credential) = self.verify(sign_in, origin, Second::Recovery, now)?;
        let left = held(&self.0.state).recovery_left(&credential)?;
        let what = What::Recovered { member, left };
        self.decide(workspace, By::Member(member), "signed in without the authenticator", what, now)?;
        self.enter(member, &credential, origin, now)
    }

    /// How many recovery codes a member has left.
    ///
    /// # Errors
    /// The disk.
    pub fn recovery_left(&self, principal: &Principal) -> Result<u64, Refused> {
        match &principal.way {
            Way::Session { credential, .. } => Ok(held(&self.0.state).recovery_left(credential)?),
            Way::Token { .. } => Err(Refused::NotSignedIn),
        }
    }

    /// Proves anew who is signed in, before a dangerous act.
    ///
    /// # Errors
    /// As [`Members::sign_in`], or the session is over.
    pub fn prove(
        &self,
        session: &Secret,
        password: &str,
        code: &str,
        origin: &Origin<'_>,
        now: Instant,
    ) -> Result<Principal, Refused> {
        let principal = self.session(session, now)?;
        let sign_in = SignIn { email: &principal.email, password, code };
        let (_, proved) = self.verify(&sign_in, origin, Second::Authenticator, now)?;
        match &principal.way {
            Way::Session { id, credential, .. } if *credential == proved => {
                held(&self.0.state).session_proved(id, now)?;
                self.session(session, now)
            }
            _ => Err(Refused::NotSignedIn),
        }
    }

    /// Holds password and second factor against what is kept. Somebody who is no member takes the same way.
    fn verify(
        &self,
        sign_in: &SignIn<'_>,
        origin: &Origin<'_>,
        second: Second,
        now: Instant,
    ) -> Result<(u64, String), Refused> {
        let found = self
            .look(|roll| roll.by_email(sign_in.email).and_then(|m| Some((m.number, m.credential.clone()?))));
        let (member, credential) = found.unwrap_or_default();
        let known = match origin.device {
            Some(device) => held(&self.0.state).is_device(&device.hash(), &credential)?,
            None => false,
        };
        let by = match origin.device.filter(|_| known) {
            Some(device) => counted("device", &device.reveal()),
            None => counted("account", &folded(sign_in.email)),
        };
        let names = [counted("address", &network(origin.address)), by];
        let free = [lockout::FREE_OF_ADDRESS, lockout::FREE_OF_ACCOUNT];
        let forget = Instant::from_ms(now.ms().saturating_sub(lockout::MEMORY_MS));
        let mut before = None;
        let wait = held(&self.0.state).attempts(&names, forget, |attempts| {
            before = attempts.first().copied();
            lockout::weigh(attempts, &free, now)
        })?;
        if let Some(ms) = wait {
            return Err(Refused::Wait { seconds: (ms + 999) / 1000 });
        }
        let kept = held(&self.0.state).credential(&credential)?;
        let nobody = Credential {
            id: String::new(),
            password: password::DUMMY.to_owned(),
            totp: vec![0; totp::SECRET],
        };
        let (is_member, kept) = kept.map_or((false, nobody), |kept| (true, kept));
        let gives = {
            let _one = held(&self.0.hashing);
            password::gives(sign_in.password, &kept.password)
        };
        let step = totp::step(&kept.totp, sign_in.code, now);
        let right = gives
            && is_member
            && match (second, step) {
                (Second::Authenticator, Some(step)) => held(&self.0.state).use_step(&kept.id, step)?,
                (Second::Authenticator, None) => false,
                (Second::Recovery, _) => {
                    held(&self.0.state).use_recovery(&kept.id, &recovery_hash(sign_in.code))?
                }
            };
        if !right {
            return Err(Refused::Wrong);
        }
        // It was no failure. Others may still be wrong at the address: only this try is taken back.
        held(&self.0.state).attempts(&names, forget, |attempts| {
            if let [address, account] = attempts {
                address.failures -= 1;
                if let Some(before) = before.filter(|_| address.last_at == now) {
                    address.last_at = before.last_at;
                }
                account.failures = 0;
            }
        })?;
        Ok((member, credential))
    }

    fn enter(
        &self,
        member: u64,
        credential: &str,
        origin: &Origin<'_>,
        now: Instant,
    ) -> Result<SignedIn, Refused> {
        let (session, id) = (self.secret()?, self.id()?);
        let way = Way::Session { id: id.clone(), credential: credential.to_owned(), proved_at: now };
        let fresh_device = self.secret()?;
        let state = held(&self.0.state);
        // Never one that somebody else may have put there.
        let known = match origin.device {
            Some(device) => state.is_device(&device.hash(), credential)?,
            None => false,
        };
        let device = origin.device.filter(|_| known).cloned().unwrap_or(fresh_device);
        let row = Session {
            id,
            credential: credential.to_owned(),
            made_at: now,
            seen_at: now,
            proved_at: now,
            address: shortened(origin.address, 64),
            agent: shortened(origin.agent, 200),
        };
        state.end_sessions_before(Instant::from_ms(now.ms().saturating_sub(SESSION_MS)))?;
        // What they signed in with may have ended while it was being checked.
        if !state.put_session(&session.hash(), &row)? || !state.put_device(&device.hash(), credential, now)? {
            return Err(Refused::Wrong);
        }
        drop(state);
        let found = self.look(|roll| roll.by_credential(credential).filter(|m| m.number == member).cloned());
        let principal = found.ok_or(Refused::Wrong)?.principal(way);
        let expires_at = Instant::from_ms(now.ms().saturating_add(SESSION_MS));
        Ok(SignedIn { session, device, expires_at, principal })
    }

    /// Who has a session, with the roles of this moment.
    ///
    /// # Errors
    /// [`Refused::NotSignedIn`] when it is over.
    pub fn session(&self, secret: &Secret, now: Instant) -> Result<Principal, Refused> {
        let row = held(&self.0.state).session(&secret.hash())?.ok_or(Refused::NotSignedIn)?;
        let since = |at: Instant| now.ms() - at.ms();
        // Of a session from the future nobody knows how old it is.
        let alive = (-CORRECTION_MS..SESSION_MS).contains(&since(row.made_at))
            && (-CORRECTION_MS..IDLE_MS).contains(&since(row.seen_at));
        let member = self.look(|roll| roll.by_credential(&row.credential).cloned()).filter(|_| alive);
        let Some(member) = member else {
            held(&self.0.state).end_session(&row.id, &row.credential)?;
            return Err(Refused::NotSignedIn);
        };
        if since(row.seen_at) >= MINUTE_MS {
            held(&self.0.state).session_seen(&row.id, now)?;
        }
        let Session { id, credential, proved_at, .. } = row;
        Ok(member.principal(Way::Session { id, credential, proved_at }))
    }

    /// Whose token it is, with the roles of this moment and no more than the token's scopes.
    ///
    /// # Errors
    /// [`Refused::NotSignedIn`] when it does not hold.
    pub fn token(&self, secret: &Secret, now: Instant) -> Result<Principal, Refused> {
        let (id, used_at) = held(&self.0.state).token(&secret.hash())?.ok_or(Refused::NotSignedIn)?;
        let principal = self.look(|roll| {
            let token = roll.tokens.get(&id).filter(|t| t.ended.is_none())?;
            let holds = now.ms() >= token.made_at.ms() - CORRECTION_MS && now < token.expires_at;
            let member = roll.active(token.member).filter(|_| holds)?;
            Some(member.principal(Way::Token { id: id.clone(), scopes: token.scopes.clone() }))
        });
        let principal = principal.ok_or(Refused::NotSignedIn)?;
        if used_at.is_none_or(|at| (now.ms() - at.ms()).abs() >= MINUTE_MS) {
            held(&self.0.state).token_seen(&id, now)?;
        }
        Ok(principal)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The disk.
    pub fn sign_out(&self, session: &Secret) -> Result<(), Refused> {
        let state = held(&self.0.state);
        if let Some(row) = state.session(&session.hash())? {
            state.end_session(&row.id, &row.credential)?;
        }
        Ok(())
    }

    /// The sessions of whoever asks, the last one first.
    ///
    /// # Errors
    /// They came by a token, or the disk.
    pub fn sessions(&self, principal: &Principal, now: Instant) -> Result<Vec<SessionEntry>, Refused> {
        let Way::Session { id: this, credential, .. } = &principal.way else {
            return Err(Refused::NotSignedIn);
        };
        let rows = held(&self.0.state).sessions(credential)?;
        let alive =
            |row: &Session| now.ms() - row.made_at.ms() < SESSION_MS && now.ms() - row.seen_at.ms() < IDLE_MS;
        let entry = |row: Session| SessionEntry {
            this: row.id == *this,
            id: row.id,
            made_at: row.made_at,
            seen_at: row.seen_at,
            address: row.address,
            agent: row.agent,
        };
        Ok(rows.into_iter().filter(alive).map(entry).collect())
    }

    /// Ends one of one's own sessions.
    ///
    /// # Errors
    /// There is none with this id.
    pub fn end_session(&self, principal: &Principal, id: &str) -> Result<(), Refused> {
        let Way::Session { credential, .. } = &principal.way else { return Err(Refused::NotSignedIn) };
        if held(&self.0.state).end_session(id, credential)? {
            Ok(())
        } else {
            Err(unfit("there is no such session of yours; it may have ended before"))
        }
    }

    /// Ends every session of a member: of oneself all but the one that asks.
    ///
    /// # Errors
    /// No permission, no such member, or the disk.
    pub fn end_sessions(&self, actor: Actor<'_>, member: u64, now: Instant) -> Result<usize, Refused> {
        let this = match actor {
            Actor::Member(principal) if principal.member == member => self.renewed(principal)?.way,
            other => {
                self.authorise(other, Action::Manage, Resource::Members, now)?;
                Way::Token { id: String::new(), scopes: BTreeSet::new() }
            }
        };
        let Some(credential) = self.present(member)?.credential else { return Ok(0) };
        let state = held(&self.0.state);
        let mut ended = 0;
        for row in state.sessions(&credential)? {
            if !matches!(&this, Way::Session { id, .. } if *id == row.id) {
                ended += usize::from(state.end_session(&row.id, &credential)?);
            }
        }
        Ok(ended)
    }

    // ---- looking ----

    /// Everybody, those who were removed included.
    ///
    /// # Errors
    /// No permission.
    pub fn list(&self, actor: Actor<'_>, now: Instant) -> Result<Vec<Member>, Refused> {
        self.authorise(actor, Action::Read, Resource::Members, now)?;
        Ok(self.look(|roll| roll.members.values().cloned().collect()))
    }

    /// The member with a number, an address or a pseudonym; of those who were removed, none.
    ///
    /// # Errors
    /// No permission, or nobody is called so.
    pub fn find(&self, actor: Actor<'_>, who: &str, now: Instant) -> Result<Member, Refused> {
        self.authorise(actor, Action::Read, Resource::Members, now)?;
        let wanted = folded(who);
        let is_called = |m: &&Member| {
            folded(&m.email) == wanted || folded(&m.called) == wanted || m.number.to_string() == wanted
        };
        self.look(|roll| roll.all_present().find(is_called).cloned()).ok_or_else(|| {
            unfit(format!(
                "nobody here is called `{}`; `tickmark member list` shows who there is",
                who.trim()
            ))
        })
    }

    /// When each member was here last, of those with a session that is still kept.
    ///
    /// # Errors
    /// No permission, or the disk.
    pub fn last_seen(&self, actor: Actor<'_>, now: Instant) -> Result<BTreeMap<u64, Instant>, Refused> {
        self.authorise(actor, Action::Read, Resource::Members, now)?;
        let known: Vec<(u64, String)> = self.look(|roll| {
            roll.members.values().filter_map(|m| Some((m.number, m.credential.clone()?))).collect()
        });
        let state = held(&self.0.state);
        let mut seen = BTreeMap::new();
        for (member, credential) in known {
            if let Some(last) = state.sessions(&credential)?.iter().map(|session| session.seen_at).max() {
                seen.insert(member, last);
            }
        }
        Ok(seen)
    }

    /// Tokens: one's own, or with permission everybody's; those that ended included.
    ///
    /// # Errors
    /// No permission, or the disk.
    pub fn tokens(&self, actor: Actor<'_>, now: Instant) -> Result<Vec<Token>, Refused> {
        let only = match actor {
            Actor::Member(principal) => {
                match self.renewed(principal)?.may(Action::Read, Resource::Tokens, now)? {
                    Reach::Own => Some(principal.member),
                    Reach::Every => None,
                }
            }
            Actor::Operator(_) => None,
        };
        let mut tokens: Vec<Token> = self.look(|roll| {
            roll.tokens.values().filter(|t| only.is_none_or(|member| t.member == member)).cloned().collect()
        });
        let state = held(&self.0.state);
        for token in &mut tokens {
            token.used_at = state.token_used(&token.id)?;
            if token.ended.is_none() && now >= token.expires_at {
                token.ended = Some("expired");
            }
        }
        tokens.sort_by(|a, b| (a.made_at, &a.id).cmp(&(b.made_at, &b.id)));
        Ok(tokens)
    }

    /// Every decision about members, oldest first. What was erased since is not among them.
    ///
    /// # Errors
    /// No permission, or the ledger.
    pub fn decisions(
        &self,
        workspace: &Workspace,
        actor: Actor<'_>,
        now: Instant,
    ) -> Result<Vec<MemberDecision>, Refused> {
        self.authorise(actor, Action::Read, Resource::Members, now)?;
        let (entries, _) = held(&self.0.state).member_entries()?;
        let mut all = vec![];
        for entry in entries {
            if let Some((at, said)) = decision(workspace, entry)? {
                let Said { by, reason, what, .. } = said;
                all.push(MemberDecision { entry, at, by, reason, what });
            }
        }
        Ok(all)
    }
}

/// What stands in for a password alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Second {
    Authenticator,
    Recovery,
}

/// Somebody who is about to be a member.
struct Person {
    member: u64,
    email: String,
    name: String,
    called: String,
}

impl Roll {
    /// Takes the decision of an entry.
    fn read(&mut self, workspace: &Workspace, entry: u64) -> Result<(), AppError> {
        if let Some((at, said)) = decision(workspace, entry)? {
            self.take(at, said);
        }
        Ok(())
    }

    fn active(&self, number: u64) -> Option<&Member> {
        self.members.get(&number).filter(|m| m.standing == Standing::Active)
    }

    fn by_credential(&self, credential: &str) -> Option<&Member> {
        self.members
            .values()
            .find(|m| m.standing == Standing::Active && m.credential.as_deref() == Some(credential))
    }
}

impl Member {
    fn principal(&self, way: Way) -> Principal {
        Principal {
            member: self.number,
            called: self.called.clone(),
            name: self.name.clone(),
            email: self.email.clone(),
            roles: self.roles.clone(),
            way,
        }
    }
}

/// Why the document of an entry may not be erased: a decision about members is needed for as long as it says who gets in. What
/// introduced a member may go once they are none any more.
pub(crate) fn not_erasable(workspace: &Workspace, entry: u64) -> Result<Option<String>, AppError> {
    let leaf = workspace.ledger.leaf(entry)?;
    if leaf.kind != Kind::Decision || leaf.stream != STREAM {
        return Ok(None);
    }
    let Some((_, said)) = decision(workspace, entry)? else { return Ok(None) };
    let (What::Founded { member, .. } | What::Invited { member, .. }) = said.what else {
        return Ok(Some(format!(
            "entry {entry} says who gets in, and names nobody; nothing was erased; erase the entry that introduced the member"
        )));
    };
    let mut roll = Roll::default();
    for entered in workspace.entered(STREAM)? {
        roll.read(workspace, entered.entry)?;
    }
    Ok(roll.all_present().any(|m| m.number == member).then(|| {
        format!("member {member} is still one; nothing was erased; remove them first with `tickmark member remove {member}`")
    }))
}

/// The decision of an entry; nothing where it was erased.
fn decision(workspace: &Workspace, entry: u64) -> Result<Option<(Instant, Said)>, AppError> {
    let document = match workspace.ledger.document(entry) {
        Err(ledger::Error::Erased { .. }) => return Ok(None),
        other => other?,
    };
    // What is not understood may have taken something away: nobody gets in past it.
    let unread = |why: String| {
        AppError::Other(format!(
            "entry {entry} decides about members in a way that this version cannot read ({why}); update tickmark"
        ))
    };
    let document = Document::parse(&document).map_err(|e| unread(e.to_string()))?;
    let said: Said = serde_json::from_slice(document.body).map_err(|e| unread(e.to_string()))?;
    if said.v != 1 {
        return Err(unread(format!("it is of version {}", said.v)));
    }
    Ok(Some((document.receipt.collected_at, said)))
}

/// A text that says something, in one line, and not at length.
fn text(what: &str, text: &str, most: usize) -> Result<String, Refused> {
    let text = text.trim();
    if text.is_empty() {
        return Err(unfit(format!("the {what} is missing; write it")));
    }
    if text.chars().count() > most {
        return Err(unfit(format!("the {what} has more than {most} characters; shorten it")));
    }
    if text.contains(char::is_control) {
        return Err(unfit(format!("the {what} holds characters that nobody sees; write it in one line")));
    }
    Ok(text.to_owned())
}

/// What others wrote, no longer than it may be.
fn shortened(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

/// What tries are counted under: nothing that names anybody.
fn counted(what: &str, name: &str) -> Hash {
    Sha256::digest(format!("{what} {name}").as_bytes()).into()
}

/// What one party holds of the network: of IPv6 a whole /64.
fn network(address: &str) -> String {
    use std::net::IpAddr;
    match address.trim().parse::<IpAddr>().map(|a| a.to_canonical()) {
        Ok(IpAddr::V6(a)) => format!("{:x}/64", u128::from(a) >> 64),
        Ok(IpAddr::V4(a)) => a.to_string(),
        Err(_) => address.trim().to_owned(),
    }
}

fn recovery_hash(code: &str) -> Hash {
    let letters: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    Sha256::digest(letters.to_ascii_uppercase().as_bytes()).into()
}

/// A recovery code as it is written down.
fn grouped(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-")
}
