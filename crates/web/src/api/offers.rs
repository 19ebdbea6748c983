//! What programs may ask for: of which page each is, under which path, with which words in the query, and what it yields.

use model::{Conclusion, CoverageStatus, Grade, Verdict};

use super::shape::Shape::{
    Any, Cell, List, Map, Named as Of, Object, OrNull, Text, Time, Truth, Two, Whole, Words,
};
use super::shape::{Field, Named, Shape};

/// One thing that programs may ask for.
pub(crate) struct Offer {
    /// The page that answers.
    pub(crate) page: &'static str,
    /// The path, below the version.
    pub(crate) path: &'static str,
    /// What it is, in a line.
    pub(super) says: &'static str,
    /// Words of the query, beside those of a period and of a list.
    pub(super) asks: &'static [Word],
    /// Whether it is about a period.
    pub(super) period: bool,
    /// The member that is a list, and comes in parts.
    pub(super) list: Option<&'static str>,
    /// Members that stand at another path.
    pub(super) without: &'static [&'static str],
    pub(super) yields: Yields,
}

/// What is yielded.
pub(super) enum Yields {
    Document(&'static [Field]),
    /// Exact bytes.
    Bytes,
}

/// A word of a query.
#[derive(Clone, Copy)]
pub(super) struct Word {
    pub(super) name: &'static str,
    pub(super) says: &'static str,
    /// What it may be; anything where this is empty.
    pub(super) values: fn() -> Vec<&'static str>,
    pub(super) required: bool,
}

const fn word(name: &'static str, says: &'static str) -> Word {
    Word { name, says, values: Vec::new, required: false }
}

const fn one_of(name: &'static str, says: &'static str, values: fn() -> Vec<&'static str>) -> Word {
    Word { name, says, values, required: false }
}

const PERIOD: &[Word] = &[
    word("from", "first day of the period; the usual period where no day is named"),
    word("to", "last day of the period"),
];
const PART: &[Word] = &[
    word("limit", "rows at once: 1 to 1000, 100 where it is not said"),
    word("cursor", "where a list goes on: follow `next` of the answer before as it is"),
];

impl Offer {
    /// Every word that its query may have.
    pub(super) fn words(&self) -> impl Iterator<Item = &'static Word> {
        let period: &[Word] = if self.period { PERIOD } else { &[] };
        let part: &[Word] = if self.list.is_some() { PART } else { &[] };
        self.asks.iter().chain(period).chain(part)
    }

    /// What it answers in.
    pub(crate) const fn media_type(&self) -> &'static str {
        match self.yields {
            Yields::Document(_) => "application/json",
            Yields::Bytes => "application/octet-stream",
        }
    }

    /// A document about a period.
    const fn of(page: &'static str, says: &'static str, fields: &'static [Field]) -> Self {
        let yields = Yields::Document(fields);
        Self { page, path: page, says, asks: &[], period: true, list: None, without: &[], yields }
    }

    /// A document that is of no period.
    const fn timeless(page: &'static str, says: &'static str, fields: &'static [Field]) -> Self {
        Self { period: false, ..Self::of(page, says, fields) }
    }

    /// Exact bytes.
    const fn bytes(page: &'static str, says: &'static str) -> Self {
        Self { yields: Yields::Bytes, ..Self::timeless(page, says, &[]) }
    }

    const fn asks(self, asks: &'static [Word]) -> Self {
        Self { asks, ..self }
    }

    const fn list(self, name: &'static str) -> Self {
        Self { list: Some(name), ..self }
    }

    const fn at(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    const fn without(self, members: &'static [&'static str]) -> Self {
        Self { without: members, ..self }
    }
}

const Q: Word = word("q", "only what has this text in its names");

