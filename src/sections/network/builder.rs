//! From the layers of a checked model to the steps of a section: scalings go into weights, pools onto
//! activations, what sections do not know is refused by name.

use super::super::SectionError;
use super::super::smooth::Smooth;
use super::{Op, SectionNetwork, Space, SpaceKind, Step, input_scaling};
use crate::kernels::{Activation, Pooling, Windows};
use crate::model::{Model, UnfoldedLayer, UnfoldedOp};

/// Values of all weights that a depthwise convolution may become as a plain one: 256 MiB.
const MAX_EXPANDED: usize = 1 << 25;

impl SectionNetwork {
    /// The network of a model whose inputs are `kind`.
    ///
    /// # Errors
    /// [`SectionError::NoLayers`], or [`SectionError::Unsupported`] with the layer, and the reason, where
    /// the section must be sampled; [`SectionError::NotFinite`] for weights that are not.
    pub fn new(model: &Model, kind: SpaceKind) -> Result<Self, SectionError> {
        let layers = model.unfolded().map_err(|error| SectionError::NoLayers {
            reason: error.to_string(),
        })?;
        if layers.is_empty() {
            return Err(SectionError::NoLayers {
                reason: "it is run as a whole, by a library or a function".into(),
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
