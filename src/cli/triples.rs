//! The triples of a sweep: a fixed list from a file, or groups chosen by seed.

use super::options::{LoadedData, class_number};
use crate::landscape::{Triple, choose_triples};
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
    items: [usize; 3],
}

/// The triples of a file `{"triples":[{"name":"1A","items":[i,j,k]},...]}`.
pub(super) fn read_triples(path: &Path, data: &LoadedData) -> anyhow::Result<Vec<Triple>> {
    let text = std::fs::read_to_string(path)?;
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
            let mut classes = [0; 3];
            for (class, item) in classes.iter_mut().zip(items) {
                *class = data.images.label(
                    data.images
                        .checked_index(item)
                        .with_context(|| format!("triple {name}"))?,
                );
            }
            Ok(Triple::new(name, items, classes)?)
        })
        .collect()
}

/// Sets A and B of `groups` groups; without a number, 5 or one a list of fixed classes.
/// `fixed` is a text such as `9,4,5` for each of the first groups.
pub(super) fn chosen_triples(
    groups: Option<u32>,
    fixed: &[String],
    seed: u64,
    data: &LoadedData,
    class_names: &[String],
) -> anyhow::Result<Vec<Triple>> {
    let fixed = fixed
        .iter()
        .map(|text| parse_classes(text, class_names))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let groups = groups.map_or(if fixed.is_empty() { 5 } else { fixed.len() }, |groups| {
        groups as usize
    });
    ensure!(
        fixed.len() <= groups,
        "--classes: expected at most one for each of the {groups} groups, found {}",
        fixed.len()
    );
    let labels: Vec<usize> = (0..data.images.len())
        .map(|item| data.images.label(item))
        .collect();
    Ok(choose_triples(
        &labels,
        class_names.len(),
        groups,
        &fixed,
        seed,
    )?)
}

/// `9,4,5` or `Ankle boot,Coat,Sandal`.
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
