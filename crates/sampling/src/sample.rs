//! A sample: what was drawn in which order, what was replaced and why, and what may be concluded.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::{Confidence, Limit, MOST_TESTED, Picks, Refused, Seed, Share, allocate, limit};

/// How items were chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Selection {
    /// By the stream, each item with the same chance.
    Random,
    /// Every n-th item from a random start.
    Systematic,
    /// By name, for a reason: says something of these items and nothing of others.
    Targeted,
    /// By a person without a pattern: not random, whatever was meant.
    Haphazard,
}

impl Selection {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Systematic => "systematic",
            Self::Targeted => "targeted",
            Self::Haphazard => "haphazard",
        }
    }

    const fn by_chance(self) -> bool {
        matches!(self, Self::Random | Self::Systematic)
    }
}

/// Rows of the population that are drawn from by themselves, in the order of the population.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stratum {
    /// What they have in common; names their stream.
    pub label: String,
    /// Their rows.
    pub rows: Vec<u64>,
}

/// An item that somebody chose by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// Its row.
    pub row: u64,
    /// Why this one.
    pub reason: String,
}

/// What makes an item one that cannot be tested at all.
///
/// That nobody finds its evidence is not among them: such an item stays in the sample and counts as a deviation
/// ([`Finding::NoEvidence`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvalidBecause {
    /// It never took place: cancelled, or entered twice.
    Void,
    /// It took place outside of what is examined.
    OutOfScope,
}

impl InvalidBecause {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Void => "void",
            Self::OutOfScope => "out-of-scope",
        }
    }
}

/// Why an item is replaced: what it is, who says so in which words, and the evidence that shows it. Without evidence nothing
/// is invalid, so that what is merely missing cannot be replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invalid {
    /// What it is.
    pub because: InvalidBecause,
    /// In words.
    pub reason: String,
    /// The entry of the ledger that shows it.
    pub shown_by: u64,
}

/// An item of a sample.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pick {
    /// Its row in the population.
    pub row: u64,
    /// Why it was named, if it was.
    pub reason: Option<String>,
    /// The row it stands in for.
    pub stands_for: Option<u64>,
    /// Why it counts no longer.
    pub invalid: Option<Invalid>,
}

/// What was drawn from one stream.
#[derive(Clone, Debug)]
pub struct Part {
    /// The stratum's label; empty of an undivided sample.
    pub label: String,
    /// How items were chosen.
    pub selection: Selection,
    /// Whether it holds items that came to light after the population was frozen.
    pub late: bool,
    /// What came out, in the order of the stream; nothing is taken out again.
    pub picks: Vec<Pick>,
    rows: Rows,
    order: Option<Picks>,
}

/// Which rows a part draws from.
#[derive(Clone, Debug)]
enum Rows {
    All(u64),
    These(Vec<u64>),
}

impl Rows {
    fn count(&self) -> u64 {
        match self {
            Self::All(count) => *count,
            Self::These(rows) => rows.len() as u64,
        }
    }

    fn at(&self, place: u64) -> u64 {
        match self {
            Self::All(_) => place,
            Self::These(rows) => rows[place as usize],
        }
    }
}

impl Part {
    fn drawn(label: &str, selection: Selection, rows: Rows, seed: Seed, size: u64) -> Result<Self, Refused> {
        if size == 0 {
            return Err(Refused::Nothing);
        }
        if size > rows.count() {
            return Err(Refused::TooMany { asked: size, rows: rows.count() });
        }
        let mut order = Picks::new(seed, rows.count());
        let places: Vec<u64> = match selection {
            Selection::Systematic => order.systematic(size),
            _ => order.by_ref().take(size as usize).collect(),
        };
        let picks = places.into_iter().map(|place| pick(rows.at(place))).collect();
        Ok(Self { label: label.to_owned(), selection, late: false, picks, rows, order: Some(order) })
    }

    /// How many rows it draws from.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows.count()
    }

    /// The items that count, in their order.
    pub fn in_force(&self) -> impl Iterator<Item = &Pick> {
        self.picks.iter().filter(|pick| pick.invalid.is_none())
    }

    /// The next row of the same stream; `None` when every one was drawn.
    fn next(&mut self) -> Result<Option<u64>, Refused> {
        let order = self.order.as_mut().ok_or(Refused::NoStream)?;
        Ok(order.next().map(|place| self.rows.at(place)))
    }

    fn extend(&mut self, to: u64) -> Result<(), Refused> {
        for _ in self.in_force().count() as u64..to {
            let row = self.next()?.ok_or(Refused::Exhausted(self.rows.count()))?;
            self.picks.push(pick(row));
        }
        Ok(())
    }
}

fn pick(row: u64) -> Pick {
    Pick { row, reason: None, stands_for: None, invalid: None }
}

/// A sample of one population, as it was drawn, replaced in and extended.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What was drawn, by stratum; one part where there are none.
    pub parts: Vec<Part>,
}

