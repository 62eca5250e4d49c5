//! Into how many pieces the labels cut the grid.

use super::grid::{Connectivity, check_shape};
use super::union_find::UnionFind;

/// Regions (fragmentation) `F = sum_k #components{label = k}`: connected sets of points of one
/// label, over all labels. Report it with both connectivities: a diagonal line of single points
/// is many regions to one and one region to the other. Counted as
/// scikit-image's `measure.label` counts them, its background included.
///
/// `labels` are `[rows, columns]`, row-major.
///
/// # Panics
/// When `labels` do not fill `shape`.
pub fn num_regions(labels: &[usize], shape: [usize; 2], connectivity: Connectivity) -> usize {
    check_shape(labels.len(), shape, 1);
    let mut sets = UnionFind::new(labels.len());
    let mut regions = labels.len();
    connectivity.for_each_pair(shape, |k, other| {
        if labels[other] == labels[k] {
            let (mine, theirs) = (sets.root(k), sets.root(other));
            if mine != theirs {
                sets.attach(mine, theirs);
                regions -= 1;
            }
        }
    });
    regions
}

/// The region that holds point `k`: whether each point is connected to it through points of its
/// label.
///
/// `labels` are `[rows, columns]`, row-major.
///
/// # Panics
/// When `labels` do not fill `shape`, or `k` lies outside.
pub fn region_of(
    k: usize,
    labels: &[usize],
    shape: [usize; 2],
    connectivity: Connectivity,
) -> Vec<bool> {
    check_shape(labels.len(), shape, 1);
    let mut region = vec![false; labels.len()];
    region[k] = true;
    let mut rim = vec![k];
    while let Some(point) = rim.pop() {
        for other in connectivity.neighbours(point, shape) {
            if !region[other] && labels[other] == labels[k] {
                region[other] = true;
                rim.push(other);
            }
        }
    }
    region
}
