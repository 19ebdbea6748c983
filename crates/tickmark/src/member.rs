//! `tickmark member`: who gets in, for whoever sits at the machine. What signed-in members may do is the application's.

use std::process::ExitCode;

use app::{Actor, Grant, Invitation, MadeLink, Member, Members, Role, What, Workspace, link_path};
use clap::{Args, Subcommand};
use model::Instant;

use crate::failure::Failure;
use crate::output::{self, aligned, line, note, plain, spoken};
use crate::session::{Session, entropy};

#[derive(Subcommand)]
pub(crate) enum MemberCommand {
    /// List everybody, with role and standing
    List {
        /// What was decided about members, by whom and why
        #[arg(long)]
        decisions: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Invite somebody: prints the path of a one-time link that holds for 48 hours
    Invite {
        /// Their e-mail address
        address: String,
        /// Their name
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Their role; again for more
        #[arg(long, value_name = "ROLE", required = true)]
        role: Vec<String>,
        /// The engagement that an auditor examines
        #[arg(long, value_name = "NAME")]
        engagement: Option<String>,
        /// The pseudonym under which they will decide (default: member-N)
        #[arg(long, value_name = "WHO")]
        called: Option<String>,
        #[command(flatten)]
        why: Why,
    },
    /// Give a member a role, or take one: what it allowed ends at once
    #[command(group(clap::ArgGroup::new("change").required(true).args(["give", "take"])))]
    Role {
        /// Their address, pseudonym or number
        who: String,
        /// The role to give
        #[arg(long, value_name = "ROLE")]
        give: Option<String>,
        /// The role to take
        #[arg(long, value_name = "ROLE")]
        take: Option<String>,
        /// The engagement that an auditor examines
        #[arg(long, value_name = "NAME")]
        engagement: Option<String>,
        #[command(flatten)]
        why: Why,
    },
    /// End a membership, with every session, token and link
    Remove {
        /// Their address, pseudonym or number
        who: String,
        #[command(flatten)]
        why: Why,
    },
    /// End what somebody signs in with, and print the path of a link by which they choose anew
    ResetLogin {
        /// Their address, pseudonym or number
        who: String,
        #[command(flatten)]
        why: Why,
    },
}

/// Who decides at the machine, and why: both stand in the ledger.
#[derive(Args)]
pub(crate) struct Why {
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Who decides, as a pseudonym
    #[arg(long, value_name = "WHO")]
    pub(crate) by: String,
}

pub(crate) fn run(session: &Session, what: &MemberCommand) -> Result<ExitCode, Failure> {
    let (mut workspace, members) = open(session)?;
    let now = session.clock;
    match what {
        MemberCommand::List { decisions, json } => {
            let at_machine = Actor::Operator("the command line");
            if *decisions {
                return list_decisions(&workspace, &members, now, *json);
            }
            list(&members.list(at_machine, now)?, now, *json)?;
        }
        MemberCommand::Invite { address, name, role, engagement, called, why } => {
            let roles = role
                .iter()
                .map(|role| grant(role, engagement.as_deref()))
                .collect::<Result<Vec<_>, Failure>>()?;
            let invitation =
                Invitation { email: address.clone(), name: name.clone(), called: called.clone(), roles };
            let link =
                members.invite(&mut workspace, Actor::Operator(&why.by), &invitation, &why.reason, now)?;
            show(&link, &format!("invited `{}` as member {}", plain(address), number(&link)))?;
        }
        MemberCommand::Role { who, give, take, engagement, why } => {
            let actor = Actor::Operator(&why.by);
            let member = members.find(actor, who, now)?;
            let role =
                grant(give.as_ref().or(take.as_ref()).map_or("", String::as_str), engagement.as_deref())?;
            let change = if give.is_some() { Members::give } else { Members::take };
            let entry = change(&members, &mut workspace, actor, member.number, &role, &why.reason, now)?;
            let done = if give.is_some() { "is now" } else { "is no longer" };
            line(&format!(
                "`{}` {done} {}; that stands in ledger entry {entry}",
                plain(&member.email),
                spoken(&role.to_string())
            ))?;
        }
        MemberCommand::Remove { who, why } => {
            let actor = Actor::Operator(&why.by);
            let member = members.find(actor, who, now)?;
            let entry = members.remove(&mut workspace, actor, member.number, &why.reason, now)?;
            line(&format!("removed `{}`; that stands in ledger entry {entry}", plain(&member.email)))?;
        }
        MemberCommand::ResetLogin { who, why } => {
            let actor = Actor::Operator(&why.by);
            let member = members.find(actor, who, now)?;
            let link = members.reset_login(&mut workspace, actor, member.number, &why.reason, now)?;
            show(&link, &format!("`{}` has to choose anew what to sign in with", plain(&member.email)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The workspace, and who gets in.
pub(crate) fn open(session: &Session) -> Result<(Workspace, Members), Failure> {
    let place = session.place()?;
    let (workspace, _) = session.open_records(&place)?;
    let members = Members::open(&workspace, Box::new(entropy))?;
    Ok((workspace, members))
}

/// A role as it is typed; an engagement goes with an auditor's.
fn grant(role: &str, engagement: Option<&str>) -> Result<Grant, Failure> {
    let found = Role::named(role).ok_or_else(|| {
        let known: Vec<&str> = Role::ALL.iter().map(|r| r.word()).collect();
        Failure::of(format!("there is no role `{}`; there are {}", plain(role), known.join(", ")))
    })?;
    Ok(Grant { role: found, engagement: engagement.map(str::to_owned) })
}

fn number(link: &MadeLink) -> String {
    link.member.map_or_else(String::new, |n| n.to_string())
}

/// A link that was just made: the only time that anybody sees it.
fn show(link: &MadeLink, done: &str) -> Result<(), Failure> {
    line(&format!("{done}; the link holds once, until {}", link.expires_at))?;
    line(&link_path(&link.secret))?;
    note(
        "put it behind the address at which the workspace is served; whoever has it gets in as them, so hand it over in person",
    );
    Ok(())
}

fn list(all: &[Member], now: Instant, json: bool) -> Result<(), Failure> {
    if json {
        return output::document(&all);
    }
    if all.is_empty() {
        return line("nobody is a member yet; `tickmark member invite ADDRESS --role owner` begins");
    }
    let mut rows = vec![
        ["number", "address", "name", "decides as", "roles", "standing", "since"].map(str::to_owned).to_vec(),
    ];
    rows.extend(all.iter().map(|member| {
        let roles: Vec<String> = member.roles.iter().map(|role| spoken(&role.to_string())).collect();
        let standing = match member.link_expires_at {
            Some(at) if at <= now => format!("{}, link expired", member.standing.word()),
            Some(_) => format!("{}, link open", member.standing.word()),
            None => member.standing.word().to_owned(),
        };
        vec![
            member.number.to_string(),
            plain(&member.email),
            plain(&member.name),
            plain(&member.called),
            plain(&roles.join(", ")),
            standing,
            member.since.to_string(),
        ]
    }));
    aligned(&rows).iter().try_for_each(|row| line(row.trim_end()))
}

fn list_decisions(
    workspace: &Workspace,
    members: &Members,
    now: Instant,
    json: bool,
) -> Result<ExitCode, Failure> {
    let all = members.decisions(workspace, Actor::Operator("the command line"), now)?;
    if json {
        output::document(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    for decision in &all {
        let by = match &decision.by {
            app::By::Member(number) => format!("member {number}"),
            app::By::Operator(who) => format!("{}, at the machine", plain(who)),
        };
        line(&format!(
            "entry {}, {} by {by}: {}; {}",
            decision.entry,
            decision.at,
            plain(&said(&decision.what)),
            plain(&decision.reason)
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A decision in words.
fn said(what: &What) -> String {
    match what {
        What::FirstRun { expires_at, .. } => format!("a link for the first owner, until {expires_at}"),
        What::Founded { member, email, .. } => format!("{email} came first, as member {member} and owner"),
        What::Invited { member, email, roles, .. } => {
            let roles: Vec<String> = roles.iter().map(|role| spoken(&role.to_string())).collect();
            format!("invited {email} as member {member}: {}", roles.join(", "))
        }
        What::Joined { member, .. } => format!("member {member} chose what to sign in with"),
        What::Given { member, role } => format!("member {member} is now {}", spoken(&role.to_string())),
        What::Taken { member, role } => format!("member {member} is no longer {}", spoken(&role.to_string())),
        What::Reset { member, break_glass: true, .. } => {
            format!("BREAK GLASS: the login of member {member} was reset at the machine")
        }
        What::Reset { member, ends_login: true, .. } => format!("the login of member {member} was reset"),
        What::Reset { member, .. } => format!("a link for member {member} to choose anew"),
        What::Recovered { member, left } => {
            format!("member {member} signed in with a recovery code; {left} are left")
        }
        What::Removed { member } => format!("member {member} was removed"),
        What::TokenIssued { token, member, name, scopes, expires_at } => {
            let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
            format!("token {token} ({name}) of member {member}, until {expires_at}: {}", scopes.join(", "))
        }
        What::TokenRevoked { token } => format!("token {token} was revoked"),
    }
}
