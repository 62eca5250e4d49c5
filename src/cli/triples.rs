//! The triples of a run: a fixed list from a file, or groups and classes that are fixed.

use super::options::class_number;
use crate::landscape::{ListedItem, ListedTriple, Triple, read_triples_file};
use anyhow::{Context, bail, ensure};
use std::path::Path;

/// The triples of a file, see [`read_triples_file`]. `find` gives an item's position in the data
/// and its class.
pub(super) fn read_triples(
    path: &Path,
    find: &dyn Fn(&ListedItem) -> anyhow::Result<(usize, usize)>,
) -> anyhow::Result<Vec<Triple>> {
    read_triples_file(path)?
        .into_iter()
        .map(|ListedTriple { name, items }| {
            let (mut positions, mut classes) = ([0; 3], [0; 3]);
            for (n, item) in items.iter().enumerate() {
                (positions[n], classes[n]) =
                    find(item).with_context(|| format!("triple {name}"))?;
            }
            Ok(Triple::new(name, positions, classes)?)
        })
        .collect()
}

/// The classes of the first groups, from texts such as `9,4,5` or `Ankle boot,Coat,Sandal`.
pub(super) fn fixed_classes(
    texts: &[String],
    class_names: &[String],
) -> anyhow::Result<Vec<[usize; 3]>> {
    texts
        .iter()
        .map(|text| parse_classes(text, class_names))
        .collect()
}

/// How many groups: without a number, 5 or one a list of fixed classes.
pub(super) fn group_count(groups: Option<u32>, fixed: &[[usize; 3]]) -> anyhow::Result<usize> {
    let groups = groups.map_or(if fixed.is_empty() { 5 } else { fixed.len() }, |groups| {
        groups as usize
    });
    ensure!(
        fixed.len() <= groups,
        "--classes: expected at most one for each of the {groups} groups, found {}",
        fixed.len()
    );
    Ok(groups)
}

fn parse_classes(text: &str, class_names: &[String]) -> anyhow::Result<[usize; 3]> {
    let classes = text
        .split(',')
        .map(|part| class_number(&format!("--classes {text}"), part, class_names))
        .collect::<anyhow::Result<Vec<usize>>>()?;
    let [x, y, z] = classes[..] else {
        bail!(
            "--classes {text}: expected three classes, found {}",
            classes.len()
        )
    };
    ensure!(
        x != y && x != z && y != z,
        "--classes {text}: expected three different classes"
    );
    Ok([x, y, z])
}
