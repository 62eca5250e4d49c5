//! The answers of many points, looked at side by side.
//!
//! Answers are stored point by point, but every point is asked the same: its largest value, a sum of
//! exponentials. Stored class by class in blocks of points, one vector instruction serves several
//! points.

use super::exponential::{exp, ln};
use super::grid::check_shape;
use pulp::{Arch, Simd, WithSimd};

/// Points side by side.
const BLOCK: usize = 16;

/// Values `[points, num_classes]` in blocks of points.
pub(super) struct Blocks {
    points: usize,
    num_classes: usize,
    /// Block by block, of each class the values of the block's points; zeros fill the last block.
    values: Vec<[f32; BLOCK]>,
}

/// Exponentials `exp(f_k - f_max)` of each point; after the last point, what zeros give fills the last
/// block.
pub(super) struct Exponentials {
    /// Their sum over all classes that were not named.
    pub(super) others: Vec<f64>,
    /// Those of the classes that were named, in that order.
    pub(super) named: Vec<Vec<f64>>,
    /// The largest logit `f_max`.
    pub(super) largest: Vec<f64>,
}

/// The two largest values of each point.
#[derive(Debug, Default)]
pub(super) struct Tops {
    /// Whose the largest is; of equal ones the first.
    pub(super) labels: Vec<u32>,
    /// The largest.
    pub(super) first: Vec<f32>,
    /// The next largest; at a tie the same.
    pub(super) second: Vec<f32>,
    /// 0 where all of a point's values are finite, else NaN.
    zero_if_finite: Vec<f32>,
}

impl Tops {
    /// By how much a point's largest value leads.
    pub(super) fn margin(&self, point: usize) -> f64 {
        f64::from(self.first[point]) - f64::from(self.second[point])
    }

    /// Whether all values of a point are finite.
    pub(super) fn is_finite(&self, point: usize) -> bool {
        self.zero_if_finite[point] == 0.0
    }
}

impl Blocks {
    /// The blocks of values `[points, num_classes]`.
    ///
    /// # Panics
    /// When values do not divide into classes.
    pub(super) fn new(values: &[f32], num_classes: usize) -> Self {
        let points = values.len() / num_classes;
        check_shape(values.len(), [points, 1], num_classes);
        let mut blocks = vec![[0.0; BLOCK]; points.div_ceil(BLOCK) * num_classes];
        let of_blocks = values.chunks(BLOCK * num_classes);
        for (block, values) in blocks.chunks_exact_mut(num_classes).zip(of_blocks) {
            for (k, point) in values.chunks_exact(num_classes).enumerate() {
                for (class, &value) in block.iter_mut().zip(point) {
                    class[k] = value;
                }
            }
        }
        Self {
            points,
            num_classes,
            values: blocks,
        }
    }

    /// The two largest values of each point.
    pub(super) fn tops(&self) -> Tops {
        let mut tops = Tops::default();
        Arch::new().dispatch(FindTops(self, &mut tops));
        tops.labels.truncate(self.points);
        tops.first.truncate(self.points);
        tops.second.truncate(self.points);
        tops.zero_if_finite.truncate(self.points);
        tops
    }

    /// Each point's entropy `-sum_k p_k ln p_k`, nats, with `0 ln 0 = 0`.
    pub(super) fn entropies(&self) -> Vec<f64> {
        let mut entropies = Vec::with_capacity(self.points + BLOCK);
        Arch::new().dispatch(Entropies(self, &mut entropies));
        entropies.truncate(self.points);
        entropies
    }

    /// The exponentials of logits, those of the classes `named` by themselves.
    pub(super) fn exponentials(&self, named: &[usize]) -> Exponentials {
        let mut found = Exponentials {
            others: Vec::with_capacity(self.points + BLOCK),
            named: vec![Vec::with_capacity(self.points + BLOCK); named.len()],
            largest: Vec::with_capacity(self.points + BLOCK),
        };
        Arch::new().dispatch(Exponentiate(self, named, &mut found));
        found
    }

    pub(super) fn points(&self) -> usize {
        self.points
    }

    /// A point's value for a class.
    pub(super) fn value(&self, point: usize, class: usize) -> f32 {
        self.values[point / BLOCK * self.num_classes + class][point % BLOCK]
    }

    pub(super) fn num_classes(&self) -> usize {
        self.num_classes
    }

    fn blocks(&self) -> impl Iterator<Item = &[[f32; BLOCK]]> {
        self.values.chunks_exact(self.num_classes)
    }
}

struct FindTops<'a>(&'a Blocks, &'a mut Tops);

