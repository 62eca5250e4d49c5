//! The graph of a Keras config as a list of layers, each behind those it takes.
//!
//! A `Sequential` model is a list already. A functional one names, for each layer, the layers
//! it was called on (Keras 2 and 3 write that differently), in any order. Models inside models
//! are opened: their layers are `outer/inner`. What comes out has one input and one output and
//! no layer without a use, or it is an error.

use super::options::{shape, short};
use crate::model::ModelError;
use crate::model::weights::LayerId;
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};

/// Models inside each other.
const MAX_DEPTH: usize = 8;

/// A layer that computes something, or nothing at inference.
pub(super) struct Node<'a> {
    pub(super) id: LayerId,
    pub(super) class: &'a str,
    /// The whole entry of the config.
    pub(super) entry: &'a Value,
    /// The values it takes: 0 is the model's input, `n` what node `n - 1` gives.
    pub(super) takes: Vec<usize>,
}

/// The layers of a model in an order in which they can be computed.
#[derive(Default)]
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    /// Shape of one input, where the config says it.
    pub(super) input_shape: Option<Vec<usize>>,
}

impl<'a> Graph<'a> {
    /// The layers of `model`, a config with `class_name` and `config`.
    pub(super) fn new(model: &'a Value, place: &str) -> Result<Self, ModelError> {
        if !is_model(model) {
            return Err(ModelError::Config {
                place: place.to_owned(),
                expected: "a Sequential or Functional model".into(),
                found: short(&model["class_name"]),
            });
        }
        let mut graph = Self::default();
        let top = LayerId::named("");
        let end = graph.open(model, &top, 0, 0)?;
        // The last node is the model's end: every other one is taken by one behind it.
        if end != graph.nodes.len() {
            return Err(wrong("output_layers", "the last layer", "another".into()));
        }
        Ok(graph)
    }

    /// Adds the layers of a model that is called on value `input`; gives the value of its end.
    fn open(
        &mut self,
        model: &'a Value,
        outer: &LayerId,
        input: usize,
        depth: usize,
    ) -> Result<usize, ModelError> {
        let config = &model["config"];
        // Before Keras 2.2 the config of a Sequential was the list itself.
        let entries = config["layers"].as_array().or(config.as_array());
        let entries =
            entries.ok_or_else(|| wrong("config.layers", "a list of layers", short(config)))?;
        if depth > MAX_DEPTH {
            let expected = format!("at most {MAX_DEPTH} models inside each other");
            return Err(wrong("config.layers", &expected, "more".into()));
        }
        let ids = ids(entries, outer);
        if model["class_name"] != "Sequential" {
            return self.open_functional(config, entries, &ids, input, depth);
        }
        if depth == 0 {
            self.input(&config["build_input_shape"], "build_input_shape")?;
        }
        let mut value = input;
        for (entry, id) in entries.iter().zip(ids) {
            value = self.add(entry, id, vec![value], depth)?;
        }
        Ok(value)
    }

    /// Notes the shape of the model's input, where a config gives it.
    fn input(&mut self, with_batch: &Value, place: &str) -> Result<(), ModelError> {
        if with_batch.is_array() && self.input_shape.is_none() {
            let expected = "the sizes of an input, behind the batch's";
            let found = || wrong(place, expected, short(with_batch));
            self.input_shape = Some(shape(with_batch).ok_or_else(found)?);
        }
        Ok(())
    }

