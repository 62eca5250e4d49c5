//! A value of a graph as a view: which numbers of a layer's row, or of a constant, stand where.
//!
//! An axis is a product of parts, each so many numbers of a row, so many steps apart:
//!
//! ```text
//! a convolution lays out   [H, W, C]
//! the graph sees           [batch] [C: C x 1] [H: H x WC] [W: W x C]
//! as tokens                [batch] [H x WC, W x C] [C x 1]
//! as heads                 [batch] [H x WC, W x C] [heads x C/heads] [C/heads x 1]
//! ```
//!
//! So reshapes, transposes, slices and repetitions name the same numbers anew and cost nothing; a
//! kernel that wants another order makes a layer that moves them ([`Reader::laid`]). The batch is
//! one part, of which a row has a single entry, wherever the graph moves it: what would mix rows
//! is noticed.
//!
//! [`Reader::laid`]: super::reader::Reader::laid

use std::rc::Rc;

/// The size of a batch that the file leaves open: 2^31 - 1.
pub(super) const OPEN: usize = i32::MAX as usize;

/// A part of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) size: usize,
    /// Numbers from one entry to the next, 0 where all are the same one; none for the batch.
    pub(super) step: Option<usize>,
}

/// The parts of an axis, the outermost first; none where it is one entry wide.
pub(super) type Axis = Vec<Part>;

/// An order of parts: the axis and the part's place in it.
pub(super) type Order = Vec<(usize, usize)>;

/// What a value looks at.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// The row that a layer gives, by its number; 0 is the input.
    Layer(usize),
    Floats(Rc<[f32]>),
    /// Whole numbers: shapes, axes, places.
    Whole(Rc<[i64]>),
}

/// A value of the graph.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) of: Source,
    /// Where its first number stands.
    pub(super) start: usize,
    pub(super) axes: Vec<Axis>,
    /// What its numbers are multiplied by where it is a part of a layer's row, so that queries are
    /// scaled without those that stand beside them.
    pub(super) factor: f64,
}

/// Axes at most.
const MAX_RANK: usize = 16;

pub(super) fn size_of(axis: &[Part]) -> usize {
    axis.iter().map(|part| part.size).product()
}

/// The parts in fewer parts, where neighbours are evenly spaced.
pub(super) fn merged(parts: &[Part]) -> Vec<Part> {
    let mut merged: Vec<Part> = Vec::new();
    for &part in parts.iter().filter(|part| part.size != 1) {
        match (merged.last_mut(), part.step) {
            (Some(Part { size, step }), Some(inner)) if *step == Some(part.size * inner) => {
                *size *= part.size;
                *step = Some(inner);
            }
            _ => merged.push(part),
        }
    }
    merged
}

/// The parts in groups of these sizes; nothing where a border falls inside one that is not evenly
/// spaced, or inside the batch.
pub(super) fn split(parts: &[Part], sizes: &[usize]) -> Option<Vec<Axis>> {
    let mut left = merged(parts);
    left.reverse();
    let mut groups = Vec::with_capacity(sizes.len());
    for &size in sizes {
        let (mut missing, mut group) = (size, Vec::new());
        while missing > 1 {
            let part = left.pop()?;
            if missing.is_multiple_of(part.size) {
                missing /= part.size;
                group.push(part);
                continue;
            }
            let inner = part.size / missing;
            let step = part.step.filter(|_| part.size.is_multiple_of(missing))?;
            group.push(Part {
                size: missing,
                step: Some(step * inner),
            });
            left.push(Part {
                size: inner,
                step: Some(step),
            });
            missing = 1;
        }
        groups.push(group);
    }
    left.is_empty().then_some(groups)
}

/// The numbers that parts pick, from `start` on; the batch's are one.
pub(super) fn places(start: usize, parts: &[Part]) -> Vec<usize> {
    let mut places = vec![start];
    for part in parts {
        let Some(step) = part.step else { continue };
        let each = |place: usize| (0..part.size).map(move |k| place + k * step);
        places = places.into_iter().flat_map(each).collect();
    }
    places
}

/// Axes of these sizes over numbers that stand in this order of axes, the last one innermost.
pub(super) fn contiguous(sizes: &[usize], order: &[usize]) -> Vec<Axis> {
    let mut axes = vec![Vec::new(); sizes.len()];
    let mut step = 1;
    for &axis in order.iter().rev() {
        if sizes[axis] != 1 {
            axes[axis] = vec![Part {
                size: sizes[axis],
                step: Some(step),
            }];
        }
        step *= sizes[axis];
    }
    axes
}

