//! SHA-256 of every file of a run, as its manifest has them under `files`: names relative to the
//! run's folder, `1A.3/line.svg`, but for the manifest itself.
//!
//! Whoever draws figures again says the new ones, of what is drawn and of nothing else: tensors
//! and tables keep the hashes of the run that computed them, so that drawing never hides that
//! they were changed.

use super::layout::{MANIFEST_FILE, own_files};
use crate::data::sha256_file;
use crate::run::error::{Placed, RunError};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// The hash of every file of a run of `plan`, by name.
pub(in crate::run) fn hash_files(
    folder: &Path,
    plan: &Value,
) -> Result<BTreeMap<String, String>, RunError> {
    own_files(folder, plan)
        .into_par_iter()
        .filter(|name| name != MANIFEST_FILE)
        .map(|name| {
            let path = folder.join(&name);
            let hash = sha256_file(&path).placed(path.display())?;
            Ok((name, hash))
        })
        .collect()
}

/// Puts the hashes of what is drawn in the place of the old ones.
pub(super) fn refresh_drawn(
    folder: &Path,
    manifest: &mut Map<String, Value>,
) -> Result<(), RunError> {
    let plan = manifest.get("plan").cloned().unwrap_or_default();
    let Some(Value::Object(files)) = manifest.get_mut("files") else {
        return Ok(());
    };
    let is_drawn = |name: &str| !name.ends_with(".safetensors") && !name.ends_with(".csv");
    let now = hash_files(folder, &plan)?;
    files.retain(|name, _| !is_drawn(name));
    let drawn = now.into_iter().filter(|(name, _)| is_drawn(name));
    files.extend(drawn.map(|(name, hash)| (name, json!(hash))));
    files.sort_keys();
    Ok(())
}
