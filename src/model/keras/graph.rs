//! The graph of a Keras config as a list of layers, each behind those it takes.
//!
//! A `Sequential` model is a list already. A functional one names, for each layer, the layers
//! it was called on (Keras 2 and 3 write that differently), in any order. Models inside models
//! are opened: their layers are `outer/inner`. What comes out has one input and one output and
//! no layer without a use, or it is an error.

use super::options::{shape, short};
use crate::model::ModelError;
use crate::model::weights::{LayerId, WRAPPED};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};

/// Models inside each other.
const MAX_DEPTH: usize = 8;
/// Calls of layers in all: models that are called again and again inside each other multiply.
const MAX_CALLS: usize = 20_000;

/// Where a layer stands: models inside models that are open, and whether one of them, or the
/// layer, is called more than once.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    depth: usize,
    shared: bool,
}

/// A layer that computes something, or nothing at inference.
pub(super) struct Node<'a> {
    pub(super) id: LayerId,
    pub(super) class: &'a str,
    /// The whole entry of the config.
    pub(super) entry: &'a Value,
    /// The values it takes: 0 is the model's input, `n` what node `n - 1` gives.
    pub(super) takes: Vec<usize>,
    /// What it was called with.
    pub(super) call: Call<'a>,
    /// The wrapper around it, whose own weights do nothing after training.
    pub(super) wrapper: Option<LayerId>,
}

/// What a layer was called with.
#[derive(Debug, Clone, Default)]
pub(super) struct Call<'a> {
    /// In order: tensors, which are the node's values in their order, and constants.
    pub(super) arguments: Vec<Argument<'a>>,
    /// By name.
    pub(super) options: Option<&'a Map<String, Value>>,
}

/// One argument of a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Argument<'a> {
    /// A layer's result: its name and which of its calls gave it.
    Tensor(&'a str, usize),
    /// A number or a list of them.
    Constant(&'a Value),
}

/// The layers of a model in an order in which they can be computed.
#[derive(Default)]
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    /// Shape of one input, where the config says it.
    pub(super) input_shape: Option<Vec<usize>>,
    /// The model's outputs, where it has several.
    pub(super) outputs: Vec<String>,
    /// Layers that the chosen output does not need.
    pub(super) unused: Vec<LayerId>,
    /// The output that is wanted, by its name.
    wanted: Option<&'a str>,
}

impl<'a> Graph<'a> {
    /// The layers of `model`, a config with `class_name` and `config`.
    /// Of several outputs it is the one that is `wanted`.
    pub(super) fn new(
        model: &'a Value,
        place: &str,
        wanted: Option<&'a str>,
    ) -> Result<Self, ModelError> {
        if !is_model(model) {
            return Err(ModelError::Config {
                place: place.to_owned(),
                expected: "a Sequential or Functional model".into(),
                found: short(&model["class_name"]),
            });
        }
        let mut graph = Self {
            wanted,
            ..Self::default()
        };
        let top = LayerId::top();
        let end = graph.open(model, &top, 0, Place::default())?;
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
        place: Place,
    ) -> Result<usize, ModelError> {
        let config = &model["config"];
        // Before Keras 2.2 the config of a Sequential was the list itself.
        let entries = config["layers"].as_array().or(config.as_array());
        let entries =
            entries.ok_or_else(|| wrong("config.layers", "a list of layers", short(config)))?;
        if place.depth > MAX_DEPTH {
            let expected = format!("at most {MAX_DEPTH} models inside each other");
            return Err(wrong("config.layers", &expected, "more".into()));
        }
        let ids = ids(entries, outer);
        if model["class_name"] != "Sequential" {
            return self.open_functional(config, entries, &ids, input, place);
        }
        if place.depth == 0 {
            self.input(&config["build_input_shape"], "build_input_shape")?;
        }
        let mut value = input;
        for (entry, id) in entries.iter().zip(ids) {
            value = self.add(entry, id, vec![value], Call::default(), place)?;
        }
        Ok(value)
    }

