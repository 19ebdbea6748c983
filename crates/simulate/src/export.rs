//! What the company's systems would export: a file for each kind of record, with the mapping that says what its columns mean
//! and the times of which the collector can say that it has everything. Nothing here knows what is right or wrong.

mod access;
mod assurance;
mod complaints;
mod consents;
mod dealings;
mod disposals;
mod duties;
mod guards;
mod jobs;
mod models;
mod notices;
mod operations;
mod owners;
mod privacy;
mod releases;
mod risks;
mod significant;
mod stores;
mod uses;

use model::Instant;

use crate::changes::at_hub;
use crate::company::{Company, End};
use crate::monitoring::actor;
use crate::vulnerabilities::{SHORTER_DAYS, policy_changes};

/// A file as it would be imported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// What it is called, without its ending.
    pub name: &'static str,
    /// Comma-separated values, with a header.
    pub csv: String,
    /// The mapping that says what its columns mean.
    pub mapping: String,
    /// First instants, and first instants after, of the times in which it holds everything there was.
    pub covers: Vec<(Instant, Instant)>,
}

/// Every file, in an order in which they can be imported.
#[must_use]
pub fn files(company: &Company) -> Vec<File> {
    let c = company;
    let mut files = vec![
        systems(c),
        personnel(c),
        accounts(c),
        employments(c),
        absences(c),
        grants(c),
        factors(c),
        exclusions(c),
        tokens(c),
        courses(c),
        trainings(c),
        access::requests(c),
        access::uses(c),
        access::use_reviews(c),
        access::owners(c),
        access::checkouts(c),
        access::standings(c),
        access::sign_ins(c),
        access::jobs(c),
        access::screenings(c),
        access::agreements(c),
        access::policy_versions(c),
        access::policy_reviews(c),
        access::acknowledgements(c),
        access::devices(c),
        access::postures(c),
        access::matrix(c),
        reviews(c),
        review_lines(c),
        tickets(c),
        incidents(c),
        alerts(c),
        findings(c),
        ratings(c),
        acceptances(c),
        dismissals(c),
        returns(c),
        vendors(c),
        vendor_reviews(c),
        letters(c),
        regions(c),
        looks(c),
        resources(c),
        settings(c),
        objectives(c),
        months(c),
        maintenance(c),
        repositories(c),
        rules(c),
        required_checks(c),
        standing(c),
        builds(c),
        deployments(c),
        deployment_approvals(c),
        emergencies(c),
        bypasses(c),
        flags(c),
        policies(c),
    ];
    files.extend(releases::files(c));
    files.extend(privacy::files(c));
    files.extend(jobs::files(c));
    files.extend(stores::files(c));
    files.extend(risks::files(c));
    files.extend(dealings::files(c));
    files.extend(operations::files(c));
    files.extend(guards::files(c));
    files.extend(models::files(c));
    files.extend(notices::files(c));
    files.extend(consents::files(c));
    files.extend(duties::files(c));
    files.extend(significant::files(c));
    files.extend(assurance::files(c));
    files.extend(uses::files(c));
    files.extend(complaints::files(c));
    files.extend(disposals::files(c));
    files.extend(owners::files(c));
    for file in &mut files {
        file.covers = covers(c, file.name);
    }
    files
}

/// Where the collector of a file looked: since records are kept, but for the times in which it was down.
fn covers(c: &Company, file: &str) -> Vec<(Instant, Instant)> {
    let mut from = c.clock.kept_since;
    let mut windows = vec![];
    let mut outages: Vec<_> = c.outages.iter().filter(|o| o.file == file).collect();
    outages.sort_by_key(|o| o.from);
    for outage in outages {
        windows.push((from, outage.from));
        from = outage.to;
    }
    windows.push((from, c.clock.cutoff + 1));
    windows.into_iter().map(|(from, to)| (Instant::from_ms(from), Instant::from_ms(to))).collect()
}

/// A file that is being written.
pub(crate) struct Sheet<'c> {
    file: File,
    company: &'c Company,
}

impl<'c> Sheet<'c> {
    /// The header as it stands in the file, and the mapping of its columns.
    pub(crate) fn new(
        company: &'c Company,
        name: &'static str,
        table: &str,
        header: &str,
        mapping: &str,
    ) -> Self {
        let mapping = format!("table = \"{table}\"\n{mapping}");
        Self { file: File { name, csv: format!("{header}\n"), mapping, covers: vec![] }, company }
    }

    /// A line; nothing of what lies after the cut-off was there to be exported.
    pub(crate) fn line(&mut self, cells: &[&dyn Cell]) {
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                self.file.csv.push(',');
            }
            let text = cell.text(self.company.clock.cutoff);
            if text.contains([',', '"', '\n']) {
                self.file.csv.push_str(&format!("\"{}\"", text.replace('"', "\"\"")));
            } else {
                self.file.csv.push_str(&text);
            }
        }
        self.file.csv.push('\n');
    }

    pub(crate) fn done(self) -> File {
        self.file
    }
}

/// What stands in a cell.
pub(crate) trait Cell {
    fn text(&self, cutoff: i64) -> String;
}

impl Cell for &str {
    fn text(&self, _: i64) -> String {
        (*self).to_owned()
    }
}

impl Cell for String {
    fn text(&self, _: i64) -> String {
        self.clone()
    }
}

impl Cell for bool {
    fn text(&self, _: i64) -> String {
        if *self { "yes".to_owned() } else { "no".to_owned() }
    }
}

