//! A model as one `.safetensors` file that says everything itself: a Keras config, tensors, the
//! names of the classes.
//!
//! The config is written from the layers as they were understood, not copied, so that whatever
//! was given beside the file (a scaling, an activation, a config) is inside. Batch normalisation
//! is written as the scaling it is once training is over. Keras itself can build the config and
//! take the tensors.

use super::file::describe_file;
use super::functions::name_of;
use super::layer::{Arrangement, Combining, Layer, Op, Padding, Pooling, Window};
use super::one_kernel::Written;
use super::{Layout, Model, ModelError, ModelOptions, Output};
use crate::data::{FileError, Tensor, TensorData, write_safetensors};
use crate::kernels::Activation;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A converted model, not yet written.
#[derive(Debug, Clone)]
pub struct ConvertedModel {
    /// The model, as it was read.
    pub model: Model,
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
    metadata: BTreeMap<&'static str, String>,
}

/// Reads a model file as [`super::read_model`] does, to be written anew.
///
/// # Errors
/// [`ModelError`]; ONNX models cannot be converted.
pub fn convert_model(path: &Path, options: &ModelOptions) -> Result<ConvertedModel, ModelError> {
    let described = describe_file(path, options)?;
    let layers = described.description.layers.clone();
    let output = described.output;
    let layout = described.description.layout;
    let model = described.assemble()?;
    let mut writer = Writer::default();
    for (number, layer) in layers.iter().enumerate() {
        writer.add(number, layer, &layers)?;
    }
    let mut metadata = BTreeMap::new();
    let input_shape = model
        .input_shape()
        .expect("a model that is made of layers knows the shape of its inputs");
    metadata.insert("keras_config", writer.config(input_shape).to_string());
    for (key, names) in [("classes", model.classes()), ("features", model.features())] {
        if let Some(names) = names {
            metadata.insert(key, json!(names).to_string());
        }
    }
    if layout == Layout::ChannelsFirst && model.input_shape().is_some_and(|shape| shape.len() == 1)
    {
        metadata.insert("layout", "chw".to_owned());
    }
    if let Some((name, _)) = output.and_then(|told| {
        let mut named = Output::NAMED.into_iter();
        named.find(|(_, output)| *output == told)
    }) {
        metadata.insert("output", name.to_owned());
    }
    metadata.insert("converted_from_sha256", model.sha256().to_owned());
    Ok(ConvertedModel {
        model,
        tensors: writer.tensors,
        metadata,
    })
}

impl ConvertedModel {
    /// Writes the `.safetensors` file.
    ///
    /// # Errors
    /// [`FileError`] with the path.
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        let tensors: Vec<Tensor<'_>> = self
            .tensors
            .iter()
            .map(|(name, shape, values)| Tensor {
                name,
                shape: shape.clone(),
                data: TensorData::F32(values),
            })
            .collect();
        write_safetensors(path, &tensors, &self.metadata)
    }
}

/// A layer of the config.
struct Entry {
    name: String,
    class: &'static str,
    config: Map<String, Value>,
    takes: Vec<usize>,
    /// The class of the layer that it was, where that says more than its own.
    from: Option<&'static str>,
}

#[derive(Default)]
struct Writer {
    entries: Vec<Entry>,
    /// The entry that gives each value; none gives the input.
    gives: Vec<Option<usize>>,
    names: BTreeSet<String>,
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
}

const INPUT: &str = "input";

/// A class that is written as the scaling it is once training is over.
const BATCH_NORMALIZATION: &str = "BatchNormalization";

impl Writer {
    /// Adds layer `number`, which gives value `number + 1`.
    fn add(&mut self, number: usize, layer: &Layer, all: &[Layer]) -> Result<(), ModelError> {
        if number == 0 {
            self.gives.push(None);
            self.names.insert(INPUT.into());
        }
        // A function that only its own layer's sums go through is an option of that layer.
        if let Some(function) = option_of(layer)
            && let [value] = layer.takes[..]
            && value == number
            && number > 0
            && matches!(all[number - 1].op, Op::Dense { .. } | Op::Conv { .. })
            && all
                .iter()
                .filter(|layer| layer.takes.contains(&value))
                .count()
                == 1
            && let Some(entry) = self.entries.last_mut()
            && entry.config.get("activation") == Some(&json!("linear"))
        {
            entry.config.insert("activation".into(), function.into());
            self.gives.push(self.gives[value]);
            return Ok(());
        }
        let name = self.free_name(&layer.name);
        let (class, config, tensors) = self.describe(layer)?;
        for (role, shape, values) in tensors {
            self.tensors.push((format!("{name}.{role}"), shape, values));
        }
        let mut config = match config {
            Value::Object(config) => config,
            _ => Map::new(),
        };
        config.insert("name".into(), name.clone().into());
        self.gives.push(Some(self.entries.len()));
        self.entries.push(Entry {
            name,
            class,
            config,
            takes: layer.takes.clone(),
            // A scaling that was learnt is none of grey levels, whatever its numbers.
            from: (layer.class == BATCH_NORMALIZATION).then_some(BATCH_NORMALIZATION),
        });
        Ok(())
    }

