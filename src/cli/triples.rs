//! The triples of a run: a fixed list from a file, or groups and classes that are fixed.

use super::options::class_number;
use crate::data::{MAX_JSON_BYTES, read_text};
use crate::landscape::Triple;
use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use std::collections::HashSet;
use std::path::Path;

/// A file of `--triples`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TriplesFile {
    triples: Vec<TripleEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TripleEntry {
    name: String,
    items: [Item; 3],
}

/// An item as a file of triples names it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Item {
    /// Its position in the data.
    Index(usize),
    /// Its name, e.g. `t10k#1565`.
    Name(String),
}

/// The triples of a file `{"triples":[{"name":"1A","items":[i,j,k]},...]}`, items by position or
/// by name. `find` gives an
/// item's position in the data and its class. The file takes [`MAX_JSON_BYTES`] at most.
pub(super) fn read_triples(
    path: &Path,
    find: &dyn Fn(&Item) -> anyhow::Result<(usize, usize)>,
) -> anyhow::Result<Vec<Triple>> {
    let text = read_text(path, MAX_JSON_BYTES)?;
    let file: TriplesFile = serde_json::from_str(&text)
        .context("expected {\"triples\":[{\"name\":\"1A\",\"items\":[i,j,k]},...]}")?;
    ensure!(
        !file.triples.is_empty(),
        "expected at least one triple, found none"
    );
    let mut names = HashSet::new();
    file.triples
        .into_iter()
        .map(|TripleEntry { name, items }| {
            // A triple's name becomes the name of a folder.
            let plain = !name.is_empty()
                && name.len() <= 64
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
            ensure!(
                plain,
                "triple \"{name}\": expected a name of 1 to 64 letters, digits, - or _"
            );
            ensure!(
                names.insert(name.to_lowercase()),
                "triple \"{name}\": expected each name once, letter case apart, found it again"
            );
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