/// A number; instants are [`At`].
impl Cell for i64 {
    fn text(&self, _: i64) -> String {
        self.to_string()
    }
}

/// Something that happened.
pub(crate) struct At(pub(crate) i64);

impl Cell for At {
    fn text(&self, cutoff: i64) -> String {
        if self.0 > cutoff { String::new() } else { Instant::from_ms(self.0).to_string() }
    }
}

/// Something that is agreed, and may lie ahead.
pub(crate) struct Agreed(pub(crate) End);

impl Cell for Agreed {
    fn text(&self, _: i64) -> String {
        match self.0 {
            End::At(at) => Instant::from_ms(at).to_string(),
            End::Never => "forever".to_owned(),
            End::Unknown => String::new(),
        }
    }
}

impl Cell for End {
    fn text(&self, cutoff: i64) -> String {
        match self {
            Self::At(at) if *at <= cutoff => Instant::from_ms(*at).to_string(),
            Self::At(_) | Self::Never => "forever".to_owned(),
            Self::Unknown => String::new(),
        }
    }
}

impl<T: Cell> Cell for Option<T> {
    fn text(&self, cutoff: i64) -> String {
        self.as_ref().map(|cell| cell.text(cutoff)).unwrap_or_default()
    }
}

pub(crate) const FOREVER: &str = r#"words = { forever = "forever" }"#;

fn address(c: &Company, person: usize, former: bool) -> String {
    let them = &c.people[person];
    match them.former.filter(|_| former) {
        Some(last) => format!("{}.{}@{}", them.first.to_lowercase(), last.to_lowercase(), c.domain),
        None => format!("{}@{}", them.local, c.domain),
    }
}

