//! What is said of an engine: in a manifest, in a plan, to the eye.

use serde::{Deserialize, Serialize};

/// Which kind of engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// The kernels' Rust twins on the host's threads.
    Cpu,
    /// The shaders on an adapter, be it a software one.
    Gpu,
}

impl EngineKind {
    /// `cpu` or `gpu`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }
}

impl std::fmt::Display for EngineKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Where an engine computes, for the manifest and the eye.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineInfo {
    /// Its kind.
    pub engine: EngineKind,
    /// The adapter's name, or the number of threads.
    pub adapter: String,
    /// Driver and backend; empty for the CPU engine.
    pub driver: String,
}

impl EngineInfo {
    /// What of it decides the bytes of a result.
    pub fn identity(&self) -> EngineIdentity {
        EngineIdentity {
            engine: self.engine,
            adapter: match self.engine {
                // Results do not depend on the number of threads.
                EngineKind::Cpu => String::new(),
                EngineKind::Gpu => self.adapter.clone(),
            },
        }
    }
}

/// What of an engine decides the bytes of a result: a plan states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineIdentity {
    /// Its kind.
    pub engine: EngineKind,
    /// The adapter's name; empty for the CPU engine.
    pub adapter: String,
}
