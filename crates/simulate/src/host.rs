//! The code host, as it would have answered at any instant of the year: GitHub's REST API (version 2022-11-28) in its own wire
//! format, with pages, links, entity tags, limits and refusals. It says what happened, and knows nothing of what is right.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::Instant;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::clock::{MINUTE, SECOND};
use crate::code::{Handle, RELEASER, faulty, handle, looks, members, whole};
use crate::company::{Check, Company, End, FaultKind, Method, Proposal, Work};

/// What the code host is called within the company.
pub const CALLED: &str = "hub";

/// GitHub's own hand, which commits what people do with its buttons.
const WEB_FLOW: u64 = 19_864_447;

/// How long it keeps who went around a rule.
const SUITES_KEPT: i64 = 28 * 24 * 60 * MINUTE;

/// The code host of a company.
#[derive(Clone, Debug)]
pub struct Host {
    company: Company,
    repositories: Vec<Hosted>,
}

#[derive(Clone, Debug)]
struct Hosted {
    place: usize,
    id: u64,
    owner: String,
    name: String,
    /// Proposals and issues, oldest first: their number is their place, from 1.
    numbered: Vec<Numbered>,
    /// Landings in the order in which they landed.
    landed: Vec<usize>,
    /// Which proposal a commit of the default branch came from.
    from: BTreeMap<String, usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Numbered {
    Issue(usize),
    Proposal(usize),
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers, names in lower case; the length of the body is not among them.
    pub headers: Vec<(String, String)>,
    /// Body: a JSON text, or nothing.
    pub body: String,
}

/// The code host of a company.
///
/// Whoever wants to collect it serves [`Host::answer`] over HTTP (`collect::Loopback` does on this machine), sets the clock of the one
/// who collects to one of [`Host::looks`] after the other, and lets the connector collect each of [`Host::repositories`] from the
/// server's address, known as [`CALLED`]: then its accounts and changes are those of [`crate::files()`]. The files are imported
/// first: a list of logins knows since when they are there, and the host does not.
#[must_use]
pub fn code_host(company: &Company) -> Host {
    let c = company;
    let mut repositories = vec![];
    for (place, repository) in c.repositories.iter().enumerate().filter(|(_, r)| r.hosted) {
        let mut numbered: Vec<(i64, Numbered)> = vec![];
        let of = |at: usize| at == place;
        numbered.extend(
            (0..c.issues.len())
                .filter(|i| of(c.issues[*i].repository))
                .map(|i| (c.issues[i].opened, Numbered::Issue(i))),
        );
        numbered.extend(
            (0..c.proposals.len())
                .filter(|p| of(c.proposals[*p].repository))
                .map(|p| (c.proposals[p].opened, Numbered::Proposal(p))),
        );
        numbered.sort_by_key(|(at, _)| *at);
        let mut landed: Vec<usize> =
            (0..c.landings.len()).filter(|l| of(c.landings[*l].repository)).collect();
        landed.sort_by_key(|l| whole(c.landings[*l].at));
        let mut from = BTreeMap::new();
        for (number, proposal) in c.proposals.iter().enumerate().filter(|(_, p)| of(p.repository)) {
            for commit in proposal.merged.iter().flat_map(|m| &m.commits) {
                from.insert(commit.clone(), number);
            }
        }
        let mut parts = repository.key.split('/').skip(1);
        let (owner, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        repositories.push(Hosted {
            place,
            id: 310_000 + place as u64,
            owner: owner.to_owned(),
            name: name.to_owned(),
            numbered: numbered.into_iter().map(|(_, n)| n).collect(),
            landed,
            from,
        });
    }
    Host { company: company.clone(), repositories }
}

impl Host {
    /// Owner and name of every repository that is collected, by the name under which it was configured.
    #[must_use]
    pub fn repositories(&self) -> Vec<(String, String)> {
        self.repositories.iter().map(|r| (r.owner.clone(), r.name.clone())).collect()
    }

    /// When the collector looked.
    #[must_use]
    pub fn looks(&self) -> Vec<Instant> {
        looks(&self.company).into_iter().map(|at| Instant::from_ms(whole(at))).collect()
    }

    /// Since when the company wants everything to be known.
    #[must_use]
    pub fn since(&self) -> Instant {
        Instant::from_ms(self.company.clock.kept_since)
    }

    /// What it answers at an instant to a method, a path with its parameters, and headers (names in lower case).
    #[must_use]
    pub fn answer(&self, method: &str, target: &str, headers: &[(String, String)], at: Instant) -> Answer {
        let question = Question { host: self, target, headers, now: at.ms() };
        let answered = match method {
            "GET" => question.answer(),
            _ => Err(Refusal::of(404, "Not Found")),
        };
        question.sealed(answered)
    }
}

/// What is answered with a 200, before it is cut into pages.
enum Said {
    One(Json),
    Many(Vec<Json>),
    /// The items of this member of an object that also counts them.
    Counted(&'static str, Vec<Json>),
    /// A list that is gone through by cursors instead of pages.
    Stream(Vec<Json>),
}

struct Refusal {
    status: u16,
    body: Json,
    location: Option<String>,
}

impl Refusal {
    fn of(status: u16, message: &str) -> Self {
        let documentation = "https://docs.github.com/rest";
        let body =
            json!({ "message": message, "documentation_url": documentation, "status": status.to_string() });
        Self { status, body, location: None }
    }
}

struct Question<'a> {
    host: &'a Host,
    target: &'a str,
    headers: &'a [(String, String)],
    now: i64,
}

type Answered = Result<Said, Refusal>;

impl Question<'_> {
    fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        let value = query.split('&').find_map(|p| p.split_once('=').filter(|(n, _)| *n == name))?.1;
        Some(decoded(value))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn answer(&self) -> Answered {
        let Some(token) = self.header("authorization") else {
            return Err(Refusal::of(401, "Requires authentication"));
        };
        if !token.to_lowercase().starts_with("bearer ") && !token.to_lowercase().starts_with("token ") {
            return Err(Refusal::of(401, "Bad credentials"));
        }
        let parts: Vec<String> = self.path().split('/').skip(1).map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match parts.as_slice() {
            ["repos", owner, name, rest @ ..] => {
                let same = |r: &&Hosted| r.owner == *owner && self.name(r, self.now) == *name;
                if let Some(hosted) = self.host.repositories.iter().find(same) {
                    return self.repository(hosted, rest);
                }
                // The name it had before leads to it for good.
                let before = |r: &&Hosted| r.owner == *owner && r.name == *name;
                let Some(hosted) = self.host.repositories.iter().find(before) else {
                    return Err(Refusal::of(404, "Not Found"));
                };
                let query = self.target.split_once('?').map(|(_, q)| format!("?{q}")).unwrap_or_default();
                let rest: String = rest.iter().map(|part| format!("/{}", encoded(part))).collect();
                let mut moved = Refusal::of(301, "Moved Permanently");
                moved.location = Some(format!("{}/repositories/{}{rest}{query}", self.origin(), hosted.id));
                Err(moved)
            }
            ["repositories", id, rest @ ..] => {
                let found = self.host.repositories.iter().find(|r| r.id.to_string() == *id);
                found.map_or_else(
                    || Err(Refusal::of(404, "Not Found")),
                    |hosted| self.repository(hosted, rest),
                )
            }
            ["orgs", owner, rest @ ..] if self.host.repositories.iter().any(|r| r.owner == *owner) => {
                self.organisation(rest)
            }
            ["user", "memberships", "orgs", owner] => Ok(Said::One(json!({
                "state": "active", "role": "member", "organization": { "login": owner, "id": 77 },
            }))),
            _ => Err(Refusal::of(404, "Not Found")),
        }
    }

    fn origin(&self) -> String {
        format!("http://{}", self.header("host").unwrap_or(CALLED))
    }

    fn name(&self, hosted: &Hosted, at: i64) -> String {
        match self.host.company.repositories[hosted.place].renamed {
            Some((since, name)) if since <= at => name.to_owned(),
            _ => hosted.name.clone(),
        }
    }

    fn repository(&self, hosted: &Hosted, rest: &[&str]) -> Answered {
        let repository = &self.host.company.repositories[hosted.place];
        if repository.deleted.is_some_and(|at| at <= self.now) {
            return Err(Refusal::of(404, "Not Found"));
        }
        Repository { question: self, hosted, c: &self.host.company, now: self.now }.answer(rest)
    }

    fn organisation(&self, rest: &[&str]) -> Answered {
        let c = &self.host.company;
        match rest {
            ["members"] if self.parameter("filter").as_deref() == Some("2fa_disabled") => {
                Err(Refusal::of(422, "Only owners can use this filter."))
            }
            ["members"] => {
                let role = self.parameter("role");
                let wanted = |owner: bool| match role.as_deref() {
                    Some("admin") => owner,
                    Some("member") => !owner,
                    _ => true,
                };
                let of = members(c, self.now).into_iter().filter(|(_, owner)| wanted(*owner));
                Ok(Said::Many(of.map(|(person, _)| user(&handle(c, person))).collect()))
            }
            ["outside_collaborators"] => Ok(Said::Many(vec![])),
            // Nothing of what it would show was done here: no rule was edited by hand.
            ["audit-log"] => Ok(Said::Stream(vec![])),
            _ => Err(Refusal::of(404, "Not Found")),
        }
    }

    /// The answer with its headers: the page that was asked for, what leads on from it, and what tells whether it has changed.
    fn sealed(&self, answered: Answered) -> Answer {
        let reset = self.now.div_euclid(SECOND) + 3_600;
        let mut headers = vec![
            ("date", http_date(self.now)),
            ("content-type", "application/json; charset=utf-8".to_owned()),
            ("x-github-media-type", "github.v3; format=json".to_owned()),
            ("x-github-api-version-selected", "2022-11-28".to_owned()),
            ("x-ratelimit-limit", "5000".to_owned()),
            ("x-ratelimit-remaining", "4999".to_owned()),
            ("x-ratelimit-used", "1".to_owned()),
            ("x-ratelimit-reset", reset.to_string()),
            ("x-ratelimit-resource", "core".to_owned()),
        ];
        let (mut status, mut body) = match answered {
            Ok(said) => {
                let (body, link) = self.page(said);
                headers.extend(link.map(|link| ("link", link)));
                (200, body)
            }
            Err(refusal) => {
                headers.extend(refusal.location.map(|to| ("location", to)));
                (refusal.status, refusal.body)
            }
        };
        let mut text = body.take().to_string();
        if status == 200 {
            let digest = Sha256::digest(text.as_bytes());
            let etag: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            let etag = format!("W/\"{etag}\"");
            if self.header("if-none-match") == Some(&etag) {
                (status, text) = (304, String::new());
            }
            headers.push(("etag", etag));
        }
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Answer { status, headers, body: text }
    }

    fn page(&self, said: Said) -> (Json, Option<String>) {
        let (items, member, by_cursor) = match said {
            Said::One(json) => return (json, None),
            Said::Many(items) => (items, None, false),
            Said::Counted(member, items) => (items, Some(member), false),
            Said::Stream(items) => (items, None, true),
        };
        let number = |name: &str| self.parameter(name).and_then(|n| n.parse::<usize>().ok());
        let size = number("per_page").unwrap_or(30).clamp(1, 100);
        let name = if by_cursor { "after" } else { "page" };
        let at = number(name).unwrap_or(usize::from(!by_cursor));
        let page = if by_cursor { at } else { at.saturating_sub(1) };
        let from = page.saturating_mul(size).min(items.len());
        let shown = items[from..(from + size).min(items.len())].to_vec();
        let last = items.len().div_ceil(size).max(1);
        let body = match member {
            None => Json::Array(shown),
            Some(member) => json!({ "total_count": items.len(), member: shown }),
        };
        let mut links = vec![];
        if page + 1 < last && !self.stuck() {
            let address = |place: usize| {
                let (path, query) = self.target.split_once('?').unwrap_or((self.target, ""));
                let kept = query.split('&').filter(|p| !p.is_empty() && p.split('=').next() != Some(name));
                let kept: String = kept.map(|p| format!("{p}&")).collect();
                let place = if by_cursor { place } else { place + 1 };
                format!("{}{path}?{kept}{name}={place}", self.origin())
            };
            links.push(format!("<{}>; rel=\"next\"", address(page + 1)));
            if !by_cursor {
                links.push(format!("<{}>; rel=\"last\"", address(last - 1)));
            }
        }
        (body, (!links.is_empty()).then(|| links.join(", ")))
    }

    /// Whether the host does not say that there is another page.
    fn stuck(&self) -> bool {
        let parts: Vec<&str> = self.path().split('/').collect();
        let hosted = self.host.repositories.iter().find(|r| parts.get(3).is_some_and(|name| r.name == *name));
        hosted.is_some_and(|r| faulty(&self.host.company, r.place, FaultKind::OnePage, self.now))
    }
}

/// A repository that is asked about.
struct Repository<'a> {
    question: &'a Question<'a>,
    hosted: &'a Hosted,
    c: &'a Company,
    now: i64,
}

