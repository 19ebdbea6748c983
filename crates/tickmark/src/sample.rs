//! `tickmark sample`: drawing from frozen populations, and every draw there ever was.

use std::process::ExitCode;

use app::{Basis, Chosen, DrawAsked, NamedItem, SampleReport, StrataBy, Workspace};
use clap::{Args, Subcommand, ValueEnum};
use ledger::Hex;
use model::Period;
use sampling::{Frequency, Nonce, Profile};

use crate::failure::Failure;
use crate::output::{self, BOLD, aligned, line, plain, spoken, styled};
use crate::population::{Why, anchored, print_lost};
use crate::session::{Session, derive};

#[derive(Subcommand)]
pub(crate) enum SampleCommand {
    /// Lodge the hash of the auditor's nonce, before the population is frozen
    Nonce {
        /// SHA-256 of the nonce's bytes, in hexadecimal
        #[arg(long, value_name = "HEX")]
        hash: String,
        /// Whose nonce it is, as a pseudonym: it stands in the ledger
        #[arg(long, value_name = "AUDITOR")]
        by: String,
    },
    /// Draw a sample from a frozen population that was anchored
    Draw(Box<Draw>),
    /// Draw further items from the same stream
    Extend {
        /// The sample, by its ledger entry
        sample: u64,
        /// How many items count then
        #[arg(long, value_name = "N")]
        to: u64,
        #[command(flatten)]
        because: Why,
    },
    /// Replace an item that is shown to be void or out of scope by the next one of the stream; missing evidence is no reason
    Replace {
        /// The sample, by its ledger entry
        sample: u64,
        /// The item: its key, the beginning of it, or its number
        #[arg(long, value_name = "KEY")]
        item: String,
        /// What it is
        #[arg(long, value_enum)]
        invalid: Invalid,
        /// The ledger entry that shows it
        #[arg(long, value_name = "ENTRY")]
        shown_by: u64,
        #[command(flatten)]
        because: Why,
    },
    /// Declare a sample void; it stays in the list
    Void {
        /// The sample, by its ledger entry
        sample: u64,
        #[command(flatten)]
        because: Why,
    },
    /// List every sample that was ever drawn, void ones too
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a sample: its items, what they say, and how to draw it again
    Show {
        /// The sample, by its ledger entry
        sample: u64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Draw again from the ledger, and say whether it matches
    Verify {
        /// The sample, by its ledger entry (default: every one)
        sample: Option<u64>,
    },
}

#[derive(Args)]
pub(crate) struct Draw {
    /// The population, by its ledger entry
    population: u64,
    /// How many items
    #[arg(long, value_name = "N")]
    size: Option<u64>,
    /// A customary size: lean, common or high-risk
    #[arg(long, value_name = "PROFILE", requires = "frequency")]
    profile: Option<Profile>,
    /// How often the control operates: annual, semi-annual, quarterly, monthly, semi-monthly, weekly, daily, per-event or
    /// automated
    #[arg(long, value_name = "HOW OFTEN", requires = "profile")]
    frequency: Option<Frequency>,
    /// The auditor's nonce: at least 128 bits in hexadecimal
    #[arg(long, value_name = "HEX")]
    nonce: Option<String>,
    /// Every n-th item from a random start, instead of each by itself
    #[arg(long, conflicts_with_all = ["strata", "late", "item"])]
    systematic: bool,
    /// In proportion over strata, at least one of each
    #[arg(long, value_enum, conflicts_with_all = ["late", "item"])]
    strata: Option<Strata>,
    /// Only items that came to light after the freeze from which a sample was drawn before
    #[arg(long, conflicts_with = "item")]
    late: bool,
    /// Choose this item, for this reason, instead of drawing: a targeted sample, which says nothing of others; again for more
    #[arg(long, value_name = "KEY=REASON", conflicts_with_all = ["size", "profile", "nonce"])]
    item: Vec<String>,
    /// The named items were chosen without a pattern, and for no reason of their own
    #[arg(long, requires = "item")]
    haphazard: bool,
    /// Draw although nobody vouched for the population: the sample says so, and carries no confidence
    #[arg(long)]
    unanchored: bool,
    #[command(flatten)]
    because: Why,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Strata {
    /// The month
    Month,
    /// The quarter
    Quarter,
    /// What an item was judged within: its repository or system
    Scope,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Invalid {
    /// It never took place, or stands there twice
    Void,
    /// It took place outside of what is examined
    OutOfScope,
}

pub(crate) fn run(session: &Session, what: &SampleCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    match what {
        SampleCommand::Nonce { hash, by } => {
            let hash: Hex = hash.to_ascii_lowercase().parse().map_err(|why| {
                Failure::of(format!("`{hash}` is no SHA-256 hash: {why}; `sha256sum` prints one"))
            })?;
            let entry = workspace.lodge_nonce(hash, by)?;
            line(&format!(
                "lodged as ledger entry {entry}: populations that are frozen from now on came after it"
            ))?;
        }
        SampleCommand::Draw(asked) => {
            let entry = draw(&mut workspace, asked)?;
            let sample = workspace.sample(entry)?;
            if asked.json { output::document(&sample)? } else { print(&sample)? }
        }
        SampleCommand::Extend { sample, to, because } => {
            let (entry, rows) = workspace.extend_sample(*sample, *to, because.because())?;
            let rows: Vec<String> = rows.iter().map(u64::to_string).collect();
            line(&format!("ledger entry {entry} adds the rows {} to the sample {sample}", rows.join(", ")))?;
        }
        SampleCommand::Replace { sample, item, invalid, shown_by, because } => {
            let population = workspace.population_of_sample(*sample)?;
            let row = workspace.row_of(population, item)?;
            let out_of_scope = *invalid == Invalid::OutOfScope;
            let (entry, next) =
                workspace.replace_in_sample(*sample, row, out_of_scope, *shown_by, because.because())?;
            line(&match next {
                Some(next) => format!("ledger entry {entry} puts row {next} in the place of row {row}"),
                None => format!(
                    "ledger entry {entry} leaves row {row} out; there is no other one to stand in for it"
                ),
            })?;
        }
        SampleCommand::Void { sample, because } => {
            workspace.population_of_sample(*sample)?;
            let entry = workspace.declare_void(*sample, because.because())?;
            line(&format!("the sample {sample} is void since ledger entry {entry}; it stays in the list"))?;
        }
        SampleCommand::List { json } => {
            let (samples, lost) = workspace.samples()?;
            if *json {
                output::document(&serde_json::json!({ "samples": samples, "lost": lost }))?;
                return Ok(ExitCode::SUCCESS);
            }
            if samples.is_empty() && lost.is_empty() {
                line("nothing was drawn yet")?;
            }
            for sample in &samples {
                print_head(sample)?;
            }
            print_lost(&lost)?;
        }
        SampleCommand::Show { sample, json } => {
            let sample = workspace.sample(*sample)?;
            if *json { output::document(&sample)? } else { print(&sample)? }
        }
        SampleCommand::Verify { sample } => return verify(&mut workspace, *sample),
    }
    Ok(ExitCode::SUCCESS)
}

fn draw(workspace: &mut Workspace, asked: &Draw) -> Result<u64, Failure> {
    let nonce = asked.nonce.as_ref().map(|text| text.parse::<Nonce>()).transpose();
    let nonce = nonce.map_err(|why| {
        Failure::of(format!("{why}; the auditor makes one with `openssl rand -hex 32`, for example"))
    })?;
    let mut named = vec![];
    for item in &asked.item {
        let (key, reason) = match item.split_once('=') {
            Some((key, reason)) => (key, reason),
            None if asked.haphazard => (item.as_str(), "haphazard"),
            None => {
                return Err(Failure::of(format!(
                    "`{item}` has no reason; say why this one, as in --item {item}=\"the largest of the year\""
                )));
            }
        };
        named.push(NamedItem { row: workspace.row_of(asked.population, key)?, reason: reason.to_owned() });
    }
    let chosen = match (asked.systematic, named.is_empty(), asked.haphazard) {
        (true, ..) => Chosen::Systematic,
        (_, true, _) => Chosen::Random,
        (_, false, true) => Chosen::Haphazard,
        (_, false, false) => Chosen::Targeted,
    };
    let strata = asked.strata.map(|by| match by {
        Strata::Month => StrataBy::Month,
        Strata::Quarter => StrataBy::Quarter,
        Strata::Scope => StrataBy::Scope,
    });
    let asked_for = DrawAsked {
        population: asked.population,
        chosen,
        strata,
        late: asked.late,
        size: asked.size,
        profile: asked.profile.zip(asked.frequency),
        nonce,
        named,
        unanchored: asked.unanchored,
    };
    Ok(workspace.draw(&asked_for, asked.because.because())?)
}

fn verify(workspace: &mut Workspace, sample: Option<u64>) -> Result<ExitCode, Failure> {
    let (samples, lost) = match sample {
        Some(entry) => (vec![workspace.sample(entry)?], std::collections::BTreeMap::new()),
        None => workspace.samples()?,
    };
    if samples.is_empty() && lost.is_empty() {
        line("nothing was drawn yet")?;
    }
    for sample in &samples {
        let count = sample.items.len();
        line(&match sample.differs.is_empty() {
            true => format!("sample {} matches: {count} items drawn again", sample.sample),
            false => format!("sample {} DIFFERS: {}", sample.sample, plain(&sample.differs.join("; "))),
        })?;
    }
    print_lost(&lost)?;
    let holds = lost.is_empty() && samples.iter().all(|sample| sample.differs.is_empty());
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_head(sample: &SampleReport) -> Result<(), Failure> {
    let draw = &sample.draw;
    let head = format!(
        "sample {}: {} of population {}, {} ({})",
        sample.sample,
        draw.chosen.word(),
        draw.population,
        sample.procedure,
        sample.controls.join(" ")
    );
    line(&styled(BOLD, &head))?;
    let period = Period { from: sample.from, to: sample.to, tz: sample.tz.clone() };
    let in_force = sample.items.iter().filter(|item| item.invalid.is_none()).count();
    let mut how = vec![];
    if let Some(by) = draw.strata {
        let by = match by {
            StrataBy::Month => "month",
            StrataBy::Quarter => "quarter",
            StrataBy::Scope => "scope",
        };
        how.push(format!("in strata by {by}"));
    }
    if let Some(before) = draw.late_of {
        how.push(format!("of what came to light after population {before}"));
    }
    if let Basis::Profile { profile, frequency, says } = &draw.basis {
        how.push(format!("{profile}, {frequency}: {says}"));
    }
    let how = if how.is_empty() { String::new() } else { format!("; {}", how.join("; ")) };
    line(&format!(
        "  {in_force} of {} items, {} to {}{how}",
        sample.rows,
        period.first_date(),
        period.last_date()
    ))?;
    line(&format!("  drawn {} by {}: {}", sample.drawn_at, plain(&sample.by), plain(&sample.reason)))?;
    line(&format!("  population {}", anchored(draw.anchored)))?;
    if draw.nonce.is_some() {
        line(match (draw.lodged, sample.lodged_before_freeze) {
            (Some(_), true) => "  the nonce's hash was lodged before the freeze: neither side could choose",
            (Some(_), false) => {
                "  the nonce's hash was lodged only after the freeze: who gave it could choose"
            }
            (None, _) => "  the nonce's hash was never lodged: who gave it could choose",
        })?;
    }
    if let Some(newer) = draw.newer {
        line(&format!("  drawn from an older freeze: {newer} was there already"))?;
    }
    if !sample.beside.is_empty() {
        let beside: Vec<String> = sample.beside.iter().map(u64::to_string).collect();
        line(&format!("  other draws about the same: {}", beside.join(", ")))?;
    }
    for change in &sample.changes {
        line(&format!(
            "  {} {}: {}, by {}: {}",
            change.entry,
            change.at,
            change.what,
            plain(&change.by),
            plain(&change.reason)
        ))?;
    }
    if let Some(void) = &sample.void {
        line(&format!("  VOID since entry {}, by {}: {}", void.entry, plain(&void.by), plain(&void.reason)))?;
    }
    for difference in &sample.differs {
        line(&format!("  DIFFERS: {}", plain(difference)))?;
    }
    Ok(())
}

fn print(sample: &SampleReport) -> Result<(), Failure> {
    print_head(sample)?;
    line("")?;
    let mut rows = vec![vec!["row".to_owned(), "item".to_owned(), "when".to_owned(), "found".to_owned()]];
    for item in &sample.items {
        let title = item.title.as_ref().map(|title| format!(" {title}")).unwrap_or_default();
        let key = item.key.get(..12).filter(|_| item.key.len() == 40).unwrap_or(&item.key);
        let mut found = vec![spoken(item.found.unwrap_or("for a person to look at"))];
        found.extend(item.reason.as_ref().map(|reason| format!("named: {reason}")));
        found.extend(item.stands_for.map(|row| format!("stands in for row {row}")));
        found.extend(item.invalid.as_ref().map(|why| format!("counts no longer, {why}")));
        rows.push(vec![
            item.row.to_string(),
            plain(&format!("{key}{title}")),
            item.occurred_at.to_string(),
            plain(&found.join("; ")),
        ]);
    }
    for row in aligned(&rows) {
        line(&format!("  {row}"))?;
    }
    let said = &sample.evaluation;
    line("")?;
    let missing = match said.without_evidence {
        0 => String::new(),
        n => format!(", {n} of them for want of evidence"),
    };
    line(&format!("  {} tested, {} deviate{missing}", said.tested, said.deviating))?;
    if let Some(rate) = &said.rate {
        line(&format!("  rate in the sample: {rate}"))?;
    }
    for limit in &said.limits {
        line(&format!(
            "  at {} % confidence at most {} of the population deviate ({})",
            limit.confidence, limit.at_most, limit.by
        ))?;
    }
    if let Some(why) = &said.no_confidence {
        line(&format!("  no confidence: {}", plain(why)))?;
    }
    if !sample.streams.is_empty() {
        line("")?;
        line("  to draw it again without us, with the script of docs/sampling.md:")?;
        for stream in &sample.streams {
            line(&format!("  python3 redraw.py {}", stream.redraw))?;
        }
    }
    Ok(())
}
