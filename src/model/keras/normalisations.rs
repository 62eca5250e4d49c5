//! Layers that scale and shift: of a batch's statistics, or of the data's. Both are folded in
//! 64-bit floats.

use super::graph::Node;
use super::layers::{Reader, Value, variable};
use super::options::Options;
use crate::kernels::{Divisor, Groups};
use crate::model::ModelError;
use crate::model::layer::Op;
use crate::model::one_kernel::Normalise;
use std::sync::Arc;

impl Reader<'_> {
    /// `gamma (x - mean) / sqrt(variance + epsilon) + beta`, of each channel.
    pub(super) fn batch_normalization(
        &mut self,
        node: &Node<'_>,
        options: &Options<'_>,
        from: Value,
    ) -> Result<Value, ModelError> {
        options.last_axis(from.rank)?;
        let epsilon = options.number("epsilon", 1e-3)?;
        let mut position = 0;
        let mut channels = None;
        let mut parameters = 0;
        let mut take = |role: &'static [&'static str]| -> Result<Vec<f64>, ModelError> {
            let variable = variable(role, position);
            let (shape, values) = self.weights.take(&node.id, variable, &[channels])?;
            position += 1;
            parameters += values.len();
            channels = Some(shape[0]);
            Ok(values.into_iter().map(f64::from).collect())
        };
        let gamma = match options.flag("scale", true)? {
            true => Some(take(&["gamma"])?),
            false => None,
        };
        let beta = match options.flag("center", true)? {
            true => Some(take(&["beta"])?),
            false => None,
        };
        let mean = take(&["moving_mean"])?;
        let variance = take(&["moving_variance"])?;
        let scale: Vec<f64> = variance
            .iter()
            .enumerate()
            .map(|(i, variance)| gamma.as_ref().map_or(1.0, |g| g[i]) / (variance + epsilon).sqrt())
            .collect();
        let offset = mean.iter().zip(&scale).enumerate();
        let offset = offset
            .map(|(i, (mean, scale))| beta.as_ref().map_or(0.0, |b| b[i]) - mean * scale)
            .collect();
        self.affine(node, from, scale, offset, parameters)
    }

    /// `(x - mean) / max(sqrt(variance), epsilon)`, or the inverse of it.
    pub(super) fn normalization(
        &mut self,
        node: &Node<'_>,
        options: &Options<'_>,
        from: Value,
    ) -> Result<Value, ModelError> {
        // Keras's own, so that a variance of 0 divides by something.
        const EPSILON: f64 = 1e-7;
        let axes = normalized_axes(options, from.rank)?;
        let (mean, variance, parameters) = match options.get("mean") {
            Some(_) => {
                let [mean, variance] = ["mean", "variance"].map(|key| options.numbers(key, 1.0));
                (mean?, variance?, 0)
            }
            None => {
                let shape = vec![None; axes];
                let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
                let mean = self.values(&node.id, variable(&["mean"], 0), &shape)?;
                let variance = self.values(&node.id, variable(&["variance"], 1), &shape)?;
                let count = variable(&["count"], 2);
                let counted = usize::from(self.weights.has(&node.id, count));
                let parameters = mean.len() + variance.len() + counted;
                self.weights.ignore(&node.id);
                (wide(mean), wide(variance), parameters)
            }
        };
        if mean.len() != variance.len() {
            let expected = format!("{} values, as many as of the mean", mean.len());
            return Err(options.wrong("variance", &expected));
        }
        if variance.iter().any(|&variance| variance < 0.0) {
            return Err(options.wrong("variance", "values of 0 or more"));
        }
        let deviations = variance.iter().map(|variance| variance.sqrt().max(EPSILON));
        let (scale, offset) = match options.flag("invert", false)? {
            true => (deviations.collect(), mean),
            false => mean
                .iter()
                .zip(deviations)
                .map(|(mean, deviation)| (1.0 / deviation, -mean / deviation))
                .unzip(),
        };
        self.affine(node, from, scale, offset, parameters)
    }

    /// Layer, group and unit normalisation, whose statistics each input has of its own.
    pub(super) fn own_statistics(
        &mut self,
        node: &Node<'_>,
        options: &Options<'_>,
        from: Value,
    ) -> Result<Value, ModelError> {
        options.last_axis(from.rank)?;
        options.only("rms_scaling", "false", |value| value == false)?;
        let unit = node.class == "UnitNormalization";
        let mut position = 0;
        let mut parameters = 0;
        let mut take = |key: &str, role: &'static [&'static str]| -> Result<_, ModelError> {
            if unit || !options.flag(key, true)? {
                return Ok(None);
            }
            let values = self.values(&node.id, variable(role, position), &[None])?;
            position += 1;
            parameters += values.len();
            Ok(Some(values))
        };
        let (gamma, beta) = (take("scale", &["gamma"])?, take("center", &["beta"])?);
        let channels = gamma.as_ref().or(beta.as_ref()).map(Vec::len);
        let epsilon = options.number("epsilon", 1e-3)? as f32;
        let groups = match (node.class, options.config["groups"].as_i64()) {
            ("GroupNormalization", Some(-1)) => Groups::Channels(channels.unwrap_or(0)),
            ("GroupNormalization", None) => Groups::Channels(32),
            ("GroupNormalization", Some(_)) => Groups::Channels(options.size("groups")?),
            _ => Groups::Pixels,
        };
        let divisor = match unit {
            true => Divisor::Length { epsilon: 1e-12 },
            false => Divisor::Deviation { epsilon },
        };
        let normalise = Normalise {
            groups,
            divisor,
            scale: gamma.unwrap_or_else(|| vec![1.0]),
            offset: beta.unwrap_or_else(|| vec![0.0]),
        };
        let op = Op::Kernel(Arc::new(normalise));
        self.push(node, vec![from.number], op, parameters);
        Ok(self.last(from.rank))
    }

    fn affine(
        &mut self,
        node: &Node<'_>,
        from: Value,
        scale: Vec<f64>,
        offset: Vec<f64>,
        parameters: usize,
    ) -> Result<Value, ModelError> {
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        if !finite(&scale) || !finite(&offset) {
            return Err(ModelError::Config {
                place: format!("layer \"{}\"", node.id.name),
                expected: "variances of 0 or more".into(),
                found: "others".into(),
            });
        }
        self.push(
            node,
            vec![from.number],
            Op::Affine { scale, offset },
            parameters,
        );
        Ok(self.last(from.rank))
    }
}