impl Repository<'_> {
    fn answer(&self, rest: &[&str]) -> Answered {
        let missing = || Refusal::of(404, "Not Found");
        // What a token may not see does not exist for it, one by one; the list of it is only shorter.
        let blind = faulty(self.c, self.hosted.place, FaultKind::Blind, self.now);
        match rest {
            ["pulls", _, ..] | ["issues", _, "timeline"] if blind => Err(missing()),
            ["pulls"] if blind => Ok(Said::Many(vec![])),
            [] => Ok(Said::One(self.itself())),
            ["branches", "main"] => Ok(Said::One(json!({
                "name": "main", "commit": { "sha": self.tip() }, "protected": self.rule(self.now).is_some(),
            }))),
            ["branches", "main", "protection"] => Err(Refusal::of(404, "Branch not protected")),
            ["rulesets"] => {
                Ok(Said::Many(self.versions().last().map(|v| self.ruleset(v, false)).into_iter().collect()))
            }
            ["rulesets", "rule-suites"] => Ok(Said::Many(self.rule_suites())),
            ["rulesets", _] => {
                self.versions().last().map(|v| Said::One(self.ruleset(v, true))).ok_or_else(missing)
            }
            ["rulesets", _, "history"] => {
                let of = |v: &Version| json!({ "version_id": v.id, "actor": { "id": 1, "type": "User" }, "updated_at": iso(v.from) });
                Ok(Said::Many(self.versions().iter().rev().map(of).collect()))
            }
            ["rulesets", _, "history", id] => {
                let versions = self.versions();
                let version = versions.iter().find(|v| v.id.to_string() == *id).ok_or_else(missing)?;
                Ok(Said::One(json!({
                    "version_id": version.id, "actor": { "id": 1, "type": "User" }, "updated_at": iso(version.from),
                    "state": self.ruleset(version, true),
                })))
            }
            ["rules", "branches", "main"] => {
                let id = self.hosted.id * 10;
                let of = |mut rule: Json| {
                    rule["ruleset_id"] = json!(id);
                    rule["ruleset_source_type"] = json!("Repository");
                    rule["ruleset_source"] = json!(self.full_name());
                    rule
                };
                let rule = self.rule(self.now).map(rules).unwrap_or_default();
                Ok(Said::Many(rule.into_iter().map(of).collect()))
            }
            ["commits"] => Ok(Said::Many(self.commits())),
            ["commits", sha, "pulls"] => {
                let holds = |p: &&Proposal| {
                    let merged = p.merged.as_ref().filter(|m| m.at <= self.now);
                    merged.is_some_and(|m| m.commits.iter().any(|c| c == sha))
                        || p.works.iter().any(|w| w.commit == *sha)
                };
                let of = self.proposals().filter(|(_, p)| holds(p));
                Ok(Said::Many(of.map(|(number, p)| self.pull(number, p, false)).collect()))
            }
            ["commits", sha, "check-runs"] => Ok(Said::Counted("check_runs", self.checks(sha, false))),
            ["commits", sha, "statuses"] => Ok(Said::Many(self.checks(sha, true))),
            ["activity"] => {
                let branch = self.question.parameter("ref").unwrap_or_default();
                Ok(Said::Stream(self.activity(branch.strip_prefix("refs/heads/").unwrap_or(&branch))))
            }
            ["pulls"] => Ok(Said::Many(self.pulls())),
            ["pulls", number, rest @ ..] => {
                let (number, proposal) = self.proposal(number).ok_or_else(missing)?;
                match rest {
                    [] => Ok(Said::One(self.pull(number, proposal, true))),
                    ["reviews"] => Ok(Said::Many(self.reviews(number, proposal))),
                    ["commits"] => {
                        let works = self.seen(proposal);
                        let of = |(place, work): (usize, &Work)| self.side_commit(proposal, place, work);
                        Ok(Said::Many(works.into_iter().enumerate().map(of).collect()))
                    }
                    _ => Err(missing()),
                }
            }
            ["issues"] => Ok(Said::Many(self.issues())),
            ["issues", number, "timeline"] => {
                let (number, proposal) = self.proposal(number).ok_or_else(missing)?;
                Ok(Said::Many(self.timeline(number, proposal)))
            }
            ["deployments"] => Ok(Said::Many(vec![])),
            ["actions", "runs"] => Ok(Said::Counted("workflow_runs", self.runs())),
            ["collaborators"] => {
                let of = |(person, owner): (usize, bool)| {
                    let mut user = user(&handle(self.c, person));
                    user["permissions"] = json!({ "admin": owner, "maintain": owner, "push": true, "triage": true, "pull": true });
                    user["role_name"] = json!(if owner { "admin" } else { "write" });
                    user
                };
                Ok(Said::Many(members(self.c, self.now).into_iter().map(of).collect()))
            }
            _ => Err(missing()),
        }
    }

    fn full_name(&self) -> String {
        format!("{}/{}", self.hosted.owner, self.question.name(self.hosted, self.now))
    }

    fn itself(&self) -> Json {
        let open = self.hosted.numbered.iter().filter(|n| match n {
            Numbered::Issue(i) => {
                let issue = &self.c.issues[*i];
                issue.opened <= self.now && issue.closed.is_none_or(|at| at > self.now)
            }
            Numbered::Proposal(p) => {
                let proposal = &self.c.proposals[*p];
                proposal.opened <= self.now && self.ended(proposal).is_none()
            }
        });
        let full_name = self.full_name();
        json!({
            "id": self.hosted.id, "name": self.question.name(self.hosted, self.now), "full_name": full_name, "private": true,
            "owner": { "login": self.hosted.owner, "id": 77, "type": "Organization" },
            "html_url": format!("https://{CALLED}/{full_name}"), "default_branch": "main", "has_issues": true,
            "open_issues_count": open.count(), "created_at": iso(self.c.clock.kept_since), "archived": false,
        })
    }

    // What landed.

    /// The landings so far, oldest first.
    fn landed(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.hosted.landed.iter().copied().filter(|l| self.c.landings[*l].at <= self.now)
    }

    fn root(&self) -> String {
        commit_id(&format!("root of {}", self.hosted.id))
    }

    fn tip(&self) -> String {
        self.landed().next_back().map_or_else(|| self.root(), |l| self.c.landings[l].commit.clone())
    }

    /// What was the tip before a landing.
    fn before(&self, landing: usize) -> String {
        let place = self.hosted.landed.iter().position(|l| *l == landing);
        let before = place.and_then(|place| self.hosted.landed.get(place.checked_sub(1)?));
        before.map_or_else(|| self.root(), |l| self.c.landings[*l].commit.clone())
    }

    fn commits(&self) -> Vec<Json> {
        let mut all: Vec<(i64, Json)> = vec![];
        let first = handle(self.c, 0);
        let began = self.c.clock.kept_since;
        all.push((began, self.commit(&self.root(), (&first, began), (Some(&first), began), "begin\n", &[])));
        for landing in self.landed() {
            let (landed, before) = (&self.c.landings[landing], self.before(landing));
            let at = whole(landed.at);
            let Some(number) = self.hosted.from.get(&landed.commit) else {
                let who = handle(self.c, landed.author);
                let message = self.pushed(&landed.commit);
                all.push((
                    at,
                    self.commit(&landed.commit, (&who, at), (Some(&who), at), &message, &[before]),
                ));
                continue;
            };
            let proposal = &self.c.proposals[*number];
            let (Some(merge), Some(head)) = (&proposal.merged, proposal.works.last()) else { continue };
            let (author, by) = (handle(self.c, proposal.by), handle(self.c, merge.by));
            let number = self.number(*number);
            let title = format!("{} (#{number})", proposal.title);
            let json = match merge.how {
                Method::Squash => {
                    let message = format!("{title}\n\n{}", self.trailers(proposal));
                    self.commit(&landed.commit, (&author, at), (None, at), &message, &[before])
                }
                Method::Merge => {
                    let message = format!(
                        "Merge pull request #{number} from {}/{}\n\n{}",
                        self.hosted.owner, proposal.branch, proposal.title
                    );
                    let parents = [before, head.commit.clone()];
                    self.commit(&landed.commit, (&by, at), (None, at), &message, &parents)
                }
                Method::Rebase => {
                    let place = merge.commits.iter().position(|commit| *commit == landed.commit).unwrap_or(0);
                    let work = proposal.works.get(place).unwrap_or(head);
                    let message = self.message(proposal, work);
                    let author = handle(self.c, work.author);
                    self.commit(&landed.commit, (&author, work.at), (Some(&by), at), &message, &[before])
                }
            };
            all.push((at, json));
            if merge.how == Method::Merge {
                let side = proposal.works.iter().enumerate();
                all.extend(side.map(|(place, work)| (work.at, self.side_commit(proposal, place, work))));
            }
        }
        // Newest first; of one second the later landing.
        all.reverse();
        all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        all.into_iter().map(|(_, json)| json).collect()
    }

    /// What a commit says that nobody proposed.
    fn pushed(&self, commit: &str) -> String {
        let says = self.c.messages.get(commit).cloned().unwrap_or_else(|| "repair".to_owned());
        for (place, numbered) in self.hosted.numbered.iter().enumerate() {
            if let Numbered::Issue(issue) = numbered
                && says.contains(&format!("{{{issue}}}"))
            {
                return says.replace(&format!("{{{issue}}}"), &(place + 1).to_string());
            }
        }
        says
    }

    fn side_commit(&self, proposal: &Proposal, place: usize, work: &Work) -> Json {
        let author = handle(self.c, work.author);
        let committer = work.committer.map(|who| handle(self.c, who));
        let parent = match place.checked_sub(1).and_then(|place| proposal.works.get(place)) {
            Some(before) => before.commit.clone(),
            None => self.root(),
        };
        let message = self.message(proposal, work);
        self.commit(&work.commit, (&author, work.at), (committer.as_ref(), work.at), &message, &[parent])
    }

    fn message(&self, proposal: &Proposal, work: &Work) -> String {
        let mut message = format!("{}\n", proposal.title);
        for who in &work.co_authors {
            let them = handle(self.c, *who);
            message.push_str(&format!("\nCo-authored-by: {} <{}>", them.name, them.email));
        }
        message
    }

    /// The end of a squashed commit's message: everybody whose commits went into it.
    fn trailers(&self, proposal: &Proposal) -> String {
        let mut others: Vec<usize> =
            proposal.works.iter().flat_map(|w| [&[w.author], &w.co_authors[..]].concat()).collect();
        others.sort_unstable();
        others.dedup();
        others.retain(|who| *who != proposal.by);
        let line = |who: usize| {
            let them = handle(self.c, who);
            format!("Co-authored-by: {} <{}>\n", them.name, them.email)
        };
        others.into_iter().map(line).collect()
    }

    fn commit(
        &self,
        sha: &str,
        (author, authored): (&Handle, i64),
        (committer, committed): (Option<&Handle>, i64),
        message: &str,
        parents: &[String],
    ) -> Json {
        let named = |who: &Handle, at: i64| json!({ "name": who.name, "email": who.email, "date": iso(at) });
        let web = json!({ "name": "GitHub", "email": "noreply@github.com", "date": iso(committed) });
        let account = |who: &Handle| who.id.map_or(Json::Null, |_| user(who));
        let signature = committer.is_none().then_some("-----BEGIN PGP SIGNATURE-----");
        json!({
            "sha": sha,
            "commit": {
                "message": message, "author": named(author, authored),
                "committer": committer.map_or(web, |who| named(who, committed)),
                "verification": {
                    "verified": committer.is_none(), "reason": if committer.is_none() { "valid" } else { "unsigned" },
                    "signature": signature,
                },
            },
            "author": account(author),
            "committer": committer.map_or_else(|| json!({ "id": WEB_FLOW, "login": "web-flow", "type": "User" }), account),
            "parents": parents.iter().map(|sha| json!({ "sha": sha })).collect::<Vec<_>>(),
        })
    }

    fn activity(&self, branch: &str) -> Vec<Json> {
        let of = |id: usize, at: i64, kind: &str, who: &Handle, (before, after): (String, &str)| {
            json!({
                "id": id, "ref": format!("refs/heads/{branch}"), "timestamp": iso(at), "activity_type": kind,
                "before": before, "after": after, "actor": user(who),
            })
        };
        let mut all = vec![];
        if branch == "main" {
            for landing in self.landed() {
                let landed = &self.c.landings[landing];
                let merge =
                    self.hosted.from.get(&landed.commit).and_then(|p| self.c.proposals[*p].merged.as_ref());
                let (kind, who) = match merge {
                    Some(merge) => ("pr_merge", merge.by),
                    None => ("push", landed.author),
                };
                let who = handle(self.c, who);
                let moved = (self.before(landing), landed.commit.as_str());
                all.push((whole(landed.at), of(1_000_000 + landing, whole(landed.at), kind, &who, moved)));
            }
        }
        for (number, proposal) in self.proposals().filter(|(_, p)| p.branch == branch) {
            let mut before = self.root();
            for (place, work) in self.seen(proposal).into_iter().enumerate() {
                let kind = if place == 0 { "branch_creation" } else { "push" };
                let id = 2_000_000 + number * 1_000 + place;
                let at = work.at + MINUTE;
                all.push((at, of(id, at, kind, &handle(self.c, work.pusher), (before, &work.commit))));
                before = work.commit.clone();
            }
        }
        all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        all.into_iter().map(|(_, json)| json).collect()
    }

    // Proposals.

    fn proposals(&self) -> impl Iterator<Item = (usize, &Proposal)> + '_ {
        let of = |(place, numbered): (usize, &Numbered)| match numbered {
            Numbered::Proposal(p) => Some((place + 1, &self.c.proposals[*p])),
            Numbered::Issue(_) => None,
        };
        self.hosted.numbered.iter().enumerate().filter_map(of).filter(|(_, p)| p.opened <= self.now)
    }

    fn proposal(&self, number: &str) -> Option<(usize, &Proposal)> {
        let number: usize = number.parse().ok()?;
        self.proposals().find(|(n, _)| *n == number)
    }

    /// The number of a proposal.
    fn number(&self, proposal: usize) -> usize {
        let same = |n: &Numbered| *n == Numbered::Proposal(proposal);
        self.hosted.numbered.iter().position(same).map_or(0, |place| place + 1)
    }

    /// Its commits so far; one at least, with which it was opened.
    fn seen<'p>(&self, proposal: &'p Proposal) -> Vec<&'p Work> {
        let works = proposal.works.iter().enumerate();
        works.filter(|(place, work)| *place == 0 || work.at <= self.now).map(|(_, work)| work).collect()
    }

    fn ended(&self, proposal: &Proposal) -> Option<i64> {
        proposal.merged.as_ref().map(|m| m.at).or(proposal.closed).filter(|at| *at <= self.now)
    }

    /// When something last happened to it.
    fn updated(&self, proposal: &Proposal) -> i64 {
        let opinions = proposal.opinions.iter().flat_map(|o| [Some(o.at), o.dismissed.map(|(at, _)| at)]);
        let rewritten = proposal.rewritten.iter().map(|(at, ..)| Some(*at));
        let works = proposal.works.iter().map(|w| Some(w.at));
        let all = opinions.chain(rewritten).chain(works).chain([self.ended(proposal)]).flatten();
        all.filter(|at| *at <= self.now).chain([proposal.opened]).max().unwrap_or(proposal.opened)
    }

    fn pull(&self, number: usize, proposal: &Proposal, whole_of_it: bool) -> Json {
        let merge = proposal.merged.as_ref().filter(|m| m.at <= self.now);
        let ended = self.ended(proposal);
        let seen = self.seen(proposal);
        let head = seen.last().map(|work| work.commit.clone());
        let mut body = proposal.says.clone();
        if let Some(issue) = proposal.issue {
            let same = |n: &Numbered| *n == Numbered::Issue(issue);
            // A number beyond those that exist was typed wrong.
            let number =
                self.hosted.numbered.iter().position(same).map_or(99_000 + number, |place| place + 1);
            body = format!("Fixes #{number}\n\n{body}");
        }
        let body = body.replace("{own}", &number.to_string());
        let full_name = self.full_name();
        let at = json!({ "id": self.hosted.id, "full_name": full_name });
        let mut pull = json!({
            "id": self.hosted.id * 10_000 + number as u64, "number": number, "title": proposal.title, "body": body,
            "state": if ended.is_some() { "closed" } else { "open" }, "draft": false,
            "user": user(&handle(self.c, proposal.by)),
            "html_url": format!("https://{CALLED}/{full_name}/pull/{number}"),
            "created_at": iso(proposal.opened), "updated_at": iso(self.updated(proposal)),
            "closed_at": ended.map(iso), "merged_at": merge.map(|m| iso(m.at)),
            "merge_commit_sha": merge.and_then(|m| m.commits.last()),
            "head": { "ref": proposal.branch, "sha": head, "repo": at },
            "base": { "ref": "main", "sha": self.root(), "repo": at },
        });
        if whole_of_it {
            pull["merged"] = json!(merge.is_some());
            pull["merged_by"] = merge.map_or(Json::Null, |m| user(&handle(self.c, m.by)));
            pull["commits"] = json!(seen.len());
        }
        pull
    }

    fn pulls(&self) -> Vec<Json> {
        let mut all: Vec<(i64, usize, &Proposal)> =
            self.proposals().map(|(number, p)| (self.updated(p), number, p)).collect();
        all.sort_by_key(|(at, number, _)| std::cmp::Reverse((*at, *number)));
        all.into_iter().map(|(_, number, p)| self.pull(number, p, false)).collect()
    }

    fn reviews(&self, number: usize, proposal: &Proposal) -> Vec<Json> {
        let given = proposal.opinions.iter().enumerate().filter(|(_, o)| o.at <= self.now);
        let of = |(place, o): (usize, &crate::company::Opinion)| {
            let gone = o.dismissed.is_some_and(|(at, _)| at <= self.now);
            json!({
                "id": self.review(number, place), "user": user(&handle(self.c, o.by)), "body": "",
                "state": if gone { "DISMISSED" } else { o.word }, "commit_id": o.on, "submitted_at": iso(o.at),
            })
        };
        given.map(of).collect()
    }

    fn review(&self, number: usize, place: usize) -> u64 {
        (self.hosted.id * 10_000 + number as u64) * 100 + place as u64
    }

    fn timeline(&self, number: usize, proposal: &Proposal) -> Vec<Json> {
        let mut all: Vec<(i64, Json)> = vec![];
        let mut event = |at: i64, kind: &str, who: usize, more: Json| {
            let mut json = json!({
                "id": self.hosted.id * 1_000_000 + number as u64 * 100 + all.len() as u64, "event": kind,
                "actor": user(&handle(self.c, who)), "created_at": iso(at),
            });
            if let (Json::Object(json), Json::Object(more)) = (&mut json, more) {
                json.extend(more);
            }
            all.push((at, json));
        };
        for (place, opinion) in proposal.opinions.iter().enumerate() {
            let id = self.review(number, place);
            if let Some((at, by)) = opinion.dismissed {
                let was = json!({ "review_id": id, "state": opinion.word.to_lowercase(), "dismissal_message": "no longer fits" });
                event(at, "review_dismissed", by, json!({ "dismissed_review": was }));
            }
            event(opinion.at, "reviewed", opinion.by, json!({ "state": opinion.word.to_lowercase() }));
        }
        for (at, by, commit) in &proposal.rewritten {
            event(*at, "head_ref_force_pushed", *by, json!({ "commit_id": commit }));
        }
        if let Some(merge) = &proposal.merged {
            event(merge.at, "merged", merge.by, json!({ "commit_id": merge.commits.last() }));
        }
        all.retain(|(at, _)| *at <= self.now);
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, json)| json).collect()
    }

    fn checks(&self, sha: &str, old_kind: bool) -> Vec<Json> {
        let of_commit = |check: &&Check| {
            check.repository == self.hosted.place && check.commit == sha && check.status == old_kind
        };
        let all = self.c.checks.iter().enumerate().filter(|(_, check)| of_commit(check));
        let of = |(id, check): (usize, &Check)| {
            let ended = check.at <= self.now;
            // It takes three minutes.
            let begun = check.at - 3 * MINUTE;
            if begun > self.now {
                return None;
            }
            Some(if old_kind {
                let state = if ended { check.conclusion } else { "pending" };
                json!({ "id": id + 1, "context": check.name, "state": state, "created_at": iso(check.at.min(self.now)) })
            } else {
                json!({
                    "id": id + 1, "name": check.name, "head_sha": sha, "started_at": iso(begun),
                    "status": if ended { "completed" } else { "in_progress" },
                    "conclusion": ended.then_some(check.conclusion), "completed_at": ended.then(|| iso(check.at)),
                })
            })
        };
        let mut all: Vec<Json> = all.filter_map(of).collect();
        all.reverse();
        all
    }

    fn runs(&self) -> Vec<Json> {
        let window = self.question.parameter("created").unwrap_or_default();
        let (from, to) = window.split_once("..").unwrap_or_default();
        let instant = |text: &str| text.parse::<Instant>().map(Instant::ms);
        let (from, to) = (instant(from).unwrap_or(i64::MIN), instant(to).unwrap_or(i64::MAX));
        let of = |landing: usize| {
            let landed = &self.c.landings[landing];
            let (created, ended) = (whole(landed.at) + SECOND, whole(landed.at) + 9 * MINUTE);
            let over = ended <= self.now;
            (created <= self.now && from <= created && created <= to).then(|| {
                json!({
                    "id": 3_000_000 + landing, "name": "build", "head_sha": landed.commit, "head_branch": "main", "event": "push",
                    "status": if over { "completed" } else { "in_progress" }, "conclusion": over.then_some("success"),
                    "run_attempt": 1, "created_at": iso(created), "updated_at": iso(ended.min(self.now)),
                })
            })
        };
        self.landed().rev().filter_map(of).collect()
    }

    fn issues(&self) -> Vec<Json> {
        let since = self.question.parameter("since").and_then(|at| at.parse::<Instant>().ok());
        let mut all: Vec<(i64, usize, Json)> = vec![];
        for (place, numbered) in self.hosted.numbered.iter().enumerate() {
            let number = place + 1;
            let (opened, ended, updated, by, title) = match numbered {
                Numbered::Issue(i) => {
                    let issue = &self.c.issues[*i];
                    let ended = issue.closed.filter(|at| *at <= self.now);
                    (issue.opened, ended, ended.unwrap_or(issue.opened), issue.by, issue.title)
                }
                Numbered::Proposal(p) => {
                    let p = &self.c.proposals[*p];
                    (p.opened, self.ended(p), self.updated(p), p.by, p.title.as_str())
                }
            };
            if opened > self.now || since.is_some_and(|since| updated < since.ms()) {
                continue;
            }
            let full_name = self.full_name();
            let mut entry = json!({
                "id": self.hosted.id * 20_000 + number as u64, "number": number, "title": title, "user": user(&handle(self.c, by)),
                "state": if ended.is_some() { "closed" } else { "open" }, "html_url": format!("https://{CALLED}/{full_name}/issues/{number}"),
                "created_at": iso(opened), "updated_at": iso(updated), "closed_at": ended.map(iso),
            });
            if matches!(numbered, Numbered::Proposal(_)) {
                entry["pull_request"] =
                    json!({ "url": format!("https://{CALLED}/api/v3/repos/{full_name}/pulls/{number}") });
            }
            all.push((updated, number, entry));
        }
        all.sort_by_key(|(at, number, _)| (*at, *number));
        all.into_iter().map(|(.., entry)| entry).collect()
    }

    // Rules.

    /// Every version of the ruleset so far, as the company's own list of its rules has it.
    fn versions(&self) -> Vec<Version> {
        let rules = &self.c.repositories[self.hosted.place].rules;
        let of = |(id, (on, approvals, from, _)): (usize, &(Option<bool>, i64, i64, End))| Version {
            id: id + 1,
            on: *on == Some(true),
            approvals: *approvals,
            from: *from,
        };
        rules.iter().enumerate().map(of).filter(|v| v.from <= self.now).collect()
    }

    /// What the rule in force demands, if one is: so many approvals.
    fn rule(&self, at: i64) -> Option<i64> {
        let versions = self.versions();
        let last = versions.iter().rfind(|v| v.from <= at)?;
        last.on.then_some(last.approvals)
    }

    fn ruleset(&self, version: &Version, whole_of_it: bool) -> Json {
        let mut ruleset = json!({
            "id": self.hosted.id * 10, "name": "main", "target": "branch", "source_type": "Repository", "source": self.full_name(),
            "enforcement": if version.on { "active" } else { "disabled" },
            "created_at": iso(self.c.clock.kept_since), "updated_at": iso(version.from),
        });
        if whole_of_it {
            ruleset["conditions"] = json!({ "ref_name": { "include": ["~DEFAULT_BRANCH"], "exclude": [] } });
            ruleset["rules"] = Json::Array(rules(version.approvals));
            let robot = handle(self.c, RELEASER).id;
            ruleset["bypass_actors"] =
                json!([{ "actor_id": robot, "actor_type": "Integration", "bypass_mode": "always" }]);
        }
        ruleset
    }

    /// Who pushed past the rule, for as long as that is kept.
    fn rule_suites(&self) -> Vec<Json> {
        let of = |landing: usize| {
            let landed = &self.c.landings[landing];
            let at = whole(landed.at);
            if self.hosted.from.contains_key(&landed.commit)
                || at < self.now - SUITES_KEPT
                || self.rule(at).is_none()
            {
                return None;
            }
            let who = handle(self.c, landed.author);
            Some(json!({
                "id": suite(landing), "actor_id": who.id, "actor_name": who.login, "before_sha": self.before(landing),
                "after_sha": landed.commit, "ref": "refs/heads/main", "repository_id": self.hosted.id,
                "repository_name": self.question.name(self.hosted, self.now), "pushed_at": iso(at), "result": "bypass",
                "evaluation_result": "fail",
            }))
        };
        self.landed().rev().filter_map(of).collect()
    }
}

