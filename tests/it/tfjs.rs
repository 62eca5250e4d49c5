//! Layers models of TensorFlow.js, against its own answers (`tests/golden/tfjs/make.mjs`).

use crate::common::{Tolerance, assert_close, engines, golden, golden_json};
use morphscape::model::{ModelOptions, read_model};
use morphscape::pipeline::classify;
use serde_json::{Value, json};
use std::path::Path;

fn floats(value: &Value) -> Vec<f32> {
    let values = value.as_array().expect("numbers").iter();
    values
        .map(|value| value.as_f64().expect("a number") as f32)
        .collect()
}

#[test]
fn answers_are_those_of_tensorflow_js() {
    let answers = golden_json("tfjs/answers.json");
    for (name, is_rounded) in [("rows", false), ("nested", false), ("quantised", true)] {
        let path = golden(&format!("tfjs/{name}/model.json"));
        let model = read_model(&path, &ModelOptions::default());
        let model = model.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!model.runs_on_host(), "{name}");
        let notes = model.notes().join(" ");
        assert_eq!(
            notes.contains("which rounds them"),
            is_rounded,
            "{name}: {notes}"
        );
        let expected = floats(&answers[name]["answers"]);
        let inputs = floats(&answers[name]["inputs"]);
        let rows = answers[name]["shape"][0].as_u64().expect("a number") as usize;
        let inputs: Vec<&[f32]> = inputs.chunks_exact(inputs.len() / rows).collect();
        for engine in engines() {
            let found = classify(engine.as_ref(), &model, &inputs).expect("it classifies");
            let name = format!("{name} with {}", engine.info().engine);
            assert_close(
                &name,
                &found.probabilities,
                &expected,
                Tolerance {
                    abs: 2e-6,
                    rel: 1e-5,
                },
            );
        }
    }
}

/// A copy of a model, changed.
fn changed(change: impl Fn(&Path, &mut Value)) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let from = golden("tfjs/nested");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("copied");
    }
    let place = folder.path().join("model.json");
    let text = std::fs::read(&place).expect("a file");
    let mut model: Value = serde_json::from_slice(&text).expect("JSON");
    change(folder.path(), &mut model);
    std::fs::write(&place, model.to_string()).expect("written");
    let read = read_model(&place, &ModelOptions::default()).map(|model| model.num_classes());
    read.expect_err("it is refused").to_string()
}

#[test]
fn broken_models_say_what_is_missing() {
    let said = |change: &dyn Fn(&Path, &mut Value), words: &[&str]| {
        let error = changed(change);
        for word in words {
            assert!(error.contains(word), "{word}: {error}");
        }
    };
    let shard = "group1-shard2.bin";
    said(
        &|folder, _| std::fs::remove_file(folder.join(shard)).expect("a shard"),
        &[shard, "together"],
    );
    said(
        &|folder, _| std::fs::write(folder.join(shard), [0; 499]).expect("written"),
        &["bytes left in the shards"],
    );
    said(
        &|folder, _| std::fs::write(folder.join(shard), [0; 504]).expect("written"),
        &["4 more"],
    );
    said(
        &|_, model| model["format"] = json!("graph-model"),
        &["layers-model", "graph-model"],
    );
    let weights = "/weightsManifest/0/weights/0";
    let weight = |model: &mut Value, key: &str, value: Value| {
        model.pointer_mut(weights).expect("a weight")[key] = value;
    };
    said(
        &|_, model| weight(model, "dtype", json!("int32")),
        &["int32"],
    );
    said(
        &|_, model| weight(model, "shape", json!([1u64 << 40, 1u64 << 40])),
        &["bytes left"],
    );
    said(
        &|_, model| weight(model, "name", json!("Conv9/kernel")),
        &["Conv1.kernel"],
    );
    said(
        &|_, model| weight(model, "quantization", json!({"dtype": "uint4"})),
        &["uint4"],
    );
    said(
        &|_, model| model["weightsManifest"][0]["paths"][0] = json!("../group1-shard1.bin"),
        &["beside model.json"],
    );
    said(
        &|_, model| model["weightsManifest"] = json!("none"),
        &["a model of TensorFlow.js"],
    );
    said(
        &|_, model| model["modelTopology"] = json!(7),
        &["modelTopology"],
    );
}
