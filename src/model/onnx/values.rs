//! Operators that work value by value, sums and products with constants and of values, and
//! normalisations.

use super::constants::Numbers;
use super::node::{float, has, int, operator_of, text};
use super::reader::{Read, Reader, counted};
use super::rewrite::attribute;
use super::value::{Axis, Source, Value, common, contiguous, places, size_of, split};
use crate::kernels::{Activation, Divisor, Groups, LrnLayer};
use crate::model::layer::{Combining, Op};
use crate::model::one_kernel::{Lrn, Normalise};
use rten_onnx::onnx::NodeProto;
use std::sync::Arc;

/// What is made of a value and a constant, or of two values.
#[derive(Clone, Copy, PartialEq)]
enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    Max,
}

impl Arithmetic {
    fn of(operator: &str) -> Option<Self> {
        Some(match operator {
            "Add" => Self::Add,
            "Sub" => Self::Sub,
            "Mul" => Self::Mul,
            "Div" => Self::Div,
            "Max" => Self::Max,
            _ => return None,
        })
    }
}

/// Refuses numbers that take places of a value away when they are added and taken off again.
pub(super) fn small(numbers: &[f32]) -> Read<()> {
    match numbers.iter().all(|number| number.abs() <= 8.0) {
        true => Ok(()),
        false => Err("a number beyond 8, which would round the values beside it".into()),
    }
}

