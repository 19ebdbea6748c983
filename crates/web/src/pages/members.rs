//! Who gets in: members with their roles, what was decided about each, and the forms by which owners decide it. Each of these can lock
//! people out or let them in, so all of them want a fresh proof.

use std::cell::RefCell;
use std::collections::BTreeMap;

use app::{
    Action, Actor, By, Grant, Invitation, MadeLink, Member, MemberDecision, Refused, Resource, Role,
    Standing, What, Workspace,
};
use maud::{Markup, html};
use model::Instant;
use serde_json::json;

use crate::acts::{self, Input, Kind, Told, input};
use crate::answer::{Answer, Page};
use crate::csv::Csv;
use crate::fault::Fault;
use crate::parts::{self, count, many, spoken, theirs};
use crate::visit::Visit;

/// Members, what was decided about them, and when each was here last.
struct Everybody {
    members: Vec<Member>,
    decisions: Vec<MemberDecision>,
    seen: BTreeMap<u64, Instant>,
}

fn everybody(visit: &Visit<'_>) -> Result<Everybody, Fault> {
    let (actor, now) = (Actor::Member(visit.who()?), visit.site.now());
    let members = visit.site.members();
    Ok(Everybody {
        members: members.list(actor, now)?,
        decisions: members.decisions(&visit.site.workspace(), actor, now)?,
        seen: members.last_seen(actor, now)?,
    })
}

impl Everybody {
    fn named(&self, visit: &Visit<'_>) -> Result<&Member, Fault> {
        let id = visit.name("id");
        let found = self.members.iter().find(|m| m.number.to_string() == id);
        found.ok_or_else(|| Fault::unknown("member", id, "the list of members has everybody"))
    }

    fn who(&self, by: &By) -> String {
        match by {
            By::Member(number) => {
                let found = self.members.iter().find(|m| m.number == *number);
                found.map_or_else(|| format!("member {number}"), |m| m.called.clone())
            }
            By::Operator(called) => format!("{called}, at the machine"),
        }
    }

    fn invited_by(&self, member: u64) -> Option<String> {
        let invited = self.decisions.iter().find(|decision| {
            decision.what.member() == Some(member)
                && matches!(decision.what, What::Invited { .. } | What::Founded { .. })
        })?;
        Some(match invited.what {
            What::Founded { .. } => "came as the first owner".to_owned(),
            _ => self.who(&invited.by),
        })
    }
}

fn roles(member: &Member) -> String {
    member.roles.iter().map(|grant| grant.to_string().replace('_', " ")).collect::<Vec<_>>().join(", ")
}

fn may_manage(visit: &Visit<'_>) -> bool {
    visit.who.as_ref().is_some_and(|who| who.reach(Action::Manage, Resource::Members).is_some())
}

pub(crate) fn list(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let all = everybody(visit)?;
    let found =
        |m: &&Member| parts::finds(visit, &[&m.name, &m.email, &m.called, &roles(m), m.standing.word()]);
    let listed: Vec<&Member> = all.members.iter().filter(found).collect();
    Page::new(visit, "Members")
        .command("tickmark member list")
        .json(|| {
            let rows: Vec<_> = listed.iter().map(|m| json!({ "member": m, "invited_by": all.invited_by(m.number), "last_seen": all.seen.get(&m.number) })).collect();
            json!({ "members": rows })
        })
        .csv(|| {
            let mut csv = Csv::new(["member", "called", "name", "email", "roles", "standing", "since", "invited_by", "last_seen"]);
            for m in &listed {
                csv.row([
                    m.number.to_string(),
                    m.called.clone(),
                    m.name.clone(),
                    m.email.clone(),
                    roles(m),
                    m.standing.word().to_owned(),
                    m.since.to_string(),
                    all.invited_by(m.number).unwrap_or_default(),
                    all.seen.get(&m.number).map(ToString::to_string).unwrap_or_default(),
                ]);
            }
            csv
        })
        .show(|| {
            let active = all.members.iter().filter(|m| m.standing == Standing::Active).count();
            html! {
                (parts::head("Who gets in", &html! { (many(active, "member", "members")) " can sign in" }, &html! { p { "Who is a member, in which role, is decided in the ledger; what they sign in with lies elsewhere." } },
                    &html! { @if may_manage(visit) { a.btn.pri href=(visit.to(&["members", "invite"])) { "Invite somebody" } } }))
                (parts::filter_field(visit, "Filter members"))
                p.bar role="status" { (count(listed.len())) " of " (count(all.members.len())) }
                @if listed.is_empty() { (parts::empty("Nobody is left under this filter.", "Clear it to see everybody.", Some(("Clear the filter", &visit.to(&["members"]))), None)) }
                @else { table.stack data-rows="open" { caption.vh { "Members" }
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Roles" } th scope="col" { "Standing" } th scope="col" { "Invited by" } th scope="col" { "Last here" } } }
                    tbody { @for m in &listed { tr data-row {
                        th scope="row" { a href=(visit.to(&["members", &m.number.to_string()])) { (theirs(&m.name)) } br; span.dim { (theirs(&m.email)) } }
                        td.il data-l="roles" { @if m.roles.is_empty() { span.dim { "none" } } @else { (theirs(&roles(m))) } }
                        td.il data-l="standing" { (spoken(m.standing.word())) " " span.dim { "since " (visit.day(m.since)) } }
                        td.il data-l="invited by" { @match all.invited_by(m.number) { Some(by) => (theirs(&by)), None => span.dim { "erased" } } }
                        td.il data-l="last here" { @match all.seen.get(&m.number) { Some(at) => (visit.time(*at)), None => span.dim { "not in a session that is kept" } } }
                    } } }
                } }
            }
        })
}

