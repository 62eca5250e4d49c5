//! `morphscape completions` and `morphscape man`: what shells and man know of the command line, made
//! from its own arguments.

use anyhow::Context;
use clap::Command;
use std::io::Write;
use std::path::PathBuf;

/// Which completions.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Where pages for man go.
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Folder to write to; it is created if it does not exist
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// Prints completions to stdout.
pub(super) fn completions(args: &CompletionsArgs, mut command: Command) -> anyhow::Result<()> {
    // In memory first: the generator takes a pipe that is closed for a fault of its own.
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command, "morphscape", &mut text);
    Ok(std::io::stdout().lock().write_all(&text)?)
}

/// Writes a page a command: `morphscape.1`, `morphscape-sweep.1` and so on.
pub(super) fn man(args: &ManArgs, command: Command) -> anyhow::Result<()> {
    std::fs::create_dir_all(&args.dir)
        .and_then(|()| clap_mangen::generate_to(command, &args.dir))
        .with_context(|| args.dir.display().to_string())
}
