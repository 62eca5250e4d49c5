//! Broken and hostile model files: each is an error that says what is wrong, none a panic, and
//! none takes much memory, whatever sizes it claims. Files broken by chance are in
//! `tests/memory/mutations.rs`.

use crate::common::golden;
use crate::{MEMORY, alone, chain};
use morphscape::data::{Tensor, TensorData, write_safetensors};
use morphscape::kernels::Activation;
use morphscape::model::{Model, ModelError, ModelOptions, read_model};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::sync::MutexGuard;
use std::time::Instant;
use zip::write::SimpleFileOptions;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(golden("keras").join(name)).expect(name)
}

/// Where models are written to be read, under names that say nothing.
struct Case {
    folder: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self {
            folder,
            _alone: alone(),
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, content: &[u8], config: Option<&[u8]>) -> Result<Model, ModelError> {
        // Some file systems flush a file that is written over.
        let path = self.path("model");
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, content).expect("written");
        let options = ModelOptions {
            activation: config.is_none().then_some(Activation::Relu),
            config: config.map(|config| {
                let path = self.path("config");
                std::fs::write(&path, config).expect("written");
                path
            }),
            ..ModelOptions::default()
        };
        // Files with a config of their own want no activation.
        match read_model(&path, &options) {
            Err(ModelError::OptionsNotNeeded) => read_model(&path, &ModelOptions::default()),
            other => other,
        }
    }
}

/// Of one test, the zeros of bombs included.
const MAX_MEMORY: usize = 100 << 20;

/// A `.keras` file of these parts.
fn keras_file(config: &[u8], weights: &[u8]) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zipped(
        &[("config.json", config), ("model.weights.h5", weights)],
        options,
    )
}

fn zipped(entries: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, options).expect("an entry");
        zip.write_all(content).expect("written");
    }
    zip.finish().expect("a zip").into_inner()
}

/// The config and weights of a fixture.
fn parts(name: &str) -> (Vec<u8>, Vec<u8>) {
    let mut zip = zip::ZipArchive::new(Cursor::new(fixture(name))).expect("a zip");
    let mut part = |name: &str| {
        let mut content = Vec::new();
        let mut entry = zip.by_name(name).expect(name);
        entry.read_to_end(&mut content).expect(name);
        content
    };
    (part("config.json"), part("model.weights.h5"))
}

/// Reads a broken file: an error whose message holds all `words`.
fn assert_refused(case: &Case, what: &str, content: &[u8], config: Option<&[u8]>, words: &[&str]) {
    let started = Instant::now();
    let read = std::panic::catch_unwind(|| case.read(content, config));
    let took = started.elapsed();
    let Ok(read) = read else {
        panic!("{what}: it panics");
    };
    let Err(error) = read else {
        panic!("{what}: it is read");
    };
    let message = chain(&error);
    println!("{what} ({took:?}): {message}");
    for word in words {
        assert!(
            message.contains(word),
            "{what}: expected \"{word}\" in: {message}"
        );
    }
}

#[test]
fn what_is_no_model_is_said() {
    let case = Case::new();
    let unknown = "expected a .keras, .h5, .safetensors, .onnx or model.json file, found";
    for (what, content, words) in [
        ("empty", &b""[..], [unknown, "an empty file"]),
        ("text", b"layers: 3", [unknown, "layers: "]),
        ("png", b"\x89PNG\r\n\x1a\n\0\0", [unknown, "PNG"]),
        (
            "no zip",
            b"PK\x03\x04 and no more",
            ["a .keras file, which is a zip", ""],
        ),
        (
            "no HDF5",
            b"\x89HDF\r\n\x1a\n and no more",
            ["HDF5", "cannot be read"],
        ),
        (
            "no header",
            b"\x04\0\0\0\0\0\0\0{]}}",
            ["a .safetensors file", ""],
        ),
    ] {
        assert_refused(&case, what, content, None, &words);
    }
    let stored = SimpleFileOptions::default();
    let (config, weights) = parts("trained.keras");
    for (what, entries, words) in [
        ("an empty zip", &[][..], ""),
        ("another zip", &[("a.txt", &b"a"[..])], "found a.txt"),
        (
            "no weights",
            &[("config.json", &config)],
            "with model.weights.h5",
        ),
        (
            "no config",
            &[("model.weights.h5", &weights)],
            "with config.json",
        ),
        (
            "no UTF-8",
            &[("config.json", b"{\xff}"), ("model.weights.h5", &weights)],
            "UTF-8",
        ),
        (
            "no JSON",
            &[("config.json", b"{"), ("model.weights.h5", &weights)],
            "expected JSON",
        ),
        (
            "no HDF5 inside",
            &[("config.json", &config), ("model.weights.h5", b"x")],
            "HDF5",
        ),
    ] {
        assert_refused(&case, what, &zipped(entries, stored), None, &[words]);
    }
}

