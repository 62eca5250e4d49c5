//! Several models on the same landscapes.

use crate::common::golden;
use crate::program::{fail, files, folder, json, run, succeed};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;
use std::path::Path;

const CNN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/models/fashion-mnist-cnn.safetensors"
);
const MLP: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/models/fashion-mnist.safetensors"
);

/// A small comparison.
const SMALL: [&str; 9] = [
    "models", "--groups", "1", "--steps", "5", "--engine", "cpu", "--seed", "3",
];

fn rows(path: &Path) -> Vec<HashMap<String, String>> {
    let mut csv = csv::Reader::from_path(path).expect("a table");
    csv.deserialize().map(|row| row.expect("a row")).collect()
}

fn number(row: &HashMap<String, String>, key: &str) -> f64 {
    row[key].parse().expect("a number")
}

/// The bundled network with its last layer changed: the bias of each class, and the order of all.
fn changed(path: &Path, bias: impl Fn(usize, f32) -> f32, order: &[usize]) {
    let content = std::fs::read(MLP).expect("the model");
    let file = SafeTensors::deserialize(&content).expect("safetensors");
    let (_, metadata) = SafeTensors::read_metadata(&content).expect("a header");
    let mut metadata = metadata.metadata().clone().expect("metadata");
    let names: Vec<String> = serde_json::from_str(&metadata["classes"]).expect("classes");
    let names: Vec<&String> = order.iter().map(|&class| &names[class]).collect();
    metadata.insert(
        "classes".into(),
        serde_json::to_string(&names).expect("JSON"),
    );
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = file
        .tensors()
        .into_iter()
        .map(|(name, tensor)| {
            let values: Vec<f32> = bytemuck::pod_collect_to_vec(tensor.data());
            let shape = tensor.shape().to_vec();
            let values = match (name.starts_with("dense_1"), shape.len()) {
                (false, _) => values,
                (true, 1) => order.iter().map(|&c| bias(c, values[c])).collect(),
                (true, _) => values
                    .chunks_exact(10)
                    .flat_map(|row| order.iter().map(|&c| row[c]))
                    .collect(),
            };
            (name, shape, bytemuck::cast_slice(&values).to_vec())
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, data)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), data).expect("a view");
        (name.as_str(), view)
    });
    let metadata = Some(metadata.into_iter().collect());
    let written = safetensors::serialize(views, metadata).expect("serialised");
    std::fs::write(path, written).expect("written");
}

