//! `morphscape explore`: the explorer in a browser.

use super::options::{ColumnArgs, DataArgs, EngineArgs, ModelArgs, named_model};
use super::terminal::Terminal;
use crate::explore::{Asked, Server, Subject};
use crate::job::{
    InterpolateJob, Job, LineJob, Observer, SweepJob, TableSource, Triples, is_table,
};
use crate::kernels::Sampling;
use crate::landscape::ListedItem;
use crate::pipeline::MorphMode;
use crate::run::{Again, Moved, RunFolder};
use crate::sections::Exactness;
use anyhow::{Context, bail, ensure};
use clap::{Args as _, Command};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// After Ctrl-C the program ends within this, whatever still runs: a saved run is resumed.
const GRACE: Duration = Duration::from_millis(700);

/// What to explore.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    subject: SubjectArgs,
    /// A second model to show beside the first: a file, `bundled` for the data's own, or a .json file
    /// with a model and what its file does not say, such as {"file":"b.onnx","scale":"1/255"}
    #[arg(long, value_name = "MODEL")]
    against: Option<String>,
    /// Folder of a finished run: explore its model and data, and start from its ranking
    #[arg(long, value_name = "DIR", conflicts_with = "items")]
    landscape: Option<PathBuf>,
    /// The items A, B and C to start with, by number or name
    #[arg(long, value_name = "A,B,C", value_delimiter = ',', num_args = 1)]
    items: Vec<String>,
    /// Port of 127.0.0.1 to listen on [default: a free one]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Print the address without opening a browser
    #[arg(long)]
    no_open: bool,
}

/// Model, data and engine, as the commands that the page shows repeat them.
#[derive(Debug, clap::Args)]
struct SubjectArgs {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    columns: ColumnArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<()> {
    let run = args.landscape.as_ref().map(RunFolder::open).transpose()?;
    let (job, words) = match &run {
        Some(run) => {
            let moved = args.subject.moved()?;
            let command = run.manifest()["command"].clone();
            let typed: Vec<String> = serde_json::from_value(command).unwrap_or_default();
            let Again::One(job) = run.load_again(&moved, terminal)? else {
                bail!(
                    "--landscape {}: expected a run of one model, found one of several; name one with --model, and its data",
                    run.path().display()
                );
            };
            (job.job().clone(), typed)
        }
        None => (args.subject.job()?, super::command_words()),
    };
    let engine = args.subject.engine.open(terminal)?;
    let kept = subject_words(&words);
    let mut subject = Subject::load(job, engine, terminal)?.spelled(
        super::command_words(),
        Box::new(move |asked: &Asked| shell(&kept, asked)),
    );
    if let Some(model) = &args.against {
        let place = || format!("--against {model}");
        let class_match = args.subject.data.class_match();
        subject = named_model(model)
            .and_then(|source| Ok(subject.against(&source, class_match, terminal)?))
            .with_context(place)?;
    }
    if let Some(run) = &run {
        subject = subject.listing(run)?;
    }
    if !args.items.is_empty() {
        let items: &[String; 3] = args.items.as_slice().try_into().ok().with_context(|| {
            format!("--items: expected three items, found {}", args.items.len())
        })?;
        subject = subject.starting_with(items).context("--items")?;
    }
    let server = Server::bind(subject, args.port).with_context(|| match args.port {
        0 => "cannot start the server".to_owned(),
        port => format!("--port {port}: choose another one, or leave it out for a free one"),
    })?;
    let url = server.url();
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{url}")?;
    stdout.flush()?;
    drop(stdout);
    terminal
        .say("whoever has this address sees the data and can save runs; Ctrl-C ends the server");
    if !args.no_open && !open(&url) {
        terminal.say("note: found no browser to open; open the address yourself");
    }
    let watched = terminal.clone();
    std::thread::spawn(move || {
        while watched.advance(0).is_continue() {
            std::thread::sleep(Duration::from_millis(50));
        }
        std::thread::sleep(GRACE);
        std::process::exit(0);
    });
    server.serve(terminal);
    Ok(())
}

impl SubjectArgs {
    /// Where the model and the data of a finished run lie now.
    fn moved(&self) -> anyhow::Result<Moved> {
        let named = self.data.name();
        Ok(Moved {
            model: self.model.source()?.file,
            data: (named != "fashion-mnist").then(|| named.to_owned()),
            root: self.data.root().cloned(),
        })
    }

