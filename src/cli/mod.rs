//! The command line: one file a subcommand, arguments to a resolved plan to stages to files.
//!
//! Results go to stdout, everything else to stderr.

mod bench;
mod columns;
mod compare;
mod devices;
mod figures;
mod finished;
mod image_job;
mod interpolate;
mod items;
mod model;
mod morph;
mod options;
mod output;
mod plot;
mod predict;
mod progress;
mod resolution;
mod run;
mod shares;
mod summary;
mod summary_only;
mod sweep;
mod tables;
mod text;
mod triples;
mod verify;
mod walk;

use crate::engine::{OpenDevice, gpu};
use crate::pipeline::PipelineError;
use clap::{ArgAction, CommandFactory, Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// Explore what a trained classifier answers between its data points.
///
/// With no option at all, `morphscape sweep` runs the paper's image job on the bundled
/// Fashion-MNIST test set and model: 30 landscapes of 21 x 21 frames.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Say more: the engine, and where the time goes
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    verbose: bool,
    /// Say nothing but errors and results
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Threads of the host, 0 for one a core
    #[arg(long, global = true, value_name = "N", default_value_t = 0,
        value_parser = clap::value_parser!(u16).range(0..=1024))]
    jobs: u16,
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
    /// Morph images of your own: A into B, or the mixes of A and B into C
    Morph(morph::Args),
    /// Print class probabilities of images or rows as CSV
    Predict(predict::Args),
    /// Show a model's layers, classes and preprocessing; `model convert IN OUT.safetensors`
    Model(model::Args),
    /// Random walks on planes, bowls, fractal surfaces and classification landscapes
    Walk(walk::Args),
    /// Draw the figures of a finished run again: other classes, formats, views
    Plot(plot::Args),
    /// Measure the image job here, stage by stage, on every engine: frames a second, and how near
    /// each stage is to what the machine does at best
    Bench(bench::Args),
    /// Check a finished run: its files against their hashes, and its landscapes computed again on
    /// another engine
    Verify(verify::Args),
    /// List the adapters found, their limits, and which one `--engine auto` takes
    Devices(devices::Args),
}

/// How much to say on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

impl Verbosity {
    /// Says something a user of this verbosity wants to hear.
    fn say(self, least: Self, text: impl std::fmt::Display) {
        if self >= least {
            to_stderr(text);
        }
    }
}

impl Cli {
    /// Runs the command. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
    pub fn run(self) -> ExitCode {
        ExitCode::from(self.run_on(gpu::open))
    }

    /// The same on devices of another origin, once a process: tests bring ones that fail. The exit
    /// code.
    pub fn run_on(self, open_device: OpenDevice) -> u8 {
        options::set_devices(open_device);
        let verbosity = match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(self.jobs))
            .build_global();
        let result = threads
            .map_err(anyhow::Error::from)
            .and_then(|()| match self.command {
                Command::Sweep(args) => sweep::run(&args, verbosity),
                Command::Compare(args) => compare::run(&args, verbosity),
                Command::Interpolate(args) => interpolate::run(&args, verbosity),
                Command::Morph(args) => morph::run(&args, verbosity),
                Command::Predict(args) => predict::run(&args, verbosity),
                Command::Model(args) => model::run(&args, verbosity),
                Command::Walk(args) => walk::run(&args, verbosity),
                Command::Plot(args) => plot::run(&args, verbosity),
                Command::Bench(args) => bench::run(&args, verbosity),
                Command::Verify(args) => verify::run(args, verbosity),
                Command::Devices(args) => devices::run(&args),
            });
        match result {
            Ok(()) => 0,
            Err(error) if matches!(error.downcast_ref(), Some(PipelineError::Interrupted)) => {
                to_stderr("interrupted");
                130
            }
            // A reader that has seen enough (`morphscape predict ... | head`) is no failure of ours.
            Err(error) if is_broken_pipe(&error) => 0,
            Err(error) => {
                to_stderr(format!("error: {error:#}"));
                1
            }
        }
    }
}

/// Ends `predict` as the parser does on wrong usage that it could not see.
fn wrong_usage(message: &str) -> ! {
    let mut command = Cli::command();
    command.build();
    let predict = command.find_subcommand_mut("predict");
    predict
        .expect("a subcommand")
        .error(clap::error::ErrorKind::MissingRequiredArgument, message)
        .exit()
}

/// A line to stderr; that nobody reads it any more is no failure.
fn to_stderr(text: impl std::fmt::Display) {
    progress::beside_bar(|| {
        let _ = writeln!(std::io::stderr(), "{text}");
    });
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
