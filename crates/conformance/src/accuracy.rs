//! How right the product is about companies of which everything is known: a simulated company's files are imported, its year is
//! assessed, and every verdict laid beside the truth.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use app::{AssessmentQuestion, Opening, ProcedureReport, Report, Workspace};
use collect::{Asked, Reply};
use connectors::git::Conventions;
use connectors::github::{self, Simulated};
use connectors::import::{self, COLLECTOR, Format, Mapping, Shape};
use model::{
    Attribute, Capture, Coverage, CoverageStatus, Document, Instant, Receipt, Verdict, Window,
    parse_date_range,
};
use serde_json::json;
use simulate::{Company, Expect, File, Kind, Seeded, Shape as CompanyShape, Truth};

/// What was measured of one test, or of several together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Measured {
    /// Items of the population.
    pub items: usize,
    /// Verdicts that should be deviations, and those of them that are.
    pub deviations: (usize, usize),
    /// Items that look like deviations and are none, and those of them that are judged so.
    pub near_misses: (usize, usize),
    /// Items of which nobody can say, or a person has to, and those of them that are judged so.
    pub open: (usize, usize),
    /// Deviations where there is none.
    pub extra: usize,
    /// Verdicts that are unknown, where enough is known.
    pub unknown: usize,
    /// Everything that is not as it should be, in words.
    pub wrong: Vec<String>,
}

impl Measured {
    /// Adds what was measured elsewhere.
    pub fn add(&mut self, other: &Self) {
        let pair = |a: &mut (usize, usize), b: (usize, usize)| *a = (a.0 + b.0, a.1 + b.1);
        self.items += other.items;
        pair(&mut self.deviations, other.deviations);
        pair(&mut self.near_misses, other.near_misses);
        pair(&mut self.open, other.open);
        self.extra += other.extra;
        self.unknown += other.unknown;
        self.wrong.extend(other.wrong.iter().cloned());
    }

    /// Of the seeded deviations, how many were found.
    #[must_use]
    pub fn recall(&self) -> Share {
        Share { part: self.deviations.1, whole: self.deviations.0 }
    }

    /// Of the deviations that were found, how many are some.
    #[must_use]
    pub fn precision(&self) -> Share {
        Share { part: self.deviations.1, whole: self.deviations.1 + self.extra }
    }
}

/// A share of something; all of nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// How many are.
    pub part: usize,
    /// Of how many.
    pub whole: usize,
}

impl fmt::Display for Share {
    /// In per cent, rounded down: 100 only where nothing is missing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.whole {
            0 => f.pad("–"),
            _ if self.part == self.whole => f.pad("100 %"),
            whole => f.pad(&format!("{}.{} %", self.part * 100 / whole, self.part * 1000 / whole % 10)),
        }
    }
}

/// A company's year as the product judges it: the period, and its last day.
#[derive(Debug)]
pub struct Judged {
    /// The period.
    pub period: Report,
    /// The last instant of its last day.
    pub last_day: Report,
}

/// Imports the files into a new workspace in a folder, collects the code host, and assesses.
///
/// # Errors
/// Whatever cannot be read, imported or assessed, in words.
pub fn judge(folder: &Path, company: &Company, files: &[File]) -> Result<Judged, String> {
    let said = |error: app::AppError| error.to_string();
    app::init(folder, "").map_err(said)?;
    let mut counter = 0_u64;
    // Randomness that tells nobody anything: this workspace is thrown away.
    let entropy = move |bytes: &mut [u8]| {
        for byte in bytes {
            counter = counter.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (counter >> 33) as u8;
        }
        Ok(())
    };
    let now = company.cutoff();
    let mut workspace = Workspace::open(Opening {
        folder: folder.to_owned(),
        wrapping_key: [7; 32],
        entropy: Box::new(entropy),
        conventions: json!({}),
        now,
        judging: true,
    })
    .map_err(said)?;
    let mut captures = vec![];
    for file in files {
        captures.extend(captured(&workspace, file, now)?);
    }
    workspace.append(&captures).map_err(said)?;
    workspace.append(&collected(company)?).map_err(said)?;
    let applied = workspace.catch_up(&derive).map_err(said)?;
    if let Some((entry, problem)) = applied.problems.first() {
        return Err(format!("entry {entry}: {problem}"));
    }
    let (first, last) = company.days();
    let period = parse_date_range(&first, &last, company.zone()).map_err(|e| e.to_string())?;
    let end = period.last();
    let period = workspace.assess(&AssessmentQuestion::over(period, now)).map_err(said)?;
    let last_day = workspace.assess(&AssessmentQuestion::at(end, company.zone(), now)).map_err(said)?;
    Ok(Judged { period, last_day })
}

