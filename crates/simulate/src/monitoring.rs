//! Alerts, from the first beep to the review of the incident (LOG-04, INC-02, INC-03).

use crate::Case;
use crate::clock::{DAY, HOUR, MINUTE, SECOND, is_business_day};
use crate::company::{Alert, Company, Incident, Ticket};
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// The company's times: until a person answers, until a ticket is there, until an incident is declared, and business days until
/// it is reviewed.
struct Times {
    ack: i64,
    ticket: i64,
    incident: i64,
    review: u32,
}

fn times(severity: &str) -> Times {
    let (ack, ticket, incident, review) = match severity {
        "critical" => (15 * MINUTE, 4 * HOUR, HOUR, 5),
        "high" => (30 * MINUTE, 8 * HOUR, 4 * HOUR, 10),
        "medium" => (240 * MINUTE, 24 * HOUR, 4 * HOUR, 10),
        _ => (1440 * MINUTE, 72 * HOUR, 4 * HOUR, 10),
    };
    Times { ack, ticket, incident, review }
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    if c.shape.quiet {
        return;
    }
    let count = (c.shape.people * 2 + 20) * usize::try_from(c.shape.days).unwrap_or(365) / 365;
    for _ in 0..count {
        // Nights and weekends as well.
        let fired = rng.between(c.clock.from, c.clock.to - 1);
        let severity =
            rng.pick(&["low", "low", "low", "medium", "medium", "medium", "high", "high", "critical"]);
        let impact = rng.chance(10);
        let alert = answered(c, rng, severity, impact, fired);
        if !impact && matches!(severity, "low" | "medium") && rng.chance(40) {
            let Times { ack, ticket, .. } = times(severity);
            let reason = rng.pick(&[
                "a test account",
                "log rotation was late",
                "known, and planned",
                "the probe was wrong",
            ]);
            let alert = &mut c.alerts[alert];
            alert.noise =
                Some((fired + ack + (ticket - ack) / 100 * rng.between(1, 90), on_call(rng), reason));
            alert.ticket = None;
        }
    }
}

/// Somebody of those who are always here, by their place among the logins: see [`export`](crate::export).
fn on_call(rng: &mut Rng) -> usize {
    rng.below(CORE)
}

/// An alert as it should go.
pub(crate) fn answered(
    c: &mut Company,
    rng: &mut Rng,
    severity: &'static str,
    impact: bool,
    fired: i64,
) -> usize {
    let number = c.alerts.len() + 1;
    let Times { ack, ticket, incident, review } = times(severity);
    let part = |rng: &mut Rng, of: i64| of / 100 * rng.between(5, 92);
    let acked = fired + part(rng, ack);
    let opened = fired + part(rng, ticket);
    let key = format!("OPS-{number}");
    c.tickets.push(Ticket {
        key: key.clone(),
        title: rng.pick(&[
            "api is slow",
            "disk is filling",
            "errors at sign-in",
            "queue grows",
            "certificate runs out",
        ]),
        created: opened,
        closed: Some(opened + rng.between(1, 90) * HOUR),
    });
    let led_to = (impact || matches!(severity, "critical" | "high")).then(|| format!("INC-{number}"));
    if let Some(key) = led_to.clone() {
        let declared = fired + part(rng, incident);
        let resolved = declared + rng.between(20, 1_200) * MINUTE;
        let due = c.clock.business_days_after(resolved, review);
        let reviewed = resolved + (due - resolved) / 100 * rng.between(10, 95);
        let reviewed = Some((reviewed, on_call(rng)));
        c.incidents.push(Incident { key, severity, declared, resolved: Some(resolved), reviewed });
    }
    c.alerts.push(Alert {
        key: format!("AL-{number}"),
        severity,
        fired,
        impact,
        acked: Some((acked, on_call(rng))),
        ticket: Some(key),
        incident: led_to,
        noise: None,
    });
    c.alerts.len() - 1
}

const LOG: (&str, &str) = ("LOG-04", "alert_response");
const INC2: (&str, &str) = ("INC-02", "alert_response");
const INC3: (&str, &str) = ("INC-03", "alert_response");

pub(crate) const CASES: &[(&str, Case)] = &[
    ("ack-boundary", ack_boundary),
    ("N84", acked_by_a_machine),
    ("N97-alert", acked_before_it_fired),
    ("ticket-boundary", ticket_boundary),
    ("noise", noise),
    ("reused-ticket", reused_ticket),
    ("N69", customers_noticed),
    ("incident-boundary", incident_boundary),
    ("no-incident", no_incident),
    ("review-boundary", review_boundary),
    ("review-by-a-machine", reviewed_by_a_machine),
    ("review-over-a-holiday", reviewed_over_a_holiday),
    ("still-open", still_open),
    ("at-the-end", at_the_end),
    ("fired-before", fired_before),
];