#[test]
fn claims_of_size_cost_nothing() {
    let case = Case::new();
    // Whichever test came before has left a peak of its own.
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let (config, weights) = parts("trained.keras");
    let deflated =
        SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let zeros = vec![0; 20 << 20];
    let bomb = zipped(
        &[("config.json", &config), ("model.weights.h5", &zeros)],
        deflated,
    );
    assert!(bomb.len() < 100_000);
    assert_refused(
        &case,
        "bomb of weights",
        &bomb,
        None,
        &["model.weights.h5", "larger than"],
    );
    let bomb = zipped(
        &[("config.json", &zeros), ("model.weights.h5", &weights)],
        deflated,
    );
    assert_refused(
        &case,
        "bomb of config",
        &bomb,
        None,
        &["config.json", "1048576 bytes"],
    );
    drop(zeros);
    // The same with a small size claimed, in both headers.
    let claim = |content: &mut Vec<u8>, from: u32, to: u32| {
        let mut found = 0;
        for at in 0..content.len() - 4 {
            if content[at..at + 4] == from.to_le_bytes() {
                content[at..at + 4].copy_from_slice(&to.to_le_bytes());
                found += 1;
            }
        }
        assert!(found >= 2, "{from} is claimed {found} times");
    };
    let mut liar = bomb.clone();
    claim(&mut liar, 20 << 20, 1000);
    assert_refused(
        &case,
        "bomb that claims 1000 bytes",
        &liar,
        None,
        &["config.json"],
    );
    let mut liar = keras_file(&config, &weights);
    claim(&mut liar, weights.len() as u32, u32::MAX - 1);
    assert_refused(
        &case,
        "weights that claim 4 GiB",
        &liar,
        None,
        &["model.weights.h5"],
    );

    // A config of the most bytes that are read, as large as it gets when parsed.
    let zeros = format!("[{}0]", "0,".repeat((1 << 19) - 8));
    assert_refused(
        &case,
        "a list",
        &keras_file(zeros.as_bytes(), &weights),
        None,
        &["Sequential"],
    );
    let deep = "[".repeat(1 << 20);
    assert_refused(
        &case,
        "deep",
        &keras_file(deep.as_bytes(), &weights),
        None,
        &["recursion limit"],
    );
    let long = format!("{zeros}{zeros}");
    let for_weights = fixture("keras3.weights.h5");
    assert_refused(
        &case,
        "`config`",
        &for_weights,
        Some(long.as_bytes()),
        &["at most 1048576 bytes"],
    );

    for (what, header, words) in [
        ("a header of 2^63 bytes", None, "header"),
        (
            "a tensor of 2^80 values",
            Some(
                json!({"a.kernel": {"dtype": "F32", "shape": [1u64 << 40, 1u64 << 40], "data_offsets": [0, 8]}}),
            ),
            "a .safetensors file",
        ),
        (
            "a tensor past the end",
            Some(
                json!({"a.kernel": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 1u64 << 40]}}),
            ),
            "a .safetensors file",
        ),
    ] {
        let header = header.map(|header| header.to_string());
        let len = header
            .as_ref()
            .map_or(1 << 63, |header| header.len() as u64);
        let mut content = len.to_le_bytes().to_vec();
        content.extend(header.unwrap_or_else(|| "{".into()).into_bytes());
        content.extend([0; 8]);
        assert_refused(&case, what, &content, None, &[words]);
    }
    let peak = MEMORY.peak_usage() - before;
    println!("peak memory {} MiB", peak >> 20);
    assert!(peak < MAX_MEMORY);
}

