//! Feature points that a user sets: `{"points":{"t10k#1":[[3,4],[10.5,20]],...}}`, pixels from the
//! middle of the top-left one, x and y. Point n of one item is point n of every other.

use super::{InputError, MAX_JSON_BYTES, read_bytes, sha256_hex};
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

/// Points an item has at most.
const MAX_POINTS: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    points: BTreeMap<String, Vec<[f64; 2]>>,
}

/// The points of items, by the items' names.
#[derive(Debug, Clone, PartialEq)]
pub struct PointLists {
    lists: BTreeMap<String, Vec<[f64; 2]>>,
    sha256: String,
}

/// Why points were refused; the caller adds the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PointsError {
    /// The file cannot be read, or is too large.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Not the JSON that is expected.
    #[error("expected {{\"points\":{{\"ITEM\":[[x,y],...],...}}}}")]
    Json(#[source] serde_json::Error),
    /// An item without points, or with too many.
    #[error("item {item}: expected 1 to {MAX_POINTS} points, found {found}")]
    Number {
        /// The item.
        item: String,
        /// How many it has.
        found: usize,
    },
    /// An item that has no list.
    #[error("item {item}: expected its points in the file, which has those of {known}")]
    Missing {
        /// The item.
        item: String,
        /// Some that are there.
        known: String,
    },
    /// A point outside the image.
    #[error(
        "item {item}, point {number} ({}, {}): expected one in the image, 0 to {} across and 0 to {} down",
        place[0], place[1], last[0], last[1]
    )]
    Outside {
        /// The item.
        item: String,
        /// Its number, from 1.
        number: usize,
        /// Where it is.
        place: [f64; 2],
        /// The last pixel across and down.
        last: [usize; 2],
    },
    /// Two points that are one pixel.
    #[error("item {item}, point {number}: expected each pixel once, found ({}, {}) again, after rounding to whole pixels and with the image's corners, which are always points", place[0], place[1])]
    Repeated {
        /// The item.
        item: String,
        /// Its number, from 1.
        number: usize,
        /// The pixel.
        place: [i32; 2],
    },
    /// Items whose lists do not match.
    #[error("items {} and {}: expected as many points in both, found {} and {}", items[0], items[1], found[0], found[1])]
    Match {
        /// The two items.
        items: [String; 2],
        /// How many points they have.
        found: [usize; 2],
    },
}

/// Reads points, of [`MAX_JSON_BYTES`] at most.
///
/// # Errors
/// [`PointsError`].
pub fn read_points_file(path: &Path) -> Result<PointLists, PointsError> {
    let content = read_bytes(path, MAX_JSON_BYTES)?;
    let File { points } = serde_json::from_slice(&content).map_err(PointsError::Json)?;
    for (item, list) in &points {
        if !(1..=MAX_POINTS).contains(&list.len()) {
            return Err(PointsError::Number {
                item: item.clone(),
                found: list.len(),
            });
        }
    }
    Ok(PointLists {
        lists: points,
        sha256: sha256_hex([content.as_slice()]),
    })
}

impl PointLists {
    /// SHA-256 of the file.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The points of the items of a morph in images of one size, rounded to whole pixels, the image's
    /// four corners first, as meshes want them.
    ///
    /// # Errors
    /// [`PointsError`] where an item has none, a point lies outside, or lists differ in length.
    pub fn of<'a>(
        &self,
        items: impl IntoIterator<Item = &'a str>,
        [width_px, height_px]: [usize; 2],
    ) -> Result<Vec<Vec<[i32; 2]>>, PointsError> {
        let items: Vec<&str> = items.into_iter().collect();
        let lists: Vec<_> = items
            .iter()
            .map(|item| self.of_item(item, [width_px, height_px]))
            .collect::<Result<_, _>>()?;
        let other = lists.iter().position(|list| list.len() != lists[0].len());
        match other {
            Some(n) => Err(PointsError::Match {
                items: [items[0], items[n]].map(str::to_owned),
                found: [lists[0].len() - 4, lists[n].len() - 4],
            }),
            None => Ok(lists),
        }
    }

    fn of_item(&self, item: &str, size_px: [usize; 2]) -> Result<Vec<[i32; 2]>, PointsError> {
        let Some(list) = self.lists.get(item) else {
            let known: Vec<&str> = self.lists.keys().map(String::as_str).take(3).collect();
            return Err(PointsError::Missing {
                item: item.to_owned(),
                known: known.join(", "),
            });
        };
        let last = size_px.map(|side| side - 1);
        let [right, bottom] = last.map(|last| last as i32);
        let mut points = vec![[0, 0], [right, 0], [0, bottom], [right, bottom]];
        let mut taken: HashSet<[i32; 2]> = points.iter().copied().collect();
        for (n, &place) in list.iter().enumerate() {
            let inside = (0..2).all(|axis| (0.0..=last[axis] as f64).contains(&place[axis]));
            if !inside {
                return Err(PointsError::Outside {
                    item: item.to_owned(),
                    number: n + 1,
                    place,
                    last,
                });
            }
            let pixel = place.map(|at| at.round() as i32);
            if !taken.insert(pixel) {
                return Err(PointsError::Repeated {
                    item: item.to_owned(),
                    number: n + 1,
                    place: pixel,
                });
            }
            points.push(pixel);
        }
        Ok(points)
    }
}
