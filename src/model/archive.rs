//! The two files inside a `.keras` zip.
//!
//! A zip can be small and unpack to anything, so what an entry says of its size is compared
//! with limits before room is made, and unpacking stops where the entry said it would. Keras
//! stores weights as they are; a file that was packed anew shrinks a little, since weights are
//! noise.

use super::ModelError;
use super::keras::MAX_CONFIG_BYTES;
use crate::data::InputError;
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// What a zip starts with, if it is not empty.
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";

/// How much more than their packed size weights may take, besides a first 16 MiB.
const MAX_WEIGHTS_RATIO: u64 = 16;

/// What a `.keras` file holds.
pub(super) struct Unpacked {
    pub(super) config: String,
    /// The version of Keras that wrote it, where `metadata.json` says it.
    pub(super) version: Option<String>,
    /// An HDF5 file.
    pub(super) weights: Vec<u8>,
}

/// The config and the weights' HDF5 file.
pub(super) fn unpack(content: &[u8]) -> Result<Unpacked, ModelError> {
    let mut archive = ZipArchive::new(Cursor::new(content)).map_err(ModelError::Zip)?;
    let config = entry(&mut archive, "config.json", content.len(), |_| {
        MAX_CONFIG_BYTES
    })?;
    let config = String::from_utf8(config).map_err(|_| ModelError::Config {
        place: "config.json".into(),
        expected: "text in UTF-8".into(),
        found: "other bytes".into(),
    })?;
    let version = match archive.index_for_name("metadata.json") {
        None => None,
        Some(_) => {
            let metadata = entry(&mut archive, "metadata.json", content.len(), |_| {
                MAX_CONFIG_BYTES
            })?;
            let metadata: Option<serde_json::Value> = serde_json::from_slice(&metadata).ok();
            metadata.and_then(|metadata| metadata["keras_version"].as_str().map(str::to_owned))
        }
    };
    let weights = entry(&mut archive, "model.weights.h5", content.len(), |packed| {
        (16 << 20) + packed.saturating_mul(MAX_WEIGHTS_RATIO)
    })?;
    Ok(Unpacked {
        config,
        version,
        weights,
    })
}

fn entry(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    name: &str,
    all: usize,
    limit: impl Fn(u64) -> u64,
) -> Result<Vec<u8>, ModelError> {
    if archive.index_for_name(name).is_none() {
        let names: Vec<&str> = archive.file_names().take(20).collect();
        return Err(ModelError::Config {
            place: "zip".into(),
            expected: format!("a .keras file with {name}"),
            found: if names.is_empty() {
                "no file".into()
            } else {
                names.join(", ")
            },
        });
    }
    let file = archive.by_name(name).map_err(ModelError::Zip)?;
    let (size, packed) = (file.size(), file.compressed_size().min(all as u64));
    let limit = limit(packed);
    let too_large = || ModelError::FileTooLarge {
        what: format!("{name} in the zip"),
        limit: format!("{limit} bytes"),
    };
    if size > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).map_err(|_| too_large())?);
    file.take(size + 1)
        .read_to_end(&mut bytes)
        .map_err(InputError::Read)?;
    if bytes.len() as u64 != size {
        return Err(ModelError::Config {
            place: format!("{name} in the zip"),
            expected: format!("{size} bytes, as the zip says"),
            found: bytes.len().to_string(),
        });
    }
    Ok(bytes)
}