/// Everything that programs may ask for.
pub(crate) static OFFERS: &[Offer] = &[
    Offer::of(
        "/",
        "How ready the period is: conclusions counted, open deviations, and what is missing.",
        &[
            ("controls", Map(&Whole)),
            ("open_deviations", Whole),
            ("overdue", Whole),
            ("gaps", Of(&GAPS)),
        ],
    )
    .at("/readiness"),
    Offer::of(
        "/plan",
        "What is missing until a report, who does it, and how long it takes.",
        &[
            ("gaps", List(&Of(&GAP))),
            ("steps", List(&STEP)),
            ("roles", List(&ROLE_LOAD)),
            ("plan", PLAN),
        ],
    )
    .list("gaps")
    .asks(&[Q, word("kind", "only gaps of this kind"), word("role", "only gaps of this role")]),
    Offer::of(
        "/controls",
        "Controls with their two conclusions.",
        &[("controls", List(&Of(&CONTROL)))],
    )
    .list("controls")
    .asks(&[
        Q,
        one_of("scope", "only controls that answer to criteria in scope", || vec!["in"]),
        one_of("operation", "only controls that operated like this; `none` was not asked", conclusions),
        one_of("design", "only controls of this design", designs),
    ]),
    Offer::of(
        "/controls/{id}",
        "A control: its conclusions, what it rests on and how it is tested.",
        &[
            ("control", Of(&CONTROL)),
            ("content", Of(&CONTROL_CONTENT)),
            ("procedures", List(&PROCEDURE_OF_CONTROL)),
        ],
    ),
    Offer::of(
        "/criteria",
        "Criteria with what is proposed of each, and what a person decided.",
        &[("criteria", List(&Of(&CRITERION)))],
    )
    .list("criteria")
    .asks(&[
        Q,
        word("group", "only criteria of this group, such as CC8"),
        one_of("proposal", "only criteria of which this is proposed", proposals),
    ]),
    Offer::of(
        "/criteria/{id}",
        "A criterion, and what stands behind it.",
        &[("criterion", Of(&CRITERION)), ("content", OrNull(&CRITERION_CONTENT))],
    ),
    Offer::of(
        "/procedures",
        "Procedures with their conclusions and how many items have each verdict.",
        &[("procedures", List(&PROCEDURE_LISTED))],
    )
    .list("procedures")
    .asks(&[Q, one_of("conclusion", "only procedures that conclude this; `none` was not asked", conclusions)]),
    Offer::of(
        "/procedures/{id}",
        "A procedure: its conclusion, attributes, versions and gaps. Its items stand at a path of their own.",
        &[
            ("id", Text),
            ("title", Text),
            ("controls", List(&Text)),
            ("conclusion", OrNull(&CONCLUSION)),
            ("held_back_by", List(&Text)),
            ("population", Whole),
            ("population_is", Text),
            ("attributes", List(&ATTRIBUTE)),
            ("gaps", List(&GAP_IN_COVERAGE)),
            ("versions", List(&Of(&VERSION))),
            ("uptime", OrNull(&UPTIME)),
            ("content", Text),
        ],
    )
    .without(&["items", "listed"]),
    Offer::of(
        "/procedures/{id}",
        "Items of a procedure with their verdicts, the worst first. An item that is judged several times comes as often, under one `id`.",
        &[("id", Text), ("population", Whole), ("items", List(&Of(&ITEM)))],
    )
    .at("/procedures/{id}/items")
    .list("items")
    .without(&[
        "title",
        "controls",
        "conclusion",
        "held_back_by",
        "population_is",
        "attributes",
        "gaps",
        "versions",
        "uptime",
        "content",
        "listed",
    ])
    .asks(&[
        Q,
        one_of("result", "only items whose worst verdict is this", verdicts),
        word("attribute", "letter of an attribute, together with `verdict`"),
        one_of("verdict", "only items with this verdict on `attribute`", verdicts),
        word("day", "only items of this day"),
        one_of("sort", "`time`: the newest first", || vec!["time"]),
    ]),
    Offer::of(
        "/procedures/{id}/items/{item}",
        "An item: the verdict on each attribute, why, and the ledger entry that it rests on.",
        &[
            ("procedure", Text),
            ("controls", List(&Text)),
            ("item", Of(&ITEM)),
            ("how_to_fix", Text),
        ],
    ),
    Offer::of(
        "/deviations",
        "The register of deviations: how each stands, and what was decided.",
        &[("deviations", List(&Of(&DEVIATION)))],
    )
    .list("deviations")
    .asks(&[
        Q,
        word("control", "only deviations of this control"),
        one_of("standing", "only deviations that stand like this; `open` is all that somebody has to see to", standings),
    ]),
    Offer::of("/deviations/{key}", "A deviation.", &[("deviation", Of(&DEVIATION))]),
    Offer::of(
        "/coverage",
        "Where was looked: tables with what is not known of them, those that nobody ever looked at, and what will be lost.",
        &[
            ("tables", List(&Of(&COVERAGE))),
            ("unsupplied", List(&UNSUPPLIED)),
            ("alarms", List(&ALARM)),
        ],
    )
    .list("tables")
    .asks(&[Q, word("table", "only this table")]),
    Offer::timeless(
        "/ledger",
        "The state of the ledger: entries, checkpoint, anchors.",
        &[("status", STATUS), ("anchors", ANCHORS)],
    ),
    Offer::timeless(
        "/ledger/{entry}",
        "An entry of the ledger: how its bytes were asked for, and the proof that it stands in the log.",
        &[
            ("entry", Whole),
            ("receipt", OrNull(&Of(&RECEIPT))),
            ("bytes", Whole),
            ("proof", OrNull(&Text)),
        ],
    ),
    Offer::bytes("/ledger/{entry}/bytes", "The bytes of an entry, exactly as they are in the ledger."),
    Offer::bytes("/ledger/{entry}/proof", "The proof that an entry stands in the log (C2SP tlog-proof)."),
    Offer::bytes("/ledger/{entry}/leaf", "The leaf of an entry."),
    Offer::timeless(
        "/catalog",
        "The record tables, whole.",
        &[("tables", List(&Of(&TABLE))), ("problems", List(&Text))],
    )
    .asks(&[Q]),
    Offer::timeless("/catalog/tables/{name}", "A record table with its columns.", &[("table", Of(&TABLE))]),
    Offer::timeless(
        "/query",
        "One SELECT over the records, behind the walls of `tickmark query`: ten seconds, at most 100,000 rows, all of them or none.",
        &[("as_of", Time), ("position", Whole), ("rows", List(&Map(&Cell)))],
    )
    .asks(&[
        Word { required: true, ..word("sql", "the SELECT") },
        word("as_of", "an instant in UTC up to which facts count; now where it is not said"),
    ]),
];

