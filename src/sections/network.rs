//! The network of an exact section: a checked model as affine steps and "largest of" steps, in
//! 64-bit floats, on the values of the space.
//!
//! ```text
//! model's layers, unfolded ─> steps ─ scalings into weights, pools onto activations ─> SectionNetwork
//! ```
//!
//! A ReLU, a LeakyReLU and a max pool are one kind of step: each gives the largest of a few affine
//! functions of what it takes, `max_i max(u_i, a u_i)` over a window with slope `0 <= a <= 1`
//! (planes_spec.md, section 3; SyReNN fuses the same way). Anything else that is not affine is
//! either smooth, with a bound on its second derivative, or refused by name; a section of a refused
//! network is sampled.

use super::SectionError;
use super::smooth::Smooth;
use crate::kernels::{Activation, Pooling, Windows};
use crate::model::{Model, UnfoldedLayer, UnfoldedOp};

/// Values of all weights that a depthwise convolution may become as a plain one: 256 MiB.
const MAX_EXPANDED: usize = 1 << 25;

/// What the coordinates of a section are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpaceKind {
    /// Grey levels 0..255 over 255.
    Images,
    /// The features as the model standardises them, or as they are where it does not.
    Rows,
}

/// From an input as files hold it to a point of the space, `z = S(x)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    kind: SpaceKind,
    /// `x * scale + offset`, entry `i % len` for value `i`.
    scale: Vec<f64>,
    offset: Vec<f64>,
}

impl Space {
    /// Values as they are.
    #[cfg(test)]
    pub(super) fn identity() -> Self {
        Self {
            kind: SpaceKind::Rows,
            scale: vec![1.0],
            offset: vec![0.0],
        }
    }

    /// The space of a model's inputs, whether sections know its layers or not: rows of a model that
    /// no layers are known of are taken as they are.
    pub fn new(model: &Model, kind: SpaceKind) -> Self {
        let mut space = Self {
            kind,
            scale: vec![1.0],
            offset: vec![0.0],
        };
        let layers = model.unfolded().unwrap_or_default();
        if let (SpaceKind::Rows, Some(i)) = (kind, input_scaling(&layers))
            && let UnfoldedOp::Affine { scale, offset } = layers[i].op
        {
            (space.scale, space.offset) = (scale.to_vec(), offset.to_vec());
        }
        space
    }

    /// A direction of the space as one of inputs: what an input changes by where its point changes by
    /// `direction`. A feature that the scaling loses does not change.
    pub fn input_direction(&self, direction: &[f64]) -> Vec<f64> {
        let of_rows = |(i, z): (usize, &f64)| match self.scale[i % self.scale.len()] {
            0.0 => 0.0,
            scale => z / scale,
        };
        match self.kind {
            SpaceKind::Images => direction.iter().map(|z| 255.0 * z).collect(),
            SpaceKind::Rows => direction.iter().enumerate().map(of_rows).collect(),
        }
    }

    /// What its coordinates are.
    pub fn kind(&self) -> SpaceKind {
        self.kind
    }

    /// An input, levels 0..255 or features, as a point of the space.
    pub fn point(&self, input: &[f32]) -> Vec<f64> {
        let wide: Vec<f64> = input.iter().map(|&x| f64::from(x)).collect();
        self.point_of(&wide)
    }

    /// The same for 64-bit features.
    pub fn point_of(&self, input: &[f64]) -> Vec<f64> {
        match self.kind {
            // A quotient, not a product with 1/255: pixel/255 to the last bit.
            SpaceKind::Images => input.iter().map(|x| x / 255.0).collect(),
            SpaceKind::Rows => {
                let entry = |list: &[f64], i: usize| list[i % list.len()];
                let scaled = input.iter().enumerate();
                scaled
                    .map(|(i, x)| x * entry(&self.scale, i) + entry(&self.offset, i))
                    .collect()
            }
        }
    }

    /// The unit of lengths, for the eye: it belongs beside every length.
    pub fn unit(&self) -> &'static str {
        match self.kind {
            SpaceKind::Images => "pixel/255",
            SpaceKind::Rows if self.is_identity() => "features as given; the model does not scale",
            SpaceKind::Rows => "features as the model scales them",
        }
    }

    /// Whether rows are taken as they are, which deserves a note.
    pub fn is_identity(&self) -> bool {
        self.kind == SpaceKind::Rows
            && self.scale.iter().all(|&s| s == 1.0)
            && self.offset.iter().all(|&o| o == 0.0)
    }
}

