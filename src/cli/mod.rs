//! The command line: one file a subcommand, arguments to a job and how to run it.
//!
//! Results go to stdout, everything else to stderr. What is asked is data of `job`, what becomes
//! of it is `run`'s; here are arguments, words and the terminal.

#[cfg(feature = "atlas")]
mod atlas;
mod bench;
mod compare;
mod devices;
#[cfg(feature = "explore")]
mod explore;
mod figures;
mod help;
mod interpolate;
mod line;
mod lines;
mod model;
mod models;
mod morph;
mod options;
mod outcome;
mod plot;
mod predict;
mod shell;
#[cfg(feature = "atlas")]
mod slurm;
mod sweep;
mod terminal;
mod text;
mod usage;
mod verify;
mod walk;

#[cfg(feature = "atlas")]
use crate::atlas::AtlasError;
use crate::engine::{OpenDevice, gpu};
use crate::job::JobError;
use crate::pipeline::PipelineError;
use crate::run::RunError;
use clap::{ArgAction, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::OnceLock;
use terminal::{Terminal, Verbosity};
use text::{Spelling, error_text, key_name, option_name};

/// Explore what a trained classifier answers between its data points.
///
/// With no option at all, `morphscape sweep` runs the paper's image job on the bundled
/// Fashion-MNIST test set and model: 30 landscapes of 21 x 21 frames.
#[derive(Debug, Parser)]
#[command(version = version(), arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print more: the engine, and where the time goes
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    verbose: bool,
    /// Print only errors and results
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Threads of the host; 0 for one per core, at most four per core
    #[arg(long, alias = "jobs", global = true, value_name = "N", default_value_t = 0,
        value_parser = clap::value_parser!(u16).range(0..=1024))]
    threads: u16,
    /// Colours of help and of usage errors; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
}

/// The version with what was built in, and the commit where the build was told of it by the variable
/// `MORPHSCAPE_COMMIT`.
fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let features = [
            ("atlas", cfg!(feature = "atlas")),
            ("explore", cfg!(feature = "explore")),
            ("onnx", cfg!(feature = "onnx")),
        ];
        let built_in: Vec<&str> = features
            .into_iter()
            .filter_map(|(name, built_in)| built_in.then_some(name))
            .collect();
        let commit = option_env!("MORPHSCAPE_COMMIT").map(|commit| format!("commit {commit}"));
        let with = format!("with {}", built_in.join(", "));
        let with = (!built_in.is_empty()).then_some(with);
        let more: Vec<String> = commit.into_iter().chain(with).collect();
        let version = env!("CARGO_PKG_VERSION");
        match more.is_empty() {
            true => version.to_owned(),
            false => format!("{version} ({})", more.join("; ")),
        }
    })
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Morph triples of images into grids, classify every frame, and write the landscapes
    Sweep(sweep::Args),
    /// Tell the classifier's roughness from the morph tool's: the same triples in clean mode, in
    /// published mode, and cross-faded
    Compare(compare::Args),
    /// Interpolate between rows of measurements, classify every row, and write the landscapes
    Interpolate(interpolate::Args),
    /// Find the class intervals on the straight line between two inputs, exactly where the network
    /// allows it
    Line(line::Args),
    /// Compare models on the same landscapes: agreement, boundaries, errors; with --min-agreement
    /// a gate that ends with exit code 3
    Models(models::Args),
    /// Survey the triples of a data set and search for the worst, on one machine or many
    #[cfg(feature = "atlas")]
    Atlas(atlas::Args),
    /// Find the class intervals on the lines between many pairs of inputs, and what samples miss
    Lines(lines::Args),
    /// Morph images of your own: A into B, or the mixes of A and B into C
    Morph(morph::Args),
    /// Print class probabilities of images or rows as CSV
    Predict(predict::Args),
    /// Show a model's layers, classes and preprocessing; `model convert IN OUT.safetensors`
    Model(model::Args),
    /// Explore landscapes in the browser, computed while you choose and drag: a local server and
    /// its page
    #[cfg(feature = "explore")]
    Explore(explore::Args),
    /// Run random walks on planes, bowls, fractal surfaces and classification landscapes
    Walk(walk::Args),
    /// Draw the figures of a finished run again: other classes, formats, views
    Plot(plot::Args),
    /// Measure the image job on this machine, stage by stage, on every engine: frames a second, and
    /// how near each stage comes to the machine's peak
    Bench(bench::Args),
    /// Check a finished run: its files against their hashes, and its landscapes computed again on
    /// another engine
    Verify(verify::Args),
    /// Print completions for a shell: `source <(morphscape completions bash)`
    Completions(shell::CompletionsArgs),
    /// Write a man page for every command
    Man(shell::ManArgs),
    /// List the adapters found, their limits, and which one `--engine auto` takes; --check: whether
    /// each computes what it should
    Devices(devices::Args),
}