    fn open_functional(
        &mut self,
        config: &'a Value,
        entries: &'a [Value],
        ids: &[LayerId],
        input: usize,
        depth: usize,
    ) -> Result<usize, ModelError> {
        let mut numbers = HashMap::new();
        for (number, entry) in entries.iter().enumerate() {
            if numbers.insert(name(entry), number).is_some() {
                let found = format!("\"{}\" twice", name(entry));
                return Err(wrong("config.layers", "a name for each layer", found));
            }
        }
        let number_of = |place: &str, name: &str| {
            numbers.get(name).copied().ok_or_else(|| {
                let found = format!("\"{}\"", name.chars().take(80).collect::<String>());
                wrong(place, "the name of a layer", found)
            })
        };
        let start = number_of("input_layers", single(config, "input_layers")?)?;
        let end = number_of("output_layers", single(config, "output_layers")?)?;

        let mut takes = Vec::with_capacity(entries.len());
        let mut takers = vec![Vec::new(); entries.len()];
        for (number, entry) in entries.iter().enumerate() {
            let place = format!("layer \"{}\", inbound_nodes", ids[number].name);
            let names = called_on(entry, &place)?;
            if number != start && names.is_empty() {
                return Err(wrong(
                    &place,
                    "what the layer was called on",
                    "nothing".into(),
                ));
            }
            let numbers: Vec<usize> = names
                .into_iter()
                .map(|name| number_of(&place, name))
                .collect::<Result<_, _>>()?;
            for &taken in &numbers {
                takers[taken].push(number);
            }
            takes.push(numbers);
        }
        if let Some(unused) = (0..entries.len()).find(|&n| n != end && takers[n].is_empty()) {
            let place = format!("layer \"{}\"", ids[unused].name);
            let expected = "a layer that takes it, since the model has another output";
            return Err(wrong(&place, expected, "none".into()));
        }

        // In the order of the file, but each layer only when all it takes is there.
        let mut missing: Vec<usize> = takes.iter().map(Vec::len).collect();
        let mut ready: BTreeSet<usize> = (0..entries.len()).filter(|&n| missing[n] == 0).collect();
        let mut values = vec![None; entries.len()];
        while let Some(number) = ready.pop_first() {
            let taken = takes[number].iter().filter_map(|&taken| values[taken]);
            let mut taken: Vec<usize> = taken.collect();
            if number == start {
                taken = vec![input];
            }
            values[number] = Some(self.add(&entries[number], ids[number].clone(), taken, depth)?);
            for &taker in &takers[number] {
                missing[taker] -= 1;
                if missing[taker] == 0 {
                    ready.insert(taker);
                }
            }
        }
        if let Some(left) = values.iter().position(Option::is_none) {
            let place = format!("layer \"{}\"", ids[left].name);
            let expected = "layers that lead from the input to the output";
            return Err(wrong(&place, expected, "a circle".into()));
        }
        Ok(values[end].unwrap_or(input))
    }

    /// Adds a layer, or the layers of a model; gives the value of its end.
    fn add(
        &mut self,
        entry: &'a Value,
        id: LayerId,
        takes: Vec<usize>,
        depth: usize,
    ) -> Result<usize, ModelError> {
        let class = class(entry);
        let one = || match takes[..] {
            [value] => Ok(value),
            _ => Err(wrong(
                &format!("layer \"{}\"", id.name),
                "one input",
                takes.len().to_string(),
            )),
        };
        // A class of the user's, whatever its name.
        let registered = entry["registered_name"].as_str();
        let module = entry["module"].as_str();
        if registered.is_some_and(|name| name != class)
            || module.is_some_and(|module| !module.split('.').any(|part| part.contains("keras")))
        {
            return Err(ModelError::Custom {
                name: id.name,
                class: format!("{}.{class}", module.unwrap_or("custom")),
            });
        }
        if depth == 0 && takes == [0] {
            for key in ["batch_shape", "batch_input_shape"] {
                self.input(
                    &entry["config"][key],
                    &format!("layer \"{}\", {key}", id.name),
                )?;
            }
        }
        if class == "InputLayer" {
            return one();
        }
        if is_model(entry) {
            return self.open(entry, &id, one()?, depth + 1);
        }
        self.nodes.push(Node {
            id,
            class,
            entry,
            takes,
        });
        Ok(self.nodes.len())
    }
}

fn is_model(entry: &Value) -> bool {
    ["Sequential", "Functional", "Model"].contains(&class(entry))
}

fn wrong(place: &str, expected: &str, found: String) -> ModelError {
    ModelError::Config {
        place: place.to_owned(),
        expected: expected.to_owned(),
        found,
    }
}

fn class(entry: &Value) -> &str {
    entry["class_name"]
        .as_str()
        .unwrap_or("layer without class_name")
}

fn name(entry: &Value) -> &str {
    let name = entry["name"].as_str().or(entry["config"]["name"].as_str());
    name.unwrap_or_else(|| class(entry))
}

/// The layers' names and counts, behind those of the model they are in.
fn ids(entries: &[Value], outer: &LayerId) -> Vec<LayerId> {
    let inside = |outer: &str, inner: &str| match outer {
        "" => inner.to_owned(),
        outer => format!("{outer}/{inner}"),
    };
    let mut counts: HashMap<String, usize> = HashMap::new();
    let ids = entries.iter().map(|entry| {
        let class = snake_case(class(entry));
        let seen = counts.entry(class.clone()).or_default();
        let count = match *seen {
            0 => class,
            seen => format!("{class}_{seen}"),
        };
        *seen += 1;
        LayerId {
            name: inside(&outer.name, name(entry)),
            count: inside(&outer.count, &count),
        }
    });
    ids.collect()
}

