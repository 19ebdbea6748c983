//! What happens in a demo, told in the program's own command lines: each is run as somebody would have typed it, with a clock
//! that says when. The company's year comes from `simulate`, in files that are imported as anybody's are.

use std::fs;
use std::path::Path;

use app::{AppError, Demo};
use clap::Parser as _;
use collect::{Asked, Reply};
use connectors::github::{self, Simulated};
use model::Instant;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use simulate::{Company, File, Seeded};
use tlog::{AddCheckpoint, Algorithm, Note, NoteSigner};

use crate::command::Arguments;
use crate::demo::quoted;
use crate::failure::Failure;
use crate::import::hex;
use crate::output::{self, BOLD, aligned, line, styled};
use crate::session::{Session, derive, entropy};

/// The company's name.
pub(crate) const ORGANISATION: &str = "Quillbrook (simulated)";
/// The folder with the files that were imported.
pub(crate) const EXPORTS: &str = "exports";

/// Controls whose design was concluded and whose owners were named, before the year began.
const OWNED: &str = "2024-12-02";
const WALKED_THROUGH: &str = "2024-12-16";

/// What was left out of scope: dimension, subject, reason.
const OUT_OF_SCOPE: [(&str, &str, &str); 4] = [
    ("environment", "staging --anyway", "holds invented data only"),
    ("region", "north-4 --anyway", "switched off; nothing may be kept there"),
    ("category", "privacy", "no promise about it is made to customers this year"),
    ("category", "processing_integrity", "nothing is settled or billed by the service"),
];

/// What was promised, in the words of `tickmark record add commitment`.
const COMMITMENTS: [&str; 4] = [
    "key=sla-1 'label=Uptime of the API' 'display.title=The API is up 99.9 % of each month' kind=sla control=AVL-03 metric=api \
     objective_ppm=999000",
    "key=sla-2 'label=Uptime of the web application' 'display.title=The web application is up 99.9 % of each month' kind=sla \
     control=AVL-03 metric=web objective_ppm=999000",
    "key=dpa-4 label=Encryption 'display.title=Customers'\\'' data is encrypted wherever it is stored' kind=contract control=CRY-02",
    "key=web-2 'label=Fixing critical vulnerabilities' 'display.title=Critical vulnerabilities are fixed within a week' kind=website \
     control=VUL-02",
];

/// What was decided in the year: when, and how.
const IN_THE_YEAR: [(&str, &str); 2] = [
    (
        "2025-06-12",
        "parameter set security_training joiner_days 28 --from 2025-07-01 --reason 'policy 4.3: four weeks instead of thirty days' \
         --approved-by board --approved-at 2025-06-12T09:00:00Z --by compliance",
    ),
    (
        "2025-09-22",
        "waiver add W-1 --control IAM-08 --item pay --from 2025-10-01 --to 2026-01-09 --reason 'payments moves to another provider in \
         December; its review of the last quarter may end in the first week of January' --approved-by board --approved-at 2025-09-22 \
         --by it",
    ),
];

/// What people wrote down about the deviations, by the case that made them. The waived one nobody has looked at yet.
const TRIAGE: [(&str, &str); 4] = [
    (
        "story-leaver",
        "--severity high --cause 'the contract ended by itself, and only a notice makes IT close what somebody has' --exposure \
         'an administrator in the cloud for 89 days after the contract; no sign-in by them' --compensating IAM-02 --response 'the end of \
         a contract opens a ticket for IT by itself' --owner it --due 2026-02-27",
    ),
    (
        "story-vulnerability",
        "--severity critical --cause 'the fix waited for a release of the library that broke the build' --exposure 'the sign-in page was \
         open to it for 16 days more than allowed; nothing in the logs points to its use' --response 'critical ones may leave the \
         release train' --owner engineering --due 2026-02-06",
    ),
    (
        "bare-for-days",
        "--severity high --cause 'a copy for a move was made by hand, without the template' --exposure 'customers'\\'' data in it for \
         four days, inside of our own network' --response 'the cloud refuses storage that does not come from the template' --owner \
         platform --due 2026-01-30",
    ),
    (
        "story-hotfix",
        "--severity low --cause 'whoever was to review it was on leave, and nobody stood in' --exposure 'unseen for two business days \
         more than allowed' --response 'the on-call list names a deputy' --owner engineering-lead --due 2026-02-20",
    ),
];