    /// The job that they stand for, without triples.
    fn job(&self) -> anyhow::Result<Job> {
        let model = self.model.source()?;
        let place = self.data.name();
        if !is_table(place) {
            ensure!(
                !self.columns.is_given(),
                "--label, --features, --without, --delimiter and --no-header belong to a table, and --data {place} has images; leave them out"
            );
            return Ok(Job::Sweep(SweepJob {
                model,
                data: self.data.source(),
                ..SweepJob::default()
            }));
        }
        if let Some(option) = self.data.image_option() {
            bail!("{option} belongs to images, and --data {place} is a table; leave it out");
        }
        ensure!(
            place != "-",
            "--data -: a page cannot be saved from a table that is gone once it is read; expected a file"
        );
        Ok(Job::Interpolate(InterpolateJob {
            model,
            data: TableSource {
                class_order: self.data.class_order(),
                ..self.columns.source(place, self.data.root())?
            },
            ..InterpolateJob::default()
        }))
    }
}

/// The words of a command line that name model, data and engine.
fn subject_words(words: &[String]) -> Vec<String> {
    let known = SubjectArgs::augment_args(Command::new("subject"));
    let mut kept = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(option) = word.strip_prefix("--") else {
            continue;
        };
        let (name, has_value) = match option.split_once('=') {
            Some((name, _)) => (name, true),
            None => (option, false),
        };
        let Some(argument) = known
            .get_arguments()
            .find(|argument| argument.get_long() == Some(name))
        else {
            continue;
        };
        kept.push(word.clone());
        if argument.get_action().takes_values() && !has_value {
            kept.extend(words.next().cloned());
        }
    }
    kept
}

/// The lines of a shell that run what a view is, on the model and the data that `kept` names.
fn shell(kept: &[String], asked: &Asked) -> String {
    match asked {
        Asked::Landscape(job) => landscape_shell(kept, job),
        Asked::Line(job) => line_shell(kept, job),
    }
}

fn line_shell(kept: &[String], job: &LineJob) -> String {
    let mut words = vec!["morphscape".to_owned(), "line".to_owned()];
    let mut files = String::new();
    for (item, file) in job.items.iter().zip(["a.png", "b.png"]) {
        words.push(match item {
            ListedItem::Image(own) => {
                files.push_str(&format!("base64 -d > {file} <<'PNG'\n{}\nPNG\n", own.png));
                file.to_owned()
            }
            ListedItem::Name(name) => name.clone(),
            ListedItem::Index(position) => position.to_string(),
            // It is not spelled: rows have to be in the table.
            ListedItem::Row(_) => String::new(),
        });
    }
    words.extend(kept.iter().cloned());
    words.push(format!("--steps={}", job.steps));
    if job.exact == Exactness::Off {
        words.push("--exact=off".to_owned());
    }
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    files + &words.join(" ")
}

fn landscape_shell(kept: &[String], job: &Job) -> String {
    let (command, triples, steps) = match job {
        Job::Sweep(job) => ("sweep", &job.triples, job.morph.steps),
        Job::Interpolate(job) => ("interpolate", &job.triples, job.steps),
    };
    let listed = match triples {
        // Not by way of a JSON value, which would hold 32-bit floats as 64-bit ones, with more digits.
        Triples::Listed(listed) => serde_json::to_string(&BTreeMap::from([("triples", listed)]))
            .expect("triples are plain data"),
        _ => String::new(),
    };
    let mut words = vec!["morphscape".to_owned(), command.to_owned()];
    words.extend(kept.iter().cloned());
    let mut option = |name: &str, value: &str| {
        words.push(format!("--{name}"));
        words.extend((!value.is_empty()).then(|| value.to_owned()));
    };
    option("triples", "view.json");
    option("steps", &steps.to_string());
    match (job, job.flat()) {
        (_, Some(flat)) => {
            option("kind", flat.kind().name());
            if flat.shape.has_box() {
                let range = flat.range.to_string();
                option("range", &range);
            }
            if flat.clipped {
                option("clipped", "");
            }
        }
        (Job::Interpolate(_), None) => {}
        (Job::Sweep(job), None) => {
            match job.morph.mode {
                MorphMode::Clean(Sampling::Cubic) => {}
                MorphMode::Clean(Sampling::Linear) => option("sampling", "linear"),
                MorphMode::Published => option("mode", "published"),
                MorphMode::CrossFade => option("kind", "cross-fade"),
            }
            if job.morph.mode != MorphMode::CrossFade {
                option("grid", &job.morph.grid.to_string());
            }
        }
    }
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("echo {} > view.json\n{}", quoted(&listed), words.join(" "))
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:,+@%".contains(&byte);
    match !word.is_empty() && word.bytes().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// Opens a browser, if the system knows one.
fn open(url: &str) -> bool {
    let opener = match () {
        () if cfg!(target_os = "macos") => "open",
        () if cfg!(windows) => "explorer",
        () => "xdg-open",
    };
    let mut command = std::process::Command::new(opener);
    command.arg(url);
    for stream in [std::process::Command::stdout, std::process::Command::stderr] {
        stream(&mut command, std::process::Stdio::null());
    }
    command.stdin(std::process::Stdio::null()).spawn().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_words_as_they_are() {
        assert_eq!(quoted("data/my-set.npz"), "data/my-set.npz");
        assert_eq!(quoted("it's $HOME; rm"), "'it'\\''s $HOME; rm'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn the_words_of_a_command_that_name_model_and_data_are_kept() {
        let typed = "morphscape sweep --groups 2 --model m.onnx --scale=1/255 --steps 21 --data set.npz --skip-unreadable --out run -q --engine cpu";
        let words: Vec<String> = typed.split(' ').map(str::to_owned).collect();
        assert_eq!(
            subject_words(&words).join(" "),
            "--model m.onnx --scale=1/255 --data set.npz --skip-unreadable --engine cpu"
        );
    }
}