impl Reader<'_> {
    pub(super) fn arithmetic(&mut self, node: &NodeProto) -> Read<Value> {
        if node.input.len() != 2 {
            return Err("another number of inputs than two".into());
        }
        let (a, b) = (self.value(node, 0)?, self.value(node, 1)?);
        let operator = operator_of(node);
        let arithmetic = Arithmetic::of(operator).ok_or("arithmetic of another kind")?;
        match (a.is_constant(), b.is_constant()) {
            (true, true) => self.of_constants(operator, &a, &b),
            (false, true) if arithmetic == Arithmetic::Max => self.at_least(node, &a, &b),
            (false, true) => self.with_constant(node, arithmetic, &a, &b),
            (true, false) => match arithmetic {
                Arithmetic::Max => self.at_least(node, &b, &a),
                Arithmetic::Sub => {
                    let negative = self.scaled(node, &b, -1.0)?;
                    self.plus(node, &negative, &a)
                }
                Arithmetic::Div => Err("of a constant".into()),
                _ => self.with_constant(node, arithmetic, &b, &a),
            },
            (false, false) => match arithmetic {
                Arithmetic::Div => Err("a quotient of two values".into()),
                Arithmetic::Sub => {
                    let negative = self.scaled(node, &b, -1.0)?;
                    self.of_values(node, Arithmetic::Add, &a, &negative)
                }
                _ => self.of_values(node, arithmetic, &a, &b),
            },
        }
    }

    /// Values added up, two and more.
    pub(super) fn sum(&mut self, node: &NodeProto) -> Read<Value> {
        let mut sum = self.value(node, 0)?;
        for number in 1..node.input.len() {
            let value = self.value(node, number)?;
            sum = match (sum.is_constant(), value.is_constant()) {
                (true, true) => self.of_constants("Add", &sum, &value)?,
                (false, true) => self.plus(node, &sum, &value)?,
                (true, false) => self.plus(node, &value, &sum)?,
                (false, false) => self.of_values(node, Arithmetic::Add, &sum, &value)?,
            };
        }
        Ok(sum)
    }

    /// What compares, and what only shapes are computed by.
    pub(super) fn comparison(&mut self, node: &NodeProto) -> Read<Value> {
        let (a, b) = (self.value(node, 0)?, self.value(node, 1)?);
        let operator = operator_of(node);
        match (operator, a.is_constant(), b.is_constant()) {
            (_, true, true) if int(node, "fmod", 0) == 0 => self.of_constants(operator, &a, &b),
            ("Min", false, true) if node.input.len() == 2 => self.at_most(node, &a, &b),
            ("Min", true, false) if node.input.len() == 2 => self.at_most(node, &b, &a),
            _ => Err(String::new()),
        }
    }

    /// A value times a number.
    fn scaled(&mut self, node: &NodeProto, from: &Value, by: f64) -> Read<Value> {
        let (scale, offset) = (vec![by], vec![0.0]);
        self.same(node, from, Op::Affine { scale, offset })
    }

    fn with_constant(
        &mut self,
        node: &NodeProto,
        arithmetic: Arithmetic,
        from: &Value,
        constant: &Value,
    ) -> Read<Value> {
        let sizes = common(&from.sizes(), &constant.sizes()).ok_or("a constant of other sizes")?;
        let from = from.repeated(&sizes, self.batch);
        let from = from.ok_or("a constant of other sizes")?;
        let mut constant = constant.clone();
        if constant.rank() == from.rank() {
            constant = self.for_each_row(constant)?;
            let first = constant.axes.first_mut();
            first
                .into_iter()
                .for_each(|axis| axis.retain(|part| part.step.is_some()));
        }
        let Numbers::Floats(numbers) = self.numbers(&constant)? else {
            return Err("whole numbers beside a value".into());
        };
        let numbers: Vec<f64> = numbers.into_iter().map(f64::from).collect();
        let divides = arithmetic == Arithmetic::Div;
        if divides && numbers.contains(&0.0) {
            return Err("by 0".into());
        }
        // A part of a row is scaled where it is used.
        let whole = match from.of {
            Source::Layer(number) => from.count() == self.shapes[number].iter().product::<usize>(),
            _ => false,
        };
        if let (false, &[by], Arithmetic::Mul | Arithmetic::Div) = (whole, &numbers[..], arithmetic)
        {
            let by = if divides { 1.0 / by } else { by };
            let factor = from.factor * by;
            return Ok(Value { factor, ..from });
        }
        let (number, from, order) = self.as_it_lies(node, &from)?;
        let constant = Value::constant(Source::Floats([].into()), &constant.sizes());
        let spread = self.spread(&from, &order, &constant)?;
        let entries = |of: &dyn Fn(f64) -> f64| {
            let all = spread.iter().map(|&k| of(numbers[k])).collect();
            in_few(all, self.shapes[number].last().copied().unwrap_or(1))
        };
        let (scale, offset) = match arithmetic {
            Arithmetic::Add => (vec![1.0], entries(&|n| n)),
            Arithmetic::Sub => (vec![1.0], entries(&|n| -n)),
            Arithmetic::Mul => (entries(&|n| n), vec![0.0]),
            Arithmetic::Div => (entries(&|n| 1.0 / n), vec![0.0]),
            Arithmetic::Max => return Err("a larger one than a constant".into()),
        };
        self.same(node, &from, Op::Affine { scale, offset })
    }

    /// A value and a constant together.
    pub(super) fn plus(&mut self, node: &NodeProto, from: &Value, by: &Value) -> Read<Value> {
        self.with_constant(node, Arithmetic::Add, from, by)
    }

    fn floats_of(&mut self, constant: &Value) -> Read<Vec<f32>> {
        match self.numbers(constant)? {
            Numbers::Floats(numbers) => Ok(numbers.to_vec()),
            Numbers::Whole(_) => Err("whole numbers beside a value".into()),
        }
    }

    /// `max(x, c) = max(x - c, 0) + c`, which rounds twice where x is the larger one.
    fn at_least(&mut self, node: &NodeProto, from: &Value, constant: &Value) -> Read<Value> {
        small(&self.floats_of(constant)?)?;
        let above = self.with_constant(node, Arithmetic::Sub, from, constant)?;
        let above = self.same(node, &above, Op::Activation(Activation::Relu))?;
        self.plus(node, &above, constant)
    }

    /// `min(x, c) = c - max(c - x, 0)`
    fn at_most(&mut self, node: &NodeProto, from: &Value, constant: &Value) -> Read<Value> {
        small(&self.floats_of(constant)?)?;
        let negative = self.scaled(node, from, -1.0)?;
        let below = self.plus(node, &negative, constant)?;
        let below = self.same(node, &below, Op::Activation(Activation::Relu))?;
        let below = self.scaled(node, &below, -1.0)?;
        self.plus(node, &below, constant)
    }

    /// A value between two bounds, each of which may be left out.
    pub(super) fn clip(&mut self, node: &NodeProto) -> Read<Value> {
        let mut value = self.value(node, 0)?;
        if value.is_constant() {
            return self.of_constant("Clip", &value);
        }
        let mut bound = |number: usize, name: &str| -> Read<Option<f32>> {
            let stated = attribute(node, name).and_then(|bound| bound.f);
            let bound = match has(node, number) {
                true => match self.floats(node, number)?[..] {
                    [bound] => Some(bound),
                    _ => return Err("bounds of another number than one".into()),
                },
                false => stated,
            };
            Ok(bound)
        };
        // Bounds that every number keeps are none.
        let least = bound(1, "min")?.filter(|&least| least.is_nan() || least > f32::MIN);
        let most = bound(2, "max")?.filter(|&most| most.is_nan() || most < f32::MAX);
        if [least, most]
            .iter()
            .flatten()
            .any(|bound| !bound.is_finite())
        {
            return Err("bounds that are not finite".into());
        }
        if let (Some(0.0), Some(ceiling)) = (least, most)
            && ceiling > 0.0
        {
            let relu = Activation::ReluWith {
                slope: 0.0,
                threshold: 0.0,
                ceiling,
            };
            return self.same(node, &value, Op::Activation(relu));
        }
        let number = |bound: f32| Value::constant(Source::Floats([bound].into()), &[]);
        // Where the bounds are the wrong way round the upper one holds.
        if let Some(least) = least {
            value = self.at_least(node, &value, &number(least))?;
        }
        if let Some(most) = most {
            value = self.at_most(node, &value, &number(most))?;
        }
        Ok(value)
    }

    /// Which number of a constant each number of a row meets.
    fn spread(
        &mut self,
        from: &Value,
        order: &[(usize, usize)],
        constant: &Value,
    ) -> Read<Vec<usize>> {
        let constant = constant.repeated(&from.sizes(), self.batch);
        let constant = constant.ok_or("a constant of other sizes")?;
        let axes = alike(&constant.axes, &from.axes).ok_or("a constant of other sizes")?;
        let constant = Value { axes, ..constant };
        self.spend(from.count())?;
        Ok(places(0, &constant.parts(order)))
    }

    /// A sum, a product or the larger of two values, repeated along axes of one.
    fn of_values(
        &mut self,
        node: &NodeProto,
        arithmetic: Arithmetic,
        a: &Value,
        b: &Value,
    ) -> Read<Value> {
        let other_sizes = || format!("values of shapes {:?} and {:?}", a.sizes(), b.sizes());
        let sizes = common(&a.sizes(), &b.sizes()).ok_or_else(other_sizes)?;
        // The one that is there in full decides how both lie.
        let (lead, other) = match a.sizes() == sizes {
            true => (a, b),
            false => (b, a),
        };
        let lead = lead.repeated(&sizes, self.batch).ok_or_else(other_sizes)?;
        let (_, mut lead, _) = self.as_it_lies(node, &lead)?;
        let mut other = other.clone();
        while other.rank() < lead.rank() {
            other = other.with_axis(0).ok_or_else(other_sizes)?;
        }
        if alike(&other.axes, &lead.axes).is_none() {
            lead = self.row_by_row(node, &lead)?;
            other = self.row_by_row(node, &other)?;
        }
        other.axes = alike(&other.axes, &lead.axes).ok_or_else(other_sizes)?;
        let order = lead.order_as_it_lies(0..lead.rank());
        let shape = |value: &Value| -> Vec<usize> {
            let size = |&(axis, k): &(usize, usize)| value.axes[axis].get(k).map_or(1, |p| p.size);
            order.iter().map(size).collect()
        };
        let there = |&(axis, k): &(usize, usize)| k < other.axes[axis].len();
        let own: Vec<(usize, usize)> = order.iter().copied().filter(there).collect();
        let (lead, a, b) = match own.len() == order.len() {
            true => {
                let (a, lead) = self.laid(node, &lead, &order, None)?;
                let (b, _) = self.laid(node, &other, &own, Some(self.shapes[a].clone()))?;
                (lead, a, b)
            }
            false => {
                let (a, lead) = self.laid(node, &lead, &order, Some(shape(&lead)))?;
                let (b, _) = self.laid(node, &other, &own, Some(shape(&other)))?;
                (lead, a, b)
            }
        };
        let op = match arithmetic {
            Arithmetic::Add => Op::Add,
            Arithmetic::Mul => Op::Combine(Combining::Product),
            Arithmetic::Max => Op::Combine(Combining::Larger),
            Arithmetic::Sub | Arithmetic::Div => return Err(String::new()),
        };
        let shape = self.shapes[a].clone();
        let number = self.push(node, vec![a, b], op, shape)?;
        Ok(Value {
            of: Source::Layer(number),
            ..lead
        })
    }

    /// A value to the power of 2 or 3.
    pub(super) fn power(&mut self, node: &NodeProto) -> Read<Value> {
        let (from, power) = (self.value(node, 0)?, self.value(node, 1)?);
        if from.is_constant() && power.is_constant() {
            return self.of_constants("Pow", &from, &power);
        }
        let times = match self.numbers(&power)? {
            Numbers::Floats(power) if power == [2.0] => 1,
            Numbers::Floats(power) if power == [3.0] => 2,
            Numbers::Whole(power) if power == [2] => 1,
            Numbers::Whole(power) if power == [3] => 2,
            _ => return Err("a power other than 2 and 3".into()),
        };
        let mut product = from.clone();
        for _ in 0..times {
            product = self.of_values(node, Arithmetic::Mul, &product, &from)?;
        }
        Ok(product)
    }

    /// A function of each value.
    pub(super) fn function(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let operator = operator_of(node);
        if from.is_constant() {
            return self.of_constant(operator, &from);
        }
        if operator == "Neg" {
            return self.scaled(node, &from, -1.0);
        }
        let activation = self.activation(node, operator)?;
        self.same(node, &from, Op::Activation(activation))
    }

    fn activation(&mut self, node: &NodeProto, operator: &str) -> Read<Activation> {
        let relu_with = |slope, ceiling| Activation::ReluWith {
            slope,
            threshold: 0.0,
            ceiling,
        };
        Ok(match operator {
            "Relu" => Activation::Relu,
            "LeakyRelu" => relu_with(float(node, "alpha", 0.01), f32::MAX),
            "Sigmoid" => Activation::Sigmoid,
            "Tanh" => Activation::Tanh,
            "Elu" => Activation::Elu {
                alpha: float(node, "alpha", 1.0),
            },
            "Softplus" => Activation::Softplus,
            "Softsign" => Activation::Softsign,
            "Exp" => Activation::Exponential,
            "HardSwish" => Activation::HardSilu,
            "Mish" => Activation::Mish,
            "Gelu" => match text(node, "approximate") {
                Some("tanh") => Activation::GeluTanh,
                None | Some("none") => Activation::Gelu,
                Some(other) => return Err(format!("approximate {other}")),
            },
            _ => return Err(String::new()),
        })
    }

    /// `gamma x`, and `gamma alpha (exp(x) - 1)` below 0
    pub(super) fn selu(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        if attribute(node, "alpha").is_none() && attribute(node, "gamma").is_none() {
            return self.same(node, &from, Op::Activation(Activation::Selu));
        }
        let alpha = float(node, "alpha", 1.673_263_2);
        let gamma = float(node, "gamma", 1.050_701);
        let elu = self.same(node, &from, Op::Activation(Activation::Elu { alpha }))?;
        self.scaled(node, &elu, f64::from(gamma))
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
            false => self.same(node, &from, Op::Affine { scale, offset })?,
        };
        self.same(node, &from, Op::Activation(Activation::HardSigmoid))
    }

    /// `max(x, 0) + slope min(x, 0)`
    pub(super) fn prelu(&mut self, node: &NodeProto) -> Read<Value> {
        let (from, slopes) = (self.value(node, 0)?, self.value(node, 1)?);
        if !slopes.is_constant() {
            return Err("slopes that are computed".into());
        }
        let relu = Op::Activation(Activation::Relu);
        let above = self.same(node, &from, relu.clone())?;
        let below = self.scaled(node, &from, -1.0)?;
        let below = self.same(node, &below, relu)?;
        let below = self.with_constant(node, Arithmetic::Mul, &below, &slopes)?;
        let below = self.scaled(node, &below, -1.0)?;
        self.of_values(node, Arithmetic::Add, &above, &below)
    }

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

    /// An image's row as `[height, width, channels]`.
    pub(super) fn image(&mut self, node: &NodeProto, from: &Value) -> Read<(usize, [usize; 3])> {
        if from.rank() != 4 || !self.is_behind_batch(from) {
            return Err("what is no image".into());
        }
        let sizes = from.sizes();
        let shape = [sizes[2], sizes[3], sizes[1]];
        let order = from.order_of([2, 3, 1]);
        let (number, _) = self.laid(node, from, &order, Some(shape.to_vec()))?;
        Ok((number, shape))
    }

    /// What a layer gives as `[height, width, channels]`, as the graph sees it.
    pub(super) fn image_of(&self, number: usize, [height, width, channels]: [usize; 3]) -> Value {
        let axes = contiguous(&[channels, height, width], &[1, 2, 0]);
        Value::of_layer(number, self.behind(axes))
    }
}

