//! Layers from a Keras 3 config: the JSON of a `Sequential` model as `get_config()` gives it.

use super::ModelError;
use super::file::TensorSource;
use super::layer::{Layer, Op};
use crate::kernels::Activation;
use serde_json::Value;

/// Options that change what a supported layer computes and are supported at their default
/// alone: `ReLU`'s, `Softmax`'s and `Flatten`'s.
fn is_default(option: &str, value: &Value) -> bool {
    match option {
        "negative_slope" | "threshold" => value.as_f64() == Some(0.0),
        "axis" => value.as_f64() == Some(-1.0),
        "data_format" => value == "channels_last",
        // `max_value` has no bound by default.
        _ => false,
    }
}

const DEFAULT_ONLY: [&str; 5] = [
    "negative_slope",
    "threshold",
    "max_value",
    "axis",
    "data_format",
];

/// The layers that `config` lists, with their weights, and the shape of the input.
pub(super) fn layers(
    config: &str,
    tensors: &mut TensorSource<'_>,
) -> Result<(Vec<Layer>, Option<Vec<usize>>), ModelError> {
    let wrong = |place: &str, expected: &str, found: String| ModelError::Config {
        place: place.into(),
        expected: expected.into(),
        found,
    };
    let root: Value = serde_json::from_str(config)
        .map_err(|error| wrong("metadata \"keras_config\"", "JSON", error.to_string()))?;
    let class = root["class_name"].as_str().unwrap_or("no class_name");
    if class != "Sequential" {
        return Err(wrong(
            "metadata \"keras_config\"",
            "a Sequential model",
            class.into(),
        ));
    }
    let list = root["config"]["layers"].as_array().ok_or_else(|| {
        wrong(
            "metadata \"keras_config\"",
            "a list config.layers",
            kind(&root["config"]["layers"]).into(),
        )
    })?;
    let mut input_shape = shape_of(&root["config"]["build_input_shape"]);
    let mut layers = Vec::new();
    for (number, entry) in list.iter().enumerate() {
        let class = entry["class_name"]
            .as_str()
            .unwrap_or("layer without class_name");
        let config = &entry["config"];
        let name = config["name"].as_str().unwrap_or(class).to_owned();
        let activation = |key: &str| -> Result<Op, ModelError> {
            let found = &config[key];
            let text = if found.is_null() {
                Some("linear")
            } else {
                found.as_str()
            };
            text.and_then(activation_named).ok_or_else(|| {
                wrong(
                    &format!("layer \"{name}\", activation"),
                    "linear, relu, sigmoid, tanh or softmax",
                    found.to_string(),
                )
            })
        };
        for option in DEFAULT_ONLY {
            let found = &config[option];
            if !found.is_null() && !is_default(option, found) {
                return Err(wrong(
                    &format!("layer \"{name}\", {option}"),
                    "its default, the only value supported",
                    found.to_string(),
                ));
            }
        }
        match class {
            "InputLayer" => input_shape = shape_of(&config["batch_shape"]).or(input_shape),
            "Dropout" => {}
            "Flatten" => push(&mut layers, &name, class, Op::Reshape(None), 0),
            "Rescaling" => {
                let values = |key: &str, default: f64| {
                    numbers(&config[key], default).ok_or_else(|| {
                        wrong(
                            &format!("layer \"{name}\", {key}"),
                            "a number, or a list of numbers, one an input",
                            match kind(&config[key]) {
                                "a list" => "a list that is empty or holds something else".into(),
                                kind => kind.into(),
                            },
                        )
                    })
                };
                let (scale, offset) = (values("scale", 1.0)?, values("offset", 0.0)?);
                push(&mut layers, &name, class, Op::Affine { scale, offset }, 0);
            }
            "Dense" => {
                let units = config["units"]
                    .as_u64()
                    .and_then(|units| usize::try_from(units).ok())
                    .ok_or_else(|| {
                        wrong(
                            &format!("layer \"{name}\", units"),
                            "a whole number",
                            config["units"].to_string(),
                        )
                    })?;
                let activation = activation("activation")?;
                let (shape, kernel) =
                    tensors.take(&format!("{name}.kernel"), &[None, Some(units)])?;
                let bias = match config["use_bias"].as_bool() {
                    Some(false) => vec![0.0; units],
                    _ => tensors.take(&format!("{name}.bias"), &[Some(units)])?.1,
                };
                let parameters = kernel.len() + bias.len();
                let dense = Op::Dense {
                    inputs: shape[0],
                    kernel,
                    bias,
                };
                push(&mut layers, &name, class, dense, parameters);
                push(&mut layers, &name, class, activation, 0);
            }
            "Activation" => {
                let activation = activation("activation")?;
                push(&mut layers, &name, class, activation, 0);
            }
            "ReLU" => {
                let relu = Op::Activation(Activation::Relu);
                push(&mut layers, &name, class, relu, 0);
            }
            "Softmax" => push(&mut layers, &name, class, Op::Softmax, 0),
            _ => {
                return Err(ModelError::UnknownLayer {
                    number,
                    name,
                    class: class.to_owned(),
                });
            }
        }
    }
    Ok((layers, input_shape))
}

/// Appends a layer that takes what the one before gives.
fn push(layers: &mut Vec<Layer>, name: &str, class: &str, op: Op, parameters: usize) {
    layers.push(Layer {
        name: name.to_owned(),
        class: class.to_owned(),
        takes: vec![layers.len()],
        op,
        parameters,
    });
}

fn activation_named(name: &str) -> Option<Op> {
    Some(match name {
        "linear" => Op::Activation(Activation::Linear),
        "relu" => Op::Activation(Activation::Relu),
        "sigmoid" => Op::Activation(Activation::Sigmoid),
        "tanh" => Op::Activation(Activation::Tanh),
        "softmax" => Op::Softmax,
        _ => return None,
    })
}

/// A number, or one an input: what Keras broadcasts over the last axis.
fn numbers(value: &Value, default: f64) -> Option<Vec<f64>> {
    match value {
        Value::Null => Some(vec![default]),
        Value::Array(list) if !list.is_empty() => list.iter().map(Value::as_f64).collect(),
        value => Some(vec![value.as_f64()?]),
    }
}

/// `[null, 28, 28]` as `[28, 28]`; nothing when a size is open.
fn shape_of(batch_shape: &Value) -> Option<Vec<usize>> {
    let sizes = batch_shape.as_array()?.get(1..)?;
    sizes
        .iter()
        .map(|size| size.as_u64().and_then(|size| usize::try_from(size).ok()))
        .collect()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
