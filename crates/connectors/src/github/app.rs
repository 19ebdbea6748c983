//! A GitHub App as the credential: the company's own, and no person's.
//!
//! The App's private key signs a short statement of who asks (a JWT). With it GitHub is asked for a token of the App's
//! installation, which holds for an hour, for one repository, and for no more rights than the streams need. Key,
//! statement and token stay in memory; receipts name the App and the installation.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use collect::{Http, HttpError, Request, Response, Secret, next_link};
use model::{CoverageStatus, Instant};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value as Json, json};

use super::client::{Stop, headers, message_of};
use super::streams::{Level, STREAMS, Stream};
use super::{GitHubError, Source};

/// The private key of a GitHub App. Printing it shows nothing of it.
#[derive(Clone)]
pub struct AppKey(Arc<KeyPair>);

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppKey(***)")
    }
}

impl AppKey {
    /// Reads a key as GitHub hands it out (PEM, PKCS#1) or as PKCS#8.
    ///
    /// # Errors
    /// What it is instead. Nothing of the text is repeated.
    pub fn from_pem(text: &str) -> Result<Self, GitHubError> {
        let bad = |reason: &str| {
            GitHubError::Configuration(format!(
                "the App's private key cannot be used: {reason}; give the .pem file that GitHub made in the App's settings"
            ))
        };
        // A variable of the environment often holds the line feeds as two characters.
        let unfolded = text.replace("\\n", "\n");
        let text = unfolded.trim();
        if text.is_empty() {
            return Err(bad("it is empty"));
        }
        if text.contains("ENCRYPTED") {
            return Err(bad(
                "it is protected by a passphrase, which nobody can type while evidence is collected",
            ));
        }
        if text.contains("BEGIN OPENSSH PRIVATE KEY") {
            return Err(bad("it is a key for SSH"));
        }
        if text.contains("BEGIN PUBLIC KEY") || text.contains("BEGIN CERTIFICATE") {
            return Err(bad("it is only the public half"));
        }
        // What the parser says of a broken file can hold a line of the file.
        let der = PrivateKeyDer::from_pem_slice(text.as_bytes())
            .map_err(|_| bad("it is no whole private key in PEM (`-----BEGIN RSA PRIVATE KEY-----`)"))?;
        let pair = match &der {
            PrivateKeyDer::Pkcs1(key) => KeyPair::from_der(key.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(key) => KeyPair::from_pkcs8(key.secret_pkcs8_der()),
            _ => return Err(bad("it is no RSA key")),
        };
        pair.map(|pair| Self(Arc::new(pair))).map_err(|rejected| {
            bad(match rejected.to_string().as_str() {
                "TooSmall" => "it has fewer than 2048 bits",
                "WrongAlgorithm" => "it is no RSA key",
                _ => "its numbers do not belong together",
            })
        })
    }
}

/// A GitHub App, and which of its installations to use.
#[derive(Clone, Debug)]
pub struct App {
    /// App id, or client id.
    pub id: String,
    /// Its private key.
    pub key: AppKey,
    /// The installation; the one that covers the repository when `None`.
    pub installation: Option<u64>,
}

/// What a repository is read with.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A personal access token, or any other that somebody made.
    Token(Secret),
    /// A GitHub App, which makes its own.
    App(App),
}

impl From<Secret> for Credential {
    fn from(token: Secret) -> Self {
        Self::Token(token)
    }
}

impl From<App> for Credential {
    fn from(app: App) -> Self {
        Self::App(app)
    }
}

/// Rights by GitHub's names for them, such as `pull_requests`.
pub(super) type Permissions = BTreeMap<String, Level>;

/// What a run needs a token for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To read the streams.
    Collect,
    /// To show a verdict beside a commit, and nothing else.
    PostStatus,
}

impl Purpose {
    fn needs(self) -> Permissions {
        let mut all = Permissions::new();
        match self {
            Self::Collect => {
                for (_, permission, level) in STREAMS.iter().flat_map(Stream::needs) {
                    let needed = all.entry(permission.to_owned()).or_insert(level);
                    *needed = level.max(*needed);
                }
            }
            Self::PostStatus => {
                all.insert("statuses".to_owned(), Level::Write);
            }
        }
        all
    }
}

