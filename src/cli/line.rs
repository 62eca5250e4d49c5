//! `morphscape line`: the class intervals between two inputs.

use super::options::{ColumnArgs, DataArgs, EngineArgs, ExactName, ModelArgs, existing, line_data};
use super::terminal::Terminal;
use super::text::counted;
use crate::job::{LineJob, Observer as _};
use crate::landscape::ListedItem;
use crate::run::line;
use crate::sections::{Connected, Connection, Margin, SectionLabel};
use std::path::PathBuf;

/// The two inputs, and how the line between them is cut.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The input at t = 0: an item such as t10k#1565 or iris#12, or a PNG or JPEG file
    from: String,
    /// The input at t = 1
    to: String,
    /// auto: exactly for networks of ReLU and the like, in certified brackets for smooth ones,
    /// else sampled; off: sampled
    #[arg(long, value_enum, default_value = "auto")]
    exact: ExactName,
    /// Samples, both ends included; for an exact line the certificate says what so many would miss
    #[arg(long, value_name = "N", default_value_t = 21)]
    steps: usize,
    /// Stop if there are more pieces than this
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    max_regions: usize,
    /// Also seek a path from one input to the other that meets only their two classes, bent around
    /// other classes if the straight line meets any, and certify it leg by leg; only for an exact
    /// line
    #[arg(long)]
    connect: bool,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    columns: ColumnArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "morphscape-line")]
    out: PathBuf,
    /// Start over, even in a folder that holds another run or other files; what the old run wrote
    /// is removed, and nothing else
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<()> {
    let asked = LineJob {
        items: [&args.from, &args.to].map(|item| ListedItem::Name(item.clone())),
        data: line_data(&args.data, &args.columns)?,
        model: args.model.source()?,
        steps: args.steps,
        exact: args.exact.exactness(),
        max_pieces: args.max_regions,
        connect: args.connect,
    };
    let job = asked.load(terminal)?;
    // Exact sections run in 64-bit floats on the CPU; only samples are for an engine.
    let engine = match job.is_sampled() {
        true => Some(args.engine.open(terminal)?),
        false => None,
    };
    let found = line(
        &asked,
        &job,
        engine.as_deref(),
        (&args.out, existing(args.force)),
        &super::command_words(),
    )?;
    let mut csv = csv::Writer::from_writer(std::io::stdout().lock());
    csv.write_record(["from", "to", "class"])?;
    for interval in &found.intervals {
        let name = &job.class_names[interval.class];
        csv.write_record([&interval.from.to_string(), &interval.to.to_string(), name])?;
    }
    csv.flush()?;
    if let (Some(first), Some(last)) = (found.intervals.first(), found.intervals.last()) {
        for note in job.otherwise_labelled([first.class, last.class]) {
            terminal.note(&note);
        }
    }
    terminal.say(match found.label {
        SectionLabel::Exact => "exact".to_owned(),
        SectionLabel::Certified { width, share } => format!(
            "certified: each change lies within {width:.1e} of the place given, and the class is proved on {} % of the line",
            (share * 1e8).floor() / 1e6
        ),
        SectionLabel::Sampled { points } => {
            format!("sampled at {points} points; nothing is known between them")
        }
    });
    if let Some(sentence) = &found.certificate {
        terminal.say(sentence);
    }
    if let Some(margin) = &found.margin {
        let unit = job
            .network
            .as_ref()
            .and_then(|network| network.as_ref().ok());
        let unit = unit.map_or("", |network| network.space().unit());
        terminal.say(said_of_margin(margin, unit, args));
    }
    if let Some(path) = &found.path {
        terminal.say(said_of_path(path, &job.class_names));
    }
    terminal.say(format!("written to {}", args.out.display()));
    Ok(())
}

fn said_of_margin(margin: &Margin, unit: &str, args: &Args) -> String {
    let Args { from, to, .. } = args;
    let Some(exact) = margin.exact else {
        return format!("moved towards {to} and beyond, {from} never changes its class");
    };
    let dbviz = match margin.dbviz {
        Some(dbviz) => format!("by dbViz's steps {dbviz:.2}"),
        None => "dbViz's steps miss it".to_owned(),
    };
    format!(
        "margin: moved towards {to}, {from} keeps its class over a distance of {exact:.4} ({dbviz}; unit: {unit})"
    )
}

fn said_of_path(path: &Connection, class_names: &[String]) -> String {
    let [a, b] = path.classes.map(|class| &class_names[class]);
    let classes = match a == b {
        true => a.clone(),
        false => format!("{a} and {b}"),
    };
    match (path.connected, path.knots.len()) {
        (Connected::Certified, 0) => format!("connected: the straight line meets only {classes}"),
        (Connected::Certified, knots) => format!(
            "connected: a path with {} meets only {classes}; on the straight line another class leads by up to {:.3} logits",
            counted(knots, "bend"),
            path.straight_barrier
        ),
        (Connected::NotFound, _) => format!(
            "no path was found that meets only {classes}, which does not mean that there is none; on the straight line another class leads by up to {:.3} logits",
            path.straight_barrier
        ),
    }
}
