//! ONNX models: what PyTorch and Keras exported, against onnxruntime's answers
//! (`tests/golden/onnx/make.py`).

use crate::common::{Tolerance, assert_close, engines, golden};
use crate::program::{fail, folder, succeed};
use morphscape::data::{Picture, TensorFile, fashion_mnist};
use morphscape::landscape::LandscapeFile;
use morphscape::model::{Model, ModelOptions, read_model};
use morphscape::pipeline::classify;
use safetensors::SafeTensors;
use std::path::Path;

const SCALED: f64 = 1.0 / 255.0;

fn model(file: &str, scale: Option<f64>) -> Model {
    let options = ModelOptions {
        scale,
        ..ModelOptions::default()
    };
    let path = golden(&format!("onnx/{file}.onnx"));
    read_model(&path, &options).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Inputs `[6, H, W, C]` and answers `[6, classes]`.
fn answers(file: &str, values: usize, classes: usize) -> [Vec<f32>; 2] {
    let mut tensors = TensorFile::read(&golden("onnx/answers.safetensors")).expect("answers");
    let mut take = |what: &str, shape: &[usize]| {
        tensors
            .take(&format!("{file}.{what}"), shape)
            .expect("a tensor")
    };
    let shape: &[usize] = match values {
        63 => &[6, 9, 7, 1],
        _ => &[6, 10, 12, 3],
    };
    [take("inputs", shape), take("answers", &[6, classes])]
}

#[test]
fn answers_are_those_of_onnxruntime() {
    for (file, scale, shape, classes) in [
        // Channels first, an open batch, the weights in a second file.
        ("torch", Some(SCALED), vec![10, 12, 3], 4),
        // A batch of one, probabilities.
        ("softmax", Some(SCALED), vec![10, 12, 3], 5),
        // Channels last, the scaling inside.
        ("keras", None, vec![9, 7, 1], 3),
    ] {
        let model = model(file, scale);
        assert_eq!(model.input_shape(), Some(&shape[..]), "{file}");
        assert_eq!(model.num_classes(), classes, "{file}");
        assert!(model.scales_input(), "{file}");
        let values = shape.iter().product();
        let [inputs, expected] = answers(file, values, classes);
        let rows: Vec<&[f32]> = inputs.chunks_exact(values).collect();
        for engine in engines() {
            let found = classify(engine.as_ref(), &model, &rows).expect("it classifies");
            let tolerance = Tolerance {
                abs: 1e-5,
                rel: 1e-5,
            };
            let name = format!("{file} with {}", engine.info().engine);
            if file == "softmax" {
                assert_close(&name, &found.probabilities, &expected, tolerance);
            } else {
                assert_close(&name, &found.logits, &expected, tolerance);
            }
        }
    }
}

#[test]
fn graphs_end_and_pad_and_store_as_onnxruntime_reads_them() {
    let content = std::fs::read(golden("onnx/variants.safetensors")).expect("the answers");
    let tensors = SafeTensors::deserialize(&content).expect("the answers");
    let values = |name: &str| -> (Vec<usize>, Vec<f32>) {
        let tensor = tensors.tensor(name).expect(name);
        let values = tensor.data().as_chunks().0.iter();
        let values = values.map(|&bytes| f32::from_le_bytes(bytes)).collect();
        (tensor.shape().to_vec(), values)
    };
    let names = tensors.names();
    let names: Vec<&str> = names
        .iter()
        .filter_map(|name| name.strip_suffix(".answers"))
        .collect();
    assert!(names.len() >= 25, "{names:?}");
    let mut in_library = Vec::new();
    for name in names {
        let model = model(&format!("variant_{name}"), None);
        if model.runs_on_host() {
            in_library.push(name);
        }
        let (shape, inputs) = values(&format!("{name}.inputs"));
        let (_, raw) = values(&format!("{name}.answers"));
        let width: usize = shape[1..].iter().product();
        let rows: Vec<&[f32]> = inputs.chunks_exact(width).collect();
        let units = raw.len() / rows.len();
        let softmax = |row: &[f32]| -> Vec<f32> {
            let most = row.iter().copied().fold(f32::MIN, f32::max);
            let sum: f32 = row.iter().map(|v| (v - most).exp()).sum();
            row.iter().map(|v| (v - most).exp() / sum).collect()
        };
        let words = [
            "softmax",
            "sigmoid",
            "temperature",
            "two_columns",
            "labels",
            "probabilities",
        ];
        let are_probabilities =
            words.iter().any(|word| name.contains(word)) && !name.contains("log_");
        let expected: Vec<f32> = match (units, are_probabilities) {
            (1, true) => raw.iter().flat_map(|s| [1.0 - s, *s]).collect(),
            (1, false) => raw.iter().flat_map(|z| softmax(&[0.0, *z])).collect(),
            (_, true) => raw.clone(),
            (_, false) => raw.chunks_exact(units).flat_map(softmax).collect(),
        };
        for engine in engines() {
            let answers = classify(engine.as_ref(), &model, &rows).expect(name);
            let tolerance = Tolerance {
                abs: 2e-6,
                rel: 1e-5,
            };
            assert_close(name, &answers.probabilities, &expected, tolerance);
            if name.starts_with("forest") {
                // As many trees as there are add up without rounding.
                let tolerance = Tolerance {
                    abs: 5e-7,
                    rel: 0.0,
                };
                assert_close(name, &answers.probabilities, &expected, tolerance);
            }
            if units > 1 && !are_probabilities {
                // Logarithms of a softmax are logits up to a constant of the row.
                let relative = |values: &[f32]| -> Vec<f32> {
                    let rows = values.chunks_exact(units);
                    let by = |row: &[f32]| if name.contains("log_") { row[0] } else { 0.0 };
                    rows.flat_map(|row| row.iter().map(|v| v - by(row)).collect::<Vec<_>>())
                        .collect()
                };
                let tolerance = Tolerance {
                    abs: 1e-4,
                    rel: 1e-5,
                };
                assert_close(name, &relative(&answers.logits), &relative(&raw), tolerance);
            }
        }
        if [
            "logistic_probabilities",
            "mlp_probabilities",
            "svc_probabilities",
        ]
        .contains(&name)
        {
            let labels = model.classes().expect("the classifier names its classes");
            assert_eq!(labels, ["a", "b", "c"], "{name}");
        }
        let notes = model.notes().join(" ");
        assert_eq!(
            notes.contains("sigmoid"),
            name.contains("sigmoid") || name == "logit_one",
            "{name}: {notes}"
        );
        assert_eq!(
            notes.contains("the first of shape [batch, classes], of "),
            ["labels", "second_output"].contains(&name)
                || name.contains("probabilities_")
                || name.contains("_probabilities"),
            "{name}: {notes}"
        );
    }
    in_library.sort_unstable();
    let without_kernels = [
        "clipped_softmax",
        "clipped_wide",
        "log_of_softmax",
        "padded_low",
        "quantised_softmax",
        "rounded_softmax",
        "tanh",
        "two_columns",
        "written_out_softmax",
    ];
    assert_eq!(in_library, without_kernels, "all others have kernels");
    for (name, word) in [
        ("conv_integer", "ConvInteger"),
        ("softmax_over_batch", "the batch's"),
        ("scaled_softmax", "`output`"),
        ("svc_without", "probability=True"),
    ] {
        let path = golden(&format!("onnx/variant_refused_{name}.onnx"));
        let error = read_model(&path, &ModelOptions::default()).expect_err(name);
        assert!(error.to_string().contains(word), "{name}: {error}");
    }
    // The user may choose another output than the first that could be one.
    let options = ModelOptions {
        output: Some("c".into()),
        ..ModelOptions::default()
    };
    let error = read_model(&golden("onnx/variant_second_output.onnx"), &options);
    assert!(
        error
            .expect_err("an image")
            .to_string()
            .contains("classes]")
    );
}

#[test]
fn what_it_scales_is_not_scaled_again() {
    let path = golden("onnx/keras.onnx");
    let options = ModelOptions {
        scale: Some(SCALED),
        ..ModelOptions::default()
    };
    let error = read_model(&path, &options).expect_err("it scales its input");
    assert!(error.to_string().contains("`scale`"), "{error}");
    let plain = model("torch", None);
    assert!(!plain.scales_input());
}

#[test]
fn mean_and_std_are_applied_by_channel() {
    let means = [0.5, 0.4, 0.3];
    let stds = [0.2, 0.3, 0.4];
    let options = ModelOptions {
        scale: Some(SCALED),
        mean: means.to_vec(),
        std: stds.to_vec(),
        ..ModelOptions::default()
    };
    let scaled = read_model(&golden("onnx/torch.onnx"), &options).expect("a model");
    let plain = model("torch", None);
    let [inputs, _] = answers("torch", 360, 4);
    let by_hand: Vec<f32> = inputs
        .iter()
        .enumerate()
        .map(|(k, level)| ((f64::from(*level) * SCALED - means[k % 3]) / stds[k % 3]) as f32)
        .collect();
    let ask = |model: &Model, inputs: &[f32]| {
        let rows: Vec<&[f32]> = inputs.chunks_exact(360).collect();
        classify(engines()[0].as_ref(), model, &rows)
            .expect("it classifies")
            .logits
    };
    let tolerance = Tolerance {
        abs: 1e-4,
        rel: 1e-5,
    };
    let (found, expected) = (ask(&scaled, &inputs), ask(&plain, &by_hand));
    assert_close("standardised", &found, &expected, tolerance);
}

#[test]
fn broken_files_are_refused_and_missing_weights_named() {
    let folder = folder();
    let bytes = std::fs::read(golden("onnx/torch.onnx")).expect("a file");
    let place = folder.path().join("torch.onnx");
    std::fs::write(&place, &bytes).expect("written");
    let refused = |path: &Path| {
        read_model(path, &ModelOptions::default())
            .expect_err("refused")
            .to_string()
    };
    let message = refused(&place);
    assert!(message.contains("torch.onnx.data"), "{message}");
    let data = std::fs::read(golden("onnx/torch.onnx.data")).expect("a file");
    std::fs::write(
        folder.path().join("torch.onnx.data"),
        &data[..data.len() - 4],
    )
    .expect("written");
    refused(&place);
    std::fs::write(folder.path().join("torch.onnx.data"), &data).expect("written");
    read_model(&place, &ModelOptions::default()).expect("both files are there");
    // Each cut and a thousand changed bytes: an answer or an error, never a panic.
    let whole = std::fs::read(golden("onnx/keras.onnx")).expect("a file");
    for cut in 1..whole.len() {
        std::fs::write(&place, &whole[..cut]).expect("written");
        let _ = read_model(&place, &ModelOptions::default());
    }
    let mut random = 1u32;
    let mut next = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random >> 8
    };
    for _ in 0..1000 {
        let mut changed = whole.clone();
        for _ in 0..1 + next() % 4 {
            let at = next() as usize % changed.len();
            changed[at] = next() as u8;
        }
        std::fs::write(&place, &changed).expect("written");
        let _ = read_model(&place, &ModelOptions::default());
    }
}

