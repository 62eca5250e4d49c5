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
use super::fold::{Affine, Kind, Linear};
use super::layer::{Layer, Op, Window};
use super::shapes::{
    check_kernel, count, image, order, shape_from_dense, takers, windows, wrong_input,
};
use super::{LayerSummary, ModelError, Step};
use crate::kernels::{Activation, Pooling, Windows};

/// What is made of layers.
pub(super) struct Assembled {
    pub(super) steps: Vec<Step>,
    pub(super) layers: Vec<LayerSummary>,
    pub(super) input_shape: Vec<usize>,
    pub(super) scaled: bool,
}

/// What a layer gives.
#[derive(Clone)]
struct Value {
    /// The draft value behind it.
    draft: usize,
    shape: Vec<usize>,
    /// Whether at most one layer sees the draft's value.
    sole: bool,
}

struct Assembly {
    drafts: Vec<Draft>,
    values: Vec<Value>,
    /// How many layers take each value.
    takers: Vec<usize>,
    /// Values of all drafts so far.
    total: usize,
    scaled: bool,
}

/// Follows shapes through `layers`, folds and fuses, and checks all of it.
pub(super) fn assemble(
    layers: Vec<Layer>,
    input_shape: Option<Vec<usize>>,
) -> Result<Assembled, ModelError> {
    let linear = |op: &Op| {
        matches!(
            op,
            Op::Dense { .. } | Op::Conv { .. } | Op::DepthwiseConv { .. }
        )
    };
    if !layers.iter().any(|layer| linear(&layer.op)) {
        return Err(ModelError::NoLayers);
    }
    let input_shape = match input_shape {
        Some(shape) => shape,
        None => shape_from_dense(&layers)?,
    };
    let takers = takers(&layers)?;
    let mut assembly = Assembly {
        drafts: Vec::new(),
        values: Vec::new(),
        total: count("the input", &input_shape, 0)?,
        takers,
        scaled: false,
    };
    assembly.push(0, input_shape.clone(), true);
    let mut before_softmax = layers.windows(2);
    if let Some(pair) = before_softmax.find(|pair| matches!(pair[0].op, Op::Softmax)) {
        return Err(order(&pair[1].name, "a softmax must be the last layer"));
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
    let end = assembly.end();
    let values: usize = end.shape.iter().product();
    if end.shape.last() != Some(&values) {
        let expected = "one value a class at the model's end".into();
        return Err(wrong_input(&summaries[last].name, expected, &end.shape));
    }
    if values < 2 {
        return Err(ModelError::TooFewClasses { outputs: values });
    }
    Ok(Assembled {
        scaled: assembly.scaled,
        steps: steps(assembly.drafts),
        layers: summaries,
        input_shape,
    })
}

impl Assembly {
    /// Adds a layer's value.
    fn push(&mut self, draft: usize, shape: Vec<usize>, sole: bool) {
        let sole = sole && self.takers[self.values.len()] <= 1;
        self.values.push(Value { draft, shape, sole });
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
            takes,
            what,
            activation: Activation::Linear,
        });
        Ok(self.drafts.len())
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
            Op::Softmax | Op::Activation(Activation::Linear) => {
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
            Op::Activation(activation) => self.activation(name, from, activation)?,
            Op::Affine { scale, offset } => self.affine(name, from, Affine { scale, offset })?,
            Op::Add => self.sum(&name, &takes)?,
            Op::Dense {
                inputs,
                kernel,
                bias,
            } => self.dense(name, from, inputs, kernel, bias)?,
            Op::Conv {
                shape,
                kernel,
                bias,
                window,
            } => self.conv(name, from, (shape, kernel, bias, window), Kind::Conv)?,
            Op::DepthwiseConv {
                shape,
                kernel,
                bias,
                window,
            } => self.conv(name, from, (shape, kernel, bias, window), Kind::Depthwise)?,
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
        let what = What::Pool(windows, pooling);
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
            Some(draft) if !matches!(draft.what, What::Pool(..)) => {
                draft.activation = activation;
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
        self.scaled |= self.is_preprocessing(from.draft);
        if let Some(draft) = self.open_draft(&from) {
            let folded = match &mut draft.what {
                What::Linear(linear) if affine.fits(linear.bias.len()) => {
                    linear.fold_behind(&name, &affine)?;
                    true
                }
                What::Elementwise(before, _) if draft.takes.len() == 1 => {
                    before.then(&affine).map(|both| *before = both).is_some()
                }
                _ => false,
            };
            if folded {
                self.push(from.draft, from.shape, from.sole);
                return Ok(());
            }
        }
        let what = What::Elementwise(affine, values);
        let draft = self.draft(name, vec![from.draft], what, &from.shape)?;
        self.push(draft, from.shape, true);
        Ok(())
    }

    /// Whether nothing but scaling stands between the input and a draft's value.
    fn is_preprocessing(&self, value: usize) -> bool {
        let Some(draft) = value.checked_sub(1).map(|n| &self.drafts[n]) else {
            return true;
        };
        matches!(draft.what, What::Elementwise(..))
            && draft.activation == Activation::Linear
            && draft.takes.len() == 1
            && self.is_preprocessing(draft.takes[0])
    }

    fn sum(&mut self, name: &str, takes: &[usize]) -> Result<(), ModelError> {
        let first = self.values[takes[0]].clone();
        let values = first.shape.iter().product();
        let mut sum = first.draft;
        for &other in &takes[1..] {
            let other = &self.values[other];
            if other.shape != first.shape {
                let expected = format!("values of one shape, the first is {:?}", first.shape);
                return Err(wrong_input(name, expected, &other.shape));
            }
            let what = What::Elementwise(Affine::identity(), values);
            sum = self.draft(name.to_owned(), vec![sum, other.draft], what, &first.shape)?;
        }
        self.push(sum, first.shape, true);
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
            pixels => Kind::Conv(Windows {
                input: [pixels, 1, channels],
                output: [pixels, 1, outputs],
                size: [1, 1],
                stride: [1, 1],
                before: [0, 0],
            }),
        };
        let shape = [pixels, &[outputs]].concat();
        let linear = Linear {
            kind,
            inputs,
            fan: outputs,
            kernel,
            bias,
        };
        self.linear(name, &from, linear, shape)
    }

    fn conv(
        &mut self,
        name: String,
        from: Value,
        (shape, kernel, bias, window): ([usize; 4], Vec<f32>, Vec<f32>, Window),
        kind: fn(Windows) -> Kind,
    ) -> Result<(), ModelError> {
        let input = image(&name, &from.shape)?;
        check_kernel(&name, &from.shape, &kernel, &shape, input[2])?;
        let [height, width, inputs, fan] = shape;
        let windows = windows(&name, input, [height, width], window, bias.len())?;
        let linear = Linear {
            kind: kind(windows),
            inputs,
            fan,
            kernel,
            bias,
        };
        self.linear(name, &from, linear, windows.output.to_vec())
    }

    /// Adds sums of products, and takes a scaling before them in.
    fn linear(
        &mut self,
        name: String,
        from: &Value,
        mut linear: Linear,
        shape: Vec<usize>,
    ) -> Result<(), ModelError> {
        let outputs = match linear.kind {
            Kind::Depthwise(_) => linear.inputs * linear.fan,
            Kind::Dense | Kind::Conv(_) => linear.fan,
        };
        if linear.bias.len() != outputs {
            return Err(ModelError::Shape {
                name: format!("{name}.bias"),
                expected: format!("[{outputs}]"),
                found: vec![linear.bias.len()],
            });
        }
        let mut takes = from.draft;
        if let Some(draft) = self.open_draft(from)
            && let What::Elementwise(affine, _) = &draft.what
            && draft.takes.len() == 1
            && linear.takes_ahead(affine)
        {
            linear.fold_ahead(&name, affine)?;
            takes = draft.takes[0];
            draft.what = What::Absorbed;
        }
        let draft = self.draft(name, vec![takes], What::Linear(linear), &shape)?;
        self.push(draft, shape, true);
        Ok(())
    }
}
