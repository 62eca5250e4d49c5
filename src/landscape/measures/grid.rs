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
    [rows, columns]: [usize; 2],
) -> impl Iterator<Item = usize> {
    let [row, column] = [k / columns, k % columns];
    offsets.iter().filter_map(move |&[i, j]| {
        // Before the first row or column this wraps, which is past the last.
        let row = row.wrapping_add_signed(i);
        let column = column.wrapping_add_signed(j);
        (row < rows && column < columns).then(|| row * columns + column)
    })
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
    // Whole numbers sort several times faster than places whose values are looked up.
    let place = |(k, &value): (usize, &f64)| u128::from(ordered_bits(value)) << 64 | k as u128;
    let mut order: Vec<u128> = field.iter().enumerate().map(place).collect();
    order.sort_unstable();
    order.into_iter().map(|key| key as u64 as usize).collect()
}

/// A whole number for each value but NaN, in the order of the values; the same for both zeros.
fn ordered_bits(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    match value.is_sign_negative() && value != 0.0 {
        true => !bits,
        false => bits | 1 << 63,
    }
}