/// A network in 64-bit floats on points of its space.
#[derive(Debug, Clone)]
pub struct SectionNetwork {
    pub(super) space: Space,
    pub(super) steps: Vec<Step>,
    /// Values in each value: the input's, then each step's.
    pub(super) sizes: Vec<usize>,
}

/// One step; value 0 is the point, value `n` what step `n - 1` gives.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Name of the layer, for errors.
    pub(super) name: String,
    pub(super) takes: Vec<usize>,
    pub(super) op: Op,
}

#[derive(Debug, Clone)]
pub(super) enum Op {
    /// `x W + b`, W `[inputs, outputs]`.
    Dense {
        weight: Vec<f64>,
        bias: Vec<f64>,
    },
    /// Weight `[rows, columns, inputs, outputs]`.
    Conv {
        windows: Windows,
        weight: Vec<f64>,
        bias: Vec<f64>,
    },
    /// The mean of windows, padding aside.
    Average(Windows),
    /// `x * scale + offset`, one entry a value.
    Scale {
        scale: Vec<f64>,
        offset: Vec<f64>,
    },
    Add,
    /// The largest of `max(u_i, slope u_i)` over a window, or of the value alone.
    Largest {
        slope: f64,
        windows: Option<Windows>,
    },
    Smooth(Smooth),
}

impl Op {
    pub(super) fn is_affine(&self) -> bool {
        !matches!(self, Self::Largest { .. } | Self::Smooth(_))
    }
}

impl SectionNetwork {
    /// The network of a model whose inputs are `kind`.
    ///
    /// # Errors
    /// [`SectionError::Unsupported`] with the layer and the reason, where the section must be
    /// sampled; [`SectionError::NotFinite`] for weights that are not.
    pub fn new(model: &Model, kind: SpaceKind) -> Result<Self, SectionError> {
        let layers = model
            .unfolded()
            .map_err(|error| SectionError::Unsupported {
                layer: "the model".into(),
                reason: error.to_string(),
            })?;
        if layers.is_empty() {
            return Err(SectionError::Unsupported {
                layer: "the model".into(),
                reason: "the host runs it, so its layers are not known".into(),
            });
        }
        let inputs = model.input_shape().unwrap_or_default().iter().product();
        let mut builder = Builder {
            space: Space {
                kind,
                scale: vec![1.0],
                offset: vec![0.0],
            },
            steps: Vec::new(),
            sizes: vec![inputs],
        };
        let absorbed = input_scaling(&layers);
        if absorbed.is_none() && kind == SpaceKind::Images {
            // The space is pixel/255, and the model takes levels as they are.
            builder.scale("input", 0, vec![255.0; inputs], vec![0.0; inputs]);
        }
        // Which of our values stands for each of the file's.
        let mut values = vec![builder.steps.len()];
        for (i, layer) in layers.iter().enumerate() {
            if absorbed == Some(i) {
                let value = builder.absorb(layer);
                values.push(value);
                continue;
            }
            let takes: Vec<usize> = layer.takes.iter().map(|&value| values[value]).collect();
            values.push(builder.add(layer.name, takes, &layer.op, layer.outputs)?);
        }
        let mut network = Self {
            space: builder.space,
            steps: builder.steps,
            sizes: builder.sizes,
        };
        while network.fuse_once() {}
        network.check_finite()?;
        Ok(network)
    }

    /// Values of a point.
    pub fn num_inputs(&self) -> usize {
        self.sizes[0]
    }

    /// Number of classes.
    pub fn num_classes(&self) -> usize {
        self.sizes[self.sizes.len() - 1]
    }

    /// The space its points lie in.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Whether it is piecewise linear, so that its sections are exact; otherwise it has smooth
    /// activations, and its sections are certified brackets.
    pub fn is_piecewise_linear(&self) -> bool {
        !self
            .steps
            .iter()
            .any(|step| matches!(step.op, Op::Smooth(_)))
    }

    /// How many steps take each value.
    fn num_takers(&self) -> Vec<usize> {
        let mut takers = vec![0; self.sizes.len()];
        for &value in self.steps.iter().flat_map(|step| &step.takes) {
            takers[value] += 1;
        }
        takers
    }

