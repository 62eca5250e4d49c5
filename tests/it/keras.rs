//! Models as Keras saved them answer as Keras does: every supported layer and option, in every
//! kind of file. `tests/golden/keras` holds the models, Keras's answers and the scripts that made
//! both.

use crate::common::{Tolerance, assert_close, engines, golden, golden_f32, golden_json};
use morphscape::data::{TensorFile, fashion_mnist};
use morphscape::landscape::argmax;
use morphscape::model::{Model, ModelError, ModelOptions, convert_model, read_model};
use morphscape::pipeline::classify;
use safetensors::SafeTensors;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

fn fixture(name: &str) -> PathBuf {
    golden("keras").join(name)
}

/// Inputs and what Keras gave for them.
struct Answer {
    name: String,
    input_len: usize,
    inputs: Vec<f32>,
    outputs: Vec<f32>,
    softmax: bool,
}

fn answers(file: &str) -> Vec<Answer> {
    let content = std::fs::read(fixture(file)).expect(file);
    let (_, header) = SafeTensors::read_metadata(&content).expect(file);
    let metadata = header.metadata().as_ref().expect("metadata");
    println!("{file}: {}", metadata["made_with"]);
    let softmax: Vec<String> = serde_json::from_str(&metadata["softmax"]).expect("names");
    let tensors = SafeTensors::deserialize(&content).expect(file);
    let values = |name: &str| {
        let tensor = tensors.tensor(name).expect(name);
        let (bytes, _) = tensor.data().as_chunks();
        let values: Vec<f32> = bytes
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
            .collect();
        (tensor.shape()[1..].iter().product(), values)
    };
    let names = tensors.names();
    let mut names: Vec<&str> = names
        .iter()
        .filter_map(|name| name.strip_suffix(".inputs"))
        .collect();
    names.sort_unstable();
    let answer = |name: &str| {
        let (input_len, inputs) = values(&format!("{name}.inputs"));
        let (_, outputs) = values(&format!("{name}.outputs"));
        Answer {
            name: name.to_owned(),
            input_len,
            inputs,
            outputs,
            softmax: softmax.iter().any(|softmax| softmax == name),
        }
    };
    names.into_iter().map(answer).collect()
}

/// The worst seen is 1.2e-6.
const ANSWERS: Tolerance = Tolerance {
    abs: 1e-5,
    rel: 0.0,
};

fn assert_answers(model: &Model, answer: &Answer) {
    assert_answers_within(model, answer, ANSWERS);
}

fn assert_answers_within(model: &Model, answer: &Answer, tolerance: Tolerance) {
    let rows: Vec<&[f32]> = answer.inputs.chunks_exact(answer.input_len).collect();
    for engine in engines() {
        let what = format!("{} on {}", answer.name, engine.info().engine);
        let answers = classify(engine.as_ref(), model, &rows).expect(&what);
        let actual = if answer.softmax {
            &answers.probabilities
        } else {
            &answers.logits
        };
        assert_close(&what, actual, &answer.outputs, tolerance);
    }
}

fn read(name: &str) -> Result<Model, ModelError> {
    read_model(&fixture(name), &ModelOptions::default())
}

#[test]
fn every_layer_of_keras_3_answers_as_keras_does() {
    let answers = answers("answers.safetensors");
    assert!(answers.len() >= 35, "only {} models", answers.len());
    for answer in &answers {
        let model = match answer.name.as_str() {
            "keras3_legacy" => read("keras3_legacy.h5"),
            "keras3_weights" => read_model(
                &fixture("keras3.weights.h5"),
                &ModelOptions {
                    config: Some(fixture("keras3.json")),
                    ..ModelOptions::default()
                },
            ),
            name => read(&format!("{name}.keras")),
        };
        let model = model.unwrap_or_else(|error| panic!("{}: {error}", answer.name));
        assert_answers(&model, answer);
    }
}

#[test]
fn files_of_keras_2_answer_as_keras_did() {
    for version in ["tf2.12", "tf2.15"] {
        let answers = answers(&format!("{version}_answers.safetensors"));
        assert_eq!(answers.len(), 2);
        for answer in &answers {
            let model = read(&format!("{}.keras", answer.name)).expect(&answer.name);
            assert_answers(&model, answer);
        }
    }
    // In 2.12, `.keras` was HDF5 by another name; weights alone counted layers from 2.
    let content = std::fs::read(fixture("tf2.12_functional.keras")).expect("the fixture");
    assert_eq!(&content[1..4], b"HDF");
    let options = ModelOptions {
        config: Some(fixture("tf2.12_sequential.json")),
        ..ModelOptions::default()
    };
    let weights = fixture("tf2.12_sequential.weights.h5");
    let model = read_model(&weights, &options).expect("weights with their config");
    let answers = answers("tf2.12_answers.safetensors");
    let answer = answers.iter().find(|answer| answer.softmax);
    assert_answers(&model, answer.expect("the sequential model"));
    assert!(matches!(
        read_model(&weights, &ModelOptions::default()),
        Err(ModelError::ConfigNeeded)
    ));
}

