//! What a page yields: the same as a page, as JSON and, of lists, as CSV; made only in the form that is asked for.

use axum::http::StatusCode;
use maud::Markup;
use serde::Serialize;
use serde_json::Value as Json;

use crate::assets::Asset;
use crate::csv::Csv;
use crate::fault::Fault;
use crate::site::Seen;
use crate::visit::Visit;

/// The form that somebody asks for, by the suffix of the path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// For people.
    Html,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// What is answered.
pub(crate) enum Answer {
    /// A page, whole but for its frame.
    Page(Box<Sheet>),
    /// A page without navigation.
    Alone {
        status: StatusCode,
        title: String,
        main: Markup,
        cookies: Vec<String>,
    },
    Json(Json),
    Csv(String),
    /// Exact bytes, to be kept as a file of this name.
    File {
        name: String,
        bytes: Vec<u8>,
    },
    Asset(&'static Asset),
    /// Goes on somewhere on this site.
    Elsewhere {
        to: String,
        cookies: Vec<String>,
    },
}

impl Answer {
    /// A page without navigation that is simply shown.
    pub(crate) fn alone(title: &str, main: Markup) -> Self {
        Self::Alone { status: StatusCode::OK, title: title.to_owned(), main, cookies: vec![] }
    }
}

/// A page without its frame.
pub(crate) struct Sheet {
    pub(crate) status: StatusCode,
    pub(crate) title: String,
    /// Where it stands: names with their addresses, itself left out.
    pub(crate) way: Vec<(String, String)>,
    pub(crate) main: Markup,
    /// The same on the command line.
    pub(crate) command: String,
    /// Whether it has a form for spreadsheets.
    pub(crate) csv: bool,
    /// Whether it has a form for programs.
    pub(crate) json: bool,
    /// The ledger position and the instant it is of, where it was worked out from one.
    pub(crate) of: Option<(u64, model::Instant)>,
    /// Whether it takes all the room there is.
    pub(crate) wide: bool,
}

/// A page in the making: each form is made only when it is asked for.
pub(crate) struct Page<'p> {
    visit: &'p Visit<'p>,
    seen: Option<&'p Seen>,
    title: String,
    way: Vec<(String, String)>,
    command: String,
    json: Option<Box<dyn FnOnce() -> serde_json::Result<Json> + 'p>>,
    csv: Option<Box<dyn FnOnce() -> Csv + 'p>>,
    wide: bool,
    status: StatusCode,
}

impl<'p> Page<'p> {
    pub(crate) fn new(visit: &'p Visit<'p>, title: impl Into<String>) -> Self {
        let (title, command) = (title.into(), String::new());
        Self {
            visit,
            seen: None,
            title,
            way: vec![],
            command,
            json: None,
            csv: None,
            wide: false,
            status: StatusCode::OK,
        }
    }

    /// Worked out from this.
    pub(crate) const fn of(mut self, seen: &'p Seen) -> Self {
        self.seen = Some(seen);
        self
    }

    /// Below another page.
    pub(crate) fn below(mut self, name: impl Into<String>, path: &[&str]) -> Self {
        self.way.push((name.into(), self.visit.to(path)));
        self
    }

    /// The same on the command line; the days are added where some are named.
    pub(crate) fn command(mut self, command: impl Into<String>) -> Self {
        self.command = command.into();
        for name in ["from", "to"] {
            if let (Some(_), Some(day)) = (self.seen, self.visit.word(name)) {
                self.command.push_str(&format!(" --{name} {day}"));
            }
        }
        self
    }

    /// One document for programs.
    pub(crate) fn json<T: Serialize>(mut self, what: impl FnOnce() -> T + 'p) -> Self {
        self.json = Some(Box::new(move || serde_json::to_value(what())));
        self
    }

    /// A table for spreadsheets.
    pub(crate) fn csv(mut self, rows: impl FnOnce() -> Csv + 'p) -> Self {
        self.csv = Some(Box::new(rows));
        self
    }

    /// It tells of something that went wrong.
    pub(crate) const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(crate) const fn wide(mut self) -> Self {
        self.wide = true;
        self
    }

    /// The answer, in the form that is asked for.
    pub(crate) fn show(self, main: impl FnOnce() -> Markup) -> Result<Answer, Fault> {
        let visit = self.visit;
        let none =
            |form: &str| Fault::unknown("form for", form, format!("ask for the page itself: {}", visit.path));
        match visit.form {
            Form::Html => Ok(Answer::Page(Box::new(Sheet {
                status: self.status,
                title: self.title,
                way: self.way,
                main: main(),
                command: self.command,
                csv: self.csv.is_some(),
                json: self.json.is_some(),
                of: self.seen.map(|seen| (seen.position(), seen.at)),
                wide: self.wide,
            }))),
            Form::Json => {
                let json = self.json.ok_or_else(|| none(".json"))?;
                let document = json().map_err(|e| app::AppError::Other(e.to_string()))?;
                Ok(Answer::Json(about(visit, self.seen, document)))
            }
            Form::Csv => {
                let csv = self.csv.ok_or_else(|| none(".csv"))?;
                let mut more = vec![];
                if let Some(seen) = self.seen {
                    more.push(("as_known_at_entry", seen.position().to_string()));
                    more.push(("facts_up_to", seen.at.to_string()));
                    more.push((
                        "period",
                        format!("{}/{}", seen.period.first_date(), seen.period.last_date()),
                    ));
                }
                more.push(("filter", filter(visit)));
                more.push(("made_by", MADE_BY.to_owned()));
                if visit.site.demo().is_some() {
                    more.push(("demo", "simulated".to_owned()));
                }
                Ok(Answer::Csv(csv().text(&more)))
            }
        }
    }
}

/// Name and version, as exports bear them.
pub(crate) const MADE_BY: &str = concat!("tickmark ", env!("CARGO_PKG_VERSION"));

/// The filter of a list, as its address has it.
fn filter(visit: &Visit<'_>) -> String {
    let mut words = form_urlencoded::Serializer::new(String::new());
    words.extend_pairs(
        visit
            .query
            .iter()
            .filter(|(key, value)| !matches!(key.as_str(), "page" | "cursor" | "limit") && !value.is_empty()),
    );
    words.finish()
}

/// A document with what it is of. A list of rows becomes a member, so that there is room for it.
fn about(visit: &Visit<'_>, seen: Option<&Seen>, document: Json) -> Json {
    let mut fields = match document {
        Json::Object(fields) => fields,
        other => serde_json::Map::from_iter([("rows".to_owned(), other)]),
    };
    if let Some(seen) = seen {
        fields.entry("position").or_insert_with(|| seen.position().into());
        fields.entry("cutoff").or_insert_with(|| seen.at.to_string().into());
        fields.entry("from").or_insert_with(|| seen.period.from.to_string().into());
        fields.entry("to").or_insert_with(|| seen.period.to.to_string().into());
        fields.entry("tz").or_insert_with(|| seen.period.tz.clone().into());
    }
    fields.insert("filter".to_owned(), filter(visit).into());
    fields.insert("made_by".to_owned(), MADE_BY.into());
    if visit.site.demo().is_some() {
        fields.insert("demo".to_owned(), true.into());
    }
    Json::Object(fields)
}