/// A decision about a member, in words.
fn in_words(what: &What) -> String {
    match what {
        What::FirstRun { .. } => "a link for the first owner was made".to_owned(),
        What::Founded { .. } => "became the first owner".to_owned(),
        What::Invited { roles, .. } => {
            let roles: Vec<String> = roles.iter().map(ToString::to_string).collect();
            format!("invited as {}", roles.join(", "))
        }
        What::Joined { .. } => "chose what to sign in with".to_owned(),
        What::Given { role, .. } => format!("given the role {role}"),
        What::Taken { role, .. } => format!("lost the role {role}"),
        What::Reset { ends_login: true, .. } => {
            "what they signed in with was ended, and a link made".to_owned()
        }
        What::Reset { .. } => "made a link to choose anew what to sign in with".to_owned(),
        What::Recovered { left, .. } => format!("signed in with a recovery code; {left} left"),
        What::Removed { .. } => "the membership ended".to_owned(),
        What::TokenIssued { name, .. } => format!("a token was made: {name}"),
        What::TokenRevoked { .. } => "a token was taken back".to_owned(),
    }
}

pub(crate) fn detail(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let all = everybody(visit)?;
    let m = all.named(visit)?;
    let about: Vec<&MemberDecision> =
        all.decisions.iter().filter(|d| d.what.member() == Some(m.number)).collect();
    let id = m.number.to_string();
    let themselves = visit.who()?.member == m.number;
    let way = |act: &str, name: &str| html! { a.btn href=(visit.to(&["members", &id, act])) { (name) } " " };
    Page::new(visit, m.name.clone())
        .below("Members", &["members"])
        .command("tickmark member list --decisions")
        .json(|| json!({ "member": m, "decisions": about, "last_seen": all.seen.get(&m.number) }))
        .show(|| {
            html! {
                (parts::head("Member", &html! { (theirs(&m.name)) }, &html! { p { (theirs(&m.email)) " · decides as " code { (theirs(&m.called)) } " · " (theirs(&roles(m))) } }, &html! {}))
                @if may_manage(visit) && m.standing != Standing::Removed { p.mt {
                    @if themselves { span.sub { "Nobody decides about their own membership: ask another owner. " } a.btn href="/sessions" { "Your sessions" } }
                    @else { (way("give", "Give a role")) @if m.roles.len() > 1 { (way("take", "Take a role")) } @if m.standing == Standing::Active { (way("end-sessions", "End their sessions")) } (way("reset", "New link to sign in")) (way("remove", "End the membership")) }
                } }
                dl.kv.mt {
                    dt { "Standing" } dd { (spoken(m.standing.word())) ", since " (visit.time(m.since)) }
                    @if let Some(until) = m.link_expires_at { dt { "Link" } dd { "holds until " (visit.time(until)) } }
                    dt { "Last here" } dd { @match all.seen.get(&m.number) { Some(at) => (visit.time(*at)), None => span.dim { "not in a session that is kept" } } }
                }
                section aria-labelledby="h-decided" { div.sh { h2 id="h-decided" { "What was decided" } p { "newest first" } }
                    ol.tl { @for d in about.iter().rev() { li { b { (theirs(&in_words(&d.what))) } ": " (theirs(&d.reason)) br; span.dim { (visit.time(d.at)) ", " (theirs(&all.who(&d.by))) ", " (parts::entry(visit, i64::try_from(d.entry).unwrap_or(i64::MAX))) } } } }
                }
            }
        })
}

/// A form about who gets in.
struct Form {
    title: &'static str,
    says: &'static str,
    button: &'static str,
    fields: &'static [&'static str],
    inputs: fn(&Visit<'_>, &Told, Option<&Member>) -> Markup,
}