/// A model of one dense layer `d`, `[2, 3]`, and the dataset that should hold its kernel. Its
/// group is the eighth of its class by count, the one layer by name.
fn with_kernel(make: impl Fn(&mut hdf5_pure::DatasetBuilder)) -> (Vec<u8>, Vec<u8>) {
    let config = json!({"class_name": "Sequential", "config": {"layers": [
        {"class_name": "Dense", "config": {"name": "d", "units": 3, "use_bias": false}},
    ]}});
    let mut file = hdf5_pure::FileBuilder::new();
    let mut layers = file.create_group("layers");
    let mut layer = layers.create_group("dense_7");
    let mut variables = layer.create_group("vars");
    variables.set_attr("name", hdf5_pure::AttrValue::String("d".into()));
    make(variables.create_dataset("0"));
    layer.add_group(variables.finish());
    layers.add_group(layer.finish());
    file.add_group(layers.finish());
    let weights = file.finish().expect("an HDF5 file");
    (weights, config.to_string().into_bytes())
}

/// Replaces what is there once.
fn patch(content: &mut [u8], from: &[u8], to: &[u8]) {
    let places: Vec<usize> = (0..=content.len() - from.len())
        .filter(|&at| content[at..].starts_with(from))
        .collect();
    assert!(!places.is_empty(), "{from:?} is not there");
    for at in places {
        content[at..at + from.len()].copy_from_slice(to);
    }
}

#[test]
fn datasets_are_checked_before_they_are_read() {
    let case = Case::new();
    let kernel = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0];
    let (weights, config) = with_kernel(|dataset| {
        dataset.with_f32_data(&kernel).with_shape(&[2, 3]);
    });
    case.read(&weights, Some(&config)).expect("a model");
    let (packed, _) = with_kernel(|dataset| {
        let dataset = dataset.with_f32_data(&kernel).with_shape(&[2, 3]);
        dataset.with_chunks(&[2, 2]).with_shuffle().with_deflate(6);
    });
    case.read(&packed, Some(&config))
        .expect("a model that was packed");

    // SZIP, filter 4, in the place of deflate, 1: a message of its number and the level, 6.
    let mut szip = packed.clone();
    let deflate = [1u16, 1].map(u16::to_le_bytes).concat();
    let at = (0..szip.len() - 12).find(|&at| {
        szip[at..].starts_with(&[1, 0])
            && szip[at + 2..at + 12].windows(4).any(|w| w == [6, 0, 0, 0])
    });
    szip[at.unwrap_or_else(|| panic!("no filter {deflate:?}"))] = 4;
    assert_refused(
        &case,
        "szip",
        &szip,
        Some(&config),
        &["layers/dense_7/vars/0", "cannot be read"],
    );

    let mut shape = weights.clone();
    let sizes = |sizes: [u64; 2]| sizes.map(u64::to_le_bytes).concat();
    patch(&mut shape, &sizes([2, 3]), &sizes([1 << 40, 3]));
    assert_refused(
        &case,
        "2^40 rows",
        &shape,
        Some(&config),
        &["larger than what the file can hold"],
    );

    for (what, words, make) in [
        (
            "another shape",
            "expected shape [any, 3], found [3, 2]",
            Box::new(|dataset: &mut hdf5_pure::DatasetBuilder| {
                dataset.with_f32_data(&kernel).with_shape(&[3, 2]);
            }) as Box<dyn Fn(&mut hdf5_pure::DatasetBuilder)>,
        ),
        (
            "another rank",
            "expected shape [any, 3], found [6]",
            Box::new(|dataset| {
                dataset.with_f32_data(&kernel);
            }),
        ),
        (
            "whole numbers",
            "found i32",
            Box::new(|dataset| {
                dataset.with_i32_data(&[1; 6]).with_shape(&[2, 3]);
            }),
        ),
        (
            "NaN",
            "value 4 is NaN",
            Box::new(|dataset| {
                dataset
                    .with_f32_data(&[0.0, 0.0, 0.0, 0.0, f32::NAN, 0.0])
                    .with_shape(&[2, 3]);
            }),
        ),
        (
            "64-bit floats past the range of 32",
            "value 1 is inf",
            Box::new(|dataset| {
                dataset
                    .with_f64_data(&[0.0, 1e300, 0.0, 0.0, 0.0, 0.0])
                    .with_shape(&[2, 3]);
            }),
        ),
        (
            "a bomb of zeros",
            "larger than what the file can hold",
            Box::new(|dataset| {
                let dataset = dataset
                    .with_f32_data(&vec![0.0; 3 << 20])
                    .with_shape(&[1 << 20, 3]);
                dataset.with_chunks(&[1 << 20, 3]).with_deflate(9);
            }),
        ),
    ] {
        let (weights, config) = with_kernel(make);
        assert_refused(&case, what, &weights, Some(&config), &[words]);
    }
}