fn conclusions() -> Vec<&'static str> {
    conclusion_words().into_iter().chain(["none"]).collect()
}

fn conclusion_words() -> Vec<&'static str> {
    Conclusion::ALL.iter().map(|c| c.word()).collect()
}

fn verdicts() -> Vec<&'static str> {
    Verdict::ALL.iter().map(|v| v.word()).collect()
}

fn designs() -> Vec<&'static str> {
    vec!["suitable", "cannot_conclude", "not_suitable"]
}

fn proposals() -> Vec<&'static str> {
    vec!["not_met", "cannot_conclude", "met_with_exceptions", "met"]
}

fn standings() -> Vec<&'static str> {
    vec!["overdue", "unowned", "unregistered", "open", "closed"]
}

/// What every document bears.
pub(super) const ABOUT: &[Field] = &[("filter", Text), ("made_by", Text), ("demo?", Truth)];

/// What every document about a period bears: as known at which ledger position, up to which instant, of which period.
pub(super) const OF_PERIOD: &[Field] =
    &[("position", Whole), ("cutoff", Time), ("from", Time), ("to", Time), ("tz", Text)];

/// What every list bears.
pub(super) const OF_LIST: &[Field] = &[("total", Whole), ("next", OrNull(&Text))];

const CONCLUSION: Shape = Words(conclusion_words);
const VERDICT: Shape = Words(verdicts);
const GRADE: Shape = Words(|| Grade::ALL.iter().map(|g| g.word()).collect());
const COVERAGE_STATUS: Shape = Words(|| CoverageStatus::ALL.iter().map(|s| s.word()).collect());
const TEXTS: Shape = List(&Text);
const VERDICTS: Shape = Map(&VERDICT);
const COUNTS: Shape = Map(&Whole);
const HOURS: Shape = Two(&Whole);
const WHEN: Shape = Two(&Time);

const MAPPED: Shape = Object(&[("id", Text), ("key", Truth)]);
const EVIDENCE: Shape = Object(&[("what", Text), ("every", TEXTS), ("by", Text)]);

