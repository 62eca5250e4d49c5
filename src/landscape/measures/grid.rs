//! The grid under the measures: neighbours, and the order of its points by value.

use pulp::Simd;
use std::ops::Range;

/// Which points of a grid touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connectivity {
    /// Those that share an edge: up, down, left, right.
    Four,
    /// Those that share an edge or a corner.
    Eight,
}

/// Steps `[rows, columns]` to the neighbours of each kind.
const FOUR: [[isize; 2]; 4] = [[-1, 0], [0, -1], [0, 1], [1, 0]];
const EIGHT: [[isize; 2]; 8] = [
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

    /// How many places before a point its earlier neighbours lie, nearest first; its later neighbours
    /// lie as far behind it.
    pub(super) fn steps_back(self, row_places: usize) -> Vec<usize> {
        match self {
            Self::Four => vec![1, row_places],
            Self::Eight => vec![1, row_places - 1, row_places, row_places + 1],
        }
    }

    /// The neighbours of point `k`.
    pub(super) fn neighbours(self, k: usize, shape: [usize; 2]) -> impl Iterator<Item = usize> {
        around(self.offsets(), k, shape)
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

/// Between its two rim places a row has a multiple of so many places, so loops over rows leave no
/// remainder.
const BLOCK: usize = 8;

/// A field with a rim of NaN, so that every point has a neighbour on all sides and none on the rim is
/// lower. A place is an index into its values, row by row; not every place is a point.
pub(super) struct Rimmed {
    values: Vec<f64>,
    shape: [usize; 2],
}

impl Rimmed {
    /// `field` is `[rows, columns]`, row-major; NaN where there is no point.
    ///
    /// # Panics
    /// When `field` does not fill `shape`.
    pub(super) fn new(field: &[f64], shape: [usize; 2]) -> Self {
        check_shape(field.len(), shape, 1);
        let [rows, columns] = shape;
        let row_places = columns.next_multiple_of(BLOCK) + 2;
        let mut values = vec![f64::NAN; row_places * (rows + 2)];
        let rimmed = values.chunks_exact_mut(row_places).skip(1);
        for (row, own) in rimmed.zip(field.chunks_exact(columns.max(1))) {
            row[1..=columns].copy_from_slice(own);
        }
        Self { values, shape }
    }

    /// The same with other values.
    pub(super) fn map(&self, value: impl Fn(f64) -> f64) -> Self {
        let mut mapped = Self {
            values: self.values.clone(),
            shape: self.shape,
        };
        for row in self.rows() {
            for own in &mut mapped.values[row] {
                *own = value(*own);
            }
        }
        mapped
    }

    /// All values, those of what is no point included.
    pub(super) fn values(&self) -> &[f64] {
        &self.values
    }

    /// A vector of values from a place on.
    #[inline(always)]
    pub(super) fn vector<V: Simd>(&self, place: usize) -> V::f64s {
        let (vectors, _) = V::as_simd_f64s(&self.values[place..]);
        vectors[0]
    }

    pub(super) fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Places from a row to the next.
    pub(super) fn row_places(&self) -> usize {
        self.shape[1].next_multiple_of(BLOCK) + 2
    }

    /// Places that loops go along from the first point of a row on: its points, and what fills up the
    /// last block.
    pub(super) fn row_blocks(&self) -> usize {
        self.row_places() - 2
    }

    /// The place of the first point of each row.
    pub(super) fn first_places(&self) -> impl Iterator<Item = usize> {
        let row_places = self.row_places();
        (1..=self.shape[0]).map(move |row| row * row_places + 1)
    }

    /// The places of each row's points.
    pub(super) fn rows(&self) -> impl Iterator<Item = Range<usize>> {
        let columns = self.shape[1];
        self.first_places().map(move |first| first..first + columns)
    }

    /// The place of a point, by row-major index.
    pub(super) fn place(&self, point: usize) -> usize {
        let columns = self.shape[1];
        (point / columns + 1) * self.row_places() + point % columns + 1
    }

    /// The point at a place.
    pub(super) fn point(&self, place: usize) -> usize {
        let row_places = self.row_places();
        (place / row_places - 1) * self.shape[1] + place % row_places - 1
    }

    pub(super) fn value(&self, place: usize) -> f64 {
        self.values[place]
    }

    /// Where a place comes in the total order (value, row-major index), which leaves no ties.
    #[inline]
    pub(super) fn rank(&self, place: usize) -> Rank {
        Rank(ordered_bits(self.values[place]), place as u64)
    }
}

/// A place of a [`Rimmed`] field without NaN, in that order. Whole numbers sort several times faster
/// than places whose values are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(u64, u64);

impl Rank {
    pub(super) fn place(self) -> usize {
        self.1 as usize
    }
}

/// A whole number for each value but NaN, in the order of the values; the same for both zeros.
fn ordered_bits(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    match value.is_sign_negative() && value != 0.0 {
        true => !bits,
        false => bits | 1 << 63,
    }
}