    /// Notes the shape of the model's input, where a config gives it.
    fn input(&mut self, with_batch: &Value, place: &str) -> Result<(), ModelError> {
        if with_batch.is_array() && self.input_shape.is_none() {
            let expected = "the sizes of an input behind the batch's; only a job with images of its own can fill in open ones";
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
        place: Place,
    ) -> Result<usize, ModelError> {
        let mut numbers = HashMap::new();
        for (number, entry) in entries.iter().enumerate() {
            if numbers.insert(name(entry), number).is_some() {
                let found = format!("\"{}\" twice", name(entry));
                return Err(wrong("config.layers", "a name for each layer", found));
            }
        }
        // Each call of each layer, one after the other.
        let mut calls = Vec::with_capacity(entries.len());
        let mut first_of = Vec::with_capacity(entries.len());
        let layer_of = |place: &str, name: &str| {
            numbers.get(name).copied().ok_or_else(|| {
                let found = format!("\"{}\"", name.chars().take(80).collect::<String>());
                wrong(place, "the name of a layer", found)
            })
        };
        let start = layer_of("input_layers", single(config, "input_layers")?.0)?;
        for (number, entry) in entries.iter().enumerate() {
            let place = format!("layer \"{}\", inbound_nodes", ids[number].name);
            let called = called_on(entry, &place)?;
            let constants_only = called.iter().find(|call| {
                let constant = |argument| matches!(argument, &Argument::Constant(_));
                call.arguments.iter().all(constant)
            });
            if let Some(call) = constants_only.filter(|_| number != start) {
                call.tensors_only(&ids[number])?;
            }
            if number != start && (called.is_empty() || constants_only.is_some()) {
                let expected = "what the layer was called on";
                return Err(wrong(&place, expected, "nothing".into()));
            }
            first_of.push(calls.len());
            if number == start {
                calls.push((number, Call::default()));
            } else {
                calls.extend(called.into_iter().map(|call| (number, call)));
            }
            if calls.len() > MAX_CALLS {
                let expected = format!("at most {MAX_CALLS} calls of layers");
                return Err(wrong("config.layers", &expected, "more".into()));
            }
        }
        let count_of = |number: usize| {
            let next = first_of.get(number + 1).copied().unwrap_or(calls.len());
            next - first_of[number]
        };
        // Keras 2 counts the calls of a model from 1, since making it was its first.
        let output = match outputs(config) {
            Some(several) if place.depth == 0 => self.choose(&several)?,
            _ => single(config, "output_layers")?,
        };
        let mut least = vec![usize::MAX; entries.len()];
        let tensors = calls.iter().flat_map(|(_, call)| &call.arguments);
        let tensors = tensors.filter_map(|argument| match argument {
            Argument::Tensor(name, call) => Some((*name, *call)),
            Argument::Constant(_) => None,
        });
        for (name, call) in tensors.chain([output]) {
            if let Some(&number) = numbers.get(name) {
                least[number] = least[number].min(call);
            }
        }
        let call_of = |place: &str, (name, call): (&str, usize)| {
            let number = layer_of(place, name)?;
            let made = is_model(&entries[number]) && least[number] == 1;
            let call = call - usize::from(made);
            if call < count_of(number) {
                return Ok(first_of[number] + call);
            }
            let expected = format!("one of the {} calls of \"{name}\"", count_of(number));
            Err(wrong(place, &expected, format!("number {call}")))
        };
        let end = call_of("output_layers", output)?;

        let mut takes = Vec::with_capacity(calls.len());
        let mut takers = vec![Vec::new(); calls.len()];
        for (call, (number, arguments)) in calls.iter().enumerate() {
            let place = format!("layer \"{}\", inbound_nodes", ids[*number].name);
            let tensors = arguments
                .arguments
                .iter()
                .filter_map(|argument| match argument {
                    Argument::Tensor(name, call) => Some((*name, *call)),
                    Argument::Constant(_) => None,
                });
            let taken: Vec<usize> = tensors
                .map(|tensor| call_of(&place, tensor))
                .collect::<Result<_, _>>()?;
            for &taken in &taken {
                takers[taken].push(call);
            }
            takes.push(taken);
        }
        let mut left_out = vec![false; calls.len()];
        if place.depth == 0 && !self.outputs.is_empty() {
            // What the other outputs alone need, from the last on.
            while let Some(unused) =
                (0..calls.len()).find(|&n| n != end && !left_out[n] && takers[n].is_empty())
            {
                left_out[unused] = true;
                for &taken in &std::mem::take(&mut takes[unused]) {
                    takers[taken].retain(|&taker| taker != unused);
                }
            }
            let needed: BTreeSet<usize> = (0..calls.len())
                .filter(|&n| !left_out[n])
                .map(|n| calls[n].0)
                .collect();
            for number in (0..entries.len()).filter(|number| !needed.contains(number)) {
                self.leave_out(&entries[number], ids[number].clone(), place.depth);
            }
        }
        let is_unused = |&n: &usize| n != end && !left_out[n] && takers[n].is_empty();
        if let Some(unused) = (0..calls.len()).find(is_unused) {
            let place = format!("layer \"{}\"", ids[calls[unused].0].name);
            let expected = "a layer that takes it, since the model has another output";
            return Err(wrong(&place, expected, "none".into()));
        }

        // In the order of the file, but each layer only when all it takes is there.
        let mut missing: Vec<usize> = takes.iter().map(Vec::len).collect();
        let mut ready: BTreeSet<usize> = (0..calls.len())
            .filter(|&n| missing[n] == 0 && !left_out[n])
            .collect();
        let mut values = vec![None; calls.len()];
        while let Some(call) = ready.pop_first() {
            let (number, arguments) = &calls[call];
            let taken = takes[call].iter().filter_map(|&taken| values[taken]);
            let mut taken: Vec<usize> = taken.collect();
            if *number == start {
                taken = vec![input];
            }
            let place = Place {
                shared: place.shared || count_of(*number) > 1,
                ..place
            };
            let (entry, id) = (&entries[*number], ids[*number].clone());
            values[call] = Some(self.add(entry, id, taken, arguments.clone(), place)?);
            for &taker in &takers[call] {
                missing[taker] -= 1;
                if missing[taker] == 0 {
                    ready.insert(taker);
                }
            }
        }
        let missed = |n: &usize| values[*n].is_none() && !left_out[*n];
        if let Some(left) = (0..calls.len()).find(missed) {
            let place = format!("layer \"{}\"", ids[calls[left].0].name);
            let expected = "layers that lead from the input to the output";
            return Err(wrong(&place, expected, "a circle".into()));
        }
        Ok(values[end].unwrap_or(input))
    }

    /// The output of this name among several.
    fn choose(&mut self, several: &[(&'a str, usize)]) -> Result<(&'a str, usize), ModelError> {
        self.outputs = several.iter().map(|(name, _)| (*name).to_owned()).collect();
        let chosen = several.iter().find(|(name, _)| self.wanted == Some(name));
        chosen.copied().ok_or_else(|| {
            let expected = "one output; choose one with `output` NAME";
            wrong("output_layers", expected, self.outputs.join(", "))
        })
    }

    /// Notes a layer, or the layers of a model, as not needed.
    fn leave_out(&mut self, entry: &'a Value, id: LayerId, depth: usize) {
        let layers = entry["config"]["layers"].as_array();
        match layers.filter(|_| is_model(entry) && depth < MAX_DEPTH) {
            Some(layers) => {
                for (entry, id) in layers.iter().zip(ids(layers, &id)) {
                    self.leave_out(entry, id, depth + 1);
                }
            }
            None => self.unused.push(id),
        }
    }

    /// Adds a layer, or the layers of a model; gives the value of its end.
    fn add(
        &mut self,
        entry: &'a Value,
        mut id: LayerId,
        takes: Vec<usize>,
        call: Call<'a>,
        place: Place,
    ) -> Result<usize, ModelError> {
        let class = class(entry);
        id.shared = place.shared;
        let one = || match takes[..] {
            [value] => Ok(value),
            _ => {
                let place = format!("layer \"{}\", a {class}", id.name);
                Err(wrong(&place, "one input", takes.len().to_string()))
            }
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
        // In a sequence that begins with a model, this one's first layer says it.
        if takes == [0] {
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
            call.tensors_only(&id)?;
            let inside = Place {
                depth: place.depth + 1,
                ..place
            };
            return self.open(entry, &id, one()?, inside);
        }
        let (mut id, mut entry, mut class) = (id, entry, class);
        let mut wrapper = None;
        // After training it does nothing but hold its layer, whose kernel was normalised by then.
        if class == "SpectralNormalization" && entry["config"]["layer"].is_object() {
            wrapper = Some(id.clone());
            entry = &entry["config"]["layer"];
            class = self::class(entry);
            let shared = id.shared;
            id = id.inside(name(entry), WRAPPED);
            id.shared = shared;
        }
        if self.nodes.len() >= MAX_CALLS {
            let expected = format!("at most {MAX_CALLS} calls of layers");
            return Err(wrong("config.layers", &expected, "more".into()));
        }
        self.nodes.push(Node {
            id,
            class,
            entry,
            takes,
            call,
            wrapper,
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
    let mut counts: HashMap<String, usize> = HashMap::new();
    let ids = entries.iter().map(|entry| {
        let class = snake_case(class(entry));
        let seen = counts.entry(class.clone()).or_default();
        let count = match *seen {
            0 => class,
            seen => format!("{class}_{seen}"),
        };
        *seen += 1;
        outer.inside(name(entry), &count)
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

/// The layer that `input_layers` or `output_layers` names, which must be one, and which of its
/// calls. Models made with a dict of inputs have a dict of them.
fn single<'a>(config: &'a Value, key: &str) -> Result<(&'a str, usize), ModelError> {
    let mut value = &config[key];
    if let Some(entries) = value.as_object()
        && let Some(only) = entries.values().next().filter(|_| entries.len() == 1)
    {
        value = only;
    }
    if let Some([only @ Value::Array(_)]) = value.as_array().map(Vec::as_slice) {
        value = only;
    }
    match value.as_array().map(Vec::as_slice) {
        Some([Value::String(name), rest @ ..]) => Ok((name, result(rest, key)?)),
        _ => Err(wrong(key, "one layer", short(value))),
    }
}

/// The layers of `output_layers` where there are several, and which of their calls each is.
fn outputs(config: &Value) -> Option<Vec<(&str, usize)>> {
    let value = &config["output_layers"];
    let several: Vec<&Value> = match (value.as_array(), value.as_object()) {
        (Some(list), _) => list.iter().collect(),
        (_, Some(named)) => named.values().collect(),
        _ => return None,
    };
    let named = several.into_iter().map(|output| {
        let [Value::String(name), rest @ ..] = &output.as_array()?[..] else {
            return None;
        };
        Some((name.as_str(), result(rest, "output_layers").ok()?))
    });
    named
        .collect::<Option<Vec<_>>>()
        .filter(|several| several.len() > 1)
}

/// What a layer was called with, each time.
fn called_on<'a>(entry: &'a Value, place: &str) -> Result<Vec<Call<'a>>, ModelError> {
    let nodes = entry["inbound_nodes"].as_array();
    (nodes.into_iter().flatten())
        .map(|node| call(node, place))
        .collect()
}

fn call<'a>(node: &'a Value, place: &str) -> Result<Call<'a>, ModelError> {
    let mut call = Call::default();
    match node {
        // Keras 3: the call's arguments.
        Value::Object(_) => {
            collect(&node["args"], place, &mut call.arguments)?;
            call.options = node["kwargs"].as_object();
            // An attention's tensors, which may be named, in the order in which they are not.
            for tensor in ["query", "value", "key"].map(|key| &node["kwargs"][key]) {
                if tensor["class_name"] == "__keras_tensor__" {
                    collect(tensor, place, &mut call.arguments)?;
                }
            }
        }
        // Keras 2: [layer, node, tensor, options] each.
        Value::Array(tensors) => {
            // One tensor stands for itself where the function is TensorFlow's.
            let one = matches!(tensors.first(), Some(Value::String(_)));
            let lists: &[Value] = if one {
                std::slice::from_ref(node)
            } else {
                tensors
            };
            for tensor in lists {
                let Some([Value::String(name), rest @ ..]) = tensor.as_array().map(Vec::as_slice)
                else {
                    return Err(wrong(place, "[layer, node, tensor]", short(tensor)));
                };
                // A constant in the place of the first tensor: 1 - x.
                call.arguments.push(match (name.as_str(), rest) {
                    ("_CONSTANT_VALUE", [_, constant, ..]) => Argument::Constant(constant),
                    _ => Argument::Tensor(name, result(rest, place)?),
                });
                if let Some(Value::Object(options)) = rest.get(2)
                    && !options.is_empty()
                {
                    call.options = Some(options);
                    for tensor in options.values().filter(|value| is_tensor(value)) {
                        let Some([Value::String(name), rest @ ..]) =
                            tensor.as_array().map(Vec::as_slice)
                        else {
                            continue;
                        };
                        let number = result(rest, place)?;
                        call.arguments.push(Argument::Tensor(name, number));
                    }
                }
            }
        }
        other => return Err(wrong(place, "a call", short(other))),
    }
    Ok(call)
}

/// Whether an option of Keras 2's is a layer's result: [layer, node, tensor].
pub(super) fn is_tensor(value: &Value) -> bool {
    matches!(
        value.as_array().map(Vec::as_slice),
        Some([Value::String(_), Value::Number(_), Value::Number(_)])
    )
}

/// A call's arguments in their order. The depth is that of the JSON, which its parser bounds.
fn collect<'a>(
    value: &'a Value,
    place: &str,
    arguments: &mut Vec<Argument<'a>>,
) -> Result<(), ModelError> {
    match value {
        Value::Array(list) => list
            .iter()
            .try_for_each(|value| collect(value, place, arguments)),
        Value::Object(object) if object.get("class_name") == Some(&"__keras_tensor__".into()) => {
            let history = &value["config"]["keras_history"];
            match history.as_array().map(Vec::as_slice) {
                Some([Value::String(name), rest @ ..]) => {
                    arguments.push(Argument::Tensor(name, result(rest, place)?));
                    Ok(())
                }
                _ => Err(wrong(place, "[layer, node, tensor]", short(history))),
            }
        }
        // A model that takes its input by name.
        Value::Object(object) if !object.contains_key("class_name") && object.len() == 1 => object
            .values()
            .try_for_each(|value| collect(value, place, arguments)),
        other => {
            arguments.push(Argument::Constant(other));
            Ok(())
        }
    }
}

/// Which call of a layer gave a tensor; each gives one.
fn result(node_and_tensor: &[Value], place: &str) -> Result<usize, ModelError> {
    let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
    match node_and_tensor {
        [node, tensor, ..] if tensor == 0 && number(node).is_some() => {
            Ok(number(node).unwrap_or_default())
        }
        other => {
            let found = short(&Value::Array(other.to_vec()));
            Err(wrong(place, "the first result of a layer's call", found))
        }
    }
}

impl Call<'_> {
    /// Refuses constants among the arguments of a layer, and options that change a call.
    pub(super) fn tensors_only(&self, id: &LayerId) -> Result<(), ModelError> {
        let place = format!("layer \"{}\", inbound_nodes", id.name);
        for argument in &self.arguments {
            if let Argument::Constant(value) = argument {
                let expected = "layers that it was called on, nothing else";
                return Err(wrong(&place, expected, short(value)));
            }
        }
        self.options
            .map_or(Ok(()), |options| check_options(options, &place))
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
