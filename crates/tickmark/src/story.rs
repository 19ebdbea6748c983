//! What happens in a demo, told in the program's own command lines: each is run as somebody would have typed it, with a clock
//! that says when. The company's year comes from `simulate`, in files that are imported as anybody's are.

use std::fs;
use std::path::Path;

use app::{AppError, Demo};
use clap::Parser as _;
use model::Instant;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use simulate::{Company, File, Seeded};
use tlog::{AddCheckpoint, Algorithm, Note, NoteSigner};

use crate::command::Arguments;
use crate::failure::Failure;
use crate::output::{self, BOLD, aligned, line, styled};
use crate::session::{Session, entropy};

/// The company's name.
pub(crate) const ORGANISATION: &str = "Quillbrook (simulated)";
/// The folder with the files that were imported.
pub(crate) const EXPORTS: &str = "exports";

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
            demo: Some(self.demo.clone()),
        }
    }

    /// Does what a command line says, and gives what it printed.
    fn does(&self, now: Instant, words: &[&str]) -> Result<String, Failure> {
        let told = |e: &dyn std::fmt::Display| Failure::of(format!("`tickmark {}`: {e}", words.join(" ")));
        let line = std::iter::once(&"tickmark").chain(words);
        let arguments = Arguments::try_parse_from(line).map_err(|e| told(&e))?;
        output::kept(|| crate::execute(&self.at(now), arguments.command))
    }

    fn json(&self, now: Instant, words: &[&str]) -> Result<Json, Failure> {
        serde_json::from_str(&self.does(now, words)?).map_err(Failure::of)
    }

    fn today(&self, words: &[&str]) -> Result<String, Failure> {
        self.does(self.demo.today, words)
    }
}

/// Tells the story, from the first decision to the sample that the auditor draws.
pub(crate) fn tell(session: &Session, folder: &Path, company: &Company, demo: &Demo) -> Result<(), Failure> {
    let teller = Teller { session, folder, demo };
    let bar = output::progress("building the company's year");
    // The ledger begins with the word that this is a demo. The key is theirs and stays: it is made aloud.
    let first = teller.at(day("2024-12-02"));
    first.open(&first.place()?)?;
    before(&teller)?;
    import(&teller, &simulate::files(company), company, &bar)?;
    let found = after(&teller, company)?;
    evidence(&teller, &found)?;
    audit(&teller)?;
    bar.finish_and_clear();
    Ok(())
}

/// Three in the afternoon of a day, UTC.
fn day(day: &str) -> Instant {
    format!("{day}T15:00:00Z").parse().unwrap_or(Instant::BEGINNING)
}

/// What was decided before and in the year, each when it was.
fn before(teller: &Teller<'_>) -> Result<(), Failure> {
    let controls = {
        let session = teller.at(day("2024-12-02"));
        let (workspace, _) = session.open(&session.place()?)?;
        let named = |id: &String| {
            let control = &workspace.catalog.controls[id];
            (id.clone(), control.owner_role.to_lowercase().replace(' ', "-"))
        };
        workspace.catalog.controls.keys().map(named).collect::<Vec<_>>()
    };
    for (id, owner) in &controls {
        teller.does(day("2024-12-02"), &["control", "own", id, "--owner", owner, "--by", "compliance"])?;
    }
    for (id, owner) in &controls {
        let walked = format!("the latest instance, walked through with {owner}");
        teller.does(
            day("2024-12-16"),
            &[
                "control",
                "design",
                id,
                "--conclusion",
                "suitable",
                "--item",
                &walked,
                "--for",
                "2024-12-16",
                "--reason",
                "does what it is for, as it is written",
                "--by",
                "compliance",
            ],
        )?;
    }
    for (dimension, subject, reason) in [
        ("environment", "staging", "holds invented data only"),
        ("region", "north-4", "switched off; nothing may be kept there"),
        ("category", "privacy", "no promise about it is made to customers this year"),
        ("category", "processing_integrity", "nothing is settled or billed by the service"),
    ] {
        let mut words = vec![
            "scope",
            "exclude",
            dimension,
            subject,
            "--from",
            "2025-01-01",
            "--approved-at",
            "2024-12-17T10:00:00Z",
            "--approved-by",
            "board",
            "--approver-system",
            "tickmark",
            "--reason",
            reason,
            "--by",
            "compliance",
            "--yes",
        ];
        if dimension != "category" {
            words.push("--anyway");
        }
        teller.does(day("2024-12-17"), &words)?;
    }
    for (key, label, title, kind, control, more) in [
        (
            "sla-1",
            "Uptime of the API",
            "The API is up 99.9 % of each month",
            "sla",
            "AVL-03",
            &["metric=api", "objective_ppm=999000"][..],
        ),
        (
            "sla-2",
            "Uptime of the web application",
            "The web application is up 99.9 % of each month",
            "sla",
            "AVL-03",
            &["metric=web", "objective_ppm=999000"][..],
        ),
        (
            "dpa-4",
            "Encryption",
            "Customers' data is encrypted wherever it is stored",
            "contract",
            "CRY-02",
            &[][..],
        ),
        (
            "web-2",
            "Fixing critical vulnerabilities",
            "Critical vulnerabilities are fixed within a week",
            "website",
            "VUL-02",
            &[][..],
        ),
    ] {
        let values = [
            format!("key={key}"),
            format!("label={label}"),
            format!("display.title={title}"),
            format!("kind={kind}"),
            format!("control={control}"),
        ];
        let mut words = vec!["record", "add", "commitment"];
        words.extend(values.iter().map(String::as_str));
        words.extend([
            "valid_from=2025-01-01T05:00:00Z",
            "valid_to.constant=forever",
            "--by",
            "sales-lead",
            "--reason",
            "what is promised for 2025",
        ]);
        words.extend(more);
        teller.does(day("2024-12-19"), &words)?;
    }
    teller.does(
        day("2025-06-12"),
        &[
            "parameter",
            "set",
            "security_training",
            "joiner_days",
            "28",
            "--from",
            "2025-07-01",
            "--reason",
            "policy 4.3: four weeks instead of thirty days",
            "--approved-by",
            "board",
            "--approved-at",
            "2025-06-12T09:00:00Z",
            "--by",
            "compliance",
        ],
    )?;
    teller.does(
        day("2025-09-22"),
        &[
            "waiver", "add", "W-1", "--control", "IAM-08", "--item", "pay", "--from", "2025-10-01", "--to", "2026-01-09", "--reason",
            "payments moves to another provider in December; its review of the last quarter may end in the first week of January",
            "--approved-by", "board", "--approved-at", "2025-09-22", "--by", "it",
        ],
    )?;
    Ok(())
}