static CONTROL: Named = Named {
    name: "Control",
    says: "A control with its two conclusions. One without `operation` was not asked: that is unknown, not passed.",
    fields: &[
        ("id", Text),
        ("title", Text),
        ("statement", Text),
        ("statement_version", Text),
        ("owner_role", Text),
        ("owner?", Text),
        ("criteria", List(&MAPPED)),
        ("design", Words(designs)),
        ("design_because?", Text),
        ("operation?", CONCLUSION),
        ("operation_because?", TEXTS),
        ("procedures", TEXTS),
        ("evidence?", List(&EVIDENCE)),
        ("deviations", TEXTS),
        ("waived", Whole),
    ],
};

static CONTROL_CONTENT: Named = Named {
    name: "ControlContent",
    says: "What the catalogue says of a control.",
    fields: &[
        ("id", Text),
        ("title", Text),
        ("statement", Text),
        ("criteria", List(&MAPPED)),
        ("owner_role", Text),
        ("frequency", TEXTS),
        ("mode", Text),
        ("evidence", List(&EVIDENCE)),
        ("procedures", TEXTS),
        ("tables", TEXTS),
        ("fed_by", TEXTS),
        ("policies", TEXTS),
        ("iso", TEXTS),
        ("hipaa", TEXTS),
        ("origin", Text),
        ("in_doubt?", TEXTS),
    ],
};

const PROCEDURE_OF_CONTROL: Shape = Object(&[
    ("id", Text),
    ("title", Text),
    ("conclusion", OrNull(&CONCLUSION)),
    ("held_back_by", TEXTS),
    ("population", Whole),
    ("attributes", List(&ATTRIBUTE)),
    ("gaps", List(&GAP_IN_COVERAGE)),
]);

const PROCEDURE_LISTED: Shape = Object(&[
    ("id", Text),
    ("title", Text),
    ("controls", TEXTS),
    ("conclusion", OrNull(&CONCLUSION)),
    ("held_back_by", TEXTS),
    ("population", Whole),
    ("items", COUNTS),
]);

static CRITERION: Named = Named {
    name: "Criterion",
    says: "A criterion with the most that may be decided of it. It is no opinion.",
    fields: &[
        ("id", Text),
        ("title", Text),
        ("category", Text),
        ("controls", List(&MAPPED)),
        ("proposal", Words(proposals)),
        ("because", TEXTS),
        ("remarks?", TEXTS),
        ("decision?", DECISION),
    ],
};

const DECISION: Shape = Object(&[
    ("decision", Text),
    ("by?", Text),
    ("reason", Text),
    ("entry", Whole),
    ("at", Time),
    ("position", Whole),
    ("proposal", Text),
    ("stale?", Text),
    ("earlier", Whole),
]);

const CRITERION_CONTENT: Shape = Object(&[
    ("id", Text),
    ("title", Text),
    ("category", Text),
    ("controls", List(&MAPPED)),
    ("procedures", TEXTS),
    ("tables", TEXTS),
    ("fed_by", TEXTS),
]);

const ATTRIBUTE: Shape = Object(&[("letter", Text), ("says", Text), ("counts", COUNTS)]);

const GAP_IN_COVERAGE: Shape =
    Object(&[("table", Text), ("from", Time), ("to", Time), ("reason", Text), ("supplied_by?", TEXTS)]);

const CONTROL_VERSION: Shape = Object(&[
    ("control", Text),
    ("change", Text),
    ("since", Time),
    ("entry", Whole),
    ("title?", Text),
    ("statement?", Text),
    ("frequency?", Text),
    ("owner_role?", Text),
]);

static VERSION: Named = Named {
    name: "Version",
    says: "A part of the period in which one version of the procedure and its controls was in force.",
    fields: &[
        ("from", Time),
        ("to", Time),
        ("parameters", Map(&Cell)),
        ("entries?", List(&Whole)),
        ("also_judged_by?", List(&Map(&Cell))),
        ("controls?", List(&CONTROL_VERSION)),
        ("unclear?", Text),
        ("note?", Text),
        ("conclusion?", CONCLUSION),
        ("held_back_by", TEXTS),
        ("population", Whole),
        ("counts", Map(&COUNTS)),
    ],
};