#[test]
fn a_sweep_runs_on_an_onnx_model_on_both_engines() {
    let folder = folder();
    let keras = golden("onnx/keras.onnx");
    let keras = keras.to_str().expect("UTF-8");
    let set = fashion_mnist();
    for (name, label) in [("bag", 8), ("boot", 9), ("coat", 4)] {
        let class = folder.path().join("photos").join(name);
        std::fs::create_dir_all(&class).expect("a folder");
        let items = (0..set.len()).filter(|&item| set.label(item) == label);
        for item in items.take(2) {
            let image = set.image(item).expect("held in memory");
            let place = class.join(format!("{item}.png"));
            std::fs::write(place, Picture::from(&image).to_png()).expect("written");
        }
    }
    std::fs::write(folder.path().join("names.txt"), "coat\nbag\nboot\n").expect("written");
    let sweep = |engine: &str, more: &[&str]| {
        let out = format!("on-{engine}");
        let arguments = [
            "sweep",
            "--model",
            keras,
            "--class-names",
            "names.txt",
            "--data",
            "photos",
            "--resize",
            "7x9",
            "--grid",
            "1",
            "--engine",
            engine,
            "--steps",
            "5",
            "--groups",
            "1",
            "--figures",
            "none",
            "--out",
            &out,
        ];
        succeed(folder.path(), &[&arguments, more].concat());
        let place = folder.path().join(out).join("1A.3/landscape.safetensors");
        let file = LandscapeFile::read(&place).expect("our own file");
        assert_eq!(file.about.class_names, ["coat", "bag", "boot"]);
        file.landscape
    };
    // Frames come back for the network, kept or not.
    let on_cpu = sweep("cpu", &["--save-frames"]);
    let on_gpu = sweep("gpu", &[]);
    let tolerance = Tolerance {
        abs: 1e-4,
        rel: 0.0,
    };
    let what = "probabilities of the engines";
    assert_close(
        what,
        &on_gpu.probabilities,
        &on_cpu.probabilities,
        tolerance,
    );
    // The answers are those to the frames that were kept.
    let frames = on_cpu.inputs.expect("--save-frames");
    let rows: Vec<&[f32]> = frames.chunks_exact(63).collect();
    let asked = classify(engines()[0].as_ref(), &model("keras", None), &rows).expect("answers");
    assert_close(
        "answers to the frames",
        &on_cpu.logits,
        &asked.logits,
        tolerance,
    );
}