fn derive(document: &Document<'_>) -> model::Derived {
    match document.receipt.collector.split('/').next() {
        Some("import") => import::derive(document),
        Some("github") => github::derive(document, &Conventions::default()),
        _ => model::Derived::default(),
    }
}

/// What GitHub's connector makes of the company's code host: each repository, at every look of the year.
///
/// # Errors
/// What cannot be served or collected at all, in words.
pub fn collected(company: &Company) -> Result<Vec<Capture>, String> {
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
    let mut captures = vec![];
    github::collect_simulated(&simulated, answer, &mut |capture| {
        captures.push(capture);
        Ok(())
    })
    .map_err(|error| error.to_string())?;
    Ok(captures)
}

/// The captures of a file, as `tickmark import` makes them: one for each window that it covers.
fn captured(workspace: &Workspace, file: &File, now: Instant) -> Result<Vec<Capture>, String> {
    let in_file = |error: String| format!("{}: {error}", file.name);
    let mapping = Mapping::parse(&file.mapping).map_err(|e| in_file(e.to_string()))?;
    let table = workspace.catalog.table(&mapping.table).ok_or_else(|| in_file("no such table".to_owned()))?;
    let opened = import::File::open(file.csv.as_bytes(), Format::Csv, mapping.encoding, mapping.delimiter)
        .map_err(in_file)?;
    let shape = Shape {
        format: Format::Csv,
        encoding: opened.encoding,
        delimiter: opened.delimiter,
        header: opened.header,
        header_here: true,
        first_line: 1,
        kind: table.kind,
        columns: import::columns_of(table),
    };
    mapping.plan(shape.kind, &shape.columns, &shape.header).map_err(|e| in_file(e.to_string()))?;
    let stream = table.fed_by.iter().find_map(|s| s.strip_prefix("import.")).unwrap_or(&table.name);
    let of_window = |window: &(Instant, Instant)| {
        let (from, to) = *window;
        Capture {
            receipt: Receipt {
                source: format!("import:{}", file.name),
                stream: stream.to_owned(),
                media_type: "text/csv".to_owned(),
                collected_at: now,
                collector: COLLECTOR.to_owned(),
                request: format!("the file {}.csv", file.name),
                status: None,
                server_date: None,
                page: 0,
                coverage: Some(Coverage {
                    status: CoverageStatus::Complete,
                    window: Window { from, to },
                    reason: String::new(),
                }),
                cursor: None,
                context: json!({
                    "mapping": file.mapping,
                    "shape": shape,
                    "file": file.name,
                    "covers": { "from": from.ms(), "to": to.ms(), "scopes": mapping.covered() },
                }),
                redacted: vec![],
            },
            body: file.csv.clone().into_bytes(),
        }
    };
    Ok(file.covers.iter().map(of_window).collect())
}

/// Lays what was judged beside the truth, test by test.
#[must_use]
pub fn measure(truth: &Truth, judged: &Judged) -> BTreeMap<String, Measured> {
    let mut all = BTreeMap::new();
    for test in &truth.nothing_else {
        let seeded: Vec<&Seeded> = truth.seeded.iter().filter(|s| s.test == *test).collect();
        let mut measured = Measured::default();
        match judged.period.procedures.iter().find(|p| p.id == *test) {
            Some(report) => {
                let unproven: Vec<Attribute> =
                    truth.unproven.iter().filter(|(t, ..)| t == test).map(|(_, a, _)| *a).collect();
                let dark = truth.dark.contains(test);
                Beside { test, report, seeded: &seeded, unproven: &unproven, dark }
                    .over_the_period(&mut measured);
                if truth.did_not_operate.iter().any(|(t, _)| t == test)
                    && report.conclusion != Some(model::Conclusion::DidNotOperate)
                {
                    measured
                        .wrong
                        .push(format!("{test}: nothing came up, and it concludes {:?}", report.conclusion));
                }
            }
            None => measured.wrong.push(format!("{test}: was not asked")),
        }
        if let Some(report) = judged.last_day.procedures.iter().find(|p| p.id == *test) {
            Beside { test, report, seeded: &seeded, unproven: &[], dark: false }
                .on_the_last_day(&mut measured);
        }
        all.insert((*test).to_owned(), measured);
    }
    all
}

/// One test's answer, and what was seeded for it.
struct Beside<'a> {
    test: &'a str,
    report: &'a ProcedureReport,
    seeded: &'a [&'a Seeded],
    unproven: &'a [Attribute],
    dark: bool,
}

