//! From the layers of a file to the steps of a model.
//!
//! ```text
//! layers ─ follow shapes, draft steps ─> drafts ─ leave out what was absorbed ─> steps
//! ```
//!
//! Layers are taken in order, each once. A scaling joins the layer before it, or waits as a step
//! of its own until a layer behind can take it in; an activation joins the step before it;
//! reshapes and a softmax at the end leave no step. A step may only take something in when no
//! other layer sees the value between the two.

use super::draft::{Draft, What, steps};
use super::error::wrong_input;
use super::fold::{Affine, Kind, Linear};
use super::functions::name_of;
use super::layer::{Arrangement, Combining, Layer, Op, Padding, Window, input_scaling};
use super::output::{End, Finish, Link, Output};
use super::scaling::InputScaling;
use super::shapes::{check_kernel, order, shape_from_dense, takers, windows};
use super::sizes::{count, image};
use super::{LayerSummary, ModelError, Step};
use crate::kernels::{Activation, CombineLayer, PoolLayer, Pooling, RearrangeLayer, Windows};
use std::sync::Arc;

/// What is made of layers.
pub(super) struct Assembled {
    pub(super) steps: Vec<Step>,
    pub(super) layers: Vec<LayerSummary>,
    pub(super) input_shape: Vec<usize>,
    pub(super) scaling: InputScaling,
    pub(super) link: Link,
    pub(super) notes: Vec<String>,
    /// The layer of sigmoids at the end, where logits are what stands before it.
    pub(super) sigmoids: Option<usize>,
}

/// What a layer gives.
#[derive(Clone)]
struct Value {
    /// The draft value behind it.
    draft: usize,
    shape: Vec<usize>,
    /// Whether at most one layer sees the draft's value.
    sole: bool,
    /// The zeros around it, where it is an image in a frame of zeros.
    frame: Option<Frame>,
}

/// Zeros around an image.
#[derive(Clone)]
struct Frame {
    inside: Box<Value>,
    before: [usize; 2],
    after: [usize; 2],
}

struct Assembly {
    drafts: Vec<Draft>,
    values: Vec<Value>,
    /// How many layers take each value.
    takers: Vec<usize>,
    /// Values of all drafts so far.
    total: usize,
    /// Entries that lists of places may still have.
    places_left: usize,
}

/// Entries of all lists of places of a model together: 256 MiB.
const MAX_PLACES: usize = 1 << 26;

/// Follows shapes through `layers`, folds and fuses, and checks all of it.
pub(super) fn assemble(
    mut layers: Vec<Layer>,
    input_shape: Option<Vec<usize>>,
    output: Option<Output>,
) -> Result<Assembled, ModelError> {
    let classifies = |op: &Op| match op {
        Op::Dense { .. } | Op::Conv { .. } => true,
        Op::Kernel(kernel) => kernel.classifies(),
        _ => false,
    };
    if !layers.iter().any(|layer| classifies(&layer.op)) {
        return Err(ModelError::NoLayers);
    }
    let input_shape = match input_shape {
        Some(shape) => shape,
        None => shape_from_dense(&layers)?,
    };
    let takers = takers(&layers)?;
    let scaling = input_scaling(&layers);
    let mut assembly = Assembly {
        drafts: Vec::new(),
        values: Vec::new(),
        total: count("the input", &input_shape, 0)?,
        takers,
        places_left: MAX_PLACES,
    };
    assembly.push(0, input_shape.clone(), true);
    let no_softmax = |layer: &&Layer| !matches!(layer.op, Op::Softmax);
    let mut behind_softmax = layers.iter().skip_while(no_softmax).skip(1);
    if let Some(layer) = behind_softmax.find(|layer| !layer.op.is_shape()) {
        return Err(order(&layer.name, "a softmax must be the last layer"));
    }
    let (end, at) = end(&layers);
    // Logits are what stands before the sigmoids.
    let sigmoids = (end == End::Sigmoid && output != Some(Output::Logits)).then_some(at);
    if let Some(at) = sigmoids {
        layers[at].op = Op::Activation(Activation::Linear);
    }
    let mut summaries: Vec<LayerSummary> = Vec::with_capacity(layers.len());
    for layer in layers {
        let (name, class, parameters) = (layer.name.clone(), layer.class.clone(), layer.parameters);
        assembly.add(layer)?;
        let shape = assembly.end().shape.clone();
        match summaries.last_mut() {
            // A layer of the file that readers made two of, e.g. a dense one and its activation.
            Some(before) if before.name == name => {
                before.shape = shape;
                before.parameters += parameters;
            }
            _ => summaries.push(LayerSummary {
                name,
                class,
                shape,
                parameters,
            }),
        }
    }
    let last = summaries.len() - 1;
    let shape = &assembly.end().shape;
    let values: usize = shape.iter().product();
    if shape.last() != Some(&values) {
        let expected = "one value a class at the model's end".into();
        return Err(wrong_input(&summaries[last].name, expected, shape));
    }
    let (finish, note) = Finish::of(end, values, output, &name_of)?;
    let link = assembly.finish(finish, values)?;
    Ok(Assembled {
        scaling,
        steps: steps(assembly.drafts),
        layers: summaries,
        input_shape,
        link,
        notes: note.into_iter().collect(),
        sigmoids,
    })
}