const IN_ORDER: [usize; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

#[test]
fn each_model_s_landscapes_are_those_of_its_own_sweep() {
    let folder = folder();
    for engine in ["cpu", "gpu"] {
        let job = ["--groups", "1", "--steps", "5", "--engine", engine];
        let out = folder.path().join(engine);
        let out = |name: &str| out.join(name).display().to_string();
        std::fs::create_dir(folder.path().join(engine)).expect("a folder");
        succeed(
            folder.path(),
            &[&["models", MLP, CNN, "--out", &out("both")][..], &job].concat(),
        );
        for (model, file) in [(MLP, "landscape"), (CNN, "landscape.2")] {
            let sweep = [
                "sweep",
                "--model",
                model,
                "--figures",
                "none",
                "--force",
                "--out",
            ];
            succeed(folder.path(), &[&sweep[..], &[&out("one")], &job].concat());
            for name in ["1A.1", "1A.2", "1A.3", "1B.1", "1B.2", "1B.3"] {
                let read = |run: &str, file: &str| {
                    let path = format!("{}/{name}/{file}.safetensors", out(run));
                    std::fs::read(path).expect("a landscape")
                };
                let is_same = read("both", file) == read("one", "landscape");
                assert!(is_same, "{engine}, {model}, {name}");
            }
        }
    }
}

#[test]
fn a_model_is_like_itself_and_a_class_that_is_gone_is_named() {
    let folder = folder();
    let gate = ["--min-agreement", "0.99", "--per", "class"];
    let same = [&SMALL[..], &["bundled", MLP, "--out", "same"], &gate].concat();
    succeed(folder.path(), &same);
    let pairs = rows(&folder.path().join("same/pairs.csv"));
    for (key, expected) in [("agreement", 1.0), ("kappa", 1.0), ("jaccard", 1.0)] {
        assert_eq!(number(&pairs[0], key), expected, "{key}");
    }
    assert_eq!(number(&pairs[0], "hausdorff"), 0.0);
    assert_eq!(number(&pairs[0], "variation_distance"), 0.0);

    // The class that is predicted most is never predicted again.
    let classes = rows(&folder.path().join("same/classes.csv"));
    let most = classes
        .iter()
        .max_by_key(|row| row["both"].parse::<usize>().expect("a count"));
    let class = most.expect("classes")["class"].clone();
    let gone = classes
        .iter()
        .position(|row| row["class"] == class)
        .expect("its place");
    changed(
        &folder.path().join("gone.safetensors"),
        |c, bias| if c == gone { -1e6 } else { bias },
        &IN_ORDER,
    );
    let fired = [
        &SMALL[..],
        &["bundled", "gone.safetensors", "--out", "gone"],
        &gate,
    ]
    .concat();
    let fired = run(folder.path(), &fired);
    assert_eq!(fired.code, Some(3), "{}", fired.stderr);
    let line = format!("Jaccard index of {class}");
    let named = fired
        .stdout
        .lines()
        .find(|row| row.contains(&line))
        .expect("the class");
    assert!(named.contains("0.0000"), "{named}");
    assert!(
        fired.stderr.contains("--min-agreement 0.99"),
        "{}",
        fired.stderr
    );
    // The tables are there, whatever the gate says.
    let pairs = rows(&folder.path().join("gone/pairs.csv"));
    assert_eq!(pairs[0]["lowest_class"], class);
}

#[test]
fn classes_are_matched_by_name_or_as_told() {
    let folder = folder();
    let order = [3, 1, 0, 2, 9, 5, 6, 8, 7, 4];
    changed(
        &folder.path().join("other.safetensors"),
        |_, bias| bias,
        &order,
    );
    let compare = |more: &[&str]| {
        let command = [
            &SMALL[..],
            &["bundled", "other.safetensors", "--force"],
            more,
        ]
        .concat();
        succeed(folder.path(), &command);
        let pairs = rows(&folder.path().join("morphscape-models/pairs.csv"));
        number(&pairs[0], "agreement")
    };
    assert_eq!(compare(&[]), 1.0);
    assert!(compare(&["--match", "order"]) < 0.9);
    // What the file of the second says is in the order of the first.
    compare(&[]);
    let file = folder
        .path()
        .join("morphscape-models/1A.1/landscape.2.safetensors");
    let first = folder
        .path()
        .join("morphscape-models/1A.1/landscape.safetensors");
    let tensor = |path: &Path| -> Vec<f32> {
        let content = std::fs::read(path).expect("a landscape");
        let file = SafeTensors::deserialize(&content).expect("safetensors");
        bytemuck::pod_collect_to_vec(file.tensor("logits").expect("logits").data())
    };
    let (a, b) = (tensor(&first), tensor(&file));
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4));
}

