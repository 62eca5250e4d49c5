//! Batches of rows of grids: which rows, and which images they are made of.

use crate::data::Image;
use crate::mesh::{MeshCounts, PairMesh};
use std::ops::Range;

/// A landscape whose meshes are known.
pub(super) struct Prepared<'a> {
    pub(super) target: &'a Image,
    pub(super) rows: Vec<Row>,
    /// The mesh between A and B.
    pub(super) mesh: PairMesh,
    /// Counts of that mesh; the rows' own come on top.
    pub(super) counts: MeshCounts,
}

/// A row of a grid: a mix and the mesh that leads it into C.
pub(super) struct Row {
    pub(super) mix: Image,
    pub(super) mesh: PairMesh,
    pub(super) counts: MeshCounts,
}

/// Rows `rows` of landscape `landscape` of a group.
pub(super) struct Segment {
    pub(super) landscape: usize,
    pub(super) rows: Range<usize>,
}

/// The images of a batch: segment by segment, the target and then the mixes.
pub(super) fn batch_images<'a>(group: &'a [Prepared<'_>], batch: &[Segment]) -> Vec<&'a [f32]> {
    batch
        .iter()
        .flat_map(|segment| {
            let prepared = &group[segment.landscape];
            let mixes = &prepared.rows[segment.rows.clone()];
            let mixes = mixes.iter().map(|row| row.mix.levels.as_slice());
            [prepared.target.levels.as_slice()].into_iter().chain(mixes)
        })
        .collect()
}

/// Cuts the rows of `landscapes` grids into batches of at most `rows_a_batch`, in order.
pub(super) fn cut_into_batches(
    landscapes: usize,
    steps: usize,
    rows_a_batch: usize,
) -> Vec<Vec<Segment>> {
    let total = landscapes * steps;
    (0..total)
        .step_by(rows_a_batch)
        .map(|start| {
            let end = (start + rows_a_batch).min(total);
            (start / steps..=(end - 1) / steps)
                .map(|landscape| {
                    let offset = landscape * steps;
                    Segment {
                        landscape,
                        rows: start.max(offset) - offset..end.min(offset + steps) - offset,
                    }
                })
                .collect()
        })
        .collect()
}
