//! Reading facts out of captured answers: a pure function of one document.
//!
//! What GitHub itself recorded (a merge, a review, a check) has the grade `system`; what somebody typed into a commit
//! and GitHub only shows (an author it knows no account for, a co-author) has the grade `asserted`. A word that GitHub
//! did not use when this was written becomes `unknown` and never costs the rest of its page.

use std::collections::BTreeSet;

use collect::query_value;
use model::{Derived, DisplayFact, Document, Fact, FactValue, Grade, Instant, Key};
use serde_json::Value as Json;

use super::issues::is_pull;
use super::strength::{InForce, Strength, applies, strength};
use super::tickets::{self, Named};
use crate::git::Conventions;
use crate::git::message::tracker;

/// GitHub's own hand: it commits what people do with its buttons.
const WEB_FLOW: i64 = 19_864_447;

/// GitHub lists at most this many commits of a pull request.
const LISTED_COMMITS: u64 = 250;

/// Facts of one captured document of this connector; nothing for other documents.
#[must_use]
pub fn derive(document: &Document<'_>, conventions: &Conventions) -> Derived {
    let receipt = &document.receipt;
    let mut out = Derived::default();
    let context = &receipt.context;
    let (Some(repository), Some(system)) = (context["repository"].as_str(), context["system"].as_str())
    else {
        out.problems.push("the receipt names no repository".to_owned());
        return out;
    };
    let mut reader = Reader {
        repository,
        system,
        context,
        conventions,
        collected_at: receipt.collected_at,
        accounts: BTreeSet::new(),
        out,
    };
    // What the streams of a run say together stands in the last word of its first one.
    reader.coverage();
    // The last word of a stream has no body; a 304 says that what was read before still holds.
    if receipt.coverage.is_some() || receipt.status == Some(304) {
        return reader.out;
    }
    let good = matches!(receipt.status, Some(200..=299));
    if !good && receipt.stream != "rules" {
        return reader.out;
    }
    let body: Json = match serde_json::from_slice(document.body) {
        Ok(body) => body,
        Err(_) if !good => Json::Null,
        Err(error) => {
            reader.out.problems.push(format!("{}: the body is no JSON ({error})", receipt.request));
            return reader.out;
        }
    };
    match receipt.stream.as_str() {
        "repository" => reader.repository(&body),
        "branch_protection" => reader.branch(&body),
        "rules" => reader.rules(&body, good),
        "commits" => reader.commits(&body),
        "commit_pulls" => reader.commit_pulls(&body),
        "activity" => reader.activity(&body),
        "pulls" => reader.pulls(&body),
        "timeline" => reader.timeline(&body),
        "reviews" => reader.reviews(&body),
        "pull_commits" => reader.pull_commits(&body),
        "pushes" => reader.pushes(&body),
        "check_runs" => reader.check_runs(&body),
        "statuses" => reader.statuses(&body),
        "issues" => reader.issues(&body),
        "rule_suites" => reader.rule_suites(&body),
        "audit_log" => reader.audit_log(&body),
        // Statuses come newest first, and the newest page says how the deployment ended.
        "deployment_statuses" if query_value(&receipt.request, "page").is_none_or(|p| p == "1") => {
            reader.deployment(&body);
        }
        "deployment_reviews" => reader.deployment_reviews(&body),
        "workflow_runs" => reader.workflow_runs(&body),
        "members" | "outside_collaborators" => reader.members(&body),
        "collaborators" => {
            for user in items(&body) {
                reader.account(user);
            }
        }
        // Kept as bytes: no table reads them yet, or another stream's receipt carries what is needed.
        "rulesets" | "ruleset_history" | "deployments" | "deployment_statuses" | "members_without_2fa" => {}
        other => reader.out.problems.push(format!("the stream `{other}` is not one of GitHub's")),
    }
    reader.out
}

struct Reader<'a> {
    repository: &'a str,
    system: &'a str,
    context: &'a Json,
    conventions: &'a Conventions,
    collected_at: Instant,
    accounts: BTreeSet<Key>,
    out: Derived,
}