    /// Joins one pair of neighbours that nothing sees the value between.
    fn fuse_once(&mut self) -> bool {
        let takers = self.num_takers();
        for i in 0..self.steps.len() {
            if takers[i + 1] != 1 {
                continue;
            }
            let Some(next) = (i + 1..self.steps.len()).find(|&j| self.steps[j].takes == [i + 1])
            else {
                continue;
            };
            let outputs = self.sizes[i + 1];
            let (head, tail) = self.steps.split_at_mut(next);
            let fused = match (&mut head[i].op, &mut tail[0].op) {
                // (x W + b) s + o = x (W s) + (b s + o)
                (
                    Op::Dense { weight, bias } | Op::Conv { weight, bias, .. },
                    Op::Scale { scale, offset },
                ) => {
                    let channels = bias.len();
                    let repeats =
                        |list: &[f64]| (channels..outputs).all(|k| list[k] == list[k % channels]);
                    if repeats(scale) && repeats(offset) {
                        for (k, w) in weight.iter_mut().enumerate() {
                            *w *= scale[k % channels];
                        }
                        for (k, b) in bias.iter_mut().enumerate() {
                            *b = *b * scale[k] + offset[k];
                        }
                        true
                    } else {
                        false
                    }
                }
                // Of an activation and a max pool the order does not matter: both only grow.
                (
                    Op::Largest { slope, windows },
                    Op::Largest {
                        slope: next_slope,
                        windows: next_windows,
                    },
                ) if (windows.is_none() && *next_slope == 1.0)
                    || (*slope == 1.0 && next_windows.is_none()) =>
                {
                    *windows = windows.or(*next_windows);
                    *slope = if *next_slope == 1.0 {
                        *slope
                    } else {
                        *next_slope
                    };
                    true
                }
                _ => false,
            };
            if fused {
                // Step i takes the place of both; what the second gave is now what it gives.
                self.sizes[i + 1] = self.sizes[next + 1];
                self.sizes.remove(next + 1);
                self.steps.remove(next);
                for step in &mut self.steps {
                    for value in &mut step.takes {
                        match (*value).cmp(&(next + 1)) {
                            std::cmp::Ordering::Less => {}
                            std::cmp::Ordering::Equal => *value = i + 1,
                            std::cmp::Ordering::Greater => *value -= 1,
                        }
                    }
                }
                return true;
            }
        }
        false
    }

    fn check_finite(&self) -> Result<(), SectionError> {
        for step in &self.steps {
            let finite = |list: &[f64]| list.iter().all(|value| value.is_finite());
            let fine = match &step.op {
                Op::Dense { weight, bias } | Op::Conv { weight, bias, .. } => {
                    finite(weight) && finite(bias)
                }
                Op::Scale { scale, offset } => finite(scale) && finite(offset),
                _ => true,
            };
            if !fine {
                return Err(SectionError::NotFinite {
                    layer: step.name.clone(),
                });
            }
        }
        Ok(())
    }
}

struct Builder {
    space: Space,
    steps: Vec<Step>,
    sizes: Vec<usize>,
}