/// What an App's installation was given: a token, what it may see, and until when.
pub(super) struct Grant {
    pub(super) installation: u64,
    pub(super) token: Secret,
    /// By our own clock, some time before GitHub stops accepting the token.
    pub(super) renew_at: Instant,
    permissions: Permissions,
    /// An organisation's; a person's account has no members and no audit log to give rights to.
    organisation: bool,
    /// What the repository is asked for by when it no longer has the name it is configured with.
    repository_id: Option<u64>,
}

impl Grant {
    /// The first right that a stream needs and the installation does not grant.
    pub(super) fn lacks(&self, stream: &Stream) -> Option<String> {
        stream.needs().into_iter().find_map(|(label, permission, level)| {
            let granted = self.permissions.get(permission).is_some_and(|given| *given >= level);
            let of_nobody = !self.organisation && label.starts_with("Organisation");
            (!granted && !of_nobody).then(|| format!("{label}: {}", level.word()))
        })
    }

    pub(super) fn permissions(&self) -> Json {
        self.permissions.iter().map(|(name, level)| (name.clone(), json!(level.word()))).collect()
    }
}

/// How long before its end a token is renewed; of a token that lives shorter, after half its life.
const MARGIN_MS: i64 = 5 * 60 * 1000;

/// How long a token lives when GitHub does not say.
const LIFE_MS: i64 = 60 * 60 * 1000;

/// An App asking in its own name.
pub(super) struct SignIn<'a> {
    pub(super) app: &'a App,
    pub(super) source: &'a Source,
    pub(super) api: &'a str,
    pub(super) purpose: Purpose,
}

