//! Which report, by when, for whom, and what it comes to: the plan as somebody reads it who has to sell and to pay.

use std::collections::BTreeMap;

use model::Instant;
use serde::Serialize;

use super::{DAY, Facts, Gap, Plan};

/// What auditors' fees are usually quoted as, in dollars, from the least to the most; the most is often more.
const FEES: (u32, u32) = (20_000, 150_000);
/// After how many days a report counts as out of date.
const CURRENT_DAYS: i64 = 365;
/// Days after the first report of type 1 by which that of type 2 is usually there: twelve to eighteen months.
const TYPE_2_DAYS: (i64, i64) = (365, 548);

/// What helps to decide on a category: what is asked, and tables whose rows answer yes.
const QUESTIONS: [(&str, &str, &[&str]); 6] = [
    (
        "availability",
        "does a customer's work stop when the service does, and is it promised in a contract how much it may?",
        &["slo"],
    ),
    (
        "confidentiality",
        "do customers entrust what they would not want others to read, and does the contract say that it is deleted afterwards?",
        &["customer_exit"],
    ),
    (
        "processing_integrity",
        "do errors in what the service works out reach customers: bills, payments, steps of a process, data handed on to other systems?",
        &["job_run", "reconciliation"],
    ),
    (
        "processing_integrity",
        "do customers act on what a model answers without looking at it again?",
        &["model_version"],
    ),
    (
        "privacy",
        "are personal data collected from people themselves, and is something promised to them about it?",
        &["consent", "privacy_notice"],
    ),
    (
        "privacy",
        "do people ask for their data to be shown, corrected or deleted, and is it the company that answers?",
        &["dsr"],
    ),
];

/// Something to ask before a category is decided on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CategoryQuestion {
    /// The category, as rules of scope call it.
    pub category: &'static str,
    /// What is asked.
    pub asks: &'static str,
    /// Record tables that have rows which speak for it.
    pub speaks_for_it: Vec<&'static str>,
}

/// What it comes to. A guess.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Estimate {
    /// Hours of the company's own people.
    pub hours: (u32, u32),
    /// What an auditor may ask for a report, in dollars.
    pub fee_usd: (u32, u32),
    /// What that rests on.
    pub because: String,
}

/// A sale as it was recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Deal {
    pub(crate) label: String,
    pub(crate) wants: Option<String>,
    pub(crate) needed_by: Option<Instant>,
}

/// A sale that waits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WaitingDeal {
    /// What people call it.
    pub deal: String,
    /// `type_1`, `type_2`, or absent when nobody asked the buyer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wants: Option<String>,
    /// When the buyer needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed_by: Option<Instant>,
    /// When such a report could be there at the earliest.
    pub earliest: Instant,
    /// Whether that is in time; absent when no day was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_time: Option<bool>,
}

/// Which report when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Roadmap {
    /// Which to go for first, and why.
    pub advice: String,
    /// What follows on what.
    pub milestones: Vec<Milestone>,
}

/// A day on the way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Milestone {
    /// What is there.
    pub what: &'static str,
    /// When, at the earliest and more likely.
    pub when: (Instant, Instant),
}

fn after(at: Instant, days: i64) -> Instant {
    Instant::from_ms(at.ms().saturating_add(days * DAY))
}