/// What the layers end in, and the layer that says so.
fn end(layers: &[Layer]) -> (End, usize) {
    let mut at = layers.len() - 1;
    while (layers[at].op.is_shape() || matches!(layers[at].op, Op::Activation(Activation::Linear)))
        && let Some(before) = layers[at].takes[0].checked_sub(1)
    {
        at = before;
    }
    let end = match layers[at].op {
        Op::Softmax => End::Softmax,
        Op::Kernel(ref kernel) if kernel.gives_probabilities() => End::Probabilities,
        Op::Activation(Activation::Sigmoid) => End::Sigmoid,
        Op::Activation(Activation::HardSigmoid) => End::SigmoidLike("hard_sigmoid"),
        Op::Activation(activation) => End::Function(activation),
        _ => End::Open,
    };
    (end, at)
}

impl Assembly {
    /// Adds a layer's value.
    fn push(&mut self, draft: usize, shape: Vec<usize>, sole: bool) {
        let sole = sole && self.takers[self.values.len()] <= 1;
        self.values.push(Value {
            draft,
            shape,
            sole,
            frame: None,
        });
    }

    /// What the last layer so far gives.
    fn end(&self) -> &Value {
        self.values.last().expect("the input is a value")
    }

    /// Adds a step that gives a value of `shape`.
    fn draft(
        &mut self,
        name: String,
        takes: Vec<usize>,
        what: What,
        shape: &[usize],
    ) -> Result<usize, ModelError> {
        self.total = count(&name, shape, self.total)?;
        self.drafts.push(Draft {
            layers: vec![name],
            shape: shape.to_vec(),
            takes,
            what,
            activation: Activation::Linear,
        });
        Ok(self.drafts.len())
    }

    /// Makes logits of the last values, and two classes of one.
    fn finish(&mut self, finish: Finish, values: usize) -> Result<Link, ModelError> {
        let end = self.end().draft;
        let two = |first: f32, offset: f32| Linear {
            kind: Kind::Dense,
            inputs: 1,
            kernel: vec![first, 1.0],
            bias: vec![offset, 0.0],
        };
        let name = || "the classes".to_owned();
        Ok(match (finish, values) {
            // softmax([0, z]) = [1 - sigmoid(z), sigmoid(z)]
            (Finish::Logits | Finish::Sigmoids, 1) => {
                self.draft(name(), vec![end], What::Linear(two(0.0, 0.0)), &[2])?;
                Link::Softmax
            }
            (Finish::Logits, _) => Link::Softmax,
            (Finish::Sigmoids, _) => Link::Sigmoid,
            (Finish::Probabilities, 1) => {
                self.draft(name(), vec![end], What::Linear(two(-1.0, 1.0)), &[2])?;
                self.drafts.last_mut().expect("just added").activation = Activation::Log;
                Link::Exponential
            }
            (Finish::Probabilities, _) => {
                let what = What::Elementwise(Affine::identity(), values);
                self.draft(name(), vec![end], what, &[values])?;
                self.drafts.last_mut().expect("just added").activation = Activation::Log;
                Link::Exponential
            }
        })
    }

