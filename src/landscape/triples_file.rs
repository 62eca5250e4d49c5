//! The list of triples that a user fixes: `{"triples":[{"name":"1A","items":[9,2,"t10k#1"]}]}`.
//!
//! An item may also stand in the list itself: `{"png":"iVBOR...","class":3}`, a picture as base64 of a
//! PNG of the data's size, or `{"row":[5.1,3.5,1.4,0.2],"class":0}`.

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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedTriple {
    /// 1 to 64 letters, digits, `-` or `_`, since it becomes the name of folders.
    pub name: String,
    /// The items.
    pub items: [ListedItem; 3],
}

/// An item as the file names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ListedItem {
    /// Its position in the data.
    Index(usize),
    /// Its name, e.g. `t10k#1565`.
    Name(String),
    /// A picture that is in no data set.
    Image(OwnImage),
    /// A row that is in no data set.
    Row(OwnRow),
}

/// A picture that the list itself holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnImage {
    /// A PNG of the data's size, as base64.
    pub png: String,
    /// Number of its class.
    pub class: usize,
}

/// A row that the list itself holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnRow {
    /// Its features, in the order of the data's.
    pub row: Vec<f32>,
    /// Number of its class.
    pub class: usize,
}

impl OwnRow {
    /// Why it is no row of these features.
    pub(crate) fn check(&self, features: &[String]) -> Result<(), String> {
        if self.row.len() != features.len() {
            return Err(format!(
                "an own row: expected {} values: {}; found {}",
                features.len(),
                features.join(", "),
                self.row.len()
            ));
        }
        match self.row.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(format!("an own row: expected finite values, found {value}")),
            None => Ok(()),
        }
    }
}

/// Why a list of triples was refused; the caller adds the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TriplesFileError {
    /// The file cannot be read, or is too large.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Not the JSON that is expected.
    #[error(
        "expected {{\"triples\":[{{\"name\":\"1A\",\"items\":[i,j,k]}},...]}}, each item a position, a name, {{\"png\":base64,\"class\":c}} or {{\"row\":[...],\"class\":c}}"
    )]
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
