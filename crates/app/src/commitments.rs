//! What the company has promised, and what answers to it: the controls and the objectives that its commitments name, and
//! whether those are there, measured, and as strong as the promise.

use std::collections::{BTreeMap, BTreeSet};

use model::{Grade, Instant, Value};
use serde::Serialize;

use crate::assessment::coverage;
use crate::error::AppError;
use crate::question::{integer, text};
use crate::workspace::Workspace;

/// An objective that was measured no later than so long ago is measured: a month, and another one to report it.
const MEASURED_WITHIN_MS: i64 = 62 * 86_400_000;

/// Commitments that hold at an instant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Commitments {
    /// The instant in the world.
    pub as_of: Instant,
    /// Ledger position of the snapshot.
    pub position: u64,
    /// The commitments, by their label.
    pub commitments: Vec<Commitment>,
    /// What is not known of the register itself, in sentences.
    pub not_known: Vec<String>,
}

/// One commitment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Commitment {
    /// Its key.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `contract`, `sla`, `policy`, `website` or `law`.
    pub kind: String,
    /// From when.
    pub since: Instant,
    /// Until when, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
    /// The control that answers to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<AnsweringControl>,
    /// The objective by which it is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// How many minutes of a million are promised to be good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective_ppm: Option<i64>,
    /// Ledger entry of the document that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<i64>,
    /// Ledger entry of the commitment.
    pub entry: i64,
    /// How far the evidence can be trusted.
    pub grade: Grade,
    /// In what the promise is not answered, in sentences.
    pub deviations: Vec<String>,
    /// What is not known of it, in sentences.
    pub not_known: Vec<String>,
}

/// A control that answers to a commitment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AnsweringControl {
    /// Its id.
    pub id: String,
    /// Its title, where it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Procedures that test it.
    pub procedures: Vec<String>,
}

/// An objective that measures a commitment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Metric {
    /// Its key.
    pub key: String,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// How many minutes of a million it asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_ppm: Option<i64>,
    /// Up to when it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured_to: Option<Instant>,
}

/// What is declared of an objective: labels and targets of every version that may hold.
#[derive(Default)]
struct Objective {
    label: Option<String>,
    targets: Vec<Option<i64>>,
}