impl Reader<'_> {
    // Keys.

    fn repository_key(&self) -> Key {
        Key::new("repository", "", self.repository)
    }

    fn change_key(&self, sha: &str) -> Key {
        Key::new("change", self.repository, sha)
    }

    fn pull_key(&self, number: u64) -> Key {
        Key::new("pull_request", self.repository, number.to_string())
    }

    fn key(&self, kind: &'static str, key: String) -> Key {
        Key::new(kind, self.repository, key)
    }

    /// The pull request the document is about.
    fn pull(&mut self) -> Option<u64> {
        let number = self.context["pull"].as_u64();
        if number.is_none() {
            self.out.problems.push("the receipt names no pull request".to_owned());
        }
        number
    }

    // Facts.

    fn fact(
        &mut self,
        table: &'static str,
        about: Key,
        grade: Grade,
        values: Vec<(&'static str, FactValue)>,
    ) {
        self.out.facts.push(Fact { table, about, grade, values });
    }

    fn show(&mut self, about: &Key, field: &'static str, text: &Json) {
        if let Some(text) = text.as_str().filter(|t| !t.is_empty()) {
            self.out.display.push(DisplayFact { about: about.clone(), field, text: text.to_owned() });
        }
    }

    /// An account as GitHub names it in passing. `None` for a deleted one: nobody can be told from anybody.
    fn account(&mut self, user: &Json) -> Option<Key> {
        let id = user["id"].as_i64()?;
        let key = Key::new("account", self.system, id.to_string());
        if !self.accounts.insert(key.clone()) {
            return Some(key);
        }
        let login = user["login"].as_str().unwrap_or("");
        let kind = match user["type"].as_str() {
            Some("Bot") => "bot",
            _ if id == WEB_FLOW || self.names_bot(login) => "bot",
            Some("User") => "human",
            _ => "unknown",
        };
        self.impression(&key, self.system.to_owned(), kind, Grade::System);
        self.show(&key, "login", &user["login"]);
        Some(key)
    }

    /// A first impression of an account, unless it is a bot's: once a robot, always a robot.
    fn impression(&mut self, key: &Key, system: String, kind: &'static str, grade: Grade) {
        let fact = Fact {
            table: "account",
            about: key.clone(),
            grade,
            values: vec![
                ("system", system.into()),
                ("kind", kind.into()),
                ("valid_from", Instant::BEGINNING.into()),
                ("valid_to", Instant::FOREVER.into()),
            ],
        };
        if kind == "bot" { self.out.facts.push(fact) } else { self.out.tentative.push(fact) }
    }

    /// Whole words only: `abbot` is a person.
    fn names_bot(&self, name: &str) -> bool {
        name.to_lowercase().ends_with("[bot]")
            || name
                .split(|c: char| c.is_whitespace() || c == '-' || c == '_')
                .any(|word| self.conventions.bot_words.iter().any(|bot| bot.eq_ignore_ascii_case(word)))
    }

    /// Whoever a commit names in `role` (`author`, `committer`), and whether GitHub says so: it links an address to the
    /// account that has verified it. Else the address itself is the account, as git derives it.
    fn person(&mut self, item: &Json, role: &str) -> (Option<Key>, Grade) {
        let named = &item["commit"][role];
        if let Some(key) = self.account(&item[role]) {
            self.show(&key, "email", &named["email"]);
            self.show(&key, "name", &named["name"]);
            return (Some(key), Grade::System);
        }
        (
            self.address(named["name"].as_str().unwrap_or(""), named["email"].as_str().unwrap_or("")),
            Grade::Asserted,
        )
    }

    fn address(&mut self, name: &str, email: &str) -> Option<Key> {
        let email = email.trim().to_lowercase();
        if email.is_empty() {
            return None;
        }
        // `123+ann@users.noreply.github.com` names the account by its number.
        let host = self.system.split(':').next().unwrap_or(self.system);
        if let Some(local) = email.strip_suffix(&format!("@users.noreply.{host}"))
            && let Some((id, _)) = local.split_once('+')
            && !id.is_empty()
            && id.bytes().all(|b| b.is_ascii_digit())
        {
            return Some(Key::new("account", self.system, id));
        }
        let key = Key::new("account", "git", email.clone());
        if self.accounts.insert(key.clone()) {
            let local = email.split('@').next().unwrap_or("");
            let bot = self.names_bot(name)
                || local.ends_with("[bot]")
                || self.conventions.bot_emails.iter().any(|e| e.eq_ignore_ascii_case(&email));
            self.impression(&key, "git".to_owned(), if bot { "bot" } else { "human" }, Grade::Asserted);
            self.show(&key, "email", &email.into());
            self.show(&key, "name", &name.into());
        }
        Some(key)
    }

    fn contributor(
        &mut self,
        pull: u64,
        role: &'static str,
        who: Option<Key>,
        sha: Option<&str>,
        grade: Grade,
    ) {
        let name = who.as_ref().map_or("?", |w| w.key.as_str());
        let about = self.key("contributor", format!("#{pull} {role} {name} {}", sha.unwrap_or("-")));
        let pull = self.pull_key(pull);
        self.fact(
            "contributor",
            about,
            grade,
            vec![
                ("pull_request", pull.into()),
                ("account", who.into()),
                ("role", role.into()),
                ("revision", sha.map(revision).into()),
            ],
        );
    }

    fn came_from(&mut self, sha: &str, pull: u64) {
        let values =
            vec![("change", self.change_key(sha).into()), ("pull_request", self.pull_key(pull).into())];
        let about = self.key("change_pull_request", format!("{sha} #{pull}"));
        self.fact("change_pull_request", about, Grade::System, values);
    }

    fn tickets(&mut self, item: &str, column: &'static str, about: &Key, tickets: Vec<Named>) {
        for Named { ticket, basis } in tickets {
            let key = self.key("ticket_reference", format!("{item} {ticket}"));
            self.elsewhere(&ticket);
            self.fact(
                "ticket_reference",
                key,
                Grade::Asserted,
                vec![
                    (column, about.clone().into()),
                    ("ticket", Key::new("ticket", "", ticket).into()),
                    ("basis", basis.into()),
                ],
            );
        }
    }

    /// A ticket of another tracker, which no look at this repository shows: the name is all that is known of it until
    /// somebody looks there. One of this repository's own is either on its list or does not exist.
    fn elsewhere(&mut self, ticket: &str) {
        let own = ticket.rsplit_once('#').is_some_and(|(tracker, _)| tracker == self.tracker());
        if !own {
            self.out.tentative.push(Fact {
                table: "ticket",
                about: Key::new("ticket", "", ticket),
                grade: Grade::Asserted,
                values: vec![("label", ticket.into())],
            });
        }
    }

    /// What the repository's own tickets are named by, such as `acme/app`.
    fn tracker(&self) -> String {
        tracker(self.repository).to_lowercase()
    }

    // Streams, in the order of a run.

    fn repository(&mut self, body: &Json) {
        let key = self.repository_key();
        self.fact(
            "repository",
            key.clone(),
            Grade::System,
            vec![("label", self.repository.into()), ("default_branch", text(&self.context["branch"]).into())],
        );
        // Today's name, which after a renaming is not the one that was configured.
        self.show(&key, "name", &body["full_name"]);
        self.show(&key, "url", &body["html_url"]);
    }

    fn branch(&mut self, body: &Json) {
        if self.context["part"] == "protection" {
            return;
        }
        let tip = body["commit"]["sha"].as_str().map(revision);
        let values = vec![
            ("label", self.repository.into()),
            ("default_branch", text(&self.context["branch"]).into()),
            ("tip", tip.into()),
        ];
        self.fact("repository", self.repository_key(), Grade::System, values);
    }

    /// The protection of the branch: classic protection and rulesets together, as the receipt of the last page of rules
    /// carries them.
    fn rules(&mut self, body: &Json, good: bool) {
        let context = self.context;
        let Some(branch) = context["branch"].as_str() else { return };
        if context["last"] != true {
            return;
        }
        let earlier = items(&context["earlier"]);
        let rules: Option<Vec<InForce<'_>>> = good.then(|| {
            let all = earlier.iter().chain(items(body));
            all.map(|rule| InForce {
                rule,
                ruleset: rule["ruleset_id"].as_u64(),
                bypass_actors: items(&context["rulesets"])
                    .iter()
                    .find(|r| r["id"].is_u64() && r["id"] == rule["ruleset_id"])
                    .and_then(|r| r["bypass_actors"].as_array())
                    .map(Vec::len),
            })
            .collect()
        });
        let classic = (context["classic"]["known"] == true).then_some(&context["classic"]["body"]);
        let strength = strength(classic, rules.as_deref());
        for name in &strength.checks {
            // Until when nobody knows: the next look sees only the next instant.
            let values = vec![
                ("repository", self.repository_key().into()),
                ("name", name.as_str().into()),
                ("valid_from", self.collected_at.into()),
            ];
            let about = self.key("required_check", format!("{branch} {name}"));
            self.fact("required_check", about, Grade::System, values);
        }
        self.branch_rule(branch, &strength, self.collected_at, None);
        self.history(branch);
    }

    /// What the rulesets' own history shows: which of them was in force when. Nothing is known of classic protection in
    /// those days, so that a branch no ruleset guarded may have been guarded all the same.
    fn history(&mut self, branch: &str) {
        let histories = items(&self.context["history"]);
        let mut starts: BTreeSet<Instant> = BTreeSet::new();
        for version in histories.iter().flat_map(|h| items(&h["versions"])) {
            starts.extend(instant(&version["updated_at"]).filter(|at| *at < self.collected_at));
        }
        let Some(first) = starts.first().copied() else { return };
        self.branch_rule(branch, &Strength::default(), Instant::BEGINNING, Some(first));
        let ends: Vec<Instant> = starts.iter().skip(1).copied().chain([self.collected_at]).collect();
        for (from, to) in starts.into_iter().zip(ends) {
            let mut rules = vec![];
            for history in histories {
                let in_force = items(&history["versions"])
                    .iter()
                    .filter_map(|v| Some((instant(&v["updated_at"])?, &v["state"])))
                    .filter(|(at, _)| *at <= from)
                    .max_by_key(|(at, _)| *at);
                let Some((_, state)) = in_force else { continue };
                if state["enforcement"] != "active"
                    || state["target"] != "branch"
                    || !applies(state, branch, self.context)
                {
                    continue;
                }
                let (ruleset, bypass_actors) =
                    (history["id"].as_u64(), state["bypass_actors"].as_array().map(Vec::len));
                rules.extend(items(&state["rules"]).iter().map(|rule| InForce {
                    rule,
                    ruleset,
                    bypass_actors,
                }));
            }
            self.branch_rule(branch, &strength(None, Some(&rules)), from, Some(to));
        }
    }

    fn branch_rule(&mut self, branch: &str, strength: &Strength, from: Instant, to: Option<Instant>) {
        let values = vec![
            ("repository", self.repository_key().into()),
            ("branch", branch.into()),
            ("protected", strength.protected.into()),
            ("approvals_required", strength.approvals.into()),
            ("dismisses_stale", strength.dismisses.into()),
            ("binds_admins", strength.binds_admins.into()),
            ("allows_force_push", strength.blocks_force.map(|blocked| !blocked).into()),
            ("checks_required", strength.checks_required.into()),
            ("bypass_actors", strength.bypass_actors.into()),
            ("valid_from", from.into()),
            ("valid_to", to.into()),
        ];
        let about = self.key("branch_rule", branch.to_owned());
        self.fact("branch_rule", about, Grade::System, values);
    }

    fn commits(&mut self, body: &Json) {
        for item in items(body) {
            let Some(sha) = item["sha"].as_str() else {
                self.out.problems.push("a commit on the list has no id".to_owned());
                continue;
            };
            // The list holds side commits too; the receipt says which ones landed, and after what.
            let Some(landed_after) = instant(&self.context["landed"][sha]) else { continue };
            let (author, _) = self.person(item, "author");
            let (committer, _) = self.person(item, "committer");
            let commit = &item["commit"];
            let change = self.change_key(sha);
            let signed = !commit["verification"]["signature"].is_null();
            self.fact(
                "change",
                change.clone(),
                Grade::System,
                vec![
                    ("repository", self.repository_key().into()),
                    ("revision", revision(sha).into()),
                    ("label", sha.into()),
                    ("merged_at", instant(&commit["committer"]["date"]).unwrap_or(landed_after).into()),
                    ("landed_after", landed_after.into()),
                    ("authored_at", instant(&commit["author"]["date"]).into()),
                    ("author", author.into()),
                    ("committer", committer.into()),
                    ("parents", i64::try_from(items(&item["parents"]).len()).unwrap_or(i64::MAX).into()),
                    ("signed", signed.into()),
                ],
            );
            let message = commit["message"].as_str().unwrap_or("");
            self.show(&change, "title", &message.lines().next().unwrap_or("").trim().into());
            let named = tickets::of_message(self.repository, message, self.conventions);
            self.tickets(sha, "change", &change, named);
        }
    }

    /// Which pull request a change came from. None that was merged into this branch means that it was pushed.
    fn commit_pulls(&mut self, body: &Json) {
        let context = self.context;
        let (Some(sha), true) = (context["change"].as_str(), body.is_array()) else {
            self.out.problems.push("the answer or its receipt names no change".to_owned());
            return;
        };
        let committer = match (context["committer"]["id"].as_i64(), context["committer"]["email"].as_str()) {
            (Some(WEB_FLOW), _) => None,
            (Some(id), _) => Some(Key::new("account", self.system, id.to_string())),
            (None, Some(email))
                if !self.conventions.bot_emails.iter().any(|e| e.eq_ignore_ascii_case(email)) =>
            {
                self.address("", email)
            }
            _ => None,
        };
        let mut explained = false;
        for pull in items(body) {
            let Some(number) = pull["number"].as_u64() else { continue };
            // An open or closed pull request that happens to hold the commit is not what landed it, and neither is one
            // that was merged elsewhere.
            if !pull["merged_at"].is_string() || pull["base"]["ref"] != context["branch"] {
                continue;
            }
            explained = true;
            self.came_from(sha, number);
            if let Some(committer) = committer.clone() {
                self.contributor(number, "lander", Some(committer), Some(sha), Grade::Asserted);
            }
        }
        if explained {
            return;
        }
        // A page of a longer list cannot say none.
        if items(body).len() >= 100 {
            self.out.problems.push(format!("change {sha} is in more pull requests than one page names"));
            return;
        }
        let at = instant(&context["committed_at"]).unwrap_or(self.collected_at);
        let values = vec![
            ("repository", self.repository_key().into()),
            ("label", sha.into()),
            ("change", self.change_key(sha).into()),
            ("kind", "direct_push".into()),
            ("bypassed_at", at.into()),
            ("bypassed_by", committer.into()),
        ];
        let about = self.key("bypass", format!("{sha} direct_push"));
        self.fact("bypass", about, Grade::System, values);
    }

    fn activity(&mut self, body: &Json) {
        let branch = format!("refs/heads/{}", self.context["branch"].as_str().unwrap_or(""));
        for event in items(body) {
            // Documentation and schema disagree on three names.
            let rewritten = event["activity_type"] == "force_push" || event["push_type"] == "force";
            if !rewritten || event["ref"] != branch.as_str() {
                continue;
            }
            let at = instant(&event["timestamp"]).or_else(|| instant(&event["pushed_at"]));
            let (Some(id), Some(at)) = (event["id"].as_u64(), at) else {
                self.out.problems.push("a rewritten history has no date".to_owned());
                continue;
            };
            let who = self.account(&event["actor"]).or_else(|| self.account(&event["pusher"]));
            let values = vec![
                ("repository", self.repository_key().into()),
                ("label", event["after"].as_str().unwrap_or("force push").into()),
                ("kind", "force_push".into()),
                ("bypassed_at", at.into()),
                ("bypassed_by", who.into()),
            ];
            let about = self.key("bypass", format!("activity {id}"));
            self.fact("bypass", about, Grade::System, values);
        }
    }

    fn pulls(&mut self, body: &Json) {
        if self.context["list"] == true {
            for pull in items(body) {
                // A merged one is read by itself: the list does not say who merged it.
                if !pull["merged_at"].is_string() {
                    self.pull_request(pull);
                }
            }
        } else {
            self.pull_request(body);
        }
    }

    fn pull_request(&mut self, pull: &Json) {
        let Some(number) = pull["number"].as_u64() else {
            self.out.problems.push("a pull request has no number".to_owned());
            return;
        };
        let key = self.pull_key(number);
        let merged_at = instant(&pull["merged_at"]);
        let status = match (merged_at, pull["state"].as_str()) {
            (Some(_), _) => "merged",
            (None, Some("open")) => "open",
            (None, Some("closed")) => "closed",
            _ => "unknown",
        };
        let author = self.account(&pull["user"]);
        let merged_by = self.account(&pull["merged_by"]);
        let head = pull["head"]["sha"].as_str();
        self.fact(
            "pull_request",
            key.clone(),
            Grade::System,
            vec![
                ("repository", self.repository_key().into()),
                ("label", format!("#{number}").into()),
                ("number", i64::try_from(number).ok().into()),
                ("status", status.into()),
                ("author", author.clone().into()),
                ("head", head.map(revision).into()),
                ("opened_at", instant(&pull["created_at"]).into()),
                ("merged_at", merged_at.into()),
                ("merged_by", merged_by.into()),
            ],
        );
        self.show(&key, "title", &pull["title"]);
        self.show(&key, "url", &pull["html_url"]);
        self.contributor(number, "author", author, None, Grade::System);
        // Only of a merged one: of an open one the field names a trial merge that never lands.
        if merged_at.is_some()
            && pull["base"]["ref"] == self.context["branch"]
            && let Some(sha) = pull["merge_commit_sha"].as_str()
        {
            self.came_from(sha, number);
        }
        let texts = (
            pull["head"]["ref"].as_str().unwrap_or(""),
            pull["title"].as_str().unwrap_or(""),
            pull["body"].as_str().unwrap_or(""),
        );
        let named = tickets::of_pull(self.repository, texts, self.conventions);
        self.tickets(&format!("#{number}"), "pull_request", &key, named);
    }

    fn timeline(&mut self, body: &Json) {
        let Some(pull) = self.pull() else { return };
        for event in items(body) {
            // Whoever rewrites the head has the code in their hands.
            if event["event"] == "head_ref_force_pushed" {
                let who = self.account(&event["actor"]);
                self.contributor(pull, "pusher", who, event["commit_id"].as_str(), Grade::System);
            }
        }
    }

    fn reviews(&mut self, body: &Json) {
        let Some(pull) = self.pull() else { return };
        for review in items(body) {
            let Some(id) = review["id"].as_u64() else {
                self.out.problems.push(format!("a review of pull request {pull} has no id"));
                continue;
            };
            let state = review["state"].as_str().unwrap_or("").to_uppercase();
            let (status, dismissed_at) = match state.as_str() {
                // Not submitted yet: nobody but its author sees it.
                "PENDING" => continue,
                "DISMISSED" => self.dismissed(pull, id),
                word => match opinion(word) {
                    Some(status) => (status, Some(Instant::FOREVER)),
                    None => {
                        self.out
                            .problems
                            .push(format!("review {id} of pull request {pull} has the state `{state}`"));
                        continue;
                    }
                },
            };
            let approver = self.account(&review["user"]);
            let values = vec![
                ("pull_request", self.pull_key(pull).into()),
                ("approver", approver.into()),
                ("status", status.into()),
                ("revision", review["commit_id"].as_str().map(revision).into()),
                ("approved_at", instant(&review["submitted_at"]).into()),
                ("dismissed_at", dismissed_at.into()),
            ];
            let about = self.key("approval", format!("#{pull} {id}"));
            self.fact("approval", about, Grade::System, values);
        }
    }

    /// What a dismissed review was, and until when: the review itself says neither, only the timeline does.
    fn dismissed(&mut self, pull: u64, id: u64) -> (&'static str, Option<Instant>) {
        let event = items(&self.context["dismissals"])
            .iter()
            .rev()
            .find(|e| e["dismissed_review"]["review_id"].as_u64() == Some(id));
        let was = event.and_then(|e| opinion(&e["dismissed_review"]["state"].as_str()?.to_uppercase()));
        let at = event.and_then(|e| instant(&e["created_at"]));
        match was {
            Some(status) => (status, at),
            // It must not go on counting as what an earlier look may have seen, and it may have been an approval that stood
            // when the change landed.
            None => {
                self.out.problems.push(format!(
                    "review {id} of pull request {pull} was dismissed, and the timeline does not say what it had been"
                ));
                ("unknown", None)
            }
        }
    }

    fn pull_commits(&mut self, body: &Json) {
        let Some(pull) = self.pull() else { return };
        if self.context["commits"].as_u64().is_some_and(|n| n > LISTED_COMMITS) {
            // Nobody can be proven independent of commits that were not shown.
            self.contributor(pull, "author", None, None, Grade::System);
            self.out.problems.push(format!("pull request {pull} has more commits than GitHub lists"));
        }
        for item in items(body) {
            let Some(sha) = item["sha"].as_str() else {
                self.out.problems.push(format!("a commit of pull request {pull} has no id"));
                continue;
            };
            let (author, grade) = self.person(item, "author");
            self.contributor(pull, "author", author.clone(), Some(sha), grade);
            let own_hand = item["committer"]["id"] == WEB_FLOW
                || item["commit"]["committer"]["email"].as_str().is_some_and(|email| {
                    item["committer"]["id"].is_null()
                        && self.conventions.bot_emails.iter().any(|e| e.eq_ignore_ascii_case(email))
                });
            if !own_hand {
                let (committer, grade) = self.person(item, "committer");
                if committer != author {
                    self.contributor(pull, "committer", committer, Some(sha), grade);
                }
            }
            for (name, email) in
                co_authors(item["commit"]["message"].as_str().unwrap_or(""), self.conventions)
            {
                let who = self.address(name, email);
                self.contributor(pull, "co_author", who, Some(sha), Grade::Asserted);
            }
        }
    }

    /// Whoever pushed a revision of the pull request to its branch.
    fn pushes(&mut self, body: &Json) {
        let Some(pull) = self.pull() else { return };
        let revisions = items(&self.context["revisions"]);
        for event in items(body) {
            // A branch's name may have been used before, for something else.
            if !revisions.contains(&event["after"]) || !event["after"].is_string() {
                continue;
            }
            let who = self.account(&event["actor"]).or_else(|| self.account(&event["pusher"]));
            self.contributor(pull, "pusher", who, event["after"].as_str(), Grade::System);
        }
    }

    fn check_runs(&mut self, body: &Json) {
        for run in items(&body["check_runs"]) {
            let Some(id) = run["id"].as_u64() else {
                self.out.problems.push("a check run has no id".to_owned());
                continue;
            };
            let ended = run["status"] == "completed";
            let conclusion = match run["conclusion"].as_str() {
                _ if !ended => "pending",
                Some(
                    word @ ("success" | "failure" | "neutral" | "skipped" | "cancelled" | "timed_out"
                    | "action_required" | "stale"),
                ) => known(word),
                Some("startup_failure") => "failure",
                _ => "unknown",
            };
            let sha = run["head_sha"].as_str().or_else(|| self.context["revision"].as_str());
            let completed_at = instant(&run["completed_at"]).filter(|_| ended);
            let about = self.key("check_run", format!("check {id}"));
            self.check(about, sha.map(str::to_owned), &run["name"], conclusion, completed_at);
        }
    }

    fn statuses(&mut self, body: &Json) {
        for status in items(body) {
            let Some(id) = status["id"].as_u64() else {
                self.out.problems.push("a commit status has no id".to_owned());
                continue;
            };
            let conclusion = match status["state"].as_str() {
                Some(word @ ("success" | "failure" | "error" | "pending")) => known(word),
                _ => "unknown",
            };
            let sha = self.context["revision"].as_str().map(str::to_owned);
            let at = instant(&status["created_at"]).filter(|_| conclusion != "pending");
            let about = self.key("check_run", format!("status {id}"));
            self.check(about, sha, &status["context"], conclusion, at);
        }
    }

    fn check(
        &mut self,
        about: Key,
        sha: Option<String>,
        name: &Json,
        conclusion: &'static str,
        at: Option<Instant>,
    ) {
        let values = vec![
            ("revision", sha.as_deref().map(revision).into()),
            ("name", name.as_str().unwrap_or("?").into()),
            ("conclusion", conclusion.into()),
            ("completed_at", at.into()),
        ];
        self.fact("check_run", about, Grade::System, values);
    }

    fn issues(&mut self, body: &Json) {
        for issue in items(body) {
            // Pull requests stand on the same list and are no tickets.
            if is_pull(issue) {
                continue;
            }
            let Some(number) = issue["number"].as_u64() else {
                self.out.problems.push("an issue has no number".to_owned());
                continue;
            };
            let label = format!("{}#{number}", self.tracker());
            let key = Key::new("ticket", "", label.as_str());
            let values = vec![
                ("label", label.into()),
                ("created_at", instant(&issue["created_at"]).into()),
                ("closed_at", instant(&issue["closed_at"]).into()),
            ];
            self.fact("ticket", key.clone(), Grade::System, values);
            self.show(&key, "title", &issue["title"]);
            self.show(&key, "url", &issue["html_url"]);
        }
    }

    fn rule_suites(&mut self, body: &Json) {
        let branch = format!("refs/heads/{}", self.context["branch"].as_str().unwrap_or(""));
        for suite in items(body) {
            if suite["result"] != "bypass" {
                continue;
            }
            let (Some(id), Some(at)) = (suite["id"].as_u64(), instant(&suite["pushed_at"])) else {
                self.out.problems.push("a bypass has no id or no date".to_owned());
                continue;
            };
            let change = suite["after_sha"].as_str().filter(|_| suite["ref"] == branch.as_str());
            let who = suite["actor_id"].as_i64().map(|id| Key::new("account", self.system, id.to_string()));
            if let Some(who) = &who {
                self.show(who, "login", &suite["actor_name"]);
            }
            let values = vec![
                ("repository", self.repository_key().into()),
                ("label", suite["after_sha"].as_str().unwrap_or("rule suite").into()),
                ("change", change.map(|sha| self.change_key(sha)).into()),
                ("kind", "override".into()),
                ("bypassed_at", at.into()),
                ("bypassed_by", who.into()),
            ];
            let about = self.key("bypass", format!("rule suite {id}"));
            self.fact("bypass", about, Grade::System, values);
        }
    }

    fn audit_log(&mut self, body: &Json) {
        for event in items(body) {
            let action = event["action"].as_str().unwrap_or("");
            let kind = match action {
                "protected_branch.policy_override" => "override",
                "protected_branch.destroy" | "repository_ruleset.destroy" => "rule_off",
                "repository_ruleset.update" => "rule_edit",
                _ if action.starts_with("protected_branch.update") => "rule_edit",
                _ => continue,
            };
            // Milliseconds, unlike everywhere else.
            let at =
                event["@timestamp"].as_i64().or_else(|| event["created_at"].as_i64()).map(Instant::from_ms);
            let (Some(id), Some(at)) = (event["_document_id"].as_str(), at) else {
                self.out.problems.push(format!("an event `{action}` of the audit log has no id or no date"));
                continue;
            };
            let who = event["actor_id"].as_i64().map(|id| Key::new("account", self.system, id.to_string()));
            if let Some(who) = &who {
                self.show(who, "login", &event["actor"]);
            }
            let values = vec![
                ("repository", self.repository_key().into()),
                ("label", action.into()),
                ("kind", kind.into()),
                ("bypassed_at", at.into()),
                ("bypassed_by", who.into()),
            ];
            let about = self.key("bypass", format!("audit log {id}"));
            self.fact("bypass", about, Grade::System, values);
        }
    }

    fn deployment(&mut self, body: &Json) {
        let deployment = &self.context["deployment"];
        let (Some(id), Some(at)) = (deployment["id"].as_u64(), instant(&deployment["created_at"])) else {
            self.out.problems.push("a deployment has no id or no date".to_owned());
            return;
        };
        // Newest first. `inactive` only says that a later deployment took its place, not how this one ended.
        let state = |s: &Json| s["state"].as_str().unwrap_or("").to_owned();
        let ended = items(body).iter().map(state).find(|s| s != "inactive");
        let status = match ended.as_deref() {
            Some("success") => "success",
            Some("failure" | "error") => "failure",
            Some("queued" | "pending" | "in_progress" | "waiting") => "pending",
            Some(_) => "unknown",
            None if items(body).is_empty() => "pending",
            None => "inactive",
        };
        let creator = self.account(&deployment["creator"]);
        let values = vec![
            ("repository", self.repository_key().into()),
            ("label", format!("{id}").into()),
            ("environment", deployment["environment"].as_str().unwrap_or("?").into()),
            ("production", deployment["production_environment"].as_bool().into()),
            ("revision", deployment["sha"].as_str().map(revision).into()),
            ("deployed_at", at.into()),
            ("deployed_by", creator.into()),
            ("status", status.into()),
        ];
        let about = self.key("deployment", id.to_string());
        self.fact("deployment", about, Grade::System, values);
    }

    /// Who let a deployment pass. The answer gives no date.
    fn deployment_reviews(&mut self, body: &Json) {
        let deployment = &self.context["deployment"];
        let Some(id) = deployment["id"].as_u64() else {
            self.out.problems.push("the receipt names no deployment".to_owned());
            return;
        };
        for (place, review) in items(body).iter().enumerate() {
            // One run may wait at several environments; the others belong to other deployments.
            if !items(&review["environments"]).iter().any(|e| e["name"] == deployment["environment"]) {
                continue;
            }
            let status = match review["state"].as_str() {
                Some("approved") => "approved",
                Some("rejected") => "rejected",
                Some("pending") => continue,
                other => {
                    self.out
                        .problems
                        .push(format!("a review of deployment {id} has the state `{}`", other.unwrap_or("")));
                    continue;
                }
            };
            let approver = self.account(&review["user"]);
            let values = vec![
                ("deployment", self.key("deployment", id.to_string()).into()),
                ("approver", approver.into()),
                ("status", status.into()),
            ];
            let about = self.key("deployment_approval", format!("{id} {place}"));
            self.fact("deployment_approval", about, Grade::System, values);
        }
    }

    fn workflow_runs(&mut self, body: &Json) {
        let single = std::slice::from_ref(body);
        let runs = if self.context["single"] == true { single } else { items(&body["workflow_runs"]) };
        for run in runs {
            let Some(id) = run["id"].as_u64() else {
                self.out.problems.push("a workflow run has no id".to_owned());
                continue;
            };
            let ended = run["status"] == "completed";
            let conclusion = match run["conclusion"].as_str() {
                Some("success") if ended => "success",
                Some("failure" | "timed_out" | "startup_failure") if ended => "failure",
                Some("cancelled") if ended => "cancelled",
                _ => "unknown",
            };
            let values = vec![
                ("revision", run["head_sha"].as_str().map(revision).into()),
                ("builder", "pipeline".into()),
                ("conclusion", conclusion.into()),
                ("finished_at", instant(&run["updated_at"]).filter(|_| ended).into()),
            ];
            let attempt = run["run_attempt"].as_u64().unwrap_or(1);
            let about = self.key("build", format!("run {id} attempt {attempt}"));
            self.fact("build", about, Grade::System, values);
        }
    }

    fn members(&mut self, body: &Json) {
        let context = self.context;
        let (Some(organisation), Some(role)) = (context["organisation"].as_str(), context["role"].as_str())
        else {
            self.out.problems.push("the receipt names no organisation or no role".to_owned());
            return;
        };
        for user in items(body) {
            let Some(account) = self.account(user) else {
                self.out.problems.push(format!("a member of {organisation} has no id"));
                continue;
            };
            let about = Key::new("membership", self.system, format!("{organisation} {}", account.key));
            let values = vec![
                ("account", account.into()),
                ("organisation", organisation.into()),
                ("role", role.into()),
                // Seen at this instant; until when it lasts, the next look or nobody knows.
                ("valid_from", self.collected_at.into()),
            ];
            self.fact("membership", about, Grade::System, values);
        }
    }

    fn coverage(&mut self) {
        let context = self.context;
        for window in items(&context["windows"]) {
            let (Some(relation), Some(from), Some(to)) =
                (window["relation"].as_str(), window["from"].as_i64(), window["to"].as_i64())
            else {
                continue;
            };
            let status = window["status"].as_str().unwrap_or("failed");
            let values = vec![
                ("scope", self.repository_key().into()),
                ("relation", relation.into()),
                ("covered_from", Instant::from_ms(from).into()),
                ("covered_to", Instant::from_ms(to).into()),
                ("status", status.into()),
                ("reason", text(&window["reason"]).into()),
            ];
            // A window that is looked at again from the same instant is spoken of anew; others stand beside it.
            let about = self.key("coverage", format!("github {relation} {from}"));
            self.fact("coverage", about, Grade::System, values);
        }
    }
}

