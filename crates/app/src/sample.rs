//! Samples of frozen populations: drawn, extended, replaced in and declared void, each an entry of the ledger; and drawn again,
//! to see whether they match.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Hex, Kind};
use model::{Capture, Instant, Verdict};
use sampling::{
    Confidence, Finding, Frequency, Invalid, InvalidBecause, Named, Nonce, Profile, Sample, Seed, Selection,
    Size, SizeBasis, Stratum,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::AppError;
use crate::population::{Anchoring, Because, Book, Population, SAMPLES, Void, month};
use crate::workspace::Workspace;

/// The stratum of items that came to light after an earlier freeze.
const LATE: &str = "late";

/// Something that was said of populations and samples.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) by: String,
    pub(crate) reason: String,
    #[serde(flatten)]
    pub(crate) what: What,
}

/// What was said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(crate) enum What {
    /// The hash of a nonce, lodged before anybody may know the nonce.
    Nonce { hash: Hex },
    /// A sample was drawn.
    Draw(Box<Draw>),
    /// Further items.
    Extend { sample: u64, to: u64, rows: Vec<u64> },
    /// An item that is shown to be invalid made room for the next one.
    Replace { sample: u64, row: u64, because: WhyInvalid, shown_by: u64, next: Option<u64> },
    /// A sample counts no longer.
    VoidSample { sample: u64 },
    /// A population counts no longer.
    VoidPopulation { population: u64 },
}

/// What makes an item invalid, as it stands in the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WhyInvalid {
    Void,
    OutOfScope,
}

impl Said {
    /// The entry that it declares void.
    pub(crate) const fn voids(&self) -> Option<u64> {
        match self.what {
            What::VoidSample { sample: entry } | What::VoidPopulation { population: entry } => Some(entry),
            _ => None,
        }
    }

    /// The sample that it changes.
    const fn sample(&self) -> Option<u64> {
        match self.what {
            What::Extend { sample, .. } | What::Replace { sample, .. } | What::VoidSample { sample } => {
                Some(sample)
            }
            _ => None,
        }
    }
}

/// How items are chosen, as it stands in the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// By the stream.
    Random,
    /// Every n-th from a random start.
    Systematic,
    /// By name, for a reason.
    Targeted,
    /// By a person without a pattern.
    Haphazard,
}

impl Chosen {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Random => Selection::Random.word(),
            Self::Systematic => Selection::Systematic.word(),
            Self::Targeted => Selection::Targeted.word(),
            Self::Haphazard => Selection::Haphazard.word(),
        }
    }
}

/// What strata have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrataBy {
    /// The month.
    Month,
    /// The quarter.
    Quarter,
    /// What the item was judged within: a repository, a system.
    Scope,
}

/// Where a sample's size comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The auditor said how many.
    Stated,
    /// A customary size.
    Profile {
        /// Which profile.
        profile: String,
        /// How often the control operates.
        frequency: String,
        /// What the profile says of this population.
        says: String,
    },
}

/// A draw as it stands in the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Draw {
    /// The population, by its ledger entry.
    pub population: u64,
    /// Its root.
    pub root: Hex,
    /// How items are chosen.
    pub chosen: Chosen,
    /// What strata have in common, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strata: Option<StrataBy>,
    /// The earlier population, where only items were drawn from that came to light after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_of: Option<u64>,
    /// How many items were asked for.
    pub size: u64,
    /// Where that number comes from.
    pub basis: Basis,
    /// The auditor's nonce, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The ledger entry in which the hash of the nonce was lodged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lodged: Option<u64>,
    /// Text of the first anchored checkpoint over the population; of the one that ends with it where nothing was anchored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// Its SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_hash: Option<Hex>,
    /// The ledger entry of that anchor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<u64>,
    /// Who vouched for the log with the population in it.
    pub anchored: Anchoring,
    /// The seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Hex>,
    /// A later freeze of the same, which was there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<u64>,
    /// Why named items were chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<NamedItem>,
    /// What came out.
    pub parts: Vec<DrawnPart>,
}

/// An item that somebody named.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NamedItem {
    /// Its row.
    pub row: u64,
    /// Why this one.
    pub reason: String,
}

/// What came out of one stream.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DrawnPart {
    /// The stratum; empty where there are none.
    pub label: String,
    /// How many rows it has.
    pub rows: u64,
    /// Rows of the population, in the order in which they were drawn.
    pub picks: Vec<u64>,
}

