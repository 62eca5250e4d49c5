//! The options of a layer in a Keras config: read by kind, with a default, and refused by name.

use crate::kernels::Activation;
use crate::model::ModelError;
use crate::model::functions::{activation_by_name, activation_names};
use serde_json::Value;

/// A function of each value, or the softmax of them all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Function {
    Each(Activation),
    Softmax,
}

/// The options of one layer.
#[derive(Clone, Copy)]
pub(super) struct Options<'a> {
    /// The layer's name, for messages.
    pub(super) layer: &'a str,
    pub(super) config: &'a Value,
}

impl<'a> Options<'a> {
    /// An option that is not what it should be.
    pub(super) fn wrong(&self, key: &str, expected: &str) -> ModelError {
        ModelError::Config {
            place: format!("layer \"{}\", {key}", self.layer),
            expected: expected.to_owned(),
            found: short(&self.config[key]),
        }
    }

    /// An option, where it is given.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        Some(&self.config[key]).filter(|value| !value.is_null())
    }

    pub(super) fn number(&self, key: &str, default: f64) -> Result<f64, ModelError> {
        match self.get(key) {
            None => Ok(default),
            Some(value) => match numbers(value).as_deref() {
                Some([number]) if !number.is_nan() => Ok(*number),
                _ => Err(self.wrong(key, "a number")),
            },
        }
    }

    /// A number, or one a channel or value.
    pub(super) fn numbers(&self, key: &str, default: f64) -> Result<Vec<f64>, ModelError> {
        match self.get(key) {
            None => Ok(vec![default]),
            Some(value) => numbers(value)
                .filter(|numbers| !numbers.is_empty() && numbers.iter().all(|n| n.is_finite()))
                .ok_or_else(|| self.wrong(key, "a number, or a list of numbers, one an input")),
        }
    }

    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool, ModelError> {
        match self.get(key) {
            None => Ok(default),
            Some(value) => value
                .as_bool()
                .ok_or_else(|| self.wrong(key, "true or false")),
        }
    }

    /// A whole number above 0.
    pub(super) fn size(&self, key: &str) -> Result<usize, ModelError> {
        size(&self.config[key]).ok_or_else(|| self.wrong(key, "a whole number above 0"))
    }

    /// One whole number above 0, which may stand in a list of its own.
    pub(super) fn one(&self, key: &str) -> Result<usize, ModelError> {
        let value = &self.config[key];
        let only = match value.as_array().map(Vec::as_slice) {
            Some([only]) => size(only),
            Some(_) => None,
            None => size(value),
        };
        only.ok_or_else(|| self.wrong(key, "a whole number above 0"))
    }

    /// Two whole numbers above 0, or one for both.
    pub(super) fn pair(&self, key: &str) -> Result<[usize; 2], ModelError> {
        let value = &self.config[key];
        let pair = match value.as_array().map(Vec::as_slice) {
            Some([rows, columns]) => size(rows).zip(size(columns)),
            Some(_) => None,
            None => size(value).map(|size| (size, size)),
        };
        pair.map(|(rows, columns)| [rows, columns])
            .ok_or_else(|| self.wrong(key, "two whole numbers above 0"))
    }

    /// Refuses any value of an option but one that changes nothing.
    pub(super) fn only(
        &self,
        key: &str,
        expected: &str,
        fits: impl Fn(&Value) -> bool,
    ) -> Result<(), ModelError> {
        match self.get(key) {
            Some(value) if !fits(value) => Err(self.wrong(key, expected)),
            _ => Ok(()),
        }
    }

    /// Refuses images whose channels come first.
    pub(super) fn channels_last(&self) -> Result<(), ModelError> {
        let expected = "channels_last, the only order supported";
        self.only("data_format", expected, |value| value == "channels_last")
    }

    /// Refuses an axis that is not the last of a batch of values of this rank.
    pub(super) fn last_axis(&self, rank: Option<usize>) -> Result<(), ModelError> {
        let last = |axis: &Value| {
            axis == -1 || rank.is_some_and(|rank| axis.as_u64() == Some(rank as u64))
        };
        // Keras 2 wrote a list of one.
        self.only("axis", "-1, the last axis", |axis| match axis.as_array() {
            Some(list) => matches!(&list[..], [axis] if last(axis)),
            None => last(axis),
        })
    }

    /// The function that `activation` names; none is linear.
    pub(super) fn activation(&self) -> Result<Function, ModelError> {
        match self.get("activation") {
            None => Ok(Function::Each(Activation::Linear)),
            Some(value) => match value {
                Value::String(name) => function(name),
                // A function of TensorFlow's, JAX's or PyTorch's, by its name there.
                _ if value["class_name"] == "function"
                    && value["module"] == "builtins"
                    && value["registered_name"] == "function" =>
                {
                    value["config"]
                        .as_str()
                        .and_then(|name| function(name.strip_suffix("_v2").unwrap_or(name)))
                }
                // A layer in the place of a function.
                _ => {
                    let options = Options {
                        layer: self.layer,
                        config: &value["config"],
                    };
                    let class = value["class_name"].as_str();
                    class.map_or(Ok(None), |class| options.activation_layer(class))?
                }
            }
            .ok_or_else(|| self.wrong("activation", &function_names())),
        }
    }

    /// The function of a layer that is one, by its class; nothing for other classes.
    pub(super) fn activation_layer(&self, class: &str) -> Result<Option<Function>, ModelError> {
        let number = |keys: [&str; 2], default| match self.get(keys[1]) {
            Some(_) => self.number(keys[1], default),
            None => self.number(keys[0], default),
        };
        let relu = |slope: f64, threshold: f64, ceiling: f64| Activation::ReluWith {
            slope: slope as f32,
            threshold: threshold as f32,
            ceiling: ceiling as f32,
        };
        // Keras 2 called the slope of LeakyReLU alpha.
        let activation = match class {
            "Activation" => return self.activation().map(Some),
            "Softmax" => return Ok(Some(Function::Softmax)),
            "ReLU" => {
                let slope = self.number("negative_slope", 0.0)?;
                let threshold = self.number("threshold", 0.0)?;
                let ceiling = self.number("max_value", f64::from(f32::MAX))?;
                let ceiling = ceiling.min(f64::from(f32::MAX));
                if (slope, threshold, ceiling) == (0.0, 0.0, f64::from(f32::MAX)) {
                    Activation::Relu
                } else {
                    relu(slope, threshold, ceiling)
                }
            }
            "LeakyReLU" => {
                let slope = number(["negative_slope", "alpha"], 0.3)?;
                relu(slope, 0.0, f64::from(f32::MAX))
            }
            "ThresholdedReLU" => relu(0.0, self.number("theta", 1.0)?, f64::from(f32::MAX)),
            "ELU" => Activation::Elu {
                alpha: self.number("alpha", 1.0)? as f32,
            },
            _ => return Ok(None),
        };
        Ok(Some(Function::Each(activation)))
    }
}