type Verdicts = BTreeMap<Attribute, Verdict>;

impl Beside<'_> {
    fn items(&self) -> Vec<(&str, Option<&str>, Instant, &Verdicts)> {
        self.report
            .items
            .iter()
            .map(|i| (i.item.as_str(), i.scope.as_deref(), i.occurred_at, &i.verdicts))
            .collect()
    }

    /// The seeded things that are about an item.
    fn about<'s>(&'s self, item: &str, scope: Option<&str>, at: Instant) -> impl Iterator<Item = &'s Seeded> {
        self.seeded.iter().copied().filter(move |s| {
            s.item == item
                && s.within.as_deref().is_none_or(|within| scope == Some(within))
                && s.at.is_none_or(|instant| instant == at)
        })
    }

    fn over_the_period(&self, measured: &mut Measured) {
        let items = self.items();
        measured.items = items.len();
        for seeded in self.seeded {
            let found: Vec<&Verdicts> = items
                .iter()
                .filter(|(item, scope, at, _)| {
                    self.about(item, *scope, *at).any(|s| std::ptr::eq(s, *seeded))
                })
                .map(|(.., verdicts)| *verdicts)
                .collect();
            self.one(seeded, &found, measured);
        }
        for (item, scope, at, verdicts) in &items {
            for (attribute, verdict) in *verdicts {
                let claimed = self.about(item, *scope, *at).any(|s| claims(s, *attribute));
                let place = scope.map(|s| format!(" within {s}")).unwrap_or_default();
                match verdict {
                    Verdict::Deviation if !claimed => {
                        measured.extra += 1;
                        measured.wrong.push(format!(
                            "{}: {item}{place} at {at}, attribute {attribute} deviates, and nobody made it",
                            self.test
                        ));
                    }
                    Verdict::NoEvidence | Verdict::NeedsJudgement
                        if !claimed && !self.dark && !self.unproven.contains(attribute) =>
                    {
                        measured.unknown += 1;
                        measured.wrong.push(format!(
                            "{}: {item}{place} at {at}, attribute {attribute} is {verdict}, and enough is known",
                            self.test
                        ));
                    }
                    _ => {}
                }
            }
        }
    }

    fn one(&self, seeded: &Seeded, found: &[&Verdicts], measured: &mut Measured) {
        let wrong = |found: &str| {
            let within = seeded.within.as_deref().map(|w| format!(" within {w}")).unwrap_or_default();
            format!(
                "{} {}: {}{within} should be {}, and is {found}: {}",
                self.test,
                seeded.case,
                seeded.item,
                words(&seeded.expect),
                seeded.why
            )
        };
        let right = match (&seeded.expect, found) {
            (Expect::Absent, found) => found.is_empty(),
            (Expect::Says(says), [verdicts]) => {
                for (attribute, expected) in says {
                    if *expected == Verdict::Deviation {
                        measured.deviations.0 += 1;
                        measured.deviations.1 += usize::from(verdicts.get(attribute) == Some(expected));
                    } else if verdicts.get(attribute) == Some(&Verdict::Deviation) {
                        measured.extra += 1;
                    }
                }
                says.iter().all(|(attribute, expected)| verdicts.get(attribute) == Some(expected))
            }
            (Expect::Says(says), _) => {
                measured.deviations.0 += says.iter().filter(|(_, v)| *v == Verdict::Deviation).count();
                false
            }
        };
        let tally = match seeded.kind() {
            Kind::Deviation => None,
            Kind::NearMiss => Some(&mut measured.near_misses),
            Kind::Open => Some(&mut measured.open),
        };
        if let Some(tally) = tally {
            *tally = (tally.0 + 1, tally.1 + usize::from(right));
        }
        if !right {
            let is = match found {
                [] => "in no population".to_owned(),
                [verdicts] => plain(verdicts.iter()),
                several => format!("there {} times", several.len()),
            };
            measured.wrong.push(wrong(&is));
        }
    }

    /// What holds on the last day: what is claimed of it, and no other deviation.
    fn on_the_last_day(&self, measured: &mut Measured) {
        for (item, scope, at, verdicts) in self.items() {
            let about: Vec<&Seeded> = self.about(item, scope, at).collect();
            for (attribute, verdict) in verdicts {
                let told = about.iter().find_map(|s| s.last_day.iter().find(|(a, _)| a == attribute));
                match told {
                    Some((_, expected)) if expected != verdict => measured.wrong.push(format!(
                        "{} on the last day: {item}, attribute {attribute} should be {expected}, and is {verdict}",
                        self.test
                    )),
                    None if *verdict == Verdict::Deviation => {
                        measured.extra += 1;
                        measured.wrong.push(format!(
                            "{} on the last day: {item}, attribute {attribute} deviates, and nobody made it",
                            self.test
                        ));
                    }
                    _ => {}
                }
            }
        }
    }
}

