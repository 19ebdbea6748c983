//! Who gets in, from outside: a workspace in a folder, a clock that the test moves, people with authenticators.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use ledger::Kind;
use model::{Capture, Instant};
use serde_json::json;

use super::permission::{Action, Grant, Reach, Resource, Role, Scope};
use super::roll::{By, Standing, What};
use super::*;
use crate::{Opening, Workspace};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const PASSWORD: &str = "eleven green pumps hum";
const OPERATOR: Actor<'_> = Actor::Operator("root at the console");

/// Randomness that never gives the same twice, whoever asks.
fn entropy() -> Entropy {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Box::new(|bytes| {
        for chunk in bytes.chunks_mut(32) {
            let hash: [u8; 32] = Sha256::digest(NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes()).into();
            chunk.copy_from_slice(&hash[..chunk.len()]);
        }
        Ok(())
    })
}

fn opened(home: &Path, now: Instant) -> Workspace {
    Workspace::open(Opening {
        folder: home.to_owned(),
        wrapping_key: [7; 32],
        entropy: entropy(),
        conventions: json!({}),
        now,
        judging: false,
    })
    .unwrap()
}

struct World {
    _folder: tempfile::TempDir,
    home: std::path::PathBuf,
    /// Closed while it is opened again.
    workspace: Option<Workspace>,
    members: Members,
    clock: Cell<i64>,
}

/// Somebody with an authenticator.
#[derive(Clone, Debug)]
struct Who {
    email: String,
    number: u64,
    totp: Vec<u8>,
    signed_in: SignedIn,
    recovery: Vec<String>,
}

impl Who {
    fn actor(&self) -> Actor<'_> {
        Actor::Member(&self.signed_in.principal)
    }
}

const HOME: Origin<'_> = Origin { address: "192.0.2.7", agent: "a browser", device: None };

fn from(address: &str) -> Origin<'_> {
    Origin { address, agent: "a browser", device: None }
}

fn unbase32(text: &str) -> Vec<u8> {
    let (mut bits, mut held, mut bytes) = (0_u32, 0_u64, vec![]);
    for c in text.chars() {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).unwrap() as u64;
        held = held << 5 | value;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits & 0xff) as u8);
        }
    }
    bytes
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("acme");
        crate::init(&home, "Acme Pumps").unwrap();
        // 2026-12-01T10:00:00Z
        let clock = 1_796_119_200_000;
        let workspace = opened(&home, Instant::from_ms(clock));
        let members = Members::open(&workspace, entropy()).unwrap();
        Self { _folder: folder, home, workspace: Some(workspace), members, clock: Cell::new(clock) }
    }

    /// With Ann as the owner.
    fn owned() -> (Self, Who) {
        let mut world = Self::new();
        let now = world.now();
        let link = world.members.first_run(world.workspace.as_mut().unwrap(), "serve", now).unwrap();
        let ann = world.joins(&link.secret, Some("ann@example.test"));
        (world, ann)
    }

    fn now(&self) -> Instant {
        Instant::from_ms(self.clock.get())
    }

    fn passes(&self, ms: i64) {
        self.clock.set(self.clock.get() + ms);
    }

    fn at<T>(&mut self, act: impl FnOnce(&Members, &mut Workspace, Instant) -> T) -> T {
        let now = self.now();
        act(&self.members, self.workspace.as_mut().unwrap(), now)
    }

    /// As after a restart.
    fn restarts(&mut self) {
        self.workspace = None;
        self.workspace = Some(opened(&self.home, self.now()));
        self.members = Members::open(self.workspace.as_ref().unwrap(), entropy()).unwrap();
    }

    fn joins(&mut self, link: &Secret, founder: Option<&str>) -> Who {
        let opened = self.members.opened(link, self.now()).unwrap();
        let totp = unbase32(&opened.authenticator);
        let code = totp::shown(&totp, self.now());
        let join = Join { email: founder, name: founder.map(|_| "Ann Lee"), password: PASSWORD, code: &code };
        let joined =
            self.at(|members, workspace, now| members.join(workspace, link, &join, &HOME, now)).unwrap();
        let signed_in = joined.signed_in;
        Who {
            email: signed_in.principal.email.clone(),
            number: signed_in.principal.member,
            totp,
            signed_in,
            recovery: joined.recovery,
        }
    }

    fn invites(&mut self, email: &str, roles: &[Grant]) -> Result<MadeLink, Refused> {
        let invitation = Invitation {
            email: email.to_owned(),
            name: "Somebody Else".to_owned(),
            called: None,
            roles: roles.to_vec(),
        };
        self.at(|members, workspace, now| members.invite(workspace, OPERATOR, &invitation, "joins us", now))
    }

    fn member(&mut self, email: &str, role: Role) -> Who {
        let link = self.invites(email, &[Grant::of(role)]).unwrap();
        self.joins(&link.secret, None)
    }

    fn enters(&self, who: &Who, origin: &Origin<'_>) -> Result<SignedIn, Refused> {
        let code = totp::shown(&who.totp, self.now());
        self.tries(&who.email, PASSWORD, &code, origin)
    }

    fn tries(
        &self,
        email: &str,
        password: &str,
        code: &str,
        origin: &Origin<'_>,
    ) -> Result<SignedIn, Refused> {
        self.members.sign_in(&SignIn { email, password, code }, origin, self.now())
    }

    fn session(&self, who: &SignedIn) -> Result<Principal, Refused> {
        self.members.session(&who.session, self.now())
    }

    fn decided(&mut self) -> Vec<What> {
        let decisions =
            self.at(|members, workspace, now| members.decisions(workspace, OPERATOR, now)).unwrap();
        decisions.into_iter().map(|d| d.what).collect()
    }
}

#[track_caller]
fn refused<T: fmt::Debug>(result: Result<T, Refused>, part: &str) {
    let said = result.unwrap_err().to_string();
    assert!(said.contains(part), "{said}");
}

macro_rules! is {
    ($result:expr, $variant:pat) => {
        let result = $result;
        assert!(matches!(result, Err($variant)), "{result:?}");
    };
}

// ---- the first owner ----

#[test]
fn the_first_owner_comes_by_a_link_that_counts_once() {
    let mut world = World::new();
    assert!(!world.members.has_owner());
    let earlier = world.at(|m, w, now| m.first_run(w, "serve", now)).unwrap();
    let link = world.at(|m, w, now| m.first_run(w, "serve", now)).unwrap();
    is!(world.members.opened(&earlier.secret, world.now()), Refused::Link);
    assert_eq!(link_path(&link.secret), format!("/join/{}", link.secret.reveal()));

    let shown = world.members.opened(&link.secret, world.now()).unwrap();
    assert_eq!(shown.member, None);
    assert_eq!(
        world.members.opened(&link.secret, world.now()).unwrap(),
        shown,
        "looked at again it is the same"
    );
    let ann = world.joins(&link.secret, Some("ann@example.test"));
    assert_eq!(ann.signed_in.principal.roles, BTreeSet::from([Grant::of(Role::Owner)]));
    assert!(world.session(&ann.signed_in).is_ok());

    is!(world.members.opened(&link.secret, world.now()), Refused::Link);
    let join =
        Join { email: Some("eve@example.test"), name: Some("Eve"), password: PASSWORD, code: "000000" };
    is!(world.at(|m, w, now| m.join(w, &link.secret, &join, &HOME, now)), Refused::Link);
    refused(world.at(|m, w, now| m.first_run(w, "serve", now)), "this workspace has an owner");
    // What was decided survives; nobody becomes the first a second time.
    world.restarts();
    assert!(world.members.has_owner() && world.session(&ann.signed_in).is_ok());
    refused(world.at(|m, w, now| m.first_run(w, "serve", now)), "this workspace has an owner");
}