    /// The draft behind a value when nothing else sees it and it has no activation yet.
    fn open_draft(&mut self, value: &Value) -> Option<&mut Draft> {
        let draft = self.drafts.get_mut(value.draft.checked_sub(1)?)?;
        (value.sole && draft.activation == Activation::Linear).then_some(draft)
    }

    fn add(&mut self, layer: Layer) -> Result<(), ModelError> {
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
                self.push(from.draft, from.shape, from.sole);
            }
            Op::Activation(Activation::Linear) => {
                self.push(from.draft, from.shape, from.sole);
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
                self.push(from.draft, shape, from.sole);
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
                self.push(from.draft, shape, from.sole);
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
                self.push(draft, shape, true);
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
        let what = What::Ready(Arc::new(PoolLayer { windows, pooling }));
        let draft = self.draft(name, vec![from.draft], what, &shape)?;
        self.push(draft, shape, true);
        Ok(())
    }

    fn activation(
        &mut self,
        name: String,
        from: Value,
        activation: Activation,
    ) -> Result<(), ModelError> {
        match self.open_draft(&from) {
            Some(draft) if draft.what.takes_activation() => {
                draft.activation = activation;
                draft.layers.push(name);
                self.push(from.draft, from.shape, from.sole);
            }
            _ => {
                let what = What::Elementwise(Affine::identity(), from.shape.iter().product());
                let draft = self.draft(name, vec![from.draft], what, &from.shape)?;
                self.drafts[draft - 1].activation = activation;
                self.push(draft, from.shape, true);
            }
        }
        Ok(())
    }

    fn affine(&mut self, name: String, from: Value, affine: Affine) -> Result<(), ModelError> {
        let values: usize = from.shape.iter().product();
        let channels = from.shape.last().copied().unwrap_or(1);
        for (entries, what) in [(&affine.scale, "scale"), (&affine.offset, "offset")] {
            if ![1, channels, values].contains(&entries.len()) {
                return Err(ModelError::Shape {
                    name: format!("{what} of {name}"),
                    expected: format!("[{channels}]"),
                    found: vec![entries.len()],
                });
            }
        }
        if let Some(draft) = self.open_draft(&from) {
            let folded = match &mut draft.what {
                // What is added behind the sums would have to be scaled, too.
                What::Linear(linear)
                    if draft.takes.len() == 1 && affine.fits(linear.bias.len()) =>
                {
                    linear.fold_behind(&name, &affine)?;
                    true
                }
                What::Elementwise(before, _) if draft.takes.len() == 1 => {
                    before.then(&affine).map(|both| *before = both).is_some()
                }
                _ => false,
            };
            if folded {
                draft.layers.push(name);
                self.push(from.draft, from.shape, from.sole);
                return Ok(());
            }
        }
        let what = What::Elementwise(affine, values);
        let draft = self.draft(name, vec![from.draft], what, &from.shape)?;
        self.push(draft, from.shape, true);
        Ok(())
    }

