//! Layers as an engine runs them: steps that fit each other and end in logits, each of them a
//! kernel.

use super::Link;
use crate::kernels::{Buf, KernelLayer, Recording, row_stride};
use std::sync::Arc;

/// One step of a model.
#[derive(Debug, Clone)]
pub struct Step {
    /// The values it takes: 0 is the model's input, `n` what step `n - 1` gives.
    pub takes: Vec<usize>,
    /// What it computes of them.
    pub layer: Arc<dyn KernelLayer>,
    /// The layers of the file that it does, those that were folded in included.
    pub layers: Vec<String>,
    /// Shape of what it gives.
    pub shape: Vec<usize>,
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
        self.steps.last().map_or(0, |step| step.layer.outputs())
    }

    /// The steps on a plane of their inputs: they take (x, y) and give what these give at
    /// `origin + x p + y q`, without a product as wide as an input at every point. Nothing where the
    /// first step is not a dense layer that alone takes the input.
    ///
    /// # Panics
    /// When the origin or a direction has not as many values as an input.
    pub fn on_plane(&self, origin: &[f64], directions: [&[f64]; 2]) -> Option<Self> {
        let (first, rest) = self.steps.split_first()?;
        if rest.iter().any(|step| step.takes.contains(&0)) {
            return None;
        }
        let first = Step {
            layer: first.layer.on_plane(origin, directions)?,
            ..first.clone()
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
            let takes: Vec<Buf<f32>> = step.takes.iter().map(|&value| values[value]).collect();
            values.push(step.layer.record(recording, &takes, rows));
        }
        values[self.steps.len()]
    }

    /// Floating-point operations that each step takes for one input.
    pub fn flop(&self) -> Vec<u64> {
        let mut recording = Recording::new();
        let x = recording.upload("flop.x", &vec![0.0f32; row_stride(self.inputs)]);
        self.record(&mut recording, x, 1);
        // A step is one command.
        let commands = recording.commands().iter().zip(&self.steps);
        commands
            .map(|(command, step)| {
                let values = step.layer.outputs() as u64;
                (command.kernel.spec().flop)(&command.params) * values
            })
            .collect()
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
        let steps = self.steps.iter().map(|step| step.layer.outputs());
        [self.inputs].into_iter().chain(steps)
    }
}
