//! Layers that are one kernel and into which nothing is folded: each says here what it takes, which
//! kernel it is and what shape it gives. A reader makes an [`Op::Kernel`] of one; nothing else in
//! this room knows them apart.
//!
//! A new one takes its kernel (`kernels/mod.rs`), a type here and an arm in a reader.
//!
//! [`Op::Kernel`]: super::layer::Op::Kernel

use super::ModelError;
use super::error::wrong_input;
use super::sizes::{count, image};
use crate::kernels::{
    Between, Divisor, Factor, Groups, KernelLayer, MatmulLayer, NormaliseLayer, ResampleLayer,
    SoftmaxLayer,
};
#[cfg(feature = "onnx")]
use crate::kernels::{CouplingLayer, LrnLayer, SupportVectorsLayer, TreesLayer};
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

/// Images of another size, by linear interpolation or the nearest pixel; pixels are squares whose
/// centres lie half a pixel from the image's edge.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resize {
    pub(super) to: Size,
    pub(super) linear: bool,
}

/// How large an image becomes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Size {
    /// This height and width.
    Of([usize; 2]),
    /// So many times what it was.
    Times([usize; 2]),
}

impl OneKernel for Resize {
    fn build(&self, name: &str, shapes: &[&[usize]]) -> Result<Built, ModelError> {
        let input = image(name, shapes[0])?;
        let mut shape = shapes[0].to_vec();
        let mut places = [const { Vec::new() }; 2];
        for axis in 0..2 {
            shape[axis] = match self.to {
                Size::Of(size) => size[axis],
                Size::Times(times) => input[axis].saturating_mul(times[axis]),
            };
        }
        // Checked before tables of it are made.
        count(name, &shape, 0)?;
        for axis in 0..2 {
            let scale = input[axis] as f64 / shape[axis] as f64;
            let last = input[axis] - 1;
            let place = |k: usize| {
                let at = (k as f64 + 0.5) * scale;
                if !self.linear {
                    let nearest = (at as usize).min(last);
                    return Between {
                        of: [nearest; 2],
                        second: 0.0,
                    };
                }
                let at = (at - 0.5).clamp(0.0, last as f64);
                let first = at as usize;
                Between {
                    of: [first, (first + 1).min(last)],
                    second: at.fract() as f32,
                }
            };
            places[axis] = (0..shape[axis]).map(place).collect();
        }
        let layer = ResampleLayer::new(input, &places[0], &places[1]);
        Ok((Arc::new(layer), shape))
    }

    fn what(&self) -> &'static str {
        "images made larger or smaller"
    }
}

/// Products of two values, matrix by matrix, wherever they lie: `[rows, heads, columns]`.
#[cfg(feature = "onnx")]
#[derive(Debug)]
pub(super) struct Matmul(pub(super) MatmulLayer);

#[cfg(feature = "onnx")]
impl OneKernel for Matmul {
    fn build(&self, name: &str, shapes: &[&[usize]]) -> Result<Built, ModelError> {
        let layer = self.0;
        for (side, shape) in [layer.a, layer.b].iter().zip(shapes) {
            if shape.iter().product::<usize>() != side.values {
                let expected = format!("{} values", side.values);
                return Err(wrong_input(name, expected, shape));
            }
        }
        let shape = vec![layer.rows, layer.heads, layer.columns];
        Ok((Arc::new(layer), shape))
    }

    fn what(&self) -> &'static str {
        "a product of two values, matrix by matrix"
    }

    fn takes(&self) -> usize {
        2
    }
}

/// Products of two values whose shapes say where their matrices lie.
#[derive(Debug)]
pub(super) enum Product {
    /// Of queries `[tokens, heads x width]` and keys of the same: `[tokens, heads, tokens]`.
    Scores { heads: usize, scale: f32 },
    /// Of weights `[tokens, heads, tokens]` and values `[tokens, heads x width]`:
    /// `[tokens, heads, width]`.
    Mixture,
    /// Of `[.., rows, inner]` and `[.., inner, columns]`: `[rows, .., columns]`.
    Matrices,
}

