//! From the layers of a file to drafts, one for each that computes something: shapes are followed and
//! checked, and nothing is folded yet.

use super::ModelError;
use super::draft::{Draft, Drafts, What};
use super::error::wrong_input;
use super::fold::{Affine, Kind, Linear};
use super::layer::{Arrangement, Combining, Layer, Op, STATED_SCALING_NAME, Window};
use super::shapes::{check_kernel, windows};
use super::sizes::{count, image};
use crate::kernels::{Activation, CombineLayer, PoolLayer, Pooling, RearrangeLayer, Windows};
use std::sync::Arc;

/// What a layer gives.
#[derive(Clone)]
struct Value {
    /// The draft value behind it.
    draft: usize,
    shape: Vec<usize>,
}

/// Layers on their way to drafts.
pub(super) struct Lowering {
    drafts: Vec<Draft>,
    values: Vec<Value>,
    /// Entries that lists of places may still have.
    places_left: usize,
}

/// Entries of all lists of places of a model together: 256 MiB.
const MAX_PLACES: usize = 1 << 26;

impl Lowering {
    /// Nothing but an input of this shape.
    ///
    /// # Errors
    /// [`ModelError`] where it has too many values, or none.
    pub(super) fn new(input_shape: Vec<usize>) -> Result<Self, ModelError> {
        count("the input", &input_shape, 0)?;
        let input = Value {
            draft: 0,
            shape: input_shape,
        };
        Ok(Self {
            drafts: Vec::new(),
            values: vec![input],
            places_left: MAX_PLACES,
        })
    }

    /// The shape of what the last layer so far gives.
    pub(super) fn shape(&self) -> &[usize] {
        &self.values.last().expect("the input is a value").shape
    }

    pub(super) fn finish(self) -> Drafts {
        let end = self.values.last().expect("the input is a value").draft;
        Drafts {
            drafts: self.drafts,
            end,
        }
    }

    /// Adds a layer's value.
    fn push(&mut self, draft: usize, shape: Vec<usize>) {
        self.values.push(Value { draft, shape });
    }

    /// Adds a step that gives a value of `shape`.
    fn draft(
        &mut self,
        name: String,
        takes: Vec<usize>,
        what: What,
        shape: &[usize],
    ) -> Result<usize, ModelError> {
        count(&name, shape, 0)?;
        self.drafts.push(Draft::new(name, takes, what, shape));
        Ok(self.drafts.len())
    }