/// What is asked of a draw.
#[derive(Clone, Debug)]
pub struct DrawAsked {
    /// The population, by its ledger entry.
    pub population: u64,
    /// How items are chosen.
    pub chosen: Chosen,
    /// What strata have in common.
    pub strata: Option<StrataBy>,
    /// Only items that came to light after the population of which a sample was drawn before.
    pub late: bool,
    /// How many.
    pub size: Option<u64>,
    /// By which profile, and how often the control operates.
    pub profile: Option<(Profile, Frequency)>,
    /// The auditor's nonce.
    pub nonce: Option<Nonce>,
    /// Items chosen by name.
    pub named: Vec<NamedItem>,
    /// Whether to draw although nobody vouched for the population.
    pub unanchored: bool,
}

/// A sample, for people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SampleReport {
    /// Its ledger entry, by which it is called.
    pub sample: u64,
    /// When it was drawn.
    pub drawn_at: Instant,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The procedure.
    pub procedure: String,
    /// Controls that depend on it.
    pub controls: Vec<String>,
    /// First instant of the population's period.
    pub from: Instant,
    /// First instant after it.
    pub to: Instant,
    /// Zone in which it was declared.
    pub tz: String,
    /// Rows of the population.
    pub rows: u64,
    /// What stands in the ledger.
    #[serde(flatten)]
    pub draw: Draw,
    /// Whether the hash of the nonce was lodged before the population was frozen.
    pub lodged_before_freeze: bool,
    /// Other draws about the same procedure and time, void ones too.
    pub beside: Vec<u64>,
    /// Who declared it void, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub void: Option<Void>,
    /// What was done to it since.
    pub changes: Vec<Change>,
    /// Its streams as they stand now, and how to draw each again.
    pub streams: Vec<Stream>,
    /// Its items in order, those that were replaced too.
    pub items: Vec<SampledItem>,
    /// What it says.
    pub evaluation: Evaluated,
    /// What does not match when everything is drawn again; empty when it matches.
    pub differs: Vec<String>,
}

/// Something done to a sample.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// Its ledger entry.
    pub entry: u64,
    /// When.
    pub at: Instant,
    /// In words.
    pub what: String,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// One stream of a sample.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Stream {
    /// The stratum; empty where there are none.
    pub label: String,
    /// How many rows it draws from.
    pub rows: u64,
    /// Arguments of the script in docs/sampling.md.
    pub redraw: String,
    /// What the script prints: places within the stratum.
    pub places: Vec<u64>,
}

/// An item of a sample.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SampledItem {
    /// Its row in the population, counted from 0.
    pub row: u64,
    /// Its number in the records.
    pub item: i64,
    /// Its key at the source, as the records know it now.
    pub key: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When it happened.
    pub occurred_at: Instant,
    /// Its stratum.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stratum: String,
    /// Why it was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The row it stands in for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<u64>,
    /// Why it counts no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invalid: Option<String>,
    /// What the procedure found of it when it was frozen; absent when a person has to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<&'static str>,
}

/// What a sample says, by what the procedure found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Evaluated {
    /// Items with a finding.
    pub tested: u64,
    /// Items that a person has to look at.
    pub untested: u64,
    /// Items that deviate, those without evidence among them.
    pub deviating: u64,
    /// Of these, the ones without evidence.
    pub without_evidence: u64,
    /// The rate among those tested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<String>,
    /// Upper limits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitReport>,
    /// Why there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_confidence: Option<String>,
}

/// An upper limit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LimitReport {
    /// At which confidence, in percent.
    pub confidence: u64,
    /// The rate.
    pub at_most: String,
    /// Which distribution.
    pub by: &'static str,
}

fn refused(why: impl Into<String>) -> AppError {
    AppError::Other(why.into())
}

fn not_drawn(error: &sampling::Refused) -> AppError {
    refused(error.to_string())
}

impl Book {
    /// Every draw, in order.
    fn draws(&self) -> impl Iterator<Item = (u64, &Draw)> {
        self.said.iter().filter_map(|(entry, (_, said))| match &said.what {
            What::Draw(draw) => Some((*entry, &**draw)),
            _ => None,
        })
    }

    /// Draws from a population.
    pub(crate) fn draws_from(&self, population: u64) -> impl Iterator<Item = u64> {
        self.draws().filter(move |(_, draw)| draw.population == population).map(|(entry, _)| entry)
    }

    fn sample(&self, entry: u64) -> Result<(Instant, &Said, &Draw), AppError> {
        if let Some((at, said)) = self.said.get(&entry)
            && let What::Draw(draw) = &said.what
        {
            return Ok((*at, said, draw));
        }
        let known: Vec<String> = self.draws().map(|(entry, _)| entry.to_string()).collect();
        Err(refused(format!(
            "entry {entry} is no sample; {}",
            if known.is_empty() {
                "draw one first: tickmark sample draw".to_owned()
            } else {
                format!("there are {}", known.join(", "))
            }
        )))
    }