/// The number under which it is kept who pushed something past the rule.
pub(crate) const fn suite(landing: usize) -> usize {
    700_000 + landing
}

struct Version {
    id: usize,
    on: bool,
    approvals: i64,
    from: i64,
}

fn rules(approvals: i64) -> Vec<Json> {
    vec![
        json!({ "type": "deletion" }),
        json!({ "type": "non_fast_forward" }),
        json!({ "type": "pull_request", "parameters": {
            "required_approving_review_count": approvals, "dismiss_stale_reviews_on_push": false,
            "require_code_owner_review": false, "require_last_push_approval": false,
            "required_review_thread_resolution": false, "allowed_merge_methods": ["merge", "squash", "rebase"],
        } }),
        json!({ "type": "required_status_checks", "parameters": {
            "required_status_checks": [{ "context": "build" }], "strict_required_status_checks_policy": false,
        } }),
    ]
}

fn user(who: &Handle) -> Json {
    let kind = if who.robot { "Bot" } else { "User" };
    let mut user = Map::new();
    user.insert("login".to_owned(), json!(who.login));
    user.insert("id".to_owned(), json!(who.id));
    user.insert("type".to_owned(), json!(kind));
    user.insert("site_admin".to_owned(), json!(false));
    Json::Object(user)
}

/// An invented commit's id.
fn commit_id(of: &str) -> String {
    Sha256::digest(of.as_bytes()).iter().take(20).map(|byte| format!("{byte:02x}")).collect()
}