fn claims(seeded: &Seeded, attribute: Attribute) -> bool {
    match &seeded.expect {
        Expect::Says(says) => says.iter().any(|(a, _)| *a == attribute),
        Expect::Absent => true,
    }
}

fn words(expect: &Expect) -> String {
    match expect {
        Expect::Absent => "in no population".to_owned(),
        Expect::Says(says) => plain(says.iter().map(|(a, v)| (a, v))),
    }
}

fn plain<'v>(verdicts: impl Iterator<Item = (&'v Attribute, &'v Verdict)>) -> String {
    verdicts.map(|(attribute, verdict)| format!("{attribute} {verdict}")).collect::<Vec<_>>().join(", ")
}

/// A company's shape, by its seed.
pub type ShapeOf = fn(u64) -> CompanyShape;

/// The shapes over which accuracy is measured.
pub const SHAPES: &[(&str, ShapeOf)] = &[
    ("fifty people in New York, the year 2025", |seed| CompanyShape { seed, ..CompanyShape::default() }),
    ("twenty people, everything exported in the instant in which the period ends, in UTC", |seed| {
        CompanyShape {
            seed,
            people: 20,
            systems: 4,
            repositories: 1,
            cutoff_days: 0,
            zone: "UTC".to_owned(),
            ..CompanyShape::default()
        }
    }),
    ("a hundred and twenty people in Berlin, half a year from July 2024, each case twice", |seed| {
        CompanyShape {
            seed,
            people: 120,
            systems: 10,
            repositories: 6,
            from: jiff::civil::Date::constant(2024, 7, 1),
            days: 184,
            cutoff_days: 45,
            zone: "Europe/Berlin".to_owned(),
            violations: 2,
            ..CompanyShape::default()
        }
    }),
    ("fifty people, collectors down for four days, and a policy that changed in the year", |seed| {
        CompanyShape { seed, outages: true, policy_change: true, ..CompanyShape::default() }
    }),
    ("eighty people who do nothing wrong, and nothing fires", |seed| CompanyShape {
        seed,
        people: 80,
        systems: 8,
        violations: 0,
        quiet: true,
        ..CompanyShape::default()
    }),
];

/// Every nasty case of the list that the verdicts are held to.
pub const CASES: &str = "N01 N02 N03 N04 N05 N07 N09 N10 N11 N12 N14 N15 N17 N18 N19 N21 N23 N24 N26 N27 N29 N30 N32 N33 N35 N37 N38 \
                         N39 N41 N42 N44 N46 N47 N48 N50 N51 N52 N54 N55 N57 N58 N60 N61 N63 N65 N66 N67 N68 N69 N71 N73 N75 N76 \
                         N77 N78 N80 N81 N83 N84 N85 N87 N89 N90 N92 N93 N95 N96 N97 N99 N100";

/// Nasty cases that no company has, and why.
pub const NOT_SEEDED: &[(&str, &str)] = &[
    ("N95", "about samples, which the tests of populations and samples hold"),
    ("N96", "about samples, which the tests of populations and samples hold"),
    ("N99", "a workspace is one organisation"),
    ("N100", "held by the ledger's own tests"),
];

/// What is known to be judged wrong, by test and case, and why: it is counted as wrong all the same.
pub const KNOWN: &[(&str, &str)] = &[];

/// Whether something that is wrong is named above, with its reason.
#[must_use]
pub fn is_known(wrong: &str) -> bool {
    KNOWN.iter().any(|(case, _)| wrong.strip_prefix(case).is_some_and(|rest| rest.starts_with(':')))
}

type Runs = BTreeMap<(usize, u64), (Company, BTreeMap<String, Measured>)>;