const UPTIME: Shape = Object(&[
    ("up_ms", Whole),
    ("down_ms", Whole),
    ("unknown_ms", Whole),
    ("not_applicable_ms", Whole),
    ("intervals", List(&INTERVAL)),
    (
        "items?",
        List(&Object(&[
            ("record", Whole),
            ("item", Text),
            ("up_ms", Whole),
            ("down_ms", Whole),
            ("unknown_ms", Whole),
            ("not_applicable_ms", Whole),
            ("intervals", List(&INTERVAL)),
        ])),
    ),
]);

const INTERVAL: Shape = Object(&[
    ("from", Time),
    ("to", Time),
    ("state", Words(|| vec!["down", "unknown", "up", "not_applicable"])),
]);

static ITEM: Named = Named {
    name: "Item",
    says: "One thing of a population, judged: `verdicts` and `reasons` by the letters of the attributes, `entry` where its bytes are.",
    fields: &[
        ("id", Text),
        ("item", Text),
        ("scope?", Text),
        ("label", Text),
        ("occurred_at", Time),
        ("entry", Whole),
        ("grade", GRADE),
        ("record", Whole),
        ("waived?", Text),
        ("verdicts", VERDICTS),
        ("reasons", Map(&Text)),
        ("otherwise?", VERDICTS),
        ("versions?", List(&Object(&[("version", Whole), ("verdicts", VERDICTS)]))),
    ],
};

static DEVIATION: Named = Named {
    name: "Deviation",
    says: "A deviation: what was found, whether it still is, how it stands, and everything that people decided about it.",
    fields: &[
        ("key", Text),
        ("procedure", Text),
        ("attribute", Text),
        ("kind", Text),
        ("item", Text),
        ("within?", Text),
        ("scope?", Text),
        ("controls", TEXTS),
        ("reason", Text),
        ("label", Text),
        ("occurred_at", Time),
        ("entry", Whole),
        ("found", Words(|| vec!["yes", "no", "not_tested", "not_asked"])),
        ("found_because?", Text),
        ("standing", Words(standings)),
        (
            "registered?",
            Object(&[
                ("entry", Whole),
                ("at", Time),
                ("by?", Text),
                ("position", Whole),
                ("period_from", Time),
                ("period_to", Time),
                ("content", Text),
                ("label", Text),
            ]),
        ),
        ("cause?", Text),
        ("severity?", Words(|| vec!["low", "medium", "high", "critical"])),
        ("exposure?", Text),
        ("compensating?", Text),
        ("response?", Text),
        ("owner?", Text),
        ("due?", Time),
        ("waivers?", List(&Object(&[("key", Text), ("stands", Text), ("entered_afterwards?", Truth)]))),
        (
            "history?",
            List(&Object(&[
                ("entry", Whole),
                ("at", Time),
                ("by?", Text),
                ("what", Text),
                ("not_counted?", Text),
            ])),
        ),
    ],
};

static COVERAGE: Named = Named {
    name: "Coverage",
    says: "What is known of a table in the period, in tenths of a percent, and the stretches of time that are not.",
    fields: &[
        ("scope?", Text),
        ("table", Text),
        ("sources", TEXTS),
        ("grade?", GRADE),
        ("first?", Time),
        ("last?", Time),
        ("complete_permille", Whole),
        ("strip", Text),
        ("gaps", List(&Object(&[("from", Time), ("to", Time), ("status", Text), ("reason", Text)]))),
    ],
};

const UNSUPPLIED: Shape = Object(&[("table", Text), ("supplied_by", TEXTS)]);

const ALARM: Shape = Object(&[
    ("urgency", Words(|| vec!["half", "most", "lost"])),
    ("scope?", Text),
    ("source", Text),
    ("stream", Text),
    ("table", Text),
    ("kept_days", Whole),
    ("looked_until?", Time),
    ("loses_from", Time),
    ("lost_until", Time),
]);