    /// A name that no entry has, without what separates names from roles and models.
    fn free_name(&mut self, name: &str) -> String {
        let plain: String = (name.chars())
            .map(|c| {
                if c.is_alphanumeric() || "_-".contains(c) {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        let mut free = plain.clone();
        let mut number = 1;
        while !self.names.insert(free.clone()) {
            number += 1;
            free = format!("{plain}_{number}");
        }
        free
    }

    fn describe(&self, layer: &Layer) -> Result<Written, ModelError> {
        let unwritten = |what: &'static str| ModelError::NotWritten {
            name: layer.name.clone(),
            what,
        };
        let windows = |window: &Window| -> Result<_, ModelError> {
            let padding = match window.padding {
                Padding::Valid => "valid",
                Padding::Same => "same",
                Padding::Stated { .. } => return Err(unwritten("padding of its own")),
            };
            Ok((window.stride, padding))
        };
        Ok(match &layer.op {
            Op::Reshape(None) => ("Flatten", json!({}), vec![]),
            Op::Reshape(Some(shape)) => {
                // What the other sizes leave is 0 here and -1 in Keras.
                let shape: Vec<Value> = (shape.iter())
                    .map(|&size| if size == 0 { json!(-1) } else { json!(size) })
                    .collect();
                ("Reshape", json!({"target_shape": shape}), vec![])
            }
            Op::Affine { scale, offset } => {
                let numbers = |numbers: &[f64]| match numbers {
                    [number] => json!(number),
                    numbers => json!(numbers),
                };
                let config = json!({"scale": numbers(scale), "offset": numbers(offset)});
                ("Rescaling", config, vec![])
            }
            Op::Dense {
                inputs,
                kernel,
                bias,
            } => {
                let config = json!({"units": bias.len(), "activation": "linear", "use_bias": true});
                let kernel = ("kernel", vec![*inputs, bias.len()], kernel.clone());
                ("Dense", config, vec![kernel, bias_tensor(bias)])
            }
            Op::Conv {
                shape,
                groups,
                kernel,
                bias,
                window,
            } => {
                let (strides, padding) = windows(window)?;
                let mut config = json!({
                    "kernel_size": shape[..2], "strides": strides, "padding": padding,
                    "dilation_rate": window.dilation, "activation": "linear", "use_bias": true,
                });
                if *groups > 1 && shape[2] == 1 {
                    let multiplier = shape[3] / groups;
                    config["depth_multiplier"] = json!(multiplier);
                    let shape = vec![shape[0], shape[1], *groups, multiplier];
                    let kernel = ("depthwise_kernel", shape, kernel.clone());
                    return Ok(("DepthwiseConv2D", config, vec![kernel, bias_tensor(bias)]));
                }
                config["filters"] = json!(bias.len());
                config["groups"] = json!(groups);
                let kernel = ("kernel", shape.to_vec(), kernel.clone());
                ("Conv2D", config, vec![kernel, bias_tensor(bias)])
            }
            Op::Pool {
                pooling,
                size,
                window,
            } => {
                let (strides, padding) = windows(window)?;
                let class = match pooling {
                    Pooling::Max => "MaxPooling2D",
                    Pooling::Average => "AveragePooling2D",
                };
                let config = json!({"pool_size": size, "strides": strides, "padding": padding});
                (class, config, vec![])
            }
            Op::GlobalPool(Pooling::Max) => ("GlobalMaxPooling2D", json!({}), vec![]),
            Op::GlobalPool(Pooling::Average) => ("GlobalAveragePooling2D", json!({}), vec![]),
            Op::Activation(Activation::ReluWith {
                slope,
                threshold,
                ceiling,
            }) => {
                let ceiling = (*ceiling < f32::MAX).then_some(*ceiling);
                let config =
                    json!({"negative_slope": slope, "threshold": threshold, "max_value": ceiling});
                ("ReLU", config, vec![])
            }
            Op::Activation(Activation::Elu { alpha }) => ("ELU", json!({"alpha": alpha}), vec![]),
            Op::Activation(Activation::GeluTanh) => {
                return Err(unwritten("the approximation of gelu"));
            }
            Op::Activation(activation) => (
                "Activation",
                json!({"activation": name_of(*activation)}),
                vec![],
            ),
            Op::Softmax => ("Softmax", json!({}), vec![]),
            Op::Add => ("Add", json!({}), vec![]),
            Op::Combine(Combining::Product) => ("Multiply", json!({}), vec![]),
            Op::Combine(Combining::Larger) => ("Maximum", json!({}), vec![]),
            Op::Combine(Combining::Quotient) => {
                return Err(unwritten("a quotient of two values"));
            }
            Op::Arrange(arrangement) => match arrangement {
                Arrangement::Concat { axis } => {
                    // Behind the batch's, which Keras counts.
                    let axis = if *axis < 0 { *axis } else { axis + 1 };
                    ("Concatenate", json!({"axis": axis}), vec![])
                }
                Arrangement::Pad { rows, columns } => {
                    ("ZeroPadding2D", json!({"padding": [rows, columns]}), vec![])
                }
                Arrangement::Crop { rows, columns } => {
                    ("Cropping2D", json!({"cropping": [rows, columns]}), vec![])
                }
                Arrangement::Centre([height, width]) => (
                    "CenterCrop",
                    json!({"height": height, "width": width}),
                    vec![],
                ),
                Arrangement::Permute(order) => {
                    let dims: Vec<usize> = order.iter().map(|axis| axis + 1).collect();
                    ("Permute", json!({"dims": dims}), vec![])
                }
                Arrangement::Repeat(size) => {
                    let config = json!({"size": size, "interpolation": "nearest"});
                    ("UpSampling2D", config, vec![])
                }
                _ => return Err(unwritten("parts of a tensor")),
            },
            Op::Axis { .. } => return Err(unwritten("layers over rows")),
            Op::Kernel(kernel) => {
                return kernel.written().ok_or_else(|| unwritten(kernel.what()));
            }
        })
    }

    /// The config: a `Sequential` where each layer takes the one before, else a functional model.
    fn config(&self, input_shape: &[usize]) -> Value {
        let mut shape = vec![Value::Null];
        shape.extend(input_shape.iter().map(|&size| json!(size)));
        let input = json!({"batch_shape": shape, "dtype": "float32", "name": INPUT});
        let name_of = |value: usize| match self.gives[value] {
            Some(entry) => self.entries[entry].name.as_str(),
            None => INPUT,
        };
        let chain = self.entries.iter().enumerate().all(|(n, entry)| {
            let before = n.checked_sub(1);
            matches!(entry.takes[..], [value] if self.gives[value] == before)
        });
        if chain {
            let mut layers = vec![json!({"class_name": "InputLayer", "config": input})];
            layers.extend(
                (self.entries.iter())
                    .map(|entry| {
                        json!({"class_name": entry.class, "config": entry.config, "from": entry.from})
                    }),
            );
            return json!({"class_name": "Sequential", "config": {"name": "converted", "layers": layers}});
        }
        let mut layers = vec![
            json!({"class_name": "InputLayer", "name": INPUT, "config": input, "inbound_nodes": []}),
        ];
        layers.extend(self.entries.iter().map(|entry| {
            let tensors: Vec<Value> = (entry.takes.iter())
                .map(|&value| {
                    json!({"class_name": "__keras_tensor__", "config": {"keras_history": [name_of(value), 0, 0]}})
                })
                .collect();
            let args = match &tensors[..] {
                [tensor] => json!([tensor]),
                tensors => json!([tensors]),
            };
            json!({
                "class_name": entry.class, "name": entry.name, "config": entry.config,
                "from": entry.from,
                "inbound_nodes": [{"args": args, "kwargs": {}}],
            })
        }));
        let last = self
            .entries
            .last()
            .map_or(INPUT, |entry| entry.name.as_str());
        json!({"class_name": "Functional", "config": {
            "name": "converted", "layers": layers,
            "input_layers": [[INPUT, 0, 0]], "output_layers": [[last, 0, 0]],
        }})
    }
}

fn bias_tensor(bias: &[f32]) -> (&'static str, Vec<usize>, Vec<f32>) {
    ("bias", vec![bias.len()], bias.to_vec())
}

/// The name under which another layer can hold this one's function.
fn option_of(layer: &Layer) -> Option<String> {
    match &layer.op {
        Op::Softmax => Some("softmax".into()),
        Op::Activation(
            Activation::ReluWith { .. } | Activation::Elu { .. } | Activation::GeluTanh,
        ) => None,
        Op::Activation(activation) => Some(name_of(*activation)),
        _ => None,
    }
}
