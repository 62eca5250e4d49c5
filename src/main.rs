//! Parse, run, print the error chain, exit code.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    morphscape::cli::Cli::parse().run()
}
