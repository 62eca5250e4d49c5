//! Where to compute.

use crate::cli::terminal::Terminal;
use crate::engine::{self, Engine, EngineChoice, EngineError};
use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};

/// Opens an engine that says what it has to say as a note.
fn open(
    choice: EngineChoice,
    adapter: Option<&str>,
    terminal: &Terminal,
) -> Result<Box<dyn Engine>, EngineError> {
    let beside = terminal.clone();
    engine::open_with(
        terminal.open_device,
        engine::cache_folder(),
        choice,
        adapter,
        Box::new(move |text: &str| beside.say(format!("note: {text}"))),
    )
}

/// Where to compute.
#[derive(Debug, Args)]
pub(in crate::cli) struct EngineArgs {
    /// auto: a real GPU, else the CPU engine; gpu: any adapter, software ones included, or an error
    /// if there is none
    #[arg(long, value_enum, default_value = "auto")]
    engine: EngineName,
    /// Part of the name of the adapter to take (`morphscape devices` lists them); without it
    /// the best one listed
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EngineName {
    Auto,
    Gpu,
    Cpu,
}

/// Where to compute again.
#[derive(Debug, Args)]
pub(in crate::cli) struct OtherEngineArgs {
    /// auto, gpu or cpu [default: the other one: cpu for a run on a GPU or a software adapter, any
    /// adapter for a run on the CPU engine]
    #[arg(long, value_enum)]
    engine: Option<EngineName>,
    /// Part of the name of the adapter to take
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
}

impl OtherEngineArgs {
    /// Opens the engine for what ran on `ran_on`, `cpu` or `gpu`; where there is no other one it
    /// is the same, and that is said.
    pub(in crate::cli) fn open(
        &self,
        ran_on: &str,
        terminal: &Terminal,
    ) -> anyhow::Result<Box<dyn Engine>> {
        let engine = match (self.engine, &self.adapter) {
            (Some(engine), _) => engine,
            (None, Some(_)) => EngineName::Gpu,
            (None, None) if ran_on == "gpu" => EngineName::Cpu,
            (None, None) => match open(EngineChoice::Gpu, None, terminal) {
                Ok(engine) => return Ok(engine),
                Err(error) => {
                    let reason = anyhow::Error::from(error);
                    terminal.say(format!(
                        "note: there is no other engine ({reason:#}); using the CPU engine, on which the run was computed as well"
                    ));
                    EngineName::Cpu
                }
            },
        };
        let adapter = self.adapter.clone();
        EngineArgs { engine, adapter }.open(terminal)
    }
}

impl EngineArgs {
    /// Opens the engine; a fallback is said.
    pub(in crate::cli) fn open(&self, terminal: &Terminal) -> anyhow::Result<Box<dyn Engine>> {
        let choice = match self.engine {
            EngineName::Auto => EngineChoice::Auto,
            EngineName::Gpu => EngineChoice::Gpu,
            EngineName::Cpu => EngineChoice::Cpu,
        };
        ensure!(
            choice != EngineChoice::Cpu || self.adapter.is_none(),
            "--adapter names a GPU, and --engine cpu uses none; leave one of them out"
        );
        let opened = open(choice, self.adapter.as_deref(), terminal);
        let engine = match choice {
            EngineChoice::Gpu => opened.context("--engine gpu")?,
            _ => opened?,
        };
        let info = engine.info();
        terminal.say_more(
            format!("engine: {}, {} {}", info.engine, info.adapter, info.driver).trim_end(),
        );
        Ok(engine)
    }
}
