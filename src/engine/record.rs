//! What a manifest says of an engine: where it computes, and why another one was left.

use super::{Engine, EngineInfo, Fallback};
use serde::{Deserialize, Serialize};

/// What a manifest says of the engine of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineRecord {
    /// The engine it began on.
    #[serde(flatten)]
    pub info: EngineInfo,
    /// Where it was left for another one, that and why.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fallback: Option<Fallback>,
}

impl EngineRecord {
    /// Of an engine as it is now.
    pub fn of(engine: &dyn Engine) -> Self {
        Self {
            info: engine.info().clone(),
            fallback: engine.fallback().cloned(),
        }
    }
}
