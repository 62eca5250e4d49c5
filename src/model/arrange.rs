//! Values that change places: which shape comes out, and where each value of it was. What these
//! layers do is written once, as lists of places, and one kernel runs them all.

use super::ModelError;
use super::error::wrong_input;
use crate::kernels::RearrangeLayer;
use std::sync::Arc;

/// How values change places. Axes count from 0, without the batch's.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Arrangement {
    /// Several values one after the other along an axis; counted from the last where negative.
    Concat { axis: i64 },
    /// Several values of one shape side by side along a new axis.
    Stack { axis: i64 },
    /// A frame of zeros around an image: rows above and below, columns left and right.
    Pad {
        rows: [usize; 2],
        columns: [usize; 2],
    },
    /// Rows above and below and columns left and right left out.
    Crop {
        rows: [usize; 2],
        columns: [usize; 2],
    },
    /// The middle of an image, of this height and width.
    Centre([usize; 2]),
    /// Axis `k` is what axis `order[k]` was.
    Permute(Vec<usize>),
    /// Each pixel so many times, down and across.
    Repeat([usize; 2]),
    /// Zeros between pixels: pixel `k` comes to `k * stride`.
    Spread([usize; 2]),
    /// Parts of axes as Python's index picks them, behind the batch's.
    Index(Vec<Key>),
    /// Repeated along axes of one, and along axes it does not have in front, to this shape.
    Broadcast(Vec<usize>),
    /// A shape, and where each of its values stands among those of all inputs, one after the other;
    /// what is past them all is 0.
    #[cfg_attr(
        not(feature = "onnx"),
        expect(dead_code, reason = "only ONNX graphs move values one by one")
    )]
    Places(Vec<usize>, Arc<[u32]>),
}

/// One entry of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// All axes that the others leave.
    Ellipsis,
    /// One place, counted from the end where negative; the axis goes.
    At(i64),
    /// `start:stop:step`
    Range {
        start: Option<i64>,
        stop: Option<i64>,
        step: i64,
    },
}

/// A part of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    start: usize,
    step: i64,
    count: usize,
    /// Whether the axis goes, which is one value wide then.
    dropped: bool,
}

impl Key {
    /// The part of an axis of this size.
    fn part(self, size: usize) -> Option<Part> {
        let size = i64::try_from(size).ok()?;
        let (start, stop, step, dropped) = match self {
            Self::Ellipsis => (0, size, 1, false),
            Self::At(at) => {
                let at = if at < 0 { at + size } else { at };
                ((0..size).contains(&at)).then_some((at, at + 1, 1, true))?
            }
            Self::Range { start, stop, step } => {
                // Python's own rule: from the end where negative, cut to what there is.
                let (least, most) = if step > 0 { (0, size) } else { (-1, size - 1) };
                let cut = |at: i64| (if at < 0 { at + size } else { at }).clamp(least, most);
                let (first, last) = if step > 0 { (0, size) } else { (size - 1, -1) };
                (
                    start.map_or(first, cut),
                    stop.map_or(last, cut),
                    step,
                    false,
                )
            }
        };
        let away = if step > 0 { stop - start } else { start - stop };
        let count = (away.max(0) as u64).div_ceil(step.unsigned_abs().max(1));
        Some(Part {
            start: usize::try_from(start).ok()?,
            step,
            count: usize::try_from(count).ok().filter(|&count| count > 0)?,
            dropped,
        })
    }
}

/// The parts of a shape that an index picks.
fn parts(keys: &[Key], shape: &[usize]) -> Option<Vec<Part>> {
    let given = keys.iter().filter(|key| **key != Key::Ellipsis).count();
    let left = shape.len().checked_sub(given)?;
    let mut all = Vec::new();
    let mut open = true;
    for key in keys {
        match key {
            Key::Ellipsis if open => {
                all.extend(std::iter::repeat_n(Key::Ellipsis, left));
                open = false;
            }
            Key::Ellipsis => return None,
            key => all.push(*key),
        }
    }
    all.resize(shape.len(), Key::Ellipsis);
    all.iter()
        .zip(shape)
        .map(|(key, &size)| key.part(size))
        .collect()
}

/// Shape of what comes out, and the place of each value among those of all inputs, one after the
/// other.
pub(super) struct Arranged {
    pub(super) shape: Vec<usize>,
    pub(super) places: Vec<u32>,
}

