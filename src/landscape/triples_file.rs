//! The list of triples that a user fixes: `{"triples":[{"name":"1A","items":[9,2,"t10k#1"]}]}`.

use crate::data::{InputError, MAX_JSON_BYTES, read_text};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::Path;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TriplesFile {
    triples: Vec<ListedTriple>,
}

/// A triple as the file has it: its items are not looked up yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedTriple {
    /// 1 to 64 letters, digits, `-` or `_`, since it becomes the name of folders.
    pub name: String,
    /// The items.
    pub items: [ListedItem; 3],
}

/// An item as the file names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ListedItem {
    /// Its position in the data.
    Index(usize),
    /// Its name, e.g. `t10k#1565`.
    Name(String),
}

/// Why a list of triples was refused; the caller adds the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TriplesFileError {
    /// The file cannot be read, or is too large.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Not the JSON that is expected.
    #[error("expected {{\"triples\":[{{\"name\":\"1A\",\"items\":[i,j,k]}},...]}}")]
    Json(#[source] serde_json::Error),
    /// An empty list.
    #[error("expected at least one triple, found none")]
    Empty,
    /// A name that no folder should have.
    #[error("triple \"{name}\": expected a name of 1 to 64 letters, digits, - or _")]
    Name {
        /// The name, as a text with escapes and no longer than 100 characters.
        name: String,
    },
    /// A name that stands in the list twice.
    #[error("triple \"{name}\": expected each name once, letter case apart, found it again")]
    Repeated {
        /// The name.
        name: String,
    },
}

/// Reads a list of at least one triple, of [`MAX_JSON_BYTES`] at most.
///
/// # Errors
/// [`TriplesFileError`].
pub fn read_triples_file(path: &Path) -> Result<Vec<ListedTriple>, TriplesFileError> {
    let text = read_text(path, MAX_JSON_BYTES)?;
    let TriplesFile { triples } = serde_json::from_str(&text).map_err(TriplesFileError::Json)?;
    if triples.is_empty() {
        return Err(TriplesFileError::Empty);
    }
    let mut names = HashSet::new();
    for ListedTriple { name, .. } in &triples {
        let plain = (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !plain {
            let name = name.escape_debug().take(100).collect();
            return Err(TriplesFileError::Name { name });
        }
        if !names.insert(name.to_lowercase()) {
            return Err(TriplesFileError::Repeated { name: name.clone() });
        }
    }
    Ok(triples)
}
