//! Operators that work value by value: sums and products, activations, normalisations, and dense
//! layers.

use super::layers::{Read, Reader, Value, float, int};
use super::rewrite::attribute;
use crate::kernels::{Activation, Divisor, Groups, LrnLayer};
use crate::model::layer::{Combining, Op};
use crate::model::one_kernel::{Lrn, Normalise};
use rten_onnx::onnx::NodeProto;
use std::sync::Arc;

impl Reader<'_> {
    /// `gamma (x - mean) / sqrt(variance + epsilon) + beta` of each channel.
    pub(super) fn batch_normalization(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let mut entries = Vec::new();
        for number in 1..5 {
            let name = self
                .constant(node, number)
                .ok_or("statistics that are computed")?;
            entries.push(self.floats(name)?.1);
        }
        let channels = self.channels(&from)?;
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
        let offset = (beta.iter().zip(mean).zip(&scale))
            .map(|((&b, &m), s)| f64::from(b) - f64::from(m) * s)
            .collect();
        Ok(self.same(node, &from, Op::Affine { scale, offset }))
    }

    /// Normalisation by each input's own statistics.
    pub(super) fn own_statistics(&mut self, node: &NodeProto, operator: &str) -> Read<Value> {
        let from = self.value(node, 0)?;
        let channels = self.channels(&from)?;
        let entry = |number| {
            let name = self
                .constant(node, number)
                .ok_or("weights that are computed")?;
            Ok::<_, String>(self.floats(name)?.1)
        };
        let scale = entry(1)?;
        let offset = match node.input.len() {
            2 => vec![0.0; scale.len()],
            _ => entry(2)?,
        };
        let groups = match operator {
            "LayerNormalization" => {
                let axis = int(node, "axis", -1);
                let last = axis == -1 || axis == from.sizes.len() as i64;
                if !last || from.swapped {
                    return Err("another axis than the last".into());
                }
                Groups::Pixels
            }
            "InstanceNormalization" => Groups::Channels(channels),
            _ => Groups::Channels(usize::try_from(int(node, "num_groups", 0)).unwrap_or(0)),
        };
        // Up to version 20 they are one a group.
        let each = |entries: Vec<f32>| match groups {
            Groups::Channels(groups)
                if operator == "GroupNormalization"
                    && entries.len() == groups
                    && groups > 0
                    && channels.is_multiple_of(groups) =>
            {
                let repeat = channels / groups;
                let repeated = |&entry| std::iter::repeat_n(entry, repeat);
                entries.iter().flat_map(repeated).collect()
            }
            _ => entries,
        };
        let (scale, offset) = (each(scale), each(offset));
        if scale.len() != channels
            || offset.len() != channels
            || (groups != Groups::Pixels && !from.swapped)
        {
            return Err("weights of other channels".into());
        }
        let divisor = Divisor::Deviation {
            epsilon: float(node, "epsilon", 1e-5),
        };
        let normalise = Normalise {
            groups,
            divisor,
            scale,
            offset,
        };
        Ok(self.same(node, &from, Op::Kernel(Arc::new(normalise))))
    }

    /// Values by those of the channels around them.
    pub(super) fn lrn(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let size = usize::try_from(int(node, "size", 0)).unwrap_or(0);
        if !from.swapped || !(1..=1 << 16).contains(&size) {
            return Err("what is no image, or windows of no channel".into());
        }
        let layer = LrnLayer {
            pixels: 0,
            channels: 0,
            size,
            alpha: float(node, "alpha", 1e-4),
            beta: float(node, "beta", 0.75),
            bias: float(node, "bias", 1.0),
        };
        Ok(self.same(node, &from, Op::Kernel(Arc::new(Lrn(layer)))))
    }

    /// `max(x, 0) + slope min(x, 0)`
    pub(super) fn prelu(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let name = self.constant(node, 1).ok_or("slopes that are computed")?;
        let slopes = self.per_channel(&from, name)?;
        let relu = Op::Activation(Activation::Relu);
        let above = self.same(node, &from, relu.clone());
        let times = |by: Vec<f64>| Op::Affine {
            scale: by,
            offset: vec![0.0],
        };
        let below = self.same(node, &from, times(vec![-1.0]));
        let below = self.same(node, &below, relu);
        let below = self.same(
            node,
            &below,
            times(slopes.iter().map(|slope| -slope).collect()),
        );
        let number = self.push(node, vec![above.number, below.number], Op::Add);
        Ok(Value { number, ..from })
    }

    /// `clip(alpha x + beta, 0, 1)`
    pub(super) fn hard_sigmoid(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        // clip(alpha x + beta, 0, 1), by the one whose slope is a sixth.
        let (alpha, beta) = (float(node, "alpha", 0.2), float(node, "beta", 0.5));
        let scale = vec![6.0 * f64::from(alpha)];
        let offset = vec![6.0 * (f64::from(beta) - 0.5)];
        let from = match (scale[0] - 1.0).abs() < 1e-6 && offset[0] == 0.0 {
            true => from,
            false => self.same(node, &from, Op::Affine { scale, offset }),
        };
        Ok(self.same(node, &from, Op::Activation(Activation::HardSigmoid)))
    }

    pub(super) fn activation(&self, node: &NodeProto, operator: &str) -> Read<Activation> {
        let relu_with = |slope, ceiling| Activation::ReluWith {
            slope,
            threshold: 0.0,
            ceiling,
        };
        Ok(match operator {
            "Relu" => Activation::Relu,
            "LeakyRelu" => relu_with(float(node, "alpha", 0.01), f32::MAX),
            "Clip" => {
                let bound = |number: usize, name: &str, default: f32| -> Read<f32> {
                    match node.input.get(number).filter(|name| !name.is_empty()) {
                        Some(_) => {
                            let name = self
                                .constant(node, number)
                                .ok_or("a bound that is computed")?;
                            self.floats(name)?
                                .1
                                .first()
                                .copied()
                                .ok_or_else(|| "no bound".into())
                        }
                        None => Ok(float(node, name, default)),
                    }
                };
                let (least, most) = (bound(1, "min", f32::MIN)?, bound(2, "max", f32::MAX)?);
                match least == 0.0 && most > 0.0 {
                    true => relu_with(0.0, most),
                    false => return Err(format!("bounds {least} and {most}")),
                }
            }
            "Sigmoid" => Activation::Sigmoid,
            "Tanh" => Activation::Tanh,
            "Elu" => Activation::Elu {
                alpha: float(node, "alpha", 1.0),
            },
            "Selu" if attribute(node, "alpha").is_none() && attribute(node, "gamma").is_none() => {
                Activation::Selu
            }
            "Softplus" => Activation::Softplus,
            "Softsign" => Activation::Softsign,
            "Exp" => Activation::Exponential,
            "HardSwish" => Activation::HardSilu,
            "Mish" => Activation::Mish,
            "Gelu" => match attribute(node, "approximate").and_then(|kind| kind.s.as_deref()) {
                Some("tanh") => Activation::GeluTanh,
                _ => Activation::Gelu,
            },
            _ => return Err(String::new()),
        })
    }

    /// A constant that is one number or one a channel, as ONNX repeats it.
    pub(super) fn per_channel(&self, from: &Value, name: &str) -> Read<Vec<f64>> {
        let (shape, values) = self.floats(name)?;
        let wide = || values.iter().map(|&v| f64::from(v)).collect();
        if values.len() == 1 {
            return Ok(wide());
        }
        let channels = self.channels(from)?;
        // Where the constant's own axis comes to lie among the value's.
        let at = shape
            .iter()
            .position(|&size| size > 1)
            .map(|at| shape.len() - at);
        let wanted = if from.swapped { from.sizes.len() } else { 1 };
        match values.len() == channels && at == Some(wanted) {
            true => Ok(wide()),
            false => Err(format!("a constant of shape {shape:?}")),
        }
    }

    pub(super) fn arithmetic(&mut self, node: &NodeProto, operator: &str) -> Read<Value> {
        if node.input.len() != 2 {
            return Err("another number of inputs than two".into());
        }
        let (first, second) = (self.constant(node, 0), self.constant(node, 1));
        let constant = match (first, second) {
            (None, Some(name)) => Some((self.value(node, 0)?, name, true)),
            (Some(name), None) => Some((self.value(node, 1)?, name, false)),
            (Some(_), Some(_)) => return Err("two constants".into()),
            (None, None) => None,
        };
        if let Some((from, name, ahead)) = constant {
            let numbers = self.per_channel(&from, name)?;
            let (scale, offset) = match (operator, ahead) {
                ("Add", _) => (vec![1.0], numbers),
                ("Mul", _) => (numbers, vec![0.0]),
                ("Sub", true) => (vec![1.0], numbers.iter().map(|n| -n).collect()),
                ("Sub", false) => (vec![-1.0], numbers),
                ("Div", true) if numbers.iter().all(|&n| n != 0.0) => {
                    (numbers.iter().map(|n| 1.0 / n).collect(), vec![0.0])
                }
                _ => return Err("of a constant".into()),
            };
            return Ok(self.same(node, &from, Op::Affine { scale, offset }));
        }
        let (a, b) = (self.value(node, 0)?, self.value(node, 1)?);
        // Repetition follows ONNX's order of axes, which is ours turned alike for both.
        let alike = a.swapped == b.swapped && a.sizes.len() == b.sizes.len();
        let sizes: Option<Vec<usize>> = (a.sizes.iter().zip(&b.sizes))
            .map(|(&a, &b)| match (a, b) {
                (a, b) if a == b || b == 1 => Some(a),
                (1, b) => Some(b),
                _ => None,
            })
            .collect();
        let Some(sizes) = sizes.filter(|_| alike) else {
            return Err(format!("values of shapes {:?} and {:?}", a.sizes, b.sizes));
        };
        let (b, op) = match operator {
            "Add" => (b, Op::Add),
            "Sub" => {
                let (scale, offset) = (vec![-1.0], vec![0.0]);
                (self.same(node, &b, Op::Affine { scale, offset }), Op::Add)
            }
            "Mul" => (b, Op::Combine(Combining::Product)),
            "Max" => (b, Op::Combine(Combining::Larger)),
            _ => return Err("a quotient of two values".into()),
        };
        let number = self.push(node, vec![a.number, b.number], op);
        Ok(Value {
            number,
            sizes,
            swapped: a.swapped,
        })
    }

    pub(super) fn dense(
        &mut self,
        node: &NodeProto,
        from: &Value,
        (shape, weights): (Vec<usize>, Vec<f32>),
        turned: bool,
        bias: Option<Vec<f32>>,
        [alpha, beta]: [f32; 2],
    ) -> Read<Value> {
        let &[rows, columns] = &shape[..] else {
            return Err(format!("weights of shape {shape:?}"));
        };
        let (inputs, outputs) = if turned {
            (columns, rows)
        } else {
            (rows, columns)
        };
        if from.swapped || from.sizes.last() != Some(&inputs) {
            return Err(format!(
                "weights of shape {shape:?} for values {:?}",
                from.sizes
            ));
        }
        let mut kernel = Vec::with_capacity(weights.len());
        for input in 0..inputs {
            for output in 0..outputs {
                let at = if turned {
                    output * columns + input
                } else {
                    input * columns + output
                };
                kernel.push(alpha * weights[at]);
            }
        }
        let bias = match bias {
            None => vec![0.0; outputs],
            Some(bias) if bias.len() == outputs => bias.iter().map(|b| beta * b).collect(),
            Some(bias) if bias.len() == 1 => vec![beta * bias[0]; outputs],
            Some(_) => return Err("a bias of another length".into()),
        };
        let number = self.push(
            node,
            vec![from.number],
            Op::Dense {
                inputs,
                kernel,
                bias,
            },
        );
        let mut sizes = from.sizes.clone();
        *sizes.last_mut().ok_or("no values")? = outputs;
        Ok(Value {
            number,
            sizes,
            swapped: false,
        })
    }
}
