//! Operators of `ai.onnx.ml`, of which scikit-learn's and XGBoost's exporters make classifiers of
//! tables.

use super::layers::{Read, Reader, Value};
use super::rewrite::attribute;
use super::trees::{self, Ensemble};
use crate::kernels::{Activation, KernelLayer};
use crate::model::layer::Op;
use crate::model::one_kernel::Trees;
use rten_onnx::onnx::NodeProto;
use std::sync::Arc;

impl Reader<'_> {
    /// `(x - offset) * scale` of each feature.
    pub(super) fn scaler(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let list = |name: &str| attribute(node, name).map(|list| list.floats.clone());
        let scale = list("scale").unwrap_or_else(|| vec![1.0]);
        let offset = list("offset").unwrap_or_else(|| vec![0.0]);
        let values = self.channels(&from)?;
        let fits = |list: &[f32]| [1, values].contains(&list.len());
        if from.swapped || !fits(&scale) || !fits(&offset) {
            return Err("other features".into());
        }
        let at = |list: &[f32], k: usize| f64::from(list[k % list.len()]);
        let scales: Vec<f64> = (0..values).map(|k| at(&scale, k)).collect();
        let offset = (0..values).map(|k| -at(&offset, k) * scales[k]).collect();
        Ok(self.same(
            node,
            &from,
            Op::Affine {
                scale: scales,
                offset,
            },
        ))
    }

    /// One score a class.
    pub(super) fn linear_classifier(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let list = |name: &str| attribute(node, name).map(|list| list.floats.clone());
        let coefficients = list("coefficients").unwrap_or_default();
        let intercepts = list("intercepts").unwrap_or_default();
        let labels = ["classlabels_ints", "classlabels_strings"]
            .iter()
            .filter_map(|name| attribute(node, name))
            .map(|list| list.ints.len().max(list.strings.len()))
            .max();
        let classes = intercepts.len();
        if classes < 2 || labels != Some(classes) || from.sizes.len() != 1 {
            return Err("scores that are not one a class".into());
        }
        let shape = vec![classes, from.sizes[0]];
        if coefficients.len() != classes * from.sizes[0] {
            return Err("coefficients of other features".into());
        }
        let weights = (shape, coefficients);
        let value = self.dense(node, &from, weights, true, Some(intercepts), [1.0, 1.0])?;
        match attribute(node, "post_transform").and_then(|kind| kind.s.as_deref()) {
            None | Some("NONE") => Ok(value),
            Some("SOFTMAX") => Ok(self.same(node, &value, Op::Softmax)),
            Some("LOGISTIC") => Ok(self.same(node, &value, Op::Activation(Activation::Sigmoid))),
            Some(other) => Err(format!("post_transform {other}")),
        }
    }

    /// Scores by decision trees.
    pub(super) fn tree_ensemble(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        if from.sizes.len() != 1 {
            return Err("what is no row".into());
        }
        let Ensemble {
            layer,
            probabilities,
        } = trees::read(node, from.sizes[0])?;
        let sizes = vec![layer.outputs()];
        let op = Op::Kernel(Arc::new(Trees {
            trees: layer,
            probabilities,
        }));
        let number = self.push(node, vec![from.number], op);
        let value = Value {
            number,
            sizes,
            swapped: false,
        };
        match attribute(node, "post_transform").and_then(|kind| kind.s.as_deref()) {
            None | Some("NONE") => Ok(value),
            Some("SOFTMAX") => Ok(self.same(node, &value, Op::Softmax)),
            Some("LOGISTIC") => Ok(self.same(node, &value, Op::Activation(Activation::Sigmoid))),
            Some(other) => Err(format!("post_transform {other}")),
        }
    }

    /// Division by a sum that is 1 already, behind a softmax.
    pub(super) fn normalizer(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let norm = attribute(node, "norm").and_then(|kind| kind.s.as_deref());
        let softmax = matches!(self.layers.last().map(|layer| &layer.op), Some(Op::Softmax));
        match norm == Some("L1") && softmax && from.number == self.layers.len() {
            true => Ok(from),
            false => Err(String::new()),
        }
    }
}