#[test]
fn the_command_lists_an_onnx_model_and_does_not_convert_it() {
    let folder = folder();
    let keras = golden("onnx/keras.onnx");
    let keras = keras.to_str().expect("UTF-8");
    let images = golden("images/bytes.npz");
    let images = images.to_str().expect("UTF-8");
    std::fs::write(folder.path().join("names.txt"), "bag\nboot\ncoat\n").expect("written");
    let listing = succeed(
        folder.path(),
        &["model", keras, "--class-names", "names.txt"],
    )
    .stdout;
    for word in [
        "9 x 7 x 1",
        "scaled by the model",
        "3: bag, boot, coat",
        "kernels conv",
        "Conv",
    ] {
        assert!(listing.contains(word), "{word} in {listing}");
    }
    // A node without a kernel gives the whole graph to the library, and is named.
    let torch = golden("onnx/torch.onnx");
    let torch = torch.to_str().expect("UTF-8");
    let listing = succeed(folder.path(), &["model", torch]).stdout;
    for word in ["10 x 12 x 3", "rten", "ConvTranspose"] {
        assert!(listing.contains(word), "{word} in {listing}");
    }
    fail(
        folder.path(),
        &["model", "convert", keras, "x.safetensors"],
        1,
        &["ONNX", "cannot be converted"],
    );
    // Ten classes of images, three of the model.
    fail(
        folder.path(),
        &[
            "sweep", "--model", keras, "--data", images, "--resize", "7x9",
        ],
        1,
        &["expected a model of at least 10 classes, found 3"],
    );
}