/// A class as Keras turns it into a name: `BatchNormalization` is `batch_normalization`,
/// `Conv2D` is `conv2d`, `ReLU` is `re_lu`.
fn snake_case(class: &str) -> String {
    let letters: Vec<char> = class
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    let mut name = String::new();
    for (i, &letter) in letters.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| letters[i]);
        let lower_next = letters
            .get(i + 1)
            .is_some_and(|next| next.is_ascii_lowercase());
        let begins = letter.is_ascii_uppercase()
            && before.is_some_and(|before| lower_next || before.is_ascii_lowercase());
        if begins {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// The layer that `input_layers` or `output_layers` names, which must be one.
fn single<'a>(config: &'a Value, key: &str) -> Result<&'a str, ModelError> {
    let value = &config[key];
    let name = match value.as_array().map(Vec::as_slice) {
        Some([Value::String(name), ..]) => Some(name.as_str()),
        Some([Value::Array(only)]) => only.first().and_then(Value::as_str),
        _ => None,
    };
    name.ok_or_else(|| wrong(key, "one layer", short(value)))
}

/// The layers that a layer was called on.
fn called_on<'a>(entry: &'a Value, place: &str) -> Result<Vec<&'a str>, ModelError> {
    let nodes = entry["inbound_nodes"].as_array();
    let node = match nodes.map(Vec::as_slice) {
        None | Some([]) => return Ok(Vec::new()),
        Some([node]) => node,
        Some(nodes) => {
            let expected = "one call: a layer that is shared is not supported";
            return Err(wrong(place, expected, format!("{} calls", nodes.len())));
        }
    };
    let mut names = Vec::new();
    match node {
        // Keras 3: the call's arguments.
        Value::Object(_) => {
            collect(&node["args"], place, &mut names)?;
            if let Value::Object(options) = &node["kwargs"] {
                check_options(options, place)?;
            }
        }
        // Keras 2: [layer, node, tensor, options] each.
        Value::Array(tensors) => {
            for tensor in tensors {
                let Some([Value::String(name), rest @ ..]) = tensor.as_array().map(Vec::as_slice)
                else {
                    return Err(wrong(place, "[layer, node, tensor]", short(tensor)));
                };
                check_first(rest, place)?;
                if let Some(Value::Object(options)) = rest.get(2) {
                    check_options(options, place)?;
                }
                names.push(name.as_str());
            }
        }
        other => return Err(wrong(place, "a call", short(other))),
    }
    Ok(names)
}

/// Names of the layers whose tensors stand in a call's arguments. The depth is that of the
/// JSON, which its parser bounds.
fn collect<'a>(value: &'a Value, place: &str, names: &mut Vec<&'a str>) -> Result<(), ModelError> {
    match value {
        Value::Array(list) => list
            .iter()
            .try_for_each(|value| collect(value, place, names)),
        Value::Object(object) if object.get("class_name") == Some(&"__keras_tensor__".into()) => {
            let history = &value["config"]["keras_history"];
            match history.as_array().map(Vec::as_slice) {
                Some([Value::String(name), rest @ ..]) => {
                    check_first(rest, place)?;
                    names.push(name);
                    Ok(())
                }
                _ => Err(wrong(place, "[layer, node, tensor]", short(history))),
            }
        }
        other => Err(wrong(
            place,
            "layers that it was called on, nothing else",
            short(other),
        )),
    }
}

/// The first call's first result, which a layer that is called once has.
fn check_first(node_and_tensor: &[Value], place: &str) -> Result<(), ModelError> {
    match node_and_tensor {
        [node, tensor, ..] if node == 0 && tensor == 0 => Ok(()),
        other => {
            let found = short(&Value::Array(other.to_vec()));
            Err(wrong(place, "the one result of a layer, 0 and 0", found))
        }
    }
}

/// Options of a call change nothing at inference, but `training=True` and further tensors do.
fn check_options(options: &Map<String, Value>, place: &str) -> Result<(), ModelError> {
    let harmless = |key: &str, value: &Value| match key {
        "training" => value.is_null() || value == false,
        _ => value.is_null(),
    };
    match options.iter().find(|(key, value)| !harmless(key, value)) {
        None => Ok(()),
        Some((key, value)) => Err(wrong(
            place,
            "no option that changes the call",
            format!("{key} = {}", short(value)),
        )),
    }
}