    /// The earlier population about the same time from which a sample was drawn.
    fn drawn_before(&self, population: u64, until: u64) -> Option<u64> {
        let drawn = |p: &u64| {
            let valid = |draw: &u64| *draw < until && self.void(*draw, until).is_none();
            *p < population && self.void(*p, until).is_none() && self.draws_from(*p).any(|d| valid(&d))
        };
        self.beside(population).rfind(drawn)
    }

    /// The parts that a draw draws from, where not from everything.
    fn strata(&self, draw: &Draw) -> Result<Option<Vec<Stratum>>, AppError> {
        let population = self.population(draw.population)?;
        if let Some(before) = draw.late_of {
            let before = self.population(before)?;
            let known: BTreeSet<_> = before.rows.iter().map(|row| Population::key(row)).collect();
            let is_new = |(_, row): &(usize, &Vec<model::Value>)| !known.contains(&Population::key(row));
            let rows = population.rows.iter().enumerate().filter(is_new).map(|(at, _)| at as u64).collect();
            return Ok(Some(vec![Stratum { label: LATE.to_owned(), rows }]));
        }
        let Some(by) = draw.strata else { return Ok(None) };
        let mut strata: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for row in 0..population.rows.len() as u64 {
            let label = match by {
                StrataBy::Scope => population.number(row, 1).to_string(),
                StrataBy::Month => month(population.occurred_at(row), &population.tz),
                StrataBy::Quarter => {
                    let month = month(population.occurred_at(row), &population.tz);
                    let (year, month) = month.split_once('-').unwrap_or((&month, ""));
                    format!("{year}-Q{}", month.parse::<u64>().unwrap_or(1).div_ceil(3))
                }
            };
            strata.entry(label).or_default().push(row);
        }
        Ok(Some(strata.into_iter().map(|(label, rows)| Stratum { label, rows }).collect()))
    }

    /// The sample of a draw, as it was before anything was done to it.
    fn sampled(&self, draw: &Draw) -> Result<Sample, AppError> {
        let rows = self.population(draw.population)?.rows.len() as u64;
        let seed = || draw.seed.map(|seed| Seed(seed.0)).ok_or_else(|| refused("the draw has no seed"));
        let strata = self.strata(draw)?;
        let sample = match (draw.chosen, strata) {
            (Chosen::Targeted | Chosen::Haphazard, _) => {
                let items =
                    draw.named.iter().map(|n| Named { row: n.row, reason: n.reason.clone() }).collect();
                Sample::named(draw.chosen == Chosen::Haphazard, rows, items)
            }
            (Chosen::Random, Some(mut strata)) if draw.late_of.is_some() => {
                Sample::late(seed()?, strata.swap_remove(0), draw.size)
            }
            (Chosen::Random, Some(strata)) => Sample::stratified(seed()?, strata, draw.size),
            (Chosen::Random, None) => Sample::random(seed()?, rows, draw.size),
            (Chosen::Systematic, None) => Sample::systematic(seed()?, rows, draw.size),
            (Chosen::Systematic, Some(_)) => {
                return Err(refused(
                    "strata are drawn from at random; leave out --strata, --late or systematic",
                ));
            }
        };
        sample.map_err(|e| not_drawn(&e))
    }

    /// A sample with everything that was done to it before the ledger had `until` entries; and what did not come out as it
    /// stands there.
    fn replayed(&self, entry: u64, until: u64) -> Result<(Sample, Vec<String>), AppError> {
        let (_, _, draw) = self.sample(entry)?;
        let mut sample = self.sampled(draw)?;
        let mut differs = vec![];
        for (at, (_, said)) in self.said.range(entry + 1..until.max(entry + 1)) {
            if said.sample() != Some(entry) {
                continue;
            }
            let done = match &said.what {
                What::Extend { to, rows, .. } => {
                    extended(&mut sample, *to).map(|added| added == *rows).map_err(|e| e.to_string())
                }
                What::Replace { row, because, shown_by, next, .. } => {
                    let invalid = invalid(*because, &said.reason, *shown_by);
                    sample.replace(*row, invalid).map(|found| found == *next).map_err(|e| e.to_string())
                }
                _ => Ok(true),
            };
            match done {
                Ok(true) => {}
                Ok(false) => differs.push(format!("entry {at} took other items than the stream gives")),
                Err(why) => differs.push(format!("entry {at} cannot be done again: {why}")),
            }
        }
        Ok((sample, differs))
    }
}