fn revision(sha: &str) -> Key {
    Key::new("revision", "", sha)
}

pub(super) fn items(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn text(json: &Json) -> Option<String> {
    json.as_str().filter(|t| !t.is_empty()).map(str::to_owned)
}

fn instant(json: &Json) -> Option<Instant> {
    json.as_str()?.parse().ok()
}

/// The word of a review's state, in capitals.
fn opinion(state: &str) -> Option<&'static str> {
    match state {
        "APPROVED" => Some("approved"),
        "CHANGES_REQUESTED" => Some("changes_requested"),
        "COMMENTED" => Some("commented"),
        _ => None,
    }
}

/// The same word from the table's own list.
fn known(word: &str) -> &'static str {
    const WORDS: &[&str] = &[
        "success",
        "failure",
        "error",
        "neutral",
        "skipped",
        "cancelled",
        "timed_out",
        "action_required",
        "stale",
        "pending",
    ];
    WORDS.iter().copied().find(|w| *w == word).unwrap_or("unknown")
}

/// Name and address of every co-author a message names.
fn co_authors<'a>(
    message: &'a str,
    conventions: &'a Conventions,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    message.lines().filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        conventions.co_authored_by.iter().any(|c| c.eq_ignore_ascii_case(key.trim())).then_some(())?;
        let (name, rest) = value.split_once('<')?;
        Some((name.trim(), rest.split('>').next()?.trim()))
    })
}