/// Files of evidence: name, control, what they cover, title, text.
const EVIDENCE: [(&str, &str, &str, &str, &str); 3] = [
    (
        "scan-after-the-fix.txt",
        "VUL-02",
        "2026-02-05",
        "Scan after the fix",
        "Scan of the sign-in page, 5 February 2026.\nThe finding is gone. Nothing new.\n",
    ),
    (
        "cloud-sign-ins.txt",
        "IAM-06",
        "2025-01-01..2025-12-31",
        "Sign-ins of the administrator who had left",
        "Sign-ins of the account after the last day of the contract: none.\n",
    ),
    (
        "access-policy.md",
        "IAM-08",
        "2025-01-01..2025-12-31",
        "Access policy, version 7",
        "# Access policy\n\nWho owns a system reviews who gets in, every quarter, and never themselves.\n",
    ),
];

/// What to run next, and what it shows. The person is whoever was left behind, the day one on which they should have been gone.
const TOUR: [(&str, &str); 15] = [
    ("assess", "every control over the year: what held, what did not, what nobody can say"),
    ("assess --control CHG-11", "one of them: silence is neither a pass nor a deviation"),
    ("assess --control CHG-02", "who reviewed each change, by the code host's own word"),
    ("deviation list", "what went wrong, who sees to it until when, and what was allowed beforehand"),
    ("access --who PERSON --as-of DAY", "who could do what on a day, and who looked at it"),
    ("coverage", "where was looked, table by table, and where not"),
    ("criteria", "what follows for each criterion, for a person to decide"),
    ("control IAM-06", "a control in full: design, operation, owner"),
    ("scope list", "what is left out, by whom and since when"),
    ("commitments", "what was promised, and what answers to it"),
    ("flows", "where data goes, and the sub-processors that follow from it"),
    ("population list", "what was frozen for the auditor, every freeze"),
    ("sample verify", "the auditor's sample, drawn again"),
    ("verify", "from the bytes alone: nothing was altered since"),
    ("query 'SELECT count(*) AS deployments FROM deployment'", "any question to the records"),
];

/// Somebody who types command lines, in this workspace and at this time.
struct Teller<'a> {
    session: &'a Session,
    folder: &'a Path,
    demo: &'a Demo,
}

impl Teller<'_> {
    fn at(&self, now: Instant) -> Session {
        Session {
            environment: self.session.environment.clone(),
            named: Some(self.folder.to_owned()),
            now,
            clock: now,
            demo: Some(self.demo.clone()),
        }
    }

    /// Does what a command line says, at three in the afternoon of a day.
    fn on(&self, day: &str, command: &str) -> Result<String, Failure> {
        self.does(format!("{day}T15:00:00Z").parse()?, command)
    }

    fn today(&self, command: &str) -> Result<String, Failure> {
        self.does(self.demo.today, command)
    }

    fn json(&self, command: &str) -> Result<Json, Failure> {
        serde_json::from_str(&self.today(&format!("{command} --json"))?).map_err(Failure::of)
    }

    /// Does what a command line says, and gives what it would have printed.
    fn does(&self, now: Instant, command: &str) -> Result<String, Failure> {
        let words = std::iter::once("tickmark".to_owned()).chain(words(command));
        let arguments = Arguments::try_parse_from(words)
            .map_err(|e| Failure::of(format!("this program does not understand `{command}`: {e}")))?;
        output::kept(|| crate::execute(&self.at(now), arguments.command))
    }

    /// `--from … --to …` of the year.
    fn year(&self) -> String {
        format!("--from {} --to {}", self.demo.first_day, self.demo.last_day)
    }
}