/// Imports the company's files, as its systems exported them today.
fn import(
    teller: &Teller<'_>,
    files: &[File],
    company: &Company,
    bar: &indicatif::ProgressBar,
) -> Result<(), Failure> {
    let exports = teller.folder.join(EXPORTS);
    fs::create_dir_all(&exports).map_err(AppError::file("make the folder", &exports))?;
    for file in files {
        let path = |end: &str| exports.join(format!("{}.{end}", file.name));
        for (path, text) in [(path("csv"), &file.csv), (path("toml"), &file.mapping)] {
            fs::write(&path, text).map_err(AppError::file("write", &path))?;
        }
        let (csv, map) = (path("csv").display().to_string(), path("toml").display().to_string());
        // A collector that was down for a while says of two times that it has everything, and nothing of the time between.
        for (from, to) in &file.covers {
            let covers = format!("{from}..{to}");
            teller.today(&[
                "import", &csv, "--map", &map, "--source", file.name, "--covers", &covers, "--yes",
            ])?;
        }
        bar.inc(1);
    }
    flows(teller, files, company)
}

/// Where data goes: from the systems to those vendors who keep it.
fn flows(teller: &Teller<'_>, files: &[File], _: &Company) -> Result<(), Failure> {
    let vendors: Vec<&str> = files
        .iter()
        .find(|file| file.name == "vendors")
        .map(|file| file.csv.lines().skip(1).filter_map(|line| line.split(',').next()).collect())
        .unwrap_or_default();
    let mut way = vec![
        (
            "customers".to_owned(),
            "outside",
            "db".to_owned(),
            "system",
            "customer",
            "what customers enter",
            "US",
        ),
        ("idp".to_owned(), "system", "cloud".to_owned(), "system", "internal", "sign-in", "US"),
        ("db".to_owned(), "system", "cloud".to_owned(), "system", "customer", "backups", "US"),
        ("hub".to_owned(), "system", "cloud".to_owned(), "system", "internal", "deployment", "US"),
    ];
    let data = [("personal", "receipts"), ("customer", "support"), ("internal", "statistics")];
    for (vendor, (class, purpose)) in vendors.iter().zip(data) {
        way.push(("db".to_owned(), "system", (*vendor).to_owned(), "vendor", class, purpose, "US"));
    }
    for (number, (source, source_kind, target, target_kind, class, purpose, country)) in (1..).zip(way) {
        let values = [
            format!("key=f{number}"),
            format!("source={source}"),
            format!("source.kind={source_kind}"),
            format!("target={target}"),
            format!("target.kind={target_kind}"),
            format!("data_class={class}"),
            format!("purpose={purpose}"),
            format!("country={country}"),
        ];
        let mut words = vec!["record", "add", "data_flow"];
        words.extend(values.iter().map(String::as_str));
        words.extend([
            "starts_at=2025-01-01T05:00:00Z",
            "ends_at=9999-12-31T23:59:59.999Z",
            "--by",
            "platform",
            "--reason",
            "drawn with the teams",
        ]);
        teller.today(&words)?;
    }
    Ok(())
}

