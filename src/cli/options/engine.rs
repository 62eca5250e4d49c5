//! Where to compute.

use crate::cli::Verbosity;
use crate::engine::{self, Engine, EngineChoice, EngineError, OpenDevice, gpu};
use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use std::sync::OnceLock;

/// Where devices come from in this process.
static DEVICES: OnceLock<OpenDevice> = OnceLock::new();

/// Says where devices come from; later ones of a process are not heard.
pub(in crate::cli) fn set_devices(open_device: OpenDevice) {
    let _ = DEVICES.set(open_device);
}

/// Opens an engine that says what it has to say as a note.
fn open(
    choice: EngineChoice,
    adapter: Option<&str>,
    verbosity: Verbosity,
) -> Result<Box<dyn Engine>, EngineError> {
    let open_device = *DEVICES.get_or_init(|| gpu::open);
    let say = move |text: &str| verbosity.say(Verbosity::Normal, format!("note: {text}"));
    engine::open(
        open_device,
        engine::cache_folder(),
        choice,
        adapter,
        Box::new(say),
    )
}

/// Where to compute.
#[derive(Debug, Args)]
pub(in crate::cli) struct EngineArgs {
    /// auto: a real GPU, else the CPU engine; gpu: any adapter, a software one too, and an error
    /// where there is none
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
    /// auto, gpu or cpu [default: the other one: cpu for a run on a GPU or a software adapter,
    /// and for one on the CPU engine any adapter there is]
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
        self,
        ran_on: &str,
        verbosity: Verbosity,
    ) -> anyhow::Result<Box<dyn Engine>> {
        let engine = match (self.engine, &self.adapter) {
            (Some(engine), _) => engine,
            (None, Some(_)) => EngineName::Gpu,
            (None, None) if ran_on == "gpu" => EngineName::Cpu,
            (None, None) => match open(EngineChoice::Gpu, None, verbosity) {
                Ok(engine) => return Ok(engine),
                Err(error) => {
                    let reason = anyhow::Error::from(error);
                    verbosity.say(
                        Verbosity::Normal,
                        format!("note: there is no other engine ({reason:#}); going on with the CPU engine, which the run was computed on, too"),
                    );
                    EngineName::Cpu
                }
            },
        };
        let adapter = self.adapter;
        EngineArgs { engine, adapter }.open(verbosity)
    }
}

impl EngineArgs {
    /// Opens the engine; a fallback is said.
    pub(in crate::cli) fn open(&self, verbosity: Verbosity) -> anyhow::Result<Box<dyn Engine>> {
        let choice = match self.engine {
            EngineName::Auto => EngineChoice::Auto,
            EngineName::Gpu => EngineChoice::Gpu,
            EngineName::Cpu => EngineChoice::Cpu,
        };
        ensure!(
            choice != EngineChoice::Cpu || self.adapter.is_none(),
            "--adapter names a GPU, and --engine cpu uses none; leave one of them out"
        );
        let opened = open(choice, self.adapter.as_deref(), verbosity);
        let engine = match choice {
            EngineChoice::Gpu => opened.context("--engine gpu")?,
            _ => opened?,
        };
        let info = engine.info();
        verbosity.say(
            Verbosity::Verbose,
            format!("engine: {}, {} {}", info.engine, info.adapter, info.driver).trim_end(),
        );
        Ok(engine)
    }
}