fn systems(c: &Company) -> File {
    let mapping = format!(
        "key = \"Key\"\n[columns]\nlabel = \"Name\"\nidentity_provider = \"Signs in\"\nvalid_from = \"From\"\n\
         valid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "systems", "system", "Key,Name,Signs in,From,To", &mapping);
    for (place, system) in c.systems.iter().enumerate() {
        sheet.line(&[&system.key, &system.label, &(place == 0), &At(system.from), &system.to]);
    }
    sheet.done()
}

fn personnel(c: &Company) -> File {
    let mapping = "key = \"Number\"\nscope = \"hr\"\n[columns]\nsystem = { constant = \"hr\" }\nkind = { constant = \"human\" }\n\
                   valid_from = \"From\"\nvalid_to = { constant = \"forever\" }\n\
                   [display]\nname = \"Name\"\nemail = \"Email\"\nemployee_number = \"Number\"\n";
    let mut sheet = Sheet::new(c, "personnel", "account", "Number,Name,Email,From", mapping);
    for (person, them) in c.people.iter().enumerate() {
        let name = format!("{} {}", them.first, them.last);
        sheet.line(&[&them.number, &name, &address(c, person, false), &At(them.since)]);
    }
    sheet.done()
}

fn accounts(c: &Company) -> File {
    let mapping = format!(
        "key = \"Login\"\nscope = {{ column = \"System\" }}\n[columns]\nsystem = \"System\"\nkind = \"Kind\"\nvalid_from = \"From\"\n\
         valid_to = {{ column = \"To\", {FOREVER} }}\n[display]\nname = \"Name\"\nemail = \"Email\"\nemployee_number = \"Number\"\n"
    );
    let mut sheet =
        Sheet::new(c, "accounts", "account", "System,Login,Name,Email,Number,Kind,From,To", &mapping);
    for login in &c.logins {
        // The code host never heard of a marriage.
        let former = login.system == 1;
        let (name, email, number) = match login.person {
            Some(person) => {
                let them = &c.people[person];
                let last = them.former.filter(|_| former).unwrap_or(them.last);
                (format!("{} {last}", them.first), address(c, person, former), them.number.clone())
            }
            None => Default::default(),
        };
        for (from, to) in &login.spells {
            let system = c.systems[login.system].key;
            sheet.line(&[&system, &login.key, &name, &email, &number, &login.kind, &At(*from), to]);
        }
    }
    sheet.done()
}

fn employments(c: &Company) -> File {
    let mapping = format!(
        "key = \"Employment\"\n[columns]\naccount = {{ column = \"Number\", system = \"hr\" }}\nlabel = \"Employment\"\nkind = \"Kind\"\n\
         started_at = \"Started\"\nended_at = {{ column = \"Ended\", {FOREVER} }}\nend_known_at = \"Told\"\n"
    );
    let header = "Employment,Number,Kind,Started,Ended,Told";
    let mut sheet = Sheet::new(c, "employments", "employment", header, &mapping);
    for e in &c.employments {
        let number = &c.people[e.person].number;
        sheet.line(&[&e.key, number, &e.kind, &At(e.from), &Agreed(e.to), &e.told.map(At)]);
    }
    sheet.done()
}

fn absences(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nemployment = {{ column = \"Employment\", kind = \"employment\" }}\nstarted_at = \"From\"\n\
         ended_at = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "absences", "leave_of_absence", "Id,Employment,From,To", &mapping);
    for (number, absence) in (1..).zip(&c.absences) {
        let employment = &c.employments[absence.employment].key;
        sheet.line(&[&format!("AB-{number}"), employment, &At(absence.from), &End::At(absence.to)]);
    }
    sheet.done()
}

fn grants(c: &Company) -> File {
    let mapping = format!(
        "key = \"Grant\"\n[columns]\nsystem = \"System\"\naccount = {{ column = \"Login\", system = {{ column = \"System\" }} }}\n\
         role = \"Role\"\nprivileged = \"Admin\"\nvalid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet =
        Sheet::new(c, "grants", "access_grant", "Grant,System,Login,Role,Admin,From,To", &mapping);
    for (number, grant) in (1..).zip(&c.grants) {
        let login = &c.logins[grant.login];
        let system = c.systems[login.system].key;
        let key = format!("G{number:05}");
        sheet.line(&[&key, &system, &login.key, &grant.role, &grant.privileged, &At(grant.from), &grant.to]);
    }
    sheet.done()
}

fn factors(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\naccount = {{ column = \"Login\", system = \"idp\" }}\n\
         enabled = {{ column = \"State\", words = {{ on = true, off = false }} }}\nvalid_from = \"From\"\n\
         valid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "factors", "mfa", "Id,Login,State,From,To", &mapping);
    for (number, factor) in (1..).zip(&c.factors) {
        let state = factor.on.map(|on| if on { "on" } else { "off" });
        let login = &c.logins[factor.login].key;
        sheet.line(&[&format!("F{number:05}"), login, &state, &At(factor.from), &factor.to]);
    }
    sheet.done()
}

fn exclusions(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\naccount = {{ column = \"Login\", system = {{ column = \"System\" }} }}\ncontrol = \"Control\"\nreason = \"Reason\"\n\
         approved_by = {{ column = \"By\", system = \"idp\" }}\napproved_at = \"Approved\"\nstarts_at = \"From\"\n\
         ends_at = {{ column = \"To\", {FOREVER} }}\n"
    );
    let header = "Id,System,Login,Control,Reason,By,Approved,From,To";
    let mut sheet = Sheet::new(c, "exclusions", "account_exclusion", header, &mapping);
    for (number, e) in (1..).zip(&c.exclusions) {
        let (login, by) = (&c.logins[e.login].key, &c.logins[e.by].key);
        let system = c.systems[c.logins[e.login].system].key;
        let id = format!("X-{number}");
        sheet.line(&[&id, &system, login, &e.control, &e.reason, by, &At(e.approved), &At(e.from), &e.to]);
    }
    sheet.done()
}

fn tokens(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\naccount = {{ column = \"Login\", system = {{ column = \"System\" }} }}\nkind = \"Kind\"\n\
         created_at = \"Created\"\nexpires_at = {{ column = \"Expires\", {FOREVER} }}\nrevoked_at = {{ column = \"Revoked\", {FOREVER} }}\n\
         last_used_at = \"Used\"\n"
    );
    let header = "Id,System,Login,Kind,Created,Expires,Revoked,Used";
    let mut sheet = Sheet::new(c, "tokens", "credential", header, &mapping);
    for (number, token) in (1..).zip(&c.tokens) {
        let login = &c.logins[token.login];
        let system = c.systems[login.system].key;
        let id = format!("K{number:05}");
        let (created, used) = (At(token.created), At(token.used));
        sheet.line(&[
            &id,
            &system,
            &login.key,
            &token.kind,
            &created,
            &Agreed(token.expires),
            &token.revoked,
            &used,
        ]);
    }
    sheet.done()
}

fn courses(c: &Company) -> File {
    let mapping = format!(
        "key = [\"Course\", \"Version\"]\n[columns]\ncourse = \"Course\"\nversion = \"Version\"\nvalid_from = \"From\"\n\
         valid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "courses", "course_version", "Course,Version,From,To", &mapping);
    for course in ["security_awareness", "phishing_drill"] {
        for year in c.clock.date(c.clock.kept_since).year()..=c.clock.last.year() + 1 {
            let (from, to) = (c.clock.year(year), c.clock.year(year + 1));
            if from <= c.clock.cutoff {
                sheet.line(&[&course, &year.to_string(), &At(from), &End::At(to)]);
            }
        }
    }
    sheet.done()
}

fn trainings(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\naccount = { column = \"Login\", system = \"idp\" }\ncourse = \"Course\"\n\
                   version = \"Version\"\ndone_at = \"Completed\"\nrecorded_at = \"Recorded\"\n";
    let header = "Id,Login,Course,Version,Completed,Recorded";
    let mut sheet = Sheet::new(c, "trainings", "training", header, mapping);
    for (number, training) in (1..).zip(&c.trainings) {
        let Some(login) = c.login_of(training.person, 0).filter(|_| training.recorded <= c.clock.cutoff)
        else {
            continue;
        };
        let id = format!("T{number:05}");
        let login = &c.logins[login].key;
        let (done, recorded) = (At(training.done), At(training.recorded));
        sheet.line(&[&id, login, &training.course, &training.version, &done, &recorded]);
    }
    sheet.done()
}

fn reviews(c: &Company) -> File {
    let mapping = format!(
        "key = \"Review\"\n[columns]\nsystem = \"System\"\nlisted_at = \"Listed\"\nopened_at = \"Opened\"\n\
         completed_at = {{ column = \"Completed\", {FOREVER} }}\n"
    );
    let header = "Review,System,Listed,Opened,Completed";
    let mut sheet = Sheet::new(c, "reviews", "access_review", header, &mapping);
    for review in c.reviews.iter().filter(|r| r.opened <= c.clock.cutoff) {
        let system = c.systems[review.system].key;
        sheet.line(&[&review.key, &system, &At(review.listed), &At(review.opened), &review.completed]);
    }
    sheet.done()
}

fn review_lines(c: &Company) -> File {
    let mapping = format!(
        "key = \"Line\"\n[columns]\nreview = {{ column = \"Review\", kind = \"access_review\" }}\n\
         account = {{ column = \"Login\", system = {{ column = \"System\" }} }}\nreviewer = {{ column = \"Reviewer\", system = \"idp\" }}\n\
         decision = \"Decision\"\ndecided_at = \"Decided\"\nremoved_at = {{ column = \"Removed\", {FOREVER} }}\n"
    );
    let header = "Line,Review,System,Login,Reviewer,Decision,Decided,Removed";
    let mut sheet = Sheet::new(c, "review_lines", "access_review_item", header, &mapping);
    for review in c.reviews.iter().filter(|r| r.opened <= c.clock.cutoff) {
        let system = c.systems[review.system].key;
        for (number, line) in (1..).zip(&review.lines) {
            let id = format!("{}-{number:03}", review.key);
            let (login, reviewer) = (&c.logins[line.login].key, &c.logins[line.reviewer].key);
            let decided = At(line.decided);
            sheet.line(&[
                &id,
                &review.key,
                &system,
                login,
                reviewer,
                &line.decision,
                &decided,
                &line.removed,
            ]);
        }
    }
    sheet.done()
}

/// What somebody did, as far as it was done before the cut-off: when, and by whom.
pub(crate) fn done(c: &Company, act: Option<(i64, usize)>) -> (Option<At>, Option<String>) {
    match act.filter(|(at, _)| *at <= c.clock.cutoff) {
        Some((at, who)) => (Some(At(at)), Some(actor(c, who))),
        None => (None, None),
    }
}

fn tickets(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\ncreated_at = \"Created\"\nclosed_at = \"Closed\"\n\
                   [display]\ntitle = \"Summary\"\n";
    let mut sheet = Sheet::new(c, "tickets", "ticket", "Key,Summary,Created,Closed", mapping);
    for ticket in c.tickets.iter().filter(|t| t.created <= c.clock.cutoff) {
        sheet.line(&[&ticket.key, &ticket.title, &At(ticket.created), &ticket.closed.map(At)]);
    }
    sheet.done()
}

fn incidents(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nseverity = \"Severity\"\ndeclared_at = \"Declared\"\n\
                   resolved = \"Over\"\nresolved_at = \"Resolved\"\npir_done_at = \"Reviewed\"\n\
                   pir_by = { column = \"By\", system = \"idp\" }\n";
    let header = "Key,Severity,Declared,Over,Resolved,Reviewed,By";
    let mut sheet = Sheet::new(c, "incidents", "incident", header, mapping);
    for incident in c.incidents.iter().filter(|i| i.declared <= c.clock.cutoff) {
        let resolved = incident.resolved.filter(|at| *at <= c.clock.cutoff);
        let (reviewed, by) = done(c, incident.reviewed);
        let (over, at) = (resolved.is_some(), resolved.map(At));
        sheet.line(&[&incident.key, &incident.severity, &At(incident.declared), &over, &at, &reviewed, &by]);
    }
    sheet.done()
}

fn alerts(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nseverity = \"Severity\"\nfired_at = \"Fired\"\n\
                   customer_impact = \"Customers\"\nacked_at = \"Answered\"\nacked_by = { column = \"By\", system = \"idp\" }\n\
                   ticket = { column = \"Ticket\", kind = \"ticket\" }\nincident = { column = \"Incident\", kind = \"incident\" }\n\
                   disposition = \"Judged\"\njudged_at = \"Judged at\"\njudged_by = { column = \"Judge\", system = \"idp\" }\n\
                   reason = \"Reason\"\n";
    let header = "Key,Severity,Fired,Customers,Answered,By,Ticket,Incident,Judged,Judged at,Judge,Reason";
    let mut sheet = Sheet::new(c, "alerts", "alert", header, mapping);
    let cutoff = c.clock.cutoff;
    for alert in &c.alerts {
        let ticket = c.tickets.iter().find(|t| Some(&t.key) == alert.ticket.as_ref() && t.created <= cutoff);
        // The pager names the incident that it opened, whatever became of that.
        let declared = c.incidents.iter().find(|i| Some(&i.key) == alert.incident.as_ref());
        let incident = alert.incident.as_ref().filter(|_| declared.is_none_or(|i| i.declared <= cutoff));
        let (answered, by) = done(c, alert.acked);
        let noise = alert.noise.filter(|(at, ..)| *at <= cutoff);
        let (judged_at, judge) = done(c, noise.map(|(at, who, _)| (at, who)));
        let judged = if noise.is_some() { Some("noise") } else { incident.map(|_| "incident") };
        // Who declared an incident judged it one.
        let judged_at =
            judged_at.or_else(|| incident.map(|_| At(declared.map_or(alert.fired, |i| i.declared))));
        let judge = judge.or_else(|| incident.map(|_| actor(c, 0)));
        sheet.line(&[
            &alert.key,
            &alert.severity,
            &At(alert.fired),
            &alert.impact,
            &answered,
            &by,
            &ticket.map(|t| t.key.clone()),
            &incident.cloned(),
            &judged,
            &judged_at,
            &judge,
            &noise.map(|(.., reason)| reason),
        ]);
    }
    sheet.done()
}

fn findings(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nseverity = \"Severity\"\nfirst_seen = \"Seen\"\nfixed = \"Fixed\"\n\
                   fixed_at = \"Fixed at\"\nretired_at = \"Retired\"\n";
    let header = "Key,Severity,Seen,Fixed,Fixed at,Retired";
    let mut sheet = Sheet::new(c, "findings", "vuln", header, mapping);
    for finding in &c.findings {
        let fixed = finding.fixed.filter(|at| *at <= c.clock.cutoff);
        let (is, at) = (fixed.is_some(), fixed.map(At));
        let retired = finding.retired.map(At);
        sheet.line(&[&finding.key, &finding.severity, &At(finding.seen), &is, &at, &retired]);
    }
    sheet.done()
}

/// A file of what was decided about findings: id, finding, what, when, by whom, why.
fn decisions<'c>(
    c: &'c Company,
    (name, table): (&'static str, &str),
    columns: &str,
    each: impl Fn(&'c crate::company::Finding) -> Vec<(String, i64, usize, &'static str)>,
) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nvuln = {{ column = \"Finding\", kind = \"vuln\" }}\nreason = \"Reason\"\n{columns}"
    );
    let mut sheet = Sheet::new(c, name, table, "Id,Finding,What,At,By,Reason", &mapping);
    for finding in &c.findings {
        for (number, (what, at, who, reason)) in (1..).zip(each(finding)) {
            if at <= c.clock.cutoff {
                let id = format!("{}-{name}-{number}", finding.key);
                sheet.line(&[&id, &finding.key, &what, &At(at), &actor(c, who), &reason]);
            }
        }
    }
    sheet.done()
}

fn ratings(c: &Company) -> File {
    let columns =
        "severity = \"What\"\nrated_at = \"At\"\nrated_by = { column = \"By\", system = \"idp\" }\n";
    decisions(c, ("ratings", "vuln_severity"), columns, |f| {
        f.rated.iter().map(|(what, at, who, why)| ((*what).to_owned(), *at, *who, *why)).collect()
    })
}

fn acceptances(c: &Company) -> File {
    let columns = "accepted_until = \"What\"\napproved_at = \"At\"\napproved_by = { column = \"By\", system = \"idp\" }\n";
    decisions(c, ("acceptances", "vuln_acceptance"), columns, |f| {
        let until = |at: i64| Instant::from_ms(at).to_string();
        f.accepted.iter().map(|(at, who, to, why)| (until(*to), *at, *who, *why)).collect()
    })
}

fn dismissals(c: &Company) -> File {
    let columns = "decided_at = \"At\"\ndecided_by = { column = \"By\", system = \"idp\" }\n";
    decisions(c, ("dismissals", "vuln_dismissal"), columns, |f| {
        f.dismissed.iter().map(|(at, who, why)| (String::new(), *at, *who, *why)).collect()
    })
}

fn returns(c: &Company) -> File {
    let mapping =
        "key = \"Id\"\n[columns]\nvuln = { column = \"Finding\", kind = \"vuln\" }\nreopened_at = \"At\"\n";
    let mut sheet = Sheet::new(c, "returns", "vuln_reopening", "Id,Finding,At", mapping);
    for finding in &c.findings {
        for (number, at) in (1..).zip(&finding.came_back) {
            sheet.line(&[&format!("{}-{number}", finding.key), &finding.key, &At(*at)]);
        }
    }
    sheet.done()
}

fn vendors(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\ntier = \"Tier\"\nfirst_used_at = \"Used since\"\nended = \"Over\"\n\
                   ended_at = \"Ended\"\nowner = { column = \"Owner\", system = \"idp\" }\ndata_class = \"Class\"\n\
                   health_data = \"Health\"\ndata_gone_at = \"Data gone\"\n";
    let header = "Key,Tier,Used since,Over,Ended,Owner,Class,Health,Data gone";
    let mut sheet = Sheet::new(c, "vendors", "vendor", header, mapping);
    for vendor in &c.vendors {
        let ended = match vendor.to {
            End::At(at) if at <= c.clock.cutoff => Some(At(at)),
            _ => None,
        };
        let dealing = c.dealings.get(&vendor.key);
        sheet.line(&[
            &vendor.key,
            &vendor.tier,
            &At(vendor.from),
            &ended.is_some(),
            &ended,
            &dealing.and_then(|d| d.owner).map(|owner| actor(c, owner)),
            &dealing.map(|d| d.class),
            &dealing.map(|d| d.health),
            &dealing.and_then(|d| d.gone).map(At),
        ]);
    }
    sheet.done()
}

fn vendor_reviews(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nvendor = { column = \"Vendor\", kind = \"vendor\" }\ndone_at = \"Done\"\n\
                   done_by = { column = \"By\", system = \"idp\" }\nreport = \"Report\"\nreport_from = \"From\"\nreport_to = \"To\"\n\
                   opinion = \"Opinion\"\nexceptions_assessed = \"Assessed\"\nuser_controls_mapped = \"Mapped\"\n";
    let header = "Id,Vendor,Done,By,Report,From,To,Opinion,Assessed,Mapped";
    let mut sheet = Sheet::new(c, "vendor_reviews", "vendor_review", header, mapping);
    for vendor in &c.vendors {
        for (number, review) in (1..).zip(&vendor.reviews) {
            let (from, to) = (review.about.map(|(from, _)| At(from)), review.about.map(|(_, to)| At(to)));
            if review.done <= c.clock.cutoff {
                sheet.line(&[
                    &format!("{}-{number}", vendor.key),
                    &vendor.key,
                    &At(review.done),
                    &actor(c, review.by),
                    &review.report,
                    &from,
                    &to,
                    &review.opinion,
                    &review.assessed,
                    &review.mapped,
                ]);
            }
        }
    }
    sheet.done()
}

fn letters(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nvendor = { column = \"Vendor\", kind = \"vendor\" }\ncovers_from = \"From\"\n\
                   covers_to = \"To\"\n";
    let mut sheet = Sheet::new(c, "letters", "vendor_letter", "Id,Vendor,From,To", mapping);
    for vendor in &c.vendors {
        for (number, (from, to)) in (1..).zip(&vendor.letters) {
            let id = format!("{}-L{number}", vendor.key);
            sheet.line(&[&id, &vendor.key, &At(*from), &Agreed(End::At(*to))]);
        }
    }
    sheet.done()
}

fn regions(c: &Company) -> File {
    let mapping = "key = \"Region\"\n[columns]\nlabel = \"Region\"\nenabled = \"Enabled\"\n";
    let mut sheet = Sheet::new(c, "regions", "cloud_region", "Region,Enabled", mapping);
    for region in &c.regions {
        sheet.line(&[&region.key, &region.enabled]);
    }
    sheet.done()
}

fn looks(c: &Company) -> File {
    let mapping = "key = [\"Region\", \"Looked\"]\n[columns]\nregion = { column = \"Region\", kind = \"cloud_region\" }\n\
                   looked_at = \"Looked\"\n";
    let mut sheet = Sheet::new(c, "looks", "region_look", "Region,Looked", mapping);
    for region in &c.regions {
        for at in region.looked.iter().filter(|at| **at <= c.clock.cutoff) {
            sheet.line(&[&region.key, &At(*at)]);
        }
    }
    sheet.done()
}

fn resources(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nkind = \"Kind\"\nregion = \"Region\"\ncreated_at = \"Created\"\n\
                   deleted = \"Gone\"\ndeleted_at = \"Deleted\"\nneeds_backup = \"Backup\"\n\
                   first_tier = \"First\"\nholds = \"Holds\"\n";
    let mut sheet = Sheet::new(
        c,
        "resources",
        "cloud_resource",
        "Key,Kind,Region,Created,Gone,Deleted,Backup,First,Holds",
        mapping,
    );
    for resource in &c.resources {
        let deleted = match resource.to {
            End::At(at) if at <= c.clock.cutoff => Some(At(at)),
            _ => None,
        };
        let region = &c.regions[resource.region].key;
        sheet.line(&[
            &resource.key,
            &resource.kind,
            region,
            &At(resource.from),
            &deleted.is_some(),
            &deleted,
            &resource.needs_backup,
            &resource.first_tier,
            &resource.holds,
        ]);
    }
    sheet.done()
}

fn settings(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\nresource = {{ column = \"Resource\", kind = \"cloud_resource\" }}\nencrypted = \"Encrypted\"\n\
         key_held_by = \"Key\"\npublic = \"Public\"\nzones = \"Zones\"\naccess_logged = \"Logged\"\nvalid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(
        c,
        "settings",
        "resource_config",
        "Id,Resource,Encrypted,Key,Public,Zones,Logged,From,To",
        &mapping,
    );
    for resource in &c.resources {
        for (number, setting) in (1..).zip(&resource.settings) {
            let id = format!("{}-{number}", resource.key);
            let key = setting.key;
            sheet.line(&[
                &id,
                &resource.key,
                &setting.encrypted,
                &key,
                &setting.public,
                &setting.zones,
                &setting.access_logged,
                &At(setting.from),
                &setting.to,
            ]);
        }
    }
    sheet.done()
}

fn objectives(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\ntarget_ppm = \"Target\"\nvalid_from = \"From\"\n\
                   valid_to = { constant = \"forever\" }\n";
    let mut sheet = Sheet::new(c, "objectives", "slo", "Key,Target,From", mapping);
    for objective in &c.objectives {
        sheet.line(&[&objective.key, &objective.target, &At(objective.from)]);
    }
    sheet.done()
}

fn months(c: &Company) -> File {
    let mapping = "key = \"Key\"\n[columns]\nlabel = \"Key\"\nslo = { column = \"Objective\", kind = \"slo\" }\nstarts_at = \"From\"\n\
                   ends_at = \"To\"\ngood = \"Good\"\ntotal = \"Measured\"\n";
    let mut sheet =
        Sheet::new(c, "months", "slo_measurement", "Key,Objective,From,To,Good,Measured", mapping);
    for month in &c.months {
        let objective = &c.objectives[month.objective].key;
        let to = Agreed(End::At(month.to));
        sheet.line(&[&month.key, objective, &At(month.from), &to, &month.good, &month.measured]);
    }
    sheet.done()
}

fn maintenance(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nslo = { column = \"Objective\", kind = \"slo\" }\nstarts_at = \"From\"\nends_at = \"To\"\n\
                   announced_at = \"Announced\"\ngood = \"Good\"\ntotal = \"Measured\"\n";
    let header = "Id,Objective,From,To,Announced,Good,Measured";
    let mut sheet = Sheet::new(c, "maintenance", "slo_exclusion", header, mapping);
    for (number, window) in (1..).zip(&c.maintenance) {
        let objective = &c.objectives[window.objective].key;
        let minutes = (window.to - window.from) / crate::clock::MINUTE;
        let (from, to, announced) = (At(window.from), At(window.to), At(window.announced));
        let id = format!("M-{number}");
        sheet.line(&[&id, objective, &from, &to, &announced, &(minutes - window.down), &minutes]);
    }
    sheet.done()
}

/// The same of what is done at the code host.
pub(crate) fn done_at_hub(c: &Company, act: Option<(i64, usize)>) -> (Option<At>, Option<String>) {
    match act.filter(|(at, _)| *at <= c.clock.cutoff) {
        Some((at, who)) => (Some(At(at)), Some(at_hub(c, who))),
        None => (None, None),
    }
}

fn repositories(c: &Company) -> File {
    let mapping =
        "key = \"Repository\"\n[columns]\nlabel = \"Repository\"\ndefault_branch = { constant = \"main\" }\n";
    let mut sheet = Sheet::new(c, "repositories", "repository", "Repository", mapping);
    for repository in &c.repositories {
        sheet.line(&[&repository.key]);
    }
    sheet.done()
}

fn rules(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\nscope = {{ column = \"Repository\" }}\n[columns]\nrepository = \"Repository\"\nbranch = {{ constant = \"main\" }}\n\
         protected = \"On\"\napprovals_required = \"Approvals\"\nallows_force_push = {{ constant = \"no\" }}\nvalid_from = \"From\"\n\
         valid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "rules", "branch_rule", "Id,Repository,On,Approvals,From,To", &mapping);
    for (place, repository) in (1..).zip(&c.repositories) {
        for (number, (on, approvals, from, to)) in (1..).zip(&repository.rules) {
            if *from <= c.clock.cutoff {
                let id = format!("R{place}-{number}");
                sheet.line(&[&id, &repository.key, on, approvals, &At(*from), to]);
            }
        }
    }
    sheet.done()
}

/// What the company wrote down of the checks it demands: the code host shows what it demands today.
fn required_checks(c: &Company) -> File {
    let mapping = "key = \"Id\"\nscope = { column = \"Repository\" }\n[columns]\nrepository = \"Repository\"\nname = \"Check\"\n\
                   conditional = { constant = \"no\" }\nvalid_from = \"From\"\nvalid_to = { constant = \"forever\" }\n";
    let mut sheet = Sheet::new(c, "required_checks", "required_check", "Id,Repository,Check,From", mapping);
    for (number, repository) in (1..).zip(&c.repositories).filter(|(_, r)| r.hosted) {
        sheet.line(&[&format!("RC-{number}"), &repository.key, &"build", &At(c.clock.kept_since)]);
    }
    sheet.done()
}

fn standing(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nchange = { column = \"Commit\", kind = \"change\", scope = { column = \"Repository\" } }\n\
                   class = \"Class\"\napproved_by = { column = \"By\", system = \"hub\" }\napproved_at = \"Approved\"\n\
                   conditions_met = \"Held\"\n";
    let header = "Id,Repository,Commit,Class,By,Approved,Held";
    let mut sheet = Sheet::new(c, "standing", "standing_approval", header, mapping);
    for (number, standing) in (1..).zip(&c.covered) {
        let repository = &c.repositories[standing.repository].key;
        let (id, by, at) = (format!("SA-{number}"), at_hub(c, standing.by), At(standing.at));
        sheet.line(&[&id, repository, &standing.commit, &"routine", &by, &at, &standing.met]);
    }
    sheet.done()
}

fn builds(c: &Company) -> File {
    let mapping = "key = \"Id\"\nscope = { column = \"Repository\" }\n[columns]\nrevision = \"Commit\"\n\
                   artifact = { column = \"Artifact\", kind = \"artifact\" }\nbuilder = \"Builder\"\nconclusion = \"Conclusion\"\n\
                   finished_at = \"Finished\"\n";
    let header = "Id,Repository,Commit,Artifact,Builder,Conclusion,Finished";
    let mut sheet = Sheet::new(c, "builds", "build", header, mapping);
    for (number, build) in (1..).zip(&c.builds) {
        let repository = &c.repositories[build.repository].key;
        if build.at <= c.clock.cutoff {
            let id = format!("B-{number}");
            let (builder, conclusion) = (build.builder, build.conclusion);
            sheet.line(&[
                &id,
                repository,
                &build.commit,
                &build.artifact,
                &builder,
                &conclusion,
                &At(build.at),
            ]);
        }
    }
    sheet.done()
}

fn deployments(c: &Company) -> File {
    let mapping = "key = \"Id\"\nscope = { column = \"Repository\" }\n[columns]\nrepository = \"Repository\"\nlabel = \"Id\"\n\
                   environment = \"Environment\"\nproduction = { column = \"Environment\", words = { production = true, staging = false } }\n\
                   artifact = { column = \"Artifact\", kind = \"artifact\" }\nrevision = \"Commit\"\ndeployed_at = \"Deployed\"\n\
                   deployed_by = { column = \"By\", system = \"hub\" }\nstatus = { constant = \"success\" }\n";
    let header = "Id,Repository,Environment,Artifact,Commit,Deployed,By";
    let mut sheet = Sheet::new(c, "deployments", "deployment", header, mapping);
    for d in c.deployments.iter().filter(|d| d.at <= c.clock.cutoff) {
        let repository = &c.repositories[d.repository].key;
        let (environment, by) = (d.environment, at_hub(c, d.by));
        sheet.line(&[&d.key, repository, &environment, &d.artifact, &d.commit, &At(d.at), &by]);
    }
    sheet.done()
}

fn deployment_approvals(c: &Company) -> File {
    let mapping = "key = \"Id\"\nscope = { column = \"Repository\" }\n[columns]\n\
                   deployment = { column = \"Deployment\", kind = \"deployment\", scope = { column = \"Repository\" } }\n\
                   approver = { column = \"By\", system = \"hub\" }\nrule = \"Rule\"\nstatus = \"Decision\"\napproved_at = \"At\"\n";
    let header = "Id,Repository,Deployment,By,Rule,Decision,At";
    let mut sheet = Sheet::new(c, "deployment_approvals", "deployment_approval", header, mapping);
    for d in &c.deployments {
        for (number, approval) in (1..).zip(&d.approvals) {
            if approval.at > c.clock.cutoff {
                continue;
            }
            let decision = if approval.approved { "approved" } else { "rejected" };
            let by = approval.by.map(|by| at_hub(c, by));
            let (id, repository) = (format!("{}-{number}", d.key), &c.repositories[d.repository].key);
            sheet.line(&[&id, repository, &d.key, &by, &approval.rule, &decision, &At(approval.at)]);
        }
    }
    sheet.done()
}

fn emergencies(c: &Company) -> File {
    let mapping = "key = \"Id\"\nscope = { column = \"Repository\" }\n[columns]\nlabel = \"Id\"\n\
                   change = { column = \"Commit\", kind = \"change\", scope = { column = \"Repository\" } }\n\
                   incident = { column = \"Incident\", kind = \"incident\" }\ndeployed_at = \"Deployed\"\n\
                   deployed_by = { column = \"By\", system = \"hub\" }\nreviewed_at = \"Reviewed\"\n\
                   reviewed_by = { column = \"Reviewer\", system = \"hub\" }\n";
    let header = "Id,Repository,Commit,Incident,Deployed,By,Reviewed,Reviewer";
    let mut sheet = Sheet::new(c, "emergencies", "emergency_change", header, mapping);
    for e in c.emergencies.iter().filter(|e| e.at <= c.clock.cutoff) {
        let (reviewed, reviewer) = done_at_hub(c, e.reviewed);
        let (repository, by) = (&c.repositories[e.repository].key, at_hub(c, e.by));
        sheet.line(&[&e.key, repository, &e.commit, &e.incident, &At(e.at), &by, &reviewed, &reviewer]);
    }
    sheet.done()
}

fn bypasses(c: &Company) -> File {
    let mapping = "key = \"Id\"\nscope = { column = \"Repository\" }\n[columns]\nrepository = \"Repository\"\nlabel = \"Id\"\n\
                   kind = \"Kind\"\nbypassed_at = \"At\"\nbypassed_by = { column = \"By\", system = \"hub\" }\nreviewed_at = \"Reviewed\"\n\
                   reviewed_by = { column = \"Reviewer\", system = \"hub\" }\n";
    let header = "Id,Repository,Kind,At,By,Reviewed,Reviewer";
    let mut sheet = Sheet::new(c, "bypasses", "bypass", header, mapping);
    for b in c.bypasses.iter().filter(|b| b.at <= c.clock.cutoff) {
        let (reviewed, reviewer) = done_at_hub(c, b.reviewed);
        let (repository, by) = (&c.repositories[b.repository].key, at_hub(c, b.by));
        sheet.line(&[&b.key, repository, &b.kind, &At(b.at), &by, &reviewed, &reviewer]);
    }
    sheet.done()
}

fn flags(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nlabel = \"Id\"\nflag = \"Flag\"\nenvironment = \"Environment\"\n\
                   production = { column = \"Environment\", words = { production = true, staging = false } }\n\
                   approval_required = \"Needs approval\"\nchanged_at = \"Switched\"\nchanged_by = { column = \"By\", system = \"hub\" }\n\
                   approved_at = \"Approved\"\napproved_by = { column = \"Approver\", system = \"hub\" }\n";
    let header = "Id,Flag,Environment,Needs approval,Switched,By,Approved,Approver";
    let mut sheet = Sheet::new(c, "flags", "flag_change", header, mapping);
    for f in c.flags.iter().filter(|f| f.at <= c.clock.cutoff) {
        let (approved, approver) = done_at_hub(c, f.approved);
        let (environment, by) = (f.environment, at_hub(c, f.by));
        sheet.line(&[&f.key, &f.flag, &environment, &f.needs_approval, &At(f.at), &by, &approved, &approver]);
    }
    sheet.done()
}

fn policies(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nprocedure = { constant = \"vulnerability_remediation\" }\n\
                   parameter = { constant = \"days_medium\" }\nvalue = \"Days\"\nvalid_from = \"From\"\n\
                   valid_to = { constant = \"forever\" }\nreason = { constant = \"medium ones stayed open for too long\" }\n\
                   approved_by = { column = \"By\", system = \"idp\" }\napproved_at = \"Approved\"\n";
    let mut sheet = Sheet::new(c, "policies", "parameter_version", "Id,Days,From,By,Approved", mapping);
    if let Some(from) = policy_changes(c) {
        let approved = At(from - 20 * crate::clock::DAY);
        sheet.line(&[&"P-1", &SHORTER_DAYS, &At(from), &actor(c, 0), &approved]);
    }
    sheet.done()
}
