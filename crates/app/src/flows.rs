//! Data flows: what data goes where, the vendors that receive personal or customer data by it, and what nobody says.
//!
//! The list of sub-processors is derived, never kept: a vendor stands on it because a flow leads there, from our own systems or
//! through another vendor. Where nobody says what class of data flows, it may be the sensitive one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::{Grade, Instant, Period, Window};
use serde::Serialize;

use crate::error::AppError;
use crate::question::{instant, integer, text};
use crate::workspace::Workspace;

/// Classes whose receivers are sub-processors.
const SENSITIVE: [&str; 2] = ["personal", "customer"];

/// The data-flow graph at an instant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Flows {
    /// The instant in the world.
    pub as_of: Instant,
    /// Ledger position of the snapshot.
    pub position: u64,
    /// What flows, or may.
    pub flows: Vec<Flow>,
    /// Vendors that receive personal or customer data, or may.
    pub sub_processors: Vec<SubProcessor>,
    /// What is not known, in sentences.
    pub not_known: Vec<String>,
}

/// One end of a flow.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct End {
    /// `system`, `vendor`, or what else it was said to be.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// What it is called.
    pub name: String,
}

/// One flow.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Flow {
    /// From where.
    pub source: End,
    /// To where.
    pub target: End,
    /// The most sensitive class in it; absent when nobody says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_class: Option<String>,
    /// What for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// On what ground it goes to another country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<String>,
    /// Where it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// From when.
    pub since: Instant,
    /// Until when; absent when nobody says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
    /// Its ledger entry.
    pub entry: i64,
    /// How far it can be trusted.
    pub grade: Grade,
}

impl Flow {
    /// Whether personal or customer data is in it: for certain, or as far as anybody can say.
    fn is_sensitive(&self) -> Option<bool> {
        match &self.data_class {
            Some(class) if !SENSITIVE.contains(&class.as_str()) => None,
            Some(_) => Some(self.until.is_some()),
            None => Some(false),
        }
    }
}

/// A vendor that receives personal or customer data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SubProcessor {
    /// Its key.
    pub vendor: String,
    /// What it is called.
    pub name: String,
    /// Whether it does for certain; else nobody says what flows there, or whether it still does.
    pub certain: bool,
    /// The classes that it receives, as far as they are known.
    pub classes: Vec<String>,
    /// The shortest way the data takes, from one of our own places or from outside.
    pub path: Vec<String>,
    /// The vendors on that way: none where it receives the data from us.
    pub through: Vec<String>,
    /// What for.
    pub purposes: Vec<String>,
    /// Where it keeps the data.
    pub countries: Vec<String>,
    /// On what grounds it goes there.
    pub mechanisms: Vec<String>,
    /// Ledger entries of the flows.
    pub entries: Vec<i64>,
}

/// Data that a vendor received.
pub(crate) struct Received {
    pub(crate) vendor: String,
    /// When, within what was asked about.
    pub(crate) during: Window,
    pub(crate) what: String,
    /// From where.
    pub(crate) from: String,
    pub(crate) entry: i64,
}

impl Workspace {
    /// The data-flow graph at an instant, as known at a ledger position.
    ///
    /// # Errors
    /// The database.
    pub fn flows(&mut self, as_of: Instant, known_at: Option<u64>) -> Result<Flows, AppError> {
        let position = self.position(known_at)?;
        let mut flows = self.flows_known(position)?;
        flows.retain(|flow| flow.since <= as_of && flow.until.is_none_or(|until| until > as_of));
        let sub_processors = sub_processors(&flows);
        let not_known = self.not_known_of(&flows, &sub_processors, as_of, position)?;
        Ok(Flows { as_of, position, flows, sub_processors, not_known })
    }

