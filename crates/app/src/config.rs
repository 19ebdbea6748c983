//! `tickmark.toml`: configuration of a workspace. No secrets stand in it.

use std::path::{Path, PathBuf};

use model::{Instant, Period};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// The file as a whole.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Name of the organisation.
    pub organisation: String,
    /// IANA name of the zone in which periods are declared; UTC when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Says that the company does not exist; see [`crate::Demo`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demo: Option<crate::Demo>,
    /// PostgreSQL for records instead of a file of the workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<Database>,
    /// How commit messages are written; the connector says what may stand here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conventions: Option<toml::Table>,
    /// Who may reach the web application, and how; this machine alone when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serve: Option<Serve>,
    /// Sources of evidence.
    #[serde(skip_serializing_if = "Sources::is_empty")]
    pub source: Sources,
}

/// How the web application is reached from other machines.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serve {
    /// The address that people type, such as `https://soc2.example.com`: what speaks TLS for us answers there.
    pub origin: String,
}

/// Where the records lie when they outgrow a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Connection string of the writing role, such as `host=/run/postgresql dbname=tickmark user=tickmark`. A password
    /// belongs into a password file, not here.
    pub writer: String,
    /// Connection string of the reading role, which owns nothing.
    pub reader: String,
}

/// Sources by kind.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sources {
    /// GitHub repositories.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub github: Vec<GitHubSource>,
}

impl Sources {
    fn is_empty(&self) -> bool {
        self.github.is_empty()
    }
}

/// A repository at GitHub.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitHubSource {
    /// Organisation or user.
    pub owner: String,
    /// Repository.
    pub repo: String,
    /// Address of the API, for an own server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_url: Option<String>,
    /// Name of the environment variable that holds the token; `GITHUB_TOKEN` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_env: Option<String>,
    /// App id or client id of the GitHub App that takes the place of a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// File that holds the App's private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_key: Option<PathBuf>,
    /// Name of the environment variable that holds the App's private key, where no file does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_key_env: Option<String>,
    /// The App's installation; the one that covers the repository when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<u64>,
}

impl Config {
    /// The zone whose midnights bound days: the one named, else the configured one, else UTC.
    #[must_use]
    pub fn zone(&self, named: Option<&str>) -> String {
        named.or(self.time_zone.as_deref()).unwrap_or("UTC").to_owned()
    }

    /// The period that is meant where none is named: the last twelve months; in a demo its year.
    ///
    /// # Errors
    /// An unknown zone.
    pub fn usual_period(&self, now: Instant, tz: &str) -> Result<Period, AppError> {
        Ok(match &self.demo {
            Some(demo) => model::parse_date_range(&demo.first_day, &demo.last_day, tz)?,
            None => Period::last_twelve_months(now, tz)?,
        })
    }

    /// The period between two days, both included: up to `now` unless its last day is named, twelve months long unless its first
    /// one is, in the configured zone unless another is.
    ///
    /// # Errors
    /// What is no day or zone, days the wrong way round, or a first day to come.
    pub fn period(
        &self,
        now: Instant,
        from: Option<&str>,
        to: Option<&str>,
        tz: Option<&str>,
    ) -> Result<Period, AppError> {
        let tz = self.zone(tz);
        Ok(match (from, to) {
            (None, None) => self.usual_period(now, &tz)?,
            (Some(from), None) => {
                let default = Period::last_twelve_months(now, &tz)?;
                let today = default.last_date();
                if model::parse_date_range(from, from, &tz)?.from >= default.to {
                    return Err(AppError::Other(format!(
                        "the period begins on {from}, after today ({today}); name an earlier day, or its last one with --to"
                    )));
                }
                Period { to: default.to, ..model::parse_date_range(from, &today, &tz)? }
            }
            (None, Some(to)) => {
                Period::twelve_months_to_day_of(model::parse_date_range(to, to, &tz)?.from, &tz)?
            }
            (Some(from), Some(to)) => model::parse_date_range(from, to, &tz)?,
        })
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    /// A file that cannot be read or says something nobody understands, with its line.
    pub fn read(path: &Path) -> Result<Self, AppError> {
        let text = std::fs::read_to_string(path).map_err(AppError::file("read", path))?;
        Self::parse(&text).map_err(|(line, message)| wrong(path, line, message))
    }

    /// Reads how commit messages are written: what stands under `[conventions]`, which only the connector can judge.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn read_conventions<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, AppError> {
        #[derive(Deserialize)]
        struct Only<T> {
            conventions: Option<T>,
        }
        let text = std::fs::read_to_string(path).map_err(AppError::file("read", path))?;
        parse::<Only<T>>(&text)
            .map(|only| only.conventions)
            .map_err(|(line, message)| wrong(path, line, message))
    }

    /// Parses the text of a configuration file; an error with its line.
    pub(crate) fn parse(text: &str) -> Result<Self, (usize, String)> {
        parse(text)
    }
}

fn wrong(path: &Path, line: usize, message: String) -> AppError {
    let help = "correct that line; docs/configuration.md lists what may stand here".to_owned();
    AppError::Config { path: path.to_owned(), line, message, help }
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, (usize, String)> {
    toml::from_str(text).map_err(|e| {
        let line = e.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        (line, without_value(e.message()))
    })
}

/// A message that says what stands there only by its kind: it may be a connection string with a password in it.
fn without_value(message: &str) -> String {
    let value = message.split_once(": string \"").and_then(|(before, rest)| {
        let (_, expected) = rest.rsplit_once("\", expected")?;
        Some((before, expected))
    });
    match value {
        Some((before, expected)) => format!("{before}: a text, expected{expected}"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_named_with_its_line() {
        let (line, message) =
            Config::parse("organisation = \"Halden\"\n\n[database]\nwritter = \"x\"\n").unwrap_err();
        assert_eq!(line, 4);
        assert!(message.contains("writter"), "{message}");
    }

    #[test]
    fn what_is_written_is_read() {
        let config = Config {
            organisation: "Halden Robotics".into(),
            source: Sources {
                github: vec![GitHubSource {
                    owner: "halden".into(),
                    repo: "app".into(),
                    ..GitHubSource::default()
                }],
            },
            ..Config::default()
        };
        let text = toml::to_string(&config).unwrap();
        assert_eq!(Config::parse(&text).unwrap(), config);
    }
}