impl Sample {
    /// `size` of `rows` rows, each with the same chance.
    ///
    /// # Errors
    /// Nothing is asked for, or more than there is.
    pub fn random(seed: Seed, rows: u64, size: u64) -> Result<Self, Refused> {
        let part = Part::drawn("", Selection::Random, Rows::All(rows), seed, size)?;
        Ok(Self { parts: vec![part] })
    }

    /// Every n-th of `rows` rows from a random start.
    ///
    /// # Errors
    /// Nothing is asked for, or more than there is.
    pub fn systematic(seed: Seed, rows: u64, size: u64) -> Result<Self, Refused> {
        let part = Part::drawn("", Selection::Systematic, Rows::All(rows), seed, size)?;
        Ok(Self { parts: vec![part] })
    }

    /// `size` rows over strata that divide the population, in proportion; each stratum has its own stream.
    ///
    /// # Errors
    /// What [`allocate`] refuses; two strata with one label or one row.
    pub fn stratified(seed: Seed, strata: Vec<Stratum>, size: u64) -> Result<Self, Refused> {
        let mut labels = BTreeSet::new();
        let mut seen = BTreeSet::new();
        for stratum in &strata {
            if !labels.insert(stratum.label.as_str()) {
                return Err(Refused::Strata(format!("two are called `{}`", stratum.label)));
            }
            if let Some(row) = stratum.rows.iter().find(|row| !seen.insert(**row)) {
                return Err(Refused::Strata(format!("row {row} stands in two")));
            }
            if !stratum.rows.is_sorted() {
                return Err(Refused::Strata(format!("`{}` isn't in the population's order", stratum.label)));
            }
        }
        let counts: Vec<u64> = strata.iter().map(|s| s.rows.len() as u64).collect();
        let given = allocate(size, &counts)?;
        let drawn = strata.into_iter().zip(given).filter(|(_, size)| *size > 0).map(|(stratum, size)| {
            let seed = seed.stratum(&stratum.label);
            Part::drawn(&stratum.label, Selection::Random, Rows::These(stratum.rows), seed, size)
        });
        Ok(Self { parts: drawn.collect::<Result<_, _>>()? })
    }

    /// `size` of the rows that came to light after an earlier freeze: a stratum of its own that is in no rate.
    ///
    /// # Errors
    /// Nothing is asked for, or more than there is.
    pub fn late(seed: Seed, late: Stratum, size: u64) -> Result<Self, Refused> {
        let mut sample = Self::stratified(seed, vec![late], size)?;
        sample.parts.iter_mut().for_each(|part| part.late = true);
        Ok(sample)
    }

    /// Items of a population of `rows` that somebody chose, each with a reason.
    ///
    /// # Errors
    /// None, one that is not there or named twice, or one without a reason.
    pub fn named(haphazard: bool, rows: u64, items: Vec<Named>) -> Result<Self, Refused> {
        if items.is_empty() {
            return Err(Refused::Nothing);
        }
        let mut seen = BTreeSet::new();
        for item in &items {
            if item.row >= rows {
                return Err(Refused::NotDrawn(item.row));
            }
            if !seen.insert(item.row) {
                return Err(Refused::Twice(item.row));
            }
            if item.reason.trim().is_empty() {
                return Err(Refused::NoReason(item.row));
            }
        }
        let selection = if haphazard { Selection::Haphazard } else { Selection::Targeted };
        let picks = items.into_iter().map(|i| Pick { reason: Some(i.reason), ..pick(i.row) }).collect();
        let part =
            Part { label: String::new(), selection, late: false, picks, rows: Rows::All(rows), order: None };
        Ok(Self { parts: vec![part] })
    }

    /// The items that count.
    pub fn in_force(&self) -> impl Iterator<Item = &Pick> {
        self.parts.iter().flat_map(Part::in_force)
    }

    /// Draws further items until `to` of them count; those that were drawn stay, in their order.
    ///
    /// Over strata `to` is divided anew. A stratum that would have fewer than before keeps what it has, so that the sample may
    /// be larger than asked for.
    ///
    /// # Errors
    /// Not more than there are, more than the population has, or items that were named.
    pub fn extend(&mut self, to: u64) -> Result<(), Refused> {
        let has = self.in_force().count() as u64;
        if to <= has {
            return Err(Refused::NotMore { has });
        }
        let counts: Vec<u64> = self.parts.iter().map(Part::rows).collect();
        let given = allocate(to, &counts)?;
        // All or nothing: a refused extension leaves the sample as it was.
        let mut extended = self.clone();
        for (part, to) in extended.parts.iter_mut().zip(given) {
            part.extend(to)?;
        }
        *self = extended;
        Ok(())
    }