/// The deviations of the year by what they are about: procedure and item.
struct InRegister(Vec<(String, String, String)>);

impl InRegister {
    fn key(&self, seeded: Option<&Seeded>) -> Option<&str> {
        let seeded = seeded?;
        let found = self.0.iter().find(|(_, test, item)| test == seeded.test && *item == seeded.item);
        found.map(|(key, ..)| key.as_str())
    }
}

fn seeded<'c>(company: &'c Company, case: &str) -> Option<&'c Seeded> {
    company.seeded().iter().find(|seeded| seeded.case == case)
}

/// The deviations enter the register, and most of them are dealt with.
fn after<'c>(teller: &Teller<'_>, company: &'c Company) -> Result<Vec<(&'c str, String)>, Failure> {
    let (from, to) = (teller.demo.first_day.as_str(), teller.demo.last_day.as_str());
    teller.today(&["deviation", "register", "--from", from, "--to", to, "--by", "compliance"])?;
    let listed = teller.json(teller.demo.today, &["deviation", "list", "--json"])?;
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let all = listed["deviations"].as_array().into_iter().flatten();
    let register =
        InRegister(all.map(|d| (text(&d["key"]), text(&d["procedure"]), text(&d["item"]))).collect());
    let mut known = vec![];
    for (case, words) in [
        (
            "story-leaver",
            [
                "--severity",
                "high",
                "--cause",
                "the contract ended by itself, and only a notice makes IT close what somebody has",
                "--exposure",
                "an administrator's way into the cloud for 89 days; its log shows no sign-in",
                "--response",
                "the end of a contract opens a ticket for IT by itself",
                "--owner",
                "it",
                "--due",
                "2026-02-27",
                "--by",
                "compliance",
            ],
        ),
        (
            "story-vulnerability",
            [
                "--severity",
                "critical",
                "--cause",
                "the fix waited for a release of the library that broke the build",
                "--exposure",
                "the sign-in page could be reached with it for 16 days more than allowed; nothing in the logs points to its use",
                "--response",
                "critical ones may leave the release train",
                "--owner",
                "engineering",
                "--due",
                "2026-02-06",
                "--by",
                "compliance",
            ],
        ),
        (
            "bare-for-days",
            [
                "--severity",
                "high",
                "--cause",
                "a copy made for a move was created by hand, without the template",
                "--exposure",
                "customers' data in it for four days, inside of the company's own network",
                "--response",
                "creating storage outside of the template is refused by the cloud's own policy",
                "--owner",
                "platform",
                "--due",
                "2026-01-30",
                "--by",
                "compliance",
            ],
        ),
        (
            "story-hotfix",
            [
                "--severity",
                "low",
                "--cause",
                "whoever was to review it was on leave, and nobody stood in",
                "--exposure",
                "two business days longer than allowed; the change was found to be right",
                "--response",
                "the on-call list names a deputy",
                "--owner",
                "engineering-lead",
                "--due",
                "2026-02-20",
                "--by",
                "compliance",
            ],
        ),
    ] {
        if let Some(key) = register.key(seeded(company, case)) {
            let mut line = vec!["deviation", "triage", key];
            line.extend(words);
            teller.today(&line)?;
            known.push((case, key.to_owned()));
        }
    }
    Ok(known)
}

