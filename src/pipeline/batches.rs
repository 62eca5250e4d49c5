//! Batches of rows of grids.

use std::ops::Range;

/// Rows `rows` of landscape `landscape` of a group.
pub(super) struct Segment {
    pub(super) landscape: usize,
    pub(super) rows: Range<usize>,
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