    /// Adds a layer, which takes values of the layers before it.
    ///
    /// # Errors
    /// [`ModelError`] where a value has a shape that it does not take.
    pub(super) fn add(&mut self, layer: Layer) -> Result<(), ModelError> {
        let Layer {
            name, takes, op, ..
        } = layer;
        let from = self.values[takes[0]].clone();
        match op {
            Op::Softmax => {
                let values: usize = from.shape.iter().product();
                if from.shape.last() != Some(&values) {
                    let expected = "one value a class at the model's end".into();
                    return Err(wrong_input(&name, expected, &from.shape));
                }
                self.push(from.draft, from.shape);
            }
            Op::Activation(Activation::Linear) => {
                self.push(from.draft, from.shape);
            }
            Op::Reshape(shape) => {
                let values = from.shape.iter().product();
                let mut shape = shape.unwrap_or_else(|| vec![values]);
                if let Some(open) = shape.iter().position(|&size| size == 0) {
                    shape[open] = 1;
                    let others = shape
                        .iter()
                        .try_fold(1usize, |p, &size| p.checked_mul(size));
                    shape[open] = others.map_or(0, |others| values / others.max(1));
                }
                let reshaped = shape
                    .iter()
                    .try_fold(1usize, |p, &size| p.checked_mul(size));
                if reshaped != Some(values) {
                    let expected = format!("as many values as a shape of {shape:?} has");
                    return Err(wrong_input(&name, expected, &from.shape));
                }
                self.push(from.draft, shape);
            }
            Op::Axis { at, added } => {
                let mut shape = from.shape.clone();
                if added && at <= shape.len() {
                    shape.insert(at, 1);
                } else if !added && shape.get(at) == Some(&1) && shape.len() > 1 {
                    shape.remove(at);
                } else {
                    let expected = format!("an axis of one at {at}");
                    return Err(wrong_input(&name, expected, &from.shape));
                }
                self.push(from.draft, shape);
            }
            Op::Activation(activation) => self.activation(name, from, activation)?,
            Op::Affine { scale, offset } => self.affine(name, from, Affine { scale, offset })?,
            Op::Add => self.sum(&name, &takes)?,
            Op::Combine(combining) => self.combine(&name, [takes[0], takes[1]], combining)?,
            Op::Arrange(arrangement) => self.arrange(name, &takes, &arrangement)?,
            Op::Kernel(kernel) => {
                let shapes: Vec<&[usize]> = (takes.iter())
                    .map(|&value| &self.values[value].shape[..])
                    .collect();
                let (layer, shape) = kernel.build(&name, &shapes)?;
                let drafts = takes
                    .iter()
                    .map(|&value| self.values[value].draft)
                    .collect();
                let draft = self.draft(name, drafts, What::Ready(layer), &shape)?;
                self.push(draft, shape);
            }
            Op::Dense {
                inputs,
                kernel,
                bias,
            } => self.dense(name, from, inputs, kernel, bias)?,
            Op::Conv {
                shape,
                groups,
                kernel,
                bias,
                window,
            } => self.conv(name, from, groups, (shape, kernel, bias, window))?,
            Op::Pool {
                pooling,
                size,
                window,
            } => {
                let input = image(&name, &from.shape)?;
                let windows = windows(&name, input, size, window, input[2])?;
                self.pool(name, from, windows, pooling, windows.output.to_vec())?;
            }
            Op::GlobalPool(pooling) => {
                let [height, width, channels] = image(&name, &from.shape)?;
                let windows = Windows {
                    input: [height, width, channels],
                    output: [1, 1, channels],
                    size: [height, width],
                    stride: [1, 1],
                    before: [0, 0],
                    dilation: [1, 1],
                };
                self.pool(name, from, windows, pooling, vec![channels])?;
            }
        }
        Ok(())
    }

    fn pool(
        &mut self,
        name: String,
        from: Value,
        windows: Windows,
        pooling: Pooling,
        shape: Vec<usize>,
    ) -> Result<(), ModelError> {
        let what = What::Pool(PoolLayer { windows, pooling });
        let draft = self.draft(name, vec![from.draft], what, &shape)?;
        self.push(draft, shape);
        Ok(())
    }

    fn activation(
        &mut self,
        name: String,
        from: Value,
        activation: Activation,
    ) -> Result<(), ModelError> {
        let what = What::Elementwise(Affine::identity(), from.shape.iter().product());
        let draft = self.draft(name, vec![from.draft], what, &from.shape)?;
        self.drafts[draft - 1].activation = activation;
        self.push(draft, from.shape);
        Ok(())
    }

    fn affine(&mut self, name: String, from: Value, affine: Affine) -> Result<(), ModelError> {
        let values: usize = from.shape.iter().product();
        let channels = from.shape.last().copied().unwrap_or(1);
        for (entries, what) in [(&affine.scale, "scale"), (&affine.offset, "offset")] {
            if ![1, channels, values].contains(&entries.len()) {
                if name == STATED_SCALING_NAME {
                    return Err(ModelError::Config {
                        place: "`mean` and `std`".into(),
                        expected: format!("1 number or {channels}, one a channel or feature"),
                        found: format!("{} numbers", entries.len()),
                    });
                }
                return Err(ModelError::Shape {
                    name: format!("{what} of {name}"),
                    expected: format!("[{channels}]"),
                    found: vec![entries.len()],
                });
            }
        }
        let what = What::Elementwise(affine, values);
        let draft = self.draft(name, vec![from.draft], what, &from.shape)?;
        self.push(draft, from.shape);
        Ok(())
    }

    fn sum(&mut self, name: &str, takes: &[usize]) -> Result<(), ModelError> {
        let mut sum = self.values[takes[0]].clone();
        for &other in &takes[1..] {
            let shape = self.common_shape(name, &sum.shape, &self.values[other].shape)?;
            let other = self.values[other].clone();
            let takes = [
                self.repeated(name, &sum, &shape)?,
                self.repeated(name, &other, &shape)?,
            ];
            let what = What::Elementwise(Affine::identity(), shape.iter().product());
            sum.draft = self.draft(name.to_owned(), takes.to_vec(), what, &shape)?;
            sum.shape = shape;
        }
        self.push(sum.draft, sum.shape);
        Ok(())
    }