static GAP: Named = Named {
    name: "Gap",
    says: "Something that is missing until a report.",
    fields: &[
        ("id", Text),
        ("kind", Text),
        ("before_type", Whole),
        ("strand", Text),
        ("says", Text),
        ("controls", TEXTS),
        ("role", Text),
        ("owner?", Text),
        ("hours", HOURS),
        ("next", Text),
        ("accepted?", Object(&[("by", Text), ("reason", Text), ("until", Time), ("entry", Whole)])),
    ],
};

const STEP: Shape = Object(&[("what", Text), ("done", Truth), ("says", Text)]);

const ROLE_LOAD: Shape =
    Object(&[("role", Text), ("controls", Whole), ("owned", Whole), ("gaps", Whole), ("hours", HOURS)]);

const PLAN: Shape = Object(&[
    ("type_1_ready", WHEN),
    ("type_1_report", WHEN),
    ("window_from", WHEN),
    ("windows", List(&Object(&[("length", Text), ("ends", Time), ("report", WHEN)]))),
    ("breaks", TEXTS),
    ("risks", TEXTS),
]);

static GAPS: Named = Named {
    name: "Gaps",
    says: "What is missing until a report, as of an instant.",
    fields: &[
        ("at", Time),
        ("from", Time),
        ("to", Time),
        ("tz", Text),
        ("position", Whole),
        ("categories", TEXTS),
        ("controls", Whole),
        ("begin?", Object(&[("says", Text), ("next", Text)])),
        ("gaps", List(&Of(&GAP))),
        ("tell_tales", List(&Object(&[("what", Text), ("state", Text), ("controls", TEXTS)]))),
        ("steps", List(&STEP)),
        ("questions", List(&Object(&[("category", Text), ("asks", Text), ("speaks_for_it", TEXTS)]))),
        (
            "strands",
            List(&Object(&[
                ("id", Text),
                ("title", Text),
                ("outcome", Text),
                ("steps", List(&Object(&[("does", Text), ("controls", TEXTS), ("done?", Truth)]))),
            ])),
        ),
        ("roles", List(&ROLE_LOAD)),
        ("plan", PLAN),
        (
            "roadmap",
            Object(&[("advice", Text), ("milestones", List(&Object(&[("what", Text), ("when", WHEN)])))]),
        ),
        (
            "waiting",
            List(&Object(&[
                ("deal", Text),
                ("wants?", Text),
                ("needed_by?", Time),
                ("earliest", Time),
                ("in_time?", Truth),
            ])),
        ),
        ("estimate", Object(&[("hours", HOURS), ("fee_usd", HOURS), ("because", Text)])),
    ],
};

const STATUS: Shape = Object(&[
    ("acknowledged", Whole),
    ("published", Whole),
    ("checkpoint", Text),
    ("vkey", Text),
    ("applied", Whole),
    ("generation", Whole),
]);

const ANCHOR: Shape = Object(&[("size", Whole), ("time", Time), ("witness", OrNull(&Text))]);
const ANCHORS: Shape = Object(&[("external", OrNull(&ANCHOR)), ("own", OrNull(&ANCHOR))]);

static RECEIPT: Named = Named {
    name: "Receipt",
    says: "How bytes came: from which source, what was asked and when, and for which window of time they speak.",
    fields: &[
        ("source", Text),
        ("stream", Text),
        ("media_type", Text),
        ("collected_at", Time),
        ("collector", Text),
        ("request", Text),
        ("status?", Whole),
        ("server_date?", Text),
        ("page", Whole),
        (
            "coverage?",
            Object(&[
                ("status", COVERAGE_STATUS),
                ("window", Object(&[("from", Time), ("to", Time)])),
                ("reason?", Text),
            ]),
        ),
        ("cursor?", Any),
        ("context?", Any),
        ("redacted?", TEXTS),
    ],
};

static TABLE: Named = Named {
    name: "Table",
    says: "A record table.",
    fields: &[
        ("name", Text),
        ("kind", Text),
        ("doc", Text),
        (
            "columns",
            List(&Object(&[
                ("name", Text),
                ("kind", Text),
                ("nullable", Truth),
                ("words?", TEXTS),
                ("doc", Text),
            ])),
        ),
        ("fed_by", TEXTS),
        ("procedures", TEXTS),
        ("controls", TEXTS),
    ],
};