/// How many axes a Normalization keeps apart: none, the last one, or all.
fn normalized_axes(options: &Options<'_>, rank: Option<usize>) -> Result<usize, ModelError> {
    let expected = "no axis, the last one, or all but the batch's";
    let axis = options.get("axis");
    let axes: Option<Vec<i64>> = match axis.map(|axis| (axis, axis.as_array())) {
        None => Some(Vec::new()),
        Some((_, Some(list))) => list.iter().map(serde_json::Value::as_i64).collect(),
        Some((axis, None)) => axis.as_i64().map(|axis| vec![axis]),
    };
    let axes = axes.ok_or_else(|| options.wrong("axis", expected))?;
    let rank = rank.and_then(|rank| i64::try_from(rank).ok());
    // Counted from the batch's axis, 0.
    let from_front = |axis: i64| match axis {
        0.. => Some(axis),
        _ => rank.map(|rank| rank + 1 + axis),
    };
    let fits = match axes[..] {
        [] | [-1] => true,
        [axis] => from_front(axis) == rank && rank.is_some(),
        _ => {
            let mut axes: Vec<Option<i64>> = axes.iter().map(|&axis| from_front(axis)).collect();
            axes.sort_unstable();
            rank.is_some_and(|rank| axes.into_iter().eq((1..=rank).map(Some)))
        }
    };
    if fits {
        Ok(axes.len())
    } else {
        Err(options.wrong("axis", expected))
    }
}
