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

mod builder;

use super::smooth::Smooth;
use crate::kernels::Windows;
use crate::model::{Model, UnfoldedLayer, UnfoldedOp};

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