fn invalid(because: WhyInvalid, reason: &str, shown_by: u64) -> Invalid {
    let because = match because {
        WhyInvalid::Void => InvalidBecause::Void,
        WhyInvalid::OutOfScope => InvalidBecause::OutOfScope,
    };
    Invalid { because, reason: reason.to_owned(), shown_by }
}

/// Extends a sample, and gives the rows that came in, in the order of its parts.
fn extended(sample: &mut Sample, to: u64) -> Result<Vec<u64>, sampling::Refused> {
    let had: Vec<usize> = sample.parts.iter().map(|part| part.picks.len()).collect();
    sample.extend(to)?;
    let new = sample.parts.iter().zip(had).flat_map(|(part, had)| part.picks.iter().skip(had));
    Ok(new.map(|pick| pick.row).collect())
}

impl Workspace {
    fn say(&mut self, because: Because<'_>, what: What) -> Result<u64, AppError> {
        because.check()?;
        let said = Said { by: because.by.trim().to_owned(), reason: because.reason.trim().to_owned(), what };
        let body = serde_json::to_vec(&said).map_err(|e| AppError::Other(e.to_string()))?;
        let capture = Capture { receipt: self.decision_receipt(SAMPLES), body };
        Ok(self.append_as(Kind::Draw, &[capture])?.start)
    }

    /// Lodges the hash of a nonce that nobody else knows yet.
    ///
    /// # Errors
    /// Nobody says who, the hash was lodged before, or the disk.
    pub fn lodge_nonce(&mut self, hash: Hex, by: &str) -> Result<u64, AppError> {
        let book = self.book()?;
        let before = book.said.iter().find(|(_, (_, said))| said.what == What::Nonce { hash });
        if let Some((entry, _)) = before {
            return Err(refused(format!(
                "this hash was lodged before, in entry {entry}; nothing was changed"
            )));
        }
        self.say(Because { by, reason: "lodged before the nonce is known" }, What::Nonce { hash })
    }

    /// Draws a sample.
    ///
    /// # Errors
    /// Whoever froze the population, one that is void, damaged or not anchored, a nonce that was known before, or a size that
    /// cannot be.
    pub fn draw(&mut self, asked: &DrawAsked, because: Because<'_>) -> Result<u64, AppError> {
        let book = self.book()?;
        let draw = self.drawn(&book, self.ledger.size(), asked, because.by)?;
        self.say(because, What::Draw(Box::new(draw)))
    }

    /// What a draw gives when the ledger has `now` entries.
    fn drawn(&self, book: &Book, now: u64, asked: &DrawAsked, by: &str) -> Result<Draw, AppError> {
        let population = book.population(asked.population)?;
        not_by_management(population, by)?;
        if let Some(void) = book.void(asked.population, now) {
            return Err(refused(format!(
                "the population {} was declared void in entry {} ({}); freeze another one",
                asked.population, void.entry, void.reason
            )));
        }
        if population.computed_root() != population.root {
            return Err(refused(format!(
                "the rows of the population {} don't give the root that was frozen with them; freeze another one",
                asked.population
            )));
        }
        let late_of = match asked.late {
            true => Some(book.drawn_before(asked.population, now).ok_or_else(|| {
                refused(
                    "no sample was drawn from an earlier freeze of this procedure and time, so that nothing is late; leave out --late",
                )
            })?),
            false => None,
        };
        let mut draw = Draw {
            population: asked.population,
            root: population.root,
            chosen: asked.chosen,
            strata: asked.strata,
            late_of,
            size: asked.named.len() as u64,
            basis: Basis::Stated,
            nonce: None,
            lodged: None,
            checkpoint: None,
            checkpoint_hash: None,
            anchor: None,
            anchored: Anchoring::None,
            seed: None,
            newer: book.newer(asked.population, now),
            named: asked.named.clone(),
            parts: vec![],
        };
        let (first, anchored) = book.anchored(asked.population, now);
        draw.anchored = anchored;
        draw.anchor = first.map(|(entry, _)| entry);
        if anchored == Anchoring::None && !asked.unanchored {
            return Err(refused(
                "nobody vouched for the population yet, so that nothing shows that it came before the nonce; have it anchored \
                 (tickmark ledger anchor), or say --unanchored for a sample that carries no confidence",
            ));
        }
        if matches!(asked.chosen, Chosen::Random | Chosen::Systematic) {
            let rows = match book.strata(&draw)? {
                Some(strata) => strata.iter().map(|s| s.rows.len() as u64).sum(),
                None => population.rows.len() as u64,
            };
            (draw.size, draw.basis) = size_of(asked, rows)?;
            let nonce = asked.nonce.as_ref().ok_or_else(|| {
                refused(
                    "a draw needs the auditor's nonce; give at least 128 bits in hexadecimal with --nonce",
                )
            })?;
            let checkpoint = match first {
                Some((entry, anchored)) => {
                    let ours = self.ledger.reader().checkpoint_of(anchored.size)?;
                    if ours != *anchored {
                        return Err(refused(format!(
                            "the anchor in entry {entry} is over another log than this; run `tickmark verify`"
                        )));
                    }
                    ours
                }
                // The one that ends with the population: nobody can choose among others.
                None => self.ledger.reader().checkpoint_of(asked.population + 1)?,
            };
            // Whoever knew the nonce before the seed was fixed could have chosen the rest to fit.
            let text = nonce.to_string();
            let known = book.draws().find(|(_, earlier)| earlier.nonce.as_deref() == Some(&text));
            let fixed = draw.anchor.unwrap_or(asked.population);
            if let Some((entry, _)) = known.filter(|(entry, _)| *entry < fixed.min(now)) {
                return Err(refused(format!(
                    "this nonce is known since entry {entry}, before the population was fixed; use a new one"
                )));
            }
            let lodged = Hex(nonce.hash());
            draw.lodged = book
                .said
                .range(..now)
                .find(|(_, (_, said))| said.what == What::Nonce { hash: lodged })
                .map(|(entry, _)| *entry);
            let checkpoint = checkpoint.to_string();
            let hash: [u8; 32] = Sha256::digest(checkpoint.as_bytes()).into();
            draw.seed = Some(Hex(Seed::new(&draw.root.0, &hash, nonce).0));
            draw.checkpoint = Some(checkpoint);
            draw.checkpoint_hash = Some(Hex(hash));
            draw.nonce = Some(text);
        }
        draw.parts = book
            .sampled(&draw)?
            .parts
            .iter()
            .map(|part| DrawnPart {
                label: part.label.clone(),
                rows: part.rows(),
                picks: part.picks.iter().map(|pick| pick.row).collect(),
            })
            .collect();
        Ok(draw)
    }

