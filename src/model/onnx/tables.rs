//! Operators of `ai.onnx.ml`, of which scikit-learn's and XGBoost's exporters make classifiers of
//! tables.

use super::node::text;
use super::reader::{Read, Reader};
use super::rewrite::attribute;
use super::support_vectors::{self, Machine};
use super::trees::{self, Ensemble};
use super::value::{Source, Value};
use crate::kernels::{Activation, CouplingLayer, KernelLayer};
use crate::model::layer::Op;
use crate::model::one_kernel::{Coupling, SupportVectors, Trees};
use rten_onnx::onnx::NodeProto;
use std::sync::Arc;

impl Reader<'_> {
    /// Columns side by side.
    pub(super) fn feature_vectorizer(&mut self, node: &NodeProto) -> Read<Value> {
        let widths = attribute(node, "inputdimensions").map(|list| list.ints.clone());
        let mut found = Vec::new();
        for number in 0..node.input.len() {
            let sizes = self.value(node, number)?.sizes();
            found.push(sizes.get(1).map_or(0, |&size| size as i64));
        }
        match widths.is_none_or(|widths| widths == found) {
            true => self.concat(node),
            false => Err("inputs of other widths".into()),
        }
    }

    /// `(x - offset) * scale` of each feature.
    pub(super) fn scaler(&mut self, node: &NodeProto) -> Read<Value> {
        let (number, values) = self.row(node, 0)?;
        let from = self.row_of(number);
        let list = |name: &str| attribute(node, name).map(|list| list.floats.clone());
        let scale = list("scale").unwrap_or_else(|| vec![1.0]);
        let offset = list("offset").unwrap_or_else(|| vec![0.0]);
        let fits = |list: &[f32]| [1, values].contains(&list.len());
        if !fits(&scale) || !fits(&offset) {
            return Err("other features".into());
        }
        let at = |list: &[f32], k: usize| f64::from(list[k % list.len()]);
        let scales: Vec<f64> = (0..values).map(|k| at(&scale, k)).collect();
        let offset = (0..values).map(|k| -at(&offset, k) * scales[k]).collect();
        let scale = scales;
        self.same(node, &from, Op::Affine { scale, offset })
    }

    /// One score a class.
    pub(super) fn linear_classifier(&mut self, node: &NodeProto) -> Read<Value> {
        let (number, features) = self.row(node, 0)?;
        let list = |name: &str| attribute(node, name).map(|list| list.floats.clone());
        let coefficients = list("coefficients").unwrap_or_default();
        let intercepts = list("intercepts").unwrap_or_default();
        let labels = ["classlabels_ints", "classlabels_strings"]
            .iter()
            .filter_map(|name| attribute(node, name))
            .map(|list| list.ints.len().max(list.strings.len()))
            .max();
        let classes = intercepts.len();
        if classes < 2 || labels != Some(classes) {
            return Err("scores that are not one a class".into());
        }
        if coefficients.len() != classes * features {
            return Err("coefficients of other features".into());
        }
        let weights = Value::constant(Source::Floats(coefficients.into()), &[classes, features]);
        let weights = weights.transposed(&[1, 0]).ok_or("coefficients")?;
        let from = self.row_of(number);
        let value = self.dense(node, &from, 1, &weights, (1.0, intercepts))?;
        self.transformed(node, value)
    }

    /// Scores by decision trees.
    pub(super) fn tree_ensemble(&mut self, node: &NodeProto) -> Read<Value> {
        let (number, features) = self.row(node, 0)?;
        let Ensemble {
            layer,
            probabilities,
        } = trees::read(node, features)?;
        let shape = vec![layer.outputs()];
        let op = Op::Kernel(Arc::new(Trees {
            trees: layer,
            probabilities,
        }));
        let number = self.push(node, vec![number], op, shape)?;
        let value = self.row_of(number);
        self.transformed(node, value)
    }

    /// Probabilities by a support vector machine.
    pub(super) fn support_vectors(&mut self, node: &NodeProto) -> Read<Value> {
        let (number, features) = self.row(node, 0)?;
        let (machine, classes) = support_vectors::read(node, features)?;
        let coupling = CouplingLayer { classes };
        let pairs = match machine {
            Machine::Vectors(layer) => {
                let shape = vec![layer.outputs()];
                let op = Op::Kernel(Arc::new(SupportVectors(layer)));
                self.push(node, vec![number], op, shape)?
            }
            Machine::Dense { weights, bias } => {
                let sizes = [features, coupling.pairs()];
                let weights = Value::constant(Source::Floats(weights.into()), &sizes);
                let value = self.dense(node, &self.row_of(number), 1, &weights, (1.0, bias))?;
                let value = self.same(node, &value, Op::Activation(Activation::Sigmoid))?;
                self.innermost(node, &value, &[1])?.0
            }
        };
        let op = Op::Kernel(Arc::new(Coupling(coupling)));
        let number = self.push(node, vec![pairs], op, vec![coupling.classes])?;
        Ok(self.row_of(number))
    }

    /// Scores as a node says that they are answered.
    fn transformed(&mut self, node: &NodeProto, scores: Value) -> Read<Value> {
        match text(node, "post_transform") {
            None | Some("NONE") => Ok(scores),
            Some("SOFTMAX") => self.same(node, &scores, Op::Softmax),
            Some("LOGISTIC") => self.same(node, &scores, Op::Activation(Activation::Sigmoid)),
            Some(other) => Err(format!("post_transform {other}")),
        }
    }

    /// Division by a sum that is 1 already, behind a softmax.
    pub(super) fn normalizer(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let number = match from.of {
            Source::Layer(number) => number.checked_sub(1),
            _ => None,
        };
        let layer = number.and_then(|number| self.layers.get(number));
        let softmax = layer.is_some_and(|layer| matches!(layer.op, Op::Softmax));
        match text(node, "norm") == Some("L1") && softmax && from.rank() == 2 {
            true => Ok(from),
            false => Err(String::new()),
        }
    }
}
