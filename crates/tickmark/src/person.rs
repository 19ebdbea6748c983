//! `tickmark person`: who is who, and what somebody decides about it. A decision is a row of `person_decision`, entered with
//! its reason and by whom; it outweighs what sources say, from the ledger entry on in which it stands.

use std::collections::BTreeSet;
use std::process::ExitCode;

use app::{Entered, Person, PersonsAccount, Workspace};
use clap::{Args, Subcommand};
use connectors::import;
use model::{Document, FactValue, Instant, Key};

use crate::failure::Failure;
use crate::output::{self, BOLD, aligned, line, note, plain, styled};
use crate::record::{Said, row};
use crate::session::{Session, derive};

#[derive(Subcommand)]
pub(crate) enum PersonCommand {
    /// A person's accounts, why each is theirs, what was decided, and who looks alike
    Show {
        /// An e-mail address, login, full name, or an account as SYSTEM:KEY
        who: String,
        /// Ledger position whose knowledge counts (default: everything)
        #[arg(long, value_name = "POSITION")]
        known_at: Option<u64>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Two are one person; or, with a window of days, the first is an account that the second held then
    Merge {
        /// A person; with --from or --to an account, as SYSTEM:KEY
        one: String,
        /// A person
        other: String,
        /// First day on which the account was theirs, YYYY-MM-DD, or an instant
        #[arg(long, value_name = "DATE")]
        from: Option<String>,
        /// Last day on which it was
        #[arg(long, value_name = "DATE")]
        to: Option<String>,
        #[command(flatten)]
        why: Why,
    },
    /// An account is nobody's but its own, whatever sources say or was decided before
    Split {
        /// The account: an address, a login, or SYSTEM:KEY
        account: String,
        #[command(flatten)]
        why: Why,
    },
    /// Two who look alike are two people
    Apart {
        /// A person
        one: String,
        /// The other
        other: String,
        #[command(flatten)]
        why: Why,
    },
    /// Everybody who only looks like somebody else, and how many approvals hang on it
    Alike {
        /// Ledger position whose knowledge counts (default: everything)
        #[arg(long, value_name = "POSITION")]
        known_at: Option<u64>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub(crate) struct Why {
    /// Why: it stands in the ledger
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who decides, as a pseudonym: it stands in the ledger
    #[arg(long, value_name = "WHO")]
    by: String,
}

const TABLE: &str = "person_decision";

pub(crate) fn run(session: &Session, what: &PersonCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open_records(&place)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    match what {
        PersonCommand::Show { who, known_at, json } => {
            show(&mut workspace, who, *known_at, *json)?;
            return Ok(ExitCode::SUCCESS);
        }
        PersonCommand::Alike { known_at, json } => {
            alike(&mut workspace, *known_at, *json)?;
            return Ok(ExitCode::SUCCESS);
        }
        PersonCommand::Merge { .. } | PersonCommand::Split { .. } | PersonCommand::Apart { .. } => {}
    }
    let mut decided = Decided::at(&mut workspace, session.now)?;
    let (why, done) = match what {
        PersonCommand::Merge { one, other, from, to, why } if from.is_none() && to.is_none() => {
            let (one, other) = (person(&mut workspace, one)?, person(&mut workspace, other)?);
            if one.person == other.person {
                line("nothing new: they are one person already; nothing was appended")?;
                return Ok(ExitCode::SUCCESS);
            }
            decided.pair(&mut workspace, "same", one.person, other.person)?;
            (why, format!("`{}` and `{}` are one person", plain(&one.called), plain(&other.called)))
        }
        PersonCommand::Merge { one, other, from, to, why } => {
            let (held, holder) = (account(&mut workspace, one)?, person(&mut workspace, other)?);
            let theirs = workspace.people(&held.account, None)?;
            let others: BTreeSet<String> = theirs
                .iter()
                .filter(|person| person.person == held.id)
                .flat_map(|person| &person.accounts)
                .filter(|account| account.id != held.id)
                .map(|account| account.account.clone())
                .collect();
            let always = |a: &PersonsAccount| {
                a.id == held.id && a.valid_from == Instant::BEGINNING && a.valid_to == Instant::FOREVER
            };
            let others_for_good =
                theirs.iter().any(|person| person.person != held.id && person.accounts.iter().any(always));
            if !others.is_empty() || others_for_good {
                return Err(Failure::of(format!(
                    "`{}` counts as one person's with other accounts for all time; take it out first with `tickmark person split {}`",
                    plain(one),
                    held.account
                )));
            }
            if holder.person == held.id {
                return Err(Failure::of(format!(
                    "`{}` is that account itself; name who held it",
                    plain(other)
                )));
            }
            let tz = workspace.config.zone(None);
            let from = from.as_deref().map_or(Ok(Instant::BEGINNING), |day| edge(day, &tz, false))?;
            let to = to.as_deref().map_or(Ok(Instant::FOREVER), |day| edge(day, &tz, true))?;
            if to <= from {
                return Err(Failure::of("that ends before it begins; swap --from and --to"));
            }
            decided.held(&mut workspace, held.id, holder.person, from, to)?;
            (why, format!("`{}` held `{}` from {from} to {to}", plain(&holder.called), held.account))
        }
        PersonCommand::Split { account: named, why } => {
            let account = account(&mut workspace, named)?;
            decided.own(&mut workspace, account.id)?;
            (why, format!("`{}` is nobody's but its own", account.account))
        }
        PersonCommand::Apart { one, other, why } => {
            let (one, other) = (person(&mut workspace, one)?, person(&mut workspace, other)?);
            if one.person == other.person {
                return Err(Failure::of(format!(
                    "`{}` and `{}` count as one person; take an account out with `tickmark person split`",
                    plain(&one.called),
                    plain(&other.called)
                )));
            }
            // Whom only a decision made one may be told apart from others only one by one.
            for a in decided_of(&one) {
                for b in decided_of(&other) {
                    decided.pair(&mut workspace, "apart", a, b)?;
                }
            }
            (why, format!("`{}` and `{}` are two people", plain(&one.called), plain(&other.called)))
        }
        PersonCommand::Show { .. } | PersonCommand::Alike { .. } => return Ok(ExitCode::SUCCESS),
    };
    let table = workspace
        .catalog
        .table(TABLE)
        .cloned()
        .ok_or_else(|| Failure::of(format!("the content has no table `{TABLE}`; restore it")))?;
    let tz = "UTC";
    let said = Said { reason: &why.reason, by: Some(&why.by), covers: None, of: &[] };
    if why.by.trim().is_empty() {
        return Err(Failure::of("somebody has to answer for it; write who with --by"));
    }
    let captures = decided
        .rows
        .iter()
        .map(|words| {
            let (mapping, body) = app::written(&table, words, tz)?;
            row(&table, &mapping, &body, &said, session.now)
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let entries = workspace.decide(&captures)?;
    let applied = workspace.catch_up(&|document| derive(document, &conventions))?;
    for (entry, problem) in applied.problems.iter().filter(|(entry, _)| entries.contains(entry)) {
        note(&format!("entry {entry}: {}", plain(problem)));
    }
    line(&format!("{done}; that stands in ledger entry {}", entries.start))?;
    Ok(ExitCode::SUCCESS)
}

/// Rows of decisions, as words that `record add` would take.
struct Decided {
    at: Instant,
    rows: Vec<Vec<String>>,
}

impl Decided {
    fn at(workspace: &mut Workspace, now: Instant) -> Result<Self, Failure> {
        Ok(Self { at: workspace.decision_instant(now)?, rows: vec![] })
    }

    fn row(
        &mut self,
        workspace: &mut Workspace,
        decision: &str,
        accounts: [Option<i64>; 2],
        (from, to): (Instant, Instant),
    ) -> Result<(), Failure> {
        let mut words = vec![
            format!("decision={decision}"),
            format!("valid_from={from}"),
            format!("valid_to={to}"),
            format!("decided_at={}", self.at),
        ];
        // The same decision about the same accounts again takes the place of what it said.
        let mut key = format!("key={decision}");
        for (column, account) in ["account", "other_account"].iter().zip(accounts) {
            let Some(account) = account else { continue };
            let (system, name) = workspace.account_parts(account)?;
            key.push_str(&format!(" {system}:{name}"));
            words.push(format!("{column}={name}"));
            words.push(format!("{column}.system={system}"));
        }
        if from != Instant::BEGINNING {
            key.push_str(&format!(" {from}"));
        }
        words.push(key);
        self.rows.push(words);
        Ok(())
    }

    fn pair(&mut self, workspace: &mut Workspace, decision: &str, a: i64, b: i64) -> Result<(), Failure> {
        let always = (Instant::BEGINNING, Instant::FOREVER);
        self.row(workspace, decision, [Some(a.min(b)), Some(a.max(b))], always)
    }

    fn held(
        &mut self,
        workspace: &mut Workspace,
        account: i64,
        holder: i64,
        from: Instant,
        to: Instant,
    ) -> Result<(), Failure> {
        self.row(workspace, "same", [Some(account), Some(holder)], (from, to))
    }

    fn own(&mut self, workspace: &mut Workspace, account: i64) -> Result<(), Failure> {
        self.row(workspace, "own", [Some(account), None], (Instant::BEGINNING, Instant::FOREVER))
    }
}

/// The accounts that stand for a person: the first, and each that only a decision made theirs.
fn decided_of(person: &Person) -> BTreeSet<i64> {
    let decided =
        person.accounts.iter().filter(|account| account.basis == "decision").map(|account| account.id);
    decided.chain([person.person]).collect()
}

/// The one person who is called so.
fn person(workspace: &mut Workspace, who: &str) -> Result<Person, Failure> {
    let mut people = workspace.people(who, None)?;
    match (people.pop(), people.is_empty()) {
        (Some(person), true) => Ok(person),
        (None, _) => Err(Failure::of(format!(
            "nobody stands behind `{}`: several hold it at once; name another account of theirs",
            plain(who)
        ))),
        (Some(last), false) => {
            people.push(last);
            let named: Vec<String> = people
                .iter()
                .filter_map(|p| p.accounts.first())
                .map(|a| format!("{} ({})", plain(&a.account), plain(&a.called)))
                .collect();
            Err(Failure::of(format!(
                "`{}` may be {} people: {}; name an account as SYSTEM:KEY",
                plain(who),
                people.len(),
                named.join(", ")
            )))
        }
    }
}

/// The one account that is called so.
fn account(workspace: &mut Workspace, named: &str) -> Result<PersonsAccount, Failure> {
    let found = workspace.accounts_called(named, workspace.size())?;
    let mut accounts = vec![];
    for id in found {
        let (system, key) = workspace.account_parts(id)?;
        accounts.push((id, format!("{system}:{key}")));
    }
    match &accounts[..] {
        [(id, account)] => Ok(PersonsAccount {
            id: *id,
            account: account.clone(),
            called: account.clone(),
            basis: String::new(),
            valid_from: Instant::BEGINNING,
            valid_to: Instant::FOREVER,
            entry: i64::try_from(model::row_id_entry(*id)).unwrap_or(0),
        }),
        _ => {
            let named_all: Vec<String> = accounts.iter().map(|(_, account)| plain(account)).collect();
            Err(Failure::of(format!(
                "`{}` names {} accounts: {}; name one of them as SYSTEM:KEY",
                plain(named),
                accounts.len(),
                named_all.join(", ")
            )))
        }
    }
}

/// A day's begin, or its end; or an instant as it is.
fn edge(text: &str, tz: &str, end: bool) -> Result<Instant, Failure> {
    if text.contains('T') {
        return Ok(text.parse::<Instant>()?);
    }
    let day = model::parse_date_range(text, text, tz)?;
    Ok(if end { day.to } else { day.from })
}

fn show(workspace: &mut Workspace, who: &str, known_at: Option<u64>, json: bool) -> Result<(), Failure> {
    let people = workspace.people(who, known_at)?;
    if json {
        return output::document(&people);
    }
    let decisions: Vec<Entered> = workspace
        .entered(&format!("decision.{TABLE}"))?
        .into_iter()
        .filter(|entered| known_at.is_none_or(|position| entered.entry < position))
        .collect();
    if people.is_empty() {
        line(&format!("nobody stands behind `{}`: several hold it at once", plain(who)))?;
    }
    for (at, person) in people.iter().enumerate() {
        if at > 0 {
            line("")?;
        }
        line(&styled(BOLD, &format!("{}, person {}", plain(&person.called), person.person)))?;
        let edge = |instant: Instant, open: Instant| match instant == open {
            true => String::new(),
            false => instant.to_string(),
        };
        let mut rows = vec![
            ["  account", "called", "because of", "from", "to", "known since entry"]
                .map(str::to_owned)
                .to_vec(),
        ];
        rows.extend(person.accounts.iter().map(|account| {
            vec![
                format!("  {}", plain(&account.account)),
                plain(&account.called),
                output::spoken(&account.basis),
                edge(account.valid_from, Instant::BEGINNING),
                edge(account.valid_to, Instant::FOREVER),
                account.entry.to_string(),
            ]
        }));
        for row in aligned(&rows) {
            line(row.trim_end())?;
        }
        let decided: Vec<&Entered> = decisions.iter().filter(|entered| concerns(entered, person)).collect();
        if !decided.is_empty() {
            line("")?;
            line(&styled(BOLD, "Decided"))?;
            for entered in decided {
                let context = &entered.receipt.context;
                line(&format!(
                    "  entry {}, {} by {}: {}; {}",
                    entered.entry,
                    entered.receipt.collected_at,
                    plain(context["by"].as_str().unwrap_or("somebody unknown")),
                    plain(&said(entered)),
                    plain(context["reason"].as_str().unwrap_or(""))
                ))?;
            }
        }
        if !person.alike.is_empty() {
            line("")?;
            line(&styled(BOLD, "Perhaps the same person"))?;
            for alike in &person.alike {
                let basis: Vec<String> = alike.basis.iter().map(|basis| output::spoken(basis)).collect();
                line(&format!("  {} ({})", plain(&alike.person), basis.join(", ")))?;
            }
        }
    }
    Ok(())
}

fn alike(workspace: &mut Workspace, known_at: Option<u64>, json: bool) -> Result<(), Failure> {
    let pairs = workspace.alike(known_at)?;
    if json {
        return output::document(&pairs);
    }
    if pairs.is_empty() {
        return line("nobody only looks like somebody else");
    }
    let mut rows =
        vec![["one", "the other", "alike by", "approvals between them"].map(str::to_owned).to_vec()];
    for pair in &pairs {
        let who = |key: &str, called: &str| match key.ends_with(called) {
            true => plain(key),
            false => format!("{} ({})", plain(key), plain(called)),
        };
        let basis: Vec<String> = pair.basis.iter().map(|basis| output::spoken(basis)).collect();
        rows.push(vec![
            who(&pair.one, &pair.one_called),
            who(&pair.other, &pair.other_called),
            basis.join(", "),
            pair.approvals.to_string(),
        ]);
    }
    for row in aligned(&rows) {
        line(row.trim_end())?;
    }
    note(
        "nobody is independent of who may be the same: decide with `tickmark person merge` or `tickmark person apart`",
    );
    Ok(())
}

/// The values of a decision, read as they are applied.
fn values(entered: &Entered) -> Vec<(&'static str, FactValue)> {
    let document = Document { receipt: entered.receipt.clone(), body: &entered.body };
    import::derive(&document).facts.into_iter().filter(|f| f.table == TABLE).flat_map(|f| f.values).collect()
}

fn accounts(entered: &Entered) -> Vec<String> {
    let name = |key: Key| format!("{}:{}", key.scope, key.key);
    let keys = values(entered).into_iter().filter_map(|(column, value)| match value {
        FactValue::Entity(key) => Some((column != "account", name(key))),
        _ => None,
    });
    let mut keys: Vec<(bool, String)> = keys.collect();
    keys.sort();
    keys.into_iter().map(|(_, key)| key).collect()
}

fn concerns(entered: &Entered, person: &Person) -> bool {
    accounts(entered).iter().any(|key| person.accounts.iter().any(|account| account.account == *key))
}

/// A decision in words.
fn said(entered: &Entered) -> String {
    let values = values(entered);
    let word = values.iter().find_map(|(column, value)| match value {
        FactValue::Text(word) if *column == "decision" => Some(word.as_str()),
        _ => None,
    });
    let at = |name: &str| {
        values.iter().find_map(|(column, value)| match value {
            FactValue::Integer(ms) if *column == name => Some(Instant::from_ms(*ms)),
            _ => None,
        })
    };
    let window = match (at("valid_from"), at("valid_to")) {
        (Some(from), Some(to)) if from > Instant::BEGINNING || to < Instant::FOREVER => Some((from, to)),
        _ => None,
    };
    let accounts = accounts(entered).join(" and ");
    match (word, window) {
        (Some("same"), None) => format!("{accounts} are one person"),
        (Some("same"), Some((from, to))) => format!("{accounts} are one person's from {from} to {to}"),
        (Some("own"), _) => format!("{accounts} is nobody's but its own"),
        _ => format!("{accounts} are two people"),
    }
}
