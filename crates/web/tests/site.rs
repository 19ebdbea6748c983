//! Requests against the routes over a workspace in which every text that others wrote is hostile.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod api;

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

/// A repository with a hostile name, a change of it that names no ticket, and an owner of the control that this breaks; and what people
/// enter here.
fn derive(document: &Document<'_>) -> Derived {
    match document.receipt.collector.as_str() {
        "review/1" => return app::review_rows(document),
        "grants/1" => return granted(),
        collector if collector.starts_with("record") => return connectors::import::derive(document),
        _ => {}
    }
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
    // A row of a register, as a source has it.
    let label = ("label", FactValue::from(HOSTILE));
    facts.push(fact(
        "vendor",
        Key::new("vendor", "", HOSTILE),
        vec![label, ("owner", person.clone().into())],
    ));
    let display = [(change, "title"), (person.clone(), "name"), (person, "login")]
        .map(|(about, field)| DisplayFact { about, field, text: HOSTILE.to_owned() });
    Derived { facts, display: display.to_vec(), ..Derived::default() }
}

/// A system into which two people and the owner of this site get; roles are hostile.
fn granted() -> Derived {
    let system = Key::new("system", "", "hub");
    let mut facts = vec![fact(
        "system",
        system.clone(),
        vec![
            ("label", HOSTILE.into()),
            ("identity_provider", 0_i64.into()),
            ("valid_from", 0_i64.into()),
            ("valid_to", Instant::FOREVER.into()),
        ],
    )];
    let mut display = vec![];
    for (key, privileged) in [("own", 0_i64), ("rev", 0), ("cy", 0), ("adm", 1)] {
        let account = Key::new("account", "hub", key);
        let at = |name: &'static str| (name, FactValue::from(0_i64));
        let until = ("valid_to", Instant::FOREVER.into());
        facts.push(fact(
            "account",
            account.clone(),
            vec![("system", "hub".into()), ("kind", "human".into()), at("valid_from"), until.clone()],
        ));
        facts.push(fact(
            "access_grant",
            Key::new("access_grant", "", key),
            vec![
                ("account", account.clone().into()),
                ("system", system.clone().into()),
                ("role", HOSTILE.into()),
                ("privileged", privileged.into()),
                at("valid_from"),
                until,
            ],
        ));
        display.push(DisplayFact { about: account, field: "email", text: format!("{key}@example.test") });
    }
    Derived { facts, display, ..Derived::default() }
}