impl Facts<'_> {
    /// Of the categories that nobody decided on.
    pub(super) fn questions(&self) -> Vec<CategoryQuestion> {
        QUESTIONS
            .iter()
            .filter(|(category, ..)| !self.decided.contains(*category))
            .map(|(category, asks, tables)| CategoryQuestion {
                category,
                asks,
                speaks_for_it: tables.iter().copied().filter(|t| self.looked.contains_key(*t)).collect(),
            })
            .collect()
    }

    /// Fees go by scope and size: each of three measures is worth up to two points, and points say in which third they lie.
    pub(super) fn estimate(&self, categories: usize, gaps: &[Gap]) -> Estimate {
        let points = |n: usize, some: usize, many: usize| u32::from(n > some) + u32::from(n > many);
        let sum = points(categories, 2, 3) + points(self.systems, 10, 40) + points(self.people, 50, 250);
        let (third, says) = match sum {
            0 | 1 => (0, "small"),
            2 | 3 => (1, "middling"),
            _ => (2, "large"),
        };
        let (least, most) = FEES;
        let width = (most - least) / 3;
        let or_more = if self.systems == 0 || self.people == 0 {
            "; systems or people that nobody recorded would make it more"
        } else if third == 2 {
            "; it is often more"
        } else {
            ""
        };
        let open = gaps.iter().filter(|gap| gap.accepted.is_none());
        Estimate {
            hours: open.fold((0, 0), |sum, gap| (sum.0 + gap.hours.0, sum.1 + gap.hours.1)),
            fee_usd: (least + third * width, least + (third + 1) * width),
            because: format!(
                "a {says} scope: {categories} {}, {} systems, {} people{or_more}",
                if categories == 1 { "category" } else { "categories" },
                self.systems,
                self.people
            ),
        }
    }

    /// Sales that wait, the most urgent first.
    pub(super) fn waiting(&self, plan: &Plan) -> Vec<WaitingDeal> {
        let shortest = plan.windows.first().map_or(plan.type_1_report.0, |window| window.report.0);
        let mut waiting: Vec<WaitingDeal> = self
            .deals
            .iter()
            .map(|deal| {
                // Whoever was not asked may want the one that takes longer.
                let earliest =
                    if deal.wants.as_deref() == Some("type_1") { plan.type_1_report.0 } else { shortest };
                WaitingDeal {
                    deal: deal.label.clone(),
                    wants: deal.wants.clone(),
                    needed_by: deal.needed_by,
                    earliest,
                    in_time: deal.needed_by.map(|by| earliest <= by),
                }
            })
            .collect();
        waiting.sort_by(|a, b| {
            (a.needed_by.is_none(), a.needed_by, &a.deal).cmp(&(b.needed_by.is_none(), b.needed_by, &b.deal))
        });
        waiting
    }

    pub(super) fn roadmap(&self, plan: &Plan) -> Roadmap {
        let mut wanted: BTreeMap<&str, usize> = BTreeMap::new();
        for deal in &self.deals {
            *wanted.entry(deal.wants.as_deref().unwrap_or("unknown")).or_default() += 1;
        }
        let count = |word: &str| wanted.get(word).copied().unwrap_or(0);
        let deals = |n: usize| if n == 1 { "1 sale waits".to_owned() } else { format!("{n} sales wait") };
        let advice = match (count("type_1"), count("type_2"), count("unknown")) {
            (0, 0, 0) => "nobody recorded what buyers ask for (`tickmark record add deal`): small ones are content with type I for a \
                          time, large ones want type II; a window can begin on the day of a report of type I"
                .to_owned(),
            (0, 0, n) => format!("{} and nobody asked which report would do: ask first, it decides the order", deals(n)),
            (0, n, _) => format!(
                "{} for type II and none for type I: begin the window as soon as it can be clean; a report of type I on the way costs \
                 fieldwork of its own",
                deals(n)
            ),
            (n, 0, _) => format!("{} for type I: take it as soon as it is ready, and let a window begin on its day", deals(n)),
            (n, m, _) => format!(
                "{} for type I and {m} for type II: take type I as soon as it is ready, and let the window begin on its day, not later",
                deals(n)
            ),
        };
        let mut milestones = vec![Milestone { what: "report of type I", when: plan.type_1_report }];
        if let Some(window) = plan.windows.first() {
            milestones.push(Milestone { what: "the first window begins", when: plan.window_from });
            milestones.push(Milestone { what: "report of type II, over three months", when: window.report });
            milestones.push(Milestone {
                what: "the next window begins, without a gap",
                when: (window.ends, window.ends),
            });
            milestones.push(Milestone {
                what: "that report counts as out of date",
                when: (after(window.report.0, CURRENT_DAYS), after(window.report.1, CURRENT_DAYS)),
            });
        }
        milestones.push(Milestone {
            what: "others have type II by then, counted from type I",
            when: (after(plan.type_1_report.0, TYPE_2_DAYS.0), after(plan.type_1_report.0, TYPE_2_DAYS.1)),
        });
        Roadmap { advice, milestones }
    }
}
