//! The list of a campaign: who has which access as known at a position, what is known of each, and who gets it to review.

use std::collections::{BTreeMap, BTreeSet};

use model::{Grade, Instant};

use super::ReviewAsked;
use super::act::{Campaign, Decision, Given, Kind, Opened, Reviewer};
use super::line::{
    AccountKey, Belongs, Candidate, Fits, Line, Previous, Subject, Use, Whom, assigned, judged,
};
use crate::access::{Asking, list as listed};
use crate::assessment::coverage;
use crate::error::AppError;
use crate::members::{Refused, unfit};
use crate::question::{instant, integer, text};
use crate::workspace::Workspace;

const DAY_MS: i64 = 86_400_000;

/// A grant as the records have it.
struct Grant {
    id: i64,
    account: i64,
    system: i64,
    role: Option<String>,
    privileged: Option<bool>,
    from: Instant,
    to: Option<Instant>,
    via: Option<String>,
    last_used: Option<Instant>,
}

/// What is known of everybody on a list, by accounts and persons.
#[derive(Default)]
struct Known {
    people: BTreeMap<i64, (i64, String)>,
    kinds: BTreeMap<i64, String>,
    left: BTreeMap<i64, Instant>,
    /// Persons of whom an employment is known, and those of which nobody can say whether it has ended.
    employed: BTreeSet<i64>,
    perhaps_left: BTreeSet<i64>,
    /// Accounts that somebody owns.
    owned: BTreeSet<i64>,
    /// The last use of an account in a system.
    uses: BTreeMap<(i64, i64), Instant>,
    /// Jobs of a person; a job that is not known is absent.
    jobs: BTreeMap<i64, BTreeSet<Option<i64>>>,
    /// Roles in systems that a job may have.
    matrix: BTreeMap<i64, BTreeSet<(i64, String)>>,
    reviews: BTreeMap<(i64, i64), (Instant, String, Option<i64>)>,
}