    /// Replaces an item that is shown to be invalid by the next one of the same stream. `None` when there is no other: then
    /// the item counts no longer and nothing stands in for it.
    ///
    /// # Errors
    /// The row is not in force, was named instead of drawn, or no reason is given.
    pub fn replace(&mut self, row: u64, invalid: Invalid) -> Result<Option<u64>, Refused> {
        if invalid.reason.trim().is_empty() {
            return Err(Refused::NoReason(row));
        }
        let holds = |part: &&mut Part| part.in_force().any(|pick| pick.row == row);
        let part = self.parts.iter_mut().find(holds).ok_or(Refused::NotDrawn(row))?;
        let next = part.next()?;
        part.picks
            .iter_mut()
            .filter(|pick| pick.row == row)
            .for_each(|pick| pick.invalid = Some(invalid.clone()));
        part.picks.extend(next.map(|next| Pick { stands_for: Some(row), ..pick(next) }));
        Ok(next)
    }

    /// What the findings of the items say: how many deviate, at which rate, and up to which rate the population may.
    #[must_use]
    pub fn evaluate(
        &self,
        findings: &BTreeMap<u64, Finding>,
        basis: SizeBasis,
        confidence: Confidence,
    ) -> Evaluation {
        let (mut tested, mut deviating, mut without_evidence) = (0, 0, 0);
        for finding in self.in_force().filter_map(|pick| findings.get(&pick.row)) {
            tested += 1;
            deviating += u64::from(finding.deviates());
            without_evidence += u64::from(*finding == Finding::NoEvidence);
        }
        let untested = self.in_force().count() as u64 - tested;
        let limit = match self.parts.as_slice() {
            [part] if !part.selection.by_chance() => Err(NoConfidence::Chosen(part.selection)),
            [part] if part.late => Err(NoConfidence::Late),
            [_] if untested > 0 => Err(NoConfidence::Untested(untested)),
            [_] if basis == SizeBasis::Profile => Err(NoConfidence::Profile),
            [_] if tested < FEWEST_TESTED => Err(NoConfidence::TooFew(tested)),
            [_] if tested > MOST_TESTED => Err(NoConfidence::TooMany(tested)),
            [part] => Ok(limit(tested, deviating, part.rows(), confidence)),
            _ => Err(NoConfidence::MixedStrata),
        };
        let rate = match &limit {
            Err(NoConfidence::Chosen(_) | NoConfidence::Late | NoConfidence::MixedStrata) => None,
            _ => (tested > 0).then(|| Share::new(deviating, tested)),
        };
        Evaluation { tested, untested, deviating, without_evidence, rate, limit }
    }
}

/// What the test of an item found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finding {
    /// The control operated.
    Pass,
    /// It did not.
    Deviation,
    /// Its evidence cannot be found. The item stays, and counts as a deviation.
    NoEvidence,
}

impl Finding {
    const fn deviates(self) -> bool {
        matches!(self, Self::Deviation | Self::NoEvidence)
    }
}

/// Where the size of a sample comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SizeBasis {
    /// The auditor said how many.
    Stated,
    /// A customary size ([`crate::Profile`]): judgement.
    Profile,
}

/// Below how many items a limit is so wide that a confidence would only look like one.
const FEWEST_TESTED: u64 = 20;

/// What a sample says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evaluation {
    /// Items with a finding.
    pub tested: u64,
    /// Items without one, as yet.
    pub untested: u64,
    /// Items that deviate, those without evidence among them.
    pub deviating: u64,
    /// Of these, the ones whose evidence is missing.
    pub without_evidence: u64,
    /// The rate among those tested; `None` where no rate is one.
    pub rate: Option<Share>,
    /// The upper limit, or why there is none.
    pub limit: Result<Limit, NoConfidence>,
}

/// Why a sample carries no confidence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoConfidence {
    /// Somebody chose the items.
    Chosen(Selection),
    /// Late items are told by themselves.
    Late,
    /// Several strata: their chances differ, and a common rate would hide the worst.
    MixedStrata,
    /// Its size comes from a profile.
    Profile,
    /// Too few items.
    TooFew(u64),
    /// More than limits are worked out for.
    TooMany(u64),
    /// Not every item was tested.
    Untested(u64),
}

impl fmt::Display for NoConfidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chosen(how) => write!(f, "the items are {}: they say nothing of the others", how.word()),
            Self::Late => f.write_str("late items are a stratum of their own and in no rate"),
            Self::MixedStrata => f.write_str("it mixes strata, whose items have different chances"),
            Self::Profile => {
                f.write_str("its size comes from a profile, which is judgement and no calculation")
            }
            Self::TooFew(n) => {
                write!(f, "{n} items are too few: below {FEWEST_TESTED} the limit is too wide to rely on")
            }
            Self::TooMany(n) => {
                write!(f, "{n} items are more than the {MOST_TESTED} for which limits are worked out")
            }
            Self::Untested(n) => write!(f, "{n} of its items have no finding yet"),
        }
    }
}