#[test]
fn models_that_do_not_fit_together_are_refused() {
    let folder = folder();
    fn compare<'a>(models: &[&'a str]) -> Vec<&'a str> {
        [&SMALL[..], models].concat()
    }
    fail(
        folder.path(),
        &compare(&["bundled"]),
        1,
        &["two models", "found one"],
    );
    let iris = golden("../../models/iris.safetensors")
        .display()
        .to_string();
    fail(
        folder.path(),
        &compare(&["bundled", &iris]),
        1,
        &["iris", "takes 4 values", "28 x 28", "take the same inputs"],
    );
    // A model of TensorFlow.js is a .json file, too.
    let browsers = golden("tfjs/rows/model.json").display().to_string();
    fail(
        folder.path(),
        &compare(&["bundled", &browsers]),
        1,
        &["model.json", "the model takes", "take the same inputs"],
    );
    std::fs::write(folder.path().join("no.json"), "{\"scale\":1}").expect("written");
    fail(
        folder.path(),
        &compare(&["bundled", "no.json"]),
        1,
        &["no.json", "found no \"file\""],
    );
    let wrong = |content: &str, words: &[&str]| {
        std::fs::write(folder.path().join("wrong.json"), content).expect("written");
        fail(
            folder.path(),
            &compare(&["bundled", "wrong.json"]),
            1,
            words,
        );
    };
    let names = ["wrong.json, \"scales\"", "did you mean \"scale\"?"];
    wrong("{\"file\":\"b.onnx\",\"scales\":1}", &names);
    let fraction = ["wrong.json, \"scale\"", "1/255, found \"a half\""];
    wrong("{\"file\":\"b.onnx\",\"scale\":\"a half\"}", &fraction);
    let lines = [
        "wrong.json, \"class_names\"",
        "names in names.txt",
        "one a line",
    ];
    wrong(
        "{\"file\":\"b.onnx\",\"class_names\":\"names.txt\"}",
        &lines,
    );
    fail(
        folder.path(),
        &compare(&["bundled", MLP, "--min-agreement", "2"]),
        2,
        &["share from 0 to 1"],
    );
    assert!(!folder.path().join("morphscape-models").exists());
}

#[test]
fn a_comparison_is_resumed_and_verified() {
    let folder = folder();
    let command = [&SMALL[..], &["bundled", CNN, "--series"]].concat();
    succeed(folder.path(), &command);
    let out = folder.path().join("morphscape-models");
    let read = |name: &str| std::fs::read(out.join(name)).expect(name);
    let tables = [
        "models.csv",
        "pairs.csv",
        "classes.csv",
        "landscapes.csv",
        "series.csv",
    ];
    let before: Vec<Vec<u8>> = tables.iter().map(|name| read(name)).collect();
    let landscape = read("1A.2/landscape.2.safetensors");
    // A frame a model.
    let animation = read("series.png");
    let animation = png::Decoder::new(std::io::Cursor::new(&animation));
    let mut animation = animation.read_info().expect("a PNG");
    let control = animation.info().animation_control.expect("animated");
    assert_eq!((control.num_frames, control.num_plays), (2, 0));
    let size = animation
        .output_buffer_size()
        .expect("a picture of a few MB");
    let frames = [(); 2].map(|()| {
        let mut frame = vec![0; size];
        animation.next_frame(&mut frame).expect("a frame");
        frame
    });
    assert_ne!(frames[0], frames[1]);

    // A file that is gone and one that is not whole are computed again, to the same bytes.
    std::fs::remove_file(out.join("1A.2/landscape.2.safetensors")).expect("removed");
    std::fs::write(out.join("1B.1/landscape.safetensors"), b"cut").expect("cut");
    let resumed = succeed(folder.path(), &command);
    assert!(
        resumed.stderr.contains("2 models, 4 kept from before, "),
        "{}",
        resumed.stderr
    );
    assert_eq!(read("1A.2/landscape.2.safetensors"), landscape);
    for (name, before) in tables.iter().zip(&before) {
        assert_eq!(&read(name), before, "{name}");
    }
    let verified = succeed(folder.path(), &["verify", "morphscape-models", "--all"]);
    assert!(
        verified.stdout.contains("computed again: 12 of 12"),
        "{}",
        verified.stdout
    );

    // Every command that draws a run of one model refuses it.
    fail(
        folder.path(),
        &["plot", "morphscape-models"],
        1,
        &["comparison of several"],
    );
    let other = [&SMALL[..], &["bundled", CNN, MLP]].concat();
    fail(folder.path(), &other, 1, &["another run"]);

    std::fs::write(out.join("pairs.csv"), "model_a,model_b\n").expect("written");
    let places = ["pairs.csv", "not what the landscapes measure"];
    let found = run(
        folder.path(),
        &["verify", "morphscape-models", "--sample", "0"],
    );
    assert_eq!(found.code, Some(1));
    assert!(
        places.iter().all(|word| found.stdout.contains(word)),
        "{}",
        found.stdout
    );
}

