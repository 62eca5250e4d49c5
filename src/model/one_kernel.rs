//! Layers that are one kernel and into which nothing is folded: each says here what it takes, which
//! kernel it is and what shape it gives. A reader makes an [`Op::Kernel`] of one; nothing else in
//! this room knows them apart.
//!
//! A new one takes its kernel (`kernels/mod.rs`), a type here and an arm in a reader.
//!
//! [`Op::Kernel`]: super::layer::Op::Kernel

use super::ModelError;
use super::error::wrong_input;
#[cfg(feature = "onnx")]
use crate::kernels::TreesLayer;
use crate::kernels::{Divisor, Groups, KernelLayer, NormaliseLayer};
use serde_json::{Value, json};
use std::sync::Arc;

/// A kernel, and the shape of what it gives.
pub(super) type Built = (Arc<dyn KernelLayer>, Vec<usize>);

/// A layer as Keras writes it: its class, its options, and tensors by role.
pub(super) type Written = (
    &'static str,
    Value,
    Vec<(&'static str, Vec<usize>, Vec<f32>)>,
);

/// A layer that is one kernel.
pub(super) trait OneKernel: std::fmt::Debug + Send + Sync {
    /// Its kernel for values of these shapes.
    fn build(&self, name: &str, shapes: &[&[usize]]) -> Result<Built, ModelError>;

    /// What it is, in words, for those that must pass it by.
    fn what(&self) -> &'static str;

    /// Weights that it holds.
    fn parameters(&self) -> usize {
        0
    }

    /// How many values it takes.
    fn takes(&self) -> usize {
        1
    }

    /// The layer of Keras's that does this; nothing where there is none.
    fn written(&self) -> Option<Written> {
        None
    }

    /// Whether it alone makes a classifier, as layers with weights do.
    fn classifies(&self) -> bool {
        false
    }

    /// Whether what it gives are probabilities already.
    fn gives_probabilities(&self) -> bool {
        false
    }
}

/// Normalisation by each input's own statistics; one scale and offset a channel, or one for all.
#[derive(Debug)]
pub(super) struct Normalise {
    pub(super) groups: Groups,
    pub(super) divisor: Divisor,
    pub(super) scale: Vec<f32>,
    pub(super) offset: Vec<f32>,
}

impl OneKernel for Normalise {
    fn build(&self, name: &str, shapes: &[&[usize]]) -> Result<Built, ModelError> {
        let shape = shapes[0];
        let channels = shape.last().copied().unwrap_or(1);
        let pixels = shape.iter().product::<usize>() / channels.max(1);
        let each = |entries: &[f32]| match entries {
            &[one] => Ok(vec![one; channels]),
            entries if entries.len() == channels => Ok(entries.to_vec()),
            entries => Err(ModelError::Shape {
                name: format!("gamma or beta of {name}"),
                expected: format!("[{channels}]"),
                found: vec![entries.len()],
            }),
        };
        if let Groups::Channels(groups) = self.groups
            && !(groups > 0 && channels.is_multiple_of(groups))
        {
            let expected = format!("channels in {groups} equal groups");
            return Err(wrong_input(name, expected, shape));
        }
        let (scale, offset) = (each(&self.scale)?, each(&self.offset)?);
        let layer = NormaliseLayer::new(pixels, self.groups, self.divisor, scale, offset);
        Ok((Arc::new(layer), shape.to_vec()))
    }

    fn what(&self) -> &'static str {
        "a normalisation by each input's own statistics"
    }

    fn parameters(&self) -> usize {
        self.scale.len() + self.offset.len()
    }

    fn written(&self) -> Option<Written> {
        let (class, mut config) = match (self.groups, self.divisor) {
            (_, Divisor::Length { .. }) => return Some(("UnitNormalization", json!({}), vec![])),
            (Groups::Pixels, Divisor::Deviation { epsilon }) => {
                ("LayerNormalization", json!({"epsilon": epsilon}))
            }
            (Groups::Channels(groups), Divisor::Deviation { epsilon }) => {
                let config = json!({"groups": groups, "epsilon": epsilon});
                ("GroupNormalization", config)
            }
        };
        let mut tensors = Vec::new();
        let entries = [
            ("scale", "gamma", &self.scale),
            ("center", "beta", &self.offset),
        ];
        for (option, role, entries) in entries {
            // One entry for all stands for no weights.
            let own = entries.len() > 1;
            config[option] = own.into();
            if own {
                tensors.push((role, vec![entries.len()], entries.clone()));
            }
        }
        Some((class, config, tensors))
    }
}

/// Scores by decision trees.
#[cfg(feature = "onnx")]
#[derive(Debug)]
pub(super) struct Trees {
    pub(super) trees: TreesLayer,
    /// Whether the scores are probabilities.
    pub(super) probabilities: bool,
}

#[cfg(feature = "onnx")]
impl OneKernel for Trees {
    fn build(&self, name: &str, shapes: &[&[usize]]) -> Result<Built, ModelError> {
        if *shapes[0] != [self.trees.inputs()] {
            let expected = format!("{} features", self.trees.inputs());
            return Err(wrong_input(name, expected, shapes[0]));
        }
        let shape = vec![self.trees.outputs()];
        Ok((Arc::new(self.trees.clone()), shape))
    }

    fn what(&self) -> &'static str {
        "decision trees"
    }

    fn classifies(&self) -> bool {
        true
    }

    fn gives_probabilities(&self) -> bool {
        self.probabilities
    }
}
