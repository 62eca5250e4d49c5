//! Operators that work value by value, and sums and products with constants and of values.

use super::constants::Numbers;
use super::node::{float, has, int, operator_of, text};
use super::reader::{Read, Reader};
use super::rewrite::attribute;
use super::value::{Axis, Source, Value, common, places, size_of, split};
use crate::kernels::Activation;
use crate::model::layer::{Combining, Op};
use rten_onnx::onnx::NodeProto;

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
    pub(super) fn spread(
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

    /// A sum, a product, a quotient or the larger of two values, repeated along axes of one.
    fn of_values(
        &mut self,
        node: &NodeProto,
        arithmetic: Arithmetic,
        a: &Value,
        b: &Value,
    ) -> Read<Value> {
        let other_sizes = || format!("values of shapes {:?} and {:?}", a.sizes(), b.sizes());
        let sizes = common(&a.sizes(), &b.sizes()).ok_or_else(other_sizes)?;
        // The one that is there in full decides how both lie, but what is divided stands first.
        let (lead, other) = match a.sizes() == sizes || arithmetic == Arithmetic::Div {
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
            Arithmetic::Div => Op::Combine(Combining::Quotient),
            Arithmetic::Sub => return Err(String::new()),
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
pub(super) fn in_few(entries: Vec<f64>, channels: usize) -> Vec<f64> {
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