fn epsilon_of(node: &NodeProto) -> f32 {
    float(node, "epsilon", 1e-5)
}

/// Axes in the parts of others, or of one entry; nothing where they have other sizes or another part
/// is the batch.
fn alike(axes: &[Axis], others: &[Axis]) -> Option<Vec<Axis>> {
    let mut alike = Vec::with_capacity(axes.len());
    for (axis, other) in axes.iter().zip(others) {
        if size_of(axis) == 1 {
            alike.push(Vec::new());
            continue;
        }
        let sizes: Vec<usize> = other.iter().map(|part| part.size).collect();
        let parts = split(axis, &sizes)?;
        let mut own = Vec::with_capacity(parts.len());
        for (part, other) in parts.into_iter().zip(other) {
            let [mut part] = part[..] else { return None };
            // What is the same for all is so for all rows of the batch.
            if other.step.is_none() && part.step == Some(0) {
                part.step = None;
            }
            if part.step.is_none() != other.step.is_none() {
                return None;
            }
            own.push(part);
        }
        alike.push(own);
    }
    Some(alike)
}

/// Entries as a layer takes them: one where all are the same, one a channel, or all.
fn in_few(entries: Vec<f64>, channels: usize) -> Vec<f64> {
    let repeat = |count: usize| {
        let (first, _) = entries.split_at(count);
        entries.chunks(count).all(|entries| entries == first)
    };
    let few = [1, channels].into_iter().find(|&count| {
        count <= entries.len() && entries.len().is_multiple_of(count) && repeat(count)
    });
    let count = few.unwrap_or(entries.len());
    entries[..count].to_vec()
}
