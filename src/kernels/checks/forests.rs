//! Cases of the kernels of decision trees and support vector machines.

use super::case::{FLOATS, values};
use super::layers::rows;
use super::{Checks, Recording};
use crate::kernels::{
    CouplingLayer, PairOfClasses, Similarity, SupportVectorsLayer, TreeNode, TreesLayer, row_stride,
};

/// Full trees of three levels, each leaf with a weight for two classes.
fn forest(features: usize, classes: usize, trees: usize) -> TreesLayer {
    let thresholds = values(3, 7 * trees);
    let weights = values(4, 16 * trees);
    let (mut nodes, mut roots) = (Vec::new(), Vec::new());
    for tree in 0..trees {
        let root = nodes.len();
        roots.push(root);
        for node in 0..7 {
            let at = |child: usize| match child {
                0..7 => root + child,
                child => root + 7 + 2 * (child - 7),
            };
            nodes.push(TreeNode::Branch {
                feature: (5 * tree + node) % features,
                threshold: thresholds[7 * tree + node],
                then: at(2 * node + 1),
                otherwise: at(2 * node + 2),
            });
        }
        for leaf in 0..16 {
            let next = nodes.len() + 1;
            nodes.push(TreeNode::Leaf {
                class: (tree + leaf) % classes,
                weight: weights[16 * tree + leaf],
                next: (leaf % 2 == 0).then_some(next),
            });
        }
    }
    TreesLayer::new(features, &roots, &nodes, &values(2, classes))
}

fn record_trees(recording: &mut Recording, count: usize, [features, classes, trees]: [usize; 3]) {
    let x = rows(recording, count, features, 1.0);
    let y = recording.trees(x, count, &forest(features, classes, trees));
    recording.download(y);
}

pub(super) fn trees(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        for (count, sizes) in [
            (0, [3, 2, 1]),
            (1, [1, 2, 3]),
            (63, [4, 2, 5]),
            (64, [4, 2, 5]),
            (65, [5, 3, 40]),
            (130, [9, 7, 7]),
        ] {
            record_trees(recording, count, sizes);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        record_trees(recording, 290, [5, 3, 4]);
        FLOATS
    });
}

fn record_support_vectors(
    recording: &mut Recording,
    count: usize,
    features: usize,
    similarity: Similarity,
    counts: &[usize],
) {
    let x = rows(recording, count, features, 1.0);
    let [vectors, others] = [counts.iter().sum(), counts.len() - 1];
    let pairs: Vec<PairOfClasses> = (values(3, counts.len() * others / 2).iter())
        .map(|&value| PairOfClasses {
            rho: value,
            slope: -1.0 - value.abs(),
            offset: 0.5 * value,
        })
        .collect();
    let layer = SupportVectorsLayer::new(
        features,
        similarity,
        counts,
        &values(1, vectors * features),
        &values(2, vectors * others),
        &pairs,
    );
    let y = recording.support_vectors(x, count, &layer);
    recording.download(y);
}

pub(super) fn support_vectors(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        let (gamma, shift) = (0.3, 0.2);
        for (count, features, similarity, counts) in [
            (0, 3, Similarity::Radial { gamma }, &[1, 1][..]),
            (1, 1, Similarity::Radial { gamma }, &[1, 0]),
            (64, 4, Similarity::Radial { gamma }, &[7, 9]),
            (65, 5, Similarity::Hyperbolic { gamma, shift }, &[5, 1, 3]),
            (130, 9, Similarity::Radial { gamma }, &[2, 0, 4, 1, 3]),
        ] {
            record_support_vectors(recording, count, features, similarity, counts);
        }
        for degree in [0, 1, 3] {
            let similarity = Similarity::Polynomial {
                gamma,
                shift,
                degree,
            };
            record_support_vectors(recording, 9, 6, similarity, &[3, 2, 2]);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        let similarity = Similarity::Radial { gamma: 0.3 };
        record_support_vectors(recording, 290, 4, similarity, &[2, 3, 1]);
        FLOATS
    });
}

fn record_coupling(recording: &mut Recording, count: usize, classes: usize) {
    let layer = CouplingLayer { classes };
    let shares = values(1, count * row_stride(layer.pairs()));
    let shares: Vec<f32> = shares.iter().map(|value| 0.5 + 0.49 * value).collect();
    let r = recording.upload("case.r", &shares);
    let p = recording.coupling(r, count, layer);
    recording.download(p);
}

pub(super) fn coupling(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        for (count, classes) in [(0, 3), (1, 2), (63, 2), (65, 3), (64, 5), (9, 12)] {
            record_coupling(recording, count, classes);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        record_coupling(recording, 290, 3);
        FLOATS
    });
}