/// The words of a command line, as a shell takes them apart: at spaces, but for what stands between single quotes. A quote is
/// `'\''`.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut within) = (vec![], None::<String>, false);
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match c {
            '\'' => {
                within = !within;
                word.get_or_insert_default();
            }
            '\\' if !within => word.get_or_insert_default().extend(characters.next()),
            ' ' if !within => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Tells the story, from the first decision to the sample that the auditor draws.
pub(crate) fn tell(session: &Session, folder: &Path, company: &Company, demo: &Demo) -> Result<(), Failure> {
    let teller = Teller { session, folder, demo };
    let bar = output::progress("building the company's year");
    before(&teller)?;
    import(&teller, &simulate::files(company), &bar)?;
    code_host(&teller, company, &bar)?;
    let found = register(&teller, company)?;
    deal_with(&teller, &found)?;
    audit(&teller)?;
    bar.finish_and_clear();
    Ok(())
}

/// What was decided before and in the year, each when it was.
fn before(teller: &Teller<'_>) -> Result<(), Failure> {
    // The ledger begins here, with the word that this is a demo. The key is theirs and stays: it is made aloud.
    let first = teller.at(format!("{OWNED}T15:00:00Z").parse()?);
    let (workspace, _) = first.open(&first.place()?)?;
    let controls = workspace.catalog.controls.iter();
    let controls: Vec<(String, String)> =
        controls.map(|(id, c)| (id.clone(), c.owner_role.to_lowercase().replace(' ', "-"))).collect();
    drop(workspace);
    for (id, owner) in &controls {
        teller.on(OWNED, &format!("control own {id} --owner {owner} --by compliance"))?;
    }
    for (id, owner) in &controls {
        teller.on(
            WALKED_THROUGH,
            &format!(
                "control design {id} --conclusion suitable --item 'the latest instance, walked through with {owner}' --for \
                 {WALKED_THROUGH} --reason 'does what it is for, as it is written' --by compliance"
            ),
        )?;
    }
    for (dimension, subject, reason) in OUT_OF_SCOPE {
        teller.on(
            "2024-12-17",
            &format!(
                "scope exclude {dimension} {subject} --from 2025-01-01 --approved-at 2024-12-17T10:00:00Z --approved-by board \
                 --approver-system tickmark --reason '{reason}' --by compliance --yes"
            ),
        )?;
    }
    for commitment in COMMITMENTS {
        teller.on(
            "2024-12-19",
            &format!(
                "record add commitment {commitment} valid_from=2025-01-01T05:00:00Z valid_to.constant=forever --by sales-lead --reason \
                 'what is promised for 2025'"
            ),
        )?;
    }
    for (day, command) in IN_THE_YEAR {
        teller.on(day, command)?;
    }
    Ok(())
}

/// Imports the company's files, as its systems exported them today: once the last instant that they cover was over.
fn import(teller: &Teller<'_>, files: &[File], bar: &indicatif::ProgressBar) -> Result<(), Failure> {
    let exports = teller.folder.join(EXPORTS);
    fs::create_dir_all(&exports).map_err(AppError::file("make the folder", &exports))?;
    let exported = Instant::from_ms(teller.demo.today.ms() + 1);
    for file in files {
        let path = |end: &str| exports.join(format!("{}.{end}", file.name));
        for (path, text) in [(path("csv"), &file.csv), (path("toml"), &file.mapping)] {
            fs::write(&path, text).map_err(AppError::file("write", &path))?;
        }
        let (csv, map) = (quoted(&path("csv")), quoted(&path("toml")));
        // A collector that was down for a while says of two times that it has everything, and nothing of the time between.
        for (from, to) in &file.covers {
            teller.does(
                exported,
                &format!("import {csv} --map {map} --source {} --covers {from}..{to} --yes", file.name),
            )?;
        }
        bar.inc(1);
    }
    let vendors = files.iter().find(|file| file.name == "vendors").map_or("", |file| &file.csv);
    flows(teller, vendors.lines().skip(1).filter_map(|line| line.split(',').next()))
}

/// Captures appended at once: one flush for all of them.
const CAPTURES_PER_APPEND: usize = 256;

/// Collects the company's code host, with the connector that collects anybody's, at every look of the year. It is served on this machine while
/// that lasts: no source is configured, since nothing is there to be asked afterwards. What the files know of logins comes first.
fn code_host(teller: &Teller<'_>, company: &Company, bar: &indicatif::ProgressBar) -> Result<(), Failure> {
    let session = teller.at(teller.demo.today);
    let (mut workspace, conventions) = session.open(&session.place()?)?;
    let host = simulate::code_host(company);
    let simulated = Simulated {
        known_as: simulate::CALLED.to_owned(),
        repositories: host.repositories(),
        looks: host.looks(),
        since: host.since(),
    };
    let answer = move |asked: &Asked, at| {
        let answer = host.answer(&asked.method, &asked.target, &asked.headers, at);
        Reply { status: answer.status, headers: answer.headers, body: answer.body }
    };
    let mut waiting = vec![];
    github::collect_simulated(&simulated, answer, &mut |capture| {
        bar.inc(1);
        waiting.push(capture);
        if waiting.len() == CAPTURES_PER_APPEND {
            workspace.append(&waiting)?;
            waiting.clear();
        }
        Ok(())
    })?;
    workspace.append(&waiting)?;
    let applied = workspace.catch_up(&|document: &model::Document<'_>| derive(document, &conventions))?;
    match applied.problems.first() {
        Some((entry, problem)) => Err(Failure::of(format!("ledger entry {entry}: {problem}"))),
        None => Ok(()),
    }
}

/// Where data goes: between the systems, and to three of the vendors.
fn flows<'v>(teller: &Teller<'_>, vendors: impl Iterator<Item = &'v str>) -> Result<(), Failure> {
    let mut ways = vec![
        ("customers outside", "db system".to_owned(), "customer 'what customers enter'"),
        ("idp system", "cloud system".to_owned(), "internal sign-in"),
        ("db system", "cloud system".to_owned(), "customer backups"),
        ("hub system", "cloud system".to_owned(), "internal deployment"),
    ];
    let data = ["personal receipts", "customer support", "internal statistics"];
    ways.extend(vendors.zip(data).map(|(vendor, data)| ("db system", format!("{vendor} vendor"), data)));
    for (number, (source, target, data)) in (1..).zip(&ways) {
        let ((source, source_kind), (target, target_kind)) = (halves(source), halves(target));
        let (class, purpose) = halves(data);
        teller.today(&format!(
            "record add data_flow key=f{number} source={source} source.kind={source_kind} target={target} \
             target.kind={target_kind} data_class={class} purpose={purpose} country=US starts_at=2025-01-01T05:00:00Z \
             ends_at=9999-12-31T23:59:59.999Z --by platform --reason 'drawn with the teams'"
        ))?;
    }
    Ok(())
}

fn halves(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

/// What the company knows of a case of its own.
fn seeded<'c>(company: &'c Company, case: &str) -> Option<&'c Seeded> {
    company.seeded().iter().find(|seeded| seeded.case == case)
}

