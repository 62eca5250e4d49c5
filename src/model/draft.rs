//! Steps in the making, while a neighbour may still take one in.

use super::fold::{Affine, Kind, Linear};
use super::{Operation, Step};
use crate::kernels::{
    Activation, CombineLayer, ConvLayer, DenseLayer, DepthwiseLayer, ElementwiseLayer, PoolLayer,
    Pooling, Windows,
};

/// A step in the making.
pub(super) struct Draft {
    /// Value 0 is the input, `n` that of draft `n - 1`.
    pub(super) takes: Vec<usize>,
    pub(super) what: What,
    pub(super) activation: Activation,
}

impl What {
    /// Whether an activation can be part of the step.
    pub(super) fn takes_activation(&self) -> bool {
        !matches!(
            self,
            Self::Pool(..)
                | Self::Ready(
                    Operation::Rearrange(_) | Operation::Normalise(_) | Operation::Trees(_)
                )
        )
    }
}

pub(super) enum What {
    Linear(Linear),
    Pool(Windows, Pooling),
    /// Of the sum of what it takes: with two values the scaling is the identity.
    Elementwise(Affine, usize),
    /// A kernel as it is; only a product can take in an activation behind it.
    Ready(Operation),
    /// A neighbour does its work.
    Absorbed,
}

/// The steps, numbered without the drafts that were absorbed.
pub(super) fn steps(drafts: Vec<Draft>) -> Vec<Step> {
    let mut numbers = vec![0];
    let mut steps = Vec::new();
    for draft in drafts {
        let activation = draft.activation;
        let operation = match draft.what {
            What::Absorbed => None,
            What::Ready(Operation::Combine(layer)) => Some(Operation::Combine(CombineLayer {
                activation,
                ..layer
            })),
            What::Ready(operation) => Some(operation),
            What::Linear(Linear {
                kind,
                inputs,
                kernel,
                bias,
                ..
            }) => Some(match kind {
                Kind::Dense => {
                    Operation::Dense(DenseLayer::new(inputs, &kernel, &bias, activation))
                }
                Kind::Conv(windows) => {
                    Operation::Conv(ConvLayer::new(windows, &kernel, &bias, activation))
                }
                Kind::Depthwise(windows) => {
                    Operation::Depthwise(DepthwiseLayer::new(windows, &kernel, &bias, activation))
                }
            }),
            What::Pool(windows, pooling) => Some(Operation::Pool(PoolLayer { windows, pooling })),
            What::Elementwise(Affine { scale, offset }, values) => Some(Operation::Elementwise(
                ElementwiseLayer::new(values, &to_f32(&scale), &to_f32(&offset), activation),
            )),
        };
        if let Some(operation) = operation {
            let takes = draft.takes.iter().map(|&value| numbers[value]).collect();
            steps.push(Step { takes, operation });
        }
        numbers.push(steps.len());
    }
    steps
}

fn to_f32(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}