#[test]
fn a_kept_run_stands_in_for_a_model() {
    let folder = folder();
    let job = [
        "--groups", "1", "--steps", "5", "--engine", "cpu", "--seed", "3",
    ];
    let sweep = [&["sweep", "--figures", "none", "--out", "kept"][..], &job].concat();
    succeed(folder.path(), &sweep);
    succeed(
        folder.path(),
        &[&SMALL[..], &["bundled", CNN, "--out", "models"]].concat(),
    );
    let baseline = [
        "models",
        CNN,
        "--baseline",
        "kept",
        "--engine",
        "cpu",
        "--out",
        "beside",
    ];
    succeed(folder.path(), &baseline);
    let [a, b] = ["models", "beside"].map(|run| rows(&folder.path().join(run).join("pairs.csv")));
    assert_eq!(b[0]["model_a"], "baseline kept");
    for (key, value) in &a[0] {
        if !key.starts_with("model_") {
            assert_eq!(&b[0][key], value, "{key}");
        }
    }
    succeed(folder.path(), &["verify", "beside", "--all"]);
    // Rows alone: tables and no tensors.
    let alone = [&baseline[..5], &["cpu", "--summary-only", "--out", "alone"]].concat();
    let alone: Vec<&str> = alone.into_iter().collect();
    succeed(folder.path(), &alone);
    let kept = files(&folder.path().join("alone"));
    assert!(
        kept.iter().all(|name| !name.contains("safetensors")),
        "{kept:?}"
    );
    let text = |run: &str| std::fs::read(folder.path().join(run).join("pairs.csv")).expect("pairs");
    assert_eq!(text("alone"), text("beside"));
    // What the kept run has decided is not said again, and not passed over in silence.
    for said in [
        ["--steps", "9"],
        ["--mode", "published"],
        ["--seed", "4"],
        ["--data", "iris"],
    ] {
        fail(
            folder.path(),
            &[&baseline[..6], &said].concat(),
            2,
            &["--baseline", said[0]],
        );
    }
    // A run of other landscapes is none.
    let walk = [
        "models",
        CNN,
        "--baseline",
        "beside",
        "--engine",
        "cpu",
        "--out",
        "no",
    ];
    fail(
        folder.path(),
        &walk,
        1,
        &["expected a run that keeps landscapes"],
    );
}

#[test]
fn rows_are_compared_too() {
    let folder = folder();
    let compare = [
        "models",
        "bundled",
        "iris-paper",
        "--data",
        "iris",
        "--groups",
        "2",
        "--steps",
        "7",
        "--engine",
        "cpu",
    ];
    succeed(folder.path(), &compare);
    let out = folder.path().join("morphscape-models");
    let pairs = rows(&out.join("pairs.csv"));
    assert_eq!(pairs.len(), 1);
    assert!((0.0..1.0).contains(&number(&pairs[0], "agreement")));
    let manifest = json(out.join("manifest.json"));
    assert_eq!(manifest["plan"]["on"], "interpolate");
    for said in [
        ["--mode", "published"],
        ["--grid", "4"],
        ["--resize", "9x9"],
    ] {
        fail(
            folder.path(),
            &[&compare[..], &said].concat(),
            1,
            &[said[0], "leave it out"],
        );
    }
    succeed(folder.path(), &["verify", "morphscape-models", "--all"]);
}

