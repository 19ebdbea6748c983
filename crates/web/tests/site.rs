//! Requests against the routes over a workspace in which every text that others wrote is hostile.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use app::{Actor, Grant, Invitation, Keeping, Opening, Role, Secret, Workspace};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::BodyExt as _;
use model::{
    Capture, Coverage, CoverageStatus, Derived, DisplayFact, Document, Fact, FactValue, Grade, Instant, Key,
    Receipt, Window,
};
use tempfile::TempDir;
use web::{Front, Opened, Origin, Site, addresses};

/// What every text says that somebody else wrote.
const HOSTILE: &str = "=\"><script>alert(1)</script><img src=x onerror=alert(1)>'&amp;\u{202e}";
const COMMIT: &str = "c0ffee<script>alert(2)</script>";
/// The last instant of the fixture's data: 2026-02-28T12:00:00Z.
const NOON: i64 = 1_772_280_000_000;
const HOUR: i64 = 3_600_000;

fn entropy(bytes: &mut [u8]) -> std::io::Result<()> {
    // Numbers that never come twice, which is all that a test needs of chance.
    static NEXT: AtomicU64 = AtomicU64::new(1);
    for chunk in bytes.chunks_mut(8) {
        let n = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        chunk.copy_from_slice(&n[..chunk.len()]);
    }
    Ok(())
}

fn fact(table: &'static str, about: Key, values: Vec<(&'static str, FactValue)>) -> Fact {
    Fact { table, about, grade: Grade::System, values }
}

/// A repository with a hostile name, a change of it that names no ticket, and an owner of the control that this breaks.
fn derive(_: &Document<'_>) -> Derived {
    let repository = Key::new("repository", "", HOSTILE);
    let change = Key::new("change", HOSTILE, COMMIT);
    let person = Key::new("account", "people", "ann");
    let at = NOON - 48 * HOUR;
    let owned = ["CHG-01", "CHG-02"].map(|id| {
        let values = vec![
            ("control", FactValue::from(id)),
            ("owner", person.clone().into()),
            ("valid_from", Instant::from_ms(at).into()),
            ("valid_to", Instant::FOREVER.into()),
        ];
        fact("control_owner", Key::new("control_owner", "", id), values)
    });
    let mut facts = vec![
        fact(
            "repository",
            repository.clone(),
            vec![("label", HOSTILE.into()), ("default_branch", "main".into())],
        ),
        fact(
            "change",
            change.clone(),
            vec![
                ("repository", repository.into()),
                ("revision", Key::new("revision", "", COMMIT).into()),
                ("label", HOSTILE.into()),
                ("merged_at", at.into()),
                ("landed_after", at.into()),
                ("authored_at", at.into()),
                ("author", person.clone().into()),
                ("committer", person.clone().into()),
                ("parents", 1_i64.into()),
                ("signed", 0_i64.into()),
            ],
        ),
    ];
    facts.extend(owned);
    // A deviation that somebody entered, with a hostile word in every field that takes one.
    let deviation = Key::new("deviation", "", "D-0123456789abcdef");
    facts.push(fact(
        "deviation",
        deviation.clone(),
        vec![
            ("procedure", "change_ticket".into()),
            ("attribute", "a".into()),
            ("item_key", COMMIT.into()),
            ("item_kind", "change".into()),
            ("item_within", HOSTILE.into()),
            ("occurred_at", at.into()),
            ("period_from", 0_i64.into()),
            ("period_to", NOON.into()),
            ("label", HOSTILE.into()),
            ("reason", HOSTILE.into()),
            ("controls", "CHG-01".into()),
            ("item_entry", 1_i64.into()),
            ("found_position", 1_i64.into()),
            ("content_hash", HOSTILE.into()),
            ("registered_by", person.clone().into()),
        ],
    ));
    facts.push(fact(
        "deviation_triage",
        Key::new("deviation_triage", "", "T-1"),
        vec![
            ("deviation", deviation.into()),
            ("cause", HOSTILE.into()),
            ("severity", "high".into()),
            ("exposure", HOSTILE.into()),
            ("response", HOSTILE.into()),
            ("owner", person.clone().into()),
            ("due_at", (NOON - HOUR).into()),
            ("triaged_by", person.clone().into()),
        ],
    ));
    let display = [(change, "title"), (person.clone(), "name"), (person, "login")]
        .map(|(about, field)| DisplayFact { about, field, text: HOSTILE.to_owned() });
    Derived { facts, display: display.to_vec(), ..Derived::default() }
}