/// The function of this name.
pub(super) fn function(name: &str) -> Option<Function> {
    match name {
        // A softmax is left out, and so is its logarithm: both come from the same logits.
        "softmax" | "log_softmax" => Some(Function::Softmax),
        name => activation_by_name(name).map(Function::Each),
    }
}

fn function_names() -> String {
    let names: Vec<&str> = activation_names().collect();
    format!("softmax, {}", names.join(", "))
}

/// The numbers of a value: one, a list, lists of lists row by row, or an array of numpy.
pub(super) fn numbers(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Array(list) => {
            let parts: Option<Vec<Vec<f64>>> = list.iter().map(numbers).collect();
            Some(parts?.concat())
        }
        Value::Object(object) => match object.get("class_name")?.as_str()? {
            "__numpy__" | "__tensor__" => numbers(&value["config"]["value"]),
            _ => None,
        },
        Value::String(text) => match text.as_str() {
            "Infinity" => Some(vec![f64::INFINITY]),
            "-Infinity" => Some(vec![f64::NEG_INFINITY]),
            "NaN" => Some(vec![f64::NAN]),
            _ => None,
        },
        value => Some(vec![value.as_f64()?]),
    }
}

fn size(value: &Value) -> Option<usize> {
    let size = value.as_u64().filter(|&size| size > 0)?;
    usize::try_from(size).ok()
}

/// `[null, 28, 28]` as `[28, 28]`; nothing when a size is open.
pub(super) fn shape(with_batch: &Value) -> Option<Vec<usize>> {
    let sizes = with_batch.as_array()?.get(1..)?;
    sizes.iter().map(size).collect()
}

/// A value for a message, cut where it is long.
pub(super) fn short(value: &Value) -> String {
    const SHOWN: usize = 80;
    let text = match value {
        Value::Null => return "nothing".into(),
        Value::Array(list) if list.len() > 8 => return format!("a list of {}", list.len()),
        value => value.to_string(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