#[test]
fn hdf5_that_goes_in_circles_ends() {
    let case = Case::new();
    let config = fixture("keras3.json");
    let circle = fixture("circle.weights.h5");
    assert_refused(
        &case,
        "groups that hold themselves",
        &circle,
        Some(&config),
        &["HDF5 groups", "inside each other"],
    );

    // Trees of groups, each of 32 branches: all the tree itself, or all the next tree, which
    // makes 32^n leaves in a small file.
    let weights = fixture("keras3.weights.h5");
    let trees: Vec<usize> = (0..weights.len() - 4)
        .filter(|&at| weights[at..].starts_with(b"TREE\0"))
        .collect();
    assert!(trees.len() > 5);
    for (what, onwards, word) in [
        ("a tree that branches into itself", 0, "depth exceeded"),
        ("trees that meet again", 1, "over and over"),
    ] {
        let mut weights = weights.clone();
        for (tree, next) in trees.iter().zip(trees.iter().skip(onwards)) {
            weights[tree + 5] = 1;
            weights[tree + 6..tree + 8].copy_from_slice(&32u16.to_le_bytes());
            for branch in 0..32 {
                let place = tree + 32 + 16 * branch;
                weights[place..place + 8].copy_from_slice(&(*next as u64).to_le_bytes());
            }
        }
        assert_refused(&case, what, &weights, Some(&config), &["HDF5", word]);
    }
}

