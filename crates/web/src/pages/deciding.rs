//! What is decided about one deviation: entering it into the register, triage, retest, closing; each a form of its own.

use app::{Action, DeviationReport, NONE, Refused, Resource, ToRegister, ToTriage, Wanted};
use axum::http::StatusCode;
use maud::{Markup, html};

use crate::acts::{self, Input, Kind, Told, input};
use crate::answer::{Answer, Page};
use crate::fault::Fault;
use crate::pages::deviations::{decided, may, named};
use crate::parts::{self, spoken, theirs};
use crate::site::Seen;
use crate::visit::Visit;

/// A form about a deviation, below its page.
struct Form<'a> {
    title: &'a str,
    says: &'a str,
    action: Action,
    button: &'a str,
}

/// Words with what they are called.
fn words(of: &[&str]) -> Vec<(String, String)> {
    of.iter().map(|word| ((*word).to_owned(), spoken(word))).collect()
}

/// The page of a form: what the deviation is, what was decided since the form was opened, and the form.
fn page(
    visit: &Visit<'_>,
    told: &Told,
    form: &Form<'_>,
    inputs: impl FnOnce(&Seen, &DeviationReport) -> Markup,
) -> Result<Answer, Fault> {
    let (seen, d) = named(visit)?;
    if !may(visit, &seen, &d, form.action) {
        return Err(Refused::NotAllowed { action: form.action, resource: Resource::Deviations }.into());
    }
    let is_new = form.button == REGISTER.button;
    if !is_new && d.registered.is_none() {
        return Err(Fault::new(
            StatusCode::CONFLICT,
            "not_registered",
            format!("{} is not in the register yet", d.key),
            "enter it first, from its page",
        ));
    }
    let back = visit.to(&["deviations", &d.key]);
    let had = match told {
        Told::Changed(_) => Some(visit.had_seen()?),
        _ => None,
    };
    let main = visit.form_of(told, d.last_entry(), &inputs(&seen, &d), form.button, &back)?;
    let title = format!("{} {}", form.title, d.key);
    Page::new(visit, title)
        .below("Deviations", &["deviations"])
        .below(d.key.clone(), &["deviations", &d.key])
        .status(told.status())
        .show(|| {
            html! {
                (parts::head("Deviation", &html! { (form.title) " " span.hid { (d.key) } }, &html! { p { (theirs(&d.label)) ": " (theirs(&d.reason)) } p.sub { (form.says) } }, &html! {}))
                @if let Some(had) = had { section aria-labelledby="h-since" {
                    div.sh { h2 id="h-since" { "Decided meanwhile" } p { "newest first" } }
                    ol.tl { @for one in d.history.iter().rev().filter(|one| one.entry > had) { li { (decided(visit, one)) } } }
                } }
                (main)
            }
        })
}

// ---- entering it into the register ----

const REGISTER: Form<'_> = Form {
    title: "Enter into the register",
    says: "It stays there for good, whatever becomes of it, with everything that is decided about it.",
    action: Action::Enter,
    button: "Enter it",
};

pub(crate) fn register_form(visit: &Visit<'_>) -> Result<Answer, Fault> {
    show_register(visit, &Told::Nothing)
}

fn show_register(visit: &Visit<'_>, told: &Told) -> Result<Answer, Fault> {
    page(visit, told, &REGISTER, |seen, d| {
        let (first, last) = (seen.period.first_date(), seen.period.last_date());
        html! { dl.kv.mt {
            dt { "Found in" } dd { (first) " to " (last) " (" (seen.period.tz) ")" }
            dt { "Controls" } dd { (parts::controls(visit, &d.controls)) }
        } }
    })
}