    /// A sample that may be changed, by somebody who may.
    fn open_sample(&self, book: &Book, entry: u64, by: &str) -> Result<Sample, AppError> {
        let (_, said, draw) = book.sample(entry)?;
        not_by_management(book.population(draw.population)?, by)?;
        let now = self.ledger.size();
        if let Some(void) = book.void(entry, now).or_else(|| book.void(draw.population, now)) {
            return Err(refused(format!(
                "the sample {entry} is void since entry {} ({}); draw another one",
                void.entry, void.reason
            )));
        }
        let (sample, changed) = book.replayed(entry, now)?;
        let mut differs = self.differences(book, entry, said, draw);
        differs.extend(changed);
        match differs.first() {
            None => Ok(sample),
            Some(why) => Err(refused(format!(
                "the sample {entry} doesn't match: {why}; declare it void and draw another one"
            ))),
        }
    }

    /// Draws further items into a sample, until `to` count. Gives the entry and the new rows.
    ///
    /// # Errors
    /// A void sample, not more than it has, or more than there is.
    pub fn extend_sample(
        &mut self,
        entry: u64,
        to: u64,
        because: Because<'_>,
    ) -> Result<(u64, Vec<u64>), AppError> {
        let book = self.book()?;
        let mut sample = self.open_sample(&book, entry, because.by)?;
        let rows = extended(&mut sample, to).map_err(|e| not_drawn(&e))?;
        let said = self.say(because, What::Extend { sample: entry, to, rows: rows.clone() })?;
        Ok((said, rows))
    }

    /// Replaces an item that an entry of the ledger shows to be void or out of scope. Gives the entry and the new row.
    ///
    /// # Errors
    /// A void sample, an item that is not in it, or an entry that does not exist.
    pub fn replace_in_sample(
        &mut self,
        entry: u64,
        row: u64,
        out_of_scope: bool,
        shown_by: u64,
        because: Because<'_>,
    ) -> Result<(u64, Option<u64>), AppError> {
        let book = self.book()?;
        let mut sample = self.open_sample(&book, entry, because.by)?;
        if shown_by >= self.ledger.size() {
            return Err(refused(format!(
                "there is no ledger entry {shown_by}; enter what shows it (tickmark evidence add), or leave the item in the \
                 sample: missing evidence is no reason to replace it"
            )));
        }
        let why = if out_of_scope { WhyInvalid::OutOfScope } else { WhyInvalid::Void };
        let next = sample.replace(row, invalid(why, because.reason, shown_by)).map_err(|e| not_drawn(&e))?;
        let what = What::Replace { sample: entry, row, because: why, shown_by, next };
        Ok((self.say(because, what)?, next))
    }

