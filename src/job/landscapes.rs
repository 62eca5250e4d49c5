//! The landscapes of a job, by name.

use crate::data::sha256_hex;
use crate::landscape::{GridKind, Permutation, Triple};
use serde_json::{Value, json};

/// One landscape of a job: a permutation of a triple.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LandscapeId {
    /// Its name, e.g. `1A.3`.
    pub name: String,
    /// Which item of the triple is C.
    pub permutation: Permutation,
    /// A, B and C by their positions in the data.
    pub items: [usize; 3],
    /// Their classes.
    pub classes: [usize; 3],
}

/// The landscapes of `triples`, those of a triple together, in the order of their names.
pub fn landscapes_of(kind: GridKind, triples: &[Triple]) -> Vec<LandscapeId> {
    triples
        .iter()
        .flat_map(|triple| {
            let siblings = kind.siblings().iter();
            siblings.map(|&permutation| LandscapeId {
                name: format!("{}.{}", triple.name, permutation.number()),
                permutation,
                items: permutation.arrange(triple.items),
                classes: permutation.arrange(triple.classes),
            })
        })
        .collect()
}

/// Triples as a plan lists them; `index` is what an item's name says of its position.
pub(super) fn triples_json(triples: &[Triple], index: impl Fn(usize) -> usize) -> Value {
    triples
        .iter()
        .map(|triple| {
            let items = triple.items.map(&index);
            json!({"name": triple.name, "items": items, "classes": triple.classes})
        })
        .collect()
}

/// Triples as a plan states them of which nothing stays but rows: listed, they would outgrow all
/// else.
pub(super) fn triples_digest(triples: &[Triple]) -> Value {
    let mut lines = String::new();
    for triple in triples {
        let Triple {
            name,
            items,
            classes,
        } = triple;
        lines += &format!("{name} {items:?} {classes:?}\n");
    }
    let sha256 = sha256_hex([lines.as_bytes()]);
    json!({"count": triples.len(), "sha256": sha256})
}
