//! The grid under the measures: neighbours, and the order of its points by value.

/// Which points of a grid touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connectivity {
    /// Those that share an edge: up, down, left, right.
    Four,
    /// Those that share an edge or a corner.
    Eight,
}

impl Connectivity {
    /// Steps `[rows, columns]` to the neighbours; those that come earlier in row-major order
    /// stand first.
    fn offsets(self) -> &'static [[isize; 2]] {
        match self {
            Self::Four => &[[-1, 0], [0, -1], [0, 1], [1, 0]],
            Self::Eight => &[
                [-1, -1],
                [-1, 0],
                [-1, 1],
                [0, -1],
                [0, 1],
                [1, -1],
                [1, 0],
                [1, 1],
            ],
        }
    }

    /// The neighbours of point `k`.
    pub(super) fn neighbours(self, k: usize, shape: [usize; 2]) -> impl Iterator<Item = usize> {
        around(self.offsets(), k, shape)
    }

    /// The neighbours of point `k` before it: over all points, each pair of neighbours once.
    pub(super) fn earlier_neighbours(
        self,
        k: usize,
        shape: [usize; 2],
    ) -> impl Iterator<Item = usize> {
        let offsets = self.offsets();
        around(&offsets[..offsets.len() / 2], k, shape)
    }
}

/// The point at `offset` of point `k`, where the grid has one.
pub(super) fn shifted(k: usize, [i, j]: [isize; 2], [rows, columns]: [usize; 2]) -> Option<usize> {
    let row = (k / columns).checked_add_signed(i)?;
    let column = (k % columns).checked_add_signed(j)?;
    (row < rows && column < columns).then_some(row * columns + column)
}

fn around(
    offsets: &'static [[isize; 2]],
    k: usize,
    shape: [usize; 2],
) -> impl Iterator<Item = usize> {
    offsets
        .iter()
        .filter_map(move |&offset| shifted(k, offset, shape))
}

/// Panics unless `found` values fill `shape`, `depth` a point.
pub(super) fn check_shape(found: usize, [rows, columns]: [usize; 2], depth: usize) {
    assert_eq!(
        found,
        rows * columns * depth,
        "expected values of {rows} x {columns} points, {depth} a point"
    );
}

/// Panics unless `field` fills `shape` and is free of NaN, so that its points have an order.
pub(super) fn check_ordered(field: &[f64], shape: [usize; 2]) {
    check_shape(field.len(), shape, 1);
    assert!(
        field.iter().all(|value| !value.is_nan()),
        "a field with NaN has no order"
    );
}

/// Whether point `a` comes before point `b` in the total order (value, row-major index), which
/// leaves no ties.
pub(super) fn is_lower(field: &[f64], a: usize, b: usize) -> bool {
    field[a] < field[b] || (field[a] == field[b] && a < b)
}

/// All points in the total order (value, row-major index).
pub(super) fn ascending(field: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..field.len()).collect();
    // A stable sort keeps points of one value in row-major order.
    order.sort_by(|&a, &b| field[a].partial_cmp(&field[b]).expect("no NaN: checked"));
    order
}