#[test]
fn of_two_who_come_first_at_once_one_is_the_owner() {
    let mut world = World::new();
    let link = world.at(|m, w, now| m.first_run(w, "serve", now)).unwrap();
    let totp = unbase32(&world.members.opened(&link.secret, world.now()).unwrap().authenticator);
    let (now, code) = (world.now(), totp::shown(&totp, world.now()));
    let workspace = Arc::new(Mutex::new(world.workspace.take().unwrap()));
    let came: Vec<Result<Joined, Refused>> = thread::scope(|scope| {
        let runs: Vec<_> = ["ann@example.test", "eve@example.test"]
            .map(|email| {
                let (members, workspace, link, code) =
                    (world.members.clone(), workspace.clone(), &link.secret, &code);
                scope.spawn(move || {
                    let join = Join { email: Some(email), name: Some("One"), password: PASSWORD, code };
                    members.join(&mut workspace.lock().unwrap(), link, &join, &HOME, now)
                })
            })
            .into_iter()
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(came.iter().filter(|c| c.is_ok()).count(), 1, "{came:?}");
    assert!(came.iter().any(|c| matches!(c, Err(Refused::Link))), "{came:?}");
    assert_eq!(world.members.list(OPERATOR, now).unwrap().len(), 1);
}

// ---- links ----

#[test]
fn a_link_ends() {
    let (mut world, _) = World::owned();
    let link = world.invites("bob@example.test", &[Grant::of(Role::Engineer)]).unwrap();
    world.passes(48 * HOUR - 1);
    assert!(world.members.opened(&link.secret, world.now()).is_ok());
    world.passes(1);
    is!(world.members.opened(&link.secret, world.now()), Refused::Link);
    // A clock that stood wrong when it was made: nobody knows when it ends.
    world.passes(-49 * HOUR);
    is!(world.members.opened(&link.secret, world.now()), Refused::Link);
    world.passes(HOUR);
    let bob = world.joins(&link.secret, None);
    is!(world.members.opened(&link.secret, world.now()), Refused::Link);
    assert!(world.session(&bob.signed_in).is_ok());
    // Whoever guesses gets nothing, either.
    is!(world.members.opened(&Secret([1; 32]), world.now()), Refused::Link);
    // One session, one link: neither opens what the other does.
    is!(world.members.opened(&bob.signed_in.session, world.now()), Refused::Link);
    is!(world.members.session(&link.secret, world.now()), Refused::NotSignedIn);
}

#[test]
fn a_new_link_takes_the_place_of_the_one_before() {
    let (mut world, _) = World::owned();
    let first = world.invites("bob@example.test", &[Grant::of(Role::Engineer)]).unwrap();
    let number = first.member.unwrap();
    let second = world.at(|m, w, now| m.reset_login(w, OPERATOR, number, "it was lost", now)).unwrap();
    is!(world.members.opened(&first.secret, world.now()), Refused::Link);
    world.joins(&second.secret, None);
    // Nothing was open yet: no glass was broken.
    assert!(world.decided().iter().any(|what| matches!(what, What::Reset { break_glass: false, .. })));
}

#[test]
fn whoever_joins_chooses_well_and_has_the_authenticator() {
    let (mut world, _) = World::owned();
    let link = world.invites("bob@example.test", &[Grant::of(Role::Engineer)]).unwrap();
    let tries = |world: &mut World, password: &str, code: &str| {
        let join = Join { email: None, name: None, password, code };
        world.at(|m, w, now| m.join(w, &link.secret, &join, &HOME, now))
    };
    refused(tries(&mut world, PASSWORD, "123456"), "not what the authenticator shows");
    let totp = unbase32(&world.members.opened(&link.secret, world.now()).unwrap().authenticator);
    let code = totp::shown(&totp, world.now());
    refused(tries(&mut world, "too short", &code), "needs 12");
    refused(tries(&mut world, "bob@example.test", &code), "everybody would try");
    refused(tries(&mut world, PASSWORD, "123456"), "not what the authenticator shows");
    assert_eq!(world.decided().len(), 3, "the first run, the owner and the invitation");
    assert!(tries(&mut world, PASSWORD, &code).is_ok());
}

// ---- signing in ----

#[test]
fn what_is_wrong_is_not_said_and_a_code_counts_once() {
    let (world, ann) = World::owned();
    // The code by which she joined is used up.
    is!(world.enters(&ann, &HOME), Refused::Wrong);
    world.passes(30 * SECOND);
    let code = totp::shown(&ann.totp, world.now());
    let other = if code == "000000" { "000001" } else { "000000" };
    let stranger = world.tries("eve@example.test", PASSWORD, &code, &HOME).unwrap_err().to_string();
    for (password, code) in
        [("another green pump hums", &*code), (PASSWORD, other), ("", &code), (PASSWORD, "")]
    {
        let said = world.tries("ann@example.test", password, code, &HOME).unwrap_err();
        assert!(matches!(said, Refused::Wrong));
        assert_eq!(said.to_string(), stranger);
    }
    // Five were wrong by now.
    world.passes(5 * SECOND);
    // A wrong password does not use up the code. Addresses are compared as people write them.
    let came = world.tries(" Ann@Example.TEST ", PASSWORD, &code, &HOME).unwrap();
    assert_eq!(came.principal.email, "ann@example.test");
    is!(world.tries("ann@example.test", PASSWORD, &code, &HOME), Refused::Wrong);
    // Nor does an older one count that is still within the skew, or the same when the clock is set back.
    world.passes(30 * SECOND);
    is!(world.tries("ann@example.test", PASSWORD, &code, &HOME), Refused::Wrong);
    assert!(world.enters(&ann, &HOME).is_ok());
    world.passes(-30 * SECOND);
    is!(world.enters(&ann, &HOME), Refused::Wrong);
}

#[test]
fn a_code_that_two_send_at_once_lets_one_in() {
    let (world, ann) = World::owned();
    world.passes(30 * SECOND);
    let (now, code) = (world.now(), totp::shown(&ann.totp, world.now()));
    let came = thread::scope(|scope| {
        let one = || {
            let (members, code, email) = (world.members.clone(), &code, &ann.email);
            scope.spawn(move || {
                members.sign_in(&SignIn { email, password: PASSWORD, code }, &HOME, now).is_ok()
            })
        };
        let runs = [one(), one(), one()];
        runs.into_iter().map(|run| run.join().unwrap()).filter(|came| *came).count()
    });
    assert_eq!(came, 1);
}

#[test]
fn a_recovery_code_counts_once_and_stands_in_the_ledger() {
    let (mut world, ann) = World::owned();
    assert_eq!(ann.recovery.len(), 10);
    let shape = |code: &str| code.split('-').map(str::len).collect::<Vec<_>>();
    assert!(ann.recovery.iter().all(|code| shape(code) == [4, 4, 4, 4]), "{:?}", ann.recovery);
    let recovers = |world: &mut World, password: &str, code: &str| {
        let sign_in = SignIn { email: "ann@example.test", password, code };
        world.at(|m, w, now| m.recover(w, &sign_in, &HOME, now))
    };
    is!(recovers(&mut world, "another green pump hums", &ann.recovery[3]), Refused::Wrong);
    is!(recovers(&mut world, PASSWORD, "AAAA-AAAA-AAAA-AAAA"), Refused::Wrong);
    is!(recovers(&mut world, PASSWORD, ""), Refused::Wrong);
    // As somebody types it from paper.
    let typed = ann.recovery[3].to_lowercase().replace('-', " ");
    let came = recovers(&mut world, PASSWORD, &typed).unwrap();
    assert_eq!(world.members.recovery_left(&came.principal).unwrap(), 9);
    is!(recovers(&mut world, PASSWORD, &ann.recovery[3]), Refused::Wrong);
    let decided = world.decided();
    assert_eq!(decided.last(), Some(&What::Recovered { member: ann.number, left: 9 }));
    // It is no code of the authenticator.
    is!(world.tries("ann@example.test", PASSWORD, &ann.recovery[4], &HOME), Refused::Wrong);
}

// ---- sessions ----

#[test]
fn a_session_ends_when_nobody_uses_it() {
    let (world, ann) = World::owned();
    world.passes(HOUR - 1);
    assert!(world.session(&ann.signed_in).is_ok());
    world.passes(HOUR - 1);
    assert!(world.session(&ann.signed_in).is_ok(), "it was used meanwhile");
    world.passes(HOUR + 1);
    is!(world.session(&ann.signed_in), Refused::NotSignedIn);
    world.passes(-HOUR);
    is!(world.session(&ann.signed_in), Refused::NotSignedIn);
}

#[test]
fn a_session_ends_after_half_a_day_whoever_uses_it() {
    let (world, ann) = World::owned();
    assert_eq!(ann.signed_in.expires_at, Instant::from_ms(world.clock.get() + 12 * HOUR));
    for _ in 0..23 {
        world.passes(30 * MINUTE);
        assert!(world.session(&ann.signed_in).is_ok());
    }
    world.passes(30 * MINUTE - 1);
    assert!(world.session(&ann.signed_in).is_ok());
    world.passes(1);
    is!(world.session(&ann.signed_in), Refused::NotSignedIn);
}

#[test]
fn a_clock_that_is_set_back_prolongs_nothing() {
    let (world, ann) = World::owned();
    world.passes(10 * MINUTE);
    assert!(world.session(&ann.signed_in).is_ok());
    world.passes(-30 * SECOND);
    assert!(world.session(&ann.signed_in).is_ok(), "clocks are corrected by seconds");
    world.passes(-5 * MINUTE);
    is!(world.session(&ann.signed_in), Refused::NotSignedIn);
    world.passes(6 * MINUTE);
    is!(world.session(&ann.signed_in), Refused::NotSignedIn);
}

#[test]
fn sessions_are_listed_and_ended_one_by_one() {
    let (mut world, ann) = World::owned();
    let bob = world.member("bob@example.test", Role::Engineer);
    world.passes(30 * SECOND);
    let other =
        world.enters(&ann, &Origin { address: "198.51.100.9", agent: "a\nphone", device: None }).unwrap();
    let listed = world.members.sessions(&ann.signed_in.principal, world.now()).unwrap();
    let said: Vec<_> = listed.iter().map(|s| (s.address.as_str(), s.agent.as_str(), s.this)).collect();
    assert_eq!(said, [("198.51.100.9", "aphone", false), ("192.0.2.7", "a browser", true)]);
    // Nobody ends what is another's.
    refused(world.members.end_session(&bob.signed_in.principal, &listed[0].id), "no such session of yours");
    assert!(world.session(&other).is_ok());
    world.members.end_session(&ann.signed_in.principal, &listed[0].id).unwrap();
    is!(world.session(&other), Refused::NotSignedIn);
    assert!(world.session(&ann.signed_in).is_ok());
    // All others of one's own; all of somebody else with permission.
    world.passes(30 * SECOND);
    let again = world.enters(&ann, &HOME).unwrap();
    assert_eq!(world.members.end_sessions(ann.actor(), ann.number, world.now()).unwrap(), 1);
    is!(world.session(&again), Refused::NotSignedIn);
    is!(world.members.end_sessions(bob.actor(), ann.number, world.now()), Refused::NotAllowed { .. });
    assert_eq!(world.members.end_sessions(ann.actor(), bob.number, world.now()).unwrap(), 1);
    is!(world.session(&bob.signed_in), Refused::NotSignedIn);
    world.members.sign_out(&ann.signed_in.session).unwrap();
    is!(world.session(&ann.signed_in), Refused::NotSignedIn);
    world.members.sign_out(&ann.signed_in.session).unwrap();
}

#[test]
fn a_form_token_is_of_one_session() {
    let (one, two) = (Secret([1; 32]), Secret([2; 32]));
    assert!(one.is_form_token(&one.form_token()));
    assert!(!one.is_form_token(&two.form_token()) && !one.is_form_token(""));
    assert_ne!(one.form_token(), one.reveal(), "a page shows it");
    assert_eq!(format!("{one:?}"), "Secret(…)");
    assert_eq!(Secret::parse(&one.reveal()), Some(one.clone()));
    assert_eq!(Secret::parse(&one.reveal_token()), Some(one));
    for bad in ["", "short", &"A".repeat(44), "tickmark_", &format!("{}=", "A".repeat(43))] {
        assert_eq!(Secret::parse(bad), None, "{bad}");
    }
}

// ---- permissions ----

#[test]
fn a_role_that_is_taken_ends_what_a_running_session_may() {
    let (mut world, ann) = World::owned();
    let link =
        world.invites("bob@example.test", &[Grant::of(Role::Engineer), Grant::of(Role::Owner)]).unwrap();
    let bob = world.joins(&link.secret, None);
    let may = |world: &World, action, resource| {
        world.session(&bob.signed_in).unwrap().may(action, resource, world.now()).is_ok()
    };
    assert!(may(&world, Action::Manage, Resource::Members));
    let owner = Grant::of(Role::Owner);
    world.at(|m, w, now| m.take(w, ann.actor(), bob.number, &owner, "moved on", now)).unwrap();
    assert!(!may(&world, Action::Manage, Resource::Members));
    assert!(may(&world, Action::Enter, Resource::Registers), "an engineer is left");
    // Not even what was asked before, and waited for the workspace.
    is!(
        world.at(|m, w, now| m.remove(w, bob.actor(), ann.number, "revenge", now)),
        Refused::NotAllowed { action: Action::Manage, resource: Resource::Members }
    );
    world.at(|m, w, now| m.remove(w, ann.actor(), bob.number, "left", now)).unwrap();
    is!(world.session(&bob.signed_in), Refused::NotSignedIn);
    is!(world.members.list(bob.actor(), world.now()), Refused::NotSignedIn);
    world.passes(30 * SECOND);
    is!(world.enters(&bob, &HOME), Refused::Wrong);
    // A role that is given counts as soon.
    let cy = world.member("cy@example.test", Role::Reviewer);
    let manager = Grant::of(Role::ProgrammeManager);
    world.at(|m, w, now| m.give(w, ann.actor(), cy.number, &manager, "runs it now", now)).unwrap();
    let cy = world.session(&cy.signed_in).unwrap();
    assert_eq!(cy.may(Action::Decide, Resource::Deviations, world.now()).unwrap(), Reach::Every);
}

#[test]
fn a_dangerous_act_wants_a_fresh_proof() {
    let (mut world, ann) = World::owned();
    world.passes(10 * MINUTE - 1);
    let may = |world: &World| {
        let principal = world.session(&ann.signed_in).unwrap();
        assert_eq!(principal.reach(Action::Manage, Resource::Members), Some(Reach::Every), "there is a way");
        principal.may(Action::Manage, Resource::Members, world.now())
    };
    assert!(may(&world).is_ok());
    world.passes(1);
    is!(may(&world), Refused::ProveAgain);
    let before = world.session(&ann.signed_in).unwrap();
    assert!(before.may(Action::Decide, Resource::Deviations, world.now()).is_ok());
    let bob = Invitation {
        email: "bob@example.test".to_owned(),
        name: "Bob".to_owned(),
        called: None,
        roles: vec![Grant::of(Role::Engineer)],
    };
    let invites = |world: &mut World, who: &Principal| {
        world.at(|m, w, now| m.invite(w, Actor::Member(who), &bob, "joins us", now))
    };
    is!(invites(&mut world, &before), Refused::ProveAgain);
    let proves = |world: &World, password: &str, code: &str| {
        world.members.prove(&ann.signed_in.session, password, code, &HOME, world.now())
    };
    let code = totp::shown(&ann.totp, world.now());
    is!(proves(&world, "another green pump hums", &code), Refused::Wrong);
    let proved = proves(&world, PASSWORD, &code).unwrap();
    is!(proves(&world, PASSWORD, &code), Refused::Wrong);
    assert!(may(&world).is_ok());
    invites(&mut world, &proved).unwrap();
    // A proof from the future is none.
    world.clock.set(world.clock.get() - 30 * SECOND);
    assert!(may(&world).is_ok());
    assert!(!fresh(world.now(), Instant::from_ms(world.clock.get() - 2 * MINUTE)));
}

#[test]
fn nobody_but_an_owner_decides_about_members_and_nobody_about_themselves() {
    let (mut world, ann) = World::owned();
    let manager = world.member("bob@example.test", Role::ProgrammeManager);
    let auditor = world.invites("aud@example.test", &[Grant::audit("2026")]).unwrap();
    let auditor = world.joins(&auditor.secret, None);
    assert_eq!(auditor.signed_in.principal.engagements().collect::<Vec<_>>(), ["2026"]);
    let eve = Invitation {
        email: "eve@example.test".to_owned(),
        name: "Eve".to_owned(),
        called: None,
        roles: vec![Grant::of(Role::Owner)],
    };
    for who in [&manager, &auditor] {
        is!(world.at(|m, w, now| m.invite(w, who.actor(), &eve, "why not", now)), Refused::NotAllowed { .. });
        is!(world.at(|m, w, now| m.remove(w, who.actor(), ann.number, "x", now)), Refused::NotAllowed { .. });
        is!(
            world.at(|m, w, now| m.reset_login(w, who.actor(), ann.number, "x", now)),
            Refused::NotAllowed { .. }
        );
        let own = Grant::of(Role::Owner);
        is!(
            world.at(|m, w, now| m.give(w, who.actor(), who.number, &own, "x", now)),
            Refused::NotAllowed { .. }
        );
        assert!(world.members.list(who.actor(), world.now()).is_ok());
    }
    let engineer = world.member("eng@example.test", Role::Engineer);
    is!(world.members.list(engineer.actor(), world.now()), Refused::NotAllowed { .. });
    is!(world.members.find(engineer.actor(), "ann@example.test", world.now()), Refused::NotAllowed { .. });

    let own = Grant::of(Role::ControlOwner);
    refused(world.at(|m, w, now| m.give(w, ann.actor(), ann.number, &own, "x", now)), "their own membership");
    refused(world.at(|m, w, now| m.remove(w, ann.actor(), ann.number, "x", now)), "their own membership");
    refused(
        world.at(|m, w, now| m.reset_login(w, ann.actor(), ann.number, "x", now)),
        "their own membership",
    );
    // The last owner stays, whoever asks; one who was only invited is none yet.
    world.invites("dee@example.test", &[Grant::of(Role::Owner)]).unwrap();
    refused(world.at(|m, w, now| m.remove(w, OPERATOR, ann.number, "x", now)), "the only owner");
    let owner = Grant::of(Role::Owner);
    world.at(|m, w, now| m.give(w, OPERATOR, ann.number, &own, "has controls", now)).unwrap();
    refused(world.at(|m, w, now| m.take(w, OPERATOR, ann.number, &owner, "x", now)), "the only owner");
    world.at(|m, w, now| m.give(w, ann.actor(), manager.number, &owner, "stands in", now)).unwrap();
    world.at(|m, w, now| m.take(w, OPERATOR, ann.number, &owner, "handed over", now)).unwrap();
    is!(world.at(|m, w, now| m.invite(w, ann.actor(), &eve, "back door", now)), Refused::NotAllowed { .. });
}

#[test]
fn what_is_entered_about_somebody_is_looked_at() {
    let (mut world, ann) = World::owned();
    let engineer = [Grant::of(Role::Engineer)];
    for bad in ["", "ann", "@example.test", "a@b@c", "a b@example.test", "a\u{7}@example.test"] {
        assert!(matches!(world.invites(bad, &engineer), Err(Refused::Unfit(_))), "{bad}");
    }
    refused(world.invites("ANN@example.test", &engineer), "is member 1 already");
    refused(world.invites("aud@example.test", &[Grant::of(Role::Auditor)]), "examines one engagement");
    refused(world.invites("x@example.test", &[]), "needs a role");
    let long = format!("{}@example.test", "a".repeat(300));
    refused(world.invites(&long, &engineer), "more than 254");
    let called = |world: &mut World, called: &str, reason: &str| {
        let invitation = Invitation {
            email: "bob@example.test".to_owned(),
            name: "Bob Ray".to_owned(),
            called: Some(called.to_owned()),
            roles: engineer.to_vec(),
        };
        world.at(|m, w, now| m.invite(w, ann.actor(), &invitation, reason, now))
    };
    refused(called(&mut world, "Member-1", "joins"), "somebody else decides as");
    refused(called(&mut world, "bob", " "), "needs a reason");
    let bob = called(&mut world, "bob", "joins").unwrap().member.unwrap();
    assert_eq!(world.members.find(ann.actor(), "BOB", world.now()).unwrap().number, bob);
    // Whoever comes back is somebody new: what they decided before stays what it was.
    world.at(|m, w, now| m.remove(w, ann.actor(), bob, "left", now)).unwrap();
    refused(world.members.find(ann.actor(), "bob", world.now()), "nobody here is called");
    refused(called(&mut world, "bob", "is back"), "somebody else decides as");
    let again = world.invites("bob@example.test", &engineer).unwrap().member.unwrap();
    assert_ne!(again, bob);
    refused(world.at(|m, w, now| m.remove(w, ann.actor(), bob, "left", now)), "there is no member 2");
    let engineer = Grant::of(Role::Engineer);
    refused(world.at(|m, w, now| m.give(w, OPERATOR, again, &engineer, "x", now)), "is engineer already");
    refused(world.at(|m, w, now| m.take(w, OPERATOR, again, &engineer, "x", now)), "the only role");
    let reviewer = Grant::of(Role::Reviewer);
    refused(world.at(|m, w, now| m.take(w, OPERATOR, again, &reviewer, "x", now)), "is not reviewer");
    refused(
        world.at(|m, w, now| m.take(w, Actor::Operator(" "), again, &reviewer, "x", now)),
        "who decides is missing",
    );
}

// ---- choosing anew ----

#[test]
fn a_login_that_is_reset_ends_everything_and_says_so() {
    let (mut world, ann) = World::owned();
    let token = issue(&mut world, &ann, &["read:results"], 30).unwrap();
    // At the machine, the last owner, too: that is what breaks the glass.
    let link = world.at(|m, w, now| m.reset_login(w, OPERATOR, ann.number, "phone stolen", now)).unwrap();
    is!(world.session(&ann.signed_in), Refused::NotSignedIn);
    is!(world.members.token(&token.secret, world.now()), Refused::NotSignedIn);
    world.passes(30 * SECOND);
    is!(world.enters(&ann, &HOME), Refused::Wrong);
    let last = world.at(|m, w, now| m.decisions(w, OPERATOR, now)).unwrap().pop().unwrap();
    assert_eq!(last.by, By::Operator("root at the console".to_owned()));
    assert_eq!(last.reason, "phone stolen");
    assert!(
        matches!(last.what, What::Reset { member: 1, ends_login: true, break_glass: true, .. }),
        "{last:?}"
    );
    let again = world.joins(&link.secret, None);
    assert_eq!((again.number, again.totp == ann.totp), (ann.number, false));
    is!(world.members.token(&token.secret, world.now()), Refused::NotSignedIn);
    world.passes(30 * SECOND);
    is!(world.enters(&ann, &HOME), Refused::Wrong);
    assert!(world.enters(&again, &HOME).is_ok());
}

#[test]
fn whoever_chooses_anew_keeps_the_old_until_then() {
    let (mut world, ann) = World::owned();
    let principal = world.session(&ann.signed_in).unwrap();
    let link = world.at(|m, w, now| m.renew_login(w, &principal, now)).unwrap();
    world.passes(30 * SECOND);
    assert!(world.session(&ann.signed_in).is_ok() && world.enters(&ann, &HOME).is_ok());
    let again = world.joins(&link.secret, None);
    is!(world.session(&ann.signed_in), Refused::NotSignedIn);
    world.passes(10 * MINUTE);
    is!(world.enters(&ann, &HOME), Refused::Wrong);
    let stale = world.session(&again.signed_in).unwrap();
    is!(world.at(|m, w, now| m.renew_login(w, &stale, now)), Refused::ProveAgain);
    assert!(!world.decided().iter().any(|what| matches!(what, What::Reset { break_glass: true, .. })));
}

// ---- tokens ----

fn scopes(words: &[&str]) -> BTreeSet<Scope> {
    words.iter().map(|word| word.parse().unwrap()).collect()
}

fn issue(world: &mut World, who: &Who, words: &[&str], days: i64) -> Result<MadeToken, Refused> {
    let until = Instant::from_ms(world.clock.get() + days * 24 * HOUR);
    world.at(|m, w, now| {
        m.issue_token(w, who.actor(), who.number, "ci", &scopes(words), until, "nightly", now)
    })
}

#[test]
fn a_token_does_no_more_than_its_scopes_and_its_member() {
    let (mut world, ann) = World::owned();
    let bob = world.member("bob@example.test", Role::ProgrammeManager);
    let made = issue(&mut world, &bob, &["read:results", "enter:registers"], 30).unwrap();
    assert!(made.secret.reveal_token().starts_with("tickmark_"));
    let asks = |world: &World| world.members.token(&made.secret, world.now());
    let principal = asks(&world).unwrap();
    assert_eq!((principal.member, principal.session_id()), (bob.number, None));
    let may = |p: &Principal, action, resource| p.may(action, resource, world.now());
    assert!(may(&principal, Action::Read, Resource::Results).is_ok());
    assert!(may(&principal, Action::Enter, Resource::Registers).is_ok());
    // What its member may, and it may not.
    is!(may(&principal, Action::Read, Resource::Registers), Refused::NotAllowed { .. });
    is!(may(&principal, Action::Decide, Resource::Deviations), Refused::NotAllowed { .. });
    is!(may(&principal, Action::Enter, Resource::Tokens), Refused::NotAllowed { .. });
    is!(world.members.sessions(&principal, world.now()), Refused::NotSignedIn);
    is!(world.at(|m, w, now| m.renew_login(w, &principal, now)), Refused::NotSignedIn);
    // A token is no session, and no session a token.
    is!(world.members.session(&made.secret, world.now()), Refused::NotSignedIn);
    is!(world.members.token(&bob.signed_in.session, world.now()), Refused::NotSignedIn);
    // It falls with what its member may.
    let (manager, reviewer) = (Grant::of(Role::ProgrammeManager), Grant::of(Role::Reviewer));
    world.at(|m, w, now| m.give(w, ann.actor(), bob.number, &reviewer, "other work", now)).unwrap();
    world.at(|m, w, now| m.take(w, ann.actor(), bob.number, &manager, "other work", now)).unwrap();
    let principal = asks(&world).unwrap();
    assert!(principal.may(Action::Read, Resource::Results, world.now()).is_ok());
    is!(principal.may(Action::Enter, Resource::Registers, world.now()), Refused::NotAllowed { .. });
    // And ends with the membership.
    world.at(|m, w, now| m.remove(w, ann.actor(), bob.number, "left", now)).unwrap();
    is!(asks(&world), Refused::NotSignedIn);
    let listed = world.members.tokens(ann.actor(), world.now()).unwrap();
    assert_eq!(listed[0].ended, Some("its member was removed"));
}

#[test]
fn a_token_ends() {
    let (mut world, ann) = World::owned();
    let made = issue(&mut world, &ann, &["read:results"], 1).unwrap();
    let asks = |world: &World| world.members.token(&made.secret, world.now());
    world.passes(24 * HOUR - 1);
    assert!(asks(&world).is_ok());
    world.passes(1);
    is!(asks(&world), Refused::NotSignedIn);
    assert_eq!(world.members.tokens(OPERATOR, world.now()).unwrap()[0].ended, Some("expired"));
    // A clock that is set back to before it was made says nothing about it.
    world.passes(-25 * HOUR);
    is!(asks(&world), Refused::NotSignedIn);
    world.passes(2 * HOUR);
    let seen = world.now();
    assert!(asks(&world).is_ok());
    world.passes(59 * SECOND);
    assert!(asks(&world).is_ok());
    let listed = world.members.tokens(OPERATOR, world.now()).unwrap();
    assert_eq!((listed[0].used_at, listed[0].ended), (Some(seen), None));
    world.restarts();
    assert!(asks(&world).is_ok());
    world.at(|m, w, now| m.revoke_token(w, OPERATOR, &made.token.id, "leaked", now)).unwrap();
    is!(asks(&world), Refused::NotSignedIn);
    let again = world.at(|m, w, now| m.revoke_token(w, OPERATOR, &made.token.id, "leaked", now));
    refused(again, "ended before: revoked");
    world.restarts();
    is!(asks(&world), Refused::NotSignedIn);
}

#[test]
fn which_tokens_are_made() {
    let (mut world, ann) = World::owned();
    let bob = world.member("bob@example.test", Role::Engineer);
    refused(issue(&mut world, &ann, &[], 30), "without a scope");
    refused(issue(&mut world, &ann, &["read:results"], 0), "at most 366 days");
    refused(issue(&mut world, &ann, &["read:results"], 367), "at most 366 days");
    refused(issue(&mut world, &ann, &["manage:members"], 30), "no token may do it");
    refused(issue(&mut world, &ann, &["enter:tokens"], 30), "no token may do it");
    refused(issue(&mut world, &ann, &["enter:samples"], 30), "may not enter:samples");
    refused(issue(&mut world, &bob, &["read:query"], 30), "may not read:query");
    // For somebody else only at the machine, and only for somebody who came.
    let until = Instant::from_ms(world.clock.get() + HOUR);
    let of = scopes(&["read:results"]);
    let other = world.at(|m, w, now| m.issue_token(w, ann.actor(), bob.number, "ci", &of, until, "x", now));
    refused(other, "its maker's own");
    let at_machine = world.at(|m, w, now| m.issue_token(w, OPERATOR, bob.number, "ci", &of, until, "x", now));
    let made = at_machine.unwrap();
    let cy = world.invites("cy@example.test", &[Grant::of(Role::Engineer)]).unwrap().member.unwrap();
    let early = world.at(|m, w, now| m.issue_token(w, OPERATOR, cy, "ci", &of, until, "x", now));
    refused(early, "has not come in yet");
    let auditor = world.invites("aud@example.test", &[Grant::audit("2026")]).unwrap();
    let auditor = world.joins(&auditor.secret, None);
    is!(issue(&mut world, &auditor, &["read:results"], 1), Refused::NotAllowed { .. });
    // Whoever may see only their own sees and revokes no other.
    let own = issue(&mut world, &ann, &["read:results"], 1).unwrap();
    assert_eq!(world.members.tokens(bob.actor(), world.now()).unwrap(), std::slice::from_ref(&made.token));
    assert_eq!(world.members.tokens(ann.actor(), world.now()).unwrap().len(), 2);
    for token in [own.token.id.as_str(), "nonsense"] {
        is!(
            world.at(|m, w, now| m.revoke_token(w, bob.actor(), token, "x", now)),
            Refused::NotAllowed { .. }
        );
    }
    world.at(|m, w, now| m.revoke_token(w, bob.actor(), &made.token.id, "not needed", now)).unwrap();
    world.passes(HOUR - 1);
    is!(issue(&mut world, &ann, &["read:results"], 1), Refused::ProveAgain);
}

// ---- lock-out ----

#[test]
fn who_is_wrong_waits_longer_each_time_and_not_for_good() {
    let (world, ann) = World::owned();
    let wrong = |world: &World, address: &str| {
        world.tries("ann@example.test", "another green pump hums", "000000", &from(address))
    };
    for try_ in 0..5 {
        is!(wrong(&world, &format!("198.51.100.{try_}")), Refused::Wrong);
    }
    // From wherever it comes, and also when it would be right.
    world.passes(SECOND);
    is!(wrong(&world, "198.51.100.99"), Refused::Wait { seconds: 4 });
    is!(world.enters(&ann, &HOME), Refused::Wait { seconds: 4 });
    world.passes(3999);
    is!(wrong(&world, "198.51.100.99"), Refused::Wait { seconds: 1 });
    world.passes(1);
    is!(wrong(&world, "198.51.100.99"), Refused::Wrong);
    is!(wrong(&world, "198.51.100.98"), Refused::Wait { seconds: 10 });
    // What is refused is no try: the wait ends all the same.
    world.passes(10 * SECOND);
    for wait in [20, 40, 80, 160, 320, 640, 900, 900] {
        is!(wrong(&world, "198.51.100.97"), Refused::Wrong);
        is!(wrong(&world, "198.51.100.97"), Refused::Wait { .. });
        world.passes(wait * SECOND);
    }
    assert!(world.enters(&ann, &HOME).is_ok());
    // She was right: it begins anew.
    for try_ in 0..5 {
        is!(wrong(&world, &format!("203.0.113.{try_}")), Refused::Wrong);
    }
    is!(wrong(&world, "203.0.113.9"), Refused::Wait { seconds: 5 });
    // And after a day of quiet.
    world.passes(24 * HOUR + 1);
    for try_ in 0..5 {
        is!(wrong(&world, &format!("203.0.113.{try_}")), Refused::Wrong);
    }
    // An address that nobody has is answered alike.
    for try_ in 10..15 {
        is!(world.tries("eve@example.test", "x", "1", &from(&format!("203.0.113.{try_}"))), Refused::Wrong);
    }
    is!(world.tries("eve@example.test", "x", "1", &from("203.0.113.20")), Refused::Wait { seconds: 5 });
}

#[test]
fn a_stranger_does_not_lock_out_whoever_was_here_before() {
    let (world, ann) = World::owned();
    let device = Some(&ann.signed_in.device);
    let known = Origin { address: "192.0.2.7", agent: "a browser", device };
    let wrong = |origin: &Origin<'_>| world.tries("ann@example.test", "another green pump hums", "0", origin);
    for try_ in 0..5 {
        is!(wrong(&from(&format!("198.51.100.{try_}"))), Refused::Wrong);
    }
    world.passes(SECOND);
    is!(wrong(&from("198.51.100.9")), Refused::Wait { .. });
    world.passes(29 * SECOND);
    is!(wrong(&from("198.51.100.9")), Refused::Wrong);
    is!(world.enters(&ann, &HOME), Refused::Wait { .. });
    let came = world.enters(&ann, &known).unwrap();
    assert_eq!(came.device, ann.signed_in.device, "the device stays the same");
    // Somebody else's device helps with nothing, nor does one that was made up.
    let made_up = Secret([9; 32]);
    is!(wrong(&Origin { device: Some(&made_up), ..HOME }), Refused::Wait { .. });
    // The device has a count of its own.
    for _ in 0..5 {
        is!(wrong(&known), Refused::Wrong);
    }
    is!(wrong(&known), Refused::Wait { seconds: 5 });
    // A device that somebody else put there is not taken over.
    world.passes(15 * MINUTE);
    let came = world.enters(&ann, &Origin { device: Some(&made_up), ..HOME }).unwrap();
    assert_ne!(came.device, made_up);
}

#[test]
fn an_address_that_goes_through_accounts_waits_too() {
    let (mut world, ann) = World::owned();
    let wrong = |world: &World, n: usize, address: &str| {
        world.tries(&format!("who{n}@example.test"), "x", "1", &from(address))
    };
    // Of IPv6 one party has as many as it likes.
    for n in 0..20 {
        is!(wrong(&world, n, &format!("2001:db8:0:1::{n:x}")), Refused::Wrong);
    }
    is!(wrong(&world, 20, "2001:db8:0:1:ffff::1"), Refused::Wait { seconds: 5 });
    is!(wrong(&world, 20, "2001:db8:0:2::1"), Refused::Wrong);
    world.passes(30 * SECOND);
    assert!(world.enters(&ann, &HOME).is_ok());
    // To be right once takes nothing away from what others were wrong there.
    let here = "2001:db8:0:1::1";
    for n in 0..3 {
        is!(wrong(&world, 100 + n, here), Refused::Wrong);
        world.passes(15 * MINUTE);
        assert!(world.enters(&ann, &from(here)).is_ok());
        is!(wrong(&world, 200 + n, here), Refused::Wrong);
        is!(wrong(&world, 300 + n, here), Refused::Wait { .. });
        world.passes(15 * MINUTE);
    }
    // A clock that is set back opens nothing, and closes nothing for good.
    is!(wrong(&world, 400, here), Refused::Wrong);
    world.passes(-1000 * HOUR);
    is!(wrong(&world, 401, here), Refused::Wait { .. });
    world.passes(15 * MINUTE);
    is!(wrong(&world, 401, here), Refused::Wrong);
    world.restarts();
    is!(wrong(&world, 402, here), Refused::Wait { .. });
}

#[test]
fn many_tries_at_once_are_many_tries() {
    let (world, _) = World::owned();
    let now = world.now();
    let waited = thread::scope(|scope| {
        let runs: Vec<_> = (0..12)
            .map(|n| {
                let members = world.members.clone();
                scope.spawn(move || {
                    let address = format!("198.51.100.{n}");
                    let sign_in = SignIn { email: "ann@example.test", password: "guess", code: "123456" };
                    matches!(members.sign_in(&sign_in, &from(&address), now), Err(Refused::Wait { .. }))
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).filter(|waited| *waited).count()
    });
    assert_eq!(waited, 7, "five were tried");
}

// ---- ledger and state ----

/// A workspace's state database, by another hand.
fn state(world: &World) -> State {
    State::open(&world.home.join("data/state.db")).unwrap()
}

#[test]
fn a_secret_without_its_decision_opens_nothing() {
    let (mut world, ann) = World::owned();
    let secret = Secret([5; 32]);
    let hashed = password::hash(PASSWORD, &[1; 16]).unwrap();
    let mut state = state(&world);
    // As far as a crash may get before the decision: of an invitation, a login, a token.
    state.put_link(&secret.hash(), "made up").unwrap();
    state.put_token(&secret.hash(), "made up").unwrap();
    let credential = Credential { id: "made up".to_owned(), password: hashed, totp: vec![3; 20] };
    state.put_credential(&credential, 0, &[]).unwrap();
    let session = Session {
        id: "made up".to_owned(),
        credential: "made up".to_owned(),
        made_at: world.now(),
        seen_at: world.now(),
        proved_at: world.now(),
        address: String::new(),
        agent: String::new(),
    };
    assert!(state.put_session(&secret.hash(), &session).unwrap());
    let opens_nothing = |world: &World| {
        is!(world.members.opened(&secret, world.now()), Refused::Link);
        is!(world.members.token(&secret, world.now()), Refused::NotSignedIn);
        is!(world.members.session(&secret, world.now()), Refused::NotSignedIn);
        let code = totp::shown(&[3; 20], world.now());
        is!(world.tries("ann@example.test", PASSWORD, &code, &HOME), Refused::Wrong);
    };
    opens_nothing(&world);
    assert!(state.credential("made up").unwrap().is_some());
    world.restarts();
    opens_nothing(&world);
    assert_eq!(state.credential("made up").unwrap().map(|c| c.id), None, "what a crash left is swept");
    assert_eq!(state.link(&secret.hash()).unwrap(), None);
    assert!(world.session(&ann.signed_in).is_ok());
}

/// Cut off at each point at which a member's coming in can be cut off: the link still leads in, or they are in.
#[test]
fn whoever_is_cut_off_while_joining_gets_in_all_the_same() {
    let mut finished = 0;
    // Twelve before the decision, of which some will do; then one by one.
    for calls in (0_u64..12).step_by(4).chain(11..) {
        let (mut world, _) = World::owned();
        let link = world.invites("bob@example.test", &[Grant::of(Role::Engineer)]).unwrap();
        let totp = unbase32(&world.members.opened(&link.secret, world.now()).unwrap().authenticator);
        // The system gives no more randomness from the call with this number on: whatever was done until then stays.
        let (mut left, mut inner) = (calls, entropy());
        let cut: Entropy = Box::new(move |bytes| {
            if left == 0 {
                return Err(std::io::Error::other("cut off"));
            }
            left -= 1;
            inner(bytes)
        });
        world.members = Members::open(world.workspace.as_ref().unwrap(), cut).unwrap();
        let code = totp::shown(&totp, world.now());
        let join = Join { email: None, name: None, password: PASSWORD, code: &code };
        let came = world.at(|m, w, now| m.join(w, &link.secret, &join, &HOME, now)).is_ok();
        let decided = world.decided().iter().any(|what| matches!(what, What::Joined { .. }));
        world.restarts();
        world.passes(30 * SECOND);
        if decided {
            is!(world.members.opened(&link.secret, world.now()), Refused::Link);
            let code = totp::shown(&totp, world.now());
            assert!(world.tries("bob@example.test", PASSWORD, &code, &HOME).is_ok(), "after {calls} calls");
            finished += 1;
        } else {
            assert!(!came);
            let code = totp::shown(&totp, world.now());
            is!(world.tries("bob@example.test", PASSWORD, &code, &HOME), Refused::Wrong);
            world.passes(30 * SECOND);
            world.joins(&link.secret, None);
        }
        if came {
            assert!(calls > 10, "recovery codes alone are ten");
            break;
        }
    }
    assert!(finished > 1, "some were cut off after the decision");
}

/// A crash right after the ledger took a decision: nothing else has heard of it.
#[test]
fn what_the_ledger_took_counts_after_a_crash() {
    let (mut world, ann) = World::owned();
    let bob = world.member("bob@example.test", Role::Engineer);
    let said = |what: &What| {
        let said = Said { v: 1, by: By::Operator("root".into()), reason: "x".into(), what: what.clone() };
        Capture {
            receipt: crate::workspace::decision_receipt(STREAM, Instant::from_ms(1_796_119_200_000)),
            body: serde_json::to_vec(&said).unwrap(),
        }
    };
    let removed = said(&What::Removed { member: bob.number });
    world.workspace.as_mut().unwrap().append_as(Kind::Decision, &[removed]).unwrap();
    world.restarts();
    is!(world.session(&bob.signed_in), Refused::NotSignedIn);
    assert!(world.session(&ann.signed_in).is_ok());
    // Decisions that fit nothing change nothing: a link that was used, a member who is gone.
    let credential = "made up".to_owned();
    let again = [
        What::Joined { member: bob.number, link: "made up".into(), credential: credential.clone() },
        What::Given { member: bob.number, role: Grant::of(Role::Owner) },
        What::Founded {
            member: 9,
            email: "eve@example.test".into(),
            name: "Eve".into(),
            called: "eve".into(),
            link: "made up".into(),
            credential,
        },
    ];
    let again: Vec<Capture> = again.iter().map(said).collect();
    world.workspace.as_mut().unwrap().append_as(Kind::Decision, &again).unwrap();
    world.restarts();
    let listed = world.members.list(OPERATOR, world.now()).unwrap();
    let standing: Vec<_> = listed.iter().map(|m| (m.number, m.standing)).collect();
    assert_eq!(standing, [(ann.number, Standing::Active), (bob.number, Standing::Removed)]);
}

/// A state database that knows nothing, as after a restore: who is a member stands in the ledger, and nobody can sign in.
#[test]
fn without_its_secrets_the_ledger_lets_nobody_in() {
    let (mut world, ann) = World::owned();
    let bob = world.member("bob@example.test", Role::Engineer);
    world.at(|m, w, now| m.remove(w, OPERATOR, bob.number, "left", now)).unwrap();
    let before = world.members.list(OPERATOR, world.now()).unwrap();
    world.workspace = None;
    let sqlite = store::state::State::open(&world.home.join("data/state.db")).unwrap();
    sqlite.set_setting("members.read", None).unwrap();
    drop(sqlite);
    let mut state = state(&world);
    state.keep_secrets([]).unwrap();
    drop(state);
    world.restarts();
    assert_eq!(world.members.list(OPERATOR, world.now()).unwrap(), before);
    is!(world.session(&ann.signed_in), Refused::NotSignedIn);
    world.passes(30 * SECOND);
    is!(world.enters(&ann, &HOME), Refused::Wrong);
    let link = world.at(|m, w, now| m.reset_login(w, OPERATOR, ann.number, "restored", now)).unwrap();
    let ann = world.joins(&link.secret, None);
    assert!(world.session(&ann.signed_in).is_ok());
}

#[test]
fn no_secret_enters_the_ledger_and_a_name_only_once() {
    let (mut world, ann) = World::owned();
    let token = issue(&mut world, &ann, &["read:results"], 30).unwrap();
    let bob = world.invites("bob@example.test", &[Grant::of(Role::Engineer)]).unwrap();
    let number = bob.member.unwrap();
    let reviewer = Grant::of(Role::Reviewer);
    world.at(|m, w, now| m.give(w, ann.actor(), number, &reviewer, "more work", now)).unwrap();
    world.at(|m, w, now| m.remove(w, ann.actor(), number, "left", now)).unwrap();
    let workspace = world.workspace.as_ref().unwrap();
    let mut naming = 0;
    for entry in 0..workspace.size() {
        let document = String::from_utf8(workspace.document(entry).unwrap()).unwrap();
        naming += usize::from(document.contains("bob@example.test"));
        for secret in [&token.secret, &bob.secret, &ann.signed_in.session, &ann.signed_in.device] {
            let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
            for form in [secret.reveal(), hex(&secret.0), hex(&secret.hash())] {
                assert!(!document.contains(&form), "{document}");
            }
        }
        for text in [
            PASSWORD,
            "argon2",
            &totp::base32(&ann.totp),
            &ann.recovery[0],
            &ann.recovery[0].replace('-', ""),
        ] {
            assert!(!document.contains(text), "{document}");
        }
        // The open log says that something was decided about members, and nothing of what.
        let leaf = String::from_utf8(workspace.proof(entry).unwrap().1).unwrap();
        for open in ["removed", "token", "bob", "owner", "Somebody"] {
            assert!(!leaf.contains(open), "{leaf}");
        }
    }
    assert_eq!(naming, 1);
}

#[test]
fn what_a_newer_version_decided_keeps_everybody_out() {
    for body in [
        json!({ "v": 2, "by": { "member": 1 }, "reason": "x", "what": { "removed": { "member": 1 } } }),
        json!({ "v": 1, "by": { "member": 1 }, "reason": "x", "what": { "suspended": { "member": 1 } } }),
    ] {
        let (mut world, _) = World::owned();
        let receipt = crate::workspace::decision_receipt(STREAM, world.now());
        let capture = Capture { receipt, body: body.to_string().into_bytes() };
        let workspace = world.workspace.as_mut().unwrap();
        let entry = workspace.append_as(Kind::Decision, &[capture]).unwrap().start;
        let refused = Members::open(workspace, entropy()).map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains(&format!("entry {entry} decides about members")), "{refused}");
        assert!(refused.contains("update tickmark"), "{refused}");
    }
}

#[test]
fn only_who_somebody_was_is_erased() {
    let (mut world, ann) = World::owned();
    let bob = world.member("bob@example.test", Role::Engineer);
    let erases = |world: &mut World, entry: u64| {
        let order = crate::Order { basis: "asked for".into(), approver: "dpo".into(), at: world.now() };
        world.at(|_, w, _| w.erase(vec![entry], &order, &|_| model::Derived::default()))
    };
    let entry = |world: &mut World, wanted: fn(&What) -> bool| {
        let all = world.at(|m, w, now| m.decisions(w, OPERATOR, now)).unwrap();
        all.into_iter().rfind(|d| wanted(&d.what)).unwrap().entry
    };
    let invited = entry(&mut world, |what| matches!(what, What::Invited { .. }));
    let said = erases(&mut world, invited).unwrap_err().to_string();
    assert!(said.contains("member 2 is still one"), "{said}");
    let removed = world.at(|m, w, now| m.remove(w, ann.actor(), bob.number, "left", now)).unwrap();
    for kept in [removed, entry(&mut world, |what| matches!(what, What::Joined { .. }))] {
        // Without it whoever was removed would be a member again.
        let said = erases(&mut world, kept).unwrap_err().to_string();
        assert!(said.contains("says who gets in, and names nobody"), "{said}");
    }
    assert_eq!(erases(&mut world, invited).unwrap().documents, 1);
    world.restarts();
    let listed = world.members.list(OPERATOR, world.now()).unwrap();
    assert_eq!(listed.iter().map(|m| m.number).collect::<Vec<_>>(), [ann.number]);
    // Their number is nobody else's.
    let cy = world.invites("cy@example.test", &[Grant::of(Role::Engineer)]).unwrap();
    assert_eq!(cy.member, Some(3));
}