impl SignIn<'_> {
    /// A token for the source's repository. `before` is the one it replaces: then the installation is known, and it has
    /// to grant what it granted.
    pub(super) fn token(&self, http: &mut Http, before: Option<&Grant>) -> Result<Grant, Stop> {
        let jwt = self.jwt(http.now())?;
        let (installation, organisation, repository_id, asked) = match before {
            Some(b) => (b.installation, b.organisation, b.repository_id, b.permissions.clone()),
            None => {
                let found = self.find(http, &jwt)?;
                let asked = self.asked(&found)?;
                (found.id, found.organisation, found.repository_id, asked)
            }
        };
        let permissions: Json =
            asked.iter().map(|(name, level)| (name.clone(), json!(level.word()))).collect();
        let body = match repository_id {
            Some(id) => json!({ "permissions": permissions, "repository_ids": [id] }),
            None => json!({ "permissions": permissions, "repositories": [self.source.repo] }),
        };
        let response =
            self.send(http, &jwt, &format!("/app/installations/{installation}/access_tokens"), Some(&body))?;
        let answer = response.json();
        match (response.status, answer["token"].as_str().filter(|t| !t.is_empty())) {
            (200..=299, Some(token)) => {
                // The lifetime is the difference of two instants of GitHub's clock, so that ours may be wrong.
                let server_now = response.date().unwrap_or(response.received_at);
                let life = answer["expires_at"]
                    .as_str()
                    .and_then(|at| at.parse::<Instant>().ok())
                    .map_or(LIFE_MS, |at| at.ms() - server_now.ms());
                if life <= 0 {
                    return Err(failed(format!(
                        "GitHub gave a token that had already expired ({}); see whether the server's clock is right",
                        answer["expires_at"]
                    )));
                }
                let granted = levels(&answer["permissions"]);
                if before.is_some()
                    && let Some((name, _)) =
                        asked.iter().find(|(name, level)| granted.get(*name) < Some(*level))
                {
                    return Err(self.reduced(installation, name));
                }
                let listed: Vec<&str> = answer["repositories"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|r| r["name"].as_str())
                    .collect();
                if repository_id.is_none()
                    && !listed.is_empty()
                    && !listed.iter().any(|name| name.eq_ignore_ascii_case(&self.source.repo))
                {
                    return Err(failed(format!(
                        "GitHub gave a token for {}, and not for `{}`; see whether the repository was renamed",
                        listed.join(", "),
                        self.source.repo
                    )));
                }
                let margin = MARGIN_MS.min(life / 2);
                Ok(Grant {
                    installation,
                    token: Secret::new(token),
                    renew_at: Instant::from_ms(response.received_at.ms().saturating_add(life - margin)),
                    permissions: granted,
                    organisation,
                    repository_id,
                })
            }
            (200..=299, None) => Err(failed(
                "GitHub's answer holds no token for the App's installation; the API may have changed"
                    .to_owned(),
            )),
            _ => Err(self.refused(installation, &response, before.is_some())),
        }
    }

    /// What is asked for: what is needed, as far as it is granted. A request for more is refused as a whole.
    fn asked(&self, found: &Installation) -> Result<Permissions, Stop> {
        let needed = self.purpose.needs();
        let asked: Permissions = needed
            .iter()
            .filter_map(|(name, level)| {
                found.permissions.get(name).map(|given| (name.clone(), *level.min(given)))
            })
            .collect();
        if self.purpose == Purpose::PostStatus && asked != needed {
            return Err(not_permitted(format!(
                "{} does not grant `Commit statuses: write`; {}",
                self.named(found.id),
                self.how_to_grant()
            )));
        }
        // A request for no right in particular is one for all of them.
        if asked.is_empty() {
            return Err(not_permitted(format!(
                "{} grants none of the rights that are needed; {}",
                self.named(found.id),
                self.how_to_grant()
            )));
        }
        Ok(asked)
    }

    /// The installation that covers the repository.
    fn find(&self, http: &mut Http, jwt: &Secret) -> Result<Installation, Stop> {
        let path = match self.app.installation {
            Some(id) => format!("/app/installations/{id}"),
            None => format!("{}/installation", self.source.path()),
        };
        let response = self.send(http, jwt, &path, None)?;
        if response.status == 404 {
            return Err(self.absent(http, jwt, &response)?);
        }
        if !(200..=299).contains(&response.status) {
            return Err(self.refused(self.app.installation.unwrap_or(0), &response, false));
        }
        let body = response.json();
        let Some(id) = body["id"].as_u64() else {
            return Err(failed(
                "GitHub's answer names no installation of the App; the API may have changed".to_owned(),
            ));
        };
        let account = body["account"]["login"].as_str().unwrap_or("");
        if !account.eq_ignore_ascii_case(&self.source.owner) && self.app.installation.is_some() {
            return Err(failed(format!(
                "installation {id} of the App `{}` is at `{account}` and not at `{}`; correct `installation` in \
                 tickmark.toml, or leave it out",
                self.app.id, self.source.owner
            )));
        }
        if let Some(since) = body["suspended_at"].as_str() {
            return Err(self.suspended(id, &format!(" since {since}")));
        }
        // A repository that was renamed is followed to its number, by which alone it can then be named.
        let repository_id = response.redirected_from.as_ref().and_then(|_| {
            let (_, rest) = response.url.split_once("/repositories/")?;
            rest.split('/').next()?.parse().ok()
        });
        let organisation = body["account"]["type"].as_str().or(body["target_type"].as_str()) != Some("User");
        Ok(Installation { id, organisation, permissions: levels(&body["permissions"]), repository_id })
    }

    /// Why there is no installation: another App, none at that owner, or one without that repository.
    fn absent(&self, http: &mut Http, jwt: &Secret, response: &Response) -> Result<Stop, Stop> {
        if message_of(response).contains("Integration not found") {
            return Ok(self.unknown(&message_of(response)));
        }
        let (id, owner, repo) = (&self.app.id, &self.source.owner, &self.source.repo);
        let mut at = vec![];
        let mut next = Some("/app/installations?per_page=100".to_owned());
        // More accounts than anybody reads in a message are not asked for.
        for _ in 0..10 {
            let Some(path) = next.take() else { break };
            let listed = self.send(http, jwt, &path, None)?;
            if !(200..=299).contains(&listed.status) {
                return Ok(self.refused(self.app.installation.unwrap_or(0), &listed, false));
            }
            for one in listed.json().as_array().into_iter().flatten() {
                let number = one["id"].as_u64().unwrap_or(0);
                let account = one["account"]["login"].as_str().unwrap_or("somebody").to_owned();
                if account.eq_ignore_ascii_case(owner) && self.app.installation.is_none() {
                    if let Some(since) = one["suspended_at"].as_str() {
                        return Ok(self.suspended(number, &format!(" since {since}")));
                    }
                    return Ok(not_permitted(format!(
                        "{} does not cover the repository `{repo}`, or there is none of that name; add it in the \
                         settings of `{owner}` under GitHub Apps, Repository access",
                        self.named(number)
                    )));
                }
                at.push(format!("{account} ({number})"));
            }
            next = listed
                .header("link")
                .and_then(next_link)
                .and_then(|link| link.strip_prefix(self.api))
                .map(str::to_owned);
        }
        let at = if at.is_empty() { "nowhere".to_owned() } else { format!("at {}", at.join(", ")) };
        Ok(not_permitted(match self.app.installation {
            Some(number) => format!(
                "the App `{id}` has no installation {number} (any more): it is installed {at}; correct \
                 `installation` in tickmark.toml, or install the App at `{owner}` anew"
            ),
            None => format!(
                "the App `{id}` is not installed at `{owner}`: it is installed {at}; an owner of `{owner}` can \
                 install it from the App's page"
            ),
        }))
    }

    /// Asks in the App's own name. What can only mean that GitHub does not believe the statement is an error here.
    fn send(&self, http: &mut Http, jwt: &Secret, path: &str, body: Option<&Json>) -> Result<Response, Stop> {
        let mut request = Request::get(format!("{}{path}", self.api)).with_secret(jwt);
        request.headers = headers();
        request.post = body.map(|body| body.to_string().into_bytes());
        let response = http.send(&request).map_err(|error: HttpError| failed(error.to_string()))?;
        if response.status == 401 { Err(self.disbelieved(&response)) } else { Ok(response) }
    }

    /// A 401: the clock, or the key.
    fn disbelieved(&self, response: &Response) -> Stop {
        let message = message_of(response);
        let id = &self.app.id;
        if message.contains("'Expiration time'") || message.contains("'Issued at'") {
            let clock = response.date().map_or_else(
                || "GitHub's answer does not say what time it has".to_owned(),
                |date| {
                    let ahead = response.received_at.ms() - date.ms();
                    format!(
                        "this machine's clock is {} {} GitHub's, which says {date}",
                        spoken(ahead),
                        if ahead < 0 { "behind" } else { "ahead of" }
                    )
                },
            );
            return failed(format!(
                "401 {message}: GitHub refuses what the App `{id}` signed because of its time, and {clock}; set this \
                 machine's clock right (NTP) and try again"
            ));
        }
        if message.contains("could not be decoded") {
            return failed(format!(
                "401 {message}: the private key is not one of the App `{id}`, or was deleted in its settings; take App \
                 id and key from the same App, or make a new key there"
            ));
        }
        failed(format!(
            "401 {message}: GitHub does not accept what the App `{id}` signed; check its id and its private key"
        ))
    }

    fn unknown(&self, message: &str) -> Stop {
        failed(format!(
            "404 {message}: there is no App `{}` at {}; take its App id or client id from the App's settings",
            self.app.id, self.api
        ))
    }

    /// No token.
    fn refused(&self, installation: u64, response: &Response, renewal: bool) -> Stop {
        let message = message_of(response);
        let lower = message.to_lowercase();
        let named = self.named(installation);
        match response.status {
            404 if lower.contains("integration not found") => self.unknown(&message),
            403 if lower.contains("suspended") => self.suspended(installation, ""),
            404 => not_permitted(format!(
                "404 {message}: {named} is gone; an owner of `{}` has to install the App again",
                self.source.owner
            )),
            422 if lower.contains("repositor") => not_permitted(format!(
                "422 {message}: {named} does not cover the repository `{}`, or it has another name now; add it in the \
                 settings of `{}` under GitHub Apps, Repository access",
                self.source.repo, self.source.owner
            )),
            422 if lower.contains("permissions") && renewal => self.reduced(installation, "a right"),
            status => {
                failed(format!("{status} {message}: GitHub gave no token for {named}; try again later"))
            }
        }
    }

    fn suspended(&self, installation: u64, since: &str) -> Stop {
        not_permitted(format!(
            "{} is suspended{since}; an owner of `{owner}` can lift that in the settings of `{owner}` under GitHub Apps",
            self.named(installation),
            owner = self.source.owner
        ))
    }

    fn reduced(&self, installation: u64, name: &str) -> Stop {
        not_permitted(format!(
            "{} lost {name} while it was collected from; collect again to see what it still grants",
            self.named(installation)
        ))
    }

    fn named(&self, installation: u64) -> String {
        let at = format!("of the App `{}` at `{}`", self.app.id, self.source.owner);
        if installation == 0 {
            format!("the installation {at}")
        } else {
            format!("installation {installation} {at}")
        }
    }

    fn how_to_grant(&self) -> String {
        format!(
            "grant it in the App's settings under Permissions; an owner of `{}` then has to accept it",
            self.source.owner
        )
    }

    /// Who asks, signed: RFC 7519 with RS256. A minute is taken off for clocks that disagree a little; GitHub takes at
    /// most ten minutes.
    fn jwt(&self, now: Instant) -> Result<Secret, Stop> {
        let seconds = now.ms().div_euclid(1000);
        let part = |json: Json| URL_SAFE_NO_PAD.encode(json.to_string());
        let head = part(json!({ "alg": "RS256", "typ": "JWT" }));
        let claims = part(json!({ "iat": seconds - 60, "exp": seconds + 540, "iss": self.app.id }));
        let signed = format!("{head}.{claims}");
        let pair = &self.app.key.0;
        let mut signature = vec![0; pair.public().modulus_len()];
        // This padding takes no randomness; the source of it is only asked for by the interface.
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).map_err(
            |_| failed("the App's private key does not sign; make a new one in its settings".to_owned()),
        )?;
        Ok(Secret::new(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

struct Installation {
    id: u64,
    organisation: bool,
    permissions: Permissions,
    repository_id: Option<u64>,
}

/// What nobody has heard of yet is no right.
fn levels(permissions: &Json) -> Permissions {
    let given = permissions.as_object().into_iter().flatten();
    given.filter_map(|(name, word)| Some((name.clone(), Level::named(word.as_str()?)?))).collect()
}

fn failed(reason: String) -> Stop {
    Stop::Ended(CoverageStatus::Failed, reason)
}

fn not_permitted(reason: String) -> Stop {
    Stop::Ended(CoverageStatus::NotPermitted, reason)
}

/// A span of time for people, such as `12 min 30 s`.
fn spoken(ms: i64) -> String {
    let seconds = ms.unsigned_abs() / 1000;
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let said: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    if said.is_empty() { "less than a second".to_owned() } else { said.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_spoken() {
        let check = |ms: i64, expect: &str| assert_eq!(spoken(ms), expect);
        check(0, "less than a second");
        check(750_000, "12 min 30 s");
        check(-90_061_000, "1 d 1 h 1 min 1 s");
    }

    #[test]
    fn an_app_asks_to_read_and_only_rulesets_need_more() {
        let needs = Purpose::Collect.needs();
        let write: Vec<&str> =
            needs.iter().filter(|(_, l)| **l == Level::Write).map(|(n, _)| n.as_str()).collect();
        assert_eq!(write, ["administration"]);
        assert!(needs.contains_key("pull_requests") && needs.contains_key("organization_administration"));
    }
}