impl Value {
    /// What `axes` name of a layer's row.
    pub(super) fn of_layer(number: usize, axes: Vec<Axis>) -> Self {
        Self {
            of: Source::Layer(number),
            start: 0,
            axes,
            factor: 1.0,
        }
    }

    /// A constant of this shape.
    pub(super) fn constant(of: Source, sizes: &[usize]) -> Self {
        let order: Vec<usize> = (0..sizes.len()).collect();
        Self {
            of,
            start: 0,
            axes: contiguous(sizes, &order),
            factor: 1.0,
        }
    }

    /// A list of whole numbers.
    pub(super) fn list(numbers: Vec<i64>) -> Self {
        let count = numbers.len();
        let mut list = Self::constant(Source::Whole(numbers.into()), &[count]);
        if count == 0 {
            let step = Some(1);
            list.axes = vec![vec![Part { size: 0, step }]];
        }
        list
    }

    pub(super) fn is_constant(&self) -> bool {
        !matches!(self.of, Source::Layer(_))
    }

    pub(super) fn rank(&self) -> usize {
        self.axes.len()
    }

    pub(super) fn sizes(&self) -> Vec<usize> {
        self.axes.iter().map(|axis| size_of(axis)).collect()
    }

    /// Numbers of one row, the batch counted once.
    pub(super) fn count(&self) -> usize {
        let parts = self.axes.iter().flatten();
        let own = parts.filter(|part| part.step.is_some());
        own.map(|part| part.size).product()
    }

    /// The parts in an order.
    pub(super) fn parts(&self, order: &[(usize, usize)]) -> Vec<Part> {
        order.iter().map(|&(axis, k)| self.axes[axis][k]).collect()
    }

    /// The parts of some axes, without the batch's.
    pub(super) fn order_of(&self, axes: impl IntoIterator<Item = usize>) -> Order {
        let parts = axes
            .into_iter()
            .flat_map(|axis| (0..self.axes[axis].len()).map(move |k| (axis, k)));
        parts
            .filter(|&(axis, k)| self.axes[axis][k].step.is_some())
            .collect()
    }

    /// The parts of some axes, those furthest apart first: the order in which they lie.
    pub(super) fn order_as_it_lies(&self, axes: impl IntoIterator<Item = usize>) -> Order {
        let mut order = self.order_of(axes);
        order.sort_by_key(|&(axis, k)| std::cmp::Reverse(self.axes[axis][k].step));
        order
    }

    /// The same axes over a row of layer `number` in which the parts stand in this order, one behind
    /// the other.
    pub(super) fn relaid(&self, number: usize, order: &[(usize, usize)]) -> Self {
        let mut axes = self.axes.clone();
        let mut step = 1;
        for &(axis, k) in order.iter().rev() {
            axes[axis][k].step = Some(step);
            step *= axes[axis][k].size;
        }
        Self::of_layer(number, axes)
    }

    pub(super) fn transposed(&self, order: &[usize]) -> Option<Self> {
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        let axes = || order.iter().map(|&axis| self.axes[axis].clone()).collect();
        sorted.into_iter().eq(0..self.rank()).then(|| Self {
            axes: axes(),
            ..self.clone()
        })
    }

    /// The same numbers by other axes; nothing where no steps name them.
    pub(super) fn reshaped(&self, sizes: &[usize]) -> Option<Self> {
        let axes = split(&self.axes.concat(), sizes).filter(|_| sizes.len() <= MAX_RANK)?;
        Some(Self {
            axes,
            ..self.clone()
        })
    }

    /// Entries `start`, `start + step` ... of an axis; nothing where no steps name them.
    pub(super) fn sliced(&self, axis: usize, [start, step, count]: [usize; 3]) -> Option<Self> {
        let whole = (start, step, count) == (0, 1, size_of(&self.axes[axis]));
        if whole {
            return Some(self.clone());
        }
        let own = merged(&self.axes[axis]);
        let mut sliced = self.clone();
        sliced.axes[axis] = match own[..] {
            [Part { step: None, .. }] => return None,
            [
                Part {
                    step: Some(own), ..
                },
            ] => {
                sliced.start += start * own;
                let step = Some(own * step);
                merged(&[Part { size: count, step }])
            }
            // One entry of several parts.
            _ if count == 1 => {
                let mut at = start;
                for part in own.iter().rev() {
                    sliced.start += at % part.size * part.step?;
                    at /= part.size;
                }
                Vec::new()
            }
            _ => return None,
        };
        Some(sliced)
    }