    fn flows_known(&mut self, position: u64) -> Result<Vec<Flow>, AppError> {
        let answer = self.ask(
            "SELECT f.source AS source, f.target AS target, f.data_class AS data_class, f.purpose AS purpose, \
                    f.mechanism AS mechanism, f.country AS country, f.starts_at AS starts_at, f.ends_at AS ends_at, \
                    f.entry AS entry, f.grade AS grade \
               FROM data_flow f",
            &Period { from: Instant::BEGINNING, to: Instant::FOREVER, tz: "UTC".to_owned() },
            Instant::FOREVER,
            Some(position),
        )?;
        let ids: BTreeSet<i64> =
            answer.rows.iter().flat_map(|row| row.iter().take(2).filter_map(integer)).collect();
        let names = self.names_of(position)?;
        let ends: BTreeMap<i64, End> = self
            .records
            .entities_of(&ids)?
            .into_iter()
            .map(|e| {
                let name = names.get(&e.id).cloned().unwrap_or_else(|| e.key.clone());
                (e.id, End { kind: e.kind, key: e.key, name })
            })
            .collect();
        let mut flows: Vec<Flow> = answer
            .rows
            .iter()
            .filter_map(|row| {
                Some(Flow {
                    source: ends.get(&integer(row.first()?)?)?.clone(),
                    target: ends.get(&integer(row.get(1)?)?)?.clone(),
                    data_class: row.get(2).and_then(text),
                    purpose: row.get(3).and_then(text),
                    mechanism: row.get(4).and_then(text),
                    country: row.get(5).and_then(text),
                    since: instant(row.get(6)?)?,
                    until: row.get(7).and_then(instant),
                    entry: integer(row.get(8)?)?,
                    grade: text(row.get(9)?)?.parse().ok()?,
                })
            })
            .collect();
        flows.sort_by(|a, b| {
            (&a.source, &a.target, a.since, a.entry).cmp(&(&b.source, &b.target, b.since, b.entry))
        });
        Ok(flows)
    }

    /// What systems and vendors are called.
    fn names_of(&mut self, position: u64) -> Result<BTreeMap<i64, String>, AppError> {
        let answer = self.query(
            "SELECT s.id AS id, s.label AS label FROM system_history s UNION ALL SELECT v.id AS id, v.label AS label FROM vendor v",
            Instant::FOREVER,
            Some(position),
        )?;
        Ok(answer.rows.iter().filter_map(|row| Some((integer(row.first()?)?, text(row.get(1)?)?))).collect())
    }

    fn not_known_of(
        &mut self,
        flows: &[Flow],
        sub_processors: &[SubProcessor],
        as_of: Instant,
        position: u64,
    ) -> Result<Vec<String>, AppError> {
        let mut not_known = vec![];
        if flows.is_empty() {
            not_known.push(
                "what data goes where: no flow is known at that time; feed the table `data_flow`".to_owned(),
            );
        }
        let mut registered: BTreeMap<(&str, String), ()> = BTreeMap::new();
        for (kind, question) in
            [("system", "SELECT s.id AS id FROM system s"), ("vendor", "SELECT v.id AS id FROM vendor v")]
        {
            let answer = self.query(question, as_of, Some(position))?;
            let ids: BTreeSet<i64> = answer.rows.iter().flatten().filter_map(integer).collect();
            for entity in self.records.entities_of(&ids)? {
                registered.insert((kind, entity.key), ());
            }
        }
        let mut named: BTreeSet<(&str, &str)> = BTreeSet::new();
        let mut ends = BTreeSet::new();
        for flow in flows {
            let (from, to) = (&flow.source.name, &flow.target.name);
            if flow.data_class.is_none() {
                not_known.push(format!("what class of data goes from {from} to {to}"));
            }
            if flow.until.is_none() {
                not_known.push(format!("until when data goes from {from} to {to}"));
            }
            for end in [&flow.source, &flow.target] {
                named.insert((&end.kind, &end.key));
                ends.insert(end);
            }
        }
        for end in ends {
            let register = match end.kind.as_str() {
                "system" => "no system of that time in the table `system`",
                "vendor" => "no vendor of the register (`vendor`)",
                _ => continue,
            };
            if !registered.contains_key(&(end.kind.as_str(), end.key.clone())) {
                not_known.push(format!("what `{}` is: {register}", end.key));
            }
        }
        for ((_, key), ()) in registered.iter().filter(|((kind, _), ())| *kind == "system") {
            if !named.contains(&("system", key.as_str())) {
                not_known.push(format!("whether data goes to or from `{key}`: no flow names it"));
            }
        }
        for vendor in sub_processors.iter().filter(|s| s.countries.is_empty()) {
            not_known.push(format!("in which country {} keeps the data", vendor.name));
        }
        Ok(not_known)
    }