impl Cli {
    /// All arguments, as `--help` shows them.
    fn arguments() -> clap::Command {
        help::grouped(<Self as CommandFactory>::command())
    }

    /// The command of a line's words, the program's name first. Help, and a line that is no command,
    /// end the process with what there is to say.
    pub fn of_words(words: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Self {
        let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
        let mut arguments = Self::arguments().color(color(&words));
        let found = arguments
            .try_get_matches_from_mut(&words)
            .unwrap_or_else(|error| usage::clearer(error, &mut arguments, &words).exit());
        Self::from_arg_matches(&found).unwrap_or_else(|error| error.format(&mut arguments).exit())
    }

    /// Runs the command. Exit codes: 0 done, 1 failed, 2 wrong usage, and of an atlas what no second
    /// attempt can mend, 3 models that agree less than they were to, 130 interrupted.
    pub fn run(self) -> ExitCode {
        ExitCode::from(self.run_on(gpu::open))
    }

    /// The same on devices of another origin, once a process: tests bring ones that fail. The exit
    /// code.
    pub fn run_on(self, open_device: OpenDevice) -> u8 {
        let verbosity = match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let terminal = &Terminal::new(verbosity, open_device);
        let again = self.command.again();
        let spelling: Spelling = match self.command {
            Command::Models(_) => key_name,
            _ => option_name,
        };
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(threads(self.threads, terminal))
            .build_global();
        let result = threads
            .map_err(anyhow::Error::from)
            .and_then(|()| match self.command {
                Command::Sweep(args) => sweep::run(&args, terminal),
                Command::Compare(args) => compare::run(&args, terminal),
                Command::Interpolate(args) => interpolate::run(&args, terminal),
                Command::Line(args) => line::run(&args, terminal),
                Command::Models(args) => models::run(&args, terminal),
                #[cfg(feature = "atlas")]
                Command::Atlas(args) => atlas::run(&args, terminal),
                Command::Lines(args) => lines::run(&args, terminal),
                Command::Morph(args) => morph::run(&args, terminal),
                Command::Predict(args) => predict::run(&args, terminal),
                Command::Model(args) => model::run(&args, terminal),
                #[cfg(feature = "explore")]
                Command::Explore(args) => explore::run(&args, terminal),
                Command::Walk(args) => walk::run(&args, terminal),
                Command::Plot(args) => plot::run(&args, terminal),
                Command::Bench(args) => bench::run(&args, terminal),
                Command::Verify(args) => verify::run(&args, terminal),
                Command::Completions(args) => shell::completions(&args, Self::arguments()),
                Command::Man(args) => shell::man(&args, Self::arguments()),
                Command::Devices(args) => devices::run(&args, terminal),
            });
        match result {
            Ok(()) => 0,
            Err(error) if is_interrupted(&error) => {
                terminal.to_stderr(interrupted_text(&error, again));
                130
            }
            // A reader that has seen enough (`morphscape predict ... | head`) is no failure of ours.
            Err(error) if is_broken_pipe(&error) => 0,
            Err(error) => {
                terminal.to_stderr(format!("error: {}", error_text(&error, spelling)));
                exit_code(&error)
            }
        }
    }
}

/// The last line of work that was interrupted: how much of the run is there, or else what giving the
/// command `again` does.
fn interrupted_text(error: &anyhow::Error, again: &str) -> String {
    let stopped = |error: &RunError| matches!(error, RunError::Stopped { .. });
    let says_it = |cause: &(dyn std::error::Error + 'static)| {
        #[cfg(feature = "atlas")]
        if let Some(AtlasError::Run(error)) = cause.downcast_ref() {
            return stopped(error);
        }
        cause.downcast_ref().is_some_and(stopped)
    };
    match error.chain().any(says_it) {
        true => error_text(error, option_name),
        false => format!("interrupted{again}"),
    }
}

impl Command {
    /// What giving the command again does after an interruption, where nothing was kept.
    fn again(&self) -> &'static str {
        match self {
            Self::Walk(_) | Self::Compare(_) | Self::Morph(_) | Self::Line(_) => {
                "; the same command starts again"
            }
            _ => "",
        }
    }
}