/// Transformers, mixers and ConvNeXts, each from both exporters (`tests/golden/onnx/make_tokens.py`).
/// Three of the networks of whose graphs ONNX's package tests that they can be read; all weights are
/// made by the graph, and are the same.
#[test]
fn networks_of_onnxs_own_tests_run_on_the_kernels() {
    for (file, steps) in [("inception_v1", 90), ("shufflenet", 80), ("squeezenet", 30)] {
        let model = model(&format!("light_{file}"), None);
        assert!(!model.runs_on_host(), "{file} is the library's");
        assert_eq!(model.input_shape(), Some(&[224, 224, 3][..]), "{file}");
        assert_eq!(model.num_classes(), 1000, "{file}");
        assert!(
            model.steps().len() >= steps,
            "{file}: {}",
            model.steps().len()
        );
    }
}

#[test]
fn networks_of_tokens_run_on_the_kernels_and_answer_as_onnxruntime_does() {
    let content = std::fs::read(golden("onnx/tokens.safetensors")).expect("the answers");
    let answers = SafeTensors::deserialize(&content).expect("the answers");
    let values = |name: &str| -> (Vec<usize>, Vec<f32>) {
        let tensor = answers.tensor(name).expect(name);
        let values = tensor.data().as_chunks().0.iter();
        let values = values.map(|&bytes| f32::from_le_bytes(bytes)).collect();
        (tensor.shape().to_vec(), values)
    };
    let mut files: Vec<String> = std::fs::read_dir(golden("onnx"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .filter_map(|name| Some(name.to_str()?.strip_suffix(".onnx")?.to_owned()))
        .filter(|name| name.starts_with("tokens_"))
        .collect();
    files.sort();
    assert!(files.len() >= 22, "{files:?}");
    for file in files {
        let mut model = model(&file, None);
        assert!(!model.runs_on_host(), "{file}: {}", model.network());
        let stem = file
            .strip_prefix("tokens_")
            .and_then(|file| file.rsplit_once('_'));
        let (name, _) = stem.expect("a name and an exporter");
        let (shape, inputs) = values(&format!("{name}.inputs"));
        let (_, expected) = values(&format!("{name}.answers"));
        if let &[_, height, width, channels] = &shape[..] {
            let note = model.fit_images([height, width, channels]);
            let note = note.expect("images as it takes them");
            assert_eq!(note.is_some(), name == "flat", "{file}: {note:?}");
        }
        let width: usize = shape[1..].iter().product();
        let rows: Vec<&[f32]> = inputs.chunks_exact(width).collect();
        for engine in engines() {
            let found = classify(engine.as_ref(), &model, &rows).expect("it classifies");
            let tolerance = Tolerance {
                abs: 1e-5,
                rel: 1e-5,
            };
            let what = format!("{file} with {}", engine.info().engine);
            assert_close(&what, &found.logits, &expected, tolerance);
        }
    }
}