    /// Every flow of personal or customer data to a vendor, as far as it lies in a period.
    pub(crate) fn received_by_vendors(
        &mut self,
        period: &Period,
        cutoff: Instant,
        position: u64,
    ) -> Result<Vec<Received>, AppError> {
        let end = period.to.min(Instant::from_ms(cutoff.ms().saturating_add(1)));
        let flows = self.flows_known(position)?;
        Ok(flows
            .into_iter()
            .filter(|flow| flow.target.kind == "vendor")
            .filter_map(|flow| {
                let what = match &flow.data_class {
                    Some(class) => {
                        flow.is_sensitive()?;
                        format!("receives {class} data")
                    }
                    None => "receives data of a class that nobody names".to_owned(),
                };
                let during = Window {
                    from: flow.since.max(period.from),
                    to: flow.until.unwrap_or(Instant::FOREVER).min(end),
                };
                (during.from < during.to).then(|| Received {
                    vendor: flow.target.key,
                    during,
                    what,
                    from: format!("from {}", flow.source.name),
                    entry: flow.entry,
                })
            })
            .collect())
    }
}

/// Vendors that receive personal or customer data, or may, with the way it takes.
fn sub_processors(flows: &[Flow]) -> Vec<SubProcessor> {
    let certain: Vec<&Flow> = flows.iter().filter(|f| f.is_sensitive() == Some(true)).collect();
    let possible: Vec<&Flow> = flows.iter().filter(|f| f.is_sensitive().is_some()).collect();
    let (sure, perhaps) = (ways(&certain), ways(&possible));
    let mut found: BTreeMap<&End, SubProcessor> = BTreeMap::new();
    for flow in possible.iter().filter(|f| f.target.kind == "vendor") {
        let is_certain = flow.is_sensitive() == Some(true);
        let vendor = &flow.target;
        let one = found.entry(vendor).or_insert_with(|| SubProcessor {
            vendor: vendor.key.clone(),
            name: vendor.name.clone(),
            certain: false,
            classes: vec![],
            path: vec![],
            through: vec![],
            purposes: vec![],
            countries: vec![],
            mechanisms: vec![],
            entries: vec![],
        });
        one.certain |= is_certain;
        for (list, value) in [
            (&mut one.classes, &flow.data_class),
            (&mut one.purposes, &flow.purpose),
            (&mut one.countries, &flow.country),
            (&mut one.mechanisms, &flow.mechanism),
        ] {
            list.extend(value.iter().filter(|v| !list.contains(v)).cloned().collect::<Vec<_>>());
        }
        one.entries.push(flow.entry);
    }
    for (vendor, one) in &mut found {
        // From a circle of vendors that nothing of ours leads into, the data comes from whoever is named.
        let way = sure.get(*vendor).or_else(|| perhaps.get(*vendor)).cloned().unwrap_or_else(|| {
            let before = possible.iter().find(|f| f.target == **vendor).map(|f| &f.source);
            before.into_iter().chain([*vendor]).collect()
        });
        let (_, before) = way.split_last().unwrap_or((vendor, &[]));
        one.through = before.iter().filter(|end| end.kind == "vendor").map(|end| end.name.clone()).collect();
        one.path = way.iter().map(|end| end.name.clone()).collect();
        for list in [&mut one.classes, &mut one.purposes, &mut one.countries, &mut one.mechanisms] {
            list.sort();
        }
        one.entries.sort_unstable();
    }
    found.into_values().collect()
}