/// The exit code of an error.
fn exit_code(error: &anyhow::Error) -> u8 {
    #[cfg(feature = "atlas")]
    if error.downcast_ref().is_some_and(AtlasError::is_final) {
        return 2;
    }
    match error.downcast_ref() {
        Some(models::FellShort { .. }) => 3,
        None => 1,
    }
}

/// How many threads a core are of any use: more only wait for each other.
const MAX_THREADS_A_CORE: usize = 4;

/// Threads of the host: as many as asked for, by `--threads` or else by the variables that rayon reads,
/// or one a core, and never more than the machine has a use for.
fn threads(asked: u16, terminal: &Terminal) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let variable = |name: &'static str| {
        let number: usize = std::env::var(name).ok()?.parse().ok()?;
        Some((number, name))
    };
    let asked = match asked {
        0 => variable("RAYON_NUM_THREADS").or_else(|| variable("RAYON_RS_NUM_CPUS")),
        threads => Some((usize::from(threads), "--threads")),
    };
    let most = MAX_THREADS_A_CORE * cores;
    match asked {
        None | Some((0, _)) => cores,
        Some((number, source)) if number > most => {
            terminal.say(format!(
                "note: {source} asks for {number} threads; using {most}, {MAX_THREADS_A_CORE} for each of the {cores} cores here"
            ));
            most
        }
        Some((number, _)) => number,
    }
}

/// What `--color` asks for, which must be known before words are parsed, since that prints help. Whether it
/// is a word that is known, the parser says.
fn color(words: &[OsString]) -> ColorChoice {
    let words = words.iter().map_while(|word| match word.to_str() {
        Some("--") => None,
        word => Some(word.unwrap_or_default()),
    });
    let (mut asked, mut before) = (None, "");
    for word in words {
        let joined = word.strip_prefix("--color=");
        asked = joined.or((before == "--color").then_some(word)).or(asked);
        before = word;
    }
    asked
        .and_then(|asked| ColorChoice::from_str(asked, false).ok())
        .unwrap_or_default()
}

/// Ends `predict` as the parser does on wrong usage that it could not see.
fn wrong_usage(message: &str) -> ! {
    let words: Vec<OsString> = std::env::args_os().collect();
    let mut command = Cli::arguments().color(color(&words));
    command.build();
    let predict = command.find_subcommand_mut("predict");
    predict
        .expect("a subcommand")
        .error(clap::error::ErrorKind::MissingRequiredArgument, message)
        .exit()
}