    /// The shape to which two repeat, as numpy has it.
    fn common_shape(
        &self,
        name: &str,
        first: &[usize],
        other: &[usize],
    ) -> Result<Vec<usize>, ModelError> {
        let rank = first.len().max(other.len());
        let at = |shape: &[usize], k: usize| match (k + shape.len()).checked_sub(rank) {
            Some(k) => shape[k],
            None => 1,
        };
        (0..rank)
            .map(|k| match (at(first, k), at(other, k)) {
                (a, b) if a == b || b == 1 => Ok(a),
                (1, b) => Ok(b),
                _ => {
                    let expected = format!("values of one shape, the first is {first:?}");
                    Err(wrong_input(name, expected, other))
                }
            })
            .collect()
    }

    /// The draft of a value repeated to a shape.
    fn repeated(
        &mut self,
        name: &str,
        value: &Value,
        shape: &[usize],
    ) -> Result<usize, ModelError> {
        let [own, all] = [&value.shape[..], shape].map(|shape| shape.iter().product::<usize>());
        if own == all {
            return Ok(value.draft);
        }
        let to = Arrangement::Broadcast(shape.to_vec());
        let arranged = to.of(name, &[&value.shape], self.places_left)?;
        self.places_left -= arranged.places.len();
        let layer = RearrangeLayer::new([own, 0], arranged.places, 0.0);
        let what = What::Ready(Arc::new(layer));
        self.draft(name.to_owned(), vec![value.draft], what, shape)
    }

    fn combine(
        &mut self,
        name: &str,
        takes: [usize; 2],
        combining: Combining,
    ) -> Result<(), ModelError> {
        let [mut first, mut other] = takes.map(|value| self.values[value].clone());
        let shape = self.common_shape(name, &first.shape, &other.shape)?;
        let values: usize = shape.iter().product();
        let count = |value: &Value| value.shape.iter().product::<usize>();
        if count(&first) < count(&other) && combining != Combining::Quotient {
            std::mem::swap(&mut first, &mut other);
        }
        let first = self.repeated(name, &first, &shape)?;
        // One value a channel or a pixel is read again and again; other repetitions are made.
        let others = count(&other);
        let rank = shape.len();
        let own = [vec![1; rank - other.shape.len()], other.shape.clone()].concat();
        let split = own.iter().position(|&size| size > 1).unwrap_or(rank);
        let end = own
            .iter()
            .rposition(|&size| size > 1)
            .map_or(rank, |k| k + 1);
        let (repeat, fits) = if own[split..] == shape[split..] {
            (1, true)
        } else if own[..end] == shape[..end] && own[end..].iter().all(|&size| size == 1) {
            (shape[end..].iter().product(), true)
        } else {
            (1, false)
        };
        let (draft, others) = match fits {
            true => (other.draft, others),
            false => (self.repeated(name, &other, &shape)?, values),
        };
        let layer = CombineLayer {
            values,
            others,
            repeat,
            combining,
            activation: Activation::Linear,
        };
        let what = What::Ready(Arc::new(layer));
        let draft = self.draft(name.to_owned(), vec![first, draft], what, &shape)?;
        self.push(draft, shape);
        Ok(())
    }