impl Workspace {
    /// Everything that a campaign is opened with, frozen.
    pub(super) fn listed_for_review(&mut self, asked: &ReviewAsked) -> Result<Opened, Refused> {
        let position = self.position(None)?;
        let at = asked.listed_at;
        let mut reviewers = vec![];
        for (who, whom) in &asked.reviewers {
            reviewers.push((self.reviewer(who, at)?, whom.clone()));
        }
        if reviewers.is_empty() {
            return Err(unfit("nobody is named to review; name somebody with --reviewer"));
        }
        let mut systems: BTreeSet<i64> = BTreeSet::new();
        for name in &asked.systems {
            systems.extend(Asking::new(self, at, position).systems(name)?);
        }
        let of_whom = match (asked.kind, &asked.who) {
            (Kind::Exit, Some(who)) => Some(self.one_person(who, at)?),
            (Kind::Exit, None) => {
                return Err(unfit("nobody says whose access it is about; name them with --who"));
            }
            (_, Some(_)) => return Err(unfit("only an exit review is of one person; leave out --who")),
            (_, None) => None,
        };
        if systems.is_empty() && of_whom.is_none() {
            return Err(unfit("no system is named whose access is reviewed; name one with --system"));
        }
        let mut grants = self.grants_of(&systems, of_whom, at, position)?;
        let mut not_known = vec![];
        if of_whom.is_some() {
            systems.extend(grants.iter().map(|g| g.system));
        }
        let known_at = i64::try_from(position).unwrap_or(i64::MAX - 1);
        let (seen, _) = coverage(&mut self.records, known_at)?;
        for system in &systems {
            if let Err(why) = seen.seen(*system, "access_grant", at, Grade::Asserted) {
                let name = self.called(*system)?;
                not_known.push(format!("who else has access to {name}: {why}"));
            }
        }
        let dormant = self.days_of("unused_access", "days", 90, at)?.0;
        let known = self.known_of(&grants, at, position)?;
        let keys = self.keys_of_accounts(&grants, &known)?;
        let system_keys = self.keys_of(systems.iter().copied().map(Some))?;
        let looked = |system: i64, table: &str, from: Instant| {
            seen.seen_within(system, table, from, at, Grade::Asserted).is_ok()
        };
        let days_ago = Instant::from_ms(at.ms().saturating_sub(dormant.saturating_mul(DAY_MS)));
        let employment_known = looked(0, "employment", Instant::from_ms(at.ms() - 1));
        let owners_known = looked(0, "account_owner", Instant::from_ms(at.ms() - 1));
        let campaigns = self.campaigns(Some(position))?;
        // In the order in which people read it, which is the same whenever it is made.
        grants.sort_by_cached_key(|g| {
            let key = |id: i64| keys.get(&id).cloned();
            let person = known.people.get(&g.account).map(|(person, _)| *person);
            (
                system_keys.get(&g.system).cloned(),
                person.and_then(key),
                key(g.account),
                g.role.clone(),
                g.from,
                g.id,
            )
        });
        let grant_keys = self.keys_of(grants.iter().map(|g| Some(g.id)))?;
        let earlier = earlier(&campaigns);
        let mut holders: BTreeMap<(i64, Option<&str>), BTreeSet<i64>> = BTreeMap::new();
        let mut everybody: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
        // Of an exit review the list is one person's, and everybody else has access all the same.
        let all = match of_whom {
            Some(_) => self.grants_of(&systems, None, at, position)?,
            None => vec![],
        };
        for grant in if of_whom.is_some() { &all } else { &grants } {
            holders.entry((grant.system, grant.role.as_deref())).or_default().insert(grant.account);
            everybody.entry(grant.system).or_default().insert(grant.account);
        }
        let mut lines: Vec<Line> = vec![];
        let mut subjects: Vec<(i64, i64)> = vec![];
        let mut unchanged = 0;
        for grant in &grants {
            let (Some(account), Some(system)) = (keys.get(&grant.account), system_keys.get(&grant.system))
            else {
                continue;
            };
            let person = known.people.get(&grant.account).map(|(person, _)| *person);
            let kind = known.kinds.get(&grant.account).map(String::as_str);
            let role = grant.role.as_deref();
            // Everybody but the one whose line it is.
            let others = |of: &BTreeSet<i64>| u32::try_from(of.len().saturating_sub(1)).unwrap_or(u32::MAX);
            let line = Line {
                line: u32::try_from(lines.len() + 1).unwrap_or(u32::MAX),
                system: system.clone(),
                account: account.clone(),
                grant: grant_keys.get(&grant.id).cloned().unwrap_or_default(),
                person: person.and_then(|person| keys.get(&person).cloned()),
                kind: kind.map(str::to_owned),
                role: grant.role.clone(),
                privileged: grant.privileged,
                via: grant.via.clone(),
                since: grant.from,
                perhaps_ended: grant.to.is_none(),
                last_used: None,
                days_unused: None,
                left: None,
                same_role: role.and(holders.get(&(grant.system, role)).map(others)),
                others: everybody.get(&grant.system).map_or(0, others),
                previous: previous(grant, account, system, &known, &keys, &earlier),
                flags: BTreeSet::new(),
                not_known: vec![],
            };
            let last = known.uses.get(&(grant.account, grant.system)).copied().max(grant.last_used);
            let used = Use { last, all_known: looked(grant.system, "account_use", days_ago.min(grant.from)) };
            let belongs = belongs(&known, grant.account, person, kind, employment_known, owners_known);
            let line = judged(line, at, used, dormant, belongs, fits(&known, grant, person, kind));
            if asked.kind == Kind::Differential && is_unchanged(&line, &earlier) {
                unchanged += 1;
                continue;
            }
            subjects.push((grant.account, grant.system));
            lines.push(line);
        }
        if asked.kind == Kind::Differential {
            for system in system_keys.values() {
                if last_whole(&campaigns, system).is_none() {
                    return Err(unfit(format!(
                        "no whole review of {system} was completed here, so that there is nothing to compare with; open one of the \
                         kind snapshot"
                    )));
                }
            }
        }
        if lines.is_empty() {
            return Err(unfit(if unchanged > 0 {
                "nothing has changed since it was kept; there is nothing to review".to_owned()
            } else {
                "nobody is known to have that access, so that there is nothing to review; feed the table `access_grant`".to_owned()
            }));
        }
        let given = self.given(&lines, &subjects, &reviewers, &known, at, position)?;
        let systems = systems.iter().filter_map(|id| system_keys.get(id).cloned()).collect();
        Ok(Opened {
            kind: asked.kind,
            systems,
            listed_at: at,
            position,
            due_at: asked.due_at,
            lines,
            given,
            unchanged,
            not_known,
        })
    }

