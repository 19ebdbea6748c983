//! Waivers as the records hold them, and their mark beside what was assessed.

use assess::{Waivable, Waived, Waiver};
use model::{Instant, Verdict};
use serde::Serialize;

use crate::assessment::{ProcedureReport, Question};
use crate::error::AppError;
use crate::question::{instant, integer, text};
use crate::workspace::Workspace;

/// A waiver with what people said about it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WaiverReport {
    /// Its name for good.
    pub key: String,
    /// The control it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// The procedure it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub procedure: Option<String>,
    /// The only item it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// From when it holds.
    pub valid_from: Instant,
    /// The first instant at which it does not hold any more; absent when nobody says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Instant>,
    /// Why it is needed.
    pub reason: String,
    /// Who approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// When it was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Instant>,
    /// When the ledger took it: an approval can be dated back, this cannot.
    pub entered_at: Instant,
    /// Its ledger entry.
    pub entry: i64,
}

impl WaiverReport {
    pub(crate) fn rule(&self) -> Waiver {
        Waiver {
            key: self.key.clone(),
            control: self.control.clone(),
            procedure: self.procedure.clone(),
            item: self.item.clone(),
            valid_from: self.valid_from,
            valid_to: self.valid_to,
            approved_at: self.approved_at,
            approved_by: self.approved_by.clone(),
        }
    }
}

impl Workspace {
    /// Every waiver, in the order of their beginning.
    ///
    /// # Errors
    /// The database.
    pub fn waivers(&mut self, known_at: Option<u64>) -> Result<Vec<WaiverReport>, AppError> {
        let answer = self.query(
            "SELECT w.id AS id, w.control AS control, w.procedure AS procedure, w.item AS item, w.valid_from AS valid_from, \
                    w.valid_to AS valid_to, w.reason AS reason, w.approved_by AS approved_by, w.approved_at AS approved_at, \
                    w.collected_at AS collected_at, w.entry AS entry FROM waiver w",
            Instant::FOREVER,
            known_at,
        )?;
        let keys =
            self.keys_of(answer.rows.iter().flat_map(|row| [integer(row.first()), integer(row.get(7))]))?;
        let mut waivers: Vec<WaiverReport> = answer
            .rows
            .iter()
            .map(|row| {
                let key = |at: usize| integer(row.get(at)).and_then(|id| keys.get(&id).cloned());
                WaiverReport {
                    key: key(0).unwrap_or_default(),
                    control: text(row.get(1)),
                    procedure: text(row.get(2)),
                    item: text(row.get(3)),
                    valid_from: instant(row.get(4)).unwrap_or(Instant::FOREVER),
                    valid_to: instant(row.get(5)),
                    reason: text(row.get(6)).unwrap_or_default(),
                    approved_by: key(7),
                    approved_at: instant(row.get(8)),
                    entered_at: instant(row.get(9)).unwrap_or(Instant::FOREVER),
                    entry: integer(row.get(10)).unwrap_or_default(),
                }
            })
            .collect();
        waivers.sort_by(|a, b| (a.valid_from, &a.key).cmp(&(b.valid_from, &b.key)));
        Ok(waivers)
    }

    /// Keys of entities, by their numbers.
    pub(crate) fn keys_of(
        &mut self,
        ids: impl Iterator<Item = Option<i64>>,
    ) -> Result<std::collections::BTreeMap<i64, String>, AppError> {
        let ids = ids.flatten().collect();
        Ok(self.records.entities_of(&ids)?.into_iter().map(|entity| (entity.id, entity.key)).collect())
    }

    /// Names beside every item that deviates the waiver that covers it. No verdict and no count moves.
    pub(crate) fn mark_waived(
        &mut self,
        reports: &mut [ProcedureReport],
        question: &Question,
    ) -> Result<(), AppError> {
        let deviates = |r: &ProcedureReport| r.items.iter().any(|i| i.verdict() == Verdict::Deviation);
        if !reports.iter().any(deviates) {
            return Ok(());
        }
        let waivers: Vec<Waiver> = self.waivers(question.known_at)?.iter().map(WaiverReport::rule).collect();
        for report in reports {
            let over_period = self.catalog.procedures.get(&report.id).is_some_and(|p| p.over_period);
            for item in report.items.iter_mut().filter(|i| i.verdict() == Verdict::Deviation) {
                let (from, last) = spans(question, over_period, item.occurred_at);
                let deviation = Waivable {
                    controls: &report.controls,
                    procedure: &report.id,
                    item: &item.item,
                    from,
                    last,
                };
                let covers = |w: &&Waiver| w.concerns(&deviation) && w.stands(&deviation) == Waived::Covers;
                item.waived = waivers.iter().find(covers).map(|w| w.key.clone());
            }
        }
        Ok(())
    }
}

/// The first and the last instant of a deviation: of an item that lasts the period, all of it that counts.
pub(crate) fn spans(question: &Question, over_period: bool, occurred_at: Instant) -> (Instant, Instant) {
    if over_period {
        let end = question.period.to.ms().saturating_sub(1).min(question.cutoff.ms());
        (question.period.from, Instant::from_ms(end).max(question.period.from))
    } else {
        (occurred_at, occurred_at)
    }
}
