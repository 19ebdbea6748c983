//! Where the company meets the world: what answers there (CRY-01), and what is let in (NET-01).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, End};
use crate::monitoring::MACHINE;
use crate::people::CORE;
use crate::rng::Rng;
use crate::truth::{Seeded, seeded};

/// For how long a look speaks; days until a rule is reviewed again.
const LOOK: i64 = 31 * DAY;
const REVIEW: i64 = 365 * DAY;

#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) key: String,
    pub(crate) from: i64,
    pub(crate) to: End,
    pub(crate) looks: Vec<Look>,
}

/// What somebody saw from outside.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) at: i64,
    pub(crate) lowest: &'static str,
    pub(crate) trusted: bool,
    /// From when until when the certificate is valid.
    pub(crate) certificate: (i64, i64),
}

#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) key: String,
    pub(crate) closed: Option<bool>,
    /// What runs in it, and of which account it is: production, and one of its own, unless a case says otherwise.
    pub(crate) holds: Option<&'static str>,
    pub(crate) account: Option<String>,
    pub(crate) from: i64,
    pub(crate) to: End,
}

impl Network {
    pub(crate) fn new(key: String, closed: Option<bool>, from: i64) -> Self {
        let account = Some(format!("{key}-live"));
        Self { key, closed, holds: Some("production"), account, from, to: End::Never }
    }
}

/// What lets something in.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) key: String,
    pub(crate) network: usize,
    pub(crate) owner: Option<usize>,
    pub(crate) reason: &'static str,
    pub(crate) spells: Vec<(&'static str, &'static str, i64, End)>,
    /// When it was reviewed, and by whom.
    pub(crate) reviews: Vec<(i64, usize)>,
}

pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for number in 0..3 + c.shape.systems / 4 {
        let from = c.clock.from - rng.between(200, 900) * DAY;
        answers(c, rng, format!("www{number}.quillbrook.example.test:443"), from, End::Never);
    }
    for key in ["net-east", "net-west"] {
        let from = c.clock.from - 800 * DAY;
        c.operations.networks.push(Network::new(key.to_owned(), Some(true), from));
    }
    for _ in 0..4 + c.shape.systems / 2 {
        let from = c.clock.from - rng.between(100, 900) * DAY;
        lets_in(c, rng, from);
    }
}

/// An endpoint that is looked at every few weeks, with a certificate that is renewed a month before it ends.
fn answers(c: &mut Company, rng: &mut Rng, key: String, from: i64, to: End) -> usize {
    let mut looks = vec![];
    let mut certificate = (from - DAY, from + 89 * DAY);
    let mut at = from;
    while at <= c.clock.cutoff && to.after(at) {
        if certificate.1 - at < 33 * DAY {
            certificate = (at - HOUR, at - HOUR + 90 * DAY);
        }
        let lowest = rng.pick(&["tls1_2", "tls1_2", "tls1_3"]);
        looks.push(Look { at, lowest, trusted: true, certificate });
        at += rng.between(20, 30) * DAY;
    }
    c.operations.endpoints.push(Endpoint { key, from, to, looks });
    c.operations.endpoints.len() - 1
}

/// A rule that is reviewed every year.
fn lets_in(c: &mut Company, rng: &mut Rng, from: i64) -> usize {
    let number = c.operations.rules.len() + 1;
    let (source, service) = rng.pick(&[
        ("everybody", "web"),
        ("listed", "administration"),
        ("internal", "database"),
        ("listed", "other"),
    ]);
    let mut reviews = vec![];
    let mut at = from;
    loop {
        at += rng.between(200, 360) * DAY;
        if at > c.clock.cutoff {
            break;
        }
        reviews.push((at, rng.below(CORE)));
    }
    c.operations.rules.push(Rule {
        key: format!("rule-{number}"),
        network: rng.below(2),
        owner: Some(rng.below(CORE)),
        reason: "customers come in here",
        spells: vec![(source, service, from, End::Never)],
        reviews,
    });
    number - 1
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("too-old", too_old),
    ("plain", plain),
    ("look-boundary", look_boundary),
    ("certificate-boundary", certificate_boundary),
    ("not-trusted", not_trusted),
    ("ran-out-unseen", ran_out_unseen),
    ("newest-only", newest_only),
    ("open-to-all", open_to_all),
    ("open-for-an-hour", open_for_an_hour),
    ("open-to-some", open_to_some),
    ("lets-all-in", lets_all_in),
    ("rule-boundary", rule_boundary),
    ("rule-never-reviewed", rule_never_reviewed),
    ("rule-by-script", rule_by_script),
    ("nobody-answers", nobody_answers),
    ("new-rule", new_rule),
];