    /// Who gets each line.
    fn given(
        &mut self,
        lines: &[Line],
        subjects: &[(i64, i64)],
        reviewers: &[(Reviewer, Option<String>)],
        known: &Known,
        at: Instant,
        position: u64,
    ) -> Result<BTreeMap<u32, Given>, Refused> {
        let mut candidates = vec![];
        for (reviewer, whom) in reviewers {
            let account = self.account_id(&reviewer.account)?;
            let (Some(account), Some(person)) = (account, self.person_of(&reviewer.account, at)?) else {
                return Err(unfit(format!(
                    "nobody can say who {} is; name another reviewer",
                    reviewer.called
                )));
            };
            let whom = match whom {
                None => vec![Whom::Everybody],
                // A system before a person: an account may be called as the system is.
                Some(name) => match Asking::new(self, at, position).systems(name) {
                    Ok(systems) => systems.into_iter().map(Whom::System).collect(),
                    Err(_) => vec![Whom::Person(self.one_person(name, at)?)],
                },
            };
            let of = |whom| Candidate { called: reviewer.called.clone(), account, person, whom };
            candidates.extend(whom.into_iter().map(of).map(|candidate| (candidate, reviewer)));
        }
        let alike = self.alike_of(&candidates.iter().map(|(c, _)| c.person).collect())?;
        let named: Vec<&Reviewer> = candidates.iter().map(|(_, reviewer)| *reviewer).collect();
        let candidates: Vec<Candidate> = candidates.into_iter().map(|(candidate, _)| candidate).collect();
        let given = lines.iter().zip(subjects).map(|(line, (account, system))| {
            let subject = Subject {
                account: *account,
                person: known.people.get(account).map(|(person, _)| *person),
                kind: line.kind.as_deref(),
            };
            let given = match assigned(&subject, *system, &candidates, &alike) {
                Ok(at) => Given::To(named[at].clone()),
                Err(why) => Given::Nobody(why),
            };
            (line.line, given)
        });
        Ok(given.collect())
    }

    /// Somebody who reviews: a person whom an account tells, and no program.
    pub(super) fn reviewer(&mut self, who: &str, at: Instant) -> Result<Reviewer, Refused> {
        let position = self.position(None)?;
        let person = self.one_person(who, at)?;
        let accounts = self.accounts_called(who, position)?;
        let mut ask = Asking::new(self, at, position);
        let people = ask.people(&accounts)?;
        let kinds = ask.kinds(&accounts)?;
        let of_person = |id: &&i64| people.get(*id).is_some_and(|(p, _)| *p == person);
        // An account that is known to be a person's stands for them before one of which nothing is said.
        let human = |id: &&i64| kinds.get(*id).is_some_and(|kind| kind == "human");
        let account =
            accounts.iter().filter(of_person).find(human).or_else(|| accounts.iter().find(of_person));
        let Some(account) = account.copied() else {
            return Err(unfit(format!("nobody can say who `{who}` is; name SYSTEM:KEY")));
        };
        if let Some(kind) =
            kinds.get(&account).filter(|kind| matches!(kind.as_str(), "bot" | "service" | "shared"))
        {
            return Err(unfit(format!(
                "`{who}` is a {kind} account, and access is reviewed by a person; name one"
            )));
        }
        let (system, key) = self.account_parts(account)?;
        Ok(Reviewer { called: who.trim().to_owned(), account: AccountKey { system, key } })
    }

