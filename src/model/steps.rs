//! Layers as an engine runs them: steps that fit each other and end in logits, each of them a
//! kernel.

use super::Link;
use crate::kernels::{
    Buf, CombineLayer, ConvLayer, DenseLayer, DepthwiseLayer, ElementwiseLayer, NormaliseLayer,
    PoolLayer, RearrangeLayer, Recording, TreesLayer,
};

/// One step of a model.
#[derive(Debug, Clone)]
pub struct Step {
    /// The values it takes: 0 is the model's input, `n` what step `n - 1` gives.
    pub takes: Vec<usize>,
    /// What it computes of them.
    pub operation: Operation,
}

/// What a step computes; each is a kernel.
#[derive(Debug, Clone)]
pub enum Operation {
    /// A dense layer.
    Dense(DenseLayer),
    /// A convolution.
    Conv(ConvLayer),
    /// A convolution of each channel by itself.
    Depthwise(DepthwiseLayer),
    /// The largest or the mean value of windows.
    Pool(PoolLayer),
    /// Scaling and an activation of one value, or of the sum of two.
    Elementwise(ElementwiseLayer),
    /// The product of two values, or the larger of them.
    Combine(CombineLayer),
    /// Values that change places.
    Rearrange(RearrangeLayer),
    /// Normalisation by each input's own statistics.
    Normalise(NormaliseLayer),
    /// An ensemble of decision trees.
    Trees(TreesLayer),
}

impl Operation {
    /// Name of its kernel.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Dense(_) => "dense",
            Self::Conv(_) => "conv",
            Self::Depthwise(_) => "depthwise",
            Self::Pool(_) => "pool",
            Self::Elementwise(_) => "elementwise",
            Self::Combine(_) => "combine",
            Self::Rearrange(_) => "rearrange",
            Self::Normalise(_) => "normalise",
            Self::Trees(_) => "trees",
        }
    }

    /// Values a row it gives.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Dense(layer) => layer.outputs(),
            Self::Conv(layer) => layer.outputs(),
            Self::Depthwise(layer) => layer.outputs(),
            Self::Pool(layer) => layer.outputs(),
            Self::Elementwise(layer) => layer.outputs(),
            Self::Combine(layer) => layer.outputs(),
            Self::Rearrange(layer) => layer.outputs(),
            Self::Normalise(layer) => layer.outputs(),
            Self::Trees(layer) => layer.outputs(),
        }
    }
}

/// The steps of a model, in order; the last one gives the logits.
#[derive(Debug, Clone)]
pub struct Steps {
    inputs: usize,
    steps: Vec<Step>,
    link: Link,
}

impl Steps {
    /// `steps` of inputs of so many values each; assembling the layers has checked that they fit.
    pub(super) fn new(inputs: usize, steps: Vec<Step>, link: Link) -> Self {
        Self {
            inputs,
            steps,
            link,
        }
    }

    /// How probabilities follow from the logits.
    pub fn link(&self) -> Link {
        self.link
    }

    /// All of them.
    pub fn all(&self) -> &[Step] {
        &self.steps
    }

    /// Values of one input.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of classes.
    pub fn num_classes(&self) -> usize {
        self.steps.last().map_or(0, |step| step.operation.outputs())
    }

    /// The steps on a plane of their inputs: they take (x, y) and give what these give at
    /// `origin + x p + y q`, without a product as wide as an input at every point. Nothing where the
    /// first step is not a dense layer that alone takes the input.
    ///
    /// # Panics
    /// When the origin or a direction has not as many values as an input.
    pub fn on_plane(&self, origin: &[f64], directions: [&[f64]; 2]) -> Option<Self> {
        let (first, rest) = self.steps.split_first()?;
        let Operation::Dense(layer) = &first.operation else {
            return None;
        };
        if layer.inputs() != self.inputs || rest.iter().any(|step| step.takes.contains(&0)) {
            return None;
        }
        let first = Step {
            takes: first.takes.clone(),
            operation: Operation::Dense(layer.on_plane(origin, directions)),
        };
        Some(Self {
            inputs: 2,
            steps: [first].into_iter().chain(rest.iter().cloned()).collect(),
            link: self.link,
        })
    }

    /// Appends the steps to a recording: `x` is `[rows, row_stride(inputs)]`, the logits are
    /// `[rows, row_stride(classes)]`.
    pub fn record(&self, recording: &mut Recording, x: Buf<f32>, rows: usize) -> Buf<f32> {
        let mut values = vec![x];
        for step in &self.steps {
            let x = values[step.takes[0]];
            let other = step.takes.get(1).map(|&value| values[value]);
            values.push(match &step.operation {
                Operation::Dense(layer) => recording.dense(x, rows, layer),
                Operation::Conv(layer) => recording.conv(x, rows, layer),
                Operation::Depthwise(layer) => recording.depthwise(x, rows, layer),
                Operation::Pool(layer) => recording.pool(x, rows, layer),
                Operation::Elementwise(layer) => recording.elementwise(x, other, rows, layer),
                Operation::Combine(layer) => {
                    let other = other.expect("two values are combined, as shapes.rs checks");
                    recording.combine(x, other, rows, layer)
                }
                Operation::Rearrange(layer) => recording.rearrange(x, other, rows, layer),
                Operation::Normalise(layer) => recording.normalise(x, rows, layer),
                Operation::Trees(layer) => recording.trees(x, rows, layer),
            });
        }
        values[self.steps.len()]
    }

    /// Values in the widest row that classifying one input makes, the input's own included.
    pub fn widest_row(&self) -> usize {
        self.row_widths().max().unwrap_or(0)
    }

    /// Values in all rows that classifying one input makes, the input's own included.
    pub fn total_width(&self) -> usize {
        self.row_widths().sum()
    }

    fn row_widths(&self) -> impl Iterator<Item = usize> {
        let steps = self.steps.iter().map(|step| step.operation.outputs());
        [self.inputs].into_iter().chain(steps)
    }
}
