//! Layers of several inputs, and operations on tensors that no layer is: `x / 255`, `x[..., ::-1]`,
//! `ops.stack`.

use super::graph::{Argument, Node, is_tensor};
use super::layers::{Reader, Value};
use super::options::{Function, Options, function, numbers, short};
use crate::model::ModelError;
use crate::model::arrange::Key;
use crate::model::layer::{Arrangement, Combining, Op};

/// Operations of Keras 3 that no layer shares its name with.
const OPERATIONS: [&str; 6] = [
    "TrueDivide",
    "Divide",
    "GetItem",
    "Stack",
    "ZerosLike",
    "OnesLike",
];

impl Reader<'_> {
    /// An operation of Keras 3 or TensorFlow on a tensor and a constant, such as `x / 255`; nothing
    /// where the node is a layer.
    pub(super) fn operation(
        &mut self,
        node: &Node<'_>,
        takes: &[Value],
    ) -> Result<Option<Value>, ModelError> {
        let wrong = |expected: &str, found: String| ModelError::Config {
            place: format!("layer \"{}\"", node.id.name),
            expected: expected.to_owned(),
            found,
        };
        let module = node.entry["module"].as_str().unwrap_or_default();
        let constant = |argument: &Argument<'_>| matches!(argument, Argument::Constant(_));
        let takes_constants = node.call.arguments.iter().any(constant);
        let function = match node.class {
            // TensorFlow's, by the name of its function.
            "TFOpLambda" => {
                let name = node.entry["config"]["function"]
                    .as_str()
                    .unwrap_or_default();
                name.rsplit('.').next().unwrap_or_default()
            }
            class if module.contains(".ops.") => class,
            // HDF5 leaves modules out. Some operations are called as layers are; constants, which
            // layers do not take, tell them apart.
            class if module.is_empty() && (takes_constants || OPERATIONS.contains(&class)) => class,
            _ => return Ok(None),
        };
        if let Some(value) = self.operation_on_tokens(node, takes)? {
            return Ok(Some(value));
        }
        if let Some(value) = self.function_of_tensors(node, function, takes)? {
            return Ok(Some(value));
        }
        let sum = match function {
            "TrueDivide" | "Divide" | "truediv" | "divide" | "Multiply" | "multiply" | "mul" => {
                false
            }
            "Add" | "add" | "Subtract" | "subtract" | "sub" => true,
            other => {
                let expected = "an operation that is known: sums, products, quotients, maxima, activations, indices, stacks, zeros and ones, matmul, reshape, transpose, softmax, mean";
                return Err(wrong(expected, other.chars().take(80).collect()));
            }
        };
        let divides = ["TrueDivide", "Divide", "truediv", "divide"].contains(&function);
        let subtracts = ["Subtract", "subtract", "sub"].contains(&function);
        // What stands beside the tensor: the other argument, or `y` by name.
        let options = node.call.options;
        let named = options.and_then(|options| {
            ["y", "x2"]
                .iter()
                .find_map(|key| options.get(*key))
                .filter(|value| !is_tensor(value))
        });
        let constants: Vec<&serde_json::Value> = (node.call.arguments.iter())
            .filter_map(|argument| match argument {
                Argument::Constant(value) => Some(*value),
                Argument::Tensor(..) => None,
            })
            .chain(named)
            .collect();
        let first = !matches!(node.call.arguments.first(), Some(Argument::Constant(_)));
        let ([from], [constant]) = (takes, &constants[..]) else {
            let found = format!("{} tensors and {} constants", takes.len(), constants.len());
            return Err(wrong("a tensor and a constant", found));
        };
        let numbers = last_axis(constant)
            .and_then(numbers)
            .filter(|numbers| !numbers.is_empty() && numbers.iter().all(|n| n.is_finite()))
            .ok_or_else(|| {
                wrong(
                    "a tensor and a number, one a channel or one a value",
                    short(constant),
                )
            })?;
        if !first && (divides || subtracts) {
            if divides {
                return Err(wrong(
                    "a tensor divided by a number",
                    "a number divided by a tensor".into(),
                ));
            }
            // c - x
            let op = Op::Affine {
                scale: vec![-1.0],
                offset: numbers,
            };
            self.push(node, vec![from.number], op, 0);
            return Ok(Some(self.last(from.rank)));
        }
        let (scale, offset) = match (sum, divides, subtracts) {
            (true, _, true) => (vec![1.0], numbers.iter().map(|n| -n).collect()),
            (true, _, false) => (vec![1.0], numbers),
            (false, true, _) => (numbers.iter().map(|n| 1.0 / n).collect(), vec![0.0]),
            (false, false, _) => (numbers, vec![0.0]),
        };
        if !scale.iter().all(|scale| scale.is_finite()) {
            return Err(wrong("a divisor that is not 0", short(constant)));
        }
        self.push(node, vec![from.number], Op::Affine { scale, offset }, 0);
        Ok(Some(self.last(from.rank)))
    }

    /// An operation on tensors alone.
    fn function_of_tensors(
        &mut self,
        node: &Node<'_>,
        function: &str,
        takes: &[Value],
    ) -> Result<Option<Value>, ModelError> {
        let tensors = (node.call.arguments.iter())
            .filter(|argument| matches!(argument, Argument::Tensor(..)))
            .count();
        let numbers: Vec<usize> = takes.iter().map(|value| value.number).collect();
        let options = Options {
            layer: &node.id.name,
            config: &node.entry["config"],
        };
        let all_tensors = tensors == node.call.arguments.len();
        let (op, rank) = match (function, takes) {
            ("Add" | "add", [a, _]) => (Op::Add, a.rank),
            ("Multiply" | "multiply", [a, _]) => (Op::Combine(Combining::Product), a.rank),
            ("Maximum" | "maximum", [a, _]) => (Op::Combine(Combining::Larger), a.rank),
            ("TrueDivide" | "Divide" | "truediv" | "divide", [a, _]) => {
                (Op::Combine(Combining::Quotient), a.rank)
            }
            ("Subtract" | "subtract" | "sub", &[a, b]) => {
                let b = self.scaled(node, b, -1.0);
                self.push(node, vec![a.number, b.number], Op::Add, 0);
                return Ok(Some(self.last(a.rank)));
            }
            // What a token of its own is made from. What is no finite number stays none, unlike in Keras.
            ("ZerosLike" | "zeros_like" | "OnesLike" | "ones_like", [a]) => {
                let ones = function.starts_with(['O', 'o']);
                let (scale, offset) = (vec![0.0], vec![f64::from(u8::from(ones))]);
                (Op::Affine { scale, offset }, a.rank)
            }
            ("Stack" | "Concatenate", [a, ..]) if all_tensors => {
                let axis = behind_batch(&options, a.rank)?;
                let stacks = function == "Stack";
                let op = match stacks {
                    true => Arrangement::Stack { axis },
                    false => Arrangement::Concat { axis },
                };
                (
                    Op::Arrange(op),
                    a.rank.map(|rank| rank + usize::from(stacks)),
                )
            }
            ("GetItem", [a]) => {
                let keys = keys(node)?;
                let dropped = keys.iter().filter(|key| matches!(key, Key::At(_))).count();
                let rank = a.rank.and_then(|rank| rank.checked_sub(dropped));
                (Op::Arrange(Arrangement::Index(keys)), rank)
            }
            (name, [a]) if all_tensors => match activation_operation(name) {
                Some(function) => return Ok(Some(self.function(node, *a, function))),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        self.push(node, numbers, op, 0);
        Ok(Some(self.last(rank)))
    }

    /// Layers of several inputs; nothing for others.
    pub(super) fn merge(
        &mut self,
        node: &Node<'_>,
        options: &Options<'_>,
        takes: &[Value],
    ) -> Result<Option<Value>, ModelError> {
        let class = node.class;
        let known = [
            "Add",
            "Subtract",
            "Multiply",
            "Average",
            "Maximum",
            "Minimum",
            "Concatenate",
            // Of keras.applications' InceptionResNetV2.
            "CustomScaleLayer",
        ];
        if !known.contains(&class) {
            return Ok(None);
        }
        let Some(&first) = takes.first().filter(|_| takes.len() >= 2) else {
            return Err(ModelError::Config {
                place: format!("layer \"{}\", a {class}", node.id.name),
                expected: "two or more inputs".into(),
                found: takes.len().to_string(),
            });
        };
        let rank = takes.iter().filter_map(|value| value.rank).max();
        let numbers = || {
            takes
                .iter()
                .map(|value| value.number)
                .collect::<Vec<usize>>()
        };
        match class {
            "Add" => self.push(node, numbers(), Op::Add, 0),
            "Average" => {
                self.push(node, numbers(), Op::Add, 0);
                let sum = self.last(rank);
                self.scaled(node, sum, 1.0 / takes.len() as f64);
            }
            "Subtract" | "CustomScaleLayer" => {
                let by = match class {
                    "Subtract" => -1.0,
                    _ => options.number("scale", 1.0)?,
                };
                let other = self.scaled(node, takes[1], by);
                self.push(node, vec![first.number, other.number], Op::Add, 0);
            }
            "Concatenate" => {
                let axis = behind_batch(options, first.rank)?;
                let arrangement = Arrangement::Concat { axis };
                self.push(node, numbers(), Op::Arrange(arrangement), 0);
            }
            // The smaller of two is the larger of their negatives, negated.
            "Minimum" => {
                let mut so_far = self.scaled(node, first, -1.0);
                for &other in &takes[1..] {
                    let other = self.scaled(node, other, -1.0);
                    let op = Op::Combine(Combining::Larger);
                    self.push(node, vec![so_far.number, other.number], op, 0);
                    so_far = self.last(rank);
                }
                self.scaled(node, so_far, -1.0);
            }
            _ => {
                let combining = match class {
                    "Maximum" => Combining::Larger,
                    _ => Combining::Product,
                };
                let mut so_far = first;
                for &other in &takes[1..] {
                    let op = Op::Combine(combining);
                    self.push(node, vec![so_far.number, other.number], op, 0);
                    so_far = self.last(rank);
                }
            }
        }
        Ok(Some(self.last(rank)))
    }
}

/// The axis of an option `axis`, counted behind the batch's.
fn behind_batch(options: &Options<'_>, rank: Option<usize>) -> Result<i64, ModelError> {
    let axis = options
        .get("axis")
        .map_or(Some(-1), serde_json::Value::as_i64);
    match axis {
        Some(axis) if axis > 0 => Ok(axis - 1),
        Some(axis) if axis < 0 && rank.is_none_or(|rank| axis >= -(rank as i64)) => Ok(axis),
        _ => Err(options.wrong("axis", "an axis behind the batch's")),
    }
}

/// The index of an operation that takes parts of a tensor, behind the batch's axis.
fn keys(node: &Node<'_>) -> Result<Vec<Key>, ModelError> {
    let wrong = |found: String| ModelError::Config {
        place: format!("layer \"{}\", index", node.id.name),
        expected: "whole numbers, slices and an ellipsis, all of the batch".into(),
        found,
    };
    let mut keys = Vec::new();
    for argument in &node.call.arguments {
        let Argument::Constant(value) = argument else {
            continue;
        };
        keys.push(match value["class_name"].as_str() {
            Some("__ellipsis__") => Key::Ellipsis,
            Some("__slice__") => {
                let part = |key: &str| match &value["config"][key] {
                    serde_json::Value::Null => Ok(None),
                    number => number.as_i64().map(Some).ok_or_else(|| wrong(short(value))),
                };
                Key::Range {
                    start: part("start")?,
                    stop: part("stop")?,
                    step: part("step")?.unwrap_or(1),
                }
            }
            _ => Key::At(value.as_i64().ok_or_else(|| wrong(short(value)))?),
        });
    }
    const ALL: Key = Key::Range {
        start: None,
        stop: None,
        step: 1,
    };
    match keys.first() {
        Some(Key::Ellipsis) => Ok(keys),
        Some(first) if *first == ALL => Ok(keys.split_off(1)),
        _ => Err(wrong("another part of the batch".into())),
    }
}

/// The activation of an operation of Keras 3's or a function of TensorFlow's.
fn activation_operation(name: &str) -> Option<Function> {
    let name = match name {
        "LeakyRelu" | "LogSoftmax" | "HardSigmoid" | "HardSilu" => {
            let mut snake = String::new();
            for letter in name.chars() {
                if letter.is_uppercase() && !snake.is_empty() {
                    snake.push('_');
                }
                snake.extend(letter.to_lowercase());
            }
            snake
        }
        "Exp" | "exp" => "exponential".into(),
        name => name.to_lowercase(),
    };
    // Slopes and approximations are options of their own; these have none.
    let plain = [
        "relu",
        "relu6",
        "sigmoid",
        "tanh",
        "selu",
        "silu",
        "softplus",
        "softsign",
        "exponential",
        "hard_sigmoid",
        "hard_silu",
    ];
    plain
        .contains(&name.as_str())
        .then(|| function(&name))
        .flatten()
}

/// A constant without its leading axes of one, so that it is a number, one a channel or one a value.
fn last_axis(constant: &serde_json::Value) -> Option<&serde_json::Value> {
    if ["__numpy__", "__tensor__"]
        .iter()
        .any(|class| constant["class_name"] == *class)
    {
        return last_axis(&constant["config"]["value"]);
    }
    match constant.as_array().map(Vec::as_slice) {
        Some([inner]) => last_axis(inner),
        Some(list) if list.iter().any(|inner| !is_wide(inner)) => None,
        _ => Some(constant),
    }
}

/// Whether a list inside a constant has no axis of one: what holds a number for each value, such as
/// places of tokens, has none, and what would repeat has one.
fn is_wide(constant: &serde_json::Value) -> bool {
    match constant.as_array().map(Vec::as_slice) {
        Some([] | [_]) => false,
        Some(list) => list.iter().all(is_wide),
        None => true,
    }
}