impl WithSimd for FindTops<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<V: Simd>(self, simd: V) {
        let Self(blocks, tops) = self;
        let points = blocks.values.len() / blocks.num_classes * BLOCK;
        tops.labels.resize(points, 0);
        tops.first.resize(points, 0.0);
        tops.second.resize(points, 0.0);
        tops.zero_if_finite.resize(points, 0.0);
        for (n, block) in blocks.blocks().enumerate() {
            let points = n * BLOCK..(n + 1) * BLOCK;
            let (labels, _) = V::as_mut_simd_u32s(&mut tops.labels[points.clone()]);
            let (first, _) = V::as_mut_simd_f32s(&mut tops.first[points.clone()]);
            let (second, _) = V::as_mut_simd_f32s(&mut tops.second[points.clone()]);
            let (zero_if_finite, _) = V::as_mut_simd_f32s(&mut tops.zero_if_finite[points]);
            for k in 0..labels.len() {
                let mut label = simd.splat_u32s(0);
                let least = simd.splat_f32s(f32::NEG_INFINITY);
                let (mut top, mut next) = (least, least);
                let mut zero = simd.splat_f32s(0.0);
                for (class, values) in block.iter().enumerate() {
                    let value = V::as_simd_f32s(values).0[k];
                    let is_top = simd.less_than_f32s(top, value);
                    let is_next = simd.less_than_f32s(next, value);
                    let below = simd.select_f32s(is_next, value, next);
                    next = simd.select_f32s(is_top, top, below);
                    top = simd.select_f32s(is_top, value, top);
                    label = simd.select_u32s(is_top, simd.splat_u32s(class as u32), label);
                    zero = simd.add_f32s(zero, simd.mul_f32s(value, simd.splat_f32s(0.0)));
                }
                (labels[k], first[k], second[k], zero_if_finite[k]) = (label, top, next, zero);
            }
        }
    }
}

struct Entropies<'a>(&'a Blocks, &'a mut Vec<f64>);

impl WithSimd for Entropies<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<V: Simd>(self, _: V) {
        let Self(blocks, entropies) = self;
        for block in blocks.blocks() {
            let mut sums = [0.0; BLOCK];
            for values in block {
                for k in 0..BLOCK {
                    let p = f64::from(values[k]);
                    let is_there = p > 0.0;
                    let p = if is_there { p } else { 1.0 };
                    sums[k] -= p * ln(p);
                }
            }
            entropies.extend_from_slice(&sums);
        }
    }
}

struct Exponentiate<'a>(&'a Blocks, &'a [usize], &'a mut Exponentials);

impl WithSimd for Exponentiate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<V: Simd>(self, _: V) {
        let Self(blocks, named, found) = self;
        for block in blocks.blocks() {
            let mut largest = [f32::NEG_INFINITY; BLOCK];
            for values in block {
                for k in 0..BLOCK {
                    largest[k] = if values[k] > largest[k] {
                        values[k]
                    } else {
                        largest[k]
                    };
                }
            }
            let mut tops = [0.0; BLOCK];
            for k in 0..BLOCK {
                tops[k] = f64::from(largest[k]);
            }
            let mut others = [0.0; BLOCK];
            for (class, values) in block.iter().enumerate() {
                let mut exponentials = [0.0; BLOCK];
                for k in 0..BLOCK {
                    exponentials[k] = exp(f64::from(values[k]) - tops[k]);
                }
                match named.iter().position(|&one| one == class) {
                    Some(at) => found.named[at].extend_from_slice(&exponentials),
                    None => {
                        for k in 0..BLOCK {
                            others[k] += exponentials[k];
                        }
                    }
                }
            }
            found.others.extend_from_slice(&others);
            found.largest.extend_from_slice(&tops);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::Scalar;

    #[test]
    fn a_value_at_a_time_finds_the_same_as_vectors() {
        let values: Vec<f32> = (0..19 * 7).map(|k| (k * k * 31 % 11) as f32).collect();
        let blocks = Blocks::new(&values, 7);
        let mut alone = Tops::default();
        Scalar.vectorize(FindTops(&blocks, &mut alone));
        let found = blocks.tops();
        assert_eq!(alone.labels[..19], found.labels);
        assert_eq!(alone.first[..19], found.first);
        assert_eq!(alone.second[..19], found.second);
        for (point, values) in values.chunks_exact(7).enumerate() {
            let mut sorted = values.to_vec();
            sorted.sort_by(|a, b| b.total_cmp(a));
            let label = values.iter().position(|value| *value == sorted[0]);
            assert_eq!(Some(found.labels[point] as usize), label);
            assert_eq!([found.first[point], found.second[point]], sorted[..2]);
        }
    }

    #[test]
    fn of_equal_values_the_first_is_the_label_and_gaps_are_seen() {
        let values = [
            [0.2f32, 0.4, 0.4],
            [0.5, 0.5, 0.0],
            [0.1, f32::NAN, 0.2],
            [1.0, 2.0, f32::INFINITY],
        ];
        let tops = Blocks::new(&values.concat(), 3).tops();
        assert_eq!(tops.labels[..2], [1, 0]);
        assert_eq!(
            (tops.first[0], tops.second[0], tops.margin(1)),
            (0.4, 0.4, 0.0)
        );
        let finite = [0, 1, 2, 3].map(|point| tops.is_finite(point));
        assert_eq!(finite, [true, true, false, false]);
        assert_eq!(tops.labels.len(), 4);
    }
}