/// The command line as it was typed, for a run's manifest; what of it is no Unicode is replaced.
fn command_words() -> Vec<String> {
    let words = std::env::args_os();
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

fn is_interrupted(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let in_run = cause.downcast_ref().is_some_and(RunError::is_interrupted);
        let in_job = cause.downcast_ref().is_some_and(JobError::is_interrupted);
        let here = matches!(cause.downcast_ref(), Some(PipelineError::Interrupted));
        #[cfg(feature = "atlas")]
        if cause.downcast_ref().is_some_and(AtlasError::is_interrupted) {
            return true;
        }
        in_run || in_job || here
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::walk::WalkJob;
    use crate::job::{CompareJob, InterpolateJob, SweepJob};
    use crate::remedy::Setting;
    use std::path::Path;

    fn parse(command: &str) -> Command {
        Cli::try_parse_from(["morphscape", command])
            .expect("no option is required")
            .command
    }

    /// A default is written twice, for the library and for `--help`: both mean the same job.
    #[test]
    fn a_command_without_options_is_the_default_job() {
        assert!(matches!(parse("sweep"), Command::Sweep(args)
            if args.job().expect("no file") == SweepJob::default()));
        assert!(matches!(parse("interpolate"), Command::Interpolate(args)
            if args.job().expect("no file") == InterpolateJob::default()));
        assert!(matches!(parse("compare"), Command::Compare(args)
            if args.job().expect("no file") == CompareJob::default()));
        assert!(matches!(parse("walk"), Command::Walk(args)
            if args.job().expect("no file") == WalkJob::default()));
    }

    /// Pages show commands in lines of their own, each up to two spaces; messages name them in
    /// backquotes. All of them are understood.
    #[test]
    fn commands_of_pages_and_messages_are_commands() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut pages = vec![root.join("README.md"), root.join("models/README.md")];
        let docs = std::fs::read_dir(root.join("docs")).expect("a folder");
        let docs = docs.map(|file| file.expect("a file").path());
        pages.extend(docs.filter(|path| path.extension().is_some_and(|end| end == "md")));
        let mut seen = 0;
        for page in pages {
            let text = std::fs::read_to_string(&page).expect("a page");
            let lines = text
                .lines()
                .map(|line| line.strip_prefix("    ").unwrap_or(line));
            for line in lines.filter(|line| line.starts_with("morphscape ")) {
                let command = line.split("  ").next().unwrap_or_default();
                let words = command.split_whitespace();
                let understood = Cli::arguments().try_get_matches_from(words);
                assert!(
                    understood.is_ok(),
                    "{}: {command}: {}",
                    page.display(),
                    understood
                        .err()
                        .map_or_else(String::new, |error| error.to_string())
                );
                seen += 1;
            }
        }
        assert!(seen > 50, "{seen} commands on all pages");

        let command = Cli::command();
        let known: Vec<&str> = command
            .get_subcommands()
            .map(clap::Command::get_name)
            .collect();
        let mut folders = vec![root.join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("text");
                for (at, named) in text.match_indices("`morphscape ") {
                    let rest = &text[at + named.len()..];
                    let name = rest.split(|c: char| !c.is_ascii_alphanumeric()).next();
                    let name = name.unwrap_or_default();
                    assert!(
                        name.is_empty() || known.contains(&name),
                        "{}: morphscape {name}",
                        path.display()
                    );
                }
            }
        }
    }

    /// Errors name settings, and each of them is an option here.
    #[test]
    fn every_setting_is_an_option() {
        let command = Cli::command();
        let deeper = |sub: &'_ clap::Command| sub.get_subcommands().cloned().collect::<Vec<_>>();
        let options: Vec<String> = command
            .get_subcommands()
            .flat_map(|sub| [vec![sub.clone()], deeper(sub)].concat())
            .flat_map(|sub| {
                let options = sub.get_arguments().filter_map(clap::Arg::get_long);
                options.map(str::to_owned).collect::<Vec<_>>()
            })
            .collect();
        for setting in Setting::ALL {
            let name = setting.name().replace('_', "-");
            assert!(options.contains(&name), "--{name}");
        }
    }
}