/// The deviations enter the register, and people say what they are. Gives their names, by the case that made them.
fn register(teller: &Teller<'_>, company: &Company) -> Result<Vec<(&'static str, String)>, Failure> {
    teller.today(&format!("deviation register {} --by compliance", teller.year()))?;
    let listed = teller.json("deviation list")?;
    let mut known = vec![];
    for (case, said) in TRIAGE {
        let Some(seeded) = seeded(company, case) else { continue };
        let about = |d: &&Json| d["procedure"] == seeded.test && d["item"] == seeded.item.as_str();
        let found = listed["deviations"].as_array().into_iter().flatten().find(about);
        let Some(key) = found.and_then(|d| d["key"].as_str()) else { continue };
        teller.today(&format!("deviation triage {key} {said} --by compliance"))?;
        known.push((case, key.to_owned()));
    }
    Ok(known)
}

/// Evidence is added, and two deviations are closed: one after a retest, one because it is accepted.
fn deal_with(teller: &Teller<'_>, found: &[(&str, String)]) -> Result<(), Failure> {
    let folder = teller.folder.join(EXPORTS).join("evidence");
    fs::create_dir_all(&folder).map_err(AppError::file("make the folder", &folder))?;
    let mut entries = vec![];
    for (name, control, covers, title, text) in EVIDENCE {
        let path = folder.join(name);
        fs::write(&path, text).map_err(AppError::file("write", &path))?;
        let added = teller.today(&format!(
            "evidence add {} --control {control} --covers {covers} --title '{title}' --by compliance",
            quoted(&path)
        ))?;
        // `added TITLE as NUMBER: …`
        let number =
            added.rsplit_once(" as ").and_then(|(_, rest)| rest.split(':').next()).unwrap_or_default();
        entries.push(number.to_owned());
    }
    for (case, key) in found {
        match (*case, entries.first()) {
            ("story-vulnerability", Some(scan)) => {
                teller.today(&format!(
                    "deviation retest {key} --result pass --evidence {scan} --by security"
                ))?;
                teller.today(&format!("deviation close {key} --by security"))?;
            }
            ("story-hotfix", _) => {
                let why = "looked at two days late, and found to be right; a deputy is named since";
                teller.today(&format!("deviation close {key} --accept --reason '{why}' --by board"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The auditor lodges the hash of a nonce, populations are frozen, a witness vouches for them, and the auditor draws.
fn audit(teller: &Teller<'_>) -> Result<(), Failure> {
    let nonce = nonce(teller.demo);
    let hash = hex(&Sha256::digest(nonce));
    teller.today(&format!("sample nonce --hash {hash} --by audrey"))?;
    let year = teller.year();
    let frozen = teller.json(&format!(
        "population freeze --control CHG-05 --control VUL-02 {year} --by compliance --reason 'the audit of 2025'"
    ))?;
    anchor(teller)?;
    let mut populations = frozen.as_array().into_iter().flatten();
    let deployments = populations.find(|p| p["procedure"] == "deployment_traceable");
    if let Some(population) = deployments.and_then(|p| p["population"].as_u64()) {
        let nonce = hex(&nonce);
        let why = "test of CHG-05: what runs in production is what was built from what landed";
        teller.today(&format!(
            "sample draw {population} --size 25 --nonce {nonce} --by audrey --reason '{why}'"
        ))?;
    }
    Ok(())
}

/// Sixteen bytes that an auditor would have drawn by lot. Here they follow from the seed.
fn nonce(demo: &Demo) -> [u8; 16] {
    let digest = Sha256::digest(format!("the nonce of the demo {} {}", demo.people, demo.seed));
    std::array::from_fn(|at| digest[at])
}

/// Has the checkpoint cosigned without a network: by a witness of the demo's own, whose key nobody keeps. So it counts as our
/// own, which is what `verify` and the sample say of it.
fn anchor(teller: &Teller<'_>) -> Result<(), Failure> {
    let session = teller.at(teller.demo.today);
    let (mut workspace, _) = session.open(&session.place()?)?;
    let mut seed = [0; 32];
    entropy(&mut seed)?;
    let witness = NoteSigner::new("witness.example.test/demo", Algorithm::CosignatureV1, &seed)?;
    let seconds = u64::try_from(teller.demo.today.ms() / 1000).map_err(Failure::of)?;
    workspace.cosign(teller.demo.today, witness.verifier(), false, &mut |body| {
        let asked = body.parse::<AddCheckpoint>();
        let note = asked.and_then(|asked| Note::parse(asked.checkpoint.as_bytes()));
        let note = note.map_err(std::io::Error::other)?;
        Ok((200, format!("{}\n", witness.sign(&note.text, seconds))))
    })?;
    Ok(())
}

/// What happened, and what to run next to see it.
pub(crate) fn tour(folder: &Path, company: &Company, demo: &Demo) -> Result<(), Failure> {
    let tickmark = format!("tickmark --workspace {}", quoted(folder));
    line("")?;
    line(&format!(
        "{ORGANISATION}: {} people and their year, {} to {}, in {}",
        demo.people,
        demo.first_day,
        demo.last_day,
        folder.display()
    ))?;
    line("")?;
    for text in [
        "Most of it went well. A contractor's contract ended, and their way into the cloud as an administrator stayed",
        "open. A critical vulnerability waited for its fix. Customers' data lay unencrypted for four days. An emergency",
        "change was reviewed late; so was access to payments, which somebody had allowed beforehand. In July collectors",
        "were down for some days: who had allowed a flag to be switched then is forgotten, and so is who went around a rule",
        "of the code host: nobody can say, which is neither a pass nor a deviation. Who wrote, reviewed and tested the",
        "changes of the year was collected from the code host, at every look.",
    ] {
        line(text)?;
    }
    line("")?;
    line(&styled(BOLD, "The tour"))?;
    line(&format!("  alias demo={}", quoted(Path::new(&tickmark))))?;
    // A month after they should have been gone.
    let left = seeded(company, "story-leaver").and_then(|seeded| {
        let day = Instant::from_ms(company.ended(&seeded.item)?.ms() + 30 * 86_400_000);
        Some((company.address(&seeded.item)?, day.date_in(company.zone())))
    });
    let step = |(command, shows): &(&str, &str)| {
        let command = match &left {
            Some((who, day)) => command.replace("PERSON", who).replace("DAY", day),
            None => command.replace("--who PERSON --as-of DAY", "--system cloud"),
        };
        vec![format!("  demo {command}"), (*shows).to_owned()]
    };
    for row in aligned(&TOUR.iter().map(step).collect::<Vec<_>>()) {
        line(&row)?;
    }
    line("")?;
    line(&format!("The files that were imported lie in {}.", folder.join(EXPORTS).display()))?;
    line("Try whatever you like: decide, import, freeze. To be rid of all of it:")?;
    line(&format!("  {tickmark} demo --remove"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_line_is_taken_apart_as_a_shell_does() {
        // What `printf '[%s]' …` prints of the same line in a shell.
        let taken = |line: &str| words(line).iter().map(|w| format!("[{w}]")).collect::<String>();
        assert_eq!(taken("a  b 'c d' e'f g'h"), "[a][b][c d][ef gh]");
        assert_eq!(taken(r"--x '' 'it'\''s' y\ z"), "[--x][][it's][y z]");
        assert_eq!(taken(""), "");
    }
}
