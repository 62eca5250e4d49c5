//! The grid under the measures: neighbours, and the order of its points by value.

/// Which points of a grid touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connectivity {
    /// Those that share an edge: up, down, left, right.
    Four,
    /// Those that share an edge or a corner.
    Eight,
}

/// Steps `[rows, columns]` to the neighbours of each kind.
pub(super) const FOUR: [[isize; 2]; 4] = [[-1, 0], [0, -1], [0, 1], [1, 0]];
pub(super) const EIGHT: [[isize; 2]; 8] = [
    [-1, -1],
    [-1, 0],
    [-1, 1],
    [0, -1],
    [0, 1],
    [1, -1],
    [1, 0],
    [1, 1],
];

impl Connectivity {
    /// Steps `[rows, columns]` to the neighbours.
    fn offsets(self) -> &'static [[isize; 2]] {
        match self {
            Self::Four => &FOUR,
            Self::Eight => &EIGHT,
        }
    }

    /// The neighbours of point `k`.
    pub(super) fn neighbours(self, k: usize, shape: [usize; 2]) -> impl Iterator<Item = usize> {
        around(self.offsets(), k, shape)
    }

    /// Calls `visit` with each pair of neighbours once, the later one in row-major order first.
    #[inline]
    pub(super) fn for_each_pair(
        self,
        [rows, columns]: [usize; 2],
        mut visit: impl FnMut(usize, usize),
    ) {
        let diagonal = self == Self::Eight;
        for row in 0..rows {
            for column in 0..columns {
                let k = row * columns + column;
                if row > 0 {
                    if diagonal && column > 0 {
                        visit(k, k - columns - 1);
                    }
                    visit(k, k - columns);
                    if diagonal && column + 1 < columns {
                        visit(k, k - columns + 1);
                    }
                }
                if column > 0 {
                    visit(k, k - 1);
                }
            }
        }
    }
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
#[inline]
pub(super) fn is_lower(field: &[f64], a: usize, b: usize) -> bool {
    (field[a] < field[b]) | ((field[a] == field[b]) & (a < b))
}

/// Some points in the total order (value, row-major index), by their places in `points`.
pub(super) fn ascending_of(field: &[f64], points: &[usize]) -> Vec<usize> {
    // Whole numbers sort several times faster than places whose values are looked up.
    let key = |(at, &k): (usize, &usize)| {
        let place = (k as u64) << 32 | at as u64;
        u128::from(ordered_bits(field[k])) << 64 | u128::from(place)
    };
    let mut order: Vec<u128> = points.iter().enumerate().map(key).collect();
    order.sort_unstable();
    order.into_iter().map(|key| key as u32 as usize).collect()
}

/// A whole number for each value but NaN, in the order of the values; the same for both zeros.
fn ordered_bits(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    match value.is_sign_negative() && value != 0.0 {
        true => !bits,
        false => bits | 1 << 63,
    }
}

/// A step from point to point of a [`Rimmed`] field.
pub(super) struct Step {
    /// Of row-major indices.
    pub(super) index: isize,
    /// Of places in the field with its rim.
    pub(super) place: isize,
}

/// A field with a rim of NaN, so that every point has a neighbour on all sides and none on the rim is
/// lower.
pub(super) struct Rimmed {
    values: Vec<f64>,
    shape: [usize; 2],
}

impl Rimmed {
    pub(super) fn new(field: &[f64], [rows, columns]: [usize; 2]) -> Self {
        let width = columns + 2;
        let mut values = vec![f64::NAN; width * (rows + 2)];
        for (row, own) in values
            .chunks_exact_mut(width)
            .skip(1)
            .zip(field.chunks_exact(columns.max(1)))
        {
            row[1..=columns].copy_from_slice(own);
        }
        Self {
            values,
            shape: [rows, columns],
        }
    }

    /// Calls `visit` with the row-major index of each point and its place here, in order.
    #[inline]
    pub(super) fn for_each(&self, mut visit: impl FnMut(usize, usize)) {
        let [rows, columns] = self.shape;
        for row in 0..rows {
            for column in 0..columns {
                visit(
                    row * columns + column,
                    (row + 1) * (columns + 2) + column + 1,
                );
            }
        }
    }

    /// What steps `[rows, columns]` change of a point's index and of its place.
    pub(super) fn steps<const N: usize>(&self, offsets: [[isize; 2]; N]) -> [Step; N] {
        let columns = self.shape[1] as isize;
        offsets.map(|[i, j]| Step {
            index: i * columns + j,
            place: i * (columns + 2) + j,
        })
    }

    /// [`is_lower`] by places.
    #[inline]
    pub(super) fn is_lower(&self, a: usize, b: usize) -> bool {
        is_lower(&self.values, a, b)
    }
}