fn one(c: &mut Company, rng: &mut Rng, severity: &'static str, impact: bool) -> Option<usize> {
    let fired = c.clock.some_day(rng, 5, 40)?;
    (!c.shape.quiet).then(|| answered(c, rng, severity, impact, fired))
}

fn said(
    c: &Company,
    (control, test): (&'static str, &'static str),
    case: &'static str,
    alert: usize,
    letters: &str,
    why: &str,
) -> Seeded {
    seeded((control, test, case), &c.alerts[alert].key, letters, why)
}

fn incident(c: &mut Company, alert: usize) -> Option<&mut Incident> {
    let key = c.alerts[alert].incident.clone()?;
    c.incidents.iter_mut().find(|i| i.key == key)
}

fn ack_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (Some(30 * MINUTE), "pppp", "answered in the last instant of its half hour"),
        (Some(30 * MINUTE + SECOND), "dppp", "answered a second after its half hour"),
        (None, "dppp", "nobody ever acknowledged it, though a ticket and an incident followed"),
    ] {
        let Some(alert) = one(c, rng, "high", false) else { return all };
        let by = on_call(rng);
        c.alerts[alert].acked = after.map(|after| (c.alerts[alert].fired + after, by));
        all.push(said(c, LOG, "ack-boundary", alert, letters, why));
    }
    all
}

/// A machine that answers: the sign-in's own service.
pub(crate) const MACHINE: usize = usize::MAX;

fn acked_by_a_machine(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(alert) = one(c, rng, "high", false) else { return vec![] };
    c.alerts[alert].acked = Some((c.alerts[alert].fired + SECOND, MACHINE));
    vec![said(c, LOG, "N84", alert, "dppp", "acknowledged by a script within a second: no person looked")]
}

fn acked_before_it_fired(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(alert) = one(c, rng, "high", false) else { return vec![] };
    let by = on_call(rng);
    c.alerts[alert].acked = Some((c.alerts[alert].fired - 5 * SECOND, by));
    let why =
        "acknowledged five seconds before it fired, by the clocks of two systems: a person has to judge that";
    vec![said(c, LOG, "N97", alert, "jppp", why)]
}

fn ticket(c: &mut Company, alert: usize) -> Option<&mut Ticket> {
    let key = c.alerts[alert].ticket.clone()?;
    c.tickets.iter_mut().find(|t| t.key == key)
}

fn ticket_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (Some(24 * HOUR), "pp--", "the ticket came in the last instant of its day"),
        (Some(24 * HOUR + SECOND), "pd--", "the ticket came a second after its day"),
        (None, "pd--", "nobody wrote a ticket, and nobody called it noise"),
    ] {
        let Some(alert) = one(c, rng, "medium", false) else { return all };
        let fired = c.alerts[alert].fired;
        match after {
            Some(after) => {
                if let Some(ticket) = ticket(c, alert) {
                    ticket.created = fired + after;
                    ticket.closed = None;
                }
            }
            None => c.alerts[alert].ticket = None,
        }
        all.push(said(c, LOG, "ticket-boundary", alert, letters, why));
    }
    all
}

fn noise(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, machine, reason, letters, why) in [
        (
            24 * HOUR,
            false,
            "the probe was wrong",
            "p---",
            "judged noise with a reason in the last instant of its day",
        ),
        (
            24 * HOUR + SECOND,
            false,
            "the probe was wrong",
            "pd--",
            "judged noise a second after its day, without a ticket",
        ),
        (
            HOUR,
            true,
            "matched a rule",
            "pd--",
            "judged noise by a script; no person did, and there is no ticket",
        ),
        (HOUR, false, "", "pj--", "judged noise in time, and nobody wrote why"),
    ] {
        let Some(alert) = one(c, rng, "medium", false) else { return all };
        let by = if machine { MACHINE } else { on_call(rng) };
        c.alerts[alert].ticket = None;
        c.alerts[alert].noise = Some((c.alerts[alert].fired + after, by, reason));
        all.push(said(c, LOG, "noise", alert, letters, why));
    }
    all
}

fn reused_ticket(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(alert) = one(c, rng, "medium", false) else { return vec![] };
    let fired = c.alerts[alert].fired;
    if let Some(ticket) = ticket(c, alert) {
        ticket.created = fired - 20 * DAY;
    }
    let why = "hung on a ticket that is three weeks older: whether that records it, a person has to say";
    vec![said(c, LOG, "reused-ticket", alert, "pj--", why)]
}

/// Nobody ever declared it.
pub(crate) fn forget_incident(c: &mut Company, alert: usize) {
    let declared = c.alerts[alert].incident.take();
    c.incidents.retain(|i| Some(&i.key) != declared.as_ref());
}

fn customers_noticed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(alert) = one(c, rng, "medium", true) else { return vec![] };
    forget_incident(c, alert);
    let why = "customers noticed, it was closed as resolved, and no incident was recorded: none could be reviewed either";
    vec![said(c, INC2, "N69", alert, "ppdd", why)]
}