/// Files that show something, and what follows from them.
fn evidence(teller: &Teller<'_>, found: &[(&str, String)]) -> Result<(), Failure> {
    let folder = teller.folder.join(EXPORTS).join("evidence");
    fs::create_dir_all(&folder).map_err(AppError::file("make the folder", &folder))?;
    let mut entries = vec![];
    for (name, control, covers, title, text) in [
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
    ] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(AppError::file("write", &path))?;
        let path = path.display().to_string();
        let added = teller.today(&[
            "evidence",
            "add",
            &path,
            "--control",
            control,
            "--covers",
            covers,
            "--title",
            title,
            "--by",
            "compliance",
        ])?;
        // `added TITLE as N: …`
        let number =
            added.split(" as ").nth(1).and_then(|rest| rest.split(':').next()).unwrap_or_default().to_owned();
        entries.push((name, number));
    }
    let entry = entries.iter().find(|(name, _)| name.starts_with("scan")).map_or("", |(_, number)| number);
    for (case, key) in found {
        match *case {
            "story-vulnerability" => {
                teller.today(&[
                    "deviation",
                    "retest",
                    key,
                    "--result",
                    "pass",
                    "--evidence",
                    entry,
                    "--by",
                    "security",
                ])?;
                teller.today(&["deviation", "close", key, "--by", "security"])?;
            }
            "story-hotfix" => {
                teller.today(&[
                    "deviation",
                    "close",
                    key,
                    "--accept",
                    "--reason",
                    "looked at, two days late, and right; a deputy is named since",
                    "--by",
                    "board",
                ])?;
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
    teller.today(&["sample", "nonce", "--hash", &hash, "--by", "audrey"])?;
    let (from, to) = (teller.demo.first_day.as_str(), teller.demo.last_day.as_str());
    let frozen = teller.json(
        teller.demo.today,
        &[
            "population",
            "freeze",
            "--control",
            "CHG-05",
            "--control",
            "VUL-02",
            "--from",
            from,
            "--to",
            to,
            "--by",
            "compliance",
            "--reason",
            "the audit of 2025",
            "--json",
        ],
    )?;
    anchor(teller)?;
    let of = |procedure: &str| {
        let all = frozen.as_array().into_iter().flatten();
        all.filter(|p| p["procedure"] == procedure)
            .find_map(|p| p["population"].as_u64())
            .map(|n| n.to_string())
    };
    if let Some(population) = of("deployment_traceable") {
        teller.today(&[
            "sample",
            "draw",
            &population,
            "--size",
            "25",
            "--nonce",
            &hex(&nonce),
            "--by",
            "audrey",
            "--reason",
            "test of CHG-05: is what runs in production what was built from what landed?",
        ])?;
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    crate::import::hex(bytes)
}

/// Sixteen bytes that an auditor would have drawn by lot. Here they follow from the seed, so that the demo is the same again.
fn nonce(demo: &Demo) -> [u8; 16] {
    let digest = Sha256::digest(format!("the nonce of tickmark's demo {} {}", demo.people, demo.seed));
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
        let cosigned =
            body.parse::<AddCheckpoint>().and_then(|asked| Note::parse(asked.checkpoint.as_bytes()));
        let note = cosigned.map_err(std::io::Error::other)?;
        Ok((200, format!("{}\n", witness.sign(&note.text, seconds))))
    })?;
    Ok(())
}

/// What to run next, and what each shows.
pub(crate) fn tour(folder: &Path, company: &Company, demo: &Demo) -> Result<(), Failure> {
    let who = seeded(company, "story-leaver").and_then(|seeded| company.address(&seeded.item));
    let tickmark = format!("tickmark{}", crate::demo::named(folder));
    line("")?;
    line(&format!(
        "{ORGANISATION}: {} people and their year {} to {}, in {}",
        demo.people,
        demo.first_day,
        demo.last_day,
        folder.display()
    ))?;
    line("")?;
    for text in [
        "The year went well, mostly. A contractor's contract ended and an administrator's way into the cloud stayed",
        "open. A critical vulnerability waited for its fix. Customers' data lay unencrypted for four days. An emergency",
        "change was reviewed late, and a review of access, too, which somebody had allowed. And for some days in July",
        "nobody collected who had allowed deployments: of those, nobody can say.",
    ] {
        line(text)?;
    }
    line("")?;
    line(&styled(BOLD, "The tour"))?;
    line(&format!("  alias demo='{}'", tickmark.replace('\'', r"'\''")))?;
    let of = |who: &str| format!("access --who {who} --as-of {}", demo.last_day);
    let access = who.map_or_else(|| "access --system cloud".to_owned(), |who| of(&who));
    let steps = [
        ("assess", "every control over the year: what held, what did not, and what nobody can say"),
        ("assess --control CHG-06", "one of them: silence is no pass and no deviation"),
        ("deviation list", "what went wrong, who sees to it until when, and what was allowed beforehand"),
        (access.as_str(), "who could do what on a day, and who never looked at it"),
        ("coverage", "where was looked, day by day, and where not"),
        ("criteria", "what follows for each trust services criterion"),
        ("control IAM-06", "a control in full: its design, its operation, its owner"),
        ("scope list", "what is left out, by whom and since when"),
        ("commitments", "what was promised, and what answers to it"),
        ("flows", "where data goes, and the sub-processors that follow from it"),
        ("population list", "what was frozen for the auditor, every freeze"),
        ("sample verify", "the auditor's sample, drawn again"),
        ("verify", "from the bytes alone: nothing was altered since"),
        ("query \"SELECT count(*) AS deployments FROM deployment\"", "any question to the records"),
    ];
    let rows: Vec<Vec<String>> =
        steps.iter().map(|(what, shows)| vec![format!("  demo {what}"), (*shows).to_owned()]).collect();
    for row in aligned(&rows) {
        line(&row)?;
    }
    line("")?;
    line(&format!(
        "The files that were imported lie in {}, with what their columns mean.",
        folder.join(EXPORTS).display()
    ))?;
    line("Try whatever you like: decide, import, freeze. To be rid of all of it:")?;
    line(&format!("  {tickmark} demo --remove"))?;
    Ok(())
}