pub(crate) fn register(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let (seen, d) = named(visit)?;
    // Days that stay what they are, whatever today is.
    let (first, last) = (seen.period.first_date(), seen.period.last_date());
    let period = visit.site.config().period(visit.site.today(), Some(&first), Some(&last), None)?;
    acts::act(
        visit,
        |_| false,
        |told| show_register(visit, told),
        |workspace, actor, scribe| {
            let asked = ToRegister {
                wanted: Wanted::One(&d),
                controls: &[],
                procedures: vec![d.about.procedure.clone()],
                period: &period,
                keeping: visit.site.keeping(),
            };
            let done = workspace.register_deviations(scribe, actor, asked)?;
            Ok(match done.new.first() {
                // What lasts as long as its period is named with it.
                Some(new) if new.key != d.key => crate::visit::address(
                    &["deviations", &new.key],
                    [("from", first.as_str()), ("to", last.as_str())].into_iter(),
                ),
                _ => visit.to(&["deviations", &d.key]),
            })
        },
    )
}

// ---- triage ----

const TRIAGE: Form<'_> = Form {
    title: "Triage",
    says: "What it is and what becomes of it. What you leave as it is stays as it was decided; every change stands beside what was before.",
    action: Action::Enter,
    button: "Write it down",
};
const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];
const TRIAGED: [&str; 7] = ["owner", "due", "severity", "cause", "exposure", "response", "compensating"];

pub(crate) fn triage_form(visit: &Visit<'_>) -> Result<Answer, Fault> {
    show_triage(visit, &Told::Nothing)
}

/// What stands in a field before anybody changes it.
fn standing(visit: &Visit<'_>, d: &DeviationReport, name: &str) -> String {
    let text = match name {
        "owner" => d.owner.clone(),
        "due" => d.due.map(|due| due.date_in(&visit.site.zone())),
        "severity" => d.severity.map(str::to_owned),
        "cause" => d.cause.clone(),
        "exposure" => d.exposure.clone(),
        "response" => d.response.clone(),
        _ => d.compensating.clone(),
    };
    text.unwrap_or_default()
}

fn show_triage(visit: &Visit<'_>, told: &Told) -> Result<Answer, Fault> {
    page(visit, told, &TRIAGE, |_, d| {
        let severities = words(&SEVERITIES);
        let mut controls: Vec<(String, String)> = visit
            .site
            .catalog
            .controls
            .iter()
            .filter(|c| !d.controls.contains(&c.id))
            .map(|c| (c.id.clone(), format!("{}: {}", c.id, c.title)))
            .collect();
        if d.compensating.is_some() {
            controls.insert(0, (NONE.to_owned(), "None: take it back".to_owned()));
        }
        let field = |name, label, hint, kind| {
            let value = standing(visit, d, name);
            input(visit, told, Input { name, label, hint, value: &value, required: false, kind })
        };
        html! {
            (field("owner", "Owner", "Who has to see to it, by the pseudonym under which they decide.", Kind::Line))
            (field("due", "Last day", "The day by whose end it has to be done.", Kind::Day))
            (field("severity", "Severity", "How grave it is.", Kind::Choice { none: Some("Not said"), of: &severities }))
            (field("cause", "Cause", "Why it came to be.", Kind::Text))
            (field("exposure", "Exposure", "What could happen through it, or did.", Kind::Text))
            (field("response", "Response", "What is done about it.", Kind::Text))
            (field("compensating", "Made up for by", "The control that makes up for it, as you see it. No verdict changes.", Kind::Choice { none: Some("No control"), of: &controls }))
        }
    })
}

pub(crate) fn triage(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let (_, d) = named(visit)?;
    acts::act(
        visit,
        |name| TRIAGED.contains(&name),
        |told| show_triage(visit, told),
        |workspace, actor, scribe| {
            // Laid beside what the writer saw: what they left as it was is not theirs to say.
            let changed = |name: &str| match visit.changed(name) {
                None => Ok(None),
                Some(Some(text)) => Ok(Some(text)),
                Some(None) => Err(Refused::Unfit(format!(
                    "the {} was said before and cannot be unsaid; write what holds instead",
                    if name == "compensating" { "control that makes up for it" } else { name }
                ))),
            };
            let said = ToTriage {
                cause: changed("cause")?,
                severity: changed("severity")?,
                exposure: changed("exposure")?,
                compensating: changed("compensating")?,
                response: changed("response")?,
                owner: changed("owner")?,
                due: changed("due")?,
            };
            workspace.triage(scribe, actor, &d.key, &said, Some(visit.had().unwrap_or(i64::MIN)))?;
            Ok(visit.to(&["deviations", &d.key]))
        },
    )
}