fn of_endpoint(c: &Company, case: &'static str, endpoint: usize, letters: &str, why: &str) -> Seeded {
    seeded(("CRY-01", "tls_and_certificates", case), &c.operations.endpoints[endpoint].key, letters, why)
}

/// There for two months, and seen at these times after it came, with a certificate for all of it.
fn seen(c: &mut Company, rng: &mut Rng, at: &[i64]) -> Option<usize> {
    let from = c.clock.some_day(rng, 5, 65)?;
    let key = format!("app{}.quillbrook.example.test:443", c.operations.endpoints.len() + 1);
    let endpoint = answers(c, rng, key, from, End::At(from + 60 * DAY));
    c.operations.endpoints[endpoint].looks = at
        .iter()
        .map(|after| Look {
            at: from + after,
            lowest: "tls1_2",
            trusted: true,
            certificate: (from - DAY, from + 90 * DAY),
        })
        .collect();
    Some(endpoint)
}

const LOOKS: [i64; 3] = [0, 25 * DAY, 50 * DAY];

fn too_old(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(endpoint) = seen(c, rng, &LOOKS) else { return vec![] };
    c.operations.endpoints[endpoint].looks[1].lowest = "tls1_0";
    vec![of_endpoint(c, "too-old", endpoint, "dp", "one look found TLS 1.0 accepted")]
}

fn plain(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(endpoint) = seen(c, rng, &LOOKS) else { return vec![] };
    c.operations.endpoints[endpoint].looks[2].lowest = "plain";
    vec![of_endpoint(c, "plain", endpoint, "dp", "one look was answered without encryption, too")]
}

fn look_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "pp", "31 days lie between two looks, to the second"),
        (SECOND, "nn", "31 days and a second lie between two looks: what was in that second, nobody knows"),
    ] {
        let Some(endpoint) = seen(c, rng, &[0, 10 * DAY, 10 * DAY + LOOK + late]) else { return all };
        all.push(of_endpoint(c, "look-boundary", endpoint, letters, why));
    }
    all
}

fn certificate_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "pp", "a look found the certificate in its last second, and another one right after"),
        (SECOND, "pd", "a look found a certificate that had run out a second before"),
    ] {
        let Some(endpoint) = seen(c, rng, &[0, 25 * DAY, 25 * DAY + SECOND, 50 * DAY]) else { return all };
        let them = &mut c.operations.endpoints[endpoint];
        let (from, ends) = (them.from, them.from + 25 * DAY - late);
        for look in &mut them.looks[..2] {
            look.certificate = (from - DAY, ends);
        }
        if late == 0 {
            // What is valid to the second is followed within it.
            them.looks[2].at = ends + 1;
        }
        all.push(of_endpoint(c, "certificate-boundary", endpoint, letters, why));
    }
    all
}

fn not_trusted(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(endpoint) = seen(c, rng, &LOOKS) else { return vec![] };
    c.operations.endpoints[endpoint].looks[1].trusted = false;
    vec![of_endpoint(
        c,
        "not-trusted",
        endpoint,
        "pd",
        "one look found a certificate that no authority vouches for",
    )]
}

fn ran_out_unseen(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(endpoint) = seen(c, rng, &LOOKS) else { return vec![] };
    let them = &mut c.operations.endpoints[endpoint];
    let from = them.from;
    for look in &mut them.looks[..2] {
        look.certificate = (from - DAY, from + 30 * DAY);
    }
    let why = "the certificate ran out between two looks, the second of which saw a new one: since when, nobody knows";
    vec![of_endpoint(c, "ran-out-unseen", endpoint, "pn", why)]
}

