//! `tickmark token`: tokens of the API.

use std::collections::BTreeSet;
use std::process::ExitCode;

use app::{Actor, Scope};
use clap::Subcommand;

use crate::failure::Failure;
use crate::member::{Why, open};
use crate::output::{self, aligned, line, note, plain};
use crate::session::Session;

#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token: it is printed once and never again
    Issue {
        /// Whose it is: an address, a pseudonym or a number
        #[arg(long, value_name = "WHO")]
        member: String,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        name: String,
        /// What it may do, such as read:results; again for more
        #[arg(long, value_name = "ACTION:RESOURCE", required = true)]
        scope: Vec<Scope>,
        /// Its last day, YYYY-MM-DD; at most 366 days from now
        #[arg(long, value_name = "DATE")]
        expires: String,
        #[command(flatten)]
        why: Why,
    },
    /// List tokens, those that ended included
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Take a token back: it ends at once
    Revoke {
        /// Its id, as `tickmark token list` shows it
        id: String,
        #[command(flatten)]
        why: Why,
    },
}

pub(crate) fn run(session: &Session, what: &TokenCommand) -> Result<ExitCode, Failure> {
    let (mut workspace, members) = open(session)?;
    let now = session.clock;
    match what {
        TokenCommand::Issue { member, name, scope, expires, why } => {
            let actor = Actor::Operator(&why.by);
            let found = members.find(actor, member, now)?;
            let zone = workspace.config.zone(None);
            let until = model::parse_date_range(expires, expires, &zone)?.to;
            let scopes: BTreeSet<Scope> = scope.iter().copied().collect();
            let made = members.issue_token(
                &mut workspace,
                actor,
                found.number,
                name,
                &scopes,
                until,
                &why.reason,
                now,
            )?;
            note(&format!(
                "token {} of `{}`, until {}: it is shown now and never again",
                made.token.id,
                plain(&found.email),
                made.token.expires_at
            ));
            line(&made.secret.reveal_token())?;
        }
        TokenCommand::List { json } => {
            let tokens = members.tokens(Actor::Operator("the command line"), now)?;
            if *json {
                output::document(&tokens)?;
                return Ok(ExitCode::SUCCESS);
            }
            if tokens.is_empty() {
                line("there are no tokens")?;
                return Ok(ExitCode::SUCCESS);
            }
            let mut rows = vec![
                ["id", "member", "for", "scopes", "until", "last used", "ended"].map(str::to_owned).to_vec(),
            ];
            rows.extend(tokens.iter().map(|token| {
                let scopes: Vec<String> = token.scopes.iter().map(ToString::to_string).collect();
                vec![
                    token.id.clone(),
                    token.member.to_string(),
                    plain(&token.name),
                    scopes.join(", "),
                    token.expires_at.to_string(),
                    token.used_at.map_or_else(|| "never".to_owned(), |at| at.to_string()),
                    token.ended.unwrap_or_default().to_owned(),
                ]
            }));
            for row in aligned(&rows) {
                line(row.trim_end())?;
            }
        }
        TokenCommand::Revoke { id, why } => {
            let entry =
                members.revoke_token(&mut workspace, Actor::Operator(&why.by), id, &why.reason, now)?;
            line(&format!("the token `{}` ended; that stands in ledger entry {entry}", plain(id)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