/// Three dense layers in a row, `a`, `b` and `c`, 6 values each, as Keras 3 describes them.
fn functional() -> Value {
    let tensor = |name: &str| json!({"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}});
    let dense = |name: &str, takes: &str| {
        json!({"class_name": "Dense", "name": name, "config": {"name": name, "units": 6},
            "inbound_nodes": [{"args": [tensor(takes)], "kwargs": {}}]})
    };
    json!({"class_name": "Functional", "config": {
        "layers": [
            {"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_shape": [null, 6]}, "inbound_nodes": []},
            dense("a", "x"), dense("b", "a"), dense("c", "b"),
        ],
        "input_layers": [["x", 0, 0]],
        "output_layers": [["c", 0, 0]],
    }})
}

fn functional_weights(case: &Case, names: &[&str]) -> Vec<u8> {
    let path = case.path("weights.safetensors");
    let (kernel, bias) = ([0.5; 36], [0.25; 6]);
    let names: Vec<[String; 2]> = names
        .iter()
        .map(|name| [format!("{name}.kernel"), format!("{name}.bias")])
        .collect();
    let mut tensors = Vec::new();
    for [kernel_name, bias_name] in &names {
        tensors.push(Tensor {
            name: kernel_name,
            shape: vec![6, 6],
            data: TensorData::F32(&kernel),
        });
        tensors.push(Tensor {
            name: bias_name,
            shape: vec![6],
            data: TensorData::F32(&bias),
        });
    }
    write_safetensors(&path, &tensors, &BTreeMap::new()).expect("written");
    std::fs::read(path).expect("read")
}

#[test]
fn configs_say_what_is_wrong_with_them() {
    let case = Case::new();
    let weights = functional_weights(&case, &["a", "b", "c"]);
    let without_b = functional_weights(&case, &["a", "c"]);
    let good = functional().to_string();
    case.read(&weights, Some(good.as_bytes())).expect("a model");
    let set = |pointer: &'static str, value: Value| {
        move |config: &mut Value| {
            let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
            let parent = config.pointer_mut(parent).expect(pointer);
            match key.parse::<usize>() {
                Ok(index) => parent[index] = value.clone(),
                Err(_) => parent[key] = value.clone(),
            }
        }
    };
    let history = |layer: usize| match layer {
        1 => "/config/layers/1/inbound_nodes/0/args/0/config/keras_history",
        _ => "/config/layers/2/inbound_nodes/0/args/0/config/keras_history",
    };
    type Change = Box<dyn Fn(&mut Value)>;
    let layer = |class: &str, more: Value| -> Change {
        let (class, more) = (class.to_owned(), more);
        Box::new(move |config: &mut Value| {
            let entry = &mut config["config"]["layers"][2];
            entry["class_name"] = json!(class);
            let options = entry["config"].as_object_mut().expect("options");
            options.extend(more.as_object().expect("options").clone());
        })
    };
    let conv = json!({"filters": 6, "kernel_size": [3, 3]});
    let with = |more: Value| {
        let mut options = conv.clone();
        options
            .as_object_mut()
            .expect("options")
            .extend(more.as_object().expect("options").clone());
        options
    };
    let cases: Vec<(&str, Change, &[&str])> = vec![
        (
            "no layers",
            Box::new(set("/config/layers", json!(3))),
            &["config.layers", "a list of layers"],
        ),
        (
            "a circle",
            Box::new(set(history(1), json!(["b", 0, 0]))),
            &["layer \"x\"", "takes it"],
        ),
        (
            "a circle of one",
            Box::new(set(history(2), json!(["b", 0, 0]))),
            &["layer \"a\"", "takes it"],
        ),
        (
            "a circle beside the way",
            Box::new(|config| {
                let mut entry = config["config"]["layers"][2].clone();
                entry["name"] = json!("d");
                let mut add = entry.clone();
                add["class_name"] = json!("Add");
                add["name"] = json!("e");
                let tensors: Vec<Value> = ["b", "d"].map(|name| json!({"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}})).into();
                add["inbound_nodes"] = json!([{"args": [tensors], "kwargs": {}}]);
                entry["inbound_nodes"][0]["args"][0]["config"]["keras_history"] =
                    json!(["e", 0, 0]);
                let layers = config["config"]["layers"].as_array_mut().expect("layers");
                layers[3]["inbound_nodes"][0]["args"][0]["config"]["keras_history"] =
                    json!(["e", 0, 0]);
                layers.extend([entry, add]);
            }),
            &["a circle"],
        ),
        (
            "an output in the middle",
            Box::new(set("/config/output_layers", json!([["b", 0, 0]]))),
            &["layer \"c\"", "another output"],
        ),
        (
            "two outputs",
            Box::new(set(
                "/config/output_layers",
                json!([["b", 0, 0], ["c", 0, 0]]),
            )),
            &["output_layers", "one output", "`output`", "b, c"],
        ),
        (
            "two inputs",
            Box::new(set(
                "/config/input_layers",
                json!([["x", 0, 0], ["a", 0, 0]]),
            )),
            &["input_layers", "one layer"],
        ),
        (
            "an unknown name",
            Box::new(set(history(2), json!(["z", 0, 0]))),
            &["layer \"b\", inbound_nodes", "\"z\""],
        ),
        (
            "a name twice",
            Box::new(set("/config/layers/2/name", json!("a"))),
            &["\"a\" twice"],
        ),
        (
            "a second result",
            Box::new(set(history(2), json!(["a", 0, 1]))),
            &["the first result"],
        ),
        (
            "a second call that nothing takes",
            Box::new(|config| {
                let calls = &mut config["config"]["layers"][2]["inbound_nodes"];
                *calls = json!([calls[0].clone(), calls[0].clone()]);
            }),
            &["layer \"b\"", "another output"],
        ),
        (
            "in training",
            Box::new(set(
                "/config/layers/2/inbound_nodes/0/kwargs",
                json!({"training": true}),
            )),
            &["training = true"],
        ),
        (
            "a number in a call",
            Box::new(set("/config/layers/2/inbound_nodes/0/args", json!([3.0]))),
            &["layers that it was called on"],
        ),
        (
            "a call without arguments",
            Box::new(set("/config/layers/2/inbound_nodes/0", json!({}))),
            &["layer \"b\"", "nothing"],
        ),
        (
            "a Lambda",
            layer("Lambda", json!({"function": "code"})),
            &["layer \"b\" is of class Lambda", "Python code"],
        ),
        (
            "a custom layer",
            Box::new(set("/config/layers/2/registered_name", json!("Mine>Dense"))),
            &["custom.Dense", "Python code"],
        ),
        (
            "a layer of a module",
            Box::new(set("/config/layers/2/module", json!("mine"))),
            &["mine.Dense", "Python code"],
        ),
        (
            "an unknown layer",
            layer("LSTM", json!({})),
            &["layer 1 \"b\" is of class LSTM", "supported are"],
        ),
        (
            "a layer with a state",
            layer("SimpleRNN", json!({})),
            &["is of class SimpleRNN", "supported are"],
        ),
        (
            "no units",
            layer("Dense", json!({"units": 0})),
            &["layer \"b\", units", "above 0"],
        ),
        (
            "units of another type",
            layer("Dense", json!({"units": "6"})),
            &["units", "found \"6\""],
        ),
        (
            "2^60 units",
            layer("Dense", json!({"units": 1u64 << 60})),
            &["b.kernel", "[6, 6]"],
        ),
        (
            "an unknown activation",
            layer("Dense", json!({"activation": "mine"})),
            &["activation", "\"mine\""],
        ),
        (
            "an activation of the user's",
            layer(
                "Dense",
                json!({"activation": {"class_name": "function", "config": "mine"}}),
            ),
            &["activation", "mine"],
        ),
        (
            "a quantised layer",
            layer(
                "Dense",
                json!({"dtype": {"class_name": "QuantizedDTypePolicy", "config": {"name": "int8_from_float32"}}}),
            ),
            &["dtype", "floats"],
        ),
        (
            "an Add of one",
            layer("Add", json!({})),
            &["\"b\"", "two or more"],
        ),
        (
            "channels first",
            layer("Conv2D", with(json!({"data_format": "channels_first"}))),
            &["data_format", "channels_last"],
        ),
        (
            "groups",
            layer("Conv2D", with(json!({"groups": 4}))),
            &["groups", "a divisor of filters", "found 4"],
        ),
        (
            "a dilation",
            layer("Conv2D", with(json!({"dilation_rate": [2, 1, 1]}))),
            &["layer \"b\"", "dilation_rate", "[2,1,1]"],
        ),
        (
            "frames of more zeros than fit",
            layer("ZeroPadding2D", json!({"padding": 65_535})),
            &["layer \"b\"", "an image"],
        ),
        (
            "a Concatenate of one",
            layer("Concatenate", json!({})),
            &["layer \"b\", a Concatenate", "two or more"],
        ),
        (
            "a permutation that is none",
            layer("Permute", json!({"dims": [1, 1]})),
            &["layer \"b\"", "[0, 0]"],
        ),
        (
            "a stride of 0",
            layer("Conv2D", with(json!({"strides": [0, 1]}))),
            &["strides", "above 0"],
        ),
        (
            "a window of three sizes",
            layer("Conv2D", with(json!({"kernel_size": [3, 3, 3]}))),
            &["kernel_size", "two whole numbers"],
        ),
        (
            "causal padding",
            layer("Conv2D", with(json!({"padding": "causal"}))),
            &["padding", "valid or same"],
        ),
        (
            "a pool on rows",
            layer("MaxPooling2D", json!({"pool_size": [2, 2]})),
            &["layer \"b\"", "[6]"],
        ),
        (
            "two open sizes",
            layer("Reshape", json!({"target_shape": [-1, -1]})),
            &["target_shape"],
        ),
        (
            "a shape that does not fit",
            layer("Reshape", json!({"target_shape": [4, -1]})),
            &["layer \"b\""],
        ),
        (
            "a shape of 2^66",
            layer("Reshape", json!({"target_shape": [1u64 << 33, 1u64 << 33]})),
            &["layer \"b\""],
        ),
        (
            "a variance below 0",
            layer(
                "Normalization",
                json!({"axis": [-1], "mean": 0.0, "variance": -1.0}),
            ),
            &["layer \"b\", variance", "0 or more"],
        ),
        (
            "an axis in the middle",
            layer("BatchNormalization", json!({"axis": 2})),
            &["layer \"b\", axis", "the last axis"],
        ),
        (
            "kept dimensions",
            layer("GlobalMaxPooling2D", json!({"keepdims": "yes"})),
            &["keepdims"],
        ),
        (
            "an open input",
            Box::new(set(
                "/config/layers/0/config/batch_shape",
                json!([null, null, 6]),
            )),
            &["layer \"x\", batch_shape", "[null,null,6]"],
        ),
    ];
    for (what, change, words) in cases {
        let mut config = functional();
        change(&mut config);
        let weights = match config["config"]["layers"][2]["class_name"].as_str() {
            Some("Dense" | "Conv2D") | None => &weights,
            _ => &without_b,
        };
        assert_refused(
            &case,
            what,
            weights,
            Some(config.to_string().as_bytes()),
            words,
        );
    }
    // Models in models, and a great many layers.
    let mut nested = functional();
    for _ in 0..20 {
        nested = json!({"class_name": "Sequential", "config": {"name": "m", "layers": [nested]}});
    }
    assert_refused(
        &case,
        "20 models in models",
        &weights,
        Some(nested.to_string().as_bytes()),
        &["models inside each other"],
    );
    let many: Vec<Value> = (0..12_000)
        .map(|i| ["Rescaling", "ELU"][i % 2])
        .map(|class| json!({"class_name": class, "config": {"name": "s"}}))
        .collect();
    let many = json!({"class_name": "Sequential", "config": {"layers": many}}).to_string();
    assert_refused(
        &case,
        "12,000 layers",
        &weights,
        Some(many.as_bytes()),
        &["a.bias"],
    );
}

#[test]
fn the_layers_of_plain_files_are_told_or_asked_for() {
    type Layer<'a> = (&'a str, [usize; 2]);
    let case = Case::new();
    let write = |layers: &[Layer<'_>], suffix: &str| {
        let names: Vec<[String; 2]> = layers
            .iter()
            .map(|(name, _)| [format!("{name}.{suffix}"), format!("{name}.bias")])
            .collect();
        let values = [0.5; 64];
        let mut tensors = Vec::new();
        for ([weight, bias], (_, [inputs, outputs])) in names.iter().zip(layers) {
            let shape = if suffix == "weight" {
                [*outputs, *inputs]
            } else {
                [*inputs, *outputs]
            };
            tensors.push(Tensor {
                name: weight,
                shape: shape.to_vec(),
                data: TensorData::F32(&values[..inputs * outputs]),
            });
            tensors.push(Tensor {
                name: bias,
                shape: vec![*outputs],
                data: TensorData::F32(&values[..*outputs]),
            });
        }
        let path = case.path("plain");
        write_safetensors(&path, &tensors, &BTreeMap::new()).expect("written");
        path
    };
    let options = |layers: &[&str]| ModelOptions {
        activation: Some(Activation::Relu),
        layers: layers.iter().map(|name| (*name).to_owned()).collect(),
        ..ModelOptions::default()
    };
    let told: [(&[Layer<'_>], &str, &str); 6] = [
        (
            &[("0", [4, 5]), ("2", [5, 5]), ("10", [5, 3])],
            "weight",
            "layers 0 4-5 relu, 2 5-5 relu, 10 5-3",
        ),
        (
            &[("net.0", [4, 4]), ("net.2", [4, 4]), ("net.11", [4, 4])],
            "weight",
            "layers net.0 4-4 relu, net.2 4-4 relu, net.11 4-4",
        ),
        (
            &[("fc2", [5, 5]), ("fc1", [4, 5]), ("fc3", [5, 3])],
            "weight",
            "layers fc1 4-5 relu, fc2 5-5 relu, fc3 5-3",
        ),
        (
            &[("hidden", [4, 5]), ("a_output", [5, 3])],
            "weight",
            "layers hidden 4-5 relu, a_output 5-3",
        ),
        (
            &[("dense", [4, 5]), ("dense_1", [5, 5]), ("dense_2", [5, 3])],
            "kernel",
            "layers dense 4-5 relu, dense_1 5-5 relu, dense_2 5-3",
        ),
        (&[("only", [4, 3])], "kernel", "layers only 4-3"),
    ];
    for (layers, suffix, note) in told {
        let path = write(layers, suffix);
        let model =
            read_model(&path, &options(&[])).unwrap_or_else(|error| panic!("{note}: {error}"));
        assert_eq!(model.notes(), [note]);
    }
    let square: &[Layer<'_>] = &[("in", [4, 4]), ("mid", [4, 4]), ("out", [4, 3])];
    let path = write(square, "weight");
    let error = read_model(&path, &options(&[])).expect_err("two orders fit");
    let words = ["in 4-4, mid 4-4, out 4-3", "`layers`"];
    assert!(
        words.iter().all(|word| error.to_string().contains(word)),
        "{error}"
    );
    let model = read_model(&path, &options(&["mid", "in", "out"])).expect("a model");
    assert_eq!(model.notes(), ["layers mid 4-4 relu, in 4-4 relu, out 4-3"]);
    for wrong in [
        &["in", "out"][..],
        &["in", "mid", "nope"],
        &["in", "in", "out"],
    ] {
        let error = read_model(&path, &options(wrong)).expect_err("not all layers");
        assert!(error.to_string().contains("`layers`"), "{error}");
    }
    let path = write(&[("1", [4, 5]), ("2", [6, 3])], "weight");
    let error = read_model(&path, &options(&[])).expect_err("they do not fit");
    assert!(error.to_string().contains('6'), "{error}");
}