/// As GitHub writes instants: to the second.
fn iso(at: i64) -> String {
    Instant::from_ms(whole(at)).to_string()
}

fn http_date(at: i64) -> String {
    let at = Timestamp::from_millisecond(whole(at)).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn decoded(text: &str) -> String {
    let mut bytes = vec![];
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match (first, digits.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Shape, simulate};

    fn host(violations: usize) -> (Company, Host) {
        let company = simulate(&Shape { people: 20, violations, ..Shape::default() }).unwrap();
        let host = code_host(&company);
        (company, host)
    }

    fn ask(
        host: &Host,
        target: &str,
        at: Instant,
        more: &[(&str, &str)],
    ) -> (u16, Json, BTreeMap<String, String>) {
        let mut headers =
            vec![("authorization".to_owned(), "Bearer x".to_owned()), ("host".to_owned(), "h".to_owned())];
        headers.extend(more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        let answer = host.answer("GET", target, &headers, at);
        let body = serde_json::from_str(&answer.body).unwrap_or(Json::Null);
        (answer.status, body, answer.headers.into_iter().collect())
    }

    /// Every item of a list, over all its pages.
    fn all(host: &Host, target: &str, at: Instant) -> Vec<Json> {
        let (mut items, mut next) = (vec![], Some(target.to_owned()));
        while let Some(target) = next {
            let (status, body, headers) = ask(host, &target, at, &[]);
            assert_eq!(status, 200, "{target}");
            items.extend(body.as_array().unwrap().iter().cloned());
            let link = headers.get("link").filter(|link| link.contains("rel=\"next\""));
            next = link
                .map(|link| link[1..].split('>').next().unwrap().trim_start_matches("http://h").to_owned());
        }
        items
    }

    #[test]
    fn a_list_is_read_page_by_page_and_told_apart_by_its_tag() {
        let (company, host) = host(0);
        let at = company.cutoff();
        let whole: Vec<Json> = all(&host, "/repos/quillbrook/app-1/pulls?state=all&per_page=100", at);
        assert!(whole.len() > 60, "{}", whole.len());
        assert_eq!(all(&host, "/repos/quillbrook/app-1/pulls?state=all&per_page=7", at), whole);
        let activity = "/repos/quillbrook/app-1/activity?ref=refs%2Fheads%2Fmain&per_page=9";
        let landed = company.landings.iter().filter(|l| l.repository == 0).count();
        assert_eq!(all(&host, activity, at).len(), landed);
        let (status, _, headers) = ask(&host, "/repos/quillbrook/app-1", at, &[]);
        assert_eq!((status, headers["x-ratelimit-resource"].as_str()), (200, "core"));
        assert_eq!(headers["date"], "Sun, 01 Feb 2026 04:59:59 GMT");
        let (status, body, _) =
            ask(&host, "/repos/quillbrook/app-1", at, &[("if-none-match", &headers["etag"])]);
        assert_eq!((status, body), (304, Json::Null));
    }

    #[test]
    fn what_may_not_be_seen_is_refused_as_documented() {
        let (company, host) = host(1);
        let at = company.cutoff();
        let none = host.answer("GET", "/repos/quillbrook/app-1", &[], at);
        assert_eq!(none.status, 401);
        let says = |target: &str, at: Instant| {
            let (status, body, _) = ask(&host, target, at, &[]);
            (status, body["message"].as_str().unwrap_or_default().to_owned())
        };
        assert_eq!(says("/repos/quillbrook/nothing", at), (404, "Not Found".to_owned()));
        let protection = "/repos/quillbrook/app-1/branches/main/protection";
        assert_eq!(says(protection, at), (404, "Branch not protected".to_owned()));
        assert_eq!(says("/orgs/quillbrook/members?filter=2fa_disabled", at).0, 422);
        assert_eq!(host.answer("POST", "/repos/quillbrook/app-1", &[], at).status, 404);
        // Deleted, and renamed, in the course of the year.
        let before = Instant::from_ms(company.clock.from);
        assert_eq!(
            (says("/repos/quillbrook/old-1", before).0, says("/repos/quillbrook/old-1", at).0),
            (200, 404)
        );
        let (status, _, headers) = ask(&host, "/repos/quillbrook/billing-1/pulls?state=all", at, &[]);
        assert_eq!(status, 301);
        let to = headers["location"].strip_prefix("http://h").unwrap().to_owned();
        let (status, pulls, _) = ask(&host, &to, at, &[]);
        assert_eq!((status, pulls.as_array().unwrap().len()), (200, 3));
        assert_eq!(says("/repos/quillbrook/billing-1", before).0, 200);
    }

    #[test]
    fn nothing_is_known_before_it_happens() {
        let (company, host) = host(1);
        for proposal in company.proposals.iter().filter(|p| p.repository == 0) {
            let Some(merge) = &proposal.merged else { continue };
            let list = "/repos/quillbrook/app-1/pulls?state=all&per_page=100";
            let find = |at: i64| {
                let pulls = all(&host, list, Instant::from_ms(at));
                pulls.into_iter().find(|p| p["head"]["ref"] == proposal.branch.as_str())
            };
            assert_eq!(find(proposal.opened - 1), None);
            let open = find(merge.at - 1).unwrap();
            assert_eq!((&open["state"], &open["merged_at"]), (&json!("open"), &Json::Null));
            let merged = find(merge.at).unwrap();
            assert_eq!(merged["merge_commit_sha"], merge.commits.last().unwrap().as_str());
            let number = merged["number"].as_u64().unwrap();
            let reviews = format!("/repos/quillbrook/app-1/pulls/{number}/reviews");
            for opinion in &proposal.opinions {
                let given = |at: i64| all(&host, &reviews, Instant::from_ms(at)).len();
                assert!(given(opinion.at) > given((opinion.at - 1).max(proposal.opened)), "#{number}");
            }
        }
    }
}