// ---- retest ----

const RETEST: Form<'_> = Form {
    title: "Retest",
    says: "That it was looked at again, and what that showed.",
    action: Action::Enter,
    button: "Write it down",
};

pub(crate) fn retest_form(visit: &Visit<'_>) -> Result<Answer, Fault> {
    show_retest(visit, &Told::Nothing)
}

fn show_retest(visit: &Visit<'_>, told: &Told) -> Result<Answer, Fault> {
    page(visit, told, &RETEST, |_, _| {
        let results =
            [("pass".to_owned(), "The rule held".to_owned()), ("fail".to_owned(), "It did not".to_owned())];
        html! {
            (input(visit, told, Input { name: "result", label: "Result", hint: "", value: "", required: true, kind: Kind::Choice { none: Some("Choose"), of: &results } }))
            (input(visit, told, Input { name: "evidence", label: "Ledger entry that shows it", hint: "Its number, such as of a file of evidence.", value: "", required: true, kind: Kind::Number }))
        }
    })
}

pub(crate) fn retest(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let (_, d) = named(visit)?;
    acts::act(
        visit,
        |name| matches!(name, "result" | "evidence"),
        |told| show_retest(visit, told),
        |workspace, actor, scribe| {
            let passed = match visit.field("result") {
                Some("pass") => true,
                Some("fail") => false,
                _ => {
                    return Err(Refused::Unfit("nothing says what the retest showed; choose one".to_owned()));
                }
            };
            let evidence =
                visit.entered("evidence").and_then(|entry| entry.parse().ok()).ok_or_else(|| {
                    Refused::Unfit(
                        "nothing shows the retest; name a ledger entry by its number, counted from 0"
                            .to_owned(),
                    )
                })?;
            workspace.retest(
                scribe,
                actor,
                &d.key,
                passed,
                evidence,
                Some(visit.had().unwrap_or(i64::MIN)),
            )?;
            Ok(visit.to(&["deviations", &d.key]))
        },
    )
}

// ---- closing ----

const CLOSE: Form<'_> = Form {
    title: "Close",
    says: "After a retest that passed; or because you accept it, who neither own it nor wrote down what it is. It stays in the register.",
    action: Action::Decide,
    button: "Close it",
};

pub(crate) fn close_form(visit: &Visit<'_>) -> Result<Answer, Fault> {
    show_close(visit, &Told::Nothing)
}

fn show_close(visit: &Visit<'_>, told: &Told) -> Result<Answer, Fault> {
    page(visit, told, &CLOSE, |_, _| {
        let ways = [
            ("retested".to_owned(), "Its last retest passed".to_owned()),
            ("accepted".to_owned(), "I accept it as it is".to_owned()),
        ];
        html! {
            (input(visit, told, Input { name: "how", label: "Because", hint: "", value: "", required: true, kind: Kind::Choice { none: Some("Choose"), of: &ways } }))
            (input(visit, told, Input { name: "why", label: "Why", hint: "An acceptance needs a reason.", value: "", required: false, kind: Kind::Text }))
        }
    })
}

pub(crate) fn close(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let (_, d) = named(visit)?;
    acts::act(
        visit,
        |name| matches!(name, "how" | "why"),
        |told| show_close(visit, told),
        |workspace, actor, scribe| {
            let accepted = match visit.field("how") {
                Some("accepted") => true,
                Some("retested") => false,
                _ => return Err(Refused::Unfit("nothing says why it is closed; choose one".to_owned())),
            };
            let why = visit.entered("why").unwrap_or_default();
            workspace.close(scribe, actor, &d.key, accepted, &why, Some(visit.had().unwrap_or(i64::MIN)))?;
            Ok(visit.to(&["deviations", &d.key]))
        },
    )
}