/// The shortest way to every vendor that data reaches from a place that is no vendor. Circles end nothing: each place is
/// visited once.
fn ways<'f>(flows: &[&'f Flow]) -> BTreeMap<&'f End, Vec<&'f End>> {
    let mut next: BTreeMap<&End, Vec<&'f End>> = BTreeMap::new();
    for flow in flows {
        next.entry(&flow.source).or_default().push(&flow.target);
    }
    let mut ways: BTreeMap<&'f End, Vec<&'f End>> = BTreeMap::new();
    let roots = flows.iter().map(|f| &f.source).filter(|end| end.kind != "vendor");
    let mut waiting: VecDeque<Vec<&'f End>> =
        roots.collect::<BTreeSet<_>>().into_iter().map(|end| vec![end]).collect();
    while let Some(way) = waiting.pop_front() {
        let Some(last) = way.last().copied() else { continue };
        for target in next.get(last).into_iter().flatten() {
            // What is ours begins a way of its own.
            if target.kind == "vendor" && !ways.contains_key(target) {
                let longer: Vec<&End> = way.iter().copied().chain([*target]).collect();
                ways.insert(*target, longer.clone());
                waiting.push_back(longer);
            }
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> End {
        // Capitals are vendors.
        let kind = if text.starts_with(char::is_uppercase) { "vendor" } else { "system" };
        End { kind: kind.to_owned(), key: text.to_owned(), name: text.to_owned() }
    }

    /// `app > Mail personal` for each flow; an unknown class is left out.
    fn graph(text: &str) -> Vec<Flow> {
        let flow = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            Flow {
                source: end(words[0]),
                target: end(words[2]),
                data_class: words.get(3).map(|w| (*w).to_owned()),
                purpose: None,
                mechanism: None,
                country: None,
                since: Instant::BEGINNING,
                until: Some(Instant::FOREVER),
                entry: 1,
                grade: Grade::Manual,
            }
        };
        text.split(';').map(flow).collect()
    }

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        let found: Vec<String> = sub_processors(&graph(text))
            .iter()
            .map(|s| format!("{}{}", s.path.join(" "), if s.certain { "" } else { "?" }))
            .collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn who_receives_sensitive_data_is_a_sub_processor() {
        check("app > Mail personal", &["app Mail"]);
        check("app > Mail customer; app > Log internal; app > Ads public", &["app Mail"]);
        check("app > db customer", &[]);
    }

    #[test]
    fn through_another_vendor_all_the_same() {
        check("app > Mail personal; Mail > Relay personal", &["app Mail", "app Mail Relay"]);
        check("app > Mail personal; Mail > Stats internal", &["app Mail"]);
        // Directly, where there is a way without a vendor.
        check("app > Mail personal; Mail > Relay personal; db > Relay customer", &["app Mail", "db Relay"]);
    }

    #[test]
    fn a_class_that_nobody_names_may_be_the_sensitive_one() {
        check("app > Mail", &["app Mail?"]);
        check("app > Mail; app > Mail personal", &["app Mail"]);
        check("app > Mail; Mail > Relay personal", &["app Mail?", "app Mail Relay"]);
    }

    #[test]
    fn circles_come_to_an_end() {
        check(
            "app > Mail personal; Mail > Relay personal; Relay > Mail personal",
            &["app Mail", "app Mail Relay"],
        );
        check("Mail > Relay personal; Relay > Mail personal", &["Relay Mail", "Mail Relay"]);
        check("app > db personal; db > app personal; db > Mail personal", &["db Mail"]);
    }

    #[test]
    fn a_flow_whose_end_nobody_knows_is_not_certain() {
        let mut flows = graph("app > Mail personal");
        flows[0].until = None;
        assert!(!sub_processors(&flows)[0].certain);
    }

    #[test]
    fn vendors_on_the_way_are_named() {
        let found = sub_processors(&graph("app > Mail personal; Mail > Relay personal"));
        assert_eq!(found[1].through, ["Mail"]);
        assert_eq!(found[0].through, Vec::<String>::new());
        assert_eq!(found[0].classes, ["personal"]);
    }
}