impl Workspace {
    /// Commitments at an instant, as known at a ledger position (everything when absent).
    ///
    /// # Errors
    /// The database.
    pub fn commitments(&mut self, as_of: Instant, known_at: Option<u64>) -> Result<Commitments, AppError> {
        let position = self.position(known_at)?;
        let known_at = i64::try_from(position).unwrap_or(i64::MAX - 1);
        let versions = self.versions(known_at, as_of)?;
        let objectives = self.objectives(as_of, position)?;
        let measured = self.measured(as_of, position)?;
        let rows = self
            .query(
                "SELECT c.id AS id, c.label AS label, c.kind AS kind, c.control AS control, c.metric AS metric, \
                 c.objective_ppm AS objective_ppm, c.evidence AS evidence, c.valid_from AS valid_from, \
                 c.valid_to AS valid_to, c.entry AS entry, c.grade AS grade FROM commitment c \
                 ORDER BY c.label ASC NULLS FIRST, c.id ASC NULLS FIRST",
                as_of,
                Some(position),
            )?
            .rows;
        let ids: BTreeSet<i64> =
            rows.iter().flat_map(|row| [integer(&row[0]), integer(&row[4])]).flatten().collect();
        let keys: BTreeMap<i64, String> =
            self.records.entities_of(&ids)?.into_iter().map(|e| (e.id, e.key)).collect();
        let titles: BTreeMap<i64, String> = self
            .records
            .display(&ids)?
            .into_iter()
            .filter(|d| d.field == "title")
            .map(|d| (d.id, d.text))
            .collect();
        let mut commitments = vec![];
        for row in rows {
            let [id, label, kind, control, metric, objective, evidence, from, to, entry, grade] =
                row.as_slice()
            else {
                continue;
            };
            let Some(id) = integer(id) else { continue };
            let mut deviations = vec![];
            let mut not_known = vec![];
            let control = text(control).map(|id| {
                self.answering(&id, versions.control_in_force(&id, as_of), &mut deviations, &mut not_known)
            });
            let objective_ppm = integer(objective);
            let metric = integer(metric).map(|metric| Metric {
                key: keys.get(&metric).cloned().unwrap_or_default(),
                label: objectives.get(&metric).and_then(|o| o.label.clone()),
                target_ppm: match objectives.get(&metric).map(|o| o.targets.as_slice()) {
                    Some([target]) => *target,
                    _ => None,
                },
                measured_to: measured.get(&metric).copied(),
            });
            let targets =
                row.get(4).and_then(integer).and_then(|m| objectives.get(&m)).map(|o| &o.targets[..]);
            match (&metric, objective_ppm) {
                (Some(metric), promised) => {
                    weigh(
                        metric,
                        targets.unwrap_or_default(),
                        promised,
                        as_of,
                        &mut deviations,
                        &mut not_known,
                    );
                }
                (None, Some(promised)) => {
                    deviations
                        .push(format!("{} is promised, and no objective measures it", percent(promised)));
                }
                (None, None) if control.is_none() => deviations.push("nothing answers to it".to_owned()),
                (None, None) => {}
            }
            let evidence = integer(evidence);
            if let Some(entry) = evidence {
                let there = self.records.entity_id("evidence_file", 0, &entry.to_string())?;
                // Its row has to be known by then, too.
                if there
                    .is_none_or(|id| i64::try_from(model::row_id_entry(id)).unwrap_or(i64::MAX) >= known_at)
                {
                    not_known.push(format!("what it rests on: no evidence is kept as {entry}"));
                }
            }
            let until = integer(to).map(Instant::from_ms);
            if until.is_none() {
                not_known.push("until when it is promised".to_owned());
            }
            commitments.push(Commitment {
                key: keys.get(&id).cloned().unwrap_or_default(),
                label: text(label).unwrap_or_default(),
                title: titles.get(&id).cloned(),
                kind: text(kind).unwrap_or_default(),
                since: Instant::from_ms(integer(from).unwrap_or_default()),
                until: until.filter(|until| *until != Instant::FOREVER),
                control,
                metric,
                objective_ppm,
                evidence,
                entry: integer(entry).unwrap_or_default(),
                grade: text(grade).and_then(|word| word.parse().ok()).unwrap_or(Grade::Asserted),
                deviations,
                not_known,
            });
        }
        let (seen, _) = coverage(&mut self.records, known_at)?;
        let not_known = seen
            .seen(0, "commitment", as_of, Grade::Asserted)
            .err()
            .map(|why| format!("whether these are all commitments: {why}"));
        Ok(Commitments { as_of, position, commitments, not_known: not_known.into_iter().collect() })
    }

    /// The control that a commitment names.
    fn answering(
        &self,
        id: &str,
        in_force: Option<bool>,
        deviations: &mut Vec<String>,
        not_known: &mut Vec<String>,
    ) -> AnsweringControl {
        let control = match self.catalog.control(id) {
            Ok(control) => Some(control),
            Err(problem) => {
                deviations.push(problem.said());
                None
            }
        };
        match in_force {
            Some(true) => {}
            Some(false) => deviations.push(format!("{id} is not in force")),
            None => not_known.push(format!("whether {id} is in force")),
        }
        AnsweringControl {
            id: id.to_owned(),
            title: control.map(|c| c.title.clone()),
            procedures: self.catalog.procedures_of(id).map(|p| p.id.clone()).collect(),
        }
    }

    fn objectives(&mut self, as_of: Instant, position: u64) -> Result<BTreeMap<i64, Objective>, AppError> {
        let sql = "SELECT s.id AS id, s.label AS label, s.target_ppm AS target_ppm FROM slo s \
                   ORDER BY s.id ASC NULLS FIRST, s.valid_from ASC NULLS FIRST";
        let mut all: BTreeMap<i64, Objective> = BTreeMap::new();
        for row in self.query(sql, as_of, Some(position))?.rows {
            let Some(id) = row.first().and_then(integer) else { continue };
            let objective = all.entry(id).or_default();
            objective.label = text(&row[1]);
            objective.targets.push(integer(&row[2]));
        }
        Ok(all)
    }