fn capture() -> Capture {
    let window = Window { from: Instant::from_ms(0), to: Instant::from_ms(NOON) };
    Capture {
        receipt: Receipt {
            source: format!("git:{HOSTILE}"),
            stream: "commits".to_owned(),
            media_type: HOSTILE.to_owned(),
            collected_at: Instant::from_ms(NOON - HOUR),
            collector: "git/1".to_owned(),
            request: HOSTILE.to_owned(),
            status: Some(200),
            server_date: None,
            page: 0,
            coverage: Some(Coverage { status: CoverageStatus::Complete, window, reason: String::new() }),
            cursor: None,
            context: serde_json::json!({ "repository": HOSTILE }),
            redacted: vec![HOSTILE.to_owned()],
        },
        body: format!("{COMMIT}\n{HOSTILE}\n").into_bytes(),
    }
}

/// RFC 6238, written again from its text: thirty seconds, six digits, SHA-1.
fn totp(base32: &str, now_ms: i64) -> String {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bits = String::new();
    for letter in base32.chars().filter(|c| c.is_ascii_alphanumeric()) {
        bits.push_str(&format!("{:05b}", letters.find(letter).unwrap()));
    }
    let key: Vec<u8> = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|b| u8::from_str_radix(std::str::from_utf8(b).unwrap(), 2).unwrap())
        .collect();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&key).unwrap();
    mac.update(&u64::try_from(now_ms / 30_000).unwrap().to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let four: [u8; 4] = hash[at..at + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

struct Place {
    front: Front,
    site: Arc<Site>,
    clock: Arc<AtomicI64>,
    /// The cookies of the owner.
    owner: String,
    _folder: TempDir,
}

const PASSWORD: &str = "a lantern under the quiet bridge";

impl Place {
    /// The workspace behind its door, with an owner who has come in.
    async fn new() -> Self {
        let mut place = Self::empty(Origin::this_machine());
        let path = place.site.first_run("operator").unwrap().unwrap();
        let (_, page) = place.get(&path, "").await;
        let secret = between(&page, "id=\"secret\">", "</code>").to_owned();
        let form = between(&page, "name=\"form\" value=\"", "\"").to_owned();
        let code = totp(&secret, place.clock.load(Ordering::Relaxed));
        let fields = [
            ("form", form.as_str()),
            ("email", "own@example.test"),
            ("name", HOSTILE),
            ("password", PASSWORD),
            ("code", &code),
        ];
        let answer = place.post(&path, &fields, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert!(
            answer.body.contains("stand in for the authenticator") && !answer.body.contains("<script>alert")
        );
        place.owner = answer.cookies();
        assert!(place.owner.contains("tickmark="), "{}", place.owner);
        place
    }

    fn now(&self) -> Instant {
        Instant::from_ms(self.clock.load(Ordering::Relaxed))
    }

    fn empty(origin: Origin) -> Self {
        let folder = tempfile::tempdir().unwrap();
        app::init(folder.path(), HOSTILE).unwrap();
        let mut workspace = Workspace::open(Opening {
            folder: folder.path().to_owned(),
            wrapping_key: [7; 32],
            entropy: Box::new(entropy),
            conventions: serde_json::json!({}),
            now: Instant::from_ms(NOON),
            judging: true,
        })
        .unwrap();
        workspace.append(&[capture()]).unwrap();
        let clock = Arc::new(AtomicI64::new(NOON));
        let shown = Arc::clone(&clock);
        let site = Site::new(Opened {
            workspace,
            derive: Box::new(derive),
            keeping: |now, _| Keeping { streams: vec![], configured: vec![], now },
            clock: Box::new(move || Instant::from_ms(shown.load(Ordering::Relaxed))),
            entropy,
            // A request that fails fails its test, which shows what was answered.
            log: |_| {},
        });
        let site = Arc::new(site.unwrap());
        let front = Front::new(Arc::clone(&site), origin);
        Self { front, site, clock, owner: String::new(), _folder: folder }
    }

    async fn send(&self, request: Request) -> Answered {
        let response = self.front.answer(request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        let body = String::from_utf8_lossy(&body).into_owned();
        Answered { status: parts.status, headers: parts.headers, body }
    }

    async fn ask(&self, path: &str, cookies: &str) -> Answered {
        let request = request(Method::GET, path, cookies).body(Body::empty()).unwrap();
        self.send(request).await
    }

    async fn get(&self, path: &str, cookies: &str) -> (StatusCode, String) {
        let answer = self.ask(path, cookies).await;
        (answer.status, answer.body)
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)], cookies: &str) -> Answered {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = request(Method::POST, path, cookies)
            .header("origin", "http://localhost:8321")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    /// The cookies of a new member with a role.
    async fn member(&self, email: &str, role: Role) -> String {
        let invitation = Invitation {
            email: email.to_owned(),
            name: email.to_owned(),
            called: None,
            roles: vec![Grant::of(role)],
        };
        let now = self.now();
        let link = self.site.beside(|workspace, members| {
            members.invite(workspace, Actor::Operator("operator"), &invitation, "a test", now).unwrap()
        });
        let path = app::link_path(&link.secret);
        let (_, page) = self.get(&path, "").await;
        let code = totp(between(&page, "id=\"secret\">", "</code>"), self.clock.load(Ordering::Relaxed));
        let form = between(&page, "name=\"form\" value=\"", "\"").to_owned();
        let fields = [("form", form.as_str()), ("password", PASSWORD), ("code", &code)];
        let answer = self.post(&path, &fields, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.cookies()
    }
}

fn request(method: Method, path: &str, cookies: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "localhost:8321").header("cookie", cookies)
}

struct Answered {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    body: String,
}

impl Answered {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What a browser would send back.
    fn cookies(&self) -> String {
        let set = self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
        let pairs: Vec<&str> = set.map(|cookie| cookie.split(';').next().unwrap()).collect();
        pairs.join("; ")
    }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let from = text.find(before).unwrap_or_else(|| panic!("no {before} in {text}")) + before.len();
    let to = text[from..].find(after).unwrap();
    &text[from..from + to]
}

/// Every address on a page that leads somewhere on this site.
fn links(page: &str) -> Vec<String> {
    let plain = |text: &str| {
        text.replace("&amp;", "&").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">")
    };
    let found = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    found.filter(|to| to.starts_with('/')).map(|to| plain(to.split('#').next().unwrap())).collect()
}

#[tokio::test]
async fn every_link_leads_to_a_page_that_says_what_it_is_and_runs_nothing() {
    let place = Place::new().await;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut open = vec!["/".to_owned(), "/sessions".to_owned()];
    // Of pages that differ in what they name alone a few stand for all.
    let kind = |to: &str| {
        let path = to.split('?').next().unwrap();
        let mut pieces: Vec<&str> = path.split('/').collect();
        for piece in pieces.iter_mut().skip(2) {
            if !matches!(*piece, "items" | "tables" | "bytes" | "proof" | "leaf") {
                *piece = "*";
            }
        }
        let words: Vec<&str> =
            to.split('?').nth(1).unwrap_or("").split('&').map(|w| w.split('=').next().unwrap()).collect();
        let form = ["json", "csv"].into_iter().find(|form| path.ends_with(&format!(".{form}"))).unwrap_or("");
        format!("{}?{}{form}", pieces.join("/"), words.join("&"))
    };
    while let Some(to) = open.pop() {
        let visits = seen.entry(kind(&to)).or_default();
        *visits += 1;
        if *visits > 3 {
            continue;
        }
        let answer = place.ask(&to, &place.owner).await;
        assert!(
            answer.status.is_success() || answer.status == StatusCode::SEE_OTHER,
            "{to}: {} {}",
            answer.status,
            answer.body
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{to}");
        assert!(answer.header("content-security-policy").contains("default-src '"), "{to}");
        assert_eq!(answer.header("x-request-id").len(), 16, "{to}");
        let kept =
            if to.starts_with("/assets/") { "public, max-age=31536000, immutable" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), kept, "{to}");
        match answer.header("content-type") {
            "text/html; charset=utf-8" => {
                assert!(!answer.body.contains("<script>alert") && !answer.body.contains("<img"), "{to}");
                assert!(
                    !answer.body.contains(" style=") && !answer.body.contains("onerror=alert(1)>'"),
                    "{to}"
                );
                assert_eq!(answer.body.matches("<h1").count(), 1, "{to}");
                assert_eq!(answer.body.matches("<main").count(), 1, "{to}");
                assert!(answer.body.len() < 300_000, "{to}: {}", answer.body.len());
                let title = between(&answer.body, "<title>", "</title>");
                assert!(title.ends_with("Tickmark"), "{to}: {title}");
                open.extend(links(&answer.body));
            }
            "application/json" => {
                serde_json::from_str::<serde_json::Value>(&answer.body).unwrap();
            }
            "text/csv; charset=utf-8" => {
                assert!(answer.header("content-disposition").starts_with("attachment; filename=\""), "{to}");
                let formula = |cell: &str| cell.trim_start_matches('"').starts_with(['=', '+', '@']);
                for line in answer.body.lines() {
                    assert!(!formula(line) && !line.split(',').any(formula), "{to}: {line}");
                }
            }
            "application/octet-stream" => {
                assert!(answer.header("content-security-policy").contains("sandbox"), "{to}");
            }
            "text/css; charset=utf-8"
            | "text/javascript; charset=utf-8"
            | "image/svg+xml"
            | "text/plain; charset=utf-8" => {}
            other => panic!("{to}: {other}"),
        }
    }
    // The walk came by everything that there is.
    for route in addresses().filter(|route| !route.changes && !route.open) {
        let first = route.path.split("/{").next().unwrap();
        let below = route.path.matches("/{").count();
        let came = |kind: &&String| {
            kind.starts_with(first) && kind.split('?').next().unwrap().matches("/*").count() >= below
        };
        // Nothing links to a search with words in it.
        assert!(
            route.path == "/search" || seen.keys().any(|k| came(&k)),
            "nothing leads to {}: {seen:?}",
            route.path
        );
    }
}

#[tokio::test]
async fn a_change_without_a_ticket_is_told_everywhere_alike() {
    let place = Place::new().await;
    let get = async |path: &str| {
        let (status, body) = place.get(path, &place.owner).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    };
    let json = async |path: &str| serde_json::from_str::<serde_json::Value>(&get(path).await).unwrap();
    // Nobody looked at tickets: that no ticket is named is no deviation, and no pass either.
    let grid = json("/procedures/change_ticket.json").await;
    assert_eq!((&grid["population"], &grid["listed"]), (&1.into(), &1.into()));
    assert_eq!(grid["items"][0]["verdicts"], serde_json::json!({ "a": "no_evidence", "b": "no_evidence" }));
    assert_eq!(grid["conclusion"], "cannot_conclude");
    let page = get("/procedures/change_ticket").await;
    assert!(
        page.contains("v v-unk pill\"") && page.contains("Cannot conclude") && !page.contains("v v-pass\""),
        "{page}"
    );
    let control = json("/controls/CHG-01.json").await;
    assert_eq!(control["control"]["operation"], "cannot_conclude");
    assert_eq!(
        json("/controls.json?operation=cannot_conclude&q=CHG-01").await["controls"].as_array().unwrap().len(),
        1
    );
    assert_eq!(json("/controls.json?operation=no_exceptions").await["controls"].as_array().unwrap().len(), 0);
    // A filter that lets nothing through says so, and offers the way back.
    let none = get("/procedures/change_ticket?result=pass").await;
    assert!(none.contains("No row is left under this filter") && none.contains("Clear the filter"));
    // The item: evidence down to its bytes, with its key found in them.
    let item = get(&links(&page).into_iter().find(|to| to.contains("/items/")).unwrap()).await;
    assert!(item.contains("<mark>c0ffee&lt;script&gt;alert(2)&lt;/script&gt;</mark>"), "{item}");
    // Every page says of which position it is.
    assert!(item.contains("as known at ledger entry"), "{item}");
    // The day of the change shows it; the day before shows nothing that happened.
    let day = get("/controls/CHG-01?day=2026-02-26").await;
    assert!(day.contains("2026-02-26: 1 item, 1 without evidence"), "{day}");
    assert_eq!(json("/procedures/change_ticket.json?day=2026-02-25").await["listed"], 0);
    let csv = get("/procedures/change_ticket.csv").await;
    assert_eq!(csv.lines().count(), 2, "{csv}");
    assert!(csv.contains("'=\"\"><script>") && csv.contains("no_evidence"), "{csv}");
    // Exactly the rows of a filter are exported.
    assert_eq!(get("/procedures/change_ticket.csv?result=pass").await.lines().count(), 1);
}

#[tokio::test]
async fn nobody_sees_anything_before_they_are_in() {
    let place = Place::new().await;
    for route in addresses() {
        let path = route.path.replace("{id}", "CHG-01").replace("{key}", "D-1").replace("{item}", "1-1");
        let path = path.replace("{entry}", "0").replace("{name}", "change").replace("{link}", "x");
        match (route.open, route.changes) {
            (true, _) => {}
            (false, false) => {
                for stranger in ["", "tickmark=x", &format!("tickmark={}", "A".repeat(43))] {
                    let answer = place.ask(&path, stranger).await;
                    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
                    assert!(answer.header("location").starts_with("/sign-in?then=%2F"), "{path}");
                    assert!(answer.body.is_empty(), "{path}");
                    for form in ["json", "csv"] {
                        let path = if path == "/" { "/home".to_owned() } else { path.clone() };
                        let answer = place.ask(&format!("{path}.{form}"), stranger).await;
                        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}.{form}");
                    }
                }
            }
            (false, true) => {
                let answer = place.post(&path, &[], "").await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn a_role_sees_what_it_may_and_no_more() {
    let place = Place::new().await;
    let engineer = place.member("eng@example.test", Role::Engineer).await;
    let customer = place.member("buy@example.test", Role::Customer).await;
    let of = async |path: &str, cookies: &str| place.get(path, cookies).await.0;
    for path in ["/", "/controls", "/procedures/change_ticket", "/deviations", "/ledger"] {
        assert_eq!(of(path, &engineer).await, StatusCode::OK, "{path}");
        assert_eq!(of(path, &customer).await, StatusCode::FORBIDDEN, "{path}");
    }
    // What sources sent is not for everybody, and neither is the console that reads every record.
    for path in ["/query", "/ledger/0", "/ledger/0/bytes", "/ledger/0.json"] {
        assert_eq!(of(path, &engineer).await, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(of(path, &place.owner).await, StatusCode::OK, "{path}");
    }
    // Of an item they see the verdict and not the bytes, since the control is somebody else's.
    let (_, grid) = place.get("/procedures/change_ticket", &engineer).await;
    let (status, item) =
        place.get(&links(&grid).into_iter().find(|to| to.contains("/items/")).unwrap(), &engineer).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!item.contains("<mark>") && item.contains("is shown to owners of the control"), "{item}");
    // A role that is taken away ends what a running session may do at once.
    let now = place.now();
    place.site.beside(|workspace, members| {
        let operator = || Actor::Operator("operator");
        let member = members.find(operator(), "eng@example.test", now).unwrap();
        members.remove(workspace, operator(), member.number, "gone", now).unwrap();
    });
    assert_eq!(of("/", &engineer).await, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_form_of_somebody_else_changes_nothing() {
    let place = Place::new().await;
    let (_, page) = place.get("/sessions", &place.owner).await;
    let form = between(&page, "name=\"form\" value=\"", "\"").to_owned();
    let stranger = Secret::parse(&format!("{}A", "B".repeat(42))).unwrap().form_token();
    for fields in [vec![], vec![("form", "")], vec![("form", stranger.as_str())], vec![("form", &form[1..])]]
    {
        let answer = place.post("/sign-out", &fields, &place.owner).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{fields:?}");
    }
    // The right form, from a page of another site, or from nobody says where.
    for origin in ["https://evil.example", "http://localhost:8322", "null", ""] {
        let mut request = request(Method::POST, "/sign-out", &place.owner)
            .header("content-type", "application/x-www-form-urlencoded");
        if !origin.is_empty() {
            request = request.header("origin", origin);
        }
        let answer = place.send(request.body(Body::from(format!("form={form}"))).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin}");
    }
    assert_eq!(place.get("/", &place.owner).await.0, StatusCode::OK);
    let out = place.post("/sign-out", &[("form", &form)], &place.owner).await;
    assert_eq!((out.status, out.header("location")), (StatusCode::SEE_OTHER, "/sign-in"));
    assert!(out.header("set-cookie").contains("tickmark=; Path=/; Max-Age=0; SameSite=Lax; HttpOnly"));
    assert_eq!(place.get("/", &place.owner).await.0, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn signing_in_tells_nothing_and_takes_one_back_to_where_one_was() {
    let place = Place::empty(Origin::this_machine());
    assert!(place.get("/sign-in", "").await.1.contains("Nobody is a member yet"));
    let path = place.site.first_run("operator").unwrap().unwrap();
    let (_, page) = place.get(&path, "").await;
    let secret = between(&page, "id=\"secret\">", "</code>").to_owned();
    let link_form = between(&page, "name=\"form\" value=\"", "\"").to_owned();
    let mut clock = place.clock.load(Ordering::Relaxed);
    let code = totp(&secret, clock);
    // A password that is too short leaves what was entered, but for the password.
    let fields = |password: &'static str| {
        [
            ("form", link_form.clone()),
            ("email", "own@example.test".to_owned()),
            ("name", "Own".to_owned()),
            ("password", password.to_owned()),
            ("code", code.clone()),
        ]
    };
    let sent = async |fields: &[(&str, String)], path: &str, cookies: &str| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        place.post(path, &fields, cookies).await
    };
    let short = sent(&fields("short"), &path, "").await;
    assert_eq!(short.status, StatusCode::BAD_REQUEST);
    assert!(
        short.body.contains("value=\"own@example.test\"") && !short.body.contains("\"short\""),
        "{}",
        short.body
    );
    assert_eq!(sent(&fields(PASSWORD), &path, "").await.status, StatusCode::OK);
    // The link was used.
    assert_eq!(place.get(&path, "").await.0, StatusCode::GONE);
    // A code counts once: signing in wants the next one.
    clock += 30_000;
    place.clock.store(clock, Ordering::Relaxed);
    let shown = place.ask("/sign-in?then=%2Fcontrols%3Fq%3DCHG", "").await;
    let cookies = shown.cookies();
    let form = between(&shown.body, "name=\"form\" value=\"", "\"").to_owned();
    assert!(cookies.starts_with("tickmark-visitor=") && shown.header("set-cookie").contains("HttpOnly"));
    let enter = |email: &str, password: &str, code: String, then: &str| {
        vec![
            ("form", form.clone()),
            ("email", email.to_owned()),
            ("password", password.to_owned()),
            ("code", code),
            ("then", then.to_owned()),
        ]
    };
    let wrong =
        sent(&enter("own@example.test", "not the password", totp(&secret, clock), "/"), "/sign-in", &cookies)
            .await;
    let nobody = sent(
        &enter("nobody@example.test", "not the password", totp(&secret, clock), "/"),
        "/sign-in",
        &cookies,
    )
    .await;
    assert_eq!((wrong.status, nobody.status), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
    assert_eq!(
        between(&wrong.body, "id=\"problem\">", "</p>"),
        between(&nobody.body, "id=\"problem\">", "</p>")
    );
    // Without the cookie of the form nobody is let in, whatever they know.
    let bare = sent(&enter("own@example.test", PASSWORD, totp(&secret, clock), "/"), "/sign-in", "").await;
    assert_eq!(bare.status, StatusCode::FORBIDDEN);
    let form_of =
        |page: &Answered| (page.cookies(), between(&page.body, "name=\"form\" value=\"", "\"").to_owned());
    let (cookies, form) = form_of(&place.ask("/sign-in", "").await);
    let mut right = enter("own@example.test", PASSWORD, totp(&secret, clock), "//evil.example/");
    right[0].1 = form;
    let answer = sent(&right, "/sign-in", &cookies).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/"), "{}", answer.body);
    let session = answer.cookies();
    assert_eq!(place.get("/", &session).await.0, StatusCode::OK);
    // Who is in and comes to sign in goes on to where they were.
    let there = place.ask("/sign-in?then=%2Fcontrols%3Fq%3DCHG", &session).await;
    assert_eq!(there.header("location"), "/controls?q=CHG");
    // An hour without use ends it.
    place.clock.store(clock + HOUR + 60_000, Ordering::Relaxed);
    assert_eq!(place.get("/", &session).await.0, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn behind_tls_cookies_hold_to_their_host() {
    let place = Place::empty(Origin::public("https://soc2.example.com").unwrap());
    place.site.first_run("operator").unwrap();
    let request = Request::builder().uri("/theme").method(Method::POST).header("host", "soc2.example.com");
    let request = request
        .header("origin", "https://soc2.example.com")
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = place.send(request.body(Body::from("theme=dark&back=/controls")).unwrap()).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/controls"));
    assert!(answer.header("set-cookie").ends_with("HttpOnly; Secure"), "{}", answer.header("set-cookie"));
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
    let path = place.site.first_run("operator").unwrap().unwrap();
    let (_, page) = place.get(&path, "").await;
    let (secret, form) =
        (between(&page, "id=\"secret\">", "</code>"), between(&page, "name=\"form\" value=\"", "\""));
    let code = totp(secret, place.clock.load(Ordering::Relaxed));
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("form", form),
            ("email", "own@example.test"),
            ("name", "Own"),
            ("password", PASSWORD),
            ("code", &code),
        ])
        .finish();
    let request = Request::builder().uri(&path).method(Method::POST).header("host", "soc2.example.com");
    let request = request
        .header("origin", "https://soc2.example.com")
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = place.send(request.body(Body::from(body)).unwrap()).await;
    let cookies: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
    assert!(
        cookies
            .iter()
            .all(|c| c.starts_with("__Host-") && c.ends_with("; Secure") && c.contains("; Path=/;")),
        "{cookies:?}"
    );
    // The name without the prefix, which another host could have set, opens nothing.
    let bare = answer.cookies().replace("__Host-", "");
    let with = |cookies: &str| {
        Request::builder()
            .uri("/sessions")
            .header("host", "soc2.example.com")
            .header("cookie", cookies)
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(place.send(with(&bare)).await.status, StatusCode::SEE_OTHER);
    assert_eq!(place.send(with(&answer.cookies())).await.status, StatusCode::OK);
}

#[tokio::test]
async fn whatever_is_sent_is_answered_in_words() {
    let place = Place::new().await;
    let host = |host: Option<&str>| {
        let request = Request::builder().uri("/");
        match host {
            Some(host) => request.header("host", host),
            None => request,
        }
    };
    for name in [None, Some("evil.example"), Some("evil.example:8321")] {
        let answer = place.send(host(name).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{name:?}");
    }
    // What is not there, in any spelling.
    for path in [
        "/nowhere",
        "/controls/NO-99",
        "/controls/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/controls/..%2F..%2Fetc%2Fpasswd",
        "/controls/%FF%FE",
        "/criteria/CC99.9",
        "/procedures/none",
        "/procedures/none/items/1-1",
        "/procedures/change_ticket/items/x",
        "/procedures/change_ticket/items/99999999999999999999-1",
        "/procedures/change_ticket/items/-",
        "/deviations/D-none",
        "/ledger/99999999",
        "/ledger/-1",
        "/ledger/18446744073709551616",
        "/ledger/1e3",
        "/ledger/99999999/bytes",
        "/ledger/99999999/proof",
        "/ledger/99999999/leaf",
        "/catalog/tables/none",
        "/assets/none.js",
        "/assets/..%2Fstyle.css",
        "/controls/",
        "//",
    ] {
        let answer = place.ask(path, &place.owner).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{path}: {}", answer.status);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert!(
            answer.body.contains("What to do: ") && !answer.body.contains("<script>alert"),
            "{path}: {}",
            answer.body
        );
        assert!(answer.body.contains(answer.header("x-request-id")), "{path}");
    }
    for path in ["/controls/NO-99.json", "/nowhere.json", "/ledger/99999999.json", "/assets.json"] {
        let answer = place.ask(path, &place.owner).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (StatusCode::NOT_FOUND, "application/problem+json"),
            "{path}"
        );
        let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((&problem["status"], &problem["code"]), (&404.into(), &"not_found".into()), "{path}");
        assert!(
            problem["fix"].as_str().unwrap().len() > 5
                && problem["request_id"] == answer.header("x-request-id"),
            "{path}"
        );
    }
    // A list in a form that it does not have.
    assert_eq!(place.ask("/ledger.csv", &place.owner).await.status, StatusCode::NOT_FOUND);
    // Odd words in the query of every page.
    for route in addresses().filter(|route| !route.changes) {
        let path = route
            .path
            .replace("{id}", "CHG-01")
            .replace("{key}", "x")
            .replace("{item}", "1-1")
            .replace("{entry}", "0");
        let path = path.replace("{name}", "change").replace("{link}", "x");
        let odd = [
            "page=0",
            "page=99999999999999999999",
            "page=-1",
            "q=%00%FF",
            "from=2026-13-40",
            "from=x&to=y",
            "from=9999-12-31",
            "from=0001-01-01&to=9999-12-31",
            "to=0001-01-01",
            "from=2026-02-01&to=2026-01-01",
            "result=x",
            "attribute=%F0%9F%92%A5&verdict=pass",
            "attribute=a&verdict=x",
            "day=x",
            "day=2026-02-30",
            "sort=x",
            "sql=x",
            "sql=SELECT",
            "as_of=x&sql=SELECT",
            "entry=x%0d%0aset-cookie:y",
            "=&&==&",
            "kind=%22%3E",
        ];
        for query in odd {
            let answer = place.ask(&format!("{path}?{query}"), &place.owner).await;
            assert!(!answer.status.is_server_error(), "{path}?{query}: {} {}", answer.status, answer.body);
            assert!(!answer.headers.contains_key("set-cookie") || path == "/sign-in", "{path}?{query}");
        }
    }
    let long = format!("/controls?q={}", "a".repeat(20_000));
    assert_eq!(place.ask(&long, &place.owner).await.status, StatusCode::URI_TOO_LONG);
    // Ways in which nobody asks.
    for (method, path, allow) in [
        (Method::POST, "/controls", "GET,HEAD"),
        (Method::DELETE, "/controls", "GET,HEAD"),
        (Method::GET, "/sign-out", "POST"),
    ] {
        let request = request(method.clone(), path, &place.owner)
            .header("origin", "http://localhost:8321")
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = place.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (StatusCode::METHOD_NOT_ALLOWED, allow),
            "{method} {path}"
        );
        assert!(answer.body.contains("What to do: "));
    }
    // Bodies that are too long, or no form.
    let body = |kind: &str, body: Vec<u8>| {
        request(Method::POST, "/theme", &place.owner)
            .header("origin", "http://localhost:8321")
            .header("content-type", kind)
            .body(Body::from(body))
            .unwrap()
    };
    let form = "application/x-www-form-urlencoded";
    assert_eq!(place.send(body(form, vec![b'a'; 70_000])).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(
        place.send(body("multipart/form-data; boundary=x", vec![])).await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    assert_eq!(
        place.send(body("application/json", b"{}".to_vec())).await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    assert_eq!(place.send(body(form, vec![0xff, b'&', b'=', 0])).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_console_only_reads() {
    let place = Place::new().await;
    let ask = async |sql: &str, form: &str| {
        let sql: String = form_urlencoded::byte_serialize(sql.as_bytes()).collect();
        place.ask(&format!("/query{form}?sql={sql}"), &place.owner).await
    };
    let right = ask("SELECT c.label AS label, c.merged_at AS merged_at FROM change c", "").await;
    assert_eq!(right.status, StatusCode::OK);
    assert!(
        right.body.contains("1 row")
            && right.body.contains("2026-02-26T12:00:00Z")
            && !right.body.contains("<script>alert")
    );
    let csv = ask("SELECT c.label AS label FROM change c", ".csv").await;
    assert!(csv.body.starts_with("label\r\n\"'=\"\"><script>"), "{}", csv.body);
    let json = ask("SELECT c.parents AS parents FROM change c", ".json").await;
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&json.body).unwrap()["rows"],
        serde_json::json!([{ "parents": 1 }])
    );
    for wall in [
        "DELETE FROM change",
        "SELECT 1; DROP TABLE change",
        "SELECT * FROM sqlite_master",
        "PRAGMA table_info(change)",
        "SELECT load_extension('x')",
        "SELECT * FROM secrets",
        "not sql",
        "SELECT c.nothing FROM change c",
    ] {
        for form in ["", ".json", ".csv"] {
            let answer = ask(wall, form).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wall}{form}: {}", answer.body);
        }
    }
    // What a page offers to begin with can be asked.
    for to in links(&place.get("/query", &place.owner).await.1)
        .into_iter()
        .filter(|to| to.starts_with("/query?sql="))
    {
        assert_eq!(place.get(&to, &place.owner).await.0, StatusCode::OK, "{to}");
    }
}

#[tokio::test]
async fn files_of_the_site_are_sent_once() {
    let place = Place::empty(Origin::this_machine());
    for name in ["style.css", "app.js", "icon.svg"] {
        let first = place.ask(&format!("/assets/{name}"), "").await;
        assert_eq!((first.status, first.header("cache-control")), (StatusCode::OK, "no-cache"));
        assert!(!first.body.is_empty());
        let again = request(Method::GET, &format!("/assets/{name}"), "")
            .header("if-none-match", first.header("etag"));
        let again = place.send(again.body(Body::empty()).unwrap()).await;
        assert_eq!((again.status, again.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
        let other = request(Method::HEAD, &format!("/assets/{name}"), "").header("if-none-match", "\"x\"");
        let other = place.send(other.body(Body::empty()).unwrap()).await;
        assert_eq!((other.status, other.body.as_str()), (StatusCode::OK, ""));
    }
}