fn write(
    table: &model::Table,
    mapping: &str,
    rows: &[serde_json::Map<String, serde_json::Value>],
    said: &app::SaidOf<'_>,
    now: Instant,
) -> Result<Capture, String> {
    connectors::import::by_hand(table, mapping, rows, said.reason, said.by, said.covers, now)
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
    /// What is in the owner's authenticator.
    secret: String,
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
        place.secret = secret;
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
            write,
            keeping: |now, _| Keeping { streams: vec![], configured: vec![], now },
            clock: Box::new(move || Instant::from_ms(shown.load(Ordering::Relaxed))),
            entropy,
            // A request that fails fails its test, which shows what was answered.
            log: |_| {},
        });
        let site = Arc::new(site.unwrap());
        let front = Front::new(Arc::clone(&site), origin);
        Self { front, site, clock, owner: String::new(), secret: String::new(), _folder: folder }
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
        self.member_called(email, role, None).await
    }

    /// The same, who decides under a pseudonym of their own.
    async fn member_called(&self, email: &str, role: Role, called: Option<&str>) -> String {
        let invitation = Invitation {
            email: email.to_owned(),
            name: email.to_owned(),
            called: called.map(str::to_owned),
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
    place.reviewing().await;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    // A register with a row in it: of the many the walk comes by a few.
    let mut open = ["/", "/sessions", "/registers/vendor"].map(str::to_owned).to_vec();
    // Of pages that differ in what they name alone a few stand for all.
    let kind = |to: &str| {
        let path = to.split('?').next().unwrap();
        let mut pieces: Vec<&str> = path.split('/').collect();
        for piece in pieces.iter_mut().skip(2) {
            if !matches!(*piece, "items" | "tables" | "bytes" | "proof" | "leaf" | "invite") {
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
        let path = path.replace("{table}", "vendor");
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
        "/registers/none",
        "/registers/deviation_close",
        "/registers/vendor/none",
        "/enter/deviation_close",
        "/enter/vendor/none",
        "/members/99",
        "/members/x",
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
        let path = path.replace("{name}", "change").replace("{link}", "x").replace("{table}", "vendor");
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

/// What a browser would send of the form of a page, as it is shown.
fn form_of(page: &str) -> Vec<(String, String)> {
    let plain = |text: &str| {
        text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    };
    let form = between(page, "<form class=\"fill\"", "</form>");
    let attribute = |tag: &str, name: &str| {
        let from = tag.find(&format!(" {name}=\""))? + name.len() + 3;
        Some(plain(&tag[from..from + tag[from..].find('"')?]))
    };
    let mut fields = vec![];
    let mut open = String::new();
    for part in form.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        let name = attribute(tag, "name").unwrap_or_default();
        match tag.split(' ').next().unwrap() {
            "input" => fields.push((name, attribute(tag, "value").unwrap_or_default())),
            "textarea" => fields.push((name, plain(text.strip_prefix('\n').unwrap_or(text)))),
            "select" => {
                open.clone_from(&name);
                fields.push((name, String::new()));
            }
            "option" if tag.contains(" selected") => {
                let value = attribute(tag, "value").unwrap_or_default();
                fields.iter_mut().find(|(name, _)| *name == open).unwrap().1 = value;
            }
            _ => {}
        }
    }
    fields
}

impl Place {
    /// Opens a form, enters something, and sends it.
    async fn fill(&self, path: &str, entered: &[(&str, &str)], cookies: &str) -> Answered {
        let (status, page) = self.get(path, cookies).await;
        assert_eq!(status, StatusCode::OK, "{path}: {page}");
        self.resend(path, &page, entered, cookies).await
    }

    /// Enters something into a form that is shown, and sends it.
    async fn resend(&self, path: &str, page: &str, entered: &[(&str, &str)], cookies: &str) -> Answered {
        let mut fields = form_of(page);
        for (name, value) in entered {
            let field = fields.iter_mut().find(|(field, _)| field == name);
            field.unwrap_or_else(|| panic!("{path} has no field {name}: {page}")).1 = (*value).to_owned();
        }
        self.send_fields(path, &fields, cookies).await
    }

    async fn send_fields(&self, path: &str, fields: &[(String, String)], cookies: &str) -> Answered {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        self.post(path, &fields, cookies).await
    }

    fn size(&self) -> u64 {
        self.site.beside(|workspace, _| workspace.size())
    }

    async fn json(&self, path: &str) -> serde_json::Value {
        let (status, body) = self.get(path, &self.owner).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }
}

const DEVIATION: &str = "/deviations/D-0123456789abcdef";

#[tokio::test]
async fn a_deviation_is_triaged_once_and_in_view_of_what_others_decided() {
    let place = Place::new().await;
    let text = &format!("{HOSTILE} and more");
    let manager = place.member("pm@example.test", Role::ProgrammeManager).await;
    let path = &format!("{DEVIATION}/triage");
    let (_, opened) = place.get(path, &place.owner).await;
    // Two people have the same form open. One of them writes down whose it is.
    let before = place.size();
    let theirs = place.fill(path, &[("owner", "cy"), ("cause", "a review was skipped")], &manager).await;
    assert_eq!(
        (theirs.status, theirs.header("location")),
        (StatusCode::SEE_OTHER, DEVIATION),
        "{}",
        theirs.body
    );
    assert_eq!(place.size(), before + 1);
    // The other had not seen that: nothing is lost, and nothing is decided over it.
    let late = place.resend(path, &opened, &[("response", text), ("severity", "low")], &place.owner).await;
    assert_eq!((late.status, place.size()), (StatusCode::CONFLICT, before + 1), "{}", late.body);
    assert!(
        late.body.contains("Decided meanwhile") && late.body.contains("a review was skipped"),
        "{}",
        late.body
    );
    assert!(late.body.contains("member-2") && !late.body.contains("<script>alert"), "{}", late.body);
    let kept: BTreeMap<String, String> = form_of(&late.body).into_iter().collect();
    assert_eq!(&kept["response"], text, "what was entered is there");
    assert_eq!(
        (kept["severity"].as_str(), kept["owner"].as_str()),
        ("low", "cy"),
        "what was not touched is theirs"
    );
    // Sent again in view of it, it holds, and so does what the other wrote.
    let fields = form_of(&late.body);
    let done = place.send_fields(path, &fields, &place.owner).await;
    assert_eq!((done.status, place.size()), (StatusCode::SEE_OTHER, before + 2), "{}", done.body);
    let shown = place.json(&format!("{DEVIATION}.json")).await["deviation"].clone();
    assert_eq!((&shown["owner"], &shown["severity"]), (&"cy".into(), &"low".into()), "{shown}");
    assert_eq!(
        (&shown["cause"], &shown["response"]),
        (&"a review was skipped".into(), &text.as_str().into()),
        "{shown}"
    );
    let last = shown["history"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["by"], "member-1", "{last}");
    assert!(!last["what"].as_str().unwrap().contains("owner"), "what stood there was not said again: {last}");
    // The same form sent twice decides once, and leads where it led.
    let twice = place.send_fields(path, &fields, &place.owner).await;
    assert_eq!((twice.status, twice.header("location")), (StatusCode::SEE_OTHER, DEVIATION));
    assert_eq!(place.size(), before + 2);
    // Nothing said is nothing decided; what was said cannot be unsaid.
    assert_eq!(place.fill(path, &[], &place.owner).await.status, StatusCode::BAD_REQUEST);
    let unsaid = place.fill(path, &[("cause", " ")], &place.owner).await;
    assert!(
        unsaid.status == StatusCode::BAD_REQUEST && unsaid.body.contains("cannot be unsaid"),
        "{}",
        unsaid.body
    );
    for (name, value) in
        [("due", "2026-13-40"), ("severity", "grave"), ("compensating", "NO-99"), ("cause", "\u{7}")]
    {
        let wrong = place.fill(path, &[(name, value)], &place.owner).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{name}={value}: {}", wrong.body);
    }
    let long = "x".repeat(4001);
    assert_eq!(place.fill(path, &[("cause", &long)], &place.owner).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(place.size(), before + 2);
}

#[tokio::test]
async fn a_form_that_is_not_ours_as_we_made_it_is_refused() {
    let place = Place::new().await;
    let path = &format!("{DEVIATION}/triage");
    let (_, page) = place.get(path, &place.owner).await;
    let before = place.size();
    let good = form_of(&page);
    let with = |name: &str, value: &str| {
        let mut fields = good.clone();
        fields.iter_mut().find(|(field, _)| field == name).unwrap().1 = value.to_owned();
        fields
    };
    let once = good.iter().find(|(name, _)| name == "once").unwrap().1.clone();
    let (text, seal) = once.split_once('.').unwrap();
    let stranger = Secret::parse(&format!("{}A", "B".repeat(42))).unwrap().seal(text);
    let mut more = vec![with("once", ""), with("once", text), with("once", &format!("{text}.{stranger}"))];
    more.push(with("once", &format!("0{text}.{seal}")));
    more.push(good.iter().filter(|(name, _)| name != "once").cloned().collect());
    more.push(good.iter().filter(|(name, _)| name != "seen").cloned().collect());
    more.push(with("seen", "x"));
    more.push([good.clone(), vec![("approved".to_owned(), "yes".to_owned())]].concat());
    more.push([good.clone(), vec![("cause".to_owned(), "again".to_owned())]].concat());
    for mut fields in more {
        fields.push(("was-cause".to_owned(), "not what stood there".to_owned()));
        let answer = place.send_fields(path, &fields, &place.owner).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{fields:?}: {}", answer.body);
    }
    // Without the secret of the session no act is answered at all.
    for route in addresses().filter(|route| route.changes && !route.open) {
        let path = route
            .path
            .replace("{key}", "D-0123456789abcdef")
            .replace("{table}", "vendor")
            .replace("{id}", "1");
        let answer = place.post(&path, &[("why", "x")], &place.owner).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    // What is not there is not decided about.
    for path in ["/deviations/D-none/triage", "/deviations/D-none/close", "/enter/none", "/members/99/give"] {
        assert_eq!(place.get(path, &place.owner).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(place.size(), before);
}

#[tokio::test]
async fn a_deviation_is_closed_by_somebody_who_may() {
    let place = Place::new().await;
    let reviewer = place.member("rev@example.test", Role::Reviewer).await;
    let engineer = place.member("eng@example.test", Role::Engineer).await;
    // Ann answers for the control; another who does so for none may do nothing here.
    let ann = place.member_called("ann@example.test", Role::ControlOwner, Some("ann")).await;
    let other = place.member("other@example.test", Role::ControlOwner).await;
    for act in ["triage", "retest", "close"] {
        for cookies in [&reviewer, &engineer, &other] {
            let path = format!("{DEVIATION}/{act}");
            assert_eq!(place.get(&path, cookies).await.0, StatusCode::FORBIDDEN, "{act}");
            let (_, page) = place.get("/sessions", cookies).await;
            let form = between(&page, "name=\"form\" value=\"", "\"").to_owned();
            let answer = place.post(&path, &[("form", &form), ("seen", "1")], cookies).await;
            assert!(matches!(answer.status.as_u16(), 400 | 403), "{act}: {}", answer.status);
        }
        assert_eq!(place.get(&format!("{DEVIATION}/{act}"), &ann).await.0, StatusCode::OK, "{act}");
    }
    assert!(!place.get(DEVIATION, &reviewer).await.1.contains("/triage"), "no way where nobody may go");
    let before = place.size();
    let close = &format!("{DEVIATION}/close");
    // Not without a retest that passed; and nobody accepts their own.
    let early = place.fill(close, &[("how", "retested")], &place.owner).await;
    assert!(
        early.status == StatusCode::BAD_REQUEST && early.body.contains("it was not retested"),
        "{}",
        early.body
    );
    let own = place.fill(close, &[("how", "accepted"), ("why", "small")], &ann).await;
    assert!(
        own.status == StatusCode::BAD_REQUEST && own.body.contains("nobody accepts their own"),
        "{}",
        own.body
    );
    assert!(own.body.contains(">\nsmall</textarea>"), "what was entered stays: {}", own.body);
    let reasonless = place.fill(close, &[("how", "accepted")], &place.owner).await;
    assert_eq!(reasonless.status, StatusCode::BAD_REQUEST, "{}", reasonless.body);
    let retest = &format!("{DEVIATION}/retest");
    let nowhere = place.fill(retest, &[("result", "pass"), ("evidence", "99999")], &ann).await;
    assert!(
        nowhere.status == StatusCode::BAD_REQUEST && nowhere.body.contains("no ledger entry 99999"),
        "{}",
        nowhere.body
    );
    assert_eq!(place.size(), before);
    // An hour later; what is decided then bears that time, and not the one at which the workspace was opened.
    place.clock.fetch_add(HOUR / 2, Ordering::Relaxed);
    let passed = place.fill(retest, &[("result", "pass"), ("evidence", "0")], &ann).await;
    assert_eq!(passed.status, StatusCode::SEE_OTHER, "{}", passed.body);
    let closed = place.fill(close, &[("how", "retested")], &place.owner).await;
    assert_eq!(closed.status, StatusCode::SEE_OTHER, "{}", closed.body);
    let shown = place.json(&format!("{DEVIATION}.json")).await["deviation"].clone();
    assert_eq!((&shown["standing"], place.size()), (&"closed".into(), before + 2), "{shown}");
    let history = shown["history"].as_array().unwrap();
    let last = history.last().unwrap();
    assert_eq!((&last["by"], &last["at"]), (&"member-1".into(), &"2026-02-28T12:30:00Z".into()), "{last}");
    // It stays a deviation of the register, with a page.
    assert!(place.get(DEVIATION, &place.owner).await.1.contains("closed after its retest"));
}

#[tokio::test]
async fn what_was_entered_outlives_the_session() {
    let place = Place::new().await;
    let text = &format!("{HOSTILE} and more");
    let path = &format!("{DEVIATION}/triage");
    let (_, page) = place.get(path, &place.owner).await;
    let before = place.size();
    place.clock.fetch_add(2 * HOUR, Ordering::Relaxed);
    let over = place.resend(path, &page, &[("response", text)], &place.owner).await;
    assert_eq!(over.status, StatusCode::UNAUTHORIZED, "{}", over.body);
    assert!(
        over.body.contains("name=\"kept.response\"") && !over.body.contains("<script>alert"),
        "{}",
        over.body
    );
    assert!(
        !over.body.contains("name=\"kept.once\"") && !over.body.contains("name=\"kept.form\""),
        "{}",
        over.body
    );
    // A wrong password loses nothing either.
    let sign_in = |page: &Answered, password: &str, code: &str| {
        let form = page.body.replace("<form method=\"post\" action=\"/sign-in\"", "<form class=\"fill\"");
        let mut fields = form_of(&form);
        for (name, value) in [("email", "own@example.test"), ("password", password), ("code", code)] {
            fields.iter_mut().find(|(field, _)| field == name).unwrap().1 = value.to_owned();
        }
        (fields, page.cookies())
    };
    let (fields, cookies) = sign_in(&over, "not the password", "000000");
    let wrong = place.send_fields("/sign-in", &fields, &cookies).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "{}", wrong.body);
    let code = totp(&place.secret, place.clock.load(Ordering::Relaxed));
    let (fields, cookies) = sign_in(&wrong, PASSWORD, &code);
    let inside = place.send_fields("/sign-in", &fields, &cookies).await;
    assert_eq!((inside.status, place.size()), (StatusCode::OK, before), "{}", inside.body);
    let session = inside.cookies();
    let again = form_of(&inside.body.replace("<form method=\"post\"", "<form class=\"fill\""));
    let shown = place.send_fields(path, &again, &session).await;
    // It is shown, and not obeyed before somebody presses the button.
    assert_eq!((shown.status, place.size()), (StatusCode::OK, before), "{}", shown.body);
    let kept: BTreeMap<String, String> = form_of(&shown.body).into_iter().collect();
    assert_eq!(&kept["response"], text);
    let done = place.resend(path, &shown.body, &[], &session).await;
    assert_eq!((done.status, place.size()), (StatusCode::SEE_OTHER, before + 1), "{}", done.body);
}

#[tokio::test]
async fn a_register_keeps_every_version_with_who_and_why() {
    let place = Place::new().await;
    let engineer = place.member("eng@example.test", Role::Engineer).await;
    let reviewer = place.member("rev@example.test", Role::Reviewer).await;
    let customer = place.member("buy@example.test", Role::Customer).await;
    let of = async |path: &str, cookies: &str| place.get(path, cookies).await.0;
    assert_eq!(of("/registers/vendor", &reviewer).await, StatusCode::OK);
    for (path, cookies) in [
        ("/enter/vendor", &reviewer),
        ("/registers", &customer),
        // Who has access is for others to say than who the vendors are.
        ("/enter/access_grant", &engineer),
        ("/enter/policy_version", &engineer),
        ("/registers/access_grant", &engineer),
    ] {
        assert_eq!(of(path, cookies).await, StatusCode::FORBIDDEN, "{path}");
    }
    let before = place.size();
    let new = [
        ("key", "V/1"),
        ("c-label", HOSTILE),
        ("c-tier", "high"),
        ("c-first_used_at", "2026-01-05T10:00"),
        ("c-owner", "ann"),
        ("c-ended", "no"),
        ("why", HOSTILE),
    ];
    let added = place.fill("/enter/vendor", &new, &engineer).await;
    assert_eq!(
        (added.status, added.header("location")),
        (StatusCode::SEE_OTHER, "/registers/vendor/V%2F1"),
        "{}",
        added.body
    );
    let row = "/registers/vendor/V%2F1.json";
    let values = |row: &serde_json::Value| row["rows"][0]["values"].clone();
    let first = values(&place.json(row).await);
    assert_eq!(
        (&first["tier"], &first["ended"], &first["owner"]),
        (&"high".into(), &"no".into(), &"ann".into()),
        "{first}"
    );
    assert_eq!(first["first_used_at"], "2026-01-05T10:00:00Z");
    // What nobody said is not known, and no word stands in for it.
    assert_eq!(
        (&first["data_class"], &first["health_data"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
    let (_, page) = place.get("/registers/vendor/V%2F1", &place.owner).await;
    assert!(page.contains("not known") && !page.contains("<script>alert"), "{page}");
    // A change is another version; what is left as it is stays, what is emptied is not known any more.
    let change = "/enter/vendor/V%2F1";
    let (_, opened) = place.get(change, &place.owner).await;
    let (_, also_opened) = place.get(change, &place.owner).await;
    let changed = place
        .resend(change, &opened, &[("c-tier", "low"), ("c-ended", ""), ("why", "checked")], &place.owner)
        .await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.body);
    let shown = place.json(row).await;
    let second = values(&shown);
    assert_eq!((&second["tier"], &second["ended"]), (&"low".into(), &serde_json::Value::Null), "{second}");
    assert_eq!((&second["label"], &second["first_used_at"]), (&first["label"], &first["first_used_at"]));
    let history = shown["history"].as_array().unwrap();
    let told: Vec<_> =
        history.iter().map(|v| (v["by"].clone(), v["reason"].clone(), v["said"]["tier"].clone())).collect();
    assert_eq!(
        told,
        [
            ("member-2".into(), HOSTILE.into(), "high".into()),
            ("member-1".into(), "checked".into(), "low".into())
        ]
    );
    assert_eq!(place.size(), before + 2);
    // The form that was open before comes back with what was entered, and with what the other did.
    let late = place
        .resend(change, &also_opened, &[("c-data_class", "public"), ("why", "asked")], &place.owner)
        .await;
    assert_eq!((late.status, place.size()), (StatusCode::CONFLICT, before + 2), "{}", late.body);
    let kept: BTreeMap<String, String> = form_of(&late.body).into_iter().collect();
    assert_eq!(
        (kept["c-data_class"].as_str(), kept["c-tier"].as_str(), kept["c-ended"].as_str()),
        ("public", "low", "")
    );
    let done = place.resend(change, &late.body, &[], &place.owner).await;
    assert_eq!((done.status, place.size()), (StatusCode::SEE_OTHER, before + 3), "{}", done.body);
    // What cannot be taken, in words, with what was entered.
    for (entered, why) in [
        (vec![("key", "V/1"), ("c-label", "x"), ("why", "x")], "already"),
        (vec![("key", "V2"), ("c-label", "x"), ("why", "")], "the reason is missing"),
        (vec![("key", " "), ("c-label", "x"), ("why", "x")], "the key is missing"),
        (vec![("key", "V2"), ("c-label", ""), ("why", "x")], "Label is missing"),
        (vec![("key", "V2"), ("c-label", "x"), ("c-tier", "enormous"), ("why", "x")], "enormous"),
        (vec![("key", "V2"), ("c-label", "x"), ("c-ended_at", "yesterday"), ("why", "x")], "yesterday"),
    ] {
        let wrong = place.fill("/enter/vendor", &entered, &engineer).await;
        assert!(
            wrong.status == StatusCode::BAD_REQUEST && wrong.body.contains(why),
            "{entered:?}: {}",
            wrong.body
        );
        assert_eq!(form_of(&wrong.body).iter().find(|(name, _)| name == "c-label").unwrap().1, entered[1].1);
    }
    let same = place.fill(change, &[("why", "x")], &place.owner).await;
    assert!(same.status == StatusCode::BAD_REQUEST && same.body.contains("known already"), "{}", same.body);
    assert_eq!(place.size(), before + 3);
    let csv = place.get("/registers/vendor.csv?q=V%2F1", &place.owner).await.1;
    assert!(csv.starts_with("key,within,label,tier,") && csv.lines().count() == 2, "{csv}");
}

#[tokio::test]
async fn who_gets_in_is_decided_by_owners_who_have_just_proved_who_they_are() {
    let place = Place::new().await;
    let manager = place.member("pm@example.test", Role::ProgrammeManager).await;
    let engineer = place.member("eng@example.test", Role::Engineer).await;
    assert_eq!(place.get("/members", &engineer).await.0, StatusCode::FORBIDDEN);
    let (status, list) = place.get("/members", &manager).await;
    assert!(
        status == StatusCode::OK && list.contains("pm@example.test") && !list.contains("/members/invite"),
        "{list}"
    );
    for act in ["invite", "3/give", "3/take", "3/reset", "3/end-sessions", "3/remove"] {
        assert_eq!(place.get(&format!("/members/{act}"), &manager).await.0, StatusCode::FORBIDDEN, "{act}");
    }
    let before = place.size();
    let invited =
        [("email", "new@example.test"), ("name", HOSTILE), ("role", "engineer"), ("why", "joins the team")];
    // Eleven minutes after the last proof another is wanted, and nothing that was entered is lost.
    place.clock.fetch_add(11 * 60_000, Ordering::Relaxed);
    let (_, form) = place.get("/members/invite", &place.owner).await;
    assert!(form.contains("name=\"password\"") && form.contains("name=\"code\""), "{form}");
    let unproved = place.resend("/members/invite", &form, &invited, &place.owner).await;
    assert!(matches!(unproved.status.as_u16(), 401 | 403), "{}: {}", unproved.status, unproved.body);
    assert_eq!(
        form_of(&unproved.body).iter().find(|(name, _)| name == "email").unwrap().1,
        "new@example.test"
    );
    assert_eq!(place.size(), before);
    let code = totp(&place.secret, place.clock.load(Ordering::Relaxed));
    let proof = [("password", PASSWORD), ("code", code.as_str())];
    let proved =
        place.resend("/members/invite", &unproved.body, &[&invited[..], &proof].concat(), &place.owner).await;
    assert_eq!((proved.status, place.size()), (StatusCode::OK, before + 1), "{}", proved.body);
    let link = between(&proved.body, "id=\"link\">", "</code>").to_owned();
    assert!(
        link.starts_with("/join/")
            && !proved.body.contains("<script>alert")
            && !proved.body.contains(PASSWORD)
    );
    // The link is shown once; the same form again invites nobody else.
    let fields: Vec<(String, String)> = {
        let mut fields = form_of(&unproved.body);
        for (name, value) in invited.iter().chain(&proof) {
            fields.iter_mut().find(|(field, _)| field == name).unwrap().1 = (*value).to_owned();
        }
        fields
    };
    let twice = place.send_fields("/members/invite", &fields, &place.owner).await;
    assert_eq!(
        (twice.status, twice.header("location"), place.size()),
        (StatusCode::SEE_OTHER, "/members/4", before + 1)
    );
    assert!(!twice.body.contains("/join/"));
    let (_, member) = place.get("/members/4", &place.owner).await;
    assert!(
        member.contains("joins the team") && member.contains("member-1") && !member.contains(&link),
        "{member}"
    );
    // Within ten minutes the proof holds. A role that is given holds at once.
    assert_eq!(place.get("/query", &engineer).await.0, StatusCode::FORBIDDEN);
    let given = place
        .fill("/members/3/give", &[("role", "programme_manager"), ("why", "helps out")], &place.owner)
        .await;
    assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.body);
    assert_eq!(place.get("/query", &engineer).await.0, StatusCode::OK);
    let taken =
        place.fill("/members/3/take", &[("grant", "programme_manager"), ("why", "done")], &place.owner).await;
    assert_eq!(taken.status, StatusCode::SEE_OTHER, "{}", taken.body);
    assert_eq!(place.get("/query", &engineer).await.0, StatusCode::FORBIDDEN);
    // Nobody about themselves; nobody without a reason; no role that does not go with another.
    for (path, entered) in [
        ("/members/1/remove", vec![("why", "x")]),
        ("/members/3/remove", vec![("why", "")]),
        ("/members/3/give", vec![("role", "auditor"), ("engagement", "2026"), ("why", "x")]),
        ("/members/3/give", vec![("role", "emperor"), ("why", "x")]),
        ("/members/invite", vec![("email", "nobody"), ("name", "x"), ("role", "engineer"), ("why", "x")]),
    ] {
        let refused = place.fill(path, &entered, &place.owner).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path} {entered:?}: {}", refused.body);
    }
    // Sessions end without a decision; the membership with one.
    let ended = place.fill("/members/2/end-sessions", &[("why", "lost a laptop")], &place.owner).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.body);
    assert_eq!(place.get("/", &manager).await.0, StatusCode::SEE_OTHER);
    let removed = place.fill("/members/3/remove", &[("why", "left")], &place.owner).await;
    assert_eq!(removed.status, StatusCode::SEE_OTHER, "{}", removed.body);
    assert_eq!(place.get("/", &engineer).await.0, StatusCode::SEE_OTHER);
}

impl Place {
    /// The field by which a form of these cookies is known again.
    async fn form(&self, path: &str, cookies: &str) -> String {
        let (_, page) = self.get(path, cookies).await;
        between(&page, "name=\"form\" value=\"", "\"").to_owned()
    }

    /// The site with a review of the hub, whose page is given: lines of `own` are for `rev`, all others for `own`.
    async fn reviewing(&self) -> String {
        self.site.beside(|workspace, _| {
            let mut grants = capture();
            grants.receipt.collector = "grants/1".to_owned();
            workspace.append(&[grants]).unwrap();
            workspace.catch_up(&derive).unwrap();
        });
        let form = self.form("/reviews", &self.owner).await;
        let fields = [
            ("form", form.as_str()),
            ("systems", "hub"),
            ("kind", "snapshot"),
            ("reviewers", "own@example.test\nrev@example.test"),
            ("due", "2026-03-31"),
            ("reason", HOSTILE),
        ];
        let wrong =
            self.post("/reviews/open", &[&fields[..2], &[("due", "2026-03-31")]].concat(), &self.owner).await;
        assert_eq!(wrong.status, StatusCode::CONFLICT, "{}", wrong.body);
        assert!(wrong.body.contains("nobody says why it is held"), "{}", wrong.body);
        let opened = self.post("/reviews/open", &fields, &self.owner).await;
        assert_eq!(opened.status, StatusCode::SEE_OTHER, "{}", opened.body);
        opened.header("location").to_owned()
    }
}

/// The mark of the line of somebody, as a page shows it.
fn mark(page: &str, who: &str) -> String {
    let mut rows = page.split("<tr data-row").skip(1).map(|row| row.split("</tr>").next().unwrap());
    let row = rows.find(|row| row.contains(&format!(": {who}@example.test as "))).unwrap();
    between(row, "name=\"line\" value=\"", "\"").to_owned()
}

#[tokio::test]
async fn a_review_is_decided_by_those_who_were_given_its_lines() {
    let place = Place::new().await;
    let reviewer = place.member("rev@example.test", Role::Reviewer).await;
    let engineer = place.member("cy@example.test", Role::Engineer).await;
    let path = place.reviewing().await;
    let (status, page) = place.get(&path, &place.owner).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{page}");

    // A reviewer sees their own lines alone, and an engineer none.
    let (_, theirs) = place.get(&path, &reviewer).await;
    assert!(
        theirs.contains("<bdi>own@example.test</bdi>") && !theirs.contains("cy@example.test"),
        "{theirs}"
    );
    assert_eq!(place.get(&path, &engineer).await.0, StatusCode::NOT_FOUND);
    let form = place.form(&path, &reviewer).await;
    let open = [("form", form.as_str()), ("reason", "x"), ("due", "2026-03-31")];
    assert_eq!(place.post("/reviews/open", &open, &reviewer).await.status, StatusCode::FORBIDDEN);

    let decide = async |cookies: &str, mark: &[&str], decision: &str, reason: &str| {
        let form = place.form(&path, cookies).await;
        let mut fields = vec![("form", form.as_str()), ("decision", decision), ("reason", reason)];
        fields.extend(mark.iter().map(|mark| ("line", *mark)));
        place.post(&format!("{path}/decide"), &fields, cookies).await
    };
    // The owner's own line is not the owner's to decide.
    let (own, cy, adm) = (mark(&page, "own"), mark(&page, "cy"), mark(&page, "adm"));
    let refused = decide(&place.owner, &[&own], "keep", "mine").await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    assert!(refused.body.contains("who alone decides about it"), "{}", refused.body);
    assert!(refused.body.contains("value=\"mine\""), "what was written is still there: {}", refused.body);
    // A flagged line is not kept along with others.
    let refused = decide(&place.owner, &[&cy, &adm], "keep", "all fine").await;
    assert!(
        refused.status == StatusCode::CONFLICT && refused.body.contains("one by one"),
        "{}",
        refused.body
    );
    let kept = decide(&place.owner, &[&cy], "keep", "").await;
    assert_eq!(kept.status, StatusCode::SEE_OTHER, "{}", kept.body);
    assert_eq!(kept.header("location"), path);
    // Whoever still has the page from before does not overturn it.
    let refused = decide(&place.owner, &[&cy], "revoke", "why").await;
    assert!(
        refused.status == StatusCode::CONFLICT && refused.body.contains("which you had not seen"),
        "{}",
        refused.body
    );
    let form = place.form(&path, &place.owner).await;
    let complete = [("form", form.as_str())];
    let refused = place.post(&format!("{path}/complete"), &complete, &place.owner).await;
    assert!(
        refused.status == StatusCode::CONFLICT && refused.body.contains("3 lines are not decided yet"),
        "{}",
        refused.body
    );
    let (_, json) = place.get(&format!("{path}.json?show=decided"), &place.owner).await;
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (report["undecided"].as_u64(), report["lines"].as_array().unwrap().len()),
        (Some(3), 1),
        "{json}"
    );
}

#[tokio::test]
async fn a_deviation_is_entered_once_for_days_that_stay_what_they_are() {
    let place = Place::new().await;
    let reviewer = place.member("rev@example.test", Role::Reviewer).await;
    // The register of risks, which is whole until noon, says that nothing is to be done about a grave one.
    let words =
        ["key=R-1", "level=critical", "identified_at=2025-12-05T10:00:00Z", "treatment=none", "closed=no"];
    let mut words = words.map(str::to_owned).to_vec();
    words.push(format!("label={HOSTILE}"));
    let covers = Window { from: Instant::from_ms(0), to: Instant::from_ms(NOON) };
    place.site.beside(|workspace, _| {
        let scribe = app::Scribe { derive: &derive, write, now: Instant::from_ms(NOON) };
        let said = app::SaidOf { reason: "a meeting", by: Some("ann"), covers: Some(covers), of: &[] };
        let table = workspace.catalog.table("risk").unwrap().clone();
        workspace.enter_row(&scribe, &table, &words, "UTC", &said).unwrap().unwrap();
    });
    let days = "from=2025-11-01&to=2026-01-31";
    let found = place.json(&format!("/deviations.json?standing=unregistered&{days}")).await;
    let found = found["deviations"].as_array().unwrap();
    let is = |d: &&serde_json::Value| d["item"] == "R-1" && d["attribute"] == "b";
    let one = found.iter().find(is).unwrap_or_else(|| panic!("{found:?}"));
    let path = format!("/deviations/{}", one["key"].as_str().unwrap());
    let register = &format!("{path}/register?{days}");
    assert!(place.get(&format!("{path}?{days}"), &place.owner).await.1.contains("Enter into the register"));
    assert_eq!(place.get(register, &reviewer).await.0, StatusCode::FORBIDDEN);
    // Nothing is decided about what is not in the register.
    assert_eq!(place.get(&format!("{path}/triage?{days}"), &place.owner).await.0, StatusCode::CONFLICT);
    let before = place.size();
    let (_, form) = place.get(register, &place.owner).await;
    let done = place.resend(register, &form, &[], &place.owner).await;
    assert_eq!((done.status, place.size()), (StatusCode::SEE_OTHER, before + 1), "{}", done.body);
    // What lasts is named with its days, which go along.
    let to = done.header("location").to_owned();
    assert_eq!(to, format!("{path}?{days}"));
    let (status, page) = place.get(&to, &place.owner).await;
    assert!(
        status == StatusCode::OK && page.contains("Registered") && !page.contains("<script>alert"),
        "{to}: {page}"
    );
    assert!(page.contains("/triage"), "{page}");
    let again = place.fill(register, &[], &place.owner).await;
    assert_eq!(
        (again.status, place.size()),
        (StatusCode::SEE_OTHER, before + 1),
        "it stands there already: {}",
        again.body
    );
}