    /// Up to when each objective was measured, at an instant.
    fn measured(&mut self, as_of: Instant, position: u64) -> Result<BTreeMap<i64, Instant>, AppError> {
        let sql = "SELECT m.slo AS slo, max(m.ends_at) AS ends_at FROM slo_measurement m \
                   WHERE m.ends_at <= $as_of + 1 GROUP BY m.slo";
        let rows = self.query(sql, as_of, Some(position))?.rows;
        let measured =
            |row: &Vec<Value>| Some((integer(row.first()?)?, Instant::from_ms(integer(row.get(1)?)?)));
        Ok(rows.iter().filter_map(measured).collect())
    }
}

/// What an objective says of a promise. `targets` are those of every version of it that may hold.
fn weigh(
    metric: &Metric,
    targets: &[Option<i64>],
    promised: Option<i64>,
    as_of: Instant,
    deviations: &mut Vec<String>,
    not_known: &mut Vec<String>,
) {
    let name = metric.label.as_deref().unwrap_or(&metric.key);
    if targets.is_empty() {
        not_known.push(format!("what `{name}` asks for: nothing declares it then"));
    }
    if let Some(promised) = promised {
        let weaker = |target: &Option<i64>| target.map(|target| target < promised);
        let all: Vec<Option<bool>> = targets.iter().map(weaker).collect();
        if !all.is_empty() && all.iter().all(|weaker| *weaker == Some(true)) {
            let asks: Vec<String> = targets.iter().flatten().map(|t| percent(*t)).collect();
            deviations.push(format!(
                "`{name}` asks for {}, and {} is promised",
                asks.join(" or "),
                percent(promised)
            ));
        } else if all.iter().any(|weaker| *weaker != Some(false)) {
            not_known
                .push(format!("whether `{name}` asks for as much as is promised ({})", percent(promised)));
        }
    }
    match metric.measured_to {
        None => not_known.push(format!("whether it is kept: nobody measured `{name}` up to then")),
        Some(to) if as_of.ms() - to.ms() > MEASURED_WITHIN_MS => {
            not_known.push(format!("whether it is kept: `{name}` was last measured up to {to}"));
        }
        Some(_) => {}
    }
}

/// `999000` as `99.9 %`.
fn percent(ppm: i64) -> String {
    let text = format!("{}.{:04}", ppm / 10_000, (ppm % 10_000).abs());
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_million_are_percent() {
        for (ppm, said) in
            [(999_000, "99.9 %"), (999_950, "99.995 %"), (1_000_000, "100 %"), (500_000, "50 %")]
        {
            assert_eq!(percent(ppm), said);
        }
    }

    /// The promise is 99.9 %; what is said of it, deviations before what is not known.
    #[track_caller]
    fn check(targets: &[Option<i64>], measured_days_ago: Option<i64>, expect: &[&str]) {
        let as_of = Instant::from_ms(1_760_000_000_000);
        let metric = Metric {
            key: "web".to_owned(),
            label: None,
            target_ppm: None,
            measured_to: measured_days_ago.map(|days| Instant::from_ms(as_of.ms() - days * 86_400_000)),
        };
        let (mut deviations, mut not_known) = (vec![], vec![]);
        weigh(&metric, targets, Some(999_000), as_of, &mut deviations, &mut not_known);
        deviations.extend(not_known.iter().map(|n| format!("? {n}")));
        assert_eq!(deviations, expect);
    }

    #[test]
    fn an_objective_has_to_be_as_strong_as_the_promise_and_measured() {
        check(&[Some(999_000)], Some(62), &[]);
        check(&[Some(998_999)], Some(1), &["`web` asks for 99.8999 %, and 99.9 % is promised"]);
        check(&[Some(999_500)], None, &["? whether it is kept: nobody measured `web` up to then"]);
        check(
            &[Some(999_500)],
            Some(63),
            &["? whether it is kept: `web` was last measured up to 2025-08-07T08:53:20Z"],
        );
        // Which of two versions holds nobody knows: only when both are too weak is it certain.
        check(
            &[Some(999_000), Some(990_000)],
            Some(1),
            &["? whether `web` asks for as much as is promised (99.9 %)"],
        );
        check(&[None], Some(1), &["? whether `web` asks for as much as is promised (99.9 %)"]);
        check(&[], Some(1), &["? what `web` asks for: nothing declares it then"]);
    }
}