fn incident_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (HOUR, "pppp", "declared in the last instant of its hour"),
        (HOUR + SECOND, "ppdp", "declared a second after its hour"),
    ] {
        let Some(alert) = one(c, rng, "critical", true) else { return all };
        let fired = c.alerts[alert].fired;
        if let Some(incident) = incident(c, alert) {
            incident.declared = fired + after;
            incident.resolved = incident.resolved.map(|at| at.max(fired + after + MINUTE));
        }
        all.push(said(c, INC2, "incident-boundary", alert, letters, why));
    }
    all
}

fn no_incident(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(alert) = one(c, rng, "high", false) else { return vec![] };
    forget_incident(c, alert);
    let why = "grave, with a ticket, and never declared: there was no incident that could be reviewed";
    vec![said(c, INC2, "no-incident", alert, "ppdd", why)]
}

fn review_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (after, letters, why) in [
        (Some(0), "pppp", "reviewed in the last millisecond of the fifth business day"),
        (Some(SECOND), "pppd", "reviewed in the first second of the day after the fifth business day"),
        (None, "pppd", "never reviewed"),
    ] {
        let Some(alert) = one(c, rng, "critical", false) else { return all };
        let by = on_call(rng);
        let clock = c.clock.clone();
        let Some(incident) = incident(c, alert) else { return all };
        let due = clock.business_days_after(incident.resolved.unwrap_or_default(), 5);
        incident.reviewed = after.map(|after| (due + after, by));
        all.push(said(c, INC3, "review-boundary", alert, letters, why));
    }
    all
}

fn reviewed_by_a_machine(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(alert) = one(c, rng, "high", false) else { return vec![] };
    let Some(incident) = incident(c, alert) else { return vec![] };
    incident.reviewed = incident.resolved.map(|at| (at + HOUR, MACHINE));
    vec![said(c, INC3, "review-by-a-machine", alert, "pppd", "a script wrote the review; no person did")]
}

fn reviewed_over_a_holiday(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    // A business day before a holiday that is none of a weekend.
    let clock = c.clock.clone();
    let eve = (5..i64::from(c.shape.days) - 30).map(|day| clock.days_later(clock.first, day)).find(|date| {
        let next = clock.days_later(*date, 1);
        is_business_day(*date) && !is_business_day(next) && next.weekday().to_monday_one_offset() < 6
    });
    let Some(eve) = eve else { return vec![] };
    if c.shape.quiet {
        return vec![];
    }
    let fired = clock.at(eve, 10, 0);
    let alert = answered(c, rng, "critical", true, fired);
    let by = on_call(rng);
    let Some(incident) = incident(c, alert) else { return vec![] };
    incident.resolved = Some(incident.declared + HOUR);
    incident.reviewed = Some((clock.business_days_after(fired, 5) - HOUR, by));
    let why = "reviewed on the fifth business day, and a holiday lay between: eight days by the calendar";
    vec![said(c, INC3, "review-over-a-holiday", alert, "pppp", why)]
}

fn still_open(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(alert) = one(c, rng, "high", false) else { return vec![] };
    let Some(incident) = incident(c, alert) else { return vec![] };
    (incident.resolved, incident.reviewed) = (None, None);
    vec![said(c, INC3, "still-open", alert, "pppy", "the incident goes on: its review is not due")]
}

fn at_the_end(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    if c.shape.quiet {
        return vec![];
    }
    let fired = c.clock.to - 3 * DAY;
    let alert = answered(c, rng, "critical", true, fired);
    let clock = c.clock.clone();
    let Some(incident) = incident(c, alert) else { return vec![] };
    incident.resolved = Some(incident.declared + HOUR);
    incident.reviewed = None;
    let due = clock.business_days_after(incident.declared + HOUR, 5);
    let (letters, why) = if due > clock.cutoff {
        ("pppy", "three days before the last fact: five business days are not over")
    } else {
        ("pppd", "three days before the period ended, and not reviewed within five business days of the next")
    };
    vec![said(c, INC3, "N15", alert, letters, why)]
}

fn fired_before(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    if c.shape.quiet {
        return vec![];
    }
    let fired = c.clock.from - MINUTE;
    let alert = answered(c, rng, "high", false, fired);
    c.alerts[alert].acked = None;
    let why = "fired a minute before the period: nobody answered, and it belongs to the period before";
    vec![said(c, LOG, "fired-before", alert, "absent", why)]
}

/// The login that did something, by what the world calls it.
pub(crate) fn actor(c: &Company, who: usize) -> String {
    if who == MACHINE {
        return "sync-idp".to_owned();
    }
    c.login_of(who, 0).map(|login| c.logins[login].key.clone()).unwrap_or_default()
}