    /// Axes of one, and missing ones in front, repeated to these sizes, of which `batch` is the
    /// batch's.
    pub(super) fn repeated(&self, sizes: &[usize], batch: usize) -> Option<Self> {
        let missing = sizes.len().checked_sub(self.rank())?;
        let mut axes = vec![Vec::new(); missing];
        axes.extend(self.axes.iter().cloned());
        for (axis, &size) in axes.iter_mut().zip(sizes) {
            if size_of(axis) != size {
                let step = (size != batch).then_some(0);
                *axis = match size_of(axis) {
                    1 => vec![Part { size, step }],
                    _ => return None,
                };
            }
        }
        (sizes.len() <= MAX_RANK).then(|| Self {
            axes,
            ..self.clone()
        })
    }

    pub(super) fn with_axis(&self, at: usize) -> Option<Self> {
        let mut value = self.clone();
        (at <= self.rank() && self.rank() < MAX_RANK).then(|| value.axes.insert(at, Vec::new()))?;
        Some(value)
    }

    pub(super) fn without_axis(&self, at: usize) -> Option<Self> {
        let mut value = self.clone();
        (size_of(self.axes.get(at)?) == 1).then(|| value.axes.remove(at))?;
        Some(value)
    }
}

/// The sizes to which two shapes repeat, as numpy has it.
pub(super) fn common(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |sizes: &[usize], k: usize| match (k + sizes.len()).checked_sub(rank) {
        Some(k) => sizes[k],
        None => 1,
    };
    (0..rank)
        .map(|k| match (at(a, k), at(b, k)) {
            (a, b) if a == b || b == 1 => Some(a),
            (1, b) => Some(b),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: Part = Part {
        size: 7,
        step: None,
    };

    /// `[batch, C, H, W]` of a row `[H, W, C]`.
    fn image([height, width, channels]: [usize; 3]) -> Value {
        let mut axes = contiguous(&[channels, height, width], &[1, 2, 0]);
        axes.insert(0, vec![BATCH]);
        Value::of_layer(1, axes)
    }

    fn read(value: &Value) -> Vec<usize> {
        places(value.start, &value.axes.concat())
    }

    #[test]
    fn views_name_the_numbers_that_numpy_does() {
        let x = image([2, 3, 4]);
        assert_eq!(x.sizes(), [7, 4, 2, 3]);
        // x[0, 0] is the first channel.
        assert_eq!(read(&x)[..6], [0, 4, 8, 12, 16, 20]);
        let tokens = x.reshaped(&[7, 4, 6]).expect("pixels are evenly spaced");
        let tokens = tokens.transposed(&[0, 2, 1]).expect("an order");
        assert_eq!(read(&tokens), (0..24).collect::<Vec<_>>());
        let heads = tokens.reshaped(&[7, 6, 2, 2]).expect("two heads");
        let heads = heads.transposed(&[0, 2, 1, 3]).expect("an order");
        assert_eq!(read(&heads)[..4], [0, 1, 4, 5]);
        let joined = heads.reshaped(&[14, 6, 2]).expect("the batch and heads");
        assert_eq!(joined.sizes(), [14, 6, 2]);
        let last = heads.sliced(2, [5, 1, 1]).expect("a token");
        assert_eq!(read(&last), [20, 21, 22, 23]);
        let every_other = tokens.sliced(1, [1, 2, 3]).expect("three of six");
        assert_eq!(read(&every_other)[..5], [4, 5, 6, 7, 12]);
    }

    #[test]
    fn what_no_steps_name_is_no_view() {
        let x = image([2, 3, 4]);
        // Across channels and pixels.
        assert!(x.reshaped(&[7, 8, 3]).is_some());
        assert!(x.reshaped(&[7, 3, 8]).is_none());
        // Inside the batch, and other sizes.
        assert!(x.reshaped(&[3, 56]).is_none());
        assert!(x.reshaped(&[7, 25]).is_none());
        assert!(x.sliced(0, [0, 1, 1]).is_none());
        assert!(x.transposed(&[0, 1, 1, 2]).is_none());
        assert!(x.without_axis(1).is_none());
        assert!(x.reshaped(&[1; 40]).is_none());
    }

    #[test]
    fn constants_repeat_without_growing() {
        let class = Value::constant(Source::Floats([1.0, 2.0].into()), &[1, 1, 2]);
        let class = class.repeated(&[7, 3, 2], 7).expect("a token");
        assert_eq!(class.axes[0], [BATCH]);
        assert_eq!(read(&class), [0, 1, 0, 1, 0, 1]);
        assert!(class.repeated(&[7, 4, 2], 7).is_none());
        assert_eq!(common(&[7, 4, 1], &[2, 1, 5]), None);
        assert_eq!(common(&[4, 1], &[2, 1, 5]), Some(vec![2, 4, 5]));
    }
}