    fn arrange(
        &mut self,
        name: String,
        takes: &[usize],
        arrangement: &Arrangement,
    ) -> Result<(), ModelError> {
        let taken: Vec<Value> = takes
            .iter()
            .map(|&value| self.values[value].clone())
            .collect();
        let shapes: Vec<&[usize]> = taken.iter().map(|value| &value.shape[..]).collect();
        let arranged = arrangement.of(&name, &shapes, self.places_left)?;
        self.places_left -= arranged.places.len();
        let counts: Vec<usize> = shapes.iter().map(|shape| shape.iter().product()).collect();
        let in_place = |places: &[u32]| places.iter().zip(0..).all(|(place, k)| *place == k);
        if taken.len() == 1 && arranged.places.len() == counts[0] && in_place(&arranged.places) {
            self.push(taken[0].draft, arranged.shape);
            return Ok(());
        }
        // Two at a time: all but the last one after the other first.
        let (mut draft, mut count) = (taken[0].draft, counts[0]);
        let last = taken.len() - 1;
        for k in 1..last {
            let both = count + counts[k];
            self.places_left =
                (self.places_left.checked_sub(both)).ok_or_else(|| ModelError::TooLarge {
                    name: name.clone(),
                    shape: vec![both],
                    limit: MAX_PLACES,
                })?;
            let places = (0..both as u32).collect();
            let layer = RearrangeLayer::new([count, counts[k]], places, 0.0);
            let what = What::Ready(Arc::new(layer));
            let takes = vec![draft, taken[k].draft];
            draft = self.draft(name.clone(), takes, what, &[both])?;
            count = both;
        }
        let second = (last > 0).then(|| counts[last]);
        let layer = RearrangeLayer::new([count, second.unwrap_or(0)], arranged.places, 0.0);
        let layer = Arc::new(layer);
        let what = match arrangement {
            Arrangement::Pad { rows, columns } => What::Frame {
                layer,
                before: [rows[0], columns[0]],
                after: [rows[1], columns[1]],
            },
            _ => What::Ready(layer),
        };
        let mut takes = vec![draft];
        takes.extend(second.map(|_| taken[last].draft));
        let draft = self.draft(name, takes, what, &arranged.shape)?;
        self.push(draft, arranged.shape);
        Ok(())
    }

    /// A dense layer works on the last axis: on an image it is a convolution of single pixels.
    fn dense(
        &mut self,
        name: String,
        from: Value,
        inputs: usize,
        kernel: Vec<f32>,
        bias: Vec<f32>,
    ) -> Result<(), ModelError> {
        let (&channels, pixels) = from.shape.split_last().unwrap_or((&1, &[]));
        check_kernel(&name, &from.shape, &kernel, &[inputs, bias.len()], channels)?;
        let outputs = bias.len();
        let kind = match pixels.iter().product() {
            1 => Kind::Dense,
            pixels => {
                let windows = Windows {
                    input: [pixels, 1, channels],
                    output: [pixels, 1, outputs],
                    size: [1, 1],
                    stride: [1, 1],
                    before: [0, 0],
                    dilation: [1, 1],
                };
                Kind::Conv(windows, 1)
            }
        };
        let shape = [pixels, &[outputs]].concat();
        let linear = Linear {
            kind,
            inputs,
            kernel,
            bias,
        };
        self.linear(name, &from, linear, outputs, shape)
    }

    fn conv(
        &mut self,
        name: String,
        from: Value,
        groups: usize,
        (shape, kernel, bias, window): ([usize; 4], Vec<f32>, Vec<f32>, Window),
    ) -> Result<(), ModelError> {
        let [height, width, inputs, outputs] = shape;
        let input = image(&name, &from.shape)?;
        if groups == 0 || !outputs.is_multiple_of(groups) || !input[2].is_multiple_of(groups) {
            let expected = format!("channels in {groups} equal groups, as its {outputs} outputs");
            return Err(wrong_input(&name, expected, &from.shape));
        }
        check_kernel(&name, &from.shape, &kernel, &shape, input[2] / groups)?;
        debug_assert_eq!(inputs * groups, input[2]);
        let windows = windows(&name, input, [height, width], window, outputs)?;
        let linear = Linear {
            kind: Kind::Conv(windows, groups),
            inputs: input[2],
            kernel,
            bias,
        };
        self.linear(name, &from, linear, outputs, windows.output.to_vec())
    }

    /// Adds sums of products.
    fn linear(
        &mut self,
        name: String,
        from: &Value,
        linear: Linear,
        outputs: usize,
        shape: Vec<usize>,
    ) -> Result<(), ModelError> {
        if linear.bias.len() != outputs {
            return Err(ModelError::Shape {
                name: format!("{name}.bias"),
                expected: format!("[{outputs}]"),
                found: vec![linear.bias.len()],
            });
        }
        let draft = self.draft(name, vec![from.draft], What::Linear(linear), &shape)?;
        self.push(draft, shape);
        Ok(())
    }
}
