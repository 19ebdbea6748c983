//! `tickmark flows`: what data goes where, and the sub-processors that follow from it.

use std::fmt::Write as _;
use std::process::ExitCode;

use app::{End, Flow, Flows, SubProcessor};
use clap::Args;
use model::Instant;

use crate::command::AsOf;
use crate::failure::Failure;
use crate::output::{self, BOLD, aligned, line, plain, styled};
use crate::session::{Session, derive};

#[derive(Args)]
pub(crate) struct FlowsCommand {
    #[command(flatten)]
    when: AsOf,
    /// Print one JSON document
    #[arg(long, conflicts_with = "dot")]
    json: bool,
    /// Print the graph in the language of Graphviz
    #[arg(long)]
    dot: bool,
}

pub(crate) fn run(session: &Session, asked: &FlowsCommand) -> Result<ExitCode, Failure> {
    let place = session.place()?;
    let (mut workspace, conventions) = session.open(&place)?;
    let (as_of, zone) = asked.when.instant(session.now, &workspace.config)?;
    workspace.catch_up(&|document| derive(document, &conventions))?;
    let flows = workspace.flows(as_of, asked.when.known_at)?;
    if asked.json {
        output::document(&flows)?;
    } else if asked.dot {
        line(dot(&flows).trim_end())?;
    } else {
        print(&flows, &zone)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(flows: &Flows, zone: &str) -> Result<(), Failure> {
    line(&styled(BOLD, &format!("As of {}, as known at ledger position {}", flows.as_of, flows.position)))?;
    if !flows.flows.is_empty() {
        line("")?;
        line(&styled(BOLD, "Data flows"))?;
        let mut rows = vec![
            ["  from", "to", "class", "purpose", "country", "mechanism", "since", ""]
                .map(str::to_owned)
                .to_vec(),
        ];
        rows.extend(flows.flows.iter().map(|flow| row(flow, zone)));
        for row in aligned(&rows) {
            line(row.trim_end())?;
        }
    }
    line("")?;
    if flows.sub_processors.is_empty() {
        line("no vendor is known to receive personal or customer data")?;
    } else {
        line(&styled(BOLD, "Sub-processors: vendors that receive personal or customer data"))?;
        let rows: Vec<Vec<String>> = flows.sub_processors.iter().map(sub_processor).collect();
        for row in aligned(&rows) {
            line(row.trim_end())?;
        }
    }
    output::not_known(&flows.not_known)
}

fn row(flow: &Flow, zone: &str) -> Vec<String> {
    let said = |text: &Option<String>| text.as_ref().map_or_else(|| "-".to_owned(), |t| plain(t));
    vec![
        format!("  {}", plain(&flow.source.name)),
        plain(&flow.target.name),
        flow.data_class.clone().unwrap_or_else(|| "not known".to_owned()),
        said(&flow.purpose),
        said(&flow.country),
        said(&flow.mechanism),
        flow.since.date_in(zone),
        match flow.until {
            None => "end not known".to_owned(),
            Some(until) if until < Instant::FOREVER => {
                format!("to {}", Instant::from_ms(until.ms() - 1).date_in(zone))
            }
            Some(_) => String::new(),
        },
    ]
}

fn sub_processor(one: &SubProcessor) -> Vec<String> {
    let classes = match (one.certain, one.classes.is_empty()) {
        (true, _) => one.classes.join(", "),
        (false, true) => "perhaps: no class is known".to_owned(),
        (false, false) => format!("perhaps: {}", one.classes.join(", ")),
    };
    let how = if one.through.is_empty() {
        "directly".to_owned()
    } else {
        format!("through {}", plain(&one.through.join(", ")))
    };
    let list = |values: &[String]| if values.is_empty() { "-".to_owned() } else { plain(&values.join(", ")) };
    vec![
        format!("  {}", plain(&one.name)),
        classes,
        how,
        list(&one.purposes),
        list(&one.countries),
        list(&one.mechanisms),
    ]
}

/// The graph for Graphviz: vendors are boxes, sensitive flows are bold, what nobody knows is dashed.
fn dot(flows: &Flows) -> String {
    let quoted = |text: &str| format!("\"{}\"", plain(text).replace('\\', "\\\\").replace('"', "\\\""));
    let id = |end: &End| quoted(&format!("{}:{}", end.kind, end.key));
    let mut text = "digraph flows {\n  rankdir=LR;\n".to_owned();
    let mut ends: Vec<&End> = flows.flows.iter().flat_map(|f| [&f.source, &f.target]).collect();
    ends.sort();
    ends.dedup();
    for end in ends {
        let shape = if end.kind == "vendor" { "box" } else { "ellipse" };
        let _ = writeln!(text, "  {} [label={}, shape={shape}];", id(end), quoted(&end.name));
    }
    for flow in &flows.flows {
        let style = match flow.data_class.as_deref() {
            None => "dashed",
            Some("personal" | "customer") => "bold",
            Some(_) => "solid",
        };
        let label = flow.data_class.as_deref().unwrap_or("not known");
        let _ = writeln!(
            text,
            "  {} -> {} [label={}, style={style}];",
            id(&flow.source),
            id(&flow.target),
            quoted(label)
        );
    }
    text.push_str("}\n");
    text
}