    /// Declares a sample, or a population and what was drawn from it, void. Both stay in the list.
    ///
    /// # Errors
    /// No such entry, or one that is void.
    pub fn declare_void(&mut self, entry: u64, because: Because<'_>) -> Result<u64, AppError> {
        let book = self.book()?;
        if let Some(void) = book.void(entry, self.ledger.size()) {
            return Err(refused(format!("{entry} is void since entry {}; nothing was changed", void.entry)));
        }
        let what = match book.populations.contains_key(&entry) {
            true => What::VoidPopulation { population: entry },
            false => {
                book.sample(entry)?;
                What::VoidSample { sample: entry }
            }
        };
        self.say(because, what)
    }

    /// The row of a sample's population that an item has, by its key, its number or the beginning of its key.
    ///
    /// # Errors
    /// No item, or several.
    pub fn row_of(&mut self, population: u64, item: &str) -> Result<u64, AppError> {
        let book = self.book()?;
        let population = book.population(population)?;
        let rows = 0..population.rows.len() as u64;
        let names = self.names(rows.clone().map(|row| population.number(row, 0)))?;
        let called = |row: &u64, exact: bool| {
            let number = population.number(*row, 0);
            let key = names.get(&number).map_or("", |(key, _)| key);
            number.to_string() == item || key == item || (!exact && item.len() >= 6 && key.starts_with(item))
        };
        for exact in [true, false] {
            let found: Vec<u64> = rows.clone().filter(|row| called(row, exact)).collect();
            match found.as_slice() {
                [] => {}
                [row] => return Ok(*row),
                several => {
                    return Err(refused(format!(
                        "`{item}` is the name of {} rows of the population; name one by its number",
                        several.len()
                    )));
                }
            }
        }
        Err(refused(format!(
            "the population has no item `{item}`; `tickmark sample show` lists a sample's items"
        )))
    }

    /// The population a sample was drawn from.
    ///
    /// # Errors
    /// No such sample.
    pub fn population_of_sample(&self, sample: u64) -> Result<u64, AppError> {
        Ok(self.book()?.sample(sample)?.2.population)
    }

    /// Key and title of entities, as the records know them now.
    fn names(
        &mut self,
        items: impl Iterator<Item = i64>,
    ) -> Result<BTreeMap<i64, (String, Option<String>)>, AppError> {
        let ids: BTreeSet<i64> = items.collect();
        let entities = self.records.entities_of(&ids)?;
        let mut names: BTreeMap<i64, _> = entities.into_iter().map(|e| (e.id, (e.key, None))).collect();
        for display in self.records.display(&ids)? {
            if display.field == "title"
                && let Some((_, title)) = names.get_mut(&display.id)
            {
                *title = Some(display.text);
            }
        }
        Ok(names)
    }

    /// Every sample that was ever drawn, in order, void ones too, each drawn again; and those of which not enough is left.
    ///
    /// # Errors
    /// The ledger or the records.
    pub fn samples(&mut self) -> Result<(Vec<SampleReport>, BTreeMap<u64, String>), AppError> {
        let mut book = self.book()?;
        let mut samples = vec![];
        let draws: Vec<(u64, u64)> = book.draws().map(|(entry, draw)| (entry, draw.population)).collect();
        for (entry, population) in draws {
            match self.sample_in(&book, entry)? {
                Some(sample) => samples.push(sample),
                None => {
                    let why =
                        format!("a sample of the population {population}, which cannot be read any more");
                    book.lost.insert(entry, why);
                }
            }
        }
        Ok((samples, book.lost))
    }

    /// One sample, drawn again.
    ///
    /// # Errors
    /// No such sample, or one whose population was erased.
    pub fn sample(&mut self, entry: u64) -> Result<SampleReport, AppError> {
        let book = self.book()?;
        let (_, _, draw) = book.sample(entry)?;
        let population = draw.population;
        let lost =
            || refused(format!("the population {population} of the sample {entry} cannot be read any more"));
        self.sample_in(&book, entry)?.ok_or_else(lost)
    }

