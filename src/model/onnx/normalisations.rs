//! Normalisations by batch, layer, instance and neighbouring channels, and softmax.

use super::node::{float, has, int, operator_of};
use super::reader::{Read, Reader, counted};
use super::value::{Source, Value, size_of};
use super::values::in_few;
use crate::kernels::{Divisor, Groups, LrnLayer};
use crate::model::layer::Op;
use crate::model::one_kernel::{Lrn, Normalise};
use rten_onnx::onnx::NodeProto;
use std::sync::Arc;

impl Reader<'_> {
    /// `gamma (x - mean) / sqrt(variance + epsilon) + beta` of each channel.
    pub(super) fn batch_normalization(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let mut entries = Vec::new();
        for number in 1..5 {
            entries.push(self.floats(node, number)?);
        }
        let channels = from.axes.get(1).map_or(0, |axis| size_of(axis));
        if int(node, "training_mode", 0) != 0 || entries.iter().any(|e| e.len() != channels) {
            return Err("statistics of other channels".into());
        }
        let epsilon = f64::from(float(node, "epsilon", 1e-5));
        let [gamma, beta, mean, variance] = &entries[..] else {
            return Err("too few inputs".into());
        };
        let scale: Vec<f64> = (gamma.iter().zip(variance))
            .map(|(&g, &v)| f64::from(g) / (f64::from(v) + epsilon).sqrt())
            .collect();
        let offset: Vec<f64> = (beta.iter().zip(mean).zip(&scale))
            .map(|((&b, &m), s)| f64::from(b) - f64::from(m) * s)
            .collect();
        let (number, from, order) = self.as_it_lies(node, &from)?;
        let mut sizes = vec![1; from.rank()];
        sizes[1] = channels;
        let channel = Value::constant(Source::Floats([].into()), &sizes);
        let spread = self.spread(&from, &order, &channel)?;
        let last = self.shapes[number].last().copied().unwrap_or(1);
        let [scale, offset] = [scale, offset]
            .map(|entries| in_few(spread.iter().map(|&k| entries[k]).collect(), last));
        self.same(node, &from, Op::Affine { scale, offset })
    }

    /// Normalisation of the last axes of each input by their own statistics.
    pub(super) fn layer_normalization(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let axis = counted(int(node, "axis", -1), from.rank())?;
        let inner: Vec<usize> = (axis..from.rank()).collect();
        let (number, from, [_, columns]) = self.innermost(node, &from, &inner)?;
        let scale = self.floats(node, 1)?;
        let offset = match has(node, 2) {
            true => self.floats(node, 2)?,
            false => vec![0.0; columns],
        };
        if scale.len() != columns || offset.len() != columns {
            return Err("weights of other values".into());
        }
        self.normalised(
            node,
            (number, from),
            Groups::Pixels,
            epsilon_of(node),
            [scale, offset],
        )
    }

    /// Normalisation of groups of channels of each input by their own statistics.
    pub(super) fn channel_statistics(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        if from.rank() < 3 || !self.is_behind_batch(&from) {
            return Err("what is no image".into());
        }
        let (number, from, [_, channels]) = self.innermost(node, &from, &[1])?;
        let groups = match operator_of(node) {
            "InstanceNormalization" => channels,
            _ => usize::try_from(int(node, "num_groups", 0)).unwrap_or(0),
        };
        // Up to version 20 they are one a group.
        let mut entries = |number| -> Read<Vec<f32>> {
            let entries = self.floats(node, number)?;
            if entries.len() == groups && groups > 0 && channels.is_multiple_of(groups) {
                let repeated = |&entry| std::iter::repeat_n(entry, channels / groups);
                return Ok(entries.iter().flat_map(repeated).collect());
            }
            match entries.len() == channels {
                true => Ok(entries),
                false => Err("weights of other channels".into()),
            }
        };
        let entries = [entries(1)?, entries(2)?];
        let groups = Groups::Channels(groups);
        self.normalised(node, (number, from), groups, epsilon_of(node), entries)
    }

    /// A layer's value normalised by the statistics of groups, times a scale, plus an offset.
    pub(super) fn normalised(
        &mut self,
        node: &NodeProto,
        (number, from): (usize, Value),
        groups: Groups,
        epsilon: f32,
        [scale, offset]: [Vec<f32>; 2],
    ) -> Read<Value> {
        let normalise = Normalise {
            groups,
            divisor: Divisor::Deviation { epsilon },
            scale,
            offset,
        };
        let shape = self.shapes[number].clone();
        let number = self.push(node, vec![number], Op::Kernel(Arc::new(normalise)), shape)?;
        Ok(Value {
            of: Source::Layer(number),
            ..from
        })
    }

    /// Values by those of the channels around them.
    pub(super) fn lrn(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let size = usize::try_from(int(node, "size", 0)).unwrap_or(0);
        if !(1..=1 << 16).contains(&size) {
            return Err("windows of no channel".into());
        }
        let (number, shape) = self.image(node, &from)?;
        let layer = LrnLayer {
            pixels: 0,
            channels: 0,
            size,
            alpha: float(node, "alpha", 1e-4),
            beta: float(node, "beta", 0.75),
            bias: float(node, "bias", 1.0),
        };
        let op = Op::Kernel(Arc::new(Lrn(layer)));
        let number = self.push(node, vec![number], op, shape.to_vec())?;
        Ok(self.image_of(number, shape))
    }

    /// Values that add up to 1: the network's answers where it ends, else weights.
    pub(super) fn softmax(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let axis = int(node, "axis", if self.opset < 13 { 1 } else { -1 });
        let axis = counted(axis, from.rank())?;
        // Up to version 12 all axes from there on are one.
        let inner: Vec<usize> = match self.opset < 13 {
            true => (axis..from.rank()).collect(),
            false => vec![axis],
        };
        let (number, from, _) = self.innermost(node, &from, &inner)?;
        let shape = self.shapes[number].clone();
        let number = self.push(node, vec![number], Op::Softmax, shape)?;
        Ok(Value {
            of: Source::Layer(number),
            ..from
        })
    }
}

fn epsilon_of(node: &NodeProto) -> f32 {
    float(node, "epsilon", 1e-5)
}