impl OneKernel for Product {
    fn build(&self, name: &str, shapes: &[&[usize]]) -> Result<Built, ModelError> {
        let [first, second] = [shapes[0], shapes[1]];
        let values = |shape: &[usize]| shape.iter().product::<usize>();
        let side = |shape: &[usize], [head, outer, inner]: [usize; 3]| Factor {
            values: values(shape),
            start: 0,
            head,
            outer,
            inner,
        };
        let layer = match (self, first, second) {
            (&Self::Scores { heads, scale }, &[rows, all], &[columns, other])
                if all == other && all.is_multiple_of(heads) =>
            {
                let inner = all / heads;
                MatmulLayer {
                    heads,
                    rows,
                    inner,
                    columns,
                    a: side(first, [inner, all, 1]),
                    b: side(second, [inner, all, 1]),
                    scale,
                }
            }
            (Self::Mixture, &[rows, heads, inner], &[tokens, all])
                if tokens == inner && all.is_multiple_of(heads) =>
            {
                let columns = all / heads;
                MatmulLayer {
                    heads,
                    rows,
                    inner,
                    columns,
                    a: side(first, [inner, heads * inner, 1]),
                    b: side(second, [columns, 1, all]),
                    scale: 1.0,
                }
            }
            (Self::Matrices, &[ref heads @ .., rows, inner], &[ref others @ .., same, columns])
                if heads == others && inner == same =>
            {
                MatmulLayer {
                    heads: values(heads),
                    rows,
                    inner,
                    columns,
                    a: side(first, [rows * inner, inner, 1]),
                    b: side(second, [inner * columns, 1, columns]),
                    scale: 1.0,
                }
            }
            _ => {
                let expected = format!("matrices that fit those of shape {first:?}");
                return Err(wrong_input(name, expected, second));
            }
        };
        let shape = vec![layer.rows, layer.heads, layer.columns];
        Ok((Arc::new(layer), shape))
    }

    fn what(&self) -> &'static str {
        "a product of two values, matrix by matrix"
    }

    fn takes(&self) -> usize {
        2
    }
}

/// A softmax over the last axis inside a network, where it weighs and is no answer.
#[derive(Debug)]
pub(super) struct Weighing;

impl OneKernel for Weighing {
    fn build(&self, name: &str, shapes: &[&[usize]]) -> Result<Built, ModelError> {
        let shape = shapes[0];
        let Some((&classes, groups)) = shape.split_last() else {
            return Err(wrong_input(name, "an axis of weights".into(), shape));
        };
        let groups = groups.iter().product();
        Ok((Arc::new(SoftmaxLayer { groups, classes }), shape.to_vec()))
    }

    fn what(&self) -> &'static str {
        "a softmax inside the network"
    }
}

/// Local response normalisation; its number of pixels and channels are those of what it takes.
#[cfg(feature = "onnx")]
#[derive(Debug)]
pub(super) struct Lrn(pub(super) LrnLayer);

#[cfg(feature = "onnx")]
impl OneKernel for Lrn {
    fn build(&self, _name: &str, shapes: &[&[usize]]) -> Result<Built, ModelError> {
        let shape = shapes[0];
        let channels = shape.last().copied().unwrap_or(1);
        let layer = LrnLayer {
            pixels: shape.iter().product::<usize>() / channels,
            channels,
            ..self.0
        };
        Ok((Arc::new(layer), shape.to_vec()))
    }

    fn what(&self) -> &'static str {
        "local response normalisation"
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

/// Probabilities of each pair of classes by support vectors.
#[cfg(feature = "onnx")]
#[derive(Debug)]
pub(super) struct SupportVectors(pub(super) SupportVectorsLayer);

#[cfg(feature = "onnx")]
impl OneKernel for SupportVectors {
    fn build(&self, name: &str, shapes: &[&[usize]]) -> Result<Built, ModelError> {
        if *shapes[0] != [self.0.inputs()] {
            let expected = format!("{} features", self.0.inputs());
            return Err(wrong_input(name, expected, shapes[0]));
        }
        let shape = vec![self.0.outputs()];
        Ok((Arc::new(self.0.clone()), shape))
    }

    fn what(&self) -> &'static str {
        "support vectors"
    }

    fn parameters(&self) -> usize {
        self.0.parameters()
    }

    fn classifies(&self) -> bool {
        true
    }
}

/// Probabilities of classes from those of each pair.
#[cfg(feature = "onnx")]
#[derive(Debug)]
pub(super) struct Coupling(pub(super) CouplingLayer);

#[cfg(feature = "onnx")]
impl OneKernel for Coupling {
    fn build(&self, name: &str, shapes: &[&[usize]]) -> Result<Built, ModelError> {
        if *shapes[0] != [self.0.pairs()] {
            let expected = format!("{} pairs of classes", self.0.pairs());
            return Err(wrong_input(name, expected, shapes[0]));
        }
        Ok((Arc::new(self.0), vec![self.0.classes]))
    }

    fn what(&self) -> &'static str {
        "probabilities from those of pairs"
    }

    fn gives_probabilities(&self) -> bool {
        true
    }
}