fn newest_only(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(endpoint) = seen(c, rng, &LOOKS) else { return vec![] };
    for look in &mut c.operations.endpoints[endpoint].looks {
        look.lowest = "tls1_3";
    }
    vec![of_endpoint(c, "newest-only", endpoint, "pp", "accepts nothing older than TLS 1.3")]
}

// ---- NET-01

fn of_rule(c: &Company, case: &'static str, rule: usize, letters: &str, why: &str) -> Seeded {
    seeded(("NET-01", "firewall_rules", case), &c.operations.rules[rule].key, letters, why)
}

fn long_there(c: &mut Company, rng: &mut Rng) -> usize {
    let from = c.clock.from - 500 * DAY;
    lets_in(c, rng, from)
}

fn open_to_all(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (service, why) in [
        ("administration", "the ports of administration are open to everybody"),
        ("all", "every port is open to everybody"),
    ] {
        let rule = long_there(c, rng);
        let from = c.operations.rules[rule].spells[0].2;
        c.operations.rules[rule].spells = vec![("everybody", service, from, End::Never)];
        all.push(of_rule(c, "open-to-all", rule, "dpp", why).last_day("d"));
    }
    all
}

fn open_for_an_hour(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return vec![] };
    let rule = long_there(c, rng);
    let from = c.operations.rules[rule].spells[0].2;
    c.operations.rules[rule].spells = vec![
        ("listed", "database", from, End::At(at)),
        ("everybody", "database", at, End::At(at + HOUR)),
        ("listed", "database", at + HOUR, End::Never),
    ];
    vec![of_rule(c, "open-for-an-hour", rule, "dpp", "a database was open to everybody for an hour")]
}

fn open_to_some(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let rule = long_there(c, rng);
    let from = c.operations.rules[rule].spells[0].2;
    c.operations.rules[rule].spells = vec![("listed", "all", from, End::Never)];
    vec![of_rule(c, "open-to-some", rule, "ppp", "every port is open, to the addresses of the office alone")]
}

fn lets_all_in(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (closed, letters, why) in [
        (Some(false), "d--", "what no rule speaks of comes in"),
        (None, "n--", "nobody could say what happens to what no rule speaks of"),
    ] {
        let key = format!("net-{}", c.operations.networks.len() + 1);
        let from = c.clock.from - rng.between(100, 900) * DAY;
        c.operations.networks.push(Network::new(key.clone(), closed, from));
        all.push(
            seeded(("NET-01", "firewall_rules", "lets-all-in"), &key, letters, why).last_day(&letters[..1]),
        );
    }
    all
}

fn rule_boundary(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (0, "ppp", "reviewed again 365 days later, to the second"),
        (SECOND, "ppd", "reviewed again 365 days and a second later"),
    ] {
        let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
        let before = at - REVIEW - late;
        let rule = lets_in(c, rng, before - 100 * DAY);
        let by = rng.below(CORE);
        c.operations.rules[rule].reviews = vec![(before, by), (at, by)];
        all.push(of_rule(c, "rule-boundary", rule, letters, why));
    }
    all
}

fn rule_never_reviewed(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let rule = long_there(c, rng);
    c.operations.rules[rule].reviews.clear();
    vec![
        of_rule(c, "rule-never-reviewed", rule, "ppd", "in force for years, and never reviewed")
            .last_day("..d"),
    ]
}

fn rule_by_script(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let rule = long_there(c, rng);
    for review in &mut c.operations.rules[rule].reviews {
        review.1 = MACHINE;
    }
    vec![of_rule(c, "rule-by-script", rule, "ppd", "a script ticks it off every year").last_day("..d")]
}

fn nobody_answers(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (owner, letters, why) in [
        (Some(MACHINE), "pdp", "a service account is entered as who answers for it"),
        (None, "pnp", "nobody is entered as who answers for it, here or elsewhere"),
    ] {
        let rule = long_there(c, rng);
        c.operations.rules[rule].owner = owner;
        all.push(of_rule(c, "nobody-answers", rule, letters, why).last_day(&letters[..2]));
    }
    all
}

fn new_rule(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return vec![] };
    if at + REVIEW < c.clock.to {
        return vec![];
    }
    let rule = lets_in(c, rng, at);
    c.operations.rules[rule].reviews.clear();
    vec![of_rule(c, "new-rule", rule, "ppy", "made in the period: its first review is due a year later")]
}