    /// `None` where its population cannot be read any more.
    fn sample_in(&mut self, book: &Book, entry: u64) -> Result<Option<SampleReport>, AppError> {
        let (drawn_at, said, draw) = book.sample(entry)?;
        let Some((_, population)) = book.populations.get(&draw.population) else { return Ok(None) };
        let now = self.ledger.size();
        let mut differs = self.differences(book, entry, said, draw);
        let (sample, changed) = match book.replayed(entry, now) {
            Ok(replayed) => replayed,
            Err(why) => (Sample { parts: vec![] }, vec![why.to_string()]),
        };
        differs.extend(changed);
        let picks = || sample.parts.iter().flat_map(|part| part.picks.iter().map(move |pick| (part, pick)));
        let names = self.names(picks().map(|(_, pick)| population.number(pick.row, 0)))?;
        let findings: BTreeMap<u64, Finding> = picks()
            .filter_map(|(_, pick)| Some((pick.row, finding(population.verdicts(pick.row))?)))
            .collect();
        let items = picks()
            .map(|(part, pick)| {
                let item = population.number(pick.row, 0);
                let (key, title) = names.get(&item).cloned().unwrap_or_else(|| (item.to_string(), None));
                SampledItem {
                    row: pick.row,
                    item,
                    key,
                    title,
                    occurred_at: population.occurred_at(pick.row),
                    stratum: part.label.clone(),
                    reason: pick.reason.clone(),
                    stands_for: pick.stands_for,
                    invalid: pick.invalid.as_ref().map(|invalid| {
                        format!("{}: {} (entry {})", invalid.because.word(), invalid.reason, invalid.shown_by)
                    }),
                    found: findings.get(&pick.row).map(|finding| match finding {
                        Finding::Pass => "pass",
                        Finding::Deviation => "deviation",
                        Finding::NoEvidence => "no_evidence",
                    }),
                }
            })
            .collect();
        let void = book.void(entry, now).or_else(|| book.void(draw.population, now));
        let evaluation =
            evaluated(&sample, &findings, draw, population, void.is_some() || !differs.is_empty());
        let about_the_same = |other: &u64| {
            let other = book.populations.get(other).map(|(_, p)| p);
            other.is_some_and(|other| other.is_about_the_same(population))
        };
        let beside = book.draws().filter(|(at, other)| *at != entry && about_the_same(&other.population));
        let changes = book
            .said
            .iter()
            .filter(|(_, (_, said))| said.sample() == Some(entry))
            .map(|(at, (when, said))| Change {
                entry: *at,
                at: *when,
                what: match &said.what {
                    What::Extend { to, rows, .. } => format!("extended to {to} by {} items", rows.len()),
                    What::Replace { row, next: Some(next), shown_by, .. } => {
                        format!("row {row} replaced by row {next}, as entry {shown_by} shows")
                    }
                    What::Replace { row, shown_by, .. } => {
                        format!("row {row} left out without another one, as entry {shown_by} shows")
                    }
                    _ => "declared void".to_owned(),
                },
                by: said.by.clone(),
                reason: said.reason.clone(),
            })
            .collect();
        Ok(Some(SampleReport {
            sample: entry,
            drawn_at,
            by: said.by.clone(),
            reason: said.reason.clone(),
            procedure: population.procedure.clone(),
            controls: population.controls.clone(),
            from: population.from,
            to: population.to,
            tz: population.tz.clone(),
            rows: population.count,
            draw: draw.clone(),
            lodged_before_freeze: draw.lodged.is_some_and(|lodged| lodged < draw.population),
            beside: beside.map(|(at, _)| at).collect(),
            void,
            changes,
            streams: streams(book, draw, &sample)?,
            items,
            evaluation,
            differs,
        }))
    }

    /// What does not come out as it stands in the ledger when a sample is drawn once more.
    fn differences(&self, book: &Book, entry: u64, said: &Said, draw: &Draw) -> Vec<String> {
        let profile = match &draw.basis {
            Basis::Stated => None,
            Basis::Profile { profile, frequency, .. } => profile.parse().ok().zip(frequency.parse().ok()),
        };
        let again = DrawAsked {
            population: draw.population,
            chosen: draw.chosen,
            strata: draw.strata,
            late: draw.late_of.is_some(),
            size: Some(draw.size),
            profile,
            nonce: draw.nonce.as_ref().and_then(|nonce| nonce.parse().ok()),
            named: draw.named.clone(),
            unanchored: true,
        };
        match self.drawn(book, entry, &again, &said.by) {
            Err(why) => vec![why.to_string()],
            Ok(again) if again == *draw => vec![],
            Ok(again) if again.parts != draw.parts => {
                vec!["it holds other items than the stream gives".to_owned()]
            }
            Ok(_) => vec!["what it says of itself is not so".to_owned()],
        }
    }
}

/// Sampling is for the side that does not make the population.
fn not_by_management(population: &Population, by: &str) -> Result<(), AppError> {
    if by.trim().to_lowercase() == population.by.to_lowercase() {
        return Err(refused(format!(
            "`{by}` froze this population; whoever makes it doesn't choose the sample: that is for the auditor"
        )));
    }
    Ok(())
}