    /// The one person who is called so.
    fn one_person(&mut self, who: &str, at: Instant) -> Result<i64, Refused> {
        let who = who.trim();
        let position = self.position(None)?;
        let accounts = self.accounts_called(who, position)?;
        let people = Asking::new(self, at, position).people(&accounts)?;
        let people: BTreeSet<i64> = people.into_values().map(|(person, _)| person).collect();
        match people.len() {
            1 => Ok(people.first().copied().unwrap_or_default()),
            0 => Err(unfit(format!(
                "nobody can say whose account `{who}` is; tie it to somebody with `tickmark person merge`"
            ))),
            n => Err(unfit(format!("{n} people are called `{who}`; name one of them as SYSTEM:KEY"))),
        }
    }

    fn grants_of(
        &mut self,
        systems: &BTreeSet<i64>,
        person: Option<i64>,
        at: Instant,
        position: u64,
    ) -> Result<Vec<Grant>, AppError> {
        let mut wanted =
            vec!["g.valid_from <= $as_of AND (g.valid_to > $as_of OR g.valid_to IS NULL)".to_owned()];
        if !systems.is_empty() {
            wanted.push(format!("g.system IN ({})", listed(systems)));
        }
        if let Some(person) = person {
            let accounts = Asking::new(self, at, position).accounts_of_people(&BTreeSet::from([person]))?;
            wanted.push(format!("g.account IN ({})", listed(&accounts)));
        }
        let answer = Asking::new(self, at, position).ask(&format!(
            "SELECT g.id AS id, g.account AS account, g.system AS system, g.role AS role, g.privileged AS privileged, \
                    g.valid_from AS valid_from, g.valid_to AS valid_to, g.via AS via, g.last_used_at AS last_used_at \
               FROM access_grant_history g WHERE {}",
            wanted.join(" AND ")
        ))?;
        let grant = |row: &Vec<model::Value>| {
            Some(Grant {
                id: integer(row.first())?,
                account: integer(row.get(1))?,
                system: integer(row.get(2))?,
                role: text(row.get(3)),
                privileged: integer(row.get(4)).map(|n| n == 1),
                from: instant(row.get(5))?,
                to: instant(row.get(6)),
                via: text(row.get(7)),
                // A use that is said to come after the list is none of which it can know.
                last_used: instant(row.get(8)).filter(|used| *used <= at),
            })
        };
        Ok(answer.rows.iter().filter_map(grant).collect())
    }