/// The page that says how right the product is.
#[must_use]
pub fn page(runs: &Runs) -> String {
    let mut by_test: BTreeMap<&str, Measured> = BTreeMap::new();
    let mut by_shape: BTreeMap<usize, Measured> = BTreeMap::new();
    let mut cases: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for ((shape, _), (company, tests)) in runs {
        for (test, measured) in tests {
            by_test.entry(test).or_default().add(measured);
            by_shape.entry(*shape).or_default().add(measured);
        }
        for seeded in company.seeded() {
            *cases.entry(seeded.test).or_default().entry(seeded.case).or_default() += 1;
        }
    }
    let mut all = Measured::default();
    by_shape.values().for_each(|m| all.add(m));
    let mut text = String::from(
        "# Accuracy\n\n\
         How right the verdicts are, measured on companies of which everything is known. `simulate` makes a company and its year from a\n\
         seed: people who come, move, leave and come back, reviews, alerts, vendors, changes and deployments; holidays, nights and\n\
         machines. Into that year it puts, one by one, things an audit has to find, things that only look like them, and things nobody can tell, each\n\
         with the verdict that is right and why. It reads nothing of the product's content, and claims that nothing else deviates. Its\n\
         code host answers in GitHub's wire format, over HTTP, as of every instant at which the collector looked, and GitHub's own\n\
         connector collects it; the files its other systems would export are imported as anybody's are. The period and its last day are\n\
         assessed, and every verdict is laid beside the truth.\n\n\
         Generated by `TICKMARK_LONG=20 cargo nextest run --workspace --profile all many_seeds_of_every_shape`, with so many seeds; not written by hand.\n\n",
    );
    let seeds = runs.keys().map(|(_, seed)| seed).collect::<std::collections::BTreeSet<_>>().len();
    text.push_str(&format!(
        "{} companies: {} shapes with {seeds} seeds each.\n\n",
        runs.len(),
        by_shape.len()
    ));
    let head = "items | deviations seeded | found | near misses | judged so | open | judged so | wrongly deviating | wrongly unknown \
                | recall | precision |\n";
    text.push_str(&format!("| procedure | {head}|---|---|---|---|---|---|---|---|---|---|---|---|\n"));
    for (test, measured) in &by_test {
        text.push_str(&row(&format!("`{test}`"), measured));
    }
    text.push_str(&row("all", &all));
    text.push_str(
        "\nAn item is judged by several attributes: deviations are counted by the attribute, near misses (what looks like a deviation and\n\
         is none, or belongs to no population) and open ones (*no evidence*, *needs judgement*) by the item. Recall is how many seeded\n\
         deviations were found, precision how many of what deviates was seeded, on the last day as in the period.\n\n",
    );
    text.push_str(&format!("| shape | {head}|---|---|---|---|---|---|---|---|---|---|---|---|\n"));
    for (shape, measured) in &by_shape {
        text.push_str(&row(SHAPES[*shape].0, measured));
    }
    text.push_str("\n## What is wrong\n\n");
    for (case, why) in KNOWN {
        let times = all.wrong.iter().filter(|w| is_known(w)).count();
        text.push_str(&format!("- `{case}`, {times} times: {why}.\n"));
    }
    if all.wrong.iter().all(|wrong| is_known(wrong)) {
        text.push_str(if KNOWN.is_empty() { "Nothing is wrong.\n" } else { "\nNothing else is wrong.\n" });
    }
    for ((shape, seed), (_, tests)) in runs {
        for wrong in tests.values().flat_map(|m| &m.wrong).filter(|w| !is_known(w)) {
            text.push_str(&format!("- {}, seed {seed}: {wrong}\n", SHAPES[*shape].0));
        }
    }
    text.push_str(
        "\n## What is seeded\n\nA case with a number is one of the list of nasty cases that the verdicts are held to; the others are \
         ours. Behind it, how\noften it was seeded.\n\n",
    );
    for (test, cases) in &cases {
        let cases: Vec<String> = cases.iter().map(|(case, times)| format!("{case} {times}")).collect();
        text.push_str(&format!("- `{test}`: {}\n", cases.join(", ")));
    }
    text.push_str("- `alert_response`, in companies in which nothing fires: N68\n\n## Nasty cases that are not seeded\n\n");
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (case, why) in NOT_SEEDED {
        reasons.entry(why).or_default().push(case);
    }
    for (why, cases) in reasons {
        text.push_str(&format!("- {why}: {}\n", cases.join(", ")));
    }
    text.push_str("\n## What nothing that is collected proves\n\n");
    if let Some((company, _)) = runs.values().next() {
        for (test, attribute, why) in simulate::truth(company).unproven {
            text.push_str(&format!("- `{test}`, attribute {attribute}: {why}\n"));
        }
    }
    text
}

fn row(name: &str, m: &Measured) -> String {
    format!(
        "| {name} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
        m.items,
        m.deviations.0,
        m.deviations.1,
        m.near_misses.0,
        m.near_misses.1,
        m.open.0,
        m.open.1,
        m.extra,
        m.unknown,
        m.recall(),
        m.precision()
    )
}