/// The size that is asked for, and where it comes from.
fn size_of(asked: &DrawAsked, rows: u64) -> Result<(u64, Basis), AppError> {
    let Some((profile, frequency)) = asked.profile else {
        let size = asked
            .size
            .ok_or_else(|| refused("nobody says how many; give --size, or --profile and --frequency"))?;
        return Ok((size, Basis::Stated));
    };
    let says = sampling::size(profile, frequency, rows);
    let basis = Basis::Profile {
        profile: profile.word().to_owned(),
        frequency: frequency.word().to_owned(),
        says: says.to_string(),
    };
    match (says, asked.size) {
        (Size::Between(from, to), Some(size)) if (from..=to).contains(&size) => Ok((size, basis)),
        (Size::Between(from, to), None) if from == to => Ok((from, basis)),
        (Size::Between(..), None) => {
            Err(refused(format!("the profile leaves a choice: {says} of {rows}; say which with --size")))
        }
        (Size::Between(..), Some(size)) => Err(refused(format!(
            "the profile says {says} of {rows}, not {size}; leave out --profile to choose freely"
        ))),
        (Size::EachConfiguration(_), _) => Err(refused(format!(
            "of what works by itself the profile asks for {says}; name the items with --item"
        ))),
    }
}

/// What the procedure's verdicts on an item say to a sample: `None` where a person has to look.
fn finding(verdicts: impl Iterator<Item = Verdict>) -> Option<Finding> {
    match verdicts.min()? {
        Verdict::Deviation => Some(Finding::Deviation),
        Verdict::NoEvidence => Some(Finding::NoEvidence),
        Verdict::Pass => Some(Finding::Pass),
        Verdict::NeedsJudgement | Verdict::NotYetDue | Verdict::NotApplicable => None,
    }
}

fn evaluated(
    sample: &Sample,
    findings: &BTreeMap<u64, Finding>,
    draw: &Draw,
    population: &Population,
    without: bool,
) -> Evaluated {
    let basis = match draw.basis {
        Basis::Stated => SizeBasis::Stated,
        Basis::Profile { .. } => SizeBasis::Profile,
    };
    let evaluations = [Confidence::NINETY, Confidence::NINETY_FIVE]
        .map(|confidence| sample.evaluate(findings, basis, confidence));
    let failed = population
        .failed()
        .next()
        .map(|check| format!("a check of its population failed ({}): {}", check.check, check.says));
    let why = if without {
        Some("it is void or does not match".to_owned())
    } else if draw.anchored == Anchoring::None {
        Some("nobody vouched for its population before it was drawn".to_owned())
    } else {
        failed.or_else(|| evaluations[0].limit.as_ref().err().map(ToString::to_string))
    };
    let limits = evaluations.iter().filter_map(|e| e.limit.as_ref().ok()).map(|limit| LimitReport {
        confidence: limit.confidence.percent(),
        at_most: limit.share.to_string(),
        by: if limit.finite { "hypergeometric" } else { "binomial" },
    });
    let limits = if why.is_some() { vec![] } else { limits.collect() };
    let [first, _] = evaluations;
    Evaluated {
        tested: first.tested,
        untested: first.untested,
        deviating: first.deviating,
        without_evidence: first.without_evidence,
        rate: first.rate.map(|rate| rate.to_string()),
        limits,
        no_confidence: why,
    }
}

/// The streams of a sample, and how to draw each again with the script of the documentation.
fn streams(book: &Book, draw: &Draw, sample: &Sample) -> Result<Vec<Stream>, AppError> {
    let (Some(nonce), Some(checkpoint)) = (&draw.nonce, &draw.checkpoint_hash) else { return Ok(vec![]) };
    let strata = book.strata(draw)?;
    let mut streams = vec![];
    for part in &sample.parts {
        let stratum = strata.iter().flatten().find(|stratum| stratum.label == part.label);
        let place = |row: u64| match stratum {
            Some(stratum) => stratum.rows.binary_search(&row).map_or(row, |place| place as u64),
            None => row,
        };
        let systematic = if draw.chosen == Chosen::Systematic { draw.size } else { 0 };
        let label = if part.label.is_empty() { String::new() } else { format!(" {}", part.label) };
        let (root, rows, count) = (draw.root, part.rows(), part.picks.len());
        streams.push(Stream {
            label: part.label.clone(),
            rows,
            redraw: format!("{root} {checkpoint} {nonce} {rows} {count} {systematic}{label}"),
            places: part.picks.iter().map(|pick| place(pick.row)).collect(),
        });
    }
    Ok(streams)
}