    /// What is known of everybody on the list.
    fn known_of(&mut self, grants: &[Grant], at: Instant, position: u64) -> Result<Known, AppError> {
        let accounts: BTreeSet<i64> = grants.iter().map(|g| g.account).collect();
        if accounts.is_empty() {
            return Ok(Known::default());
        }
        let mut ask = Asking::new(self, at, position);
        let people = ask.people(&accounts)?;
        let kinds = ask.kinds(&accounts)?;
        let reviews = ask.reviews(&accounts)?;
        let persons: BTreeSet<i64> = people.values().map(|(person, _)| *person).collect();
        let left = ask.left(&persons)?;
        let mut known = Known { people, kinds, reviews, left, ..Known::default() };
        let of_accounts = listed(&accounts);
        let rows = ask
            .ask(&format!(
                "SELECT u.account AS account, u.system AS system, max(u.used_at) AS used_at FROM account_use u \
                  WHERE u.account IN ({of_accounts}) AND u.used_at <= $as_of GROUP BY u.account, u.system"
            ))?
            .rows;
        known.uses.extend(
            rows.iter().filter_map(|row| {
                Some(((integer(row.first())?, integer(row.get(1))?), instant(row.get(2))?))
            }),
        );
        let rows = ask
            .ask(&format!(
                "SELECT o.account AS account FROM account_owner_history o WHERE o.account IN ({of_accounts}) \
                    AND o.owner IS NOT NULL AND o.valid_from <= $as_of AND o.valid_to > $as_of"
            ))?
            .rows;
        known.owned.extend(rows.iter().filter_map(|row| integer(row.first())));
        let rows = ask
            .ask(
                "SELECT m.job AS job, m.system AS system, m.role AS role FROM role_matrix_history m \
                  WHERE m.valid_from <= $as_of AND (m.valid_to > $as_of OR m.valid_to IS NULL)",
            )?
            .rows;
        for row in &rows {
            if let (Some(job), Some(system), Some(role)) =
                (integer(row.first()), integer(row.get(1)), text(row.get(2)))
            {
                known.matrix.entry(job).or_default().insert((system, role));
            }
        }
        if persons.is_empty() {
            return Ok(known);
        }
        let of_persons = listed(&persons);
        let rows = ask
            .ask(&format!(
                "SELECT p.person AS person, max(CASE WHEN e.ended_at IS NULL THEN 1 ELSE 0 END) AS unsure, \
                        max(CASE WHEN e.ended_at > $as_of THEN 1 ELSE 0 END) AS works \
                   FROM account_person p JOIN employment e ON e.account = p.account \
                  WHERE p.person IN ({of_persons}) AND p.valid_from <= $as_of AND p.valid_to > $as_of \
                    AND (e.started_at <= $as_of OR e.started_at IS NULL) GROUP BY p.person"
            ))?
            .rows;
        for row in &rows {
            let Some(person) = integer(row.first()) else { continue };
            known.employed.insert(person);
            if integer(row.get(1)) == Some(1) && integer(row.get(2)) != Some(1) {
                known.perhaps_left.insert(person);
            }
        }
        let rows = ask
            .ask(&format!(
                "SELECT p.person AS person, j.job AS job FROM account_person p JOIN job_history j ON j.account = p.account \
                  WHERE p.person IN ({of_persons}) AND p.valid_from <= $as_of AND p.valid_to > $as_of \
                    AND j.valid_from <= $as_of AND (j.valid_to > $as_of OR j.valid_to IS NULL)"
            ))?
            .rows;
        for row in &rows {
            if let Some(person) = integer(row.first()) {
                known.jobs.entry(person).or_default().insert(integer(row.get(1)));
            }
        }
        Ok(known)
    }

    /// What accounts of the list, their persons and earlier reviewers are known by for good.
    fn keys_of_accounts(
        &mut self,
        grants: &[Grant],
        known: &Known,
    ) -> Result<BTreeMap<i64, AccountKey>, AppError> {
        let mut ids: BTreeSet<i64> = grants.iter().map(|g| g.account).collect();
        ids.extend(known.people.values().map(|(person, _)| *person));
        ids.extend(known.reviews.values().filter_map(|(.., by)| *by));
        let accounts = self.records.entities_of(&ids)?;
        let systems = self.keys_of(accounts.iter().map(|a| Some(a.scope)))?;
        let key = |a: store::records::Entity| {
            (a.id, AccountKey { system: systems.get(&a.scope).cloned().unwrap_or_default(), key: a.key })
        };
        Ok(accounts.into_iter().map(key).collect())
    }
}

/// Whether somebody who works here stands behind an account.
fn belongs(
    known: &Known,
    account: i64,
    person: Option<i64>,
    kind: Option<&str>,
    employment_known: bool,
    owners_known: bool,
) -> Belongs {
    if let Some("bot" | "service" | "shared" | "break_glass" | "guest") = kind {
        return match (known.owned.contains(&account), owners_known) {
            (true, _) => Belongs::Somebody,
            (false, true) => Belongs::Nobody,
            (false, false) => Belongs::NotKnown("who owns the account"),
        };
    }
    let Some(person) = person else { return Belongs::NotKnown("whose account it is") };
    if let Some(left) = known.left.get(&person) {
        return Belongs::Left(*left);
    }
    if known.perhaps_left.contains(&person) {
        return Belongs::NotKnown("whether the person still works here");
    }
    match (known.employed.contains(&person), employment_known) {
        (true, _) => Belongs::Somebody,
        (false, true) => Belongs::Nobody,
        (false, false) => Belongs::NotKnown("whether anybody who works here stands behind it"),
    }
}

