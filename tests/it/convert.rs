//! `morphscape model`: what it says of a file, and that a converted file answers as its source
//! does, bit for bit.

use crate::common::golden;
use crate::program::{fail, folder, succeed};
use morphscape::data::fashion_mnist;
use morphscape::engine::cpu::CpuEngine;
use morphscape::model::{Model, ModelOptions, convert_model, read_model};
use morphscape::pipeline::classify;
use std::path::Path;

/// Logits for inputs of all levels.
fn logits(model: &Model) -> Vec<f32> {
    let shape = model.input_shape().expect("layers know it");
    let width: usize = shape.iter().product();
    let rows: Vec<Vec<f32>> = (0..3)
        .map(|n| {
            (0..width)
                .map(|k| ((k * 37 + n * 101) % 256) as f32 / 64.0)
                .collect()
        })
        .collect();
    let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    classify(&CpuEngine::new(), model, &rows)
        .expect("it classifies")
        .logits
}

fn assert_converts(path: &Path, options: &ModelOptions, folder: &Path) {
    let name = path.display();
    let source = read_model(path, options).unwrap_or_else(|error| panic!("{name}: {error}"));
    let to = folder.join("converted.safetensors");
    convert_model(path, options)
        .unwrap_or_else(|error| panic!("{name}: {error}"))
        .write(&to)
        .expect("written");
    let found = read_model(&to, &ModelOptions::default())
        .unwrap_or_else(|error| panic!("{name} converted: {error}"));
    assert_eq!(found.input_shape(), source.input_shape(), "{name}");
    assert_eq!(found.classes(), source.classes(), "{name}");
    assert_eq!(found.features(), source.features(), "{name}");
    assert_eq!(found.scales_input(), source.scales_input(), "{name}");
    assert_eq!(logits(&found), logits(&source), "{name}");
    // The same bytes a second time.
    let again = folder.join("again.safetensors");
    convert_model(path, options)
        .expect("as before")
        .write(&again)
        .expect("written");
    let bytes = |path: &Path| std::fs::read(path).expect("a file");
    assert!(bytes(&to) == bytes(&again), "{name}");
}

#[test]
fn every_keras_fixture_converts_to_a_file_that_answers_the_same() {
    let folder = folder();
    let mut count = 0;
    for entry in std::fs::read_dir(golden("keras")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "keras")
        {
            assert_converts(&path, &ModelOptions::default(), folder.path());
            count += 1;
        }
    }
    assert!(count > 40, "{count} files");
}

#[test]
fn what_is_given_beside_a_file_is_inside_the_converted_one() {
    let folder = folder();
    let scaled = ModelOptions {
        scale: Some(1.0 / 255.0),
        mean: vec![0.3],
        std: vec![0.7],
        class_names: Some((0..10).map(|class| format!("class {class}")).collect()),
        ..ModelOptions::default()
    };
    assert_converts(&golden("keras/fashion_mlp.keras"), &scaled, folder.path());
    let path = golden("iris_std_40.safetensors");
    let relu = ModelOptions {
        activation: morphscape::model::activation_by_name("relu"),
        ..ModelOptions::default()
    };
    assert_converts(&path, &relu, folder.path());
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    for name in ["fashion-mnist", "fashion-mnist-cnn", "hawks"] {
        let path = shipped.join(format!("{name}.safetensors"));
        assert_converts(&path, &ModelOptions::default(), folder.path());
    }
}

#[test]
fn scaling_by_option_is_that_of_the_formula() {
    let read = |scale: Option<f64>, mean: &[f64], std: &[f64]| {
        let options = ModelOptions {
            activation: morphscape::model::activation_by_name("relu"),
            scale,
            mean: mean.to_vec(),
            std: std.to_vec(),
            ..ModelOptions::default()
        };
        read_model(&golden("fashion_mlp.safetensors"), &options).expect("a model")
    };
    let levels = fashion_mnist().image(5).expect("held in memory").levels;
    let by_hand: Vec<f32> = levels
        .iter()
        .map(|level| (level / 255.0 - 0.3) / 0.7)
        .collect();
    let ask = |model: &Model, row: &[f32]| {
        classify(&CpuEngine::new(), model, &[row])
            .expect("it classifies")
            .logits
    };
    let found = ask(&read(Some(1.0 / 255.0), &[0.3], &[0.7]), &levels);
    let expected = ask(&read(None, &[], &[]), &by_hand);
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-4, "{found} for {expected}");
    }
}

#[test]
fn the_command_lists_and_converts() {
    let folder = folder();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let cnn = models.join("fashion-mnist-cnn.safetensors");
    let cnn = cnn.to_str().expect("UTF-8");
    let listing = succeed(folder.path(), &["model", cnn]).stdout;
    for word in [
        "28 x 28 x 1, scaled by the model",
        "10: T-shirt/top, Trouser",
        "parameters  105,866",
        "conv_1",
        "Conv2D",
        "14 x 14 x 32",
        "4,640",
        "3132a69f9c6479566903f0da65719f63673680644919ad88e7e2d7f72cdbb277",
    ] {
        assert!(listing.contains(word), "{word} in {listing}");
    }
    let keras = golden("keras/fashion_mlp.keras");
    let keras = keras.to_str().expect("UTF-8");
    let mlp = golden("fashion_mlp.safetensors");
    let mlp = mlp.to_str().expect("UTF-8");
    fail(folder.path(), &["model", mlp], 1, &["--activation"]);
    fail(folder.path(), &["model"], 2, &["FILE"]);
    fail(
        folder.path(),
        &["model", "nowhere.keras"],
        1,
        &["nowhere.keras: found nothing there"],
    );
    std::fs::write(folder.path().join("names.txt"), "a\nb\n").expect("written");
    fail(
        folder.path(),
        &["model", keras, "--class-names", "names.txt"],
        1,
        &["10 class names", "found 2"],
    );
    fail(
        folder.path(),
        &["model", cnn, "--class-names", "names.txt"],
        1,
        &["names its classes itself", "T-shirt/top"],
    );
    fail(
        folder.path(),
        &["model", cnn, "--scale", "1/255"],
        1,
        &["--scale"],
    );
    let convert = [
        "model",
        "convert",
        mlp,
        "out.safetensors",
        "--activation",
        "relu",
    ];
    succeed(folder.path(), &convert);
    fail(folder.path(), &convert, 1, &["out.safetensors", "--force"]);
    fail(
        folder.path(),
        &["model", "convert", mlp, "out.bin"],
        1,
        &["ends in .safetensors"],
    );
    let listing = succeed(folder.path(), &["model", "out.safetensors"]).stdout;
    assert!(listing.contains("not scaled"), "{listing}");
    let sweep = [
        "sweep",
        "--model",
        "out.safetensors",
        "--engine",
        "cpu",
        "--steps",
        "3",
        "--groups",
        "1",
        "--figures",
        "none",
        "--out",
        "o",
    ];
    let run = succeed(folder.path(), &sweep);
    assert!(
        run.stderr.contains("does not scale its input"),
        "{}",
        run.stderr
    );
}