/// What a form is about: nobody yet where somebody is to be invited.
fn page(visit: &Visit<'_>, told: &Told, form: &Form) -> Result<Answer, Fault> {
    let all = everybody(visit)?;
    let about = if visit.name("id").is_empty() { None } else { Some(all.named(visit)?) };
    let id = about.map(|m| m.number.to_string()).unwrap_or_default();
    let back = if id.is_empty() { visit.to(&["members"]) } else { visit.to(&["members", &id]) };
    let inputs = html! {
        ((form.inputs)(visit, told, about))
        (input(visit, told, Input { name: "why", label: "Reason", hint: "It stands in the ledger.", value: "", required: true, kind: Kind::Line }))
        (acts::proof(visit, told)?)
    };
    let main = visit.form_of(told, None, &inputs, form.button, &back)?;
    let page = Page::new(visit, form.title).below("Members", &["members"]);
    let page = match about {
        Some(m) => page.below(m.name.clone(), &["members", &id]),
        None => page,
    };
    page.status(told.status()).show(|| {
        html! {
            (parts::head("Who gets in", &html! { (form.title) @if let Some(m) = about { ": " (theirs(&m.name)) } }, &html! { p.sub { (form.says) } }, &html! {}))
            (main)
        }
    })
}

/// Takes a form that was sent. Where it makes a link, that is shown here and never again.
fn send(
    visit: &Visit<'_>,
    form: &Form,
    decide: impl FnOnce(&mut Workspace, Actor<'_>, u64, &str) -> Result<Option<MadeLink>, Refused>,
) -> Result<Answer, Fault> {
    let made: RefCell<Option<MadeLink>> = RefCell::default();
    let number: u64 = visit.name("id").parse().unwrap_or(0);
    let answer = acts::act(
        visit,
        |name| matches!(name, "why" | "password" | "code") || form.fields.contains(&name),
        |told| page(visit, told, form),
        |workspace, actor, _| {
            let why = visit.entered("why").unwrap_or_default();
            let link = decide(workspace, actor, number, &why)?;
            let about = link.as_ref().and_then(|link| link.member).unwrap_or(number);
            *made.borrow_mut() = link;
            Ok(visit.to(&["members", &about.to_string()]))
        },
    )?;
    let Some(link) = made.into_inner() else { return Ok(answer) };
    let to = visit.to(&["members", &link.member.unwrap_or(number).to_string()]);
    Page::new(visit, "A link to come in").below("Members", &["members"]).show(|| {
        html! {
            (parts::head("Who gets in", &html! { "A link to come in" }, &html! { p { "It is shown now and never again. Whoever opens it chooses what to sign in with: give it to nobody else, by a way that nobody else reads." } }, &html! {}))
            p.mt { code.secret id="link" { (visit.origin.address()) (app::link_path(&link.secret)) } }
            p.sub { "It holds until " (visit.time(link.expires_at)) ", and once." }
            p.mt { a.btn.pri href=(to) { "I have passed it on" } }
        }
    })
}

/// The role that a form names.
fn grant(visit: &Visit<'_>) -> Result<Grant, Refused> {
    let role = visit.field("role").and_then(Role::named);
    let role = role.ok_or_else(|| Refused::Unfit("no role is named; choose one".to_owned()))?;
    Ok(Grant { role, engagement: visit.entered("engagement") })
}

fn role_inputs(visit: &Visit<'_>, told: &Told) -> Markup {
    let all: Vec<(String, String)> =
        Role::ALL.iter().map(|r| (r.word().to_owned(), spoken(r.word()))).collect();
    html! {
        (input(visit, told, Input { name: "role", label: "Role", hint: "What each may do is in docs/members.md.", value: "", required: true, kind: Kind::Choice { none: Some("Choose"), of: &all } }))
        (input(visit, told, Input { name: "engagement", label: "Engagement", hint: "Of an auditor: what they examine, such as 2026.", value: "", required: false, kind: Kind::Line }))
    }
}

const INVITE: Form = Form {
    title: "Invite somebody",
    says: "They come in by a link that holds for 48 hours, and choose what they sign in with.",
    button: "Make the link",
    fields: &["email", "name", "called", "role", "engagement"],
    inputs: |visit, told, _| {
        let line = |name, label, hint, required| {
            input(visit, told, Input { name, label, hint, value: "", required, kind: Kind::Line })
        };
        html! {
            (line("email", "E-mail address", "By which they sign in.", true))
            (line("name", "Name", "What others see here.", true))
            (line("called", "Pseudonym", "Under which they decide; a number where none is given.", false))
            (role_inputs(visit, told))
        }
    },
};

pub(crate) fn invite_form(visit: &Visit<'_>) -> Result<Answer, Fault> {
    page(visit, &Told::Nothing, &INVITE)
}

pub(crate) fn invite(visit: &Visit<'_>) -> Result<Answer, Fault> {
    send(visit, &INVITE, |workspace, actor, _, why| {
        let invitation = Invitation {
            email: visit.entered("email").unwrap_or_default(),
            name: visit.entered("name").unwrap_or_default(),
            called: visit.entered("called"),
            roles: vec![grant(visit)?],
        };
        visit.site.members().invite(workspace, actor, &invitation, why, visit.site.now()).map(Some)
    })
}

const GIVE: Form = Form {
    title: "Give a role",
    says: "It holds at once, in running sessions, too.",
    button: "Give it",
    fields: &["role", "engagement"],
    inputs: |visit, told, _| role_inputs(visit, told),
};

pub(crate) fn give_form(visit: &Visit<'_>) -> Result<Answer, Fault> {
    page(visit, &Told::Nothing, &GIVE)
}

pub(crate) fn give(visit: &Visit<'_>) -> Result<Answer, Fault> {
    send(visit, &GIVE, |workspace, actor, member, why| {
        let members = visit.site.members();
        members.give(workspace, actor, member, &grant(visit)?, why, visit.site.now()).map(|_| None)
    })
}

const TAKE: Form = Form {
    title: "Take a role",
    says: "What it allowed ends at once, in running sessions, too.",
    button: "Take it",
    fields: &["grant"],
    inputs: |visit, told, member| {
        let held = member.into_iter().flat_map(|m| &m.roles);
        let held: Vec<(String, String)> =
            held.map(|grant| (grant.to_string(), spoken(&grant.to_string()))).collect();
        input(
            visit,
            told,
            Input {
                name: "grant",
                label: "Role",
                hint: "",
                value: "",
                required: true,
                kind: Kind::Choice { none: Some("Choose"), of: &held },
            },
        )
    },
};

pub(crate) fn take_form(visit: &Visit<'_>) -> Result<Answer, Fault> {
    page(visit, &Told::Nothing, &TAKE)
}

pub(crate) fn take(visit: &Visit<'_>) -> Result<Answer, Fault> {
    send(visit, &TAKE, |workspace, actor, member, why| {
        let (members, now) = (visit.site.members(), visit.site.now());
        let found = members.list(actor, now)?.into_iter().find(|m| m.number == member);
        let held = found.into_iter().flat_map(|m| m.roles);
        let named = visit.field("grant").unwrap_or("");
        let role = held.into_iter().find(|grant| grant.to_string() == named);
        let role =
            role.ok_or_else(|| Refused::Unfit("they have no such role; nothing was changed".to_owned()))?;
        members.take(workspace, actor, member, &role, why, now).map(|_| None)
    })
}

const RESET: Form = Form {
    title: "New link to sign in",
    says: "What they sign in with ends at once, with their sessions and tokens; they choose anew by a link that holds for 48 hours.",
    button: "End it and make the link",
    fields: &[],
    inputs: |_, _, _| html! {},
};

pub(crate) fn reset_form(visit: &Visit<'_>) -> Result<Answer, Fault> {
    page(visit, &Told::Nothing, &RESET)
}

pub(crate) fn reset(visit: &Visit<'_>) -> Result<Answer, Fault> {
    send(visit, &RESET, |workspace, actor, member, why| {
        visit.site.members().reset_login(workspace, actor, member, why, visit.site.now()).map(Some)
    })
}

const END_SESSIONS: Form = Form {
    title: "End their sessions",
    says: "They have to sign in again, everywhere. Nothing else changes.",
    button: "End them",
    fields: &[],
    inputs: |_, _, _| html! {},
};

pub(crate) fn end_sessions_form(visit: &Visit<'_>) -> Result<Answer, Fault> {
    page(visit, &Told::Nothing, &END_SESSIONS)
}

pub(crate) fn end_sessions(visit: &Visit<'_>) -> Result<Answer, Fault> {
    send(visit, &END_SESSIONS, |_, actor, member, _| {
        visit.site.members().end_sessions(actor, member, visit.site.now()).map(|_| None)
    })
}

const REMOVE: Form = Form {
    title: "End the membership",
    says: "Their sessions, tokens and links end with it. What they decided stays theirs.",
    button: "End it",
    fields: &[],
    inputs: |_, _, _| html! {},
};

pub(crate) fn remove_form(visit: &Visit<'_>) -> Result<Answer, Fault> {
    page(visit, &Told::Nothing, &REMOVE)
}

pub(crate) fn remove(visit: &Visit<'_>) -> Result<Answer, Fault> {
    send(visit, &REMOVE, |workspace, actor, member, why| {
        visit.site.members().remove(workspace, actor, member, why, visit.site.now()).map(|_| None)
    })
}