/// Whether the person's job may have the role.
fn fits(known: &Known, grant: &Grant, person: Option<i64>, kind: Option<&str>) -> Fits {
    // What no person signs in with has no job.
    if let Some("bot" | "service" | "shared" | "break_glass") = kind {
        return Fits::Yes;
    }
    let Some(jobs) = person.and_then(|person| known.jobs.get(&person)) else {
        return Fits::NotKnown("as what the person works");
    };
    let Some(role) = &grant.role else { return Fits::NotKnown("as what the account is used") };
    let wanted = (grant.system, role.clone());
    let mut unsure = false;
    for job in jobs {
        match job.as_ref().and_then(|job| known.matrix.get(job)) {
            Some(roles) if roles.contains(&wanted) => return Fits::Yes,
            Some(_) => {}
            None => unsure = true,
        }
    }
    if unsure { Fits::NotKnown("which roles the person's job may have") } else { Fits::No }
}

/// Lines of earlier campaigns about an access: a role of an account in a system.
type Earlier<'c> = BTreeMap<(&'c str, &'c AccountKey, Option<&'c str>), Vec<(&'c Campaign, &'c Line)>>;

/// Every line by the access it is about, in the order of the campaigns.
fn earlier(campaigns: &[Campaign]) -> Earlier<'_> {
    let mut earlier = Earlier::new();
    for (campaign, line) in campaigns.iter().flat_map(|c| c.opened.lines.iter().map(move |line| (c, line))) {
        let access = (line.system.as_str(), &line.account, line.role.as_deref());
        earlier.entry(access).or_default().push((campaign, line));
    }
    earlier
}

/// What was decided last about the access: by what the records say, and by campaigns whose lists are not whole.
fn previous(
    grant: &Grant,
    account: &AccountKey,
    system: &str,
    known: &Known,
    keys: &BTreeMap<i64, AccountKey>,
    earlier: &Earlier<'_>,
) -> Option<Previous> {
    let recorded = known.reviews.get(&(grant.account, grant.system)).map(|(at, decision, by)| Previous {
        at: *at,
        decision: decision.clone(),
        by: by.and_then(|by| keys.get(&by).cloned()),
    });
    let here = earlier.get(&(system, account, grant.role.as_deref())).into_iter().flatten();
    let here = here.filter_map(|(campaign, line)| {
        let (decision, touched) = campaign.decided(line.line)?;
        let by = campaign.reviewer_of(line.line).map(|reviewer| reviewer.account.clone());
        Some(Previous { at: touched.at, decision: decision.word().to_owned(), by })
    });
    here.chain(recorded).max_by_key(|previous| previous.at)
}

/// The last whole review of a system that was completed here.
fn last_whole<'c>(campaigns: &'c [Campaign], system: &str) -> Option<&'c Campaign> {
    campaigns.iter().rev().find(|c| {
        c.opened.kind == Kind::Snapshot
            && c.completed.is_some()
            && c.opened.systems.iter().any(|s| s == system)
    })
}

/// Whether an access is what it was when it was last kept, with nothing to flag that was not flagged then.
fn is_unchanged(line: &Line, earlier: &Earlier<'_>) -> bool {
    let all = earlier.get(&(line.system.as_str(), &line.account, line.role.as_deref()));
    let completed = |(campaign, _): &&(&Campaign, &Line)| {
        campaign.completed.is_some() && campaign.opened.kind != Kind::Exit
    };
    all.and_then(|all| all.iter().rev().find(completed)).is_some_and(|(campaign, old)| {
        campaign.decided(old.line).is_some_and(|(decision, _)| decision == Decision::Keep)
            && old.person == line.person
            && old.kind == line.kind
            && old.privileged == line.privileged
            && line.flags.is_subset(&old.flags)
    })
}
