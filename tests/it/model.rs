//! Model files: what is understood, and what each kind of damage is told apart as.

use crate::common::{Tolerance, assert_close, engines, golden_json};
use morphscape::data::{
    PaperTable, Table, Tensor, TensorData, hawks, iris, seeds, write_safetensors,
};
use morphscape::kernels::Activation;
use morphscape::landscape::argmax;
use morphscape::model::{
    Layout, Model, ModelError, ModelOptions, bundled_table_model, read_model, table_model_names,
};
use morphscape::pipeline::classify;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

type Tensors<'a> = &'a [(&'a str, Vec<usize>, Vec<f32>)];

fn read(
    tensors: Tensors<'_>,
    config: Option<Value>,
    options: ModelOptions,
) -> Result<Model, ModelError> {
    read_with(
        tensors,
        config.map(|config| config.to_string()),
        None,
        options,
    )
}

fn read_with(
    tensors: Tensors<'_>,
    config: Option<String>,
    classes: Option<&str>,
    options: ModelOptions,
) -> Result<Model, ModelError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("m.safetensors");
    let tensors: Vec<Tensor<'_>> = tensors
        .iter()
        .map(|(name, shape, data)| Tensor {
            name,
            shape: shape.clone(),
            data: TensorData::F32(data),
        })
        .collect();
    let mut metadata = BTreeMap::new();
    metadata.extend(config.map(|config| ("keras_config", config)));
    metadata.extend(classes.map(|classes| ("classes", classes.to_owned())));
    write_safetensors(&path, &tensors, &metadata).expect("written");
    read_model(&path, &options)
}

fn keras(layers: Value) -> Option<Value> {
    Some(json!({"class_name": "Sequential", "config": {"name": "m", "layers": layers}}))
}

fn dense(name: &str, units: usize, activation: &str) -> Value {
    json!({"class_name": "Dense", "config": {"name": name, "units": units, "activation": activation, "use_bias": true}})
}

/// 2 inputs, 3 hidden, 2 classes.
fn small() -> Vec<(&'static str, Vec<usize>, Vec<f32>)> {
    vec![
        ("h.kernel", vec![2, 3], vec![1.0, -2.0, 0.5, 3.0, 1.0, -1.0]),
        ("h.bias", vec![3], vec![0.1, 0.2, -0.3]),
        (
            "o.kernel",
            vec![3, 2],
            vec![1.0, 2.0, -1.0, 0.5, 0.25, -0.75],
        ),
        ("o.bias", vec![2], vec![0.0, 0.5]),
    ]
}

fn assert_answers(model: &Model, input: &[f32], logits: [f64; 2]) {
    for engine in engines() {
        let answers = classify(engine.as_ref(), model, &[input]).expect("it classifies");
        let expected = logits.map(|logit| logit as f32);
        assert_close(
            "logits",
            &answers.logits,
            &expected,
            Tolerance {
                abs: 1e-5,
                rel: 1e-5,
            },
        );
        let p = 1.0 / (1.0 + (logits[1] - logits[0]).exp());
        let expected = [p as f32, 1.0 - p as f32];
        assert_close(
            "probabilities",
            &answers.probabilities,
            &expected,
            Tolerance {
                abs: 1e-6,
                rel: 0.0,
            },
        );
    }
}

/// The network by its formula, for an input that has been scaled already.
fn by_formula(x: [f64; 2], activation: fn(f64) -> f64) -> [f64; 2] {
    let h = [
        activation(x[0] + 3.0 * x[1] + 0.1),
        activation(-2.0 * x[0] + x[1] + 0.2),
        activation(0.5 * x[0] - x[1] - 0.3),
    ];
    [
        h[0] - h[1] + 0.25 * h[2],
        2.0 * h[0] + 0.5 * h[1] - 0.75 * h[2] + 0.5,
    ]
}

#[test]
fn a_softmax_at_the_end_changes_nothing() {
    let relu = |v: f64| v.max(0.0);
    let input = [0.7f32, -0.4];
    let expected = by_formula([f64::from(input[0]), f64::from(input[1])], relu);
    let ways = [
        json!([dense("h", 3, "relu"), dense("o", 2, "linear")]),
        json!([dense("h", 3, "relu"), dense("o", 2, "softmax")]),
        json!([
            {"class_name": "InputLayer", "config": {"batch_shape": [null, 2], "name": "i"}},
            {"class_name": "Flatten", "config": {"name": "f"}},
            dense("h", 3, "linear"),
            {"class_name": "ReLU", "config": {"name": "r"}},
            {"class_name": "Dropout", "config": {"name": "d", "rate": 0.5}},
            dense("o", 2, "linear"),
            {"class_name": "Softmax", "config": {"name": "s"}},
        ]),
        json!([
            dense("h", 3, "linear"),
            {"class_name": "Activation", "config": {"name": "a", "activation": "relu"}},
            dense("o", 2, "linear"),
            {"class_name": "Activation", "config": {"name": "b", "activation": "softmax"}},
        ]),
    ];
    for layers in ways {
        let model = read(&small(), keras(layers), ModelOptions::default()).expect("a model");
        assert_answers(&model, &input, expected);
    }
}

#[test]
fn every_activation_and_scaling_is_keras_s_formula() {
    type Formula = fn(f64) -> f64;
    let activations: [(&str, Formula); 4] = [
        ("linear", |v| v),
        ("relu", |v| v.max(0.0)),
        ("sigmoid", |v| 1.0 / (1.0 + (-v).exp())),
        ("tanh", f64::tanh),
    ];
    for (name, activation) in activations {
        let layers = json!([
            {"class_name": "Rescaling", "config": {"name": "r", "scale": 0.5, "offset": -1.5}},
            dense("h", 3, name),
            dense("o", 2, "linear"),
        ]);
        let model = read(&small(), keras(layers), ModelOptions::default()).expect("a model");
        assert!(model.scales_input());
        assert_answers(&model, &[4.0, 1.0], by_formula([0.5, -1.0], activation));
    }
    // One value an input, for the scale or for both.
    for (scale, offset) in [
        (json!([0.5, 0.25]), json!([-1.5, -1.25])),
        (json!([0.75, 2.5]), json!(-2.5)),
    ] {
        let layers = json!([
            {"class_name": "Rescaling", "config": {"name": "r", "scale": scale, "offset": offset}},
            dense("h", 3, "tanh"),
            dense("o", 2, "linear"),
        ]);
        let model = read(&small(), keras(layers), ModelOptions::default()).expect("a model");
        let [a, b] = [4.0, 1.0];
        let input = match scale[0].as_f64() {
            Some(0.5) => [0.5 * a - 1.5, 0.25 * b - 1.25],
            _ => [0.75 * a - 2.5, 2.5 * b - 2.5],
        };
        assert_answers(&model, &[a as f32, b as f32], by_formula(input, f64::tanh));
    }
    // The same as plain files, with a mean and a standard deviation.
    let mut tensors = small();
    tensors.push(("input.mean", vec![2], vec![3.0, 5.0]));
    tensors.push(("input.std", vec![2], vec![2.0, 4.0]));
    let options = ModelOptions {
        activation: Some(Activation::Tanh),
        layers: ["h", "o"].map(str::to_owned).to_vec(),
        ..ModelOptions::default()
    };
    let model = read(&tensors, None, options).expect("a model");
    assert_answers(&model, &[4.0, 1.0], by_formula([0.5, -1.0], f64::tanh));
}

#[test]
fn weights_of_pytorch_have_their_outputs_first() {
    let mut tensors = small();
    let [hidden, out] = [[2, 3], [3, 2]].map(|[inputs, outputs]: [usize; 2]| {
        move |kernel: &[f32]| -> Vec<f32> {
            let at = |output, input| kernel[input * outputs + output];
            let cells =
                (0..outputs).flat_map(|output| (0..inputs).map(move |input| (output, input)));
            cells.map(|(output, input)| at(output, input)).collect()
        }
    });
    tensors[0] = ("0.weight", vec![3, 2], hidden(&tensors[0].2));
    tensors[1].0 = "0.bias";
    tensors[2] = ("2.weight", vec![2, 3], out(&tensors[2].2));
    tensors[3].0 = "2.bias";
    let options = ModelOptions {
        activation: Some(Activation::Tanh),
        ..ModelOptions::default()
    };
    let model = read(&tensors, None, options).expect("a model");
    assert_eq!(model.notes(), ["layers 0 2-3 tanh, 2 3-2"]);
    assert_answers(&model, &[0.7, -0.4], by_formula([0.7, -0.4], f64::tanh));
}

#[test]
fn plain_layers_follow_the_numbers_in_their_names() {
    let mut tensors = Vec::new();
    let names: Vec<(String, String)> = (0..12)
        .map(|i| (format!("dense_{i}.kernel"), format!("dense_{i}.bias")))
        .collect();
    for (i, (kernel, bias)) in names.iter().enumerate() {
        // Layer i takes i + 2 values and gives i + 3: any other order does not fit.
        tensors.push((
            kernel.as_str(),
            vec![i + 2, i + 3],
            vec![0.0; (i + 2) * (i + 3)],
        ));
        tensors.push((bias.as_str(), vec![i + 3], vec![0.0; i + 3]));
    }
    let options = ModelOptions {
        activation: Some(Activation::Relu),
        scale: None,
        ..ModelOptions::default()
    };
    let model = read(&tensors, None, options).expect("a model");
    assert_eq!(
        (model.input_shape(), model.num_classes()),
        (Some(&[2][..]), 14)
    );
}

#[test]
fn damage_is_told_apart() {
    let good = || json!([dense("h", 3, "relu"), dense("o", 2, "linear")]);
    let error = |tensors: Tensors<'_>, layers: Value| {
        read(tensors, keras(layers), ModelOptions::default())
            .expect_err("it is refused")
            .to_string()
    };
    let changed = |n: usize, tensor: (&'static str, Vec<usize>, Vec<f32>)| {
        let mut tensors = small();
        tensors[n] = tensor;
        error(&tensors, good())
    };
    let check = |message: String, words: &[&str]| {
        for word in words {
            assert!(message.contains(word), "expected \"{word}\" in: {message}");
        }
    };
    check(
        changed(1, ("h.bias", vec![4], vec![0.0; 4])),
        &["h.bias", "expected shape [3], found [4]"],
    );
    check(
        changed(0, ("h.kernel", vec![6], vec![0.0; 6])),
        &["h.kernel", "[any, 3]", "[6]"],
    );
    check(
        changed(2, ("o.kernel", vec![4, 2], vec![0.0; 8])),
        &["o.kernel", "after a layer of 3 outputs", "[4, 2]"],
    );
    check(
        changed(1, ("h.bias", vec![3], vec![0.0, f32::NAN, 0.0])),
        &["h.bias", "value 1 is NaN"],
    );
    check(
        changed(3, ("o.bias", vec![2], vec![f32::INFINITY, 0.0])),
        &["o.bias", "value 0 is inf"],
    );
    check(
        changed(3, ("other", vec![2], vec![0.0; 2])),
        &["o.bias", "found none", "other"],
    );
    let mut more = small();
    more.push(("batch_norm.gamma", vec![2], vec![1.0; 2]));
    check(
        error(&more, good()),
        &["batch_norm.gamma", "belongs to no layer"],
    );
    let conv = json!([{"class_name": "Conv3D", "config": {"name": "c1"}}, dense("h", 3, "relu")]);
    check(
        error(&small(), conv),
        &[
            "layer 0 \"c1\" is of class Conv3D",
            "supported are InputLayer",
            "; for others, export the model to ONNX",
        ],
    );
    check(
        error(
            &small(),
            json!([dense("h", 3, "sparsemax"), dense("o", 2, "linear")]),
        ),
        &["\"h\"", "\"sparsemax\"", "relu"],
    );
    check(
        error(
            &small(),
            json!([dense("h", 3, "softmax"), dense("o", 2, "linear")]),
        ),
        &["\"o\"", "last layer"],
    );
    let custom = json!([dense("h", 3, "relu"), {"class_name": "Dense", "config":
        {"name": "o", "units": 2, "activation": {"class_name": "function", "config": "swish"}}}]);
    check(error(&small(), custom), &["\"o\", activation", "swish"]);
    for (scale, found) in [
        (json!([1.0, "2"]), "found [1.0,\"2\"]"),
        (json!([]), "found []"),
        (json!("2"), "found \"2\""),
        (json!([1.0, 2.0, 3.0]), "expected shape [2], found [3]"),
    ] {
        let layers = json!([
            {"class_name": "Rescaling", "config": {"name": "r", "scale": scale}},
            dense("h", 3, "relu"),
            dense("o", 2, "linear"),
        ]);
        check(error(&small(), layers), &["scale", found]);
    }
    check(error(&[], json!([])), &["at least one dense layer"]);
    check(
        error(&small()[..0], json!([dense("h", 3, "relu")])),
        &["h.kernel", "no tensor"],
    );
    let model = json!({"class_name": "MyModel", "config": {"layers": []}});
    check(
        read(&small(), Some(model), ModelOptions::default())
            .expect_err("refused")
            .to_string(),
        &["a Sequential or Functional model, found \"MyModel\""],
    );
    let broken = read_with(&small(), Some("{".into()), None, ModelOptions::default());
    check(
        broken.expect_err("refused").to_string(),
        &["keras_config", "JSON"],
    );
    let three = read_with(
        &small(),
        keras(good()).map(|c| c.to_string()),
        Some(r#"["a","b","c"]"#),
        ModelOptions::default(),
    );
    check(
        three.expect_err("refused").to_string(),
        &["expected 2 class names", "found 3"],
    );
    let plain = read(&small(), None, ModelOptions::default());
    assert!(matches!(plain, Err(ModelError::ActivationNeeded)));
    let both = read(
        &small(),
        keras(good()),
        ModelOptions {
            activation: Some(Activation::Relu),
            scale: None,
            ..ModelOptions::default()
        },
    );
    assert!(matches!(both, Err(ModelError::OptionsNotNeeded)));
}

#[test]
fn what_scales_grey_levels_is_told_from_other_affine_steps() {
    let rescaling = |scale: Value, offset: Value| json!({"class_name": "Rescaling", "config": {"name": "r", "scale": scale, "offset": offset}});
    let normalization = |mean: f64, variance: f64| json!({"class_name": "Normalization", "config": {"name": "n", "axis": null, "mean": mean, "variance": variance}});
    // The lot: what stands first, and whether it takes grey levels of 0..255.
    let cases = [
        (rescaling(json!(1.0 / 255.0), json!(0.0)), true),
        (rescaling(json!(1.0 / 127.5), json!(-1.0)), true),
        (
            rescaling(json!([0.0171, 0.0175]), json!([-2.1, -2.0])),
            true,
        ),
        (rescaling(json!(1.0), json!([-123.7, -116.8])), true),
        (rescaling(json!(2.0), json!(-1.0)), false),
        (rescaling(json!([4.37, 4.46]), json!([-2.1, -2.0])), false),
        (rescaling(json!(1.0), json!(0.0)), false),
        (normalization(73.0, 8100.0), true),
        (normalization(0.286, 0.125), false),
        (normalization(0.0, 1.0), false),
    ];
    let with = |first: &Value, scale: Option<f64>| {
        let layers = json!([first, dense("h", 3, "relu"), dense("o", 2, "linear")]);
        let options = ModelOptions {
            scale,
            ..ModelOptions::default()
        };
        read(&small(), keras(layers), options)
    };
    for (first, scales) in &cases {
        let model = with(first, None).expect("a model");
        assert_eq!(model.scales_grey_levels(), *scales, "{first}");
        match with(first, Some(1.0 / 255.0)) {
            Ok(model) => assert!(!scales && model.scales_grey_levels(), "{first}"),
            Err(ModelError::ScalesItself) => assert!(scales, "{first}"),
            Err(error) => panic!("{first}: {error}"),
        }
    }
    // Batch normalisation, whatever it was trained on.
    for (mean, variance) in [(0.28, 0.12), (73.0, 8100.0)] {
        let mut tensors = small();
        tensors.push(("b.moving_mean", vec![2], vec![mean; 2]));
        tensors.push(("b.moving_variance", vec![2], vec![variance; 2]));
        let first = json!({"class_name": "BatchNormalization", "config": {"name": "b", "scale": false, "center": false}});
        let layers = json!([first, dense("h", 3, "relu"), dense("o", 2, "linear")]);
        for scale in [None, Some(1.0 / 255.0)] {
            let options = ModelOptions {
                scale,
                ..ModelOptions::default()
            };
            let model = read(&tensors, keras(layers.clone()), options).expect("a model");
            assert_eq!(model.scales_grey_levels(), scale.is_some());
        }
    }
}

#[test]
fn flat_weights_of_pytorch_take_colour_images_channel_by_channel() {
    // 2 x 3 pixels of 3 channels.
    let weight: Vec<f32> = (0..36u8)
        .map(|k| f32::from(k * 7 % 23) / 10.0 - 1.0)
        .collect();
    let kernel: Vec<f32> = (0..36).map(|k| weight[k % 2 * 18 + k / 2]).collect();
    let pixels: Vec<f32> = (0..18u8).map(|k| f32::from(k * 5 % 17)).collect();
    let channel_by_channel: Vec<f32> = (0..18).map(|k| pixels[k % 6 * 3 + k / 6]).collect();
    let by_hand = |row: &[f32]| -> Vec<f32> {
        let sum = |o: usize| (0..18).map(|i| row[i] * weight[o * 18 + i]).sum();
        vec![sum(0), sum(1)]
    };
    let torch: Tensors<'_> = &[("fc.weight", vec![2, 18], weight.clone())];
    let keras: Tensors<'_> = &[("fc.kernel", vec![18, 2], kernel)];
    for (tensors, layout, expected) in [
        (torch, None, &channel_by_channel),
        (torch, Some(Layout::ChannelsLast), &pixels),
        (keras, None, &pixels),
        (keras, Some(Layout::ChannelsFirst), &channel_by_channel),
    ] {
        let options = ModelOptions {
            layout,
            ..ModelOptions::default()
        };
        let mut model = read(tensors, None, options).expect("a model");
        let note = model.fit_images([2, 3, 3]).expect("it fits");
        assert_eq!(note.is_some(), expected != &pixels, "{layout:?}");
        assert_eq!(model.fit_images([2, 3, 3]).expect("it fits"), None);
        let answers = classify(engines()[0].as_ref(), &model, &[&pixels]).expect("an answer");
        let tolerance = Tolerance {
            abs: 1e-4,
            rel: 0.0,
        };
        assert_close("logits", &answers.logits, &by_hand(expected), tolerance);
    }
    // Grey images have one order only.
    let mut model = read(torch, None, ModelOptions::default()).expect("a model");
    assert_eq!(model.fit_images([6, 3, 1]).expect("it fits"), None);
    assert!(model.fit_images([6, 3, 2]).is_err());
}

#[test]
fn what_python_writes_into_configs_is_read() {
    let ask = |config: String| {
        let model = read_with(&small(), Some(config), None, ModelOptions::default());
        let model = model.unwrap_or_else(|error| panic!("{error}"));
        assert_answers(
            &model,
            &[0.7, -0.4],
            by_formula([0.7, -0.4], |v| v.max(0.0)),
        );
    };
    let layers = |first: &str| {
        let o = dense("o", 2, "linear");
        format!(
            r#"{{"class_name": "Sequential", "config": {{"name": "a \" Infinity: NaN", "layers": [{first}, {o}]}}}}"#
        )
    };
    let h = |activation: &str| {
        format!(
            r#"{{"class_name": "Dense", "config": {{"name": "h", "units": 3, "activation": {activation}}}}}"#
        )
    };
    // Numbers that JSON does not have.
    let relu = r#"{"class_name": "ReLU", "config": {"name": "r", "max_value": Infinity, "weird": [NaN, -Infinity]}}"#;
    ask(layers(&format!("{}, {relu}", h("null"))));
    // A function of another library's, as Keras 3 saves it.
    for name in ["relu", "relu_v2"] {
        let function = json!({"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"});
        ask(layers(&h(&function.to_string())));
    }
    // An input and an output by name.
    let tensor = |name: &str| json!({"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}});
    let called = |mut entry: Value, argument: Value| {
        entry["name"] = entry["config"]["name"].clone();
        entry["inbound_nodes"] = json!([{"args": [argument], "kwargs": {}}]);
        entry
    };
    let input = json!({"class_name": "InputLayer", "name": "pixels", "config": {"name": "pixels", "batch_shape": [null, 2]}, "inbound_nodes": []});
    let config = json!({"class_name": "Functional", "config": {
        "layers": [
            input,
            called(dense("h", 3, "relu"), json!({"x": tensor("pixels")})),
            called(dense("o", 2, "linear"), tensor("h")),
        ],
        "input_layers": {"pixels": ["pixels", 0, 0]},
        "output_layers": {"classes": ["o", 0, 0]},
    }});
    ask(config.to_string());
    // NaN where a number counts is an error with its place.
    let bad = r#"{"class_name": "LeakyReLU", "config": {"name": "l", "negative_slope": NaN}}"#;
    let config = layers(&format!("{}, {bad}", h("null")));
    let error = read_with(&small(), Some(config), None, ModelOptions::default());
    let message = error.expect_err("refused").to_string();
    assert!(message.contains("\"l\", negative_slope"), "{message}");
}

#[test]
fn files_of_other_programs_are_named_with_the_way_out() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.pt");
    let zip = [&b"PK\x03\x04\x00\x00\x08\x08archive/data.pkl"[..], &[0; 64]].concat();
    for (content, words) in [
        (&zip[..], ["PyTorch", "torch.onnx.export"]),
        (b"\x80\x02}q\x00.", ["pickle", "skl2onnx"]),
        (
            b"\x1c\x00\x00\x00TFL3\x14\x00",
            ["TensorFlow Lite", "Keras"],
        ),
        (b"{\"class_name\": \"Sequential\"}", ["JSON", "`config`"]),
    ] {
        std::fs::write(&path, content).expect("written");
        let error = read_model(&path, &ModelOptions::default()).expect_err("refused");
        let message = error.to_string();
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
}

fn paper_table(name: &str) -> Table {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    match name {
        "iris" => iris(),
        "seeds" => seeds(),
        "hawks" => hawks(&root.join("data/hawks/hawks.csv")).expect("the hawks"),
        other => panic!("no table {other}"),
    }
}

/// Whole numbers of a list.
fn indices(list: &Value) -> Vec<usize> {
    let list = list.as_array().expect("a list").iter();
    list.map(|index| index.as_u64().expect("an index") as usize)
        .collect()
}

#[test]
fn the_tabular_models_answer_as_keras_does() {
    let check = golden_json("tabular_check.json");
    let models = check["models"].as_object().expect("models");
    let names: Vec<&str> = table_model_names().collect();
    assert_eq!(names, ["iris", "iris-paper", "hawks", "seeds"]);
    assert!(names.iter().all(|name| models.contains_key(*name)));
    assert_eq!(models.len(), names.len());
    for name in names {
        let keras = &models[name];
        let table = paper_table(name.strip_suffix("-paper").unwrap_or(name));
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("models")
            .join(format!("{name}.safetensors"));
        let model = read_model(&file, &ModelOptions::default()).expect(name);
        assert_eq!(model.input_shape(), Some(&[4][..]), "{name}");
        assert_eq!(model.steps().len(), 2, "{name}");
        assert_eq!(model.steps()[0].layer.outputs(), 16, "{name}");
        assert_eq!(model.classes(), Some(table.classes()), "{name}");
        assert_eq!(model.scales_input(), name != "iris-paper", "{name}");
        let bundled = bundled_table_model(name).expect("bundled");
        assert_eq!(bundled.sha256(), model.sha256(), "{name}");

        let rows: Vec<&[f32]> = (0..table.len())
            .map(|position| table.row(position))
            .collect();
        for engine in engines() {
            let what = format!("{name} on {}", engine.info().engine);
            let answers = classify(engine.as_ref(), &model, &rows).expect("it classifies");
            let answer = |position: usize| &answers.probabilities[3 * position..][..3];
            let checked = indices(&keras["rows"]);
            assert!(checked.len() >= 30 && checked[29] == table.len() - 1);
            let actual: Vec<f32> = checked.iter().flat_map(|&at| answer(at)).copied().collect();
            let expected: Vec<f32> = keras["probabilities"]
                .as_array()
                .expect("rows")
                .iter()
                .flat_map(|row| row.as_array().expect("a row"))
                .map(|p| p.as_f64().expect("a number") as f32)
                .collect();
            let tolerance = Tolerance {
                abs: 1e-5,
                rel: 0.0,
            };
            assert_close(&what, &actual, &expected, tolerance);
            let right = |position: &usize| argmax(answer(*position)) == table.label(*position);
            let all = (0..table.len()).filter(right).count();
            assert_eq!(Some(all as u64), keras["right"].as_u64(), "{what}");
            let test_rows = indices(&keras["test_rows"]);
            let in_test = test_rows.into_iter().filter(right).count();
            assert_eq!(Some(in_test as u64), keras["right_test"].as_u64(), "{what}");
        }
    }
    assert!(bundled_table_model("fashion-mnist").is_none());
    assert!(bundled_table_model("").is_none());
}

#[test]
fn a_tabular_model_s_file_names_the_columns_it_takes() {
    for name in table_model_names() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("models")
            .join(format!("{name}.safetensors"));
        let content = std::fs::read(file).expect(name);
        assert!(content.len() < 5000, "{name}: {} bytes", content.len());
        let (_, header) = safetensors::SafeTensors::read_metadata(&content).expect(name);
        let metadata = header.metadata().as_ref().expect("metadata");
        let features: Vec<String> = serde_json::from_str(&metadata["features"]).expect("a list");
        let table = PaperTable::named(name.strip_suffix("-paper").unwrap_or(name)).expect(name);
        assert_eq!(features, table.features, "{name}");
    }
}

#[test]
fn a_cause_is_printed_once() {
    let folder = crate::program::folder();
    // The header is no UTF-8, which the error says of itself and gives as its cause.
    let header = b"{\"a\": \"\xff\xfe";
    let content = [&(header.len() as u64).to_le_bytes()[..], header].concat();
    std::fs::write(folder.path().join("m.safetensors"), content).expect("written");
    let run = crate::program::run(folder.path(), &["model", "m.safetensors"]);
    let times = run.stderr.matches("invalid utf-8 sequence").count();
    assert_eq!((run.code, times), (Some(1), 1), "{}", run.stderr);
}