/// What `make_variants.py` writes: where Keras 2 and 3 differ, and where weights could be another
/// layer's.
const VARIANTS: [&str; 2] = ["keras3", "tf2.15"];

fn variants(of: impl Fn(&str) -> bool) -> Vec<Answer> {
    let all = VARIANTS.map(|version| answers(&format!("{version}_variants.safetensors")));
    let mut found: Vec<Answer> = all.into_iter().flatten().collect();
    found.retain(|answer| of(&answer.name));
    found
}

fn variant_files(name: &str) -> Vec<String> {
    let files: Vec<String> = ["safetensors", "keras", "h5"]
        .map(|kind| format!("{name}.{kind}"))
        .into_iter()
        .filter(|file| fixture(file).exists())
        .collect();
    assert!(!files.is_empty(), "{name} has no file");
    files
}

#[test]
fn functions_and_names_mean_what_the_writing_keras_meant() {
    let answers = variants(|name| !name.contains("_end_"));
    assert!(answers.len() >= 13, "only {} models", answers.len());
    for answer in &answers {
        for file in variant_files(&answer.name) {
            let model = read(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
            // Exponentials of some units are thousands.
            let tolerance = Tolerance {
                rel: 1e-5,
                ..ANSWERS
            };
            assert_answers_within(&model, answer, tolerance);
        }
    }
}

#[test]
fn networks_of_several_branches_answer_as_keras_does() {
    let mut count = 0;
    for version in VARIANTS {
        for answer in answers(&format!("{version}_networks.safetensors")) {
            for file in variant_files(&answer.name) {
                let model = read(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
                let tolerance = Tolerance {
                    rel: 1e-5,
                    ..ANSWERS
                };
                assert_answers_within(&model, &answer, tolerance);
                count += 1;
            }
        }
    }
    assert_eq!(count, 14);
}

#[test]
fn images_are_brought_to_the_size_that_keras_brings_them_to() {
    let mut answers = answers("keras3_resized.safetensors");
    answers.retain(|answer| answer.name.contains("_size_"));
    assert_eq!(answers.len(), 3);
    for answer in answers {
        let file = format!("{}.safetensors", answer.name);
        let model = read(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_answers(&model, &answer);
    }
}

#[test]
fn of_two_outputs_the_one_that_is_named_answers() {
    let file = fixture("keras3_two_outputs.safetensors");
    let named = |name: &str| ModelOptions {
        output: Some(name.to_owned()),
        ..ModelOptions::default()
    };
    let mut answers = TensorFile::read(&fixture("keras3_resized.safetensors")).expect("answers");
    let mut take = |what: &str, shape: &[usize]| {
        let name = format!("keras3_two_outputs.{what}");
        answers.take(&name, shape).expect("a tensor")
    };
    let inputs = take("given", &[4, 6, 5, 3]);
    let rows: Vec<&[f32]> = inputs.chunks_exact(6 * 5 * 3).collect();
    for (name, classes) in [("first", 3), ("second", 4)] {
        let expected = take(name, &[4, classes]);
        let model = read_model(&file, &named(name)).expect(name);
        for engine in engines() {
            let found = classify(engine.as_ref(), &model, &rows).expect("it classifies");
            assert_close(name, &found.logits, &expected, ANSWERS);
        }
    }
    for options in [ModelOptions::default(), named("logits"), named("third")] {
        let error = read_model(&file, &options).expect_err("no output is chosen");
        let message = error.to_string();
        assert!(message.contains("first, second"), "{message}");
    }
}

#[test]
fn the_last_function_decides_what_the_outputs_are() {
    let answers = variants(|name| name.contains("_end_"));
    assert_eq!(answers.len(), 18);
    for Answer {
        name,
        input_len,
        inputs,
        outputs,
        ..
    } in &answers
    {
        let file = variant_files(name).remove(0);
        let model = read(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let rows: Vec<&[f32]> = inputs.chunks_exact(*input_len).collect();
        let units = outputs.len() / rows.len();
        let sigmoid = |v: &f32| 1.0 / (1.0 + (-v).exp());
        let said = model.notes().join(" ");
        let expected: Vec<f32> = match (units, name.contains("sigmoid")) {
            (1, true) => outputs.iter().flat_map(|s| [1.0 - s, *s]).collect(),
            // Its one output is a logit.
            (1, false) => outputs
                .iter()
                .map(sigmoid)
                .flat_map(|s| [1.0 - s, s])
                .collect(),
            (_, true) => outputs.clone(),
            _ if name.contains("softmax") => outputs.clone(),
            _ => (outputs.chunks_exact(units))
                .flat_map(|row| {
                    let sum: f32 = row.iter().map(|v| v.exp()).sum();
                    row.iter().map(move |v| v.exp() / sum)
                })
                .collect(),
        };
        // What is not plain is said.
        let plain = name.contains("softmax") || name.ends_with("linear_4");
        assert_eq!(said.is_empty(), plain, "{name}: {said}");
        assert_eq!(
            said.contains("sigmoid"),
            name.contains("sigmoid") || units == 1,
            "{said}"
        );
        for engine in engines() {
            let what = format!("{name} on {}", engine.info().engine);
            let answers = classify(engine.as_ref(), &model, &rows).expect(&what);
            assert_close(&what, &answers.probabilities, &expected, ANSWERS);
            assert!(
                answers.logits.iter().all(|logit| logit.is_finite()),
                "{what}"
            );
        }
    }
}

#[test]
fn the_user_decides_what_the_outputs_are() {
    let ask = |file: &str, output: &str| {
        let options = ModelOptions {
            output: Some(output.to_owned()),
            ..ModelOptions::default()
        };
        let model = read_model(&fixture(file), &options)?;
        let row: &[f32] = &[0.5, -1.0, 2.0, 0.1, -0.3, 1.5];
        let answers = classify(engines()[0].as_ref(), &model, &[row]).expect("an answer");
        Ok::<_, ModelError>(answers.probabilities)
    };
    let sum = |file: &str, output: &str| ask(file, output).expect(file).iter().sum::<f32>();
    let near = |a: f32, b: f32| (a - b).abs() < 1e-5;
    // Softmax over the sigmoids, and softmax over the sums.
    assert!(near(sum("keras3_end_sigmoid_4.safetensors", "logits"), 1.0));
    assert!(!near(
        sum("keras3_end_sigmoid_4.safetensors", "probabilities"),
        1.0
    ));
    let each = ask("keras3_end_linear_4.safetensors", "sigmoid").expect("sigmoids");
    assert!(!near(each.iter().sum(), 1.0), "{each:?}");
    assert!(near(
        sum("keras3_end_softmax_4.safetensors", "probabilities"),
        1.0
    ));
    let error = ask("keras3_end_softmax_4.safetensors", "sigmoid").expect_err("a softmax");
    assert!(error.to_string().contains("softmax"), "{error}");
    let error = ask("keras3_end_softmax_4.safetensors", "nonsense").expect_err("no such output");
    assert!(
        error.to_string().contains("logits, probabilities, sigmoid"),
        "{error}"
    );
}

#[test]
fn the_golden_keras_file_is_right_as_often_as_in_keras() {
    let options = ModelOptions {
        scale: Some(1.0 / 255.0),
        ..ModelOptions::default()
    };
    let model = read_model(&fixture("fashion_mlp.keras"), &options).expect("the golden model");
    assert!(model.scales_input());
    assert!(
        !read("fashion_mlp.keras")
            .expect("the golden model")
            .scales_input()
    );
    let set = fashion_mnist();
    let indices = golden_json("model.json")["indices"].clone();
    let indices: Vec<usize> = serde_json::from_value(indices).expect("indices");
    let probabilities = golden_f32("model_probs_f32.bin");
    let images: Vec<Vec<f32>> = (0..set.len())
        .map(|i| set.image(i).expect("held in memory").levels)
        .collect();
    let rows: Vec<&[f32]> = images.iter().map(Vec::as_slice).collect();
    for engine in engines() {
        let answers = classify(engine.as_ref(), &model, &rows).expect("it classifies");
        let answer = |index: usize| &answers.probabilities[10 * index..][..10];
        let golden: Vec<f32> = indices.iter().flat_map(|&i| answer(i)).copied().collect();
        assert_close("probabilities", &golden, &probabilities, ANSWERS);
        let right = (0..set.len()).filter(|&i| argmax(answer(i)) == set.label(i));
        // What Keras 3.15.1 counts on this file.
        assert_eq!((right.count(), set.len()), (8827, 10_000));
    }
}

/// The text of every config among the fixtures.
fn configs() -> Vec<String> {
    let mut configs = Vec::new();
    let folders = ["keras", "keras/tokens"].map(|folder| std::fs::read_dir(golden(folder)));
    for entry in folders
        .into_iter()
        .flat_map(|folder| folder.expect("the fixtures"))
    {
        let path = entry.expect("an entry").path();
        let content = std::fs::read(&path).unwrap_or_default();
        if content.starts_with(b"PK") {
            let mut zip = zip::ZipArchive::new(std::io::Cursor::new(content)).expect("a zip");
            let mut text = String::new();
            let mut config = zip.by_name("config.json").expect("a config");
            config.read_to_string(&mut text).expect("text");
            configs.push(text);
        } else if let Ok((_, header)) = SafeTensors::read_metadata(&content) {
            let metadata = header.metadata().as_ref();
            configs.extend(
                metadata
                    .and_then(|metadata| metadata.get("keras_config"))
                    .cloned(),
            );
        }
    }
    configs
}

#[test]
fn every_supported_layer_is_in_a_fixture() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = r#"{"class_name":"Sequential","config":{"layers":[{"class_name":"Nope","config":{"name":"n"}}]}}"#;
    let path = folder.path().join("config.json");
    std::fs::write(&path, config).expect("written");
    let options = ModelOptions {
        config: Some(path),
        ..ModelOptions::default()
    };
    let error = read_model(&fixture("keras3.weights.h5"), &options).expect_err("refused");
    let message = error.to_string();
    let (_, supported) = message.split_once("supported are ").expect("a list");
    let mut classes: BTreeSet<&str> = supported
        .split(", and")
        .next()
        .into_iter()
        .flat_map(|list| list.split(", "))
        .collect();
    classes.extend([
        "Identity",
        "Dropout",
        "SpatialDropout2D",
        "GaussianNoise",
        "GaussianDropout",
        "AlphaDropout",
        "ActivityRegularization",
        "RandomFlip",
        "RandomRotation",
        "RandomTranslation",
        "RandomZoom",
        "RandomContrast",
        "RandomBrightness",
    ]);
    assert!(classes.len() > 30, "{classes:?}");
    let configs = configs();
    for class in classes {
        let text = format!("\"class_name\": \"{class}\"");
        assert!(
            configs.iter().any(|config| config.contains(&text)),
            "{class} is in no fixture"
        );
    }
}

/// A network of images of any size takes the size of the images it is given, which a job knows.
#[test]
fn open_sizes_are_those_of_the_images() {
    let folder = golden("keras/open");
    let mut answers = TensorFile::read(&folder.join("answers.safetensors")).expect("answers");
    for (file, channels) in [
        ("keras3_functional.keras", 3),
        ("keras3_sequential.keras", 1),
        ("keras2.h5", 1),
    ] {
        let path = folder.join(file);
        let closed = read_model(&path, &ModelOptions::default()).expect_err("no size");
        assert!(closed.to_string().contains("sizes"), "{file}: {closed}");
        for size in [[12, 10], [9, 13]] {
            let [height, width] = size;
            let options = ModelOptions {
                open_size: Some(size),
                ..ModelOptions::default()
            };
            let model =
                read_model(&path, &options).unwrap_or_else(|error| panic!("{file}: {error}"));
            let name = file.rsplit_once('.').expect("a kind").0;
            let mut take = |what: &str, shape: &[usize]| {
                let name = format!("{name}.{height}x{width}.{what}");
                answers.take(&name, shape).expect("a tensor")
            };
            let inputs = take("inputs", &[3, height, width, channels]);
            let expected = take("outputs", &[3, 3]);
            assert!(
                model
                    .notes()
                    .iter()
                    .any(|note| note.contains("12 x 10") || note.contains("9 x 13"))
            );
            let rows: Vec<&[f32]> = inputs.chunks_exact(height * width * channels).collect();
            for engine in engines() {
                let found = classify(engine.as_ref(), &model, &rows).expect("it classifies");
                assert_close(file, &found.probabilities, &expected, ANSWERS);
            }
        }
    }
}

/// Attention as Keras has it and as users write it (`tests/golden/keras/make_tokens.py`).
#[test]
fn networks_of_tokens_answer_as_keras_does_and_are_not_converted() {
    let answers = answers("tokens/answers.safetensors");
    assert_eq!(answers.len(), 5);
    for answer in answers {
        let files = variant_files(&format!("tokens/{}", answer.name));
        assert_eq!(files.len(), if answer.name == "vit" { 2 } else { 1 });
        for file in files {
            let model = read(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
            let tolerance = Tolerance {
                rel: 1e-5,
                ..ANSWERS
            };
            assert_answers_within(&model, &answer, tolerance);
            // An attention is several layers here, of which no file holds one alone.
            let error = convert_model(&fixture(&file), &ModelOptions::default());
            let message = error.expect_err("products of two values").to_string();
            let what = match &answer.name[..] {
                "crossed" => "layers over rows",
                "class_token" | "quotients" => "parts of a tensor",
                _ => "a product of two values, matrix by matrix",
            };
            assert!(message.contains(what), "{file}: {message}");
        }
    }
}