    fn sum(&mut self, name: &str, takes: &[usize]) -> Result<(), ModelError> {
        let mut sum = self.values[takes[0]].clone();
        for &other in &takes[1..] {
            let shape = self.common_shape(name, &sum.shape, &self.values[other].shape)?;
            let other = self.values[other].clone();
            if let Some(draft) = self.joined_sum(name, &sum, &other) {
                sum.draft = draft;
                sum.sole = true;
                continue;
            }
            let takes = [
                self.repeated(name, &sum, &shape)?,
                self.repeated(name, &other, &shape)?,
            ];
            let what = What::Elementwise(Affine::identity(), shape.iter().product());
            sum.draft = self.draft(name.to_owned(), takes.to_vec(), what, &shape)?;
            sum.shape = shape;
            sum.sole = true;
        }
        self.push(sum.draft, sum.shape, true);
        Ok(())
    }

    /// The draft of a convolution that adds the other of two values to its own sums, as residual
    /// blocks end; it must be the later of the two.
    fn joined_sum(&mut self, name: &str, first: &Value, second: &Value) -> Option<usize> {
        let (early, late) = match first.draft < second.draft {
            true => (first, second),
            false => (second, first),
        };
        let same = early.shape == late.shape && early.draft != late.draft;
        let added = early.draft;
        let draft = self.open_draft(late).filter(|_| same)?;
        let conv =
            matches!(&draft.what, What::Linear(linear) if matches!(linear.kind, Kind::Conv(_, 1)));
        if !conv || draft.takes.len() > 1 {
            return None;
        }
        draft.takes.push(added);
        draft.layers.push(name.to_owned());
        Some(late.draft)
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
        if count(&first) < count(&other) {
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
        self.push(draft, shape, true);
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
            self.push(taken[0].draft, arranged.shape, taken[0].sole);
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
        let what = What::Ready(Arc::new(layer));
        let mut takes = vec![draft];
        takes.extend(second.map(|_| taken[last].draft));
        let before = self.drafts.len();
        let draft = self.draft(name, takes, what, &arranged.shape)?;
        self.push(draft, arranged.shape, true);
        // A convolution behind a frame of zeros takes it for its own padding.
        if let (Arrangement::Pad { rows, columns }, true) = (arrangement, taken[0].sole) {
            debug_assert_eq!(draft, before + 1);
            let end = self.values.last_mut().expect("just pushed");
            end.frame = Some(Frame {
                inside: Box::new(taken[0].clone()),
                before: [rows[0], columns[0]],
                after: [rows[1], columns[1]],
            });
        }
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
        let (mut from, mut window) = (from, window);
        let [height, width, inputs, outputs] = shape;
        let fits = |pad: [usize; 2]| {
            let covered = |size: usize, axis: usize| (size - 1) * window.dilation[axis] + 1;
            pad[0] < covered(height, 0) && pad[1] < covered(width, 1)
        };
        if let Some(frame) = &from.frame
            && window.padding == Padding::Valid
            && from.sole
            && fits(frame.before)
            && fits(frame.after)
        {
            let (before, after) = (frame.before, frame.after);
            window.padding = Padding::Stated { before, after };
            let inside = (*frame.inside).clone();
            self.drafts[from.draft - 1].what = What::Absorbed;
            from = inside;
        }
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

    /// Adds sums of products, and takes a scaling before them in.
    fn linear(
        &mut self,
        name: String,
        from: &Value,
        mut linear: Linear,
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
        let mut takes = from.draft;
        // What of the layers before it is done in it.
        let mut ahead = Vec::new();
        if let Some(draft) = self.open_draft(from)
            && let What::Elementwise(affine, _) = &draft.what
            && draft.takes.len() == 1
            && linear.takes_ahead(affine)
        {
            linear.fold_ahead(&name, affine)?;
            takes = draft.takes[0];
            draft.what = What::Absorbed;
            ahead.append(&mut draft.layers);
        }
        let draft = self.draft(name, vec![takes], What::Linear(linear), &shape)?;
        self.drafts[draft - 1].layers.splice(..0, ahead);
        self.push(draft, shape, true);
        Ok(())
    }
}