impl Arrangement {
    /// What is made of values of these shapes, of `total` values at most.
    pub(super) fn of(
        &self,
        name: &str,
        shapes: &[&[usize]],
        most: usize,
    ) -> Result<Arranged, ModelError> {
        let first = shapes[0];
        let wrong = |expected: &str| wrong_input(name, expected.to_owned(), first);
        let image = || match first {
            &[height, width, channels] => Ok([height, width, channels]),
            _ => Err(wrong("an image [height, width, channels]")),
        };
        let inputs = sum(shapes.iter().map(|shape| shape.iter().product()));
        let too_large = |shape: &[usize]| ModelError::TooLarge {
            name: name.to_owned(),
            shape: shape.to_vec(),
            limit: most,
        };
        let fits = |shape: &[usize]| {
            let count = (shape.iter()).try_fold(1usize, |all, &size| all.checked_mul(size));
            let count = count.filter(|count| (1..=most).contains(count));
            let inputs = inputs.filter(|&inputs| inputs < RearrangeLayer::FILL as usize);
            count.zip(inputs).ok_or_else(|| too_large(shape))
        };
        // The shape that comes out, and where the value at an index comes from: the input, and the index
        // in it, which is written to the end of a list.
        type From<'f> = Box<dyn Fn(&[usize], &mut Vec<usize>) -> Option<usize> + 'f>;
        let (shape, from): (Vec<usize>, From<'_>) = match self {
            Self::Places(shape, places) => {
                let (_, inputs) = fits(shape)?;
                let place = |&place: &u32| match (place as usize) < inputs {
                    true => place,
                    false => RearrangeLayer::FILL,
                };
                return Ok(Arranged {
                    shape: shape.clone(),
                    places: places.iter().map(place).collect(),
                });
            }
            Self::Concat { axis } => {
                let axis =
                    counted(*axis, first.len()).ok_or_else(|| wrong("the axis that is joined"))?;
                for other in shapes {
                    let fits = other.len() == first.len()
                        && (0..first.len()).all(|k| k == axis || other[k] == first[k]);
                    if !fits {
                        let expected = format!(
                            "shapes that differ in axis {axis} alone, the first is {first:?}"
                        );
                        return Err(wrong_input(name, expected, other));
                    }
                }
                let mut shape = first.to_vec();
                shape[axis] = sum(shapes.iter().map(|shape| shape[axis]))
                    .ok_or_else(|| wrong("sizes that can be added"))?;
                let sizes: Vec<usize> = shapes.iter().map(|shape| shape[axis]).collect();
                let from = move |index: &[usize], to: &mut Vec<usize>| {
                    to.extend(index);
                    for (input, &size) in sizes.iter().enumerate() {
                        if to[axis] < size {
                            return Some(input);
                        }
                        to[axis] -= size;
                    }
                    None
                };
                (shape, Box::new(from))
            }
            Self::Stack { axis } => {
                let axis = counted(*axis, first.len() + 1)
                    .ok_or_else(|| wrong("the axis that is made"))?;
                if let Some(other) = shapes.iter().find(|shape| **shape != first) {
                    let expected = format!("values of one shape, the first is {first:?}");
                    return Err(wrong_input(name, expected, other));
                }
                let mut shape = first.to_vec();
                shape.insert(axis, shapes.len());
                let from = move |index: &[usize], to: &mut Vec<usize>| {
                    to.extend(index[..axis].iter().chain(&index[axis + 1..]));
                    Some(index[axis])
                };
                (shape, Box::new(from))
            }
            Self::Pad { rows, columns } => {
                let [height, width, channels] = image()?;
                let size = |size, pad: &[usize; 2]| {
                    sum([size, pad[0], pad[1]]).ok_or_else(|| wrong("less padding"))
                };
                let shape = vec![size(height, rows)?, size(width, columns)?, channels];
                let (above, left) = (rows[0], columns[0]);
                let from = move |index: &[usize], to: &mut Vec<usize>| {
                    let row = index[0].checked_sub(above).filter(|&row| row < height)?;
                    let column = index[1]
                        .checked_sub(left)
                        .filter(|&column| column < width)?;
                    to.extend([row, column, index[2]]);
                    Some(0)
                };
                (shape, Box::new(from))
            }
            Self::Crop { rows, columns } => {
                let [height, width, channels] = image()?;
                let left = |size: usize, cut: &[usize; 2]| {
                    sum(*cut)
                        .and_then(|cut| size.checked_sub(cut))
                        .filter(|&size| size > 0)
                };
                let shape = left(height, rows).zip(left(width, columns));
                let (height, width) =
                    shape.ok_or_else(|| wrong("an image larger than what is cut off"))?;
                let (above, left) = (rows[0], columns[0]);
                let from = move |index: &[usize], to: &mut Vec<usize>| {
                    to.extend([index[0] + above, index[1] + left, index[2]]);
                    Some(0)
                };
                (vec![height, width, channels], Box::new(from))
            }
            Self::Centre(size) => {
                let [height, width, channels] = image()?;
                if size[0] > height || size[1] > width {
                    return Err(wrong(&format!("an image of at least {size:?}")));
                }
                let (above, left) = ((height - size[0]) / 2, (width - size[1]) / 2);
                let from = move |index: &[usize], to: &mut Vec<usize>| {
                    to.extend([index[0] + above, index[1] + left, index[2]]);
                    Some(0)
                };
                (vec![size[0], size[1], channels], Box::new(from))
            }
            Self::Permute(order) => {
                let mut sorted = order.clone();
                sorted.sort_unstable();
                if !sorted.into_iter().eq(0..first.len()) {
                    return Err(wrong(&format!("as many axes as in {order:?}")));
                }
                let shape = order.iter().map(|&axis| first[axis]).collect();
                let order = order.clone();
                let from = move |index: &[usize], to: &mut Vec<usize>| {
                    to.resize(order.len(), 0);
                    for (&axis, &at) in order.iter().zip(index) {
                        to[axis] = at;
                    }
                    Some(0)
                };
                (shape, Box::new(from))
            }
            Self::Repeat(times) => {
                let [height, width, channels] = image()?;
                let times = *times;
                let shape = height
                    .checked_mul(times[0])
                    .zip(width.checked_mul(times[1]));
                let (height, width) = shape.ok_or_else(|| wrong("fewer repetitions"))?;
                let from = move |index: &[usize], to: &mut Vec<usize>| {
                    to.extend([index[0] / times[0], index[1] / times[1], index[2]]);
                    Some(0)
                };
                (vec![height, width, channels], Box::new(from))
            }
            Self::Spread(strides) => {
                let [height, width, channels] = image()?;
                let strides = *strides;
                let size =
                    |size: usize, stride: usize| (size - 1).checked_mul(stride)?.checked_add(1);
                let shape = size(height, strides[0]).zip(size(width, strides[1]));
                let (height, width) = shape.ok_or_else(|| wrong("smaller strides"))?;
                let from = move |index: &[usize], to: &mut Vec<usize>| {
                    let on =
                        index[0].is_multiple_of(strides[0]) && index[1].is_multiple_of(strides[1]);
                    to.extend([index[0] / strides[0], index[1] / strides[1], index[2]]);
                    on.then_some(0)
                };
                (vec![height, width, channels], Box::new(from))
            }
            Self::Index(keys) => {
                let parts = parts(keys, first).ok_or_else(|| wrong("an index that lies inside"))?;
                let at = |part: &Part, k: usize| -> Option<usize> {
                    let step = part.step.checked_mul(i64::try_from(k).ok()?)?;
                    usize::try_from(i64::try_from(part.start).ok()?.checked_add(step)?).ok()
                };
                let kept: Vec<usize> = (parts.iter())
                    .filter(|part| !part.dropped)
                    .map(|part| part.count)
                    .collect();
                let from = move |index: &[usize], to: &mut Vec<usize>| {
                    let mut kept = index.iter();
                    for part in &parts {
                        to.push(match part.dropped {
                            true => part.start,
                            false => at(part, *kept.next()?)?,
                        });
                    }
                    Some(0)
                };
                // A shape without an axis is one value.
                (if kept.is_empty() { vec![1] } else { kept }, Box::new(from))
            }
            Self::Broadcast(shape) => {
                let Some(missing) = shape.len().checked_sub(first.len()) else {
                    return Err(wrong(&format!("a shape that repeats to {shape:?}")));
                };
                let own = first.to_vec();
                if !own
                    .iter()
                    .zip(&shape[missing..])
                    .all(|(&own, &size)| own == 1 || own == size)
                {
                    return Err(wrong(&format!("a shape that repeats to {shape:?}")));
                }
                let from = move |index: &[usize], to: &mut Vec<usize>| {
                    let own = own.iter().zip(&index[missing..]);
                    to.extend(own.map(|(&size, &at)| if size == 1 { 0 } else { at }));
                    Some(0)
                };
                (shape.clone(), Box::new(from))
            }
        };
        let (count, _) = fits(&shape)?;
        let starts: Vec<usize> = (shapes.iter())
            .scan(0, |at, shape| {
                let start = *at;
                *at += shape.iter().product::<usize>();
                Some(start)
            })
            .collect();
        let (mut index, mut at) = (vec![0; shape.len()], Vec::new());
        let mut places = Vec::with_capacity(count);
        for _ in 0..count {
            at.clear();
            places.push(match from(&index, &mut at) {
                None => RearrangeLayer::FILL,
                Some(input) => {
                    let within =
                        (at.iter().zip(shapes[input])).fold(0, |all, (at, size)| all * size + at);
                    (starts[input] + within) as u32
                }
            });
            // The next index, the last axis first.
            for (at, &size) in index.iter_mut().zip(&shape).rev() {
                *at += 1;
                if *at < size {
                    break;
                }
                *at = 0;
            }
        }
        Ok(Arranged { shape, places })
    }
}

fn sum(sizes: impl IntoIterator<Item = usize>) -> Option<usize> {
    sizes
        .into_iter()
        .try_fold(0usize, |all, size| all.checked_add(size))
}

/// An axis counted from the front.
fn counted(axis: i64, rank: usize) -> Option<usize> {
    let rank = i64::try_from(rank).ok()?;
    let axis = if axis < 0 { axis + rank } else { axis };
    (0..rank).contains(&axis).then_some(axis as usize)
}