/// The golden comparisons of dbViz's planes, from the command: labels may differ from the golden
/// ones, which are 64-bit, where two classes are about as probable.
#[test]
fn planes_are_compared_as_the_golden_ones() {
    let golden_json = json(golden("planes/compare.json"));
    let folder = folder();
    let mlp = serde_json::json!({
        "file": golden("fashion_mlp.safetensors"), "activation": "relu", "scale": "1/255",
    });
    std::fs::write(folder.path().join("mlp.json"), mlp.to_string()).expect("written");
    for engine in ["cpu", "gpu"] {
        let compare = [
            "models",
            "mlp.json",
            "bundled",
            CNN,
            "--kind",
            "plane",
            "--triples",
            "dbviz:1+20",
            "--steps",
            "50",
            "--engine",
            engine,
            "--summary-only",
            "--figures",
            "none",
            "--out",
            engine,
        ];
        succeed(folder.path(), &compare);
        let found = rows(&folder.path().join(engine).join("landscapes.csv"));
        assert_eq!(found.len(), 60);
        let planes = golden_json["planes"].as_array().expect("planes");
        for (row, found) in found.iter().enumerate() {
            let plane = &planes[row / 3];
            let expected = &plane[["mlp-bundled", "mlp-cnn", "bundled-cnn"][row % 3]];
            let near = |key: &str, tolerance: f64| {
                let (found, expected) = (number(found, key), expected[key].as_f64());
                let expected = expected.expect("a number");
                let place = format!("{engine}, plane {}, {key}", row / 3);
                assert!(
                    (found - expected).abs() <= tolerance,
                    "{place}: {found} for {expected}"
                );
            };
            // Two of the 2,500 points.
            near("agreement", 0.0008 + 1e-6);
            near("kappa", 0.002);
        }
        // dbViz's own names: reproducibility is the mean agreement, fragmentation the 8-connected
        // regions.
        let pairs = rows(&folder.path().join(engine).join("pairs.csv"));
        for pair in &pairs {
            assert_eq!(pair["dbviz_reproducibility"], pair["agreement"]);
        }
        let models = rows(&folder.path().join(engine).join("models.csv"));
        for (model, row) in models.iter().enumerate() {
            let counts = planes
                .iter()
                .map(|plane| plane["fragmentation_8"][model].as_f64());
            let counts: Vec<f64> = counts.map(|count| count.expect("a count")).collect();
            let expected = counts.iter().sum::<f64>() / counts.len() as f64;
            let found = number(row, "dbviz_fragmentation");
            assert!(
                (found - expected).abs() <= 0.1,
                "{engine}: {found} for {expected}"
            );
            // Items lie between the points of a plane; models are asked for them all the same.
            assert_eq!(number(row, "items"), 60.0);
        }
    }
}

/// Margins of items, where the network has exact lines.
#[test]
fn margins_are_taken_of_networks_with_exact_lines() {
    let folder = folder();
    succeed(
        folder.path(),
        &[&SMALL[..], &["bundled", MLP, "--margins"]].concat(),
    );
    let out = folder.path().join("morphscape-models");
    let items = rows(&out.join("items.csv"));
    assert_eq!(items.len(), 6);
    let margins: Vec<f64> = items
        .iter()
        .map(|item| number(item, "fashion-mnist margin"))
        .collect();
    assert!(
        margins.iter().all(|margin| (0.1..100.0).contains(margin)),
        "{margins:?}"
    );
    // The same network from a file and bundled, towards the same items.
    let same = items
        .iter()
        .map(|item| number(item, "bundled fashion-mnist margin"));
    assert_eq!(same.collect::<Vec<_>>(), margins);
    let mean = margins.iter().sum::<f64>() / 6.0;
    let models = rows(&out.join("models.csv"));
    assert!((number(&models[0], "dbviz_margin") - mean).abs() < 1e-6);
    succeed(folder.path(), &["verify", "morphscape-models", "--all"]);
}