/// The layer that scales the input, where it alone takes it.
fn input_scaling(layers: &[UnfoldedLayer<'_>]) -> Option<usize> {
    let mut is_input = vec![true];
    let mut takers = Vec::new();
    for (i, layer) in layers.iter().enumerate() {
        let same = matches!(layer.op, UnfoldedOp::Same);
        let takes_input = layer.takes.iter().any(|&value| is_input[value]);
        is_input.push(same && takes_input);
        if takes_input && !same {
            takers.push(i);
        }
    }
    match takers[..] {
        [i] if matches!(layers[i].op, UnfoldedOp::Affine { .. }) => Some(i),
        _ => None,
    }
}

impl Builder {
    /// Takes the scaling of the input into the space, and gives the value that holds its result.
    fn absorb(&mut self, layer: &UnfoldedLayer<'_>) -> usize {
        let UnfoldedOp::Affine { scale, offset } = layer.op else {
            unreachable!("`input_scaling` finds scalings")
        };
        let entries = |list: &[f64]| -> Vec<f64> {
            (0..layer.outputs).map(|i| list[i % list.len()]).collect()
        };
        let (scale, offset) = (entries(scale), entries(offset));
        match self.space.kind {
            SpaceKind::Rows => {
                self.space.scale = scale;
                self.space.offset = offset;
                0
            }
            SpaceKind::Images => {
                // 1/255 as a file holds it is the space itself.
                let levels = scale.iter().map(|s| s * 255.0);
                let snapped = levels.map(|s| if (s - 1.0).abs() < 1e-12 { 1.0 } else { s });
                let scale = snapped.collect();
                self.scale(layer.name, 0, scale, offset)
            }
        }
    }

    fn push(&mut self, name: &str, takes: Vec<usize>, op: Op, outputs: usize) -> usize {
        self.steps.push(Step {
            name: name.to_owned(),
            takes,
            op,
        });
        self.sizes.push(outputs);
        self.steps.len()
    }

    /// The value that holds what a layer gives.
    fn add(
        &mut self,
        name: &str,
        takes: Vec<usize>,
        op: &UnfoldedOp<'_>,
        outputs: usize,
    ) -> Result<usize, SectionError> {
        let from = takes[0];
        Ok(match op {
            UnfoldedOp::Same => from,
            UnfoldedOp::Add => self.push(name, takes, Op::Add, outputs),
            UnfoldedOp::Other(reason) => {
                return Err(SectionError::Unsupported {
                    layer: name.to_owned(),
                    reason: (*reason).to_owned(),
                });
            }
            UnfoldedOp::Affine { scale, offset } => {
                let entries = |list: &[f64]| (0..outputs).map(|i| list[i % list.len()]).collect();
                let (scale, offset) = (entries(scale), entries(offset));
                self.scale(name, from, scale, offset)
            }
            UnfoldedOp::Dense { kernel, bias } => {
                let op = Op::Dense {
                    weight: wide(kernel),
                    bias: wide(bias),
                };
                self.push(name, takes, op, outputs)
            }
            UnfoldedOp::Conv {
                windows,
                kernel,
                bias,
            } => {
                let op = Op::Conv {
                    windows: *windows,
                    weight: wide(kernel),
                    bias: wide(bias),
                };
                self.push(name, takes, op, outputs)
            }
            UnfoldedOp::Depthwise {
                windows,
                kernel,
                bias,
            } => {
                let op = Op::Conv {
                    windows: *windows,
                    weight: expanded(name, windows, kernel)?,
                    bias: wide(bias),
                };
                self.push(name, takes, op, outputs)
            }
            UnfoldedOp::Pool { windows, pooling } => {
                let op = match pooling {
                    Pooling::Average => Op::Average(*windows),
                    Pooling::Max => Op::Largest {
                        slope: 1.0,
                        windows: Some(*windows),
                    },
                };
                self.push(name, takes, op, outputs)
            }
            UnfoldedOp::Activation(activation) => {
                let unsupported = |reason: String| SectionError::Unsupported {
                    layer: name.to_owned(),
                    reason,
                };
                let slope = match *activation {
                    Activation::Linear => return Ok(from),
                    Activation::Relu => 0.0,
                    Activation::ReluWith {
                        slope,
                        threshold,
                        ceiling,
                    } => {
                        if threshold != 0.0 || ceiling != f32::MAX || !(0.0..=1.0).contains(&slope)
                        {
                            return Err(unsupported(format!(
                                "a ReLU of slope {slope}, threshold {threshold}, ceiling {ceiling:e}; exact sections take a slope of 0..1, threshold 0 and no ceiling"
                            )));
                        }
                        f64::from(slope)
                    }
                    other => {
                        let Some(smooth) = Smooth::of(other) else {
                            return Err(unsupported(format!(
                                "the activation {other:?}; exact sections take ReLU and LeakyReLU, certified ones {}",
                                Smooth::NAMES
                            )));
                        };
                        return Ok(self.push(name, takes, Op::Smooth(smooth), outputs));
                    }
                };
                if slope == 1.0 {
                    return Ok(from);
                }
                let op = Op::Largest {
                    slope,
                    windows: None,
                };
                self.push(name, takes, op, outputs)
            }
        })
    }

    fn scale(&mut self, name: &str, from: usize, scale: Vec<f64>, offset: Vec<f64>) -> usize {
        if scale.iter().all(|&s| s == 1.0) && offset.iter().all(|&o| o == 0.0) {
            return from;
        }
        let outputs = scale.len();
        self.push(name, vec![from], Op::Scale { scale, offset }, outputs)
    }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// A depthwise kernel `[taps, channels, multiplier]` as a plain one `[taps, channels, outputs]`.
fn expanded(name: &str, windows: &Windows, kernel: &[f32]) -> Result<Vec<f64>, SectionError> {
    let (channels, outputs) = (windows.input[2], windows.output[2]);
    let fan = outputs / channels;
    let taps = windows.size[0] * windows.size[1];
    let values = taps.saturating_mul(channels).saturating_mul(outputs);
    if values > MAX_EXPANDED {
        return Err(SectionError::Unsupported {
            layer: name.to_owned(),
            reason: format!(
                "a depthwise convolution of {channels} channels, too wide for exact sections"
            ),
        });
    }
    let mut weight = vec![0.0; values];
    for (k, &w) in kernel.iter().enumerate() {
        let (tap, channel, m) = (k / fan / channels, k / fan % channels, k % fan);
        weight[(tap * channels + channel) * outputs + channel * fan + m] = f64::from(w);
    }
    Ok(weight)
}
