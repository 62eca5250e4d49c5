//! Steps in the making, while a neighbour may still take one in.

use super::Step;
use super::fold::{Affine, Kind, Linear};
use crate::kernels::{
    Activation, ConvLayer, DenseLayer, DepthwiseLayer, ElementwiseLayer, KernelLayer, PoolLayer,
};
use std::sync::Arc;

/// A step in the making.
pub(super) struct Draft {
    /// The layers that it does, in order.
    pub(super) layers: Vec<String>,
    /// Shape of what it gives.
    pub(super) shape: Vec<usize>,
    /// Value 0 is the input, `n` that of draft `n - 1`.
    pub(super) takes: Vec<usize>,
    pub(super) what: What,
    pub(super) activation: Activation,
    /// Whether the largest of squares of 2 x 2 pixels comes last.
    pub(super) pooled: bool,
}

impl Draft {
    pub(super) fn new(name: String, takes: Vec<usize>, what: What, shape: &[usize]) -> Self {
        Self {
            layers: vec![name],
            shape: shape.to_vec(),
            takes,
            what,
            activation: Activation::Linear,
            pooled: false,
        }
    }
}

pub(super) enum What {
    Linear(Linear),
    /// Of the sum of what it takes: with two values the scaling is the identity.
    Elementwise(Affine, usize),
    /// A kernel as it is, which may have an activation.
    Ready(Arc<dyn KernelLayer>),
    Pool(PoolLayer),
    /// The same that lays a frame of zeros around an image: rows and columns before and behind it.
    Frame {
        layer: Arc<dyn KernelLayer>,
        before: [usize; 2],
        after: [usize; 2],
    },
    /// A neighbour does its work.
    Absorbed,
}

/// Drafts in the order in which they run.
#[derive(Default)]
pub(super) struct Drafts {
    pub(super) drafts: Vec<Draft>,
    /// The value that the model gives.
    pub(super) end: usize,
}

/// The steps, numbered without the drafts that were absorbed.
pub(super) fn steps(drafts: Vec<Draft>) -> Vec<Step> {
    let mut numbers = vec![0];
    let mut steps = Vec::new();
    for draft in drafts {
        let activation = draft.activation;
        let layer: Option<Arc<dyn KernelLayer>> = match draft.what {
            What::Absorbed => None,
            What::Pool(layer) => Some(Arc::new(layer)),
            What::Ready(layer) | What::Frame { layer, .. } => Some(match activation {
                Activation::Linear => layer,
                activation => layer
                    .activated(activation)
                    .expect("only layers that take an activation get one"),
            }),
            What::Linear(Linear {
                kind,
                inputs,
                kernel,
                bias,
                ..
            }) => Some(match kind {
                Kind::Dense => Arc::new(DenseLayer::new(inputs, &kernel, &bias, activation)),
                Kind::Conv(windows, 1) => {
                    let layer = ConvLayer::new(windows, &kernel, &bias, activation);
                    Arc::new(if draft.pooled { layer.pooled() } else { layer })
                }
                Kind::Conv(windows, groups) => Arc::new(DepthwiseLayer::new(
                    windows, groups, &kernel, &bias, activation,
                )),
            }),
            What::Elementwise(Affine { scale, offset }, values) => Some(Arc::new(
                ElementwiseLayer::new(values, &to_f32(&scale), &to_f32(&offset), activation),
            )),
        };
        if let Some(layer) = layer {
            let takes = draft.takes.iter().map(|&value| numbers[value]).collect();
            let mut layers = draft.layers;
            // A reader makes several of one layer of a file.
            layers.dedup();
            steps.push(Step {
                takes,
                layer,
                layers,
                shape: draft.shape,
            });
        }
        numbers.push(steps.len());
    }
    steps
}

fn to_f32(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}
