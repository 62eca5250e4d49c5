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
    let columns = shape[1].max(1);
    // Runs of one label in a row are connected; what is left is to connect runs with those above.
    let mut runs: Vec<Run> = Vec::new();
    let mut here = 0..0;
    let mut meetings = Vec::new();
    // How far beyond its ends a run touches the next row.
    let reach = usize::from(connectivity == Connectivity::Eight);
    for row in labels.chunks_exact(columns) {
        let mut first = 0;
        for same in row.chunk_by(|one, next| one == next) {
            runs.push(Run {
                label: same[0],
                first,
                end: first + same.len(),
            });
            first += same.len();
        }
        let above = here.clone();
        here = above.end..runs.len();
        let mut from = above.start;
        for n in here.clone() {
            while from < above.end && runs[from].end + reach <= runs[n].first {
                from += 1;
            }
            for other in from..above.end {
                if runs[other].first >= runs[n].end + reach {
                    break;
                }
                if runs[other].label == runs[n].label {
                    meetings.push([n, other]);
                }
            }
        }
    }
    let mut sets = UnionFind::new(runs.len());
    let mut regions = runs.len();
    for [one, other] in meetings {
        let (one, other) = (sets.root(one), sets.root(other));
        if one != other {
            sets.attach(one, other);
            regions -= 1;
        }
    }
    regions
}

/// Points of a row that follow each other and have one label.
struct Run {
    label: usize,
    first: usize,
    /// One past its last column.
    end: usize,
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
