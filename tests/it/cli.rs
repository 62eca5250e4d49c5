//! The program as a user runs it: exit code, what it says, what it leaves.

use crate::common::golden;
use crate::program::{command, fail, files, finished, folder, json, run, succeed};
use safetensors::SafeTensors;
use std::path::{Path, PathBuf};
use std::process::Command;

fn idx(shape: &[u32], data: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, shape.len() as u8];
    file.extend(shape.iter().flat_map(|size| size.to_be_bytes()));
    file.extend(data);
    file
}

/// A folder with an IDX pair of `count` images, labels going round the classes.
fn idx_folder(folder: &Path, count: u32, side: u32) -> PathBuf {
    let data = folder.join("images");
    std::fs::create_dir_all(&data).expect("a folder");
    let pixels: Vec<u8> = (0..count * side * side)
        .map(|i| (i * 7 % 251) as u8)
        .collect();
    let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    std::fs::write(
        data.join("t10k-images-idx3-ubyte"),
        idx(&[count, side, side], &pixels),
    )
    .expect("written");
    std::fs::write(data.join("t10k-labels-idx1-ubyte"), idx(&[count], &labels)).expect("written");
    data
}

#[test]
fn sweep_without_options_does_the_paper_s_job() {
    let folder = folder();
    let run = succeed(folder.path(), &["sweep", "--engine", "cpu"]);
    assert_eq!(
        run.stdout.lines().count(),
        31,
        "a heading and 30 landscapes:\n{}",
        run.stdout
    );
    assert!(
        run.stderr.contains("30 landscapes, 13230 frames"),
        "{}",
        run.stderr
    );
    let out = folder.path().join("morphscape-sweep");
    let manifest = json(out.join("manifest.json"));
    assert_eq!(manifest["finished"], true);
    assert_eq!(
        manifest["plan"]["triples"]
            .as_array()
            .expect("triples")
            .len(),
        10
    );
    for timing in ["compute_s", "load_s", "write_s", "total_s"] {
        assert!(
            manifest["timings"][timing]
                .as_f64()
                .is_some_and(|seconds| seconds >= 0.0),
            "{timing}"
        );
    }
    let landscapes = manifest["landscapes"].as_array().expect("landscapes");
    assert_eq!(landscapes.len(), 30);
    for name in landscapes.iter().map(|name| name.as_str().expect("a name")) {
        let bytes = std::fs::read(out.join(name).join("landscape.safetensors")).expect(name);
        let tensors = SafeTensors::deserialize(&bytes).expect(name);
        for tensor in ["logits", "probabilities"] {
            assert_eq!(tensors.tensor(tensor).expect(tensor).shape(), [21, 21, 10]);
        }
        let (_, header) = SafeTensors::read_metadata(&bytes).expect(name);
        let metadata = header.metadata().as_ref().expect("metadata");
        for key in ["classes", "items", "permutation", "settings"] {
            assert!(metadata.contains_key(key), "{name}: {key}");
        }
        let plot = std::fs::read_to_string(out.join(name).join("line.svg")).expect(name);
        assert!(plot.contains("<polyline") && plot.contains(name));
    }
    let report = std::fs::metadata(out.join("report.html")).expect("a report");
    assert!(report.len() < 12_000_000, "{} bytes", report.len());
    let summary = std::fs::read_to_string(out.join("summary.csv")).expect("summary.csv");
    assert_eq!(summary.lines().count(), 31);
    // The first row and column of a landscape's name agree with its group, set and permutation.
    assert!(
        summary
            .lines()
            .nth(1)
            .expect("a row")
            .starts_with("1A.1,t10k#")
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_plan_is_refused() {
    let folder = folder();
    let sweep = |out: &str, more: &[&str]| {
        let mut arguments = vec![
            "sweep",
            "--engine",
            "cpu",
            "--groups",
            "1",
            "--steps",
            "7",
            "--save-frames",
            "--out",
            out,
        ];
        arguments.extend(more);
        run(folder.path(), &arguments)
    };
    for out in ["a", "b"] {
        assert_eq!(sweep(out, &[]).code, Some(0));
    }
    let file =
        |out: &str, name: &str| std::fs::read(folder.path().join(out).join(name)).expect(name);
    for name in [
        "1A.1/landscape.safetensors",
        "1B.3/landscape.safetensors",
        "1A.2/line.svg",
        "summary.csv",
    ] {
        assert!(
            file("a", name) == file("b", name),
            "{name} differs from run to run"
        );
    }
    assert_eq!(
        sweep("a", &[]).code,
        Some(0),
        "the same plan may be run again"
    );
    let refused = sweep("a", &["--seed", "2"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused
            .stderr
            .contains("another run: --seed is 1 there and 2 now"),
        "{}",
        refused.stderr
    );
    assert!(
        file("a", "summary.csv") == file("b", "summary.csv"),
        "a refused run changes nothing"
    );
    assert_eq!(sweep("a", &["--seed", "2", "--force"]).code, Some(0));
    assert!(file("a", "summary.csv") != file("b", "summary.csv"));
    // Starting over leaves nothing of the old run, and nothing else is touched.
    std::fs::write(folder.path().join("a/notes.txt"), "mine").expect("written");
    std::fs::write(
        folder.path().join("t.json"),
        r#"{"triples":[{"name":"x","items":[9,2,1]}]}"#,
    )
    .expect("written");
    succeed(
        folder.path(),
        &[
            "sweep",
            "--triples",
            "t.json",
            "--steps",
            "3",
            "--out",
            "a",
            "--force",
        ],
    );
    assert!(!folder.path().join("a/1A.1").exists() && folder.path().join("a/x.1").is_dir());
    assert!(folder.path().join("a/notes.txt").is_file());
    fail(
        folder.path(),
        &["sweep", "--grid", "20", "--out", "fine"],
        1,
        &["--grid 9 or less"],
    );
    assert!(
        !folder.path().join("fine").exists(),
        "a grid that does not fit leaves no folder"
    );
    std::fs::create_dir(folder.path().join("mine")).expect("a folder");
    std::fs::write(folder.path().join("mine/thesis.tex"), "x").expect("written");
    fail(
        folder.path(),
        &["sweep", "--out", "mine"],
        1,
        &["not empty", "--force"],
    );
}

#[test]
fn sweep_takes_fixed_classes_and_triples() {
    let folder = folder();
    let small = |more: &[&str]| {
        let mut arguments = vec!["sweep", "--engine", "cpu", "--steps", "3", "--force"];
        arguments.extend(more);
        let run = succeed(folder.path(), &arguments);
        (
            run,
            json(folder.path().join("morphscape-sweep/manifest.json")),
        )
    };
    let (_, manifest) = small(&[
        "--classes",
        "9,4,5",
        "--classes",
        "bag, Shirt,0",
        "--groups",
        "3",
    ]);
    let classes = |n: usize| manifest["plan"]["triples"][n]["classes"].clone();
    assert_eq!(classes(0), serde_json::json!([9, 4, 5]));
    assert_eq!(classes(3), serde_json::json!([8, 6, 0]));
    assert_eq!(
        manifest["landscapes"].as_array().expect("landscapes").len(),
        18
    );
    std::fs::write(
        folder.path().join("t.json"),
        r#"{"triples":[{"name":"mine","items":[9,2,1]}]}"#,
    )
    .expect("written");
    let (run, manifest) = small(&["--triples", "t.json"]);
    assert_eq!(
        manifest["landscapes"],
        serde_json::json!(["mine.1", "mine.2", "mine.3"])
    );
    // .1 is (x, z) into y: labels of images 9, 2 and 1 are 7, 1 and 2.
    assert!(
        run.stdout
            .lines()
            .nth(1)
            .expect("a row")
            .contains("Sneaker  Pullover  Trouser"),
        "{}",
        run.stdout
    );
    let triples = |text: &str, words: &[&str]| {
        std::fs::write(folder.path().join("t.json"), text).expect("written");
        fail(
            folder.path(),
            &["sweep", "--triples", "t.json", "--out", "never"],
            1,
            words,
        );
    };
    triples(
        r#"{"triples":[{"name":"1A","items":[0,1,10000]}]}"#,
        &["triple 1A", "t10k#10000", "9999"],
    );
    triples(
        r#"{"triples":[{"name":"1A","items":[2,3,1]}]}"#,
        &["triple 1A", "found items 2 and 3, both of class 1"],
    );
    triples(
        r#"{"triples":[{"name":"../x","items":[9,2,1]}]}"#,
        &["../x", "letters"],
    );
    triples(
        r#"{"triples":[{"name":"a","items":[9,2,1]},{"name":"a","items":[9,2,1]}]}"#,
        &["\"a\"", "once"],
    );
    triples(r#"{"triples":[]}"#, &["at least one triple"]);
    triples(r#"{"groups":[]}"#, &["expected {\"triples\""]);
    fail(
        folder.path(),
        &["sweep", "--triples", "none.json"],
        1,
        &["none.json"],
    );
    fail(
        folder.path(),
        &["sweep", "--classes", "9,9,1"],
        1,
        &["three different classes"],
    );
    fail(
        folder.path(),
        &["sweep", "--classes", "9,hat,1"],
        1,
        &["unknown class \"hat\"", "Ankle boot"],
    );
    fail(
        folder.path(),
        &["sweep", "--classes", "9,1"],
        1,
        &["expected three classes, found 2"],
    );
    assert!(
        !folder.path().join("never").exists(),
        "a refused plan leaves no folder"
    );
}

#[test]
fn sweep_reads_a_folder_of_idx_files_gzipped_or_not() {
    let folder = folder();
    let data = idx_folder(folder.path(), 60, 28);
    let sweep = [
        "sweep", "--data", "images", "--engine", "cpu", "--steps", "3", "--groups", "1", "--out",
        "o", "--force",
    ];
    succeed(folder.path(), &sweep);
    let plain = json(folder.path().join("o/manifest.json"));
    let images = std::fs::read(data.join("t10k-images-idx3-ubyte")).expect("images");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &images).expect("compressed");
    std::fs::write(
        data.join("t10k-images-idx3-ubyte.gz"),
        gzip.finish().expect("compressed"),
    )
    .expect("written");
    std::fs::remove_file(data.join("t10k-images-idx3-ubyte")).expect("removed");
    succeed(folder.path(), &sweep);
    assert_eq!(
        json(folder.path().join("o/manifest.json"))["data"]["sha256"],
        plain["data"]["sha256"]
    );
    // The same folder layout as data/.
    std::fs::create_dir(folder.path().join("root")).expect("a folder");
    std::fs::rename(&data, folder.path().join("root/fashion-mnist")).expect("moved");
    succeed(
        folder.path(),
        &[
            "sweep",
            "--data-dir",
            "root",
            "--engine",
            "cpu",
            "--steps",
            "3",
            "--groups",
            "1",
            "--out",
            "p",
        ],
    );
}

#[test]
fn malformed_idx_files_are_named_with_what_is_wrong() {
    let folder = folder();
    let data = idx_folder(folder.path(), 20, 28);
    let images = data.join("t10k-images-idx3-ubyte");
    let labels = data.join("t10k-labels-idx1-ubyte");
    let (good_images, good_labels) = (
        std::fs::read(&images).expect("images"),
        std::fs::read(&labels).expect("labels"),
    );
    let check = |path: &Path, bad: &[u8], words: &[&str]| {
        let good = std::fs::read(path).expect("a file");
        std::fs::write(path, bad).expect("written");
        fail(
            folder.path(),
            &["sweep", "--data", "images", "--out", "never"],
            1,
            words,
        );
        std::fs::write(path, good).expect("written");
    };
    check(
        &images,
        &good_labels,
        &[
            "t10k-images-idx3-ubyte",
            "expected 3 dimension(s), found 1",
            "swapped",
        ],
    );
    check(
        &images,
        &good_images[..10],
        &["header of 16 bytes, found a file of 10"],
    );
    check(
        &images,
        &good_images[..good_images.len() - 1],
        &["expected 15680 bytes", "found 15679", "truncated"],
    );
    check(
        &images,
        &[good_images.as_slice(), &[0, 0]].concat(),
        &["expected 15680 bytes", "2 or more after them"],
    );
    check(
        &images,
        &idx(&[u32::MAX, u32::MAX, u32::MAX], &[]),
        &["4294967295"],
    );
    check(
        &images,
        &idx(&[0, 28, 28], &[]),
        &["expected images, found none"],
    );
    check(&labels, &idx(&[19], &[0; 19]), &["20 images and 19 labels"]);
    check(
        &labels,
        &idx(&[20], &[10; 20]),
        &["label 10 of image 0", "below 10"],
    );
    check(
        &labels,
        &good_labels[..5],
        &["t10k-labels-idx1-ubyte", "header of 8 bytes"],
    );
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &good_images).expect("compressed");
    let gzip = gzip.finish().expect("compressed");
    check(
        &images,
        &gzip[..gzip.len() / 2],
        &["gzip stream is damaged"],
    );
    fail(
        folder.path(),
        &["sweep", "--data", "nowhere"],
        1,
        &["--data nowhere", "found nothing there"],
    );
    std::fs::create_dir(folder.path().join("empty")).expect("a folder");
    fail(
        folder.path(),
        &["sweep", "--data", "empty"],
        1,
        &["t10k-images-idx3-ubyte", "found neither"],
    );
    assert!(
        !folder.path().join("never").exists(),
        "nothing is left behind"
    );
}

#[test]
fn a_model_that_does_not_fit_the_images_is_refused() {
    let folder = folder();
    idx_folder(folder.path(), 20, 20);
    fail(
        folder.path(),
        &["sweep", "--data", "images"],
        1,
        &["inputs of 28 x 28", "images are 20 x 20"],
    );
    let model = golden("fashion_mlp.safetensors");
    let model = model.to_str().expect("UTF-8");
    fail(
        folder.path(),
        &[
            "sweep",
            "--data",
            "images",
            "--model",
            model,
            "--activation",
            "relu",
        ],
        1,
        &["784 values", "20 x 20"],
    );
    fail(
        folder.path(),
        &["predict", "t10k#0", "--model", model],
        1,
        &["--activation relu"],
    );
    fail(
        folder.path(),
        &["predict", "t10k#0", "--model", "gone.safetensors"],
        1,
        &[
            "gone.safetensors: expected a .keras, .h5, .safetensors, .onnx or model.json file, found nothing there",
        ],
    );
    std::fs::write(folder.path().join("no.safetensors"), b"not a model").expect("written");
    fail(
        folder.path(),
        &["predict", "t10k#0", "--model", "no.safetensors"],
        1,
        &["expected a .keras, .h5, .safetensors, .onnx or model.json file"],
    );
    fail(
        folder.path(),
        &["predict", "t10k#0", "--model", model, "--scale", "1/0"],
        2,
        &["finite factor"],
    );
    let unscaled = succeed(
        folder.path(),
        &[
            "predict",
            "t10k#0",
            "--model",
            model,
            "--activation",
            "relu",
        ],
    );
    assert!(
        unscaled.stderr.contains("warning") && unscaled.stderr.contains("--scale 1/255"),
        "{}",
        unscaled.stderr
    );
    // A factor the wrong way round.
    let turned = "predict t10k#0 --activation relu --scale 255 --model";
    let turned: Vec<&str> = turned.split(' ').chain([model]).collect();
    let said = succeed(folder.path(), &turned).stderr;
    assert!(said.contains("the scale is 1/255"), "{said}");
}

#[test]
fn predict_prints_csv_to_nine_digits() {
    let folder = folder();
    let model = golden("fashion_mlp.safetensors");
    let model = model.to_str().expect("UTF-8");
    let run = succeed(
        folder.path(),
        &[
            "predict",
            "t10k#1505",
            "t10k#4392",
            "--model",
            model,
            "--activation",
            "relu",
            "--scale",
            "1/255",
            "--engine",
            "cpu",
        ],
    );
    // How a file without a config was understood is said.
    let note = format!("note: {model}: layers dense_0 784-128 relu, dense_1 128-10\n");
    assert_eq!(run.stderr, note);
    let mut lines = run.stdout.lines();
    let heading = lines.next().expect("a heading");
    assert!(
        heading.starts_with("item,predicted,T-shirt/top,Trouser,"),
        "{heading}"
    );
    // Keras's labels of the first two golden images.
    for (line, (item, class)) in lines.zip([("t10k#1505", "Ankle boot"), ("t10k#4392", "Trouser")])
    {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!((fields.len(), fields[0], fields[1]), (12, item, class));
        let sum: f64 = fields[2..]
            .iter()
            .map(|field| field.parse::<f64>().expect("a number"))
            .sum();
        assert!((sum - 1.0).abs() < 1e-6);
    }
    let logits = succeed(folder.path(), &["predict", "--logits", "t10k#0"]);
    assert!(
        logits.stdout.lines().nth(1).expect("a row").contains('-'),
        "logits may be negative: {}",
        logits.stdout
    );
}

#[test]
fn items_that_do_not_exist_are_named() {
    let folder = folder();
    fail(
        folder.path(),
        &["predict", "t10k#10000"],
        1,
        &["t10k#10000 is out of range", "t10k#9999"],
    );
    fail(
        folder.path(),
        &["predict", "t10k#99999999999999999999"],
        1,
        &["out of range"],
    );
    fail(
        folder.path(),
        &["predict", "train#3"],
        1,
        &["unknown item \"train#3\"", "t10k#INDEX"],
    );
    fail(folder.path(), &["predict", "t10k#-1"], 1, &["unknown item"]);
    fail(
        folder.path(),
        &["predict", "shoe.png"],
        1,
        &["shoe.png", "expected an image file"],
    );
    fail(
        folder.path(),
        &["morph", "t10k#1", "nothing"],
        1,
        &["nothing"],
    );
    std::fs::write(folder.path().join("text.png"), "hello").expect("written");
    fail(
        folder.path(),
        &["predict", "text.png"],
        1,
        &["text.png: expected a PNG, JPEG"],
    );
}

#[test]
fn morph_writes_frames_pictures_and_the_mesh() {
    let folder = folder();
    let run = succeed(
        folder.path(),
        &[
            "morph",
            "t10k#1565",
            "t10k#1411",
            "--alphas",
            "0,0.25,0.5,1",
            "--save-frames",
            "--out",
            "m",
            "--engine",
            "cpu",
        ],
    );
    assert!(run.stderr.contains("4 frames"), "{}", run.stderr);
    let out = folder.path().join("m");
    let bytes = std::fs::read(out.join("frames.safetensors")).expect("frames");
    let tensors = SafeTensors::deserialize(&bytes).expect("tensors");
    assert_eq!(
        tensors.tensor("frames").expect("frames").shape(),
        [4, 28, 28]
    );
    let description = json(out.join("morph.json"));
    // The golden points of this pair.
    let expected = crate::common::golden_json("morph.json");
    for points in ["points_left", "points_right"] {
        assert_eq!(description[points], expected["pairs"][0][points]);
    }
    assert_eq!(
        description["triangles"]
            .as_array()
            .expect("triangles")
            .len(),
        20
    );
    assert!(description["counts"]["degenerate_right"].is_u64());
    for name in ["frame-000.png", "frame-003.png", "sheet.png", "mesh.png"] {
        assert!(out.join(name).is_file(), "{name}");
    }
    // A written frame read back is an image to predict: frame 0 is the left image itself.
    let both = succeed(folder.path(), &["predict", "m/frame-000.png", "t10k#1565"]);
    let rows: Vec<&str> = both
        .stdout
        .lines()
        .skip(1)
        .map(|line| line.split_once(',').expect("a row").1)
        .collect();
    assert_eq!(rows[0], rows[1]);

    succeed(
        folder.path(),
        &[
            "morph",
            "t10k#9",
            "t10k#2",
            "t10k#1",
            "--steps",
            "5",
            "--save-frames",
            "--engine",
            "cpu",
            "--out",
            "g",
        ],
    );
    let bytes = std::fs::read(folder.path().join("g/frames.safetensors")).expect("frames");
    let tensors = SafeTensors::deserialize(&bytes).expect("tensors");
    assert_eq!(
        tensors.tensor("frames").expect("frames").shape(),
        [5, 5, 28, 28]
    );

    // The same grid as a sweep's.
    std::fs::write(
        folder.path().join("t.json"),
        r#"{"triples":[{"name":"s","items":[9,2,1]}]}"#,
    )
    .expect("written");
    succeed(
        folder.path(),
        &[
            "sweep",
            "--triples",
            "t.json",
            "--steps",
            "5",
            "--save-frames",
            "--engine",
            "cpu",
            "--out",
            "s",
        ],
    );
    let sweep =
        std::fs::read(folder.path().join("s/s.3/landscape.safetensors")).expect("a landscape");
    let sweep = SafeTensors::deserialize(&sweep).expect("tensors");
    assert!(
        sweep.tensor("frames").expect("frames").data()
            == tensors.tensor("frames").expect("frames").data()
    );
}

#[test]
fn morph_takes_colour_pictures_and_refuses_unequal_ones() {
    let folder = folder();
    for (name, width, level) in [("a.png", 40, 30u8), ("b.png", 40, 200), ("c.png", 41, 200)] {
        image::RgbImage::from_fn(width, 30, |x, y| {
            image::Rgb([level, x as u8 * 5, y as u8 * 7])
        })
        .save(folder.path().join(name))
        .expect(name);
    }
    succeed(
        folder.path(),
        &[
            "morph",
            "a.png",
            "b.png",
            "--alphas",
            "0.5",
            "--save-frames",
            "--sampling",
            "linear",
            "--out",
            "m",
        ],
    );
    let bytes = std::fs::read(folder.path().join("m/frames.safetensors")).expect("frames");
    let tensors = SafeTensors::deserialize(&bytes).expect("tensors");
    let frames = tensors.tensor("frames").expect("frames");
    assert_eq!(frames.shape(), [1, 30, 40, 3]);
    let red = f32::from_le_bytes(frames.data()[..4].try_into().expect("four bytes"));
    assert!(
        (red - 115.0).abs() < 1e-3,
        "half way between 30 and 200: {red}"
    );
    fail(
        folder.path(),
        &["morph", "a.png", "c.png"],
        1,
        &["c.png", "30 x 40 x 3", "30 x 41 x 3"],
    );
    fail(
        folder.path(),
        &["morph", "a.png", "t10k#0"],
        1,
        &["28 x 28"],
    );
    fail(
        folder.path(),
        &["predict", "a.png"],
        1,
        &["a.png", "28 x 28", "30 x 40 x 3"],
    );
    fail(
        folder.path(),
        &["morph", "a.png", "b.png", "--grid", "11"],
        1,
        &["--grid 10 or less"],
    );
    fail(
        folder.path(),
        &["morph", "a.png", "b.png", "--alphas", "0.5,1.5"],
        2,
        &["from 0 to 1"],
    );
    fail(
        folder.path(),
        &["morph", "a.png", "b.png", "--alphas", "nan"],
        2,
        &["from 0 to 1"],
    );
}

#[test]
fn a_gpu_that_is_not_there_is_an_error_and_auto_goes_on() {
    let folder = folder();
    let blind = |arguments: &[&str]| {
        // A loader that looks for drivers in a file that is not there finds none.
        let nowhere = folder.path().join("no-driver.json");
        finished(
            command(folder.path(), arguments)
                .env("VK_DRIVER_FILES", &nowhere)
                .env("VK_ICD_FILENAMES", &nowhere)
                .output()
                .expect("starts"),
        )
    };
    if cfg!(target_os = "linux") {
        let run = blind(&["sweep", "--engine", "gpu"]);
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(
            run.stderr.contains("--engine gpu") && run.stderr.contains("--engine cpu"),
            "{}",
            run.stderr
        );
        assert!(!folder.path().join("morphscape-sweep").exists());
        let run = blind(&["predict", "t10k#0"]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let run = blind(&["devices"]);
        assert!(
            run.code == Some(0) && run.stdout.contains("no adapter found"),
            "{}",
            run.stdout
        );
        // It has no --engine, and names none.
        let run = blind(&["devices", "--check"]);
        assert_eq!(run.code, Some(1));
        assert_eq!(
            run.stderr,
            "error: expected a GPU or a software adapter, found none; install a Vulkan driver (Debian: mesa-vulkan-drivers for the software one)\n"
        );
    }
    if std::env::var("MORPHSCAPE_REQUIRE_GPU").as_deref() == Ok("1") {
        fail(
            folder.path(),
            &[
                "predict",
                "t10k#0",
                "--engine",
                "gpu",
                "--adapter",
                "Voodoo 2",
            ],
            1,
            &["Voodoo 2", "morphscape devices"],
        );
        let run = succeed(
            folder.path(),
            &["predict", "t10k#0", "--engine", "gpu", "-v"],
        );
        assert!(run.stderr.contains("engine: gpu"), "{}", run.stderr);
        assert!(
            succeed(folder.path(), &["devices"])
                .stdout
                .contains("storage binding")
        );
    }
}

#[test]
fn folders_that_cannot_be_written_are_found_out_before_the_work() {
    let folder = folder();
    std::fs::write(folder.path().join("file"), "x").expect("written");
    fail(
        folder.path(),
        &["sweep", "--out", "file"],
        1,
        &["file: expected a folder, found a file"],
    );
    assert_eq!(
        std::fs::read_to_string(folder.path().join("file")).expect("still there"),
        "x"
    );
    if cfg!(target_os = "linux") {
        // Nobody, root included, makes a folder here.
        fail(
            folder.path(),
            &["sweep", "--out", "/proc/morphscape"],
            1,
            &["cannot write /proc/morphscape"],
        );
    }
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_with_130() {
    let folder = folder();
    let arguments = [
        "sweep",
        "--engine",
        "cpu",
        "--groups",
        "400",
        "--figures",
        "none",
        "-q",
    ];
    let mut child = command(folder.path(), &arguments)
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("starts");
    let started = std::time::Instant::now();
    while !folder
        .path()
        .join("morphscape-sweep/manifest.json")
        .exists()
        && started.elapsed().as_secs() < 60
    {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    std::thread::sleep(std::time::Duration::from_millis(100));
    let interrupted = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(interrupted.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert_eq!(
        json(folder.path().join("morphscape-sweep/manifest.json"))["finished"],
        false
    );
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = folder();
    for arguments in [
        &["sweep", "--steps", "1"][..],
        &["sweep", "--nonsense"],
        &["sweep", "--mode", "cleanest"],
        &["sweep", "--seed", "x"],
        &["predict"],
        &[],
    ] {
        assert_eq!(run(folder.path(), arguments).code, Some(2), "{arguments:?}");
    }
    assert_eq!(run(folder.path(), &["--version"]).code, Some(0));
    assert!(
        succeed(folder.path(), &["sweep", "--help"])
            .stdout
            .contains("[default: 21]")
    );
}

#[test]
fn what_cannot_be_computed_is_refused_at_once() {
    let folder = folder();
    fail(
        folder.path(),
        &["sweep", "--data", "iris"],
        1,
        &["a table of rows", "fashion-mnist"],
    );
    let grid = ["morph", "t10k#9", "t10k#2", "t10k#1", "--steps", "1001"];
    fail(
        folder.path(),
        &grid,
        1,
        &["1002001 frames", "fewer --steps"],
    );
    fail(
        folder.path(),
        &["predict", "t10k#0", "--engine", "cpu", "--adapter", "x"],
        1,
        &["--adapter", "--engine cpu"],
    );
    assert_eq!(
        run(folder.path(), &["sweep", "--jobs", "60000"]).code,
        Some(2)
    );
    let model = golden("fashion_mlp.safetensors");
    let model = model.to_str().expect("UTF-8");
    let huge = [
        "predict",
        "t10k#0",
        "--model",
        model,
        "--activation",
        "relu",
        "--scale",
        "1e37",
        "--quiet",
    ];
    fail(folder.path(), &huge, 1, &["finite logits"]);
    assert_eq!(
        std::fs::read_dir(folder.path())
            .expect("the folder")
            .count(),
        0,
        "nothing is left behind"
    );
}

#[test]
fn starting_over_removes_an_unfinished_run_and_the_frames_of_a_longer_morph() {
    let folder = folder();
    let steps = |n: &'static str| {
        [
            "sweep", "--engine", "cpu", "--groups", "1", "--steps", n, "--force",
        ]
    };
    succeed(folder.path(), &steps("3"));
    // As a killed run leaves it: a plan, and not yet the list of landscapes.
    let path = folder.path().join("morphscape-sweep/manifest.json");
    let mut manifest = json(path.clone());
    manifest["finished"] = false.into();
    manifest
        .as_object_mut()
        .expect("an object")
        .remove("landscapes");
    std::fs::write(&path, manifest.to_string()).expect("written");
    std::fs::write(
        folder.path().join("t.json"),
        r#"{"triples":[{"name":"x","items":[9,2,1]}]}"#,
    )
    .expect("written");
    succeed(
        folder.path(),
        &[
            "sweep",
            "--triples",
            "t.json",
            "--engine",
            "cpu",
            "--steps",
            "3",
            "--force",
        ],
    );
    assert!(!folder.path().join("morphscape-sweep/1A.1").exists());
    succeed(
        folder.path(),
        &[
            "morph",
            "t10k#1",
            "t10k#2",
            "--steps",
            "5",
            "--save-frames",
            "--out",
            "m",
        ],
    );
    succeed(
        folder.path(),
        &[
            "morph", "t10k#1", "t10k#2", "--steps", "3", "--out", "m", "--force",
        ],
    );
    assert!(folder.path().join("m/frame-002.png").is_file());
    assert!(
        !folder.path().join("m/frame-003.png").exists()
            && !folder.path().join("m/frames.safetensors").exists()
    );
}

#[test]
fn a_summary_alone_goes_on_behind_its_last_whole_triple() {
    let folder = folder();
    let run = [
        "sweep",
        "--engine",
        "cpu",
        "--steps",
        "4",
        "--groups",
        "2",
        "--summary-only",
        "--out",
        "out",
    ];
    succeed(folder.path(), &run);
    let [summary, rows, manifest] = ["summary.csv", "summary.rows.csv", "manifest.json"]
        .map(|name| folder.path().join("out").join(name));
    let whole = std::fs::read(&summary).expect("a table");
    let ends: Vec<usize> = (1..=whole.len())
        .filter(|&end| whole[end - 1] == b'\n')
        .collect();
    assert_eq!(ends.len(), 1 + 12, "a heading and 4 triples");
    // What a killed process leaves: its manifest, and so many bytes of its rows.
    let stop = |left: &[u8]| {
        let mut stopped = json(manifest.clone());
        stopped["finished"] = false.into();
        std::fs::write(&manifest, stopped.to_string()).expect("written");
        std::fs::remove_file(&summary).expect("removed");
        std::fs::write(&rows, left).expect("written");
        let again = succeed(folder.path(), &run);
        assert!(std::fs::read(&summary).expect("a table") == whole);
        assert!(!rows.exists());
        let words: Vec<&str> = again.stderr.split(' ').collect();
        let kept = words.iter().position(|word| *word == "kept");
        kept.map_or(0, |at| words[at - 1].parse().unwrap_or(12))
    };
    let in_row = (ends[7] + ends[8]) / 2;
    for (left, kept) in [
        (0, 0),
        (ends[0] / 2, 0),
        (ends[0], 0),
        (ends[2], 0),
        (ends[3] - 1, 0),
        (ends[3], 3),
        (ends[3] + 1, 3),
        (in_row, 6),
        (ends[12] - 1, 9),
        (ends[12], 12),
    ] {
        assert_eq!(stop(&whole[..left]), kept, "{left} bytes");
    }
    // Rows of other landscapes are none of this run's.
    let text = String::from_utf8(whole.clone()).expect("text");
    let first = text.lines().nth(1).expect("a row").split(',').next();
    let other = text.replace(&format!("\n{},", first.expect("a name")), "\nother,");
    assert_eq!(stop(other.as_bytes()), 0);
}

#[test]
fn a_summary_alone_has_the_rows_of_the_whole_run() {
    let folder = folder();
    let small = ["sweep", "--engine", "cpu", "--steps", "4", "--groups", "15"];
    let whole = [&small[..], &["--figures", "none", "--out", "whole"]].concat();
    let alone = [&small[..], &["--summary-only", "--out", "alone"]].concat();
    succeed(folder.path(), &whole);
    succeed(folder.path(), &alone);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a table");
    // More triples than are in memory at once, and 90 landscapes.
    assert_eq!(read("alone/summary.csv"), read("whole/summary.csv"));
    let names = files(&folder.path().join("alone"));
    assert_eq!(names, ["manifest.json", "summary.csv"]);
    let plan = &json(folder.path().join("alone/manifest.json"))["plan"];
    assert_eq!(plan["triples"]["count"], 30);
    // Started again it is the same; another choice of items is another plan.
    succeed(folder.path(), &alone);
    let other = [&alone[..], &["--seed", "2"]].concat();
    fail(folder.path(), &other, 1, &["the folder holds another run"]);
    let verified = succeed(folder.path(), &["verify", "alone"]);
    assert!(
        verified
            .stdout
            .contains("files: 1 of 1 as they were written"),
        "{}",
        verified.stdout
    );
}

#[test]
fn shells_and_man_know_every_command() {
    let folder = folder();
    let help = succeed(folder.path(), &["--help"]).stdout;
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    assert!(commands.len() > 14, "{commands:?}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = succeed(folder.path(), &["completions", shell]).stdout;
        for command in commands.iter().chain(&["--min-agreement"]) {
            let name = command.trim_start_matches('-');
            assert!(text.contains(name), "{shell}: {command}");
        }
    }
    fail(folder.path(), &["completions", "sh"], 2, &["bash"]);
    succeed(folder.path(), &["man", "pages"]);
    let pages = files(&folder.path().join("pages"));
    for command in commands {
        assert!(
            pages.contains(&format!("morphscape-{command}.1")),
            "{pages:?}"
        );
    }
    std::fs::write(folder.path().join("file"), "").expect("written");
    fail(folder.path(), &["man", "file"], 1, &["file"]);
}

/// Mesa's device-select layer says that there is no such folder, before anything of ours.
#[test]
#[cfg(target_os = "linux")]
fn no_driver_speaks_where_there_is_no_runtime_folder() {
    let folder = folder();
    for value in [None, Some("not/absolute")] {
        let mut devices = command(folder.path(), &["devices"]);
        devices.env_remove("XDG_RUNTIME_DIR");
        if let Some(value) = value {
            devices.env("XDG_RUNTIME_DIR", value);
        }
        let run = finished(devices.output().expect("the program starts"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert_eq!(run.stderr, "", "{value:?}");
    }
}

/// Help and usage errors have colours where they are asked for, and by default on a terminal unless
/// `NO_COLOR` is set.
#[test]
fn colours_are_as_they_are_asked_for() {
    let folder = folder();
    let coloured = |words: &[&str], variables: &[(&str, &str)]| {
        let mut command = command(folder.path(), words);
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        let output = command.output().expect("the program starts");
        [output.stdout, output.stderr].concat().contains(&0x1b)
    };
    assert!(!coloured(&["-h"], &[]), "in a pipe");
    assert!(coloured(&["-h", "--color", "always"], &[]));
    let no_color = ("NO_COLOR", "1");
    assert!(coloured(&["--color=always", "sweep", "--no"], &[no_color]));
    // Stands for a terminal.
    let terminal = ("CLICOLOR_FORCE", "1");
    assert!(coloured(&["-h"], &[terminal]));
    assert!(!coloured(&["-h"], &[terminal, no_color]));
    assert!(!coloured(&["-h", "--color", "never"], &[terminal]));
    assert!(!coloured(&["sweep", "--no", "--color=never"], &[terminal]));
    let words = ["--color", "red", "devices"];
    fail(folder.path(), &words, 2, &["auto, always, never"]);
}
